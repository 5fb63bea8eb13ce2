// SPDX-License-Identifier: GPL-2.0
/*
 * Objects that are bound to a process, as long as that lives.
 */
#include "kit/fixture.h"
#include "kit/bound.h"

FIXTURE(bound) {
	struct test_base base;
	int fd;
	__u64 table;
	struct kreg_process me;
	long long limit;
};

FIXTURE_SETUP(bound)
{
	self->fd = test_setup(_metadata, &self->base);
	self->me = test_self(self->fd);
	self->limit = test_param("max_user_bound");
	test_create(self->fd, "bound", KREG_ACCESS_PUBLIC, &self->table);
}

FIXTURE_TEARDOWN_PARENT(bound)
{
	EXPECT_EQ(0, test_set_param("max_user_bound", self->limit));
	test_teardown(_metadata, &self->base);
}

#define IS_MINE(key)	EXPECT_TRUE(test_is_of(self->fd, self->table, key, self->me))
#define IS_NOBODYS(key)	EXPECT_TRUE(test_is_nobodys(self->fd, self->table, key))
#define EXPECT_BOUND(n)	EXPECT_EQ(n, test_bound(self->fd, self->table))

TEST_F(bound, whose_it_is)
{
	struct kreg_ioc_op cmd = { .size = sizeof(cmd), .table = self->table };
	char room[8] = { 0 };

	test_puts(self->fd, self->table, "plain", "p");
	test_bind(self->fd, self->table, "key", "value");
	IS_MINE("key");
	IS_NOBODYS("plain");
	EXPECT_BOUND(1);
	EXPECT_EQ(2, test_objects(self->fd, self->table));
	test_gets(self->fd, self->table, "key", "value");

	/* GET tells it as MEMBER does, also if the room is too small. */
	cmd.op = test_op_value(KREG_OP_GET, "key", 3, room, sizeof(room));
	EXPECT_EQ(0, test_ioctl(self->fd, KREG_IOC_OP, &cmd));
	EXPECT_TRUE(test_same(self->me, cmd.out_process));
	EXPECT_EQ(5, cmd.op.out_len);
	memset(&cmd.out_process, 0xff, sizeof(cmd.out_process));
	cmd.op = test_op_value(KREG_OP_GET, "key", 3, room, 1);
	EXPECT_EQ(-EMSGSIZE, test_ioctl(self->fd, KREG_IOC_OP, &cmd));
	EXPECT_TRUE(test_same(self->me, cmd.out_process));
	/* A write has nothing to tell. */
	memset(&cmd.out_process, 0xff, sizeof(cmd.out_process));
	cmd.op = test_op_bind("key", "other");
	EXPECT_EQ(0, test_ioctl(self->fd, KREG_IOC_OP, &cmd));
	EXPECT_TRUE(test_none(cmd.out_process));
}

TEST_F(bound, counts)
{
	struct kreg_op op = test_op_bind("a", "1");

	test_op_(self->fd, self->table, 0, &op);
	EXPECT_EQ(0, op.out_count);
	op = test_op_bind("a", "2");
	test_op_(self->fd, self->table, 0, &op);
	EXPECT_EQ(1, op.out_count);
	EXPECT_BOUND(1);
	test_bind(self->fd, self->table, "b", "1");
	EXPECT_BOUND(2);
	test_delete(self->fd, self->table, "a");
	EXPECT_BOUND(1);
	test_err_member(ENODATA, self->fd, self->table, "a");
	test_clear(self->fd, self->table);
	EXPECT_BOUND(0);
	test_err_member(ENODATA, self->fd, self->table, "b");
	test_bind(self->fd, self->table, "b", "2");
	EXPECT_BOUND(1);
	IS_MINE("b");
}

TEST_F(bound, plain_put_keeps_it)
{
	struct kreg_op ops[3];
	__u32 done;

	test_bind(self->fd, self->table, "key", "1");
	test_puts(self->fd, self->table, "key", "2");
	IS_MINE("key");
	test_gets(self->fd, self->table, "key", "2");
	test_put_async(self->fd, self->table, "key", "3");
	test_sync(self->fd);
	IS_MINE("key");
	ops[0] = test_op_puts("key", "4");
	ops[1] = test_op_puts("new", "5");
	test_batch(self->fd, self->table, 0, ops, 2, &done);
	EXPECT_EQ(2, done);
	IS_MINE("key");
	IS_NOBODYS("new");
	EXPECT_BOUND(1);
	/* Within one batch, too. */
	ops[0] = test_op_bind("twice", "1");
	ops[1] = test_op_puts("twice", "2");
	ops[2] = test_ops(KREG_OP_DELETE, "new");
	test_batch(self->fd, self->table, 0, ops, 3, &done);
	IS_MINE("twice");
	test_gets(self->fd, self->table, "twice", "2");
	EXPECT_BOUND(2);
	/* What was not bound becomes so; what was deleted is new. */
	test_puts(self->fd, self->table, "late", "1");
	test_bind(self->fd, self->table, "late", "2");
	IS_MINE("late");
	test_delete(self->fd, self->table, "late");
	test_puts(self->fd, self->table, "late", "3");
	IS_NOBODYS("late");
}

TEST_F(bound, new)
{
	test_bind_new(self->fd, self->table, "key", "1");
	test_err_bind_new(EEXIST, self->fd, self->table, "key", "2");
	test_err_put_new(EEXIST, self->fd, self->table, "key", "2");
	test_gets(self->fd, self->table, "key", "1");
	IS_MINE("key");
}

TEST_F(bound, take)
{
	char room[8] = { 0 };
	struct kreg_op op = test_op_value(KREG_OP_TAKE, "key", 3, room, sizeof(room));

	test_bind(self->fd, self->table, "key", "value");
	test_op_(self->fd, self->table, 0, &op);
	EXPECT_EQ(5, op.out_len);
	EXPECT_EQ(0, memcmp(room, "value", 5));
	EXPECT_BOUND(0);
	op = test_op_value(KREG_OP_TAKE, "key", 3, room, sizeof(room));
	test_err_op(ENODATA, self->fd, self->table, 0, &op);
}

/* Values of all lengths around those at which the record changes. */
TEST_F(bound, sizes)
{
	static const unsigned int sizes[] = {
		0, 1, 2, 3, 4, 5, 63, 64, 100, 127, 128, 129, 4000, 4096, 16300, 16330, 16331,
		16332, 16333, 16334, 16335, 16347, 16348, 16349, 16384, 100000, KREG_MAX_VALUE,
	};
	static char value[KREG_MAX_VALUE], got[KREG_MAX_VALUE];
	char key[24];
	unsigned int i, n;

	for (i = 0; i < sizeof(value); i++)
		value[i] = i * 7 + i / 251;
	for (n = 0; n < 3; n++) {
		for (i = 0; i < ARRAY_SIZE(sizes); i++) {
			struct kreg_op op;

			snprintf(key, sizeof(key), "%u", i);
			op = test_op_value(KREG_OP_PUT, key, strlen(key), value + n,
					   sizes[i] > n ? sizes[i] - n : 0);
			op.flags = n == 1 ? 0 : KREG_OP_BOUND;
			test_op_(self->fd, self->table, 0, &op);
			IS_MINE(key);
			EXPECT_EQ((int)op.value_len,
				  _test_get(self->fd, self->table, key, strlen(key), got,
					    sizeof(got)));
			EXPECT_EQ(0, memcmp(got, value + n, op.value_len));
		}
		EXPECT_BOUND((long long)ARRAY_SIZE(sizes));
	}
}

TEST_F(bound, scan)
{
	__u64 buf[64] = { 0 };
	struct kreg_ioc_scan cmd = {
		.table = self->table, .buf = test_ptr(buf), .buf_len = sizeof(buf),
	};
	struct kreg_object *object = (void *)buf;

	test_bind(self->fd, self->table, "key", "value");
	test_scan(self->fd, &cmd);
	EXPECT_EQ(1, cmd.out_count);
	EXPECT_EQ(32, object->size);
	EXPECT_EQ(5, object->value_len);
	EXPECT_EQ(0, memcmp(object + 1, "keyvalue", 8));
}

TEST_F(bound, batch)
{
	struct kreg_op ops[4] = {
		test_op_bind("a", "1"), test_op_puts("b", "2"), test_op_bind("c", "3"),
		test_op_bind("a", "4"),
	};
	__u32 done = 0;

	ops[2].flags |= KREG_OP_NEW;
	test_batch(self->fd, self->table, KREG_BATCH_ATOMIC, ops, 4, &done);
	EXPECT_EQ(4, done);
	EXPECT_EQ(1, ops[3].out_count);
	IS_MINE("a");
	IS_NOBODYS("b");
	IS_MINE("c");
	test_gets(self->fd, self->table, "a", "4");
	EXPECT_BOUND(2);
	/* Nothing of an atomic one that fails. */
	ops[0] = test_op_bind("d", "1");
	test_err_batch(EEXIST, self->fd, self->table, KREG_BATCH_ATOMIC, ops, 4, &done);
	EXPECT_EQ(2, done);
	EXPECT_BOUND(2);
	/* Of another, the one alone. */
	test_batch(self->fd, self->table, 0, ops, 4, &done);
	EXPECT_EQ(3, done);
	EXPECT_EQ(EEXIST, ops[2].out_error);
	EXPECT_BOUND(3);
	/* Reads. */
	ops[0] = test_ops(KREG_OP_MEMBER, "a");
	ops[1] = test_ops(KREG_OP_MEMBER, "no");
	test_batch(self->fd, self->table, 0, ops, 2, &done);
	EXPECT_EQ(1, done);
}

TEST_F(bound, async)
{
	struct kreg_op ops[2] = { test_op_bind("a", "1"), test_op_bind("b", "2") };

	test_op_(self->fd, self->table, KREG_WRITE_ASYNC, &ops[0]);
	test_batch(self->fd, self->table, KREG_WRITE_ASYNC, ops, 2, NULL);
	test_sync(self->fd);
	IS_MINE("a");
	IS_MINE("b");
	EXPECT_BOUND(2);
}

TEST_F(bound, flags)
{
	static const __u16 codes[] = {
		KREG_OP_GET, KREG_OP_MEMBER, KREG_OP_DELETE, KREG_OP_TAKE, KREG_OP_CLEAR,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(codes); i++) {
		struct kreg_op op = test_ops(codes[i], "key");

		op.flags = KREG_OP_BOUND;
		test_err_op(EINVAL, self->fd, self->table, 0, &op);
	}
	EXPECT_TRUE(test_self(self->fd).cookie);
	{
		struct kreg_ioc_query query;

		EXPECT_EQ(0, _test_query(self->fd, &query));
		EXPECT_TRUE(query.out_features & KREG_FEATURE_BOUND);
	}
}

static long job_bind_told(struct job *job)
{
	struct kreg_ioc_op cmd = {
		.size = sizeof(cmd),
		.table = job->table,
		.op = test_op_bind(job->key, "v"),
		.out_limit = ~0U,
	};
	int err = test_ioctl(job->fd, KREG_IOC_OP, &cmd);

	return err == -EDQUOT ? (long)cmd.out_limit : err;
}

static long job_bind_batch_told(struct job *job)
{
	struct kreg_op op = test_op_bind(job->key, "v");
	struct kreg_ioc_batch cmd = test_batch_cmd(job->table, KREG_BATCH_ATOMIC, &op, 1);
	int err;

	cmd.out_limit = ~0U;
	err = test_ioctl(job->fd, KREG_IOC_BATCH, &cmd);
	return err == -EDQUOT ? (long)cmd.out_limit : err;
}

static long kid_bind_told(struct kid *kid, __u64 table, const char *key)
{
	kid->job->table = table;
	test_set(kid->job->key, key);
	return kid_do(kid, job_bind_told);
}

/* It is the user's, through whom objects were bound, and comes back however they go. */
TEST_F(bound, limit)
{
	struct kid *alice = kid_start_as(_metadata, 1000), *other = kid_start_as(_metadata, 1000);

	ASSERT_EQ(0, test_set_param("max_user_bound", 3));
	EXPECT_EQ(0, kid_bind_told(alice, self->table, "a"));
	EXPECT_EQ(0, kid_bind_told(alice, self->table, "b"));
	EXPECT_EQ(0, kid_bind_told(other, self->table, "c"));
	EXPECT_EQ(KREG_LIMIT_BOUND, kid_bind_told(alice, self->table, "d"));
	EXPECT_EQ(KREG_LIMIT_BOUND, kid_bind_told(other, self->table, "d"));
	EXPECT_EQ(KREG_LIMIT_BOUND, kid_do(other, job_bind_batch_told));
	EXPECT_EQ(-EDQUOT, kid_bind_many(alice, self->table, "m", 2, KREG_BATCH_ATOMIC));
	EXPECT_EQ(0, kid_bind_many(alice, self->table, "m", 2, 0));
	EXPECT_EQ(3, test_objects(self->fd, self->table));
	/* Its own it may bind again, and update. */
	EXPECT_EQ(0, kid_bind_told(alice, self->table, "a"));
	EXPECT_EQ(0, kid_bind_told(alice, self->table, "c"));
	EXPECT_TRUE(test_is_of(self->fd, self->table, "c", alice->self));
	EXPECT_EQ(0, kid_puts(alice, self->table, "a", "w"));
	EXPECT_EQ(KREG_LIMIT_BOUND, kid_bind_told(alice, self->table, "d"));
	/* Root is not limited, and pays for what it takes over. */
	test_bind(self->fd, self->table, "a", "r");
	EXPECT_EQ(0, kid_bind_told(alice, self->table, "d"));
	EXPECT_EQ(KREG_LIMIT_BOUND, kid_bind_told(alice, self->table, "e"));
	test_delete(self->fd, self->table, "b");
	EXPECT_EQ(0, kid_bind_told(alice, self->table, "e"));
	EXPECT_EQ(KREG_LIMIT_BOUND, kid_bind_told(alice, self->table, "f"));
	kid_kill(alice);
	test_sync(self->fd);
	EXPECT_EQ(3, kid_bind_many(other, self->table, "n", 3, KREG_BATCH_ATOMIC));
	EXPECT_EQ(KREG_LIMIT_BOUND, kid_bind_told(other, self->table, "g"));
	/* A clear gives it back soon. */
	test_clear(self->fd, self->table);
	EXPECT_TRUE(test_wait_for(!kid_bind_told(other, self->table, "g")));
	EXPECT_EQ(0, kid_bind_told(other, self->table, "h"));
	test_destroy(self->fd, self->table);
	test_create(self->fd, "bound", KREG_ACCESS_PUBLIC, &self->table);
	EXPECT_TRUE(test_wait_for(kid_bind_many(other, self->table, "n", 3, KREG_BATCH_ATOMIC) ==
				  3));
}

TEST_HARNESS_MAIN
