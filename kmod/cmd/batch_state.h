/* SPDX-License-Identifier: GPL-2.0 */
/* A batch on its way, between the files that deal with it. */
#ifndef KREG_CMD_BATCH_STATE_H
#define KREG_CMD_BATCH_STATE_H

#include <linux/kreg.h>

#include "store/write.h"
#include "table/bound.h"
#include "table/table.h"
#include "writer/lane.h"

struct kreg_client;
struct kreg_looks;

struct kreg_batch_op {
	struct kreg_change change;	/* key.bytes, key.len, kind, value_len, root, blob */
	bool open;			/* has or may get what is to be given back */
	bool late;			/* has a look, and gets its slot under the turn */
	u32 error;
};

enum kreg_batch_phase { START, CHECK, APPLY, COMMIT, SETTLE, DONE };

struct kreg_batch {
	struct kreg_req req;
	struct kreg_client *client;
	struct kreg_table *table;
	u64 bytes;			/* of keys and values */
	u32 count;
	u32 next;			/* operation, turn */
	u32 failed;			/* as of kreg_batch_apply() */
	u16 first_error;		/* of an operation */
	u8 async : 1;			/* nobody waits for it */
	u8 queued : 1;			/* charged as such */
	u8 waited : 1;			/* at the limit of the user */
	u8 roomy : 1;			/* each PUT has room for a bond */
	u8 grouped : 1;			/* one of a group */
	/* Under way, turn: */
	u8 registry : 1;		/* all operations are to be told of the client */
	u8 unusual : 1;			/* that, or one of a group, or there are looks */
	u8 starved : 1;			/* it is to be begun anew, with more memory */
	u8 rest : 1;			/* some operations are open still */
	u8 far : 1;			/* @place is where a look has got to */
	u8 phase : 3;			/* enum kreg_batch_phase */
	u8 atomic : 1;
	u8 crowded : 1;			/* it leaves a list that is long in places */
	struct kreg_looks *looks;	/* a reference; or NULL */
	struct kreg_bind bind;		/* for operations that bind */
	struct kreg_place place;
	struct kreg_txn txn;
	struct kreg_prealloc pre;
	struct kreg_batch_op ops[];
};

/* Turn. Do the work of the phase for up to @n operations. */
void kreg_batch_advance(struct kreg_batch *b, u32 n);
/* Turn. Its next phase. */
static inline void kreg_batch_enter(struct kreg_batch *b, enum kreg_batch_phase phase)
{
	b->phase = phase;
	b->next = 0;
}

/* Turn. The conditions of @c, of an atomic batch, are met: when it is applied they do not count. */
static inline void kreg_batch_settle(const struct kreg_batch *b, struct kreg_change *c)
{
	c->must_be_new = false;
	c->must_be_there = false;
	/* Where keys have runs it is needed again, to find the object. */
	if (likely(!kreg_store_has_runs(&b->table->store)))
		c->only = 0;
	/* DELETE of what is not the caller's is no failure. */
	c->mine = c->mine && c->kind == KREG_CHANGE_DELETE;
	c->checked = true;
}

/* Turn. @failed is the index of the operation that is to blame, or the count if none is. */
void kreg_batch_fail(struct kreg_batch *b, int err, u32 failed);
/* Turn. It matters to @c who the client is. */
void kreg_batch_note_client(struct kreg_batch *b, struct kreg_change *c);
/* Turn. It was looked through, and is not applied: @err, for which no operation is to blame. */
void kreg_batch_give_up(struct kreg_batch *b, int err);
/* Sleeps. It was applied, or has failed: give back what was reserved, and bring what is wanted. */
void kreg_batch_end(struct kreg_batch *b);
/*
 * batch_link.c. Any. Fill in what the operations @op, which have been described, say with looks;
 * their keys go to @keys. -EFAULT.
 */
int kreg_batch_describe_looks(struct kreg_batch *b, const struct kreg_op *op, u8 *keys);
/* Any. All keys are there: find out which operations are of the same. */
void kreg_batch_link(struct kreg_batch *b);
/*
 * batch_late.c. Turn. CHECK of a batch with looks, for up to @n operations. Where it lacks memory
 * it is starved; what is lent the turn and lacks time begins anew.
 */
void kreg_batch_check_looks(struct kreg_batch *b, u32 n);
/* Turn. How many of @n operations of such a batch are to be applied in one hold. */
u32 kreg_batch_look_hold(const struct kreg_batch *b, u32 n);
/* Turn. As kreg_table_change() for one of a batch with looks. */
int kreg_batch_apply_look(struct kreg_batch *b, struct kreg_batch_op *op, bool far);
/*
 * batch_reserve.c. Sleeps. It was starved: bring what it lacked, and have it begin anew. -ENOMEM,
 * -ENOSPC, -EINTR, kreg_over_limit().
 */
int kreg_batch_bring(struct kreg_batch *b);
/* Any, while it is not under way. It begins anew. */
void kreg_batch_restart(struct kreg_batch *b);
/* Turn. An operation fails, the batch does not. */
void kreg_batch_note_failed(struct kreg_batch *b, struct kreg_batch_op *op, int err);

#endif /* KREG_CMD_BATCH_STATE_H */
