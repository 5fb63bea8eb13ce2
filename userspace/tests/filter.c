/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The text form of filters: what each asks of an object, and where it is wrong. Terms are asked
 * here by the words of the ABI. Prints TAP.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <kreg.h>

static int n, failed;

static void check(bool good, const char *format, const char *text)
{
	failed += !good;
	printf("%sok %d ", good ? "" : "not ", ++n);
	printf(format, text);
	putchar('\n');
}

struct object {
	const char *key;
	size_t key_len;
	const void *value;
	size_t value_len;
	uint64_t version;
};

/* The bytes that a term looks at, and how many there are from its offset on. */
static const unsigned char *field_of(const struct kreg_term *t, const struct object *o,
				     size_t *left)
{
	bool key = t->of == KREG_TERM_KEY;
	size_t len = key ? o->key_len : o->value_len;
	const unsigned char *bytes = key ? (const void *)o->key : o->value;

	*left = t->offset < len ? len - t->offset : 0;
	return bytes + t->offset;
}

static bool number_of(const struct kreg_term *t, const struct object *o, uint64_t *number)
{
	const unsigned char *bytes;
	size_t left, i;

	*number = t->of == KREG_TERM_VALUE_LEN ? o->value_len :
		  t->of == KREG_TERM_KEY_LEN ? o->key_len : o->version;
	if (t->of != KREG_TERM_VALUE && t->of != KREG_TERM_KEY)
		return true;
	bytes = field_of(t, o, &left);
	if (left < t->size)
		return false;
	*number = 0;
	for (i = 0; i < t->size; i++)
		*number = *number << 8 |
			  bytes[t->flags & KREG_TERM_BIG_ENDIAN ? i : t->size - 1 - i];
	if (t->flags & KREG_TERM_SIGNED && t->size < 8 && *number >> (8 * t->size - 1))
		*number |= UINT64_MAX << 8 * t->size;
	return true;
}

static int compare(const struct kreg_term *t, uint64_t number)
{
	int64_t x = number, value = t->value;

	if (t->flags & KREG_TERM_SIGNED)
		return (x > value) - (x < value);
	number &= t->mask;
	return (number > t->value) - (number < t->value);
}

static bool ask(const struct kreg_term *t, const struct object *o)
{
	uint64_t number;
	size_t left;

	if (t->op == KREG_TERM_BYTES) {
		const unsigned char *bytes = field_of(t, o, &left);

		return left >= t->size && !memcmp(bytes, (void *)(uintptr_t)t->value, t->size);
	}
	if (!number_of(t, o, &number))
		return false;
	switch (t->op) {
	case KREG_TERM_EQ:
		return !compare(t, number);
	case KREG_TERM_NE:
		return compare(t, number);
	case KREG_TERM_LT:
		return compare(t, number) < 0;
	case KREG_TERM_LE:
		return compare(t, number) <= 0;
	case KREG_TERM_GT:
		return compare(t, number) > 0;
	case KREG_TERM_GE:
		return compare(t, number) >= 0;
	default:
		return number & t->mask;
	}
}

static bool matches(const struct kreg_filter *filter, const struct object *o)
{
	const struct kreg_term *terms;
	size_t count, i = 0;

	terms = kreg_filter_terms(filter, &count);
	while (i < count) {
		uint8_t pass = ask(&terms[i], o) ? terms[i].yes : terms[i].no;

		if (pass == KREG_TERM_REJECT)
			return false;
		i += 1 + pass;
	}
	if (i > count)
		abort();
	return true;
}

/* Of the object with key "user:7", value "abc\0\1\2\xff\xfe" and version 42. */
static const struct {
	const char *text;
	bool match;
} asked[] = {
	{ "u8@0 == 97", true }, { "u8@0 != 97", false }, { "u8@0 == 0x61", true },
	{ "u8@7 > 253", true }, { "s8@7 == -2", true }, { "s8@7 < -1", true },
	{ "s16be@6 == -2", true }, { "u16be@6 >= 65534", true }, { "u32be@2 == 0x63000102", true },
	{ "u64be@0 == 0x616263000102fffe", true }, { "s64be@0 <= 0", false },
	{ "u8@4 & 3 == 1", true }, { "u8@4 & 2", false }, { "u8@4 & 3", true },
	{ "u8@4&3==1", true }, { "u8@6 & 0x0f >= 15", true },
	{ "len == 8", true }, { "len < 8", false }, { "key.len == 6", true },
	{ "value.len <= 8 and key.len >= 6", true },
	{ "version == 42", true }, { "version > 42", false },
	{ "prefix \"abc\"", true }, { "prefix 'abd'", false }, { "key.prefix \"user:\"", true },
	{ "value.prefix \"a\"", true }, { "prefix \"abc\\0\\x01\\x02\\xff\\xFE\"", true },
	{ "bytes@1 == \"bc\"", true }, { "bytes@1 != \"bc\"", false },
	{ "bytes@1 != \"bd\"", true },
	{ "key.bytes@5 == \"7\"", true }, { "bytes@7 == \"\\xfe\\0\"", false },
	{ "key == \"user:7\"", true }, { "key != \"user:7\"", false },
	{ "key == \"user:\"", false },
	{ "key == \"user:77\"", false }, { "key == \"\"", false }, { "key != \"\"", true },
	{ "value == \"abc\\0\\x01\"", false }, { "value == 'abc\\0\\x01\\x02\\xff\\xfe'", true },
	{ "value != 'abc\\0\\x01\\x02\\xff\\xfe'", false },
	/* What is not there is not what is asked for. */
	{ "u8@8 == 0", false }, { "u8@8 != 0", false }, { "u8@8 > 0", false },
	{ "u8@8 >= 0", false }, { "u8@8 < 5", false }, { "!(u8@8 == 0)", true },
	{ "u64@1 >= 0", false }, { "bytes@8 != \"x\"", false }, { "bytes@6 != \"abc\"", false },
	{ "not bytes@8 == \"x\"", true }, { "u32@4294967295 == 0", false },
	/* Together; what is false and what is true stands in all places. */
	{ "u8@0 == 97 && u8@1 == 98", true }, { "u8@0 == 97 && u8@1 == 97", false },
	{ "u8@0 == 98 && u8@1 == 98", false }, { "u8@0 == 97 || u8@1 == 97", true },
	{ "u8@0 == 98 || u8@1 == 98", true }, { "u8@0 == 98 || u8@1 == 97", false },
	{ "u8@0 == 98 || u8@1 == 98 && u8@2 == 1", false },
	{ "(u8@0 == 97 || u8@1 == 98) && u8@2 == 1", false },
	{ "u8@0 == 97 || u8@1 == 98 && u8@2 == 1", true },
	{ "!u8@0 == 97", false }, { "!!u8@0 == 97", true }, { "! ! ! u8@0 == 97", false },
	{ "!(u8@0 == 97 && u8@1 == 97)", true }, { "!(u8@0 == 98 || u8@1 == 97)", true },
	{ "not (u8@0 == 97 and (u8@1 == 1 or u8@2 == 99))", false },
	{ "((((version == 42))))", true }, { " \tversion==42 ", true },
	{ "key == 'user:7' && value.prefix 'abc' && !(version < 42 || version > 42)", true },
	{ "key != 'user:8' && (key == 'x' || bytes@1 != 'bd')", true },
	{ "key == 'user:8' || key == 'user:7' || key == 'user:9'", true },
	{ "!(key == 'user:8' || key == 'user:7') || version == 1", false },
};

static const struct {
	const char *text;
	size_t column;
	int err;
	const char *says;
} wrong[] = {
	{ "", 1, EINVAL, "a field is expected" }, { "  ", 3, EINVAL, "a field is expected" },
	{ "u8@0", 5, EINVAL, "a comparison" }, { "u8@0 =", 6, EINVAL, "a comparison" },
	{ "u8@0 == ", 9, EINVAL, "a number is expected" }, { "u8@0 == x", 9, EINVAL, "a number" },
	{ "u8@0 == 1x", 10, EINVAL, "a number" }, { "u8@0 == 0x", 11, EINVAL, "a number" },
	{ "u8@0 == 256", 9, EINVAL, "cannot be this number" },
	{ "u8@0 == -1", 9, EINVAL, "cannot be this number" },
	{ "s8@0 == 128", 9, EINVAL, "cannot be this number" },
	{ "s8@0 == -129", 9, EINVAL, "cannot be this number" },
	{ "u64@0 == 18446744073709551616", 10, EINVAL, "too large" },
	{ "s64@0 == 9223372036854775808", 10, EINVAL, "cannot be this number" },
	{ "u8 == 1", 3, EINVAL, "an offset" }, { "u8@ == 1", 4, EINVAL, "a number" },
	{ "u8@4294967296 == 1", 4, EINVAL, "the offset is too large" },
	{ "u12@0 == 1", 1, EINVAL, "a field is expected" },
	{ "u8@0 & 0x100 == 0", 6, EINVAL, "no such bits" },
	{ "u8@0 & 0", 6, EINVAL, "no such bits" },
	{ "s8@0 & 1", 6, EINVAL, "no mask" },
	{ "u8@0 & 1 == 2", 13, EINVAL, "under this mask" }, { "prefix", 7, EINVAL, "a string" },
	{ "prefix \"\"", 7, EINVAL, "the string is empty" },
	{ "prefix abc", 8, EINVAL, "a string" },
	{ "prefix \"abc", 8, EINVAL, "does not end" },
	{ "prefix \"a\\q\"", 11, EINVAL, "an escape" },
	{ "prefix \"a\\x1\"", 11, EINVAL, "an escape" }, { "prefix \"\\", 10, EINVAL, "an escape" },
	{ "bytes@0 < \"a\"", 9, EINVAL, "== or !=" }, { "key > \"a\"", 5, EINVAL, "== or !=" },
	{ "bytes@0 != ''", 11, EINVAL, "empty" },
	{ "key.version == 1", 5, EINVAL, "a field" }, { "foo@0 == 1", 1, EINVAL, "a field" },
	{ "version == 1 version == 2", 14, EINVAL, "the end is expected" },
	{ "version == 1 && ", 17, EINVAL, "a field" }, { "&& version == 1", 1, EINVAL, "a field" },
	{ "(version == 1", 14, EINVAL, ") is expected" },
	{ "version == 1)", 13, EINVAL, "the end" },
	{ "()", 2, EINVAL, "a field" }, { "!", 2, EINVAL, "a field" },
};

static void check_asked(void)
{
	static const struct object o = { "user:7", 6, "abc\0\1\2\xff\xfe", 8, 42 };
	struct kreg_filter *filter;
	size_t i, column;
	bool good;

	for (i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		column = 99;
		good = !kreg_filter_compile(asked[i].text, &filter, &column);
		if (!good) {
			printf("# %s\n", kreg_errmsg());
		} else {
			good = !column && matches(filter, &o) == asked[i].match;
			kreg_filter_free(filter);
		}
		check(good, "asked: %s", asked[i].text);
	}
}

static void check_wrong(void)
{
	struct kreg_filter *filter;
	size_t i, column;
	int ret;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		ret = kreg_filter_compile(wrong[i].text, &filter, &column);
		if (!ret)
			kreg_filter_free(filter);
		else if (column != wrong[i].column || !strstr(kreg_errmsg(), wrong[i].says))
			printf("# column %zu: %s\n", column, kreg_errmsg());
		check(ret == -wrong[i].err && column == wrong[i].column &&
		      strstr(kreg_errmsg(), wrong[i].says), "wrong: %s", wrong[i].text);
	}
}

/* So many times a text, and one at the end. */
static char *many(unsigned int times, const char *text, const char *end)
{
	size_t len = strlen(text);
	char *all = malloc(times * len + strlen(end) + 1), *at = all;

	for (; times; times--, at += len)
		memcpy(at, text, len);
	memcpy(at, end, strlen(end) + 1);
	return all;
}

static int compile_many(unsigned int times, const char *text, const char *end, size_t *column)
{
	char *all = many(times, text, end);
	struct kreg_filter *filter;
	int ret = kreg_filter_compile(all, &filter, column);

	if (!ret)
		kreg_filter_free(filter);
	free(all);
	return ret;
}

static int compile_nested(unsigned int depth, size_t *column)
{
	char *close = many(depth, ")", ""), *end = many(1, "len > 2", close);
	int ret = compile_many(depth, "(", end, column);

	free(end);
	free(close);
	return ret;
}

/* 66 bytes, of which there is no room for 63 times so many. */
#define HALF_STRING	"0123456789abcdef0123456789abcdefg"
#define LONG_STRING	"prefix '" HALF_STRING HALF_STRING "' && "

static void check_limits(void)
{
	size_t column;

	check(!compile_many(63, "len > 1 || ", "len > 2", &column), "%s", "64 questions");
	check(compile_many(64, "len > 1 || ", "len > 2", &column) == -EFBIG &&
	      column == 64 * 11 + 1, "%s", "65 are too many");
	check(!compile_many(64, "!", "len > 2", &column), "%s", "64 levels");
	check(compile_many(65, "!", "len > 2", &column) == -EFBIG && column == 65, "%s",
	      "65 are too many");
	check(!compile_nested(64, &column), "%s", "64 parentheses");
	check(compile_nested(65, &column) == -EFBIG && column == 65, "%s", "65 are too many");
	check(compile_many(100000, "(", "len > 2", &column) == -EFBIG && column == 65, "%s",
	      "no more");
	check(!compile_many(15, "prefix 'a' && ", "len > 2", &column), "%s", "strings");
	check(!compile_many(62, LONG_STRING, "len > 2", &column), "%s", "4092 bytes of strings");
	check(compile_many(63, LONG_STRING, "len > 2", &column) == -EFBIG &&
	      column == 62 * strlen(LONG_STRING) + 8, "%s", "and no more than 4096");
	check(compile_many(5000, "x", "", &column) == -EINVAL && column == 1, "%s", "a long word");
}

/* Nothing behind the NUL of a text is looked at: it is the last byte that may be read here. */
static void check_end(void)
{
	size_t page = sysconf(_SC_PAGESIZE), i, len, column;
	struct kreg_filter *filter;
	char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			   -1, 0);

	if (pages == MAP_FAILED || mprotect(pages + page, page, PROT_NONE)) {
		check(false, "%s", "no pages");
		return;
	}
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		len = strlen(wrong[i].text) + 1;
		memcpy(pages + page - len, wrong[i].text, len);
		check(kreg_filter_compile(pages + page - len, &filter, &column) == -wrong[i].err,
		      "at the end of a page: %s", wrong[i].text);
	}
	munmap(pages, 2 * page);
}

static void check_terms(void)
{
	struct kreg_term term = { .op = KREG_TERM_BYTES, .of = KREG_TERM_KEY, .size = 2 };
	const struct kreg_term *terms;
	struct kreg_filter *filter;
	char bytes[] = "ab";
	size_t count;

	term.value = (uintptr_t)bytes;
	check(!kreg_filter_new(&term, 1, &filter), "%s", "a filter of terms");
	memset(bytes, 0, sizeof(bytes));
	terms = kreg_filter_terms(filter, &count);
	check(count == 1 && !memcmp((void *)(uintptr_t)terms->value, "ab", 2), "%s",
	      "has its own bytes");
	kreg_filter_free(filter);
	kreg_filter_free(NULL);
	check(kreg_filter_new(&term, 0, &filter) == -EINVAL, "%s", "no terms");
	check(kreg_filter_new(&term, KREG_MAX_TERMS + 1, &filter) == -EFBIG, "%s", "too many");
	term.size = KREG_MAX_TERM_BYTES + 1;
	check(kreg_filter_new(&term, 1, &filter) == -EFBIG, "%s", "too many bytes");
}

int main(void)
{
	check_asked();
	check_wrong();
	check_limits();
	check_end();
	check_terms();
	printf("1..%d\n", n);
	return failed > 0;
}
