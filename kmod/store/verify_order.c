// SPDX-License-Identifier: GPL-2.0
/* The invariants of an ordered list and its tree, walked together. For debug builds. */
#include "store/arena.h"
#include "store/order_write.h"
#include "store/tree.h"
#include "store/verify.h"

/* How far the pass is. */
struct pass {
	struct kreg_store *store;
	struct kreg_verify *found;
	u32 link;			/* what comes next in the list */
	const struct kreg_rec *before;	/* the record, or mark, before it */
};

static int order_of(const struct kreg_rec *a, const struct kreg_rec *b)
{
	return kreg_order_compare(a->bytes, kreg_rec_key_len(a), b->bytes, kreg_rec_key_len(b));
}

/*
 * Invariant 1: keys in order; of one key the younger first, and no mark between. In a run the
 * older first, and each at another place.
 */
static bool comes_after(const struct kreg_rec *before, const struct kreg_rec *r, bool runs)
{
	int order = before ? order_of(before, r) : -1;

	if (runs && !order)
		order = kreg_order_in_run(before, r->born, r->hash);
	if (r->lens & KREG_REC_MARK)
		return order < 0;
	if (runs)
		return order < 0 || (!order && before->lens & KREG_REC_MARK);
	return order < 0 || (!order && (before->lens & KREG_REC_MARK || before->born >= r->born));
}

static bool take_next(struct pass *p, const struct kreg_rec *r)
{
	if (!kreg_verify_record(p->store, p->link, r) ||
	    WARN_ON(!comes_after(p->before, r, p->store->runs)) ||
	    !kreg_verify_versions(p->store, r, p->found))
		return false;
	kreg_arena_chunk(p->store, p->link)->seen++;
	p->before = r;
	p->link = r->link;
	return true;
}

/*
 * Invariant 12: a bucket with @n records, which can be cut if @far, has been noted, or no more than
 * were counted. A write that is under way has yet to unlink some.
 */
static bool verify_count(const struct kreg_store *s, u32 mark, u32 n, bool far)
{
	u32 word = mark ? kreg_arena_rec(s, mark)->limbo : kreg_store_root(s)->order.begin;

	return s->writing || kreg_order_is_noted(word) ||
	       !WARN_ON(word >= KREG_ORDER_FAR || (far && n > word));
}

/* Invariant 10: the bucket of @mark comes next, up to the next mark or the end. */
static bool verify_bucket(struct pass *p, u32 mark)
{
	const struct kreg_rec *r;
	bool far = true;
	u32 n;

	if (WARN_ON(mark && mark != p->link))
		return false;
	if (mark && !take_next(p, kreg_arena_rec(p->store, mark)))
		return false;
	for (n = 0; p->link; n++) {
		r = kreg_arena_rec(p->store, p->link);
		if (r->lens & KREG_REC_MARK)
			break;
		/* From half of FAR on, the first of another key is where it would be cut. */
		if (n == KREG_ORDER_FAR / 2)
			far = p->store->runs;
		if (n >= KREG_ORDER_FAR / 2 && n < KREG_ORDER_CUT_TO && order_of(p->before, r))
			far = true;
		if (!take_next(p, r))
			return false;
	}
	return verify_count(p->store, mark, n, far);
}

/* Invariant 10: what a node says of the marks that it leads to. */
static bool verify_words(const struct kreg_store *s, const struct kreg_rec_tree *n)
{
	const struct kreg_reader v = kreg_tree_reader(s);
	const struct kreg_rec *first = n->count > 1 ? kreg_order_first(&v, n, 1) : NULL, *m;
	u32 i;

	if (WARN_ON(!n->count || n->count > KREG_TREE_FAN) ||
	    WARN_ON(first != (n->probe ? kreg_arena_rec(s, n->probe) : NULL)))
		return false;
	for (i = 1; i < n->count; i++) {
		m = kreg_order_first(&v, n, i);
		if (WARN_ON(kreg_order_common(m->bytes, kreg_rec_key_len(m), first->bytes,
					      kreg_rec_key_len(first)) < n->skip) ||
		    WARN_ON(kreg_order_word_at(m->bytes, kreg_rec_key_len(m), n->skip) !=
			    n->words[i]))
			return false;
	}
	return true;
}

/* From left to right, so that marks come in the order of the list. */
static bool verify_tree(struct pass *p, u32 ref, u32 level)
{
	struct kreg_store *s = p->store;
	const struct kreg_rec_tree *n = kreg_tree_node(s, ref);
	u32 i;

	if (WARN_ON(n->level != level || kreg_arena_rec(s, ref)->died) ||
	    !kreg_verify_record(s, ref, kreg_arena_rec(s, ref)))
		return false;
	kreg_arena_chunk(s, ref)->seen++;
	for (i = 0; i < n->count; i++)
		if (!(level ? verify_tree(p, n->refs[i], level - 1) :
			      verify_bucket(p, n->refs[i])))
			return false;
	return verify_words(s, n);
}

static bool verify_spares(struct kreg_store *s, u32 ref, u32 count)
{
	for (; ref && count; count--) {
		const struct kreg_rec *r = kreg_arena_rec(s, ref);

		if (WARN_ON(r->lens || r->link || r->hash))
			return false;
		ref = r->limbo;
	}
	return !WARN_ON(ref || count);
}

/* Those that upkeep will look at are marks, or the begin of the list, and no others say so. */
static bool verify_noted(const struct kreg_store *s, const struct kreg_order *o)
{
	u32 ref = o->noted, left = o->cuts + 1;

	for (; ref && ref != KREG_LINK_BUCKET && left; left--) {
		if (ref == KREG_LINK_BUCKET - 1) {
			ref = o->begin;
			continue;
		}
		if (WARN_ON(!(kreg_arena_rec(s, ref)->lens & KREG_REC_MARK)))
			return false;
		ref = kreg_arena_rec(s, ref)->limbo;
	}
	return !WARN_ON(ref && ref != KREG_LINK_BUCKET);
}

bool kreg_verify_ordered(struct kreg_store *s, struct kreg_verify *found)
{
	struct kreg_root *root = kreg_store_root(s);
	struct pass p = { .store = s, .found = found, .link = root->front->heads[0] };
	const struct kreg_order *o = &root->order;
	u32 tree = root->front->tree;

	if (WARN_ON(!tree != !o->levels || root->front->n))
		return false;
	if (!(tree ? verify_tree(&p, tree, o->levels - 1) : verify_bucket(&p, 0)))
		return false;
	return !WARN_ON(p.link) && verify_spares(s, o->spare_nodes, o->nodes) &&
	       verify_spares(s, o->spare_marks, o->marks) && verify_noted(s, o);
}
