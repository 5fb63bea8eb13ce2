// SPDX-License-Identifier: GPL-2.0
/*
 * The steps of a write: link, commit, unlink.
 *
 * Records are linked with a number that no reader has reached, those they replace
 * are marked to die with it, one store makes it so, and only then the dead leave
 * the list. A reader that is between two of these steps finds either the old
 * record, or a younger one, which tells it to look at C again. README.md has the proof.
 */
#include "store/arena.h"
#include "store/index.h"
#include "store/internal.h"
#include "store/limbo.h"
#include "store/marks.h"
#include "store/order_write.h"
#include "store/pin.h"

/* Records that a batch may link beyond the number of buckets. */
#define LAG	8

/*
 * In kreg_txn.dead, for a record that was replaced: the one before it in the list,
 * where the younger of two of one key stands. Nothing gets between them.
 */
#define BEHIND	KREG_LINK_BUCKET

/* The record that @place leads to dies now. By @dead and @link it is found to be unlinked. */
static __always_inline void mark_dead(struct kreg_txn *t, const struct kreg_place *place, u32 dead,
				      u32 *link)
{
	struct kreg_store *s = t->store;
	struct kreg_rec *old = place->old;

	s->objects--;
	s->bytes -= place->old_bytes;
	if (unlikely(kreg_rec_is_special(old))) {
		if (kreg_rec_is_bound(old))
			kreg_holder_unlink(s, old);
		else
			kreg_wheel_remove(s, old);
	}
	WRITE_ONCE(old->died, t->version);
	old->limbo = t->dead;
	t->dead = dead;
	t->last = old;
	t->last_link = link;
}

/*
 * The index must keep up with a batch, whose look-ups get longer else. Apart, like the
 * next one, so that most calls do with less of the stack.
 */
static noinline void grow_index(struct kreg_store *s, struct kreg_prealloc *f)
{
	unsigned int steps = 2;

	while (s->objects > kreg_store_root(s)->front->n + LAG && steps--)
		if (!kreg_index_grow(s)) {
			kreg_index_want(s, f);
			break;
		}
}

static noinline void link_blob(struct kreg_store *s, struct kreg_change *c)
{
	list_move(&c->blob->list, &s->extra->blob_list);
	c->blob = NULL;
}

static int apply_put(struct kreg_txn *t, struct kreg_change *c,
		     struct kreg_place *place, struct kreg_prealloc *f)
{
	struct kreg_store *s = t->store;
	struct kreg_rec *r;
	u32 ref;

	if (c->rec) {
		kreg_arena_use(s, c->ref);
	} else {
		int err = kreg_change_record(s, c, f);

		if (err)
			return err;
	}
	r = c->rec;
	ref = c->ref;
	if (unlikely(c->blob))
		link_blob(s, c);
	c->rec = NULL;
	c->ref = 0;
	c->count = !!place->old;
	s->objects++;
	s->bytes += c->key.len + c->value_len;
	r->born = t->version;
	r->died = KREG_ALIVE;
	if (unlikely(s->runs))
		r->hash = t->sub++;
	if (unlikely(c->bound))
		kreg_holder_link(s, c->holder, r, ref, place->old, place->old_ref);
	if (unlikely(c->timed)) {
		kreg_wheel_add(s, r, ref, c->expiry);
		c->holder = NULL;
	}
	r->link = *place->link;
	/* Pair 1: whoever loads the link finds the record written. */
	smp_store_release(place->link, ref);
	if (place->old)
		mark_dead(t, place, BEHIND | ref, &r->link);
	else if (unlikely(s->ordered))
		kreg_order_grew(s, place, r);
	else if (place->behind && (int)*place->behind > 0)
		/* Two or more are in its bucket. */
		kreg_marks_look(s, place->behind, r->hash, KREG_STRETCH);
	if (unlikely(s->objects > kreg_store_root(s)->front->n + LAG) && !s->ordered)
		grow_index(s, f);
	return 0;
}

/*
 * Nothing is known of where it is in the list: kreg_txn_unlink() looks for the link to it, in as
 * many holds of the turn as that takes.
 */
void kreg_txn_remove(struct kreg_txn *t, u32 ref)
{
	struct kreg_rec *r = kreg_arena_rec(t->store, ref);
	const struct kreg_place place = {
		.old = r,
		.old_ref = ref,
		.old_bytes = kreg_rec_key_len(r) + kreg_rec_value_len(r),
	};

	kreg_store_assert(t->store);
	mark_dead(t, &place, ref, NULL);
	t->last = NULL;
}

unsigned int kreg_txn_remove_bound(struct kreg_txn *t, struct kreg_holder *h, unsigned int n,
				   const struct kreg_rec **removed)
{
	struct kreg_store *s = t->store;
	unsigned int i;

	kreg_store_assert(s);
	for (i = 0; i < n && kreg_holder_live(s, h); i++) {
		if (removed)
			removed[i] = kreg_arena_rec(s, h->first);
		kreg_txn_remove(t, h->first);
	}
	return i;
}

unsigned int kreg_txn_remove_expired(struct kreg_txn *t, unsigned int n,
				     const struct kreg_rec **removed)
{
	struct kreg_store *s = t->store;
	u64 now = kreg_expiry_now();
	unsigned int done = 0;
	u32 ref;

	kreg_store_assert(s);
	for (; n && (ref = kreg_wheel_due(s, now)); n--) {
		struct kreg_rec *r = kreg_arena_rec(s, ref);

		if (!kreg_expiry_is_over(r, now)) {
			kreg_wheel_move(s, r, ref);
			continue;
		}
		kreg_txn_remove(t, ref);
		removed[done++] = r;
	}
	return done;
}

static noinline void apply_clear(struct kreg_txn *t, struct kreg_change *c)
{
	struct kreg_store *s = t->store;

	c->count = s->objects;
	if (s->objects || t->dead)
		kreg_root_replace(s, c->root, t->version);
	else
		kreg_root_free(c->root);
	c->root = NULL;
	t->dead = 0;
}

int kreg_store_apply(struct kreg_txn *t, struct kreg_change *c,
		     struct kreg_place *place, struct kreg_prealloc *f)
{
	kreg_store_assert(t->store);
	switch (c->kind) {
	case KREG_CHANGE_PUT:
		return apply_put(t, c, place, f);
	case KREG_CHANGE_DELETE:
		c->count = !!place->old;
		if (!place->old)
			break;
		if (unlikely(t->store->ordered))
			kreg_order_thinned(t->store, place);
		mark_dead(t, place, place->old_ref, place->link);
		break;
	case KREG_CHANGE_CLEAR:
		apply_clear(t, c);
		break;
	case KREG_CHANGE_EVENT:
		c->count = 0;
		break;
	}
	return 0;
}

void kreg_txn_commit(struct kreg_txn *t)
{
	struct kreg_store *s = t->store;

	kreg_store_assert(s);
	/* Before the first link that skips one, by pair 3; see kreg_walk_is_whole(). */
	if (unlikely(s->runs) && t->dead)
		WRITE_ONCE(s->killed, t->version);
	/* Pair 2: links, died and roots before C; see kreg_reader_enter(). */
	smp_store_release(&s->version, t->version);
	/*
	 * Pair 3: C before the first link that skips a dead record. A reader that
	 * finds it gone has, after its read barrier, a newer C to find too.
	 */
	smp_wmb();
	if (unlikely(!list_empty(&s->cleared)))
		kreg_root_start_grace(s);
}

void kreg_txn_abort(struct kreg_txn *t)
{
	kreg_store_assert(t->store);
	t->store->writing = false;
}

/*
 * A long walk from @from on. NULL if this hold of the turn has walked over as many links as
 * it may: the next goes on from there.
 */
static noinline u32 *link_to_far(struct kreg_txn *t, u32 ref, const struct kreg_rec *r,
				 u32 *from)
{
	struct kreg_store *s = t->store;

	for (; *from != ref && s->links; s->links--)
		from = kreg_marks_link(s, kreg_arena_rec(s, *from), r->hash);
	kreg_marks_count_links(s);
	t->last_link = *from == ref ? NULL : from;
	return t->last_link ? NULL : from;
}

/* The link that leads to the record @ref, by a walk; or NULL. */
static u32 *link_to(struct kreg_txn *t, u32 ref, const struct kreg_rec *r)
{
	struct kreg_store *s = t->store;
	struct kreg_root *root = kreg_store_root(s);
	u32 *head = kreg_index_head(root, kreg_read_bucket(r->hash, root->front->n)), *from = head;
	unsigned int left = KREG_STRETCH;

	if (unlikely(t->last_link))
		return link_to_far(t, ref, r, t->last_link);
	while (*from != ref) {
		/* Where marks are, they make it a short walk. */
		if (unlikely(!left--))
			return link_to_far(t, ref, r, s->crowd.nodes ? head : from);
		from = &kreg_arena_rec(s, *from)->link;
	}
	return from;
}

/* Whether the record stays where it is, for the sake of a pin. */
static noinline bool keep_record(struct kreg_txn *t, u32 ref, struct kreg_rec *r)
{
	u32 next = r->limbo;

	if (!kreg_pin_keep(t->store, ref, r))
		return false;
	t->dead = next;
	t->last_link = NULL;
	return true;
}

/* The record keeps its own link, for readers that stand on it. */
static __always_inline void unlink_record(struct kreg_txn *t, u32 ref, struct kreg_rec *r,
					  u32 *from)
{
	WRITE_ONCE(*from, r->link);
	t->dead = r->limbo;
	kreg_limbo_add(t->store, ref, r);
}

/* Unlink the record that died last of those that are left. False: not in this hold. */
static __always_inline bool unlink_next(struct kreg_txn *t, bool ordered)
{
	struct kreg_store *s = t->store;
	u32 ref = t->dead, *from = NULL;
	struct kreg_rec *r;

	if (ref & BEHIND) {
		r = kreg_arena_rec(s, ref & ~BEHIND);
		ref = r->link;
		/* If that has died too, it was unlinked before. */
		if (r->died == KREG_ALIVE)
			from = &r->link;
	}
	r = kreg_arena_rec(s, ref);
	/* Without the way to its link, which may be long. */
	if (unlikely(r->born < s->pinned) && keep_record(t, ref, r))
		return true;
	if (!from)
		from = ordered ? kreg_order_link_to(s, ref, r, &t->last_link) : link_to(t, ref, r);
	if (unlikely(!from))
		return false;
	unlink_record(t, ref, r, from);
	return true;
}

/*
 * The one that died last comes first and may be at hand; lone writes have no other.
 * False: it is not.
 */
static bool unlink_last(struct kreg_txn *t)
{
	u32 *from = t->last_link, ref = *from;
	struct kreg_rec *r = t->last;

	t->last = NULL;
	t->last_link = NULL;
	if (!(t->dead & BEHIND) && t->dead != ref)
		return false;
	if (likely(r->born >= t->store->pinned) || !keep_record(t, ref, r))
		unlink_record(t, ref, r, from);
	return true;
}

static __always_inline bool end_write(struct kreg_store *s)
{
	kreg_limbo_close(s);
	s->writing = false;
	return true;
}

static __always_inline bool unlink_rest(struct kreg_txn *t, unsigned int budget, bool ordered)
{
	for (; t->dead; budget--) {
		if (!budget || !unlink_next(t, ordered))
			return false;
	}
	return end_write(t->store);
}

/* Apart, so that lone writes do with less of the stack. */
static noinline bool unlink_hashed(struct kreg_txn *t, unsigned int budget)
{
	return unlink_rest(t, budget, false);
}

static noinline bool unlink_ordered(struct kreg_txn *t, unsigned int budget)
{
	return unlink_rest(t, budget, true);
}

bool kreg_txn_unlink(struct kreg_txn *t, unsigned int budget)
{
	kreg_store_assert(t->store);
	if (t->dead && t->last && budget && unlink_last(t))
		budget--;
	if (!t->dead)
		return end_write(t->store);
	return likely(!t->store->ordered) ? unlink_hashed(t, budget) :
					      unlink_ordered(t, budget);
}
