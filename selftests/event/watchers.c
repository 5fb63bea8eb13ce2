// SPDX-License-Identifier: GPL-2.0
/*
 * Those who watch: how they are woken, which users are told what, who races with a death.
 */
#include <pthread.h>
#include <sys/epoll.h>

#include "kit/fixture.h"
#include "kit/job.h"
#include "kit/await.h"
#include "kit/stream.h"
#include "kit/watch.h"

FIXTURE(watchers) {
	struct test_base base;
	int fd;
};

FIXTURE_SETUP(watchers)
{
	self->fd = test_setup(_metadata, &self->base);
}

FIXTURE_TEARDOWN_PARENT(watchers)
{
	test_teardown(_metadata, &self->base);
}

static long job_read(struct job *job)
{
	return test_event_read(job->fd, &job->event);
}

static long job_watch(struct job *job)
{
	return _test_watch(job->fd, job->process, &job->arg);
}

static long kid_watch(struct kid *kid, struct kreg_process process)
{
	kid->job->process = process;
	return kid_do(kid, job_watch);
}

TEST_F(watchers, wakes_a_reader)
{
	struct kid *watcher = kid_start(_metadata), *dies = kid_start(_metadata);
	struct kreg_process who = dies->self;

	ASSERT_EQ(0, kid_watch(watcher, who));
	kid_ask(watcher, job_read);
	ASSERT_TRUE(test_wait_for(kid_sleeps(watcher, SYS_read, watcher->job->fd)));
	EXPECT_EQ(SIGKILL, kid_kill(dies));
	ASSERT_EQ(0, kid_answer(watcher));
	test_down(&watcher->job->event, watcher->job->arg, who, KREG_CAUSE_DEATH);
	kid_kill(watcher);
}

TEST_F(watchers, wakes_edge_triggered)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET };
	int epoll = epoll_create1(0), round;
	struct test_event event;
	struct kid *kid;
	__u64 id;

	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, self->fd, &ev));
	for (round = 0; round < 20; round++) {
		kid = kid_start(_metadata);
		test_watch(self->fd, kid->self, &id);
		EXPECT_EQ(0, epoll_wait(epoll, &ev, 1, 0));
		kill(kid->pid, SIGKILL);
		ASSERT_EQ(1, epoll_wait(epoll, &ev, 1, PATIENCE_MS));
		test_event_now(self->fd, &event);
		test_down(&event, id, kid->self, KREG_CAUSE_DEATH);
		EXPECT_EQ(SIGKILL, kid_reap(kid));
	}
	close(epoll);
}

/* When a pidfd that was never polled before says so, the record can be read. */
TEST_F(watchers, fresh_pidfd)
{
	struct pollfd pfd = { .events = POLLIN };
	unsigned int round, rounds = test_size(400);
	struct test_event event;
	struct kid *kid;
	__u64 id;

	for (round = 0; round < rounds; round++) {
		kid = kid_start_bare(_metadata);
		ASSERT_EQ(0, _test_name(self->fd, kid->pid, &kid->self));
		test_watch(self->fd, kid->self, &id);
		kill(kid->pid, SIGKILL);
		do {
			pfd.fd = test_pidfd(kid->pid);
			ASSERT_LE(0, poll(&pfd, 1, 0));
			close(pfd.fd);
		} while (!pfd.revents);
		ASSERT_EQ(0, _test_event_now(self->fd, &event));
		test_down(&event, id, kid->self, KREG_CAUSE_DEATH);
		EXPECT_EQ(SIGKILL, kid_reap(kid));
	}
}

/* poll(2) says so as well, for a client that nobody has woken. */
TEST_F(watchers, polled)
{
	unsigned int round, rounds = test_size(200);
	struct pollfd pfd = { .fd = self->fd, .events = POLLIN };
	struct test_event event;
	struct kid *kid;
	__u64 id;

	for (round = 0; round < rounds; round++) {
		kid = kid_start(_metadata);
		test_watch(self->fd, kid->self, &id);
		EXPECT_EQ(0, poll(&pfd, 1, 0));
		EXPECT_EQ(SIGKILL, kid_kill(kid));
		test_sync(self->fd);
		ASSERT_EQ(1, poll(&pfd, 1, 0));
		test_event_now(self->fd, &event);
		test_down(&event, id, event.e.process, KREG_CAUSE_DEATH);
	}
}

static long job_watch_owner(struct job *job)
{
	return _test_watch_owner(job->fd, job->table, &job->arg);
}

/*
 * How another user's process ended is nobody's business, unless he may know of a table
 * that it owns; that it did can be seen anyway.
 */
TEST_F(watchers, other_users)
{
	struct kid *alice = kid_start_as(_metadata, 1000), *bob = kid_start_as(_metadata, 1001);
	struct kreg_process was = alice->self;
	struct test_event event;
	__u64 table, secret, id, as_owner;

	ASSERT_EQ(0, kid_create(alice, "known", KREG_ACCESS_PRIVATE, &table));
	ASSERT_EQ(0, kid_create(alice, "secret", KREG_ACCESS_PRIVATE, &secret));
	ASSERT_EQ(0, kid_setopt(alice, secret, KREG_OPT_MODE, 0600, 0));
	bob->job->table = secret;
	EXPECT_EQ(-EACCES, kid_do(bob, job_watch_owner));
	ASSERT_EQ(0, kid_watch(bob, was));
	id = bob->job->arg;
	bob->job->table = table;
	ASSERT_EQ(0, kid_do(bob, job_watch_owner));
	as_owner = bob->job->arg;
	test_watch(self->fd, was, &secret);

	EXPECT_EQ(4 << 8, kid_exit(alice, 4));
	ASSERT_EQ(0, kid_do(bob, job_event_now));
	test_down(&bob->job->event, id, was, KREG_CAUSE_DEATH);
	test_no_status(&bob->job->event);
	ASSERT_EQ(0, kid_do(bob, job_event_now));
	test_down(&bob->job->event, as_owner, was, KREG_CAUSE_DEATH);
	test_status(&bob->job->event, 4 << 8);
	/* root may know. */
	test_event_now(self->fd, &event);
	test_status(&event, 4 << 8);
	kid_kill(bob);
}

static long job_setuid(struct job *job)
{
	return setresuid(job->arg, job->arg, job->arg) ? -errno : 0;
}

/* It counts whose process it is in the end. */
TEST_F(watchers, changes_user)
{
	struct kid *dies = kid_start_as(_metadata, 0), *alice = kid_start_as(_metadata, 1000);
	struct kreg_process was = dies->self;

	ASSERT_EQ(0, kid_watch(alice, was));
	dies->job->arg = 1000;
	ASSERT_EQ(0, kid_do(dies, job_setuid));
	EXPECT_EQ(5 << 8, kid_exit(dies, 5));
	ASSERT_EQ(0, kid_do(alice, job_event_now));
	test_status(&alice->job->event, 5 << 8);
	kid_kill(alice);
}

struct race {
	int fd;
	__u64 id;
	int err;
	pthread_barrier_t start;
};

static void *cancel_now(void *arg)
{
	struct race *race = arg;

	pthread_barrier_wait(&race->start);
	race->err = _test_cancel(race->fd, race->id, KREG_CANCEL_FLUSH);
	return NULL;
}

/* With FLUSH there is no record afterwards, whatever came first. */
TEST_F(watchers, cancel_races)
{
	unsigned int round, rounds = test_size(400), fired = 0;
	struct race race = { .fd = self->fd };
	pthread_t thread;
	struct kid *kid;

	pthread_barrier_init(&race.start, NULL, 2);
	for (round = 0; round < rounds; round++) {
		kid = kid_start(_metadata);
		test_watch(self->fd, kid->self, &race.id);
		ASSERT_EQ(0, pthread_create(&thread, NULL, cancel_now, &race));
		kill(kid->pid, SIGKILL);
		usleep(round % 40 * 10);
		pthread_barrier_wait(&race.start);
		EXPECT_EQ(SIGKILL, kid_kill(kid));
		pthread_join(thread, NULL);
		EXPECT_TRUE(!race.err || race.err == -ENOENT);
		fired += race.err == -ENOENT;
		test_sync(self->fd);
		test_no_event(self->fd);
		if (race.err)
			test_err_cancel(ENOENT, self->fd, race.id, 0);
	}
	TH_LOG("%u of %u were cancelled too late", fired, rounds);
}

static long job_new_namespace(struct job *job)
{
	struct kreg_process process;

	job->fd = test_client();
	process = test_self(job->fd);
	return process.pid == 1 ? 0 : -EPERM;
}

/* Pids are those that the watcher sees; whom it does not see it cannot name. */
TEST_F(watchers, pid_namespace)
{
	struct kid_how how = { .bare = true, .flags = CLONE_NEWPID };
	struct kid *inside = kid_start_how(_metadata, &how);
	struct kreg_process who;
	struct test_event event;
	__u64 id;

	ASSERT_EQ(0, kid_do(inside, job_new_namespace));
	ASSERT_EQ(0, kid_watch(inside, test_self(self->fd)));
	ASSERT_EQ(0, kid_do(inside, job_event_now));
	EXPECT_EQ(KREG_CAUSE_NOPROC, inside->job->event.e.cause);
	test_name(self->fd, inside->pid, &who);
	test_watch(self->fd, who, &id);
	EXPECT_EQ(SIGKILL, kid_kill(inside));
	test_event_now(self->fd, &event);
	test_down(&event, id, who, KREG_CAUSE_DEATH);
}

/* How many records of this kind can be read now, and what came first behind them. */
static unsigned int take_records(int fd, __u32 kind, struct test_event *next)
{
	unsigned int n = 0;

	while (!_test_event_now(fd, next) && next->e.kind == kind)
		n++;
	return n;
}

/*
 * A mailbox that is full of tables keeps away neither what a client has asked for, nor the end of
 * a stream that has lost events.
 */
TEST_F(watchers, mailbox_is_full)
{
	struct kid *giver = kid_start(_metadata), *dies = kid_start(_metadata);
	unsigned int i, most = test_param("max_events");
	__u64 table, given, down, ready, gone;
	struct test_event event;

	test_create(self->fd, "told", KREG_ACCESS_PUBLIC, &table);
	test_subscribe(self->fd, table, KIND(CREATE));
	test_watch(self->fd, dies->self, &down);
	test_await(self->fd, table, KREG_WATCH_PRESENT, "k", 0, &ready);
	test_await(self->fd, table, KREG_WATCH_PRESENT, "none", 0, &gone);
	for (i = 0; i < most; i++) {
		ASSERT_EQ(0, kid_create(giver, NULL, 0, &given));
		ASSERT_EQ(0, kid_give(giver, given, test_self(self->fd), ""));
	}
	ASSERT_EQ(0, kid_create(giver, NULL, 0, &given));
	EXPECT_EQ(-EDQUOT, kid_give(giver, given, test_self(self->fd), ""));

	for (i = 0; i < 2000; i++)
		test_put(self->fd, table, &i, sizeof(i), NULL, 0);
	test_puts(self->fd, table, "k", "v");
	EXPECT_EQ(SIGKILL, kid_kill(dies));
	test_sync(self->fd);
	test_destroy(self->fd, table);
	EXPECT_EQ(most, take_records(self->fd, KREG_EVENT_TRANSFER, &event));
	EXPECT_EQ(KREG_EVENT_READY, event.e.kind);
	EXPECT_EQ(ready, event.e.id);
	test_event_now(self->fd, &event);
	test_down(&event, down, dies->self, KREG_CAUSE_DEATH);
	test_event_now(self->fd, &event);
	EXPECT_EQ(KREG_EVENT_GONE, event.e.kind);
	EXPECT_EQ(gone, event.e.id);
	test_event_now(self->fd, &event);
	EXPECT_EQ(KREG_EVENT_OVERFLOW, event.e.kind);
	EXPECT_LT(0, take_records(self->fd, KREG_EVENT_CREATE, &event));
	EXPECT_EQ(KREG_EVENT_GONE, event.e.kind);
	test_no_event(self->fd);
	kid_kill(giver);
}

TEST_HARNESS_MAIN
