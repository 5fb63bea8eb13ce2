/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pins: reading a store as of one commit, for as long as that takes. See pin.c.
 *
 * The layers above bring the struct and say when it ends; it stays theirs. A walk is given it when
 * it begins (store.h), between kreg_pin_enter() and kreg_pin_held().
 */
#ifndef KREG_STORE_PIN_H
#define KREG_STORE_PIN_H

#include <linux/types.h>

#include "store/store.h"
#include "store/types.h"

struct kreg_prealloc;
struct kreg_rec;

/* Turn. 0, or -EAGAIN: the store lacks what @f says, as for kreg_store_reserve(). */
int kreg_store_want_pins(const struct kreg_store *s, struct kreg_prealloc *f);
/* Turn. From now on @p keeps what the last commit shows. */
void kreg_pin_set(struct kreg_store *s, struct kreg_pin *p);
/* Turn. It keeps nothing any more, and whoever reads by it finds it broken. */
void kreg_pin_end(struct kreg_store *s, struct kreg_pin *p);

/* Any; exact under the turn. How many pins there are. */
static inline u32 kreg_pin_count(const struct kreg_store *s)
{
	const struct kreg_extra *extra = READ_ONCE(s->extra);

	return extra ? READ_ONCE(extra->nr_pins) : 0;
}

/* Turn. The first pin, if any, and the one behind @p: the oldest first. */
struct kreg_pin *kreg_pin_first(const struct kreg_store *s);
struct kreg_pin *kreg_pin_next(const struct kreg_store *s, struct kreg_pin *p);

/* Turn. Whether some pin keeps more than it may; that this has been seen to. */
static inline bool kreg_pin_is_due(const struct kreg_store *s)
{
	kreg_store_assert(s);
	return s->due & KREG_DUE_PINS;
}

static inline void kreg_pin_clear_due(struct kreg_store *s)
{
	kreg_store_assert(s);
	s->due &= ~KREG_DUE_PINS;
}

/* RCU. Whether the section that has begun may read by @p. */
static inline bool kreg_pin_enter(const struct kreg_pin *p)
{
	/* Pair 8: if this loads false, whatever @p kept stays until the section ends. */
	return !READ_ONCE(p->broken);
}

/* RCU. Whether what was read by @p since kreg_pin_enter() is all that there was. */
static inline bool kreg_pin_held(const struct kreg_pin *p)
{
	/* Pair 8: if a link has led past what @p kept, the load below sees that it has ended. */
	smp_rmb();
	return !READ_ONCE(p->broken);
}

/*
 * Turn. The record @ref, @r, which has died with this or an earlier commit, is kept if a pin needs
 * it; else false, and it is to be unlinked.
 */
bool kreg_pin_keep(struct kreg_store *s, u32 ref, struct kreg_rec *r);
/* Turn. Unlink one record whose pin has ended. False: there is none, or not now. */
bool kreg_pin_step(struct kreg_store *s);

#endif /* KREG_STORE_PIN_H */
