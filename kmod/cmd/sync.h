/* SPDX-License-Identifier: GPL-2.0 */
/* Waiting for what has been accepted, and for deaths that have happened. */
#ifndef KREG_CMD_SYNC_H
#define KREG_CMD_SYNC_H

#include "client/user.h"

struct kreg_client;
struct kreg_table;

/*
 * Sleeps. Wait until what @cl has queued for the table @id has been applied. As
 * kreg_find_table(); -EINTR, -ENOMEM.
 */
int kreg_sync_table(struct kreg_client *cl, u64 id);
/*
 * Sleeps. If @n more would not fit the limits of @u, see that what the dead had is given
 * back, and memory that waits for readers to leave. What then still does not fit is for
 * the charge to refuse. -EINTR, -ENOMEM.
 */
int kreg_sync_make_room(struct kreg_user *u, enum kreg_quota what, s64 n);
/* Any. End the pins of @t: a write meets the limit of who pays for what they keep. */
void kreg_sync_end_pins(struct kreg_table *t);
/* Sleeps. Both, for @n bytes of @t. */
int kreg_sync_make_table_room(struct kreg_table *t, s64 n);
/* Sleeps. Handle the deaths that could put mail into the mailbox of @cl. -ERESTARTSYS, -EINTR. */
int kreg_sync_mail(struct kreg_client *cl);

#endif /* KREG_CMD_SYNC_H */
