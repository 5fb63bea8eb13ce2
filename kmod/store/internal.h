/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Inside the storage engine: what its files share. store.h and write.h are for the others;
 * arena.h, limbo.h and index.h tell of what has more to tell.
 *
 * Layers, each calling only those before it: pages, array, blob, wheel, extra and arena (memory),
 * holder, limbo, index_hash, root; prealloc, reserve, place, txn and walk use them; store has the
 * rest.
 */
#ifndef KREG_STORE_INTERNAL_H
#define KREG_STORE_INTERNAL_H

#include <linux/atomic.h>
#include <linux/bug.h>
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>

#include "store/reader.h"
#include "store/store.h"
#include "store/write.h"

/**
 * struct kreg_blob - value of a record that does not fit a slot with it
 * @refs: one is the record's, until its slot leaves limbo
 * @len: bytes in @bytes
 * @handle: entry in blobs of the store's extra
 * @list: in held_blobs or blob_list of the store's extra, or blobs of a cleared root
 * @free_node: in the reaper's list
 * @bytes: the value
 */
struct kreg_blob {
	refcount_t refs;
	u32 len;
	u32 handle;
	union {
		struct list_head list;
		struct llist_node free_node;
	};
	u8 bytes[];
};

/* Memory of chunks is counted in KiB, which is the least that one has. */
#define KREG_PIECE_SHIFT	10

/* pages.c. Sleeps. */
extern atomic_long_t kreg_arena_pieces;	/* KiB of chunks and blobs, in all stores */
void *kreg_pages_alloc(unsigned int order, gfp_t gfp);
/* Any. */
void kreg_pages_free(void *pages, unsigned int order);

/* array.c. Turn, for the array of a store, but for those that say otherwise. */
void kreg_array_init(struct kreg_array *d, u32 used, u8 stride, u8 limit);
u32 kreg_array_take(struct kreg_array *d);
void kreg_array_give(struct kreg_array *d, u32 i);
u8 kreg_array_wants(const struct kreg_array *d);
bool kreg_array_is_half_used(const struct kreg_array *d);
bool kreg_array_add(struct kreg_array *d, void **seg, unsigned int no);
size_t kreg_array_memory(const struct kreg_array *d);
/* Any. */
size_t kreg_array_seg_size(unsigned int no);
/* Sleeps. */
void kreg_array_free(struct kreg_array *d);
void **kreg_array_seg_alloc(unsigned int no);
void kreg_array_seg_free(void **seg, unsigned int no);

#define KREG_ARRAY_FULL		0xff

/* blob.c. Turn. */
u8 kreg_blob_wants(const struct kreg_store *s);
u32 kreg_blob_attach(struct kreg_store *s, struct kreg_blob *b);
void kreg_blob_put_later(struct kreg_store *s, struct kreg_blob *b);
void kreg_blob_detach(struct kreg_store *s, struct kreg_blob *b);
/* Sleeps. */
void kreg_blob_free(struct kreg_blob *b);

/* holder.c. Turn. */
void kreg_holder_link(struct kreg_store *s, struct kreg_holder *h, struct kreg_rec *r, u32 ref,
		      const struct kreg_rec *old, u32 old_ref);
void kreg_holder_unlink(struct kreg_store *s, struct kreg_rec *r);
void kreg_holder_replace(struct kreg_store *s, const struct kreg_rec *r, u32 ref);
void kreg_holder_drop(struct kreg_store *s, const struct kreg_rec *r);
void kreg_holder_forget(struct kreg_store *s);
bool kreg_holder_step(struct kreg_store *s);

/* wheel.c. Sleeps. NULL. */
struct kreg_wheel *kreg_wheel_alloc(void);
/* Any. */
size_t kreg_wheel_memory(const struct kreg_wheel *w);
/* RCU. Whether @r, which is timed, has expired; else, if it @uses it, it is not idle now. */
bool kreg_expiry_meet(const struct kreg_rec *r, bool uses);
/* Turn. 0, or as kreg_store_reserve() if there is no wheel yet. */
int kreg_wheel_want(const struct kreg_store *s, struct kreg_prealloc *f);
void kreg_wheel_add(struct kreg_store *s, struct kreg_rec *r, u32 ref,
		    const struct kreg_expiry *expiry);
void kreg_wheel_move(struct kreg_store *s, struct kreg_rec *r, u32 ref);
void kreg_wheel_remove(struct kreg_store *s, struct kreg_rec *r);
void kreg_wheel_replace(struct kreg_store *s, const struct kreg_rec *r, u32 ref);
void kreg_wheel_forget(struct kreg_store *s);
u32 kreg_wheel_due(struct kreg_store *s, u64 now);

/* walk.c. RCU. Another walk is to go on behind @r, or before it. */
void kreg_walk_pause(struct kreg_walk *w, const struct kreg_rec *r, struct kreg_hit *hit);

#ifdef KREG_DEBUG
/* verify_wheel.c. Turn. */
bool kreg_verify_wheel(struct kreg_store *s, u64 timed);
/* verify_holder.c. Turn. */
void kreg_verify_clear_holders(struct kreg_store *s);
bool kreg_verify_holders(struct kreg_store *s);
size_t kreg_verify_holder_memory(struct kreg_extra *extra);
#endif

/* extra.c. Sleeps. */
struct kreg_extra *kreg_extra_alloc(void);
/* Turn. */
bool kreg_extra_add(struct kreg_store *s, struct kreg_extra *extra);
size_t kreg_extra_memory(const struct kreg_extra *extra);
/* Sleeps. */
void kreg_extra_free(struct kreg_extra *extra);

/* root.c. Turn. */
void kreg_root_replace(struct kreg_store *s, struct kreg_root *root, u64 born);
void kreg_root_start_grace(struct kreg_store *s);
bool kreg_root_step(struct kreg_store *s);
void kreg_root_pin(struct kreg_store *s, struct kreg_pin *p);
void kreg_root_unpin(struct kreg_store *s);
/* Sleeps. */
void kreg_root_reap(struct work_struct *work);
void kreg_root_exit(struct kreg_store *s);

/* prealloc.c. Turn. */
void kreg_prealloc_want_chunk(const struct kreg_store *s, struct kreg_prealloc *f,
			      unsigned int class);
int kreg_prealloc_want(const struct kreg_store *s, struct kreg_prealloc *f,
		       unsigned int class, bool blob);

/* Turn. Records in the list: what died and is kept for a pin is one, too. */
static inline u64 kreg_store_linked(const struct kreg_store *s)
{
	return s->objects + s->kept;
}

/* Turn. Whether there are roots that a clear has replaced, beside one that is about to go. */
static inline bool kreg_store_has_cleared(const struct kreg_store *s)
{
	return !list_empty(&s->cleared) || (s->extra && !list_empty(&s->extra->pinned));
}

/* Turn. Whether @r lives, or died and stays in the list for a pin, most likely. */
static inline bool kreg_rec_stays(const struct kreg_store *s, const struct kreg_rec *r)
{
	return r->died == KREG_ALIVE ||
	       (unlikely(r->born < s->pinned) && !(r->lens & KREG_REC_MARK));
}

/* Turn. So many bytes more are kept for @p. */
static inline void kreg_pin_weigh(struct kreg_store *s, struct kreg_pin *p, u64 bytes)
{
	p->bytes += bytes;
	if (p->bytes > p->allowed)
		s->due |= KREG_DUE_PINS;
}

/* reserve.c. Turn. */
int kreg_change_record(struct kreg_store *s, struct kreg_change *c, struct kreg_prealloc *f);

/* Turn, or no other user. */
static inline struct kreg_root *kreg_store_root(const struct kreg_store *s)
{
	return rcu_dereference_protected(s->root, lockdep_is_held(s->turn));
}

#endif /* KREG_STORE_INTERNAL_H */
