/* SPDX-License-Identifier: GPL-2.0 */
/* A wait for a key or a name on its way, and what happens to it under the turn. */
#ifndef KREG_CMD_WAIT_APPLY_H
#define KREG_CMD_WAIT_APPLY_H

#include <linux/types.h>
#include <linux/wait.h>

#include "store/write.h"
#include "table/awaited.h"
#include "table/waits.h"
#include "writer/writer.h"

struct kreg_candidate;
struct kreg_client;
struct kreg_ready;
struct kreg_table;

struct wait {
	struct kreg_req req;
	struct kreg_client *client;	/* a reference */
	struct kreg_table *table;	/* a reference; NULL: the key is a name */
	u32 kind;
	u64 version;
	struct kreg_key key;		/* as it is in @brought */
	/* Used up, or freed with it: */
	struct kreg_awaited *brought;
	struct kreg_awaited_set *set;
	struct kreg_ready *ready;	/* NULL: the caller sleeps */
	struct kreg_candidate *candidate;	/* to stand in the line of the key; or NULL */
	/* Turn. A look that takes several holds: */
	bool begun;
	struct kreg_txn txn;
	struct kreg_place place;
	/* Of a caller who sleeps; while he does there is a reference more to all of it: */
	struct kreg_wait wait;
	bool charged;
	bool abandoned;			/* turn: he was killed */
	bool over;			/* and then read the outcome */
	struct kreg_outcome outcome;
	struct wait_queue_head woken;
	struct kreg_wake wake;
};

/*
 * Sleeps. Of @cl; on a key of @t, to which it adds a reference, or on a name. To be freed by
 * kreg_req_put(). NULL.
 */
struct wait *kreg_wait_alloc(struct kreg_client *cl, struct kreg_table *t);
/* Sleeps. Bring the key, and what the table needs for that. -ENOMEM. */
int kreg_wait_bring_key(struct wait *w, const u8 *key, u32 len);
/* Sleeps. Bring the record, or the charge for one who sleeps. -ENOMEM, kreg_over_limit(). */
int kreg_wait_bring_record(struct wait *w, bool sleeps, u64 udata, u64 table);
/*
 * Sleeps. Wait on the key, or on the name; with a record return when that is certain, else
 * sleep, at most until @deadline_ns, 0: for as long as it takes. What is charged for a record or
 * a sleep that has not come to be, or is over, is given back when this returns.
 */
int kreg_wait_for_key(struct wait *w, u64 deadline_ns);
int kreg_wait_for_name(struct wait *w, u64 deadline_ns);

#endif /* KREG_CMD_WAIT_APPLY_H */
