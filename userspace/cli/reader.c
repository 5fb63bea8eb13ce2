/* SPDX-License-Identifier: GPL-2.0-only */
/* Lines of a file or of standard input, none longer than an object may need. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"

/* The longest value, if each byte is an escape of six. */
#define LINE	((KREG_MAX_VALUE + KREG_MAX_KEY) * 6 + 4096)

int reader_open(struct reader *r, const char *path)
{
	*r = (struct reader){ .in = stdin };
	if (path && strcmp(path, "-"))
		r->in = fopen(path, "re");
	if (!r->in)
		return fail_text(EXIT_ERROR, "%s: %s", path, strerror(errno));
	r->text = malloc(LINE + 1);
	if (r->text)
		return 0;
	reader_close(r);
	return fail_text(EXIT_ERROR, "no memory");
}

int reader_next(struct reader *r)
{
	int c = EOF;

	r->number++;
	for (r->len = 0; r->len < LINE; r->len++) {
		c = getc_unlocked(r->in);
		if (c == EOF || c == '\n')
			break;
		r->text[r->len] = c;
	}
	if (r->len == LINE)
		return -EFBIG;
	if (c == EOF && ferror(r->in))
		return -EIO;
	r->text[r->len] = '\0';
	return c != EOF || r->len;
}

const char *reader_fault(int err)
{
	return err == -EFBIG ? "it is longer than that of any object" : "it cannot be read";
}

void reader_close(struct reader *r)
{
	if (r->in && r->in != stdin)
		fclose(r->in);
	free(r->text);
}
