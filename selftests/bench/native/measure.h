/* SPDX-License-Identifier: GPL-2.0 */
/* Each structure in a process of its own, told one after the other what to do. */
#ifndef NATIVE_MEASURE_H
#define NATIVE_MEASURE_H

#include <sys/types.h>

#include "native.h"

#define MOST_ROUNDS	25
#define MOST_SIZES	16
#define SECTIONS	2

enum op { OP_INSERT, OP_GET, OP_PUT, OP_NEXT, OPS, OP_CHECK = OPS };

/* What the process of a structure is to do. */
struct task {
	enum op op;
	bool skewed;
	int round;
	int part;	/* of an insertion, from 0 */
	int parts;
};

struct answer {
	double ns;		/* of one operation */
	uint64_t sum;		/* of what was read */
	uint64_t memory;	/* by which this process has grown, when all objects are there */
};

struct options {
	bool json;
	bool overlap;		/* an operation may begin before the one before it has ended */
	int rounds;
	long ops;		/* a round */
	int wrong;		/* the structure whose values are spoiled, or -1 */
	int sizes;
	uint64_t size[MOST_SIZES];
};

extern struct options options;

/* Medians over the rounds; 0: not measured. The ratio is to kreg in that round. */
struct figure {
	double ns;
	double low;
	double high;
	double ratio[SECTIONS];
};

struct figures {
	uint64_t objects;
	struct figure figure[STRUCTURES][OPS][2];
	uint64_t memory[STRUCTURES];
};

/* What is compared with which table of kreg: see report.c. */
extern const int section_base[SECTIONS];

/* child.c: does tasks that it reads from @from, and answers to @to, until there are none. */
void child_run(const struct structure *s, bool wrong, uint64_t objects, int from, int to)
	__attribute__((__noreturn__));

/* measure.c */
void measure(uint64_t objects, struct figures *f);
const char *op_name(enum op op);
bool op_applies(const struct structure *s, enum op op);

/* report.c */
void report_json(const struct figures *f);
void report_tables(const struct figures *f, int sizes);

#endif /* NATIVE_MEASURE_H */
