/* SPDX-License-Identifier: GPL-2.0 */
/* The examples as trees of processes: who is in them, and what they keep. */
#ifndef KREG_SEEDS_TREES_H
#define KREG_SEEDS_TREES_H

#include <stdbool.h>
#include <stddef.h>

struct tree {
	const char *file, *name;
	bool one_for_one;
	struct {
		const char *id, *command;
	} children[4];
	/* kreg super start NAME ... for a child from a template. */
	const char *request;
	/* Where the manager of workers is, what it makes, and how they are asked. */
	const char *managers, *manager, *names, *worker, *put, *get, *value;
	/* Commands whose death has the supervisor of the workers stopped, and these with it. */
	const char *ends[3];
	/* Facts: put into a table, or told to a server of a registry. */
	const char *facts, *server, *insert, *lookup;
	bool lines;			/* or lines of a connection, which are counted */
	bool ends_at_0;			/* whoever exits with 0 has done its work */
};

static inline size_t count_children(const struct tree *tree)
{
	size_t n = 0;

	while (n < sizeof(tree->children) / sizeof(tree->children[0]) && tree->children[n].id)
		n++;
	return n;
}

#define TODO(layout)									\
	.file = "todo-" layout ".yaml", .name = "todo",					\
	.children = {									\
		{ "events", "todo-events todo.names" }, { "lists", "todo-lists" },	\
		{ "manager", "todo-manager todo.names" },				\
	},										\
	.managers = "todo.servers", .manager = "manager", .names = "todo.names",	\
	.worker = "todo-list w%u", .put = "put %s", .get = "get", .value = "%s\n"

static const struct tree todo_one_for_one = { TODO("one_for_one"), .one_for_one = true };

static const struct tree todo_one_for_all = {
	TODO("one_for_all"), .ends = { "todo-events todo.names", "todo-manager todo.names" },
};

static const struct tree todo_rest_for_one = {
	TODO("rest_for_one"), .ends = { "todo-events todo.names", "todo-manager todo.names" },
};

static const struct tree kv = {
	.file = "kv.yaml", .name = "kv", .one_for_one = true,
	.children = {
		{ "shops", "kv-registry kv.shops" }, { "parties", "kv-registry kv.parties" },
	},
	.managers = "kv.registries", .manager = "kv.shops", .names = "kv.shops",
	.worker = "kv-bucket kv.shops w%u", .put = "put x %s", .get = "get x", .value = "%s",
};

static const struct tree table_manager = {
	.file = "table-manager.yaml", .name = "immortal", .one_for_one = true,
	.children = {
		{ "manager", "table-manager immortal.names consumer" },
		{ "consumer", "table-consumer immortal.names consumer" },
	},
	.facts = "immortal.names", .server = "consumer", .insert = "insert %s %s",
	.lookup = "lookup %s",
};

static const struct tree data_backup = {
	.file = "data-backup.yaml", .name = "backup", .one_for_one = true,
	.children = {
		{ "master", "data-master backup.names ets" },
		{ "server", "data-server backup.names ets" },
	},
	.facts = "backup.names", .server = "server", .insert = "insert %s %s", .lookup = "get %s",
};

static const struct tree counters = {
	.file = "counters.yaml", .name = "counters", .one_for_one = true,
	.children = {
		{ "worker-1", "counters-worker 8081" }, { "worker-2", "counters-worker 8082" },
	},
	.facts = "counters.totals",
};

static const struct tree leader = {
	.file = "leader.yaml", .name = "leader", .one_for_one = true,
	.children = {
		{ "node-1", "leader-node node-1" }, { "node-2", "leader-node node-2" },
		{ "node-3", "leader-node node-3" },
	},
	.facts = "leader.state",
};

static const struct tree jobs = {
	.file = "jobs.yaml", .name = "jobs", .one_for_one = true,
	.children = {
		{ "worker-1", "jobs-worker worker-1" }, { "worker-2", "jobs-worker worker-2" },
	},
	.facts = "jobs.results",
};

static const struct tree hitless = {
	.file = "hitless.yaml", .name = "hitless", .one_for_one = true,
	.children = { { "v1", "hitless-server 1" } },
	.request = "server v1 1", .lines = true, .ends_at_0 = true,
};

#endif /* KREG_SEEDS_TREES_H */
