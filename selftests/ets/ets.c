// SPDX-License-Identifier: GPL-2.0
/*
 * What ets_SUITE of Erlang/OTP requires of new tables, of inserting and
 * deleting, as far as the ABI has it. The names are those of its cases.
 */
#include <sys/wait.h>

#include "kit/fixture.h"
#include "kit/job.h"

#define LARGE	50000
#define MANY	2000

FIXTURE(ets) {
	struct test_base base;
	int fd;
	struct kreg_process me;
};

FIXTURE_SETUP(ets)
{
	self->fd = test_setup(_metadata, &self->base);
	self->me = test_self(self->fd);
}

FIXTURE_TEARDOWN_PARENT(ets)
{
	test_teardown(_metadata, &self->base);
}

/* Numbers from @from to @to as keys and values, in batches. */
static int put_numbers(int fd, __u64 table, __u32 from, __u32 to)
{
	static struct kreg_op ops[KREG_MAX_BATCH_OPS];
	static __u32 keys[KREG_MAX_BATCH_OPS];
	__u32 n;
	int err;

	while (from < to) {
		for (n = 0; n < KREG_MAX_BATCH_OPS && from < to; n++, from++) {
			keys[n] = from;
			ops[n] = test_op_value(KREG_OP_PUT, &keys[n], 4,
					       &keys[n], 4);
		}
		err = _test_batch(fd, table, 0, ops, n, NULL);
		if (err)
			return err;
	}
	return 0;
}

/* ets.unnamed_roundtrip: insert {"foo", self()}, look it up */
TEST_F(ets, unnamed_roundtrip)
{
	struct kreg_process found;
	__u64 id;

	test_create(self->fd, NULL, KREG_ACCESS_PROTECTED, &id);
	test_put(self->fd, id, "foo", 3, &self->me, sizeof(self->me));
	ASSERT_EQ(sizeof(found), _test_get(self->fd, id, "foo", 3, &found,
					   sizeof(found)));
	EXPECT_TRUE(test_same(self->me, found));
	EXPECT_EQ(1, test_objects(self->fd, id));
}

/* ets.named_roundtrip: by name from the creator and from another process */
TEST_F(ets, named_roundtrip)
{
	struct kid *kid = kid_start(_metadata);
	__u64 id, found;

	test_create(self->fd, "buckets_table", KREG_ACCESS_PROTECTED, &id);
	test_open(self->fd, "buckets_table", 0, &found);
	EXPECT_EQ(id, found);
	test_puts(self->fd, found, "foo", "bar");
	ASSERT_EQ(0, kid_open(kid, "buckets_table", 0, &found));
	EXPECT_EQ(id, found);
	EXPECT_EQ(0, kid_gets(kid, found, "foo"));
	EXPECT_STREQ("bar", kid->job->value);
	EXPECT_EQ(-EACCES, kid_puts(kid, found, "foo", "kid"));
}

/* default: the properties of a table that was created without options */
TEST_F(ets, default)
{
	struct kreg_info info;
	struct kreg_ioc_open cmd = test_open_cmd(NULL, KREG_OPEN_CREATE);

	test_open_(self->fd, &cmd);
	test_info(self->fd, cmd.out_table, &info);
	EXPECT_EQ(test_type(), info.type);
	EXPECT_EQ(KREG_ACCESS_PROTECTED, info.access);
	EXPECT_TRUE(test_none(info.heir));
	EXPECT_TRUE(test_same(self->me, info.owner));
	EXPECT_EQ(0, info.objects);
}

/* badnew: a bad option makes no table */
TEST_F(ets, badnew)
{
	struct kreg_ioc_open cmd = test_open_cmd("badnew", KREG_OPEN_CREATE);
	struct kreg_ioc_open bad = cmd;
	struct kreg_info info;

	bad.flags |= 1U << 31;
	test_err_open_(EOPNOTSUPP, self->fd, &bad);
	bad = cmd;
	bad.type = 17;
	test_err_open_(EOPNOTSUPP, self->fd, &bad);
	bad = cmd;
	bad.access = 17;
	test_err_open_(EOPNOTSUPP, self->fd, &bad);
	bad = cmd;
	bad.name_len = 0;
	test_err_open_(EINVAL, self->fd, &bad);
	test_err_info_name(ENOENT, self->fd, "badnew", &info);
}

/* named: a name in use is refused, and the table that has it untouched */
TEST_F(ets, named)
{
	struct kid *kid = kid_start(_metadata);
	__u64 id, other;

	test_create(self->fd, "foo", KREG_ACCESS_PUBLIC, &id);
	test_puts(self->fd, id, "k", "v");
	test_err_create(EEXIST, self->fd, "foo", 0, &other);
	EXPECT_EQ(-EEXIST, kid_create(kid, "foo", 0, &other));
	test_gets(self->fd, id, "k", "v");
	test_destroy(self->fd, id);
	EXPECT_EQ(0, kid_create(kid, "foo", 0, &other));
	EXPECT_NE(id, other);
}

/* empty: looking up in an empty table, and for what is not there */
TEST_F(ets, empty)
{
	char room[8];
	__u64 id;

	test_create(self->fd, NULL, 0, &id);
	test_err_get(ENODATA, self->fd, id, "key", 3, room, 8);
	test_puts(self->fd, id, "key2", "val");
	test_err_get(ENODATA, self->fd, id, "key", 3, room, 8);
}

/* badinsert: no table, no key, and a list with one bad object */
TEST_F(ets, badinsert)
{
	struct kreg_op ops[3] = {
		test_op_puts("a", "1"), test_op_puts("", "2"),
		test_op_puts("c", "3"),
	};
	__u64 id, gone;

	test_create(self->fd, NULL, 0, &id);
	test_create(self->fd, NULL, 0, &gone);
	test_destroy(self->fd, gone);
	test_err_puts(ESTALE, self->fd, gone, "k", "v");
	test_err_puts(EINVAL, self->fd, id, "", "v");
	test_err_batch(EINVAL, self->fd, id, 0, ops, 3, NULL);
	test_err_batch(EINVAL, self->fd, id, KREG_BATCH_ATOMIC, ops, 3, NULL);
	EXPECT_EQ(0, test_objects(self->fd, id));
}

/* badlookup: in a table that was never there, or is not any more */
TEST_F(ets, badlookup)
{
	char room[8];
	__u64 id;

	test_err_get(EINVAL, self->fd, ~0ULL, "key", 3, room, 8);
	test_create(self->fd, NULL, 0, &id);
	test_destroy(self->fd, id);
	test_err_get(ESTALE, self->fd, id, "key", 3, room, 8);
}

/* delete_elem, member, take: one object of several, and one that does not exist */
TEST_F(ets, delete_elem)
{
	__u64 id;

	test_create(self->fd, NULL, 0, &id);
	test_puts(self->fd, id, "b", "2");
	test_puts(self->fd, id, "a", "1");
	test_puts(self->fd, id, "c", "3");
	test_delete(self->fd, id, "b");
	test_delete(self->fd, id, "b");
	test_delete(self->fd, id, "never");
	test_err_member(ENODATA, self->fd, id, "b");
	test_member(self->fd, id, "a");
	test_member(self->fd, id, "c");
	EXPECT_EQ(2, test_objects(self->fd, id));
}

/* delete_tab: the name can be used again at once */
TEST_F(ets, delete_tab)
{
	__u64 id;
	int i;

	for (i = 0; i < 100; i++) {
		test_create(self->fd, "foo", 0, &id);
		test_puts(self->fd, id, "k", "v");
		test_destroy(self->fd, id);
	}
}

/* baddelete: a table that is not there, and twice */
TEST_F(ets, baddelete)
{
	__u64 id;

	test_err_destroy(EINVAL, self->fd, ~0ULL);
	test_create(self->fd, NULL, 0, &id);
	test_destroy(self->fd, id);
	test_err_destroy(ESTALE, self->fd, id);
	test_err_delete(ESTALE, self->fd, id, "k");
	test_err_clear(ESTALE, self->fd, id);
}

/* delete_large_tab: nobody finds it while it is being freed, others work on */
TEST_F(ets, delete_large_tab)
{
	struct kid *kid = kid_start(_metadata);
	struct kreg_info info;
	__u64 id, other;
	__u32 key = 1;

	test_create(self->fd, "large", KREG_ACCESS_PUBLIC, &id);
	test_create(self->fd, "other", KREG_ACCESS_PUBLIC, &other);
	ASSERT_EQ(0, put_numbers(self->fd, id, 0, LARGE));
	test_destroy(self->fd, id);
	test_err_info(ESTALE, self->fd, id, &info);
	test_err_put(ESTALE, self->fd, id, &key, 4, &key, 4);
	EXPECT_EQ(-ESTALE, test_count(self->fd, id));
	EXPECT_EQ(-ENOENT, kid_open(kid, "large", 0, &id));
	EXPECT_EQ(0, kid_puts(kid, other, "k", "v"));
}

/* delete_large_named_table: another makes one of this name meanwhile */
TEST_F(ets, delete_large_named_table)
{
	struct kid *kid = kid_start(_metadata);
	__u64 id, again;

	test_create(self->fd, "large", KREG_ACCESS_PUBLIC, &id);
	ASSERT_EQ(0, put_numbers(self->fd, id, 0, LARGE));
	test_destroy(self->fd, id);
	ASSERT_EQ(0, kid_create(kid, "large", 0, &again));
	EXPECT_EQ(0, kid_puts(kid, again, "k", "v"));
	EXPECT_EQ(1, test_objects(self->fd, again));
	test_err_destroy(ESTALE, self->fd, id);
	EXPECT_EQ(0, kid_gets(kid, again, "k"));
}

static long job_destroy_and_die(struct job *job)
{
	_test_destroy(job->fd, job->table);
	_exit(0);
}

/* evil_delete: killed while it deletes: the table goes, or it is untouched */
TEST_F(ets, evil_delete)
{
	struct kreg_info info;
	struct kid *kid;
	__u64 id;
	int i, err;

	for (i = 0; i < 20; i++) {
		kid = kid_start(_metadata);
		/* The table is owned by the process that deletes, or by the test. */
		if (i & 1)
			err = kid_create(kid, "evil", KREG_ACCESS_PUBLIC, &id);
		else
			err = _test_create(self->fd, "evil",
					   KREG_ACCESS_PUBLIC, &id);
		ASSERT_EQ(0, err);
		ASSERT_EQ(0, put_numbers(self->fd, id, 0, 5000));
		kid->job->table = id;
		kid_ask(kid, job_destroy_and_die);
		kid_kill(kid);
		err = _test_info(self->fd, id, &info);
		ASSERT_TRUE(err == -ESTALE || (!err && !(i & 1)));
		if (!err) {
			ASSERT_EQ(5000, test_count(self->fd, id));
			test_destroy(self->fd, id);
		}
		test_err_info_name(ENOENT, self->fd, "evil", &info);
	}
}

/* table_leak: made and deleted many times */
TEST_F(ets, table_leak)
{
	__u64 id;
	int i;

	for (i = 0; i < MANY; i++) {
		test_create(self->fd, NULL, 0, &id);
		test_destroy(self->fd, id);
	}
}

/* misc1, ets_all: the list has the table exactly while it is there */
TEST_F(ets, ets_all)
{
	__u64 ids[50];
	int i;

	for (i = 0; i < 50; i++) {
		test_create(self->fd, NULL, 0, &ids[i]);
		ASSERT_EQ(1, test_listed(self->fd, ids[i]));
	}
	for (i = 0; i < 50; i++) {
		test_destroy(self->fd, ids[i]);
		ASSERT_EQ(0, test_listed(self->fd, ids[i]));
	}
}

/* info: the same from the owner and from others; other errors than ENOENT stay such */
TEST_F(ets, info)
{
	struct kid *kid = kid_start(_metadata);
	struct kreg_info mine;
	__u64 id;

	test_create(self->fd, "info", KREG_ACCESS_PRIVATE, &id);
	test_puts(self->fd, id, "k", "v");
	test_info(self->fd, id, &mine);
	EXPECT_EQ(1, mine.objects);
	EXPECT_EQ(2, mine.bytes);
	ASSERT_EQ(0, kid_info(kid, id));
	EXPECT_EQ(0, memcmp(&mine, &kid->job->info, sizeof(mine)));
	EXPECT_EQ(-EINVAL, kid_info(kid, id + 1000));
	test_destroy(self->fd, id);
	EXPECT_EQ(-ESTALE, kid_info(kid, id));
}

/* whereis_table: names and ids; an old id is dead after the name is reused */
TEST_F(ets, whereis_table)
{
	struct kreg_info info;
	__u64 a, b;

	test_err_info_name(ENOENT, self->fd, "whereis", &info);
	test_create(self->fd, "whereis", 0, &a);
	test_info_name(self->fd, "whereis", &info);
	EXPECT_EQ(a, info.id);
	test_destroy(self->fd, a);
	test_err_info_name(ENOENT, self->fd, "whereis", &info);
	test_create(self->fd, "whereis", 0, &b);
	test_err_puts(ESTALE, self->fd, a, "k", "v");
	test_info_name(self->fd, "whereis", &info);
	EXPECT_EQ(b, info.id);
	EXPECT_EQ(0, info.objects);
}

/* meta_wb: new tables on few names succeed exactly when the name is free */
TEST_F(ets, meta_wb)
{
	__u64 ids[5] = { 0 }, id;
	unsigned int seed = 1, n;
	char name[8];
	int i;

	for (i = 0; i < MANY; i++) {
		seed = seed * 1103515245 + 12345;
		n = (seed >> 16) % 5;
		snprintf(name, sizeof(name), "name%u", n);
		if (seed & (1U << 30)) {
			ASSERT_EQ(ids[n] ? -EEXIST : 0,
				  _test_create(self->fd, name, 0, &id));
			if (!ids[n])
				ids[n] = id;
		} else if (ids[n]) {
			test_destroy(self->fd, ids[n]);
			ids[n] = 0;
		} else {
			test_err_open(ENOENT, self->fd, name, 0, &id);
		}
	}
}

TEST_HARNESS_MAIN
