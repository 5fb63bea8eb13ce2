// SPDX-License-Identifier: GPL-2.0
/*
 * Many operations in one call.
 */
#include <stddef.h>
#include <sys/mman.h>

#include "kit/fixture.h"

#define MANY	KREG_MAX_BATCH_OPS

FIXTURE(batch) {
	struct test_base base;
	int fd;
	__u64 table;
};

FIXTURE_SETUP(batch)
{
	self->fd = test_setup(_metadata, &self->base);
	test_create(self->fd, "batch", KREG_ACCESS_PROTECTED, &self->table);
}

FIXTURE_TEARDOWN_PARENT(batch)
{
	test_teardown(_metadata, &self->base);
}

static struct kreg_op put_new(const char *key, const char *value)
{
	struct kreg_op op = test_op_puts(key, value);

	op.flags = KREG_OP_NEW;
	return op;
}

TEST_F(batch, writes)
{
	struct kreg_op ops[] = {
		test_op_puts("a", "1"),
		test_op_puts("b", "2"),
		test_ops(KREG_OP_DELETE, "a"),
		test_ops(KREG_OP_DELETE, "absent"),
		test_op_puts("b", "3"),
	};
	static const __u32 counts[] = { 0, 0, 1, 0, 1 };
	__u32 done;
	int i;

	test_batch(self->fd, self->table, 0, ops, 5, &done);
	EXPECT_EQ(5, done);
	for (i = 0; i < 5; i++) {
		EXPECT_EQ(0, ops[i].out_error);
		EXPECT_EQ(counts[i], ops[i].out_count);
		EXPECT_NE(0, ops[i].out_version);
	}
	test_err_member(ENODATA, self->fd, self->table, "a");
	test_gets(self->fd, self->table, "b", "3");
	EXPECT_EQ(1, test_objects(self->fd, self->table));
}

TEST_F(batch, each_for_itself)
{
	struct kreg_op ops[] = {
		put_new("a", "new"),
		put_new("there", "new"),
		test_op_puts("b", "new"),
		put_new("b", "newer"),
	};
	__u32 done;

	test_puts(self->fd, self->table, "there", "old");
	test_batch(self->fd, self->table, 0, ops, 4, &done);
	EXPECT_EQ(2, done);
	EXPECT_EQ(0, ops[0].out_error);
	EXPECT_EQ(EEXIST, ops[1].out_error);
	EXPECT_EQ(0, ops[2].out_error);
	EXPECT_EQ(EEXIST, ops[3].out_error);
	test_gets(self->fd, self->table, "a", "new");
	test_gets(self->fd, self->table, "there", "old");
	test_gets(self->fd, self->table, "b", "new");
}

TEST_F(batch, atomic_all)
{
	struct kreg_op ops[] = {
		put_new("a", "1"), put_new("b", "2"), test_op_puts("c", "3"),
	};
	__u32 done;

	test_puts(self->fd, self->table, "c", "0");
	test_batch(self->fd, self->table, KREG_BATCH_ATOMIC, ops, 3, &done);
	EXPECT_EQ(3, done);
	test_gets(self->fd, self->table, "a", "1");
	test_gets(self->fd, self->table, "b", "2");
	test_gets(self->fd, self->table, "c", "3");
}

TEST_F(batch, atomic_nothing)
{
	struct kreg_op ops[] = {
		test_op_puts("a", "1"),
		test_ops(KREG_OP_DELETE, "gone"),
		put_new("there", "2"),
		test_op_puts("b", "3"),
	};
	struct kreg_info before, after;
	__u32 done;

	test_puts(self->fd, self->table, "there", "old");
	test_puts(self->fd, self->table, "gone", "not yet");
	test_info(self->fd, self->table, &before);
	test_err_batch(EEXIST, self->fd, self->table, KREG_BATCH_ATOMIC, ops,
		       4, &done);
	EXPECT_EQ(2, done);
	test_info(self->fd, self->table, &after);
	EXPECT_EQ(before.version, after.version);
	EXPECT_EQ(before.objects, after.objects);
	EXPECT_EQ(before.bytes, after.bytes);
	test_err_member(ENODATA, self->fd, self->table, "a");
	test_err_member(ENODATA, self->fd, self->table, "b");
	test_gets(self->fd, self->table, "there", "old");
	test_gets(self->fd, self->table, "gone", "not yet");
}

/* Keys within the batch do not count as existing; the last one wins. */
TEST_F(batch, duplicates_atomic)
{
	struct kreg_op ops[] = {
		put_new("a", "1"), put_new("a", "2"), put_new("a", "3"),
	};

	test_batch(self->fd, self->table, KREG_BATCH_ATOMIC, ops, 3, NULL);
	test_gets(self->fd, self->table, "a", "3");
	EXPECT_EQ(1, test_objects(self->fd, self->table));
	test_err_batch(EEXIST, self->fd, self->table, KREG_BATCH_ATOMIC, ops,
		       3, NULL);
	test_gets(self->fd, self->table, "a", "3");
}

/* A batch replaces the content of a table as a whole. */
TEST_F(batch, clear_and_refill)
{
	struct kreg_op ops[] = {
		test_op(KREG_OP_CLEAR, NULL, 0),
		test_op_puts("b", "2"),
		test_op_puts("c", "3"),
	};
	__u32 done;

	test_puts(self->fd, self->table, "a", "1");
	test_puts(self->fd, self->table, "b", "1");
	test_batch(self->fd, self->table, KREG_BATCH_ATOMIC, ops, 3, &done);
	EXPECT_EQ(3, done);
	EXPECT_EQ(2, ops[0].out_count);
	EXPECT_EQ(2, test_objects(self->fd, self->table));
	EXPECT_EQ(2, test_count(self->fd, self->table));
	test_err_member(ENODATA, self->fd, self->table, "a");
	test_gets(self->fd, self->table, "b", "2");
}

TEST_F(batch, reads)
{
	char rooms[4][8] = { "" };
	struct kreg_op ops[] = {
		test_op_value(KREG_OP_GET, "a", 1, rooms[0], 8),
		test_op_value(KREG_OP_GET, "absent", 6, rooms[1], 8),
		test_ops(KREG_OP_MEMBER, "b"),
		test_op_value(KREG_OP_GET, "b", 1, rooms[2], 3),
		test_op_value(KREG_OP_GET, "b", 1, rooms[3], 4),
	};
	__u32 done;

	test_puts(self->fd, self->table, "a", "1");
	test_puts(self->fd, self->table, "b", "1234");
	test_batch(self->fd, self->table, 0, ops, 5, &done);
	EXPECT_EQ(3, done);
	EXPECT_EQ(0, ops[0].out_error);
	EXPECT_EQ(1, ops[0].out_len);
	EXPECT_STREQ("1", rooms[0]);
	EXPECT_EQ(ENODATA, ops[1].out_error);
	EXPECT_EQ(0, ops[2].out_error);
	EXPECT_EQ(4, ops[2].out_len);
	EXPECT_EQ(EMSGSIZE, ops[3].out_error);
	EXPECT_EQ(4, ops[3].out_len);
	EXPECT_STREQ("", rooms[2]);
	EXPECT_EQ(0, ops[4].out_error);
	EXPECT_EQ(0, memcmp("1234", rooms[3], 5));
}

#define READS	100
#define ROOM	(3 * PAGE)

/* Some keys and values are long, some objects absent, some rooms too small. */
static struct kreg_op one_of_many(int i, __u16 code, void *value)
{
	static char keys[READS][300];
	struct kreg_op op = test_op_value(code, keys[i], i % 5 ? 8 + i % 9 : 300, value,
					  i % 7 ? i * 2 : 9000);

	memset(keys[i], 'k', sizeof(keys[i]));
	keys[i][0] = i;
	if (code == KREG_OP_GET && i % 11 == 1)
		op.value_len--;
	return op;
}

static int expected(int i)
{
	if (i % 4 == 3)
		return -ENODATA;
	return i % 11 == 1 ? -EMSGSIZE : 0;
}

/* More reads than the kernel does at once, into pages that are not mapped yet. */
TEST_F(batch, many_reads)
{
	char *rooms = mmap(NULL, READS * ROOM, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	static char value[ROOM];
	struct kreg_op ops[READS];
	__u32 done, good = 0;
	int i;

	ASSERT_NE(MAP_FAILED, rooms);
	for (i = 0; i < READS; i++) {
		memset(value, i, ROOM);
		ops[i] = one_of_many(i, KREG_OP_PUT, value);
		if (i % 4 != 3)
			test_batch(self->fd, self->table, 0, &ops[i], 1, &done);
		ops[i] = one_of_many(i, KREG_OP_GET, rooms + i * ROOM);
		good += !expected(i);
	}
	test_batch(self->fd, self->table, 0, ops, READS, &done);
	EXPECT_EQ(good, done);
	for (i = 0; i < READS; i++) {
		EXPECT_EQ(expected(i), -(int)ops[i].out_error);
		memset(value, expected(i) ? 0 : i, ROOM);
		EXPECT_EQ(0, memcmp(value, rooms + i * ROOM, ops[i].value_len));
		EXPECT_EQ(i % 4 == 3 ? 0 : i % 7 ? i * 2 : 9000, ops[i].out_len);
	}
	ops[50].key = test_ptr(rooms + READS * ROOM);
	munmap(rooms, READS * ROOM);
	test_err_batch(EFAULT, self->fd, self->table, 0, ops, READS, NULL);
}

TEST_F(batch, mixtures)
{
	static const __u16 reads[] = { KREG_OP_GET, KREG_OP_MEMBER };
	struct kreg_op ops[2];
	unsigned int i;

	test_puts(self->fd, self->table, "there", "old");
	for (i = 0; i < ARRAY_SIZE(reads); i++) {
		ops[0] = test_op_puts("a", "1");
		ops[1] = test_ops(reads[i], "there");
		test_err_batch(EINVAL, self->fd, self->table, 0, ops, 2, NULL);
		ops[0] = ops[1];
		ops[1] = test_op(KREG_OP_CLEAR, NULL, 0);
		test_err_batch(EINVAL, self->fd, self->table, 0, ops, 2, NULL);
		ops[1] = ops[0];
		test_batch(self->fd, self->table, KREG_BATCH_ATOMIC, ops, 2, NULL);
		test_err_batch(EINVAL, self->fd, self->table,
			       KREG_WRITE_ASYNC, ops, 2, NULL);
	}
	ops[0] = test_ops(KREG_OP_TAKE, "there");
	test_err_batch(EINVAL, self->fd, self->table, 0, ops, 1, NULL);
	ops[1] = test_op_puts("a", "1");
	test_err_batch(EINVAL, self->fd, self->table, 0, ops, 2, NULL);
	test_err_member(ENODATA, self->fd, self->table, "a");
	test_gets(self->fd, self->table, "there", "old");
}

/* One malformed operation fails the whole call, and nothing happens. */
TEST_F(batch, malformed)
{
	char long_key[KREG_MAX_KEY + 1];
	struct kreg_op good = test_op_puts("a", "1"), ops[3];
	__u32 flags;

	for (flags = 0; flags <= KREG_BATCH_ATOMIC; flags += KREG_BATCH_ATOMIC) {
		ops[0] = good;
		ops[1] = good;
		ops[2] = test_op(KREG_OP_PUT, "", 0);
		test_err_batch(EINVAL, self->fd, self->table, flags, ops, 3,
			       NULL);
		ops[2] = test_op(77, "k", 1);
		test_err_batch(EOPNOTSUPP, self->fd, self->table, flags, ops,
			       3, NULL);
		memset(long_key, 'k', sizeof(long_key));
		ops[2] = test_op(KREG_OP_PUT, long_key, sizeof(long_key));
		test_err_batch(ENAMETOOLONG, self->fd, self->table, flags, ops,
			       3, NULL);
		ops[2] = test_op_value(KREG_OP_PUT, "k", 1, ops,
				       KREG_MAX_VALUE + 1);
		test_err_batch(EFBIG, self->fd, self->table, flags, ops, 3,
			       NULL);
		ops[2] = test_op_value(KREG_OP_PUT, "k", 1, (void *)8, 8);
		test_err_batch(EFAULT, self->fd, self->table, flags, ops, 3,
			       NULL);
		EXPECT_EQ(0, test_objects(self->fd, self->table));
	}
}

TEST_F(batch, count_limits)
{
	struct kreg_op *ops = calloc(MANY + 1, sizeof(*ops));
	unsigned int keys[MANY + 1], i;
	__u32 done;

	for (i = 0; i <= MANY; i++) {
		keys[i] = i;
		ops[i] = test_op_value(KREG_OP_PUT, &keys[i], 4, &keys[i], 4);
	}
	test_err_batch(EINVAL, self->fd, self->table, 0, ops, 0, NULL);
	test_err_batch(EFBIG, self->fd, self->table, 0, ops, MANY + 1, NULL);
	test_err_batch(EFBIG, self->fd, self->table, 0, ops, ~0U, NULL);
	EXPECT_EQ(0, test_objects(self->fd, self->table));
	test_batch(self->fd, self->table, KREG_BATCH_ATOMIC, ops, MANY, &done);
	EXPECT_EQ(MANY, done);
	EXPECT_EQ(MANY, test_objects(self->fd, self->table));

	for (i = 0; i < MANY; i++)
		ops[i].code = KREG_OP_GET;
	/* The values are written over the keys. */
	for (i = 0; i < MANY; i++)
		keys[i] = i;
	test_batch(self->fd, self->table, 0, ops, MANY, &done);
	EXPECT_EQ(MANY, done);
	for (i = 0; i < MANY; i++)
		ASSERT_EQ(i, keys[i]);
}

TEST_F(batch, byte_limits)
{
	char *value = calloc(1, KREG_MAX_VALUE);
	struct kreg_op ops[5];
	__u32 done;
	int i;

	for (i = 0; i < 5; i++)
		ops[i] = test_op_value(KREG_OP_PUT, &"abcde"[i], 1, value,
				       KREG_MAX_VALUE);
	test_err_batch(EFBIG, self->fd, self->table, 0, ops, 5, NULL);
	/* Four values of 1 MiB and four keys of a byte are four bytes too long. */
	test_err_batch(EFBIG, self->fd, self->table, 0, ops, 4, NULL);
	ops[3].value_len -= 3;
	test_err_batch(EFBIG, self->fd, self->table, 0, ops, 4, NULL);
	EXPECT_EQ(0, test_objects(self->fd, self->table));
	ops[3].value_len -= 1;
	test_batch(self->fd, self->table, 0, ops, 4, &done);
	EXPECT_EQ(4, done);
	EXPECT_EQ(4, test_objects(self->fd, self->table));
}

/* Operations of a caller that knows a longer struct. */
TEST_F(batch, op_size)
{
	struct {
		struct kreg_op op;
		__u64 more;
	} ops[2] = {
		{ .op = test_op_puts("a", "1") },
		{ .op = test_op_puts("b", "2") },
	};
	struct kreg_ioc_batch cmd = test_batch_cmd(self->table, 0,
						   &ops[0].op, 2);
	static const __u32 bad[] = { 0, 8, 56, 63, 65, 68, 71 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		cmd.op_size = bad[i];
		EXPECT_EQ(-EINVAL, _test_batch_cmd(self->fd, &cmd));
	}
	cmd.op_size = sizeof(ops[0]);
	ops[1].more = 1;
	EXPECT_EQ(-E2BIG, _test_batch_cmd(self->fd, &cmd));
	EXPECT_EQ(0, test_objects(self->fd, self->table));
	ops[1].more = 0;
	EXPECT_EQ(0, _test_batch_cmd(self->fd, &cmd));
	EXPECT_EQ(2, test_objects(self->fd, self->table));
	test_gets(self->fd, self->table, "b", "2");
	EXPECT_NE(0, ops[1].op.out_version);

	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		ops[i].op = test_ops(KREG_OP_MEMBER, i ? "none" : "a");
		memset((char *)&ops[i].op + offsetof(struct kreg_op, out_version), 0xff,
		       sizeof(ops[i].op) - offsetof(struct kreg_op, out_version));
	}
	EXPECT_EQ(0, _test_batch_cmd(self->fd, &cmd));
	EXPECT_EQ(1, cmd.out_done);
	EXPECT_EQ(1, ops[0].op.out_len);
	EXPECT_EQ(0, ops[0].op.out_error);
	EXPECT_EQ(0, ops[1].op.out_version);
	EXPECT_EQ(ENODATA, ops[1].op.out_error);
	EXPECT_EQ(0, ops[0].more);
	EXPECT_EQ(0, ops[1].more);
}

TEST_F(batch, versions)
{
	struct kreg_op ops[3], op;
	__u64 last = 0;
	int i;

	for (i = 0; i < 10; i++) {
		ops[0] = test_op_puts("a", "1");
		ops[1] = test_op_puts("b", "1");
		ops[2] = test_op_puts("a", "2");
		test_batch(self->fd, self->table, KREG_BATCH_ATOMIC, ops, 3,
			   NULL);
		ASSERT_LT(last, ops[0].out_version);
		ASSERT_LE(ops[0].out_version, ops[1].out_version);
		ASSERT_LE(ops[1].out_version, ops[2].out_version);
		op = test_ops(KREG_OP_MEMBER, "a");
		test_op_(self->fd, self->table, 0, &op);
		EXPECT_EQ(ops[2].out_version, op.out_version);
		last = ops[2].out_version;
	}
}

/* Objects of a page and more, in one batch with small ones. */
TEST_F(batch, large_and_small)
{
	char *value = malloc(100000), *room = malloc(100000);
	struct kreg_op ops[32];
	__u32 keys[32];
	int i;

	for (i = 0; i < 32; i++) {
		keys[i] = i;
		memset(value, i, 100000);
		ops[i] = test_op_value(KREG_OP_PUT, &keys[i], 4, value,
				       i & 1 ? 100000 : 10);
	}
	test_batch(self->fd, self->table, KREG_BATCH_ATOMIC, ops, 32, NULL);
	test_batch(self->fd, self->table, KREG_BATCH_ATOMIC, ops, 32, NULL);
	for (i = 0; i < 32; i++) {
		ASSERT_EQ(i & 1 ? 100000 : 10,
			  _test_get(self->fd, self->table, &keys[i], 4, room,
				    100000));
		ASSERT_EQ(31, room[0]);
	}
}

TEST_HARNESS_MAIN
