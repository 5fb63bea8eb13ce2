/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Objects that expire where a key may have several: see kit/util.h for the naming. Included once,
 * by what has tests of them.
 */
#ifndef KREG_DATA_BAG_EXPIRY_H
#define KREG_DATA_BAG_EXPIRY_H

#include "kit/fixture.h"
#include "kit/await.h"
#include "kit/bag.h"
#include "kit/pin.h"
#include "kit/register.h"
#include "kit/stream.h"
#include "kit/tick.h"

/* For what expires while the test looks on; and never does. */
#define SHORT	(30 * MS)
#define LONG	(3600 * 1000 * MS)
#define ATOMIC	KREG_BATCH_ATOMIC

FIXTURE(bag_expiry) {
	struct test_base base;
	int fd;
	__u64 table;
	bool once;			/* what is the same is there once */
	__u64 later;			/* a moment that does not come */
	struct test_reader *r;
	struct test_run run;
};

FIXTURE_VARIANT(bag_expiry) {
	__u32 type;
};

FIXTURE_VARIANT_ADD(bag_expiry, bag) {
	.type = KREG_TYPE_BAG,
};

FIXTURE_VARIANT_ADD(bag_expiry, duplicate_bag) {
	.type = KREG_TYPE_DUPLICATE_BAG,
};

FIXTURE_SETUP(bag_expiry)
{
	self->fd = test_setup(_metadata, &self->base);
	ASSERT_EQ(0, _test_create_type(self->fd, "bag", variant->type, KREG_ACCESS_PUBLIC,
				       &self->table));
	self->once = variant->type == KREG_TYPE_BAG;
	self->later = test_now_ns() + LONG;
	test_subscribe(self->fd, self->table, ALL_KINDS);
	self->r = test_reader(self->fd);
	ASSERT_NE(NULL, self->r);
}

FIXTURE_TEARDOWN_PARENT(bag_expiry)
{
	test_teardown(_metadata, &self->base);
}

static inline struct kreg_op timed_op(struct kreg_op op, struct kreg_more *more, __u64 expires,
				      __u32 idle_ms)
{
	*more = (struct kreg_more){
		.size = sizeof(*more), .expires_ns = expires, .idle_ms = idle_ms,
	};
	op.flags |= KREG_OP_MORE;
	op.arg = test_ptr(more);
	return op;
}

/* What test_adds() tells. */
static inline int put_timed(int fd, __u64 table, const char *key, const char *value,
			    __u64 expires, __u32 idle_ms)
{
	struct kreg_more more;
	struct kreg_op op = timed_op(test_op_puts(key, value), &more, expires, idle_ms);
	int err = _test_op(fd, table, 0, &op);

	return err ? err : (int)op.out_count;
}

static inline __u64 timed(int fd, __u64 table)
{
	struct kreg_info info;

	return _test_info(fd, table, &info) ? ~0ULL : info.timed;
}

#define adds(...)		test_adds(self->fd, self->table, __VA_ARGS__)
#define adds_timed(...)		put_timed(self->fd, self->table, __VA_ARGS__)
#define expires_(key)		test_expires(self->fd, self->table, key)
#define timed_()		timed(self->fd, self->table)
#define objects_()		test_objects(self->fd, self->table)
#define removes(...)		test_removes(self->fd, self->table, __VA_ARGS__)
#define wait_for_values(key, letters) \
	EXPECT_TRUE(test_wait_for(test_values(self->fd, self->table, key, letters)))

#endif /* KREG_DATA_BAG_EXPIRY_H */
