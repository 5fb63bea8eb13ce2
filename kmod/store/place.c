// SPDX-License-Identifier: GPL-2.0
/* Where in the list a key is, or would be, for the holder of the turn. */
#include "store/arena.h"
#include "store/internal.h"
#include "store/limbo.h"
#include "store/marks.h"
#include "store/order_find.h"

/*
 * From the link @from on, over @left links at most; with @marked, along marks. False: they
 * were not enough; place->link says how far it is.
 */
static __always_inline bool walk_to(struct kreg_store *s, const struct kreg_key *key,
				    struct kreg_place *place, u32 *from, u32 *left, bool marked)
{
	u32 link;

	place->old = NULL;
	place->behind = NULL;
	while ((link = *from) && !(link & KREG_LINK_BUCKET)) {
		struct kreg_rec *r = kreg_arena_rec(s, link);
		int order = kreg_read_order(r, key);

		if (order < 0) {
			if (unlikely(!*left)) {
				place->link = from;
				return false;
			}
			--*left;
			from = marked ? kreg_marks_link(s, r, key->hash) : &r->link;
			continue;
		}
		/* The youngest of its key comes first; if it is dead, all are. */
		if (!order && r->died == KREG_ALIVE) {
			place->old = r;
			place->old_ref = link;
			place->old_bytes = kreg_rec_key_len(r) +
					   kreg_rec_value_len(r);
		}
		place->behind = &r->link;
		break;
	}
	place->link = from;
	return true;
}

/* The rest of a long walk. */
bool kreg_store_find_on(struct kreg_store *s, const struct kreg_key *key, struct kreg_place *place)
{
	u32 left = s->links;
	bool found;

	kreg_store_assert(s);
	if (unlikely(s->ordered))
		return kreg_order_find_on(s, key, place);
	found = walk_to(s, key, place, place->link, &left, true);
	s->links = left;
	kreg_marks_count_links(s);
	kreg_marks_note(s, key->hash);
	return found;
}

static __always_inline u32 *head_of(struct kreg_store *s, const struct kreg_key *key)
{
	struct kreg_root *root = kreg_store_root(s);

	return kreg_index_head(root, kreg_read_bucket(key->hash, root->front->n));
}

/* Where marks are, they make it a short walk; most lists have none, so it begins anew. */
static noinline bool find_far(struct kreg_store *s, const struct kreg_key *key,
			      struct kreg_place *place)
{
	u32 left = KREG_STRETCH + 2;	/* the node and the mark */

	if (s->crowd.nodes && walk_to(s, key, place, head_of(s, key), &left, true))
		return true;
	return kreg_store_find_on(s, key, place);
}

bool kreg_store_find(struct kreg_store *s, const struct kreg_key *key, struct kreg_place *place)
{
	u32 left = KREG_STRETCH;

	kreg_store_assert(s);
	if (unlikely(s->ordered))
		return kreg_order_find(s, key, place);
	return likely(walk_to(s, key, place, head_of(s, key), &left, false)) ||
	       find_far(s, key, place);
}

size_t kreg_store_memory_of(const struct kreg_store *s, u32 ref)
{
	const struct kreg_rec *r = kreg_arena_rec(s, ref);
	size_t slot = kreg_arena_size(kreg_arena_class(kreg_rec_weight(r)));

	kreg_store_assert(s);
	return slot + (kreg_rec_has_blob(r) ? kreg_blob_memory(kreg_blob_of(s, r)) : 0);
}
