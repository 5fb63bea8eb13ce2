// SPDX-License-Identifier: GPL-2.0
/*
 * An ordered list: where marks come and go.
 *
 * A PUT that has passed many records of its bucket puts a mark into that. A DELETE that leaves
 * few notes a mark beside them, which upkeep takes off.
 */
#include "store/arena.h"
#include "store/limbo.h"
#include "store/marks.h"
#include "store/order_find.h"
#include "store/order_write.h"
#include "store/tree.h"

/* A bucket is cut when so many records are passed on the way to a new one, ... */
#define LONG	10
/* ... behind so many; and where the new one is if it was more than so many. */
#define HALF	5
#define FAR	KREG_ORDER_FAR
/* Two buckets become one if one of them has fewer. */
#define SHORT	3

/* What may be spare beyond what is wanted. */
#define SURPLUS	16

#define NODE_CLASS	kreg_arena_class(sizeof(struct kreg_rec) + sizeof(struct kreg_rec_tree))

/* Before there are so many marks, those that come may be as long as keys. */
#define FIRST_CUTS	16
/* But not longer. */
#define LONGEST		224

/* What may be set aside in one hold of the turn, beside what is wanted for one record. */
#define HOLD_SLOTS	8

/* Records that are expected, and how many spare nodes and marks there should be for them. */
static u32 count_expected(const struct kreg_store *s, const struct kreg_order *o)
{
	return s->reserved - o->nodes - o->marks;
}

static u32 want_nodes(const struct kreg_store *s, const struct kreg_root *root)
{
	u32 records = count_expected(s, &root->order);

	/* Each cut takes a node, and the one before waits for readers to leave. */
	return s->objects + records < LONG ? 0 : kreg_tree_nodes(root) + records / HALF;
}

static u32 want_marks(const struct kreg_store *s, const struct kreg_order *o)
{
	u32 records = count_expected(s, o);

	return s->objects + records < LONG ? 0 : 1 + records / HALF;
}

static int spare_mark(struct kreg_store *s, struct kreg_order *o, unsigned int class,
		      struct kreg_prealloc *f)
{
	u32 ref;

	if (!kreg_arena_take(s, class, true, &ref))
		return kreg_prealloc_want(s, f, class, false);
	kreg_arena_rec(s, ref)->limbo = o->spare_marks;
	o->spare_marks = ref;
	o->marks++;
	return 0;
}

static int spare_node(struct kreg_store *s, struct kreg_prealloc *f)
{
	u32 ref;

	if (!kreg_arena_take(s, NODE_CLASS, true, &ref))
		return kreg_prealloc_want(s, f, NODE_CLASS, false);
	kreg_tree_spare(s, ref);
	return 0;
}

/* Marks are as long as those were that there was no slot for. */
static unsigned int mark_class(const struct kreg_order *o, u32 key_len)
{
	unsigned int class;

	if (o->cuts >= FIRST_CUTS)
		return o->mark_class;
	class = kreg_arena_class(sizeof(struct kreg_rec) + min(key_len, LONGEST));
	return max_t(unsigned int, o->mark_class, class);
}

int kreg_order_prepare(struct kreg_store *s, u32 key_len, struct kreg_prealloc *f)
{
	struct kreg_root *root = kreg_store_root(s);
	struct kreg_order *o = &root->order;
	unsigned int class = mark_class(o, key_len), left = HOLD_SLOTS + kreg_tree_nodes(root);
	int err = 0;

	kreg_store_assert(s);
	while (!err && o->nodes < want_nodes(s, root) && left--)
		err = spare_node(s, f);
	for (left = HOLD_SLOTS; !err && o->marks < want_marks(s, o) && left; left--)
		err = spare_mark(s, o, class, f);
	return err;
}

static u32 unspare_mark(struct kreg_store *s, struct kreg_order *o)
{
	u32 ref = o->spare_marks;
	struct kreg_rec *r = kreg_arena_rec(s, ref);

	o->spare_marks = r->limbo;
	o->marks--;
	r->limbo = 0;
	return ref;
}

/*
 * A slot for a mark with a key of @len bytes. 0: what is spare is too short; there will be longer
 * ones for the next.
 */
static u32 use_mark(struct kreg_store *s, struct kreg_order *o, u32 len)
{
	unsigned int class = kreg_arena_class(sizeof(struct kreg_rec) + len);
	u32 ref;

	if (!o->spare_marks)
		return 0;
	ref = unspare_mark(s, o);
	if (kreg_arena_chunk(s, ref)->class >= class) {
		kreg_arena_use(s, ref);
		return ref;
	}
	kreg_arena_unreserve(s, ref);
	o->mark_class = max_t(u8, o->mark_class, class);
	return 0;
}

static bool have_one_key(const struct kreg_rec *a, const struct kreg_rec *b)
{
	return !kreg_order_compare(a->bytes, kreg_rec_key_len(a), b->bytes, kreg_rec_key_len(b));
}

/*
 * Where to cut the bucket behind @mark: between two keys, or in a run. The record before that is
 * @before.
 */
static u32 *find_cut(struct kreg_store *s, u32 mark, struct kreg_rec **before)
{
	u32 *from = kreg_order_link_behind(s, mark);
	struct kreg_rec *r, *last = NULL;
	unsigned int n;

	for (n = 0; n < FAR && (r = kreg_order_rec(s, from)) && !kreg_order_is_mark(r); n++) {
		if (n >= HALF && (s->runs || !have_one_key(last, r))) {
			*before = last;
			return from;
		}
		last = r;
		from = &r->link;
	}
	return NULL;
}

/* A mark at @from, between the records @left and @right. */
static u32 insert_mark(struct kreg_store *s, u32 *from, const struct kreg_rec *left,
		       const struct kreg_rec *right)
{
	struct kreg_order *o = &kreg_store_root(s)->order;
	bool in_run = s->runs && have_one_key(left, right);
	u32 len = kreg_order_common(left->bytes, kreg_rec_key_len(left), right->bytes,
				    kreg_rec_key_len(right)) + !in_run;
	u32 ref = use_mark(s, o, len);
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
	m->link = *from;
	/* Pair 1. */
	smp_store_release(from, ref);
	o->cuts++;
	return ref;
}

void kreg_order_grew(struct kreg_store *s, const struct kreg_place *place,
		     const struct kreg_rec *r)
{
	const struct kreg_order *o = &kreg_store_root(s)->order;
	struct kreg_key key;
	const struct kreg_order_goal goal = kreg_order_goal_of(s, r, &key);
	u32 *from = place->link, mark;
	struct kreg_tree_way way;
	struct kreg_rec *before;

	kreg_store_assert(s);
	if (likely(place->steps < LONG))
		return;
	/* What was passed last is a record, since there were more than one. */
	before = container_of(from, struct kreg_rec, link);
	/* Where keys come in their order nothing more comes before the new one. */
	if (r->link && place->steps < FAR)
		from = find_cut(s, place->mark, &before);
	if (!from || kreg_tree_descend(s, &goal, &way) != place->mark ||
	    way.levels == KREG_TREE_LEVELS || o->nodes < kreg_tree_nodes(kreg_store_root(s)))
		return;
	mark = insert_mark(s, from, before, kreg_order_rec(s, from));
	if (mark)
		kreg_tree_insert(s, &way, mark);
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

/* The end of the chain of marks that are to be looked at; 0 means: not in it. */
#define CHAIN_END	KREG_LINK_BUCKET

static void note_mark(struct kreg_store *s, u32 mark)
{
	struct kreg_order *o = &kreg_store_root(s)->order;
	struct kreg_rec *m = mark ? kreg_arena_rec(s, mark) : NULL;

	if (!m || m->limbo)
		return;
	m->limbo = o->sparse ?: CHAIN_END;
	o->sparse = mark;
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
}

/* Give back one slot that is not wanted any more. */
static bool trim_spares(struct kreg_store *s, struct kreg_root *root)
{
	struct kreg_order *o = &root->order;
	u32 surplus = s->objects < LONG ? 0 : SURPLUS;

	if (o->marks > want_marks(s, o) + surplus)
		kreg_arena_unreserve(s, unspare_mark(s, o));
	else if (o->nodes > want_nodes(s, root) + surplus)
		kreg_arena_unreserve(s, kreg_tree_unspare(s));
	else
		return false;
	return true;
}

/* Without a slot for a node, which only a write brings, marks are left to the next one. */
bool kreg_order_step(struct kreg_store *s, struct kreg_prealloc *f)
{
	struct kreg_root *root = kreg_store_root(s);
	struct kreg_order *o = &root->order;
	u32 mark = o->sparse;

	kreg_store_assert(s);
	s->crowd.wanted = false;
	if (!mark)
		return trim_spares(s, root);
	while (o->nodes < kreg_tree_nodes(root))
		if (spare_node(s, f))
			return false;
	o->sparse = kreg_arena_rec(s, mark)->limbo & ~CHAIN_END;
	kreg_arena_rec(s, mark)->limbo = 0;
	join_buckets(s, mark);
	return true;
}
