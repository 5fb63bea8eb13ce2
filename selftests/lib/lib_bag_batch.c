// SPDX-License-Identifier: GPL-2.0
/* libkreg: batches of reads where keys have several objects. */
#include "lib/bag.h"

FIXTURE(bag)
{
	struct kreg_client *client;
	struct kreg_table *table;
	struct kreg_batch *batch;
};

FIXTURE_VARIANT(bag)
{
	enum kreg_type type;
	unsigned int flags;		/* of the batch */
	unsigned int several;		/* objects of the key "several" */
};

FIXTURE_VARIANT_ADD(bag, set) { .type = KREG_TYPE_SET, .several = 1 };
FIXTURE_VARIANT_ADD(bag, bag) { .type = KREG_TYPE_BAG, .several = 3 };
FIXTURE_VARIANT_ADD(bag, duplicate_bag) {
	.type = KREG_TYPE_DUPLICATE_BAG, .flags = KREG_BATCH_ATOMIC, .several = 3,
};

FIXTURE_SETUP(bag)
{
	ASSERT_EQ(0, open_bag(variant->type, &self->client, &self->table));
	ASSERT_EQ(0, kreg_batch_new(self->table, variant->flags, &self->batch));
	ASSERT_EQ(0, kreg_put(self->table, "one", 3, "x", 1));
	ASSERT_EQ(0, kreg_put(self->table, "several", 7, "a", 1));
	ASSERT_EQ(0, kreg_put(self->table, "several", 7, "bc", 2));
	ASSERT_EQ(0, kreg_put(self->table, "several", 7, "last", 4));
}

FIXTURE_TEARDOWN(bag)
{
	kreg_batch_free(self->batch);
	close_bag(self->client, self->table);
}

static bool is(const struct kreg_object *object, const char *key, const char *value)
{
	size_t key_len = 0, value_len = 0;
	const void *k = object ? kreg_object_key(object, &key_len) : NULL;
	const void *v = object ? kreg_object_value(object, &value_len) : NULL;

	return k && v && key_len == strlen(key) && !memcmp(k, key, key_len) &&
	       value_len == strlen(value) && !memcmp(v, value, value_len) &&
	       kreg_object_version(object);
}

/* All objects of a key, in the order in which they came, beside those of others. */
TEST_F(bag, gets)
{
	static const char * const values[] = { "a", "bc", "last" };
	const struct kreg_object *object = NULL;
	unsigned int i, round;

	ASSERT_EQ(0, kreg_batch_get(self->batch, "one", 3, 64));
	ASSERT_EQ(1, kreg_batch_get(self->batch, "none", 4, 64));
	ASSERT_EQ(2, kreg_batch_get(self->batch, "several", 7, 128));
	ASSERT_EQ(3, kreg_batch_get(self->batch, "one", 3, 61));
	/* The same once more, since it may be run again. */
	for (round = 0; round < 2; round++) {
		ASSERT_EQ(3, kreg_batch_run(self->batch));
		EXPECT_TRUE(is(kreg_batch_object(self->batch, 0), "one", "x"));
		EXPECT_EQ(-ENODATA, kreg_batch_error(self->batch, 1));
		EXPECT_EQ(NULL, kreg_batch_object(self->batch, 1));
		EXPECT_EQ(NULL, kreg_batch_object_next(self->batch, 1, NULL));
		EXPECT_EQ(0, kreg_batch_count_of(self->batch, 1));
		EXPECT_EQ(0, kreg_batch_room_of(self->batch, 1));
		EXPECT_EQ(variant->several, kreg_batch_count_of(self->batch, 2));
		for (i = 3 - variant->several; i < 3; i++) {
			object = kreg_batch_object_next(self->batch, 2, object);
			EXPECT_TRUE(is(object, "several", values[i]));
		}
		object = kreg_batch_object_next(self->batch, 2, object);
		EXPECT_EQ(NULL, object);
		object = kreg_batch_object(self->batch, 3);
		EXPECT_TRUE(is(object, "one", "x"));
		EXPECT_EQ(NULL, kreg_batch_object_next(self->batch, 3, object));
		object = NULL;
	}
	EXPECT_EQ(NULL, kreg_batch_object_next(self->batch, 4, NULL));
}

/* Each may have too little room by itself, and what it needs is told. */
TEST_F(bag, room)
{
	size_t need;

	ASSERT_EQ(0, kreg_batch_get(self->batch, "several", 7, 3));
	ASSERT_EQ(1, kreg_batch_get(self->batch, "several", 7, 0));
	ASSERT_EQ(2, kreg_batch_member(self->batch, "several", 7));
	ASSERT_EQ(3, kreg_batch_get(self->batch, "one", 3, 64));
	ASSERT_EQ(2, kreg_batch_run(self->batch));
	EXPECT_EQ(-EMSGSIZE, kreg_batch_error(self->batch, 0));
	EXPECT_EQ(-EMSGSIZE, kreg_batch_error(self->batch, 1));
	EXPECT_EQ(variant->several, kreg_batch_count_of(self->batch, 2));
	need = kreg_batch_room_of(self->batch, 0);
	EXPECT_EQ(need, kreg_batch_room_of(self->batch, 1));
	EXPECT_EQ(need, kreg_batch_room_of(self->batch, 2));
	if (variant->type == KREG_TYPE_SET) {
		EXPECT_EQ(4, need);
	} else {
		EXPECT_EQ(NULL, kreg_batch_object(self->batch, 0));
		EXPECT_GE(3 * 32 + 3 * 7 + 1 + 2 + 4, need);
	}
	kreg_batch_reset(self->batch);
	ASSERT_EQ(0, kreg_batch_get(self->batch, "several", 7, need));
	ASSERT_EQ(1, kreg_batch_get(self->batch, "several", 7, need - 1));
	ASSERT_EQ(1, kreg_batch_run(self->batch));
	EXPECT_EQ(need, kreg_batch_room_of(self->batch, 0));
	EXPECT_EQ(variant->several, kreg_batch_count_of(self->batch, 0));
	EXPECT_EQ(-EMSGSIZE, kreg_batch_error(self->batch, 1));
}

/* More than a value may have, but no more than a batch. */
TEST_F(bag, much_room)
{
	bool set = variant->type == KREG_TYPE_SET;
	static char value[KREG_MAX_VALUE];
	const struct kreg_object *object;
	size_t len;

	ASSERT_EQ(1, kreg_del(self->table, "one", 3));
	ASSERT_EQ(0, kreg_put(self->table, "one", 3, value, sizeof(value)));
	value[0] = 'b';
	ASSERT_EQ(0, kreg_put(self->table, "one", 3, value, sizeof(value)));
	EXPECT_EQ(-EFBIG, kreg_batch_get(self->batch, "one", 3, (4 << 20) + 1));
	EXPECT_EQ(set ? -EFBIG : 0, kreg_batch_get(self->batch, "one", 3, (2 << 20) + 64));
	EXPECT_EQ(set ? 0 : -ENOBUFS,
		  kreg_batch_get(self->batch, "one", 3, set ? 1 << 20 : 3 << 20));
	ASSERT_EQ(1, kreg_batch_run(self->batch));
	object = kreg_batch_object(self->batch, 0);
	if (!set)
		object = kreg_batch_object_next(self->batch, 0, object);
	ASSERT_NE(NULL, object);
	EXPECT_EQ(0, memcmp(value, kreg_object_value(object, &len), sizeof(value)));
	EXPECT_EQ(sizeof(value), len);
}

TEST_HARNESS_MAIN
