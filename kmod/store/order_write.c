// SPDX-License-Identifier: GPL-2.0
/*
 * An ordered list: where marks come and go.
 *
 * A PUT that has passed many records of its bucket puts a mark into that, or one that comes to a
 * bucket to which many have been added. A DELETE that leaves few notes a mark beside them, which
 * upkeep takes off.
 *
 * DOC: Buckets that stay long
 *
 * A PUT sets slots for marks aside without knowing how long these have to be, and a record that is
 * kept for a pin has none at all. So a bucket may have to be cut when there is no slot for that.
 * Then it is noted, too, and upkeep cuts it, at one place a step, as soon as somebody has brought
 * what that takes.
 *
 * What becomes long is found by a number that each mark has in its limbo word, and the begin of the
 * list in kreg_order.begin: there are at most so many records behind it that live or are kept. It
 * goes up with each that comes, and is corrected when it reaches FAR. Of what was noted the word is
 * the next in the chain of these instead.
 */
#include "store/arena.h"
#include "store/limbo.h"
#include "store/marks.h"
#include "store/order_find.h"
#include "store/order_spare.h"
#include "store/order_write.h"
#include "store/tree.h"

/* A bucket is cut when so many records are passed on the way to a new one, ... */
#define LONG	10
/* ... behind so many; and where the new one is if it was more than so many. */
#define HALF	5
#define FAR	KREG_ORDER_FAR
/* Two buckets become one if one of them has fewer. */
#define SHORT	3

/* Upkeep cuts a bucket that has FAR records or more, behind so many, up to so many. */
#define UPKEEP_FROM	(FAR / 2)
#define UPKEEP_TO	KREG_ORDER_CUT_TO

static bool have_one_key(const struct kreg_rec *a, const struct kreg_rec *b)
{
	return !kreg_order_compare(a->bytes, kreg_rec_key_len(a), b->bytes, kreg_rec_key_len(b));
}

/* Where a bucket is cut: at @link, which leads from @left to @right. */
struct place_to_cut {
	u32 *link;
	struct kreg_rec *left;
	struct kreg_rec *right;
};

/*
 * Where to cut the bucket behind @mark: between two keys, or in a run; behind @first records at
 * least, and fewer than @end. False: nowhere.
 */
static bool find_cut(struct kreg_store *s, u32 mark, u32 first, u32 end, struct place_to_cut *cut)
{
	u32 *from = kreg_order_link_behind(s, mark), n;
	struct kreg_rec *r, *last = NULL;

	for (n = 0; n < end && (r = kreg_order_rec(s, from)) && !kreg_order_is_mark(r); n++) {
		if (n >= first && (s->runs || !have_one_key(last, r))) {
			*cut = (struct place_to_cut){ .link = from, .left = last, .right = r };
			return true;
		}
		last = r;
		from = &r->link;
	}
	return false;
}

/* The records behind @mark, up to the next one or the end. FAR stands for as many or more. */
static u32 count_records(const struct kreg_store *s, u32 mark)
{
	const u32 *from = kreg_order_link_behind(s, mark);
	const struct kreg_rec *r;
	u32 n;

	for (n = 0; n < FAR && (r = kreg_order_rec(s, from)) && !kreg_order_is_mark(r); n++)
		from = &r->link;
	return n;
}

/* The chain of what was noted: its end, and in it the begin of the list. Both are no references. */
#define CHAIN_END	KREG_LINK_BUCKET
#define BEGIN		(KREG_LINK_BUCKET - 1)

static u32 *bucket_word(const struct kreg_store *s, u32 mark)
{
	return mark ? &kreg_arena_rec(s, mark)->limbo : &kreg_store_root(s)->order.begin;
}

/* Upkeep is to look at the bucket behind @mark. */
static void note_bucket(struct kreg_store *s, u32 mark)
{
	struct kreg_order *o = &kreg_store_root(s)->order;
	u32 *word = bucket_word(s, mark);

	if (kreg_order_is_noted(*word))
		return;
	*word = o->noted ?: CHAIN_END;
	o->noted = mark ?: BEGIN;
}

/* Take the first one out of the chain. */
static u32 pop_noted(struct kreg_store *s)
{
	struct kreg_order *o = &kreg_store_root(s)->order;
	u32 mark = o->noted == BEGIN ? 0 : o->noted, *word = bucket_word(s, mark);

	o->noted = *word & ~CHAIN_END;
	*word = 0;
	return mark;
}

/* Count the bucket behind @mark anew, and note it if it is long. */
static void look_at_bucket(struct kreg_store *s, u32 mark)
{
	u32 n = count_records(s, mark), *word = bucket_word(s, mark);

	if (n == FAR) {
		/* Until it is cut what is lent the turn may not hold it long enough. */
		s->crowd.wanted = true;
		note_bucket(s, mark);
	} else if (!kreg_order_is_noted(*word)) {
		*word = n;
	}
}

/* One record more is behind @mark. False: there are not many. */
static bool count_one(const struct kreg_store *s, u32 mark)
{
	u32 *word = bucket_word(s, mark);

	return !kreg_order_is_noted(*word) && ++*word >= FAR;
}

/*
 * A slot for a mark with a key of @len bytes: of those that were set aside; or, with @f, any, and
 * @f says what to bring. 0: there is none.
 */
static u32 take_mark_slot(struct kreg_store *s, u32 len, struct kreg_prealloc *f)
{
	unsigned int class = kreg_arena_class(sizeof(struct kreg_rec) + len);
	u32 ref;

	if (!f)
		return kreg_spare_use(s, class);
	if (kreg_arena_take(s, class, false, &ref))
		return ref;
	kreg_prealloc_want(s, f, class, false);
	return 0;
}

/* A mark at @cut. 0: there is no slot for it. */
static u32 insert_mark(struct kreg_store *s, const struct place_to_cut *cut,
		       struct kreg_prealloc *f)
{
	const struct kreg_rec *left = cut->left, *right = cut->right;
	bool in_run = s->runs && have_one_key(left, right);
	u32 len = kreg_order_common(left->bytes, kreg_rec_key_len(left), right->bytes,
				    kreg_rec_key_len(right)) + !in_run;
	u32 ref = take_mark_slot(s, len, f);
	struct kreg_rec *m;

	if (!ref)
		return 0;
	m = kreg_arena_rec(s, ref);
	memcpy(m->bytes, right->bytes, len);
	m->lens = len << KREG_KEY_LEN_SHIFT | KREG_REC_MARK;
	if (in_run) {
		m->born = right->born;
		m->hash = right->hash;
	}
	m->link = *cut->link;
	/* Pair 1. */
	smp_store_release(cut->link, ref);
	kreg_store_root(s)->order.cuts++;
	return ref;
}

/* Cut the bucket behind @mark; @f as above. False: not now. */
static bool cut_bucket(struct kreg_store *s, u32 mark, const struct place_to_cut *cut,
		       struct kreg_prealloc *f)
{
	const struct kreg_root *root = kreg_store_root(s);
	struct kreg_key key;
	const struct kreg_order_goal goal = kreg_order_goal_of(s, cut->right, &key);
	struct kreg_tree_way way;
	u32 ref;

	if (kreg_tree_descend(s, &goal, &way) != mark || way.levels == KREG_TREE_LEVELS ||
	    root->order.nodes < kreg_tree_nodes(root))
		return false;
	ref = insert_mark(s, cut, f);
	if (!ref)
		return false;
	kreg_tree_insert(s, &way, ref);
	look_at_bucket(s, mark);
	look_at_bucket(s, ref);
	return true;
}

/* Where to cut the bucket that @place is in, now that @r was put there. */
static bool find_cut_for(struct kreg_store *s, const struct kreg_place *place, struct kreg_rec *r,
			 struct place_to_cut *cut)
{
	/* Where keys come in their order nothing more comes before the new one. */
	if (place->steps < LONG || (r->link && place->steps < FAR))
		return find_cut(s, place->mark, HALF, FAR, cut);
	/* What was passed last is a record, since there were more than one. */
	cut->left = container_of(place->link, struct kreg_rec, link);
	cut->right = r;
	cut->link = place->link;
	return true;
}

void kreg_order_grew(struct kreg_store *s, const struct kreg_place *place, struct kreg_rec *r)
{
	bool many = count_one(s, place->mark);
	struct place_to_cut cut;

	kreg_store_assert(s);
	if (likely(place->steps < LONG && !many))
		return;
	if (place->steps < LONG && count_records(s, place->mark) < LONG)
		look_at_bucket(s, place->mark);
	else if (!find_cut_for(s, place, r, &cut) || !cut_bucket(s, place->mark, &cut, NULL))
		look_at_bucket(s, place->mark);
}

void kreg_order_kept(struct kreg_store *s, const struct kreg_rec *r)
{
	struct kreg_key key;
	const struct kreg_order_goal goal = kreg_order_goal_of(s, r, &key);
	struct kreg_tree_way way;
	u32 mark = kreg_tree_descend(s, &goal, &way);

	kreg_store_assert(s);
	if (count_one(s, mark))
		look_at_bucket(s, mark);
}

/*
 * The live records from @from on to the next mark, which *@mark is, or 0. SHORT stands for as
 * many or more.
 */
static u32 count_live(const struct kreg_store *s, const u32 *from, u32 *mark)
{
	const struct kreg_rec *r;
	u32 live = 0, left;

	*mark = 0;
	for (left = FAR; left && (r = kreg_order_rec(s, from)); left--) {
		if (kreg_order_is_mark(r)) {
			*mark = *from;
			return live;
		}
		live += kreg_rec_stays(s, r);
		if (live == SHORT)
			return SHORT;
		from = &r->link;
	}
	return left ? live : SHORT;
}

static void note_mark(struct kreg_store *s, u32 mark)
{
	if (mark)
		note_bucket(s, mark);
}

/* @old, with @steps live records between @mark and it, dies. */
static void note_thin(struct kreg_store *s, u32 mark, u32 steps, const struct kreg_rec *old)
{
	u32 next;

	if (steps < SHORT && steps + count_live(s, &old->link, &next) < SHORT)
		note_mark(s, next ?: mark);
}

void kreg_order_thinned(struct kreg_store *s, const struct kreg_place *place)
{
	kreg_store_assert(s);
	note_thin(s, place->mark, place->steps, place->old);
}

u32 *kreg_order_link_to(struct kreg_store *s, u32 ref, const struct kreg_rec *r, u32 **on)
{
	struct kreg_key key;
	const struct kreg_order_goal goal = kreg_order_goal_of(s, r, &key);
	u32 left = *on ? 0 : FAR, steps = 0, mark, *from = *on;
	struct kreg_tree_way way;
	const struct kreg_rec *passed;

	kreg_store_assert(s);
	mark = kreg_tree_descend(s, &goal, &way);
	from = *on ?: kreg_order_link_behind(s, mark);
	for (; *from != ref && (left || s->links); left ? left-- : s->links--) {
		passed = kreg_arena_rec(s, *from);
		steps += kreg_rec_stays(s, passed);
		from = (u32 *)&passed->link;
	}
	kreg_marks_count_links(s);
	*on = *from == ref ? NULL : from;
	if (*on)
		return NULL;
	note_thin(s, mark, steps, r);
	return from;
}

/* The link to @mark, from the one before it; NULL if that bucket and the one behind are long. */
static u32 *find_mark_link(const struct kreg_store *s, u32 before, u32 mark)
{
	u32 *from = kreg_order_link_behind(s, before), next, n;

	for (n = 0; *from != mark; n++) {
		if (n == FAR)
			return NULL;
		from = &kreg_arena_rec(s, *from)->link;
	}
	if (n >= SHORT && count_live(s, kreg_order_link_behind(s, mark), &next) == SHORT)
		return NULL;
	return from;
}

/* Take @mark off, if it is beside a short bucket. */
static void join_buckets(struct kreg_store *s, u32 mark)
{
	struct kreg_rec *m = kreg_arena_rec(s, mark);
	struct kreg_key key;
	struct kreg_order_goal goal = kreg_order_goal_of(s, m, &key);
	struct kreg_tree_way way;
	u32 *from, before;

	kreg_debug_warn(kreg_tree_descend(s, &goal, &way) != mark);
	if (kreg_tree_descend(s, &goal, &way) != mark)
		return;
	if (!way.at[0]) {
		/*
		 * It stays until its leaf joins the one before: perhaps the bucket before it can
		 * join the one before that.
		 */
		goal.before = true;
		before = kreg_tree_descend(s, &goal, &way);
		if (way.at[0] && find_mark_link(s, before, mark))
			note_mark(s, before);
		return;
	}
	before = kreg_tree_node(s, way.ref[0])->refs[way.at[0] - 1];
	from = find_mark_link(s, before, mark);
	if (!from)
		return;
	note_mark(s, kreg_tree_remove(s, &way));
	/* Pair 4: nothing leads to the mark any more, so its readers have an older C. */
	smp_wmb();
	WRITE_ONCE(*from, m->link);
	kreg_limbo_add(s, mark, m);
	kreg_limbo_close(s);
	kreg_store_root(s)->order.cuts--;
	look_at_bucket(s, before);
}

/* Cut the long bucket behind @mark, if anywhere. False: @f says what that takes. */
static bool cut_long(struct kreg_store *s, u32 mark, struct kreg_prealloc *f)
{
	struct place_to_cut cut;

	if (find_cut(s, mark, UPKEEP_FROM, UPKEEP_TO, &cut))
		return cut_bucket(s, mark, &cut, f);
	/* These are versions of one key. With the next record they are looked at again. */
	*bucket_word(s, mark) = FAR - 1;
	return true;
}

/* Without slots, which only a write brings, what was noted is left to the next one. */
bool kreg_order_step(struct kreg_store *s, struct kreg_prealloc *f)
{
	struct kreg_root *root = kreg_store_root(s);
	u32 mark;

	kreg_store_assert(s);
	if (!root->order.noted) {
		s->crowd.wanted = false;
		return kreg_spare_trim(s);
	}
	if (!kreg_spare_nodes(s, f))
		return false;
	mark = pop_noted(s);
	if (count_records(s, mark) == FAR) {
		if (cut_long(s, mark, f))
			return true;
		note_bucket(s, mark);
		return false;
	}
	look_at_bucket(s, mark);
	if (mark)
		join_buckets(s, mark);
	return true;
}
