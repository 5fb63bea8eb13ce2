/* SPDX-License-Identifier: GPL-2.0 */
/*
 * DOWN: telling those who watch a process of its death.
 *
 * DOC: Telling of a death
 *
 * When all writers have handled a death, whoever was the last of them tells the first few who
 * watch the process, and a worker the others, in pieces: how many they are is up to them, and
 * neither the dead's heirs nor other processes wait for it. Those of its own user, and
 * others who may kill it, come first.
 *
 * Nor does who reads wait for them: if his mailbox is empty he looks for dead ones among
 * those that he watches, and has his own record sent. He looks at all while there is a death
 * of which not all were told, else at a few, in turns: between the moment at which a pidfd polls
 * readable and the notice lie some hundred instructions.
 */
#ifndef KREG_EVENT_DOWN_H
#define KREG_EVENT_DOWN_H

struct kreg_client;
struct kreg_proc;

/* Sleeps. -ENOMEM. */
int kreg_down_init(void);
/* Sleeps. No watch is left. */
void kreg_down_exit(void);

/* Any, without locks. The death of @p has been handled; tell who watches it, then forget it. */
void kreg_down_tell(struct kreg_proc *p);

/*
 * Sleeps, under client->reading. Look for dead processes among those that @cl watches, have a
 * death handled, and its record sent, until the mailbox is not empty. -EINTR.
 */
int kreg_down_sync(struct kreg_client *cl);
/* Sleeps. The same for all that it watches, and whatever there is to be read already. */
int kreg_down_sync_own(struct kreg_client *cl);
/*
 * Any, without locks. The same as far as that goes without waiting: what is left to be done
 * wakes who waits for it.
 */
void kreg_down_help(struct kreg_client *cl);
/* Sleeps. Wait until those who watch a process that is dead already have been told; or -EINTR. */
int kreg_down_sync_all(void);

#endif /* KREG_EVENT_DOWN_H */
