// SPDX-License-Identifier: GPL-2.0
/*
 * EDIT: fields of a value are changed in one, and seen whole.
 */
#include <limits.h>

#include "kit/fixture.h"
#include "kit/bound.h"
#include "kit/edit.h"
#include "kit/stream.h"

FIXTURE(edit) {
	struct test_base base;
	int fd;
	__u64 table;
};

FIXTURE_SETUP(edit)
{
	self->fd = test_setup(_metadata, &self->base);
	test_create(self->fd, "edit", KREG_ACCESS_PUBLIC, &self->table);
}

FIXTURE_TEARDOWN_PARENT(edit)
{
	test_teardown(_metadata, &self->base);
}

/* What a number becomes, and what is told of it. */
static const struct number {
	__u16 code, flags;
	long from, operand, threshold, set, to;
	int err;
} numbers[] = {
	{ KREG_FIELD_ADD, 0, 5, 3, .to = 8 },
	{ KREG_FIELD_ADD, 0, 5, -8, .to = -3 },
	{ KREG_FIELD_ADD, 0, LONG_MAX, 1, .err = EOVERFLOW },
	{ KREG_FIELD_ADD, 0, LONG_MIN, -1, .err = EOVERFLOW },
	{ KREG_FIELD_ADD, 0, LONG_MAX - 1, 1, .to = LONG_MAX },
	{ KREG_FIELD_ADD, KREG_FIELD_WRAP, LONG_MAX, 1, .to = LONG_MIN },
	{ KREG_FIELD_ADD, KREG_FIELD_WRAP, LONG_MIN, -1, .to = LONG_MAX },
	{ KREG_FIELD_ADD, KREG_FIELD_SATURATE, LONG_MAX - 1, 3, .to = LONG_MAX },
	{ KREG_FIELD_ADD, KREG_FIELD_SATURATE, LONG_MIN, -1, .to = LONG_MIN },
	{ KREG_FIELD_ADD, KREG_FIELD_THRESHOLD, 5, 3, 8, 1, .to = 8 },
	{ KREG_FIELD_ADD, KREG_FIELD_THRESHOLD, 5, 4, 8, 1, .to = 1 },
	{ KREG_FIELD_ADD, KREG_FIELD_THRESHOLD, 9, 0, 8, 1, .to = 1 },
	{ KREG_FIELD_ADD, KREG_FIELD_THRESHOLD, 5, -3, 2, 10, .to = 2 },
	{ KREG_FIELD_ADD, KREG_FIELD_THRESHOLD, 5, -4, 2, 10, .to = 10 },
	{ KREG_FIELD_ADD, KREG_FIELD_THRESHOLD, 1, 1, -5, -7, .to = -7 },
	{ KREG_FIELD_ADD, KREG_FIELD_THRESHOLD, LONG_MAX, 1, LONG_MAX, 7, .to = 7 },
	{ KREG_FIELD_ADD, KREG_FIELD_THRESHOLD, LONG_MIN, -1, LONG_MIN, 7, .to = 7 },
	{ KREG_FIELD_MIN, 0, 5, 3, .to = 3 },
	{ KREG_FIELD_MIN, 0, 3, 5, .to = 3 },
	{ KREG_FIELD_MIN, 0, 3, -5, .to = -5 },
	{ KREG_FIELD_MAX, 0, 5, 3, .to = 5 },
	{ KREG_FIELD_MAX, 0, -3, 5, .to = 5 },
	{ KREG_FIELD_AND, 0, 0x0ff0, 0x3c3c, .to = 0x0c30 },
	{ KREG_FIELD_OR, 0, 0x0ff0, 0x3c3c, .to = 0x3ffc },
	{ KREG_FIELD_XOR, 0, 0x0ff0, 0x3c3c, .to = 0x33cc },
};

static void expect_number(struct __test_metadata *_metadata, int fd, __u64 table,
			  const struct number *n, bool swap)
{
	struct kreg_field f = test_number(n->code, n->flags, 3, n->operand);
	struct { char before[3]; __u64 x; char after[2]; } __attribute__((packed)) value, got;
	__u64 to = n->err ? n->from : n->to;

	f.threshold = n->threshold;
	f.set = n->set;
	f.flags |= swap ? KREG_FIELD_BIG_ENDIAN : 0;
	memset(&value, '#', sizeof(value));
	value.x = swap ? __builtin_bswap64(n->from) : (__u64)n->from;
	test_put(fd, table, "k", 1, &value, sizeof(value));
	EXPECT_EQ(-n->err, _test_edit(fd, table, "k", &f, 1));
	value.x = swap ? __builtin_bswap64(to) : to;
	EXPECT_EQ(sizeof(got), _test_get(fd, table, "k", 1, &got, sizeof(got)));
	EXPECT_EQ(0, memcmp(&value, &got, sizeof(got))) {
		TH_LOG("row %d", (int)(n - numbers));
	}
	if (!n->err)
		EXPECT_EQ(n->to, (long)f.out);
}

TEST_F(edit, numbers)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(numbers) * 2; i++)
		expect_number(_metadata, self->fd, self->table, &numbers[i / 2], i % 2);
}

/* What bytes become. A value of 10 letters, and at most two fields. */
static const struct bytes {
	const char *name;
	struct { __u16 flags; __u32 offset; const char *bytes; } f[2];
	const char *to;			/* a dot is a zero */
	int err;
} copies[] = {
	{ "inside", { { 0, 2, "XY" } }, .to = "abXYefghij" },
	{ "at the end", { { 0, 8, "XY" } }, .to = "abcdefghXY" },
	{ "over the end", { { 0, 9, "XY" } }, .err = ERANGE },
	{ "nothing, at the end", { { 0, 10, "" } }, .to = "abcdefghij" },
	{ "nothing, behind the end", { { 0, 11, "" } }, .err = ERANGE },
	{ "extended", { { KREG_FIELD_EXTEND, 9, "XY" } }, .to = "abcdefghiXY" },
	{ "with a gap", { { KREG_FIELD_EXTEND, 12, "XY" } }, .to = "abcdefghij..XY" },
	{ "extended by nothing", { { KREG_FIELD_EXTEND, 12, "" } }, .to = "abcdefghij.." },
	{ "extended inside", { { KREG_FIELD_EXTEND, 0, "XY" } }, .to = "XYcdefghij" },
	{ "replaced", { { KREG_FIELD_TRUNCATE, 0, "XY" } }, .to = "XY" },
	{ "cut", { { KREG_FIELD_TRUNCATE, 3, "" } }, .to = "abc" },
	{ "emptied", { { KREG_FIELD_TRUNCATE, 0, "" } }, .to = "" },
	{ "longer", { { KREG_FIELD_TRUNCATE, 9, "XYZ" } }, .to = "abcdefghiXYZ" },
	{ "cut behind the end", { { KREG_FIELD_TRUNCATE, 11, "" } }, .err = ERANGE },
	{ "extended and cut", { { KREG_FIELD_EXTEND | KREG_FIELD_TRUNCATE, 11, "X" } },
	  .to = "abcdefghij.X" },
	{ "appended twice", { { KREG_FIELD_EXTEND, 10, "XY" }, { KREG_FIELD_EXTEND, 12, "Z" } },
	  .to = "abcdefghijXYZ" },
	{ "one over the other", { { 0, 2, "XYZ" }, { 0, 3, "vw" } }, .to = "abXvwfghij" },
	{ "cut, then extended", { { KREG_FIELD_TRUNCATE, 0, "X" }, { KREG_FIELD_EXTEND, 3, "Y" } },
	  .to = "X..Y" },
	{ "beyond, then cut", { { 0, 8, "XY" }, { KREG_FIELD_TRUNCATE, 0, "Z" } }, .to = "Z" },
	{ "extended, then cut",
	  { { KREG_FIELD_EXTEND, 20, "XY" }, { KREG_FIELD_TRUNCATE, 1, "Z" } },
	  .to = "aZ" },
	{ "cut, then beyond", { { KREG_FIELD_TRUNCATE, 0, "X" }, { 0, 5, "Y" } }, .err = ERANGE },
};

static void expect_bytes(struct __test_metadata *_metadata, int fd, __u64 table,
			 const struct bytes *b)
{
	static const char letters[] = "abcdefghij";
	struct kreg_field f[2];
	const char *to = b->err ? letters : b->to;
	char got[64], want[64];
	int i, n, len = strlen(to);
	struct kreg_op op;

	for (n = 0; n < 2 && b->f[n].bytes; n++)
		f[n] = test_copy(b->f[n].flags, b->f[n].offset, b->f[n].bytes,
				 strlen(b->f[n].bytes));
	test_puts(fd, table, "k", letters);
	op = test_op_edit("k", f, n);
	EXPECT_EQ(-b->err, _test_op(fd, table, 0, &op)) {
		TH_LOG("%s", b->name);
	}
	for (i = 0; i < len; i++)
		want[i] = to[i] == '.' ? 0 : to[i];
	EXPECT_EQ(len, _test_get(fd, table, "k", 1, got, sizeof(got)));
	EXPECT_EQ(0, memcmp(got, want, len)) {
		TH_LOG("%s", b->name);
	}
	if (b->err)
		return;
	EXPECT_EQ(len, op.out_len);
	EXPECT_EQ(1, op.out_count);
	EXPECT_EQ(test_version(fd, table, "k"), op.out_version);
	EXPECT_EQ(len, f[n - 1].out);
}

TEST_F(edit, copies)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(copies); i++)
		expect_bytes(_metadata, self->fd, self->table, &copies[i]);
}

/* Each field sees what those before have done; one that fails undoes all. */
TEST_F(edit, in_order)
{
	struct kreg_field f[KREG_MAX_FIELDS];
	long x[2] = { 1, LONG_MAX };
	__u64 version;
	int i;

	test_put(self->fd, self->table, "k", 1, x, sizeof(x));
	for (i = 0; i < KREG_MAX_FIELDS; i++)
		f[i] = test_add(0, i);
	test_edit(self->fd, self->table, "k", f, KREG_MAX_FIELDS);
	EXPECT_EQ(1, f[0].out);
	EXPECT_EQ(2, f[1].out);
	EXPECT_EQ(121, f[15].out);
	version = test_version(self->fd, self->table, "k");
	f[7] = test_add(8, 1);
	test_err_edit(EOVERFLOW, self->fd, self->table, "k", f, KREG_MAX_FIELDS);
	f[7] = test_add(9, 1);
	test_err_edit(ERANGE, self->fd, self->table, "k", f, KREG_MAX_FIELDS);
	EXPECT_EQ(version, test_version(self->fd, self->table, "k"));
	EXPECT_EQ(sizeof(x), _test_get(self->fd, self->table, "k", 1, x, sizeof(x)));
	EXPECT_EQ(121, x[0]);
	EXPECT_EQ(LONG_MAX, x[1]);
	/* A number of which a part was copied. */
	f[0] = test_copy(0, 0, "\x05", 1);
	f[1] = test_add(0, 2);
	test_edit(self->fd, self->table, "k", f, 2);
	EXPECT_EQ(7, f[1].out & 0xff);
}

/* Fields that no operation can have, and what is told of them whether the key is there or not. */
TEST_F(edit, bad_fields)
{
	static const struct {
		struct kreg_field f;
		int err;
	} rows[] = {
		{ { .code = 0 }, EOPNOTSUPP },
		{ { .code = KREG_FIELD_XOR + 1 }, EOPNOTSUPP },
		{ { .code = 0xffff }, EOPNOTSUPP },
		{ { .code = KREG_FIELD_ADD, .flags = KREG_FIELD_ALL + 1 }, EOPNOTSUPP },
		{ { .code = KREG_FIELD_ADD, .flags = 0x8000 }, EOPNOTSUPP },
		{ { .code = KREG_FIELD_ADD, .flags = KREG_FIELD_TRUNCATE }, EINVAL },
		{ { .code = KREG_FIELD_ADD, .flags = KREG_FIELD_WRAP | KREG_FIELD_SATURATE },
		  EINVAL },
		{ { .code = KREG_FIELD_ADD, .flags = KREG_FIELD_WRAP | KREG_FIELD_THRESHOLD },
		  EINVAL },
		{ { .code = KREG_FIELD_ADD, .flags = KREG_FIELD_SATURATE | KREG_FIELD_THRESHOLD },
		  EINVAL },
		{ { .code = KREG_FIELD_ADD, .threshold = 1 }, EINVAL },
		{ { .code = KREG_FIELD_ADD, .set = 1 }, EINVAL },
		{ { .code = KREG_FIELD_MIN, .flags = KREG_FIELD_WRAP }, EINVAL },
		{ { .code = KREG_FIELD_MAX, .flags = KREG_FIELD_SATURATE }, EINVAL },
		{ { .code = KREG_FIELD_AND, .flags = KREG_FIELD_THRESHOLD }, EINVAL },
		{ { .code = KREG_FIELD_OR, .set = 1 }, EINVAL },
		{ { .code = KREG_FIELD_COPY, .flags = KREG_FIELD_WRAP }, EINVAL },
		{ { .code = KREG_FIELD_COPY, .flags = KREG_FIELD_SATURATE }, EINVAL },
		{ { .code = KREG_FIELD_COPY, .flags = KREG_FIELD_THRESHOLD }, EINVAL },
		{ { .code = KREG_FIELD_COPY, .flags = KREG_FIELD_BIG_ENDIAN }, EINVAL },
		{ { .code = KREG_FIELD_COPY, .threshold = 1 }, EINVAL },
		{ { .code = KREG_FIELD_COPY, .set = KREG_MAX_VALUE + 1 }, EFBIG },
		{ { .code = KREG_FIELD_COPY, .set = ~0ULL }, EFBIG },
		{ { .code = KREG_FIELD_COPY, .flags = KREG_FIELD_EXTEND, .offset = KREG_MAX_VALUE,
		    .set = 1 }, EFBIG },
		{ { .code = KREG_FIELD_COPY, .flags = KREG_FIELD_TRUNCATE, .offset = ~0U,
		    .set = 1 }, EFBIG },
		{ { .code = KREG_FIELD_ADD, .flags = KREG_FIELD_EXTEND,
		    .offset = KREG_MAX_VALUE - 7 }, EFBIG },
		{ { .code = KREG_FIELD_COPY, .set = 1 }, EFAULT },
		{ { .code = KREG_FIELD_COPY, .operand = 8, .set = 1000 }, EFAULT },
	};
	unsigned int i, there;

	test_puts(self->fd, self->table, "there", "12345678");
	for (i = 0; i < ARRAY_SIZE(rows) * 2; i++) {
		struct kreg_field f[2] = { test_add(0, 0), rows[i / 2].f };

		there = i % 2;
		EXPECT_EQ(-rows[i / 2].err, _test_edit(self->fd, self->table, there ? "there" : "no",
						       f, 2)) {
			TH_LOG("row %u", i / 2);
		}
	}
	test_gets(self->fd, self->table, "there", "12345678");
	EXPECT_EQ(1, test_objects(self->fd, self->table));
}

/* Those that the value decides about. */
TEST_F(edit, ranges)
{
	struct kreg_field f = test_add(1, 0);

	test_puts(self->fd, self->table, "k", "12345678");
	test_err_edit(ERANGE, self->fd, self->table, "k", &f, 1);
	f.offset = ~0U;
	test_err_edit(ERANGE, self->fd, self->table, "k", &f, 1);
	f = test_copy(0, ~0U, "x", 1);
	test_err_edit(ERANGE, self->fd, self->table, "k", &f, 1);
	f = test_add(0, 0);
	test_edit(self->fd, self->table, "k", &f, 1);
	test_err_edit(ENODATA, self->fd, self->table, "no", &f, 1);
	f = test_number(KREG_FIELD_ADD, KREG_FIELD_EXTEND, 1, 0);
	test_edit(self->fd, self->table, "k", &f, 1);
	EXPECT_EQ(9, _test_get(self->fd, self->table, "k", 1, &f, sizeof(f)));
}

/* The operation itself, by what it says alone. */
TEST_F(edit, bad_operations)
{
	static const __u16 flags[] = {
		KREG_OP_NEW, KREG_OP_PRESENT, KREG_OP_BOUND, KREG_OP_PART,
		KREG_OP_MORE | KREG_OP_VERSION, KREG_OP_MORE | KREG_OP_VALUE,
		KREG_OP_VALUE | KREG_OP_VERSION,
	};
	struct kreg_field f[KREG_MAX_FIELDS + 1] = { test_add(0, 1) };
	struct kreg_op op;
	unsigned int i;

#define EXPECT_EDIT(err, change)					\
	do {								\
		op = test_op_edit("k", f, 1);				\
		change;							\
		EXPECT_EQ(-(err), _test_op(self->fd, self->table, 0, &op)); \
	} while (0)
	test_puts(self->fd, self->table, "k", "12345678");
	EXPECT_EDIT(EINVAL, op.value_len = 0);
	EXPECT_EDIT(EINVAL, op.value_len++);
	EXPECT_EDIT(EINVAL, op.value_len--);
	EXPECT_EDIT(EFBIG, op.value_len = sizeof(f));
	EXPECT_EDIT(EFBIG, op.value_len = 1 << 30; op.value_len -= op.value_len % sizeof(f[0]));
	EXPECT_EDIT(EINVAL, op.key_len = 0);
	EXPECT_EDIT(ENAMETOOLONG, op.key_len = KREG_MAX_KEY + 1);
	EXPECT_EDIT(EFAULT, op.value = 0);
	EXPECT_EDIT(EFAULT, op.key = 8);
	EXPECT_EDIT(EOPNOTSUPP, op.arg = 1);
	EXPECT_EDIT(EOPNOTSUPP, op.offset = 1);
	EXPECT_EDIT(EINVAL, op.flags = KREG_OP_KEEP);
	EXPECT_EDIT(EINVAL, op.flags = KREG_OP_VERSION);
	for (i = 0; i < ARRAY_SIZE(flags); i++)
		EXPECT_EDIT(EINVAL, op.flags = flags[i]; op.arg = flags[i] & 0x0c ? 1 : 0);
	op = test_op_edit("k", f, 1);
	test_err_op(EINVAL, self->fd, self->table, KREG_WRITE_ASYNC, &op);
	test_err_batch(EINVAL, self->fd, self->table, KREG_WRITE_ASYNC, &op, 1, NULL);
	test_err_op(EINVAL, self->fd, self->table + 1000, 0, &op);
	test_gets(self->fd, self->table, "k", "12345678");
}

/* A value to start from. */
TEST_F(edit, start)
{
	struct kreg_field f = test_add(0, 5);
	struct kreg_op op = test_op_edit("k", &f, 1);
	struct kreg_more more;
	long x = 37;

	op.flags = KREG_OP_MORE;
	op.arg = test_ptr(&more);
#define EXPECT_MORE(err, change)					\
	do {								\
		more = (struct kreg_more) { .size = sizeof(more), .flags = KREG_MORE_START, \
			.start = test_ptr(&x), .start_len = sizeof(x) };	\
		memset(&more.out_process, 0xff, 24);			\
		change;							\
		EXPECT_EQ(-(err), _test_op(self->fd, self->table, 0, &op)); \
	} while (0)
	EXPECT_MORE(EOPNOTSUPP, more.flags = 2);
	EXPECT_MORE(EINVAL, more.filter = 1);
	EXPECT_MORE(EINVAL, more.filter_count = 1);
	EXPECT_MORE(EINVAL, more.expires_ns = 1; more.flags = 0; more.start = 0;
		    more.start_len = 0);
	EXPECT_MORE(EINVAL, more.idle_ms = 1; more.flags = 0; more.start = 0; more.start_len = 0);
	EXPECT_MORE(EINVAL, more.linger_ms = 1);
	EXPECT_MORE(EINVAL, more.process.pid = 1);
	EXPECT_MORE(EINVAL, more.flags = 0);
	EXPECT_MORE(EINVAL, more.flags = 0; more.start_len = 0);
	EXPECT_MORE(EINVAL, more.if_version = 1);
	EXPECT_MORE(EFBIG, more.start_len = KREG_MAX_VALUE + 1);
	EXPECT_MORE(EFAULT, more.start = 0);
	EXPECT_MORE(ERANGE, more.start_len--);
	EXPECT_MORE(ENODATA, more.flags = 0; more.start = 0; more.start_len = 0);
	EXPECT_MORE(ECANCELED, more.flags = 0; more.start = 0; more.start_len = 0;
		    more.if_version = 1);
	EXPECT_EQ(0, test_objects(self->fd, self->table));
	EXPECT_MORE(0, x = 37);
	EXPECT_EQ(42, f.out);
	EXPECT_EQ(0, op.out_count);
	EXPECT_EQ(sizeof(x), op.out_len);
	EXPECT_TRUE(test_none(more.out_process));
	EXPECT_EQ(0, more.out_expires_ns);
	/* Now it is there. */
	EXPECT_MORE(0, x = 37);
	EXPECT_EQ(47, f.out);
	EXPECT_EQ(1, op.out_count);
	EXPECT_MORE(0, more.flags = 0; more.start = 0; more.start_len = 0;
		    more.if_version = op.out_version);
	EXPECT_EQ(52, f.out);
	/* An empty one, that is extended. */
	f.flags = KREG_FIELD_EXTEND;
	test_edit_from(self->fd, self->table, "empty", &f, 1, NULL, 0);
	EXPECT_EQ(5, f.out);
	x = LONG_MAX;
	test_err_edit_from(EOVERFLOW, self->fd, self->table, "new", &f, 1, &x, sizeof(x));
	EXPECT_EQ(2, test_objects(self->fd, self->table));
}

/* What the object is bound to stays, and what is not one's own is not edited with MINE. */
TEST_F(edit, keeps_bond)
{
	struct kid *kid = kid_start(_metadata);
	struct kreg_field f = test_copy(KREG_FIELD_EXTEND, 3, "long enough for another slot", 28);
	struct kreg_op op;
	__u64 x = 1;

	ASSERT_EQ(0, kid_bind(kid, self->table, "his", "value"));
	test_edit(self->fd, self->table, "his", &f, 1);
	EXPECT_TRUE(test_is_of(self->fd, self->table, "his", kid->self));
	test_gets(self->fd, self->table, "his", "vallong enough for another slot");
	f = test_copy(KREG_FIELD_EXTEND, 40000, "x", 1);
	test_edit(self->fd, self->table, "his", &f, 1);
	EXPECT_TRUE(test_is_of(self->fd, self->table, "his", kid->self));
	op = test_op_edit("his", &f, 1);
	op.flags = KREG_OP_MINE;
	test_err_op(ENODATA, self->fd, self->table, 0, &op);
	test_bind(self->fd, self->table, "mine", "12345678");
	f = test_add(0, 1);
	op = test_op_edit("mine", &f, 1);
	op.flags = KREG_OP_MINE;
	test_op_(self->fd, self->table, 0, &op);
	EXPECT_TRUE(test_is_of(self->fd, self->table, "mine", test_self(self->fd)));
	EXPECT_EQ(SIGKILL, kid_kill(kid));
	test_err_edit(ENODATA, self->fd, self->table, "his", &f, 1);
	/* What starts anew is nobody's. */
	test_edit_from(self->fd, self->table, "his", &f, 1, &x, sizeof(x));
	EXPECT_TRUE(test_is_nobodys(self->fd, self->table, "his"));
}

/* Subscribers get the value as it is afterwards. */
TEST_F(edit, is_told)
{
	struct kreg_field f = test_copy(0, 1, "XY", 2);
	struct test_reader *r;

	test_subscribe(self->fd, self->table, ALL_KINDS);
	r = test_reader(self->fd);
	ASSERT_NE(NULL, r);
	test_edit_from(self->fd, self->table, "k", &f, 1, "abcd", 4);
	EXPECT_TRUE(test_has_value(test_expect(r, KREG_EVENT_CREATE, "k"), "aXYd"));
	f = test_copy(KREG_FIELD_EXTEND, 4, "e", 1);
	test_edit(self->fd, self->table, "k", &f, 1);
	EXPECT_TRUE(test_has_value(test_expect(r, KREG_EVENT_UPDATE, "k"), "aXYde"));
}

TEST_HARNESS_MAIN
