// SPDX-License-Identifier: GPL-2.0
/*
 * Wake-ups reach those who wait, and cost others little, however many sleep.
 */
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#include "kit/fixture.h"
#include "kit/job.h"
#include "kit/stall.h"
#include "kit/stream.h"

#define NS_PER_MS	1000000ULL
#define RECORDS		200
#define SLEEPERS	50
#define BY_WRITER	4		/* whom a writer wakes; others are left to a worker */

FIXTURE(wake) {
	struct test_base base;
	int fd;
	int other;			/* a second client of the same process */
	struct kreg_process me;
	struct kid *kid;
};

FIXTURE_SETUP(wake)
{
	self->fd = test_setup(_metadata, &self->base);
	self->other = test_client();
	ASSERT_LE(0, self->other);
	self->me = test_self(self->fd);
	self->kid = kid_start(_metadata);
}

FIXTURE_TEARDOWN_PARENT(wake)
{
	test_teardown(_metadata, &self->base);
}

/* Gives one table after a while. */
static long job_give_later(struct job *job)
{
	long err = _test_create(job->fd, NULL, 0, &job->table);

	test_pause_ms(200);
	return err ? err : _test_give(job->fd, job->table, job->process, NULL, 0);
}

static void *sleep_in_epoll(void *arg)
{
	struct epoll_event ev;

	for (;;)
		epoll_wait(*(int *)arg, &ev, 1, -1);
	return NULL;
}

static int epoll_alone(int fd)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLEXCLUSIVE };
	int ep = epoll_create1(EPOLL_CLOEXEC);

	return ep < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) ? -errno : ep;
}

/* Who waits for a client already, of which nothing could be told then. */
TEST_F(wake, subscribed_later)
{
	__u32 modes[] = { EPOLLIN, EPOLLIN | EPOLLET };
	struct epoll_event ev;
	__u64 id;
	int i, ep;

	test_create(self->other, NULL, KREG_ACCESS_PUBLIC, &id);
	for (i = 0; i < 2; i++) {
		int fd = test_client();

		ep = epoll_create1(EPOLL_CLOEXEC);
		ev.events = modes[i];
		ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev));
		ASSERT_EQ(0, epoll_wait(ep, &ev, 1, 0));
		test_subscribe(fd, id, ALL_KINDS);
		test_puts(self->other, id, "key", "value");
		EXPECT_EQ(1, epoll_wait(ep, &ev, 1, PATIENCE_MS));
		close(ep);
		close(fd);
	}
}

/* With EPOLLEXCLUSIVE one sleeper is woken: one that waits for this client. */
TEST_F(wake, exclusive)
{
	int others[8], i, ep;
	struct test_event event;
	struct epoll_event ev;
	pthread_t thread;

	for (i = 0; i < 8; i++) {
		others[i] = epoll_alone(self->other);
		ASSERT_LE(0, others[i]);
		ASSERT_EQ(0, pthread_create(&thread, NULL, sleep_in_epoll,
					    &others[i]));
	}
	ep = epoll_alone(self->fd);
	ASSERT_LE(0, ep);
	self->kid->job->process = self->me;
	kid_ask(self->kid, job_give_later);
	EXPECT_EQ(1, epoll_wait(ep, &ev, 1, PATIENCE_MS));
	EXPECT_EQ(0, kid_answer(self->kid));
	test_event_now(self->fd, &event);
	EXPECT_EQ(self->kid->job->table, event.e.table);
}

/* A sleeper that waits for another client of the process is not woken. */
TEST_F(wake, other_client_sleeps_on)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET };
	int ep = epoll_create1(EPOLL_CLOEXEC);
	struct test_event event;

	ASSERT_LE(0, ep);
	ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, self->other, &ev));
	EXPECT_EQ(0, epoll_wait(ep, &ev, 1, 0));
	self->kid->job->process = self->me;
	EXPECT_EQ(0, kid_do(self->kid, job_give_later));
	test_event_now(self->fd, &event);
	EXPECT_EQ(0, epoll_wait(ep, &ev, 1, 100));
	/* When the first client is closed, unread records move to the other one. */
	EXPECT_EQ(0, kid_do(self->kid, job_give_later));
	close(self->fd);
	EXPECT_EQ(1, epoll_wait(ep, &ev, 1, PATIENCE_MS));
	test_event_now(self->other, &event);
	EXPECT_EQ(self->kid->job->table, event.e.table);
}

static int woken;

static void *sleep_in_poll(void *arg)
{
	struct pollfd pfd = { .fd = *(int *)arg, .events = POLLIN };

	if (poll(&pfd, 1, -1) == 1 && pfd.revents == POLLIN)
		__atomic_add_fetch(&woken, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void *sleep_in_read(void *arg)
{
	struct kreg_event room;

	/* There is room for one record. */
	if (read(*(int *)arg, &room, sizeof(room)) > 0)
		__atomic_add_fetch(&woken, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

/* How many threads of this process sleep. */
static int sleeping_threads(void)
{
	char path[64];
	int tid, n = 0;

	for (tid = getpid() + 1; tid < getpid() + 4 * SLEEPERS; tid++) {
		snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
		n += test_task_state(path) == 'S';
	}
	return n;
}

static void start_threads(struct __test_metadata *_metadata,
			  void *(*fn)(void *), int *arg)
{
	pthread_t thread;
	int i;

	for (i = 0; i < SLEEPERS; i++)
		ASSERT_EQ(0, pthread_create(&thread, NULL, fn, arg));
	EXPECT_TRUE(test_wait_for(sleeping_threads() == SLEEPERS));
}

/* Many threads poll one client: one record wakes all of them. */
TEST_F(wake, many_pollers)
{
	start_threads(_metadata, sleep_in_poll, &self->fd);
	self->kid->job->process = self->me;
	ASSERT_EQ(0, kid_do(self->kid, job_give_later));
	EXPECT_TRUE(test_wait_for(__atomic_load_n(&woken, __ATOMIC_SEQ_CST) ==
				  SLEEPERS));
}

/* Many threads read one client: a death with a record for each wakes all of them. */
TEST_F(wake, many_readers)
{
	__u64 id;
	int i;

	start_threads(_metadata, sleep_in_read, &self->fd);
	for (i = 0; i < SLEEPERS; i++)
		ASSERT_EQ(0, kid_create_heir(self->kid, NULL, self->me, "", &id));
	kid_kill(self->kid);
	EXPECT_TRUE(test_wait_for(__atomic_load_n(&woken, __ATOMIC_SEQ_CST) ==
				  SLEEPERS));
	test_no_event(self->fd);
}

/* A thread whose poll(2) has the same file as often as RLIMIT_NOFILE allows. */
static struct {
	struct pollfd *entries;
	int count;
	pthread_t thread;
} crowd;

static void *sleep_in_crowd(void *arg)
{
	poll(crowd.entries, crowd.count, -1);
	return NULL;
}

static void start_crowd(struct __test_metadata *_metadata, int fd)
{
	struct rlimit limit = { 1 << 19, 1 << 19 };
	int i;

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	crowd.count = test_size(limit.rlim_cur);
	crowd.entries = calloc(crowd.count, sizeof(*crowd.entries));
	ASSERT_NE(NULL, crowd.entries);
	for (i = 0; i < crowd.count; i++)
		crowd.entries[i] = (struct pollfd) { fd, POLLPRI, 0 };
	ASSERT_EQ(0, pthread_create(&crowd.thread, NULL, sleep_in_crowd, NULL));
	EXPECT_TRUE(test_wait_for(sleeping_threads() == 1));
}

/* Unread records for this process: gifts of the kid. */
static void fill(struct __test_metadata *_metadata, struct kid *kid,
		 struct kreg_process to)
{
	__u64 id;
	int i;

	for (i = 0; i < RECORDS; i++) {
		ASSERT_EQ(0, kid_create(kid, NULL, 0, &id));
		ASSERT_EQ(0, kid_give(kid, id, to, ""));
	}
}

/* Twenty times as long, or as a time that even a busy machine does not exceed. */
static __u64 bearable(__u64 alone)
{
	const __u64 least = test_scale(20) * NS_PER_MS;

	return 20 * (alone > least ? alone : least);
}

static __u64 timed_close(int fd)
{
	__u64 start = test_now_ns();

	close(fd);
	return test_now_ns() - start;
}

/*
 * The records of a closed client move to the next, in whose wait queue many entries are.
 * Compared with the same without them. If each record walked the queue, it would take a
 * thousand times as long.
 */
TEST_F(wake, crowd_at_close)
{
	int second = test_client();
	struct test_event event;
	__u64 alone, crowded;
	int i;

	ASSERT_LE(0, second);
	fill(_metadata, self->kid, self->me);
	alone = timed_close(self->fd);
	for (i = 0; i < RECORDS; i++)
		test_event_now(self->other, &event);
	fill(_metadata, self->kid, self->me);
	start_crowd(_metadata, second);
	crowded = timed_close(self->other);
	TH_LOG("close() with %d records: %llu us, and with a crowd of %d %llu us",
	       RECORDS, alone / 1000, crowd.count, crowded / 1000);
	EXPECT_GE(bearable(alone), crowded);
	for (i = 0; i < RECORDS; i++)
		test_event_now(second, &event);
}

/* The time until the death of an owner of RECORDS tables, to be inherited, is handled. */
static __u64 timed_death(struct __test_metadata *_metadata, struct kreg_process heir,
			 int fd)
{
	struct kid *kid = kid_start(_metadata);
	__u64 id, start;
	int i;

	for (i = 0; i < RECORDS; i++)
		ASSERT_EQ(0, kid_create_heir(kid, NULL, heir, "", &id));
	start = test_now_ns();
	kid_kill(kid);
	test_sync(fd);
	return test_now_ns() - start;
}

TEST_F(wake, crowd_at_death)
{
	__u64 alone, crowded;

	alone = timed_death(_metadata, self->me, self->other);
	start_crowd(_metadata, self->fd);
	crowded = timed_death(_metadata, self->me, self->other);
	TH_LOG("death with %d tables: %llu us, and with a crowd of %d %llu us",
	       RECORDS, alone / 1000, crowd.count, crowded / 1000);
	EXPECT_GE(bearable(alone), crowded);
}

/* The number of function-call interrupts (CAL) of a processor so far. */
static long long calls_to(int cpu)
{
	FILE *f = fopen("/proc/interrupts", "r");
	long long n = -1;
	char line[1024], *p;
	int i;

	while (f && fgets(line, sizeof(line), f)) {
		p = strstr(line, "CAL:");
		for (i = 0; p && i <= cpu; i++)
			n = strtoll(i ? p : p + 4, &p, 10);
	}
	if (f)
		fclose(f);
	return n;
}

static long job_spin_for_ever(struct job *job)
{
	while (!job->arg)
		;
	return 0;
}

#define NARROWINGS	100

/* How often @cpu is interrupted while the mode is changed to @narrow and back, in turns. */
static long long interrupts(struct __test_metadata *_metadata, int fd, __u64 id, int cpu,
			    __u32 narrow)
{
	long long before = calls_to(cpu);
	int i;

	ASSERT_LE(0, before);
	for (i = 0; i < NARROWINGS; i++) {
		test_mode(fd, id, narrow);
		test_mode(fd, id, 0666);
	}
	return calls_to(cpu) - before;
}

/*
 * Taking the right to read away waits for readers, but does not interrupt the processor
 * that the kid keeps busy, as an expedited grace period does. Other things do, such as
 * wake-ups of the writer's thread, so changes that take nothing away are counted as well.
 */
TEST_F(wake, narrowing_interrupts_nobody)
{
	const int cpu = sysconf(_SC_NPROCESSORS_ONLN) - 1;
	long long narrow, other, least = NARROWINGS;
	__u64 id;
	int i;

	set_cpu(_metadata, 0, 0);
	set_cpu(_metadata, self->kid->pid, cpu);
	test_create(self->fd, NULL, KREG_ACCESS_PROTECTED, &id);
	self->kid->job->arg = 0;
	kid_ask(self->kid, job_spin_for_ever);
	for (i = 0; i < 3; i++) {
		other = interrupts(_metadata, self->fd, id, cpu, 0664);
		narrow = interrupts(_metadata, self->fd, id, cpu, 0);
		TH_LOG("%d changes: %lld interrupts, and %lld if they narrow", NARROWINGS,
		       other, narrow);
		if (least > narrow - other)
			least = narrow - other;
	}
	/* With expedited grace periods there is an interrupt for each. */
	EXPECT_GT(NARROWINGS * 9 / 10, least);
	kid_kill(self->kid);
}

/* Each sleeps for something else than there is, and is told of it by an edge. */
static int sleep_for_kinds(int ep, __u64 id, int *readers)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET };
	int i, err = 0;

	for (i = 0; i < SLEEPERS && !err; i++) {
		readers[i] = test_client_flags(O_NONBLOCK);
		err = _test_subscribe(readers[i], id, i < BY_WRITER ? KIND(CREATE) : KIND(DELETE));
		if (!err && epoll_ctl(ep, EPOLL_CTL_ADD, readers[i], &ev))
			err = -errno;
	}
	return err;
}

static void read_all(struct __test_metadata *_metadata, const int *readers)
{
	static char room[4096];
	int i;

	for (i = 0; i < SLEEPERS; i++) {
		while (read(readers[i], room, sizeof(room)) > 0)
			;
		EXPECT_EQ(EAGAIN, errno);
	}
}

/*
 * Those who were left to the worker because of one event have asked for another one, which
 * comes before the worker has looked at them.
 */
TEST_F(wake, kind_behind_another)
{
	unsigned int rounds = test_size(100), n;
	int ep = epoll_create1(EPOLL_CLOEXEC), readers[SLEEPERS], got, seen;
	struct epoll_event evs[SLEEPERS];
	__u64 id;

	ASSERT_LE(0, ep);
	test_create(self->fd, NULL, 0, &id);
	ASSERT_EQ(0, sleep_for_kinds(ep, id, readers));
	for (n = 0; n < rounds; n++) {
		read_all(_metadata, readers);
		ASSERT_EQ(0, epoll_wait(ep, evs, SLEEPERS, 0));
		test_puts(self->fd, id, "k", "v");
		test_delete(self->fd, id, "k");
		for (seen = 0; seen < SLEEPERS; seen += got) {
			got = epoll_wait(ep, evs, SLEEPERS, PATIENCE_MS);
			ASSERT_LT(0, got);
		}
	}
}

TEST_HARNESS_MAIN
