// SPDX-License-Identifier: GPL-2.0
/*
 * EDQUOT tells which limit was reached, in every command that can say so.
 */
#include <pthread.h>

#include "kit/fixture.h"
#include "kit/job.h"
#include "kit/stall.h"
#include "kit/watch.h"

#define ALICE	1000

static const char * const params[] = {
	"max_user_tables", "max_user_parked", "max_user_bytes", "max_events", "max_event_bytes",
	"max_user_queued", "max_user_queued_bytes", "max_user_watches",
};

FIXTURE(which_limit) {
	struct test_base base;
	int fd;
	struct kid *alice;
	struct kid *heir;
	__u64 table;		/* Alice's */
	long long values[ARRAY_SIZE(params)];
};

FIXTURE_SETUP(which_limit)
{
	unsigned int i;

	self->fd = test_setup(_metadata, &self->base);
	for (i = 0; i < ARRAY_SIZE(params); i++)
		self->values[i] = test_param(params[i]);
	self->alice = kid_start_as(_metadata, ALICE);
	self->heir = kid_start_as(_metadata, ALICE);
	ASSERT_EQ(0, kid_create(self->alice, "hers", KREG_ACCESS_PUBLIC,
				&self->table));
	self->alice->job->process = self->heir->self;
}

FIXTURE_TEARDOWN_PARENT(which_limit)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(params); i++)
		EXPECT_EQ(0, test_set_param(params[i], self->values[i]));
	test_teardown(_metadata, &self->base);
}

/* A job's result: the limit that a call with EDQUOT told, or what else came of it. */
static long which(int err, __u32 limit)
{
	return err == -EDQUOT ? (long)limit : err ? err : -EEXIST;
}

static long job_create(struct job *job)
{
	struct kreg_ioc_open cmd = test_open_cmd(NULL, KREG_OPEN_CREATE | job->flags);
	int err;

	cmd.orphan = job->arg;
	if (job->flags & KREG_OPEN_HEIR)
		cmd.heir = job->process;
	cmd.out_limit = ~0U;
	err = _test_open_cmd(job->fd, &cmd);
	return which(err, cmd.out_limit);
}

static long job_set(struct job *job)
{
	struct kreg_ioc_setopt cmd = {
		.size = sizeof(cmd),
		.table = job->table,
		.option = job->arg,
		.value = job->arg2,
		.out_limit = ~0U,
	};
	int err;

	if (job->arg == KREG_OPT_HEIR)
		cmd.process = job->process;
	err = test_ioctl(job->fd, KREG_IOC_SETOPT, &cmd);
	return which(err, cmd.out_limit);
}

static long job_hand(struct job *job)
{
	struct kreg_ioc_give cmd = {
		.size = sizeof(cmd),
		.flags = job->flags,
		.table = job->table,
		.out_limit = ~0U,
	};
	int err;

	if (!job->flags)
		cmd.to = job->process;
	err = test_ioctl(job->fd, KREG_IOC_GIVE, &cmd);
	return which(err, cmd.out_limit);
}

static long job_put_told(struct job *job)
{
	struct kreg_ioc_op cmd = {
		.size = sizeof(cmd),
		.table = job->table,
		.op = test_op_puts("key", "value"),
		.out_limit = ~0U,
	};
	int err = test_ioctl(job->fd, KREG_IOC_OP, &cmd);

	return which(err, cmd.out_limit);
}

/* The short form has no room for it, and what is behind it is not touched. */
static long job_put_short(struct job *job)
{
	struct kreg_ioc_op cmd = {
		.size = KREG_OP_SIZE,
		.table = job->table,
		.op = test_op_puts("key", "value"),
		.out_limit = 77,
	};
	int err = test_ioctl(job->fd, KREG_IOC_OP, &cmd);

	return which(err, cmd.out_limit);
}

static long job_batch_told(struct job *job)
{
	struct kreg_op op = test_op_puts("key", "value");
	struct kreg_ioc_batch cmd = test_batch_cmd(job->table, KREG_BATCH_ATOMIC, &op, 1);
	int err;

	cmd.size = sizeof(cmd);
	cmd.out_limit = ~0U;
	err = test_ioctl(job->fd, KREG_IOC_BATCH, &cmd);
	return which(err, cmd.out_limit);
}

static long job_sync_told(struct job *job)
{
	struct kreg_ioc_sync cmd = { .size = sizeof(cmd), .out_limit = ~0U };
	struct kreg_op ops[2] = {
		test_op_puts("key", "value"), test_op_puts("other", "value"),
	};
	int err;

	err = _test_batch(job->fd, job->table, KREG_WRITE_ASYNC, ops, 2, NULL);
	if (!err)
		err = test_ioctl(job->fd, KREG_IOC_SYNC, &cmd);
	return which(err, cmd.out_limit);
}

/* Do @fn as Alice, and expect @limit. */
static void expect_limit(struct __test_metadata *_metadata, struct kid *alice,
			 enum kreg_limit limit, long (*fn)(struct job *job))
{
	EXPECT_EQ((long)limit, kid_do(alice, fn));
}

#define EXPECT_LIMIT(...)	expect_limit(_metadata, self->alice, __VA_ARGS__)

TEST_F(which_limit, tables)
{
	ASSERT_EQ(0, test_set_param("max_user_tables", 1));
	EXPECT_LIMIT(KREG_LIMIT_TABLES, job_create);
}

TEST_F(which_limit, parked)
{
	struct job *job = self->alice->job;

	ASSERT_EQ(0, test_set_param("max_user_parked", 0));
	job->arg = KREG_ORPHAN_PARK;
	EXPECT_LIMIT(KREG_LIMIT_PARKED, job_create);
	job->table = self->table;
	job->arg = KREG_OPT_ORPHAN;
	job->arg2 = KREG_ORPHAN_PARK;
	EXPECT_LIMIT(KREG_LIMIT_PARKED, job_set);
	job->flags = KREG_GIVE_PARK;
	EXPECT_LIMIT(KREG_LIMIT_PARKED, job_hand);
}

TEST_F(which_limit, bytes)
{
	struct job *job = self->alice->job;

	job->table = self->table;
	ASSERT_EQ(0, test_set_param("max_user_bytes", 7));
	EXPECT_LIMIT(KREG_LIMIT_BYTES, job_put_told);
	EXPECT_LIMIT(KREG_LIMIT_BYTES, job_batch_told);
	EXPECT_LIMIT(KREG_LIMIT_BYTES, job_sync_told);
	EXPECT_EQ(77, kid_do(self->alice, job_put_short));
	EXPECT_EQ(0, test_objects(self->fd, self->table));
}

TEST_F(which_limit, mailbox)
{
	struct job *job = self->alice->job;

	ASSERT_EQ(0, test_set_param("max_events", 0));
	job->table = self->table;
	EXPECT_LIMIT(KREG_LIMIT_MAILBOX, job_hand);
	job->arg = KREG_OPT_HEIR;
	EXPECT_LIMIT(KREG_LIMIT_MAILBOX, job_set);
	job->arg = 0;
	job->flags = KREG_OPEN_HEIR;
	EXPECT_LIMIT(KREG_LIMIT_MAILBOX, job_create);
	ASSERT_EQ(0, test_set_param("max_events", 1));
	ASSERT_EQ(0, test_set_param("max_event_bytes", 1));
	EXPECT_LIMIT(KREG_LIMIT_MAILBOX_BYTES, job_create);
}

static long job_watch_told(struct job *job)
{
	struct kreg_ioc_watch cmd = test_watch_cmd(KREG_WATCH_PROCESS);
	int err;

	cmd.process = job->self;
	err = test_ioctl(job->fd, KREG_IOC_WATCH, &cmd);
	return which(err, cmd.out_limit);
}

TEST_F(which_limit, watches)
{
	ASSERT_EQ(0, test_set_param("max_user_watches", 0));
	EXPECT_LIMIT(KREG_LIMIT_WATCHES, job_watch_told);
	ASSERT_EQ(0, test_set_param("max_user_watches", 1));
	ASSERT_EQ(0, test_set_param("max_user_bytes", 7));
	EXPECT_LIMIT(KREG_LIMIT_BYTES, job_watch_told);
}

static long claim_hers(struct job *job, __u64 deadline_ns)
{
	struct kreg_ioc_open cmd = test_open_cmd("hers", KREG_OPEN_CLAIM | KREG_OPEN_WAIT);
	int err;

	cmd.deadline_ns = deadline_ns;
	cmd.out_limit = ~0U;
	err = _test_open_cmd(job->fd, &cmd);
	return which(err, cmd.out_limit);
}

static void *wait_for_ever(void *job)
{
	claim_hers(job, 0);
	return NULL;
}

static long job_crowd(struct job *job)
{
	pthread_t thread;
	int i;

	for (i = 0; i < KREG_MAX_WAITERS; i++)
		if (pthread_create(&thread, NULL, wait_for_ever, job))
			return -EAGAIN;
	return 0;
}

static long job_claim_told(struct job *job)
{
	return claim_hers(job, 1);
}

static unsigned int waiters(int fd, __u64 table)
{
	struct kreg_info info;

	return _test_info(fd, table, &info) ? 0 : info.waiters;
}

TEST_F(which_limit, waiters)
{
	ASSERT_EQ(0, kid_do(self->heir, job_crowd));
	ASSERT_TRUE(test_wait_for(waiters(self->fd, self->table) == KREG_MAX_WAITERS));
	EXPECT_EQ(KREG_LIMIT_WAITERS, kid_do(self->heir, job_claim_told));
}

/* How many tables with the heir job->process; then what the one that was too much told. */
static long job_fill_mailbox(struct job *job)
{
	job->flags = KREG_OPEN_HEIR;
	for (job->arg2 = 0;; job->arg2++) {
		long ret = job_create(job);

		if (ret != -EEXIST)
			return ret;
	}
}

static long fill_mailbox(struct __test_metadata *_metadata, struct kid *kid, struct kreg_process to,
			 enum kreg_limit limit)
{
	kid->job->process = to;
	EXPECT_EQ((long)limit, kid_do(kid, job_fill_mailbox));
	return kid->job->arg2;
}

#define EVENTS	40

/* A stranger gets a quarter, the owner's user always a quarter at least. */
TEST_F(which_limit, share_of_a_mailbox)
{
	struct kid *service = kid_start_as(_metadata, ALICE + 1), *own, *strangers[4];
	int i;

	ASSERT_EQ(0, kid_setopt(service, 0, KREG_OPT_ACCEPT, 1, 0));
	ASSERT_EQ(0, test_set_param("max_events", EVENTS));
	for (i = 0; i < 4; i++)
		strangers[i] = kid_start_as(_metadata, ALICE + 2 + i);
	for (i = 0; i < 3; i++)
		EXPECT_EQ(EVENTS / 4, fill_mailbox(_metadata, strangers[i], service->self,
						   KREG_LIMIT_PROMISED));
	EXPECT_EQ(0, fill_mailbox(_metadata, strangers[3], service->self, KREG_LIMIT_STRANGERS));
	own = kid_start_as(_metadata, ALICE + 1);
	EXPECT_EQ(EVENTS / 4, fill_mailbox(_metadata, own, service->self, KREG_LIMIT_MAILBOX));
	/* What is given back can be had by others. */
	kid_kill(strangers[0]);
	test_sync(self->fd);
	EXPECT_EQ(0, fill_mailbox(_metadata, strangers[1], service->self, KREG_LIMIT_PROMISED));
	EXPECT_EQ(0, fill_mailbox(_metadata, strangers[3], service->self, KREG_LIMIT_STRANGERS));
	while (!kid_event_now(service))
		;
	EXPECT_EQ(EVENTS / 4, fill_mailbox(_metadata, strangers[3], service->self,
					   KREG_LIMIT_PROMISED));
}

#define QUEUED	4

/* A batch of job->arg asynchronous writes with 2 bytes each; what it told. */
static long job_queue(struct job *job)
{
	static const char keys[] = "0123456789";
	struct kreg_op ops[2 * QUEUED];
	struct kreg_ioc_batch cmd = test_batch_cmd(job->table, KREG_WRITE_ASYNC, ops, job->arg);
	unsigned int i;
	int err;

	for (i = 0; i < job->arg; i++)
		ops[i] = test_op_value(KREG_OP_PUT, &keys[i], 1, "v", 1);
	cmd.size = sizeof(cmd);
	cmd.out_limit = ~0U;
	err = test_ioctl(job->fd, KREG_IOC_BATCH, &cmd);
	return err == -EAGAIN ? (long)cmd.out_limit : err;
}

static long kid_queue(struct kid *kid, __u64 table, long count)
{
	kid->job->table = table;
	kid->job->arg = count;
	return kid_do(kid, job_queue);
}

static long job_sync_all(struct job *job)
{
	return _test_sync(job->fd);
}

/* All that may be queued, which is so only if nothing else is counted any more. */
static void expect_room(struct __test_metadata *_metadata, struct kid *kid, __u64 table,
			enum kreg_limit limit)
{
	EXPECT_EQ(0, kid_do(kid, job_sync_all));
	EXPECT_EQ((long)limit, kid_queue(kid, table, QUEUED + 1));
	EXPECT_EQ(0, kid_queue(kid, table, QUEUED));
	EXPECT_EQ(0, kid_do(kid, job_sync_all));
}

TEST_F(which_limit, queued)
{
	int i;

	ASSERT_EQ(0, test_set_param("max_user_queued", QUEUED));
	EXPECT_EQ(KREG_LIMIT_USER_QUEUED, kid_queue(self->alice, self->table, QUEUED + 1));
	EXPECT_EQ(0, test_objects(self->fd, self->table));
	for (i = 0; i < 3 * QUEUED; i++)
		expect_room(_metadata, self->alice, self->table, KREG_LIMIT_USER_QUEUED);
	EXPECT_EQ(QUEUED, test_objects(self->fd, self->table));
	/* What cannot be written for another reason counts for nothing. */
	EXPECT_EQ(-EINVAL, kid_queue(self->alice, ~0ULL, QUEUED));
	expect_room(_metadata, self->alice, self->table, KREG_LIMIT_USER_QUEUED);
	ASSERT_EQ(0, test_set_param("max_user_queued", 0));
	EXPECT_EQ(KREG_LIMIT_USER_QUEUED, kid_queue(self->alice, self->table, 1));
	EXPECT_EQ(0, kid_puts(self->alice, self->table, "k", "v"));
}

TEST_F(which_limit, queued_bytes)
{
	ASSERT_EQ(0, test_set_param("max_user_queued_bytes", 2 * QUEUED));
	expect_room(_metadata, self->alice, self->table, KREG_LIMIT_USER_QUEUED_BYTES);
	/* Refused for its bytes, it does not count by its operations either. */
	ASSERT_EQ(0, test_set_param("max_user_queued", QUEUED));
	ASSERT_EQ(0, test_set_param("max_user_queued_bytes", 2 * QUEUED - 1));
	EXPECT_EQ(KREG_LIMIT_USER_QUEUED_BYTES, kid_queue(self->alice, self->table, QUEUED));
	ASSERT_EQ(0, test_set_param("max_user_queued_bytes", 2 * QUEUED));
	expect_room(_metadata, self->alice, self->table, KREG_LIMIT_USER_QUEUED);
}

/* By whichever way a client goes, what it had queued has been applied and is not counted. */
TEST_F(which_limit, queued_and_gone)
{
	struct kid *kid;
	int i;

	ASSERT_EQ(0, test_set_param("max_user_queued", QUEUED));
	for (i = 0; i < 3 * QUEUED; i++) {
		kid = kid_start_as(_metadata, ALICE);
		ASSERT_EQ(0, kid_queue(kid, self->table, QUEUED));
		EXPECT_EQ(i & 1 ? SIGKILL : 0, i & 1 ? kid_kill(kid) : kid_do(kid, job_close));
		EXPECT_EQ(0, kid_queue(self->alice, self->table, QUEUED));
		EXPECT_EQ(0, kid_do(self->alice, job_sync_all));
	}
}

/* It is one limit for all clients of the user, and none for others. */
TEST_F(which_limit, queued_by_all)
{
	struct kid *bob = kid_start_as(_metadata, ALICE + 1);
	long first, over, fits, others, root;
	struct hold h;
	int i, seen = 0;

	hold_prepare(_metadata, &h);
	ASSERT_EQ(0, test_set_param("max_user_queued", QUEUED));
	for (i = 0; i < 20 && !seen; i++) {
		hold(_metadata, &h);
		first = kid_queue(self->alice, self->table, QUEUED - 1);
		over = kid_queue(self->heir, self->table, 2);
		fits = kid_queue(self->heir, self->table, 1);
		others = kid_queue(bob, self->table, QUEUED);
		root = _test_put_async(self->fd, self->table, "k", "v");
		unhold(_metadata, &h);

		EXPECT_EQ(0, first);
		EXPECT_EQ(0, fits);
		EXPECT_EQ(0, others);
		EXPECT_EQ(0, root);
		/* Unless the thread has come to run all the same. */
		seen = over == KREG_LIMIT_USER_QUEUED;
		ASSERT_TRUE(seen || !over);
		test_sync(self->fd);
	}
	EXPECT_TRUE(seen);
	expect_room(_metadata, self->heir, self->table, KREG_LIMIT_USER_QUEUED);
}

TEST_HARNESS_MAIN
