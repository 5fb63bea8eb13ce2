/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Part of <kreg.h>: what has been asked for and comes as an event. */
#ifndef KREG_REF_H
#define KREG_REF_H

#include <kreg/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * kreg_ref_cancel() - end what was asked for, and free the ref
 * @ref: a ref or NULL; not to be used afterwards, whatever is returned
 *
 * Its events, if there are any that were not handed out, are dropped, also if the library has
 * read them already. Any thread may call it at any time, and so may any handler, also that
 * of the ref itself. If another thread is handing out the event at this moment, the
 * handler may run, or begin to, when the call has returned 0: only the thread that takes
 * the events knows when nothing uses the argument of a handler any more.
 *
 * Return: 1: it had not fired, or the subscription ends by this; 0: it had fired, or had
 * ended before, or @ref is NULL; or an error, and the ref is freed all the same: -EBADF: its
 * client is closed; -ESTALE: it is the parent's, and the caller is a child of fork(2).
 */
int kreg_ref_cancel(struct kreg_ref *ref);

/* as given when it was asked for */
void *kreg_ref_arg(const struct kreg_ref *ref) KREG_NONNULL_FIRST;

/**
 * kreg_ref_process() - who is monitored
 * @ref: a ref of kreg_monitor() and its like
 *
 * Return: the process, or zero: there was none to wait for when it was asked for, and the
 * event that says so is there already; or it is a ref of another kind.
 */
struct kreg_process kreg_ref_process(const struct kreg_ref *ref) KREG_NONNULL_FIRST;

#ifdef __cplusplus
}
#endif

#endif /* KREG_REF_H */
