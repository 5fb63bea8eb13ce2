/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Objects that expire: see kit/util.h for the naming. Included once, by what has tests of them in
 * a set and an ordered_set.
 */
#ifndef KREG_DATA_EXPIRY_H
#define KREG_DATA_EXPIRY_H

#include "kit/fixture.h"
#include "kit/await.h"
#include "kit/bound.h"
#include "kit/kid.h"
#include "kit/lease.h"
#include "kit/pin.h"
#include "kit/register.h"
#include "kit/stream.h"
#include "kit/tick.h"

/* For what expires while the test looks on; and never does. */
#define SHORT		(30 * MS)
#define LONG		(3600 * 1000 * MS)

FIXTURE(expiry) {
	struct test_base base;
	int fd;
	__u64 table;
	struct test_reader *r;
};

FIXTURE_VARIANT(expiry) {
	__u32 type;
};

FIXTURE_VARIANT_ADD(expiry, set) {
	.type = KREG_TYPE_SET,
};

FIXTURE_VARIANT_ADD(expiry, ordered) {
	.type = KREG_TYPE_ORDERED_SET,
};

FIXTURE_SETUP(expiry)
{
	self->fd = test_setup(_metadata, &self->base);
	ASSERT_EQ(0, _test_create_type(self->fd, "table", variant->type, KREG_ACCESS_PUBLIC,
				       &self->table));
	test_subscribe(self->fd, self->table, ALL_KINDS);
	self->r = test_reader(self->fd);
	ASSERT_NE(NULL, self->r);
}

FIXTURE_TEARDOWN_PARENT(expiry)
{
	test_teardown(_metadata, &self->base);
}

/* Of what put_timed() has put. */
static __u64 last_version;

static inline int put_timed(int fd, __u64 table, const char *key, __u16 flags, __u64 expires,
			    __u32 idle_ms)
{
	struct kreg_more more = {
		.size = sizeof(more),
		.expires_ns = expires,
		.idle_ms = idle_ms,
	};
	struct kreg_op op = test_op_puts(key, "value");

	int err;

	op.flags = KREG_OP_MORE | flags;
	op.arg = test_ptr(&more);
	err = _test_op(fd, table, 0, &op);
	last_version = op.out_version;
	return err;
}

static inline __u64 timed(int fd, __u64 table)
{
	struct kreg_info info;

	return _test_info(fd, table, &info) ? ~0ULL : info.timed;
}

static inline bool is_absent(int fd, __u64 table, const char *key)
{
	return _test_member(fd, table, key) == -ENODATA;
}

#define put_expiring(...)	ASSERT_EQ(0, put_timed(self->fd, self->table, __VA_ARGS__))
#define expires_(key)		test_expires(self->fd, self->table, key)
#define is_gone(key)		test_wait_for(is_absent(self->fd, self->table, key))

#endif /* KREG_DATA_EXPIRY_H */
