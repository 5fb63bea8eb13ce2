// SPDX-License-Identifier: GPL-2.0
/* libkreg: filters of scans and edits, and changes of all objects that match. */
#include "lib/lib.h"

#define OBJECTS		200

FIXTURE(filter)
{
	struct kreg_client *client;
	struct kreg_table *table;
	struct kreg_scan_options options;
	struct kreg_filter *filter;
};

FIXTURE_VARIANT(filter)
{
	enum kreg_type type;
};

FIXTURE_VARIANT_ADD(filter, set) { .type = KREG_TYPE_SET };
FIXTURE_VARIANT_ADD(filter, ordered_set) { .type = KREG_TYPE_ORDERED_SET };

static int put_numbered(struct kreg_table *table, uint32_t from, uint32_t to)
{
	char key[16];
	uint32_t i;
	int ret = 0;

	for (i = from; i < to && !ret; i++) {
		snprintf(key, sizeof(key), "%s%04u", i % 2 ? "odd" : "even", i);
		ret = kreg_put(table, key, strlen(key), &i, sizeof(i));
	}
	return ret;
}

FIXTURE_SETUP(filter)
{
	struct kreg_open_options options = KREG_OPEN_OPTIONS_INIT;

	ASSERT_EQ(0, kreg_client_open(NULL, &self->client));
	options.flags = KREG_OPEN_CREATE;
	options.type = variant->type;
	ASSERT_EQ(0, kreg_table_open(self->client, "filter", &options, &self->table));
	ASSERT_EQ(0, put_numbered(self->table, 0, OBJECTS));
	self->options = (struct kreg_scan_options)KREG_SCAN_OPTIONS_INIT;
}

FIXTURE_TEARDOWN(filter)
{
	kreg_filter_free(self->filter);
	kreg_table_destroy(self->table);
	kreg_table_close(self->table);
	kreg_client_close(self->client);
}

static void use_filter(struct __test_metadata *_metadata, struct kreg_filter **filter,
		       struct kreg_scan_options *options, const char *text)
{
	kreg_filter_free(*filter);
	*filter = NULL;
	ASSERT_EQ(0, kreg_filter_compile(text, filter, NULL)) {
		TH_LOG("%s", kreg_errmsg());
	}
	options->filter = *filter;
}

#define USE(text)	use_filter(_metadata, &self->filter, &self->options, text)

/* Found one by one, and counted. */
static uint64_t matching(struct __test_metadata *_metadata, struct kreg_table *table,
			 const struct kreg_scan_options *options)
{
	const struct kreg_object *object;
	struct kreg_scan *scan;
	uint64_t n = 0, counted;
	int ret;

	ASSERT_EQ(0, kreg_scan_open(table, options, &scan)) {
		TH_LOG("%s", kreg_errmsg());
	}
	while ((ret = kreg_scan_next(scan, &object)) == 1)
		n++;
	EXPECT_EQ(0, ret) {
		TH_LOG("%s", kreg_errmsg());
	}
	kreg_scan_close(scan);
	EXPECT_EQ(0, kreg_scan_count(table, options, &counted));
	EXPECT_EQ(n, counted);
	return n;
}

TEST_F(filter, scans)
{
	static const struct {
		const char *text;
		unsigned int found;
	} cases[] = {
		{ "u32@0 < 50", 50 }, { "u32@0 >= 50 and u32@0 < 60", 10 },
		{ "key.prefix 'odd'", OBJECTS / 2 }, { "!key.prefix 'odd' && u32@0 < 10", 5 },
		{ "u8@0 & 1", OBJECTS / 2 }, { "u8@0 & 0x7 == 3 || u32@0 == 0", 26 },
		{ "len == 4", OBJECTS }, { "len != 4", 0 }, { "u64@0 >= 0", 0 },
		{ "key == 'odd0007'", 1 }, { "version <= 10", 10 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		USE(cases[i].text);
		EXPECT_EQ(cases[i].found, matching(_metadata, self->table, &self->options)) {
			TH_LOG("%s", cases[i].text);
		}
	}
}

/* With a range, backwards, in small portions; and the scan keeps the filter. */
TEST_F(filter, beside_a_range)
{
	bool ordered = variant->type == KREG_TYPE_ORDERED_SET;
	const struct kreg_object *object;
	struct kreg_scan *scan;
	unsigned int n = 0;

	USE("u32@0 < 100");
	self->options.low = "odd";
	self->options.low_len = 3;
	self->options.range = KREG_RANGE_PREFIX;
	self->options.batch = 3;
	self->options.flags = ordered ? KREG_SCAN_REVERSE : 0;
	ASSERT_EQ(0, kreg_scan_open(self->table, &self->options, &scan));
	kreg_filter_free(self->filter);
	self->filter = NULL;
	while (kreg_scan_next(scan, &object) == 1) {
		size_t len;
		uint32_t value = *(const uint32_t *)kreg_object_value(object, &len);

		EXPECT_EQ(1, value % 2);
		if (ordered)
			EXPECT_EQ(99 - 2 * n, value);
		n++;
	}
	EXPECT_EQ(50, n);
	kreg_scan_close(scan);
}

TEST_F(filter, deletes)
{
	uint64_t n;

	USE("u32@0 < 50");
	ASSERT_EQ(0, kreg_delete_matching(self->table, &self->options, &n));
	EXPECT_EQ(50, n);
	ASSERT_EQ(0, kreg_delete_matching(self->table, &self->options, NULL));
	self->options.filter = NULL;
	self->options.low = "odd";
	self->options.low_len = 3;
	self->options.range = KREG_RANGE_PREFIX;
	ASSERT_EQ(0, kreg_delete_matching(self->table, &self->options, &n));
	EXPECT_EQ(75, n);
	ASSERT_EQ(0, kreg_delete_matching(self->table, NULL, &n));
	EXPECT_EQ(75, n);
}

TEST_F(filter, edits)
{
	struct kreg_field field;
	uint32_t seven = 7;
	uint64_t n;

	USE("u32@0 >= 100 && u32@0 < 120");
	kreg_field_copy(&field, 0, 0, &seven, sizeof(seven));
	ASSERT_EQ(0, kreg_edit_matching(self->table, &self->options, &field, 1, &n));
	EXPECT_EQ(20, n);
	USE("u32@0 == 7");
	EXPECT_EQ(21, matching(_metadata, self->table, &self->options));
	/* A number of 64 bits is not in any of them. */
	kreg_field_number(&field, KREG_FIELD_ADD, 0, 0, 1);
	EXPECT_EQ(-ERANGE, kreg_edit_matching(self->table, &self->options, &field, 1, &n));
	EXPECT_EQ(0, n);
	EXPECT_EQ(-EINVAL, kreg_edit_matching(self->table, NULL, &field, 0, NULL));
	EXPECT_EQ(-EFBIG, kreg_edit_matching(self->table, NULL, &field, 17, NULL));
}

/* So many at a time, each once, from wherever a call has stopped. */
TEST_F(filter, in_portions)
{
	struct kreg_change change = KREG_CHANGE_INIT, later = KREG_CHANGE_INIT;
	struct kreg_field field;
	unsigned int calls = 0;
	uint64_t n = 0;

	USE("len == 4");
	change.max_count = 30;
	do {
		/* The position is all that is needed, and as good elsewhere. */
		later.max_count = change.max_count;
		later.key_len = change.key_len;
		memcpy(later.key, change.key, change.key_len);
		change = later;
		kreg_field_copy(&field, KREG_FIELD_EXTEND, 4, &"x", 1);
		ASSERT_EQ(0, kreg_change_matching(self->table, &self->options, &field, 1,
						  &change));
		EXPECT_GE(30, change.out_count);
		EXPECT_EQ(change.out_more, !!change.key_len);
		n += change.out_count;
		EXPECT_EQ(OBJECTS - n, matching(_metadata, self->table, &self->options));
		calls++;
	} while (change.out_more && calls < OBJECTS);
	EXPECT_EQ(OBJECTS, n);
	EXPECT_LE(OBJECTS / 30, calls);
	/* It begins anew: what matches still was not changed twice. */
	USE("len == 5");
	EXPECT_EQ(OBJECTS, matching(_metadata, self->table, &self->options));
	change.max_count = OBJECTS / 2;
	ASSERT_EQ(0, kreg_change_matching(self->table, &self->options, NULL, 0, &change));
	EXPECT_EQ(OBJECTS / 2, change.out_count);
	EXPECT_EQ(1, change.out_more);
	EXPECT_LT(0, change.out_version);
	/* A scan goes on there, too. */
	self->options.after = change.key;
	self->options.after_len = change.key_len;
	self->options.after_version = change.version;
	self->options.after_number = change.number;
	EXPECT_EQ(OBJECTS / 2, matching(_metadata, self->table, &self->options));
	change.max_count = 0;
	ASSERT_EQ(0, kreg_change_matching(self->table, &self->options, NULL, 0, &change));
	EXPECT_EQ(OBJECTS / 2, change.out_count);
	EXPECT_EQ(0, change.out_more);
	EXPECT_EQ(0, change.key_len);
}

/* Behind what could not be edited it goes on, and that is left as it was. */
TEST_F(filter, portions_that_fail)
{
	struct kreg_change change = KREG_CHANGE_INIT;
	unsigned int failures = 0, calls = 0;
	struct kreg_field field;
	uint64_t n = 0;
	int ret;

	ASSERT_EQ(0, kreg_put(self->table, "even0042", 8, "abc", 3));
	ASSERT_EQ(0, kreg_put(self->table, "odd0041", 7, "abc", 3));
	kreg_field_copy(&field, 0, 0, &"abcd", 4);
	change.max_count = 50;
	do {
		ret = kreg_change_matching(self->table, NULL, &field, 1, &change);
		EXPECT_TRUE(!ret || ret == -ERANGE);
		failures += ret == -ERANGE;
		if (ret) {
			EXPECT_EQ(1, change.out_more);
			EXPECT_NE(NULL, memmem(change.key, change.key_len, "004", 3));
		}
		n += change.out_count;
	} while (change.out_more && ++calls < OBJECTS);
	EXPECT_EQ(2, failures);
	EXPECT_EQ(OBJECTS - 2, n);
	USE("value == 'abc'");
	EXPECT_EQ(2, matching(_metadata, self->table, &self->options));
	USE("value == 'abcd'");
	EXPECT_EQ(OBJECTS - 2, matching(_metadata, self->table, &self->options));
}

/* What is refused leaves the position as it is, and tells of no object. */
TEST_F(filter, portions_refused)
{
	struct kreg_change change = KREG_CHANGE_INIT;
	struct kreg_field field;

	kreg_field_copy(&field, 0, 0, "abcd", 4);
	change.max_count = 10;
	ASSERT_EQ(0, kreg_change_matching(self->table, NULL, NULL, 0, &change));
	EXPECT_EQ(10, change.out_count);
	EXPECT_EQ(-EINVAL, kreg_change_matching(self->table, NULL, &field, 0, &change));
	EXPECT_STREQ("there is no field", kreg_errmsg());
	EXPECT_EQ(0, change.out_count);
	EXPECT_EQ(0, change.out_version);
	EXPECT_EQ(1, change.out_more);
	EXPECT_EQ(-EFBIG, kreg_change_matching(self->table, NULL, &field, 17, &change));
	self->options.flags = KREG_SCAN_KEYS;
	EXPECT_EQ(-EOPNOTSUPP, kreg_change_matching(self->table, &self->options, NULL, 0,
						    &change));
	self->options.flags = 0;
	change.max_count = 0;
	ASSERT_EQ(0, kreg_change_matching(self->table, NULL, NULL, 0, &change));
	EXPECT_EQ(OBJECTS - 10, change.out_count);
	change.key_len = KREG_MAX_KEY + 1;
	EXPECT_EQ(-EINVAL, kreg_change_matching(self->table, NULL, NULL, 0, &change));
	EXPECT_STREQ("the position is none that a change has told", kreg_errmsg());
	change.size = sizeof(change) - 1;
	EXPECT_EQ(-EINVAL, kreg_change_matching(self->table, NULL, NULL, 0, &change));
}

/* Compare and swap, by what is there. */
TEST_F(filter, conditions)
{
	struct kreg_edit_options options = KREG_EDIT_OPTIONS_INIT;
	struct kreg_field field;
	uint32_t value = 5;

	USE("u32@0 == 2");
	kreg_field_copy(&field, 0, 0, &value, sizeof(value));
	options.filter = self->filter;
	EXPECT_EQ(0, kreg_edit(self->table, "even0002", 8, &field, 1, &options));
	EXPECT_EQ(-ECANCELED, kreg_edit(self->table, "even0002", 8, &field, 1, &options));
	EXPECT_EQ(-ECANCELED, kreg_edit(self->table, "none", 4, &field, 1, &options));
	ASSERT_EQ(0, kreg_get(self->table, "even0002", 8, &value, sizeof(value), NULL));
	EXPECT_EQ(5, value);
	options.start = &value;
	options.start_len = sizeof(value);
	EXPECT_EQ(-EINVAL, kreg_edit(self->table, "none", 4, &field, 1, &options));
	EXPECT_STREQ("a value to start from matches no filter: give one of both", kreg_errmsg());
}

TEST_F(filter, errors)
{
	struct kreg_term term = { .op = 99, .of = KREG_TERM_VALUE };
	size_t column;
	uint64_t n;

	EXPECT_EQ(-EINVAL, kreg_filter_compile("len >", &self->filter, &column));
	EXPECT_EQ(6, column);
	EXPECT_STREQ("the filter is wrong at column 6: a number is expected, such as 100 or 0x1f",
		     kreg_errmsg());
	ASSERT_EQ(0, kreg_filter_new(&term, 1, &self->filter));
	EXPECT_EQ(99, kreg_filter_terms(self->filter, &column)->op);
	EXPECT_EQ(1, column);
	self->options.filter = self->filter;
	EXPECT_EQ(-EOPNOTSUPP, kreg_scan_count(self->table, &self->options, &n));
	EXPECT_EQ(-EOPNOTSUPP, kreg_delete_matching(self->table, &self->options, &n));
	USE("len > 0");
	self->options.flags = KREG_SCAN_KEYS;
	EXPECT_EQ(-EOPNOTSUPP, kreg_delete_matching(self->table, &self->options, &n));
	EXPECT_STREQ("flags, a process and a pin are for scans that only look", kreg_errmsg());
	self->options.flags = 0;
	self->options.batch = 1;
	EXPECT_EQ(-EINVAL, kreg_delete_matching(self->table, &self->options, &n));
	EXPECT_EQ(OBJECTS, matching(_metadata, self->table,
				    &(struct kreg_scan_options)KREG_SCAN_OPTIONS_INIT));
}

TEST_HARNESS_MAIN
