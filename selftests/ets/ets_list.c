// SPDX-License-Identifier: GPL-2.0
/*
 * What ets_SUITE of Erlang/OTP requires of lists of objects, of whole tables
 * and of many processes at once, as far as the ABI has it. The names are those
 * of its cases.
 */
#include "kit/fixture.h"
#include "kit/job.h"

#define WORKERS		8
#define SHARE		2000
#define BATCH		500
#define ROUNDS		10

FIXTURE(ets) {
	struct test_base base;
	int fd;
	__u64 table;
};

FIXTURE_SETUP(ets)
{
	self->fd = test_setup(_metadata, &self->base);
	test_create(self->fd, "list", KREG_ACCESS_PUBLIC, &self->table);
}

FIXTURE_TEARDOWN_PARENT(ets)
{
	test_teardown(_metadata, &self->base);
}

/* Numbers from @from on as keys, @number as the value of all. */
static int put_batch(int fd, __u64 table, __u32 from, __u32 count, __u16 flags,
		     __u64 number)
{
	static struct kreg_op ops[KREG_MAX_BATCH_OPS];
	static __u32 keys[KREG_MAX_BATCH_OPS];
	__u32 i;

	for (i = 0; i < count; i++) {
		keys[i] = from + i;
		ops[i] = test_op_value(KREG_OP_PUT, &keys[i], 4, &number,
				       sizeof(number));
		ops[i].flags = flags;
	}
	return _test_batch(fd, table, KREG_BATCH_ATOMIC, ops, count, NULL);
}

/* @arg: number of the worker; returns the first error, or how many objects it has put. */
static long job_insert(struct job *job)
{
	__u32 at;
	long err;

	for (at = 0; at < SHARE; at += BATCH) {
		err = put_batch(job->fd, job->table, job->arg * SHARE + at,
				BATCH, 0, job->arg);
		if (err)
			return err;
	}
	return SHARE;
}

static void start_all(struct __test_metadata *_metadata, struct kid **kids,
		      __u64 table, long (*fn)(struct job *job))
{
	int i;

	for (i = 0; i < WORKERS; i++) {
		kids[i] = kid_start(_metadata);
		kids[i]->job->arg = i;
		kids[i]->job->table = table;
	}
	for (i = 0; i < WORKERS; i++)
		kid_ask(kids[i], fn);
}

/* t_insert_list_set, t_insert_new: results and sizes of both forms */
TEST_F(ets, t_insert_list_set)
{
	__u64 id = self->table;

	EXPECT_EQ(0, put_batch(self->fd, id, 0, 100, KREG_OP_NEW, 1));
	EXPECT_EQ(100, test_objects(self->fd, id));
	EXPECT_EQ(-EEXIST, put_batch(self->fd, id, 99, 100, KREG_OP_NEW, 2));
	EXPECT_EQ(100, test_objects(self->fd, id));
	EXPECT_EQ(0, put_batch(self->fd, id, 100, 100, KREG_OP_NEW, 2));
	EXPECT_EQ(200, test_objects(self->fd, id));
	EXPECT_EQ(0, put_batch(self->fd, id, 50, 100, 0, 3));
	EXPECT_EQ(200, test_objects(self->fd, id));
}

/* t_insert_list_parallel, smp_insert: many at once, and the size is exact */
TEST_F(ets, t_insert_list_parallel)
{
	struct kid *kids[WORKERS];
	__u32 key;
	__u64 value;
	int i;

	start_all(_metadata, kids, self->table, job_insert);
	for (i = 0; i < WORKERS; i++)
		EXPECT_EQ(SHARE, kid_answer(kids[i]));
	EXPECT_EQ(WORKERS * SHARE, test_objects(self->fd, self->table));
	EXPECT_EQ(WORKERS * SHARE, test_count(self->fd, self->table));
	for (key = 0; key < WORKERS * SHARE; key += 17) {
		ASSERT_EQ(8, _test_get(self->fd, self->table, &key, 4, &value,
				       8));
		ASSERT_EQ(key / SHARE, value);
	}
}

/* t_insert_list_delete_set, _delete_parallel: the table goes meanwhile */
TEST_F(ets, t_insert_list_delete_parallel)
{
	struct kid *kids[WORKERS];
	struct kreg_info info;
	long ret;
	int i, round;

	for (round = 0; round < 2 + (int)test_size(ROUNDS - 2); round++) {
		start_all(_metadata, kids, self->table, job_insert);
		/* Some have begun, some have not. */
		EXPECT_TRUE(test_wait_for(test_objects(self->fd, self->table) >=
					  round * BATCH));
		test_destroy(self->fd, self->table);
		for (i = 0; i < WORKERS; i++) {
			ret = kid_answer(kids[i]);
			EXPECT_TRUE(ret == SHARE || ret == -ESTALE);
			kid_kill(kids[i]);
		}
		/* No write has created it again. */
		test_err_info(ESTALE, self->fd, self->table, &info);
		test_err_info_name(ENOENT, self->fd, "list", &info);
		test_create(self->fd, "list", KREG_ACCESS_PUBLIC,
			    &self->table);
	}
}

static long job_insert_for_ever(struct job *job)
{
	__u64 number = 0;

	while (1) {
		long err = put_batch(job->fd, job->table, 0,
				     KREG_MAX_BATCH_OPS, 0, ++number);

		if (err)
			return err;
	}
}

/* t_insert_list_kill_process: the table can be deleted afterwards */
TEST_F(ets, t_insert_list_kill_process)
{
	struct kreg_info info;
	struct kid *kid;
	long long objects;
	int round;

	for (round = 0; round < 2 + (int)test_size(ROUNDS - 2); round++) {
		kid = kid_start(_metadata);
		kid->job->table = self->table;
		kid_ask(kid, job_insert_for_ever);
		EXPECT_TRUE(test_wait_for(!(round & 1) ||
					  test_objects(self->fd, self->table)));
		test_pause_ms(round);
		kid_kill(kid);
		objects = test_objects(self->fd, self->table);
		EXPECT_TRUE(!objects || objects == KREG_MAX_BATCH_OPS);
		test_destroy(self->fd, self->table);
		test_err_info(ESTALE, self->fd, self->table, &info);
		test_create(self->fd, "list", KREG_ACCESS_PUBLIC,
			    &self->table);
	}
}

/* insert_trap_delete: the owner dies under those who insert */
TEST_F(ets, insert_trap_delete)
{
	struct kid *owner, *writer;
	struct kreg_info info;
	__u64 id;
	int round;

	for (round = 0; round < 2 + (int)test_size(ROUNDS - 2); round++) {
		owner = kid_start(_metadata);
		writer = kid_start(_metadata);
		ASSERT_EQ(0, kid_create(owner, "trap", KREG_ACCESS_PUBLIC,
					&id));
		writer->job->table = id;
		kid_ask(writer, job_insert_for_ever);
		test_pause_ms(round);
		kid_kill(owner);
		test_err_info(ESTALE, self->fd, id, &info);
		test_err_info_name(ENOENT, self->fd, "trap", &info);
		EXPECT_EQ(-ESTALE, kid_answer(writer));
		kid_kill(writer);
		test_err_info(ESTALE, self->fd, id, &info);
	}
}

static long job_info_until_objects(struct job *job)
{
	struct kreg_info info;
	long err;

	do {
		err = _test_info_name(job->fd, "list", &info);
		if (!err)
			err = _test_info(job->fd, job->table, &info);
	} while (!err && info.objects < job->arg2);
	return err;
}

/* info_whereis_busy: never "absent" while a long insert runs */
TEST_F(ets, info_whereis_busy)
{
	struct kid *kids[WORKERS];
	int i;

	for (i = 0; i < WORKERS / 2; i++) {
		kids[i] = kid_start(_metadata);
		kids[i]->job->table = self->table;
		kids[i]->job->arg2 = 10 * KREG_MAX_BATCH_OPS;
		kid_ask(kids[i], job_info_until_objects);
	}
	for (i = 0; i < 10; i++)
		EXPECT_EQ(0, put_batch(self->fd, self->table,
				       i * KREG_MAX_BATCH_OPS,
				       KREG_MAX_BATCH_OPS, 0, i));
	for (i = 0; i < WORKERS / 2; i++)
		EXPECT_EQ(0, kid_answer(kids[i]));
}

/* Put objects one by one; returns how many. */
static long job_insert_single(struct job *job)
{
	__u32 key;
	long err;

	for (key = job->arg * SHARE; key < (job->arg + 1) * SHARE; key++) {
		err = _test_put(job->fd, job->table, &key, 4, &key, 4);
		if (err)
			return err;
	}
	return SHARE;
}

/* t_delete_all_objects: all that was there, however many insert meanwhile */
TEST_F(ets, t_delete_all_objects)
{
	struct kreg_op op = test_op(KREG_OP_CLEAR, NULL, 0);
	struct kid *kids[WORKERS];
	long long removed = 0;
	int i;

	start_all(_metadata, kids, self->table, job_insert_single);
	for (i = 0; i < 20; i++) {
		test_op_(self->fd, self->table, 0, &op);
		removed += op.out_count;
		op = test_op(KREG_OP_CLEAR, NULL, 0);
		test_pause_ms(2);
	}
	for (i = 0; i < WORKERS; i++)
		EXPECT_EQ(SHARE, kid_answer(kids[i]));
	/* Each was removed once, or is still there. */
	EXPECT_EQ(WORKERS * SHARE,
		  removed + test_objects(self->fd, self->table));
	EXPECT_EQ(test_objects(self->fd, self->table),
		  test_count(self->fd, self->table));
}

/* Take all objects of a range; returns how many this kid got. */
static long job_take(struct job *job)
{
	struct kreg_op op;
	__u32 key, value;
	long err, got = 0;

	for (key = 0; key < SHARE; key++) {
		op = test_op_value(KREG_OP_TAKE, &key, 4, &value, 4);
		err = _test_op(job->fd, job->table, 0, &op);
		if ((err && err != -ENODATA) || (!err && value != key))
			return err ?: -EBADMSG;
		got += !err;
	}
	return got;
}

static long job_put_new(struct job *job)
{
	struct kreg_op op;
	__u32 key;
	long err, got = 0;

	for (key = 0; key < SHARE; key++) {
		op = test_op_value(KREG_OP_PUT, &key, 4, &key, 4);
		op.flags = KREG_OP_NEW;
		err = _test_op(job->fd, job->table, 0, &op);
		if (err && err != -EEXIST)
			return err;
		got += !err;
	}
	return got;
}

static long sum_of(struct __test_metadata *_metadata, __u64 table,
		   long (*fn)(struct job *job))
{
	struct kid *kids[WORKERS];
	long sum = 0, got;
	int i;

	start_all(_metadata, kids, table, fn);
	for (i = 0; i < WORKERS; i++) {
		got = kid_answer(kids[i]);
		EXPECT_LE(0, got);
		sum += got;
	}
	return sum;
}

/* take, t_insert_new: each object goes to one, each key is new to one */
TEST_F(ets, take)
{
	EXPECT_EQ(SHARE, sum_of(_metadata, self->table, job_put_new));
	EXPECT_EQ(SHARE, test_objects(self->fd, self->table));
	EXPECT_EQ(SHARE, sum_of(_metadata, self->table, job_take));
	EXPECT_EQ(0, test_objects(self->fd, self->table));
}

static long job_mixed(struct job *job)
{
	static const __u16 codes[] = {
		KREG_OP_PUT, KREG_OP_PUT, KREG_OP_GET, KREG_OP_DELETE,
		KREG_OP_TAKE, KREG_OP_MEMBER,
	};
	__u32 seed = job->arg + 1, key, value;
	struct kreg_op op;
	long err;
	int i;

	for (i = 0; i < 2 * SHARE; i++) {
		seed = seed * 1103515245 + 12345;
		key = (seed >> 16) % 100;
		value = key;
		op = test_op(codes[(seed >> 8) % ARRAY_SIZE(codes)], &key, 4);
		if (op.code != KREG_OP_DELETE && op.code != KREG_OP_MEMBER) {
			op.value = test_ptr(&value);
			op.value_len = 4;
		}
		err = _test_op(job->fd, job->table, 0, &op);
		if (err && err != -ENODATA)
			return err;
		if (value != key)
			return -EBADMSG;
	}
	return 0;
}

/* heavy_concurrent: many processes with mixed operations on few keys */
TEST_F(ets, heavy_concurrent)
{
	struct kid *kids[WORKERS];
	int i;

	start_all(_metadata, kids, self->table, job_mixed);
	for (i = 0; i < WORKERS; i++)
		EXPECT_EQ(0, kid_answer(kids[i]));
	EXPECT_EQ(test_objects(self->fd, self->table),
		  test_count(self->fd, self->table));
}

TEST_HARNESS_MAIN
