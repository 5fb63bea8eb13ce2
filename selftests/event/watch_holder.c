// SPDX-License-Identifier: GPL-2.0
/*
 * Watches of whoever a key is bound to: the process is looked up in the call, and its DOWN
 * record names the key.
 */
#include <sys/ptrace.h>

#include "kit/fixture.h"
#include "kit/register.h"
#include "kit/watch.h"

FIXTURE(watch_holder) {
	struct test_base base;
	int fd;
	struct kid *kid;
	__u64 table;
};

FIXTURE_SETUP(watch_holder)
{
	self->fd = test_setup(_metadata, &self->base);
	self->kid = kid_start(_metadata);
	test_create(self->fd, "registry", KREG_ACCESS_PUBLIC, &self->table);
}

FIXTURE_TEARDOWN_PARENT(watch_holder)
{
	test_teardown(_metadata, &self->base);
}

static const struct kreg_process nobody;

static void expect_key(struct __test_metadata *_metadata, const struct test_event *event,
		       __u64 table, const char *key)
{
	EXPECT_EQ(table, event->e.table);
	EXPECT_EQ(strlen(key), event->e.key_len);
	EXPECT_STREQ(key, event->name);
}

/* The next record, which is there, says that nobody had the key. */
static void expect_nobody(struct __test_metadata *_metadata, int fd, __u64 table, const char *key,
			  __u64 id)
{
	struct test_event event;

	test_event_now(fd, &event);
	test_down(&event, id, nobody, KREG_CAUSE_NOPROC);
	test_no_status(&event);
	expect_key(_metadata, &event, table, key);
}

TEST_F(watch_holder, death)
{
	struct kreg_ioc_watch cmd = test_watch_cmd(KREG_WATCH_HOLDER);
	struct kreg_op op = test_ops(KREG_OP_MEMBER, "key");
	struct test_event event;
	__u64 id;

	ASSERT_EQ(0, kid_bind(self->kid, self->table, "key", "v"));
	test_op_(self->fd, self->table, 0, &op);
	cmd.table = self->table;
	cmd.key = test_ptr("key");
	cmd.key_len = 3;
	ASSERT_EQ(0, _test_watch_cmd(self->fd, &cmd, &id));
	EXPECT_TRUE(test_same(self->kid->self, cmd.out_process));
	EXPECT_EQ(op.out_version, cmd.out_version);
	test_no_event(self->fd);
	EXPECT_EQ(SIGKILL, kid_kill(self->kid));
	test_event_now(self->fd, &event);
	test_down(&event, id, self->kid->self, KREG_CAUSE_DEATH);
	test_status(&event, SIGKILL);
	expect_key(_metadata, &event, self->table, "key");
	/* The object is not only hidden. */
	EXPECT_EQ(0, test_objects(self->fd, self->table));
	test_bind_new(self->fd, self->table, "key", "mine");
	test_no_event(self->fd);
}

TEST_F(watch_holder, nobody)
{
	struct kreg_ioc_watch cmd = test_watch_cmd(KREG_WATCH_HOLDER);
	__u64 id;

	cmd.table = self->table;
	cmd.key = test_ptr("plain");
	cmd.key_len = 5;
	cmd.out_version = ~0ULL;
	ASSERT_EQ(0, _test_watch_cmd(self->fd, &cmd, &id));
	EXPECT_TRUE(test_none(cmd.out_process));
	EXPECT_EQ(0, cmd.out_version);
	expect_nobody(_metadata, self->fd, self->table, "plain", id);

	test_puts(self->fd, self->table, "plain", "p");
	ASSERT_EQ(0, _test_watch_cmd(self->fd, &cmd, &id));
	EXPECT_TRUE(test_none(cmd.out_process));
	EXPECT_NE(0, cmd.out_version);
	expect_nobody(_metadata, self->fd, self->table, "plain", id);
	test_no_event(self->fd);
}

/* Those who are dead, or exiting, have no keys. */
TEST_F(watch_holder, hidden)
{
	int status;
	__u64 id;

	ASSERT_EQ(0, kid_bind(self->kid, self->table, "key", "v"));
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, self->kid->pid, 0, PTRACE_O_TRACEEXIT));
	kid_ask(self->kid, job_exit);
	ASSERT_EQ(self->kid->pid, waitpid(self->kid->pid, &status, __WALL));
	ASSERT_EQ(SIGTRAP | (PTRACE_EVENT_EXIT << 8), status >> 8);
	test_watch_holder(self->fd, self->table, "key", &id);
	expect_nobody(_metadata, self->fd, self->table, "key", id);
	ASSERT_EQ(0, ptrace(PTRACE_CONT, self->kid->pid, 0, 0));
	ASSERT_TRUE(kid_dead(self->kid));
	test_watch_holder(self->fd, self->table, "key", &id);
	expect_nobody(_metadata, self->fd, self->table, "key", id);
	kid_reap(self->kid);
	test_no_event(self->fd);
}

/* Who has registered by waiting keeps the key until he is dead, so he is watched until then. */
TEST_F(watch_holder, kept)
{
	struct kreg_ioc_watch cmd = test_watch_cmd(KREG_WATCH_HOLDER);
	struct kreg_ioc_register mine;
	struct kreg_process who = self->kid->self;
	struct test_event event;
	__u64 id, names;
	int status;

	test_create(self->fd, NULL, KREG_ACCESS_REGISTRY, &names);
	ASSERT_EQ(0, kid_register(self->kid, names, "key", KREG_REGISTER_WAIT));
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, self->kid->pid, 0, PTRACE_O_TRACEEXIT));
	self->kid->job->arg = 3;
	kid_ask(self->kid, job_exit);
	ASSERT_EQ(self->kid->pid, waitpid(self->kid->pid, &status, __WALL));
	mine = register_cmd(names, "key", "v", KREG_REGISTER_WAIT);
	mine.deadline_ns = 1;
	EXPECT_EQ(-ETIMEDOUT, run_register(self->fd, &mine));
	cmd.table = names;
	cmd.key = test_ptr("key");
	cmd.key_len = 3;
	ASSERT_EQ(0, _test_watch_cmd(self->fd, &cmd, &id));
	EXPECT_TRUE(test_same(who, cmd.out_process));
	EXPECT_NE(0, cmd.out_version);
	test_no_event(self->fd);
	ASSERT_EQ(0, ptrace(PTRACE_CONT, self->kid->pid, 0, 0));
	EXPECT_EQ(3 << 8, kid_reap(self->kid));
	test_event_now(self->fd, &event);
	test_down(&event, id, who, KREG_CAUSE_DEATH);
	test_status(&event, 3 << 8);
	expect_key(_metadata, &event, names, "key");
	EXPECT_EQ(0, run_register(self->fd, &mine));
}

/* Whom a key is bound to later makes no difference. */
TEST_F(watch_holder, looked_up_once)
{
	struct kid *next = kid_start(_metadata);
	struct test_event event;
	__u64 first, second, gone;

	ASSERT_EQ(0, kid_bind(self->kid, self->table, "key", "v"));
	test_watch_holder(self->fd, self->table, "key", &first);
	test_watch_holder(self->fd, self->table, "key", &gone);
	ASSERT_EQ(0, kid_bind(next, self->table, "key", "v"));
	test_watch_holder(self->fd, self->table, "key", &second);
	test_cancel(self->fd, gone, 0);
	EXPECT_EQ(SIGKILL, kid_kill(self->kid));
	test_event_now(self->fd, &event);
	test_down(&event, first, self->kid->self, KREG_CAUSE_DEATH);
	EXPECT_TRUE(test_is_of(self->fd, self->table, "key", next->self));
	test_destroy(self->fd, self->table);
	test_no_event(self->fd);
	EXPECT_EQ(SIGKILL, kid_kill(next));
	test_event_now(self->fd, &event);
	test_down(&event, second, next->self, KREG_CAUSE_DEATH);
	expect_key(_metadata, &event, self->table, "key");
	test_no_event(self->fd);
}

/* A key is not a name: it may be longer, and may have NUL bytes. */
TEST_F(watch_holder, keys)
{
	static char key[KREG_MAX_KEY + 1];
	struct kreg_ioc_watch cmd = test_watch_cmd(KREG_WATCH_HOLDER);
	struct test_event event;
	struct kreg_op op;
	__u64 id;

	memset(key + 1, 'k', sizeof(key) - 1);
	op = test_op_value(KREG_OP_PUT, key, KREG_MAX_KEY, "v", 1);
	op.flags = KREG_OP_BOUND;
	test_op_(self->fd, self->table, 0, &op);
	cmd.table = self->table;
	cmd.key = test_ptr(key);
	cmd.key_len = KREG_MAX_KEY;
	ASSERT_EQ(0, _test_watch_cmd(self->fd, &cmd, &id));
	EXPECT_TRUE(test_same(test_self(self->fd), cmd.out_process));
	test_cancel(self->fd, id, 0);
	test_clear(self->fd, self->table);
	ASSERT_EQ(0, _test_watch_cmd(self->fd, &cmd, &id));
	test_event_now(self->fd, &event);
	test_down(&event, id, nobody, KREG_CAUSE_NOPROC);
	EXPECT_EQ(KREG_MAX_KEY, event.e.key_len);
	EXPECT_EQ(0, memcmp(event.name, key, KREG_MAX_KEY));
	cmd.key_len = KREG_MAX_KEY + 1;
	EXPECT_EQ(-ENAMETOOLONG, _test_watch_cmd(self->fd, &cmd, &id));
	cmd.key = 8;
	cmd.key_len = 1;
	EXPECT_EQ(-EFAULT, _test_watch_cmd(self->fd, &cmd, &id));
	test_no_event(self->fd);
}

TEST_F(watch_holder, bad_arguments)
{
	struct kreg_ioc_watch good = test_watch_cmd(KREG_WATCH_HOLDER), bad[5];
	unsigned int i;
	__u64 id;

	good.table = self->table;
	good.key = test_ptr("key");
	good.key_len = 3;
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		bad[i] = good;
	bad[0].table = 0;
	bad[1].key_len = 0;
	bad[2].process = test_self(self->fd);
	bad[3].process.pid = 1;
	bad[4].table = 123456789;
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT_EQ(-EINVAL, _test_watch_cmd(self->fd, &bad[i], &id)) {
			TH_LOG("row %u", i);
		}
	good.version = 1;
	EXPECT_EQ(-EINVAL, _test_watch_cmd(self->fd, &good, &id));
	/* Nobody sleeps until a process is dead. */
	good.version = 0;
	good.flags = KREG_WATCH_SLEEP;
	EXPECT_EQ(-EINVAL, _test_watch_cmd(self->fd, &good, &id));
	good.kind = KREG_WATCH_OWNER;
	good.key_len = 0;
	good.key = 0;
	EXPECT_EQ(-EINVAL, _test_watch_cmd(self->fd, &good, &id));
	test_no_event(self->fd);
}

static long job_watch_holder(struct job *job)
{
	__u64 id;
	int err = _test_watch_holder(job->fd, job->table, job->key, &id);

	return err ?: (long)id;
}

static long kid_watch_holder(struct kid *kid, __u64 table, const char *key)
{
	kid->job->table = table;
	test_set(kid->job->key, key);
	return kid_do(kid, job_watch_holder);
}

static long job_next_status(struct job *job)
{
	struct test_event event;
	int err = _test_event_now(job->fd, &event);

	if (err)
		return err;
	return event.e.flags & KREG_EVENT_STATUS ? event.e.status : -ENOMSG;
}

/* Who may read the object is told the status, whoever he is; who may not, nothing. */
TEST_F(watch_holder, rights)
{
	struct kid *alice = kid_start_as(_metadata, 1000);
	__u64 private, dead;

	test_create(self->fd, NULL, KREG_ACCESS_PRIVATE, &private);
	test_bind(self->fd, private, "key", "v");
	EXPECT_EQ(-EACCES, kid_watch_holder(alice, private, "key"));
	EXPECT_EQ(-EACCES, kid_watch_holder(alice, private, "absent"));
	test_create(self->fd, NULL, KREG_ACCESS_PUBLIC, &dead);
	test_destroy(self->fd, dead);
	EXPECT_EQ(-ESTALE, kid_watch_holder(alice, dead, "key"));
	ASSERT_EQ(0, kid_bind(self->kid, self->table, "key", "v"));
	EXPECT_LT(0, kid_watch_holder(alice, self->table, "key"));
	EXPECT_EQ(3 << 8, kid_exit(self->kid, 3));
	EXPECT_EQ(3 << 8, kid_do(alice, job_next_status));
	EXPECT_EQ(-EAGAIN, kid_do(alice, job_next_status));
}

TEST_HARNESS_MAIN
