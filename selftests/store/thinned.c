// SPDX-License-Identifier: GPL-2.0
/*
 * Nine objects in ten are deleted at random: memory comes back to what the rest needs, while
 * readers walk in either direction, and by a pin, and find each of the rest exactly once.
 */
#include "model.h"

#define KEYS	20000
#define RUN	4		/* objects of a key, where it may have several */

/* How much memory may be left, in percent of what the rest needs. */
#define MOST	250

static const struct mode thinned[] = {
	{ .name = "hashed", .keys = KEYS, .hash_mask = ~0u },
	{ .name = "ordered", .keys = KEYS, .hash_mask = ~0u, .ordered = true },
	{ .name = "long keys", .keys = KEYS, .hash_mask = ~0u, .ordered = true, .prefix = 90 },
	{ .name = "runs", .keys = KEYS / RUN, .hash_mask = ~0u, .runs = true },
};

static struct kreg_pin pin;
static bool *kept;			/* by number of the object */
static u64 live_bytes, kept_count;

/* Some sizes of records, so that there are chunks of several classes. */
static u32 length_of(u32 k)
{
	return k % 5 ? 40 + k % 3 * 16 : 430;
}

/* Not of the long keys where there are runs: all marks would be as long. */
static struct kreg_key key_at(u32 k, u8 *bytes)
{
	return key_of(mode->runs ? k / RUN * 211 : k, bytes);
}

static u32 number_of(const struct kreg_hit *hit)
{
	u32 k;

	memcpy(&k, hit->value, sizeof(k));
	tap_check(hit->value_len == length_of(k));
	return k;
}

static void put(struct kreg_txn *t, u32 k)
{
	struct kreg_change c = { .kind = KREG_CHANGE_PUT };
	struct kreg_prealloc f = {};
	struct kreg_place place;
	u8 bytes[KEY_ROOM], value[1000] = {};

	memcpy(value, &k, sizeof(k));
	c.key = key_at(k, bytes);
	c.value = value;
	c.value_len = length_of(k);
	for (;;) {
		find_place(&c.key, &place);
		if (!kreg_store_apply(t, &c, &place, &f))
			break;
		case_fill(&f);
	}
	if (f.want_index)
		case_fill(&f);
	kreg_prealloc_free(&f);
}

static bool find_object(u32 k, const struct kreg_key *key, struct kreg_place *place)
{
	struct kreg_hit hit;
	bool found;

	if (!mode->runs) {
		find_place(key, place);
		return place->old;
	}
	found = kreg_run_find_first(&store, key, place);
	for (;;) {
		while (!found) {
			kreg_store_begin_hold(&store);
			found = kreg_run_find_on(&store, key, place);
		}
		if (!place->old)
			return false;
		kreg_store_tell(&store, place->old, kreg_rec_key_len(place->old), &hit, false);
		if (number_of(&hit) == k)
			return true;
		found = kreg_run_find_next(&store, key, place);
	}
}

static void remove_one(struct kreg_txn *t, u32 k)
{
	struct kreg_change c = { .kind = KREG_CHANGE_DELETE };
	struct kreg_place place;
	u8 bytes[KEY_ROOM];

	c.key = key_at(k, bytes);
	tap_check(find_object(k, &c.key, &place));
	tap_check(!kreg_store_apply(t, &c, &place, NULL));
}

static void write_one(u32 k, void (*change)(struct kreg_txn *t, u32 k))
{
	struct kreg_prealloc f = {};
	struct kreg_txn t;

	kreg_txn_begin(&t, &store);
	change(&t, k);
	kreg_txn_commit(&t);
	while (!kreg_txn_unlink(&t, 8))
		kreg_store_begin_hold(&store);
	kreg_store_upkeep(&store, 8, &f);
	if (kreg_prealloc_wanted(&f))
		case_fill(&f);
	kreg_prealloc_free(&f);
}

/* The bytes of its slot, and a word of the index. */
static void count_live(u32 k)
{
	u8 bytes[KEY_ROOM];
	struct kreg_key key = key_at(k, bytes);

	live_bytes += kreg_arena_size(kreg_arena_class(kreg_rec_size(key.len, length_of(k),
								     false))) + 4;
	kept_count++;
}

static void fill(void)
{
	u32 k;

	live_bytes = 0;
	kept_count = 0;
	for (k = 0; k < KEYS; k++) {
		write_one(k, put);
		kept[k] = !rnd(10);
		if (kept[k])
			count_live(k);
	}
}

/* A walk that takes a few steps at a time. */
struct walker {
	struct kreg_walk walk;
	bool back;
	bool open;
	u32 section;
	u64 found;
	u32 last;
	bool *seen;
};

static void start(struct walker *w, const struct kreg_pin *by)
{
	shim_enter(w->section);
	if (by)
		tap_check(kreg_pin_enter(by));
	kreg_walk_init(&w->walk, &store, by);
	if (w->back)
		kreg_walk_seek_back(&w->walk, NULL, false);
	else
		kreg_walk_seek(&w->walk, NULL, false);
	memset(w->seen, 0, KEYS);
	w->found = 0;
	w->open = true;
}

/* Objects of a run come in the order of their numbers. */
static void check_order(struct walker *w, u32 k)
{
	if (mode->runs && w->found && w->last / RUN == k / RUN)
		tap_check(w->back ? k < w->last : k > w->last);
	w->last = k;
}

static void go_on(struct walker *w, const struct kreg_pin *by, u32 steps)
{
	struct kreg_hit hit;

	if (!w->open)
		start(w, by);
	for (; steps; steps--) {
		u32 k;

		if (!(w->back ? kreg_walk_prev(&w->walk, &hit) : kreg_walk_next(&w->walk, &hit))) {
			tap_check(w->found == kept_count);
			shim_leave(w->section);
			w->open = false;
			return;
		}
		k = number_of(&hit);
		tap_check(kept[k] && !w->seen[k]);
		check_order(w, k);
		w->seen[k] = true;
		w->found++;
	}
}

/* Upkeep to its end, between two steps of walkers. */
static void settle(struct walker *w, u32 walkers)
{
	struct kreg_prealloc f = {};
	u32 i, n = 0;
	bool more;

	do {
		kreg_store_begin_hold(&store);
		more = kreg_store_upkeep_idle(&store, 64, &f) || kreg_store_has_limbo(&store);
		if (kreg_prealloc_wanted(&f))
			case_fill(&f);
		for (i = 0; i < walkers; i++)
			go_on(&w[i], w[i].section > 2 ? &pin : NULL, 1 + rnd(600));
		if (!(n++ % 100))
			tap_check(kreg_store_verify(&store));
	} while (more);
	kreg_prealloc_free(&f);
	tap_check(kreg_store_verify(&store));
}

static void finish_walks(struct walker *w, u32 walkers)
{
	u32 i;

	for (i = 0; i < walkers; i++)
		if (w[i].open)
			go_on(&w[i], w[i].section > 2 ? &pin : NULL, ~0u);
}

/* All but a tenth is deleted, which is gone from what a pin that is set then shows. */
static void delete_most(void)
{
	struct kreg_prealloc f = {};
	u32 k;

	if (kreg_store_want_pins(&store, &f))
		case_fill(&f);
	kreg_prealloc_free(&f);
	for (k = 0; k < KEYS; k++)
		if (!kept[k])
			write_one(k, remove_one);
	tap_check(store.objects == kept_count);
	pin = (struct kreg_pin) { .allowed = ~0ULL };
	kreg_pin_set(&store, &pin);
}

static void check_size(void)
{
	struct kreg_stat st;

	kreg_store_stat(&store, &st);
	tap_check(st.memory - kreg_array_memory(&store.chunks) -
		  kreg_extra_memory(store.extra) < live_bytes / 100 * MOST);
}

static void thin_out(void)
{
	static struct walker walkers[] = {
		{ .section = 1 }, { .section = 2, .back = true },
		{ .section = 3 }, { .section = 4, .back = true },
	};
	u32 i, n = 0, versions = store.version;
	struct walker used[ARRAY_SIZE(walkers)];

	delete_most();
	versions = store.version;
	for (i = 0; i < ARRAY_SIZE(walkers); i++) {
		if (walkers[i].back && !store.ordered)
			continue;
		used[n] = walkers[i];
		used[n++].seen = calloc(KEYS, sizeof(bool));
	}
	settle(used, n);
	finish_walks(used, n);
	settle(used, 0);
	check_size();
	tap_check(store.version == versions);
	kreg_pin_end(&store, &pin);
	for (i = 0; i < n; i++)
		free(used[i].seen);
}

static void run_kind(const struct mode *m)
{
	mode = m;
	shim_hash_mask = m->hash_mask;
	spin_unlock(&turn);
	tap_check(!kreg_store_init(&store, &turn, m->runs ? KREG_STORE_RUNS :
				   m->ordered ? KREG_STORE_ORDERED : KREG_STORE_HASHED));
	spin_lock(&turn);
	kept = calloc(KEYS, sizeof(*kept));
	fill();
	thin_out();
	free(kept);
	spin_unlock(&turn);
	kreg_store_exit(&store);
	spin_lock(&turn);
	tap_check(!shim_allocated);
}

void thinned_run(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(thinned); i++)
		run_kind(&thinned[i]);
}
