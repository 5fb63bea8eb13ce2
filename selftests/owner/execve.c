// SPDX-License-Identifier: GPL-2.0
/*
 * An heir that executes itself, whose client is closed by that: nothing that was to come to
 * it is lost. What another user's program gets is in setuid.c.
 */
#include "kit/fixture.h"
#include "kit/job.h"
#include "kit/program.h"

#define ALICE	1000
#define BOB	1001

FIXTURE(execve) {
	struct test_base base;
	int fd;
	struct kid *owner;
	struct kid *heir;
	__u64 table;
};

FIXTURE_SETUP(execve)
{
	self->fd = test_setup(_metadata, &self->base);
	self->owner = kid_start(_metadata);
	self->heir = kid_start(_metadata);
	ASSERT_EQ(0, kid_create_heir(self->owner, "will", self->heir->self, "data", &self->table));
	ASSERT_EQ(0, kid_puts(self->owner, self->table, "k", "v"));
}

FIXTURE_TEARDOWN_PARENT(execve)
{
	test_teardown(_metadata, &self->base);
}

static void execute_itself(struct __test_metadata *_metadata, struct kid *kid)
{
	ASSERT_EQ(geteuid(), kid_execute(_metadata, kid, "/proc/self/exe"));
}

static void expect_inherited(struct __test_metadata *_metadata, struct kid *heir, __u64 id)
{
	EXPECT_EQ(0, kid_event_now(heir));
	EXPECT_EQ(id, heir->job->event.e.table);
	EXPECT_EQ(KREG_CAUSE_DEATH, heir->job->event.e.cause);
	EXPECT_STREQ("data", heir->job->event.data);
	EXPECT_EQ(0, kid_puts(heir, id, "k", "mine"));
}

TEST_F(execve, dies_after_it)
{
	struct kreg_info info;

	execute_itself(_metadata, self->heir);
	test_info(self->fd, self->table, &info);
	EXPECT_TRUE(test_same(self->heir->self, info.heir));
	ASSERT_EQ(0, kid_do(self->heir, job_client));
	EXPECT_TRUE(test_same(self->heir->self, self->heir->job->self));
	EXPECT_EQ(0, kid_no_event(self->heir));
	kid_kill(self->owner);
	expect_inherited(_metadata, self->heir, self->table);
}

/* The record waits for the client that the new program opens. */
TEST_F(execve, dies_meanwhile)
{
	struct kreg_process dead = self->owner->self;
	struct kreg_info info;

	execute_itself(_metadata, self->heir);
	kid_kill(self->owner);
	test_info(self->fd, self->table, &info);
	EXPECT_TRUE(test_same(self->heir->self, info.owner));
	ASSERT_EQ(0, kid_do(self->heir, job_client));
	expect_inherited(_metadata, self->heir, self->table);
	EXPECT_EQ(dead.cookie, self->heir->job->event.e.process.cookie);
	EXPECT_EQ(1, self->heir->job->event.e.seq);
}

TEST_F(execve, unread)
{
	__u64 given;

	ASSERT_EQ(0, kid_create(self->owner, "given", 0, &given));
	ASSERT_EQ(0, kid_give(self->owner, given, self->heir->self, "gift"));
	kid_kill(self->owner);
	execute_itself(_metadata, self->heir);
	execute_itself(_metadata, self->heir);
	ASSERT_EQ(0, kid_do(self->heir, job_client));
	ASSERT_EQ(0, kid_event_now(self->heir));
	EXPECT_EQ(given, self->heir->job->event.e.table);
	expect_inherited(_metadata, self->heir, self->table);
}

/* What cannot be promised meanwhile is refused, and not lost. */
TEST_F(execve, given_meanwhile)
{
	struct kreg_info info;

	execute_itself(_metadata, self->heir);
	EXPECT_EQ(-ENOTCONN, kid_give(self->owner, self->table, self->heir->self, ""));
	EXPECT_EQ(-ENOTCONN, kid_heir(self->owner, self->table, self->heir->self, ""));
	test_info(self->fd, self->table, &info);
	EXPECT_TRUE(test_same(self->owner->self, info.owner));
	EXPECT_TRUE(test_same(self->heir->self, info.heir));
}

static long job_reader(struct job *job)
{
	job->fd = open(KREG_DEV, O_RDONLY | O_CLOEXEC);
	return job->fd < 0 ? -errno : 0;
}

/* A client that was opened for less ends nothing and receives nothing. */
TEST_F(execve, opens_to_read)
{
	execute_itself(_metadata, self->heir);
	ASSERT_EQ(0, kid_do(self->heir, job_reader));
	kid_kill(self->owner);
	ASSERT_EQ(0, kid_do(self->heir, job_close));
	ASSERT_EQ(0, kid_do(self->heir, job_client));
	expect_inherited(_metadata, self->heir, self->table);
}

/* What it has not read goes with it. */
TEST_F(execve, dies_itself)
{
	struct kreg_info info;

	execute_itself(_metadata, self->heir);
	kid_kill(self->owner);
	kid_kill(self->heir);
	test_err_info(ESTALE, self->fd, self->table, &info);
}

/* It opens a client and closes it: then it wants no more, as any other. */
TEST_F(execve, closes_afterwards)
{
	struct kreg_info info;

	execute_itself(_metadata, self->heir);
	ASSERT_EQ(0, kid_do(self->heir, job_client));
	ASSERT_EQ(0, kid_do(self->heir, job_close));
	test_info(self->fd, self->table, &info);
	EXPECT_TRUE(test_none(info.heir));
}

static long job_exec_fails(struct job *job)
{
	execl("/nowhere", "nowhere", NULL);
	return -errno;
}

/* execve(2) that fails closes nothing, and close(2) after it is a usual one. */
TEST_F(execve, fails)
{
	struct kreg_info info;

	ASSERT_EQ(-ENOENT, kid_do(self->heir, job_exec_fails));
	ASSERT_EQ(0, kid_do(self->heir, job_close));
	test_info(self->fd, self->table, &info);
	EXPECT_TRUE(test_none(info.heir));
}

static long job_child_executes(struct job *job)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		execl("/proc/self/exe", "child", "--exit", NULL);
		_exit(KID_ERROR);
	}
	return waitpid(pid, &status, 0) == pid ? status : -errno;
}

/* A child's execve(2) closes its descriptor of the same client, and says nothing of the heir. */
TEST_F(execve, child)
{
	struct kreg_info info;

	ASSERT_EQ(0, kid_do(self->heir, job_child_executes));
	ASSERT_EQ(0, kid_do(self->heir, job_close));
	test_info(self->fd, self->table, &info);
	EXPECT_TRUE(test_none(info.heir));
}

/* Consent to get tables of other users goes on, until it is taken back. */
TEST_F(execve, consent)
{
	struct kid *alice = kid_start_as(_metadata, ALICE), *bob = kid_start_as(_metadata, BOB);
	struct kid *heir = kid_start_as(_metadata, ALICE);
	__u64 hers, his, first;

	ASSERT_EQ(0, kid_setopt(heir, 0, KREG_OPT_ACCEPT, 1, 0));
	ASSERT_EQ(0, kid_create_heir(alice, "hers", heir->self, "data", &hers));
	ASSERT_EQ(0, kid_create_heir(bob, "first", heir->self, "data", &first));
	ASSERT_EQ(ALICE, kid_execute(_metadata, heir, "/proc/self/exe"));
	kid_kill(bob);
	ASSERT_EQ(0, kid_do(heir, job_client));
	expect_inherited(_metadata, heir, first);

	bob = kid_start_as(_metadata, BOB);
	ASSERT_EQ(0, kid_create_heir(bob, "his", heir->self, "data", &his));
	ASSERT_EQ(0, kid_setopt(heir, 0, KREG_OPT_ACCEPT, 0, 0));
	ASSERT_EQ(ALICE, kid_execute(_metadata, heir, "/proc/self/exe"));
	kid_kill(bob);
	kid_kill(alice);
	ASSERT_EQ(0, kid_do(heir, job_client));
	expect_inherited(_metadata, heir, hers);
	EXPECT_EQ(0, kid_no_event(heir));
}

static long job_become(struct job *job)
{
	return setresuid(job->arg, job->arg, job->arg) ? -errno : 0;
}

/* Carried over for one user and then for another: the first has no client, and gets no more. */
TEST_F(execve, as_another)
{
	struct kid *alice = kid_start_as(_metadata, ALICE);
	struct kreg_info info;
	__u64 hers;

	execute_itself(_metadata, self->heir);
	self->heir->job->arg = ALICE;
	ASSERT_EQ(0, kid_do(self->heir, job_become));
	ASSERT_EQ(0, kid_do(self->heir, job_client));
	EXPECT_EQ(0, kid_no_event(self->heir));
	ASSERT_EQ(0, kid_create_heir(alice, "hers", self->heir->self, "data", &hers));
	test_info(self->fd, self->table, &info);
	EXPECT_TRUE(test_same(self->heir->self, info.heir));
	ASSERT_EQ(ALICE, kid_execute(_metadata, self->heir, "/proc/self/exe"));
	test_info(self->fd, self->table, &info);
	EXPECT_TRUE(test_none(info.heir));
	kid_kill(alice);
	ASSERT_EQ(0, kid_do(self->heir, job_client));
	expect_inherited(_metadata, self->heir, hers);
}

int main(int argc, char **argv)
{
	if (program_is(argc, argv))
		return program_main(argv);
	if (argc == 2 && !strcmp(argv[1], "--exit"))
		return 0;
	return test_harness_run(argc, argv);
}
