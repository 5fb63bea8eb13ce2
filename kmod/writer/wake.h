/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who is to be woken when the turn has been returned.
 *
 * DOC: Wake-ups
 *
 * A wake-up takes as long as the sleeper's user likes, who may have named one file half a
 * million times in a poll(). So nobody is woken under a lock: what is done under the turn
 * puts a wake-up on the list of the writer, once however often it is due, and whoever has
 * returned the turn carries out what is in the list.
 *
 * On -rt that is done under a lock, which is one that sleeps and that lends priority: who
 * has caused a wake-up that another has in hand waits until it has happened, so a task of
 * low priority that is preempted there delays only those for whom it has delayed the cause.
 */
#ifndef KREG_WRITER_WAKE_H
#define KREG_WRITER_WAKE_H

#include <linux/atomic.h>
#include <linux/llist.h>

struct kreg_writer;

struct kreg_wake {
	struct llist_node node;
	atomic_t queued;		/* in the list of a writer */
	/*
	 * Without locks, but on -rt writer->waking; must not sleep, and may take the turn. The
	 * wake-up may be queued again meanwhile.
	 */
	void (*fn)(struct kreg_wake *wake);
};

/* Any. */
void kreg_wake_init(struct kreg_wake *wake, void (*fn)(struct kreg_wake *wake));
/*
 * Any, best under the turn, since who returns that carries it out. False: it is queued
 * already, and will happen after what the caller has done before.
 */
bool kreg_wake_later(struct kreg_writer *w, struct kreg_wake *wake);
/* Any, without locks. Carry out what is queued. */
void kreg_wake_queued(struct kreg_writer *w);

#endif /* KREG_WRITER_WAKE_H */
