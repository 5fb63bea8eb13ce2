/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Filters, and what is done to all that match: see kit/util.h for the naming.
 */
#ifndef KREG_KIT_FILTER_H
#define KREG_KIT_FILTER_H

#include <stddef.h>

#include "kit/op.h"

/* A term of which yes goes on to the next, and no is no match. */
static inline struct kreg_term test_term(__u8 op, __u8 of, __u16 size, __u32 offset, __u64 value)
{
	return (struct kreg_term) {
		.op = op,
		.of = of,
		.no = KREG_TERM_REJECT,
		.size = size,
		.offset = offset,
		.mask = ~0ULL,
		.value = value,
	};
}

static inline struct kreg_term test_u32(__u8 op, __u32 offset, __u32 value)
{
	return test_term(op, KREG_TERM_VALUE, 4, offset, value);
}

static inline struct kreg_term test_term_bytes(__u8 of, __u32 offset, const void *bytes, __u16 len)
{
	struct kreg_term t = test_term(KREG_TERM_BYTES, of, len, offset, test_ptr(bytes));

	t.mask = 0;
	return t;
}

static inline void test_set_filter(struct kreg_range *r, const struct kreg_term *terms, __u32 count)
{
	r->filter = test_ptr(terms);
	r->filter_count = count;
}

/* How many objects match, or -errno. */
static inline long test_matching(int fd, __u64 id, const struct kreg_term *terms, __u32 count)
{
	struct kreg_ioc_scan cmd = { .flags = KREG_SCAN_COUNT, .table = id };
	int err;

	test_set_filter(&cmd.range, terms, count);
	err = _test_scan(fd, &cmd);
	return err ? err : (long)cmd.out_count;
}

static inline struct kreg_ioc_change test_change_cmd(__u64 id, const struct kreg_term *terms,
						     __u32 count)
{
	struct kreg_ioc_change cmd = {
		.size = sizeof(cmd),
		.table = id,
		.code = KREG_OP_DELETE,
	};

	if (count)
		test_set_filter(&cmd.range, terms, count);
	memset((char *)&cmd + offsetof(struct kreg_ioc_change, out_count), 0xff,
	       sizeof(cmd) - offsetof(struct kreg_ioc_change, out_count));
	return cmd;
}

static inline struct kreg_ioc_change test_change_edit(__u64 id, const struct kreg_term *terms,
						      __u32 count, const struct kreg_field *fields,
						      __u32 field_count)
{
	struct kreg_ioc_change cmd = test_change_cmd(id, terms, count);

	cmd.code = KREG_OP_EDIT;
	cmd.fields = test_ptr(fields);
	cmd.field_count = field_count;
	return cmd;
}

static inline int _test_change(int fd, struct kreg_ioc_change *cmd)
{
	return test_ioctl(fd, KREG_IOC_CHANGE, cmd);
}

#define test_change(...)	ASSERT_EQ(0, _test_change(__VA_ARGS__))
#define test_err_change(err, ...) EXPECT_EQ(-(err), _test_change(__VA_ARGS__))

#endif /* KREG_KIT_FILTER_H */
