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

/* filter_parse.c: 0, or an error, of which *fault tells. */
int kreg_filter_parse(const char *text, struct kreg_terms *terms, struct kreg_parse_fault *fault);

#endif /* KREG_LIB_FILTER_H */
