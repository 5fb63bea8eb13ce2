/* SPDX-License-Identifier: GPL-2.0 */
/* Between the files of this room: the directory of processes. */
#ifndef KREG_CLIENT_INTERNAL_H
#define KREG_CLIENT_INTERNAL_H

#include <linux/types.h>

struct kreg_proc;
struct pid;

/* Sleeps. For @pid, with a reference for the armed state and one for the caller; or NULL. */
struct kreg_proc *kreg_proc_alloc(struct pid *pid);
/*
 * Any. Have @p told of exits and found by its pid. If another process object stands for
 * that pid already, @p is freed and that one returned, with a reference; else NULL.
 */
struct kreg_proc *kreg_proc_enter(struct kreg_proc *p);
/* Any. It is not found any more. */
void kreg_proc_remove(struct kreg_proc *p);

/* Any. True also for a thread's pid, which leads no group. */
bool kreg_pid_exiting(struct pid *pid);
/* Any. A reference, or NULL. */
struct kreg_proc *kreg_proc_find_pid(const struct pid *pid);
/* Any. One of all, with a reference, or NULL. */
struct kreg_proc *kreg_proc_get_any(void);
/*
 * Any. An owner has died: those of the process @pid who wait for records or in a line look
 * again. If they are many, not at once: then the death wakes them when it is handled.
 */
void kreg_proc_wake_by_pid(const struct pid *pid);

#endif /* KREG_CLIENT_INTERNAL_H */
