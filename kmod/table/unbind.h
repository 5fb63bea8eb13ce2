/* SPDX-License-Identifier: GPL-2.0 */
/* The end of bound objects, when their process is dead. */
#ifndef KREG_TABLE_UNBIND_H
#define KREG_TABLE_UNBIND_H

#include <linux/types.h>

struct kreg_bond;
struct kreg_holdings;
struct kreg_table;

/*
 * Turn. Remove some of what is bound to the dead, as one commit for each table. A table that
 * is not to be changed now, since a write of it is under way, is handed to @queue, and the
 * death waits for kreg_table_unbind_queued(). What lingers is only given its time. True: that
 * was all.
 */
bool kreg_table_unbind_some(struct kreg_holdings *held, void (*queue)(struct kreg_table *t));
/* Turn, in a request in the lane of @t. The same for deaths that wait. True: there are none. */
bool kreg_table_unbind_queued(struct kreg_table *t);

/*
 * Turn. An object of @b was removed or replaced by a write. If it was the last, and @b has a
 * time to linger, it ends: who rebinds a key with ever another time leaves nothing behind.
 */
void kreg_table_unbind_left(struct kreg_bond *b);

#endif /* KREG_TABLE_UNBIND_H */
