// SPDX-License-Identifier: GPL-2.0
/* Waits that sleep in the call, and waits for the name of a table. */
#include <pthread.h>

#include "kit/fixture.h"
#include "kit/line.h"

FIXTURE(await_sleep) {
	struct test_base base;
	int fd;
	__u64 table;
	struct kid *kid;
};

FIXTURE_SETUP(await_sleep)
{
	self->fd = test_setup(_metadata, &self->base);
	self->kid = kid_start(_metadata);
	test_create(self->fd, "awaited", KREG_ACCESS_PUBLIC, &self->table);
}

FIXTURE_TEARDOWN_PARENT(await_sleep)
{
	test_teardown(_metadata, &self->base);
}

static long kid_waits(struct kid *kid)
{
	return test_places_of(kid->pid, kid->job->fd);
}

/* Who waits for a key is counted, and sleeps, as who stands in its line. */
#define test_kid_waits(kid)	ASSERT_TRUE(kid_is_in_line(kid))

TEST_F(await_sleep, present)
{
	struct kreg_ioc_watch out;

	kid_ask_sleep(self->kid, self->table, KREG_WATCH_PRESENT, "k");
	test_kid_waits(self->kid);
	test_puts(self->fd, self->table, "l", "v");
	EXPECT_EQ(1, kid_waits(self->kid));
	test_puts(self->fd, self->table, "k", "v");
	ASSERT_EQ(0, kid_answer(self->kid));
	EXPECT_EQ(test_version(self->fd, self->table, "k"), self->kid->job->arg2);
	EXPECT_TRUE(test_none(self->kid->job->process));
	EXPECT_EQ(0, kid_waits(self->kid));
	test_sleep(self->fd, self->table, KREG_WATCH_PRESENT, "k", 0, -1, &out);
	EXPECT_EQ(test_version(self->fd, self->table, "k"), out.out_version);
	EXPECT_EQ(0, out.out_id);
	test_no_event(self->fd);
}

TEST_F(await_sleep, absent_at_death)
{
	struct kid *holder = kid_start(_metadata);

	ASSERT_EQ(0, kid_bind(holder, self->table, "k", "v"));
	kid_ask_sleep(self->kid, self->table, KREG_WATCH_PRESENT, "k");
	ASSERT_EQ(0, kid_answer(self->kid));
	EXPECT_TRUE(test_same(holder->self, self->kid->job->process));
	kid_ask_sleep(self->kid, self->table, KREG_WATCH_ABSENT, "k");
	test_kid_waits(self->kid);
	kid_kill(holder);
	ASSERT_EQ(0, kid_answer(self->kid));
	EXPECT_EQ(0, self->kid->job->arg2);
}

TEST_F(await_sleep, deadline)
{
	struct kreg_ioc_watch out;
	__u64 start = test_now_ns();

	test_err_sleep(ETIMEDOUT, self->fd, self->table, KREG_WATCH_PRESENT, "k", 0, 0, &out);
	test_err_sleep(ETIMEDOUT, self->fd, self->table, KREG_WATCH_PRESENT, "k", 0, 50, &out);
	EXPECT_LE(start + 50 * 1000000ULL, test_now_ns());
	test_err_sleep(ETIMEDOUT, self->fd, 0, KREG_WATCH_PRESENT, "no", 0, 10, &out);
	/* What holds is found also when it is too late. */
	test_sleep(self->fd, self->table, KREG_WATCH_ABSENT, "k", 0, 0, &out);
	test_puts(self->fd, self->table, "k", "v");
	test_sleep(self->fd, self->table, KREG_WATCH_CHANGED, "k", 0, 0, &out);
	test_err_sleep(ETIMEDOUT, self->fd, self->table, KREG_WATCH_CHANGED, "k",
		       out.out_version, 10, &out);
}

static void on_signal(int sig)
{
}

static long job_interrupted(struct job *job)
{
	struct sigaction act = { .sa_handler = on_signal };

	sigaction(SIGUSR1, &act, NULL);
	return job_sleep(job);
}

TEST_F(await_sleep, signal)
{
	kid_ask_sleep(self->kid, self->table, KREG_WATCH_ABSENT, "k");
	ASSERT_EQ(0, kid_answer(self->kid));
	self->kid->job->arg = KREG_WATCH_PRESENT;
	self->kid->job->arg2 = 0;
	kid_ask(self->kid, job_interrupted);
	test_kid_waits(self->kid);
	kill(self->kid->pid, SIGUSR1);
	EXPECT_EQ(-EINTR, kid_answer(self->kid));
	EXPECT_EQ(0, kid_waits(self->kid));
}

TEST_F(await_sleep, table_gone)
{
	kid_ask_sleep(self->kid, self->table, KREG_WATCH_PRESENT, "k");
	test_kid_waits(self->kid);
	test_destroy(self->fd, self->table);
	EXPECT_EQ(-ESTALE, kid_answer(self->kid));
}

TEST_F(await_sleep, right_gone)
{
	struct kid *alice = kid_start_as(_metadata, 1000);

	kid_ask_sleep(alice, self->table, KREG_WATCH_PRESENT, "k");
	test_kid_waits(alice);
	test_access(self->fd, self->table, KREG_ACCESS_PRIVATE);
	EXPECT_EQ(-EACCES, kid_answer(alice));
	kid_kill(alice);
}

TEST_F(await_sleep, killed)
{
	kid_ask_sleep(self->kid, self->table, KREG_WATCH_PRESENT, "k");
	test_kid_waits(self->kid);
	EXPECT_EQ(SIGKILL, kid_kill(self->kid));
	test_puts(self->fd, self->table, "k", "v");
}

TEST_F(await_sleep, name)
{
	struct kreg_ioc_watch out;
	__u64 id, other, table;

	test_await(self->fd, 0, KREG_WATCH_PRESENT, "awaited", 0, &id);
	test_ready_now(self->fd, id, "awaited", 0);
	test_await(self->fd, 0, KREG_WATCH_ABSENT, "name", 0, &id);
	test_ready_now(self->fd, id, "name", 0);
	test_await(self->fd, 0, KREG_WATCH_PRESENT, "name", 0, &id);
	test_await(self->fd, 0, KREG_WATCH_ABSENT, "awaited", 0, &other);
	kid_ask_sleep(self->kid, 0, KREG_WATCH_PRESENT, "name");
	test_kid_waits(self->kid);
	test_no_event(self->fd);
	ASSERT_EQ(0, _test_create(self->fd, "nam", 0, &table));
	test_no_event(self->fd);
	ASSERT_EQ(0, _test_create(self->fd, "name", 0, &table));
	test_ready_now(self->fd, id, "name", 0);
	EXPECT_EQ(0, kid_answer(self->kid));
	test_destroy(self->fd, self->table);
	test_ready_now(self->fd, other, "awaited", 0);
	test_sleep(self->fd, 0, KREG_WATCH_ABSENT, "awaited", 0, -1, &out);
	EXPECT_EQ(0, out.out_version);
	test_await(self->fd, 0, KREG_WATCH_ABSENT, "name", 0, &id);
	test_cancel(self->fd, id, 0);
	test_destroy(self->fd, table);
	test_no_event(self->fd);
}

/* The table of the dead is gone for who looks, and so for who waits. */
TEST_F(await_sleep, name_of_the_dead)
{
	struct kreg_ioc_watch out;
	__u64 table, id;
	struct test_event event;

	ASSERT_EQ(0, kid_create(self->kid, "his", 0, &table));
	test_await(self->fd, 0, KREG_WATCH_ABSENT, "his", 0, &id);
	kill(self->kid->pid, SIGKILL);
	ASSERT_TRUE(kid_dead(self->kid));
	test_sleep(self->fd, 0, KREG_WATCH_ABSENT, "his", 0, 0, &out);
	test_event(self->fd, &event);
	test_ready(&event, id, "his", 0);
	kid_reap(self->kid);
}

static void *sleep_thread(void *arg)
{
	long *args = arg;
	struct kreg_ioc_watch out;

	return (void *)(long)_test_sleep(args[0], args[1], KREG_WATCH_PRESENT, "k", 0, -1, &out);
}

/* All who wait are woken, not only the first. */
TEST_F(await_sleep, all_wake)
{
	long args[] = { self->fd, self->table };
	pthread_t threads[40];
	unsigned int i;
	void *ret;

	for (i = 0; i < ARRAY_SIZE(threads); i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, sleep_thread, args));
	test_pause_ms(20);
	test_puts(self->fd, self->table, "k", "v");
	for (i = 0; i < ARRAY_SIZE(threads); i++) {
		ASSERT_EQ(0, pthread_join(threads[i], &ret));
		EXPECT_EQ(NULL, ret);
	}
}

TEST_HARNESS_MAIN
