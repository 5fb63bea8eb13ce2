// SPDX-License-Identifier: GPL-2.0
/*
 * What ets_SUITE of Erlang/OTP requires of tables that are fixed while somebody goes through
 * them. What fixes one is a pin; a walk without one goes on from wherever it is, so most is asked
 * of both. The names are those of its cases.
 */
#include "kit/fixture.h"
#include "kit/edit.h"
#include "kit/filter.h"
#include "kit/job.h"
#include "kit/pin.h"

#define KEYS	100

FIXTURE(ets) {
	struct test_base base;
	int fd;
	__u64 table;
	__u64 pin;
	bool several;
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
	ASSERT_EQ(0, _test_create_type(self->fd, "fixed", variant->type, KREG_ACCESS_PUBLIC,
				       &self->table));
	self->several = variant->type == KREG_TYPE_BAG || variant->type == KREG_TYPE_DUPLICATE_BAG;
}

FIXTURE_TEARDOWN_PARENT(ets)
{
	test_teardown(_metadata, &self->base);
}

static int put_number(int fd, __u64 table, __u32 n, __u32 value)
{
	return _test_put(fd, table, &n, sizeof(n), &value, sizeof(value));
}

static int delete_number(int fd, __u64 table, __u32 n)
{
	struct kreg_op op = test_op(KREG_OP_DELETE, &n, sizeof(n));

	return _test_op(fd, table, 0, &op);
}

static int put_numbers(int fd, __u64 table, __u32 value)
{
	__u32 n;
	int err = 0;

	for (n = 0; n < KEYS && !err; n++)
		err = put_number(fd, table, n, value);
	return err;
}

/* An object of put_number(), and where a walk is that has come to it. */
struct place {
	struct kreg_object object;
	__u32 key, value;
};

/* One step on from @at, or the first one: 1, 0 at the end, or -errno. */
static int step(int fd, __u64 table, __u64 pin, struct place *at, bool first)
{
	struct place next = {};
	struct kreg_ioc_scan cmd = {
		.table = table,
		.pin = pin,
		.buf = test_ptr(&next),
		.buf_len = sizeof(next),
		.max_count = 1,
	};
	int err;

	if (!first) {
		cmd.range.after = test_ptr(&at->key);
		cmd.range.after_len = sizeof(at->key);
		cmd.range.after_version = at->object.version;
		cmd.range.after_sub = at->object.sub;
	}
	err = _test_scan(fd, &cmd);
	if (!err && cmd.out_count)
		*at = next;
	return err ? err : (int)cmd.out_count;
}

/* The keys in the order of the table, and of which each is to be met once. */
static void walk_all(struct __test_metadata *_metadata, int fd, __u64 table, __u64 pin,
		     __u32 value)
{
	bool seen[KEYS] = {};
	struct place at;
	int n, ret;

	for (n = 0; (ret = step(fd, table, pin, &at, !n)) == 1; n++) {
		ASSERT_GT(KEYS, at.key);
		EXPECT_FALSE(seen[at.key]);
		EXPECT_EQ(value, at.value);
		seen[at.key] = true;
	}
	EXPECT_EQ(0, ret);
	EXPECT_EQ(KEYS, n);
}

/* Each is deleted when the walk is there, and the walk goes on; deleted are all, and it ends. */
TEST_F(ets, fixtable_next)
{
	struct kreg_ioc_change all = test_change_cmd(self->table, NULL, 0);
	struct place at;
	int n, ret;

	ASSERT_EQ(0, put_numbers(self->fd, self->table, 1));
	test_pin(self->fd, self->table, 0, &self->pin);
	for (n = 0; (ret = step(self->fd, self->table, 0, &at, !n)) == 1; n++)
		ASSERT_EQ(0, delete_number(self->fd, self->table, at.key));
	EXPECT_EQ(0, ret);
	EXPECT_EQ(KEYS, n);
	ASSERT_EQ(0, put_numbers(self->fd, self->table, 2));
	ASSERT_EQ(1, step(self->fd, self->table, 0, &at, true));
	test_change(self->fd, &all);
	EXPECT_EQ(KEYS, all.out_count);
	EXPECT_EQ(0, step(self->fd, self->table, 0, &at, false));
	walk_all(_metadata, self->fd, self->table, self->pin, 1);
	ASSERT_EQ(0, _test_cancel(self->fd, self->pin, 0));
	EXPECT_EQ(-ESTALE, step(self->fd, self->table, self->pin, &at, false));
}

/* What was deleted comes again: it is there once, and as it was put last. */
TEST_F(ets, fixtable_insert)
{
	int round;

	ASSERT_EQ(0, put_numbers(self->fd, self->table, 0));
	test_pin(self->fd, self->table, 0, &self->pin);
	for (round = 1; round <= 3; round++) {
		__u32 n;

		for (n = 0; n < KEYS; n++) {
			ASSERT_EQ(0, delete_number(self->fd, self->table, n));
			ASSERT_EQ(0, delete_number(self->fd, self->table, n));
		}
		EXPECT_EQ(0, test_objects(self->fd, self->table));
		ASSERT_EQ(0, put_numbers(self->fd, self->table, round));
		EXPECT_EQ(KEYS, test_objects(self->fd, self->table));
		walk_all(_metadata, self->fd, self->table, 0, round);
		walk_all(_metadata, self->fd, self->table, self->pin, 0);
	}
	EXPECT_EQ(KEYS, test_kept(self->fd, self->table));
	ASSERT_EQ(0, _test_cancel(self->fd, self->pin, 0));
	EXPECT_TRUE(test_wait_for(!test_kept(self->fd, self->table)));
	walk_all(_metadata, self->fd, self->table, 0, round - 1);
}

/* Of four objects of a key any are deleted when a walk is at any of them: it meets the rest. */
TEST_F(ets, fixtable_iter_bag)
{
	unsigned int deleted, stop;
	struct place at;
	__u32 n;

	if (!self->several)
		return;
	for (deleted = 0; deleted < 16 * 4; deleted++) {
		unsigned int which = deleted / 4, left = 0, met = 0;

		stop = deleted % 4;
		for (n = 0; n < 4; n++)
			ASSERT_EQ(0, put_number(self->fd, self->table, 7, n));
		test_pin(self->fd, self->table, 0, &self->pin);
		for (n = 0; n <= stop; n++)
			ASSERT_EQ(1, step(self->fd, self->table, 0, &at, !n));
		EXPECT_EQ(stop, at.value);
		for (n = 0; n < 4; n++) {
			struct kreg_op op = test_op(KREG_OP_DELETE, "\7\0\0", 4);

			if (!(which & 1 << n)) {
				left += n > stop;
				continue;
			}
			test_if_value(&op, &n, sizeof(n));
			test_op_(self->fd, self->table, 0, &op);
		}
		while (step(self->fd, self->table, 0, &at, false) == 1) {
			EXPECT_FALSE(which & 1 << at.value);
			EXPECT_LT(stop, at.value);
			met++;
		}
		EXPECT_EQ(left, met);
		EXPECT_EQ(4, test_pinned_count(self->fd, self->table, self->pin));
		ASSERT_EQ(0, _test_cancel(self->fd, self->pin, 0));
		test_clear(self->fd, self->table);
	}
}

/* Fix, search all, and let go, until the table is cleared; @arg: how often it was done. */
static long job_select(struct job *job)
{
	struct kreg_term term = test_u32(KREG_TERM_EQ, 0, 5);
	struct kreg_ioc_scan cmd;
	__u64 pin;
	long err;

	do {
		err = _test_pin(job->fd, job->table, 0, &pin);
		if (err)
			return err;
		cmd = test_pinned_cmd(job->table, pin);
		cmd.flags = KREG_SCAN_COUNT;
		cmd.buf = 0;
		cmd.buf_len = 0;
		test_set_filter(&cmd.range, &term, 1);
		err = _test_scan(job->fd, &cmd);
		if (!err)
			err = _test_cancel(job->fd, pin, 0);
		if (!err && cmd.out_count && cmd.out_count != KEYS)
			err = -EBADMSG;
		__atomic_add_fetch(&job->arg, 1, __ATOMIC_RELAXED);
	} while (!err && cmd.out_count);
	return err;
}

static __u64 rounds_of(const struct kid *kid)
{
	return __atomic_load_n(&kid->job->arg, __ATOMIC_RELAXED);
}

/* The table goes to and fro while others search it: they find all, and no pin is left. */
TEST_F(ets, select_fixtab_owner_change)
{
	struct kid *owner = kid_start(_metadata), *readers[2];
	struct kreg_process me = test_self(self->fd);
	struct test_event event;
	int i, round;

	ASSERT_EQ(0, put_numbers(self->fd, self->table, 5));
	for (i = 0; i < 2; i++) {
		readers[i] = kid_start(_metadata);
		readers[i]->job->table = self->table;
		readers[i]->job->arg = 0;
		kid_ask(readers[i], job_select);
	}
	for (round = 0; round < 20 || rounds_of(readers[0]) < 20 || rounds_of(readers[1]) < 20;
	     round++) {
		test_give(self->fd, self->table, owner->self, NULL, 0);
		ASSERT_EQ(0, kid_event_now(owner));
		ASSERT_EQ(0, kid_give(owner, self->table, me, ""));
		test_event_now(self->fd, &event);
	}
	test_clear(self->fd, self->table);
	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, kid_answer(readers[i]));
	EXPECT_EQ(0, test_pins(self->fd, self->table));
	EXPECT_TRUE(test_wait_for(!test_kept(self->fd, self->table)));
}

static long job_pin(struct job *job)
{
	return _test_pin(job->fd, job->table, 0, &job->arg2);
}

/* give_away of a fixed table: it stays so to who has fixed it, and goes with that one alone. */
TEST_F(ets, fixed_and_given)
{
	struct kid *owner = kid_start(_metadata), *other = kid_start(_metadata);
	struct kreg_process me = test_self(self->fd);

	ASSERT_EQ(0, put_numbers(self->fd, self->table, 1));
	test_pin(self->fd, self->table, 0, &self->pin);
	test_heir(self->fd, self->table, me, NULL, 0, 0);
	test_give(self->fd, self->table, owner->self, NULL, 0);
	owner->job->table = self->table;
	ASSERT_EQ(0, kid_do(owner, job_pin));
	other->job->table = self->table;
	ASSERT_EQ(0, kid_do(other, job_pin));
	test_clear(self->fd, self->table);
	EXPECT_EQ(KEYS, test_pinned_count(self->fd, self->table, self->pin));
	EXPECT_EQ(3, test_pins(self->fd, self->table));
	/* Its own goes with the owner; the table, and what others have, does not. */
	kid_kill(owner);
	EXPECT_EQ(2, test_pins(self->fd, self->table));
	EXPECT_EQ(KEYS, test_pinned_count(self->fd, self->table, self->pin));
	kid_kill(other);
	EXPECT_EQ(1, test_pins(self->fd, self->table));
	ASSERT_EQ(0, _test_cancel(self->fd, self->pin, 0));
	EXPECT_TRUE(test_wait_for(!test_kept(self->fd, self->table)));
}

static long job_cancel(struct job *job)
{
	return _test_cancel(job->fd, job->arg, 0);
}

/* safe_fixtable: to let go of what another has fixed does nothing; nor is a second time of use. */
TEST_F(ets, safe_fixtable_of_another)
{
	struct kid *other = kid_start(_metadata);

	ASSERT_EQ(0, put_numbers(self->fd, self->table, 1));
	test_pin(self->fd, self->table, 0, &self->pin);
	other->job->arg = self->pin;
	EXPECT_EQ(-EINVAL, kid_do(other, job_cancel));
	EXPECT_EQ(1, test_pins(self->fd, self->table));
	test_clear(self->fd, self->table);
	EXPECT_EQ(KEYS, test_pinned_count(self->fd, self->table, self->pin));
	ASSERT_EQ(0, _test_cancel(self->fd, self->pin, 0));
	EXPECT_EQ(-ENOENT, _test_cancel(self->fd, self->pin, 0));
	EXPECT_EQ(0, test_pins(self->fd, self->table));
}

TEST_HARNESS_MAIN
