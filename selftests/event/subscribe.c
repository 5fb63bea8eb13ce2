// SPDX-License-Identifier: GPL-2.0
/*
 * Subscriptions: who may, how many, how they end, and who is woken.
 */
#include <sys/wait.h>

#include "kit/fixture.h"
#include "kit/job.h"
#include "kit/pause.h"
#include "kit/stream.h"
#include "kit/watch.h"

#define OTHER_UID	1234

FIXTURE(subscribe) {
	struct test_base base;
	int fd;
	__u64 id;
	struct test_reader *r;
	struct kid *kid;
};

FIXTURE_SETUP(subscribe)
{
	self->fd = test_setup(_metadata, &self->base);
	self->kid = kid_start(_metadata);
	ASSERT_EQ(0, kid_create(self->kid, "table", KREG_ACCESS_PUBLIC, &self->id));
	self->r = test_reader(self->fd);
	ASSERT_NE(NULL, self->r);
}

FIXTURE_TEARDOWN_PARENT(subscribe)
{
	EXPECT_EQ(0, test_set_param("max_subscriptions", KREG_MAX_SUBSCRIPTIONS));
	EXPECT_EQ(0, test_set_param("max_table_subscriptions", KREG_MAX_TABLE_SUBSCRIPTIONS));
	EXPECT_EQ(0, test_set_param("max_user_bytes", KREG_MAX_USER_BYTES));
	test_teardown(_metadata, &self->base);
}

static long job_access(struct job *job)
{
	return _test_access(job->fd, job->table, job->arg);
}

static long kid_access(struct kid *kid, __u64 id, __u32 access)
{
	kid->job->table = id;
	kid->job->arg = access;
	return kid_do(kid, job_access);
}

static long job_mode(struct job *job)
{
	return _test_mode(job->fd, job->table, job->arg);
}

static long kid_mode(struct kid *kid, __u64 id, __u32 mode)
{
	kid->job->table = id;
	kid->job->arg = mode;
	return kid_do(kid, job_mode);
}

static long job_subscribe(struct job *job)
{
	struct kreg_ioc_subscribe cmd = test_subscribe_cmd(job->table, ALL_KINDS);
	int err = _test_subscribe_cmd(job->fd, &cmd);

	job->arg = cmd.out_limit;
	return err;
}

static long kid_subscribe(struct kid *kid, __u64 id)
{
	kid->job->table = id;
	return kid_do(kid, job_subscribe);
}

/* The kind of the record that a read finds now, or -errno. */
static long job_read_kind(struct job *job)
{
	__u64 buf[1024];
	ssize_t len;

	test_nonblock(job->fd, true);
	len = read(job->fd, buf, sizeof(buf));
	test_nonblock(job->fd, false);
	job->arg = ((struct kreg_event *)buf)->cause;
	return len < 0 ? -errno : ((struct kreg_event *)buf)->kind;
}

TEST_F(subscribe, errors)
{
	struct kreg_ioc_subscribe cmd;
	int fd;
	__u64 gone, secret;

	test_err_subscribe(EINVAL, self->fd, self->id, 0);
	test_err_subscribe(EOPNOTSUPP, self->fd, self->id, 1U << 31);
	test_err_subscribe(EOPNOTSUPP, self->fd, self->id, ALL_KINDS + 1);
	cmd = test_subscribe_cmd(self->id, ALL_KINDS);
	cmd.flags = 1U << 31;
	test_err_subscribe_(EOPNOTSUPP, self->fd, &cmd);
	cmd.flags = 0;
	cmd.after_seq = 1;
	test_err_subscribe_(EINVAL, self->fd, &cmd);
	cmd.after_seq = 0;
	cmd.reserved = 1;
	test_err_subscribe_(EOPNOTSUPP, self->fd, &cmd);
	test_err_replay(EINVAL, self->fd, self->id, ALL_KINDS, 1000);
	test_err_subscribe(EINVAL, self->fd, 1ULL << 60, ALL_KINDS);
	test_create(self->fd, NULL, 0, &gone);
	test_destroy(self->fd, gone);
	test_err_subscribe(ESTALE, self->fd, gone, ALL_KINDS);
	ASSERT_EQ(0, kid_create(self->kid, NULL, KREG_ACCESS_PRIVATE, &secret));
	test_err_subscribe(EACCES, self->fd, secret, ALL_KINDS);
	fd = open(KREG_DEV, O_WRONLY);
	ASSERT_LE(0, fd);
	test_err_subscribe(EBADF, fd, self->id, ALL_KINDS);
	close(fd);
	fd = open(KREG_DEV, O_RDONLY);
	ASSERT_LE(0, fd);
	test_subscribe(fd, self->id, ALL_KINDS);
	close(fd);
	/* None of these has left a subscription. */
	test_puts(self->fd, self->id, "a", "");
	test_nothing(self->r);
}

/* An answer that cannot be written is no subscription. */
TEST_F(subscribe, bad_answer)
{
	struct kreg_ioc_subscribe *cmd;
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, page);
	cmd = (void *)(page + 4096 - offsetof(struct kreg_ioc_subscribe, out_seq));
	*cmd = test_subscribe_cmd(self->id, ALL_KINDS);
	ASSERT_EQ(0, mprotect(page + 4096, 4096, PROT_READ));
	test_err_subscribe_(EFAULT, self->fd, cmd);
	test_puts(self->fd, self->id, "a", "");
	test_nothing(self->r);
}

TEST_F(subscribe, limits)
{
	struct kreg_ioc_subscribe cmd = test_subscribe_cmd(self->id, ALL_KINDS);
	int fd = test_client(), i;
	struct test_reader *r = test_reader(fd);

	ASSERT_LE(0, fd);
	for (i = 0; i < KREG_MAX_SUBSCRIPTIONS; i++)
		test_subscribe(fd, self->id, ALL_KINDS);
	test_err_subscribe_(EDQUOT, fd, &cmd);
	EXPECT_EQ(KREG_LIMIT_SUBSCRIPTIONS, cmd.out_limit);
	test_puts(self->fd, self->id, "a", "");
	for (i = 0; i < KREG_MAX_SUBSCRIPTIONS; i++)
		test_expect(r, KREG_EVENT_CREATE, "a");
	test_nothing(r);
	ASSERT_EQ(0, test_set_param("max_table_subscriptions", 65));
	test_subscribe(self->fd, self->id, ALL_KINDS);
	test_err_subscribe_(EDQUOT, self->fd, &cmd);
	EXPECT_EQ(KREG_LIMIT_TABLE_SUBSCRIPTIONS, cmd.out_limit);
	close(fd);
	test_subscribe(self->fd, self->id, ALL_KINDS);
	ASSERT_EQ(0, test_set_param("max_subscriptions", 2));
	test_err_subscribe_(EDQUOT, self->fd, &cmd);
	EXPECT_EQ(KREG_LIMIT_SUBSCRIPTIONS, cmd.out_limit);
	free(r);
}

/* Who makes the ring pays for it, until the last subscription has ended. */
TEST_F(subscribe, charge)
{
	struct kid *kid = kid_start_as(_metadata, OTHER_UID);

	ASSERT_EQ(0, test_set_param("max_user_bytes", KREG_STREAM_BYTES / 2));
	EXPECT_EQ(-EDQUOT, kid_subscribe(kid, self->id));
	EXPECT_EQ(KREG_LIMIT_BYTES, kid->job->arg);
	ASSERT_EQ(0, test_set_param("max_user_bytes", KREG_STREAM_BYTES + 4096));
	EXPECT_EQ(0, kid_subscribe(kid, self->id));
	EXPECT_EQ(0, kid_subscribe(kid, self->id));
	ASSERT_EQ(0, test_set_param("max_user_bytes", KREG_STREAM_BYTES));
	EXPECT_EQ(-EDQUOT, kid_subscribe(kid, self->id));
	/* Another ring for another table would be too much, and the first is there. */
	ASSERT_EQ(0, test_set_param("max_user_bytes", 2 * KREG_STREAM_BYTES));
	EXPECT_EQ(0, kid_subscribe(kid, self->id));
	kid_kill(kid);
	kid = kid_start_as(_metadata, OTHER_UID);
	test_subscribe(self->fd, self->id, ALL_KINDS);
	ASSERT_EQ(0, test_set_param("max_user_bytes", 4096));
	EXPECT_EQ(0, kid_subscribe(kid, self->id));
}

TEST_F(subscribe, access_withdrawn)
{
	const struct kreg_event *e;
	struct pollfd pfd = { .fd = self->fd, .events = POLLIN };

	test_subscribe(self->fd, self->id, ALL_KINDS);
	test_puts(self->fd, self->id, "seen", "");
	test_expect(self->r, KREG_EVENT_CREATE, "seen");
	EXPECT_EQ(0, poll(&pfd, 1, 0));
	ASSERT_EQ(0, kid_puts(self->kid, self->id, "unseen", ""));
	ASSERT_EQ(0, kid_access(self->kid, self->id, KREG_ACCESS_PRIVATE));
	ASSERT_EQ(0, kid_puts(self->kid, self->id, "secret", ""));
	e = test_expect(self->r, KREG_EVENT_GONE, "");
	EXPECT_EQ(KREG_CAUSE_ACCESS, e->cause);
	EXPECT_EQ(self->id, e->table);
	/* It is at its end, also when he may read again. */
	test_nothing(self->r);
	ASSERT_EQ(0, kid_access(self->kid, self->id, KREG_ACCESS_PUBLIC));
	test_puts(self->fd, self->id, "later", "");
	test_nothing(self->r);
	test_subscribe(self->fd, self->id, ALL_KINDS);
	test_puts(self->fd, self->id, "a", "");
	test_expect(self->r, KREG_EVENT_CREATE, "a");
}

/* What was written meanwhile is nothing for who did not look in between, nor for a replay. */
TEST_F(subscribe, access_withdrawn_and_given_back)
{
	struct kreg_ioc_subscribe cmd = test_subscribe_cmd(self->id, ALL_KINDS);
	const struct kreg_event *e;
	int i;

	test_subscribe_(self->fd, &cmd);
	ASSERT_EQ(0, kid_access(self->kid, self->id, KREG_ACCESS_PRIVATE));
	ASSERT_EQ(0, kid_puts(self->kid, self->id, "secret", ""));
	ASSERT_EQ(0, kid_op(self->kid, self->id, KREG_OP_DELETE, "secret"));
	ASSERT_EQ(0, kid_access(self->kid, self->id, KREG_ACCESS_PUBLIC));
	ASSERT_EQ(0, kid_puts(self->kid, self->id, "later", ""));
	test_replay(self->fd, self->id, ALL_KINDS, cmd.out_seq);
	for (i = 0; i < 2; i++) {
		e = test_expect(self->r, KREG_EVENT_OVERFLOW, "");
		EXPECT_EQ(cmd.out_seq + 1, e->seq);
		EXPECT_EQ(cmd.out_seq + 2, e->version);
	}
	test_expect(self->r, KREG_EVENT_CREATE, "later");
	test_expect(self->r, KREG_EVENT_CREATE, "later");
	test_nothing(self->r);
}

TEST_F(subscribe, mode_withdrawn)
{
	struct kid *kid = kid_start_as(_metadata, OTHER_UID);

	ASSERT_EQ(0, kid_subscribe(kid, self->id));
	ASSERT_EQ(0, kid_puts(self->kid, self->id, "a", ""));
	/* Others lose nothing by it, and the owner's events are theirs. */
	test_subscribe(self->fd, self->id, ALL_KINDS);
	ASSERT_EQ(0, kid_mode(self->kid, self->id, 0660));
	ASSERT_EQ(0, kid_puts(self->kid, self->id, "b", ""));
	EXPECT_EQ(KREG_EVENT_GONE, kid_do(kid, job_read_kind));
	EXPECT_EQ(KREG_CAUSE_ACCESS, kid->job->arg);
	EXPECT_EQ(-EAGAIN, kid_do(kid, job_read_kind));
	test_expect(self->r, KREG_EVENT_CREATE, "b");
	test_nothing(self->r);
}

/* Who sleeps is woken to learn that it is over. */
static long job_wait_kind(struct job *job)
{
	__u64 buf[1024];
	ssize_t len = read(job->fd, buf, sizeof(buf));

	job->arg = ((struct kreg_event *)buf)->cause;
	return len < 0 ? -errno : ((struct kreg_event *)buf)->kind;
}

TEST_F(subscribe, sleeper_learns_of_the_end)
{
	struct kid *kid = kid_start(_metadata);
	int i;

	for (i = 0; i < 10; i++) {
		ASSERT_EQ(0, kid_subscribe(kid, self->id));
		kid_ask(kid, job_wait_kind);
		EXPECT_TRUE(test_wait_for(kid_sleeps(kid, SYS_read, kid->job->fd)));
		ASSERT_EQ(0, kid_access(self->kid, self->id, KREG_ACCESS_PRIVATE));
		EXPECT_EQ(KREG_EVENT_GONE, kid_answer(kid));
		EXPECT_EQ(KREG_CAUSE_ACCESS, kid->job->arg);
		ASSERT_EQ(0, kid_access(self->kid, self->id, KREG_ACCESS_PUBLIC));
	}
	ASSERT_EQ(0, kid_subscribe(kid, self->id));
	kid_ask(kid, job_wait_kind);
	EXPECT_TRUE(test_wait_for(kid_sleeps(kid, SYS_read, kid->job->fd)));
	ASSERT_EQ(0, kid_destroy(self->kid, self->id));
	EXPECT_EQ(KREG_EVENT_GONE, kid_answer(kid));
	EXPECT_EQ(0, kid->job->arg);
}

TEST_F(subscribe, table_destroyed)
{
	const struct kreg_event *e;
	__u64 seq;

	test_subscribe(self->fd, self->id, KIND(CREATE));
	test_puts(self->fd, self->id, "last", "");
	ASSERT_EQ(0, kid_destroy(self->kid, self->id));
	/* What was before is read before, without the table. */
	e = test_expect(self->r, KREG_EVENT_CREATE, "last");
	seq = e->seq;
	e = test_expect(self->r, KREG_EVENT_GONE, "");
	EXPECT_EQ(0, e->cause);
	EXPECT_EQ(self->id, e->table);
	EXPECT_EQ(1, e->version);
	EXPECT_EQ(seq + 1, e->seq);
	test_nothing(self->r);
}

/* Not by who has lost the right to read, and did not look since. */
TEST_F(subscribe, destroyed_in_secret)
{
	test_subscribe(self->fd, self->id, ALL_KINDS);
	ASSERT_EQ(0, kid_access(self->kid, self->id, KREG_ACCESS_PRIVATE));
	ASSERT_EQ(0, kid_puts(self->kid, self->id, "secret", ""));
	ASSERT_EQ(0, kid_destroy(self->kid, self->id));
	test_expect(self->r, KREG_EVENT_OVERFLOW, "");
	test_expect(self->r, KREG_EVENT_GONE, "");
	test_nothing(self->r);
}

TEST_F(subscribe, owner_dies)
{
	const struct kreg_event *e;

	test_subscribe(self->fd, self->id, ALL_KINDS);
	test_puts(self->fd, self->id, "last", "");
	kill(self->kid->pid, SIGKILL);
	ASSERT_TRUE(kid_dead(self->kid));
	/* It is visible, so the end is, too. */
	test_expect(self->r, KREG_EVENT_CREATE, "last");
	ASSERT_NE(NULL, e = test_next_now(self->r));
	EXPECT_EQ(KREG_EVENT_GONE, e->kind);
	EXPECT_EQ(KREG_CAUSE_DEATH, e->cause);
	test_nothing(self->r);
}

static void expect_owner(struct __test_metadata *_metadata, const struct kreg_event *e,
			 struct kreg_process from, struct kreg_process to, __u32 cause)
{
	ASSERT_NE(NULL, e);
	EXPECT_EQ(KREG_EVENT_OWNER, e->kind);
	EXPECT_EQ(0, e->key_len);
	ASSERT_EQ(sizeof(from), e->value_len);
	EXPECT_EQ(0, memcmp(test_value(e), &from, sizeof(from)));
	EXPECT_TRUE(test_same(e->process, to));
	EXPECT_EQ(cause, e->cause);
}

TEST_F(subscribe, owners)
{
	struct kreg_process kid = self->kid->self, me = test_self(self->fd), none = {};
	const struct kreg_event *e;

	test_subscribe(self->fd, self->id, KIND(OWNER));
	ASSERT_EQ(0, kid_give(self->kid, self->id, me, ""));
	ASSERT_NE(NULL, e = test_next(self->r));
	EXPECT_EQ(KREG_EVENT_TRANSFER, e->kind);
	expect_owner(_metadata, test_next(self->r), kid, me, KREG_CAUSE_GIFT);
	test_park(self->fd, self->id);
	expect_owner(_metadata, test_next(self->r), me, none, KREG_CAUSE_GIFT);
	ASSERT_EQ(0, kid_open(self->kid, "table", KREG_OPEN_CLAIM, &self->id));
	expect_owner(_metadata, test_next(self->r), none, kid, KREG_CAUSE_CLAIM);
	ASSERT_EQ(0, kid_heir(self->kid, self->id, me, ""));
	kid_exit(self->kid, 7);
	ASSERT_NE(NULL, e = test_next(self->r));
	EXPECT_EQ(KREG_EVENT_TRANSFER, e->kind);
	ASSERT_NE(NULL, e = test_next(self->r));
	expect_owner(_metadata, e, kid, me, KREG_CAUSE_DEATH);
	EXPECT_EQ(KREG_EVENT_STATUS, e->flags);
	EXPECT_EQ(7, WEXITSTATUS(e->status));
	test_nothing(self->r);
}

TEST_F(subscribe, parked_for_too_long)
{
	const struct kreg_event *e;

	test_subscribe(self->fd, self->id, KIND(OWNER));
	ASSERT_EQ(0, kid_give(self->kid, self->id, test_self(self->fd), ""));
	ASSERT_NE(NULL, test_next(self->r));
	ASSERT_NE(NULL, test_next(self->r));
	test_orphan(self->fd, self->id, KREG_ORPHAN_PARK, 10);
	test_park(self->fd, self->id);
	test_expect(self->r, KREG_EVENT_OWNER, "");
	e = test_expect(self->r, KREG_EVENT_GONE, "");
	EXPECT_EQ(KREG_CAUSE_EXPIRED, e->cause);
}

/* What is unread goes with it, and the ring with the last one. */
TEST_F(subscribe, cancel)
{
	struct kreg_ioc_subscribe a = test_subscribe_cmd(self->id, ALL_KINDS), b = a;
	struct pollfd pfd = { .fd = self->fd, .events = POLLIN };
	const struct kreg_event *e;
	int fd = test_client();

	ASSERT_LE(0, fd);
	test_subscribe_(self->fd, &a);
	test_subscribe_(self->fd, &b);
	EXPECT_LT(a.out_id, b.out_id);
	test_puts(self->fd, self->id, "a", "");
	test_cancel(self->fd, a.out_id, 0);
	test_err_cancel(ENOENT, self->fd, a.out_id, 0);
	test_err_cancel(EINVAL, self->fd, b.out_id + (1ULL << 60), 0);
	test_err_cancel(EINVAL, fd, b.out_id, 0);
	e = test_expect(self->r, KREG_EVENT_CREATE, "a");
	EXPECT_EQ(b.out_id, e->id);
	test_nothing(self->r);
	test_puts(self->fd, self->id, "b", "");
	EXPECT_EQ(1, poll(&pfd, 1, 0));
	test_cancel(self->fd, b.out_id, 0);
	EXPECT_EQ(0, poll(&pfd, 1, 0));
	test_nothing(self->r);
	test_replay(self->fd, self->id, ALL_KINDS, a.out_seq);
	e = test_expect(self->r, KREG_EVENT_OVERFLOW, "");
	EXPECT_EQ(a.out_seq + 1, e->seq);
	test_nothing(self->r);
	/* And with the table, of which the end is not told then. */
	test_subscribe_(self->fd, &a);
	ASSERT_EQ(0, kid_destroy(self->kid, self->id));
	test_cancel(self->fd, a.out_id, 0);
	test_expect(self->r, KREG_EVENT_GONE, "");
	test_nothing(self->r);
}

/* A file that another process has open still subscribes to nothing when its own is dead. */
TEST_F(subscribe, held_by_a_child)
{
	struct kid *kid = kid_start(_metadata);
	int fd;

	ASSERT_EQ(0, kid_subscribe(kid, self->id));
	fd = syscall(SYS_pidfd_getfd, kid->pidfd, kid->job->fd, 0);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, test_set_param("max_table_subscriptions", 1));
	test_err_subscribe(EDQUOT, self->fd, self->id, ALL_KINDS);
	kid_kill(kid);
	test_subscribe(self->fd, self->id, ALL_KINDS);
	close(fd);
}

TEST_HARNESS_MAIN
