/* SPDX-License-Identifier: GPL-2.0 */
/* Slots for records: chunks, their size classes, and how a slot is taken and given back. */
#ifndef KREG_STORE_ARENA_H
#define KREG_STORE_ARENA_H

#include <linux/bug.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/types.h>

#include "store/internal.h"

/*
 * Nobody may look at a free slot, from its third word on. A build that can watch single
 * bytes has hooks of its own (selftests/store); a debug build fills free slots with a
 * pattern, and looks whether it is still there when they are taken.
 */
#define KREG_SLOT_OPEN		8	/* bytes of link and limbo */

#ifndef kreg_slot_poison
#ifdef KREG_DEBUG
/* Any. */
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
 * struct kreg_chunk - memory with slots of one size
 * @list: in a list of its class, the store or a cleared root
 * @free_node: in the reaper's list, then
 * @base: the memory
 * @number: upper part of the references into it
 * @free: first free slot that was used before, linked through limbo; or 0
 * @fresh: first slot that never was, in units
 * @end: where slots end, in units
 * @used: slots that are linked, in limbo or reserved
 * @reserved: slots set aside
 * @survivors: slots linked or in limbo, of a chunk older than the last clear
 * @class: size class of the slots
 * @order: pieces of 1 KiB, log2
 * @mapped: its pages come from vmalloc
 * @round: that of kreg_thin in which it was looked at
 * @epoch: clears before it
 * @touched: the epoch of the store that @survivors is for; if that is over, it means 0
 * @seen: kreg_store_verify() has found so many slots linked or in limbo
 *
 * The second half of the fields has a meaning of its own once the store has been
 * cleared: see root.c.
 */
struct kreg_chunk {
	union {
		struct list_head list;
		struct llist_node free_node;
	};
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
	bool mapped;
	u8 round;
	u64 epoch;
	u64 touched;
#ifdef KREG_DEBUG
	u32 seen;
#endif
};

/* Any. The bytes of a chunk of @order. */
static inline size_t kreg_chunk_bytes(unsigned int order)
{
	return 1ul << KREG_PIECE_SHIFT << order;
}

/* Turn. That of the next chunk of @class. */
unsigned int kreg_arena_order(const struct kreg_store *s, unsigned int class);
/* Any. The least of a chunk of @class but the first. */
unsigned int kreg_arena_least_order(unsigned int class);
/* Any. The bytes of a chunk with its slots. */
size_t kreg_arena_chunk_memory(unsigned int order);
/* Turn. Whether chunks had better be @whole, since their numbers come to an end. */
bool kreg_arena_is_scarce(const struct kreg_store *s);
/* Sleeps. Fewer pages, if there are no more that are contiguous, and it need not be @whole. */
struct kreg_chunk *kreg_chunk_alloc(unsigned int class, unsigned int order, bool whole);
/* Sleeps: no slot of @chunk is used. Any, but for one that comes from vmalloc. */
void kreg_chunk_free(struct kreg_chunk *chunk);
/* Turn. */
bool kreg_arena_add(struct kreg_store *s, struct kreg_chunk *chunk);
void kreg_arena_remove(struct kreg_store *s, struct kreg_chunk *chunk);
struct kreg_rec *kreg_arena_take(struct kreg_store *s, unsigned int class, bool reserve,
				 u32 *ref);
void kreg_arena_survive(struct kreg_store *s, struct kreg_chunk *chunk);
unsigned int kreg_arena_give(struct kreg_store *s, struct kreg_chunk *chunk, struct kreg_rec *r,
			     u32 ref);
void kreg_arena_unreserve(struct kreg_store *s, u32 ref);
/* Turn. @chunk, which has free slots, gives none any more; gives them again. */
void kreg_arena_drain(struct kreg_store *s, struct kreg_chunk *chunk);
void kreg_arena_undrain(struct kreg_store *s, struct kreg_chunk *chunk);

/* Steps of upkeep: as many as pieces of 256 bytes are wiped; and to free a chunk's pages. */
#define KREG_STEP_SHIFT		8
#define KREG_CHUNK_COST		8

/* Size classes: 48, 64 .. 128 bytes, then four to a doubling. */
#define KREG_SMALL_CLASSES	6
#define KREG_SMALL_SHIFT	7

/* Any. The class of slots for @bytes and more. */
static inline unsigned int kreg_arena_class(size_t bytes)
{
	unsigned int last = bytes - 1, top;

	if (last < 1u << KREG_SMALL_SHIFT)
		return (last >> KREG_UNIT_SHIFT) - 2;
	top = __builtin_clz(last) ^ 31;
	return KREG_SMALL_CLASSES + (top - KREG_SMALL_SHIFT) * 4 +
	       ((last ^ (1u << top)) >> (top - 2));
}

/* Any. The bytes of a slot. */
static inline unsigned int kreg_arena_size(unsigned int class)
{
	unsigned int top;

	if (class < KREG_SMALL_CLASSES)
		return (class + 3) << KREG_UNIT_SHIFT;
	class -= KREG_SMALL_CLASSES;
	top = KREG_SMALL_SHIFT + class / 4;
	return (1u << top) + ((class % 4 + 1) << (top - 2));
}

/* Any. The bytes of a record with a key of @key_len and a value of @value_len, or a blob. */
static inline size_t kreg_rec_size(u32 key_len, u32 value_len, bool blob)
{
	if (blob)
		return sizeof(struct kreg_rec) + ALIGN(key_len, 4) + sizeof(struct kreg_rec_blob);
	return sizeof(struct kreg_rec) + key_len + value_len;
}

/* Any. The same with a bond. */
static inline size_t kreg_rec_size_bound(u32 key_len, u32 value_len, bool blob)
{
	return ALIGN(kreg_rec_size(key_len, value_len, blob), 4) + sizeof(struct kreg_rec_bond);
}

/* Any. The same with an expiry, which has more for what expires when it is @idle. */
static inline size_t kreg_rec_size_timed(u32 key_len, u32 value_len, bool blob, bool idle)
{
	return ALIGN(kreg_rec_size(key_len, value_len, blob), 8) +
	       (idle ? sizeof(struct kreg_rec_expiry) : offsetof(struct kreg_rec_expiry, used));
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

#endif /* KREG_STORE_ARENA_H */
