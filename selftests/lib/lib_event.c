// SPDX-License-Identifier: GPL-2.0
/* libkreg: subscriptions, and telling subscribers something. */
#include <sys/syscall.h>

#include "kit/file.h"
#include "lib/event.h"

#define MAX_SUBSCRIPTIONS	"/sys/module/kreg/parameters/max_subscriptions"

TEST_F(lib, what_events_tell)
{
	const struct kreg_event *event;
	struct kreg_process me;
	struct kreg_ref *ref;
	uint64_t version, seq;
	size_t len;
	int status;

	ASSERT_EQ(0, kreg_client_self(self->client, &me));
	ASSERT_EQ(0, kreg_subscribe(self->table, ALL, 0, 0, NULL, self, &ref));
	EXPECT_EQ(self, kreg_ref_arg(ref));
	EXPECT_EQ(0, kreg_ref_process(ref).pid);
	ASSERT_EQ(0, put(self->table, "k", "one"));
	event = test_next(self->client, KREG_EVENT_CREATE, "k");
	test_value(event, "one");
	version = kreg_event_version(event);
	seq = kreg_event_seq(event);
	EXPECT_EQ(kreg_table_id(self->table), kreg_event_table(event));
	EXPECT_EQ(0, kreg_event_process(event).pid);
	EXPECT_EQ(0, kreg_event_last_lost(event));
	EXPECT_EQ(ref, kreg_event_ref(event));
	EXPECT_FALSE(kreg_event_status(event, &status));
	ASSERT_EQ(0, put(self->table, "k", ""));
	event = test_next(self->client, KREG_EVENT_UPDATE, "k");
	test_value(event, "");
	EXPECT_LT(version, kreg_event_version(event));
	EXPECT_EQ(seq + 1, kreg_event_seq(event));
	ASSERT_EQ(1, del(self->table, "k"));
	test_next(self->client, KREG_EVENT_DELETE, "k");
	ASSERT_EQ(0, kreg_register(self->table, "r", 1, "", 0));
	event = test_next(self->client, KREG_EVENT_CREATE, "r");
	EXPECT_EQ(me.pid, kreg_event_process(event).pid);
	EXPECT_EQ(me.cookie, kreg_event_process(event).cookie);
	ASSERT_EQ(0, kreg_clear(self->table, NULL));
	event = test_next(self->client, KREG_EVENT_CLEAR, "");
	EXPECT_NE(NULL, kreg_event_key(event, NULL));
	EXPECT_NE(NULL, kreg_event_value(event, NULL));
	ASSERT_EQ(0, kreg_table_park(self->table));
	event = test_next(self->client, KREG_EVENT_OWNER, "");
	EXPECT_EQ(0, kreg_event_process(event).pid);
	EXPECT_EQ(me.pid, kreg_event_former_owner(event).pid);
	EXPECT_EQ(me.cookie, kreg_event_former_owner(event).cookie);
	kreg_event_value(event, &len);
	EXPECT_EQ(sizeof(me), len);
	ASSERT_EQ(0, kreg_table_destroy(self->table));
	event = test_next(self->client, KREG_EVENT_GONE, "");
	EXPECT_EQ(0, kreg_event_cause(event));
	EXPECT_EQ(0, kreg_event_former_owner(event).pid);
	test_none(self->client);
	EXPECT_EQ(0, kreg_ref_cancel(ref));
}

TEST_F(lib, long_values_are_cut)
{
	static char value[KREG_MAX_EVENT_VALUE + 1];
	const struct kreg_event *event;
	struct kreg_ref *ref;
	size_t len;

	ASSERT_EQ(0, kreg_subscribe(self->table, ALL, 0, 0, NULL, NULL, &ref));
	ASSERT_EQ(0, kreg_put(self->table, "k", 1, value, sizeof(value)));
	event = test_next(self->client, KREG_EVENT_CREATE, "k");
	EXPECT_EQ(NULL, kreg_event_value(event, &len));
	EXPECT_EQ(sizeof(value), len);
	EXPECT_EQ(1, kreg_ref_cancel(ref));
}

TEST_F(lib, exit_is_told_with_the_status)
{
	const struct kreg_event *event;
	struct kreg_holder holder = KREG_HOLDER_INIT;
	struct kreg_ref *ref;
	pid_t pid;
	int status;

	ASSERT_EQ(0, kreg_subscribe(self->table, KIND(EXIT), 0, 0, NULL, NULL, &ref));
	pid = registered(self->table, "his");
	ASSERT_LT(0, pid);
	ASSERT_EQ(0, kreg_whereis(self->table, "his", 3, &holder));
	EXPECT_EQ(SIGKILL, end_process(pid));
	event = test_next(self->client, KREG_EVENT_EXIT, "his");
	EXPECT_EQ(KREG_CAUSE_DEATH, kreg_event_cause(event));
	EXPECT_EQ(holder.process.pid, kreg_event_process(event).pid);
	EXPECT_EQ(holder.process.cookie, kreg_event_process(event).cookie);
	ASSERT_TRUE(kreg_event_status(event, &status));
	EXPECT_EQ(SIGKILL, status);
	EXPECT_EQ(1, kreg_ref_cancel(ref));
}

struct counted {
	struct kreg_client *close;
	struct kreg_ref *ref;
	struct kreg_ref *cancel;	/* when the first event comes */
	int count;
};

static void count(const struct kreg_event *event, void *arg)
{
	struct counted *counted = arg;

	counted->count++;
	if (kreg_event_ref(event) != counted->ref)
		counted->count = -1000;
	if (counted->cancel && kreg_ref_cancel(counted->cancel) != 1)
		counted->count = -1000;
	counted->cancel = NULL;
	if (counted->close)
		kreg_client_close(counted->close);
}

TEST_F(lib, handlers)
{
	struct counted all = { 0 }, deletes = { 0 }, once = { 0 };

	ASSERT_EQ(0, kreg_subscribe(self->table, ALL, 0, 0, count, &all, &all.ref));
	ASSERT_EQ(0, kreg_subscribe(self->table, KIND(DELETE), 0, 0, count, &deletes,
				    &deletes.ref));
	ASSERT_EQ(0, kreg_subscribe(self->table, ALL, 0, 0, count, &once, &once.ref));
	once.cancel = once.ref;
	EXPECT_EQ(0, kreg_client_dispatch(self->client, 0));
	ASSERT_EQ(0, put(self->table, "a", ""));
	ASSERT_EQ(0, put(self->table, "b", ""));
	ASSERT_EQ(1, del(self->table, "a"));
	EXPECT_EQ(5, kreg_client_dispatch(self->client, 0));
	EXPECT_EQ(3, all.count);
	EXPECT_EQ(1, deletes.count);
	EXPECT_EQ(1, once.count);
	/* What the library has read already does not come any more. */
	ASSERT_EQ(0, put(self->table, "a", ""));
	ASSERT_EQ(1, del(self->table, "a"));
	all.cancel = deletes.ref;
	EXPECT_EQ(2, kreg_client_dispatch(self->client, 0));
	EXPECT_EQ(1, deletes.count);
	EXPECT_EQ(1, kreg_ref_cancel(all.ref));
}

TEST_F(lib, handler_closes_the_client)
{
	struct counted first = { 0 };
	struct kreg_client *client;
	struct kreg_table *table;

	ASSERT_EQ(0, kreg_client_open(NULL, &client));
	ASSERT_EQ(0, kreg_table_open(client, self->name, NULL, &table));
	ASSERT_EQ(0, kreg_subscribe(table, ALL, KREG_SUBSCRIBE_ACK, 0, count, &first,
				    &first.ref));
	first.close = client;
	ASSERT_EQ(0, put(self->table, "a", ""));
	ASSERT_EQ(0, put(self->table, "b", ""));
	EXPECT_EQ(1, kreg_client_dispatch(client, 0));
	EXPECT_EQ(1, first.count);
	EXPECT_EQ(-EBADF, kreg_ref_cancel(first.ref));
	kreg_table_close(table);
}

/* Who does not keep up is told how much it has lost, and goes on. */
TEST_F(lib, overflow)
{
	const struct kreg_event *event;
	struct kreg_ref *ref;
	uint64_t lost, seq;
	char key[16];
	int i;

	ASSERT_EQ(0, kreg_subscribe(self->table, ALL, 0, 0, NULL, NULL, &ref));
	ASSERT_EQ(0, put(self->table, "first", ""));
	seq = kreg_event_seq(test_next(self->client, KREG_EVENT_CREATE, "first"));
	for (i = 0; i < 2000; i++) {
		snprintf(key, sizeof(key), "%d", i);
		ASSERT_EQ(0, put(self->table, key, ""));
	}
	event = test_next(self->client, KREG_EVENT_OVERFLOW, "");
	EXPECT_EQ(seq + 1, kreg_event_seq(event));
	lost = kreg_event_last_lost(event);
	EXPECT_LT(seq + 500, lost);
	for (i = lost - seq; i < 2000; i++) {
		snprintf(key, sizeof(key), "%d", i);
		event = test_next(self->client, KREG_EVENT_CREATE, key);
		EXPECT_EQ(++lost, kreg_event_seq(event));
	}
	test_none(self->client);
	EXPECT_EQ(1, kreg_ref_cancel(ref));
}

TEST_F(lib, replay)
{
	struct kreg_ref *first, *second;
	uint64_t seq;

	ASSERT_EQ(0, kreg_subscribe(self->table, ALL, 0, 0, NULL, NULL, &first));
	ASSERT_EQ(0, put(self->table, "a", "1"));
	ASSERT_EQ(0, put(self->table, "b", "2"));
	seq = kreg_event_seq(test_next(self->client, KREG_EVENT_CREATE, "a"));
	test_next(self->client, KREG_EVENT_CREATE, "b");
	ASSERT_EQ(0, kreg_subscribe(self->table, ALL, KREG_SUBSCRIBE_REPLAY, seq, NULL, NULL,
				    &second));
	EXPECT_EQ(second, kreg_event_ref(test_next(self->client, KREG_EVENT_CREATE, "b")));
	test_none(self->client);
	EXPECT_EQ(1, kreg_ref_cancel(first));
	EXPECT_EQ(1, kreg_ref_cancel(second));
}

/* Events that nobody has asked for when they happened. */
TEST_F(lib, kept_for_later)
{
	struct kreg_stat *stat;
	struct kreg_ref *ref;
	uint64_t seq;

	ASSERT_EQ(0, kreg_table_set_stream(self->table, 16384));
	ASSERT_EQ(0, kreg_table_stat(self->table, &stat));
	seq = kreg_stat_events(stat);
	kreg_stat_free(stat);
	ASSERT_EQ(0, put(self->table, "k", "one"));
	ASSERT_EQ(0, kreg_subscribe(self->table, ALL, KREG_SUBSCRIBE_REPLAY, seq, NULL, NULL,
				    &ref));
	test_value(test_next(self->client, KREG_EVENT_CREATE, "k"), "one");
	EXPECT_EQ(-EBUSY, kreg_table_set_stream(self->table, 32768));
	EXPECT_NE(NULL, strstr(kreg_errmsg(), "somebody subscribes to events of"));
	EXPECT_EQ(1, kreg_ref_cancel(ref));
	EXPECT_EQ(-EINVAL, kreg_table_set_stream(self->table, 16385));
	EXPECT_NE(NULL, strstr(kreg_errmsg(), "a power of two of bytes"));
	ASSERT_EQ(0, kreg_table_set_stream(self->table, 0));
	ASSERT_EQ(0, kreg_table_park(self->table));
	EXPECT_EQ(-EACCES, kreg_table_set_stream(self->table, 16384));
	ASSERT_EQ(0, kreg_table_destroy(self->table));
	EXPECT_EQ(-ESTALE, kreg_table_set_stream(self->table, 16384));
}

TEST_F(lib, bad_subscriptions)
{
	struct kreg_client *other = open_as_other(0666), *writes;
	int fd = open("/dev/kreg", O_WRONLY);
	struct kreg_table *table;
	struct kreg_ref *ref = NULL;

	EXPECT_EQ(-EINVAL, kreg_subscribe(self->table, 0, 0, 0, NULL, NULL, &ref));
	EXPECT_STREQ("no kind of event is asked for", kreg_errmsg());
	EXPECT_EQ(-EINVAL, kreg_subscribe(self->table, ALL, 0, 1, NULL, NULL, &ref));
	EXPECT_EQ(-EINVAL, kreg_subscribe(self->table, ALL, KREG_SUBSCRIBE_REPLAY, 1000000, NULL,
					  NULL, &ref));
	EXPECT_EQ(-EINVAL, kreg_subscribe(self->table, ALL,
					  KREG_SUBSCRIBE_REPLAY | KREG_SUBSCRIBE_PRESENT, 0, NULL,
					  NULL, &ref));
	EXPECT_EQ(-EOPNOTSUPP, kreg_subscribe(self->table, ALL, 1U << 30, 0, NULL, NULL, &ref));
	EXPECT_EQ(-EOPNOTSUPP, kreg_subscribe(self->table, 1U << 31, 0, 0, NULL, NULL, &ref));
	ASSERT_NE(NULL, other);
	ASSERT_EQ(0, kreg_table_set_mode(self->table, 0622));
	ASSERT_EQ(0, kreg_table_open(other, self->name, NULL, &table));
	EXPECT_EQ(-EACCES, kreg_subscribe(table, ALL, 0, 0, NULL, NULL, &ref));
	EXPECT_NE(NULL, strstr(kreg_errmsg(), "does not let")) {
		TH_LOG("%s", kreg_errmsg());
	}
	EXPECT_EQ(-EACCES, kreg_subscribe(table, ALL, KREG_SUBSCRIBE_PRESENT, 0, NULL, NULL,
					  &ref));
	kreg_table_close(table);
	kreg_client_close(other);
	ASSERT_EQ(0, kreg_client_open_fd(fd, &writes));
	ASSERT_EQ(0, kreg_table_open(writes, self->name, NULL, &table));
	EXPECT_EQ(-EBADF, kreg_subscribe(table, ALL, 0, 0, NULL, NULL, &ref));
	kreg_table_close(table);
	kreg_client_close(writes);
	ASSERT_EQ(0, kreg_table_destroy(self->table));
	EXPECT_EQ(-ESTALE, kreg_subscribe(self->table, ALL, 0, 0, NULL, NULL, &ref));
	EXPECT_EQ(NULL, ref);
}

TEST_F(lib, limit_of_the_client)
{
	struct kreg_ref *first, *second = NULL;
	char before[32];

	ASSERT_LT(0, test_read_file(MAX_SUBSCRIPTIONS, before, sizeof(before)));
	ASSERT_EQ(0, kreg_subscribe(self->table, ALL, 0, 0, NULL, NULL, &first));
	ASSERT_EQ(0, test_write_file(MAX_SUBSCRIPTIONS, "1"));
	EXPECT_EQ(-EDQUOT, kreg_subscribe(self->table, ALL, 0, 0, NULL, NULL, &second));
	EXPECT_STREQ("this client has as many subscriptions as it may (max_subscriptions = 1): cancel some",
		     kreg_errmsg());
	EXPECT_EQ(-EDQUOT, kreg_subscribe(self->table, ALL, KREG_SUBSCRIBE_PRESENT, 0, NULL, NULL,
					  &second));
	EXPECT_EQ(NULL, second);
	EXPECT_EQ(0, test_write_file(MAX_SUBSCRIPTIONS, before));
	EXPECT_EQ(1, kreg_ref_cancel(first));
}

/* A table that is made private: what was not read is not told any more. */
TEST_F(lib, right_is_lost)
{
	struct kreg_client *other = open_as_other(0666);
	const struct kreg_event *event;
	struct kreg_table *table;
	struct kreg_ref *ref;

	ASSERT_NE(NULL, other);
	ASSERT_EQ(0, kreg_table_set_mode(self->table, 0644));
	ASSERT_EQ(0, kreg_table_open(other, self->name, NULL, &table));
	ASSERT_EQ(0, kreg_subscribe(table, ALL, 0, 0, NULL, NULL, &ref));
	ASSERT_EQ(0, kreg_table_set_mode(self->table, 0600));
	ASSERT_EQ(0, put(self->table, "secret", ""));
	event = test_next(other, KREG_EVENT_GONE, "");
	EXPECT_EQ(KREG_CAUSE_ACCESS, kreg_event_cause(event));
	EXPECT_EQ(0, kreg_ref_cancel(ref));
	kreg_table_close(table);
	kreg_client_close(other);
}

TEST_F(lib, child_of_fork)
{
	struct kreg_ref *ref;
	int status = -1;
	pid_t pid;

	ASSERT_EQ(0, kreg_subscribe(self->table, ALL, 0, 0, NULL, NULL, &ref));
	ASSERT_EQ(0, put(self->table, "k", ""));
	pid = fork();
	if (!pid) {
		const struct kreg_event *event;

		status = kreg_event_next(self->client, 0, &event) != -EAGAIN;
		_exit(kreg_ref_cancel(ref) == -ESTALE ? status : 2);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	test_next(self->client, KREG_EVENT_CREATE, "k");
	EXPECT_EQ(1, kreg_ref_cancel(ref));
}

TEST_F(lib, notify)
{
	static char data[KREG_MAX_EVENT_VALUE + 1];
	const struct kreg_event *event;
	uint64_t objects = 1;
	struct kreg_ref *ref;
	size_t len;

	EXPECT_EQ(0, kreg_ack_notify(self->table, "k", 1, "nobody", 6));
	ASSERT_EQ(0, kreg_subscribe(self->table, KIND(USER), 0, 0, NULL, NULL, &ref));
	ASSERT_EQ(0, kreg_notify(self->table, "k", 1, "some", 4));
	ASSERT_EQ(0, kreg_client_sync(self->client));
	test_value(test_next(self->client, KREG_EVENT_USER, "k"), "some");
	ASSERT_EQ(0, kreg_ack_notify(self->table, NULL, 0, data, sizeof(data) - 1));
	event = test_next(self->client, KREG_EVENT_USER, "");
	EXPECT_NE(NULL, kreg_event_value(event, &len));
	EXPECT_EQ(sizeof(data) - 1, len);
	/* Its own process is not waited for. */
	EXPECT_EQ(0, kreg_sync_notify(self->table, NULL, 0, NULL, 0, -1));
	test_value(test_next(self->client, KREG_EVENT_USER, ""), "");
	EXPECT_EQ(0, kreg_count(self->table, &objects));
	EXPECT_EQ(0, objects);
	EXPECT_EQ(-EFBIG, kreg_notify(self->table, "k", 1, data, sizeof(data)));
	EXPECT_STREQ("the data has 4097 bytes; the most is 4096", kreg_errmsg());
	EXPECT_EQ(-EFBIG, kreg_ack_notify(self->table, "k", 1, data, (size_t)1 << 32));
	EXPECT_EQ(-ENAMETOOLONG, kreg_sync_notify(self->table, data, 1025, "", 0, 0));
	EXPECT_STREQ("the key has 1025 bytes; the most is 1024", kreg_errmsg());
	test_none(self->client);
	EXPECT_EQ(1, kreg_ref_cancel(ref));
	ASSERT_EQ(0, kreg_table_destroy(self->table));
	EXPECT_EQ(-ESTALE, kreg_ack_notify(self->table, "k", 1, "", 0));
}

/* Which reads of the library fail: so many of this descriptor, after others. */
static struct {
	int fd;
	unsigned int after, count;
} failing = { .fd = -1 };

ssize_t read(int fd, void *buf, size_t room)
{
	if (fd != failing.fd || !failing.count)
		return syscall(SYS_read, fd, buf, room);
	if (failing.after) {
		failing.after--;
		return syscall(SYS_read, fd, buf, room);
	}
	failing.count--;
	errno = ENOMEM;
	return -1;
}

static void count_served(const struct kreg_event *event, void *arg)
{
	++*(int *)arg;
}

static void serve_nobody(struct kreg_request *request, void *arg)
{
}

/* Events that a server could not read are told when it can, though no other has come. */
TEST_F(lib, served_after_errors)
{
	struct kreg_server *server;
	struct kreg_ref *ref;
	int count = 0, i;

	ASSERT_EQ(0, kreg_server_new(self->client, serve_nobody, NULL, NULL, &server));
	ASSERT_EQ(0, kreg_subscribe(self->table, ALL, 0, 0, count_served, &count, &ref));
	failing.fd = kreg_client_fd(self->client);
	failing.count = 5;
	ASSERT_EQ(0, put(self->table, "k", "v"));
	EXPECT_EQ(1, kreg_server_dispatch(server, PATIENCE_MS));
	EXPECT_EQ(1, count);
	/* More than one read takes. */
	for (i = 0; i < 200; i++)
		ASSERT_EQ(0, put(self->table, "k", "new"));
	failing.after = 1;
	failing.count = 1;
	while (count < 201 && kreg_server_dispatch(server, PATIENCE_MS) > 0)
		;
	EXPECT_EQ(201, count);
	EXPECT_EQ(0, failing.count);
	EXPECT_EQ(1, kreg_ref_cancel(ref));
	kreg_server_free(server);
}

TEST_HARNESS_MAIN
