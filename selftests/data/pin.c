// SPDX-License-Identifier: GPL-2.0
/*
 * Pins: a table is read as it was, whatever is written to it; and how pins end.
 */
#include "kit/fixture.h"
#include "kit/bound.h"
#include "kit/pin.h"

#define KEYS	300

FIXTURE(pin) {
	struct test_base base;
	int fd;
	__u64 table;
	__u64 pin;
};

FIXTURE_VARIANT(pin) {
	__u32 type;
	bool ordered;
};

FIXTURE_VARIANT_ADD(pin, set) {
	.type = KREG_TYPE_SET,
};

FIXTURE_VARIANT_ADD(pin, ordered) {
	.type = KREG_TYPE_ORDERED_SET,
	.ordered = true,
};

FIXTURE_VARIANT_ADD(pin, bag) {
	.type = KREG_TYPE_DUPLICATE_BAG,
	.ordered = true,
};

static void key_of(__u32 n, char key[8])
{
	snprintf(key, 8, "k%05u", n);
}

static int put_number(int fd, __u64 table, __u32 n, __u32 value)
{
	char key[8];

	key_of(n, key);
	return _test_put(fd, table, key, 6, &value, sizeof(value));
}

static int delete_number(int fd, __u64 table, __u32 n)
{
	char key[8];

	key_of(n, key);
	return _test_delete(fd, table, key);
}

FIXTURE_SETUP(pin)
{
	__u32 n;

	self->fd = test_setup(_metadata, &self->base);
	ASSERT_EQ(0, _test_create_type(self->fd, "pinned", variant->type, KREG_ACCESS_PUBLIC,
				       &self->table));
	for (n = 0; n < KEYS; n++)
		ASSERT_EQ(0, put_number(self->fd, self->table, n, n));
}

FIXTURE_TEARDOWN_PARENT(pin)
{
	EXPECT_EQ(0, test_set_param("max_pin_ms", KREG_MAX_PIN_MS));
	test_teardown(_metadata, &self->base);
}

/* Of @o, if it is one of those that put_number() makes, number and value; else false. */
static bool parse_object(const struct kreg_object *o, __u32 *n, __u32 *value)
{
	char key[8] = "";

	if (o->key_len != 6 || o->value_len != 4)
		return false;
	memcpy(key, o + 1, 6);
	memcpy(value, (const char *)(o + 1) + 6, 4);
	return sscanf(key, "k%05u", n) == 1;
}

/* By @pin, in calls of @most objects: are they the numbers below @keys, each worth @plus more? */
static bool shows(int fd, __u64 table, __u64 pin, __u32 keys, __u32 plus, __u32 most)
{
	struct kreg_ioc_scan cmd = test_pinned_cmd(table, pin);
	static bool seen[2 * KEYS];
	__u32 i, n, value, count = 0;
	char after[8];

	memset(seen, 0, sizeof(seen));
	cmd.max_count = most;
	do {
		const struct kreg_object *o = (void *)(unsigned long)cmd.buf;

		if (_test_scan(fd, &cmd))
			return false;
		for (i = 0; i < cmd.out_count; i++, count++) {
			if (!parse_object(o, &n, &value) || n >= keys || value != n + plus ||
			    seen[n])
				return false;
			seen[n] = true;
			memcpy(after, o + 1, 6);
			cmd.range.after = test_ptr(after);
			cmd.range.after_len = 6;
			cmd.range.after_version = o->version;
			cmd.range.after_sub = o->sub;
			o = (void *)((const char *)o + o->size);
		}
	} while (cmd.out_more);
	return count == keys;
}

/* Every key gets another value, or goes, and as many others come. */
static void change_all(struct __test_metadata *_metadata, int fd, __u64 table, bool replaces)
{
	__u32 n;

	for (n = 0; n < KEYS; n++) {
		int err = n % 3 ? delete_number(fd, table, n) :
				  replaces ? put_number(fd, table, n, 7) : 0;

		ASSERT_EQ(0, err);
		ASSERT_EQ(0, put_number(fd, table, KEYS + n, 7));
	}
}

TEST_F(pin, as_it_was)
{
	struct kreg_ioc_pin cmd = { .table = self->table };
	struct kreg_info info;

	ASSERT_EQ(0, _test_pin_cmd(self->fd, &cmd));
	ASSERT_EQ(0, _test_info(self->fd, self->table, &info));
	EXPECT_EQ(info.version, cmd.out_version);
	EXPECT_EQ(KREG_MAX_PIN_MS, cmd.out_ms);
	EXPECT_EQ(1, info.pins);
	EXPECT_EQ(0, info.kept);
	EXPECT_TRUE(shows(self->fd, self->table, cmd.out_id, KEYS, 0, 0));
	change_all(_metadata, self->fd, self->table, true);
	EXPECT_TRUE(shows(self->fd, self->table, cmd.out_id, KEYS, 0, 0));
	EXPECT_TRUE(shows(self->fd, self->table, cmd.out_id, KEYS, 0, 7));
	EXPECT_FALSE(shows(self->fd, self->table, 0, KEYS, 0, 0));
	EXPECT_EQ(KEYS, test_pinned_count(self->fd, self->table, cmd.out_id));
	ASSERT_EQ(0, _test_info(self->fd, self->table, &info));
	/* In a bag what is put does not replace anything. */
	EXPECT_EQ(variant->type == KREG_TYPE_DUPLICATE_BAG ? KEYS * 2 / 3 : KEYS, info.kept);
	EXPECT_LT(info.kept * 10, info.kept_bytes);
	ASSERT_EQ(0, _test_cancel(self->fd, cmd.out_id, 0));
	EXPECT_TRUE(test_wait_for(!test_kept(self->fd, self->table)));
	EXPECT_EQ(0, test_pins(self->fd, self->table));
}

/* However often an object is written, a pin keeps one version of it. */
TEST_F(pin, one_version)
{
	__u32 round;

	test_pin(self->fd, self->table, 0, &self->pin);
	for (round = 0; round < 20; round++) {
		ASSERT_EQ(0, delete_number(self->fd, self->table, 0));
		ASSERT_EQ(0, put_number(self->fd, self->table, 0, round));
	}
	EXPECT_EQ(1, test_kept(self->fd, self->table));
	EXPECT_TRUE(shows(self->fd, self->table, self->pin, KEYS, 0, 0));
}

static int add_one_to_all(int fd, __u64 table, __u32 value)
{
	static struct kreg_op ops[KEYS];
	static char keys[KEYS][8];
	static __u32 values[KEYS];
	__u32 n;

	for (n = 0; n < KEYS; n++) {
		key_of(n, keys[n]);
		values[n] = n + value;
		ops[n] = test_op_value(KREG_OP_PUT, keys[n], 6, &values[n], 4);
	}
	return _test_batch(fd, table, KREG_BATCH_ATOMIC, ops, KEYS, NULL);
}

/* Each of them shows its own state, in whatever order they end. */
TEST_F(pin, many)
{
	__u64 pins[KREG_MAX_PINS], extra;
	__u32 i;

	for (i = 0; i < KREG_MAX_PINS; i++) {
		test_clear(self->fd, self->table);
		ASSERT_EQ(0, add_one_to_all(self->fd, self->table, i));
		test_pin(self->fd, self->table, 0, &pins[i]);
	}
	test_err_pin(EDQUOT, self->fd, self->table, 0, &extra);
	for (i = 0; i < KREG_MAX_PINS; i++)
		EXPECT_TRUE(shows(self->fd, self->table, pins[i], KEYS, i, 50));
	for (i = 0; i < KREG_MAX_PINS; i += 3)
		ASSERT_EQ(0, _test_cancel(self->fd, pins[i], 0));
	for (i = 0; i < KREG_MAX_PINS; i++)
		if (i % 3)
			EXPECT_TRUE(shows(self->fd, self->table, pins[i], KEYS, i, 0));
	for (i = KREG_MAX_PINS; i--;)
		if (i % 3)
			ASSERT_EQ(0, _test_cancel(self->fd, pins[i], 0));
	EXPECT_EQ(KEYS, test_pinned_count(self->fd, self->table, 0));
}

/* The same without a clear: what one pin gives up the one before it may need. */
TEST_F(pin, each_its_own)
{
	__u64 pins[4];
	__u32 i;

	if (variant->type == KREG_TYPE_DUPLICATE_BAG)
		test_clear(self->fd, self->table);
	for (i = 0; i < 4; i++) {
		if (variant->type == KREG_TYPE_DUPLICATE_BAG)
			for (__u32 n = 0; i && n < KEYS; n++)
				ASSERT_EQ(0, delete_number(self->fd, self->table, n));
		ASSERT_EQ(0, add_one_to_all(self->fd, self->table, i));
		test_pin(self->fd, self->table, 0, &pins[i]);
	}
	change_all(_metadata, self->fd, self->table, true);
	ASSERT_EQ(0, _test_cancel(self->fd, pins[2], 0));
	EXPECT_TRUE(shows(self->fd, self->table, pins[3], KEYS, 3, 0));
	ASSERT_EQ(0, _test_cancel(self->fd, pins[3], 0));
	EXPECT_TRUE(shows(self->fd, self->table, pins[1], KEYS, 1, 0));
	EXPECT_TRUE(shows(self->fd, self->table, pins[0], KEYS, 0, 0));
	ASSERT_EQ(0, _test_cancel(self->fd, pins[0], 0));
	EXPECT_TRUE(shows(self->fd, self->table, pins[1], KEYS, 1, 0));
	ASSERT_EQ(0, _test_cancel(self->fd, pins[1], 0));
	EXPECT_TRUE(test_wait_for(!test_kept(self->fd, self->table)));
}

TEST_F(pin, ranges)
{
	struct kreg_ioc_scan cmd;
	__u32 n, value;

	test_pin(self->fd, self->table, 0, &self->pin);
	change_all(_metadata, self->fd, self->table, true);
	cmd = test_pinned_cmd(self->table, self->pin);
	cmd.range.low = test_ptr("k00007");
	cmd.range.low_len = 6;
	cmd.range.flags = KREG_RANGE_EXACT;
	test_scan(self->fd, &cmd);
	EXPECT_EQ(1, cmd.out_count);
	ASSERT_TRUE(parse_object((void *)(unsigned long)cmd.buf, &n, &value));
	EXPECT_EQ(7, n);
	EXPECT_EQ(7, value);
	cmd.range.low = test_ptr("k00301");
	test_scan(self->fd, &cmd);
	EXPECT_EQ(0, cmd.out_count);
	cmd.range.low = test_ptr("k0001");
	cmd.range.low_len = 5;
	cmd.range.flags = KREG_RANGE_PREFIX;
	test_scan(self->fd, &cmd);
	EXPECT_EQ(10, cmd.out_count);
	if (!variant->ordered)
		return;
	cmd.flags = KREG_SCAN_REVERSE;
	test_scan(self->fd, &cmd);
	EXPECT_EQ(10, cmd.out_count);
	ASSERT_TRUE(parse_object((void *)(unsigned long)cmd.buf, &n, &value));
	EXPECT_EQ(19, n);
}

/* By CANCEL, which a scan notices. */
TEST_F(pin, cancelled)
{
	test_pin(self->fd, self->table, 0, &self->pin);
	ASSERT_EQ(0, _test_cancel(self->fd, self->pin, 0));
	EXPECT_EQ(-ESTALE, test_pinned_count(self->fd, self->table, self->pin));
	EXPECT_EQ(-ENOENT, _test_cancel(self->fd, self->pin, 0));
}

TEST_F(pin, time_over)
{
	struct kreg_ioc_pin cmd = { .table = self->table, .ms = 30 };

	ASSERT_EQ(0, _test_pin_cmd(self->fd, &cmd));
	EXPECT_EQ(30, cmd.out_ms);
	EXPECT_TRUE(test_wait_for(test_pinned_count(self->fd, self->table, cmd.out_id) == -ESTALE));
	EXPECT_EQ(0, test_pins(self->fd, self->table));
	EXPECT_EQ(-ENOENT, _test_cancel(self->fd, cmd.out_id, 0));
	ASSERT_EQ(0, test_set_param("max_pin_ms", 20));
	ASSERT_EQ(0, _test_pin_cmd(self->fd, &cmd));
	EXPECT_EQ(20, cmd.out_ms);
	ASSERT_EQ(0, test_set_param("max_pin_ms", 0));
	EXPECT_EQ(-EDQUOT, _test_pin_cmd(self->fd, &cmd));
	EXPECT_EQ(KREG_LIMIT_PIN_MS, cmd.out_limit);
}

TEST_F(pin, closed)
{
	int other = test_client();

	ASSERT_LE(0, other);
	test_pin(other, self->table, 0, &self->pin);
	change_all(_metadata, self->fd, self->table, false);
	EXPECT_EQ(KEYS * 2 / 3, test_kept(self->fd, self->table));
	close(other);
	EXPECT_EQ(0, test_pins(self->fd, self->table));
	EXPECT_TRUE(test_wait_for(!test_kept(self->fd, self->table)));
}

TEST_F(pin, destroyed)
{
	test_pin(self->fd, self->table, 0, &self->pin);
	change_all(_metadata, self->fd, self->table, true);
	ASSERT_EQ(0, _test_destroy(self->fd, self->table));
	EXPECT_EQ(-ESTALE, test_pinned_count(self->fd, self->table, self->pin));
	EXPECT_EQ(-ENOENT, _test_cancel(self->fd, self->pin, 0));
}

TEST_F(pin, errors)
{
	struct kreg_ioc_pin cmd = { .table = self->table, .flags = 1 };
	__u64 other, watch;
	int second = test_client();

	EXPECT_EQ(-EOPNOTSUPP, _test_pin_cmd(self->fd, &cmd));
	cmd.flags = 0;
	cmd.reserved = 1;
	EXPECT_EQ(-EOPNOTSUPP, _test_pin_cmd(self->fd, &cmd));
	test_err_pin(EINVAL, self->fd, ~0ULL >> 1, 0, &self->pin);
	test_pin(self->fd, self->table, 0, &self->pin);
	test_create(self->fd, NULL, 0, &other);
	EXPECT_EQ(-EINVAL, test_pinned_count(self->fd, other, self->pin));
	EXPECT_EQ(-EINVAL, test_pinned_count(self->fd, self->table, self->pin + (1 << 24)));
	/* That of another client this one has never had. */
	EXPECT_EQ(-EINVAL, test_pinned_count(second, self->table, self->pin));
	test_watch(self->fd, test_self(self->fd), &watch);
	EXPECT_EQ(-EINVAL, test_pinned_count(self->fd, self->table, watch));
	test_destroy(self->fd, other);
	test_err_pin(ESTALE, self->fd, other, 0, &self->pin);
	close(second);
}

static long job_pin(struct job *job)
{
	return _test_pin(job->fd, job->table, 0, &job->arg);
}

/* Since when there is a pin, and whose it is: of the oldest. */
TEST_F(pin, told)
{
	__u64 before = test_now_ns(), after;
	struct kid *kid = kid_start(_metadata);
	struct kreg_process his = kid->self;
	struct kreg_info info;

	test_info(self->fd, self->table, &info);
	EXPECT_EQ(0, info.pinned_since_ns);
	EXPECT_TRUE(test_none(info.pinner));
	test_pin(self->fd, self->table, 0, &self->pin);
	after = test_now_ns();
	kid->job->table = self->table;
	ASSERT_EQ(0, kid_do(kid, job_pin));
	test_info(self->fd, self->table, &info);
	EXPECT_EQ(2, info.pins);
	EXPECT_LE(before, info.pinned_since_ns);
	EXPECT_GE(after, info.pinned_since_ns);
	EXPECT_TRUE(test_same(test_self(self->fd), info.pinner));
	ASSERT_EQ(0, _test_cancel(self->fd, self->pin, 0));
	test_info(self->fd, self->table, &info);
	EXPECT_LE(after, info.pinned_since_ns);
	EXPECT_TRUE(test_same(his, info.pinner));
	EXPECT_EQ(SIGKILL, kid_kill(kid));
	test_info(self->fd, self->table, &info);
	EXPECT_EQ(0, info.pinned_since_ns);
	EXPECT_TRUE(test_none(info.pinner));
}

/* What was bound to a process that is dead is hidden. */
TEST_F(pin, bound)
{
	struct kid *kid = kid_start(_metadata);

	ASSERT_EQ(0, kid_bind(kid, self->table, "bound", "v"));
	test_pin(self->fd, self->table, 0, &self->pin);
	EXPECT_EQ(KEYS + 1, test_pinned_count(self->fd, self->table, self->pin));
	kid_kill(kid);
	EXPECT_EQ(KEYS, test_pinned_count(self->fd, self->table, self->pin));
	EXPECT_TRUE(test_wait_for(test_objects(self->fd, self->table) == KEYS));
	EXPECT_EQ(KEYS, test_pinned_count(self->fd, self->table, self->pin));
	EXPECT_EQ(1, test_kept(self->fd, self->table));
}

TEST_HARNESS_MAIN
