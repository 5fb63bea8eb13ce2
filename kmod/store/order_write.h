/* SPDX-License-Identifier: GPL-2.0 */
/* An ordered list, as its writer changes it: see order_write.c. */
#ifndef KREG_STORE_ORDER_WRITE_H
#define KREG_STORE_ORDER_WRITE_H

#include <linux/types.h>

#include "store/internal.h"

/*
 * Turn. Set slots aside for marks and nodes, as many as all records that are reserved may want,
 * and one more, which has a key of @key_len bytes: 0, -EAGAIN or -ENOSPC.
 */
int kreg_order_prepare(struct kreg_store *s, u32 key_len, struct kreg_prealloc *f);
/* Turn. The new record @r was linked at @place: cut its bucket if it is long. */
void kreg_order_grew(struct kreg_store *s, const struct kreg_place *place,
		     const struct kreg_rec *r);
/* Turn. The record that @place leads to dies: upkeep will look at its bucket if it is short. */
void kreg_order_thinned(struct kreg_store *s, const struct kreg_place *place);
/*
 * Turn. The link to @r, which is @ref; NULL: not in this hold. *@on is where the walk goes on
 * then, and NULL at its begin and at its end.
 */
u32 *kreg_order_link_to(struct kreg_store *s, u32 ref, const struct kreg_rec *r, u32 **on);
/* Turn. A step of upkeep; false if there is none to take. */
bool kreg_order_step(struct kreg_store *s, struct kreg_prealloc *f);

#endif /* KREG_STORE_ORDER_WRITE_H */
