/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What all benchmarks share: a clock, rounds, keys, and the form of a result.
 *
 * For each round of a measurement one line is printed,
 *
 *	result SYSTEM OP OBJECTS UNIT VALUE NULL
 *
 * where VALUE is the cost of one operation and NULL that of one null system call,
 * timed just before. The unit of time is the nanosecond of the guest; where the
 * guest's time is the number of its instructions, that is one instruction.
 */
#ifndef BENCH_H
#define BENCH_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define KEY_LEN		16
#define VALUE_LEN	64

extern bool bench_counted;	/* the clock counts instructions */
extern int bench_rounds;	/* how many count; one more goes before, to warm up */
extern bool bench_quick;	/* leave out what takes long */

void bench_setup(void);
void bench_die(const char *what);
void bench_pin(int cpu);
int bench_cpus(void);
void bench_settle(void);	/* let work end that was put off */

/*
 * The kernel's clock is calibrated against the time stamp counter, which in
 * QEMU is the counter of instructions itself: read that.
 */
static inline uint64_t bench_now(void)
{
	struct timespec ts;

	if (bench_counted)
		return __builtin_ia32_rdtsc();
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* A measurement: @run does @count operations; before it, uncounted, @prepare. */
struct bench {
	const char *system;
	const char *op;
	long objects;
	long count;
	void (*run)(void *arg, long count);
	void (*prepare)(void *arg, long count);
	void *arg;
};

void bench_run(const struct bench *bench);
void bench_both(const struct bench *bench, void *other);	/* on two CPUs at once */
void bench_latency(const struct bench *bench);	/* the spread of single operations */

/* For those who take the time themselves. */
double bench_null(void);
void bench_result(const char *system, const char *op, long objects,
		  const char *unit, double value, double null);
const char *bench_unit(void);

/* Keys number @first up to @first + @count, in an order that is always the same. */
struct keys {
	char (*key)[KEY_LEN];
	long count;
	long at;
};

void keys_make(struct keys *keys, long first, long count);
/* Each key backwards: what was common to their first bytes is so to their last ones. */
void keys_reverse(struct keys *keys);
void keys_free(struct keys *keys);
void value_make(char *value, size_t len, long number);

/* The next key; after the last comes the first. */
static inline char *keys_next(struct keys *keys)
{
	if (keys->at == keys->count)
		keys->at = 0;
	return keys->key[keys->at++];
}

#endif /* BENCH_H */
