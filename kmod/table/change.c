// SPDX-License-Identifier: GPL-2.0
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "table/change.h"
#include "client/client.h"
#include "table/names.h"
#include "client/proc.h"
#include "table/table.h"
#include "client/user.h"

/* Steps of upkeep in one hold of the turn by the thread. */
#define UPKEEP		64

/* Debug builds walk a store when its upkeep comes to an end, up to this size. */
#define VERIFY_OBJECTS	512

int kreg_table_check_write(const struct kreg_table *t, const struct kreg_client *cl)
{
	int err = kreg_table_may_write(t, cl);

	if (likely(!err))
		return 0;
	/* Pairs with kreg_table_destroy(): who finds no owner finds the table dead. */
	smp_rmb();
	return READ_ONCE(t->dead) ? -ESTALE : err;
}

int kreg_table_check_write_other(struct kreg_client *cl, const struct kreg_table *t)
{
	struct kreg_proc *owner = rcu_dereference(t->owner);

	if (owner && unlikely(kreg_proc_dead(owner)))
		return -EINPROGRESS;
	return kreg_table_check_write(t, cl);
}

int kreg_table_change_fits(struct kreg_table *t, const struct kreg_change *c)
{
	struct kreg_place place __uninitialized;

	return kreg_table_change_find(t, c, &place);
}

void kreg_table_upkeep_now(struct kreg_table *t, unsigned int budget, struct kreg_prealloc *pre)
{
	if (kreg_store_upkeep(&t->store, budget, pre) || kreg_store_has_limbo(&t->store))
		kreg_writer_add_upkeep(t->writer, &t->upkeep);
}

enum kreg_upkeep_state kreg_table_upkeep(struct kreg_upkeep *upkeep)
{
	struct kreg_table *t = container_of(upkeep, struct kreg_table, upkeep);
	struct kreg_prealloc pre = {};

	if (kreg_store_is_writing(&t->store))
		return KREG_UPKEEP_LATER;
	if (kreg_store_upkeep_idle(&t->store, UPKEEP, &pre))
		return KREG_UPKEEP_NOW;
	if (kreg_store_has_limbo(&t->store))
		return KREG_UPKEEP_LATER;
	if (t->store.objects <= VERIFY_OBJECTS)
		kreg_store_verify(&t->store);
	return KREG_UPKEEP_DONE;
}

int kreg_table_prealloc(struct kreg_table *t, struct kreg_prealloc *pre)
{
	int err;

	if (!kreg_prealloc_wanted(pre))
		return 0;
	err = kreg_prealloc_fill(pre, &t->store);
	if (err)
		return err;
	spin_lock(&t->writer->turn);
	kreg_store_add_prealloc(&t->store, pre);
	spin_unlock(&t->writer->turn);
	return 0;
}

void kreg_table_prealloc_ahead(struct kreg_table *t)
{
	struct kreg_prealloc pre = {};

	spin_lock(&t->writer->turn);
	if (!t->dead && !kreg_store_is_writing(&t->store))
		kreg_table_upkeep_now(t, 1, &pre);
	spin_unlock(&t->writer->turn);
	kreg_table_prealloc(t, &pre);
	kreg_prealloc_free(&pre);
}

/* Free some of what no reader can reach any more; false: there is none for now. */
static bool free_some(struct kreg_table *t)
{
	struct kreg_prealloc pre = {};
	bool more = false;

	spin_lock(&t->writer->turn);
	if (!t->dead && !kreg_store_is_writing(&t->store))
		more = kreg_store_upkeep(&t->store, KREG_TURN_RECORDS, &pre);
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
