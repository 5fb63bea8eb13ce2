// SPDX-License-Identifier: GPL-2.0
/*
 * How memory comes into a store: a write that finds it short says of what. Its caller,
 * who may sleep, be charged and fail, allocates that and hands it in.
 */
#include <linux/slab.h>

#include "store/arena.h"
#include "store/index.h"
#include "store/internal.h"
#include "store/wheel.h"

static bool wants_class(const struct kreg_prealloc *f, unsigned int class)
{
	unsigned int i;

	for (i = 0; i < f->must_chunks; i++)
		if (f->chunk[i].class == class)
			return true;
	return false;
}

/*
 * Turn. Ask for a chunk of @class if it has no slot to give, and as long as there is room
 * for it in @f: who does not get it now asks again.
 */
void kreg_prealloc_want_chunk(const struct kreg_store *s, struct kreg_prealloc *f,
			      unsigned int class)
{
	u8 seg = kreg_array_wants(&s->chunks);

	kreg_store_assert(s);
	if (!list_empty(&s->classes[class].partial) || wants_class(f, class) ||
	    f->must_chunks == KREG_PREALLOC_CLASSES || seg == KREG_ARRAY_FULL)
		return;
	f->want_seg[KREG_PREALLOC_CHUNKS] = seg;
	f->chunk[f->must_chunks].class = class;
	f->chunk[f->must_chunks].order = kreg_arena_order(s, class);
	f->chunk[f->must_chunks].whole = unlikely(kreg_arena_is_scarce(s));
	f->must_chunks++;
}

/* Turn. -EAGAIN and what to bring, or -ENOSPC if bringing would not help. */
int kreg_prealloc_want(const struct kreg_store *s, struct kreg_prealloc *f,
		       unsigned int class, bool blob)
{
	bool full = kreg_array_wants(&s->chunks) == KREG_ARRAY_FULL;
	u8 blobs = blob ? kreg_blob_wants(s) : 0;

	kreg_store_assert(s);
	kreg_prealloc_want_chunk(s, f, class);
	f->must_handle = blobs;
	f->must_extra = blob && !s->extra;
	if ((full && list_empty(&s->classes[class].partial)) || blobs == KREG_ARRAY_FULL)
		return -ENOSPC;
	f->want_seg[KREG_PREALLOC_BLOBS] = blobs;
	kreg_index_want(s, f);
	return -EAGAIN;
}

int kreg_store_want_holder(const struct kreg_store *s, struct kreg_prealloc *f)
{
	u8 seg = s->extra ? kreg_array_wants(&s->extra->holders) : 1;

	kreg_store_assert(s);
	if (!seg)
		return 0;
	if (seg == KREG_ARRAY_FULL)
		return -ENOSPC;
	f->must_handle = true;
	f->must_extra = !s->extra;
	f->want_seg[KREG_PREALLOC_HOLDERS] = seg;
	return -EAGAIN;
}

static size_t seg_bytes(const struct kreg_prealloc *f, enum kreg_prealloc_array dir)
{
	return f->want_seg[dir] ? kreg_array_seg_size(f->want_seg[dir] - 1) : 0;
}

size_t kreg_prealloc_must_bytes(const struct kreg_prealloc *f)
{
	size_t bytes = seg_bytes(f, KREG_PREALLOC_CHUNKS) + seg_bytes(f, KREG_PREALLOC_BLOBS) +
		       seg_bytes(f, KREG_PREALLOC_HOLDERS);
	unsigned int i;

	for (i = 0; i < f->must_chunks; i++)
		bytes += kreg_arena_chunk_memory(f->chunk[i].order);
	return bytes + (f->must_extra ? sizeof(struct kreg_extra) : 0) +
	       (f->must_wheel ? sizeof(struct kreg_wheel) : 0);
}

size_t kreg_prealloc_index_bytes(const struct kreg_prealloc *f)
{
	if (!f->want_index)
		return 0;
	return seg_bytes(f, KREG_PREALLOC_PAGES) +
	       (f->want_pages ? PAGE_SIZE << f->index_order : 0);
}

bool kreg_prealloc_shrink(struct kreg_prealloc *f)
{
	bool shrunk = false;
	unsigned int i;

	for (i = 0; i < f->must_chunks; i++) {
		unsigned int least = kreg_arena_least_order(f->chunk[i].class);

		if (f->chunk[i].order <= least)
			continue;
		f->chunk[i].order = least;
		shrunk = true;
	}
	return shrunk;
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

/* What was brought and not needed makes room. */
static void drop_chunks(struct kreg_prealloc *f)
{
	unsigned int i;

	for (i = 0; i < KREG_PREALLOC_CLASSES; i++) {
		struct kreg_chunk **chunk = &f->brought.chunk[i];

		if (!*chunk || wants_class(f, (*chunk)->class))
			continue;
		kreg_chunk_free(*chunk);
		*chunk = NULL;
	}
}

/* Where in @f the chunk of @class is, or, since all that are there are wanted, may be put. */
static struct kreg_chunk **chunk_place(struct kreg_prealloc *f, unsigned int class)
{
	struct kreg_chunk **empty = NULL;
	unsigned int i;

	for (i = 0; i < KREG_PREALLOC_CLASSES; i++) {
		struct kreg_chunk **chunk = &f->brought.chunk[i];

		if (*chunk && (*chunk)->class == class)
			return chunk;
		if (!*chunk)
			empty = chunk;
	}
	return empty;
}

static int fill_chunks(struct kreg_prealloc *f)
{
	unsigned int i;

	if (!f->must_chunks)
		return 0;
	drop_chunks(f);
	for (i = 0; i < f->must_chunks; i++) {
		struct kreg_chunk **chunk = chunk_place(f, f->chunk[i].class);

		if (!*chunk)
			*chunk = kreg_chunk_alloc(f->chunk[i].class, f->chunk[i].order,
						  f->chunk[i].whole);
		if (!*chunk)
			return -ENOMEM;
	}
	return 0;
}

static int fill_extra(struct kreg_prealloc *f)
{
	if (f->must_extra && !f->brought.extra)
		f->brought.extra = kreg_extra_alloc();
	if (f->must_extra && !f->brought.extra)
		return -ENOMEM;
	if (f->must_wheel && !f->brought.extra->wheel)
		f->brought.extra->wheel = kreg_wheel_alloc();
	return f->must_wheel && !f->brought.extra->wheel ? -ENOMEM : 0;
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
	if (fill_chunks(f) || fill_seg(f, KREG_PREALLOC_CHUNKS) ||
	    fill_extra(f) || fill_seg(f, KREG_PREALLOC_BLOBS) ||
	    fill_seg(f, KREG_PREALLOC_HOLDERS))
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
	unsigned int i;

	add_segment(s, &s->chunks, f, KREG_PREALLOC_CHUNKS);
	if (f->brought.extra && kreg_extra_add(s, f->brought.extra))
		f->brought.extra = NULL;
	if (s->extra) {
		add_segment(s, &s->extra->blobs, f, KREG_PREALLOC_BLOBS);
		add_segment(s, &s->extra->holders, f, KREG_PREALLOC_HOLDERS);
	}
	add_segment(s, &kreg_store_root(s)->dir, f, KREG_PREALLOC_PAGES);
	for (i = 0; i < KREG_PREALLOC_CLASSES; i++)
		if (f->brought.chunk[i] && kreg_arena_add(s, f->brought.chunk[i]))
			f->brought.chunk[i] = NULL;
	kreg_index_add(s, f);
}

/* Turn. What is not needed any more stays in @f. */
void kreg_store_add_prealloc(struct kreg_store *s, struct kreg_prealloc *f)
{
	kreg_store_assert(s);
	if (f->filled)
		add_prealloc(s, f);
	f->must_chunks = 0;
	f->must_handle = false;
	f->must_extra = false;
	f->must_wheel = false;
	f->want_index = false;
	memset(f->want_seg, 0, sizeof(f->want_seg));
}

/* Not under the turn. */
void kreg_prealloc_empty(struct kreg_prealloc *f)
{
	unsigned int i;

	for (i = 0; i < KREG_PREALLOC_CLASSES; i++)
		if (f->brought.chunk[i])
			kreg_chunk_free(f->brought.chunk[i]);
	kreg_extra_free(f->brought.extra);
	kreg_pages_free(f->brought.pages, f->brought.order);
	for (i = 0; i < KREG_PREALLOC_ARRAYS; i++)
		kreg_array_seg_free(f->brought.seg[i], f->brought.seg_no[i]);
	kreg_prealloc_init(f);
}
