// SPDX-License-Identifier: GPL-2.0
#include "writer/wake.h"
#include "writer/writer.h"

void kreg_wake_init(struct kreg_wake *wake, void (*fn)(struct kreg_wake *wake))
{
	atomic_set(&wake->queued, false);
	wake->fn = fn;
}

/* Full barriers here and below: who finds it queued is seen by the woken. */
bool kreg_wake_later(struct kreg_writer *w, struct kreg_wake *wake)
{
	if (atomic_xchg(&wake->queued, true))
		return false;
	llist_add(&wake->node, &w->wakes);
	return true;
}

static void carry_out(struct kreg_writer *w)
{
	struct llist_node *list = llist_reverse_order(llist_del_all(&w->wakes));
	struct kreg_wake *wake, *next;

	llist_for_each_entry_safe(wake, next, list, node) {
		atomic_xchg(&wake->queued, false);
		wake->fn(wake);
	}
}

void kreg_wake_queued(struct kreg_writer *w)
{
	if (IS_ENABLED(CONFIG_PREEMPT_RT)) {
		spin_lock(&w->waking);
		carry_out(w);
		spin_unlock(&w->waking);
	} else if (!llist_empty(&w->wakes)) {
		carry_out(w);
	}
}
