// SPDX-License-Identifier: GPL-2.0
/*
 * Sizes and offsets of the structs, the same for 32-bit callers.
 */
#include <stddef.h>

#include "kit/fixture.h"

FIXTURE(abi) {
	struct test_base base;
	int fd;
};

FIXTURE_SETUP(abi)
{
	self->fd = test_setup(_metadata, &self->base);
}

FIXTURE_TEARDOWN_PARENT(abi)
{
	test_teardown(_metadata, &self->base);
}

TEST_F(abi, sizes)
{
	EXPECT_EQ(56, sizeof(struct kreg_ioc_query));
	EXPECT_EQ(32, sizeof(struct kreg_ioc_whois));
	EXPECT_EQ(104, sizeof(struct kreg_ioc_open));
	EXPECT_EQ(16, sizeof(struct kreg_ioc_table));
	EXPECT_EQ(48, sizeof(struct kreg_ioc_give));
	EXPECT_EQ(64, sizeof(struct kreg_ioc_setopt));
	EXPECT_EQ(80, sizeof(struct kreg_ioc_op));
	EXPECT_EQ(40, sizeof(struct kreg_ioc_batch));
	EXPECT_EQ(8, sizeof(struct kreg_ioc_sync));
	EXPECT_EQ(64, sizeof(struct kreg_ioc_scan));
	EXPECT_EQ(40, sizeof(struct kreg_ioc_info));
	EXPECT_EQ(40, sizeof(struct kreg_ioc_list));
	EXPECT_EQ(16, sizeof(struct kreg_process));
	EXPECT_EQ(64, sizeof(struct kreg_op));
	EXPECT_EQ(24, sizeof(struct kreg_object));
	EXPECT_EQ(64, sizeof(struct kreg_event));
	EXPECT_EQ(280, sizeof(struct kreg_info));
}

TEST_F(abi, offsets_of_commands)
{
	EXPECT_EQ(8, offsetof(struct kreg_ioc_query, out_self));
	EXPECT_EQ(24, offsetof(struct kreg_ioc_query, out_features));
	EXPECT_EQ(52, offsetof(struct kreg_ioc_query, out_max_batch_bytes));
	EXPECT_EQ(16, offsetof(struct kreg_ioc_whois, out_process));
	EXPECT_EQ(8, offsetof(struct kreg_ioc_open, name));
	EXPECT_EQ(40, offsetof(struct kreg_ioc_open, orphan_ms));
	EXPECT_EQ(48, offsetof(struct kreg_ioc_open, heir));
	EXPECT_EQ(72, offsetof(struct kreg_ioc_open, deadline_ns));
	EXPECT_EQ(88, offsetof(struct kreg_ioc_open, out_table));
	EXPECT_EQ(100, offsetof(struct kreg_ioc_open, out_how));
	EXPECT_EQ(16, offsetof(struct kreg_ioc_give, to));
	EXPECT_EQ(32, offsetof(struct kreg_ioc_give, data));
	EXPECT_EQ(44, offsetof(struct kreg_ioc_give, reserved));
	EXPECT_EQ(16, offsetof(struct kreg_ioc_setopt, option));
	EXPECT_EQ(24, offsetof(struct kreg_ioc_setopt, value));
	EXPECT_EQ(40, offsetof(struct kreg_ioc_setopt, process));
	EXPECT_EQ(56, offsetof(struct kreg_ioc_setopt, data));
	EXPECT_EQ(16, offsetof(struct kreg_ioc_op, op));
	EXPECT_EQ(16, offsetof(struct kreg_ioc_batch, ops));
	EXPECT_EQ(24, offsetof(struct kreg_ioc_batch, count));
	EXPECT_EQ(32, offsetof(struct kreg_ioc_batch, out_done));
	EXPECT_EQ(16, offsetof(struct kreg_ioc_scan, key));
	EXPECT_EQ(32, offsetof(struct kreg_ioc_scan, buf));
	EXPECT_EQ(48, offsetof(struct kreg_ioc_scan, out_count));
	EXPECT_EQ(56, offsetof(struct kreg_ioc_scan, out_more));
	EXPECT_EQ(16, offsetof(struct kreg_ioc_info, name));
	EXPECT_EQ(32, offsetof(struct kreg_ioc_info, info));
	EXPECT_EQ(8, offsetof(struct kreg_ioc_list, after));
	EXPECT_EQ(16, offsetof(struct kreg_ioc_list, infos));
	EXPECT_EQ(36, offsetof(struct kreg_ioc_list, out_more));
}

TEST_F(abi, offsets_of_objects)
{
	EXPECT_EQ(8, offsetof(struct kreg_op, key));
	EXPECT_EQ(24, offsetof(struct kreg_op, value_len));
	EXPECT_EQ(32, offsetof(struct kreg_op, reserved2));
	EXPECT_EQ(40, offsetof(struct kreg_op, out_version));
	EXPECT_EQ(56, offsetof(struct kreg_op, out_error));
	EXPECT_EQ(16, offsetof(struct kreg_object, version));
	EXPECT_EQ(8, offsetof(struct kreg_info, id));
	EXPECT_EQ(40, offsetof(struct kreg_info, orphan_ms));
	EXPECT_EQ(56, offsetof(struct kreg_info, owner));
	EXPECT_EQ(72, offsetof(struct kreg_info, heir));
	EXPECT_EQ(88, offsetof(struct kreg_info, objects));
	EXPECT_EQ(136, offsetof(struct kreg_info, buckets));
	EXPECT_EQ(148, offsetof(struct kreg_info, name_len));
	EXPECT_EQ(152, offsetof(struct kreg_info, name));
	EXPECT_EQ(8, offsetof(struct kreg_event, seq));
	EXPECT_EQ(24, offsetof(struct kreg_event, table));
	EXPECT_EQ(32, offsetof(struct kreg_event, from));
	EXPECT_EQ(48, offsetof(struct kreg_event, cause));
	EXPECT_EQ(60, offsetof(struct kreg_event, data_len));
}

TEST_F(abi, query)
{
	struct kreg_ioc_query query;
	struct kreg_process process;

	memset(&query, 0xff, sizeof(query));
	query.size = sizeof(query);
	query.flags = 0;
	ASSERT_EQ(0, test_ioctl(self->fd, KREG_IOC_QUERY, &query));
	EXPECT_EQ(getpid(), query.out_self.pid);
	EXPECT_EQ(0, query.out_self.reserved);
	EXPECT_NE(0, query.out_self.cookie);
	EXPECT_TRUE(query.out_features & KREG_FEATURE_SET);
	EXPECT_EQ(0, query.out_features & ~KREG_FEATURE_ALL);
	EXPECT_EQ(KREG_MAX_KEY, query.out_max_key);
	EXPECT_EQ(KREG_MAX_VALUE, query.out_max_value);
	EXPECT_EQ(KREG_MAX_NAME, query.out_max_name);
	EXPECT_EQ(KREG_MAX_DATA, query.out_max_data);
	EXPECT_EQ(KREG_MAX_BATCH_OPS, query.out_max_batch_ops);
	EXPECT_EQ(KREG_MAX_BATCH_BYTES, query.out_max_batch_bytes);

	test_whois(self->fd, getpid(), &process);
	EXPECT_TRUE(test_same(process, query.out_self));
}

TEST_HARNESS_MAIN
