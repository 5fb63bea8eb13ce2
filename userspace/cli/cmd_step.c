/* SPDX-License-Identifier: GPL-2.0-only */
/* kreg first, kreg last, kreg next, kreg prev: keys one by one. */
#include <unistd.h>

#include "cmd.h"

static const struct option options[] = {
	COMMON_LONG_OPTIONS
};

/* As 'kreg get' shows a value, but always as a line. */
static void show(const void *key, size_t len)
{
	if (json) {
		json_begin(stdout);
		json_bytes("key", key, len);
		json_end();
		return;
	}
	if (hex || isatty(STDOUT_FILENO))
		bytes_print(key, len, stdout);
	else
		bytes_write(key, len, stdout);
	putchar('\n');
}

static int show_found(int ret, const void *key, size_t len)
{
	if (ret)
		return fail(ret);
	show(key, len);
	return finish_output();
}

static int run_end(int argc, char **argv,
		   int (*find)(struct kreg_table *table, void *buf, size_t room, size_t *len))
{
	char key[KREG_MAX_KEY];
	struct kreg_table *table;
	size_t len;
	int ret;

	while (next_option(argc, argv, "", options) != -1)
		;
	need_args(argc, 1, 1);
	ret = open_table(argv[optind], &table);
	if (ret)
		return ret;
	ret = find(table, key, sizeof(key), &len);
	ret = show_found(ret, key, len);
	close_table(table);
	return ret;
}

static int first_run(int argc, char **argv)
{
	return run_end(argc, argv, kreg_first);
}

static int last_run(int argc, char **argv)
{
	return run_end(argc, argv, kreg_last);
}

static int find_next(struct kreg_table *table, const struct bytes *key, void *arg)
{
	char found[KREG_MAX_KEY];
	bool *back = arg;
	size_t len;
	int ret;

	ret = (*back ? kreg_prev : kreg_next)(table, key->data, key->len, found, sizeof(found),
					      &len);
	return show_found(ret, found, len);
}

static int run_from(int argc, char **argv, bool back)
{
	while (next_option(argc, argv, "", options) != -1)
		;
	return with_key(argc, argv, find_next, &back);
}

static int next_run(int argc, char **argv)
{
	return run_from(argc, argv, false);
}

static int prev_run(int argc, char **argv)
{
	return run_from(argc, argv, true);
}

#define HOW	"To a terminal it is escaped, else it is printed byte by byte; --json and --hex\n" \
		"tell of all bytes without doubt."

const struct command cmd_first = {
	.name = "first",
	.args = "NAME",
	.summary = "print the first key",
	.help = "Print the first key: of an ordered table the lowest, else the first in the\n"
		"table's own order, which never changes.\n\n" HOW,
	.run = first_run,
};

const struct command cmd_last = {
	.name = "last",
	.args = "NAME",
	.summary = "print the last key of an ordered table",
	.help = "Print the highest key of an ordered table.\n\n" HOW,
	.run = last_run,
};

const struct command cmd_next = {
	.name = "next",
	.args = "NAME KEY",
	.summary = "print the key after another one",
	.help = "Print the key that comes after KEY, which need not be in the table.\n\n" HOW,
	.run = next_run,
};

const struct command cmd_prev = {
	.name = "prev",
	.args = "NAME KEY",
	.summary = "print the key before another one",
	.help = "Print the key that comes before KEY in an ordered table. KEY need not be in it.\n\n"
		HOW,
	.run = prev_run,
};
