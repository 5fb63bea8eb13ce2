/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Filters: between their text form and what the kernel gets. */
#ifndef KREG_LIB_FILTER_H
#define KREG_LIB_FILTER_H

#include "internal.h"

/* Terms as they come; in those of strings, @value is where in @bytes they begin. */
struct kreg_terms {
	size_t count;
	size_t used;		/* of @bytes */
	struct kreg_term terms[KREG_MAX_TERMS];
	unsigned char bytes[KREG_MAX_TERM_BYTES];
};

/* What the parser has to say of a text that is wrong. */
struct kreg_parse_fault {
	int err;
	size_t column;
	const char *text;
};

struct kreg_parser {
	const char *text, *at;
	struct kreg_terms *out;
	struct kreg_parse_fault *fault;	/* the first one is told */
	unsigned int depth;
};

/* filter_lex.c: something is wrong at @at. */
void kreg_parse_fail(struct kreg_parser *p, const char *at, int err, const char *text);
void kreg_parse_blanks(struct kreg_parser *p);
/* Go on behind @sign, or a word that ends there, if it comes next. */
bool kreg_parse_sign(struct kreg_parser *p, const char *sign);
bool kreg_parse_word(struct kreg_parser *p, const char *word);
/* Digits, decimal or behind "0x". false: there are none, or too many. */
bool kreg_parse_digits(struct kreg_parser *p, uint64_t *number);
/* A string in quotes of either kind; @t leads to its bytes then. */
bool kreg_parse_string(struct kreg_parser *p, struct kreg_term *t);

/* filter_parse.c: 0, or an error, of which *fault tells. */
int kreg_filter_parse(const char *text, struct kreg_terms *terms, struct kreg_parse_fault *fault);

#endif /* KREG_LIB_FILTER_H */
