// SPDX-License-Identifier: GPL-2.0
/*
 * Objects of bags that have expired, and pins, waits, batches; many at once; and what does not go
 * together.
 */
#include "data/bag_expiry.h"

#define MANY	1000

/* A pin keeps what was removed and replaced, but not what has expired. */
TEST_F(bag_expiry, pins)
{
	struct kreg_ioc_scan cmd;
	__u64 pin;

	adds_timed("key", "a", test_now_ns() + SHORT, 0);
	adds_timed("key", "b", self->later, 0);
	adds_timed("key", "c", self->later, 0);
	ASSERT_EQ(0, _test_pin(self->fd, self->table, 0, &pin));
	adds_timed("key", "b", self->later, 0);
	removes("key", KREG_OP_VALUE, test_ptr("c"), 1);
	wait_for_values("key", self->once ? "b" : "bb");
	cmd = test_pinned_cmd(self->table, pin);
	test_scan(self->fd, &cmd);
	EXPECT_EQ(2, cmd.out_count);
	EXPECT_TRUE(test_wait_for(objects_() == (self->once ? 1 : 2)));
	test_scan(self->fd, &cmd);
	EXPECT_EQ(2, cmd.out_count);
}

/* Who waits for a key is woken by one that expires, which is told of no process. */
TEST_F(bag_expiry, waits)
{
	struct kreg_ioc_watch out;

	adds_timed("key", "a", 1, 0);
	adds_timed("key", "b", self->later, 0);
	test_sleep(self->fd, self->table, KREG_WATCH_PRESENT, "key", 0, -1, &out);
	EXPECT_LT(0, out.out_version);
	EXPECT_TRUE(test_none(out.out_process));
}

TEST_F(bag_expiry, in_batches)
{
	struct kreg_more more[3];
	struct kreg_op ops[4];
	int twice = self->once ? 1 : 0;
	__u32 flags;

	for (flags = 0; flags <= ATOMIC; flags += ATOMIC) {
		ops[0] = timed_op(test_op_puts("key", "a"), &more[0], self->later, 0);
		ops[1] = test_op_puts("key", "b");
		ops[2] = timed_op(test_op_puts("key", "a"), &more[1], self->later + 1, 100000);
		ops[3] = timed_op(test_op_puts("other", "c"), &more[2], self->later + 2, 0);
		ops[3].flags |= KREG_OP_NEW;
		test_batch(self->fd, self->table, flags, ops, 4, NULL);
		EXPECT_EQ(0, ops[0].out_count);
		EXPECT_EQ(twice, ops[2].out_count);
		HAS_VALUES("key", self->once ? "ba" : "aba");
		EXPECT_EQ(self->later + 2, expires_("other"));
		EXPECT_EQ(self->once ? 2 : 3, timed_());
		/* The same, without an expiry, and with one that is past; of two keys. */
		ops[0] = test_op_puts("key", "a");
		ops[1] = timed_op(test_op_puts("key", "b"), &more[0], 1, 0);
		ops[2] = test_op_puts("key", "c");
		ops[3] = timed_op(test_op_puts("other", "c"), &more[2], self->later + 3, 0);
		test_batch(self->fd, self->table, flags, ops, 4, NULL);
		EXPECT_EQ(twice, ops[0].out_count);
		EXPECT_EQ(twice, ops[1].out_count);
		EXPECT_EQ(0, ops[2].out_count);
		EXPECT_EQ(twice, ops[3].out_count);
		HAS_VALUES("key", self->once ? "ac" : "abaac");
		EXPECT_TRUE(test_wait_for(objects_() == (self->once ? 3 : 7)));
		test_clear(self->fd, self->table);
		EXPECT_EQ(0, timed_());
	}
}

/* All or nothing: the operations before the one that fails have not begun. */
TEST_F(bag_expiry, nothing_of_a_batch)
{
	static char value[100000];
	struct kreg_op blob = test_op_value(KREG_OP_PUT, "blob", 4, value, sizeof(value));
	struct kreg_more more[2];
	struct kreg_op ops[3];

	adds("key", "a");
	ops[0] = timed_op(test_op_puts("key", "a"), &more[0], self->later, 0);
	ops[1] = timed_op(blob, &more[1], self->later, 0);
	ops[2] = test_op_puts("key", "b");
	ops[2].flags = KREG_OP_NEW;
	test_err_batch(EEXIST, self->fd, self->table, ATOMIC, ops, 3, NULL);
	EXPECT_EQ(0, timed_());
	EXPECT_EQ(1, objects_());
	test_batch(self->fd, self->table, 0, ops, 3, NULL);
	EXPECT_EQ(EEXIST, ops[2].out_error);
	EXPECT_EQ(2, timed_());
	EXPECT_EQ(self->later, expires_("blob"));
	HAS_VALUES("key", self->once ? "a" : "aa");
}

/* One after the other, as who keeps them alive does; where the one before is, near or far. */
TEST_F(bag_expiry, put_anew)
{
	const int count = 400, rounds = 3;
	struct kreg_more more;
	struct kreg_op op;
	int i, round;

	for (round = 0; round < rounds; round++)
		for (i = 0; i < count; i++) {
			op = timed_op(test_op_value(KREG_OP_PUT, "key", 3, &i, sizeof(i)), &more,
				      self->later + round, 0);
			test_op_(self->fd, self->table, 0, &op);
			ASSERT_EQ(self->once && round ? 1 : 0, (int)op.out_count);
		}
	EXPECT_EQ(count * (self->once ? 1 : rounds), timed_());
	EXPECT_EQ(count * (self->once ? 1 : rounds), objects_());
	EXPECT_EQ(self->later + (self->once ? rounds - 1 : 0), expires_("key"));
	/* From the youngest on, which all others are before. */
	for (i = count - 1; i >= 0; i--) {
		op = test_op_value(KREG_OP_PUT, "key", 3, &i, sizeof(i));
		test_op_(self->fd, self->table, 0, &op);
		ASSERT_EQ(self->once, (bool)op.out_count);
	}
	EXPECT_EQ(count * (self->once ? 0 : rounds), timed_());
	EXPECT_EQ(count * (self->once ? 1 : rounds + 1), objects_());
}

/* More than is done in one hold of the turn, of one key: put, put anew, gone at once. */
TEST_F(bag_expiry, a_long_run)
{
	static struct kreg_more more[MANY];
	static struct kreg_op ops[MANY];
	static __u32 numbers[MANY];
	__u64 when;
	int i, round;

	for (round = 0; round < 2; round++) {
		when = round ? test_now_ns() + test_scale(200) * MS : self->later;
		for (i = 0; i < MANY; i++) {
			numbers[i] = i;
			ops[i] = timed_op(test_op_value(KREG_OP_PUT, "key", 3, &numbers[i], 4),
					  &more[i], when, 0);
		}
		for (i = 0; i < MANY; i += 500)
			test_batch(self->fd, self->table, round ? ATOMIC : 0, &ops[i], 500, NULL);
		if (!round)
			EXPECT_EQ(MANY, timed_());
	}
	adds("key", "a");
	adds("other", "b");
	wait_for_values("other", "b");
	EXPECT_TRUE(test_wait_for(timed_() == (self->once ? 0 : MANY)));
	EXPECT_EQ(1, removes("key", KREG_OP_VALUE, test_ptr("a"), 1));
	EXPECT_TRUE(test_wait_for(objects_() == 1 + (self->once ? 0 : MANY)));
}

/* One that is bound is another object, whatever its value; and what does not go together. */
TEST_F(bag_expiry, bound)
{
	struct kreg_op op = test_op_bind("key", "a");
	struct kreg_more more;

	adds_timed("key", "a", self->later, 0);
	test_op_(self->fd, self->table, 0, &op);
	EXPECT_EQ(0, op.out_count);
	EXPECT_EQ(self->once, adds_timed("key", "a", self->later + 1, 0));
	HAS_VALUES("key", self->once ? "aa" : "aaa");
	EXPECT_EQ(1, removes("key", KREG_OP_MINE, 0, 0));
	EXPECT_EQ(self->once ? 1 : 2, timed_());
	op = timed_op(test_op_bind("key", "a"), &more, 1, 0);
	test_err_op(EOPNOTSUPP, self->fd, self->table, 0, &op);
}

/* The table is found as it was before, and there is nothing else to keep. */
TEST_F(bag_expiry, refused)
{
	struct kreg_more more;
	struct kreg_op op;

	adds_timed("key", "a", self->later, 0);
	op = test_op_puts("key", "b");
	op.flags = KREG_OP_KEEP;
	test_err_op(EOPNOTSUPP, self->fd, self->table, 0, &op);
	test_err_batch(EOPNOTSUPP, self->fd, self->table, ATOMIC, &op, 1, NULL);
	op = timed_op(op, &more, self->later, 0);
	test_err_op(EOPNOTSUPP, self->fd, self->table, 0, &op);
	test_err_batch(EOPNOTSUPP, self->fd, self->table, ATOMIC, &op, 1, NULL);
	op = timed_op(test_op_puts("key", "b"), &more, self->later, 0);
	more.if_version = 1;
	test_err_op(EOPNOTSUPP, self->fd, self->table, 0, &op);
	test_err_batch(EOPNOTSUPP, self->fd, self->table, ATOMIC, &op, 1, NULL);
	HAS_VALUES("key", "a");
	EXPECT_EQ(1, timed_());
}

TEST_HARNESS_MAIN
