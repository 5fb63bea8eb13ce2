/* SPDX-License-Identifier: GPL-2.0 */
/* Find a table for a command. */
#ifndef KREG_FIND_H
#define KREG_FIND_H

#include <linux/types.h>

struct kreg_client;
struct kreg_table;

/*
 * A reference to the live table with this id; ERR_PTR as kreg_names_no_id(). If its
 * owner is dead, that death has been handled before. May sleep.
 */
struct kreg_table *kreg_ops_get_table(struct kreg_client *cl, u64 id);
struct kreg_table *kreg_ops_find_table(struct kreg_client *cl, const u8 *name, u32 len);

/*
 * Under rcu_read_lock(): the table, borrowed, if @cl may read it. -EINPROGRESS asks to
 * leave the section, call kreg_ops_settle() and try again: the owner is dead and its
 * death not handled yet.
 */
int kreg_ops_readable(struct kreg_client *cl, u64 id, struct kreg_table **t);
int kreg_ops_settle(struct kreg_client *cl, u64 id);
/* As kreg_ops_readable() once the owner is known to be another. */
int kreg_find_other_readable(struct kreg_client *cl, const struct kreg_table *t);

#endif /* KREG_FIND_H */
