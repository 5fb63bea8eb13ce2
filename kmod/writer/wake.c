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

void kreg_wake_queued(struct kreg_writer *w)
{
	struct llist_node *list;
	struct kreg_wake *wake, *next;

	if (llist_empty(&w->wakes))
		return;
	list = llist_reverse_order(llist_del_all(&w->wakes));
	llist_for_each_entry_safe(wake, next, list, node) {
		atomic_xchg(&wake->queued, false);
		wake->fn(wake);
	}
}
