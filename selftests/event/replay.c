// SPDX-License-Identifier: GPL-2.0
/*
 * The past of a stream, and the ring that keeps it.
 */
#include "kit/fixture.h"
#include "kit/job.h"
#include "kit/stream.h"

FIXTURE(replay) {
	struct test_base base;
	int fd;
	__u64 id;
	struct test_reader *r;
	struct kid *kid;
};

FIXTURE_SETUP(replay)
{
	self->fd = test_setup(_metadata, &self->base);
	self->kid = kid_start(_metadata);
	test_create(self->fd, "table", KREG_ACCESS_PUBLIC, &self->id);
	self->r = test_reader(self->fd);
	ASSERT_NE(NULL, self->r);
}

FIXTURE_TEARDOWN_PARENT(replay)
{
	EXPECT_EQ(0, test_set_param("max_table_subscriptions", KREG_MAX_TABLE_SUBSCRIPTIONS));
	test_teardown(_metadata, &self->base);
}

TEST_F(replay, replay)
{
	struct kreg_ioc_subscribe cmd = test_subscribe_cmd(self->id, ALL_KINDS);
	int fd = test_client(), i;
	struct test_reader *r = test_reader(fd);
	const struct kreg_event *e;

	ASSERT_LE(0, fd);
	test_puts(self->fd, self->id, "unseen", "");
	test_subscribe_(self->fd, &cmd);
	for (i = 0; i < 20; i++)
		test_put(self->fd, self->id, &i, sizeof(i), NULL, 0);
	test_err_replay(EINVAL, fd, self->id, ALL_KINDS, cmd.out_seq + 21);
	/* All of it is there. */
	test_replay(fd, self->id, ALL_KINDS, cmd.out_seq + 5);
	for (i = 6; i <= 20; i++) {
		e = test_next(r);
		ASSERT_NE(NULL, e);
		EXPECT_EQ(KREG_EVENT_CREATE, e->kind);
		EXPECT_EQ(cmd.out_seq + i, e->seq);
	}
	test_nothing(r);
	/* What was before anybody had subscribed is missing. */
	test_replay(fd, self->id, ALL_KINDS, 0);
	e = test_next(r);
	ASSERT_NE(NULL, e);
	EXPECT_EQ(KREG_EVENT_OVERFLOW, e->kind);
	EXPECT_EQ(1, e->seq);
	EXPECT_EQ(cmd.out_seq, e->version);
	for (i = 1; i <= 20; i++)
		ASSERT_NE(NULL, e = test_next(r));
	EXPECT_EQ(cmd.out_seq + 20, e->seq);
	test_nothing(r);
	/* From here on all is new for all three. */
	test_replay(fd, self->id, ALL_KINDS, cmd.out_seq + 20);
	test_nothing(r);
	test_puts(self->fd, self->id, "new", "");
	for (i = 0; i < 3; i++)
		test_expect(r, KREG_EVENT_CREATE, "new");
	test_nothing(r);
	free(r);
}

/* Numbers go on, and what nobody has asked for is missing, also between two rings. */
TEST_F(replay, replay_of_what_was_not_kept)
{
	struct kreg_ioc_subscribe cmd = test_subscribe_cmd(self->id, KIND(DELETE));
	int fd = test_client();
	const struct kreg_event *e;
	__u64 last;

	ASSERT_LE(0, fd);
	test_subscribe_(fd, &cmd);
	test_puts(self->fd, self->id, "a", "");
	test_delete(self->fd, self->id, "a");
	test_replay(self->fd, self->id, ALL_KINDS, cmd.out_seq);
	e = test_next(self->r);
	ASSERT_NE(NULL, e);
	EXPECT_EQ(KREG_EVENT_OVERFLOW, e->kind);
	EXPECT_EQ(cmd.out_seq + 1, e->seq);
	EXPECT_EQ(cmd.out_seq + 1, e->version);
	e = test_expect(self->r, KREG_EVENT_DELETE, "a");
	last = e->seq;
	EXPECT_EQ(cmd.out_seq + 2, last);
	close(fd);
	close(self->fd);
	ASSERT_LE(0, self->fd = self->r->fd = test_client());
	test_puts(self->fd, self->id, "b", "");
	test_replay(self->fd, self->id, ALL_KINDS, last);
	e = test_next(self->r);
	ASSERT_NE(NULL, e);
	EXPECT_EQ(KREG_EVENT_OVERFLOW, e->kind);
	EXPECT_EQ(last + 1, e->seq);
	test_nothing(self->r);
}

/* How many changes the kid finds in the past of the table job->table, which it owns. */
static long job_past(struct job *job)
{
	struct test_reader *r = test_reader(job->fd);
	const struct kreg_event *e;
	long n = 0, err = _test_replay(job->fd, job->table, ALL_KINDS, 0);

	while (!err && (e = test_next_now(r)))
		n += e->kind == KREG_EVENT_CREATE || e->kind == KREG_EVENT_DELETE;
	free(r);
	return err ?: n;
}

/* Somebody writes, removes it again, and gives the table to the kid. */
static long past_of(struct __test_metadata *_metadata, int fd, __u16 mode, struct kid *kid)
{
	struct kreg_ioc_open cmd = test_open_cmd(NULL, KREG_OPEN_CREATE);
	long n;

	cmd.access = KREG_ACCESS_PROTECTED;
	cmd.mode = mode;
	ASSERT_EQ(0, _test_open_cmd(fd, &cmd));
	test_subscribe(fd, cmd.out_table, ALL_KINDS);
	test_puts(fd, cmd.out_table, "key", "secret");
	test_delete(fd, cmd.out_table, "key");
	ASSERT_EQ(0, _test_give(fd, cmd.out_table, kid->self, "", 0));
	EXPECT_EQ(0, kid_event_now(kid));
	kid->job->table = cmd.out_table;
	n = kid_do(kid, job_past);
	EXPECT_EQ(0, kid_destroy(kid, cmd.out_table));
	return n;
}

/* The past of a table is for an owner who could have read it then. */
TEST_F(replay, past_of_a_gift)
{
	struct kid *other = kid_start_as(_metadata, 1000);
	int fd = test_client();

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, kid_setopt(other, 0, KREG_OPT_ACCEPT, 1, 0));
	EXPECT_EQ(2, past_of(_metadata, fd, 0600, self->kid));
	EXPECT_EQ(2, past_of(_metadata, fd, 0644, other));
	EXPECT_EQ(0, past_of(_metadata, fd, 0600, other));
	EXPECT_EQ(0, past_of(_metadata, fd, 0640, other));
	EXPECT_EQ(0, past_of(_metadata, fd, 0604, other));
	EXPECT_EQ(0, past_of(_metadata, fd, 0066, self->kid));
	close(fd);
}

/* The first one fails: its ring does not stay, and no number is left out. */
TEST_F(replay, first_fails)
{
	struct kreg_ioc_subscribe cmd = test_subscribe_cmd(self->id, ALL_KINDS);
	struct kreg_info before, after;

	test_info(self->fd, self->id, &before);
	test_err_replay(EINVAL, self->fd, self->id, ALL_KINDS, 1000);
	ASSERT_EQ(0, test_set_param("max_table_subscriptions", 0));
	test_err_subscribe_(EDQUOT, self->fd, &cmd);
	EXPECT_EQ(KREG_LIMIT_TABLE_SUBSCRIPTIONS, cmd.out_limit);
	test_info(self->fd, self->id, &after);
	EXPECT_EQ(before.events, after.events);
	EXPECT_EQ(before.memory, after.memory);
}

TEST_HARNESS_MAIN
