/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Requests to a writer, and the lanes that keep those of a table in order.
 */
#ifndef KREG_WRITER_LANE_H
#define KREG_WRITER_LANE_H

#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/refcount.h>

/* What is done in order: the requests of a table. */
struct kreg_lane {
	atomic_t pending;		/* queued or in hand; reaches 0 under the turn */
	/* The thread's: */
	bool taken;			/* a request is under way */
	struct list_head behind;	/* and these wait for it */
};

static inline void kreg_lane_init(struct kreg_lane *lane)
{
	atomic_set(&lane->pending, 0);
	lane->taken = false;
	INIT_LIST_HEAD(&lane->behind);
}

/*
 * A piece of work under the turn. @step does a bounded part of it, and returns true
 * when all is done. @free is called when both the caller and the thread have let go;
 * it is NULL for a request that lives in another object and whose caller waits for
 * it. One without a lane comes after all that were queued before it, and before all
 * that are queued later; it is done in one step.
 */
struct kreg_req {
	union {
		struct llist_node node;	/* queued */
		struct list_head entry;	/* in the thread's hands */
	};
	struct kreg_lane *lane;
	bool (*step)(struct kreg_req *req);
	void (*free)(struct kreg_req *req);
	refcount_t refs;
	bool large;			/* never lent the turn */
	int result;
	struct completion done;
};

/* Any. With one reference, the caller's. */
void kreg_req_init(struct kreg_req *req, struct kreg_lane *lane,
		   bool (*step)(struct kreg_req *req), void (*free)(struct kreg_req *req));
/* Any, as far as @free allows. */
void kreg_req_put(struct kreg_req *req);

#endif /* KREG_WRITER_LANE_H */
