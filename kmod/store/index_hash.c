// SPDX-License-Identifier: GPL-2.0
/*
 * The index: heads of buckets, added and removed one at a time.
 *
 * Bucket n splits off the one without its top bit, in the order of linear
 * hashing, so any number of buckets will do and each step costs a walk over one
 * bucket. layout.h says why a reader with another n is right all the same.
 *
 * Heads beyond those in the root lie in pages of 1024. Callers bring them; where
 * one is missing growth is put off, which makes walks longer and nothing else.
 *
 * The first pages come and go one at a time, later ones in spans of sixteen as long
 * as memory is not too fragmented. When there are too many single pages on the lists
 * that pages.c tells of, the page allocator takes as many off them, with interrupts
 * off, as were freed in a row.
 */
#include "store/gfp.h"
#include "store/index.h"
#include "store/internal.h"
#include "store/limbo.h"
#include "store/marks.h"

/* Pages that come next, log2. Once a single one had to do, no spans follow it. */
static unsigned int grow_order(const struct kreg_root *root)
{
	return root->dir.used == kreg_index_spanned(root) ? KREG_SPAN_ORDER : 0;
}

/* Pages that go next, log2. */
static unsigned int cut_order(const struct kreg_root *root)
{
	return root->spans ? grow_order(root) : 0;
}

/* Turn. The last pages are not the index's any more. There are some. */
u32 *kreg_index_cut(struct kreg_root *root, u8 *order)
{
	*order = cut_order(root);
	root->dir.used -= 1u << *order;
	if (*order)
		root->spans--;
	return *kreg_array_at(&root->dir, root->dir.used);
}

/* Not under the turn. What is there instead if pages of @order are not; or NULL. */
u32 *kreg_index_alloc(u8 *order)
{
	u32 *pages = NULL;

	if (*order)
		pages = kreg_pages_alloc(*order, KREG_GFP_TRY | __GFP_ZERO);
	if (!pages) {
		*order = 0;
		pages = kreg_pages_alloc(0, KREG_GFP_USER | __GFP_ZERO);
	}
	return pages;
}

static bool spare_fits(const struct kreg_store *s, const struct kreg_root *root)
{
	return s->spare && s->spare_order == grow_order(root);
}

/* Turn. Put the spare pages, or what there is instead, behind those of the index. */
static bool install_spare(struct kreg_store *s, struct kreg_root *root)
{
	u32 i;

	kreg_store_assert(s);
	kreg_debug_warn(s->spare_order > grow_order(root));
	if (kreg_array_wants(&root->dir))
		return false;
	for (i = 0; i < 1u << s->spare_order; i++)
		*kreg_array_at(&root->dir, kreg_array_take(&root->dir)) =
			s->spare + (i << KREG_PAGE_SHIFT);
	if (s->spare_order)
		root->spans++;
	s->spare = NULL;
	return true;
}

/* Turn. A single page may stay to spare, a span may not. */
void kreg_index_trim(struct kreg_store *s)
{
	kreg_store_assert(s);
	if (!s->spare || !s->spare_order)
		return;
	s->memory -= PAGE_SIZE << s->spare_order;
	kreg_pages_free(s->spare, s->spare_order);
	s->spare = NULL;
}

/* Turn. Make @pages the spare ones; those that were, if any, take their place. */
static void swap_spare(struct kreg_store *s, u32 **pages, u8 *order)
{
	kreg_store_assert(s);
	swap(s->spare, *pages);
	swap(s->spare_order, *order);
	s->memory += PAGE_SIZE << s->spare_order;
	if (*pages)
		s->memory -= PAGE_SIZE << *order;
	else
		*order = 0;
}

static u32 index_capacity(const struct kreg_root *root)
{
	return root->dir.used ? root->dir.used << KREG_PAGE_SHIFT :
	       KREG_HEADS_INLINE;
}

static bool growing_out(const struct kreg_store *s, const struct kreg_root *root)
{
	u32 room = index_capacity(root);

	return kreg_store_linked(s) + s->reserved + (room >> 3) >= room;
}

/* Turn. Ask for pages ahead of need. */
void kreg_index_want(const struct kreg_store *s, struct kreg_prealloc *f)
{
	struct kreg_root *root = kreg_store_root(s);
	u8 seg;

	kreg_store_assert(s);
	if (likely(!growing_out(s, root)) || s->ordered)
		return;
	seg = kreg_array_wants(&root->dir);
	if (seg == KREG_ARRAY_FULL || (spare_fits(s, root) && !seg))
		return;
	f->want_index = true;
	f->want_pages = !spare_fits(s, root);
	f->index_order = grow_order(root);
	f->want_seg[KREG_PREALLOC_PAGES] = seg;
}

/* Turn. Take what @f brought; it may get back what does not fit any more. */
void kreg_index_add(struct kreg_store *s, struct kreg_prealloc *f)
{
	struct kreg_root *root = kreg_store_root(s);

	kreg_store_assert(s);
	/* Much may have happened since it asked. */
	if (!f->brought.pages || s->ordered || f->brought.asked != grow_order(root) ||
	    spare_fits(s, root))
		return;
	swap_spare(s, &f->brought.pages, &f->brought.order);
	f->brought.asked = f->brought.order;
	if (growing_out(s, root))
		install_spare(s, root);
}

/* The rest of a long walk. NULL if this hold of the turn has walked over as many as it may. */
static noinline u32 *link_to_bucket_far(struct kreg_store *s, u32 *from, u32 b, u32 bit)
{
	u32 link;

	for (; (link = *from) && !(link & KREG_LINK_BUCKET); s->links--) {
		struct kreg_rec *r = kreg_arena_rec(s, link);

		if (r->hash & bit)
			break;
		if (!s->links) {
			kreg_marks_note(s, r->hash);
			return NULL;
		}
		from = kreg_marks_link(s, r, b);
	}
	return from;
}

/*
 * The link that bucket @b is to be put in at, or, once it is, the link that leads there.
 * NULL if that is too far: until there are marks in between, the index stays as it is.
 * *@left is 0 if it was far.
 */
static __always_inline u32 *link_to_bucket(struct kreg_store *s, struct kreg_root *root, u32 b,
					   unsigned int *left)
{
	u32 parent = b & (kreg_read_mask(b) >> 1), link;
	u32 *from = kreg_index_head(root, parent);

	*left = KREG_STRETCH;
	while ((link = *from) && !(link & KREG_LINK_BUCKET)) {
		struct kreg_rec *r = kreg_arena_rec(s, link);

		if (r->hash & (b ^ parent))
			break;
		if (unlikely(!*left || r->lens & KREG_REC_NODE)) {
			*left = 0;
			return link_to_bucket_far(s, from, b, b ^ parent);
		}
		--*left;
		from = &r->link;
	}
	return from;
}

/* Turn. One bucket more; false if its page is missing, or the walk to its place too long. */
bool kreg_index_grow(struct kreg_store *s)
{
	struct kreg_root *root = kreg_store_root(s);
	u32 b = root->front->n;
	u32 page = b >> KREG_PAGE_SHIFT;
	unsigned int left;
	u32 *from;

	kreg_store_assert(s);
	if (b >= KREG_HEADS_INLINE) {
		if (page >= root->dir.used &&
		    (!spare_fits(s, root) || !install_spare(s, root)))
			return false;
		s->retire = max(s->retire, page + 1);
	}
	from = link_to_bucket(s, root, b, &left);
	if (unlikely(!from))
		return false;
	WRITE_ONCE(*kreg_index_head(root, b), *from);
	/* Pair 4, with readers that come to heads[b] by this link. */
	smp_store_release(from, KREG_LINK_BUCKET | b);
	/* Pair 4, with kreg_reader_enter(). */
	smp_store_release(&root->front->n, b + 1);
	return true;
}

/*
 * Turn. One bucket less; heads[b] stays, for readers that have the old n. False if the walk
 * there is too long.
 */
static bool shrink_index(struct kreg_store *s, struct kreg_root *root)
{
	u32 b = root->front->n - 1;
	unsigned int left;
	u32 *from = link_to_bucket(s, root, b, &left);

	kreg_store_assert(s);
	if (unlikely(!from))
		return false;
	WRITE_ONCE(root->front->n, b);
	/*
	 * Pair 4, with kreg_reader_enter(): whoever has seen a commit that came
	 * after this does not start at heads[b] any more.
	 */
	smp_wmb();
	WRITE_ONCE(*from, *kreg_index_head(root, b));
	/* Two parts of which neither is long may be one that is. */
	if (unlikely(!left))
		kreg_marks_note(s, b);
	else
		kreg_marks_look(s, from, b, left);
	return true;
}

/* Pages that buckets and expected records use, and half a page to spare. */
static u32 pages_to_keep(const struct kreg_store *s, const struct kreg_root *root)
{
	u64 linked = kreg_store_linked(s) + s->reserved;
	u64 use = max_t(u64, root->front->n, linked);

	if (root->front->n <= KREG_HEADS_INLINE && linked < KREG_HEADS_INLINE / 2)
		return 0;
	return (use + 3 * KREG_PAGE_HEADS / 2 - 1) >> KREG_PAGE_SHIFT;
}

/*
 * Turn. Give pages back that have had no bucket for a grace period: a reader may
 * have an n from before. Growth into a page takes it off the list.
 */
static bool retire_pages(struct kreg_store *s, struct kreg_root *root)
{
	u32 keep = pages_to_keep(s, root);
	u8 order = cut_order(root);
	u32 *pages;

	kreg_store_assert(s);
	if (s->retiring)
		keep = max(s->retire, keep);
	if (keep + (1u << order) > root->dir.used) {
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
	pages = kreg_index_cut(root, &order);
	s->memory -= PAGE_SIZE << order;
	swap_spare(s, &pages, &order);
	kreg_pages_free(pages, order);
	return true;
}

/* Turn. A step towards one bucket an object; false if there is none to take. */
bool kreg_index_step(struct kreg_store *s)
{
	struct kreg_root *root = kreg_store_root(s);
	u64 linked = kreg_store_linked(s);

	kreg_store_assert(s);
	if (linked > root->front->n)
		return kreg_index_grow(s);
	if (root->front->n > KREG_HEADS_INLINE && linked < root->front->n >> 2 &&
	    !s->crowd.wanted && shrink_index(s, root))
		return true;
	/* Most often that is all: no page could be spared. */
	if (root->front->n > KREG_HEADS_INLINE && !s->retiring &&
	    (root->dir.used + 1 - (1u << cut_order(root))) << KREG_PAGE_SHIFT <
	    root->front->n + 3 * KREG_PAGE_HEADS / 2)
		return false;
	return retire_pages(s, root);
}
