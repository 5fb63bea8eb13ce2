// SPDX-License-Identifier: GPL-2.0
/* libkreg: a function for each object. Names with "fold" are those of cases of ets_SUITE. */
#include "lib/bag.h"

#define LETTERS	"fcjbaiedhg"
#define SORTED	"abcdefghij"

FIXTURE(fold)
{
	struct kreg_client *client;
	struct kreg_table *table;
	bool ordered, several;
};

FIXTURE_VARIANT(fold)
{
	enum kreg_type type;
};

FIXTURE_VARIANT_ADD(fold, set) { .type = KREG_TYPE_SET };
FIXTURE_VARIANT_ADD(fold, ordered_set) { .type = KREG_TYPE_ORDERED_SET };
FIXTURE_VARIANT_ADD(fold, bag) { .type = KREG_TYPE_BAG };
FIXTURE_VARIANT_ADD(fold, duplicate_bag) { .type = KREG_TYPE_DUPLICATE_BAG };

FIXTURE_SETUP(fold)
{
	self->ordered = variant->type != KREG_TYPE_SET;
	self->several = variant->type == KREG_TYPE_BAG || variant->type == KREG_TYPE_DUPLICATE_BAG;
	ASSERT_EQ(0, open_bag(variant->type, &self->client, &self->table));
}

FIXTURE_TEARDOWN(fold)
{
	close_bag(self->client, self->table);
}

/* Each letter is a key, and the value of an object. */
static int put_letters(struct kreg_table *table, const char *letters)
{
	int ret = 0;

	for (; !ret && *letters; letters++)
		ret = kreg_put(table, letters, 1, letters, 1);
	return ret;
}

/* What a function was given, and what it is to do. */
struct given {
	char letters[64];
	size_t n;
	struct kreg_table *table;	/* in which it does something; or NULL */
	size_t stop;			/* when it was called so often; 0: never */
	int ret;			/* what it returns then */
};

static char letter_of(const struct kreg_object *object)
{
	size_t key_len, len;
	const char *key = kreg_object_key(object, &key_len);
	const char *value = kreg_object_value(object, &len);

	return key_len == 1 && len == 1 && *key == *value ? *key : '?';
}

static int note_letter(const struct kreg_object *object, void *arg)
{
	struct given *g = arg;

	if (g->n < sizeof(g->letters) - 1)
		g->letters[g->n++] = letter_of(object);
	return g->stop && g->n == g->stop ? g->ret : 0;
}

static int compare_letters(const void *a, const void *b)
{
	return *(const char *)a - *(const char *)b;
}

static const char *sorted(struct given *g)
{
	qsort(g->letters, g->n, 1, compare_letters);
	return g->letters;
}

/* In no order but the table's own, all are there. */
TEST_F(fold, foldl)
{
	struct given g = { 0 };

	ASSERT_EQ(0, put_letters(self->table, LETTERS));
	EXPECT_EQ(0, kreg_fold(self->table, NULL, note_letter, &g));
	EXPECT_STREQ(SORTED, sorted(&g));
}

TEST_F(fold, foldl_ordered)
{
	struct kreg_scan_options o = KREG_SCAN_OPTIONS_INIT;
	struct given all = { 0 }, some = { 0 };

	if (!self->ordered)
		return;
	ASSERT_EQ(0, put_letters(self->table, LETTERS));
	EXPECT_EQ(0, kreg_fold(self->table, NULL, note_letter, &all));
	EXPECT_STREQ(SORTED, all.letters);
	o.low = "c";
	o.low_len = 1;
	o.high = "f";
	o.high_len = 1;
	o.range = KREG_RANGE_HIGH_OPEN;
	o.batch = 2;
	EXPECT_EQ(0, kreg_fold(self->table, &o, note_letter, &some));
	EXPECT_STREQ("cde", some.letters);
}

TEST_F(fold, foldr_ordered)
{
	struct kreg_scan_options o = KREG_SCAN_OPTIONS_INIT;
	struct given g = { 0 };

	ASSERT_EQ(0, put_letters(self->table, LETTERS));
	o.flags = KREG_SCAN_REVERSE;
	o.batch = 3;
	if (!self->ordered) {
		EXPECT_EQ(-EOPNOTSUPP, kreg_fold(self->table, &o, note_letter, &g));
		EXPECT_STREQ("table 'bag' is a set, which has no order: create it with type ordered_set",
			     kreg_errmsg());
		EXPECT_EQ(0, g.n);
		return;
	}
	EXPECT_EQ(0, kreg_fold(self->table, &o, note_letter, &g));
	EXPECT_STREQ("jihgfedcba", g.letters);
}

/* Several objects of a key are given one by one, in the order in which they came, or back. */
TEST_F(fold, of_bags)
{
	struct kreg_scan_options o = KREG_SCAN_OPTIONS_INIT;
	struct given forwards = { 0 }, backwards = { 0 };
	bool twice = variant->type == KREG_TYPE_DUPLICATE_BAG;

	if (!self->several)
		return;
	ASSERT_EQ(0, put_letters(self->table, "cab"));
	ASSERT_EQ(0, put_letters(self->table, "bb"));
	o.batch = 1;
	EXPECT_EQ(0, kreg_fold(self->table, &o, note_letter, &forwards));
	EXPECT_STREQ(twice ? "abbbc" : "abc", forwards.letters);
	o.flags = KREG_SCAN_REVERSE;
	EXPECT_EQ(0, kreg_fold(self->table, &o, note_letter, &backwards));
	EXPECT_STREQ(twice ? "cbbba" : "cba", backwards.letters);
}

TEST_F(fold, fold_empty)
{
	struct given g = { 0 };

	EXPECT_EQ(0, kreg_fold(self->table, NULL, note_letter, &g));
	EXPECT_EQ(0, g.n);
}

static int destroy_it(const struct kreg_object *object, void *arg)
{
	struct given *g = arg;

	note_letter(object, g);
	return kreg_table_destroy(g->table);
}

/* Options that make no sense; a table that is gone, or goes amid it. */
TEST_F(fold, fold_badarg)
{
	struct kreg_scan_options o = KREG_SCAN_OPTIONS_INIT;
	struct given g = { .table = self->table };

	o.range = KREG_RANGE_EXACT;
	EXPECT_EQ(-EINVAL, kreg_fold(self->table, &o, note_letter, &g));
	EXPECT_EQ(0, g.n);
	ASSERT_EQ(0, put_letters(self->table, LETTERS));
	o.range = 0;
	o.batch = 1;
	EXPECT_EQ(-ESTALE, kreg_fold(self->table, &o, destroy_it, &g));
	EXPECT_EQ(1, g.n);
	EXPECT_EQ(-ESTALE, kreg_fold(self->table, NULL, note_letter, &g));
	EXPECT_EQ(1, g.n);
}

/* What the function returns ends it, and is returned. */
TEST_F(fold, ended)
{
	struct given g = { .stop = 3, .ret = 7 };

	ASSERT_EQ(0, put_letters(self->table, LETTERS));
	EXPECT_EQ(7, kreg_fold(self->table, NULL, note_letter, &g));
	EXPECT_EQ(3, g.n);
	g = (struct given){ .stop = 1, .ret = -EIO };
	EXPECT_EQ(-EIO, kreg_fold(self->table, NULL, note_letter, &g));
	EXPECT_EQ(1, g.n);
}

/* Removes the object and that of another key, which comes before it or after it; puts one back. */
static int remove_two(const struct kreg_object *object, void *arg)
{
	struct given *g = arg;
	char letter = letter_of(object), other = letter ^ 1;
	int removed;

	note_letter(object, g);
	removed = kreg_del(g->table, &letter, 1);
	if (removed == 1)
		removed = kreg_del(g->table, &other, 1);
	return removed < 0 ? removed : put_letters(g->table, "z");
}

/* None is given twice, none that was removed before, and it comes to an end. */
TEST_F(fold, removed_meanwhile)
{
	struct kreg_scan_options o = KREG_SCAN_OPTIONS_INIT;
	struct given g = { .table = self->table };
	uint64_t count;

	ASSERT_EQ(0, put_letters(self->table, LETTERS));
	o.batch = 1;
	o.high = "y";
	o.high_len = 1;
	EXPECT_EQ(0, kreg_fold(self->table, &o, remove_two, &g));
	/* Of each pair of letters that differ in their last bit there is one; a and j have none. */
	EXPECT_EQ(6, g.n);
	EXPECT_EQ(NULL, strchr(g.letters, '?'));
	o.batch = 0;
	ASSERT_EQ(0, kreg_scan_count(self->table, &o, &count));
	EXPECT_EQ(0, count);
}

static int clear_it(const struct kreg_object *object, void *arg)
{
	struct given *g = arg;

	note_letter(object, g);
	return kreg_clear(g->table, NULL);
}

/* By a pin it is given what was there. */
TEST_F(fold, pinned)
{
	struct kreg_scan_options o = KREG_SCAN_OPTIONS_INIT;
	struct given all = { .table = self->table }, one = { .table = self->table };
	struct kreg_pin *pin;

	ASSERT_EQ(0, put_letters(self->table, LETTERS));
	ASSERT_EQ(0, kreg_pin_set(self->table, 0, &pin));
	o.batch = 1;
	o.pin = pin;
	EXPECT_EQ(0, kreg_fold(self->table, &o, clear_it, &all));
	EXPECT_STREQ(SORTED, sorted(&all));
	kreg_pin_end(pin);
	ASSERT_EQ(0, put_letters(self->table, LETTERS));
	o.pin = NULL;
	EXPECT_EQ(0, kreg_fold(self->table, &o, clear_it, &one));
	EXPECT_EQ(1, one.n);
}

TEST_HARNESS_MAIN
