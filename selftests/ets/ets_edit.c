// SPDX-License-Identifier: GPL-2.0
/*
 * What ets_SUITE of Erlang/OTP requires of counters, of parts of objects, and of deleting by
 * object, as far as the ABI has it. The names are those of its cases. An element is one of four
 * numbers.
 */
#include <limits.h>

#include "kit/fixture.h"
#include "kit/edit.h"
#include "kit/kid.h"

#define SIZE	8
#define COUNT	4

FIXTURE(ets) {
	struct test_base base;
	int fd;
	__u64 table;
};

FIXTURE_SETUP(ets)
{
	self->fd = test_setup(_metadata, &self->base);
	test_create(self->fd, "ets", KREG_ACCESS_PUBLIC, &self->table);
}

FIXTURE_TEARDOWN_PARENT(ets)
{
	test_teardown(_metadata, &self->base);
}

static void expect_object(struct __test_metadata *_metadata, int fd, __u64 table, const char *key,
			  const long *want)
{
	long got[COUNT] = { 0 };

	EXPECT_EQ(sizeof(got), _test_get(fd, table, key, strlen(key), got, sizeof(got)));
	EXPECT_EQ(0, memcmp(want, got, sizeof(got))) {
		TH_LOG("%ld %ld %ld %ld", got[0], got[1], got[2], got[3]);
	}
}

/* t_delete_object: the very object, true even if there is none, and its size in the end */
TEST_F(ets, t_delete_object)
{
	struct kreg_op op;
	char value[8];
	int i;

	for (i = 0; i < 200; i++) {
		test_put(self->fd, self->table, &i, sizeof(i), value,
			 snprintf(value, sizeof(value), "%d", i));
	}
	for (i = 0; i < 200; i++) {
		op = test_op(KREG_OP_DELETE, &i, sizeof(i));
		test_if_value(&op, value, snprintf(value, sizeof(value), "%d", i + i % 2));
		EXPECT_EQ(i % 2 ? -ECANCELED : 0, _test_op(self->fd, self->table, 0, &op));
	}
	EXPECT_EQ(100, test_objects(self->fd, self->table));
	EXPECT_EQ(100, test_count(self->fd, self->table));
}

/* lookup_element_mult, heavy_lookup_element: any element of many objects, again and again */
TEST_F(ets, lookup_element_mult)
{
	const unsigned int count = test_size(7000) + 1;
	long x[COUNT], got;
	unsigned int i, e;

	for (i = 0; i < count; i++) {
		for (e = 0; e < COUNT; e++)
			x[e] = (long)i * COUNT + e;
		test_put(self->fd, self->table, &i, sizeof(i), x, sizeof(x));
	}
	for (i = 0; i < count; i++) {
		for (e = 0; e < COUNT; e++) {
			struct kreg_op op = test_op_value(KREG_OP_GET, &i, sizeof(i), &got, SIZE);

			op.flags = KREG_OP_PART;
			op.offset = e * SIZE;
			ASSERT_EQ(0, _test_op(self->fd, self->table, 0, &op));
			ASSERT_EQ((long)i * COUNT + e, got);
		}
	}
}

/* lookup_element_default: a missing key and a position that is not there are told apart */
TEST_F(ets, lookup_element_default)
{
	struct kreg_op op;
	long x;

	test_put(self->fd, self->table, "foo", 3, "12345678", SIZE);
	op = test_op_value(KREG_OP_GET, "bar", 3, &x, SIZE);
	op.flags = KREG_OP_PART;
	op.offset = SIZE + 1;
	test_err_op(ENODATA, self->fd, self->table, 0, &op);
	op.key = test_ptr("foo");
	test_err_op(ERANGE, self->fd, self->table, 0, &op);
}

/* update_element: one, many, none at a bad position; the last at a position wins */
TEST_F(ets, update_element)
{
	long x[COUNT] = { 1, 2, 3, 4 }, a = 10, b = 20;
	struct kreg_field f[3];

	f[0] = test_copy(0, SIZE, &a, SIZE);
	test_err_edit(ENODATA, self->fd, self->table, "key", f, 1);
	test_put(self->fd, self->table, "key", 3, x, sizeof(x));
	test_edit(self->fd, self->table, "key", f, 1);
	x[1] = 10;
	expect_object(_metadata, self->fd, self->table, "key", x);
	f[1] = test_copy(0, 3 * SIZE, &b, SIZE);
	f[2] = test_copy(0, SIZE, &b, SIZE);
	test_edit(self->fd, self->table, "key", f, 3);
	x[1] = 20;
	x[3] = 20;
	expect_object(_metadata, self->fd, self->table, "key", x);
	f[0] = test_copy(0, 0, &a, SIZE);
	f[2] = test_copy(0, COUNT * SIZE, &a, SIZE);
	test_err_edit(ERANGE, self->fd, self->table, "key", f, 3);
	expect_object(_metadata, self->fd, self->table, "key", x);
}

/* update_element_default: the default object, and then the update */
TEST_F(ets, update_element_default)
{
	long x[COUNT] = { 1, 2, 3, 4 }, a = 10;
	struct kreg_field f = test_copy(0, 2 * SIZE, &a, SIZE);

	test_edit_from(self->fd, self->table, "key", &f, 1, x, sizeof(x));
	x[2] = 10;
	expect_object(_metadata, self->fd, self->table, "key", x);
	a = 11;
	test_edit_from(self->fd, self->table, "key", &f, 1, "not this", 8);
	x[2] = 11;
	expect_object(_metadata, self->fd, self->table, "key", x);
}

/* What ETS does with {Pos, Incr, Threshold, SetValue}. */
static long bounded(long x, long by, long threshold, long set)
{
	__int128 sum = (__int128)x + by;

	return by >= 0 ? sum > threshold ? set : (long)sum : sum < threshold ? set : (long)sum;
}

/* update_counter: sizes, signs, lists, thresholds, a thousand times; what fails changes nothing */
TEST_F(ets, update_counter)
{
	static const long edges[] = {
		0, 1, -1, 27, -27, INT_MAX, INT_MIN, 1L << 59, -(1L << 59), LONG_MAX, LONG_MIN,
	};
	long x[COUNT] = { 0 }, next[COUNT];
	struct kreg_field f[4];
	unsigned int seed = 1, i, j, n, at;

	test_put(self->fd, self->table, "key", 3, x, sizeof(x));
	for (i = 0; i < 1000; i++) {
		memcpy(next, x, sizeof(x));
		seed = seed * 1103515245 + 12345;
		n = 1 + (seed >> 16) % ARRAY_SIZE(f);
		for (j = 0; j < n; j++) {
			seed = seed * 1103515245 + 12345;
			at = (seed >> 8) % COUNT;
			f[j] = test_add(at * SIZE, edges[(seed >> 12) % ARRAY_SIZE(edges)]);
			f[j].flags = KREG_FIELD_THRESHOLD;
			f[j].threshold = edges[(seed >> 18) % ARRAY_SIZE(edges)];
			f[j].set = edges[(seed >> 24) % ARRAY_SIZE(edges)];
			next[at] = bounded(next[at], f[j].operand, f[j].threshold, f[j].set);
		}
		test_edit(self->fd, self->table, "key", f, n);
		memcpy(x, next, sizeof(x));
		expect_object(_metadata, self->fd, self->table, "key", x);
		EXPECT_EQ(x[at], (long)f[n - 1].out);
		/* One of the list is invalid. */
		f[(seed >> 10) % n] = test_add(i % 2 ? COUNT * SIZE : COUNT * SIZE - 1, 1);
		test_err_edit(ERANGE, self->fd, self->table, "key", f, n);
		expect_object(_metadata, self->fd, self->table, "key", x);
	}
	f[0] = test_add(0, 1);
	test_err_edit(ENODATA, self->fd, self->table, "none", f, 1);
}

/* The kid counts one element up by 2, one down by 1, and one in a circle of 10. */
static long job_evil(struct job *job)
{
	long i, err = 0;

	for (i = 0; i < (long)job->arg && !err; i++) {
		struct kreg_field f[3] = {
			test_add(0, 2), test_add(SIZE, -1), test_add(2 * SIZE, 1),
		};

		f[2].flags = KREG_FIELD_THRESHOLD;
		f[2].threshold = 9;
		err = _test_edit(job->fd, job->table, "key", f, 3);
		if (!err && ((long)f[0].out != -2 * (long)f[1].out || f[2].out > 9))
			err = -EBADMSG;
	}
	return err;
}

/* evil_update_counter: forty processes */
TEST_F(ets, evil_update_counter)
{
	const long each = test_size(250) + 10, kids = 40;
	long x[COUNT] = { 0 };
	struct kid *kid[40];
	int i;

	test_put(self->fd, self->table, "key", 3, x, sizeof(x));
	for (i = 0; i < kids; i++) {
		kid[i] = kid_start(_metadata);
		kid[i]->job->table = self->table;
		kid[i]->job->arg = each;
	}
	for (i = 0; i < kids; i++)
		kid_ask(kid[i], job_evil);
	for (i = 0; i < kids; i++) {
		EXPECT_EQ(0, kid_answer(kid[i]));
		kid_kill(kid[i]);
	}
	x[0] = 2 * kids * each;
	x[1] = -kids * each;
	x[2] = kids * each % 10;
	expect_object(_metadata, self->fd, self->table, "key", x);
}

/* update_counter_with_default: the object is there afterwards, once */
TEST_F(ets, update_counter_with_default)
{
	const long x[COUNT] = { 10, 0, 0, 0 }, y[COUNT] = { 12, 0, 5, 0 };
	struct kreg_field f[2] = { test_add(0, 1), test_add(2 * SIZE, 5) };

	EXPECT_EQ(3, test_count_up(self->fd, self->table, "a", 3));
	EXPECT_EQ(1, test_count_up(self->fd, self->table, "a", -2));
	test_edit_from(self->fd, self->table, "key", f, 1, x, sizeof(x));
	EXPECT_EQ(11, f[0].out);
	test_edit_from(self->fd, self->table, "key", f, 2, x, sizeof(x));
	expect_object(_metadata, self->fd, self->table, "key", y);
	EXPECT_EQ(2, test_objects(self->fd, self->table));
}

/* update_counter_with_default_bad_pos, _bad_default: what fails does not change the size */
TEST_F(ets, update_counter_with_default_bad_pos)
{
	struct kreg_field f = test_add(SIZE, 1);
	struct kreg_info info;
	long x = LONG_MAX;

	test_err_edit_from(ERANGE, self->fd, self->table, "key", &f, 1, &x, sizeof(x));
	f.offset = 0;
	test_err_edit_from(ERANGE, self->fd, self->table, "key", &f, 1, &x, sizeof(x) - 1);
	test_err_edit_from(EOVERFLOW, self->fd, self->table, "key", &f, 1, &x, sizeof(x));
	test_err_edit_from(EFAULT, self->fd, self->table, "key", &f, 1, NULL, sizeof(x));
	test_info(self->fd, self->table, &info);
	EXPECT_EQ(0, info.objects);
	test_err_member(ENODATA, self->fd, self->table, "key");
}

TEST_HARNESS_MAIN
