// SPDX-License-Identifier: GPL-2.0
#include <linux/rcupdate.h>
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

int kreg_apply_may_write(const struct kreg_table *t, const struct kreg_client *cl)
{
	int err = kreg_table_may_write(t, cl);

	if (likely(!err))
		return 0;
	/* With kreg_fate_destroy(): who finds no owner finds it dead. */
	smp_rmb();
	return READ_ONCE(t->dead) ? -ESTALE : err;
}

int kreg_apply_others_may_write(struct kreg_client *cl, const struct kreg_table *t)
{
	struct kreg_proc *owner = rcu_dereference(t->owner);

	if (owner && unlikely(kreg_proc_dead(owner)))
		return -EINPROGRESS;
	return kreg_apply_may_write(t, cl);
}

int kreg_apply_fits(struct kreg_table *t, const struct kreg_change *c)
{
	struct kreg_place place __uninitialized;

	return kreg_apply_find(t, c, &place);
}

void kreg_apply_tend(struct kreg_table *t, unsigned int budget, struct kreg_feed *feed)
{
	if (kreg_store_tend(&t->store, budget, feed) || kreg_store_has_limbo(&t->store))
		kreg_writer_tend(t->writer, &t->tend);
}

enum kreg_tended kreg_apply_upkeep(struct kreg_tend *tend)
{
	struct kreg_table *t = container_of(tend, struct kreg_table, tend);
	struct kreg_feed feed = {};

	if (kreg_store_is_writing(&t->store))
		return KREG_TENDED_LATER;
	if (kreg_store_upkeep(&t->store, UPKEEP, &feed))
		return KREG_TENDED_NOW;
	if (kreg_store_has_limbo(&t->store))
		return KREG_TENDED_LATER;
	if (t->store.objects <= VERIFY_OBJECTS)
		kreg_store_verify(&t->store);
	return KREG_TENDED_DONE;
}

int kreg_apply_feed(struct kreg_table *t, struct kreg_feed *feed)
{
	int err;

	if (!kreg_feed_wanted(feed))
		return 0;
	err = kreg_feed_fill(feed, &t->store);
	if (err)
		return err;
	spin_lock(&t->writer->turn);
	kreg_store_feed(&t->store, feed);
	spin_unlock(&t->writer->turn);
	return 0;
}

void kreg_apply_nourish(struct kreg_table *t)
{
	struct kreg_feed feed = {};

	spin_lock(&t->writer->turn);
	if (!t->dead && !kreg_store_is_writing(&t->store))
		kreg_apply_tend(t, 1, &feed);
	spin_unlock(&t->writer->turn);
	kreg_apply_feed(t, &feed);
	kreg_feed_free(&feed);
}

/* Free some of what no reader can reach any more; false: there is none for now. */
static bool free_some(struct kreg_table *t)
{
	struct kreg_feed feed = {};
	bool more = false;

	spin_lock(&t->writer->turn);
	if (!t->dead && !kreg_store_is_writing(&t->store))
		more = kreg_store_tend(&t->store, KREG_TURN_RECORDS, &feed);
	spin_unlock(&t->writer->turn);
	cond_resched();
	return more;
}

void kreg_apply_throttle(struct kreg_table *t)
{
	while (unlikely(kreg_store_limbo_full(&t->store)) && !READ_ONCE(t->dead) &&
	       !fatal_signal_pending(current))
		if (!free_some(t))
			synchronize_rcu();
}
