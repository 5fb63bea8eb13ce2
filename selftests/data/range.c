// SPDX-License-Identifier: GPL-2.0
/*
 * Ranges of keys, and counts: what is refused, and what is found, on tables of each type.
 */
#include "data/range.h"
#include "kit/bound.h"
#include "kit/lease.h"

#define MANY	5000

FIXTURE(range) {
	struct test_base base;
	int fd;
	__u64 table;
};

FIXTURE_VARIANT(range) {
	__u32 type;
};

FIXTURE_VARIANT_ADD(range, set) {
	.type = KREG_TYPE_SET,
};

FIXTURE_VARIANT_ADD(range, ordered_set) {
	.type = KREG_TYPE_ORDERED_SET,
};

FIXTURE_SETUP(range)
{
	int fd = test_client();
	bool ordered = test_feature(fd, KREG_FEATURE_ORDERED);

	close(fd);
	if (variant->type == KREG_TYPE_ORDERED_SET && !ordered)
		SKIP(return, "this kernel has no ordered tables");
	self->fd = test_setup(_metadata, &self->base);
	ASSERT_EQ(0, _test_create_type(self->fd, "range", variant->type, KREG_ACCESS_PUBLIC,
				       &self->table));
}

FIXTURE_TEARDOWN_PARENT(range)
{
	test_teardown(_metadata, &self->base);
}

static void put_keys(struct __test_metadata *_metadata, int fd, __u64 table,
		     const struct keys *k)
{
	__u32 i;

	for (i = 0; i < k->count; i++)
		test_put(fd, table, k->key[i].bytes, k->key[i].len, "value", 5);
}

static void add_key(struct keys *k, struct key key)
{
	k->key[k->count++] = key;
}

/* Some that begin with each other, that end in the highest byte, and that hold NUL. */
static struct keys *some_keys(void)
{
	struct keys *k = calloc(1, sizeof(*k));

	add_key(k, KEY("\0"));
	add_key(k, KEY("\0\0"));
	add_key(k, KEY("a"));
	add_key(k, KEY("a\0"));
	add_key(k, KEY("a\0b"));
	add_key(k, KEY("ab"));
	add_key(k, KEY("abc"));
	add_key(k, KEY("abd"));
	add_key(k, KEY("ac"));
	add_key(k, KEY("b"));
	add_key(k, KEY("b\xff"));
	add_key(k, KEY("b\xff\xff"));
	add_key(k, KEY("c"));
	add_key(k, KEY("\xff"));
	add_key(k, KEY("\xff\xff"));
	keys_sort(k);
	return k;
}

/* The answer is the expected one, in the order of keys if the table has that. */
static void expect_query(struct __test_metadata *_metadata, int fd, __u64 table, __u32 type,
			 const struct query *q, const struct keys *all, const char *what)
{
	struct keys *found = malloc(sizeof(*found)), *expected = malloc(sizeof(*expected));
	struct query one = *q;
	__u32 more;

	query_expect(q, all, expected);
	EXPECT_EQ(0, query_run(fd, table, q, found));
	if (type == KREG_TYPE_SET)
		keys_sort(found);
	EXPECT_TRUE(keys_same(found, expected)) {
		TH_LOG("%s: %u instead of %u", what, found->count, expected->count);
	}
	EXPECT_EQ(expected->count, query_count(fd, table, q, &more));
	EXPECT_EQ(0, more);
	/* One by one. */
	one.max = 1;
	one.flags |= KREG_SCAN_KEYS;
	EXPECT_EQ(0, query_run(fd, table, &one, found));
	if (type == KREG_TYPE_SET)
		keys_sort(found);
	EXPECT_TRUE(keys_same(found, expected)) {
		TH_LOG("%s, one by one: %u instead of %u", what, found->count, expected->count);
	}
	if (expected->count > 1) {
		EXPECT_EQ(1, query_count(fd, table, &one, &more));
		EXPECT_EQ(1, more);
	}
	free(found);
	free(expected);
}

/* What contradicts itself, alone and before what would be found wrong later. */
static const struct wrong {
	int err;
	__u32 scan;
	__u32 range;
	__u32 low_len;
	__u32 high_len;
	const char *why;
} wrongs[] = {
	{ EOPNOTSUPP, 0, KREG_RANGE_ALL + 1, 1, 1, "a flag of the range" },
	{ EOPNOTSUPP, 0, 1U << 31, 1, 1, "the last flag of the range" },
	{ EOPNOTSUPP, KREG_SCAN_ALL + 1, 0, 1, 1, "a flag of the scan" },
	{ EOPNOTSUPP, 0, KREG_RANGE_ALL + 1, 0, KREG_MAX_KEY + 1, "a flag, and more" },
	{ EINVAL, 0, KREG_RANGE_EXACT, 0, 0, "EXACT of nothing" },
	{ EINVAL, 0, KREG_RANGE_PREFIX, 0, 0, "PREFIX of nothing" },
	{ EINVAL, 0, KREG_RANGE_LOW_OPEN, 0, 0, "LOW_OPEN without low" },
	{ EINVAL, 0, KREG_RANGE_LOW_OPEN, 0, 1, "LOW_OPEN with high alone" },
	{ EINVAL, 0, KREG_RANGE_HIGH_OPEN, 0, 0, "HIGH_OPEN without high" },
	{ EINVAL, 0, KREG_RANGE_HIGH_OPEN, 1, 0, "HIGH_OPEN with low alone" },
	{ EINVAL, 0, KREG_RANGE_EXACT | KREG_RANGE_PREFIX, 1, 0, "EXACT and PREFIX" },
	{ EINVAL, 0, KREG_RANGE_EXACT | KREG_RANGE_LOW_OPEN, 1, 0, "EXACT and LOW_OPEN" },
	{ EINVAL, 0, KREG_RANGE_EXACT | KREG_RANGE_HIGH_OPEN, 1, 1, "EXACT and HIGH_OPEN" },
	{ EINVAL, 0, KREG_RANGE_EXACT, 1, 1, "EXACT and high" },
	{ EINVAL, 0, KREG_RANGE_PREFIX | KREG_RANGE_LOW_OPEN, 1, 0, "PREFIX and LOW_OPEN" },
	{ EINVAL, 0, KREG_RANGE_PREFIX | KREG_RANGE_HIGH_OPEN, 1, 1, "PREFIX and HIGH_OPEN" },
	{ EINVAL, 0, KREG_RANGE_PREFIX, 1, 1, "PREFIX and high" },
	{ EINVAL, 0, KREG_RANGE_EXACT, KREG_MAX_KEY + 1, 1, "EXACT and high, and too long" },
	{ EINVAL, KREG_SCAN_COUNT | KREG_SCAN_KEYS, 0, 0, 0, "COUNT and KEYS" },
	{ EINVAL, KREG_SCAN_COUNT | KREG_SCAN_PROCESSES, 0, 0, 0, "COUNT and PROCESSES" },
	{ EINVAL, KREG_SCAN_COUNT | KREG_SCAN_OF, 0, 0, 0, "COUNT and OF of nobody" },
	{ ENAMETOOLONG, 0, 0, KREG_MAX_KEY + 1, 0, "low" },
	{ ENAMETOOLONG, 0, 0, 0, KREG_MAX_KEY + 1, "high" },
	{ ENAMETOOLONG, 0, 0, ~0U, 1, "low is endless" },
	{ ENAMETOOLONG, 0, KREG_RANGE_PREFIX, ~0U, 0, "the prefix" },
	{ ENAMETOOLONG, 0, KREG_RANGE_EXACT, 1 << 31, 0, "the key" },
};

TEST_F(range, refused)
{
	static const __u8 key[KREG_MAX_KEY + 1] = "k";
	const struct wrong *w;
	__u64 room[64];

	for (w = wrongs; w < wrongs + ARRAY_SIZE(wrongs); w++) {
		struct kreg_ioc_scan cmd = {
			.flags = w->scan,
			.table = self->table,
			.range.low = w->low_len ? test_ptr(key) : 0,
			.range.low_len = w->low_len,
			.range.high = w->high_len ? test_ptr(key) : 0,
			.range.high_len = w->high_len,
			.range.flags = w->range,
		};

		if (!(w->scan & KREG_SCAN_COUNT)) {
			cmd.buf = test_ptr(room);
			cmd.buf_len = sizeof(room);
		}
		EXPECT_EQ(-w->err, _test_scan(self->fd, &cmd)) {
			TH_LOG("%s", w->why);
		}
		/* Whatever the table. */
		cmd.table = ~0ULL;
		EXPECT_EQ(-w->err, _test_scan(self->fd, &cmd)) {
			TH_LOG("%s, without a table", w->why);
		}
	}
}

/* Members that are too much, or lead nowhere. */
TEST_F(range, members)
{
	struct query q = { .low = KEY("k"), .high = KEY("m") };
	struct kreg_ioc_scan cmd;
	__u64 room[64];

	cmd = query_cmd(&q, self->table);
	cmd.range.low_len = 0;
	test_err_scan(EINVAL, self->fd, &cmd);
	cmd = query_cmd(&q, self->table);
	cmd.range.high_len = 0;
	test_err_scan(EINVAL, self->fd, &cmd);
	cmd = query_cmd(&q, self->table);
	cmd.range.low = 8;
	test_err_scan(EFAULT, self->fd, &cmd);
	cmd = query_cmd(&q, self->table);
	cmd.range.high = 0;
	test_err_scan(EFAULT, self->fd, &cmd);
	cmd = query_cmd(&q, self->table);
	cmd.range.after = ~7ULL;
	cmd.range.after_len = 1;
	test_err_scan(EFAULT, self->fd, &cmd);

	cmd = query_cmd(&q, self->table);
	cmd.flags = KREG_SCAN_COUNT;
	test_scan(self->fd, &cmd);
	cmd.buf = test_ptr(room);
	test_err_scan(EINVAL, self->fd, &cmd);
	cmd.buf = 0;
	cmd.buf_len = 8;
	test_err_scan(EINVAL, self->fd, &cmd);

	/* EXACT goes on after its key, where nothing is, and after no other. */
	test_puts(self->fd, self->table, "k", "v");
	q = (struct query) { .range = KREG_RANGE_EXACT, .low = KEY("k"), .after = KEY("k") };
	cmd = query_cmd(&q, self->table);
	cmd.buf = test_ptr(room);
	cmd.buf_len = sizeof(room);
	test_scan(self->fd, &cmd);
	EXPECT_EQ(0, cmd.out_count);
	EXPECT_EQ(0, cmd.out_more);
	q.after = KEY("kk");
	cmd.range.after = test_ptr(q.after.bytes);
	cmd.range.after_len = 2;
	test_err_scan(EINVAL, self->fd, &cmd);
}

/* The type is looked at last: of a table that is there, to who may read it. */
TEST_F(range, backwards)
{
	struct kreg_ioc_scan cmd = { .table = self->table, .flags = KREG_SCAN_REVERSE };
	int err = variant->type == KREG_TYPE_SET ? -EOPNOTSUPP : 0;
	struct kid *kid = kid_start(_metadata);

	EXPECT_EQ(err, _test_scan(self->fd, &cmd));
	cmd.flags |= KREG_SCAN_COUNT;
	EXPECT_EQ(err, _test_scan(self->fd, &cmd));
	ASSERT_EQ(0, kid_create(kid, "private", KREG_ACCESS_PRIVATE, &cmd.table));
	test_err_scan(EACCES, self->fd, &cmd);
	cmd.table = self->table;
	test_destroy(self->fd, self->table);
	test_err_scan(ESTALE, self->fd, &cmd);
}

/* All ranges between any two of the keys, and some that are not there. */
TEST_F(range, between)
{
	static const __u32 flags[] = {
		0, KREG_RANGE_LOW_OPEN, KREG_RANGE_HIGH_OPEN,
		KREG_RANGE_LOW_OPEN | KREG_RANGE_HIGH_OPEN,
	};
	struct keys *all = some_keys(), *ends = some_keys();
	struct query q = {};
	__u32 i, j, f;

	put_keys(_metadata, self->fd, self->table, all);
	add_key(ends, KEY(""));
	add_key(ends, KEY("aa"));
	add_key(ends, KEY("abcd"));
	add_key(ends, KEY("\xff\xff\xff"));
	for (i = 0; i < ends->count; i++) {
		for (j = 0; j < ends->count; j++) {
			f = (i + j) % ARRAY_SIZE(flags);
			q.low = ends->key[i];
			q.high = ends->key[j];
			q.range = flags[f];
			if (!q.low.len)
				q.range &= ~KREG_RANGE_LOW_OPEN;
			if (!q.high.len)
				q.range &= ~KREG_RANGE_HIGH_OPEN;
			expect_query(_metadata, self->fd, self->table, variant->type, &q, all,
				     "between");
		}
	}
}

TEST_F(range, prefix_and_exact)
{
	struct keys *all = some_keys(), *ends = some_keys();
	struct query q = {};
	__u32 i;

	put_keys(_metadata, self->fd, self->table, all);
	add_key(ends, KEY("aa"));
	add_key(ends, KEY("abcd"));
	add_key(ends, KEY("ab\xff"));
	add_key(ends, KEY("\xff\xff\xff"));
	for (i = 0; i < ends->count; i++) {
		q.low = ends->key[i];
		q.range = KREG_RANGE_PREFIX;
		expect_query(_metadata, self->fd, self->table, variant->type, &q, all, "prefix");
		q.range = KREG_RANGE_EXACT;
		expect_query(_metadata, self->fd, self->table, variant->type, &q, all, "exact");
	}
}

/* Few among many, which take several sections to be passed over; and all counted. */
TEST_F(range, few_of_many)
{
	__u32 more, i, most = test_size(MANY) + 1100;
	struct keys *found = malloc(sizeof(*found));
	struct query q = { .range = KREG_RANGE_PREFIX, .low = KEY("few"), .room = 64 };
	char key[16];

	for (i = 0; i < most; i++) {
		snprintf(key, sizeof(key), "many%u", i);
		test_puts(self->fd, self->table, key, "v");
	}
	EXPECT_EQ(0, query_run(self->fd, self->table, &q, found));
	EXPECT_EQ(0, found->count);
	for (i = 0; i < 7; i++) {
		snprintf(key, sizeof(key), "few%u", i);
		test_puts(self->fd, self->table, key, "v");
	}
	EXPECT_EQ(0, query_run(self->fd, self->table, &q, found));
	EXPECT_EQ(7, found->count);
	EXPECT_EQ(7, query_count(self->fd, self->table, &q, &more));
	memset(&q, 0, sizeof(q));
	EXPECT_EQ(most + 7, query_count(self->fd, self->table, &q, &more));
	EXPECT_EQ(0, more);
	q.max = 1025;
	EXPECT_EQ(1025, query_count(self->fd, self->table, &q, &more));
	EXPECT_EQ(1, more);
	q.max = most + 7;
	EXPECT_EQ(most + 7, query_count(self->fd, self->table, &q, &more));
	EXPECT_EQ(0, more);
	free(found);
}

/* What is hidden, or another's, is in no range and not counted. */
TEST_F(range, hidden)
{
	struct kid *kid = kid_start(_metadata);
	struct kreg_process his = kid->self;
	struct kreg_ioc_scan cmd = {
		.table = self->table, .flags = KREG_SCAN_COUNT | KREG_SCAN_OF, .process = his,
	};
	struct keys *found = malloc(sizeof(*found));
	struct query q = { .range = KREG_RANGE_PREFIX, .low = KEY("k") };
	__u32 more;

	ASSERT_EQ(1200, kid_bind_many(kid, self->table, "k", 1200, 0));
	test_puts(self->fd, self->table, "k-mine", "v");
	test_puts(self->fd, self->table, "lent", "v");
	EXPECT_EQ(1201, query_count(self->fd, self->table, &q, &more));
	test_scan(self->fd, &cmd);
	EXPECT_EQ(1200, cmd.out_count);
	ASSERT_EQ(1, kid_lease(kid, self->table, "lent"));
	q.low = KEY("lent");
	q.range = KREG_RANGE_EXACT;
	EXPECT_EQ(0, query_count(self->fd, self->table, &q, &more));
	EXPECT_EQ(0, query_run(self->fd, self->table, &q, found));
	EXPECT_EQ(0, found->count);
	kid_kill(kid);
	EXPECT_EQ(1, query_count(self->fd, self->table, &q, &more));
	EXPECT_EQ(0, query_run(self->fd, self->table, &q, found));
	EXPECT_EQ(1, found->count);
	q.low = KEY("k");
	q.range = KREG_RANGE_PREFIX;
	EXPECT_EQ(1, query_count(self->fd, self->table, &q, &more));
	test_scan(self->fd, &cmd);
	EXPECT_EQ(0, cmd.out_count);
	free(found);
}

/* Values that lie in memory of their own, and to whom objects are bound. */
TEST_F(range, content)
{
	static __u64 buf[8000], big[3000];
	struct query q = { .low = KEY("b"), .high = KEY("d"), .range = KREG_RANGE_HIGH_OPEN };
	struct kreg_process me = test_self(self->fd);
	struct kreg_object *o = (void *)buf;
	struct kreg_ioc_scan cmd;
	__u32 n;

	memset(big, 'b', sizeof(big));
	test_put(self->fd, self->table, "big", 3, big, sizeof(big));
	test_put(self->fd, self->table, "d", 1, big, sizeof(big));
	test_bind(self->fd, self->table, "c", "mine");
	cmd = query_cmd(&q, self->table);
	cmd.flags = KREG_SCAN_PROCESSES;
	cmd.buf = test_ptr(buf);
	cmd.buf_len = 8;
	test_err_scan(EMSGSIZE, self->fd, &cmd);
	EXPECT_LT(8, cmd.out_len);
	cmd.buf_len = sizeof(buf);
	test_scan(self->fd, &cmd);
	ASSERT_EQ(2, cmd.out_count);
	for (n = 0; n < 2; n++, o = (void *)o + o->size) {
		const void *whose = (char *)o + o->size - sizeof(me);

		if (o->key_len == 3) {
			EXPECT_EQ(0, memcmp((char *)(o + 1) + 3, big, sizeof(big)));
		} else {
			EXPECT_EQ(0, memcmp(o + 1, "cmine", 5));
			EXPECT_EQ(0, memcmp(whose, &me, sizeof(me)));
		}
	}
	q = (struct query) { .low = KEY("big"), .range = KREG_RANGE_EXACT };
	cmd = query_cmd(&q, self->table);
	cmd.buf = test_ptr(buf);
	cmd.buf_len = sizeof(buf);
	memset(buf, 0, sizeof(buf));
	test_scan(self->fd, &cmd);
	ASSERT_EQ(1, cmd.out_count);
	EXPECT_EQ(0, cmd.out_more);
	o = (void *)buf;
	EXPECT_EQ(0, memcmp((char *)(o + 1) + 3, big, sizeof(big)));
}

TEST_HARNESS_MAIN
