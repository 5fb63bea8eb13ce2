// SPDX-License-Identifier: GPL-2.0
/* libkreg: waiting for a job, when events are lost, or are not those of who waits. */
#include "kit/file.h"
#include "lib/queue.h"

#define MAX_SUBSCRIPTIONS	"/sys/module/kreg/parameters/max_subscriptions"

/* Events that are lost between two waits do not end what is subscribed to. */
TEST_F(queue, waits_after_overflows)
{
	char before[32], value[64] = "";
	struct kreg_job *job;
	int i, n, ret = 0;

	ASSERT_EQ(0, kreg_table_set_stream(self->table, 16384));
	ASSERT_LT(0, test_read_file(MAX_SUBSCRIPTIONS, before, sizeof(before)));
	ASSERT_EQ(0, test_write_file(MAX_SUBSCRIPTIONS, "2"));
	for (i = 0; i < 5; i++) {
		EXPECT_EQ(-ETIMEDOUT, kreg_queue_take(self->queue, 1, &job));
		for (n = 0; n < 300; n++)
			ret |= kreg_queue_push(self->queue, value, sizeof(value), 3600000);
		EXPECT_EQ(0, ret);
	}
	EXPECT_EQ(0, test_write_file(MAX_SUBSCRIPTIONS, before));
	ASSERT_EQ(0, kreg_queue_push(self->queue, "job", 3, 20));
	ASSERT_EQ(0, kreg_queue_take(self->queue, PATIENCE_MS, &job));
	EXPECT_TRUE(is_job(job, "job", 1));
	EXPECT_EQ(0, kreg_job_done(job));
}

/* Once the library asks whether it can read at once, it is told so though there is nothing. */
static bool promises;

int poll(struct pollfd *files, nfds_t n, int ms)
{
	struct timespec time = { ms / 1000, ms % 1000 * 1000000l };

	if (!promises || ms)
		return ppoll(files, n, ms < 0 ? NULL : &time, NULL);
	promises = false;
	files->revents = POLLIN;
	return 1;
}

/* What is promised and not there is no error. */
TEST_F(queue, waits_for_what_was_promised)
{
	struct kreg_job *job;

	EXPECT_EQ(-ETIMEDOUT, kreg_queue_take(self->queue, 1, &job));
	promises = true;
	EXPECT_EQ(-ETIMEDOUT, kreg_queue_take(self->queue, 1, &job));
	EXPECT_FALSE(promises);
	ASSERT_EQ(0, kreg_queue_push(self->queue, "job", 3, 20));
	ASSERT_EQ(0, kreg_queue_take(self->queue, PATIENCE_MS, &job));
	EXPECT_EQ(0, kreg_job_done(job));
}

/* A child that waits has a file of its own, and reads nothing of its parent's. */
TEST_F(queue, waits_in_a_child)
{
	struct kreg_job *job;
	int status;
	pid_t pid;

	EXPECT_EQ(-ETIMEDOUT, kreg_queue_take(self->queue, 1, &job));
	pid = fork();
	if (!pid)
		_exit(kreg_queue_take(self->queue, PATIENCE_MS, &job) || kreg_job_done(job));
	ASSERT_LT(0, pid);
	usleep(20000);
	ASSERT_EQ(0, kreg_queue_push(self->queue, "job", 3, 0));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	ASSERT_EQ(0, kreg_queue_push(self->queue, "again", 5, 20));
	ASSERT_EQ(0, kreg_queue_take(self->queue, PATIENCE_MS, &job));
	EXPECT_TRUE(is_job(job, "again", 1));
	EXPECT_EQ(0, kreg_job_done(job));
}

/* What has got the number of a descriptor that the program has closed is not read from. */
TEST_F(queue, descriptor_of_another)
{
	struct kreg_job *job;
	int ends[2], next, fd;
	char byte;

	/* The one that waiting opens is the next that is free. */
	ASSERT_LE(0, next = dup(0));
	close(next);
	EXPECT_EQ(-ETIMEDOUT, kreg_queue_take(self->queue, 1, &job));
	ASSERT_EQ(0, pipe(ends));
	ASSERT_EQ(1, write(ends[1], "x", 1));
	ASSERT_EQ(next, fd = dup2(ends[0], next));
	EXPECT_EQ(-EBADF, kreg_queue_take(self->queue, 1, &job));
	EXPECT_EQ(1, read(fd, &byte, 1));
	close(ends[0]);
	close(ends[1]);
}

TEST_HARNESS_MAIN
