// SPDX-License-Identifier: GPL-2.0
/*
 * What pins keep: whoever has set one pays for it, no write fails for its sake, and it is read by
 * those who may read the table.
 */
#include "kit/fixture.h"
#include "kit/job.h"
#include "kit/pin.h"

#define ALICE	1000
#define BOB	1001
#define KEYS	512
#define LONG	1000

FIXTURE(pin_limits) {
	struct test_base base;
	int fd;
	struct kid *alice;
	struct kid *bob;
	__u64 table;		/* Alice's */
	long long limit;
};

static char value[LONG];

/* Objects with the numbers from @job->arg up to @job->arg2, of LONG bytes. */
static long job_put_all(struct job *job)
{
	__u64 n;
	long err = 0;

	for (n = job->arg; n < job->arg2 && !err; n++)
		err = _test_put(job->fd, job->table, &n, sizeof(n), value, LONG);
	return err;
}

static long put_all(struct kid *kid, __u64 table, __u64 from, __u64 end)
{
	kid->job->table = table;
	kid->job->arg = from;
	kid->job->arg2 = end;
	return kid_do(kid, job_put_all);
}

static long job_pin(struct job *job)
{
	return _test_pin(job->fd, job->table, 0, &job->arg);
}

static long kid_pin(struct kid *kid, __u64 table, __u64 *pin)
{
	long err;

	kid->job->table = table;
	err = kid_do(kid, job_pin);
	*pin = kid->job->arg;
	return err;
}

static long job_count(struct job *job)
{
	return test_pinned_count(job->fd, job->table, job->arg);
}

static long kid_count(struct kid *kid, __u64 table, __u64 pin)
{
	kid->job->table = table;
	kid->job->arg = pin;
	return kid_do(kid, job_count);
}

static long long memory_of(int fd, __u64 table)
{
	struct kreg_info info;
	int err = _test_info(fd, table, &info);

	return err ? err : (long long)info.memory;
}

FIXTURE_SETUP(pin_limits)
{
	self->fd = test_setup(_metadata, &self->base);
	self->limit = test_param("max_user_bytes");
	self->alice = kid_start_as(_metadata, ALICE);
	self->bob = kid_start_as(_metadata, BOB);
	ASSERT_EQ(0, kid_create(self->alice, "alice", KREG_ACCESS_PUBLIC, &self->table));
	ASSERT_EQ(0, kid_setopt(self->alice, self->table, KREG_OPT_MODE, 0666, 0));
	ASSERT_EQ(0, put_all(self->alice, self->table, 0, KEYS));
}

FIXTURE_TEARDOWN_PARENT(pin_limits)
{
	EXPECT_EQ(0, test_set_param("max_user_bytes", self->limit));
	test_teardown(_metadata, &self->base);
}

/* Of Alice's own table all is hers. */
TEST_F(pin_limits, gives_way)
{
	__u64 pin;
	int i;

	ASSERT_EQ(0, kid_pin(self->alice, self->table, &pin));
	ASSERT_EQ(0, test_set_param("max_user_bytes",
				    memory_of(self->fd, self->table) + KEYS * LONG / 4));
	for (i = 0; i < 4; i++)
		EXPECT_EQ(0, put_all(self->alice, self->table, 0, KEYS));
	EXPECT_EQ(-ESTALE, kid_count(self->alice, self->table, pin));
	EXPECT_TRUE(test_wait_for(!test_kept(self->fd, self->table)));
	EXPECT_EQ(0, put_all(self->alice, self->table, 0, KEYS));
}

/* Without a limit in the way it stays. */
TEST_F(pin_limits, stays)
{
	__u64 pin;

	ASSERT_EQ(0, kid_pin(self->bob, self->table, &pin));
	ASSERT_EQ(0, put_all(self->alice, self->table, 0, KEYS));
	ASSERT_EQ(0, put_all(self->alice, self->table, KEYS, 2 * KEYS));
	EXPECT_EQ(KEYS, kid_count(self->bob, self->table, pin));
}

/* Bob has room for little, and pins the table of Alice. */
static void pin_with_little_room(struct __test_metadata *_metadata, struct kid *bob,
				 __u64 table, long long most, __u64 *bobs, __u64 *pin)
{
	ASSERT_EQ(0, kid_create(bob, "bob", 0, bobs));
	ASSERT_EQ(0, test_set_param("max_user_bytes", most));
	ASSERT_EQ(0, put_all(bob, *bobs, 0, (most - (256 << 10)) / (LONG + 400)));
	ASSERT_EQ(0, kid_pin(bob, table, pin));
}

/* His pin ends, and Alice's writes go on. */
TEST_F(pin_limits, who_pins_pays)
{
	long long most = memory_of(self->fd, self->table) + 3 * KEYS * LONG;
	__u64 bobs, pin;

	pin_with_little_room(_metadata, self->bob, self->table, most, &bobs, &pin);
	EXPECT_EQ(KEYS, kid_count(self->bob, self->table, pin));
	EXPECT_EQ(0, put_all(self->alice, self->table, 0, KEYS));
	EXPECT_TRUE(test_wait_for(kid_count(self->bob, self->table, pin) == -ESTALE));
	/* What he was charged for he gets back. */
	EXPECT_TRUE(test_wait_for(!test_kept(self->fd, self->table)));
	EXPECT_EQ(0, put_all(self->bob, bobs, 0, 64));
	ASSERT_EQ(0, kid_pin(self->bob, self->table, &pin));
	EXPECT_EQ(0, put_all(self->alice, self->table, 0, 32));
	EXPECT_EQ(KEYS, kid_count(self->bob, self->table, pin));
}

/* What a clear takes along is charged as well. */
TEST_F(pin_limits, cleared)
{
	long long most = memory_of(self->fd, self->table) + 3 * KEYS * LONG;
	__u64 bobs, pin;

	pin_with_little_room(_metadata, self->bob, self->table, most, &bobs, &pin);
	ASSERT_EQ(0, kid_op(self->alice, self->table, KREG_OP_CLEAR, ""));
	EXPECT_TRUE(test_wait_for(kid_count(self->bob, self->table, pin) == -ESTALE));
	EXPECT_EQ(0, put_all(self->alice, self->table, 0, KEYS));
}

TEST_F(pin_limits, rights)
{
	__u64 pin, other;

	ASSERT_EQ(0, kid_pin(self->bob, self->table, &pin));
	ASSERT_EQ(0, kid_setopt(self->alice, self->table, KREG_OPT_ACCESS, KREG_ACCESS_PRIVATE, 0));
	EXPECT_EQ(-EACCES, kid_count(self->bob, self->table, pin));
	EXPECT_EQ(-EACCES, kid_pin(self->bob, self->table, &other));
	EXPECT_EQ(0, kid_pin(self->alice, self->table, &other));
	ASSERT_EQ(0, kid_setopt(self->alice, self->table, KREG_OPT_ACCESS, KREG_ACCESS_PROTECTED,
				0));
	EXPECT_EQ(KEYS, kid_count(self->bob, self->table, pin));
	ASSERT_EQ(0, kid_setopt(self->alice, self->table, KREG_OPT_MODE, 0600, 0));
	EXPECT_EQ(-EACCES, kid_count(self->bob, self->table, pin));
}

TEST_HARNESS_MAIN
