// SPDX-License-Identifier: GPL-2.0
/*
 * Asynchronous writes: order, limits, errors, and writes of processes that have died.
 */
#include "kit/fixture.h"
#include "kit/job.h"
#include "kit/stall.h"

#define WRITES	2000
#define ROUNDS	20

FIXTURE(async) {
	struct test_base base;
	int fd;
	__u64 table;
};

FIXTURE_SETUP(async)
{
	self->fd = test_setup(_metadata, &self->base);
	test_create(self->fd, "async", KREG_ACCESS_PUBLIC, &self->table);
}

FIXTURE_TEARDOWN_PARENT(async)
{
	test_teardown(_metadata, &self->base);
}

static struct kreg_op *many_puts(__u32 count)
{
	struct kreg_op *ops = calloc(count, sizeof(*ops));
	__u32 *keys = calloc(count, sizeof(*keys)), i;

	for (i = 0; i < count; i++) {
		keys[i] = i;
		ops[i] = test_op_value(KREG_OP_PUT, &keys[i], 4, &keys[i], 4);
	}
	return ops;
}

TEST_F(async, sync_makes_visible)
{
	char key[16];
	int i, err;

	for (i = 0; i < WRITES; i++) {
		snprintf(key, sizeof(key), "%d", i);
		do {
			err = _test_put_async(self->fd, self->table, key, key);
		} while (err == -EAGAIN && !_test_sync(self->fd));
		ASSERT_EQ(0, err);
	}
	test_sync(self->fd);
	EXPECT_EQ(WRITES, test_objects(self->fd, self->table));
	for (i = 0; i < WRITES; i++) {
		snprintf(key, sizeof(key), "%d", i);
		test_gets(self->fd, self->table, key, key);
	}
}

/* One client's writes to one table keep their order, whatever their form. */
TEST_F(async, order)
{
	struct kreg_op op;
	char text[16];
	int i;

	for (i = 0; i < ROUNDS * 10; i++) {
		snprintf(text, sizeof(text), "%d", i);
		test_put_async(self->fd, self->table, "k", "early");
		test_put_async(self->fd, self->table, "k", text);
		/* A synchronous write finds the asynchronous one before it applied. */
		test_err_put_new(EEXIST, self->fd, self->table, "k", "late");
		test_gets(self->fd, self->table, "k", text);

		op = test_ops(KREG_OP_DELETE, "k");
		test_op_(self->fd, self->table, KREG_WRITE_ASYNC, &op);
		test_put_new(self->fd, self->table, "k", "new");
		test_put_async(self->fd, self->table, "l", "l");
		op = test_op(KREG_OP_CLEAR, NULL, 0);
		test_op_(self->fd, self->table, KREG_WRITE_ASYNC, &op);
		test_puts(self->fd, self->table, "m", "m");
		EXPECT_EQ(1, test_objects(self->fd, self->table));
	}
}

/* So does a TAKE, which also reads. */
TEST_F(async, take_comes_after)
{
	struct kreg_op op = test_ops(KREG_OP_TAKE, "k");
	struct stall s;
	char value[8];
	int err;

	op.value = (uintptr_t)value;
	op.value_len = sizeof(value);
	stall_prepare(_metadata, &s);
	stall(_metadata, &s);
	err = _test_put_async(self->fd, self->table, "k", "v");
	if (!err)
		err = _test_op(self->fd, self->table, 0, &op);
	unstall(_metadata, &s);
	EXPECT_EQ(0, err);
	EXPECT_EQ(1, op.out_len);
	EXPECT_EQ(0, test_objects(self->fd, self->table));
}

TEST_F(async, nothing_is_written_back)
{
	struct kreg_op op = test_op_puts("k", "v"), before;

	op.out_version = 1;
	op.out_count = 2;
	op.out_error = 3;
	op.out_sub = 4;
	before = op;
	test_op_(self->fd, self->table, KREG_WRITE_ASYNC, &op);
	EXPECT_EQ(0, memcmp(&before, &op, sizeof(op)));
	test_sync(self->fd);
	test_gets(self->fd, self->table, "k", "v");
}

TEST_F(async, batches)
{
	struct kreg_op *ops = many_puts(1000);
	__u32 flags;

	for (flags = 0; flags <= KREG_BATCH_ATOMIC;
	     flags += KREG_BATCH_ATOMIC) {
		test_batch(self->fd, self->table, flags | KREG_WRITE_ASYNC,
			   ops, 1000, NULL);
		test_sync(self->fd);
		EXPECT_EQ(1000, test_objects(self->fd, self->table));
		test_clear(self->fd, self->table);
	}
	ops[999].flags = KREG_OP_NEW;
	test_err_batch(EINVAL, self->fd, self->table, KREG_WRITE_ASYNC, ops,
		       1000, NULL);
	test_sync(self->fd);
	EXPECT_EQ(0, test_objects(self->fd, self->table));
}

/* EAGAIN when too many wait already; other clients do not count. */
TEST_F(async, too_many)
{
	struct kreg_op *ops = many_puts(KREG_MAX_ASYNC_OPS);
	int other = test_client(), full = 0, i;
	int put, batch, err, others;
	struct kreg_ioc_batch cmd;
	struct stall s;

	ASSERT_LE(0, other);
	stall_prepare(_metadata, &s);
	for (i = 0; i < ROUNDS && !full; i++) {
		test_clear(self->fd, self->table);
		stall(_metadata, &s);
		err = _test_batch(self->fd, self->table, KREG_WRITE_ASYNC,
				  ops, KREG_MAX_ASYNC_OPS, NULL);
		put = _test_put_async(self->fd, self->table, "over", "v");
		cmd = test_batch_cmd(self->table, KREG_WRITE_ASYNC, ops, KREG_MAX_ASYNC_OPS);
		cmd.size = sizeof(cmd);
		batch = test_ioctl(self->fd, KREG_IOC_BATCH, &cmd);
		others = _test_put_async(other, self->table, "other", "v");
		unstall(_metadata, &s);

		ASSERT_EQ(0, err);
		ASSERT_EQ(0, others);
		full = put == -EAGAIN && batch == -EAGAIN;
		if (full)
			EXPECT_EQ(KREG_LIMIT_QUEUED, cmd.out_limit);
		test_sync(self->fd);
		test_sync(other);
		EXPECT_EQ(KREG_MAX_ASYNC_OPS + 1 + (put == 0),
			  test_objects(self->fd, self->table));
		/* After that, writes are accepted again. */
		test_put_async(self->fd, self->table, "after", "v");
		test_sync(self->fd);
		test_gets(self->fd, self->table, "after", "v");
	}
	EXPECT_TRUE(full);
}

TEST_F(async, too_large)
{
	char *value = calloc(1, KREG_MAX_VALUE);
	struct kreg_op op = test_op_value(KREG_OP_PUT, "0", 1, value,
					  KREG_MAX_VALUE);
	static const char * const keys[] = { "0", "1", "2", "3", "4", "5" };
	int errs[6], full = 0, round, i;
	struct stall s;

	stall_prepare(_metadata, &s);
	for (round = 0; round < ROUNDS && !full; round++) {
		test_clear(self->fd, self->table);
		stall(_metadata, &s);
		for (i = 0; i < 6; i++) {
			op.key = test_ptr(keys[i]);
			errs[i] = _test_op(self->fd, self->table,
					   KREG_WRITE_ASYNC, &op);
		}
		unstall(_metadata, &s);
		/* The keys count as well, so that the fourth does not fit. */
		for (i = 0; i < 3; i++)
			EXPECT_EQ(0, errs[i]);
		full = errs[5] == -EAGAIN;
		test_sync(self->fd);
		for (i = 0; i < 6; i++) {
			ASSERT_TRUE(!errs[i] || errs[i] == -EAGAIN);
			EXPECT_EQ(errs[i] ? -ENODATA : 0,
				  _test_member(self->fd, self->table,
					       keys[i]));
		}
	}
	EXPECT_TRUE(full);
}

static long job_setopt_queued(struct job *job)
{
	return _test_access(job->fd, job->table, KREG_ACCESS_PROTECTED);
}

/*
 * A write that was accepted but is refused when it is applied: SYNC returns its error
 * once. It is refused since a change of the access rule is in the queue before it.
 */
TEST_F(async, first_error_sticks)
{
	struct kid *owner = kid_start(_metadata);
	struct kreg_op op = test_op_puts("first", "v");
	int first, second, third, seen = 0, i;
	struct stall s;
	__u64 end, id;

	stall_prepare(_metadata, &s);
	for (i = 0; i < ROUNDS && !seen; i++) {
		ASSERT_EQ(0, kid_create(owner, NULL, KREG_ACCESS_PUBLIC, &id));
		owner->job->table = id;
		set_fifo(_metadata, owner->pid, 60);
		stall(_metadata, &s);
		/* A batch is always queued, and so are the calls after it. */
		first = _test_batch(self->fd, id, KREG_WRITE_ASYNC, &op, 1, NULL);
		kid_ask(owner, job_setopt_queued);
		end = test_now_ns() + 300000000ULL;
		while (!kid_sleeps(owner, SYS_ioctl, owner->job->fd) &&
		       test_now_ns() < end)
			;
		second = _test_put_async(self->fd, id, "second", "v");
		third = _test_put_async(self->fd, self->table, "third", "v");
		unstall(_metadata, &s);
		set_fifo(_metadata, owner->pid, 0);

		ASSERT_EQ(0, kid_answer(owner));
		ASSERT_EQ(0, first);
		ASSERT_EQ(0, third);
		ASSERT_TRUE(!second || second == -EACCES);
		seen = !second;
		test_err_sync(second ? 0 : EACCES, self->fd);
		/* The error is forgotten, and the write after it was applied. */
		test_sync(self->fd);
		test_gets(self->fd, self->table, "third", "v");
		test_gets(self->fd, id, "first", "v");
		test_err_member(ENODATA, self->fd, id, "second");
	}
	EXPECT_TRUE(seen);
}

/* Errors that the call itself returns are not returned by SYNC again. */
TEST_F(async, early_errors)
{
	__u64 dead;

	test_create(self->fd, NULL, 0, &dead);
	test_destroy(self->fd, dead);
	test_err_put_async(ESTALE, self->fd, dead, "k", "v");
	test_err_put_async(EINVAL, self->fd, self->table, "", "v");
	test_sync(self->fd);
}

TEST_F(async, races_with_destroy)
{
	struct kid *kid = kid_start(_metadata);
	int i, n, err;
	__u64 id;

	for (i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(0, kid_create(kid, NULL, KREG_ACCESS_PUBLIC, &id));
		kid->job->table = id;
		kid_ask(kid, job_destroy);
		for (n = 0, err = 0; n < 500 && !err; n++)
			err = _test_put_async(self->fd, id, "k", "v");
		ASSERT_TRUE(!err || err == -ESTALE || err == -EAGAIN);
		ASSERT_EQ(0, kid_answer(kid));
		err = _test_sync(self->fd);
		EXPECT_TRUE(!err || err == -ESTALE);
		test_sync(self->fd);
	}
}

static long job_write_many(struct job *job)
{
	struct kreg_op *ops = many_puts(WRITES);

	return _test_batch(job->fd, job->table, KREG_WRITE_ASYNC, ops, WRITES,
			   NULL);
}

static long job_write_and_die(struct job *job)
{
	_exit(job_write_many(job) ? 1 : 0);
}

/* Accepted writes are applied before the death of the writing process can be seen. */
TEST_F(async, before_exit)
{
	struct kid *kid;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		kid = kid_start(_metadata);
		kid->job->table = self->table;
		kid_ask(kid, job_write_and_die);
		ASSERT_EQ(0, kid_reap(kid));
		ASSERT_EQ(WRITES, test_objects(self->fd, self->table));
		test_clear(self->fd, self->table);
	}
}

TEST_F(async, before_kill)
{
	struct kid *kid;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		kid = kid_start(_metadata);
		kid->job->table = self->table;
		ASSERT_EQ(0, kid_do(kid, job_write_many));
		ASSERT_EQ(SIGKILL, kid_kill(kid));
		ASSERT_EQ(WRITES, test_objects(self->fd, self->table));
		test_clear(self->fd, self->table);
	}
}

/* The heir finds all that the dead owner has written. */
TEST_F(async, inherited)
{
	struct kreg_process me = test_self(self->fd);
	struct test_event event;
	struct kid *kid;
	__u64 id;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		kid = kid_start(_metadata);
		ASSERT_EQ(0, kid_create_heir(kid, NULL, me, "", &id));
		ASSERT_EQ(0, kid_do(kid, job_write_many));
		ASSERT_EQ(SIGKILL, kid_kill(kid));
		test_event_now(self->fd, &event);
		EXPECT_EQ(id, event.e.table);
		ASSERT_EQ(WRITES, test_objects(self->fd, id));
		test_destroy(self->fd, id);
	}
}

/* Accepted writes are applied although the client is closed. */
TEST_F(async, before_close)
{
	struct kreg_op *ops = many_puts(WRITES);
	int fd = test_client();

	ASSERT_LE(0, fd);
	test_batch(fd, self->table, KREG_WRITE_ASYNC, ops, WRITES, NULL);
	close(fd);
	test_sync(self->fd);
	EXPECT_EQ(WRITES, test_objects(self->fd, self->table));
}

/* SYNC waits also for what other clients have had accepted before it. */
TEST_F(async, sync_for_all)
{
	struct kid *kid = kid_start(_metadata);
	int i;

	for (i = 0; i < ROUNDS; i++) {
		kid->job->table = self->table;
		ASSERT_EQ(0, kid_do(kid, job_write_many));
		test_sync(self->fd);
		ASSERT_EQ(WRITES, test_objects(self->fd, self->table));
		test_clear(self->fd, self->table);
	}
}

TEST_HARNESS_MAIN
