/* SPDX-License-Identifier: GPL-2.0 */
/* What the commands on objects share: OP and BATCH. */
#ifndef KREG_CMD_OP_H
#define KREG_CMD_OP_H

#include <linux/build_bug.h>
#include <linux/kreg.h>
#include <linux/string.h>

#include "cmd/usercopy.h"

struct kreg_acks;
struct kreg_client;
struct kreg_edit;
struct kreg_expiry;
struct kreg_holder;
struct kreg_key;
struct kreg_looks;
struct kreg_op_bond;
struct kreg_proc;
struct kreg_snapshot;

/* The out_ members of an operation. */
#define KREG_OP_OUT		offsetof(struct kreg_op, out_version)
#define KREG_OP_OUT_SIZE	(offsetofend(struct kreg_op, out_sub) - KREG_OP_OUT)
/* What is in front of them goes in, and nothing is behind. */
#define KREG_OP_IN_SIZE		offsetof(struct kreg_ioc_op, op.out_version)
static_assert(KREG_OP_OUT + KREG_OP_OUT_SIZE == sizeof(struct kreg_op));
static_assert(offsetofend(struct kreg_ioc_op, op) == KREG_OP_SIZE);

/* With these nobody may be told of the outcome later. */
#define KREG_OP_CONDITIONS	(KREG_OP_NEW | KREG_OP_PRESENT | KREG_OP_VERSION | KREG_OP_VALUE)

/* Any. Lengths and reserved members are as they may be in every operation. */
static __always_inline bool kreg_op_fits(const struct kreg_op *op)
{
	return !(op->offset | op->arg) &&
	       op->key_len - 1 < KREG_MAX_KEY && op->value_len <= KREG_MAX_VALUE;
}

/* Any. Code and flags in one number, to compare them at once. */
static __always_inline u32 kreg_op_what(const struct kreg_op *op)
{
	return op->code | (u32)op->flags << 16;
}

/* Any. A GET or PUT without flags, of which nothing more needs to be checked. */
static __always_inline bool kreg_op_is_plain(const struct kreg_op *op)
{
	u32 what = kreg_op_what(op);

	return (what == KREG_OP_GET || what == KREG_OP_PUT) && kreg_op_fits(op);
}

/* Any. One that is not plain, of which nothing more needs to be checked either. */
static inline bool kreg_op_is_quick(const struct kreg_op *op)
{
	if (op->key_len - 1 >= KREG_MAX_KEY || op->value_len > KREG_MAX_VALUE)
		return false;
	switch (kreg_op_what(op)) {
	case KREG_OP_EDIT:
		return !(op->offset | op->arg) && op->value_len &&
		       op->value_len <= KREG_MAX_FIELDS * sizeof(struct kreg_field) &&
		       !(op->value_len % sizeof(struct kreg_field));
	case KREG_OP_PUT | KREG_OP_VERSION << 16:
		return op->arg && !op->offset;
	case KREG_OP_PUT | KREG_OP_VALUE << 16:
		return op->offset <= KREG_MAX_VALUE;
	case KREG_OP_PUT | KREG_OP_NEW << 16:
	case KREG_OP_TAKE:
		return !(op->offset | op->arg);
	case KREG_OP_MEMBER:
	case KREG_OP_DELETE:
		return !(op->offset | op->arg | op->value | op->value_len);
	default:
		return false;
	}
}

/* op.c. Any. The whole check; errors in the order of the ABI header. */
int kreg_op_check_unusual(const struct kreg_op *op);

/* Any. The same, quick for most operations. */
static __always_inline int kreg_op_check(const struct kreg_op *op)
{
	return likely(kreg_op_is_plain(op)) ? 0 : kreg_op_check_unusual(op);
}

/* Any. */
static inline bool kreg_op_reads(const struct kreg_op *op)
{
	return op->code == KREG_OP_GET || op->code == KREG_OP_MEMBER;
}

/* Any. Whether it is a write that looks at the value that is there. */
static inline bool kreg_op_looks(const struct kreg_op *op)
{
	return op->code == KREG_OP_EDIT || op->flags & KREG_OP_VALUE;
}

/* Any. Whether a write of a batch has a struct kreg_look. */
static inline bool kreg_op_has_look(const struct kreg_op *op)
{
	return kreg_op_looks(op) || op->flags & (KREG_OP_KEEP | KREG_OP_MORE);
}

/* Any. Whether its slot, if it needs one, is known when it is known what is there. */
static inline bool kreg_op_is_late(const struct kreg_op *op)
{
	return op->code == KREG_OP_EDIT || (op->code == KREG_OP_PUT && kreg_op_has_look(op));
}

/* Any. Bytes of it that are not put into a record, of a write. */
static inline u32 kreg_op_loose(const struct kreg_op *op)
{
	if (op->code == KREG_OP_PUBLISH)
		return op->key_len + op->value_len;
	return op->code == KREG_OP_PUT && !kreg_op_has_look(op) ? 0 : op->key_len;
}

/* Keys up to here need no memory of their own on their way in. */
#define KREG_SMALL_KEY	64

/* Sleeps. Copy the out_ members back, all of which are filled in. -EFAULT. */
static __always_inline int kreg_op_answer(struct kreg_ioc_op __user *user,
					  struct kreg_op *op)
{
	return kreg_put_short(&user->op.out_version, &op->out_version, KREG_OP_OUT_SIZE);
}

/*
 * op_run.c. Sleeps. @err, or -EFAULT: a struct of which a part cannot be read is that, whatever
 * else is wrong with it.
 */
int kreg_op_refuse(struct kreg_ioc_op __user *user, struct kreg_op *op, int err);
/* get.c. Sleeps. Perform a read that has been checked, and answer it. */
int kreg_op_get(struct kreg_client *cl, struct kreg_ioc_op __user *user, struct kreg_ioc_op *arg);
/* op_run.c. Sleeps. The command in the short form, when it is not plain. */
long kreg_op_run_unusual(struct kreg_client *cl, struct kreg_ioc_op __user *user,
			 struct kreg_ioc_op *arg);

/* To whom an object is to be bound, lent, or is no more; and which value it has to have. */
struct kreg_binding {
	struct kreg_proc *proc;		/* with a reference of the caller */
	u32 linger_ms;
	bool strict;			/* as one who has stood in line for it */
	bool lends;			/* PUT with BOUND, of the value that is there */
	bool returns;			/* DELETE with MINE: it is not removed, but given back */
	u32 number;			/* DELETE of so many objects that the key has, */
	u32 sub;			/* of which the youngest is this one of its commit; or 0 */
	struct kreg_edit *edit;		/* with VALUE; or NULL */
	const struct kreg_expiry *expiry;	/* PUT: when it expires; or NULL */
};

/*
 * put.c. Sleeps. Perform a write that has been checked, as @to says. What it says of the
 * outcome is in @op; of a loan, @out_count is how often that was lent. -ESRCH, -EPERM; -EBUSY,
 * -EALREADY: it cannot be lent; KREG_EDIT_LONG. @acks, if it is not NULL, as below.
 */
int kreg_op_put_bound(struct kreg_client *cl, u64 table, struct kreg_op *op,
		      const struct kreg_binding *to, struct kreg_acks *acks);
/* put.c. Sleeps. Perform one write that has been checked, and answer it. */
int kreg_op_put(struct kreg_client *cl, struct kreg_ioc_op __user *user,
		struct kreg_ioc_op *arg);
/* Sleeps. The same; @acks says then for what to wait with kreg_acks_wait(), unless it fails. */
int kreg_op_put_acked(struct kreg_client *cl, struct kreg_ioc_op __user *user,
		      struct kreg_ioc_op *arg, struct kreg_acks *acks);
/* more.c. Sleeps. The same of a PUT or DELETE that says more. */
int kreg_op_put_more(struct kreg_client *cl, struct kreg_ioc_op __user *user,
		     struct kreg_ioc_op *arg);
/*
 * Sleeps. A GET or MEMBER that asks for more, which is in *bond, too, if that is not NULL; as
 * kreg_op_read(). The other one answers it as well, but for what is behind the operation.
 */
int kreg_op_read_more(struct kreg_client *cl, u64 table, struct kreg_op *op,
		      struct kreg_op_bond *bond);
int kreg_op_get_more(struct kreg_client *cl, struct kreg_ioc_op __user *user,
		     struct kreg_ioc_op *arg, struct kreg_op_bond *bond);
/* Any. When that is in the caller's time; 0: never. */
u64 kreg_op_tell_moment(u64 moment);
/* Any. What it says about when an object expires. False: nothing. */
bool kreg_more_expiry(const struct kreg_more *more, struct kreg_expiry *expiry);
/* Sleeps. What it says; and the out_ members of that. -EFAULT, -EINVAL, -E2BIG, -EOPNOTSUPP. */
int kreg_more_get(struct kreg_more *more, const struct kreg_op *op);
int kreg_more_answer(const struct kreg_op *op, struct kreg_more *more);
/* Sleeps. The same of a read that has found @bond. */
int kreg_more_tell(const struct kreg_op *op, struct kreg_more *more,
		   const struct kreg_op_bond *bond);
/* update.c. Sleeps. Perform and answer one that looks at the value; @acks may be NULL. */
int kreg_op_update(struct kreg_client *cl, struct kreg_ioc_op __user *user,
		   struct kreg_ioc_op *arg, struct kreg_acks *acks);
/* put.c. Sleeps. The same without waiting for it. -EAGAIN: too much of the client is queued. */
int kreg_op_queue(struct kreg_client *cl, u64 table, struct kreg_op *op);

/*
 * get_run.c. Sleeps. A read that has been checked, of all objects of @key; as kreg_op_read(). With
 * @snap, which may be NULL, as they were when that was set. *expires: when the first of them does,
 * or KREG_NEVER. -EOPNOTSUPP, -EINVAL: the room is not aligned; -ESTALE: @snap has ended.
 */
int kreg_op_get_run(struct kreg_client *cl, u64 table, const struct kreg_key *key,
		    struct kreg_op *op, u64 *expires, struct kreg_snapshot *snap);

/* What a look-up tells of the bond of an object. */
struct kreg_op_bond {
	struct kreg_process process;	/* whom it is bound or lent to */
	u32 loans;			/* how often it was lent */
	u64 expires;			/* when it does, on the coarse clock; or KREG_NEVER; of */
	bool is_run;			/* several the first, and of these nothing else is told */
};

/*
 * get.c. Sleeps. Perform one GET or MEMBER that has been checked. Version, length, count and
 * number are filled in, also with -EMSGSIZE; and *bond, if it is not NULL, with what is said
 * of the bond of the object, and @is_run of it after any other error, too.
 */
int kreg_op_read(struct kreg_client *cl, u64 table, struct kreg_op *op,
		 struct kreg_op_bond *bond);

/*
 * RCU. Tell @bond, which is zero, of what an object is bound to that was found. False: by now that
 * is hidden. One that was reaped in between would be told as nobody's.
 */
bool kreg_op_tell_bond(const struct kreg_client *cl, struct kreg_holder *holder,
		       struct kreg_op_bond *bond);

/*
 * RCU, or with a reference. @p as the caller names it; zero if it is not visible, with the pid 0
 * if it is dead.
 */
void kreg_op_tell_process(const struct kreg_proc *p, struct kreg_process *whom);

/* Checked operations on one table: all reads, or all writes. */
struct kreg_op_list {
	struct kreg_op *op;
	u32 count;
	u32 loose;		/* bytes that are not put into a record */
	bool binds;		/* there are some that bind, */
	bool more;		/* and some that say or ask for more */
	u64 bytes;		/* of keys and values that go in */
	struct kreg_looks *looks;	/* of a batch; or NULL */
};

/* Sleeps. Perform many reads and fill in their out_ members; how many have no error. */
int kreg_op_get_many(struct kreg_client *cl, u64 table, const struct kreg_op_list *ops);
/* Sleeps. The same, all of one moment. */
int kreg_op_get_state(struct kreg_client *cl, u64 table, const struct kreg_op_list *ops);

/* batch.c. Sleeps. Queue PUTs, DELETEs and CLEARs without waiting for them. -EAGAIN. */
int kreg_op_queue_many(struct kreg_client *cl, u64 table, const struct kreg_op_list *ops,
		       bool atomic);

#endif /* KREG_CMD_OP_H */
