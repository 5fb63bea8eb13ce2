/* SPDX-License-Identifier: GPL-2.0 */
/* Writes for which it matters to whom objects are bound. */
#ifndef KREG_TABLE_BOUND_H
#define KREG_TABLE_BOUND_H

#include "store/write.h"
#include "table/bind.h"

struct kreg_bond;
struct kreg_client;
struct kreg_table;

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
/* Turn. @b was brought and entered for a change that could not be applied. */
void kreg_bind_take_back(struct kreg_table *t, struct kreg_bind *bind, struct kreg_bond *b);

#endif /* KREG_TABLE_BOUND_H */
