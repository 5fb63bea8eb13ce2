/* SPDX-License-Identifier: GPL-2.0 */
/* A table "w" of a kid, which is parked when he dies, for the suites of places in line. */
#ifndef KREG_OWNER_STANDBY_H
#define KREG_OWNER_STANDBY_H

#include "kit/fixture.h"
#include "kit/standby.h"

#define ALICE	1000
#define BOB	1001

FIXTURE(standby) {
	struct test_base base;
	int fd;
	struct kreg_process me;
	struct kid *owner;
	__u64 table;
	__u64 id;
};

FIXTURE_SETUP(standby)
{
	self->fd = test_setup(_metadata, &self->base);
	self->me = test_self(self->fd);
	self->owner = kid_start(_metadata);
	ASSERT_EQ(0, kid_create(self->owner, "w", 0, &self->table));
	ASSERT_EQ(0, kid_orphan(self->owner, self->table, KREG_ORPHAN_PARK, 0));
}

FIXTURE_TEARDOWN_PARENT(standby)
{
	test_teardown(_metadata, &self->base);
}

#endif /* KREG_OWNER_STANDBY_H */
