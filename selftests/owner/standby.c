// SPDX-License-Identifier: GPL-2.0
/*
 * Standing by for a table: a place in the line of those who wait for it, without sleeping.
 */
#include <sys/ptrace.h>

#include "kit/fault.h"
#include "kit/job.h"
#include "kit/pause.h"
#include "owner/standby.h"

/* When the death can be seen, so can the record. */
TEST_F(standby, granted_at_death)
{
	struct kreg_process from = self->owner->self;
	struct test_event event;
	struct kreg_info info;

	test_standby(self->fd, "w", &self->id);
	EXPECT_NE(0, self->id);
	EXPECT_EQ(1, places(self->fd, self->table));
	EXPECT_EQ(1, fault_fdinfo(getpid(), self->fd, "kreg-places:"));
	test_no_event(self->fd);
	EXPECT_EQ(SIGKILL, kid_kill(self->owner));
	test_event_now(self->fd, &event);
	test_come(&event, self->table, self->id, from);
	test_status(&event, SIGKILL);
	test_info(self->fd, self->table, &info);
	EXPECT_TRUE(test_same(self->me, info.owner));
	EXPECT_EQ(info.transfers, event.e.version);
	EXPECT_EQ(0, info.waiters);
	EXPECT_EQ(0, fault_fdinfo(getpid(), self->fd, "kreg-places:"));
	test_err_cancel(ENOENT, self->fd, self->id, 0);
	test_no_event(self->fd);
	test_destroy(self->fd, self->table);
}

TEST_F(standby, granted_when_parked_by_hand)
{
	struct test_event event;

	test_standby(self->fd, "w", &self->id);
	ASSERT_EQ(0, kid_park(self->owner, self->table));
	test_event_now(self->fd, &event);
	test_come(&event, self->table, self->id, self->owner->self);
	test_no_status(&event);
	EXPECT_TRUE(is_owner(self->fd, self->table, self->me));
	test_destroy(self->fd, self->table);
}

/* Nobody has it: then it is claimed, and nothing is to come. */
TEST_F(standby, claims_at_once)
{
	kid_kill(self->owner);
	ASSERT_EQ(1, _test_standby(self->fd, "w", &self->id));
	EXPECT_EQ(0, self->id);
	EXPECT_TRUE(is_owner(self->fd, self->table, self->me));
	test_no_event(self->fd);
	EXPECT_EQ(-EALREADY, _test_standby(self->fd, "w", &self->id));
	EXPECT_EQ(0, fault_fdinfo(getpid(), self->fd, "kreg-places:"));
	test_destroy(self->fd, self->table);
	EXPECT_EQ(-ENOENT, _test_standby(self->fd, "w", &self->id));
}

TEST_F(standby, creates_if_there_is_none)
{
	struct kreg_ioc_open cmd = test_open_cmd("new", KREG_OPEN_CREATE | TEST_STANDBY);

	cmd.udata = TEST_UDATA;
	test_open_(self->fd, &cmd);
	EXPECT_EQ(KREG_OPENED_CREATED, cmd.out_how);
	EXPECT_EQ(0, cmd.out_id);
	test_destroy(self->fd, cmd.out_table);
}

/* Those who stand by and those who sleep are in one line. */
TEST_F(standby, in_order_with_sleepers)
{
	struct kid *kids[6], *owner = self->owner;
	struct kreg_process from;
	int i;

	for (i = 0; i < 6; i++) {
		if (i & 1) {
			kids[i] = kid_start(_metadata);
			kid_open_prepare(kids[i], "w", KREG_OPEN_CLAIM | KREG_OPEN_WAIT);
			kid_ask(kids[i], job_open);
		} else {
			kids[i] = start_standby(_metadata, 0);
		}
		EXPECT_TRUE(test_wait_for(places(self->fd, self->table) == (__u32)i + 1));
	}
	for (i = 0; i < 6; i++) {
		from = owner->self;
		kid_kill(owner);
		owner = kids[i];
		EXPECT_TRUE(is_owner(self->fd, self->table, owner->self));
		if (i & 1) {
			EXPECT_EQ(0, kid_answer(owner));
			continue;
		}
		EXPECT_EQ(0, kid_event_now(owner));
		test_come(&owner->job->event, self->table, owner->job->open.out_id, from);
	}
	test_destroy(self->fd, self->table);
}

TEST_F(standby, the_dead_are_skipped)
{
	struct kid *first = start_standby(_metadata, 0), *second = start_standby(_metadata, 0);
	struct test_event event;
	struct kreg_process from = self->owner->self;

	test_standby(self->fd, "w", &self->id);
	kid_kill(first);
	kill(second->pid, SIGKILL);
	kid_kill(self->owner);
	kid_reap(second);
	test_sync(self->fd);
	test_event_now(self->fd, &event);
	if (event.e.process.pid == from.pid)
		test_come(&event, self->table, self->id, from);
	EXPECT_TRUE(is_owner(self->fd, self->table, self->me));
	test_destroy(self->fd, self->table);
}

/* The line comes before the orphan setting, and behind an heir. */
TEST_F(standby, saved_from_death)
{
	struct test_event event;

	ASSERT_EQ(0, kid_orphan(self->owner, self->table, KREG_ORPHAN_DESTROY, 0));
	ASSERT_EQ(0, kid_puts(self->owner, self->table, "k", "v"));
	test_standby(self->fd, "w", &self->id);
	kid_kill(self->owner);
	test_event_now(self->fd, &event);
	EXPECT_TRUE(is_owner(self->fd, self->table, self->me));
	test_gets(self->fd, self->table, "k", "v");
	test_destroy(self->fd, self->table);
}

TEST_F(standby, heir_first)
{
	struct kid *heir = kid_start(_metadata);
	struct kreg_process from = heir->self;
	struct test_event event;

	ASSERT_EQ(0, kid_heir(self->owner, self->table, heir->self, ""));
	test_standby(self->fd, "w", &self->id);
	kid_kill(self->owner);
	EXPECT_TRUE(is_owner(self->fd, self->table, heir->self));
	test_no_event(self->fd);
	kid_kill(heir);
	test_event_now(self->fd, &event);
	test_come(&event, self->table, self->id, from);
	test_destroy(self->fd, self->table);
}

/* A thread that is on its way out may still run, so nobody else owns what it owns. */
TEST_F(standby, not_before_it_is_dead)
{
	struct kid *owner = self->owner;
	struct kreg_process from = owner->self;
	struct test_event event;
	int status;

	test_standby(self->fd, "w", &self->id);
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, owner->pid, 0, PTRACE_O_TRACEEXIT));
	kid_ask(owner, job_exit);
	ASSERT_EQ(owner->pid, waitpid(owner->pid, &status, __WALL));
	test_sync(self->fd);
	test_no_event(self->fd);
	EXPECT_TRUE(is_owner(self->fd, self->table, from));
	ASSERT_EQ(0, ptrace(PTRACE_CONT, owner->pid, 0, 0));
	kid_reap(owner);
	test_event_now(self->fd, &event);
	test_come(&event, self->table, self->id, from);
	test_destroy(self->fd, self->table);
}

static long job_read(struct job *job)
{
	return test_event_read(job->fd, &job->event);
}

/* Who sleeps in read() is woken. */
TEST_F(standby, read_asleep)
{
	struct kid *kid = start_standby(_metadata, 0);

	kid_ask(kid, job_read);
	EXPECT_TRUE(test_wait_for(kid_sleeps(kid, SYS_read, kid->job->fd)));
	kid_kill(self->owner);
	EXPECT_EQ(0, kid_answer(kid));
	EXPECT_EQ(kid->job->open.out_id, kid->job->event.e.id);
	test_destroy(self->fd, self->table);
}

/* It would find the table when it goes on. */
TEST_F(standby, stopped)
{
	struct kid *kid = start_standby(_metadata, 0);

	ASSERT_TRUE(pause_stop(kid));
	EXPECT_EQ(1, places(self->fd, self->table));
	kid_kill(self->owner);
	EXPECT_TRUE(is_owner(self->fd, self->table, kid->self));
	ASSERT_TRUE(pause_continue(kid));
	EXPECT_EQ(0, kid_event_now(kid));
	test_destroy(self->fd, self->table);
}

/* The record is in the mailbox of who has asked, whoever is the receiver. */
TEST_F(standby, own_client)
{
	struct test_event event;
	int fd = test_client();

	ASSERT_LE(0, fd);
	test_standby(fd, "w", &self->id);
	kid_kill(self->owner);
	test_no_event(self->fd);
	test_event_now(fd, &event);
	EXPECT_EQ(self->id, event.e.id);
	close(fd);
	test_destroy(self->fd, self->table);
}

TEST_F(standby, refused)
{
	struct kreg_ioc_open cmd = test_open_cmd("w", KREG_OPEN_STANDBY);
	struct kid *bob = kid_start_as(_metadata, BOB);
	int fd;

	test_err_open_(EINVAL, self->fd, &cmd);
	cmd.flags = TEST_STANDBY | KREG_OPEN_WAIT;
	test_err_open_(EINVAL, self->fd, &cmd);
	cmd.flags = TEST_STANDBY;
	cmd.deadline_ns = 1;
	test_err_open_(EINVAL, self->fd, &cmd);
	cmd = test_open_cmd("w", KREG_OPEN_CLAIM | KREG_OPEN_WAIT);
	cmd.udata = 1;
	test_err_open_(EINVAL, self->fd, &cmd);
	fd = open(KREG_DEV, O_WRONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EBADF, _test_standby(fd, "w", &self->id));
	close(fd);
	kid_open_prepare(bob, "w", TEST_STANDBY);
	EXPECT_EQ(-EPERM, kid_do(bob, job_open));
	kid_open_prepare(self->owner, "w", TEST_STANDBY);
	EXPECT_EQ(-EALREADY, kid_do(self->owner, job_open));
}

static long job_standby_told(struct job *job)
{
	struct kreg_ioc_open cmd = test_open_cmd("hers", TEST_STANDBY);
	int err;

	cmd.out_limit = ~0U;
	err = _test_open_cmd(job->fd, &cmd);
	return err == -EDQUOT ? (long)cmd.out_limit : err;
}

/* Places are charged, and given back. */
TEST_F(standby, charged)
{
	long long watches = test_param("max_user_watches");
	struct kid *alice = kid_start_as(_metadata, ALICE);
	struct kid *other = kid_start_as(_metadata, ALICE);
	__u64 table;

	ASSERT_EQ(0, kid_create(other, "hers", 0, &table));
	ASSERT_EQ(0, test_set_param("max_user_watches", 1));
	EXPECT_EQ(0, kid_do(alice, job_standby_told));
	EXPECT_EQ(KREG_LIMIT_WATCHES, kid_do(alice, job_standby_told));
	EXPECT_EQ(0, kid_do(alice, job_close));
	ASSERT_EQ(0, kid_do(alice, job_client));
	EXPECT_EQ(0, kid_do(alice, job_standby_told));
	EXPECT_EQ(0, test_set_param("max_user_watches", watches));
}

TEST_HARNESS_MAIN
