// SPDX-License-Identifier: GPL-2.0
/*
 * Sealed tables in which a key has one object: what is in the way of the seal, which other tables
 * do not have; and queues.
 */
#include "kit/fixture.h"
#include "kit/lease.h"
#include "kit/line.h"
#include "owner/seal.h"

FIXTURE(seal_set) {
	struct test_base base;
	int fd;
	struct kid *kid;
	__u64 table;
};

FIXTURE_SETUP(seal_set)
{
	self->fd = test_setup(_metadata, &self->base);
	self->kid = kid_start(_metadata);
	ASSERT_EQ(0, _test_create_type(self->fd, "s", KREG_TYPE_ORDERED_SET, KREG_ACCESS_PUBLIC,
				       &self->table));
	test_puts(self->fd, self->table, "k", "v");
}

FIXTURE_TEARDOWN_PARENT(seal_set)
{
	test_teardown(_metadata, &self->base);
}

TEST_F(seal_set, first_of_a_queue)
{
	char key[64], value[64];
	struct kreg_ioc_lease cmd = lease_cmd(self->table, "", value, sizeof(value));

	EXPECT_EQ(0, seal(self->fd, self->table));
	cmd.flags = KREG_LEASE_FIRST;
	cmd.key = test_ptr(key);
	cmd.key_len = sizeof(key);
	test_refused(run_lease(self->fd, &cmd));
	test_destroy(self->fd, self->table);
}

TEST_F(seal_set, with_loans)
{
	test_lease(self->fd, self->table, "k");
	EXPECT_EQ(-EBUSY, seal(self->fd, self->table));
	test_return(self->fd, self->table, "k", 0);
	EXPECT_EQ(0, seal(self->fd, self->table));
	/* How often it was lent stays. */
	EXPECT_EQ(1, test_loans(self->fd, self->table, "k"));
	test_destroy(self->fd, self->table);
}

TEST_F(seal_set, with_what_expires)
{
	struct kreg_more more = { .size = sizeof(more), .idle_ms = 3600000 };

	EXPECT_EQ(0, op_flags(self->fd, self->table, test_op_puts("x", "v"), KREG_OP_MORE,
			      test_ptr(&more)));
	EXPECT_EQ(-EBUSY, seal(self->fd, self->table));
	test_puts(self->fd, self->table, "x", "for good");
	EXPECT_EQ(0, seal(self->fd, self->table));
	test_destroy(self->fd, self->table);
}

TEST_F(seal_set, with_a_line)
{
	test_puts(self->fd, self->table, "key", "of nobody");
	kid_ask_lock(self->kid, self->table, -1);
	EXPECT_TRUE(kid_is_in_line(self->kid));
	EXPECT_EQ(-EBUSY, seal(self->fd, self->table));
	test_delete(self->fd, self->table, "key");
	EXPECT_EQ(0, kid_answer(self->kid));
	EXPECT_EQ(-EBUSY, seal(self->fd, self->table));
	kid_kill(self->kid);
	test_sync(self->fd);
	EXPECT_EQ(0, seal(self->fd, self->table));
	test_destroy(self->fd, self->table);
}

TEST_HARNESS_MAIN
