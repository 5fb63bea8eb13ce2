// SPDX-License-Identifier: GPL-2.0
/*
 * Names of tables change, and are exchanged: a look-up finds what has the name, at any moment, and
 * records tell the name that a table has when they are sent.
 */
#include <pthread.h>

#include "kit/fixture.h"
#include "kit/await.h"
#include "kit/standby.h"

#define ALICE	1000
#define ROUNDS	20000

FIXTURE(rename) {
	struct test_base base;
	int fd;
	__u64 a;
	__u64 b;
};

FIXTURE_SETUP(rename)
{
	self->fd = test_setup(_metadata, &self->base);
	test_create(self->fd, "a", KREG_ACCESS_PUBLIC, &self->a);
	test_create(self->fd, "b", KREG_ACCESS_PUBLIC, &self->b);
}

FIXTURE_TEARDOWN_PARENT(rename)
{
	test_teardown(_metadata, &self->base);
}

static int _test_rename_cmd(int fd, struct kreg_ioc_rename *cmd)
{
	cmd->size = sizeof(*cmd);
	return test_ioctl(fd, KREG_IOC_RENAME, cmd);
}

static int _test_rename(int fd, __u64 table, const char *name)
{
	struct kreg_ioc_rename cmd = {
		.table = table,
		.name = test_ptr(name),
		.name_len = strlen(name),
	};

	return _test_rename_cmd(fd, &cmd);
}

static int _test_exchange(int fd, __u64 table, __u64 other)
{
	struct kreg_ioc_rename cmd = {
		.flags = KREG_RENAME_EXCHANGE,
		.table = table,
		.other = other,
	};

	return _test_rename_cmd(fd, &cmd);
}

/* The table with this name, or 0. */
static __u64 id_of(int fd, const char *name)
{
	struct kreg_info info;

	return _test_info_name(fd, name, &info) ? 0 : info.id;
}

static bool is_called(int fd, __u64 table, const char *name)
{
	struct kreg_info info;

	return !_test_info(fd, table, &info) && info.name_len == strlen(name) &&
	       !memcmp(info.name, name, info.name_len);
}

TEST_F(rename, another_name)
{
	char longest[KREG_MAX_NAME + 2];

	memset(longest, 'x', sizeof(longest));
	longest[KREG_MAX_NAME] = '\0';
	ASSERT_EQ(0, _test_rename(self->fd, self->a, "c"));
	EXPECT_EQ(0, id_of(self->fd, "a"));
	EXPECT_EQ(self->a, id_of(self->fd, "c"));
	EXPECT_TRUE(is_called(self->fd, self->a, "c"));
	ASSERT_EQ(0, _test_rename(self->fd, self->a, longest));
	EXPECT_EQ(self->a, id_of(self->fd, longest));
	ASSERT_EQ(0, _test_rename(self->fd, self->a, "a"));
	EXPECT_EQ(self->a, id_of(self->fd, "a"));
	EXPECT_EQ(0, id_of(self->fd, longest));
	/* The names that are free can be had again. */
	test_destroy(self->fd, self->b);
	ASSERT_EQ(0, _test_rename(self->fd, self->a, "b"));
	test_create(self->fd, "a", 0, &self->b);
}

TEST_F(rename, first_name)
{
	__u64 nameless;

	test_create(self->fd, NULL, 0, &nameless);
	ASSERT_EQ(0, _test_rename(self->fd, nameless, "c"));
	EXPECT_EQ(nameless, id_of(self->fd, "c"));
}

TEST_F(rename, exchange)
{
	__u64 nameless, other;

	ASSERT_EQ(0, _test_exchange(self->fd, self->a, self->b));
	EXPECT_EQ(self->a, id_of(self->fd, "b"));
	EXPECT_EQ(self->b, id_of(self->fd, "a"));
	EXPECT_TRUE(is_called(self->fd, self->a, "b"));
	EXPECT_TRUE(is_called(self->fd, self->b, "a"));
	test_create(self->fd, NULL, 0, &nameless);
	ASSERT_EQ(0, _test_exchange(self->fd, nameless, self->a));
	EXPECT_EQ(nameless, id_of(self->fd, "b"));
	EXPECT_TRUE(is_called(self->fd, self->a, ""));
	test_create(self->fd, NULL, 0, &other);
	EXPECT_EQ(-EINVAL, _test_exchange(self->fd, other, self->a));
	test_destroy(self->fd, nameless);
	EXPECT_EQ(0, id_of(self->fd, "b"));
	ASSERT_EQ(0, _test_rename(self->fd, self->a, "b"));
}

TEST_F(rename, errors)
{
	struct kreg_ioc_rename cmd = { .table = self->a, .other = self->b };
	char longer[KREG_MAX_NAME + 2];

	memset(longer, 'x', sizeof(longer));
	longer[KREG_MAX_NAME + 1] = '\0';
	EXPECT_EQ(-EEXIST, _test_rename(self->fd, self->a, "b"));
	EXPECT_EQ(-EEXIST, _test_rename(self->fd, self->a, "a"));
	EXPECT_EQ(-EINVAL, _test_rename(self->fd, self->a, ""));
	EXPECT_EQ(-ENAMETOOLONG, _test_rename(self->fd, self->a, longer));
	EXPECT_EQ(-EINVAL, _test_exchange(self->fd, self->a, self->a));
	EXPECT_EQ(-EINVAL, _test_exchange(self->fd, self->a, 0));
	EXPECT_EQ(-EINVAL, _test_rename_cmd(self->fd, &cmd));
	cmd.flags = KREG_RENAME_EXCHANGE | 2;
	EXPECT_EQ(-EOPNOTSUPP, _test_rename_cmd(self->fd, &cmd));
	cmd.flags = KREG_RENAME_EXCHANGE;
	cmd.name = test_ptr("c");
	cmd.name_len = 1;
	EXPECT_EQ(-EINVAL, _test_rename_cmd(self->fd, &cmd));
	test_destroy(self->fd, self->b);
	EXPECT_EQ(-ESTALE, _test_rename(self->fd, self->b, "c"));
	EXPECT_EQ(-ESTALE, _test_exchange(self->fd, self->a, self->b));
	EXPECT_EQ(self->a, id_of(self->fd, "a"));
}

static long job_rename(struct job *job)
{
	return _test_rename(job->fd, job->table, job->name);
}

static long job_exchange(struct job *job)
{
	return _test_exchange(job->fd, job->table, job->arg);
}

/* Who may write to both cannot rename either, and the owner of one cannot take the other's. */
TEST_F(rename, rights)
{
	struct kid *alice = kid_start_as(_metadata, ALICE);
	__u64 hers;

	test_mode(self->fd, self->a, 0666);
	alice->job->table = self->a;
	test_set(alice->job->name, "c");
	EXPECT_EQ(-EPERM, kid_do(alice, job_rename));
	ASSERT_EQ(0, kid_create(alice, "hers", 0, &hers));
	alice->job->table = hers;
	alice->job->arg = self->a;
	EXPECT_EQ(-EPERM, kid_do(alice, job_exchange));
	test_set(alice->job->name, "a");
	EXPECT_EQ(-EEXIST, kid_do(alice, job_rename));
	test_set(alice->job->name, "c");
	EXPECT_EQ(0, kid_do(alice, job_rename));
	EXPECT_EQ(self->a, id_of(self->fd, "a"));
	kid_kill(alice);
}

/* A table of root's, public for all. */
static __u64 create_shared(struct __test_metadata *_metadata, int fd, const char *name)
{
	struct kreg_ioc_open cmd = test_open_cmd(name, KREG_OPEN_CREATE | KREG_OPEN_SHARED);

	cmd.access = KREG_ACCESS_PUBLIC;
	cmd.mode = 0666;
	test_open_(fd, &cmd);
	return cmd.out_table;
}

static long kid_rename(struct kid *kid, __u64 table, const char *name)
{
	kid->job->table = table;
	test_set(kid->job->name, name);
	return kid_do(kid, job_rename);
}

static long kid_exchange(struct kid *kid, __u64 table, __u64 other)
{
	kid->job->table = table;
	kid->job->arg = other;
	return kid_do(kid, job_exchange);
}

/* As in ETS: who may write to it, while it is public, and no more than that. */
TEST_F(rename, shared)
{
	struct kid *alice = kid_start_as(_metadata, ALICE);
	__u64 s = create_shared(_metadata, self->fd, "s"), t;
	struct kreg_ioc_open cmd;
	struct kreg_info info;

	t = create_shared(_metadata, self->fd, "t");
	test_info(self->fd, s, &info);
	EXPECT_EQ(KREG_INFO_SHARED, info.flags);
	EXPECT_EQ(0, kid_rename(alice, s, "u"));
	EXPECT_EQ(s, id_of(self->fd, "u"));
	EXPECT_EQ(0, kid_exchange(alice, s, t));
	EXPECT_EQ(t, id_of(self->fd, "u"));
	test_mode(self->fd, self->a, 0666);
	EXPECT_EQ(-EPERM, kid_exchange(alice, s, self->a));
	EXPECT_EQ(-EPERM, kid_destroy(alice, self->a));
	EXPECT_EQ(-EPERM, kid_setopt(alice, s, KREG_OPT_MODE, 0600, 0));
	test_access(self->fd, s, KREG_ACCESS_PROTECTED);
	EXPECT_EQ(-EACCES, kid_rename(alice, s, "v"));
	EXPECT_EQ(-EACCES, kid_destroy(alice, s));
	/* In a registry all may write, and not everything. */
	test_access(self->fd, s, KREG_ACCESS_REGISTRY);
	EXPECT_EQ(-EPERM, kid_destroy(alice, s));
	test_access(self->fd, s, KREG_ACCESS_PUBLIC);
	test_mode(self->fd, s, 0644);
	EXPECT_EQ(-EACCES, kid_destroy(alice, s));
	test_mode(self->fd, s, 0666);
	EXPECT_EQ(0, kid_destroy(alice, s));
	EXPECT_EQ(0, id_of(self->fd, "t"));
	cmd = test_open_cmd("u", KREG_OPEN_SHARED);
	test_err_open_(EINVAL, self->fd, &cmd);
	kid_kill(alice);
}

struct finder {
	int fd;
	__u64 a, b;
	int stop;
	unsigned long found, wrong;
};

/* One of the two tables has each of the names at any moment. */
static void *find_always(void *arg)
{
	struct finder *f = arg;
	__u64 id;

	while (!__atomic_load_n(&f->stop, __ATOMIC_RELAXED)) {
		id = id_of(f->fd, f->found & 1 ? "a" : "b");
		f->wrong += id != f->a && id != f->b;
		f->found++;
	}
	return NULL;
}

TEST_F(rename, never_none)
{
	struct finder f = { .fd = self->fd, .a = self->a, .b = self->b };
	pthread_t thread;
	int i, rounds = test_size(ROUNDS);

	ASSERT_EQ(0, pthread_create(&thread, NULL, find_always, &f));
	for (i = 0; i < rounds || __atomic_load_n(&f.found, __ATOMIC_RELAXED) < 100; i++)
		ASSERT_EQ(0, _test_exchange(self->fd, self->a, self->b));
	__atomic_store_n(&f.stop, 1, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	EXPECT_EQ(0, f.wrong);
}

/* The heir is told the name that the table has at the death. */
TEST_F(rename, heir)
{
	struct kid *kid = kid_start(_metadata);
	struct test_event event;
	__u64 first, second;

	ASSERT_EQ(0, kid_create(kid, "first", 0, &first));
	ASSERT_EQ(0, kid_create(kid, "second", 0, &second));
	ASSERT_EQ(0, kid_heir(kid, first, test_self(self->fd), "of the first"));
	kid->job->table = first;
	test_set(kid->job->name, "a much longer name");
	ASSERT_EQ(0, kid_do(kid, job_rename));
	kid->job->arg = second;
	ASSERT_EQ(0, kid_do(kid, job_exchange));
	kid_kill(kid);
	test_event_now(self->fd, &event);
	EXPECT_EQ(first, event.e.table);
	EXPECT_STREQ("second", event.name);
	EXPECT_STREQ("of the first", event.data);
	test_no_event(self->fd);
}

TEST_F(rename, standby)
{
	struct kid *kid = kid_start(_metadata);
	struct test_event event;
	__u64 table, id;

	ASSERT_EQ(0, kid_create(kid, "w", KREG_ACCESS_PUBLIC, &table));
	test_standby(self->fd, "w", &id);
	kid->job->table = table;
	test_set(kid->job->name, "another, longer name");
	ASSERT_EQ(0, kid_do(kid, job_rename));
	kid_kill(kid);
	test_event_now(self->fd, &event);
	EXPECT_EQ(table, event.e.table);
	EXPECT_STREQ("another, longer name", event.name);
}

TEST_F(rename, given)
{
	struct kid *kid = kid_start(_metadata);

	ASSERT_EQ(0, _test_rename(self->fd, self->a, "gift"));
	test_give(self->fd, self->a, kid->self, "data", 4);
	ASSERT_EQ(0, kid_event_now(kid));
	EXPECT_STREQ("gift", kid->job->event.name);
	kid_kill(kid);
}

TEST_F(rename, waits)
{
	struct test_event event;
	__u64 present, absent;

	ASSERT_EQ(0, _test_await(self->fd, 0, KREG_WATCH_PRESENT, "c", 0, &present));
	ASSERT_EQ(0, _test_await(self->fd, 0, KREG_WATCH_ABSENT, "a", 0, &absent));
	test_no_event(self->fd);
	ASSERT_EQ(0, _test_exchange(self->fd, self->a, self->b));
	test_no_event(self->fd);
	ASSERT_EQ(0, _test_rename(self->fd, self->b, "c"));
	test_event_now(self->fd, &event);
	EXPECT_TRUE(event.e.id == present || event.e.id == absent);
	test_event_now(self->fd, &event);
	EXPECT_TRUE(event.e.id == present || event.e.id == absent);
}

TEST_HARNESS_MAIN
