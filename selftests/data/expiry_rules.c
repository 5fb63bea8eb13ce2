// SPDX-License-Identifier: GPL-2.0
/*
 * What has expired, and pins, waits, clears, owners; many at once; and what does not go together.
 */
#include "data/expiry.h"

/* A pin keeps what was replaced, but not what has expired. */
TEST_F(expiry, pins)
{
	struct kreg_ioc_scan cmd;
	__u64 pin;

	put_expiring("a", 0, test_now_ns() + SHORT, 0);
	put_expiring("b", 0, test_now_ns() + LONG, 0);
	ASSERT_EQ(0, _test_pin(self->fd, self->table, 0, &pin));
	test_puts(self->fd, self->table, "b", "new");
	EXPECT_TRUE(is_gone("a"));
	cmd = test_pinned_cmd(self->table, pin);
	test_scan(self->fd, &cmd);
	EXPECT_EQ(1, cmd.out_count);
	EXPECT_TRUE(test_wait_for(test_objects(self->fd, self->table) == 1));
	test_scan(self->fd, &cmd);
	EXPECT_EQ(1, cmd.out_count);
}

TEST_F(expiry, waits)
{
	struct kreg_ioc_watch out;
	__u64 version;

	put_expiring("key", 0, test_now_ns() + SHORT, 0);
	test_sleep(self->fd, self->table, KREG_WATCH_ABSENT, "key", 0, -1, &out);
	EXPECT_EQ(0, out.out_version);
	put_expiring("key", 0, test_now_ns() + SHORT, 0);
	version = last_version;
	test_sleep(self->fd, self->table, KREG_WATCH_CHANGED, "key", version, -1, &out);
	EXPECT_EQ(0, out.out_version);
	/* What is past its time is not present. */
	put_expiring("key", 0, 1, 0);
	test_err_sleep(ETIMEDOUT, self->fd, self->table, KREG_WATCH_PRESENT, "key", 0, 1, &out);
}

TEST_F(expiry, clear)
{
	char key[16];
	int i;

	for (i = 0; i < 200; i++) {
		snprintf(key, sizeof(key), "%d", i);
		put_expiring(key, 0, test_now_ns() + (i % 2 ? SHORT : LONG), 0);
	}
	test_clear(self->fd, self->table);
	EXPECT_EQ(0, timed(self->fd, self->table));
	put_expiring("key", 0, test_now_ns() + SHORT, 0);
	EXPECT_TRUE(test_wait_for(!timed(self->fd, self->table)));
}

/* What expires is in nobody's way, whoever owns the table. */
TEST_F(expiry, survives_its_owner)
{
	struct kid *kid = kid_start(_metadata);
	__u64 when = test_now_ns() + LONG, table;

	ASSERT_EQ(0, _test_create_type(self->fd, "kids", variant->type, KREG_ACCESS_PUBLIC,
				       &table));
	ASSERT_EQ(0, put_timed(self->fd, table, "key", 0, when, 0));
	ASSERT_EQ(0, put_timed(self->fd, table, "short", 0, test_now_ns() + SHORT, 0));
	test_give(self->fd, table, kid->self, NULL, 0);
	ASSERT_EQ(0, kid_heir(kid, table, test_self(self->fd), ""));
	EXPECT_EQ(SIGKILL, kid_kill(kid));
	EXPECT_EQ(when, test_expires(self->fd, table, "key"));
	EXPECT_TRUE(test_wait_for(timed(self->fd, table) == 1));
	EXPECT_TRUE(is_absent(self->fd, table, "short"));
}

/* A table that is destroyed takes its timer along. */
TEST_F(expiry, destroyed)
{
	put_expiring("key", 0, test_now_ns() + SHORT, 0);
	put_expiring("other", 0, test_now_ns() + LONG, 0);
	test_destroy(self->fd, self->table);
	test_pause_ms(2 * SHORT / MS);
	EXPECT_EQ(-ESTALE, put_timed(self->fd, self->table, "key", 0, 1, 0));
}

#define MANY	100000

/* All at once, and the turn is not held for long: who writes meanwhile gets through. */
TEST_F(expiry, many)
{
	const int n = test_scale(1) > 1 ? MANY / 10 : MANY;
	__u64 when = test_now_ns() + LONG;
	struct kreg_info info;
	char key[16];
	int i, writes = 0;

	for (i = 0; i < n; i++) {
		/* All of them in one slot of a coarse level, which is cut into finer ones. */
		if (i == n / 2)
			when = test_now_ns() + 300 * MS;
		snprintf(key, sizeof(key), "%d", i);
		put_expiring(key, 0, i < n / 2 ? when : (__u64)i, 0);
	}
	for (i = 0; i < n / 2; i++) {
		snprintf(key, sizeof(key), "%d", i);
		put_expiring(key, 0, when, 0);
	}
	/* Once, also where all of that took so long that they are gone. */
	do {
		test_puts(self->fd, self->table, "writes", "value");
	} while (timed(self->fd, self->table) && ++writes < 1000000);
	EXPECT_TRUE(test_wait_for(!timed(self->fd, self->table)));
	EXPECT_TRUE(test_wait_for(test_objects(self->fd, self->table) == 1));
	ASSERT_EQ(0, _test_info(self->fd, self->table, &info));
	/* At most 32 in a commit. */
	EXPECT_GE(info.version, n + n / 2 + n / 32);
	EXPECT_EQ(1, test_count(self->fd, self->table));
}

TEST_F(expiry, bound)
{
	const __u64 when = test_now_ns() + LONG;
	struct kreg_op op = test_op_bind("key", "v");
	struct kreg_more more = { .size = sizeof(more), .idle_ms = 1 };

	test_op_(self->fd, self->table, 0, &op);
	EXPECT_EQ(-EOPNOTSUPP, put_timed(self->fd, self->table, "key", 0, when, 0));
	EXPECT_EQ(0, put_timed(self->fd, self->table, "key", KREG_OP_KEEP, when, 0));
	EXPECT_EQ(0, expires_("key"));
	EXPECT_EQ(-EOPNOTSUPP, put_timed(self->fd, self->table, "key", KREG_OP_BOUND, when, 0));
	op = test_op_bind("key", "v");
	op.flags |= KREG_OP_MORE;
	op.arg = test_ptr(&more);
	EXPECT_EQ(-EOPNOTSUPP, _test_op(self->fd, self->table, 0, &op));
	op = test_op_bind("key", "v");
	op.flags |= KREG_OP_KEEP;
	EXPECT_EQ(-EOPNOTSUPP, _test_op(self->fd, self->table, 0, &op));
	/* The other way round it is replaced, and does not expire any more. */
	put_expiring("other", 0, when, 0);
	op = test_op_bind("other", "v");
	test_op_(self->fd, self->table, 0, &op);
	EXPECT_EQ(0, expires_("other"));
	put_expiring("lent", 0, when, 0);
	test_err_lease(EOPNOTSUPP, self->fd, self->table, "lent");
	EXPECT_EQ(when, expires_("lent"));
}

/* A registration takes the key of what has expired. */
TEST_F(expiry, registered)
{
	struct kreg_ioc_register cmd = register_cmd(self->table, "key", "v", 0);

	put_expiring("key", 0, 1, 0);
	ASSERT_EQ(0, run_register(self->fd, &cmd));
	put_expiring("other", 0, test_now_ns() + SHORT, 0);
	cmd = register_cmd(self->table, "other", "v", KREG_REGISTER_WAIT);
	ASSERT_EQ(0, run_register(self->fd, &cmd));
	EXPECT_EQ(KREG_REGISTERED, cmd.out_how);
}

/* As the version and the length of the value are. */
TEST_F(expiry, told_without_room)
{
	__u64 when = test_now_ns() + LONG;
	struct kreg_more more = { .size = sizeof(more) };
	struct kreg_op op = test_ops(KREG_OP_GET, "key");

	put_expiring("key", 0, when, 0);
	op.flags = KREG_OP_MORE;
	op.arg = test_ptr(&more);
	EXPECT_EQ(-EMSGSIZE, _test_op(self->fd, self->table, 0, &op));
	EXPECT_EQ(when, more.out_expires_ns);
	EXPECT_EQ(last_version, op.out_version);
	EXPECT_EQ(strlen("value"), op.out_len);
}

TEST_F(expiry, errors)
{
	struct kreg_more more = { .size = sizeof(more), .expires_ns = 1 };
	struct kreg_op op = test_op_puts("key", "v");
	__u64 bag;

	op.flags = KREG_OP_KEEP | KREG_OP_NEW;
	EXPECT_EQ(-EINVAL, _test_op(self->fd, self->table, 0, &op));
	op.flags = KREG_OP_KEEP;
	EXPECT_EQ(-EOPNOTSUPP, _test_op(self->fd, self->table, KREG_WRITE_ASYNC, &op));
	op = test_ops(KREG_OP_DELETE, "key");
	op.flags = KREG_OP_KEEP;
	EXPECT_EQ(-EINVAL, _test_op(self->fd, self->table, 0, &op));
	op = test_ops(KREG_OP_MEMBER, "key");
	op.flags = KREG_OP_MORE;
	op.arg = test_ptr(&more);
	EXPECT_EQ(-EINVAL, _test_op(self->fd, self->table, 0, &op));
	more.expires_ns = 0;
	more.if_version = 1;
	EXPECT_EQ(-EINVAL, _test_op(self->fd, self->table, 0, &op));
	more.if_version = 0;
	EXPECT_EQ(-ENODATA, _test_op(self->fd, self->table, 0, &op));
	ASSERT_EQ(0, _test_create_type(self->fd, "bag", KREG_TYPE_BAG, KREG_ACCESS_PUBLIC, &bag));
	op = test_op_puts("key", "v");
	op.flags = KREG_OP_KEEP;
	EXPECT_EQ(-EOPNOTSUPP, _test_op(self->fd, bag, 0, &op));
}

TEST_HARNESS_MAIN
