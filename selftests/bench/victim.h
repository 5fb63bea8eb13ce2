/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A process to be killed.
 */
#ifndef BENCH_VICTIM_H
#define BENCH_VICTIM_H

#include <linux/kreg.h>

#include "bench.h"

struct victim {
	pid_t pid;
	int pidfd;
	struct kreg_process self;	/* with a client */
};

/* It sits on another CPU, if there is one, and has so much memory resident. */
void victim_start(struct victim *victim, long kib, bool client);
void victim_kill(struct victim *victim);
void victim_seen(struct victim *victim);	/* wait for the pidfd */
void victim_reap(struct victim *victim);

#endif /* BENCH_VICTIM_H */
