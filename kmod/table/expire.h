/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Objects that expire: what a write says of that, and what removes them. That they are absent from
 * then on is the store's, see store/wheel.c.
 */
#ifndef KREG_TABLE_EXPIRE_H
#define KREG_TABLE_EXPIRE_H

#include "store/write.h"
#include "table/bind.h"

struct kreg_table;

/*
 * Sleeps. The object is to expire then, see struct kreg_timed_bind; bring what a table needs that
 * has nothing so far that does. -ENOMEM. And free what was brought and not used.
 */
int kreg_expirer_bring(struct kreg_bind *bind, u64 table, const struct kreg_expiry *expiry);
void kreg_expirer_drop(struct kreg_bind *bind);
/*
 * Turn. Decide when the object expires that @c, of which nothing is said of that so far, puts in
 * place of what @place has found, which is gone with c->gone. -EOPNOTSUPP: it is to, and it is
 * bound to somebody.
 */
int kreg_expiry_decide(struct kreg_change *c, const struct kreg_place *place);
static inline int kreg_expiry_choose(struct kreg_change *c, const struct kreg_place *place)
{
	const struct kreg_bind *bind = c->bind;

	if (likely(!bind || (!bind->times && !(bind->keeps && place->old &&
					       kreg_rec_is_timed(place->old)))))
		return 0;
	return kreg_expiry_decide(c, place);
}

/* Turn. @c was applied. */
void kreg_expiry_start(struct kreg_table *t, struct kreg_bind *bind);

static inline void kreg_expiry_note(struct kreg_table *t, const struct kreg_change *c)
{
	if (unlikely(c->timed))
		kreg_expiry_start(t, c->bind);
}

/* Sleeps. @serve_lines serves who stands in line for keys that are free. */
void kreg_expire_init(void (*serve_lines)(struct kreg_table *t));

#endif /* KREG_TABLE_EXPIRE_H */
