// SPDX-License-Identifier: GPL-2.0
/* libkreg: objects on loan. */
#include <sys/wait.h>

#include "lib/lib.h"

static bool is_lent(struct kreg_table *table)
{
	return kreg_member(table, "job", 3) == -ENODATA;
}

TEST_F(lib, lease)
{
	struct kreg_loan loan = KREG_LOAN_INIT, again = KREG_LOAN_INIT;
	void *value;
	size_t len;

	EXPECT_EQ(-ENODATA, kreg_lease(self->table, "job", 3, 0, &value, &len, NULL));
	EXPECT_NE(NULL, strstr(kreg_errmsg(), self->name));
	ASSERT_EQ(0, kreg_put(self->table, "job", 3, "work", 4));
	EXPECT_EQ(0, kreg_loans(self->table, "job", 3));
	ASSERT_EQ(0, kreg_lease(self->table, "job", 3, 0, &value, &len, &loan));
	EXPECT_EQ(4, len);
	EXPECT_STREQ("work", value);
	EXPECT_EQ(1, loan.loans);
	free(value);
	EXPECT_EQ(-EALREADY, kreg_lease(self->table, "job", 3, 0, &value, &len, NULL));
	EXPECT_NE(NULL, strstr(kreg_errmsg(), "on loan already"));
	EXPECT_EQ(-EBUSY, kreg_put(self->table, "job", 3, "other", 5));
	EXPECT_NE(NULL, strstr(kreg_errmsg(), "on loan"));
	ASSERT_EQ(0, kreg_lease_update(self->table, "job", 3, "half", 4, &loan));
	ASSERT_EQ(0, kreg_lease_return(self->table, "job", 3, &loan));
	EXPECT_EQ(-ENODATA, kreg_lease_return(self->table, "job", 3, &loan));
	EXPECT_EQ(-ECANCELED, kreg_lease_done(self->table, "job", 3, &loan));
	EXPECT_EQ(1, kreg_loans(self->table, "job", 3));
	ASSERT_EQ(0, kreg_lease(self->table, "job", 3, PATIENCE_MS, &value, NULL, &again));
	EXPECT_STREQ("half", value);
	EXPECT_EQ(2, again.loans);
	EXPECT_LT(loan.version, again.version);
	free(value);
	/* What was done under a loan that has ended does not meet this one. */
	EXPECT_EQ(-ECANCELED, kreg_lease_done(self->table, "job", 3, &loan));
	EXPECT_EQ(-ECANCELED, kreg_lease_update(self->table, "job", 3, "x", 1, &loan));
	EXPECT_EQ(0, kreg_lease_done(self->table, "job", 3, &again));
	EXPECT_EQ(-ENODATA, kreg_loans(self->table, "job", 3));
}

/* Whoever has it when a process is killed: it is back, with all that was written. */
TEST_F(lib, lease_of_the_dead)
{
	struct kreg_client *client;
	struct kreg_table *table;
	void *value;
	pid_t pid;
	int i;

	ASSERT_EQ(0, kreg_table_set_access(self->table, KREG_ACCESS_PUBLIC));
	ASSERT_EQ(0, kreg_put(self->table, "job", 3, "work", 4));
	for (i = 1; i <= 3; i++) {
		pid = fork();
		if (!pid) {
			if (kreg_client_open(NULL, &client) ||
			    kreg_table_open(client, self->name, NULL, &table) ||
			    kreg_lease(table, "job", 3, 0, &value, NULL, NULL))
				_exit(1);
			for (;;)
				pause();
		}
		EXPECT_EQ(0, kreg_wait(self->table, "job", 3, KREG_WATCH_ABSENT, 0, PATIENCE_MS));
		EXPECT_TRUE(is_lent(self->table));
		ASSERT_EQ(0, kill(pid, SIGKILL));
		EXPECT_EQ(0, kreg_wait(self->table, "job", 3, KREG_WATCH_PRESENT, 0, PATIENCE_MS));
		EXPECT_EQ(i, kreg_loans(self->table, "job", 3));
		ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	}
	ASSERT_EQ(0, kreg_lease(self->table, "job", 3, 100, &value, NULL, NULL));
	EXPECT_STREQ("work", value);
	free(value);
	usleep(300000);
	EXPECT_EQ(-ENODATA, kreg_lease_done(self->table, "job", 3, NULL));
}

TEST_F(lib, lease_errors)
{
	struct kreg_loan loan = { .size = 3 };
	char long_key[KREG_MAX_KEY + 1] = "";
	void *value;

	EXPECT_EQ(-EINVAL, kreg_lease(self->table, "", 0, 0, &value, NULL, NULL));
	EXPECT_EQ(-EINVAL, kreg_lease(self->table, "k", 1, 0, &value, NULL, &loan));
	EXPECT_EQ(-EINVAL, kreg_lease_return(self->table, "k", 1, &loan));
	EXPECT_EQ(-EINVAL, kreg_lease_done(self->table, "k", 1, &loan));
	EXPECT_EQ(-EINVAL, kreg_lease_update(self->table, "k", 1, "v", 1, &loan));
	EXPECT_EQ(-ENAMETOOLONG, kreg_lease(self->table, long_key, sizeof(long_key), 0, &value,
					    NULL, NULL));
	EXPECT_NE(NULL, strstr(kreg_errmsg(), "the key has"));
	ASSERT_EQ(0, kreg_register(self->table, "mine", 4, "v", 1));
	EXPECT_EQ(-EOPNOTSUPP, kreg_lease(self->table, "mine", 4, 0, &value, NULL, NULL));
	EXPECT_NE(NULL, strstr(kreg_errmsg(), "bound"));
}

TEST_HARNESS_MAIN
