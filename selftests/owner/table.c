// SPDX-License-Identifier: GPL-2.0
/*
 * Tables: opening, names, types, destruction, what is told about them.
 */
#include "kit/fixture.h"
#include "kit/job.h"

FIXTURE(table) {
	struct test_base base;
	int fd;
};

FIXTURE_SETUP(table)
{
	self->fd = test_setup(_metadata, &self->base);
}

FIXTURE_TEARDOWN_PARENT(table)
{
	test_teardown(_metadata, &self->base);
}

TEST_F(table, create_and_open)
{
	struct kreg_ioc_open cmd = test_open_cmd("t", KREG_OPEN_CREATE);
	__u64 id;

	test_open_(self->fd, &cmd);
	EXPECT_NE(0, cmd.out_table);
	EXPECT_EQ(test_type(), cmd.out_type);
	EXPECT_EQ(KREG_OPENED_CREATED, cmd.out_how);
	id = cmd.out_table;

	/* OPEN finds it with CREATE and without. */
	test_open_(self->fd, &cmd);
	EXPECT_EQ(id, cmd.out_table);
	EXPECT_EQ(0, cmd.out_how);
	cmd = test_open_cmd("t", 0);
	test_open_(self->fd, &cmd);
	EXPECT_EQ(id, cmd.out_table);
	EXPECT_EQ(test_type(), cmd.out_type);
	EXPECT_EQ(0, cmd.out_how);
	test_destroy(self->fd, id);
	test_err_open(ENOENT, self->fd, "t", 0, &id);
}

TEST_F(table, exclusive)
{
	__u64 id, other;

	test_open(self->fd, "t", KREG_OPEN_CREATE | KREG_OPEN_EXCL, &id);
	test_puts(self->fd, id, "k", "v");
	test_err_open(EEXIST, self->fd, "t",
		      KREG_OPEN_CREATE | KREG_OPEN_EXCL, &other);
	/* The one that exists is untouched. */
	test_gets(self->fd, id, "k", "v");
	test_destroy(self->fd, id);
}

TEST_F(table, another_type)
{
	struct kreg_ioc_open cmd = test_open_cmd("t", KREG_OPEN_CREATE);

	cmd.type = KREG_TYPE_ORDERED_SET;
	test_open_(self->fd, &cmd);
	EXPECT_EQ(KREG_TYPE_ORDERED_SET, cmd.out_type);
	cmd.type = KREG_TYPE_SET;
	test_err_open_(EEXIST, self->fd, &cmd);
	cmd = test_open_cmd("t", 0);
	test_open_(self->fd, &cmd);
	EXPECT_EQ(KREG_TYPE_ORDERED_SET, cmd.out_type);
	test_destroy(self->fd, cmd.out_table);
}

TEST_F(table, types_to_come)
{
	static const __u32 types[] = {
		5, ~0U,
	};
	struct kreg_ioc_open cmd = test_open_cmd("t", KREG_OPEN_CREATE);
	struct kreg_info info;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		cmd.type = types[i];
		test_err_open_(EOPNOTSUPP, self->fd, &cmd);
	}
	cmd.type = 0;
	test_err_open_(EINVAL, self->fd, &cmd);
	test_err_info_name(ENOENT, self->fd, "t", &info);
}

TEST_F(table, name_lengths)
{
	char name[KREG_MAX_NAME + 2];
	struct kreg_ioc_open cmd;
	struct kreg_info info;
	__u64 id;

	memset(name, 'n', sizeof(name));
	cmd = test_open_cmd("x", KREG_OPEN_CREATE);
	cmd.name = test_ptr(name);
	cmd.name_len = KREG_MAX_NAME + 1;
	test_err_open_(ENAMETOOLONG, self->fd, &cmd);
	cmd.name_len = ~0U;
	test_err_open_(ENAMETOOLONG, self->fd, &cmd);
	cmd.name_len = 0;
	test_err_open_(EINVAL, self->fd, &cmd);
	cmd.name_len = KREG_MAX_NAME;
	test_open_(self->fd, &cmd);
	id = cmd.out_table;
	/* The name without its last byte is another name. */
	cmd = test_open_cmd("x", 0);
	cmd.name = test_ptr(name);
	cmd.name_len = KREG_MAX_NAME - 1;
	test_err_open_(ENOENT, self->fd, &cmd);
	test_info(self->fd, id, &info);
	EXPECT_EQ(KREG_MAX_NAME, info.name_len);
	EXPECT_EQ(0, memcmp(name, info.name, KREG_MAX_NAME));
	test_destroy(self->fd, id);
}

TEST_F(table, name_bytes)
{
	struct kreg_ioc_open cmd = test_open_cmd("a", KREG_OPEN_CREATE);
	struct kreg_info info;
	char name[2] = "n";
	__u64 ids[256];
	int c;

	cmd.name = test_ptr("a\0b");
	cmd.name_len = 3;
	test_err_open_(EINVAL, self->fd, &cmd);
	cmd.name = test_ptr("\0");
	cmd.name_len = 1;
	test_err_open_(EINVAL, self->fd, &cmd);

	/* All other bytes are allowed, and each makes another name. */
	for (c = 1; c < 256; c++) {
		name[0] = c;
		test_open(self->fd, name, KREG_OPEN_CREATE | KREG_OPEN_EXCL,
			  &ids[c]);
	}
	for (c = 1; c < 256; c++) {
		name[0] = c;
		test_info_name(self->fd, name, &info);
		EXPECT_EQ(ids[c], info.id);
		test_destroy(self->fd, ids[c]);
	}
}

TEST_F(table, unnamed)
{
	struct kreg_ioc_open cmd;
	struct kreg_info info;
	__u64 a, b;

	test_create(self->fd, NULL, KREG_ACCESS_PUBLIC, &a);
	test_create(self->fd, NULL, KREG_ACCESS_PUBLIC, &b);
	EXPECT_NE(a, b);
	test_puts(self->fd, a, "k", "a");
	test_puts(self->fd, b, "k", "b");
	test_gets(self->fd, a, "k", "a");
	test_gets(self->fd, b, "k", "b");
	test_info(self->fd, a, &info);
	EXPECT_EQ(0, info.name_len);
	EXPECT_EQ(0, info.name[0]);

	cmd = test_open_cmd(NULL, 0);
	test_err_open_(EINVAL, self->fd, &cmd);
	cmd = test_open_cmd(NULL, KREG_OPEN_CREATE | KREG_OPEN_EXCL);
	test_err_open_(EINVAL, self->fd, &cmd);
	cmd = test_open_cmd(NULL, KREG_OPEN_CREATE | KREG_OPEN_CLAIM);
	test_err_open_(EINVAL, self->fd, &cmd);
	test_destroy(self->fd, a);
	test_gets(self->fd, b, "k", "b");
	test_destroy(self->fd, b);
}

static void change(struct kreg_ioc_open *cmd, int what)
{
	switch (what) {
	case 0:
		cmd->flags |= KREG_OPEN_EXCL;
		break;
	case 1:
		cmd->flags |= KREG_OPEN_WAIT;
		break;
	case 2:
		cmd->flags |= KREG_OPEN_CLAIMABLE;
		break;
	case 3:
		cmd->flags |= KREG_OPEN_HEIR;
		break;
	case 4:
		cmd->flags |= KREG_OPEN_HEIR_SILENT;
		break;
	case 5:
		cmd->type = KREG_TYPE_SET;
		break;
	case 6:
		cmd->access = KREG_ACCESS_PUBLIC;
		break;
	case 7:
		cmd->mode = 0600;
		break;
	case 8:
		cmd->orphan = KREG_ORPHAN_PARK;
		break;
	case 9:
		cmd->orphan_ms = 1;
		break;
	case 10:
		cmd->heir.pid = getpid();
		break;
	case 11:
		cmd->data_len = 1;
		break;
	case 12:
		cmd->deadline_ns = 1;
		break;
	default:
		cmd->heir.cookie = 1;
		break;
	}
}

/* Members that describe a new table must be zero without CREATE. */
TEST_F(table, nothing_new_without_create)
{
	struct kreg_ioc_open cmd;
	__u64 id;
	int what;

	test_create(self->fd, "t", 0, &id);
	for (what = 0; what < 14; what++) {
		cmd = test_open_cmd("t", 0);
		change(&cmd, what);
		test_err_open_(EINVAL, self->fd, &cmd) {
			TH_LOG("change %d", what);
		}
	}
	test_destroy(self->fd, id);
}

TEST_F(table, contradictions)
{
	struct kreg_ioc_open cmd = test_open_cmd("t", KREG_OPEN_CREATE);
	struct kreg_ioc_open bad;
	struct kreg_info info;

	bad = cmd;
	bad.flags |= KREG_OPEN_WAIT;
	test_err_open_(EINVAL, self->fd, &bad);
	bad = cmd;
	bad.flags |= KREG_OPEN_HEIR_SILENT;
	test_err_open_(EINVAL, self->fd, &bad);
	bad = cmd;
	bad.flags |= KREG_OPEN_EXCL | KREG_OPEN_CLAIM;
	test_err_open_(EINVAL, self->fd, &bad);
	bad = cmd;
	bad.orphan_ms = 1;
	test_err_open_(EINVAL, self->fd, &bad);
	bad = cmd;
	bad.heir = test_self(self->fd);
	test_err_open_(EINVAL, self->fd, &bad);
	bad = cmd;
	bad.data_len = 1;
	test_err_open_(EINVAL, self->fd, &bad);
	bad = cmd;
	bad.deadline_ns = 1;
	test_err_open_(EINVAL, self->fd, &bad);
	bad = cmd;
	bad.mode = 0601;
	test_err_open_(EINVAL, self->fd, &bad);
	bad = cmd;
	bad.access = KREG_ACCESS_REGISTRY + 1;
	test_err_open_(EOPNOTSUPP, self->fd, &bad);
	bad = cmd;
	bad.orphan = KREG_ORPHAN_PARK_ON_CRASH + 1;
	test_err_open_(EOPNOTSUPP, self->fd, &bad);
	test_err_info_name(ENOENT, self->fd, "t", &info);
}

TEST_F(table, defaults)
{
	struct kreg_ioc_open cmd = test_open_cmd("t", KREG_OPEN_CREATE);
	struct kreg_info info;

	test_open_(self->fd, &cmd);
	memset(&info, 0xff, sizeof(info));
	test_info(self->fd, cmd.out_table, &info);
	EXPECT_EQ(sizeof(info), info.size);
	EXPECT_EQ(test_type(), info.type);
	EXPECT_EQ(cmd.out_table, info.id);
	EXPECT_EQ(KREG_ACCESS_PROTECTED, info.access);
	EXPECT_EQ(0600, info.mode);
	EXPECT_EQ(getuid(), info.uid);
	EXPECT_EQ(getgid(), info.gid);
	EXPECT_EQ(KREG_ORPHAN_DESTROY, info.orphan);
	EXPECT_EQ(0, info.flags);
	EXPECT_EQ(0, info.orphan_ms);
	EXPECT_EQ(0, info.parked_until_ns);
	EXPECT_TRUE(test_same(test_self(self->fd), info.owner));
	EXPECT_TRUE(test_none(info.heir));
	EXPECT_EQ(0, info.objects);
	EXPECT_EQ(0, info.bytes);
	EXPECT_EQ(0, info.transfers);
	EXPECT_EQ(0, info.waiters);
	EXPECT_EQ(1, info.name_len);
	EXPECT_STREQ("t", (char *)info.name);
	test_destroy(self->fd, cmd.out_table);
}

TEST_F(table, destroy)
{
	struct kreg_info info;
	char value[8];
	__u64 id, again;

	test_create(self->fd, "t", 0, &id);
	test_puts(self->fd, id, "k", "v");
	test_destroy(self->fd, id);
	test_err_destroy(ESTALE, self->fd, id);
	test_err_info(ESTALE, self->fd, id, &info);
	test_err_puts(ESTALE, self->fd, id, "k", "v");
	test_err_get(ESTALE, self->fd, id, "k", 1, value, 8);
	EXPECT_EQ(0, test_listed(self->fd, id));

	/* The name is free, and the new table has nothing of the old. */
	test_create(self->fd, "t", 0, &again);
	EXPECT_NE(id, again);
	test_err_member(ENODATA, self->fd, again, "k");
	test_err_destroy(ESTALE, self->fd, id);
	test_destroy(self->fd, again);
}

/* If the caller's struct is longer, the rest is zeroed; if it is shorter, it is filled. */
TEST_F(table, info_of_any_length)
{
	__u64 room[(sizeof(struct kreg_info) + 64) / 8] = { 0 };
	struct kreg_info info;
	struct kreg_ioc_info cmd = {
		.size = sizeof(cmd),
		.info = test_ptr(room),
	};

	test_create(self->fd, "t", 0, &cmd.table);
	test_info(self->fd, cmd.table, &info);
	for (cmd.info_len = 8; cmd.info_len <= sizeof(room);
	     cmd.info_len += 8) {
		memset(room, 0xff, sizeof(room));
		ASSERT_EQ(0, test_ioctl(self->fd, KREG_IOC_INFO, &cmd));
		EXPECT_EQ(cmd.info_len < sizeof(info) ? cmd.info_len :
			  sizeof(info), *(__u32 *)room);
		if (cmd.info_len > sizeof(info))
			EXPECT_EQ(0, room[cmd.info_len / 8 - 1]);
		if (cmd.info_len < sizeof(room))
			EXPECT_EQ(~0ULL, room[cmd.info_len / 8]);
	}
	cmd.info_len = 0;
	EXPECT_EQ(-EINVAL, test_ioctl(self->fd, KREG_IOC_INFO, &cmd));
	cmd.info_len = 12;
	EXPECT_EQ(-EINVAL, test_ioctl(self->fd, KREG_IOC_INFO, &cmd));
	test_destroy(self->fd, cmd.table);
}

TEST_F(table, info_by_name_or_id)
{
	struct kreg_info info;
	struct kreg_ioc_info cmd = {
		.size = sizeof(cmd),
		.name = test_ptr("t"),
		.name_len = 1,
		.info = test_ptr(&info),
		.info_len = sizeof(info),
	};
	__u64 id;

	test_create(self->fd, "t", 0, &id);
	test_info_name(self->fd, "t", &info);
	EXPECT_EQ(id, info.id);
	cmd.table = id;
	/* Id and name together contradict each other. */
	EXPECT_EQ(-EINVAL, test_ioctl(self->fd, KREG_IOC_INFO, &cmd));
	test_destroy(self->fd, id);
}

TEST_F(table, list)
{
	struct kreg_info infos[3] = {};
	struct kreg_ioc_list no_room = {
		.size = sizeof(no_room), .infos = test_ptr(infos),
		.info_len = 12, .max_count = 1,
	};
	__u64 ids[7], after = 0;
	int i, n, found = 0;
	__u32 more;

	for (i = 0; i < 7; i++)
		test_create(self->fd, NULL, 0, &ids[i]);
	test_destroy(self->fd, ids[3]);
	do {
		n = _test_list(self->fd, after, infos, 3, &more);
		ASSERT_LE(0, n);
		ASSERT_GE(3, n);
		for (i = 0; i < n; i++) {
			/* In the order of creation, and no more than exist. */
			ASSERT_EQ(ids[found], infos[i].id);
			EXPECT_EQ(sizeof(infos[i]), infos[i].size);
			EXPECT_EQ(getpid(), infos[i].owner.pid);
			after = infos[i].id;
			found += found == 2 ? 2 : 1;
		}
		if (!n)
			EXPECT_EQ(0, more);
	} while (more);
	EXPECT_EQ(7, found);
	/* The list goes on after an id whose table is gone. */
	n = _test_list(self->fd, ids[3], infos, 1, &more);
	EXPECT_EQ(1, n);
	EXPECT_EQ(ids[4], infos[0].id);
	EXPECT_EQ(-EINVAL, _test_list(self->fd, 0, infos, 0, &more));
	EXPECT_EQ(-EINVAL, test_ioctl(self->fd, KREG_IOC_LIST, &no_room));
	for (i = 0; i < 7; i++)
		EXPECT_EQ(i == 3 ? -ESTALE : 0, _test_destroy(self->fd, ids[i]));
}

TEST_F(table, another_process_opens)
{
	struct kid *kid = kid_start(_metadata);
	__u64 id, found;

	test_create(self->fd, "t", KREG_ACCESS_PUBLIC, &id);
	ASSERT_EQ(0, kid_open(kid, "t", 0, &found));
	EXPECT_EQ(id, found);
	EXPECT_EQ(0, kid_puts(kid, id, "k", "kid"));
	test_gets(self->fd, id, "k", "kid");
	EXPECT_EQ(1, kid_listed(kid, id));
	/* By CAP_SYS_ADMIN; rights.c tests those who may not. */
	EXPECT_EQ(0, kid_destroy(kid, id));
	test_err_member(ESTALE, self->fd, id, "k");
}

TEST_HARNESS_MAIN
