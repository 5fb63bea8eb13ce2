/* SPDX-License-Identifier: GPL-2.0-only */
/* kreg rm: destroy tables. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "cmd.h"

static const struct option options[] = {
	{ "all", no_argument, NULL, 'a' },
	{ "id", no_argument, NULL, 'i' },
	{ "parked", no_argument, NULL, 'p' },
	{ "force", no_argument, NULL, 'f' },
	COMMON_LONG_OPTIONS
};

static void removed(const char *name, uint64_t id)
{
	if (!json)
		return;
	json_begin(stdout);
	json_text("removed", name);
	json_number("id", id);
	json_end();
}

static int remove_name(struct kreg_client *client, const char *name, bool force)
{
	struct kreg_table *table;
	int ret;

	ret = kreg_table_open(client, name, NULL, &table);
	if (ret == -ENOENT && force)
		return 0;
	if (ret)
		return fail(ret);
	ret = kreg_table_destroy(table);
	if (ret == -ESTALE && force)
		ret = 0;
	else if (ret)
		ret = fail(ret);
	else
		removed(name, kreg_table_id(table));
	kreg_table_close(table);
	return ret;
}

static int remove_id(struct kreg_client *client, uint64_t id, bool force)
{
	struct kreg_stat *stat;
	int ret;

	/* For its name, which only JSON shows. */
	if (!json || kreg_stat_by_id(client, id, &stat))
		stat = NULL;
	ret = kreg_destroy_by_id(client, id);
	if (ret == -ESTALE && force)
		ret = 0;
	else if (ret)
		ret = fail(ret);
	else
		removed(stat ? kreg_stat_name(stat) : "", id);
	kreg_stat_free(stat);
	return ret;
}

/* Tables that this user may not claim he may not destroy either: count those in @left. */
static int remove_listed(struct kreg_client *client, const struct kreg_stat *stat, unsigned int *n,
			 unsigned int *left)
{
	int ret = kreg_destroy_by_id(client, kreg_stat_id(stat));

	if (ret == -ESTALE)
		return 0;
	if (ret == -EPERM || ret == -EACCES) {
		++*left;
		return 0;
	}
	if (ret)
		return ret;
	++*n;
	removed(kreg_stat_name(stat), kreg_stat_id(stat));
	return 0;
}

static int remove_parked(struct kreg_client *client, bool all)
{
	unsigned int n = 0, left = 0;
	const struct kreg_stat *stat;
	struct kreg_list *list;
	int ret;

	ret = all ? kreg_list_open_all(client, &list) : kreg_list_open(client, &list);
	if (ret)
		return fail(ret);
	while ((ret = kreg_list_next(list, &stat)) > 0) {
		ret = kreg_stat_parked(stat) ? remove_listed(client, stat, &n, &left) : 0;
		if (ret)
			break;
	}
	kreg_list_close(list);
	if (ret < 0)
		return fail(ret);
	if (!json)
		printf("%u parked table%s removed\n", n, n == 1 ? "" : "s");
	if (left)
		note("%u parked table%s of other users left", left, left == 1 ? "" : "s");
	return 0;
}

static int run(int argc, char **argv)
{
	bool all = false, by_id = false, parked = false, force = false;
	struct kreg_client *client;
	int c, i, ret, status;

	while ((c = next_option(argc, argv, "aipf", options)) != -1) {
		all |= c == 'a';
		by_id |= c == 'i';
		parked |= c == 'p';
		force |= c == 'f';
	}
	if (parked && (optind < argc || by_id))
		usage("--parked takes no names");
	if (all && !parked)
		usage("--all goes with --parked");
	if (!parked)
		need_args(argc, 1, -1);
	status = open_client(&client);
	if (status)
		return status;
	if (parked)
		status = remove_parked(client, all);
	for (i = optind; i < argc; i++) {
		ret = by_id ? remove_id(client, id_arg(argv[i]), force) :
			      remove_name(client, argv[i], force);
		status = status ? status : ret;
	}
	kreg_client_close(client);
	return status ? status : finish_output();
}

const struct command cmd_rm = {
	.name = "rm",
	.args = "[-f] NAME... | [-f] --id ID... | --parked [--all]",
	.summary = "destroy tables",
	.help = "Destroy tables and what is in them: those that are parked, for whoever may\n"
		"claim them. The owner of a table that is not parked has to do it itself.\n\n"
		"  -i, --id      ids instead of names, also of other namespaces over which one\n"
		"                has CAP_SYS_ADMIN: see 'kreg ls --all'\n"
		"  -p, --parked  all parked tables that one may claim\n"
		"  -a, --all     with --parked: also those of other namespaces\n"
		"  -f, --force   it is no error if there is no such table",
	.run = run,
};
