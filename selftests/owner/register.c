// SPDX-License-Identifier: GPL-2.0
/*
 * REGISTER: under which key, for which process, by whom; the access rule of a registry.
 */
#include <sys/ptrace.h>

#include "kit/fixture.h"
#include "kit/bound.h"
#include "kit/register.h"

#define ALICE	1000
#define BOB	1001

FIXTURE(register) {
	struct test_base base;
	int fd;
	__u64 table;		/* root's, a registry */
	struct kreg_process me;
	long long limit;
};

FIXTURE_SETUP(register)
{
	self->fd = test_setup(_metadata, &self->base);
	self->me = test_self(self->fd);
	self->limit = test_param("max_user_bound");
	test_create(self->fd, "names", KREG_ACCESS_REGISTRY, &self->table);
}

FIXTURE_TEARDOWN_PARENT(register)
{
	EXPECT_EQ(0, test_set_param("max_user_bound", self->limit));
	test_teardown(_metadata, &self->base);
}

TEST_F(register, or_get)
{
	struct kreg_ioc_register cmd = register_cmd(self->table, "key", "v", 0);
	struct kid *kid = kid_start(_metadata);
	__u64 version;

	ASSERT_EQ(0, run_register(self->fd, &cmd));
	EXPECT_TRUE(test_same(self->me, cmd.out_process));
	EXPECT_EQ(KREG_REGISTERED, cmd.out_how);
	EXPECT_EQ(0, cmd.out_id);
	EXPECT_EQ(0, cmd.out_limit);
	EXPECT_TRUE(test_is_of(self->fd, self->table, "key", self->me));
	test_gets(self->fd, self->table, "key", "v");
	version = cmd.out_version;

	EXPECT_EQ(-EEXIST, kid_register(kid, self->table, "key", 0));
	EXPECT_TRUE(test_same(self->me, kid->job->process));
	EXPECT_EQ(version, kid->job->arg);
	EXPECT_EQ(KREG_REGISTER_HELD, kid->job->arg2);
	EXPECT_EQ(0, kid_register(kid, self->table, "key", KREG_REGISTER_GET));
	EXPECT_TRUE(test_same(self->me, kid->job->process));
	EXPECT_EQ(KREG_REGISTER_HELD, kid->job->arg2);
	EXPECT_EQ(0, kid_register(kid, self->table, "other", KREG_REGISTER_GET));
	EXPECT_TRUE(test_same(kid->self, kid->job->process));
	EXPECT_EQ(KREG_REGISTERED, kid->job->arg2);
	/* One's own is held, too; and what is bound to nobody. */
	cmd = register_cmd(self->table, "key", "w", KREG_REGISTER_GET);
	ASSERT_EQ(0, run_register(self->fd, &cmd));
	EXPECT_EQ(KREG_REGISTER_HELD, cmd.out_how);
	test_puts(self->fd, self->table, "plain", "v");
	cmd = register_cmd(self->table, "plain", "w", KREG_REGISTER_GET);
	ASSERT_EQ(0, run_register(self->fd, &cmd));
	EXPECT_TRUE(test_none(cmd.out_process));
	EXPECT_EQ(KREG_REGISTER_HELD, cmd.out_how);
	/* Who is dead holds nothing. */
	kid_kill(kid);
	cmd = register_cmd(self->table, "other", "w", KREG_REGISTER_GET);
	ASSERT_EQ(0, run_register(self->fd, &cmd));
	EXPECT_EQ(KREG_REGISTERED, cmd.out_how);
}

TEST_F(register, version)
{
	struct kreg_ioc_register cmd = register_cmd(self->table, "key", "1", 0);
	__u64 version;

	ASSERT_EQ(0, run_register(self->fd, &cmd));
	version = cmd.out_version;
	cmd = register_cmd(self->table, "key", "2", KREG_REGISTER_VERSION);
	cmd.version = version + 1;
	EXPECT_EQ(-ECANCELED, run_register(self->fd, &cmd));
	cmd.version = version;
	EXPECT_EQ(0, run_register(self->fd, &cmd));
	EXPECT_EQ(KREG_REGISTERED, cmd.out_how);
	EXPECT_LT(version, cmd.out_version);
	test_gets(self->fd, self->table, "key", "2");
	cmd = register_cmd(self->table, "no", "2", KREG_REGISTER_VERSION);
	cmd.version = 1;
	EXPECT_EQ(-ECANCELED, run_register(self->fd, &cmd));
}

TEST_F(register, errors)
{
	static char key[KREG_MAX_KEY + 1], value[KREG_MAX_VALUE + 1];
	struct kreg_ioc_register good = register_cmd(self->table, "key", "v", 0), cmd;
	struct kid *alice = kid_start_as(_metadata, ALICE);
	__u64 dead, hers;

	test_create(self->fd, NULL, 0, &dead);
	test_destroy(self->fd, dead);
	ASSERT_EQ(0, kid_create(alice, NULL, KREG_ACCESS_PROTECTED, &hers));
#define EXPECT_REGISTER(err, change)			\
	do {						\
		cmd = good;				\
		change;					\
		EXPECT_EQ(-(err), run_register(self->fd, &cmd)); \
	} while (0)
	EXPECT_REGISTER(EOPNOTSUPP, cmd.flags = KREG_REGISTER_ALL + 1; cmd.key_len = 0);
	EXPECT_REGISTER(EINVAL, cmd.udata = 1);
	EXPECT_REGISTER(EINVAL, cmd.deadline_ns = 1);
	EXPECT_REGISTER(EINVAL, cmd.key_len = 0);
	EXPECT_REGISTER(EINVAL, cmd.flags = KREG_REGISTER_ALL; cmd.version = 1);
	EXPECT_REGISTER(EINVAL, cmd.flags = KREG_REGISTER_VERSION);
	EXPECT_REGISTER(EINVAL, cmd.version = 1);
	EXPECT_REGISTER(ENAMETOOLONG, cmd.key = test_ptr(key); cmd.key_len = sizeof(key));
	EXPECT_REGISTER(EFBIG, cmd.value = test_ptr(value); cmd.value_len = sizeof(value));
	EXPECT_REGISTER(ESTALE, cmd.table = dead);
	EXPECT_REGISTER(EINVAL, cmd.table = ~0ULL);
	EXPECT_REGISTER(EACCES, cmd.table = hers);
	EXPECT_REGISTER(ESRCH, cmd.process = self->me; cmd.process.cookie++);
	EXPECT_REGISTER(ESRCH, cmd.process.pid = 1);
	EXPECT_REGISTER(0, cmd.process.pid = self->me.pid);
	EXPECT_REGISTER(EEXIST, cmd.flags = 0);
	{
		int fd = open(KREG_DEV, O_WRONLY | O_CLOEXEC);

		EXPECT_EQ(-EBADF, run_register(fd, &good));
		close(fd);
	}
}

/* For another: who could kill it. */
TEST_F(register, for_others)
{
	struct kid *alice = kid_start_as(_metadata, ALICE), *hers = kid_start_as(_metadata, ALICE);
	struct kid *bob = kid_start_as(_metadata, BOB), *dead = kid_start_as(_metadata, ALICE);
	struct kid *bare = kid_start_bare(_metadata);
	struct kreg_ioc_register cmd;
	struct kreg_ioc_whois whois = {
		.size = sizeof(whois), .flags = KREG_WHOIS_WATCH, .pid = bare->pid,
	};
	struct kreg_process gone = dead->self;

	EXPECT_EQ(0, kid_register_for(alice, self->table, "a", 0, hers->self));
	EXPECT_TRUE(test_same(hers->self, alice->job->process));
	EXPECT_TRUE(test_is_of(self->fd, self->table, "a", hers->self));
	EXPECT_EQ(-EPERM, kid_register_for(bob, self->table, "b", 0, hers->self));
	EXPECT_EQ(-EPERM, kid_register_for(alice, self->table, "b", 0, self->me));
	test_err_member(ENODATA, self->fd, self->table, "b");
	/* Root may for all, also for who has no client. */
	cmd = register_cmd(self->table, "c", "v", 0);
	cmd.process = bob->self;
	EXPECT_EQ(0, run_register(self->fd, &cmd));
	EXPECT_TRUE(test_same(bob->self, cmd.out_process));
	ASSERT_EQ(0, test_ioctl(self->fd, KREG_IOC_WHOIS, &whois));
	cmd = register_cmd(self->table, "d", "v", 0);
	cmd.process = whois.out_process;
	EXPECT_EQ(0, run_register(self->fd, &cmd));
	EXPECT_TRUE(test_is_of(self->fd, self->table, "d", whois.out_process));
	kid_kill(dead);
	EXPECT_EQ(-ESRCH, kid_register_for(alice, self->table, "e", 0, gone));
	/* It ends with the process it is bound to, not with who has bound it. */
	kid_kill(alice);
	test_member(self->fd, self->table, "a");
	kid_kill(hers);
	test_err_member(ENODATA, self->fd, self->table, "a");
	kill(bare->pid, SIGKILL);
	ASSERT_TRUE(kid_dead(bare));
	test_err_member(ENODATA, self->fd, self->table, "d");
	test_sync(self->fd);
	EXPECT_EQ(1, test_objects(self->fd, self->table));
	kid_kill(bob);
	test_sync(self->fd);
	EXPECT_EQ(0, test_objects(self->fd, self->table));
}

/* Of a process that is on its way out. */
TEST_F(register, exiting)
{
	struct kreg_ioc_register cmd = register_cmd(self->table, "key", "v", 0);
	struct kid *kid = kid_start(_metadata);
	int status;

	EXPECT_EQ(0, kid_register(kid, self->table, "his", 0));
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, kid->pid, 0, PTRACE_O_TRACEEXIT));
	kid_ask(kid, job_exit);
	ASSERT_EQ(kid->pid, waitpid(kid->pid, &status, __WALL));
	cmd.process = kid->self;
	EXPECT_EQ(-ESRCH, run_register(self->fd, &cmd));
	cmd = register_cmd(self->table, "his", "v", 0);
	EXPECT_EQ(0, run_register(self->fd, &cmd));
	EXPECT_EQ(KREG_REGISTERED, cmd.out_how);
	ASSERT_EQ(0, ptrace(PTRACE_CONT, kid->pid, 0, 0));
	kid_reap(kid);
	test_sync(self->fd);
	EXPECT_TRUE(test_is_of(self->fd, self->table, "his", self->me));
}

/* Who has it by WAIT keeps it until he is dead, and nobody else is told of him any more. */
TEST_F(register, kept_while_exiting)
{
	struct kid *kid = kid_start(_metadata), *other = kid_start(_metadata);
	int status;

	ASSERT_EQ(0, kid_register(kid, self->table, "his", KREG_REGISTER_WAIT));
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, kid->pid, 0, PTRACE_O_TRACEEXIT));
	kid_ask(kid, job_exit);
	ASSERT_EQ(kid->pid, waitpid(kid->pid, &status, __WALL));
	EXPECT_EQ(-EEXIST, kid_register(other, self->table, "his", 0));
	EXPECT_TRUE(test_none(other->job->process));
	EXPECT_EQ(-EEXIST, kid_register(other, self->table, "his", KREG_REGISTER_GET));
	EXPECT_TRUE(test_none(other->job->process));
	ASSERT_EQ(0, ptrace(PTRACE_CONT, kid->pid, 0, 0));
	kid_reap(kid);
	EXPECT_EQ(0, kid_register(other, self->table, "his", 0));
	kid_kill(other);
}

static long job_flagged(struct job *job)
{
	struct kreg_op op = test_ops(job->arg, job->key);

	if (job->arg == KREG_OP_PUT)
		op = test_op_puts(job->key, job->value);
	else if (job->arg == KREG_OP_CLEAR)
		op = test_op(KREG_OP_CLEAR, NULL, 0);
	else if (job->arg == KREG_OP_TAKE)
		op = test_op_value(job->arg, job->key, strlen(job->key), job->value,
				   sizeof(job->value));
	op.flags = job->flags;
	if (job->arg2)
		return _test_batch(job->fd, job->table, job->arg2, &op, 1, NULL) ?:
		       -(long)op.out_error;
	return _test_op(job->fd, job->table, 0, &op);
}

static long kid_flagged(struct kid *kid, __u64 table, __u16 code, const char *key, __u16 flags,
			__u32 batch)
{
	kid->job->table = table;
	kid->job->arg = code;
	kid->job->arg2 = batch;
	kid->job->flags = flags;
	test_set(kid->job->key, key);
	test_set(kid->job->value, "w");
	return kid_do(kid, job_flagged);
}

/* By whom what is written in a registry, at once and in batches. */
TEST_F(register, access_rule)
{
	static const __u32 batches[] = { 0, KREG_BATCH_ATOMIC };
	struct kid *alice = kid_start_as(_metadata, ALICE), *bob = kid_start_as(_metadata, BOB);
	struct kid *second = kid_start_as(_metadata, ALICE);
	struct kreg_info info;
	unsigned int i;

	EXPECT_EQ(0, kid_register(alice, self->table, "hers", 0));
	test_puts(self->fd, self->table, "plain", "v");
	test_bind(self->fd, self->table, "roots", "v");
	for (i = 0; i < 2; i++) {
		__u32 batch = batches[i];

#define EXPECT_RULE(err, kid, code, key, flags)	\
		EXPECT_EQ(-(err), kid_flagged(kid, self->table, KREG_OP_##code, key, flags, batch))
		/* Strangers read. */
		EXPECT_EQ(0, kid_flagged(bob, self->table, KREG_OP_MEMBER, "hers", 0, 0));
		EXPECT_RULE(EACCES, bob, PUT, "hers", 0);
		EXPECT_RULE(EACCES, bob, PUT, "hers", KREG_OP_BOUND);
		EXPECT_RULE(EEXIST, bob, PUT, "hers", KREG_OP_BOUND | KREG_OP_NEW);
		EXPECT_RULE(ENODATA, bob, PUT, "hers", KREG_OP_MINE);
		EXPECT_RULE(EACCES, bob, DELETE, "hers", 0);
		EXPECT_RULE(0, bob, DELETE, "hers", KREG_OP_MINE);
		EXPECT_RULE(EACCES, bob, DELETE, "plain", 0);
		EXPECT_RULE(EACCES, bob, PUT, "plain", 0);
		EXPECT_RULE(EACCES, bob, PUT, "plain", KREG_OP_BOUND);
		EXPECT_RULE(EACCES, bob, PUT, "new", 0);
		EXPECT_RULE(EACCES, bob, CLEAR, "", 0);
		EXPECT_RULE(EACCES, alice, DELETE, "roots", 0);
		EXPECT_RULE(0, bob, DELETE, "absent", 0);
		/* Their own, of whichever of their processes. */
		EXPECT_RULE(0, bob, PUT, "his", KREG_OP_BOUND);
		EXPECT_RULE(0, bob, PUT, "his", KREG_OP_BOUND);
		EXPECT_TRUE(test_is_of(self->fd, self->table, "his", bob->self));
		EXPECT_RULE(0, second, PUT, "hers", KREG_OP_BOUND);
		EXPECT_TRUE(test_is_of(self->fd, self->table, "hers", second->self));
		EXPECT_RULE(0, alice, PUT, "hers", KREG_OP_BOUND);
		EXPECT_RULE(batch ? EACCES : 0, second, PUT, "hers", 0);
		EXPECT_TRUE(test_is_of(self->fd, self->table, "hers", alice->self));
		EXPECT_RULE(0, bob, DELETE, "his", 0);
		test_err_member(ENODATA, self->fd, self->table, "his");
	}
	EXPECT_EQ(-EACCES, kid_flagged(bob, self->table, KREG_OP_TAKE, "hers", 0, 0));
	EXPECT_EQ(0, kid_flagged(second, self->table, KREG_OP_TAKE, "hers", 0, 0));
	/* The owner writes anything. */
	EXPECT_EQ(0, kid_register(alice, self->table, "hers", 0));
	test_puts(self->fd, self->table, "hers", "w");
	EXPECT_TRUE(test_is_of(self->fd, self->table, "hers", alice->self));
	test_delete(self->fd, self->table, "hers");
	test_clear(self->fd, self->table);
	/* The mode says who may at all. */
	test_mode(self->fd, self->table, 0644);
	EXPECT_EQ(-EACCES, kid_register(alice, self->table, "hers", 0));
	EXPECT_EQ(-ENODATA, kid_flagged(bob, self->table, KREG_OP_MEMBER, "hers", 0, 0));
	test_mode(self->fd, self->table, 0622);
	EXPECT_EQ(0, kid_register(alice, self->table, "hers", 0));
	EXPECT_EQ(-EACCES, kid_flagged(bob, self->table, KREG_OP_MEMBER, "hers", 0, 0));
	EXPECT_EQ(-EEXIST, kid_register(bob, self->table, "hers", 0));
	EXPECT_TRUE(test_none(bob->job->process));
	EXPECT_EQ(-EACCES, kid_register(bob, self->table, "hers", KREG_REGISTER_GET));
	test_info(self->fd, self->table, &info);
	EXPECT_EQ(KREG_ACCESS_REGISTRY, info.access);
	EXPECT_EQ(1, info.bound);
	/* It can be made one, and no one. */
	test_mode(self->fd, self->table, 0666);
	test_access(self->fd, self->table, KREG_ACCESS_PUBLIC);
	EXPECT_EQ(0, kid_flagged(bob, self->table, KREG_OP_DELETE, "hers", 0, 0));
	EXPECT_EQ(0, kid_flagged(bob, self->table, KREG_OP_PUT, "new", 0, 0));
	test_access(self->fd, self->table, KREG_ACCESS_REGISTRY);
	EXPECT_EQ(-EACCES, kid_flagged(bob, self->table, KREG_OP_DELETE, "new", 0, 0));
}

TEST_F(register, limit)
{
	struct kid *alice = kid_start_as(_metadata, ALICE);

	ASSERT_EQ(0, test_set_param("max_user_bound", 1));
	EXPECT_EQ(0, kid_register(alice, self->table, "a", 0));
	EXPECT_EQ(1000 + KREG_LIMIT_BOUND, kid_register(alice, self->table, "b", 0));
	EXPECT_EQ(-EEXIST, kid_register(alice, self->table, "a", 0));
}

TEST_HARNESS_MAIN
