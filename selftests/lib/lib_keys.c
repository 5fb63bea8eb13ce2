// SPDX-License-Identifier: GPL-2.0
/* libkreg: keys that sort as the tuples of which they are made. */
#include "lib/lib.h"

#define PARTS	4
#define ROUNDS	20000

enum kind { U64, I64, BYTES };

struct part {
	enum kind kind;
	uint64_t number;
	int64_t integer;
	size_t len;
	unsigned char bytes[8];
};

static uint64_t random_u64(void)
{
	static const uint64_t some[] = {
		0, 1, 0xff, 0x100, 0xff00, UINT64_C(1) << 32, UINT64_C(1) << 63, UINT64_MAX - 1,
		UINT64_MAX,
	};

	if (rand() % 2)
		return some[rand() % (sizeof(some) / sizeof(some[0]))];
	return ((uint64_t)rand() << 62) ^ ((uint64_t)rand() << 31) ^ rand();
}

static struct part random_part(enum kind kind)
{
	static const unsigned char letters[] = { 0x00, 0x01, 'a', 0xff };
	struct part p = { .kind = kind, .number = random_u64(), .len = rand() % 4 };
	size_t i;

	p.integer = (int64_t)(p.number ^ (rand() % 2 ? UINT64_C(1) << 63 : 0));
	for (i = 0; i < p.len; i++)
		p.bytes[i] = letters[rand() % sizeof(letters)];
	return p;
}

static int compare_bytes(const void *a, size_t a_len, const void *b, size_t b_len)
{
	int order = memcmp(a, b, a_len < b_len ? a_len : b_len);

	if (order)
		return order < 0 ? -1 : 1;
	return (a_len > b_len) - (a_len < b_len);
}

static int compare_parts(const struct part *a, const struct part *b)
{
	switch (a->kind) {
	case U64:
		return (a->number > b->number) - (a->number < b->number);
	case I64:
		return (a->integer > b->integer) - (a->integer < b->integer);
	case BYTES:
		break;
	}
	return compare_bytes(a->bytes, a->len, b->bytes, b->len);
}

static int compare_tuples(const struct part *a, const struct part *b, int n)
{
	int i, order;

	for (i = 0; i < n; i++) {
		order = compare_parts(&a[i], &b[i]);
		if (order)
			return order;
	}
	return 0;
}

static int add_part(struct kreg_key *key, const struct part *p)
{
	switch (p->kind) {
	case U64:
		return kreg_key_add_u64(key, p->number);
	case I64:
		return kreg_key_add_i64(key, p->integer);
	case BYTES:
		break;
	}
	return kreg_key_add_bytes(key, p->bytes, p->len);
}

static bool has_part(const struct kreg_key *key, size_t *at, const struct part *p)
{
	struct part found = { .kind = p->kind };
	int ret = -1;

	switch (p->kind) {
	case U64:
		ret = kreg_key_get_u64(key->bytes, key->len, at, &found.number);
		break;
	case I64:
		ret = kreg_key_get_i64(key->bytes, key->len, at, &found.integer);
		break;
	case BYTES:
		ret = kreg_key_get_bytes(key->bytes, key->len, at, found.bytes,
					 sizeof(found.bytes), &found.len);
		break;
	}
	return !ret && !compare_parts(&found, p);
}

/* Two tuples with parts of the same kinds: often the first ones are equal. */
TEST(order)
{
	int round, n, i, order, equal = 0;

	srand(time(NULL));
	for (round = 0; round < ROUNDS; round++) {
		struct kreg_key x = KREG_KEY_INIT, y = KREG_KEY_INIT;
		struct part a[PARTS], b[PARTS];
		size_t at_x = 0, at_y = 0;

		n = 1 + rand() % PARTS;
		for (i = 0; i < n; i++) {
			a[i] = random_part(rand() % 3);
			b[i] = rand() % 2 ? a[i] : random_part(a[i].kind);
			ASSERT_EQ(0, add_part(&x, &a[i]));
			ASSERT_EQ(0, add_part(&y, &b[i]));
		}
		order = compare_tuples(a, b, n);
		equal += !order;
		ASSERT_EQ(order, compare_bytes(x.bytes, x.len, y.bytes, y.len));
		for (i = 0; i < n; i++) {
			ASSERT_TRUE(has_part(&x, &at_x, &a[i]));
			ASSERT_TRUE(has_part(&y, &at_y, &b[i]));
			/* The keys begin with the same bytes if and only if the parts are equal. */
			ASSERT_EQ(!compare_tuples(a, b, i + 1),
				  at_x == at_y && !memcmp(x.bytes, y.bytes, at_x));
		}
		ASSERT_EQ(x.len, at_x);
		ASSERT_EQ(y.len, at_y);
	}
	EXPECT_LT(100, equal);
}

/* A key begins with the beginning of its bytes, and with no other. */
TEST(beginnings)
{
	int round, found = 0;

	srand(time(NULL));
	for (round = 0; round < ROUNDS; round++) {
		struct kreg_key key = KREG_KEY_INIT, start = KREG_KEY_INIT;
		struct part first = random_part(U64), bytes = random_part(BYTES);
		struct part prefix = random_part(BYTES);
		bool begins = prefix.len <= bytes.len &&
			      !memcmp(prefix.bytes, bytes.bytes, prefix.len);

		ASSERT_EQ(0, add_part(&key, &first));
		ASSERT_EQ(0, add_part(&key, &bytes));
		ASSERT_EQ(0, kreg_key_add_i64(&key, -1));
		ASSERT_EQ(0, add_part(&start, &first));
		ASSERT_EQ(0, kreg_key_add_prefix(&start, prefix.bytes, prefix.len));
		ASSERT_EQ(begins, start.len <= key.len &&
			  !memcmp(start.bytes, key.bytes, start.len));
		found += begins;
	}
	EXPECT_LT(100, found);
}

/* As the header tells programs in other languages. */
TEST(bytes)
{
	static const unsigned char expected[] = {
		1, 2, 3, 4, 5, 6, 7, 8,
		0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe,
		'a', 0, 0xff, 'b', 0, 1,
		's', 0, 1,
		0, 1,
		'x', 0, 0xff,
	};
	struct kreg_key key = KREG_KEY_INIT;

	ASSERT_EQ(0, kreg_key_add_u64(&key, UINT64_C(0x0102030405060708)));
	ASSERT_EQ(0, kreg_key_add_i64(&key, -2));
	ASSERT_EQ(0, kreg_key_add_bytes(&key, "a\0b", 3));
	ASSERT_EQ(0, kreg_key_add_string(&key, "s"));
	ASSERT_EQ(0, kreg_key_add_string(&key, ""));
	ASSERT_EQ(0, kreg_key_add_prefix(&key, "x", 2));
	ASSERT_EQ(sizeof(expected), key.len);
	EXPECT_EQ(0, memcmp(expected, key.bytes, key.len));
}

TEST(too_long)
{
	static const char bytes[KREG_MAX_KEY + 1];
	struct kreg_key key = { .len = KREG_MAX_KEY - 8 };

	memset(key.bytes, 'k', sizeof(key.bytes));
	EXPECT_EQ(-ENAMETOOLONG, kreg_key_add_bytes(&key, "abcdefg", 7));
	EXPECT_STREQ("the key would have 1025 bytes; the most is 1024", kreg_errmsg());
	EXPECT_EQ(-ENAMETOOLONG, kreg_key_add_bytes(&key, "abc\0\0", 5));
	EXPECT_EQ(-ENAMETOOLONG, kreg_key_add_prefix(&key, "abc\0\0\0", 6));
	EXPECT_EQ(-ENAMETOOLONG, kreg_key_add_bytes(&key, bytes, sizeof(bytes)));
	EXPECT_EQ(-ENAMETOOLONG, kreg_key_add_bytes(&key, bytes, SIZE_MAX));
	EXPECT_EQ(KREG_MAX_KEY - 8, key.len);
	EXPECT_EQ('k', key.bytes[KREG_MAX_KEY - 8]);
	EXPECT_EQ(0, kreg_key_add_i64(&key, 0));
	EXPECT_EQ(-ENAMETOOLONG, kreg_key_add_u64(&key, 0));
	EXPECT_EQ(-ENAMETOOLONG, kreg_key_add_string(&key, ""));
	EXPECT_EQ(0, kreg_key_add_prefix(&key, "", 0));
	EXPECT_EQ(KREG_MAX_KEY, key.len);
	key.len = KREG_MAX_KEY - 2;
	EXPECT_EQ(0, kreg_key_add_string(&key, ""));
	EXPECT_EQ(KREG_MAX_KEY, key.len);
}

TEST(no_such_part)
{
	static const struct {
		const char *bytes;
		size_t len;
	} bad[] = {
		{ "", 0 }, { "a", 1 }, { "a\0", 2 }, { "a\0\x02", 3 }, { "a\0\xff", 3 },
		{ "\0\0\0\1", 4 }, { "\xff", 1 },
	};
	char room[8] = "........";
	size_t at, len = 77, i;
	uint64_t number = 5;
	int64_t signed_number = 6;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		at = 0;
		EXPECT_EQ(-EBADMSG, kreg_key_get_bytes(bad[i].bytes, bad[i].len, &at, room,
						       sizeof(room), &len));
		EXPECT_EQ(0, at);
		EXPECT_EQ(77, len);
	}
	EXPECT_STREQ("the key has no part of this kind at this place", kreg_errmsg());
	at = 1;
	EXPECT_EQ(-EBADMSG, kreg_key_get_u64("12345678", 8, &at, &number));
	at = 9;
	EXPECT_EQ(-EBADMSG, kreg_key_get_i64("12345678", 8, &at, &signed_number));
	EXPECT_EQ(-EBADMSG, kreg_key_get_bytes("12345678", 8, &at, room, 8, NULL));
	EXPECT_EQ(9, at);
	EXPECT_EQ(5, number);
	EXPECT_EQ(6, signed_number);
}

TEST(too_little_room)
{
	char room[8] = ".......";
	size_t at = 0, len = 0;

	EXPECT_EQ(-EMSGSIZE, kreg_key_get_bytes("abc\0\1", 5, &at, room, 2, &len));
	EXPECT_STREQ("the key has 3 bytes, and there is room for 2", kreg_errmsg());
	EXPECT_EQ(0, at);
	EXPECT_EQ(3, len);
	EXPECT_EQ(-EMSGSIZE, kreg_key_get_bytes("abc\0\1", 5, &at, NULL, 0, &len));
	EXPECT_EQ(0, kreg_key_get_bytes("abc\0\1", 5, &at, room, 3, NULL));
	EXPECT_EQ(0, memcmp("abc.", room, 4));
	EXPECT_EQ(5, at);
	at = 0;
	EXPECT_EQ(0, kreg_key_get_bytes("abc\0\1", 5, &at, room, sizeof(room), NULL));
	EXPECT_STREQ("abc", room);
	at = 0;
	EXPECT_EQ(0, kreg_key_get_bytes("\0\1", 2, &at, NULL, 0, &len));
	EXPECT_EQ(0, len);
}

TEST_HARNESS_MAIN
