/* SPDX-License-Identifier: GPL-2.0-only */
/* kreg get, kreg take, kreg count: look at objects. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"

static const struct option options[] = {
	{ "output", required_argument, NULL, 'o' },
	COMMON_LONG_OPTIONS
};

struct found {
	const struct bytes *key;
	struct bytes value;
	const char *path;		/* where it goes; NULL: standard output */
	int code;			/* exit code of that */
};

/* On a terminal escaped and as a line; into files and pipes the bytes alone. */
static int show(const struct found *f, FILE *out)
{
	if (json) {
		json_begin(out);
		json_bytes("key", f->key->data, f->key->len);
		json_bytes("value", f->value.data, f->value.len);
		json_end();
	} else if (hex || isatty(fileno(out))) {
		bytes_print(f->value.data, f->value.len, out);
		putc('\n', out);
	} else {
		bytes_write(f->value.data, f->value.len, out);
	}
	return finish_output();
}

static int hand_out(const struct found *f)
{
	return f->path ? output_file(f->path, &f->value) : show(f, stdout);
}

static int get_value(struct kreg_table *table, const struct bytes *key, void *arg)
{
	struct found *f = arg;
	void *value;
	int ret;

	f->key = key;
	ret = kreg_get_alloc(table, f->key->data, f->key->len, &value, &f->value.len);
	if (ret)
		return fail(ret);
	f->value.data = value;
	return hand_out(f);
}

/*
 * It is on loan until the value is written, so it is not lost if that cannot be done, or if this
 * process is killed meanwhile. What is bound to a process is not to be had on loan.
 */
static int take_out(struct kreg_table *table, void *arg)
{
	struct kreg_loan loan = KREG_LOAN_INIT;
	struct found *f = arg;
	void *value;
	int ret;

	ret = kreg_lease(table, f->key->data, f->key->len, 0, &value, &f->value.len, &loan);
	if (ret == -EBUSY)
		ret = kreg_take_alloc(table, f->key->data, f->key->len, &value, &f->value.len);
	if (ret)
		return ret;
	f->value.data = value;
	f->code = hand_out(f);
	if (!loan.version)
		return 0;
	if (f->code)
		return kreg_lease_return(table, f->key->data, f->key->len, &loan);
	return kreg_lease_done(table, f->key->data, f->key->len, &loan);
}

static int take_value(struct kreg_table *table, const struct bytes *key, void *arg)
{
	struct found *f = arg;
	int ret;

	f->key = key;
	/* The end of a pipe that nobody reads is an error like any other. */
	signal(SIGPIPE, SIG_IGN);
	ret = as_owner(table, take_out, f);
	return ret ? fail(ret) : f->code;
}

static int run_with(int argc, char **argv,
		    int (*act)(struct kreg_table *table, const struct bytes *key, void *arg))
{
	struct found f = { 0 };
	int c, ret;

	while ((c = next_option(argc, argv, "o:", options)) != -1)
		f.path = optarg;
	ret = with_key(argc, argv, act, &f);
	bytes_free(&f.value);
	return ret;
}

static int get_run(int argc, char **argv)
{
	return run_with(argc, argv, get_value);
}

static int take_run(int argc, char **argv)
{
	return run_with(argc, argv, take_value);
}

const struct command cmd_get = {
	.name = "get",
	.args = "[-o FILE] NAME KEY",
	.summary = "print the value of a key",
	.help = "Print a value: to a terminal escaped and on a line, else byte by byte.\n\n"
		"  -o, --output FILE  write it to FILE, which is replaced as a whole, or stays as\n"
		"                     it was if there is an error",
	.run = get_run,
};

const struct command cmd_take = {
	.name = "take",
	.args = "[-o FILE] NAME KEY",
	.summary = "print a value and remove the object",
	.help = "As 'kreg get', and remove the object when it is written: of several takers\n"
		"exactly one gets it. Until then it is on loan to this command, so if it cannot\n"
		"be written, or the command is killed, the object is there again.\n\n"
		"  -o, --output FILE  write it to FILE",
	.run = take_run,
};

static const struct option count_options[] = {
	COMMON_LONG_OPTIONS
};

static int count_run(int argc, char **argv)
{
	struct kreg_table *table;
	uint64_t n;
	int ret;

	while (next_option(argc, argv, "", count_options) != -1)
		;
	need_args(argc, 1, 1);
	ret = open_table(argv[optind], &table);
	if (ret)
		return ret;
	ret = kreg_count(table, &n);
	if (ret) {
		ret = fail(ret);
	} else if (json) {
		json_begin(stdout);
		json_number("objects", n);
		json_end();
	} else {
		printf("%" PRIu64 "\n", n);
	}
	close_table(table);
	return ret ? ret : finish_output();
}

const struct command cmd_count = {
	.name = "count",
	.args = "NAME",
	.summary = "print the number of objects",
	.help = "Print the number of objects.",
	.run = count_run,
};
