// SPDX-License-Identifier: GPL-2.0
/*
 * The line of a key: who may stand in it and how many, what is refused, what was got there, and
 * what it does beside other writes.
 */
#include <sys/ptrace.h>

#include "kit/fixture.h"
#include "kit/line.h"

#define ALICE	1000
#define BOB	1001

FIXTURE(line_rules) {
	struct test_base base;
	int fd;
	struct kreg_process me;
	struct kid *holder;
	__u64 table;
	__u64 id;
	long long bound, watches, awaited;
};

FIXTURE_SETUP(line_rules)
{
	self->fd = test_setup(_metadata, &self->base);
	self->me = test_self(self->fd);
	self->bound = test_param("max_user_bound");
	self->watches = test_param("max_user_watches");
	self->awaited = test_param("max_table_awaited");
	self->holder = kid_start(_metadata);
	test_create(self->fd, "locks", KREG_ACCESS_REGISTRY, &self->table);
	ASSERT_EQ(0, kid_lock(self->holder, self->table, -1));
}

FIXTURE_TEARDOWN_PARENT(line_rules)
{
	EXPECT_EQ(0, test_set_param("max_user_bound", self->bound));
	EXPECT_EQ(0, test_set_param("max_user_watches", self->watches));
	EXPECT_EQ(0, test_set_param("max_table_awaited", self->awaited));
	test_teardown(_metadata, &self->base);
}

#define EXPECT_HAS(who) EXPECT_TRUE(test_is_of(self->fd, self->table, "key", who))

TEST_F(line_rules, flags)
{
	static const __u32 both[] = {
		KREG_REGISTER_WAIT | KREG_REGISTER_STANDBY,
		KREG_REGISTER_WAIT | KREG_REGISTER_GET,
		KREG_REGISTER_WAIT | KREG_REGISTER_VERSION,
		KREG_REGISTER_STANDBY | KREG_REGISTER_GET,
		KREG_REGISTER_STANDBY | KREG_REGISTER_VERSION,
	};
	struct kreg_ioc_register cmd;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(both); i++) {
		cmd = register_cmd(self->table, "free", "v", both[i]);
		cmd.version = both[i] & KREG_REGISTER_VERSION ? 1 : 0;
		EXPECT_EQ(-EINVAL, run_register(self->fd, &cmd));
	}
#define EXPECT_CMD(err, flags, member)					\
	do {								\
		cmd = register_cmd(self->table, "key", "v", flags);	\
		cmd.member = 1;						\
		EXPECT_EQ(-(err), run_register(self->fd, &cmd));	\
	} while (0)
	EXPECT_CMD(EINVAL, 0, deadline_ns);
	EXPECT_CMD(EINVAL, KREG_REGISTER_GET, deadline_ns);
	EXPECT_CMD(EINVAL, KREG_REGISTER_STANDBY, deadline_ns);
	EXPECT_CMD(EINVAL, 0, udata);
	EXPECT_CMD(EINVAL, KREG_REGISTER_WAIT, udata);
	EXPECT_CMD(ETIMEDOUT, KREG_REGISTER_WAIT, deadline_ns);
	EXPECT_CMD(EOPNOTSUPP, KREG_REGISTER_WAIT, reserved);
	EXPECT_CMD(EFAULT, KREG_REGISTER_STANDBY, value);
	EXPECT_CMD(EFAULT, KREG_REGISTER_STANDBY, key);
	EXPECT_EQ(0, test_places_of(getpid(), self->fd));
	kid_kill(self->holder);
	test_sync(self->fd);
	EXPECT_EQ(0, test_objects(self->fd, self->table));
}

/* A process has a key once, whichever of its threads has asked. */
TEST_F(line_rules, holds_it_already)
{
	struct kreg_ioc_register cmd = standby_cmd(self->table, "key");

	EXPECT_EQ(-EALREADY, kid_lock(self->holder, self->table, -1));
	EXPECT_EQ(-EALREADY, kid_lock(self->holder, self->table, 0));
	EXPECT_EQ(-EALREADY, kid_stand(self->holder, self->table));
	EXPECT_EQ(0, test_places_of(self->holder->pid, self->holder->job->fd));
	/* Also for what was not got in line. */
	test_bind(self->fd, self->table, "mine", "v");
	cmd = standby_cmd(self->table, "mine");
	EXPECT_EQ(-EALREADY, run_register(self->fd, &cmd));
	EXPECT_TRUE(test_same(self->me, cmd.out_process));
	EXPECT_EQ(0, cmd.out_id);
	EXPECT_EQ(test_version_of(self->fd, self->table, "mine"), cmd.out_version);
	/* And also with a line behind it. */
	test_stand(self->fd, self->table, &self->id);
	EXPECT_EQ(-EALREADY, kid_lock(self->holder, self->table, -1));
}

TEST_F(line_rules, whose)
{
	struct kid *alice = kid_start_as(_metadata, ALICE), *hers = kid_start_as(_metadata, ALICE);
	struct kreg_process gone = hers->self;
	struct kreg_ioc_register cmd = standby_cmd(self->table, "key");

	EXPECT_EQ(-EPERM, kid_register_for(alice, self->table, "key", KREG_REGISTER_STANDBY,
					   self->me));
	cmd.process = self->me;
	cmd.process.cookie++;
	EXPECT_EQ(-ESRCH, run_register(self->fd, &cmd));
	/* Root may for all, and is told when it is so. */
	cmd = standby_cmd(self->table, "key");
	cmd.process = alice->self;
	ASSERT_EQ(0, run_register(self->fd, &cmd));
	self->id = cmd.out_id;
	ASSERT_EQ(0, kid_register_for(alice, self->table, "key", KREG_REGISTER_STANDBY, gone));
	kid_kill(self->holder);
	test_sync(self->fd);
	test_served(self->fd, self->table, self->id, alice->self);
	/* Who is dead when it would be its turn is told of. */
	kid_kill(hers);
	kid_kill(alice);
	test_sync(self->fd);
	EXPECT_EQ(0, test_objects(self->fd, self->table));
	EXPECT_EQ(-ESRCH, kid_register_for(kid_start_as(_metadata, ALICE), self->table, "key",
					   KREG_REGISTER_WAIT, gone));
}

TEST_F(line_rules, other_dies)
{
	struct kid *kid = kid_start(_metadata), *next = kid_start(_metadata);
	struct kreg_ioc_register cmd = standby_cmd(self->table, "key");

	cmd.process = kid->self;
	ASSERT_EQ(0, run_register(self->fd, &cmd));
	ASSERT_EQ(0, kid_stand(next, self->table));
	kid_kill(kid);
	test_sync(self->fd);
	test_no_event(self->fd);
	kid_kill(self->holder);
	test_sync(self->fd);
	test_unserved(self->fd, self->table, cmd.out_id, KREG_CAUSE_NOPROC);
	EXPECT_HAS(next->self);
}

/* In a registry the process must be one's own still when it is its turn. */
TEST_F(line_rules, in_a_registry)
{
	struct kid *alice = kid_start_as(_metadata, ALICE), *bob = kid_start_as(_metadata, BOB);

	ASSERT_EQ(0, kid_stand(alice, self->table));
	kid_ask_lock(bob, self->table, -1);
	ASSERT_TRUE(kid_is_in_line(bob));
	kid_kill(self->holder);
	test_sync(self->fd);
	EXPECT_HAS(alice->self);
	kid_kill(alice);
	EXPECT_EQ(0, kid_answer(bob));
	EXPECT_HAS(bob->self);
	test_access(self->fd, self->table, KREG_ACCESS_PROTECTED);
	EXPECT_EQ(-EACCES, kid_stand(bob, self->table));
}

/* What was got in line is there for who writes until its process is dead. */
TEST_F(line_rules, strict)
{
	struct kreg_op op = test_op_puts("key", "new");
	struct kid *holder = self->holder;
	int status;

	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, holder->pid, 0, PTRACE_O_TRACEEXIT));
	kid_ask(holder, job_exit);
	ASSERT_EQ(holder->pid, waitpid(holder->pid, &status, __WALL));
	test_err_member(ENODATA, self->fd, self->table, "key");
	test_err_bind_new(EEXIST, self->fd, self->table, "key", "v");
	op.flags = KREG_OP_NEW;
	EXPECT_EQ(-EEXIST, _test_op(self->fd, self->table, 0, &op));
	/* A value that is replaced stays bound. */
	op.flags = 0;
	EXPECT_EQ(0, _test_op(self->fd, self->table, 0, &op));
	test_err_member(ENODATA, self->fd, self->table, "key");
	test_err_bind_new(EEXIST, self->fd, self->table, "key", "v");
	test_stand(self->fd, self->table, &self->id);
	test_sync(self->fd);
	test_no_event(self->fd);
	ASSERT_EQ(0, ptrace(PTRACE_CONT, holder->pid, 0, 0));
	kid_reap(holder);
	test_sync(self->fd);
	test_served(self->fd, self->table, self->id, self->me);
}

/* A plain one is displaced as ever; and gets what is free although there is a line. */
TEST_F(line_rules, plain_beside_it)
{
	struct kid *plain = kid_start(_metadata);
	struct kreg_op ops[2] = { test_ops(KREG_OP_DELETE, "key"), test_op_puts("key", "v") };
	__u32 done;

	test_stand(self->fd, self->table, &self->id);
	EXPECT_EQ(-EEXIST, kid_register(plain, self->table, "key", 0));
	/* A batch that deletes it and puts another has not made it free. */
	EXPECT_EQ(0, _test_batch(self->fd, self->table, 0, ops, 2, &done));
	test_no_event(self->fd);
	EXPECT_TRUE(test_is_nobodys(self->fd, self->table, "key"));
	test_delete(self->fd, self->table, "key");
	test_served(self->fd, self->table, self->id, self->me);
}

/* By each kind of write that takes a key away. */
TEST_F(line_rules, freed_by_any_write)
{
	struct kreg_op del = test_ops(KREG_OP_DELETE, "key"), take;
	char value[16];
	__u32 done;
	int i;

	take = test_op_value(KREG_OP_TAKE, "key", 3, value, sizeof(value));
	for (i = 0; i < 6; i++) {
		test_clear(self->fd, self->table);
		test_puts(self->fd, self->table, "key", "v");
		test_stand(self->fd, self->table, &self->id);
		switch (i) {
		case 0:
			test_delete(self->fd, self->table, "key");
			break;
		case 1:
			EXPECT_EQ(0, _test_op(self->fd, self->table, 0, &take));
			break;
		case 2:
			test_clear(self->fd, self->table);
			break;
		case 3:
			EXPECT_EQ(0, _test_batch(self->fd, self->table, 0, &del, 1, &done));
			break;
		case 4:
			EXPECT_EQ(0, _test_batch(self->fd, self->table, KREG_BATCH_ATOMIC, &del,
						 1, &done));
			break;
		case 5:
			EXPECT_EQ(0, _test_op(self->fd, self->table, KREG_WRITE_ASYNC, &del));
			break;
		}
		test_sync(self->fd);
		test_served(self->fd, self->table, self->id, self->me);
	}
}

/* What lingers is there to be seen, and to be had by the next. */
TEST_F(line_rules, lingering)
{
	struct kreg_ioc_register cmd = register_cmd(self->table, "ghost", "v", KREG_REGISTER_WAIT);
	struct kreg_ioc_register next = standby_cmd(self->table, "ghost");
	struct kid *kid = kid_start(_metadata);
	struct test_event event;

	next.linger_ms = 60000;
	cmd.linger_ms = 60000;
	cmd.process = kid->self;
	ASSERT_EQ(0, run_register(self->fd, &cmd));
	ASSERT_EQ(0, run_register(self->fd, &next));
	EXPECT_EQ(KREG_REGISTER_WAITS, next.out_how);
	kid_kill(kid);
	test_sync(self->fd);
	test_event_now(self->fd, &event);
	EXPECT_EQ(KREG_EVENT_READY, event.e.kind);
	EXPECT_TRUE(test_is_of(self->fd, self->table, "ghost", self->me));
	/* One that nobody waits for is left, and given to who comes. */
	kid = kid_start(_metadata);
	cmd = register_cmd(self->table, "left", "v", KREG_REGISTER_WAIT);
	cmd.process = kid->self;
	cmd.linger_ms = 60000;
	ASSERT_EQ(0, run_register(self->fd, &cmd));
	kid_kill(kid);
	test_sync(self->fd);
	test_member(self->fd, self->table, "left");
	EXPECT_EQ(0, _test_lock_key(self->fd, self->table, "left", 0, NULL));
	EXPECT_TRUE(test_is_of(self->fd, self->table, "left", self->me));
}

/* A place that is given up gives back what it has brought, whatever becomes of its process. */
TEST_F(line_rules, lingering_place)
{
	struct kreg_ioc_register cmd = standby_cmd(self->table, "key");
	struct kid *kid = kid_start(_metadata);
	int i;

	for (i = 0; i < 3; i++) {
		cmd = standby_cmd(self->table, "key");
		cmd.process = kid->self;
		cmd.linger_ms = i * 1000;
		ASSERT_EQ(0, run_register(self->fd, &cmd));
		if (i < 2)
			test_cancel(self->fd, cmd.out_id, 0);
	}
	kid_kill(kid);
	test_sync(self->fd);
	test_cancel(self->fd, cmd.out_id, 0);
	kid_kill(self->holder);
	test_sync(self->fd);
	EXPECT_EQ(0, test_objects(self->fd, self->table));
	EXPECT_EQ(0, test_bound(self->fd, self->table));
	test_no_event(self->fd);
}

/* Values of any length wait for their turn. */
TEST_F(line_rules, long_value)
{
	static char value[100000], got[100000];
	struct kreg_ioc_register cmd = standby_cmd(self->table, "key");
	struct kreg_op op = test_op_value(KREG_OP_GET, "key", 3, got, sizeof(got));

	memset(value, 'x', sizeof(value));
	cmd.value = test_ptr(value);
	cmd.value_len = sizeof(value);
	ASSERT_EQ(0, run_register(self->fd, &cmd));
	test_cancel(self->fd, cmd.out_id, 0);
	ASSERT_EQ(0, run_register(self->fd, &cmd));
	kid_kill(self->holder);
	test_sync(self->fd);
	test_served(self->fd, self->table, cmd.out_id, self->me);
	ASSERT_EQ(0, _test_op(self->fd, self->table, 0, &op));
	EXPECT_EQ(sizeof(value), op.out_len);
	EXPECT_EQ(0, memcmp(value, got, sizeof(value)));
}

static long job_fill_line(struct job *job)
{
	__u64 id;
	int i, err = 0;

	for (i = 0; i < KREG_MAX_KEY_WAITERS && !err; i++)
		err = _test_stand(job->fd, job->table, &id);
	return err;
}

/* A line is full of the living only. */
TEST_F(line_rules, full)
{
	struct kid *kid = kid_start(_metadata);
	pid_t child;

	kid->job->table = self->table;
	ASSERT_EQ(0, kid_do(kid, job_fill_line));
	EXPECT_EQ(1000 + KREG_LIMIT_WAITERS, _test_stand(self->fd, self->table, &self->id));
	EXPECT_EQ(0, test_places_of(getpid(), self->fd));
	ASSERT_EQ(0, kid_do(kid, job_leave_child));
	child = kid->job->pid;
	kid_kill(kid);
	test_stand(self->fd, self->table, &self->id);
	kid_kill(self->holder);
	test_sync(self->fd);
	test_served(self->fd, self->table, self->id, self->me);
	kill(child, SIGKILL);
}

/* Places are charged, and given back. */
TEST_F(line_rules, charged)
{
	struct kid *alice = kid_start_as(_metadata, ALICE);
	struct kreg_ioc_register cmd;

	ASSERT_EQ(0, test_set_param("max_user_watches", 1));
	EXPECT_EQ(0, kid_stand(alice, self->table));
	EXPECT_EQ(1000 + KREG_LIMIT_WATCHES, kid_stand(alice, self->table));
	EXPECT_EQ(1000 + KREG_LIMIT_WATCHES, kid_register(alice, self->table, "key",
							  KREG_REGISTER_WAIT));
	EXPECT_EQ(0, kid_do(alice, job_close));
	ASSERT_EQ(0, kid_do(alice, job_client));
	EXPECT_EQ(0, kid_stand(alice, self->table));
	EXPECT_EQ(0, kid_do(alice, job_close));
	ASSERT_EQ(0, kid_do(alice, job_client));
	ASSERT_EQ(0, test_set_param("max_user_bound", 1));
	EXPECT_EQ(0, kid_stand(alice, self->table));
	ASSERT_EQ(0, test_set_param("max_user_watches", self->watches));
	EXPECT_EQ(1000 + KREG_LIMIT_BOUND, kid_stand(alice, self->table));
	EXPECT_EQ(1000 + KREG_LIMIT_BOUND, kid_register(alice, self->table, "free",
							KREG_REGISTER_WAIT));
	ASSERT_EQ(0, test_set_param("max_user_bound", self->bound));
	ASSERT_EQ(0, test_set_param("max_table_awaited", 1));
	EXPECT_EQ(0, kid_stand(alice, self->table));
	test_bind(self->fd, self->table, "second", "v");
	cmd = standby_cmd(self->table, "second");
	kid_bind(self->holder, self->table, "second", "v");
	EXPECT_EQ(-EDQUOT, run_register(self->fd, &cmd));
	EXPECT_EQ(KREG_LIMIT_AWAITED, cmd.out_limit);
}

/* What was promised to the dead is not charged any more. */
TEST_F(line_rules, charge_of_the_dead)
{
	struct kid *alice;
	int i;

	ASSERT_EQ(0, test_set_param("max_user_bound", 2));
	for (i = 0; i < 4; i++) {
		alice = kid_start_as(_metadata, ALICE);
		EXPECT_EQ(0, kid_stand(alice, self->table));
		EXPECT_EQ(0, kid_stand(alice, self->table));
		EXPECT_EQ(1000 + KREG_LIMIT_BOUND, kid_stand(alice, self->table));
		kid_kill(alice);
		test_sync(self->fd);
	}
}

/* Names are those of another pid namespace there. */
TEST_F(line_rules, other_namespace)
{
	struct kid_how how = { .flags = CLONE_NEWPID };
	struct kid *inner = kid_start_how(_metadata, &how);

	/* The table is one of another namespace. */
	EXPECT_EQ(-ESTALE, kid_lock(inner, self->table, -1));
	EXPECT_EQ(-ESTALE, kid_stand(inner, self->table));
}

TEST_HARNESS_MAIN
