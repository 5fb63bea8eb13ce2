/* SPDX-License-Identifier: GPL-2.0 */
/*
 * CLOCK_MONOTONIC as the calling process reads it: its time namespace may have moved it.
 * All that goes in or out by the ABI is in the caller's time, all that is kept in the
 * kernel's.
 */
#ifndef KREG_CLIENT_CLOCK_H
#define KREG_CLIENT_CLOCK_H

#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/time_namespace.h>
#include <linux/wait.h>

static inline s64 kreg_clock_offset(void)
{
	struct timespec64 offset = {};

	timens_add_monotonic(&offset);
	return timespec64_to_ns(&offset);
}

/* The caller's moment @ns in the kernel's time; what cannot be told is at its ends. */
static inline ktime_t kreg_clock_from_user(u64 ns)
{
	s64 moment;

	if (check_sub_overflow((s64)min_t(u64, ns, KTIME_MAX), kreg_clock_offset(), &moment))
		return KTIME_MAX;
	return ns_to_ktime(max_t(s64, moment, 0));
}

/* The reverse; never 0, which says that there is no such moment. */
static inline u64 kreg_clock_to_user(ktime_t moment)
{
	return max_t(s64, ktime_to_ns(moment) + kreg_clock_offset(), 1);
}

/*
 * Sleeps. In @queue, until @is_over says so, a signal comes: -ERESTARTSYS, or @until has passed:
 * -ETIMEDOUT; KTIME_MAX: never. A stop and a freeze are no signals.
 */
int kreg_clock_sleep(struct wait_queue_head *queue, bool (*is_over)(void *what), void *what,
		     ktime_t until);

#endif /* KREG_CLIENT_CLOCK_H */
