/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Standing by for the table "w", and what its records have to say.
 */
#ifndef KREG_KIT_STANDBY_H
#define KREG_KIT_STANDBY_H

#include "kit/job.h"
#include "kit/watch.h"

#define TEST_STANDBY	(KREG_OPEN_CLAIM | KREG_OPEN_STANDBY)

static inline int _test_standby(int fd, const char *name, __u64 *id)
{
	struct kreg_ioc_open cmd = test_open_cmd(name, TEST_STANDBY);
	int err;

	cmd.udata = TEST_UDATA;
	err = _test_open_cmd(fd, &cmd);
	*id = cmd.out_id;
	return err ?: !!cmd.out_how;
}

#define test_standby(...)	ASSERT_EQ(0, _test_standby(__VA_ARGS__))

static inline __u32 places(int fd, __u64 table)
{
	struct kreg_info info;

	return _test_info(fd, table, &info) ? ~0U : info.waiters;
}

/* A kid that stands by; the id of its place is in open.out_id. */
static inline struct kid *start_standby(struct __test_metadata *_metadata, uid_t uid)
{
	struct kid *kid = kid_start_as(_metadata, uid);

	kid_open_prepare(kid, "w", TEST_STANDBY);
	kid->job->open.udata = TEST_UDATA;
	EXPECT_EQ(0, kid_do(kid, job_open));
	EXPECT_EQ(0, kid->job->open.out_how);
	EXPECT_NE(0, kid->job->open.out_id);
	return kid;
}

static inline bool is_owner(int fd, __u64 table, struct kreg_process process)
{
	struct kreg_info info;

	return !_test_info(fd, table, &info) && test_same(process, info.owner);
}

/* The table has come to the place @id, from @from. */
static inline void expect_come(struct __test_metadata *_metadata,
			       const struct test_event *event, __u64 table, __u64 id,
			       struct kreg_process from)
{
	test_transfer(event, table, from, KREG_CAUSE_CLAIM);
	EXPECT_EQ(id, event->e.id);
	EXPECT_EQ(id ? TEST_UDATA : 0, event->e.udata);
	EXPECT_STREQ("w", event->name);
	EXPECT_EQ(0, event->e.value_len);
}

static inline void expect_gone(struct __test_metadata *_metadata,
			       const struct test_event *event, __u64 table, __u64 id,
			       __u32 cause)
{
	EXPECT_EQ(KREG_EVENT_GONE, event->e.kind);
	EXPECT_EQ(table, event->e.table);
	EXPECT_EQ(id, event->e.id);
	EXPECT_EQ(TEST_UDATA, event->e.udata);
	EXPECT_EQ(cause, event->e.cause);
	EXPECT_STREQ("w", event->name);
	EXPECT_EQ(0, event->e.process.pid);
}

#define test_come(...)	expect_come(_metadata, __VA_ARGS__)
#define test_gone(...)	expect_gone(_metadata, __VA_ARGS__)

#endif /* KREG_KIT_STANDBY_H */
