// SPDX-License-Identifier: GPL-2.0
/*
 * Waits for keys: told once, of what holds already at once, by every way in which a key can
 * change, and by the end of the table or of the right to read it.
 */
#include "kit/fixture.h"
#include "kit/await.h"

FIXTURE(await) {
	struct test_base base;
	int fd;
	__u64 table;
};

FIXTURE_SETUP(await)
{
	self->fd = test_setup(_metadata, &self->base);
	test_create(self->fd, "awaited", KREG_ACCESS_PUBLIC, &self->table);
}

FIXTURE_TEARDOWN_PARENT(await)
{
	EXPECT_EQ(0, test_set_param("max_user_watches", KREG_MAX_USER_WATCHES));
	EXPECT_EQ(0, test_set_param("max_table_awaited", KREG_MAX_TABLE_AWAITED));
	test_teardown(_metadata, &self->base);
}

TEST_F(await, holds_already)
{
	__u64 id, version;

	test_await(self->fd, self->table, KREG_WATCH_ABSENT, "k", 0, &id);
	test_ready_now(self->fd, id, "k", 0);
	test_await(self->fd, self->table, KREG_WATCH_CHANGED, "k", 7, &id);
	test_ready_now(self->fd, id, "k", 0);
	test_puts(self->fd, self->table, "k", "v");
	version = test_version(self->fd, self->table, "k");
	test_await(self->fd, self->table, KREG_WATCH_PRESENT, "k", 0, &id);
	test_ready_now(self->fd, id, "k", version);
	test_await(self->fd, self->table, KREG_WATCH_CHANGED, "k", 0, &id);
	test_ready_now(self->fd, id, "k", version);
	test_await(self->fd, self->table, KREG_WATCH_CHANGED, "k", version + 1, &id);
	test_ready_now(self->fd, id, "k", version);
	test_err_cancel(ENOENT, self->fd, id, 0);
}

TEST_F(await, once)
{
	__u64 id, version;

	test_await(self->fd, self->table, KREG_WATCH_PRESENT, "k", 0, &id);
	test_puts(self->fd, self->table, "other", "v");
	test_no_event(self->fd);
	test_puts(self->fd, self->table, "k", "v");
	version = test_version(self->fd, self->table, "k");
	test_ready_now(self->fd, id, "k", version);
	test_delete(self->fd, self->table, "k");
	test_puts(self->fd, self->table, "k", "v");
	test_no_event(self->fd);
}

TEST_F(await, put_and_delete)
{
	__u64 absent, changed, version;

	test_puts(self->fd, self->table, "k", "v");
	version = test_version(self->fd, self->table, "k");
	test_await(self->fd, self->table, KREG_WATCH_ABSENT, "k", 0, &absent);
	test_await(self->fd, self->table, KREG_WATCH_CHANGED, "k", version, &changed);
	test_puts(self->fd, self->table, "k", "w");
	version = test_version(self->fd, self->table, "k");
	test_ready_now(self->fd, changed, "k", version);
	test_await(self->fd, self->table, KREG_WATCH_CHANGED, "k", version, &changed);
	test_delete(self->fd, self->table, "no");
	test_no_event(self->fd);
	test_delete(self->fd, self->table, "k");
	test_both_absent(self->fd, absent, changed, "k");
	/* Version 0 is that of what is not there. */
	test_await(self->fd, self->table, KREG_WATCH_CHANGED, "k", 0, &changed);
	test_no_event(self->fd);
	test_puts(self->fd, self->table, "k", "v");
	test_ready_now(self->fd, changed, "k", test_version(self->fd, self->table, "k"));
}

TEST_F(await, take_and_clear)
{
	char value[8] = "";
	struct kreg_op op = test_op_value(KREG_OP_TAKE, "k", 1, value, sizeof(value));
	__u64 id, other, empty;

	test_puts(self->fd, self->table, "k", "v");
	test_await(self->fd, self->table, KREG_WATCH_ABSENT, "k", 0, &id);
	test_op_(self->fd, self->table, 0, &op);
	test_ready_now(self->fd, id, "k", 0);

	test_puts(self->fd, self->table, "k", "v");
	test_puts(self->fd, self->table, "l", "v");
	test_await(self->fd, self->table, KREG_WATCH_ABSENT, "k", 0, &id);
	test_await(self->fd, self->table, KREG_WATCH_CHANGED, "l",
		   test_version(self->fd, self->table, "l"), &other);
	test_await(self->fd, self->table, KREG_WATCH_PRESENT, "m", 0, &empty);
	test_clear(self->fd, self->table);
	test_all_ready(self->fd, 2);
	test_clear(self->fd, self->table);
	test_no_event(self->fd);
	test_puts(self->fd, self->table, "m", "v");
	test_ready_now(self->fd, empty, "m", test_version(self->fd, self->table, "m"));
}

/* Of a batch its outcome counts. */
TEST_F(await, batch)
{
	struct kreg_op ops[] = {
		test_op_puts("new", "1"),
		test_ops(KREG_OP_DELETE, "old"),
		test_op_puts("passing", "1"),
		test_ops(KREG_OP_DELETE, "passing"),
		test_ops(KREG_OP_DELETE, "again"),
		test_op_puts("again", "2"),
	};
	__u64 created, deleted, passing, absent, changed;
	struct test_event event;
	int i;

	test_puts(self->fd, self->table, "old", "v");
	test_puts(self->fd, self->table, "again", "v");
	test_await(self->fd, self->table, KREG_WATCH_PRESENT, "new", 0, &created);
	test_await(self->fd, self->table, KREG_WATCH_ABSENT, "old", 0, &deleted);
	test_await(self->fd, self->table, KREG_WATCH_PRESENT, "passing", 0, &passing);
	test_await(self->fd, self->table, KREG_WATCH_ABSENT, "again", 0, &absent);
	test_await(self->fd, self->table, KREG_WATCH_CHANGED, "again",
		   test_version(self->fd, self->table, "again"), &changed);
	test_batch(self->fd, self->table, 0, ops, ARRAY_SIZE(ops), NULL);
	for (i = 0; i < 3; i++) {
		test_event_now(self->fd, &event);
		EXPECT_TRUE(event.e.id == created || event.e.id == deleted ||
			    event.e.id == changed);
	}
	test_no_event(self->fd);
	test_cancel(self->fd, passing, 0);
	test_cancel(self->fd, absent, 0);
}

TEST_F(await, batch_that_clears)
{
	struct kreg_op ops[] = {
		test_op_puts("before", "1"),
		test_op(KREG_OP_CLEAR, NULL, 0),
		test_op_puts("stays", "2"),
	};
	__u64 before, stays, gone;

	test_puts(self->fd, self->table, "stays", "v");
	test_puts(self->fd, self->table, "gone", "v");
	test_await(self->fd, self->table, KREG_WATCH_PRESENT, "before", 0, &before);
	test_await(self->fd, self->table, KREG_WATCH_ABSENT, "stays", 0, &stays);
	test_await(self->fd, self->table, KREG_WATCH_ABSENT, "gone", 0, &gone);
	test_batch(self->fd, self->table, 0, ops, ARRAY_SIZE(ops), NULL);
	test_ready_now(self->fd, gone, "gone", 0);
	test_cancel(self->fd, before, 0);
	test_cancel(self->fd, stays, 0);
}

TEST_F(await, async)
{
	struct test_event event;
	__u64 id;

	test_await(self->fd, self->table, KREG_WATCH_PRESENT, "k", 0, &id);
	test_put_async(self->fd, self->table, "k", "v");
	test_event(self->fd, &event);
	test_ready(&event, id, "k", test_version(self->fd, self->table, "k"));
}

TEST_F(await, cancelled)
{
	struct test_event event;
	__u64 id, flushed;

	test_await(self->fd, self->table, KREG_WATCH_PRESENT, "k", 0, &id);
	test_await(self->fd, self->table, KREG_WATCH_PRESENT, "k", 0, &flushed);
	test_cancel(self->fd, id, 0);
	test_err_cancel(ENOENT, self->fd, id, 0);
	test_puts(self->fd, self->table, "k", "v");
	test_err_cancel(ENOENT, self->fd, flushed, KREG_CANCEL_FLUSH);
	test_no_event(self->fd);
	test_await(self->fd, self->table, KREG_WATCH_PRESENT, "k", 0, &id);
	test_err_cancel(ENOENT, self->fd, id, 0);
	test_event_now(self->fd, &event);
	EXPECT_EQ(id, event.e.id);
	test_err_cancel(EINVAL, self->fd, id + (1ULL << 40), 0);
}

TEST_F(await, destroyed)
{
	struct test_event event;
	__u64 id;

	test_await(self->fd, self->table, KREG_WATCH_PRESENT, "k", 0, &id);
	test_destroy(self->fd, self->table);
	test_event(self->fd, &event);
	expect_ready(_metadata, &event, KREG_EVENT_GONE, id, "k", 0);
	EXPECT_EQ(0, event.e.cause);
	EXPECT_EQ(self->table, event.e.table);
	test_err_await(ESTALE, self->fd, self->table, KREG_WATCH_PRESENT, "k", 0, &id);
	test_no_event(self->fd);
}

TEST_F(await, owner_dies)
{
	struct kid *kid = kid_start(_metadata);
	struct test_event event;
	__u64 id, table;

	ASSERT_EQ(0, kid_create(kid, NULL, KREG_ACCESS_PUBLIC, &table));
	test_await(self->fd, table, KREG_WATCH_PRESENT, "k", 0, &id);
	kid_kill(kid);
	test_event(self->fd, &event);
	expect_ready(_metadata, &event, KREG_EVENT_GONE, id, "k", 0);
	EXPECT_EQ(KREG_CAUSE_DEATH, event.e.cause);
}

/* Who may not read may not wait; whose right is taken away is told that, and no more. */
TEST_F(await, rights)
{
	struct kid *alice = kid_start_as(_metadata, 1000);
	struct test_event event;

	test_mode(self->fd, self->table, 0600);
	EXPECT_EQ(-EACCES, kid_await(alice, self->table, KREG_WATCH_PRESENT, "k"));
	test_mode(self->fd, self->table, 0644);
	ASSERT_EQ(0, kid_await(alice, self->table, KREG_WATCH_PRESENT, "k"));
	kid_ask(alice, job_read_event);
	test_mode(self->fd, self->table, 0600);
	ASSERT_EQ(0, kid_answer(alice));
	event = alice->job->event;
	expect_ready(_metadata, &event, KREG_EVENT_GONE, alice->job->arg2, "k", 0);
	EXPECT_EQ(KREG_CAUSE_ACCESS, event.e.cause);

	kid_kill(alice);
}

/* The right of who reads as the owner goes with the table. */
TEST_F(await, given_away)
{
	struct kid *kid = kid_start(_metadata);
	struct test_event event;
	__u64 id;

	test_access(self->fd, self->table, KREG_ACCESS_PRIVATE);
	test_await(self->fd, self->table, KREG_WATCH_PRESENT, "k", 0, &id);
	test_give(self->fd, self->table, kid->self, NULL, 0);
	test_event(self->fd, &event);
	expect_ready(_metadata, &event, KREG_EVENT_GONE, id, "k", 0);
	EXPECT_EQ(KREG_CAUSE_ACCESS, event.e.cause);
	kid_kill(kid);
}

TEST_F(await, keeps_its_right)
{
	struct kid *alice = kid_start_as(_metadata, 1000);

	ASSERT_EQ(0, kid_await(alice, self->table, KREG_WATCH_PRESENT, "k"));
	test_mode(self->fd, self->table, 0644);
	test_mode(self->fd, self->table, 0664);
	test_access(self->fd, self->table, KREG_ACCESS_PROTECTED);
	kid_ask(alice, job_read_event);
	test_puts(self->fd, self->table, "k", "v");
	ASSERT_EQ(0, kid_answer(alice));
	test_ready(&alice->job->event, alice->job->arg2, "k",
		   test_version(self->fd, self->table, "k"));
	kid_kill(alice);
}

TEST_F(await, bad_arguments)
{
	struct kreg_ioc_watch good = test_await_cmd(self->table, KREG_WATCH_CHANGED, "k"), bad[10];
	unsigned int i;
	__u64 id;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		bad[i] = good;
	bad[0].key_len = 0;
	bad[1].process = test_self(self->fd);
	bad[2].table = 0;
	bad[3].table = 123456789;
	bad[4].deadline_ns = 1;
	bad[5].flags = KREG_WATCH_SLEEP;
	bad[6].kind = KREG_WATCH_PRESENT;
	bad[6].version = 1;
	bad[7].kind = KREG_WATCH_ABSENT;
	bad[7].version = 1;
	bad[8].kind = KREG_WATCH_PRESENT;
	bad[8].table = 0;
	bad[8].key = test_ptr("a\0b");
	bad[8].key_len = 3;
	bad[9].process.cookie = 1;
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT_EQ(-EINVAL, _test_watch_cmd(self->fd, &bad[i], &id)) {
			TH_LOG("row %u", i);
		}
	good.flags = 1U << 31;
	EXPECT_EQ(-EOPNOTSUPP, _test_watch_cmd(self->fd, &good, &id));
	good.flags = 0;
	good.key_len = KREG_MAX_KEY + 1;
	EXPECT_EQ(-ENAMETOOLONG, _test_watch_cmd(self->fd, &good, &id));
	good.kind = KREG_WATCH_PRESENT;
	good.table = 0;
	good.key_len = KREG_MAX_NAME + 1;
	EXPECT_EQ(-ENAMETOOLONG, _test_watch_cmd(self->fd, &good, &id));
	good.key_len = 1;
	good.key = 1;
	EXPECT_EQ(-EFAULT, _test_watch_cmd(self->fd, &good, &id));
	test_no_event(self->fd);
}

/* Any bytes are a key, and as many as fit. */
TEST_F(await, long_key)
{
	static char key[KREG_MAX_KEY];
	struct kreg_ioc_watch cmd = test_watch_cmd(KREG_WATCH_PRESENT);
	struct test_event event;
	__u64 id;

	memset(key + 1, 'x', sizeof(key) - 1);
	cmd.table = self->table;
	cmd.key = test_ptr(key);
	cmd.key_len = sizeof(key);
	ASSERT_EQ(0, _test_watch_cmd(self->fd, &cmd, &id));
	test_put(self->fd, self->table, key, sizeof(key) - 1, "v", 1);
	test_no_event(self->fd);
	test_put(self->fd, self->table, key, sizeof(key), "v", 1);
	test_event_now(self->fd, &event);
	EXPECT_EQ(sizeof(key), event.e.key_len);
	EXPECT_EQ(0, memcmp(event.name, key, sizeof(key)));
}

/* What a wait has cost is given back: by its record, its end, and the end of the client. */
TEST_F(await, limit)
{
	struct kreg_ioc_watch over = test_await_cmd(self->table, KREG_WATCH_PRESENT, "n");
	struct kid *alice = kid_start_as(_metadata, 1000);
	__u64 id;

	ASSERT_EQ(0, test_set_param("max_user_watches", 1));
	ASSERT_EQ(0, kid_await(alice, self->table, KREG_WATCH_PRESENT, "k"));
	EXPECT_EQ(-EDQUOT, kid_await(alice, self->table, KREG_WATCH_PRESENT, "k"));
	test_puts(self->fd, self->table, "k", "v");
	EXPECT_EQ(-EDQUOT, kid_await(alice, self->table, KREG_WATCH_PRESENT, "k"));
	EXPECT_EQ(0, kid_do(alice, job_read_event));
	EXPECT_EQ(0, kid_await(alice, self->table, KREG_WATCH_PRESENT, "l"));
	kid_kill(alice);
	alice = kid_start_as(_metadata, 1000);
	EXPECT_EQ(0, kid_await(alice, self->table, KREG_WATCH_PRESENT, "l"));
	kid_kill(alice);
	ASSERT_EQ(0, test_set_param("max_table_awaited", 1));
	test_await(self->fd, self->table, KREG_WATCH_PRESENT, "m", 0, &id);
	test_await(self->fd, self->table, KREG_WATCH_PRESENT, "m", 0, &id);
	EXPECT_EQ(-EDQUOT, _test_watch_cmd(self->fd, &over, &id));
	EXPECT_EQ(KREG_LIMIT_AWAITED, over.out_limit);
	/* What holds already takes no room. */
	test_await(self->fd, self->table, KREG_WATCH_PRESENT, "k", 0, &id);
	test_ready_now(self->fd, id, "k", test_version(self->fd, self->table, "k"));
}

TEST_HARNESS_MAIN
