// SPDX-License-Identifier: GPL-2.0
/*
 * Places in line end: with CANCEL, with the table, with the right to claim it, with their
 * client; and who executes a program or leaves its file to a child.
 */
#include "kit/fault.h"
#include "kit/job.h"
#include "kit/program.h"
#include "owner/standby.h"

TEST_F(standby, cancelled)
{
	struct kreg_info info;

	test_standby(self->fd, "w", &self->id);
	test_cancel(self->fd, self->id, 0);
	EXPECT_EQ(0, places(self->fd, self->table));
	test_err_cancel(ENOENT, self->fd, self->id, 0);
	kid_kill(self->owner);
	test_info(self->fd, self->table, &info);
	EXPECT_EQ(KREG_INFO_PARKED, info.flags);
	test_no_event(self->fd);
	test_destroy(self->fd, self->table);
}

TEST_F(standby, cancelled_too_late)
{
	struct test_event event;

	test_standby(self->fd, "w", &self->id);
	kid_kill(self->owner);
	test_sync(self->fd);
	test_err_cancel(ENOENT, self->fd, self->id, 0);
	test_event_now(self->fd, &event);
	test_park(self->fd, self->table);

	self->owner = kid_start(_metadata);
	ASSERT_EQ(0, kid_open(self->owner, "w", KREG_OPEN_CLAIM, &self->table));
	test_standby(self->fd, "w", &self->id);
	kid_kill(self->owner);
	test_sync(self->fd);
	test_err_cancel(ENOENT, self->fd, self->id, KREG_CANCEL_FLUSH);
	test_no_event(self->fd);
	EXPECT_TRUE(is_owner(self->fd, self->table, self->me));
	test_destroy(self->fd, self->table);
}

/* It loses the race or wins it, and the call tells which. */
TEST_F(standby, cancelled_at_the_death)
{
	struct kreg_info info;
	int i, err;

	for (i = 0; i < 20; i++) {
		test_standby(self->fd, "w", &self->id);
		kill(self->owner->pid, SIGKILL);
		test_pause_ms(i % 4);
		err = _test_cancel(self->fd, self->id, KREG_CANCEL_FLUSH);
		kid_reap(self->owner);
		test_info(self->fd, self->table, &info);
		EXPECT_EQ(err ? -ENOENT : 0, err);
		EXPECT_EQ(err ? 0 : KREG_INFO_PARKED, info.flags);
		test_no_event(self->fd);
		if (err)
			test_park(self->fd, self->table);
		self->owner = kid_start(_metadata);
		ASSERT_EQ(0, kid_open(self->owner, "w", KREG_OPEN_CLAIM, &self->table));
	}
}

TEST_F(standby, destroyed)
{
	struct test_event event;

	test_standby(self->fd, "w", &self->id);
	ASSERT_EQ(0, kid_destroy(self->owner, self->table));
	test_event_now(self->fd, &event);
	test_gone(&event, self->table, self->id, 0);
	test_no_event(self->fd);
	test_err_cancel(ENOENT, self->fd, self->id, 0);
}

/* Who may not claim it any more when his turn comes is told so, and the next gets it. */
TEST_F(standby, lost_the_right)
{
	struct kid *alice = kid_start_as(_metadata, ALICE), *bob;
	struct test_event event;
	__u64 table;

	ASSERT_EQ(0, kid_destroy(self->owner, self->table));
	kid_open_prepare(alice, "w", KREG_OPEN_CREATE | KREG_OPEN_CLAIMABLE);
	alice->job->open.access = KREG_ACCESS_PUBLIC;
	alice->job->open.mode = 0666;
	ASSERT_EQ(0, kid_do(alice, job_open));
	table = alice->job->table;
	bob = start_standby(_metadata, BOB);
	test_standby(self->fd, "w", &self->id);
	ASSERT_EQ(0, kid_setopt(alice, table, KREG_OPT_MODE, 0600, 0));
	kid_kill(alice);
	test_event_now(self->fd, &event);
	EXPECT_EQ(KREG_EVENT_TRANSFER, event.e.kind);
	EXPECT_EQ(0, kid_event_now(bob));
	test_gone(&bob->job->event, table, bob->job->open.out_id, KREG_CAUSE_ACCESS);
	kid_open_prepare(bob, "w", TEST_STANDBY);
	EXPECT_EQ(-EPERM, kid_do(bob, job_open));
	test_destroy(self->fd, table);
}

/* The place is its client's. */
TEST_F(standby, closed)
{
	struct kreg_info info;
	int fd = test_client();

	ASSERT_LE(0, fd);
	test_standby(fd, "w", &self->id);
	EXPECT_EQ(1, places(self->fd, self->table));
	close(fd);
	EXPECT_EQ(0, places(self->fd, self->table));
	kid_kill(self->owner);
	test_info(self->fd, self->table, &info);
	EXPECT_EQ(KREG_INFO_PARKED, info.flags);
	test_no_event(self->fd);
	test_destroy(self->fd, self->table);
}

/* What it has not read of a table that the process owns goes to the next client. */
TEST_F(standby, closed_unread)
{
	struct kreg_process from = self->owner->self;
	struct test_event event;
	int fd = test_client();

	ASSERT_LE(0, fd);
	test_standby(fd, "w", &self->id);
	kid_kill(self->owner);
	test_sync(fd);
	test_no_event(self->fd);
	close(fd);
	test_event_now(self->fd, &event);
	test_come(&event, self->table, 0, from);
	test_destroy(self->fd, self->table);
}

/* Nor is what says that the table is gone for others. */
TEST_F(standby, closed_when_gone)
{
	int fd = test_client();

	ASSERT_LE(0, fd);
	test_standby(fd, "w", &self->id);
	ASSERT_EQ(0, kid_destroy(self->owner, self->table));
	close(fd);
	test_no_event(self->fd);
}

TEST_F(standby, executes)
{
	struct kid *kid = start_standby(_metadata, 0);
	struct kreg_info info;

	ASSERT_EQ(0, kid_execute(_metadata, kid, "/proc/self/exe"));
	EXPECT_EQ(0, places(self->fd, self->table));
	kid_kill(self->owner);
	test_info(self->fd, self->table, &info);
	EXPECT_EQ(KREG_INFO_PARKED, info.flags);
	ASSERT_EQ(0, kid_do(kid, job_client));
	EXPECT_EQ(0, kid_no_event(kid));
	test_destroy(self->fd, self->table);
}

/* The new program owns the table, and is told so. */
TEST_F(standby, executes_unread)
{
	struct kid *kid = start_standby(_metadata, 0);
	struct kreg_process from = self->owner->self;

	kid_kill(self->owner);
	test_sync(self->fd);
	ASSERT_EQ(0, kid_execute(_metadata, kid, "/proc/self/exe"));
	EXPECT_TRUE(is_owner(self->fd, self->table, kid->self));
	ASSERT_EQ(0, kid_do(kid, job_client));
	EXPECT_EQ(0, kid_event_now(kid));
	test_come(&kid->job->event, self->table, 0, from);
	test_destroy(self->fd, self->table);
}

/* A child has the file open, and outlives the process that stands by. */
TEST_F(standby, file_outlives_its_process)
{
	struct kid *kid = start_standby(_metadata, 0);
	struct test_event event;
	pid_t child;

	ASSERT_EQ(0, kid_do(kid, job_leave_child));
	child = kid->job->pid;
	kid_kill(kid);
	test_standby(self->fd, "w", &self->id);
	kid_kill(self->owner);
	test_event_now(self->fd, &event);
	EXPECT_EQ(self->id, event.e.id);
	EXPECT_TRUE(is_owner(self->fd, self->table, self->me));
	kill(child, SIGKILL);
	test_destroy(self->fd, self->table);
}

static long job_fill_line(struct job *job)
{
	__u64 id;
	int i, err = 0;

	for (i = 0; i < KREG_MAX_WAITERS && !err; i++)
		err = _test_standby(job->fd, "w", &id);
	return err;
}

/* A line is full of the living only. */
TEST_F(standby, full)
{
	struct kid *kid = kid_start(_metadata);
	struct kreg_ioc_open cmd = test_open_cmd("w", TEST_STANDBY);
	pid_t child;

	ASSERT_EQ(0, kid_do(kid, job_fill_line));
	EXPECT_EQ(KREG_MAX_WAITERS, places(self->fd, self->table));
	cmd.out_limit = ~0U;
	test_err_open_(EDQUOT, self->fd, &cmd);
	EXPECT_EQ(KREG_LIMIT_WAITERS, cmd.out_limit);
	EXPECT_EQ(0, fault_fdinfo(getpid(), self->fd, "kreg-places:"));
	ASSERT_EQ(0, kid_do(kid, job_leave_child));
	child = kid->job->pid;
	kid_kill(kid);
	test_standby(self->fd, "w", &self->id);
	EXPECT_EQ(1, places(self->fd, self->table));
	kill(child, SIGKILL);
}

int main(int argc, char **argv)
{
	if (program_is(argc, argv))
		return program_main(argv);
	return test_harness_run(argc, argv);
}
