/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Valgrind and MemorySanitizer know from the number of a command what the kernel has written to
 * its struct, but not what to the memory that the struct points to. They are told here, if
 * their headers were there when the library was built.
 */
#include "internal.h"

#if defined(__has_feature)
#if __has_feature(memory_sanitizer)
#define MSAN
#endif
#endif

#if defined(MSAN)
#include <sanitizer/msan_interface.h>

bool kreg_memory_checked = true;

static void written(uint64_t ptr, size_t len)
{
	__msan_unpoison((void *)(uintptr_t)ptr, len);
}

#elif __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>

bool kreg_memory_checked;

static void __attribute__((constructor)) look_for_valgrind(void)
{
	kreg_memory_checked = RUNNING_ON_VALGRIND;
}

static void written(uint64_t ptr, size_t len)
{
	VALGRIND_MAKE_MEM_DEFINED((uintptr_t)ptr, len);
}

#else
bool kreg_memory_checked;

static void written(uint64_t ptr, size_t len)
{
	(void)ptr;
	(void)len;
}
#endif

static void op_written(const struct kreg_op *op)
{
	const struct kreg_more *more = (const void *)(uintptr_t)op->arg;
	const size_t out = offsetof(struct kreg_more, out_process);

	if (!op->out_error && (op->code == KREG_OP_GET || op->code == KREG_OP_TAKE))
		written(op->value, op->out_len);
	if ((op->flags & KREG_OP_MORE) && more->size > out)
		written(op->arg + out, more->size - out);
}

static void batch_written(const struct kreg_ioc_batch *batch)
{
	uint64_t at = batch->ops;
	unsigned int i;

	for (i = 0; i < batch->count; i++, at += batch->op_size)
		op_written((const void *)(uintptr_t)at);
}

void kreg_mark_written(unsigned int cmd, const void *arg)
{
	const struct kreg_ioc_lease *lease = arg;
	const struct kreg_ioc_scan *scan = arg;
	const struct kreg_ioc_info *info = arg;

	/* That of KREG_IOC_LIST is in memory of calloc(3), which they take as written. */
	switch (cmd) {
	case KREG_IOC_OP:
		op_written(&((const struct kreg_ioc_op *)arg)->op);
		break;
	case KREG_IOC_BATCH:
		batch_written(arg);
		break;
	case KREG_IOC_SCAN:
		written(scan->buf, scan->out_len);
		break;
	case KREG_IOC_INFO:
		written(info->info, info->info_len);
		break;
	case KREG_IOC_LEASE:
		if (!(lease->flags & KREG_LEASE_RETURN))
			written(lease->value, lease->out_len);
		if (lease->flags & KREG_LEASE_FIRST)
			written(lease->key, lease->out_key_len);
		break;
	}
}
