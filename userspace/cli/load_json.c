/* SPDX-License-Identifier: GPL-2.0-only */
/* A line that is a JSON object, of which key and value are taken and the rest is passed over. */
#include <stdlib.h>
#include <string.h>

#include "load.h"

static const char no_json[] = "this is no JSON object with strings 'key' and 'value'";

struct cursor {
	const char *at;
	const char *end;
	char *room;		/* for what strings say; never more than they are long */
};

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static char peek(struct cursor *c)
{
	while (c->at < c->end && blank(*c->at))
		c->at++;
	return c->at < c->end ? *c->at : '\0';
}

static bool skip(struct cursor *c, char expected)
{
	if (peek(c) != expected)
		return false;
	c->at++;
	return true;
}

/* Four digits; -1: they are none. */
static int unit(struct cursor *c)
{
	unsigned char bytes[2];
	char digits[5] = "";
	size_t len;

	if (c->end - c->at < 4)
		return -1;
	memcpy(digits, c->at, 4);
	c->at += 4;
	return parse_hex(digits, bytes, 2, &len) || len != 2 ? -1 : bytes[0] << 8 | bytes[1];
}

/* Behind \u: a character, perhaps of two halves; -1: it is none. */
static int character(struct cursor *c)
{
	int high = unit(c), low;

	if (high < 0xd800 || high >= 0xe000)
		return high;
	if (high >= 0xdc00 || c->end - c->at < 6 || c->at[0] != '\\' || c->at[1] != 'u')
		return -1;
	c->at += 2;
	low = unit(c);
	if (low < 0xdc00 || low >= 0xe000)
		return -1;
	return 0x10000 + ((high - 0xd800) << 10) + low - 0xdc00;
}

static void put_utf8(struct cursor *c, unsigned int n)
{
	static const unsigned char lead[] = { 0, 0xc0, 0xe0, 0xf0 };
	int more = n < 0x80 ? 0 : n < 0x800 ? 1 : n < 0x10000 ? 2 : 3;

	*c->room++ = lead[more] | n >> (6 * more);
	while (more--)
		*c->room++ = 0x80 | (n >> (6 * more) & 0x3f);
}

/* Behind a backslash. */
static bool escape(struct cursor *c)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	char letter = c->at < c->end ? *c->at++ : '\0';
	const char *p = letter ? strchr(from, letter) : NULL;
	int n = letter == 'u' ? character(c) : -1;

	if (p)
		*c->room++ = to[p - from];
	else if (n >= 0)
		put_utf8(c, n);
	return p || n >= 0;
}

/* What it says, in the room. */
static bool string(struct cursor *c, struct bytes *b)
{
	b->data = c->room;
	if (!skip(c, '"'))
		return false;
	while (c->at < c->end && *c->at != '"') {
		if ((unsigned char)*c->at < 0x20)
			return false;
		if (*c->at != '\\')
			*c->room++ = *c->at++;
		else if (c->at++, !escape(c))
			return false;
	}
	b->len = c->room - b->data;
	return skip(c, '"');
}

/* A number, true, false or null. */
static bool word(struct cursor *c)
{
	const char *from = c->at;

	while (c->at < c->end && (strchr("+-.", *c->at) || (*c->at >= '0' && *c->at <= '9') ||
				  (*c->at >= 'a' && *c->at <= 'z') || *c->at == 'E') && *c->at)
		c->at++;
	return c->at > from;
}

/* Any value, also one with others in it, whose brackets are counted alone. */
static bool pass_over(struct cursor *c)
{
	unsigned int depth = 0;
	struct bytes ignored;
	char next;

	do {
		next = peek(c);
		if (next == '"') {
			if (!string(c, &ignored))
				return false;
		} else if (next == '{' || next == '[') {
			depth++;
			c->at++;
		} else if (depth && (next == '}' || next == ']')) {
			depth--;
			c->at++;
		} else if (depth && (next == ',' || next == ':')) {
			c->at++;
		} else if (!word(c)) {
			return false;
		}
	} while (depth);
	return true;
}

/* Bytes that are no text, in place. */
static bool from_hex(struct bytes *b)
{
	char *copy = strndup(b->data, b->len);
	bool good = copy && strlen(copy) == b->len &&
		    !parse_hex(copy, (unsigned char *)b->data, b->len, &b->len);

	free(copy);
	return good;
}

static bool is(const struct bytes *b, const char *name)
{
	return b->len == strlen(name) && !memcmp(b->data, name, b->len);
}

/* One that was there already is refused. */
static bool member(struct cursor *c, struct line *line)
{
	struct bytes name, *to = NULL;
	bool digits;

	if (!string(c, &name) || !skip(c, ':'))
		return false;
	digits = is(&name, "key_hex") || is(&name, "value_hex");
	if (is(&name, "key") || is(&name, "key_hex"))
		to = &line->key;
	else if (is(&name, "value") || is(&name, "value_hex"))
		to = &line->value;
	if (!to)
		return pass_over(c);
	return !to->data && string(c, to) && (!digits || from_hex(to));
}

static bool object(struct cursor *c, struct line *line)
{
	if (!skip(c, '{'))
		return false;
	do {
		if (!member(c, line))
			return false;
	} while (skip(c, ','));
	return skip(c, '}') && !peek(c) && c->at == c->end && line->key.data && line->value.data;
}

const char *line_json(const char *text, size_t len, struct line *line)
{
	char *room = malloc(len + 1);
	struct cursor c = { .at = text, .end = text + len, .room = room };
	struct line found = { 0 };

	if (!room)
		return "no memory";
	if (!object(&c, &found)) {
		free(room);
		return no_json;
	}
	/* One piece of memory, which begins with the key. */
	line->key.data = malloc(found.key.len + found.value.len + 1);
	if (line->key.data) {
		line->key.len = found.key.len;
		line->value.len = found.value.len;
		line->value.data = line->key.data + found.key.len;
		memcpy(line->key.data, found.key.data, found.key.len);
		memcpy(line->value.data, found.value.data, found.value.len);
	}
	free(room);
	return line->key.data ? NULL : "no memory";
}
