// SPDX-License-Identifier: GPL-2.0
/*
 * Objects that expire: for readers and writers at once, in memory soon after.
 */
#include "data/expiry.h"
#include "kit/filter.h"

TEST_F(expiry, absolute)
{
	__u64 when = test_now_ns() + SHORT;
	const struct kreg_event *e;
	char value[16];

	put_expiring("key", 0, when, 0);
	test_expect(self->r, KREG_EVENT_CREATE, "key");
	EXPECT_TRUE(is_gone("key"));
	EXPECT_GE(test_now_ns(), when);
	EXPECT_EQ(-ENODATA, _test_gets(self->fd, self->table, "key", value, sizeof(value)));
	EXPECT_EQ(-ENODATA, test_op_code(self->fd, self->table, KREG_OP_TAKE, "key"));
	EXPECT_EQ(0, test_count(self->fd, self->table));
	e = test_expect(self->r, KREG_EVENT_EXPIRED, "key");
	EXPECT_EQ(KREG_CAUSE_EXPIRED, e->cause);
	EXPECT_TRUE(test_none(e->process));
	EXPECT_TRUE(test_wait_for(!test_objects(self->fd, self->table)));
	EXPECT_EQ(0, timed(self->fd, self->table));
	test_nothing(self->r);
}

/* By the clock of the last tick it is found before its time, and not from then on. */
TEST_F(expiry, to_the_tick)
{
	__u64 when, begin, end;
	int i, err;

	for (i = 0; i < 10; i++) {
		when = test_tick_ns() + SHORT;
		put_expiring("key", 0, when, 0);
		do {
			begin = test_tick_ns();
			err = _test_member(self->fd, self->table, "key");
			end = test_tick_ns();
			if (!err)
				ASSERT_LT(begin, when);
		} while (!err);
		ASSERT_EQ(-ENODATA, err);
		ASSERT_GE(end, when);
	}
}

/* It is absent before it is removed: what was past its time from the start is never found. */
TEST_F(expiry, past)
{
	put_expiring("key", 0, 1, 0);
	EXPECT_TRUE(is_absent(self->fd, self->table, "key"));
	test_expect(self->r, KREG_EVENT_CREATE, "key");
	test_expect(self->r, KREG_EVENT_EXPIRED, "key");
}

TEST_F(expiry, tells_when)
{
	__u64 when = test_now_ns() + LONG;
	struct kreg_more more = { .size = sizeof(more) };
	char value[16];
	struct kreg_op op = test_op_value(KREG_OP_GET, "key", 3, value, sizeof(value));

	put_expiring("key", 0, when, 0);
	test_puts(self->fd, self->table, "other", "value");
	EXPECT_EQ(when, expires_("key"));
	EXPECT_EQ(0, expires_("other"));
	EXPECT_EQ(-ENODATA, expires_("none"));
	op.flags = KREG_OP_MORE;
	op.arg = test_ptr(&more);
	test_op_(self->fd, self->table, 0, &op);
	EXPECT_EQ(5, op.out_len);
	EXPECT_EQ(when, more.out_expires_ns);
	op.value_len = 1;
	more.out_expires_ns = 0;
	EXPECT_EQ(-EMSGSIZE, _test_op(self->fd, self->table, 0, &op));
	EXPECT_EQ(5, op.out_len);
	EXPECT_EQ(when, more.out_expires_ns);
}

static const struct kreg_object_expiry *expiry_of(const struct kreg_object *object)
{
	return (const void *)((const char *)object + object->size -
			      sizeof(struct kreg_object_expiry));
}

TEST_F(expiry, scan_tells_when)
{
	__u64 when = test_now_ns() + LONG, buf[64];
	struct kreg_ioc_scan cmd = {
		.flags = KREG_SCAN_EXPIRES | KREG_SCAN_PROCESSES,
		.table = self->table,
		.buf = test_ptr(buf),
		.buf_len = sizeof(buf),
	};
	const struct kreg_object *object = (void *)buf;
	const struct kreg_object_expiry *e;

	put_expiring("key", 0, when, 0);
	put_expiring("past", 0, 1, 0);
	test_scan(self->fd, &cmd);
	ASSERT_EQ(1, cmd.out_count);
	/* Header, key and value, and what is asked for. */
	EXPECT_EQ(24 + 8 + 16 + 24, object->size);
	e = expiry_of(object);
	EXPECT_EQ(when, e->until_ns);
	EXPECT_EQ(when, e->expires_ns);
	EXPECT_EQ(0, e->idle_ms);
	put_expiring("key", 0, 0, 100000);
	cmd.flags = KREG_SCAN_EXPIRES;
	test_scan(self->fd, &cmd);
	EXPECT_EQ(24 + 8 + 24, object->size);
	e = expiry_of(object);
	EXPECT_GT(e->until_ns, test_now_ns());
	EXPECT_EQ(0, e->expires_ns);
	EXPECT_EQ(100000, e->idle_ms);
	test_puts(self->fd, self->table, "key", "value");
	test_scan(self->fd, &cmd);
	EXPECT_EQ(0, e->until_ns);
	EXPECT_EQ(0, e->expires_ns);
	EXPECT_EQ(0, e->idle_ms);
	cmd.flags |= KREG_SCAN_COUNT;
	EXPECT_EQ(-EINVAL, _test_scan(self->fd, &cmd));
	cmd.flags = KREG_SCAN_COUNT;
	cmd.buf = 0;
	cmd.buf_len = 0;
	test_scan(self->fd, &cmd);
	EXPECT_EQ(1, cmd.out_count);
}

/* Each look-up puts it off, a scan does not. */
TEST_F(expiry, idle)
{
	long long before, after;

	put_expiring("used", 0, 0, 10000);
	before = expires_("used");
	EXPECT_GT(before, test_now_ns());
	EXPECT_TRUE(test_wait_for(expires_("used") > before));
	put_expiring("key", 0, 0, 30);
	EXPECT_TRUE(test_wait_for(test_count(self->fd, self->table) == 1));
	EXPECT_TRUE(is_absent(self->fd, self->table, "key"));
	/* With both, what comes first. */
	after = test_now_ns() + LONG;
	put_expiring("both", 0, after, 2 * LONG / MS);
	EXPECT_EQ(after, expires_("both"));
	put_expiring("both", 0, test_now_ns() + SHORT, 2 * LONG / MS);
	EXPECT_TRUE(is_gone("both"));
	put_expiring("both", 0, test_now_ns() + LONG, 30);
	EXPECT_TRUE(test_wait_for(test_count(self->fd, self->table) == 1));
	EXPECT_TRUE(test_wait_for(timed(self->fd, self->table) == 1));
}

/* Each look-up puts that off until then, but for a sixteenth of the time. */
TEST_F(expiry, idle_to_the_tick)
{
	__u64 ns = test_scale(2000) * MS, begin = test_tick_ns(), end = begin + ns / 6, last;
	long long until;

	put_expiring("key", 0, 0, ns / MS);
	do {
		last = begin;
		begin = test_tick_ns();
		until = expires_("key");
		/* This process has not run for so long. */
		if (until == -ENODATA) {
			ASSERT_GE(test_tick_ns(), last + ns - ns / 16);
			break;
		}
		ASSERT_GE(until, begin + ns - ns / 16);
		ASSERT_LE(until, test_tick_ns() + ns);
	} while (begin < end);
}

/* When the only object expires, as a scan tells it; or -ENODATA. */
static long long scanned_expiry(int fd, __u64 table)
{
	__u64 buf[64] = { 0 };
	struct kreg_ioc_scan cmd = {
		.flags = KREG_SCAN_EXPIRES,
		.table = table,
		.buf = test_ptr(buf),
		.buf_len = sizeof(buf),
	};
	int err = _test_scan(fd, &cmd);

	if (err || !cmd.out_count)
		return err ?: -ENODATA;
	return expiry_of((void *)buf)->until_ns;
}

/* However often it is scanned, it expires when it did. */
TEST_F(expiry, scans_are_no_use)
{
	__u64 ns = test_scale(1000) * MS, begin = test_tick_ns();
	long long until, first;

	put_expiring("key", 0, 0, ns / MS);
	first = scanned_expiry(self->fd, self->table);
	ASSERT_LE(begin, first);
	do {
		until = scanned_expiry(self->fd, self->table);
		if (until != -ENODATA)
			ASSERT_EQ(first, until);
	} while (until > 0 && test_tick_ns() < begin + ns / 4);
	if (until == -ENODATA)
		ASSERT_LE(first, test_tick_ns());
}

/* It is in the slot of its first deadline, and goes on when that is due. */
TEST_F(expiry, used_for_longer)
{
	__u64 end = test_now_ns() + 30 * SHORT;

	put_expiring("key", 0, 0, test_scale(700));
	while (test_now_ns() < end) {
		ASSERT_EQ(0, _test_member(self->fd, self->table, "key"));
		test_pause_ms(2);
	}
	test_expect(self->r, KREG_EVENT_CREATE, "key");
	test_expect(self->r, KREG_EVENT_EXPIRED, "key");
}

static int edit_start(int fd, __u64 table, __u64 expires, __s64 *out)
{
	const __s64 zero = 0;
	struct kreg_field f = { .code = KREG_FIELD_ADD, .operand = 1 };
	struct kreg_more more = {
		.size = sizeof(more),
		.flags = KREG_MORE_START,
		.start = test_ptr(&zero),
		.start_len = sizeof(zero),
		.expires_ns = expires,
	};
	struct kreg_op op = test_op_value(KREG_OP_EDIT, "n", 1, &f, sizeof(f));
	int err;

	op.flags = KREG_OP_MORE;
	op.arg = test_ptr(&more);
	err = _test_op(fd, table, 0, &op);
	*out = f.out;
	return err;
}

/* A counter that begins anew some time after its first step. */
TEST_F(expiry, edit_keeps)
{
	struct kreg_field f = { .code = KREG_FIELD_ADD, .operand = 1 };
	struct kreg_op op = test_op_value(KREG_OP_EDIT, "n", 1, &f, sizeof(f));
	__u64 when = test_now_ns() + LONG;
	__s64 n;

	ASSERT_EQ(0, edit_start(self->fd, self->table, when, &n));
	EXPECT_EQ(1, n);
	EXPECT_EQ(when, expires_("n"));
	ASSERT_EQ(0, edit_start(self->fd, self->table, when + LONG, &n));
	test_op_(self->fd, self->table, 0, &op);
	EXPECT_EQ(3, (__s64)f.out);
	EXPECT_EQ(when, expires_("n"));
	test_delete(self->fd, self->table, "n");
	ASSERT_EQ(0, edit_start(self->fd, self->table, 1, &n));
	op = test_op_value(KREG_OP_EDIT, "n", 1, &f, sizeof(f));
	EXPECT_EQ(-ENODATA, _test_op(self->fd, self->table, 0, &op));
	ASSERT_EQ(0, edit_start(self->fd, self->table, when, &n));
	EXPECT_EQ(1, n);
	/* One that does not expire stays so. */
	test_delete(self->fd, self->table, "n");
	ASSERT_EQ(0, edit_start(self->fd, self->table, 0, &n));
	ASSERT_EQ(0, edit_start(self->fd, self->table, when, &n));
	EXPECT_EQ(0, expires_("n"));
}

TEST_F(expiry, keep)
{
	__u64 when = test_now_ns() + LONG;
	struct kreg_op op = test_op_puts("key", "new");
	char value[16];

	put_expiring("key", 0, when, 0);
	op.flags = KREG_OP_KEEP;
	test_op_(self->fd, self->table, 0, &op);
	EXPECT_EQ(1, op.out_count);
	EXPECT_EQ(when, expires_("key"));
	put_expiring("key", KREG_OP_KEEP, when + LONG, 0);
	EXPECT_EQ(when, expires_("key"));
	/* Without it, it does not expire any more, and KEEP keeps that. */
	test_puts(self->fd, self->table, "key", "value");
	EXPECT_EQ(0, expires_("key"));
	EXPECT_EQ(0, timed(self->fd, self->table));
	put_expiring("key", KREG_OP_KEEP, when, 0);
	EXPECT_EQ(0, expires_("key"));
	put_expiring("other", KREG_OP_KEEP, when, 0);
	EXPECT_EQ(when, expires_("other"));
	/* What idles goes on with that. */
	put_expiring("idle", 0, 0, 100000);
	op = test_op_puts("idle", "new");
	op.flags = KREG_OP_KEEP;
	test_op_(self->fd, self->table, 0, &op);
	EXPECT_GT(expires_("idle"), test_now_ns());
	ASSERT_EQ(0, _test_gets(self->fd, self->table, "idle", value, sizeof(value)));
	EXPECT_STREQ("new", value);
}

/* For who writes, what has expired is not there, whether it has been removed or not. */
TEST_F(expiry, writes_over)
{
	struct kreg_op op = test_op_puts("key", "new");
	int i;

	for (i = 0; i < 100; i++) {
		put_expiring("key", 0, 1, 0);
		test_put_new(self->fd, self->table, "key", "new");
		test_delete(self->fd, self->table, "key");
	}
	put_expiring("key", 0, 1, 0);
	op.flags = KREG_OP_PRESENT;
	EXPECT_EQ(-ENODATA, _test_op(self->fd, self->table, 0, &op));
	put_expiring("key", 0, 1, 0);
	op.flags = KREG_OP_VERSION;
	op.arg = 1;
	EXPECT_EQ(-ECANCELED, _test_op(self->fd, self->table, 0, &op));
	put_expiring("key", 0, 1, 0);
	op = test_ops(KREG_OP_DELETE, "key");
	test_op_(self->fd, self->table, 0, &op);
	EXPECT_EQ(0, op.out_count);
	put_expiring("key", 0, 1, 0);
	op = test_op_puts("key", "new");
	test_op_(self->fd, self->table, 0, &op);
	EXPECT_EQ(0, op.out_count);
	EXPECT_EQ(0, timed(self->fd, self->table));
}

/* Each CREATE of what expires is followed by its EXPIRED, whoever has removed it. */
TEST_F(expiry, events)
{
	int i;

	for (i = 0; i < 50; i++) {
		put_expiring("key", 0, 1, 0);
		test_puts(self->fd, self->table, "key", "value");
		test_expect(self->r, KREG_EVENT_CREATE, "key");
		test_expect(self->r, KREG_EVENT_EXPIRED, "key");
		test_expect(self->r, KREG_EVENT_CREATE, "key");
		test_delete(self->fd, self->table, "key");
		test_expect(self->r, KREG_EVENT_DELETE, "key");
	}
	test_nothing(self->r);
}

/* What is done to all that match passes over what has expired, and leaves when others do. */
TEST_F(expiry, changes)
{
	struct kreg_field f = { .code = KREG_FIELD_COPY, .operand = test_ptr("V"), .set = 1 };
	struct kreg_ioc_change cmd = test_change_edit(self->table, NULL, 0, &f, 1);
	__u64 when = test_now_ns() + LONG;
	char value[16];

	put_expiring("past", 0, 1, 0);
	put_expiring("key", 0, when, 0);
	test_change(self->fd, &cmd);
	EXPECT_EQ(1, cmd.out_count);
	EXPECT_EQ(when, expires_("key"));
	ASSERT_EQ(0, _test_gets(self->fd, self->table, "key", value, sizeof(value)));
	EXPECT_STREQ("Value", value);
	put_expiring("past", 0, 1, 0);
	cmd = test_change_cmd(self->table, NULL, 0);
	test_change(self->fd, &cmd);
	EXPECT_EQ(1, cmd.out_count);
	EXPECT_TRUE(test_wait_for(!test_objects(self->fd, self->table)));
}

TEST_F(expiry, batches)
{
	struct kreg_op ops[2] = { test_op_puts("a", "new"), test_op_puts("b", "new") };
	__u32 done;

	put_expiring("a", 0, 1, 0);
	put_expiring("b", 0, test_now_ns() + LONG, 0);
	ops[0].flags = KREG_OP_NEW;
	test_batch(self->fd, self->table, KREG_BATCH_ATOMIC, ops, 2, &done);
	EXPECT_EQ(0, expires_("a"));
	EXPECT_EQ(0, expires_("b"));
	put_expiring("a", 0, 1, 0);
	put_expiring("b", 0, test_now_ns() + LONG, 0);
	ops[0] = test_ops(KREG_OP_MEMBER, "a");
	ops[1] = test_ops(KREG_OP_MEMBER, "b");
	test_batch(self->fd, self->table, 0, ops, 2, &done);
	EXPECT_EQ(1, done);
	EXPECT_EQ(ENODATA, ops[0].out_error);
	test_batch(self->fd, self->table, KREG_BATCH_ATOMIC, ops, 2, &done);
	EXPECT_EQ(1, done);
	ops[0] = test_op_puts("a", "new");
	ops[0].flags = KREG_OP_KEEP;
	EXPECT_EQ(-EOPNOTSUPP, _test_batch(self->fd, self->table, KREG_WRITE_ASYNC, ops, 1, &done));
	/* What has expired has nothing that could be kept. */
	ops[1] = test_op_puts("b", "new");
	ops[1].flags = KREG_OP_KEEP;
	test_batch(self->fd, self->table, KREG_BATCH_ATOMIC, ops, 2, &done);
	EXPECT_EQ(0, ops[0].out_count);
	EXPECT_EQ(1, ops[1].out_count);
	EXPECT_EQ(0, expires_("a"));
	EXPECT_LT(0, expires_("b"));
}

TEST_HARNESS_MAIN
