/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The writer: who may change tables, one at a time.
 *
 * DOC: The turn
 *
 * Every table belongs to one writer. Whoever holds the writer's turn may change
 * the table; nobody else may. Three parties take it:
 *
 *  - the writer's kernel thread, its standing holder, which works off the queue
 *    of requests, then the deaths of processes, then does the upkeep of stores;
 *  - a caller to whom it is *lent* (parameter lend), when there are no deaths,
 *    nothing is pending in his lane and nobody holds it for long: he performs his
 *    own request, which must be small, in his own context, and pays for it;
 *  - a caller who sets memory aside, or takes a waiter off a table: he changes
 *    nothing that others could see.
 *
 * The turn is a spinlock and held for bounded work only. Between two pieces of
 * the thread's work others may take it, but not for a table that a request is
 * pending for: that comes first, and a batch that is half applied is not disturbed.
 *
 * Order: a request is applied before every request queued later in its lane, which
 * is that of a table, and before the death of every process that died later. Lanes
 * advance in turns, a piece of a request each, so a batch that takes long holds up
 * its own table and no other.
 */
#ifndef KREG_WRITER_WRITER_H
#define KREG_WRITER_WRITER_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/spinlock.h>
#include <linux/timer.h>

#include "writer/lane.h"
#include "writer/upkeep.h"
#include "writer/wake.h"

/* What the layers above do about a death. */
struct kreg_writer_ops {
	/* A bounded part of it, under the turn; true when done. */
	bool (*death)(struct kreg_writer *w, struct llist_node *death);
	/* Done with; without the turn. */
	void (*death_done)(struct kreg_writer *w, struct llist_node *death);
};

struct kreg_writer {
	spinlock_t turn;		/* see above; innermost are those of other files */
	bool busy;			/* turn: the thread has requests or deaths in hand */
	bool handling;			/* turn: deaths */
	struct list_head upkeeps;	/* turn: kreg_upkeep */
	struct list_head holders;	/* turn: kreg_holdings with something in them, */
	unsigned int nr_holders;	/* and how many */
	struct llist_head queue;
	struct llist_head deaths;
	struct llist_head wakes;	/* carried out by who has returned the turn */
	/* Invariant after initialisation: */
	const struct kreg_writer_ops *ops;
	unsigned int nr;
	struct task_struct *task;

	struct timer_list timer;	/* wakes the thread for upkeep */
};

/*
 * For what the turn is lent, in records and bytes; and how many records the thread
 * handles in one hold of it, after which it looks who else waits.
 */
#define KREG_TURN_RECORDS	32
#define KREG_TURN_BYTES		(64U << 10)
#define KREG_HOLD_RECORDS	16

#define KREG_MAX_WRITERS	16

extern bool kreg_writer_lend;
extern unsigned int kreg_writers;

/* Sleeps. Start the threads. -ENOMEM. */
int kreg_writer_init(const struct kreg_writer_ops *ops);
/* Sleeps. */
void kreg_writer_exit(void);
/* Any. */
struct kreg_writer *kreg_writer_nr(unsigned int nr);

static inline void kreg_writer_assert(const struct kreg_writer *w)
{
	lockdep_assert_held(&w->turn);
}

/*
 * Any. Borrow the turn, which kreg_writer_lend allows, for a small request of one's own in
 * @lane, or NULL. False: queue it instead.
 */
bool kreg_writer_borrow(struct kreg_writer *w, const struct kreg_lane *lane);

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
/* Sleeps. The same for a request that lives in the caller's stack or object: not killable. */
int kreg_writer_call(struct kreg_writer *w, struct kreg_req *req);

/* Any. Note a death, then wake the thread; takes no lock of the module. */
void kreg_writer_add_death(struct kreg_writer *w, struct llist_node *death);
void kreg_writer_wake(struct kreg_writer *w);
/* Any. Handle deaths in the caller's context if that can be done now. */
void kreg_writer_help(struct kreg_writer *w);

#endif /* KREG_WRITER_WRITER_H */
