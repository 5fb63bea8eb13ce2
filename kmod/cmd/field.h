/* SPDX-License-Identifier: GPL-2.0 */
/* The fields of an EDIT, on their way in. */
#ifndef KREG_CMD_FIELD_H
#define KREG_CMD_FIELD_H

#include <linux/align.h>
#include <linux/errno.h>
#include <linux/kreg.h>

#include "cmd/usercopy.h"
#include "store/edit.h"

/* Any. The check of one that is not as plain as most are. */
int kreg_field_check_unusual(const struct kreg_field *f);

static __always_inline int kreg_field_check(const struct kreg_field *f)
{
	if (likely(f->code == KREG_FIELD_ADD && !(f->flags & ~KREG_FIELD_WRAP) &&
		   !(f->threshold | f->set)))
		return 0;
	return kreg_field_check_unusual(f);
}

/* Any. Room for more behind the bytes that are there; where it begins is a multiple of 8. */
static inline u32 kreg_field_add_bytes(struct kreg_edit *e, u32 len)
{
	u32 at = ALIGN(e->size, 8);

	e->size = at + len;
	return at;
}

/* Sleeps. Those of @op, with which @e->bytes begins; where they copy from is in @operand still. */
static __always_inline int kreg_field_get(struct kreg_edit *e, const struct kreg_op *op)
{
	struct kreg_field *f = kreg_edit_fields(e), *end = (void *)f + op->value_len;

	if (kreg_get_short(f, u64_to_user_ptr(op->value), op->value_len))
		return -EFAULT;
	e->size = op->value_len;
	e->count = op->value_len / sizeof(*f);
	do {
		int err = kreg_field_check(f);

		if (err)
			return err;
		if (f->code == KREG_FIELD_COPY) {
			e->copied += f->set;
			/* Where no bytes are copied their place is none either. */
			f->operand = f->set ? f->operand : 0;
		}
		if (e->copied > KREG_MAX_VALUE)
			return -EFBIG;
		f->out = 0;
	} while (++f != end);
	return 0;
}

static __always_inline int kreg_field_get_bytes(struct kreg_edit *e, u32 at, u64 from, u32 len)
{
	return kreg_get(e->bytes + at, u64_to_user_ptr(from), len);
}

/* Sleeps. What they copy, to @at in @e->bytes and behind that. -EFAULT. */
int kreg_field_get_copied(struct kreg_edit *e, u32 at);

#endif /* KREG_CMD_FIELD_H */
