// SPDX-License-Identifier: GPL-2.0
/*
 * bench GROUP...: measure kreg and the floors below it. Environment: BENCH_CLOCK
 * (counted or wall), BENCH_ROUNDS, BENCH_QUICK, BENCH_VICTIM: the program of dies.c.
 */
#include "groups.h"

static const struct {
	const char *name;
	void (*run)(void);
} groups[] = {
	{ "floors", group_floors },
	{ "ops", group_ops },
	{ "edits", group_edits },
	{ "bound", group_bound },
	{ "life", group_life },
	{ "death", group_death },
	{ "watch", group_watch },
	{ "stream", group_stream },
	{ "pin", group_pin },
	{ "search", group_search },
	{ "queue", group_queue },
	{ "call", group_call },
	{ "restart", group_restart },
	{ "stranger", group_stranger },
	{ "turn", group_turn },
	{ "values", group_values },
	{ "sizes", group_sizes },
	{ "cpus", group_cpus },
};

static void run(const char *name)
{
	unsigned int i;

	for (i = 0; i < sizeof(groups) / sizeof(*groups); i++) {
		if (strcmp(groups[i].name, name))
			continue;
		groups[i].run();
		bench_settle();
		return;
	}
	fprintf(stderr, "bench: no group '%s'\n", name);
	exit(2);
}

int main(int argc, char **argv)
{
	bench_setup();
	if (argc == 3 && !strcmp(argv[1], "began"))
		return restart_began(argv + 2);
	while (*++argv)
		run(*argv);
	return 0;
}
