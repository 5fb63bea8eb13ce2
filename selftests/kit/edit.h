/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Edits, and operations on condition of a value: see kit/util.h for the naming.
 */
#ifndef KREG_KIT_EDIT_H
#define KREG_KIT_EDIT_H

#include "kit/op.h"

/* A number is changed. */
static inline struct kreg_field test_number(__u16 code, __u16 flags, __u32 offset, __s64 operand)
{
	return (struct kreg_field) {
		.code = code,
		.flags = flags,
		.offset = offset,
		.operand = operand,
		.out = 0xbad,
	};
}

static inline struct kreg_field test_add(__u32 offset, __s64 by)
{
	return test_number(KREG_FIELD_ADD, 0, offset, by);
}

/* Bytes are replaced. */
static inline struct kreg_field test_copy(__u16 flags, __u32 offset, const void *bytes, __u32 len)
{
	struct kreg_field f = test_number(KREG_FIELD_COPY, flags, offset, 0);

	f.operand = test_ptr(bytes);
	f.set = len;
	return f;
}

static inline struct kreg_op test_op_edit(const char *key, struct kreg_field *fields, int count)
{
	return test_op_value(KREG_OP_EDIT, key, strlen(key), fields, count * sizeof(*fields));
}

static inline int _test_edit_of(int fd, __u64 id, const void *key, __u32 key_len,
				struct kreg_field *fields, int count)
{
	struct kreg_op op = test_op_value(KREG_OP_EDIT, key, key_len, fields,
					  count * sizeof(*fields));

	return _test_op(fd, id, 0, &op);
}

static inline int _test_edit(int fd, __u64 id, const char *key, struct kreg_field *fields,
			     int count)
{
	return _test_edit_of(fd, id, key, strlen(key), fields, count);
}

/* With a value to start from, where there is none. */
static inline int _test_edit_from(int fd, __u64 id, const char *key, struct kreg_field *fields,
				  int count, const void *start, __u32 len)
{
	struct kreg_op op = test_op_edit(key, fields, count);
	struct kreg_more more = {
		.size = sizeof(more),
		.flags = KREG_MORE_START,
		.start = test_ptr(start),
		.start_len = len,
	};

	op.flags = KREG_OP_MORE;
	op.arg = test_ptr(&more);
	return _test_op(fd, id, 0, &op);
}

/* A counter of 8 bytes that begins at 0; how it is afterwards, or -errno. */
static inline long test_count_up(int fd, __u64 id, const char *key, long by)
{
	struct kreg_field f = test_add(0, by);
	long zero = 0;
	int err = _test_edit_from(fd, id, key, &f, 1, &zero, sizeof(zero));

	return err ? err : (long)f.out;
}

/* @op is only meant for an object with this value. */
static inline void test_if_value(struct kreg_op *op, const void *value, __u32 len)
{
	op->flags |= KREG_OP_VALUE;
	op->arg = test_ptr(value);
	op->offset = len;
}

#define test_edit(...)		ASSERT_EQ(0, _test_edit(__VA_ARGS__))
#define test_edit_of(...)	ASSERT_EQ(0, _test_edit_of(__VA_ARGS__))
#define test_edit_from(...)	ASSERT_EQ(0, _test_edit_from(__VA_ARGS__))
#define test_err_edit(err, ...)	EXPECT_EQ(-(err), _test_edit(__VA_ARGS__))
#define test_err_edit_from(err, ...) EXPECT_EQ(-(err), _test_edit_from(__VA_ARGS__))

#endif /* KREG_KIT_EDIT_H */
