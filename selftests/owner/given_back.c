// SPDX-License-Identifier: GPL-2.0
/*
 * What a call was charged for and has not used is given back when it returns, so that the next
 * one finds room at the limit of the user: also if the writer's thread has performed it, and is
 * not done with it yet. It shares a processor here with a caller that is preferred, so that the
 * caller goes on as soon as it is told of the end.
 */
#include "kit/fixture.h"
#include "kit/line.h"
#include "kit/stall.h"

#define ALICE	1000
#define ROUNDS	100

FIXTURE(given_back) {
	struct test_base base;
	int fd;
	bool lend;
	long long bound, watches;
	struct kid *alice;
	__u64 table;
};

FIXTURE_SETUP(given_back)
{
	char text[4];

	self->fd = test_setup(_metadata, &self->base);
	test_read_file(KREG_PARAMS "lend", text, sizeof(text));
	self->lend = text[0] == 'Y';
	self->bound = test_param("max_user_bound");
	self->watches = test_param("max_user_watches");
	test_create(self->fd, "locks", KREG_ACCESS_REGISTRY, &self->table);
	test_bind(self->fd, self->table, "key", "v");
	self->alice = kid_start_as(_metadata, ALICE);
	self->alice->job->table = self->table;
	ASSERT_EQ(0, test_set_param("lend", false));
	set_cpu(_metadata, find_thread(), 0);
	set_cpu(_metadata, self->alice->pid, 0);
	set_fifo(_metadata, self->alice->pid, 50);
}

FIXTURE_TEARDOWN_PARENT(given_back)
{
	set_any_cpu(_metadata, find_thread());
	EXPECT_EQ(0, test_set_param("max_user_bound", self->bound));
	EXPECT_EQ(0, test_set_param("max_user_watches", self->watches));
	EXPECT_EQ(0, test_set_param("lend", self->lend));
	test_teardown(_metadata, &self->base);
}

/* The key is tried before, which is charged as well, and it is held. */
static long job_stand_and_leave(struct job *job)
{
	int i, err = 0;

	for (i = 0; i < ROUNDS && !err; i++) {
		err = _test_stand(job->fd, job->table, &job->arg);
		if (!err)
			err = _test_cancel(job->fd, job->arg, 0);
	}
	return err;
}

TEST_F(given_back, bound)
{
	ASSERT_EQ(0, test_set_param("max_user_bound", 1));
	EXPECT_EQ(0, kid_do(self->alice, job_stand_and_leave));
}

static long job_sleep_too_late(struct job *job)
{
	struct kreg_ioc_watch out;
	int i, err = -ETIMEDOUT;

	for (i = 0; i < ROUNDS && err == -ETIMEDOUT; i++)
		err = _test_sleep(job->fd, job->table, KREG_WATCH_ABSENT, "key", 0, 0, &out);
	return err;
}

TEST_F(given_back, asleep)
{
	ASSERT_EQ(0, test_set_param("max_user_watches", 1));
	EXPECT_EQ(-ETIMEDOUT, kid_do(self->alice, job_sleep_too_late));
}

static long job_try_lock(struct job *job)
{
	int i, err = -ETIMEDOUT;

	for (i = 0; i < ROUNDS && err == -ETIMEDOUT; i++)
		err = _test_lock(job->fd, job->table, 1, NULL);
	return err;
}

TEST_F(given_back, lock)
{
	ASSERT_EQ(0, test_set_param("max_user_bound", 1));
	ASSERT_EQ(0, test_set_param("max_user_watches", 1));
	EXPECT_EQ(-ETIMEDOUT, kid_do(self->alice, job_try_lock));
}

/* Nothing waits: the key is there already. */
static long job_wait_for_nothing(struct job *job)
{
	struct kreg_ioc_watch out;
	int i, err = 0;

	for (i = 0; i < ROUNDS && !err; i++)
		err = _test_sleep(job->fd, job->table, KREG_WATCH_PRESENT, "key", 0, -1, &out);
	return err;
}

TEST_F(given_back, at_once)
{
	ASSERT_EQ(0, test_set_param("max_user_watches", 1));
	EXPECT_EQ(0, kid_do(self->alice, job_wait_for_nothing));
}

TEST_HARNESS_MAIN
