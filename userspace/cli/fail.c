/* SPDX-License-Identifier: GPL-2.0-only */
/* Errors: a sentence for people, a code for programs. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"

int exit_code_of(int err)
{
	switch (abs(err)) {
	case ENOENT:
	case ENODATA:
	case ESTALE:
	case ESRCH:
	case ENOTCONN:
		return EXIT_MISSING;
	case EEXIST:
	case EPROTOTYPE:
		return EXIT_EXISTS;
	case EACCES:
	case EPERM:
	case EBADF:
	case EROFS:
		return EXIT_DENIED;
	case EBUSY:
	case EOWNERDEAD:
	case EALREADY:
	case EAGAIN:
	case ETIMEDOUT:
		return EXIT_BUSY;
	case ENXIO:
	case ENODEV:
		return EXIT_NO_DEVICE;
	}
	return EXIT_ERROR;
}

/* Escaped, since names in the text may hold control characters. */
static void say(const char *code, const char *text)
{
	bool keep = hex;

	/* Standard output is buffered: what was printed before is to appear before. */
	fflush(stdout);
	hex = false;
	if (json) {
		json_begin(stderr);
		json_text("error", code);
		json_text("message", text);
		json_end();
	} else {
		fprintf(stderr, "kreg %s: ", command->name);
		bytes_print(text, strlen(text), stderr);
		putc('\n', stderr);
	}
	hex = keep;
}

int fail(int err)
{
	say(kreg_error_name(err), kreg_errmsg());
	return exit_code_of(err);
}

int fail_device(int err)
{
	fail(err);
	return EXIT_NO_DEVICE;
}

int fail_text(int code, const char *format, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	say("other", text);
	return code;
}

/* For people: on standard error, and not with --json. */
void note(const char *format, ...)
{
	char text[512];
	bool keep = hex;
	va_list ap;

	if (json)
		return;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	fflush(stdout);
	fprintf(stderr, "kreg %s: ", command->name);
	hex = false;
	bytes_print(text, strlen(text), stderr);
	hex = keep;
	putc('\n', stderr);
}

/* A full disk or a closed pipe must not look like success. */
int finish_output(void)
{
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "kreg: the output cannot be written: %s\n", strerror(errno));
		return EXIT_ERROR;
	}
	return EXIT_OK;
}
