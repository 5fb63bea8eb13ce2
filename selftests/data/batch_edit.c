// SPDX-License-Identifier: GPL-2.0
/*
 * Batches with EDIT, VALUE and KEEP, and what says more: what they do.
 */
#include "batch_edit.h"

TEST_F(batch_edit, adds)
{
	struct kreg_field f[4];
	struct kreg_op ops[3];
	__u32 flags, done;
	int i;

	for (flags = 0; flags <= ATOMIC; flags += ATOMIC) {
		put_number_("a", 10);
		put_number_("b", 20);
		f[0] = test_add(0, 1);
		f[1] = test_add(0, 2);
		f[2] = test_add(0, 3);
		f[3] = test_add(8, 7);
		f[3].flags = KREG_FIELD_EXTEND;
		ops[0] = test_op_edit("a", &f[0], 1);
		ops[1] = test_op_edit("b", &f[1], 1);
		ops[2] = test_op_edit("a", &f[2], 2);
		test_batch(self->fd, self->table, flags, ops, 3, &done);
		EXPECT_EQ(3, done);
		EXPECT_EQ(11, f[0].out);
		EXPECT_EQ(22, f[1].out);
		/* Two of one key add up. */
		EXPECT_EQ(14, f[2].out);
		EXPECT_EQ(7, f[3].out);
		EXPECT_EQ(14, number_("a"));
		EXPECT_EQ(22, number_("b"));
		EXPECT_EQ(8, ops[0].out_len);
		EXPECT_EQ(16, ops[2].out_len);
		for (i = 0; i < 3; i++) {
			EXPECT_EQ(0, ops[i].out_error);
			EXPECT_EQ(1, ops[i].out_count);
			EXPECT_EQ(ops[0].out_version, ops[i].out_version);
		}
		EXPECT_EQ(ops[0].out_version, test_version(self->fd, self->table, "a"));
		EXPECT_EQ(2, test_objects(self->fd, self->table));
	}
}

/* What an EDIT works on is what those before it leave. */
TEST_F(batch_edit, in_order)
{
	struct kreg_field f[2] = { test_add(0, 1), test_copy(KREG_FIELD_TRUNCATE, 1, "x", 1) };
	__s64 ten = 10;
	struct kreg_op ops[] = {
		test_op_value(KREG_OP_PUT, "a", 1, &ten, sizeof(ten)),
		test_op_edit("a", &f[0], 1),
		test_op(KREG_OP_CLEAR, NULL, 0),
		test_op_value(KREG_OP_PUT, "a", 1, &ten, sizeof(ten)),
		test_op_edit("a", &f[0], 1),
		test_ops(KREG_OP_DELETE, "b"),
		test_op_edit("a", &f[1], 1),
	};
	__u32 flags;

	for (flags = 0; flags <= ATOMIC; flags += ATOMIC) {
		test_clear(self->fd, self->table);
		put_number_("b", 1);
		f[0].out = 0;
		ASSERT_EQ(0, run(flags, ops, 7));
		EXPECT_EQ(11, f[0].out);
		EXPECT_EQ(2, f[1].out);
		EXPECT_EQ(2, ops[6].out_len);
		EXPECT_EQ(1, test_objects(self->fd, self->table));
		test_gets(self->fd, self->table, "a", "\vx");
	}
}

/* The middle one fails, and nothing has happened. */
TEST_F(batch_edit, nothing)
{
	struct kreg_field good = test_add(0, 1), far = test_add(1, 1), over = test_add(0, 1);
	const struct {
		struct kreg_op op;
		int err;
	} rows[] = {
		{ test_op_edit("none", &good, 1), ENODATA },
		{ test_op_edit("a", &far, 1), ERANGE },
		{ test_op_edit("most", &over, 1), EOVERFLOW },
		{ op_if(test_op_puts("a", "x"), "another"), ECANCELED },
		{ op_if(test_op_puts("none", "x"), ""), ECANCELED },
		{ op_if(test_ops(KREG_OP_DELETE, "a"), "12345678"), ECANCELED },
		{ op_if(test_op_edit("a", &good, 1), "1234567"), ECANCELED },
	};
	struct kreg_info before, after;
	struct kreg_op ops[3];
	unsigned int i;
	__u32 done;

	put_number_("a", 1);
	put_number_("most", INT64_MAX);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		ops[0] = test_op_edit("a", &good, 1);
		ops[1] = rows[i].op;
		ops[2] = test_op_puts("new", "1");
		good.out = 0xbad;
		test_info(self->fd, self->table, &before);
		test_err_batch(rows[i].err, self->fd, self->table, ATOMIC, ops, 3, &done);
		EXPECT_EQ(1, done) TH_LOG("row %u", i);
		test_info(self->fd, self->table, &after);
		EXPECT_EQ(before.version, after.version);
		EXPECT_EQ(before.bytes, after.bytes);
		EXPECT_EQ(0xbad, good.out);
		/* Else each fails for itself. */
		ops[1] = rows[i].op;
		test_batch(self->fd, self->table, 0, ops, 3, &done);
		EXPECT_EQ(2, done) TH_LOG("row %u", i);
		EXPECT_EQ(rows[i].err, ops[1].out_error) TH_LOG("row %u", i);
		EXPECT_EQ(0, ops[0].out_error);
		EXPECT_EQ(2, number_("a"));
		test_delete(self->fd, self->table, "new");
		put_number_("a", 1);
	}
}

/* The second of two overflows, which only the first makes so; and what it works on is gone. */
TEST_F(batch_edit, fails_by_those_before)
{
	struct kreg_field f[2] = { test_add(0, 1), test_add(0, 1) };
	struct kreg_op ops[3] = {
		test_op_edit("a", &f[0], 1), test_op_edit("a", &f[1], 1), test_op_puts("b", "1"),
	};
	__u32 done;

	put_number_("a", INT64_MAX - 1);
	test_err_batch(EOVERFLOW, self->fd, self->table, ATOMIC, ops, 3, &done);
	EXPECT_EQ(1, done);
	EXPECT_EQ(INT64_MAX - 1, number_("a"));
	test_err_member(ENODATA, self->fd, self->table, "b");
	ASSERT_EQ(0, run(0, ops, 3));
	EXPECT_EQ(EOVERFLOW, ops[1].out_error);
	EXPECT_EQ(INT64_MAX, number_("a"));

	ops[0] = test_ops(KREG_OP_DELETE, "a");
	test_err_batch(ENODATA, self->fd, self->table, ATOMIC, ops, 3, &done);
	EXPECT_EQ(1, done);
	EXPECT_EQ(INT64_MAX, number_("a"));
	ops[0] = test_op(KREG_OP_CLEAR, NULL, 0);
	test_err_batch(ENODATA, self->fd, self->table, ATOMIC, ops, 3, NULL);
	EXPECT_EQ(INT64_MAX, number_("a"));
	ASSERT_EQ(0, run(0, ops, 3));
	EXPECT_EQ(ENODATA, ops[1].out_error);
	test_err_member(ENODATA, self->fd, self->table, "a");
	test_gets(self->fd, self->table, "b", "1");
}

/* In an atomic batch all conditions are about what was there before it. */
TEST_F(batch_edit, conditions)
{
	struct kreg_op ops[2] = { test_op_puts("a", "2"), op_if(test_op_puts("a", "3"), "1") };

	test_puts(self->fd, self->table, "a", "1");
	ASSERT_EQ(0, run(ATOMIC, ops, 2));
	test_gets(self->fd, self->table, "a", "3");
	ops[1] = op_if(test_op_puts("a", "4"), "2");
	test_err_batch(ECANCELED, self->fd, self->table, ATOMIC, ops, 2, NULL);
	/* And else about what is there when their turn has come. */
	ASSERT_EQ(0, run(0, ops, 2));
	EXPECT_EQ(0, ops[1].out_error);
	test_gets(self->fd, self->table, "a", "4");
	ops[0] = op_if(test_op_puts("a", "5"), "4");
	ops[1] = op_if(test_ops(KREG_OP_DELETE, "a"), "4");
	ASSERT_EQ(0, run(0, ops, 2));
	EXPECT_EQ(ECANCELED, ops[1].out_error);
	test_gets(self->fd, self->table, "a", "5");
	ops[0] = op_if(test_op_puts("a", "6"), "5");
	ops[1] = op_if(test_ops(KREG_OP_DELETE, "a"), "5");
	ASSERT_EQ(0, run(ATOMIC, ops, 2));
	EXPECT_EQ(1, ops[1].out_count);
	test_err_member(ENODATA, self->fd, self->table, "a");
}

/* With a value to start from, and of one version. */
TEST_F(batch_edit, says_more)
{
	__s64 start = 100;
	struct kreg_more more = {
		.size = sizeof(more), .flags = KREG_MORE_START,
		.start = test_ptr(&start), .start_len = sizeof(start),
	};
	struct kreg_field f = test_add(0, 1);
	struct kreg_op ops[3];
	__u32 flags;
	int i;

	for (flags = 0; flags <= ATOMIC; flags += ATOMIC) {
		for (i = 0; i < 2; i++) {
			ops[i] = test_op_edit("a", &f, 1);
			ops[i].flags = KREG_OP_MORE;
			ops[i].arg = test_ptr(&more);
		}
		ASSERT_EQ(0, run(flags, ops, 2));
		EXPECT_EQ(0, ops[0].out_count);
		EXPECT_EQ(1, ops[1].out_count);
		EXPECT_EQ(102, number_("a"));
		/* Behind a DELETE it begins anew. */
		ops[2] = ops[0];
		ops[1] = test_ops(KREG_OP_DELETE, "a");
		ASSERT_EQ(0, run(flags, ops, 3));
		EXPECT_EQ(101, number_("a"));
		test_clear(self->fd, self->table);
	}
	put_number_("a", 1);
	more = (struct kreg_more) {
		.size = sizeof(more), .if_version = test_version(self->fd, self->table, "a"),
	};
	EXPECT_EQ(0, run(ATOMIC, ops, 1));
	test_err_batch(ECANCELED, self->fd, self->table, ATOMIC, ops, 1, NULL);
	ops[0] = test_ops(KREG_OP_DELETE, "a");
	ops[0].flags = KREG_OP_MORE;
	ops[0].arg = test_ptr(&more);
	test_err_batch(ECANCELED, self->fd, self->table, ATOMIC, ops, 1, NULL);
	more.if_version = test_version(self->fd, self->table, "a");
	EXPECT_EQ(0, run(ATOMIC, ops, 1));
	EXPECT_EQ(0, test_objects(self->fd, self->table));
}

/* PUT of what expires; with KEEP it stays as it is, and with EDIT. */
TEST_F(batch_edit, expiry)
{
	__u64 when = test_now_ns() + HOUR_NS;
	struct kreg_more more = { .size = sizeof(more), .expires_ns = when };
	struct kreg_more idle = { .size = sizeof(idle), .idle_ms = 1000000 };
	struct kreg_field f = test_copy(KREG_FIELD_EXTEND, 3, "45", 2);
	struct kreg_op ops[6];
	__u32 flags;

	for (flags = 0; flags <= ATOMIC; flags += ATOMIC) {
		test_clear(self->fd, self->table);
		ops[0] = test_op_puts("a", "123");
		ops[0].flags = KREG_OP_MORE;
		ops[0].arg = test_ptr(&more);
		ops[1] = test_op_puts("b", "123");
		ops[1].flags = KREG_OP_MORE;
		ops[1].arg = test_ptr(&idle);
		ops[2] = test_op_puts("c", "123");
		ops[2].flags = KREG_OP_KEEP;
		ASSERT_EQ(0, run(flags, ops, 3));
		EXPECT_EQ(when, expires_("a"));
		EXPECT_LT(0, expires_("b"));
		EXPECT_EQ(0, expires_("c"));
		ops[0] = test_op_edit("a", &f, 1);
		ops[1] = test_op_puts("a", "123");
		ops[1].flags = KREG_OP_KEEP;
		ops[2] = test_op_puts("b", "1");
		ops[3] = test_op_puts("b", "2");
		ops[3].flags = KREG_OP_KEEP;
		ops[4] = test_op_puts("c", "3");
		ops[4].flags = KREG_OP_MORE;
		ops[4].arg = test_ptr(&more);
		ops[5] = test_op_edit("c", &f, 1);
		f.flags |= KREG_FIELD_TRUNCATE;
		f.offset = 1;
		ASSERT_EQ(0, run(flags, ops, 6));
		EXPECT_EQ(when, expires_("a"));
		EXPECT_EQ(0, expires_("b"));
		EXPECT_EQ(when, expires_("c"));
		test_gets(self->fd, self->table, "a", "123");
		test_gets(self->fd, self->table, "b", "2");
		test_gets(self->fd, self->table, "c", "345");
	}
}

/* A DELETE counts as done, also one that is not meant for what is there. */
TEST_F(batch_edit, keeps_nothing_behind_delete)
{
	__u64 when = test_now_ns() + HOUR_NS;
	struct kreg_more more = { .size = sizeof(more), .expires_ns = when };
	struct kreg_op ops[2] = { test_op_puts("a", "1") };

	ops[0].flags = KREG_OP_MORE;
	ops[0].arg = test_ptr(&more);
	ASSERT_EQ(0, run(0, ops, 1));
	ops[0] = test_ops(KREG_OP_DELETE, "a");
	ops[0].flags = KREG_OP_MINE;
	ops[1] = test_op_puts("a", "2");
	ops[1].flags = KREG_OP_KEEP;
	ASSERT_EQ(0, run(ATOMIC, ops, 2));
	EXPECT_EQ(0, ops[0].out_count);
	EXPECT_EQ(0, expires_("a"));
	test_gets(self->fd, self->table, "a", "2");
}

/* An object keeps its binding, and one of the batch has it; nothing that is bound expires. */
TEST_F(batch_edit, bound)
{
	__u64 when = test_now_ns() + HOUR_NS;
	struct kreg_more more = { .size = sizeof(more), .expires_ns = when };
	struct kreg_field f[2] = { test_add(0, 1), test_add(0, 1) };
	struct kreg_op ops[3];
	__s64 one = 1;
	__u32 flags;

	for (flags = 0; flags <= ATOMIC; flags += ATOMIC) {
		test_clear(self->fd, self->table);
		ops[0] = test_op_value(KREG_OP_PUT, "a", 1, &one, sizeof(one));
		ops[0].flags = KREG_OP_BOUND;
		ops[1] = test_op_edit("a", &f[0], 1);
		ops[2] = test_op_edit("a", &f[1], 1);
		ops[2].flags = KREG_OP_MINE;
		EXPECT_EQ(flags ? -ENODATA : 0, run(flags, ops, 3));
		EXPECT_EQ(0, run(flags, ops, 2));
		EXPECT_EQ(0, run(flags, ops, 3));
		EXPECT_EQ(3, number_("a"));
		EXPECT_TRUE(test_is_of(self->fd, self->table, "a", test_self(self->fd)));
		/* With the value as a condition, bound anew. */
		one = 3;
		ops[0].flags = KREG_OP_BOUND;
		test_if_value(&ops[0], &one, sizeof(one));
		EXPECT_EQ(0, run(flags, ops, 1));
		EXPECT_TRUE(test_is_of(self->fd, self->table, "a", test_self(self->fd)));
		one = 1;
		ops[0] = test_op_puts("a", "1");
		ops[0].flags = KREG_OP_MORE;
		ops[0].arg = test_ptr(&more);
		if (flags)
			test_err_batch(EOPNOTSUPP, self->fd, self->table, flags, ops, 1, NULL);
	}
	/* What is bound in the batch itself may be replaced by what expires. */
	test_clear(self->fd, self->table);
	ops[1] = ops[0];
	ops[0] = test_op_puts("a", "1");
	ops[0].flags = KREG_OP_BOUND;
	ASSERT_EQ(0, run(ATOMIC, ops, 2));
	EXPECT_EQ(when, expires_("a"));
}

/* Values of all lengths become longer and shorter; on the way they may be longer than then. */
TEST_F(batch_edit, lengths)
{
	static char value[FITS], room[FITS];
	static const __u32 lens[] = { 0, 1, 8, 100, 128, 129, 500, 4000, FITS - 9 };
	struct kreg_field f[3];
	struct kreg_op ops[2];
	__u32 flags, i, len;

	memset(value, 'v', sizeof(value));
	for (i = 0; i < 2 * ARRAY_SIZE(lens); i++) {
		flags = i & 1 ? ATOMIC : 0;
		len = lens[i / 2];
		test_put(self->fd, self->table, "k", 1, value, len);
		f[0] = test_copy(KREG_FIELD_EXTEND, len, "abcdefgh", 8);
		f[1] = test_copy(KREG_FIELD_TRUNCATE, len ? len - 1 : 0, "x", 1);
		f[2] = test_copy(KREG_FIELD_EXTEND, len, "y", 1);
		ops[0] = test_op_edit("k", f, 2);
		ops[1] = test_op_edit("k", &f[2], 1);
		ASSERT_EQ(0, run(flags, ops, 2));
		EXPECT_EQ(0, ops[0].out_error);
		EXPECT_EQ(len + 8, f[0].out);
		EXPECT_EQ(len ? len : 1, f[1].out);
		ASSERT_EQ(len + 1, _test_get(self->fd, self->table, "k", 1, room, sizeof(room)));
		EXPECT_EQ('y', room[len]);
		if (len)
			EXPECT_EQ('x', room[len - 1]);
		EXPECT_EQ(0, len ? memcmp(room, value, len - 1) : 0);
	}
}

/* The answer could not be written. */
TEST_F(batch_edit, read_only_fields)
{
	struct kreg_field *f = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct kreg_op op;

	ASSERT_NE(MAP_FAILED, f);
	*f = test_add(0, 1);
	ASSERT_EQ(0, mprotect(f, PAGE, PROT_READ));
	put_number_("a", 1);
	op = test_op_edit("a", f, 1);
	test_err_batch(EFAULT, self->fd, self->table, ATOMIC, &op, 1, NULL);
	EXPECT_EQ(1, number_("a"));
}

/* An operation before it on the same key fails, so it finds something else than was likely. */
TEST_F(batch_edit, finds_another_length)
{
	static char value[3000], room[4000];
	struct kreg_field f = test_copy(KREG_FIELD_EXTEND, 0, "x", 1);
	struct kreg_op ops[3];
	int i;

	memset(value, 'v', sizeof(value));
	test_put(self->fd, self->table, "a", 1, value, sizeof(value));
	ops[0] = test_op_puts("a", "1");
	ops[0].flags = KREG_OP_NEW;
	ops[1] = test_op_edit("a", &f, 1);
	ops[2] = test_op_puts("a", "1");
	ops[2].flags = KREG_OP_PRESENT;
	/* A slot of that length may be lacking; then it is brought for the next time. */
	do {
		ASSERT_EQ(0, run(0, ops, 2));
		EXPECT_EQ(EEXIST, ops[0].out_error);
	} while (ops[1].out_error == EAGAIN);
	EXPECT_EQ(0, ops[1].out_error);
	EXPECT_EQ(3000, ops[1].out_len);
	value[0] = 'x';
	/* What comes next has slots of its own. */
	for (i = 0; i < 200; i++)
		test_put(self->fd, self->table, &i, sizeof(i), "1", 1);
	EXPECT_EQ(3000, _test_get(self->fd, self->table, "a", 1, room, sizeof(room)));
	EXPECT_EQ(0, memcmp(value, room, sizeof(value)));
}

TEST_HARNESS_MAIN
