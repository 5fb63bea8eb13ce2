// SPDX-License-Identifier: GPL-2.0
/* libkreg: roles, who follows them, who writes by them, limits of deaths. */
#include "lib/lib.h"

static struct kreg_stat *look(struct kreg_table *table)
{
	struct kreg_stat *stat;

	return kreg_table_stat(table, &stat) ? NULL : stat;
}

/* Letters: p: play the role; w: write to the table; x: end with 3. */
static int play(struct kreg_client *client, char letter, const char *name)
{
	static struct kreg_table *role, *table;
	char role_name[48];

	snprintf(role_name, sizeof(role_name), "%s-role", name);
	if (letter == 'x')
		_exit(3);
	if (letter == 'p')
		return kreg_role_open(client, role_name, 0, &role) ? -EIO :
		       kreg_role_claim(role, 0);
	if (!table && kreg_table_open(client, name, NULL, &table))
		return -EIO;
	return kreg_put(table, "k", 1, "his", 3);
}

static struct kreg_table *open_role(struct kreg_client *client, const char *name)
{
	struct kreg_table *role = NULL;
	char role_name[48];

	snprintf(role_name, sizeof(role_name), "%s-role", name);
	return kreg_role_open(client, role_name, 0, &role) ? NULL : role;
}

TEST_F(lib, role_is_played)
{
	struct kreg_table *role = open_role(self->client, self->name), *again;
	struct kreg_stat *stat;
	struct kid kid;

	ASSERT_NE(NULL, role);
	EXPECT_EQ(-EINVAL, kreg_role_open(self->client, NULL, 0, &again));
	stat = look(role);
	ASSERT_NE(NULL, stat);
	EXPECT_TRUE(kreg_stat_parked(stat));
	EXPECT_EQ(KREG_ORPHAN_PARK, kreg_stat_orphan(stat));
	kreg_stat_free(stat);
	ASSERT_EQ(0, kreg_role_claim(role, 0));
	/* Also if it is played by the caller already. */
	EXPECT_EQ(0, kreg_role_claim(role, -1));
	ASSERT_EQ(0, kid_start(&kid, play, self->name));
	EXPECT_EQ(-EBUSY, kid_do(&kid, 'p'));
	ASSERT_EQ(0, kreg_table_park(role));
	EXPECT_EQ(0, kid_do(&kid, 'p'));
	EXPECT_EQ(-EBUSY, kreg_role_claim(role, 0));
	EXPECT_EQ(-ETIMEDOUT, kreg_role_claim(role, 1));
	kid_kill(&kid);
	EXPECT_EQ(0, kreg_role_claim(role, -1));
	/* Another table of the same name is not taken for it. */
	ASSERT_EQ(0, kreg_table_destroy(role));
	again = open_role(self->client, self->name);
	ASSERT_NE(NULL, again);
	EXPECT_EQ(-ESTALE, kreg_role_claim(role, 0));
	stat = look(again);
	ASSERT_NE(NULL, stat);
	EXPECT_TRUE(kreg_stat_parked(stat));
	kreg_stat_free(stat);
	ASSERT_EQ(0, kreg_table_destroy(again));
	kreg_table_close(again);
	kreg_table_close(role);
}

TEST_F(lib, table_follows)
{
	struct kreg_table *role = open_role(self->client, self->name), *mine;
	struct kreg_process me;
	struct kreg_stat *stat;
	struct kid kid;

	ASSERT_NE(NULL, role);
	ASSERT_EQ(0, kreg_client_self(self->client, &me));
	EXPECT_EQ(-EACCES, kreg_table_follow(self->table, role));
	EXPECT_STREQ("this process does not own the role", kreg_errmsg());
	ASSERT_EQ(0, kreg_role_claim(role, 0));
	ASSERT_EQ(0, kreg_table_set_heir(self->table, &me, NULL, 0, KREG_HEIR_SILENT));
	EXPECT_EQ(-EBUSY, kreg_table_follow(self->table, role));
	EXPECT_NE(NULL, strstr(kreg_errmsg(), "has an heir"));
	ASSERT_EQ(0, kreg_table_set_heir(self->table, NULL, NULL, 0, 0));
	EXPECT_EQ(-EINVAL, kreg_table_follow(role, role));
	EXPECT_NE(NULL, strstr(kreg_errmsg(), "its own role"));
	ASSERT_EQ(0, kreg_table_follow(self->table, role));
	stat = look(self->table);
	ASSERT_NE(NULL, stat);
	EXPECT_EQ(kreg_table_id(role), kreg_stat_role(stat));
	kreg_stat_free(stat);
	EXPECT_EQ(-EBUSY, kreg_table_park(self->table));
	EXPECT_NE(NULL, strstr(kreg_errmsg(), "follows a role"));
	EXPECT_EQ(-EALREADY, kreg_table_claim(self->client, self->name, 0, &mine));

	ASSERT_EQ(0, kid_start(&kid, play, self->name));
	ASSERT_EQ(0, kreg_table_park(role));
	ASSERT_EQ(0, kid_do(&kid, 'p'));
	EXPECT_EQ(0, kid_do(&kid, 'w'));
	EXPECT_EQ(-EACCES, kreg_put(self->table, "k", 1, "mine", 4));
	kid_kill(&kid);
	ASSERT_EQ(0, kreg_role_claim(role, 0));
	EXPECT_EQ(0, kreg_put(self->table, "k", 1, "mine", 4));
	ASSERT_EQ(0, kreg_table_follow(self->table, NULL));
	ASSERT_EQ(0, kreg_table_destroy(role));
	kreg_table_close(role);
}

TEST_F(lib, role_writes)
{
	struct kreg_table *role = open_role(self->client, self->name);
	struct kreg_stat *stat;
	struct kid kid;

	ASSERT_NE(NULL, role);
	ASSERT_EQ(0, kreg_table_set_writer(self->table, role));
	stat = look(self->table);
	ASSERT_NE(NULL, stat);
	EXPECT_EQ(kreg_table_id(role), kreg_stat_writer_role(stat));
	kreg_stat_free(stat);
	ASSERT_EQ(0, kid_start(&kid, play, self->name));
	EXPECT_EQ(-EACCES, kid_do(&kid, 'w'));
	ASSERT_EQ(0, kid_do(&kid, 'p'));
	EXPECT_EQ(0, kid_do(&kid, 'w'));
	ASSERT_EQ(0, kreg_table_set_writer(self->table, NULL));
	EXPECT_EQ(-EACCES, kid_do(&kid, 'w'));
	kid_kill(&kid);
	ASSERT_EQ(0, kreg_table_destroy(role));
	kreg_table_close(role);
}

static void lose_player(struct __test_metadata *_metadata, const char *name)
{
	struct kid kid;

	ASSERT_EQ(0, kid_start(&kid, play, name));
	ASSERT_EQ(0, kid_do(&kid, 'p'));
	kid_kill(&kid);
}

TEST_F(lib, quarantine)
{
	struct kreg_open_options o = KREG_OPEN_OPTIONS_INIT;
	struct kreg_table *role = open_role(self->client, self->name), *mine;
	struct kreg_stat *stat;

	ASSERT_NE(NULL, role);
	ASSERT_EQ(0, kreg_role_claim(role, 0));
	EXPECT_EQ(-EINVAL, kreg_table_set_limit(role, 65, 1));
	ASSERT_EQ(0, kreg_table_set_limit(role, 1, 1000000));
	ASSERT_EQ(0, kreg_table_park(role));
	lose_player(_metadata, self->name);
	lose_player(_metadata, self->name);
	stat = look(role);
	ASSERT_NE(NULL, stat);
	EXPECT_TRUE(kreg_stat_quarantined(stat));
	EXPECT_EQ(1, kreg_stat_limit(stat));
	EXPECT_EQ(1000000, kreg_stat_limit_ms(stat));
	kreg_stat_free(stat);
	EXPECT_EQ(-EOWNERDEAD, kreg_role_claim(role, 0));
	EXPECT_NE(NULL, strstr(kreg_errmsg(), "quarantined"));
	EXPECT_STREQ("EOWNERDEAD", kreg_error_name(EOWNERDEAD));
	o.flags = KREG_OPEN_CLAIM | KREG_OPEN_QUARANTINED;
	ASSERT_EQ(0, kreg_table_open(self->client, kreg_table_name(role), &o, &mine));
	kreg_table_close(mine);
	stat = look(role);
	ASSERT_NE(NULL, stat);
	EXPECT_FALSE(kreg_stat_quarantined(stat));
	kreg_stat_free(stat);
	ASSERT_EQ(0, kreg_table_destroy(role));
	kreg_table_close(role);
}

TEST_F(lib, stat_of_events_and_crash)
{
	struct kreg_process me;
	struct kreg_stat *stat;

	ASSERT_EQ(0, kreg_client_self(self->client, &me));
	ASSERT_EQ(0, kreg_table_set_heir(self->table, &me, NULL, 0, KREG_HEIR_ON_CRASH));
	stat = look(self->table);
	ASSERT_NE(NULL, stat);
	EXPECT_TRUE(kreg_stat_heir_on_crash(stat));
	EXPECT_FALSE(kreg_stat_heir_silent(stat));
	EXPECT_EQ(0, kreg_stat_subscriptions(stat));
	EXPECT_EQ(0, kreg_stat_events(stat));
	kreg_stat_free(stat);
	ASSERT_EQ(0, kreg_table_set_heir(self->table, NULL, NULL, 0, 0));
}

TEST_HARNESS_MAIN
