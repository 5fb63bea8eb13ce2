// SPDX-License-Identifier: GPL-2.0
/* The process of one structure. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "keys.h"
#include "measure.h"

/* Objects that are looked at when all is checked, and that are inserted in one go at least. */
#define CHECKED		100000
#define LEAST_INSERTED	100000

static struct {
	const struct structure *s;
	void *it;
	bool wrong;
	uint64_t objects;
	uint32_t *numbers;
	uint64_t before;	/* bytes of this process before there was anything */
	uint64_t memory;
} me;

/* Of the processor's time: what others do on it does not count, but threads of this process do. */
static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static uint64_t resident(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	unsigned long pages = 0;

	if (!file || fscanf(file, "%*u %lu", &pages) != 1)
		native_die(me.s->name, "cannot read /proc/self/statm");
	fclose(file);
	return pages * sysconf(_SC_PAGESIZE);
}

static void insert(uint64_t from, uint64_t to)
{
	struct value value;
	struct key key;
	uint64_t i;

	for (i = from; i < to; i++) {
		key_make(&key, i);
		value_make(&value, i, 0);
		me.s->put(me.it, &key, &value);
	}
}

static void make_anew(void)
{
	if (me.it)
		me.s->destroy(me.it);
	me.it = me.s->create(me.objects);
}

static double do_insert(const struct task *task)
{
	uint64_t from = me.objects * task->part / task->parts;
	uint64_t to = me.objects * (task->part + 1) / task->parts;
	uint64_t again = task->parts > 1 ? 1 : (LEAST_INSERTED + me.objects - 1) / me.objects;
	double time = 0, start;
	uint64_t i;

	for (i = 0; i < again; i++) {
		if (!task->part)
			make_anew();
		start = now();
		if (me.s->put)
			insert(from, to);
		time += now() - start;
		if (!me.memory && task->part == task->parts - 1)
			me.memory = resident() - me.before;
	}
	return time / again / (to - from);
}

/* With @depends, which object is next is known only when the value before it has been copied. */
static inline __attribute__((__always_inline__)) uint64_t
get_all(const uint32_t *numbers, long count, bool depends)
{
	struct value value = { { 0 } };
	struct key key;
	uint64_t sum = 0;
	long i;

	for (i = 0; i < count; i++) {
		key_make(&key, numbers[i] + (depends ? value.word[0] >> 63 : 0));
		if (!me.s->get(me.it, &key, &value))
			native_die(me.s->name, "an object is not found");
		sum += value_sum(&value);
	}
	return sum;
}

static uint64_t get_many(const uint32_t *numbers, long count)
{
	return options.overlap ? get_all(numbers, count, false) : get_all(numbers, count, true);
}

static uint64_t put_many(const uint32_t *numbers, long count, uint64_t generation)
{
	struct value value;
	struct key key;
	long i;

	for (i = 0; i < count; i++) {
		key_make(&key, numbers[i]);
		value_make(&value, numbers[i], generation);
		me.s->put(me.it, &key, &value);
	}
	return 0;
}

static uint64_t walk(const uint32_t *numbers, long count)
{
	struct value value;
	struct key key;

	key_make(&key, numbers[0]);
	return me.s->walk(me.it, &key, count, &value);
}

static uint64_t do_many(const struct task *task, const uint32_t *numbers, long count)
{
	switch (task->op) {
	case OP_GET:
		return get_many(numbers, count);
	case OP_PUT:
		return put_many(numbers, count, 2 * task->round + task->skewed + 1);
	default:
		return walk(numbers, count);
	}
}

/* A quarter more goes before what is timed, since others have had the processor's caches. */
static double do_ops(const struct task *task, uint64_t *sum)
{
	long warm = options.ops / 4;
	double start;

	numbers_make(me.numbers, warm + options.ops, me.objects, task->skewed,
		     task->round * 16 + task->op * 2 + task->skewed);
	do_many(task, me.numbers, warm);
	start = now();
	*sum = do_many(task, me.numbers + warm, options.ops);
	return (now() - start) / options.ops;
}

static void check_object(uint64_t number)
{
	struct value value;
	struct key key;

	key_make(&key, number);
	if (!me.s->get(me.it, &key, &value))
		native_die(me.s->name, "an object that was put is not there");
	if (me.wrong)
		value.word[3] ^= 1;
	if (!value_is_of(&value, number))
		native_die(me.s->name, "the value of an object is not what was put");
	key_make(&key, number + me.objects);
	if (me.s->get(me.it, &key, &value))
		native_die(me.s->name, "an object is there that nobody has put");
}

/* A walk of all objects comes to each of them, once. */
static void check_walk(void)
{
	struct value value, again;
	struct key key;

	key_make(&key, 0);
	me.s->walk(me.it, &key, 1, &value);
	me.s->walk(me.it, &key, me.objects + 1, &again);
	if (!value_is_of(&value, 0) || again.word[0] != value.word[0])
		native_die(me.s->name, "a walk has not come round to its first object");
}

static void check(void)
{
	uint64_t step = me.objects / CHECKED + 1, number;

	if (!me.s->put)
		return;
	for (number = 0; number < me.objects; number += step)
		check_object(number);
	check_walk();
}

static void do_task(const struct task *task, struct answer *answer)
{
	switch (task->op) {
	case OP_INSERT:
		answer->ns = do_insert(task);
		break;
	case OP_CHECK:
		check();
		break;
	default:
		answer->ns = do_ops(task, &answer->sum);
	}
	answer->memory = me.memory;
}

void child_run(const struct structure *s, bool wrong, uint64_t objects, int from, int to)
{
	size_t numbers = options.ops + options.ops / 4;
	struct task task;

	me.s = s;
	me.wrong = wrong;
	me.objects = objects;
	me.numbers = calloc(numbers, sizeof(*me.numbers));
	if (!me.numbers)
		native_die(s->name, "out of memory");
	numbers_make(me.numbers, numbers, objects, false, 0);
	me.before = resident();
	while (read(from, &task, sizeof(task)) == sizeof(task)) {
		struct answer answer = { 0 };

		do_task(&task, &answer);
		if (write(to, &answer, sizeof(answer)) != sizeof(answer))
			break;
	}
	exit(0);
}
