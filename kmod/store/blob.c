// SPDX-License-Identifier: GPL-2.0
/*
 * Values that have pages of their own. They are counted so that a reader can
 * copy a megabyte after it has left its RCU section.
 */
#include <linux/vmalloc.h>

#include "store/gfp.h"
#include "store/internal.h"

struct kreg_blob *kreg_blob_alloc(u32 len)
{
	struct kreg_blob *b = __vmalloc(sizeof(*b) + len, KREG_GFP_USER | __GFP_ZERO);

	if (!b)
		return NULL;
	refcount_set(&b->refs, 1);
	b->len = len;
	atomic_long_add(kreg_blob_memory(b) >> KREG_PIECE_SHIFT, &kreg_arena_pieces);
	return b;
}

/* Nobody has a reference. May sleep. */
void kreg_blob_free(struct kreg_blob *b)
{
	atomic_long_sub(kreg_blob_memory(b) >> KREG_PIECE_SHIFT, &kreg_arena_pieces);
	vfree(b);
}

void *kreg_blob_bytes(struct kreg_blob *b)
{
	return b->bytes;
}

size_t kreg_blob_memory(const struct kreg_blob *b)
{
	return PAGE_ALIGN(sizeof(*b) + b->len);
}

/*
 * In an RCU section in which a record led here, or with a reference: the
 * record's own is dropped only when its slot leaves limbo, so this is never the
 * first.
 */
void kreg_blob_get(struct kreg_blob *b)
{
	refcount_inc(&b->refs);
}

void kreg_blob_put(struct kreg_blob *b)
{
	if (refcount_dec_and_test(&b->refs))
		kreg_blob_free(b);
}

/* Any. As kreg_blob_put(), for callers who may not sleep. */
void kreg_blob_put_later(struct kreg_store *s, struct kreg_blob *b)
{
	if (!refcount_dec_and_test(&b->refs))
		return;
	if (llist_add(&b->free_node, &s->dead_blobs))
		queue_work(system_unbound_wq, &s->reaper);
}

/* Turn. As kreg_array_wants(), of the handles; the first segment comes with the extra. */
u8 kreg_blob_wants(const struct kreg_store *s)
{
	kreg_store_assert(s);
	return s->extra ? kreg_array_wants(&s->extra->blobs) : 1;
}

/* Turn. Give @b a handle; kreg_blob_wants() has said that there is one. */
u32 kreg_blob_attach(struct kreg_store *s, struct kreg_blob *b)
{
	struct kreg_extra *extra = s->extra;

	kreg_store_assert(s);
	b->handle = kreg_array_take(&extra->blobs);
	WRITE_ONCE(*kreg_array_at(&extra->blobs, b->handle), b);
	list_add(&b->list, &extra->held_blobs);
	s->memory += kreg_blob_memory(b);
	return b->handle;
}

/* Turn. Undo kreg_blob_attach(), and the record's reference with it. */
void kreg_blob_detach(struct kreg_store *s, struct kreg_blob *b)
{
	kreg_store_assert(s);
	list_del(&b->list);
	kreg_array_give(&s->extra->blobs, b->handle);
	s->memory -= kreg_blob_memory(b);
	kreg_blob_put_later(s, b);
}
