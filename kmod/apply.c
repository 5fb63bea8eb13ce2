// SPDX-License-Identifier: GPL-2.0
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>

#include "apply.h"
#include "client.h"
#include "names.h"
#include "proc.h"
#include "table.h"
#include "user.h"

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

static __always_inline int find(struct kreg_table *t, const struct kreg_step *step,
				struct kreg_place *place)
{
	place->old = NULL;
	if (unlikely(step->change->kind == KREG_CHANGE_CLEAR))
		return 0;
	kreg_store_find(&t->store, &step->change->key, place);
	if (step->must_be_new && place->old)
		return -EEXIST;
	if (step->only && (!place->old || place->old->born != step->only))
		return -ECANCELED;
	return 0;
}

int kreg_apply_fits(struct kreg_table *t, const struct kreg_step *step)
{
	struct kreg_place place __uninitialized;

	return find(t, step, &place);
}

/* What the live bytes of the table grow by. */
static s64 growth(const struct kreg_table *t, const struct kreg_change *c,
		  const struct kreg_place *place)
{
	s64 old = place->old ? place->old_bytes : 0;

	switch (c->kind) {
	case KREG_CHANGE_PUT:
		return (s64)c->key.len + c->value_len - old;
	case KREG_CHANGE_DELETE:
		return -old;
	case KREG_CHANGE_CLEAR:
		return -t->charged;
	}
	return 0;
}

int kreg_apply_step(struct kreg_table *t, const struct kreg_step *step,
		    struct kreg_txn *txn, struct kreg_feed *feed)
{
	struct kreg_place place __uninitialized;
	int err = find(t, step, &place);
	s64 bytes;

	if (err)
		return err;
	bytes = growth(t, step->change, &place);
	if (bytes != step->paid)
		err = kreg_user_charge(t->user, KREG_QUOTA_BYTES, bytes - step->paid);
	if (err)
		return err;
	err = kreg_store_apply(txn, step->change, &place, feed);
	if (err)
		kreg_user_uncharge(t->user, KREG_QUOTA_BYTES, bytes - step->paid);
	else
		t->charged += bytes;
	return err;
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
