// SPDX-License-Identifier: GPL-2.0
/*
 * Growable arrays of pointers. Readers index them without a lock, so an entry
 * never moves: growth adds a segment as big as all before it together.
 */
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "store/gfp.h"
#include "store/internal.h"

static u32 array_room(const struct kreg_array *d)
{
	return kreg_array_seg_entries(d->segs) - kreg_array_seg_entries(0);
}

/* @d is zeroed. An entry is @stride pointers; the first @used are never taken. */
void kreg_array_init(struct kreg_array *d, u32 used, u8 stride, u8 limit)
{
	d->used = used;
	d->stride = stride;
	d->limit = limit;
}

/* 0: there is an entry to take; KREG_ARRAY_FULL; or the segment to add, plus 1. */
u8 kreg_array_wants(const struct kreg_array *d)
{
	if (d->free || d->used < array_room(d))
		return 0;
	return d->segs == d->limit ? KREG_ARRAY_FULL : d->segs + 1;
}

/* Of all that there may ever be. */
bool kreg_array_is_half_used(const struct kreg_array *d)
{
	return d->used > kreg_array_seg_entries(d->limit) / 2;
}

/* Only if kreg_array_wants() says 0. */
u32 kreg_array_take(struct kreg_array *d)
{
	u32 i = d->free;

	if (i) {
		d->free = (unsigned long)*kreg_array_at(d, i - 1);
		return i - 1;
	}
	i = d->used;
	d->used += d->stride;
	return i;
}

/* No reader is left who could want entry @i. It holds the number of the next free one. */
void kreg_array_give(struct kreg_array *d, u32 i)
{
	*kreg_array_at(d, i) = (void *)(unsigned long)d->free;
	d->free = i + 1;
}

/* False if @seg is not the segment that comes next. */
bool kreg_array_add(struct kreg_array *d, void **seg, unsigned int no)
{
	if (no != d->segs || !kreg_array_wants(d))
		return false;
	/* Published with the first link that leads through it. */
	WRITE_ONCE(d->seg[no], seg);
	WRITE_ONCE(d->segs, d->segs + 1);
	return true;
}

size_t kreg_array_memory(const struct kreg_array *d)
{
	return array_room(d) * sizeof(void *);
}

/* Any. The bytes of segment @no. */
size_t kreg_array_seg_size(unsigned int no)
{
	return kreg_array_seg_entries(no) * sizeof(void *);
}

/* Zeroed; NULL if there is no memory. */
void **kreg_array_seg_alloc(unsigned int no)
{
	size_t size = kreg_array_seg_size(no);
	void **seg;

	if (size < PAGE_SIZE)
		return kzalloc(size, KREG_GFP_USER);
	seg = kreg_pages_alloc(get_order(size), KREG_GFP_TRY | __GFP_ZERO);
	return seg ?: __vmalloc(size, KREG_GFP_USER | __GFP_ZERO);
}

/* May sleep. @seg may be NULL. */
void kreg_array_seg_free(void **seg, unsigned int no)
{
	if (is_vmalloc_addr(seg))
		vfree(seg);
	else if (kreg_array_seg_size(no) < PAGE_SIZE)
		kfree(seg);
	else
		kreg_pages_free(seg, get_order(kreg_array_seg_size(no)));
}

/* May sleep. */
void kreg_array_free(struct kreg_array *d)
{
	while (d->segs) {
		d->segs--;
		kreg_array_seg_free(d->seg[d->segs], d->segs);
	}
}
