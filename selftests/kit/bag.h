/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Keys with several objects: see kit/util.h for the naming.
 */
#ifndef KREG_KIT_BAG_H
#define KREG_KIT_BAG_H

#include <stdbool.h>

#include "kit/bound.h"

/* What a GET has given, and how far that was looked at. */
struct test_run {
	struct kreg_op op;
	__u32 at;
	__u64 room[8192];
};

static inline int _test_run_code(int fd, __u64 id, __u16 code, const char *key,
				 struct test_run *run)
{
	run->op = test_op_value(code, key, strlen(key), run->room, sizeof(run->room));
	run->at = 0;
	return _test_op(fd, id, 0, &run->op);
}

/* Returns the number of objects, or -errno. */
static inline int test_run(int fd, __u64 id, const char *key, struct test_run *run)
{
	int err = _test_run_code(fd, id, KREG_OP_GET, key, run);

	return err ? err : (int)run->op.out_count;
}

/* The next object, or NULL. */
static inline const struct kreg_object *test_run_next(struct test_run *run)
{
	const struct kreg_object *o = (void *)((char *)run->room + run->at);

	if (run->at >= run->op.out_len)
		return NULL;
	run->at += o->size;
	return o;
}

static inline bool test_object_is(const struct kreg_object *o, const char *key, const char *value)
{
	const char *bytes = (const char *)(o + 1);

	return o && o->key_len == strlen(key) && o->value_len == strlen(value) &&
	       !memcmp(bytes, key, o->key_len) && !memcmp(bytes + o->key_len, value, o->value_len);
}

/* Whether the values of @key are these, one letter each, in this order. */
static inline bool test_values(int fd, __u64 id, const char *key, const char *letters)
{
	static struct test_run run;
	char value[2] = "";
	int n = test_run(fd, id, key, &run), i;

	if (n == -ENODATA)
		return !*letters;
	for (i = 0; i < n; i++) {
		value[0] = letters[i];
		if (!test_object_is(test_run_next(&run), key, value))
			return false;
	}
	return n == (int)strlen(letters) && !test_run_next(&run);
}

/* How many objects MEMBER tells of, or -errno. */
static inline int test_number_of(int fd, __u64 id, const char *key)
{
	struct kreg_op op = test_ops(KREG_OP_MEMBER, key);
	int err = _test_op(fd, id, 0, &op);

	return err ? err : (int)op.out_count;
}

/* A put that tells how many there were that are the same; and a delete how many it removed. */
static inline int test_adds(int fd, __u64 id, const char *key, const char *value)
{
	struct kreg_op op = test_op_puts(key, value);
	int err = _test_op(fd, id, 0, &op);

	return err ? err : (int)op.out_count;
}

static inline int test_removes(int fd, __u64 id, const char *key, __u16 flags, __u64 arg,
			       __u32 offset)
{
	struct kreg_op op = test_ops(KREG_OP_DELETE, key);
	int err;

	op.flags = flags;
	op.arg = arg;
	op.offset = offset;
	err = _test_op(fd, id, 0, &op);
	return err ? err : (int)op.out_count;
}

#define HAS_VALUES(key, letters) \
	EXPECT_TRUE(test_values(self->fd, self->table, key, letters))

#endif /* KREG_KIT_BAG_H */
