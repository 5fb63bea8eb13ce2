// SPDX-License-Identifier: GPL-2.0
#include <linux/poll.h>
#include <linux/sched.h>

#include "client/news.h"

/* Sleepers that are woken in a caller's context, and in one hold of a queue's lock. */
#define FEW		16
#define A_PIECE		64

#define NEWS_KEY	poll_to_key(EPOLLIN | EPOLLRDNORM)

static struct workqueue_struct *wakers;

/* Under the lock of the queue. */
static bool are_few(const struct wait_queue_head *queue)
{
	const struct list_head *entry;
	unsigned int n = 0;

	list_for_each(entry, &queue->head)
		if (++n > FEW)
			return false;
	return true;
}

/* Nobody holds the lock for long: sleepers come and go, and are woken in pieces. */
bool kreg_news_wake_few(struct wait_queue_head *queue)
{
	unsigned long flags;
	bool few;

	spin_lock_irqsave(&queue->lock, flags);
	few = are_few(queue);
	if (few)
		__wake_up_locked_key(queue, TASK_NORMAL, NEWS_KEY);
	spin_unlock_irqrestore(&queue->lock, flags);
	return few;
}

/* For an entry that only keeps a place in the queue. */
static int wake_nobody(struct wait_queue_entry *entry, unsigned int mode, int flags, void *key)
{
	return 0;
}

/*
 * As __wake_up() does it, but only the next few behind @place, which goes on. False: there
 * are no more, or one has been woken that sleeps alone.
 */
static bool wake_piece(struct wait_queue_head *queue, struct wait_queue_entry *place)
{
	struct wait_queue_entry *entry;
	bool alone;
	int n, ret;

	for (n = 0; n < A_PIECE; n++) {
		if (list_is_last(&place->entry, &queue->head))
			return false;
		entry = list_next_entry(place, entry);
		list_move(&place->entry, &entry->entry);
		/* What it is in may be gone when its function returns. */
		alone = entry->flags & WQ_FLAG_EXCLUSIVE;
		ret = entry->func(entry, TASK_NORMAL, 0, NEWS_KEY);
		if (ret < 0 || (ret && alone))
			return false;
	}
	return true;
}

static void wake_many(struct work_struct *work)
{
	struct kreg_news *news = container_of(work, struct kreg_news, many);
	struct wait_queue_head *queue = &news->sleepers;
	struct wait_queue_entry place;

	init_waitqueue_func_entry(&place, wake_nobody);
	spin_lock_irq(&queue->lock);
	list_add(&place.entry, &queue->head);
	while (wake_piece(queue, &place)) {
		spin_unlock_irq(&queue->lock);
		cond_resched();
		spin_lock_irq(&queue->lock);
	}
	list_del(&place.entry);
	spin_unlock_irq(&queue->lock);
	news->put(news);
}

bool kreg_news_defer(struct work_struct *work)
{
	return queue_work(wakers, work);
}

/* If the work is pending already, it will see what the caller has done before. */
void kreg_news_wake(struct kreg_news *news)
{
	if (kreg_news_wake_few(&news->sleepers) || !kreg_news_defer(&news->many))
		news->put(news);
}

static void wake_queued(struct kreg_wake *wake)
{
	kreg_news_wake(container_of(wake, struct kreg_news, wake));
}

void kreg_news_init(struct kreg_news *news, void (*put)(struct kreg_news *news))
{
	init_waitqueue_head(&news->sleepers);
	kreg_wake_init(&news->wake, wake_queued);
	INIT_WORK(&news->many, wake_many);
	news->put = put;
}

int kreg_news_start(void)
{
	wakers = alloc_workqueue("kreg_news", WQ_UNBOUND, 0);
	return wakers ? 0 : -ENOMEM;
}

void kreg_news_stop(void)
{
	destroy_workqueue(wakers);
}
