// SPDX-License-Identifier: GPL-2.0
#include <linux/hrtimer.h>
#include <linux/sched/signal.h>

#include "client/clock.h"

int kreg_clock_sleep(struct wait_queue_head *queue, bool (*is_over)(void *what), void *what,
		     ktime_t until)
{
	ktime_t *expires = until == KTIME_MAX ? NULL : &until;

	return ___wait_event(*queue, is_over(what), (TASK_INTERRUPTIBLE | TASK_FREEZABLE), 0, 0,
			     if (!schedule_hrtimeout_range(expires, current->timer_slack_ns,
							   HRTIMER_MODE_ABS)) {
				     __ret = -ETIMEDOUT;
				     break;
			     });
}
