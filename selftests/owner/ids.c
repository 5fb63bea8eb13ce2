// SPDX-License-Identifier: GPL-2.0
/*
 * Ids of tables: never reused, in the order of creation, whatever slots they share.
 */
#include "kit/fixture.h"
#include "kit/job.h"

FIXTURE(ids) {
	struct test_base base;
	int fd;
};

FIXTURE_SETUP(ids)
{
	self->fd = test_setup(_metadata, &self->base);
}

FIXTURE_TEARDOWN_PARENT(ids)
{
	test_teardown(_metadata, &self->base);
}

TEST_F(ids, are_never_reused)
{
	struct kreg_info info;
	__u64 id, last = 0;
	int i;

	for (i = 0; i < 1000; i++) {
		test_create(self->fd, "t", 0, &id);
		ASSERT_LT(last, id);
		if (last)
			test_err_info(ESTALE, self->fd, last, &info);
		test_destroy(self->fd, id);
		last = id;
	}
}

/* Slots in the array of tables are reused, ids are not; LIST keeps the order of creation. */
TEST_F(ids, after_many_tables)
{
	enum { TABLES = 600 };
	__u64 ids[TABLES], old[TABLES], last = 0, after = 0;
	unsigned int i, round, seen = 0;
	struct kreg_info info;
	__u32 more;

	for (i = 0; i < TABLES; i++)
		test_create(self->fd, NULL, 0, &ids[i]);
	for (round = 0; round < 3; round++) {
		for (i = round; i < TABLES; i += 3) {
			old[i] = ids[i];
			test_destroy(self->fd, ids[i]);
		}
		for (i = round; i < TABLES; i += 3) {
			test_create(self->fd, NULL, 0, &ids[i]);
			EXPECT_LT(last, ids[i]);
			last = ids[i];
		}
		for (i = round; i < TABLES; i += 3)
			test_err_info(ESTALE, self->fd, old[i], &info);
	}
	while (_test_list(self->fd, after, &info, 1, &more) == 1) {
		EXPECT_LT(after, info.id);
		after = info.id;
		seen++;
	}
	EXPECT_EQ(TABLES, seen);
	/* From an id that is gone, the list goes on with the next that was created. */
	test_destroy(self->fd, ids[0]);
	EXPECT_EQ(1, _test_list(self->fd, ids[0], &info, 1, &more));
	EXPECT_EQ(ids[3], info.id);
	/* From an id that no table ever had, the list goes on with the next larger one. */
	EXPECT_EQ(1, _test_list(self->fd, ids[3] - 1, &info, 1, &more));
	EXPECT_EQ(ids[3], info.id);
	test_err_info(EINVAL, self->fd, last + (1 << 20), &info);
	test_err_info(EINVAL, self->fd, 1, &info);
	for (i = 1; i < TABLES; i++)
		test_destroy(self->fd, ids[i]);
}

TEST_HARNESS_MAIN
