/* SPDX-License-Identifier: GPL-2.0-only */
/* kreg set: change what is said of a table. */
#include <string.h>

#include "cmd.h"

static const struct option options[] = {
	{ "access", required_argument, NULL, 'a' },
	{ "mode", required_argument, NULL, 'm' },
	{ "orphan", required_argument, NULL, 'o' },
	{ "keep", required_argument, NULL, 'k' },
	{ "limit", required_argument, NULL, 'l' },
	{ "writer", required_argument, NULL, 'w' },
	{ "events", required_argument, NULL, 'e' },
	{ "schema", required_argument, NULL, 's' },
	{ "from", required_argument, NULL, 'f' },
	{ "seal", no_argument, NULL, 'S' },
	COMMON_LONG_OPTIONS
};

/* What is to be set, in this order. */
enum { ACCESS = 1, MODE = 2, ORPHAN = 4, LIMIT = 8, WRITER = 16, EVENTS = 32, SCHEMA = 64,
	SEAL = 128 };

struct wish {
	unsigned int what;
	unsigned int access;
	unsigned int mode;
	unsigned int orphan;
	uint64_t keep_ms;		/* 0: as long as it may be */
	uint64_t deaths;		/* more than these in deaths_ms are too many; 0: none are */
	uint64_t deaths_ms;
	uint64_t events;		/* bytes for them; 0: none */
	const char *writer;		/* a role; "": none */
	struct schema schema;
	uint64_t from;			/* version that it has to have so far; 0: any */
};

static void parse_rights(int option, struct wish *w)
{
	if (option == 'a' && parse_access(optarg, &w->access))
		usage("'%s' is no access rule: private, protected, public or registry", optarg);
	if (option == 'm' && (parse_mode(optarg, &w->mode) || !w->mode))
		usage("'%s' is no mode: octal digits of 0666", optarg);
	w->what |= option == 'a' ? ACCESS : MODE;
}

static void parse_lost(int option, struct wish *w)
{
	if (option == 'o' && parse_orphan(optarg, &w->orphan))
		usage("'%s' is no orphan rule: park, destroy or park-on-crash", optarg);
	if (option == 'k' && (parse_time_ms(optarg, &w->keep_ms) || !w->keep_ms))
		usage("'%s' is no time: a number with ms, s, m, h or d", optarg);
	w->what |= ORPHAN;
}

static void parse_wanted(const char *text, struct wish *w)
{
	w->what |= SCHEMA;
	w->schema = (struct schema){ 0 };
	if (strcmp(text, "none") && parse_schema(text, &w->schema))
		usage("'%s' is no schema: a number and its version, as in 0x5e55/2, or none", text);
}

static void parse_others(int option, struct wish *w)
{
	if (option == 'l') {
		w->what |= LIMIT;
		w->deaths = 0;
		w->deaths_ms = 0;
		if (strcmp(optarg, "none") && parse_limit(optarg, &w->deaths, &w->deaths_ms))
			usage("'%s' is no limit: deaths and a time, as in 3/60s, or none", optarg);
	}
	if (option == 'w') {
		w->what |= WRITER;
		w->writer = optarg;
	}
	if (option == 'e') {
		w->what |= EVENTS;
		w->events = 0;
		if (strcmp(optarg, "none") && parse_number(optarg, UINT32_MAX, &w->events))
			usage("'%s' is no number of bytes, nor none", optarg);
	}
	if (option == 'S')
		w->what |= SEAL;
	if (option == 'f' && (parse_number(optarg, UINT32_MAX, &w->from) || !w->from))
		usage("'%s' is no version: a number from 1", optarg);
}

static void parse(int argc, char **argv, struct wish *w)
{
	int c;

	while ((c = next_option(argc, argv, "a:m:o:k:l:w:e:s:f:S", options)) != -1) {
		if (c == 'a' || c == 'm')
			parse_rights(c, w);
		else if (c == 'o' || c == 'k')
			parse_lost(c, w);
		else if (c == 's')
			parse_wanted(optarg, w);
		else
			parse_others(c, w);
	}
	need_args(argc, 1, 1);
	if (w->from && !(w->what & SCHEMA))
		usage("--from goes with --schema alone");
	if (w->keep_ms && w->orphan == KREG_ORPHAN_DESTROY)
		usage("--keep is for parked tables and contradicts --orphan destroy");
	if (!w->what)
		usage("nothing is to be set");
}

static int set_one(struct kreg_table *table, const struct wish *w, unsigned int what)
{
	switch (what) {
	case ACCESS:
		return kreg_table_set_access(table, w->access);
	case MODE:
		return kreg_table_set_mode(table, w->mode);
	case ORPHAN:
		return kreg_table_set_orphan(table, w->orphan, w->keep_ms);
	case LIMIT:
		return kreg_table_set_limit(table, w->deaths, w->deaths_ms);
	case WRITER:
		return *w->writer ? set_writer(table, w->writer) :
				    kreg_table_set_writer(table, NULL);
	case EVENTS:
		return kreg_table_set_stream(table, w->events);
	case SCHEMA:
		return kreg_table_set_schema(table, w->schema.id, w->schema.version, w->from);
	default:
		return kreg_table_seal(table);
	}
}

static int set(struct kreg_table *table, void *arg)
{
	const struct wish *w = arg;
	unsigned int what;
	int ret = 0;

	for (what = ACCESS; !ret && what <= SEAL; what <<= 1)
		if (w->what & what)
			ret = set_one(table, w, what);
	return ret;
}

static int run(int argc, char **argv)
{
	struct wish w = { .orphan = KREG_ORPHAN_PARK };
	struct kreg_table *table;
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
	.help = "Change what is said of a table that is parked, in this order; if one of it\n"
		"fails, what stands before it is changed.\n\n"
		"  -a, --access RULE  public, protected, private or registry: see 'kreg new'\n"
		"  -m, --mode MODE    permission bits, 0600 to 0666\n"
		"  -o, --orphan RULE  when an owner dies without an heir: park, destroy,\n"
		"                     park-on-crash\n"
		"  -k, --keep TIME    be parked at most so long, from now on; without it as long\n"
		"                     as the user may have it parked\n"
		"  -l, --limit N/TIME quarantine it after more deaths of owners than N, or none\n"
		"  -w, --writer NAME  the owner of this role may write to it; '': nobody else\n"
		"  -e, --events BYTES of its events the last ones are kept in so many bytes, also\n"
		"                     if nobody subscribes; or none\n"
		"  -s, --schema ID/VERSION  what is in it, as in 0x5e55/2, or none: programs\n"
		"                     that ask for another schema or version do not open it\n"
		"  -f, --from VERSION  only if it has this version so far\n"
		"  -S, --seal         nobody changes what is in it any more; nothing undoes that",
	.run = run,
};
