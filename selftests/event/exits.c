// SPDX-License-Identifier: GPL-2.0
/*
 * EXIT: what a subscriber is told of objects that go with their processes.
 */
#include <sys/ptrace.h>

#include "kit/bound.h"
#include "kit/fixture.h"
#include "kit/stall.h"
#include "kit/stream.h"
#include "kit/watch.h"

#define MANY	100

FIXTURE(exits) {
	struct test_base base;
	int fd;
	__u64 id;
	struct test_reader *r;
	struct kid *kid;
	struct kreg_process who;
};

FIXTURE_SETUP(exits)
{
	self->fd = test_setup(_metadata, &self->base);
	self->kid = kid_start(_metadata);
	self->who = self->kid->self;
	test_create(self->fd, "table", KREG_ACCESS_PUBLIC, &self->id);
	test_subscribe(self->fd, self->id, ALL_KINDS);
	self->r = test_reader(self->fd);
	ASSERT_NE(NULL, self->r);
}

FIXTURE_TEARDOWN_PARENT(exits)
{
	test_teardown(_metadata, &self->base);
}

/* Insert, then CREATE; remove, then EXIT: with the process, and how it ended. */
TEST_F(exits, one)
{
	const struct kreg_event *e;
	char room[8];

	ASSERT_EQ(0, kid_bind(self->kid, self->id, "k", "v"));
	e = test_expect(self->r, KREG_EVENT_CREATE, "k");
	EXPECT_TRUE(test_same(self->who, e->process));
	test_puts(self->fd, self->id, "k", "w");
	e = test_expect(self->r, KREG_EVENT_UPDATE, "k");
	EXPECT_TRUE(test_same(self->who, e->process));
	test_puts(self->fd, self->id, "plain", "v");
	e = test_expect(self->r, KREG_EVENT_CREATE, "plain");
	EXPECT_TRUE(test_none(e->process));

	EXPECT_EQ(5 << 8, kid_exit(self->kid, 5));
	e = test_expect(self->r, KREG_EVENT_EXIT, "k");
	EXPECT_TRUE(test_same(self->who, e->process));
	EXPECT_EQ(KREG_CAUSE_DEATH, e->cause);
	EXPECT_EQ(KREG_EVENT_STATUS, e->flags);
	EXPECT_EQ(5 << 8, e->status);
	EXPECT_EQ(0, e->value_len);
	test_err_get(ENODATA, self->fd, self->id, "k", 1, room, sizeof(room));
	test_nothing(self->r);
}

/* One each, however many commits that takes; numbers and versions grow. */
TEST_F(exits, many)
{
	const struct kreg_event *e;
	__u64 seq = 0, version = 0;
	bool seen[MANY] = {};
	char key[16];
	int i, n;

	ASSERT_EQ(MANY, kid_bind_many(self->kid, self->id, "k", MANY, 0));
	for (i = 0; i < MANY; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		test_expect(self->r, KREG_EVENT_CREATE, key);
	}
	EXPECT_EQ(SIGKILL, kid_kill(self->kid));
	for (i = 0; i < MANY; i++) {
		e = test_next(self->r);
		ASSERT_NE(NULL, e);
		ASSERT_EQ(KREG_EVENT_EXIT, e->kind);
		EXPECT_LT(seq, e->seq);
		EXPECT_LE(version, e->version);
		seq = e->seq;
		version = e->version;
		snprintf(key, sizeof(key), "%.*s", e->key_len, test_key(e));
		ASSERT_EQ('k', key[0]);
		n = atoi(key + 1);
		ASSERT_TRUE(n >= 0 && n < MANY && !seen[n]);
		seen[n] = true;
	}
	test_nothing(self->r);
	EXPECT_EQ(0, test_objects(self->fd, self->id));
}

/*
 * While they are removed, in many commits: what was told of does not count any more. The test runs
 * before the thread goes on, as soon as that has told something.
 */
TEST_F(exits, gone_when_told)
{
	unsigned int i, n = 500;

	ASSERT_EQ(n, kid_bind_many(self->kid, self->id, "k", n, 0));
	for (i = 0; i < n; i++)
		ASSERT_NE(NULL, test_next(self->r));
	set_cpu(_metadata, find_thread(), 0);
	set_cpu(_metadata, 0, 0);
	set_fifo(_metadata, 0, 50);
	kill(self->kid->pid, SIGKILL);
	for (i = 1; i <= n; i++) {
		ASSERT_NE(NULL, test_next(self->r));
		EXPECT_LE(test_objects(self->fd, self->id), n - i);
	}
	set_fifo(_metadata, 0, 0);
	set_any_cpu(_metadata, find_thread());
	kid_reap(self->kid);
}

/* A process at its end, whose object is displaced, then one that is deleted. */
TEST_F(exits, displaced)
{
	const struct kreg_event *e;
	struct kreg_op op;
	int status;

	ASSERT_EQ(0, kid_bind(self->kid, self->id, "k", "v"));
	ASSERT_EQ(0, kid_bind(self->kid, self->id, "l", "v"));
	test_expect(self->r, KREG_EVENT_CREATE, "k");
	test_expect(self->r, KREG_EVENT_CREATE, "l");
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, self->kid->pid, NULL, PTRACE_O_TRACEEXIT));
	kill(self->kid->pid, SIGTERM);
	do {
		ASSERT_EQ(self->kid->pid, waitpid(self->kid->pid, &status, __WALL));
		if (status >> 8 != (SIGTRAP | PTRACE_EVENT_EXIT << 8))
			ptrace(PTRACE_CONT, self->kid->pid, NULL, SIGTERM);
	} while (status >> 8 != (SIGTRAP | PTRACE_EVENT_EXIT << 8));
	test_nothing(self->r);

	/* Nothing that is the caller's, so nothing happens. */
	op = test_ops(KREG_OP_DELETE, "l");
	op.flags = KREG_OP_MINE;
	EXPECT_EQ(0, _test_op(self->fd, self->id, 0, &op));
	EXPECT_EQ(0, op.out_count);
	test_nothing(self->r);

	test_bind_new(self->fd, self->id, "k", "mine");
	e = test_expect(self->r, KREG_EVENT_EXIT, "k");
	EXPECT_TRUE(test_same(self->who, e->process));
	e = test_expect(self->r, KREG_EVENT_CREATE, "k");
	EXPECT_TRUE(test_same(test_self(self->fd), e->process));
	op = test_ops(KREG_OP_DELETE, "l");
	EXPECT_EQ(0, _test_op(self->fd, self->id, 0, &op));
	EXPECT_EQ(0, op.out_count);
	e = test_expect(self->r, KREG_EVENT_EXIT, "l");
	EXPECT_TRUE(test_same(self->who, e->process));
	test_nothing(self->r);

	ASSERT_EQ(0, ptrace(PTRACE_CONT, self->kid->pid, NULL, NULL));
	EXPECT_EQ(SIGTERM, kid_reap(self->kid));
	test_sync(self->fd);
	test_nothing(self->r);
}

/* The record of a watch comes when the events can be read. */
TEST_F(exits, before_down)
{
	struct test_event event;
	int other = test_client();
	__u64 watch;

	ASSERT_EQ(MANY, kid_bind_many(self->kid, self->id, "k", MANY, 0));
	test_watch(other, self->who, &watch);
	EXPECT_EQ(SIGKILL, kid_kill(self->kid));
	test_event_now(other, &event);
	test_down(&event, watch, self->who, KREG_CAUSE_DEATH);
	EXPECT_EQ(0, test_objects(self->fd, self->id));
	close(other);
}

TEST_HARNESS_MAIN
