// SPDX-License-Identifier: GPL-2.0
/* A look-up while the model changes: what must be found is what was committed. */
#include "model.h"

/* Readers that keep a reference to a blob and copy it later. */
void probe_keep(struct kreg_blob *b, u32 k, u32 seed)
{
	static struct {
		struct kreg_blob *blob;
		u32 k, seed, len;
	} kept[4], *p;

	p = &kept[rnd(4)];
	if (p->blob) {
		value_check(p->k, p->seed, kreg_blob_bytes(p->blob), p->len);
		kreg_blob_put(p->blob);
	}
	p->blob = b;
	p->k = k;
	p->seed = seed;
	p->len = value_len(seed);
}

void probe(u32 k)
{
	u8 bytes[KEY_ROOM];
	struct kreg_key key = key_of(k, bytes);
	struct kreg_hit hit;
	int err;

	rcu_read_lock();
	err = kreg_store_get(&store, &key, &hit);
	tap_check(err == (committed[k].present ? 0 : -ENODATA));
	if (err) {
		rcu_read_unlock();
		return;
	}
	tap_check(hit.version == committed[k].version);
	expiry_used(k, &hit);
	expiry_check(&committed[k], &hit, true);
	holder_check(hit.holder);
	if (hit.blob)
		kreg_blob_get(hit.blob);
	else
		value_check(k, committed[k].seed, hit.value, hit.value_len);
	rcu_read_unlock();
	if (!hit.blob)
		return;
	value_check(k, committed[k].seed, kreg_blob_bytes(hit.blob), hit.value_len);
	probe_keep(hit.blob, k, committed[k].seed);
}
