/* SPDX-License-Identifier: GPL-2.0 */
/* Between the files of this room. */
#ifndef KREG_WRITER_INTERNAL_H
#define KREG_WRITER_INTERNAL_H

#include "writer/writer.h"

/* Sleeps. Take what is queued into the thread's hands. */
void kreg_lane_collect(struct kreg_writer *w);
/* Sleeps. The request to be advanced next, or NULL: of the user who has waited longest. */
struct kreg_req *kreg_lane_next(struct kreg_writer *w);
/* Turn. @req had a step, and it was not the last: those of others come first. */
void kreg_lane_rotate(struct kreg_writer *w, struct kreg_req *req);
/* Turn. @req is done, and may be posted again if that is allowed. */
void kreg_lane_leave(struct kreg_writer *w, struct kreg_req *req);
/* Sleeps. Tell the caller that @req is done, or what can be posted @again that its end has come. */
void kreg_lane_finish(struct kreg_req *req, bool again);
/* Sleeps. Finish the requests without a lane before which nothing is left. */
void kreg_lane_pass(struct kreg_writer *w);

/* Sleeps. A step of one death. False: none can be advanced. */
bool kreg_death_advance(struct kreg_writer *w);

static inline bool kreg_death_any(const struct kreg_writer *w)
{
	return !llist_empty(&w->deaths) || !list_empty_careful(&w->dying);
}

/* Sleeps. For the thread. */
static inline bool kreg_writer_has_work(const struct kreg_writer *w)
{
	return !llist_empty(&w->queue) || !list_empty(&w->shares) || kreg_death_any(w);
}

static inline bool kreg_upkeep_wanted(const struct kreg_writer *w)
{
	return !list_empty(&w->upkeeps) && !timer_pending(&w->timer);
}

/* Sleeps. Do the upkeep of one store, or of @all as long as nothing is more urgent. */
void kreg_upkeep_run(struct kreg_writer *w, bool all);
/* Any. A timer of its own, since one that is set for each sleep costs as much as a put. */
void kreg_upkeep_timer(struct timer_list *timer);

#endif /* KREG_WRITER_INTERNAL_H */
