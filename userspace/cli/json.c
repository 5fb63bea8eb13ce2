/* SPDX-License-Identifier: GPL-2.0-only */
/* JSON, one object a line. Bytes that are no text are told in hexadecimal digits. */
#include <inttypes.h>
#include <string.h>

#include "cmd.h"

static FILE *stream;
static bool first;

void json_begin(FILE *out)
{
	stream = out;
	first = true;
	putc('{', stream);
}

static void put_string(const unsigned char *s, size_t len)
{
	putc('"', stream);
	for (; len; s++, len--) {
		if (*s == '"' || *s == '\\')
			fprintf(stream, "\\%c", *s);
		else if (*s == '\n')
			fputs("\\n", stream);
		else if (*s == '\t')
			fputs("\\t", stream);
		else if (*s < 0x20 || *s == 0x7f)
			fprintf(stream, "\\u%04x", *s);
		else
			putc(*s, stream);
	}
	putc('"', stream);
}

static void name_of(const char *name, const char *suffix)
{
	if (!first)
		putc(',', stream);
	first = false;
	fprintf(stream, "\"%s%s\":", name, suffix);
}

void json_number(const char *name, uint64_t value)
{
	name_of(name, "");
	fprintf(stream, "%" PRIu64, value);
}

void json_signed(const char *name, int64_t value)
{
	name_of(name, "");
	fprintf(stream, "%" PRId64, value);
}

void json_bool(const char *name, bool value)
{
	name_of(name, "");
	fputs(value ? "true" : "false", stream);
}

void json_null(const char *name)
{
	name_of(name, "");
	fputs("null", stream);
}

void json_bytes(const char *name, const void *data, size_t len)
{
	const unsigned char *s = data;

	if (!hex && bytes_utf8(data, len)) {
		name_of(name, "");
		put_string(s, len);
		return;
	}
	name_of(name, "_hex");
	putc('"', stream);
	while (len--)
		fprintf(stream, "%02x", *s++);
	putc('"', stream);
}

/* For names and sentences, which --hex does not change. */
void json_text(const char *name, const char *text)
{
	bool keep = hex;

	hex = false;
	json_bytes(name, text, strlen(text));
	hex = keep;
}

void json_end(void)
{
	fputs("}\n", stream);
	fflush(stream);
}
