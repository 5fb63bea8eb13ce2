// SPDX-License-Identifier: GPL-2.0
/*
 * What ets_SUITE of Erlang/OTP requires of bags. The names are those of its cases.
 */
#include "kit/fixture.h"
#include "kit/bag.h"

#define BATCH		500
#define LETTERS		4

FIXTURE(ets) {
	struct test_base base;
	int fd;
	__u64 bag;
	__u64 duplicate_bag;
};

FIXTURE_SETUP(ets)
{
	self->fd = test_setup(_metadata, &self->base);
	ASSERT_EQ(0, _test_create_type(self->fd, "bag", KREG_TYPE_BAG, KREG_ACCESS_PUBLIC,
				       &self->bag));
	ASSERT_EQ(0, _test_create_type(self->fd, "duplicate_bag", KREG_TYPE_DUPLICATE_BAG,
				       KREG_ACCESS_PUBLIC, &self->duplicate_bag));
}

FIXTURE_TEARDOWN_PARENT(ets)
{
	test_teardown(_metadata, &self->base);
}

/* A set has the last value of a key; a bag has all. */
TEST_F(ets, setbag)
{
	__u64 set;

	test_create(self->fd, "set", KREG_ACCESS_PUBLIC, &set);
	test_puts(self->fd, set, "key", "a");
	test_puts(self->fd, set, "key", "b");
	test_gets(self->fd, set, "key", "b");
	test_puts(self->fd, self->bag, "key", "a");
	test_puts(self->fd, self->bag, "key", "b");
	EXPECT_TRUE(test_values(self->fd, self->bag, "key", "ab"));
	EXPECT_EQ(1, test_objects(self->fd, set));
	EXPECT_EQ(2, test_objects(self->fd, self->bag));
}

/* What a list of letters becomes when one is added to its end, or all of one are removed. */
static void model_add(char *list, char letter, bool once)
{
	size_t len = strlen(list);

	if (once && strchr(list, letter))
		return;
	list[len] = letter;
	list[len + 1] = '\0';
}

static void model_remove(char *list, char letter)
{
	char *to = list;

	for (; *list; list++)
		if (*list != letter)
			*to++ = *list;
	*to = '\0';
}

/* Every way to add, remove and add again so many letters. */
static void permute(struct __test_metadata *_metadata, int fd, __u64 table, bool once)
{
	unsigned int way, ways = 1, step, i;

	for (i = 0; i < 5; i++)
		ways *= LETTERS;
	for (way = 0; way < ways; way += 1 + test_factor("KREG_TEST_SHRINK") / 2) {
		char list[16] = "", letter[2] = "";

		for (i = way, step = 0; step < 5; step++, i /= LETTERS) {
			letter[0] = 'a' + i % LETTERS;
			if (step == 3) {
				test_removes(fd, table, "key", KREG_OP_VALUE, test_ptr(letter), 1);
				model_remove(list, letter[0]);
			} else {
				test_puts(fd, table, "key", letter);
				model_add(list, letter[0], once);
			}
		}
		EXPECT_TRUE(test_values(fd, table, "key", list)) {
			TH_LOG("way %u: not '%s'", way, list);
		}
		test_delete(fd, table, "key");
	}
}

TEST_F(ets, lookup_order)
{
	permute(_metadata, self->fd, self->bag, true);
	permute(_metadata, self->fd, self->duplicate_bag, false);
}

TEST_F(ets, dups)
{
	test_puts(self->fd, self->duplicate_bag, "key", "a");
	test_puts(self->fd, self->duplicate_bag, "key", "a");
	EXPECT_EQ(2, test_objects(self->fd, self->duplicate_bag));
	EXPECT_TRUE(test_values(self->fd, self->duplicate_bag, "key", "aa"));
	test_delete(self->fd, self->duplicate_bag, "key");
	EXPECT_EQ(0, test_objects(self->fd, self->duplicate_bag));
}

/* @count numbers from @from on under one key, or each under its own. */
static void put_list(struct __test_metadata *_metadata, int fd, __u64 table, __u32 from,
		     __u32 count, bool one_key)
{
	struct kreg_op ops[BATCH];
	__u32 numbers[BATCH], i;

	ASSERT_LE(count, BATCH);
	for (i = 0; i < count; i++) {
		numbers[i] = from + i;
		ops[i] = test_op_value(KREG_OP_PUT, one_key ? (void *)"key" : &numbers[i],
				       one_key ? 3 : 4, &numbers[i], 4);
	}
	test_batch(fd, table, KREG_BATCH_ATOMIC, ops, count, NULL);
}

static void put_lists(struct __test_metadata *_metadata, int fd, __u64 table, __u32 total)
{
	__u32 from;

	for (from = 0; from < total; from += BATCH)
		put_list(_metadata, fd, table, from, BATCH, false);
}

TEST_F(ets, t_insert_list_bag)
{
	__u32 total = test_size(25000) / BATCH * BATCH;

	put_lists(_metadata, self->fd, self->bag, total);
	put_lists(_metadata, self->fd, self->bag, total);
	EXPECT_EQ(total, test_objects(self->fd, self->bag));
}

TEST_F(ets, t_insert_list_duplicate_bag)
{
	__u32 total = test_size(25000) / BATCH * BATCH;

	put_lists(_metadata, self->fd, self->duplicate_bag, total);
	put_lists(_metadata, self->fd, self->duplicate_bag, total);
	EXPECT_EQ(2 * total, test_objects(self->fd, self->duplicate_bag));
}

/* Whether the values of "key" are the numbers from 0 on. */
static bool are_in_order(int fd, __u64 table, __u32 total)
{
	static __u64 room[8192 * 6];
	struct kreg_op op = test_op_value(KREG_OP_GET, "key", 3, room, sizeof(room));
	const struct kreg_object *o = (void *)room;
	__u32 i, number;

	if (_test_op(fd, table, 0, &op) || op.out_count != total)
		return false;
	for (i = 0; i < total; i++) {
		memcpy(&number, (const char *)(o + 1) + 3, 4);
		if (number != i)
			return false;
		o = (void *)((const char *)o + o->size);
	}
	return true;
}

TEST_F(ets, t_insert_list_insert_order_preserved)
{
	__u32 from;

	for (from = 0; from < 5000; from += BATCH) {
		put_list(_metadata, self->fd, self->bag, from, BATCH, true);
		put_list(_metadata, self->fd, self->duplicate_bag, from, BATCH, true);
	}
	EXPECT_TRUE(are_in_order(self->fd, self->bag, 5000));
	EXPECT_TRUE(are_in_order(self->fd, self->duplicate_bag, 5000));
}

/* The order stays while the table grows and shrinks around the key. */
TEST_F(ets, otp_5340)
{
	__u32 total = test_size(20000) / BATCH * BATCH;

	put_list(_metadata, self->fd, self->bag, 0, 100, true);
	put_lists(_metadata, self->fd, self->bag, total);
	put_list(_metadata, self->fd, self->bag, 100, 100, true);
	EXPECT_TRUE(are_in_order(self->fd, self->bag, 200));
	for (__u32 i = 0; i < total; i++) {
		struct kreg_op op = test_op(KREG_OP_DELETE, &i, 4);

		test_op_(self->fd, self->bag, 0, &op);
	}
	EXPECT_TRUE(are_in_order(self->fd, self->bag, 200));
	EXPECT_EQ(200, test_objects(self->fd, self->bag));
}

TEST_F(ets, t_delete_object)
{
	struct {
		__u64 table;
		const char *left;
		int removed;
	} tables[] = { { self->bag, "b", 1 }, { self->duplicate_bag, "b", 2 } };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(tables); i++) {
		__u64 table = tables[i].table;

		test_puts(self->fd, table, "key", "a");
		test_puts(self->fd, table, "key", "b");
		test_puts(self->fd, table, "key", "a");
		test_puts(self->fd, table, "other", "a");
		EXPECT_EQ(tables[i].removed, test_removes(self->fd, table, "key", KREG_OP_VALUE,
							  test_ptr("a"), 1));
		EXPECT_EQ(0, test_removes(self->fd, table, "key", KREG_OP_VALUE, test_ptr("c"), 1));
		EXPECT_TRUE(test_values(self->fd, table, "key", tables[i].left));
		EXPECT_TRUE(test_values(self->fd, table, "other", "a"));
	}
}

TEST_HARNESS_MAIN
