// SPDX-License-Identifier: GPL-2.0
/*
 * Waits for keys whose objects are bound to processes: who is exiting, dead, or lingers.
 */
#include <sys/ptrace.h>

#include "kit/fixture.h"
#include "kit/await.h"
#include "kit/line.h"
#include "kit/register.h"

#define SHORT_MS	100

FIXTURE(await_bound) {
	struct test_base base;
	int fd;
	__u64 table;
};

FIXTURE_SETUP(await_bound)
{
	self->fd = test_setup(_metadata, &self->base);
	test_create(self->fd, "awaited", KREG_ACCESS_PUBLIC, &self->table);
}

FIXTURE_TEARDOWN_PARENT(await_bound)
{
	test_teardown(_metadata, &self->base);
}

/* Who has it is told; when he is dead it is absent. */
TEST_F(await_bound, bound)
{
	struct kid *kid = kid_start(_metadata);
	struct test_event event;
	__u64 id, changed, version;

	test_await(self->fd, self->table, KREG_WATCH_PRESENT, "k", 0, &id);
	ASSERT_EQ(0, kid_bind(kid, self->table, "k", "v"));
	version = test_version(self->fd, self->table, "k");
	test_event_now(self->fd, &event);
	test_ready(&event, id, "k", version);
	EXPECT_TRUE(test_same(kid->self, event.e.process));
	test_await(self->fd, self->table, KREG_WATCH_PRESENT, "k", 0, &id);
	test_event_now(self->fd, &event);
	EXPECT_TRUE(test_same(kid->self, event.e.process));
	test_await(self->fd, self->table, KREG_WATCH_ABSENT, "k", 0, &id);
	test_await(self->fd, self->table, KREG_WATCH_CHANGED, "k", version, &changed);
	test_no_event(self->fd);
	kid_kill(kid);
	test_sync(self->fd);
	test_both_absent(self->fd, id, changed, "k");
}

/* What is bound to who is exiting is absent; and is not yet for those who have waited before. */
TEST_F(await_bound, hidden)
{
	struct kid *kid = kid_start(_metadata);
	__u64 before, absent, present, changed;
	int status;

	ASSERT_EQ(0, kid_bind(kid, self->table, "k", "v"));
	test_await(self->fd, self->table, KREG_WATCH_ABSENT, "k", 0, &before);
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, kid->pid, 0, PTRACE_O_TRACEEXIT));
	kid_ask(kid, job_exit);
	ASSERT_EQ(kid->pid, waitpid(kid->pid, &status, __WALL));
	ASSERT_EQ(SIGTRAP | (PTRACE_EVENT_EXIT << 8), status >> 8);
	test_no_event(self->fd);
	test_await(self->fd, self->table, KREG_WATCH_ABSENT, "k", 0, &absent);
	test_ready_now(self->fd, absent, "k", 0);
	test_await(self->fd, self->table, KREG_WATCH_PRESENT, "k", 0, &present);
	test_await(self->fd, self->table, KREG_WATCH_CHANGED, "k", 0, &changed);
	test_no_event(self->fd);
	ASSERT_EQ(0, ptrace(PTRACE_CONT, kid->pid, 0, 0));
	kid_reap(kid);
	test_sync(self->fd);
	test_ready_now(self->fd, before, "k", 0);
	test_puts(self->fd, self->table, "k", "v");
	test_all_ready(self->fd, 2);
}

/* Another takes the place of an object whose process is exiting: it was absent, and is present. */
TEST_F(await_bound, displaced)
{
	struct kid *kid = kid_start(_metadata);
	__u64 absent, present;
	int status;

	ASSERT_EQ(0, kid_bind(kid, self->table, "k", "v"));
	test_await(self->fd, self->table, KREG_WATCH_ABSENT, "k", 0, &absent);
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, kid->pid, 0, PTRACE_O_TRACEEXIT));
	kid_ask(kid, job_exit);
	ASSERT_EQ(kid->pid, waitpid(kid->pid, &status, __WALL));
	test_await(self->fd, self->table, KREG_WATCH_PRESENT, "k", 0, &present);
	test_bind_new(self->fd, self->table, "k", "mine");
	test_all_ready(self->fd, 2);
	ASSERT_EQ(0, ptrace(PTRACE_CONT, kid->pid, 0, 0));
	kid_reap(kid);
	test_sync(self->fd);
	test_no_event(self->fd);
}

/*
 * A key that is kept for who is exiting is absent, whatever is written to it: what replaces its
 * value is as hidden as that was.
 */
TEST_F(await_bound, kept)
{
	struct kid *kid = kid_start(_metadata);
	__u64 present;
	int status;

	ASSERT_EQ(0, kid_lock(kid, self->table, -1));
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, kid->pid, 0, PTRACE_O_TRACEEXIT));
	kid_ask(kid, job_exit);
	ASSERT_EQ(kid->pid, waitpid(kid->pid, &status, __WALL));
	ASSERT_EQ(SIGTRAP | (PTRACE_EVENT_EXIT << 8), status >> 8);
	test_await(self->fd, self->table, KREG_WATCH_PRESENT, "key", 0, &present);
	test_puts(self->fd, self->table, "key", "v");
	EXPECT_EQ(0, test_version(self->fd, self->table, "key"));
	test_no_event(self->fd);
	ASSERT_EQ(0, ptrace(PTRACE_CONT, kid->pid, 0, 0));
	kid_reap(kid);
	test_sync(self->fd);
	test_no_event(self->fd);
	test_puts(self->fd, self->table, "key", "v");
	test_ready_now(self->fd, present, "key", test_version(self->fd, self->table, "key"));
}

/* What lingers is present, of nobody who lives, until its time is up or another has its key. */
TEST_F(await_bound, lingering)
{
	struct kid *kid = kid_start(_metadata), *next = kid_start(_metadata);
	struct test_event event;
	__u64 absent, present, version;

	ASSERT_EQ(0, kid_linger(kid, self->table, "k", test_scale(60000)));
	test_await(self->fd, self->table, KREG_WATCH_ABSENT, "k", 0, &absent);
	kid_kill(kid);
	test_sync(self->fd);
	test_no_event(self->fd);
	version = test_version(self->fd, self->table, "k");
	test_await(self->fd, self->table, KREG_WATCH_PRESENT, "k", 0, &present);
	test_event_now(self->fd, &event);
	test_ready(&event, present, "k", version);
	EXPECT_EQ(0, event.e.process.pid);
	EXPECT_EQ(kid->self.cookie, event.e.process.cookie);
	ASSERT_EQ(0, kid_linger(next, self->table, "k", SHORT_MS));
	test_no_event(self->fd);
	kid_kill(next);
	ASSERT_TRUE(test_wait_for(!test_version(self->fd, self->table, "k")));
	test_ready_now(self->fd, absent, "k", 0);
}

TEST_HARNESS_MAIN
