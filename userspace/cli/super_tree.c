/* SPDX-License-Identifier: GPL-2.0-only */
/* kreg super tree: all supervisors with their children, and the tables of these. */
#include <stdlib.h>
#include <string.h>

#include "super.h"

/* What is known of a table; there may be many. */
struct known {
	char name[KREG_MAX_NAME + 1];
	uint64_t role;
	uint64_t id;
	struct kreg_process owner, heir;
	unsigned int waiters, subscriptions;
	bool parked;
};

struct all {
	struct known *tables;
	size_t count;
};

static int add_table(struct all *all, const struct kreg_stat *stat)
{
	struct known *more = realloc(all->tables, (all->count + 1) * sizeof(*more)), *k;

	if (!more)
		return -1;
	all->tables = more;
	k = &more[all->count++];
	snprintf(k->name, sizeof(k->name), "%s", kreg_stat_name(stat));
	k->role = kreg_stat_role(stat);
	k->id = kreg_stat_id(stat);
	k->owner = kreg_stat_owner(stat);
	k->heir = kreg_stat_heir(stat);
	k->waiters = kreg_stat_waiters(stat);
	k->subscriptions = kreg_stat_subscriptions(stat);
	k->parked = kreg_stat_parked(stat);
	return 0;
}

static int read_tables(struct kreg_client *client, struct all *all)
{
	const struct kreg_stat *stat;
	struct kreg_list *list;
	int ret = kreg_list_open(client, &list);

	if (ret)
		return fail(ret);
	while ((ret = kreg_list_next(list, &stat)) == 1)
		if (add_table(all, stat))
			break;
	kreg_list_close(list);
	return ret < 0 ? fail(ret) : ret ? fail_text(EXIT_ERROR, "no memory") : 0;
}

static bool is_state(const struct known *k)
{
	return !strncmp(k->name, SUPER_TABLE, strlen(SUPER_TABLE)) && !strchr(k->name, '/');
}

static bool is_role(const struct known *k)
{
	return !strncmp(k->name, SUPER_TABLE, strlen(SUPER_TABLE)) && strchr(k->name, '/');
}

static void show_table(const struct known *k, const char *indent)
{
	printf("%s", indent);
	bytes_print(k->name, strlen(k->name), stdout);
	if (k->parked)
		printf("  parked");
	if (k->heir.pid)
		printf("  heir %d", k->heir.pid);
	if (k->waiters)
		printf("  %u stand by", k->waiters);
	if (k->subscriptions)
		printf("  %u watch", k->subscriptions);
	putchar('\n');
}

static void table_json(const struct known *k, const char *supervisor, const char *child)
{
	json_begin(stdout);
	json_text("table", k->name);
	json_text("supervisor", supervisor);
	if (child)
		json_text("child", child);
	else
		json_null("child");
	json_number("owner", k->owner.pid);
	json_number("heir", k->heir.pid);
	json_bool("parked", k->parked);
	json_number("stand_by", k->waiters);
	json_number("watch", k->subscriptions);
	json_end();
}

/* The role that the tables of a child follow; 0: it has none. */
static uint64_t role_of(const struct all *all, const char *supervisor, const char *child)
{
	char name[KREG_MAX_NAME + 1];
	size_t i;

	snprintf(name, sizeof(name), SUPER_TABLE "%s/%s", supervisor, child);
	for (i = 0; i < all->count; i++)
		if (!strcmp(all->tables[i].name, name))
			return all->tables[i].id;
	return 0;
}

/*
 * Those of a process. What follows the role of a child waits where the role does, and is parked
 * when nobody has that.
 */
static void show_tables(const struct all *all, const char *supervisor, const char *child,
			struct kreg_process process)
{
	uint64_t role = child ? role_of(all, supervisor, child) : 0;
	struct known shown;
	size_t i, k;

	for (i = 0; i < all->count; i++) {
		shown = all->tables[i];
		if (is_state(&shown) || is_role(&shown))
			continue;
		if (!(process.cookie && shown.owner.cookie == process.cookie) &&
		    !(role && shown.role == role && shown.parked))
			continue;
		for (k = 0; shown.role && k < all->count; k++)
			if (all->tables[k].id == shown.role)
				shown.waiters += all->tables[k].waiters;
		if (json)
			table_json(&shown, supervisor, child);
		else
			show_table(&shown, child ? "        " : "    ");
	}
}

static void show_member(const struct super_child *c, const char *supervisor)
{
	if (json) {
		json_begin(stdout);
		json_text("child", c->id);
		json_text("supervisor", supervisor);
		json_number("pid", c->process.pid);
		json_end();
		return;
	}
	printf("    ");
	bytes_print(c->id, strlen(c->id), stdout);
	if (c->process.pid)
		printf("  process %d\n", c->process.pid);
	else
		printf("  not running\n");
}

static int show_supervisor(struct kreg_client *client, const struct all *all,
			   const struct known *state)
{
	const char *name = state->name + strlen(SUPER_TABLE);
	struct super_child *children;
	struct kreg_table *table;
	size_t count, i;
	int ret = kreg_table_open(client, state->name, NULL, &table);

	if (ret)
		return fail(ret);
	ret = super_read(table, &children, &count);
	kreg_table_close(table);
	if (ret)
		return fail(ret);
	if (json) {
		json_begin(stdout);
		json_text("supervisor", name);
		json_number("pid", state->owner.pid);
		json_end();
	} else {
		bytes_print(name, strlen(name), stdout);
		if (state->owner.pid)
			printf("  process %d\n", state->owner.pid);
		else
			printf("  no supervisor\n");
	}
	show_tables(all, name, NULL, state->owner);
	for (i = 0; i < count; i++) {
		show_member(&children[i], name);
		show_tables(all, name, children[i].id, children[i].process);
	}
	free(children);
	return 0;
}

int super_tree(void)
{
	struct all all = { NULL, 0 };
	struct kreg_client *client;
	size_t i;
	int ret = open_client(&client);

	if (ret)
		return ret;
	ret = read_tables(client, &all);
	for (i = 0; i < all.count && !ret; i++)
		if (is_state(&all.tables[i]))
			ret = show_supervisor(client, &all, &all.tables[i]);
	free(all.tables);
	kreg_client_close(client);
	return ret ? ret : finish_output();
}
