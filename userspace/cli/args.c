/* SPDX-License-Identifier: GPL-2.0-only */
/* Command lines. */
#include <stdlib.h>
#include <string.h>

#include "cmd.h"

const struct command *command;
bool json;
bool hex;

/* What a terminal has, if it is no wider. */
#define WIDTH	80

/* How it is called, and @more, on as many lines as that takes. */
static void print_usage(const struct command *cmd, const char *more, FILE *out)
{
	int indent = fprintf(out, "Usage: kreg %s", cmd->name), column = indent, len;
	char text[512];
	const char *s;

	snprintf(text, sizeof(text), "%s%s", cmd->args, more);
	for (s = text; *s; s += len + (s[len] == ' ')) {
		len = strcspn(s, " ");
		if (column + 1 + len > WIDTH)
			column = fprintf(out, "\n%*s", indent, "") - 1;
		column += fprintf(out, *s == ';' ? "%.*s" : " %.*s", len, s);
	}
}

void print_help(const struct command *cmd, FILE *out)
{
	print_usage(cmd, "", out);
	fprintf(out, "\n\n%s\n", cmd->help);
	fprintf(out, "\nCommon options:\n"
		"  -j, --json  output, one JSON object a line\n"
		"  -x, --hex   keys and values are hexadecimal digits, given and shown\n"
		"  -h, --help  this text\n");
}

void usage(const char *format, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	fprintf(stderr, "kreg %s: ", command->name);
	hex = false;
	bytes_print(text, strlen(text), stderr);
	putc('\n', stderr);
	snprintf(text, sizeof(text), "; see 'kreg %s --help'", command->name);
	print_usage(command, text, stderr);
	putc('\n', stderr);
	exit(EXIT_USAGE);
}

/* In place of the messages of getopt(3), which do not name the subcommand. */
static void bad_option(int argc, char **argv, int c)
{
	const char *arg = optind > 0 && optind <= argc ? argv[optind - 1] : "";

	if (optopt && optopt < 256 && strncmp(arg, "--", 2))
		usage(c == ':' ? "option -%c needs an argument" :
		      "there is no option -%c; a key or value that begins with - goes behind '--'",
		      optopt);
	usage(c == ':' ? "option %s needs an argument" :
	      "there is no option %s, or it takes no argument; a key or value that begins with - goes behind '--'",
	      arg);
}

int next_option(int argc, char **argv, const char *shorts, const struct option *longs)
{
	char all[64];
	const char *stop = *shorts == '+' ? "+" : "";
	int c;

	snprintf(all, sizeof(all), "%s:jxh%s", stop, shorts + (*shorts == '+'));
	opterr = 0;
	for (;;) {
		c = getopt_long(argc, argv, all, longs, NULL);
		switch (c) {
		case 'j':
			json = true;
			break;
		case 'x':
			hex = true;
			break;
		case 'h':
			print_help(command, stdout);
			exit(finish_output());
		case '?':
		case ':':
			bad_option(argc, argv, c);
			break;
		default:
			return c;
		}
	}
}

void need_args(int argc, int min, int max)
{
	int n = argc - optind;

	if (n < min)
		usage("%s", n ? "too few arguments" : "arguments are missing");
	if (max >= 0 && n > max)
		usage("too many arguments");
}

/* "kreg ls" shows a table without a name as # and its id. */
uint64_t id_arg(const char *text)
{
	uint64_t id;

	if (parse_number(text + (*text == '#'), UINT64_MAX, &id) || !id)
		usage("'%s' is no id of a table", text);
	return id;
}
