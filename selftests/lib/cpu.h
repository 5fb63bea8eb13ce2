/* SPDX-License-Identifier: GPL-2.0 */
/* What a process has used. */
#ifndef KREG_LIB_CPU_H
#define KREG_LIB_CPU_H

#include <stdint.h>
#include <sys/types.h>
#include <time.h>

/* Nanoseconds of CPU, or -1. */
static inline int64_t cpu_of(pid_t pid)
{
	struct timespec ts;
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &ts))
		return -1;
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

#endif /* KREG_LIB_CPU_H */
