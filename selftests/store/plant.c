// SPDX-License-Identifier: GPL-2.0
/*
 * Mistakes made on purpose, to see that they are noticed:
 *
 *	read	a reader without a section follows a link into a slot that is free
 *	write	somebody writes into a slot that is free, which is then reused
 *	twice	a slot is in limbo and in the list at the same time
 */
#include "model.h"

#define KEYS	3

static const struct mode planted = {
	.name = "planted", .keys = KEYS, .hash_mask = ~0u, .verify_every = 1,
};

static void change(u32 k, enum kreg_change_kind kind)
{
	u8 bytes[KEY_ROOM];
	struct kreg_change c = { .kind = kind, .value = "value", .value_len = 5 };
	struct kreg_prealloc f = {};
	struct kreg_place place;
	struct kreg_txn t;

	c.key = key_of(k, bytes);
	kreg_txn_begin(&t, &store);
	for (;;) {
		find_place(&c.key, &place);
		if (!kreg_store_apply(&t, &c, &place, &f))
			break;
		tap_check(!kreg_prealloc_fill(&f, &store));
		kreg_store_add_prealloc(&store, &f);
	}
	kreg_txn_commit(&t);
	kreg_txn_unlink(&t, 1);
	kreg_prealloc_free(&f);
}

static void reclaim(void)
{
	struct kreg_prealloc f = {};

	while (kreg_store_upkeep(&store, 64, &f))
		;
	tap_check(!kreg_store_has_limbo(&store));
	kreg_prealloc_free(&f);
}

/* False if there is no such mistake. */
bool plant_run(const char *what)
{
	struct kreg_place place;
	struct kreg_reader reader;
	struct kreg_key key;
	u8 bytes[KEY_ROOM];
	u32 k;

	mode = &planted;
	tap_check(!kreg_store_init(&store, &turn, KREG_STORE_HASHED));
	spin_lock(&turn);
	for (k = 0; k < KEYS; k++)
		change(k, KREG_CHANGE_PUT);
	key = key_of(1, bytes);
	find_place(&key, &place);
	tap_check(place.old);
	if (!strcmp(what, "read")) {
		kreg_reader_enter(&reader, &store);
		k = *place.link;
		change(1, KREG_CHANGE_DELETE);
		reclaim();
		tap_check(!kreg_lookup(&reader, &key, reader.version, true));
		kreg_reader_rec(&reader, k);
	} else if (!strcmp(what, "write")) {
		change(1, KREG_CHANGE_DELETE);
		reclaim();
		place.old->bytes[0]++;
		change(1, KREG_CHANGE_PUT);
	} else if (!strcmp(what, "twice")) {
		kreg_limbo_add(&store, *place.link, place.old);
		kreg_store_verify(&store);
	} else {
		return false;
	}
	return true;
}
