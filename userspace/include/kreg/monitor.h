/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Part of <kreg.h>: being told of the deaths of processes. */
#ifndef KREG_MONITOR_H
#define KREG_MONITOR_H

#include <kreg/types.h>
#include <kreg/event.h>
#include <kreg/ref.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * kreg_monitor() - be told when a process is dead
 * @client: whose mailbox gets the event
 * @process: its name, with its cookie; it need not have a client any more
 * @fn: is called for the event; NULL: it comes out of kreg_event_next(), or goes to the
 *	handler of the client
 * @arg: for @fn
 * @ref: the new ref, written before @fn can be called; to be freed with kreg_ref_cancel(),
 *	before or after the event
 *
 * Exactly one event of kind KREG_EVENT_DOWN comes for each ref, and is never lost. Its
 * cause is KREG_CAUSE_DEATH, or KREG_CAUSE_NOPROC if the process was dead, or never there,
 * when this was called. When waitpid(2) or a pidfd tells of the death, the event can be
 * read, and those about the tables of the dead come before it.
 *
 * kreg_event_status() is told of a process of the client's user, of one that the client
 * might kill by CAP_KILL, and of the owner of a table that was found by
 * kreg_monitor_owner() or kreg_monitor_owner_name().
 *
 * Any thread at any time. The ref ends with its client, and with execve(2).
 *
 * Errors of all functions here: -EDQUOT: monitors of the user, unread events included, or
 * bytes; -EBADF: the client is closed, or may not read; -EINVAL: pid 0.
 */
int kreg_monitor(struct kreg_client *client, const struct kreg_process *process,
		 kreg_event_fn fn, void *arg, struct kreg_ref **ref)
	KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_monitor_pid() - likewise the process that has this pid now
 * @client: whose mailbox gets the event
 * @pid: process id in the caller's pid namespace; it need not have opened the device
 * @fn: as of kreg_monitor()
 * @arg: for @fn
 * @ref: the new ref; kreg_ref_process() tells the process's name
 *
 * Since the caller learnt the pid, the process may have died and another one got the pid,
 * unless it is a child that was not waited for. kreg_monitor_pidfd() is exact.
 *
 * Errors: -ESRCH: no living process has this pid, or it is a thread's.
 */
int kreg_monitor_pid(struct kreg_client *client, pid_t pid, kreg_event_fn fn, void *arg,
		     struct kreg_ref **ref) KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_monitor_pidfd() - likewise exactly the process of a pidfd
 * @client: whose mailbox gets the event
 * @pidfd: from pidfd_open(2) or clone(2); may be closed when the call has returned
 * @fn: as of kreg_monitor()
 * @arg: for @fn
 * @ref: the new ref
 *
 * Errors: -ESRCH: the process is dead; -EBADF: also not a pidfd.
 */
int kreg_monitor_pidfd(struct kreg_client *client, int pidfd, kreg_event_fn fn, void *arg,
		       struct kreg_ref **ref) KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_monitor_owner() - likewise the process that owns a table now
 * @table: the table; its client's mailbox gets the event
 * @fn: as of kreg_monitor()
 * @arg: for @fn
 * @ref: the new ref
 *
 * Whom the table belongs to later makes no difference. If it is parked, the event is there
 * at once, with cause KREG_CAUSE_NOPROC and no process. kreg_event_table() tells the table.
 *
 * Errors: -EACCES: the caller may not know of the table; -ESTALE: it is destroyed.
 */
int kreg_monitor_owner(struct kreg_table *table, kreg_event_fn fn, void *arg,
		       struct kreg_ref **ref) KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_monitor_owner_name() - likewise the owner of the table with this name
 * @client: whose mailbox gets the event
 * @name: name of the table, which kreg_event_name() tells again
 * @fn: as of kreg_monitor()
 * @arg: for @fn
 * @ref: the new ref
 *
 * If there is no such table, the event is there at once, with cause KREG_CAUSE_NOPROC and
 * neither process nor table.
 *
 * Errors: -EACCES: the caller may not know of the table; -EINVAL, -ENAMETOOLONG: the name
 * is empty or too long.
 */
int kreg_monitor_owner_name(struct kreg_client *client, const char *name, kreg_event_fn fn,
			    void *arg, struct kreg_ref **ref)
	KREG_NONNULL_FIRST KREG_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif /* KREG_MONITOR_H */
