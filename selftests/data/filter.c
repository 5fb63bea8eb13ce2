// SPDX-License-Identifier: GPL-2.0
/*
 * Filters: what each term asks, what is refused, and conditions of single writes.
 */
#include "kit/fixture.h"
#include "kit/bag.h"
#include "kit/bound.h"
#include "kit/edit.h"
#include "kit/filter.h"
#include "kit/lease.h"

#define ALL		(~0ULL)

FIXTURE(filter) {
	struct test_base base;
	int fd;
	__u64 table;
};

FIXTURE_SETUP(filter)
{
	self->fd = test_setup(_metadata, &self->base);
	test_create(self->fd, "filter", KREG_ACCESS_PUBLIC, &self->table);
}

FIXTURE_TEARDOWN_PARENT(filter)
{
	test_teardown(_metadata, &self->base);
}

/* -2, as a number of 1, 2, 4 and 8 bytes, of each byte order. */
static const __u8 numbers[] = {
	0xfe,
	0xfe, 0xff, 0xff, 0xfe,
	0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe,
	0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe,
};

static const struct {
	__u16 size;
	__u32 native, big;	/* where it is */
} places[] = {
	{ 1, 0, 0 }, { 2, 1, 3 }, { 4, 5, 9 }, { 8, 13, 21 },
};

/* So many objects match; @what and @which tell which case it was. */
static void expect_match(struct __test_metadata *_metadata, int fd, __u64 table,
			 const struct kreg_term *term, long expected, const char *what, __u32 which)
{
	EXPECT_EQ(expected, test_matching(fd, table, term, 1)) {
		TH_LOG("%s %u", what, which);
	}
}

#define EXPECT_MATCH(...)						\
	expect_match(_metadata, self->fd, self->table, &term, __VA_ARGS__)

TEST_F(filter, numbers)
{
	static const struct {
		__u8 op;
		__s64 value;
		bool is_signed, match;
	} cases[] = {
		{ KREG_TERM_EQ, -2, true, true }, { KREG_TERM_EQ, -3, true, false },
		{ KREG_TERM_LT, -1, true, true }, { KREG_TERM_LT, -2, true, false },
		{ KREG_TERM_LT, 5, true, true }, { KREG_TERM_LE, -2, true, true },
		{ KREG_TERM_LE, -3, true, false }, { KREG_TERM_LE, 5, true, true },
		{ KREG_TERM_LT, 5, false, false }, { KREG_TERM_LE, 5, false, false },
		{ KREG_TERM_NE, -3, true, true }, { KREG_TERM_NE, -2, true, false },
		{ KREG_TERM_GT, -3, true, true }, { KREG_TERM_GT, -2, true, false },
		{ KREG_TERM_GE, -2, true, true }, { KREG_TERM_GE, -1, true, false },
		{ KREG_TERM_GT, 5, false, true }, { KREG_TERM_GE, 5, false, true },
	};
	unsigned int i, j, big;
	struct kreg_term term;

	test_put(self->fd, self->table, "k", 1, numbers, sizeof(numbers));
	for (i = 0; i < ARRAY_SIZE(cases); i++)
		for (j = 0; j < ARRAY_SIZE(places); j++)
			for (big = 0; big < 2; big++) {
				__u32 at = big ? places[j].big : places[j].native;

				term = test_term(cases[i].op, KREG_TERM_VALUE, places[j].size, at,
						 cases[i].value);
				if (cases[i].is_signed)
					term.flags |= KREG_TERM_SIGNED;
				if (big)
					term.flags |= KREG_TERM_BIG_ENDIAN;
				EXPECT_MATCH(cases[i].match, "case", 2 * i + big);
			}
}

/* Unsigned, and under a mask. */
TEST_F(filter, masks)
{
	unsigned int j, big;
	struct kreg_term term;

	test_put(self->fd, self->table, "k", 1, numbers, sizeof(numbers));
	for (j = 0; j < ARRAY_SIZE(places); j++)
		for (big = 0; big < 2; big++) {
			__u64 bits = ALL >> (64 - 8 * places[j].size);

			term = test_term(KREG_TERM_EQ, KREG_TERM_VALUE, places[j].size,
					 big ? places[j].big : places[j].native, bits - 1);
			term.flags = big ? KREG_TERM_BIG_ENDIAN : 0;
			EXPECT_MATCH(1, "all of", places[j].size);
			term.mask = 7;
			term.value = 6;
			EXPECT_MATCH(1, "under a mask, of", places[j].size);
			term.value = 7;
			EXPECT_MATCH(0, "not that, of", places[j].size);
			term.op = KREG_TERM_LT;
			EXPECT_MATCH(1, "less, of", places[j].size);
			term.op = KREG_TERM_BITS;
			term.value = 0;
			EXPECT_MATCH(1, "some bits, of", places[j].size);
			term.mask = 1;
			EXPECT_MATCH(0, "no bits, of", places[j].size);
			term.mask = bits ^ bits >> 1;
			EXPECT_MATCH(1, "the highest bit, of", places[j].size);
		}
}

/* What does not lie within the object is no, wherever it begins. */
TEST_F(filter, beyond_the_end)
{
	struct kreg_term term;
	__u32 at;

	test_puts(self->fd, self->table, "key", "0123456789");
	for (at = 0; at < 14; at++) {
		term = test_term(KREG_TERM_BITS, KREG_TERM_VALUE, 2, at, 0);
		EXPECT_MATCH(at <= 8, "two bytes at", at);
		term.size = 8;
		EXPECT_MATCH(at <= 2, "eight bytes at", at);
		/* Neither is it anything else. */
		term.op = KREG_TERM_NE;
		EXPECT_MATCH(at <= 2, "another number at", at);
		term.op = KREG_TERM_GE;
		EXPECT_MATCH(at <= 2, "any number at", at);
		term = test_term_bytes(KREG_TERM_VALUE, at, "0123456789" + (at < 10 ? at : 10),
				       at < 10 ? 10 - at : 1);
		EXPECT_MATCH(at < 10, "the rest at", at);
		term = test_term_bytes(KREG_TERM_KEY, at, "key" + (at < 3 ? at : 3),
				       at < 3 ? 3 - at : 1);
		EXPECT_MATCH(at < 3, "of the key at", at);
	}
	term = test_term(KREG_TERM_BITS, KREG_TERM_VALUE, 1, ~0U, 0);
	EXPECT_MATCH(0, "far away", 0);
	term = test_term_bytes(KREG_TERM_VALUE, ~0U, "0123456789", 10);
	EXPECT_MATCH(0, "bytes far away", 0);
}

TEST_F(filter, lengths_and_version)
{
	struct kreg_term term;

	test_puts(self->fd, self->table, "key", "value");
	term = test_term(KREG_TERM_EQ, KREG_TERM_VALUE_LEN, 0, 0, 5);
	EXPECT_MATCH(1, "value", 0);
	term.value = 3;
	EXPECT_MATCH(0, "not the value", 0);
	term.of = KREG_TERM_KEY_LEN;
	EXPECT_MATCH(1, "key", 0);
	term.of = KREG_TERM_VERSION;
	term.value = test_version(self->fd, self->table, "key");
	EXPECT_MATCH(1, "version", 0);
	term.op = KREG_TERM_LT;
	EXPECT_MATCH(0, "version is not less", 0);
	test_put(self->fd, self->table, "empty", 5, "", 0);
	term = test_term(KREG_TERM_EQ, KREG_TERM_VALUE_LEN, 0, 0, 0);
	EXPECT_MATCH(1, "empty", 0);
}

/* Each way through three terms: a && (b || !c). */
TEST_F(filter, ways)
{
	struct kreg_term terms[3];
	char key, value[3];
	int i, expected = 0;

	for (i = 0; i < 8; i++) {
		key = 'a' + i;
		value[0] = i & 1;
		value[1] = i >> 1 & 1;
		value[2] = i >> 2 & 1;
		test_put(self->fd, self->table, &key, 1, value, 3);
		expected += value[0] && (value[1] || !value[2]);
	}
	for (i = 0; i < 3; i++)
		terms[i] = test_term(KREG_TERM_EQ, KREG_TERM_VALUE, 1, i, 1);
	terms[1].yes = 1;
	terms[1].no = 0;
	terms[2].yes = KREG_TERM_REJECT;
	terms[2].no = 0;
	EXPECT_EQ(expected, test_matching(self->fd, self->table, terms, 3));
	/* The last one asks for what is not there, so that nothing depends on it. */
	terms[2].offset = 100;
	EXPECT_EQ(4, test_matching(self->fd, self->table, terms, 3));
	terms[1].yes = KREG_TERM_REJECT;
	EXPECT_EQ(2, test_matching(self->fd, self->table, terms, 3));
}

TEST_F(filter, errors)
{
	static char bytes[KREG_MAX_TERM_BYTES];
	static struct kreg_term terms[KREG_MAX_TERMS + 1];
	struct kreg_ioc_scan cmd = { .flags = KREG_SCAN_COUNT, .table = self->table };
	unsigned int i;

#define EXPECT_TERM(err, change)					\
	do {								\
		terms[0] = test_u32(KREG_TERM_EQ, 0, 1);		\
		terms[1] = test_term_bytes(KREG_TERM_KEY, 0, "a", 1);	\
		test_set_filter(&cmd.range, terms, 2);			\
		change;							\
		EXPECT_EQ(-(err), _test_scan(self->fd, &cmd));		\
	} while (0)
	EXPECT_TERM(0, (void)terms);
	EXPECT_TERM(EINVAL, cmd.range.filter_count = 0);
	EXPECT_TERM(EFAULT, cmd.range.filter = 0);
	EXPECT_TERM(EFAULT, terms[1].value = 8);
	EXPECT_TERM(EOPNOTSUPP, terms[1].op = 0);
	EXPECT_TERM(EOPNOTSUPP, terms[1].op = KREG_TERM_BYTES + 1);
	EXPECT_TERM(EOPNOTSUPP, terms[1].of = 0);
	EXPECT_TERM(EOPNOTSUPP, terms[1].of = KREG_TERM_VERSION + 1);
	EXPECT_TERM(EOPNOTSUPP, terms[1].reserved = 1);
	for (i = 2; i < 16; i++)
		EXPECT_TERM(EOPNOTSUPP, terms[0].flags = 1 << i);
	/* What is unknown comes before what is wrong. */
	EXPECT_TERM(EOPNOTSUPP, terms[0].mask = 0; terms[1].op = 0);
	EXPECT_TERM(0, terms[0].yes = 1);
	EXPECT_TERM(EINVAL, terms[0].yes = 2);
	EXPECT_TERM(EINVAL, terms[0].no = KREG_TERM_REJECT - 1);
	EXPECT_TERM(EINVAL, terms[1].yes = 1);
	EXPECT_TERM(EINVAL, terms[0].size = 0);
	EXPECT_TERM(EINVAL, terms[0].size = 3);
	EXPECT_TERM(EINVAL, terms[0].size = 16);
	EXPECT_TERM(EINVAL, terms[0].mask = 0);
	EXPECT_TERM(EINVAL, terms[0].mask = 1ULL << 32);
	EXPECT_TERM(EINVAL, terms[0].mask = 2);
	EXPECT_TERM(EINVAL, terms[0].value = 1ULL << 32);
	EXPECT_TERM(0, terms[0].value = ~0U);
	EXPECT_TERM(EINVAL, terms[0].value = ALL);
	EXPECT_TERM(0, terms[0].value = ALL; terms[0].flags = KREG_TERM_SIGNED);
	EXPECT_TERM(0, terms[0].value = 1ULL << 30; terms[0].flags = KREG_TERM_SIGNED);
	EXPECT_TERM(EINVAL, terms[0].value = 1ULL << 31; terms[0].flags = KREG_TERM_SIGNED);
	EXPECT_TERM(EINVAL, terms[0].mask = 1; terms[0].flags = KREG_TERM_SIGNED);
	EXPECT_TERM(EINVAL, terms[0].op = KREG_TERM_BITS);
	EXPECT_TERM(EINVAL, terms[0].op = KREG_TERM_BITS; terms[0].value = 0;
		    terms[0].flags = KREG_TERM_SIGNED);
	for (i = KREG_TERM_VALUE_LEN; i <= KREG_TERM_VERSION; i++) {
		EXPECT_TERM(EINVAL, terms[0].of = i);
		EXPECT_TERM(0, terms[0].of = i; terms[0].size = 0);
		EXPECT_TERM(EINVAL, terms[0].of = i; terms[0].size = 0; terms[0].offset = 1);
		EXPECT_TERM(EINVAL, terms[0].of = i; terms[0].size = 0;
			    terms[0].flags = KREG_TERM_BIG_ENDIAN);
		EXPECT_TERM(EINVAL, terms[1].of = i);
	}
	EXPECT_TERM(EINVAL, terms[1].size = 0);
	EXPECT_TERM(EINVAL, terms[1].mask = 1);
	EXPECT_TERM(EINVAL, terms[1].flags = KREG_TERM_BIG_ENDIAN);
	EXPECT_TERM(0, terms[1].value = test_ptr(bytes); terms[1].size = KREG_MAX_TERM_BYTES);
	EXPECT_TERM(EFBIG, terms[0] = terms[1]; terms[1].value = test_ptr(bytes);
		    terms[1].size = KREG_MAX_TERM_BYTES);
	for (i = 0; i <= KREG_MAX_TERMS; i++)
		terms[i] = test_u32(KREG_TERM_EQ, 0, 1);
	EXPECT_EQ(0, test_matching(self->fd, self->table, terms, KREG_MAX_TERMS));
	EXPECT_EQ(-EFBIG, test_matching(self->fd, self->table, terms, KREG_MAX_TERMS + 1));
	EXPECT_EQ(-EFBIG, test_matching(self->fd, self->table, terms, ~0U));
}

static struct kreg_more more_filter(const struct kreg_term *terms, __u32 count)
{
	return (struct kreg_more) {
		.size = sizeof(struct kreg_more),
		.filter = test_ptr(terms),
		.filter_count = count,
	};
}

/* @op, on condition that the object matches. */
static int run_if(int fd, __u64 table, struct kreg_op op, const struct kreg_term *term)
{
	struct kreg_more more = more_filter(term, 1);

	op.flags |= KREG_OP_MORE;
	op.arg = test_ptr(&more);
	return _test_op(fd, table, 0, &op);
}

TEST_F(filter, conditions)
{
	struct kreg_term yes = test_term_bytes(KREG_TERM_VALUE, 0, "new", 3);
	struct kreg_term no = test_term_bytes(KREG_TERM_VALUE, 0, "old", 3);
	struct kreg_field f = test_copy(KREG_FIELD_TRUNCATE, 0, "new, edited", 11);
	__u64 id = self->table;

	/* Nothing is there. */
	EXPECT_EQ(-ECANCELED, run_if(self->fd, id, test_op_puts("k", "v"), &yes));
	EXPECT_EQ(-ECANCELED, run_if(self->fd, id, test_ops(KREG_OP_DELETE, "k"), &yes));
	EXPECT_EQ(-ECANCELED, run_if(self->fd, id, test_op_edit("k", &f, 1), &yes));
	test_puts(self->fd, id, "k", "new");
	EXPECT_EQ(-ECANCELED, run_if(self->fd, id, test_op_puts("k", "v"), &no));
	EXPECT_EQ(-ECANCELED, run_if(self->fd, id, test_ops(KREG_OP_DELETE, "k"), &no));
	EXPECT_EQ(-ECANCELED, run_if(self->fd, id, test_op_edit("k", &f, 1), &no));
	test_gets(self->fd, id, "k", "new");
	EXPECT_EQ(0, run_if(self->fd, id, test_op_edit("k", &f, 1), &yes));
	test_gets(self->fd, id, "k", "new, edited");
	EXPECT_EQ(0, run_if(self->fd, id, test_op_puts("k", "new, put"), &yes));
	test_gets(self->fd, id, "k", "new, put");
	EXPECT_EQ(0, run_if(self->fd, id, test_ops(KREG_OP_DELETE, "k"), &yes));
	test_err_member(ENODATA, self->fd, id, "k");
}

/* Values that have pages of their own are asked as others are, and edited beside the turn. */
TEST_F(filter, long_values)
{
	static char value[100000];
	struct kreg_term term = test_term_bytes(KREG_TERM_VALUE, sizeof(value) - 3, "end", 3);
	struct kreg_field f = test_copy(0, sizeof(value) - 3, "END", 3);
	__u64 id = self->table;

	memcpy(value + sizeof(value) - 3, "end", 3);
	test_put(self->fd, id, "k", 1, value, sizeof(value));
	EXPECT_MATCH(1, "long", 0);
	EXPECT_EQ(0, run_if(self->fd, id, test_op_edit("k", &f, 1), &term));
	EXPECT_MATCH(0, "edited", 0);
	EXPECT_EQ(-ECANCELED, run_if(self->fd, id, test_op_edit("k", &f, 1), &term));
	EXPECT_EQ(-ECANCELED, run_if(self->fd, id, test_ops(KREG_OP_DELETE, "k"), &term));
	term = test_term(KREG_TERM_EQ, KREG_TERM_VALUE_LEN, 0, 0, sizeof(value));
	EXPECT_EQ(0, run_if(self->fd, id, test_ops(KREG_OP_DELETE, "k"), &term));
	EXPECT_EQ(0, test_objects(self->fd, id));
}

TEST_F(filter, contradictions)
{
	struct kreg_term term = test_u32(KREG_TERM_EQ, 0, 1);
	struct kreg_field f = test_add(0, 1);
	struct kreg_op op = test_op_puts("k", "v");
	struct kreg_more more = more_filter(&term, 1);
	__u64 bag;

	op.flags = KREG_OP_MORE | KREG_OP_NEW;
	op.arg = test_ptr(&more);
	test_err_op(EINVAL, self->fd, self->table, 0, &op);
	op.flags = KREG_OP_MORE;
	more.filter_count = 0;
	test_err_op(EINVAL, self->fd, self->table, 0, &op);
	more.filter_count = 1;
	term.size = 3;
	test_err_op(EINVAL, self->fd, self->table, 0, &op);
	term.size = 4;
	test_err_op(EOPNOTSUPP, self->fd, self->table, KREG_WRITE_ASYNC, &op);
	op = test_op_edit("k", &f, 1);
	op.flags = KREG_OP_MORE;
	op.arg = test_ptr(&more);
	more.flags = KREG_MORE_START;
	more.start = test_ptr("12345678");
	more.start_len = 8;
	test_err_op(EINVAL, self->fd, self->table, 0, &op);
	EXPECT_EQ(0, test_objects(self->fd, self->table));
	/* Of several objects no one is meant. */
	ASSERT_EQ(0, _test_create_type(self->fd, "bag", KREG_TYPE_BAG, 0, &bag));
	test_puts(self->fd, bag, "k", "v");
	EXPECT_EQ(-EOPNOTSUPP, run_if(self->fd, bag, test_op_puts("k", "v"), &term));
	EXPECT_EQ(-EOPNOTSUPP, run_if(self->fd, bag, test_ops(KREG_OP_DELETE, "k"), &term));
	EXPECT_EQ(-EOPNOTSUPP, run_if(self->fd, bag, test_op_edit("k", &f, 1), &term));
}

/* A condition tells what is there, so that it is for those who may read. */
TEST_F(filter, only_who_reads)
{
	struct kreg_term term = test_term_bytes(KREG_TERM_VALUE, 0, "v", 1);
	int fd = open(KREG_DEV, O_WRONLY | O_CLOEXEC);

	ASSERT_LE(0, fd);
	test_puts(self->fd, self->table, "k", "v");
	EXPECT_EQ(-EBADF, run_if(fd, self->table, test_op_puts("k", "w"), &term));
	EXPECT_EQ(-EBADF, run_if(fd, self->table, test_ops(KREG_OP_DELETE, "k"), &term));
	EXPECT_EQ(0, _test_puts(fd, self->table, "k", "v"));
	EXPECT_EQ(-EBADF, test_matching(fd, self->table, &term, 1));
	close(fd);
}

/* What is bound to a process, and what is on loan. */
TEST_F(filter, bound_and_lent)
{
	struct kreg_term v = test_term_bytes(KREG_TERM_VALUE, 0, "v", 1);
	struct kreg_term w = test_term_bytes(KREG_TERM_VALUE, 0, "w", 1);
	struct kreg_op op = test_op_bind("k", "v");
	struct kid *kid = kid_start(_metadata);

	test_op_(self->fd, self->table, 0, &op);
	EXPECT_EQ(-ECANCELED, run_if(self->fd, self->table, test_op_puts("k", "w"), &w));
	EXPECT_EQ(0, run_if(self->fd, self->table, test_op_puts("k", "w"), &v));
	EXPECT_TRUE(test_is_of(self->fd, self->table, "k", test_self(self->fd)));
	EXPECT_EQ(0, run_if(self->fd, self->table, test_ops(KREG_OP_DELETE, "k"), &w));
	/* Of one that is on loan to another nothing is to be found out. */
	test_puts(self->fd, self->table, "k", "v");
	ASSERT_EQ(1, kid_lease(kid, self->table, "k"));
	EXPECT_EQ(0, test_matching(self->fd, self->table, &v, 1));
	EXPECT_EQ(-ECANCELED, run_if(self->fd, self->table, test_op_puts("k", "w"), &v));
	EXPECT_EQ(-ECANCELED, run_if(self->fd, self->table, test_op_puts("k", "w"), &w));
	EXPECT_EQ(-ECANCELED, run_if(self->fd, self->table, test_ops(KREG_OP_DELETE, "k"), &v));
	EXPECT_EQ(SIGKILL, kid_kill(kid));
	EXPECT_EQ(1, test_matching(self->fd, self->table, &v, 1));
}

TEST_HARNESS_MAIN
