// SPDX-License-Identifier: GPL-2.0
/* The invariants of the timing wheel. For debug builds, see verify.c. */
#include "store/wheel.h"

/* The tick with which the slot begins, of @level, counted from its first. */
static u64 begin_of(const struct kreg_wheel *w, u32 level, u32 slot)
{
	u32 shift = kreg_wheel_shift(level), size = kreg_wheel_size(level);
	u64 base = w->base >> shift;

	return (base + (slot - base % size + size) % size) << shift;
}

/*
 * A record is looked at no later than when it expires, and not before either, unless it has been
 * looked up since, or all that the wheel has is too short.
 */
static bool is_in_time(const struct kreg_wheel *w, const struct kreg_rec *r, u32 level, u64 begin)
{
	u64 tick = max((kreg_expiry_deadline(r) >> KREG_TICK_SHIFT) + 1, w->base);
	u32 shift = kreg_wheel_shift(level);

	if (begin > tick)
		return false;
	return r->lens & KREG_REC_IDLE || level == KREG_WHEEL_LEVELS - 1 ||
	       begin + (1ull << shift) > tick;
}

static bool verify_slot(struct kreg_store *s, u32 level, u32 slot, u64 *timed)
{
	const struct kreg_wheel *w = s->extra->wheel;
	u32 number = kreg_wheel_first(level) + slot, prev = KREG_LINK_BUCKET | number, ref;
	u64 begin = begin_of(w, level, slot);

	if (WARN_ON(!w->heads[number] != !(w->used[number / 64] >> number % 64 & 1)) ||
	    WARN_ON(w->heads[number] && begin < w->next))
		return false;
	for (ref = w->heads[number]; ref; ++*timed) {
		const struct kreg_rec *r = kreg_arena_rec(s, ref);
		const struct kreg_rec_expiry *e;

		if (WARN_ON(!kreg_rec_is_timed(r) || r->died != KREG_ALIVE))
			return false;
		e = kreg_rec_expiry(r);
		if (WARN_ON(e->prev != prev || !is_in_time(w, r, level, begin)))
			return false;
		prev = ref;
		ref = e->next;
	}
	return true;
}

/* Turn. Invariant 9: each of @timed live timed records is in its slot, and nothing else is. */
bool kreg_verify_wheel(struct kreg_store *s, u64 timed)
{
	struct kreg_extra *extra = s->extra;
	u64 found = 0;
	u32 level, slot;

	kreg_store_assert(s);
	if (!extra || !extra->wheel)
		return !WARN_ON(timed || (extra && extra->timed));
	for (level = 0; level < KREG_WHEEL_LEVELS; level++)
		for (slot = 0; slot < kreg_wheel_size(level); slot++)
			if (!verify_slot(s, level, slot, &found))
				return false;
	return !WARN_ON(found != timed || found != extra->timed);
}
