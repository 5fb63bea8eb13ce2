// SPDX-License-Identifier: GPL-2.0
/*
 * Pins: what each shows is all that was there when it was set and nothing else, whatever is written
 * meanwhile; and who reads by one when it ends notices that.
 */
#include "bags.h"

#define PINNED		6
#define SECTION		(SECTIONS + 1)

struct shown {
	u32 k, seed, sub;
	u64 version;
	struct object object;		/* to whom it is bound, and when it expires */
};

static struct pinned {
	bool open;
	struct kreg_pin pin;
	u32 count;
	struct shown *then;		/* in the order of the list, where keys have runs */
	u32 *at;			/* else by key: 1 + its place in @then, or 0 */
} pinned[PINNED];

/* One who takes his time. */
static struct slow {
	struct pinned *by;		/* or NULL */
	struct kreg_walk walk;
	bool back;
	u32 n;
} slow;

static void note_shown(struct pinned *p, u32 k, u32 seed, u32 sub, u64 version,
		       const struct object *o)
{
	if (!mode->runs)
		p->at[k] = p->count + 1;
	p->then[p->count++] = (struct shown){ k, seed, sub, version, *o };
}

static void note_runs(struct pinned *p)
{
	u32 i, n, room = 0;

	for (i = 0; i < mode->keys; i++)
		room += runs[i].count;
	p->then = malloc((room + 1) * sizeof(*p->then));
	for (i = 0; i < mode->keys; i++)
		for (n = 0; n < runs[i].count; n++) {
			struct entry *e = &runs[i].entries[n];

			if (e->born <= store.version && store.version < e->died)
				note_shown(p, runs[i].k, e->seed, e->sub, e->born, &e->object);
		}
}

static void note_all(struct pinned *p)
{
	u32 k;

	p->count = 0;
	p->at = calloc(mode->keys, sizeof(*p->at));
	if (mode->runs) {
		note_runs(p);
		return;
	}
	p->then = malloc((mode->keys + 1) * sizeof(*p->then));
	for (k = 0; k < mode->keys; k++)
		if (committed[k].present)
			note_shown(p, k, committed[k].seed, 0, committed[k].version,
				   &committed[k]);
}

static void bring_extra(void)
{
	struct kreg_prealloc f = {};

	while (kreg_store_want_pins(&store, &f)) {
		memory_bring(&f);
		kreg_store_add_prealloc(&store, &f);
	}
	kreg_prealloc_free(&f);
}

static void set_pin(struct pinned *p)
{
	bring_extra();
	p->pin.allowed = rnd(2) ? ~0ULL : rnd(5000);
	kreg_pin_set(&store, &p->pin);
	tap_check(p->pin.version == store.version);
	note_all(p);
	p->open = true;
}

static void free_pin(struct pinned *p)
{
	free(p->then);
	free(p->at);
	p->then = NULL;
}

static void end_pin(struct pinned *p)
{
	kreg_pin_end(&store, &p->pin);
	p->open = false;
	if (slow.by != p)
		free_pin(p);
}

/* The layers above are asked if, and only if, a pin keeps more than it may. */
static void check_due(void)
{
	bool due = store.due & KREG_DUE_PINS, over = false;
	u32 i;

	for (i = 0; i < PINNED; i++) {
		struct kreg_pin *p = &pinned[i].pin;

		if (!pinned[i].open || p->bytes <= p->allowed)
			continue;
		over = true;
		p->allowed = p->bytes + rnd(5000);
	}
	tap_check(due || !over);
	store.due &= ~KREG_DUE_PINS;
}

static void check_shown(const struct pinned *p, const struct kreg_hit *hit, u32 n, bool back)
{
	u32 k = key_number(hit->key), at = back ? p->count - 1 - n : n;
	const struct shown *e;

	tap_check(n < p->count && k < mode->keys);
	if (!mode->runs) {
		tap_check(p->at[k]);
		at = p->at[k] - 1;
	}
	e = &p->then[at];
	tap_check(e->k == k && e->version == hit->version);
	expiry_check(&e->object, hit, false);
	tap_check(!mode->runs || e->sub == kreg_hit_sub(hit));
	value_check(k, e->seed, hit->blob ? kreg_blob_bytes(hit->blob) : hit->value,
		    hit->value_len);
	holder_check(hit->holder);
}

static bool comes_right(const void *last, u32 last_len, const struct kreg_hit *hit, bool back)
{
	int order = last ? kreg_order_compare(last, last_len, hit->key, hit->key_len) : -1;

	return !mode->ordered || order == (last && back ? 1 : -1);
}

static bool step(struct kreg_walk *w, struct kreg_hit *hit, bool back)
{
	return back ? kreg_walk_prev(w, hit) : kreg_walk_next(w, hit);
}

static void start_walk(struct kreg_walk *w, struct pinned *p, bool back)
{
	tap_check(kreg_pin_enter(&p->pin));
	kreg_walk_init(w, &store, &p->pin);
	if (back)
		kreg_walk_seek_back(w, NULL, false);
	else
		kreg_walk_seek(w, NULL, false);
}

/* All of it, in one section. No object comes twice: as many as there were are found. */
static void walk_all(struct pinned *p)
{
	bool back = (mode->ordered || mode->runs) && rnd(2);
	const void *last = NULL;
	struct kreg_walk w;
	struct kreg_hit hit;
	u32 n = 0, last_len = 0;

	rcu_read_lock();
	start_walk(&w, p, back);
	while (step(&w, &hit, back)) {
		tap_check(comes_right(last, last_len, &hit, back));
		check_shown(p, &hit, n++, back);
		last = hit.key;
		last_len = hit.key_len;
	}
	tap_check(n == p->count && kreg_pin_held(&p->pin));
	rcu_read_unlock();
}

static void look_up(struct pinned *p)
{
	u32 k = rnd(mode->keys);
	u8 bytes[KEY_ROOM];
	struct kreg_key key = key_of(k, bytes);
	struct kreg_hit hit;
	int err;

	if (mode->runs)
		return;
	rcu_read_lock();
	tap_check(kreg_pin_enter(&p->pin));
	err = kreg_store_get_at(&store, &p->pin, &key, &hit);
	tap_check(err == (p->at[k] ? 0 : -ENODATA));
	if (!err)
		check_shown(p, &hit, p->at[k] - 1, false);
	rcu_read_unlock();
}

static void start_slow(struct pinned *p)
{
	shim_enter(SECTION);
	slow.by = p;
	slow.n = 0;
	slow.back = (mode->ordered || mode->runs) && rnd(2);
	start_walk(&slow.walk, p, slow.back);
}

static void end_slow(bool complete)
{
	struct pinned *p = slow.by;

	if (kreg_pin_held(&p->pin))
		tap_check(!complete || slow.n == p->count);
	else
		tap_check(!p->open);
	shim_leave(SECTION);
	slow.by = NULL;
	if (!p->open)
		free_pin(p);
}

static void step_slow(void)
{
	u32 steps = 1 + rnd(16);
	struct kreg_hit hit;

	while (slow.by && steps--) {
		if (!step(&slow.walk, &hit, slow.back)) {
			end_slow(true);
			return;
		}
		if (kreg_pin_held(&slow.by->pin))
			check_shown(slow.by, &hit, slow.n, slow.back);
		else
			value_check_any(key_number(hit.key), hit.blob ? kreg_blob_bytes(hit.blob) :
					hit.value, hit.value_len);
		slow.n++;
	}
}

void pinned_meanwhile(void)
{
	struct pinned *p = &pinned[rnd(PINNED)];

	if (!mode->pins)
		return;
	check_due();
	step_slow();
	if (slow.by && !rnd(40))
		end_slow(false);
	if (!rnd(mode->pins) && slow.by != p) {
		if (p->open)
			end_pin(p);
		else
			set_pin(p);
	} else if (!rnd(mode->pins) && p->open) {
		end_pin(p);
	}
	if (!p->open)
		return;
	look_up(p);
	if (!rnd(8))
		walk_all(p);
	if (!slow.by && !rnd(8))
		start_slow(p);
}

void pinned_finish_walk(void)
{
	if (slow.by)
		end_slow(false);
}

void pinned_finish(void)
{
	u32 i;

	for (i = 0; i < PINNED; i++)
		if (pinned[i].open) {
			walk_all(&pinned[i]);
			end_pin(&pinned[i]);
		}
	pinned_finish_walk();
	store.due &= ~KREG_DUE_PINS;
}
