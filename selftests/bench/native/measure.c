// SPDX-License-Identifier: GPL-2.0
/*
 * All structures of one size do a round of each operation, one after the other, before the next
 * round, so that what disturbs the machine for longer disturbs all alike. What they have read has
 * to be the same.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure.h"

/* From so many objects on, all are inserted once only, in so many parts that take turns. */
#define LARGE	500000
#define PARTS	10

const int section_base[SECTIONS] = { KREG_SET, KREG_ORDERED };

const struct structure *const structures[STRUCTURES] = {
	[KREG_SET] = &kreg_set,
	[RCULFHASH] = &rculfhash,
	[LMDB] = &lmdb,
	[ACCESS] = &one_access,
	[KREG_ORDERED] = &kreg_ordered,
	[BTREE] = &btree,
};

static struct {
	pid_t pid;
	int to;
	int from;
} child[STRUCTURES];

/* Of each round. */
static double times[STRUCTURES][OPS][2][MOST_ROUNDS];

const char *op_name(enum op op)
{
	static const char *const names[] = { "insert", "get", "put", "next", "check" };

	return names[op];
}

bool op_applies(const struct structure *s, enum op op)
{
	return s->put || op == OP_GET;
}

static void progress(uint64_t objects, const struct task *task)
{
	if (!isatty(2))
		return;
	if (task)
		fprintf(stderr, "\r%llu objects: round %d of %d, %s%s\033[K",
			(unsigned long long)objects, task->round + 1, options.rounds,
			op_name(task->op), task->skewed ? ", skewed" : "");
	else
		fprintf(stderr, "\r\033[K");
}

static void start_child(int i, uint64_t objects)
{
	int down[2], up[2], k;

	if (pipe(down) || pipe(up))
		native_die("native", "pipe() failed");
	child[i].pid = fork();
	if (child[i].pid < 0)
		native_die("native", "fork() failed");
	if (!child[i].pid) {
		/* So that the others see the end of their pipes. */
		for (k = 0; k < i; k++) {
			close(child[k].to);
			close(child[k].from);
		}
		close(down[1]);
		close(up[0]);
		child_run(structures[i], i == options.wrong, objects, down[0], up[1]);
	}
	close(down[0]);
	close(up[1]);
	child[i].to = down[1];
	child[i].from = up[0];
}

static void end_child(int i)
{
	int status;

	close(child[i].to);
	close(child[i].from);
	if (waitpid(child[i].pid, &status, 0) < 0 || status)
		native_die(structures[i]->name, "its process has not ended well");
}

static void ask(int i, const struct task *task, struct answer *answer)
{
	if (write(child[i].to, task, sizeof(*task)) != sizeof(*task) ||
	    read(child[i].from, answer, sizeof(*answer)) != sizeof(*answer))
		native_die(structures[i]->name, "its process has failed");
}

/* Of those that have read the same objects, in the same order if that matters. */
static void compare_sums(const struct task *task, const struct answer *answer)
{
	int first = task->op == OP_NEXT ? KREG_ORDERED : KREG_SET, i;

	for (i = 0; i < STRUCTURES; i++) {
		if (!structures[i]->put || (task->op == OP_NEXT && !structures[i]->ordered))
			continue;
		if (answer[i].sum != answer[first].sum)
			native_die(structures[i]->name, "it has read other values than kreg");
	}
}

static void do_round(uint64_t objects, const struct task *task, struct figures *f)
{
	struct answer answer[STRUCTURES] = { 0 };
	int i;

	progress(objects, task);
	for (i = 0; i < STRUCTURES; i++) {
		if (task->op < OP_PUT || structures[i]->put)
			ask(i, task, &answer[i]);
		if (task->op < OPS)
			times[i][task->op][task->skewed][task->round] +=
				answer[i].ns / task->parts;
		if (answer[i].memory)
			f->memory[i] = answer[i].memory;
	}
	compare_sums(task, answer);
}

static int insert_rounds(uint64_t objects)
{
	return objects < LARGE ? options.rounds : 1;
}

static void insert_all(uint64_t objects, struct figures *f)
{
	struct task task = { .op = OP_INSERT, .parts = objects < LARGE ? 1 : PARTS };

	for (task.round = 0; task.round < insert_rounds(objects); task.round++)
		for (task.part = 0; task.part < task.parts; task.part++)
			do_round(objects, &task, f);
}

static void do_all(uint64_t objects, struct figures *f)
{
	static const struct task round[] = {
		{ .op = OP_GET },
		{ .op = OP_GET, .skewed = true },
		{ .op = OP_NEXT },
		{ .op = OP_PUT },
		{ .op = OP_PUT, .skewed = true },
	};
	struct task check = { .op = OP_CHECK, .parts = 1 };
	unsigned int i;
	int r;

	insert_all(objects, f);
	do_round(objects, &check, f);
	for (r = 0; r < options.rounds; r++) {
		for (i = 0; i < sizeof(round) / sizeof(*round); i++) {
			struct task task = round[i];

			task.round = r;
			task.parts = 1;
			do_round(objects, &task, f);
		}
	}
	do_round(objects, &check, f);
	progress(objects, NULL);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* @value is sorted. */
static double median(double *value, int n)
{
	qsort(value, n, sizeof(*value), compare);
	return (value[(n - 1) / 2] + value[n / 2]) / 2;
}

static void sum_up(int i, enum op op, int skewed, int rounds, struct figure *figure)
{
	double value[MOST_ROUNDS];
	int section, r;

	for (section = 0; section < SECTIONS; section++) {
		const double *base = times[section_base[section]][op][skewed];

		for (r = 0; r < rounds; r++)
			value[r] = times[i][op][skewed][r] / base[r];
		figure->ratio[section] = median(value, rounds);
	}
	memcpy(value, times[i][op][skewed], sizeof(value));
	figure->ns = median(value, rounds);
	figure->low = value[0];
	figure->high = value[rounds - 1];
}

void measure(uint64_t objects, struct figures *f)
{
	int i, op, skewed;

	memset(times, 0, sizeof(times));
	memset(f, 0, sizeof(*f));
	f->objects = objects;
	for (i = 0; i < STRUCTURES; i++)
		start_child(i, objects);
	do_all(objects, f);
	for (i = 0; i < STRUCTURES; i++)
		end_child(i);
	for (i = 0; i < STRUCTURES; i++)
		for (op = 0; op < OPS; op++)
			for (skewed = 0; skewed < 2; skewed++)
				if (op_applies(structures[i], op) && times[i][op][skewed][0])
					sum_up(i, op, skewed, op == OP_INSERT ?
					       insert_rounds(objects) : options.rounds,
					       &f->figure[i][op][skewed]);
}
