// SPDX-License-Identifier: GPL-2.0
/*
 * The tree over the marks of an ordered list.
 *
 * DOC: Nodes are replaced
 *
 * A node does not change: the writer makes a new one, stores its reference in the parent, or in
 * the front of the root, in place of the old one, and the old one goes to limbo as records do.
 * Whoever has come to it sees the marks that there were, which keep their links (pair 4).
 *
 * A full node is replaced by its left half first, and then the parent by one that has the right
 * half, too. Two neighbours that become one are replaced by that in the place of the left one,
 * and then the parent by one without the right one. In between the tree leads further to the
 * left than need be, never too far to the right.
 *
 * A mark that goes to another slot, or a node, is a copy, so only the references to it change, in
 * place: whoever follows an old one comes to what says the same, in limbo.
 *
 * The first entry of a node is never removed, so the mark that tells nodes of a higher level
 * apart stays as long as it does that.
 */
#include "store/arena.h"
#include "store/limbo.h"
#include "store/tree.h"

/* A node with fewer entries looks for a neighbour that it can join, up to so many together. */
#define FEW	(KREG_TREE_FAN / 3)
#define JOINED	(KREG_TREE_FAN * 3 / 4)

/* The entries of a node that is to be made. */
struct draft {
	u32 count;
	u32 level;
	u32 skip;		/* of the words; those behind it may have been of another node */
	u32 unknown;		/* the entry whose word is not known; 0: all are */
	u64 words[KREG_TREE_FAN + 1];
	u32 refs[KREG_TREE_FAN + 1];
};

u32 kreg_tree_descend(const struct kreg_store *s, const struct kreg_order_goal *goal,
		      struct kreg_tree_way *way)
{
	const struct kreg_reader v = kreg_tree_reader(s);
	u32 ref = v.root->front->tree;

	kreg_store_assert(s);
	way->levels = ref ? kreg_order_node(&v, ref)->level + 1 : 0;
	while (ref) {
		const struct kreg_rec_tree *n = kreg_order_node(&v, ref);

		way->ref[n->level] = ref;
		way->at[n->level] = kreg_order_entry(&v, n, goal);
		ref = n->refs[way->at[n->level]];
		if (!n->level)
			break;
	}
	return ref;
}

void kreg_tree_spare(struct kreg_store *s, u32 ref)
{
	struct kreg_order *o = &kreg_store_root(s)->order;

	kreg_store_assert(s);
	kreg_arena_rec(s, ref)->limbo = o->spare_nodes;
	o->spare_nodes = ref;
	o->nodes++;
}

u32 kreg_tree_unspare(struct kreg_store *s)
{
	struct kreg_order *o = &kreg_store_root(s)->order;
	u32 ref = o->spare_nodes;
	struct kreg_rec *r = kreg_arena_rec(s, ref);

	kreg_store_assert(s);
	kreg_debug_warn(!ref);
	o->spare_nodes = r->limbo;
	o->nodes--;
	r->limbo = 0;
	return ref;
}

/* Nothing leads to the node any more. */
static void retire_node(struct kreg_store *s, u32 ref)
{
	struct kreg_rec *r = kreg_arena_rec(s, ref);

	/* What it leads to may be gone before its slot is. */
	r->died = KREG_MOVED;
	kreg_limbo_add(s, ref, r);
}

static u64 word_of(const struct kreg_rec *mark, u32 skip)
{
	return kreg_order_word_at(mark->bytes, kreg_rec_key_len(mark), skip);
}

/* What the marks of all entries but the first have in common, and where that is found. */
static u32 find_skip(const struct kreg_reader *v, const struct kreg_rec_tree *n, u32 *probe)
{
	const struct kreg_rec *first, *last;
	const struct kreg_rec_tree *child = n;
	u32 level, i = 1;

	for (level = n->level; level; level--, i = 0)
		child = kreg_order_node(v, child->refs[i]);
	*probe = child->refs[i];
	if (n->count < 3)
		return 0;
	first = kreg_reader_rec(v, *probe);
	last = kreg_order_first(v, n, n->count - 1);
	return kreg_order_common(first->bytes, kreg_rec_key_len(first), last->bytes,
				 kreg_rec_key_len(last));
}

/* Entries [@from, @from + @count) of @d become a node. */
static u32 make_node(struct kreg_store *s, const struct draft *d, u32 from, u32 count)
{
	const struct kreg_reader v = kreg_tree_reader(s);
	u32 ref = kreg_tree_unspare(s), i;
	struct kreg_rec *r = kreg_arena_rec(s, ref);
	struct kreg_rec_tree *n = kreg_tree_node(s, ref);

	kreg_arena_use(s, ref);
	r->lens = KREG_REC_MARK | KREG_REC_NODE | sizeof(*n);
	n->count = count;
	n->level = d->level;
	memcpy(n->refs, d->refs + from, count * sizeof(n->refs[0]));
	if (count < 2)
		return ref;
	n->skip = find_skip(&v, n, &n->probe);
	for (i = 1; i < count; i++)
		n->words[i] = n->skip == d->skip && from + i != d->unknown ?
			      d->words[from + i] : word_of(kreg_order_first(&v, n, i), n->skip);
	return ref;
}

static void draft_of(struct draft *d, const struct kreg_rec_tree *n)
{
	d->count = n->count;
	d->level = n->level;
	/* The first word of a node is not known, which is of no account until it is the second. */
	d->skip = n->count > 1 ? n->skip : ~0u;
	d->unknown = 0;
	memcpy(d->words, n->words, n->count * sizeof(d->words[0]));
	memcpy(d->refs, n->refs, n->count * sizeof(d->refs[0]));
}

static void draft_insert(struct draft *d, u32 at, u32 ref)
{
	memmove(d->refs + at + 1, d->refs + at, (d->count - at) * sizeof(d->refs[0]));
	memmove(d->words + at + 1, d->words + at, (d->count - at) * sizeof(d->words[0]));
	d->refs[at] = ref;
	d->unknown = at;
	d->count++;
}

static void draft_remove(struct draft *d, u32 at)
{
	d->count--;
	memmove(d->refs + at, d->refs + at + 1, (d->count - at) * sizeof(d->refs[0]));
	memmove(d->words + at, d->words + at + 1, (d->count - at) * sizeof(d->words[0]));
}

/* Pair 1: whoever comes to @ref, instead of the node of @level on @way, finds it written. */
static void replace_node(struct kreg_store *s, struct kreg_tree_way *way, u32 level, u32 ref)
{
	struct kreg_root *root = kreg_store_root(s);
	u32 *from = level + 1 < way->levels ?
		    &kreg_tree_node(s, way->ref[level + 1])->refs[way->at[level + 1]] :
		    &root->front->tree;

	/* Pair 1. */
	smp_store_release(from, ref);
	if (way->ref[level])
		retire_node(s, way->ref[level]);
	way->ref[level] = ref;
}

/* The tree gets a root above the two entries. */
static void grow_root(struct kreg_store *s, struct kreg_tree_way *way, u32 left, u32 right)
{
	struct draft d = { .level = way->levels, .count = 2, .skip = ~0u };

	d.refs[0] = left;
	d.refs[1] = right;
	way->ref[way->levels] = 0;
	kreg_store_root(s)->order.levels = ++way->levels;
	replace_node(s, way, d.level, make_node(s, &d, 0, 2));
}

void kreg_tree_insert(struct kreg_store *s, struct kreg_tree_way *way, u32 mark)
{
	u32 level, left = 0, ref = mark;
	struct draft d;

	kreg_store_assert(s);
	for (level = 0; level < way->levels; level++) {
		u32 at = way->at[level] + 1, cut;

		draft_of(&d, kreg_tree_node(s, way->ref[level]));
		draft_insert(&d, at, ref);
		if (d.count <= KREG_TREE_FAN) {
			replace_node(s, way, level, make_node(s, &d, 0, d.count));
			return;
		}
		/* At the end: the left one stays full, since keys often come in their order. */
		cut = at == KREG_TREE_FAN ? at : d.count / 2;
		left = make_node(s, &d, 0, cut);
		ref = make_node(s, &d, cut, d.count - cut);
		replace_node(s, way, level, left);
	}
	grow_root(s, way, left, ref);
}

/* The node of @level on @way and the one behind it become one, if that is not too many. */
static bool join_with_next(struct kreg_store *s, struct kreg_tree_way *way, u32 level, u32 at)
{
	struct kreg_rec_tree *up = kreg_tree_node(s, way->ref[level + 1]);
	const struct kreg_rec_tree *left, *right;
	struct draft d;
	u32 old;

	if (at + 1 >= up->count)
		return false;
	left = kreg_tree_node(s, up->refs[at]);
	right = kreg_tree_node(s, up->refs[at + 1]);
	if (left->count + right->count > JOINED)
		return false;
	draft_of(&d, left);
	d.skip = ~0u;
	memcpy(d.refs + d.count, right->refs, right->count * sizeof(d.refs[0]));
	d.count += right->count;
	old = up->refs[at + 1];
	way->ref[level] = up->refs[at];
	way->at[level + 1] = at;
	replace_node(s, way, level, make_node(s, &d, 0, d.count));
	/* The entry of the right one goes next. */
	way->at[level + 1] = at + 1;
	way->ref[level] = old;
	return true;
}

/* A root with one entry goes; so does the last leaf, which leads to the begin of the list only. */
static void lower_root(struct kreg_store *s, struct kreg_tree_way *way)
{
	struct kreg_root *root = kreg_store_root(s);

	while (way->levels) {
		u32 ref = root->front->tree;
		const struct kreg_rec_tree *n = kreg_tree_node(s, ref);

		if (n->count > 1)
			return;
		/* Pair 1. */
		smp_store_release(&root->front->tree, n->refs[0]);
		retire_node(s, ref);
		root->order.levels = --way->levels;
	}
}

u32 kreg_tree_remove(struct kreg_store *s, struct kreg_tree_way *way)
{
	u32 level, joined = 0, first = 0;
	struct draft d;

	kreg_store_assert(s);
	for (level = 0; level < way->levels; level++) {
		draft_of(&d, kreg_tree_node(s, way->ref[level]));
		draft_remove(&d, way->at[level]);
		replace_node(s, way, level, make_node(s, &d, 0, d.count));
		if (joined)
			retire_node(s, joined);
		if (d.count >= FEW || level + 1 == way->levels)
			break;
		if (!join_with_next(s, way, level, way->at[level + 1]) &&
		    !(way->at[level + 1] &&
		      join_with_next(s, way, level, way->at[level + 1] - 1)))
			break;
		joined = way->ref[level];
		if (!level)
			first = kreg_tree_node(s, joined)->refs[0];
	}
	lower_root(s, way);
	return first;
}

void kreg_tree_replace_mark(struct kreg_store *s, const struct kreg_tree_way *way, u32 mark)
{
	u32 level = 0;

	kreg_store_assert(s);
	/* Pair 1, as a reference to a node. */
	smp_store_release(&kreg_tree_node(s, way->ref[0])->refs[way->at[0]], mark);
	while (level + 1 < way->levels && !way->at[level])
		level++;
	if (way->at[level] == 1)
		/* Pair 1. */
		smp_store_release(&kreg_tree_node(s, way->ref[level])->probe, mark);
}

/* A mark that @n, which is in the tree, leads to; NULL: to the begin of the list alone. */
static const struct kreg_rec *mark_below(const struct kreg_store *s, const struct kreg_rec_tree *n)
{
	u32 ref = n->refs[n->count > 1], level;

	for (level = n->level; level; level--)
		ref = kreg_tree_node(s, ref)->refs[0];
	return ref ? kreg_arena_rec(s, ref) : NULL;
}

bool kreg_tree_find_node(const struct kreg_store *s, u32 ref, struct kreg_tree_way *way)
{
	const struct kreg_rec *r = kreg_arena_rec(s, ref), *m;
	const struct kreg_rec_tree *n = kreg_tree_node(s, ref);
	struct kreg_key key = { .bytes = r->bytes };
	struct kreg_order_goal goal = { .key = &key, .run = s->runs, .before = true };

	kreg_store_assert(s);
	if (r->died || !n->count)
		return false;
	m = mark_below(s, n);
	if (m) {
		key.bytes = m->bytes;
		key.len = kreg_rec_key_len(m);
		goal.before = false;
		goal.born = m->born;
		goal.sub = m->hash;
	}
	kreg_tree_descend(s, &goal, way);
	return n->level < way->levels && way->ref[n->level] == ref;
}

void kreg_tree_replace_node(struct kreg_store *s, struct kreg_tree_way *way, u32 level, u32 ref)
{
	kreg_store_assert(s);
	replace_node(s, way, level, ref);
}
