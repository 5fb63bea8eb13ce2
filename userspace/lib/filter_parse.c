/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The text form of filters, by recursive descent. Each question becomes a term whose two ways out
 * are open at first; "and", "or" and "not" only say which of them lead to what comes next. So there
 * is no tree, and the terms stand in the order of the text.
 */
#include <errno.h>
#include <string.h>

#include "filter.h"

/* Of parentheses and "!" within each other. */
#define MOST_DEPTH	64

/* Ways out of terms, a bit a term: by its yes, and by its no. */
struct ways {
	uint64_t yes, no;
};

/* Those on which an expression is true, and false. */
struct expression {
	struct ways met, failed;
};

static struct expression parse_or(struct kreg_parser *p);

static struct expression fail_at(struct kreg_parser *p, const char *at, int err, const char *text)
{
	kreg_parse_fail(p, at, err, text);
	return (struct expression){ { 0, 0 }, { 0, 0 } };
}

static struct expression expected(struct kreg_parser *p, const char *text)
{
	return fail_at(p, p->at, -EINVAL, text);
}

static void lead_to(struct kreg_parser *p, struct ways from,
		    uint8_t (*pass)(size_t term, size_t to), size_t to)
{
	size_t i;

	for (i = 0; i < p->out->count; i++) {
		if (from.yes >> i & 1)
			p->out->terms[i].yes = pass(i, to);
		if (from.no >> i & 1)
			p->out->terms[i].no = pass(i, to);
	}
}

static uint8_t pass_to(size_t term, size_t to)
{
	return to - term - 1;
}

static uint8_t pass_out(size_t term, size_t to)
{
	(void)term;
	(void)to;
	return KREG_TERM_REJECT;
}

static struct ways both(struct ways a, struct ways b)
{
	return (struct ways){ a.yes | b.yes, a.no | b.no };
}

static struct expression invert(struct expression e)
{
	return (struct expression){ e.failed, e.met };
}

/* A term, of which yes is true. */
static struct expression add_term(struct kreg_parser *p, const char *at, const struct kreg_term *t)
{
	uint64_t bit;

	if (p->fault->err)
		return expected(p, NULL);
	if (p->out->count == KREG_MAX_TERMS)
		return fail_at(p, at, -EFBIG, "there are more than 64 questions");
	bit = UINT64_C(1) << p->out->count;
	p->out->terms[p->out->count++] = *t;
	return (struct expression){ { bit, 0 }, { 0, bit } };
}

/* What @t compares with has to be a number of its size and sign. */
static void take_value(struct kreg_parser *p, struct kreg_term *t)
{
	unsigned int bits = t->size ? t->size * 8 : 64;
	bool is_signed = t->flags & KREG_TERM_SIGNED, minus;
	uint64_t most = UINT64_MAX >> (64 - bits), number;
	const char *begin;

	kreg_parse_blanks(p);
	begin = p->at;
	minus = kreg_parse_sign(p, "-");
	if (!kreg_parse_digits(p, &number))
		return;
	if (is_signed)
		most = (most >> 1) + minus;
	if ((minus && !is_signed) || number > most) {
		fail_at(p, begin, -EINVAL, "the field cannot be this number");
		return;
	}
	t->value = minus ? -number : number;
	if (t->value & ~t->mask && !is_signed)
		fail_at(p, begin, -EINVAL, "the field cannot be this number under this mask");
}

/* What is behind a field that is a number. */
static struct expression parse_comparison(struct kreg_parser *p, const char *at,
					  struct kreg_term *t)
{
	static const struct {
		const char *sign;
		uint8_t op;
	} signs[] = {
		{ "==", KREG_TERM_EQ }, { "!=", KREG_TERM_NE }, { "<=", KREG_TERM_LE },
		{ ">=", KREG_TERM_GE }, { "<", KREG_TERM_LT }, { ">", KREG_TERM_GT },
	};
	size_t i;

	for (i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		if (!kreg_parse_sign(p, signs[i].sign))
			continue;
		t->op = signs[i].op;
		take_value(p, t);
		return add_term(p, at, t);
	}
	if (t->mask == UINT64_MAX)
		return expected(p, "a comparison is expected: == != < <= > >= or &");
	t->op = KREG_TERM_BITS;
	return add_term(p, at, t);
}

static struct expression parse_number(struct kreg_parser *p, const char *at, struct kreg_term *t)
{
	uint64_t mask = UINT64_MAX;
	const char *mask_at;

	t->mask = mask;
	kreg_parse_blanks(p);
	if (p->at[0] == '&' && p->at[1] != '&') {
		mask_at = p->at++;
		kreg_parse_blanks(p);
		if (!kreg_parse_digits(p, &mask))
			return expected(p, NULL);
		t->mask = mask;
		if (t->flags & KREG_TERM_SIGNED)
			return fail_at(p, mask_at, -EINVAL, "a signed number goes with no mask");
		if (!t->mask || (t->size && t->size < 8 && t->mask >> t->size * 8))
			return fail_at(p, mask_at, -EINVAL, "the field has no such bits");
	}
	return parse_comparison(p, at, t);
}

/* Bytes at some place; none are everywhere, which is no question. */
static struct expression parse_bytes(struct kreg_parser *p, const char *at, struct kreg_term *t)
{
	const char *string_at = p->at;

	if (!kreg_parse_string(p, t))
		return expected(p, NULL);
	if (!t->size)
		return fail_at(p, string_at, -EINVAL, "the string is empty");
	return add_term(p, at, t);
}

/* True if both are; the ways on which the first is lead to the second already. */
static struct expression join(struct expression a, struct expression b)
{
	return (struct expression){ b.met, both(a.failed, b.failed) };
}

static struct kreg_term length_term(const struct kreg_term *t, uint8_t op, uint64_t len)
{
	return (struct kreg_term){
		.op = op,
		.of = t->of == KREG_TERM_KEY ? KREG_TERM_KEY_LEN : KREG_TERM_VALUE_LEN,
		.mask = UINT64_MAX,
		.value = len,
	};
}

/* First one and then, if it is met, the other. */
static struct expression add_both(struct kreg_parser *p, const char *at,
				  const struct kreg_term *first,
				  const struct kreg_term *second, bool inverted)
{
	struct expression a = add_term(p, at, first), b;

	lead_to(p, a.met, pass_to, p->out->count);
	b = add_term(p, at, second);
	return join(a, inverted ? invert(b) : b);
}

/* Bytes that are there, and others. */
static struct expression parse_other_bytes(struct kreg_parser *p, const char *at,
					   struct kreg_term *t)
{
	const char *string_at = p->at;
	struct kreg_term len;

	if (!kreg_parse_string(p, t))
		return expected(p, NULL);
	if (!t->size)
		return fail_at(p, string_at, -EINVAL, "the string is empty");
	len = length_term(t, KREG_TERM_GE, (uint64_t)t->offset + t->size);
	return add_both(p, at, &len, t, true);
}

/* The whole of a key or value: its length, and if that is right its bytes. */
static struct expression parse_whole(struct kreg_parser *p, const char *at, struct kreg_term *t)
{
	struct kreg_term len;
	bool inverted = kreg_parse_sign(p, "!=");
	struct expression e;

	if (!inverted && !kreg_parse_sign(p, "=="))
		return expected(p, "== or != is expected");
	if (!kreg_parse_string(p, t))
		return expected(p, NULL);
	len = length_term(t, KREG_TERM_EQ, t->size);
	e = t->size ? add_both(p, at, &len, t, false) : add_term(p, at, &len);
	return inverted ? invert(e) : e;
}

/* The offset behind "@". */
static bool take_offset(struct kreg_parser *p, struct kreg_term *t)
{
	const char *at;
	uint64_t offset;

	if (*p->at != '@') {
		expected(p, "@ and an offset are expected");
		return false;
	}
	at = ++p->at;
	if (!kreg_parse_digits(p, &offset))
		return false;
	if (offset > UINT32_MAX) {
		fail_at(p, at, -EINVAL, "the offset is too large");
		return false;
	}
	t->offset = offset;
	return true;
}

/* "u32", "s16be" and so on. */
static bool take_type(struct kreg_parser *p, struct kreg_term *t)
{
	static const struct {
		const char *name;
		uint16_t size;
	} sizes[] = { { "8", 1 }, { "16", 2 }, { "32", 4 }, { "64", 8 } };
	size_t i, len;

	if (*p->at != 'u' && *p->at != 's')
		return false;
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		len = strlen(sizes[i].name);
		if (strncmp(p->at + 1, sizes[i].name, len))
			continue;
		t->flags = *p->at == 's' ? KREG_TERM_SIGNED : 0;
		t->size = sizes[i].size;
		p->at += 1 + len;
		if (!strncmp(p->at, "be", 2)) {
			t->flags |= KREG_TERM_BIG_ENDIAN;
			p->at += 2;
		}
		return true;
	}
	return false;
}

#define EXPECTED_FIELD							\
	"a field is expected: u8@N s16@N u32be@N ..., bytes@N, prefix, len, key, value or version"

/* What is asked of a key or a value. */
static struct expression parse_field(struct kreg_parser *p, const char *at, struct kreg_term *t)
{
	bool key = t->of == KREG_TERM_KEY;

	if (take_type(p, t))
		return take_offset(p, t) ? parse_number(p, at, t) : expected(p, NULL);
	if (kreg_parse_word(p, "len")) {
		t->of = key ? KREG_TERM_KEY_LEN : KREG_TERM_VALUE_LEN;
		return parse_number(p, at, t);
	}
	if (kreg_parse_word(p, "prefix"))
		return parse_bytes(p, at, t);
	if (!kreg_parse_word(p, "bytes"))
		return expected(p, EXPECTED_FIELD);
	if (!take_offset(p, t))
		return expected(p, NULL);
	if (kreg_parse_sign(p, "=="))
		return parse_bytes(p, at, t);
	return kreg_parse_sign(p, "!=") ? parse_other_bytes(p, at, t) :
				    expected(p, "== or != is expected");
}

static struct expression parse_question(struct kreg_parser *p)
{
	struct kreg_term t = { .of = KREG_TERM_VALUE };
	const char *at;
	bool key;

	kreg_parse_blanks(p);
	at = p->at;
	if (kreg_parse_word(p, "version")) {
		t.of = KREG_TERM_VERSION;
		return parse_number(p, at, &t);
	}
	key = kreg_parse_word(p, "key");
	if (key)
		t.of = KREG_TERM_KEY;
	if (key || kreg_parse_word(p, "value")) {
		if (*p->at != '.')
			return parse_whole(p, at, &t);
		p->at++;
	}
	return parse_field(p, at, &t);
}

static struct expression parse_group(struct kreg_parser *p)
{
	struct expression e = parse_or(p);

	if (!p->fault->err && !kreg_parse_sign(p, ")"))
		e = expected(p, "&& || or ) is expected");
	return e;
}

static struct expression parse_not(struct kreg_parser *p)
{
	struct expression e;
	const char *at;
	bool inverse;

	kreg_parse_blanks(p);
	at = p->at;
	inverse = kreg_parse_word(p, "not") ||
		  (p->at[0] == '!' && p->at[1] != '=' && kreg_parse_sign(p, "!"));
	if (!inverse && !kreg_parse_sign(p, "("))
		return parse_question(p);
	if (p->depth == MOST_DEPTH)
		return fail_at(p, at, -EFBIG, "there are more than 64 levels");
	p->depth++;
	e = inverse ? invert(parse_not(p)) : parse_group(p);
	p->depth--;
	return e;
}

static struct expression parse_and(struct kreg_parser *p)
{
	struct expression e = parse_not(p);

	while (!p->fault->err && (kreg_parse_sign(p, "&&") || kreg_parse_word(p, "and"))) {
		lead_to(p, e.met, pass_to, p->out->count);
		e = join(e, parse_not(p));
	}
	return e;
}

static struct expression parse_or(struct kreg_parser *p)
{
	struct expression e = parse_and(p);

	while (!p->fault->err && (kreg_parse_sign(p, "||") || kreg_parse_word(p, "or"))) {
		lead_to(p, e.failed, pass_to, p->out->count);
		e = invert(join(invert(e), invert(parse_and(p))));
	}
	return e;
}

int kreg_filter_parse(const char *text, struct kreg_terms *terms, struct kreg_parse_fault *fault)
{
	struct kreg_parser p = { .text = text, .at = text, .out = terms, .fault = fault };
	struct expression e;

	terms->count = 0;
	terms->used = 0;
	e = parse_or(&p);
	kreg_parse_blanks(&p);
	if (!fault->err && *p.at)
		expected(&p, "&& || or the end is expected");
	if (fault->err)
		return fault->err;
	lead_to(&p, e.met, pass_to, terms->count);
	lead_to(&p, e.failed, pass_out, 0);
	return 0;
}
