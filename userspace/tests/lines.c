/* SPDX-License-Identifier: GPL-2.0-only */
/* 'kreg load' reads what 'kreg scan' prints, and refuses what makes no sense. Prints TAP. */
#include <stdlib.h>
#include <string.h>

#include "load.h"

static int n, failed;

static void check(bool good, const char *what)
{
	failed += !good;
	printf("%sok %d %s\n", good ? "" : "not ", ++n, what);
}

static const char *read_line(bool is_json, const char *text, size_t len, struct line *line)
{
	*line = (struct line){ 0 };
	return is_json ? line_json(text, len, line) : line_text(text, len, line);
}

static bool same(const struct bytes *a, const struct bytes *b)
{
	return a->len == b->len && !memcmp(a->data, b->data, a->len);
}

/* As cmd_scan.c does. */
static void print_object(bool is_json, const struct bytes *key, const struct bytes *value,
			 FILE *out)
{
	if (is_json) {
		json_begin(out);
		json_bytes("key", key->data, key->len);
		json_bytes("value", value->data, value->len);
		json_number("length", value->len);
		json_end();
		return;
	}
	bytes_print(key->data, key->len, out);
	putc('\t', out);
	bytes_print(value->data, value->len, out);
	putc('\n', out);
}

/* Printed, read, and the same; of each shorter line it only matters that nothing is run over. */
static bool comes_back(bool is_json, const struct bytes *key, const struct bytes *value)
{
	struct line line;
	char *text = NULL, *part;
	size_t len, i;
	FILE *out = open_memstream(&text, &len);
	bool good;

	print_object(is_json, key, value, out);
	fclose(out);
	good = !read_line(is_json, text, len - 1, &line) && same(&line.key, key) &&
	       same(&line.value, value);
	line_free(&line);
	for (i = 0; i < len - 1; i++) {
		part = malloc(i + 1);
		memcpy(part, text, i);
		part[i] = '\0';
		if (!read_line(is_json, part, i, &line))
			good = good && !is_json;
		line_free(&line);
		free(part);
	}
	free(text);
	return good;
}

static void fill(struct bytes *b, size_t len, int range)
{
	static const char some[] = "\\x0\tn\"u{}[]:,'\n\r\x7f";

	b->len = len;
	while (len--)
		b->data[len] = range ? (char)(rand() % range) : some[rand() % sizeof(some)];
}

/* With all bytes, with letters, and with what has a meaning. */
static void there_and_back(bool is_json, const char *what)
{
	char room[2][64];
	struct bytes key = { room[0], 0 }, value = { room[1], 0 };
	int i, bad = 0;

	for (i = 0; i < 600; i++) {
		hex = i % 2;
		fill(&key, 1 + rand() % 63, i % 3 ? i % 3 * 128 : 0);
		fill(&value, rand() % 64, i % 3 ? i % 3 * 128 : 0);
		bad += !comes_back(is_json, &key, &value);
	}
	hex = false;
	check(!bad, what);
}

/* @key: what is read, or NULL: it is refused. */
static void reads(bool is_json, const char *text, const char *key, const char *value)
{
	struct line line;
	const char *fault = read_line(is_json, text, strlen(text), &line);
	struct bytes k = { (char *)key, key ? strlen(key) : 0 };
	struct bytes v = { (char *)value, key ? strlen(value) : 0 };

	check(key ? !fault && same(&line.key, &k) && same(&line.value, &v) : !!fault, text);
	line_free(&line);
}

static void texts(void)
{
	reads(false, "key\tvalue", "key", "value");
	reads(false, "key\t", "key", "");
	reads(false, "\t", "", "");
	reads(false, "a\tb\tc", "a", "b\tc");
	reads(false, "\\x41\\n\tb\\\\", "A\n", "b\\");
	reads(false, "key", NULL, NULL);
	reads(false, "", NULL, NULL);
	reads(false, "key\tx\\", NULL, NULL);
	reads(false, "key\tx\\q", NULL, NULL);
	reads(false, "key\tx\\x4", NULL, NULL);
	reads(false, "key\tx\\xzz", NULL, NULL);
	hex = true;
	reads(false, "4142\t43", "AB", "C");
	reads(false, "414\t43", NULL, NULL);
	hex = false;
}

static void objects(void)
{
	reads(true, "{\"key\":\"k\",\"value\":\"v\"}", "k", "v");
	reads(true, " { \"value\" : \"v\" , \"key\" : \"k\" } ", "k", "v");
	reads(true, "{\"a\":[1,{\"b\":\"}\"}],\"key\":\"k\",\"value\":\"\",\"n\":-1.5e3}", "k", "");
	reads(true, "{\"key\":\"\\u00e4\\ud83d\\ude00\",\"value\":\"\\/\\b\"}", "ä😀", "/\b");
	reads(true, "{\"key_hex\":\"4142\",\"value_hex\":\"\"}", "AB", "");
	reads(true, "{\"key\":\"k\"}", NULL, NULL);
	reads(true, "{\"key\":\"k\",\"key\":\"l\",\"value\":\"v\"}", NULL, NULL);
	reads(true, "{\"key\":\"k\",\"key_hex\":\"41\",\"value\":\"v\"}", NULL, NULL);
	reads(true, "{\"key\":1,\"value\":\"v\"}", NULL, NULL);
	reads(true, "{\"key\":\"k\",\"value\":\"v\"} x", NULL, NULL);
	reads(true, "{\"key\":\"k\",\"value\":\"v\",}", NULL, NULL);
	reads(true, "{\"key\":\"\\ud83d\",\"value\":\"v\"}", NULL, NULL);
	reads(true, "{\"key\":\"\\ude00\",\"value\":\"v\"}", NULL, NULL);
	reads(true, "{\"key\":\"\\q\",\"value\":\"v\"}", NULL, NULL);
	reads(true, "{\"key_hex\":\"4\",\"value\":\"v\"}", NULL, NULL);
	reads(true, "{\"key\":\"k\",\"value\":\"v\",\"a\":[}", NULL, NULL);
	reads(true, "[]", NULL, NULL);
	reads(true, "", NULL, NULL);
}

int main(void)
{
	printf("TAP version 13\n");
	there_and_back(false, "text comes back");
	there_and_back(true, "JSON comes back");
	texts();
	objects();
	printf("1..%d\n", n);
	return failed ? 1 : 0;
}
