// SPDX-License-Identifier: GPL-2.0
/* What a clear leaves behind, until nobody can come to it. */
#include "model.h"

static void put_blobs(u32 n, u32 len)
{
	u8 bytes[KEY_ROOM];

	while (n--) {
		struct kreg_change c = { .kind = KREG_CHANGE_PUT, .value_len = len };

		c.key = key_of(n, bytes);
		c.blob = kreg_blob_alloc(len);
		case_apply(&c);
	}
}

/* One clear of any size makes nobody wait; more than one, if they are large. */
void cleared_run(void)
{
	static const struct mode cleared = CASE_MODE("cleared", 4000);
	const u32 third = KREG_LIMBO_CLEARED / 3;
	struct kreg_prealloc f = {};
	int i;

	case_begin(&cleared);
	shim_enter(1);
	put_blobs(4, third);
	case_clear();
	tap_check(!kreg_store_limbo_full(&store));
	for (i = 0; i < 3; i++)
		case_clear();
	put_blobs(1, 2 * KREG_SLOT_MAX);
	tap_check(store.cleared_count == 1 && !kreg_store_limbo_full(&store));
	case_clear();
	tap_check(kreg_store_limbo_full(&store));
	shim_leave(1);
	while (kreg_store_upkeep(&store, 8, &f))
		;
	tap_check(!store.cleared_bytes && !kreg_store_limbo_full(&store));
	kreg_prealloc_free(&f);
	case_end();
}

static void reserve_put(struct kreg_change *c, u32 k, u8 *bytes)
{
	struct kreg_prealloc f = {};

	*c = (struct kreg_change){ .kind = KREG_CHANGE_PUT, .value = bytes };
	c->key = key_of(k, bytes);
	while (kreg_store_reserve(&store, c, &f))
		case_fill(&f);
	memcpy(kreg_change_key(c), bytes, c->key.len);
	kreg_change_finish(c);
	kreg_prealloc_free(&f);
}

static void delete_key(u32 k)
{
	u8 bytes[KEY_ROOM];
	struct kreg_change c = { .kind = KREG_CHANGE_DELETE };

	c.key = key_of(k, bytes);
	case_apply(&c);
}

/*
 * Three slots of a chunk are set aside, and two of them linked behind a clear each. The chunk
 * stays for a pin between these, though the root before it goes, and nothing of the youngest root
 * is in it.
 */
void between_run(void)
{
	static const struct mode between = CASE_MODE("between", 4);
	struct kreg_pin pin = { .allowed = ~0ULL };
	struct kreg_prealloc f = {};
	struct kreg_change c[3];
	u8 bytes[3][KEY_ROOM];
	struct kreg_hit hit;
	u32 i;

	case_begin(&between);
	for (i = 0; i < 3; i++)
		reserve_put(&c[i], i, bytes[i]);
	case_apply(&c[2]);
	case_clear();
	case_apply(&c[0]);
	while (kreg_store_want_pins(&store, &f))
		case_fill(&f);
	kreg_pin_set(&store, &pin);
	case_clear();
	case_apply(&c[1]);
	delete_key(1);
	memory_drain();
	rcu_read_lock();
	tap_check(kreg_pin_enter(&pin) && !kreg_store_get_at(&store, &pin, &c[0].key, &hit));
	rcu_read_unlock();
	kreg_pin_end(&store, &pin);
	memory_drain();
	tap_check(kreg_store_verify(&store) && !kreg_pin_count(&store));
	kreg_prealloc_free(&f);
	case_end();
}
