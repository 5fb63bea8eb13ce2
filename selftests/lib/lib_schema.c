// SPDX-License-Identifier: GPL-2.0
/* libkreg: what is in a table, and what is said to a program that takes it for something else. */
#include "lib/cause.h"
#include "lib/dump.h"

#define SCHEMA	0x5e55
#define ANOTHER	0xbeef

static int open_as(struct kreg_client *client, const char *name, unsigned int flags,
		   uint64_t schema, unsigned int version, struct kreg_table **table)
{
	struct kreg_open_options o = KREG_OPEN_OPTIONS_INIT;

	o.flags = flags;
	o.schema = schema;
	o.schema_version = version;
	return kreg_table_open(client, name, &o, table);
}

static int own_as(struct kreg_client *client, const char *name, uint64_t schema,
		  unsigned int version)
{
	struct kreg_open_options o = KREG_OPEN_OPTIONS_INIT;
	struct kreg_table *table;
	int ret;

	o.schema = schema;
	o.schema_version = version;
	ret = kreg_table_own(client, name, 0, &o, &table);
	if (!ret)
		kreg_table_close(table);
	return ret;
}

static bool has(const struct kreg_table *table, uint64_t schema, unsigned int version)
{
	struct kreg_stat *stat;
	bool same;

	if (kreg_table_stat(table, &stat))
		return false;
	same = kreg_stat_schema(stat) == schema && kreg_stat_schema_version(stat) == version;
	kreg_stat_free(stat);
	return same;
}

TEST_F(lib, created_with)
{
	char name[64];
	struct kreg_table *t, *again;

	snprintf(name, sizeof(name), "%s schema", self->name);
	ASSERT_EQ(0, open_as(self->client, name, KREG_OPEN_CREATE, SCHEMA, 2, &t));
	EXPECT_TRUE(has(t, SCHEMA, 2));
	ASSERT_EQ(0, open_as(self->client, name, 0, SCHEMA, 2, &again));
	kreg_table_close(again);
	ASSERT_EQ(0, open_as(self->client, name, 0, SCHEMA, 0, &again));
	kreg_table_close(again);
	/* The caller owns it already, which asks as well. */
	EXPECT_EQ(0, own_as(self->client, name, SCHEMA, 2));
	EXPECT_EQ(-EPROTOTYPE, own_as(self->client, name, SCHEMA, 3));
	EXPECT_TRUE(says("has version 2 of the schema 0x5e55"));
	EXPECT_EQ(0, kreg_table_destroy(t));
	kreg_table_close(t);
}

TEST_F(lib, what_is_said)
{
	struct kreg_table *t;

	EXPECT_EQ(-EPROTOTYPE, open_as(self->client, self->name, 0, SCHEMA, 1, &t));
	EXPECT_TRUE(says(self->name));
	EXPECT_TRUE(says("has no schema, and this program asks for 0x5e55: choose another name"));
	EXPECT_EQ(0, kreg_table_set_schema(self->table, SCHEMA, 2, 0));
	EXPECT_EQ(-EPROTOTYPE, open_as(self->client, self->name, 0, SCHEMA, 3, &t));
	EXPECT_TRUE(says("asks for version 3: open it with the old one"));
	EXPECT_EQ(-EPROTOTYPE, open_as(self->client, self->name, 0, SCHEMA, 1, &t));
	EXPECT_TRUE(says("asks for version 1: run a release that knows the new one"));
	EXPECT_EQ(-EPROTOTYPE, open_as(self->client, self->name, 0, ANOTHER, 2, &t));
	EXPECT_TRUE(says("has the schema 0x5e55, and this program asks for 0xbeef"));
	EXPECT_STREQ("EPROTOTYPE", kreg_error_name(-EPROTOTYPE));
	EXPECT_NE(NULL, strstr(kreg_strerror(-EPROTOTYPE), "another schema"));
}

/* As a new release does it. */
TEST_F(lib, migrated)
{
	struct kreg_table *t;

	ASSERT_EQ(0, kreg_table_set_schema(self->table, SCHEMA, 1, 0));
	ASSERT_EQ(0, kreg_put(self->table, "k", 1, "old", 3));
	EXPECT_EQ(-EPROTOTYPE, open_as(self->client, self->name, 0, SCHEMA, 2, &t));
	ASSERT_EQ(0, open_as(self->client, self->name, 0, SCHEMA, 1, &t));
	ASSERT_EQ(0, kreg_put(t, "k", 1, "new", 3));
	EXPECT_EQ(0, kreg_table_set_schema(t, SCHEMA, 2, 1));
	EXPECT_EQ(-ECANCELED, kreg_table_set_schema(t, SCHEMA, 2, 1));
	EXPECT_TRUE(says("has another version of its schema by now"));
	kreg_table_close(t);
	EXPECT_EQ(0, open_as(self->client, self->name, 0, SCHEMA, 2, &t));
	kreg_table_close(t);
	EXPECT_EQ(0, kreg_table_set_schema(self->table, 0, 0, 2));
	EXPECT_TRUE(has(self->table, 0, 0));
}

TEST_F(lib, makes_no_sense)
{
	struct kreg_open_options o = KREG_OPEN_OPTIONS_INIT;
	struct kreg_table *t;

	EXPECT_EQ(-EINVAL, open_as(self->client, "new", KREG_OPEN_CREATE, SCHEMA, 0, &t));
	EXPECT_TRUE(says("a new table has a version of its schema"));
	EXPECT_EQ(-EINVAL, open_as(self->client, self->name, 0, 0, 1, &t));
	EXPECT_TRUE(says("a version of a schema goes with the schema alone"));
	EXPECT_EQ(-EINVAL, kreg_table_set_schema(self->table, SCHEMA, 0, 0));
	EXPECT_TRUE(says("a schema has a version"));
	o.reserved2 = 1;
	EXPECT_EQ(-EOPNOTSUPP, kreg_table_open(self->client, self->name, &o, &t));
}

/* Options of a program that knows no schema. */
TEST_F(lib, older_options)
{
	struct kreg_open_options o = KREG_OPEN_OPTIONS_INIT;
	struct kreg_table *t;

	ASSERT_EQ(0, kreg_table_set_schema(self->table, SCHEMA, 1, 0));
	o.size = offsetof(struct kreg_open_options, schema);
	o.schema = ANOTHER;
	ASSERT_EQ(0, kreg_table_open(self->client, self->name, &o, &t));
	kreg_table_close(t);
}

TEST_F(lib, stood_by_for)
{
	struct kreg_open_options o = KREG_OPEN_OPTIONS_INIT;
	struct kreg_ref *ref;
	struct kreg_table *t;

	ASSERT_EQ(0, kreg_table_set_schema(self->table, SCHEMA, 1, 0));
	o.schema = SCHEMA;
	o.schema_version = 2;
	EXPECT_EQ(-EPROTOTYPE,
		  kreg_table_standby(self->client, self->name, &o, NULL, NULL, &t, &ref));
	o.schema_version = 1;
	ASSERT_EQ(0, kreg_table_standby(self->client, self->name, &o, NULL, NULL, &t, &ref));
	EXPECT_EQ(NULL, ref);
	kreg_table_close(t);
}

TEST_F(lib, dumped)
{
	struct kreg_dump_info info = KREG_DUMP_INFO_INIT;
	struct kreg_table *copy;
	char name[64];
	int fd;

	snprintf(name, sizeof(name), "%s copy", self->name);
	ASSERT_EQ(0, kreg_table_set_schema(self->table, SCHEMA, ~0u, 0));
	fd = dump_table(self->table, 0);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, kreg_dump_info(fd, &info));
	EXPECT_EQ(SCHEMA, info.schema);
	EXPECT_EQ(~0u, info.schema_version);
	ASSERT_EQ(0, dump_restore(self->client, fd, name, &copy));
	EXPECT_TRUE(has(copy, SCHEMA, ~0u));
	dump_drop_table(copy);
	close(fd);
}

TEST_HARNESS_MAIN
