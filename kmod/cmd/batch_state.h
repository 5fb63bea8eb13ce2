/* SPDX-License-Identifier: GPL-2.0 */
/* A batch on its way, between the files that deal with it. */
#ifndef KREG_CMD_BATCH_STATE_H
#define KREG_CMD_BATCH_STATE_H

#include "store/write.h"
#include "table/bound.h"
#include "writer/lane.h"

struct kreg_client;
struct kreg_table;

struct kreg_batch_op {
	struct kreg_change change;	/* key.bytes, key.len, kind, value_len, root, blob */
	bool open;			/* has or may get what is to be given back */
	u32 error;
};

enum kreg_batch_phase { START, CHECK, APPLY, SETTLE, DONE };

struct kreg_batch {
	struct kreg_req req;
	struct kreg_client *client;
	struct kreg_table *table;
	u64 bytes;			/* of keys and values */
	u32 count;
	bool atomic;
	u8 async : 1;			/* nobody waits for it */
	u8 queued : 1;			/* charged as such */
	u8 waited : 1;			/* at the limit of the user */
	u8 roomy : 1;			/* each PUT has room for a bond */
	/* Under way, turn: */
	u8 registry : 1;		/* all operations are to be told of the client */
	bool rest;			/* some operations are open still */
	bool far;			/* @place is where a look has got to */
	enum kreg_batch_phase phase;
	u32 next;			/* operation */
	u32 failed;			/* as of kreg_batch_apply() */
	u32 first_error;		/* of an operation */
	struct kreg_bind bind;		/* for operations that bind */
	struct kreg_place place;
	struct kreg_txn txn;
	struct kreg_prealloc pre;
	struct kreg_batch_op ops[];
};

/* Turn. Do the work of the phase for up to @n operations. */
void kreg_batch_advance(struct kreg_batch *b, u32 n);
/* Turn. It was looked through, and is not applied: @err, for which no operation is to blame. */
void kreg_batch_give_up(struct kreg_batch *b, int err);
/* Sleeps. It was applied, or has failed: give back what was reserved, and bring what is wanted. */
void kreg_batch_end(struct kreg_batch *b);
/* Turn. An operation fails, the batch does not. */
void kreg_batch_note_failed(struct kreg_batch *b, struct kreg_batch_op *op, int err);

#endif /* KREG_CMD_BATCH_STATE_H */
