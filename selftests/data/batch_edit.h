/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Batches with operations that look at what is there. Included once, by what has tests of them in a
 * set and an ordered_set.
 */
#ifndef KREG_DATA_BATCH_EDIT_H
#define KREG_DATA_BATCH_EDIT_H

#include <sys/mman.h>

#include "kit/fixture.h"
#include "kit/bound.h"
#include "kit/edit.h"
#include "kit/kid.h"
#include "kit/lease.h"
#include "kit/stream.h"

#define ATOMIC	KREG_BATCH_ATOMIC
/* Values up to here, with their key, fit a slot. */
#define FITS	16000
#define LONG	20000
#define HOUR_NS	3600000000000ULL

FIXTURE(batch_edit) {
	struct test_base base;
	int fd;
	__u64 table;
};

FIXTURE_VARIANT(batch_edit) {
	__u32 type;
};

FIXTURE_VARIANT_ADD(batch_edit, set) { .type = KREG_TYPE_SET };
FIXTURE_VARIANT_ADD(batch_edit, ordered) { .type = KREG_TYPE_ORDERED_SET };

FIXTURE_SETUP(batch_edit)
{
	self->fd = test_setup(_metadata, &self->base);
	ASSERT_EQ(0, _test_create_type(self->fd, "table", variant->type, KREG_ACCESS_PUBLIC,
				       &self->table));
}

FIXTURE_TEARDOWN_PARENT(batch_edit)
{
	test_teardown(_metadata, &self->base);
}

#define run(flags, ops, count)	_test_batch(self->fd, self->table, flags, ops, count, NULL)

static inline void put_number(int fd, __u64 table, const char *key, __s64 x)
{
	_test_put(fd, table, key, strlen(key), &x, sizeof(x));
}

/* At the begin of the value; or a number that no test has. */
static inline __s64 number(int fd, __u64 table, const char *key)
{
	static __s64 x[FITS / sizeof(__s64)];
	long len = _test_get(fd, table, key, strlen(key), x, sizeof(x));

	return len < (long)sizeof(x[0]) ? -0xbadbad : x[0];
}

#define put_number_(key, x)	put_number(self->fd, self->table, key, x)
#define number_(key)		number(self->fd, self->table, key)

static inline struct kreg_op op_if(struct kreg_op op, const char *value)
{
	test_if_value(&op, value, strlen(value));
	return op;
}

#define expires_(key)	test_expires(self->fd, self->table, key)

#endif /* KREG_DATA_BATCH_EDIT_H */
