/* SPDX-License-Identifier: GPL-2.0 */
/* Sealing a table, and what is refused from then on. */
#ifndef KREG_OWNER_SEAL_H
#define KREG_OWNER_SEAL_H

#include "kit/op.h"

static inline int seal(int fd, __u64 table)
{
	return _test_setopt(fd, table, KREG_OPT_SEAL, 1, 0);
}

static inline bool is_sealed(int fd, __u64 table)
{
	struct kreg_info info;

	return !_test_info(fd, table, &info) && info.flags & KREG_INFO_SEALED;
}

static inline int op_flags(int fd, __u64 table, struct kreg_op op, __u16 flags, __u64 arg)
{
	op.flags = flags;
	op.arg = arg;
	return _test_op(fd, table, 0, &op);
}

#define test_refused(call)	EXPECT_EQ(-EROFS, call)

#endif /* KREG_OWNER_SEAL_H */
