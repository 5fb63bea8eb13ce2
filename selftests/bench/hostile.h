/* SPDX-License-Identifier: GPL-2.0 */
#ifndef BENCH_HOSTILE_H
#define BENCH_HOSTILE_H

#include "table.h"

void hostile_choose(struct table *table);	/* which is made */
void hostile_keys(const struct table *table);
void hostile_sizes(struct table *table);

#define HOSTILE_SHORT	150000	/* so many @keys are wanted */
void hostile_chunks(struct table *table, struct keys *keys);

#endif /* BENCH_HOSTILE_H */
