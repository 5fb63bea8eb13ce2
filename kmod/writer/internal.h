/* SPDX-License-Identifier: GPL-2.0 */
/* Between the files of this room. */
#ifndef KREG_WRITER_INTERNAL_H
#define KREG_WRITER_INTERNAL_H

#include "writer/writer.h"

static inline bool kreg_writer_has_work(const struct kreg_writer *w)
{
	return !llist_empty(&w->queue) || !llist_empty(&w->deaths);
}

/* Sleeps. The requests @queued go to the end of @fresh, oldest first. */
void kreg_lane_collect(struct llist_node *queued, struct list_head *fresh);
/* Sleeps. One request of each lane moves to @ready, or one that has no lane, alone. */
void kreg_lane_line_up(struct list_head *fresh, struct list_head *ready);
/* Sleeps. @req is done: the next of its lane gets ready, and its caller is told. */
void kreg_lane_retire(struct kreg_req *req, struct list_head *ready);

static inline bool kreg_upkeep_wanted(const struct kreg_writer *w)
{
	return !list_empty(&w->upkeeps) && !timer_pending(&w->timer);
}

/* Sleeps. Do the upkeep of one store, or of @all as long as nothing is more urgent. */
void kreg_upkeep_run(struct kreg_writer *w, bool all);
/* Any. A timer of its own, since one that is set for each sleep costs as much as a put. */
void kreg_upkeep_timer(struct timer_list *timer);

#endif /* KREG_WRITER_INTERNAL_H */
