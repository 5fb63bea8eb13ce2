/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Groups of measurements; main.c has the names that the command line knows.
 */
#ifndef BENCH_GROUPS_H
#define BENCH_GROUPS_H

#include "bench.h"

void group_floors(void);
void group_ops(void);
void group_edits(void);
void group_bound(void);
void group_life(void);
void group_death(void);
void group_watch(void);
void group_stream(void);
void group_pin(void);
void group_search(void);
void group_queue(void);
void group_call(void);
void group_restart(void);
void group_stranger(void);
void group_turn(void);
void group_values(void);
void group_sizes(void);
void group_cpus(void);

/* restart.c, as the program that is started. */
int restart_began(char **argv);

#endif /* BENCH_GROUPS_H */
