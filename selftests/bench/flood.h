/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Another user who does what he can within his limits.
 */
#ifndef BENCH_FLOOD_H
#define BENCH_FLOOD_H

#include <stdbool.h>

#define FLOOD_USER	1001	/* who floods */
#define FLOOD_SHARED	"stranger-shared"

enum flood {
	FLOOD_SPIN,		/* as many processes that do nothing with kreg */
	FLOOD_CALLS,		/* queues, opens, polls, lets die */
	FLOOD_SHARE,		/* the same, and writes to the table FLOOD_SHARED */
};

/* Everybody may open the device, or root only. */
void device_share(bool share);
/* The calling process goes on as @user, who is not root. */
void become(unsigned int user);
void flood_start(enum flood what);
void flood_stop(void);

#endif /* BENCH_FLOOD_H */
