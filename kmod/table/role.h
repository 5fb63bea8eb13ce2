/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Roles, and limits of deaths.
 *
 * DOC: Roles
 *
 * A role is a table like any other; to own it is to play it. Tables may follow a role: they
 * have its owner as their owner, whatever becomes of it. A follower is not in the list of what
 * its owner has, but in that of its role, so that a death, and whoever else looks for what
 * somebody owns, comes to the role and moves its followers with it, in the same hold of the
 * turn. That they are few bounds the hold.
 *
 * A move waits for nothing that is queued for a follower: what is queued is decided about at
 * its turn, and a batch that has begun is finished. Only what might destroy a follower goes the
 * usual way, in its lane. So when a role goes, its followers become their owner's own, and if
 * he is dead his death finds them.
 *
 * A role that may write to a table is named by its id, so it may go without anybody's doing
 * anything about it.
 */
#ifndef KREG_TABLE_ROLE_H
#define KREG_TABLE_ROLE_H

#include <linux/ktime.h>
#include <linux/types.h>

#include "table/table.h"

struct kreg_user;

/* When the last owners have died. */
struct kreg_death_limit {
	u64 ms;				/* more deaths within that quarantine the table, */
	u64 park_ms;			/* for how long, if its orphan setting does not say */
	u32 max;
	u32 nr;
	u32 next;			/* place of the next one; if nr is max, of the oldest */
	ktime_t at[];
};

/* Sleeps. At the cost of @user. ERR_PTR(): -ENOMEM, kreg_over_limit(). */
struct kreg_policy *kreg_policy_alloc(struct kreg_user *user);
struct kreg_death_limit *kreg_death_limit_alloc(struct kreg_user *user, u32 max, u64 ms);
/* Any. What no table has, or has any more; NULL is allowed. */
void kreg_policy_free(struct kreg_policy *p, struct kreg_user *user);
void kreg_death_limit_free(struct kreg_death_limit *l, struct kreg_user *user);

/* Turn. Let @t have @p, which it takes over, unless it has one already. */
void kreg_table_set_policy(struct kreg_table *t, struct kreg_policy **p);
/* Turn. Let @t, which has a policy, have @l as its limit, or none; returns what it had. */
struct kreg_death_limit *kreg_table_set_limit(struct kreg_table *t, struct kreg_death_limit *l);

/*
 * Turn. Let @t follow @role, which has the same owner and writer. Both have a policy, and that
 * @t may be parked is charged. -EINVAL: one of them is the other's kind already; -EBUSY: it has
 * an heir; kreg_over_limit().
 */
int kreg_role_check(const struct kreg_table *t, const struct kreg_table *role);
void kreg_role_follow(struct kreg_table *t, struct kreg_table *role);
/* Turn. @t, which follows a role, is its owner's own again. */
void kreg_role_leave(struct kreg_table *t);
/* Turn. It is about to be destroyed: it follows nobody, and nobody follows it any more. */
void kreg_role_leave_all(struct kreg_table *t);

/* RCU. The role that may write to @t, or NULL. */
const struct kreg_table *kreg_table_writer_role(const struct kreg_table *t);

/* Turn. An owner has died. True: one too many. */
bool kreg_table_note_death(struct kreg_table *t);
void kreg_table_end_quarantine(struct kreg_table *t);

#endif /* KREG_TABLE_ROLE_H */
