// SPDX-License-Identifier: GPL-2.0
/*
 * What the device was opened for: O_RDONLY reads, O_WRONLY writes.
 */
#include "kit/fixture.h"
#include "kit/job.h"

FIXTURE(openmode) {
	struct test_base base;
	int fd;
	int other;			/* second client of this process, with fewer rights */
	struct kid *kid;
	__u64 table;
};

FIXTURE_VARIANT(openmode) {
	int flags;
	bool reads;
	bool writes;
};

FIXTURE_VARIANT_ADD(openmode, read_only) {
	.flags = O_RDONLY,
	.reads = true,
};

FIXTURE_VARIANT_ADD(openmode, write_only) {
	.flags = O_WRONLY,
	.writes = true,
};

/* Access mode 3 of open(2): checked for reading and writing, good only for ioctl(2). */
FIXTURE_VARIANT_ADD(openmode, neither) {
	.flags = O_ACCMODE,
};

FIXTURE_SETUP(openmode)
{
	self->fd = test_setup(_metadata, &self->base);
	self->other = open(KREG_DEV, variant->flags | O_CLOEXEC);
	ASSERT_LE(0, self->other);
	self->kid = kid_start(_metadata);
	test_create(self->fd, "t", KREG_ACCESS_PUBLIC, &self->table);
	test_puts(self->fd, self->table, "k", "v");
}

FIXTURE_TEARDOWN_PARENT(openmode)
{
	test_teardown(_metadata, &self->base);
}

/* The same in the short form, in the long form, and in a batch. */
static int op_three_ways(int fd, __u64 table, const struct kreg_op *op, int flags)
{
	struct kreg_ioc_op cmd = { .size = sizeof(cmd), .table = table, .flags = flags, .op = *op };
	struct kreg_op copy = *op;
	int fast = _test_op(fd, table, flags, &copy), err = test_ioctl(fd, KREG_IOC_OP, &cmd);

	copy = *op;
	if (err == fast && op->code != KREG_OP_TAKE)
		err = _test_batch(fd, table, flags, &copy, 1, NULL);
	return err == fast ? err : -EPROTO;
}

TEST_F(openmode, operations)
{
	int r = variant->reads ? 0 : -EBADF, w = variant->writes ? 0 : -EBADF;
	struct kreg_op op, clear = test_op(KREG_OP_CLEAR, NULL, 0);
	char room[8];

	op = test_op_value(KREG_OP_GET, "k", 1, room, sizeof(room));
	EXPECT_EQ(r, op_three_ways(self->other, self->table, &op, 0));
	op = test_ops(KREG_OP_MEMBER, "k");
	EXPECT_EQ(r, op_three_ways(self->other, self->table, &op, 0));
	op = test_op_value(KREG_OP_PUT, "k", 1, "w", 1);
	EXPECT_EQ(w, op_three_ways(self->other, self->table, &op, 0));
	EXPECT_EQ(w, op_three_ways(self->other, self->table, &op, KREG_WRITE_ASYNC));
	op = test_ops(KREG_OP_DELETE, "other");
	EXPECT_EQ(w, op_three_ways(self->other, self->table, &op, 0));
	EXPECT_EQ(w, op_three_ways(self->other, self->table, &op, KREG_WRITE_ASYNC));
	/* TAKE needs both rights, which none of the variants has. */
	op = test_op_value(KREG_OP_TAKE, "k", 1, room, sizeof(room));
	EXPECT_EQ(-EBADF, op_three_ways(self->other, self->table, &op, 0));
	test_sync(self->fd);
	test_gets(self->fd, self->table, "k", variant->writes ? "w" : "v");
	EXPECT_EQ(w, op_three_ways(self->other, self->table, &clear, 0));
	test_sync(self->other);
	EXPECT_EQ(!variant->writes, test_objects(self->fd, self->table));
}

/* EBADF comes after errors in the struct, and before those of the table. */
TEST_F(openmode, place_in_the_ladder)
{
	struct kreg_op op = test_ops(KREG_OP_MEMBER, "");
	struct kreg_ioc_open cmd = test_open_cmd("t", 1U << 31);
	struct kreg_ioc_table destroy = { .size = sizeof(destroy), .flags = 1U << 31 };
	int w = variant->writes ? -EINVAL : -EBADF;

	EXPECT_EQ(-EINVAL, _test_op(self->other, ~0ULL, 0, &op));
	op = test_ops(KREG_OP_DELETE, "k");
	EXPECT_EQ(w, _test_op(self->other, ~0ULL, 0, &op));
	EXPECT_EQ(w, _test_destroy(self->other, ~0ULL));
	EXPECT_EQ(w, _test_mode(self->other, ~0ULL, 0600));
	EXPECT_EQ(w, _test_park(self->other, ~0ULL));
	EXPECT_EQ(-EOPNOTSUPP, _test_open_cmd(self->other, &cmd));
	EXPECT_EQ(-EOPNOTSUPP, test_ioctl(self->other, KREG_IOC_DESTROY, &destroy));
	EXPECT_EQ(-EINVAL, _test_mode(self->other, ~0ULL, 07777));
	/* Reads cannot be asynchronous, whatever the file was opened for. */
	op = test_ops(KREG_OP_MEMBER, "k");
	EXPECT_EQ(-EINVAL, _test_op(self->other, self->table, KREG_WRITE_ASYNC, &op));
}

TEST_F(openmode, tables)
{
	int r = variant->reads ? 0 : -EBADF, w = variant->writes ? 0 : -EBADF;
	struct kreg_ioc_scan scan = { .table = self->table };
	struct kreg_info info;
	__u64 id, found;
	__u32 more;

	/* OPEN of an existing table and WHOIS need neither right. */
	EXPECT_EQ(0, _test_open(self->other, "t", 0, &found));
	EXPECT_EQ(self->table, found);
	EXPECT_TRUE(test_same(test_self(self->fd), test_self(self->other)));
	EXPECT_EQ(0, _test_sync(self->other));

	EXPECT_EQ(r, _test_info(self->other, self->table, &info));
	EXPECT_EQ(r, _test_info_name(self->other, "t", &info));
	EXPECT_EQ(r ?: 1, _test_list(self->other, 0, &info, 1, &more));
	EXPECT_EQ(r ?: -EMSGSIZE, _test_scan(self->other, &scan));

	EXPECT_EQ(w, _test_open(self->other, "new", KREG_OPEN_CREATE, &id));
	EXPECT_EQ(w, _test_open(self->other, "t", KREG_OPEN_CREATE, &found));
	EXPECT_EQ(w ?: -EALREADY, _test_open(self->other, "t", KREG_OPEN_CLAIM, &found));
	EXPECT_EQ(w, _test_mode(self->other, self->table, 0660));
	EXPECT_EQ(w, _test_access(self->other, self->table, KREG_ACCESS_PUBLIC));
	EXPECT_EQ(w, _test_orphan(self->other, self->table, KREG_ORPHAN_PARK, 0));
	EXPECT_EQ(w, _test_heir(self->other, self->table, self->kid->self, NULL, 0, 0));
	EXPECT_EQ(w, _test_receiver(self->other));
	EXPECT_EQ(w, _test_accept(self->other, 1));
	EXPECT_EQ(w, _test_give(self->other, self->table, self->kid->self, NULL, 0));
	if (w) {
		EXPECT_EQ(w, _test_park(self->other, self->table));
		EXPECT_EQ(w, _test_destroy(self->other, self->table));
		test_err_info_name(ENOENT, self->fd, "new", &info);
		test_destroy(self->fd, self->table);
	} else {
		EXPECT_EQ(0, _test_destroy(self->other, id));
	}
}

static long job_reopen(struct job *job)
{
	close(job->fd);
	job->fd = open(KREG_DEV, job->arg | O_CLOEXEC);
	return job->fd < 0 ? -errno : 0;
}

/* Only a client with both rights receives tables and records. */
TEST_F(openmode, receives_nothing)
{
	struct kreg_process who;
	struct kreg_info info;

	test_heir(self->fd, self->table, self->kid->self, NULL, 0, 0);
	self->kid->job->arg = variant->flags;
	ASSERT_EQ(0, kid_do(self->kid, job_reopen));
	test_info(self->fd, self->table, &info);
	EXPECT_TRUE(test_none(info.heir));
	/* WHOIS finds the process all the same. */
	test_whois(self->fd, self->kid->pid, &who);
	EXPECT_TRUE(test_same(self->kid->self, who));
	test_err_heir(ENOTCONN, self->fd, self->table, who, NULL, 0, 0);
	test_err_give(ENOTCONN, self->fd, self->table, who, NULL, 0);
	/* Nor does it receive as the only client that is left. */
	test_heir(self->fd, self->table, test_self(self->fd), NULL, 0, 0);
	close(self->fd);
	self->fd = test_client();
	test_info(self->fd, self->table, &info);
	EXPECT_TRUE(test_none(info.heir));
	test_destroy(self->fd, self->table);
}

TEST_HARNESS_MAIN
