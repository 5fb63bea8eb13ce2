// SPDX-License-Identifier: GPL-2.0
/*
 * Writers that wait until what they have written is acknowledged by who was told of it.
 */
#include <pthread.h>

#include "kit/fixture.h"
#include "kit/edit.h"
#include "kit/job.h"
#include "kit/pause.h"
#include "kit/stream.h"
#include "kit/watch.h"

FIXTURE(acks) {
	struct test_base base;
	int fd;
	__u64 id;
	struct test_reader *r;
	struct kid *kid;
};

FIXTURE_SETUP(acks)
{
	self->fd = test_setup(_metadata, &self->base);
	self->kid = kid_start(_metadata);
	test_create(self->fd, "table", KREG_ACCESS_PUBLIC, &self->id);
	self->r = test_reader(self->fd);
	ASSERT_NE(NULL, self->r);
}

FIXTURE_TEARDOWN_PARENT(acks)
{
	test_teardown(_metadata, &self->base);
}

static struct kreg_op publish(const char *key, const char *value)
{
	return test_op_value(KREG_OP_PUBLISH, key, strlen(key), value, strlen(value));
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

TEST_F(acks, acknowledged)
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

TEST_F(acks, missing_at_the_deadline)
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

static void on_signal(int sig)
{
}

/* Tells something, with no deadline, and is interrupted by a signal. */
static long job_tell(struct job *job)
{
	struct sigaction act = { .sa_handler = on_signal, .sa_flags = job->flags };
	struct publisher p = { .fd = job->fd, .id = job->table, .op = publish("told", "") };

	sigaction(SIGUSR1, &act, NULL);
	publish_acked(&p);
	job->arg = p.missing;
	return p.err;
}

/*
 * Who has not acknowledged it when a signal comes is missing, and the write is done: so it is not
 * done once more either.
 */
TEST_F(acks, interrupted)
{
	static const __u32 how[] = { 0, SA_RESTART };
	struct kid *a = subscriber(_metadata, self->id, KREG_SUBSCRIBE_ACK, ALL_KINDS);
	unsigned int i;

	test_subscribe(self->fd, self->id, ALL_KINDS);
	for (i = 0; i < ARRAY_SIZE(how); i++) {
		self->kid->job->table = self->id;
		self->kid->job->flags = how[i];
		kid_ask(self->kid, job_tell);
		test_expect(self->r, KREG_EVENT_USER, "told");
		ASSERT_TRUE(test_wait_for(pause_state(self->kid) == 'S'));
		kill(self->kid->pid, SIGUSR1);
		EXPECT_EQ(0, kid_answer(self->kid));
		EXPECT_EQ(1, self->kid->job->arg);
		test_nothing(self->r);
	}
	kid_kill(a);
}

/* Whose file another has open is dead all the same. */
TEST_F(acks, dead_with_open_file)
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

TEST_F(acks, ack_errors)
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
TEST_F(acks, batch_is_not_acked)
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
