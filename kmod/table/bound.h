/* SPDX-License-Identifier: GPL-2.0 */
/* Writes for which it matters to whom objects are bound. */
#ifndef KREG_TABLE_BOUND_H
#define KREG_TABLE_BOUND_H

#include <linux/container_of.h>

#include "store/write.h"

struct kreg_bond;
struct kreg_client;
struct kreg_expirer;
struct kreg_proc;
struct kreg_table;

/* What a change says about whom objects are bound to. */
struct kreg_bind {
	const struct kreg_client *client;	/* who says it, and whose user pays */
	struct kreg_proc *proc;		/* to whom objects are bound, a reference; or NULL */
	u32 linger_ms;			/* how long they stay after its death, or are lent */
	bool strict;			/* not to be displaced before that */
	bool served;			/* it is the turn of who wants that: no line comes before */
	bool lends;			/* it borrows the object, whose value stays as it is */
	/* Of a struct kreg_timed_bind, which any that has one of these is in: */
	bool times : 1;			/* a new object expires as that says */
	bool keeps : 1;			/* one that replaces another expires as that */
	struct kreg_bond *bond;		/* brought, as long as it is not entered; or NULL */
};

/* What a change says besides about when its object expires. */
struct kreg_timed_bind {
	struct kreg_bind bind;
	struct kreg_expiry expiry;	/* with @times */
	struct kreg_expirer *expirer;	/* with @times: brought; or NULL */
	struct kreg_expiry chosen;	/* turn: what holds */
};

static inline struct kreg_timed_bind *kreg_timed_bind_of(struct kreg_bind *b)
{
	return container_of(b, struct kreg_timed_bind, bind);
}

/* Any. It matters to @c who @cl is, with what is said in @bind; that is filled in if need be. */
void kreg_bind_note(struct kreg_change *c, struct kreg_bind *bind, const struct kreg_client *cl);
/* Sleeps. Bring what binding to @bind->proc may need. -ENOMEM. */
int kreg_bind_bring(struct kreg_bind *bind, u64 table);
/* Any. Pay for one more bound object, if that is within the limit. */
void kreg_bind_pay(struct kreg_change *c);
/* Any. Free what was brought and not used; the charge of a change that was not applied. */
void kreg_bind_drop(struct kreg_bind *bind);
void kreg_bind_refund(struct kreg_change *c);

/*
 * Turn. See that there is a bond for what @bind says. -ESRCH: the process is exiting or dead.
 * kreg_over_limit(); -EAGAIN, -ENOSPC as kreg_store_reserve().
 */
int kreg_table_bind(struct kreg_table *t, struct kreg_bind *bind, struct kreg_prealloc *pre,
		    struct kreg_bond **bond);

#endif /* KREG_TABLE_BOUND_H */
