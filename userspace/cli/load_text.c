/* SPDX-License-Identifier: GPL-2.0-only */
/* A line of key, tabulator and value, both escaped, or in hexadecimal digits with --hex. */
#include <stdlib.h>
#include <string.h>

#include "load.h"

/* The byte that an escape stands for, and how long it is; -1: it is none. */
static int escape(const char *s, size_t len, size_t *used)
{
	static const char from[] = "ntr\\", to[] = "\n\t\r\\";
	const char *p = len > 1 && s[1] ? strchr(from, s[1]) : NULL;
	char digits[3] = "";
	unsigned char byte;
	size_t n;

	*used = p ? 2 : 4;
	if (p)
		return to[p - from];
	if (len < 4 || s[1] != 'x')
		return -1;
	memcpy(digits, s + 2, 2);
	return parse_hex(digits, &byte, 1, &n) || n != 1 ? -1 : byte;
}

/* Into room for as many bytes. */
static const char *unescape(const char *s, size_t len, struct bytes *to)
{
	size_t used;
	int c;

	for (to->len = 0; len; s += used, len -= used) {
		used = 1;
		c = *s == '\\' ? escape(s, len, &used) : *s;
		if (*s == '\\' && c < 0)
			return "a backslash begins none of \\n, \\t, \\r, \\\\ and \\xhh";
		to->data[to->len++] = c;
	}
	return NULL;
}

const char *line_part(const char *s, size_t len, struct bytes *to)
{
	char *copy;
	int ret;

	if (!hex)
		return unescape(s, len, to);
	copy = strndup(s, len);
	ret = !copy || strlen(copy) != len ||
	      parse_hex(copy, (unsigned char *)to->data, len, &to->len);
	free(copy);
	return ret ? "with --hex there are even numbers of hexadecimal digits" : NULL;
}

const char *line_text(const char *text, size_t len, struct line *line)
{
	const char *tab = memchr(text, '\t', len), *fault;
	size_t key_len;

	if (!tab)
		return "no tabulator is between key and value";
	key_len = tab - text;
	line->key.data = malloc(len);
	if (!line->key.data)
		return "no memory";
	line->value.data = line->key.data + key_len;
	fault = line_part(text, key_len, &line->key);
	if (!fault)
		fault = line_part(tab + 1, len - key_len - 1, &line->value);
	if (fault)
		line_free(line);
	return fault;
}

void line_free(struct line *line)
{
	bytes_free(&line->key);
	line->value = (struct bytes){ 0 };
}
