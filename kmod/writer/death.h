/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Deaths of processes, as far as a writer is concerned.
 *
 * A death waits for what its process has queued, and for what is queued for its tables;
 * for nothing else. Whoever holds the turn may advance it: the thread, which has one
 * step for each death in turns, and whoever wants to know what has become of the dead
 * process' tables, in its own context.
 */
#ifndef KREG_WRITER_DEATH_H
#define KREG_WRITER_DEATH_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/llist.h>

struct kreg_writer;

/* In each process, one a writer. */
struct kreg_death {
	struct llist_node node;		/* in the writer's list of news, once */
	atomic_t queued;		/* requests it waits for, queued or in hand */
	/* Under the turn: */
	struct list_head entry;		/* among those that can be advanced */
	bool noticed;
	bool waited;			/* then it is left to the thread */
	bool done;
};

/* What the layers above do about a death. */
struct kreg_death_ops {
	/*
	 * Turn. A bounded part of it. True: there is nothing more to do, but for the
	 * requests it has queued.
	 */
	bool (*step)(struct kreg_writer *w, struct kreg_death *d);
	/* Any. It is done. */
	void (*done)(struct kreg_writer *w, struct kreg_death *d);
	/* Any. It is off the list of news, where it held a reference. */
	void (*heard)(struct kreg_death *d);
};

static inline void kreg_death_init(struct kreg_death *d)
{
	atomic_set(&d->queued, 0);
	INIT_LIST_HEAD(&d->entry);
}

/* Any. @d waits for one request more. */
void kreg_death_enqueue(struct kreg_death *d);
/* Turn. For one less; if that was the last, it can be advanced. */
void kreg_death_dequeue(struct kreg_writer *w, struct kreg_death *d);

/* Any. Tell @w of a death; takes no lock of the module. The thread is to be woken. */
void kreg_death_tell(struct kreg_writer *w, struct kreg_death *d);
/*
 * Sleeps. Handle @d, of which @w need not have been told, in the caller's context as far as
 * that goes. False: the thread will do the rest.
 */
bool kreg_death_settle(struct kreg_writer *w, struct kreg_death *d);
/* Any. Do a part of some death that can be advanced, and that nobody waits for. */
void kreg_death_help(struct kreg_writer *w);

#endif /* KREG_WRITER_DEATH_H */
