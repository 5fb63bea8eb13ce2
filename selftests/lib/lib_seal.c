// SPDX-License-Identifier: GPL-2.0
/* libkreg: tables that nobody changes any more, and what is said of them. */
#include "lib/cause.h"
#include "lib/dump.h"

static bool is_sealed(const struct kreg_table *table)
{
	struct kreg_stat *stat;
	bool sealed;

	if (kreg_table_stat(table, &stat))
		return false;
	sealed = kreg_stat_sealed(stat);
	kreg_stat_free(stat);
	return sealed;
}

#define expect_refused(call)						\
do {									\
	EXPECT_EQ(-EROFS, call);					\
	EXPECT_TRUE(says("is sealed, and nobody changes what is in it"));	\
} while (0)

TEST_F(lib, refuses_all_writes)
{
	struct kreg_batch *batch;
	char value[16];
	int64_t number;
	size_t len;

	ASSERT_EQ(0, kreg_put(self->table, "k", 1, "v", 1));
	EXPECT_FALSE(is_sealed(self->table));
	ASSERT_EQ(0, kreg_table_seal(self->table));
	EXPECT_TRUE(is_sealed(self->table));
	expect_refused(kreg_put(self->table, "k", 1, "w", 1));
	EXPECT_TRUE(says(self->name));
	EXPECT_TRUE(says("exchange their names"));
	expect_refused(kreg_put_new(self->table, "k", 1, "w", 1));
	expect_refused(kreg_del(self->table, "k", 1));
	expect_refused(kreg_take(self->table, "k", 1, value, sizeof(value), &len));
	expect_refused(kreg_clear(self->table, NULL));
	expect_refused(kreg_counter_add_from(self->table, "n", 1, 1, 0, &number));
	expect_refused(kreg_register(self->table, "r", 1, "", 0));
	expect_refused(kreg_notify(self->table, "k", 1, "", 0));
	ASSERT_EQ(0, kreg_batch_new(self->table, 0, &batch));
	EXPECT_EQ(0, kreg_batch_put(batch, "b", 1, "", 0));
	expect_refused(kreg_batch_run(batch));
	kreg_batch_free(batch);
	EXPECT_EQ(1, kreg_get(self->table, "k", 1, value, sizeof(value), NULL) == 0);
	EXPECT_STREQ("EROFS", kreg_error_name(-EROFS));
	EXPECT_NE(NULL, strstr(kreg_strerror(-EROFS), "sealed"));
	EXPECT_EQ(0, kreg_table_seal(self->table));
	EXPECT_EQ(-EROFS, kreg_table_set_schema(self->table, 1, 1, 0));
	EXPECT_TRUE(says("stays what it is"));
}

TEST_F(lib, busy)
{
	struct kreg_stat *stat;

	ASSERT_EQ(0, kreg_register(self->table, "r", 1, "", 0));
	EXPECT_EQ(-EBUSY, kreg_table_seal(self->table));
	EXPECT_TRUE(says("has objects that are bound to a process, on loan, or expire"));
	EXPECT_FALSE(is_sealed(self->table));
	ASSERT_EQ(0, kreg_table_stat(self->table, &stat));
	EXPECT_EQ(1, kreg_stat_bound(stat));
	kreg_stat_free(stat);
	EXPECT_EQ(1, kreg_unregister(self->table, "r", 1));
	EXPECT_EQ(0, kreg_table_seal(self->table));
}

TEST_F(lib, at_creation)
{
	struct kreg_open_options o = KREG_OPEN_OPTIONS_INIT;
	struct kreg_table *t;

	o.flags = KREG_OPEN_SEALED;
	EXPECT_EQ(-EINVAL, kreg_table_open(self->client, self->name, &o, &t));
	EXPECT_TRUE(says("the options describe a new table, without KREG_OPEN_CREATE"));
	o.flags |= KREG_OPEN_CREATE;
	ASSERT_EQ(0, kreg_table_open(self->client, NULL, &o, &t));
	EXPECT_TRUE(is_sealed(t));
	EXPECT_EQ(-EROFS, kreg_put(t, "k", 1, "v", 1));
	EXPECT_EQ(0, kreg_table_destroy(t));
	kreg_table_close(t);
}

TEST_F(lib, dumped)
{
	struct kreg_dump_info info = KREG_DUMP_INFO_INIT;
	struct kreg_table *copy;
	char name[64], value[4];
	int fd;

	snprintf(name, sizeof(name), "%s copy", self->name);
	ASSERT_EQ(0, kreg_put(self->table, "k", 1, "v", 1));
	ASSERT_EQ(0, kreg_table_seal(self->table));
	fd = dump_table(self->table, 0);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, kreg_dump_info(fd, &info));
	EXPECT_EQ(KREG_DUMP_SEALED, info.flags);
	ASSERT_EQ(0, dump_restore(self->client, fd, name, &copy));
	EXPECT_TRUE(is_sealed(copy));
	EXPECT_EQ(0, kreg_get(copy, "k", 1, value, sizeof(value), NULL));
	EXPECT_EQ(-EROFS, kreg_put(copy, "k", 1, "v", 1));
	dump_drop_table(copy);
	close(fd);
}

TEST_HARNESS_MAIN
