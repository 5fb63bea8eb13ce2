/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pins, and scans by them: see kit/util.h for the naming.
 */
#ifndef KREG_KIT_PIN_H
#define KREG_KIT_PIN_H

#include <stdbool.h>

#include "kit/op.h"
#include "kit/watch.h"

static inline int _test_pin_cmd(int fd, struct kreg_ioc_pin *cmd)
{
	cmd->size = sizeof(*cmd);
	return test_ioctl(fd, KREG_IOC_PIN, cmd);
}

static inline int _test_pin(int fd, __u64 table, __u32 ms, __u64 *id)
{
	struct kreg_ioc_pin cmd = { .table = table, .ms = ms };
	int err = _test_pin_cmd(fd, &cmd);

	if (!err)
		*id = cmd.out_id;
	return err;
}

static inline struct kreg_ioc_scan test_pinned_cmd(__u64 table, __u64 pin)
{
	static __u64 room[8192];

	return (struct kreg_ioc_scan) {
		.table = table,
		.pin = pin,
		.buf = test_ptr(room),
		.buf_len = sizeof(room),
	};
}

/* How many objects there are at @pin, or -errno. */
static inline int test_pinned_count(int fd, __u64 table, __u64 pin)
{
	struct kreg_ioc_scan cmd = { .table = table, .pin = pin, .flags = KREG_SCAN_COUNT };
	int err = _test_scan(fd, &cmd);

	return err ? err : (int)cmd.out_count;
}

/* Records, and pins, of the table. */
static inline long long test_kept(int fd, __u64 table)
{
	struct kreg_info info;
	int err = _test_info(fd, table, &info);

	return err ? err : (long long)info.kept;
}

static inline long long test_pins(int fd, __u64 table)
{
	struct kreg_info info;
	int err = _test_info(fd, table, &info);

	return err ? err : (long long)info.pins;
}

#define test_pin(...)		ASSERT_EQ(0, _test_pin(__VA_ARGS__))
#define test_err_pin(err, ...)	EXPECT_EQ(-(err), _test_pin(__VA_ARGS__))

#endif /* KREG_KIT_PIN_H */
