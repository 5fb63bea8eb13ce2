// SPDX-License-Identifier: GPL-2.0
/*
 * Objects that expire.
 *
 * DOC: Expiry
 *
 * A record with KREG_REC_TIMED says behind its value when it is past its time. Readers decide by
 * that and by the coarse clock, which is one for all processors: from that moment on nobody finds
 * it. Nothing has to be done for that, and its memory follows when the writer comes to it.
 *
 * What the writer goes by is a timing wheel (Varghese and Lauck 1987), which comes with the first
 * such record: it is in the chain of one slot, through its trailer, so that it is put there and
 * taken out in a few steps. When the time of a slot has come, its records are looked at, some in
 * a hold of the turn: those that are past their time die, and others go to a slot of a finer
 * level, each three times at most for every three days that it lasts. Nothing is ever scanned.
 *
 * A record that expires when it is idle says when it was looked up last. That is the one store to
 * memory which others share that a reader makes: when what stands there is older than a sixteenth
 * of the time. It stays in the slot of its first deadline, and goes to another when that is due.
 */
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/time64.h>

#include "store/gfp.h"
#include "store/wheel.h"

/* A reader stores when it has used a record if that says less by this part of its time. */
#define USED_SHIFT	4

struct kreg_holder kreg_holder_expired;

struct kreg_wheel *kreg_wheel_alloc(void)
{
	struct kreg_wheel *w = kzalloc(sizeof(*w), KREG_GFP_USER);

	if (w)
		w->next = KREG_NEVER;
	return w;
}

/* NULL: there is none. */
size_t kreg_wheel_memory(const struct kreg_wheel *w)
{
	return w ? sizeof(*w) : 0;
}

u64 kreg_expiry_now(void)
{
	return ktime_get_coarse_ns();
}

static u64 idle_ns(const struct kreg_rec_expiry *e)
{
	return (u64)e->idle_ms * NSEC_PER_MSEC;
}

u64 kreg_expiry_deadline(const struct kreg_rec *r)
{
	const struct kreg_rec_expiry *e = kreg_rec_expiry(r);

	if (!(r->lens & KREG_REC_IDLE))
		return e->expires;
	return min_t(u64, e->expires, READ_ONCE(e->used) + idle_ns(e));
}

bool kreg_expiry_is_over(const struct kreg_rec *r, u64 now)
{
	return kreg_expiry_deadline(r) <= now;
}

bool kreg_expiry_is_past(const struct kreg_rec *r)
{
	return kreg_expiry_is_over(r, kreg_expiry_now());
}

bool kreg_expiry_meet(const struct kreg_rec *r, bool uses)
{
	struct kreg_rec_expiry *e = kreg_rec_expiry(r);
	u64 now = kreg_expiry_now();

	if (kreg_expiry_deadline(r) <= now)
		return true;
	if (uses && r->lens & KREG_REC_IDLE && now - READ_ONCE(e->used) > idle_ns(e) >> USED_SHIFT)
		WRITE_ONCE(e->used, now);
	return false;
}

u64 kreg_hit_expires(const struct kreg_hit *hit)
{
	const struct kreg_rec *r = container_of(hit->key, struct kreg_rec, bytes[0]);

	return kreg_rec_is_timed(r) ? kreg_expiry_deadline(r) : KREG_NEVER;
}

u64 kreg_hit_use(const struct kreg_hit *hit)
{
	const struct kreg_rec *r = container_of(hit->key, struct kreg_rec, bytes[0]);

	if (kreg_rec_is_timed(r))
		kreg_expiry_meet(r, true);
	return kreg_hit_expires(hit);
}

void kreg_hit_expiry(const struct kreg_hit *hit, struct kreg_expiry *expiry)
{
	const struct kreg_rec *r = container_of(hit->key, struct kreg_rec, bytes[0]);
	const struct kreg_rec_expiry *e = kreg_rec_expiry(r);
	bool timed = kreg_rec_is_timed(r);

	expiry->expires = timed ? e->expires : KREG_NEVER;
	expiry->idle_ms = timed && r->lens & KREG_REC_IDLE ? e->idle_ms : 0;
}

int kreg_wheel_want(const struct kreg_store *s, struct kreg_prealloc *f)
{
	kreg_store_assert(s);
	if (s->extra && s->extra->wheel)
		return 0;
	f->must_handle = true;
	f->must_extra = true;
	f->must_wheel = true;
	return -EAGAIN;
}

/* How many slots behind that of base the first of the finest level is that has a record. */
static u32 first_fine(const struct kreg_wheel *w)
{
	u32 from = w->base % KREG_WHEEL_FINE, i;
	u64 word = w->used[from / 64] >> from % 64;

	if (word)
		return __builtin_ctzll(word);
	for (i = 1; i <= KREG_WHEEL_FINE / 64; i++) {
		word = w->used[(from / 64 + i) % (KREG_WHEEL_FINE / 64)];
		if (word)
			return (from / 64 + i) * 64 + __builtin_ctzll(word) - from;
	}
	return KREG_WHEEL_FINE;
}

/* The same of another level. */
static u32 first_coarse(const struct kreg_wheel *w, u32 level)
{
	u32 from = (w->base >> kreg_wheel_shift(level)) % KREG_WHEEL_COARSE;
	u64 word = w->used[KREG_WHEEL_FINE / 64 + level - 1];

	if (!word)
		return KREG_WHEEL_COARSE;
	word = word >> from | (from ? word << (64 - from) : 0);
	return __builtin_ctzll(word);
}

/* The tick with which the first slot begins that has a record; KREG_NEVER. */
static u64 first_slot(const struct kreg_wheel *w, u32 *slot)
{
	u64 first = KREG_NEVER;
	u32 level;

	for (level = 0; level < KREG_WHEEL_LEVELS; level++) {
		u32 size = kreg_wheel_size(level), shift = kreg_wheel_shift(level);
		u32 behind = level ? first_coarse(w, level) : first_fine(w);
		u64 number = (w->base >> shift) + behind;

		if (behind == size || number << shift >= first)
			continue;
		first = number << shift;
		*slot = kreg_wheel_first(level) + number % size;
	}
	return first;
}

/* All slots up to @now, but those that begin at next and later, are empty. */
static void advance_base(struct kreg_wheel *w, u64 now)
{
	u64 tick = min(now >> KREG_TICK_SHIFT, w->next);

	w->base = max(w->base, tick);
}

static void enter_slot(struct kreg_store *s, u32 slot, struct kreg_rec_expiry *e, u32 ref)
{
	struct kreg_wheel *w = s->extra->wheel;

	e->prev = KREG_LINK_BUCKET | slot;
	e->next = w->heads[slot];
	if (e->next)
		kreg_rec_expiry(kreg_arena_rec(s, e->next))->prev = ref;
	w->heads[slot] = ref;
	w->used[slot / 64] |= 1ull << slot % 64;
}

/* Put it where it is looked at in the tick that begins when it has just expired. */
static void put_in_slot(struct kreg_store *s, struct kreg_rec *r, u32 ref)
{
	struct kreg_wheel *w = s->extra->wheel;
	u64 tick = max((kreg_expiry_deadline(r) >> KREG_TICK_SHIFT) + 1, w->base), number;
	u32 level = 0, shift = 0;

	while (level < KREG_WHEEL_LEVELS - 1 &&
	       (tick >> shift) - (w->base >> shift) >= kreg_wheel_size(level))
		shift = kreg_wheel_shift(++level);
	number = min(tick >> shift, (w->base >> shift) + kreg_wheel_size(level) - 1);
	enter_slot(s, kreg_wheel_first(level) + number % kreg_wheel_size(level),
		   kreg_rec_expiry(r), ref);
	w->next = min(w->next, number << shift);
}

static void take_out(struct kreg_store *s, struct kreg_rec *r)
{
	struct kreg_rec_expiry *e = kreg_rec_expiry(r);
	struct kreg_wheel *w = s->extra->wheel;
	u32 slot = e->prev & ~KREG_LINK_BUCKET;

	if (e->next)
		kreg_rec_expiry(kreg_arena_rec(s, e->next))->prev = e->prev;
	if (!(e->prev & KREG_LINK_BUCKET)) {
		kreg_rec_expiry(kreg_arena_rec(s, e->prev))->next = e->next;
		return;
	}
	w->heads[slot] = e->next;
	if (!e->next)
		w->used[slot / 64] &= ~(1ull << slot % 64);
}

/* Turn. @r has been written but for its expiry, and is not linked yet. */
void kreg_wheel_add(struct kreg_store *s, struct kreg_rec *r, u32 ref,
		    const struct kreg_expiry *expiry)
{
	struct kreg_rec_expiry *e = kreg_rec_expiry(r);
	u64 now = kreg_expiry_now();

	kreg_store_assert(s);
	e->expires = expiry->expires;
	if (expiry->idle_ms) {
		e->used = now;
		e->idle_ms = expiry->idle_ms;
	}
	advance_base(s->extra->wheel, now);
	put_in_slot(s, r, ref);
	WRITE_ONCE(s->extra->timed, s->extra->timed + 1);
}

/* Turn. @r was due, and has not expired. */
void kreg_wheel_move(struct kreg_store *s, struct kreg_rec *r, u32 ref)
{
	kreg_store_assert(s);
	take_out(s, r);
	put_in_slot(s, r, ref);
}

/* Turn. @r dies. */
void kreg_wheel_remove(struct kreg_store *s, struct kreg_rec *r)
{
	kreg_store_assert(s);
	take_out(s, r);
	WRITE_ONCE(s->extra->timed, s->extra->timed - 1);
}

/* Turn. @r, @ref, is a copy of a live record that is timed, and takes its place in the wheel. */
void kreg_wheel_replace(struct kreg_store *s, const struct kreg_rec *r, u32 ref)
{
	const struct kreg_rec_expiry *e = kreg_rec_expiry(r);

	kreg_store_assert(s);
	if (e->next)
		kreg_rec_expiry(kreg_arena_rec(s, e->next))->prev = ref;
	if (e->prev & KREG_LINK_BUCKET)
		s->extra->wheel->heads[e->prev & ~KREG_LINK_BUCKET] = ref;
	else
		kreg_rec_expiry(kreg_arena_rec(s, e->prev))->next = ref;
}

/* Turn. All records are cleared away. */
void kreg_wheel_forget(struct kreg_store *s)
{
	struct kreg_wheel *w = s->extra->wheel;

	kreg_store_assert(s);
	if (!w || !s->extra->timed)
		return;
	memset(w->used, 0, sizeof(w->used));
	memset(w->heads, 0, sizeof(w->heads));
	w->next = KREG_NEVER;
	WRITE_ONCE(s->extra->timed, 0);
}

/* Turn. A record whose slot has begun by @now, or 0. */
u32 kreg_wheel_due(struct kreg_store *s, u64 now)
{
	struct kreg_wheel *w = s->extra ? s->extra->wheel : NULL;
	u32 slot;

	kreg_store_assert(s);
	if (!w || w->next > now >> KREG_TICK_SHIFT)
		return 0;
	w->next = first_slot(w, &slot);
	advance_base(w, now);
	return w->next <= now >> KREG_TICK_SHIFT ? w->heads[slot] : 0;
}

u64 kreg_expiry_next(const struct kreg_store *s)
{
	const struct kreg_wheel *w = s->extra ? s->extra->wheel : NULL;

	kreg_store_assert(s);
	return !w || w->next == KREG_NEVER ? KREG_NEVER : w->next << KREG_TICK_SHIFT;
}
