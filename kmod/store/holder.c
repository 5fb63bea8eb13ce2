// SPDX-License-Identifier: GPL-2.0
/*
 * Holders: those to which records are bound.
 *
 * A record with KREG_REC_BOUND has the handle of its holder behind the value, so that who
 * finds the record finds the holder; and the records of a holder are chained there in the
 * order in which they were bound, so that they can be removed together. What a holder is,
 * the layers above know.
 *
 * A holder is freed when no reader can come to it: when none of its records is in the list
 * or in limbo, and no root waits that a clear has replaced.
 */
#include "store/internal.h"

static struct kreg_rec_bond *bond_at(const struct kreg_store *s, u32 ref)
{
	return kreg_rec_bond(kreg_arena_rec(s, ref));
}

/* The chain of @h is as of before a clear. */
static bool is_stale(const struct kreg_store *s, const struct kreg_holder *h)
{
	return h->epoch != s->epoch;
}

static void refresh_holder(struct kreg_store *s, struct kreg_holder *h)
{
	u32 live = h->live;

	if (!is_stale(s, h))
		return;
	h->first = 0;
	h->last = 0;
	h->live = 0;
	h->refs = 0;
	h->epoch = s->epoch;
	list_move_tail(&h->list, &s->extra->holder_list);
	if (live)
		h->ops->left(h, live);
}

u32 kreg_holder_live(const struct kreg_store *s, const struct kreg_holder *h)
{
	kreg_store_assert(s);
	return is_stale(s, h) ? 0 : h->live;
}

/* kreg_store_want_holder() has said that there is a handle. */
void kreg_holder_add(struct kreg_store *s, struct kreg_holder *h)
{
	struct kreg_extra *extra = s->extra;

	kreg_store_assert(s);
	h->handle = kreg_array_take(&extra->holders);
	h->epoch = s->epoch;
	/* Pair 2 publishes it, with the commit of the first record that is bound to it. */
	WRITE_ONCE(*kreg_array_at(&extra->holders, h->handle), h);
	list_add_tail(&h->list, &extra->holder_list);
	s->memory += h->size;
}

/* What is before @bond in the chain of @h leads to @next, and what is behind it back to @prev. */
static void lead_to(const struct kreg_store *s, struct kreg_holder *h,
		    const struct kreg_rec_bond *bond, u32 next, u32 prev)
{
	if (bond->prev)
		bond_at(s, bond->prev)->next = next;
	else
		h->first = next;
	if (bond->next)
		bond_at(s, bond->next)->prev = prev;
	else
		h->last = prev;
}

/*
 * Turn. @r, which is not linked yet, is bound to @h, or to nobody. If it replaces a record of
 * the same holder, it comes behind that in the chain.
 */
void kreg_holder_link(struct kreg_store *s, struct kreg_holder *h, struct kreg_rec *r, u32 ref,
		      const struct kreg_rec *old, u32 old_ref)
{
	struct kreg_rec_bond *bond = kreg_rec_bond(r);
	u32 prev;

	kreg_store_assert(s);
	if (!h)
		return;
	refresh_holder(s, h);
	WARN_ON_ONCE(h->uncounted);
	prev = old && kreg_rec_is_bound(old) && kreg_rec_bond(old)->holder == h->handle ?
	       old_ref : h->last;
	bond->holder = h->handle;
	bond->prev = prev;
	bond->next = prev ? bond_at(s, prev)->next : 0;
	lead_to(s, h, bond, ref, ref);
	h->live++;
	h->refs++;
	WRITE_ONCE(s->extra->bound, s->extra->bound + 1);
}

/* Turn. @r, which is bound, dies. */
void kreg_holder_unlink(struct kreg_store *s, struct kreg_rec *r)
{
	const struct kreg_rec_bond *bond = kreg_rec_bond(r);
	struct kreg_holder *h = kreg_holder_of(s, r);

	kreg_store_assert(s);
	if (!h)
		return;
	lead_to(s, h, bond, bond->next, bond->prev);
	h->live--;
	if (!h->uncounted)
		WRITE_ONCE(s->extra->bound, s->extra->bound - 1);
	h->ops->left(h, 1);
}

/* Turn. @r, @ref, is a copy of a live record that is bound, and takes its place in the chain. */
void kreg_holder_replace(struct kreg_store *s, const struct kreg_rec *r, u32 ref)
{
	struct kreg_holder *h = kreg_holder_of(s, r);

	kreg_store_assert(s);
	if (!h)
		return;
	lead_to(s, h, kreg_rec_bond(r), ref, ref);
	h->refs++;
}

/* Turn. @r, which is bound, leaves limbo. */
void kreg_holder_drop(struct kreg_store *s, const struct kreg_rec *r)
{
	struct kreg_holder *h = kreg_holder_of(s, r);

	kreg_store_assert(s);
	if (h)
		h->refs--;
}

/* Nobody knows its handle. */
void kreg_holder_remove(struct kreg_store *s, struct kreg_holder *h)
{
	kreg_store_assert(s);
	WARN_ON_ONCE(h->refs && !is_stale(s, h));
	list_del(&h->list);
	kreg_array_give(&s->extra->holders, h->handle);
	s->memory -= h->size;
}

const struct kreg_rec *kreg_holder_first(const struct kreg_store *s, const struct kreg_holder *h)
{
	return kreg_holder_live(s, h) ? kreg_arena_rec(s, h->first) : NULL;
}

unsigned int kreg_holder_keys(const struct kreg_store *s, const struct kreg_holder *h,
			      struct kreg_key *keys)
{
	u32 i, n = kreg_holder_live(s, h), ref = n ? h->first : 0;

	for (i = 0; i < n; i++) {
		const struct kreg_rec *r = kreg_arena_rec(s, ref);

		keys[i] = (struct kreg_key) {
			.bytes = r->bytes,
			.len = kreg_rec_key_len(r),
			.hash = r->hash,
		};
		ref = kreg_rec_bond(r)->next;
	}
	return n;
}

void kreg_holder_uncount(struct kreg_store *s, struct kreg_holder *h)
{
	kreg_store_assert(s);
	WRITE_ONCE(s->extra->bound, s->extra->bound - kreg_holder_live(s, h));
	h->uncounted = true;
}

void kreg_holder_retire(struct kreg_store *s, struct kreg_holder *h)
{
	kreg_store_assert(s);
	refresh_holder(s, h);
	WARN_ON_ONCE(h->live);
	list_move_tail(&h->list, &s->extra->retired);
	s->due |= KREG_DUE_HOLDERS;
}

/* Turn. All records are cleared away; holders are told one by one. */
void kreg_holder_forget(struct kreg_store *s)
{
	struct kreg_extra *extra = s->extra;

	kreg_store_assert(s);
	WRITE_ONCE(extra->bound, 0);
	list_splice_init(&extra->holder_list, &extra->stale_holders);
	if (!list_empty(&extra->stale_holders))
		s->due |= KREG_DUE_HOLDERS;
}

static void free_retired(struct kreg_store *s, struct kreg_holder *h)
{
	kreg_holder_remove(s, h);
	h->ops->release(h);
}

/* How many of those that have no record any more are looked at in a step. */
#define LOOKS	8

/*
 * One of those that are retired to which no reader can come, or NULL. One whose records are kept
 * for a pin is no reason for others to wait.
 */
static struct kreg_holder *find_unreachable(struct kreg_store *s)
{
	struct list_head *retired = &s->extra->retired;
	struct kreg_holder *h;
	unsigned int i;

	if (s->ending || kreg_store_has_cleared(s))
		return NULL;
	for (i = 0; i < LOOKS && !list_empty(retired); i++) {
		h = list_first_entry(retired, struct kreg_holder, list);
		if (!h->refs || is_stale(s, h))
			return h;
		if (!s->pinned)
			break;
		list_move_tail(&h->list, retired);
	}
	return NULL;
}

/* Turn. Tell a holder of a clear, or free one. False: there is nothing to do now. */
bool kreg_holder_step(struct kreg_store *s)
{
	struct kreg_extra *extra = s->extra;
	struct kreg_holder *h;

	kreg_store_assert(s);
	h = list_first_entry_or_null(&extra->stale_holders, struct kreg_holder, list);
	if (h) {
		refresh_holder(s, h);
		h->ops->cleared(h);
		return true;
	}
	if (list_empty(&extra->retired))
		s->due &= ~KREG_DUE_HOLDERS;
	h = find_unreachable(s);
	if (!h)
		return false;
	free_retired(s, h);
	return true;
}

struct kreg_holder *kreg_holder_take(struct kreg_store *s)
{
	struct kreg_extra *extra = s->extra;
	struct kreg_holder *h = NULL;

	kreg_store_assert(s);
	if (!extra)
		return NULL;
	if (!list_empty(&extra->holder_list))
		h = list_first_entry(&extra->holder_list, struct kreg_holder, list);
	else if (!list_empty(&extra->stale_holders))
		h = list_first_entry(&extra->stale_holders, struct kreg_holder, list);
	else if (!list_empty(&extra->retired))
		h = list_first_entry(&extra->retired, struct kreg_holder, list);
	if (!h)
		return NULL;
	list_del(&h->list);
	s->memory -= h->size;
	if (h->live)
		h->ops->left(h, h->live);
	h->live = 0;
	return h;
}
