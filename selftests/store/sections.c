// SPDX-License-Identifier: GPL-2.0
/*
 * Readers caught in the middle: each has entered its section, loaded C, root and
 * n, begun a walk and holds a record, and goes on with all of them however much
 * the store changes meanwhile.
 */
#include "model.h"

static struct section {
	bool open, walking;
	bool back;			/* it walks backwards */
	u32 last;			/* key that it came to last; keys: none */
	struct kreg_reader reader;
	struct object *then;		/* as committed when it entered */
	bool *gone;			/* was absent at some time since */
	bool *seen;			/* by the walk */
	struct kreg_walk walk;
	u32 after;			/* where the walk began; keys: at the start */
	u8 bytes[KEY_ROOM];		/* that key */
	struct kreg_hit hit;
	u32 held;			/* key of @hit; keys: none */
	u32 held_seed;
} sections[SECTIONS];

static bool behind(u32 k, u32 after)
{
	u8 a[KEY_ROOM], b[KEY_ROOM];
	struct kreg_key x, y;

	if (after == mode->keys)
		return true;
	x = key_of(after, a);
	y = key_of(k, b);
	if (mode->ordered)
		return kreg_order_compare(a, x.len, b, y.len) < 0;
	if (x.hash != y.hash)
		return kreg_read_before(x.hash, y.hash);
	return x.len != y.len ? x.len < y.len : kreg_read_compare(a, b, x.len) < 0;
}

static void hold(struct section *p)
{
	u32 k = rnd(mode->keys);
	u8 bytes[KEY_ROOM];
	struct kreg_key key = key_of(k, bytes);

	p->held = mode->keys;
	if (!committed[k].present)
		return;
	tap_check(!kreg_store_get(&store, &key, &p->hit));
	expiry_used(k, &p->hit);
	if (p->hit.blob)
		kreg_blob_get(p->hit.blob);
	p->held = k;
	p->held_seed = committed[k].seed;
}

static void check_held(struct section *p)
{
	const u8 *value = p->hit.value;

	if (p->held == mode->keys)
		return;
	if (p->hit.blob)
		value = kreg_blob_bytes(p->hit.blob);
	tap_check(key_number(p->hit.key) == p->held);
	value_check(p->held, p->held_seed, value, p->hit.value_len);
}

static void start(struct section *p)
{
	u32 section = p - sections + 1;
	u8 bytes[KEY_ROOM];
	struct kreg_key key = {};

	shim_enter(section);
	p->open = true;
	p->walking = true;
	p->then = malloc(mode->keys * sizeof(*p->then));
	memcpy(p->then, committed, mode->keys * sizeof(*p->then));
	p->gone = calloc(mode->keys, 1);
	p->seen = calloc(mode->keys, 1);
	kreg_reader_enter(&p->reader, &store);
	p->after = rnd(3) ? mode->keys : rnd(mode->keys);
	if (p->after < mode->keys)
		key = key_of(p->after, bytes);
	p->back = mode->ordered && rnd(2);
	p->last = mode->keys;
	memcpy(p->bytes, bytes, sizeof(bytes));
	key.bytes = p->bytes;
	kreg_walk_init(&p->walk, &store, NULL);
	if (p->back)
		kreg_walk_seek_back(&p->walk, p->after < mode->keys ? &key : NULL, false);
	else
		kreg_walk_start(&p->walk, &store, p->after < mode->keys ? &key : NULL);
	hold(p);
}

/* A lookup that loaded C, root and n long ago. */
static void late_lookup(struct section *p)
{
	u32 k = rnd(mode->keys);
	u8 bytes[KEY_ROOM];
	struct kreg_key key = key_of(k, bytes);
	u64 c = p->reader.version;
	const struct kreg_rec *r = mode->ordered ? kreg_order_lookup(&p->reader, &key, c) :
						   kreg_lookup(&p->reader, &key, c, true);

	if (r > KREG_LOOKUP_MARKED) {
		tap_check(p->then[k].present);
		tap_check(r->born == p->then[k].version);
	} else if (p->then[k].present) {
		tap_check(store.version != p->reader.version);
		tap_check(r == KREG_LOOKUP_NEWER || p->gone[k]);
	}
}

/* The same by kreg_reader_get(), which goes on with a newer version if it has to. */
static void late_get(struct section *p)
{
	u32 k = rnd(mode->keys);
	u8 bytes[KEY_ROOM];
	struct kreg_key key = key_of(k, bytes);
	struct kreg_reader reader = p->reader;
	struct kreg_hit hit;
	int err = kreg_reader_get(&reader, &key, &hit, mode->ordered);
	const struct object *o = reader.version == p->reader.version ? p->then : committed;

	if (err)
		tap_check(err == -ENODATA && (!o[k].present || (o == p->then && p->gone[k])));
	else
		tap_check(o[k].present && hit.version == o[k].version);
	if (err)
		return;
	expiry_check(&o[k], &hit, false);
	expiry_used(k, &hit);
	holder_check(hit.holder);
}

/* Whether the walk is to come to key @k, and, with @last, in the right order. */
static bool on_the_way(const struct section *p, u32 k, u32 last)
{
	bool from = p->after == mode->keys ||
		    (p->back ? k != p->after && !behind(k, p->after) : behind(k, p->after));

	if (!from || last == mode->keys || !mode->ordered)
		return from;
	return p->back ? behind(last, k) : behind(k, last);
}

static void walk_on(struct section *p)
{
	struct kreg_hit hit;
	u32 k;

	if (p->back ? kreg_walk_prev(&p->walk, &hit) : kreg_walk_next(&p->walk, &hit)) {
		k = key_number(hit.key);
		tap_check(k < mode->keys && !p->seen[k] && on_the_way(p, k, p->last));
		p->last = k;
		tap_check(hit.version > p->reader.version ||
			  (p->then[k].present && p->then[k].version == hit.version));
		value_check_any(k, hit.blob ? kreg_blob_bytes(hit.blob) : hit.value,
				hit.value_len);
		holder_check(hit.holder);
		p->seen[k] = true;
		return;
	}
	p->walking = false;
	for (k = 0; k < mode->keys; k++)
		tap_check(p->seen[k] || !p->then[k].present || p->gone[k] ||
			  !on_the_way(p, k, mode->keys));
}

static void finish(struct section *p)
{
	while (p->walking)
		walk_on(p);
	check_held(p);
	shim_leave(p - sections + 1);
	if (p->held < mode->keys && p->hit.blob) {
		check_held(p);
		kreg_blob_put(p->hit.blob);
	}
	free(p->then);
	free(p->gone);
	free(p->seen);
	p->open = false;
}

void sections_start(void)
{
	struct section *p = &sections[rnd(SECTIONS)];

	if (!p->open)
		start(p);
}

void sections_step(void)
{
	struct section *p = &sections[rnd(SECTIONS)];
	u32 steps = 1 + rnd(8);

	if (!p->open)
		return;
	while (steps--) {
		late_lookup(p);
		late_get(p);
		if (p->walking)
			walk_on(p);
	}
	if (!rnd(16))
		finish(p);
}

/* Key @k is not there any more, for readers from now on. */
void sections_gone(u32 k)
{
	unsigned int i;

	for (i = 0; i < SECTIONS; i++)
		if (sections[i].open)
			sections[i].gone[k] = true;
}

void sections_finish(void)
{
	unsigned int i;

	for (i = 0; i < SECTIONS; i++)
		if (sections[i].open)
			finish(&sections[i]);
}
