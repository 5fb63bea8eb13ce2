/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The writer: who may change tables, one at a time.
 *
 * DOC: The turn
 *
 * Every table belongs to one writer. Whoever holds the writer's turn may change
 * the table; nobody else may. Three parties take it:
 *
 *  - the writer's kernel thread, its standing holder, which works off deaths of
 *    processes and the queue of requests, and does the upkeep of stores;
 *  - a caller to whom it is *lent* (parameter lend), when nothing is pending in his
 *    lane: he performs his own request, which must be small, in his own context, and
 *    pays for it; or he handles a death whose outcome he wants to know;
 *  - a caller who sets memory aside, or takes a process out of a line or out of its
 *    heirships: nothing that others could wait for.
 *
 * The turn is a spinlock, a fair one, and held for bounded work only. Whoever wants it
 * waits for one piece of another's work, not for a queue.
 *
 * Order: a request is applied before every request that its user queues later in its
 * lane, which is that of a table, and before the death of the process that has queued it.
 * No other order is kept. The thread does a step for each user in turns, whatever he has
 * queued, and one for each death, so that nobody waits for another's queue. A table that a
 * request is pending for is not lent: that request comes first, and a batch that is half
 * applied is not disturbed. So who writes to a table that others write to waits for one
 * request of each of them. One request may change several tables of the writer: in the lane of the
 * first, when nothing is half done in the lanes of the others, kreg_lane_rests(), which it holds if
 * one step is not enough, kreg_lane_hold(). Where they are not at rest it may reserve them, so that
 * nothing begins in them any more; one request of a writer may at a time, so that no two wait for
 * each other.
 */
#ifndef KREG_WRITER_WRITER_H
#define KREG_WRITER_WRITER_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/spinlock.h>
#include <linux/timer.h>

#include "writer/death.h"
#include "writer/lane.h"
#include "writer/upkeep.h"
#include "writer/wake.h"

struct kreg_writer {
	spinlock_t turn;		/* see above; innermost are those of other files */
	struct list_head dying;		/* turn: kreg_death.entry */
	struct list_head upkeeps;	/* turn: kreg_upkeep */
	const struct kreg_req *reserver; /* turn: for which lanes are reserved, or NULL */
	struct list_head holders;	/* turn: kreg_holdings with something in them, */
	unsigned int nr_holders;	/* and how many */
	struct llist_head queue;
	atomic_t posted;		/* requests queued or in hand */
	struct llist_head wakes;	/* carried out by who has returned the turn, */
	spinlock_t waking;		/* on -rt under this, see wake.h */
	struct llist_head deaths;	/* news of them */
	/* The thread's: */
	struct list_head order;		/* requests in hand */
	struct list_head shares;	/* those with something ready */
	/* Invariant after initialisation: */
	const struct kreg_death_ops *ops;
	unsigned int nr;
	struct task_struct *task;

	struct timer_list timer;	/* wakes the thread for upkeep */
};

/*
 * For what the turn is lent, in records and bytes; how many records the thread handles in
 * one hold of it, after which it looks who else waits; and how many of them are so little
 * work that it does not matter.
 */
#define KREG_LEND_RECORDS	16
#define KREG_TURN_BYTES		(64U << 10)
#define KREG_HOLD_RECORDS	16
#define KREG_TURN_RECORDS	32

#define KREG_MAX_WRITERS	16

extern bool kreg_writer_lend;
extern unsigned int kreg_writers;

/* Sleeps. Start the threads. -ENOMEM. */
int kreg_writer_init(const struct kreg_death_ops *ops);
/* Sleeps. */
void kreg_writer_exit(void);
/* Any. */
struct kreg_writer *kreg_writer_nr(unsigned int nr);

static inline void kreg_writer_assert(const struct kreg_writer *w)
{
	lockdep_assert_held(&w->turn);
}

/* Turn, in a step of @req. Whether it may reserve lanes, from now on until it lets go. */
static inline bool kreg_writer_reserve(struct kreg_writer *w, const struct kreg_req *req)
{
	kreg_writer_assert(w);
	if (!w->reserver)
		w->reserver = req;
	return w->reserver == req;
}

/* Turn, in a step of @req. Whether it had reserved lanes, which it now no longer needs. */
static inline bool kreg_writer_let_go(struct kreg_writer *w, const struct kreg_req *req)
{
	kreg_writer_assert(w);
	if (w->reserver != req)
		return false;
	w->reserver = NULL;
	return true;
}

/*
 * Any. Borrow the turn, which kreg_writer_lend allows, for a small request of one's own in
 * @lane. False: something is pending there; queue it instead.
 */
static __always_inline bool kreg_writer_borrow(struct kreg_writer *w, const struct kreg_lane *lane)
{
	if (unlikely(atomic_read(&lane->pending)))
		return false;
	spin_lock(&w->turn);
	if (likely(!atomic_read(&lane->pending)))
		return true;
	spin_unlock(&w->turn);
	return false;
}

static inline void kreg_writer_return(struct kreg_writer *w)
{
	spin_unlock(&w->turn);
}

/* Any. Queue @req and return. The thread's reference must be in @refs. */
void kreg_writer_post(struct kreg_writer *w, struct kreg_req *req);

/*
 * Sleeps. Have @req performed, lent or queued, and return its result. -EINTR: a fatal
 * signal came first; the request goes on by itself.
 */
int kreg_writer_submit(struct kreg_writer *w, struct kreg_req *req);

/* Any. */
void kreg_writer_wake(struct kreg_writer *w);
/* Any. Whether all that was posted before the call has been performed. */
static inline bool kreg_writer_is_idle(const struct kreg_writer *w)
{
	return !atomic_read_acquire(&w->posted);
}

#endif /* KREG_WRITER_WRITER_H */
