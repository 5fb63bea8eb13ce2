/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Waits for keys and names: see kit/util.h for the naming.
 */
#ifndef KREG_KIT_AWAIT_H
#define KREG_KIT_AWAIT_H

#include "kit/bound.h"
#include "kit/watch.h"

/* Table 0: @key is a name. */
static inline struct kreg_ioc_watch test_await_cmd(__u64 table, __u32 kind, const char *key)
{
	struct kreg_ioc_watch cmd = test_watch_cmd(kind);

	cmd.table = table;
	cmd.key = test_ptr(key);
	cmd.key_len = strlen(key);
	return cmd;
}

/* READY comes when it is so. @version is for CHANGED. */
static inline int _test_await(int fd, __u64 table, __u32 kind, const char *key, __u64 version,
			      __u64 *id)
{
	struct kreg_ioc_watch cmd = test_await_cmd(table, kind, key);

	cmd.version = version;
	return _test_watch_cmd(fd, &cmd, id);
}

/* Sleep until it is so, for @ms milliseconds at most; -1: for ever. The version is in *@out. */
static inline int _test_sleep(int fd, __u64 table, __u32 kind, const char *key, __u64 version,
			      int ms, struct kreg_ioc_watch *out)
{
	*out = test_await_cmd(table, kind, key);
	out->flags = KREG_WATCH_SLEEP;
	out->udata = 0;
	out->version = version;
	if (ms >= 0)
		out->deadline_ns = test_now_ns() + ms * 1000000ULL;
	return test_ioctl(fd, KREG_IOC_WATCH, out);
}

#define test_await(...)		ASSERT_EQ(0, _test_await(__VA_ARGS__))
#define test_sleep(...)		ASSERT_EQ(0, _test_sleep(__VA_ARGS__))
#define test_err_await(err, ...) EXPECT_EQ(-(err), _test_await(__VA_ARGS__))
#define test_err_sleep(err, ...) EXPECT_EQ(-(err), _test_sleep(__VA_ARGS__))

static inline long job_await(struct job *job)
{
	return _test_await(job->fd, job->table, job->arg, job->key, job->arg2, &job->arg2);
}

/* The id is in kid->job->arg2. */
static inline long kid_await(struct kid *kid, __u64 table, __u32 kind, const char *key)
{
	kid->job->table = table;
	kid->job->arg = kind;
	kid->job->arg2 = 0;
	test_set(kid->job->key, key);
	return kid_do(kid, job_await);
}

static inline long job_sleep(struct job *job)
{
	struct kreg_ioc_watch out;
	int err = _test_sleep(job->fd, job->table, job->arg, job->key, job->arg2, -1, &out);

	job->arg2 = out.out_version;
	job->process = out.out_process;
	return err;
}

static inline void kid_ask_sleep(struct kid *kid, __u64 table, __u32 kind, const char *key)
{
	kid->job->table = table;
	kid->job->arg = kind;
	kid->job->arg2 = 0;
	test_set(kid->job->key, key);
	kid_ask(kid, job_sleep);
}

/* It is the record of the wait @id for @key, of this kind, with what is there. */
static inline void expect_ready(struct __test_metadata *_metadata, const struct test_event *event,
				__u32 kind, __u64 id, const char *key, __u64 version)
{
	EXPECT_EQ(kind, event->e.kind);
	EXPECT_EQ(id, event->e.id);
	EXPECT_EQ(TEST_UDATA, event->e.udata);
	EXPECT_EQ(strlen(key), event->e.key_len);
	EXPECT_STREQ(key, event->name);
	EXPECT_EQ(version, event->e.version);
	EXPECT_EQ(0, event->e.flags);
	EXPECT_EQ(0, event->e.value_len);
	EXPECT_NE(0, event->e.time_ns);
}

#define test_ready(event, ...) \
	expect_ready(_metadata, event, KREG_EVENT_READY, __VA_ARGS__)

static inline void expect_ready_now(struct __test_metadata *_metadata, int fd, __u64 id,
				    const char *key, __u64 version)
{
	struct test_event event;

	test_event_now(fd, &event);
	test_ready(&event, id, key, version);
	test_no_event(fd);
}

/* The next record of @fd, which is there, is that. */
#define test_ready_now(...)	expect_ready_now(_metadata, __VA_ARGS__)

static inline void expect_all_ready(struct __test_metadata *_metadata, int fd, int n)
{
	struct test_event event;

	while (n-- > 0) {
		test_event_now(fd, &event);
		EXPECT_EQ(KREG_EVENT_READY, event.e.kind);
	}
	test_no_event(fd);
}

/* There are exactly @n READY records. */
#define test_all_ready(...)	expect_all_ready(_metadata, __VA_ARGS__)

static inline void expect_both_absent(struct __test_metadata *_metadata, int fd, __u64 a, __u64 b,
				      const char *key)
{
	struct test_event first, second;
	bool in_order;

	test_event_now(fd, &first);
	test_event_now(fd, &second);
	in_order = first.e.id == a;
	test_ready(&first, in_order ? a : b, key, 0);
	test_ready(&second, in_order ? b : a, key, 0);
	test_no_event(fd);
}

/* The next two, of these waits, both say that the key is absent. */
#define test_both_absent(...)	expect_both_absent(_metadata, __VA_ARGS__)

static inline long job_read_event(struct job *job)
{
	return test_event_read(job->fd, &job->event);
}

#endif /* KREG_KIT_AWAIT_H */
