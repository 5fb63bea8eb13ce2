// SPDX-License-Identifier: GPL-2.0
/* Slots that are set aside for the marks of an ordered list, and for the nodes of its tree. */
#include "store/arena.h"
#include "store/order_spare.h"
#include "store/tree.h"

/* What may be spare beyond what is wanted. */
#define SURPLUS	16

/* No bucket of fewer is cut, and with each cut so many records are left behind. */
#define LONG	10
#define HALF	5

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

u32 kreg_spare_use(struct kreg_store *s, unsigned int class)
{
	struct kreg_order *o = &kreg_store_root(s)->order;
	u32 ref;

	kreg_store_assert(s);
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

bool kreg_spare_nodes(struct kreg_store *s, struct kreg_prealloc *f)
{
	const struct kreg_root *root = kreg_store_root(s);

	kreg_store_assert(s);
	while (root->order.nodes < kreg_tree_nodes(root))
		if (spare_node(s, f))
			return false;
	return true;
}

bool kreg_spare_trim(struct kreg_store *s)
{
	struct kreg_root *root = kreg_store_root(s);
	struct kreg_order *o = &root->order;
	u32 surplus = s->objects < LONG ? 0 : SURPLUS;

	kreg_store_assert(s);
	if (o->marks > want_marks(s, o) + surplus)
		kreg_arena_unreserve(s, unspare_mark(s, o));
	else if (o->nodes > want_nodes(s, root) + surplus)
		kreg_arena_unreserve(s, kreg_tree_unspare(s));
	else
		return false;
	return true;
}
