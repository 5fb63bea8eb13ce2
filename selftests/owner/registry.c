// SPDX-License-Identifier: GPL-2.0
/*
 * What is bound to a process goes with it: hidden when it is exiting, removed when it is
 * dead, and nobody sees it in between.
 */
#include <sys/ptrace.h>

#include "kit/fixture.h"
#include "kit/bound.h"

FIXTURE(registry) {
	struct test_base base;
	int fd;
	struct kid *kid;
	__u64 table;
};

FIXTURE_SETUP(registry)
{
	self->fd = test_setup(_metadata, &self->base);
	self->kid = kid_start(_metadata);
	test_create(self->fd, "registry", KREG_ACCESS_PUBLIC, &self->table);
}

FIXTURE_TEARDOWN_PARENT(registry)
{
	test_teardown(_metadata, &self->base);
}

#define EXPECT_BOUND(n)	EXPECT_EQ(n, test_bound(self->fd, self->table))

/* Nothing tells of the key. */
static void expect_absent(struct __test_metadata *_metadata, int fd, __u64 table, const char *key)
{
	struct kreg_process whose;
	char room[8] = { 0 };
	struct kreg_op op = test_ops(KREG_OP_MEMBER, key), take;

	test_err_member(ENODATA, fd, table, key);
	test_err_get(ENODATA, fd, table, key, strlen(key), room, sizeof(room));
	EXPECT_EQ(-ENODATA, _test_whose(fd, table, key, &whose));
	take = test_op_value(KREG_OP_TAKE, key, strlen(key), room, sizeof(room));
	test_err_op(ENODATA, fd, table, 0, &take);
	test_batch(fd, table, 0, &op, 1, NULL);
	EXPECT_EQ(ENODATA, op.out_error);
}

TEST_F(registry, removed_on_death)
{
	static const int how[] = { SIGKILL, SIGSEGV, 0 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(how); i++) {
		struct kid *kid = kid_start(_metadata);

		ASSERT_EQ(0, kid_bind(kid, self->table, "key", "v"));
		test_puts(self->fd, self->table, "plain", "p");
		EXPECT_TRUE(test_is_of(self->fd, self->table, "key", kid->self));
		if (how[i])
			kill(kid->pid, how[i]);
		EXPECT_NE(-1, how[i] ? kid_reap(kid) : kid_exit(kid, 0));
		expect_absent(_metadata, self->fd, self->table, "key");
		EXPECT_EQ(1, test_count(self->fd, self->table));
		test_sync(self->fd);
		EXPECT_BOUND(0);
		EXPECT_EQ(1, test_objects(self->fd, self->table));
		test_gets(self->fd, self->table, "plain", "p");
	}
}

/* Also before the parent has waited: SYNC is enough to have it counted no more. */
TEST_F(registry, zombie)
{
	ASSERT_EQ(0, kid_bind(self->kid, self->table, "key", "v"));
	kill(self->kid->pid, SIGKILL);
	ASSERT_TRUE(kid_dead(self->kid));
	expect_absent(_metadata, self->fd, self->table, "key");
	test_sync(self->fd);
	EXPECT_EQ(0, test_objects(self->fd, self->table));
	kid_reap(self->kid);
}

/* kill(2) has returned. */
TEST_F(registry, never_after_kill)
{
	int i, n = test_size(300);

	for (i = 0; i < n; i++) {
		struct kid *kid = kid_start(_metadata);

		ASSERT_EQ(0, kid_bind(kid, self->table, "key", "v"));
		kill(kid->pid, SIGKILL);
		test_err_member(ENODATA, self->fd, self->table, "key");
		if (i & 1)
			test_bind_new(self->fd, self->table, "key", "mine");
		kid_reap(kid);
		if (i & 1) {
			test_gets(self->fd, self->table, "key", "mine");
			test_delete(self->fd, self->table, "key");
		}
	}
	test_sync(self->fd);
	EXPECT_EQ(0, test_objects(self->fd, self->table));
}

/* Stop the kid on its way out, by a tracer: it is exiting, and not dead. */
static void stop_in_exit(struct __test_metadata *_metadata, struct kid *kid)
{
	int status;

	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, kid->pid, 0, PTRACE_O_TRACEEXIT));
	kid->job->arg = 3;
	kid_ask(kid, job_exit);
	ASSERT_EQ(kid->pid, waitpid(kid->pid, &status, __WALL));
	ASSERT_TRUE(WIFSTOPPED(status));
	ASSERT_EQ(SIGTRAP | (PTRACE_EVENT_EXIT << 8), status >> 8);
}

static void let_exit(struct __test_metadata *_metadata, struct kid *kid)
{
	ASSERT_EQ(0, ptrace(PTRACE_CONT, kid->pid, 0, 0));
	kid_reap(kid);
}

TEST_F(registry, hidden_when_exiting)
{
	struct kreg_op op = test_ops(KREG_OP_DELETE, "key");
	__u64 own;

	ASSERT_EQ(0, kid_create(self->kid, "own", KREG_ACCESS_PUBLIC, &own));
	ASSERT_EQ(0, kid_bind(self->kid, self->table, "key", "v"));
	ASSERT_EQ(0, kid_bind(self->kid, self->table, "next", "v"));
	ASSERT_EQ(0, kid_bind(self->kid, self->table, "third", "v"));
	stop_in_exit(_metadata, self->kid);
	expect_absent(_metadata, self->fd, self->table, "key");
	EXPECT_EQ(0, test_count(self->fd, self->table));
	/* It still owns its table, and its objects are still counted. */
	EXPECT_EQ(3, test_objects(self->fd, self->table));
	EXPECT_EQ(0, test_objects(self->fd, own));
	/* It counts as absent for writes. */
	test_op_(self->fd, self->table, 0, &op);
	EXPECT_EQ(0, op.out_count);
	op = test_op_bind("next", "mine");
	op.flags |= KREG_OP_NEW;
	test_op_(self->fd, self->table, 0, &op);
	EXPECT_EQ(0, op.out_count);
	EXPECT_TRUE(test_is_of(self->fd, self->table, "next", test_self(self->fd)));
	/* What replaces it without BOUND is bound to nobody. */
	op = test_op_puts("third", "plain");
	test_op_(self->fd, self->table, 0, &op);
	EXPECT_EQ(0, op.out_count);
	EXPECT_TRUE(test_is_nobodys(self->fd, self->table, "third"));
	let_exit(_metadata, self->kid);
	test_sync(self->fd);
	test_gets(self->fd, self->table, "next", "mine");
	test_gets(self->fd, self->table, "third", "plain");
	EXPECT_BOUND(1);
	EXPECT_EQ(2, test_objects(self->fd, self->table));
}

/* In batches as well, of all kinds. */
TEST_F(registry, batches_over_hidden)
{
	struct kreg_op ops[20];
	char keys[20][8];
	__u32 done;
	int i;

	ASSERT_EQ(20, kid_bind_many(self->kid, self->table, "k", 20, 0));
	stop_in_exit(_metadata, self->kid);
	for (i = 0; i < 20; i++) {
		snprintf(keys[i], sizeof(keys[i]), "k%d", i);
		ops[i] = test_op_bind(keys[i], "mine");
		ops[i].flags = i % 4 == 0 ? 0 : i % 4 == 1 ? KREG_OP_NEW :
			       i % 4 == 2 ? KREG_OP_BOUND : KREG_OP_NEW | KREG_OP_BOUND;
	}
	test_batch(self->fd, self->table, KREG_BATCH_ATOMIC, ops, 20, &done);
	EXPECT_EQ(20, done);
	for (i = 0; i < 20; i++)
		EXPECT_EQ(0, ops[i].out_count);
	let_exit(_metadata, self->kid);
	test_sync(self->fd);
	EXPECT_EQ(20, test_objects(self->fd, self->table));
	EXPECT_BOUND(10);
}

/* A thread that goes on in a process that is exiting gets nothing any more. */
TEST_F(registry, many)
{
	struct kid *kids[3];
	unsigned int i, n = test_size(4000);
	__u64 other;

	test_create(self->fd, NULL, KREG_ACCESS_PUBLIC, &other);
	for (i = 0; i < 3; i++) {
		char key[4] = { 'a' + i };

		kids[i] = kid_start(_metadata);
		ASSERT_EQ(n, kid_bind_many(kids[i], self->table, key, n, 0));
		ASSERT_EQ(n / 2, kid_bind_many(kids[i], other, key, n / 2, KREG_BATCH_ATOMIC));
	}
	test_bind(self->fd, self->table, "mine", "v");
	EXPECT_BOUND(3 * n + 1);
	EXPECT_EQ(3 * n + 1, test_count(self->fd, self->table));
	for (i = 0; i < 3; i++) {
		kid_kill(kids[i]);
		EXPECT_EQ((2 - i) * n + 1, test_count(self->fd, self->table));
	}
	/* Others go on meanwhile. */
	test_puts(self->fd, self->table, "meanwhile", "v");
	test_sync(self->fd);
	EXPECT_BOUND(1);
	EXPECT_EQ(0, test_bound(self->fd, other));
	EXPECT_EQ(2, test_objects(self->fd, self->table));
	EXPECT_EQ(0, test_objects(self->fd, other));
}

/* Batches go on in the table while its bound objects are removed. */
static long job_batches(struct job *job)
{
	int i, ret = 0;

	for (i = 0; i < 20 && ret >= 0; i++)
		ret = job_bind_many(job);
	return ret;
}

TEST_F(registry, amid_batches)
{
	struct kid *writer = kid_start(_metadata);
	int i, n = 400;

	for (i = 0; i < 10; i++) {
		struct kid *kid = kid_start(_metadata);

		ASSERT_EQ(n, kid_bind_many(kid, self->table, "b", n, 0));
		writer->job->table = self->table;
		writer->job->len = n;
		writer->job->flags = i & 1 ? KREG_BATCH_ATOMIC : 0;
		writer->job->arg2 = i & 2 ? KREG_OP_BOUND : 0;
		test_set(writer->job->key, "w");
		kid_ask(writer, job_batches);
		kid_kill(kid);
		EXPECT_EQ(n, kid_answer(writer));
		test_sync(self->fd);
		EXPECT_EQ(n, test_objects(self->fd, self->table));
		test_clear(self->fd, self->table);
	}
}

/* Tables that go before the process does, or are cleared. */
TEST_F(registry, table_goes_first)
{
	__u64 other;

	test_create(self->fd, NULL, KREG_ACCESS_PUBLIC, &other);
	ASSERT_EQ(0, kid_bind(self->kid, other, "key", "v"));
	ASSERT_EQ(0, kid_bind(self->kid, self->table, "key", "v"));
	test_destroy(self->fd, other);
	test_clear(self->fd, self->table);
	EXPECT_BOUND(0);
	test_puts(self->fd, self->table, "key", "w");
	kid_kill(self->kid);
	test_sync(self->fd);
	test_gets(self->fd, self->table, "key", "w");
	EXPECT_EQ(1, test_objects(self->fd, self->table));
	/* Its own table, with what is bound to it there. */
	self->kid = kid_start(_metadata);
	ASSERT_EQ(0, kid_create(self->kid, NULL, KREG_ACCESS_PUBLIC, &other));
	ASSERT_EQ(0, kid_bind(self->kid, other, "key", "v"));
	test_bind(self->fd, other, "mine", "v");
	kid_kill(self->kid);
	test_err_member(ESTALE, self->fd, other, "key");
	test_sync(self->fd);
}

/* execve(2) is no death; the descriptor may go, the process does not. */
static long job_close_fd(struct job *job)
{
	return close(job->fd) ? -errno : 0;
}

TEST_F(registry, outlives_the_client)
{
	ASSERT_EQ(0, kid_bind(self->kid, self->table, "key", "v"));
	ASSERT_EQ(0, kid_do(self->kid, job_close_fd));
	EXPECT_TRUE(test_is_of(self->fd, self->table, "key", self->kid->self));
	kid_kill(self->kid);
	expect_absent(_metadata, self->fd, self->table, "key");
}

/* A child is another process. */
static long job_fork_exit(struct job *job)
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(0);
	return waitpid(pid, &status, 0) == pid ? 0 : -ECHILD;
}

TEST_F(registry, child_is_another)
{
	ASSERT_EQ(0, kid_bind(self->kid, self->table, "key", "v"));
	ASSERT_EQ(0, kid_do(self->kid, job_fork_exit));
	EXPECT_TRUE(test_is_of(self->fd, self->table, "key", self->kid->self));
}

TEST_HARNESS_MAIN
