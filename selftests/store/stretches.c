// SPDX-License-Identifier: GPL-2.0
/* Buckets of ordered lists, where keys are chosen so that they might become long. */
#include "model.h"
#include "store/order_find.h"

#define MOST		4096
#define LONGEST		512

static struct kreg_change changes[MOST];

struct shape {
	u32 count;
	u32 len;			/* bytes of a key; all but the last two are the same */
	bool one_key;
	bool down;			/* the last one is put first */
};

static struct kreg_key shape_key(const struct shape *sh, u32 i, u8 *bytes)
{
	u32 k = sh->one_key ? 0 : sh->down ? sh->count - i : i;

	memset(bytes, 'a', sh->len);
	bytes[sh->len - 2] = k >> 8;
	bytes[sh->len - 1] = k;
	return (struct kreg_key){ .bytes = bytes, .len = sh->len };
}

/* The records of the longest bucket. */
static u32 longest_bucket(void)
{
	u32 link = kreg_store_root(&store)->front->heads[0], n = 0, most = 0;

	while (link) {
		const struct kreg_rec *r = kreg_arena_rec(&store, link);

		n = kreg_order_is_mark(r) ? 0 : n + 1;
		most = max(most, n);
		link = r->link;
	}
	return most;
}

static void reserve_all(const struct shape *sh)
{
	struct kreg_prealloc f = {};
	u8 bytes[LONGEST];
	u32 i;

	for (i = 0; i < sh->count; i++) {
		struct kreg_change *c = &changes[i];
		int err;

		kreg_change_init(c);
		c->kind = KREG_CHANGE_PUT;
		c->value_len = 0;
		c->key = shape_key(sh, i, bytes);
		while ((err = kreg_store_reserve(&store, c, &f)))
			case_fill(&f);
		memcpy(kreg_change_key(c), bytes, sh->len);
		c->key.bytes = kreg_change_key(c);
		kreg_change_finish(c);
	}
	kreg_prealloc_free(&f);
}

/* All in one write, for which all is set aside before. */
static void put_batch(const struct shape *sh)
{
	struct kreg_prealloc f = {};
	struct kreg_place place;
	struct kreg_txn t;
	u32 i;

	reserve_all(sh);
	kreg_txn_begin(&t, &store);
	for (i = 0; i < sh->count; i++) {
		kreg_store_begin_hold(&store);
		find_place(&changes[i].key, &place);
		tap_check(!kreg_store_apply(&t, &changes[i], &place, &f));
	}
	kreg_txn_commit(&t);
	tap_check(kreg_txn_unlink(&t, sh->count) && !kreg_prealloc_wanted(&f));
	tap_check(kreg_store_verify(&store));
}

/* Links that a hold has to pay for on the way to any of them: none. */
static void find_all(const struct shape *sh)
{
	struct kreg_place place;
	u8 bytes[LONGEST];
	u32 i;

	for (i = 0; i < sh->count; i++) {
		struct kreg_key key = shape_key(sh, i, bytes);

		kreg_store_begin_hold(&store);
		tap_check(kreg_store_find(&store, &key, &place) && !place.old == store.runs);
		tap_check(kreg_store_links_left(&store) == KREG_HOLD_LINKS);
	}
}

static void batch_case(const struct mode *m, const struct shape *sh)
{
	case_begin(m);
	put_batch(sh);
	memory_drain();
	tap_check(kreg_store_verify(&store) && !kreg_store_is_crowded(&store));
	tap_check(longest_bucket() < KREG_ORDER_FAR);
	find_all(sh);
	/* A clear leaves nothing to be looked at. */
	put_batch(sh);
	case_clear();
	tap_check(!kreg_store_root(&store)->order.noted && kreg_store_verify(&store));
	put_batch(sh);
	memory_drain();
	tap_check(longest_bucket() < KREG_ORDER_FAR);
	case_end();
}

/* One at a time, each with a little upkeep, and with what it lacks. */
static void single_case(const struct mode *m, const struct shape *sh)
{
	struct kreg_prealloc f = {};
	u8 bytes[LONGEST];
	u32 i;

	case_begin(m);
	for (i = 0; i < sh->count; i++) {
		struct kreg_change c = {
			.kind = KREG_CHANGE_PUT,
			.value = "",
			.key = shape_key(sh, i, bytes),
		};

		case_apply(&c);
		kreg_store_upkeep(&store, 2, &f);
		case_fill(&f);
		tap_check(longest_bucket() < KREG_ORDER_FAR + 4);
	}
	kreg_prealloc_free(&f);
	tap_check(kreg_store_verify(&store));
	find_all(sh);
	case_end();
}

/* Versions of two keys, all of which a pin keeps: between these there is one place to cut. */
static void pinned_case(const struct mode *m)
{
	static const struct shape sh = { .count = 1, .len = 300, .one_key = true };
	struct kreg_prealloc f = {};
	static struct kreg_pin pins[40];
	u8 bytes[LONGEST];
	u32 i;

	case_begin(m);
	while (kreg_store_want_pins(&store, &f))
		case_fill(&f);
	for (i = 0; i < ARRAY_SIZE(pins); i++) {
		struct kreg_change c = { .kind = KREG_CHANGE_PUT, .value = "" };

		c.key = shape_key(&sh, 0, bytes);
		case_apply(&c);
		if (i % 2) {
			bytes[sh.len - 1] = 1;
			case_apply(&c);
		}
		pins[i].allowed = ~0ull;
		kreg_pin_set(&store, &pins[i]);
		tap_check(kreg_store_verify(&store));
		memory_drain();
		tap_check(kreg_store_verify(&store) && !kreg_store_is_crowded(&store));
	}
	tap_check(longest_bucket() == ARRAY_SIZE(pins) &&
		  kreg_store_root(&store)->order.cuts == 1);
	for (i = 0; i < ARRAY_SIZE(pins); i++)
		kreg_pin_end(&store, &pins[i]);
	memory_drain();
	tap_check(kreg_store_verify(&store) && longest_bucket() <= 2);
	kreg_prealloc_free(&f);
	case_end();
}

void stretches_run(void)
{
	static const struct mode set = { .name = "stretches", .hash_mask = ~0u, .ordered = true };
	static const struct mode bag = { .name = "stretches", .hash_mask = ~0u, .runs = true };
	static const struct shape prefix = { .count = MOST, .len = 304 };
	static const struct shape prefix_down = { .count = MOST, .len = 304, .down = true };
	static const struct shape bytes = { .count = MOST, .len = 4, .down = true };
	static const struct shape run = { .count = 102, .len = 500, .one_key = true };

	batch_case(&set, &prefix);
	batch_case(&set, &prefix_down);
	batch_case(&set, &bytes);
	batch_case(&bag, &run);
	single_case(&set, &prefix_down);
	single_case(&set, &bytes);
	pinned_case(&set);
}
