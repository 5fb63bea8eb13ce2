/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What writes of all forms do under the turn.
 */
#ifndef KREG_APPLY_H
#define KREG_APPLY_H

#include <linux/errno.h>

#include "client.h"
#include "names.h"
#include "store.h"
#include "table.h"
#include "writer.h"

/* One change and what it depends on. */
struct kreg_step {
	struct kreg_change *change;
	bool must_be_new;
	u64 only;			/* version that the object must have, or 0 */
	s64 paid;			/* bytes that the user was charged for it before */
};

/* Early, with a reference or under RCU: -ESTALE, -EACCES. */
int kreg_apply_may_write(const struct kreg_table *t, const struct kreg_client *cl);
/* Early, under RCU: -EINPROGRESS as well. */
int kreg_apply_others_may_write(struct kreg_client *cl, const struct kreg_table *t);
/* The same by id, with the owner let through at once. */
static inline int kreg_apply_writable(struct kreg_client *cl, u64 id,
				      struct kreg_table **found)
{
	struct kreg_table *t = kreg_names_id(cl->ns, id);

	if (unlikely(!t))
		return kreg_names_no_id(id);
	*found = t;
	return kreg_table_owned_by(t, cl->proc) ? 0 : kreg_apply_others_may_write(cl, t);
}

/* All under the turn. Is the table there, and may @cl write to it? */
static inline int kreg_apply_check(const struct kreg_table *t, const struct kreg_client *cl)
{
	kreg_table_assert(t);
	if (unlikely(t->dead))
		return -ESTALE;
	return kreg_table_owned_by(t, cl->proc) ? 0 : kreg_table_may_write(t, cl);
}

/* -EEXIST; -ECANCELED: the object is not the one that @step is for. */
int kreg_apply_fits(struct kreg_table *t, const struct kreg_step *step);
/*
 * Apply @step, if it fits, within @txn, and charge the user for what it adds.
 * Also -EDQUOT; -EAGAIN, -ENOSPC as kreg_store_apply().
 */
int kreg_apply_step(struct kreg_table *t, const struct kreg_step *step,
		    struct kreg_txn *txn, struct kreg_feed *feed);
/* Some upkeep after a write, and have the thread do the rest. */
void kreg_apply_tend(struct kreg_table *t, unsigned int budget, struct kreg_feed *feed);

/*
 * Without the turn, may sleep: get what the store lacks. -ENOMEM only if it cannot
 * go on without.
 */
int kreg_apply_feed(struct kreg_table *t, struct kreg_feed *feed);
/* The same for what a write that nobody waits for will want. */
void kreg_apply_nourish(struct kreg_table *t);
/* Too much waits for readers to leave: wait for them. */
void kreg_apply_throttle(struct kreg_table *t);

/* For kreg_table.tend */
enum kreg_tended kreg_apply_upkeep(struct kreg_tend *tend);

#endif /* KREG_APPLY_H */
