// SPDX-License-Identifier: GPL-2.0
/*
 * EPERM tells why, in every command that can say so.
 */
#include "kit/fixture.h"
#include "kit/job.h"
#include "access/userns.h"

#define ALICE	1000
#define BOB	1001
#define MOST_MS	1000

FIXTURE(which_denial) {
	struct test_base base;
	int fd;
	struct kid *alice;
	struct kid *bob;
	__u64 table;		/* Alice's, which all may write to */
	long long park_ms;
};

FIXTURE_SETUP(which_denial)
{
	self->fd = test_setup(_metadata, &self->base);
	self->park_ms = test_param("max_park_ms");
	self->alice = kid_start_as(_metadata, ALICE);
	self->bob = kid_start_as(_metadata, BOB);
	ASSERT_EQ(0, test_set_param("max_park_ms", MOST_MS));
	ASSERT_EQ(0, kid_create(self->alice, "hers", KREG_ACCESS_PUBLIC, &self->table));
	self->alice->job->table = self->table;
	self->bob->job->table = self->table;
}

FIXTURE_TEARDOWN_PARENT(which_denial)
{
	EXPECT_EQ(0, test_set_param("max_park_ms", self->park_ms));
	test_teardown(_metadata, &self->base);
}

/* A job's result: what a call with EPERM told, or what else came of it. */
static long why(int err, __u32 told)
{
	return err == -EPERM ? (long)told : err ? err : -EEXIST;
}

static long job_open_hers(struct job *job)
{
	struct kreg_ioc_open cmd = test_open_cmd("hers", job->flags);
	int err;

	cmd.out_limit = ~0U;
	err = _test_open_cmd(job->fd, &cmd);
	return why(err, cmd.out_limit);
}

/* A new table without a name, which is parked for job->arg. */
static long job_open_told(struct job *job)
{
	struct kreg_ioc_open cmd = test_open_cmd(NULL, job->flags);
	int err;

	if (job->flags & KREG_OPEN_HEIR)
		cmd.heir = job->process;
	if (job->arg) {
		cmd.orphan = KREG_ORPHAN_PARK;
		cmd.orphan_ms = job->arg;
	}
	cmd.out_limit = ~0U;
	err = _test_open_cmd(job->fd, &cmd);
	return why(err, cmd.out_limit);
}

/* Option job->arg with the value job->arg2. */
static long job_set_told(struct job *job)
{
	struct kreg_ioc_setopt cmd = {
		.size = sizeof(cmd),
		.table = job->table,
		.option = job->arg,
		.value = job->arg2,
		.out_limit = ~0U,
	};
	int err;

	if (job->arg == KREG_OPT_HEIR)
		cmd.process = job->process;
	if (job->arg == KREG_OPT_LIMIT || (job->arg == KREG_OPT_ORPHAN && job->arg2))
		cmd.value2 = MOST_MS + 1;
	err = test_ioctl(job->fd, KREG_IOC_SETOPT, &cmd);
	return why(err, cmd.out_limit);
}

static long job_give_told(struct job *job)
{
	struct kreg_ioc_give cmd = {
		.size = sizeof(cmd),
		.flags = job->flags,
		.table = job->table,
		.out_limit = ~0U,
	};
	int err;

	if (!job->flags)
		cmd.to = job->process;
	err = test_ioctl(job->fd, KREG_IOC_GIVE, &cmd);
	return why(err, cmd.out_limit);
}

static long set_told(struct kid *kid, __u32 option, __u64 value)
{
	kid->job->arg = option;
	kid->job->arg2 = value;
	return kid_do(kid, job_set_told);
}

static long open_told(struct kid *kid, __u32 flags, __u64 park_ms)
{
	kid->job->flags = flags;
	kid->job->arg = park_ms;
	return kid_do(kid, job_open_told);
}

static long give_told(struct kid *kid, __u32 flags)
{
	kid->job->flags = flags;
	return kid_do(kid, job_give_told);
}

TEST_F(which_denial, not_the_owner)
{
	struct kid *bob = self->bob;

	bob->job->process = bob->self;
	EXPECT_EQ(KREG_DENIED_OWNER, set_told(bob, KREG_OPT_MODE, 0600));
	EXPECT_EQ(KREG_DENIED_OWNER, set_told(bob, KREG_OPT_HEIR, 0));
	EXPECT_EQ(KREG_DENIED_OWNER, set_told(bob, KREG_OPT_ROLE, 0));
	EXPECT_EQ(KREG_DENIED_OWNER, set_told(bob, KREG_OPT_LIMIT, 1));
	EXPECT_EQ(KREG_DENIED_OWNER, give_told(bob, 0));
	EXPECT_EQ(KREG_DENIED_OWNER, give_told(bob, KREG_GIVE_PARK));
	bob->job->flags = KREG_OPEN_CLAIM;
	EXPECT_EQ(KREG_DENIED_OWNER, kid_do(bob, job_open_hers));
}

TEST_F(which_denial, parked_for_too_long)
{
	struct kid *alice = self->alice;

	EXPECT_EQ(KREG_DENIED_PARK, open_told(alice, KREG_OPEN_CREATE, MOST_MS + 1));
	EXPECT_EQ(KREG_DENIED_PARK, set_told(alice, KREG_OPT_ORPHAN, KREG_ORPHAN_PARK));
}

/* What parks a table without a time is as long as the user may, if he may at all. */
TEST_F(which_denial, never_parked)
{
	struct kid *alice = self->alice;
	__u64 role;

	ASSERT_EQ(0, kid_create(alice, NULL, 0, &role));
	alice->job->table = self->table;
	ASSERT_EQ(0, test_set_param("max_park_ms", 0));
	EXPECT_EQ(KREG_DENIED_PARK, give_told(alice, KREG_GIVE_PARK));
	EXPECT_EQ(KREG_DENIED_PARK, set_told(alice, KREG_OPT_ROLE, role));
	EXPECT_EQ(KREG_DENIED_PARK, set_told(alice, KREG_OPT_LIMIT, 1));
}

static void expect_no_receiver(struct __test_metadata *_metadata, struct kid *kid,
			       struct kreg_process to, long denial)
{
	kid->job->process = to;
	EXPECT_EQ(denial, give_told(kid, 0));
	EXPECT_EQ(denial, set_told(kid, KREG_OPT_HEIR, 0));
	EXPECT_EQ(denial, open_told(kid, KREG_OPEN_CREATE | KREG_OPEN_HEIR, 0));
}

TEST_F(which_denial, does_not_accept)
{
	expect_no_receiver(_metadata, self->alice, self->bob->self, KREG_DENIED_ACCEPT);
}

/* Of the same user, and also if it accepts tables of others. */
TEST_F(which_denial, other_namespaces)
{
	struct kid *away = start_alone(_metadata, ALICE);
	struct kreg_process process;

	ASSERT_EQ(0, _test_whois(self->fd, away->pid, &process));
	expect_no_receiver(_metadata, self->alice, process, KREG_DENIED_NAMESPACE);
	ASSERT_EQ(0, kid_setopt(away, 0, KREG_OPT_ACCEPT, 1, 0));
	expect_no_receiver(_metadata, self->alice, process, KREG_DENIED_NAMESPACE);
}

TEST_F(which_denial, another_users)
{
	static const __u32 flags[] = {
		0, KREG_OPEN_CREATE, KREG_OPEN_CLAIM, KREG_OPEN_CREATE | KREG_OPEN_CLAIM,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		self->bob->job->flags = flags[i] | KREG_OPEN_OWN_USER;
		EXPECT_EQ(KREG_DENIED_USER, kid_do(self->bob, job_open_hers));
	}
}

/* The table is hers, and the role another process'. */
TEST_F(which_denial, role_of_another)
{
	struct kid *other = kid_start_as(_metadata, ALICE);
	__u64 role;

	ASSERT_EQ(0, kid_create(other, NULL, KREG_ACCESS_PUBLIC, &role));
	EXPECT_EQ(KREG_DENIED_ROLE, set_told(self->alice, KREG_OPT_ROLE, role));
}

TEST_HARNESS_MAIN
