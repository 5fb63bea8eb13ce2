// SPDX-License-Identifier: GPL-2.0
/*
 * Events that users publish, and writers that wait until they are acknowledged.
 */
#include <pthread.h>

#include "kit/fixture.h"
#include "kit/edit.h"
#include "kit/job.h"
#include "kit/pause.h"
#include "kit/stream.h"
#include "kit/watch.h"

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

/* Who may write may publish. */
TEST_F(publish, rights)
{
	test_access(self->fd, self->id, KREG_ACCESS_PROTECTED);
	EXPECT_EQ(-EACCES, kid_op(self->kid, self->id, KREG_OP_PUBLISH, "a"));
	test_access(self->fd, self->id, KREG_ACCESS_PUBLIC);
	EXPECT_EQ(0, kid_op(self->kid, self->id, KREG_OP_PUBLISH, "a"));
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

static int _test_ack(int fd, __u64 id, __u64 seq)
{
	struct kreg_ioc_ack cmd = { .size = sizeof(cmd), .id = id, .seq = seq };

	return test_ioctl(fd, KREG_IOC_ACK, &cmd);
}

/* A publisher in a thread of its own. */
struct publisher {
	pthread_t thread;
	int fd;
	__u64 id;
	__u64 deadline;
	struct kreg_op op;
	long err;
	__u32 missing;
	bool done;
};

static void *publish_acked(void *arg)
{
	struct publisher *p = arg;
	struct kreg_ioc_op cmd = {
		.size = sizeof(cmd),
		.flags = KREG_WRITE_ACKED,
		.table = p->id,
		.op = p->op,
		.deadline_ns = p->deadline,
	};

	cmd.out_missing = ~0U;
	p->err = test_ioctl(p->fd, KREG_IOC_OP, &cmd);
	p->missing = cmd.out_missing;
	__atomic_store_n(&p->done, true, __ATOMIC_SEQ_CST);
	return NULL;
}

static void start_publisher(struct __test_metadata *_metadata, struct publisher *p, int fd,
			    __u64 id, struct kreg_op op, __u64 deadline)
{
	*p = (struct publisher) { .fd = fd, .id = id, .op = op, .deadline = deadline };
	ASSERT_EQ(0, pthread_create(&p->thread, NULL, publish_acked, p));
}

static __u32 missing_of(struct __test_metadata *_metadata, struct publisher *p)
{
	ASSERT_TRUE(test_wait_for(__atomic_load_n(&p->done, __ATOMIC_SEQ_CST)));
	pthread_join(p->thread, NULL);
	EXPECT_EQ(0, p->err);
	return p->missing;
}

static bool is_waiting(struct publisher *p)
{
	test_pause_ms(30);
	return !__atomic_load_n(&p->done, __ATOMIC_SEQ_CST);
}

static long job_subscribe_ack(struct job *job)
{
	struct kreg_ioc_subscribe cmd = test_subscribe_cmd(job->table, job->arg);
	int err;

	cmd.flags = job->flags;
	err = _test_subscribe_cmd(job->fd, &cmd);
	job->arg2 = cmd.out_id;
	return err;
}

/* Reads one event, and acknowledges it. */
static long job_ack_next(struct job *job)
{
	struct test_reader *r = test_reader(job->fd);
	const struct kreg_event *e = test_next(r);

	return e ? _test_ack(job->fd, e->id, e->seq) : -ENOMSG;
}

static long job_cancel_it(struct job *job)
{
	return _test_cancel(job->fd, job->arg2, 0);
}

static struct kid *subscriber(struct __test_metadata *_metadata, __u64 id, __u32 flags, __u32 mask)
{
	struct kid *kid = kid_start(_metadata);

	kid->job->table = id;
	kid->job->flags = flags;
	kid->job->arg = mask;
	ASSERT_EQ(0, kid_do(kid, job_subscribe_ack));
	return kid;
}

TEST_F(publish, acknowledged)
{
	struct kreg_op user = publish("a", "1"), put = test_op_puts("a", "1");
	struct kreg_field field = test_copy(0, 0, "!", 1);
	struct kreg_op edit = test_op_edit("a", &field, 1);
	struct kid *a, *b, *other;
	struct publisher p;

	/* Nobody, who has not said so, and who is not told of it. */
	start_publisher(_metadata, &p, self->fd, self->id, user, 0);
	EXPECT_EQ(0, missing_of(_metadata, &p));
	other = subscriber(_metadata, self->id, 0, ALL_KINDS);
	start_publisher(_metadata, &p, self->fd, self->id, user, 0);
	EXPECT_EQ(0, missing_of(_metadata, &p));
	a = subscriber(_metadata, self->id, KREG_SUBSCRIBE_ACK, KIND(USER) | KIND(CREATE));
	b = subscriber(_metadata, self->id, KREG_SUBSCRIBE_ACK, ALL_KINDS);
	/* Two, one after the other. */
	start_publisher(_metadata, &p, self->fd, self->id, user, 0);
	EXPECT_TRUE(is_waiting(&p));
	EXPECT_EQ(0, kid_do(a, job_ack_next));
	EXPECT_TRUE(is_waiting(&p));
	EXPECT_EQ(0, kid_do(b, job_ack_next));
	EXPECT_EQ(0, missing_of(_metadata, &p));
	/* A put is as good; and of an update only one is told. */
	start_publisher(_metadata, &p, self->fd, self->id, put, 0);
	EXPECT_TRUE(is_waiting(&p));
	EXPECT_EQ(0, kid_do(b, job_ack_next));
	EXPECT_EQ(0, kid_do(a, job_ack_next));
	EXPECT_EQ(0, missing_of(_metadata, &p));
	start_publisher(_metadata, &p, self->fd, self->id, put, 0);
	EXPECT_TRUE(is_waiting(&p));
	EXPECT_EQ(0, kid_do(b, job_ack_next));
	EXPECT_EQ(0, missing_of(_metadata, &p));
	/* So is an edit, and a put on condition of a value. */
	start_publisher(_metadata, &p, self->fd, self->id, edit, 0);
	EXPECT_TRUE(is_waiting(&p));
	EXPECT_EQ(0, kid_do(b, job_ack_next));
	EXPECT_EQ(0, missing_of(_metadata, &p));
	EXPECT_EQ(1, field.out);
	test_if_value(&put, "!", 1);
	start_publisher(_metadata, &p, self->fd, self->id, put, 0);
	EXPECT_TRUE(is_waiting(&p));
	EXPECT_EQ(0, kid_do(b, job_ack_next));
	EXPECT_EQ(0, missing_of(_metadata, &p));
	/* What is not there any more is waited for by nobody. */
	start_publisher(_metadata, &p, self->fd, self->id, user, 0);
	EXPECT_TRUE(is_waiting(&p));
	EXPECT_EQ(0, kid_do(a, job_cancel_it));
	kid_kill(b);
	EXPECT_EQ(0, missing_of(_metadata, &p));
	kid_kill(a);
	kid_kill(other);
}

TEST_F(publish, missing_at_the_deadline)
{
	struct kid *a = subscriber(_metadata, self->id, KREG_SUBSCRIBE_ACK, ALL_KINDS);
	struct kid *b = subscriber(_metadata, self->id, KREG_SUBSCRIBE_ACK, ALL_KINDS);
	struct kreg_ioc_subscribe own = test_subscribe_cmd(self->id, ALL_KINDS);
	struct kreg_op user = publish("a", "1");
	struct publisher p;
	__u64 until;

	/* The caller's own is not waited for. */
	own.flags = KREG_SUBSCRIBE_ACK;
	test_subscribe_(self->fd, &own);
	ASSERT_TRUE(pause_stop(b));
	/* Long enough for one of them. */
	until = test_now_ns() + test_scale(200) * 1000000ULL;
	start_publisher(_metadata, &p, self->fd, self->id, user, until);
	EXPECT_EQ(0, kid_do(a, job_ack_next));
	EXPECT_EQ(1, missing_of(_metadata, &p));
	EXPECT_LE(until, test_now_ns());
	/* It was published all the same. A deadline that has passed is a try. */
	test_expect(self->r, KREG_EVENT_USER, "a");
	start_publisher(_metadata, &p, self->fd, self->id, user, 1);
	EXPECT_EQ(2, missing_of(_metadata, &p));
	kid_kill(a);
	kid_kill(b);
}

/* Whose file another has open is dead all the same. */
TEST_F(publish, dead_with_open_file)
{
	struct kid *a = subscriber(_metadata, self->id, KREG_SUBSCRIBE_ACK, ALL_KINDS);
	struct publisher p;
	int fd = syscall(SYS_pidfd_getfd, a->pidfd, a->job->fd, 0);

	ASSERT_LE(0, fd);
	start_publisher(_metadata, &p, self->fd, self->id, publish("a", ""), 0);
	EXPECT_TRUE(is_waiting(&p));
	kid_kill(a);
	EXPECT_EQ(0, missing_of(_metadata, &p));
	close(fd);
}

TEST_F(publish, ack_errors)
{
	struct kreg_ioc_subscribe cmd = test_subscribe_cmd(self->id, ALL_KINDS);
	struct kreg_ioc_op op = { .size = sizeof(op), .table = self->id };
	const struct kreg_event *e;
	__u64 watch;

	test_subscribe_(self->fd, &cmd);
	EXPECT_EQ(-EINVAL, _test_ack(self->fd, cmd.out_id, cmd.out_seq));
	test_cancel(self->fd, cmd.out_id, 0);
	EXPECT_EQ(-ENOENT, _test_ack(self->fd, cmd.out_id, cmd.out_seq));
	EXPECT_EQ(-EINVAL, _test_ack(self->fd, 0, 1));
	cmd.flags = KREG_SUBSCRIBE_ACK;
	test_subscribe_(self->fd, &cmd);
	test_puts(self->fd, self->id, "a", "");
	EXPECT_EQ(-EINVAL, _test_ack(self->fd, cmd.out_id, cmd.out_seq + 1));
	e = test_expect(self->r, KREG_EVENT_CREATE, "a");
	EXPECT_EQ(cmd.out_seq + 1, e->seq);
	EXPECT_EQ(0, _test_ack(self->fd, cmd.out_id, e->seq));
	EXPECT_EQ(0, _test_ack(self->fd, cmd.out_id, e->seq));
	EXPECT_EQ(-EINVAL, _test_ack(self->fd, cmd.out_id, e->seq + 1));
	ASSERT_EQ(0, _test_watch(self->fd, self->kid->self, &watch));
	EXPECT_EQ(-EINVAL, _test_ack(self->fd, watch, 1));
	op.op = test_op_puts("a", "");
	op.flags = KREG_WRITE_ACKED | KREG_WRITE_ASYNC;
	EXPECT_EQ(-EINVAL, test_ioctl(self->fd, KREG_IOC_OP, &op));
	op.flags = 0;
	op.deadline_ns = 1;
	EXPECT_EQ(-EINVAL, test_ioctl(self->fd, KREG_IOC_OP, &op));
	op.flags = KREG_WRITE_ACKED;
	op.op = test_ops(KREG_OP_MEMBER, "a");
	EXPECT_EQ(-EINVAL, test_ioctl(self->fd, KREG_IOC_OP, &op));
}

/* A batch does not wait, and has done nothing; what is published after it does. */
TEST_F(publish, batch_is_not_acked)
{
	struct kreg_op op = test_op_puts("batched", "v");
	struct kreg_ioc_batch cmd = test_batch_cmd(self->id, KREG_WRITE_ACKED, &op, 1);

	EXPECT_EQ(-EOPNOTSUPP, _test_batch_cmd(self->fd, &cmd));
	cmd.flags |= KREG_BATCH_ATOMIC;
	EXPECT_EQ(-EOPNOTSUPP, _test_batch_cmd(self->fd, &cmd));
	cmd.flags = 0;
	cmd.deadline_ns = 1;
	EXPECT_EQ(-EOPNOTSUPP, _test_batch_cmd(self->fd, &cmd));
	test_err_member(ENODATA, self->fd, self->id, "batched");
}

TEST_HARNESS_MAIN
