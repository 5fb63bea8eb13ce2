// SPDX-License-Identifier: GPL-2.0
/*
 * Many watches: of one process, by one client and by many; of many processes by one; and
 * that nobody waits for those of others.
 */
#include <sys/resource.h>

#include "kit/fixture.h"
#include "kit/job.h"
#include "kit/watch.h"

#define WATCHES		100000
#define WATCHERS	10000
#define WATCHED		1000

static const char * const raised[] = { "max_clients", "max_user_watches" };

FIXTURE(watch_many) {
	struct test_base base;
	int fd;
	long long was[ARRAY_SIZE(raised)];
};

FIXTURE_SETUP(watch_many)
{
	const struct rlimit files = { WATCHERS + 100, WATCHERS + 100 };
	unsigned int i;

	self->fd = test_setup(_metadata, &self->base);
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &files));
	for (i = 0; i < ARRAY_SIZE(raised); i++) {
		self->was[i] = test_param(raised[i]);
		ASSERT_EQ(0, test_set_param(raised[i], 2 * WATCHES));
	}
}

FIXTURE_TEARDOWN_PARENT(watch_many)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(raised); i++)
		EXPECT_EQ(0, test_set_param(raised[i], self->was[i]));
	test_teardown(_metadata, &self->base);
}

/* All records that are there, with rising ids; returns how many. */
static unsigned int drain(struct __test_metadata *_metadata, int fd, struct kreg_process dead)
{
	static struct kreg_event events[1000];
	unsigned int n = 0;
	__u64 last = 0;
	ssize_t len, i;

	ASSERT_EQ(0, test_nonblock(fd, true));
	while ((len = read(fd, events, sizeof(events))) > 0) {
		for (i = 0; i < len / (ssize_t)sizeof(events[0]); i++, n++) {
			if (events[i].kind != KREG_EVENT_DOWN || events[i].id <= last ||
			    events[i].process.cookie != dead.cookie)
				return 0;
			last = events[i].id;
		}
	}
	EXPECT_EQ(EAGAIN, errno);
	return n;
}

TEST_F(watch_many, of_one_process)
{
	unsigned int i, n = test_size(WATCHES);
	struct kid *kid = kid_start(_metadata);
	struct kreg_process who = kid->self;
	__u64 id;

	for (i = 0; i < n; i++)
		ASSERT_EQ(0, _test_watch(self->fd, who, &id));
	EXPECT_EQ(SIGKILL, kid_kill(kid));
	test_sync(self->fd);
	EXPECT_EQ(n, drain(_metadata, self->fd, who));
}

TEST_F(watch_many, watchers)
{
	unsigned int i, n = test_size(WATCHERS);
	struct kid *kid = kid_start(_metadata);
	struct kreg_process who = kid->self;
	int *fds = calloc(n, sizeof(*fds));
	struct test_event event;
	__u64 id;

	for (i = 0; i < n; i++) {
		fds[i] = test_client();
		ASSERT_LE(0, fds[i]);
		ASSERT_EQ(0, _test_watch(fds[i], who, &id));
	}
	EXPECT_EQ(SIGKILL, kid_kill(kid));
	/* From the last on: each finds its own record, whoever comes before it. */
	for (i = n; i--;) {
		ASSERT_EQ(0, _test_event_now(fds[i], &event));
		ASSERT_EQ(who.cookie, event.e.process.cookie);
		ASSERT_EQ(-EAGAIN, _test_event_now(fds[i], &event));
		close(fds[i]);
	}
	free(fds);
}

/* Cancelled, which is too late, or closed, while others are still being told. */
TEST_F(watch_many, cancelled_meanwhile)
{
	unsigned int i, n = test_size(WATCHES) / 4;
	struct kid *kid = kid_start(_metadata);
	int other = test_client();
	__u64 *ids = calloc(n, sizeof(*ids)), id;

	for (i = 0; i < n; i++) {
		ASSERT_EQ(0, _test_watch(self->fd, kid->self, &ids[i]));
		ASSERT_EQ(0, _test_watch(other, kid->self, &id));
	}
	kill(kid->pid, SIGKILL);
	ASSERT_TRUE(kid_dead(kid));
	for (i = n; i--;)
		ASSERT_EQ(-ENOENT, _test_cancel(self->fd, ids[i], KREG_CANCEL_FLUSH));
	close(other);
	EXPECT_EQ(SIGKILL, kid_reap(kid));
	test_sync(self->fd);
	test_no_event(self->fd);
	free(ids);
}

/* So many kids that are watched by one client; to be freed. */
static struct kid **start_watched(struct __test_metadata *_metadata, int fd, unsigned int n)
{
	struct kid **kids = calloc(n, sizeof(*kids));
	struct kreg_process who;
	unsigned int i;
	__u64 id;

	for (i = 0; i < n; i++) {
		kids[i] = kid_start_bare(_metadata);
		test_name(fd, kids[i]->pid, &who);
		test_watch(fd, who, &id);
	}
	return kids;
}

/* One client watches many, and the death of any is there to read at once. */
TEST_F(watch_many, of_many_processes)
{
	unsigned int i, n = test_size(WATCHED);
	struct kid **kids = start_watched(_metadata, self->fd, n);
	struct test_event event;

	for (i = n; i--;) {
		EXPECT_EQ(SIGKILL, kid_kill(kids[i]));
		ASSERT_EQ(0, _test_event_now(self->fd, &event));
		EXPECT_EQ(SIGKILL, event.e.status);
		ASSERT_EQ(-EAGAIN, _test_event_now(self->fd, &event));
	}
	free(kids);
}

/* And behind SYNC also of one that was seen to be dead while it was about to be told. */
TEST_F(watch_many, sync_tells)
{
	unsigned int i, n = test_size(WATCHED);
	struct kid **kids = start_watched(_metadata, self->fd, n);
	struct test_event event;

	for (i = 0; i < n; i++) {
		kill(kids[i]->pid, SIGKILL);
		while (!test_pidfd_dead(kids[i]->pidfd))
			;
		test_sync(self->fd);
		ASSERT_EQ(0, _test_event_now(self->fd, &event));
		EXPECT_EQ(SIGKILL, event.e.status);
		EXPECT_EQ(SIGKILL, kid_reap(kids[i]));
	}
	free(kids);
}

static long job_watch_often(struct job *job)
{
	unsigned int i;
	__u64 id;
	int err = 0;

	for (i = 0; i < job->arg && !err; i++)
		err = _test_watch(job->fd, job->process, &id);
	return err;
}

/*
 * The table of a dead process is its heir's, and the record of its own user's watcher there,
 * although a stranger has watched it many times before.
 */
TEST_F(watch_many, stranger)
{
	struct kid *stranger = kid_start_as(_metadata, 1001), *dies = kid_start(_metadata);
	struct pollfd pfd = { .fd = self->fd, .events = POLLIN };
	struct test_event event;
	__u64 table, id;

	stranger->job->process = dies->self;
	stranger->job->arg = test_size(WATCHES) / 4;
	ASSERT_EQ(0, kid_do(stranger, job_watch_often));
	ASSERT_EQ(0, kid_create_heir(dies, "left", test_self(self->fd), "", &table));
	test_watch(self->fd, dies->self, &id);
	kill(dies->pid, SIGKILL);
	ASSERT_TRUE(kid_dead(dies));
	test_event_now(self->fd, &event);
	test_transfer(&event, table, dies->self, KREG_CAUSE_DEATH);
	ASSERT_EQ(1, poll(&pfd, 1, PATIENCE_MS));
	test_event_now(self->fd, &event);
	test_down(&event, id, dies->self, KREG_CAUSE_DEATH);
	kid_reap(dies);
	kid_kill(stranger);
	test_destroy(self->fd, table);
}

TEST_HARNESS_MAIN
