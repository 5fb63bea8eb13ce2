// SPDX-License-Identifier: GPL-2.0
/*
 * Watches: one record for each, with the cause and the wait status, when the death can be
 * seen and not before; of the dead at once; and none any more once a watch is cancelled.
 */
#include <pthread.h>
#include <sys/ptrace.h>

#include "kit/fixture.h"
#include "kit/job.h"
#include "kit/watch.h"

FIXTURE(watch) {
	struct test_base base;
	int fd;
};

FIXTURE_SETUP(watch)
{
	self->fd = test_setup(_metadata, &self->base);
}

FIXTURE_TEARDOWN_PARENT(watch)
{
	test_teardown(_metadata, &self->base);
}

static long job_signal(struct job *job)
{
	signal(job->arg, SIG_DFL);
	raise(job->arg);
	return 0;
}

TEST_F(watch, causes)
{
	static const int signals[] = { SIGKILL, SIGTERM, SIGSEGV, SIGABRT };
	struct test_event event;
	struct kid *kid;
	__u64 id, last = 0;
	unsigned int i;
	int status;

	for (i = 0; i < ARRAY_SIZE(signals); i++) {
		kid = kid_start(_metadata);
		test_watch(self->fd, kid->self, &id);
		EXPECT_LT(last, id);
		last = id;
		test_no_event(self->fd);
		kid->job->arg = signals[i];
		kid_ask(kid, job_signal);
		ASSERT_TRUE(kid_dead(kid));
		test_event_now(self->fd, &event);
		test_down(&event, id, kid->self, KREG_CAUSE_DEATH);
		EXPECT_EQ(i + 1, event.e.seq);
		status = kid_reap(kid);
		EXPECT_EQ(signals[i], WTERMSIG(status));
		test_status(&event, status);
		test_no_event(self->fd);
	}
	kid = kid_start(_metadata);
	test_watch(self->fd, kid->self, &id);
	EXPECT_EQ(3 << 8, kid_exit(kid, 3));
	test_event_now(self->fd, &event);
	test_status(&event, 3 << 8);
}

TEST_F(watch, without_a_client)
{
	struct kid *kid = kid_start_bare(_metadata);
	struct kreg_process process;
	struct test_event event;
	__u64 id;

	test_name(self->fd, kid->pid, &process);
	test_watch(self->fd, process, &id);
	test_no_event(self->fd);
	EXPECT_EQ(SIGKILL, kid_kill(kid));
	test_event_now(self->fd, &event);
	test_down(&event, id, process, KREG_CAUSE_DEATH);
	test_status(&event, SIGKILL);
	EXPECT_EQ(0, event.e.table);
	EXPECT_EQ(0, event.e.key_len);
}

TEST_F(watch, each_has_a_record)
{
	struct kid *kid = kid_start(_metadata);
	struct test_event event;
	__u64 ids[100];
	int other = test_client();
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ids); i++)
		test_watch(i % 2 ? other : self->fd, kid->self, &ids[i]);
	EXPECT_EQ(SIGKILL, kid_kill(kid));
	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		test_event_now(i % 2 ? other : self->fd, &event);
		test_down(&event, ids[i], event.e.process, KREG_CAUSE_DEATH);
		EXPECT_EQ(i / 2 + 1, event.e.seq);
	}
	test_no_event(self->fd);
	test_no_event(other);
}

/* First as a zombie, which can still be asked how it ended, then when nothing of it is left. */
TEST_F(watch, dead_already)
{
	struct kid *kid = kid_start(_metadata);
	struct kreg_process dead = kid->self;
	struct kreg_ioc_watch cmd = test_watch_cmd(KREG_WATCH_PROCESS);
	struct test_event event;
	__u64 id;

	kill(kid->pid, SIGKILL);
	ASSERT_TRUE(kid_dead(kid));
	cmd.process = dead;
	memset(&cmd.out_process, 0xff, sizeof(cmd.out_process));
	ASSERT_EQ(0, _test_watch_cmd(self->fd, &cmd, &id));
	EXPECT_TRUE(test_none(cmd.out_process));
	test_event_now(self->fd, &event);
	test_down(&event, id, dead, KREG_CAUSE_NOPROC);
	EXPECT_EQ(SIGKILL, kid_reap(kid));
	test_sync(self->fd);
	test_watch(self->fd, dead, &id);
	test_event_now(self->fd, &event);
	test_down(&event, id, dead, KREG_CAUSE_NOPROC);
	test_no_status(&event);
	test_no_event(self->fd);
}

static void *wait_for_byte(void *arg)
{
	int *fds = arg;
	char c;

	fds[2] = syscall(SYS_gettid);
	return read(fds[0], &c, 1) == 1 ? NULL : arg;
}

/* What never was, or is not what it is said to be, is nobody's, and no error. */
TEST_F(watch, never_there)
{
	struct kid *kid = kid_start(_metadata);
	struct kreg_process wrong[] = {
		{ .pid = kid->pid, .cookie = kid->self.cookie + 1 },
		{ .pid = kid->pid + 1, .cookie = kid->self.cookie },
		{ .pid = 0x7fffffff, .cookie = 1 },
		{ .pid = kid->pid, .cookie = -1 },
		{ .cookie = kid->self.cookie },
	};
	struct test_event event;
	int fds[3] = {};
	pthread_t thread;
	unsigned int i;
	__u64 id;

	ASSERT_EQ(0, pipe(fds));
	ASSERT_EQ(0, pthread_create(&thread, NULL, wait_for_byte, fds));
	ASSERT_TRUE(test_wait_for(__atomic_load_n(&fds[2], __ATOMIC_RELAXED)));
	wrong[4].pid = fds[2];
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		test_watch(self->fd, wrong[i], &id);
		test_event_now(self->fd, &event);
		test_down(&event, id, wrong[i], KREG_CAUSE_NOPROC);
		test_no_status(&event);
	}
	ASSERT_EQ(1, write(fds[1], "", 1));
	pthread_join(thread, NULL);
	kid_kill(kid);
}

/* Only of the caller is there no doubt who has a pid. */
TEST_F(watch, without_a_cookie)
{
	struct kid *kid = kid_start(_metadata);
	struct kreg_process process = { .pid = kid->pid };
	__u64 id;

	test_err_watch(ESRCH, self->fd, process, &id);
	process.pid = getpid();
	test_watch(self->fd, process, &id);
	test_cancel(self->fd, id, 0);
	kid_kill(kid);
}

static long job_watch_self(struct job *job)
{
	return _test_watch(job->fd, job->self, &job->arg);
}

/* Nobody reads that record. */
TEST_F(watch, itself)
{
	struct kid *kid = kid_start(_metadata);
	__u64 id;

	EXPECT_EQ(0, kid_do(kid, job_watch_self));
	test_watch(self->fd, kid->self, &id);
	EXPECT_EQ(SIGKILL, kid_kill(kid));
	test_err_cancel(ENOENT, self->fd, id, KREG_CANCEL_FLUSH);
}

TEST_F(watch, bad_arguments)
{
	struct kreg_process me = test_self(self->fd);
	struct kreg_ioc_watch bad[] = {
		{ .kind = 0 },
		{ .kind = KREG_WATCH_PROCESS },
		{ .kind = KREG_WATCH_PROCESS, .process = { .cookie = 1 } },
		{ .kind = KREG_WATCH_PROCESS, .process = me, .table = 1 },
		{ .kind = KREG_WATCH_PROCESS, .process = me, .key = test_ptr("n") },
		{ .kind = KREG_WATCH_PROCESS, .process = me, .key_len = 1 },
		{ .kind = KREG_WATCH_OWNER },
		{ .kind = KREG_WATCH_OWNER, .table = 1, .key = test_ptr("n"), .key_len = 1 },
		{ .kind = KREG_WATCH_OWNER, .table = 1, .key = test_ptr("n") },
		{ .kind = KREG_WATCH_OWNER, .table = 1, .process = me },
		{ .kind = KREG_WATCH_OWNER, .key = test_ptr("a\0b"), .key_len = 3 },
		{ .kind = KREG_WATCH_OWNER, .table = 123456789 },
		{ .kind = KREG_WATCH_PROCESS, .process = me, .flags = KREG_WATCH_SLEEP },
		{ .kind = KREG_WATCH_PROCESS, .process = me, .version = 1 },
		{ .kind = KREG_WATCH_PROCESS, .process = me, .deadline_ns = 1 },
	};
	struct kreg_ioc_watch not_yet[] = {
		{ .kind = 7 },
		{ .kind = KREG_WATCH_PROCESS, .process = me, .flags = 1U << 1 },
		{ .kind = KREG_WATCH_PROCESS, .process = { me.pid, 1, me.cookie } },
	};
	struct kreg_ioc_watch long_name = {
		.size = sizeof(long_name),
		.kind = KREG_WATCH_OWNER,
		.key = test_ptr("n"),
		.key_len = KREG_MAX_NAME + 1,
	};
	unsigned int i;
	__u64 id;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		bad[i].size = sizeof(bad[i]);
		EXPECT_EQ(-EINVAL, _test_watch_cmd(self->fd, &bad[i], &id)) {
			TH_LOG("row %u", i);
		}
	}
	for (i = 0; i < ARRAY_SIZE(not_yet); i++) {
		not_yet[i].size = sizeof(not_yet[i]);
		EXPECT_EQ(-EOPNOTSUPP, _test_watch_cmd(self->fd, &not_yet[i], &id)) {
			TH_LOG("row %u", i);
		}
	}
	EXPECT_EQ(-ENAMETOOLONG, _test_watch_cmd(self->fd, &long_name, &id));
	test_no_event(self->fd);
}

/* A file that cannot be read from has no use for records; who only reads has. */
TEST_F(watch, open_mode)
{
	int reads = open(KREG_DEV, O_RDONLY), writes = open(KREG_DEV, O_WRONLY);
	struct kid *kid = kid_start(_metadata);
	struct test_event event;
	__u64 id;

	test_err_watch(EBADF, writes, kid->self, &id);
	test_watch(reads, kid->self, &id);
	EXPECT_EQ(SIGKILL, kid_kill(kid));
	test_event_now(reads, &event);
	test_down(&event, id, event.e.process, KREG_CAUSE_DEATH);
	close(reads);
	close(writes);
}

TEST_F(watch, cancel)
{
	struct kid *kid = kid_start(_metadata);
	int other = test_client();
	struct test_event event;
	__u64 kept, id;

	test_err_cancel(EINVAL, self->fd, 0, 0);
	test_watch(self->fd, kid->self, &kept);
	test_watch(self->fd, kid->self, &id);
	test_err_cancel(EINVAL, self->fd, 2 * id, 0);
	test_err_cancel(ENOENT, self->fd, id + 1, 0);
	test_err_cancel(EINVAL, other, id, 0);
	test_err_cancel(EOPNOTSUPP, self->fd, id, KREG_CANCEL_ALL + 1);
	test_cancel(self->fd, id, 0);
	test_err_cancel(ENOENT, self->fd, id, 0);
	test_err_cancel(ENOENT, self->fd, id, KREG_CANCEL_FLUSH);
	EXPECT_EQ(SIGKILL, kid_kill(kid));
	test_event_now(self->fd, &event);
	test_down(&event, kept, event.e.process, KREG_CAUSE_DEATH);
	test_err_cancel(ENOENT, self->fd, kept, KREG_CANCEL_FLUSH);
	test_no_event(self->fd);
}

TEST_F(watch, cancel_fired)
{
	struct kid *kid = kid_start(_metadata);
	struct test_event event;
	__u64 ids[3];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ids); i++)
		test_watch(self->fd, kid->self, &ids[i]);
	EXPECT_EQ(SIGKILL, kid_kill(kid));
	test_sync(self->fd);
	test_err_cancel(ENOENT, self->fd, ids[1], KREG_CANCEL_FLUSH);
	test_err_cancel(ENOENT, self->fd, ids[2], 0);
	test_event_now(self->fd, &event);
	EXPECT_EQ(ids[0], event.e.id);
	test_event_now(self->fd, &event);
	EXPECT_EQ(ids[2], event.e.id);
	test_no_event(self->fd);
	test_err_cancel(ENOENT, self->fd, ids[1], 0);
}

/* What is pending and what is unread goes with the client, and nothing of it stays. */
TEST_F(watch, closed)
{
	struct kid *dies = kid_start(_metadata), *lives = kid_start(_metadata);
	int other = test_client();
	unsigned int i;
	__u64 id;

	for (i = 0; i < 10; i++) {
		test_watch(other, dies->self, &id);
		test_watch(other, lives->self, &id);
	}
	EXPECT_EQ(SIGKILL, kid_kill(dies));
	test_sync(self->fd);
	close(other);
	test_no_event(self->fd);
	EXPECT_EQ(SIGKILL, kid_kill(lives));
	test_no_event(self->fd);
}

TEST_F(watch, owner)
{
	struct kid *first = kid_start(_metadata), *second = kid_start(_metadata);
	struct kreg_process was = first->self;
	struct test_event event;
	__u64 table, by_id, by_name;

	ASSERT_EQ(0, kid_create(first, "owned", KREG_ACCESS_PUBLIC, &table));
	test_watch_owner(self->fd, table, &by_id);
	test_watch_name(self->fd, "owned", &by_name);
	/* Whose it is later makes no difference. */
	ASSERT_EQ(0, kid_give(first, table, second->self, ""));
	EXPECT_EQ(SIGKILL, kid_kill(second));
	test_no_event(self->fd);
	EXPECT_EQ(SIGKILL, kid_kill(first));
	test_event_now(self->fd, &event);
	test_down(&event, by_id, was, KREG_CAUSE_DEATH);
	test_status(&event, SIGKILL);
	EXPECT_EQ(table, event.e.table);
	EXPECT_EQ(0, event.e.key_len);
	test_event_now(self->fd, &event);
	test_down(&event, by_name, was, KREG_CAUSE_DEATH);
	EXPECT_EQ(table, event.e.table);
	EXPECT_STREQ("owned", event.name);
}

TEST_F(watch, nobody_owns)
{
	const struct kreg_process nobody = {};
	struct test_event event;
	__u64 table, id;

	test_create(self->fd, "parked", 0, &table);
	test_park(self->fd, table);
	test_watch_owner(self->fd, table, &id);
	test_event_now(self->fd, &event);
	test_down(&event, id, nobody, KREG_CAUSE_NOPROC);
	test_no_status(&event);
	EXPECT_EQ(table, event.e.table);
	test_watch_name(self->fd, "absent", &id);
	test_event_now(self->fd, &event);
	test_down(&event, id, nobody, KREG_CAUSE_NOPROC);
	EXPECT_EQ(0, event.e.table);
	EXPECT_STREQ("absent", event.name);
	test_destroy(self->fd, table);
	test_err_watch_owner(ESTALE, self->fd, table, &id);
}

/* The owner is dead, and its table is the heir's: the heir is watched. */
TEST_F(watch, owner_inherits)
{
	struct kid *heir = kid_start(_metadata), *owner = kid_start(_metadata);
	struct kreg_process who = heir->self;
	struct test_event event;
	__u64 table, id;

	ASSERT_EQ(0, kid_create_heir(owner, "left", heir->self, "", &table));
	EXPECT_EQ(SIGKILL, kid_kill(owner));
	test_watch_owner(self->fd, table, &id);
	test_no_event(self->fd);
	EXPECT_EQ(SIGKILL, kid_kill(heir));
	test_event_now(self->fd, &event);
	test_down(&event, id, who, KREG_CAUSE_DEATH);
}

/* The heir's record comes first, whatever was set first. */
TEST_F(watch, after_the_transfer)
{
	struct kreg_process me = test_self(self->fd);
	struct test_event event;
	__u64 tables[20], id;
	struct kid *kid;
	unsigned int i;

	kid = kid_start(_metadata);
	test_watch(self->fd, kid->self, &id);
	for (i = 0; i < ARRAY_SIZE(tables); i++)
		ASSERT_EQ(0, kid_create_heir(kid, NULL, me, "", &tables[i]));
	EXPECT_EQ(SIGKILL, kid_kill(kid));
	for (i = 0; i < ARRAY_SIZE(tables); i++) {
		test_event_now(self->fd, &event);
		test_transfer(&event, tables[i], event.e.process, KREG_CAUSE_DEATH);
	}
	test_event_now(self->fd, &event);
	test_down(&event, id, event.e.process, KREG_CAUSE_DEATH);
	for (i = 0; i < ARRAY_SIZE(tables); i++)
		test_destroy(self->fd, tables[i]);
}

/* A process that is held at its exit lives, and may be watched until it is dead. */
TEST_F(watch, exiting)
{
	struct kid *kid = kid_start(_metadata);
	struct kreg_process who = kid->self;
	struct test_event event;
	int status;
	__u64 id;

	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, kid->pid, NULL, PTRACE_O_TRACEEXIT));
	kid->job->arg = 7;
	kid_ask(kid, job_exit);
	ASSERT_EQ(kid->pid, waitpid(kid->pid, &status, __WALL));
	ASSERT_EQ(SIGTRAP | PTRACE_EVENT_EXIT << 8, status >> 8);
	test_watch(self->fd, who, &id);
	test_sync(self->fd);
	test_no_event(self->fd);
	ASSERT_EQ(0, ptrace(PTRACE_CONT, kid->pid, NULL, NULL));
	EXPECT_EQ(7 << 8, kid_reap(kid));
	test_event_now(self->fd, &event);
	test_down(&event, id, who, KREG_CAUSE_DEATH);
	test_status(&event, 7 << 8);
}

TEST_HARNESS_MAIN
