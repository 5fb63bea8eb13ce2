// SPDX-License-Identifier: GPL-2.0
/* libkreg: waiting for keys and names, in the call and by an event. */
#include "lib/lib.h"

static uint64_t version_of(struct kreg_table *table, const char *key)
{
	struct kreg_op_args args = KREG_OP_ARGS_INIT;

	args.code = KREG_OP_MEMBER;
	args.key = key;
	args.key_len = strlen(key);
	return kreg_op_run(table, &args) ? 0 : args.out_version;
}

TEST_F(lib, wait_holds)
{
	uint64_t version;

	EXPECT_EQ(-ETIMEDOUT, kreg_wait(self->table, "k", 1, KREG_WATCH_PRESENT, 0, 0));
	EXPECT_STREQ("ETIMEDOUT", kreg_error_name(-ETIMEDOUT));
	EXPECT_NE(NULL, strstr(kreg_errmsg(), self->name));
	EXPECT_EQ(0, kreg_wait(self->table, "k", 1, KREG_WATCH_ABSENT, 0, -1));
	ASSERT_EQ(0, kreg_put(self->table, "k", 1, "v", 1));
	version = version_of(self->table, "k");
	EXPECT_EQ(0, kreg_wait(self->table, "k", 1, KREG_WATCH_PRESENT, 0, -1));
	EXPECT_EQ(0, kreg_wait(self->table, "k", 1, KREG_WATCH_CHANGED, 0, -1));
	EXPECT_EQ(-ETIMEDOUT, kreg_wait(self->table, "k", 1, KREG_WATCH_CHANGED, version, 10));
	EXPECT_EQ(0, kreg_wait_name(self->client, self->name, KREG_WATCH_PRESENT, -1));
	EXPECT_EQ(0, kreg_wait_name(self->client, "no such", KREG_WATCH_ABSENT, INT64_MAX));
	EXPECT_EQ(-ETIMEDOUT, kreg_wait_name(self->client, "no such", KREG_WATCH_PRESENT, 10));
}

TEST_F(lib, wait_errors)
{
	char long_key[KREG_MAX_KEY + 1] = "", long_name[KREG_MAX_NAME + 2];
	struct kreg_ref *ref;

	memset(long_name, 'x', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	EXPECT_EQ(-EINVAL, kreg_wait(self->table, "", 0, KREG_WATCH_PRESENT, 0, 0));
	EXPECT_EQ(-EINVAL, kreg_wait(self->table, "k", 1, KREG_WATCH_PRESENT, 1, 0));
	EXPECT_EQ(-EINVAL, kreg_wait(self->table, "k", 1, KREG_WATCH_HOLDER, 0, 0));
	EXPECT_EQ(-ENAMETOOLONG, kreg_wait(self->table, long_key, sizeof(long_key),
					   KREG_WATCH_PRESENT, 0, 0));
	EXPECT_EQ(-EINVAL, kreg_wait_name(self->client, "", KREG_WATCH_PRESENT, 0));
	EXPECT_EQ(-EINVAL, kreg_wait_name(self->client, "x", KREG_WATCH_CHANGED, 0));
	EXPECT_EQ(-ENAMETOOLONG, kreg_wait_name(self->client, long_name, KREG_WATCH_ABSENT, 0));
	EXPECT_EQ(-EINVAL, kreg_when(self->table, "k", 1, KREG_WATCH_OWNER, 0, NULL, NULL, &ref));
	EXPECT_EQ(-ENAMETOOLONG, kreg_when(self->table, long_key, sizeof(long_key),
					   KREG_WATCH_ABSENT, 0, NULL, NULL, &ref));
	EXPECT_EQ(-EINVAL, kreg_when_name(self->client, "x", KREG_WATCH_CHANGED, NULL, NULL, &ref));
}

static void *put_later(void *arg)
{
	usleep(20000);
	return (void *)(long)kreg_put(arg, "k", 1, "v", 1);
}

TEST_F(lib, wait_sleeps)
{
	pthread_t thread;
	void *ret;

	ASSERT_EQ(0, pthread_create(&thread, NULL, put_later, self->table));
	EXPECT_EQ(0, kreg_wait(self->table, "k", 1, KREG_WATCH_PRESENT, 0, -1));
	ASSERT_EQ(0, pthread_join(thread, &ret));
	EXPECT_EQ(NULL, ret);
	EXPECT_NE(0, version_of(self->table, "k"));
}

struct told {
	int count;
	unsigned int kind;
	char key[8];
};

static void on_ready(const struct kreg_event *event, void *arg)
{
	struct told *told = arg;

	told->count++;
	told->kind = kreg_event_kind(event);
	kreg_event_name(event, told->key, sizeof(told->key), NULL);
}

TEST_F(lib, when)
{
	const struct kreg_event *event;
	struct kreg_ref *ref, *other;
	struct told told = { 0 };

	ASSERT_EQ(0, kreg_when(self->table, "k", 1, KREG_WATCH_PRESENT, 0, on_ready, &told, &ref));
	ASSERT_EQ(0, kreg_when(self->table, "l", 1, KREG_WATCH_PRESENT, 0, NULL, NULL, &other));
	EXPECT_EQ(0, kreg_client_dispatch(self->client, 0));
	ASSERT_EQ(0, kreg_put(self->table, "k", 1, "v", 1));
	EXPECT_EQ(1, kreg_client_dispatch(self->client, 0));
	EXPECT_EQ(1, told.count);
	EXPECT_EQ(KREG_EVENT_READY, told.kind);
	EXPECT_STREQ("k", told.key);
	EXPECT_EQ(0, kreg_ref_cancel(ref));
	ASSERT_EQ(0, kreg_put(self->table, "l", 1, "v", 1));
	ASSERT_EQ(0, kreg_event_next(self->client, 0, &event));
	EXPECT_EQ(other, kreg_event_ref(event));
	EXPECT_EQ(kreg_table_id(self->table), kreg_event_table(event));
	EXPECT_EQ(0, kreg_event_process(event).pid);
	EXPECT_EQ(0, kreg_ref_cancel(other));
	ASSERT_EQ(0, kreg_when(self->table, "k", 1, KREG_WATCH_ABSENT, 0, on_ready, &told, &ref));
	EXPECT_EQ(1, kreg_ref_cancel(ref));
}

TEST_F(lib, when_gone)
{
	const struct kreg_event *event;
	struct kreg_ref *ref;

	ASSERT_EQ(0, kreg_when(self->table, "k", 1, KREG_WATCH_PRESENT, 0, NULL, NULL, &ref));
	ASSERT_EQ(0, kreg_table_destroy(self->table));
	ASSERT_EQ(0, kreg_event_next(self->client, PATIENCE_MS, &event));
	EXPECT_EQ(KREG_EVENT_GONE, kreg_event_kind(event));
	EXPECT_EQ(0, kreg_event_cause(event));
	EXPECT_EQ(0, kreg_ref_cancel(ref));
	EXPECT_EQ(-ESTALE, kreg_wait(self->table, "k", 1, KREG_WATCH_PRESENT, 0, -1));
}

TEST_F(lib, when_name)
{
	struct told told = { 0 };
	struct kreg_table *table;
	struct kreg_ref *ref;

	ASSERT_EQ(0, kreg_when_name(self->client, "later", KREG_WATCH_PRESENT, on_ready, &told,
				    &ref));
	EXPECT_EQ(0, kreg_client_dispatch(self->client, 0));
	ASSERT_EQ(0, kreg_table_create(self->client, "later", &table));
	EXPECT_EQ(1, kreg_client_dispatch(self->client, 0));
	EXPECT_STREQ("later", told.key);
	EXPECT_EQ(0, kreg_ref_cancel(ref));
	ASSERT_EQ(0, kreg_when_name(self->client, "later", KREG_WATCH_ABSENT, on_ready, &told,
				    &ref));
	ASSERT_EQ(0, kreg_table_destroy(table));
	EXPECT_EQ(1, kreg_client_dispatch(self->client, 0));
	EXPECT_EQ(KREG_EVENT_READY, told.kind);
	EXPECT_EQ(0, kreg_ref_cancel(ref));
	kreg_table_close(table);
}

TEST_HARNESS_MAIN
