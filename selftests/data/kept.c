// SPDX-License-Identifier: GPL-2.0
/*
 * Objects that were deleted and are kept for a pin: whoever scans passes over any number of them,
 * and finds what is there.
 */
#include "kit/fixture.h"
#include "kit/bag.h"
#include "kit/pin.h"

#define OBJECTS		20000
#define RARE		6000		/* every so many one stays */
#define BATCH		100
#define VERSIONS	8

FIXTURE(kept) {
	struct test_base base;
	int fd;
	__u64 table;
	__u64 pin;
	bool one_key;
	struct kreg_op ops[BATCH];
	char keys[BATCH][12];
};

FIXTURE_VARIANT(kept) {
	__u32 type;
	bool one_key;			/* all objects have it */
};

FIXTURE_VARIANT_ADD(kept, set) {
	.type = KREG_TYPE_SET,
};

FIXTURE_VARIANT_ADD(kept, ordered) {
	.type = KREG_TYPE_ORDERED_SET,
};

FIXTURE_VARIANT_ADD(kept, bag) {
	.type = KREG_TYPE_BAG,
};

FIXTURE_VARIANT_ADD(kept, run) {
	.type = KREG_TYPE_DUPLICATE_BAG,
	.one_key = true,
};

#define kept_data	FIXTURE_DATA(kept)

static struct kreg_op op_on(kept_data *self, unsigned int i, __u16 code, __u32 n)
{
	snprintf(self->keys[i], sizeof(self->keys[i]), "k%06u", self->one_key ? 0 : n);
	return test_ops(code, self->keys[i]);
}

/* Objects are numbered: so is the value of each, and most often the key. */
static void put_all(struct __test_metadata *_metadata, kept_data *self)
{
	__u32 n, values[BATCH];
	unsigned int i;

	for (n = 0; n < OBJECTS; n += BATCH) {
		for (i = 0; i < BATCH; i++) {
			values[i] = n + i;
			self->ops[i] = op_on(self, i, KREG_OP_PUT, n + i);
			self->ops[i].value = test_ptr(&values[i]);
			self->ops[i].value_len = sizeof(values[i]);
		}
		ASSERT_EQ(0, _test_batch(self->fd, self->table, 0, self->ops, BATCH, NULL));
	}
}

static bool stays(__u32 n)
{
	return n % RARE == 17;
}

#define STAY	(OBJECTS / RARE + 1)

/* In a run by version and number, of which there is one version for each batch. */
static void delete_most(struct __test_metadata *_metadata, kept_data *self, const __u64 *versions)
{
	unsigned int i, count;
	__u32 n;

	for (n = 0; n < OBJECTS; n += BATCH) {
		for (i = 0, count = 0; i < BATCH; i++) {
			if (stays(n + i))
				continue;
			self->ops[count] = op_on(self, i, KREG_OP_DELETE, n + i);
			if (self->one_key) {
				self->ops[count].flags = KREG_OP_VERSION;
				self->ops[count].arg = versions[n / BATCH];
				self->ops[count].offset = i;
			}
			count++;
		}
		ASSERT_EQ(0, _test_batch(self->fd, self->table, 0, self->ops, count, NULL));
	}
}

FIXTURE_SETUP(kept)
{
	self->fd = test_setup(_metadata, &self->base);
	self->one_key = variant->one_key;
	ASSERT_EQ(0, _test_create_type(self->fd, "kept", variant->type, KREG_ACCESS_PUBLIC,
				       &self->table));
	put_all(_metadata, self);
	test_pin(self->fd, self->table, 0, &self->pin);
}

FIXTURE_TEARDOWN_PARENT(kept)
{
	test_teardown(_metadata, &self->base);
}

/* What a scan has found, to be gone through. */
struct found {
	__u32 count;
	__u32 numbers[OBJECTS];
	__u64 versions[OBJECTS / BATCH];	/* of each batch */
};

static __u32 number_of(const struct kreg_object *o)
{
	__u32 n;

	memcpy(&n, (const char *)(o + 1) + o->key_len, sizeof(n));
	return n;
}

/* All objects, by @pin or, if that is 0, those that are there. */
static int scan_all(kept_data *self, __u64 pin, __u32 flags, __u32 range, struct found *f)
{
	struct kreg_ioc_scan cmd = test_pinned_cmd(self->table, pin);
	char after[12];
	__u32 i;
	int err;

	f->count = 0;
	cmd.flags = flags;
	cmd.range.flags = range;
	if (range) {
		cmd.range.low = test_ptr("k");
		cmd.range.low_len = 1;
	}
	do {
		const struct kreg_object *o = (void *)(unsigned long)cmd.buf;

		err = _test_scan(self->fd, &cmd);
		if (err)
			return err;
		for (i = 0; i < cmd.out_count; i++) {
			__u32 n = number_of(o);

			if (n >= OBJECTS || f->count == OBJECTS)
				return -ERANGE;
			f->numbers[f->count++] = n;
			f->versions[n / BATCH] = o->version;
			memcpy(after, o + 1, o->key_len);
			cmd.range.after = test_ptr(after);
			cmd.range.after_len = o->key_len;
			cmd.range.after_version = o->version;
			cmd.range.after_sub = o->sub;
			o = (void *)((const char *)o + o->size);
		}
	} while (cmd.out_more);
	return 0;
}

static int by_number(const void *a, const void *b)
{
	__u32 x = *(const __u32 *)a, y = *(const __u32 *)b;

	return x < y ? -1 : x > y;
}

/* In a set they come in any order. */
static bool has_rare(struct found *f, __u32 type, bool reverse)
{
	__u32 i;

	if (type == KREG_TYPE_SET)
		qsort(f->numbers, f->count, sizeof(f->numbers[0]), by_number);
	for (i = 0; i < f->count; i++)
		if (f->numbers[i] != 17 + RARE * (reverse ? STAY - 1 - i : i))
			return false;
	return f->count == STAY;
}

static struct found found;

static void expect_rare(struct __test_metadata *_metadata, kept_data *self, __u32 type,
			__u32 flags, __u32 range)
{
	EXPECT_EQ(0, scan_all(self, 0, flags, range, &found));
	EXPECT_TRUE(has_rare(&found, type, flags & KREG_SCAN_REVERSE));
}

#define EXPECT_RARE(...)	expect_rare(_metadata, self, variant->type, __VA_ARGS__)

TEST_F(kept, scans)
{
	struct kreg_ioc_scan count = { .table = self->table, .flags = KREG_SCAN_COUNT };

	ASSERT_EQ(0, scan_all(self, self->pin, 0, 0, &found));
	ASSERT_EQ(OBJECTS, found.count);
	delete_most(_metadata, self, found.versions);
	EXPECT_RARE(0, 0);
	EXPECT_RARE(KREG_SCAN_PROCESSES, 0);
	EXPECT_EQ(0, _test_scan(self->fd, &count));
	EXPECT_EQ(STAY, count.out_count);
	if (variant->type != KREG_TYPE_SET) {
		EXPECT_RARE(KREG_SCAN_REVERSE, 0);
		EXPECT_RARE(0, KREG_RANGE_PREFIX);
		EXPECT_RARE(KREG_SCAN_REVERSE, KREG_RANGE_PREFIX);
	}
	EXPECT_EQ(0, scan_all(self, self->pin, 0, 0, &found));
	EXPECT_EQ(OBJECTS, found.count);
	EXPECT_EQ(STAY, test_objects(self->fd, self->table));
}

/* What was put behind the pin is passed over by who reads by it. */
TEST_F(kept, younger)
{
	__u64 last;
	__u32 i;

	ASSERT_EQ(0, _test_clear(self->fd, self->table));
	test_pin(self->fd, self->table, 0, &last);
	put_all(_metadata, self);
	for (i = 0; i < 2; i++) {
		__u32 flags = i ? KREG_SCAN_REVERSE : 0;

		if (flags && variant->type == KREG_TYPE_SET)
			break;
		EXPECT_EQ(0, scan_all(self, last, flags, 0, &found));
		EXPECT_EQ(0, found.count);
		EXPECT_EQ(0, scan_all(self, self->pin, flags, 0, &found));
		EXPECT_EQ(OBJECTS, found.count);
	}
}

/* Of each key there are several that other readers see, and each reader finds his. */
TEST_F(kept, replaced)
{
	__u64 pins[VERSIONS] = { self->pin };
	__u32 i;

	for (i = 1; i < VERSIONS; i++) {
		/* There nothing is replaced. */
		if (variant->type >= KREG_TYPE_BAG)
			ASSERT_EQ(0, _test_clear(self->fd, self->table));
		put_all(_metadata, self);
		test_pin(self->fd, self->table, 0, &pins[i]);
	}
	for (i = 0; i < VERSIONS; i++) {
		EXPECT_EQ(0, scan_all(self, pins[i], 0, 0, &found));
		EXPECT_EQ(OBJECTS, found.count);
		if (variant->type == KREG_TYPE_SET)
			continue;
		EXPECT_EQ(0, scan_all(self, pins[i], KREG_SCAN_REVERSE, 0, &found));
		EXPECT_EQ(OBJECTS, found.count);
	}
}

/* All of one key: they are there, and are taken. */
static void take_run_of(struct __test_metadata *_metadata, kept_data *self)
{
	static struct test_run run;

	EXPECT_EQ(STAY, test_number_of(self->fd, self->table, "k000000"));
	EXPECT_EQ(STAY, test_run(self->fd, self->table, "k000000", &run));
	EXPECT_EQ(0, _test_run_code(self->fd, self->table, KREG_OP_TAKE, "k000000", &run));
	EXPECT_EQ(STAY, run.op.out_count);
	EXPECT_EQ(0, test_objects(self->fd, self->table));
}

/* The first is gone, and so the second is lent. */
static void lend_second(struct __test_metadata *_metadata, kept_data *self)
{
	char key[12] = "";
	__u32 number = 0;
	struct kreg_ioc_lease lease = {
		.size = sizeof(lease),
		.table = self->table,
		.flags = KREG_LEASE_FIRST,
		.key = test_ptr(key),
		.key_len = sizeof(key),
		.value = test_ptr(&number),
		.value_len = sizeof(number),
	};

	EXPECT_EQ(1, test_removes(self->fd, self->table, "k000017", 0, 0, 0));
	EXPECT_EQ(0, test_ioctl(self->fd, KREG_IOC_LEASE, &lease));
	EXPECT_STREQ("k006017", key);
	EXPECT_EQ(17 + RARE, number);
}

TEST_F(kept, keys)
{
	ASSERT_EQ(0, scan_all(self, self->pin, 0, 0, &found));
	delete_most(_metadata, self, found.versions);
	EXPECT_EQ(-ENODATA, test_number_of(self->fd, self->table, "k000018"));
	EXPECT_EQ(self->one_key ? -ENODATA : 1,
		  test_number_of(self->fd, self->table, "k006017"));
	if (self->one_key)
		take_run_of(_metadata, self);
	if (variant->type == KREG_TYPE_ORDERED_SET)
		lend_second(_metadata, self);
}

TEST_F(kept, deletes)
{
	struct kreg_ioc_change change = {
		.size = sizeof(change), .table = self->table, .code = KREG_OP_DELETE,
	};

	ASSERT_EQ(0, scan_all(self, self->pin, 0, 0, &found));
	delete_most(_metadata, self, found.versions);
	EXPECT_EQ(0, test_ioctl(self->fd, KREG_IOC_CHANGE, &change));
	EXPECT_EQ(0, change.out_more);
	EXPECT_EQ(STAY, change.out_count);
	EXPECT_EQ(0, test_objects(self->fd, self->table));
	EXPECT_EQ(0, scan_all(self, 0, 0, 0, &found));
	EXPECT_EQ(0, found.count);
}

TEST_HARNESS_MAIN
