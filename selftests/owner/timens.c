// SPDX-License-Identifier: GPL-2.0
/*
 * Processes whose CLOCK_MONOTONIC is another than the kernel's.
 */
#include "kit/fixture.h"
#include "kit/job.h"

#define NS_PER_MS	1000000ULL
#define NS_PER_S	1000000000ULL
#define DAYS		(3 * 86400)

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME	0x80
#endif

FIXTURE(timens) {
	struct test_base base;
	int fd;
	struct kreg_process me;
	__u64 table;
};

FIXTURE_SETUP(timens)
{
	self->fd = test_setup(_metadata, &self->base);
	self->me = test_self(self->fd);
	test_create(self->fd, "t", 0, &self->table);
}

FIXTURE_TEARDOWN_PARENT(timens)
{
	test_teardown(_metadata, &self->base);
}

/* Children that are forked after this have a clock that is @seconds ahead. */
static int move_clock(long long seconds)
{
	char text[48];

	if (unshare(CLONE_NEWTIME))
		return -errno;
	snprintf(text, sizeof(text), "monotonic %lld 0\n", seconds);
	return test_write_file("/proc/self/timens_offsets", text);
}

/*
 * Ahead by days, or behind by as much as the machine has been up. A kernel without time
 * namespaces has one clock, for which the same must hold.
 */
static void move_clock_or_not(struct __test_metadata *_metadata,
			      long long seconds)
{
	if (access("/proc/self/ns/time", F_OK))
		TH_LOG("this kernel has no time namespaces: one clock");
	else
		ASSERT_EQ(0, move_clock(seconds));
}

static long long all_uptime(void)
{
	return -(long long)(test_now_ns() / NS_PER_S);
}

/* Wait with a deadline of 100 ms by the kid's clock; @arg: how long that took. */
static long job_wait_a_little(struct job *job)
{
	__u64 start = test_now_ns();
	long ret;

	job->open.deadline_ns = start + 100 * NS_PER_MS;
	ret = job_open(job);
	job->arg = test_now_ns() - start;
	return ret;
}

static void wait_a_little(struct __test_metadata *_metadata, struct kid *kid)
{
	kid_open_prepare(kid, "t", KREG_OPEN_CLAIM | KREG_OPEN_WAIT);
	EXPECT_EQ(-ETIMEDOUT, kid_do(kid, job_wait_a_little));
	EXPECT_LE(100 * NS_PER_MS, kid->job->arg);
	EXPECT_GE(100 * NS_PER_MS + PATIENCE_MS * NS_PER_MS / 2,
		  kid->job->arg);
}

TEST_F(timens, wait_days_ahead)
{
	move_clock_or_not(_metadata, DAYS);
	wait_a_little(_metadata, kid_start(_metadata));
}

TEST_F(timens, wait_behind)
{
	move_clock_or_not(_metadata, all_uptime());
	wait_a_little(_metadata, kid_start(_metadata));
}

/* A deadline before the start of the kernel's clock has passed; one after its end never does. */
static void ends_of_time(struct __test_metadata *_metadata, int fd, __u64 table,
			 long long seconds)
{
	struct kid *kid;

	move_clock_or_not(_metadata, seconds);
	kid = kid_start(_metadata);
	kid_open_prepare(kid, "t", KREG_OPEN_CLAIM | KREG_OPEN_WAIT);
	kid->job->open.deadline_ns = 1;
	EXPECT_EQ(-ETIMEDOUT, kid_do(kid, job_open));
	kid->job->open.deadline_ns = ~0ULL;
	kid_ask(kid, job_open);
	EXPECT_TRUE(test_wait_for(kid_sleeps(kid, SYS_ioctl, kid->job->fd)));
	test_park(fd, table);
	EXPECT_EQ(0, kid_answer(kid));
}

TEST_F(timens, ends_of_time_ahead)
{
	ends_of_time(_metadata, self->fd, self->table, DAYS);
}

TEST_F(timens, ends_of_time_behind)
{
	ends_of_time(_metadata, self->fd, self->table, all_uptime());
}

/* Read a record; @arg, @arg2: the kid's clock before and after. */
static long job_read_dated(struct job *job)
{
	long ret;

	job->arg = test_now_ns();
	ret = test_event_read(job->fd, &job->event);
	job->arg2 = test_now_ns();
	return ret;
}

static void read_dated(struct __test_metadata *_metadata, int fd, __u64 table,
		       long long seconds)
{
	struct kid *kid;

	move_clock_or_not(_metadata, seconds);
	kid = kid_start(_metadata);
	kid_ask(kid, job_read_dated);
	EXPECT_TRUE(test_wait_for(kid_sleeps(kid, SYS_read, kid->job->fd)));
	test_give(fd, table, kid->self, NULL, 0);
	ASSERT_EQ(0, kid_answer(kid));
	EXPECT_LE(kid->job->arg, kid->job->event.e.time_ns);
	EXPECT_GE(kid->job->arg2, kid->job->event.e.time_ns);
}

TEST_F(timens, record_days_ahead)
{
	read_dated(_metadata, self->fd, self->table, DAYS);
}

TEST_F(timens, record_behind)
{
	read_dated(_metadata, self->fd, self->table, all_uptime());
}

static long job_info_dated(struct job *job)
{
	job->arg = test_now_ns();
	return job_info(job);
}

/* INFO tells the end of parking by the clock of the process that asks. */
TEST_F(timens, parked_until)
{
	const __u64 minute = 60 * NS_PER_S;
	struct kreg_info info;
	struct kid *kid;
	__u64 left;

	move_clock_or_not(_metadata, DAYS);
	kid = kid_start(_metadata);
	test_orphan(self->fd, self->table, KREG_ORPHAN_PARK, 60000);
	kid->job->table = self->table;
	ASSERT_EQ(0, kid_do(kid, job_info_dated));
	EXPECT_EQ(0, kid->job->info.parked_until_ns);
	test_park(self->fd, self->table);
	ASSERT_EQ(0, kid_do(kid, job_info_dated));
	left = kid->job->info.parked_until_ns - kid->job->arg;
	EXPECT_GE(minute, left);
	EXPECT_LT(0, left);
	test_info(self->fd, self->table, &info);
	left = info.parked_until_ns - test_now_ns();
	EXPECT_GE(minute, left);
	EXPECT_LT(0, left);
}

TEST_HARNESS_MAIN
