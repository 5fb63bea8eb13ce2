/* SPDX-License-Identifier: GPL-2.0-only */
/* Objects as 'kreg scan' prints them. */
#ifndef KREG_CLI_LOAD_H
#define KREG_CLI_LOAD_H

#include "cmd.h"

/* Key and value of a line, in one piece of memory, which is that of the key. */
struct line {
	struct bytes key;
	struct bytes value;
};

/*
 * load_text.c and load_json.c: read a line, which ends with a NUL byte behind @len. NULL: the
 * object is to be freed with line_free(); else what is wrong with it.
 */
const char *line_text(const char *text, size_t len, struct line *line);
const char *line_json(const char *text, size_t len, struct line *line);
void line_free(struct line *line);

#endif /* KREG_CLI_LOAD_H */
