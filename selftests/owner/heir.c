// SPDX-License-Identifier: GPL-2.0
/*
 * Heirs: who inherits, who does not, in which order, and what they are told.
 */
#include <linux/sched.h>

#include "kit/fixture.h"
#include "kit/job.h"

#define MANY	100

FIXTURE(heir) {
	struct test_base base;
	int fd;
	struct kreg_process me;
	struct kid *kid;
	__u64 table;		/* the kid's */
};

FIXTURE_SETUP(heir)
{
	self->fd = test_setup(_metadata, &self->base);
	self->me = test_self(self->fd);
	self->kid = kid_start(_metadata);
	ASSERT_EQ(0, kid_create(self->kid, "will", KREG_ACCESS_PRIVATE,
				&self->table));
	ASSERT_EQ(0, kid_puts(self->kid, self->table, "k", "v"));
}

FIXTURE_TEARDOWN_PARENT(heir)
{
	test_teardown(_metadata, &self->base);
}

/* The heir may not read a private table before the death, and may at once after it. */
TEST_F(heir, inherits)
{
	struct test_event event;
	char room[8];

	ASSERT_EQ(0, kid_heir(self->kid, self->table, self->me, "data"));
	test_err_get(EACCES, self->fd, self->table, "k", 1, room, 8);
	kid_kill(self->kid);
	test_gets(self->fd, self->table, "k", "v");
	test_puts(self->fd, self->table, "k", "w");
	test_event_now(self->fd, &event);
	EXPECT_EQ(self->table, event.e.table);
	EXPECT_STREQ("data", event.data);
}

TEST_F(heir, silent)
{
	struct kreg_info info;

	ASSERT_EQ(0, kid_do(self->kid, job_info));
	self->kid->job->process = self->me;
	self->kid->job->arg = KREG_HEIR_SILENT;
	self->kid->job->len = 0;
	ASSERT_EQ(0, kid_do(self->kid, job_heir));
	ASSERT_EQ(0, kid_info(self->kid, self->table));
	EXPECT_EQ(KREG_INFO_HEIR_SILENT, self->kid->job->info.flags);
	kid_kill(self->kid);
	test_gets(self->fd, self->table, "k", "v");
	test_no_event(self->fd);
	test_info(self->fd, self->table, &info);
	EXPECT_TRUE(test_same(self->me, info.owner));
}

TEST_F(heir, set_when_created)
{
	struct kid *kid = self->kid;
	struct test_event event;
	struct kreg_info info;
	__u64 loud, silent;

	kid_open_prepare(kid, "loud", KREG_OPEN_CREATE | KREG_OPEN_HEIR);
	kid->job->open.heir = self->me;
	kid->job->open.data = test_ptr(kid->job->data);
	kid->job->open.data_len = 4;
	kid_set_data(kid, "data");
	ASSERT_EQ(0, kid_do(kid, job_open));
	loud = kid->job->table;
	kid_open_prepare(kid, "silent", KREG_OPEN_CREATE | KREG_OPEN_HEIR |
			 KREG_OPEN_HEIR_SILENT);
	kid->job->open.heir = self->me;
	ASSERT_EQ(0, kid_do(kid, job_open));
	silent = kid->job->table;
	kid_kill(kid);
	test_event_now(self->fd, &event);
	EXPECT_EQ(loud, event.e.table);
	EXPECT_STREQ("data", event.data);
	test_no_event(self->fd);
	test_info(self->fd, silent, &info);
	EXPECT_EQ(getpid(), info.owner.pid);
	test_err_info(ESTALE, self->fd, self->table, &info);
}

TEST_F(heir, set_when_created_fails)
{
	struct kreg_ioc_open cmd = test_open_cmd("t", KREG_OPEN_CREATE |
						 KREG_OPEN_HEIR);
	struct kreg_info info;

	cmd.heir = self->kid->self;
	cmd.heir.cookie++;
	test_err_open_(ESRCH, self->fd, &cmd);
	cmd.heir = self->kid->self;
	cmd.data = test_ptr("data");
	cmd.data_len = KREG_MAX_DATA + 1;
	test_err_open_(EFBIG, self->fd, &cmd);
	cmd.data_len = 0;
	cmd.data = 0;
	ASSERT_EQ(0, kid_do(self->kid, job_close));
	test_err_open_(ENOTCONN, self->fd, &cmd);
	kid_kill(self->kid);
	test_err_open_(ESRCH, self->fd, &cmd);
	test_err_info_name(ENOENT, self->fd, "t", &info);
}

TEST_F(heir, errors)
{
	struct kid *dead = kid_start(_metadata);
	struct kreg_process to = dead->self, none = {};
	__u64 id = self->table;

	kid_kill(dead);
	EXPECT_EQ(-ESRCH, kid_heir(self->kid, id, to, ""));
	to = self->me;
	to.cookie = 0;
	EXPECT_EQ(-ESRCH, kid_heir(self->kid, id, to, ""));
	to = self->me;
	to.pid = self->kid->pid;
	EXPECT_EQ(-ESRCH, kid_heir(self->kid, id, to, ""));
	test_err_heir(EACCES, self->fd, id, self->me, NULL, 0, 0);
	/* Without an heir there must be no data. */
	EXPECT_EQ(-EINVAL, kid_heir(self->kid, id, none, "data"));
	EXPECT_EQ(0, kid_heir(self->kid, id, none, ""));
	ASSERT_EQ(0, kid_info(self->kid, id));
	EXPECT_TRUE(test_none(self->kid->job->info.heir));
	to = self->me;
	close(self->fd);
	EXPECT_EQ(-ENOTCONN, kid_heir(self->kid, id, to, ""));
}

/* A call that fails leaves the heir as it was. */
TEST_F(heir, failure_changes_nothing)
{
	struct kreg_process to = self->me;
	struct test_event event;

	ASSERT_EQ(0, kid_heir(self->kid, self->table, self->me, "first"));
	to.cookie++;
	EXPECT_EQ(-ESRCH, kid_heir(self->kid, self->table, to, "second"));
	kid_kill(self->kid);
	test_event_now(self->fd, &event);
	EXPECT_STREQ("first", event.data);
}

TEST_F(heir, replaced_and_removed)
{
	struct kid *heir = kid_start(_metadata);
	struct kreg_process none = {};
	struct test_event event;
	__u64 other;

	ASSERT_EQ(0, kid_create_heir(self->kid, "other", heir->self, "other",
				     &other));
	ASSERT_EQ(0, kid_heir(self->kid, self->table, heir->self, "first"));
	ASSERT_EQ(0, kid_heir(self->kid, self->table, self->me, "second"));
	ASSERT_EQ(0, kid_heir(self->kid, other, none, ""));
	kid_kill(self->kid);
	test_event_now(self->fd, &event);
	EXPECT_STREQ("second", event.data);
	EXPECT_EQ(self->table, event.e.table);
	EXPECT_EQ(0, kid_no_event(heir));
	test_no_event(self->fd);
}

/* The heir dies before the owner: INFO shows none, and the table is destroyed with the owner. */
TEST_F(heir, dies_first)
{
	struct kid *heir = kid_start(_metadata);
	struct kreg_info info;

	ASSERT_EQ(0, kid_heir(self->kid, self->table, heir->self, ""));
	test_info(self->fd, self->table, &info);
	EXPECT_TRUE(test_same(heir->self, info.heir));
	kill(heir->pid, SIGKILL);
	ASSERT_TRUE(kid_dead(heir));
	test_info(self->fd, self->table, &info);
	EXPECT_TRUE(test_none(info.heir));
	kid_reap(heir);
	EXPECT_EQ(0, kid_gets(self->kid, self->table, "k"));
	kid_kill(self->kid);
	test_err_info(ESTALE, self->fd, self->table, &info);
}

TEST_F(heir, dies_first_parked)
{
	struct kid *heir = kid_start(_metadata);
	struct kreg_info info;

	ASSERT_EQ(0, kid_orphan(self->kid, self->table, KREG_ORPHAN_PARK, 0));
	ASSERT_EQ(0, kid_heir(self->kid, self->table, heir->self, ""));
	kid_kill(heir);
	kid_kill(self->kid);
	test_info(self->fd, self->table, &info);
	EXPECT_EQ(KREG_INFO_PARKED, info.flags);
	EXPECT_TRUE(test_none(info.owner));
	test_destroy(self->fd, self->table);
}

/* Owner and heir die at once: in whatever order, no table is left. */
TEST_F(heir, both_die)
{
	struct kreg_info info;
	struct kid *owner, *heir;
	__u64 id;
	int i;

	for (i = 0; i < 30; i++) {
		owner = kid_start(_metadata);
		heir = kid_start(_metadata);
		ASSERT_EQ(0, kid_create_heir(owner, "both", heir->self, "",
					     &id));
		kill(i & 1 ? owner->pid : heir->pid, SIGKILL);
		kill(i & 1 ? heir->pid : owner->pid, SIGKILL);
		ASSERT_TRUE(kid_dead(owner));
		ASSERT_TRUE(kid_dead(heir));
		test_err_info(ESTALE, self->fd, id, &info);
		kid_reap(owner);
		kid_reap(heir);
	}
}

/* The heir has inherited and is its own heir: at its death the table is destroyed. */
TEST_F(heir, after_inheritance)
{
	struct kid *heir = kid_start(_metadata);
	struct kreg_info info;

	ASSERT_EQ(0, kid_heir(self->kid, self->table, heir->self, ""));
	kid_kill(self->kid);
	ASSERT_EQ(0, kid_event_now(heir));
	test_info(self->fd, self->table, &info);
	EXPECT_TRUE(test_same(heir->self, info.owner));
	EXPECT_TRUE(test_same(heir->self, info.heir));
	kid_kill(heir);
	test_err_info(ESTALE, self->fd, self->table, &info);
}

/* A chain: each heir names the next one. */
TEST_F(heir, chain)
{
	struct kid *owner = self->kid, *next;
	struct kreg_process dead;
	struct kreg_info info;
	int i;

	for (i = 0; i < 10; i++) {
		next = kid_start(_metadata);
		ASSERT_EQ(0, kid_heir(owner, self->table, next->self, "next"));
		dead = owner->self;
		kid_kill(owner);
		ASSERT_EQ(0, kid_event_now(next));
		test_transfer(&next->job->event, self->table, dead,
			      KREG_CAUSE_DEATH);
		owner = next;
	}
	test_info(self->fd, self->table, &info);
	EXPECT_EQ(10, info.transfers);
	EXPECT_EQ(0, kid_gets(owner, self->table, "k"));
	EXPECT_STREQ("v", owner->job->value);
}

/* Itself as heir: it comes back when the receiver of the table dies. */
TEST_F(heir, owner_itself)
{
	struct kid *kid = self->kid;
	struct kreg_process dead;
	struct test_event event;
	struct kreg_info info;
	__u64 id;
	int i;

	test_create(self->fd, "comes back", 0, &id);
	test_heir(self->fd, id, self->me, "back", 4, 0);
	for (i = 0; i < 5; i++) {
		dead = kid->self;
		test_give(self->fd, id, kid->self, NULL, 0);
		ASSERT_EQ(0, kid_event_now(kid));
		kid_kill(kid);
		test_event_now(self->fd, &event);
		test_transfer(&event, id, dead, KREG_CAUSE_DEATH);
		EXPECT_STREQ("back", event.data);
		kid = kid_start(_metadata);
	}
	/* At its own death the table is destroyed, although it is the heir. */
	ASSERT_EQ(0, kid_create(kid, "own", 0, &id));
	ASSERT_EQ(0, kid_heir(kid, id, kid->self, ""));
	kid_kill(kid);
	test_err_info(ESTALE, self->fd, id, &info);
}

/* A new process with the pid of the heir is not the heir. */
TEST_F(heir, pid_reused)
{
	struct kid *heir = kid_start(_metadata);
	pid_t pid = heir->pid, set[] = { pid };
	struct clone_args args = {
		.exit_signal = SIGCHLD,
		.set_tid = test_ptr(set),
		.set_tid_size = 1,
	};
	struct kreg_info info;
	struct test_event event;
	int fd, status;
	long again;

	ASSERT_EQ(0, kid_heir(self->kid, self->table, heir->self, ""));
	kid_kill(heir);
	again = syscall(SYS_clone3, &args, sizeof(args));
	ASSERT_LE(0, again);
	if (!again) {
		fd = test_client();
		EXPECT_EQ(pid, test_self(fd).pid);
		/* The owner dies, the pid's new process is no heir. */
		kill(self->kid->pid, SIGKILL);
		EXPECT_TRUE(test_pidfd_dead(self->kid->pidfd));
		EXPECT_EQ(-EAGAIN, _test_event_now(fd, &event));
		test_err_info(ESTALE, fd, self->table, &info);
		_exit(0);
	}
	ASSERT_EQ(pid, again);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	test_err_info(ESTALE, self->fd, self->table, &info);
}

/* A process without a client could not read the record, so it is no heir any more. */
TEST_F(heir, closes_its_last_client)
{
	struct kid *heir = kid_start(_metadata);
	struct kreg_info info;
	__u64 parked;

	ASSERT_EQ(0, kid_create_heir(self->kid, "parks", heir->self, "",
				     &parked));
	ASSERT_EQ(0, kid_orphan(self->kid, parked, KREG_ORPHAN_PARK, 0));
	ASSERT_EQ(0, kid_heir(self->kid, self->table, heir->self, ""));
	ASSERT_EQ(0, kid_do(heir, job_close));
	test_info(self->fd, self->table, &info);
	EXPECT_TRUE(test_none(info.heir));
	/* A new client does not make it heir again. */
	ASSERT_EQ(0, kid_do(heir, job_client));
	kid_kill(self->kid);
	test_err_info(ESTALE, self->fd, self->table, &info);
	test_info(self->fd, parked, &info);
	EXPECT_EQ(KREG_INFO_PARKED, info.flags);
	EXPECT_EQ(0, kid_no_event(heir));
	test_destroy(self->fd, parked);
}

/* Many tables, one heir: a record each, in the order of their creation. */
TEST_F(heir, many_tables)
{
	struct kreg_process dead = self->kid->self;
	struct test_event event;
	__u64 ids[MANY], last_ns = 0;
	char name[16];
	int i;

	ASSERT_EQ(0, kid_heir(self->kid, self->table, self->me, "0"));
	for (i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "%d", i);
		ASSERT_EQ(0, kid_create_heir(self->kid, name, self->me, name,
					     &ids[i]));
	}
	kid_kill(self->kid);
	test_event_now(self->fd, &event);
	test_transfer(&event, self->table, dead, KREG_CAUSE_DEATH);
	for (i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "%d", i);
		test_event_now(self->fd, &event);
		test_transfer(&event, ids[i], dead, KREG_CAUSE_DEATH);
		EXPECT_STREQ(name, event.name);
		EXPECT_STREQ(name, event.data);
		EXPECT_EQ(i + 2, event.e.seq);
		EXPECT_LE(last_ns, event.e.time_ns);
		last_ns = event.e.time_ns;
	}
	test_no_event(self->fd);
}

TEST_HARNESS_MAIN
