// SPDX-License-Identifier: GPL-2.0
/*
 * PUT and DELETE on condition of what is there: PRESENT and VALUE; and parts of a value, PART.
 */
#include <sys/mman.h>

#include "kit/fixture.h"
#include "kit/bound.h"
#include "kit/edit.h"
#include "kit/lease.h"

#define LONG	40000

FIXTURE(swap) {
	struct test_base base;
	int fd;
	__u64 table;
};

FIXTURE_SETUP(swap)
{
	self->fd = test_setup(_metadata, &self->base);
	test_create(self->fd, "swap", KREG_ACCESS_PUBLIC, &self->table);
}

FIXTURE_TEARDOWN_PARENT(swap)
{
	test_teardown(_metadata, &self->base);
}

static int op_with(int fd, __u64 table, struct kreg_op op, __u16 flags)
{
	op.flags |= flags;
	return _test_op(fd, table, 0, &op);
}

/* PUT of "new", or DELETE, of an object that has the value @old. */
static int swap(int fd, __u64 table, __u16 code, const char *key, const char *old)
{
	struct kreg_op op = code == KREG_OP_PUT ? test_op_puts(key, "new") : test_ops(code, key);

	test_if_value(&op, old, strlen(old));
	return _test_op(fd, table, 0, &op);
}

/* The errors of the flags alone. */
TEST_F(swap, contradictions)
{
	static const struct {
		__u16 code, flags;
		__u64 arg;
		__u32 offset;
		int err;
	} rows[] = {
		{ KREG_OP_PUT, 0, 0, 1, EOPNOTSUPP },
		{ KREG_OP_PUT, KREG_OP_PRESENT, 1, 0, EOPNOTSUPP },
		{ KREG_OP_PUT, KREG_OP_PRESENT, 0, 1, EOPNOTSUPP },
		{ KREG_OP_PUT, KREG_OP_VERSION, 1, 1, EOPNOTSUPP },
		{ KREG_OP_TAKE, KREG_OP_MORE, 1, 0, EOPNOTSUPP },
		{ KREG_OP_PUBLISH, KREG_OP_MORE, 1, 0, EOPNOTSUPP },
		{ KREG_OP_PUT, KREG_OP_PRESENT | KREG_OP_NEW, 0, 0, EINVAL },
		{ KREG_OP_PUT, KREG_OP_VALUE | KREG_OP_NEW, 0, 0, EINVAL },
		{ KREG_OP_PUT, KREG_OP_VALUE | KREG_OP_VERSION, 1, 0, EINVAL },
		{ KREG_OP_PUT, KREG_OP_VALUE | KREG_OP_BOUND | KREG_OP_MORE, 1, 0, EINVAL },
		{ KREG_OP_PUT, KREG_OP_PART, 0, 0, EINVAL },
		{ KREG_OP_DELETE, KREG_OP_PRESENT, 0, 0, EINVAL },
		{ KREG_OP_TAKE, KREG_OP_PRESENT, 0, 0, EINVAL },
		{ KREG_OP_TAKE, KREG_OP_VALUE, 1, 0, EINVAL },
		{ KREG_OP_TAKE, KREG_OP_PART, 0, 0, EINVAL },
		{ KREG_OP_GET, KREG_OP_PRESENT, 0, 0, EINVAL },
		{ KREG_OP_GET, KREG_OP_VALUE, 0, 0, EINVAL },
		{ KREG_OP_GET, KREG_OP_PART | KREG_OP_MINE, 0, 0, EINVAL },
		{ KREG_OP_MEMBER, KREG_OP_PART, 0, 0, EINVAL },
		{ KREG_OP_MEMBER, KREG_OP_VALUE, 0, 0, EINVAL },
		{ KREG_OP_PUT, KREG_OP_VALUE, 1, KREG_MAX_VALUE + 1, EFBIG },
		{ KREG_OP_DELETE, KREG_OP_VALUE, 1, ~0U, EFBIG },
		{ KREG_OP_PUT, KREG_OP_VALUE, 8, 1, EFAULT },
		{ KREG_OP_DELETE, KREG_OP_VALUE, 0, 1000, EFAULT },
		{ KREG_OP_PUT, KREG_OP_VALUE, 0, 0, ECANCELED },
		{ KREG_OP_DELETE, KREG_OP_VALUE, 0, 0, ECANCELED },
		{ KREG_OP_PUT, KREG_OP_PRESENT, 0, 0, ENODATA },
		{ KREG_OP_PUT, KREG_OP_PRESENT | KREG_OP_VERSION, 1, 0, ENODATA },
		{ KREG_OP_PUT, KREG_OP_PRESENT | KREG_OP_VALUE, 0, 0, ENODATA },
		{ KREG_OP_PUT, KREG_OP_PRESENT | KREG_OP_BOUND, 0, 0, ENODATA },
		{ KREG_OP_PUT, KREG_OP_PRESENT | KREG_OP_MINE, 0, 0, ENODATA },
		{ KREG_OP_GET, KREG_OP_PART, 0, 0, ENODATA },
	};
	struct kreg_op clear = test_op(KREG_OP_CLEAR, NULL, 0);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct kreg_op op = test_ops(rows[i].code, "key");

		op.flags = rows[i].flags;
		op.arg = rows[i].arg;
		op.offset = rows[i].offset;
		EXPECT_EQ(-rows[i].err, _test_op(self->fd, self->table, 0, &op)) {
			TH_LOG("row %u", i);
		}
	}
	EXPECT_EQ(-EINVAL, op_with(self->fd, self->table, clear, KREG_OP_PRESENT));
	EXPECT_EQ(-EINVAL, op_with(self->fd, self->table, clear, KREG_OP_VALUE));
	for (i = 0; i < 2; i++) {
		struct kreg_op op = test_op_puts("key", "v");

		op.flags = i ? KREG_OP_VALUE : KREG_OP_PRESENT;
		test_err_op(EINVAL, self->fd, self->table, KREG_WRITE_ASYNC, &op);
		test_err_batch(EINVAL, self->fd, self->table, KREG_WRITE_ASYNC, &op, 1, NULL);
	}
	EXPECT_EQ(0, test_objects(self->fd, self->table));
}

TEST_F(swap, present)
{
	struct kreg_op put = test_op_puts("key", "2"), ops[3];
	__u64 version;
	__u32 done;

	EXPECT_EQ(-ENODATA, op_with(self->fd, self->table, put, KREG_OP_PRESENT));
	test_puts(self->fd, self->table, "key", "1");
	EXPECT_EQ(0, op_with(self->fd, self->table, put, KREG_OP_PRESENT));
	test_gets(self->fd, self->table, "key", "2");
	version = test_version(self->fd, self->table, "key");
	put.arg = version + 1;
	EXPECT_EQ(-ECANCELED, op_with(self->fd, self->table, put,
				      KREG_OP_PRESENT | KREG_OP_VERSION));
	put.arg = version;
	EXPECT_EQ(0, op_with(self->fd, self->table, put, KREG_OP_PRESENT | KREG_OP_VERSION));
	/* In batches: as of before the batch, if that is atomic. */
	ops[0] = test_op_puts("other", "x");
	ops[1] = test_op_puts("other", "y");
	ops[1].flags = KREG_OP_PRESENT;
	ops[2] = test_op_puts("key", "3");
	ops[2].flags = KREG_OP_PRESENT;
	test_err_batch(ENODATA, self->fd, self->table, KREG_BATCH_ATOMIC, ops, 3, &done);
	EXPECT_EQ(1, done);
	EXPECT_EQ(1, test_objects(self->fd, self->table));
	test_batch(self->fd, self->table, 0, ops, 3, &done);
	EXPECT_EQ(3, done);
	test_gets(self->fd, self->table, "other", "y");
	test_batch(self->fd, self->table, KREG_BATCH_ATOMIC, ops, 3, &done);
	EXPECT_EQ(3, done);
	ops[0] = test_ops(KREG_OP_DELETE, "other");
	test_batch(self->fd, self->table, KREG_BATCH_ATOMIC, ops, 2, &done);
	EXPECT_EQ(2, done);
	test_gets(self->fd, self->table, "other", "y");
	test_batch(self->fd, self->table, 0, ops, 2, &done);
	EXPECT_EQ(1, done);
	EXPECT_EQ(ENODATA, ops[1].out_error);
}

TEST_F(swap, value)
{
	struct kreg_op op;

	test_puts(self->fd, self->table, "key", "old");
	EXPECT_EQ(-ECANCELED, swap(self->fd, self->table, KREG_OP_PUT, "key", "ol"));
	EXPECT_EQ(-ECANCELED, swap(self->fd, self->table, KREG_OP_PUT, "key", "olD"));
	EXPECT_EQ(-ECANCELED, swap(self->fd, self->table, KREG_OP_PUT, "key", "older"));
	EXPECT_EQ(-ECANCELED, swap(self->fd, self->table, KREG_OP_PUT, "key", ""));
	EXPECT_EQ(-ECANCELED, swap(self->fd, self->table, KREG_OP_PUT, "no", ""));
	test_gets(self->fd, self->table, "key", "old");
	op = test_op_puts("key", "new");
	test_if_value(&op, "old", 3);
	test_op_(self->fd, self->table, 0, &op);
	EXPECT_EQ(1, op.out_count);
	EXPECT_EQ(test_version(self->fd, self->table, "key"), op.out_version);
	test_gets(self->fd, self->table, "key", "new");
	EXPECT_EQ(-ECANCELED, swap(self->fd, self->table, KREG_OP_DELETE, "key", "old"));
	EXPECT_EQ(0, swap(self->fd, self->table, KREG_OP_DELETE, "key", "new"));
	EXPECT_EQ(-ECANCELED, swap(self->fd, self->table, KREG_OP_DELETE, "key", "new"));
	test_puts(self->fd, self->table, "empty", "");
	EXPECT_EQ(0, swap(self->fd, self->table, KREG_OP_PUT, "empty", ""));
	test_gets(self->fd, self->table, "empty", "new");
}

/* The old value, the new one, both or none are long. */
TEST_F(swap, long_value)
{
	static char a[LONG], b[LONG], got[LONG];
	static const __u32 lens[] = { 3, LONG };
	struct kreg_op op;
	unsigned int i;

	memset(a, 'a', LONG);
	for (i = 0; i < 4; i++) {
		__u32 from = lens[i / 2], to = lens[i % 2];

		memset(b, '0' + i, LONG);
		test_put(self->fd, self->table, "k", 1, a, from);
		op = test_op_value(KREG_OP_PUT, "k", 1, b, to);
		a[from - 1]++;
		test_if_value(&op, a, from);
		test_err_op(ECANCELED, self->fd, self->table, 0, &op);
		a[from - 1]--;
		test_op_(self->fd, self->table, 0, &op);
		EXPECT_EQ(1, op.out_count);
		EXPECT_EQ(to, _test_get(self->fd, self->table, "k", 1, got, LONG));
		EXPECT_EQ(0, memcmp(got, b, to));
		op = test_op(KREG_OP_DELETE, "k", 1);
		test_if_value(&op, a, to);
		test_err_op(ECANCELED, self->fd, self->table, 0, &op);
		test_if_value(&op, b, to);
		test_op_(self->fd, self->table, 0, &op);
		EXPECT_EQ(0, test_objects(self->fd, self->table));
	}
}

/* What is bound is found by its value like all else, and hidden objects are not. */
TEST_F(swap, bound)
{
	struct kid *kid = kid_start(_metadata);
	struct kreg_op op = test_op_bind("his", "mine");

	ASSERT_EQ(0, kid_bind(kid, self->table, "his", "value"));
	EXPECT_EQ(-ECANCELED, swap(self->fd, self->table, KREG_OP_PUT, "his", "other"));
	EXPECT_EQ(0, swap(self->fd, self->table, KREG_OP_PUT, "his", "value"));
	EXPECT_TRUE(test_is_of(self->fd, self->table, "his", kid->self));
	test_if_value(&op, "value", 5);
	test_err_op(ECANCELED, self->fd, self->table, 0, &op);
	test_if_value(&op, "new", 3);
	test_op_(self->fd, self->table, 0, &op);
	EXPECT_TRUE(test_is_of(self->fd, self->table, "his", test_self(self->fd)));
	ASSERT_EQ(0, kid_bind(kid, self->table, "gone", "value"));
	EXPECT_EQ(SIGKILL, kid_kill(kid));
	EXPECT_EQ(-ECANCELED, swap(self->fd, self->table, KREG_OP_PUT, "gone", "value"));
	EXPECT_EQ(-ENODATA, op_with(self->fd, self->table, test_op_puts("gone", "v"),
				    KREG_OP_PRESENT));
}

/* Nobody finds what is on loan by its value, nor edits it. */
TEST_F(swap, on_loan)
{
	struct kid *kid = kid_start(_metadata);
	struct kreg_field f = test_add(0, 1);

	test_puts(self->fd, self->table, "k", "12345678");
	ASSERT_EQ(1, kid_lease(kid, self->table, "k"));
	EXPECT_EQ(-ECANCELED, swap(self->fd, self->table, KREG_OP_PUT, "k", "12345678"));
	EXPECT_EQ(-ECANCELED, swap(self->fd, self->table, KREG_OP_DELETE, "k", "12345678"));
	EXPECT_EQ(-EBUSY, op_with(self->fd, self->table, test_op_puts("k", "v"), KREG_OP_PRESENT));
	test_err_edit(EBUSY, self->fd, self->table, "k", &f, 1);
	test_err_edit_from(EBUSY, self->fd, self->table, "k", &f, 1, "12345678", 8);
	EXPECT_EQ(SIGKILL, kid_kill(kid));
	EXPECT_EQ(0, swap(self->fd, self->table, KREG_OP_PUT, "k", "12345678"));
}

/* @err, or how many bytes are copied. */
static void expect_part(struct __test_metadata *_metadata, int fd, __u64 table, const char *value,
			__u32 len, __u32 offset, __u32 room, int want)
{
	static char got[LONG + 1];
	struct kreg_op op = test_op_value(KREG_OP_GET, "k", 1, got, room);

	memset(got, '.', sizeof(got));
	op.flags = KREG_OP_PART;
	op.offset = offset;
	EXPECT_EQ(want < 0 ? want : 0, _test_op(fd, table, 0, &op));
	if (want < 0)
		want = 0;
	else
		EXPECT_EQ(len, op.out_len);
	EXPECT_EQ(0, memcmp(got, value + offset, want)) {
		TH_LOG("from %u on", offset);
	}
	EXPECT_EQ('.', got[want]);
}

TEST_F(swap, part)
{
	static char value[LONG];
	static const __u32 lens[] = { 100, 5000, LONG };
	struct kreg_op ops[3];
	unsigned int i;
	char room[4];
	__u32 done;

	for (i = 0; i < LONG; i++)
		value[i] = i * 7 + i / 250;
	for (i = 0; i < 3; i++) {
		__u32 n = lens[i];

		test_put(self->fd, self->table, "k", 1, value, n);
		expect_part(_metadata, self->fd, self->table, value, n, 0, 10, 10);
		expect_part(_metadata, self->fd, self->table, value, n, 10, 20, 20);
		expect_part(_metadata, self->fd, self->table, value, n, n - 5, 20, 5);
		expect_part(_metadata, self->fd, self->table, value, n, 0, n, n);
		expect_part(_metadata, self->fd, self->table, value, n, 7, LONG, n - 7);
		expect_part(_metadata, self->fd, self->table, value, n, n, 20, 0);
		expect_part(_metadata, self->fd, self->table, value, n, 0, 0, 0);
		expect_part(_metadata, self->fd, self->table, value, n, n + 1, 20, -ERANGE);
		expect_part(_metadata, self->fd, self->table, value, n, ~0U, 20, -ERANGE);
		/* In a batch, each for itself. */
		ops[0] = test_op_value(KREG_OP_GET, "k", 1, room, 4);
		ops[1] = ops[0];
		ops[1].flags = KREG_OP_PART;
		ops[1].offset = 50;
		ops[2] = ops[1];
		ops[2].offset = n + 1;
		test_batch(self->fd, self->table, 0, ops, 3, &done);
		EXPECT_EQ(1, done);
		EXPECT_EQ(EMSGSIZE, ops[0].out_error);
		EXPECT_EQ(0, ops[1].out_error);
		EXPECT_EQ(ERANGE, ops[2].out_error);
		EXPECT_EQ(n, ops[1].out_len);
		EXPECT_EQ(0, memcmp(room, value + 50, 4));
	}
}

/* The room is a page that is not there yet, or cannot be written. */
TEST_F(swap, part_faults)
{
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct kreg_op op = test_op_value(KREG_OP_GET, "k", 1, page, 4096);

	ASSERT_NE(MAP_FAILED, page);
	op.flags = KREG_OP_PART;
	op.offset = 2;
	test_puts(self->fd, self->table, "k", "0123456789");
	test_op_(self->fd, self->table, 0, &op);
	EXPECT_EQ(0, memcmp(page, "23456789\0", 9));
	ASSERT_EQ(0, mprotect(page, 4096, PROT_READ));
	test_err_op(EFAULT, self->fd, self->table, 0, &op);
	munmap(page, 4096);
}

/* The kid edits the object k, or puts to it on condition of a value or that it is there. */
static long job_looks(struct job *job)
{
	struct kreg_field f = test_add(0, 0);
	struct kreg_op op = test_op_puts("k", "12345678");

	if (job->arg == KREG_OP_EDIT)
		return _test_edit(job->fd, job->table, "k", &f, 1);
	if (job->arg == KREG_OP_VALUE)
		test_if_value(&op, "another", 7);
	return op_with(job->fd, job->table, op, job->arg);
}

/* Who may only write must not learn what a value is, nor who may only read change it. */
TEST_F(swap, rights)
{
	static const struct {
		__u32 access, mode;
		int edit, value, present;
	} rows[] = {
		{ KREG_ACCESS_PUBLIC, 0666, 0, 0, 0 },
		{ KREG_ACCESS_PUBLIC, 0622, EACCES, EACCES, 0 },
		{ KREG_ACCESS_PUBLIC, 0644, EACCES, EACCES, EACCES },
		{ KREG_ACCESS_PROTECTED, 0666, EACCES, EACCES, EACCES },
		{ KREG_ACCESS_REGISTRY, 0666, EACCES, EACCES, EACCES },
	};
	struct kid *kid = kid_start_as(_metadata, 1000);
	struct job *job = kid->job;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		test_puts(self->fd, self->table, "k", "12345678");
		test_access(self->fd, self->table, rows[i].access);
		test_mode(self->fd, self->table, rows[i].mode);
		job->table = self->table;
		job->arg = KREG_OP_EDIT;
		EXPECT_EQ(-rows[i].edit, kid_do(kid, job_looks)) {
			TH_LOG("row %u", i);
		}
		job->arg = KREG_OP_VALUE;
		EXPECT_EQ(rows[i].value ? -rows[i].value : -ECANCELED, kid_do(kid, job_looks)) {
			TH_LOG("row %u", i);
		}
		job->arg = KREG_OP_PRESENT;
		EXPECT_EQ(-rows[i].present, kid_do(kid, job_looks)) {
			TH_LOG("row %u", i);
		}
	}
}

/* The same by what the file was opened for. */
TEST_F(swap, modes)
{
	int r = open(KREG_DEV, O_RDONLY | O_CLOEXEC), w = open(KREG_DEV, O_WRONLY | O_CLOEXEC);
	struct kreg_field f = test_add(0, 1);
	struct kreg_op edit = test_op_edit("k", &f, 1), value = test_op_puts("k", "12345678"),
		       part = test_op_value(KREG_OP_GET, "k", 1, &f, sizeof(f));

	ASSERT_LE(0, r);
	ASSERT_LE(0, w);
	test_puts(self->fd, self->table, "k", "12345678");
	test_if_value(&value, "12345678", 8);
	part.flags = KREG_OP_PART;
	EXPECT_EQ(-EBADF, op_with(r, self->table, edit, 0));
	EXPECT_EQ(-EBADF, op_with(w, self->table, edit, 0));
	EXPECT_EQ(-EBADF, op_with(r, self->table, value, 0));
	EXPECT_EQ(-EBADF, op_with(w, self->table, value, 0));
	EXPECT_EQ(-EBADF, op_with(w, self->table, part, 0));
	EXPECT_EQ(0, op_with(r, self->table, part, 0));
	EXPECT_EQ(0, op_with(w, self->table, test_op_puts("k", "x"), KREG_OP_PRESENT));
	close(r);
	close(w);
}

TEST_HARNESS_MAIN
