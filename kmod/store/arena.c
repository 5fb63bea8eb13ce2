// SPDX-License-Identifier: GPL-2.0
/*
 * Slots for records.
 *
 * DOC: Chunks
 *
 * A chunk is one to sixteen contiguous pages, cut into slots of one size class.
 * Classes are 16 bytes apart up to 128, then four to a doubling up to 16 KiB, so
 * that no record above 128 bytes loses more than a quarter. The second chunk of a
 * class is the fewest pages of which its slots leave at most a quarter, most often
 * one; later ones grow with the memory that the class has, so that the slack of
 * the last one stays a fraction of it, and are as small again where memory is
 * too fragmented; but when half of the numbers of chunks are used, which is from 1 GiB on, they get
 * all their pages, from vmalloc if need be, since the numbers would come to an end before memory.
 * The first chunk is a part of a page, where so much of that is used: most tables are small.
 *
 * A slot is free, reserved, linked or in limbo. Free ones are all zeroes but for
 * the limbo word, which links them. A slot comes back from limbo, after its grace
 * period; hence a chunk whose slots are all free can be freed at once.
 */
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "store/arena.h"
#include "store/gfp.h"
#include "store/internal.h"

/* The order of a chunk of one page, and of the largest. */
#define PAGE_ORDER		(PAGE_SHIFT - KREG_PIECE_SHIFT)
#define MAX_ORDER_CHUNK		(KREG_CHUNK_SHIFT + KREG_UNIT_SHIFT - KREG_PIECE_SHIFT)
#define SHORT		128	/* bytes; above, memset() is faster */

/* From @order on; at most a quarter of a chunk may be lost at its end. */
static unsigned int fitting_order(unsigned int class, unsigned int order)
{
	while (kreg_chunk_bytes(order) % kreg_arena_size(class) > kreg_chunk_bytes(order) >> 2)
		order++;
	return order;
}

unsigned int kreg_arena_least_order(unsigned int class)
{
	return fitting_order(class, PAGE_ORDER);
}

/* A quarter to half of what the class has. */
unsigned int kreg_arena_order(const struct kreg_store *s, unsigned int class)
{
	unsigned int pieces = s->classes[class].pieces, order = PAGE_ORDER;

	if (!pieces)
		return fitting_order(class, 0);
	while (order < MAX_ORDER_CHUNK && 4u << order <= pieces)
		order++;
	return max(order, kreg_arena_least_order(class));
}

/* Whether it had better have as many pages as it should. */
bool kreg_arena_is_scarce(const struct kreg_store *s)
{
	return kreg_array_is_half_used(&s->chunks);
}

static void *alloc_mapped(unsigned int order)
{
	return __vmalloc(kreg_chunk_bytes(order), KREG_GFP_USER | __GFP_ZERO);
}

static void *alloc_pieces(unsigned int order, gfp_t gfp)
{
	if (order < PAGE_ORDER)
		return kzalloc(kreg_chunk_bytes(order), gfp);
	return kreg_pages_alloc(order - PAGE_ORDER, gfp | __GFP_ZERO);
}

static void free_pieces(void *base, unsigned int order)
{
	if (order < PAGE_ORDER)
		kfree(base);
	else
		kreg_pages_free(base, order - PAGE_ORDER);
}

struct kreg_chunk *kreg_chunk_alloc(unsigned int class, unsigned int order, bool whole)
{
	unsigned int least = kreg_arena_least_order(class);
	struct kreg_chunk *chunk = kzalloc(sizeof(*chunk), KREG_GFP_USER);
	unsigned int units = kreg_arena_size(class) >> KREG_UNIT_SHIFT;

	if (!chunk)
		return NULL;
	for (; order > least; order--) {
		chunk->base = alloc_pieces(order, KREG_GFP_TRY);
		if (!chunk->base && whole) {
			chunk->base = alloc_mapped(order);
			chunk->mapped = chunk->base;
		}
		if (chunk->base)
			break;
	}
	if (!chunk->base)
		chunk->base = alloc_pieces(order, KREG_GFP_USER);
	if (!chunk->base) {
		kfree(chunk);
		return NULL;
	}
	atomic_long_add(1L << order, &kreg_arena_pieces);
	chunk->class = class;
	chunk->order = order;
	chunk->end = (kreg_chunk_bytes(order) >> KREG_UNIT_SHIFT) / units * units;
	kreg_slots_poison(chunk->base, units << KREG_UNIT_SHIFT, kreg_chunk_bytes(order));
	return chunk;
}

void kreg_chunk_free(struct kreg_chunk *chunk)
{
	kreg_slots_unpoison(chunk->base, kreg_chunk_bytes(chunk->order));
	if (chunk->mapped)
		vfree(chunk->base);
	else
		free_pieces(chunk->base, chunk->order);
	atomic_long_sub(1L << chunk->order, &kreg_arena_pieces);
	kfree(chunk);
}

size_t kreg_arena_chunk_memory(unsigned int order)
{
	return sizeof(struct kreg_chunk) + kreg_chunk_bytes(order);
}

/* False if it is not needed, or there is no number for it. */
bool kreg_arena_add(struct kreg_store *s, struct kreg_chunk *chunk)
{
	struct kreg_class *class = &s->classes[chunk->class];
	void **entry;
	u32 i;

	if (!list_empty(&class->partial) || kreg_array_wants(&s->chunks))
		return false;
	i = kreg_array_take(&s->chunks);
	entry = kreg_array_at(&s->chunks, i);
	WRITE_ONCE(entry[0], chunk->base);
	entry[1] = chunk;
	chunk->number = i >> 1;
	chunk->epoch = s->epoch;
	list_add_tail(&chunk->list, &class->partial);
	class->pieces += 1u << chunk->order;
	class->idle++;
	s->memory += kreg_arena_chunk_memory(chunk->order);
	return true;
}

/* No slot of @chunk is used, or all that could see the used ones have gone. */
void kreg_arena_remove(struct kreg_store *s, struct kreg_chunk *chunk)
{
	list_del(&chunk->list);
	kreg_array_give(&s->chunks, chunk->number << 1);
	s->memory -= kreg_arena_chunk_memory(chunk->order);
	if (likely(!chunk->mapped))
		kreg_chunk_free(chunk);
	else if (llist_add(&chunk->free_node, &s->dead_chunks))
		queue_work(system_unbound_wq, &s->reaper);
}

/* The first slot that was used before and is free, else one that never was used. */
static __always_inline struct kreg_rec *take_first_free(struct kreg_chunk *chunk, unsigned int size,
							u32 *ref)
{
	struct kreg_rec *r;

	*ref = chunk->free;
	if (*ref) {
		r = kreg_chunk_rec(chunk, *ref);
		kreg_slot_unpoison(r, size);
		chunk->free = r->limbo;
		r->limbo = 0;
	} else {
		*ref = chunk->number << KREG_CHUNK_SHIFT | chunk->fresh;
		r = kreg_chunk_rec(chunk, *ref);
		kreg_slot_unpoison(r, size);
		chunk->fresh += size >> KREG_UNIT_SHIFT;
	}
	kreg_debug_warn(memchr_inv(r, 0, size));
	return r;
}

/* Apart, so that most calls do with less of the stack. */
static noinline void move_to_full(struct kreg_store *s, struct kreg_chunk *chunk)
{
	list_move(&chunk->list, &s->full);
}

void kreg_arena_drain(struct kreg_store *s, struct kreg_chunk *chunk)
{
	kreg_store_assert(s);
	list_move_tail(&chunk->list, &s->thin.drained);
}

/* It comes last, but for the empty one. */
void kreg_arena_undrain(struct kreg_store *s, struct kreg_chunk *chunk)
{
	struct kreg_class *cl = &s->classes[chunk->class];

	kreg_store_assert(s);
	if (s->thin.chunk == chunk)
		s->thin.chunk = NULL;
	list_move_tail(&chunk->list, cl->idle ? cl->partial.prev : &cl->partial);
}

/* How many chunks are looked at for one of the class. */
#define LOOKS	32

/* The class has no slot: a chunk that was to be emptied gives some, if one is at hand. */
static noinline struct kreg_chunk *take_drained(struct kreg_store *s, unsigned int class)
{
	struct kreg_chunk *chunk;
	unsigned int n = 0;

	list_for_each_entry(chunk, &s->thin.drained, list) {
		if (chunk->class == class) {
			kreg_arena_undrain(s, chunk);
			return chunk;
		}
		if (++n == LOOKS)
			break;
	}
	return NULL;
}

/*
 * Turn. A zeroed slot, to be linked or, with @reserve, for later; NULL if the class has
 * none.
 */
struct kreg_rec *kreg_arena_take(struct kreg_store *s, unsigned int class, bool reserve,
				 u32 *ref)
{
	struct kreg_class *cl = &s->classes[class];
	struct kreg_chunk *chunk;
	struct kreg_rec *r;

	kreg_store_assert(s);
	chunk = list_first_entry_or_null(&cl->partial, struct kreg_chunk, list);
	if (unlikely(!chunk)) {
		chunk = take_drained(s, class);
		if (!chunk)
			return NULL;
	}
	r = take_first_free(chunk, kreg_arena_size(class), ref);
	if (!chunk->used++)
		cl->idle--;
	kreg_chunk_reserve(s, chunk, reserve);
	if (!chunk->free && chunk->fresh == chunk->end)
		move_to_full(s, chunk);
	return r;
}

/* Turn. A slot of @chunk, which is older than the last clear, is about to be linked. */
void kreg_arena_survive(struct kreg_store *s, struct kreg_chunk *chunk)
{
	kreg_store_assert(s);
	if (chunk->touched != s->epoch) {
		chunk->touched = s->epoch;
		chunk->survivors = 0;
	}
	chunk->survivors++;
}

static unsigned int drop_chunk(struct kreg_store *s, struct kreg_chunk *chunk)
{
	s->classes[chunk->class].pieces -= 1u << chunk->order;
	kreg_arena_remove(s, chunk);
	return KREG_CHUNK_COST;
}

/*
 * One empty chunk a class is kept, the smaller one of two, and last in the list
 * so that it has a chance to stay empty; the only one of its class only if it is at most a page.
 * Returns the steps of upkeep that it takes to free the others.
 */
static unsigned int keep_one_idle(struct kreg_store *s, struct kreg_chunk *chunk)
{
	unsigned int cost = 0;
	struct kreg_class *cl = &s->classes[chunk->class];
	struct kreg_chunk *last = list_last_entry(&cl->partial,
						  struct kreg_chunk, list);

	if (!cl->idle) {
		cl->idle = 1;
	} else if (chunk->order < last->order) {
		cost = drop_chunk(s, last);
	} else {
		cost = drop_chunk(s, chunk);
		chunk = last;
	}
	if (chunk->order > PAGE_ORDER && cl->pieces == 1u << chunk->order) {
		cl->idle = 0;
		return cost + drop_chunk(s, chunk);
	}
	list_move_tail(&chunk->list, &cl->partial);
	return cost;
}

/* A slot of a chunk older than the last clear: nothing is taken there again. */
static noinline unsigned int leave_old_chunk(struct kreg_store *s, struct kreg_chunk *chunk)
{
	bool empty = !chunk->survivors || chunk->touched != s->epoch;

	if (!empty || chunk->reserved || kreg_store_has_cleared(s))
		return 1;
	kreg_arena_remove(s, chunk);
	return KREG_CHUNK_COST;
}

static __always_inline u64 *wipe_unit(u64 *word)
{
	/* Else the compiler makes a memset() of it. */
	WRITE_ONCE(word[0], 0);
	WRITE_ONCE(word[1], 0);
	return word + 2;
}

/* Slots are whole units, and most are short: less than a call of memset(). */
static __always_inline void wipe_short(struct kreg_rec *r, unsigned int size)
{
	u64 *word = (u64 *)r, *end = (void *)r + size;

	if (size & (1u << KREG_UNIT_SHIFT))
		word = wipe_unit(word);
	while (word != end)
		word = wipe_unit(wipe_unit(word));
}

/* @chunk was full before, or it is empty now, or both. Returns steps of upkeep. */
static noinline unsigned int relist_chunk(struct kreg_store *s, struct kreg_chunk *chunk,
					  bool full)
{
	if (full)
		list_move(&chunk->list, &s->classes[chunk->class].partial);
	else if (s->thin.chunk == chunk)
		s->thin.chunk = NULL;
	return 1 + (chunk->used ? 0 : keep_one_idle(s, chunk));
}

/* Returns steps of upkeep. */
static __always_inline unsigned int
add_free_slot(struct kreg_store *s, struct kreg_chunk *chunk, struct kreg_rec *r, u32 ref)
{
	bool full = !chunk->free && chunk->fresh == chunk->end;

	r->limbo = chunk->free;
	chunk->free = ref;
	kreg_slot_poison(r, kreg_arena_size(chunk->class));
	if (unlikely(!--chunk->used || full))
		return relist_chunk(s, chunk, full);
	return 1;
}

static noinline unsigned int give_long_slot(struct kreg_store *s, struct kreg_chunk *chunk,
					    struct kreg_rec *r, u32 ref)
{
	unsigned int size = kreg_arena_size(chunk->class);

	memset(r, 0, size);
	return (size >> KREG_STEP_SHIFT) + add_free_slot(s, chunk, r, ref);
}

/* Returns how many steps of upkeep that is. */
static __always_inline unsigned int give_slot(struct kreg_store *s, struct kreg_chunk *chunk,
					      struct kreg_rec *r, u32 ref)
{
	unsigned int size = kreg_arena_size(chunk->class);

	if (unlikely(size > SHORT))
		return give_long_slot(s, chunk, r, ref);
	wipe_short(r, size);
	return add_free_slot(s, chunk, r, ref);
}

/*
 * Turn. The slot @ref of @chunk, @r, has been in limbo for long enough. Returns how many
 * steps of upkeep that is.
 */
unsigned int kreg_arena_give(struct kreg_store *s, struct kreg_chunk *chunk, struct kreg_rec *r,
			     u32 ref)
{
	kreg_store_assert(s);
	if (likely(chunk->epoch == s->epoch))
		return give_slot(s, chunk, r, ref);
	chunk->survivors--;
	return leave_old_chunk(s, chunk);
}

/* Turn. The slot @ref is reserved and not wanted. */
void kreg_arena_unreserve(struct kreg_store *s, u32 ref)
{
	struct kreg_chunk *chunk = kreg_arena_chunk(s, ref);

	kreg_store_assert(s);
	s->reserved--;
	chunk->reserved--;
	if (chunk->epoch == s->epoch)
		give_slot(s, chunk, kreg_chunk_rec(chunk, ref), ref);
	else
		leave_old_chunk(s, chunk);
}
