// SPDX-License-Identifier: GPL-2.0
/* libkreg: work queues, and workers that are killed at any moment. */
#include <sys/mman.h>

#include "lib/queue.h"

#define JOBS	(1 << 20)
#define WORKERS	4

static unsigned int less_if_slow(unsigned int n)
{
	const char *shrink = getenv("KREG_TEST_SHRINK");

	return shrink && atoi(shrink) > 0 ? n / atoi(shrink) : n;
}

/* What workers have done, in memory that they share. */
struct ledger {
	_Atomic unsigned int ended[JOBS];	/* somebody was about to say that it is done, */
	_Atomic unsigned int done[JOBS];	/* and has said so */
	_Atomic unsigned int again;		/* begun after it was done */
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
	if (gives_back(job, i))
		return kreg_job_back(job, 0);
	ledger->ended[i]++;
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
 * Workers are killed at any moment: no job is lost, that is, somebody has come to its end, and none
 * is given out once it is done.
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
		lost += !ledger->ended[i];
	printf("# %u kills, %u jobs\n", kills, pushed);
	EXPECT_LT(most, pushed);
	EXPECT_EQ(0, lost);
	EXPECT_EQ(0, ledger->again);
	EXPECT_EQ(0, ledger->failed);
	EXPECT_TRUE(counts_are(self->queue, 0, 0, 0, 0));
	munmap(ledger, sizeof(*ledger));
}

TEST_HARNESS_MAIN
