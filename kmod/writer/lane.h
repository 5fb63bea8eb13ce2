/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Requests to a writer, the lanes that keep those of a table in order, and the shares
 * of users in the thread's time.
 */
#ifndef KREG_WRITER_LANE_H
#define KREG_WRITER_LANE_H

#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/refcount.h>

struct kreg_death;
struct kreg_writer;

/*
 * The requests of a table: one at a time, those of a user in order, users by turns. So who
 * shares a table with others waits for one request of each, whatever they have queued there.
 * Its steps are in turns with those of the same user's other lanes.
 */
struct kreg_lane {
	atomic_t pending;		/* queued or in hand; reaches 0 under the turn */
	bool held;			/* turn: for a request in another lane */
	bool reserved;			/* turn: likewise, so no request begins in it */
	/* The thread's: */
	struct kreg_req *busy;		/* under way, or NULL */
	struct list_head behind;	/* kreg_req.entry: the first of each other user */
};

/* The requests of a user that can be advanced. Users have a step each in turns. */
struct kreg_share {
	/* The thread's: */
	struct list_head node;		/* in the writer's list, as long as something is ready */
	struct list_head ready;		/* kreg_req.entry */
};

/*
 * A piece of work under the turn. @step does a bounded part of it, and returns true
 * when all is done. @free is called when both the caller and the thread have let go;
 * it is NULL for a request that lives in another object and whose caller waits for it.
 *
 * A request that nobody waits for and that can be posted again may be in the queue once
 * more as soon as its last step has returned; then it has no references, and @free is
 * called at the end of each time it was posted.
 *
 * One without a lane marks a place: it is done when all that were queued before it are,
 * and holds up nobody.
 */
struct kreg_req {
	union {
		struct llist_node node;	/* queued */
		struct list_head entry;	/* in the thread's hands: in a share or behind a lane */
	};
	struct list_head next;		/* the thread's: those of its user in its lane after it */
	struct list_head order;		/* the thread's: all in its hands, oldest first */
	/* Invariant after initialisation: */
	struct kreg_lane *lane;
	struct kreg_share *share;	/* of the user whose request it is */
	struct kreg_death *issuer;	/* the process whose request it is, or NULL */
	bool (*step)(struct kreg_req *req);
	void (*free)(struct kreg_req *req);
	bool large;			/* not lent the turn, or no more */
	bool again;			/* can be posted again */
	bool begun;			/* the thread's: a step of it has done something */
	refcount_t refs;
	int result;
	struct completion done;
};

/* Any. With one reference, the caller's. Its share is still to be set. */
void kreg_req_init(struct kreg_req *req, struct kreg_lane *lane,
		   bool (*step)(struct kreg_req *req), void (*free)(struct kreg_req *req));
/* Any, as far as @free allows. */
void kreg_req_put(struct kreg_req *req);

static inline void kreg_lane_init(struct kreg_lane *lane)
{
	atomic_set(&lane->pending, 0);
	lane->held = false;
	lane->reserved = false;
	lane->busy = NULL;
	INIT_LIST_HEAD(&lane->behind);
}

/*
 * Turn, in a step of a request in @own. Whether nothing in @lane, of the same writer, is half done.
 * A request that was lent the turn was not posted, and does not know what the thread has in hand.
 */
static inline bool kreg_lane_rests(const struct kreg_lane *lane, const struct kreg_lane *own)
{
	if (!atomic_read(&own->pending))
		return !atomic_read(&lane->pending);
	return !lane->held && (!lane->busy || !lane->busy->begun);
}

/* Turn. Whether a step of @req, which is the first in its lane, is for later. */
static inline bool kreg_lane_is_stopped(const struct kreg_req *req)
{
	return req->lane->held || (req->lane->reserved && !req->begun);
}

/*
 * Turn, in a step of a request in another lane, when this one rests: until it is released nothing
 * in it is advanced, nor is the turn lent for it.
 */
static inline void kreg_lane_hold(struct kreg_lane *lane)
{
	lane->held = true;
	atomic_inc(&lane->pending);
}

static inline void kreg_lane_release(struct kreg_lane *lane)
{
	lane->held = false;
	atomic_dec(&lane->pending);
}

static inline void kreg_share_init(struct kreg_share *share)
{
	INIT_LIST_HEAD(&share->node);
	INIT_LIST_HEAD(&share->ready);
}

#endif /* KREG_WRITER_LANE_H */
