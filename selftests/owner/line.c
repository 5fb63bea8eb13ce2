// SPDX-License-Identifier: GPL-2.0
/*
 * The line of a key: REGISTER with WAIT and STANDBY, and who gets the key when.
 */
#include <sys/ptrace.h>

#include "kit/pause.h"
#include "owner/line.h"

TEST_F(line, free_key)
{
	struct kreg_ioc_register cmd = register_cmd(self->table, "free", "v", KREG_REGISTER_WAIT);

	ASSERT_EQ(0, run_register(self->fd, &cmd));
	EXPECT_EQ(KREG_REGISTERED, cmd.out_how);
	EXPECT_EQ(0, cmd.out_id);
	EXPECT_TRUE(test_same(self->me, cmd.out_process));
	EXPECT_EQ(cmd.out_version, test_version_of(self->fd, self->table, "free"));
	test_gets(self->fd, self->table, "free", "v");
	cmd = standby_cmd(self->table, "other");
	ASSERT_EQ(0, run_register(self->fd, &cmd));
	EXPECT_EQ(KREG_REGISTERED, cmd.out_how);
	EXPECT_EQ(0, cmd.out_id);
	test_no_event(self->fd);
}

TEST_F(line, served_at_death)
{
	struct kid *waiter = start_waiter(_metadata, self->table);
	__u64 version = self->version;

	EXPECT_EQ(SIGKILL, kid_kill(self->holder));
	EXPECT_EQ(0, kid_answer(waiter));
	EXPECT_HAS(waiter->self);
	EXPECT_LT(version, waiter->job->arg2);
	EXPECT_EQ(waiter->job->arg2, test_version_of(self->fd, self->table, "key"));
	EXPECT_EQ(0, test_places_of(waiter->pid, waiter->job->fd));
	test_gets(self->fd, self->table, "key", "lock");
	test_stand(self->fd, self->table, &self->id);
	EXPECT_NE(0, self->id);
	EXPECT_EQ(1, test_places_of(getpid(), self->fd));
	kid_kill(waiter);
	test_sync(self->fd);
	test_served(self->fd, self->table, self->id, self->me);
	EXPECT_EQ(0, test_places_of(getpid(), self->fd));
	EXPECT_EQ(1, test_objects(self->fd, self->table));
}

TEST_F(line, served_when_unlocked)
{
	struct kid *waiter = start_waiter(_metadata, self->table);

	test_stand(self->fd, self->table, &self->id);
	EXPECT_EQ(-ECANCELED, kid_unlock(self->holder, self->table, self->version + 1));
	EXPECT_EQ(0, kid_unlock(self->holder, self->table, self->version));
	/* It was served when the call returned. */
	EXPECT_HAS(waiter->self);
	EXPECT_EQ(0, kid_answer(waiter));
	test_no_event(self->fd);
	EXPECT_EQ(-ECANCELED, kid_unlock(self->holder, self->table, self->version));
	EXPECT_EQ(0, kid_unlock(waiter, self->table, waiter->job->arg2));
	test_served(self->fd, self->table, self->id, self->me);
	EXPECT_EQ(1, test_objects(self->fd, self->table));
}

/* Those who sleep and those who stand by are in one line. */
TEST_F(line, in_order)
{
	struct kid *kids[6], *holder = self->holder;
	__u64 last = self->version;
	int i;

	for (i = 0; i < 6; i++) {
		if (i & 1) {
			kids[i] = start_waiter(_metadata, self->table);
			continue;
		}
		kids[i] = kid_start(_metadata);
		ASSERT_EQ(0, kid_stand(kids[i], self->table));
	}
	for (i = 0; i < 6; i++) {
		kid_kill(holder);
		test_sync(self->fd);
		holder = kids[i];
		EXPECT_HAS(holder->self);
		EXPECT_LT(last, test_version_of(self->fd, self->table, "key"));
		last = test_version_of(self->fd, self->table, "key");
		if (i & 1) {
			EXPECT_EQ(0, kid_answer(holder));
			EXPECT_EQ(last, holder->job->arg2);
			continue;
		}
		EXPECT_EQ(0, kid_event_now(holder));
		EXPECT_EQ(last, holder->job->event.e.version);
	}
	kid_kill(holder);
	test_sync(self->fd);
	EXPECT_EQ(0, test_objects(self->fd, self->table));
}

/* A thread that is on its way out may still run, so nobody else has what it has. */
TEST_F(line, not_before_it_is_dead)
{
	struct kid *holder = self->holder, *waiter = start_waiter(_metadata, self->table);
	struct kid *last = kid_start(_metadata);
	int status;

	test_stand(self->fd, self->table, &self->id);
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, holder->pid, 0, PTRACE_O_TRACEEXIT));
	kid_ask(holder, job_exit);
	ASSERT_EQ(holder->pid, waitpid(holder->pid, &status, __WALL));
	/* It is hidden like any other, and holds the key all the same. */
	test_err_member(ENODATA, self->fd, self->table, "key");
	test_err_bind_new(EEXIST, self->fd, self->table, "key", "v");
	test_err_lock(ETIMEDOUT, self->fd, self->table, 0, NULL);
	/* Whoever comes has the line looked at. */
	ASSERT_EQ(0, kid_stand(last, self->table));
	test_sync(self->fd);
	test_no_event(self->fd);
	EXPECT_EQ(1, test_places_of(waiter->pid, waiter->job->fd));
	EXPECT_EQ(1, test_objects(self->fd, self->table));
	ASSERT_EQ(0, ptrace(PTRACE_CONT, holder->pid, 0, 0));
	kid_reap(holder);
	EXPECT_EQ(0, kid_answer(waiter));
	EXPECT_HAS(waiter->self);
	test_no_event(self->fd);
	kid_kill(waiter);
	test_sync(self->fd);
	test_served(self->fd, self->table, self->id, self->me);
}

/* One that was got otherwise gives way to a plain one at once, but not to a line. */
TEST_F(line, plain_holder_exits)
{
	struct kid *holder = kid_start(_metadata);
	struct kreg_ioc_register cmd;
	int status;

	ASSERT_EQ(0, kid_register(holder, self->table, "plain", 0));
	cmd = standby_cmd(self->table, "plain");
	ASSERT_EQ(0, run_register(self->fd, &cmd));
	EXPECT_EQ(KREG_REGISTER_WAITS, cmd.out_how);
	EXPECT_TRUE(test_same(holder->self, cmd.out_process));
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, holder->pid, 0, PTRACE_O_TRACEEXIT));
	kid_ask(holder, job_exit);
	ASSERT_EQ(holder->pid, waitpid(holder->pid, &status, __WALL));
	test_sync(self->fd);
	test_no_event(self->fd);
	EXPECT_EQ(-ETIMEDOUT, _test_lock_key(self->fd, self->table, "plain", 0, NULL));
	EXPECT_EQ(0, kid_register(self->holder, self->table, "plain", 0));
	ASSERT_EQ(0, ptrace(PTRACE_CONT, holder->pid, 0, 0));
	kid_reap(holder);
	test_sync(self->fd);
	test_no_event(self->fd);
	EXPECT_TRUE(test_is_of(self->fd, self->table, "plain", self->holder->self));
	kid_kill(self->holder);
	test_sync(self->fd);
	EXPECT_TRUE(test_is_of(self->fd, self->table, "plain", self->me));
}

TEST_F(line, the_dead_are_passed_over)
{
	struct kid *first = start_waiter(_metadata, self->table);
	struct kid *second = kid_start(_metadata), *third = start_waiter(_metadata, self->table);

	ASSERT_EQ(0, kid_stand(second, self->table));
	test_stand(self->fd, self->table, &self->id);
	kid_kill(first);
	kill(second->pid, SIGKILL);
	kill(third->pid, SIGKILL);
	kid_kill(self->holder);
	kid_reap(second);
	kid_reap(third);
	test_sync(self->fd);
	EXPECT_HAS(self->me);
}

/* A child has the file open, and outlives the process that stands by. */
TEST_F(line, file_outlives_its_process)
{
	struct kid *kid = kid_start(_metadata);
	pid_t child;

	ASSERT_EQ(0, kid_stand(kid, self->table));
	ASSERT_EQ(0, kid_do(kid, job_leave_child));
	child = kid->job->pid;
	kid_kill(kid);
	test_stand(self->fd, self->table, &self->id);
	kid_kill(self->holder);
	test_sync(self->fd);
	test_served(self->fd, self->table, self->id, self->me);
	kill(child, SIGKILL);
}

TEST_F(line, cancelled)
{
	struct kid *waiter;
	__u64 other;

	test_stand(self->fd, self->table, &self->id);
	test_stand(self->fd, self->table, &other);
	waiter = start_waiter(_metadata, self->table);
	test_cancel(self->fd, self->id, 0);
	test_cancel(self->fd, other, KREG_CANCEL_FLUSH);
	EXPECT_EQ(0, test_places_of(getpid(), self->fd));
	test_err_cancel(ENOENT, self->fd, self->id, 0);
	kid_kill(self->holder);
	EXPECT_EQ(0, kid_answer(waiter));
	test_no_event(self->fd);
	/* Too late; and its record is taken back. */
	test_stand(self->fd, self->table, &self->id);
	kid_kill(waiter);
	test_sync(self->fd);
	test_err_cancel(ENOENT, self->fd, self->id, KREG_CANCEL_FLUSH);
	test_no_event(self->fd);
	EXPECT_HAS(self->me);
}

/* It loses the race or wins it, and the call tells which. */
TEST_F(line, cancelled_at_the_death)
{
	int i, err;

	for (i = 0; i < 20; i++) {
		test_stand(self->fd, self->table, &self->id);
		kill(self->holder->pid, SIGKILL);
		test_pause_ms(i % 4);
		err = _test_cancel(self->fd, self->id, KREG_CANCEL_FLUSH);
		kid_reap(self->holder);
		test_sync(self->fd);
		EXPECT_EQ(err ? -ENOENT : 0, err);
		EXPECT_EQ(!!err, test_objects(self->fd, self->table));
		test_no_event(self->fd);
		test_delete(self->fd, self->table, "key");
		self->holder = kid_start(_metadata);
		ASSERT_EQ(0, kid_lock(self->holder, self->table, 0));
	}
}

/* The place is its client's; the key is not. */
TEST_F(line, closed)
{
	int fd = test_client();

	ASSERT_LE(0, fd);
	test_stand(fd, self->table, &self->id);
	close(fd);
	kid_kill(self->holder);
	test_sync(self->fd);
	EXPECT_EQ(0, test_objects(self->fd, self->table));
	self->holder = kid_start(_metadata);
	ASSERT_EQ(0, kid_lock(self->holder, self->table, 0));
	fd = test_client();
	test_stand(fd, self->table, &self->id);
	kid_kill(self->holder);
	test_sync(self->fd);
	close(fd);
	test_no_event(self->fd);
	EXPECT_HAS(self->me);
}

TEST_F(line, stopped_standing_by)
{
	struct kid *kid = kid_start(_metadata);

	ASSERT_EQ(0, kid_stand(kid, self->table));
	test_stand(self->fd, self->table, &self->id);
	ASSERT_TRUE(pause_stop(kid));
	kid_kill(self->holder);
	test_sync(self->fd);
	EXPECT_HAS(kid->self);
	ASSERT_TRUE(pause_continue(kid));
	EXPECT_EQ(0, kid_event_now(kid));
}

/* Who sleeps comes last when it goes on. */
TEST_F(line, stopped_asleep)
{
	struct kid *first = start_waiter(_metadata, self->table);
	struct kid *second = start_waiter(_metadata, self->table);

	ASSERT_TRUE(pause_stop(first));
	kid_kill(self->holder);
	EXPECT_EQ(0, kid_answer(second));
	EXPECT_HAS(second->self);
	ASSERT_TRUE(pause_continue(first));
	EXPECT_TRUE(kid_is_in_line(first));
	kid_kill(second);
	EXPECT_EQ(0, kid_answer(first));
	EXPECT_HAS(first->self);
}

TEST_F(line, deadline)
{
	struct kreg_ioc_register cmd = register_cmd(self->table, "key", "v", KREG_REGISTER_WAIT);
	__u64 start = test_now_ns();

	test_err_lock(ETIMEDOUT, self->fd, self->table, 0, NULL);
	test_err_lock(ETIMEDOUT, self->fd, self->table, 50, NULL);
	EXPECT_LE(start + 50 * 1000000ULL, test_now_ns());
	EXPECT_EQ(0, test_places_of(getpid(), self->fd));
	/* Who has it is told. */
	cmd.deadline_ns = 1;
	EXPECT_EQ(-ETIMEDOUT, run_register(self->fd, &cmd));
	EXPECT_TRUE(test_same(self->holder->self, cmd.out_process));
	EXPECT_EQ(self->version, cmd.out_version);
	EXPECT_EQ(0, cmd.out_how);
	/* Who is dead has nothing, also if there is no time. */
	kid_kill(self->holder);
	test_lock(self->fd, self->table, 0, &self->version);
	EXPECT_HAS(self->me);
}

/* Who only tries does not come before the line. */
TEST_F(line, try_behind_a_line)
{
	struct kid *waiter = start_waiter(_metadata, self->table);

	test_err_lock(ETIMEDOUT, self->fd, self->table, 0, NULL);
	kid_kill(self->holder);
	test_err_lock(ETIMEDOUT, self->fd, self->table, 0, NULL);
	EXPECT_EQ(0, kid_answer(waiter));
}

static void on_signal(int sig)
{
}

static long job_interrupted(struct job *job)
{
	struct sigaction act = { .sa_handler = on_signal, .sa_flags = job->flags };

	sigaction(SIGUSR1, &act, NULL);
	return job_lock(job);
}

TEST_F(line, signals)
{
	struct kid *kid = kid_start(_metadata);

	kid->job->table = self->table;
	kid->job->len = -1;
	kid->job->flags = 0;
	kid_ask(kid, job_interrupted);
	ASSERT_TRUE(kid_is_in_line(kid));
	kill(kid->pid, SIGUSR1);
	EXPECT_EQ(-EINTR, kid_answer(kid));
	EXPECT_EQ(0, test_places_of(kid->pid, kid->job->fd));
	kid->job->flags = SA_RESTART;
	kid_ask(kid, job_interrupted);
	ASSERT_TRUE(kid_is_in_line(kid));
	kill(kid->pid, SIGUSR1);
	ASSERT_TRUE(kid_is_in_line(kid));
	kid_kill(self->holder);
	EXPECT_EQ(0, kid_answer(kid));
	EXPECT_HAS(kid->self);
}

TEST_F(line, killed)
{
	struct kid *waiter = start_waiter(_metadata, self->table);

	EXPECT_EQ(SIGKILL, kid_kill(waiter));
	kid_kill(self->holder);
	test_sync(self->fd);
	EXPECT_EQ(0, test_objects(self->fd, self->table));
}

TEST_F(line, destroyed)
{
	struct kid *waiter = start_waiter(_metadata, self->table);
	struct test_event event;

	test_stand(self->fd, self->table, &self->id);
	test_destroy(self->fd, self->table);
	EXPECT_EQ(-ESTALE, kid_answer(waiter));
	test_event(self->fd, &event);
	EXPECT_EQ(KREG_EVENT_GONE, event.e.kind);
	EXPECT_EQ(-ESTALE, kid_lock(waiter, self->table, -1));
	test_err_cancel(ENOENT, self->fd, self->id, 0);
}

TEST_F(line, destroyed_is_told)
{
	test_stand(self->fd, self->table, &self->id);
	test_destroy(self->fd, self->table);
	test_unserved(self->fd, self->table, self->id, 0);
}

TEST_HARNESS_MAIN
