// SPDX-License-Identifier: GPL-2.0
/*
 * Sizes and offsets of the structs, the same for 32-bit callers.
 */
#include "abi/places.h"
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

TEST_F(abi, places)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(places); i++)
		EXPECT_EQ(places[i].expected, places[i].place) {
			TH_LOG("%s", places[i].name);
		}
	EXPECT_EQ(KREG_OP_SIZE, offsetof(struct kreg_ioc_op, deadline_ns));
}

TEST_F(abi, flags_of_ranges)
{
	EXPECT_EQ(8, KREG_SCAN_COUNT);
	EXPECT_EQ(16, KREG_SCAN_REVERSE);
	EXPECT_EQ(1, KREG_RANGE_EXACT);
	EXPECT_EQ(2, KREG_RANGE_PREFIX);
	EXPECT_EQ(4, KREG_RANGE_LOW_OPEN);
	EXPECT_EQ(8, KREG_RANGE_HIGH_OPEN);
	EXPECT_EQ(15, KREG_RANGE_ALL);
	EXPECT_EQ(1 << 9, KREG_FEATURE_RANGE);
	EXPECT_EQ(1 << 10, KREG_FEATURE_ORDERED);
	EXPECT_EQ(1 << 13, KREG_FEATURE_PIN);
	EXPECT_EQ(8, KREG_TERM_BYTES);
	EXPECT_EQ(5, KREG_TERM_VERSION);
	EXPECT_EQ(3, KREG_TERM_ALL);
	EXPECT_EQ(1 << 14, KREG_FEATURE_RENAME);
	EXPECT_EQ(1 << 15, KREG_FEATURE_FILTER);
	EXPECT_EQ(1 << 16, KREG_FEATURE_EXPIRY);
	EXPECT_EQ(1 << 17, KREG_FEATURE_FIRST);
	EXPECT_EQ(1 << 18, KREG_FEATURE_SCHEMA);
	EXPECT_EQ(1 << 19, KREG_FEATURE_SEAL);
}

/* The numbers of commands do not change when structs grow. */
TEST_F(abi, numbers)
{
	EXPECT_EQ(0xc038bc00, KREG_IOC_QUERY);
	EXPECT_EQ(0xc020bc01, KREG_IOC_WHOIS);
	EXPECT_EQ(0xc078bc02, KREG_IOC_OPEN);
	EXPECT_EQ(0x4010bc03, KREG_IOC_DESTROY);
	EXPECT_EQ(0xc030bc04, KREG_IOC_GIVE);
	EXPECT_EQ(0xc048bc05, KREG_IOC_SETOPT);
	EXPECT_EQ(0xc078bc06, KREG_IOC_OP);
	EXPECT_EQ(0xc038bc07, KREG_IOC_BATCH);
	EXPECT_EQ(0xc010bc08, KREG_IOC_SYNC);
	EXPECT_EQ(0xc088bc09, KREG_IOC_SCAN);
	EXPECT_EQ(0x4028bc0a, KREG_IOC_INFO);
	EXPECT_EQ(0xc028bc0b, KREG_IOC_LIST);
	EXPECT_EQ(0xc070bc0c, KREG_IOC_WATCH);
	EXPECT_EQ(0x4010bc0d, KREG_IOC_CANCEL);
	EXPECT_EQ(0xc048bc0f, KREG_IOC_SUBSCRIBE);
	EXPECT_EQ(0x4018bc10, KREG_IOC_ACK);
	EXPECT_EQ(0xc098bc11, KREG_IOC_LEASE);
	EXPECT_EQ(0xc038bc12, KREG_IOC_PIN);
	EXPECT_EQ(0xc030bc13, KREG_IOC_RENAME);
	EXPECT_EQ(0xc0a0bc14, KREG_IOC_CHANGE);
	EXPECT_EQ(0xc020bc15, KREG_IOC_GROUP);
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
	EXPECT_TRUE(query.out_features & KREG_FEATURE_RANGE);
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
