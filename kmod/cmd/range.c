// SPDX-License-Identifier: GPL-2.0
/* Ranges of keys: what the caller's struct says of them, and walks within them. */
#include <linux/err.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "cmd/range.h"
#include "cmd/terms.h"
#include "store/gfp.h"

/* Objects that are looked at in one RCU section; fewer with a filter that takes long. */
#define SECTION_LOOKS	1024U

/* The order of keys: by bytes, and a key before those that it is the beginning of. */
static int compare_keys(const struct kreg_key *a, const struct kreg_key *b)
{
	int order = memcmp(a->bytes, b->bytes, min(a->len, b->len));

	return order ?: (a->len > b->len) - (a->len < b->len);
}

bool kreg_range_is_unknown(const struct kreg_range *r)
{
	return r->flags & ~KREG_RANGE_ALL;
}

bool kreg_range_is_wrong(const struct kreg_range *r)
{
	/* A pointer to no bytes is an empty key. */
	if ((r->low && !r->low_len) || (r->high && !r->high_len) ||
	    kreg_terms_are_wrong(r->filter, r->filter_count))
		return true;
	if ((r->after_version && !r->after_len) || (r->after_sub && !r->after_version))
		return true;
	if ((r->flags & ~KREG_RANGE_HIGH_OPEN && !r->low_len) ||
	    (r->flags & KREG_RANGE_HIGH_OPEN && !r->high_len))
		return true;
	if (!(r->flags & (KREG_RANGE_EXACT | KREG_RANGE_PREFIX)))
		return false;
	return r->high_len || !is_power_of_2(r->flags);
}

bool kreg_range_is_long(const struct kreg_range *r)
{
	return r->low_len > KREG_MAX_KEY || r->high_len > KREG_MAX_KEY ||
	       r->after_len > KREG_MAX_KEY;
}

/* The first key behind all that begin with @low, or none; there is room for it in @b. */
static void end_prefix(struct kreg_bounds *b)
{
	u8 *end = b->bytes + b->low.len;
	u32 len = b->low.len;

	memcpy(end, b->bytes, len);
	while (len && end[len - 1] == 0xff)
		len--;
	if (len)
		end[len - 1]++;
	b->high.len = len;
	b->high_open = true;
}

static int fill_bounds(struct kreg_bounds *b, const struct kreg_range *r)
{
	b->low.bytes = b->bytes;
	b->low.len = r->low_len;
	b->high.bytes = b->bytes + r->low_len;
	b->high.len = r->high_len;
	b->low_open = r->flags & KREG_RANGE_LOW_OPEN;
	b->high_open = r->flags & KREG_RANGE_HIGH_OPEN;
	b->exact = r->flags & KREG_RANGE_EXACT;
	if (b->exact)
		b->high = b->low;
	if (copy_from_user(b->bytes, u64_to_user_ptr(r->low), r->low_len) ||
	    copy_from_user(b->bytes + r->low_len, u64_to_user_ptr(r->high), r->high_len))
		return -EFAULT;
	if (r->flags & KREG_RANGE_PREFIX)
		end_prefix(b);
	return 0;
}

int kreg_after_get(struct kreg_after *after, const struct kreg_range *r, u8 *key)
{
	after->key.bytes = key;
	after->key.len = r->after_len;
	after->version = r->after_version;
	after->sub = r->after_sub;
	return copy_from_user(key, u64_to_user_ptr(r->after), r->after_len) ? -EFAULT : 0;
}

static int fill_filter(struct kreg_bounds *b, const struct kreg_range *r)
{
	struct kreg_filter *f = kreg_terms_get(r->filter, r->filter_count);

	if (IS_ERR(f))
		return PTR_ERR(f);
	b->filter = f;
	return 0;
}

struct kreg_bounds *kreg_bounds_get(const struct kreg_range *r, bool reverse,
				    const struct kreg_key *after)
{
	size_t room = r->flags & KREG_RANGE_PREFIX ? 2 * r->low_len : r->low_len + r->high_len;
	struct kreg_bounds *b = kmalloc(struct_size(b, bytes, room), KREG_GFP_USER);
	int err;

	if (!b)
		return ERR_PTR(-ENOMEM);
	b->reverse = reverse;
	b->filter = NULL;
	err = fill_bounds(b, r);
	if (!err && b->exact && after->len && compare_keys(after, &b->low))
		err = -EINVAL;
	if (!err)
		err = fill_filter(b, r);
	if (!err)
		return b;
	kfree(b);
	return ERR_PTR(err);
}

void kreg_bounds_free(struct kreg_bounds *b)
{
	if (!b)
		return;
	kreg_filter_put(b->filter);
	kfree(b);
}

static bool is_below(const struct kreg_bounds *b, const struct kreg_key *key)
{
	int order = b->low.len ? compare_keys(key, &b->low) : 1;

	return order < 0 || (!order && b->low_open);
}

static bool is_above(const struct kreg_bounds *b, const struct kreg_key *key)
{
	int order = b->high.len ? compare_keys(key, &b->high) : -1;

	return order > 0 || (!order && b->high_open);
}

static bool is_empty(const struct kreg_bounds *b)
{
	return b->high.len && (is_above(b, &b->low) || is_below(b, &b->high));
}

void kreg_after_seek(struct kreg_walk *w, struct kreg_after *after)
{
	struct kreg_key *key = after->key.len ? &after->key : NULL;

	if (key && after->version && kreg_store_has_runs(w->store)) {
		kreg_walk_seek_behind(w, key, after->version, after->sub);
		return;
	}
	if (key)
		kreg_store_hash(w->store, key);
	kreg_walk_seek(w, key, false);
}

static void seek_before(struct kreg_range_walk *w, const struct kreg_after *after)
{
	if (after->version && kreg_store_has_runs(w->store))
		kreg_walk_seek_before(&w->walk, &after->key, after->version, after->sub);
	else
		kreg_walk_seek_back(&w->walk, &after->key, false);
}

static bool is_within(const struct kreg_bounds *b, const struct kreg_after *after)
{
	return after->key.len && !(b->reverse ? is_above(b, &after->key) :
						is_below(b, &after->key));
}

/* From the nearest of the range, or of what is left of it. */
static void start_ordered(struct kreg_range_walk *w, struct kreg_after *after)
{
	const struct kreg_bounds *b = w->bounds;
	const struct kreg_key *from = b->reverse ? &b->high : &b->low;
	bool within = is_within(b, after);

	if (!from->len)
		from = NULL;
	if (b->reverse && within)
		seek_before(w, after);
	else if (b->reverse)
		kreg_walk_seek_back(&w->walk, from, !b->high_open);
	else if (within)
		kreg_after_seek(&w->walk, after);
	else
		kreg_walk_seek(&w->walk, from, !b->low_open);
}

void kreg_range_start(struct kreg_range_walk *w, const struct kreg_store *s,
		      const struct kreg_pin *pin, const struct kreg_bounds *b,
		      struct kreg_after *after)
{
	bool one = b->exact && !kreg_store_has_runs(s);

	w->bounds = b;
	w->filter = b->filter;
	w->reverse = b->reverse;
	w->looks = max(1U, SECTION_LOOKS / (b->filter ? b->filter->weight : 1));
	w->ordered = kreg_store_is_ordered(s);
	w->store = s;
	w->one = one;
	w->all = !b->low.len && !b->high.len;
	kreg_walk_init(&w->walk, s, pin);
	kreg_walk_limit(&w->walk, KREG_SECTION_PASSED);
	w->done = one ? after->key.len : is_empty(b);
	if (one || w->done)
		return;
	if (w->ordered)
		start_ordered(w, after);
	else
		kreg_after_seek(&w->walk, after);
}

static bool is_asked_for(const struct kreg_range_walk *w, const struct kreg_hit *hit)
{
	return !w->filter || kreg_filter_matches(w->filter, hit);
}

/* The only key there may be. */
static noinline enum kreg_range_step find_exact(struct kreg_range_walk *w, struct kreg_hit *hit)
{
	struct kreg_key key = w->bounds->low;
	int err;

	w->done = true;
	err = w->walk.pin ? kreg_store_get_at(w->store, w->walk.pin, &key, hit) :
			    kreg_store_get(w->store, &key, hit);
	return !err && is_asked_for(w, hit) ? KREG_RANGE_FOUND : KREG_RANGE_END;
}

/* Of one that a walk has found. Where keys are in order, all that follow are outside as well. */
enum place { INSIDE, OUTSIDE, BEHIND };

static noinline enum place place_between(const struct kreg_range_walk *w,
					 const struct kreg_hit *hit)
{
	const struct kreg_bounds *b = w->bounds;
	struct kreg_key key = { .bytes = hit->key, .len = hit->key_len };

	if (!is_above(b, &key) && !is_below(b, &key))
		return INSIDE;
	return w->ordered ? BEHIND : OUTSIDE;
}

static __always_inline enum place place_of(const struct kreg_range_walk *w,
					   const struct kreg_hit *hit)
{
	const struct kreg_bounds *b = w->bounds;

	if (w->all)
		return INSIDE;
	if (!b->exact)
		return place_between(w, hit);
	return hit->key_len == b->low.len && !memcmp(hit->key, b->low.bytes, b->low.len) ? INSIDE :
											   BEHIND;
}

static bool next_object(struct kreg_range_walk *w, struct kreg_hit *hit)
{
	return w->reverse ? kreg_walk_prev(&w->walk, hit) : kreg_walk_next(&w->walk, hit);
}

/* Of where a walk pauses; backwards all that comes lies before that. */
static bool is_behind(const struct kreg_range_walk *w, const struct kreg_hit *hit)
{
	return w->ordered && place_of(w, hit) == BEHIND;
}

enum kreg_range_step kreg_range_next(struct kreg_range_walk *w, struct kreg_hit *hit)
{
	enum place place;

	if (w->done)
		return KREG_RANGE_END;
	if (w->one)
		return find_exact(w, hit);
	while (w->looks) {
		w->looks--;
		if (!next_object(w, hit))
			return w->walk.paused && !is_behind(w, hit) ? KREG_RANGE_PAUSE :
								      KREG_RANGE_END;
		place = place_of(w, hit);
		if (place == BEHIND)
			return KREG_RANGE_END;
		if (place == INSIDE && is_asked_for(w, hit))
			return KREG_RANGE_FOUND;
	}
	return KREG_RANGE_PAUSE;
}
