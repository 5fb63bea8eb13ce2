// SPDX-License-Identifier: GPL-2.0
/*
 * Giving tables away; what is one process and what is another.
 */
#include <pthread.h>
#include <spawn.h>

#include "kit/fixture.h"
#include "kit/job.h"

#define ALICE	1000
#define BOB	1001

FIXTURE(ownership) {
	struct test_base base;
	int fd;
	struct kreg_process me;
	struct kid *kid;
	__u64 table;
};

FIXTURE_SETUP(ownership)
{
	self->fd = test_setup(_metadata, &self->base);
	self->me = test_self(self->fd);
	self->kid = kid_start(_metadata);
	test_create(self->fd, "gift", KREG_ACCESS_PRIVATE, &self->table);
	test_puts(self->fd, self->table, "k", "v");
}

FIXTURE_TEARDOWN_PARENT(ownership)
{
	test_teardown(_metadata, &self->base);
}

TEST_F(ownership, give)
{
	struct kid *kid = self->kid;
	struct kreg_info info;
	__u64 before = test_now_ns();

	test_give(self->fd, self->table, kid->self, "data", 4);
	ASSERT_EQ(0, kid_event_now(kid));
	test_transfer(&kid->job->event, self->table, self->me,
		      KREG_CAUSE_GIFT);
	EXPECT_EQ(1, kid->job->event.e.seq);
	EXPECT_EQ(0, kid->job->event.e.flags);
	EXPECT_EQ(0, kid->job->event.e.status);
	EXPECT_LE(before, kid->job->event.e.time_ns);
	EXPECT_GE(test_now_ns(), kid->job->event.e.time_ns);
	EXPECT_STREQ("gift", kid->job->event.name);
	EXPECT_STREQ("data", kid->job->event.data);
	EXPECT_EQ(0, kid_no_event(kid));
	test_no_event(self->fd);

	test_info(self->fd, self->table, &info);
	EXPECT_TRUE(test_same(kid->self, info.owner));
	EXPECT_EQ(1, info.transfers);
	EXPECT_TRUE(test_none(info.heir));
	EXPECT_EQ(0, kid_gets(kid, self->table, "k"));
	EXPECT_STREQ("v", kid->job->value);
}

TEST_F(ownership, rights_are_lost_at_once)
{
	struct kreg_process kid = self->kid->self;
	char room[8];

	test_give(self->fd, self->table, kid, NULL, 0);
	test_err_get(EACCES, self->fd, self->table, "k", 1, room, 8);
	test_err_puts(EACCES, self->fd, self->table, "k", "w");
	test_err_give(EACCES, self->fd, self->table, kid, NULL, 0);
	test_err_access(EACCES, self->fd, self->table, KREG_ACCESS_PUBLIC);
	test_err_heir(EACCES, self->fd, self->table, self->me, NULL, 0, 0);
	test_err_park(EACCES, self->fd, self->table);
}

TEST_F(ownership, give_and_give_back)
{
	struct test_event event;
	struct kreg_info info;
	int i;

	for (i = 0; i < 50; i++) {
		test_give(self->fd, self->table, self->kid->self, "go", 2);
		ASSERT_EQ(0, kid_event_now(self->kid));
		ASSERT_EQ(i + 1, self->kid->job->event.e.seq);
		ASSERT_EQ(0, kid_puts(self->kid, self->table, "k", "kid"));
		ASSERT_EQ(0, kid_give(self->kid, self->table, self->me,
				      "back"));
		test_event_now(self->fd, &event);
		test_transfer(&event, self->table, self->kid->self,
			      KREG_CAUSE_GIFT);
		ASSERT_EQ(i + 1, event.e.seq);
		EXPECT_STREQ("back", event.data);
	}
	test_info(self->fd, self->table, &info);
	EXPECT_EQ(100, info.transfers);
	test_gets(self->fd, self->table, "k", "kid");
}

TEST_F(ownership, data_limits)
{
	char data[KREG_MAX_DATA + 1];

	memset(data, 'd', sizeof(data));
	test_err_give(EFBIG, self->fd, self->table, self->kid->self, data,
		      KREG_MAX_DATA + 1);
	test_err_give(EFBIG, self->fd, self->table, self->kid->self, data,
		      ~0U);
	test_err_give(EFAULT, self->fd, self->table, self->kid->self,
		      (void *)8, 8);
	EXPECT_EQ(0, kid_no_event(self->kid));
	test_gets(self->fd, self->table, "k", "v");
	test_give(self->fd, self->table, self->kid->self, data,
		  KREG_MAX_DATA);
	ASSERT_EQ(0, kid_event_now(self->kid));
	EXPECT_EQ(KREG_MAX_DATA, self->kid->job->event.e.value_len);
	EXPECT_EQ(0, memcmp(data, self->kid->job->event.data, KREG_MAX_DATA));
}

TEST_F(ownership, unnamed)
{
	__u64 id;

	test_create(self->fd, NULL, 0, &id);
	test_give(self->fd, id, self->kid->self, NULL, 0);
	ASSERT_EQ(0, kid_event_now(self->kid));
	EXPECT_EQ(id, self->kid->job->event.e.table);
	EXPECT_EQ(0, self->kid->job->event.e.key_len);
	EXPECT_EQ(0, self->kid->job->event.e.value_len);
	EXPECT_EQ(sizeof(struct kreg_event), self->kid->job->event.e.size);
}

TEST_F(ownership, errors)
{
	struct kid *dead = kid_start(_metadata);
	struct kid *bare = kid_start_bare(_metadata);
	struct kreg_process to = self->me, whois;
	__u64 gone;

	test_err_give(EALREADY, self->fd, self->table, to, NULL, 0);
	to.cookie = 0;
	test_err_give(EALREADY, self->fd, self->table, to, NULL, 0);
	to = dead->self;
	kid_kill(dead);
	test_err_give(ESRCH, self->fd, self->table, to, NULL, 0);
	to.pid = 0;
	test_err_give(EINVAL, self->fd, self->table, to, NULL, 0);
	/* Without a cookie a pid names only the caller. */
	to = self->kid->self;
	to.cookie = 0;
	test_err_give(ESRCH, self->fd, self->table, to, NULL, 0);
	to = self->kid->self;
	to.cookie++;
	test_err_give(ESRCH, self->fd, self->table, to, NULL, 0);
	to = self->kid->self;
	to.pid = getpid();
	test_err_give(ESRCH, self->fd, self->table, to, NULL, 0);
	/* A process without a client cannot receive a record. */
	test_err_whois(ENOTCONN, self->fd, bare->pid, &whois);
	test_create(self->fd, NULL, 0, &gone);
	test_destroy(self->fd, gone);
	test_err_give(ESTALE, self->fd, gone, self->kid->self, NULL, 0);
	EXPECT_EQ(0, kid_no_event(self->kid));
	test_gets(self->fd, self->table, "k", "v");
}

TEST_F(ownership, whois)
{
	struct kreg_process process;
	struct kid *dead = kid_start(_metadata);
	pid_t pid = dead->pid;

	test_whois(self->fd, self->kid->pid, &process);
	EXPECT_TRUE(test_same(self->kid->self, process));
	EXPECT_FALSE(test_same(self->me, process));
	kill(pid, SIGKILL);
	ASSERT_TRUE(kid_dead(dead));
	test_err_whois(ESRCH, self->fd, pid, &process);
	kid_reap(dead);
	test_err_whois(ESRCH, self->fd, pid, &process);
	test_err_whois(ESRCH, self->fd, 0, &process);
	test_err_whois(ESRCH, self->fd, ~0U >> 1, &process);
}

TEST_F(ownership, client_closed)
{
	struct kreg_process process, to = self->kid->self;

	ASSERT_EQ(0, kid_do(self->kid, job_close));
	test_err_give(ENOTCONN, self->fd, self->table, to, NULL, 0);
	test_err_whois(ENOTCONN, self->fd, to.pid, &process);
	/* A new client of the same process: the cookie may be a new one. */
	ASSERT_EQ(0, kid_do(self->kid, job_client));
	to = self->kid->job->self;
	test_give(self->fd, self->table, to, NULL, 0);
	EXPECT_EQ(0, kid_event_now(self->kid));
}

/* A process stays the owner when it has closed all its clients. */
TEST_F(ownership, survives_all_clients)
{
	struct kreg_info info;
	struct kid *kid = self->kid;
	__u64 id;

	ASSERT_EQ(0, kid_create(kid, "kids", 0, &id));
	ASSERT_EQ(0, kid_puts(kid, id, "k", "v"));
	ASSERT_EQ(0, kid_do(kid, job_close));
	test_info(self->fd, id, &info);
	EXPECT_EQ(kid->pid, info.owner.pid);
	ASSERT_EQ(0, kid_do(kid, job_client));
	EXPECT_EQ(0, kid_puts(kid, id, "k", "w"));
	test_info(self->fd, id, &info);
	EXPECT_TRUE(test_same(kid->job->self, info.owner));
	kid_kill(kid);
	test_err_info(ESTALE, self->fd, id, &info);
}

TEST_F(ownership, other_user)
{
	struct kid *alice = kid_start_as(_metadata, ALICE);
	struct kid *bob = kid_start_as(_metadata, BOB);
	struct kid *too = kid_start_as(_metadata, ALICE);
	__u64 id;

	ASSERT_EQ(0, kid_create(alice, "t", 0, &id));
	EXPECT_EQ(-EPERM, kid_give(alice, id, bob->self, ""));
	EXPECT_EQ(-EPERM, kid_heir(alice, id, bob->self, ""));
	EXPECT_EQ(0, kid_heir(alice, id, too->self, ""));
	EXPECT_EQ(-EPERM, kid_give(alice, id, self->me, ""));
	test_err_give(EPERM, self->fd, self->table, alice->self, NULL, 0);
	EXPECT_EQ(-EOPNOTSUPP, kid_setopt(bob, 0, 77, 1, 0));
	EXPECT_EQ(-EOPNOTSUPP, kid_setopt(bob, 0, KREG_OPT_ACCEPT, 2, 0));
	EXPECT_EQ(-EINVAL, kid_setopt(bob, id, KREG_OPT_ACCEPT, 1, 0));
	ASSERT_EQ(0, kid_setopt(bob, 0, KREG_OPT_ACCEPT, 1, 0));
	EXPECT_EQ(0, kid_heir(alice, id, bob->self, ""));
	ASSERT_EQ(0, kid_setopt(bob, 0, KREG_OPT_ACCEPT, 0, 0));
	EXPECT_EQ(-EPERM, kid_give(alice, id, bob->self, ""));
	ASSERT_EQ(0, kid_setopt(bob, 0, KREG_OPT_ACCEPT, 1, 0));
	EXPECT_EQ(0, kid_give(alice, id, bob->self, ""));
	EXPECT_EQ(0, kid_event_now(bob));
	/* Bob owns it, and may give it only to who accepts it. */
	EXPECT_EQ(-EPERM, kid_give(bob, id, alice->self, ""));
	test_accept(self->fd, 1);
	EXPECT_EQ(0, kid_give(bob, id, self->me, ""));
}

/* TRANSFER records come to the client that was made the receiver, else to the first. */
TEST_F(ownership, receiver)
{
	int second = test_client();
	struct test_event event;
	__u64 id;

	ASSERT_LE(0, second);
	ASSERT_EQ(0, kid_create(self->kid, NULL, 0, &id));
	ASSERT_EQ(0, kid_give(self->kid, id, self->me, "1"));
	test_no_event(second);
	test_event_now(self->fd, &event);

	test_receiver(second);
	test_give(self->fd, id, self->kid->self, NULL, 0);
	ASSERT_EQ(0, kid_give(self->kid, id, self->me, "2"));
	test_no_event(self->fd);
	test_event_now(second, &event);
	EXPECT_STREQ("2", event.data);
	EXPECT_EQ(1, event.e.seq);

	/* The receiver is closed: another client gets the records. */
	test_give(second, id, self->kid->self, NULL, 0);
	close(second);
	ASSERT_EQ(0, kid_give(self->kid, id, self->me, "3"));
	test_event_now(self->fd, &event);
	EXPECT_STREQ("3", event.data);
	EXPECT_EQ(2, event.e.seq);
}

TEST_HARNESS_MAIN
