// SPDX-License-Identifier: GPL-2.0
/*
 * Objects that expire, and the clock by which they do: it stands still, moves by ticks, or
 * leaps over days.
 */
#include "model.h"
#include "store/wheel.h"

#define MS	((u64)NSEC_PER_MSEC)
#define TICK	(1ULL << KREG_TICK_SHIFT)

/* Some time of any order, up to three months. */
static u64 any_time(void)
{
	return shim_random() >> 11 >> rnd(40);
}

void expiry_choose(struct kreg_change *c, struct kreg_expiry *e)
{
	if (!mode->timed || c->bound || rnd(mode->timed))
		return;
	e->idle_ms = rnd(3) ? 0 : min(any_time() / MS, (u64)~0u);
	e->expires = e->idle_ms && rnd(2) ? KREG_NEVER : shim_clock + any_time();
	kreg_change_expire(c, e);
}

void expiry_note(struct object *o, const struct kreg_change *c, const struct kreg_expiry *e)
{
	o->timed = c->timed;
	if (!o->timed)
		return;
	o->expires = e->expires;
	o->idle = e->idle_ms * MS;
	o->used = shim_clock;
}

static u64 deadline_of(const struct object *o)
{
	return o->idle ? min(o->expires, o->used + o->idle) : o->expires;
}

bool expiry_is_over(const struct object *o)
{
	return o->timed && deadline_of(o) <= shim_clock;
}

bool expiry_stays(const struct object *o)
{
	return !o->timed || deadline_of(o) + 2 * TICK > shim_clock;
}

static void note_use(struct object *o)
{
	if (o->timed && o->idle && shim_clock - o->used > o->idle >> 4)
		o->used = shim_clock;
}

static void use(struct object *o, u64 version)
{
	if (o->present && o->version == version)
		note_use(o);
}

void expiry_use(struct object *o, const struct kreg_hit *hit)
{
	u64 expires = kreg_hit_use(hit);

	if (hit->holder != &kreg_holder_expired)
		note_use(o);
	tap_check(expires == (o->timed ? deadline_of(o) : KREG_NEVER));
}

/* The object that was looked up is not idle now. */
void expiry_used(u32 k, const struct kreg_hit *hit)
{
	if (hit->holder == &kreg_holder_expired)
		return;
	use(&now[k], hit->version);
	use(&committed[k], hit->version);
}

/*
 * Whether what is told of @o is right. What somebody remembers does not know when it was looked up
 * since.
 */
void expiry_check(const struct object *o, const struct kreg_hit *hit, bool exactly)
{
	u64 expires = kreg_hit_expires(hit);

	if (!o->timed) {
		tap_check(hit->holder == o->holder && expires == KREG_NEVER);
		return;
	}
	tap_check(hit->holder == (expires <= shim_clock ? &kreg_holder_expired : NULL));
	if (exactly || !o->idle)
		tap_check(expires == deadline_of(o));
	else
		tap_check(expires >= deadline_of(o) && expires <= o->expires);
}

static void remove_expired(u32 n)
{
	const struct kreg_rec *removed[32];
	struct kreg_txn t;
	u32 i;

	if (mode->runs) {
		bags_remove_expired(n);
		return;
	}
	kreg_txn_begin(&t, &store);
	n = kreg_txn_remove_expired(&t, n, removed);
	for (i = 0; i < n; i++) {
		u32 k = key_number(removed[i]->bytes);

		tap_check(now[k].present && now[k].version == removed[i]->born &&
			  expiry_is_over(&now[k]));
		model_gone(k);
	}
	model_finish(&t);
}

static void remove_due(void)
{
	while (kreg_expiry_next(&store) <= shim_clock)
		remove_expired(1 + rnd(32));
}

/* Whatever expired two ticks ago is gone, once all that is due was looked at. */
static void check_gone(void)
{
	u32 k;

	if (mode->runs) {
		bags_check_gone();
		return;
	}
	for (k = 0; k < mode->keys; k++)
		tap_check(!now[k].present || expiry_stays(&now[k]));
}

void expiry_move_clock(void)
{
	if (!rnd(3))
		shim_clock += rnd(3) ? rnd(3 * TICK) : any_time();
	if (!rnd(4)) {
		remove_expired(1 + rnd(32));
	} else if (!rnd(4)) {
		remove_due();
		check_gone();
	}
}

void expiry_check_all_gone(void)
{
	struct kreg_stat st;
	u32 i;

	if (!mode->timed)
		return;
	/* What is used meanwhile stays, until the clock leaps over more than its whole time. */
	for (i = 0; i <= 64; i++) {
		shim_clock += i < 64 ? TICK << 26 : TICK << 31;
		remove_due();
		check_gone();
	}
	kreg_store_stat(&store, &st);
	tap_check(!st.timed && kreg_expiry_next(&store) == KREG_NEVER);
}
