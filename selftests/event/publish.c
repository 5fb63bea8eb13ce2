// SPDX-License-Identifier: GPL-2.0
/*
 * Events that users publish, and the ring that is kept for those who come later.
 */
#include "kit/fixture.h"
#include "kit/job.h"
#include "kit/stream.h"
#include "kit/watch.h"

#define ALICE	1000

FIXTURE(publish) {
	struct test_base base;
	int fd;
	__u64 id;
	struct test_reader *r;
	struct kid *kid;
};

FIXTURE_SETUP(publish)
{
	self->fd = test_setup(_metadata, &self->base);
	self->kid = kid_start(_metadata);
	test_create(self->fd, "table", KREG_ACCESS_PUBLIC, &self->id);
	self->r = test_reader(self->fd);
	ASSERT_NE(NULL, self->r);
}

FIXTURE_TEARDOWN_PARENT(publish)
{
	test_teardown(_metadata, &self->base);
}

static struct kreg_op publish(const char *key, const char *value)
{
	return test_op_value(KREG_OP_PUBLISH, key, strlen(key), value, strlen(value));
}

TEST_F(publish, user_events)
{
	struct kreg_op op = publish("topic", "data"), put = test_op_puts("a", "1");
	const struct kreg_event *e;
	struct kreg_info before, after;

	/* Nobody asks for it. */
	test_info(self->fd, self->id, &before);
	test_op_(self->fd, self->id, 0, &op);
	EXPECT_EQ(0, op.out_count);
	test_subscribe(self->fd, self->id, ALL_KINDS);
	test_subscribe(self->fd, self->id, KIND(CREATE));
	op = publish("topic", "data");
	test_op_(self->fd, self->id, 0, &op);
	EXPECT_EQ(2, op.out_count);
	e = test_expect(self->r, KREG_EVENT_USER, "topic");
	EXPECT_TRUE(test_has_value(e, "data"));
	EXPECT_EQ(op.out_version, e->version);
	op = publish("", "");
	test_op_(self->fd, self->id, 0, &op);
	test_expect(self->r, KREG_EVENT_USER, "");
	test_nothing(self->r);
	/* No object, and a version as of a write. */
	test_info(self->fd, self->id, &after);
	EXPECT_EQ(0, after.objects);
	EXPECT_EQ(0, after.bytes);
	test_op_(self->fd, self->id, 0, &put);
	EXPECT_LT(op.out_version, put.out_version);
}

TEST_F(publish, long_async_and_in_batches)
{
	static char value[KREG_MAX_EVENT_VALUE + 1], key[KREG_MAX_KEY + 1];
	struct kreg_op op = test_op_value(KREG_OP_PUBLISH, key, KREG_MAX_KEY, value,
					  KREG_MAX_EVENT_VALUE), ops[3];
	const struct kreg_event *e;
	int i;

	memset(value, 'v', sizeof(value));
	memset(key, 'k', sizeof(key));
	test_subscribe(self->fd, self->id, ALL_KINDS);
	for (i = 0; i < 2; i++) {
		test_op_(self->fd, self->id, i ? KREG_WRITE_ASYNC : 0, &op);
		test_sync(self->fd);
		e = test_next(self->r);
		ASSERT_NE(NULL, e);
		EXPECT_EQ(KREG_EVENT_USER, e->kind);
		EXPECT_EQ(KREG_MAX_KEY, e->key_len);
		EXPECT_EQ(KREG_MAX_EVENT_VALUE, e->value_len);
		EXPECT_EQ(0, memcmp(test_value(e), value, KREG_MAX_EVENT_VALUE));
	}
	op = publish("a", "1");
	test_op_(self->fd, self->id, KREG_WRITE_ASYNC, &op);
	test_sync(self->fd);
	EXPECT_TRUE(test_has_value(test_expect(self->r, KREG_EVENT_USER, "a"), "1"));
	for (i = 0; i < 2; i++) {
		ops[0] = publish("b", "22");
		ops[1] = test_op_puts(i ? "d" : "c", "3");
		ops[2] = publish("", "4");
		test_batch(self->fd, self->id, i ? KREG_WRITE_ASYNC : KREG_BATCH_ATOMIC, ops, 3,
			   NULL);
		test_sync(self->fd);
		EXPECT_TRUE(test_has_value(test_expect(self->r, KREG_EVENT_USER, "b"), "22"));
		test_expect(self->r, KREG_EVENT_CREATE, i ? "d" : "c");
		EXPECT_TRUE(test_has_value(test_expect(self->r, KREG_EVENT_USER, ""), "4"));
	}
	test_nothing(self->r);
	op.key_len = 0;
	op.value = test_ptr(value);
	op.value_len = sizeof(value);
	test_err_op(EFBIG, self->fd, self->id, 0, &op);
	op.key = test_ptr(key);
	op.key_len = sizeof(key);
	test_err_op(ENAMETOOLONG, self->fd, self->id, 0, &op);
	op = publish("a", "");
	op.flags = KREG_OP_NEW;
	test_err_op(EINVAL, self->fd, self->id, 0, &op);
	test_nothing(self->r);
}

/* One event in a batch, and when that has been applied. */
static long job_publish(struct job *job)
{
	struct kreg_op op = publish(job->key, "");

	return _test_batch(job->fd, job->table, job->flags, &op, 1, NULL) ?:
	       _test_sync(job->fd) ?: -(long)op.out_error;
}

static long kid_publish(struct kid *kid, __u64 table, const char *key, __u32 flags)
{
	kid->job->table = table;
	kid->job->flags = flags;
	test_set(kid->job->key, key);
	return kid_do(kid, job_publish);
}

/* Who may write may publish. */
TEST_F(publish, rights)
{
	test_access(self->fd, self->id, KREG_ACCESS_PROTECTED);
	EXPECT_EQ(-EACCES, kid_op(self->kid, self->id, KREG_OP_PUBLISH, "a"));
	test_access(self->fd, self->id, KREG_ACCESS_PUBLIC);
	EXPECT_EQ(0, kid_op(self->kid, self->id, KREG_OP_PUBLISH, "a"));
}

/* In a registry those whom the mode lets write: what is told is bound to nobody. */
TEST_F(publish, in_a_registry)
{
	struct kid *alice = kid_start_as(_metadata, ALICE);

	test_access(self->fd, self->id, KREG_ACCESS_REGISTRY);
	test_mode(self->fd, self->id, 0666);
	test_subscribe(self->fd, self->id, ALL_KINDS);
	EXPECT_EQ(0, kid_op(alice, self->id, KREG_OP_PUBLISH, "one"));
	EXPECT_EQ(0, kid_publish(alice, self->id, "atomic", KREG_BATCH_ATOMIC));
	EXPECT_EQ(0, kid_publish(alice, self->id, "queued", KREG_WRITE_ASYNC));
	test_sync(self->fd);
	test_expect(self->r, KREG_EVENT_USER, "one");
	test_expect(self->r, KREG_EVENT_USER, "atomic");
	test_expect(self->r, KREG_EVENT_USER, "queued");
	test_mode(self->fd, self->id, 0644);
	EXPECT_EQ(-EACCES, kid_op(alice, self->id, KREG_OP_PUBLISH, "one"));
	EXPECT_EQ(-EACCES, kid_publish(alice, self->id, "atomic", KREG_BATCH_ATOMIC));
	test_nothing(self->r);
}

/* A ring that is kept has the past for those who come later, of all kinds. */
TEST_F(publish, kept_ring)
{
	struct kreg_ioc_subscribe cmd = test_subscribe_cmd(self->id, ALL_KINDS);
	const struct kreg_event *e;
	__u64 size;
	int i, n;

	for (size = 1; size < 1U << 22; size *= 2)
		EXPECT_EQ(size < KREG_MIN_STREAM || size > KREG_MAX_STREAM ? -EINVAL : 0,
			  _test_setopt(self->fd, self->id, KREG_OPT_STREAM, size, 0));
	test_err_setopt(EINVAL, self->fd, self->id, KREG_OPT_STREAM, KREG_MIN_STREAM + 8, 0);
	test_setopt(self->fd, self->id, KREG_OPT_STREAM, KREG_MIN_STREAM, 0);
	for (i = 0; i < 100; i++)
		test_put(self->fd, self->id, &i, sizeof(i), NULL, 0);
	cmd.flags = KREG_SUBSCRIBE_REPLAY;
	test_subscribe_(self->fd, &cmd);
	test_err_setopt(EBUSY, self->fd, self->id, KREG_OPT_STREAM, KREG_MAX_STREAM, 0);
	test_err_setopt(EBUSY, self->fd, self->id, KREG_OPT_STREAM, 0, 0);
	/* From before there was a ring. */
	e = test_expect(self->r, KREG_EVENT_OVERFLOW, "");
	EXPECT_EQ(cmd.out_seq - 100, e->version);
	for (i = 0; i < 100; i++)
		ASSERT_NE(NULL, test_next(self->r));
	test_nothing(self->r);
	test_cancel(self->fd, cmd.out_id, 0);
	for (i = 0; i < 1000; i++)
		test_put(self->fd, self->id, &i, sizeof(i), NULL, 0);
	test_replay(self->fd, self->id, ALL_KINDS, cmd.out_seq);
	e = test_expect(self->r, KREG_EVENT_OVERFLOW, "");
	for (n = 0; test_next_now(self->r); n++)
		;
	EXPECT_EQ(KREG_MIN_STREAM / 96, n);
	EXPECT_EQ(cmd.out_seq + 1000 - n, e->version);
	close(self->fd);
	ASSERT_LE(0, self->fd = test_client());
	test_setopt(self->fd, self->id, KREG_OPT_STREAM, 0, 0);
	ASSERT_EQ(0, kid_open(self->kid, "table", 0, &self->id));
	self->kid->job->table = self->id;
}

TEST_HARNESS_MAIN
