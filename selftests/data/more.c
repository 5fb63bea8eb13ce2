// SPDX-License-Identifier: GPL-2.0
/*
 * PUT that says more: struct kreg_more.
 */
#include "kit/fixture.h"
#include "kit/bound.h"
#include "kit/register.h"
#include "kit/stream.h"

#define SHORT_MS	100

FIXTURE(more) {
	struct test_base base;
	int fd;
	__u64 table;
	struct test_reader *r;
	struct kid *kid;
	struct kreg_process who;
};

FIXTURE_SETUP(more)
{
	self->fd = test_setup(_metadata, &self->base);
	self->kid = kid_start(_metadata);
	self->who = self->kid->self;
	test_create(self->fd, "table", KREG_ACCESS_PUBLIC, &self->table);
	test_subscribe(self->fd, self->table, ALL_KINDS);
	self->r = test_reader(self->fd);
	ASSERT_NE(NULL, self->r);
}

FIXTURE_TEARDOWN_PARENT(more)
{
	test_teardown(_metadata, &self->base);
}

static struct kreg_op op_more(const char *key, const char *value, struct kreg_more *more)
{
	struct kreg_op op = test_op_bind(key, value);

	*more = (struct kreg_more) { .size = sizeof(*more) };
	memset(&more->out_process, 0xff, sizeof(*more) - offsetof(struct kreg_more, out_process));
	op.flags |= KREG_OP_MORE;
	op.arg = test_ptr(more);
	return op;
}

/* PUT can say what REGISTER says. */
TEST_F(more, put_bound)
{
	struct kreg_more more;
	struct kreg_op op = op_more("key", "v", &more);

	more.process = self->who;
	more.linger_ms = SHORT_MS * 5;
	test_op_(self->fd, self->table, 0, &op);
	EXPECT_TRUE(test_same(self->who, more.out_process));
	EXPECT_EQ(0, more.out_expires_ns);
	EXPECT_EQ(0, op.out_count);
	test_expect(self->r, KREG_EVENT_CREATE, "key");
	more.if_version = op.out_version + 1;
	EXPECT_EQ(-ECANCELED, _test_op(self->fd, self->table, 0, &op));
	EXPECT_TRUE(test_none(more.out_process));
	more.if_version = test_version_of(self->fd, self->table, "key");
	test_op_(self->fd, self->table, 0, &op);
	EXPECT_EQ(1, op.out_count);
	test_expect(self->r, KREG_EVENT_UPDATE, "key");
	EXPECT_EQ(SIGKILL, kid_kill(self->kid));
	EXPECT_TRUE(test_is_left_by(self->fd, self->table, "key", self->who));
	more.if_version = 0;
	EXPECT_EQ(-ESRCH, _test_op(self->fd, self->table, 0, &op));
	test_expect(self->r, KREG_EVENT_EXIT, "key");
	/* For oneself, and to be removed with oneself. */
	op = op_more("key", "v", &more);
	op.flags |= KREG_OP_NEW;
	test_op_(self->fd, self->table, 0, &op);
	EXPECT_TRUE(test_is_of(self->fd, self->table, "key", test_self(self->fd)));
	EXPECT_EQ(-EEXIST, _test_op(self->fd, self->table, 0, &op));
}

TEST_F(more, errors)
{
	struct kreg_more more, longer[2];
	struct kreg_op op;

#define EXPECT_MORE(err, change)					\
	do {								\
		op = op_more("key", "v", &more);			\
		change;							\
		EXPECT_EQ(-(err), _test_op(self->fd, self->table, 0, &op)); \
	} while (0)
	EXPECT_MORE(EFAULT, op.arg = 0);
	EXPECT_MORE(EFAULT, op.arg = 8);
	EXPECT_MORE(EINVAL, more.size = sizeof(more) - 1);
	EXPECT_MORE(E2BIG, more.size = 1 << 20);
	EXPECT_MORE(EOPNOTSUPP, more.flags = 2);
	EXPECT_MORE(EINVAL, more.flags = KREG_MORE_START);
	EXPECT_MORE(EINVAL, more.filter = 1);
	EXPECT_MORE(EFAULT, more.filter_count = 1);
	EXPECT_MORE(EINVAL, more.filter_count = 1; op.flags |= KREG_OP_NEW);
	EXPECT_MORE(EINVAL, more.start = 1);
	EXPECT_MORE(EINVAL, more.start_len = 1);
	EXPECT_MORE(EOPNOTSUPP, more.expires_ns = 1);
	EXPECT_MORE(EOPNOTSUPP, more.idle_ms = 1);
	EXPECT_MORE(EOPNOTSUPP, more.process.reserved = 1);
	EXPECT_MORE(EINVAL, op.flags = KREG_OP_MORE; more.linger_ms = 1);
	EXPECT_MORE(EINVAL, op.flags = KREG_OP_MORE; more.process = self->who);
	EXPECT_MORE(EINVAL, op.code = KREG_OP_GET; op.flags = KREG_OP_MORE; more.linger_ms = 1);
	EXPECT_MORE(EOPNOTSUPP, op.code = KREG_OP_TAKE; op.flags = KREG_OP_MORE);
	EXPECT_MORE(EINVAL, op.code = KREG_OP_DELETE; op.value = 0; op.value_len = 0);
	EXPECT_MORE(EINVAL, op.code = KREG_OP_DELETE; op.value = 0; op.value_len = 0;
		    op.flags = KREG_OP_MORE; more.linger_ms = 1);
	EXPECT_MORE(EINVAL, op.code = KREG_OP_DELETE; op.value = 0; op.value_len = 0;
		    op.flags = KREG_OP_MORE; more.idle_ms = 1);
	EXPECT_MORE(EINVAL, op.flags |= KREG_OP_VERSION);
	EXPECT_MORE(EINVAL, op.flags |= KREG_OP_NEW; more.if_version = 1);
	EXPECT_MORE(ECANCELED, more.if_version = 1);
	EXPECT_MORE(ESRCH, more.process.pid = 1);
	op = op_more("key", "v", &more);
	EXPECT_EQ(-EOPNOTSUPP, _test_op(self->fd, self->table, KREG_WRITE_ASYNC, &op));
	EXPECT_EQ(-EOPNOTSUPP, _test_batch(self->fd, self->table, 0, &op, 1, NULL));
	EXPECT_EQ(0, test_objects(self->fd, self->table));
	/* A longer struct, with and without something that is not known. */
	memset(longer, 0, sizeof(longer));
	longer[0].size = sizeof(longer);
	op.arg = test_ptr(longer);
	EXPECT_EQ(0, _test_op(self->fd, self->table, 0, &op));
	longer[1].size = 1;
	EXPECT_EQ(-E2BIG, _test_op(self->fd, self->table, 0, &op));
}

TEST_HARNESS_MAIN
