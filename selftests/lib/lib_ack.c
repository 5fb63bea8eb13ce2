// SPDX-License-Identifier: GPL-2.0
/* libkreg: who tells something waits until it is acknowledged. */
#include "lib/event.h"

static void ignore(const struct kreg_event *event, void *arg)
{
	++*(int *)arg;
}

/* Subscribes with a handler and takes events until it is killed. */
static int serve(struct kreg_client *client, char letter, const char *name)
{
	struct kreg_table *table;
	struct kreg_ref *ref;
	static int count;
	int ret;

	if (letter == 'd')
		return kreg_client_dispatch(client, PATIENCE_MS);
	ret = kreg_table_open(client, name, NULL, &table);
	return ret ? ret : kreg_subscribe(table, ALL, KREG_SUBSCRIBE_ACK, 0, ignore, &count, &ref);
}

/* Tells something, and how many have not acknowledged it. */
static int tell(struct kreg_client *client, char letter, const char *name)
{
	struct kreg_table *table;
	int ret = kreg_table_open(client, name, NULL, &table);

	if (!ret) {
		ret = kreg_sync_notify(table, "told", 4, "", 0, letter == 'n' ? 0 : PATIENCE_MS);
		kreg_table_close(table);
	}
	return ret;
}

static bool has_answered(const struct kid *kid, int ms)
{
	struct pollfd answer = { .fd = kid->sock, .events = POLLIN };

	return poll(&answer, 1, ms) == 1;
}

TEST_F(lib, handler_acknowledges)
{
	struct kid kid;

	ASSERT_EQ(0, kid_start(&kid, serve, self->name));
	ASSERT_EQ(0, kid_do(&kid, 's'));
	EXPECT_EQ(1, kreg_sync_notify(self->table, "k", 1, "", 0, 0));
	EXPECT_EQ(1, kreg_sync_notify(self->table, "k", 1, "", 0, 10));
	EXPECT_EQ(2, kid_do(&kid, 'd'));
	ASSERT_EQ(1, write(kid.sock, "d", 1));
	EXPECT_EQ(0, kreg_sync_notify(self->table, "k", 1, "", 0, -1));
	EXPECT_EQ(1, kid_answer(&kid));
	kid_kill(&kid);
	/* The dead are not waited for. */
	EXPECT_EQ(0, kreg_sync_notify(self->table, "k", 1, "", 0, -1));
}

/* Of a batch before it they were told first. */
TEST_F(lib, batch_before_it)
{
	struct kreg_batch *batch;
	struct kid kid;

	ASSERT_EQ(0, kid_start(&kid, serve, self->name));
	ASSERT_EQ(0, kid_do(&kid, 's'));
	ASSERT_EQ(0, kreg_batch_new(self->table, KREG_BATCH_ATOMIC, &batch));
	EXPECT_EQ(0, kreg_batch_put(batch, "a", 1, "", 0));
	EXPECT_EQ(1, kreg_batch_del(batch, "a", 1));
	EXPECT_EQ(2, kreg_batch_run(batch));
	kreg_batch_free(batch);
	EXPECT_EQ(1, kreg_sync_notify(self->table, "k", 1, "", 0, 0));
	EXPECT_EQ(3, kid_do(&kid, 'd'));
	kid_kill(&kid);
}

static void *kill_soon(void *arg)
{
	usleep(100000);
	kid_kill(arg);
	return NULL;
}

TEST_F(lib, subscriber_dies_meanwhile)
{
	pthread_t thread;
	struct kid kid;

	ASSERT_EQ(0, kid_start(&kid, serve, self->name));
	ASSERT_EQ(0, kid_do(&kid, 's'));
	ASSERT_EQ(0, pthread_create(&thread, NULL, kill_soon, &kid));
	EXPECT_EQ(0, kreg_sync_notify(self->table, "k", 1, "", 0, -1));
	pthread_join(thread, NULL);
}

TEST_F(lib, acknowledge_without_a_handler)
{
	const struct kreg_event *event;
	struct kreg_ref *ref;
	struct kid kid;

	ASSERT_EQ(0, kreg_table_set_access(self->table, KREG_ACCESS_PUBLIC));
	ASSERT_EQ(0, kid_start(&kid, tell, self->name));
	ASSERT_EQ(0, kreg_subscribe(self->table, KIND(USER), KREG_SUBSCRIBE_ACK, 0, NULL, NULL,
				    &ref));
	EXPECT_EQ(1, kid_do(&kid, 'n'));
	test_next(self->client, KREG_EVENT_USER, "told");
	ASSERT_EQ(1, write(kid.sock, "w", 1));
	/* The one before does not do. */
	event = test_next(self->client, KREG_EVENT_USER, "told");
	EXPECT_FALSE(has_answered(&kid, 100));
	EXPECT_EQ(0, kreg_event_ack(event));
	EXPECT_EQ(0, kid_answer(&kid));
	EXPECT_EQ(0, kreg_event_ack(event));
	/* Neither does an event that was lost count as missing for ever. */
	ASSERT_EQ(1, write(kid.sock, "w", 1));
	test_next(self->client, KREG_EVENT_USER, "told");
	EXPECT_EQ(1, kreg_ref_cancel(ref));
	EXPECT_EQ(0, kid_answer(&kid));
	kid_kill(&kid);
}

TEST_F(lib, lost_events_are_acknowledged)
{
	struct kreg_ref *ref;
	struct kid kid;
	int i;

	ASSERT_EQ(0, kreg_table_set_access(self->table, KREG_ACCESS_PUBLIC));
	ASSERT_EQ(0, kid_start(&kid, tell, self->name));
	ASSERT_EQ(0, kreg_subscribe(self->table, KIND(USER), KREG_SUBSCRIBE_ACK, 0, NULL, NULL,
				    &ref));
	ASSERT_EQ(1, write(kid.sock, "w", 1));
	EXPECT_FALSE(has_answered(&kid, 100));
	for (i = 0; i < 2000; i++)
		ASSERT_EQ(0, kreg_ack_notify(self->table, "k", 1, "", 0));
	EXPECT_FALSE(has_answered(&kid, 0));
	EXPECT_EQ(0, kreg_event_ack(test_next(self->client, KREG_EVENT_OVERFLOW, "")));
	EXPECT_EQ(0, kid_answer(&kid));
	EXPECT_EQ(1, kreg_ref_cancel(ref));
	kid_kill(&kid);
}

/*
 * Events that only the library reads are acknowledged by it, but not before one that the
 * program has and has not acknowledged.
 */
TEST_F(lib, passed_over)
{
	struct kreg_ref *ref;
	struct kid kid;

	ASSERT_EQ(0, kreg_table_set_access(self->table, KREG_ACCESS_PUBLIC));
	ASSERT_EQ(0, kid_start(&kid, tell, self->name));
	ASSERT_EQ(0, kreg_subscribe(self->table, KIND(USER),
				    KREG_SUBSCRIBE_ACK | KREG_SUBSCRIBE_PRESENT, 0, NULL, NULL,
				    &ref));
	EXPECT_EQ(0, kreg_event_ack(test_next(self->client, KREG_EVENT_READY, "")));
	ASSERT_EQ(1, write(kid.sock, "w", 1));
	test_next(self->client, KREG_EVENT_USER, "told");
	ASSERT_EQ(0, put(self->table, "k", ""));
	test_none(self->client);
	EXPECT_FALSE(has_answered(&kid, 100));
	ASSERT_EQ(0, kreg_ack_notify(self->table, "own", 3, "", 0));
	EXPECT_EQ(0, kreg_event_ack(test_next(self->client, KREG_EVENT_USER, "own")));
	EXPECT_EQ(0, kid_answer(&kid));
	EXPECT_EQ(1, kreg_ref_cancel(ref));
	kid_kill(&kid);
}

/* Runs a command; returns its wait status, and its first line. */
static int run(const char *command, char *line, int room)
{
	FILE *out = popen(command, "r");

	*line = '\0';
	if (!out)
		return -1;
	if (fgets(line, room, out))
		line[strcspn(line, "\n")] = '\0';
	return pclose(out);
}

/* The command tells how many have not acknowledged, which no command does itself. */
TEST_F(lib, command_tells_who_is_missing)
{
	char command[128], line[128];
	struct kreg_ref *ref;

	ASSERT_EQ(0, kreg_table_set_access(self->table, KREG_ACCESS_PUBLIC));
	ASSERT_EQ(0, kreg_subscribe(self->table, KIND(USER), KREG_SUBSCRIBE_ACK, 0, NULL, NULL,
				    &ref));
	snprintf(command, sizeof(command), "kreg publish --sync --timeout 0 %s k v 2>&1",
		 self->name);
	EXPECT_EQ(6, WEXITSTATUS(run(command, line, sizeof(line))));
	EXPECT_STREQ("kreg publish: published; 1 subscriber has not acknowledged it in time", line);
	snprintf(command, sizeof(command), "kreg publish --json -s -t 10ms %s k v 2>/dev/null",
		 self->name);
	EXPECT_EQ(6, WEXITSTATUS(run(command, line, sizeof(line))));
	EXPECT_STREQ("{\"missing\":1}", line);
	EXPECT_EQ(1, kreg_ref_cancel(ref));
}

TEST_F(lib, nothing_to_acknowledge)
{
	const struct kreg_event *event;
	struct kreg_ref *ref;

	ASSERT_EQ(0, kreg_subscribe(self->table, ALL, 0, 0, NULL, NULL, &ref));
	ASSERT_EQ(0, put(self->table, "k", ""));
	event = test_next(self->client, KREG_EVENT_CREATE, "k");
	EXPECT_EQ(-EINVAL, kreg_event_ack(event));
	EXPECT_EQ(1, kreg_ref_cancel(ref));
	EXPECT_EQ(-EINVAL, kreg_event_ack(event));
	ASSERT_EQ(0, kreg_subscribe(self->table, ALL, KREG_SUBSCRIBE_ACK, 0, NULL, NULL, &ref));
	ASSERT_EQ(0, put(self->table, "k", ""));
	event = test_next(self->client, KREG_EVENT_UPDATE, "k");
	EXPECT_EQ(0, kreg_event_ack(event));
	ASSERT_EQ(0, kreg_table_destroy(self->table));
	event = test_next(self->client, KREG_EVENT_GONE, "");
	EXPECT_EQ(-ENOENT, kreg_event_ack(event));
	EXPECT_STREQ("the subscription has ended; nobody waits for it", kreg_errmsg());
	EXPECT_EQ(0, kreg_ref_cancel(ref));
}

TEST_HARNESS_MAIN
