/* SPDX-License-Identifier: GPL-2.0 */
/* Parts of the list that have become long: see marks.c. */
#ifndef KREG_STORE_MARKS_H
#define KREG_STORE_MARKS_H

#include <linux/types.h>

#include "store/internal.h"

/* A part of the list that has more live records than these is long. */
#define KREG_STRETCH		12

/* Turn. The part where @hash stands may be long. */
void kreg_marks_note(struct kreg_store *s, u32 hash);
/* Turn. Note it if more than @left records follow from the link @from on. */
void kreg_marks_look(struct kreg_store *s, const u32 *from, u32 hash, unsigned int left);
/* Turn. The links that were walked over in this hold count for what is told of the store. */
void kreg_marks_count_links(struct kreg_store *s);
/* Turn. The list is another one. */
void kreg_marks_forget(struct kreg_store *s);

#endif /* KREG_STORE_MARKS_H */
