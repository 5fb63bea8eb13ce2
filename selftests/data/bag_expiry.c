// SPDX-License-Identifier: GPL-2.0
/*
 * Objects that expire where a key may have several, each by itself.
 */
#include "data/bag_expiry.h"

TEST_F(bag_expiry, each_by_itself)
{
	const struct kreg_event *e;

	EXPECT_EQ(0, adds_timed("key", "c", self->later, 0));
	EXPECT_EQ(0, adds("key", "a"));
	EXPECT_EQ(0, adds_timed("key", "d", self->later + 1, 0));
	EXPECT_EQ(self->later, expires_("key"));
	EXPECT_EQ(2, timed_());
	HAS_VALUES("key", "cad");
	EXPECT_EQ(0, adds_timed("key", "b", test_now_ns() + SHORT, 0));
	wait_for_values("key", "cad");
	EXPECT_EQ(3, test_number_of(self->fd, self->table, "key"));
	EXPECT_TRUE(test_wait_for(objects_() == 3));
	EXPECT_EQ(2, timed_());
	EXPECT_EQ(3, test_count(self->fd, self->table));
	test_expect(self->r, KREG_EVENT_CREATE, "key");
	test_expect(self->r, KREG_EVENT_CREATE, "key");
	test_expect(self->r, KREG_EVENT_CREATE, "key");
	test_expect(self->r, KREG_EVENT_CREATE, "key");
	e = test_expect(self->r, KREG_EVENT_EXPIRED, "key");
	EXPECT_EQ(KREG_CAUSE_EXPIRED, e->cause);
	EXPECT_TRUE(test_none(e->process));
	test_nothing(self->r);
	EXPECT_EQ(1, removes("key", KREG_OP_VALUE, test_ptr("c"), 1));
	EXPECT_EQ(self->later + 1, expires_("key"));
	EXPECT_EQ(2, removes("key", 0, 0, 0));
	EXPECT_EQ(0, timed_());
	EXPECT_EQ(-ENODATA, expires_("key"));
	EXPECT_EQ(0, adds("key", "a"));
	EXPECT_EQ(0, expires_("key"));
}

/* The object that is told of is one that is there, however soon after the end of the youngest. */
TEST_F(bag_expiry, youngest_there)
{
	static struct test_run run;
	struct kreg_op op;
	__u64 version;
	int i, n;

	EXPECT_EQ(0, adds("key", "a"));
	ASSERT_EQ(1, test_run(self->fd, self->table, "key", &run));
	version = run.op.out_version;
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, adds_timed("key", "b", test_now_ns() + SHORT, 0));
		do {
			n = test_run(self->fd, self->table, "key", &run);
		} while (n == 2);
		ASSERT_EQ(1, n);
		EXPECT_EQ(version, run.op.out_version);
		op = test_ops(KREG_OP_MEMBER, "key");
		ASSERT_EQ(0, _test_op(self->fd, self->table, 0, &op));
		EXPECT_EQ(version, op.out_version);
	}
}

/* By the clock of the last tick it is found before its time, and not from then on. */
TEST_F(bag_expiry, to_the_tick)
{
	__u64 when, begin, end;
	int i, n;

	EXPECT_EQ(0, adds("key", "a"));
	for (i = 0; i < 10; i++) {
		when = test_tick_ns() + SHORT;
		ASSERT_EQ(0, adds_timed("key", "b", when, 0));
		do {
			begin = test_tick_ns();
			n = test_number_of(self->fd, self->table, "key");
			end = test_tick_ns();
			if (n == 2)
				ASSERT_LT(begin, when);
		} while (n == 2);
		ASSERT_EQ(1, n);
		ASSERT_GE(end, when);
	}
}

/* What was past its time from the start is never found, whether it has been removed or not. */
TEST_F(bag_expiry, past)
{
	struct kreg_ioc_watch out;
	struct kreg_op op;
	int i;

	for (i = 0; i < 50; i++) {
		ASSERT_EQ(0, adds_timed("key", "a", 1, 0));
		ASSERT_EQ(-ENODATA, test_run(self->fd, self->table, "key", &self->run));
		ASSERT_EQ(0, adds_timed("key", "a", 1, 0));
		ASSERT_EQ(-ENODATA, test_number_of(self->fd, self->table, "key"));
		ASSERT_EQ(0, adds_timed("key", "a", 1, 0));
		ASSERT_EQ(0, test_count(self->fd, self->table));
		ASSERT_EQ(0, adds_timed("key", "a", 1, 0));
		ASSERT_EQ(0, removes("key", 0, 0, 0));
		ASSERT_EQ(0, adds_timed("key", "a", 1, 0));
		ASSERT_EQ(0, removes("key", KREG_OP_VALUE, test_ptr("a"), 1));
		ASSERT_EQ(0, adds_timed("key", "a", 1, 0));
		ASSERT_EQ(-ENODATA, _test_run_code(self->fd, self->table, KREG_OP_TAKE, "key",
						   &self->run));
		ASSERT_EQ(0, adds_timed("key", "a", 1, 0));
		op = test_op_puts("key", "b");
		op.flags = KREG_OP_PRESENT;
		test_err_op(ENODATA, self->fd, self->table, 0, &op);
		ASSERT_EQ(0, adds_timed("key", "a", 1, 0));
		test_err_sleep(ETIMEDOUT, self->fd, self->table, KREG_WATCH_PRESENT, "key", 0, 1,
			       &out);
		ASSERT_EQ(0, adds_timed("key", "a", 1, 0));
		test_put_new(self->fd, self->table, "key", "b");
		HAS_VALUES("key", "b");
		test_delete(self->fd, self->table, "key");
	}
	EXPECT_TRUE(test_wait_for(!objects_()));
	EXPECT_EQ(0, timed_());
}

/* Of one that has expired and is not removed yet the version is nobody's. */
TEST_F(bag_expiry, by_version)
{
	struct kreg_more more;
	struct kreg_op op = timed_op(test_op_puts("key", "a"), &more, self->later, 0);

	EXPECT_EQ(0, adds("key", "b"));
	test_op_(self->fd, self->table, 0, &op);
	EXPECT_EQ(1, removes("key", KREG_OP_VERSION, op.out_version, 0));
	EXPECT_EQ(0, timed_());
	op = timed_op(test_op_puts("key", "a"), &more, 1, 0);
	test_op_(self->fd, self->table, 0, &op);
	EXPECT_EQ(-ECANCELED, removes("key", KREG_OP_VERSION, op.out_version, 0));
	HAS_VALUES("key", "b");
}

/* In a bag the last put counts, for when the object expires and for its place. */
TEST_F(bag_expiry, the_same_object)
{
	int twice = self->once ? 1 : 0;

	EXPECT_EQ(0, adds_timed("key", "a", self->later, 0));
	EXPECT_EQ(0, adds("key", "b"));
	EXPECT_EQ(twice, adds_timed("key", "a", self->later + 5, 0));
	HAS_VALUES("key", self->once ? "ba" : "aba");
	EXPECT_EQ(self->later + 5 * twice, expires_("key"));
	EXPECT_EQ(2 - twice, timed_());
	/* It is put again as it is: it may have been idle meanwhile. */
	EXPECT_EQ(twice, adds_timed("key", "a", self->later + 5, 0));
	EXPECT_EQ(3 - 2 * twice, timed_());
	/* And the other way round. */
	EXPECT_EQ(twice, adds("key", "a"));
	EXPECT_EQ(3 - 3 * twice, timed_());
	EXPECT_EQ(twice, adds("key", "a"));
	EXPECT_EQ(twice, adds("key", "b"));
	HAS_VALUES("key", self->once ? "ba" : "abaaaab");
	EXPECT_EQ(twice, adds_timed("key", "b", test_now_ns() + SHORT, 0));
	wait_for_values("key", self->once ? "a" : "abaaaab");
	EXPECT_TRUE(test_wait_for(objects_() == (self->once ? 1 : 7)));
}

TEST_F(bag_expiry, told_of_the_same_object)
{
	enum kreg_event_kind again = self->once ? KREG_EVENT_UPDATE : KREG_EVENT_CREATE;
	const struct kreg_event *e;

	adds("key", "a");
	test_expect(self->r, KREG_EVENT_CREATE, "key");
	adds_timed("key", "a", self->later, 0);
	e = test_expect(self->r, again, "key");
	EXPECT_EQ(1, e->value_len);
	adds("key", "a");
	test_expect(self->r, again, "key");
	adds("key", "a");
	if (!self->once)
		test_expect(self->r, KREG_EVENT_CREATE, "key");
	test_nothing(self->r);
	adds_timed("key", "a", 1, 0);
	test_expect(self->r, again, "key");
	test_expect(self->r, KREG_EVENT_EXPIRED, "key");
	test_nothing(self->r);
}

/* Values that are compared in several holds of the turn. */
TEST_F(bag_expiry, the_same_long_object)
{
	static char value[200000];
	struct kreg_op long_put = test_op_value(KREG_OP_PUT, "key", 3, value, sizeof(value));
	struct kreg_more more;
	struct kreg_op op = timed_op(long_put, &more, self->later, 0);
	int i;

	test_op_(self->fd, self->table, 0, &long_put);
	value[sizeof(value) - 1] = 1;
	for (i = 0; i < 3; i++) {
		test_op_(self->fd, self->table, 0, &op);
		EXPECT_EQ(self->once && i ? 1 : 0, (int)op.out_count);
	}
	EXPECT_EQ(self->once ? 2 : 4, test_number_of(self->fd, self->table, "key"));
	EXPECT_EQ(self->once ? 1 : 3, timed_());
	EXPECT_EQ(self->later, expires_("key"));
	more.expires_ns = test_now_ns() + SHORT;
	test_op_(self->fd, self->table, 0, &op);
	EXPECT_TRUE(test_wait_for(test_number_of(self->fd, self->table, "key") ==
				  (self->once ? 1 : 4)));
}

/* Each look-up puts it off, a scan does not. */
TEST_F(bag_expiry, idle)
{
	long long before;

	adds("used", "a");
	adds_timed("used", "b", 0, 10000);
	before = expires_("used");
	EXPECT_GT(before, test_now_ns());
	EXPECT_TRUE(test_wait_for(expires_("used") > before));
	before = expires_("used");
	do {
		EXPECT_EQ(2, test_run(self->fd, self->table, "used", &self->run));
	} while (test_now_ns() < (__u64)before - 9000 * MS);
	EXPECT_LT(before, expires_("used"));
	adds("key", "a");
	adds_timed("key", "b", 0, 30);
	EXPECT_TRUE(test_wait_for(test_count(self->fd, self->table) == 3));
	HAS_VALUES("key", "a");
	EXPECT_TRUE(test_wait_for(timed_() == 1));
}

static const struct kreg_object_expiry *expiry_of(const struct kreg_object *object)
{
	return (const void *)((const char *)object + object->size -
			      sizeof(struct kreg_object_expiry));
}

TEST_F(bag_expiry, scan_tells_when)
{
	__u64 buf[64] = { 0 };
	struct kreg_ioc_scan cmd = {
		.flags = KREG_SCAN_EXPIRES,
		.table = self->table,
		.buf = test_ptr(buf),
		.buf_len = sizeof(buf),
	};
	const struct kreg_object *object = (void *)buf;

	adds_timed("key", "a", self->later, 0);
	adds_timed("key", "p", 1, 0);
	adds("key", "b");
	adds_timed("key", "c", self->later, 1000000);
	test_scan(self->fd, &cmd);
	ASSERT_EQ(3, cmd.out_count);
	EXPECT_TRUE(test_object_is(object, "key", "a"));
	EXPECT_EQ(self->later, expiry_of(object)->until_ns);
	EXPECT_EQ(self->later, expiry_of(object)->expires_ns);
	object = (void *)((char *)object + object->size);
	EXPECT_TRUE(test_object_is(object, "key", "b"));
	EXPECT_EQ(0, expiry_of(object)->until_ns);
	object = (void *)((char *)object + object->size);
	EXPECT_TRUE(test_object_is(object, "key", "c"));
	EXPECT_GT(self->later, expiry_of(object)->until_ns);
	EXPECT_EQ(self->later, expiry_of(object)->expires_ns);
	EXPECT_EQ(1000000, expiry_of(object)->idle_ms);
}

/* As the version and the length of the objects are. */
TEST_F(bag_expiry, told_without_room)
{
	struct kreg_more more = { .size = sizeof(more) };
	struct kreg_op op = test_ops(KREG_OP_GET, "key");

	adds_timed("key", "b", self->later + 1, 0);
	adds_timed("key", "a", self->later, 0);
	op.flags = KREG_OP_MORE;
	op.arg = test_ptr(&more);
	test_err_op(EMSGSIZE, self->fd, self->table, 0, &op);
	EXPECT_EQ(self->later, more.out_expires_ns);
	op.value = test_ptr(self->run.room);
	op.value_len = sizeof(self->run.room);
	more.out_expires_ns = 0;
	test_op_(self->fd, self->table, 0, &op);
	EXPECT_EQ(2, op.out_count);
	EXPECT_EQ(self->later, more.out_expires_ns);
}

TEST_HARNESS_MAIN
