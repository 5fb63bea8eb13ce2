// SPDX-License-Identifier: GPL-2.0
/*
 * How memory comes into a store: the writer says what is short, his caller
 * allocates it where he may sleep, be charged and fail, and hands it in.
 */
#include <linux/slab.h>

#include "store/arena.h"
#include "store/index.h"
#include "store/internal.h"

/* Turn. -EAGAIN and what to bring, or -ENOSPC if bringing would not help. */
int kreg_prealloc_want(const struct kreg_store *s, struct kreg_prealloc *f,
		       unsigned int class, bool blob)
{
	u8 chunks = kreg_array_wants(&s->chunks);
	u8 blobs = blob ? kreg_blob_wants(s) : 0;

	kreg_store_assert(s);
	f->must_chunk = list_empty(&s->classes[class].partial);
	f->must_handle = blobs;
	f->must_extra = blob && !s->extra;
	if ((f->must_chunk && chunks == KREG_ARRAY_FULL) || blobs == KREG_ARRAY_FULL)
		return -ENOSPC;
	f->class = class;
	f->order = kreg_arena_order(s, class);
	f->want_seg[KREG_PREALLOC_CHUNKS] = f->must_chunk ? chunks : 0;
	f->want_seg[KREG_PREALLOC_BLOBS] = blobs;
	kreg_index_want(s, f);
	return -EAGAIN;
}

static int fill_seg(struct kreg_prealloc *f, enum kreg_prealloc_array dir)
{
	u8 want = f->want_seg[dir];

	if (!want || (f->brought.seg[dir] && f->brought.seg_no[dir] == want - 1))
		return 0;
	kreg_array_seg_free(f->brought.seg[dir], f->brought.seg_no[dir]);
	f->brought.seg_no[dir] = want - 1;
	f->brought.seg[dir] = kreg_array_seg_alloc(want - 1);
	return f->brought.seg[dir] ? 0 : -ENOMEM;
}

static int fill_chunk(struct kreg_prealloc *f)
{
	if (!f->must_chunk || (f->brought.chunk && f->brought.chunk->class == f->class))
		return 0;
	if (f->brought.chunk)
		kreg_chunk_free(f->brought.chunk);
	f->brought.chunk = kreg_chunk_alloc(f->class, f->order);
	return f->brought.chunk ? 0 : -ENOMEM;
}

static int fill_extra(struct kreg_prealloc *f)
{
	if (f->must_extra && !f->brought.extra)
		f->brought.extra = kreg_extra_alloc();
	return f->must_extra && !f->brought.extra ? -ENOMEM : 0;
}

static void fill_pages(struct kreg_prealloc *f)
{
	if (!f->want_pages)
		return;
	f->brought.asked = f->index_order;
	if (f->brought.pages && f->brought.order == f->index_order)
		return;
	kreg_pages_free(f->brought.pages, f->brought.order);
	f->brought.order = f->index_order;
	f->brought.pages = kreg_index_alloc(&f->brought.order);
}

/* Not under the turn. */
int kreg_prealloc_fill(struct kreg_prealloc *f, struct kreg_store *s)
{
	if (!f->filled)
		memset(&f->brought, 0, sizeof(f->brought));
	f->filled = true;
	if (fill_chunk(f) || fill_seg(f, KREG_PREALLOC_CHUNKS) ||
	    fill_extra(f) || fill_seg(f, KREG_PREALLOC_BLOBS))
		return -ENOMEM;
	if (!f->want_index)
		return 0;
	fill_pages(f);
	fill_seg(f, KREG_PREALLOC_PAGES);
	return 0;
}

static void add_segment(struct kreg_store *s, struct kreg_array *d,
			struct kreg_prealloc *f, enum kreg_prealloc_array dir)
{
	void ***seg = &f->brought.seg[dir];
	size_t before = kreg_array_memory(d);

	if (!*seg || !kreg_array_add(d, *seg, f->brought.seg_no[dir]))
		return;
	*seg = NULL;
	s->memory += kreg_array_memory(d) - before;
}

static noinline void add_prealloc(struct kreg_store *s, struct kreg_prealloc *f)
{
	add_segment(s, &s->chunks, f, KREG_PREALLOC_CHUNKS);
	if (f->brought.extra && kreg_extra_add(s, f->brought.extra))
		f->brought.extra = NULL;
	if (s->extra)
		add_segment(s, &s->extra->blobs, f, KREG_PREALLOC_BLOBS);
	add_segment(s, &kreg_store_root(s)->dir, f, KREG_PREALLOC_PAGES);
	if (f->brought.chunk && kreg_arena_add(s, f->brought.chunk))
		f->brought.chunk = NULL;
	kreg_index_add(s, f);
}

/* Turn. What is not needed any more stays in @f. */
void kreg_store_add_prealloc(struct kreg_store *s, struct kreg_prealloc *f)
{
	kreg_store_assert(s);
	if (f->filled)
		add_prealloc(s, f);
	f->must_chunk = false;
	f->must_handle = false;
	f->must_extra = false;
	f->want_index = false;
	memset(f->want_seg, 0, sizeof(f->want_seg));
}

/* Not under the turn. */
void kreg_prealloc_empty(struct kreg_prealloc *f)
{
	unsigned int i;

	if (f->brought.chunk)
		kreg_chunk_free(f->brought.chunk);
	kreg_extra_free(f->brought.extra);
	kreg_pages_free(f->brought.pages, f->brought.order);
	for (i = 0; i < KREG_PREALLOC_ARRAYS; i++)
		kreg_array_seg_free(f->brought.seg[i], f->brought.seg_no[i]);
	kreg_prealloc_init(f);
}
