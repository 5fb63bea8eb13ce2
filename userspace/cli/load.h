/* SPDX-License-Identifier: GPL-2.0-only */
/* What is read line by line, most of it as 'kreg scan' prints it. */
#ifndef KREG_CLI_LOAD_H
#define KREG_CLI_LOAD_H

#include "cmd.h"

/* reader.c */
struct reader {
	FILE *in;
	char *text;			/* a line, with a NUL byte behind it */
	size_t len;
	uint64_t number;		/* of the line that was read last, from 1 */
};

/* NULL, "-": standard input. 0, or the exit code, having said why. */
int reader_open(struct reader *r, const char *path);
/* 1; 0 at the end; or an error, of which reader_fault() says what it is. */
int reader_next(struct reader *r);
const char *reader_fault(int err);
void reader_close(struct reader *r);

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
/* Into room for as many bytes: what is escaped, or in hexadecimal digits with --hex. */
const char *line_part(const char *text, size_t len, struct bytes *to);

#endif /* KREG_CLI_LOAD_H */
