/* SPDX-License-Identifier: GPL-2.0 */
/* The clock by which objects expire. */
#ifndef KREG_KIT_TICK_H
#define KREG_KIT_TICK_H

#include <time.h>

#include <linux/types.h>

#define MS		1000000ULL

/* That of the last tick, which is one for all processors. */
static inline __u64 test_tick_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

#endif /* KREG_KIT_TICK_H */
