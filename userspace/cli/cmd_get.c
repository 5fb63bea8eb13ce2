/* SPDX-License-Identifier: GPL-2.0-only */
/* kreg get, kreg take, kreg count: look at objects. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"

static const struct option options[] = {
	{ "output", required_argument, NULL, 'o' },
	COMMON_LONG_OPTIONS
};

struct found {
	struct bytes key;
	struct bytes value;
	bool take;
};

static int act(struct kreg_table *table, void *arg)
{
	struct found *f = arg;
	void *value;
	int ret;

	if (f->take)
		ret = kreg_take_alloc(table, f->key.data, f->key.len, &value, &f->value.len);
	else
		ret = kreg_get_alloc(table, f->key.data, f->key.len, &value, &f->value.len);
	if (!ret)
		f->value.data = value;
	return ret;
}

/* On a terminal escaped and as a line; into files and pipes the bytes alone. */
static int show(const struct found *f, FILE *out)
{
	if (json) {
		json_begin(out);
		json_bytes("key", f->key.data, f->key.len);
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

static int write_file(const struct found *f, FILE *out, const char *path)
{
	int ret = bytes_write(f->value.data, f->value.len, out);

	if (fclose(out) || ret)
		return fail_text(EXIT_ERROR, "%s: %s", path, strerror(errno));
	return 0;
}

/* The file is opened first: if it cannot be, nothing has been taken out of the table. */
static int fetch(struct kreg_table *table, struct found *f, const char *path)
{
	FILE *out = stdout;
	int ret;

	if (path) {
		out = fopen(path, "we");
		if (!out)
			return fail_text(EXIT_ERROR, "%s: %s", path, strerror(errno));
	}
	ret = f->take ? as_owner(table, act, f) : act(table, f);
	if (!ret)
		return path ? write_file(f, out, path) : show(f, out);
	if (path)
		fclose(out);
	return fail(ret);
}

static int get(int argc, char **argv, bool take)
{
	struct found f = { .take = take };
	struct kreg_table *table;
	const char *path = NULL;
	int c, ret;

	while ((c = next_option(argc, argv, "o:", options)) != -1)
		path = optarg;
	need_args(argc, 2, 2);
	if (!*argv[optind + 1])
		usage("the key is empty");
	f.key = bytes_arg(argv[optind + 1]);
	ret = open_table(argv[optind], &table);
	if (!ret) {
		ret = fetch(table, &f, path);
		close_table(table);
	}
	bytes_free(&f.key);
	bytes_free(&f.value);
	return ret;
}

static int get_run(int argc, char **argv)
{
	return get(argc, argv, false);
}

static int take_run(int argc, char **argv)
{
	return get(argc, argv, true);
}

const struct command cmd_get = {
	.name = "get",
	.args = "[-o FILE] NAME KEY",
	.summary = "print the value of a key",
	.help = "Print a value: to a terminal escaped and on a line, else byte by byte.\n\n"
		"  -o, --output FILE  write it to FILE",
	.run = get_run,
};

const struct command cmd_take = {
	.name = "take",
	.args = "[-o FILE] NAME KEY",
	.summary = "print a value and remove the object",
	.help = "As 'kreg get', and remove the object in the same moment: of several takers\n"
		"exactly one gets it.\n\n"
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
