/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Raw ioctls of /dev/kreg for the tests.
 *
 * For each command: _test_x() returns 0 or -errno, test_x() must pass, and
 * test_err_x() must fail with the errno that is its first argument. Keys and
 * values are strings where the name ends in s.
 */
#ifndef KREG_KIT_UTIL_H
#define KREG_KIT_UTIL_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <linux/kreg.h>

#include "kit/scale.h"

#define KREG_DEV	"/dev/kreg"
#define KREG_PARAMS	"/sys/module/kreg/parameters/"

static inline __u64 test_ptr(const void *p)
{
	return (uintptr_t)p;
}

static inline __u64 test_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static inline void test_pause_ms(int ms)
{
	poll(NULL, 0, ms);
}

/* Fill an array of characters with a string. */
#define test_set(array, text) \
	test_set_room(array, sizeof(array), text)

static inline void test_set_room(char *room, size_t size, const char *text)
{
	snprintf(room, size, "%s", text);
}

/* Poll until the condition holds, for what tells of itself by no event. */
#define test_wait_for(cond)						\
({									\
	__u64 __end = test_now_ns() + PATIENCE_MS * 1000000ULL;		\
	bool __ok;							\
									\
	while (!(__ok = !!(cond)) && test_now_ns() < __end)		\
		test_pause_ms(2);					\
	__ok;								\
})

static inline int test_client_flags(int flags)
{
	int fd = open(KREG_DEV, O_RDWR | O_CLOEXEC | flags);

	return fd < 0 ? -errno : fd;
}

static inline int test_client(void)
{
	return test_client_flags(0);
}

static inline int test_ioctl(int fd, unsigned int cmd, const void *arg)
{
	return ioctl(fd, cmd, arg) < 0 ? -errno : 0;
}

static inline int _test_query(int fd, struct kreg_ioc_query *query)
{
	memset(query, 0, sizeof(*query));
	query->size = sizeof(*query);
	return test_ioctl(fd, KREG_IOC_QUERY, query);
}

static inline bool test_feature(int fd, __u64 feature)
{
	struct kreg_ioc_query query;

	return !_test_query(fd, &query) && query.out_features & feature;
}

static inline struct kreg_process test_self(int fd)
{
	struct kreg_ioc_query query;

	if (_test_query(fd, &query))
		memset(&query, 0, sizeof(query));
	return query.out_self;
}

static inline bool test_same(struct kreg_process a, struct kreg_process b)
{
	return a.pid == b.pid && a.cookie == b.cookie;
}

static inline bool test_none(struct kreg_process p)
{
	return !p.pid && !p.cookie;
}

static inline int _test_whois(int fd, pid_t pid, struct kreg_process *process)
{
	struct kreg_ioc_whois cmd = { .size = sizeof(cmd), .pid = pid };
	int err = test_ioctl(fd, KREG_IOC_WHOIS, &cmd);

	*process = cmd.out_process;
	return err;
}

/* Of tables that do not say: KREG_TEST_TYPE, for suites that hold for other types as well. */
static inline __u32 test_type(void)
{
	const char *type = getenv("KREG_TEST_TYPE");

	return type ? (__u32)atoi(type) : KREG_TYPE_SET;
}

/* The command for a set with mode 0600 and no heir; the caller adds what else it wants. */
static inline struct kreg_ioc_open test_open_cmd(const char *name,
						 __u32 flags)
{
	struct kreg_ioc_open cmd = {
		.size = sizeof(cmd),
		.flags = flags,
		.name = test_ptr(name),
		.name_len = name ? strlen(name) : 0,
	};

	if (flags & KREG_OPEN_CREATE) {
		cmd.type = test_type();
		cmd.mode = 0600;
	}
	return cmd;
}

static inline int _test_open_cmd(int fd, struct kreg_ioc_open *cmd)
{
	return test_ioctl(fd, KREG_IOC_OPEN, cmd);
}

static inline int _test_open(int fd, const char *name, __u32 flags, __u64 *id)
{
	struct kreg_ioc_open cmd = test_open_cmd(name, flags);
	int err = _test_open_cmd(fd, &cmd);

	*id = cmd.out_table;
	return err;
}

/* A new table with mode 0666, so that @access alone decides what others may do. */
static inline int _test_create(int fd, const char *name, __u32 access,
			       __u64 *id)
{
	struct kreg_ioc_open cmd = test_open_cmd(name, KREG_OPEN_CREATE);
	int err;

	if (name)
		cmd.flags |= KREG_OPEN_EXCL;
	cmd.access = access;
	cmd.mode = 0666;
	err = _test_open_cmd(fd, &cmd);
	*id = cmd.out_table;
	return err;
}

/* The same, of a certain type, and not there yet. */
static inline int _test_create_type(int fd, const char *name, __u32 type, __u32 access,
				    __u64 *id)
{
	struct kreg_ioc_open cmd = test_open_cmd(name, KREG_OPEN_CREATE | KREG_OPEN_EXCL);
	int err;

	cmd.type = type;
	cmd.access = access;
	cmd.mode = 0666;
	err = _test_open_cmd(fd, &cmd);
	*id = cmd.out_table;
	return err;
}

static inline int _test_destroy_flags(int fd, __u64 id, __u32 flags)
{
	struct kreg_ioc_table cmd = {
		.size = sizeof(cmd),
		.flags = flags,
		.table = id,
	};

	return test_ioctl(fd, KREG_IOC_DESTROY, &cmd);
}

static inline int _test_destroy(int fd, __u64 id)
{
	return _test_destroy_flags(fd, id, 0);
}

static inline int _test_give(int fd, __u64 id, struct kreg_process to,
			     const void *data, __u32 len)
{
	struct kreg_ioc_give cmd = {
		.size = sizeof(cmd),
		.table = id,
		.to = to,
		.data = test_ptr(data),
		.data_len = len,
	};

	return test_ioctl(fd, KREG_IOC_GIVE, &cmd);
}

static inline int _test_park(int fd, __u64 id)
{
	struct kreg_ioc_give cmd = {
		.size = sizeof(cmd),
		.flags = KREG_GIVE_PARK,
		.table = id,
	};

	return test_ioctl(fd, KREG_IOC_GIVE, &cmd);
}

static inline int _test_setopt(int fd, __u64 id, __u32 option, __u64 value,
			       __u64 value2)
{
	struct kreg_ioc_setopt cmd = {
		.size = sizeof(cmd),
		.table = id,
		.option = option,
		.value = value,
		.value2 = value2,
	};

	return test_ioctl(fd, KREG_IOC_SETOPT, &cmd);
}

static inline int _test_heir(int fd, __u64 id, struct kreg_process heir,
			     const void *data, __u32 len, __u64 value)
{
	struct kreg_ioc_setopt cmd = {
		.size = sizeof(cmd),
		.table = id,
		.option = KREG_OPT_HEIR,
		.value = value,
		.process = heir,
		.data = test_ptr(data),
		.data_len = len,
	};

	return test_ioctl(fd, KREG_IOC_SETOPT, &cmd);
}

static inline int _test_access(int fd, __u64 id, __u32 access)
{
	return _test_setopt(fd, id, KREG_OPT_ACCESS, access, 0);
}

static inline int _test_mode(int fd, __u64 id, __u32 mode)
{
	return _test_setopt(fd, id, KREG_OPT_MODE, mode, 0);
}

static inline int _test_orphan(int fd, __u64 id, __u32 orphan, __u64 ms)
{
	return _test_setopt(fd, id, KREG_OPT_ORPHAN, orphan, ms);
}

static inline int _test_receiver(int fd)
{
	return _test_setopt(fd, 0, KREG_OPT_RECEIVER, 0, 0);
}

static inline int _test_accept(int fd, __u64 value)
{
	return _test_setopt(fd, 0, KREG_OPT_ACCEPT, value, 0);
}

static inline int _test_sync(int fd)
{
	struct kreg_ioc_sync cmd = { .size = sizeof(cmd) };

	return test_ioctl(fd, KREG_IOC_SYNC, &cmd);
}

static inline int _test_info_flags(int fd, __u64 id, __u32 flags,
				   struct kreg_info *info)
{
	struct kreg_ioc_info cmd = {
		.size = sizeof(cmd),
		.flags = flags,
		.table = id,
		.info = test_ptr(info),
		.info_len = sizeof(*info),
	};

	return test_ioctl(fd, KREG_IOC_INFO, &cmd);
}

static inline int _test_info(int fd, __u64 id, struct kreg_info *info)
{
	return _test_info_flags(fd, id, 0, info);
}

static inline int _test_info_name(int fd, const char *name,
				  struct kreg_info *info)
{
	struct kreg_ioc_info cmd = {
		.size = sizeof(cmd),
		.name = test_ptr(name),
		.name_len = strlen(name),
		.info = test_ptr(info),
		.info_len = sizeof(*info),
	};

	return test_ioctl(fd, KREG_IOC_INFO, &cmd);
}

/* Returns how many were written, or -errno. */
static inline int _test_list_flags(int fd, __u32 flags, __u64 after,
				   struct kreg_info *infos, __u32 max,
				   __u32 *more)
{
	struct kreg_ioc_list cmd = {
		.size = sizeof(cmd),
		.flags = flags,
		.after = after,
		.infos = test_ptr(infos),
		.info_len = sizeof(*infos),
		.max_count = max,
	};
	int err = test_ioctl(fd, KREG_IOC_LIST, &cmd);

	*more = cmd.out_more;
	return err ? err : (int)cmd.out_count;
}

static inline int _test_list(int fd, __u64 after, struct kreg_info *infos,
			     __u32 max, __u32 *more)
{
	return _test_list_flags(fd, 0, after, infos, max, more);
}

/* How often the list has the table; or -errno. */
static inline int test_listed_flags(int fd, __u32 flags, __u64 id)
{
	struct kreg_info infos[8];
	__u64 after = 0;
	int i, n, found = 0;
	__u32 more;

	do {
		n = _test_list_flags(fd, flags, after, infos, 8, &more);
		if (n < 0)
			return n;
		for (i = 0; i < n; i++)
			found += infos[i].id == id;
		if (n)
			after = infos[n - 1].id;
	} while (more && n);
	return found;
}

static inline int test_listed(int fd, __u64 id)
{
	return test_listed_flags(fd, 0, id);
}

#define test_whois(...)		ASSERT_EQ(0, _test_whois(__VA_ARGS__))
#define test_open_(...)		ASSERT_EQ(0, _test_open_cmd(__VA_ARGS__))
#define test_open(...)		ASSERT_EQ(0, _test_open(__VA_ARGS__))
#define test_create(...)	ASSERT_EQ(0, _test_create(__VA_ARGS__))
#define test_destroy(...)	ASSERT_EQ(0, _test_destroy(__VA_ARGS__))
#define test_give(...)		ASSERT_EQ(0, _test_give(__VA_ARGS__))
#define test_park(...)		ASSERT_EQ(0, _test_park(__VA_ARGS__))
#define test_setopt(...)	ASSERT_EQ(0, _test_setopt(__VA_ARGS__))
#define test_heir(...)		ASSERT_EQ(0, _test_heir(__VA_ARGS__))
#define test_access(...)	ASSERT_EQ(0, _test_access(__VA_ARGS__))
#define test_mode(...)		ASSERT_EQ(0, _test_mode(__VA_ARGS__))
#define test_orphan(...)	ASSERT_EQ(0, _test_orphan(__VA_ARGS__))
#define test_receiver(...)	ASSERT_EQ(0, _test_receiver(__VA_ARGS__))
#define test_accept(...)	ASSERT_EQ(0, _test_accept(__VA_ARGS__))
#define test_sync(...)		ASSERT_EQ(0, _test_sync(__VA_ARGS__))
#define test_info(...)		ASSERT_EQ(0, _test_info(__VA_ARGS__))
#define test_info_name(...)	ASSERT_EQ(0, _test_info_name(__VA_ARGS__))

#define test_err_whois(err, ...) EXPECT_EQ(-(err), _test_whois(__VA_ARGS__))
#define test_err_open_(err, ...) EXPECT_EQ(-(err), _test_open_cmd(__VA_ARGS__))
#define test_err_open(err, ...) EXPECT_EQ(-(err), _test_open(__VA_ARGS__))
#define test_err_create(err, ...) EXPECT_EQ(-(err), _test_create(__VA_ARGS__))
#define test_err_destroy(err, ...) EXPECT_EQ(-(err), _test_destroy(__VA_ARGS__))
#define test_err_give(err, ...)	EXPECT_EQ(-(err), _test_give(__VA_ARGS__))
#define test_err_park(err, ...)	EXPECT_EQ(-(err), _test_park(__VA_ARGS__))
#define test_err_setopt(err, ...) EXPECT_EQ(-(err), _test_setopt(__VA_ARGS__))
#define test_err_heir(err, ...)	EXPECT_EQ(-(err), _test_heir(__VA_ARGS__))
#define test_err_access(err, ...) EXPECT_EQ(-(err), _test_access(__VA_ARGS__))
#define test_err_mode(err, ...)	EXPECT_EQ(-(err), _test_mode(__VA_ARGS__))
#define test_err_orphan(err, ...) EXPECT_EQ(-(err), _test_orphan(__VA_ARGS__))
#define test_err_sync(err, ...)	EXPECT_EQ(-(err), _test_sync(__VA_ARGS__))
#define test_err_info(err, ...)	EXPECT_EQ(-(err), _test_info(__VA_ARGS__))
#define test_err_info_name(err, ...) \
	EXPECT_EQ(-(err), _test_info_name(__VA_ARGS__))

#endif /* KREG_KIT_UTIL_H */
