/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The line of a table: who wants to own it when nobody does any more.
 *
 * DOC: A line
 *
 * Who may claim a table that has an owner may stand in its line, asleep in the call (WAIT) or
 * not (STANDBY, see standby.h). When the owner has died without an heir, or has parked the
 * table, the first gets it who is not exiting and still may claim it; those before him are
 * told that they may not, or that it has another schema by now. Who has died is passed over. So
 * who stands in line saves a table that its owner's death would have destroyed; but one death too
 * many for its limit parks it, and its line stays.
 *
 * A place brings all that it needs, so serving it neither allocates nor fails.
 */
#ifndef KREG_TABLE_LINE_H
#define KREG_TABLE_LINE_H

#include <linux/list.h>
#include <linux/types.h>

#include "table/schema.h"

struct kreg_client;
struct kreg_proc;
struct kreg_table;
struct kreg_writer;

/* A place in a line, part of what stands there. */
struct kreg_waiter {
	struct list_head node;		/* turn; empty: not waiting */
	/* Looked at when its turn comes: whose rights, and what the table has to have. */
	const struct kreg_client *client;
	struct kreg_schema schema;
	struct kreg_table *table;	/* turn: while it waits */
	int result;			/* once it waits no more */
	/*
	 * Turn. Called when it waits no more, after which it may be gone. @from has owned the
	 * table until now; NULL: it is not given to the waiter.
	 */
	void (*over)(struct kreg_waiter *waiter, const struct kreg_proc *from);
};

/* Turn. Stand in the line of @t. kreg_over_limit(): it is full. */
int kreg_line_enter(struct kreg_table *t, struct kreg_waiter *waiter);
/* Turn. End the wait with @result, which is 0 if the table is @waiter's now, and was @from's. */
void kreg_line_end(struct kreg_waiter *waiter, int result, const struct kreg_proc *from);
/* Sleeps. End it likewise, unless it has ended by itself: false. */
bool kreg_line_leave(struct kreg_waiter *waiter, struct kreg_writer *w, int result);
/* Turn. Nobody waits for it any more, because of @result: it is destroyed, or follows a role. */
void kreg_line_end_all(struct kreg_table *t, int result);
/* Turn. The first who is to have the table, or NULL. Who may not any more is told so. */
struct kreg_waiter *kreg_line_next(struct kreg_table *t);

#endif /* KREG_TABLE_LINE_H */
