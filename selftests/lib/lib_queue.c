// SPDX-License-Identifier: GPL-2.0
/* libkreg: work queues. */
#include <pthread.h>

#include "kit/file.h"
#include "lib/queue.h"

#define MAX_BYTES	"/sys/module/kreg/parameters/max_user_bytes"

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
	ASSERT_EQ(0, kreg_queue_take(self->queue, PATIENCE_MS, &job));
	EXPECT_TRUE(is_job(job, "later", 1));
	EXPECT_EQ(0, kreg_job_back(job, 1));
	ASSERT_EQ(0, kreg_queue_take(self->queue, PATIENCE_MS, &job));
	EXPECT_TRUE(is_job(job, "later", 2));
	EXPECT_EQ(0, kreg_job_done(job));
	EXPECT_TRUE(counts_are(self->queue, 0, 1, 0, 0));
}

static int note_job(const struct kreg_job *job, void *arg)
{
	return arg ? *(int *)arg : 0;
}

struct seen {
	char values[64];
	uint32_t deliveries;
};

static int see_job(const struct kreg_job *job, void *arg)
{
	struct seen *seen = arg;
	size_t len;
	const char *value = kreg_job_value(job, &len);

	if (strlen(value) != len)
		return -EBADMSG;
	strcat(strcat(seen->values, value), ";");
	seen->deliveries += kreg_job_deliveries(job);
	return 0;
}

TEST_F(queue, dead)
{
	struct kreg_queue_options o = KREG_QUEUE_OPTIONS_INIT;
	struct seen seen = { "", 0 };
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
	/* The time at which it was put aside is none of them. */
	EXPECT_EQ(0, kreg_queue_dead(q, see_job, &seen));
	EXPECT_STREQ("bad;good;", seen.values);
	EXPECT_EQ(3 + 1, seen.deliveries);
	EXPECT_EQ(0, kreg_queue_revive(q, &n));
	EXPECT_EQ(2, n);
	ASSERT_EQ(0, kreg_queue_take(q, 0, &job));
	EXPECT_TRUE(is_job(job, "bad", 1));
	EXPECT_EQ(0, kreg_job_done(job));
	kreg_queue_close(q);
}

/* What was put aside is shown, in the order in which it was due, and stays. */
TEST_F(queue, shows_the_dead)
{
	static const char *const values[] = { "one", "", "three" };
	struct seen seen = { "", 0 };
	struct kreg_job *job, *lent;
	int stop = 7, i;

	EXPECT_EQ(0, kreg_queue_dead(self->queue, see_job, &seen));
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, kreg_queue_push(self->queue, values[i], strlen(values[i]), 0));
	ASSERT_EQ(0, kreg_queue_take(self->queue, 0, &lent));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, kreg_queue_take(self->queue, 0, &job));
		EXPECT_EQ(0, kreg_job_reject(job));
	}
	EXPECT_EQ(0, kreg_job_back(lent, 0));
	ASSERT_EQ(0, kreg_queue_take(self->queue, 0, &job));
	EXPECT_EQ(0, kreg_job_reject(job));
	for (i = 0; i < 2; i++) {
		seen = (struct seen){ "", 0 };
		EXPECT_EQ(0, kreg_queue_dead(self->queue, see_job, &seen));
		EXPECT_STREQ("one;;three;", seen.values);
		EXPECT_EQ(4, seen.deliveries);
	}
	EXPECT_EQ(7, kreg_queue_dead(self->queue, note_job, &stop));
	EXPECT_TRUE(counts_are(self->queue, 0, 0, 3, 0));
}

/*
 * Behind what is due, in their order, and counted as before. The dead stay, and so does what is on
 * loan, which counts as due here since this process has it.
 */
TEST_F(queue, made_due)
{
	struct kreg_job *job, *lent;
	uint64_t n = 7;

	EXPECT_EQ(0, kreg_queue_make_due(self->queue, &n));
	EXPECT_EQ(0, n);
	ASSERT_EQ(0, kreg_queue_push(self->queue, "lent", 4, 0));
	ASSERT_EQ(0, kreg_queue_take(self->queue, 0, &lent));
	ASSERT_EQ(0, kreg_queue_push(self->queue, "dead", 4, 0));
	ASSERT_EQ(0, kreg_queue_take(self->queue, 0, &job));
	ASSERT_EQ(0, kreg_job_reject(job));
	ASSERT_EQ(0, kreg_queue_push(self->queue, "third", 5, INT64_MAX));
	ASSERT_EQ(0, kreg_queue_push(self->queue, "second", 6, 0));
	ASSERT_EQ(0, kreg_queue_take(self->queue, 0, &job));
	ASSERT_EQ(0, kreg_job_back(job, 3600000));
	ASSERT_EQ(0, kreg_queue_push(self->queue, "first", 5, 0));
	EXPECT_TRUE(counts_are(self->queue, 2, 2, 1, 0));
	EXPECT_EQ(0, kreg_queue_make_due(self->queue, &n));
	EXPECT_EQ(2, n);
	EXPECT_TRUE(counts_are(self->queue, 4, 0, 1, 0));
	EXPECT_EQ(0, kreg_queue_make_due(self->queue, NULL));
	ASSERT_EQ(0, kreg_queue_take(self->queue, 0, &job));
	EXPECT_TRUE(is_job(job, "first", 1));
	EXPECT_EQ(0, kreg_job_done(job));
	ASSERT_EQ(0, kreg_queue_take(self->queue, 0, &job));
	EXPECT_TRUE(is_job(job, "second", 2));
	EXPECT_EQ(0, kreg_job_done(job));
	ASSERT_EQ(0, kreg_queue_take(self->queue, 0, &job));
	EXPECT_TRUE(is_job(job, "third", 1));
	EXPECT_EQ(0, kreg_job_done(job));
	EXPECT_EQ(0, kreg_job_done(lent));
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
	ASSERT_EQ(0, kreg_queue_take(self->queue, PATIENCE_MS, &job));
	EXPECT_TRUE(is_job(job, "job", 2));
	EXPECT_EQ(-ECANCELED, kreg_job_done(late));
	EXPECT_EQ(0, kreg_job_done(job));
	/* Likewise it cannot be put anywhere. */
	ASSERT_EQ(0, kreg_queue_push(q, "job", 3, 0));
	ASSERT_EQ(0, kreg_queue_take(q, 0, &late));
	ASSERT_EQ(0, kreg_queue_take(self->queue, PATIENCE_MS, &job));
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
	kreg_queue_close(NULL);
}

static const char no_job[] =
	"table 'jobs' has an object that is no job: use a table of its own for a queue";

/* What is no job is said to be none, and left where it is. */
TEST_F(queue, no_job)
{
	struct kreg_job *job;
	char key[22] = "j", *value;

	/* It would be the next that is due. */
	key[1] = 0x7f;
	ASSERT_EQ(0, kreg_put(self->table, key, sizeof(key), "v", 1));
	EXPECT_EQ(-ETIMEDOUT, kreg_queue_take(self->queue, 0, &job));
	EXPECT_EQ(-EBADMSG, kreg_queue_take(self->queue, -1, &job));
	ASSERT_EQ(1, kreg_del(self->table, key, sizeof(key)));
	/* It would be due. */
	key[1] = 0;
	ASSERT_EQ(0, kreg_put(self->table, key, sizeof(key), "v", 1));
	EXPECT_EQ(-EBADMSG, kreg_queue_take(self->queue, 0, &job));
	EXPECT_STREQ(no_job, kreg_errmsg());
	EXPECT_EQ(-EBADMSG, kreg_queue_take(self->queue, -1, &job));
	EXPECT_EQ(0, kreg_get_alloc(self->table, key, sizeof(key), (void **)&value, NULL));
	EXPECT_STREQ("v", value);
	free(value);
	/* It would be dead. */
	key[0] = 'x';
	ASSERT_EQ(0, kreg_put(self->table, key, sizeof(key), "v", 1));
	EXPECT_EQ(-EBADMSG, kreg_queue_dead(self->queue, note_job, NULL));
	EXPECT_STREQ(no_job, kreg_errmsg());
	EXPECT_EQ(-EBADMSG, kreg_queue_revive(self->queue, NULL));
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
	ASSERT_EQ(0, kreg_queue_take(self->queue, PATIENCE_MS, &job));
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
	ASSERT_EQ(0, kreg_queue_take(self->queue, PATIENCE_MS, &job));
	EXPECT_TRUE(is_job(job, "again", 2));
	EXPECT_EQ(0, kreg_job_done(job));
	EXPECT_EQ(pid, waitpid(pid, NULL, 0));
	kreg_queue_close(other);
}

/* The user has no memory to put a job off: it is given back at once, and not on loan for ever. */
TEST_F(queue, no_memory_to_move)
{
	struct kreg_client *client = open_as_other(0666);
	static char value[1 << 16];
	struct kreg_queue *q;
	struct kreg_table *t;
	struct kreg_job *job;
	char before[32];

	ASSERT_NE(NULL, client);
	t = open_queue_table(client, "theirs");
	ASSERT_NE(NULL, t);
	ASSERT_EQ(0, kreg_queue_open(t, NULL, &q));
	ASSERT_EQ(0, kreg_queue_push(q, value, sizeof(value), 0));
	ASSERT_EQ(0, kreg_queue_take(q, 0, &job));
	ASSERT_LT(0, test_read_file(MAX_BYTES, before, sizeof(before)));
	ASSERT_EQ(0, test_write_file(MAX_BYTES, "1"));
	EXPECT_EQ(-EDQUOT, kreg_job_back(job, 3600000));
	EXPECT_EQ(0, test_write_file(MAX_BYTES, before));
	EXPECT_TRUE(counts_are(q, 1, 0, 0, 0));
	ASSERT_EQ(0, kreg_queue_take(q, 0, &job));
	EXPECT_EQ(2, kreg_job_deliveries(job));
	EXPECT_EQ(0, kreg_job_back(job, 3600000));
	EXPECT_TRUE(counts_are(q, 0, 1, 0, 0));
	kreg_queue_close(q);
	EXPECT_EQ(0, kreg_table_destroy(t));
	kreg_table_close(t);
	kreg_client_close(client);
}

static _Atomic int signals;

static void note_signal(int sig)
{
	signals += sig == SIGUSR1;
}

/* A signal that has come before the wait ends it, if only the wait does not block it. */
TEST_F(queue, signals)
{
	struct sigaction action = { .sa_handler = note_signal };
	struct kreg_queue_options o = KREG_QUEUE_OPTIONS_INIT;
	sigset_t block, before;
	struct kreg_queue *q;
	struct kreg_job *job;

	signals = 0;
	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
	sigemptyset(&block);
	sigaddset(&block, SIGUSR1);
	ASSERT_EQ(0, sigprocmask(SIG_BLOCK, &block, &before));
	o.sigmask = &before;
	ASSERT_EQ(0, kreg_queue_open(self->table, &o, &q));
	ASSERT_EQ(0, raise(SIGUSR1));
	EXPECT_EQ(-ETIMEDOUT, kreg_queue_take(self->queue, 1, &job));
	EXPECT_EQ(0, signals);
	EXPECT_EQ(-EINTR, kreg_queue_take(q, -1, &job));
	EXPECT_EQ(1, signals);
	EXPECT_EQ(-ETIMEDOUT, kreg_queue_take(q, 1, &job));
	ASSERT_EQ(0, raise(SIGUSR1));
	ASSERT_EQ(0, kreg_queue_push(q, "job", 3, 0));
	ASSERT_EQ(0, kreg_queue_take(q, -1, &job));
	EXPECT_EQ(1, signals);
	EXPECT_EQ(0, kreg_job_done(job));
	ASSERT_EQ(0, sigprocmask(SIG_SETMASK, &before, NULL));
	EXPECT_EQ(2, signals);
	kreg_queue_close(q);
}

TEST_HARNESS_MAIN
