// SPDX-License-Identifier: GPL-2.0
/*
 * Keys with several objects, in tables of both types that have them.
 */
#include <pthread.h>

#include "kit/fixture.h"
#include "kit/bag.h"
#include "kit/edit.h"

#define LONG	3000

FIXTURE(bag) {
	struct test_base base;
	int fd;
	__u64 table;
	bool once;			/* what is the same is there once */
	struct test_run run;
};

FIXTURE_VARIANT(bag) {
	__u32 type;
};

FIXTURE_VARIANT_ADD(bag, bag) {
	.type = KREG_TYPE_BAG,
};

FIXTURE_VARIANT_ADD(bag, duplicate_bag) {
	.type = KREG_TYPE_DUPLICATE_BAG,
};

FIXTURE_SETUP(bag)
{
	self->fd = test_setup(_metadata, &self->base);
	EXPECT_TRUE(test_feature(self->fd, KREG_FEATURE_BAG));
	ASSERT_EQ(0, _test_create_type(self->fd, "bag", variant->type, KREG_ACCESS_PUBLIC,
				       &self->table));
	self->once = variant->type == KREG_TYPE_BAG;
}

FIXTURE_TEARDOWN_PARENT(bag)
{
	test_teardown(_metadata, &self->base);
}

static void puts_all(struct __test_metadata *_metadata, int fd, __u64 table, const char *key,
		     const char *letters)
{
	for (; *letters; letters++)
		test_put(fd, table, key, strlen(key), letters, 1);
}

TEST_F(bag, in_the_order_they_came)
{
	const struct kreg_object *o;
	__u64 version = 0;
	int i;

	puts_all(_metadata, self->fd, self->table, "key", "c");
	puts_all(_metadata, self->fd, self->table, "kez", "zy");
	puts_all(_metadata, self->fd, self->table, "key", "ab");
	puts_all(_metadata, self->fd, self->table, "ke", "x");
	HAS_VALUES("key", "cab");
	HAS_VALUES("kez", "zy");
	HAS_VALUES("ke", "x");
	HAS_VALUES("k", "");
	EXPECT_EQ(6, test_objects(self->fd, self->table));
	EXPECT_EQ(3, test_run(self->fd, self->table, "key", &self->run));
	for (i = 0; i < 3; i++) {
		o = test_run_next(&self->run);
		EXPECT_LT(version, o->version);
		EXPECT_EQ(0, o->sub);
		version = o->version;
	}
	EXPECT_EQ(version, self->run.op.out_version);
	EXPECT_EQ(3, test_number_of(self->fd, self->table, "key"));
	EXPECT_EQ(-ENODATA, test_number_of(self->fd, self->table, "none"));
	EXPECT_EQ(version, test_version(self->fd, self->table, "key"));
}

TEST_F(bag, the_same_object)
{
	int twice = self->once ? 1 : 0;

	EXPECT_EQ(0, test_adds(self->fd, self->table, "key", "a"));
	EXPECT_EQ(0, test_adds(self->fd, self->table, "key", "b"));
	EXPECT_EQ(twice, test_adds(self->fd, self->table, "key", "a"));
	HAS_VALUES("key", self->once ? "ab" : "aba");
	/* Neither is that of another key, nor one with something more. */
	EXPECT_EQ(0, test_adds(self->fd, self->table, "kez", "a"));
	EXPECT_EQ(0, test_adds(self->fd, self->table, "key", "aa"));
	EXPECT_EQ(0, test_adds(self->fd, self->table, "key", ""));
	EXPECT_EQ(twice, test_adds(self->fd, self->table, "key", ""));
	EXPECT_EQ(self->once ? 4 : 6, test_number_of(self->fd, self->table, "key"));
}

/* Values that are compared in several holds of the turn. */
TEST_F(bag, the_same_long_object)
{
	static char value[200000];
	struct kreg_op op = test_op_value(KREG_OP_PUT, "key", 3, value, sizeof(value));

	test_op_(self->fd, self->table, 0, &op);
	value[sizeof(value) - 1] = 1;
	test_op_(self->fd, self->table, 0, &op);
	EXPECT_EQ(0, op.out_count);
	test_op_(self->fd, self->table, 0, &op);
	EXPECT_EQ(self->once, op.out_count);
	EXPECT_EQ(self->once ? 2 : 3, test_number_of(self->fd, self->table, "key"));
	EXPECT_EQ(self->once ? 1 : 2, test_removes(self->fd, self->table, "key", KREG_OP_VALUE,
						   test_ptr(value), sizeof(value)));
	EXPECT_EQ(1, test_number_of(self->fd, self->table, "key"));
}

/* They differ only in what was compared in the first hold. */
TEST_F(bag, long_objects_that_differ_early)
{
	static char value[100000];
	struct kreg_op op = test_op_value(KREG_OP_PUT, "key", 3, value, sizeof(value));
	int i;

	for (i = 0; i < 4; i++) {
		value[0] = i;
		test_op_(self->fd, self->table, 0, &op);
		EXPECT_EQ(0, op.out_count);
	}
	EXPECT_EQ(1, test_removes(self->fd, self->table, "key", KREG_OP_VALUE, test_ptr(value),
				  sizeof(value)));
	EXPECT_EQ(3, test_number_of(self->fd, self->table, "key"));
	value[0] = 9;
	EXPECT_EQ(0, test_removes(self->fd, self->table, "key", KREG_OP_VALUE, test_ptr(value),
				  sizeof(value)));
}

TEST_F(bag, new_and_present)
{
	struct kreg_op op = test_op_puts("key", "a");

	op.flags = KREG_OP_PRESENT;
	test_err_op(ENODATA, self->fd, self->table, 0, &op);
	op.flags = KREG_OP_NEW;
	test_op_(self->fd, self->table, 0, &op);
	test_err_op(EEXIST, self->fd, self->table, 0, &op);
	op = test_op_puts("key", "b");
	op.flags = KREG_OP_PRESENT;
	test_op_(self->fd, self->table, 0, &op);
	HAS_VALUES("key", "ab");
}

TEST_F(bag, room)
{
	struct kreg_op op;
	__u64 room[16];
	__u32 len;

	puts_all(_metadata, self->fd, self->table, "key", "abc");
	op = test_op_value(KREG_OP_GET, "key", 3, NULL, 0);
	test_err_op(EMSGSIZE, self->fd, self->table, 0, &op);
	EXPECT_EQ(3, op.out_count);
	len = op.out_len;
	EXPECT_EQ(3 * (sizeof(struct kreg_object) + 8), len);
	ASSERT_LE(len, sizeof(room));
	op = test_op_value(KREG_OP_TAKE, "key", 3, room, len - 1);
	test_err_op(EMSGSIZE, self->fd, self->table, 0, &op);
	EXPECT_EQ(len, op.out_len);
	HAS_VALUES("key", "abc");
	op = test_op_value(KREG_OP_GET, "key", 3, (char *)room + 4, len);
	test_err_op(EINVAL, self->fd, self->table, 0, &op);
	op = test_op_value(KREG_OP_TAKE, "key", 3, room, len);
	test_op_(self->fd, self->table, 0, &op);
	EXPECT_EQ(3, op.out_count);
	EXPECT_EQ(len, op.out_len);
	HAS_VALUES("key", "");
	test_err_op(ENODATA, self->fd, self->table, 0, &op);
}

/* The version and number of the object with the value, and how often it was met. */
static struct kreg_object find(int fd, __u64 table, const char *key, const char *value)
{
	static struct test_run run;
	struct kreg_object found = {};
	const struct kreg_object *o;

	test_run(fd, table, key, &run);
	while ((o = test_run_next(&run)))
		if (test_object_is(o, key, value))
			found = *o;
	return found;
}

TEST_F(bag, one_of_them)
{
	struct kreg_op ops[3] = {
		test_op_puts("key", "a"), test_op_puts("key", "b"), test_op_puts("key", "c"),
	};
	struct kreg_object b;

	test_batch(self->fd, self->table, KREG_BATCH_ATOMIC, ops, 3, NULL);
	HAS_VALUES("key", "abc");
	b = find(self->fd, self->table, "key", "b");
	EXPECT_EQ(1, b.sub);
	EXPECT_EQ(ops[1].out_version, b.version);
	EXPECT_EQ(-ECANCELED, test_removes(self->fd, self->table, "key", KREG_OP_VERSION,
					   b.version, 3));
	EXPECT_EQ(-ECANCELED, test_removes(self->fd, self->table, "kez", KREG_OP_VERSION,
					   b.version, 1));
	EXPECT_EQ(1, test_removes(self->fd, self->table, "key", KREG_OP_VERSION, b.version, 1));
	HAS_VALUES("key", "ac");
	EXPECT_EQ(-ECANCELED, test_removes(self->fd, self->table, "key", KREG_OP_VERSION,
					   b.version, 1));
	EXPECT_EQ(-EOPNOTSUPP, test_removes(self->fd, self->table, "key", 0, 0, 1));
	EXPECT_EQ(2, test_removes(self->fd, self->table, "key", 0, 0, 0));
	EXPECT_EQ(0, test_removes(self->fd, self->table, "key", 0, 0, 0));
}

TEST_F(bag, by_value)
{
	puts_all(_metadata, self->fd, self->table, "key", "abab");
	EXPECT_EQ(self->once ? 1 : 2,
		  test_removes(self->fd, self->table, "key", KREG_OP_VALUE, test_ptr("a"), 1));
	HAS_VALUES("key", self->once ? "b" : "bb");
	EXPECT_EQ(0, test_removes(self->fd, self->table, "key", KREG_OP_VALUE, test_ptr("a"), 1));
}

TEST_F(bag, in_batches)
{
	struct kreg_op ops[] = {
		test_op_puts("key", "a"), test_op_puts("key", "b"),
		test_ops(KREG_OP_DELETE, "key"), test_op_puts("key", "c"),
		test_op_puts("key", "c"), test_op_puts("kez", "d"),
	};
	struct kreg_op fails[] = { test_ops(KREG_OP_DELETE, "key"), test_op_puts("kez", "e") };
	struct kreg_object c;
	__u32 done;

	puts_all(_metadata, self->fd, self->table, "key", "x");
	test_batch(self->fd, self->table, 0, ops, ARRAY_SIZE(ops), &done);
	EXPECT_EQ(ARRAY_SIZE(ops), done);
	HAS_VALUES("key", self->once ? "c" : "cc");
	HAS_VALUES("kez", "d");
	EXPECT_EQ(3, ops[2].out_count);
	EXPECT_EQ(self->once, ops[4].out_count);
	/* What fails leaves everything as it was. */
	fails[1].flags = KREG_OP_NEW;
	test_err_batch(EEXIST, self->fd, self->table, KREG_BATCH_ATOMIC, fails, 2, &done);
	EXPECT_EQ(1, done);
	HAS_VALUES("key", self->once ? "c" : "cc");
	fails[0] = test_op_puts("kez", "f");
	fails[0].flags = KREG_OP_PRESENT;
	fails[1] = test_op_puts("none", "g");
	fails[1].flags = KREG_OP_PRESENT;
	test_err_batch(ENODATA, self->fd, self->table, KREG_BATCH_ATOMIC, fails, 2, &done);
	EXPECT_EQ(1, done);
	fails[1].flags = KREG_OP_NEW;
	test_batch(self->fd, self->table, KREG_BATCH_ATOMIC, fails, 2, &done);
	HAS_VALUES("kez", "df");
	HAS_VALUES("none", "g");
	/* A condition is decided before anything is changed. */
	fails[0] = test_ops(KREG_OP_DELETE, "key");
	c = find(self->fd, self->table, "key", "c");
	fails[1] = test_ops(KREG_OP_DELETE, "key");
	fails[1].flags = KREG_OP_VERSION;
	fails[1].arg = c.version;
	fails[1].offset = c.sub;
	test_batch(self->fd, self->table, KREG_BATCH_ATOMIC, fails, 2, &done);
	EXPECT_EQ(0, fails[1].out_count);
	HAS_VALUES("key", "");
	test_put_async(self->fd, self->table, "key", "a");
	test_put_async(self->fd, self->table, "key", "b");
	test_sync(self->fd);
	HAS_VALUES("key", "ab");
}

TEST_F(bag, read_in_a_batch)
{
	__u64 room[3][32] = { 0 };
	struct kreg_op ops[] = {
		test_op_value(KREG_OP_GET, "key", 3, room[0], sizeof(room[0])),
		test_op_value(KREG_OP_GET, "none", 4, room[1], sizeof(room[1])),
		test_op_value(KREG_OP_GET, "kez", 3, room[2], sizeof(room[2])),
	};
	__u32 done;

	puts_all(_metadata, self->fd, self->table, "key", "ab");
	puts_all(_metadata, self->fd, self->table, "kez", "c");
	test_batch(self->fd, self->table, 0, ops, 3, &done);
	EXPECT_EQ(2, done);
	EXPECT_EQ(2, ops[0].out_count);
	EXPECT_TRUE(test_object_is((void *)room[0], "key", "a"));
	EXPECT_EQ(ENODATA, ops[1].out_error);
	EXPECT_EQ(1, ops[2].out_count);
	EXPECT_TRUE(test_object_is((void *)room[2], "kez", "c"));
}

TEST_F(bag, refused)
{
	struct kreg_field add = test_add(0, 1);
	struct kreg_op op = test_op_edit("key", &add, 1);
	__u64 room[8] = { 0 };

	test_put(self->fd, self->table, "key", 3, "12345678", 8);
	test_err_op(EOPNOTSUPP, self->fd, self->table, 0, &op);
	op = test_op_puts("key", "b");
	op.flags = KREG_OP_VERSION;
	op.arg = 1;
	test_err_op(EOPNOTSUPP, self->fd, self->table, 0, &op);
	op.flags = KREG_OP_VALUE;
	op.arg = test_ptr("12345678");
	op.offset = 8;
	test_err_op(EOPNOTSUPP, self->fd, self->table, 0, &op);
	op = test_op_puts("key", "b");
	op.flags = KREG_OP_MINE;
	test_err_op(EOPNOTSUPP, self->fd, self->table, 0, &op);
	op = test_op_value(KREG_OP_GET, "key", 3, room, sizeof(room));
	op.flags = KREG_OP_PART;
	test_err_op(EOPNOTSUPP, self->fd, self->table, 0, &op);
	op = test_op_value(KREG_OP_TAKE, "key", 3, room, sizeof(room));
	op.flags = KREG_OP_MINE;
	test_err_op(EOPNOTSUPP, self->fd, self->table, 0, &op);
	op.flags = KREG_OP_VERSION;
	op.arg = 1;
	test_err_op(EOPNOTSUPP, self->fd, self->table, 0, &op);
	EXPECT_EQ(1, test_objects(self->fd, self->table));
}

/* A number in each value, so that no two are the same. */
static void put_run(struct __test_metadata *_metadata, int fd, __u64 table, const char *key,
		    __u32 count)
{
	struct kreg_op ops[500];
	__u32 numbers[500], i, n, from;

	for (from = 0; from < count; from += n) {
		n = count - from < ARRAY_SIZE(ops) ? count - from : ARRAY_SIZE(ops);
		for (i = 0; i < n; i++) {
			numbers[i] = from + i;
			ops[i] = test_op_value(KREG_OP_PUT, key, strlen(key), &numbers[i], 4);
		}
		test_batch(fd, table, 0, ops, n, NULL);
	}
}

TEST_F(bag, a_long_run)
{
	static __u64 room[LONG * 8];
	const struct kreg_object *o;
	struct kreg_op op;
	__u32 i, at = 0, number, count = 500 + test_size(LONG - 500);

	put_run(_metadata, self->fd, self->table, "long", count);
	puts_all(_metadata, self->fd, self->table, "lon", "a");
	puts_all(_metadata, self->fd, self->table, "long2", "b");
	op = test_op_value(KREG_OP_GET, "long", 4, room, sizeof(room));
	test_op_(self->fd, self->table, 0, &op);
	ASSERT_EQ(count, op.out_count);
	for (i = 0; i < count; i++) {
		o = (void *)((char *)room + at);
		memcpy(&number, (const char *)(o + 1) + 4, 4);
		ASSERT_EQ(i, number);
		at += o->size;
	}
	EXPECT_EQ(op.out_len, at);
	EXPECT_EQ(count, test_removes(self->fd, self->table, "long", 0, 0, 0));
	EXPECT_EQ(2, test_objects(self->fd, self->table));
	HAS_VALUES("lon", "a");
	HAS_VALUES("long2", "b");
	put_run(_metadata, self->fd, self->table, "long", count);
	op = test_op_value(KREG_OP_TAKE, "long", 4, room, sizeof(room));
	test_op_(self->fd, self->table, 0, &op);
	EXPECT_EQ(count, op.out_count);
	EXPECT_EQ(2, test_objects(self->fd, self->table));
}

struct watcher {
	pthread_t thread;
	int fd;
	__u64 table;
	bool stop;
	unsigned long whole, gone, wrong;
};

static void *watch_run(void *arg)
{
	struct watcher *w = arg;

	while (!__atomic_load_n(&w->stop, __ATOMIC_RELAXED)) {
		int n = test_number_of(w->fd, w->table, "long");

		w->whole += n == 100;
		w->gone += n == -ENODATA;
		w->wrong += n != 100 && n != -ENODATA;
	}
	return NULL;
}

/* Whoever looks finds all objects of the key or none, whatever else dies. */
TEST_F(bag, at_one_moment)
{
	struct watcher w = { .fd = self->fd, .table = self->table };
	struct kreg_op ops[100];
	__u32 numbers[100], i;
	int rounds;

	for (i = 0; i < 100; i++) {
		numbers[i] = i;
		ops[i] = test_op_value(KREG_OP_PUT, "long", 4, &numbers[i], 4);
	}
	ASSERT_EQ(0, pthread_create(&w.thread, NULL, watch_run, &w));
	for (rounds = 0; rounds < (int)test_size(200) + 5; rounds++) {
		test_batch(self->fd, self->table, KREG_BATCH_ATOMIC, ops, 100, NULL);
		puts_all(_metadata, self->fd, self->table, "other", "a");
		EXPECT_EQ(1, test_removes(self->fd, self->table, "other", 0, 0, 0));
		EXPECT_EQ(100, test_removes(self->fd, self->table, "long", 0, 0, 0));
	}
	__atomic_store_n(&w.stop, true, __ATOMIC_RELAXED);
	pthread_join(w.thread, NULL);
	EXPECT_EQ(0, w.wrong);
}

TEST_F(bag, cleared)
{
	struct kreg_op op = test_op(KREG_OP_CLEAR, NULL, 0);

	puts_all(_metadata, self->fd, self->table, "key", "abc");
	puts_all(_metadata, self->fd, self->table, "kez", "d");
	test_op_(self->fd, self->table, 0, &op);
	EXPECT_EQ(4, op.out_count);
	HAS_VALUES("key", "");
	puts_all(_metadata, self->fd, self->table, "key", "e");
	HAS_VALUES("key", "e");
}

TEST_HARNESS_MAIN
