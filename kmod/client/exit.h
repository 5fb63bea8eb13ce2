/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Watching processes, and the news of their death.
 *
 * DOC: Learning of a death
 *
 * A kreg_proc stands for a thread group that has opened the device, or that somebody
 * has asked to watch, until it is dead. It waits on the wait queue of its struct pid
 * with a function of its own, which the kernel calls when the last thread has gone,
 * before the parent can know. That function runs with tasklist_lock held and may take
 * no lock: it notes the cause and puts one node on the list of every writer. Who meets
 * a dead process need not wait for that: he handles the death as it is. A process
 * counts as
 *
 *  - exiting, as soon as a fatal signal or exit_group() is on its way. It gets
 *    nothing any more; what it has, it still has.
 *  - dead, when a pidfd of it would poll readable: all threads have left, and with them
 *    its memory, files, sockets and file locks. From then on no call may tell of it;
 *    calls that could wait until its death has been handled (kreg_proc_settle()),
 *    whether or not the notice has come.
 *
 * Registration and death race; what makes it safe is stated in exit.c.
 */
#ifndef KREG_CLIENT_EXIT_H
#define KREG_CLIENT_EXIT_H

#include <linux/types.h>

struct kreg_proc;

/* Sleeps. The calling process. A reference, or ERR_PTR(-ENOMEM). */
struct kreg_proc *kreg_proc_current(void);

/* Sleeps. The init of the caller's pid namespace, likewise; -ESRCH. */
struct kreg_proc *kreg_proc_watch_init(void);

/*
 * Sleeps. A living process by its pid in the caller's pid namespace, whether or not it has a
 * client, likewise; -ESRCH.
 */
struct kreg_proc *kreg_proc_watch(u32 pid);

/*
 * Sleeps. If @p is dead, have its death handled: 1 when that is done, and what @p had is
 * to be looked at anew. 0: it lives. -EINTR: a fatal signal while waiting.
 */
int kreg_proc_settle(struct kreg_proc *p);
/* Any. Whether all writers have handled the death of @p. */
bool kreg_proc_is_settled(struct kreg_proc *p);
/* Any. The same without waiting: see that the writers know of the death. */
void kreg_proc_poke(struct kreg_proc *p);
/*
 * Turn. @next gets something when @p dies, so it is woken at once and need not wait
 * until the writers are. Only the last one named is.
 */
void kreg_proc_set_successor(struct kreg_proc *p, const struct kreg_proc *next);
/* Any. The same if nobody else gets something. */
void kreg_proc_suggest_successor(struct kreg_proc *p, const struct kreg_proc *next);
/*
 * Any. One of the writers has handled the death. True: all have, and nobody waits for that any
 * more. The caller is to tell who watches @p, and that this is done by kreg_proc_death_told().
 */
bool kreg_proc_death_done(struct kreg_proc *p);
/* Any. All who watch @p have been told. It is forgotten. */
void kreg_proc_death_told(struct kreg_proc *p);
/*
 * Any. Whether there may be deaths that were noticed and of which not all have been told. If
 * not, whoever looks at a mailbox after this finds the records of all that were noticed
 * before.
 */
bool kreg_proc_deaths_untold(void);

/*
 * Sleeps. Wait until every death that has happened before the call, of a process that owns
 * tables or is an heir of some, has been handled; or -EINTR.
 */
int kreg_proc_settle_all(void);

/* Sleeps. No client and no table is left: forget all processes. */
void kreg_proc_exit(void);

#endif /* KREG_CLIENT_EXIT_H */
