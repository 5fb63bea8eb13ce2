// SPDX-License-Identifier: GPL-2.0
/*
 * The mailbox: read(2) of whole records, waiting for them, and limits.
 */
#include <sys/epoll.h>

#include "kit/fixture.h"
#include "kit/job.h"
#include "kit/pause.h"

#define ROOM	(4 * TEST_EVENT_MAX)

FIXTURE(events) {
	struct test_base base;
	int fd;
	struct kreg_process me;
	struct kid *kid;
	__u64 room[ROOM / 8];
};

FIXTURE_SETUP(events)
{
	self->fd = test_setup(_metadata, &self->base);
	self->me = test_self(self->fd);
	self->kid = kid_start(_metadata);
}

FIXTURE_TEARDOWN_PARENT(events)
{
	test_teardown(_metadata, &self->base);
}

/* The kid gives a new table to the test. */
static __u64 gift(struct __test_metadata *_metadata, struct kid *kid,
		  struct kreg_process to, const char *data)
{
	__u64 id;

	ASSERT_EQ(0, kid_create(kid, NULL, 0, &id));
	ASSERT_EQ(0, kid_give(kid, id, to, data));
	return id;
}

static ssize_t read_now(int fd, void *buf, size_t len)
{
	ssize_t n;

	test_nonblock(fd, true);
	n = read(fd, buf, len);
	n = n < 0 ? -errno : n;
	test_nonblock(fd, false);
	return n;
}

TEST_F(events, whole_records)
{
	const struct kreg_event *e = (void *)self->room;
	__u64 ids[5];
	ssize_t len;
	int i;

	for (i = 0; i < 5; i++)
		ids[i] = gift(_metadata, self->kid, self->me, "12345");
	/* A record of 88 and 5 bytes takes 96: two fit, and a part of the third. */
	len = read_now(self->fd, self->room, 96 * 3 - 1);
	ASSERT_EQ(192, len);
	for (i = 0; i < 2; i++, e = (void *)e + e->size) {
		EXPECT_EQ(96, e->size);
		EXPECT_EQ(i + 1, e->seq);
		EXPECT_EQ(ids[i], e->table);
	}
	len = read_now(self->fd, self->room, sizeof(self->room));
	ASSERT_EQ(288, len);
	e = (void *)self->room;
	for (i = 2; i < 5; i++, e = (void *)e + e->size) {
		EXPECT_EQ(i + 1, e->seq);
		EXPECT_EQ(ids[i], e->table);
	}
	EXPECT_EQ(-EAGAIN, read_now(self->fd, self->room, 1000));
}

TEST_F(events, short_buffer_loses_nothing)
{
	struct test_event event;
	__u64 id = gift(_metadata, self->kid, self->me, "data");
	int len;

	for (len = 8; len < 96; len += 8)
		EXPECT_EQ(-EMSGSIZE, read_now(self->fd, self->room, len));
	EXPECT_EQ(-EMSGSIZE, read_now(self->fd, self->room, 95));
	EXPECT_EQ(-EFAULT, read_now(self->fd, (void *)8, 4096));
	test_event_now(self->fd, &event);
	EXPECT_EQ(id, event.e.table);
	EXPECT_EQ(1, event.e.seq);
	test_no_event(self->fd);
}

/* The second record would be copied to memory that cannot be written. */
TEST_F(events, bad_buffer_keeps_the_rest)
{
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct test_event event;
	__u64 a, b;
	ssize_t len;

	ASSERT_NE(MAP_FAILED, page);
	ASSERT_EQ(0, mprotect(page + 4096, 4096, PROT_NONE));
	a = gift(_metadata, self->kid, self->me, "");
	b = gift(_metadata, self->kid, self->me, "");
	len = read_now(self->fd, page + 4096 - 96, 192);
	ASSERT_TRUE(len == 88 || len == -EFAULT);
	if (len < 0) {
		test_event_now(self->fd, &event);
		EXPECT_EQ(a, event.e.table);
	}
	test_event_now(self->fd, &event);
	EXPECT_EQ(b, event.e.table);
	EXPECT_EQ(2, event.e.seq);
}

static long job_read(struct job *job)
{
	int err = test_event_read(job->fd, &job->event);

	return err;
}

TEST_F(events, blocking_read)
{
	struct kid *kid = self->kid;
	__u64 id;
	int i;

	for (i = 0; i < 20; i++) {
		kid_ask(kid, job_read);
		EXPECT_TRUE(test_wait_for(kid_sleeps(kid, SYS_read,
						     kid->job->fd)));
		test_create(self->fd, NULL, 0, &id);
		test_give(self->fd, id, kid->self, NULL, 0);
		ASSERT_EQ(0, kid_answer(kid));
		ASSERT_EQ(id, kid->job->event.e.table);
	}
}

TEST_F(events, blocking_read_woken_by_death)
{
	struct kid *heir = self->kid, *owner;
	__u64 id;
	int i;

	for (i = 0; i < 20; i++) {
		owner = kid_start(_metadata);
		ASSERT_EQ(0, kid_create_heir(owner, NULL, heir->self, "",
					     &id));
		kid_ask(heir, job_read);
		EXPECT_TRUE(test_wait_for(kid_sleeps(heir, SYS_read,
						     heir->job->fd)));
		kill(owner->pid, SIGKILL);
		ASSERT_EQ(0, kid_answer(heir));
		ASSERT_EQ(id, heir->job->event.e.table);
		ASSERT_EQ(KREG_CAUSE_DEATH, heir->job->event.e.cause);
		kid_reap(owner);
	}
}

static void on_signal(int sig)
{
}

static long job_read_interrupted(struct job *job)
{
	struct sigaction action = { .sa_handler = on_signal };

	sigaction(SIGUSR1, &action, NULL);
	return test_event_read(job->fd, &job->event);
}

TEST_F(events, read_interrupted)
{
	struct kid *kid = self->kid;

	kid_ask(kid, job_read_interrupted);
	EXPECT_TRUE(test_wait_for(kid_sleeps(kid, SYS_read, kid->job->fd)));
	kill(kid->pid, SIGUSR1);
	EXPECT_EQ(-EINTR, kid_answer(kid));
	/* And by a fatal signal. */
	kid_ask(kid, job_read);
	EXPECT_TRUE(test_wait_for(kid_sleeps(kid, SYS_read, kid->job->fd)));
	EXPECT_EQ(SIGKILL, kid_kill(kid));
}

/* A process that is stopped or frozen goes on waiting afterwards. */
TEST_F(events, read_goes_on)
{
	struct kid *kid = self->kid;
	__u64 id;

	kid_ask(kid, job_read);
	EXPECT_TRUE(test_wait_for(kid_sleeps(kid, SYS_read, kid->job->fd)));
	ASSERT_TRUE(pause_stop(kid));
	ASSERT_TRUE(pause_continue(kid));
	EXPECT_TRUE(test_wait_for(kid_sleeps(kid, SYS_read, kid->job->fd)));
	ASSERT_TRUE(pause_freeze(kid));
	ASSERT_TRUE(pause_thaw());
	EXPECT_TRUE(test_wait_for(kid_sleeps(kid, SYS_read, kid->job->fd)));
	test_create(self->fd, NULL, 0, &id);
	test_give(self->fd, id, kid->self, NULL, 0);
	ASSERT_EQ(0, kid_answer(kid));
	EXPECT_EQ(id, kid->job->event.e.table);
	kid_kill(kid);
	EXPECT_TRUE(pause_clean());
}

/* Records go to one client; when that is closed, to the next, and so do unread ones. */
TEST_F(events, two_files_have_two_mailboxes)
{
	int other = test_client();
	struct test_event event;

	ASSERT_LE(0, other);
	gift(_metadata, self->kid, self->me, "1");
	test_no_event(other);
	test_event_now(self->fd, &event);
	gift(_metadata, self->kid, self->me, "unread");
	close(self->fd);
	gift(_metadata, self->kid, self->me, "2");
	test_event_now(other, &event);
	EXPECT_STREQ("unread", event.data);
	EXPECT_EQ(1, event.e.seq);
	test_event_now(other, &event);
	EXPECT_STREQ("2", event.data);
	EXPECT_EQ(2, event.e.seq);
}

TEST_F(events, poll)
{
	struct pollfd pfd = { .fd = self->fd, .events = POLLIN | POLLOUT };
	struct test_event event;
	int i;

	EXPECT_EQ(0, poll(&pfd, 1, 0));
	for (i = 0; i < 3; i++)
		gift(_metadata, self->kid, self->me, "");
	for (i = 0; i < 3; i++) {
		/* Level-triggered: readable as long as there is a record. */
		EXPECT_EQ(1, poll(&pfd, 1, 0));
		EXPECT_EQ(POLLIN, pfd.revents);
		EXPECT_EQ(1, poll(&pfd, 1, 0));
		test_event_now(self->fd, &event);
	}
	EXPECT_EQ(0, poll(&pfd, 1, 0));
}

static long job_poll(struct job *job)
{
	struct pollfd pfd = { .fd = job->fd, .events = POLLIN };

	job->arg = 1;
	return poll(&pfd, 1, PATIENCE_MS);
}

TEST_F(events, poll_woken)
{
	struct kid *kid = self->kid, *owner;
	__u64 id;
	int i;

	for (i = 0; i < 20; i++) {
		owner = kid_start(_metadata);
		ASSERT_EQ(0, kid_create_heir(owner, NULL, kid->self, "",
					     &id));
		kid_ask(kid, job_poll);
		if (i & 1)
			EXPECT_TRUE(test_wait_for(kid->job->arg == 1));
		kill(owner->pid, SIGKILL);
		EXPECT_EQ(1, kid_answer(kid));
		kid->job->arg = 0;
		EXPECT_EQ(0, kid_event_now(kid));
		kid_reap(owner);
	}
}

TEST_F(events, epoll_level)
{
	struct epoll_event ev = { .events = EPOLLIN };
	struct test_event event;
	int ep = epoll_create1(0);

	ASSERT_LE(0, ep);
	ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, self->fd, &ev));
	EXPECT_EQ(0, epoll_wait(ep, &ev, 1, 0));
	gift(_metadata, self->kid, self->me, "");
	EXPECT_EQ(1, epoll_wait(ep, &ev, 1, PATIENCE_MS));
	EXPECT_EQ(EPOLLIN, ev.events);
	EXPECT_EQ(1, epoll_wait(ep, &ev, 1, PATIENCE_MS));
	test_event_now(self->fd, &event);
	EXPECT_EQ(0, epoll_wait(ep, &ev, 1, 0));
}

TEST_F(events, epoll_edge)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET };
	struct test_event event;
	int ep = epoll_create1(0), i;

	ASSERT_LE(0, ep);
	gift(_metadata, self->kid, self->me, "");
	/* A record from before the EPOLL_CTL_ADD is reported. */
	ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, self->fd, &ev));
	EXPECT_EQ(1, epoll_wait(ep, &ev, 1, PATIENCE_MS));
	EXPECT_EQ(0, epoll_wait(ep, &ev, 1, 0));
	for (i = 0; i < 5; i++) {
		/* Each new record is reported, although the old ones are not read. */
		gift(_metadata, self->kid, self->me, "");
		EXPECT_EQ(1, epoll_wait(ep, &ev, 1, PATIENCE_MS));
		EXPECT_EQ(0, epoll_wait(ep, &ev, 1, 0));
	}
	for (i = 0; i < 6; i++) {
		test_event_now(self->fd, &event);
		EXPECT_EQ(i + 1, event.e.seq);
	}
}

/* Create @arg tables with the same heir; @table is the last one. */
static long job_many_heirs(struct job *job)
{
	__u64 i;
	long err;

	for (i = 0; i < job->arg; i++) {
		err = _test_create(job->fd, NULL, 0, &job->table);
		if (!err)
			err = _test_heir(job->fd, job->table, job->process,
					 NULL, 0, job->arg2);
		if (err)
			return err;
	}
	return 0;
}

/* Room for the record of an heir is set aside when it is named. */
TEST_F(events, many_heirs)
{
	struct kreg_process none = {};
	struct kid *kid = self->kid;
	struct test_event event;
	__u64 id, first;
	int i;

	ASSERT_EQ(0, kid_create_heir(kid, NULL, self->me, "", &first));
	kid->job->process = self->me;
	kid->job->arg = KREG_MAX_EVENTS - 1;
	kid->job->arg2 = 0;
	ASSERT_EQ(0, kid_do(kid, job_many_heirs));
	ASSERT_EQ(0, kid_create(kid, NULL, 0, &id));
	EXPECT_EQ(-EDQUOT, kid_heir(kid, id, self->me, ""));
	EXPECT_EQ(-EDQUOT, kid_give(kid, id, self->me, ""));
	/* Room for the new heir's record is taken before that for the old one is given back. */
	EXPECT_EQ(-EDQUOT, kid_heir(kid, first, self->me, ""));
	ASSERT_EQ(0, kid_heir(kid, first, none, ""));
	EXPECT_EQ(0, kid_heir(kid, id, self->me, ""));
	EXPECT_EQ(-EDQUOT, kid_heir(kid, first, self->me, ""));
	kid_kill(kid);
	for (i = 0; i < KREG_MAX_EVENTS; i++)
		test_event_now(self->fd, &event);
	EXPECT_EQ(KREG_MAX_EVENTS, event.e.seq);
	EXPECT_EQ(id, event.e.table);
	test_no_event(self->fd);
}

static char big[KREG_MAX_DATA];

/* Give tables away until one is refused; returns how many were not. */
static int fill_mailbox(struct __test_metadata *_metadata, int fd,
			struct kreg_process to, __u32 len, int max)
{
	int i, err = 0;
	__u64 id;

	for (i = 0; i <= max; i++) {
		test_create(fd, NULL, 0, &id);
		err = _test_give(fd, id, to, big, len);
		if (err)
			break;
	}
	EXPECT_EQ(-EDQUOT, err);
	/* It still belongs to the giver. */
	test_destroy(fd, id);
	return i;
}

TEST_F(events, too_many_gifts)
{
	struct kid *kid = self->kid;
	int i;

	EXPECT_EQ(KREG_MAX_EVENTS, fill_mailbox(_metadata, self->fd,
						kid->self, 0,
						KREG_MAX_EVENTS));
	for (i = 0; i < 10; i++)
		ASSERT_EQ(0, kid_event_now(kid));
	/* Records that were read leave room for others. */
	EXPECT_EQ(10, fill_mailbox(_metadata, self->fd, kid->self, 0, 10));
}

TEST_F(events, too_large_gifts)
{
	const int size = sizeof(struct kreg_event) + KREG_MAX_DATA;
	const int fit = KREG_MAX_EVENT_BYTES / size;
	struct kid *kid = self->kid;
	int i, n;

	n = fill_mailbox(_metadata, self->fd, kid->self, KREG_MAX_DATA, fit);
	EXPECT_GE(fit, n);
	/* The kernel may count more bytes for a record than its length. */
	EXPECT_LE(fit / 2, n);
	for (i = 0; i < 10; i++) {
		ASSERT_EQ(0, kid_event_now(kid));
		EXPECT_EQ(size, kid->job->event.e.size);
		EXPECT_EQ(i + 1, kid->job->event.e.seq);
	}
	EXPECT_EQ(10, fill_mailbox(_metadata, self->fd, kid->self,
				   KREG_MAX_DATA, 10));
}

/* A silent heir needs no room. */
TEST_F(events, silent_heirs)
{
	struct kid *kid = self->kid;
	struct kreg_info info;
	__u64 id;

	kid->job->process = self->me;
	kid->job->arg = KREG_MAX_EVENTS + 10;
	kid->job->arg2 = KREG_HEIR_SILENT;
	ASSERT_EQ(0, kid_do(kid, job_many_heirs));
	id = kid->job->table;
	gift(_metadata, kid, self->me, "");
	kid_kill(kid);
	test_info(self->fd, id, &info);
	EXPECT_TRUE(test_same(self->me, info.owner));
}

TEST_HARNESS_MAIN
