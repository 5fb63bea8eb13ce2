/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Watches: a client wants to know of the death of a process.
 *
 * DOC: A watch
 *
 * A watch has its record with it from the start, so that a death allocates nothing and no
 * record is lost for want of memory or room. It is in the list of the process until that is
 * dead, and then in the mailbox of its client until it has been read; it is freed by who
 * reads it or cancels it, or when the client is closed.
 *
 * Records are sent when all that the death changes has been done, see down.h.
 */
#ifndef KREG_EVENT_WATCHES_H
#define KREG_EVENT_WATCHES_H

#include <linux/kreg.h>
#include <linux/list.h>

#include "client/handle.h"
#include "client/mailbox.h"

struct kreg_client;
struct kreg_proc;

struct kreg_watch {
	struct kreg_handle handle;
	struct list_head of_client;	/* watch_lock of the client */
	struct list_head of_proc;	/* proc->lock; empty: not pending */
	/*
	 * Whom it watches, with a reference; NULL once the record is in the mailbox, whose
	 * lock it is changed under, or if there is nobody. Memory of a process stays for a
	 * grace period.
	 */
	struct kreg_proc __rcu *proc;
	bool may_know;			/* invariant: is told the status, whoever the dead was */
	struct kreg_mail mail;		/* its record; last, since a key follows it */
};

/*
 * What a watch takes, but for its key. A process without a client has its object for the sake
 * of those who watch it; how many they will be nobody knows, so each pays for it.
 */
#define KREG_WATCH_BYTES	(sizeof(struct kreg_watch) + sizeof(struct kreg_proc))

/*
 * Sleeps. A watch of @cl, pending nowhere yet: it has an id, by which nobody finds it, and a
 * record for the table @table and @key. ERR_PTR: -ENOMEM, kreg_over_limit().
 */
struct kreg_watch *kreg_watch_alloc(struct kreg_client *cl, u64 udata, u64 table,
				    const void *key, u32 key_len);
/* Sleeps. Nothing has been done with it. */
void kreg_watch_free(struct kreg_watch *watch);

/*
 * Any. Have the record sent when @p, of which the caller has a reference, is dead. It may have
 * been read, and @watch freed, when this returns.
 */
void kreg_watch_set(struct kreg_watch *watch, struct kreg_proc *p);
/*
 * Any. Have it sent now, because the process that was named so is dead or was never there. @p is
 * that process, if it is known, and its death has been handled.
 */
void kreg_watch_answer(struct kreg_watch *watch, struct kreg_proc *p,
		       const struct kreg_process *named);

/*
 * Any. The process of @watch, with a reference, if it is dead and the record is not sent
 * yet; or NULL.
 */
struct kreg_proc *kreg_watch_get_dead(const struct kreg_watch *watch);
/* Any. Send the record, unless that has happened: the death of @p has been handled. */
void kreg_watch_tell(struct kreg_watch *watch, struct kreg_proc *p);
/*
 * Any, under proc->lock of @p, which is dead. Send the record of @watch, which is pending.
 * Whoever waits for it is still to be woken.
 */
void kreg_watch_send(struct kreg_watch *watch, struct kreg_proc *p);

#endif /* KREG_EVENT_WATCHES_H */
