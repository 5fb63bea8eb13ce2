// SPDX-License-Identifier: GPL-2.0
/* libkreg: keys with several objects, and what is only for keys with one. */
#include "lib/bag.h"

FIXTURE(bag)
{
	struct kreg_client *client;
	struct kreg_table *table;
};

FIXTURE_VARIANT(bag)
{
	enum kreg_type type;
	const char *twice;		/* what is there when "aba" was put */
};

FIXTURE_VARIANT_ADD(bag, set) { .type = KREG_TYPE_SET, .twice = "a" };
FIXTURE_VARIANT_ADD(bag, bag) { .type = KREG_TYPE_BAG, .twice = "ab" };
FIXTURE_VARIANT_ADD(bag, duplicate_bag) { .type = KREG_TYPE_DUPLICATE_BAG, .twice = "aba" };

FIXTURE_SETUP(bag)
{
	ASSERT_EQ(0, open_bag(variant->type, &self->client, &self->table));
}

FIXTURE_TEARDOWN(bag)
{
	close_bag(self->client, self->table);
}

static void put_all(struct __test_metadata *_metadata, struct kreg_table *table, const char *key,
		    const char *letters)
{
	for (; *letters; letters++)
		ASSERT_EQ(0, kreg_put(table, key, strlen(key), letters, 1));
}

/* The values of the objects, one letter each, which are freed. */
static const char *letters_of(struct __test_metadata *_metadata, struct kreg_objects *objects)
{
	static char letters[16];
	const struct kreg_object *object;
	size_t n = 0, len;
	int round;

	/* They begin anew when they have come to their end. */
	for (round = 0; round < 2; round++) {
		for (n = 0; (object = kreg_objects_next(objects)); n++) {
			ASSERT_LT(n, sizeof(letters) - 1);
			letters[n] = *(const char *)kreg_object_value(object, &len);
			EXPECT_EQ(1, len);
		}
		letters[n] = '\0';
		EXPECT_EQ(n, kreg_objects_count(objects));
	}
	kreg_objects_free(objects);
	return letters;
}

#define EXPECT_LETTERS(letters)								\
do {											\
	struct kreg_objects *__objects;							\
											\
	ASSERT_EQ(0, kreg_get_all(self->table, "key", 3, &__objects));			\
	EXPECT_STREQ(letters, letters_of(_metadata, __objects));			\
} while (0)

TEST_F(bag, get_all)
{
	struct kreg_objects *objects;
	uint64_t count;

	EXPECT_EQ(-ENODATA, kreg_get_all(self->table, "key", 3, &objects));
	EXPECT_STREQ("the key is not in table 'bag'", kreg_errmsg());
	EXPECT_EQ(0, kreg_count_of(self->table, "key", 3, &count));
	EXPECT_EQ(0, count);
	put_all(_metadata, self->table, "kez", "z");
	put_all(_metadata, self->table, "key", "aba");
	EXPECT_LETTERS(variant->twice);
	EXPECT_EQ(0, kreg_count_of(self->table, "key", 3, &count));
	EXPECT_EQ(strlen(variant->twice), count);
	EXPECT_EQ(-ENAMETOOLONG, kreg_get_all(self->table, "key", KREG_MAX_KEY + 1, &objects));
	EXPECT_EQ(-EINVAL, kreg_get_all(self->table, "", 0, &objects));
}

TEST_F(bag, take_all)
{
	struct kreg_objects *objects;

	put_all(_metadata, self->table, "key", "aba");
	ASSERT_EQ(0, kreg_take_all(self->table, "key", 3, &objects));
	EXPECT_STREQ(variant->twice, letters_of(_metadata, objects));
	EXPECT_EQ(-ENODATA, kreg_take_all(self->table, "key", 3, &objects));
	kreg_objects_free(NULL);
}

/* Longer than the first guess, key and all. */
TEST_F(bag, long_values)
{
	static char value[10000];
	const struct kreg_object *object;
	struct kreg_objects *objects;
	size_t len;

	ASSERT_EQ(0, kreg_put(self->table, "key", 3, value, sizeof(value)));
	value[0] = 'b';
	ASSERT_EQ(0, kreg_put(self->table, "key", 3, value, sizeof(value)));
	ASSERT_EQ(0, kreg_get_all(self->table, "key", 3, &objects));
	EXPECT_EQ(variant->type == KREG_TYPE_SET ? 1 : 2, kreg_objects_count(objects));
	if (variant->type != KREG_TYPE_SET)
		kreg_objects_next(objects);
	object = kreg_objects_next(objects);
	ASSERT_NE(NULL, object);
	EXPECT_EQ(0, memcmp(value, kreg_object_value(object, &len), sizeof(value)));
	EXPECT_EQ(sizeof(value), len);
	EXPECT_EQ(0, memcmp("key", kreg_object_key(object, &len), 3));
	EXPECT_EQ(3, len);
	EXPECT_EQ(NULL, kreg_objects_next(objects));
	kreg_objects_free(objects);
}

TEST_F(bag, removed_one_by_one)
{
	const struct kreg_object *object;
	struct kreg_objects *objects;
	struct kreg_batch *batch;
	uint64_t count;

	ASSERT_EQ(0, kreg_batch_new(self->table, 0, &batch));
	EXPECT_EQ(0, kreg_batch_put(batch, "key", 3, "a", 1));
	EXPECT_EQ(1, kreg_batch_put(batch, "key", 3, "b", 1));
	ASSERT_EQ(2, kreg_batch_run(batch));
	kreg_batch_free(batch);
	ASSERT_EQ(0, kreg_get_all(self->table, "key", 3, &objects));
	object = kreg_objects_next(objects);
	EXPECT_EQ(0, kreg_object_number(object));
	EXPECT_EQ(1, kreg_del_object(self->table, object));
	EXPECT_EQ(0, kreg_del_object(self->table, object));
	object = kreg_objects_next(objects);
	EXPECT_EQ(0, kreg_count_of(self->table, "key", 3, &count));
	EXPECT_EQ(!!object, count);
	if (object) {
		EXPECT_EQ(1, kreg_object_number(object));
		EXPECT_EQ(1, kreg_del_object(self->table, object));
	}
	kreg_objects_free(objects);
	EXPECT_EQ(-ENODATA, kreg_get_all(self->table, "key", 3, &objects));
}

TEST_F(bag, removed_by_value)
{
	put_all(_metadata, self->table, "key", "cacb");
	EXPECT_EQ(0, kreg_del_value(self->table, "key", 3, "x", 1));
	if (variant->type == KREG_TYPE_SET) {
		EXPECT_EQ(1, kreg_del_value(self->table, "key", 3, "b", 1));
		return;
	}
	EXPECT_EQ(variant->type == KREG_TYPE_BAG ? 1 : 2,
		  kreg_del_value(self->table, "key", 3, "c", 1));
	EXPECT_LETTERS("ab");
	EXPECT_EQ(1, kreg_del(self->table, "key", 3));
	EXPECT_EQ(0, kreg_del(self->table, "key", 3));
}

/* The values that a scan finds, in portions of three. */
static const char *scan_letters(struct __test_metadata *_metadata, struct kreg_table *table,
				unsigned int flags)
{
	struct kreg_scan_options options = KREG_SCAN_OPTIONS_INIT;
	const struct kreg_object *object;
	static char letters[64];
	struct kreg_scan *scan;
	size_t n = 0;

	options.flags = flags;
	options.batch = 3;
	ASSERT_EQ(0, kreg_scan_open(table, &options, &scan));
	while (kreg_scan_next(scan, &object) == 1 && n < sizeof(letters) - 1)
		letters[n++] = *(const char *)kreg_object_value(object, NULL);
	letters[n] = '\0';
	kreg_scan_close(scan);
	return letters;
}

TEST_F(bag, scanned)
{
	if (variant->type == KREG_TYPE_SET)
		return;
	put_all(_metadata, self->table, "kez", "xyz");
	put_all(_metadata, self->table, "key", "abcdefg");
	put_all(_metadata, self->table, "k", "1");
	EXPECT_STREQ("1abcdefgxyz", scan_letters(_metadata, self->table, 0));
	EXPECT_STREQ("zyxgfedcba1", scan_letters(_metadata, self->table, KREG_SCAN_REVERSE));
}

/* A path through a scan: n next, p prev; the value that each returns, - for the end. */
static void expect_path(struct __test_metadata *_metadata, struct kreg_table *table,
			unsigned int batch, const char *path, const char *expected)
{
	struct kreg_scan_options options = KREG_SCAN_OPTIONS_INIT;
	const struct kreg_object *object;
	struct kreg_scan *scan;
	char found[32] = "";
	int i, ret;

	options.batch = batch;
	ASSERT_EQ(0, kreg_scan_open(table, &options, &scan));
	for (i = 0; path[i]; i++) {
		ret = path[i] == 'n' ? kreg_scan_next(scan, &object) :
				       kreg_scan_prev(scan, &object);
		ASSERT_LE(0, ret);
		found[i] = ret ? *(const char *)kreg_object_value(object, NULL) : '-';
	}
	EXPECT_STREQ(expected, found) {
		TH_LOG("path %s in portions of %u", path, batch);
	}
	kreg_scan_close(scan);
}

/* Amid the objects of a key, also those of one commit, which have the same version. */
TEST_F(bag, both_directions)
{
	unsigned int portion, i;
	struct kreg_batch *batch;

	if (variant->type == KREG_TYPE_SET)
		return;
	put_all(_metadata, self->table, "kez", "xy");
	put_all(_metadata, self->table, "k", "1");
	ASSERT_EQ(0, kreg_batch_new(self->table, KREG_BATCH_ATOMIC, &batch));
	for (i = 0; i < 4; i++)
		ASSERT_LE(0, kreg_batch_put(batch, "key", 3, &"abcd"[i], 1));
	ASSERT_EQ(4, kreg_batch_run(batch));
	kreg_batch_free(batch);
	put_all(_metadata, self->table, "key", "e");
	for (portion = 0; portion < 4; portion++) {
		expect_path(_metadata, self->table, portion, "nnnnnnnnnppppppppp",
			    "1abcdexy-yxedcba1-");
		expect_path(_metadata, self->table, portion, "nnnppppnnn", "1aba1--1ab");
		expect_path(_metadata, self->table, portion, "nnnnnnpnpn", "1abcdedede");
		expect_path(_metadata, self->table, portion, "pppppnnpp", "yxedcdedc");
	}
}

static void expect_refused(struct __test_metadata *_metadata, int ret)
{
	EXPECT_EQ(-EOPNOTSUPP, ret);
	EXPECT_STREQ("keys of table 'bag' may have several objects, and this is for keys with one: see <kreg/bag.h>",
		     kreg_errmsg());
}

#define REFUSED(call) expect_refused(_metadata, call)

TEST_F(bag, only_for_one_object)
{
	struct kreg_item item = { .key = "key", .key_len = 3 };
	struct kreg_holder holder = KREG_HOLDER_INIT;
	struct kreg_loan loan = KREG_LOAN_INIT;
	struct kreg_object *object;
	int64_t number;
	size_t len;
	char room[8];
	void *value;

	if (variant->type == KREG_TYPE_SET)
		return;
	put_all(_metadata, self->table, "key", "a");
	REFUSED(kreg_get(self->table, "key", 3, room, sizeof(room), NULL));
	REFUSED(kreg_get_alloc(self->table, "key", 3, &value, NULL));
	REFUSED(kreg_get_object(self->table, "key", 3, &object));
	REFUSED(kreg_take(self->table, "key", 3, room, sizeof(room), NULL));
	REFUSED(kreg_take_alloc(self->table, "key", 3, &value, NULL));
	REFUSED(kreg_get_many(self->table, &item, 1, sizeof(item)));
	REFUSED(kreg_whereis(self->table, "key", 3, &holder));
	REFUSED(kreg_whereis_pidfd(self->table, "key", 3, &holder));
	REFUSED(kreg_swap(self->table, "key", 3, 1, "b", 1, NULL));
	REFUSED(kreg_wait(self->table, "key", 3, KREG_WATCH_ABSENT, 0, 0));
	REFUSED(kreg_wait(self->table, "key", 3, KREG_WATCH_CHANGED, 1, 0));
	REFUSED(kreg_lease(self->table, "key", 3, 0, &value, &len, &loan));
	REFUSED(kreg_counter_add(self->table, "key", 3, 1, &number));
	REFUSED(kreg_register_wait(self->table, "key", 3, "b", 1, NULL, 0, &holder));
	EXPECT_LETTERS("a");
}

TEST_F(bag, waited_for)
{
	EXPECT_EQ(-ETIMEDOUT, kreg_wait(self->table, "key", 3, KREG_WATCH_PRESENT, 0, 0));
	put_all(_metadata, self->table, "key", "ab");
	EXPECT_EQ(0, kreg_wait(self->table, "key", 3, KREG_WATCH_PRESENT, 0, 0));
}

TEST_F(bag, registered)
{
	struct kreg_scan_options options = KREG_SCAN_OPTIONS_INIT;
	const struct kreg_object *object;
	struct kreg_scan *scan;

	if (variant->type == KREG_TYPE_SET)
		return;
	EXPECT_EQ(0, kreg_register(self->table, "key", 3, "a", 1));
	EXPECT_EQ(0, kreg_register(self->table, "key", 3, "b", 1));
	put_all(_metadata, self->table, "key", "c");
	EXPECT_LETTERS("abc");
	options.low = "key";
	options.low_len = 3;
	options.range = KREG_RANGE_EXACT;
	options.flags = KREG_SCAN_PROCESSES;
	ASSERT_EQ(0, kreg_scan_open(self->table, &options, &scan));
	ASSERT_EQ(1, kreg_scan_next(scan, &object));
	EXPECT_EQ(getpid(), kreg_object_process(object).pid);
	kreg_scan_close(scan);
	EXPECT_EQ(2, kreg_unregister(self->table, "key", 3));
	EXPECT_LETTERS("c");
	EXPECT_EQ(0, kreg_unregister(self->table, "key", 3));
}

/* A new scan begins after this object. */
static void go_on_after(struct kreg_scan_options *options, const struct kreg_object *object,
			char *key)
{
	const void *bytes = kreg_object_key(object, &options->after_len);

	options->after = memcpy(key, bytes, options->after_len);
	options->after_version = kreg_object_version(object);
	options->after_number = kreg_object_number(object);
}

/* One object a scan, each of which goes on where the one before stopped; @del: and removes it. */
static unsigned int visit(struct kreg_table *table, unsigned int flags, bool del, char *letters)
{
	struct kreg_scan_options options = KREG_SCAN_OPTIONS_INIT;
	const struct kreg_object *object;
	struct kreg_scan *scan;
	unsigned int n = 0;
	size_t len;
	char key[8];

	options.flags = flags;
	while (n < 8 && !kreg_scan_open(table, &options, &scan)) {
		if (kreg_scan_next(scan, &object) <= 0) {
			kreg_scan_close(scan);
			break;
		}
		letters[n++] = *(const char *)kreg_object_value(object, &len);
		go_on_after(&options, object, key);
		if (del && kreg_del_object(table, object) != 1)
			n = 8;
		kreg_scan_close(scan);
	}
	letters[n] = '\0';
	return n;
}

/* A position is that of an object, not of its key, and stays when the object is gone. */
TEST_F(bag, positions)
{
	struct kreg_batch *batch;
	char letters[16];
	uint64_t left;
	int i;

	ASSERT_EQ(0, kreg_batch_new(self->table, 0, &batch));
	for (i = 0; i < 4; i++)
		EXPECT_EQ(i, kreg_batch_put(batch, "key", 3, "abcd" + i, 1));
	ASSERT_EQ(4, kreg_batch_run(batch));
	kreg_batch_free(batch);
	put_all(_metadata, self->table, "kez", "z");
	if (variant->type == KREG_TYPE_SET) {
		EXPECT_EQ(2, visit(self->table, 0, false, letters));
		return;
	}
	put_all(_metadata, self->table, "key", "e");
	EXPECT_EQ(6, visit(self->table, 0, false, letters));
	EXPECT_STREQ("abcdez", letters);
	EXPECT_EQ(6, visit(self->table, KREG_SCAN_REVERSE, false, letters));
	EXPECT_STREQ("zedcba", letters);
	EXPECT_EQ(6, visit(self->table, 0, true, letters));
	EXPECT_STREQ("abcdez", letters);
	ASSERT_EQ(0, kreg_count(self->table, &left));
	EXPECT_EQ(0, left);
}

/* In a count and in what is removed, too; and what makes no position. */
TEST_F(bag, positions_of_others)
{
	struct kreg_scan_options options = KREG_SCAN_OPTIONS_INIT;
	struct kreg_objects *objects;
	char key[8];
	uint64_t n;

	put_all(_metadata, self->table, "key", "abcde");
	if (variant->type != KREG_TYPE_SET) {
		ASSERT_EQ(0, kreg_get_all(self->table, "key", 3, &objects));
		kreg_objects_next(objects);
		go_on_after(&options, kreg_objects_next(objects), key);
		kreg_objects_free(objects);
		ASSERT_EQ(0, kreg_scan_count(self->table, &options, &n));
		EXPECT_EQ(3, n);
		ASSERT_EQ(0, kreg_delete_matching(self->table, &options, &n));
		EXPECT_EQ(3, n);
		EXPECT_LETTERS("ab");
	}
	options.after = NULL;
	options.after_len = 0;
	options.after_version = 1;
	EXPECT_EQ(-EINVAL, kreg_scan_count(self->table, &options, &n));
	EXPECT_NE(NULL, strstr(kreg_errmsg(), "a version goes with the key to go on after"));
	options.after_version = 0;
	options.after_number = 1;
	EXPECT_EQ(-EINVAL, kreg_scan_count(self->table, &options, &n));
	options.after_number = 0;
	options.reserved2 = 1;
	EXPECT_EQ(-EOPNOTSUPP, kreg_scan_count(self->table, &options, &n));
}

/* Between the objects of a key, also those of one write, and each is removed once. */
TEST_F(bag, changed_in_portions)
{
	struct kreg_change change = KREG_CHANGE_INIT;
	static const char left[][8] = { "cdefg", "efgx", "gx" };
	struct kreg_batch *batch;
	unsigned int i;

	if (variant->type == KREG_TYPE_SET)
		return;
	ASSERT_EQ(0, kreg_batch_new(self->table, 0, &batch));
	for (i = 0; i < 7; i++)
		ASSERT_LE(0, kreg_batch_put(batch, "key", 3, "abcdefg" + i, 1));
	ASSERT_EQ(7, kreg_batch_run(batch));
	kreg_batch_free(batch);
	change.max_count = 2;
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, kreg_change_matching(self->table, NULL, NULL, 0, &change));
		EXPECT_EQ(2, change.out_count);
		EXPECT_EQ(1, change.out_more);
		EXPECT_LETTERS(left[i]);
		/* What comes meanwhile is behind the position. */
		if (!i)
			put_all(_metadata, self->table, "key", "x");
	}
	ASSERT_EQ(0, kreg_change_matching(self->table, NULL, NULL, 0, &change));
	EXPECT_EQ(2, change.out_count);
	EXPECT_EQ(0, kreg_del(self->table, "key", 3));
}

TEST_HARNESS_MAIN
