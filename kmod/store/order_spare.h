/* SPDX-License-Identifier: GPL-2.0 */
/* Slots set aside for an ordered list: see order_spare.c. */
#ifndef KREG_STORE_ORDER_SPARE_H
#define KREG_STORE_ORDER_SPARE_H

#include <linux/types.h>

#include "store/internal.h"

/*
 * Turn. Set slots aside for marks and nodes, as many as all records that are reserved may want,
 * and one more, which has a key of @key_len bytes: 0, -EAGAIN or -ENOSPC.
 */
int kreg_order_prepare(struct kreg_store *s, u32 key_len, struct kreg_prealloc *f);
/*
 * Turn. A slot of @class or above for a mark. 0: what is spare is too short; there will be longer
 * ones for the next record that is reserved.
 */
u32 kreg_spare_use(struct kreg_store *s, unsigned int class);
/* Turn. As many nodes as a change of the tree may take. False: @f says what to bring. */
bool kreg_spare_nodes(struct kreg_store *s, struct kreg_prealloc *f);
/* Turn. Give back one slot that is not wanted any more; false if there is none. */
bool kreg_spare_trim(struct kreg_store *s);

#endif /* KREG_STORE_ORDER_SPARE_H */
