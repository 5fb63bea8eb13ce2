/* SPDX-License-Identifier: GPL-2.0-only */
/* Command lines. */
#include <stdlib.h>
#include <string.h>

#include "cmd.h"

const struct command *command;
bool json;
bool hex;

void print_help(const struct command *cmd, FILE *out)
{
	fprintf(out, "Usage: kreg %s%s%s\n\n%s\n", cmd->name, *cmd->args ? " " : "", cmd->args,
		cmd->help);
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
	fprintf(stderr, "\nUsage: kreg %s%s%s; see 'kreg %s --help'\n", command->name,
		*command->args ? " " : "", command->args, command->name);
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
