// SPDX-License-Identifier: GPL-2.0
/*
 * Registries in which a key has an object of each process that has registered under it.
 */
#include "kit/fixture.h"
#include "kit/await.h"
#include "kit/bag.h"
#include "kit/lease.h"
#include "kit/pause.h"
#include "kit/register.h"
#include "kit/stream.h"

FIXTURE(bag_bound) {
	struct test_base base;
	int fd;
	__u64 table;
	bool once;
	struct kreg_process me;
	struct kid *kid;
};

FIXTURE_VARIANT(bag_bound) {
	__u32 type;
};

FIXTURE_VARIANT_ADD(bag_bound, bag) {
	.type = KREG_TYPE_BAG,
};

FIXTURE_VARIANT_ADD(bag_bound, duplicate_bag) {
	.type = KREG_TYPE_DUPLICATE_BAG,
};

FIXTURE_SETUP(bag_bound)
{
	self->fd = test_setup(_metadata, &self->base);
	self->me = test_self(self->fd);
	self->once = variant->type == KREG_TYPE_BAG;
	ASSERT_EQ(0, _test_create_type(self->fd, "reg", variant->type, KREG_ACCESS_REGISTRY,
				       &self->table));
	self->kid = kid_start(_metadata);
}

FIXTURE_TEARDOWN_PARENT(bag_bound)
{
	test_teardown(_metadata, &self->base);
}

static long add(int fd, __u64 table, const char *key, const char *value)
{
	struct kreg_ioc_register cmd = register_cmd(table, key, value, 0);
	int err = run_register(fd, &cmd);

	return err ? err : (long)cmd.out_how;
}

static int removes_mine(int fd, __u64 table, const char *key)
{
	return test_removes(fd, table, key, KREG_OP_MINE, 0, 0);
}

static long job_removes(struct job *job)
{
	return test_removes(job->fd, job->table, job->key, job->flags, 0, 0);
}

static long kid_removes(struct kid *kid, __u64 table, const char *key, __u16 flags)
{
	kid->job->table = table;
	kid->job->flags = flags;
	test_set(kid->job->key, key);
	return kid_do(kid, job_removes);
}

TEST_F(bag_bound, registered_by_many)
{
	struct kid *other = kid_start(_metadata);

	EXPECT_EQ(KREG_REGISTERED, add(self->fd, self->table, "key", "m"));
	EXPECT_EQ(0, kid_bind(self->kid, self->table, "key", "k"));
	EXPECT_EQ(0, kid_bind(other, self->table, "key", "o"));
	EXPECT_EQ(0, kid_bind(other, self->table, "kez", "p"));
	HAS_VALUES("key", "mko");
	EXPECT_EQ(4, test_bound(self->fd, self->table));
	/* What dies takes its own along. */
	kid_kill(self->kid);
	HAS_VALUES("key", "mo");
	HAS_VALUES("kez", "p");
	kid_kill(other);
	HAS_VALUES("key", "m");
	HAS_VALUES("kez", "");
	test_sync(self->fd);
	EXPECT_EQ(1, test_objects(self->fd, self->table));
	EXPECT_EQ(1, test_bound(self->fd, self->table));
}

TEST_F(bag_bound, registered_twice)
{
	EXPECT_EQ(KREG_REGISTERED, add(self->fd, self->table, "key", "a"));
	EXPECT_EQ(KREG_REGISTERED, add(self->fd, self->table, "key", "a"));
	EXPECT_EQ(KREG_REGISTERED, add(self->fd, self->table, "key", "b"));
	HAS_VALUES("key", self->once ? "ab" : "aab");
	/* The same of another process is another object. */
	EXPECT_EQ(0, kid_bind(self->kid, self->table, "key", "a"));
	HAS_VALUES("key", self->once ? "aba" : "aaba");
	EXPECT_EQ(self->once ? 3 : 4, test_bound(self->fd, self->table));
	test_puts(self->fd, self->table, "key", "a");
	HAS_VALUES("key", self->once ? "abaa" : "aabaa");
}

TEST_F(bag_bound, unregistered)
{
	add(self->fd, self->table, "key", "a");
	add(self->fd, self->table, "key", "b");
	EXPECT_EQ(0, kid_bind(self->kid, self->table, "key", "k"));
	EXPECT_EQ(2, removes_mine(self->fd, self->table, "key"));
	HAS_VALUES("key", "k");
	EXPECT_EQ(0, removes_mine(self->fd, self->table, "key"));
	EXPECT_EQ(1, test_bound(self->fd, self->table));
	EXPECT_EQ(1, kid_removes(self->kid, self->table, "key", KREG_OP_MINE));
	EXPECT_EQ(0, test_bound(self->fd, self->table));
}

/* In a registry others are left what is theirs. */
TEST_F(bag_bound, rule_of_a_registry)
{
	struct kid *bob = kid_start_as(_metadata, 1000);
	struct kid *bobs = kid_start_as(_metadata, 1000);

	add(self->fd, self->table, "key", "a");
	EXPECT_EQ(0, kid_bind(bob, self->table, "key", "b"));
	EXPECT_EQ(-EACCES, kid_puts(bob, self->table, "key", "plain"));
	EXPECT_EQ(-EACCES, kid_removes(bob, self->table, "key", 0));
	HAS_VALUES("key", "ab");
	EXPECT_EQ(1, kid_removes(bob, self->table, "key", KREG_OP_MINE));
	HAS_VALUES("key", "a");
	EXPECT_EQ(0, kid_bind(bob, self->table, "kez", "b"));
	EXPECT_EQ(1, kid_removes(bobs, self->table, "kez", 0));
	EXPECT_EQ(0, kid_bind(bob, self->table, "key", "b"));
	/* The owner of the table may remove all. */
	EXPECT_EQ(2, test_removes(self->fd, self->table, "key", 0, 0, 0));
}

/* Hidden from the moment on at which nothing saves its process, and no obstacle to a new one. */
TEST_F(bag_bound, of_one_that_is_exiting)
{
	struct kreg_op op = test_op_puts("key", "n");
	int i;

	for (i = 0; i < 20; i++) {
		struct kid *kid = kid_start(_metadata);

		ASSERT_EQ(0, kid_bind(kid, self->table, "key", "k"));
		ASSERT_EQ(0, kill(kid->pid, SIGKILL));
		HAS_VALUES("key", "");
		op.flags = KREG_OP_NEW;
		test_op_(self->fd, self->table, 0, &op);
		HAS_VALUES("key", "n");
		EXPECT_EQ(1, test_removes(self->fd, self->table, "key", 0, 0, 0));
	}
}

TEST_F(bag_bound, told_of)
{
	const struct kreg_event *e;
	struct test_reader *r = test_reader(self->fd);

	test_subscribe(self->fd, self->table, ALL_KINDS);
	add(self->fd, self->table, "key", "a");
	test_expect(r, KREG_EVENT_CREATE, "key");
	EXPECT_EQ(0, kid_bind(self->kid, self->table, "key", "k"));
	e = test_expect(r, KREG_EVENT_CREATE, "key");
	EXPECT_TRUE(test_same(self->kid->self, e->process));
	kid_kill(self->kid);
	e = test_expect(r, KREG_EVENT_EXIT, "key");
	EXPECT_TRUE(test_same(self->kid->self, e->process));
	EXPECT_EQ(1, removes_mine(self->fd, self->table, "key"));
	test_expect(r, KREG_EVENT_DELETE, "key");
	test_nothing(r);
}

/* What is bound to nobody is told of as ever, also by those DELETEs that ask whose it is. */
TEST_F(bag_bound, told_of_what_is_not_bound)
{
	struct kreg_op op = test_op_puts("key", "a");
	struct test_reader *r = test_reader(self->fd);

	test_subscribe(self->fd, self->table, ALL_KINDS);
	test_op_(self->fd, self->table, 0, &op);
	test_expect(r, KREG_EVENT_CREATE, "key");
	EXPECT_EQ(0, removes_mine(self->fd, self->table, "key"));
	EXPECT_EQ(0, removes_mine(self->fd, self->table, "none"));
	EXPECT_EQ(0, test_removes(self->fd, self->table, "key", KREG_OP_VALUE, test_ptr("b"), 1));
	test_nothing(r);
	EXPECT_EQ(1, test_removes(self->fd, self->table, "key", KREG_OP_VALUE, test_ptr("a"), 1));
	test_expect(r, KREG_EVENT_DELETE, "key");
	test_op_(self->fd, self->table, 0, &op);
	test_expect(r, KREG_EVENT_CREATE, "key");
	EXPECT_EQ(0, kid_removes(self->kid, self->table, "key", KREG_OP_MINE));
	test_nothing(r);
}

TEST_F(bag_bound, in_batches)
{
	struct kreg_op ops[] = { test_op_bind("key", "a"), test_op_bind("key", "b"),
				 test_op_bind("key", "a"), test_ops(KREG_OP_DELETE, "kez") };
	__u32 done;

	add(self->fd, self->table, "kez", "z");
	EXPECT_EQ(0, kid_bind(self->kid, self->table, "kez", "k"));
	ops[3].flags = KREG_OP_MINE;
	test_batch(self->fd, self->table, KREG_BATCH_ATOMIC, ops, 4, &done);
	EXPECT_EQ(4, done);
	HAS_VALUES("key", self->once ? "ab" : "aba");
	HAS_VALUES("kez", "k");
	EXPECT_EQ(1, ops[3].out_count);
	EXPECT_EQ(self->once ? 3 : 4, test_bound(self->fd, self->table));
}

TEST_F(bag_bound, found_by_process)
{
	__u64 room[128] = { 0 };
	struct kreg_ioc_scan cmd = {
		.flags = KREG_SCAN_OF,
		.table = self->table,
		.buf = test_ptr(room),
		.buf_len = sizeof(room),
		.process = self->kid->self,
	};

	add(self->fd, self->table, "key", "a");
	EXPECT_EQ(0, kid_bind(self->kid, self->table, "key", "k"));
	EXPECT_EQ(0, kid_bind(self->kid, self->table, "kez", "l"));
	test_scan(self->fd, &cmd);
	EXPECT_EQ(2, cmd.out_count);
	EXPECT_TRUE(test_object_is((void *)room, "key", "k"));
}

TEST_F(bag_bound, refused)
{
	struct kreg_ioc_register cmd = register_cmd(self->table, "key", "a", 0);
	struct kreg_ioc_lease lease;
	struct kreg_ioc_watch watch;
	char room[64] = "";
	__u64 id;

	add(self->fd, self->table, "key", "a");
	cmd.flags = KREG_REGISTER_VERSION;
	cmd.version = 1;
	EXPECT_EQ(-EOPNOTSUPP, run_register(self->fd, &cmd));
	cmd = register_cmd(self->table, "key", "a", KREG_REGISTER_STANDBY);
	EXPECT_EQ(-EOPNOTSUPP, run_register(self->fd, &cmd));
	cmd = register_cmd(self->table, "key", "a", KREG_REGISTER_WAIT);
	cmd.deadline_ns = 1;
	EXPECT_EQ(-EOPNOTSUPP, run_register(self->fd, &cmd));
	lease = lease_cmd(self->table, "key", room, sizeof(room));
	EXPECT_EQ(-EOPNOTSUPP, run_lease(self->fd, &lease));
	lease = lease_cmd(self->table, "key", room, 0);
	EXPECT_EQ(-EOPNOTSUPP, run_lease(self->fd, &lease));
	lease = lease_cmd(self->table, "none", room, sizeof(room));
	EXPECT_EQ(-EOPNOTSUPP, run_lease(self->fd, &lease));
	lease = lease_cmd(self->table, "key", NULL, 0);
	lease.flags = KREG_LEASE_RETURN;
	EXPECT_EQ(-EOPNOTSUPP, run_lease(self->fd, &lease));
	test_err_await(EOPNOTSUPP, self->fd, self->table, KREG_WATCH_ABSENT, "key", 0, &id);
	test_err_await(EOPNOTSUPP, self->fd, self->table, KREG_WATCH_HOLDER, "key", 0, &id);
	test_err_sleep(EOPNOTSUPP, self->fd, self->table, KREG_WATCH_CHANGED, "key", 0, 0, &watch);
	HAS_VALUES("key", "a");
}

/* What lingers is there beside what is registered anew. */
TEST_F(bag_bound, lingers)
{
	EXPECT_EQ(0, kid_linger(self->kid, self->table, "key", 100000));
	kid_kill(self->kid);
	EXPECT_EQ(1, test_number_of(self->fd, self->table, "key"));
	EXPECT_EQ(KREG_REGISTERED, add(self->fd, self->table, "key", "a"));
	EXPECT_EQ(2, test_number_of(self->fd, self->table, "key"));
	EXPECT_EQ(2, test_removes(self->fd, self->table, "key", 0, 0, 0));
	EXPECT_EQ(0, test_bound(self->fd, self->table));
}

/* Bind and remove, in whatever order, until it is killed. */
static long job_storm(struct job *job)
{
	unsigned int seed = job->pid + job->arg;
	char key[2] = "a", value[2] = "a";
	struct kreg_op op;
	int err = 0;

	while (!err) {
		key[0] = 'a' + rand_r(&seed) % 3;
		value[0] = 'a' + rand_r(&seed) % 3;
		switch (rand_r(&seed) % 4) {
		case 0:
			err = test_removes(job->fd, job->table, key, KREG_OP_MINE, 0, 0);
			err = err < 0 ? err : 0;
			break;
		case 1:
			err = test_removes(job->fd, job->table, key, KREG_OP_VALUE, test_ptr(value),
					   1);
			err = err < 0 ? err : 0;
			break;
		default:
			op = test_op_bind(key, value);
			err = _test_op(job->fd, job->table, 0, &op);
		}
	}
	return err;
}

/* Objects that are bound to @p, as a scan tells. */
static int bound_to(int fd, __u64 table, struct kreg_process p)
{
	struct kreg_ioc_scan cmd = {
		.flags = KREG_SCAN_OF | KREG_SCAN_COUNT,
		.table = table,
		.process = p,
	};
	int err = _test_scan(fd, &cmd);

	return err ? err : (int)cmd.out_count;
}

/* Who was killed is seen nowhere from the moment on at which kill(2) has returned. */
TEST_F(bag_bound, killed_at_random)
{
	int i, n, rounds = test_size(100) + 5;
	struct kid *kids[3];

	for (i = 0; i < rounds; i++) {
		for (n = 0; n < 3; n++) {
			kids[n] = kid_start(_metadata);
			kids[n]->job->table = self->table;
			kids[n]->job->arg = i;
			kid_ask(kids[n], job_storm);
		}
		EXPECT_TRUE(test_wait_for(bound_to(self->fd, self->table, kids[0]->self) > 0));
		ASSERT_EQ(0, kill(kids[0]->pid, SIGKILL));
		EXPECT_EQ(0, bound_to(self->fd, self->table, kids[0]->self));
		test_puts(self->fd, self->table, "a", "a");
		for (n = 0; n < 3; n++)
			kid_kill(kids[n]);
		test_sync(self->fd);
		EXPECT_EQ(0, test_bound(self->fd, self->table));
		test_clear(self->fd, self->table);
	}
}

TEST_HARNESS_MAIN
