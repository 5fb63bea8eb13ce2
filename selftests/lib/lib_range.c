// SPDX-License-Identifier: GPL-2.0
/* libkreg: ranges, counts, both directions, and keys one by one. */
#include "lib/lib.h"

FIXTURE(range)
{
	struct kreg_client *client;
	struct kreg_table *table;
	bool ordered;
};

FIXTURE_VARIANT(range)
{
	enum kreg_type type;
};

FIXTURE_VARIANT_ADD(range, set) { .type = KREG_TYPE_SET };
FIXTURE_VARIANT_ADD(range, ordered_set) { .type = KREG_TYPE_ORDERED_SET };
FIXTURE_VARIANT_ADD(range, bag) { .type = KREG_TYPE_BAG };
FIXTURE_VARIANT_ADD(range, duplicate_bag) { .type = KREG_TYPE_DUPLICATE_BAG };

FIXTURE_SETUP(range)
{
	struct kreg_open_options options = KREG_OPEN_OPTIONS_INIT;
	struct kreg_limits limits = KREG_LIMITS_INIT;

	ASSERT_EQ(0, kreg_client_open(NULL, &self->client));
	ASSERT_EQ(0, kreg_client_limits(self->client, &limits));
	self->ordered = variant->type != KREG_TYPE_SET;
	options.flags = KREG_OPEN_CREATE;
	options.type = variant->type;
	if (self->ordered && !(limits.features & KREG_FEATURE_ORDERED)) {
		EXPECT_EQ(-EOPNOTSUPP,
			  kreg_table_open(self->client, "range", &options, &self->table));
		EXPECT_STREQ("the loaded module has no tables of this type", kreg_errmsg());
		kreg_client_close(self->client);
		if (_metadata->exit_code == KSFT_PASS)
			SKIP(return, "this kernel has no ordered tables");
		return;
	}
	ASSERT_EQ(0, kreg_table_open(self->client, "range", &options, &self->table));
	EXPECT_EQ(variant->type, kreg_table_type(self->table));
}

FIXTURE_TEARDOWN(range)
{
	kreg_table_destroy(self->table);
	kreg_table_close(self->table);
	kreg_client_close(self->client);
}

static void put_all(struct __test_metadata *_metadata, struct kreg_table *table,
		    const char *letters)
{
	for (; *letters; letters++)
		ASSERT_EQ(0, kreg_put(table, letters, 1, letters, 1));
}

static int compare_letters(const void *a, const void *b)
{
	return *(const char *)a - *(const char *)b;
}

/* The keys, which are letters, that a scan finds, in their order if the table has none. */
static const char *scan_all(struct __test_metadata *_metadata, struct kreg_table *table,
			    const struct kreg_scan_options *options)
{
	const struct kreg_object *object;
	static char found[64];
	struct kreg_scan *scan;
	size_t len;
	int n, ret;

	ASSERT_EQ(0, kreg_scan_open(table, options, &scan)) {
		TH_LOG("%s", kreg_errmsg());
	}
	for (n = 0; (ret = kreg_scan_next(scan, &object)) == 1 && n < 60; n++) {
		found[n] = *(const char *)kreg_object_key(object, &len);
		EXPECT_EQ(1, len);
	}
	EXPECT_EQ(0, ret);
	EXPECT_EQ(0, kreg_scan_next(scan, &object));
	found[n] = '\0';
	if (kreg_table_type(table) == KREG_TYPE_SET)
		qsort(found, n, 1, compare_letters);
	kreg_scan_close(scan);
	return found;
}

static const struct {
	const char *low, *high;
	unsigned int range;
	const char *expected;
} ranges[] = {
	{ NULL, NULL, 0, "abcdefghij" },
	{ "c", NULL, 0, "cdefghij" },
	{ "c", NULL, KREG_RANGE_LOW_OPEN, "defghij" },
	{ NULL, "c", 0, "abc" },
	{ NULL, "c", KREG_RANGE_HIGH_OPEN, "ab" },
	{ "c", "f", 0, "cdef" },
	{ "c", "f", KREG_RANGE_LOW_OPEN | KREG_RANGE_HIGH_OPEN, "de" },
	{ "f", "c", 0, "" },
	{ "ca", "cz", 0, "" },
	{ "ca", "d", 0, "d" },
	{ "c", NULL, KREG_RANGE_PREFIX, "c" },
	{ "cc", NULL, KREG_RANGE_PREFIX, "" },
	{ "c", NULL, KREG_RANGE_EXACT, "c" },
	{ "x", NULL, KREG_RANGE_EXACT, "" },
	/* A prefix without bytes is that of all keys, and nothing is below such a key. */
	{ "", NULL, KREG_RANGE_PREFIX, "abcdefghij" },
	{ "", NULL, KREG_RANGE_LOW_OPEN, "abcdefghij" },
	{ "", "b", 0, "ab" },
};

TEST_F(range, options)
{
	size_t i, batch;
	uint64_t n;

	put_all(_metadata, self->table, "jihgfedcba");
	for (i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		struct kreg_scan_options o = KREG_SCAN_OPTIONS_INIT;

		o.low = ranges[i].low;
		o.low_len = o.low ? strlen(o.low) : 0;
		o.high = ranges[i].high;
		o.high_len = o.high ? strlen(o.high) : 0;
		o.range = ranges[i].range;
		ASSERT_EQ(0, kreg_scan_count(self->table, &o, &n));
		EXPECT_EQ(strlen(ranges[i].expected), n);
		for (batch = 0; batch < 3; batch++) {
			o.batch = batch;
			EXPECT_STREQ(ranges[i].expected, scan_all(_metadata, self->table, &o)) {
				TH_LOG("range %zu", i);
			}
		}
	}
	ASSERT_EQ(0, kreg_scan_count(self->table, NULL, &n));
	EXPECT_EQ(10, n);
}

TEST_F(range, bad_options)
{
	static const char bytes[KREG_MAX_KEY + 2];
	static const struct {
		int err;
		struct kreg_scan_options o;
	} rows[] = {
		{ EOPNOTSUPP, { .range = 1U << 4 } },
		{ EOPNOTSUPP, { .flags = KREG_SCAN_OF } },
		{ EOPNOTSUPP, { .flags = KREG_SCAN_COUNT } },
		{ EOPNOTSUPP, { .reserved = 1 } },
		{ EINVAL, { .range = KREG_RANGE_EXACT } },
		{ EINVAL, { .range = KREG_RANGE_EXACT, .low = "" } },
		{ EINVAL, { .range = KREG_RANGE_PREFIX } },
		{ EINVAL, { .range = KREG_RANGE_LOW_OPEN } },
		{ EINVAL, { .range = KREG_RANGE_HIGH_OPEN } },
		{ EINVAL, { .high = "" } },
		{ EINVAL, { .low_len = 1 } },
		{ EINVAL, { .high_len = 1 } },
		{ EINVAL, { .after_len = 1 } },
		{ EINVAL, { .range = KREG_RANGE_PREFIX, .low = "a", .low_len = 1,
			    .high = "b", .high_len = 1 } },
		{ EINVAL, { .range = KREG_RANGE_PREFIX, .low = "", .high = "b", .high_len = 1 } },
		{ EINVAL, { .range = KREG_RANGE_PREFIX | KREG_RANGE_EXACT, .low = "a",
			    .low_len = 1 } },
		{ EINVAL, { .range = KREG_RANGE_PREFIX | KREG_RANGE_LOW_OPEN, .low = "a",
			    .low_len = 1 } },
		{ ENAMETOOLONG, { .low = bytes, .low_len = KREG_MAX_KEY + 1 } },
		{ ENAMETOOLONG, { .high = bytes, .high_len = KREG_MAX_KEY + 1 } },
		{ ENAMETOOLONG, { .after = bytes, .after_len = KREG_MAX_KEY + 1 } },
	};
	struct kreg_scan *scan;
	uint64_t n = 5;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct kreg_scan_options o = rows[i].o;

		o.size = sizeof(o);
		EXPECT_EQ(-rows[i].err, kreg_scan_open(self->table, &o, &scan)) {
			TH_LOG("options %zu", i);
		}
		EXPECT_EQ(-rows[i].err, kreg_scan_count(self->table, &o, &n)) {
			TH_LOG("options %zu", i);
		}
	}
	EXPECT_STREQ("the key has 1025 bytes; the most is 1024", kreg_errmsg());
	EXPECT_EQ(5, n);
	/* What says how to fetch has nothing to do with a count. */
	EXPECT_EQ(-EINVAL, kreg_scan_count(self->table, &(struct kreg_scan_options){
			.size = sizeof(struct kreg_scan_options), .batch = 1 }, &n));
	EXPECT_EQ(-EINVAL, kreg_scan_count(self->table, &(struct kreg_scan_options){
			.size = sizeof(struct kreg_scan_options), .flags = KREG_SCAN_KEYS }, &n));
}

/* A program that was compiled with an earlier header, whose struct ends before the range. */
TEST_F(range, shorter_options)
{
	struct kreg_scan_options o = {
		.size = offsetof(struct kreg_scan_options, low), .flags = KREG_SCAN_KEYS,
		.low = (void *)1, .low_len = 1, .range = ~0U,
	};

	put_all(_metadata, self->table, "abc");
	EXPECT_STREQ("abc", scan_all(_metadata, self->table, &o));
}

/* Objects of a process alone, within a range. */
TEST_F(range, count_of_process)
{
	struct kreg_scan_options o = KREG_SCAN_OPTIONS_INIT;
	struct kreg_process me;
	uint64_t n;

	ASSERT_EQ(0, kreg_client_self(self->client, &me));
	put_all(_metadata, self->table, "abc");
	ASSERT_EQ(0, kreg_register(self->table, "b2", 2, "", 0));
	ASSERT_EQ(0, kreg_register(self->table, "c2", 2, "", 0));
	o.process = &me;
	ASSERT_EQ(0, kreg_scan_count(self->table, &o, &n));
	EXPECT_EQ(2, n);
	o.high = "c";
	o.high_len = 1;
	ASSERT_EQ(0, kreg_scan_count(self->table, &o, &n));
	EXPECT_EQ(1, n);
	o.process = NULL;
	ASSERT_EQ(0, kreg_scan_count(self->table, &o, &n));
	EXPECT_EQ(4, n);
}

static const char no_order[] =
	"table 'range' is a set, which has no order: create it with type ordered_set";

/* What takes an order says so, and the scan goes on as if nothing had been asked. */
TEST_F(range, no_order)
{
	struct kreg_scan_options o = KREG_SCAN_OPTIONS_INIT;
	const struct kreg_object *object;
	char seen[4] = "", buf[8];
	struct kreg_scan *scan;
	uint64_t n;
	int i;

	/* That is both_directions. */
	if (self->ordered)
		return;
	put_all(_metadata, self->table, "abc");
	o.batch = 1;
	ASSERT_EQ(0, kreg_scan_open(self->table, &o, &scan));
	EXPECT_EQ(-EOPNOTSUPP, kreg_scan_prev(scan, &object));
	EXPECT_STREQ(no_order, kreg_errmsg());
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(1, kreg_scan_next(scan, &object));
		seen[i] = *(const char *)kreg_object_key(object, NULL);
		EXPECT_EQ(-EOPNOTSUPP, kreg_scan_prev(scan, &object));
	}
	EXPECT_EQ(0, kreg_scan_next(scan, &object));
	EXPECT_EQ(-EOPNOTSUPP, kreg_scan_prev(scan, &object));
	EXPECT_EQ(0, kreg_scan_next(scan, &object));
	qsort(seen, 3, 1, compare_letters);
	EXPECT_STREQ("abc", seen);
	kreg_scan_close(scan);

	o.flags = KREG_SCAN_REVERSE;
	ASSERT_EQ(0, kreg_scan_open(self->table, &o, &scan));
	EXPECT_EQ(-EOPNOTSUPP, kreg_scan_next(scan, &object));
	EXPECT_STREQ(no_order, kreg_errmsg());
	EXPECT_EQ(1, kreg_scan_prev(scan, &object));
	kreg_scan_close(scan);
	o.batch = 0;
	EXPECT_EQ(-EOPNOTSUPP, kreg_scan_count(self->table, &o, &n));
	EXPECT_STREQ(no_order, kreg_errmsg());
	EXPECT_EQ(-EOPNOTSUPP, kreg_last(self->table, buf, sizeof(buf), NULL));
	EXPECT_STREQ(no_order, kreg_errmsg());
	EXPECT_EQ(-EOPNOTSUPP, kreg_prev(self->table, "b", 1, buf, sizeof(buf), NULL));
	EXPECT_STREQ(no_order, kreg_errmsg());
}

/* A path through the scan: n next, p prev; what each returns, - for the end. */
static void expect_path(struct __test_metadata *_metadata, struct kreg_table *table,
			const struct kreg_scan_options *options, const char *path,
			const char *expected)
{
	const struct kreg_object *object;
	struct kreg_scan *scan;
	char found[64] = "";
	int i, ret;

	ASSERT_EQ(0, kreg_scan_open(table, options, &scan));
	for (i = 0; path[i]; i++) {
		ret = path[i] == 'n' ? kreg_scan_next(scan, &object) :
				       kreg_scan_prev(scan, &object);
		ASSERT_LE(0, ret);
		found[i] = ret ? *(const char *)kreg_object_key(object, NULL) : '-';
	}
	EXPECT_STREQ(expected, found) {
		TH_LOG("path %s", path);
	}
	kreg_scan_close(scan);
}

TEST_F(range, both_directions)
{
	struct kreg_scan_options o = KREG_SCAN_OPTIONS_INIT;
	unsigned int batch;

	/* That is no_order. */
	if (!self->ordered)
		return;
	put_all(_metadata, self->table, "cadbe");
	for (batch = 0; batch < 4; batch++) {
		o.batch = batch;
		o.flags = 0;
		expect_path(_metadata, self->table, &o, "nnnnnnpppppp", "abcde-edcba-");
		expect_path(_metadata, self->table, &o, "nnnnnpnp", "abcdeded");
		expect_path(_metadata, self->table, &o, "ppnnn", "ede--");
		expect_path(_metadata, self->table, &o, "npnpppn", "a-a---a");
		expect_path(_metadata, self->table, &o, "nnnpppnn", "abcba-ab");
		o.flags = KREG_SCAN_REVERSE;
		expect_path(_metadata, self->table, &o, "nnpnnnnn", "ededcba-");
	}
	o.flags = 0;
	o.low = "b";
	o.low_len = 1;
	o.high = "d";
	o.high_len = 1;
	expect_path(_metadata, self->table, &o, "nnnnpppp", "bcd-dcb-");
	o.after = "c";
	o.after_len = 1;
	expect_path(_metadata, self->table, &o, "nn", "d-");
	expect_path(_metadata, self->table, &o, "pp", "b-");
}

/* Keys one by one, from one end to the other. */
static void step_through(struct __test_metadata *_metadata, struct kreg_table *table, bool back,
			 char *found)
{
	char key[KREG_MAX_KEY];
	size_t len;
	int ret;

	ret = (back ? kreg_last : kreg_first)(table, key, sizeof(key), &len);
	while (!ret) {
		ASSERT_EQ(1, len);
		*found++ = key[0];
		ret = (back ? kreg_prev : kreg_next)(table, key, len, key, sizeof(key), &len);
	}
	EXPECT_EQ(-ENODATA, ret);
	*found = '\0';
}

TEST_F(range, steps)
{
	char found[64];

	step_through(_metadata, self->table, false, found);
	EXPECT_STREQ("", found);
	EXPECT_STREQ("no key is in table 'range'", kreg_errmsg());
	/* A key that has several objects is one step. */
	put_all(_metadata, self->table, "fcbaed");
	put_all(_metadata, self->table, "caf");
	step_through(_metadata, self->table, false, found);
	EXPECT_STREQ("no key of table 'range' comes after this one", kreg_errmsg());
	if (!self->ordered)
		qsort(found, strlen(found), 1, compare_letters);
	EXPECT_STREQ("abcdef", found);
	if (!self->ordered)
		return;
	step_through(_metadata, self->table, true, found);
	EXPECT_STREQ("no key of table 'range' comes before this one", kreg_errmsg());
	EXPECT_STREQ("fedcba", found);
	/* From keys that are not there. */
	EXPECT_EQ(0, kreg_next(self->table, "bb", 2, found, 1, NULL));
	EXPECT_EQ('c', *found);
	EXPECT_EQ(0, kreg_prev(self->table, "bb", 2, found, 1, NULL));
	EXPECT_EQ('b', *found);
}

TEST_F(range, steps_refused)
{
	static const char bytes[KREG_MAX_KEY + 1];
	char buf[4] = "...";
	size_t len = 0;

	ASSERT_EQ(0, kreg_put(self->table, "key", 3, "", 0));
	EXPECT_EQ(-EMSGSIZE, kreg_first(self->table, buf, 2, &len));
	EXPECT_EQ(3, len);
	EXPECT_EQ('.', buf[0]);
	EXPECT_STREQ("the key has 3 bytes, and there is room for 2", kreg_errmsg());
	EXPECT_EQ(-EMSGSIZE, kreg_first(self->table, NULL, 0, NULL));
	EXPECT_EQ(0, kreg_first(self->table, buf, 3, NULL));
	EXPECT_STREQ("key", buf);
	EXPECT_EQ(-EINVAL, kreg_next(self->table, "", 0, buf, 3, &len));
	EXPECT_EQ(-ENAMETOOLONG, kreg_next(self->table, bytes, sizeof(bytes), buf, 3, &len));
	EXPECT_STREQ("the key has 1025 bytes; the most is 1024", kreg_errmsg());
	EXPECT_EQ(-ENAMETOOLONG, kreg_prev(self->table, bytes, (size_t)1 << 32, buf, 3, &len));
	ASSERT_EQ(0, kreg_table_destroy(self->table));
	EXPECT_EQ(-ESTALE, kreg_first(self->table, buf, 3, &len));
}

TEST_HARNESS_MAIN
