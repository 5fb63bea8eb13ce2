// SPDX-License-Identifier: GPL-2.0
/*
 * Waiting for a table to be parked.
 */
#include "kit/fixture.h"
#include "kit/job.h"
#include "kit/pause.h"

#define NS_PER_MS	1000000ULL
#define WAITERS		5

FIXTURE(wait) {
	struct test_base base;
	int fd;
	struct kreg_process me;
	struct kid *owner;
	__u64 table;
};

FIXTURE_SETUP(wait)
{
	self->fd = test_setup(_metadata, &self->base);
	self->me = test_self(self->fd);
	self->owner = kid_start(_metadata);
	ASSERT_EQ(0, kid_create(self->owner, "w", 0, &self->table));
	ASSERT_EQ(0, kid_orphan(self->owner, self->table, KREG_ORPHAN_PARK,
				0));
}

FIXTURE_TEARDOWN_PARENT(wait)
{
	test_teardown(_metadata, &self->base);
}

static __u32 waiters(int fd, __u64 table)
{
	struct kreg_info info;

	return _test_info(fd, table, &info) ? ~0U : info.waiters;
}

/* A kid that waits for the table as the n-th. */
static struct kid *start_waiter(struct __test_metadata *_metadata, int fd,
				__u64 table, __u32 n)
{
	struct kid *kid = kid_start(_metadata);

	kid_open_prepare(kid, "w", KREG_OPEN_CLAIM | KREG_OPEN_WAIT);
	kid_ask(kid, job_open);
	EXPECT_TRUE(test_wait_for(waiters(fd, table) == n));
	return kid;
}

TEST_F(wait, granted_at_death)
{
	struct kid *kid = start_waiter(_metadata, self->fd, self->table, 1);
	struct kreg_info info;

	kid_kill(self->owner);
	ASSERT_EQ(0, kid_answer(kid));
	EXPECT_EQ(self->table, kid->job->table);
	EXPECT_EQ(KREG_OPENED_CLAIMED, kid->job->open.out_how);
	test_info(self->fd, self->table, &info);
	EXPECT_TRUE(test_same(kid->self, info.owner));
	EXPECT_EQ(0, info.waiters);
	EXPECT_EQ(0, info.flags);
}

TEST_F(wait, granted_when_parked_by_hand)
{
	struct kid *kid = start_waiter(_metadata, self->fd, self->table, 1);

	ASSERT_EQ(0, kid_park(self->owner, self->table));
	ASSERT_EQ(0, kid_answer(kid));
	EXPECT_EQ(self->table, kid->job->table);
}

TEST_F(wait, parked_already)
{
	__u64 id;

	kid_kill(self->owner);
	test_open(self->fd, "w", KREG_OPEN_CLAIM | KREG_OPEN_WAIT, &id);
	EXPECT_EQ(self->table, id);
	test_err_open(EALREADY, self->fd, "w", KREG_OPEN_CLAIM |
		      KREG_OPEN_WAIT, &id);
	test_destroy(self->fd, id);
	test_err_open(ENOENT, self->fd, "w", KREG_OPEN_CLAIM | KREG_OPEN_WAIT,
		      &id);
}

/* Waiters are served in the order in which they came, one after the death of the other. */
TEST_F(wait, in_order)
{
	struct kid *kids[WAITERS], *owner = self->owner;
	struct kreg_info info;
	int i;

	for (i = 0; i < WAITERS; i++)
		kids[i] = start_waiter(_metadata, self->fd, self->table,
				       i + 1);
	for (i = 0; i < WAITERS; i++) {
		kid_kill(owner);
		ASSERT_EQ(0, kid_answer(kids[i]));
		test_info(self->fd, self->table, &info);
		EXPECT_TRUE(test_same(kids[i]->self, info.owner));
		EXPECT_EQ(WAITERS - i - 1, info.waiters);
		owner = kids[i];
	}
	test_destroy(self->fd, self->table);
}

TEST_F(wait, dead_waiters_are_skipped)
{
	struct kid *kids[WAITERS];
	struct kreg_info info;
	int i;

	for (i = 0; i < WAITERS; i++)
		kids[i] = start_waiter(_metadata, self->fd, self->table,
				       i + 1);
	for (i = 0; i < WAITERS - 1; i++)
		kid_kill(kids[i]);
	EXPECT_EQ(1, waiters(self->fd, self->table));
	kid_kill(self->owner);
	ASSERT_EQ(0, kid_answer(kids[WAITERS - 1]));
	test_info(self->fd, self->table, &info);
	EXPECT_TRUE(test_same(kids[WAITERS - 1]->self, info.owner));
	test_destroy(self->fd, self->table);
}

/* The owner and the first waiter die at once. */
TEST_F(wait, owner_and_waiter_die)
{
	struct kid *first = start_waiter(_metadata, self->fd, self->table, 1);
	struct kid *second = start_waiter(_metadata, self->fd, self->table,
					  2);
	struct kreg_info info;

	kill(first->pid, SIGKILL);
	kill(self->owner->pid, SIGKILL);
	ASSERT_EQ(0, kid_answer(second));
	kid_reap(first);
	kid_reap(self->owner);
	test_info(self->fd, self->table, &info);
	EXPECT_TRUE(test_same(second->self, info.owner));
	test_destroy(self->fd, self->table);
}

TEST_F(wait, deadline)
{
	struct kreg_ioc_open cmd = test_open_cmd("w", KREG_OPEN_CLAIM |
						 KREG_OPEN_WAIT);
	struct kreg_info info;

	/* A deadline in the past. */
	cmd.deadline_ns = 1;
	test_err_open_(ETIMEDOUT, self->fd, &cmd);
	cmd.deadline_ns = test_now_ns() + 100 * NS_PER_MS;
	test_err_open_(ETIMEDOUT, self->fd, &cmd);
	EXPECT_LE(cmd.deadline_ns, test_now_ns());
	EXPECT_EQ(0, waiters(self->fd, self->table));
	test_info(self->fd, self->table, &info);
	EXPECT_TRUE(test_same(self->owner->self, info.owner));
	/* A deadline that leaves enough time. */
	cmd.deadline_ns = test_now_ns() + PATIENCE_MS * NS_PER_MS;
	kill(self->owner->pid, SIGKILL);
	test_open_(self->fd, &cmd);
	EXPECT_EQ(self->table, cmd.out_table);
	/* A table that is parked already is claimed even after the deadline. */
	test_park(self->fd, self->table);
	cmd.deadline_ns = 1;
	test_open_(self->fd, &cmd);
	test_destroy(self->fd, self->table);
}

/* A waiter whose deadline has passed is not served, the next one is. */
TEST_F(wait, after_one_gave_up)
{
	struct kid *first = kid_start(_metadata), *second;

	kid_open_prepare(first, "w", KREG_OPEN_CLAIM | KREG_OPEN_WAIT);
	first->job->open.deadline_ns = test_now_ns() +
				       test_scale(1000) * NS_PER_MS;
	kid_ask(first, job_open);
	EXPECT_TRUE(test_wait_for(waiters(self->fd, self->table) == 1));
	second = start_waiter(_metadata, self->fd, self->table, 2);
	EXPECT_EQ(-ETIMEDOUT, kid_answer(first));
	EXPECT_EQ(1, waiters(self->fd, self->table));
	kid_kill(self->owner);
	ASSERT_EQ(0, kid_answer(second));
	test_destroy(self->fd, self->table);
}

TEST_F(wait, destroyed)
{
	struct kid *kids[WAITERS];
	__u64 id;
	int i;

	for (i = 0; i < WAITERS; i++)
		kids[i] = start_waiter(_metadata, self->fd, self->table,
				       i + 1);
	ASSERT_EQ(0, kid_destroy(self->owner, self->table));
	for (i = 0; i < WAITERS; i++)
		EXPECT_EQ(-ESTALE, kid_answer(kids[i]));
	/* A new table of this name has no waiters. */
	ASSERT_EQ(0, kid_create(self->owner, "w", 0, &id));
	EXPECT_EQ(0, waiters(self->fd, id));
}

/* Who waits for it saves it from going with its owner. */
TEST_F(wait, saved_from_death)
{
	struct kid *kid = start_waiter(_metadata, self->fd, self->table, 1);
	struct kreg_info info;

	ASSERT_EQ(0, kid_orphan(self->owner, self->table, KREG_ORPHAN_DESTROY,
				0));
	kid_kill(self->owner);
	ASSERT_EQ(0, kid_answer(kid));
	test_info(self->fd, self->table, &info);
	EXPECT_TRUE(test_same(kid->self, info.owner));
	kid_kill(kid);
	test_err_info(ESTALE, self->fd, self->table, &info);
}

/* An heir comes before those who wait. */
TEST_F(wait, heir_first)
{
	struct kid *kid = start_waiter(_metadata, self->fd, self->table, 1);
	struct test_event event;
	struct kreg_info info;

	ASSERT_EQ(0, kid_heir(self->owner, self->table, self->me, ""));
	kid_kill(self->owner);
	test_event_now(self->fd, &event);
	test_info(self->fd, self->table, &info);
	EXPECT_TRUE(test_same(self->me, info.owner));
	EXPECT_EQ(1, info.waiters);
	test_park(self->fd, self->table);
	ASSERT_EQ(0, kid_answer(kid));
}

static struct job *handled_job;

/* Count the signals in job->arg. */
static void on_signal(int sig)
{
	handled_job->arg++;
}

/* Install the handler, with the flags in job->flags. */
static long job_handle(struct job *job)
{
	struct sigaction action = {
		.sa_handler = on_signal,
		.sa_flags = job->flags,
	};

	handled_job = job;
	job->arg = 0;
	return sigaction(SIGUSR1, &action, NULL) ? -errno : 0;
}

/* Whether the kid sleeps in its call and has a place in the line. */
static bool waits(int fd, __u64 table, struct kid *kid)
{
	return waiters(fd, table) == 1 &&
	       kid_sleeps(kid, SYS_ioctl, kid->job->fd);
}

TEST_F(wait, interrupted)
{
	struct kid *kid = kid_start(_metadata);
	struct kreg_info info;

	ASSERT_EQ(0, kid_do(kid, job_handle));
	kid_open_prepare(kid, "w", KREG_OPEN_CLAIM | KREG_OPEN_WAIT);
	kid_ask(kid, job_open);
	EXPECT_TRUE(test_wait_for(waits(self->fd, self->table, kid)));
	kill(kid->pid, SIGUSR1);
	EXPECT_EQ(-EINTR, kid_answer(kid));
	EXPECT_EQ(0, waiters(self->fd, self->table));
	kid_kill(self->owner);
	test_info(self->fd, self->table, &info);
	EXPECT_EQ(KREG_INFO_PARKED, info.flags);
	test_destroy(self->fd, self->table);
}

/* A handler with SA_RESTART runs, and the wait goes on. */
TEST_F(wait, restarted)
{
	struct kid *kid = kid_start(_metadata);
	__u64 i;

	kid->job->flags = SA_RESTART;
	ASSERT_EQ(0, kid_do(kid, job_handle));
	kid_open_prepare(kid, "w", KREG_OPEN_CLAIM | KREG_OPEN_WAIT);
	kid_ask(kid, job_open);
	for (i = 0; i < 5; i++) {
		EXPECT_TRUE(test_wait_for(waits(self->fd, self->table, kid)));
		kill(kid->pid, SIGUSR1);
		EXPECT_TRUE(test_wait_for(kid->job->arg == i + 1));
	}
	EXPECT_TRUE(test_wait_for(waits(self->fd, self->table, kid)));
	kid_kill(self->owner);
	ASSERT_EQ(0, kid_answer(kid));
	EXPECT_EQ(self->table, kid->job->table);
}

/* A wait that is restarted again and again still ends at its deadline. */
TEST_F(wait, restarted_until_the_deadline)
{
	struct kid *kid = kid_start(_metadata);
	__u64 end = test_now_ns() + test_scale(500) * NS_PER_MS;
	struct pollfd pfd = { .fd = kid->answer, .events = POLLIN };

	kid->job->flags = SA_RESTART;
	ASSERT_EQ(0, kid_do(kid, job_handle));
	kid_open_prepare(kid, "w", KREG_OPEN_CLAIM | KREG_OPEN_WAIT);
	kid->job->open.deadline_ns = end;
	kid_ask(kid, job_open);
	while (!poll(&pfd, 1, 10) && test_now_ns() < 4 * end)
		kill(kid->pid, SIGUSR1);
	EXPECT_EQ(-ETIMEDOUT, kid_answer(kid));
	EXPECT_LE(end, test_now_ns());
	EXPECT_GT(end + PATIENCE_MS * NS_PER_MS, test_now_ns());
	EXPECT_LT(1, kid->job->arg);
	EXPECT_EQ(0, waiters(self->fd, self->table));
}

/* Without a handler SIGSTOP and SIGCONT do not end the wait. */
TEST_F(wait, stopped_and_continued)
{
	struct kid *kid = start_waiter(_metadata, self->fd, self->table, 1);

	ASSERT_TRUE(pause_stop(kid));
	ASSERT_TRUE(pause_continue(kid));
	EXPECT_TRUE(test_wait_for(waits(self->fd, self->table, kid)));
	kid_kill(self->owner);
	ASSERT_EQ(0, kid_answer(kid));
	EXPECT_EQ(self->table, kid->job->table);
}

/* A stopped process does not get the table; the next waiter does. */
TEST_F(wait, while_one_is_stopped)
{
	struct kid *first = start_waiter(_metadata, self->fd, self->table, 1);
	struct kid *second = start_waiter(_metadata, self->fd, self->table,
					  2);
	struct kreg_info info;

	ASSERT_TRUE(pause_stop(first));
	EXPECT_TRUE(test_wait_for(waiters(self->fd, self->table) == 1));
	kid_kill(self->owner);
	ASSERT_EQ(0, kid_answer(second));
	kid_kill(second);
	test_info(self->fd, self->table, &info);
	EXPECT_EQ(KREG_INFO_PARKED, info.flags);
	ASSERT_TRUE(pause_continue(first));
	ASSERT_EQ(0, kid_answer(first));
	EXPECT_EQ(self->table, first->job->table);
}

TEST_F(wait, frozen_and_thawed)
{
	struct kid *kid = start_waiter(_metadata, self->fd, self->table, 1);

	ASSERT_TRUE(pause_freeze(kid));
	ASSERT_TRUE(pause_thaw());
	EXPECT_TRUE(test_wait_for(waits(self->fd, self->table, kid)));
	kid_kill(self->owner);
	ASSERT_EQ(0, kid_answer(kid));
	EXPECT_EQ(self->table, kid->job->table);
	kid_kill(kid);
	EXPECT_TRUE(pause_clean());
	test_destroy(self->fd, self->table);
}

/* Waiters that are held as when the machine is suspended keep their places. */
TEST_F(wait, suspended_in_place)
{
	struct kid *first = start_waiter(_metadata, self->fd, self->table, 1);
	struct kid *second = start_waiter(_metadata, self->fd, self->table,
					  2);
	int can = pause_suspend(first, "FROZEN");

	ASSERT_LE(0, can);
	if (can) {
		EXPECT_TRUE(test_wait_for(pause_suspended()));
		EXPECT_EQ(2, waiters(self->fd, self->table));
		EXPECT_EQ(1, pause_suspend(first, "THAWED"));
	} else {
		TH_LOG("this kernel has no freezer of cgroup v1");
	}
	kid_kill(self->owner);
	ASSERT_EQ(0, kid_answer(first));
	EXPECT_EQ(1, waiters(self->fd, self->table));
	kid_kill(first);
	ASSERT_EQ(0, kid_answer(second));
	EXPECT_TRUE(!can || pause_suspend_clean());
}

/* The deadline can pass while the process is stopped. */
TEST_F(wait, stopped_beyond_the_deadline)
{
	struct kid *kid = kid_start(_metadata);
	__u64 end = test_now_ns() + test_scale(300) * NS_PER_MS;

	kid_open_prepare(kid, "w", KREG_OPEN_CLAIM | KREG_OPEN_WAIT);
	kid->job->open.deadline_ns = end;
	kid_ask(kid, job_open);
	EXPECT_TRUE(test_wait_for(waits(self->fd, self->table, kid)));
	ASSERT_TRUE(pause_stop(kid));
	EXPECT_TRUE(test_wait_for(test_now_ns() > end));
	ASSERT_TRUE(pause_continue(kid));
	EXPECT_EQ(-ETIMEDOUT, kid_answer(kid));
	EXPECT_EQ(0, waiters(self->fd, self->table));
}

/* A process that may not claim the table is refused at once. */
TEST_F(wait, refused_at_once)
{
	struct kid *bob = kid_start_as(_metadata, 1001);
	__u64 id;

	EXPECT_EQ(-EPERM, kid_open(bob, "w", KREG_OPEN_CLAIM | KREG_OPEN_WAIT,
				   &id));
	EXPECT_EQ(-EALREADY, kid_open(self->owner, "w", KREG_OPEN_CLAIM |
				      KREG_OPEN_WAIT, &id));
}

TEST_F(wait, creates_if_there_is_none)
{
	struct kreg_ioc_open cmd = test_open_cmd("new", KREG_OPEN_CREATE |
						 KREG_OPEN_CLAIM |
						 KREG_OPEN_WAIT);

	test_open_(self->fd, &cmd);
	EXPECT_EQ(KREG_OPENED_CREATED, cmd.out_how);
	test_destroy(self->fd, cmd.out_table);
}

TEST_HARNESS_MAIN
