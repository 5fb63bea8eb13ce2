// SPDX-License-Identifier: GPL-2.0
/* Walks where keys have runs, begun and then gone on with while the store changes. */
#include "bags.h"

#define SECTION		1		/* of the reader */

/* Where a walk begins: at the key of a run, or at the place of an object, perhaps of none. */
struct from {
	u32 run;			/* mode->keys: at the end of the list */
	bool object;
	bool with;
	u64 born;
	u32 sub;
};

static struct reader {
	bool open, back;
	struct from from;
	u8 bytes[KEY_ROOM];
	struct kreg_walk walk;
} reader;

static unsigned long pauses;

unsigned long bags_pauses(void)
{
	return pauses;
}

static int compare_entry(u32 run, const struct entry *e, const struct from *from)
{
	if (run != from->run)
		return run < from->run ? -1 : 1;
	if (!from->object)
		return 0;
	if (e->born != from->born)
		return e->born < from->born ? -1 : 1;
	return e->sub < from->sub ? -1 : e->sub > from->sub;
}

static bool is_behind(u32 run, const struct entry *e)
{
	int order = compare_entry(run, e, &reader.from);

	if (reader.from.run == mode->keys)
		return true;
	if (reader.back)
		order = -order;
	return order > 0 || (!order && reader.from.with);
}

static bool is_at(const struct kreg_hit *hit, const struct run *r, const struct entry *e)
{
	return key_number(hit->key) == r->k && hit->version == e->born &&
	       kreg_hit_sub(hit) == e->sub;
}

static void check_value(const struct run *r, struct entry *e, const struct kreg_hit *hit)
{
	const u8 *value = hit->blob ? kreg_blob_bytes(hit->blob) : hit->value;

	value_check(r->k, e->seed, value, hit->value_len);
	expiry_check(&e->object, hit, true);
	if (mode->timed && !rnd(4))
		expiry_use(&e->object, hit);
}

static void init_walk(void)
{
	kreg_walk_init(&reader.walk, &store, NULL);
	if (rnd(2))
		kreg_walk_limit(&reader.walk, rnd(4));
}

/*
 * Where a walk has paused another goes on, as of the same commit. False: that cannot be, since the
 * table was cleared; then all that has not been found is gone.
 */
static bool go_on_from(const struct kreg_hit *hit)
{
	struct kreg_key key = { .bytes = reader.bytes, .len = hit->key_len };
	u64 then = reader.walk.version;
	u32 sub = kreg_hit_sub(hit);

	memcpy(reader.bytes, hit->key, key.len);
	init_walk();
	if (!hit->version && reader.back)
		kreg_walk_seek_back(&reader.walk, &key, false);
	else if (reader.back)
		kreg_walk_seek_before(&reader.walk, &key, hit->version, sub);
	else
		kreg_walk_seek_behind(&reader.walk, &key, hit->version, sub);
	pauses++;
	if (kreg_walk_as_of(&reader.walk, then))
		return true;
	reader.walk.version = then;
	return false;
}

static bool step_walk(struct kreg_hit *hit)
{
	while (!(reader.back ? kreg_walk_prev(&reader.walk, hit) :
			       kreg_walk_next(&reader.walk, hit)))
		if (!reader.walk.paused || !go_on_from(hit))
			return false;
	return true;
}

/* What was there from its begin on is found, nothing is that was not there then. */
void bags_finish_walk(void)
{
	u64 then = reader.walk.version;
	struct kreg_hit hit;
	bool more;
	u32 i, n, j;

	if (!reader.open)
		return;
	more = step_walk(&hit);
	for (i = 0; i < mode->keys; i++) {
		u32 at = reader.back ? mode->keys - 1 - i : i;
		struct run *r = &runs[at];

		for (n = 0; n < r->count; n++) {
			struct entry *e;

			j = reader.back ? r->count - 1 - n : n;
			e = &r->entries[j];
			if (!is_behind(at, e) || e->born > then || e->died <= then)
				continue;
			if (more && is_at(&hit, r, e)) {
				check_value(r, e, &hit);
				more = step_walk(&hit);
			} else {
				tap_check(e->died != KREG_ALIVE);
			}
		}
	}
	tap_check(!more);
	tap_check(reader.walk.version == then);
	shim_leave(SECTION);
	reader.open = false;
}

static struct from pick_from(void)
{
	struct from from = { .run = rnd(mode->keys + 1), .with = rnd(2), .object = rnd(2) };
	const struct run *r = &runs[from.run];

	if (from.run == mode->keys || !from.object)
		return from;
	from.with = false;
	from.born = store.version ? rnd(store.version) : 0;
	from.sub = rnd(3);
	if (r->count && rnd(4)) {
		from.born = r->entries[rnd(r->count)].born;
		from.sub = rnd(2);
	}
	return from;
}

static void start_walk(void)
{
	struct kreg_key key = {}, *at = NULL;
	struct from f = pick_from();

	shim_enter(SECTION);
	reader.open = true;
	reader.back = rnd(2);
	reader.from = f;
	if (f.run < mode->keys) {
		key = key_of(runs[f.run].k, reader.bytes);
		at = &key;
	}
	init_walk();
	if (f.object && at && reader.back)
		kreg_walk_seek_before(&reader.walk, at, f.born, f.sub);
	else if (f.object && at)
		kreg_walk_seek_behind(&reader.walk, at, f.born, f.sub);
	else if (reader.back)
		kreg_walk_seek_back(&reader.walk, at, f.with);
	else
		kreg_walk_seek(&reader.walk, at, f.with);
}

void bags_forget(void)
{
	u32 i, n, kept;

	if (reader.open)
		return;
	for (i = 0; i < mode->keys; i++) {
		struct run *r = &runs[i];

		for (n = 0, kept = 0; n < r->count; n++)
			if (r->entries[n].died == KREG_ALIVE)
				r->entries[kept++] = r->entries[n];
		r->count = kept;
	}
}

void bags_meanwhile(void)
{
	if (reader.open && !rnd(4))
		bags_finish_walk();
	else if (!reader.open && !rnd(4))
		start_walk();
	pinned_meanwhile();
	if (mode->verify_every == 1)
		tap_check(kreg_store_verify(&store));
}
