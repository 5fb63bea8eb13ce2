// SPDX-License-Identifier: GPL-2.0
/*
 * Many namespaces of one user: their number is limited, and others are not slowed.
 */
#include "access/userns.h"

FIXTURE(nslimit) {
	struct test_base base;
	int fd;
	long long max;
};

FIXTURE_SETUP(nslimit)
{
	self->max = test_param("max_user_namespaces");
	self->fd = test_setup(_metadata, &self->base);
}

FIXTURE_TEARDOWN_PARENT(nslimit)
{
	EXPECT_EQ(0, test_set_param("max_user_namespaces", self->max));
	test_teardown(_metadata, &self->base);
}

/* As root of a user namespace: make one below it, and open a client there. */
static long job_open_below(struct job *job)
{
	pid_t pid = fork();
	int status, fd;

	if (!pid) {
		if (unshare(CLONE_NEWUSER))
			_exit(1);
		fd = test_client();
		_exit(fd < 0 ? -fd : 0);
	}
	return waitpid(pid, &status, 0) == pid ? -WEXITSTATUS(status) : -ECHILD;
}

/* They are charged to who has made them, whether they have a client or a table. */
TEST_F(nslimit, namespaces_are_limited)
{
	struct kid *kids[3], *other;
	__u64 id;
	int i;

	ASSERT_EQ(0, test_set_param("max_user_namespaces", 3));
	for (i = 0; i < 2; i++)
		kids[i] = start_alone(_metadata, 1000);
	EXPECT_EQ(0, kid_do(kids[0], job_open_below));
	kids[2] = start_alone(_metadata, 1000);
	try_start_alone(_metadata, 1000, -EDQUOT);
	EXPECT_EQ(-EDQUOT, kid_do(kids[0], job_open_below));
	/* In a namespace that counts already, more clients may be opened. */
	EXPECT_EQ(0, kid_do(kids[0], job_client));
	/* Others have a limit of their own, and root has none. */
	other = start_alone(_metadata, 1001);
	EXPECT_EQ(SIGKILL, kid_kill(other));
	for (i = 0; i < 5; i++)
		start_alone(_metadata, 0);

	ASSERT_EQ(0, kid_create_parked(kids[1], "left", &id));
	EXPECT_EQ(SIGKILL, kid_kill(kids[1]));
	try_start_alone(_metadata, 1000, -EDQUOT);
	EXPECT_EQ(0, _test_destroy_flags(self->fd, id, ANY));
	/* A namespace counts until the memory of its last table is freed. */
	EXPECT_TRUE(test_wait_for(kid_do(kids[0], job_open_below) == 0));
}

#define NAMESPACES	2000

/* The shortest of many times that an open(2) takes. */
static long job_time_open(struct job *job)
{
	__u64 best = ~0ULL, start, took;
	int i, fd;

	for (i = 0; i < 300; i++) {
		start = test_now_ns();
		fd = test_client();
		took = test_now_ns() - start;
		if (fd < 0 || close(fd))
			return -EIO;
		if (took < best)
			best = took;
	}
	return best;
}

/* Park a table in a user namespace, and leave it. */
static bool leave_one(void)
{
	struct kreg_ioc_open cmd = test_open_cmd("left", KREG_OPEN_CREATE);
	int status;
	pid_t pid = fork();

	if (!pid) {
		cmd.orphan = KREG_ORPHAN_PARK;
		_exit(unshare(CLONE_NEWUSER) ||
		      _test_open_cmd(test_client(), &cmd));
	}
	return waitpid(pid, &status, 0) == pid && !status;
}

/* The time of an open(2) does not depend on the number of namespaces. */
TEST_F_TIMEOUT(nslimit, others_do_not_slow_an_open, test_scale(180))
{
	struct kid *before = start_alone(_metadata, 1000), *after;
	long few = kid_do(before, job_time_open), many;
	unsigned int i;

	for (i = 0; i < test_size(NAMESPACES); i++)
		ASSERT_TRUE(leave_one());
	after = start_alone(_metadata, 1000);
	many = kid_do(after, job_time_open);
	TH_LOG("an open takes %ld ns, and %ld ns with %u namespaces more", few,
	       many, i);
	/* With a coarse clock the time may be 0. */
	EXPECT_LE(0, few);
	EXPECT_LE(0, many);
	EXPECT_LE(many, 2 * few);
}

TEST_HARNESS_MAIN
