// SPDX-License-Identifier: GPL-2.0
/* libkreg: batches of several tables that are run as one. */
#include "lib/cause.h"
#include "lib/dump.h"

static int new_beside(struct kreg_client *client, const char *name, unsigned int type,
		      struct kreg_table *beside, struct kreg_table **table)
{
	struct kreg_open_options o = KREG_OPEN_OPTIONS_INIT;

	o.flags = KREG_OPEN_CREATE | KREG_OPEN_EXCL;
	o.type = type;
	o.beside = beside;
	return kreg_table_open(client, name, &o, table);
}

TEST_F(lib, run_all)
{
	struct kreg_batch *all[2], *empty;
	struct kreg_table *other;
	int failed;

	ASSERT_EQ(0, new_beside(self->client, "group", KREG_TYPE_ORDERED_SET, self->table,
				&other));
	ASSERT_EQ(0, kreg_batch_new(self->table, 0, &all[0]));
	ASSERT_EQ(0, kreg_batch_new(other, KREG_BATCH_ATOMIC, &all[1]));
	ASSERT_EQ(0, kreg_batch_new(other, 0, &empty));
	ASSERT_EQ(0, kreg_put(self->table, "key", 3, "value", 5));
	EXPECT_EQ(0, kreg_batch_run_all(NULL, 0, NULL));
	EXPECT_EQ(0, kreg_batch_run_all(all, 2, &failed));
	ASSERT_EQ(0, kreg_batch_del(all[0], "key", 3));
	ASSERT_EQ(0, kreg_batch_put_new(all[1], "key", 3, "value", 5));
	ASSERT_EQ(0, kreg_batch_run_all(all, 2, &failed));
	EXPECT_EQ(-1, failed);
	EXPECT_EQ(1, kreg_batch_count_of(all[0], 0));
	EXPECT_LT(0, kreg_batch_version(all[1], 0));
	EXPECT_EQ(-ENODATA, kreg_member(self->table, "key", 3));
	EXPECT_EQ(0, kreg_member(other, "key", 3));
	/* It is there now; and nothing else is done. */
	ASSERT_EQ(1, kreg_batch_put(all[0], "more", 4, "value", 5));
	EXPECT_EQ(-EEXIST, kreg_batch_run_all(all, 2, &failed));
	EXPECT_EQ(1, failed);
	EXPECT_EQ(0, kreg_batch_failed_index(all[1]));
	EXPECT_EQ(-1, kreg_batch_failed_index(all[0]));
	EXPECT_TRUE(says("a key of the batch is in table 'group' already; nothing was written"));
	EXPECT_EQ(-ENODATA, kreg_member(self->table, "more", 4));
	/* What is empty does not count. */
	kreg_batch_free(all[1]);
	all[1] = all[0];
	all[0] = empty;
	EXPECT_EQ(0, kreg_batch_run_all(all, 2, &failed));
	EXPECT_EQ(0, kreg_member(self->table, "more", 4));
	kreg_batch_free(all[0]);
	kreg_batch_free(all[1]);
	dump_drop_table(other);
}

/* Of a key with several objects one is moved, and all that is said of it is counted. */
TEST_F(lib, run_all_bag)
{
	struct kreg_batch *all[2];
	struct kreg_table *bag;
	int failed, i;

	ASSERT_EQ(0, new_beside(self->client, "group-bag", KREG_TYPE_BAG, self->table, &bag));
	ASSERT_EQ(0, kreg_batch_new(bag, 0, &all[0]));
	ASSERT_EQ(0, kreg_batch_new(self->table, 0, &all[1]));
	ASSERT_EQ(0, kreg_batch_put(all[0], "log", 3, "1", 1));
	ASSERT_EQ(1, kreg_batch_put(all[0], "log", 3, "2", 1));
	ASSERT_EQ(0, kreg_batch_put(all[1], "last", 4, "2", 1));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, kreg_batch_run_all(all, 2, &failed));
		EXPECT_EQ(i, kreg_batch_count_of(all[0], 0));
		EXPECT_EQ(i, kreg_batch_count_of(all[1], 0));
	}
	kreg_batch_reset(all[0]);
	ASSERT_EQ(0, kreg_batch_del(all[0], "log", 3));
	ASSERT_EQ(1, kreg_batch_put_new(all[1], "first", 5, "1", 1));
	ASSERT_EQ(0, kreg_batch_run_all(all, 2, &failed));
	EXPECT_EQ(2, kreg_batch_count_of(all[0], 0));
	EXPECT_EQ(-ENODATA, kreg_member(bag, "log", 3));
	EXPECT_EQ(0, kreg_member(self->table, "first", 5));
	kreg_batch_free(all[0]);
	kreg_batch_free(all[1]);
	dump_drop_table(bag);
}

TEST_F(lib, beside)
{
	struct kreg_open_options o = KREG_OPEN_OPTIONS_INIT;
	struct kreg_table *gone, *t;

	o.beside = self->table;
	EXPECT_EQ(-EINVAL, kreg_table_open(self->client, self->name, &o, &t));
	EXPECT_TRUE(says("the options describe a new table"));
	gone = dump_new_table(self->client, "gone", KREG_TYPE_SET);
	ASSERT_NE(NULL, gone);
	ASSERT_EQ(0, kreg_table_destroy(gone));
	o.beside = gone;
	o.flags = KREG_OPEN_CREATE;
	EXPECT_EQ(-EXDEV, kreg_table_open(self->client, "new", &o, &t));
	EXPECT_TRUE(says("the table beside which it is to be created is gone"));
	kreg_table_close(gone);
}

TEST_F(lib, run_all_errors)
{
	struct kreg_table *twice;
	struct kreg_batch *all[KREG_MAX_GROUP + 1];
	struct kreg_client *client;
	int failed = 7, i;

	for (i = 0; i <= KREG_MAX_GROUP; i++) {
		ASSERT_EQ(0, kreg_batch_new(self->table, 0, &all[i]));
		ASSERT_EQ(0, kreg_batch_put(all[i], "k", 1, "v", 1));
	}
	EXPECT_EQ(-EFBIG, kreg_batch_run_all(all, KREG_MAX_GROUP + 1, &failed));
	EXPECT_TRUE(says("at most 8 batches"));
	EXPECT_EQ(-1, failed);
	EXPECT_EQ(-EINVAL, kreg_batch_run_all(all, 2, &failed));
	EXPECT_TRUE(says("a table is in the group twice"));
	for (i = 1; i <= KREG_MAX_GROUP_OPS; i++)
		ASSERT_EQ(i, kreg_batch_put(all[0], "k", 1, "v", 1));
	EXPECT_EQ(-EFBIG, kreg_batch_run_all(all, 1, &failed));
	EXPECT_TRUE(says("at most 16 operations"));
	kreg_batch_reset(all[0]);
	ASSERT_EQ(0, kreg_batch_get(all[0], "k", 1, 8));
	EXPECT_EQ(-EINVAL, kreg_batch_run_all(all, 1, &failed));
	EXPECT_TRUE(says("a batch of reads"));
	kreg_batch_free(all[0]);
	ASSERT_EQ(0, kreg_batch_new(self->table, KREG_WRITE_ASYNC, &all[0]));
	EXPECT_EQ(-EOPNOTSUPP, kreg_batch_run_all(all, 1, &failed));
	EXPECT_TRUE(says("an asynchronous batch"));
	kreg_batch_free(all[0]);
	ASSERT_EQ(0, kreg_client_open(NULL, &client));
	ASSERT_EQ(0, kreg_table_open(client, self->name, NULL, &twice));
	ASSERT_EQ(0, kreg_batch_new(twice, 0, &all[0]));
	EXPECT_EQ(-EINVAL, kreg_batch_run_all(all, 2, &failed));
	EXPECT_TRUE(says("several clients"));
	for (i = 0; i <= KREG_MAX_GROUP; i++)
		kreg_batch_free(all[i]);
	kreg_table_close(twice);
	kreg_client_close(client);
}

TEST_HARNESS_MAIN
