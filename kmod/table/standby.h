/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Standing by: a place in the line of a table that a client holds without sleeping.
 *
 * DOC: A place
 *
 * A place has its record with it from the start, so that it cannot be lost for want of memory
 * or room. It stands in the line until the table is its process', or gone, or its client may
 * not claim it any more; then the record that says so is in the mailbox of the client until it
 * has been read. It is freed by who reads it or cancels it.
 *
 * A place ends with its client, whose process would not know what it has got. A record of
 * a table that the process owns already is not lost by that: as others of this kind it goes to
 * the next client, also over execve(2).
 */
#ifndef KREG_TABLE_STANDBY_H
#define KREG_TABLE_STANDBY_H

#include <linux/list.h>

#include "client/handle.h"
#include "client/mailbox.h"
#include "table/line.h"

struct kreg_client;
struct kreg_table;
struct kreg_user;
struct kreg_writer;

struct kreg_standby {
	struct kreg_handle handle;	/* its client is NULL when that is closed */
	struct list_head of_client;	/* watch_lock of the client */
	struct kreg_waiter waiter;
	/* The same as in @waiter, with a reference; NULL once it waits no more. */
	struct kreg_table __rcu *table;
	/* Invariant: */
	struct kreg_writer *writer;	/* of the table */
	struct kreg_user *user;		/* who pays; a reference */
	struct kreg_mail mail;		/* last, since the name follows it */
};

/* What a place takes, with room for the name that its table has in the end. */
#define KREG_STANDBY_BYTES	(sizeof(struct kreg_standby) + KREG_MAX_NAME)

/*
 * Sleeps. A place of @cl for the line of @t: it has an id, by which nobody finds it yet.
 * ERR_PTR: -ENOMEM, kreg_over_limit().
 */
struct kreg_standby *kreg_standby_alloc(struct kreg_client *cl, struct kreg_table *t, u64 udata);
/* Any. Nothing has been done with it. NULL is allowed. */
void kreg_standby_free(struct kreg_standby *s);
/* Turn. Let it stand in the line of its table. kreg_over_limit(). */
int kreg_standby_enter(struct kreg_standby *s);
/*
 * Sleeps, under client->reading. Look for dead owners among those of the tables for which @cl
 * stands by, and have a death handled, until the mailbox is not empty. -EINTR.
 */
int kreg_standby_sync(struct kreg_client *cl);

#endif /* KREG_TABLE_STANDBY_H */
