/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The line of a key: see kit/util.h for the naming.
 */
#ifndef KREG_KIT_LINE_H
#define KREG_KIT_LINE_H

#include "kit/await.h"
#include "kit/fault.h"
#include "kit/register.h"

/* Sleep in the line of "key" for @ms milliseconds at most; 0: only try; -1: for ever. */
static inline int _test_lock_key(int fd, __u64 table, const char *key, int ms, __u64 *version)
{
	struct kreg_ioc_register cmd = register_cmd(table, key, "lock", KREG_REGISTER_WAIT);
	int err;

	if (ms >= 0)
		cmd.deadline_ns = ms ? test_now_ns() + ms * 1000000ULL : 1;
	err = run_register(fd, &cmd);
	if (version)
		*version = cmd.out_version;
	return err ?: cmd.out_how != KREG_REGISTERED || cmd.out_id;
}

static inline int _test_lock(int fd, __u64 table, int ms, __u64 *version)
{
	return _test_lock_key(fd, table, "key", ms, version);
}

static inline struct kreg_ioc_register standby_cmd(__u64 table, const char *key)
{
	struct kreg_ioc_register cmd = register_cmd(table, key, "lock", KREG_REGISTER_STANDBY);

	cmd.udata = TEST_UDATA;
	return cmd;
}

/* Stand by for "key": 0 if it has a place, KREG_REGISTERED if it has the key. */
static inline int _test_stand(int fd, __u64 table, __u64 *id)
{
	struct kreg_ioc_register cmd = standby_cmd(table, "key");
	int err = run_register(fd, &cmd);

	*id = cmd.out_id;
	if (err)
		return err == -EDQUOT ? 1000 + (int)cmd.out_limit : err;
	return cmd.out_how == KREG_REGISTER_WAITS ? 0 : cmd.out_how;
}

static inline int _test_unlock(int fd, __u64 table, __u64 version)
{
	struct kreg_op op = test_ops(KREG_OP_DELETE, "key");

	op.flags = KREG_OP_VERSION;
	op.arg = version;
	return _test_op(fd, table, 0, &op);
}

#define test_lock(...)		ASSERT_EQ(0, _test_lock(__VA_ARGS__))
#define test_stand(...)		ASSERT_EQ(0, _test_stand(__VA_ARGS__))
#define test_unlock(...)	EXPECT_EQ(0, _test_unlock(__VA_ARGS__))
#define test_err_lock(err, ...)	EXPECT_EQ(-(err), _test_lock(__VA_ARGS__))
#define test_err_stand(err, ...) EXPECT_EQ(-(err), _test_stand(__VA_ARGS__))

/* job->len milliseconds as above, -1: for ever. The version is in job->arg2. */
static inline long job_lock(struct job *job)
{
	return _test_lock(job->fd, job->table, (int)job->len, &job->arg2);
}

static inline void kid_ask_lock(struct kid *kid, __u64 table, int ms)
{
	kid->job->table = table;
	kid->job->len = ms;
	kid_ask(kid, job_lock);
}

static inline long kid_lock(struct kid *kid, __u64 table, int ms)
{
	kid_ask_lock(kid, table, ms);
	return kid_answer(kid);
}

static inline long job_unlock(struct job *job)
{
	return _test_unlock(job->fd, job->table, job->arg);
}

static inline long kid_unlock(struct kid *kid, __u64 table, __u64 version)
{
	kid->job->table = table;
	kid->job->arg = version;
	return kid_do(kid, job_unlock);
}

/* The id is in job->arg. */
static inline long job_stand(struct job *job)
{
	return _test_stand(job->fd, job->table, &job->arg);
}

static inline long kid_stand(struct kid *kid, __u64 table)
{
	kid->job->table = table;
	return kid_do(kid, job_stand);
}

/* How many watches, waits and places the client @fd of a process has. */
static inline long test_places_of(pid_t pid, int fd)
{
	return fault_fdinfo(pid, fd, "kreg-watches:");
}

/* Its place is counted before it is asked for; who sleeps has asked, and SYNC comes behind that. */
static inline bool kid_is_in_line(struct kid *kid)
{
	int fd = test_client();
	bool asked = test_wait_for(test_places_of(kid->pid, kid->job->fd) == 1 &&
				   kid_sleeps(kid, SYS_ioctl, kid->job->fd));
	int err = fd < 0 ? fd : _test_sync(fd);

	close(fd);
	return asked && !err;
}

/* A kid that sleeps in the line of "key". */
static inline struct kid *start_waiter(struct __test_metadata *_metadata, __u64 table)
{
	struct kid *kid = kid_start(_metadata);

	kid_ask_lock(kid, table, -1);
	EXPECT_TRUE(kid_is_in_line(kid));
	return kid;
}

/* The next record of @fd is that of the place @id, of this kind. */
static inline void expect_of_place(struct __test_metadata *_metadata, int fd, __u64 table, __u64 id,
				   __u32 kind, __u32 cause, struct test_event *event)
{
	test_event_now(fd, event);
	EXPECT_EQ(kind, event->e.kind);
	EXPECT_EQ(cause, event->e.cause);
	EXPECT_EQ(table, event->e.table);
	EXPECT_EQ(id, event->e.id);
	EXPECT_EQ(TEST_UDATA, event->e.udata);
	EXPECT_STREQ("key", event->name);
	EXPECT_EQ(0, event->e.value_len);
	EXPECT_EQ(0, event->e.flags);
}

/* It is the record of the place @id: @who has "key" now. */
static inline void expect_served(struct __test_metadata *_metadata, int fd, __u64 table, __u64 id,
				 struct kreg_process who)
{
	struct test_event event;
	struct kreg_process whose;

	expect_of_place(_metadata, fd, table, id, KREG_EVENT_READY, KREG_CAUSE_CLAIM, &event);
	EXPECT_EQ(who.pid, event.e.process.pid);
	EXPECT_EQ(who.cookie, event.e.process.cookie);
	EXPECT_EQ(test_version_of(fd, table, "key"), event.e.version);
	EXPECT_EQ(0, _test_whose(fd, table, "key", &whose));
	EXPECT_EQ(who.cookie, whose.cookie);
	EXPECT_EQ(0, _test_cancel(fd, id, 0) + ENOENT);
	EXPECT_EQ(0, _test_no_event(fd));
}

/* It is the record of the place @id, of which nothing comes. */
static inline void expect_unserved(struct __test_metadata *_metadata, int fd, __u64 table,
				   __u64 id, __u32 cause)
{
	struct test_event event;

	expect_of_place(_metadata, fd, table, id, KREG_EVENT_GONE, cause, &event);
	EXPECT_EQ(0, event.e.version);
	EXPECT_EQ(0, event.e.process.pid);
	EXPECT_EQ(0, _test_no_event(fd));
}

#define test_served(...)	expect_served(_metadata, __VA_ARGS__)
#define test_unserved(...)	expect_unserved(_metadata, __VA_ARGS__)

#endif /* KREG_KIT_LINE_H */
