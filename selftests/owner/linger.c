// SPDX-License-Identifier: GPL-2.0
/*
 * Objects that stay for a time when their processes are dead.
 */
#include <sys/ptrace.h>

#include "kit/fixture.h"
#include "kit/bound.h"
#include "kit/register.h"
#include "kit/stream.h"
#include "kit/watch.h"

#define ALICE	1000
#define BOB	1001
#define MANY	50

/* Longer than any test, and as short as can be told from nothing. */
#define LONG_MS		test_scale(60000)
#define SHORT_MS	100

FIXTURE(linger) {
	struct test_base base;
	int fd;
	__u64 table;
	struct test_reader *r;
	struct kid *kid;
	struct kreg_process who;
	long long limit;
};

FIXTURE_SETUP(linger)
{
	self->fd = test_setup(_metadata, &self->base);
	self->limit = test_param("max_user_bound");
	self->kid = kid_start(_metadata);
	self->who = self->kid->self;
	test_create(self->fd, "names", KREG_ACCESS_REGISTRY, &self->table);
	test_subscribe(self->fd, self->table, ALL_KINDS);
	self->r = test_reader(self->fd);
	ASSERT_NE(NULL, self->r);
}

FIXTURE_TEARDOWN_PARENT(linger)
{
	EXPECT_EQ(0, test_set_param("max_user_bound", self->limit));
	test_teardown(_metadata, &self->base);
}

static int put_version(int fd, __u64 table, const char *key, const char *value, __u64 version)
{
	struct kreg_op op = test_op_puts(key, value);

	op.flags = KREG_OP_VERSION;
	op.arg = version;
	return _test_op(fd, table, 0, &op);
}

/* The next event is that @key was removed because of @who. */
static void expect_exit(struct __test_metadata *_metadata, struct test_reader *r, const char *key,
			struct kreg_process who, __u32 cause, int status)
{
	const struct kreg_event *e = test_expect(r, KREG_EVENT_EXIT, key);

	EXPECT_TRUE(test_same(who, e->process));
	EXPECT_EQ(cause, e->cause);
	EXPECT_EQ(KREG_EVENT_STATUS, e->flags);
	EXPECT_EQ(status, e->status);
}

TEST_F(linger, remains)
{
	struct test_event event;
	int fd = test_client();
	__u64 id;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, kid_linger(self->kid, self->table, "key", LONG_MS));
	EXPECT_TRUE(test_is_of(self->fd, self->table, "key", self->who));
	test_expect(self->r, KREG_EVENT_CREATE, "key");
	EXPECT_EQ(3 << 8, kid_exit(self->kid, 3));
	test_gets(self->fd, self->table, "key", "reg");
	EXPECT_TRUE(test_is_left_by(self->fd, self->table, "key", self->who));
	test_sync(self->fd);
	EXPECT_TRUE(test_is_left_by(self->fd, self->table, "key", self->who));
	EXPECT_EQ(1, test_objects(self->fd, self->table));
	EXPECT_EQ(1, test_bound(self->fd, self->table));
	test_nothing(self->r);
	/* Who watches its holder need not wait. */
	test_watch_holder(fd, self->table, "key", &id);
	test_event_now(fd, &event);
	test_down(&event, id, self->who, KREG_CAUSE_NOPROC);
	test_status(&event, 3 << 8);
	close(fd);
}

TEST_F(linger, fades)
{
	__u64 start;

	ASSERT_EQ(0, kid_linger(self->kid, self->table, "key", SHORT_MS));
	test_expect(self->r, KREG_EVENT_CREATE, "key");
	start = test_now_ns();
	EXPECT_EQ(SIGKILL, kid_kill(self->kid));
	test_member(self->fd, self->table, "key");
	expect_exit(_metadata, self->r, "key", self->who, KREG_CAUSE_EXPIRED, SIGKILL);
	EXPECT_LE(start + SHORT_MS * 1000000ULL, test_now_ns());
	test_err_member(ENODATA, self->fd, self->table, "key");
	EXPECT_EQ(0, test_objects(self->fd, self->table));
	EXPECT_EQ(0, test_bound(self->fd, self->table));
	test_nothing(self->r);
}

/* Its value can be changed; that gives it no more time. */
TEST_F(linger, update)
{
	__u64 version;

	ASSERT_EQ(0, kid_linger(self->kid, self->table, "key", SHORT_MS * 5));
	test_expect(self->r, KREG_EVENT_CREATE, "key");
	EXPECT_EQ(SIGKILL, kid_kill(self->kid));
	version = test_version_of(self->fd, self->table, "key");
	ASSERT_NE(0, version);
	EXPECT_EQ(-ECANCELED, put_version(self->fd, self->table, "key", "new", version + 1));
	EXPECT_EQ(0, put_version(self->fd, self->table, "key", "new", version));
	test_gets(self->fd, self->table, "key", "new");
	EXPECT_TRUE(test_is_left_by(self->fd, self->table, "key", self->who));
	test_expect(self->r, KREG_EVENT_UPDATE, "key");
	expect_exit(_metadata, self->r, "key", self->who, KREG_CAUSE_EXPIRED, SIGKILL);
	test_err_member(ENODATA, self->fd, self->table, "key");
	test_nothing(self->r);
}

/* It gives way to who binds, and to nobody else. */
TEST_F(linger, displaced)
{
	struct kreg_ioc_register cmd = register_cmd(self->table, "a", "mine", KREG_REGISTER_GET);
	struct kreg_process me = test_self(self->fd);
	struct kreg_op op = test_op_puts("b", "new");
	__u64 version;

	ASSERT_EQ(0, kid_linger(self->kid, self->table, "a", SHORT_MS));
	ASSERT_EQ(0, kid_linger(self->kid, self->table, "b", LONG_MS));
	ASSERT_EQ(0, kid_linger(self->kid, self->table, "c", LONG_MS));
	test_expect(self->r, KREG_EVENT_CREATE, "a");
	test_expect(self->r, KREG_EVENT_CREATE, "b");
	test_expect(self->r, KREG_EVENT_CREATE, "c");
	EXPECT_EQ(SIGKILL, kid_kill(self->kid));

	ASSERT_EQ(0, run_register(self->fd, &cmd));
	EXPECT_EQ(KREG_REGISTERED, cmd.out_how);
	EXPECT_TRUE(test_same(me, cmd.out_process));
	expect_exit(_metadata, self->r, "a", self->who, KREG_CAUSE_DEATH, SIGKILL);
	test_expect(self->r, KREG_EVENT_CREATE, "a");

	op.flags = KREG_OP_NEW;
	EXPECT_EQ(-EEXIST, _test_op(self->fd, self->table, 0, &op));
	op.flags = KREG_OP_MINE;
	EXPECT_EQ(-ENODATA, _test_op(self->fd, self->table, 0, &op));
	test_bind_new(self->fd, self->table, "b", "mine");
	expect_exit(_metadata, self->r, "b", self->who, KREG_CAUSE_DEATH, SIGKILL);
	test_expect(self->r, KREG_EVENT_CREATE, "b");

	version = test_version_of(self->fd, self->table, "c");
	cmd = register_cmd(self->table, "c", "mine", KREG_REGISTER_VERSION);
	cmd.version = version + 1;
	EXPECT_EQ(-ECANCELED, run_register(self->fd, &cmd));
	cmd.version = version;
	cmd.linger_ms = LONG_MS;
	EXPECT_EQ(0, run_register(self->fd, &cmd));
	expect_exit(_metadata, self->r, "c", self->who, KREG_CAUSE_DEATH, SIGKILL);
	test_expect(self->r, KREG_EVENT_CREATE, "c");

	/* What took its place does not go at the end of its time. */
	test_pause_ms(SHORT_MS * 3);
	test_sync(self->fd);
	EXPECT_TRUE(test_is_of(self->fd, self->table, "a", me));
	EXPECT_TRUE(test_is_of(self->fd, self->table, "b", me));
	EXPECT_TRUE(test_is_of(self->fd, self->table, "c", me));
	EXPECT_EQ(3, test_bound(self->fd, self->table));
	test_nothing(self->r);
}

/* By any other write it goes as any other object; so does the rest of its bond in time. */
TEST_F(linger, removed)
{
	char room[8] = "";
	struct kreg_op op = test_op_value(KREG_OP_TAKE, "b", 1, room, sizeof(room));

	ASSERT_EQ(0, kid_linger(self->kid, self->table, "a", SHORT_MS * 5));
	ASSERT_EQ(0, kid_linger(self->kid, self->table, "b", SHORT_MS * 5));
	ASSERT_EQ(0, kid_linger(self->kid, self->table, "c", SHORT_MS * 5));
	test_expect(self->r, KREG_EVENT_CREATE, "a");
	test_expect(self->r, KREG_EVENT_CREATE, "b");
	test_expect(self->r, KREG_EVENT_CREATE, "c");
	EXPECT_EQ(SIGKILL, kid_kill(self->kid));
	test_delete(self->fd, self->table, "a");
	test_expect(self->r, KREG_EVENT_DELETE, "a");
	test_op_(self->fd, self->table, 0, &op);
	EXPECT_EQ(3, op.out_len);
	test_expect(self->r, KREG_EVENT_DELETE, "b");
	test_err_member(ENODATA, self->fd, self->table, "a");
	expect_exit(_metadata, self->r, "c", self->who, KREG_CAUSE_EXPIRED, SIGKILL);
	test_nothing(self->r);

	self->kid = kid_start(_metadata);
	ASSERT_EQ(0, kid_linger(self->kid, self->table, "a", SHORT_MS));
	ASSERT_EQ(0, kid_linger(self->kid, self->table, "b", LONG_MS));
	EXPECT_EQ(SIGKILL, kid_kill(self->kid));
	test_expect(self->r, KREG_EVENT_CREATE, "a");
	test_expect(self->r, KREG_EVENT_CREATE, "b");
	test_clear(self->fd, self->table);
	test_expect(self->r, KREG_EVENT_CLEAR, "");
	test_pause_ms(SHORT_MS * 2);
	test_sync(self->fd);
	EXPECT_EQ(0, test_bound(self->fd, self->table));
	test_nothing(self->r);
}

/* More than fit into one hold of the turn, and of several times. */
TEST_F(linger, many)
{
	const struct kreg_event *e;
	__u64 version = 0;
	char key[16];
	int i;

	for (i = 0; i < MANY; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		ASSERT_EQ(0, kid_linger(self->kid, self->table, key, SHORT_MS + i % 2));
		test_expect(self->r, KREG_EVENT_CREATE, key);
	}
	ASSERT_EQ(0, kid_bind(self->kid, self->table, "plain", "v"));
	test_expect(self->r, KREG_EVENT_CREATE, "plain");
	EXPECT_EQ(SIGKILL, kid_kill(self->kid));
	expect_exit(_metadata, self->r, "plain", self->who, KREG_CAUSE_DEATH, SIGKILL);
	for (i = 0; i < MANY; i++) {
		e = test_next(self->r);
		ASSERT_NE(NULL, e);
		EXPECT_EQ(KREG_EVENT_EXIT, e->kind);
		EXPECT_EQ(KREG_CAUSE_EXPIRED, e->cause);
		EXPECT_LE(version, e->version);
		version = e->version;
	}
	EXPECT_EQ(0, test_objects(self->fd, self->table));
	EXPECT_EQ(0, test_bound(self->fd, self->table));
	test_nothing(self->r);
}

/* Of a process that is exiting it is seen, and gives way, as if that were dead. */
TEST_F(linger, exiting)
{
	struct kreg_ioc_register cmd = register_cmd(self->table, "b", "mine", 0);
	int status;

	ASSERT_EQ(0, kid_linger(self->kid, self->table, "a", LONG_MS));
	ASSERT_EQ(0, kid_linger(self->kid, self->table, "b", LONG_MS));
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, self->kid->pid, 0, PTRACE_O_TRACEEXIT));
	kid_ask(self->kid, job_exit);
	ASSERT_EQ(self->kid->pid, waitpid(self->kid->pid, &status, __WALL));
	test_gets(self->fd, self->table, "a", "reg");
	EXPECT_TRUE(test_is_of(self->fd, self->table, "a", self->who));
	EXPECT_EQ(0, run_register(self->fd, &cmd));
	EXPECT_EQ(KREG_REGISTERED, cmd.out_how);
	ASSERT_EQ(0, ptrace(PTRACE_CONT, self->kid->pid, 0, 0));
	kid_reap(self->kid);
	test_sync(self->fd);
	EXPECT_TRUE(test_is_left_by(self->fd, self->table, "a", self->who));
	EXPECT_TRUE(test_is_of(self->fd, self->table, "b", test_self(self->fd)));
}

static long job_delete_key(struct job *job)
{
	struct kreg_op op = test_ops(KREG_OP_DELETE, job->key);

	return _test_op(job->fd, job->table, 0, &op);
}

static long kid_delete_key(struct kid *kid, __u64 table, const char *key)
{
	kid->job->table = table;
	test_set(kid->job->key, key);
	return kid_do(kid, job_delete_key);
}

/* In a registry: it was his, so it is his user's; and free for all who bind. */
TEST_F(linger, access_rule)
{
	struct kid *alice = kid_start_as(_metadata, ALICE), *bob = kid_start_as(_metadata, BOB);
	struct kid *second = kid_start_as(_metadata, ALICE);

	ASSERT_EQ(0, kid_linger(alice, self->table, "a", LONG_MS));
	ASSERT_EQ(0, kid_linger(alice, self->table, "b", LONG_MS));
	EXPECT_EQ(-EACCES, kid_delete_key(bob, self->table, "a"));
	kid_kill(alice);
	EXPECT_EQ(-EACCES, kid_delete_key(bob, self->table, "a"));
	EXPECT_EQ(0, kid_delete_key(second, self->table, "a"));
	test_err_member(ENODATA, self->fd, self->table, "a");
	EXPECT_EQ(0, kid_register(bob, self->table, "b", 0));
	EXPECT_TRUE(test_is_of(self->fd, self->table, "b", bob->self));
}

/* It is charged until it goes. */
TEST_F(linger, limit)
{
	struct kid *second = kid_start_as(_metadata, ALICE);
	struct kid *alice = kid_start_as(_metadata, ALICE);

	ASSERT_EQ(0, test_set_param("max_user_bound", 1));
	ASSERT_EQ(0, kid_linger(alice, self->table, "a", SHORT_MS * 5));
	test_expect(self->r, KREG_EVENT_CREATE, "a");
	kid_kill(alice);
	EXPECT_EQ(1000 + KREG_LIMIT_BOUND, kid_linger(second, self->table, "b", LONG_MS));
	test_expect(self->r, KREG_EVENT_EXIT, "a");
	EXPECT_EQ(0, kid_linger(second, self->table, "b", LONG_MS));
}

/* Who binds a key again and again, with ever another time, leaves nothing behind. */
TEST_F(linger, times)
{
	struct kreg_ioc_register cmd = register_cmd(self->table, "key", "v", 0);
	struct kreg_info before, after;
	unsigned int i;

	cmd.linger_ms = LONG_MS;
	ASSERT_EQ(0, run_register(self->fd, &cmd));
	test_sync(self->fd);
	test_info(self->fd, self->table, &before);
	for (i = 1; i < 1000; i++) {
		__u64 version = cmd.out_version;

		cmd = register_cmd(self->table, "key", "v", KREG_REGISTER_VERSION);
		cmd.version = version;
		cmd.linger_ms = LONG_MS + i;
		ASSERT_EQ(0, run_register(self->fd, &cmd));
	}
	EXPECT_TRUE(test_wait_for(!_test_info(self->fd, self->table, &after) &&
				  after.memory < before.memory + 32 * 1024));
	EXPECT_EQ(1, after.bound);
}

/* In a table that is kept as long as the namespace, an object of a child that ends. */
static long job_leave(struct job *job)
{
	struct kreg_ioc_register cmd;
	int status;
	pid_t pid;

	job->open = test_open_cmd(NULL, KREG_OPEN_CREATE);
	job->open.access = KREG_ACCESS_PUBLIC;
	job->open.mode = 0666;
	job->open.orphan = KREG_ORPHAN_PARK;
	if (_test_open_cmd(job->fd, &job->open))
		return 1;
	pid = fork();
	if (!pid) {
		int fd = test_client();

		cmd = register_cmd(job->open.out_table, "a", "v", 0);
		cmd.linger_ms = 5;
		status = run_register(fd, &cmd);
		cmd = register_cmd(job->open.out_table, "b", "v", 0);
		cmd.linger_ms = 3600000;
		_exit(status || run_register(fd, &cmd));
	}
	return waitpid(pid, &status, 0) != pid || status ? 2 : 0;
}

/* The same, as the namespace ends. */
TEST_F(linger, namespace_ends)
{
	int i;

	for (i = 0; i < 10; i++) {
		struct kid *init = kid_start_how(_metadata,
						 &(struct kid_how) { .flags = CLONE_NEWPID });

		ASSERT_EQ(0, kid_do(init, job_leave));
		test_pause_ms(i);
		EXPECT_EQ(SIGKILL, kid_kill(init));
		test_sync(self->fd);
	}
}

/* Tables that go while the time runs, and just when it ends. */
TEST_F(linger, table_goes)
{
	struct kid *owner;
	__u64 table;
	int i;

	for (i = 0; i < 20; i++) {
		struct kid *kid = kid_start(_metadata);

		test_create(self->fd, NULL, KREG_ACCESS_PUBLIC, &table);
		ASSERT_EQ(0, kid_linger(kid, table, "a", 5));
		ASSERT_EQ(0, kid_linger(kid, table, "b", LONG_MS));
		kid_kill(kid);
		test_pause_ms(i);
		test_destroy(self->fd, table);
		test_err_member(ESTALE, self->fd, table, "b");
	}
	/* Of a process that is its owner as well. */
	owner = kid_start(_metadata);
	ASSERT_EQ(0, kid_create(owner, NULL, KREG_ACCESS_PUBLIC, &table));
	ASSERT_EQ(0, kid_linger(owner, table, "a", LONG_MS));
	kid_kill(owner);
	test_err_member(ESTALE, self->fd, table, "a");
	test_sync(self->fd);
}

TEST_HARNESS_MAIN
