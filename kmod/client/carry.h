/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a process receives while it executes another program.
 *
 * DOC: execve
 *
 * A process stays itself when it executes a program, and so it stays owner and heir. Its
 * descriptors are closed then, and the new program opens the device again. In between, what
 * comes to the process and what it has not read is carried over, with its consent to get
 * tables of others. If the new program runs under another user, nothing is: it is not to
 * get what belonged to the one before. A process that closes its descriptors otherwise
 * wants no more.
 */
#ifndef KREG_CLIENT_CARRY_H
#define KREG_CLIENT_CARRY_H

#include <linux/types.h>
#include <linux/uidgid.h>

struct file;
struct kreg_carried;
struct kreg_client;
struct kreg_mailbox;
struct kreg_proc;

/* Any. A descriptor of @cl is closed: note whether that is for execve(2). */
void kreg_carry_note(struct kreg_client *cl, const struct file *file);
/*
 * Any, under proc->lock. @cl, the last client under its user, is closed. Returns the user
 * under whom the process receives nothing any more, or INVALID_UID. What is in @old then is
 * to be freed.
 */
kuid_t kreg_carry_begin(struct kreg_client *cl, struct kreg_mailbox *old);
/* Any, under proc->lock. @cl is new: it gets what was carried over for its user. */
void kreg_carry_end(struct kreg_client *cl);
/* Any, under proc->lock. What is carried over for @uid, or NULL. */
struct kreg_carried *kreg_carry_find(struct kreg_proc *p, kuid_t uid);

#endif /* KREG_CLIENT_CARRY_H */
