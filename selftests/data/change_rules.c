// SPDX-License-Identifier: GPL-2.0
/*
 * CHANGE: where a key has several objects, what of others is there, and what is refused.
 */
#include "data/change.h"
#include "kit/fixture.h"
#include "kit/bag.h"
#include "kit/bound.h"
#include "kit/edit.h"

#define BOB		1001
#define CAROL		1002

FIXTURE(change_rules) {
	struct test_base base;
	int fd;
	__u64 table;
};

FIXTURE_SETUP(change_rules)
{
	self->fd = test_setup(_metadata, &self->base);
	test_create(self->fd, "change", KREG_ACCESS_PUBLIC, &self->table);
}

FIXTURE_TEARDOWN_PARENT(change_rules)
{
	test_teardown(_metadata, &self->base);
}

/* Of the objects of a key those that match, each by itself. */
TEST_F(change_rules, bag)
{
	struct kreg_term term = test_term_bytes(KREG_TERM_VALUE, 0, "x", 1);
	struct kreg_field f = test_add(0, 1);
	struct kreg_ioc_change cmd;
	struct test_run run;
	__u64 bag;
	int i;

	ASSERT_EQ(0, _test_create_type(self->fd, "bag", KREG_TYPE_DUPLICATE_BAG, 0, &bag));
	for (i = 0; i < 100; i++)
		test_puts(self->fd, bag, i % 2 ? "k" : "l", i % 3 ? "x" : "y");
	cmd = test_change_edit(bag, &term, 1, &f, 1);
	test_err_change(EOPNOTSUPP, self->fd, &cmd);
	cmd = test_change_cmd(bag, &term, 1);
	cmd.range.low = test_ptr("k");
	cmd.range.low_len = 1;
	cmd.range.flags = KREG_RANGE_EXACT;
	test_change(self->fd, &cmd);
	EXPECT_EQ(33, cmd.out_count);
	EXPECT_EQ(17, test_run(self->fd, bag, "k", &run));
	cmd = test_change_cmd(bag, &term, 1);
	test_change(self->fd, &cmd);
	EXPECT_EQ(33, cmd.out_count);
	EXPECT_EQ(34, test_objects(self->fd, bag));
	cmd = test_change_cmd(bag, NULL, 0);
	cmd.max_count = 30;
	test_change(self->fd, &cmd);
	EXPECT_EQ(30, cmd.out_count);
	EXPECT_EQ(1, cmd.out_more);
	EXPECT_EQ(4, test_objects(self->fd, bag));
}

/* A position is that of an object: a call goes on within the objects of one write of a key. */
TEST_F(change_rules, positions_in_a_bag)
{
	static const char values[] = "xyxyxxyx";
	struct kreg_term term = test_term_bytes(KREG_TERM_VALUE, 0, "x", 1);
	struct kreg_ioc_change cmd;
	struct kreg_op ops[8];
	char position[KREG_MAX_KEY];
	struct test_run run;
	__u32 i, calls = 0;
	__u64 bag;

	ASSERT_EQ(0, _test_create_type(self->fd, "bag", KREG_TYPE_DUPLICATE_BAG, 0, &bag));
	for (i = 0; i < 8; i++)
		ops[i] = test_op_value(KREG_OP_PUT, "k", 1, values + i, 1);
	test_batch(self->fd, bag, 0, ops, 8, NULL);
	cmd = test_change_cmd(bag, &term, 1);
	cmd.max_count = 1;
	cmd.position = test_ptr(position);
	do {
		test_change(self->fd, &cmd);
		if (!cmd.out_count)
			break;
		ASSERT_EQ(1, cmd.out_position_len);
		EXPECT_EQ('x', values[cmd.out_position_sub]);
		cmd.range.after = test_ptr(position);
		cmd.range.after_len = cmd.out_position_len;
		cmd.range.after_version = cmd.out_position_version;
		cmd.range.after_sub = cmd.out_position_sub;
	} while (++calls < 8);
	EXPECT_EQ(5, calls);
	EXPECT_EQ(3, test_run(self->fd, bag, "k", &run));
}

/* One key; how many were removed is in job->arg, and at which key it ended in job->arg2. */
static long job_change(struct job *job)
{
	char position[KREG_MAX_KEY] = "";
	struct kreg_ioc_change cmd = test_change_cmd(job->table, NULL, 0);
	long err;

	cmd.position = test_ptr(position);
	cmd.range.low = test_ptr(job->key);
	cmd.range.low_len = strlen(job->key);
	cmd.range.flags = KREG_RANGE_EXACT;
	err = _test_change(job->fd, &cmd);
	job->arg = cmd.out_count;
	job->arg2 = !strcmp(position, job->key);
	return err;
}

static long kid_change(struct kid *kid, __u64 table, const char *key)
{
	kid->job->table = table;
	test_set(kid->job->key, key);
	return kid_do(kid, job_change);
}

/* In a registry one's own are removed, and one of another's ends the call. */
TEST_F(change_rules, registry)
{
	struct kid *bob = kid_start_as(_metadata, BOB), *carol = kid_start_as(_metadata, CAROL);
	struct kid *owner = kid_start(_metadata);
	__u64 registry;

	ASSERT_EQ(0, kid_create(owner, "names", KREG_ACCESS_REGISTRY, &registry));
	ASSERT_EQ(0, kid_bind(bob, registry, "bob", "v"));
	ASSERT_EQ(0, kid_bind(carol, registry, "carol", "v"));
	EXPECT_EQ(-EACCES, kid_change(carol, registry, "bob"));
	EXPECT_EQ(0, carol->job->arg);
	EXPECT_EQ(1, carol->job->arg2);
	EXPECT_EQ(0, kid_change(carol, registry, "carol"));
	EXPECT_EQ(1, carol->job->arg);
	EXPECT_EQ(1, test_objects(self->fd, registry));
}

TEST_F(change_rules, errors)
{
	struct kreg_term term = less_than(1);
	struct kreg_field f = test_add(0, 1);
	struct kid *kid = kid_start(_metadata);
	struct kreg_ioc_change cmd;
	__u64 private;
	int fd;

	ASSERT_EQ(0, put_numbered(self->fd, self->table, 1));
#define EXPECT_CHANGE(err, change)					\
	do {								\
		cmd = test_change_edit(self->table, &term, 1, &f, 1);	\
		f = test_add(0, 1);					\
		change;							\
		EXPECT_EQ(-(err), _test_change(self->fd, &cmd));	\
	} while (0)
	EXPECT_CHANGE(EOPNOTSUPP, cmd.code = KREG_OP_PUT);
	EXPECT_CHANGE(EOPNOTSUPP, cmd.code = 0);
	EXPECT_CHANGE(EOPNOTSUPP, cmd.range.flags = 1 << 4);
	EXPECT_CHANGE(EINVAL, cmd.code = KREG_OP_DELETE);
	EXPECT_CHANGE(EINVAL, cmd.code = KREG_OP_DELETE; cmd.field_count = 0);
	EXPECT_CHANGE(EINVAL, cmd.field_count = 0);
	EXPECT_CHANGE(EINVAL, cmd.range.flags = KREG_RANGE_EXACT);
	EXPECT_CHANGE(EINVAL, cmd.range.filter_count = 0);
	EXPECT_CHANGE(ENAMETOOLONG, cmd.range.low = 8; cmd.range.low_len = KREG_MAX_KEY + 1);
	EXPECT_CHANGE(EFBIG, cmd.field_count = KREG_MAX_FIELDS + 1);
	EXPECT_CHANGE(EFAULT, cmd.range.low = 8; cmd.range.low_len = 1);
	EXPECT_CHANGE(EFAULT, cmd.range.filter = 8);
	EXPECT_CHANGE(EFAULT, cmd.fields = 0);
	EXPECT_CHANGE(EFAULT, cmd.position = 8);
	EXPECT_CHANGE(EOPNOTSUPP, f.code = 0);
	EXPECT_CHANGE(EINVAL, f.set = 1);
	EXPECT_CHANGE(EINVAL, term.size = 5);
	term = less_than(1);
	EXPECT_CHANGE(EINVAL, cmd.table += 1000);
	ASSERT_EQ(0, kid_create(kid, "his", KREG_ACCESS_PRIVATE, &private));
	EXPECT_CHANGE(EACCES, cmd.table = private);
	ASSERT_EQ(0, kid_destroy(kid, private));
	EXPECT_CHANGE(ESTALE, cmd.table = private);
	ASSERT_EQ(0, kid_create(kid, "his", KREG_ACCESS_PROTECTED, &private));
	EXPECT_CHANGE(EACCES, cmd.table = private);
	fd = open(KREG_DEV, O_RDONLY | O_CLOEXEC);
	cmd = test_change_cmd(self->table, NULL, 0);
	test_err_change(EBADF, fd, &cmd);
	close(fd);
	test_gets(self->fd, self->table, "0000", "");
	EXPECT_EQ(1, test_version(self->fd, self->table, "0000"));
}

TEST_HARNESS_MAIN
