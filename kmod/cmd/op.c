// SPDX-License-Identifier: GPL-2.0
/* What an operation on an object may say, alone and in a batch. */
#include <linux/bitops.h>
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

static bool says_more(const struct kreg_op *op)
{
	return op->code == KREG_OP_EDIT || op->code == KREG_OP_PUT || op->code == KREG_OP_DELETE ||
	       kreg_op_reads(op);
}

/* Whether the flags go with the operation. */
static bool has_flags(const struct kreg_op *op)
{
	switch (op->code) {
	case KREG_OP_PUT:
		return !(op->flags & KREG_OP_PART);
	case KREG_OP_DELETE:
		return !(op->flags & ~(KREG_OP_VERSION | KREG_OP_VALUE | KREG_OP_MINE |
				       KREG_OP_MORE));
	case KREG_OP_TAKE:
		return !(op->flags & ~(KREG_OP_VERSION | KREG_OP_MINE));
	case KREG_OP_EDIT:
		return !(op->flags & ~(KREG_OP_VERSION | KREG_OP_VALUE | KREG_OP_MINE |
				       KREG_OP_MORE));
	case KREG_OP_GET:
		return !(op->flags & ~(KREG_OP_PART | KREG_OP_MORE));
	case KREG_OP_MEMBER:
		return op->flags == KREG_OP_MORE;
	default:
		return false;
	}
}

/* What @arg is. */
#define ARG_FLAGS	(KREG_OP_VERSION | KREG_OP_VALUE | KREG_OP_MORE)
/* A new object has no version, no value and no expiry so far, and is nobody's. */
#define OLD_FLAGS	(KREG_OP_VERSION | KREG_OP_VALUE | KREG_OP_MINE | KREG_OP_PRESENT | \
			 KREG_OP_KEEP)

static int check_flags(const struct kreg_op *op)
{
	if (!has_flags(op) || hweight16(op->flags & ARG_FLAGS) > 1)
		return -EINVAL;
	if (op->flags & KREG_OP_VERSION && !op->arg)
		return -EINVAL;
	return op->flags & KREG_OP_NEW && op->flags & OLD_FLAGS ? -EINVAL : 0;
}

static int check_edit(const struct kreg_op *op)
{
	if (!op->value_len || op->value_len % sizeof(struct kreg_field))
		return -EINVAL;
	if (op->key_len > KREG_MAX_KEY)
		return -ENAMETOOLONG;
	return op->value_len > KREG_MAX_FIELDS * sizeof(struct kreg_field) ? -EFBIG : 0;
}

/* Of several objects with the key the one with version @arg and number @offset. */
static bool names_one(const struct kreg_op *op)
{
	return op->code == KREG_OP_DELETE && op->flags & KREG_OP_VERSION;
}

static bool is_unknown(const struct kreg_op *op)
{
	return !op->code || op->code > KREG_OP_PUBLISH || op->flags & ~KREG_OP_ALL ||
	       (op->offset && !(op->flags & (KREG_OP_PART | KREG_OP_VALUE)) && !names_one(op)) ||
	       (op->arg && !(op->flags & ARG_FLAGS)) ||
	       (op->flags & KREG_OP_MORE && !says_more(op)) ||
	       (op->flags & KREG_OP_KEEP && op->flags & KREG_OP_BOUND);
}

int kreg_op_check_unusual(const struct kreg_op *op)
{
	bool has_value = op->code == KREG_OP_PUT || op->code == KREG_OP_GET ||
			 op->code == KREG_OP_TAKE || op->code == KREG_OP_EDIT;
	int err = 0;

	if (is_unknown(op))
		return -EOPNOTSUPP;
	if (op->flags && check_flags(op))
		return -EINVAL;
	if (op->code == KREG_OP_CLEAR)
		return check_clear(op);
	if (op->code == KREG_OP_PUBLISH)
		return check_publish(op);
	if (!op->key_len || (!has_value && (op->value || op->value_len)))
		return -EINVAL;
	if (op->code == KREG_OP_EDIT)
		err = check_edit(op);
	else if (op->key_len > KREG_MAX_KEY)
		err = -ENAMETOOLONG;
	else if (op->code == KREG_OP_PUT && op->value_len > KREG_MAX_VALUE)
		err = -EFBIG;
	if (!err && op->flags & KREG_OP_VALUE && op->offset > KREG_MAX_VALUE)
		err = -EFBIG;
	return err;
}
