// SPDX-License-Identifier: GPL-2.0
/*
 * What ets_SUITE of Erlang/OTP requires of match and select, in terms of filters. The names are
 * those of its cases.
 */
#include <endian.h>
#include <stddef.h>

#include "kit/fixture.h"
#include "kit/edit.h"
#include "kit/filter.h"

#define OBJECTS		1100
#define MOST		4096

FIXTURE(ets) {
	struct test_base base;
	int fd;
	__u64 table;
	bool ordered, several;
};

FIXTURE_VARIANT(ets) {
	__u32 type;
};

FIXTURE_VARIANT_ADD(ets, set) { .type = KREG_TYPE_SET };
FIXTURE_VARIANT_ADD(ets, ordered_set) { .type = KREG_TYPE_ORDERED_SET };
FIXTURE_VARIANT_ADD(ets, bag) { .type = KREG_TYPE_BAG };
FIXTURE_VARIANT_ADD(ets, duplicate_bag) { .type = KREG_TYPE_DUPLICATE_BAG };

FIXTURE_SETUP(ets)
{
	self->fd = test_setup(_metadata, &self->base);
	ASSERT_EQ(0, _test_create_type(self->fd, "select", variant->type, KREG_ACCESS_PUBLIC,
				       &self->table));
	self->ordered = variant->type != KREG_TYPE_SET;
	self->several = variant->type == KREG_TYPE_BAG || variant->type == KREG_TYPE_DUPLICATE_BAG;
}

FIXTURE_TEARDOWN_PARENT(ets)
{
	test_teardown(_metadata, &self->base);
}

/* {Key, Kind, Number}: the key is the number, with its highest byte first. */
struct tuple {
	__u32 kind;
	__u32 number;
};

static int put_tuple(int fd, __u64 table, __u32 kind, __u32 number)
{
	struct tuple tuple = { kind, number };
	__u32 key = htobe32(number);

	return _test_put(fd, table, &key, sizeof(key), &tuple, sizeof(tuple));
}

/* So many, each third of another kind. */
static int put_tuples(int fd, __u64 table, __u32 n)
{
	__u32 i;
	int err = 0;

	for (i = 0; i < n && !err; i++)
		err = put_tuple(fd, table, i % 3, i);
	return err;
}

static struct kreg_term of_kind(__u32 kind)
{
	return test_u32(KREG_TERM_EQ, offsetof(struct tuple, kind), kind);
}

struct found {
	__u32 n;
	__u32 numbers[MOST];
};

/* Select, in portions of at most @chunk; 0: as many as fit. */
static int select_chunks(int fd, struct kreg_ioc_scan cmd, __u32 chunk, struct found *found)
{
	static __u64 room[1 << 16];
	__u32 after, i;
	int err;

	found->n = 0;
	do {
		const struct kreg_object *o = (void *)room;

		cmd.buf = test_ptr(room);
		cmd.buf_len = sizeof(room);
		cmd.max_count = chunk;
		err = _test_scan(fd, &cmd);
		if (err)
			return err;
		for (i = 0; i < cmd.out_count && found->n < MOST; i++, o = (void *)o + o->size) {
			struct tuple tuple;

			memcpy(&after, o + 1, sizeof(after));
			memcpy(&tuple, (char *)(o + 1) + o->key_len, sizeof(tuple));
			found->numbers[found->n++] = tuple.number;
			cmd.range.after = test_ptr(&after);
			cmd.range.after_len = sizeof(after);
			cmd.range.after_version = o->version;
			cmd.range.after_sub = o->sub;
		}
	} while (cmd.out_more);
	return 0;
}

static int select_by(int fd, __u64 table, const struct kreg_term *terms, __u32 count, __u32 chunk,
		     __u32 flags, struct found *found)
{
	struct kreg_ioc_scan cmd = { .table = table, .flags = flags };

	test_set_filter(&cmd.range, terms, count);
	return select_chunks(fd, cmd, chunk, found);
}

/* How many were deleted, or -errno. */
static long select_delete(int fd, __u64 table, const struct kreg_term *terms, __u32 count)
{
	struct kreg_ioc_change cmd = test_change_cmd(table, terms, count);
	int err = _test_change(fd, &cmd);

	return err ? err : (long)cmd.out_count;
}

/* match1, match2, match_object: what matches is found, and nothing else, in the order of keys. */
TEST_F(ets, match)
{
	static struct found found;
	__u32 n = test_size(OBJECTS), i, wrong = 0;
	struct kreg_term terms[2] = { of_kind(1) };

	ASSERT_EQ(0, put_tuples(self->fd, self->table, n));
	ASSERT_EQ(0, select_by(self->fd, self->table, terms, 1, 0, 0, &found));
	EXPECT_EQ((n + 1) / 3, found.n);
	for (i = 0; i < found.n; i++)
		wrong += found.numbers[i] % 3 != 1 ||
			 (self->ordered && i && found.numbers[i] <= found.numbers[i - 1]);
	EXPECT_EQ(0, wrong);
	terms[1] = test_u32(KREG_TERM_LT, offsetof(struct tuple, number), 10);
	ASSERT_EQ(0, select_by(self->fd, self->table, terms, 2, 0, 0, &found));
	EXPECT_EQ(3, found.n);
	/* Nothing does. */
	terms[1] = of_kind(2);
	ASSERT_EQ(0, select_by(self->fd, self->table, terms, 2, 0, 0, &found));
	EXPECT_EQ(0, found.n);
}

/* ordered_match: a part of the key that is bound, and the rest free */
TEST_F(ets, ordered_match)
{
	static struct found found;
	struct kreg_term term = of_kind(0);
	struct kreg_ioc_scan cmd = { .table = self->table };

	ASSERT_EQ(0, put_tuples(self->fd, self->table, 600));
	test_set_filter(&cmd.range, &term, 1);
	cmd.range.low = test_ptr("\0\0\1");
	cmd.range.low_len = 3;
	cmd.range.flags = KREG_RANGE_PREFIX;
	ASSERT_EQ(0, select_chunks(self->fd, cmd, 7, &found));
	/* From 256 to 511 those that 3 divides. */
	EXPECT_EQ(85, found.n);
}

/* match_delete, t_select_delete: what was deleted is counted, and the rest stays */
TEST_F(ets, match_delete)
{
	__u32 n = test_size(OBJECTS);
	struct kreg_term term = of_kind(2);

	ASSERT_EQ(0, put_tuples(self->fd, self->table, n));
	EXPECT_EQ(n / 3, select_delete(self->fd, self->table, &term, 1));
	EXPECT_EQ(n - n / 3, test_objects(self->fd, self->table));
	EXPECT_EQ(0, select_delete(self->fd, self->table, &term, 1));
	/* As delete_all_objects. */
	EXPECT_EQ(n - n / 3, select_delete(self->fd, self->table, NULL, 0));
	EXPECT_EQ(0, test_objects(self->fd, self->table));
}

/* match_delete3: a constant object, of which there are many, and others with the same key */
TEST_F(ets, match_delete3)
{
	struct tuple same = { 1, 1 };
	struct kreg_term terms[] = {
		test_term(KREG_TERM_EQ, KREG_TERM_VALUE_LEN, 0, 0, sizeof(same)),
		test_term_bytes(KREG_TERM_VALUE, 0, &same, sizeof(same)),
	};
	__u32 i, copies = variant->type == KREG_TYPE_DUPLICATE_BAG ? 50 : 1;
	__u32 key = htobe32(1);

	for (i = 0; i < 50; i++)
		ASSERT_EQ(0, put_tuple(self->fd, self->table, 1, 1));
	if (self->several)
		test_put(self->fd, self->table, &key, sizeof(key), "another", 7);
	EXPECT_EQ(copies, select_delete(self->fd, self->table, terms, 2));
	EXPECT_EQ(self->several, test_objects(self->fd, self->table));
}

/* select_fail: a bad filter fails even if there is nothing that could match */
TEST_F(ets, select_fail)
{
	static struct found found;
	struct kreg_term term = of_kind(0);

	term.size = 3;
	EXPECT_EQ(-EINVAL, select_by(self->fd, self->table, &term, 1, 0, 0, &found));
	EXPECT_EQ(-EINVAL, test_matching(self->fd, self->table, &term, 1));
	EXPECT_EQ(-EINVAL, select_delete(self->fd, self->table, &term, 1));
}

/* otp_6338, otp_6842_select_1000, select_bound_chunk: portions of all sizes find the same */
TEST_F(ets, otp_6842_select_1000)
{
	static const __u32 chunks[] = { 1, 2, 255, 256, 257, 999, 1000, 1001, 1024 };
	__u32 n = OBJECTS, i;
	static struct found all, found;
	struct kreg_term term = of_kind(0);

	ASSERT_EQ(0, put_tuples(self->fd, self->table, n));
	ASSERT_EQ(0, select_by(self->fd, self->table, &term, 1, 0, 0, &all));
	EXPECT_EQ((n + 2) / 3, all.n);
	for (i = 0; i < ARRAY_SIZE(chunks); i++) {
		ASSERT_EQ(0, select_by(self->fd, self->table, &term, 1, chunks[i], 0, &found));
		EXPECT_EQ(all.n, found.n);
		EXPECT_EQ(0, memcmp(all.numbers, found.numbers, all.n * sizeof(all.numbers[0])));
	}
}

/* t_select_reverse: in an order, the reverse of what comes forwards */
TEST_F(ets, t_select_reverse)
{
	static struct found forwards, backwards;
	__u32 n = test_size(OBJECTS), i, wrong = 0;
	struct kreg_term term = of_kind(1);

	ASSERT_EQ(0, put_tuples(self->fd, self->table, n));
	ASSERT_EQ(0, select_by(self->fd, self->table, &term, 1, 0, 0, &forwards));
	if (!self->ordered) {
		EXPECT_EQ(-EOPNOTSUPP, select_by(self->fd, self->table, &term, 1, 0,
						 KREG_SCAN_REVERSE, &backwards));
		return;
	}
	ASSERT_EQ(0, select_by(self->fd, self->table, &term, 1, 10, KREG_SCAN_REVERSE,
			       &backwards));
	ASSERT_EQ(forwards.n, backwards.n);
	for (i = 0; i < forwards.n; i++)
		wrong += forwards.numbers[i] != backwards.numbers[forwards.n - 1 - i];
	EXPECT_EQ(0, wrong);
}

/* t_select_replace: each object by itself, its key stays; not in bags */
TEST_F(ets, t_select_replace)
{
	__u32 n = test_size(OBJECTS), nine = 9;
	struct kreg_term term = of_kind(1), replaced = of_kind(9);
	struct kreg_field f = test_copy(0, offsetof(struct tuple, kind), &nine, sizeof(nine));
	struct kreg_ioc_change cmd = test_change_edit(self->table, &term, 1, &f, 1);
	__u32 key = htobe32(4);

	ASSERT_EQ(0, put_tuples(self->fd, self->table, n));
	if (self->several) {
		test_err_change(EOPNOTSUPP, self->fd, &cmd);
		return;
	}
	/* Compare and swap: one is swapped, then none. */
	cmd.range.low = test_ptr(&key);
	cmd.range.low_len = sizeof(key);
	cmd.range.flags = KREG_RANGE_EXACT;
	test_change(self->fd, &cmd);
	EXPECT_EQ(1, cmd.out_count);
	test_change(self->fd, &cmd);
	EXPECT_EQ(0, cmd.out_count);
	cmd = test_change_edit(self->table, &term, 1, &f, 1);
	test_change(self->fd, &cmd);
	EXPECT_EQ((n + 1) / 3 - 1, cmd.out_count);
	EXPECT_EQ((n + 1) / 3, test_matching(self->fd, self->table, &replaced, 1));
	EXPECT_EQ(n, test_objects(self->fd, self->table));
}

/* t_named_select: a search goes on when its table is renamed, and not when another has the name */
TEST_F(ets, t_named_select)
{
	struct kreg_ioc_rename rename = {
		.size = sizeof(rename), .table = self->table, .name = test_ptr("renamed"),
		.name_len = 7,
	};
	struct kreg_term term = of_kind(0);
	__u64 room[64], again;
	struct kreg_ioc_scan cmd = {
		.table = self->table, .buf = test_ptr(room), .buf_len = sizeof(room),
		.max_count = 2,
	};
	__u32 after;

	ASSERT_EQ(0, put_tuples(self->fd, self->table, 30));
	test_set_filter(&cmd.range, &term, 1);
	test_scan(self->fd, &cmd);
	EXPECT_EQ(2, cmd.out_count);
	memcpy(&after, (struct kreg_object *)room + 1, sizeof(after));
	cmd.range.after = test_ptr(&after);
	cmd.range.after_len = sizeof(after);
	ASSERT_EQ(0, test_ioctl(self->fd, KREG_IOC_RENAME, &rename));
	ASSERT_EQ(0, _test_create_type(self->fd, "select", variant->type, 0, &again));
	test_scan(self->fd, &cmd);
	EXPECT_EQ(2, cmd.out_count);
	test_destroy(self->fd, self->table);
	test_err_scan(ESTALE, self->fd, &cmd);
	ASSERT_EQ(0, _test_create_type(self->fd, "renamed", variant->type, 0, &again));
	test_err_scan(ESTALE, self->fd, &cmd);
}

TEST_HARNESS_MAIN
