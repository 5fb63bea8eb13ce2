/* SPDX-License-Identifier: GPL-2.0 */
/* The end of bound objects, when their process is dead. */
#ifndef KREG_TABLE_UNBIND_H
#define KREG_TABLE_UNBIND_H

#include <linux/types.h>

struct kreg_bond;
struct kreg_holdings;
struct kreg_table;

struct kreg_unbind_ops {
	/* Turn. See that kreg_table_unbind_queued() is called in the lane of @t. */
	void (*queue)(struct kreg_table *t);
	/*
	 * Turn. Give keys of @t that have come free to who stands in line for them; *@n counts
	 * down, to 0 at most. False: there are more, or it needs the lane.
	 */
	bool (*serve)(struct kreg_table *t, unsigned int *n);
};

/*
 * Turn. Remove some of what is bound to the dead, as one commit for each table, and serve the
 * lines of its keys. A table that is not to be changed now, since a write of it is under way, is
 * handed to @ops->queue, and the death waits for kreg_table_unbind_queued(). What lingers is only
 * given its time, and what the dead have borrowed is returned. True: that was all.
 */
bool kreg_table_unbind_some(struct kreg_holdings *held, const struct kreg_unbind_ops *ops);
/*
 * Turn, in a request in the lane of @t. The same for deaths that wait, but for the lines, which the
 * caller serves before each step. True: there are none.
 */
bool kreg_table_unbind_queued(struct kreg_table *t);
/* Turn. Whether that is in the middle of a write of @t. */
bool kreg_table_is_unbinding(struct kreg_table *t);

/*
 * Turn. An object of @b was removed or replaced by a write. If it was the last, and @b has a
 * time to linger or is a lease, it ends: who rebinds a key with ever another time leaves nothing
 * behind. One of which a death is in the middle ends with that.
 */
void kreg_table_unbind_left(struct kreg_bond *b);

/* Turn. Set the timer of a bond with a time to linger, once. */
void kreg_bond_start_timer(struct kreg_bond *b);
/* Turn. @b is to get an object for one candidate more, and does not end before; one less. */
void kreg_table_unbind_hold(struct kreg_bond *b);
void kreg_table_unbind_release(struct kreg_bond *b);

#endif /* KREG_TABLE_UNBIND_H */
