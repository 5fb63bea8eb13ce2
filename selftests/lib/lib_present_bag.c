// SPDX-License-Identifier: GPL-2.0
/* libkreg: what is there, then what changes, where a key may have several objects. */
#include "kit/file.h"
#include "kit/util.h"
#include "lib/bag.h"
#include "lib/event.h"

#define KEYS	64
#define OBJECTS	100		/* of a key, at most */
#define WRITES	400		/* whose events the kernel keeps all */

FIXTURE(bag)
{
	struct kreg_client *client;
	struct kreg_table *table;
	struct kreg_ref *ref;
};

FIXTURE_VARIANT(bag)
{
	enum kreg_type type;
};

FIXTURE_VARIANT_ADD(bag, bag) { .type = KREG_TYPE_BAG };
FIXTURE_VARIANT_ADD(bag, duplicate_bag) { .type = KREG_TYPE_DUPLICATE_BAG };

FIXTURE_SETUP(bag)
{
	ASSERT_EQ(0, open_bag(variant->type, &self->client, &self->table));
}

FIXTURE_TEARDOWN(bag)
{
	close_bag(self->client, self->table);
}

#define SUBSCRIBE()									\
	ASSERT_EQ(0, kreg_subscribe(self->table, ALL, KREG_SUBSCRIBE_PRESENT, 0, NULL, NULL,	\
				    &self->ref))

/* Objects come in their order, and what was removed before is not told of. */
TEST_F(bag, objects_then_ready_then_changes)
{
	const struct kreg_event *event;
	uint64_t version;

	ASSERT_EQ(0, put(self->table, "k", "gone"));
	ASSERT_EQ(1, kreg_del(self->table, "k", 1));
	ASSERT_EQ(0, put(self->table, "k", "a"));
	ASSERT_EQ(0, put(self->table, "k", "b"));
	SUBSCRIBE();
	event = test_next(self->client, KREG_EVENT_CREATE, "k");
	test_value(event, "a");
	version = kreg_event_version(event);
	EXPECT_EQ(kreg_table_id(self->table), kreg_event_table(event));
	ASSERT_EQ(0, put(self->table, "k", "c"));
	event = test_next(self->client, KREG_EVENT_CREATE, "k");
	test_value(event, "b");
	EXPECT_LT(version, kreg_event_version(event));
	event = test_next(self->client, KREG_EVENT_READY, "");
	EXPECT_EQ(self->ref, kreg_event_ref(event));
	test_value(test_next(self->client, KREG_EVENT_CREATE, "k"), "c");
	ASSERT_EQ(1, kreg_del(self->table, "k", 1));
	test_next(self->client, KREG_EVENT_DELETE, "k");
	test_none(self->client);
	EXPECT_EQ(1, kreg_ref_cancel(self->ref));
}

/* Who registers is told of, and who has gone or unregisters. */
TEST_F(bag, processes)
{
	const struct kreg_event *event;
	struct kreg_process me;
	pid_t pid = registered(self->table, "k");

	ASSERT_LT(0, pid);
	ASSERT_EQ(0, kreg_client_self(self->client, &me));
	ASSERT_EQ(0, kreg_register(self->table, "k", 1, "mine", 4));
	SUBSCRIBE();
	event = test_next(self->client, KREG_EVENT_CREATE, "k");
	EXPECT_EQ(pid, (pid_t)kreg_event_process(event).pid);
	event = test_next(self->client, KREG_EVENT_CREATE, "k");
	EXPECT_EQ(me.cookie, kreg_event_process(event).cookie);
	test_next(self->client, KREG_EVENT_READY, "");
	EXPECT_EQ(1, kreg_unregister(self->table, "k", 1));
	event = test_next(self->client, KREG_EVENT_DELETE, "k");
	EXPECT_EQ(me.cookie, kreg_event_process(event).cookie);
	EXPECT_EQ(SIGKILL, end_process(pid));
	event = test_next(self->client, KREG_EVENT_EXIT, "k");
	EXPECT_EQ(pid, (pid_t)kreg_event_process(event).pid);
	test_none(self->client);
	EXPECT_EQ(1, kreg_ref_cancel(self->ref));
}

/* A table as it follows from the events: the values of each key. */
struct copy {
	unsigned int count[KEYS];
	unsigned int value[KEYS][OBJECTS];
	unsigned int told;
	bool ready;
	bool wrong;
};

static void apply(const struct kreg_event *event, struct copy *copy)
{
	unsigned int key = 0, kind = kreg_event_kind(event);
	size_t len;

	if (kind == KREG_EVENT_READY) {
		copy->wrong |= copy->ready;
		copy->ready = true;
		return;
	}
	if (kind == KREG_EVENT_CLEAR) {
		memset(copy->count, 0, sizeof(copy->count));
		return;
	}
	memcpy(&key, kreg_event_key(event, &len), sizeof(key));
	if (kind == KREG_EVENT_DELETE) {
		copy->count[key] = 0;
	} else if (kind == KREG_EVENT_CREATE && copy->count[key] < OBJECTS) {
		memcpy(&copy->value[key][copy->count[key]++], kreg_event_value(event, &len),
		       sizeof(key));
		copy->told += !copy->ready;
	} else {
		copy->wrong = true;
	}
}

/* Objects of @table that are not in the copy, in the order of their key. */
static unsigned int difference(struct kreg_table *table, const struct copy *copy)
{
	unsigned int key, value, wrong = 0, at[KEYS] = {};
	const struct kreg_object *object;
	struct kreg_scan *scan;

	if (kreg_scan_open(table, NULL, &scan))
		return KEYS;
	while (kreg_scan_next(scan, &object) == 1) {
		memcpy(&key, kreg_object_key(object, NULL), sizeof(key));
		memcpy(&value, kreg_object_value(object, NULL), sizeof(value));
		wrong += at[key] >= copy->count[key] || copy->value[key][at[key]] != value;
		at[key]++;
	}
	kreg_scan_close(scan);
	for (key = 0; key < KEYS; key++)
		wrong += at[key] != copy->count[key];
	return wrong;
}

/* One write: another object, or none any more of a key, or of all. */
static int write_one(struct kreg_table *table, unsigned int n)
{
	unsigned int key = n * 2654435761U >> 26;

	if (n == WRITES / 3)
		return kreg_clear(table, NULL);
	if (n % 7 == 6)
		return kreg_del(table, &key, sizeof(key)) < 0 ? -1 : 0;
	return kreg_put(table, &key, sizeof(key), &n, sizeof(n));
}

static pid_t start_writer(void)
{
	struct kreg_client *client;
	struct kreg_table *table;
	pid_t pid = fork();
	unsigned int n;

	if (pid)
		return pid;
	if (kreg_client_open(NULL, &client) || kreg_table_open(client, "bag", NULL, &table))
		_exit(1);
	for (n = 0; n < WRITES; n++)
		if (write_one(table, n))
			_exit(2);
	_exit(0);
}

/* The table is pinned anywhere between two writes of another process. */
TEST_F(bag, written_meanwhile)
{
	const struct kreg_event *event;
	int round, status, told = 0;
	struct copy *copy;
	pid_t pid;

	ASSERT_EQ(0, kreg_table_set_access(self->table, KREG_ACCESS_PUBLIC));
	for (round = 0; round < 10; round++) {
		ASSERT_EQ(0, kreg_clear(self->table, NULL));
		copy = calloc(1, sizeof(*copy));
		pid = start_writer();
		usleep(500 * round);
		SUBSCRIBE();
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_EQ(0, status);
		while (!kreg_event_next(self->client, 0, &event))
			apply(event, copy);
		EXPECT_TRUE(copy->ready && !copy->wrong);
		EXPECT_EQ(0, difference(self->table, copy));
		told += copy->told;
		free(copy);
		EXPECT_EQ(1, kreg_ref_cancel(self->ref));
	}
	TH_LOG("%d objects were there", told);
}

/* Without a pin there is no state of one moment. */
TEST_F(bag, no_pins)
{
	const char *limit = "/sys/module/kreg/parameters/max_pin_ms";
	char was[32];

	ASSERT_LT(0, test_read_file(limit, was, sizeof(was)));
	ASSERT_EQ(0, test_write_file(limit, "0\n"));
	EXPECT_EQ(-EDQUOT, kreg_subscribe(self->table, ALL, KREG_SUBSCRIBE_PRESENT, 0, NULL, NULL,
					  &self->ref));
	EXPECT_NE(NULL, strstr(kreg_errmsg(), "max_pin_ms")) {
		TH_LOG("%s", kreg_errmsg());
	}
	EXPECT_EQ(0, test_write_file(limit, was));
	ASSERT_EQ(0, put(self->table, "k", "a"));
	test_none(self->client);
}

TEST_HARNESS_MAIN
