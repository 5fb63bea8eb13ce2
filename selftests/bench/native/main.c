// SPDX-License-Identifier: GPL-2.0
/*
 * native - kreg's storage engine beside other structures, without a kernel.
 *
 *	native [--json] [--rounds=N] [--ops=N] [--overlap] [--wrong=STRUCTURE] [OBJECTS...]
 *
 * --json		a line of JSON for each figure instead of tables
 * --rounds=N		of which the median is taken (7)
 * --ops=N		operations a round (400000)
 * --overlap		the processor may begin a get while the one before it is under way, since
 *			its key does not depend on what that has read
 * --wrong=STRUCTURE	spoil what is read from this one, to see that it is noticed
 *
 * See README.md.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keys.h"
#include "measure.h"

/* Of all structures together, and some more. */
#define BYTES_AN_OBJECT	1000

struct options options = { .rounds = 7, .ops = 400000, .wrong = -1 };

static const uint64_t usual_sizes[] = { 1000, 100000, 1000000, 10000000 };

void native_die(const char *who, const char *what)
{
	fflush(stdout);
	fprintf(stderr, "native: %s: %s\n", who, what);
	exit(1);
}

static uint64_t read_number(const char *what, const char *text, uint64_t least, uint64_t most)
{
	char *end, sentence[160];
	unsigned long long n;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (*text >= '0' && *text <= '9' && !*end && !errno && n >= least && n <= most)
		return n;
	snprintf(sentence, sizeof(sentence), "'%s' is no number from %llu to %llu", text,
		 (unsigned long long)least, (unsigned long long)most);
	native_die(what, sentence);
}

static int read_structure(const char *name)
{
	int i;

	for (i = 0; i < STRUCTURES; i++)
		if (structures[i]->put && !strcmp(structures[i]->name, name))
			return i;
	native_die(name, "no such structure");
}

static void read_options(int argc, char **argv)
{
	static const struct option names[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "rounds", required_argument, NULL, 'r' },
		{ "ops", required_argument, NULL, 'n' },
		{ "overlap", no_argument, NULL, 'o' },
		{ "wrong", required_argument, NULL, 'w' },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
		switch (option) {
		case 'j':
			options.json = true;
			break;
		case 'r':
			options.rounds = read_number("--rounds", optarg, 1, MOST_ROUNDS);
			break;
		case 'n':
			options.ops = read_number("--ops", optarg, 100, 100000000);
			break;
		case 'o':
			options.overlap = true;
			break;
		case 'w':
			options.wrong = read_structure(optarg);
			break;
		default:
			native_die("usage",
				   "[--json] [--rounds=N] [--ops=N] [--overlap] [--wrong=STRUCTURE] [OBJECTS...]");
		}
	}
	for (; optind < argc; optind++) {
		if (options.sizes == MOST_SIZES)
			native_die("OBJECTS", "these are too many sizes");
		options.size[options.sizes++] =
			read_number("OBJECTS", argv[optind], 10, MOST_OBJECTS);
	}
	if (options.sizes)
		return;
	memcpy(options.size, usual_sizes, sizeof(usual_sizes));
	options.sizes = sizeof(usual_sizes) / sizeof(*usual_sizes);
}

/* One processor for all, and for the threads that they start. */
static void pin(void)
{
	int cpu = CPU_SETSIZE - 1;
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set))
		native_die("native", "sched_getaffinity() failed");
	while (cpu && !CPU_ISSET(cpu, &set))
		cpu--;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		native_die("native", "sched_setaffinity() failed");
}

static void check_memory(uint64_t objects)
{
	FILE *file = fopen("/proc/meminfo", "r");
	unsigned long long kib = 0;
	char line[128], sentence[160];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "MemAvailable: %llu", &kib) == 1)
			break;
	if (file)
		fclose(file);
	if (!kib || kib >= objects * BYTES_AN_OBJECT >> 10)
		return;
	snprintf(sentence, sizeof(sentence),
		 "%llu objects take %llu MiB in all structures together, and %llu are free: say fewer",
		 (unsigned long long)objects,
		 (unsigned long long)objects * BYTES_AN_OBJECT >> 20, kib >> 10);
	native_die("OBJECTS", sentence);
}

int main(int argc, char **argv)
{
	static struct figures figures[MOST_SIZES];
	int i;

	read_options(argc, argv);
	pin();
	for (i = 0; i < options.sizes; i++)
		check_memory(options.size[i]);
	for (i = 0; i < options.sizes; i++) {
		skew_prepare(options.size[i]);
		measure(options.size[i], &figures[i]);
		if (options.json)
			report_json(&figures[i]);
	}
	if (!options.json)
		report_tables(figures, options.sizes);
	return 0;
}
