// SPDX-License-Identifier: GPL-2.0
/*
 * Objects on loan, and who waits for their keys, stands in line for them, or is told of them.
 */
#include "kit/line.h"
#include "kit/stall.h"
#include "owner/lease.h"

/* Who waits for the key gets it as soon as it is back. */
TEST_F(lease, waited_for)
{
	int fd = test_client();
	__u64 id, version;

	ASSERT_LE(0, fd);
	test_await(fd, self->table, KREG_WATCH_ABSENT, "job", 0, &id);
	ASSERT_EQ(1, kid_lease(self->kid, self->table, "job"));
	version = self->kid->job->arg2;
	test_ready_now(fd, id, "job", 0);
	test_await(fd, self->table, KREG_WATCH_PRESENT, "job", 0, &id);
	test_no_event(fd);
	kid_kill(self->kid);
	test_sync(self->fd);
	test_ready_now(fd, id, "job", version);
	close(fd);
}

/* What its borrower makes of it is not for others, until it is his; what waits sees no borrower. */
TEST_F(lease, waited_for_by_borrower)
{
	struct kreg_op op = test_op_puts("job", "half");
	int fd = test_client();
	__u64 id, version;

	ASSERT_LE(0, fd);
	test_lease(self->fd, self->table, "job");
	version = test_version(self->fd, self->table, "job");
	test_await(fd, self->table, KREG_WATCH_ABSENT, "job", 0, &id);
	test_ready_now(fd, id, "job", 0);
	test_await(fd, self->table, KREG_WATCH_CHANGED, "job", version, &id);
	test_ready_now(fd, id, "job", 0);
	test_await(fd, self->table, KREG_WATCH_PRESENT, "job", 0, &id);
	op.flags = KREG_OP_MINE;
	ASSERT_EQ(0, _test_op(self->fd, self->table, 0, &op));
	test_no_event(fd);
	op.flags = KREG_OP_MINE | KREG_OP_BOUND;
	ASSERT_EQ(0, _test_op(self->fd, self->table, 0, &op));
	test_ready_now(fd, id, "job", op.out_version);
	/* For who subscribes it comes to be then. */
	expect_lent_event(_metadata, self->r, test_self(self->fd));
	EXPECT_TRUE(test_has_value(test_expect(self->r, KREG_EVENT_CREATE, "job"), "half"));
	test_nothing(self->r);
	close(fd);
}

/* The end of a loan leaves an object there, so the line goes on waiting. */
TEST_F(lease, line)
{
	struct kreg_op done = test_ops(KREG_OP_DELETE, "key");
	int fd = test_client();
	__u64 id;

	ASSERT_LE(0, fd);
	test_puts(self->fd, self->table, "key", "work");
	ASSERT_EQ(1, kid_lease(self->kid, self->table, "key"));
	test_err_lock(ETIMEDOUT, fd, self->table, 0, NULL);
	test_stand(fd, self->table, &id);
	EXPECT_EQ(-EALREADY, kid_stand(self->kid, self->table));
	EXPECT_EQ(0, kid_return(self->kid, self->table, "key", 0));
	test_no_event(fd);
	EXPECT_TRUE(test_is_nobodys(self->fd, self->table, "key"));
	ASSERT_EQ(2, kid_lease(self->kid, self->table, "key"));
	kid_kill(self->kid);
	test_sync(self->fd);
	test_no_event(fd);
	EXPECT_EQ(2, test_loans(self->fd, self->table, "key"));
	/* Who has it on loan makes the key free when the work is done. */
	test_lease(self->fd, self->table, "key");
	test_no_event(fd);
	done.flags = KREG_OP_MINE;
	ASSERT_EQ(0, _test_op(self->fd, self->table, 0, &done));
	EXPECT_EQ(1, done.out_count);
	test_served(fd, self->table, id, test_self(self->fd));
	close(fd);
}

/* What he has given back is not his any more, for the line neither. */
TEST_F(lease, line_of_former_borrower)
{
	test_puts(self->fd, self->table, "key", "work");
	ASSERT_EQ(1, kid_lease(self->kid, self->table, "key"));
	EXPECT_EQ(0, kid_return(self->kid, self->table, "key", 0));
	EXPECT_EQ(0, kid_stand(self->kid, self->table));
	test_delete(self->fd, self->table, "key");
	EXPECT_TRUE(test_is_of(self->fd, self->table, "key", self->kid->self));
	EXPECT_EQ(0, test_loans(self->fd, self->table, "key"));
}

/* Many holds of the turn, in which nothing happens. */
static void queue_long_batch(struct __test_metadata *_metadata, int fd, __u64 table)
{
	enum { N = 4096 };
	static struct kreg_op ops[N];
	__u32 i, done;

	for (i = 0; i < N; i++)
		ops[i] = test_ops(KREG_OP_DELETE, "none");
	ASSERT_EQ(0, _test_batch(fd, table, KREG_WRITE_ASYNC, ops, N, &done));
}

/* Whether the events are those of an object that comes, changes and goes; *@there: it is. */
static bool is_in_order(struct test_reader *r, bool *there)
{
	const struct kreg_event *e;
	bool comes;

	while ((e = test_next_now(r))) {
		comes = e->kind == KREG_EVENT_CREATE;
		if (*there == comes)
			return false;
		*there = e->kind != KREG_EVENT_DELETE;
	}
	return true;
}

/* Sleep until "job" has not @version any more, which is known. */
static void ask_change(struct kid *kid, __u64 table, __u64 version)
{
	kid->job->table = table;
	kid->job->arg = KREG_WATCH_CHANGED;
	kid->job->arg2 = version;
	test_set(kid->job->key, "job");
	kid_ask(kid, job_sleep);
}

/* Death and write meet while the table is being written: each order is told as it was seen. */
TEST_F(lease, death_meets_writes)
{
	enum { ROUNDS = 12 };
	bool there = true;
	__u64 version;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		struct kid *kid = kid_start(_metadata);

		test_puts(self->fd, self->table, "job", "work");
		ASSERT_EQ(1, kid_lease(kid, self->table, "job"));
		version = kid->job->arg2;
		queue_long_batch(_metadata, self->fd, self->table);
		if (i % 2) {
			kill(kid->pid, SIGKILL);
			_test_put_async(self->fd, self->table, "job", "new");
			kid_reap(kid);
			_test_sync(self->fd);
		} else {
			ask_change(self->kid, self->table, version);
			usleep(2000);
			kid_kill(kid);
			test_sync(self->fd);
			test_puts(self->fd, self->table, "job", "new");
			EXPECT_EQ(0, kid_answer(self->kid));
			EXPECT_NE(version, self->kid->job->arg2);
		}
		EXPECT_TRUE(is_in_order(self->r, &there));
		EXPECT_TRUE(there);
	}
}

/* It is there when its borrower is dead, also as long as the thread cannot look after that. */
TEST_F(lease, death_not_handled)
{
	struct hold h;
	bool there = true;
	__u64 version;

	hold_prepare(_metadata, &h);
	ASSERT_EQ(1, kid_lease(self->kid, self->table, "job"));
	version = self->kid->job->arg2;
	hold(_metadata, &h);
	kid_kill(self->kid);
	expect_back(_metadata, self->fd, self->table, version, 1);
	test_put_async(self->fd, self->table, "job", "new");
	unhold(_metadata, &h);
	test_sync(self->fd);
	EXPECT_EQ(0, test_loans(self->fd, self->table, "job"));
	EXPECT_TRUE(is_in_order(self->r, &there));
	EXPECT_TRUE(there);
}

TEST_HARNESS_MAIN
