/* SPDX-License-Identifier: GPL-2.0 */
/* Where unlinked records wait: see limbo.c. */
#ifndef KREG_STORE_LIMBO_H
#define KREG_STORE_LIMBO_H

#include <linux/types.h>

#include "store/arena.h"
#include "store/internal.h"

/* Turn. */
void kreg_limbo_add_blob(struct kreg_store *s, const struct kreg_rec *r);
/* Turn. A copy of @r was linked in its place a moment ago, and has what it had. */
void kreg_limbo_add_moved(struct kreg_store *s, u32 ref, struct kreg_rec *r);
void kreg_limbo_drop_rare(struct kreg_store *s, const struct kreg_rec *r);
void kreg_limbo_close_open(struct kreg_store *s);
unsigned int kreg_limbo_free(struct kreg_store *s, unsigned int n);
void kreg_limbo_forget(struct kreg_store *s);
/*
 * Turn. Whether to leave those waiting, though it is time, for writers, who take a slot
 * at half the cost of one that was freed before: yes, but of each batch only once.
 */
bool kreg_limbo_keep(struct kreg_store *s);

/* Any. Of a record that has more than key and value. */
size_t kreg_rec_weight_rare(const struct kreg_rec *r);

/* Any. The bytes that are counted for a record in limbo, but for those of its blob. */
static __always_inline size_t kreg_rec_weight(const struct kreg_rec *r)
{
	if (unlikely(r->lens & KREG_REC_RARE))
		return kreg_rec_weight_rare(r);
	return kreg_rec_size(kreg_rec_key_len(r), kreg_rec_inline_len(r), false);
}

/* Turn. @r was unlinked a moment ago. */
static __always_inline void kreg_limbo_add(struct kreg_store *s, u32 ref, struct kreg_rec *r)
{
	bool blob = kreg_rec_has_blob(r);

	kreg_store_assert(s);
	s->limbo.bytes += kreg_rec_weight(r);
	r->limbo = s->limbo.open;
	s->limbo.open = ref;
	if (unlikely(blob))
		kreg_limbo_add_blob(s, r);
}

/* Turn. */
static inline void kreg_limbo_close(struct kreg_store *s)
{
	if (!s->limbo.waiting && s->limbo.open)
		kreg_limbo_close_open(s);
}

/* Turn. The first of those waiting, @r, is in limbo no longer. */
static __always_inline void kreg_limbo_take_first(struct kreg_store *s, struct kreg_rec *r)
{
	bool rare = r->lens & (KREG_REC_BLOB | KREG_REC_BOUND);

	kreg_store_assert(s);
	s->limbo.bytes -= kreg_rec_weight(r);
	s->limbo.waiting = r->limbo;
	if (unlikely(rare))
		kreg_limbo_drop_rare(s, r);
}

/*
 * Turn. The first slot of those waiting, if it is time and a slot of @class; else NULL.
 * As from kreg_limbo_free() and kreg_arena_take(), but the old record is still in it.
 * Only upkeep finds out that it is time, and not while a write is under way: what that
 * has unlinked, it may still look at.
 */
static __always_inline struct kreg_rec *kreg_limbo_take(struct kreg_store *s,
							unsigned int class, bool reserve, u32 *ref)
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

#endif /* KREG_STORE_LIMBO_H */
