/* SPDX-License-Identifier: GPL-2.0 */
/* Shortcuts into the list: see index_hash.c. */
#ifndef KREG_STORE_INDEX_H
#define KREG_STORE_INDEX_H

#include <linux/types.h>

#include "store/internal.h"

/* Pages that come one at a time, 8 + 16 + 32, so that no span is in two segments. */
#ifndef KREG_INDEX_SINGLES
#define KREG_INDEX_SINGLES	56
#endif
#define KREG_SPAN_ORDER		4

/* Turn. The page where the last span ends, or the first will begin. */
static inline u32 kreg_index_spanned(const struct kreg_root *root)
{
	return KREG_INDEX_SINGLES + (root->spans << KREG_SPAN_ORDER);
}

/* Turn. */
bool kreg_index_grow(struct kreg_store *s);
bool kreg_index_step(struct kreg_store *s);
void kreg_index_want(const struct kreg_store *s, struct kreg_prealloc *f);
void kreg_index_add(struct kreg_store *s, struct kreg_prealloc *f);
void kreg_index_trim(struct kreg_store *s);
/* Sleeps. */
u32 *kreg_index_alloc(u8 *order);
/* Turn, or no other user. */
u32 *kreg_index_cut(struct kreg_root *root, u8 *order);

#endif /* KREG_STORE_INDEX_H */
