// SPDX-License-Identifier: GPL-2.0
/*
 * The order in which errors are looked for: of several faults in a call, the one that
 * the header names first is the answer. Built for 32-bit callers as well.
 */
#include "kit/fixture.h"
#include "kit/job.h"

/* Faults of an operation, most important first. */
enum {
	BAD_FLAG = 1 << 0,
	BAD_OP_FLAG = 1 << 1,
	BAD_CODE = 1 << 2,
	BAD_RESERVED = 1 << 3,
	EMPTY_KEY = 1 << 4,
	LONG_KEY = 1 << 5,
	LONG_VALUE = 1 << 6,
	DEAD_TABLE = 1 << 7,
	NO_ACCESS = 1 << 8,
	KEY_THERE = 1 << 9,
};

static char long_key[KREG_MAX_KEY + 1];
static char long_value[KREG_MAX_VALUE + 1];

struct tables {
	int fd;
	__u64 table;		/* the test's own, with "there" in it */
	__u64 dead;
	__u64 foreign;		/* the kid's, private, with "there" in it */
};

FIXTURE(ladder) {
	struct test_base base;
	struct kid *kid;
	struct tables t;
};

FIXTURE_SETUP(ladder)
{
	self->t.fd = test_setup(_metadata, &self->base);
	memset(long_key, 'k', sizeof(long_key));
	self->kid = kid_start(_metadata);
	test_create(self->t.fd, "mine", 0, &self->t.table);
	test_puts(self->t.fd, self->t.table, "there", "value");
	test_create(self->t.fd, "dead", 0, &self->t.dead);
	test_destroy(self->t.fd, self->t.dead);
	ASSERT_EQ(0, kid_create(self->kid, "foreign", KREG_ACCESS_PRIVATE,
				&self->t.foreign));
	ASSERT_EQ(0, kid_puts(self->kid, self->t.foreign, "there", "value"));
}

FIXTURE_TEARDOWN_PARENT(ladder)
{
	test_teardown(_metadata, &self->base);
}

static int faulty_op(const struct tables *t, int faults)
{
	struct kreg_ioc_op cmd = {
		.size = KREG_OP_SIZE,
		.table = t->table,
		.op = test_op_puts("absent", "new"),
	};

	if (faults & BAD_FLAG)
		cmd.flags = 1U << 30;
	if (faults & BAD_OP_FLAG)
		cmd.op.flags = 1U << 14;
	if (faults & BAD_CODE)
		cmd.op.code = 999;
	if (faults & BAD_RESERVED)
		cmd.op.arg = 1;
	if (faults & KEY_THERE) {
		cmd.op = test_op_puts("there", "new");
		cmd.op.flags = KREG_OP_NEW;
	}
	if (faults & LONG_KEY) {
		cmd.op.key = test_ptr(long_key);
		cmd.op.key_len = sizeof(long_key);
	}
	if (faults & EMPTY_KEY)
		cmd.op.key_len = 0;
	if (faults & LONG_VALUE) {
		cmd.op.value = test_ptr(long_value);
		cmd.op.value_len = sizeof(long_value);
	}
	if (faults & DEAD_TABLE)
		cmd.table = t->dead;
	else if (faults & NO_ACCESS)
		cmd.table = t->foreign;
	return test_ioctl(t->fd, KREG_IOC_OP, &cmd);
}

static const struct {
	int faults;
	int err;
} op_rows[] = {
	{ BAD_FLAG, EOPNOTSUPP },
	{ BAD_OP_FLAG, EOPNOTSUPP },
	{ BAD_CODE, EOPNOTSUPP },
	{ BAD_RESERVED, EOPNOTSUPP },
	{ EMPTY_KEY, EINVAL },
	{ LONG_KEY, ENAMETOOLONG },
	{ LONG_VALUE, EFBIG },
	{ DEAD_TABLE, ESTALE },
	{ NO_ACCESS, EACCES },
	{ KEY_THERE, EEXIST },
	{ BAD_FLAG | EMPTY_KEY, EOPNOTSUPP },
	{ BAD_OP_FLAG | EMPTY_KEY, EOPNOTSUPP },
	{ BAD_CODE | EMPTY_KEY, EOPNOTSUPP },
	{ BAD_RESERVED | EMPTY_KEY, EOPNOTSUPP },
	{ BAD_FLAG | LONG_KEY, EOPNOTSUPP },
	{ BAD_CODE | LONG_VALUE | DEAD_TABLE, EOPNOTSUPP },
	{ BAD_FLAG | NO_ACCESS, EOPNOTSUPP },
	{ EMPTY_KEY | LONG_VALUE, EINVAL },
	{ EMPTY_KEY | DEAD_TABLE, EINVAL },
	{ EMPTY_KEY | NO_ACCESS, EINVAL },
	{ LONG_KEY | LONG_VALUE, ENAMETOOLONG },
	{ LONG_KEY | DEAD_TABLE, ENAMETOOLONG },
	{ LONG_KEY | NO_ACCESS, ENAMETOOLONG },
	{ LONG_VALUE | DEAD_TABLE, EFBIG },
	{ LONG_VALUE | NO_ACCESS, EFBIG },
	{ LONG_VALUE | KEY_THERE, EFBIG },
	{ DEAD_TABLE | KEY_THERE, ESTALE },
	{ NO_ACCESS | KEY_THERE, EACCES },
	{ BAD_FLAG | BAD_OP_FLAG | BAD_CODE | BAD_RESERVED | EMPTY_KEY |
	  LONG_KEY | LONG_VALUE | DEAD_TABLE | NO_ACCESS | KEY_THERE,
	  EOPNOTSUPP },
};

TEST_F(ladder, op)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(op_rows); i++) {
		int err = faulty_op(&self->t, op_rows[i].faults);

		EXPECT_EQ(-op_rows[i].err, err) {
			TH_LOG("faults %x", op_rows[i].faults);
		}
	}
	EXPECT_EQ(0, faulty_op(&self->t, 0));
	test_gets(self->t.fd, self->t.table, "there", "value");
	EXPECT_EQ(2, test_objects(self->t.fd, self->t.table));
}

TEST_F(ladder, foreign_process)
{
	__u32 sync[4] = { sizeof(sync) };
	int status;
	pid_t pid;

	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		EXPECT_EQ(-ENXIO, test_ioctl(self->t.fd, KREG_IOC_SYNC, sync));
		/* ENXIO comes before whatever else is wrong. */
		EXPECT_EQ(-ENXIO, test_ioctl(self->t.fd, KREG_IOC_SYNC, NULL));
		EXPECT_EQ(-ENXIO, test_ioctl(self->t.fd,
					     _IO(KREG_IOC_MAGIC, 200), sync));
		sync[0] = 1;
		EXPECT_EQ(-ENXIO, test_ioctl(self->t.fd, KREG_IOC_SYNC, sync));
		EXPECT_EQ(-1, read(self->t.fd, sync, sizeof(sync)));
		EXPECT_EQ(ENXIO, errno);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

/* Reads: rights and lengths are checked before the key is looked for, the room after. */
TEST_F(ladder, get)
{
	char room[16];

	test_err_get(EACCES, self->t.fd, self->t.foreign, "there", 5, room, 1);
	test_err_get(EACCES, self->t.fd, self->t.foreign, "absent", 6, room, 1);
	test_err_get(ESTALE, self->t.fd, self->t.dead, "absent", 6, room, 1);
	test_err_get(EMSGSIZE, self->t.fd, self->t.table, "there", 5, room, 1);
	test_err_get(ENODATA, self->t.fd, self->t.table, "absent", 6, room, 0);
	test_err_get(EINVAL, self->t.fd, self->t.dead, "", 0, room, 1);
	test_err_get(ENAMETOOLONG, self->t.fd, self->t.dead, long_key,
		     sizeof(long_key), room, 1);
}

TEST_F(ladder, open)
{
	struct kreg_ioc_open cmd;
	__u32 type;

	/* Everything is wrong; then one fault after the other is corrected. */
	cmd = test_open_cmd("mine", KREG_OPEN_EXCL | 1U << 20);
	cmd.name = test_ptr(long_key);
	cmd.name_len = KREG_MAX_NAME + 1;
	test_err_open_(EOPNOTSUPP, self->t.fd, &cmd);
	cmd.flags = KREG_OPEN_EXCL;
	test_err_open_(EINVAL, self->t.fd, &cmd);
	cmd.flags = KREG_OPEN_CREATE | KREG_OPEN_EXCL;
	cmd.type = KREG_TYPE_SET;
	test_err_open_(ENAMETOOLONG, self->t.fd, &cmd);
	cmd.flags = 0;
	cmd.type = 0;
	cmd.name_len = KREG_MAX_NAME;
	test_err_open_(ENOENT, self->t.fd, &cmd);

	cmd = test_open_cmd("mine", KREG_OPEN_CREATE | KREG_OPEN_EXCL);
	type = cmd.type;
	cmd.type = KREG_TYPE_DUPLICATE_BAG + 1;
	cmd.mode = 07777;
	test_err_open_(EOPNOTSUPP, self->t.fd, &cmd);
	cmd.type = type;
	test_err_open_(EINVAL, self->t.fd, &cmd);
	cmd.mode = 0600;
	cmd.schema_version = 1;
	test_err_open_(EINVAL, self->t.fd, &cmd);
	cmd.schema = 1;
	test_err_open_(EEXIST, self->t.fd, &cmd);
	cmd.flags = KREG_OPEN_CREATE;
	test_err_open_(EPROTOTYPE, self->t.fd, &cmd);
}

TEST_F(ladder, owner_only)
{
	struct kreg_process nobody = { .pid = 1, .cookie = ~0ULL };
	struct kid *other = kid_start_as(_metadata, 1000);
	__u64 table;

	/* Mode and ownership forbid it: the mode is looked at first. */
	test_create(self->t.fd, "closed", 0, &table);
	test_mode(self->t.fd, table, 0600);
	EXPECT_EQ(-EACCES, kid_give(other, table, nobody, ""));
	EXPECT_EQ(-EACCES, kid_destroy(other, table));
	EXPECT_EQ(-EACCES, kid_setopt(other, table, KREG_OPT_ACCESS,
				      KREG_ACCESS_PUBLIC, 0));
	/* So is the access rule. */
	test_mode(self->t.fd, table, 0666);
	EXPECT_EQ(-EACCES, kid_destroy(other, table));
	/* Mode and rule allow it, ownership does not. */
	test_access(self->t.fd, table, KREG_ACCESS_PUBLIC);
	EXPECT_EQ(-EPERM, kid_give(other, table, nobody, ""));
	EXPECT_EQ(-EPERM, kid_destroy(other, table));
	EXPECT_EQ(-EPERM, kid_setopt(other, table, KREG_OPT_ACCESS,
				     KREG_ACCESS_PUBLIC, 0));
	EXPECT_EQ(-EPERM, kid_give(self->kid, table, nobody, ""));
	/* What is unknown or makes no sense is noticed before both. */
	test_mode(self->t.fd, table, 0600);
	EXPECT_EQ(-EOPNOTSUPP, kid_setopt(other, table, 99, 0, 0));
	EXPECT_EQ(-EOPNOTSUPP, kid_setopt(other, table, KREG_OPT_ACCESS, 9,
					  0));
	EXPECT_EQ(-EINVAL, kid_setopt(other, table, KREG_OPT_ACCESS,
				      KREG_ACCESS_PUBLIC, 1));
	EXPECT_EQ(-EINVAL, kid_setopt(other, table, KREG_OPT_ROLE, table, 0));
	EXPECT_EQ(-EINVAL, kid_setopt(other, table, KREG_OPT_LIMIT, 1, 0));
	/* Both are noticed before the role is looked for. */
	EXPECT_EQ(-EACCES, kid_setopt(other, table, KREG_OPT_ROLE, self->t.dead, 0));
	EXPECT_EQ(-EACCES, kid_setopt(other, table, KREG_OPT_WRITER, ~0ULL, 0));
	EXPECT_EQ(-ESTALE, kid_destroy(other, self->t.dead));
}

TEST_F(ladder, batch)
{
	struct kreg_op op = test_op_puts("there", "new");
	struct kreg_ioc_batch cmd = test_batch_cmd(self->t.foreign,
						   KREG_BATCH_ATOMIC, &op, 0);

	op.flags = KREG_OP_NEW;
	cmd.flags |= 1U << 9;
	EXPECT_EQ(-EOPNOTSUPP, _test_batch_cmd(self->t.fd, &cmd));
	cmd.flags = KREG_BATCH_ATOMIC;
	EXPECT_EQ(-EINVAL, _test_batch_cmd(self->t.fd, &cmd));
	cmd.count = KREG_MAX_BATCH_OPS + 1;
	EXPECT_EQ(-EFBIG, _test_batch_cmd(self->t.fd, &cmd));
	cmd.count = 1;
	cmd.table = self->t.dead;
	EXPECT_EQ(-ESTALE, _test_batch_cmd(self->t.fd, &cmd));
	cmd.table = self->t.foreign;
	EXPECT_EQ(-EACCES, _test_batch_cmd(self->t.fd, &cmd));
	cmd.table = self->t.table;
	EXPECT_EQ(-EEXIST, _test_batch_cmd(self->t.fd, &cmd));
}

TEST_F(ladder, scan)
{
	__u64 room[1];
	struct kreg_ioc_scan cmd = {
		.flags = 1U << 9,
		.table = self->t.foreign,
		.range.after = test_ptr(long_key),
		.range.after_len = sizeof(long_key),
		.buf = test_ptr(room) + 1,
		.buf_len = sizeof(room),
	};

	test_err_scan(EOPNOTSUPP, self->t.fd, &cmd);
	cmd.flags = 0;
	test_err_scan(EINVAL, self->t.fd, &cmd);
	cmd.buf = test_ptr(room);
	test_err_scan(ENAMETOOLONG, self->t.fd, &cmd);
	cmd.range.after_len = 0;
	cmd.range.after = 0;
	test_err_scan(EACCES, self->t.fd, &cmd);
	cmd.table = self->t.dead;
	test_err_scan(ESTALE, self->t.fd, &cmd);
	cmd.table = self->t.table;
	test_err_scan(EMSGSIZE, self->t.fd, &cmd);
}

/* What a range says is looked at before anything else; what the table can do, last of all. */
TEST_F(ladder, scan_range)
{
	struct kreg_ioc_scan cmd = {
		.flags = KREG_SCAN_COUNT | KREG_SCAN_REVERSE,
		.table = self->t.foreign,
		.range.low = 8,
		.range.low_len = sizeof(long_key),
		.range.flags = KREG_RANGE_EXACT | KREG_RANGE_PREFIX | (1u << 31),
	};

	test_err_scan(EOPNOTSUPP, self->t.fd, &cmd);
	cmd.range.flags = KREG_RANGE_EXACT | KREG_RANGE_PREFIX;
	test_err_scan(EINVAL, self->t.fd, &cmd);
	cmd.range.flags = KREG_RANGE_PREFIX;
	test_err_scan(ENAMETOOLONG, self->t.fd, &cmd);
	cmd.range.low_len = KREG_MAX_KEY;
	test_err_scan(EFAULT, self->t.fd, &cmd);
	cmd.range.low = test_ptr(long_key);
	test_err_scan(EACCES, self->t.fd, &cmd);
	cmd.table = self->t.dead;
	test_err_scan(ESTALE, self->t.fd, &cmd);
	ASSERT_EQ(0, _test_create_type(self->t.fd, "set", KREG_TYPE_SET, 0, &cmd.table));
	test_err_scan(EOPNOTSUPP, self->t.fd, &cmd);
	cmd.flags = KREG_SCAN_COUNT;
	test_scan(self->t.fd, &cmd);
}

TEST_F(ladder, await)
{
	struct kreg_ioc_watch cmd = {
		.size = sizeof(cmd),
		.flags = 1U << 9 | KREG_WATCH_SLEEP,
		.kind = KREG_WATCH_PRESENT,
		.table = self->t.foreign,
		.key = test_ptr(long_key),
		.key_len = sizeof(long_key),
		.version = 1,
		.deadline_ns = 1,
	};

	EXPECT_EQ(-EOPNOTSUPP, test_ioctl(self->t.fd, KREG_IOC_WATCH, &cmd));
	cmd.flags = KREG_WATCH_SLEEP;
	EXPECT_EQ(-EINVAL, test_ioctl(self->t.fd, KREG_IOC_WATCH, &cmd));
	cmd.version = 0;
	EXPECT_EQ(-ENAMETOOLONG, test_ioctl(self->t.fd, KREG_IOC_WATCH, &cmd));
	cmd.key_len = 1;
	EXPECT_EQ(-EACCES, test_ioctl(self->t.fd, KREG_IOC_WATCH, &cmd));
	cmd.table = self->t.dead;
	EXPECT_EQ(-ESTALE, test_ioctl(self->t.fd, KREG_IOC_WATCH, &cmd));
	cmd.table = self->t.table;
	EXPECT_EQ(-ETIMEDOUT, test_ioctl(self->t.fd, KREG_IOC_WATCH, &cmd));
}

/* With and without KREG_ANY_NAMESPACE. */
TEST_F(ladder, info)
{
	struct kreg_info info;
	struct kreg_ioc_info cmd = {
		.size = sizeof(cmd),
		.flags = 1U << 9 | KREG_ANY_NAMESPACE,
		.table = self->t.dead,
		.name = test_ptr(long_key),
		.name_len = KREG_MAX_NAME + 1,
		.info_len = 4,
	};

	EXPECT_EQ(-EOPNOTSUPP, test_ioctl(self->t.fd, KREG_IOC_INFO, &cmd));
	cmd.flags = KREG_ANY_NAMESPACE;
	EXPECT_EQ(-EINVAL, test_ioctl(self->t.fd, KREG_IOC_INFO, &cmd));
	/* A name cannot be looked up in all namespaces. */
	cmd.table = 0;
	cmd.info_len = sizeof(info);
	EXPECT_EQ(-EINVAL, test_ioctl(self->t.fd, KREG_IOC_INFO, &cmd));
	cmd.flags = 0;
	EXPECT_EQ(-ENAMETOOLONG, test_ioctl(self->t.fd, KREG_IOC_INFO, &cmd));
	cmd.name_len = KREG_MAX_NAME;
	EXPECT_EQ(-ENOENT, test_ioctl(self->t.fd, KREG_IOC_INFO, &cmd));
	cmd.flags = KREG_ANY_NAMESPACE;
	cmd.name = 0;
	cmd.name_len = 0;
	cmd.table = self->t.dead;
	EXPECT_EQ(-ESTALE, test_ioctl(self->t.fd, KREG_IOC_INFO, &cmd));
	/* The pointer to the room is checked only when it is used. */
	cmd.table = self->t.table;
	EXPECT_EQ(-EFAULT, test_ioctl(self->t.fd, KREG_IOC_INFO, &cmd));
}

TEST_F(ladder, ids)
{
	struct kreg_info info;
	__u64 never[] = { 0, self->t.foreign + 1000, ~0ULL };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(never); i++) {
		test_err_puts(EINVAL, self->t.fd, never[i], "key", "value");
		test_err_member(EINVAL, self->t.fd, never[i], "key");
		test_err_destroy(EINVAL, self->t.fd, never[i]);
		test_err_park(EINVAL, self->t.fd, never[i]);
		test_err_mode(EINVAL, self->t.fd, never[i], 0600);
		test_err_info(EINVAL, self->t.fd, never[i], &info);
		EXPECT_EQ(-EINVAL, _test_info_flags(self->t.fd, never[i], KREG_ANY_NAMESPACE,
						    &info));
		EXPECT_EQ(-EINVAL, _test_destroy_flags(self->t.fd, never[i],
						       KREG_ANY_NAMESPACE));
	}
	test_err_puts(ESTALE, self->t.fd, self->t.dead, "key", "value");
	test_err_member(ESTALE, self->t.fd, self->t.dead, "key");
	test_err_destroy(ESTALE, self->t.fd, self->t.dead);
	test_err_park(ESTALE, self->t.fd, self->t.dead);
	test_err_mode(ESTALE, self->t.fd, self->t.dead, 0600);
	test_err_info(ESTALE, self->t.fd, self->t.dead, &info);
	test_err_info_name(ENOENT, self->t.fd, "dead", &info);
}

TEST_HARNESS_MAIN
