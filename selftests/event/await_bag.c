// SPDX-License-Identifier: GPL-2.0
/*
 * Waits for keys that may have several objects: until there is a first one.
 */
#include <sys/ptrace.h>

#include "kit/fixture.h"
#include "kit/await.h"
#include "kit/bag.h"
#include "kit/edit.h"
#include "kit/pause.h"

FIXTURE(await_bag) {
	struct test_base base;
	int fd;
	__u64 table;
	__u64 id;
};

FIXTURE_VARIANT(await_bag) {
	__u32 type;
};

FIXTURE_VARIANT_ADD(await_bag, bag) {
	.type = KREG_TYPE_BAG,
};

FIXTURE_VARIANT_ADD(await_bag, duplicate_bag) {
	.type = KREG_TYPE_DUPLICATE_BAG,
};

FIXTURE_SETUP(await_bag)
{
	self->fd = test_setup(_metadata, &self->base);
	ASSERT_EQ(0, _test_create_type(self->fd, "awaited", variant->type, KREG_ACCESS_PUBLIC,
				       &self->table));
}

FIXTURE_TEARDOWN_PARENT(await_bag)
{
	test_teardown(_metadata, &self->base);
}

#define AWAIT(key)	test_await(self->fd, self->table, KREG_WATCH_PRESENT, key, 0, &self->id)
#define READY(key)	expect_youngest(_metadata, self->fd, self->table, self->id, key)

static void expect_youngest(struct __test_metadata *_metadata, int fd, __u64 table, __u64 id,
			    const char *key)
{
	test_ready_now(fd, id, key, test_version(fd, table, key));
}

/* Its version is that of the oldest. */
TEST_F(await_bag, holds_already)
{
	__u64 version;

	test_puts(self->fd, self->table, "k", "a");
	version = test_version(self->fd, self->table, "k");
	test_puts(self->fd, self->table, "k", "b");
	AWAIT("k");
	test_ready_now(self->fd, self->id, "k", version);
}

TEST_F(await_bag, the_first_comes)
{
	test_puts(self->fd, self->table, "j", "v");
	test_puts(self->fd, self->table, "kk", "v");
	AWAIT("k");
	test_puts(self->fd, self->table, "j", "w");
	EXPECT_EQ(1, test_removes(self->fd, self->table, "kk", 0, 0, 0));
	test_no_event(self->fd);
	test_puts(self->fd, self->table, "k", "v");
	READY("k");
	test_puts(self->fd, self->table, "k", "w");
	EXPECT_EQ(2, test_removes(self->fd, self->table, "k", 0, 0, 0));
	test_no_event(self->fd);
	/* And when all have gone, the next first one. */
	AWAIT("k");
	test_no_event(self->fd);
	test_put_async(self->fd, self->table, "k", "v");
	test_sync(self->fd);
	READY("k");
	test_clear(self->fd, self->table);
	AWAIT("k");
	test_clear(self->fd, self->table);
	test_no_event(self->fd);
	test_puts(self->fd, self->table, "k", "v");
	READY("k");
}

/* Of a batch its outcome counts, whatever it removes. */
TEST_F(await_bag, batch)
{
	struct kreg_op all[] = { test_op_puts("k", "a"), test_op_puts("k", "b"),
				 test_ops(KREG_OP_DELETE, "k") };
	struct kreg_op value[] = { test_op_puts("k", "a"), test_ops(KREG_OP_DELETE, "k") };
	struct kreg_op part[] = { test_op_puts("k", "a"), test_op_puts("k", "b"),
				  test_ops(KREG_OP_DELETE, "k") };

	test_if_value(&value[1], "a", 1);
	test_if_value(&part[2], "a", 1);
	AWAIT("k");
	test_batch(self->fd, self->table, 0, all, 3, NULL);
	test_batch(self->fd, self->table, KREG_BATCH_ATOMIC, value, 2, NULL);
	HAS_VALUES("k", "");
	test_no_event(self->fd);
	test_batch(self->fd, self->table, KREG_BATCH_ATOMIC, part, 3, NULL);
	HAS_VALUES("k", "b");
	READY("k");
}

/* What a process has that is exiting does not count, and does not hide what others have. */
TEST_F(await_bag, hidden)
{
	struct kid *kid = kid_start(_metadata);
	__u64 second;
	int status, i;

	for (i = 0; i < 40; i++) {
		char value[4];

		snprintf(value, sizeof(value), "%d", i);
		ASSERT_EQ(0, kid_bind(kid, self->table, "k", value));
		ASSERT_EQ(0, kid_bind(kid, self->table, "l", value));
	}
	test_puts(self->fd, self->table, "l", "v");
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, kid->pid, 0, PTRACE_O_TRACEEXIT));
	kid_ask(kid, job_exit);
	ASSERT_EQ(kid->pid, waitpid(kid->pid, &status, __WALL));
	ASSERT_EQ(SIGTRAP | (PTRACE_EVENT_EXIT << 8), status >> 8);
	AWAIT("l");
	READY("l");
	AWAIT("k");
	test_no_event(self->fd);
	ASSERT_EQ(0, ptrace(PTRACE_CONT, kid->pid, 0, 0));
	kid_reap(kid);
	test_sync(self->fd);
	test_no_event(self->fd);
	test_await(self->fd, self->table, KREG_WATCH_PRESENT, "k", 0, &second);
	test_no_event(self->fd);
	test_puts(self->fd, self->table, "k", "v");
	test_all_ready(self->fd, 2);
}

/* Somebody registers, and the record says who. */
TEST_F(await_bag, registered)
{
	struct kid *kid = kid_start(_metadata);
	struct test_event event;

	AWAIT("topic");
	ASSERT_EQ(0, kid_bind(kid, self->table, "topic", "v"));
	test_event_now(self->fd, &event);
	test_ready(&event, self->id, "topic", test_version(self->fd, self->table, "topic"));
	EXPECT_TRUE(test_same(kid->self, event.e.process));
}

TEST_F(await_bag, asleep)
{
	struct kid *kid = kid_start(_metadata);
	struct kreg_ioc_watch out;

	EXPECT_EQ(-ETIMEDOUT, _test_sleep(self->fd, self->table, KREG_WATCH_PRESENT, "k", 0, 0,
					  &out));
	kid_ask_sleep(kid, self->table, KREG_WATCH_PRESENT, "k");
	test_puts(self->fd, self->table, "k", "v");
	EXPECT_EQ(0, kid_answer(kid));
	EXPECT_EQ(test_version(self->fd, self->table, "k"), kid->job->arg2);
	kid_ask_sleep(kid, self->table, KREG_WATCH_PRESENT, "l");
	test_pause_ms(20);
	test_destroy(self->fd, self->table);
	EXPECT_EQ(-ESTALE, kid_answer(kid));
}

/* When the last one goes, and when one is another, is not to be had. */
TEST_F(await_bag, refused)
{
	test_puts(self->fd, self->table, "k", "v");
	test_err_await(EOPNOTSUPP, self->fd, self->table, KREG_WATCH_ABSENT, "k", 0, &self->id);
	test_err_await(EOPNOTSUPP, self->fd, self->table, KREG_WATCH_CHANGED, "k", 1, &self->id);
	test_no_event(self->fd);
}

TEST_HARNESS_MAIN
