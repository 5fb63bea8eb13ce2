// SPDX-License-Identifier: GPL-2.0
/*
 * Who may: modes, user and group ids, capabilities, namespaces.
 */
#include <grp.h>

#include "kit/fixture.h"
#include "kit/job.h"

#define ALICE	1000
#define BOB	1001

FIXTURE(rights) {
	struct test_base base;
	int fd;
};

FIXTURE_SETUP(rights)
{
	self->fd = test_setup(_metadata, &self->base);
}

FIXTURE_TEARDOWN_PARENT(rights)
{
	test_teardown(_metadata, &self->base);
}

static long create_with_mode(struct kid *kid, const char *name, __u32 mode,
			     __u64 *id)
{
	long err;

	kid_open_prepare(kid, name, KREG_OPEN_CREATE | KREG_OPEN_EXCL);
	kid->job->open.access = KREG_ACCESS_PUBLIC;
	kid->job->open.mode = mode;
	err = kid_do(kid, job_open);
	*id = kid->job->table;
	return err;
}

/* What a kid may do with a table, as a string of r, w and i (info). */
static const char *may(struct kid *kid, __u64 id)
{
	static char text[8];
	char *p = text;
	long err;

	err = kid_op(kid, id, KREG_OP_MEMBER, "absent");
	*p++ = err == -ENODATA ? 'r' : err == -EACCES ? '-' : '?';
	err = kid_puts(kid, id, "k", "v");
	*p++ = !err ? 'w' : err == -EACCES ? '-' : '?';
	err = kid_info(kid, id);
	*p++ = !err ? 'i' : err == -EACCES ? '-' : '?';
	err = kid_listed(kid, id);
	*p++ = err == 1 ? 'l' : !err ? '-' : '?';
	*p = 0;
	return text;
}

static long job_groups(struct job *job)
{
	gid_t gid = job->arg;

	if (setgroups(1, &gid))
		return -errno;
	if (setresuid(job->arg2, job->arg2, job->arg2))
		return -errno;
	return job_client(job);
}

/* A kid with another uid that has the table's group as a supplementary group. */
static struct kid *start_in_group(struct __test_metadata *_metadata, uid_t uid,
				  gid_t gid)
{
	struct kid *kid = kid_start_bare(_metadata);

	kid->job->arg = gid;
	kid->job->arg2 = uid;
	ASSERT_EQ(0, kid_do(kid, job_groups));
	return kid;
}

TEST_F(rights, modes)
{
	struct kid *owner = kid_start_as(_metadata, ALICE);
	struct kid *user = kid_start_as(_metadata, ALICE);
	struct kid *group = start_in_group(_metadata, BOB, ALICE);
	struct kid *other = kid_start_as(_metadata, BOB);
	static const struct {
		__u32 mode;
		const char *user, *group, *other;
	} rows[] = {
		{ 0000, "----", "----", "----" },
		{ 0400, "r-il", "----", "----" },
		{ 0200, "-w--", "----", "----" },
		{ 0600, "rwil", "----", "----" },
		{ 0040, "----", "r-il", "----" },
		{ 0020, "----", "-w--", "----" },
		{ 0004, "----", "----", "r-il" },
		{ 0002, "----", "----", "-w--" },
		{ 0660, "rwil", "rwil", "----" },
		{ 0606, "rwil", "----", "rwil" },
		{ 0644, "rwil", "r-il", "r-il" },
		{ 0666, "rwil", "rwil", "rwil" },
	};
	unsigned int i;
	__u64 id;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		ASSERT_EQ(0, create_with_mode(owner, "t", rows[i].mode, &id));
		/* The owner may do everything, whatever the mode is. */
		EXPECT_STREQ("rwil", may(owner, id));
		EXPECT_STREQ(rows[i].user, may(user, id));
		EXPECT_STREQ(rows[i].group, may(group, id));
		EXPECT_STREQ(rows[i].other, may(other, id));
		ASSERT_EQ(0, kid_destroy(owner, id));
	}
}

TEST_F(rights, open_by_mode)
{
	struct kid *owner = kid_start_as(_metadata, ALICE);
	struct kid *other = kid_start_as(_metadata, BOB);
	__u64 id, found;

	ASSERT_EQ(0, create_with_mode(owner, "t", 0600, &id));
	EXPECT_EQ(-EACCES, kid_open(other, "t", 0, &found));
	EXPECT_EQ(-EACCES, kid_open(other, "t", KREG_OPEN_CREATE, &found));
	/* EXCL tells that the table exists even to who may not open it. */
	EXPECT_EQ(-EEXIST, kid_open(other, "t", KREG_OPEN_CREATE |
				    KREG_OPEN_EXCL, &found));
	ASSERT_EQ(0, kid_setopt(owner, id, KREG_OPT_MODE, 0602, 0));
	EXPECT_EQ(0, kid_open(other, "t", 0, &found));
	EXPECT_EQ(id, found);
	ASSERT_EQ(0, kid_setopt(owner, id, KREG_OPT_MODE, 0604, 0));
	EXPECT_EQ(0, kid_open(other, "t", 0, &found));
	EXPECT_EQ(0, kid_open(owner, "t", 0, &found));
}

TEST_F(rights, mode_changes_at_once)
{
	struct kid *other = kid_start_as(_metadata, BOB);
	__u64 id;

	test_create(self->fd, "t", KREG_ACCESS_PUBLIC, &id);
	EXPECT_STREQ("rwil", may(other, id));
	test_mode(self->fd, id, 0660);
	EXPECT_STREQ("----", may(other, id));
	test_mode(self->fd, id, 0604);
	EXPECT_STREQ("r-il", may(other, id));
	test_err_mode(EINVAL, self->fd, id, 0670);
	test_err_mode(EINVAL, self->fd, id, ~0U);
	EXPECT_STREQ("r-il", may(other, id));
	test_destroy(self->fd, id);
}

TEST_F(rights, capabilities)
{
	struct kid *owner = kid_start_as(_metadata, ALICE);
	struct kid *other = kid_start_as(_metadata, BOB);
	__u64 id, found;

	/* CAP_DAC_OVERRIDE overrides the mode ... */
	ASSERT_EQ(0, create_with_mode(owner, "t", 0600, &id));
	test_open(self->fd, "t", 0, &found);
	test_puts(self->fd, id, "k", "v");
	test_gets(self->fd, id, "k", "v");
	/* ... but neither private nor protected. */
	ASSERT_EQ(0, kid_setopt(owner, id, KREG_OPT_ACCESS,
				KREG_ACCESS_PROTECTED, 0));
	test_err_puts(EACCES, self->fd, id, "k", "w");
	test_gets(self->fd, id, "k", "v");
	ASSERT_EQ(0, kid_setopt(owner, id, KREG_OPT_ACCESS,
				KREG_ACCESS_PRIVATE, 0));
	test_err_member(EACCES, self->fd, id, "k");
	EXPECT_EQ(1, test_listed(self->fd, id));
	/* CAP_SYS_ADMIN lets destroy a table, but neither give it away nor change it. */
	test_err_mode(EACCES, self->fd, id, 0666);
	test_err_park(EACCES, self->fd, id);
	EXPECT_EQ(-EACCES, kid_destroy(other, id));
	EXPECT_EQ(0, kid_setopt(owner, id, KREG_OPT_ACCESS,
				KREG_ACCESS_PUBLIC, 0));
	test_err_mode(EPERM, self->fd, id, 0666);
	test_err_park(EPERM, self->fd, id);
	EXPECT_EQ(0, kid_setopt(owner, id, KREG_OPT_MODE, 0666, 0));
	EXPECT_EQ(-EPERM, kid_destroy(other, id));
	test_destroy(self->fd, id);
	EXPECT_EQ(-ESTALE, kid_destroy(owner, id));
}

static long job_drop(struct job *job)
{
	if (setresgid(job->arg, job->arg, job->arg) ||
	    setresuid(job->arg, job->arg, job->arg))
		return -errno;
	return 0;
}

/* The rights are those with which the device was opened, as for any file. */
TEST_F(rights, opener_credentials)
{
	struct kid *kid = kid_start(_metadata);
	struct kid *bob = kid_start_as(_metadata, BOB);
	__u64 id, theirs;

	ASSERT_EQ(0, create_with_mode(bob, "theirs", 0600, &theirs));
	kid->job->arg = ALICE;
	ASSERT_EQ(0, kid_do(kid, job_drop));
	ASSERT_EQ(0, create_with_mode(kid, "t", 0600, &id));
	ASSERT_EQ(0, kid_info(kid, id));
	EXPECT_EQ(0, kid->job->info.uid);
	EXPECT_EQ(0, kid->job->info.gid);
	EXPECT_STREQ("rwil", may(kid, theirs));
}

/* A table keeps its uid, gid and mode when it changes hands. */
TEST_F(rights, ids_do_not_move)
{
	struct kid *alice = kid_start_as(_metadata, ALICE);
	struct kid *bob = kid_start_as(_metadata, BOB);
	struct kreg_info info;
	__u64 id;

	ASSERT_EQ(0, create_with_mode(alice, "t", 0600, &id));
	ASSERT_EQ(0, kid_setopt(bob, 0, KREG_OPT_ACCEPT, 1, 0));
	ASSERT_EQ(0, kid_give(alice, id, bob->self, ""));
	test_info(self->fd, id, &info);
	EXPECT_EQ(ALICE, info.uid);
	EXPECT_EQ(ALICE, info.gid);
	EXPECT_EQ(0600, info.mode);
	EXPECT_EQ(bob->pid, info.owner.pid);
	EXPECT_STREQ("rwil", may(bob, id));
	EXPECT_STREQ("rwil", may(alice, id));
}

static void expect_apart(struct __test_metadata *_metadata, int fd,
			 int flags)
{
	struct kid *kid = kid_start_how(_metadata,
					&(struct kid_how) { .flags = flags });
	struct kreg_info info;
	__u64 mine, theirs;
	long err;

	test_create(fd, "same", KREG_ACCESS_PUBLIC, &mine);
	test_puts(fd, mine, "k", "mine");
	/* There the name is free, the list is empty, and the id is unknown. */
	EXPECT_EQ(0, kid_listed(kid, mine));
	EXPECT_EQ(-ENOENT, kid_open(kid, "same", 0, &theirs));
	err = kid_info(kid, mine);
	EXPECT_TRUE(err == -EINVAL || err == -ESTALE);
	EXPECT_EQ(0, kid_create(kid, "same", KREG_ACCESS_PUBLIC, &theirs));
	EXPECT_EQ(0, kid_puts(kid, theirs, "k", "theirs"));
	test_gets(fd, mine, "k", "mine");
	test_info_name(fd, "same", &info);
	EXPECT_EQ(mine, info.id);
	EXPECT_EQ(getpid(), info.owner.pid);
	test_destroy(fd, mine);
	EXPECT_EQ(0, kid_gets(kid, theirs, "k"));
	EXPECT_STREQ("theirs", kid->job->value);
	kid_kill(kid);
}

TEST_F(rights, pid_namespace)
{
	expect_apart(_metadata, self->fd, CLONE_NEWPID);
}

TEST_F(rights, user_namespace)
{
	expect_apart(_metadata, self->fd, CLONE_NEWUSER);
}

TEST_F(rights, both_namespaces)
{
	expect_apart(_metadata, self->fd, CLONE_NEWUSER | CLONE_NEWPID);
}

/* Pids are those of the namespace; users that have no id there are told as 65534. */
TEST_F(rights, numbers_of_the_namespace)
{
	struct kid *kid = kid_start_how(_metadata, &(struct kid_how) {
		.flags = CLONE_NEWUSER | CLONE_NEWPID });
	__u64 id;

	EXPECT_EQ(1, kid->self.pid);
	ASSERT_EQ(0, kid_create(kid, "t", 0, &id));
	ASSERT_EQ(0, kid_info(kid, id));
	EXPECT_EQ(1, kid->job->info.owner.pid);
	EXPECT_EQ(65534, kid->job->info.uid);
	EXPECT_EQ(65534, kid->job->info.gid);
	kid_kill(kid);
}

/* A kid that waits for "t", as the n-th. */
static struct kid *start_waiter(struct __test_metadata *_metadata, int fd, __u64 id, uid_t uid,
				__u32 n)
{
	struct kid *kid = kid_start_as(_metadata, uid);
	struct kreg_info info;

	kid_open_prepare(kid, "t", KREG_OPEN_CLAIM | KREG_OPEN_WAIT);
	kid_ask(kid, job_open);
	EXPECT_TRUE(test_wait_for(!_test_info(fd, id, &info) && info.waiters == n));
	return kid;
}

/* A table that may be claimed by whoever may write to it. */
static __u64 create_claimable(struct __test_metadata *_metadata, struct kid *kid)
{
	kid_open_prepare(kid, "t", KREG_OPEN_CREATE | KREG_OPEN_CLAIMABLE);
	kid->job->open.access = KREG_ACCESS_PUBLIC;
	kid->job->open.mode = 0666;
	kid->job->open.orphan = KREG_ORPHAN_PARK;
	EXPECT_EQ(0, kid_do(kid, job_open));
	return kid->job->table;
}

/* A waiter that may not claim any more when its turn comes gets EPERM; the next is served. */
TEST_F(rights, lost_while_waiting)
{
	struct kid *owner = kid_start_as(_metadata, ALICE), *stranger[2], *alice, *bob;
	__u64 id = create_claimable(_metadata, owner);
	struct kreg_info info;

	stranger[0] = start_waiter(_metadata, self->fd, id, BOB, 1);
	stranger[1] = start_waiter(_metadata, self->fd, id, BOB, 2);
	alice = start_waiter(_metadata, self->fd, id, ALICE, 3);
	bob = start_waiter(_metadata, self->fd, id, BOB, 4);
	ASSERT_EQ(0, kid_setopt(owner, id, KREG_OPT_MODE, 0600, 0));
	ASSERT_EQ(0, kid_setopt(owner, id, KREG_OPT_ACCESS, KREG_ACCESS_PRIVATE, 0));
	ASSERT_EQ(0, kid_puts(owner, id, "k", "secret"));
	kid_kill(owner);
	ASSERT_EQ(0, kid_answer(alice));
	EXPECT_EQ(-EPERM, kid_answer(stranger[0]));
	EXPECT_EQ(-EPERM, kid_answer(stranger[1]));
	EXPECT_EQ(-EACCES, kid_gets(stranger[0], id, "k"));
	EXPECT_EQ(0, kid_gets(alice, id, "k"));
	test_info(self->fd, id, &info);
	EXPECT_TRUE(test_same(alice->self, info.owner));
	EXPECT_EQ(1, info.waiters);
	/* If no waiter may claim it, the table stays parked. */
	ASSERT_EQ(0, kid_park(alice, id));
	EXPECT_EQ(-EPERM, kid_answer(bob));
	test_info(self->fd, id, &info);
	EXPECT_EQ(KREG_INFO_PARKED | KREG_INFO_CLAIMABLE, info.flags);
	EXPECT_EQ(0, info.waiters);
}

TEST_F(rights, given_back_while_waiting)
{
	struct kid *owner = kid_start_as(_metadata, ALICE), *bob;
	__u64 id = create_claimable(_metadata, owner);

	bob = start_waiter(_metadata, self->fd, id, BOB, 1);
	ASSERT_EQ(0, kid_setopt(owner, id, KREG_OPT_MODE, 0600, 0));
	ASSERT_EQ(0, kid_setopt(owner, id, KREG_OPT_MODE, 0662, 0));
	kid_kill(owner);
	EXPECT_EQ(0, kid_answer(bob));
}

/* An heir of another user must accept tables at the moment when the owner dies. */
TEST_F(rights, consent_withdrawn)
{
	struct kid *owner = kid_start_as(_metadata, ALICE), *bob = kid_start_as(_metadata, BOB);
	struct kreg_info info;
	__u64 goes, parks, again;

	ASSERT_EQ(0, kid_setopt(bob, 0, KREG_OPT_ACCEPT, 1, 0));
	ASSERT_EQ(0, kid_create_heir(owner, "goes", bob->self, "", &goes));
	ASSERT_EQ(0, kid_create_heir(owner, "parks", bob->self, "", &parks));
	ASSERT_EQ(0, kid_orphan(owner, parks, KREG_ORPHAN_PARK, 0));
	ASSERT_EQ(0, kid_setopt(bob, 0, KREG_OPT_ACCEPT, 0, 0));
	EXPECT_EQ(-EPERM, kid_give(owner, goes, bob->self, ""));
	kid_kill(owner);
	EXPECT_EQ(0, kid_no_event(bob));
	test_err_info(ESTALE, self->fd, goes, &info);
	test_info(self->fd, parks, &info);
	EXPECT_EQ(KREG_INFO_PARKED, info.flags);
	/* It is still the heir, and inherits from the next owner if it consents again. */
	owner = kid_start_as(_metadata, ALICE);
	ASSERT_EQ(0, kid_open(owner, "parks", KREG_OPEN_CLAIM, &again));
	ASSERT_EQ(0, kid_setopt(bob, 0, KREG_OPT_ACCEPT, 1, 0));
	kid_kill(owner);
	ASSERT_EQ(0, kid_event_now(bob));
	EXPECT_EQ(parks, bob->job->event.e.table);
}

/* A keeper inherits its own user's table from another user's process without accepting. */
TEST_F(rights, keeper_of_other_users)
{
	struct kid *keeper = kid_start_as(_metadata, ALICE), *bob = kid_start_as(_metadata, BOB);
	__u64 id;

	ASSERT_EQ(0, kid_setopt(bob, 0, KREG_OPT_ACCEPT, 1, 0));
	ASSERT_EQ(0, kid_create_heir(keeper, "kept", keeper->self, "", &id));
	ASSERT_EQ(0, kid_give(keeper, id, bob->self, ""));
	EXPECT_EQ(-EACCES, kid_puts(keeper, id, "k", "v"));
	kid_kill(bob);
	ASSERT_EQ(0, kid_event_now(keeper));
	EXPECT_EQ(0, kid_puts(keeper, id, "k", "v"));
}

/* OWN_USER refuses a table that another user has made under the name. */
TEST_F(rights, own_user)
{
	struct kid *alice = kid_start_as(_metadata, ALICE), *bob = kid_start_as(_metadata, BOB);
	const __u32 own = KREG_OPEN_OWN_USER;
	struct kreg_info info;
	__u64 id, found;

	id = create_claimable(_metadata, bob);
	EXPECT_EQ(0, kid_open(alice, "t", KREG_OPEN_CREATE, &found));
	EXPECT_EQ(-EPERM, kid_open(alice, "t", own, &found));
	EXPECT_EQ(-EPERM, kid_open(alice, "t", KREG_OPEN_CREATE | own, &found));
	EXPECT_EQ(-EPERM, kid_open(alice, "t", KREG_OPEN_CLAIM | own, &found));
	EXPECT_EQ(-EPERM, kid_open(alice, "t", KREG_OPEN_CLAIM | KREG_OPEN_WAIT | own, &found));
	EXPECT_EQ(-EEXIST, kid_open(alice, "t", KREG_OPEN_CREATE | KREG_OPEN_EXCL | own, &found));
	/* It does so for root as well, for whom modes do not count. */
	test_err_open(EPERM, self->fd, "t", own, &found);
	EXPECT_EQ(0, kid_open(bob, "t", own, &found));
	EXPECT_EQ(id, found);
	ASSERT_EQ(0, kid_park(bob, id));
	EXPECT_EQ(-EPERM, kid_open(alice, "t", KREG_OPEN_CREATE | KREG_OPEN_CLAIM | own, &found));
	test_info(self->fd, id, &info);
	EXPECT_EQ(KREG_INFO_PARKED | KREG_INFO_CLAIMABLE, info.flags);
	EXPECT_EQ(0, kid_open(bob, "t", KREG_OPEN_CLAIM | own, &found));
	/* The mode is checked first. */
	ASSERT_EQ(0, kid_setopt(bob, id, KREG_OPT_MODE, 0600, 0));
	EXPECT_EQ(-EACCES, kid_open(alice, "t", own, &found));
	/* A new table is the caller's own. */
	EXPECT_EQ(0, kid_open(alice, "new", KREG_OPEN_CREATE | own, &found));
	EXPECT_EQ(0, kid_open(alice, NULL, KREG_OPEN_CREATE | own, &found));
}

TEST_HARNESS_MAIN
