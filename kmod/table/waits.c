// SPDX-License-Identifier: GPL-2.0
#include <linux/delay.h>
#include <linux/slab.h>

#include "client/news.h"
#include "client/ns.h"
#include "client/proc.h"
#include "client/user.h"
#include "store/gfp.h"
#include "store/write.h"
#include "table/access.h"
#include "table/bond.h"
#include "table/table.h"
#include "table/waits.h"

/* Waits that end in one hold of the turn; and where it may be of many tables, or many writes. */
#define WAITS_A_HOLD	16
#define WAITS_OF_MANY	2

static int may_read_table(void *owner, const struct kreg_client *cl)
{
	return kreg_table_may_read(owner, cl);
}

/* A worker goes on, with a reference to the table, when the turn has been returned. */
static void defer_waits(struct kreg_wake *wake)
{
	struct kreg_awaited_set *set = container_of(wake, struct kreg_awaited_set, wake);

	if (!kreg_news_defer(&set->work))
		kreg_table_put(set->owner);
}

static void call_worker(struct kreg_table *t)
{
	kreg_table_get(t);
	if (!kreg_wake_later(t->writer, &t->awaited->wake))
		kreg_table_put(t);
}

/* What a write under way has noted is not for others to look at. */
static bool advance_once(struct kreg_table *t)
{
	bool done = false;

	spin_lock(&t->writer->turn);
	if (t->dead || !kreg_store_is_writing(&t->store))
		done = kreg_awaited_advance(t->awaited, t->writer, WAITS_A_HOLD);
	spin_unlock(&t->writer->turn);
	kreg_wake_queued(t->writer);
	return done;
}

static void advance_all(struct work_struct *work)
{
	struct kreg_awaited_set *set = container_of(work, struct kreg_awaited_set, work);
	struct kreg_table *t = set->owner;

	/* Whoever was woken runs before others are told, also on the same CPU. */
	do
		usleep_range(20, 100);
	while (!advance_once(t));
	kreg_table_put(t);
}

struct kreg_awaited_set *kreg_waits_alloc(struct kreg_table *t)
{
	struct kreg_awaited_set *set;

	set = kzalloc(kreg_awaited_set_memory(), KREG_GFP_USER);
	if (!set)
		return NULL;
	kreg_awaited_set_init(set, KREG_AWAITED_BUCKETS, &t->writer->turn, t);
	set->may_read = may_read_table;
	kreg_wake_init(&set->wake, defer_waits);
	INIT_WORK(&set->work, advance_all);
	return set;
}

void kreg_waits_set(struct kreg_table *t, struct kreg_awaited_set *set)
{
	kreg_table_assert(t);
	/* As little as a table takes anyway, so it is counted, and not refused. */
	kreg_user_count_in(t->user, KREG_QUOTA_BYTES, kreg_awaited_set_memory());
	WRITE_ONCE(t->awaited, set);
}

struct kreg_outcome kreg_waits_found(const struct kreg_table *t, u64 version,
				     const struct kreg_holder *h)
{
	struct kreg_outcome found = { .present = version, .version = version };

	kreg_table_assert(t);
	if (!h)
		return found;
	if (!kreg_bond_whose(h))
		return found;
	/* An object that lingers has a holder who is dead, whose pid may be another's. */
	found.holder = kreg_proc_name(kreg_bond_proc(h), t->ns->key.pid_ns);
	if (kreg_proc_dead(kreg_bond_proc(h)))
		found.holder.pid = 0;
	return found;
}

static void note_key(struct kreg_table *t, const struct kreg_key *key, u64 version,
		     const struct kreg_holder *h, bool was_hidden)
{
	struct kreg_awaited *a = kreg_awaited_find(t->awaited, key, NULL);
	struct kreg_outcome now;

	if (likely(!a))
		return;
	now = kreg_waits_found(t, version, h);
	kreg_awaited_note(a, &now, was_hidden);
}

/*
 * Whether the object is still that of a process which is exiting, for which its key is kept, or
 * on loan: then it goes on being absent.
 */
static bool stays_hidden(const struct kreg_change *c)
{
	bool hidden;

	if (!c->special || !c->holder)
		return false;
	rcu_read_lock();
	hidden = kreg_bond_hides(c->holder, NULL);
	rcu_read_unlock();
	return hidden;
}

/* What gives way to who binds its key was there until then, if it lingered. */
static bool has_replaced_hidden(const struct kreg_change *c)
{
	return c->special && c->gone && !kreg_bond_linger(c->gone);
}

/* Of a batch, which has as many holds of the turn as it takes. Hidden objects count. */
static bool has_left_some(struct kreg_table *t, const struct kreg_key *key)
{
	struct kreg_place place;

	return !kreg_run_find_first(&t->store, key, &place) || place.old;
}

/*
 * Where a key may have several objects one waits for the first alone, so what goes matters only if
 * the same write has put another before.
 */
static void note_in_run(struct kreg_table *t, const struct kreg_change *c, u64 version)
{
	struct kreg_awaited *a = kreg_awaited_find(t->awaited, &c->key, NULL);
	struct kreg_outcome now = {};

	if (likely(!a))
		return;
	if (c->kind == KREG_CHANGE_PUT)
		now = kreg_waits_found(t, version, c->special ? c->holder : NULL);
	else if (list_empty(&a->touched) || !c->count || has_left_some(t, &c->key))
		return;
	kreg_awaited_note(a, &now, false);
}

void kreg_waits_note(struct kreg_table *t, const struct kreg_change *c, u64 version)
{
	kreg_table_assert(t);
	if (kreg_store_has_runs(&t->store) && c->kind < KREG_CHANGE_CLEAR)
		return note_in_run(t, c, version);
	switch (c->kind) {
	case KREG_CHANGE_PUT:
		if (c->lends)
			note_key(t, &c->key, 0, NULL, false);
		else if (!stays_hidden(c))
			note_key(t, &c->key, version, c->special ? c->holder : NULL,
				 has_replaced_hidden(c));
		break;
	case KREG_CHANGE_DELETE:
		if (c->count || has_replaced_hidden(c))
			note_key(t, &c->key, 0, NULL, has_replaced_hidden(c));
		break;
	case KREG_CHANGE_CLEAR:
		if (c->count)
			kreg_awaited_note_clear(t->awaited);
		break;
	case KREG_CHANGE_EVENT:
		break;
	}
}

void kreg_waits_note_exit(struct kreg_table *t, const struct kreg_key *key)
{
	if (!kreg_store_has_runs(&t->store))
		note_key(t, key, 0, NULL, true);
}

/*
 * Who waits for a change has come when the borrower was dead, and knows this version. Several
 * loans may end in one hold.
 */
void kreg_waits_tell_returned(struct kreg_table *t, const struct kreg_key *key, u64 version)
{
	struct kreg_outcome now;
	struct kreg_awaited *a;

	kreg_table_assert(t);
	a = kreg_awaited_find(t->awaited, key, NULL);
	if (!a)
		return;
	now = kreg_waits_found(t, version, NULL);
	kreg_awaited_tell_present(a, &now);
	if (!kreg_awaited_advance(t->awaited, t->writer, WAITS_OF_MANY))
		call_worker(t);
}

bool kreg_waits_show(struct kreg_table *t, unsigned int n)
{
	unsigned int told;

	kreg_table_assert(t);
	if (!kreg_awaited_show(t->awaited, n))
		return false;
	/* Several lines may be served in one hold, each with a write. */
	told = kreg_waits_has_freed(t) ? WAITS_OF_MANY : WAITS_A_HOLD;
	if (!kreg_awaited_advance(t->awaited, t->writer, told))
		call_worker(t);
	return true;
}

void kreg_waits_narrow(struct kreg_table *t)
{
	kreg_table_assert(t);
	kreg_awaited_narrow(t->awaited);
	/* A table that follows a role may get another owner in the middle of a write. */
	if (kreg_store_is_writing(&t->store) ||
	    !kreg_awaited_advance(t->awaited, t->writer, WAITS_OF_MANY))
		call_worker(t);
}

void kreg_waits_gone(struct kreg_table *t, enum kreg_cause cause)
{
	kreg_table_assert(t);
	kreg_awaited_end(t->awaited, cause);
	if (!kreg_awaited_advance(t->awaited, t->writer, WAITS_OF_MANY))
		call_worker(t);
}
