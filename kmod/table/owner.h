/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What becomes of a table: it is handed on, inherited, parked, claimed, destroyed.
 *
 * DOC: A death
 *
 * For each table of the dead process, in the order in which it became owner: the
 * heir gets it, if it lives, is not exiting and has a client; else the table is
 * parked or destroyed, as its orphan setting says. A parked table goes at once to
 * the first process that waits to claim it. What is sent was set aside before, so
 * nothing here allocates or fails. All of it happens under the turn, in pieces.
 */
#ifndef KREG_TABLE_OWNER_H
#define KREG_TABLE_OWNER_H

#include <linux/types.h>

#include "writer/writer.h"

struct kreg_mail;
struct kreg_proc;
struct kreg_table;

/* A process that waits for a table. In its request, which has a reference more. */
struct kreg_waiter {
	struct list_head node;		/* turn; empty: not waiting */
	struct kreg_proc *proc;
	struct kreg_table *table;
	int result;			/* once it waits no more */
	/* Called when it waits no more: wakes it and drops the reference. */
	void (*over)(struct kreg_waiter *waiter);
};

extern const struct kreg_writer_ops kreg_table_writer_ops;

/* All under the turn of the table. */
void kreg_table_destroy(struct kreg_table *t);
/* @mail is consumed; NULL: the new owner knows already. */
void kreg_table_give(struct kreg_table *t, struct kreg_proc *to, struct kreg_mail *mail);
/* For @ms, 0: no limit. kreg_over_limit(): its user has too many parked tables. */
int kreg_table_park(struct kreg_table *t, u64 ms);
/* Take a parked table, or stand in line for it. */
void kreg_table_claim(struct kreg_table *t, struct kreg_proc *p);
void kreg_table_wait(struct kreg_table *t, struct kreg_waiter *waiter);
/* It waits no more; that is the result. */
void kreg_table_end_wait(struct kreg_waiter *waiter, int result);
/* Change what the orphan setting is charged for. */
int kreg_table_set_orphan(struct kreg_table *t, u8 orphan, u64 ms);
void kreg_table_uncharge_park(struct kreg_table *t);

/* The park timer of @t has run out; drops the timer's reference. May sleep. */
void kreg_table_park_expired(struct kreg_table *t);

/* The last client of @p is closed: it is nobody's heir any more. May sleep. */
void kreg_table_end_heirships(struct kreg_proc *p);

#endif /* KREG_TABLE_OWNER_H */
