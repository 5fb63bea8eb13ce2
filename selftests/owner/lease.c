// SPDX-License-Identifier: GPL-2.0
/*
 * Objects on loan: hidden from all but the borrower, and back whatever ends the loan.
 */
#include <sys/ptrace.h>

#include "owner/lease.h"

TEST_F(lease, value_and_token)
{
	char value[16] = "";
	struct kreg_ioc_lease cmd = lease_cmd(self->table, "job", value, sizeof(value));

	ASSERT_EQ(0, run_lease(self->fd, &cmd));
	EXPECT_STREQ("work", value);
	EXPECT_EQ(4, cmd.out_len);
	EXPECT_EQ(1, cmd.out_loans);
	EXPECT_LT(self->version, cmd.out_version);
	EXPECT_EQ(0, cmd.out_limit);
	EXPECT_EQ(0, cmd.out_reserved);
	/* The borrower finds it. */
	EXPECT_EQ(cmd.out_version, test_version(self->fd, self->table, "job"));
	EXPECT_TRUE(test_is_of(self->fd, self->table, "job", test_self(self->fd)));
	EXPECT_EQ(1, test_loans(self->fd, self->table, "job"));
	test_err_lease(EALREADY, self->fd, self->table, "job");
	/* But to write he has to say that he means what is on loan. */
	EXPECT_EQ(-EBUSY, _test_puts(self->fd, self->table, "job", "other"));
	EXPECT_EQ(-EEXIST, _test_put_new(self->fd, self->table, "job", "other"));
	test_return(self->fd, self->table, "job", cmd.out_version);
	expect_back(_metadata, self->fd, self->table, cmd.out_version, 1);
	test_err_return(ENODATA, self->fd, self->table, "job", 0);
}

TEST_F(lease, hidden_until_returned)
{
	__u64 version;

	ASSERT_EQ(1, kid_lease(self->kid, self->table, "job"));
	version = self->kid->job->arg2;
	expect_lent_event(_metadata, self->r, self->kid->self);
	expect_lent(_metadata, self->fd, self->table);
	test_nothing(self->r);
	EXPECT_EQ(-ECANCELED, kid_return(self->kid, self->table, "job", version - 1));
	expect_lent(_metadata, self->fd, self->table);
	EXPECT_EQ(0, kid_return(self->kid, self->table, "job", version));
	expect_back_event(_metadata, self->r, version);
	expect_back(_metadata, self->fd, self->table, version, 1);
	EXPECT_EQ(2, kid_lease(self->kid, self->table, "job"));
	EXPECT_LT(version, self->kid->job->arg2);
}

/* By @sig, or, with 0, by itself. */
static int end_kid(struct kid *kid, int sig)
{
	if (sig)
		return kill(kid->pid, sig);
	kid_ask(kid, job_exit);
	return 0;
}

/* Whatever kills the borrower: it is back when he is dead, and not before. */
TEST_F(lease, borrower_dies)
{
	int causes[] = { SIGKILL, SIGSEGV, SIGABRT, 0 }, i, status;
	__u64 version;

	for (i = 0; i < 4; i++) {
		struct kid *kid = kid_start(_metadata);

		ASSERT_EQ(i + 1, kid_lease(kid, self->table, "job"));
		version = kid->job->arg2;
		expect_lent_event(_metadata, self->r, kid->self);
		ASSERT_EQ(0, ptrace(PTRACE_SEIZE, kid->pid, 0, PTRACE_O_TRACEEXIT));
		ASSERT_EQ(0, end_kid(kid, causes[i]));
		do {
			ASSERT_EQ(kid->pid, waitpid(kid->pid, &status, __WALL));
			if (status >> 8 != (SIGTRAP | (PTRACE_EVENT_EXIT << 8)))
				ptrace(PTRACE_CONT, kid->pid, 0, WSTOPSIG(status));
		} while (status >> 8 != (SIGTRAP | (PTRACE_EVENT_EXIT << 8)));
		expect_lent(_metadata, self->fd, self->table);
		ASSERT_EQ(0, ptrace(PTRACE_CONT, kid->pid, 0, 0));
		kid_reap(kid);
		expect_back(_metadata, self->fd, self->table, version, i + 1);
		test_sync(self->fd);
		expect_back_event(_metadata, self->r, version);
		EXPECT_EQ(version, test_version(self->fd, self->table, "job"));
	}
}

/* What he had to do before a moment is another's then, though he lives; and not his any more. */
TEST_F(lease, time_is_up)
{
	struct kreg_op done = test_ops(KREG_OP_DELETE, "job");
	__u64 version;

	ASSERT_EQ(1, kid_lease_for(self->kid, self->table, "job", SHORT_MS));
	version = self->kid->job->arg2;
	ASSERT_TRUE(test_wait_for(test_version(self->fd, self->table, "job")));
	expect_back(_metadata, self->fd, self->table, version, 1);
	EXPECT_EQ(-ENODATA, kid_return(self->kid, self->table, "job", version));
	test_lease(self->fd, self->table, "job");
	done.flags = KREG_OP_MINE;
	ASSERT_EQ(0, _test_op(self->fd, self->table, 0, &done));
	EXPECT_EQ(1, done.out_count);
	/* A timer that is not needed any more does nothing. */
	test_puts(self->fd, self->table, "job", "work");
	ASSERT_EQ(1, kid_lease_for(self->kid, self->table, "job", LONG_MS));
	EXPECT_EQ(0, kid_return(self->kid, self->table, "job", 0));
	ASSERT_EQ(2, kid_lease_for(self->kid, self->table, "job", SHORT_MS));
	kid_kill(self->kid);
	test_sync(self->fd);
	EXPECT_EQ(2, test_loans(self->fd, self->table, "job"));
	test_destroy(self->fd, self->table);
}

/* It ends with the work: the object is removed, taken, or bound. */
TEST_F(lease, done)
{
	struct kreg_op op = test_ops(KREG_OP_DELETE, "job");
	char value[16] = "";

	test_lease(self->fd, self->table, "job");
	ASSERT_EQ(0, _test_op(self->fd, self->table, 0, &op));
	EXPECT_EQ(0, op.out_count);
	op.flags = KREG_OP_MINE;
	ASSERT_EQ(0, _test_op(self->fd, self->table, 0, &op));
	EXPECT_EQ(1, op.out_count);
	EXPECT_EQ(0, test_count(self->fd, self->table));
	EXPECT_EQ(0, test_bound(self->fd, self->table));
	test_puts(self->fd, self->table, "job", "more");
	EXPECT_EQ(0, test_loans(self->fd, self->table, "job"));
	test_lease(self->fd, self->table, "job");
	op = test_op_value(KREG_OP_TAKE, "job", 3, value, sizeof(value));
	ASSERT_EQ(0, _test_op(self->fd, self->table, 0, &op));
	EXPECT_STREQ("more", value);
	EXPECT_EQ(0, test_count(self->fd, self->table));
	test_puts(self->fd, self->table, "job", "more");
	test_lease(self->fd, self->table, "job");
	op = test_op_bind("job", "mine");
	op.flags |= KREG_OP_MINE;
	ASSERT_EQ(0, _test_op(self->fd, self->table, 0, &op));
	EXPECT_TRUE(test_is_of(self->fd, self->table, "job", test_self(self->fd)));
	EXPECT_EQ(0, test_loans(self->fd, self->table, "job"));
	EXPECT_EQ(1, test_bound(self->fd, self->table));
}

/* The borrower writes down how far he is; the next one finds it. */
TEST_F(lease, progress)
{
	struct kreg_op op = test_op_puts("job", "half");
	char value[16] = "";
	__u64 version;

	test_lease(self->fd, self->table, "job");
	expect_lent_event(_metadata, self->r, test_self(self->fd));
	op.flags = KREG_OP_MINE;
	ASSERT_EQ(0, _test_op(self->fd, self->table, 0, &op));
	version = op.out_version;
	test_nothing(self->r);
	EXPECT_EQ(-EBUSY, kid_lease(self->kid, self->table, "job"));
	EXPECT_EQ(1, test_bound(self->fd, self->table));
	test_return(self->fd, self->table, "job", version);
	EXPECT_EQ(0, test_bound(self->fd, self->table));
	EXPECT_TRUE(test_has_value(test_expect(self->r, KREG_EVENT_CREATE, "job"), "half"));
	EXPECT_EQ(4, _test_get(self->fd, self->table, "job", 3, value, sizeof(value)));
	EXPECT_STREQ("half", value);
	EXPECT_EQ(2, kid_lease(self->kid, self->table, "job"));
	/* Who has it not on loan makes another object of it. */
	EXPECT_EQ(0, kid_return(self->kid, self->table, "job", 0));
	test_puts(self->fd, self->table, "job", "new");
	EXPECT_EQ(0, test_loans(self->fd, self->table, "job"));
	EXPECT_EQ(0, test_bound(self->fd, self->table));
}

/* Short, of a page, and with memory of their own. */
TEST_F(lease, values)
{
	static char value[70000], room[70000];
	const __u32 lens[] = { 0, 1, 3000, 12000, sizeof(value) };
	struct kreg_ioc_lease cmd;
	unsigned int i;

	for (i = 0; i < sizeof(value); i++)
		value[i] = i * 7 + i / 256;
	for (i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		test_put(self->fd, self->table, "v", 1, value, lens[i]);
		cmd = lease_cmd(self->table, "v", room, lens[i] ? lens[i] - 1 : 0);
		if (lens[i]) {
			EXPECT_EQ(-EMSGSIZE, run_lease(self->fd, &cmd));
			EXPECT_EQ(lens[i], cmd.out_len);
		}
		cmd = lease_cmd(self->table, "v", room, lens[i]);
		ASSERT_EQ(0, run_lease(self->fd, &cmd));
		EXPECT_EQ(lens[i], cmd.out_len);
		EXPECT_EQ(0, memcmp(value, room, lens[i]));
		memset(room, 0, sizeof(room));
		test_return(self->fd, self->table, "v", 0);
		EXPECT_EQ(lens[i], _test_get(self->fd, self->table, "v", 1, room, sizeof(room)));
		EXPECT_EQ(0, memcmp(value, room, lens[i]));
	}
}

TEST_HARNESS_MAIN
