/* SPDX-License-Identifier: GPL-2.0 */
/* A table of which a kid has "key", for the suites of lines of keys. */
#ifndef KREG_OWNER_LINE_H
#define KREG_OWNER_LINE_H

#include "kit/fixture.h"
#include "kit/line.h"

FIXTURE(line) {
	struct test_base base;
	int fd;
	struct kreg_process me;
	struct kid *holder;	/* of "key" */
	__u64 table;
	__u64 id;
	__u64 version;		/* with which it has that */
};

FIXTURE_SETUP(line)
{
	self->fd = test_setup(_metadata, &self->base);
	self->me = test_self(self->fd);
	self->holder = kid_start(_metadata);
	test_create(self->fd, "locks", KREG_ACCESS_PUBLIC, &self->table);
	ASSERT_EQ(0, kid_lock(self->holder, self->table, -1));
	self->version = self->holder->job->arg2;
	ASSERT_NE(0, self->version);
}

FIXTURE_TEARDOWN_PARENT(line)
{
	test_teardown(_metadata, &self->base);
}

#define EXPECT_HAS(who) EXPECT_TRUE(test_is_of(self->fd, self->table, "key", who))

#endif /* KREG_OWNER_LINE_H */
