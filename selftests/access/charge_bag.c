// SPDX-License-Identifier: GPL-2.0
/*
 * Users are charged for the memory of their tables also where a key may have several objects, and
 * at the limit everything is possible that takes no more memory in the end.
 */
#include "kit/fixture.h"
#include "kit/bag.h"
#include "kit/tick.h"

#define ALICE	1000
#define VALUE	100
#define ROOM	(64 << 10)
#define HOUR_NS	3600000000000ULL
#define MANY	10

FIXTURE(charge_bag) {
	struct test_base base;
	int fd;
	struct kid *alice;
	__u64 table;
	long long limit;
	__u64 later;
};

FIXTURE_VARIANT(charge_bag) {
	__u32 type;
};

FIXTURE_VARIANT_ADD(charge_bag, bag) {
	.type = KREG_TYPE_BAG,
};

FIXTURE_VARIANT_ADD(charge_bag, duplicate_bag) {
	.type = KREG_TYPE_DUPLICATE_BAG,
};

#define charge_bag_data	FIXTURE_DATA(charge_bag)

static long job_create_bag(struct job *job)
{
	return _test_create_type(job->fd, "bag", job->arg, KREG_ACCESS_PUBLIC, &job->table);
}

/* From now on the table may take so many bytes more. */
static void limit_to(struct __test_metadata *_metadata, charge_bag_data *self, __u64 more)
{
	ASSERT_EQ(0, kid_info(self->alice, self->table));
	ASSERT_EQ(0, test_set_param("max_user_bytes", self->alice->job->info.memory + more));
}

FIXTURE_SETUP(charge_bag)
{
	self->fd = test_setup(_metadata, &self->base);
	self->limit = test_param("max_user_bytes");
	self->alice = kid_start_as(_metadata, ALICE);
	self->alice->job->arg = variant->type;
	ASSERT_EQ(0, kid_do(self->alice, job_create_bag));
	self->table = self->alice->job->table;
	self->later = test_now_ns() + HOUR_NS;
	limit_to(_metadata, self, ROOM);
}

FIXTURE_TEARDOWN_PARENT(charge_bag)
{
	EXPECT_EQ(0, test_set_param("max_user_bytes", self->limit));
	test_teardown(_metadata, &self->base);
}

/* The object number @n of "key"; it expires at @expires, if that is not 0. Returns @out_count. */
static int add_object(int fd, __u64 table, __u64 n, __u64 expires)
{
	char value[VALUE] = "";
	struct kreg_more more = { .size = sizeof(more), .expires_ns = expires };
	struct kreg_op op = test_op_value(KREG_OP_PUT, "key", 3, value, VALUE);
	int err;

	memcpy(value, &n, sizeof(n));
	if (expires) {
		op.flags = KREG_OP_MORE;
		op.arg = test_ptr(&more);
	}
	err = _test_op(fd, table, 0, &op);
	return err ? err : (int)op.out_count;
}

/* New objects from number @from on, until there is no memory for another. Returns how many. */
static long fill_from(struct __test_metadata *_metadata, charge_bag_data *self, __u64 from)
{
	long n = 0;
	int err;

	do {
		err = add_object(self->fd, self->table, from + n, 0);
		n += !err;
	} while (!err);
	EXPECT_EQ(-EDQUOT, err);
	return n;
}

/* What is removed gives its memory to what comes after it. */
TEST_F(charge_bag, given_back)
{
	long n = fill_from(_metadata, self, 0);
	int i;

	EXPECT_LT(100, n);
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(n, test_removes(self->fd, self->table, "key", 0, 0, 0));
		EXPECT_EQ(0, test_objects(self->fd, self->table));
		n = fill_from(_metadata, self, 0);
		EXPECT_LT(100, n);
	}
	ASSERT_EQ(0, _test_clear(self->fd, self->table));
	EXPECT_LT(100, fill_from(_metadata, self, 0));
}

/* One of the run. */
TEST_F(charge_bag, one_of_several)
{
	long n = fill_from(_metadata, self, 0);
	struct kreg_op op = test_ops(KREG_OP_MEMBER, "key");
	int i;

	for (i = 0; i < 20; i++) {
		test_op_(self->fd, self->table, 0, &op);
		ASSERT_EQ(n, op.out_count);
		EXPECT_EQ(1, test_removes(self->fd, self->table, "key", KREG_OP_VERSION,
					  op.out_version, op.out_sub));
		EXPECT_EQ(0, add_object(self->fd, self->table, 1000000 + i, 0));
		EXPECT_EQ(-EDQUOT, add_object(self->fd, self->table, 2000000, 0));
	}
}

TEST_F(charge_bag, take)
{
	static char room[256 << 10] __attribute__((aligned(8)));
	long n = fill_from(_metadata, self, 0);
	struct kreg_op op = test_op_value(KREG_OP_TAKE, "key", 3, room, sizeof(room));

	test_op_(self->fd, self->table, 0, &op);
	EXPECT_EQ(n, op.out_count);
	EXPECT_EQ(0, test_objects(self->fd, self->table));
	EXPECT_LT(100, fill_from(_metadata, self, 0));
}

/* Where the same object may not be there twice, it takes nothing to put it again. */
TEST_F(charge_bag, the_same)
{
	bool once = variant->type == KREG_TYPE_BAG;
	long n = fill_from(_metadata, self, 0), i;

	for (i = 0; i < n; i += 7)
		EXPECT_EQ(once ? 1 : -EDQUOT, add_object(self->fd, self->table, i, 0));
	EXPECT_EQ(n, test_objects(self->fd, self->table));
}

/* And if it expires it gives way to the new one, which expires at another time. */
TEST_F(charge_bag, the_same_timed)
{
	bool once = variant->type == KREG_TYPE_BAG;
	long n, i;

	for (i = 0; i < 10; i++)
		ASSERT_EQ(0, add_object(self->fd, self->table, i, self->later));
	n = fill_from(_metadata, self, 10);
	for (i = 0; i < 20; i++)
		EXPECT_EQ(once ? 1 : -EDQUOT,
			  add_object(self->fd, self->table, i % 10, self->later + i));
	/* One that does not expire so far needs no more, either. */
	EXPECT_EQ(once ? 1 : -EDQUOT, add_object(self->fd, self->table, 3, 0));
	EXPECT_EQ(10 + n, test_objects(self->fd, self->table));
}

static int put_many(charge_bag_data *self, __u32 flags, __u64 from, __u32 *done,
		    struct kreg_op ops[MANY])
{
	static __u64 values[MANY][125];
	int i;

	for (i = 0; i < MANY; i++) {
		values[i][0] = from + i;
		ops[i] = test_op_value(KREG_OP_PUT, "key", 3, values[i], sizeof(values[i]));
	}
	return _test_batch(self->fd, self->table, flags, ops, MANY, done);
}

/* All or nothing; else as many as fit. */
TEST_F(charge_bag, batch)
{
	struct kreg_op ops[MANY];
	__u32 done, i;

	limit_to(_metadata, self, 10000);
	EXPECT_EQ(-EDQUOT, put_many(self, KREG_BATCH_ATOMIC, 0, NULL, ops));
	EXPECT_EQ(0, test_objects(self->fd, self->table));
	ASSERT_EQ(0, put_many(self, 0, 0, &done, ops));
	EXPECT_LT(1, done);
	EXPECT_GT(MANY, done);
	for (i = 0; i < MANY; i++)
		EXPECT_EQ(i < done ? 0 : EDQUOT, ops[i].out_error);
	EXPECT_EQ(done, test_objects(self->fd, self->table));
	/* The memory of what a batch removes is there when it is done. */
	ops[0] = test_ops(KREG_OP_DELETE, "key");
	ASSERT_EQ(0, _test_batch(self->fd, self->table, KREG_BATCH_ATOMIC, ops, 1, NULL));
	EXPECT_EQ(0, test_objects(self->fd, self->table));
	ASSERT_EQ(0, put_many(self, 0, 100, &i, ops));
	EXPECT_EQ(done, i);
}

TEST_HARNESS_MAIN
