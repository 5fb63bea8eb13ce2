/* SPDX-License-Identifier: GPL-2.0 */
/* An ordered list, as its writer looks for keys in it: see order_find.c. */
#ifndef KREG_STORE_ORDER_FIND_H
#define KREG_STORE_ORDER_FIND_H

#include <linux/types.h>

#include "store/arena.h"
#include "store/internal.h"

/* So many records may be passed in any hold of the turn, on the way to one. */
#define KREG_ORDER_FAR		16

static inline bool kreg_order_is_mark(const struct kreg_rec *r)
{
	return r->lens & KREG_REC_MARK;
}

/* Turn. The link behind a mark; 0: the first of the list. */
static inline u32 *kreg_order_link_behind(const struct kreg_store *s, u32 mark)
{
	return mark ? &kreg_arena_rec(s, mark)->link : &kreg_store_root(s)->front->heads[0];
}

/* Turn. The record, or mark, that @from leads to, or NULL. */
static inline struct kreg_rec *kreg_order_rec(const struct kreg_store *s, const u32 *from)
{
	return *from ? kreg_arena_rec(s, *from) : NULL;
}

/* Turn. The place of @r, a record or a mark, whose key @key becomes. */
static inline struct kreg_order_goal kreg_order_goal_of(const struct kreg_store *s,
							const struct kreg_rec *r,
							struct kreg_key *key)
{
	key->bytes = r->bytes;
	key->len = kreg_rec_key_len(r);
	return (struct kreg_order_goal) {
		.key = key,
		.run = s->runs,
		.born = r->born,
		.sub = r->hash,
	};
}

/* Turn. As kreg_store_find() and kreg_store_find_on(). */
bool kreg_order_find(struct kreg_store *s, const struct kreg_key *key, struct kreg_place *place);
bool kreg_order_find_on(struct kreg_store *s, const struct kreg_key *key,
			struct kreg_place *place);

#endif /* KREG_STORE_ORDER_FIND_H */
