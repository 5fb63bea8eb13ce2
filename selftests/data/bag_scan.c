// SPDX-License-Identifier: GPL-2.0
/*
 * Scans of tables in which keys have several objects: each object is met once, wherever the room
 * for what is found ends.
 */
#include "kit/fixture.h"
#include "kit/bag.h"

#define KEYS	5
#define EACH	40
#define TOTAL	(KEYS * EACH)

FIXTURE(bag_scan) {
	struct test_base base;
	int fd;
	__u64 table;
	__u64 room[64];
	struct kreg_ioc_scan cmd;
	__u8 after[8];
};

FIXTURE_VARIANT(bag_scan) {
	__u32 type;
};

FIXTURE_VARIANT_ADD(bag_scan, bag) {
	.type = KREG_TYPE_BAG,
};

FIXTURE_VARIANT_ADD(bag_scan, duplicate_bag) {
	.type = KREG_TYPE_DUPLICATE_BAG,
};

/* Number @n is the value of the key "a", "ab", "abb" ... */
static __u32 key_of(__u32 n, char *key)
{
	__u32 len = 1 + n % KEYS;

	memset(key, 'b', len);
	key[0] = 'a';
	return len;
}

FIXTURE_SETUP(bag_scan)
{
	struct kreg_op ops[7];
	__u32 i, n, numbers[7];
	char keys[7][8];

	self->fd = test_setup(_metadata, &self->base);
	ASSERT_EQ(0, _test_create_type(self->fd, "bag", variant->type, KREG_ACCESS_PUBLIC,
				       &self->table));
	for (i = 0; i < TOTAL; i += n) {
		n = TOTAL - i < 7 ? TOTAL - i : 7;
		for (__u32 j = 0; j < n; j++) {
			numbers[j] = i + j;
			ops[j] = test_op_value(KREG_OP_PUT, keys[j], key_of(i + j, keys[j]),
					       &numbers[j], 4);
		}
		test_batch(self->fd, self->table, 0, ops, n, NULL);
	}
	self->cmd = (struct kreg_ioc_scan) {
		.table = self->table,
		.buf = test_ptr(self->room),
		.buf_len = sizeof(self->room),
	};
}

FIXTURE_TEARDOWN_PARENT(bag_scan)
{
	test_teardown(_metadata, &self->base);
}

/* The number that comes as @i-th of all. */
static __u32 expected(__u32 i)
{
	return i / EACH + i % EACH * KEYS;
}

static __u32 number_of(const struct kreg_object *o)
{
	__u32 number;

	memcpy(&number, (const char *)(o + 1) + o->key_len, 4);
	return number;
}

/* The next call goes on after @o. */
static void go_on(struct kreg_ioc_scan *cmd, const struct kreg_object *o, __u8 *after)
{
	memcpy(after, o + 1, o->key_len);
	cmd->range.after = test_ptr(after);
	cmd->range.after_len = o->key_len;
	cmd->range.after_version = o->version;
	cmd->range.after_sub = o->sub;
}

/* From the @from-th object to the @to-th, in calls of @most objects each; @by is 1, or -1. */
static bool finds(int fd, struct kreg_ioc_scan cmd, __u8 *after, int from, int to, int by, int most)
{
	const struct kreg_object *o = NULL;
	int at = from;
	__u32 i;

	cmd.max_count = most;
	cmd.out_more = 1;
	while (cmd.out_more) {
		if (_test_scan(fd, &cmd))
			return false;
		o = (void *)(unsigned long)cmd.buf;
		for (i = 0; i < cmd.out_count; i++) {
			if (at == to || number_of(o) != expected(at))
				return false;
			at += by;
			go_on(&cmd, o, after);
			o = (void *)((const char *)o + o->size);
		}
	}
	return at == to;
}

#define FINDS(...) EXPECT_TRUE(finds(self->fd, self->cmd, self->after, __VA_ARGS__))

TEST_F(bag_scan, forwards)
{
	int most;

	for (most = 0; most < 9; most++)
		FINDS(0, TOTAL, 1, most);
}

TEST_F(bag_scan, backwards)
{
	int most;

	self->cmd.flags = KREG_SCAN_REVERSE;
	for (most = 0; most < 9; most++)
		FINDS(TOTAL - 1, -1, -1, most);
}

TEST_F(bag_scan, of_one_key)
{
	int most;

	self->cmd.range.low = test_ptr("abb");
	self->cmd.range.low_len = 3;
	self->cmd.range.flags = KREG_RANGE_EXACT;
	for (most = 0; most < 9; most++) {
		self->cmd.flags = 0;
		FINDS(2 * EACH, 3 * EACH, 1, most);
		self->cmd.flags = KREG_SCAN_REVERSE;
		FINDS(3 * EACH - 1, 2 * EACH - 1, -1, most);
	}
	self->cmd.flags = KREG_SCAN_COUNT;
	self->cmd.buf = 0;
	self->cmd.buf_len = 0;
	test_scan(self->fd, &self->cmd);
	EXPECT_EQ(EACH, self->cmd.out_count);
}

TEST_F(bag_scan, of_a_range)
{
	self->cmd.range.low = test_ptr("ab");
	self->cmd.range.low_len = 2;
	self->cmd.range.high = test_ptr("abbb");
	self->cmd.range.high_len = 4;
	FINDS(EACH, 4 * EACH, 1, 3);
	self->cmd.range.flags = KREG_RANGE_LOW_OPEN | KREG_RANGE_HIGH_OPEN;
	FINDS(2 * EACH, 3 * EACH, 1, 3);
	self->cmd.flags = KREG_SCAN_REVERSE;
	FINDS(3 * EACH - 1, 2 * EACH - 1, -1, 7);
	self->cmd.range.high_len = 0;
	self->cmd.range.high = 0;
	self->cmd.range.flags = KREG_RANGE_PREFIX;
	FINDS(TOTAL - 1, EACH - 1, -1, 7);
}

/* A key alone stands for all of its objects. */
TEST_F(bag_scan, after_a_key)
{
	self->cmd.range.after = test_ptr("ab");
	self->cmd.range.after_len = 2;
	FINDS(2 * EACH, TOTAL, 1, 0);
	self->cmd.flags = KREG_SCAN_REVERSE;
	FINDS(EACH - 1, -1, -1, 0);
}

/* The object after which it goes on need not be there any more. */
TEST_F(bag_scan, after_what_has_gone)
{
	const struct kreg_object *o = (void *)self->room;
	struct kreg_op op;
	__u32 i;

	self->cmd.max_count = 3;
	test_scan(self->fd, &self->cmd);
	ASSERT_EQ(3, self->cmd.out_count);
	for (i = 0; i < 2; i++)
		o = (void *)((const char *)o + o->size);
	go_on(&self->cmd, o, self->after);
	op = test_ops(KREG_OP_DELETE, "a");
	op.flags = KREG_OP_VERSION;
	op.arg = o->version;
	op.offset = o->sub;
	test_op_(self->fd, self->table, 0, &op);
	EXPECT_EQ(1, op.out_count);
	FINDS(3, TOTAL, 1, 5);
}

TEST_F(bag_scan, positions_that_are_refused)
{
	self->cmd.range.after_version = 1;
	test_err_scan(EINVAL, self->fd, &self->cmd);
	self->cmd.range.after_version = 0;
	self->cmd.range.after = test_ptr("ab");
	self->cmd.range.after_len = 2;
	self->cmd.range.after_sub = 1;
	test_err_scan(EINVAL, self->fd, &self->cmd);
}

TEST_HARNESS_MAIN
