// SPDX-License-Identifier: GPL-2.0
/*
 * A walk backwards over an ordered list. Links lead forwards only, so a bucket is walked from its
 * mark on, and what is valid there is kept, the last few of it. When these have been told of, it
 * goes on before them, or at the mark before.
 */
#include "store/internal.h"

/* Records between two marks, about. */
#define BUCKET		16

/* The last mark of the list; 0: its begin. */
static u32 last_mark(const struct kreg_reader *v)
{
	u32 ref = READ_ONCE(v->root->front->tree);

	while (ref) {
		const struct kreg_rec_tree *n = kreg_order_node(v, ref);

		ref = READ_ONCE(n->refs[n->count - 1]);
		if (!n->level)
			break;
	}
	return ref;
}

/* The last mark that stands before what comes next. */
static u32 mark_before(const struct kreg_reader *v, const struct kreg_walk *w,
		       const struct kreg_order_goal *bound)
{
	return w->bound ? kreg_order_mark(v, bound) : last_mark(v);
}

static bool is_beyond(const struct kreg_walk *w, const struct kreg_rec *r,
		      const struct kreg_order_goal *bound)
{
	int order;

	if (!w->bound)
		return false;
	order = kreg_order_read_at(r, bound);
	return order > 0 || (!order && !w->with);
}

/* A record of a key that is younger than the walk, of which no valid one was met so far. */
struct younger {
	const struct kreg_rec *r;
};

/* Whether what was valid may be gone, now that @r comes, or the end: then a newer C tells. */
static bool misses_valid(struct younger *y, const struct kreg_rec *r, const struct kreg_walk *w)
{
	const struct kreg_rec *before = y->r;

	if (!before || (r && !kreg_order_compare(before->bytes, kreg_rec_key_len(before), r->bytes,
						 kreg_rec_key_len(r))))
		return false;
	y->r = NULL;
	/* Pair 3, as in kreg_reader_get(). */
	smp_rmb();
	return READ_ONCE(w->store->version) != w->version;
}

/* The mark at which it ends is not met: it has been taken out, or another put in before it. */
#define OTHER_MARK	(-ESTALE)

/*
 * Whether the bucket ends in front of @r, 1; OTHER_MARK. Where it ends at a mark, keys need not be
 * compared.
 */
static __always_inline int ends_at(const struct kreg_walk *w, const struct kreg_rec *r,
				   const struct kreg_order_goal *bound)
{
	if (!w->at_mark)
		return is_beyond(w, r, bound);
	if (likely(!(r->lens & KREG_REC_MARK)))
		return 0;
	return r->bytes == w->bound ? 1 : OTHER_MARK;
}

/*
 * Keep what is valid behind @mark and before the bound. -EAGAIN: C is too old for that;
 * OTHER_MARK.
 */
static int collect_bucket(const struct kreg_reader *v, struct kreg_walk *w, u32 mark,
			  const struct kreg_order_goal *bound)
{
	const u32 *from = kreg_order_link(v, mark);
	struct younger y = {};
	int end = 0;
	u32 link;

	w->found_end = 0;
	while ((link = READ_ONCE(*from))) {
		const struct kreg_rec *r = kreg_reader_rec(v, link);

		if (misses_valid(&y, r, w))
			return -EAGAIN;
		end = ends_at(w, r, bound);
		if (end)
			break;
		if (r->born <= w->version && w->version < READ_ONCE(r->died)) {
			w->refs[w->found_end++ % KREG_WALK_BACK] = link;
			y.r = NULL;
		} else if (r->born > w->version && !w->store->runs && !w->pin) {
			y.r = r;
		}
		from = &r->link;
	}
	if (end < 0 || (w->at_mark && !end))
		return OTHER_MARK;
	return misses_valid(&y, NULL, w) ? -EAGAIN : 0;
}

static void set_bound(struct kreg_walk *w, const struct kreg_rec *r)
{
	w->at_mark = r->lens & KREG_REC_MARK;
	w->bound = r->bytes;
	w->bound_len = kreg_rec_key_len(r);
	w->bound_born = r->born;
	w->bound_sub = r->hash;
	w->with = false;
}

/* Look up the next few, those behind one mark or the last of them. */
static noinline void fill_back(struct kreg_walk *w)
{
	struct kreg_reader v = { .store = w->store, .root = w->root };
	const struct kreg_key key = { .bytes = w->bound, .len = w->bound_len };
	const struct kreg_order_goal bound = {
		.key = &key,
		.before = !w->with,
		.run = w->store->runs,
		.born = w->bound_born,
		.sub = w->bound_sub,
	};
	u32 mark;
	int err;

	for (;;) {
		mark = mark_before(&v, w, &bound);
		err = collect_bucket(&v, w, mark, &bound);
		if (!err)
			break;
		w->at_mark = false;
		if (err == OTHER_MARK)
			continue;
		kreg_reader_enter(&v, w->store);
		w->root = v.root;
		w->version = v.version;
	}
	w->found = min(w->found_end, KREG_WALK_BACK);
	if (w->found_end > KREG_WALK_BACK)
		set_bound(w, kreg_reader_rec(&v, w->refs[w->found_end % KREG_WALK_BACK]));
	else if (mark)
		set_bound(w, kreg_reader_rec(&v, mark));
	else
		w->ended = true;
}

static void start_back(struct kreg_walk *w, const struct kreg_key *key, bool with)
{
	struct kreg_reader v;

	kreg_reader_enter_at(&v, w->store, w->pin);
	w->root = v.root;
	w->version = v.version;
	w->found = 0;
	w->ended = false;
	w->at_mark = false;
	w->with = with;
	w->bound = key ? key->bytes : NULL;
	w->bound_len = key ? key->len : 0;
}

void kreg_walk_seek_back(struct kreg_walk *w, const struct kreg_key *key, bool with)
{
	start_back(w, key, with);
	w->bound_born = with ? KREG_ALIVE : 0;
	w->bound_sub = with ? ~0u : 0;
}

void kreg_walk_seek_before(struct kreg_walk *w, const struct kreg_key *key, u64 born, u32 sub)
{
	start_back(w, key, false);
	w->bound_born = born;
	w->bound_sub = sub;
}

/* There was nothing between two marks, so it has come to the first of them. */
static noinline bool is_far_back(struct kreg_walk *w, struct kreg_hit *hit)
{
	if (w->left > BUCKET) {
		w->left -= BUCKET;
		return false;
	}
	kreg_walk_pause(w, container_of(w->bound, struct kreg_rec, bytes[0]), hit);
	return true;
}

/* False: nothing is found, or it is paused. */
static bool find_back(struct kreg_walk *w, struct kreg_hit *hit)
{
	do {
		fill_back(w);
	} while (!w->found && !w->ended && !is_far_back(w, hit));
	return w->found;
}

bool kreg_walk_prev(struct kreg_walk *w, struct kreg_hit *hit)
{
	struct kreg_reader v = { .store = w->store };
	const struct kreg_rec *r;
	bool found = w->found || (!w->ended && find_back(w, hit));

	/* Pair 3: the caller's next lookup is not older. */
	smp_rmb();
	if (!found)
		return false;
	w->found--;
	r = kreg_reader_rec(&v, w->refs[--w->found_end % KREG_WALK_BACK]);
	kreg_reader_hit(&v, r, kreg_rec_key_len(r), hit, false);
	return true;
}
