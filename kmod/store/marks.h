/* SPDX-License-Identifier: GPL-2.0 */
/* Shortcuts within long buckets: see marks.c. */
#ifndef KREG_STORE_MARKS_H
#define KREG_STORE_MARKS_H

#include <linux/types.h>

#include "store/internal.h"

/* A part of the list that has more live records than these is to be cut by marks. */
#define KREG_STRETCH		12
/* Then there is a mark behind every so many. */
#define KREG_MARK_EVERY		8

/* Turn. The link behind @r, on the way to @hash. */
u32 *kreg_marks_link(const struct kreg_store *s, struct kreg_rec *r, u32 hash);

/* Turn. The part where @hash stands may be long: upkeep will look. */
void kreg_marks_note(struct kreg_store *s, u32 hash);
/* Turn. Note it if more than @left records follow from the link @from on. */
void kreg_marks_look(struct kreg_store *s, const u32 *from, u32 hash, unsigned int left);
/* Turn. The links that were walked over in this hold count for what is told of the store. */
void kreg_marks_count_links(struct kreg_store *s);
/* Turn. Some @budget steps of upkeep; returns how many, 0 if there is nothing to do. */
unsigned int kreg_marks_step(struct kreg_store *s, unsigned int budget, struct kreg_prealloc *f);
/* Turn. The list is another one. */
void kreg_marks_forget(struct kreg_store *s);

#endif /* KREG_STORE_MARKS_H */
