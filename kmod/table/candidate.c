// SPDX-License-Identifier: GPL-2.0
#include <linux/err.h>
#include <linux/slab.h>

#include "client/client.h"
#include "client/limits.h"
#include "client/proc.h"
#include "client/user.h"
#include "store/gfp.h"
#include "table/bond.h"
#include "table/candidate.h"
#include "table/change.h"
#include "table/publish.h"
#include "table/unbind.h"
#include "table/waits.h"

/* Who are taken out of a line that is full, at once. */
#define DROPS_AT_ONCE	16

static_assert(DROPS_AT_ONCE < KREG_MAX_KEY_WAITERS);

static int init_change(struct kreg_candidate *c, u32 key_len, u32 value_len)
{
	struct kreg_change *change = &c->change;

	kreg_change_init(change);
	change->kind = KREG_CHANGE_PUT;
	change->key.len = key_len;
	change->value_len = value_len;
	change->must_be_new = true;
	change->binds = true;
	change->bound = true;
	if (!kreg_store_needs_blob(key_len, value_len))
		return 0;
	change->blob = kreg_blob_alloc(value_len);
	return change->blob ? 0 : -ENOMEM;
}

static int init_bind(struct kreg_candidate *c, const struct kreg_client *cl, struct kreg_proc *p,
		     u32 linger_ms)
{
	kreg_bind_note(&c->change, &c->bind, cl);
	c->bind.proc = p;
	kreg_proc_get(p);
	c->bind.linger_ms = linger_ms;
	c->bind.strict = true;
	c->bind.served = true;
	kreg_bind_pay(&c->change);
	if (!c->change.paid)
		return kreg_over_limit(KREG_LIMIT_BOUND);
	return kreg_bind_bring(&c->bind, c->table->id);
}

struct kreg_candidate *kreg_candidate_alloc(struct kreg_client *cl, struct kreg_table *t,
					    struct kreg_proc *p, u32 linger_ms, u32 key_len,
					    u32 value_len)
{
	struct kreg_candidate *c = kzalloc(sizeof(*c), KREG_GFP_USER);
	int err;

	if (!c)
		return ERR_PTR(-ENOMEM);
	err = kreg_user_charge(cl->user, KREG_QUOTA_BYTES, sizeof(*c));
	if (err) {
		kfree(c);
		return ERR_PTR(err);
	}
	c->table = t;
	kreg_table_get(t);
	err = init_change(c, key_len, value_len);
	/* The user is known, and paid back, by the bond that is said. */
	err = init_bind(c, cl, p, linger_ms) ?: err;
	if (!err)
		return c;
	kreg_candidate_free(c);
	return ERR_PTR(err);
}

static int reserve_under_turn(struct kreg_candidate *c, struct kreg_prealloc *pre)
{
	struct kreg_table *t = c->table;
	struct kreg_bond *bond;
	int err;

	if (t->dead)
		return -ESTALE;
	if (!c->bond) {
		err = kreg_table_bind(t, &c->bind, pre, &bond);
		if (err)
			return err;
		c->bond = bond;
		kreg_table_unbind_hold(bond);
	}
	return kreg_table_reserve(t, &c->change, pre);
}

int kreg_candidate_reserve(struct kreg_candidate *c)
{
	struct kreg_table *t = c->table;
	struct kreg_prealloc pre;
	int err;

	kreg_table_throttle(t);
	kreg_prealloc_init(&pre);
	pre.filled = false;
	do {
		spin_lock(&t->writer->turn);
		err = reserve_under_turn(c, &pre);
		kreg_table_settle(t);
		spin_unlock(&t->writer->turn);
		if (err == -EAGAIN)
			err = kreg_table_prealloc(t, &pre, false) ?: -EAGAIN;
	} while (err == -EAGAIN);
	kreg_prealloc_free(&pre);
	return err;
}

static void give_back(struct kreg_candidate *c)
{
	struct kreg_table *t = c->table;

	spin_lock(&t->writer->turn);
	kreg_store_cancel(&t->store, &c->change);
	if (c->bond)
		kreg_table_unbind_release(c->bond);
	kreg_table_settle(t);
	spin_unlock(&t->writer->turn);
}

void kreg_candidate_free(struct kreg_candidate *c)
{
	if (!c)
		return;
	if (c->bond || c->change.rec || c->change.blob)
		give_back(c);
	kreg_bind_refund(&c->change);
	kreg_user_uncharge(c->bind.client->user, KREG_QUOTA_BYTES, sizeof(*c));
	kreg_bind_drop(&c->bind);
	kreg_table_put(c->table);
	kfree(c);
}

/* RCU. The one who is to have the key, or the one who has asked for it. */
static bool is_exiting(const struct kreg_wait *wait)
{
	const struct kreg_proc *asks = wait->client->proc, *gets = wait->candidate->bind.proc;

	return kreg_proc_exiting_rcu(gets) || (asks != gets && kreg_proc_exiting_rcu(asks));
}

static void end_without_key(struct kreg_wait *wait, int err)
{
	const struct kreg_outcome outcome = {
		.result = err,
		.cause = err == -ESRCH ? KREG_CAUSE_NOPROC : KREG_CAUSE_ACCESS,
	};

	kreg_awaited_end_candidate(wait, &outcome, wait->candidate->table->writer);
}

/*
 * The file of a dead process may stay open for long, if another has it as well. A few are enough to
 * make room, and leave others, so that @a stays. A line that is full has many to look at.
 */
static void drop_exiting(struct kreg_awaited *a)
{
	struct kreg_wait *wait, *next;
	unsigned int n = DROPS_AT_ONCE;

	rcu_read_lock();
	list_for_each_entry_safe(wait, next, &a->line, node) {
		if (!is_exiting(wait))
			continue;
		end_without_key(wait, -ESRCH);
		if (!--n)
			break;
	}
	rcu_read_unlock();
}

/* A write that was begun ends here: its slot is given back later, when others may be writing. */
static void abort_write(struct kreg_candidate *c)
{
	kreg_table_assert(c->table);
	if (c->begun)
		kreg_txn_abort(&c->txn);
	c->begun = false;
}

int kreg_candidate_enter(struct kreg_awaited *a, struct kreg_candidate *c, struct kreg_wait *wait)
{
	kreg_table_assert(c->table);
	if (a->nr_line >= KREG_MAX_KEY_WAITERS)
		drop_exiting(a);
	if (a->nr_line >= KREG_MAX_KEY_WAITERS)
		return kreg_over_limit(KREG_LIMIT_WAITERS);
	wait->candidate = c;
	wait->leave = abort_write;
	kreg_awaited_line_up(a, wait);
	/* The key may have come free since it was found to be held. */
	kreg_awaited_look_at_line(a);
	return 0;
}

static int check_write(const struct kreg_candidate *c, const struct kreg_wait *wait)
{
	bool exits;

	rcu_read_lock();
	exits = is_exiting(wait);
	rcu_read_unlock();
	return exits ? -ESRCH : min(kreg_table_decide_write(c->table, wait->client), 0);
}

/*
 * Register the key for @c, if it is free. KREG_TABLE_FAR: it takes more than one hold, of which
 * only the lane has some.
 */
static int write_candidate(struct kreg_candidate *c, const struct kreg_wait *wait, bool in_lane)
{
	struct kreg_table *t = c->table;
	struct kreg_prealloc pre = {};
	bool on = c->begun;
	int err = 0;

	if (!on)
		err = check_write(c, wait);
	if (err)
		return err;
	if (on)
		kreg_store_begin_hold(&t->store);
	else
		kreg_txn_begin(&c->txn, &t->store);
	err = kreg_table_change(t, &c->change, &c->place, on, &c->txn, &pre);
	c->begun = err == KREG_TABLE_FAR && in_lane;
	if (c->begun)
		return err;
	if (err) {
		kreg_txn_abort(&c->txn);
		return err;
	}
	kreg_txn_commit(&c->txn);
	/* What it has displaced is at hand. */
	while (!kreg_txn_unlink(&c->txn, KREG_TURN_RECORDS))
		;
	kreg_table_publish_change(t, &c->change, c->txn.version);
	return 0;
}

/* It has the key, and is an object like any other. */
static void end_with_key(struct kreg_candidate *c, struct kreg_wait *wait)
{
	struct kreg_table *t = c->table;
	struct kreg_outcome outcome = kreg_waits_found(t, c->txn.version, c->change.holder);
	struct kreg_awaited *a = wait->at;

	outcome.cause = KREG_CAUSE_CLAIM;
	kreg_table_unbind_release(c->bond);
	c->bond = NULL;
	kreg_awaited_keep_line(a);
	kreg_awaited_end_candidate(wait, &outcome, t->writer);
}

/* Look at one key that may be free. False: that takes the lane. */
static bool serve_one_key(struct kreg_awaited *a, bool in_lane)
{
	struct kreg_wait *wait = kreg_awaited_first_in_line(a);
	struct kreg_candidate *c = wait->candidate;
	int err = write_candidate(c, wait, in_lane);

	switch (err) {
	case KREG_TABLE_FAR:
		return false;
	case 0:
		end_with_key(c, wait);
		break;
	case -EEXIST:
		kreg_awaited_keep_line(a);
		break;
	default:
		end_without_key(wait, err);
	}
	return true;
}

/* Whether the table can be written to now: nobody is at it, or only this candidate. */
static bool may_write_now(const struct kreg_table *t, struct kreg_awaited *a)
{
	return !kreg_store_is_writing(&t->store) ||
	       kreg_awaited_first_in_line(a)->candidate->begun;
}

static void look_after_store(struct kreg_table *t)
{
	if (kreg_store_has_limbo(&t->store)) {
		kreg_writer_add_upkeep(t->writer, &t->upkeep);
		kreg_table_note_garbage(t);
	}
	kreg_table_settle(t);
}

bool kreg_candidates_serve(struct kreg_table *t, unsigned int *n, bool in_lane)
{
	struct kreg_awaited *a;
	bool on = true;

	kreg_table_assert(t);
	if (!kreg_waits_has_freed(t))
		return true;
	while (on && *n && kreg_waits_has_freed(t)) {
		a = list_first_entry(&t->awaited->freed, struct kreg_awaited, lined);
		on = may_write_now(t, a) && serve_one_key(a, in_lane);
		--*n;
	}
	look_after_store(t);
	return on && !kreg_waits_has_freed(t);
}
