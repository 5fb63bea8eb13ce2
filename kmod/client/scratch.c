// SPDX-License-Identifier: GPL-2.0
#include <linux/atomic.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "client/scratch.h"
#include "store/gfp.h"

/*
 * So that few calls find what is kept too small; and what is not worth keeping.
 * Debug builds keep nothing, so that KASAN sees the end of it, and leave no zeroes.
 */
#define MIN_SIZE	(KREG_SCRATCH_SMALL + sizeof(size_t))
#ifdef KREG_DEBUG
#define MAX_KEPT	0
#else
#define MAX_KEPT	(64U << 10)
#endif

struct kreg_scratch_buf {
	size_t size;
	u64 bytes[];
};

/* Not kvmalloc(), which would look for contiguous pages as hard as for any. */
static void *alloc_bytes(size_t size)
{
	void *bytes;

	if (size <= PAGE_SIZE)
		return kmalloc(size, KREG_GFP_USER);
	bytes = kmalloc(size, KREG_GFP_TRY);
	return bytes ?: __vmalloc(size, KREG_GFP_USER);
}

static struct kreg_scratch_buf *alloc_buf(size_t size)
{
	struct kreg_scratch_buf *buf;

	size = size_add(size, sizeof(*buf));
	if (size <= MAX_KEPT)
		size = roundup_pow_of_two(max_t(size_t, size, MIN_SIZE));
	buf = alloc_bytes(size);
	if (!buf)
		return NULL;
	buf->size = size;
#ifdef KREG_DEBUG
	memset(buf->bytes, 0xd5, size - sizeof(*buf));
#endif
	return buf;
}

/* What is kept serves one call at a time; other threads allocate. */
void *kreg_scratch_get(struct kreg_scratch *s, size_t size)
{
	struct kreg_scratch_buf *buf = xchg(&s->kept, NULL);

	if (!buf || buf->size - sizeof(*buf) < size) {
		kvfree(buf);
		buf = alloc_buf(size);
	}
	return buf ? buf->bytes : NULL;
}

void kreg_scratch_put(struct kreg_scratch *s, void *bytes)
{
	struct kreg_scratch_buf *buf;

	buf = container_of(bytes, struct kreg_scratch_buf, bytes);
	/* The client may end where vfree() may not be called. */
	if (buf->size > MAX_KEPT || is_vmalloc_addr(buf) || cmpxchg(&s->kept, NULL, buf))
		kvfree(buf);
}

void kreg_scratch_exit(struct kreg_scratch *s)
{
	kvfree(s->kept);
}
