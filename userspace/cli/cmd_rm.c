/* SPDX-License-Identifier: GPL-2.0-only */
/* kreg rm: destroy tables. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "cmd.h"

static const struct option options[] = {
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

/* Whoever may not claim a parked table may not destroy it either: leave those. */
static int remove_id(struct kreg_client *client, const struct kreg_stat *stat, unsigned int *n,
		     unsigned int *left)
{
	struct kreg_table *table;
	int ret;

	ret = kreg_table_by_id(client, kreg_stat_id(stat), &table);
	if (ret)
		return ret == -ESTALE ? 0 : ret;
	ret = kreg_table_destroy(table);
	kreg_table_close(table);
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

static int remove_parked(struct kreg_client *client)
{
	unsigned int n = 0, left = 0;
	const struct kreg_stat *stat;
	struct kreg_list *list;
	int ret;

	ret = kreg_list_open(client, &list);
	if (ret)
		return fail(ret);
	while ((ret = kreg_list_next(list, &stat)) > 0) {
		ret = kreg_stat_parked(stat) ? remove_id(client, stat, &n, &left) : 0;
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
	bool parked = false, force = false;
	struct kreg_client *client;
	int c, i, ret, status;

	while ((c = next_option(argc, argv, "pf", options)) != -1) {
		parked |= c == 'p';
		force |= c == 'f';
	}
	if (parked && optind < argc)
		usage("--parked takes no names");
	if (!parked)
		need_args(argc, 1, -1);
	status = open_client(&client);
	if (status)
		return status;
	if (parked)
		status = remove_parked(client);
	for (i = optind; i < argc; i++) {
		ret = remove_name(client, argv[i], force);
		status = status ? status : ret;
	}
	kreg_client_close(client);
	return status ? status : finish_output();
}

const struct command cmd_rm = {
	.name = "rm",
	.args = "[-f] NAME... | --parked",
	.summary = "destroy tables",
	.help = "Destroy tables and what is in them: those that are parked, for whoever may\n"
		"claim them. The owner of a table that is not parked has to do it itself.\n\n"
		"  -p, --parked  all parked tables that one may claim\n"
		"  -f, --force   it is no error if there is no such table",
	.run = run,
};
