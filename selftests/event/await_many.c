// SPDX-License-Identifier: GPL-2.0
/* Waits in numbers, and at the moment at which something else happens. */
#include <pthread.h>

#include "kit/fixture.h"
#include "kit/await.h"

FIXTURE(await_many) {
	struct test_base base;
	int fd;
	__u64 table;
};

FIXTURE_SETUP(await_many)
{
	self->fd = test_setup(_metadata, &self->base);
	test_create(self->fd, "awaited", KREG_ACCESS_PUBLIC, &self->table);
}

FIXTURE_TEARDOWN_PARENT(await_many)
{
	test_teardown(_metadata, &self->base);
}

/* Each of @n waits has one record, of this kind, and nothing else comes. */
static void expect_each_once(struct __test_metadata *_metadata, int fd, const __u64 *ids,
			     unsigned int n, __u32 kind)
{
	bool *seen = calloc(n, sizeof(*seen));
	struct test_event event;
	unsigned int i, k;

	for (i = 0; i < n; i++) {
		test_event(fd, &event);
		ASSERT_EQ(kind, event.e.kind);
		for (k = 0; k < n && ids[k] != event.e.id; k++)
			;
		ASSERT_LT(k, n);
		EXPECT_FALSE(seen[k]);
		seen[k] = true;
	}
	test_no_event(fd);
	free(seen);
}

TEST_F(await_many, of_one_key)
{
	unsigned int n = test_size(1000), i;
	__u64 *ids = calloc(n, sizeof(*ids));

	for (i = 0; i < n; i++)
		test_await(self->fd, self->table, KREG_WATCH_PRESENT, "k", 0, &ids[i]);
	test_puts(self->fd, self->table, "k", "v");
	/* The key is gone again before all were told. */
	test_delete(self->fd, self->table, "k");
	expect_each_once(_metadata, self->fd, ids, n, KREG_EVENT_READY);
	free(ids);
}

/* A clear is told of at every key, and of none for which somebody waits since then. */
TEST_F(await_many, cleared)
{
	unsigned int n = test_size(400), i;
	__u64 *ids = calloc(2 * n, sizeof(*ids));
	char key[16];

	for (i = 0; i < n; i++) {
		snprintf(key, sizeof(key), "%u", i);
		test_puts(self->fd, self->table, key, "v");
		test_await(self->fd, self->table, KREG_WATCH_ABSENT, key, 0, &ids[i]);
	}
	test_clear(self->fd, self->table);
	for (i = 0; i < n; i++) {
		snprintf(key, sizeof(key), "%u", i);
		test_puts(self->fd, self->table, key, "v");
		test_await(self->fd, self->table, KREG_WATCH_ABSENT, key, 0, &ids[n + i]);
	}
	expect_each_once(_metadata, self->fd, ids, n, KREG_EVENT_READY);
	test_clear(self->fd, self->table);
	expect_each_once(_metadata, self->fd, ids + n, n, KREG_EVENT_READY);
	free(ids);
}

TEST_F(await_many, destroyed)
{
	unsigned int n = test_size(400), i;
	__u64 *ids = calloc(n, sizeof(*ids));
	char key[16];

	for (i = 0; i < n; i++) {
		snprintf(key, sizeof(key), "%u", i / 3);
		test_await(self->fd, self->table, KREG_WATCH_PRESENT, key, 0, &ids[i]);
	}
	test_destroy(self->fd, self->table);
	expect_each_once(_metadata, self->fd, ids, n, KREG_EVENT_GONE);
	free(ids);
}

TEST_F(await_many, denied)
{
	struct kid *alice = kid_start_as(_metadata, 1000);
	unsigned int n = test_size(200), i;
	char key[16];

	for (i = 0; i < n; i++) {
		snprintf(key, sizeof(key), "%u", i / 3);
		ASSERT_EQ(0, kid_await(alice, self->table, KREG_WATCH_PRESENT, key));
	}
	test_mode(self->fd, self->table, 0600);
	for (i = 0; i < n; i++) {
		ASSERT_EQ(0, kid_do(alice, job_read_event));
		EXPECT_EQ(KREG_EVENT_GONE, alice->job->event.e.kind);
	}
	kid_kill(alice);
}

/* A batch that changes more keys than fit into one hold of the turn. */
TEST_F(await_many, batch)
{
	enum { N = 300 };
	static struct kreg_op ops[N];
	static char keys[N][8];
	static __u64 ids[N];
	int i;

	for (i = 0; i < N; i++) {
		snprintf(keys[i], sizeof(keys[i]), "%d", i);
		ops[i] = test_op_puts(keys[i], "v");
		test_await(self->fd, self->table, KREG_WATCH_PRESENT, keys[i], 0, &ids[i]);
	}
	test_batch(self->fd, self->table, 0, ops, N, NULL);
	expect_each_once(_metadata, self->fd, ids, N, KREG_EVENT_READY);
}

/* Who is bound to many awaited keys dies. */
TEST_F(await_many, death)
{
	struct kid *kid = kid_start(_metadata);
	unsigned int n = test_size(100), i;
	__u64 *ids = calloc(n, sizeof(*ids));
	char key[16];

	for (i = 0; i < n; i++) {
		snprintf(key, sizeof(key), "%u", i);
		ASSERT_EQ(0, kid_bind(kid, self->table, key, "v"));
		test_await(self->fd, self->table, KREG_WATCH_ABSENT, key, 0, &ids[i]);
	}
	kid_kill(kid);
	expect_each_once(_metadata, self->fd, ids, n, KREG_EVENT_READY);
	free(ids);
}

/* The client ends with waits of all sorts, some of them over. */
TEST_F(await_many, client_dies)
{
	unsigned int n = test_size(100), i, k;
	struct kid *kid;
	char key[16];

	for (i = 0; i < 4; i++) {
		kid = kid_start(_metadata);
		for (k = 0; k < n; k++) {
			snprintf(key, sizeof(key), "%u", k % 10);
			ASSERT_EQ(0, kid_await(kid, self->table, KREG_WATCH_PRESENT, key));
		}
		kill(kid->pid, SIGKILL);
		test_puts(self->fd, self->table, "3", "v");
		test_delete(self->fd, self->table, "3");
		EXPECT_EQ(SIGKILL, kid_reap(kid));
	}
}

struct racer {
	int fd;
	__u64 table;
	bool stop;
	long wrong;
};

static void *put_and_delete(void *arg)
{
	struct racer *r = arg;

	while (!__atomic_load_n(&r->stop, __ATOMIC_ACQUIRE)) {
		r->wrong += !!_test_puts(r->fd, r->table, "k", "v");
		r->wrong += !!_test_delete(r->fd, r->table, "k");
	}
	return NULL;
}

/* A wait that was cancelled has no record; one that was not has one. */
TEST_F(await_many, cancel_races)
{
	struct racer r = { .fd = test_client(), .table = self->table };
	unsigned int rounds = test_size(2000), i, cancelled = 0;
	struct test_event event;
	pthread_t thread;
	__u64 id;
	int err;

	ASSERT_EQ(0, pthread_create(&thread, NULL, put_and_delete, &r));
	for (i = 0; i < rounds; i++) {
		test_await(self->fd, self->table,
			   i % 2 ? KREG_WATCH_PRESENT : KREG_WATCH_ABSENT, "k", 0, &id);
		err = _test_cancel(self->fd, id, 0);
		cancelled += !err;
		if (err) {
			ASSERT_EQ(-ENOENT, err);
			test_event_now(self->fd, &event);
			ASSERT_EQ(id, event.e.id);
			ASSERT_EQ(KREG_EVENT_READY, event.e.kind);
		}
		test_no_event(self->fd);
	}
	__atomic_store_n(&r.stop, true, __ATOMIC_RELEASE);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(0, r.wrong);
	close(r.fd);
}

/* Nobody sleeps for ever while the key comes and goes, nor past a change of its version. */
TEST_F(await_many, sleep_races)
{
	struct racer r = { .fd = test_client(), .table = self->table };
	unsigned int rounds = test_size(1000), i;
	struct kreg_ioc_watch out;
	__u64 version = 0;
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, put_and_delete, &r));
	for (i = 0; i < rounds; i++) {
		test_sleep(self->fd, self->table, KREG_WATCH_PRESENT, "k", 0, -1, &out);
		EXPECT_NE(0, out.out_version);
		test_sleep(self->fd, self->table, KREG_WATCH_ABSENT, "k", 0, -1, &out);
		EXPECT_EQ(0, out.out_version);
		test_sleep(self->fd, self->table, KREG_WATCH_CHANGED, "k", version, -1, &out);
		EXPECT_NE(version, out.out_version);
		version = out.out_version;
	}
	__atomic_store_n(&r.stop, true, __ATOMIC_RELEASE);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(0, r.wrong);
	close(r.fd);
}

/* The table goes at the moment at which somebody begins to wait. */
TEST_F(await_many, destroy_races)
{
	unsigned int rounds = test_size(300), i;
	struct kid *kid = kid_start(_metadata);
	struct kreg_ioc_watch out;
	__u64 table;
	int err;

	for (i = 0; i < rounds; i++) {
		test_create(self->fd, NULL, KREG_ACCESS_PUBLIC, &table);
		kid_ask_sleep(kid, table, KREG_WATCH_PRESENT, "k");
		if (i % 2)
			err = _test_sleep(self->fd, table, KREG_WATCH_PRESENT, "k", 0, 0, &out);
		else
			err = -ETIMEDOUT;
		EXPECT_EQ(-ETIMEDOUT, err);
		test_destroy(self->fd, table);
		ASSERT_EQ(-ESTALE, kid_answer(kid));
	}
	kid_kill(kid);
}

TEST_HARNESS_MAIN
