// SPDX-License-Identifier: GPL-2.0
/* libkreg: work queues, and workers that are killed. */
#include <pthread.h>
#include <sys/mman.h>

#include "lib/lib.h"

/* Of a test with kills. */
#define JOBS	(1 << 20)
#define WORKERS	4

FIXTURE(queue)
{
	struct kreg_client *client;
	struct kreg_table *table;
	struct kreg_queue *queue;
};

static struct kreg_table *open_jobs(struct kreg_client *client)
{
	struct kreg_open_options options = KREG_OPEN_OPTIONS_INIT;
	struct kreg_table *table;

	options.flags = KREG_OPEN_CREATE;
	options.type = KREG_TYPE_ORDERED_SET;
	options.access = KREG_ACCESS_PUBLIC;
	return kreg_table_open(client, "jobs", &options, &table) ? NULL : table;
}

/* Of a process that has none so far. */
static struct kreg_queue *open_queue(void)
{
	struct kreg_client *client;
	struct kreg_table *table;
	struct kreg_queue *q;

	if (kreg_client_open(NULL, &client))
		return NULL;
	table = open_jobs(client);
	return table && !kreg_queue_open(table, NULL, &q) ? q : NULL;
}

FIXTURE_SETUP(queue)
{
	ASSERT_EQ(0, kreg_client_open(NULL, &self->client));
	self->table = open_jobs(self->client);
	ASSERT_NE(NULL, self->table);
	ASSERT_EQ(0, kreg_queue_open(self->table, NULL, &self->queue));
}

FIXTURE_TEARDOWN(queue)
{
	kreg_queue_close(self->queue);
	kreg_table_destroy(self->table);
	kreg_table_close(self->table);
	kreg_client_close(self->client);
}

static bool is_job(const struct kreg_job *job, const char *value, uint32_t deliveries)
{
	size_t len;

	return !strcmp(value, kreg_job_value(job, &len)) && len == strlen(value) &&
	       kreg_job_deliveries(job) == deliveries;
}

static bool counts_are(struct kreg_queue *q, uint64_t due, uint64_t delayed, uint64_t dead,
		       uint64_t lent)
{
	struct kreg_queue_counts c = KREG_QUEUE_COUNTS_INIT;

	if (kreg_queue_count(q, &c))
		return false;
	if (c.due == due && c.delayed == delayed && c.dead == dead && c.lent == lent)
		return true;
	printf("# due %llu, delayed %llu, dead %llu, lent %llu\n", (unsigned long long)c.due,
	       (unsigned long long)c.delayed, (unsigned long long)c.dead,
	       (unsigned long long)c.lent);
	return false;
}

TEST_F(queue, in_order)
{
	struct kreg_job *job, *second;

	EXPECT_EQ(-ETIMEDOUT, kreg_queue_take(self->queue, 0, &job));
	EXPECT_STREQ("no job of table 'jobs' is due", kreg_errmsg());
	ASSERT_EQ(0, kreg_queue_push(self->queue, "one", 3, 0));
	ASSERT_EQ(0, kreg_queue_push(self->queue, "two", 3, 0));
	EXPECT_TRUE(counts_are(self->queue, 2, 0, 0, 0));
	ASSERT_EQ(0, kreg_queue_take(self->queue, 0, &job));
	EXPECT_TRUE(is_job(job, "one", 1));
	ASSERT_EQ(0, kreg_queue_take(self->queue, -1, &second));
	EXPECT_TRUE(is_job(second, "two", 1));
	EXPECT_EQ(-ETIMEDOUT, kreg_queue_take(self->queue, 1, &job));
	EXPECT_EQ(0, kreg_job_done(second));
	EXPECT_EQ(0, kreg_job_back(job, 0));
	ASSERT_EQ(0, kreg_queue_take(self->queue, 0, &job));
	EXPECT_TRUE(is_job(job, "one", 2));
	EXPECT_EQ(0, kreg_job_done(job));
	EXPECT_TRUE(counts_are(self->queue, 0, 0, 0, 0));
}

/* The later it is due, the later it comes; and who waits is there when it does. */
TEST_F(queue, delayed)
{
	struct kreg_job *job;

	ASSERT_EQ(0, kreg_queue_push(self->queue, "later", 5, 300));
	ASSERT_EQ(0, kreg_queue_push(self->queue, "never", 5, 3600000));
	EXPECT_TRUE(counts_are(self->queue, 0, 2, 0, 0));
	EXPECT_EQ(-ETIMEDOUT, kreg_queue_take(self->queue, 0, &job));
	ASSERT_EQ(0, kreg_queue_push(self->queue, "now", 3, 0));
	ASSERT_EQ(0, kreg_queue_take(self->queue, 0, &job));
	EXPECT_TRUE(is_job(job, "now", 1));
	EXPECT_EQ(0, kreg_job_done(job));
	ASSERT_EQ(0, kreg_queue_take(self->queue, 60000, &job));
	EXPECT_TRUE(is_job(job, "later", 1));
	EXPECT_EQ(0, kreg_job_back(job, 1));
	ASSERT_EQ(0, kreg_queue_take(self->queue, 60000, &job));
	EXPECT_TRUE(is_job(job, "later", 2));
	EXPECT_EQ(0, kreg_job_done(job));
	EXPECT_TRUE(counts_are(self->queue, 0, 1, 0, 0));
}

TEST_F(queue, dead)
{
	struct kreg_queue_options o = KREG_QUEUE_OPTIONS_INIT;
	struct kreg_queue *q;
	struct kreg_job *job;
	uint64_t n;
	uint32_t i;

	o.max_deliveries = 3;
	ASSERT_EQ(0, kreg_queue_open(self->table, &o, &q));
	ASSERT_EQ(0, kreg_queue_push(q, "bad", 3, 0));
	ASSERT_EQ(0, kreg_queue_push(q, "good", 4, 0));
	for (i = 1; i <= 3; i++) {
		ASSERT_EQ(0, kreg_queue_take(q, 0, &job));
		EXPECT_TRUE(is_job(job, "bad", i));
		EXPECT_EQ(0, kreg_job_back(job, 0));
	}
	ASSERT_EQ(0, kreg_queue_take(q, 0, &job));
	EXPECT_TRUE(is_job(job, "good", 1));
	EXPECT_EQ(0, kreg_job_reject(job));
	EXPECT_TRUE(counts_are(q, 0, 0, 2, 0));
	EXPECT_EQ(0, kreg_queue_revive(q, &n));
	EXPECT_EQ(2, n);
	ASSERT_EQ(0, kreg_queue_take(q, 0, &job));
	EXPECT_TRUE(is_job(job, "bad", 1));
	EXPECT_EQ(0, kreg_job_done(job));
	kreg_queue_close(q);
}

/* A job whose time is over goes to others, and is theirs. */
TEST_F(queue, too_late)
{
	struct kreg_queue_options o = KREG_QUEUE_OPTIONS_INIT;
	struct kreg_job *late, *job;
	struct kreg_queue *q;

	o.lease_ms = 50;
	ASSERT_EQ(0, kreg_queue_open(self->table, &o, &q));
	ASSERT_EQ(0, kreg_queue_push(q, "job", 3, 0));
	ASSERT_EQ(0, kreg_queue_take(q, 0, &late));
	ASSERT_EQ(0, kreg_queue_take(self->queue, 60000, &job));
	EXPECT_TRUE(is_job(job, "job", 2));
	EXPECT_EQ(-ECANCELED, kreg_job_done(late));
	EXPECT_EQ(0, kreg_job_done(job));
	/* Likewise it cannot be put anywhere. */
	ASSERT_EQ(0, kreg_queue_push(q, "job", 3, 0));
	ASSERT_EQ(0, kreg_queue_take(q, 0, &late));
	ASSERT_EQ(0, kreg_queue_take(self->queue, 60000, &job));
	EXPECT_EQ(-ECANCELED, kreg_job_reject(late));
	EXPECT_EQ(0, kreg_job_done(job));
	EXPECT_TRUE(counts_are(self->queue, 0, 0, 0, 0));
	kreg_queue_close(q);
}

TEST_F(queue, errors)
{
	struct kreg_queue_options o = KREG_QUEUE_OPTIONS_INIT;
	struct kreg_queue_counts c = { 0 };
	struct kreg_table *set;
	struct kreg_queue *q;
	struct kreg_job *job;

	ASSERT_EQ(0, kreg_table_own(self->client, "a set", 0, NULL, &set));
	EXPECT_EQ(-EOPNOTSUPP, kreg_queue_open(set, NULL, &q));
	kreg_table_destroy(set);
	kreg_table_close(set);
	o.size = 0;
	EXPECT_EQ(-EINVAL, kreg_queue_open(self->table, &o, &q));
	EXPECT_EQ(-EINVAL, kreg_queue_count(self->queue, &c));
	EXPECT_EQ(-EINVAL, kreg_queue_push(self->queue, "x", 1, -1));
	ASSERT_EQ(0, kreg_queue_push(self->queue, "x", 1, 0));
	ASSERT_EQ(0, kreg_queue_take(self->queue, 0, &job));
	EXPECT_EQ(-EINVAL, kreg_job_back(job, -1));
	/* It is not left on loan, where nobody could end it. */
	ASSERT_EQ(0, kreg_queue_take(self->queue, 0, &job));
	EXPECT_EQ(2, kreg_job_deliveries(job));
	EXPECT_EQ(0, kreg_job_done(job));
	ASSERT_EQ(0, kreg_clear(self->table, NULL));
	/* What is no job is left where it is. */
	ASSERT_EQ(0, kreg_put(self->table, "j", 1, "v", 1));
	ASSERT_EQ(0, kreg_put(self->table, "jobs are longer, or shorter", 27, "v", 1));
	kreg_queue_close(NULL);
}

static void *push_later(void *arg)
{
	usleep(20000);
	return (void *)(long)kreg_queue_push(arg, "job", 3, 0);
}

/* Who waits is woken by a push, and by the death of who had a job. */
TEST_F(queue, waits)
{
	struct kreg_queue *other;
	struct kreg_job *job;
	pthread_t thread;
	void *ret;
	pid_t pid;

	ASSERT_EQ(0, kreg_queue_open(self->table, NULL, &other));
	ASSERT_EQ(0, pthread_create(&thread, NULL, push_later, other));
	ASSERT_EQ(0, kreg_queue_take(self->queue, 60000, &job));
	pthread_join(thread, &ret);
	EXPECT_EQ(NULL, ret);
	EXPECT_EQ(0, kreg_job_done(job));
	ASSERT_EQ(0, kreg_queue_push(other, "again", 5, 0));
	pid = fork();
	if (!pid) {
		struct kreg_queue *q = open_queue();

		if (!q || kreg_queue_take(q, 0, &job))
			_exit(1);
		usleep(50000);
		raise(SIGKILL);
	}
	ASSERT_LT(0, pid);
	while (!counts_are(other, 0, 0, 0, 1))
		usleep(2000);
	ASSERT_EQ(0, kreg_queue_take(self->queue, 60000, &job));
	EXPECT_TRUE(is_job(job, "again", 2));
	EXPECT_EQ(0, kreg_job_done(job));
	EXPECT_EQ(pid, waitpid(pid, NULL, 0));
	kreg_queue_close(other);
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
		_exit(kreg_queue_take(self->queue, 60000, &job) || kreg_job_done(job));
	ASSERT_LT(0, pid);
	usleep(20000);
	ASSERT_EQ(0, kreg_queue_push(self->queue, "job", 3, 0));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	ASSERT_EQ(0, kreg_queue_push(self->queue, "again", 5, 20));
	ASSERT_EQ(0, kreg_queue_take(self->queue, 60000, &job));
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

static unsigned int less_if_slow(unsigned int n)
{
	const char *shrink = getenv("KREG_TEST_SHRINK");

	return shrink && atoi(shrink) > 0 ? n / atoi(shrink) : n;
}

/* What workers have done, in memory that they share. */
struct ledger {
	_Atomic unsigned int begun[JOBS], done[JOBS];
	_Atomic unsigned int again;	/* begun after it was done */
	_Atomic unsigned int failed;
};

/* Some jobs are given back, when they were given out for the first time. */
static bool gives_back(const struct kreg_job *job, unsigned int number)
{
	return !(number % 7) && kreg_job_deliveries(job) == 1;
}

static int do_job(struct ledger *ledger, struct kreg_job *job)
{
	unsigned int i = *(const unsigned int *)kreg_job_value(job, NULL);
	int ret;

	ledger->again += ledger->done[i];
	ledger->begun[i]++;
	if (gives_back(job, i))
		return kreg_job_back(job, 0);
	ret = kreg_job_done(job);
	if (!ret)
		ledger->done[i]++;
	return ret;
}

/* Until there is nothing to be done, if it is not killed before. */
static void work(struct ledger *ledger)
{
	struct kreg_queue *q = open_queue();
	struct kreg_job *job;
	int ret;

	if (!q)
		_exit(1);
	while (!(ret = kreg_queue_take(q, 100, &job)))
		ledger->failed += !!do_job(ledger, job);
	_exit(ret != -ETIMEDOUT);
}

static pid_t start_worker(struct ledger *ledger)
{
	pid_t pid = fork();

	if (!pid)
		work(ledger);
	return pid;
}

static bool is_empty(struct kreg_queue *q)
{
	struct kreg_queue_counts c = KREG_QUEUE_COUNTS_INIT;

	return !kreg_queue_count(q, &c) && !c.due && !c.lent;
}

/* Jobs for a moment; how many there are then. */
static unsigned int push_some(struct kreg_queue *q, unsigned int pushed, unsigned int n)
{
	for (; n-- && pushed < JOBS; pushed++)
		if (kreg_queue_push(q, &pushed, sizeof(pushed), 0))
			break;
	return pushed;
}

static unsigned int most_kills(void)
{
	const char *text = getenv("KREG_TEST_KILLS");

	return text ? strtoul(text, NULL, 10) : less_if_slow(1000);
}

/*
 * Workers are killed at any moment: no job is lost, and none is given out once it is done.
 * KREG_TEST_KILLS: how often; KREG_TEST_SEED: what the moments follow from.
 */
TEST_F_TIMEOUT(queue, kills, 7200)
{
	struct ledger *ledger = mmap(NULL, sizeof(*ledger), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	const char *text = getenv("KREG_TEST_SEED");
	unsigned int seed = text ? strtoul(text, NULL, 10) : (unsigned int)time(NULL);
	unsigned int i, kills = 0, lost = 0, pushed = 0, most = most_kills();
	pid_t pids[WORKERS];
	int status;

	ASSERT_NE(MAP_FAILED, ledger);
	printf("# KREG_TEST_SEED=%u\n", seed);
	for (i = 0; i < WORKERS; i++)
		pids[i] = start_worker(ledger);
	while (kills < most || !is_empty(self->queue)) {
		if (kills < most)
			pushed = push_some(self->queue, pushed, rand_r(&seed) % 8);
		i = rand_r(&seed) % WORKERS;
		usleep(rand_r(&seed) % 3000);
		if (kills < most)
			kill(pids[i], SIGKILL);
		ASSERT_EQ(pids[i], waitpid(pids[i], &status, 0));
		kills += WIFSIGNALED(status);
		EXPECT_TRUE(WIFSIGNALED(status) || !WEXITSTATUS(status));
		pids[i] = start_worker(ledger);
		if (kills && !(kills % 10000))
			printf("# %u kills, %u jobs\n", kills, pushed);
	}
	for (i = 0; i < WORKERS; i++)
		waitpid(pids[i], NULL, 0);
	for (i = 0; i < pushed; i++)
		lost += !ledger->begun[i];
	printf("# %u kills, %u jobs\n", kills, pushed);
	EXPECT_LT(most, pushed);
	EXPECT_EQ(0, lost);
	EXPECT_EQ(0, ledger->again);
	EXPECT_EQ(0, ledger->failed);
	EXPECT_TRUE(counts_are(self->queue, 0, 0, 0, 0));
	munmap(ledger, sizeof(*ledger));
}

TEST_HARNESS_MAIN
