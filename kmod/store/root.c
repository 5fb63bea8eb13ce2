// SPDX-License-Identifier: GPL-2.0
/*
 * Roots, and how a store is cleared.
 *
 * DOC: Clear
 *
 * To clear is to put an empty root in place of the old one, whatever that holds.
 * A reader whose c is older than the new root follows ->previous to the one that
 * was in force at c. The old root takes everything along: all chunks, all blobs,
 * its index, and with them the records in limbo. After its commit and a grace
 * period nobody is left who could be inside, and kreg_root_step() lets the pieces
 * go, oldest root first. So two clears in a row, or in one batch, are just two
 * roots in the queue; those of one batch have equal ->born, and the last is found
 * first.
 *
 * One thing does not fit: a slot that was reserved before the clear and is used
 * after it lies in a chunk that goes with its root. The store's epoch counts clears; a
 * chunk of an older epoch gives out no slots, but holds
 *
 *	reserved	slots that may still be used, and
 *	survivors	those used since the clear that chunk->touched tells of. A
 *			later clear ends these, too, which shows in touched being
 *			older than the store's epoch.
 *
 * When such a chunk's root is let go, the chunk itself goes unless it has
 * reserved slots, or survivors that were born under a younger root. Nor does it go,
 * while roots are in the queue, if it was used since: of survivors that a later clear
 * has ended the number is not known any more, and their root may be among those. Then
 * it joins the chunks of the next root in the queue, whose readers may be looking at
 * it; without one, the orphans of the store, which the next clear takes along like all
 * others. With the queue empty it goes when the last such slot does.
 */
#include <linux/sched.h>
#include <linux/slab.h>

#include "store/arena.h"
#include "store/index.h"
#include "store/internal.h"
#include "store/limbo.h"
#include "store/marks.h"

#define INDEX_SEGS	17	/* for 2^30 buckets */

void *kreg_root_alloc(gfp_t gfp)
{
	struct kreg_root *root = kzalloc(sizeof(*root), gfp);

	if (!root)
		return NULL;
	root->front = &root->own_front;
	root->front->n = 1;
	kreg_array_init(&root->dir, 0, 1, INDEX_SEGS);
	INIT_LIST_HEAD(&root->chunks);
	INIT_LIST_HEAD(&root->blobs);
	return root;
}

static size_t root_and_index(const struct kreg_root *root)
{
	return sizeof(*root) + root->dir.used * PAGE_SIZE +
	       kreg_array_memory(&root->dir);
}

/* Sleeps only if it has an index, which a fresh one has not. */
void kreg_root_free(void *p)
{
	struct kreg_root *root = p;
	u8 order;

	if (!root)
		return;
	while (root->dir.used) {
		u32 *pages = kreg_index_cut(root, &order);

		kreg_pages_free(pages, order);
		cond_resched();
	}
	kreg_array_free(&root->dir);
	kfree(root);
}

static void take_along(struct kreg_store *s, struct kreg_root *old)
{
	unsigned int i;

	for (i = 0; i < KREG_CLASSES; i++) {
		list_splice_init(&s->classes[i].partial, &old->chunks);
		s->classes[i].pieces = 0;
		s->classes[i].idle = 0;
	}
	list_splice_init(&s->full, &old->chunks);
	list_splice_init(&s->thin.drained, &old->chunks);
	s->thin.chunk = NULL;
	list_splice_init(&s->orphans, &old->chunks);
	if (s->extra)
		list_splice_init(&s->extra->blob_list, &old->blobs);
	old->weight = s->bytes + s->objects * sizeof(struct kreg_rec) + s->limbo.bytes;
}

/* Turn. Readers up to the commit that replaces it may come to @root, and nobody later. */
static void add_cleared(struct kreg_store *s, struct kreg_root *root)
{
	list_add_tail(&root->cleared, &s->cleared);
	s->cleared_count++;
	s->cleared_bytes += root->weight;
}

/* The same of one that pins need. What was kept for them goes with it. */
static void add_pinned(struct kreg_store *s, struct kreg_root *root)
{
	struct kreg_extra *extra = s->extra;
	struct kreg_pin *p;

	root->weight += extra->kept_bytes;
	list_add_tail(&root->cleared, &extra->pinned);
	list_for_each_entry(p, &extra->pins, node) {
		p->kept = 0;
		kreg_pin_weigh(s, p, root->weight);
	}
}

/* Turn. All that was kept for pins is part of a root that a clear has replaced. */
static void forget_kept(struct kreg_store *s)
{
	s->kept = 0;
	s->unkept = 0;
	if (s->extra)
		s->extra->kept_bytes = 0;
}

/* Turn. All objects go with the commit that @root is born in. */
void kreg_root_replace(struct kreg_store *s, struct kreg_root *root, u64 born)
{
	struct kreg_root *old = kreg_store_root(s);

	take_along(s, old);
	if (unlikely(s->pinned))
		add_pinned(s, old);
	else
		add_cleared(s, old);
	forget_kept(s);
	kreg_index_trim(s);
	kreg_limbo_forget(s);
	kreg_marks_forget(s);
	s->retiring = false;
	s->objects = 0;
	s->bytes = 0;
	s->memory += root_and_index(root);
	root->front->n = !s->ordered;
	/* What is spare is reserved, and stays so. */
	root->order = old->order;
	root->order.noted = 0;
	root->order.begin = 0;
	root->order.cuts = 0;
	root->order.levels = 0;
	root->epoch = ++s->epoch;
	if (s->extra) {
		kreg_holder_forget(s);
		kreg_wheel_forget(s);
	}
	root->born = born;
	root->previous = old;
	rcu_assign_pointer(s->root, root);
}

/*
 * Turn, with some root replaced by a clear. The commit that replaced the last of them
 * is done: their grace period begins.
 */
void kreg_root_start_grace(struct kreg_store *s)
{
	struct kreg_root *root;
	unsigned long cookie;

	kreg_store_assert(s);
	if (list_last_entry(&s->cleared, struct kreg_root, cleared)->has_cookie)
		return;
	cookie = start_poll_synchronize_rcu();
	list_for_each_entry_reverse(root, &s->cleared, cleared) {
		if (root->has_cookie)
			break;
		root->cookie = cookie;
		root->has_cookie = true;
	}
}

/* The oldest root that a clear has replaced, or NULL. */
static struct kreg_root *oldest_cleared(struct kreg_store *s)
{
	struct kreg_root *root = list_first_entry_or_null(&s->cleared, struct kreg_root, cleared);

	if (!root && s->extra)
		root = list_first_entry_or_null(&s->extra->pinned, struct kreg_root, cleared);
	return root;
}

/* The commit with which the next root came, behind @root of the pinned ones. */
static u64 born_behind(const struct kreg_store *s, const struct kreg_root *root)
{
	return list_is_last(&root->cleared, &s->extra->pinned) ? kreg_store_root(s)->born :
	       list_next_entry(root, cleared)->born;
}

/* Turn. @p is set, while a clear may be under way: what that has replaced @p needs. */
void kreg_root_pin(struct kreg_store *s, struct kreg_pin *p)
{
	struct kreg_root *root, *next = kreg_store_root(s);

	kreg_store_assert(s);
	while (next->born > p->version && !list_empty(&s->cleared)) {
		root = list_last_entry(&s->cleared, struct kreg_root, cleared);
		list_move(&root->cleared, &s->extra->pinned);
		s->cleared_count--;
		s->cleared_bytes -= root->weight;
		kreg_pin_weigh(s, p, root->weight);
		next = root;
	}
}

/* Turn. A pin has ended: roots that none needs any more go the way of others. */
void kreg_root_unpin(struct kreg_store *s)
{
	struct kreg_extra *extra = s->extra;
	struct kreg_root *root;

	kreg_store_assert(s);
	while (!list_empty(&extra->pinned)) {
		root = list_first_entry(&extra->pinned, struct kreg_root, cleared);
		if (s->pinned && list_first_entry(&extra->pins, struct kreg_pin, node)->version <
				 born_behind(s, root))
			return;
		list_del(&root->cleared);
		add_cleared(s, root);
	}
}

/* The next root may go: from now on nobody comes to it through its successor. */
static bool start_ending(struct kreg_store *s)
{
	struct kreg_root *root = list_first_entry_or_null(&s->cleared,
						struct kreg_root, cleared);
	struct kreg_root *next;

	/* A pin has needed it until now. */
	if (root && !root->has_cookie)
		kreg_root_start_grace(s);
	if (!root || !poll_state_synchronize_rcu(root->cookie))
		return false;
	list_del(&root->cleared);
	s->cleared_count--;
	s->cleared_bytes -= root->weight;
	next = oldest_cleared(s) ?: kreg_store_root(s);
	WRITE_ONCE(next->previous, NULL);
	kreg_limbo_reuse(s);
	s->ending = root;
	return true;
}

static void release_chunk(struct kreg_store *s, struct kreg_chunk *chunk)
{
	struct kreg_root *next = oldest_cleared(s);

	if (!chunk->reserved &&
	    (chunk->touched <= s->ending->epoch || (!chunk->survivors && !next))) {
		kreg_arena_remove(s, chunk);
		return;
	}
	list_move(&chunk->list, next ? &next->chunks : &s->orphans);
}

/* Turn. Let go of a piece of a root whose grace period is over, if any. */
bool kreg_root_step(struct kreg_store *s)
{
	struct kreg_root *root = s->ending;

	kreg_store_assert(s);
	if (!root)
		return start_ending(s);
	if (!list_empty(&root->chunks)) {
		release_chunk(s, list_first_entry(&root->chunks,
						  struct kreg_chunk, list));
	} else if (!list_empty(&root->blobs)) {
		kreg_blob_detach(s, list_first_entry(&root->blobs,
						     struct kreg_blob, list));
	} else {
		s->memory -= root_and_index(root);
		s->ending = NULL;
		if (llist_add(&root->free_node, &s->dead_roots))
			queue_work(system_unbound_wq, &s->reaper);
	}
	return true;
}

/* In a worker: what may sleep or take long. */
void kreg_root_reap(struct work_struct *work)
{
	struct kreg_store *s = container_of(work, struct kreg_store, reaper);
	struct kreg_chunk *chunk, *next_chunk;
	struct kreg_blob *b, *next_blob;
	struct kreg_root *root, *next_root;

	llist_for_each_entry_safe(b, next_blob, llist_del_all(&s->dead_blobs),
				  free_node) {
		kreg_blob_free(b);
		cond_resched();
	}
	llist_for_each_entry_safe(chunk, next_chunk, llist_del_all(&s->dead_chunks), free_node) {
		kreg_chunk_free(chunk);
		cond_resched();
	}
	llist_for_each_entry_safe(root, next_root,
				  llist_del_all(&s->dead_roots), free_node)
		kreg_root_free(root);
}

static void discard_root(struct kreg_root *root)
{
	struct kreg_chunk *chunk, *next_chunk;
	struct kreg_blob *b, *next_blob;

	list_for_each_entry_safe(chunk, next_chunk, &root->chunks, list) {
		kreg_chunk_free(chunk);
		cond_resched();
	}
	list_for_each_entry_safe(b, next_blob, &root->blobs, list) {
		kreg_blob_put(b);
		cond_resched();
	}
	kreg_root_free(root);
}

/* Nobody else is left. */
void kreg_root_exit(struct kreg_store *s)
{
	struct kreg_root *root, *next;

	root = rcu_dereference_protected(s->root, true);
	take_along(s, root);
	add_cleared(s, root);
	if (s->extra)
		list_splice_init(&s->extra->pinned, &s->cleared);
	list_for_each_entry_safe(root, next, &s->cleared, cleared)
		discard_root(root);
	if (s->ending)
		discard_root(s->ending);
}
