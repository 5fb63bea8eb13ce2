// SPDX-License-Identifier: GPL-2.0
/*
 * The index: heads of buckets, added and removed one at a time.
 *
 * Bucket n splits off the one without its top bit, in the order of linear
 * hashing, so any number of buckets will do and each step costs a walk over one
 * bucket. read.h says why a reader with another n is right all the same.
 *
 * Heads beyond those in the root lie in pages of 1024. Callers bring them; where
 * one is missing growth is put off, which makes walks longer and nothing else.
 */
#include "engine.h"

/* Turn. Put the spare page behind those of the index. */
static bool install(struct kreg_store *s, struct kreg_root *root)
{
	if (!s->spare || kreg_dir_wants(&root->dir))
		return false;
	*kreg_dir_at(&root->dir, kreg_dir_take(&root->dir)) = s->spare;
	s->spare = NULL;
	return true;
}

static u32 capacity(const struct kreg_root *root)
{
	return root->dir.used ? root->dir.used << KREG_PAGE_SHIFT :
	       KREG_HEADS_INLINE;
}

static bool growing_out(const struct kreg_store *s, const struct kreg_root *root)
{
	u32 room = capacity(root);

	return s->objects + s->reserved + (room >> 3) >= room;
}

/* Turn. Ask for a page ahead of need. */
void kreg_index_want(const struct kreg_store *s, struct kreg_feed *f)
{
	struct kreg_root *root = kreg_store_root(s);
	u8 seg;

	if (likely(!growing_out(s, root)))
		return;
	seg = kreg_dir_wants(&root->dir);
	if (seg == KREG_DIR_FULL || (s->spare && !seg))
		return;
	f->want_index = true;
	f->want_page = !s->spare;
	f->want_seg[KREG_FEED_PAGES] = seg;
}

/* Turn. Whether @page was taken. */
bool kreg_index_add(struct kreg_store *s, u32 *page)
{
	struct kreg_root *root = kreg_store_root(s);

	if (s->spare || !page)
		return false;
	s->spare = page;
	s->memory += PAGE_SIZE;
	if (growing_out(s, root))
		install(s, root);
	return true;
}

/* Turn. One bucket more; false if its page is missing. */
bool kreg_index_grow(struct kreg_store *s)
{
	struct kreg_root *root = kreg_store_root(s);
	u32 b = root->n, parent = b & (kreg_read_mask(b) >> 1);
	u32 page = b >> KREG_PAGE_SHIFT;
	u32 *from, link;

	if (b >= KREG_HEADS_INLINE) {
		if (page >= root->dir.used && !install(s, root))
			return false;
		s->retire = max(s->retire, page + 1);
	}
	from = kreg_index_head(root, parent);
	while ((link = *from) && !(link & KREG_LINK_BUCKET)) {
		struct kreg_rec *r = kreg_arena_rec(s, link);

		if (r->hash & (b ^ parent))
			break;
		from = &r->link;
	}
	WRITE_ONCE(*kreg_index_head(root, b), link);
	/* Pair 4, with readers that come to heads[b] by this link. */
	smp_store_release(from, KREG_LINK_BUCKET | b);
	/* Pair 4, with kreg_view_enter(). */
	smp_store_release(&root->n, b + 1);
	return true;
}

/* Turn. One bucket less; heads[b] stays, for readers that have the old n. */
static void shrink(struct kreg_store *s, struct kreg_root *root)
{
	u32 b = root->n - 1, parent = b & (kreg_read_mask(b) >> 1);
	u32 *from = kreg_index_head(root, parent);

	WRITE_ONCE(root->n, b);
	/*
	 * Pair 4, with kreg_view_enter(): whoever has seen a commit that came
	 * after this does not start at heads[b] any more.
	 */
	smp_wmb();
	while (*from != (KREG_LINK_BUCKET | b))
		from = &kreg_arena_rec(s, *from)->link;
	WRITE_ONCE(*from, *kreg_index_head(root, b));
}

/* Pages that buckets and expected records use, and half a page to spare. */
static u32 pages_to_keep(const struct kreg_store *s, const struct kreg_root *root)
{
	u64 use = max_t(u64, root->n, s->objects + s->reserved);

	if (root->n <= KREG_HEADS_INLINE &&
	    s->objects + s->reserved < KREG_HEADS_INLINE / 2)
		return 0;
	return (use + 3 * KREG_PAGE_HEADS / 2 - 1) >> KREG_PAGE_SHIFT;
}

/*
 * Turn. Give a page back that has had no bucket for a grace period: a reader may
 * have an n from before. Growth into a page takes it off the list.
 */
static bool retire(struct kreg_store *s, struct kreg_root *root)
{
	u32 keep = pages_to_keep(s, root);
	u32 *page;

	if (s->retiring)
		keep = max(s->retire, keep);
	if (keep >= root->dir.used) {
		s->retiring = false;
		return false;
	}
	if (!s->retiring) {
		s->retiring = true;
		s->retire = keep;
		s->retire_cookie = start_poll_synchronize_rcu();
		return false;
	}
	if (!poll_state_synchronize_rcu(s->retire_cookie))
		return false;
	kreg_limbo_reuse(s);
	page = *kreg_dir_at(&root->dir, --root->dir.used);
	if (s->spare) {
		kreg_pages_free(page, 0);
		s->memory -= PAGE_SIZE;
	} else {
		s->spare = page;
	}
	return true;
}

/* Turn. A step towards one bucket an object; false if there is none to take. */
bool kreg_index_step(struct kreg_store *s)
{
	struct kreg_root *root = kreg_store_root(s);

	if (s->objects > root->n)
		return kreg_index_grow(s);
	if (root->n > KREG_HEADS_INLINE && s->objects < root->n >> 2) {
		shrink(s, root);
		return true;
	}
	/* Most often that is all: no page could be spared. */
	if (root->n > KREG_HEADS_INLINE && !s->retiring &&
	    root->dir.used << KREG_PAGE_SHIFT < root->n + 3 * KREG_PAGE_HEADS / 2)
		return false;
	return retire(s, root);
}
