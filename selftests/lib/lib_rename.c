// SPDX-License-Identifier: GPL-2.0
/* libkreg: names of tables change, and are exchanged. */
#include "lib/lib.h"

FIXTURE(rename)
{
	struct kreg_client *client;
	struct kreg_table *a;
	struct kreg_table *b;
};

static struct kreg_table *create(struct __test_metadata *_metadata, struct kreg_client *client,
				 const char *name)
{
	struct kreg_open_options options = KREG_OPEN_OPTIONS_INIT;
	struct kreg_table *table = NULL;

	options.flags = KREG_OPEN_CREATE;
	EXPECT_EQ(0, kreg_table_open(client, name, &options, &table));
	return table;
}

FIXTURE_SETUP(rename)
{
	ASSERT_EQ(0, kreg_client_open(NULL, &self->client));
	self->a = create(_metadata, self->client, "rename a");
	self->b = create(_metadata, self->client, "rename b");
}

FIXTURE_TEARDOWN(rename)
{
	kreg_table_destroy(self->a);
	kreg_table_destroy(self->b);
	kreg_table_close(self->a);
	kreg_table_close(self->b);
	kreg_client_close(self->client);
}

static bool is_called(struct kreg_client *client, const char *name, struct kreg_table *table)
{
	struct kreg_table *found;
	bool same;

	if (kreg_table_open(client, name, NULL, &found))
		return false;
	same = kreg_table_id(found) == kreg_table_id(table);
	kreg_table_close(found);
	return same;
}

TEST_F(rename, another_name)
{
	struct kreg_stat *stat;

	ASSERT_EQ(0, kreg_table_rename(self->a, "rename c"));
	EXPECT_TRUE(is_called(self->client, "rename c", self->a));
	EXPECT_FALSE(is_called(self->client, "rename a", self->a));
	EXPECT_STREQ("rename a", kreg_table_name(self->a));
	ASSERT_EQ(0, kreg_table_stat(self->a, &stat));
	EXPECT_STREQ("rename c", kreg_stat_name(stat));
	kreg_stat_free(stat);
}

TEST_F(rename, exchange)
{
	ASSERT_EQ(0, kreg_table_exchange(self->a, self->b));
	EXPECT_TRUE(is_called(self->client, "rename b", self->a));
	EXPECT_TRUE(is_called(self->client, "rename a", self->b));
}

TEST_F(rename, errors)
{
	struct kreg_client *second;
	struct kreg_table *other;
	char longer[KREG_MAX_NAME + 2];

	memset(longer, 'x', sizeof(longer));
	longer[KREG_MAX_NAME + 1] = '\0';
	EXPECT_EQ(-EEXIST, kreg_table_rename(self->a, "rename b"));
	EXPECT_NE(NULL, strstr(kreg_errmsg(), "a table has this name already"));
	EXPECT_EQ(-EINVAL, kreg_table_rename(self->a, ""));
	EXPECT_NE(NULL, strstr(kreg_errmsg(), "the name is empty"));
	EXPECT_EQ(-ENAMETOOLONG, kreg_table_rename(self->a, longer));
	EXPECT_NE(NULL, strstr(kreg_errmsg(), "129 bytes"));
	EXPECT_EQ(-EINVAL, kreg_table_exchange(self->a, self->a));
	EXPECT_NE(NULL, strstr(kreg_errmsg(), "the same table"));
	ASSERT_EQ(0, kreg_client_open(NULL, &second));
	ASSERT_EQ(0, kreg_table_open(second, "rename b", NULL, &other));
	EXPECT_EQ(-EINVAL, kreg_table_exchange(self->a, other));
	EXPECT_NE(NULL, strstr(kreg_errmsg(), "different clients"));
	kreg_table_close(other);
	kreg_client_close(second);
	kreg_table_destroy(self->b);
	EXPECT_EQ(-ESTALE, kreg_table_rename(self->b, "rename c"));
	EXPECT_EQ(-ESTALE, kreg_table_exchange(self->a, self->b));
}

/* A table without a name is filled, and takes the place of one that has it. */
TEST_F(rename, takes_the_place)
{
	struct kreg_table *fresh = create(_metadata, self->client, NULL);
	struct kreg_table *none = create(_metadata, self->client, NULL);

	ASSERT_NE(NULL, fresh);
	ASSERT_EQ(0, kreg_table_exchange(fresh, self->a));
	EXPECT_TRUE(is_called(self->client, "rename a", fresh));
	EXPECT_EQ(-EINVAL, kreg_table_exchange(none, self->a));
	EXPECT_NE(NULL, strstr(kreg_errmsg(), "neither table has a name"));
	kreg_table_destroy(none);
	kreg_table_destroy(fresh);
	kreg_table_close(none);
	kreg_table_close(fresh);
}

TEST_HARNESS_MAIN
