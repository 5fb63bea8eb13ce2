// SPDX-License-Identifier: GPL-2.0
/* The operations of a batch, on their way in. */
#include <linux/bits.h>
#include <linux/mm.h>
#include <linux/uaccess.h>

#include "client/client.h"
#include "client/limits.h"
#include "cmd/batch_call.h"
#include "cmd/looks.h"
#include "cmd/op.h"
#include "cmd/usercopy.h"

static int check_batch(const struct kreg_ioc_batch *arg)
{
	if (arg->flags & ~KREG_BATCH_ALL || arg->deadline_ns)
		return -EOPNOTSUPP;
	if (!arg->count || arg->op_size < sizeof(struct kreg_op) || arg->op_size % 8)
		return -EINVAL;
	if (arg->op_size > PAGE_SIZE)
		return -E2BIG;
	return arg->count > READ_ONCE(kreg_limits.batch_ops) ? -EFBIG : 0;
}

/* The whole array must be readable, also where nothing is copied from its end. */
static int look_at_end(const struct kreg_ioc_batch *arg)
{
	u64 end;

	return kreg_get_short(&end, kreg_batch_user_op(arg, arg->count) - sizeof(end), sizeof(end));
}

static int copy_ops(struct kreg_op *ops, const struct kreg_ioc_batch *arg)
{
	u32 i;
	int err;

	if (arg->op_size == sizeof(*ops))
		return kreg_get_parts(ops, kreg_batch_user_op(arg, 0), sizeof(*ops), KREG_OP_OUT,
				      arg->count) ?: look_at_end(arg);
	for (i = 0; i < arg->count; i++) {
		err = copy_struct_from_user(&ops[i], sizeof(*ops), kreg_batch_user_op(arg, i),
					    arg->op_size);
		if (err)
			return err;
	}
	return 0;
}

static int get_ops(struct kreg_client *cl, const struct kreg_ioc_batch *arg,
		   struct kreg_op_list *ops)
{
	int err;

	ops->count = arg->count;
	ops->op = kreg_scratch_get(&cl->call, arg->count * sizeof(*ops->op));
	if (!ops->op)
		return -ENOMEM;
	err = copy_ops(ops->op, arg);
	if (err)
		kreg_scratch_put(&cl->call, ops->op);
	return err;
}

/* Of these nobody may be told later; and those that bind say nothing more. */
static bool is_refused_more(const struct kreg_ioc_batch *arg, const struct kreg_op *op)
{
	if (arg->flags & KREG_WRITE_ASYNC)
		return op->flags & (KREG_OP_MORE | KREG_OP_KEEP);
	return op->flags & KREG_OP_MORE && op->flags & KREG_OP_BOUND;
}

/* The whole check of an operation that is not as plain as most are; *looks counts those. */
static noinline int check_unusual(const struct kreg_ioc_batch *arg, const struct kreg_op *op,
				  bool reads, struct kreg_op_list *all, u32 *looks)
{
	int err = kreg_op_check(op);

	if (err)
		return err;
	if (is_refused_more(arg, op))
		return -EOPNOTSUPP;
	if (op->code == KREG_OP_TAKE || kreg_op_reads(op) != reads)
		return -EINVAL;
	*looks += !reads && kreg_op_has_look(op);
	all->more |= op->flags & KREG_OP_MORE;
	all->loose += kreg_op_loose(op);
	all->binds |= op->flags & KREG_OP_BOUND;
	return arg->flags & KREG_WRITE_ASYNC &&
	       (op->code == KREG_OP_EDIT || op->flags & KREG_OP_CONDITIONS) ? -EINVAL : 0;
}

/* More than any code and flags. */
#define NOTHING_PLAIN	BIT_ULL(32)

/*
 * Check each operation, and that all are reads or all are writes. Most batches have
 * operations of one kind, so each is compared with the first before it is looked into.
 */
static int check_ops(const struct kreg_ioc_batch *arg, struct kreg_op_list *all, u32 *looks)
{
	const struct kreg_op *op = all->op, *end = op + all->count;
	u64 what = kreg_op_is_plain(op) ? kreg_op_what(op) : NOTHING_PLAIN;
	bool reads = kreg_op_reads(op);
	u64 keys = 0, values = 0;
	int err;

	all->loose = 0;
	all->binds = false;
	all->more = false;
	all->looks = NULL;
	*looks = 0;
	for (; op != end; op++) {
		if (unlikely(kreg_op_what(op) != what || !kreg_op_fits(op))) {
			err = check_unusual(arg, op, reads, all, looks);
			if (err)
				return err;
		}
		keys += op->key_len;
		values += op->value_len;
	}
	if (reads && arg->flags & ~KREG_BATCH_ATOMIC)
		return -EINVAL;
	all->bytes = keys + (reads ? 0 : values);
	return all->bytes > READ_ONCE(kreg_limits.batch_bytes) ? -EFBIG : 0;
}

/* Before any of them is made, and before the table is looked for. */
static int check_more_of_reads(const struct kreg_op_list *ops)
{
	const struct kreg_op *op = ops->op, *end = op + ops->count;
	struct kreg_more more;
	int err = 0;

	for (; op != end && !err; op++)
		if (op->flags & KREG_OP_MORE)
			err = kreg_more_get(&more, op);
	return err;
}

int kreg_batch_get_ops(struct kreg_client *cl, const struct kreg_ioc_batch *arg,
		       struct kreg_op_list *ops)
{
	int err = check_batch(arg) ?: get_ops(cl, arg, ops);
	u32 looks;

	if (err)
		return err;
	err = check_ops(arg, ops, &looks);
	if (!err && unlikely(looks))
		err = kreg_looks_get(cl, arg->table, ops, looks);
	if (!err && unlikely(ops->more) && kreg_op_reads(ops->op))
		err = check_more_of_reads(ops);
	if (err)
		kreg_scratch_put(&cl->call, ops->op);
	return err;
}

void kreg_batch_put_ops(struct kreg_client *cl, struct kreg_op_list *ops)
{
	kreg_looks_put(ops->looks);
	kreg_scratch_put(&cl->call, ops->op);
}

fmode_t kreg_batch_mode(const struct kreg_op_list *ops)
{
	if (kreg_op_reads(ops->op))
		return FMODE_READ;
	return ops->looks && ops->looks->reads ? FMODE_READ | FMODE_WRITE : FMODE_WRITE;
}
