// SPDX-License-Identifier: GPL-2.0
/*
 * peers NAME...: measure what is used where kreg could be, with the same keys and
 * values at the same sizes. Environment: see main.c.
 */
#include "peers.h"

static const struct {
	const char *name;
	void (*run)(long objects);
} peers[] = {
	{ "bpf", peer_bpf },
	{ "shm", peer_shm },
	{ "lmdb", peer_lmdb },
	{ "redis", peer_redis },
};

static const long sizes[] = { 1000, 100000, 1000000 };

/* Pages that a CPU keeps for itself count as free only after a compaction. */
static void compact(void)
{
	FILE *file = fopen("/proc/sys/vm/compact_memory", "w");

	bench_settle();
	if (!file || fputs("1", file) < 0 || fclose(file))
		bench_die("compact_memory");
}

long memory_free(void)
{
	char line[128];
	long kib = -1;
	FILE *file;

	compact();
	file = fopen("/proc/meminfo", "r");
	while (file && kib < 0 && fgets(line, sizeof(line), file))
		if (sscanf(line, "MemFree: %ld", &kib) != 1)
			kib = -1;
	if (kib < 0)
		bench_die("/proc/meminfo");
	fclose(file);
	return kib << 10;
}

void memory_result(const char *system, long objects, long before)
{
	if (objects >= 1000000)
		bench_result(system, "memory", objects, "bytes",
			     (double)(before - memory_free()) / objects, 0);
}

int main(int argc, char **argv)
{
	unsigned int peer, size;

	bench_setup();
	bench_pin(0);
	while (*++argv) {
		for (peer = 0; peer < sizeof(peers) / sizeof(*peers); peer++) {
			if (strcmp(peers[peer].name, *argv))
				continue;
			for (size = 0; size < sizeof(sizes) / sizeof(*sizes); size++) {
				bench_settle();
				peers[peer].run(sizes[size]);
			}
		}
	}
	return 0;
}
