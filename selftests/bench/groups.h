/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Groups of measurements, by the name that the command line has for them.
 */
#ifndef BENCH_GROUPS_H
#define BENCH_GROUPS_H

#include "bench.h"

void group_floors(void);
void group_ops(void);

#endif /* BENCH_GROUPS_H */
