/* SPDX-License-Identifier: GPL-2.0 */
/* Test Anything Protocol: a plan, and a line a test. */
#ifndef TAP_H
#define TAP_H

#ifdef __KERNEL__
#define tap_say(...)	pr_info("storetest: " __VA_ARGS__)
#define tap_end(what)	panic("storetest: %s: the rest cannot be trusted\n", what)
#else
#include <stdio.h>
#include <stdlib.h>
#define tap_say(...)	printf(__VA_ARGS__)
#define tap_end(what)	do { (void)(what); fflush(stdout); abort(); } while (0)
#endif

static int tap_count;

static inline void tap_plan(int n)
{
#ifndef __KERNEL__
	setvbuf(stdout, NULL, _IOLBF, 0);
#endif
	tap_say("TAP version 13\n");
	tap_say("1..%d\n", n);
}

static inline void tap_pass(const char *what)
{
	tap_say("ok %d %s\n", ++tap_count, what);
}

/* A condition that is false ends the program, since no later result would mean anything. */
#define tap_check(c) do { \
	if (!(c)) { \
		tap_say("not ok %d %s:%d: %s\n", tap_count + 1, __FILE__, \
		       __LINE__, #c); \
		tap_end(#c); \
	} \
} while (0)

#endif /* TAP_H */
