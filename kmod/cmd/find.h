/* SPDX-License-Identifier: GPL-2.0 */
/* Find a table for a command, or a process. */
#ifndef KREG_CMD_FIND_H
#define KREG_CMD_FIND_H

#include <linux/types.h>

struct kreg_client;
struct kreg_key;
struct kreg_proc;
struct kreg_process;
struct kreg_table;

/*
 * Sleeps. A reference to the live table with this id; ERR_PTR() as kreg_names_why_not()
 * says. If its owner is dead, that death has been handled before. -EINTR.
 */
struct kreg_table *kreg_find_table(struct kreg_client *cl, u64 id);
/*
 * Sleeps. The same in any namespace over which the opener has CAP_SYS_ADMIN. A table of
 * another one is -ESTALE, as it is without this.
 */
struct kreg_table *kreg_find_table_anywhere(struct kreg_client *cl, u64 id);
/* Sleeps. The same by name; -ENOENT. */
struct kreg_table *kreg_find_table_named(struct kreg_client *cl, const u8 *name, u32 len);

/*
 * RCU. The table, borrowed, if @cl may read it; -EACCES, -ESTALE, -EINVAL. -EINPROGRESS
 * asks to leave the section, call kreg_find_settle() and try again: the owner is dead and its
 * death not handled yet.
 */
int kreg_find_readable(struct kreg_client *cl, u64 id, struct kreg_table **t);
/* Sleeps. Whether @cl may write to the table, as far as can be said beforehand. */
int kreg_find_check_write(struct kreg_client *cl, u64 id);
/* Any. Whether keys of the table may have several objects; -ESTALE, -EINVAL. */
int kreg_find_has_runs(struct kreg_client *cl, u64 id);
/* Sleeps. See the death of the owner handled. */
int kreg_find_settle(struct kreg_client *cl, u64 id);
/*
 * Sleeps. To whom the object with @key is bound, with a reference, whether he lives, or is exiting
 * and keeps the key, or the object lingers; NULL: to nobody who is visible. The death of one who is
 * dead is handled before. -ENODATA; else as kreg_find_table(). -EACCES.
 */
int kreg_find_holder(struct kreg_client *cl, u64 id, struct kreg_key *key,
		     struct kreg_proc **holder, u64 *version);
/*
 * Any. To whom @cl may bind: @whom, who lives and is his; zero: the caller. A reference, or
 * ERR_PTR(): -ESRCH, -EPERM.
 */
struct kreg_proc *kreg_find_whom(struct kreg_client *cl, const struct kreg_process *whom);
/* RCU. As kreg_find_readable() once the owner is known to be another. */
int kreg_find_other_readable(struct kreg_client *cl, const struct kreg_table *t);

#endif /* KREG_CMD_FIND_H */
