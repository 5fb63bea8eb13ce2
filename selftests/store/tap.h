/* SPDX-License-Identifier: GPL-2.0 */
/* Test Anything Protocol: a plan, and a line a test. */
#ifndef TAP_H
#define TAP_H

#include <stdio.h>
#include <stdlib.h>

static int tap_count;

static inline void tap_plan(int n)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("TAP version 13\n1..%d\n", n);
}

static inline void tap_pass(const char *what)
{
	printf("ok %d %s\n", ++tap_count, what);
}

/* What is false ends the program: after it nothing can be trusted. */
#define tap_check(c) do { \
	if (!(c)) { \
		printf("not ok %d %s:%d: %s\n", tap_count + 1, __FILE__, \
		       __LINE__, #c); \
		fflush(stdout); \
		abort(); \
	} \
} while (0)

#endif /* TAP_H */
