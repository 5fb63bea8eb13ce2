// SPDX-License-Identifier: GPL-2.0
/* libkreg: first what is there, then what changes. */
#include <sys/epoll.h>

#include "kit/util.h"
#include "lib/event.h"

#define KEYS	2000

static int put_number(struct kreg_table *table, unsigned int key, unsigned int value)
{
	char bytes[100] = "";

	memcpy(bytes, &value, sizeof(value));
	return kreg_put(table, &key, sizeof(key), bytes, sizeof(bytes));
}

/* A table as it follows from the events. */
struct copy {
	uint64_t version[KEYS];		/* 0: the key is not there */
	uint64_t last[KEYS];		/* version of the last event of the key */
	unsigned int told;
	unsigned int wrong;
	unsigned int unknown;		/* events of keys that were not told of */
	bool ready;
};

static void change(struct copy *copy, const struct kreg_event *event)
{
	unsigned int kind = kreg_event_kind(event), key;
	uint64_t version = kreg_event_version(event);

	memcpy(&key, kreg_event_key(event, NULL), sizeof(key));
	if (kind == KREG_EVENT_CREATE ? copy->version[key] != 0 : !copy->version[key])
		copy->unknown++;
	copy->wrong += version <= copy->last[key];
	copy->last[key] = version;
	copy->version[key] = kind == KREG_EVENT_DELETE ? 0 : version;
}

static void apply(const struct kreg_event *event, void *arg)
{
	struct copy *copy = arg;

	switch (kreg_event_kind(event)) {
	case KREG_EVENT_READY:
		copy->wrong += copy->ready;
		copy->ready = true;
		break;
	case KREG_EVENT_CREATE:
	case KREG_EVENT_UPDATE:
	case KREG_EVENT_DELETE:
		copy->told += !copy->ready;
		copy->wrong += !copy->ready && kreg_event_kind(event) != KREG_EVENT_CREATE;
		change(copy, event);
		break;
	case KREG_EVENT_CLEAR:
		memset(copy->version, 0, sizeof(copy->version));
		memset(copy->last, 0, sizeof(copy->last));
		break;
	default:
		copy->wrong++;
	}
}

/* Objects in which table and copy differ. */
static unsigned int difference(struct kreg_table *table, const struct copy *copy)
{
	const struct kreg_object *object;
	unsigned int there = 0, found = 0, wrong = 0, key;
	struct kreg_scan *scan;

	for (key = 0; key < KEYS; key++)
		there += copy->version[key] != 0;
	if (kreg_scan_open(table, NULL, &scan))
		return KEYS;
	while (kreg_scan_next(scan, &object) == 1) {
		memcpy(&key, kreg_object_key(object, NULL), sizeof(key));
		wrong += copy->version[key] != kreg_object_version(object);
		found++;
	}
	kreg_scan_close(scan);
	return wrong + (there > found ? there - found : found - there);
}

TEST_F(lib, objects_then_ready_then_changes)
{
	static char value[100000];
	struct kreg_process me;
	const struct kreg_event *event;
	struct kreg_ref *ref;
	size_t len;

	ASSERT_EQ(0, kreg_client_self(self->client, &me));
	ASSERT_EQ(0, kreg_register(self->table, "k", 1, value, sizeof(value)));
	ASSERT_EQ(0, kreg_subscribe(self->table, ALL, KREG_SUBSCRIBE_PRESENT, 0, NULL, NULL,
				    &ref));
	event = test_next(self->client, KREG_EVENT_CREATE, "k");
	EXPECT_NE(NULL, kreg_event_value(event, &len));
	EXPECT_EQ(sizeof(value), len);
	EXPECT_EQ(me.cookie, kreg_event_process(event).cookie);
	EXPECT_NE(0, kreg_event_version(event));
	EXPECT_EQ(ref, kreg_event_ref(event));
	EXPECT_EQ(kreg_table_id(self->table), kreg_event_table(event));
	EXPECT_GE(kreg_deadline(0), kreg_event_time_ns(event));
	event = test_next(self->client, KREG_EVENT_READY, "");
	EXPECT_EQ(ref, kreg_event_ref(event));
	test_none(self->client);
	ASSERT_EQ(0, put(self->table, "k", "new"));
	test_value(test_next(self->client, KREG_EVENT_UPDATE, "k"), "new");
	EXPECT_EQ(1, kreg_ref_cancel(ref));
}

/* A loop that waits for the descriptor learns of it, also an edge-triggered one. */
TEST_F(lib, readable)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct kreg_ref *ref, *second;
	struct copy *copy = calloc(2, sizeof(*copy));

	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, kreg_client_fd(self->client), &event));
	EXPECT_EQ(0, epoll_wait(epoll, &event, 1, 0));
	ASSERT_EQ(0, put_number(self->table, 1, 1));
	ASSERT_EQ(0, kreg_subscribe(self->table, ALL, KREG_SUBSCRIBE_PRESENT, 0, apply, copy,
				    &ref));
	ASSERT_EQ(0, kreg_subscribe(self->table, ALL, KREG_SUBSCRIBE_PRESENT, 0, apply, copy + 1,
				    &second));
	EXPECT_EQ(1, epoll_wait(epoll, &event, 1, PATIENCE_MS));
	EXPECT_EQ(4, kreg_client_dispatch(self->client, 0));
	EXPECT_TRUE(copy[0].ready && copy[0].told == 1 && !copy[0].wrong);
	EXPECT_TRUE(copy[1].ready && copy[1].told == 1 && !copy[1].wrong);
	EXPECT_EQ(0, epoll_wait(epoll, &event, 1, 0));
	ASSERT_EQ(0, put_number(self->table, 1, 1));
	EXPECT_EQ(1, epoll_wait(epoll, &event, 1, PATIENCE_MS));
	EXPECT_EQ(2, kreg_client_dispatch(self->client, 0));
	close(epoll);
	free(copy);
	EXPECT_EQ(1, kreg_ref_cancel(ref));
	EXPECT_EQ(1, kreg_ref_cancel(second));
}

/* One write while an event is handed out: to a key that is there, or not, or all of them. */
static int write_one(struct kreg_table *table, unsigned int *state, bool clear)
{
	unsigned int n = (*state = *state * 1103515245 + 12345) >> 8, key = n % KEYS;

	if (clear)
		return kreg_clear(table, NULL);
	if (n % 3)
		return put_number(table, key, n);
	return kreg_del(table, &key, sizeof(key)) < 0 ? -1 : 0;
}

static void follow(struct __test_metadata *_metadata, struct kreg_client *client,
		   struct kreg_table *table, bool clear)
{
	struct copy *copy = calloc(1, sizeof(*copy));
	const struct kreg_event *event;
	unsigned int state = 1, i, n;
	struct kreg_ref *ref;
	int ret;

	for (i = 0; i < KEYS; i += 2)
		ASSERT_EQ(0, put_number(table, i, i));
	ASSERT_EQ(0, kreg_subscribe(table, ALL, KREG_SUBSCRIBE_PRESENT, 0, NULL, NULL, &ref));
	for (i = n = 0; (ret = kreg_event_next(client, 0, &event)) == 0; i++) {
		apply(event, copy);
		if (i % 8 || n == 200)
			continue;
		n++;
		ASSERT_EQ(0, write_one(table, &state, clear && n % 60 == 59));
	}
	EXPECT_EQ(-EAGAIN, ret);
	EXPECT_TRUE(copy->ready);
	EXPECT_LT(clear ? 100 : KEYS / 4, copy->told);
	EXPECT_EQ(0, copy->wrong);
	EXPECT_EQ(0, difference(table, copy));
	TH_LOG("told %u, unknown %u", copy->told, copy->unknown);
	free(copy);
	EXPECT_EQ(1, kreg_ref_cancel(ref));
}

TEST_F(lib, written_meanwhile)
{
	follow(_metadata, self->client, self->table, false);
}

TEST_F(lib, cleared_meanwhile)
{
	follow(_metadata, self->client, self->table, true);
}

#define MANY	40000

/*
 * All keys are written while the first objects are told: the keys that the library keeps are
 * more than it may keep, and it knows all of which there are events still.
 */
TEST_F_TIMEOUT(lib, bounded, test_scale(30))
{
	static char value[16];
	const struct kreg_event *event;
	struct kreg_ref *ref;
	unsigned int i, n = 0;

	for (i = 0; i < MANY; i++)
		ASSERT_EQ(0, kreg_put(self->table, &i, sizeof(i), value, sizeof(value)));
	ASSERT_EQ(0, kreg_subscribe(self->table, ALL, KREG_SUBSCRIBE_PRESENT, 0, NULL, NULL,
				    &ref));
	ASSERT_EQ(0, kreg_event_next(self->client, 0, &event));
	for (i = 0; i < MANY; i++)
		ASSERT_EQ(0, kreg_put(self->table, &i, sizeof(i), value, sizeof(value)));
	for (i = 1; i < MANY; i++) {
		ASSERT_EQ(0, kreg_event_next(self->client, 0, &event));
		ASSERT_EQ(KREG_EVENT_CREATE, kreg_event_kind(event));
	}
	test_next(self->client, KREG_EVENT_READY, "");
	test_next(self->client, KREG_EVENT_OVERFLOW, "");
	/* Objects that were fetched before all were written are told of once more. */
	while (kreg_event_next(self->client, 0, &event) == 0)
		n += kreg_event_kind(event) == KREG_EVENT_UPDATE ? 1 : MANY;
	EXPECT_GT(100, n);
	ASSERT_EQ(0, put(self->table, "last", ""));
	test_next(self->client, KREG_EVENT_CREATE, "last");
	EXPECT_EQ(1, kreg_ref_cancel(ref));
}

TEST_F(lib, only_some_kinds)
{
	struct kreg_ref *ref;

	ASSERT_EQ(0, put(self->table, "a", ""));
	ASSERT_EQ(0, kreg_subscribe(self->table, KIND(DELETE), KREG_SUBSCRIBE_PRESENT, 0, NULL,
				    NULL, &ref));
	test_next(self->client, KREG_EVENT_CREATE, "a");
	test_next(self->client, KREG_EVENT_READY, "");
	ASSERT_EQ(0, put(self->table, "b", ""));
	ASSERT_EQ(1, del(self->table, "a"));
	ASSERT_EQ(0, kreg_clear(self->table, NULL));
	test_next(self->client, KREG_EVENT_DELETE, "a");
	test_none(self->client);
	EXPECT_EQ(1, kreg_ref_cancel(ref));
}

struct ending {
	struct kreg_client *close;
	struct kreg_ref *ref;
	int count;
	int ret;
};

static void end_at_once(const struct kreg_event *event, void *arg)
{
	struct ending *ending = arg;

	ending->count++;
	ending->ret = kreg_ref_cancel(ending->ref);
	if (ending->close)
		kreg_client_close(ending->close);
}

TEST_F(lib, ended_by_its_handler)
{
	struct ending ending = { 0 };
	struct kreg_client *client;
	struct kreg_table *table;
	int i;

	for (i = 0; i < 10; i++)
		ASSERT_EQ(0, put_number(self->table, i, i));
	ASSERT_EQ(0, kreg_subscribe(self->table, ALL, KREG_SUBSCRIBE_PRESENT, 0, end_at_once,
				    &ending, &ending.ref));
	EXPECT_EQ(1, kreg_client_dispatch(self->client, 0));
	EXPECT_EQ(1, ending.ret);
	EXPECT_EQ(1, ending.count);
	ASSERT_EQ(0, kreg_client_open(NULL, &client));
	ASSERT_EQ(0, kreg_table_open(client, self->name, NULL, &table));
	ASSERT_EQ(0, kreg_subscribe(table, ALL, KREG_SUBSCRIBE_PRESENT, 0, end_at_once, &ending,
				    &ending.ref));
	ending.close = client;
	EXPECT_EQ(1, kreg_client_dispatch(client, 0));
	EXPECT_EQ(2, ending.count);
	kreg_table_close(table);
}

/* Neither what was there nor READY is told, but why. */
TEST_F(lib, table_is_gone)
{
	struct kreg_ref *ref;

	ASSERT_EQ(0, put(self->table, "a", ""));
	ASSERT_EQ(0, kreg_subscribe(self->table, ALL, KREG_SUBSCRIBE_PRESENT, 0, NULL, NULL,
				    &ref));
	ASSERT_EQ(0, kreg_table_destroy(self->table));
	test_next(self->client, KREG_EVENT_GONE, "");
	test_none(self->client);
	EXPECT_EQ(0, kreg_ref_cancel(ref));
}

TEST_F(lib, right_is_lost)
{
	struct kreg_client *other = open_as_other(0666);
	const struct kreg_event *event;
	struct kreg_table *table;
	struct kreg_ref *ref;

	ASSERT_NE(NULL, other);
	ASSERT_EQ(0, kreg_table_set_mode(self->table, 0644));
	ASSERT_EQ(0, put(self->table, "secret", ""));
	ASSERT_EQ(0, kreg_table_open(other, self->name, NULL, &table));
	ASSERT_EQ(0, kreg_subscribe(table, ALL, KREG_SUBSCRIBE_PRESENT, 0, NULL, NULL, &ref));
	ASSERT_EQ(0, kreg_table_set_mode(self->table, 0600));
	event = test_next(other, KREG_EVENT_GONE, "");
	EXPECT_EQ(KREG_CAUSE_ACCESS, kreg_event_cause(event));
	ASSERT_EQ(0, kreg_table_set_mode(self->table, 0644));
	ASSERT_EQ(0, put(self->table, "more", ""));
	test_none(other);
	EXPECT_EQ(0, kreg_ref_cancel(ref));
	kreg_table_close(table);
	kreg_client_close(other);
}

/* What was not told when a child was forked is the parent's. */
TEST_F(lib, child_of_fork)
{
	struct kreg_ref *ref;
	int status = -1;
	pid_t pid;

	ASSERT_EQ(0, put(self->table, "a", ""));
	ASSERT_EQ(0, put(self->table, "b", ""));
	ASSERT_EQ(0, kreg_subscribe(self->table, KIND(UPDATE), KREG_SUBSCRIBE_PRESENT, 0, NULL,
				    NULL, &ref));
	pid = fork();
	if (!pid) {
		const struct kreg_event *event;

		status = kreg_event_next(self->client, 0, &event) != -EAGAIN;
		_exit(kreg_ref_cancel(ref) == -ESTALE ? status : 2);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(1, kreg_ref_cancel(ref));
	test_none(self->client);
}

TEST_HARNESS_MAIN
