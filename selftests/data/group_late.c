// SPDX-License-Identifier: GPL-2.0
/*
 * Groups and batches that are not done at once. What lacks memory when it is looked through is
 * begun anew, with all of its conditions; and what finds the tables busy waits for them.
 */
#include <pthread.h>
#include <sys/syscall.h>

#include "data/group.h"
#include "kit/stall.h"

#define ROUNDS	2000

FIXTURE_VARIANT_ADD(group, set) { .type = KREG_TYPE_SET };
FIXTURE_VARIANT_ADD(group, bag) { .type = KREG_TYPE_BAG };

/* Whose PUT of the same key is on its way at the same time. */
struct rival {
	pthread_t thread;
	int fd, err;
	__u64 table, delay;		/* in ns */
	unsigned int round, done;	/* the last round that has begun, and has ended */
	bool stop;
};

static void wait_ns(__u64 ns)
{
	__u64 end = test_now_ns() + ns;

	while (test_now_ns() < end)
		;
}

static void *put_at_some_time(void *arg)
{
	struct rival *r = arg;
	struct kreg_op op = test_op_puts("key", "rival's");

	op.flags = KREG_OP_NEW;
	while (!__atomic_load_n(&r->stop, __ATOMIC_ACQUIRE)) {
		if (__atomic_load_n(&r->round, __ATOMIC_ACQUIRE) == r->done) {
			sched_yield();
			continue;
		}
		wait_ns(r->delay);
		r->err = _test_op(r->fd, r->table, 0, &op);
		__atomic_store_n(&r->done, r->done + 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

/* The second table is new, so the slot that KEEP takes late is never there. */
static int put_both(group_data *self, __u32 flags, __u64 *took)
{
	__u64 begin = test_now_ns();
	int err;

	self->ops[0][0] = test_op_puts("key", "group's");
	self->ops[0][0].flags = KREG_OP_NEW | flags;
	self->ops[1][0] = test_op_puts("other", "value");
	self->ops[1][0].flags = KREG_OP_KEEP;
	err = run_group(self->fd, self->batch, 2, NULL);
	*took = test_now_ns() - begin;
	return err;
}

static bool begin_round(group_data *self)
{
	struct kreg_op op = test_ops(KREG_OP_DELETE, "key");

	return !_test_op(self->fd, self->a, 0, &op) &&
	       !create_beside(self->fd, KREG_TYPE_SET, self->a, &self->batch[1].table);
}

/* Whoever else puts the key while memory is brought: one of the two is told that it is there. */
TEST_F(group, asks_again)
{
	struct rival r = { .fd = test_client(), .table = self->a };
	unsigned int i, wrong = 0, won = 0;
	__u64 took = 0;
	int err;

	ASSERT_LE(0, r.fd);
	ASSERT_EQ(0, pthread_create(&r.thread, NULL, put_at_some_time, &r));
	for (i = 0; i < test_size(ROUNDS); i++) {
		ASSERT_TRUE(begin_round(self));
		r.delay = took * (i % 16) / 16;
		__atomic_store_n(&r.round, i + 1, __ATOMIC_RELEASE);
		err = put_both(self, i & 1 ? KREG_OP_BOUND : 0, &took);
		ASSERT_TRUE(!err || err == -EEXIST);
		while (__atomic_load_n(&r.done, __ATOMIC_ACQUIRE) == i)
			sched_yield();
		ASSERT_TRUE(!r.err || r.err == -EEXIST);
		wrong += !err == !r.err;
		won += !err;
		test_destroy(self->fd, self->batch[1].table);
	}
	__atomic_store_n(&r.stop, true, __ATOMIC_RELEASE);
	pthread_join(r.thread, NULL);
	close(r.fd);
	TH_LOG("%u of %u by the group", won, i);
	EXPECT_EQ(0, wrong);
}

/* What it brings is given back with the batch. */
static long job_put_late(struct job *job)
{
	static char value[100000];
	struct kreg_op op = test_op_value(KREG_OP_PUT, "late", 4, value, sizeof(value));

	op.flags = KREG_OP_KEEP;
	return _test_batch(job->fd, job->table, 0, &op, 1, NULL);
}

/* Killed before it is looked through: nobody is there who would begin it anew. */
TEST_F(group, killed_before)
{
	struct kreg_op ops[2] = { test_op_puts("a", "1"), test_op_puts("b", "2") };
	unsigned int i, held = 0;
	struct hold h;

	ASSERT_EQ(0, create_beside(self->fd, KREG_TYPE_SET, self->a, &self->b));
	hold_prepare(_metadata, &h);
	set_cpu(_metadata, 0, 0);
	for (i = 0; i < 20 && held < 3; i++) {
		struct kid *kid = kid_start(_metadata);
		bool sleeps;

		set_cpu(_metadata, kid->pid, 0);
		kid->job->table = self->b;
		hold(_metadata, &h);
		ASSERT_EQ(0, _test_batch(self->fd, self->b, KREG_WRITE_ASYNC, ops, 2, NULL));
		kid_ask(kid, job_put_late);
		sleeps = test_wait_for(kid_sleeps(kid, SYS_ioctl, kid->job->fd));
		held += sleeps && !test_objects(self->fd, self->b);
		kid_kill(kid);
		unhold(_metadata, &h);
		test_sync(self->fd);
		test_clear(self->fd, self->b);
	}
	EXPECT_LT(0, held);
}

/* Long batches that nobody waits for, one after the other. */
struct pipeline {
	pthread_t thread;
	int fd;
	__u64 table;
	unsigned int length;
	bool stop;
};

#define LONGEST	112

static void *queue_batches(void *arg)
{
	static __u64 keys[LONGEST];
	struct kreg_op ops[LONGEST];
	struct pipeline *p = arg;
	unsigned int i;

	for (i = 0; i < p->length; i++) {
		__atomic_store_n(&keys[i], i, __ATOMIC_RELAXED);
		ops[i] = test_op_value(KREG_OP_PUT, &keys[i], 8, &keys[i], 8);
	}
	/* As many as fit into the queue. */
	while (!__atomic_load_n(&p->stop, __ATOMIC_RELAXED))
		if (_test_batch(p->fd, p->table, KREG_WRITE_ASYNC, ops, p->length, NULL))
			sched_yield();
	return NULL;
}

/* In each of the other tables something is always half done, though not always in all of them. */
#define BUSY	5

TEST_F(group, tables_are_busy)
{
	struct kreg_ioc_batch batches[1 + BUSY];
	struct pipeline p[BUSY];
	unsigned int i;

	for (i = 0; i < BUSY; i++) {
		p[i] = (struct pipeline) { .fd = test_client(), .length = LONGEST - 16 * i };
		ASSERT_EQ(0, create_beside(self->fd, KREG_TYPE_SET, self->a, &p[i].table));
		ASSERT_EQ(0, pthread_create(&p[i].thread, NULL, queue_batches, &p[i]));
	}
	for (i = 0; i <= BUSY; i++) {
		self->ops[0][i] = test_op_puts("key", "value");
		batches[i] = test_batch_cmd(i ? p[i - 1].table : self->a, 0, &self->ops[0][i], 1);
	}
	for (i = 0; i < test_size(ROUNDS / 20); i++)
		EXPECT_EQ(0, run_group(self->fd, batches, 1 + BUSY, NULL));
	for (i = 0; i < BUSY; i++) {
		__atomic_store_n(&p[i].stop, true, __ATOMIC_RELAXED);
		pthread_join(p[i].thread, NULL);
		close(p[i].fd);
	}
}

TEST_HARNESS_MAIN
