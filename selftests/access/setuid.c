// SPDX-License-Identifier: GPL-2.0
/*
 * A process under one user and then under another: by a set-user-ID program, and by
 * setuid(2). What it got under the one is not its own under the other.
 */
#include <sys/mount.h>
#include <sys/sendfile.h>

#include "kit/fixture.h"
#include "kit/job.h"
#include "kit/program.h"

#define ALICE	1000
#define BOB	1001
#define CAROL	1002

/* The test mounts a tmpfs there, since /tmp may forbid set-user-ID programs. */
#define DIR	"/tmp"
#define PROGRAM	DIR "/program"

FIXTURE(setuid) {
	struct test_base base;
	int fd;
	struct kid *kid;		/* ALICE's, and then BOB's */
};

/* Copy this program to a set-user-ID program of BOB's. */
static void make_program(struct __test_metadata *_metadata)
{
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int to = open(PROGRAM, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	struct stat st;

	ASSERT_EQ(0, fstat(from, &st));
	while (sendfile(to, from, NULL, st.st_size) > 0)
		;
	ASSERT_EQ(st.st_size, lseek(to, 0, SEEK_CUR));
	ASSERT_EQ(0, fchown(to, BOB, BOB));
	ASSERT_EQ(0, fchmod(to, 04755));
	close(to);
	close(from);
}

FIXTURE_SETUP(setuid)
{
	self->fd = test_setup(_metadata, &self->base);
	/* In a mount namespace of its own, so that the mount ends with the test's process. */
	ASSERT_EQ(0, unshare(CLONE_NEWNS));
	ASSERT_EQ(0, mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	ASSERT_EQ(0, mount("tmpfs", DIR, "tmpfs", 0, "mode=755"));
	make_program(_metadata);
	self->kid = kid_start_as(_metadata, ALICE);
}

FIXTURE_TEARDOWN_PARENT(setuid)
{
	test_teardown(_metadata, &self->base);
}

/* The kid executes the program: what it is asked to do from then on it does as BOB. */
static void become_program(struct __test_metadata *_metadata, struct kid *kid)
{
	ASSERT_EQ(BOB, kid_execute(_metadata, kid, PROGRAM));
}

static long job_keep_client(struct job *job)
{
	fcntl(job->fd, F_SETFD, 0);
	job->fd2 = job->fd;
	return 0;
}

/* Open a second client under the user that the process runs as; the first becomes fd2. */
static long job_one_more(struct job *job)
{
	int first = job->fd;
	long err = job_client(job);

	job->fd2 = first;
	return err;
}

static long job_swap(struct job *job)
{
	int fd = job->fd;

	job->fd = job->fd2;
	job->fd2 = fd;
	return 0;
}

/* Set all three user ids. */
static long job_become(struct job *job)
{
	return setresuid(job->arg, job->arg, job->arg) ? -errno : 0;
}

static void kid_become(struct __test_metadata *_metadata, struct kid *kid, uid_t uid)
{
	kid->job->arg = uid;
	ASSERT_EQ(0, kid_do(kid, job_become));
}

/* A private table with mode 0666 and a secret in it. */
static __u64 secret(struct __test_metadata *_metadata, struct kid *kid)
{
	__u64 id;

	EXPECT_EQ(0, kid_create(kid, "state", KREG_ACCESS_PRIVATE, &id));
	EXPECT_EQ(0, kid_puts(kid, id, "password", "secret"));
	return id;
}

/* Everything that an owner may do is refused. */
static void expect_not_owner(struct __test_metadata *_metadata, struct kid *kid, __u64 id)
{
	__u64 found;

	EXPECT_EQ(-EACCES, kid_gets(kid, id, "password"));
	EXPECT_EQ(-EACCES, kid_puts(kid, id, "password", "mine"));
	EXPECT_EQ(-EACCES, kid_op(kid, id, KREG_OP_CLEAR, ""));
	EXPECT_EQ(-EACCES, kid_setopt(kid, id, KREG_OPT_ACCESS, KREG_ACCESS_PUBLIC, 0));
	EXPECT_EQ(-EACCES, kid_orphan(kid, id, KREG_ORPHAN_PARK, 0));
	EXPECT_EQ(-EACCES, kid_give(kid, id, kid->self, ""));
	EXPECT_EQ(-EACCES, kid_heir(kid, id, kid->self, ""));
	EXPECT_EQ(-EACCES, kid_park(kid, id));
	EXPECT_EQ(-EACCES, kid_destroy(kid, id));
	EXPECT_EQ(-EPERM, kid_open(kid, "state", KREG_OPEN_CLAIM, &found));
	EXPECT_EQ(0, kid_open(kid, "state", 0, &found));
	EXPECT_EQ(id, found);
}

static void expect_owner(struct __test_metadata *_metadata, struct kid *kid, __u64 id)
{
	__u64 found;

	EXPECT_EQ(0, kid_gets(kid, id, "password"));
	EXPECT_STREQ("secret", kid->job->value);
	EXPECT_EQ(0, kid_puts(kid, id, "password", "secret"));
	EXPECT_EQ(-EALREADY, kid_open(kid, "state", KREG_OPEN_CLAIM, &found));
}

/* A table that was made before execve(2) is not the program's, and OWN_USER tells it. */
TEST_F(setuid, made_before)
{
	struct kid *kid = self->kid;
	struct kreg_process alice = kid->self;
	__u64 id = secret(_metadata, kid), found;

	become_program(_metadata, kid);
	ASSERT_EQ(0, kid_do(kid, job_client));
	EXPECT_TRUE(test_same(alice, kid->job->self));
	expect_not_owner(_metadata, kid, id);
	EXPECT_EQ(-EPERM, kid_open(kid, "state", KREG_OPEN_CREATE | KREG_OPEN_OWN_USER, &found));
	/* Its owner is this process, but not under this user. */
	ASSERT_EQ(0, kid_info(kid, id));
	EXPECT_TRUE(test_same(alice, kid->job->info.owner));
	EXPECT_EQ(ALICE, kid->job->info.owner_uid);
}

/* A table that the program has made is not owned under the former user afterwards. */
TEST_F(setuid, made_by_the_program)
{
	struct kid *kid = self->kid;
	__u64 id;

	become_program(_metadata, kid);
	ASSERT_EQ(0, kid_do(kid, job_client));
	id = secret(_metadata, kid);
	kid_become(_metadata, kid, ALICE);
	/* An open descriptor keeps its rights, as any file. */
	expect_owner(_metadata, kid, id);
	ASSERT_EQ(0, kid_do(kid, job_one_more));
	expect_not_owner(_metadata, kid, id);
	ASSERT_EQ(0, kid_do(kid, job_swap));
	expect_owner(_metadata, kid, id);
}

static long job_drop_capable(struct job *job)
{
	return setresgid(job->arg, job->arg, job->arg) ? -errno : job_become(job);
}

/* The same with setuid(2) instead of a set-user-ID program. */
TEST_F(setuid, dropped)
{
	struct kid *kid = kid_start(_metadata);
	__u64 id = secret(_metadata, kid);

	kid->job->arg = ALICE;
	ASSERT_EQ(0, kid_do(kid, job_drop_capable));
	expect_owner(_metadata, kid, id);
	ASSERT_EQ(0, kid_do(kid, job_one_more));
	expect_not_owner(_metadata, kid, id);
}

/* The table is inherited, parked or destroyed at the death, whatever user the process is. */
TEST_F(setuid, left_by_the_former_user)
{
	struct kid *kid = self->kid, *heir = kid_start_as(_metadata, ALICE), *bob;
	__u64 parks, inherited, goes, found;
	struct kreg_info info;

	ASSERT_EQ(0, kid_create(kid, "parks", KREG_ACCESS_PRIVATE, &parks));
	ASSERT_EQ(0, kid_orphan(kid, parks, KREG_ORPHAN_PARK, 0));
	ASSERT_EQ(0, kid_create_heir(kid, "inherited", heir->self, "", &inherited));
	ASSERT_EQ(0, kid_create(kid, "goes", KREG_ACCESS_PRIVATE, &goes));
	become_program(_metadata, kid);
	kid_kill(kid);
	ASSERT_EQ(0, kid_event_now(heir));
	EXPECT_EQ(inherited, heir->job->event.e.table);
	test_err_info(ESTALE, self->fd, goes, &info);
	bob = kid_start_as(_metadata, BOB);
	EXPECT_EQ(-EPERM, kid_open(bob, "parks", KREG_OPEN_CLAIM, &found));
	EXPECT_EQ(0, kid_open(heir, "parks", KREG_OPEN_CLAIM, &found));
	EXPECT_EQ(parks, found);
}

/* The client of the former user inherits and reads, and no other. */
TEST_F(setuid, heir)
{
	struct kid *owner = kid_start_as(_metadata, ALICE), *kid = self->kid;
	__u64 id = secret(_metadata, owner);

	ASSERT_EQ(0, kid_heir(owner, id, kid->self, "data"));
	ASSERT_EQ(0, kid_do(kid, job_keep_client));
	become_program(_metadata, kid);
	ASSERT_EQ(0, kid_do(kid, job_one_more));
	kid_kill(owner);
	EXPECT_EQ(0, kid_no_event(kid));
	expect_not_owner(_metadata, kid, id);
	ASSERT_EQ(0, kid_do(kid, job_swap));
	ASSERT_EQ(0, kid_event_now(kid));
	EXPECT_EQ(id, kid->job->event.e.table);
	EXPECT_STREQ("data", kid->job->event.data);
	expect_owner(_metadata, kid, id);
}

/* When the last client of the user is closed, others do not inherit in its stead. */
TEST_F(setuid, heir_without_client)
{
	struct kid *owner = kid_start_as(_metadata, ALICE), *kid = self->kid;
	struct kid *bob = kid_start_as(_metadata, BOB);
	__u64 id = secret(_metadata, owner), bobs;
	struct kreg_info info;

	ASSERT_EQ(0, kid_heir(owner, id, kid->self, "data"));
	become_program(_metadata, kid);
	ASSERT_EQ(0, kid_do(kid, job_client));
	ASSERT_EQ(0, kid_create_heir(bob, "bobs", kid->self, "", &bobs));
	test_info(self->fd, id, &info);
	EXPECT_TRUE(test_none(info.heir));
	/* The heirships of the other user are left. */
	test_info(self->fd, bobs, &info);
	EXPECT_TRUE(test_same(kid->self, info.heir));
	kid_kill(owner);
	EXPECT_EQ(0, kid_no_event(kid));
	test_err_info(ESTALE, self->fd, id, &info);
	kid_kill(bob);
	EXPECT_EQ(0, kid_event_now(kid));
	EXPECT_EQ(bobs, kid->job->event.e.table);
}

/* The heirships of one user end, those of the other do not: they alternate in one list. */
TEST_F(setuid, many_heirships)
{
	struct kid *alice = kid_start_as(_metadata, ALICE), *kid = self->kid;
	struct kid *bob = kid_start_as(_metadata, BOB);
	struct kreg_info info;
	__u64 ids[40];
	int i;

	ASSERT_EQ(0, kid_do(kid, job_keep_client));
	become_program(_metadata, kid);
	ASSERT_EQ(0, kid_do(kid, job_one_more));
	for (i = 0; i < 40; i++)
		ASSERT_EQ(0, kid_create_heir(i % 2 ? bob : alice, NULL, kid->self, "", &ids[i]));
	ASSERT_EQ(0, kid_do(kid, job_swap));
	ASSERT_EQ(0, kid_do(kid, job_close));
	for (i = 0; i < 40; i++) {
		ASSERT_EQ(0, kid_info(i % 2 ? bob : alice, ids[i]));
		info = (i % 2 ? bob : alice)->job->info;
		EXPECT_EQ(i % 2, test_same(kid->self, info.heir));
	}
}

/* A record that was not read goes to a client of the same user, or to nobody. */
TEST_F(setuid, unread)
{
	struct kid *owner = kid_start_as(_metadata, ALICE), *kid = self->kid;
	__u64 id = secret(_metadata, owner);

	ASSERT_EQ(0, kid_do(kid, job_keep_client));
	ASSERT_EQ(0, kid_give(owner, id, kid->self, "for alice"));
	become_program(_metadata, kid);
	ASSERT_EQ(0, kid_do(kid, job_one_more));
	/* This user's client becomes the receiver of the process. */
	ASSERT_EQ(0, kid_setopt(kid, 0, KREG_OPT_RECEIVER, 0, 0));
	ASSERT_EQ(0, kid_do(kid, job_swap));
	ASSERT_EQ(0, kid_do(kid, job_close));
	ASSERT_EQ(0, kid_do(kid, job_swap));
	EXPECT_EQ(0, kid_no_event(kid));
	/* The table is still owned under ALICE. */
	expect_not_owner(_metadata, kid, id);
	kid_become(_metadata, kid, ALICE);
	ASSERT_EQ(0, kid_do(kid, job_one_more));
	EXPECT_EQ(0, kid_no_event(kid));
	expect_owner(_metadata, kid, id);
}

/* Gifts go to a client of the giver's user, else to the first client, if that accepts. */
TEST_F(setuid, receiver)
{
	struct kid *alice = kid_start_as(_metadata, ALICE), *kid = self->kid;
	struct kid *bob = kid_start_as(_metadata, BOB);
	struct kid *carol = kid_start_as(_metadata, CAROL);
	__u64 id;

	ASSERT_EQ(0, kid_do(kid, job_keep_client));
	become_program(_metadata, kid);
	ASSERT_EQ(0, kid_do(kid, job_one_more));

	ASSERT_EQ(0, kid_create(bob, "bobs", 0, &id));
	ASSERT_EQ(0, kid_give(bob, id, kid->self, ""));
	ASSERT_EQ(0, kid_event_now(kid));
	EXPECT_EQ(id, kid->job->event.e.table);
	ASSERT_EQ(0, kid_create(carol, "carols", 0, &id));
	EXPECT_EQ(-EPERM, kid_give(carol, id, kid->self, ""));
	ASSERT_EQ(0, kid_setopt(kid, 0, KREG_OPT_ACCEPT, 1, 0));
	EXPECT_EQ(-EPERM, kid_give(carol, id, kid->self, ""));
	ASSERT_EQ(0, kid_setopt(kid, 0, KREG_OPT_RECEIVER, 0, 0));
	EXPECT_EQ(0, kid_give(carol, id, kid->self, ""));
	ASSERT_EQ(0, kid_event_now(kid));
	EXPECT_EQ(id, kid->job->event.e.table);

	ASSERT_EQ(0, kid_create(alice, "alices", 0, &id));
	ASSERT_EQ(0, kid_give(alice, id, kid->self, ""));
	EXPECT_EQ(0, kid_no_event(kid));
	ASSERT_EQ(0, kid_do(kid, job_swap));
	ASSERT_EQ(0, kid_event_now(kid));
	EXPECT_EQ(id, kid->job->event.e.table);
}

/* A waiter owns the table under the user under whom it began to wait. */
TEST_F(setuid, claimed_in_line)
{
	struct kid *owner = kid_start_as(_metadata, BOB), *kid = self->kid;
	__u64 id = secret(_metadata, owner);
	struct kreg_info info;

	ASSERT_EQ(0, kid_orphan(owner, id, KREG_ORPHAN_PARK, 0));
	become_program(_metadata, kid);
	ASSERT_EQ(0, kid_do(kid, job_client));
	kid_open_prepare(kid, "state", KREG_OPEN_CLAIM | KREG_OPEN_WAIT);
	kid_ask(kid, job_open);
	EXPECT_TRUE(test_wait_for(!_test_info(self->fd, id, &info) && info.waiters));
	kid_kill(owner);
	ASSERT_EQ(0, kid_answer(kid));
	kid_become(_metadata, kid, ALICE);
	expect_owner(_metadata, kid, id);
	ASSERT_EQ(0, kid_do(kid, job_one_more));
	expect_not_owner(_metadata, kid, id);
}

int main(int argc, char **argv)
{
	if (program_is(argc, argv))
		return program_main(argv);
	return test_harness_run(argc, argv);
}
