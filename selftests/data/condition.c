// SPDX-License-Identifier: GPL-2.0
/*
 * Operations that are meant only for a certain version, or for what is bound to the caller.
 */
#include "kit/fixture.h"
#include "kit/bag.h"

FIXTURE(condition) {
	struct test_base base;
	int fd;
	__u64 table;
};

FIXTURE_SETUP(condition)
{
	self->fd = test_setup(_metadata, &self->base);
	test_create(self->fd, "condition", KREG_ACCESS_PUBLIC, &self->table);
}

FIXTURE_TEARDOWN_PARENT(condition)
{
	test_teardown(_metadata, &self->base);
}

static int op_flags(int fd, __u64 table, struct kreg_op *op, __u16 flags, __u64 arg)
{
	op->flags = flags;
	op->arg = arg;
	return _test_op(fd, table, 0, op);
}

/* The errors of the flags, in the order of the header. */
TEST_F(condition, contradictions)
{
	static const struct {
		__u16 code, flags;
		__u64 arg;
		int err;
	} rows[] = {
		{ KREG_OP_PUT, 0, 1, EOPNOTSUPP },
		{ KREG_OP_PUT, KREG_OP_MINE, 1, EOPNOTSUPP },
		{ KREG_OP_PUT, KREG_OP_VERSION, 0, EINVAL },
		{ KREG_OP_PUT, KREG_OP_VERSION | KREG_OP_NEW, 1, EINVAL },
		{ KREG_OP_PUT, KREG_OP_MINE | KREG_OP_NEW, 0, EINVAL },
		{ KREG_OP_GET, KREG_OP_MINE, 0, EINVAL },
		{ KREG_OP_MEMBER, KREG_OP_VERSION, 1, EINVAL },
		{ KREG_OP_DELETE, KREG_OP_NEW, 0, EINVAL },
		{ KREG_OP_PUT, KREG_OP_MINE, 0, ENODATA },
		{ KREG_OP_PUT, KREG_OP_MINE | KREG_OP_BOUND, 0, ENODATA },
		{ KREG_OP_TAKE, KREG_OP_MINE, 0, ENODATA },
		{ KREG_OP_TAKE, KREG_OP_VERSION, 1, ENODATA },
		{ KREG_OP_PUT, KREG_OP_VERSION, 1, ECANCELED },
		{ KREG_OP_DELETE, KREG_OP_VERSION, 1, ECANCELED },
		{ KREG_OP_DELETE, KREG_OP_MINE, 0, 0 },
	};
	struct kreg_op clear = test_op(KREG_OP_CLEAR, NULL, 0);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct kreg_op op = test_ops(rows[i].code, "key");

		EXPECT_EQ(-rows[i].err, op_flags(self->fd, self->table, &op, rows[i].flags,
						 rows[i].arg)) {
			TH_LOG("row %u", i);
		}
	}
	EXPECT_EQ(-EINVAL, op_flags(self->fd, self->table, &clear, KREG_OP_MINE, 0));
	for (i = 0; i < 2; i++) {
		struct kreg_op op = test_op_puts("key", "v");

		op.flags = i ? KREG_OP_VERSION : KREG_OP_NEW;
		op.arg = i;
		test_err_op(EINVAL, self->fd, self->table, KREG_WRITE_ASYNC, &op);
		test_err_batch(EINVAL, self->fd, self->table, KREG_WRITE_ASYNC, &op, 1, NULL);
	}
	EXPECT_EQ(0, test_objects(self->fd, self->table));
}

TEST_F(condition, version)
{
	struct kreg_op op = test_op_puts("key", "1");
	char room[8] = { 0 };
	__u64 first;

	test_op_(self->fd, self->table, 0, &op);
	first = op.out_version;
	op = test_op_puts("key", "2");
	EXPECT_EQ(-ECANCELED, op_flags(self->fd, self->table, &op, KREG_OP_VERSION, first + 1));
	EXPECT_EQ(0, op_flags(self->fd, self->table, &op, KREG_OP_VERSION, first));
	EXPECT_EQ(1, op.out_count);
	EXPECT_EQ(-ECANCELED, op_flags(self->fd, self->table, &op, KREG_OP_VERSION, first));
	test_gets(self->fd, self->table, "key", "2");
	op = test_ops(KREG_OP_MEMBER, "key");
	test_op_(self->fd, self->table, 0, &op);
	first = op.out_version;
	op = test_op_value(KREG_OP_TAKE, "key", 3, room, sizeof(room));
	EXPECT_EQ(-ECANCELED, op_flags(self->fd, self->table, &op, KREG_OP_VERSION, first + 1));
	EXPECT_EQ(0, op_flags(self->fd, self->table, &op, KREG_OP_VERSION, first));
	EXPECT_EQ(0, memcmp(room, "2", 1));
	test_err_member(ENODATA, self->fd, self->table, "key");
	test_puts(self->fd, self->table, "key", "3");
	op = test_ops(KREG_OP_DELETE, "key");
	EXPECT_EQ(-ECANCELED, op_flags(self->fd, self->table, &op, KREG_OP_VERSION, first));
	test_member(self->fd, self->table, "key");
}

TEST_F(condition, version_in_batches)
{
	struct kreg_op op = test_op_puts("a", "1"), ops[3];
	__u32 done;

	test_op_(self->fd, self->table, 0, &op);
	ops[0] = test_op_puts("a", "2");
	ops[0].flags = KREG_OP_VERSION;
	ops[0].arg = op.out_version;
	ops[1] = test_op_puts("b", "2");
	ops[2] = ops[0];
	/* The version that it had when the batch began. */
	test_batch(self->fd, self->table, KREG_BATCH_ATOMIC, ops, 3, &done);
	EXPECT_EQ(3, done);
	ops[1] = test_op_puts("c", "3");
	test_err_batch(ECANCELED, self->fd, self->table, KREG_BATCH_ATOMIC, ops, 3, &done);
	EXPECT_EQ(0, done);
	test_err_member(ENODATA, self->fd, self->table, "c");
	test_batch(self->fd, self->table, 0, ops, 3, &done);
	EXPECT_EQ(1, done);
	EXPECT_EQ(ECANCELED, ops[0].out_error);
	EXPECT_EQ(ECANCELED, ops[2].out_error);
	test_gets(self->fd, self->table, "a", "2");
}

static long job_flags(struct job *job)
{
	struct kreg_op op = test_ops(job->arg, job->key);
	long err;

	if (job->arg == KREG_OP_PUT)
		op = test_op_puts(job->key, job->value);
	if (job->arg == KREG_OP_TAKE)
		op = test_op_value(KREG_OP_TAKE, job->key, strlen(job->key), job->value,
				   sizeof(job->value));
	op.flags = job->flags;
	err = _test_op(job->fd, job->table, 0, &op);
	return err ?: op.out_count;
}

static long kid_flags(struct kid *kid, __u64 table, __u16 code, const char *key, __u16 flags)
{
	kid->job->table = table;
	kid->job->arg = code;
	kid->job->flags = flags;
	test_set(kid->job->key, key);
	test_set(kid->job->value, "by kid");
	return kid_do(kid, job_flags);
}

TEST_F(condition, mine)
{
	struct kid *kid = kid_start(_metadata);
	struct kreg_op ops[2];
	__u32 done;

	test_bind(self->fd, self->table, "key", "v");
	test_puts(self->fd, self->table, "plain", "v");
	EXPECT_EQ(0, kid_flags(kid, self->table, KREG_OP_DELETE, "key", KREG_OP_MINE));
	EXPECT_EQ(-ENODATA, kid_flags(kid, self->table, KREG_OP_PUT, "key", KREG_OP_MINE));
	EXPECT_EQ(-ENODATA, kid_flags(kid, self->table, KREG_OP_TAKE, "key", KREG_OP_MINE));
	EXPECT_EQ(0, kid_flags(kid, self->table, KREG_OP_DELETE, "plain", KREG_OP_MINE));
	EXPECT_EQ(-ENODATA, kid_flags(kid, self->table, KREG_OP_PUT, "plain", KREG_OP_MINE));
	EXPECT_EQ(0, kid_bind(kid, self->table, "his", "v"));
	EXPECT_EQ(1, kid_flags(kid, self->table, KREG_OP_PUT, "his", KREG_OP_MINE));
	EXPECT_TRUE(test_is_of(self->fd, self->table, "his", kid->self));
	test_gets(self->fd, self->table, "his", "by kid");
	/* In batches. */
	ops[0] = test_ops(KREG_OP_DELETE, "his");
	ops[0].flags = KREG_OP_MINE;
	ops[1] = test_op_puts("key", "w");
	ops[1].flags = KREG_OP_MINE;
	test_batch(self->fd, self->table, KREG_BATCH_ATOMIC, ops, 2, &done);
	EXPECT_EQ(2, done);
	EXPECT_EQ(0, ops[0].out_count);
	EXPECT_EQ(1, ops[1].out_count);
	EXPECT_TRUE(test_is_of(self->fd, self->table, "key", test_self(self->fd)));
	ops[1] = test_op_puts("his", "w");
	ops[1].flags = KREG_OP_MINE;
	test_err_batch(ENODATA, self->fd, self->table, KREG_BATCH_ATOMIC, ops, 2, &done);
	EXPECT_EQ(1, done);
	test_batch(self->fd, self->table, 0, ops, 2, &done);
	EXPECT_EQ(1, done);
	EXPECT_EQ(ENODATA, ops[1].out_error);
	EXPECT_EQ(1, kid_flags(kid, self->table, KREG_OP_TAKE, "his", KREG_OP_MINE));
	EXPECT_EQ(0, kid_flags(kid, self->table, KREG_OP_DELETE, "his", KREG_OP_MINE));
}

/* Where a key has one object its number is 0. */
TEST_F(condition, number)
{
	struct kreg_op op = test_ops(KREG_OP_DELETE, "bound");
	__u64 version;
	__u32 done;

	test_puts(self->fd, self->table, "key", "a");
	test_bind(self->fd, self->table, "bound", "b");
	version = test_version(self->fd, self->table, "key");
	EXPECT_EQ(-ECANCELED, test_removes(self->fd, self->table, "key", KREG_OP_VERSION, version,
					   1));
	EXPECT_EQ(1, test_removes(self->fd, self->table, "key", KREG_OP_VERSION, version, 0));
	version = test_version(self->fd, self->table, "bound");
	EXPECT_EQ(-ECANCELED, test_removes(self->fd, self->table, "bound", KREG_OP_VERSION, version,
					   1));
	op.flags = KREG_OP_VERSION;
	op.arg = version;
	op.offset = 1;
	test_err_batch(ECANCELED, self->fd, self->table, KREG_BATCH_ATOMIC, &op, 1, &done);
	op.offset = 0;
	test_batch(self->fd, self->table, KREG_BATCH_ATOMIC, &op, 1, &done);
	EXPECT_EQ(0, test_objects(self->fd, self->table));
}

TEST_HARNESS_MAIN
