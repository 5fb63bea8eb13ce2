// SPDX-License-Identifier: GPL-2.0
/*
 * Roles: tables that follow another, and what becomes of them.
 */
#include "kit/fixture.h"
#include "kit/job.h"
#include "kit/stream.h"

#define FOLLOWS		KREG_INFO_FOLLOWS
#define PARKED		KREG_INFO_PARKED

FIXTURE(role) {
	struct test_base base;
	int fd;
	struct kreg_process me;
	struct kid *kid;
	__u64 role;		/* the kid's, to be parked, and what follows it: */
	__u64 kept;		/* to be parked */
	__u64 lost;		/* to be destroyed */
};

static long follow(struct kid *kid, __u64 table, __u64 role)
{
	return kid_setopt(kid, table, KREG_OPT_ROLE, role, 0);
}

FIXTURE_SETUP(role)
{
	self->fd = test_setup(_metadata, &self->base);
	self->me = test_self(self->fd);
	self->kid = kid_start(_metadata);
	ASSERT_EQ(0, kid_create(self->kid, "role", 0, &self->role));
	ASSERT_EQ(0, kid_orphan(self->kid, self->role, KREG_ORPHAN_PARK, 0));
	ASSERT_EQ(0, kid_create(self->kid, "kept", 0, &self->kept));
	ASSERT_EQ(0, kid_orphan(self->kid, self->kept, KREG_ORPHAN_PARK, 1000000));
	ASSERT_EQ(0, kid_create(self->kid, "lost", 0, &self->lost));
	ASSERT_EQ(0, follow(self->kid, self->kept, self->role));
	ASSERT_EQ(0, follow(self->kid, self->lost, self->role));
}

FIXTURE_TEARDOWN_PARENT(role)
{
	test_teardown(_metadata, &self->base);
}

static void expect_owner(struct __test_metadata *_metadata, int fd, __u64 table,
			 struct kreg_process owner, __u32 flags)
{
	struct kreg_info info;

	test_info(fd, table, &info);
	EXPECT_EQ(owner.pid, info.owner.pid);
	EXPECT_EQ(owner.cookie, info.owner.cookie);
	EXPECT_EQ(flags, info.flags);
}

#define test_owner(...)	expect_owner(_metadata, __VA_ARGS__)

/* One record, of the role, tells of all of them. */
TEST_F(role, given)
{
	struct test_event event;
	struct kreg_info info;

	test_info(self->fd, self->kept, &info);
	EXPECT_EQ(self->role, info.role);
	EXPECT_EQ(0, info.transfers);
	ASSERT_EQ(0, kid_give(self->kid, self->role, self->me, ""));
	test_owner(self->fd, self->role, self->me, 0);
	test_owner(self->fd, self->kept, self->me, FOLLOWS);
	test_owner(self->fd, self->lost, self->me, FOLLOWS);
	test_info(self->fd, self->kept, &info);
	EXPECT_EQ(1, info.transfers);
	test_event_now(self->fd, &event);
	test_transfer(&event, self->role, self->kid->self, KREG_CAUSE_GIFT);
	test_no_event(self->fd);
	test_puts(self->fd, self->lost, "k", "v");
	EXPECT_EQ(-EACCES, kid_puts(self->kid, self->lost, "k", "w"));
	/* And back again. */
	test_give(self->fd, self->role, self->kid->self, NULL, 0);
	ASSERT_EQ(0, kid_puts(self->kid, self->lost, "k", "w"));
	test_err_puts(EACCES, self->fd, self->lost, "k", "v");
}

TEST_F(role, inherited)
{
	struct test_event event;

	ASSERT_EQ(0, kid_heir(self->kid, self->role, self->me, ""));
	ASSERT_EQ(0, kid_puts(self->kid, self->lost, "k", "v"));
	kid_kill(self->kid);
	/* The follower is looked at first. */
	test_owner(self->fd, self->lost, self->me, FOLLOWS);
	test_owner(self->fd, self->kept, self->me, FOLLOWS);
	test_owner(self->fd, self->role, self->me, 0);
	test_gets(self->fd, self->lost, "k", "v");
	test_event_now(self->fd, &event);
	EXPECT_EQ(self->role, event.e.table);
	test_no_event(self->fd);
}

/* Followers are parked and claimed with their role, whatever they say themselves. */
TEST_F(role, parked_and_claimed)
{
	struct kreg_info info;
	__u64 found;

	ASSERT_EQ(0, kid_orphan(self->kid, self->role, KREG_ORPHAN_PARK, 500000));
	kid_kill(self->kid);
	test_owner(self->fd, self->lost, (struct kreg_process) {}, PARKED | FOLLOWS);
	test_owner(self->fd, self->kept, (struct kreg_process) {}, PARKED | FOLLOWS);
	test_info(self->fd, self->role, &info);
	found = info.parked_until_ns;
	EXPECT_NE(0, found);
	test_info(self->fd, self->kept, &info);
	EXPECT_EQ(found, info.parked_until_ns);
	test_err_open(EBUSY, self->fd, "lost", KREG_OPEN_CLAIM, &found);
	test_err_open(EBUSY, self->fd, "lost", KREG_OPEN_CLAIM | KREG_OPEN_WAIT, &found);
	test_open(self->fd, "role", KREG_OPEN_CLAIM, &found);
	test_owner(self->fd, self->lost, self->me, FOLLOWS);
	test_owner(self->fd, self->kept, self->me, FOLLOWS);
	test_puts(self->fd, self->kept, "k", "v");
	/* By hand as well. */
	test_park(self->fd, self->role);
	test_owner(self->fd, self->lost, (struct kreg_process) {}, PARKED | FOLLOWS);
	/* Who might claim one that is parked may destroy it. */
	test_destroy(self->fd, self->lost);
	test_err_info(ESTALE, self->fd, self->lost, &info);
	test_info(self->fd, self->role, &info);
	EXPECT_EQ(PARKED, info.flags);
}

TEST_F(role, claimed_by_who_waits)
{
	struct kid *waiter = kid_start(_metadata);

	kid_open_prepare(waiter, "role", KREG_OPEN_CLAIM | KREG_OPEN_WAIT);
	kid_ask(waiter, job_open);
	EXPECT_TRUE(test_wait_for(!kid_info(self->kid, self->role) &&
				  self->kid->job->info.waiters == 1));
	kid_kill(self->kid);
	ASSERT_EQ(0, kid_answer(waiter));
	test_owner(self->fd, self->lost, waiter->self, FOLLOWS);
	EXPECT_EQ(0, kid_puts(waiter, self->kept, "k", "v"));
	kid_kill(waiter);
}

TEST_F(role, destroyed_by_its_owner)
{
	struct kreg_info info;

	ASSERT_EQ(0, kid_destroy(self->kid, self->role));
	test_owner(self->fd, self->kept, self->kid->self, 0);
	test_owner(self->fd, self->lost, self->kid->self, 0);
	test_info(self->fd, self->kept, &info);
	EXPECT_EQ(0, info.role);
	/* On their own they can be given, and go their own ways. */
	ASSERT_EQ(0, kid_give(self->kid, self->kept, self->me, ""));
	test_give(self->fd, self->kept, self->kid->self, NULL, 0);
	kid_kill(self->kid);
	test_owner(self->fd, self->kept, (struct kreg_process) {}, PARKED);
	test_err_info(ESTALE, self->fd, self->lost, &info);
}

TEST_F(role, destroyed_with_its_owner)
{
	struct kreg_info info;

	ASSERT_EQ(0, kid_orphan(self->kid, self->role, KREG_ORPHAN_DESTROY, 0));
	kid_kill(self->kid);
	test_err_info(ESTALE, self->fd, self->role, &info);
	test_err_info(ESTALE, self->fd, self->lost, &info);
	test_owner(self->fd, self->kept, (struct kreg_process) {}, PARKED);
	test_info(self->fd, self->kept, &info);
	EXPECT_LE(test_now_ns() + 900000ULL * 1000000, info.parked_until_ns);
}

/* As if they were parked at that moment, for as long as they say themselves. */
TEST_F(role, destroyed_while_parked)
{
	struct kreg_info info;

	kid_kill(self->kid);
	test_destroy(self->fd, self->role);
	test_owner(self->fd, self->kept, (struct kreg_process) {}, PARKED);
	test_info(self->fd, self->kept, &info);
	EXPECT_LE(test_now_ns() + 900000ULL * 1000000, info.parked_until_ns);
	EXPECT_TRUE(test_wait_for(_test_info(self->fd, self->lost, &info) == -ESTALE));
}

TEST_F(role, left)
{
	ASSERT_EQ(0, follow(self->kid, self->kept, 0));
	ASSERT_EQ(0, follow(self->kid, self->lost, 0));
	/* Nothing to leave. */
	ASSERT_EQ(0, follow(self->kid, self->lost, 0));
	test_owner(self->fd, self->kept, self->kid->self, 0);
	ASSERT_EQ(0, kid_give(self->kid, self->role, self->me, ""));
	test_owner(self->fd, self->kept, self->kid->self, 0);
	ASSERT_EQ(0, kid_heir(self->kid, self->lost, self->me, ""));
	kid_kill(self->kid);
	test_owner(self->fd, self->lost, self->me, 0);
	test_owner(self->fd, self->kept, (struct kreg_process) {}, PARKED);
}

TEST_F(role, another_role)
{
	struct kreg_info info;
	__u64 other;

	ASSERT_EQ(0, kid_create(self->kid, "other", 0, &other));
	ASSERT_EQ(0, follow(self->kid, self->lost, other));
	ASSERT_EQ(0, follow(self->kid, self->lost, other));
	test_info(self->fd, self->lost, &info);
	EXPECT_EQ(other, info.role);
	ASSERT_EQ(0, kid_give(self->kid, other, self->me, ""));
	test_owner(self->fd, self->lost, self->me, FOLLOWS);
	test_owner(self->fd, self->kept, self->kid->self, FOLLOWS);
	/* The former role has nothing to do with it any more. */
	ASSERT_EQ(0, kid_destroy(self->kid, self->role));
	test_owner(self->fd, self->lost, self->me, FOLLOWS);
}

TEST_F(role, refused)
{
	struct kid *kid = self->kid;
	__u64 free, mine, id = self->lost;

	ASSERT_EQ(0, kid_create(kid, "free", 0, &free));
	test_create(self->fd, "mine", 0, &mine);
	EXPECT_EQ(-EBUSY, kid_give(kid, id, self->me, ""));
	EXPECT_EQ(-EBUSY, kid_park(kid, id));
	EXPECT_EQ(-EBUSY, kid_heir(kid, id, self->me, ""));
	EXPECT_EQ(-EBUSY, kid_heir(kid, id, (struct kreg_process) {}, ""));
	EXPECT_EQ(-EBUSY, kid_orphan(kid, id, KREG_ORPHAN_PARK, 0));
	EXPECT_EQ(-EBUSY, kid_setopt(kid, id, KREG_OPT_LIMIT, 1, 1));
	EXPECT_EQ(-EALREADY, kid_open(kid, "lost", KREG_OPEN_CLAIM, &free));
	ASSERT_EQ(0, kid_open(kid, "free", 0, &free));
	/* Nothing is set for it from without. */
	EXPECT_EQ(0, kid_setopt(kid, id, KREG_OPT_MODE, 0644, 0));

	EXPECT_EQ(-EINVAL, follow(kid, self->role, self->role));
	EXPECT_EQ(-EINVAL, follow(kid, free, self->lost));
	EXPECT_EQ(-EINVAL, follow(kid, self->role, free));
	EXPECT_EQ(-EINVAL, kid_setopt(kid, free, KREG_OPT_ROLE, self->role, 1));
	EXPECT_EQ(-EINVAL, follow(kid, free, ~0ULL));
	EXPECT_EQ(-EACCES, follow(kid, free, mine));
	EXPECT_EQ(-EACCES, follow(kid, mine, self->role));
	test_access(self->fd, mine, KREG_ACCESS_PUBLIC);
	EXPECT_EQ(-EPERM, follow(kid, free, mine));
	EXPECT_EQ(-EPERM, follow(kid, mine, self->role));
	test_destroy(self->fd, mine);
	EXPECT_EQ(-ESTALE, follow(kid, free, mine));
	ASSERT_EQ(0, kid_heir(kid, free, self->me, ""));
	EXPECT_EQ(-EBUSY, follow(kid, free, self->role));
	ASSERT_EQ(0, kid_heir(kid, free, (struct kreg_process) {}, ""));
	EXPECT_EQ(0, follow(kid, free, self->role));
}

/* Who waits for a table is told when it is not to be had by itself any more. */
TEST_F(role, line_is_sent_away)
{
	struct kid *waiter = kid_start(_metadata);
	__u64 free;

	ASSERT_EQ(0, kid_create(self->kid, "free", 0, &free));
	kid_open_prepare(waiter, "free", KREG_OPEN_CLAIM | KREG_OPEN_WAIT);
	kid_ask(waiter, job_open);
	EXPECT_TRUE(test_wait_for(!kid_info(self->kid, free) &&
				  self->kid->job->info.waiters == 1));
	ASSERT_EQ(0, follow(self->kid, free, self->role));
	EXPECT_EQ(-EBUSY, kid_answer(waiter));
	kid_kill(waiter);
}

static long job_which_limit(struct job *job)
{
	struct kreg_ioc_setopt cmd = {
		.size = sizeof(cmd),
		.table = job->table,
		.option = job->flags,
		.value = job->arg,
		.value2 = job->arg2,
	};
	int err = test_ioctl(job->fd, KREG_IOC_SETOPT, &cmd);

	return err == -EDQUOT ? (long)cmd.out_limit : err;
}

/* Which limit that option reaches, of the table that was asked for last. */
static long which_limit(struct kid *kid, __u32 option, __u64 value, __u64 value2)
{
	kid->job->flags = option;
	kid->job->arg = value;
	kid->job->arg2 = value2;
	return kid_do(kid, job_which_limit);
}

/* What may be parked is charged as if it were. */
TEST_F(role, charged_as_parked)
{
	struct kid *alice = kid_start_as(_metadata, 1000);
	long long limit = test_param("max_user_parked");
	__u64 role, id;

	ASSERT_EQ(0, kid_create(alice, "a", 0, &role));
	ASSERT_EQ(0, kid_create(alice, "b", 0, &id));
	ASSERT_EQ(0, test_set_param("max_user_parked", 0));
	alice->job->table = id;
	EXPECT_EQ(KREG_LIMIT_PARKED, which_limit(alice, KREG_OPT_ROLE, role, 0));
	EXPECT_EQ(KREG_LIMIT_PARKED, which_limit(alice, KREG_OPT_LIMIT, 1, 1));
	EXPECT_EQ(0, which_limit(alice, KREG_OPT_LIMIT, 0, 0));
	ASSERT_EQ(0, test_set_param("max_user_parked", 1));
	/* What one has is given back by each in its own way. */
	EXPECT_EQ(0, follow(alice, id, role));
	EXPECT_EQ(-EDQUOT, kid_orphan(alice, role, KREG_ORPHAN_PARK, 0));
	EXPECT_EQ(0, follow(alice, id, 0));
	EXPECT_EQ(0, kid_orphan(alice, role, KREG_ORPHAN_PARK_ON_CRASH, 0));
	EXPECT_EQ(-EDQUOT, follow(alice, id, role));
	EXPECT_EQ(0, kid_orphan(alice, role, KREG_ORPHAN_DESTROY, 0));
	EXPECT_EQ(0, kid_setopt(alice, id, KREG_OPT_LIMIT, 1, 1));
	EXPECT_EQ(-EDQUOT, kid_setopt(alice, role, KREG_OPT_LIMIT, 1, 1));
	EXPECT_EQ(0, kid_setopt(alice, id, KREG_OPT_LIMIT, 0, 0));
	EXPECT_EQ(0, follow(alice, id, role));
	EXPECT_EQ(0, kid_destroy(alice, role));
	EXPECT_EQ(0, kid_orphan(alice, id, KREG_ORPHAN_PARK, 0));
	ASSERT_EQ(0, test_set_param("max_user_parked", limit));
	kid_kill(alice);
	test_destroy(self->fd, id);
}

/* At most so many follow one; all move, and those of a process with many roles as well. */
TEST_F(role, many)
{
	__u64 roles[3], first[3] = {}, id;
	int i, j;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, kid_create(self->kid, NULL, 0, &roles[i]));
		ASSERT_EQ(0, kid_heir(self->kid, roles[i], self->me, ""));
		for (j = 0; j < KREG_MAX_FOLLOWERS; j++) {
			ASSERT_EQ(0, kid_create(self->kid, NULL, 0, &id));
			ASSERT_EQ(0, follow(self->kid, id, roles[i]));
			first[i] = first[i] ? first[i] : id;
		}
	}
	ASSERT_EQ(0, kid_create(self->kid, NULL, 0, &id));
	EXPECT_EQ(-EDQUOT, follow(self->kid, id, roles[0]));
	EXPECT_EQ(KREG_LIMIT_FOLLOWERS, which_limit(self->kid, KREG_OPT_ROLE, roles[0], 0));
	/* One that is there already is no more. */
	EXPECT_EQ(0, follow(self->kid, first[0], roles[0]));
	ASSERT_EQ(0, follow(self->kid, first[0], 0));
	EXPECT_EQ(0, follow(self->kid, id, roles[0]));
	kid_kill(self->kid);
	test_owner(self->fd, id, self->me, FOLLOWS);
	for (i = 1; i < 3; i++)
		for (j = 0; j < KREG_MAX_FOLLOWERS; j++)
			test_owner(self->fd, first[i], self->me, FOLLOWS);
	test_destroy(self->fd, roles[1]);
	test_owner(self->fd, first[1], self->me, 0);
	test_owner(self->fd, first[2], self->me, FOLLOWS);
}

/* What follows is told to who subscribes to it. */
TEST_F(role, owner_events)
{
	struct test_reader *r = test_reader(self->fd);
	const struct kreg_event *e;
	__u64 found;

	ASSERT_NE(NULL, r);
	test_subscribe(self->fd, self->lost, KIND(OWNER));
	kid_exit(self->kid, 3);
	e = test_expect(r, KREG_EVENT_OWNER, "");
	EXPECT_EQ(KREG_CAUSE_DEATH, e->cause);
	EXPECT_EQ(3 << 8, e->status);
	EXPECT_TRUE(test_none(e->process));
	test_open(self->fd, "role", KREG_OPEN_CLAIM, &found);
	e = test_expect(r, KREG_EVENT_OWNER, "");
	EXPECT_EQ(KREG_CAUSE_CLAIM, e->cause);
	EXPECT_EQ(getpid(), e->process.pid);
	test_nothing(r);
	free(r);
}

/* A death comes while others write to the role and to what follows it. */
TEST_F(role, busy)
{
	struct kreg_op ops[64];
	int round, i;

	ASSERT_EQ(0, kid_setopt(self->kid, self->role, KREG_OPT_ACCESS, KREG_ACCESS_PUBLIC, 0));
	ASSERT_EQ(0, kid_setopt(self->kid, self->lost, KREG_OPT_ACCESS, KREG_ACCESS_PUBLIC, 0));
	ASSERT_EQ(0, kid_heir(self->kid, self->role, self->me, ""));
	for (i = 0; i < 64; i++)
		ops[i] = test_op_value(KREG_OP_PUT, &ops[i].key, 8, "v", 1);
	for (round = 0; round < 20; round++) {
		test_batch(self->fd, self->role, KREG_WRITE_ASYNC, ops, 64, NULL);
		test_batch(self->fd, self->lost, KREG_WRITE_ASYNC, ops, 64, NULL);
	}
	kid_kill(self->kid);
	test_owner(self->fd, self->lost, self->me, FOLLOWS);
	test_owner(self->fd, self->role, self->me, 0);
	test_sync(self->fd);
	EXPECT_EQ(64, test_objects(self->fd, self->lost));
	EXPECT_EQ(64, test_objects(self->fd, self->role));
}

TEST_HARNESS_MAIN
