// SPDX-License-Identifier: GPL-2.0
#include <linux/sched.h>

#include "writer/internal.h"
#include "writer/upkeep.h"
#include "writer/writer.h"

/* How long a store that waits for a grace period is left alone. */
#define UPKEEP_JIFFIES	max(1, HZ / 100)

/* A bounded part of the first upkeep of the list. False if the list is empty. */
static bool upkeep_first(struct kreg_writer *w, struct list_head *later)
{
	enum kreg_upkeep_state state = KREG_UPKEEP_DONE;
	struct kreg_upkeep *u;

	spin_lock(&w->turn);
	u = list_first_entry_or_null(&w->upkeeps, struct kreg_upkeep, node);
	if (u) {
		state = u->work(u);
		if (state == KREG_UPKEEP_DONE)
			list_del_init(&u->node);
		else
			list_move_tail(&u->node, state == KREG_UPKEEP_NOW ?
				       &w->upkeeps : later);
	}
	spin_unlock(&w->turn);
	cond_resched();
	return u;
}

void kreg_upkeep_run(struct kreg_writer *w, bool all)
{
	LIST_HEAD(later);

	while (upkeep_first(w, &later) && all && !kreg_writer_has_work(w))
		;
	spin_lock(&w->turn);
	list_splice_tail(&later, &w->upkeeps);
	spin_unlock(&w->turn);
	if (!list_empty(&w->upkeeps))
		mod_timer(&w->timer, jiffies + UPKEEP_JIFFIES);
}

void kreg_upkeep_timer(struct timer_list *timer)
{
	kreg_writer_wake(container_of(timer, struct kreg_writer, timer));
}

void kreg_writer_add_upkeep(struct kreg_writer *w, struct kreg_upkeep *t)
{
	bool first = list_empty(&w->upkeeps);

	kreg_writer_assert(w);
	if (!list_empty(&t->node))
		return;
	list_add_tail(&t->node, &w->upkeeps);
	if (first)
		wake_up_process(w->task);
}

void kreg_writer_del_upkeep(struct kreg_writer *w, struct kreg_upkeep *t)
{
	kreg_writer_assert(w);
	list_del_init(&t->node);
}
