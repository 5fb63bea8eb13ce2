// SPDX-License-Identifier: GPL-2.0
/*
 * Tables without an owner: parking, claiming, waiting for one.
 */
#include "kit/fixture.h"
#include "kit/job.h"

#define ALICE		1000
#define BOB		1001
#define NS_PER_MS	1000000ULL

FIXTURE(park) {
	struct test_base base;
	int fd;
	struct kreg_process me;
};

FIXTURE_SETUP(park)
{
	self->fd = test_setup(_metadata, &self->base);
	self->me = test_self(self->fd);
}

FIXTURE_TEARDOWN_PARENT(park)
{
	test_teardown(_metadata, &self->base);
}

/* A parked table named "p", with the key "k", whose owner has died. */
static __u64 leave(struct __test_metadata *_metadata, uid_t uid, __u64 ms)
{
	struct kid *kid = kid_start_as(_metadata, uid);
	__u64 id;

	ASSERT_EQ(0, kid_create(kid, "p", KREG_ACCESS_PROTECTED, &id));
	ASSERT_EQ(0, kid_puts(kid, id, "k", "v"));
	ASSERT_EQ(0, kid_orphan(kid, id, KREG_ORPHAN_PARK, ms));
	kid_kill(kid);
	return id;
}

TEST_F(park, destroyed_by_default)
{
	struct kid *kid = kid_start(_metadata);
	struct kreg_info info;
	__u64 a, b;

	ASSERT_EQ(0, kid_create(kid, "a", 0, &a));
	ASSERT_EQ(0, kid_create(kid, "b", 0, &b));
	ASSERT_EQ(0, kid_orphan(kid, b, KREG_ORPHAN_PARK, 0));
	ASSERT_EQ(0, kid_orphan(kid, b, KREG_ORPHAN_DESTROY, 0));
	kid_kill(kid);
	test_err_info(ESTALE, self->fd, a, &info);
	test_err_info(ESTALE, self->fd, b, &info);
	test_err_open(ENOENT, self->fd, "b", KREG_OPEN_CLAIM, &b);
}

TEST_F(park, parked_and_claimed)
{
	struct kreg_ioc_open cmd = test_open_cmd("p", KREG_OPEN_CLAIM);
	__u64 id = leave(_metadata, 0, 0), found;
	struct kreg_info info;

	test_info(self->fd, id, &info);
	EXPECT_EQ(KREG_INFO_PARKED, info.flags);
	EXPECT_EQ(KREG_ORPHAN_PARK, info.orphan);
	EXPECT_EQ(0, info.orphan_ms);
	EXPECT_EQ(0, info.parked_until_ns);
	EXPECT_TRUE(test_none(info.owner));
	EXPECT_EQ(1, test_listed(self->fd, id));
	/* By the access rule everyone may read it, and nobody may write. */
	test_gets(self->fd, id, "k", "v");
	test_err_puts(EACCES, self->fd, id, "k", "w");
	test_open(self->fd, "p", 0, &found);
	EXPECT_EQ(id, found);

	test_open_(self->fd, &cmd);
	EXPECT_EQ(id, cmd.out_table);
	EXPECT_EQ(test_type(), cmd.out_type);
	EXPECT_EQ(KREG_OPENED_CLAIMED, cmd.out_how);
	test_info(self->fd, id, &info);
	EXPECT_EQ(0, info.flags);
	EXPECT_TRUE(test_same(self->me, info.owner));
	test_puts(self->fd, id, "k", "w");
	/* A claim is reported by no record. */
	test_no_event(self->fd);
	test_err_open(EALREADY, self->fd, "p", KREG_OPEN_CLAIM, &found);
	test_destroy(self->fd, id);
}

TEST_F(park, set_at_creation)
{
	struct kid *kid = kid_start(_metadata);
	struct kreg_info info;
	__u64 before, id;

	kid_open_prepare(kid, "p", KREG_OPEN_CREATE);
	kid->job->open.orphan = KREG_ORPHAN_PARK;
	kid->job->open.orphan_ms = 1000000;
	ASSERT_EQ(0, kid_do(kid, job_open));
	id = kid->job->table;
	test_info(self->fd, id, &info);
	EXPECT_EQ(KREG_ORPHAN_PARK, info.orphan);
	EXPECT_EQ(1000000, info.orphan_ms);
	EXPECT_EQ(0, info.parked_until_ns);
	before = test_now_ns();
	kid_kill(kid);
	test_info(self->fd, id, &info);
	EXPECT_EQ(KREG_INFO_PARKED, info.flags);
	EXPECT_LE(before + 1000000 * NS_PER_MS, info.parked_until_ns);
	EXPECT_GE(test_now_ns() + 1000000 * NS_PER_MS, info.parked_until_ns);
	test_destroy(self->fd, id);
}

/* The table is destroyed when its time is over, although no call asks for it. */
TEST_F(park, time_runs_out)
{
	long long tables = test_param("tables");
	__u64 id = leave(_metadata, 0, 200);
	struct kreg_info info;
	__u64 until;

	test_info(self->fd, id, &info);
	until = info.parked_until_ns;
	EXPECT_TRUE(test_wait_for(test_param("tables") == tables));
	EXPECT_LE(until, test_now_ns());
	test_err_info(ESTALE, self->fd, id, &info);
	test_err_open(ENOENT, self->fd, "p", KREG_OPEN_CLAIM, &id);
}

/* A table that is claimed in time is not destroyed. */
TEST_F(park, claimed_in_time)
{
	__u64 id = leave(_metadata, 0, 300), found;
	struct kreg_info info;

	test_info(self->fd, id, &info);
	test_open(self->fd, "p", KREG_OPEN_CLAIM, &found);
	while (test_now_ns() < info.parked_until_ns + 100 * NS_PER_MS)
		test_pause_ms(50);
	test_gets(self->fd, id, "k", "v");
	test_info(self->fd, id, &info);
	EXPECT_EQ(0, info.parked_until_ns);
	test_destroy(self->fd, id);
}

TEST_F(park, who_may_claim)
{
	struct kid *alice = kid_start_as(_metadata, ALICE);
	struct kid *bob = kid_start_as(_metadata, BOB);
	__u64 id = leave(_metadata, ALICE, 0), found;

	EXPECT_EQ(-EPERM, kid_open(bob, "p", KREG_OPEN_CLAIM, &found));
	EXPECT_EQ(-EACCES, kid_destroy(bob, id));
	EXPECT_EQ(0, kid_open(bob, "p", 0, &found));
	EXPECT_EQ(0, kid_open(alice, "p", KREG_OPEN_CLAIM, &found));
	EXPECT_EQ(id, found);
	EXPECT_EQ(-EPERM, kid_open(bob, "p", KREG_OPEN_CLAIM, &found));
	test_err_open(EBUSY, self->fd, "p", KREG_OPEN_CLAIM, &found);
	ASSERT_EQ(0, kid_park(alice, id));
	/* The test may, by CAP_SYS_ADMIN. */
	test_open(self->fd, "p", KREG_OPEN_CLAIM, &found);
	test_park(self->fd, id);
	/* Who may claim may destroy, while it is parked. */
	EXPECT_EQ(0, kid_destroy(alice, id));
}

TEST_F(park, claimable)
{
	struct kid *alice = kid_start_as(_metadata, ALICE);
	struct kid *bob = kid_start_as(_metadata, BOB);
	struct kreg_info info;
	__u64 id, found;

	kid_open_prepare(alice, "c", KREG_OPEN_CREATE | KREG_OPEN_CLAIMABLE);
	alice->job->open.orphan = KREG_ORPHAN_PARK;
	alice->job->open.mode = 0604;
	ASSERT_EQ(0, kid_do(alice, job_open));
	id = alice->job->table;
	ASSERT_EQ(0, kid_park(alice, id));
	test_info(self->fd, id, &info);
	EXPECT_EQ(KREG_INFO_PARKED | KREG_INFO_CLAIMABLE, info.flags);
	/* The right to read is not enough. */
	EXPECT_EQ(-EPERM, kid_open(bob, "c", KREG_OPEN_CLAIM, &found));
	ASSERT_EQ(0, kid_open(alice, "c", KREG_OPEN_CLAIM, &found));
	ASSERT_EQ(0, kid_setopt(alice, id, KREG_OPT_MODE, 0606, 0));
	ASSERT_EQ(0, kid_park(alice, id));
	EXPECT_EQ(0, kid_open(bob, "c", KREG_OPEN_CLAIM, &found));
	/* Its uid stays alice's, whoever owns it. */
	ASSERT_EQ(0, kid_info(bob, id));
	EXPECT_EQ(ALICE, bob->job->info.uid);
	EXPECT_EQ(bob->pid, bob->job->info.owner.pid);
	EXPECT_EQ(0, kid_destroy(bob, id));
}

TEST_F(park, busy)
{
	struct kid *kid = kid_start(_metadata);
	__u64 id, found;

	ASSERT_EQ(0, kid_create(kid, "p", 0, &id));
	test_err_open(EBUSY, self->fd, "p", KREG_OPEN_CLAIM, &found);
	test_err_open(EBUSY, self->fd, "p", KREG_OPEN_CLAIM |
		      KREG_OPEN_CREATE, &found);
	EXPECT_EQ(-EALREADY, kid_open(kid, "p", KREG_OPEN_CLAIM, &found));
	test_err_open(ENOENT, self->fd, "q", KREG_OPEN_CLAIM, &found);
	/* A process that is dead but not reaped owns nothing. */
	kill(kid->pid, SIGKILL);
	ASSERT_TRUE(kid_dead(kid));
	test_err_open(ENOENT, self->fd, "p", KREG_OPEN_CLAIM, &found);
	kid_reap(kid);
}

TEST_F(park, claim_or_create)
{
	struct kreg_ioc_open cmd = test_open_cmd("p", KREG_OPEN_CLAIM |
						 KREG_OPEN_CREATE);
	__u64 id;

	test_open_(self->fd, &cmd);
	EXPECT_EQ(KREG_OPENED_CREATED, cmd.out_how);
	test_destroy(self->fd, cmd.out_table);
	id = leave(_metadata, 0, 0);
	test_open_(self->fd, &cmd);
	EXPECT_EQ(id, cmd.out_table);
	EXPECT_EQ(KREG_OPENED_CLAIMED, cmd.out_how);
	test_gets(self->fd, id, "k", "v");
	test_destroy(self->fd, id);
}

/* Two claim at once: one gets it. */
TEST_F(park, one_of_many)
{
	struct kid *kids[6];
	int i, round, got;
	__u64 id;

	for (i = 0; i < 6; i++)
		kids[i] = kid_start(_metadata);
	for (round = 0; round < 20; round++) {
		id = leave(_metadata, 0, 0);
		for (i = 0; i < 6; i++) {
			kid_open_prepare(kids[i], "p", KREG_OPEN_CLAIM);
			kid_ask(kids[i], job_open);
		}
		for (i = 0, got = 0; i < 6; i++) {
			long err = kid_answer(kids[i]);

			got += !err;
			EXPECT_TRUE(!err || err == -EBUSY);
		}
		EXPECT_EQ(1, got);
		test_destroy(self->fd, id);
	}
}

TEST_F(park, by_hand)
{
	struct kreg_ioc_give cmd = {
		.size = sizeof(cmd),
		.flags = KREG_GIVE_PARK,
		.to = self->me,
	};
	struct kid *kid = kid_start(_metadata);
	struct kreg_info info;
	__u64 id, found;

	test_create(self->fd, "hand", KREG_ACCESS_PRIVATE, &id);
	cmd.table = id;
	EXPECT_EQ(-EINVAL, test_ioctl(self->fd, KREG_IOC_GIVE, &cmd));
	memset(&cmd.to, 0, sizeof(cmd.to));
	cmd.data = test_ptr("d");
	cmd.data_len = 1;
	EXPECT_EQ(-EINVAL, test_ioctl(self->fd, KREG_IOC_GIVE, &cmd));
	test_puts(self->fd, id, "k", "v");
	EXPECT_EQ(-EACCES, kid_park(kid, id));

	test_park(self->fd, id);
	test_info(self->fd, id, &info);
	EXPECT_EQ(KREG_INFO_PARKED, info.flags);
	EXPECT_EQ(1, info.transfers);
	test_err_member(EACCES, self->fd, id, "k");
	test_err_park(EACCES, self->fd, id);
	ASSERT_EQ(0, kid_open(kid, "hand", KREG_OPEN_CLAIM, &found));
	EXPECT_EQ(0, kid_gets(kid, id, "k"));
	EXPECT_EQ(0, kid_destroy(kid, id));
}

/* The table stays parked when the process that parked it dies. */
TEST_F(park, parker_dies)
{
	struct kid *kid = kid_start(_metadata);
	struct kreg_info info;
	__u64 id;

	ASSERT_EQ(0, kid_create(kid, "p", 0, &id));
	ASSERT_EQ(0, kid_park(kid, id));
	kid_kill(kid);
	test_info(self->fd, id, &info);
	EXPECT_EQ(KREG_INFO_PARKED, info.flags);
	test_destroy(self->fd, id);
}

/* At most a day without CAP_SYS_RESOURCE. */
TEST_F(park, a_day)
{
	struct kid *alice = kid_start_as(_metadata, ALICE);
	struct kreg_info info;
	__u64 id, now;

	ASSERT_EQ(0, kid_create(alice, "p", 0, &id));
	EXPECT_EQ(-EPERM, kid_orphan(alice, id, KREG_ORPHAN_PARK,
				     KREG_MAX_PARK_MS + 1));
	EXPECT_EQ(0, kid_orphan(alice, id, KREG_ORPHAN_PARK,
				KREG_MAX_PARK_MS));
	EXPECT_EQ(0, kid_orphan(alice, id, KREG_ORPHAN_PARK, 0));
	EXPECT_EQ(-EINVAL, kid_orphan(alice, id, KREG_ORPHAN_DESTROY, 1));
	EXPECT_EQ(-EOPNOTSUPP, kid_orphan(alice, id, KREG_ORPHAN_PARK_ON_CRASH + 1, 0));
	now = test_now_ns();
	kid_kill(alice);
	test_info(self->fd, id, &info);
	EXPECT_LE(now + KREG_MAX_PARK_MS * NS_PER_MS, info.parked_until_ns);
	EXPECT_GE(test_now_ns() + KREG_MAX_PARK_MS * NS_PER_MS,
		  info.parked_until_ns);
	test_destroy(self->fd, id);

	test_create(self->fd, "p", 0, &id);
	test_orphan(self->fd, id, KREG_ORPHAN_PARK, 30 * KREG_MAX_PARK_MS);
	test_destroy(self->fd, id);
}

TEST_F(park, a_day_at_creation)
{
	struct kid *alice = kid_start_as(_metadata, ALICE);
	struct kreg_info info;

	kid_open_prepare(alice, "p", KREG_OPEN_CREATE);
	alice->job->open.orphan = KREG_ORPHAN_PARK;
	alice->job->open.orphan_ms = KREG_MAX_PARK_MS + 1;
	EXPECT_EQ(-EPERM, kid_do(alice, job_open));
	test_err_info_name(ENOENT, self->fd, "p", &info);
	alice->job->open.orphan_ms = KREG_MAX_PARK_MS;
	EXPECT_EQ(0, kid_do(alice, job_open));
}

TEST_HARNESS_MAIN
