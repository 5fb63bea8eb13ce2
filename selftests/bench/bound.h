/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Processes to which objects are bound.
 */
#ifndef BENCH_BOUND_H
#define BENCH_BOUND_H

#include <sys/types.h>

#include "table.h"

/* Bind so many objects, of the keys that come next, to this process. */
void table_bind(struct table *table, long count);
/* A process that sleeps, to which the first @count keys of @table are bound. */
pid_t bound_start(struct table *table, long count);

#endif /* BENCH_BOUND_H */
