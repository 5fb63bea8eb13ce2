// SPDX-License-Identifier: GPL-2.0
/* Cases that chance would take long to find. */
#include "model.h"

void case_fill(struct kreg_prealloc *f)
{
	tap_check(!kreg_prealloc_fill(f, &store));
	kreg_store_add_prealloc(&store, f);
}

void case_begin(const struct mode *m)
{
	mode = m;
	spin_unlock(&turn);
	tap_check(!kreg_store_init(&store, &turn, m->runs ? KREG_STORE_RUNS :
				   m->ordered ? KREG_STORE_ORDERED : KREG_STORE_HASHED));
	spin_lock(&turn);
}

void case_end(void)
{
	spin_unlock(&turn);
	kreg_store_exit(&store);
	spin_lock(&turn);
	tap_check(!shim_allocated);
}

/* As a write of its own, with all that it wants. */
void case_apply(struct kreg_change *c)
{
	struct kreg_prealloc f = {};
	struct kreg_place place;
	struct kreg_txn t;

	kreg_txn_begin(&t, &store);
	do {
		case_fill(&f);
		find_place(&c->key, &place);
	} while (kreg_store_apply(&t, c, &place, &f));
	kreg_txn_commit(&t);
	kreg_txn_unlink(&t, 1);
	kreg_prealloc_free(&f);
}

void case_clear(void)
{
	struct kreg_change c = {
		.kind = KREG_CHANGE_CLEAR,
		.root = kreg_root_alloc(KREG_GFP_USER),
	};

	case_apply(&c);
}

static void do_upkeep(unsigned int budget)
{
	struct kreg_prealloc f = {};

	kreg_store_upkeep(&store, budget, &f);
	case_fill(&f);
	kreg_prealloc_free(&f);
}

/* Bring the store to the keys below @n, each with an empty value. */
static void keys_to(u32 n)
{
	struct kreg_prealloc f = {};
	u8 bytes[KEY_ROOM];

	while (store.objects != n) {
		struct kreg_change c = { .kind = KREG_CHANGE_PUT, .value = bytes };
		u32 k = store.objects;

		if (store.objects > n) {
			c.kind = KREG_CHANGE_DELETE;
			k--;
		}
		c.key = key_of(k, bytes);
		case_apply(&c);
		do_upkeep(1);
	}
	while (kreg_store_upkeep(&store, 64, &f))
		;
	kreg_prealloc_free(&f);
	tap_check(kreg_store_verify(&store));
}

static void stale_lookups(const struct kreg_reader *v)
{
	u8 bytes[KEY_ROOM];
	u32 k;

	for (k = 0; k < mode->keys; k++) {
		struct kreg_key key = key_of(k, bytes);

		kreg_lookup(v, &key, v->version, true);
	}
}

/* Index pages stay for readers whose n is of a time when they had buckets. */
void stale_run(void)
{
	static const struct mode stale = CASE_MODE("stale", 4000);
	struct kreg_reader a, b;

	case_begin(&stale);
	keys_to(4000);
	shim_enter(1);
	kreg_reader_enter(&a, &store);
	tap_check(a.n > 3 * KREG_PAGE_HEADS);
	keys_to(20);
	stale_lookups(&a);
	/* Grow into a page that waits for the first reader, with another there. */
	keys_to(2500);
	shim_enter(2);
	kreg_reader_enter(&b, &store);
	tap_check(b.n > 2 * KREG_PAGE_HEADS);
	keys_to(20);
	stale_lookups(&a);
	shim_leave(1);
	keys_to(20);
	stale_lookups(&b);
	shim_leave(2);
	keys_to(0);
	tap_check(!kreg_store_root(&store)->dir.used);
	case_end();
}

/* The index of a store brought to @n keys: so many pages, so many spans of them. */
static void spans_check(u32 n, u32 pages, u32 spans)
{
	const struct kreg_root *root = kreg_store_root(&store);
	struct kreg_prealloc f = {};

	keys_to(n);
	while (kreg_store_upkeep(&store, 64, &f) || kreg_store_has_limbo(&store))
		;
	kreg_prealloc_free(&f);
	tap_check(kreg_store_verify(&store));
	tap_check(root->dir.used == pages && root->spans == spans);
}

/* A span is brought when another writer, who got none, has brought a page already. */
static void spans_late(void)
{
	struct kreg_prealloc one = {}, other = {};

	kreg_store_want_prealloc(&store, &one);
	tap_check(one.index_order == KREG_SPAN_ORDER);
	tap_check(!kreg_prealloc_fill(&one, &store));
	shim_order = 0;
	kreg_store_want_prealloc(&store, &other);
	case_fill(&other);
	shim_order = ~0u;
	kreg_store_want_prealloc(&store, &one);
	kreg_store_add_prealloc(&store, &one);
	tap_check(!store.spare || !store.spare_order);
	kreg_prealloc_free(&one);
	kreg_prealloc_free(&other);
}

/* Index pages come and go in spans, and singly where memory is too fragmented. */
void spans_run(void)
{
	static const struct mode spans = CASE_MODE("spans", 32000);

	case_begin(&spans);
	spans_check(7000, 8, 0);
	spans_check(9000, 24, 1);
	shim_order = 0;
	spans_check(26000, 26, 1);
	shim_order = ~0u;
	spans_check(30000, 30, 1);
	spans_check(6000, 24, 1);
	spans_check(32000, 40, 2);
	spans_check(0, 0, 0);
	tap_check(store.spare && !store.spare_order);
	spans_check(22600, 24, 1);
	tap_check(store.spare && store.spare_order);
	case_clear();
	tap_check(!store.spare);
	spans_check(22600, 24, 1);
	kreg_index_trim(&store);
	spans_late();
	spans_check(0, 0, 0);
	case_end();
}

/* Put a record of @size bytes; returns its slot. */
static u32 put_sized(u32 k, u32 size)
{
	struct kreg_change c = { .kind = KREG_CHANGE_PUT };
	u8 bytes[KEY_ROOM], value[1000];
	struct kreg_place place;

	memset(value, 0xff, sizeof(value));
	c.key = key_of(k, bytes);
	c.value = value;
	c.value_len = size - sizeof(struct kreg_rec) - c.key.len;
	case_apply(&c);
	tap_check(kreg_store_verify(&store));
	find_place(&c.key, &place);
	return place.old_ref;
}

/* A slot goes from limbo to a record of its class, but not before its time. */
void recycled_run(void)
{
	static const struct mode recycled = CASE_MODE("recycled", 3);
	u32 slots[3], k;

	case_begin(&recycled);
	for (k = 0; k < 3; k++)
		slots[k] = put_sized(k, 96);
	do_upkeep(64);
	shim_enter(1);
	for (k = 0; k < 3; k++)
		put_sized(k, 96);
	do_upkeep(1);
	put_sized(0, 96);
	tap_check(!store.recycled && !store.limbo.ripe);
	shim_leave(1);
	/* The first of all waits alone; then the others, the last one first. */
	do_upkeep(1);
	do_upkeep(1);
	put_sized(1, 600);
	tap_check(!store.recycled && store.limbo.ripe);
	tap_check(put_sized(1, 81) == slots[2] && put_sized(1, 96) == slots[1]);
	tap_check(store.recycled == 2 && !store.limbo.ripe);
	case_end();
}

/* The first chunk of a class is less than a page, if that is enough for a slot; the next is not. */
void small_run(void)
{
	static const struct mode small = CASE_MODE("small", 40);
	const unsigned int page = PAGE_SHIFT - KREG_PIECE_SHIFT;
	const struct kreg_chunk *first, *chunk;
	u32 k = 8;		/* the one before has a long key */
	size_t memory;

	case_begin(&small);
	chunk = kreg_arena_chunk(&store, put_sized(k++, 96));
	first = chunk;
	memory = store.memory;
	tap_check(!first->order);
	while (chunk == first)
		chunk = kreg_arena_chunk(&store, put_sized(k++, 96));
	tap_check(k == 8 + 1024 / 96 + 1 && chunk->order == page);
	tap_check(store.memory == memory + sizeof(*chunk) + PAGE_SIZE);
	chunk = kreg_arena_chunk(&store, put_sized(k++, 640));
	tap_check(chunk->order == 1 && chunk->end << KREG_UNIT_SHIFT == 3 * 640);
	while (chunk->fresh != chunk->end)
		put_sized(k++, 640);
	tap_check(kreg_arena_chunk(&store, put_sized(k, 640))->order == page);
	case_end();
}

/* A store that has no more chunk numbers says so, and goes on when there are. */
void full_run(void)
{
	static const struct mode full = CASE_MODE("full", 4000);
	struct kreg_change c = { .kind = KREG_CHANGE_PUT };
	struct kreg_prealloc f = {};
	u8 bytes[KEY_ROOM], value[2000] = {};
	struct kreg_place place;
	struct kreg_txn t;
	int err;

	case_begin(&full);
	store.chunks.limit = 1;
	c.value = value;
	c.value_len = sizeof(value);
	for (err = 0; !err || err == -EAGAIN;) {
		c.key = key_of(rnd(mode->keys), bytes);
		kreg_txn_begin(&t, &store);
		find_place(&c.key, &place);
		err = kreg_store_apply(&t, &c, &place, &f);
		if (err) {
			kreg_txn_abort(&t);
			case_fill(&f);
			continue;
		}
		kreg_txn_commit(&t);
		kreg_txn_unlink(&t, 1);
	}
	tap_check(err == -ENOSPC && store.objects);
	tap_check(kreg_store_reserve(&store, &c, &f) == -ENOSPC);
	tap_check(kreg_store_verify(&store));
	c.kind = KREG_CHANGE_CLEAR;
	c.root = kreg_root_alloc(KREG_GFP_USER);
	kreg_txn_begin(&t, &store);
	tap_check(!kreg_store_apply(&t, &c, &place, &f));
	kreg_txn_commit(&t);
	kreg_txn_unlink(&t, 1);
	while (kreg_store_upkeep(&store, 8, &f))
		;
	c.kind = KREG_CHANGE_PUT;
	tap_check(kreg_store_reserve(&store, &c, &f) == -EAGAIN);
	case_fill(&f);
	tap_check(!kreg_store_reserve(&store, &c, &f));
	kreg_store_cancel(&store, &c);
	tap_check(kreg_store_verify(&store));
	kreg_prealloc_free(&f);
	case_end();
}

/* Changes of four classes lack a chunk each: three are brought together, then the last. */
void several_run(void)
{
	static const struct mode several = CASE_MODE("several", 4);
	static const u32 lens[] = { 10, 200, 900, 12000 };
	struct kreg_change c[ARRAY_SIZE(lens)] = {};
	struct kreg_prealloc f = {};
	u32 i, n;

	case_begin(&several);
	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		c[i].kind = KREG_CHANGE_PUT;
		c[i].key.len = 4;
		c[i].value_len = lens[i];
	}
	tap_check(kreg_store_reserve(&store, &c[0], &f) == -EAGAIN);
	for (n = 0; n < 2; n++)
		for (i = 1; i < ARRAY_SIZE(lens); i++)
			kreg_store_want_slot(&store, &c[i], &f);
	tap_check(f.must_chunks == KREG_PREALLOC_CLASSES);
	/* The chunk itself, and its pages, three times. */
	shim_fail_in = 6;
	tap_check(kreg_prealloc_fill(&f, &store) == -ENOMEM);
	case_fill(&f);
	for (i = 0; i < KREG_PREALLOC_CLASSES; i++)
		tap_check(!kreg_store_reserve(&store, &c[i], &f));
	tap_check(kreg_store_reserve(&store, &c[i], &f) == -EAGAIN && f.must_chunks == 1);
	case_fill(&f);
	tap_check(!kreg_store_reserve(&store, &c[i], &f));
	for (i = 0; i < ARRAY_SIZE(lens); i++)
		kreg_store_cancel(&store, &c[i]);
	tap_check(kreg_store_verify(&store));
	kreg_prealloc_free(&f);
	case_end();
}

static void put_crowd(u32 from, u32 to)
{
	while (from != to) {
		struct kreg_change c = { .kind = KREG_CHANGE_PUT, .value = "", .key = crowd[from] };

		case_apply(&c);
		from += from < to ? 1 : -1;
	}
}

/* Upkeep with all that it wants, until it has nothing to do. */
static void settle(void)
{
	struct kreg_prealloc f = {};
	bool more;

	do {
		kreg_store_begin_hold(&store);
		more = kreg_store_upkeep(&store, 64, &f) || kreg_prealloc_wanted(&f);
		case_fill(&f);
	} while (more || kreg_store_has_limbo(&store));
	kreg_prealloc_free(&f);
	tap_check(kreg_store_verify(&store) && !kreg_store_is_crowded(&store));
}

/* Links beyond the first few on the way to the crowd's key @i. */
static u32 links_to(u32 i)
{
	struct kreg_place place;
	struct kreg_hit hit;

	kreg_store_begin_hold(&store);
	find_place(&crowd[i], &place);
	rcu_read_lock();
	tap_check(place.old && !kreg_store_get(&store, &crowd[i], &hit));
	rcu_read_unlock();
	return KREG_HOLD_LINKS - store.links;
}

static void short_walks(u32 from, u32 to)
{
	for (; from < to; from++)
		tap_check(links_to(from) <= 2 * KREG_STRETCH);
	settle();
}

/* A hold of the turn ends before a walk over one long bucket does, and marks make it short. */
void crowded_run(void)
{
	static const struct mode crowded = CASE_MODE("crowded", CROWD);
	struct kreg_place place;
	bool found;
	u32 i;

	case_begin(&crowded);
	crowd_make();
	/* Each goes before the others, so no walk is long. */
	put_crowd(2000, 0);
	tap_check(kreg_store_is_crowded(&store) && store.objects == 2000);
	kreg_store_begin_hold(&store);
	found = kreg_store_find(&store, &crowd[2000], &place);
	for (i = 1; !found; i++) {
		tap_check(!store.links);
		kreg_store_begin_hold(&store);
		found = kreg_store_find_on(&store, &crowd[2000], &place);
	}
	tap_check(place.old && i == 1 + (2000 - KREG_STRETCH) / KREG_HOLD_LINKS);
	tap_check(store.most_links == KREG_HOLD_LINKS);
	settle();
	tap_check(store.crowd.marks > 2000 / KREG_MARK_EVERY - 30 &&
		  store.crowd.marks < 2000 / KREG_MARK_EVERY + 30);
	short_walks(1, 2001);
	/* Within one stretch of those that there are. */
	for (i = 0; i < 500; i++)
		put_crowd(i % 2 ? 2001 + i / 2 : 2499 - i / 2, i % 2 ? 2002 + i / 2 : 2498 - i / 2);
	settle();
	short_walks(1, 2499);
	for (i = 11; i < CROWD; i++) {
		struct kreg_change c = { .kind = KREG_CHANGE_DELETE, .key = crowd[i] };

		case_apply(&c);
		if (i % 100 == 0)
			settle();
	}
	settle();
	tap_check(store.objects == 10 && !store.crowd.marks && !store.crowd.nodes);
	put_crowd(2000, 10);
	case_clear();
	tap_check(!kreg_store_is_crowded(&store));
	settle();
	shim_hash_mask = ~0u;
	case_end();
}
