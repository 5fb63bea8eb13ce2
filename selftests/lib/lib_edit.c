// SPDX-License-Identifier: GPL-2.0
/* libkreg: counters, parts of values, writes on condition of what is there. */
#include <limits.h>

#include "lib/cause.h"

#define LONG	40000

TEST_F(lib, counter)
{
	int64_t now = 0;
	char buf[8];

	EXPECT_EQ(-ENODATA, kreg_counter_add(self->table, "n", 1, 1, &now));
	EXPECT_TRUE(says("the key is not in"));
	ASSERT_EQ(0, kreg_counter_add_from(self->table, "n", 1, 5, 37, &now));
	EXPECT_EQ(42, now);
	ASSERT_EQ(0, kreg_counter_add_from(self->table, "n", 1, 5, 37, NULL));
	ASSERT_EQ(0, kreg_counter_add(self->table, "n", 1, -50, &now));
	EXPECT_EQ(-3, now);
	ASSERT_EQ(0, kreg_counter_add(self->table, "n", 1, 0, NULL));
	ASSERT_EQ(0, kreg_counter_get(self->table, "n", 1, &now));
	EXPECT_EQ(-3, now);
	EXPECT_EQ(-ENODATA, kreg_counter_get(self->table, "m", 1, &now));
	EXPECT_EQ(-EOVERFLOW, kreg_counter_add(self->table, "n", 1, INT64_MIN, &now));
	EXPECT_TRUE(says("would get larger than 64 bits hold: let it wrap, saturate"));
	ASSERT_EQ(0, kreg_put(self->table, "short", 5, "1234567", 7));
	EXPECT_EQ(-ERANGE, kreg_counter_add(self->table, "short", 5, 1, &now));
	EXPECT_TRUE(says("ends before the field does: extend it, or look at its length"));
	EXPECT_EQ(-ERANGE, kreg_counter_get(self->table, "short", 5, &now));
	EXPECT_TRUE(says("ends before byte 8"));
	EXPECT_EQ(-EINVAL, kreg_counter_add(self->table, "", 0, 1, &now));
	ASSERT_EQ(0, kreg_get(self->table, "n", 1, buf, sizeof(buf), NULL));
	EXPECT_EQ(-3, *(int64_t *)buf);
}

TEST_F(lib, counter_options)
{
	struct kreg_counter_options o = KREG_COUNTER_OPTIONS_INIT;
	unsigned char bytes[16];
	int64_t now;
	size_t len;

	EXPECT_EQ(-ENODATA, kreg_counter_add_with(self->table, "n", 1, 1, NULL, &now));
	EXPECT_EQ(-ENODATA, kreg_counter_add_with(self->table, "n", 1, 1, &o, &now));
	o.starts = 1;
	o.start = 8;
	o.flags = KREG_FIELD_THRESHOLD;
	o.threshold = 10;
	o.set = 1;
	ASSERT_EQ(0, kreg_counter_add_with(self->table, "n", 1, 2, &o, &now));
	EXPECT_EQ(10, now);
	ASSERT_EQ(0, kreg_counter_add_with(self->table, "n", 1, 1, &o, &now));
	EXPECT_EQ(1, now);
	o = (struct kreg_counter_options)KREG_COUNTER_OPTIONS_INIT;
	o.flags = KREG_FIELD_SATURATE;
	ASSERT_EQ(0, kreg_counter_add_with(self->table, "n", 1, INT64_MAX, &o, &now));
	EXPECT_EQ(INT64_MAX, now);
	o.flags = KREG_FIELD_WRAP;
	ASSERT_EQ(0, kreg_counter_add_with(self->table, "n", 1, 1, &o, &now));
	EXPECT_EQ(INT64_MIN, now);
	/* As bytes they sort, and stand behind zeros. */
	o.flags = KREG_FIELD_BIG_ENDIAN | KREG_FIELD_EXTEND;
	o.starts = 1;
	o.offset = 4;
	ASSERT_EQ(0, kreg_counter_add_with(self->table, "b", 1, 258, &o, &now));
	EXPECT_EQ(258, now);
	ASSERT_EQ(0, kreg_get(self->table, "b", 1, bytes, sizeof(bytes), &len));
	EXPECT_EQ(12, len);
	EXPECT_EQ(0, memcmp(bytes, "\0\0\0\0\0\0\0\0\0\0\1\2", 12));
	o.offset = 0;
	o.start = 1;
	ASSERT_EQ(0, kreg_counter_add_with(self->table, "c", 1, 1, &o, &now));
	EXPECT_EQ(2, now);
	/* What makes no sense. */
	o.offset = 4;
	EXPECT_EQ(-EINVAL, kreg_counter_add_with(self->table, "d", 1, 1, &o, &now));
	o.start = 0;
	o.flags = 0;
	EXPECT_EQ(-EINVAL, kreg_counter_add_with(self->table, "d", 1, 1, &o, &now));
	EXPECT_TRUE(says("begins with 0, and extends it"));
	o.starts = 2;
	EXPECT_EQ(-EOPNOTSUPP, kreg_counter_add_with(self->table, "d", 1, 1, &o, &now));
	o.starts = 0;
	o.flags = 1u << 16;
	EXPECT_EQ(-EOPNOTSUPP, kreg_counter_add_with(self->table, "n", 1, 1, &o, &now));
	o.flags = KREG_FIELD_TRUNCATE;
	EXPECT_EQ(-EINVAL, kreg_counter_add_with(self->table, "n", 1, 1, &o, &now));
	o.flags = KREG_FIELD_ALL + 1;
	EXPECT_EQ(-EOPNOTSUPP, kreg_counter_add_with(self->table, "n", 1, 1, &o, &now));
	o.flags = 0;
	o.threshold = 1;
	EXPECT_EQ(-EINVAL, kreg_counter_add_with(self->table, "n", 1, 1, &o, &now));
	o.size = 8;
	EXPECT_EQ(-EINVAL, kreg_counter_add_with(self->table, "n", 1, 1, &o, &now));
}

TEST_F(lib, edit)
{
	struct kreg_edit_options o = KREG_EDIT_OPTIONS_INIT, old;
	struct kreg_field f[KREG_MAX_FIELDS + 1];
	struct { struct kreg_edit_options o; char more[8]; } longer = { 0 };
	char buf[16];
	size_t len;

	kreg_field_copy(&f[0], 0, 2, "XY", 2);
	kreg_field_number(&f[1], KREG_FIELD_MAX, KREG_FIELD_EXTEND, 8, 77);
	EXPECT_EQ(-ENODATA, kreg_edit(self->table, "k", 1, f, 2, NULL));
	EXPECT_EQ(-ENODATA, kreg_edit(self->table, "k", 1, f, 2, &o));
	o.start = "abcdef";
	o.start_len = 6;
	ASSERT_EQ(0, kreg_edit(self->table, "k", 1, f, 2, &o));
	EXPECT_EQ(16, o.out_len);
	EXPECT_EQ(6, f[0].out);
	EXPECT_EQ(77, f[1].out);
	ASSERT_EQ(0, kreg_get(self->table, "k", 1, buf, sizeof(buf), &len));
	EXPECT_EQ(0, memcmp(buf, "abXYef\0\0M\0\0\0\0\0\0\0", 16));
	old = o;
	o = (struct kreg_edit_options)KREG_EDIT_OPTIONS_INIT;
	o.if_version = old.out_version;
	ASSERT_EQ(0, kreg_edit(self->table, "k", 1, f, 1, &o));
	EXPECT_LT(old.out_version, o.out_version);
	EXPECT_EQ(-ECANCELED, kreg_edit(self->table, "k", 1, f, 1, &o));
	EXPECT_TRUE(says("has another version by now, or is gone: read it again"));
	o.start = "x";
	EXPECT_EQ(-EINVAL, kreg_edit(self->table, "k", 1, f, 1, &o));
	EXPECT_EQ(-EINVAL, kreg_edit(self->table, "k", 1, f, 0, NULL));
	EXPECT_EQ(-EFBIG, kreg_edit(self->table, "k", 1, f, KREG_MAX_FIELDS + 1, NULL));
	EXPECT_TRUE(says("there are more than 16 fields"));
	kreg_field_number(&f[0], 99, 0, 0, 1);
	EXPECT_EQ(-EOPNOTSUPP, kreg_edit(self->table, "k", 1, f, 1, NULL));
	/* Options of another version of the library. */
	o.size = sizeof(o) - 1;
	EXPECT_EQ(-EINVAL, kreg_edit(self->table, "k", 1, f, 1, &o));
	longer.o.size = sizeof(longer);
	kreg_field_copy(&f[0], KREG_FIELD_TRUNCATE, 0, "", 0);
	EXPECT_EQ(0, kreg_edit(self->table, "k", 1, f, 1, &longer.o));
	EXPECT_EQ(0, longer.o.out_len);
	longer.more[0] = 1;
	EXPECT_EQ(-E2BIG, kreg_edit(self->table, "k", 1, f, 1, &longer.o));
}

TEST_F(lib, patch_and_range)
{
	static char value[LONG], part[LONG];
	size_t len, whole;

	EXPECT_EQ(-ENODATA, kreg_patch(self->table, "k", 1, 0, "x", 1, 0));
	ASSERT_EQ(0, kreg_put(self->table, "k", 1, value, LONG));
	memset(part, 'p', 100);
	ASSERT_EQ(0, kreg_patch(self->table, "k", 1, 1000, part, 100, 0));
	ASSERT_EQ(0, kreg_get_range(self->table, "k", 1, 999, value, 10, &len, &whole));
	EXPECT_EQ(10, len);
	EXPECT_EQ(LONG, whole);
	EXPECT_EQ(0, memcmp(value, "\0ppppppppp", 10));
	EXPECT_EQ(-ERANGE, kreg_patch(self->table, "k", 1, LONG - 1, "xy", 2, 0));
	EXPECT_EQ(-ERANGE, kreg_patch(self->table, "k", 1, (size_t)1 << 33, "xy", 2, 0));
	ASSERT_EQ(0, kreg_patch(self->table, "k", 1, LONG - 1, "xy", 2, KREG_FIELD_EXTEND));
	ASSERT_EQ(0, kreg_get_range(self->table, "k", 1, LONG - 1, value, 10, &len, &whole));
	EXPECT_EQ(2, len);
	EXPECT_EQ(LONG + 1, whole);
	ASSERT_EQ(0, kreg_patch(self->table, "k", 1, 3, "end", 3, KREG_FIELD_TRUNCATE));
	ASSERT_EQ(0, kreg_get_range(self->table, "k", 1, 6, value, 10, &len, NULL));
	EXPECT_EQ(0, len);
	ASSERT_EQ(0, kreg_get_range(self->table, "k", 1, 0, NULL, 0, &len, &whole));
	EXPECT_EQ(0, len);
	EXPECT_EQ(6, whole);
	EXPECT_EQ(-ERANGE, kreg_get_range(self->table, "k", 1, 7, value, 10, &len, NULL));
	EXPECT_TRUE(says("ends before byte 7"));
	EXPECT_EQ(-ERANGE, kreg_get_range(self->table, "k", 1, (size_t)1 << 33, value, 1, &len,
					  NULL));
	EXPECT_EQ(-ENODATA, kreg_get_range(self->table, "m", 1, 0, value, 1, &len, NULL));
	EXPECT_EQ(-EFBIG, kreg_patch(self->table, "k", 1, KREG_MAX_VALUE, "x", 1,
				     KREG_FIELD_EXTEND));
	EXPECT_EQ(-EINVAL, kreg_patch(self->table, "k", 1, 0, "x", 1, KREG_FIELD_WRAP));
	EXPECT_EQ(-EOPNOTSUPP, kreg_patch(self->table, "k", 1, 0, "x", 1, 1u << 20));
}

/* Longer than the library guesses, shorter, and nothing. */
TEST_F(lib, range_alloc)
{
	static char value[LONG];
	void *bytes = NULL;
	size_t len, whole;

	EXPECT_EQ(-ENODATA, kreg_get_range_alloc(self->table, "k", 1, 0, 1, &bytes, &len, &whole));
	memset(value, 'v', LONG);
	value[LONG - 1] = 'e';
	ASSERT_EQ(0, kreg_put(self->table, "k", 1, value, LONG));
	ASSERT_EQ(0, kreg_get_range_alloc(self->table, "k", 1, 1, SIZE_MAX, &bytes, &len, &whole));
	EXPECT_EQ(LONG - 1, len);
	EXPECT_EQ(LONG, whole);
	EXPECT_STREQ("e", (char *)bytes + LONG - 2);
	EXPECT_EQ(0, memcmp(bytes, value + 1, LONG - 1));
	free(bytes);
	ASSERT_EQ(0, kreg_get_range_alloc(self->table, "k", 1, LONG - 3, 2, &bytes, &len, NULL));
	EXPECT_STREQ("vv", bytes);
	EXPECT_EQ(2, len);
	free(bytes);
	ASSERT_EQ(0, kreg_get_range_alloc(self->table, "k", 1, LONG - 3, 9, &bytes, NULL, NULL));
	EXPECT_STREQ("vve", bytes);
	free(bytes);
	ASSERT_EQ(0, kreg_get_range_alloc(self->table, "k", 1, LONG, 9, &bytes, &len, NULL));
	EXPECT_STREQ("", bytes);
	EXPECT_EQ(0, len);
	free(bytes);
	EXPECT_EQ(-ERANGE, kreg_get_range_alloc(self->table, "k", 1, LONG + 1, 9, &bytes, &len,
						&whole));
	EXPECT_TRUE(says("ends before byte"));
}

TEST_F(lib, swap)
{
	struct kreg_object *object = NULL;
	uint64_t version, now;

	EXPECT_EQ(-ENODATA, kreg_put_present(self->table, "k", 1, "v", 1));
	EXPECT_EQ(-ECANCELED, kreg_swap(self->table, "k", 1, 1, "v", 1, NULL));
	EXPECT_EQ(-EINVAL, kreg_swap(self->table, "k", 1, 0, "v", 1, NULL));
	EXPECT_EQ(-ECANCELED, kreg_swap_value(self->table, "k", 1, "", 0, "v", 1));
	ASSERT_EQ(0, kreg_put(self->table, "k", 1, "v", 1));
	EXPECT_EQ(0, kreg_put_present(self->table, "k", 1, "old", 3));
	ASSERT_EQ(0, kreg_get_object(self->table, "k", 1, &object));
	version = kreg_object_version(object);
	kreg_object_free(object);
	ASSERT_EQ(0, kreg_swap(self->table, "k", 1, version, "new", 3, &now));
	EXPECT_LT(version, now);
	EXPECT_EQ(-ECANCELED, kreg_swap(self->table, "k", 1, version, "x", 1, NULL));
	EXPECT_TRUE(says("has another version or value by now, or is gone: read it again"));
	EXPECT_EQ(-ECANCELED, kreg_swap_value(self->table, "k", 1, "old", 3, "x", 1));
	ASSERT_EQ(0, kreg_swap_value(self->table, "k", 1, "new", 3, "newer", 5));
	EXPECT_EQ(-EFBIG, kreg_swap_value(self->table, "k", 1, "x", (size_t)1 << 32, "x", 1));
	EXPECT_EQ(-ECANCELED, kreg_del_version(self->table, "k", 1, now));
	EXPECT_EQ(0, kreg_del_value(self->table, "k", 1, "new", 3));
	EXPECT_EQ(0, kreg_del_value(self->table, "m", 1, "new", 3));
	EXPECT_EQ(1, kreg_del_value(self->table, "k", 1, "newer", 5));
	EXPECT_EQ(-EINVAL, kreg_del_value(self->table, "", 0, "newer", 5));
	ASSERT_EQ(0, kreg_put(self->table, "k", 1, "v", 1));
	ASSERT_EQ(0, kreg_get_object(self->table, "k", 1, &object));
	EXPECT_EQ(0, kreg_del_version(self->table, "k", 1, kreg_object_version(object)));
	kreg_object_free(object);
}

/* What kreg_op_run() passes on, and what it refuses. */
TEST_F(lib, run_with_conditions)
{
	struct kreg_op_args args = KREG_OP_ARGS_INIT;
	struct kreg_more more = { .size = sizeof(more) };
	char buf[8];

	args.code = KREG_OP_PUT;
	args.key = "k";
	args.key_len = 1;
	args.value = "value";
	args.value_len = 5;
	args.expected = "x";
	EXPECT_EQ(-EOPNOTSUPP, kreg_op_run(self->table, &args));
	args.expected = NULL;
	args.offset = 1;
	EXPECT_EQ(-EOPNOTSUPP, kreg_op_run(self->table, &args));
	args.offset = 0;
	args.more = &more;
	EXPECT_EQ(-EOPNOTSUPP, kreg_op_run(self->table, &args));
	args.flags = KREG_OP_MORE | KREG_OP_BOUND;
	ASSERT_EQ(0, kreg_op_run(self->table, &args));
	args.more = NULL;
	args.code = KREG_OP_GET;
	args.flags = KREG_OP_PART;
	args.offset = 2;
	args.value = buf;
	args.value_len = sizeof(buf);
	ASSERT_EQ(0, kreg_op_run(self->table, &args));
	EXPECT_EQ(5, args.out_len);
	EXPECT_EQ(0, memcmp(buf, "lue", 3));
	args.offset = (size_t)1 << 32;
	EXPECT_EQ(-ERANGE, kreg_op_run(self->table, &args));
	/* A program that knows no more than the version. */
	args.size = offsetof(struct kreg_op_args, expected);
	args.flags = 0;
	ASSERT_EQ(0, kreg_op_run(self->table, &args));
}

/* Who may not read must not edit. */
TEST_F(lib, edit_rights)
{
	struct stat st;
	int64_t now;
	int status = -1;
	pid_t pid;

	ASSERT_EQ(0, kreg_counter_add_from(self->table, "n", 1, 1, 0, &now));
	ASSERT_EQ(0, kreg_table_set_access(self->table, KREG_ACCESS_PUBLIC));
	ASSERT_EQ(0, kreg_table_set_mode(self->table, 0622));
	ASSERT_EQ(0, stat("/dev/kreg", &st));
	ASSERT_EQ(0, chmod("/dev/kreg", 0666));
	pid = fork();
	if (!pid) {
		if (setresuid(1000, 1000, 1000))
			_exit(1);
		if (kreg_counter_add(self->table, "n", 1, 1, &now) != -EACCES)
			_exit(2);
		_exit(strstr(kreg_errmsg(), "the mode of table") ? 0 : 3);
	}
	waitpid(pid, &status, 0);
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, chmod("/dev/kreg", st.st_mode & 0777));
}

TEST_HARNESS_MAIN
