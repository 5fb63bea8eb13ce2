// SPDX-License-Identifier: GPL-2.0
/*
 * bench GROUP...: measure kreg and the floors below it. Environment: BENCH_CLOCK
 * (counted or wall), BENCH_ROUNDS, BENCH_QUICK.
 */
#include "groups.h"

static const struct {
	const char *name;
	void (*run)(void);
} groups[] = {
	{ "floors", group_floors },
	{ "ops", group_ops },
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
	while (*++argv)
		run(*argv);
	return 0;
}
