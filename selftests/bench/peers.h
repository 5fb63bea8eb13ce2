/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is measured beside kreg: see peers.c. Operations are called as kreg's are
 * where they do the same.
 */
#ifndef BENCH_PEERS_H
#define BENCH_PEERS_H

#include "bench.h"

#define BATCH	256
#define FRESH	4096			/* keys of objects that are not there */

/* Free memory of the guest, to see what a million objects take of it. */
long memory_free(void);
void memory_result(const char *system, long objects, long before);

void peer_bpf(long objects);
void peer_shm(long objects);
void peer_lmdb(long objects);
void peer_redis(long objects);

#endif /* BENCH_PEERS_H */
