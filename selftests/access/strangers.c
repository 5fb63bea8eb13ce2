// SPDX-License-Identifier: GPL-2.0
/*
 * Strangers: whatever one user has queued, another's calls and deaths do not wait for it.
 *
 * The writer's thread is kept from running until a stranger has queued a lot, in many
 * tables. Then it runs, and what a test does must be over before the stranger's queue is.
 */
#include "kit/fixture.h"
#include "kit/job.h"
#include "kit/fault.h"
#include "kit/stall.h"

#define ALICE		1000
#define STRANGER	1001
#define CLIENTS		32
#define BATCH		2048

FIXTURE(strangers) {
	struct test_base base;
	int fd;
	struct kid *alice;
	struct kid *stranger;
	struct hold hold;
	__u64 table;
};

FIXTURE_SETUP(strangers)
{
	self->fd = test_setup(_metadata, &self->base);
	self->alice = kid_start_as(_metadata, ALICE);
	self->stranger = kid_start_as(_metadata, STRANGER);
	hold_prepare(_metadata, &self->hold);
	ASSERT_EQ(0, kid_create(self->alice, NULL, 0, &self->table));
}

FIXTURE_TEARDOWN_PARENT(strangers)
{
	test_teardown(_metadata, &self->base);
}

/* Batches in as many tables, each from a client of its own, so that it may be much. */
static int flooding[CLIENTS];
static __u64 tables[CLIENTS];

/* Apart, since this may need the thread. With job->arg, all are for that one table. */
static long job_prepare_flood(struct job *job)
{
	int i, err = 0;

	for (i = 0; i < CLIENTS && !err; i++) {
		flooding[i] = test_client();
		tables[i] = job->arg;
		if (flooding[i] < 0)
			err = flooding[i];
		else if (!job->arg)
			err = _test_create(flooding[i], NULL, KREG_ACCESS_PRIVATE, &tables[i]);
	}
	return err;
}

static long job_flood(struct job *job)
{
	static __u64 keys[BATCH];
	static struct kreg_op ops[BATCH];
	int i, err = 0;

	for (i = 0; i < BATCH; i++) {
		keys[i] = i;
		ops[i] = test_op_value(KREG_OP_PUT, &keys[i], 8, &keys[i], 8);
	}
	for (i = 0; i < CLIENTS && !err; i++)
		err = _test_batch(flooding[i], tables[i], KREG_WRITE_ASYNC, ops, BATCH, NULL);
	return err;
}

static long job_unflood(struct job *job)
{
	int i, err = 0;

	for (i = 0; i < CLIENTS && !err; i++) {
		if (!job->arg)
			err = _test_destroy(flooding[i], tables[i]);
		close(flooding[i]);
	}
	return err;
}

/* Fill the stranger's queue while the thread cannot run. */
static void flood(struct __test_metadata *_metadata, struct kid *stranger, struct hold *h)
{
	ASSERT_EQ(0, kid_do(stranger, job_prepare_flood));
	hold(_metadata, h);
	ASSERT_EQ(0, kid_do(stranger, job_flood));
	unhold(_metadata, h);
}

/* How many operations of the stranger are still queued. */
static long queued(struct kid *stranger)
{
	long sum = 0, n;
	int fd;

	for (fd = 3; fd < 3 + 2 * CLIENTS; fd++) {
		n = fault_fdinfo(stranger->pid, fd, "kreg-async:");
		sum += n > 0 ? n : 0;
	}
	return sum;
}

/*
 * What waits for all that was queued before is never done while something of that is still
 * in the queue. What does not is done sooner, but for an emulated processor that stands still.
 */
#define ROUNDS	40

#define expect_not_waited(prepare, what)					\
({										\
	bool __waited = true;							\
	int __i;								\
										\
	for (__i = 0; __i < ROUNDS && __waited; __i++) {			\
		prepare;							\
		flood(_metadata, self->stranger, &self->hold);			\
		what;								\
		__waited = !queued(self->stranger);				\
		EXPECT_EQ(0, kid_do(self->stranger, job_unflood));		\
	}									\
	EXPECT_FALSE(__waited);							\
})

TEST_F(strangers, write)
{
	expect_not_waited(, ASSERT_EQ(0, kid_puts(self->alice, self->table, "k", "v")));
	expect_not_waited(, ASSERT_EQ(0, kid_op(self->alice, self->table, KREG_OP_DELETE, "k")));
}

TEST_F(strangers, read)
{
	ASSERT_EQ(0, kid_puts(self->alice, self->table, "k", "v"));
	expect_not_waited(, ASSERT_EQ(0, kid_gets(self->alice, self->table, "k")));
}

static long job_async_then_take(struct job *job)
{
	struct kreg_op op = test_op_value(KREG_OP_TAKE, "k", 1, job->value, 1);
	int err = _test_put_async(job->fd, job->table, "k", "v");

	return err ?: _test_op(job->fd, job->table, 0, &op);
}

/* It begins with what the caller has queued for the table, and with that alone. */
TEST_F(strangers, own_queue)
{
	self->alice->job->table = self->table;
	expect_not_waited(, ASSERT_EQ(0, kid_do(self->alice, job_async_then_take)));
}

/* In a table that both write to, what waits is one request of each other user. */
TEST_F(strangers, same_table)
{
	__u64 id;

	ASSERT_EQ(0, kid_create(self->alice, NULL, KREG_ACCESS_PUBLIC, &id));
	self->stranger->job->arg = id;
	expect_not_waited(, ASSERT_EQ(0, kid_puts(self->alice, id, "k", "v")));
	expect_not_waited(, ASSERT_EQ(0, kid_setopt(self->alice, id, KREG_OPT_MODE, 0666, 0)));
}

#define ORDERED	200

/* Asynchronous writes by two clients, then one that is waited for. */
static long job_write_in_order(struct job *job)
{
	struct kreg_op op;
	char text[16];
	int i, err = 0;

	for (i = 0; i < ORDERED && !err; i++) {
		snprintf(text, sizeof(text), "%d", i);
		op = test_op_puts("k", text);
		/* A batch is queued in any case. */
		err = _test_batch(job->fd, job->table, KREG_WRITE_ASYNC, &op, 1, NULL) ?:
		      _test_put_async(job->fd, job->table, text, text);
	}
	op = test_op_puts("k", "last");
	op.flags = KREG_OP_NEW;
	err = err ?: _test_op(job->fd, job->table, 0, &op);
	return err == -EEXIST ? _test_gets(job->fd, job->table, "k", job->value,
					   sizeof(job->value)) : err ?: -EINVAL;
}

/* Their own order is kept all the same. */
TEST_F(strangers, same_table_in_order)
{
	char last[16];
	__u64 id;

	snprintf(last, sizeof(last), "%d", ORDERED - 1);
	ASSERT_EQ(0, kid_create(self->alice, NULL, KREG_ACCESS_PUBLIC, &id));
	self->stranger->job->arg = id;
	self->alice->job->table = id;
	flood(_metadata, self->stranger, &self->hold);
	EXPECT_EQ(0, kid_do(self->alice, job_write_in_order));
	EXPECT_STREQ(last, self->alice->job->value);
	/* What the stranger was told to be accepted is done. */
	EXPECT_EQ(0, kid_do(self->stranger, job_unflood));
	EXPECT_EQ(1 + ORDERED + BATCH, test_objects(self->fd, id));
}

TEST_F(strangers, create)
{
	__u64 id;

	expect_not_waited(, ASSERT_EQ(0, kid_create(self->alice, NULL, 0, &id)));
}

TEST_F(strangers, destroy)
{
	__u64 id;

	expect_not_waited(ASSERT_EQ(0, kid_create(self->alice, NULL, 0, &id)),
			  ASSERT_EQ(0, kid_destroy(self->alice, id)));
}

TEST_F(strangers, close)
{
	expect_not_waited(ASSERT_EQ(0, kid_do(self->alice, job_client)),
			  ASSERT_EQ(0, kid_do(self->alice, job_close)));
}

/* The last one of its process, which is what an exit waits for. */
TEST_F(strangers, close_last)
{
	struct kid *other;

	expect_not_waited(other = kid_start_as(_metadata, ALICE),
			  ASSERT_EQ(0, kid_do(other, job_close)));
}

TEST_F(strangers, claim)
{
	struct kid *other = kid_start_as(_metadata, ALICE);
	__u64 id;

	ASSERT_EQ(0, kid_create(other, "strangers", 0, &id));
	expect_not_waited(ASSERT_EQ(0, kid_park(other, id)),
			  ASSERT_EQ(0, kid_open(other, "strangers", KREG_OPEN_CLAIM, &id)));
}

static struct kid *start_owner(struct __test_metadata *_metadata, struct kid *heir, __u64 *id)
{
	struct kid *owner = kid_start_as(_metadata, ALICE);

	ASSERT_EQ(0, kid_create(owner, NULL, 0, id));
	if (heir)
		ASSERT_EQ(0, kid_heir(owner, *id, heir->self, ""));
	owner->job->table = *id;
	return owner;
}

/* From the signal to the record in the heir's mailbox. */
TEST_F(strangers, death)
{
	struct kid *owner;
	__u64 id;

	expect_not_waited(owner = start_owner(_metadata, self->alice, &id),
			  EXPECT_EQ(SIGKILL, kid_kill(owner));
			  ASSERT_EQ(0, kid_event_now(self->alice)));
	EXPECT_EQ(id, self->alice->job->event.e.table);
}

/* The same of a table in which the stranger has queued all that. */
static struct kid *start_public_owner(struct __test_metadata *_metadata, struct kid *heir,
				      struct kid *stranger, __u64 *id)
{
	struct kid *owner = start_owner(_metadata, heir, id);

	ASSERT_EQ(0, kid_setopt(owner, *id, KREG_OPT_ACCESS, KREG_ACCESS_PUBLIC, 0));
	stranger->job->arg = *id;
	return owner;
}

TEST_F(strangers, death_in_the_same_table)
{
	struct kid *owner;
	__u64 id;

	expect_not_waited(owner = start_public_owner(_metadata, self->alice, self->stranger, &id),
			  EXPECT_EQ(SIGKILL, kid_kill(owner));
			  ASSERT_EQ(0, kid_event_now(self->alice)));
	EXPECT_EQ(id, self->alice->job->event.e.table);
}

static long job_write_and_exit(struct job *job)
{
	_exit(_test_put_async(job->fd, job->table, "last", "word"));
}

/* A death waits for what its process has queued, which does not wait for others. */
TEST_F(strangers, death_with_a_queue)
{
	struct kid *owner;
	__u64 id;

	expect_not_waited(owner = start_owner(_metadata, self->alice, &id),
			  kid_ask(owner, job_write_and_exit);
			  EXPECT_EQ(0, kid_reap(owner));
			  ASSERT_EQ(0, kid_event_now(self->alice));
			  ASSERT_EQ(0, kid_gets(self->alice, id, "last")));
}

/* Whoever asks what has become of a table waits for that table's owner alone. */
TEST_F(strangers, asking)
{
	struct kreg_info info;
	struct kid *owner;
	__u64 id;

	expect_not_waited(owner = start_owner(_metadata, NULL, &id),
			  EXPECT_EQ(SIGKILL, kid_kill(owner));
			  test_err_info(ESTALE, self->fd, id, &info));
}

TEST_HARNESS_MAIN
