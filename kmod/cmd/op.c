// SPDX-License-Identifier: GPL-2.0
/* What an operation on an object may say, alone and in a batch. */
#include <linux/errno.h>

#include "cmd/op.h"

static int check_clear(const struct kreg_op *op)
{
	return op->key || op->key_len || op->value || op->value_len ? -EINVAL : 0;
}

static int check_publish(const struct kreg_op *op)
{
	if (op->key_len > KREG_MAX_KEY)
		return -ENAMETOOLONG;
	return op->value_len > KREG_MAX_EVENT_VALUE ? -EFBIG : 0;
}

static bool op_binds(const struct kreg_op *op)
{
	return op->code == KREG_OP_PUT && op->flags & KREG_OP_BOUND;
}

/* Whether the flags go with the operation, and with each other. */
static int check_flags(const struct kreg_op *op)
{
	if (op->code != KREG_OP_PUT && op->flags & (KREG_OP_NEW | KREG_OP_BOUND))
		return -EINVAL;
	if (kreg_op_reads(op) || op->code == KREG_OP_PUBLISH || op->code == KREG_OP_CLEAR)
		return -EINVAL;
	/* What @arg is. */
	if (op->flags & KREG_OP_VERSION && (!op->arg || op->flags & KREG_OP_MORE))
		return -EINVAL;
	/* A new object has no version so far, and is nobody's. */
	return op->flags & KREG_OP_NEW && op->flags & (KREG_OP_VERSION | KREG_OP_MINE) ?
	       -EINVAL : 0;
}

int kreg_op_check_unusual(const struct kreg_op *op)
{
	bool has_value = op->code == KREG_OP_PUT || op->code == KREG_OP_GET ||
			 op->code == KREG_OP_TAKE;

	if (!op->code || op->code > KREG_OP_PUBLISH || op->code == KREG_OP_EDIT ||
	    op->flags & ~KREG_OP_ALL || op->offset ||
	    (op->arg && !(op->flags & (KREG_OP_VERSION | KREG_OP_MORE))) ||
	    (op->flags & KREG_OP_MORE && !op_binds(op)))
		return -EOPNOTSUPP;
	if (op->flags && check_flags(op))
		return -EINVAL;
	if (op->code == KREG_OP_CLEAR)
		return check_clear(op);
	if (op->code == KREG_OP_PUBLISH)
		return check_publish(op);
	if (!op->key_len || (!has_value && (op->value || op->value_len)))
		return -EINVAL;
	if (op->key_len > KREG_MAX_KEY)
		return -ENAMETOOLONG;
	return op->code == KREG_OP_PUT && op->value_len > KREG_MAX_VALUE ? -EFBIG : 0;
}
