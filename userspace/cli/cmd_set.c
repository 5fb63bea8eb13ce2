/* SPDX-License-Identifier: GPL-2.0-only */
/* kreg set: change what is said of a table. */
#include <string.h>

#include "cmd.h"

static const struct option options[] = {
	{ "schema", required_argument, NULL, 's' },
	{ "from", required_argument, NULL, 'f' },
	{ "seal", no_argument, NULL, 'S' },
	COMMON_LONG_OPTIONS
};

struct wish {
	struct schema schema;
	bool sets_schema;
	bool seals;
	uint64_t from;			/* version that it has to have so far; 0: any */
};

static void parse_wanted(const char *text, struct wish *w)
{
	w->sets_schema = true;
	w->schema = (struct schema){ 0 };
	if (strcmp(text, "none") && parse_schema(text, &w->schema))
		usage("'%s' is no schema: a number and its version, as in 0x5e55/2, or none", text);
}

static void parse(int argc, char **argv, struct wish *w)
{
	int c;

	while ((c = next_option(argc, argv, "s:f:S", options)) != -1) {
		if (c == 's')
			parse_wanted(optarg, w);
		if (c == 'S')
			w->seals = true;
		if (c == 'f' && (parse_number(optarg, UINT32_MAX, &w->from) || !w->from))
			usage("'%s' is no version: a number from 1", optarg);
	}
	need_args(argc, 1, 1);
	if (w->from && !w->sets_schema)
		usage("--from goes with --schema alone");
	if (!w->sets_schema && !w->seals)
		usage("nothing is to be set");
}

static int set(struct kreg_table *table, void *arg)
{
	const struct wish *w = arg;
	int ret = 0;

	if (w->sets_schema)
		ret = kreg_table_set_schema(table, w->schema.id, w->schema.version, w->from);
	if (!ret && w->seals)
		ret = kreg_table_seal(table);
	return ret;
}

static int run(int argc, char **argv)
{
	struct kreg_table *table;
	struct wish w = { 0 };
	int ret;

	parse(argc, argv, &w);
	ret = open_table(argv[optind], &table);
	if (ret)
		return ret;
	ret = as_owner(table, set, &w);
	if (ret)
		ret = fail(ret);
	close_table(table);
	return ret;
}

const struct command cmd_set = {
	.name = "set",
	.args = "OPTION... NAME",
	.summary = "change what is said of a table",
	.help = "Change what is said of a table that is parked.\n\n"
		"  -s, --schema ID/VERSION  what is in it, as in 0x5e55/2, or none: programs\n"
		"                 that ask for another schema or version do not open it\n"
		"  -f, --from VERSION  only if it has this version so far\n"
		"  -S, --seal     nobody changes what is in it any more; that cannot be undone",
	.run = run,
};
