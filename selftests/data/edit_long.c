// SPDX-License-Identifier: GPL-2.0
/*
 * EDIT and VALUE with values that do not fit a slot, and who else writes meanwhile.
 */
#include <sys/mman.h>

#include "kit/fixture.h"
#include "kit/await.h"
#include "kit/edit.h"
#include "kit/stream.h"

/* Longer than fits a slot. */
#define LONG	40000

FIXTURE(edit_long) {
	struct test_base base;
	int fd;
	__u64 table;
};

FIXTURE_SETUP(edit_long)
{
	self->fd = test_setup(_metadata, &self->base);
	test_create(self->fd, "edit_long", KREG_ACCESS_PUBLIC, &self->table);
}

FIXTURE_TEARDOWN_PARENT(edit_long)
{
	test_teardown(_metadata, &self->base);
}

static void fill(char *bytes, __u32 len)
{
	__u32 i;

	for (i = 0; i < len; i++)
		bytes[i] = i * 7 + i / 251;
}

static void expect_long(struct __test_metadata *_metadata, int fd, __u64 table, const char *want,
			__u32 len)
{
	char *got = malloc(len + 1);

	ASSERT_NE(NULL, got);
	EXPECT_EQ(len, _test_get(fd, table, "k", 1, got, len + 1));
	EXPECT_EQ(0, memcmp(want, got, len));
	free(got);
}

/* Values that are long before, after, or on the way. */
TEST_F(edit_long, long_values)
{
	static char want[LONG * 2], patch[LONG];
	struct kreg_field f[3];

	fill(want, sizeof(want));
	memset(patch, 'p', sizeof(patch));
	test_put(self->fd, self->table, "k", 1, want, LONG);
	f[0] = test_copy(0, 1000, patch, 20000);
	f[1] = test_add(LONG - 8, 1);
	test_edit(self->fd, self->table, "k", f, 2);
	memcpy(want + 1000, patch, 20000);
	*(__u64 *)(want + LONG - 8) += 1;
	EXPECT_EQ(*(__u64 *)(want + LONG - 8), f[1].out);
	EXPECT_EQ(LONG, f[0].out);
	expect_long(_metadata, self->fd, self->table, want, LONG);
	/* From long to short. */
	f[0] = test_copy(KREG_FIELD_TRUNCATE, 100, "end", 3);
	test_edit(self->fd, self->table, "k", f, 1);
	memcpy(want + 100, "end", 3);
	expect_long(_metadata, self->fd, self->table, want, 103);
	/* From short to long. */
	f[0] = test_copy(KREG_FIELD_EXTEND, LONG, patch, LONG);
	test_edit(self->fd, self->table, "k", f, 1);
	memset(want + 103, 0, LONG - 103);
	memcpy(want + LONG, patch, LONG);
	expect_long(_metadata, self->fd, self->table, want, LONG * 2);
	f[0].offset++;
	f[0].flags = 0;
	test_err_edit(ERANGE, self->fd, self->table, "k", f, 1);
	/* Long only on the way. */
	f[0] = test_copy(KREG_FIELD_TRUNCATE, 10, "", 0);
	test_edit(self->fd, self->table, "k", f, 1);
	f[0] = test_copy(KREG_FIELD_EXTEND, 30000, "far", 3);
	f[1] = test_copy(KREG_FIELD_TRUNCATE, 5, "x", 1);
	f[2] = test_number(KREG_FIELD_ADD, KREG_FIELD_EXTEND, 8, 77);
	test_edit(self->fd, self->table, "k", f, 3);
	EXPECT_EQ(30003, f[0].out);
	EXPECT_EQ(6, f[1].out);
	EXPECT_EQ(77, f[2].out);
	want[5] = 'x';
	memset(want + 6, 0, 10);
	want[8] = 77;
	expect_long(_metadata, self->fd, self->table, want, 16);
	/* An overflow that is found outside the turn. */
	f[0] = test_copy(KREG_FIELD_EXTEND, LONG, patch, LONG);
	f[1] = test_copy(0, 0, "\xff\xff\xff\xff\xff\xff\xff\x7f", 8);
	f[2] = test_add(0, 1);
	test_err_edit(EOVERFLOW, self->fd, self->table, "k", f, 3);
	expect_long(_metadata, self->fd, self->table, want, 16);
}

/* Where there is nothing, and what comes of it is long. */
TEST_F(edit_long, long_start)
{
	static char want[LONG], much[16000];
	struct kreg_field f[4];
	unsigned int i;

	fill(want, sizeof(want));
	f[0] = test_add(8, 1);
	test_edit_from(self->fd, self->table, "k", f, 1, want, LONG);
	*(__u64 *)(want + 8) += 1;
	expect_long(_metadata, self->fd, self->table, want, LONG);
	test_delete(self->fd, self->table, "k");
	f[0] = test_copy(KREG_FIELD_EXTEND, 0, want, LONG);
	test_edit_from(self->fd, self->table, "k", f, 1, NULL, 0);
	expect_long(_metadata, self->fd, self->table, want, LONG);
	/* More is copied than the value is long. */
	memset(much, 'm', sizeof(much));
	test_put(self->fd, self->table, "k", 1, want, sizeof(much));
	for (i = 0; i < ARRAY_SIZE(f); i++)
		f[i] = test_copy(0, 0, much, sizeof(much));
	test_edit(self->fd, self->table, "k", f, ARRAY_SIZE(f));
	expect_long(_metadata, self->fd, self->table, much, sizeof(much));
	/* Together they may be as much as a value. */
	for (i = 0; i < ARRAY_SIZE(f); i++)
		f[i] = test_copy(0, 0, much, KREG_MAX_VALUE / 2);
	test_err_edit(EFBIG, self->fd, self->table, "k", f, 3);
}

/* The value in its largest form, and each byte of a slot's classes. */
TEST_F(edit_long, sizes)
{
	static char want[KREG_MAX_VALUE];
	struct kreg_field f;
	__u32 len;

	fill(want, sizeof(want));
	for (len = 1; len < 700; len += len < 260 ? 1 : 13) {
		test_put(self->fd, self->table, "k", 1, want, len);
		f = test_copy(0, len - 1, "!", 1);
		test_edit(self->fd, self->table, "k", &f, 1);
		want[len - 1] = '!';
		expect_long(_metadata, self->fd, self->table, want, len);
		f = test_copy(KREG_FIELD_EXTEND, len, "?", 1);
		test_edit(self->fd, self->table, "k", &f, 1);
		want[len] = '?';
		expect_long(_metadata, self->fd, self->table, want, len + 1);
	}
	f = test_copy(KREG_FIELD_EXTEND | KREG_FIELD_TRUNCATE, 0, want, KREG_MAX_VALUE);
	test_edit(self->fd, self->table, "k", &f, 1);
	expect_long(_metadata, self->fd, self->table, want, KREG_MAX_VALUE);
	f = test_add(KREG_MAX_VALUE - 8, 0);
	test_edit(self->fd, self->table, "k", &f, 1);
}

/* By version and by value. */
TEST_F(edit_long, conditions)
{
	static char value[LONG];
	struct kreg_field f = test_add(0, 1);
	struct kreg_op op = test_op_edit("k", &f, 1);
	__u64 version;

	fill(value, LONG);
	test_put(self->fd, self->table, "k", 1, value, LONG);
	version = test_version(self->fd, self->table, "k");
	op.flags = KREG_OP_VERSION;
	op.arg = version + 1;
	test_err_op(ECANCELED, self->fd, self->table, 0, &op);
	op.arg = version;
	test_op_(self->fd, self->table, 0, &op);
	test_err_op(ECANCELED, self->fd, self->table, 0, &op);
	op = test_op_edit("k", &f, 1);
	test_if_value(&op, value, LONG);
	test_err_op(ECANCELED, self->fd, self->table, 0, &op);
	*(__u64 *)value += 1;
	test_op_(self->fd, self->table, 0, &op);
	EXPECT_EQ(*(__u64 *)value + 1, f.out);
	op = test_op_edit("no", &f, 1);
	test_if_value(&op, value, LONG);
	test_err_op(ECANCELED, self->fd, self->table, 0, &op);
	op = test_op_edit("no", &f, 1);
	op.flags = KREG_OP_MINE;
	test_err_op(ENODATA, self->fd, self->table, 0, &op);
}

/* Subscribers get the value as it is afterwards, or its length, wherever it was made. */
TEST_F(edit_long, is_told)
{
	static const __u32 lens[] = { 100, 128, 129, 200, KREG_MAX_EVENT_VALUE - 1,
				      KREG_MAX_EVENT_VALUE, 8000, LONG };
	static char want[LONG + 1];
	const struct kreg_event *e;
	struct test_reader *r;
	struct kreg_field f;
	unsigned int i;

	fill(want, sizeof(want));
	test_subscribe(self->fd, self->table, KIND(UPDATE));
	r = test_reader(self->fd);
	ASSERT_NE(NULL, r);
	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		test_put(self->fd, self->table, &i, sizeof(i), want, lens[i]);
		f = test_copy(KREG_FIELD_EXTEND, lens[i], want + lens[i], 1);
		test_edit_of(self->fd, self->table, &i, sizeof(i), &f, 1);
		e = test_next(r);
		ASSERT_NE(NULL, e);
		EXPECT_EQ(KREG_EVENT_UPDATE, e->kind);
		EXPECT_EQ(lens[i] + 1, e->value_len);
		EXPECT_EQ(lens[i] < KREG_MAX_EVENT_VALUE ? 0 : KREG_EVENT_CUT, e->flags);
		if (!e->flags)
			EXPECT_EQ(0, memcmp(want, test_value(e), lens[i] + 1));
	}
	EXPECT_EQ(NULL, test_next_now(r));
}

/* Who waits for a change is told of the version that the edit has made, and of no failed one. */
TEST_F(edit_long, wakes)
{
	static const __u32 lens[] = { 8, 500, LONG };
	static char value[LONG];
	struct kreg_field f[2] = { test_add(0, 1), test_add(LONG, 1) };
	__u64 id, version;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		test_put(self->fd, self->table, "k", 1, value, lens[i]);
		version = test_version(self->fd, self->table, "k");
		test_await(self->fd, self->table, KREG_WATCH_CHANGED, "k", version, &id);
		test_err_edit(ERANGE, self->fd, self->table, "k", f, 2);
		test_no_event(self->fd);
		test_edit(self->fd, self->table, "k", f, 1);
		EXPECT_LT(version, test_version(self->fd, self->table, "k"));
		test_ready_now(self->fd, id, "k", test_version(self->fd, self->table, "k"));
	}
}

/* A long value is edited by several at once, and each edit counts. */
static long job_edit_long(struct job *job)
{
	long i, err = 0;

	for (i = 0; i < (long)job->arg && !err; i++) {
		struct kreg_field f[2] = { test_add(0, 1), test_add(LONG - 8, 1) };

		err = _test_edit(job->fd, job->table, "k", f, 2);
		if (!err && f[0].out != f[1].out)
			err = -EBADMSG;
	}
	return err;
}

TEST_F(edit_long, at_once)
{
	static __u64 value[LONG / 8], got[LONG / 8];
	int i, each = test_size(300) + 1;
	struct kid *kid[4];

	test_put(self->fd, self->table, "k", 1, value, LONG);
	for (i = 0; i < 4; i++) {
		kid[i] = kid_start(_metadata);
		kid[i]->job->table = self->table;
		kid[i]->job->arg = each;
		kid_ask(kid[i], job_edit_long);
	}
	do {
		EXPECT_EQ(LONG, _test_get(self->fd, self->table, "k", 1, got, LONG));
		EXPECT_EQ(got[0], got[LONG / 8 - 1]);
	} while (got[0] < 4ULL * each && got[0] == got[LONG / 8 - 1] && kid[0]->job->ret >= 0);
	for (i = 0; i < 4; i++)
		EXPECT_EQ(0, kid_answer(kid[i]));
	EXPECT_EQ(LONG, _test_get(self->fd, self->table, "k", 1, got, LONG));
	EXPECT_EQ(4 * each, got[0]);
	for (i = 0; i < 4; i++)
		kid_kill(kid[i]);
}

TEST_HARNESS_MAIN
