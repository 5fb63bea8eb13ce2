// SPDX-License-Identifier: GPL-2.0
/*
 * What ets_SUITE of Erlang/OTP requires of names that change, and of tables that are fixed, for
 * which there are pins. The names are those of its cases.
 */
#include <pthread.h>

#include "kit/fixture.h"
#include "kit/job.h"
#include "kit/pin.h"

#define OBJECTS	2000
#define TRAPPED	1024
#define NAMES	4
#define ROUNDS	3000

FIXTURE(ets) {
	struct test_base base;
	int fd;
	__u64 table;
};

FIXTURE_SETUP(ets)
{
	self->fd = test_setup(_metadata, &self->base);
	test_create(self->fd, "foo", KREG_ACCESS_PUBLIC, &self->table);
}

FIXTURE_TEARDOWN_PARENT(ets)
{
	test_teardown(_metadata, &self->base);
}

static int _test_rename(int fd, __u64 table, const char *name)
{
	struct kreg_ioc_rename cmd = {
		.size = sizeof(cmd),
		.table = table,
		.name = test_ptr(name),
		.name_len = strlen(name),
	};

	return test_ioctl(fd, KREG_IOC_RENAME, &cmd);
}

static int put_number(int fd, __u64 table, __u32 n)
{
	return _test_put(fd, table, &n, sizeof(n), &n, sizeof(n));
}

static int delete_number(int fd, __u64 table, __u32 n)
{
	struct kreg_op op = test_op(KREG_OP_DELETE, &n, sizeof(n));

	return _test_op(fd, table, 0, &op);
}

static void put_all(struct __test_metadata *_metadata, int fd, __u64 table)
{
	__u32 n;

	for (n = 0; n < OBJECTS; n++)
		ASSERT_EQ(0, put_number(fd, table, n));
}

/* rename: the old name is free, the new one is not, and the objects are where they were */
TEST_F(ets, rename)
{
	struct kreg_info info;
	__u64 again;

	test_puts(self->fd, self->table, "foo", "bazz");
	ASSERT_EQ(0, _test_rename(self->fd, self->table, "foobazz"));
	EXPECT_EQ(-ENOENT, _test_info_name(self->fd, "foo", &info));
	ASSERT_EQ(0, _test_info_name(self->fd, "foobazz", &info));
	EXPECT_EQ(self->table, info.id);
	test_gets(self->fd, info.id, "foo", "bazz");
	EXPECT_EQ(-EEXIST, _test_rename(self->fd, self->table, "foobazz"));
	test_create(self->fd, "foo", 0, &again);
	EXPECT_EQ(-EEXIST, _test_rename(self->fd, again, "foobazz"));
	test_destroy(self->fd, self->table);
	EXPECT_EQ(0, _test_rename(self->fd, again, "foobazz"));
}

/* rename_unnamed: it keeps its number, and is found by the name as well */
TEST_F(ets, rename_unnamed)
{
	struct kreg_info info;
	__u64 table;

	test_create(self->fd, NULL, 0, &table);
	EXPECT_EQ(-EEXIST, _test_rename(self->fd, table, "foo"));
	ASSERT_EQ(0, _test_rename(self->fd, table, "renamed"));
	ASSERT_EQ(0, _test_info_name(self->fd, "renamed", &info));
	EXPECT_EQ(table, info.id);
}

/* evil_rename: with as many fixers as there can be it is renamed, and destroyed */
TEST_F(ets, evil_rename)
{
	__u64 pins[KREG_MAX_PINS];
	int i;

	put_all(_metadata, self->fd, self->table);
	for (i = 0; i < KREG_MAX_PINS; i++) {
		ASSERT_EQ(0, delete_number(self->fd, self->table, i));
		test_pin(self->fd, self->table, 0, &pins[i]);
	}
	ASSERT_EQ(0, _test_rename(self->fd, self->table, "renamed"));
	for (i = 0; i < KREG_MAX_PINS; i++)
		EXPECT_EQ(OBJECTS - 1 - i, test_pinned_count(self->fd, self->table, pins[i]));
	test_destroy(self->fd, self->table);
	for (i = 0; i < KREG_MAX_PINS; i++)
		EXPECT_EQ(-ESTALE, test_pinned_count(self->fd, self->table, pins[i]));
}

static long job_insert_all(struct job *job)
{
	static struct kreg_op ops[TRAPPED];
	static __u32 keys[TRAPPED];
	__u32 i;

	for (i = 0; i < TRAPPED; i++) {
		keys[i] = i;
		ops[i] = test_op_value(KREG_OP_PUT, &keys[i], 4, "v", 1);
	}
	return _test_batch(job->fd, job->table, KREG_BATCH_ATOMIC, ops, TRAPPED, NULL);
}

/* insert_trap_rename: a long list is there as a whole, or not at all, under either name */
TEST_F(ets, insert_trap_rename)
{
	struct kid *kid = kid_start(_metadata);
	int round, rounds = test_size(50), n;
	const char *name = "renamed";
	__u64 pin;

	for (round = 0; round < rounds; round++) {
		kid->job->table = self->table;
		kid_ask(kid, job_insert_all);
		ASSERT_EQ(0, _test_rename(self->fd, self->table, name));
		name = round & 1 ? "renamed" : "foo";
		test_pin(self->fd, self->table, 0, &pin);
		n = test_pinned_count(self->fd, self->table, pin);
		EXPECT_TRUE(!n || n == TRAPPED);
		ASSERT_EQ(0, _test_cancel(self->fd, pin, 0));
		ASSERT_EQ(0, kid_answer(kid));
		EXPECT_EQ(TRAPPED, test_objects(self->fd, self->table));
		test_clear(self->fd, self->table);
	}
	kid_kill(kid);
}

struct reader {
	int fd, stop;
	unsigned long found, wrong;
};

/* What is found by a name has that name. */
static void *read_by_name(void *arg)
{
	struct reader *r = arg;
	struct kreg_info info;

	while (!__atomic_load_n(&r->stop, __ATOMIC_RELAXED)) {
		if (_test_info_name(r->fd, "foo", &info))
			continue;
		r->found++;
		r->wrong += info.name_len != 3 || memcmp(info.name, "foo", 3);
	}
	return NULL;
}

/* racy_rename: who asks by a name never gets what has another one */
TEST_F(ets, racy_rename)
{
	struct reader r = { .fd = self->fd };
	pthread_t thread;
	int i, rounds = test_size(ROUNDS);

	ASSERT_EQ(0, pthread_create(&thread, NULL, read_by_name, &r));
	for (i = 0; i < rounds || __atomic_load_n(&r.found, __ATOMIC_RELAXED) < 50; i++) {
		ASSERT_EQ(0, _test_rename(self->fd, self->table, "bar"));
		ASSERT_EQ(0, _test_rename(self->fd, self->table, "foo"));
	}
	__atomic_store_n(&r.stop, 1, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	EXPECT_EQ(0, r.wrong);
}

/* meta_wb: new tables and new names succeed if, and only if, nobody has the name */
TEST_F(ets, meta_wb)
{
	static const char * const names[NAMES] = { "w", "x", "y", "z" };
	__u64 tables[NAMES] = {};
	int i, rounds = test_size(ROUNDS), err;

	srand(1);
	for (i = 0; i < rounds; i++) {
		int from = rand() % NAMES, to = rand() % NAMES;
		__u64 id;

		switch (rand() % 3) {
		case 0:
			err = _test_create(self->fd, names[to], 0, &id);
			ASSERT_EQ(tables[to] ? -EEXIST : 0, err);
			tables[to] = tables[to] ?: id;
			break;
		case 1:
			if (tables[to])
				test_destroy(self->fd, tables[to]);
			tables[to] = 0;
			break;
		default:
			if (!tables[from])
				break;
			err = _test_rename(self->fd, tables[from], names[to]);
			ASSERT_EQ(tables[to] ? -EEXIST : 0, err);
			if (err)
				break;
			tables[to] = tables[from];
			tables[from] = 0;
		}
	}
}

/* safe_fixtable: what is deleted and inserted meanwhile does not show */
TEST_F(ets, safe_fixtable)
{
	__u64 pin;
	__u32 n;

	put_all(_metadata, self->fd, self->table);
	test_pin(self->fd, self->table, 0, &pin);
	for (n = 0; n < OBJECTS; n++) {
		ASSERT_EQ(0, delete_number(self->fd, self->table, n));
		ASSERT_EQ(0, put_number(self->fd, self->table, OBJECTS + n));
	}
	EXPECT_EQ(OBJECTS, test_pinned_count(self->fd, self->table, pin));
	EXPECT_EQ(OBJECTS, test_objects(self->fd, self->table));
	EXPECT_EQ(OBJECTS, test_kept(self->fd, self->table));
	ASSERT_EQ(0, _test_cancel(self->fd, pin, 0));
	EXPECT_EQ(-ENOENT, _test_cancel(self->fd, pin, 0));
	EXPECT_TRUE(test_wait_for(!test_kept(self->fd, self->table)));
}

static long job_pin(struct job *job)
{
	return _test_pin(job->fd, job->table, 0, &job->arg);
}

/* safe_fixtable: that of a process goes with it */
TEST_F(ets, safe_fixtable_owner_dies)
{
	struct kid *kid = kid_start(_metadata);

	put_all(_metadata, self->fd, self->table);
	kid->job->table = self->table;
	ASSERT_EQ(0, kid_do(kid, job_pin));
	EXPECT_EQ(1, test_pins(self->fd, self->table));
	test_clear(self->fd, self->table);
	kid_kill(kid);
	EXPECT_EQ(0, test_pins(self->fd, self->table));
}

/* t_delete_all_objects_trap: cleared and renamed while it is fixed */
TEST_F(ets, t_delete_all_objects_trap)
{
	__u64 pin;

	put_all(_metadata, self->fd, self->table);
	test_pin(self->fd, self->table, 0, &pin);
	test_clear(self->fd, self->table);
	ASSERT_EQ(0, _test_rename(self->fd, self->table, "renamed"));
	EXPECT_EQ(0, test_objects(self->fd, self->table));
	EXPECT_EQ(OBJECTS, test_pinned_count(self->fd, self->table, pin));
	ASSERT_EQ(0, put_number(self->fd, self->table, 1));
	EXPECT_EQ(1, test_pinned_count(self->fd, self->table, 0));
}

TEST_HARNESS_MAIN
