/* SPDX-License-Identifier: GPL-2.0 */
/* Several batches, each of another table, that are applied as one. */
#ifndef KREG_CMD_GROUP_APPLY_H
#define KREG_CMD_GROUP_APPLY_H

#include <linux/types.h>

struct kreg_batch;
struct kreg_client;

/*
 * Sleeps. Apply @n batches, which have been made, or none of them. *failed: the index of the one to
 * blame, or @n. As kreg_batch_apply(); -EXDEV: their tables have different writers; -EOPNOTSUPP:
 * keys of one have runs, which may be of any length. After -EINTR @batches are not the caller's to
 * look at; in any case he has still to let go of them.
 */
int kreg_group_apply(struct kreg_client *cl, struct kreg_batch **batches, u32 n, u32 *failed);

#endif /* KREG_CMD_GROUP_APPLY_H */
