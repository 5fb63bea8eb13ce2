// SPDX-License-Identifier: GPL-2.0
/*
 * Random filters over random objects, beside the answer of a program that goes by the words of
 * the ABI: byte by byte, and each number in its own type.
 */
#include "kit/fixture.h"
#include "kit/filter.h"
#include "kit/pin.h"

#define OBJECTS		300
#define ROUNDS		60
#define LONG		20000		/* bytes of a value that has pages of its own */

struct object {
	char key[16];
	__u32 key_len;
	__u32 value_len;
	__u64 version;
	__u8 *value;
	bool found;
};

FIXTURE(filter_random) {
	struct test_base base;
	int fd;
	__u64 table;
	unsigned int seed;
	struct object objects[OBJECTS];
};

FIXTURE_VARIANT(filter_random) {
	__u32 type;
};

FIXTURE_VARIANT_ADD(filter_random, set) {
	.type = KREG_TYPE_SET,
};

FIXTURE_VARIANT_ADD(filter_random, ordered_set) {
	.type = KREG_TYPE_ORDERED_SET,
};

FIXTURE_VARIANT_ADD(filter_random, duplicate_bag) {
	.type = KREG_TYPE_DUPLICATE_BAG,
};

static unsigned int pick(unsigned int *seed, unsigned int n)
{
	return rand_r(seed) % n;
}

/* Few bytes occur, so that something matches. */
static void fill_object(struct object *o, unsigned int *seed, unsigned int i)
{
	static const __u8 bytes[] = { 0, 1, 2, 0x7f, 0x80, 0xfe, 0xff, 'a' };
	__u32 j;

	o->key_len = snprintf(o->key, sizeof(o->key), "%c%u", 'a' + pick(seed, 3), i);
	o->value_len = pick(seed, 40) ? pick(seed, 24) : LONG;
	o->value = malloc(o->value_len + 1);
	for (j = 0; j < o->value_len; j++)
		o->value[j] = bytes[pick(seed, sizeof(bytes))];
}

FIXTURE_SETUP(filter_random)
{
	unsigned int i;

	self->fd = test_setup(_metadata, &self->base);
	ASSERT_EQ(0, _test_create_type(self->fd, "filter", variant->type, KREG_ACCESS_PUBLIC,
				       &self->table));
	self->seed = time(NULL);
	printf("# seed %u\n", self->seed);
	fflush(stdout);
	for (i = 0; i < OBJECTS; i++) {
		struct object *o = &self->objects[i];
		struct kreg_op op;

		fill_object(o, &self->seed, i);
		op = test_op_value(KREG_OP_PUT, o->key, o->key_len, o->value, o->value_len);
		test_op_(self->fd, self->table, 0, &op);
		o->version = op.out_version;
	}
}

FIXTURE_TEARDOWN_PARENT(filter_random)
{
	test_teardown(_metadata, &self->base);
}

/* What it is that a term looks at; false: it is not there. */
static bool number_of(const struct kreg_term *t, const struct object *o, __u64 *number)
{
	const __u8 *bytes = t->of == KREG_TERM_KEY ? (const __u8 *)o->key : o->value;
	__u32 len = t->of == KREG_TERM_KEY ? o->key_len : o->value_len, i;

	switch (t->of) {
	case KREG_TERM_VALUE_LEN:
		*number = o->value_len;
		return true;
	case KREG_TERM_KEY_LEN:
		*number = o->key_len;
		return true;
	case KREG_TERM_VERSION:
		*number = o->version;
		return true;
	}
	if ((__u64)t->offset + t->size > len)
		return false;
	*number = 0;
	for (i = 0; i < t->size; i++) {
		/* The tests run on little-endian machines. */
		__u32 at = t->flags & KREG_TERM_BIG_ENDIAN ? i : t->size - 1 - i;

		*number = *number << 8 | bytes[t->offset + at];
	}
	if (t->flags & KREG_TERM_SIGNED && *number >> (8 * t->size - 1))
		*number |= t->size == 8 ? 0 : ~0ULL << (8 * t->size);
	return true;
}

static bool bytes_are(const struct kreg_term *t, const struct object *o)
{
	const __u8 *bytes = t->of == KREG_TERM_KEY ? (const __u8 *)o->key : o->value;
	__u32 len = t->of == KREG_TERM_KEY ? o->key_len : o->value_len, i;

	for (i = 0; i < t->size; i++)
		if ((__u64)t->offset + i >= len ||
		    bytes[t->offset + i] != ((__u8 *)(uintptr_t)t->value)[i])
			return false;
	return true;
}

static bool term_says(const struct kreg_term *t, const struct object *o)
{
	bool is_signed = t->flags & KREG_TERM_SIGNED;
	__u64 number;

	if (t->op == KREG_TERM_BYTES)
		return bytes_are(t, o);
	if (!number_of(t, o, &number))
		return false;
	if (!is_signed)
		number &= t->mask;
	switch (t->op) {
	case KREG_TERM_EQ:
		return number == t->value;
	case KREG_TERM_NE:
		return number != t->value;
	case KREG_TERM_GT:
		return is_signed ? (__s64)number > (__s64)t->value : number > t->value;
	case KREG_TERM_GE:
		return is_signed ? (__s64)number >= (__s64)t->value : number >= t->value;
	case KREG_TERM_LT:
		return is_signed ? (__s64)number < (__s64)t->value : number < t->value;
	case KREG_TERM_LE:
		return is_signed ? (__s64)number <= (__s64)t->value : number <= t->value;
	default:
		return number;
	}
}

static bool filter_says(const struct kreg_term *terms, __u32 count, const struct object *o)
{
	__u32 i = 0;

	while (i < count) {
		__u8 pass = term_says(&terms[i], o) ? terms[i].yes : terms[i].no;

		if (pass == KREG_TERM_REJECT)
			return false;
		i += 1 + pass;
	}
	return true;
}

static void pick_bytes(unsigned int *seed, const struct object *o, struct kreg_term *t)
{
	const void *bytes = t->of == KREG_TERM_KEY ? (const void *)o->key : o->value;
	__u32 len = t->of == KREG_TERM_KEY ? o->key_len : o->value_len;

	t->op = KREG_TERM_BYTES;
	t->flags = 0;
	t->mask = 0;
	t->offset = len ? pick(seed, len < 24 ? len : 24) : 0;
	t->size = 1 + pick(seed, 2);
	if (t->offset + t->size > len) {
		t->offset = 0;
		t->size = 1;
	}
	t->value = test_ptr(len ? bytes + t->offset : "a");
}

/* A term that is valid, of which the answer is often that of @o. */
static struct kreg_term pick_term(unsigned int *seed, const struct object *o, __u32 left)
{
	struct kreg_term t = {
		.op = 1 + pick(seed, KREG_TERM_BITS),
		.of = 1 + pick(seed, KREG_TERM_VERSION),
		.yes = pick(seed, 4) ? pick(seed, left + 1) : KREG_TERM_REJECT,
		.no = pick(seed, 3) ? pick(seed, left + 1) : KREG_TERM_REJECT,
		.mask = ~0ULL,
	};
	bool field = t.of == KREG_TERM_VALUE || t.of == KREG_TERM_KEY;
	__u64 bits = ~0ULL;

	if (field && !pick(seed, 3)) {
		pick_bytes(seed, o, &t);
		return t;
	}
	if (field) {
		t.size = 1 << pick(seed, 4);
		t.offset = pick(seed, 24);
		t.flags = pick(seed, 4);
		bits >>= 64 - 8 * t.size;
	}
	if (t.op == KREG_TERM_BITS)
		t.flags &= ~KREG_TERM_SIGNED;
	if (!(t.flags & KREG_TERM_SIGNED) && !pick(seed, 2))
		t.mask = 1 << pick(seed, 8) | 0x40;
	if (t.op == KREG_TERM_BITS)
		return t;
	if (!number_of(&t, o, &t.value))
		t.value = pick(seed, 3);
	if (!(t.flags & KREG_TERM_SIGNED))
		t.value &= t.mask & bits;
	return t;
}

static struct object *object_of(struct object *objects, const struct kreg_object *found)
{
	char digits[16] = "";

	memcpy(digits, (char *)(found + 1) + 1, found->key_len - 1);
	return &objects[atoi(digits)];
}

/* All objects that a scan finds are marked; none twice. */
static int run_filter(int fd, struct kreg_ioc_scan cmd, struct object *objects)
{
	static __u64 room[1 << 16];
	char after[16];
	int err;

	cmd.buf = test_ptr(room);
	cmd.buf_len = sizeof(room);
	do {
		const struct kreg_object *o = (void *)room;
		__u32 i;

		err = _test_scan(fd, &cmd);
		if (err)
			return err;
		for (i = 0; i < cmd.out_count; i++, o = (void *)o + o->size) {
			struct object *was = object_of(objects, o);

			if (was->found || was->version != o->version)
				return -EBADMSG;
			was->found = true;
			memcpy(after, o + 1, o->key_len);
			cmd.range.after = test_ptr(after);
			cmd.range.after_len = o->key_len;
			cmd.range.after_version = o->version;
		}
	} while (cmd.out_more);
	return 0;
}

/* Each object is found if, and only if, the filter and the range say so. */
static void expect_found(struct __test_metadata *_metadata, int fd, struct object *objects,
			 const struct kreg_ioc_scan *cmd, const struct kreg_term *terms,
			 __u32 count)
{
	struct kreg_ioc_scan counts = *cmd;
	__u32 i, n = 0, wrong = 0;

	for (i = 0; i < OBJECTS; i++)
		objects[i].found = false;
	ASSERT_EQ(0, run_filter(fd, *cmd, objects));
	for (i = 0; i < OBJECTS; i++) {
		const struct object *o = &objects[i];
		bool in = !cmd->range.low_len || o->key[0] == *(char *)(uintptr_t)cmd->range.low;
		bool match = in && filter_says(terms, count, o);

		n += match;
		wrong += match != o->found;
	}
	EXPECT_EQ(0, wrong);
	counts.flags = (cmd->flags & KREG_SCAN_REVERSE) | KREG_SCAN_COUNT;
	counts.max_count = 0;
	EXPECT_EQ(0, _test_scan(fd, &counts));
	EXPECT_EQ(n, counts.out_count);
}

TEST_F(filter_random, same_answer)
{
	static struct kreg_term terms[KREG_MAX_TERMS];
	unsigned int round, i, count;
	__u64 pin;

	test_pin(self->fd, self->table, 0, &pin);
	for (round = 0; round < test_size(ROUNDS); round++) {
		struct kreg_ioc_scan cmd = { .table = self->table };

		count = 1 + pick(&self->seed, pick(&self->seed, 4) ? 5 : KREG_MAX_TERMS);
		for (i = 0; i < count; i++)
			terms[i] = pick_term(&self->seed,
					     &self->objects[pick(&self->seed, OBJECTS)],
					     count - 1 - i);
		test_set_filter(&cmd.range, terms, count);
		if (pick(&self->seed, 2))
			cmd.flags |= KREG_SCAN_KEYS;
		if (pick(&self->seed, 2))
			cmd.max_count = 1 + pick(&self->seed, 50);
		if (variant->type != KREG_TYPE_SET && pick(&self->seed, 2))
			cmd.flags |= KREG_SCAN_REVERSE;
		if (pick(&self->seed, 2))
			cmd.pin = pin;
		if (pick(&self->seed, 2)) {
			cmd.range.low = test_ptr("abc" + pick(&self->seed, 3));
			cmd.range.low_len = 1;
			cmd.range.flags = KREG_RANGE_PREFIX;
		}
		expect_found(_metadata, self->fd, self->objects, &cmd, terms, count);
	}
}

TEST_HARNESS_MAIN
