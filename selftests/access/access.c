// SPDX-License-Identifier: GPL-2.0
/*
 * Access rules: private, protected, public.
 */
#include <sched.h>

#include "kit/fixture.h"
#include "kit/job.h"

#define PRIVATE		KREG_ACCESS_PRIVATE
#define PROTECTED	KREG_ACCESS_PROTECTED
#define PUBLIC		KREG_ACCESS_PUBLIC

FIXTURE(access) {
	struct test_base base;
	int fd;
};

FIXTURE_SETUP(access)
{
	self->fd = test_setup(_metadata, &self->base);
}

FIXTURE_TEARDOWN_PARENT(access)
{
	test_teardown(_metadata, &self->base);
}

FIXTURE(ets) {
	struct test_base base;
	int fd;
};

FIXTURE_SETUP(ets)
{
	self->fd = test_setup(_metadata, &self->base);
}

FIXTURE_TEARDOWN_PARENT(ets)
{
	test_teardown(_metadata, &self->base);
}

/* A kid that is neither owner nor of another uid. */
static long other_reads(struct kid *kid, __u64 id, const char *key)
{
	return kid_op(kid, id, KREG_OP_MEMBER, key);
}

static const struct {
	__u32 access;
	int read;
	int write;
} matrix[] = {
	{ PRIVATE, -EACCES, -EACCES },
	{ PROTECTED, 0, -EACCES },
	{ PUBLIC, 0, 0 },
};

static long job_room_get(struct job *job)
{
	char room[1];

	return _test_get(job->fd, job->table, job->key, strlen(job->key), room,
			 0);
}

static long job_scan(struct job *job)
{
	return test_count(job->fd, job->table);
}

static long job_batch(struct job *job)
{
	struct kreg_op op = test_ops(job->arg, job->key);

	return _test_batch(job->fd, job->table, job->flags, &op, 1, NULL);
}

static long kid_batch(struct kid *kid, __u64 id, __u16 code, __u32 flags)
{
	kid->job->table = id;
	kid->job->arg = code;
	kid->job->flags = flags;
	return kid_do(kid, job_batch);
}

TEST_F(access, reads_of_others)
{
	struct kid *kid = kid_start(_metadata);
	unsigned int i;
	__u64 id;
	int err;

	for (i = 0; i < ARRAY_SIZE(matrix); i++) {
		test_create(self->fd, "t", matrix[i].access, &id);
		test_puts(self->fd, id, "k", "v");
		err = matrix[i].read;
		EXPECT_EQ(err, kid_op(kid, id, KREG_OP_MEMBER, "k"));
		EXPECT_EQ(err, kid_gets(kid, id, "k"));
		EXPECT_EQ(err ?: -EMSGSIZE, kid_do(kid, job_room_get));
		EXPECT_EQ(err ?: -ENODATA, kid_gets(kid, id, "absent"));
		EXPECT_EQ(err ?: 1, kid_do(kid, job_scan));
		EXPECT_EQ(err, kid_batch(kid, id, KREG_OP_MEMBER, 0));
		/* INFO and LIST depend on the mode alone. */
		EXPECT_EQ(0, kid_info(kid, id));
		EXPECT_EQ(1, kid_listed(kid, id));
		test_destroy(self->fd, id);
	}
}

#define LONG		3000	/* bytes of a value: the copy takes a while */

/* Read until the table is gone; returns how often a secret value was read. */
static long job_spy(struct job *job)
{
	static char rooms[32][LONG];
	struct kreg_op ops[32];
	long err, i, seen = 0;

	do {
		for (i = 0; i < 32; i++)
			ops[i] = test_op_value(KREG_OP_GET, "k", 1, rooms[i], LONG);
		err = _test_batch(job->fd, job->table, 0, ops, 32, NULL);
		for (i = 0; i < 32 && !err; i++)
			seen += rooms[i][0] == 's';
	} while (!err || err == -EACCES);
	return err == -ESTALE ? seen : err;
}

static void spied_on(struct __test_metadata *_metadata, int fd, __u64 id, bool by_mode)
{
	__u32 option = by_mode ? KREG_OPT_MODE : KREG_OPT_ACCESS;
	static char value[LONG];
	unsigned int i;

	for (i = 0; i < test_size(200); i++) {
		test_setopt(fd, id, option, by_mode ? 0600 : PRIVATE, 0);
		memset(value, 's', LONG);
		test_put(fd, id, "k", 1, value, LONG);
		memset(value, 'p', LONG);
		test_put(fd, id, "k", 1, value, LONG);
		test_setopt(fd, id, option, by_mode ? 0666 : PROTECTED, 0);
		sched_yield();
	}
}

/* A read under way does not see what is written after the right to read was taken away. */
TEST_F(access, lost_while_reading)
{
	struct kid *kid;
	__u64 id;
	int i;

	for (i = 0; i < 2; i++) {
		kid = kid_start_as(_metadata, 1000);
		test_create(self->fd, "t", PROTECTED, &id);
		test_puts(self->fd, id, "k", "p");
		test_mode(self->fd, id, 0666);
		kid->job->table = id;
		kid_ask(kid, job_spy);
		spied_on(_metadata, self->fd, id, i);
		test_destroy(self->fd, id);
		EXPECT_EQ(0, kid_answer(kid));
	}
}

TEST_F(access, writes_of_others)
{
	static const __u16 codes[] = {
		KREG_OP_DELETE, KREG_OP_CLEAR, KREG_OP_TAKE,
	};
	struct kid *kid = kid_start(_metadata);
	struct kreg_info before, after;
	unsigned int i, c;
	__u64 id;
	int err;

	for (i = 0; i < ARRAY_SIZE(matrix); i++) {
		err = matrix[i].write;
		test_create(self->fd, "t", matrix[i].access, &id);
		test_puts(self->fd, id, "k", "v");
		test_info(self->fd, id, &before);
		EXPECT_EQ(err, kid_puts(kid, id, "k", "kid's"));
		EXPECT_EQ(err, kid_puts(kid, id, "new", "kid's"));
		EXPECT_EQ(err, kid_batch(kid, id, KREG_OP_DELETE, 0));
		EXPECT_EQ(err, kid_batch(kid, id, KREG_OP_DELETE,
					 KREG_BATCH_ATOMIC));
		EXPECT_EQ(err, kid_batch(kid, id, KREG_OP_DELETE,
					 KREG_WRITE_ASYNC));
		for (c = 0; c < ARRAY_SIZE(codes); c++) {
			if (!err)
				test_puts(self->fd, id, "k", "v");
			EXPECT_EQ(codes[c] == KREG_OP_TAKE && !err ?
				  -EMSGSIZE : err,
				  kid_op(kid, id, codes[c], "k"));
		}
		test_sync(self->fd);
		test_info(self->fd, id, &after);
		if (err) {
			/* A refused write has changed nothing. */
			EXPECT_EQ(before.version, after.version);
			EXPECT_EQ(1, after.objects);
			test_gets(self->fd, id, "k", "v");
		}
		test_destroy(self->fd, id);
	}
}

TEST_F(access, owner_may_all)
{
	unsigned int i;
	__u64 id;

	for (i = 0; i < ARRAY_SIZE(matrix); i++) {
		test_create(self->fd, "t", matrix[i].access, &id);
		test_puts(self->fd, id, "k", "v");
		test_gets(self->fd, id, "k", "v");
		EXPECT_EQ(1, test_count(self->fd, id));
		test_delete(self->fd, id, "k");
		test_clear(self->fd, id);
		test_destroy(self->fd, id);
	}
}

/* The mode and the rule must both allow it. */
TEST_F(access, mode_and_rule)
{
	struct kid *kid = kid_start_as(_metadata, 1000);
	static const struct {
		__u32 access, mode;
		int read, write;
	} rows[] = {
		{ PRIVATE, 0666, -EACCES, -EACCES },
		{ PROTECTED, 0666, 0, -EACCES },
		{ PROTECTED, 0662, -EACCES, -EACCES },
		{ PUBLIC, 0666, 0, 0 },
		{ PUBLIC, 0664, 0, -EACCES },
		{ PUBLIC, 0662, -EACCES, 0 },
		{ PUBLIC, 0660, -EACCES, -EACCES },
	};
	unsigned int i;
	__u64 id;

	test_create(self->fd, "t", PUBLIC, &id);
	test_puts(self->fd, id, "k", "v");
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		test_access(self->fd, id, rows[i].access);
		test_mode(self->fd, id, rows[i].mode);
		EXPECT_EQ(rows[i].read, other_reads(kid, id, "k"));
		EXPECT_EQ(rows[i].write, kid_puts(kid, id, "k", "w"));
	}
	test_destroy(self->fd, id);
}

/* Taking an object reads and writes. */
TEST_F(access, take_needs_both)
{
	static const struct {
		__u32 mode;
		int err;
	} rows[] = {
		{ 0664, -EACCES }, { 0662, -EACCES }, { 0666, -EMSGSIZE },
	};
	struct kid *kid = kid_start_as(_metadata, 1000);
	unsigned int i;
	__u64 id;

	test_create(self->fd, "t", PUBLIC, &id);
	test_puts(self->fd, id, "k", "v");
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		test_mode(self->fd, id, rows[i].mode);
		EXPECT_EQ(rows[i].err, kid_op(kid, id, KREG_OP_TAKE, "k"));
	}
	test_gets(self->fd, id, "k", "v");
	test_destroy(self->fd, id);
}

TEST_F(access, bad_rules)
{
	struct kreg_info info;
	__u64 id;

	test_create(self->fd, "t", PROTECTED, &id);
	test_err_access(EOPNOTSUPP, self->fd, id, 5);
	test_err_access(EOPNOTSUPP, self->fd, id, ~0U);
	test_err_setopt(EOPNOTSUPP, self->fd, id, KREG_OPT_ACCESS,
			1ULL << 32 | PUBLIC, 0);
	test_err_setopt(EINVAL, self->fd, id, KREG_OPT_ACCESS, PUBLIC, 1);
	test_info(self->fd, id, &info);
	EXPECT_EQ(PROTECTED, info.access);
	test_destroy(self->fd, id);
}

/*
 * ets.privacy (privacy of ets_SUITE): three tables of another process take turns with
 * the access rules; what was refused has changed nothing, what was allowed is there.
 */
TEST_F(ets, privacy)
{
	static const __u32 rules[] = { PUBLIC, PROTECTED, PRIVATE };
	struct kid *owner = kid_start(_metadata);
	char key[16];
	int round, i;
	__u64 ids[3];

	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, kid_create(owner, NULL, rules[i], &ids[i]));
	for (round = 0; round < 4; round++) {
		snprintf(key, sizeof(key), "key%d", round);
		for (i = 0; i < 3; i++) {
			__u32 rule = rules[(i + round) % 3];

			ASSERT_EQ(0, kid_setopt(owner, ids[i], KREG_OPT_ACCESS,
						rule, 0));
			ASSERT_EQ(0, kid_puts(owner, ids[i], "owner", key));
			EXPECT_EQ(rule == PUBLIC ? 0 : -EACCES,
				  _test_puts(self->fd, ids[i], key, "guest"));
			EXPECT_EQ(rule == PRIVATE ? -EACCES : 0,
				  _test_member(self->fd, ids[i], "owner"));
			EXPECT_EQ(rule == PUBLIC ? 0 : -ENODATA,
				  kid_gets(owner, ids[i], key));
			EXPECT_EQ(0, kid_gets(owner, ids[i], "owner"));
			EXPECT_STREQ(key, owner->job->value);
		}
	}
}

/* A change of the rule binds the next call of every process. */
TEST_F(ets, setopts_protection)
{
	struct kid *other = kid_start(_metadata);
	__u64 id;
	int i;

	test_create(self->fd, "t", PRIVATE, &id);
	test_puts(self->fd, id, "k", "v");
	for (i = 0; i < 100; i++) {
		EXPECT_EQ(-EACCES, other_reads(other, id, "k"));
		test_access(self->fd, id, PROTECTED);
		EXPECT_EQ(0, other_reads(other, id, "k"));
		EXPECT_EQ(-EACCES, kid_puts(other, id, "k", "w"));
		test_access(self->fd, id, PUBLIC);
		EXPECT_EQ(0, kid_puts(other, id, "k", "v"));
		test_access(self->fd, id, PRIVATE);
	}
	EXPECT_EQ(-EACCES, kid_setopt(other, id, KREG_OPT_ACCESS, PUBLIC, 0));
	test_access(self->fd, id, PUBLIC);
	EXPECT_EQ(-EPERM, kid_setopt(other, id, KREG_OPT_ACCESS, PUBLIC, 0));
	test_destroy(self->fd, id);
}

TEST_HARNESS_MAIN
