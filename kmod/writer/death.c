// SPDX-License-Identifier: GPL-2.0
#include <linux/sched.h>

#include "writer/death.h"
#include "writer/internal.h"

/* Deaths heard of in one hold of the turn. */
#define NEWS_A_TURN	64

/* How many are looked at for one that a helper may advance. */
#define DEATHS_A_LOOK	8

void kreg_death_tell(struct kreg_writer *w, struct kreg_death *d)
{
	llist_add(&d->node, &w->deaths);
}

/* Nobody queues anything for a dead process, so it waits for what is queued already. */
static void notice_death(struct kreg_writer *w, struct kreg_death *d)
{
	kreg_writer_assert(w);
	if (d->noticed)
		return;
	d->noticed = true;
	if (!atomic_read(&d->queued))
		list_add_tail(&d->entry, &w->dying);
}

/* Notice some of the deaths that @w was told of. */
static void hear_news(struct kreg_writer *w)
{
	struct llist_node *node;
	unsigned int n;

	kreg_writer_assert(w);
	for (n = 0; n < NEWS_A_TURN && (node = llist_del_first(&w->deaths)); n++) {
		struct kreg_death *d = llist_entry(node, struct kreg_death, node);

		notice_death(w, d);
		w->ops->heard(d);
	}
}

void kreg_death_enqueue(struct kreg_death *d)
{
	atomic_inc(&d->queued);
}

void kreg_death_dequeue(struct kreg_writer *w, struct kreg_death *d)
{
	kreg_writer_assert(w);
	if (atomic_dec_and_test(&d->queued) && d->noticed && list_empty(&d->entry))
		list_add_tail(&d->entry, &w->dying);
}

/* One step. True: it is done, which is to be told when the turn was returned. */
static bool advance_death(struct kreg_writer *w, struct kreg_death *d)
{
	list_move_tail(&d->entry, &w->dying);
	if (!w->ops->step(w, d))
		return false;
	list_del_init(&d->entry);
	d->done = !atomic_read(&d->queued);
	d->waited = !d->done;
	return d->done;
}

/* A step of the first death that can be advanced; *@done: tell of that one. */
static bool advance_first(struct kreg_writer *w, struct kreg_death **done)
{
	struct kreg_death *d;

	hear_news(w);
	d = list_first_entry_or_null(&w->dying, struct kreg_death, entry);
	*done = d && advance_death(w, d) ? d : NULL;
	return d;
}

bool kreg_death_advance(struct kreg_writer *w)
{
	struct kreg_death *done;
	bool any;

	if (!kreg_death_any(w))
		return false;
	spin_lock(&w->turn);
	any = advance_first(w, &done);
	spin_unlock(&w->turn);
	kreg_wake_queued(w);
	if (done)
		w->ops->done(w, done);
	cond_resched();
	return any;
}

/* The first that is not left to the thread, or NULL: none of the first few. */
static struct kreg_death *first_for_helpers(struct kreg_writer *w)
{
	struct kreg_death *d;
	unsigned int n = 0;

	list_for_each_entry(d, &w->dying, entry) {
		if (!d->waited)
			return d;
		if (++n == DEATHS_A_LOOK)
			break;
	}
	return NULL;
}

void kreg_death_help(struct kreg_writer *w)
{
	struct kreg_death *d;
	bool done;

	if (!READ_ONCE(kreg_writer_lend) || !kreg_death_any(w))
		return;
	spin_lock(&w->turn);
	hear_news(w);
	d = first_for_helpers(w);
	done = d && advance_death(w, d);
	spin_unlock(&w->turn);
	kreg_wake_queued(w);
	if (done)
		w->ops->done(w, d);
	if (kreg_death_any(w))
		kreg_writer_wake(w);
}

/* One step of @d, if it can be advanced here. False: not any further. */
static bool advance_here(struct kreg_writer *w, struct kreg_death *d)
{
	bool mine, done;

	spin_lock(&w->turn);
	notice_death(w, d);
	/*
	 * Who sleeps until it is done must not depend on a helper that is preempted when
	 * he has done it: once somebody may have to sleep, it is the thread's.
	 */
	mine = READ_ONCE(kreg_writer_lend) && !d->waited && !list_empty(&d->entry);
	done = mine && advance_death(w, d);
	spin_unlock(&w->turn);
	kreg_wake_queued(w);
	if (done)
		w->ops->done(w, d);
	cond_resched();
	return mine;
}

bool kreg_death_settle(struct kreg_writer *w, struct kreg_death *d)
{
	bool done;

	while (advance_here(w, d))
		;
	spin_lock(&w->turn);
	done = d->done;
	d->waited |= !done;
	spin_unlock(&w->turn);
	if (!done)
		kreg_writer_wake(w);
	return done;
}
