/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Requests that concern a table as a whole: what they bring along, and its end.
 */
#ifndef KREG_CONTROL_H
#define KREG_CONTROL_H

#include "table/owner.h"

struct kreg_client;
struct kreg_mail;
struct kreg_proc;
struct kreg_table;

struct kreg_control {
	struct kreg_req req;
	/* Under the turn, with the table alive; its result is the request's. */
	int (*apply)(struct kreg_control *c);
	/* References and memory; what apply() has not taken over goes with the request. */
	struct kreg_client *client;
	struct kreg_table *table;
	struct kreg_proc *to;
	struct kreg_mail *mail;		/* for @to */
	struct kreg_mail *heir_mail;	/* for the heir */
	void *data;
	u32 data_len;
	bool silent;
	u64 value;
	u64 value2;
	/* A claim may have to wait: */
	struct kreg_waiter waiter;
	bool over;			/* and then read the result */
};

/* Takes the reference on @table over, also when it returns NULL. */
struct kreg_control *kreg_control_alloc(struct kreg_client *client, struct kreg_table *table,
					int (*apply)(struct kreg_control *c));
/* Perform it; the caller's reference on it ends. */
int kreg_control_submit(struct kreg_control *c);
/* Do not; return @err. */
int kreg_control_abandon(struct kreg_control *c, int err);

#endif /* KREG_CONTROL_H */
