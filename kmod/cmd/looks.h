/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What operations of a batch bring that depend on what is there, or say more than most: EDIT, and
 * those with VALUE, KEEP and MORE.
 */
#ifndef KREG_CMD_LOOKS_H
#define KREG_CMD_LOOKS_H

#include <linux/refcount.h>

#include "filter/filter.h"
#include "store/edit.h"
#include "store/expiry.h"
#include "table/bind.h"

struct kreg_batch_op;
struct kreg_client;
struct kreg_ioc_batch;
struct kreg_op_list;

struct kreg_look {
	struct kreg_timed_bind timed;	/* who says it; and with @times when a new object expires */
	u64 only;			/* version that the object has to have, or 0 */
	u64 user;			/* EDIT: where the caller has the fields */
	const void *key;		/* PUT, EDIT: as long as there is no slot */
	const void *value;		/* PUT: NULL if it needs a blob, or has no bytes */
	u32 fields;			/* EDIT: how many; PUT, DELETE: 0 */
	bool keeps;			/* what replaces an object expires as that */
	bool times;
	bool own;			/* the bytes of @edit have memory of their own */
	/* Turn: */
	bool over;			/* its slot may go over the limit of the user, */
	bool spares;			/* or might, since an object gives back as much */
	bool fresh;			/* nothing was there, when the batch was looked through */
	u8 slot_timed;			/* of which form the slot is: kreg_change.timed, */
	u32 slot_len;			/* and for a value of so many bytes */
	u32 most;			/* bytes of the value on the way */
	struct kreg_expiry expiry;	/* what holds, if it expires */
	struct kreg_edit edit;		/* without @scratch; its @count is 0 for all others */
};

/* Without what is not used of it. */
#define KREG_LOOK_SIZE	ALIGN(offsetof(struct kreg_look, edit.scratch), 8)

struct kreg_looks {
	refcount_t refs;
	struct kreg_client *client;	/* who has a reference has one to this as well */
	u32 ops;
	u32 count;
	bool reads;			/* the right to read is needed */
	u64 bytes;			/* that count, beside those of keys and values */
	/* Turn: bytes of values that this hold has looked at, and the most for one operation. */
	u32 spent;
	u32 heaviest;
	void *work;			/* room for a value on the way that gets shorter; or NULL */
	void *looks;			/* @count of them, of KREG_LOOK_SIZE */
	struct {
		u32 look;		/* number of the look, from 1; or 0 */
		u32 before;		/* of the write before of the same key, so too */
		u32 next;		/* before it in the bucket of its key, from 1; or 0 */
		u32 bucket;		/* the last in the bucket of this number, from 1; or 0 */
	} at[];				/* of each operation */
};

/* A filter that costs as much as to pass over an object counts as so many bytes. */
#define KREG_LOOK_WEIGHT	512

/* Any. What it costs to see whether its conditions are met, in bytes that are compared. */
static inline u32 kreg_look_conditions(const struct kreg_look *l)
{
	const struct kreg_filter *f = l->edit.filter;

	return l->edit.expected_len + (f ? f->weight * KREG_LOOK_WEIGHT : 0);
}

/* Any. That of operation @i, or NULL. */
static inline struct kreg_look *kreg_look_at(const struct kreg_looks *l, u32 i)
{
	return l->at[i].look ? l->looks + (l->at[i].look - 1) * KREG_LOOK_SIZE : NULL;
}

/*
 * Sleeps. Copy what the operations of @ops bring for @table, @count of which have something, into
 * @ops->looks. -EFAULT, -ENOMEM, -EOPNOTSUPP, -EINVAL, -EFBIG.
 */
int kreg_looks_get(struct kreg_client *cl, u64 table, struct kreg_op_list *ops, u32 count);
/* Sleeps. Let go of it, or of NULL. */
void kreg_looks_put(struct kreg_looks *l);
/*
 * Sleeps. Tell what became of the fields, and how long values are, of operations that were done:
 * @user are those of the caller, @size bytes from one to the next.
 */
void kreg_looks_answer(const struct kreg_looks *l, const struct kreg_batch_op *done,
		       struct kreg_op __user *user, size_t size);

#endif /* KREG_CMD_LOOKS_H */
