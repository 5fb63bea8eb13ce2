// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>
#include <linux/nospec.h>

#include "cmd/field.h"

/* Which flags go with a code. */
static const u16 code_flags[] = {
	[KREG_FIELD_COPY] = KREG_FIELD_EXTEND | KREG_FIELD_TRUNCATE,
	[KREG_FIELD_ADD] = KREG_FIELD_WRAP | KREG_FIELD_SATURATE | KREG_FIELD_THRESHOLD |
			   KREG_FIELD_EXTEND | KREG_FIELD_BIG_ENDIAN,
	[KREG_FIELD_MIN] = KREG_FIELD_EXTEND | KREG_FIELD_BIG_ENDIAN,
	[KREG_FIELD_MAX] = KREG_FIELD_EXTEND | KREG_FIELD_BIG_ENDIAN,
	[KREG_FIELD_AND] = KREG_FIELD_EXTEND | KREG_FIELD_BIG_ENDIAN,
	[KREG_FIELD_OR] = KREG_FIELD_EXTEND | KREG_FIELD_BIG_ENDIAN,
	[KREG_FIELD_XOR] = KREG_FIELD_EXTEND | KREG_FIELD_BIG_ENDIAN,
};

/* Of which there may be one. */
#define OVERFLOW_FLAGS	(KREG_FIELD_WRAP | KREG_FIELD_SATURATE | KREG_FIELD_THRESHOLD)
/* With which the value may get longer. */
#define LONGER_FLAGS	(KREG_FIELD_EXTEND | KREG_FIELD_TRUNCATE)

int kreg_field_check_unusual(const struct kreg_field *f)
{
	bool copies = f->code == KREG_FIELD_COPY;
	u16 over = f->flags & OVERFLOW_FLAGS;

	if (!f->code || f->code > KREG_FIELD_XOR || f->flags & ~KREG_FIELD_ALL)
		return -EOPNOTSUPP;
	if (f->flags & ~code_flags[array_index_nospec(f->code, ARRAY_SIZE(code_flags))] ||
	    over & (over - 1))
		return -EINVAL;
	if (over != KREG_FIELD_THRESHOLD && (f->threshold || (f->set && !copies)))
		return -EINVAL;
	if (copies && f->set > KREG_MAX_VALUE)
		return -EFBIG;
	return f->flags & LONGER_FLAGS &&
	       (u64)f->offset + (copies ? f->set : KREG_FIELD_NUMBER) > KREG_MAX_VALUE ?
	       -EFBIG : 0;
}

int kreg_field_get_copied(struct kreg_edit *e, u32 at)
{
	struct kreg_field *f = kreg_edit_fields(e), *end = f + e->count;

	for (; f != end; f++) {
		if (f->code != KREG_FIELD_COPY)
			continue;
		if (kreg_field_get_bytes(e, at, f->operand, f->set))
			return -EFAULT;
		f->operand = at;
		at += f->set;
	}
	return 0;
}
