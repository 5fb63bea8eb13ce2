// SPDX-License-Identifier: GPL-2.0
/*
 * Users are charged for the memory of their tables in bytes, until it is freed.
 */
#include "kit/fixture.h"
#include "kit/edit.h"
#include "kit/job.h"
#include "kit/pin.h"

#define ALICE	1000
#define BOB	1001

FIXTURE(charge) {
	struct test_base base;
	int fd;
	struct kid *alice;
	struct kid *bob;
	long long limit;
};

FIXTURE_SETUP(charge)
{
	self->fd = test_setup(_metadata, &self->base);
	self->limit = test_param("max_user_bytes");
	self->alice = kid_start_as(_metadata, ALICE);
	self->bob = kid_start_as(_metadata, BOB);
}

FIXTURE_TEARDOWN_PARENT(charge)
{
	EXPECT_EQ(0, test_set_param("max_user_bytes", self->limit));
	test_teardown(_metadata, &self->base);
}

static char value[1 << 20];

static long job_put_sized(struct job *job)
{
	return _test_put(job->fd, job->table, job->key, strlen(job->key),
			 value, job->len);
}

static long job_len(struct job *job)
{
	struct kreg_op op = test_ops(KREG_OP_MEMBER, job->key);

	return _test_op(job->fd, job->table, 0, &op) ?: (long)op.out_len;
}

static long kid_len(struct kid *kid, __u64 id, const char *key)
{
	kid->job->table = id;
	test_set(kid->job->key, key);
	return kid_do(kid, job_len);
}

static long put_sized(struct kid *kid, __u64 id, const char *key, __u32 len)
{
	kid->job->table = id;
	test_set(kid->job->key, key);
	kid->job->len = len;
	return kid_do(kid, job_put_sized);
}

/* New objects with values of @job->len bytes from the key @job->arg on, until it fails. */
static long job_fill(struct job *job)
{
	long err;

	do {
		err = _test_put(job->fd, job->table, &job->arg, sizeof(job->arg), value, job->len);
		job->arg += !err;
	} while (!err);
	return err;
}

/* Returns how many fit. */
static long fill(struct __test_metadata *_metadata, struct kid *kid, __u64 id, __u64 from,
		 __u32 len)
{
	kid->job->table = id;
	kid->job->arg = from;
	kid->job->len = len;
	EXPECT_EQ(-EDQUOT, kid_do(kid, job_fill));
	return kid->job->arg - from;
}

static __u64 memory_of(struct kid *kid, __u64 id)
{
	return kid_info(kid, id) ? 0 : kid->job->info.memory;
}

/* Let Alice have @more bytes of memory than her tables @a and @b take; returns the limit. */
static __u64 limit_bytes(struct __test_metadata *_metadata, struct kid *alice, __u64 a, __u64 b,
			 __u64 more)
{
	__u64 limit = memory_of(alice, a) + (b ? memory_of(alice, b) : 0) + more;

	EXPECT_EQ(0, test_set_param("max_user_bytes", limit));
	return limit;
}

TEST_F(charge, whoever_writes)
{
	struct kid *alice = self->alice, *bob = self->bob;
	__u64 a, b, bobs, limit;
	long fit;

	ASSERT_EQ(0, kid_create(alice, NULL, KREG_ACCESS_PUBLIC, &a));
	ASSERT_EQ(0, kid_create(alice, NULL, KREG_ACCESS_PUBLIC, &b));
	ASSERT_EQ(0, kid_create(bob, NULL, 0, &bobs));
	limit = limit_bytes(_metadata, alice, a, b, 64 << 10);
	EXPECT_LT(100, fill(_metadata, alice, a, 0, 100));
	EXPECT_GE(limit, memory_of(alice, a) + memory_of(alice, b));
	EXPECT_LE(limit, memory_of(alice, a) + memory_of(alice, b) + (8 << 10));
	/* The user of the table is charged, whoever writes. */
	EXPECT_EQ(-EDQUOT, put_sized(bob, a, "w", 12000));
	EXPECT_EQ(0, put_sized(bob, bobs, "w", 12000));
	/* Memory about to be freed can be had again: the call waits until it is freed. */
	ASSERT_EQ(0, kid_op(alice, a, KREG_OP_CLEAR, ""));
	fit = fill(_metadata, alice, b, 0, 100);
	EXPECT_LT(100, fit);
	EXPECT_GE(limit, memory_of(alice, a) + memory_of(alice, b));
	ASSERT_EQ(0, kid_destroy(alice, b));
	/* Beside as many tables as before: how pages are divided depends on each byte. */
	ASSERT_EQ(0, kid_create(alice, NULL, KREG_ACCESS_PUBLIC, &b));
	EXPECT_LE(fit, fill(_metadata, alice, a, 0, 100));
}

/* Objects of two bytes take memory, too, and so do tables without an object. */
TEST_F(charge, what_is_held)
{
	struct kid *alice = self->alice;
	__u64 id, limit, memory = 0;
	long tables;

	ASSERT_EQ(0, kid_create(alice, NULL, 0, &id));
	limit = limit_bytes(_metadata, alice, id, 0, 1 << 20);
	EXPECT_LT(1000, fill(_metadata, alice, id, 0, 0));
	memory = memory_of(alice, id);
	/* Only the index may exceed the limit. */
	EXPECT_GE(limit + (limit >> 3), memory);
	EXPECT_LT(alice->job->info.bytes * 2, memory);
	ASSERT_EQ(0, kid_destroy(alice, id));
	for (tables = 0; !kid_create(alice, NULL, 0, &id); tables++)
		memory = memory_of(alice, id);
	EXPECT_GE(limit, tables * memory);
	EXPECT_LE(limit, (tables + 1) * memory + 4096);
}

/* At the limit all writes are possible that take no more memory in the end. */
TEST_F(charge, at_the_limit)
{
	struct kid *alice = self->alice;
	__u64 id;
	long i;

	ASSERT_EQ(0, kid_create(alice, NULL, 0, &id));
	limit_bytes(_metadata, alice, id, 0, 64 << 10);
	ASSERT_EQ(0, put_sized(alice, id, "x", 100));
	EXPECT_LT(100, fill(_metadata, alice, id, 0, 100));
	/* Shorter and shorter values; longer ones would take more. */
	for (i = 100; i >= 0; i--)
		EXPECT_EQ(0, put_sized(alice, id, "x", i));
	ASSERT_EQ(0, kid_op(alice, id, KREG_OP_DELETE, "x"));
	EXPECT_EQ(0, put_sized(alice, id, "y", 100));
	fill(_metadata, alice, id, 1000000, 100);
	ASSERT_EQ(0, test_set_param("max_user_bytes", 1));
	EXPECT_EQ(-EDQUOT, put_sized(alice, id, "z", 1000));
	EXPECT_EQ(0, put_sized(alice, id, "y", 100));
	EXPECT_EQ(0, kid_op(alice, id, KREG_OP_DELETE, "y"));
	EXPECT_EQ(0, kid_op(alice, id, KREG_OP_CLEAR, ""));
	EXPECT_EQ(0, kid_destroy(alice, id));
}

/* The first byte is replaced, and @job->len bytes behind the value are added. */
static long job_edit_sized(struct job *job)
{
	struct kreg_field f[2] = {
		test_copy(0, 0, "!", 1),
		test_copy(KREG_FIELD_EXTEND, job->arg, value, job->len),
	};

	return _test_edit(job->fd, job->table, job->key, f, 2);
}

static long edit_sized(struct kid *kid, __u64 id, const char *key, __u32 old, __u32 more)
{
	kid->job->table = id;
	test_set(kid->job->key, key);
	kid->job->arg = old;
	kid->job->len = more;
	return kid_do(kid, job_edit_sized);
}

/* Edits, too, are possible then if they take no more; one that is not has changed nothing. */
TEST_F(charge, edits_at_the_limit)
{
	static const __u32 lens[] = { 100, 400, 40000 };
	struct kid *alice = self->alice;
	unsigned int i, j;
	__u64 id;

	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		__u32 len = lens[i];

		ASSERT_EQ(0, test_set_param("max_user_bytes", self->limit));
		ASSERT_EQ(0, kid_create(alice, NULL, 0, &id));
		ASSERT_EQ(0, put_sized(alice, id, "x", len));
		ASSERT_EQ(0, test_set_param("max_user_bytes", 1));
		for (j = 0; j < 300; j++)
			EXPECT_EQ(0, edit_sized(alice, id, "x", len, 0));
		EXPECT_EQ(-EDQUOT, edit_sized(alice, id, "x", len, 20000));
		EXPECT_EQ(len, kid_len(alice, id, "x"));
		EXPECT_EQ(0, kid_destroy(alice, id));
	}
}

/* The same with values that have pages of their own. */
TEST_F(charge, long_values_at_the_limit)
{
	struct kid *alice = self->alice;
	__u64 id;
	int i;

	ASSERT_EQ(0, test_set_param("max_user_bytes", 4 << 20));
	ASSERT_EQ(0, kid_create(alice, NULL, 0, &id));
	ASSERT_EQ(0, put_sized(alice, id, "a", 1 << 20));
	ASSERT_EQ(0, put_sized(alice, id, "b", 1 << 20));
	ASSERT_EQ(0, put_sized(alice, id, "c", 1 << 20));
	EXPECT_EQ(-EDQUOT, put_sized(alice, id, "d", 1 << 20));
	EXPECT_EQ(0, put_sized(alice, id, "d", 900 << 10));
	EXPECT_EQ(-EDQUOT, put_sized(alice, id, "e", 1 << 20));
	for (i = 0; i < 5; i++) {
		EXPECT_EQ(0, put_sized(alice, id, "a", 1 << 20));
		EXPECT_EQ(0, put_sized(alice, id, "b", (1 << 20) - i));
	}
	/* It would take more in the end. */
	EXPECT_EQ(-EDQUOT, put_sized(alice, id, "d", 1 << 20));
	EXPECT_EQ(0, kid_op(alice, id, KREG_OP_DELETE, "a"));
	EXPECT_EQ(0, put_sized(alice, id, "e", 1 << 20));
	EXPECT_EQ(0, kid_op(alice, id, KREG_OP_CLEAR, ""));
	EXPECT_EQ(0, put_sized(alice, id, "a", 1 << 20));
}

#define MANY	10

static long job_put_many(struct job *job)
{
	static const char keys[] = "0123456789";
	struct kreg_op ops[MANY];
	__u32 done = 0;
	long err;
	int i;

	for (i = 0; i < (int)job->len; i++)
		ops[i] = test_op_value(KREG_OP_PUT, &keys[i], 1, value, 1000);
	err = _test_batch(job->fd, job->table, job->flags, ops, job->len, &done);
	job->arg = done;
	for (i = 0; i < (int)job->len; i++)
		job->data[i] = ops[i].out_error;
	return err;
}

static long put_many(struct kid *kid, __u32 flags, __u32 n)
{
	kid->job->flags = flags;
	kid->job->len = n;
	return kid_do(kid, job_put_many);
}

TEST_F(charge, batch)
{
	struct kid *alice = self->alice;
	int i, fit;
	__u64 id;

	ASSERT_EQ(0, kid_create(alice, NULL, KREG_ACCESS_PUBLIC, &id));
	alice->job->table = id;
	limit_bytes(_metadata, alice, id, 0, 10000);
	EXPECT_EQ(-EDQUOT, put_many(alice, KREG_BATCH_ATOMIC, MANY));
	EXPECT_EQ(0, test_objects(self->fd, id));
	/* Not atomic: as many operations succeed as fit. */
	EXPECT_EQ(0, put_many(alice, 0, MANY));
	fit = alice->job->arg;
	EXPECT_LT(1, fit);
	EXPECT_GT(MANY, fit);
	for (i = 0; i < MANY; i++)
		EXPECT_EQ(i < fit ? 0 : EDQUOT, alice->job->data[i]);
	EXPECT_EQ(fit, test_objects(self->fd, id));
	/* Once more: objects that are there are replaced. */
	EXPECT_EQ(0, put_many(alice, 0, MANY));
	EXPECT_EQ(fit, alice->job->arg);
	EXPECT_EQ(0, put_many(alice, KREG_BATCH_ATOMIC, fit));
	EXPECT_EQ(0, put_many(alice, KREG_WRITE_ASYNC, fit));
	EXPECT_EQ(-EDQUOT, put_many(alice, KREG_BATCH_ATOMIC, fit + 1));
	EXPECT_EQ(fit, test_objects(self->fd, id));
	ASSERT_EQ(0, kid_op(alice, id, KREG_OP_CLEAR, ""));
	ASSERT_EQ(0, test_set_param("max_user_bytes", 100000));
	EXPECT_EQ(0, put_many(alice, KREG_BATCH_ATOMIC, MANY));
	EXPECT_EQ(MANY, test_objects(self->fd, id));
}

/* Of three objects the first byte is replaced, and to the second @job->len bytes are added. */
static long job_edit_three(struct job *job)
{
	struct kreg_field f[2] = {
		test_copy(0, 0, "!", 1), test_copy(KREG_FIELD_EXTEND, job->arg, value, job->len),
	};
	struct kreg_op ops[3] = {
		test_op_edit("x", f, 1), test_op_edit("y", f, 2), test_op_edit("z", f, 1),
	};
	__u32 done = ~0U;
	long err = _test_batch(job->fd, job->table, job->flags, ops, 3, &done);

	job->arg2 = done;
	job->data[1] = ops[1].out_error;
	return err;
}

static long job_pin(struct job *job)
{
	__u64 pin;

	return _test_pin(job->fd, job->table, 0, &pin);
}

static long edit_three(struct kid *kid, __u32 flags, __u32 more)
{
	kid->job->flags = flags;
	kid->job->arg = 400;
	kid->job->len = more;
	return kid_do(kid, job_edit_three);
}

/* In a batch, too, edits are possible then if they take no more. */
TEST_F(charge, batch_of_edits)
{
	struct kid *alice = self->alice;
	__u64 id;
	int i;

	ASSERT_EQ(0, kid_create(alice, NULL, 0, &id));
	ASSERT_EQ(0, put_sized(alice, id, "x", 400));
	ASSERT_EQ(0, put_sized(alice, id, "y", 400));
	ASSERT_EQ(0, put_sized(alice, id, "z", 400));
	ASSERT_EQ(0, kid_do(alice, job_pin));
	ASSERT_EQ(0, test_set_param("max_user_bytes", 1));
	for (i = 0; i < 100; i++) {
		EXPECT_EQ(0, edit_three(alice, i & 1 ? KREG_BATCH_ATOMIC : 0, 0));
		EXPECT_EQ(3, alice->job->arg2);
	}
	/* What was replaced has not stayed for the pin. */
	ASSERT_EQ(0, kid_info(alice, id));
	EXPECT_EQ(0, alice->job->info.pins);
	EXPECT_EQ(-EDQUOT, edit_three(alice, KREG_BATCH_ATOMIC, 8000));
	EXPECT_EQ(1, alice->job->arg2);
	EXPECT_EQ(400, kid_len(alice, id, "y"));
	EXPECT_EQ(0, edit_three(alice, 0, 8000));
	EXPECT_EQ(2, alice->job->arg2);
	EXPECT_EQ(EDQUOT, alice->job->data[1]);
	EXPECT_EQ(400, kid_len(alice, id, "y"));
	ASSERT_EQ(0, test_set_param("max_user_bytes", self->limit));
	EXPECT_EQ(0, edit_three(alice, KREG_BATCH_ATOMIC, 8000));
	EXPECT_EQ(8400, kid_len(alice, id, "y"));
}

/* Over the limit an asynchronous write fails at once or at SYNC. */
TEST_F(charge, asynchronous)
{
	struct kid *alice = self->alice;
	__u64 id;
	int i, err;
	char key[16];

	ASSERT_EQ(0, kid_create(alice, NULL, KREG_ACCESS_PUBLIC, &id));
	limit_bytes(_metadata, alice, id, 0, 10000);
	for (i = 0, err = 0; i < 1000 && !err; i++) {
		snprintf(key, sizeof(key), "key%03d", i);
		err = _test_put_async(self->fd, id, key, "1234");
		if (err == -EAGAIN)
			err = _test_sync(self->fd);
	}
	if (!err)
		err = _test_sync(self->fd);
	EXPECT_EQ(-EDQUOT, err);
	test_sync(self->fd);
	EXPECT_LT(10, test_objects(self->fd, id));
	EXPECT_GT(200, test_objects(self->fd, id));
}

TEST_HARNESS_MAIN
