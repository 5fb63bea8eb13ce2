// SPDX-License-Identifier: GPL-2.0
/*
 * Limbo: where unlinked records wait until nobody can be looking at them.
 *
 * There are two batches, both linked through the limbo word. Records join the
 * open one. When the one before it is through, the open one is closed, which takes
 * the cookie of a grace period. So one cookie is enough for any number of records,
 * and a record waits for two grace periods at most. Then its slot goes back to its
 * chunk, or straight to a new record. README.md says why that is safe.
 */
#include "store/internal.h"
#include "store/limbo.h"

size_t kreg_rec_weight_rare(const struct kreg_rec *r)
{
	u32 key_len = kreg_rec_key_len(r), value_len = kreg_rec_inline_len(r);
	bool blob = kreg_rec_has_blob(r);

	if (kreg_rec_is_timed(r))
		return kreg_rec_size_timed(key_len, value_len, blob, r->lens & KREG_REC_IDLE);
	return kreg_rec_is_bound(r) ? kreg_rec_size_bound(key_len, value_len, blob) :
				      kreg_rec_size(key_len, value_len, blob);
}

/* Turn. The blob of @r is in limbo, too. */
void kreg_limbo_add_blob(struct kreg_store *s, const struct kreg_rec *r)
{
	kreg_store_assert(s);
	s->limbo.bytes += kreg_blob_memory(kreg_blob_of(s, r));
}

void kreg_limbo_add_moved(struct kreg_store *s, u32 ref, struct kreg_rec *r)
{
	kreg_store_assert(s);
	s->limbo.bytes += kreg_rec_weight(r);
	r->limbo = s->limbo.open;
	s->limbo.open = ref;
}

/* Turn. All in the open batch are unlinked: the cookie comes after (pair 5). */
void kreg_limbo_close_open(struct kreg_store *s)
{
	struct kreg_limbo *l = &s->limbo;

	kreg_store_assert(s);
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

bool kreg_limbo_keep(struct kreg_store *s)
{
	struct kreg_limbo *l = &s->limbo;

	kreg_store_assert(s);
	if (l->spared || !l->waiting || !is_ripe(s))
		return false;
	l->spared = true;
	return true;
}

/* The blob of @r leaves limbo with it. */
static void drop_blob(struct kreg_store *s, const struct kreg_rec *r)
{
	struct kreg_blob *blob = kreg_blob_of(s, r);

	s->limbo.bytes -= kreg_blob_memory(blob);
	kreg_blob_detach(s, blob);
}

/* Turn. @r leaves limbo, and with it what only few records have. */
void kreg_limbo_drop_rare(struct kreg_store *s, const struct kreg_rec *r)
{
	kreg_store_assert(s);
	if (kreg_rec_has_blob(r) && r->died != KREG_MOVED)
		drop_blob(s, r);
	if (kreg_rec_is_bound(r))
		kreg_holder_drop(s, r);
}

/* Turn. Free slots of those waiting, if it is time, in some @n steps; returns how many. */
unsigned int kreg_limbo_free(struct kreg_store *s, unsigned int n)
{
	struct kreg_limbo *l = &s->limbo;
	unsigned int done = 0;

	kreg_store_assert(s);
	if (!is_ripe(s))
		return 0;
	while (done < n && l->waiting) {
		u32 ref = l->waiting;
		struct kreg_chunk *chunk = kreg_arena_chunk(s, ref);
		struct kreg_rec *r = kreg_chunk_rec(chunk, ref);

		kreg_limbo_take_first(s, r);
		done += kreg_arena_give(s, chunk, r, ref);
	}
	kreg_limbo_close(s);
	return done;
}

/* Turn. What is in limbo goes with the chunks that it is in. */
void kreg_limbo_forget(struct kreg_store *s)
{
	kreg_store_assert(s);
	s->limbo.open = 0;
	s->limbo.waiting = 0;
	s->limbo.bytes = 0;
}
