// SPDX-License-Identifier: GPL-2.0
/*
 * Keys with several objects that are far from where their bucket begins, since many long keys that
 * came at once are in front of them.
 */
#include "kit/fixture.h"
#include "kit/bag.h"

#define KEY_LEN	500
#define MOST	300
#define RUN	16

FIXTURE(bag_long) {
	struct test_base base;
	int fd;
	__u64 table;
	char front[KEY_LEN + 1], key[KEY_LEN + 1];
	struct kreg_op ops[MOST + RUN];
	__u32 values[MOST + RUN];
};

FIXTURE_VARIANT(bag_long) {
	__u32 type;
};

FIXTURE_VARIANT_ADD(bag_long, bag) { .type = KREG_TYPE_BAG };
FIXTURE_VARIANT_ADD(bag_long, duplicate_bag) { .type = KREG_TYPE_DUPLICATE_BAG };

FIXTURE_SETUP(bag_long)
{
	self->fd = test_setup(_metadata, &self->base);
	memset(self->front, 'a', KEY_LEN);
	memset(self->key, 'b', KEY_LEN);
}

FIXTURE_TEARDOWN_PARENT(bag_long)
{
	test_teardown(_metadata, &self->base);
}

#define bag_long_data	FIXTURE_DATA(bag_long)

/* A new table; so many objects in front of a run of so many. */
static void fill_table(struct __test_metadata *_metadata, bag_long_data *self, __u32 type,
		       unsigned int in_front, unsigned int run)
{
	unsigned int i;

	ASSERT_EQ(0, _test_create_type(self->fd, "long", type, KREG_ACCESS_PUBLIC, &self->table));
	for (i = 0; i < in_front + run; i++) {
		self->values[i] = i;
		self->ops[i] = test_op_value(KREG_OP_PUT, i < in_front ? self->front : self->key,
					     KEY_LEN, &self->values[i], sizeof(self->values[i]));
	}
	ASSERT_EQ(0, _test_batch(self->fd, self->table, 0, self->ops, in_front + run, NULL));
}

#define fill(...)	fill_table(_metadata, self, variant->type, __VA_ARGS__)

/* However many there are in front, and few enough that the turn may be lent for it. */
TEST_F(bag_long, delete)
{
	unsigned int in_front, run;

	for (in_front = 4; in_front <= MOST; in_front += 8) {
		run = in_front % (RUN - 1) + 2;
		fill(in_front, run);
		EXPECT_EQ(run, test_removes(self->fd, self->table, self->key, 0, 0, 0));
		EXPECT_EQ(in_front, test_objects(self->fd, self->table));
		test_destroy(self->fd, self->table);
	}
}

/* One that gives way to the same object, since that is to expire. */
TEST_F(bag_long, put_again)
{
	struct kreg_more more = { .size = sizeof(more), .idle_ms = 3600000 };
	unsigned int in_front;
	struct kreg_op op;

	for (in_front = 4; in_front <= MOST; in_front += 8) {
		fill(in_front, 2);
		op = self->ops[in_front];
		op.flags = KREG_OP_MORE;
		op.arg = test_ptr(&more);
		EXPECT_EQ(0, _test_op(self->fd, self->table, 0, &op));
		EXPECT_EQ(in_front + 2 + (variant->type == KREG_TYPE_DUPLICATE_BAG),
			  test_objects(self->fd, self->table));
		test_destroy(self->fd, self->table);
	}
}

/* Reads tell the number of the youngest, which may have come together with others. */
TEST_F(bag_long, number)
{
	static const __u16 codes[] = { KREG_OP_GET, KREG_OP_MEMBER, KREG_OP_TAKE };
	struct kreg_op op;
	__u64 room[3 * KEY_LEN / 4];
	unsigned int i;

	fill(3, 3);
	for (i = 0; i < ARRAY_SIZE(codes); i++) {
		op = test_op(codes[i], self->key, KEY_LEN);
		if (codes[i] != KREG_OP_MEMBER) {
			op.value = test_ptr(room);
			op.value_len = sizeof(room);
		}
		op.out_sub = ~0U;
		op.out_error = ~0U;
		test_op_(self->fd, self->table, 0, &op);
		EXPECT_EQ(3, op.out_count);
		EXPECT_EQ(5, op.out_sub);
		EXPECT_EQ(0, op.out_error);
	}
}

TEST_HARNESS_MAIN
