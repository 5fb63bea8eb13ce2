// SPDX-License-Identifier: GPL-2.0
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "table/access.h"
#include "table/change.h"
#include "client/client.h"
#include "client/limits.h"
#include "table/names.h"
#include "table/snapshot.h"
#include "client/proc.h"
#include "table/table.h"
#include "client/user.h"

/* Steps of upkeep in one hold of the turn by the thread. */
#define UPKEEP		64

/* Holds of the turn in which a writer sees to that long parts of the list become short. */
#define SHORTENING_HOLDS	64

/* Debug builds walk a store when its upkeep comes to an end, up to this size. */
#define VERIFY_OBJECTS	512

static int check_may_write(const struct kreg_table *t, const struct kreg_client *cl)
{
	int err = kreg_table_may_write(t, cl);

	if (likely(!err))
		return 0;
	/* Pairs with kreg_table_destroy(): who finds no owner finds the table dead. */
	smp_rmb();
	return READ_ONCE(t->dead) ? -ESTALE : err;
}

int kreg_table_check_write(const struct kreg_table *t, const struct kreg_client *cl)
{
	return check_may_write(t, cl) ?: READ_ONCE(t->sealed) ? -EROFS : 0;
}

int kreg_table_check_write_other(struct kreg_client *cl, const struct kreg_table *t)
{
	struct kreg_proc *owner = rcu_dereference(t->owner);
	int err;

	if (owner && unlikely(kreg_proc_dead(owner)))
		return -EINPROGRESS;
	err = check_may_write(t, cl);
	/* Who has his role by now is known when that death has been handled. */
	return unlikely(err == -EACCES && kreg_table_dead_writer(t)) ? -EINPROGRESS : err;
}

int kreg_table_decide_other(const struct kreg_table *t, const struct kreg_client *cl)
{
	int err = kreg_table_may_write(t, cl);

	kreg_table_assert(t);
	if (err || READ_ONCE(t->access) != KREG_ACCESS_REGISTRY)
		return err;
	return kreg_table_is_writer(t, cl) ? 0 : KREG_TABLE_REGISTRY;
}

int kreg_table_why_shut(const struct kreg_table *t, const struct kreg_client *cl)
{
	kreg_table_assert(t);
	if (t->dead)
		return -ESTALE;
	return kreg_table_may_write(t, cl) ?: -EROFS;
}

int kreg_table_over_for(const struct kreg_table *t, const struct kreg_change *c, u32 old)
{
	s64 growth;

	kreg_table_assert(t);
	if (!old)
		return kreg_over_limit(KREG_LIMIT_BYTES);
	growth = (s64)kreg_change_memory(c) - (s64)kreg_store_memory_of(&t->store, old);
	return growth <= 0 || kreg_user_fits(t->user, KREG_QUOTA_BYTES, growth) ?
	       0 : kreg_over_limit(KREG_LIMIT_BYTES);
}

static int charge_bytes(struct kreg_table *t, s64 bytes, bool over)
{
	return over ? kreg_user_charge_over(t->user, KREG_QUOTA_BYTES, bytes) :
		      kreg_user_charge(t->user, KREG_QUOTA_BYTES, bytes);
}

/* What becomes of a blob that was charged, when the store has taken it or not. */
static int settle_blob(struct kreg_table *t, s64 bytes, int err)
{
	if (err)
		kreg_user_uncharge(t->user, KREG_QUOTA_BYTES, bytes);
	else
		t->charged += bytes;
	return err;
}

int kreg_table_reserve_long(struct kreg_table *t, struct kreg_change *c,
			    struct kreg_prealloc *pre)
{
	s64 bytes = kreg_blob_memory(c->blob);
	int err = charge_bytes(t, bytes, c->over);

	kreg_table_assert(t);
	return err ?: settle_blob(t, bytes, kreg_store_reserve(&t->store, c, pre));
}

int kreg_table_change_long(struct kreg_table *t, struct kreg_change *c, struct kreg_txn *txn,
			   struct kreg_place *place, struct kreg_prealloc *pre)
{
	s64 bytes;
	int err;

	kreg_table_assert(t);
	if (c->kind == KREG_CHANGE_CLEAR)
		return kreg_store_apply(txn, c, place, pre);
	bytes = kreg_blob_memory(c->blob);
	err = charge_bytes(t, bytes, c->over);
	return err ?: settle_blob(t, bytes, kreg_store_apply(txn, c, place, pre));
}

int kreg_table_change_fits(struct kreg_table *t, struct kreg_change *c,
			   struct kreg_place *place, bool on)
{
	if (kreg_store_has_runs(&t->store) && c->kind < KREG_CHANGE_CLEAR)
		return kreg_run_fits(t, c, place, on);
	return kreg_table_change_find(t, c, place, on);
}

static void pay_for_pins(struct kreg_table *t)
{
	if (unlikely(kreg_pin_is_due(&t->store)))
		kreg_snapshot_pay(t);
}

void kreg_table_upkeep_now(struct kreg_table *t, unsigned int budget, struct kreg_prealloc *pre)
{
	if (kreg_store_upkeep(&t->store, budget, pre) || kreg_store_has_limbo(&t->store)) {
		kreg_writer_add_upkeep(t->writer, &t->upkeep);
		kreg_table_note_garbage(t);
	}
	kreg_table_settle(t);
	pay_for_pins(t);
}

/* Turn. */
static enum kreg_upkeep_state upkeep_some(struct kreg_table *t)
{
	struct kreg_prealloc pre = {};

	if (kreg_store_is_writing(&t->store))
		return KREG_UPKEEP_LATER;
	if (kreg_store_upkeep_idle(&t->store, UPKEEP, &pre))
		return KREG_UPKEEP_NOW;
	return kreg_store_has_limbo(&t->store) ? KREG_UPKEEP_LATER : KREG_UPKEEP_DONE;
}

enum kreg_upkeep_state kreg_table_upkeep(struct kreg_upkeep *upkeep)
{
	struct kreg_table *t = container_of(upkeep, struct kreg_table, upkeep);
	enum kreg_upkeep_state state;

	pay_for_pins(t);
	state = upkeep_some(t);
	kreg_table_settle(t);
	if (state != KREG_UPKEEP_DONE)
		return state;
	kreg_table_no_garbage(t);
	if (t->store.objects <= VERIFY_OBJECTS)
		kreg_store_verify(&t->store);
	return KREG_UPKEEP_DONE;
}

/*
 * Charge what @pre will bring; near the limit, as little as can be. The index is small
 * beside the records that are there already, and without it others would wait while their
 * writer walks; so it may go over the limit, and is put off only beyond that.
 */
static int pay_prealloc(struct kreg_table *t, struct kreg_prealloc *pre, bool over, s64 *paid)
{
	int err;

	*paid = kreg_prealloc_must_bytes(pre);
	err = charge_bytes(t, *paid, over);
	if (err && kreg_prealloc_shrink(pre)) {
		*paid = kreg_prealloc_must_bytes(pre);
		err = charge_bytes(t, *paid, over);
	}
	if (err)
		return err;
	if (charge_bytes(t, kreg_prealloc_index_bytes(pre), true))
		pre->want_index = false;
	else
		*paid += kreg_prealloc_index_bytes(pre);
	return 0;
}

/* What was brought goes to the store; others may have brought the same. */
static void hand_in(struct kreg_table *t, struct kreg_prealloc *pre, s64 paid)
{
	spin_lock(&t->writer->turn);
	kreg_table_settle(t);
	kreg_store_add_prealloc(&t->store, pre);
	kreg_table_charge_store(t, paid);
	/* The thread may have gone as far as it could without. */
	if (unlikely(kreg_store_is_crowded(&t->store)) && !t->dead)
		kreg_writer_add_upkeep(t->writer, &t->upkeep);
	spin_unlock(&t->writer->turn);
}

int kreg_table_prealloc(struct kreg_table *t, struct kreg_prealloc *pre, bool over)
{
	s64 paid;
	int err;

	if (!kreg_prealloc_wanted(pre))
		return 0;
	err = pay_prealloc(t, pre, over, &paid);
	if (!err) {
		err = kreg_prealloc_fill(pre, &t->store);
		if (err)
			kreg_user_uncharge(t->user, KREG_QUOTA_BYTES, paid);
		else
			hand_in(t, pre, paid);
	}
	/* What is left over is not charged any more. */
	kreg_prealloc_free(pre);
	kreg_prealloc_init(pre);
	return err;
}

void kreg_table_prealloc_ahead(struct kreg_table *t)
{
	struct kreg_prealloc pre = {};

	spin_lock(&t->writer->turn);
	if (!t->dead && !kreg_store_is_writing(&t->store)) {
		kreg_store_begin_hold(&t->store);
		kreg_table_upkeep_now(t, 1, &pre);
	}
	spin_unlock(&t->writer->turn);
	kreg_table_prealloc(t, &pre, false);
}

/* Some of it, in one hold; false: there is nothing to be done, or not now. */
static bool shorten_some(struct kreg_table *t, struct kreg_prealloc *pre)
{
	bool more;

	spin_lock(&t->writer->turn);
	more = kreg_store_is_crowded(&t->store) && !t->dead && !kreg_store_is_writing(&t->store);
	if (more) {
		kreg_store_begin_hold(&t->store);
		kreg_table_upkeep_now(t, KREG_TURN_RECORDS, pre);
	}
	spin_unlock(&t->writer->turn);
	cond_resched();
	return more;
}

void kreg_table_shorten(struct kreg_table *t)
{
	unsigned int left = SHORTENING_HOLDS;
	struct kreg_prealloc pre = {};

	while (left-- && shorten_some(t, &pre) && !fatal_signal_pending(current))
		if (kreg_table_prealloc(t, &pre, true))
			break;
	kreg_prealloc_free(&pre);
}

/* Free some of what no reader can reach any more; false: there is none for now. */
static bool free_some(struct kreg_table *t)
{
	struct kreg_prealloc pre = {};
	bool more = false;

	spin_lock(&t->writer->turn);
	if (!t->dead && !kreg_store_is_writing(&t->store)) {
		kreg_store_begin_hold(&t->store);
		more = kreg_store_upkeep(&t->store, KREG_TURN_RECORDS, &pre);
	}
	kreg_table_settle(t);
	spin_unlock(&t->writer->turn);
	cond_resched();
	return more;
}

/*
 * The end of the grace period is polled: it is not hurried, which would interrupt every
 * processor on the word of a user, and a fatal signal ends the wait.
 */
int kreg_table_wait_for_readers(void)
{
	unsigned long cookie = start_poll_synchronize_rcu();

	might_sleep();
	while (!poll_state_synchronize_rcu(cookie)) {
		schedule_timeout_killable(1);
		if (fatal_signal_pending(current))
			return -EINTR;
	}
	return 0;
}

void kreg_table_throttle(struct kreg_table *t)
{
	int err = 0;

	while (unlikely(kreg_store_limbo_full(&t->store)) && !READ_ONCE(t->dead) && !err)
		if (!free_some(t))
			err = kreg_table_wait_for_readers();
}
