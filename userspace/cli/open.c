/* SPDX-License-Identifier: GPL-2.0-only */
/* Clients and tables as the subcommands need them. */
#include <errno.h>
#include <stdlib.h>

#include "cmd.h"

int open_client(struct kreg_client **client)
{
	const char *path = getenv("KREG_DEVICE");
	int ret = kreg_client_open(path, client);

	return ret ? fail_device(ret) : 0;
}

int open_table(const char *name, struct kreg_table **table)
{
	struct kreg_client *client;
	int ret;

	ret = open_client(&client);
	if (ret)
		return ret;
	ret = kreg_table_open(client, name, NULL, table);
	if (!ret)
		return 0;
	ret = fail(ret);
	kreg_client_close(client);
	return ret;
}

void close_table(struct kreg_table *table)
{
	struct kreg_client *client = kreg_table_client(table);

	kreg_table_close(table);
	kreg_client_close(client);
}

int with_key(int argc, char **argv, int (*act)(struct kreg_table *table, const struct bytes *key,
					       void *arg), void *arg)
{
	struct kreg_table *table;
	struct bytes key;
	int ret;

	need_args(argc, 2, 2);
	if (!*argv[optind + 1])
		usage("the key is empty");
	key = bytes_arg(argv[optind + 1]);
	ret = open_table(argv[optind], &table);
	if (!ret) {
		ret = act(table, &key, arg);
		close_table(table);
	}
	bytes_free(&key);
	return ret;
}

/*
 * Nobody may write to a table that is parked and not public, so the command claims it
 * for that time. It does so only with orphan = park: else the table would be destroyed
 * if the command were killed meanwhile.
 */
int own_parked(struct kreg_table *table, struct kreg_table **mine)
{
	struct kreg_stat *stat;
	bool safe, parked;
	int ret;

	ret = kreg_table_stat(table, &stat);
	if (ret)
		return ret;
	parked = kreg_stat_parked(stat);
	safe = kreg_stat_orphan(stat) == KREG_ORPHAN_PARK;
	kreg_stat_free(stat);
	if (!parked || !*kreg_table_name(table))
		return -EACCES;
	if (!safe) {
		note("table '%s' is parked, but would be destroyed if this command died while owning it; not claimed",
		     kreg_table_name(table));
		return -EACCES;
	}
	return kreg_table_claim(kreg_table_client(table), kreg_table_name(table), 0, mine);
}

void park_again(struct kreg_table *mine)
{
	int ret = kreg_table_park(mine);

	if (ret && ret != -EPERM && ret != -EACCES && ret != -ESTALE)
		note("table '%s' could not be parked again (%s); the kernel does it when this command ends",
		     kreg_table_name(mine), kreg_error_name(ret));
	kreg_table_close(mine);
}

int as_owner(struct kreg_table *table, int (*act)(struct kreg_table *table, void *arg),
	     void *arg)
{
	struct kreg_table *mine;
	int ret;

	ret = act(table, arg);
	if (ret != -EACCES && ret != -EPERM)
		return ret;
	/* Once more, so that kreg_errmsg() tells why this failed, and not the claim. */
	if (own_parked(table, &mine))
		return act(table, arg);
	ret = -ESTALE;
	/* Another table may have taken the name meanwhile. */
	if (kreg_table_id(mine) == kreg_table_id(table))
		ret = act(mine, arg);
	park_again(mine);
	return ret;
}

int set_writer(struct kreg_table *table, const char *name)
{
	struct kreg_table *role;
	int ret = kreg_table_open(kreg_table_client(table), name, NULL, &role);

	if (ret)
		return ret;
	ret = kreg_table_set_writer(table, role);
	kreg_table_close(role);
	return ret;
}
