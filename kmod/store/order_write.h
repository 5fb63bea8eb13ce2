/* SPDX-License-Identifier: GPL-2.0 */
/* An ordered list, as its writer changes it: see order_write.c. */
#ifndef KREG_STORE_ORDER_WRITE_H
#define KREG_STORE_ORDER_WRITE_H

#include <linux/types.h>

#include "store/internal.h"
#include "store/order_find.h"

/* Where upkeep cuts a bucket that has KREG_ORDER_FAR records or more: behind fewer than these. */
#define KREG_ORDER_CUT_TO	(4 * KREG_ORDER_FAR)

/*
 * Any. Of the limbo word of a mark, or the like: whether upkeep is to look at its bucket. No
 * reference is as low as the number of records that it is else.
 */
static inline bool kreg_order_is_noted(u32 word)
{
	return word >> KREG_CHUNK_SHIFT;
}

/* Turn. The record @r, of a new object, was linked at @place: cut its bucket if it is long. */
void kreg_order_grew(struct kreg_store *s, const struct kreg_place *place, struct kreg_rec *r);
/* Turn. The record @r has died and stays. */
void kreg_order_kept(struct kreg_store *s, const struct kreg_rec *r);
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
