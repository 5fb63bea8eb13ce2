/* SPDX-License-Identifier: GPL-2.0 */
/* Two tables beside each other, and a batch for each. */
#ifndef KREG_DATA_GROUP_H
#define KREG_DATA_GROUP_H

#include "kit/fixture.h"
#include "kit/op.h"

FIXTURE(group) {
	struct test_base base;
	int fd;
	__u64 a, b;
	struct kreg_op ops[2][KREG_MAX_GROUP_OPS];
	struct kreg_ioc_batch batch[2];
};

FIXTURE_VARIANT(group) {
	__u32 type;
};

/* With the writer of another table. */
static inline int create_beside(int fd, __u32 type, __u64 beside, __u64 *id)
{
	struct kreg_ioc_open cmd = test_open_cmd(NULL, KREG_OPEN_CREATE | KREG_OPEN_BESIDE);
	int err;

	cmd.type = type;
	cmd.access = KREG_ACCESS_PUBLIC;
	cmd.mode = 0666;
	cmd.beside = beside;
	err = _test_open_cmd(fd, &cmd);
	*id = cmd.out_table;
	return err;
}

FIXTURE_SETUP(group)
{
	self->fd = test_setup(_metadata, &self->base);
	ASSERT_EQ(0, _test_create_type(self->fd, "a", variant->type, KREG_ACCESS_PUBLIC,
				       &self->a));
	ASSERT_EQ(0, create_beside(self->fd, variant->type, self->a, &self->b));
	self->batch[0] = test_batch_cmd(self->a, 0, self->ops[0], 1);
	self->batch[1] = test_batch_cmd(self->b, KREG_BATCH_ATOMIC, self->ops[1], 1);
}

FIXTURE_TEARDOWN_PARENT(group)
{
	test_teardown(_metadata, &self->base);
}

static inline int run_group(int fd, struct kreg_ioc_batch *batches, __u32 count, __u32 *failed)
{
	struct kreg_ioc_group cmd = test_group_cmd(batches, count);
	int err = test_ioctl(fd, KREG_IOC_GROUP, &cmd);

	if (failed)
		*failed = cmd.out_failed;
	return err;
}

#define group_data	FIXTURE_DATA(group)

/* The last of these fails if the second table has that key. */
static inline void fill_two_each(group_data *self)
{
	self->ops[0][0] = test_ops(KREG_OP_DELETE, "key");
	self->ops[0][1] = test_op_puts("other", "y");
	self->ops[1][0] = test_op_puts("key", "x");
	self->ops[1][1] = test_op_puts("there", "y");
	self->ops[1][1].flags = KREG_OP_NEW;
	self->batch[0].count = 2;
	self->batch[1].count = 2;
}

#define run_both(failed)	run_group(self->fd, self->batch, 2, failed)

#endif /* KREG_DATA_GROUP_H */
