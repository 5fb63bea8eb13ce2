// SPDX-License-Identifier: GPL-2.0
/*
 * GROUP, where keys have several objects.
 */
#include <pthread.h>

#include "data/group.h"
#include "kit/bag.h"

FIXTURE_VARIANT_ADD(group, bag) { .type = KREG_TYPE_BAG };
FIXTURE_VARIANT_ADD(group, duplicate_bag) { .type = KREG_TYPE_DUPLICATE_BAG };

/* One of the objects of a key, which is named by its version and number. */
TEST_F(group, object_moves)
{
	struct test_run run;
	const struct kreg_object *o;

	test_puts(self->fd, self->a, "key", "x");
	test_puts(self->fd, self->a, "key", "y");
	test_puts(self->fd, self->a, "key", "z");
	ASSERT_EQ(3, test_run(self->fd, self->a, "key", &run));
	test_run_next(&run);
	o = test_run_next(&run);
	self->ops[0][0] = test_ops(KREG_OP_DELETE, "key");
	self->ops[0][0].flags = KREG_OP_VERSION;
	self->ops[0][0].arg = o->version;
	self->ops[0][0].offset = o->sub;
	self->ops[1][0] = test_op_puts("key", "y");
	EXPECT_EQ(0, run_both(NULL));
	EXPECT_TRUE(test_values(self->fd, self->a, "key", "xz"));
	EXPECT_TRUE(test_values(self->fd, self->b, "key", "y"));
	/* It is not there any more. */
	EXPECT_EQ(-ECANCELED, run_both(NULL));
	EXPECT_TRUE(test_values(self->fd, self->b, "key", "y"));
}

/* What a bag has already is not put again, and no failure. */
TEST_F(group, same_object)
{
	bool bag = variant->type == KREG_TYPE_BAG;

	test_puts(self->fd, self->b, "key", "x");
	self->ops[0][0] = test_op_puts("key", "a");
	self->ops[0][1] = test_op_puts("key", "a");
	self->ops[1][0] = test_op_puts("key", "x");
	self->ops[1][1] = test_op_puts("key", "y");
	self->batch[0].count = 2;
	self->batch[1].count = 2;
	EXPECT_EQ(0, run_both(NULL));
	EXPECT_EQ(bag, self->ops[1][0].out_count);
	EXPECT_EQ(0, self->ops[1][1].out_count);
	EXPECT_TRUE(test_values(self->fd, self->a, "key", bag ? "a" : "aa"));
	EXPECT_TRUE(test_values(self->fd, self->b, "key", bag ? "xy" : "xxy"));
}

TEST_F(group, all_or_nothing)
{
	__u32 failed;

	test_puts(self->fd, self->a, "key", "x");
	test_puts(self->fd, self->b, "there", "x");
	fill_two_each(self);
	EXPECT_EQ(-EEXIST, run_both(&failed));
	EXPECT_EQ(1, failed);
	EXPECT_EQ(1, self->batch[1].out_done);
	EXPECT_TRUE(test_values(self->fd, self->a, "key", "x"));
	EXPECT_TRUE(test_values(self->fd, self->b, "key", ""));
	EXPECT_TRUE(test_values(self->fd, self->b, "there", "x"));
	self->ops[1][1].flags = 0;
	EXPECT_EQ(0, run_both(&failed));
	EXPECT_TRUE(test_values(self->fd, self->a, "key", ""));
	EXPECT_TRUE(test_values(self->fd, self->a, "other", "y"));
	EXPECT_TRUE(test_values(self->fd, self->b, "key", "x"));
	EXPECT_TRUE(test_values(self->fd, self->b, "there", "xy"));
}

/* A table of another kind beside it. */
TEST_F(group, with_a_set)
{
	__u64 set;

	ASSERT_EQ(0, create_beside(self->fd, KREG_TYPE_SET, self->a, &set));
	self->batch[1].table = set;
	self->ops[0][0] = test_op_puts("log", "1");
	self->ops[1][0] = test_op_puts("last", "1");
	EXPECT_EQ(0, run_both(NULL));
	self->ops[0][0] = test_op_puts("log", "2");
	self->ops[1][0] = test_op_puts("last", "2");
	EXPECT_EQ(0, run_both(NULL));
	EXPECT_TRUE(test_values(self->fd, self->a, "log", "12"));
	test_gets(self->fd, set, "last", "2");
}

/* Runs that take many holds of the turn. */
#define LONG	3000
#define ROUNDS	10

struct remover {
	pthread_t thread;
	int fd, err;
	__u64 from, to;
	int round;			/* whose run is complete or gone; 0: none, -1: all */
};

static void name_run(char key[8], int round)
{
	snprintf(key, 8, "%d", round);
}

/* So many objects of a key. */
static int fill_run(int fd, __u64 id, const char *key, int n)
{
	struct kreg_op ops[100];
	int values[100], i, done, err = 0;

	for (done = 0; done < n && !err; done += i) {
		for (i = 0; i < 100 && done + i < n; i++) {
			values[i] = done + i;
			ops[i] = test_op_value(KREG_OP_PUT, key, strlen(key), &values[i],
					       sizeof(values[i]));
		}
		err = _test_batch(fd, id, 0, ops, i, NULL);
	}
	return err;
}

/* A run goes, and something is left in another table that says so. */
static void *remove_runs(void *arg)
{
	struct kreg_ioc_batch batches[2];
	struct remover *r = arg;
	struct kreg_op ops[2];
	char key[8];
	int i;

	batches[0] = test_batch_cmd(r->from, 0, &ops[0], 1);
	batches[1] = test_batch_cmd(r->to, 0, &ops[1], 1);
	for (i = 1; i <= ROUNDS && !r->err; i++) {
		name_run(key, i);
		ops[0] = test_ops(KREG_OP_DELETE, key);
		ops[1] = test_op_puts(key, "removed");
		r->err = fill_run(r->fd, r->from, key, test_size(LONG));
		__atomic_store_n(&r->round, i, __ATOMIC_RELEASE);
		r->err = r->err ?: run_group(r->fd, batches, 2, NULL);
	}
	__atomic_store_n(&r->round, -1, __ATOMIC_RELEASE);
	return NULL;
}

/* Who looks sees all of a run or nothing of it, and nothing once the other table says so. */
TEST_F(group, long_run)
{
	struct remover r = { .fd = test_client(), .from = self->b, .to = self->a };
	int said, n, i, wrong = 0, written = 0;
	char key[8];

	ASSERT_EQ(0, pthread_create(&r.thread, NULL, remove_runs, &r));
	while ((i = __atomic_load_n(&r.round, __ATOMIC_ACQUIRE)) >= 0) {
		name_run(key, i);
		said = !_test_member(self->fd, self->a, key);
		n = test_number_of(self->fd, self->b, key);
		wrong += i && n != -ENODATA && (said || n != (int)test_size(LONG));
		/* Others write meanwhile to the table that is held. */
		written += !_test_puts(self->fd, self->a, "other", "x");
	}
	pthread_join(r.thread, NULL);
	close(r.fd);
	EXPECT_EQ(0, r.err);
	EXPECT_EQ(0, wrong);
	EXPECT_LT(0, written);
	EXPECT_EQ(0, test_objects(self->fd, self->b));
}

TEST_HARNESS_MAIN
