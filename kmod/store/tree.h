/* SPDX-License-Identifier: GPL-2.0 */
/* The tree over the marks of an ordered list, as its writer changes it: see tree.c. */
#ifndef KREG_STORE_TREE_H
#define KREG_STORE_TREE_H

#include <linux/types.h>

#include "store/internal.h"

/* With one more there would be more marks than references. */
#define KREG_TREE_LEVELS	8

/**
 * struct kreg_tree_way - from the root of the tree down to a mark
 * @levels: of the tree; 0: there is none
 * @ref: the node on each level, the leaf first
 * @at: its entry
 */
struct kreg_tree_way {
	u32 levels;
	u32 ref[KREG_TREE_LEVELS];
	u32 at[KREG_TREE_LEVELS];
};

/* The nodes that a change of the tree may take. */
static inline u32 kreg_tree_nodes(const struct kreg_root *root)
{
	return 2 * root->order.levels + 1;
}

/* Turn. What the reader's functions of order.h want; of the newest state. */
static inline struct kreg_reader kreg_tree_reader(const struct kreg_store *s)
{
	return (struct kreg_reader) { .store = s, .root = kreg_store_root(s) };
}

/* Turn. */
static inline struct kreg_rec_tree *kreg_tree_node(const struct kreg_store *s, u32 ref)
{
	return (struct kreg_rec_tree *)kreg_arena_rec(s, ref)->bytes;
}

/* Turn. The last mark that is not behind @goal; 0: the begin of the list. */
u32 kreg_tree_descend(const struct kreg_store *s, const struct kreg_order_goal *goal,
		      struct kreg_tree_way *way);
/*
 * Turn, with kreg_tree_nodes() spare nodes. @mark, which is linked behind the mark that @way
 * leads to, comes next to that, or the entry that @way leads to, which is not the first of its
 * leaf, goes. The latter returns the mark that was the first of its leaf, and is not now, or 0.
 */
void kreg_tree_insert(struct kreg_store *s, struct kreg_tree_way *way, u32 mark);
u32 kreg_tree_remove(struct kreg_store *s, struct kreg_tree_way *way);
/* Turn. @mark, a copy of the one that @way leads to and linked instead of it, takes its place. */
void kreg_tree_replace_mark(struct kreg_store *s, const struct kreg_tree_way *way, u32 mark);
/* Turn. Whether the slot @ref, a node or one that was, is in the tree, and how to come to it. */
bool kreg_tree_find_node(const struct kreg_store *s, u32 ref, struct kreg_tree_way *way);
/* Turn. @ref, a copy of the node of @level on @way, takes its place. */
void kreg_tree_replace_node(struct kreg_store *s, struct kreg_tree_way *way, u32 level, u32 ref);
/* Turn. The slot @ref, which is reserved, becomes a spare node; or one of these none any more. */
void kreg_tree_spare(struct kreg_store *s, u32 ref);
u32 kreg_tree_unspare(struct kreg_store *s);

#endif /* KREG_STORE_TREE_H */
