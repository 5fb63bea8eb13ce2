// SPDX-License-Identifier: GPL-2.0
/*
 * The writer role: who owns it writes to a table of another, and does nothing else to it.
 */
#include "kit/bound.h"
#include "kit/fixture.h"
#include "kit/job.h"
#include "kit/stall.h"

#define ALICE	1000
#define QUEUED	2048

FIXTURE(role_writer) {
	struct test_base base;
	int fd;
	struct kreg_process me;
	struct kid *alice;	/* another user, who has the role */
	__u64 role;
	__u64 table;		/* mine */
};

FIXTURE_SETUP(role_writer)
{
	struct kreg_ioc_open cmd = test_open_cmd("t", KREG_OPEN_CREATE);

	self->fd = test_setup(_metadata, &self->base);
	self->me = test_self(self->fd);
	self->alice = kid_start_as(_metadata, ALICE);
	ASSERT_EQ(0, kid_create(self->alice, "role", 0, &self->role));
	test_open_(self->fd, &cmd);
	self->table = cmd.out_table;
	test_setopt(self->fd, self->table, KREG_OPT_WRITER, self->role, 0);
}

FIXTURE_TEARDOWN_PARENT(role_writer)
{
	test_teardown(_metadata, &self->base);
}

/* Every way of writing, each returning what the first that fails does. */
static long job_write_all(struct job *job)
{
	struct kreg_op ops[2] = { test_op_puts("a", "1"), test_op_puts("b", "2") };
	struct kreg_op say = test_op_value(KREG_OP_PUBLISH, "k", 1, "v", 1);
	int fd = job->fd;
	__u64 id = job->table;
	long err;

	err = _test_puts(fd, id, "k", "v");
	err = err ? err : _test_put_new(fd, id, "new", "v");
	err = err ? err : _test_batch(fd, id, 0, ops, 2, NULL);
	err = err ? err : _test_batch(fd, id, KREG_BATCH_ATOMIC, ops, 2, NULL);
	err = err ? err : _test_batch(fd, id, KREG_WRITE_ASYNC, ops, 2, NULL);
	err = err ? err : _test_put_async(fd, id, "c", "3");
	err = err ? err : _test_op(fd, id, 0, &say);
	err = err ? err : _test_delete(fd, id, "k");
	err = err ? err : _test_sync(fd);
	return err;
}

static long job_put_async(struct job *job)
{
	return _test_put_async(job->fd, job->table, "k", "v");
}

static long job_batch(struct job *job)
{
	struct kreg_op op = test_op_puts("k", "v");

	return _test_batch(job->fd, job->table, job->flags, &op, 1, NULL);
}

static long write_all(struct kid *kid, __u64 table)
{
	kid->job->table = table;
	return kid_do(kid, job_write_all);
}

static void expect_no_writer(struct __test_metadata *_metadata, struct kid *kid, __u64 table)
{
	EXPECT_EQ(-EACCES, kid_puts(kid, table, "k", "v"));
	EXPECT_EQ(-EACCES, kid_op(kid, table, KREG_OP_DELETE, "k"));
	EXPECT_EQ(-EACCES, kid_op(kid, table, KREG_OP_CLEAR, ""));
	EXPECT_EQ(-EACCES, kid_op(kid, table, KREG_OP_PUBLISH, "k"));
	EXPECT_EQ(-EACCES, kid_op(kid, table, KREG_OP_TAKE, "k"));
	EXPECT_EQ(-EACCES, kid_do(kid, job_put_async));
	kid->job->flags = KREG_BATCH_ATOMIC;
	EXPECT_EQ(-EACCES, kid_do(kid, job_batch));
	kid->job->flags = KREG_WRITE_ASYNC;
	EXPECT_EQ(-EACCES, kid_do(kid, job_batch));
}

/* Neither the access rule nor the mode lets her write. */
TEST_F(role_writer, writes)
{
	struct kreg_info info;
	__u64 found;

	ASSERT_EQ(0, kid_open(self->alice, "t", 0, &found));
	EXPECT_EQ(self->table, found);
	EXPECT_EQ(0, write_all(self->alice, self->table));
	test_gets(self->fd, self->table, "a", "1");
	test_gets(self->fd, self->table, "c", "3");
	EXPECT_EQ(4, test_objects(self->fd, self->table));
	EXPECT_EQ(0, kid_op(self->alice, self->table, KREG_OP_CLEAR, ""));
	EXPECT_EQ(0, test_objects(self->fd, self->table));
	test_info(self->fd, self->table, &info);
	EXPECT_EQ(self->role, info.writer_role);
	EXPECT_EQ(0, info.role);
	/* The owner goes on. */
	test_puts(self->fd, self->table, "k", "mine");
}

/* She reads as far as she could without it. */
TEST_F(role_writer, reads)
{
	test_puts(self->fd, self->table, "k", "v");
	EXPECT_EQ(-EACCES, kid_gets(self->alice, self->table, "k"));
	EXPECT_EQ(-EACCES, kid_op(self->alice, self->table, KREG_OP_TAKE, "k"));
	EXPECT_EQ(-EACCES, kid_info(self->alice, self->table));
	test_mode(self->fd, self->table, 0644);
	EXPECT_EQ(0, kid_gets(self->alice, self->table, "k"));
	EXPECT_EQ(-EMSGSIZE, kid_op(self->alice, self->table, KREG_OP_TAKE, "k"));
	test_puts(self->fd, self->table, "k", "");
	EXPECT_EQ(0, kid_op(self->alice, self->table, KREG_OP_TAKE, "k"));
	test_access(self->fd, self->table, KREG_ACCESS_PRIVATE);
	EXPECT_EQ(-EACCES, kid_gets(self->alice, self->table, "k"));
	EXPECT_EQ(0, kid_puts(self->alice, self->table, "k", "v"));
}

TEST_F(role_writer, controls_nothing)
{
	struct kid *alice = self->alice;
	__u64 id = self->table;

	EXPECT_EQ(-EPERM, kid_destroy(alice, id));
	EXPECT_EQ(-EPERM, kid_give(alice, id, self->me, ""));
	EXPECT_EQ(-EPERM, kid_park(alice, id));
	EXPECT_EQ(-EPERM, kid_heir(alice, id, alice->self, ""));
	EXPECT_EQ(-EPERM, kid_orphan(alice, id, KREG_ORPHAN_PARK, 0));
	EXPECT_EQ(-EPERM, kid_setopt(alice, id, KREG_OPT_MODE, 0666, 0));
	EXPECT_EQ(-EPERM, kid_setopt(alice, id, KREG_OPT_WRITER, 0, 0));
	EXPECT_EQ(-EPERM, kid_setopt(alice, id, KREG_OPT_ROLE, self->role, 0));
	EXPECT_EQ(-EPERM, kid_setopt(alice, id, KREG_OPT_LIMIT, 1, 1));
}

TEST_F(role_writer, others_do_not)
{
	struct kid *bob = kid_start_as(_metadata, ALICE + 1);
	struct kid *same_user = kid_start_as(_metadata, ALICE);
	__u64 found;

	expect_no_writer(_metadata, bob, self->table);
	expect_no_writer(_metadata, same_user, self->table);
	EXPECT_EQ(-EACCES, kid_open(bob, "t", 0, &found));
	kid_kill(bob);
	kid_kill(same_user);
}

/* The right goes where the role goes, at once. */
TEST_F(role_writer, moves)
{
	struct kid *heir = kid_start_as(_metadata, ALICE);
	int i;

	ASSERT_EQ(0, kid_puts(self->alice, self->table, "k", "v"));
	ASSERT_EQ(0, kid_give(self->alice, self->role, heir->self, ""));
	expect_no_writer(_metadata, self->alice, self->table);
	EXPECT_EQ(0, write_all(heir, self->table));
	ASSERT_EQ(0, kid_heir(heir, self->role, self->alice->self, ""));
	kid_kill(heir);
	EXPECT_EQ(0, kid_puts(self->alice, self->table, "k", "v"));
	/* Nothing but the write asks what has become of the dead. */
	for (i = 0; i < 10; i++) {
		heir = kid_start_as(_metadata, ALICE);
		ASSERT_EQ(0, kid_give(self->alice, self->role, heir->self, ""));
		ASSERT_EQ(0, kid_heir(heir, self->role, self->alice->self, ""));
		kid_kill(heir);
		self->alice->job->flags = KREG_BATCH_ATOMIC;
		EXPECT_EQ(0, i % 2 ? kid_puts(self->alice, self->table, "k", "v") :
				     kid_do(self->alice, job_batch));
	}
}

TEST_F(role_writer, ends)
{
	struct kreg_info info;

	test_setopt(self->fd, self->table, KREG_OPT_WRITER, 0, 0);
	expect_no_writer(_metadata, self->alice, self->table);
	test_info(self->fd, self->table, &info);
	EXPECT_EQ(0, info.writer_role);
	test_setopt(self->fd, self->table, KREG_OPT_WRITER, self->role, 0);
	ASSERT_EQ(0, kid_puts(self->alice, self->table, "k", "v"));
	ASSERT_EQ(0, kid_destroy(self->alice, self->role));
	expect_no_writer(_metadata, self->alice, self->table);
	test_info(self->fd, self->table, &info);
	EXPECT_EQ(0, info.writer_role);
}

TEST_F(role_writer, parked)
{
	ASSERT_EQ(0, kid_orphan(self->alice, self->role, KREG_ORPHAN_PARK, 0));
	ASSERT_EQ(0, kid_park(self->alice, self->role));
	expect_no_writer(_metadata, self->alice, self->table);
	ASSERT_EQ(0, kid_open(self->alice, "role", KREG_OPEN_CLAIM, &self->role));
	EXPECT_EQ(0, write_all(self->alice, self->table));
}

TEST_F(role_writer, errors)
{
	__u64 id = self->table, gone;

	test_create(self->fd, NULL, 0, &gone);
	test_destroy(self->fd, gone);
	test_err_setopt(EINVAL, self->fd, id, KREG_OPT_WRITER, id, 0);
	test_err_setopt(EINVAL, self->fd, id, KREG_OPT_WRITER, self->role, 1);
	test_err_setopt(EINVAL, self->fd, id, KREG_OPT_WRITER, ~0ULL, 0);
	test_err_setopt(ESTALE, self->fd, id, KREG_OPT_WRITER, gone, 0);
	test_err_setopt(ESTALE, self->fd, gone, KREG_OPT_WRITER, id, 0);
	/* Each may be the other's. */
	EXPECT_EQ(0, kid_setopt(self->alice, self->role, KREG_OPT_WRITER, id, 0));
	test_puts(self->fd, self->role, "k", "v");
	EXPECT_EQ(0, kid_puts(self->alice, id, "k", "v"));
}

/* In a registry she writes what its owner might. */
TEST_F(role_writer, registry)
{
	struct kreg_op op = test_op_puts("bound", "v");
	struct kid *bob = kid_start_as(_metadata, ALICE + 1);
	struct kid *next = kid_start_as(_metadata, ALICE);

	test_access(self->fd, self->table, KREG_ACCESS_REGISTRY);
	test_mode(self->fd, self->table, 0666);
	op.flags = KREG_OP_BOUND;
	test_op_(self->fd, self->table, 0, &op);
	test_puts(self->fd, self->table, "plain", "v");
	EXPECT_EQ(-EACCES, kid_puts(bob, self->table, "bound", "w"));
	EXPECT_EQ(-EACCES, kid_puts(bob, self->table, "k", "w"));
	EXPECT_EQ(-EACCES, kid_op(bob, self->table, KREG_OP_DELETE, "plain"));
	EXPECT_EQ(-EACCES, kid_op(bob, self->table, KREG_OP_CLEAR, ""));
	EXPECT_EQ(0, kid_puts(self->alice, self->table, "bound", "w"));
	EXPECT_EQ(0, kid_op(self->alice, self->table, KREG_OP_DELETE, "plain"));
	EXPECT_EQ(0, kid_bind(self->alice, self->table, "hers", "v"));
	EXPECT_EQ(0, write_all(self->alice, self->table));
	EXPECT_EQ(0, kid_op(self->alice, self->table, KREG_OP_CLEAR, ""));
	ASSERT_EQ(0, kid_give(self->alice, self->role, next->self, ""));
	EXPECT_EQ(-EACCES, kid_puts(self->alice, self->table, "plain", "w"));
	EXPECT_EQ(0, kid_bind(self->alice, self->table, "hers", "v"));
	EXPECT_EQ(0, kid_puts(next, self->table, "plain", "w"));
	kid_kill(next);
	kid_kill(bob);
}

/* Queue a batch and a write behind it, and hand the role over. */
static long job_queue_and_give(struct job *job)
{
	static struct kreg_op ops[QUEUED];
	long err;
	int i;

	for (i = 0; i < QUEUED; i++)
		ops[i] = test_op_value(KREG_OP_PUT, &ops[i].key, 8, "v", 1);
	err = _test_batch(job->fd, job->table, KREG_WRITE_ASYNC, ops, QUEUED, NULL);
	err = err ? err : _test_put_async(job->fd, job->table, "late", "v");
	return err ? err : _test_give(job->fd, job->arg, job->process, NULL, 0);
}

static long job_sync(struct job *job)
{
	return _test_sync(job->fd);
}

/*
 * What is queued is decided about at its turn: a batch is applied as a whole or not at all, and
 * what the former writer has queued behind it is refused, which SYNC tells. The writer's thread
 * is kept from running meanwhile; it may still be in the midst of a round that it had begun.
 */
TEST_F(role_writer, queued_when_it_moves)
{
	struct kid *next = kid_start_as(_metadata, ALICE);
	int round, refused = 0;
	struct hold h;

	hold_prepare(_metadata, &h);
	for (round = 0; round < 50 && !refused; round++) {
		self->alice->job->table = self->table;
		self->alice->job->arg = self->role;
		self->alice->job->process = next->self;
		hold(_metadata, &h);
		EXPECT_EQ(0, kid_do(self->alice, job_queue_and_give));
		unhold(_metadata, &h);
		refused = kid_do(self->alice, job_sync) == -EACCES;
		EXPECT_EQ(refused ? -ENODATA : 0, _test_member(self->fd, self->table, "late"));
		EXPECT_EQ(refused ? 0 : 1, test_objects(self->fd, self->table) % QUEUED);
		if (!refused)
			ASSERT_EQ(0, kid_give(next, self->role, self->alice->self, ""));
		test_clear(self->fd, self->table);
	}
	EXPECT_EQ(1, refused);
	kid_kill(next);
	kid_kill(h.spinner);
}

TEST_HARNESS_MAIN
