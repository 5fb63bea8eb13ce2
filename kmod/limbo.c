// SPDX-License-Identifier: GPL-2.0
/*
 * Limbo: where unlinked records wait until nobody can be looking at them.
 *
 * There are two batches, both linked through the limbo word. Records join the
 * open one; it is closed, which takes the cookie of a grace period, when the one
 * before it is through. So one cookie is enough for any number of records, and a
 * record waits for two grace periods at most.
 */
#include "engine.h"

static struct kreg_blob *blob_of(const struct kreg_store *s, const struct kreg_rec *r)
{
	return unlikely(kreg_rec_has_blob(r)) ? kreg_blob_of(s, r) : NULL;
}

static size_t weight(const struct kreg_rec *r, const struct kreg_blob *blob)
{
	size_t bytes = kreg_rec_size(kreg_rec_key_len(r), kreg_rec_value_len(r), blob);

	return blob ? bytes + kreg_blob_memory(blob) : bytes;
}

/* Turn. @r was unlinked a moment ago. */
void kreg_limbo_add(struct kreg_store *s, u32 ref, struct kreg_rec *r)
{
	r->limbo = s->limbo.open;
	s->limbo.open = ref;
	s->limbo.bytes += weight(r, blob_of(s, r));
}

/* Turn. All in the open batch are unlinked: the cookie comes after (pair 5). */
void kreg_limbo_close(struct kreg_store *s)
{
	struct kreg_limbo *l = &s->limbo;

	if (l->waiting || !l->open)
		return;
	l->waiting = l->open;
	l->open = 0;
	l->ripe = false;
	l->cookie = start_poll_synchronize_rcu();
}

/* Turn. Free one slot of those waiting, if it is time. */
bool kreg_limbo_step(struct kreg_store *s)
{
	struct kreg_limbo *l = &s->limbo;
	u32 ref = l->waiting;
	struct kreg_blob *blob;
	struct kreg_rec *r;

	if (!l->ripe) {
		if (!poll_state_synchronize_rcu(l->cookie))
			return false;
		kreg_limbo_reuse(s);
		l->ripe = true;
	}
	r = kreg_arena_rec(s, ref);
	l->waiting = r->limbo;
	blob = blob_of(s, r);
	l->bytes -= weight(r, blob);
	if (blob)
		kreg_blob_drop(s, blob);
	kreg_arena_give(s, ref);
	kreg_limbo_close(s);
	return true;
}

/* Turn. What is in limbo goes with the chunks that it is in. */
void kreg_limbo_forget(struct kreg_store *s)
{
	s->limbo.open = 0;
	s->limbo.waiting = 0;
	s->limbo.bytes = 0;
}
