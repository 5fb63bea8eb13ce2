/* SPDX-License-Identifier: GPL-2.0 */
/*
 * News of a client: where those sleep who wait for its records.
 *
 * How many sleep there is up to the user: one poll() may name a file half a million
 * times. A few are woken by who has news for them; many by a worker, in pieces, so that
 * nobody else pays for it and nobody waits long for the lock of the queue.
 */
#ifndef KREG_CLIENT_NEWS_H
#define KREG_CLIENT_NEWS_H

#include <linux/wait.h>
#include <linux/workqueue.h>

#include "writer/wake.h"

struct kreg_news {
	struct wait_queue_head sleepers;
	struct kreg_wake wake;		/* holds a reference while it is queued */
	struct work_struct many;	/* holds one while it is pending */
	void (*put)(struct kreg_news *news);	/* ends a reference to what @news is in */
};

/* Sleeps. -ENOMEM. */
int kreg_news_start(void);
/* Sleeps. No client is left. */
void kreg_news_stop(void);

/* Any. */
void kreg_news_init(struct kreg_news *news, void (*put)(struct kreg_news *news));
/* Any, without locks. Wake all that sleep, now or soon; ends a reference. */
void kreg_news_wake(struct kreg_news *news);
/*
 * Any. Wake those that sleep in @queue, if they are few; else false. At most one of those
 * that sleep alone (EPOLLEXCLUSIVE), as in all wake-ups.
 */
bool kreg_news_wake_few(struct wait_queue_head *queue);
/* Any. Have @work done by a worker, before kreg_news_stop(). False: it is pending. */
bool kreg_news_defer(struct work_struct *work);

#endif /* KREG_CLIENT_NEWS_H */
