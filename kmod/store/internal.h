/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Inside the storage engine: what its files share. store.h is for the others.
 *
 * Layers, each calling only those before it: pages, dir, blob and arena (memory), limbo,
 * index, root; prealloc, reserve, txn and walk use them; store has the rest.
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

#include "store/store.h"
#include "store/reader.h"

/*
 * What nobody may look at: slots that are free, from their third word on. A build
 * that can watch single bytes has hooks of its own (selftests/store); a debug
 * build fills them with a pattern and looks whether it is still there.
 */
#define KREG_SLOT_OPEN		8	/* bytes of link and limbo */

#ifndef kreg_slot_poison
#ifdef KREG_DEBUG
void kreg_slot_poison(void *slot, size_t size);
void kreg_slot_unpoison(void *slot, size_t size);
void kreg_slots_poison(void *base, size_t size, size_t bytes);
#else
static inline void kreg_slot_poison(void *slot, size_t size)
{
}

static inline void kreg_slot_unpoison(void *slot, size_t size)
{
}

static inline void kreg_slots_poison(void *base, size_t size, size_t bytes)
{
}
#endif

static inline void kreg_slots_unpoison(void *base, size_t bytes)
{
}
#endif

/**
 * struct kreg_chunk - pages with slots of one size
 * @list: in a list of its class, the store or a cleared root
 * @base: the pages
 * @number: upper part of the references into it
 * @free: first free slot that was used before, linked through limbo; or 0
 * @fresh: first slot that never was, in units
 * @end: where slots end, in units
 * @used: slots that are linked, in limbo or reserved
 * @reserved: slots set aside
 * @survivors: slots linked or in limbo, of a chunk older than the last clear
 * @class: size class of the slots
 * @order: pages, log2
 * @epoch: clears before it
 * @touched: clears before the first of @survivors; else they are of no account
 * @seen: kreg_store_verify() has found so many slots linked or in limbo
 *
 * The second half of the fields has a meaning of its own once the store has been
 * cleared: see root.c.
 */
struct kreg_chunk {
	struct list_head list;
	void *base;
	u32 number;
	u32 free;
	u16 fresh;
	u16 end;
	u16 used;
	u16 reserved;
	u16 survivors;
	u8 class;
	u8 order;
	u64 epoch;
	u64 touched;
#ifdef KREG_DEBUG
	u32 seen;
#endif
};

/**
 * struct kreg_blob - value of a record that has no room for it
 * @refs: one is the record's, until its slot leaves limbo
 * @len: bytes in @bytes
 * @handle: entry in blobs of the store's extra
 * @list: in held_blobs or blob_list of the store's extra, or blobs of a cleared root
 * @junk: in the reaper's list
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

/* pages.c */
void *kreg_pages_alloc(unsigned int order, gfp_t gfp);
void kreg_pages_free(void *pages, unsigned int order);

/* array.c */
void kreg_array_init(struct kreg_array *d, u32 used, u8 stride, u8 limit);
u32 kreg_array_take(struct kreg_array *d);
void kreg_array_give(struct kreg_array *d, u32 i);
u8 kreg_array_wants(const struct kreg_array *d);
bool kreg_array_add(struct kreg_array *d, void **seg, unsigned int no);
size_t kreg_array_memory(const struct kreg_array *d);
void kreg_array_free(struct kreg_array *d);
void **kreg_array_seg_alloc(unsigned int no);
void kreg_array_seg_free(void **seg, unsigned int no);

#define KREG_ARRAY_FULL		0xff

/* blob.c */
u8 kreg_blob_wants(const struct kreg_store *s);
u32 kreg_blob_attach(struct kreg_store *s, struct kreg_blob *b);
void kreg_blob_put_later(struct kreg_store *s, struct kreg_blob *b);
void kreg_blob_detach(struct kreg_store *s, struct kreg_blob *b);
size_t kreg_blob_memory(const struct kreg_blob *b);
void kreg_blob_free(struct kreg_blob *b);

/* extra.c */
struct kreg_extra *kreg_extra_alloc(void);
bool kreg_extra_add(struct kreg_store *s, struct kreg_extra *extra);
size_t kreg_extra_memory(const struct kreg_extra *extra);
void kreg_extra_free(struct kreg_extra *extra);

/* arena.c */
extern atomic_long_t kreg_arena_pages;	/* of chunks and blobs, in all stores */
unsigned int kreg_arena_order(const struct kreg_store *s, unsigned int class);
struct kreg_chunk *kreg_chunk_alloc(unsigned int class, unsigned int order);
void kreg_chunk_free(struct kreg_chunk *chunk);
bool kreg_arena_add(struct kreg_store *s, struct kreg_chunk *chunk);
void kreg_arena_remove(struct kreg_store *s, struct kreg_chunk *chunk);
struct kreg_rec *kreg_arena_take(struct kreg_store *s, unsigned int class, bool reserve,
				 u32 *ref);
void kreg_arena_survive(struct kreg_store *s, struct kreg_chunk *chunk);
unsigned int kreg_arena_give(struct kreg_store *s, struct kreg_chunk *chunk, struct kreg_rec *r,
			     u32 ref);
void kreg_arena_unreserve(struct kreg_store *s, u32 ref);

/* Size classes: 48, 64 .. 128 bytes, then four to a doubling. */
#define KREG_SMALL_CLASSES	6
#define KREG_SMALL_SHIFT	7

/* For at least @bytes. */
static inline unsigned int kreg_arena_class(size_t bytes)
{
	unsigned int last = bytes - 1, top;

	if (last < 1u << KREG_SMALL_SHIFT)
		return (last >> KREG_UNIT_SHIFT) - 2;
	top = __builtin_clz(last) ^ 31;
	return KREG_SMALL_CLASSES + (top - KREG_SMALL_SHIFT) * 4 +
	       ((last ^ (1u << top)) >> (top - 2));
}

static inline unsigned int kreg_arena_size(unsigned int class)
{
	unsigned int top;

	if (class < KREG_SMALL_CLASSES)
		return (class + 3) << KREG_UNIT_SHIFT;
	class -= KREG_SMALL_CLASSES;
	top = KREG_SMALL_SHIFT + class / 4;
	return (1u << top) + ((class % 4 + 1) << (top - 2));
}

/* The bytes of a record with a key of @key_len and a value of @value_len, or a blob. */
static inline size_t kreg_rec_size(u32 key_len, u32 value_len, bool blob)
{
	if (blob)
		return sizeof(struct kreg_rec) + ALIGN(key_len, 4) + sizeof(struct kreg_rec_blob);
	return sizeof(struct kreg_rec) + key_len + value_len;
}

/* Turn. */
static inline struct kreg_chunk *kreg_arena_chunk(const struct kreg_store *s,
						  u32 ref)
{
	return kreg_array_at(&s->chunks, ref >> KREG_CHUNK_SHIFT << 1)[1];
}

/* Turn. The slot @ref, reserved so far, is about to be linked. */
static inline void kreg_arena_use(struct kreg_store *s, u32 ref)
{
	struct kreg_chunk *chunk = kreg_arena_chunk(s, ref);

	kreg_store_assert(s);
	s->reserved--;
	chunk->reserved--;
	if (unlikely(chunk->epoch != s->epoch))
		kreg_arena_survive(s, chunk);
}

static inline struct kreg_rec *kreg_chunk_rec(const struct kreg_chunk *chunk, u32 ref)
{
	return chunk->base + ((ref & KREG_CHUNK_MASK) << KREG_UNIT_SHIFT);
}

/* Turn. A slot of @chunk was taken: to be set aside, or not. */
static inline void kreg_chunk_reserve(struct kreg_store *s, struct kreg_chunk *chunk, bool reserve)
{
	kreg_store_assert(s);
	chunk->reserved += reserve;
	s->reserved += reserve;
}

/* limbo.c */
void kreg_limbo_add_blob(struct kreg_store *s, const struct kreg_rec *r);
void kreg_limbo_drop_blob(struct kreg_store *s, const struct kreg_rec *r);
void kreg_limbo_close_open(struct kreg_store *s);
unsigned int kreg_limbo_free(struct kreg_store *s, unsigned int n);
void kreg_limbo_forget(struct kreg_store *s);
/*
 * Turn. Whether to spare those waiting, though it is time, for writers, who take a slot
 * at half the cost of one that was freed before: yes, but of each batch only once.
 */
bool kreg_limbo_keep(struct kreg_store *s);

/* What is counted for a record in limbo, but for its blob. */
static inline size_t kreg_rec_weight(const struct kreg_rec *r)
{
	return kreg_rec_size(kreg_rec_key_len(r), kreg_rec_inline_len(r), kreg_rec_has_blob(r));
}

/* Turn. @r was unlinked a moment ago. */
static inline void kreg_limbo_add(struct kreg_store *s, u32 ref, struct kreg_rec *r)
{
	bool blob = kreg_rec_has_blob(r);

	kreg_store_assert(s);
	s->limbo.bytes += kreg_rec_weight(r);
	r->limbo = s->limbo.open;
	s->limbo.open = ref;
	if (unlikely(blob))
		kreg_limbo_add_blob(s, r);
}

static inline void kreg_limbo_close(struct kreg_store *s)
{
	if (!s->limbo.waiting && s->limbo.open)
		kreg_limbo_close_open(s);
}

/* Turn. The first of those waiting, @r, is in limbo no longer. */
static inline void kreg_limbo_take_first(struct kreg_store *s, struct kreg_rec *r)
{
	bool blob = kreg_rec_has_blob(r);

	kreg_store_assert(s);
	s->limbo.bytes -= kreg_rec_weight(r);
	s->limbo.waiting = r->limbo;
	if (unlikely(blob))
		kreg_limbo_drop_blob(s, r);
}

/*
 * Turn. The first slot of those waiting, if it is time and a slot of @class; else NULL.
 * As from kreg_limbo_free() and kreg_arena_take(), but the old record is still in it.
 * Only upkeep finds out that it is time, and not while a write is under way: what that
 * has unlinked, it may still look at.
 */
static inline struct kreg_rec *kreg_limbo_take(struct kreg_store *s, unsigned int class,
					       bool reserve, u32 *ref)
{
	struct kreg_chunk *chunk;
	struct kreg_rec *r;
	u32 first = s->limbo.waiting;

	kreg_store_assert(s);
	if (!first || !s->limbo.ripe)
		return NULL;
	chunk = kreg_arena_chunk(s, first);
	if (chunk->class != class || chunk->epoch != s->epoch)
		return NULL;
	*ref = first;
	r = kreg_chunk_rec(chunk, first);
	kreg_limbo_take_first(s, r);
	kreg_chunk_reserve(s, chunk, reserve);
	s->recycled++;
	kreg_limbo_close(s);
	return r;
}

/*
 * Turn. Memory that readers could reach before the last expired grace period is
 * about to be touched. Kernel readers are kept safe by the grace period alone;
 * for mapped ones G goes up first.
 */
static inline void kreg_limbo_reuse(struct kreg_store *s)
{
	kreg_store_assert(s);
	/* Pair 6, with their load of G before C and the roots. */
	smp_store_release(&s->reuse, s->reuse + 1);
	/* Pair 7, with their read barrier and load of G at the end. */
	smp_wmb();
}

/* index.c: pages that come one at a time, 8 + 16 + 32, so that no span is in two segments */
#ifndef KREG_INDEX_SINGLES
#define KREG_INDEX_SINGLES	56
#endif
#define KREG_SPAN_ORDER		4

/* Where the last span ends, or the first will begin. */
static inline u32 kreg_index_spanned(const struct kreg_root *root)
{
	return KREG_INDEX_SINGLES + (root->spans << KREG_SPAN_ORDER);
}

bool kreg_index_grow(struct kreg_store *s);
bool kreg_index_step(struct kreg_store *s);
void kreg_index_want(const struct kreg_store *s, struct kreg_prealloc *f);
void kreg_index_add(struct kreg_store *s, struct kreg_prealloc *f);
void kreg_index_trim(struct kreg_store *s);
u32 *kreg_index_alloc(unsigned int *order);
u32 *kreg_index_cut(struct kreg_root *root, unsigned int *order);

/* root.c */
void kreg_root_replace(struct kreg_store *s, struct kreg_root *root, u64 born);
void kreg_root_start_grace(struct kreg_store *s);
bool kreg_root_step(struct kreg_store *s);
void kreg_root_reap(struct work_struct *work);
void kreg_root_exit(struct kreg_store *s);

/* prealloc.c */
int kreg_prealloc_want(const struct kreg_store *s, struct kreg_prealloc *f,
		       unsigned int class, bool blob);

/* reserve.c */
int kreg_change_record(struct kreg_store *s, struct kreg_change *c, struct kreg_prealloc *f);

/* Turn, or no other user. */
static inline struct kreg_root *kreg_store_root(const struct kreg_store *s)
{
	return rcu_dereference_protected(s->root, lockdep_is_held(s->turn));
}

#endif /* KREG_STORE_INTERNAL_H */
