/* SPDX-License-Identifier: GPL-2.0 */
/* A table with an object that may be lent, for the suites of objects on loan. */
#ifndef KREG_OWNER_LEASE_H
#define KREG_OWNER_LEASE_H

#include "kit/fixture.h"
#include "kit/await.h"
#include "kit/bound.h"
#include "kit/lease.h"
#include "kit/register.h"
#include "kit/stream.h"

/* Longer than any test, and as short as can be told from nothing. */
#define LONG_MS		test_scale(60000)
#define SHORT_MS	100

FIXTURE(lease) {
	struct test_base base;
	int fd;
	__u64 table;
	__u64 version;			/* of "job" */
	struct kid *kid;
	struct test_reader *r;
	long long limit;
};

FIXTURE_SETUP(lease)
{
	self->fd = test_setup(_metadata, &self->base);
	self->limit = test_param("max_user_bound");
	self->kid = kid_start(_metadata);
	test_create(self->fd, "jobs", KREG_ACCESS_PUBLIC, &self->table);
	test_puts(self->fd, self->table, "job", "work");
	self->version = test_version(self->fd, self->table, "job");
	test_subscribe(self->fd, self->table, ALL_KINDS);
	self->r = test_reader(self->fd);
	ASSERT_NE(NULL, self->r);
}

FIXTURE_TEARDOWN_PARENT(lease)
{
	EXPECT_EQ(0, test_set_param("max_user_bound", self->limit));
	test_teardown(_metadata, &self->base);
}

/* Nobody else finds it. */
static inline void expect_lent(struct __test_metadata *_metadata, int fd, __u64 table)
{
	struct kreg_ioc_scan scan = { .table = table };
	struct kreg_op take = test_ops(KREG_OP_TAKE, "job");
	struct kreg_op remove = test_ops(KREG_OP_DELETE, "job");
	struct kreg_ioc_register reg = register_cmd(table, "job", "mine", 0);
	char buf[256];

	EXPECT_EQ(-ENODATA, _test_get(fd, table, "job", 3, buf, sizeof(buf)));
	EXPECT_EQ(0, test_version(fd, table, "job"));
	scan.buf = test_ptr(buf);
	scan.buf_len = sizeof(buf);
	test_scan(fd, &scan);
	EXPECT_EQ(0, scan.out_count);
	take.value = test_ptr(buf);
	take.value_len = sizeof(buf);
	EXPECT_EQ(-ENODATA, _test_op(fd, table, 0, &take));
	EXPECT_EQ(0, _test_op(fd, table, 0, &remove));
	EXPECT_EQ(0, remove.out_count);
	remove.flags = KREG_OP_MINE;
	EXPECT_EQ(0, _test_op(fd, table, 0, &remove));
	EXPECT_EQ(0, remove.out_count);
	test_err_lease(EBUSY, fd, table, "job");
	test_err_return(ENODATA, fd, table, "job", 0);
	EXPECT_EQ(-EBUSY, _test_puts(fd, table, "job", "other"));
	EXPECT_EQ(-EEXIST, _test_put_new(fd, table, "job", "other"));
	EXPECT_EQ(-EBUSY, run_register(fd, &reg));
	test_err_bind(EBUSY, fd, table, "job", "other");
}

/* It is there, as it was, and was lent so often. */
static inline void expect_back(struct __test_metadata *_metadata, int fd, __u64 table,
			       __u64 version, int loans)
{
	char value[16] = "";

	EXPECT_EQ(4, _test_get(fd, table, "job", 3, value, sizeof(value)));
	EXPECT_STREQ("work", value);
	EXPECT_EQ(version, test_version(fd, table, "job"));
	EXPECT_TRUE(test_is_nobodys(fd, table, "job"));
	EXPECT_EQ(loans, test_loans(fd, table, "job"));
	EXPECT_EQ(1, test_count(fd, table));
}

/* The events of a loan, and of its end. */
static inline void expect_lent_event(struct __test_metadata *_metadata, struct test_reader *r,
				     struct kreg_process who)
{
	const struct kreg_event *e = test_expect(r, KREG_EVENT_DELETE, "job");

	EXPECT_EQ(KREG_CAUSE_LEASE, e->cause);
	EXPECT_TRUE(test_same(who, e->process));
	EXPECT_EQ(0, e->value_len);
}

static inline void expect_back_event(struct __test_metadata *_metadata, struct test_reader *r,
				     __u64 version)
{
	const struct kreg_event *e = test_expect(r, KREG_EVENT_CREATE, "job");

	EXPECT_EQ(KREG_CAUSE_LEASE, e->cause);
	EXPECT_EQ(version, e->version);
	EXPECT_TRUE(test_has_value(e, "work"));
	EXPECT_TRUE(test_none(e->process));
	test_nothing(r);
}

#endif /* KREG_OWNER_LEASE_H */
