// SPDX-License-Identifier: GPL-2.0
#include "model.h"

static void fed(struct kreg_feed *f)
{
	tap_check(!kreg_feed_fill(f, &store));
	kreg_store_feed(&store, f);
}

/* A store that has no more chunk numbers says so, and goes on when there are. */
void full_run(void)
{
	static const struct mode full = { "full", 4000, ~0u, 0, 1, 0, 0 };
	struct kreg_change c = { .kind = KREG_CHANGE_PUT };
	struct kreg_feed f = {};
	u8 bytes[KEY_ROOM], value[2000] = {};
	struct kreg_place place;
	struct kreg_txn t;
	int err;

	mode = &full;
	spin_unlock(&turn);
	tap_check(!kreg_store_init(&store, &turn));
	spin_lock(&turn);
	store.chunks.limit = 1;
	c.value = value;
	c.value_len = sizeof(value);
	for (err = 0; !err || err == -EAGAIN;) {
		c.key = key_of(rnd(mode->keys), bytes);
		kreg_txn_begin(&t, &store);
		kreg_store_find(&store, &c.key, &place);
		err = kreg_store_apply(&t, &c, &place, &f);
		if (err) {
			kreg_txn_abort(&t);
			fed(&f);
			continue;
		}
		kreg_txn_commit(&t);
		kreg_txn_settle(&t, 1);
	}
	tap_check(err == -ENOSPC && store.objects > 3);
	tap_check(kreg_store_reserve(&store, &c, &f) == -ENOSPC);
	tap_check(kreg_store_verify(&store));
	c.kind = KREG_CHANGE_CLEAR;
	c.root = kreg_root_alloc();
	kreg_txn_begin(&t, &store);
	tap_check(!kreg_store_apply(&t, &c, &place, &f));
	kreg_txn_commit(&t);
	kreg_txn_settle(&t, 1);
	while (kreg_store_tend(&store, 8, &f))
		;
	c.kind = KREG_CHANGE_PUT;
	tap_check(kreg_store_reserve(&store, &c, &f) == -EAGAIN);
	fed(&f);
	tap_check(!kreg_store_reserve(&store, &c, &f));
	kreg_store_cancel(&store, &c);
	tap_check(kreg_store_verify(&store));
	kreg_feed_free(&f);
	spin_unlock(&turn);
	kreg_store_exit(&store);
	spin_lock(&turn);
	tap_check(!shim_allocated);
}
