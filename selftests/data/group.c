// SPDX-License-Identifier: GPL-2.0
/*
 * GROUP: batches of writes to several tables, all or nothing.
 */
#include "data/group.h"
#include "kit/bound.h"
#include "kit/lease.h"
#include "kit/await.h"

#define ALICE	1000

FIXTURE_VARIANT_ADD(group, set) { .type = KREG_TYPE_SET };
FIXTURE_VARIANT_ADD(group, ordered) { .type = KREG_TYPE_ORDERED_SET };

/* An object that is in the one table or in the other. */
TEST_F(group, moves)
{
	__u32 failed;

	test_puts(self->fd, self->a, "key", "value");
	self->ops[0][0] = test_ops(KREG_OP_DELETE, "key");
	self->ops[1][0] = test_op_puts("key", "value");
	self->ops[1][0].flags = KREG_OP_NEW;
	ASSERT_EQ(0, run_both(&failed));
	EXPECT_EQ(2, failed);
	EXPECT_EQ(1, self->batch[0].out_done);
	EXPECT_EQ(1, self->batch[1].out_done);
	EXPECT_EQ(1, self->ops[0][0].out_count);
	EXPECT_LT(0, self->ops[1][0].out_version);
	test_err_member(ENODATA, self->fd, self->a, "key");
	test_gets(self->fd, self->b, "key", "value");
}

/* What the last one does not do, none has done. */
TEST_F(group, all_or_nothing)
{
	__u64 version;
	__u32 failed;

	test_puts(self->fd, self->a, "key", "value");
	test_puts(self->fd, self->b, "there", "value");
	version = test_version(self->fd, self->a, "key");
	fill_two_each(self);
	EXPECT_EQ(-EEXIST, run_both(&failed));
	EXPECT_EQ(1, failed);
	EXPECT_EQ(1, self->batch[1].out_done);
	EXPECT_EQ(version, test_version(self->fd, self->a, "key"));
	EXPECT_EQ(1, test_objects(self->fd, self->a));
	EXPECT_EQ(1, test_objects(self->fd, self->b));
	test_gets(self->fd, self->b, "there", "value");
	/* The first is to blame; what it would have done counts for nothing either. */
	self->ops[0][1].flags = KREG_OP_PRESENT;
	EXPECT_EQ(-ENODATA, run_both(&failed));
	EXPECT_EQ(0, failed);
	EXPECT_EQ(1, self->batch[0].out_done);
	test_puts(self->fd, self->a, "other", "old");
	self->ops[1][1].flags = 0;
	EXPECT_EQ(0, run_both(&failed));
	test_gets(self->fd, self->a, "other", "y");
	test_gets(self->fd, self->b, "there", "y");
	EXPECT_EQ(2, test_objects(self->fd, self->b));
}

TEST_F(group, conditions)
{
	__u64 version;

	test_puts(self->fd, self->a, "key", "1");
	version = test_version(self->fd, self->a, "key");
	self->ops[0][0] = test_op_puts("key", "2");
	self->ops[0][0].flags = KREG_OP_VERSION;
	self->ops[0][0].arg = version;
	self->ops[1][0] = test_op_puts("log", "2");
	EXPECT_EQ(0, run_both(NULL));
	EXPECT_EQ(-ECANCELED, run_both(NULL));
	/* What is on loan to this process moves as its borrower says. */
	test_puts(self->fd, self->a, "job", "work");
	ASSERT_LT(0, _test_lease_for(self->fd, self->a, "job", 0, &version));
	self->ops[0][0] = test_ops(KREG_OP_DELETE, "job");
	self->ops[0][0].flags = KREG_OP_MINE | KREG_OP_VERSION;
	self->ops[0][0].arg = version;
	EXPECT_EQ(0, run_both(NULL));
	EXPECT_EQ(-ECANCELED, run_both(NULL));
	EXPECT_EQ(0, test_bound(self->fd, self->a));
	self->ops[0][0] = test_op_bind("name", "v");
	EXPECT_EQ(0, run_both(NULL));
	EXPECT_EQ(1, test_bound(self->fd, self->a));
}

/* It comes after what this client has queued for any of the tables. */
TEST_F(group, after_what_is_queued)
{
	struct kreg_op *many = calloc(1000, sizeof(*many));
	char keys[1000][8];
	int i;

	for (i = 0; i < 1000; i++) {
		snprintf(keys[i], sizeof(keys[i]), "%d", i);
		many[i] = test_op_puts(keys[i], "queued");
	}
	self->ops[0][0] = test_op_puts("key", "value");
	for (i = 0; i < 100; i++) {
		test_batch(self->fd, self->b, KREG_WRITE_ASYNC | KREG_BATCH_ATOMIC, many, 1000,
			   NULL);
		self->ops[1][0] = test_op_puts("999", "last");
		ASSERT_EQ(0, run_both(NULL));
		test_gets(self->fd, self->b, "999", "last");
	}
	EXPECT_EQ(1000, test_objects(self->fd, self->b));
	free(many);
}

TEST_F(group, limits)
{
	struct kreg_ioc_batch nine[KREG_MAX_GROUP + 1];
	__u64 id;
	__u32 i, failed;

	for (i = 0; i <= KREG_MAX_GROUP; i++) {
		ASSERT_EQ(0, create_beside(self->fd, variant->type, self->a, &id));
		self->ops[0][i] = test_op_puts("key", "value");
		nine[i] = test_batch_cmd(id, 0, &self->ops[0][i], 1);
	}
	EXPECT_EQ(0, run_group(self->fd, nine, KREG_MAX_GROUP, &failed));
	EXPECT_EQ(-EFBIG, run_group(self->fd, nine, KREG_MAX_GROUP + 1, NULL));
	for (i = 0; i < KREG_MAX_GROUP_OPS; i++) {
		self->ops[0][i] = test_op_puts("key", "value");
		self->ops[1][i] = test_op_puts("key", "value");
	}
	self->batch[0].count = KREG_MAX_GROUP_OPS - 1;
	EXPECT_EQ(0, run_both(NULL));
	self->batch[0].count = KREG_MAX_GROUP_OPS;
	EXPECT_EQ(-EFBIG, run_both(&failed));
	EXPECT_EQ(2, failed);
}

static char long_value[KREG_MAX_GROUP_BYTES];

TEST_F(group, bytes)
{
	self->ops[0][0] = test_op_value(KREG_OP_PUT, "k", 1, long_value, sizeof(long_value) - 3);
	self->ops[1][0] = test_op_value(KREG_OP_PUT, "k", 1, "v", 1);
	EXPECT_EQ(0, run_both(NULL));
	self->ops[1][0].value_len = 0;
	EXPECT_EQ(0, run_both(NULL));
	self->ops[0][0].value_len++;
	EXPECT_EQ(0, run_both(NULL));
	self->ops[0][0].value_len++;
	EXPECT_EQ(-EFBIG, run_both(NULL));
}

TEST_F(group, errors)
{
	struct kreg_ioc_group good = test_group_cmd(self->batch, 2), cmd;
	__u32 failed;

	self->ops[0][0] = test_op_puts("key", "value");
	self->ops[1][0] = test_op_puts("key", "value");
#define BAD(err, change) do {						\
		cmd = good;						\
		change;							\
		EXPECT_EQ(-(err), test_ioctl(self->fd, KREG_IOC_GROUP, &cmd)); \
	} while (0)
	BAD(EOPNOTSUPP, cmd.flags = 1);
	BAD(EINVAL, cmd.count = 0);
	BAD(EINVAL, cmd.batch_size -= 8);
	BAD(EINVAL, cmd.batch_size += 4);
	BAD(E2BIG, cmd.batch_size = 8192);
	BAD(EFAULT, cmd.batches = 8);
#define BAD_BATCH(err, which, change) do {				\
		struct kreg_ioc_batch was = self->batch[1];		\
		change;							\
		EXPECT_EQ(-(err), run_both(&failed));			\
		EXPECT_EQ(which, failed);				\
		self->batch[1] = was;					\
	} while (0)
	BAD_BATCH(EINVAL, 1, self->batch[1].size -= 8);
	BAD_BATCH(EOPNOTSUPP, 1, self->batch[1].flags = KREG_WRITE_ASYNC);
	BAD_BATCH(EOPNOTSUPP, 1, self->batch[1].deadline_ns = 1);
	BAD_BATCH(EINVAL, 1, self->batch[1].count = 0);
	BAD_BATCH(EFAULT, 1, self->batch[1].ops = 8);
	BAD_BATCH(EINVAL, 2, self->batch[1].table = self->a);
	BAD_BATCH(EINVAL, 1, self->batch[1].table = self->b + (1ULL << 40));
	self->ops[1][0].code = KREG_OP_GET;
	BAD_BATCH(EINVAL, 1, (void)was);
	self->ops[1][0].code = KREG_OP_PUT;
	self->ops[1][0].flags = KREG_OP_BOUND | KREG_OP_MORE;
	BAD_BATCH(EOPNOTSUPP, 1, (void)was);
	self->ops[1][0].flags = 0;
	test_destroy(self->fd, self->b);
	BAD_BATCH(ESTALE, 1, (void)was);
	EXPECT_EQ(0, test_objects(self->fd, self->a));
}

static long job_group(struct job *job)
{
	struct kreg_op ops[2] = { test_op_puts("key", "value"), test_op_puts("key", "value") };
	struct kreg_ioc_batch batches[2] = {
		test_batch_cmd(job->arg, 0, &ops[0], 1), test_batch_cmd(job->table, 0, &ops[1], 1),
	};

	return run_group(job->fd, batches, 2, NULL);
}

/* Who may write to one of the tables alone writes to none. */
TEST_F(group, rights)
{
	struct kid *alice = kid_start_as(_metadata, ALICE);
	__u64 hers, ours;

	ASSERT_EQ(0, kid_create(alice, "hers", KREG_ACCESS_PUBLIC, &hers));
	ASSERT_EQ(0, create_beside(self->fd, variant->type, hers, &ours));
	ASSERT_EQ(0, _test_setopt(self->fd, ours, KREG_OPT_ACCESS, KREG_ACCESS_PROTECTED, 0));
	alice->job->arg = hers;
	alice->job->table = ours;
	EXPECT_EQ(-EACCES, kid_do(alice, job_group));
	EXPECT_EQ(0, test_objects(self->fd, hers));
	EXPECT_EQ(0, test_objects(self->fd, ours));
}

/* Where there are several writers, some tables have another one. */
TEST_F(group, beside)
{
	struct kreg_ioc_open cmd;
	int i, err, others = 0;
	char name[8];
	__u32 failed;
	__u64 id;

	self->ops[0][0] = test_op_puts("key", "value");
	self->ops[1][0] = test_op_puts("key", "value");
	for (i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "%d", i);
		ASSERT_EQ(0, _test_create_type(self->fd, name, variant->type, KREG_ACCESS_PUBLIC,
					       &id));
		self->batch[1].table = id;
		err = run_both(&failed);
		ASSERT_TRUE(!err || err == -EXDEV);
		EXPECT_EQ(2, failed);
		EXPECT_EQ(!err, test_objects(self->fd, id));
		/* A table can only follow where it can be written to together with its role. */
		EXPECT_EQ(err, _test_setopt(self->fd, id, KREG_OPT_ROLE, self->a, 0));
		others += !!err;
	}
	EXPECT_EQ(test_param("writers") > 1, others > 0);
	cmd = test_open_cmd("a", KREG_OPEN_BESIDE);
	cmd.type = 0;
	cmd.beside = self->b;
	EXPECT_EQ(-EINVAL, _test_open_cmd(self->fd, &cmd));
	cmd.flags = KREG_OPEN_CREATE;
	cmd.type = variant->type;
	EXPECT_EQ(-EINVAL, _test_open_cmd(self->fd, &cmd));
	cmd.flags = KREG_OPEN_CREATE | KREG_OPEN_BESIDE;
	cmd.beside = 0;
	EXPECT_EQ(-EINVAL, _test_open_cmd(self->fd, &cmd));
	/* It does not matter to one that is there. */
	cmd.beside = self->b + (1ULL << 40);
	EXPECT_EQ(0, _test_open_cmd(self->fd, &cmd));
	EXPECT_EQ(-EXDEV, create_beside(self->fd, variant->type, cmd.beside, &id));
	test_destroy(self->fd, self->b);
	EXPECT_EQ(-EXDEV, create_beside(self->fd, variant->type, self->b, &id));
}

TEST_HARNESS_MAIN
