// SPDX-License-Identifier: GPL-2.0
/*
 * Batches with EDIT, VALUE and KEEP: limits, rights, and what they meet.
 */
#include "batch_edit.h"

/* What does not fit a slot is refused, and told so; KEEP and the new value may be long. */
TEST_F(batch_edit, long_values)
{
	static char value[LONG], room[LONG];
	struct kreg_field f[2] = { test_add(0, 1) };
	struct kreg_more more = {
		.size = sizeof(more), .flags = KREG_MORE_START,
		.start = test_ptr(value), .start_len = LONG,
	};
	struct kreg_op ops[2];
	__u32 flags, done;

	for (flags = 0; flags <= ATOMIC; flags += ATOMIC) {
		memset(value, 'v', sizeof(value));
		test_put(self->fd, self->table, "long", 4, value, LONG);
		put_number_("short", 1);
		ops[0] = test_op_puts("other", "1");
		ops[1] = test_op_edit("long", f, 1);
		EXPECT_EQ(flags ? -EFBIG : 0, _test_batch(self->fd, self->table, flags, ops, 2,
							  &done));
		EXPECT_EQ(1, done);
		EXPECT_EQ(flags ? 0 : EFBIG, ops[1].out_error);
		/* One that becomes too long, and one that is so only on the way. */
		f[1] = test_copy(KREG_FIELD_EXTEND, FITS, value, 1000);
		ops[1] = test_op_edit("short", &f[1], 1);
		EXPECT_EQ(flags ? -EFBIG : 0, run(flags, ops, 2));
		/* These are not looked for. */
		ops[1] = test_op_value(KREG_OP_PUT, "short", 5, "x", 1);
		test_if_value(&ops[1], value, LONG);
		test_err_batch(EFBIG, self->fd, self->table, flags, ops, 2, NULL);
		f[1] = test_copy(KREG_FIELD_EXTEND, 0, value, LONG);
		ops[1] = test_op_edit("short", &f[1], 1);
		test_err_batch(EFBIG, self->fd, self->table, flags, ops, 2, NULL);
		ops[1] = test_op_edit("none", f, 1);
		ops[1].flags = KREG_OP_MORE;
		ops[1].arg = test_ptr(&more);
		test_err_batch(EFBIG, self->fd, self->table, flags, ops, 2, NULL);
		EXPECT_EQ(1, number_("short"));

		memset(value, 'w', sizeof(value));
		ops[0] = test_op_value(KREG_OP_PUT, "long", 4, value, LONG);
		ops[0].flags = KREG_OP_KEEP;
		ops[1] = test_op_value(KREG_OP_PUT, "short", 5, value, LONG);
		put_number_("short", 0x3837363534333231);
		test_if_value(&ops[1], "12345678", 8);
		ASSERT_EQ(0, run(flags, ops, 2));
		EXPECT_EQ(0, ops[1].out_error);
		EXPECT_EQ(LONG, _test_get(self->fd, self->table, "long", 4, room, LONG));
		EXPECT_EQ(0, memcmp(value, room, LONG));
		EXPECT_EQ(LONG, _test_get(self->fd, self->table, "short", 5, room, LONG));
		/* Of a value that the batch itself makes long. */
		ops[1] = test_op_edit("long", f, 1);
		EXPECT_EQ(flags ? -EFBIG : 0, run(flags, ops, 2));
		test_clear(self->fd, self->table);
	}
}

/* As many as a batch may have, each key twice, and with all fields. */
TEST_F(batch_edit, many)
{
	static struct kreg_op ops[KREG_MAX_BATCH_OPS + 1];
	static struct kreg_field f[KREG_MAX_BATCH_OPS][2];
	static __u32 keys[KREG_MAX_BATCH_OPS];
	__u32 flags, done, i, n = KREG_MAX_BATCH_OPS / 2;
	__s64 x[4];

	for (flags = 0; flags <= ATOMIC; flags += ATOMIC) {
		for (i = 0; i < n; i++) {
			keys[i] = i;
			memset(x, 0, sizeof(x));
			ops[i] = test_op_value(KREG_OP_PUT, &keys[i], 4, x, i % 3 ? 8 : 32);
		}
		ASSERT_EQ(0, run(0, ops, n));
		for (i = 0; i < 2 * n; i++) {
			f[i][0] = test_add(0, i);
			f[i][1] = test_copy(KREG_FIELD_EXTEND, 16, &keys[i % n], 4);
			ops[i] = test_op_value(KREG_OP_EDIT, &keys[i % n], 4, f[i],
					       2 * sizeof(f[i][0]));
		}
		test_batch(self->fd, self->table, flags, ops, 2 * n, &done);
		EXPECT_EQ(2 * n, done);
		for (i = 0; i < n; i++) {
			ASSERT_EQ(i, f[i][0].out);
			ASSERT_EQ(2 * i + n, f[i + n][0].out);
			ASSERT_EQ(i % 3 ? 20 : 32, ops[i + n].out_len);
			ASSERT_EQ(ops[i].out_len, _test_get(self->fd, self->table, &keys[i], 4,
							    x, sizeof(x)));
			ASSERT_EQ(2 * i + n, x[0]);
			ASSERT_EQ(i, *(__u32 *)&x[2]);
		}
	}
}

/* Bytes that are copied and compared count as those of the batch. */
TEST_F(batch_edit, byte_limits)
{
	static struct kreg_op ops[300];
	static struct kreg_field f[300];
	static char value[FITS];
	int i;

	test_put(self->fd, self->table, "a", 1, value, sizeof(value));
	for (i = 0; i < 300; i++) {
		f[i] = test_copy(0, 0, value, sizeof(value));
		ops[i] = test_op_edit("a", &f[i], 1);
	}
	test_err_batch(EFBIG, self->fd, self->table, 0, ops, 300, NULL);
	EXPECT_EQ(0, run(ATOMIC, ops, 250));
	for (i = 0; i < 300; i++) {
		ops[i] = test_op_puts("a", "x");
		test_if_value(&ops[i], value, sizeof(value));
	}
	test_err_batch(EFBIG, self->fd, self->table, 0, ops, 300, NULL);
	EXPECT_EQ(0, run(ATOMIC, ops, 250));
	test_gets(self->fd, self->table, "a", "x");
}

/* What is wrong in itself is refused before anything is looked for. */
TEST_F(batch_edit, malformed)
{
	struct kreg_field f = test_add(0, 1), bad[] = {
		test_number(77, 0, 0, 0), test_number(KREG_FIELD_MAX, KREG_FIELD_WRAP, 0, 0),
		test_copy(0, 0, (void *)8, 8),
	};
	static const int errs[] = { EOPNOTSUPP, EINVAL, EFAULT };
	struct kreg_op ops[2] = { test_op_edit("a", &f, 1) };
	__u32 flags, i;

	put_number_("a", 1);
	for (flags = 0; flags <= ATOMIC; flags += ATOMIC) {
		for (i = 0; i < ARRAY_SIZE(bad); i++) {
			ops[1] = test_op_edit("a", &bad[i], 1);
			test_err_batch(errs[i], self->fd, self->table, flags, ops, 2, NULL);
			test_err_batch(errs[i], self->fd, ~0ULL, flags, ops, 2, NULL);
		}
		ops[1] = op_if(test_op_puts("a", "x"), "1");
		ops[1].arg = 8;
		test_err_batch(EFAULT, self->fd, self->table, flags, ops, 2, NULL);
		ops[1] = test_op_puts("a", "x");
		ops[1].flags = KREG_OP_MORE;
		ops[1].arg = 8;
		test_err_batch(EFAULT, self->fd, self->table, flags, ops, 2, NULL);
		ops[1].flags = KREG_OP_MORE | KREG_OP_BOUND;
		test_err_batch(EOPNOTSUPP, self->fd, self->table, flags, ops, 2, NULL);
		/* Nobody could be told of these, or what came of them. */
		ops[1] = test_op_puts("a", "x");
		ops[1].flags = KREG_OP_KEEP;
		test_err_batch(EOPNOTSUPP, self->fd, self->table, flags | KREG_WRITE_ASYNC,
			       &ops[1], 1, NULL);
		test_err_batch(EINVAL, self->fd, self->table, flags | KREG_WRITE_ASYNC, ops, 1,
			       NULL);
		ops[1] = op_if(test_op_puts("a", "x"), "1");
		test_err_batch(EINVAL, self->fd, self->table, flags | KREG_WRITE_ASYNC,
			       &ops[1], 1, NULL);
	}
	EXPECT_EQ(1, number_("a"));
}

#define ALICE	1000

static long job_look(struct job *job)
{
	struct kreg_field f = test_add(0, 0);
	struct kreg_op ops[2] = { test_op_puts("other", "1"), test_op_edit("k", &f, 1) };

	if (job->arg != KREG_OP_EDIT) {
		ops[1] = test_op_puts("k", "12345678");
		test_if_value(&ops[1], "12345678", 8);
	}
	return _test_batch(job->fd, job->table, job->flags, ops, 2, NULL);
}

/* Who may not read must not learn what is there; no operation of the batch is done then. */
TEST_F(batch_edit, rights)
{
	static const struct {
		__u32 access, mode;
		int err;
	} rows[] = {
		{ KREG_ACCESS_PUBLIC, 0666, 0 },
		{ KREG_ACCESS_PUBLIC, 0622, EACCES },
		{ KREG_ACCESS_PUBLIC, 0644, EACCES },
		{ KREG_ACCESS_PROTECTED, 0666, EACCES },
	};
	struct kid *kid = kid_start_as(_metadata, ALICE);
	unsigned int i, j;

	kid->job->table = self->table;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		test_clear(self->fd, self->table);
		test_puts(self->fd, self->table, "k", "12345678");
		test_access(self->fd, self->table, rows[i].access);
		test_mode(self->fd, self->table, rows[i].mode);
		for (j = 0; j < 4; j++) {
			kid->job->flags = j & 1 ? ATOMIC : 0;
			kid->job->arg = j & 2 ? KREG_OP_EDIT : KREG_OP_VALUE;
			EXPECT_EQ(-rows[i].err, kid_do(kid, job_look)) TH_LOG("row %u", i);
		}
		EXPECT_EQ(rows[i].err ? 1 : 2, test_objects(self->fd, self->table));
	}
}

/* The same by what the file was opened for. */
TEST_F(batch_edit, modes)
{
	int r = open(KREG_DEV, O_RDONLY | O_CLOEXEC), w = open(KREG_DEV, O_WRONLY | O_CLOEXEC);
	struct kreg_field f = test_add(0, 1);
	struct kreg_op ops[2] = { test_op_edit("k", &f, 1), op_if(test_op_puts("k", "x"), "") };
	struct kreg_ioc_batch batch = test_batch_cmd(self->table, 0, ops, 1);
	struct kreg_ioc_group group = {
		.size = sizeof(group), .batches = test_ptr(&batch), .count = 1,
		.batch_size = sizeof(batch),
	};
	int i;

	ASSERT_LE(0, r);
	ASSERT_LE(0, w);
	put_number_("k", 1);
	for (i = 0; i < 2; i++) {
		test_err_batch(EBADF, r, self->table, 0, &ops[i], 1, NULL);
		test_err_batch(EBADF, w, self->table, 0, &ops[i], 1, NULL);
	}
	EXPECT_EQ(-EBADF, test_ioctl(w, KREG_IOC_GROUP, &group));
	EXPECT_EQ(0, test_ioctl(self->fd, KREG_IOC_GROUP, &group));
	EXPECT_EQ(2, number_("k"));
	ops[0] = test_op_puts("k", "x");
	ops[0].flags = KREG_OP_KEEP;
	EXPECT_EQ(0, _test_batch(w, self->table, ATOMIC, ops, 1, NULL));
	close(r);
	close(w);
}

static long job_edit_his(struct job *job)
{
	struct kreg_field f = test_copy(0, 0, "X", 1);
	struct kreg_op op = test_op_edit(job->key, &f, 1);

	return _test_batch(job->fd, job->table, ATOMIC, &op, 1, NULL);
}

/* What would be nobody's. */
static long job_replace_his(struct job *job)
{
	struct kreg_op ops[2] = {
		test_ops(KREG_OP_DELETE, job->key), op_if(test_op_puts(job->key, "new"), "Xalue"),
	};

	return _test_batch(job->fd, job->table, job->flags, ops, 2, NULL);
}

/* In a registry a user edits what is bound to a process of his. */
TEST_F(batch_edit, registry)
{
	struct kid *kid = kid_start_as(_metadata, ALICE);

	test_access(self->fd, self->table, KREG_ACCESS_REGISTRY);
	ASSERT_EQ(0, kid_bind_flags(kid, self->table, "his", "value", 0));
	test_puts(self->fd, self->table, "nobodys", "value");
	EXPECT_EQ(0, kid_do(kid, job_edit_his));
	test_gets(self->fd, self->table, "his", "Xalue");
	EXPECT_TRUE(test_is_of(self->fd, self->table, "his", kid->self));
	kid->job->flags = ATOMIC;
	EXPECT_EQ(-EACCES, kid_do(kid, job_replace_his));
	test_gets(self->fd, self->table, "his", "Xalue");
	kid->job->flags = 0;
	EXPECT_EQ(0, kid_do(kid, job_replace_his));
	test_err_member(ENODATA, self->fd, self->table, "his");
	test_set(kid->job->key, "nobodys");
	EXPECT_EQ(-EACCES, kid_do(kid, job_edit_his));
	test_gets(self->fd, self->table, "nobodys", "value");
}

/* What is on loan its borrower edits, and nobody else. */
TEST_F(batch_edit, on_loan)
{
	struct kid *kid = kid_start(_metadata);
	struct kreg_field f = test_copy(0, 0, "X", 1);
	struct kreg_op ops[2] = { test_op_edit("k", &f, 1), op_if(test_op_puts("k", "y"), "x") };

	test_puts(self->fd, self->table, "k", "x");
	ASSERT_EQ(1, kid_lease(kid, self->table, "k"));
	test_err_batch(EBUSY, self->fd, self->table, ATOMIC, ops, 1, NULL);
	test_err_batch(ECANCELED, self->fd, self->table, ATOMIC, &ops[1], 1, NULL);
	ASSERT_EQ(0, run(0, ops, 2));
	EXPECT_EQ(EBUSY, ops[0].out_error);
	EXPECT_EQ(ECANCELED, ops[1].out_error);
	kid_kill(kid);
	EXPECT_EQ(0, run(ATOMIC, ops, 1));
	ASSERT_EQ(1, _test_lease(self->fd, self->table, "k"));
	test_err_batch(EBUSY, self->fd, self->table, ATOMIC, ops, 1, NULL);
	f = test_copy(0, 0, "Y", 1);
	ops[0].flags = KREG_OP_MINE;
	EXPECT_EQ(0, run(ATOMIC, ops, 1));
	EXPECT_EQ(0, _test_return(self->fd, self->table, "k", 0));
	test_gets(self->fd, self->table, "k", "Y");
}

#define expect_update(value)							\
	EXPECT_TRUE(test_has_value(test_expect(r, KREG_EVENT_UPDATE, "k"), value))

/* Subscribers are told the new values. */
TEST_F(batch_edit, events)
{
	struct kreg_field f[2] = { test_copy(0, 0, "X", 1), test_copy(0, 1, "Y", 1) };
	struct kreg_op ops[3] = {
		test_op_edit("k", &f[0], 1), test_op_edit("k", &f[1], 1),
		op_if(test_op_puts("k", "third"), "value"),
	};
	struct test_reader *r;
	__u32 flags;

	test_puts(self->fd, self->table, "k", "value");
	test_subscribe(self->fd, self->table, ALL_KINDS);
	r = test_reader(self->fd);
	for (flags = 0; flags <= ATOMIC; flags += ATOMIC) {
		ASSERT_EQ(0, run(flags, ops, flags ? 3 : 2));
		expect_update("Xalue");
		expect_update("XYlue");
		if (flags)
			expect_update("third");
		test_puts(self->fd, self->table, "k", "value");
		expect_update("value");
	}
}

/* What one key has several objects of is not edited. */
TEST_F(batch_edit, bags)
{
	struct kreg_field f = test_add(0, 1);
	struct kreg_op ops[2];
	__u64 bag;
	int i;

	ASSERT_EQ(0, _test_create_type(self->fd, "bag", KREG_TYPE_DUPLICATE_BAG,
				       KREG_ACCESS_PUBLIC, &bag));
	test_puts(self->fd, bag, "k", "1");
	test_puts(self->fd, bag, "k", "1");
	test_puts(self->fd, bag, "k", "2");
	for (i = 0; i < 3; i++) {
		ops[0] = test_op_puts("other", "1");
		ops[1] = i ? test_op_puts("k", "3") : test_op_edit("k", &f, 1);
		if (i == 1)
			ops[1].flags = KREG_OP_KEEP;
		if (i == 2)
			test_if_value(&ops[1], "1", 1);
		test_err_batch(EOPNOTSUPP, self->fd, bag, ATOMIC, ops, 2, NULL);
		EXPECT_EQ(3 + i, test_objects(self->fd, bag));
		ASSERT_EQ(0, _test_batch(self->fd, bag, 0, ops, 2, NULL));
		EXPECT_EQ(EOPNOTSUPP, ops[1].out_error);
	}
	/* DELETE of those that have the value. */
	ops[0] = op_if(test_ops(KREG_OP_DELETE, "k"), "1");
	ops[1] = op_if(test_ops(KREG_OP_DELETE, "k"), "3");
	ASSERT_EQ(0, _test_batch(self->fd, bag, ATOMIC, ops, 2, NULL));
	EXPECT_EQ(2, ops[0].out_count);
	EXPECT_EQ(0, ops[1].out_count);
	ops[0] = op_if(test_ops(KREG_OP_DELETE, "k"), "2");
	ASSERT_EQ(0, _test_batch(self->fd, bag, 0, ops, 2, NULL));
	EXPECT_EQ(1, ops[0].out_count);
}

/* Several tables, all or nothing. */
TEST_F(batch_edit, group)
{
	static char value[FITS];
	struct kreg_field f[6];
	struct kreg_op ops[2][6];
	struct kreg_ioc_batch batch[2] = { 0 };
	struct kreg_ioc_group group = {
		.size = sizeof(group), .batches = test_ptr(batch), .count = 2,
		.batch_size = sizeof(batch[0]),
	};
	struct kreg_ioc_open open = test_open_cmd(NULL, KREG_OPEN_CREATE | KREG_OPEN_BESIDE);
	int i;

	open.type = variant->type;
	open.beside = self->table;
	ASSERT_EQ(0, _test_open_cmd(self->fd, &open));
	put_number_("from", 10);
	put_number(self->fd, open.out_table, "to", 0);
	batch[0] = test_batch_cmd(self->table, 0, ops[0], 2);
	batch[1] = test_batch_cmd(open.out_table, 0, ops[1], 1);
	f[0] = test_add(0, -3);
	f[1] = test_add(0, -4);
	f[2] = test_add(0, 7);
	ops[0][0] = test_op_edit("from", &f[0], 1);
	ops[0][1] = test_op_edit("from", &f[1], 1);
	ops[1][0] = test_op_edit("to", &f[2], 1);
	ASSERT_EQ(0, test_ioctl(self->fd, KREG_IOC_GROUP, &group));
	EXPECT_EQ(3, f[1].out);
	EXPECT_EQ(7, f[2].out);
	EXPECT_EQ(3, number_("from"));
	EXPECT_EQ(7, number(self->fd, open.out_table, "to"));
	/* The second table has no such key. */
	ops[1][0] = test_op_edit("none", &f[2], 1);
	EXPECT_EQ(-ENODATA, test_ioctl(self->fd, KREG_IOC_GROUP, &group));
	EXPECT_EQ(1, group.out_failed);
	EXPECT_EQ(0, batch[1].out_done);
	EXPECT_EQ(3, number_("from"));
	/* One that takes memory which its table does not have yet. */
	f[2] = test_copy(KREG_FIELD_EXTEND, 0, value, 5000);
	ops[1][0] = test_op_edit("to", &f[2], 1);
	ASSERT_EQ(0, test_ioctl(self->fd, KREG_IOC_GROUP, &group));
	EXPECT_EQ(-4, number_("from"));
	EXPECT_EQ(5000, ops[1][0].out_len);
	/* What edits make counts, since all is done in one. */
	test_put(self->fd, self->table, "from", 4, value, sizeof(value));
	f[0] = test_add(0, 1);
	for (i = 0; i < 6; i++)
		ops[0][i] = test_op_edit("from", &f[0], 1);
	batch[0].count = 6;
	EXPECT_EQ(-EFBIG, test_ioctl(self->fd, KREG_IOC_GROUP, &group));
	EXPECT_EQ(0, number_("from"));
	batch[0].count = 1;
	EXPECT_EQ(0, test_ioctl(self->fd, KREG_IOC_GROUP, &group));
	EXPECT_EQ(1, number_("from"));
}

TEST_HARNESS_MAIN
