// SPDX-License-Identifier: GPL-2.0
/*
 * The system "KV" in both its forms: registries of buckets, with the programs of
 * userspace/examples/kv. kv1: a registry by its name; kv4: events, and a table of somebody else.
 */
#include <stdatomic.h>
#include <sys/mman.h>

#include "seeds/seeds.h"

#define SHOPPING	"shopping"

struct setting {
	struct kreg_client *client;
	struct kreg_table *names, *registries;
	struct kreg_ref *ref;
	pid_t registry;
	char name[32], locks[64], supervisor[64];
};

/* One registry for each test, named after it. */
static int start(struct setting *s, const char *test)
{
	snprintf(s->name, sizeof(s->name), "%.16s-%d", test, getpid());
	snprintf(s->locks, sizeof(s->locks), "%s.locks", s->name);
	snprintf(s->supervisor, sizeof(s->supervisor), "supervisor.%s", s->name);
	s->registry = program("kv-registry", s->name);
	return is_present(s->registries, s->name);
}

static int set_up(struct setting *s)
{
	int ret = kreg_client_open(NULL, &s->client);

	if (ret)
		return ret;
	s->registries = make_table(s->client, "kv.registries", KREG_ACCESS_REGISTRY);
	return s->registries ? 0 : -1;
}

/* It is stopped, and takes its buckets along. */
static int tear_down(struct setting *s)
{
	int ret = stop(s->registries, s->name), status = -1;

	waitpid(s->registry, &status, 0);
	if (s->names)
		kreg_table_destroy(s->names);
	kreg_table_destroy(s->registries);
	remove_table(s->client, s->name);
	remove_table(s->client, s->locks);
	remove_table(s->client, s->supervisor);
	kreg_client_close(s->client);
	return ret ? ret : status;
}

FIXTURE(kv1)
{
	struct setting s;
	struct kreg_table *table;
};

/* It makes its table itself. */
FIXTURE_SETUP(kv1)
{
	ASSERT_EQ(0, set_up(&self->s));
	ASSERT_EQ(0, start(&self->s, _metadata->name));
	ASSERT_EQ(0, kreg_table_open(self->s.client, self->s.name, NULL, &self->table));
}

FIXTURE_TEARDOWN(kv1)
{
	EXPECT_EQ(0, tear_down(&self->s));
}

static pid_t bucket(struct setting *s, const char *name)
{
	return create_worker(s->registries, s->name, name);
}

TEST_F(kv1, spawns)
{
	char answer[64];
	pid_t worker;

	EXPECT_EQ(-ENODATA, whereis(self->table, SHOPPING));
	worker = bucket(&self->s, SHOPPING);
	ASSERT_LT(0, worker);
	EXPECT_EQ(worker, whereis(self->table, SHOPPING));
	EXPECT_EQ(0, ask(self->table, SHOPPING, "put milk 1", NULL, 0));
	EXPECT_EQ(0, ask(self->table, SHOPPING, "get milk", answer, sizeof(answer)));
	EXPECT_STREQ("1", answer);
	EXPECT_EQ(-ENODATA, ask(self->table, SHOPPING, "get bread", NULL, 0));
	EXPECT_EQ(worker, bucket(&self->s, SHOPPING));
}

/* No event is waited for, and no other request of the registry has to be made in between. */
TEST_F(kv1, removes_on_exit)
{
	ASSERT_LT(0, bucket(&self->s, SHOPPING));
	EXPECT_EQ(0, stop(self->table, SHOPPING));
	EXPECT_EQ(-ENODATA, whereis(self->table, SHOPPING));
	ASSERT_LT(0, bucket(&self->s, "bogus"));
	EXPECT_EQ(-ENODATA, whereis(self->table, SHOPPING));
}

/* With a core dump a process begins to end by itself, not yet when kill() returns. */
TEST_F(kv1, removes_on_crash)
{
	static const int signals[] = { SIGTERM, SIGKILL, BY_OOM, SIGSEGV, SIGABRT };
	unsigned int i;
	pid_t worker;

	for (i = 0; i < ARRAY_SIZE(signals); i++) {
		worker = bucket(&self->s, SHOPPING);
		ASSERT_LT(0, worker);
		ASSERT_EQ(0, send_signal(worker, signals[i]));
		if (i >= 3)
			ASSERT_EQ(0, kreg_wait(self->table, SHOPPING, strlen(SHOPPING),
					       KREG_WATCH_ABSENT, 0, PATIENCE_MS));
		EXPECT_EQ(-ENODATA, whereis(self->table, SHOPPING));
		EXPECT_EQ(0, kreg_client_sync(self->s.client));
		EXPECT_EQ(-ENODATA, whereis(self->table, SHOPPING));
	}
}

/* By a code of its own. */
TEST_F(kv1, removes_on_failure)
{
	ASSERT_LT(0, bucket(&self->s, SHOPPING));
	EXPECT_EQ(-ECONNRESET, ask(self->table, SHOPPING, "exit 3", NULL, 0));
	EXPECT_EQ(-ENODATA, whereis(self->table, SHOPPING));
}

/* What is known of an entry. */
struct entry {
	uint64_t version;
	struct kreg_process process;
	char value[256];
	size_t len;
};

/* Return: 1: there is one; 0: none; or an error. */
static int read_entry(struct kreg_table *table, struct entry *entry)
{
	const struct kreg_scan_options options = {
		.size = sizeof(options), .flags = KREG_SCAN_PROCESSES,
	};
	const struct kreg_object *object;
	struct kreg_scan *scan;
	const void *value;
	int ret = kreg_scan_open(table, &options, &scan);

	if (ret)
		return ret;
	ret = kreg_scan_next(scan, &object);
	if (ret > 0) {
		entry->version = kreg_object_version(object);
		entry->process = kreg_object_process(object);
		value = kreg_object_value(object, &entry->len);
		memcpy(entry->value, value, entry->len);
	}
	kreg_scan_close(scan);
	return ret;
}

/* Process and value are of one bucket at any moment, as long as the version is the same. */
static bool agree(const struct entry *a, const struct entry *b)
{
	bool same = a->process.pid == b->process.pid && a->process.cookie == b->process.cookie;

	if (a->version != b->version)
		return !same;
	return same && a->len == b->len && !memcmp(a->value, b->value, a->len);
}

static int read_entries(const char *name, atomic_bool *stopped)
{
	struct entry last = { 0 }, entry = { 0 };
	struct kreg_client *client;
	struct kreg_table *table;
	unsigned int found = 0;
	int ret;

	if (kreg_client_open(NULL, &client) || kreg_table_open(client, name, NULL, &table))
		return 100;
	while (!atomic_load(stopped) || !found) {
		ret = read_entry(table, &entry);
		if (ret < 0)
			return 101;
		if (!ret)
			continue;
		if (!entry.process.cookie || (found && !agree(&last, &entry)))
			return 102;
		last = entry;
		found++;
	}
	kreg_client_close(client);
	return 0;
}

TEST_F(kv1, concurrent_readers)
{
	atomic_bool *stopped = mmap(NULL, sizeof(*stopped), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned int i, rounds = test_size(20);
	pid_t reader[2], worker;

	for (i = 0; i < 2; i++) {
		reader[i] = fork();
		if (!reader[i])
			_exit(read_entries(self->s.name, stopped));
	}
	for (i = 0; i < rounds; i++) {
		worker = bucket(&self->s, SHOPPING);
		ASSERT_LT(0, worker);
		ASSERT_EQ(0, send_signal(worker, SIGKILL));
	}
	ASSERT_LT(0, bucket(&self->s, SHOPPING));
	atomic_store(stopped, true);
	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, end(&reader[i], 0));
}

FIXTURE(kv4)
{
	struct setting s;
};

/* The table is the test's, which is told of what happens to it. */
FIXTURE_SETUP(kv4)
{
	ASSERT_EQ(0, set_up(&self->s));
	snprintf(self->s.name, sizeof(self->s.name), "%.16s-%d", _metadata->name, getpid());
	self->s.names = make_table(self->s.client, self->s.name, KREG_ACCESS_REGISTRY);
	ASSERT_NE(NULL, self->s.names);
	ASSERT_EQ(0, subscribe(self->s.names, &self->s.ref));
	ASSERT_EQ(0, start(&self->s, _metadata->name));
}

FIXTURE_TEARDOWN(kv4)
{
	EXPECT_EQ(0, tear_down(&self->s));
}

TEST_F(kv4, spawns)
{
	char answer[64];
	pid_t worker;

	EXPECT_EQ(-ENODATA, whereis(self->s.names, SHOPPING));
	worker = bucket(&self->s, SHOPPING);
	ASSERT_LT(0, worker);
	EXPECT_EQ(worker, whereis(self->s.names, SHOPPING));
	EXPECT_EQ(0, ask(self->s.names, SHOPPING, "put milk 1", NULL, 0));
	EXPECT_EQ(0, ask(self->s.names, SHOPPING, "get milk", answer, sizeof(answer)));
	EXPECT_STREQ("1", answer);
}

/* Who is told of one that is there finds it, and of one that is gone, does not. */
TEST_F(kv4, events)
{
	pid_t worker;
	int status;

	ASSERT_EQ(0, create_worker_later(self->s.registries, self->s.name, SHOPPING));
	/* Its number is not known yet: the event brings it. */
	ASSERT_EQ(0, is_present(self->s.names, SHOPPING));
	worker = whereis(self->s.names, SHOPPING);
	EXPECT_TRUE(next_is(self->s.client, KREG_EVENT_CREATE, SHOPPING, worker, &status));
	EXPECT_EQ(worker, whereis(self->s.names, SHOPPING));
	EXPECT_EQ(0, stop(self->s.names, SHOPPING));
	EXPECT_TRUE(next_is(self->s.client, KREG_EVENT_EXIT, SHOPPING, worker, &status));
	EXPECT_EQ(0, status);
	EXPECT_EQ(-ENODATA, whereis(self->s.names, SHOPPING));
	EXPECT_TRUE(nothing_came(self->s.client));
}

TEST_F(kv4, removes_on_exit)
{
	pid_t worker = bucket(&self->s, SHOPPING);
	int status;

	EXPECT_TRUE(next_is(self->s.client, KREG_EVENT_CREATE, SHOPPING, worker, &status));
	EXPECT_EQ(0, stop(self->s.names, SHOPPING));
	EXPECT_TRUE(next_is(self->s.client, KREG_EVENT_EXIT, SHOPPING, worker, &status));
	EXPECT_EQ(-ENODATA, whereis(self->s.names, SHOPPING));
}

TEST_F(kv4, removes_on_crash)
{
	static const int signals[] = { SIGKILL, SIGSEGV, SIGABRT, SIGTERM, BY_OOM };
	unsigned int i;
	pid_t worker;
	int status;

	for (i = 0; i < ARRAY_SIZE(signals); i++) {
		worker = bucket(&self->s, SHOPPING);
		ASSERT_LT(0, worker);
		EXPECT_TRUE(next_is(self->s.client, KREG_EVENT_CREATE, SHOPPING, worker, &status));
		ASSERT_EQ(0, send_signal(worker, signals[i]));
		EXPECT_TRUE(next_is(self->s.client, KREG_EVENT_EXIT, SHOPPING, worker, &status));
		EXPECT_TRUE(WIFSIGNALED(status));
		EXPECT_EQ(signals[i] == BY_OOM ? SIGKILL : signals[i], WTERMSIG(status));
		EXPECT_EQ(-ENODATA, whereis(self->s.names, SHOPPING));
	}
}

TEST_F(kv4, removes_on_failure)
{
	pid_t worker = bucket(&self->s, SHOPPING);
	int status;

	EXPECT_TRUE(next_is(self->s.client, KREG_EVENT_CREATE, SHOPPING, worker, &status));
	EXPECT_EQ(-ECONNRESET, ask(self->s.names, SHOPPING, "exit 3", NULL, 0));
	EXPECT_TRUE(next_is(self->s.client, KREG_EVENT_EXIT, SHOPPING, worker, &status));
	EXPECT_EQ(3 << 8, status);
	EXPECT_EQ(-ENODATA, whereis(self->s.names, SHOPPING));
}

/* The registry is killed, not stopped. */
TEST_F(kv4, monitors_existing)
{
	pid_t worker = bucket(&self->s, SHOPPING), other = bucket(&self->s, "other");
	int status;

	ASSERT_LT(0, worker);
	ASSERT_LT(0, other);
	EXPECT_TRUE(next_is(self->s.client, KREG_EVENT_CREATE, SHOPPING, worker, &status));
	EXPECT_TRUE(next_is(self->s.client, KREG_EVENT_CREATE, "other", other, &status));
	EXPECT_EQ(SIGKILL, end(&self->s.registry, SIGKILL));
	ASSERT_EQ(0, send_signal(other, SIGKILL));
	EXPECT_TRUE(next_is(self->s.client, KREG_EVENT_EXIT, "other", other, &status));
	ASSERT_EQ(0, start(&self->s, _metadata->name));
	EXPECT_EQ(worker, whereis(self->s.names, SHOPPING));
	EXPECT_EQ(worker, bucket(&self->s, SHOPPING));
	EXPECT_EQ(-ENODATA, whereis(self->s.names, "other"));
	ASSERT_EQ(0, send_signal(worker, SIGKILL));
	EXPECT_TRUE(next_is(self->s.client, KREG_EVENT_EXIT, SHOPPING, worker, &status));
	EXPECT_EQ(-ENODATA, whereis(self->s.names, SHOPPING));
	EXPECT_TRUE(nothing_came(self->s.client));
}

TEST_HARNESS_MAIN
