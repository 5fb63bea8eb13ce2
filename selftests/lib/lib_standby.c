// SPDX-License-Identifier: GPL-2.0
/* libkreg: standing by for a table. */
#include "lib/lib.h"

static int kid_act(struct kreg_client *client, char letter, const char *name)
{
	return -EBADMSG;
}

FIXTURE(standby)
{
	struct kreg_client *client;
	struct kreg_table *table;
	struct kid kid;
	struct kreg_process kid_proc;
	char name[32];
};

FIXTURE_SETUP(standby)
{
	snprintf(self->name, sizeof(self->name), "owner-%d", getpid());
	ASSERT_EQ(0, kid_start(&self->kid, kid_act, self->name));
	ASSERT_EQ(0, kreg_client_open(NULL, &self->client));
	ASSERT_EQ(0, kreg_table_create(self->client, self->name, &self->table));
	ASSERT_EQ(0, kreg_process_find(self->client, self->kid.pid, &self->kid_proc));
}

FIXTURE_TEARDOWN(standby)
{
	if (self->kid.pid)
		kid_kill(&self->kid);
	kreg_table_destroy(self->table);
	kreg_table_close(self->table);
	kreg_client_close(self->client);
}

/* 0: there is a place in line; 1: owned at once. */
static int stand_by(struct kreg_client *client, const char *name, kreg_event_fn fn, void *arg,
		    struct kreg_ref **ref)
{
	struct kreg_table *table;
	int ret = kreg_table_standby(client, name, NULL, fn, arg, &table, ref);

	if (!ret)
		kreg_table_close(table);
	return ret ? ret : !*ref;
}

TEST_F(standby, granted)
{
	const struct kreg_event *m;
	struct kreg_ref *ref;
	int status;

	ASSERT_EQ(0, kreg_table_give(self->table, &self->kid_proc, NULL, 0));
	ASSERT_EQ(0, stand_by(self->client, self->name, NULL, self, &ref));
	EXPECT_EQ(self, kreg_ref_arg(ref));
	EXPECT_EQ(0, kreg_ref_process(ref).pid);
	EXPECT_EQ(-EAGAIN, kreg_event_next(self->client, 0, &m));
	kid_kill(&self->kid);
	ASSERT_EQ(0, kreg_event_next(self->client, 0, &m));
	EXPECT_EQ(KREG_EVENT_TRANSFER, kreg_event_kind(m));
	EXPECT_EQ(KREG_CAUSE_CLAIM, kreg_event_cause(m));
	EXPECT_EQ(kreg_table_id(self->table), kreg_event_table(m));
	EXPECT_EQ(self->kid_proc.pid, kreg_event_process(m).pid);
	EXPECT_TRUE(kreg_event_status(m, &status));
	EXPECT_EQ(ref, kreg_event_ref(m));
	EXPECT_EQ(0, kreg_ref_cancel(ref));
	EXPECT_EQ(0, kreg_put(self->table, "k", 1, "v", 1));
	/* It is the caller's already. */
	EXPECT_EQ(1, stand_by(self->client, self->name, NULL, NULL, &ref));
}

TEST_F(standby, cancelled)
{
	const struct kreg_event *m;
	struct kreg_stat *st;
	struct kreg_ref *ref;

	ASSERT_EQ(0, kreg_table_set_orphan(self->table, KREG_ORPHAN_PARK, 0));
	ASSERT_EQ(0, kreg_table_give(self->table, &self->kid_proc, NULL, 0));
	ASSERT_EQ(0, stand_by(self->client, self->name, NULL, NULL, &ref));
	EXPECT_EQ(1, kreg_ref_cancel(ref));
	kid_kill(&self->kid);
	EXPECT_EQ(-EAGAIN, kreg_event_next(self->client, 0, &m));
	ASSERT_EQ(0, kreg_table_stat(self->table, &st));
	EXPECT_TRUE(kreg_stat_parked(st));
	kreg_stat_free(st);
	/* Nobody has it: then it is claimed. */
	EXPECT_EQ(1, stand_by(self->client, self->name, NULL, NULL, &ref));
	EXPECT_EQ(0, kreg_put(self->table, "k", 1, "v", 1));
}

static void count_gone(const struct kreg_event *event, void *arg)
{
	*(int *)arg += kreg_event_kind(event) == KREG_EVENT_GONE;
}

TEST_F(standby, gone)
{
	struct kreg_client *other;
	struct kreg_ref *ref;
	int gone = 0;

	ASSERT_EQ(0, kreg_table_give(self->table, &self->kid_proc, NULL, 0));
	ASSERT_EQ(0, stand_by(self->client, self->name, count_gone, &gone, &ref));
	/* Root may destroy it. */
	EXPECT_EQ(0, kreg_table_destroy(self->table));
	EXPECT_EQ(1, kreg_client_dispatch(self->client, 0));
	EXPECT_EQ(1, gone);
	EXPECT_EQ(0, kreg_ref_cancel(ref));
	EXPECT_EQ(-ENOENT, stand_by(self->client, self->name, NULL, NULL, &ref));
	other = open_as_other(0666);
	ASSERT_NE(NULL, other);
	kreg_table_close(self->table);
	ASSERT_EQ(0, kreg_table_create(self->client, "hers", &self->table));
	EXPECT_EQ(-EPERM, stand_by(other, "hers", NULL, NULL, &ref));
	kreg_client_close(other);
}

/* With options for a table that is not there it is made, and kreg_table_open() has no such flag. */
TEST_F(standby, creates)
{
	struct kreg_open_options o = { .size = sizeof(o), .mode = 0660 };
	struct kreg_table *table;
	struct kreg_ref *ref = (void *)self;

	ASSERT_EQ(0, kreg_table_standby(self->client, "fresh", &o, NULL, NULL, &table, &ref));
	EXPECT_EQ(NULL, ref);
	EXPECT_EQ(KREG_OPENED_CREATED, kreg_table_opened(table));
	EXPECT_EQ(0, kreg_table_destroy(table));
	kreg_table_close(table);
	o.flags = KREG_OPEN_WAIT;
	EXPECT_EQ(-EINVAL, kreg_table_standby(self->client, "fresh", &o, NULL, NULL, &table,
					      &ref));
	o = (struct kreg_open_options){
		.size = sizeof(o), .flags = KREG_OPEN_CLAIM | KREG_OPEN_STANDBY,
	};
	EXPECT_EQ(-EOPNOTSUPP, kreg_table_open(self->client, "fresh", &o, &table));
}

TEST_HARNESS_MAIN
