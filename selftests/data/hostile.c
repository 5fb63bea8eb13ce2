// SPDX-License-Identifier: GPL-2.0
/*
 * Keys that were chosen to share a bucket of the index, by who can write and scan.
 */
#include "kit/fixture.h"

#define MANY		KREG_MAX_BATCH_OPS
#define FIRST		32	/* keys that are kept of those that were put */

/* Links that may be walked over in a hold of the turn, beyond the first of each walk. */
#define MOST_WALKED	256
#define SHORT_WALK	32

FIXTURE(hostile) {
	struct test_base base;
	int fd;
	__u64 table;
	__u32 count;
	__u64 *keys;		/* chosen ones, in the order of the table */
};

static const __u64 *first_keys(int fd, __u64 table, __u32 count, __u32 *found)
{
	static __u64 buf[MANY * 5];
	struct kreg_ioc_scan cmd = {
		.flags = KREG_SCAN_KEYS,
		.table = table,
		.max_count = count,
		.buf = test_ptr(buf),
		.buf_len = sizeof(buf),
	};
	__u32 i;

	*found = _test_scan(fd, &cmd) ? 0 : cmd.out_count;
	/* An object takes 32 bytes, of which the last 8 are the key. */
	for (i = 0; i < *found; i++)
		buf[i] = buf[i * 4 + 3];
	return buf;
}

/* Put some, each @step keys behind the one before. */
static int put_keys(int fd, __u64 table, const __u64 *keys, __u32 count, int step)
{
	static struct kreg_op ops[MANY];
	__u32 i;

	for (i = 0; i < count; i++, keys += step)
		ops[i] = test_op(KREG_OP_PUT, keys, sizeof(*keys));
	return _test_batch(fd, table, 0, ops, count, NULL);
}

/* Of so many keys the first share as many bits as so many buckets differ in, and one more. */
static void choose_keys(struct __test_metadata *_metadata, struct _test_data_hostile *self)
{
	static __u64 tried[MANY];
	__u32 buckets = 1, all, found, done, n, i;
	__u64 next = 1;

	while (buckets < self->count)
		buckets *= 2;
	all = 2 * FIRST * buckets;
	for (done = 0; done < self->count; done += FIRST) {
		for (n = 0; n < all; n += i) {
			for (i = 0; i < MANY && n + i < all; i++)
				tried[i] = next++ * 0x9e3779b97f4a7c15;
			ASSERT_EQ(0, put_keys(self->fd, self->table, tried, i, 1));
		}
		memcpy(self->keys + done, first_keys(self->fd, self->table, FIRST, &found),
		       FIRST * sizeof(*self->keys));
		ASSERT_EQ(FIRST, found);
		test_clear(self->fd, self->table);
	}
	/* In the order of the table. */
	ASSERT_EQ(0, put_keys(self->fd, self->table, self->keys, self->count, 1));
	memcpy(self->keys, first_keys(self->fd, self->table, self->count, &found),
	       self->count * sizeof(*self->keys));
	ASSERT_EQ(self->count, found);
	test_clear(self->fd, self->table);
}

FIXTURE_SETUP(hostile)
{
	self->fd = test_setup(_metadata, &self->base);
	test_create(self->fd, "hostile", KREG_ACCESS_PROTECTED, &self->table);
	self->count = 64 + test_size(192) / FIRST * FIRST;
	self->keys = calloc(self->count, sizeof(*self->keys));
	choose_keys(_metadata, self);
}

FIXTURE_TEARDOWN_PARENT(hostile)
{
	test_teardown(_metadata, &self->base);
}

/* The last first, so that none has far to go, then the last of the list, many times. */
static __u32 make_ops(struct _test_data_hostile *self, struct kreg_op *ops)
{
	const __u64 *last = self->keys + self->count - 1;
	__u32 i;

	for (i = 0; i < self->count; i++)
		ops[i] = test_op(KREG_OP_PUT, last - i, sizeof(*last));
	for (; i < 4 * self->count; i++)
		ops[i] = test_op(i % 2 ? KREG_OP_PUT : KREG_OP_DELETE, last, sizeof(*last));
	return i;
}

/* In one write, in which nothing can be done about the bucket. */
TEST_F(hostile, one_batch)
{
	static struct kreg_op ops[MANY];
	__u32 count = make_ops(self, ops);
	struct kreg_info info;
	__u32 flags;

	for (flags = 0; flags <= KREG_BATCH_ATOMIC; flags += KREG_BATCH_ATOMIC) {
		test_batch(self->fd, self->table, flags, ops, count, NULL);
		test_info(self->fd, self->table, &info);
		EXPECT_EQ(self->count, info.objects);
		EXPECT_LT(0, info.walked);
		EXPECT_GE(MOST_WALKED, info.walked);
		test_clear(self->fd, self->table);
	}
}

static __u32 marks_after_a_write(struct _test_data_hostile *self)
{
	struct kreg_info info = { 0 };

	_test_put(self->fd, self->table, self->keys, sizeof(*self->keys), "", 0);
	_test_info(self->fd, self->table, &info);
	return info.marks;
}

/* Marks come once the bucket is long, and walks are short; they go with the objects. */
TEST_F(hostile, marks)
{
	static struct kreg_op ops[MANY];
	struct kreg_info info, later;
	__u32 i;

	ASSERT_EQ(0, put_keys(self->fd, self->table, self->keys + self->count - 1, self->count,
			      -1));
	EXPECT_TRUE(test_wait_for(marks_after_a_write(self) >= self->count / 9));
	test_info(self->fd, self->table, &info);
	EXPECT_GE(self->count / 4, info.marks);
	for (i = 0; i < self->count; i++)
		test_put(self->fd, self->table, self->keys + i, sizeof(*self->keys), "", 0);
	test_info(self->fd, self->table, &later);
	EXPECT_GE(SHORT_WALK, later.walked);
	EXPECT_EQ(self->count, test_count(self->fd, self->table));
	for (i = 0; i < self->count; i++)
		ops[i] = test_op(KREG_OP_DELETE, self->keys + i, sizeof(*self->keys));
	test_batch(self->fd, self->table, 0, ops, self->count, NULL);
	EXPECT_TRUE(test_wait_for(!marks_after_a_write(self)));
}

TEST_HARNESS_MAIN
