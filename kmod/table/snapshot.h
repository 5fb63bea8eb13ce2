/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Snapshots: pins that clients have set, by KREG_IOC_PIN. A snapshot is a handle of its client and
 * ends with it, with its time, or with the table; or when others need the memory that it keeps.
 */
#ifndef KREG_TABLE_SNAPSHOT_H
#define KREG_TABLE_SNAPSHOT_H

#include <linux/ktime.h>
#include <linux/refcount.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "client/handle.h"
#include "store/pin.h"

struct kreg_client;
struct kreg_table;
struct kreg_writer;

struct kreg_snapshot {
	struct kreg_handle handle;
	struct kreg_pin pin;
	refcount_t refs;		/* the handle's, and one each call that reads by it */
	/* Invariant once it has started: */
	u64 table_id;
	struct kreg_writer *writer;
	ktime_t since;
	/* Under the turn: */
	struct kreg_table *table;	/* NULL: it has not started, or has ended */
	s64 paid;			/* bytes charged for what is kept, to its client's user */
	struct delayed_work timer;	/* its time */
};

/* Sleeps. One that has not started. ERR_PTR(): -ENOMEM, kreg_over_limit(). */
struct kreg_snapshot *kreg_snapshot_alloc(struct kreg_client *cl);
/* Sleeps. NULL is allowed. It has not started, or its handle has ended. */
void kreg_snapshot_put(struct kreg_snapshot *snap);
/*
 * Turn. It shows the last commit of @t for @ms milliseconds at most; kreg_store_want_pins() has
 * said that it can. kreg_over_limit().
 */
int kreg_snapshot_start(struct kreg_snapshot *snap, struct kreg_table *t, u64 ms);
/*
 * Sleeps. The snapshot of @cl with this id, of the table @table, with a reference. ERR_PTR():
 * -EINVAL: @cl cannot have had it, or not of this table; -ESTALE: it has ended; -EINTR.
 */
struct kreg_snapshot *kreg_snapshot_get(struct kreg_client *cl, u64 id, u64 table);

/* Turn. The oldest that @t has, or NULL. */
const struct kreg_snapshot *kreg_snapshot_first(const struct kreg_table *t);
/* Turn. End all that @t has. */
void kreg_snapshot_end_all(struct kreg_table *t);
/* Turn. Charge those who keep more than they have paid for, or end what cannot be charged. */
void kreg_snapshot_pay(struct kreg_table *t);

#endif /* KREG_TABLE_SNAPSHOT_H */
