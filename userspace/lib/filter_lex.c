/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Signs, words, numbers and strings of the text form of filters. */
#include <errno.h>
#include <string.h>

#include "filter.h"

void kreg_parse_fail(struct kreg_parser *p, const char *at, int err, const char *text)
{
	if (p->fault->err)
		return;
	p->fault->err = err;
	p->fault->column = at - p->text + 1;
	p->fault->text = text;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

void kreg_parse_blanks(struct kreg_parser *p)
{
	while (is_blank(*p->at))
		p->at++;
}

bool kreg_parse_sign(struct kreg_parser *p, const char *sign)
{
	size_t len = strlen(sign);

	kreg_parse_blanks(p);
	if (strncmp(p->at, sign, len))
		return false;
	p->at += len;
	return true;
}

bool kreg_parse_word(struct kreg_parser *p, const char *word)
{
	size_t len = strlen(word);

	kreg_parse_blanks(p);
	if (strncmp(p->at, word, len) || is_word(p->at[len]))
		return false;
	p->at += len;
	return true;
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : 16;
}

bool kreg_parse_digits(struct kreg_parser *p, uint64_t *number)
{
	uint64_t base = 10;
	const char *begin;
	int digit;

	if (p->at[0] == '0' && p->at[1] == 'x') {
		base = 16;
		p->at += 2;
	}
	*number = 0;
	for (begin = p->at; (digit = digit_of(*p->at)) < (int)base; p->at++) {
		if (*number > (UINT64_MAX - digit) / base) {
			kreg_parse_fail(p, begin, -EINVAL, "the number is too large");
			return false;
		}
		*number = *number * base + digit;
	}
	if (p->at != begin && !is_word(*p->at))
		return true;
	kreg_parse_fail(p, p->at, -EINVAL, "a number is expected, such as 100 or 0x1f");
	return false;
}

/* A byte of a string, as "\n" or "\x1f" says. */
static bool take_escape(struct kreg_parser *p, unsigned char *byte)
{
	static const char names[] = "ntr0\\\"'", bytes[] = "\n\t\r\0\\\"'";
	const char *name;

	if (p->at[0] == 'x' && digit_of(p->at[1]) < 16 && digit_of(p->at[2]) < 16) {
		*byte = digit_of(p->at[1]) * 16 + digit_of(p->at[2]);
		p->at += 3;
		return true;
	}
	name = *p->at ? strchr(names, *p->at) : NULL;
	if (!name) {
		kreg_parse_fail(p, p->at, -EINVAL, "an escape is expected: \\n \\t \\r \\0 \\\\ \\\" \\' or \\x and two digits");
		return false;
	}
	*byte = bytes[name - names];
	p->at++;
	return true;
}

bool kreg_parse_string(struct kreg_parser *p, struct kreg_term *t)
{
	struct kreg_terms *out = p->out;
	size_t begin = out->used;
	const char *at;
	char quote;

	kreg_parse_blanks(p);
	at = p->at;
	quote = *p->at;
	if (quote != '"' && quote != '\'') {
		kreg_parse_fail(p, p->at, -EINVAL, "a string in quotes is expected");
		return false;
	}
	for (p->at++; *p->at != quote; ) {
		unsigned char byte = *p->at;

		/* The parser looks at what comes next, which must not be behind the NUL. */
		if (!byte) {
			kreg_parse_fail(p, at, -EINVAL, "the string does not end");
			return false;
		}
		p->at++;
		if (byte == '\\' && !take_escape(p, &byte))
			return false;
		if (out->used == KREG_MAX_TERM_BYTES) {
			kreg_parse_fail(p, at, -EFBIG, "the strings have more than 4096 bytes");
			return false;
		}
		out->bytes[out->used++] = byte;
	}
	p->at++;
	t->op = KREG_TERM_BYTES;
	t->mask = 0;
	t->value = begin;
	t->size = out->used - begin;
	return true;
}
