/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Requests that concern a table as a whole: what they bring along, and its end.
 */
#ifndef KREG_TABLE_REQUEST_H
#define KREG_TABLE_REQUEST_H

#include <linux/uidgid.h>
#include <linux/wait.h>

#include "table/line.h"
#include "writer/writer.h"

struct kreg_client;
struct kreg_death_limit;
struct kreg_mail;
struct kreg_policy;
struct kreg_proc;
struct kreg_snapshot;
struct kreg_standby;
struct kreg_stream;
struct kreg_subscription;
struct kreg_table;

struct kreg_table_req {
	struct kreg_req req;
	/* Under the turn, with the table alive; its result is the request's. */
	int (*apply)(struct kreg_table_req *c);
	/* References and memory; what apply() has not taken over goes with the request. */
	struct kreg_client *client;
	struct kreg_table *table;
	struct kreg_proc *to;
	kuid_t to_uid;			/* under whom it gets the table */
	struct kreg_mail *mail;		/* for @to */
	struct kreg_mail *heir_mail;	/* for the heir */
	struct kreg_stream *stream;
	struct kreg_subscription *subscription;
	struct kreg_snapshot *snapshot;
	struct kreg_table *role;
	struct kreg_policy *policy;	/* for @table, and for @role */
	struct kreg_policy *role_policy;
	struct kreg_death_limit *limit;	/* of @table */
	void *data;
	u32 data_len;
	bool silent;
	bool on_crash;
	u32 renames;			/* of @table, before its name was looked at */
	bool creates;			/* its end releases the id, if the table has not got it */
	u64 value;
	u64 value2;
	/* A claim may have to wait, asleep, or by its place. */
	struct kreg_standby *standby;
	struct kreg_waiter waiter;	/* in the line, it has a reference more */
	struct wait_queue_head woken;
	struct kreg_wake wake;
	bool over;			/* and then read the result */
	bool abandoned;			/* turn: its caller was killed */
};

/* Sleeps. Takes the reference on @table over, also when it returns NULL. */
struct kreg_table_req *kreg_table_req_alloc(struct kreg_client *client, struct kreg_table *table,
					    int (*apply)(struct kreg_table_req *c));
/* Turn. -EAGAIN: the table has another name than what was brought says. */
int kreg_table_req_check_name(const struct kreg_table_req *c);
/* Sleeps. Have it performed; the caller's reference on it ends. */
int kreg_table_req_submit(struct kreg_table_req *c);
/*
 * Sleeps. It was submitted, and this came of it: give back what it has brought and not used, and
 * the caller's reference. With -EINTR the thread may have it still, and gives that back.
 */
void kreg_table_req_end(struct kreg_table_req *c, int err);
/* Sleeps. Do not perform it; returns @err. */
int kreg_table_req_cancel(struct kreg_table_req *c, int err);

#endif /* KREG_TABLE_REQUEST_H */
