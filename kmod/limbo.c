// SPDX-License-Identifier: GPL-2.0
/*
 * Limbo: where unlinked records wait until nobody can be looking at them.
 *
 * There are two batches, both linked through the limbo word. Records join the
 * open one; it is closed, which takes the cookie of a grace period, when the one
 * before it is through. So one cookie is enough for any number of records, and a
 * record waits for two grace periods at most. Then its slot goes back to the chunk,
 * or straight to a new record.
 */
#include "engine.h"

/* Turn. The blob of @r is in limbo, too. */
void kreg_limbo_add_blob(struct kreg_store *s, const struct kreg_rec *r)
{
	s->limbo.bytes += kreg_blob_memory(kreg_blob_of(s, r));
}

/* Turn. All in the open batch are unlinked: the cookie comes after (pair 5). */
void kreg_limbo_close_open(struct kreg_store *s)
{
	struct kreg_limbo *l = &s->limbo;

	l->waiting = l->open;
	l->open = 0;
	l->ripe = false;
	l->spared = false;
	l->cookie = start_poll_synchronize_rcu();
}

static bool is_ripe(struct kreg_store *s)
{
	struct kreg_limbo *l = &s->limbo;

	if (l->ripe)
		return true;
	if (!poll_state_synchronize_rcu(l->cookie))
		return false;
	kreg_limbo_reuse(s);
	l->ripe = true;
	return true;
}

bool kreg_limbo_spare(struct kreg_store *s)
{
	struct kreg_limbo *l = &s->limbo;

	if (l->spared || !l->waiting || !is_ripe(s))
		return false;
	l->spared = true;
	return true;
}

static noinline void drop_blob(struct kreg_store *s, const struct kreg_rec *r)
{
	struct kreg_blob *blob = kreg_blob_of(s, r);

	s->limbo.bytes -= kreg_blob_memory(blob);
	kreg_blob_drop(s, blob);
}

/* The first of those waiting, @r, is in limbo no longer. */
static __always_inline void take_first(struct kreg_store *s, struct kreg_rec *r)
{
	struct kreg_limbo *l = &s->limbo;
	bool blob = kreg_rec_has_blob(r);

	l->bytes -= kreg_rec_weight(r);
	l->waiting = r->limbo;
	if (unlikely(blob))
		drop_blob(s, r);
}

/* Turn. Free up to @n slots of those waiting, if it is time; returns how many. */
unsigned int kreg_limbo_free(struct kreg_store *s, unsigned int n)
{
	struct kreg_limbo *l = &s->limbo;
	unsigned int left;

	if (!is_ripe(s))
		return 0;
	for (left = n; left && l->waiting; left--) {
		u32 ref = l->waiting;
		struct kreg_chunk *chunk = kreg_arena_chunk(s, ref);
		struct kreg_rec *r = kreg_chunk_rec(chunk, ref);

		take_first(s, r);
		kreg_arena_give(s, chunk, r, ref);
	}
	kreg_limbo_close(s);
	return n - left;
}

/*
 * Turn. The first slot of those waiting, if it is time and a slot of @class; else NULL.
 * As from kreg_limbo_free() and kreg_arena_take(), but the old record is still in it.
 * Only upkeep finds out that it is time, and not while a write is under way: what that
 * has unlinked, it may still look at.
 */
struct kreg_rec *kreg_limbo_take(struct kreg_store *s, unsigned int class, bool reserve,
				 u32 *ref)
{
	struct kreg_chunk *chunk;
	struct kreg_rec *r;

	*ref = s->limbo.waiting;
	if (!*ref || !s->limbo.ripe)
		return NULL;
	chunk = kreg_arena_chunk(s, *ref);
	if (chunk->class != class || chunk->epoch != s->epoch)
		return NULL;
	r = kreg_chunk_rec(chunk, *ref);
	take_first(s, r);
	kreg_chunk_reserve(s, chunk, reserve);
	s->recycled++;
	kreg_limbo_close(s);
	return r;
}

/* Turn. What is in limbo goes with the chunks that it is in. */
void kreg_limbo_forget(struct kreg_store *s)
{
	s->limbo.open = 0;
	s->limbo.waiting = 0;
	s->limbo.bytes = 0;
}
