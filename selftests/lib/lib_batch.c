// SPDX-License-Identifier: GPL-2.0
/* libkreg: batches with counters, edits, and values as a condition. */
#include <limits.h>

#include "kit/file.h"
#include "lib/cause.h"

#define LONG	40000

/* Two of one key add up; and so it does again, when the batch is run again. */
TEST_F(lib, batch_counters)
{
	struct kreg_batch *b;
	int64_t now = 0;
	int i;

	ASSERT_EQ(0, kreg_batch_new(self->table, KREG_BATCH_ATOMIC, &b));
	EXPECT_EQ(0, kreg_batch_counter_add_from(b, "a", 1, 5, 37));
	EXPECT_EQ(1, kreg_batch_counter_add(b, "a", 1, -2));
	EXPECT_EQ(2, kreg_batch_put(b, "other", 5, "value", 5));
	EXPECT_EQ(-EINVAL, kreg_batch_number(b, 0, 0, &now));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(3, kreg_batch_run(b));
		ASSERT_EQ(0, kreg_batch_number(b, 0, 0, &now));
		EXPECT_EQ(42 + 3 * i, now);
		ASSERT_EQ(0, kreg_batch_number(b, 1, 0, &now));
		EXPECT_EQ(40 + 3 * i, now);
		EXPECT_EQ(!!i, kreg_batch_count_of(b, 0));
	}
	EXPECT_EQ(-EINVAL, kreg_batch_number(b, 1, 1, &now));
	EXPECT_EQ(-EINVAL, kreg_batch_number(b, 2, 0, &now));
	EXPECT_EQ(-EINVAL, kreg_batch_number(b, 3, 0, &now));
	ASSERT_EQ(0, kreg_counter_get(self->table, "a", 1, &now));
	EXPECT_EQ(46, now);
	kreg_batch_reset(b);
	EXPECT_EQ(0, kreg_batch_counter_add(b, "a", 1, 1));
	EXPECT_EQ(1, kreg_batch_counter_add(b, "none", 4, 1));
	EXPECT_EQ(-ENODATA, kreg_batch_run(b));
	EXPECT_TRUE(says("the key is not in"));
	EXPECT_EQ(1, kreg_batch_failed_index(b));
	ASSERT_EQ(0, kreg_counter_get(self->table, "a", 1, &now));
	EXPECT_EQ(46, now);
	kreg_batch_reset(b);
	EXPECT_EQ(0, kreg_batch_counter_add(b, "a", 1, INT64_MAX));
	EXPECT_EQ(-EOVERFLOW, kreg_batch_run(b));
	EXPECT_TRUE(says("would get larger than 64 bits hold"));
	kreg_batch_free(b);
	/* Each for itself. */
	ASSERT_EQ(0, kreg_batch_new(self->table, 0, &b));
	EXPECT_EQ(0, kreg_batch_counter_add(b, "none", 4, 1));
	EXPECT_EQ(1, kreg_batch_counter_add(b, "a", 1, 1));
	EXPECT_EQ(1, kreg_batch_run(b));
	EXPECT_EQ(-ENODATA, kreg_batch_error(b, 0));
	EXPECT_EQ(-ENODATA, kreg_batch_number(b, 0, 0, &now));
	EXPECT_EQ(0, kreg_batch_number(b, 1, 0, &now));
	EXPECT_EQ(47, now);
	kreg_batch_free(b);
}

/* Keys of all lengths, so that the fields lie at all places; and bytes that are copied. */
TEST_F(lib, batch_edits)
{
	struct kreg_edit_options o = KREG_EDIT_OPTIONS_INIT;
	struct kreg_field f[3];
	char key[64], bytes[8] = "abcdefg", room[64];
	struct kreg_batch *b;
	int64_t now;
	size_t len;
	int i;

	memset(key, 'k', sizeof(key));
	o.start = "12345678";
	o.start_len = 8;
	ASSERT_EQ(0, kreg_batch_new(self->table, KREG_BATCH_ATOMIC, &b));
	for (i = 0; i < 40; i++) {
		bytes[0] = 'A' + i;
		kreg_field_copy(&f[0], KREG_FIELD_EXTEND, 8, bytes, 8);
		kreg_field_number(&f[1], KREG_FIELD_ADD, KREG_FIELD_EXTEND, 16, i);
		kreg_field_copy(&f[2], 0, 0, "", 0);
		ASSERT_EQ(i, kreg_batch_edit(b, key, i + 1, f, 3, i == 30 ? NULL : &o));
	}
	EXPECT_EQ(-ENODATA, kreg_batch_run(b));
	EXPECT_EQ(30, kreg_batch_failed_index(b));
	ASSERT_EQ(0, kreg_put(self->table, key, 31, "12345678", 8));
	ASSERT_EQ(40, kreg_batch_run(b));
	for (i = 0; i < 40; i++) {
		ASSERT_EQ(0, kreg_batch_number(b, i, 0, &now));
		EXPECT_EQ(16, now);
		ASSERT_EQ(0, kreg_batch_number(b, i, 1, &now));
		EXPECT_EQ(i, now);
		ASSERT_EQ(0, kreg_get(self->table, key, i + 1, room, sizeof(room), &len));
		EXPECT_EQ(24, len);
		bytes[0] = 'A' + i;
		EXPECT_EQ(0, memcmp("12345678", room, 8));
		EXPECT_EQ(0, memcmp(bytes, room + 8, 8));
	}
	kreg_batch_reset(b);
	kreg_field_number(&f[0], KREG_FIELD_ADD, 0, 20, 1);
	EXPECT_EQ(0, kreg_batch_edit(b, key, 1, f, 1, NULL));
	EXPECT_EQ(-ERANGE, kreg_batch_run(b));
	EXPECT_TRUE(says("ends before the field does"));
	kreg_batch_reset(b);
	kreg_field_number(&f[0], KREG_FIELD_MAX, KREG_FIELD_WRAP, 0, 1);
	EXPECT_EQ(0, kreg_batch_edit(b, key, 1, f, 1, NULL));
	EXPECT_EQ(-EINVAL, kreg_batch_run(b));
	EXPECT_TRUE(says("a field of the batch contradicts itself"));
	kreg_batch_free(b);
}

TEST_F(lib, batch_conditions)
{
	static char value[LONG];
	struct kreg_batch *b;

	ASSERT_EQ(0, kreg_put(self->table, "a", 1, "1", 1));
	ASSERT_EQ(0, kreg_put(self->table, "b", 1, "1", 1));
	ASSERT_EQ(0, kreg_batch_new(self->table, KREG_BATCH_ATOMIC, &b));
	EXPECT_EQ(0, kreg_batch_swap_value(b, "a", 1, "1", 1, "2", 1));
	EXPECT_EQ(1, kreg_batch_del_value(b, "b", 1, "1", 1));
	EXPECT_EQ(2, kreg_batch_run(b));
	EXPECT_EQ(1, kreg_batch_count_of(b, 1));
	EXPECT_EQ(-ENODATA, kreg_member(self->table, "b", 1));
	EXPECT_EQ(-ECANCELED, kreg_batch_run(b));
	EXPECT_EQ(0, kreg_batch_failed_index(b));
	EXPECT_TRUE(says("nothing was written"));
	kreg_batch_reset(b);
	EXPECT_EQ(0, kreg_batch_swap_value(b, "a", 1, value, LONG, "2", 1));
	EXPECT_EQ(-EFBIG, kreg_batch_run(b));
	EXPECT_TRUE(says("some 16 KiB at most"));
	EXPECT_EQ(-EFBIG, kreg_batch_swap_value(b, "a", 1, value, KREG_MAX_VALUE + 1, "2", 1));
	EXPECT_EQ(1, kreg_batch_count(b));
	EXPECT_EQ(-EINVAL, kreg_batch_del_value(b, "", 0, "1", 1));
	kreg_batch_free(b);
}

TEST_F(lib, batch_put_with)
{
	struct kreg_put_options o = KREG_PUT_OPTIONS_INIT, keep = KREG_PUT_OPTIONS_INIT;
	struct kreg_put_options present = KREG_PUT_OPTIONS_INIT;
	uint64_t when = kreg_deadline(3600000), ns = 0;
	struct kreg_batch *b;

	o.expires_ns = when;
	keep.flags = KREG_OP_KEEP;
	present.flags = KREG_OP_PRESENT;
	ASSERT_EQ(0, kreg_batch_new(self->table, KREG_BATCH_ATOMIC, &b));
	EXPECT_EQ(0, kreg_batch_put_with(b, "a", 1, "1", 1, &o));
	EXPECT_EQ(1, kreg_batch_put_with(b, "b", 1, "1", 1, NULL));
	EXPECT_EQ(2, kreg_batch_put_with(b, "a", 1, "2", 1, &keep));
	EXPECT_EQ(3, kreg_batch_run(b));
	EXPECT_EQ(0, kreg_expires(self->table, "a", 1, &ns));
	EXPECT_EQ(when, ns);
	EXPECT_EQ(0, kreg_expires(self->table, "b", 1, &ns));
	EXPECT_EQ(0, ns);
	kreg_batch_reset(b);
	EXPECT_EQ(0, kreg_batch_put_with(b, "b", 1, "2", 1, &keep));
	EXPECT_EQ(1, kreg_batch_put_with(b, "c", 1, "1", 1, &present));
	EXPECT_EQ(-ENODATA, kreg_batch_run(b));
	EXPECT_EQ(1, kreg_batch_failed_index(b));
	o.ttl_ms = -1;
	EXPECT_EQ(-EINVAL, kreg_batch_put_with(b, "b", 1, "2", 1, &o));
	EXPECT_TRUE(says("a time is below 0"));
	kreg_batch_free(b);
}

/* What a batch does not do is refused when it is filled. */
TEST_F(lib, batch_refused)
{
	struct kreg_field f[KREG_MAX_FIELDS + 1];
	struct kreg_batch *b;

	kreg_field_number(&f[0], KREG_FIELD_ADD, 0, 0, 1);
	ASSERT_EQ(0, kreg_batch_new(self->table, KREG_WRITE_ASYNC, &b));
	EXPECT_EQ(-EOPNOTSUPP, kreg_batch_counter_add(b, "a", 1, 1));
	EXPECT_TRUE(says("an asynchronous batch has no edits and no conditions"));
	EXPECT_EQ(-EOPNOTSUPP, kreg_batch_counter_add_from(b, "a", 1, 1, 0));
	EXPECT_EQ(-EOPNOTSUPP, kreg_batch_edit(b, "a", 1, f, 1, NULL));
	EXPECT_EQ(-EOPNOTSUPP, kreg_batch_swap_value(b, "a", 1, "", 0, "", 0));
	EXPECT_EQ(-EOPNOTSUPP, kreg_batch_put_with(b, "a", 1, "", 0, NULL));
	EXPECT_EQ(0, kreg_batch_count(b));
	kreg_batch_free(b);
	ASSERT_EQ(0, kreg_batch_new(self->table, 0, &b));
	EXPECT_EQ(-EFBIG, kreg_batch_edit(b, "a", 1, f, KREG_MAX_FIELDS + 1, NULL));
	EXPECT_EQ(-EINVAL, kreg_batch_edit(b, "a", 1, f, 0, NULL));
	EXPECT_TRUE(says("there is no field"));
	EXPECT_EQ(0, kreg_batch_count(b));
	kreg_batch_free(b);
}

/* The batch keeps the filters, until it is reset. */
TEST_F(lib, batch_filters)
{
	struct kreg_edit_options edit = KREG_EDIT_OPTIONS_INIT;
	struct kreg_put_options put = KREG_PUT_OPTIONS_INIT;
	struct kreg_filter *is_a, *is_long;
	struct kreg_field f;
	struct kreg_batch *b;
	char value[8];
	size_t len;
	int i;

	ASSERT_EQ(0, kreg_filter_compile("value == \"a\"", &is_a, NULL));
	ASSERT_EQ(0, kreg_filter_compile("len > 3", &is_long, NULL));
	put.filter = is_a;
	edit.filter = is_long;
	kreg_field_number(&f, KREG_FIELD_ADD, 0, 0, 1);
	ASSERT_EQ(0, kreg_batch_new(self->table, KREG_BATCH_ATOMIC, &b));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, kreg_batch_put_with(b, "k", 1, "b", 1, &put));
		ASSERT_EQ(1, kreg_batch_edit(b, "n", 1, &f, 1, &edit));
		if (!i)
			kreg_batch_reset(b);
	}
	kreg_filter_free(is_a);
	kreg_filter_free(is_long);
	ASSERT_EQ(0, kreg_put(self->table, "k", 1, "a", 1));
	ASSERT_EQ(0, kreg_put(self->table, "n", 1, "abc", 3));
	EXPECT_EQ(-ECANCELED, kreg_batch_run(b));
	EXPECT_EQ(1, kreg_batch_failed_index(b));
	ASSERT_EQ(0, kreg_put(self->table, "n", 1, "\0\0\0\0\0\0\0", 8));
	EXPECT_EQ(2, kreg_batch_run(b));
	ASSERT_EQ(0, kreg_get(self->table, "k", 1, value, sizeof(value), &len));
	EXPECT_EQ('b', value[0]);
	EXPECT_EQ(-ECANCELED, kreg_batch_run(b));
	EXPECT_EQ(0, kreg_batch_failed_index(b));
	kreg_batch_free(b);
}

#define MAX_OPS		"/sys/module/kreg/parameters/max_batch_ops"
#define MAX_BYTES	"/sys/module/kreg/parameters/max_batch_bytes"

/* The administrator allows shorter ones: look-ups go by that, and the sentence tells of it. */
TEST_F(lib, lower_limits)
{
	static const char *const names[] = { MAX_OPS, MAX_BYTES };
	struct kreg_item items[100];
	struct kreg_batch *b;
	char keys[100], value[8], before[32];
	int i, ret;

	ASSERT_EQ(0, kreg_batch_new(self->table, 0, &b));
	for (i = 0; i < 100; i++) {
		keys[i] = 'a' + i;
		items[i] = (struct kreg_item){
			.key = &keys[i], .key_len = 1, .value = value, .room = sizeof(value),
		};
		ASSERT_EQ(i, kreg_batch_put(b, &keys[i], 1, "v", 1));
	}
	for (i = 0; i < 2; i++) {
		ASSERT_LT(0, test_read_file(names[i], before, sizeof(before)));
		ASSERT_EQ(0, test_write_file(names[i], "30"));
		ret = kreg_batch_run(b);
		EXPECT_EQ(-EFBIG, ret);
		EXPECT_TRUE(says(i ? "max_batch_bytes = 30)" : "max_batch_ops = 30,"));
		EXPECT_EQ(0, test_write_file(names[i], before));
		EXPECT_EQ(100, kreg_batch_run(b));
		ASSERT_EQ(0, test_write_file(names[i], "30"));
		EXPECT_EQ(100, kreg_get_many(self->table, items, 100, sizeof(items[0])));
		ASSERT_EQ(0, test_write_file(names[i], "0"));
		EXPECT_CAUSE(EFBIG, "the batch is too long",
			     kreg_get_many(self->table, items, 100, sizeof(items[0])));
		EXPECT_EQ(0, test_write_file(names[i], before));
	}
	kreg_batch_free(b);
}

TEST_HARNESS_MAIN
