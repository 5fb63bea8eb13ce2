// SPDX-License-Identifier: GPL-2.0
/*
 * Clock, rounds, keys and results.
 */
#include <pthread.h>
#include <sched.h>

#include "bench.h"

bool bench_counted;
bool bench_quick;
int bench_rounds;

void bench_die(const char *what)
{
	fflush(stdout);
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

void bench_setup(void)
{
	const char *clock = getenv("BENCH_CLOCK");
	const char *rounds = getenv("BENCH_ROUNDS");

	bench_counted = clock && !strcmp(clock, "counted");
	bench_quick = !!getenv("BENCH_QUICK");
	bench_rounds = rounds ? atoi(rounds) : bench_counted ? 3 : 7;
}

int bench_cpus(void)
{
	return sysconf(_SC_NPROCESSORS_ONLN);
}

void bench_pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu % bench_cpus(), &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		bench_die("sched_setaffinity");
}

/* Where instructions are the clock, nobody waits for the time that passes idle. */
void bench_settle(void)
{
	usleep(bench_counted ? 3000000 : 100000);
}

double bench_null(void)
{
	const int count = 1000;
	uint64_t start = bench_now();
	int i;

	for (i = 0; i < count; i++)
		syscall(SYS_getppid);
	return (double)(bench_now() - start) / count;
}

const char *bench_unit(void)
{
	return bench_counted ? "instructions" : "ns";
}

void bench_result(const char *system, const char *op, long objects,
		  const char *unit, double value, double null)
{
	printf("result %s %s %ld %s %.2f %.2f\n", system, op, objects, unit,
	       value, null);
	fflush(stdout);
}

void bench_run(const struct bench *bench)
{
	uint64_t start, time;
	double null;
	int round;

	for (round = -1; round < bench_rounds; round++) {
		if (bench->prepare)
			bench->prepare(bench->arg, bench->count);
		null = bench_null();
		start = bench_now();
		bench->run(bench->arg, bench->count);
		time = bench_now() - start;
		if (round >= 0)
			bench_result(bench->system, bench->op, bench->objects,
				     bench_unit(), (double)time / bench->count,
				     null);
	}
}

/* What two threads, each on a CPU of its own, share. */
struct both {
	const struct bench *bench;
	void *arg;
	pthread_barrier_t *barrier;
	int cpu;
};

static void *both_run(void *arg)
{
	const struct both *both = arg;
	int round;

	bench_pin(both->cpu);
	for (round = -1; round < bench_rounds; round++) {
		pthread_barrier_wait(both->barrier);
		both->bench->run(both->arg, both->bench->count);
		pthread_barrier_wait(both->barrier);
	}
	return NULL;
}

/* The figure is what one of the two sees: the time of all by its own operations. */
void bench_both(const struct bench *bench, void *other)
{
	pthread_barrier_t barrier;
	struct both both[2] = {
		{ bench, bench->arg, &barrier, 0 },
		{ bench, other, &barrier, 1 },
	};
	pthread_t thread[2];
	uint64_t start, time;
	double null;
	int i;

	pthread_barrier_init(&barrier, NULL, 3);
	for (i = 0; i < 2; i++)
		pthread_create(&thread[i], NULL, both_run, &both[i]);
	for (i = -1; i < bench_rounds; i++) {
		null = bench_null();
		start = bench_now();
		pthread_barrier_wait(&barrier);
		pthread_barrier_wait(&barrier);
		time = bench_now() - start;
		if (i >= 0)
			bench_result(bench->system, bench->op, bench->objects,
				     bench_unit(), (double)time / bench->count,
				     null);
	}
	for (i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	pthread_barrier_destroy(&barrier);
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

void bench_latency(const struct bench *bench)
{
	static const struct {
		const char *name;
		double share;
	} row[] = {
		{ "p50", 0.5 }, { "p90", 0.9 }, { "p99", 0.99 },
		{ "p99.9", 0.999 }, { "max", 1 },
	};
	uint64_t *times = malloc(bench->count * sizeof(*times)), start;
	double null = bench_null();
	char name[64];
	unsigned int i;
	long at;

	for (at = -bench->count / 10; at < bench->count; at++) {
		start = bench_now();
		bench->run(bench->arg, 1);
		if (at >= 0)
			times[at] = bench_now() - start;
	}
	qsort(times, bench->count, sizeof(*times), compare);
	for (i = 0; i < sizeof(row) / sizeof(*row); i++) {
		at = row[i].share * bench->count;
		snprintf(name, sizeof(name), "%s-%s", bench->op, row[i].name);
		bench_result(bench->system, name, bench->objects, bench_unit(),
			     times[at < bench->count ? at : bench->count - 1],
			     null);
	}
	free(times);
}

static uint64_t step(uint64_t *state)
{
	uint64_t x = *state += 0x9e3779b97f4a7c15;

	x = (x ^ x >> 32) * 0xd6e8feb86659fd93;
	x = (x ^ x >> 32) * 0xd6e8feb86659fd93;
	return x ^ x >> 32;
}

void keys_make(struct keys *keys, long first, long count)
{
	char text[32], swap[KEY_LEN];
	uint64_t state = first;
	long i, other;

	keys->key = malloc(count * sizeof(*keys->key));
	if (!keys->key)
		bench_die("no memory for keys");
	keys->count = count;
	keys->at = 0;
	for (i = 0; i < count; i++) {
		snprintf(text, sizeof(text), "session:%08ld", first + i);
		memcpy(keys->key[i], text, KEY_LEN);
	}
	for (i = count - 1; i > 0; i--) {
		other = step(&state) % (i + 1);
		memcpy(swap, keys->key[i], KEY_LEN);
		memcpy(keys->key[i], keys->key[other], KEY_LEN);
		memcpy(keys->key[other], swap, KEY_LEN);
	}
}

void keys_reverse(struct keys *keys)
{
	char swap[KEY_LEN];
	long i;
	int j;

	for (i = 0; i < keys->count; i++) {
		memcpy(swap, keys->key[i], KEY_LEN);
		for (j = 0; j < KEY_LEN; j++)
			keys->key[i][j] = swap[KEY_LEN - 1 - j];
	}
}

void keys_free(struct keys *keys)
{
	free(keys->key);
	keys->key = NULL;
}

void value_make(char *value, size_t len, long number)
{
	memset(value, 'v', len);
	memcpy(value, &number, len < sizeof(number) ? len : sizeof(number));
}
