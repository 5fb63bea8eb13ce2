// SPDX-License-Identifier: GPL-2.0
#include <linux/hrtimer.h>
#include <linux/sched/signal.h>

#include "client/clock.h"

int kreg_clock_sleep(struct wait_queue_head *queue, bool (*is_over)(void *what), void *what,
		     ktime_t until)
{
	ktime_t *expires = until == KTIME_MAX ? NULL : &until;
	DEFINE_WAIT(wait);
	int err;

	do {
		err = prepare_to_wait_event(queue, &wait, TASK_INTERRUPTIBLE | TASK_FREEZABLE);
		if (is_over(what)) {
			err = 0;
			break;
		}
		if (!err && !schedule_hrtimeout_range(expires, current->timer_slack_ns,
						      HRTIMER_MODE_ABS))
			err = -ETIMEDOUT;
	} while (!err);
	finish_wait(queue, &wait);
	return err;
}
