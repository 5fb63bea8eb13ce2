// SPDX-License-Identifier: GPL-2.0
/* Where memory has single pages alone, the numbers of chunks do not come to an end before it. */
#include "model.h"

#define PAGES_EACH	6	/* some of these for each number */

static void supply(struct kreg_prealloc *f)
{
	tap_check(!kreg_prealloc_fill(f, &store));
	kreg_store_add_prealloc(&store, f);
}

static int write_one(u32 k, enum kreg_change_kind kind, struct kreg_prealloc *f)
{
	static const u8 value[40];
	struct kreg_change c = { .kind = kind, .value = value, .value_len = sizeof(value) };
	struct kreg_place place;
	u8 bytes[KEY_ROOM];
	struct kreg_txn t;
	int err;

	c.key = key_of(k, bytes);
	kreg_txn_begin(&t, &store);
	do {
		find_place(&c.key, &place);
		err = kreg_store_apply(&t, &c, &place, f);
		if (err == -EAGAIN)
			supply(f);
	} while (err == -EAGAIN);
	if (err) {
		kreg_txn_abort(&t);
		return err;
	}
	kreg_txn_commit(&t);
	kreg_txn_unlink(&t, 1);
	return 0;
}

void numbers_run(void)
{
	static const struct mode numbers = CASE_MODE("numbers", 100000);
	u32 n, most, objects;
	struct kreg_prealloc f = {};

	mode = &numbers;
	spin_unlock(&turn);
	tap_check(!kreg_store_init(&store, &turn, KREG_STORE_HASHED));
	spin_lock(&turn);
	store.chunks.limit = 5;
	shim_order = 0;
	most = kreg_array_seg_entries(store.chunks.limit) / 2;
	objects = most * PAGES_EACH * (PAGE_SIZE / 128);
	for (n = 0; n < objects; n++)
		tap_check(!write_one(n, KREG_CHANGE_PUT, &f));
	tap_check(store.memory > (u64)most * PAGE_SIZE * 2);
	tap_check(kreg_store_verify(&store));
	for (n = 0; n < objects; n++)
		tap_check(!write_one(n, KREG_CHANGE_DELETE, &f));
	memory_drain();
	tap_check(kreg_store_verify(&store));
	kreg_prealloc_free(&f);
	shim_order = ~0u;
	spin_unlock(&turn);
	kreg_store_exit(&store);
	spin_lock(&turn);
	tap_check(!shim_allocated);
}
