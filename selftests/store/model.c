// SPDX-License-Identifier: GPL-2.0
/*
 * Random writes against a trivial model, one thread: all that a write is made of
 * is interleaved with readers, other writes' preparations, failing allocations
 * and grace periods that come when the test likes.
 */
#include "model.h"

#define STEPS		24
#define PREPARED	4

struct step {
	u32 k;
	u32 seed;
	u8 key[KEY_ROOM];
	u8 *value;
	struct kreg_edit *edit;
	struct kreg_expiry expiry;
	bool skip;			/* there was no space */
	bool hold;			/* bind it to a holder */
	struct kreg_change change;
};

struct batch {
	u32 count;
	bool reserved;
	struct step steps[STEPS];
};

struct kreg_store store __aligned(64);
DEFINE_SPINLOCK(turn);
const struct mode *mode;
struct object *now, *committed;

static u32 *touched, touched_count;
static bool *dirty;
static struct batch *prepared[PREPARED];
static u32 seeds;
static bool draining;

/* In the small configurations, after whatever has changed the store. */
static void verify(void)
{
	if (mode->verify_every == 1)
		tap_check(kreg_store_verify(&store));
}

static void touch(u32 k, bool present, u32 seed, u64 version, struct kreg_holder *holder)
{
	if (!dirty[k])
		touched[touched_count++] = k;
	dirty[k] = true;
	now[k] = (struct object){ .present = present, .seed = seed, .version = version,
				  .holder = holder };
}

static void commit_model(void)
{
	while (touched_count) {
		u32 k = touched[--touched_count];

		dirty[k] = false;
		committed[k] = now[k];
		if (!now[k].present)
			sections_gone(k);
	}
}

static struct batch *prepare(void);

/* The same, while others want some too. */
static void fill_and_add(struct kreg_prealloc *f)
{
	struct batch **slot = &prepared[rnd(PREPARED)];
	static bool nested;

	memory_bring(f);
	if (!nested && !*slot && !rnd(4)) {
		nested = true;
		*slot = prepare();
		nested = false;
	}
	kreg_store_add_prealloc(&store, f);
	verify();
}

void model_fill(struct kreg_prealloc *f)
{
	fill_and_add(f);
}

static void begin_step(struct step *st)
{
	struct kreg_change *c = &st->change;
	u32 len;

	memset(c, 0, sizeof(*c));
	st->value = NULL;
	st->skip = false;
	st->k = rnd(mode->keys);
	c->key = key_of(st->k, st->key);
	c->kind = rnd(100) < (draining ? 80 : 25) ? KREG_CHANGE_DELETE : KREG_CHANGE_PUT;
	if (mode->clear && !rnd(mode->clear)) {
		c->kind = KREG_CHANGE_CLEAR;
		c->root = kreg_root_alloc(KREG_GFP_USER);
	}
	if (c->kind != KREG_CHANGE_PUT)
		return;
	st->seed = ++seeds;
	c->bound = mode->bound && !rnd(mode->bound);
	st->hold = c->bound && rnd(4);
	expiry_choose(c, &st->expiry);
	len = value_len(st->seed);
	st->value = malloc(len + 1);
	value_make(st->k, st->seed, st->value);
	c->value = st->value;
	c->value_len = len;
	if (!kreg_store_needs_blob(c->key.len, len))
		return;
	shim_fail_in = !rnd(4);
	c->blob = kreg_blob_alloc(len);
	shim_fail_in = 0;
	if (!c->blob)
		c->blob = kreg_blob_alloc(len);
}

static void no_space(struct step *st, int err)
{
	tap_check(err == -ENOSPC && mode->segs);
	kreg_store_cancel(&store, &st->change);
	verify();
	st->skip = true;
}

static void reserve(struct step *st)
{
	struct kreg_prealloc f = {};
	int err;

	if (st->change.kind != KREG_CHANGE_PUT)
		return;
	while ((err = kreg_store_reserve(&store, &st->change, &f)) == -EAGAIN)
		fill_and_add(&f);
	verify();
	if (err) {
		no_space(st, err);
		kreg_prealloc_free(&f);
		return;
	}
	memcpy(kreg_change_key(&st->change), st->key, st->change.key.len);
	memcpy(kreg_change_value(&st->change), st->value, st->change.value_len);
	kreg_change_finish(&st->change);
	kreg_prealloc_free(&f);
}

static struct batch *prepare(void)
{
	struct batch *b = malloc(sizeof(*b));
	u32 i;

	b->count = rnd(3) ? 1 : 1 + rnd(STEPS);
	b->reserved = rnd(2);
	for (i = 0; i < b->count; i++) {
		begin_step(&b->steps[i]);
		if (b->reserved)
			reserve(&b->steps[i]);
		else if (b->steps[i].change.kind == KREG_CHANGE_PUT && b->steps[i].change.blob)
			memcpy(kreg_blob_bytes(b->steps[i].change.blob), b->steps[i].value,
			       b->steps[i].change.value_len);
		b->steps[i].edit = b->reserved ? NULL : edit_begin(&b->steps[i].change,
								   b->steps[i].value);
	}
	return b;
}

static void discard(struct batch *b)
{
	u32 i;

	for (i = 0; i < b->count; i++) {
		kreg_store_cancel(&store, &b->steps[i].change);
		verify();
		edit_end(b->steps[i].edit);
		free(b->steps[i].value);
	}
	free(b);
}

static void after(struct kreg_txn *t, const struct step *st)
{
	u32 k = st->k, count = 0;

	switch (st->change.kind) {
	case KREG_CHANGE_PUT:
		tap_check(st->change.count == now[k].present);
		touch(k, true, st->seed, t->version, st->change.holder);
		expiry_note(&now[k], &st->change, &st->expiry);
		holder_took(st->change.holder);
		break;
	case KREG_CHANGE_DELETE:
		tap_check(st->change.count == now[k].present);
		if (now[k].present)
			touch(k, false, 0, 0, NULL);
		break;
	case KREG_CHANGE_CLEAR:
		for (k = 0; k < mode->keys; k++) {
			if (!now[k].present)
				continue;
			touch(k, false, 0, 0, NULL);
			count++;
		}
		tap_check(st->change.count == count);
		break;
	case KREG_CHANGE_EVENT:
		break;
	}
}

static void apply(struct kreg_txn *t, struct step *st)
{
	struct kreg_change *c = &st->change;
	struct kreg_prealloc f = {};
	struct kreg_place place;
	int err;

	if (st->skip)
		return;
	if (!c->timed)
		c->holder = c->bound && st->hold ? holder_pick() : NULL;
	for (;;) {
		find_place(&c->key, &place);
		tap_check(!place.old == !now[st->k].present);
		tap_check(!place.old || place.old->born == now[st->k].version);
		err = edit_make(c, st->k, place.old, st->value, st->seed, &f);
		if (!err)
			err = kreg_store_apply(t, c, &place, &f);
		if (err != -EAGAIN)
			break;
		fill_and_add(&f);
	}
	verify();
	if (err)
		no_space(st, err);
	else
		after(t, st);
	if (f.want_index && rnd(2))
		fill_and_add(&f);
	kreg_prealloc_free(&f);
}

static void meanwhile(void)
{
	if (!rnd(2))
		probe(rnd(mode->keys));
	if (!rnd(4))
		sections_step();
	if (!rnd(64))
		sections_start();
	pinned_meanwhile();
}

static void do_upkeep(u32 budget)
{
	struct kreg_prealloc f = {};

	if (!rnd(8))
		kreg_thin_begin(&store, 100);
	if (rnd(2))
		kreg_store_upkeep(&store, budget, &f);
	else
		kreg_store_upkeep_idle(&store, budget, &f);
	verify();
	if (f.want_index && rnd(4))
		fill_and_add(&f);
	kreg_prealloc_free(&f);
}

static void finish_write(struct kreg_txn *t)
{
	kreg_txn_commit(t);
	verify();
	commit_model();
	meanwhile();
	while (!kreg_txn_unlink(t, 1 + rnd(3))) {
		verify();
		meanwhile();
		kreg_store_begin_hold(&store);
	}
	verify();
}

static void run(struct batch *b)
{
	struct kreg_txn t;
	u32 i;

	kreg_txn_begin(&t, &store);
	for (i = 0; i < b->count; i++) {
		apply(&t, &b->steps[i]);
		meanwhile();
	}
	finish_write(&t);
	discard(b);
	do_upkeep(1 + rnd(8));
}

void model_finish(struct kreg_txn *t)
{
	verify();
	meanwhile();
	finish_write(t);
	do_upkeep(1 + rnd(8));
}

void model_gone(u32 k)
{
	touch(k, false, 0, 0, NULL);
}

/* Too much waits for readers: so does the writer. */
static void throttle(void)
{
	if (!kreg_store_limbo_full(&store))
		return;
	shim_rcu_hold = false;
	sections_finish();
	pinned_finish_walk();
	while (kreg_store_limbo_full(&store))
		do_upkeep(64);
}

void model_churn(u32 op)
{
	struct batch **slot = &prepared[rnd(PREPARED)];

	throttle();
	if (!*slot && !rnd(4)) {
		struct batch *b = prepare();

		if (*slot)
			run(b);
		else
			*slot = b;
	} else if (*slot && !rnd(4)) {
		if (rnd(4))
			run(*slot);
		else
			discard(*slot);
		*slot = NULL;
	} else {
		run(prepare());
	}
	if (mode->bound && !rnd(20))
		holder_remove();
	if (mode->timed)
		expiry_move_clock();
	if (!rnd(8))
		shim_rcu_hold = rnd(2);
	if (!rnd(16))
		shim_run_work();
	meanwhile();
	if (op % (mode->keys * 3) == 0)
		draining = rnd(2);
	if (mode->verify_every && op % mode->verify_every == 0)
		tap_check(kreg_store_verify(&store));
}

void model_let_go(void)
{
	u32 i;

	shim_rcu_hold = false;
	for (i = 0; i < PREPARED; i++)
		if (prepared[i])
			discard(prepared[i]);
	memset(prepared, 0, sizeof(prepared));
	sections_finish();
	pinned_finish();
	for (i = 0; i < 64; i++)
		probe_keep(NULL, 0, 0);
}

/* Nobody reads, nothing is reserved: all memory but a little comes back. */
void model_drain(void)
{
	struct kreg_stat st;
	u32 k;

	model_let_go();
	for (k = 0; k < mode->keys; k++)
		probe(k);
	expiry_check_all_gone();
	model_let_go();
	for (k = 0; k < mode->keys; k++) {
		struct step st = { .k = k, .change.kind = KREG_CHANGE_DELETE };
		struct kreg_txn t;

		st.change.key = key_of(k, st.key);
		kreg_txn_begin(&t, &store);
		apply(&t, &st);
		kreg_txn_commit(&t);
		commit_model();
		tap_check(kreg_txn_unlink(&t, 2));
		do_upkeep(1);
	}
	if (mode->bound)
		holders_retire();
	memory_drain();
	tap_check(!holders_allocated());
	tap_check(kreg_store_verify(&store));
	kreg_store_stat(&store, &st);
	tap_check(!st.objects && !st.bytes && !st.limbo);
	/* An empty list has no marks. */
	tap_check(!kreg_store_root(&store)->order.cuts);
	tap_check(list_empty(&store.orphans));
	/* A page a class, one of the index, directories as they were. */
	tap_check(st.memory - kreg_array_memory(&store.chunks) -
		  kreg_extra_memory(store.extra) <
		  (KREG_CLASSES + 2) * (PAGE_SIZE + 256));
}

void model_start(void)
{
	now = calloc(mode->keys, sizeof(*now));
	committed = calloc(mode->keys, sizeof(*now));
	touched = calloc(mode->keys, sizeof(*touched));
	dirty = calloc(mode->keys, sizeof(*dirty));
}

void model_end(void)
{
	free(now);
	free(committed);
	free(touched);
	free(dirty);
}
