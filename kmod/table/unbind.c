// SPDX-License-Identifier: GPL-2.0
#include <linux/jiffies.h>
#include <linux/math64.h>
#include <linux/minmax.h>

#include "client/proc.h"
#include "client/user.h"
#include "store/write.h"
#include "table/bond.h"
#include "table/loan.h"
#include "table/publish.h"
#include "table/table.h"
#include "table/unbind.h"
#include "table/waits.h"

/* Objects removed in one hold of the turn. */
#define UNBIND_RECORDS	16U

/* The store looks for the links to what was removed, and frees what it was. */
static void look_after(struct kreg_table *t)
{
	kreg_writer_add_upkeep(t->writer, &t->upkeep);
	kreg_table_note_garbage(t);
	kreg_table_settle(t);
}

static void retire_bond(struct kreg_bond *b)
{
	kreg_holder_retire(&b->table->store, &b->holder);
	look_after(b->table);
}

static void end_bond(struct kreg_bond *b)
{
	struct kreg_table *t = b->table;

	kreg_bond_end(b, t->writer);
	/* Those of a dead table go with it. */
	if (t->dead)
		return;
	b->ended = true;
	if (!b->candidates)
		retire_bond(b);
}

/* A lease ends when its object has gone; until then it tells how often that was lent. */
static void leave_lease(struct kreg_bond *b)
{
	kreg_bond_end(b, b->table->writer);
	if (!b->table->dead)
		kreg_table_unbind_left(b);
}

static void leave_bond(struct kreg_bond *b)
{
	if (b->is_lease)
		leave_lease(b);
	else
		end_bond(b);
}

static void publish_exit(struct kreg_bond *b, const struct kreg_rec *r)
{
	struct kreg_key key = {
		.bytes = r->bytes,
		.len = kreg_rec_key_len(r),
		.hash = r->hash,
	};

	kreg_table_publish_exit(b->table, &b->holder, &key, b->txn.version,
				b->lingers ? KREG_CAUSE_EXPIRED : KREG_CAUSE_DEATH);
}

/* One commit for all of them. Their links are still to be taken out. */
static void remove_some(struct kreg_bond *b, unsigned int n)
{
	const struct kreg_rec *removed[UNBIND_RECORDS];
	unsigned int i;

	kreg_txn_begin(&b->txn, &b->table->store);
	n = kreg_txn_remove_bound(&b->txn, &b->holder, min(n, UNBIND_RECORDS), removed);
	kreg_txn_commit(&b->txn);
	for (i = 0; i < n && b->table->listeners; i++)
		publish_exit(b, removed[i]);
	kreg_table_publish_keys(b->table, n);
}

static u32 live_objects(const struct kreg_bond *b)
{
	return kreg_holder_live(&b->table->store, &b->holder);
}

/* Where somebody may get each key at once, that is the other half of the work. */
static u32 objects_a_hold(const struct kreg_table *t, u32 n)
{
	return unlikely(t->awaited) && !list_empty(&t->awaited->lined) ? DIV_ROUND_UP(n, 2) : n;
}

/*
 * Remove some objects of @b; *@n counts down for each of them, and for the bond when it has
 * ended, which is not before those who were in line have got its keys. False: its table is not
 * to be changed now.
 */
static bool unbind_now(struct kreg_bond *b, unsigned int *n)
{
	struct kreg_table *t = b->table;
	u32 some = min(live_objects(b), objects_a_hold(t, *n));

	if (some && !t->dead) {
		/* Where walks may be long they take more than one hold. */
		if (kreg_store_is_writing(&t->store) || kreg_store_is_crowded(&t->store))
			return false;
		remove_some(b, some);
		while (!kreg_txn_unlink(&b->txn, some))
			kreg_store_begin_hold(&t->store);
		look_after(t);
		*n -= some;
	}
	if (*n && (t->dead || !live_objects(b)) && !kreg_waits_has_freed(t)) {
		end_bond(b);
		--*n;
	}
	return true;
}

/* Return what the dead has borrowed. False: its table is not to be changed now. */
static bool return_now(struct kreg_bond *b, unsigned int *n)
{
	struct kreg_table *t = b->table;

	if (!t->dead && live_objects(b)) {
		if (kreg_store_is_writing(&t->store))
			return false;
		kreg_loan_end(b);
	}
	leave_lease(b);
	--*n;
	return true;
}

/* The same in a request in the lane of the table. True: there is none any more. */
static bool unbind_step(struct kreg_bond *b)
{
	struct kreg_table *t = b->table;

	if (t->dead)
		return true;
	if (b->is_lease) {
		if (live_objects(b))
			kreg_loan_end(b);
		return true;
	}
	if (b->unlinking) {
		kreg_store_begin_hold(&t->store);
	} else {
		if (!live_objects(b))
			return true;
		remove_some(b, UNBIND_RECORDS);
	}
	b->unlinking = !kreg_txn_unlink(&b->txn, UNBIND_RECORDS);
	if (b->unlinking)
		return false;
	look_after(t);
	return !live_objects(b);
}

bool kreg_table_is_unbinding(struct kreg_table *t)
{
	struct kreg_bond *b = list_first_entry_or_null(&t->unbinding, struct kreg_bond, waiting);

	kreg_table_assert(t);
	return b && b->unlinking;
}

static struct kreg_linger *linger_of_end(struct kreg_req *req)
{
	return container_of(req, struct kreg_linger, end);
}

static bool end_linger(struct kreg_req *req)
{
	return unbind_step(&linger_of_end(req)->bond);
}

/* Nobody binds to the dead, so there is still none; and the request is in nobody's hands. */
static void linger_ended(struct kreg_req *req)
{
	struct kreg_bond *b = &linger_of_end(req)->bond;
	struct kreg_table *t = b->table;

	spin_lock(&t->writer->turn);
	if (b->is_lease)
		b->lingers = false;
	leave_bond(b);
	spin_unlock(&t->writer->turn);
	kreg_table_put(t);
}

/*
 * In a softirq: the thread does it. A table without references waits for this to return. Where
 * ticks were lost when it was set, the timer goes off early.
 */
static void linger_is_over(struct timer_list *timer)
{
	struct kreg_linger *l = container_of(timer, struct kreg_linger, timer);
	struct kreg_table *t = l->bond.table;

	if (ktime_before(ktime_get(), l->until))
		mod_timer(timer, jiffies + 1);
	else if (kreg_table_tryget(t))
		kreg_writer_post(t->writer, &l->end);
}

/* One jiffy is added, so that the time has passed then. */
void kreg_bond_start_timer(struct kreg_bond *b)
{
	u64 delay = DIV_ROUND_UP_ULL((u64)b->linger_ms * HZ, MSEC_PER_SEC) + 1;
	struct kreg_linger *l = kreg_linger_of(b);
	struct kreg_table *t = b->table;

	kreg_table_assert(t);
	b->lingers = true;
	kreg_req_init(&l->end, &t->lane, end_linger, linger_ended);
	l->end.share = kreg_user_share(t->user, t->writer->nr);
	l->until = ktime_add_ms(ktime_get(), b->linger_ms);
	timer_setup(&l->timer, linger_is_over, 0);
	mod_timer(&l->timer, jiffies + delay);
}

void kreg_table_unbind_left(struct kreg_bond *b)
{
	if (!b->linger_ms || live_objects(b) || b->candidates || !list_empty(&b->waiting))
		return;
	/* A timer that was faster posts a request. */
	if (kreg_bond_stop_timer(b))
		end_bond(b);
}

/* What was lent and returned is not paid for by who had borrowed it. */
static void bond_left(struct kreg_holder *h, u32 records)
{
	struct kreg_bond *b = kreg_bond_of(h);

	if (!b->returned)
		kreg_user_uncharge(b->user, KREG_QUOTA_BOUND, records);
}

static void bond_cleared(struct kreg_holder *h)
{
	kreg_table_unbind_left(kreg_bond_of(h));
}

static void bond_free(struct kreg_holder *h)
{
	kreg_bond_free(kreg_bond_of(h));
}

const struct kreg_holder_ops kreg_bond_ops = {
	.left = bond_left,
	.cleared = bond_cleared,
	.release = bond_free,
};

void kreg_table_unbind_hold(struct kreg_bond *b)
{
	kreg_table_assert(b->table);
	b->candidates++;
}

void kreg_table_unbind_release(struct kreg_bond *b)
{
	kreg_table_assert(b->table);
	b->candidates--;
	if (b->candidates || b->table->dead)
		return;
	if (b->ended)
		retire_bond(b);
	else
		kreg_table_unbind_left(b);
}

/* Whether its time has still to begin. */
static bool stays_for_a_time(const struct kreg_bond *b)
{
	return b->linger_ms && !b->lingers && live_objects(b) && !b->table->dead;
}

/* The process is dead: its keys may be had from now on, and after that the time runs: true. */
static bool leave_keys(struct kreg_bond *b)
{
	if (b->keys_free) {
		kreg_bond_end(b, b->table->writer);
		kreg_bond_start_timer(b);
		return true;
	}
	b->keys_free = true;
	if (unlikely(b->table->awaited))
		kreg_awaited_look_at_lines(b->table->awaited);
	return false;
}

static bool unbind_or_leave(struct kreg_bond *b, unsigned int *n)
{
	if (b->is_lease)
		return return_now(b, n);
	if (!stays_for_a_time(b))
		return unbind_now(b, n);
	leave_keys(b);
	--*n;
	return true;
}

/* The same for the first of those that wait for the lane. True: the death has done with it. */
static bool end_step(struct kreg_bond *b)
{
	struct kreg_table *t = b->table;

	if (b->is_lease)
		return unbind_step(b);
	if (stays_for_a_time(b))
		return leave_keys(b);
	if (!unbind_step(b) || kreg_waits_has_freed(t))
		return false;
	end_bond(b);
	return true;
}

/* Some objects of the dead, whose deaths wait for that. True: there are no more. */
bool kreg_table_unbind_queued(struct kreg_table *t)
{
	struct kreg_bond *b = list_first_entry_or_null(&t->unbinding, struct kreg_bond, waiting);

	kreg_table_assert(t);
	if (!b)
		return true;
	if (end_step(b)) {
		list_del_init(&b->waiting);
		kreg_death_dequeue(t->writer, &b->proc->holdings[t->writer->nr].death);
		/* Its object may have gone while it was in the list. */
		if (b->is_lease)
			leave_lease(b);
	}
	return list_empty(&t->unbinding);
}

/*
 * Those that wait for the lane of their table are at the end of the list. To serve a line may end
 * a bond, so the first is looked up anew after that.
 */
static bool unbind_first(struct kreg_holdings *held, unsigned int *n,
			 const struct kreg_unbind_ops *ops)
{
	struct kreg_bond *b = list_first_entry_or_null(&held->bonds, struct kreg_bond, held);
	bool served;

	if (!b || !list_empty(&b->waiting))
		return false;
	if (kreg_waits_has_freed(b->table)) {
		served = ops->serve(b->table, n);
		if (served || !*n)
			return true;
	} else if (unbind_or_leave(b, n)) {
		return true;
	}
	list_move_tail(&b->held, &held->bonds);
	list_add_tail(&b->waiting, &b->table->unbinding);
	kreg_death_enqueue(&held->death);
	ops->queue(b->table);
	return true;
}

/* Remove what is bound to the dead. True: that was all. */
bool kreg_table_unbind_some(struct kreg_holdings *held, const struct kreg_unbind_ops *ops)
{
	unsigned int n = UNBIND_RECORDS;

	while (n)
		if (!unbind_first(held, &n, ops))
			return true;
	return false;
}
