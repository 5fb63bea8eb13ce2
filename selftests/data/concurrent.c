// SPDX-License-Identifier: GPL-2.0
/*
 * Readers and writers at once, from several processes and threads, and writers
 * that are killed in the middle of what they do.
 *
 * Each worker is a function that runs until the test tells it to stop, and counts in
 * shared memory what it finds wrong.
 */
#include <pthread.h>

#include "kit/fixture.h"
#include "kit/job.h"

#define RUN_MS		700
#define KEYS		40
#define STABLE		300
#define CHURN		3000
#define LONGEST		6000
#define BATCH_KEYS	200

struct shared {
	int stop;
	__u64 table;
	__u64 done;		/* operations of all workers */
	__u64 seen;
	__u64 wrong;
	int where;		/* line that found the first error */
};

static struct shared *sh;

FIXTURE(concurrent) {
	struct test_base base;
	int fd;
};

FIXTURE_SETUP(concurrent)
{
	self->fd = test_setup(_metadata, &self->base);
	sh = test_shared(sizeof(*sh));
	ASSERT_NE(NULL, sh);
	test_create(self->fd, "shared", KREG_ACCESS_PUBLIC, &sh->table);
}

FIXTURE_TEARDOWN_PARENT(concurrent)
{
	test_teardown(_metadata, &self->base);
}

static bool stopped(void)
{
	return __atomic_load_n(&sh->stop, __ATOMIC_RELAXED);
}

static void count(__u64 *what)
{
	__atomic_fetch_add(what, 1, __ATOMIC_RELAXED);
}

static void check_at(bool ok, int line)
{
	if (ok)
		return;
	count(&sh->wrong);
	__atomic_store_n(&sh->where, line, __ATOMIC_RELAXED);
}

#define check(ok)	check_at(ok, __LINE__)

/* On a slow guest for longer, but by far not by as much as time-outs are. */
static void run_for(int ms)
{
	test_pause_ms(test_scale(ms) < 5 * ms ? test_scale(ms) : 5 * ms);
}

/* Start a kid as a worker; its number is in job->arg. */
static struct kid *start_worker(struct __test_metadata *_metadata,
				long (*fn)(struct job *job), int number)
{
	struct kid *kid = kid_start(_metadata);

	kid->job->arg = number;
	kid->job->table = sh->table;
	kid_ask(kid, fn);
	return kid;
}

static void finish(struct __test_metadata *_metadata, struct kid **kids,
		   int n)
{
	int i;

	__atomic_store_n(&sh->stop, 1, __ATOMIC_RELAXED);
	for (i = 0; i < n; i++)
		EXPECT_EQ(0, kid_answer(kids[i]));
	EXPECT_EQ(0, sh->wrong) {
		TH_LOG("first seen at line %d", sh->where);
	}
	EXPECT_LT(0, sh->seen);
	EXPECT_LT(0, sh->done);
}

/* A value can be checked: each of its bytes is its length modulo 251. */
static long job_write_values(struct job *job)
{
	static unsigned char value[LONGEST];
	unsigned int seed = job->arg, len, key;

	while (!stopped()) {
		seed = seed * 1103515245 + 12345;
		len = (seed >> 8) % LONGEST;
		key = (seed >> 4) % KEYS;
		memset(value, len % 251, len);
		check(!_test_put(job->fd, job->table, &key, 4, value, len));
		count(&sh->done);
	}
	return 0;
}

static bool intact(const unsigned char *value, int len)
{
	int i;

	for (i = 0; i < len; i++)
		if (value[i] != len % 251)
			return false;
	return true;
}

static long job_read_values(struct job *job)
{
	static unsigned char value[LONGEST];
	unsigned int key = job->arg;
	int len;

	while (!stopped()) {
		key = (key + 1) % KEYS;
		len = _test_get(job->fd, job->table, &key, 4, value, LONGEST);
		check(len >= 0 || len == -ENODATA);
		check(len < 0 || intact(value, len));
		count(&sh->seen);
	}
	return 0;
}

TEST_F(concurrent, no_torn_value)
{
	struct kid *kids[4];
	int i;

	for (i = 0; i < 4; i++)
		kids[i] = start_worker(_metadata, i & 1 ? job_read_values :
				       job_write_values, i);
	run_for(RUN_MS);
	finish(_metadata, kids, 4);
}

/* The table grows and shrinks around objects that never change. */
static long job_churn(struct job *job)
{
	struct kreg_op op;
	unsigned int i;

	while (!stopped()) {
		for (i = STABLE; i < STABLE + CHURN && !stopped(); i++)
			check(!_test_put(job->fd, job->table, &i, 4, &i, 4));
		for (i = STABLE; i < STABLE + CHURN && !stopped(); i++) {
			op = test_op(KREG_OP_DELETE, &i, 4);
			check(!_test_op(job->fd, job->table, 0, &op));
		}
		count(&sh->done);
	}
	return 0;
}

static long job_read_stable(struct job *job)
{
	unsigned int key = job->arg, value;

	while (!stopped()) {
		key = (key + 1) % STABLE;
		value = ~0U;
		check(_test_get(job->fd, job->table, &key, 4, &value, 4) == 4);
		check(value == key);
		count(&sh->seen);
	}
	return 0;
}

static long job_scan_stable(struct job *job)
{
	static __u64 buf[256];
	struct kreg_object *object = NULL;
	struct kreg_ioc_scan cmd;
	unsigned int found, key, i;

	while (!stopped()) {
		cmd = (struct kreg_ioc_scan) {
			.table = job->table,
			.buf = test_ptr(buf),
			.buf_len = sizeof(buf),
		};
		found = 0;
		do {
			check(!_test_scan(job->fd, &cmd));
			for (i = 0; i < cmd.out_count; i++) {
				object = i ? (void *)object + object->size :
					     (void *)buf;
				memcpy(&key, object + 1, 4);
				found += key < STABLE;
			}
			if (cmd.out_count) {
				cmd.range.after = test_ptr(&key);
				cmd.range.after_len = sizeof(key);
			}
		} while (cmd.out_more && !stopped());
		check(found == STABLE || stopped());
		count(&sh->seen);
	}
	return 0;
}

TEST_F(concurrent, no_lost_object)
{
	struct kid *kids[4];
	unsigned int i;

	for (i = 0; i < STABLE; i++)
		test_put(self->fd, sh->table, &i, 4, &i, 4);
	kids[0] = start_worker(_metadata, job_churn, 0);
	kids[1] = start_worker(_metadata, job_read_stable, 1);
	kids[2] = start_worker(_metadata, job_read_stable, 150);
	kids[3] = start_worker(_metadata, job_scan_stable, 2);
	run_for(3 * RUN_MS);
	finish(_metadata, kids, 4);
}

/* All keys get the same number, or none of them does. */
static long put_all(struct job *job, __u64 number, bool clear)
{
	static struct kreg_op ops[BATCH_KEYS + 1];
	static unsigned int keys[BATCH_KEYS];
	struct kreg_op *op = ops;
	unsigned int i;

	if (clear)
		*op++ = test_op(KREG_OP_CLEAR, NULL, 0);
	for (i = 0; i < BATCH_KEYS; i++) {
		keys[i] = i;
		*op++ = test_op_value(KREG_OP_PUT, &keys[i], 4, &number,
				      sizeof(number));
	}
	return _test_batch(job->fd, job->table, KREG_BATCH_ATOMIC, ops,
			   op - ops, NULL);
}

static long job_write_batches(struct job *job)
{
	__u64 number = 0;

	while (!stopped()) {
		check(!put_all(job, ++number, job->arg));
		count(&sh->done);
	}
	return 0;
}

/* Read key after key: since all get a number at once, none has a lower one than before. */
static long job_read_batches(struct job *job)
{
	__u64 last = 0, number;
	unsigned int key = 0;

	while (!stopped()) {
		key = (key + 77) % BATCH_KEYS;
		number = 0;
		check(_test_get(job->fd, job->table, &key, 4, &number, 8) ==
		      8);
		check(number >= last);
		last = number;
		count(&sh->seen);
	}
	return 0;
}

static void batches(struct __test_metadata *_metadata, int fd, bool clear)
{
	struct job job = { .fd = fd, .table = sh->table };
	struct kid *kids[3];

	ASSERT_EQ(0, put_all(&job, 0, false));
	kids[0] = start_worker(_metadata, job_write_batches, clear);
	kids[1] = start_worker(_metadata, job_read_batches, 0);
	kids[2] = start_worker(_metadata, job_read_batches, 0);
	run_for(2 * RUN_MS);
	finish(_metadata, kids, 3);
	EXPECT_EQ(BATCH_KEYS, test_objects(fd, sh->table));
}

TEST_F(concurrent, batch_at_once)
{
	batches(_metadata, self->fd, false);
}

/* Cleared and refilled in one batch, the table is never seen empty. */
TEST_F(concurrent, clear_and_refill_at_once)
{
	batches(_metadata, self->fd, true);
}

/* Killed at any moment, a writer has written all of a batch or nothing. */
TEST_F(concurrent, killed_writers)
{
	struct kid *kids[2];
	__u64 first, number;
	unsigned int key;
	int i;

	for (i = 0; i < 30; i++) {
		kids[0] = start_worker(_metadata, job_write_batches, i & 1);
		kids[1] = start_worker(_metadata, job_write_batches, i & 2);
		EXPECT_TRUE(test_wait_for(__atomic_exchange_n(&sh->done, 0,
							      __ATOMIC_RELAXED)));
		/* Kill it at another place each time. */
		test_pause_ms(i % 7);
		kid_kill(kids[0]);
		kid_kill(kids[1]);
		ASSERT_EQ(BATCH_KEYS, test_objects(self->fd, sh->table));
		ASSERT_EQ(BATCH_KEYS, test_count(self->fd, sh->table));
		for (key = 0; key < BATCH_KEYS; key++) {
			ASSERT_EQ(8, _test_get(self->fd, sh->table, &key, 4,
					       &number, 8));
			first = key ? first : number;
			ASSERT_EQ(first, number);
		}
	}
	EXPECT_EQ(0, sh->wrong);
}

/* Readers of a table that is destroyed get whole objects, or ESTALE. */
static long job_read_to_the_end(struct job *job)
{
	static unsigned char value[LONGEST];
	unsigned int key = 0;
	int len;

	do {
		key = (key + 1) % KEYS;
		len = _test_get(job->fd, job->table, &key, 4, value, LONGEST);
		check(len < 0 || intact(value, len));
	} while (len >= 0);
	check(len == -ESTALE);
	return 0;
}

TEST_F(concurrent, destroyed_under_readers)
{
	unsigned char value[LONGEST];
	struct kid *kids[3];
	unsigned int key;
	int i, round;

	for (round = 0; round < 10; round++) {
		for (key = 0; key < KEYS; key++) {
			memset(value, (key * 100) % 251, key * 100);
			test_put(self->fd, sh->table, &key, 4, value,
				 key * 100);
		}
		for (i = 0; i < 3; i++)
			kids[i] = start_worker(_metadata, job_read_to_the_end,
					       i);
		test_pause_ms(5 + round);
		test_destroy(self->fd, sh->table);
		for (i = 0; i < 3; i++) {
			EXPECT_EQ(0, kid_answer(kids[i]));
			kid_kill(kids[i]);
		}
		test_create(self->fd, "shared", KREG_ACCESS_PUBLIC,
			    &sh->table);
	}
	EXPECT_EQ(0, sh->wrong);
}

static void *thread_churn(void *arg)
{
	struct job job = { .fd = *(int *)arg, .table = sh->table };

	job_churn(&job);
	return NULL;
}

/* The same with threads of one process and one file. */
TEST_F(concurrent, threads)
{
	pthread_t threads[2];
	struct kid *kid;
	unsigned int i;

	for (i = 0; i < STABLE; i++)
		test_put(self->fd, sh->table, &i, 4, &i, 4);
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, thread_churn,
					    &self->fd));
	kid = start_worker(_metadata, job_read_stable, 0);
	run_for(RUN_MS);
	__atomic_store_n(&sh->done, 1, __ATOMIC_RELAXED);
	finish(_metadata, &kid, 1);
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_join(threads[i], NULL));
	for (i = 0; i < STABLE; i++)
		EXPECT_EQ(sizeof(i), _test_get(self->fd, sh->table, &i, 4,
					       &(int) { 0 }, 4));
}

TEST_HARNESS_MAIN
