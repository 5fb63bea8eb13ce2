// SPDX-License-Identifier: GPL-2.0
/*
 * Limits of users and processes.
 */
#include "kit/fault.h"
#include "kit/fixture.h"
#include "kit/job.h"

#define ALICE	1000
#define BOB	1001

static const char * const params[] = {
	"max_user_tables", "max_user_parked", "max_user_bytes",
	"max_user_queued", "max_user_queued_bytes",
};

FIXTURE(limits) {
	struct test_base base;
	int fd;
	struct kid *alice;
	struct kid *bob;
	long long values[ARRAY_SIZE(params)];
};

FIXTURE_SETUP(limits)
{
	unsigned int i;

	self->fd = test_setup(_metadata, &self->base);
	for (i = 0; i < ARRAY_SIZE(params); i++)
		self->values[i] = test_param(params[i]);
	self->alice = kid_start_as(_metadata, ALICE);
	self->bob = kid_start_as(_metadata, BOB);
}

FIXTURE_TEARDOWN_PARENT(limits)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(params); i++)
		EXPECT_EQ(0, test_set_param(params[i], self->values[i]));
	test_teardown(_metadata, &self->base);
}

TEST_F(limits, defaults)
{
	EXPECT_EQ(KREG_MAX_USER_TABLES, self->values[0]);
	EXPECT_EQ(KREG_MAX_USER_PARKED, self->values[1]);
	EXPECT_EQ(KREG_MAX_USER_BYTES, self->values[2]);
	EXPECT_EQ(KREG_MAX_USER_QUEUED, self->values[3]);
	EXPECT_EQ(KREG_MAX_USER_QUEUED_BYTES, self->values[4]);
}

TEST_F(limits, tables)
{
	struct kid *too = kid_start_as(_metadata, ALICE);
	__u64 ids[4], id;
	int i;

	ASSERT_EQ(0, test_set_param("max_user_tables", 4));
	for (i = 0; i < 4; i++)
		ASSERT_EQ(0, kid_create(i & 1 ? too : self->alice, NULL, 0,
					&ids[i]));
	EXPECT_EQ(-EDQUOT, kid_create(self->alice, NULL, 0, &id));
	EXPECT_EQ(-EDQUOT, kid_create(too, "named", 0, &id));
	/* The name was not taken. */
	EXPECT_EQ(-ENOENT, kid_open(too, "named", 0, &id));
	/* Other users have their own; root has none. */
	EXPECT_EQ(0, kid_create(self->bob, NULL, 0, &id));
	for (i = 0; i < 10; i++)
		test_create(self->fd, NULL, 0, &id);
	ASSERT_EQ(0, kid_destroy(self->alice, ids[0]));
	EXPECT_EQ(0, kid_create(self->alice, NULL, 0, &ids[0]));
	EXPECT_EQ(-EDQUOT, kid_create(self->alice, NULL, 0, &id));
	/* A table that is destroyed by a death is not counted any more. */
	kid_kill(too);
	EXPECT_EQ(0, kid_create(self->alice, NULL, 0, &id));
	EXPECT_EQ(0, kid_create(self->alice, NULL, 0, &id));
	EXPECT_EQ(-EDQUOT, kid_create(self->alice, NULL, 0, &id));
}

/* A table is charged to the user whose uid it has, whoever owns it. */
TEST_F(limits, charge_does_not_move)
{
	__u64 ids[2], id;
	int i;

	ASSERT_EQ(0, test_set_param("max_user_tables", 2));
	ASSERT_EQ(0, kid_setopt(self->bob, 0, KREG_OPT_ACCEPT, 1, 0));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, kid_create(self->alice, NULL, 0, &ids[i]));
		ASSERT_EQ(0, kid_give(self->alice, ids[i], self->bob->self,
				      ""));
	}
	EXPECT_EQ(-EDQUOT, kid_create(self->alice, NULL, 0, &id));
	EXPECT_EQ(0, kid_create(self->bob, NULL, 0, &id));
	EXPECT_EQ(0, kid_create(self->bob, NULL, 0, &id));
	EXPECT_EQ(-EDQUOT, kid_create(self->bob, NULL, 0, &id));
	ASSERT_EQ(0, kid_destroy(self->bob, ids[0]));
	EXPECT_EQ(0, kid_create(self->alice, NULL, 0, &id));
	EXPECT_EQ(-EDQUOT, kid_create(self->bob, NULL, 0, &id));
}

/* Counted are tables that are parked, and those that will be when their owner dies. */
TEST_F(limits, parked)
{
	struct kid *alice = self->alice;
	__u64 ids[4];
	int i;

	ASSERT_EQ(0, test_set_param("max_user_parked", 2));
	for (i = 0; i < 4; i++)
		ASSERT_EQ(0, kid_create(alice, NULL, 0, &ids[i]));
	ASSERT_EQ(0, kid_orphan(alice, ids[0], KREG_ORPHAN_PARK, 0));
	ASSERT_EQ(0, kid_orphan(alice, ids[0], KREG_ORPHAN_PARK, 1000));
	ASSERT_EQ(0, kid_park(alice, ids[1]));
	EXPECT_EQ(-EDQUOT, kid_orphan(alice, ids[2], KREG_ORPHAN_PARK, 0));
	EXPECT_EQ(-EDQUOT, kid_park(alice, ids[2]));
	/* It still belongs to its owner. */
	EXPECT_EQ(0, kid_puts(alice, ids[2], "k", "v"));
	ASSERT_EQ(0, kid_orphan(alice, ids[0], KREG_ORPHAN_DESTROY, 0));
	EXPECT_EQ(0, kid_park(alice, ids[2]));
	EXPECT_EQ(-EDQUOT, kid_park(alice, ids[3]));
	ASSERT_EQ(0, kid_destroy(alice, ids[1]));
	EXPECT_EQ(0, kid_park(alice, ids[3]));
	kid_kill(alice);
	for (i = 2; i < 4; i++)
		test_destroy(self->fd, ids[i]);
}

TEST_F(limits, parked_at_creation)
{
	struct kid *alice = self->alice;
	__u64 id;

	ASSERT_EQ(0, test_set_param("max_user_parked", 1));
	kid_open_prepare(alice, "a", KREG_OPEN_CREATE);
	alice->job->open.orphan = KREG_ORPHAN_PARK;
	ASSERT_EQ(0, kid_do(alice, job_open));
	id = alice->job->table;
	kid_open_prepare(alice, "b", KREG_OPEN_CREATE);
	alice->job->open.orphan = KREG_ORPHAN_PARK;
	EXPECT_EQ(-EDQUOT, kid_do(alice, job_open));
	EXPECT_EQ(0, kid_destroy(alice, id));
	EXPECT_EQ(0, kid_do(alice, job_open));
}

TEST_F(limits, clients)
{
	int fds[KREG_MAX_CLIENTS], i, err;

	/* One is open already. Another process has a limit of its own. */
	for (i = 1; i < KREG_MAX_CLIENTS; i++) {
		fds[i] = test_client();
		ASSERT_LE(0, fds[i]);
	}
	err = test_client();
	EXPECT_EQ(-EMFILE, err);
	EXPECT_EQ(0, kid_do(self->alice, job_client));
	close(fds[1]);
	fds[1] = test_client();
	EXPECT_LE(0, fds[1]);
	EXPECT_EQ(-EMFILE, test_client());
}

static long job_into_namespace(struct job *job)
{
	close(job->fd);
	if (unshare(CLONE_NEWUSER))
		return -errno;
	return job_client(job);
}

/* What users in a user namespace have is charged to its owner as well. */
TEST_F(limits, user_namespace)
{
	struct kid *inside = kid_start_as(_metadata, ALICE);
	__u64 id;
	int i;

	ASSERT_EQ(0, test_set_param("max_user_tables", 4));
	ASSERT_EQ(0, kid_do(inside, job_into_namespace));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, kid_create(self->alice, NULL, 0, &id));
		ASSERT_EQ(0, kid_create(inside, NULL, 0, &id));
	}
	EXPECT_EQ(-EDQUOT, kid_create(inside, NULL, 0, &id));
	EXPECT_EQ(-EDQUOT, kid_create(self->alice, NULL, 0, &id));
	EXPECT_EQ(0, kid_create(self->bob, NULL, 0, &id));
	kid_kill(inside);
	EXPECT_EQ(0, kid_create(self->alice, NULL, 0, &id));
}

/* A limit that is lowered takes nothing away. */
TEST_F(limits, lowered)
{
	__u64 ids[3], id;
	int i;

	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, kid_create(self->alice, NULL, 0, &ids[i]));
	ASSERT_EQ(0, test_set_param("max_user_tables", 1));
	ASSERT_EQ(0, test_set_param("max_user_bytes", 0));
	EXPECT_EQ(-EDQUOT, kid_create(self->alice, NULL, 0, &id));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(0, kid_info(self->alice, ids[i]));
		EXPECT_EQ(-EDQUOT, kid_puts(self->alice, ids[i], "k", "v"));
		EXPECT_EQ(0, kid_destroy(self->alice, ids[i]));
	}
}

/* What failed has promised nothing: no record, no parked table, no place in the line. */
TEST_F(limits, failed_promises)
{
	struct kid *alice = self->alice;
	struct kreg_info before, after;
	__u64 id, found;
	int i;

	ASSERT_EQ(0, kid_setopt(self->bob, 0, KREG_OPT_ACCEPT, 1, 0));
	ASSERT_EQ(0, kid_create_heir(alice, "t", alice->self, "data", &id));
	ASSERT_EQ(0, test_set_param("max_user_parked", 0));
	ASSERT_EQ(0, kid_info(alice, id));
	before = alice->job->info;
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(-EDQUOT, kid_park(alice, id));
		EXPECT_EQ(-EDQUOT, kid_orphan(alice, id, KREG_ORPHAN_PARK, 0));
		kid_open_prepare(alice, "u", KREG_OPEN_CREATE | KREG_OPEN_CLAIM | KREG_OPEN_HEIR);
		alice->job->open.orphan = KREG_ORPHAN_PARK;
		alice->job->open.heir = self->bob->self;
		EXPECT_EQ(-EDQUOT, kid_do(alice, job_open));
	}
	EXPECT_EQ(0, fault_fdinfo(alice->pid, alice->job->fd, "kreg-records:"));
	EXPECT_EQ(0, fault_fdinfo(self->bob->pid, self->bob->job->fd, "kreg-records:"));
	ASSERT_EQ(0, kid_info(alice, id));
	after = alice->job->info;
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(after)));
	EXPECT_EQ(-ENOENT, kid_open(alice, "u", 0, &found));
	/* Nothing is left of it that would count. */
	ASSERT_EQ(0, test_set_param("max_user_parked", 1));
	EXPECT_EQ(0, kid_park(alice, id));
}

static long job_batch_of_two(struct job *job)
{
	struct kreg_op ops[2] = { test_op_puts("a", "v"), test_op_puts("b", "v") };

	return _test_batch(job->fd, job->table, job->flags, ops, 2, NULL);
}

/* Set the parameter to 0 for as long as @expr is evaluated. */
#define WITH_NONE(param, expr)						\
({									\
	const char *__param = param;					\
	long long __old = test_param(__param);				\
	long __ret;							\
									\
	EXPECT_EQ(0, test_set_param(__param, 0));			\
	__ret = (expr);							\
	EXPECT_EQ(0, test_set_param(__param, __old));			\
	__ret;								\
})

/* 0 means none in each parameter, and never "no limit". */
TEST_F(limits, zero_is_none)
{
	struct kid *alice = self->alice;
	struct kreg_process bob = self->bob->self;
	int fd = alice->job->fd;
	__u64 id, other;

	ASSERT_EQ(0, kid_setopt(self->bob, 0, KREG_OPT_ACCEPT, 1, 0));
	ASSERT_EQ(0, kid_create(alice, NULL, 0, &id));
	EXPECT_EQ(-EDQUOT, WITH_NONE("max_user_tables", kid_create(alice, NULL, 0, &other)));
	EXPECT_EQ(-EDQUOT, WITH_NONE("max_user_parked", kid_park(alice, id)));
	EXPECT_EQ(-EDQUOT, WITH_NONE("max_user_bytes", kid_puts(alice, id, "k", "v")));
	EXPECT_EQ(-EDQUOT, WITH_NONE("max_events", kid_heir(alice, id, bob, "")));
	EXPECT_EQ(-EDQUOT, WITH_NONE("max_event_bytes", kid_give(alice, id, bob, "")));
	EXPECT_EQ(-EMFILE, WITH_NONE("max_clients", kid_do(alice, job_client)));
	alice->job->fd = fd;
	EXPECT_EQ(-EPERM, WITH_NONE("max_park_ms", kid_park(alice, id)));
	EXPECT_EQ(-EPERM, WITH_NONE("max_park_ms", kid_orphan(alice, id, KREG_ORPHAN_PARK, 0)));
	EXPECT_EQ(-EPERM, WITH_NONE("max_park_ms", kid_orphan(alice, id, KREG_ORPHAN_PARK, 1)));
	kid_open_prepare(alice, NULL, KREG_OPEN_CREATE);
	alice->job->open.orphan = KREG_ORPHAN_PARK;
	EXPECT_EQ(-EPERM, WITH_NONE("max_park_ms", kid_do(alice, job_open)));
	/* Who may keep tables for ever is not bound by it. */
	test_create(self->fd, NULL, 0, &other);
	EXPECT_EQ(0, WITH_NONE("max_park_ms", _test_park(self->fd, other)));
	alice->job->table = id;
	alice->job->flags = 0;
	EXPECT_EQ(-EFBIG, WITH_NONE("max_batch_ops", kid_do(alice, job_batch_of_two)));
	EXPECT_EQ(-EFBIG, WITH_NONE("max_batch_bytes", kid_do(alice, job_batch_of_two)));
	EXPECT_EQ(0, kid_do(alice, job_batch_of_two));
	alice->job->flags = KREG_WRITE_ASYNC;
	EXPECT_EQ(-EAGAIN, WITH_NONE("max_user_queued", kid_do(alice, job_batch_of_two)));
	EXPECT_EQ(-EAGAIN, WITH_NONE("max_user_queued_bytes", kid_do(alice, job_batch_of_two)));
	EXPECT_EQ(0, kid_do(alice, job_batch_of_two));
}

TEST_HARNESS_MAIN
