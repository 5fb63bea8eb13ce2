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

struct place {
	const char *name;
	size_t expected;
	size_t place;
};

#define SIZE(expected, type)		{ #type, expected, sizeof(struct type) }
#define AT(expected, type, member) \
	{ #type "." #member, expected, offsetof(struct type, member) }

/* All structs, and all of their members. */
static const struct place places[] = {
	SIZE(16, kreg_process),
	AT(0, kreg_process, pid),
	AT(4, kreg_process, reserved),
	AT(8, kreg_process, cookie),
	SIZE(56, kreg_ioc_query),
	AT(0, kreg_ioc_query, size),
	AT(4, kreg_ioc_query, flags),
	AT(8, kreg_ioc_query, out_self),
	AT(24, kreg_ioc_query, out_features),
	AT(32, kreg_ioc_query, out_max_key),
	AT(36, kreg_ioc_query, out_max_value),
	AT(40, kreg_ioc_query, out_max_name),
	AT(44, kreg_ioc_query, out_max_data),
	AT(48, kreg_ioc_query, out_max_batch_ops),
	AT(52, kreg_ioc_query, out_max_batch_bytes),
	SIZE(32, kreg_ioc_whois),
	AT(0, kreg_ioc_whois, size),
	AT(4, kreg_ioc_whois, flags),
	AT(8, kreg_ioc_whois, pid),
	AT(12, kreg_ioc_whois, reserved),
	AT(16, kreg_ioc_whois, out_process),
	SIZE(120, kreg_ioc_open),
	AT(0, kreg_ioc_open, size),
	AT(4, kreg_ioc_open, flags),
	AT(8, kreg_ioc_open, name),
	AT(16, kreg_ioc_open, name_len),
	AT(20, kreg_ioc_open, type),
	AT(24, kreg_ioc_open, access),
	AT(28, kreg_ioc_open, mode),
	AT(32, kreg_ioc_open, orphan),
	AT(36, kreg_ioc_open, data_len),
	AT(40, kreg_ioc_open, orphan_ms),
	AT(48, kreg_ioc_open, heir),
	AT(64, kreg_ioc_open, data),
	AT(72, kreg_ioc_open, deadline_ns),
	AT(80, kreg_ioc_open, udata),
	AT(88, kreg_ioc_open, out_table),
	AT(96, kreg_ioc_open, out_type),
	AT(100, kreg_ioc_open, out_how),
	AT(104, kreg_ioc_open, out_id),
	AT(112, kreg_ioc_open, out_limit),
	AT(116, kreg_ioc_open, out_reserved),
	SIZE(16, kreg_ioc_table),
	AT(0, kreg_ioc_table, size),
	AT(4, kreg_ioc_table, flags),
	AT(8, kreg_ioc_table, table),
	SIZE(48, kreg_ioc_give),
	AT(0, kreg_ioc_give, size),
	AT(4, kreg_ioc_give, flags),
	AT(8, kreg_ioc_give, table),
	AT(16, kreg_ioc_give, to),
	AT(32, kreg_ioc_give, data),
	AT(40, kreg_ioc_give, data_len),
	AT(44, kreg_ioc_give, out_limit),
	SIZE(72, kreg_ioc_setopt),
	AT(0, kreg_ioc_setopt, size),
	AT(4, kreg_ioc_setopt, flags),
	AT(8, kreg_ioc_setopt, table),
	AT(16, kreg_ioc_setopt, option),
	AT(20, kreg_ioc_setopt, data_len),
	AT(24, kreg_ioc_setopt, value),
	AT(32, kreg_ioc_setopt, value2),
	AT(40, kreg_ioc_setopt, process),
	AT(56, kreg_ioc_setopt, data),
	AT(64, kreg_ioc_setopt, out_limit),
	AT(68, kreg_ioc_setopt, out_reserved),
	SIZE(64, kreg_op),
	AT(0, kreg_op, code),
	AT(2, kreg_op, flags),
	AT(4, kreg_op, key_len),
	AT(8, kreg_op, key),
	AT(16, kreg_op, value),
	AT(24, kreg_op, value_len),
	AT(28, kreg_op, offset),
	AT(32, kreg_op, arg),
	AT(40, kreg_op, out_version),
	AT(48, kreg_op, out_len),
	AT(52, kreg_op, out_count),
	AT(56, kreg_op, out_error),
	AT(60, kreg_op, out_sub),
	SIZE(40, kreg_field),
	AT(0, kreg_field, code),
	AT(2, kreg_field, flags),
	AT(4, kreg_field, offset),
	AT(8, kreg_field, operand),
	AT(16, kreg_field, threshold),
	AT(24, kreg_field, set),
	AT(32, kreg_field, out),
	SIZE(96, kreg_more),
	AT(0, kreg_more, size),
	AT(4, kreg_more, flags),
	AT(8, kreg_more, if_version),
	AT(16, kreg_more, filter),
	AT(24, kreg_more, start),
	AT(32, kreg_more, filter_count),
	AT(36, kreg_more, start_len),
	AT(40, kreg_more, expires_ns),
	AT(48, kreg_more, idle_ms),
	AT(52, kreg_more, linger_ms),
	AT(56, kreg_more, process),
	AT(72, kreg_more, out_process),
	AT(88, kreg_more, out_expires_ns),
	SIZE(120, kreg_ioc_op),
	AT(0, kreg_ioc_op, size),
	AT(4, kreg_ioc_op, flags),
	AT(8, kreg_ioc_op, table),
	AT(16, kreg_ioc_op, op),
	AT(80, kreg_ioc_op, deadline_ns),
	AT(88, kreg_ioc_op, out_process),
	AT(104, kreg_ioc_op, out_missing),
	AT(108, kreg_ioc_op, out_limit),
	AT(112, kreg_ioc_op, out_loans),
	AT(116, kreg_ioc_op, out_reserved),
	SIZE(56, kreg_ioc_batch),
	AT(0, kreg_ioc_batch, size),
	AT(4, kreg_ioc_batch, flags),
	AT(8, kreg_ioc_batch, table),
	AT(16, kreg_ioc_batch, ops),
	AT(24, kreg_ioc_batch, count),
	AT(28, kreg_ioc_batch, op_size),
	AT(32, kreg_ioc_batch, deadline_ns),
	AT(40, kreg_ioc_batch, out_done),
	AT(44, kreg_ioc_batch, out_limit),
	AT(48, kreg_ioc_batch, out_missing),
	AT(52, kreg_ioc_batch, out_reserved),
	SIZE(16, kreg_ioc_sync),
	AT(0, kreg_ioc_sync, size),
	AT(4, kreg_ioc_sync, flags),
	AT(8, kreg_ioc_sync, out_limit),
	AT(12, kreg_ioc_sync, out_reserved),
	SIZE(64, kreg_range),
	AT(0, kreg_range, low),
	AT(8, kreg_range, high),
	AT(16, kreg_range, after),
	AT(24, kreg_range, low_len),
	AT(28, kreg_range, high_len),
	AT(32, kreg_range, after_len),
	AT(36, kreg_range, flags),
	AT(40, kreg_range, after_version),
	AT(48, kreg_range, after_sub),
	AT(52, kreg_range, filter_count),
	AT(56, kreg_range, filter),
	SIZE(24, kreg_object),
	AT(0, kreg_object, size),
	AT(4, kreg_object, key_len),
	AT(8, kreg_object, value_len),
	AT(12, kreg_object, sub),
	AT(16, kreg_object, version),
	SIZE(24, kreg_object_expiry),
	AT(0, kreg_object_expiry, until_ns),
	AT(8, kreg_object_expiry, expires_ns),
	AT(16, kreg_object_expiry, idle_ms),
	SIZE(136, kreg_ioc_scan),
	AT(0, kreg_ioc_scan, size),
	AT(4, kreg_ioc_scan, flags),
	AT(8, kreg_ioc_scan, table),
	AT(16, kreg_ioc_scan, range),
	AT(80, kreg_ioc_scan, buf),
	AT(88, kreg_ioc_scan, buf_len),
	AT(92, kreg_ioc_scan, max_count),
	AT(96, kreg_ioc_scan, pin),
	AT(104, kreg_ioc_scan, process),
	AT(120, kreg_ioc_scan, out_count),
	AT(124, kreg_ioc_scan, out_len),
	AT(128, kreg_ioc_scan, out_more),
	AT(132, kreg_ioc_scan, out_reserved),
	SIZE(128, kreg_ioc_register),
	AT(0, kreg_ioc_register, size),
	AT(4, kreg_ioc_register, flags),
	AT(8, kreg_ioc_register, table),
	AT(16, kreg_ioc_register, process),
	AT(32, kreg_ioc_register, key),
	AT(40, kreg_ioc_register, value),
	AT(48, kreg_ioc_register, key_len),
	AT(52, kreg_ioc_register, value_len),
	AT(56, kreg_ioc_register, linger_ms),
	AT(60, kreg_ioc_register, reserved),
	AT(64, kreg_ioc_register, version),
	AT(72, kreg_ioc_register, deadline_ns),
	AT(80, kreg_ioc_register, udata),
	AT(88, kreg_ioc_register, out_process),
	AT(104, kreg_ioc_register, out_version),
	AT(112, kreg_ioc_register, out_id),
	AT(120, kreg_ioc_register, out_how),
	AT(124, kreg_ioc_register, out_limit),
	SIZE(48, kreg_ioc_rename),
	AT(0, kreg_ioc_rename, size),
	AT(4, kreg_ioc_rename, flags),
	AT(8, kreg_ioc_rename, table),
	AT(16, kreg_ioc_rename, other),
	AT(24, kreg_ioc_rename, name),
	AT(32, kreg_ioc_rename, name_len),
	AT(36, kreg_ioc_rename, reserved),
	AT(40, kreg_ioc_rename, out_limit),
	AT(44, kreg_ioc_rename, out_reserved),
	SIZE(56, kreg_ioc_pin),
	AT(0, kreg_ioc_pin, size),
	AT(4, kreg_ioc_pin, flags),
	AT(8, kreg_ioc_pin, table),
	AT(16, kreg_ioc_pin, ms),
	AT(20, kreg_ioc_pin, reserved),
	AT(24, kreg_ioc_pin, out_id),
	AT(32, kreg_ioc_pin, out_version),
	AT(40, kreg_ioc_pin, out_ms),
	AT(44, kreg_ioc_pin, out_limit),
	AT(48, kreg_ioc_pin, out_reserved),
	SIZE(80, kreg_ioc_lease),
	AT(0, kreg_ioc_lease, size),
	AT(4, kreg_ioc_lease, flags),
	AT(8, kreg_ioc_lease, table),
	AT(16, kreg_ioc_lease, key),
	AT(24, kreg_ioc_lease, value),
	AT(32, kreg_ioc_lease, key_len),
	AT(36, kreg_ioc_lease, value_len),
	AT(40, kreg_ioc_lease, version),
	AT(48, kreg_ioc_lease, lease_ms),
	AT(52, kreg_ioc_lease, reserved),
	AT(56, kreg_ioc_lease, out_version),
	AT(64, kreg_ioc_lease, out_len),
	AT(68, kreg_ioc_lease, out_loans),
	AT(72, kreg_ioc_lease, out_limit),
	AT(76, kreg_ioc_lease, out_reserved),

	SIZE(392, kreg_info),
	AT(0, kreg_info, size),
	AT(4, kreg_info, type),
	AT(8, kreg_info, id),
	AT(16, kreg_info, access),
	AT(20, kreg_info, mode),
	AT(24, kreg_info, uid),
	AT(28, kreg_info, gid),
	AT(32, kreg_info, orphan),
	AT(36, kreg_info, flags),
	AT(40, kreg_info, orphan_ms),
	AT(48, kreg_info, parked_until_ns),
	AT(56, kreg_info, owner),
	AT(72, kreg_info, heir),
	AT(88, kreg_info, objects),
	AT(96, kreg_info, bytes),
	AT(104, kreg_info, memory),
	AT(112, kreg_info, limbo),
	AT(120, kreg_info, version),
	AT(128, kreg_info, transfers),
	AT(136, kreg_info, buckets),
	AT(144, kreg_info, waiters),
	AT(148, kreg_info, name_len),
	AT(152, kreg_info, name),
	AT(280, kreg_info, user_ns),
	AT(288, kreg_info, pid_ns),
	AT(296, kreg_info, owner_uid),
	AT(300, kreg_info, heir_uid),
	AT(304, kreg_info, walked),
	AT(308, kreg_info, marks),
	AT(312, kreg_info, bound),
	AT(320, kreg_info, role),
	AT(328, kreg_info, writer_role),
	AT(336, kreg_info, limit_ms),
	AT(344, kreg_info, limit),
	AT(348, kreg_info, subscriptions),
	AT(352, kreg_info, events),
	AT(360, kreg_info, kept),
	AT(368, kreg_info, kept_bytes),
	AT(376, kreg_info, pins),
	AT(380, kreg_info, reserved),
	AT(384, kreg_info, timed),
	SIZE(40, kreg_ioc_info),
	AT(0, kreg_ioc_info, size),
	AT(4, kreg_ioc_info, flags),
	AT(8, kreg_ioc_info, table),
	AT(16, kreg_ioc_info, name),
	AT(24, kreg_ioc_info, name_len),
	AT(28, kreg_ioc_info, info_len),
	AT(32, kreg_ioc_info, info),
	SIZE(40, kreg_ioc_list),
	AT(0, kreg_ioc_list, size),
	AT(4, kreg_ioc_list, flags),
	AT(8, kreg_ioc_list, after),
	AT(16, kreg_ioc_list, infos),
	AT(24, kreg_ioc_list, info_len),
	AT(28, kreg_ioc_list, max_count),
	AT(32, kreg_ioc_list, out_count),
	AT(36, kreg_ioc_list, out_more),
	SIZE(112, kreg_ioc_watch),
	AT(0, kreg_ioc_watch, size),
	AT(4, kreg_ioc_watch, flags),
	AT(8, kreg_ioc_watch, kind),
	AT(12, kreg_ioc_watch, key_len),
	AT(16, kreg_ioc_watch, table),
	AT(24, kreg_ioc_watch, key),
	AT(32, kreg_ioc_watch, process),
	AT(48, kreg_ioc_watch, version),
	AT(56, kreg_ioc_watch, udata),
	AT(64, kreg_ioc_watch, deadline_ns),
	AT(72, kreg_ioc_watch, out_id),
	AT(80, kreg_ioc_watch, out_process),
	AT(96, kreg_ioc_watch, out_version),
	AT(104, kreg_ioc_watch, out_limit),
	AT(108, kreg_ioc_watch, out_reserved),
	SIZE(16, kreg_ioc_cancel),
	AT(0, kreg_ioc_cancel, size),
	AT(4, kreg_ioc_cancel, flags),
	AT(8, kreg_ioc_cancel, id),
	SIZE(72, kreg_ioc_subscribe),
	AT(0, kreg_ioc_subscribe, size),
	AT(4, kreg_ioc_subscribe, flags),
	AT(8, kreg_ioc_subscribe, table),
	AT(16, kreg_ioc_subscribe, mask),
	AT(20, kreg_ioc_subscribe, reserved),
	AT(24, kreg_ioc_subscribe, after_seq),
	AT(32, kreg_ioc_subscribe, udata),
	AT(40, kreg_ioc_subscribe, out_id),
	AT(48, kreg_ioc_subscribe, out_seq),
	AT(56, kreg_ioc_subscribe, out_version),
	AT(64, kreg_ioc_subscribe, out_limit),
	AT(68, kreg_ioc_subscribe, out_reserved),
	SIZE(24, kreg_ioc_ack),
	AT(0, kreg_ioc_ack, size),
	AT(4, kreg_ioc_ack, flags),
	AT(8, kreg_ioc_ack, id),
	AT(16, kreg_ioc_ack, seq),
	SIZE(88, kreg_event),
	AT(0, kreg_event, size),
	AT(4, kreg_event, kind),
	AT(6, kreg_event, flags),
	AT(8, kreg_event, seq),
	AT(16, kreg_event, time_ns),
	AT(24, kreg_event, table),
	AT(32, kreg_event, process),
	AT(48, kreg_event, cause),
	AT(52, kreg_event, status),
	AT(56, kreg_event, key_len),
	AT(60, kreg_event, value_len),
	AT(64, kreg_event, id),
	AT(72, kreg_event, udata),
	AT(80, kreg_event, version),
};

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
	EXPECT_EQ(1 << 14, KREG_FEATURE_RENAME);
	EXPECT_EQ(1 << 15, KREG_FEATURE_EXPIRY);
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
	EXPECT_EQ(0xc050bc11, KREG_IOC_LEASE);
	EXPECT_EQ(0xc038bc12, KREG_IOC_PIN);
	EXPECT_EQ(0xc030bc13, KREG_IOC_RENAME);
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
