// SPDX-License-Identifier: GPL-2.0
/*
 * A walk over all records, of which each is read as a lookup would read it: one
 * that was replaced and is gone before the walk came by shows as a younger record
 * of its key, and then the walk takes a newer C and that key again.
 */
#include "store/internal.h"

/* In an ordered list, the link to the first record, or mark, that comes after @goal. */
static u32 seek_goal(const struct kreg_reader *v, const struct kreg_order_goal *goal, bool with)
{
	const u32 *from = kreg_order_link(v, kreg_order_mark(v, goal));
	u32 link;

	while ((link = READ_ONCE(*from))) {
		const struct kreg_rec *r = kreg_reader_rec(v, link);
		int order = kreg_order_read_at(r, goal);

		if (order > 0 || (!order && with))
			break;
		from = &r->link;
	}
	return link;
}

/* The same of @key; that of all objects of one, if it may have several. */
static u32 seek_ordered(const struct kreg_reader *v, const struct kreg_key *key, bool with)
{
	const struct kreg_order_goal goal = {
		.key = key,
		.run = v->store->runs,
		.born = with ? 0 : KREG_ALIVE,
		.sub = with ? 0 : ~0u,
	};

	return key ? seek_goal(v, &goal, with) : READ_ONCE(*kreg_reader_head(v, 0));
}

/* Go to the first record that comes after @key; @with: or that has it. NULL: to the start. */
static noinline void seek_key(struct kreg_walk *w, const struct kreg_key *key, bool with)
{
	struct kreg_reader v;
	const u32 *from;
	u32 link;

	kreg_reader_enter_at(&v, w->store, w->pin);
	w->version = v.version;
	w->root = v.root;
	if (unlikely(!v.n)) {
		w->next = seek_ordered(&v, key, with);
		return;
	}
	from = kreg_reader_head(&v, key ? kreg_reader_bucket(&v, key->hash) : 0);
	while ((link = READ_ONCE(*from)) && key) {
		const struct kreg_rec *r;
		u32 mark;
		int order;

		if (link & KREG_LINK_BUCKET) {
			if (kreg_read_before(key->hash, link & ~KREG_LINK_BUCKET))
				break;
			from = kreg_reader_head(&v, link & ~KREG_LINK_BUCKET);
			continue;
		}
		r = kreg_reader_rec(&v, link);
		order = kreg_read_order(r, key);
		if (order > 0 || (!order && with))
			break;
		/* Once: there may be fewer marks when they are looked at again. */
		mark = unlikely(r->lens & KREG_REC_NODE) ? kreg_read_mark(r, key->hash) : 0;
		if (mark)
			r = kreg_reader_rec(&v, mark);
		from = &r->link;
	}
	w->next = link;
}

void kreg_walk_seek(struct kreg_walk *w, const struct kreg_key *key, bool with)
{
	seek_key(w, key, with);
}

void kreg_walk_seek_behind(struct kreg_walk *w, const struct kreg_key *key, u64 born, u32 sub)
{
	const struct kreg_order_goal goal = { .key = key, .run = true, .born = born, .sub = sub };
	struct kreg_reader v;

	kreg_reader_enter_at(&v, w->store, w->pin);
	w->version = v.version;
	w->root = v.root;
	w->next = seek_goal(&v, &goal, false);
}

u32 kreg_hit_sub(const struct kreg_hit *hit)
{
	return container_of(hit->key, struct kreg_rec, bytes[0])->hash;
}

bool kreg_walk_as_of(struct kreg_walk *w, u64 version)
{
	const struct kreg_root *root = w->root;

	if (root->born > version)
		return false;
	w->version = version;
	return true;
}

bool kreg_walk_is_whole(const struct kreg_walk *w)
{
	/* Pair 3: if a link has led past what was valid then, the load below sees it. */
	smp_rmb();
	return READ_ONCE(w->store->killed) <= w->version;
}

/* The record that w->next leads to, or NULL at the end. */
static __always_inline const struct kreg_rec *next_record(struct kreg_walk *w)
{
	struct kreg_reader v = { .store = w->store, .root = w->root };
	u32 link = w->next;
	const struct kreg_rec *r;

	while (link & KREG_LINK_BUCKET)
		link = READ_ONCE(*kreg_reader_head(&v, link & ~KREG_LINK_BUCKET));
	if (unlikely(!link)) {
		w->next = 0;
		return NULL;
	}
	r = kreg_reader_rec(&v, link);
	w->next = READ_ONCE(r->link);
	return r;
}

static struct kreg_key key_of(const struct kreg_rec *r)
{
	return (struct kreg_key) {
		.bytes = r->bytes,
		.len = kreg_rec_key_len(r),
		.hash = r->hash,
	};
}

static __always_inline bool is_valid(const struct kreg_walk *w, const struct kreg_rec *r)
{
	return r->born <= w->version && w->version < READ_ONCE(r->died);
}

static bool is_object_record(const struct kreg_rec *r)
{
	return !(r->lens & (KREG_REC_MARK | KREG_REC_NODE));
}

/* Whether all of the key of @r, or all of a run up to that, lies before @next. */
static bool ends_with(const struct kreg_walk *w, const struct kreg_rec *r,
		      const struct kreg_rec *next)
{
	u32 len = kreg_rec_key_len(r);

	if (!is_object_record(next))
		return false;
	return w->store->runs || kreg_rec_key_len(next) != len ||
	       memcmp(r->bytes, next->bytes, len);
}

void kreg_walk_pause(struct kreg_walk *w, const struct kreg_rec *r, struct kreg_hit *hit)
{
	w->paused = true;
	*hit = (struct kreg_hit) {
		.key = r->bytes,
		.key_len = kreg_rec_key_len(r),
		.version = r->born,
	};
}

/* From @r on, which is not valid, the first that is; NULL: it is paused, or at the end. */
static noinline const struct kreg_rec *skip_invalid(struct kreg_walk *w, const struct kreg_rec *r,
						    struct kreg_hit *hit)
{
	const struct kreg_rec *passed = NULL;
	bool younger = false;	/* a younger one of @key was met, and no valid one so far */
	struct kreg_key key;

	for (;; r = next_record(w)) {
		if (younger && (!r || kreg_read_order(r, &key))) {
			younger = false;
			/* Pair 3, as in kreg_reader_get(). */
			smp_rmb();
			if (READ_ONCE(w->store->version) != w->version) {
				seek_key(w, &key, true);
				continue;
			}
		}
		if (!r || is_valid(w, r))
			return r;
		if (unlikely(!w->left) && passed && ends_with(w, passed, r)) {
			kreg_walk_pause(w, passed, hit);
			return NULL;
		}
		w->left -= !!w->left;
		if (is_object_record(r))
			passed = r;
		/* In a run it takes nobody's place, and at a pin whose that was is there. */
		if (r->born > w->version && !w->store->runs && !w->pin) {
			younger = true;
			key = key_of(r);
		}
	}
}

bool kreg_walk_next(struct kreg_walk *w, struct kreg_hit *hit)
{
	struct kreg_reader v = { .store = w->store };
	const struct kreg_rec *r = next_record(w);

	if (unlikely(r && !is_valid(w, r)))
		r = skip_invalid(w, r, hit);
	/* Pair 3: the caller's next lookup is not older. */
	smp_rmb();
	if (unlikely(!r))
		return false;
	kreg_reader_hit(&v, r, kreg_rec_key_len(r), hit, false);
	return true;
}

int kreg_store_get_at(const struct kreg_store *s, const struct kreg_pin *pin, struct kreg_key *key,
		      struct kreg_hit *hit)
{
	const struct kreg_rec *r;
	struct kreg_reader v;

	kreg_reader_enter_at(&v, s, pin);
	if (s->ordered) {
		r = kreg_order_lookup(&v, key, v.version);
	} else {
		kreg_store_hash(s, key);
		r = kreg_lookup(&v, key, v.version, true);
	}
	/* Pair 3: the caller's next lookup is not older. */
	smp_rmb();
	/* What was valid at the commit of the pin is there, so a younger one tells nothing. */
	if (r <= KREG_LOOKUP_MARKED)
		return -ENODATA;
	kreg_reader_hit(&v, r, key->len, hit, false);
	return 0;
}
