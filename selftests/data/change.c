// SPDX-License-Identifier: GPL-2.0
/*
 * CHANGE: all objects that match are removed, or edited.
 */
#include <pthread.h>

#include "data/change.h"
#include "kit/fixture.h"
#include "kit/bound.h"
#include "kit/edit.h"
#include "kit/lease.h"
#include "kit/stream.h"

#define MANY		2000
#define THREADS		3
#define GOAL		40

FIXTURE(change) {
	struct test_base base;
	int fd;
	__u64 table;
};

FIXTURE_VARIANT(change) {
	__u32 type;
};

FIXTURE_VARIANT_ADD(change, set) {
	.type = KREG_TYPE_SET,
};

FIXTURE_VARIANT_ADD(change, ordered_set) {
	.type = KREG_TYPE_ORDERED_SET,
};

FIXTURE_SETUP(change)
{
	self->fd = test_setup(_metadata, &self->base);
	ASSERT_EQ(0, _test_create_type(self->fd, "change", variant->type, KREG_ACCESS_PUBLIC,
				       &self->table));
}

FIXTURE_TEARDOWN_PARENT(change)
{
	test_teardown(_metadata, &self->base);
}

TEST_F(change, deletes)
{
	__u64 n = test_size(MANY), half = n / 2;
	struct kreg_term term = less_than(half);
	struct kreg_ioc_change cmd = test_change_cmd(self->table, &term, 1);

	ASSERT_EQ(0, put_numbered(self->fd, self->table, n));
	test_change(self->fd, &cmd);
	EXPECT_EQ(half, cmd.out_count);
	EXPECT_EQ(n + half, cmd.out_version);
	EXPECT_EQ(0, cmd.out_more);
	EXPECT_EQ(0, cmd.out_limit);
	EXPECT_EQ(0, cmd.out_reserved);
	EXPECT_EQ(n - half, test_objects(self->fd, self->table));
	EXPECT_EQ(0, test_matching(self->fd, self->table, &term, 1));
	/* Nothing matches any more; and without a filter all does. */
	cmd = test_change_cmd(self->table, &term, 1);
	test_change(self->fd, &cmd);
	EXPECT_EQ(0, cmd.out_count);
	EXPECT_EQ(0, cmd.out_version);
	cmd = test_change_cmd(self->table, NULL, 0);
	test_change(self->fd, &cmd);
	EXPECT_EQ(n - half, cmd.out_count);
	EXPECT_EQ(0, test_objects(self->fd, self->table));
	cmd = test_change_cmd(self->table, NULL, 0);
	test_change(self->fd, &cmd);
	EXPECT_EQ(0, cmd.out_count);
	EXPECT_EQ(0, cmd.out_position_len);
}

TEST_F(change, edits)
{
	__u64 n = test_size(MANY);
	struct kreg_term term = less_than(1000);
	struct kreg_field f = test_add(0, 1000);
	struct kreg_ioc_change cmd = test_change_edit(self->table, &term, 1, &f, 1);
	__u64 few = n < 1000 ? n : 1000;

	ASSERT_EQ(0, put_numbered(self->fd, self->table, n));
	test_change(self->fd, &cmd);
	EXPECT_EQ(few, cmd.out_count);
	EXPECT_EQ(0, cmd.out_more);
	EXPECT_EQ(0xbad, f.out);
	EXPECT_EQ(0, test_matching(self->fd, self->table, &term, 1));
	EXPECT_EQ(n, test_objects(self->fd, self->table));
	/* What was edited and matches still is not edited again. */
	term = less_than(1ULL << 60);
	cmd = test_change_edit(self->table, &term, 1, &f, 1);
	test_change(self->fd, &cmd);
	EXPECT_EQ(n, cmd.out_count);
}

/* Within a range, and of one key. */
TEST_F(change, ranges)
{
	struct kreg_ioc_change cmd = test_change_cmd(self->table, NULL, 0);
	struct kreg_term term = less_than(5);

	ASSERT_EQ(0, put_numbered(self->fd, self->table, 40));
	cmd.range.low = test_ptr("001");
	cmd.range.low_len = 3;
	cmd.range.flags = KREG_RANGE_PREFIX;
	test_change(self->fd, &cmd);
	EXPECT_EQ(10, cmd.out_count);
	cmd = test_change_cmd(self->table, NULL, 0);
	cmd.range.low = test_ptr("0005");
	cmd.range.low_len = 4;
	cmd.range.high = test_ptr("0024");
	cmd.range.high_len = 4;
	test_change(self->fd, &cmd);
	EXPECT_EQ(10, cmd.out_count);
	EXPECT_EQ(20, test_objects(self->fd, self->table));
	/* Compare and delete. */
	cmd = test_change_cmd(self->table, &term, 1);
	cmd.range.low = test_ptr("0030");
	cmd.range.low_len = 4;
	cmd.range.flags = KREG_RANGE_EXACT;
	test_change(self->fd, &cmd);
	EXPECT_EQ(0, cmd.out_count);
	cmd.range.low = test_ptr("0003");
	test_change(self->fd, &cmd);
	EXPECT_EQ(1, cmd.out_count);
	test_err_member(ENODATA, self->fd, self->table, "0003");
}

/* So many a call, each of which goes on where the one before has come to. */
TEST_F(change, positions)
{
	struct kreg_field f = test_add(0, 100);
	char position[KREG_MAX_KEY];
	struct kreg_ioc_change cmd = test_change_edit(self->table, NULL, 0, &f, 1);
	unsigned int calls = 0, changed = 0;
	struct kreg_term term = less_than(100);
	__u64 value;

	ASSERT_EQ(0, put_numbered(self->fd, self->table, 100));
	cmd.max_count = 7;
	cmd.position = test_ptr(position);
	do {
		test_change(self->fd, &cmd);
		changed += cmd.out_count;
		cmd.range.after = test_ptr(position);
		cmd.range.after_len = cmd.out_position_len;
		cmd.range.after_version = cmd.out_position_version;
		/* It need not be there any more. */
		ASSERT_EQ(4, cmd.out_position_len);
		ASSERT_EQ(8, _test_get(self->fd, self->table, position, 4, &value, 8));
		EXPECT_LE(100, value);
		ASSERT_LT(calls++, 20);
	} while (cmd.out_more);
	EXPECT_EQ(100, changed);
	EXPECT_EQ(0, test_matching(self->fd, self->table, &term, 1));
}

/* What fails is told of, and can be passed over. */
TEST_F(change, one_fails)
{
	struct kreg_field f = test_add(0, 1);
	char position[KREG_MAX_KEY];
	struct kreg_ioc_change cmd = test_change_edit(self->table, NULL, 0, &f, 1);
	__u64 changed = 0;
	int err;

	ASSERT_EQ(0, put_numbered(self->fd, self->table, 20));
	test_puts(self->fd, self->table, "short", "1234");
	cmd.position = test_ptr(position);
	err = _test_change(self->fd, &cmd);
	EXPECT_EQ(-ERANGE, err);
	ASSERT_EQ(5, cmd.out_position_len);
	EXPECT_EQ(0, memcmp("short", position, 5));
	EXPECT_EQ(1, cmd.out_more);
	changed = cmd.out_count;
	cmd.range.after = test_ptr(position);
	cmd.range.after_len = 5;
	test_change(self->fd, &cmd);
	EXPECT_EQ(20, changed + cmd.out_count);
	EXPECT_EQ(0, cmd.out_more);
	test_gets(self->fd, self->table, "short", "1234");
}

/* Values that have pages of their own. */
TEST_F(change, long_values)
{
	static char value[50000];
	struct kreg_term term = test_term(KREG_TERM_EQ, KREG_TERM_VALUE_LEN, 0, 0, sizeof(value));
	struct kreg_field f[] = { test_copy(0, 40000, "x", 1), test_add(0, 1) };
	struct kreg_ioc_change cmd = test_change_edit(self->table, &term, 1, f, 2);
	int i;

	for (i = 0; i < 5; i++)
		test_put(self->fd, self->table, "12345" + i, 1, value, sizeof(value));
	test_puts(self->fd, self->table, "6", "short");
	test_change(self->fd, &cmd);
	EXPECT_EQ(5, cmd.out_count);
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(sizeof(value), _test_get(self->fd, self->table, "12345" + i, 1, value,
						   sizeof(value)));
		EXPECT_EQ('x', value[40000]);
		EXPECT_EQ(1, value[0]);
	}
	cmd = test_change_cmd(self->table, &term, 1);
	test_change(self->fd, &cmd);
	EXPECT_EQ(5, cmd.out_count);
	EXPECT_EQ(1, test_objects(self->fd, self->table));
}

/* Each is a write of its own, and tells of itself. */
TEST_F(change, events)
{
	struct kreg_term term = less_than(1);
	struct kreg_field f = test_add(0, 5);
	struct kreg_ioc_change cmd = test_change_edit(self->table, &term, 1, &f, 1);
	struct test_reader *r;

	ASSERT_EQ(0, put_numbered(self->fd, self->table, 3));
	test_subscribe(self->fd, self->table, ALL_KINDS);
	r = test_reader(self->fd);
	ASSERT_NE(NULL, r);
	test_change(self->fd, &cmd);
	test_expect(r, KREG_EVENT_UPDATE, "0000");
	term = test_term(KREG_TERM_EQ, KREG_TERM_VALUE, 8, 0, 5);
	cmd = test_change_cmd(self->table, &term, 1);
	test_change(self->fd, &cmd);
	test_expect(r, KREG_EVENT_DELETE, "0000");
	EXPECT_EQ(NULL, test_next_now(r));
	free(r);
}

/* What the client has queued comes first. */
#define QUEUED		1000

/* So many in a batch are not applied by the caller. */
TEST_F(change, after_what_is_queued)
{
	struct kreg_ioc_change cmd;
	struct kreg_op *ops = calloc(QUEUED, sizeof(*ops));
	__u32 keys[QUEUED];
	int i;

	for (i = 0; i < QUEUED; i++) {
		keys[i] = i;
		ops[i] = test_op_value(KREG_OP_PUT, &keys[i], sizeof(keys[i]), "value", 5);
	}
	for (i = 0; i < 20; i++) {
		test_batch(self->fd, self->table, KREG_WRITE_ASYNC, ops, QUEUED, NULL);
		test_put_async(self->fd, self->table, "one more", "value");
		cmd = test_change_cmd(self->table, NULL, 0);
		test_change(self->fd, &cmd);
		ASSERT_EQ(QUEUED + 1, cmd.out_count);
		ASSERT_EQ(0, test_objects(self->fd, self->table));
	}
	free(ops);
}

/* What others have on loan is not there; what is bound is, and stays so. */
TEST_F(change, bound_and_lent)
{
	struct kreg_field f = test_copy(KREG_FIELD_TRUNCATE, 0, "new", 3);
	struct kreg_ioc_change cmd = test_change_edit(self->table, NULL, 0, &f, 1);
	struct kid *kid = kid_start(_metadata);

	test_puts(self->fd, self->table, "plain", "old");
	ASSERT_EQ(0, kid_bind(kid, self->table, "bound", "old"));
	test_puts(self->fd, self->table, "lent", "old");
	ASSERT_EQ(1, kid_lease(kid, self->table, "lent"));
	test_change(self->fd, &cmd);
	EXPECT_EQ(2, cmd.out_count);
	test_gets(self->fd, self->table, "plain", "new");
	test_gets(self->fd, self->table, "bound", "new");
	EXPECT_TRUE(test_is_of(self->fd, self->table, "bound", kid->self));
	cmd = test_change_cmd(self->table, NULL, 0);
	test_change(self->fd, &cmd);
	EXPECT_EQ(2, cmd.out_count);
	EXPECT_EQ(SIGKILL, kid_kill(kid));
	test_gets(self->fd, self->table, "lent", "old");
}

struct worker {
	pthread_t thread;
	int fd, err;
	__u64 table, changed;
	bool edits, stop;
};

/* Go on until there is nothing to be done. */
static void *change_until(void *arg)
{
	struct worker *w = arg;
	struct kreg_term term = less_than(w->edits ? GOAL : 1ULL << 60);
	struct kreg_field f = test_add(0, 1);
	struct kreg_ioc_change cmd;

	do {
		cmd = w->edits ? test_change_edit(w->table, &term, 1, &f, 1) :
				 test_change_cmd(w->table, &term, 1);
		w->err = _test_change(w->fd, &cmd);
		w->changed += cmd.out_count;
	} while (!w->err && cmd.out_count);
	return NULL;
}

static __u64 run_together(struct __test_metadata *_metadata, __u64 table, bool edits)
{
	struct worker w[THREADS];
	__u64 changed = 0;
	int i;

	for (i = 0; i < THREADS; i++) {
		w[i] = (struct worker) { .fd = test_client(), .table = table, .edits = edits };
		EXPECT_LE(0, w[i].fd);
		EXPECT_EQ(0, pthread_create(&w[i].thread, NULL, change_until, &w[i]));
	}
	for (i = 0; i < THREADS; i++) {
		pthread_join(w[i].thread, NULL);
		EXPECT_EQ(0, w[i].err);
		changed += w[i].changed;
		close(w[i].fd);
	}
	return changed;
}

/* Nobody edits what does not match any more, however many do it at once. */
TEST_F(change, together)
{
	__u64 n = test_size(MANY) / 10, i, sum = 0, below = 0;
	struct kreg_term term = less_than(GOAL);
	char key[16];
	__u64 value;

	ASSERT_EQ(0, put_numbered(self->fd, self->table, n));
	for (i = 0; i < n && i < GOAL; i++)
		below += GOAL - i;
	EXPECT_EQ(below, run_together(_metadata, self->table, true));
	EXPECT_EQ(0, test_matching(self->fd, self->table, &term, 1));
	for (i = 0; i < n; i++) {
		snprintf(key, sizeof(key), "%04llu", (unsigned long long)i);
		ASSERT_EQ(8, _test_get(self->fd, self->table, key, 4, &value, 8));
		sum += value != (i < GOAL ? GOAL : i);
	}
	EXPECT_EQ(0, sum);
	EXPECT_EQ(n, run_together(_metadata, self->table, false));
	EXPECT_EQ(0, test_objects(self->fd, self->table));
}

#define SOME	32

static void *delete_until_stopped(void *arg)
{
	struct worker *w = arg;
	struct kreg_term term = less_than(SOME);
	struct kreg_ioc_change cmd;

	do {
		cmd = test_change_cmd(w->table, &term, 1);
		w->err = _test_change(w->fd, &cmd);
		__atomic_fetch_add(&w->changed, cmd.out_count, __ATOMIC_RELAXED);
	} while (!w->err && !__atomic_load_n(&w->stop, __ATOMIC_RELAXED));
	return NULL;
}

/* They all match, and then they do not; how many are not there. */
static int put_out_of_reach(int fd, __u64 table)
{
	__u64 i, out_of_reach = SOME;
	int missing = 0;
	char key[16];

	if (put_numbered(fd, table, SOME))
		return SOME;
	for (i = 0; i < SOME; i++) {
		snprintf(key, sizeof(key), "%04llu", (unsigned long long)i);
		missing += _test_put(fd, table, key, 4, &out_of_reach, sizeof(out_of_reach)) != 0;
	}
	for (i = 0; i < SOME; i++) {
		snprintf(key, sizeof(key), "%04llu", (unsigned long long)i);
		missing += _test_member(fd, table, key) != 0;
	}
	return missing;
}

/* What has matched when it was found, and does not when it would be deleted, stays. */
TEST_F(change, asked_again)
{
	struct worker w = { .fd = test_client(), .table = self->table };
	int rounds = test_size(300), missing = 0;

	ASSERT_LE(0, w.fd);
	ASSERT_EQ(0, pthread_create(&w.thread, NULL, delete_until_stopped, &w));
	while (rounds-- > 0 || (!__atomic_load_n(&w.changed, __ATOMIC_RELAXED) && !missing))
		missing += put_out_of_reach(self->fd, self->table);
	__atomic_store_n(&w.stop, true, __ATOMIC_RELAXED);
	pthread_join(w.thread, NULL);
	close(w.fd);
	EXPECT_EQ(0, w.err);
	EXPECT_EQ(0, missing);
}

TEST_HARNESS_MAIN
