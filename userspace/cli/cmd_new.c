/* SPDX-License-Identifier: GPL-2.0-only */
/* kreg new: create a table that nobody has to keep alive. */
#include <errno.h>
#include <string.h>

#include "cmd.h"

static const struct option options[] = {
	{ "access", required_argument, NULL, 'a' },
	{ "mode", required_argument, NULL, 'm' },
	{ "orphan", required_argument, NULL, 'o' },
	{ "keep", required_argument, NULL, 'k' },
	{ "claimable", no_argument, NULL, 'c' },
	{ "if-missing", no_argument, NULL, 'i' },
	{ "role", required_argument, NULL, 'r' },
	{ "writer", required_argument, NULL, 'w' },
	{ "limit", required_argument, NULL, 'l' },
	{ "any-user", no_argument, NULL, 'u' },
	{ "type", required_argument, NULL, 't' },
	{ "schema", required_argument, NULL, 's' },
	{ "sealed", no_argument, NULL, 'S' },
	{ "beside", required_argument, NULL, 'b' },
	{ "shared", no_argument, NULL, 'd' },
	COMMON_LONG_OPTIONS
};

struct wish {
	unsigned int type;
	unsigned int access;
	unsigned int mode;
	unsigned int orphan;
	uint64_t keep_ms;
	const char *role;
	const char *writer;
	const char *beside;
	uint64_t deaths;		/* more than these in deaths_ms are too many */
	uint64_t deaths_ms;
	struct schema schema;
	bool claimable;
	bool if_missing;
	bool any_user;
	bool sealed;
	bool shared;
};

static void parse(int argc, char **argv, struct wish *w)
{
	int c;

	while ((c = next_option(argc, argv, "a:m:o:k:ciur:w:l:t:s:Sb:d", options)) != -1) {
		if (c == 'a' && parse_access(optarg, &w->access))
			usage("'%s' is no access rule: private, protected, public or registry",
			      optarg);
		if (c == 'm' && (parse_mode(optarg, &w->mode) || !w->mode))
			usage("'%s' is no mode: octal digits of 0666", optarg);
		if (c == 'o' && parse_orphan(optarg, &w->orphan))
			usage("'%s' is no orphan rule: park, destroy or park-on-crash", optarg);
		if (c == 'k' && (parse_time_ms(optarg, &w->keep_ms) || !w->keep_ms))
			usage("'%s' is no time: a number with ms, s, m, h or d", optarg);
		if (c == 't' && parse_type(optarg, &w->type))
			usage("'%s' is no type: set, ordered_set, bag or duplicate_bag", optarg);
		if (c == 's' && parse_schema(optarg, &w->schema))
			usage("'%s' is no schema: a number and a version, as in 0x5e55/2", optarg);
		if (c == 'c')
			w->claimable = true;
		if (c == 'i')
			w->if_missing = true;
		if (c == 'S')
			w->sealed = true;
		if (c == 'd')
			w->shared = true;
		if (c == 'u')
			w->any_user = true;
		if (c == 'r')
			w->role = optarg;
		if (c == 'w')
			w->writer = optarg;
		if (c == 'b')
			w->beside = optarg;
		if (c == 'l' && parse_limit(optarg, &w->deaths, &w->deaths_ms))
			usage("'%s' is no limit: deaths and a time, as in 3/60s", optarg);
	}
	if (w->keep_ms && w->orphan == KREG_ORPHAN_DESTROY)
		usage("--keep is for parked tables and contradicts --orphan destroy");
}

/*
 * The table is created with orphan = park: if this process is killed, at whatever
 * moment, the table either does not exist or is parked.
 */
static int create(struct kreg_client *client, const char *name, const struct wish *w,
		  const struct kreg_table *beside, struct kreg_table **table)
{
	struct kreg_open_options o = {
		.size = sizeof(o),
		.flags = KREG_OPEN_CREATE | (w->if_missing ? 0 : KREG_OPEN_EXCL) |
			 (w->claimable ? KREG_OPEN_CLAIMABLE : 0) |
			 (w->sealed ? KREG_OPEN_SEALED : 0) |
			 (w->shared ? KREG_OPEN_SHARED : 0) |
			 (w->any_user ? KREG_OPEN_ANY_USER : 0),
		.type = w->type,
		.access = w->access,
		.mode = w->mode,
		.orphan = KREG_ORPHAN_PARK,
		.orphan_ms = w->keep_ms,
		.schema = w->schema.id,
		.schema_version = w->schema.version,
		.beside = beside,
	};

	return kreg_table_open(client, name, &o, table);
}

static int create_beside(struct kreg_client *client, const char *name, const struct wish *w,
			 struct kreg_table **table)
{
	struct kreg_table *beside;
	int ret;

	if (!w->beside)
		return create(client, name, w, NULL, table);
	ret = kreg_table_open(client, w->beside, NULL, &beside);
	if (ret)
		return ret;
	ret = create(client, name, w, beside, table);
	kreg_table_close(beside);
	return ret;
}

/* Whoever claims the role owns the table, so the role has to be parked for that. */
static int follow_parked(struct kreg_table *table, const char *name)
{
	struct kreg_table *role;
	int ret = kreg_table_claim(kreg_table_client(table), name, 0, &role);

	if (ret)
		return ret;
	ret = kreg_table_follow(table, role);
	/* With the table, if it follows. */
	if (ret)
		kreg_table_park(role);
	else
		ret = kreg_table_park(role);
	kreg_table_close(role);
	return ret;
}

static int hand_over(struct kreg_table *table, const struct wish *w)
{
	int ret = 0;

	if (w->orphan != KREG_ORPHAN_PARK)
		ret = kreg_table_set_orphan(table, w->orphan, w->orphan ? w->keep_ms : 0);
	if (!ret && w->deaths)
		ret = kreg_table_set_limit(table, w->deaths, w->deaths_ms);
	if (!ret && w->writer)
		ret = set_writer(table, w->writer);
	if (!ret)
		ret = w->role ? follow_parked(table, w->role) : kreg_table_park(table);
	if (!ret)
		return 0;
	ret = fail(ret);
	kreg_table_destroy(table);
	return ret;
}

static int report(struct kreg_table *table, bool created)
{
	struct kreg_stat *stat;
	char left[32];
	int ret;

	if (kreg_table_stat(table, &stat))
		return finish_output();
	if (json) {
		json_begin(stdout);
		json_bool("created", created);
		show_json(stat);
		json_end();
	} else if (!created) {
		note("table '%s' is there already", kreg_stat_name(stat));
	} else if (kreg_stat_parked_until_ns(stat)) {
		text_ms(parked_ms_left(stat) + 999, left, sizeof(left));
		note("table '%s' is parked; the kernel keeps it for %s unless a process claims it before",
		     kreg_stat_name(stat), left);
	}
	ret = finish_output();
	kreg_stat_free(stat);
	return ret;
}

static int run(int argc, char **argv)
{
	struct wish w = { .access = KREG_ACCESS_PUBLIC, .orphan = KREG_ORPHAN_PARK };
	struct kreg_client *client;
	struct kreg_table *table;
	bool created;
	int ret;

	parse(argc, argv, &w);
	need_args(argc, 1, 1);
	if (!*argv[optind])
		usage("the name is empty");
	ret = open_client(&client);
	if (ret)
		return ret;
	ret = create_beside(client, argv[optind], &w, &table);
	if (ret) {
		ret = fail(ret);
		kreg_client_close(client);
		return ret;
	}
	created = kreg_table_opened(table) & KREG_OPENED_CREATED;
	ret = created ? hand_over(table, &w) : 0;
	if (!ret)
		ret = report(table, created);
	close_table(table);
	return ret;
}

const struct command cmd_new = {
	.name = "new",
	.args = "[OPTION]... NAME",
	.summary = "create a table",
	.help = "Create a table. The kernel keeps it (it is parked) until somebody claims it,\n"
		"and again when that owner is dead. Without options it is used like a file:\n"
		"its user reads and writes it, with no need to own it.\n\n"
		"  -t, --type TYPE    set: objects are in no order (default)\n"
		"                     ordered_set: they are in the order of their keys\n"
		"                     bag: so they are, and a key may have several, each once\n"
		"                     duplicate_bag: a key may have several, also the same\n"
		"  -a, --access RULE  public: who may write by the mode, writes (default)\n"
		"                     protected: only the owner writes, others read\n"
		"                     private: only the owner reads and writes\n"
		"  -m, --mode MODE    permission bits, as of files: 0600 (default) to 0666\n"
		"  -o, --orphan RULE  when an owner dies without an heir: park (default),\n"
		"                     destroy, park-on-crash: destroy unless it is killed or\n"
		"                     exits with an error\n"
		"  -k, --keep TIME    be parked at most so long: 500ms, 30s, 10m, 12h, 1d\n"
		"  -c, --claimable    whoever may write may also claim it\n"
		"  -d, --shared       whoever may write may also destroy and rename it\n"
		"  -i, --if-missing   it is no error if there is one of this user already\n"
		"  -u, --any-user     nor if that is another user's\n"
		"  -r, --role NAME    follow this role, which is parked: its owner is the table's\n"
		"  -w, --writer NAME  the owner of this role may write to it\n"
		"  -l, --limit N/TIME with one more death of an owner in that time, as in 3/60s,\n"
		"                     it is quarantined: claimed only by those who know\n"
		"  -s, --schema ID/VERSION  what is in it, as in 0x5e55/2: programs that ask for\n"
		"                     another schema or version do not open it; with -i the one\n"
		"                     that is there has to have it\n"
		"  -S, --sealed       it has no objects for ever, as a role has; 'kreg set\n"
		"                     --seal' seals one that has some\n"
		"  -b, --beside NAME  have the writer of the module that this table has, as\n"
		"                     'kreg batch' needs it where the module has several",
	.run = run,
};
