// SPDX-License-Identifier: GPL-2.0
/*
 * Limits of deaths, quarantine, and what is done only after a crash.
 */
#include "kit/fixture.h"
#include "kit/job.h"
#include "kit/stream.h"

#define PARKED		KREG_INFO_PARKED
#define QUARANTINED	(KREG_INFO_PARKED | KREG_INFO_QUARANTINED)
#define LONG_MS		1000000

FIXTURE(role_limit) {
	struct test_base base;
	int fd;
	struct kreg_process me;
};

FIXTURE_SETUP(role_limit)
{
	self->fd = test_setup(_metadata, &self->base);
	self->me = test_self(self->fd);
}

FIXTURE_TEARDOWN_PARENT(role_limit)
{
	test_teardown(_metadata, &self->base);
}

static __u32 flags_of(int fd, __u64 id)
{
	struct kreg_info info;

	return _test_info(fd, id, &info) ? ~0U : info.flags;
}

/* A table "t" that is parked and may lose so many owners; its first one is alive. */
static struct kid *start_owner(struct __test_metadata *_metadata, __u64 n, __u64 ms, __u64 *id)
{
	struct kid *kid = kid_start(_metadata);

	ASSERT_EQ(0, kid_create(kid, "t", 0, id));
	ASSERT_EQ(0, kid_orphan(kid, *id, KREG_ORPHAN_PARK, 0));
	ASSERT_EQ(0, kid_setopt(kid, *id, KREG_OPT_LIMIT, n, ms));
	return kid;
}

/* Another claims it and dies. */
static void lose_owner(struct __test_metadata *_metadata, __u32 flags)
{
	struct kid *kid = kid_start(_metadata);
	__u64 found;

	ASSERT_EQ(0, kid_open(kid, "t", KREG_OPEN_CLAIM | flags, &found));
	kid_kill(kid);
}

TEST_F(role_limit, quarantined)
{
	struct kreg_info info;
	__u64 id, found;

	kid_kill(start_owner(_metadata, 2, LONG_MS, &id));
	EXPECT_EQ(PARKED, flags_of(self->fd, id));
	lose_owner(_metadata, 0);
	EXPECT_EQ(PARKED, flags_of(self->fd, id));
	lose_owner(_metadata, KREG_OPEN_QUARANTINED);
	test_info(self->fd, id, &info);
	EXPECT_EQ(QUARANTINED, info.flags);
	EXPECT_EQ(2, info.limit);
	EXPECT_EQ(LONG_MS, info.limit_ms);
	EXPECT_TRUE(test_none(info.owner));
	test_err_open(EOWNERDEAD, self->fd, "t", KREG_OPEN_CLAIM, &found);
	/* It is there all the same. */
	test_open(self->fd, "t", 0, &found);
	EXPECT_EQ(id, found);
	test_open(self->fd, "t", KREG_OPEN_CLAIM | KREG_OPEN_QUARANTINED, &found);
	EXPECT_EQ(0, flags_of(self->fd, id));
	/* By hand it is only parked, and the count has begun anew. */
	test_park(self->fd, id);
	EXPECT_EQ(PARKED, flags_of(self->fd, id));
	lose_owner(_metadata, 0);
	lose_owner(_metadata, 0);
	EXPECT_EQ(PARKED, flags_of(self->fd, id));
	lose_owner(_metadata, 0);
	EXPECT_EQ(QUARANTINED, flags_of(self->fd, id));
}

/* Deaths that are long past do not count. */
TEST_F(role_limit, within_a_time)
{
	__u64 id;
	int i;

	kid_kill(start_owner(_metadata, 1, 1, &id));
	for (i = 0; i < 3; i++) {
		test_pause_ms(5);
		lose_owner(_metadata, 0);
		EXPECT_EQ(PARKED, flags_of(self->fd, id));
	}
}

TEST_F(role_limit, heir_gets_nothing)
{
	struct test_event event;
	struct kid *kid;
	__u64 id, found;

	kid = start_owner(_metadata, 1, LONG_MS, &id);
	ASSERT_EQ(0, kid_heir(kid, id, self->me, "data"));
	kid_kill(kid);
	EXPECT_EQ(0, flags_of(self->fd, id));
	test_event_now(self->fd, &event);
	kid = kid_start(_metadata);
	test_heir(self->fd, id, self->me, "again", 5, 0);
	test_give(self->fd, id, kid->self, NULL, 0);
	kid_kill(kid);
	EXPECT_EQ(QUARANTINED, flags_of(self->fd, id));
	test_no_event(self->fd);
	/* He stays the heir of who lifts it. */
	kid = kid_start(_metadata);
	ASSERT_EQ(0, kid_open(kid, "t", KREG_OPEN_CLAIM | KREG_OPEN_QUARANTINED, &found));
	kid_kill(kid);
	test_event_now(self->fd, &event);
	test_transfer(&event, id, event.e.process, KREG_CAUSE_DEATH);
	EXPECT_STREQ("again", event.data);
}

static bool waits_for(int fd, __u64 id, __u32 n)
{
	struct kreg_info info;

	return !_test_info(fd, id, &info) && info.waiters == n;
}

/* The line stays as it is, and may grow. */
TEST_F(role_limit, line_stays)
{
	struct kid *kid, *first = kid_start(_metadata), *second = kid_start(_metadata);
	__u64 id, found;

	kid = start_owner(_metadata, 1, LONG_MS, &id);
	kid_kill(kid);
	kid = kid_start(_metadata);
	ASSERT_EQ(0, kid_open(kid, "t", KREG_OPEN_CLAIM, &found));
	kid_open_prepare(first, "t", KREG_OPEN_CLAIM | KREG_OPEN_WAIT);
	kid_ask(first, job_open);
	EXPECT_TRUE(test_wait_for(waits_for(self->fd, id, 1)));
	kid_kill(kid);
	EXPECT_EQ(QUARANTINED, flags_of(self->fd, id));
	kid_open_prepare(second, "t", KREG_OPEN_CLAIM | KREG_OPEN_WAIT);
	kid_ask(second, job_open);
	EXPECT_TRUE(test_wait_for(waits_for(self->fd, id, 2)));
	EXPECT_EQ(QUARANTINED, flags_of(self->fd, id));
	test_open(self->fd, "t", KREG_OPEN_CLAIM | KREG_OPEN_QUARANTINED, &found);
	EXPECT_TRUE(waits_for(self->fd, id, 2));
	test_park(self->fd, id);
	ASSERT_EQ(0, kid_answer(first));
	kid_kill(first);
	ASSERT_EQ(0, kid_answer(second));
	EXPECT_EQ(0, kid_puts(second, id, "k", "v"));
	kid_kill(second);
	EXPECT_EQ(QUARANTINED, flags_of(self->fd, id));
}

/* One that would be destroyed is parked, as long as its user may have one parked. */
TEST_F(role_limit, of_one_to_be_destroyed)
{
	struct kid *kid = kid_start_as(_metadata, 1000);
	struct kid *next = kid_start_as(_metadata, 1000);
	struct kreg_info info;
	__u64 id;

	ASSERT_EQ(0, kid_create(kid, "t", 0, &id));
	ASSERT_EQ(0, kid_setopt(kid, id, KREG_OPT_LIMIT, 1, LONG_MS));
	ASSERT_EQ(0, kid_heir(kid, id, next->self, ""));
	kid_kill(kid);
	/* The heir has it, before it dies in turn. */
	EXPECT_EQ(0, flags_of(self->fd, id));
	kid_kill(next);
	test_info(self->fd, id, &info);
	EXPECT_EQ(QUARANTINED, info.flags);
	EXPECT_EQ(KREG_ORPHAN_DESTROY, info.orphan);
	EXPECT_NE(0, info.parked_until_ns);
	EXPECT_LE(info.parked_until_ns, test_now_ns() + KREG_MAX_PARK_MS * 1000000);
}

TEST_F(role_limit, followers_with_it)
{
	struct kid *kid;
	__u64 role, id, found;

	kid = start_owner(_metadata, 1, LONG_MS, &role);
	ASSERT_EQ(0, kid_create(kid, "follower", 0, &id));
	ASSERT_EQ(0, kid_setopt(kid, id, KREG_OPT_ROLE, role, 0));
	kid_kill(kid);
	lose_owner(_metadata, 0);
	EXPECT_EQ(QUARANTINED, flags_of(self->fd, role));
	EXPECT_EQ(PARKED | KREG_INFO_FOLLOWS, flags_of(self->fd, id));
	test_err_open(EBUSY, self->fd, "follower", KREG_OPEN_CLAIM | KREG_OPEN_QUARANTINED,
		      &found);
	test_open(self->fd, "t", KREG_OPEN_CLAIM | KREG_OPEN_QUARANTINED, &found);
	EXPECT_EQ(KREG_INFO_FOLLOWS, flags_of(self->fd, id));
	test_puts(self->fd, id, "k", "v");
}

TEST_F(role_limit, owner_event)
{
	struct test_reader *r = test_reader(self->fd);
	const struct kreg_event *e;
	struct kreg_info info;
	struct kid *kid;
	__u64 id, found;

	ASSERT_NE(NULL, r);
	kid_kill(start_owner(_metadata, 1, LONG_MS, &id));
	kid = kid_start(_metadata);
	ASSERT_EQ(0, kid_open(kid, "t", KREG_OPEN_CLAIM, &found));
	test_subscribe(self->fd, id, KIND(OWNER));
	test_info(self->fd, id, &info);
	EXPECT_EQ(1, info.subscriptions);
	kid_exit(kid, 3);
	e = test_expect(r, KREG_EVENT_OWNER, "");
	EXPECT_EQ(KREG_CAUSE_LIMIT, e->cause);
	EXPECT_EQ(KREG_EVENT_STATUS, e->flags);
	EXPECT_EQ(3 << 8, e->status);
	test_info(self->fd, id, &info);
	EXPECT_EQ(e->seq, info.events);
	test_nothing(r);
	free(r);
}

TEST_F(role_limit, set)
{
	__u64 id, role;
	struct kreg_info info;

	test_create(self->fd, "t", 0, &id);
	test_create(self->fd, "role", 0, &role);
	test_err_setopt(EINVAL, self->fd, id, KREG_OPT_LIMIT, 1, 0);
	test_err_setopt(EINVAL, self->fd, id, KREG_OPT_LIMIT, 0, 1);
	test_err_setopt(EINVAL, self->fd, id, KREG_OPT_LIMIT, KREG_MAX_DEATHS + 1, 1);
	test_setopt(self->fd, id, KREG_OPT_LIMIT, 0, 0);
	test_setopt(self->fd, id, KREG_OPT_LIMIT, KREG_MAX_DEATHS, ~0ULL);
	test_info(self->fd, id, &info);
	EXPECT_EQ(KREG_MAX_DEATHS, info.limit);
	EXPECT_EQ(~0ULL, info.limit_ms);
	test_setopt(self->fd, id, KREG_OPT_LIMIT, 1, 2);
	test_setopt(self->fd, id, KREG_OPT_LIMIT, 0, 0);
	test_info(self->fd, id, &info);
	EXPECT_EQ(0, info.limit);
	EXPECT_EQ(0, info.limit_ms);
	test_setopt(self->fd, id, KREG_OPT_ROLE, role, 0);
	test_err_setopt(EBUSY, self->fd, id, KREG_OPT_LIMIT, 1, 2);
	test_err_open(EINVAL, self->fd, "t", KREG_OPEN_QUARANTINED, &id);
	/* Of one that is not quarantined it makes no difference. */
	test_err_open(EALREADY, self->fd, "role", KREG_OPEN_CLAIM | KREG_OPEN_QUARANTINED, &id);
}

/* Until the limit is gone, none of its deaths is one too many. */
TEST_F(role_limit, taken_back)
{
	struct kid *kid;
	__u64 id;

	kid = start_owner(_metadata, 1, LONG_MS, &id);
	ASSERT_EQ(0, kid_setopt(kid, id, KREG_OPT_LIMIT, 0, 0));
	kid_kill(kid);
	lose_owner(_metadata, 0);
	lose_owner(_metadata, 0);
	EXPECT_EQ(PARKED, flags_of(self->fd, id));
}

static long job_crash(struct job *job)
{
	return raise(job->arg);
}

/* How an owner ends. */
enum how { EXIT_0, EXIT_3, KILLED, FAULT, HOWS };

static void end_kid(struct kid *kid, enum how how)
{
	switch (how) {
	case EXIT_0:
		kid_exit(kid, 0);
		break;
	case EXIT_3:
		kid_exit(kid, 3);
		break;
	case FAULT:
		kid->job->arg = SIGSEGV;
		kid_ask(kid, job_crash);
		kid_reap(kid);
		break;
	default:
		kid_kill(kid);
	}
}

TEST_F(role_limit, heir_on_crash)
{
	struct kreg_info info;
	int how;

	for (how = EXIT_0; how < HOWS; how++) {
		struct kid *kid = kid_start(_metadata);
		bool crash = how != EXIT_0;
		__u64 id;

		ASSERT_EQ(0, kid_create(kid, "t", 0, &id));
		kid->job->table = id;
		kid->job->process = self->me;
		kid->job->arg = KREG_HEIR_ON_CRASH | (how == FAULT ? KREG_HEIR_SILENT : 0);
		kid->job->len = 0;
		ASSERT_EQ(0, kid_do(kid, job_heir));
		test_info(self->fd, id, &info);
		EXPECT_EQ(KREG_INFO_HEIR_ON_CRASH | (how == FAULT ? KREG_INFO_HEIR_SILENT : 0),
			  info.flags);
		end_kid(kid, how);
		EXPECT_EQ(crash ? 0 : -ESTALE, _test_info(self->fd, id, &info));
		if (!crash)
			continue;
		EXPECT_EQ(getpid(), info.owner.pid);
		test_destroy(self->fd, id);
	}
	test_err_heir(EOPNOTSUPP, self->fd, 1, self->me, NULL, 0, 4);
}

/* Without a crash it is parked, though there is an heir. */
TEST_F(role_limit, heir_on_crash_of_one_to_be_parked)
{
	struct kid *kid = kid_start(_metadata);
	__u64 id;

	ASSERT_EQ(0, kid_create(kid, "t", 0, &id));
	ASSERT_EQ(0, kid_orphan(kid, id, KREG_ORPHAN_PARK, 0));
	kid->job->process = self->me;
	kid->job->arg = KREG_HEIR_ON_CRASH;
	kid->job->len = 0;
	ASSERT_EQ(0, kid_do(kid, job_heir));
	kid_exit(kid, 0);
	EXPECT_EQ(PARKED | KREG_INFO_HEIR_ON_CRASH, flags_of(self->fd, id));
	test_no_event(self->fd);
	/* The next owner does crash. */
	lose_owner(_metadata, 0);
	EXPECT_EQ(KREG_INFO_HEIR_ON_CRASH, flags_of(self->fd, id));
}

TEST_F(role_limit, park_on_crash)
{
	struct kreg_info info;
	int how;

	for (how = EXIT_0; how < HOWS; how++) {
		struct kid *kid = kid_start(_metadata);
		bool crash = how != EXIT_0;
		__u64 id;

		kid_open_prepare(kid, "t", KREG_OPEN_CREATE);
		kid->job->open.orphan = KREG_ORPHAN_PARK_ON_CRASH;
		kid->job->open.orphan_ms = 500000;
		ASSERT_EQ(0, kid_do(kid, job_open));
		id = kid->job->table;
		ASSERT_EQ(0, kid_orphan(kid, id, KREG_ORPHAN_PARK_ON_CRASH, LONG_MS));
		end_kid(kid, how);
		EXPECT_EQ(crash ? 0 : -ESTALE, _test_info(self->fd, id, &info));
		if (!crash)
			continue;
		EXPECT_EQ(PARKED, info.flags);
		EXPECT_EQ(KREG_ORPHAN_PARK_ON_CRASH, info.orphan);
		EXPECT_LE(test_now_ns() + 900000ULL * 1000000, info.parked_until_ns);
		test_destroy(self->fd, id);
	}
	test_err_orphan(EOPNOTSUPP, self->fd, 1, KREG_ORPHAN_PARK_ON_CRASH + 1, 0);
}

TEST_HARNESS_MAIN
