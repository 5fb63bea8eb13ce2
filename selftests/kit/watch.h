/* SPDX-License-Identifier: GPL-2.0 */
/*
 * WATCH and CANCEL, and what their records have to say.
 */
#ifndef KREG_KIT_WATCH_H
#define KREG_KIT_WATCH_H

#include "kit/event.h"

#define TEST_UDATA	0x1122334455667788ULL

static inline struct kreg_ioc_watch test_watch_cmd(__u32 kind)
{
	return (struct kreg_ioc_watch) {
		.size = sizeof(struct kreg_ioc_watch),
		.kind = kind,
		.udata = TEST_UDATA,
	};
}

/* The id of the watch is in *@id. */
static inline int _test_watch_cmd(int fd, struct kreg_ioc_watch *cmd, __u64 *id)
{
	int err = test_ioctl(fd, KREG_IOC_WATCH, cmd);

	*id = cmd->out_id;
	return err;
}

static inline int _test_watch(int fd, struct kreg_process process, __u64 *id)
{
	struct kreg_ioc_watch cmd = test_watch_cmd(KREG_WATCH_PROCESS);

	cmd.process = process;
	return _test_watch_cmd(fd, &cmd, id);
}

static inline int _test_watch_owner(int fd, __u64 table, __u64 *id)
{
	struct kreg_ioc_watch cmd = test_watch_cmd(KREG_WATCH_OWNER);

	cmd.table = table;
	return _test_watch_cmd(fd, &cmd, id);
}

static inline int _test_watch_name(int fd, const char *name, __u64 *id)
{
	struct kreg_ioc_watch cmd = test_watch_cmd(KREG_WATCH_OWNER);

	cmd.key = test_ptr(name);
	cmd.key_len = strlen(name);
	return _test_watch_cmd(fd, &cmd, id);
}

static inline int _test_watch_holder(int fd, __u64 table, const char *key, __u64 *id)
{
	struct kreg_ioc_watch cmd = test_watch_cmd(KREG_WATCH_HOLDER);

	cmd.table = table;
	cmd.key = test_ptr(key);
	cmd.key_len = strlen(key);
	return _test_watch_cmd(fd, &cmd, id);
}

static inline int _test_cancel(int fd, __u64 id, __u32 flags)
{
	struct kreg_ioc_cancel cmd = { .size = sizeof(cmd), .flags = flags, .id = id };

	return test_ioctl(fd, KREG_IOC_CANCEL, &cmd);
}

/* A process whether or not it has a client. */
static inline int _test_name(int fd, pid_t pid, struct kreg_process *process)
{
	struct kreg_ioc_whois cmd = {
		.size = sizeof(cmd),
		.flags = KREG_WHOIS_WATCH,
		.pid = pid,
	};
	int err = test_ioctl(fd, KREG_IOC_WHOIS, &cmd);

	*process = cmd.out_process;
	return err;
}

#define test_watch(...)		ASSERT_EQ(0, _test_watch(__VA_ARGS__))
#define test_watch_owner(...)	ASSERT_EQ(0, _test_watch_owner(__VA_ARGS__))
#define test_watch_name(...)	ASSERT_EQ(0, _test_watch_name(__VA_ARGS__))
#define test_watch_holder(...)	ASSERT_EQ(0, _test_watch_holder(__VA_ARGS__))
#define test_cancel(...)	EXPECT_EQ(0, _test_cancel(__VA_ARGS__))
#define test_name(...)		ASSERT_EQ(0, _test_name(__VA_ARGS__))

#define test_err_watch(err, ...) EXPECT_EQ(-(err), _test_watch(__VA_ARGS__))
#define test_err_watch_owner(err, ...) EXPECT_EQ(-(err), _test_watch_owner(__VA_ARGS__))
#define test_err_watch_name(err, ...) EXPECT_EQ(-(err), _test_watch_name(__VA_ARGS__))
#define test_err_watch_holder(err, ...) EXPECT_EQ(-(err), _test_watch_holder(__VA_ARGS__))
#define test_err_cancel(err, ...) EXPECT_EQ(-(err), _test_cancel(__VA_ARGS__))

/* It is the DOWN record of the watch @id, of @process. */
static inline void expect_down(struct __test_metadata *_metadata, const struct test_event *event,
			       __u64 id, struct kreg_process process, __u32 cause)
{
	EXPECT_EQ(KREG_EVENT_DOWN, event->e.kind);
	EXPECT_EQ(id, event->e.id);
	EXPECT_EQ(TEST_UDATA, event->e.udata);
	EXPECT_EQ(process.pid, event->e.process.pid);
	EXPECT_EQ(process.cookie, event->e.process.cookie);
	EXPECT_EQ(cause, event->e.cause);
	EXPECT_NE(0, event->e.time_ns);
	EXPECT_EQ(0, event->e.version);
	EXPECT_EQ(0, event->e.value_len);
}

static inline void expect_status(struct __test_metadata *_metadata, const struct test_event *event,
				 int status)
{
	EXPECT_EQ(KREG_EVENT_STATUS, event->e.flags);
	EXPECT_EQ(status, event->e.status);
}

static inline void expect_no_status(struct __test_metadata *_metadata,
				    const struct test_event *event)
{
	EXPECT_EQ(0, event->e.flags);
	EXPECT_EQ(0, event->e.status);
}

#define test_down(...)		expect_down(_metadata, __VA_ARGS__)
#define test_status(...)	expect_status(_metadata, __VA_ARGS__)
#define test_no_status(...)	expect_no_status(_metadata, __VA_ARGS__)

#endif /* KREG_KIT_WATCH_H */
