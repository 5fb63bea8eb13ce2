// SPDX-License-Identifier: GPL-2.0
/*
 * Objects, one at a time.
 */
#include "kit/fixture.h"

FIXTURE(data) {
	struct test_base base;
	int fd;
	__u64 table;
};

FIXTURE_SETUP(data)
{
	self->fd = test_setup(_metadata, &self->base);
	test_create(self->fd, "data", KREG_ACCESS_PROTECTED, &self->table);
}

FIXTURE_TEARDOWN_PARENT(data)
{
	test_teardown(_metadata, &self->base);
}

/* Bytes that differ by place and seed. */
static void pattern(void *buf, size_t len, unsigned int seed)
{
	unsigned char *p = buf;
	size_t i;

	for (i = 0; i < len; i++) {
		seed = seed * 1103515245 + 12345;
		p[i] = seed >> 16;
	}
}

TEST_F(data, put_and_get)
{
	struct kreg_op op = test_op_puts("key", "one");
	char room[8];

	test_op_(self->fd, self->table, 0, &op);
	EXPECT_EQ(0, op.out_count);
	test_gets(self->fd, self->table, "key", "one");
	op = test_op_puts("key", "two");
	test_op_(self->fd, self->table, 0, &op);
	EXPECT_EQ(1, op.out_count);
	test_gets(self->fd, self->table, "key", "two");
	EXPECT_EQ(1, test_objects(self->fd, self->table));

	op = test_op_value(KREG_OP_GET, "key", 3, room, sizeof(room));
	test_op_(self->fd, self->table, 0, &op);
	EXPECT_EQ(3, op.out_len);
	EXPECT_EQ(1, op.out_count);
	EXPECT_EQ(0, memcmp("two", room, 3));
	test_err_get(ENODATA, self->fd, self->table, "ke", 2, room, 8);
	test_err_get(ENODATA, self->fd, self->table, "key\0", 4, room, 8);
}

TEST_F(data, put_new)
{
	struct kreg_op op = test_op_puts("key", "one");

	op.flags = KREG_OP_NEW;
	test_op_(self->fd, self->table, 0, &op);
	EXPECT_EQ(0, op.out_count);
	test_err_put_new(EEXIST, self->fd, self->table, "key", "two");
	test_gets(self->fd, self->table, "key", "one");
	test_delete(self->fd, self->table, "key");
	test_put_new(self->fd, self->table, "key", "three");
	test_gets(self->fd, self->table, "key", "three");
}

TEST_F(data, member)
{
	struct kreg_op op = test_ops(KREG_OP_MEMBER, "key");

	test_err_op(ENODATA, self->fd, self->table, 0, &op);
	test_puts(self->fd, self->table, "key", "12345");
	test_op_(self->fd, self->table, 0, &op);
	EXPECT_EQ(5, op.out_len);
	EXPECT_EQ(1, op.out_count);
	EXPECT_NE(0, op.out_version);
}

TEST_F(data, delete)
{
	struct kreg_op op = test_ops(KREG_OP_DELETE, "key");

	test_op_(self->fd, self->table, 0, &op);
	EXPECT_EQ(0, op.out_count);
	test_puts(self->fd, self->table, "key", "v");
	op = test_ops(KREG_OP_DELETE, "key");
	test_op_(self->fd, self->table, 0, &op);
	EXPECT_EQ(1, op.out_count);
	test_err_member(ENODATA, self->fd, self->table, "key");
	EXPECT_EQ(0, test_objects(self->fd, self->table));
}

TEST_F(data, take)
{
	char room[8] = "xxxxxxx";
	struct kreg_op op = test_op_value(KREG_OP_TAKE, "key", 3, room, 8);

	test_err_op(ENODATA, self->fd, self->table, 0, &op);
	test_puts(self->fd, self->table, "key", "12345");
	op = test_op_value(KREG_OP_TAKE, "key", 3, room, 4);
	test_err_op(EMSGSIZE, self->fd, self->table, 0, &op);
	EXPECT_EQ(5, op.out_len);
	EXPECT_STREQ("xxxxxxx", room);
	test_gets(self->fd, self->table, "key", "12345");

	/* Room that cannot be written: nothing is taken. */
	op = test_op_value(KREG_OP_TAKE, "key", 3, (void *)8, 8);
	test_err_op(EFAULT, self->fd, self->table, 0, &op);
	test_gets(self->fd, self->table, "key", "12345");

	op = test_op_value(KREG_OP_TAKE, "key", 3, room, 8);
	test_op_(self->fd, self->table, 0, &op);
	EXPECT_EQ(5, op.out_len);
	EXPECT_EQ(1, op.out_count);
	EXPECT_EQ(0, memcmp("12345xx", room, 8));
	test_err_member(ENODATA, self->fd, self->table, "key");
}

TEST_F(data, clear)
{
	struct kreg_op op = test_op(KREG_OP_CLEAR, NULL, 0);
	char key[16];
	int i;

	for (i = 0; i < 1000; i++) {
		snprintf(key, sizeof(key), "%d", i);
		test_puts(self->fd, self->table, key, key);
	}
	test_op_(self->fd, self->table, 0, &op);
	EXPECT_EQ(1000, op.out_count);
	EXPECT_EQ(0, test_objects(self->fd, self->table));
	EXPECT_EQ(0, test_count(self->fd, self->table));
	test_err_member(ENODATA, self->fd, self->table, "1");
	op = test_op(KREG_OP_CLEAR, NULL, 0);
	test_op_(self->fd, self->table, 0, &op);
	EXPECT_EQ(0, op.out_count);
	test_puts(self->fd, self->table, "1", "again");
	test_gets(self->fd, self->table, "1", "again");
}

TEST_F(data, key_lengths)
{
	unsigned char key[KREG_MAX_KEY + 1];
	__u32 len, value;

	pattern(key, sizeof(key), 1);
	for (len = 1; len <= KREG_MAX_KEY; len++)
		test_put(self->fd, self->table, key, len, &len, sizeof(len));
	EXPECT_EQ(KREG_MAX_KEY, test_objects(self->fd, self->table));
	for (len = 1; len <= KREG_MAX_KEY; len++) {
		ASSERT_EQ(sizeof(value), _test_get(self->fd, self->table, key,
						   len, &value, 4));
		ASSERT_EQ(len, value);
	}
	test_err_put(EINVAL, self->fd, self->table, key, 0, "v", 1);
	test_err_put(ENAMETOOLONG, self->fd, self->table, key,
		     KREG_MAX_KEY + 1, "v", 1);
	test_err_get(EINVAL, self->fd, self->table, key, 0, &value, 4);
	test_err_get(ENAMETOOLONG, self->fd, self->table, key, ~0U, &value,
		     4);
	EXPECT_EQ(KREG_MAX_KEY, test_objects(self->fd, self->table));
}

/* Keys and values are any bytes. */
TEST_F(data, any_bytes)
{
	unsigned char key[3] = { 0 }, value[2];
	int i;

	for (i = 0; i < 256; i++) {
		key[1] = i;
		test_put(self->fd, self->table, key, 3, key, 2);
	}
	for (i = 0; i < 256; i++) {
		key[1] = i;
		ASSERT_EQ(2, _test_get(self->fd, self->table, key, 3, value,
				       2));
		ASSERT_EQ(i, value[1]);
	}
	EXPECT_EQ(256, test_objects(self->fd, self->table));
}

TEST_F(data, value_lengths)
{
	static const __u32 lens[] = {
		0, 1, 2, 7, 8, 9, 15, 16, 17, 63, 64, 65, 255, 256, 1023, 1024,
		2047, 2048, 3000, 3900, 4000, 4040, 4064, 4080, 4095, 4096,
		4097, 5000, 8191, 8192, 8193, 12000, 16331, 16332, 16333,
		16347, 16348, 16349, 16384,
		65535, 65536, 65537, 1000000,
		KREG_MAX_VALUE - 1, KREG_MAX_VALUE,
	};
	char *value = malloc(KREG_MAX_VALUE), *room = malloc(KREG_MAX_VALUE);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		pattern(value, lens[i], i);
		test_put(self->fd, self->table, &lens[i], 4, value, lens[i]);
	}
	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		pattern(value, lens[i], i);
		ASSERT_EQ(lens[i], _test_get(self->fd, self->table, &lens[i],
					     4, room, KREG_MAX_VALUE));
		ASSERT_EQ(0, memcmp(value, room, lens[i]));
		/* Exactly enough room is enough. */
		ASSERT_EQ(lens[i], _test_get(self->fd, self->table, &lens[i],
					     4, room, lens[i]));
	}
	test_err_put(EFBIG, self->fd, self->table, "k", 1, value,
		     KREG_MAX_VALUE + 1);
	test_err_put(EFBIG, self->fd, self->table, "k", 1, value, ~0U);
	test_err_member(ENODATA, self->fd, self->table, "k");
	/* A value of every length is replaced by one of every other length. */
	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		pattern(value, lens[i], i);
		test_put(self->fd, self->table, "k", 1, value, lens[i]);
		ASSERT_EQ(lens[i], _test_get(self->fd, self->table, "k", 1,
					     room, lens[i]));
		ASSERT_EQ(0, memcmp(value, room, lens[i]));
		test_put(self->fd, self->table, "k", 1, value, 20);
	}
}

TEST_F(data, too_little_room)
{
	char value[5000], room[5000];
	static const __u32 lens[] = { 1, 100, 5000 };
	struct kreg_op op;
	unsigned int i;

	pattern(value, sizeof(value), 7);
	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		test_put(self->fd, self->table, "k", 1, value, lens[i]);
		memset(room, 'x', sizeof(room));
		op = test_op_value(KREG_OP_GET, "k", 1, room, lens[i] - 1);
		test_err_op(EMSGSIZE, self->fd, self->table, 0, &op);
		EXPECT_EQ(lens[i], op.out_len);
		EXPECT_EQ('x', room[0]);
		/* The answer tells how much room is needed. */
		op = test_op_value(KREG_OP_GET, "k", 1, room, op.out_len);
		test_op_(self->fd, self->table, 0, &op);
		EXPECT_EQ(0, memcmp(value, room, lens[i]));
	}
	/* No room at all, and none needed. */
	test_put(self->fd, self->table, "k", 1, NULL, 0);
	EXPECT_EQ(0, _test_get(self->fd, self->table, "k", 1, NULL, 0));
}

TEST_F(data, versions_grow)
{
	__u64 last = 0, written;
	struct kreg_info info;
	struct kreg_op op;
	int i;

	for (i = 0; i < 100; i++) {
		op = test_op_puts(i & 1 ? "odd" : "even", "v");
		test_op_(self->fd, self->table, 0, &op);
		ASSERT_LT(last, op.out_version);
		written = op.out_version;
		op = test_ops(KREG_OP_MEMBER, i & 1 ? "odd" : "even");
		test_op_(self->fd, self->table, 0, &op);
		ASSERT_EQ(written, op.out_version);
		last = written;
	}
	/* The other object has kept its version. */
	op = test_ops(KREG_OP_MEMBER, "even");
	test_op_(self->fd, self->table, 0, &op);
	EXPECT_LT(op.out_version, last);

	op = test_ops(KREG_OP_DELETE, "odd");
	test_op_(self->fd, self->table, 0, &op);
	EXPECT_LT(last, op.out_version);
	last = op.out_version;
	op = test_op(KREG_OP_CLEAR, NULL, 0);
	test_op_(self->fd, self->table, 0, &op);
	EXPECT_LT(last, op.out_version);
	test_info(self->fd, self->table, &info);
	EXPECT_EQ(op.out_version, info.version);
	/* An object that is inserted again has a newer version. */
	op = test_op_puts("odd", "v");
	test_op_(self->fd, self->table, 0, &op);
	EXPECT_LT(info.version, op.out_version);
}

TEST_F(data, info_counts)
{
	struct kreg_info info;
	char key[8];
	int i;

	for (i = 0; i < 500; i++) {
		snprintf(key, sizeof(key), "%03d", i);
		test_put(self->fd, self->table, key, 3, key, 2);
		test_info(self->fd, self->table, &info);
		ASSERT_EQ(i + 1, info.objects);
		ASSERT_EQ(5 * (i + 1), info.bytes);
		ASSERT_LT(info.bytes, info.memory);
		ASSERT_LT(0, info.buckets);
	}
	test_put(self->fd, self->table, "000", 3, "longer", 6);
	test_info(self->fd, self->table, &info);
	EXPECT_EQ(500, info.objects);
	EXPECT_EQ(5 * 499 + 9, info.bytes);
	test_delete(self->fd, self->table, "001");
	test_clear(self->fd, self->table);
	test_info(self->fd, self->table, &info);
	EXPECT_EQ(0, info.objects);
	EXPECT_EQ(0, info.bytes);
}

TEST_F(data, members_that_make_no_sense)
{
	struct kreg_op op;

	test_puts(self->fd, self->table, "k", "v");
	op = test_op(KREG_OP_CLEAR, "k", 1);
	test_err_op(EINVAL, self->fd, self->table, 0, &op);
	op = test_op_value(KREG_OP_DELETE, "k", 1, "v", 1);
	test_err_op(EINVAL, self->fd, self->table, 0, &op);
	op = test_op_value(KREG_OP_MEMBER, "k", 1, "v", 1);
	test_err_op(EINVAL, self->fd, self->table, 0, &op);
	op = test_op(KREG_OP_CLEAR, NULL, 0);
	op.flags = KREG_OP_NEW;
	test_err_op(EINVAL, self->fd, self->table, 0, &op);
	op = test_ops(KREG_OP_DELETE, "k");
	op.flags = KREG_OP_NEW;
	test_err_op(EINVAL, self->fd, self->table, 0, &op);
	op = test_op(0, "k", 1);
	test_err_op(EOPNOTSUPP, self->fd, self->table, 0, &op);
	op = test_op(KREG_OP_PUBLISH + 1, "k", 1);
	test_err_op(EOPNOTSUPP, self->fd, self->table, 0, &op);
	/* Only writes can be asynchronous. */
	op = test_ops(KREG_OP_MEMBER, "k");
	test_err_op(EINVAL, self->fd, self->table, KREG_WRITE_ASYNC, &op);
	op = test_op_value(KREG_OP_TAKE, "k", 1, &op, 1);
	test_err_op(EINVAL, self->fd, self->table, KREG_WRITE_ASYNC, &op);
	op = test_op_puts("k", "w");
	op.flags = KREG_OP_NEW;
	test_err_op(EINVAL, self->fd, self->table, KREG_WRITE_ASYNC, &op);
	op = test_op_puts("k", "w");
	test_err_op(EOPNOTSUPP, self->fd, self->table, KREG_BATCH_ATOMIC, &op);
	test_gets(self->fd, self->table, "k", "v");
}

/* Alone and in a batch of equal ones, since batches of equal operations are checked as one. */
static void expect_no_such(struct __test_metadata *_metadata, int fd, __u64 table,
			   __u16 code, __u16 flags)
{
	struct kreg_op ops[2];

	if (code && code <= KREG_OP_PUBLISH && !(flags & ~KREG_OP_ALL))
		return;
	ops[0] = test_op_value(code, "key", 3, "value", 5);
	ops[0].flags = flags;
	ops[1] = ops[0];
	test_err_op(EOPNOTSUPP, fd, table, 0, &ops[0]);
	test_err_batch(EOPNOTSUPP, fd, table, 0, ops, 1, NULL);
	test_err_batch(EOPNOTSUPP, fd, table, KREG_BATCH_ATOMIC, ops, 2, NULL);
	test_err_batch(EOPNOTSUPP, fd, table, KREG_WRITE_ASYNC, ops, 2, NULL);
}

TEST_F(data, no_such_operation)
{
	unsigned int code, bit;

	for (code = 0; code <= 0xffff; code = code < 15 ? code + 1 : code * 2 + 1) {
		expect_no_such(_metadata, self->fd, self->table, code, 0);
		expect_no_such(_metadata, self->fd, self->table, code, 0xffff);
		for (bit = 1; bit <= 0x8000; bit *= 2)
			expect_no_such(_metadata, self->fd, self->table, code, bit);
	}
	EXPECT_EQ(0, test_objects(self->fd, self->table));
}

/* Memory of deleted objects is freed while the table exists. */
TEST_F(data, memory_comes_back)
{
	struct kreg_info before, info;
	char value[200];
	int round, i;

	memset(value, 'v', sizeof(value));
	for (i = 0; i < 2000; i++)
		test_put(self->fd, self->table, &i, sizeof(i), value, 200);
	test_clear(self->fd, self->table);
	ASSERT_EQ(0, _test_sync(self->fd));
	test_info(self->fd, self->table, &before);
	for (round = 0; round < 10; round++) {
		for (i = 0; i < 2000; i++)
			test_put(self->fd, self->table, &i, sizeof(i), value,
				 200);
		test_clear(self->fd, self->table);
	}
	/* Of the memory of ten rounds at most that of three may be kept. */
	EXPECT_TRUE(test_wait_for(!_test_info(self->fd, self->table, &info) &&
				  !info.limbo));
	EXPECT_LE(info.memory, before.memory + 3 * 2000 * 300);
}

/*
 * Memory of replaced objects waits for a grace period, but only so much of it: beyond
 * that the writes wait as well.
 */
TEST_F(data, limbo_has_a_cap)
{
	static char value[64 << 10];
	struct kreg_info info;
	__u64 most = 0;
	int i;

	for (i = 0; i < 300; i++) {
		value[0] = i;
		test_put(self->fd, self->table, "k", 1, value, sizeof(value));
		test_info(self->fd, self->table, &info);
		most = info.limbo > most ? info.limbo : most;
		ASSERT_EQ(1, info.objects);
	}
	EXPECT_LT(sizeof(value), most);
	EXPECT_GT((4 << 20) + 2 * sizeof(value), most);
}

TEST_F(data, parameter_counts_objects)
{
	long long before = test_param("objects");

	test_puts(self->fd, self->table, "a", "1");
	test_puts(self->fd, self->table, "b", "1");
	EXPECT_EQ(before + 2, test_param("objects"));
}

TEST_HARNESS_MAIN
