// SPDX-License-Identifier: GPL-2.0
/* Random writes where keys have runs, with a reader in between. */
#include "bags.h"

struct run *runs;
static u32 seeds;
static bool draining;

static void add_entry(struct run *r, struct entry e)
{
	if (r->count == r->room) {
		struct entry *more = malloc((2 * r->room + 8) * sizeof(*more));

		if (r->count)
			memcpy(more, r->entries, r->count * sizeof(*more));
		free(r->entries);
		r->entries = more;
		r->room = 2 * r->room + 8;
	}
	r->entries[r->count++] = e;
}

static void bring(struct kreg_prealloc *f)
{
	memory_bring(f);
	kreg_store_add_prealloc(&store, f);
}

static void set_aside(struct kreg_change *c, const u8 *value)
{
	struct kreg_prealloc f = {};
	int err;

	while ((err = kreg_store_reserve(&store, c, &f)) == -EAGAIN)
		bring(&f);
	kreg_prealloc_free(&f);
	tap_check(!err);
	memcpy(kreg_change_key(c), c->key.bytes, c->key.len);
	memcpy(kreg_change_value(c), value, c->value_len);
	kreg_change_finish(c);
}

static void fill_put(struct kreg_change *c, struct run *r, u32 seed, u8 *key, u8 *value,
		     struct kreg_expiry *e)
{
	kreg_change_init(c);
	c->kind = KREG_CHANGE_PUT;
	c->key = key_of(r->k, key);
	c->value_len = value_len(seed);
	c->value = value;
	c->bound = mode->bound && !rnd(mode->bound);
	c->holder = NULL;
	expiry_choose(c, e);
	value_make(r->k, seed, value);
	if (kreg_store_needs_blob(c->key.len, c->value_len)) {
		c->blob = kreg_blob_alloc(c->value_len);
		memcpy(kreg_blob_bytes(c->blob), value, c->value_len);
	}
	if (rnd(2))
		set_aside(c, value);
}

static void put(struct kreg_txn *t, struct run *r, u32 seed)
{
	u32 sub;
	u8 *value = malloc(value_len(seed) + 1), key[KEY_ROOM];
	struct kreg_prealloc f = {};
	struct kreg_holder *holder;
	struct kreg_expiry expiry;
	struct kreg_place place;
	struct kreg_change c;
	struct entry e;
	int err;

	fill_put(&c, r, seed, key, value, &expiry);
	holder = c.bound && rnd(4) ? holder_pick() : NULL;
	if (!c.timed)
		c.holder = holder;
	do {
		sub = t->sub;
		find_place(&c.key, &place);
		tap_check(!place.old);
		err = kreg_store_apply(t, &c, &place, &f);
		if (err == -EAGAIN)
			bring(&f);
	} while (err == -EAGAIN);
	tap_check(!err && !c.count);
	e = (struct entry){ seed, sub, t->version, KREG_ALIVE, holder, { .holder = holder } };
	expiry_note(&e.object, &c, &expiry);
	add_entry(r, e);
	holder_took(holder);
	kreg_prealloc_free(&f);
	free(value);
}

static void kill_at(struct kreg_txn *t, struct kreg_place *place, struct entry *e)
{
	struct kreg_change c;

	kreg_change_init(&c);
	c.kind = KREG_CHANGE_DELETE;
	tap_check(place->old && place->old->born == e->born && place->old->hash == e->sub);
	tap_check(!kreg_store_apply(t, &c, place, NULL) && c.count == 1);
	e->died = t->version;
}

static void next_place(const struct kreg_key *key, struct kreg_place *place, bool found)
{
	while (!found) {
		kreg_store_begin_hold(&store);
		found = kreg_run_find_on(&store, key, place);
	}
}

/* All objects of a key, or one in @some of them. */
static void delete_run(struct kreg_txn *t, struct run *r, u32 some)
{
	struct kreg_place place;
	u8 bytes[KEY_ROOM];
	struct kreg_key key = key_of(r->k, bytes);
	u32 n;

	next_place(&key, &place, kreg_run_find_first(&store, &key, &place));
	for (n = 0; n < r->count; n++) {
		struct entry *e = &r->entries[n];

		if (e->died != KREG_ALIVE)
			continue;
		tap_check(place.old && place.old->born == e->born && place.old->hash == e->sub);
		if (!rnd(some))
			kill_at(t, &place, e);
		if (mode->verify_every == 1)
			tap_check(kreg_store_verify(&store));
		next_place(&key, &place, kreg_run_find_next(&store, &key, &place));
	}
	tap_check(!place.old);
}

static void delete_one(struct kreg_txn *t, struct run *r)
{
	struct entry *e = r->count ? &r->entries[rnd(r->count)] : NULL;
	u64 born = e ? e->born : rnd(9);
	struct kreg_place place;
	u8 bytes[KEY_ROOM];
	struct kreg_key key = key_of(r->k, bytes);
	bool found = kreg_run_find(&store, &key, born, e ? e->sub : 0, &place, false);

	while (!found) {
		kreg_store_begin_hold(&store);
		found = kreg_run_find(&store, &key, born, e ? e->sub : 0, &place, true);
	}
	if (e && e->died == KREG_ALIVE)
		kill_at(t, &place, e);
	else
		tap_check(!place.old);
}

/* The same object comes anew, and the one before goes, wherever in the run that is. */
static void replace_one(struct kreg_txn *t, struct run *r)
{
	u32 n = r->count ? rnd(r->count) : 0;
	struct entry e;
	struct kreg_place place;
	u8 bytes[KEY_ROOM];
	struct kreg_key key = key_of(r->k, bytes);
	bool found;

	if (!r->count || r->entries[n].died != KREG_ALIVE)
		return;
	e = r->entries[n];
	found = kreg_run_find(&store, &key, e.born, e.sub, &place, false);
	while (!found) {
		kreg_store_begin_hold(&store);
		found = kreg_run_find(&store, &key, e.born, e.sub, &place, true);
	}
	tap_check(place.old);
	put(t, r, e.seed);
	kreg_txn_remove(t, place.old_ref);
	r->entries[n].died = t->version;
}

static void clear(struct kreg_txn *t)
{
	struct kreg_place place = {};
	struct kreg_change c;
	u32 i, n;

	kreg_change_init(&c);
	c.kind = KREG_CHANGE_CLEAR;
	c.root = kreg_root_alloc(KREG_GFP_USER);
	tap_check(!kreg_store_apply(t, &c, &place, NULL));
	for (i = 0; i < mode->keys; i++)
		for (n = 0; n < runs[i].count; n++)
			if (runs[i].entries[n].died == KREG_ALIVE)
				runs[i].entries[n].died = t->version;
}

static void change(struct kreg_txn *t)
{
	struct run *r = &runs[rnd(2) ? 0 : rnd(mode->keys)];
	u32 what = rnd(100);

	if (mode->clear && !rnd(mode->clear))
		clear(t);
	else if (what < (draining ? 20 : 60))
		put(t, r, ++seeds);
	else if (mode->timed && what < (draining ? 30 : 70))
		replace_one(t, r);
	else if (what < 64 && !rnd(8))
		delete_run(t, r, 1);
	else if (what < 64 && !rnd(4))
		delete_run(t, r, 2 + rnd(4));
	else
		delete_one(t, r);
}

static void upkeep(u32 budget)
{
	struct kreg_prealloc f = {};

	if (!rnd(8))
		kreg_thin_begin(&store, 100);
	if (rnd(2))
		kreg_store_upkeep(&store, budget, &f);
	else
		kreg_store_upkeep_idle(&store, budget, &f);
	if (kreg_prealloc_wanted(&f) && rnd(4))
		bring(&f);
	kreg_prealloc_free(&f);
}

static void end_write(struct kreg_txn *t)
{
	bags_meanwhile();
	kreg_txn_commit(t);
	bags_meanwhile();
	while (!kreg_txn_unlink(t, 1 + rnd(3))) {
		bags_meanwhile();
		kreg_store_begin_hold(&store);
	}
	bags_meanwhile();
	bags_forget();
	upkeep(1 + rnd(8));
}

/* The entry of a record that was removed. */
static struct entry *find_entry(const struct kreg_rec *removed)
{
	u32 j, m;

	for (j = 0; j < mode->keys; j++)
		for (m = 0; m < runs[j].count; m++) {
			struct entry *e = &runs[j].entries[m];

			if (runs[j].k == key_number(removed->bytes) &&
			    e->born == removed->born && e->sub == removed->hash)
				return e;
		}
	return NULL;
}

static void remove_entry(const struct kreg_rec *removed, u64 version, const struct kreg_holder *h,
			 bool expired)
{
	struct entry *e = find_entry(removed);

	tap_check(e && e->died == KREG_ALIVE && e->holder == h &&
		  expiry_is_over(&e->object) == expired);
	e->died = version;
}

void bags_remove_bound(struct kreg_holder *h, u32 n)
{
	const struct kreg_rec *removed[64];
	struct kreg_txn t;
	u32 i;

	kreg_txn_begin(&t, &store);
	n = kreg_txn_remove_bound(&t, h, min_t(u32, n, ARRAY_SIZE(removed)), removed);
	for (i = 0; i < n; i++)
		remove_entry(removed[i], t.version, h, false);
	end_write(&t);
}

void bags_remove_expired(u32 n)
{
	const struct kreg_rec *removed[32];
	struct kreg_txn t;
	u32 i;

	kreg_txn_begin(&t, &store);
	n = kreg_txn_remove_expired(&t, n, removed);
	for (i = 0; i < n; i++)
		remove_entry(removed[i], t.version, NULL, true);
	end_write(&t);
}

void bags_check_gone(void)
{
	u32 i, n;

	for (i = 0; i < mode->keys; i++)
		for (n = 0; n < runs[i].count; n++)
			tap_check(runs[i].entries[n].died != KREG_ALIVE ||
				  expiry_stays(&runs[i].entries[n].object));
}

void bags_churn(u32 op)
{
	u32 n = rnd(3) ? 1 : 1 + rnd(12);
	struct kreg_txn t;

	while (kreg_store_limbo_full(&store)) {
		bags_finish_walk();
		pinned_finish_walk();
		upkeep(64);
	}
	kreg_txn_begin(&t, &store);
	while (n--) {
		change(&t);
		bags_meanwhile();
	}
	end_write(&t);
	if (mode->bound && !rnd(20))
		holder_remove();
	if (mode->timed)
		expiry_move_clock();
	if (!rnd(16))
		shim_run_work();
	if (op % 300 == 0)
		draining = rnd(2);
	if (mode->verify_every && op % mode->verify_every == 0)
		tap_check(kreg_store_verify(&store));
}

void bags_drain(void)
{
	struct kreg_stat st;
	struct kreg_txn t;
	u32 i;

	model_let_go();
	bags_finish_walk();
	expiry_check_all_gone();
	for (i = 0; i < mode->keys; i++) {
		kreg_txn_begin(&t, &store);
		delete_run(&t, &runs[i], 1);
		end_write(&t);
	}
	bags_finish_walk();
	bags_forget();
	pinned_finish();
	if (mode->bound)
		holders_retire();
	memory_drain();
	tap_check(!holders_allocated());
	tap_check(kreg_store_verify(&store));
	kreg_store_stat(&store, &st);
	tap_check(!st.objects && !st.bytes && !st.limbo && !st.bound && !st.timed);
}

void bags_start(void)
{
	u8 a[KEY_ROOM], b[KEY_ROOM];
	u32 i, j;

	runs = malloc(mode->keys * sizeof(*runs));
	memset(runs, 0, mode->keys * sizeof(*runs));
	draining = false;
	for (i = 0; i < mode->keys; i++) {
		u32 len = key_make(i, a);

		for (j = i; j && kreg_order_compare(a, len, b, key_make(runs[j - 1].k, b)) < 0; j--)
			runs[j].k = runs[j - 1].k;
		runs[j].k = i;
	}
}

void bags_end(void)
{
	u32 i;

	bags_finish_walk();
	for (i = 0; i < mode->keys; i++)
		free(runs[i].entries);
	free(runs);
}
