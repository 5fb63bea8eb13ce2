/* SPDX-License-Identifier: GPL-2.0 */
/* Rights: who may do what with a table. */
#ifndef KREG_TABLE_ACCESS_H
#define KREG_TABLE_ACCESS_H

#include <linux/types.h>

struct kreg_client;
struct kreg_proc;
struct kreg_table;

/*
 * Any. Rights. Under RCU they say what was true a moment ago; under the turn, what
 * counts. 0, -EACCES or -EPERM.
 */
int kreg_table_may_read(const struct kreg_table *t, const struct kreg_client *cl);
int kreg_table_may_write(const struct kreg_table *t, const struct kreg_client *cl);
int kreg_table_may_open(const struct kreg_table *t, const struct kreg_client *cl);
int kreg_table_may_know(const struct kreg_table *t, const struct kreg_client *cl);
int kreg_table_may_control(const struct kreg_table *t, const struct kreg_client *cl);
int kreg_table_may_claim(const struct kreg_table *t, const struct kreg_client *cl);
/* Any. Destroy it, or name it anew. While it is parked, who may claim it could do so first. */
int kreg_table_may_dispose(const struct kreg_table *t, const struct kreg_client *cl);
/* Turn. Also whether @cl may say who is to own it: -EBUSY, since it goes where its role goes. */
int kreg_table_may_pass_on(const struct kreg_table *t, const struct kreg_client *cl);
/* Any. Whether @cl owns the role that may write to @t. */
bool kreg_table_is_writer(const struct kreg_table *t, const struct kreg_client *cl);
/* RCU. Who owns that role, if he is dead; NULL: he lives, or there is none. Borrowed. */
struct kreg_proc *kreg_table_dead_writer(const struct kreg_table *t);
/* Any. Whether the opener has CAP_SYS_ADMIN over the user namespace of the table. */
bool kreg_table_may_administer(const struct kreg_table *t, const struct kreg_client *cl);

/*
 * Turn. Nobody changes an object of @t any more. -EBUSY: some would end by themselves, or somebody
 * stands in line for a key.
 */
int kreg_table_seal(struct kreg_table *t);

#endif /* KREG_TABLE_ACCESS_H */
