/* SPDX-License-Identifier: GPL-2.0 */
/* What few changes say: to whom objects are bound, and when they expire. */
#ifndef KREG_TABLE_BIND_H
#define KREG_TABLE_BIND_H

#include <linux/container_of.h>

#include "store/expiry.h"

struct kreg_bond;
struct kreg_client;
struct kreg_expirer;
struct kreg_proc;

/* What a change says about whom objects are bound to. */
struct kreg_bind {
	const struct kreg_client *client;	/* who says it, and whose user pays */
	struct kreg_proc *proc;		/* to whom objects are bound, a reference; or NULL */
	u32 linger_ms;			/* how long they stay after its death, or are lent */
	bool strict;			/* not to be displaced before that */
	bool served;			/* it is the turn of who wants that: no line comes before */
	bool lends;			/* it borrows the object, whose value stays as it is */
	bool took : 1;			/* TAKE: the version is that of what was copied out */
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

#endif /* KREG_TABLE_BIND_H */
