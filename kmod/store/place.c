// SPDX-License-Identifier: GPL-2.0
/* Where in the list a key is, or would be, for the holder of the turn. */
#include "store/arena.h"
#include "store/internal.h"
#include "store/limbo.h"

void kreg_store_find(struct kreg_store *s, const struct kreg_key *key,
		     struct kreg_place *place)
{
	struct kreg_root *root = kreg_store_root(s);
	u32 *from = kreg_index_head(root, kreg_read_bucket(key->hash, root->front->n));
	u32 link;

	kreg_store_assert(s);
	place->old = NULL;
	while ((link = *from) && !(link & KREG_LINK_BUCKET)) {
		struct kreg_rec *r = kreg_arena_rec(s, link);
		int order = kreg_read_order(r, key);

		if (order < 0) {
			from = &r->link;
			continue;
		}
		/* The youngest of its key comes first; if it is dead, all are. */
		if (!order && r->died == KREG_ALIVE) {
			place->old = r;
			place->old_ref = link;
			place->old_bytes = kreg_rec_key_len(r) +
					   kreg_rec_value_len(r);
		}
		break;
	}
	place->link = from;
}

size_t kreg_place_memory(const struct kreg_store *s, const struct kreg_place *place)
{
	const struct kreg_rec *old = place->old;
	size_t slot = kreg_arena_size(kreg_arena_class(kreg_rec_weight(old)));

	kreg_store_assert(s);
	return slot + (kreg_rec_has_blob(old) ? kreg_blob_memory(kreg_blob_of(s, old)) : 0);
}
