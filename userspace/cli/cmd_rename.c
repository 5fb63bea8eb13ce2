/* SPDX-License-Identifier: GPL-2.0-only */
/* kreg rename: another name for a table, or those of two exchanged. */
#include "cmd.h"

static const struct option options[] = {
	{ "exchange", no_argument, NULL, 'e' },
	COMMON_LONG_OPTIONS
};

static int exchange(struct kreg_table *table, const char *name)
{
	struct kreg_table *other;
	int ret = kreg_table_open(kreg_table_client(table), name, NULL, &other);

	if (ret)
		return ret;
	ret = kreg_table_exchange(table, other);
	kreg_table_close(other);
	return ret;
}

static int run(int argc, char **argv)
{
	struct kreg_table *table;
	bool exchanges = false;
	int ret;

	while (next_option(argc, argv, "e", options) != -1)
		exchanges = true;
	need_args(argc, 2, 2);
	ret = open_table(argv[optind], &table);
	if (ret)
		return ret;
	ret = exchanges ? exchange(table, argv[optind + 1]) :
			  kreg_table_rename(table, argv[optind + 1]);
	if (ret)
		ret = fail(ret);
	close_table(table);
	return ret;
}

const struct command cmd_rename = {
	.name = "rename",
	.args = "[OPTION]... NAME NEW",
	.summary = "give a table another name",
	.help = "Give the table NAME the name NEW. Who has it open, inherits it or waits for it\n"
		"goes on to do so.\n\n"
		"  -e, --exchange  NEW is a table as well, and each gets the name of the other;\n"
		"                  at no moment is one of the names without a table",
	.run = run,
};
