// SPDX-License-Identifier: GPL-2.0
/*
 * Objects on loan: what may be lent, how much, and what becomes of a loan with its table.
 */
#include "owner/lease.h"

#define ALICE	1000
#define MANY	40

/* What is bound is its process', and not to be lent. */
TEST_F(lease, bound)
{
	ASSERT_EQ(0, kid_bind(self->kid, self->table, "name", "v"));
	test_err_lease(EOPNOTSUPP, self->fd, self->table, "name");
	test_bind(self->fd, self->table, "mine", "v");
	test_err_lease(EOPNOTSUPP, self->fd, self->table, "mine");
	test_err_return(ENODATA, self->fd, self->table, "mine", 0);
	kid_kill(self->kid);
	test_err_lease(ENODATA, self->fd, self->table, "name");
}

TEST_F(lease, errors)
{
	struct kreg_ioc_lease good = lease_cmd(self->table, "job", NULL, 0), cmd;
	char room[16];
	int fd;

	test_err_lease(ENODATA, self->fd, self->table, "none");
	test_err_return(ENODATA, self->fd, self->table, "none", 0);
	test_err_return(ENODATA, self->fd, self->table, "job", 0);
	test_err_lease(EINVAL, self->fd, 1ULL << 60, "job");
#define BAD(err, change) do {						\
		cmd = good;						\
		change;							\
		EXPECT_EQ(-(err), run_lease(self->fd, &cmd));		\
	} while (0)
	BAD(EOPNOTSUPP, cmd.flags = KREG_LEASE_ALL + 1);
	BAD(EOPNOTSUPP, cmd.reserved = 1);
	BAD(EINVAL, cmd.key_len = 0);
	BAD(ENAMETOOLONG, cmd.key_len = KREG_MAX_KEY + 1);
	BAD(EINVAL, cmd.version = 1);
	BAD(EINVAL, cmd.flags = KREG_LEASE_VERSION);
	BAD(EINVAL, (cmd.flags = KREG_LEASE_RETURN, cmd.lease_ms = 1));
	BAD(EINVAL, (cmd.flags = KREG_LEASE_RETURN, cmd.value_len = 1));
	BAD(EINVAL, (cmd.flags = KREG_LEASE_RETURN, cmd.value = test_ptr(room)));
	BAD(EMSGSIZE, (void)0);
	BAD(ECANCELED, (cmd.flags = KREG_LEASE_VERSION, cmd.version = self->version + 1,
			cmd.value = test_ptr(room), cmd.value_len = sizeof(room)));
	BAD(EFAULT, (cmd.value = 8, cmd.value_len = 8));
	BAD(EFAULT, cmd.key = 8);
	fd = open(KREG_DEV, O_RDONLY);
	ASSERT_LE(0, fd);
	test_err_lease(EBADF, fd, self->table, "job");
	close(fd);
	fd = open(KREG_DEV, O_WRONLY);
	ASSERT_LE(0, fd);
	test_err_lease(EBADF, fd, self->table, "job");
	close(fd);
	/* None of these has lent anything. */
	EXPECT_EQ(0, test_loans(self->fd, self->table, "job"));
	EXPECT_EQ(self->version, test_version(self->fd, self->table, "job"));
	test_nothing(self->r);
}

/* What is on loan counts as bound, for the borrower, until it is back. */
TEST_F(lease, limit)
{
	struct kid *kid = kid_start_as(_metadata, ALICE);

	test_puts(self->fd, self->table, "other", "work");
	ASSERT_EQ(0, _test_mode(self->fd, self->table, 0666));
	ASSERT_EQ(0, test_set_param("max_user_bound", 1));
	EXPECT_EQ(1, kid_lease(kid, self->table, "job"));
	EXPECT_EQ(-EDQUOT, kid_lease(kid, self->table, "other"));
	EXPECT_EQ(0, kid_return(kid, self->table, "job", 0));
	EXPECT_EQ(1, kid_lease(kid, self->table, "other"));
	kid_kill(kid);
	/* It is there at once, and counts until the death was handled. */
	test_sync(self->fd);
	kid = kid_start_as(_metadata, ALICE);
	EXPECT_EQ(2, kid_lease(kid, self->table, "other"));
	kid_kill(kid);
}

/* All are back, also of a table for which something is queued. */
TEST_F(lease, many)
{
	char key[16];
	int i;

	for (i = 0; i < MANY; i++) {
		snprintf(key, sizeof(key), "job%d", i);
		test_puts(self->fd, self->table, key, "work");
		ASSERT_EQ(1, kid_lease(self->kid, self->table, key));
	}
	EXPECT_EQ(MANY, test_bound(self->fd, self->table));
	EXPECT_EQ(1, test_count(self->fd, self->table));
	kid_kill(self->kid);
	for (i = 0; i < MANY; i++) {
		snprintf(key, sizeof(key), "job%d", i);
		EXPECT_EQ(1, test_loans(self->fd, self->table, key));
		ASSERT_EQ(i % 2 ? 2 : 0, i % 2 ? _test_lease(self->fd, self->table, key) :
						 _test_puts(self->fd, self->table, key, "new"));
	}
	EXPECT_EQ(1 + MANY, test_count(self->fd, self->table));
	test_sync(self->fd);
	for (i = 0; i < MANY; i++) {
		snprintf(key, sizeof(key), "job%d", i);
		EXPECT_EQ(i % 2 ? 2 : 0, test_loans(self->fd, self->table, key));
	}
}

/* In a batch, and queued, it is refused as alone. */
TEST_F(lease, batch)
{
	struct kreg_op ops[2];
	__u32 done;
	int err;

	ASSERT_EQ(1, kid_lease(self->kid, self->table, "job"));
	ops[0] = test_op_puts("x", "v");
	ops[1] = test_op_puts("job", "other");
	EXPECT_EQ(-EBUSY, _test_batch(self->fd, self->table, KREG_BATCH_ATOMIC, ops, 2, &done));
	EXPECT_EQ(1, done);
	EXPECT_EQ(0, test_version(self->fd, self->table, "x"));
	ASSERT_EQ(0, _test_batch(self->fd, self->table, 0, ops, 2, &done));
	EXPECT_EQ(1, done);
	EXPECT_EQ(0, ops[0].out_error);
	EXPECT_EQ(EBUSY, ops[1].out_error);
	EXPECT_NE(0, test_version(self->fd, self->table, "x"));
	ops[1] = test_ops(KREG_OP_DELETE, "job");
	ASSERT_EQ(0, _test_batch(self->fd, self->table, KREG_BATCH_ATOMIC, ops, 2, &done));
	EXPECT_EQ(0, ops[1].out_count);
	err = _test_put_async(self->fd, self->table, "job", "other");
	EXPECT_EQ(-EBUSY, err ? err : _test_sync(self->fd));
	EXPECT_EQ(0, kid_return(self->kid, self->table, "job", 0));
	EXPECT_EQ(1, test_loans(self->fd, self->table, "job"));
}

/* CLEAR removes what is on loan, and leaves nothing of the loan. */
TEST_F(lease, cleared)
{
	ASSERT_EQ(1, kid_lease_for(self->kid, self->table, "job", LONG_MS));
	test_clear(self->fd, self->table);
	EXPECT_EQ(0, test_count(self->fd, self->table));
	EXPECT_EQ(-ENODATA, kid_return(self->kid, self->table, "job", 0));
	test_puts(self->fd, self->table, "job", "work");
	ASSERT_EQ(1, kid_lease(self->kid, self->table, "job"));
	EXPECT_EQ(0, kid_return(self->kid, self->table, "job", 0));
	test_clear(self->fd, self->table);
	test_sync(self->fd);
	ASSERT_TRUE(test_wait_for(!test_bound(self->fd, self->table)));
}

/* With the table go the loans; with a loan a table that is parked. */
TEST_F(lease, table_goes)
{
	__u64 other;

	test_create(self->fd, "other", KREG_ACCESS_PUBLIC, &other);
	test_puts(self->fd, other, "job", "work");
	ASSERT_EQ(1, kid_lease_for(self->kid, self->table, "job", SHORT_MS));
	ASSERT_EQ(1, kid_lease_for(self->kid, other, "job", LONG_MS));
	test_destroy(self->fd, self->table);
	test_destroy(self->fd, other);
	EXPECT_EQ(-ESTALE, kid_return(self->kid, other, "job", 0));
	kid_kill(self->kid);
}

/* In a registry what is another's is not lent. */
TEST_F(lease, registry)
{
	struct kid *kid = kid_start_as(_metadata, ALICE);
	__u64 names;

	test_create(self->fd, "names", KREG_ACCESS_REGISTRY, &names);
	test_puts(self->fd, names, "plain", "v");
	EXPECT_EQ(-EACCES, kid_lease(kid, names, "plain"));
	test_lease(self->fd, names, "plain");
	kid_kill(kid);
}

TEST_HARNESS_MAIN
