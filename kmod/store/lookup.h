/* SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1-or-later */
/*
 * The lookup, for anyone who can get at records and heads. Before this file is included,
 * it has to be said how:
 *
 *	struct kreg_reader;
 *	const struct kreg_rec *kreg_reader_rec(const struct kreg_reader *, u32 ref);
 *	const u32 *kreg_reader_head(const struct kreg_reader *, u32 bucket);
 *	u32 kreg_reader_bucket(const struct kreg_reader *, u32 hash);
 */
#ifndef KREG_STORE_LOOKUP_H
#define KREG_STORE_LOOKUP_H

#include "store/layout.h"

/* Instead of a record: there is none, but one that is younger than c; there are marks. */
#define KREG_LOOKUP_NEWER	((const struct kreg_rec *)1)
#define KREG_LOOKUP_MARKED	((const struct kreg_rec *)2)

/*
 * The record of @key that was valid at commit @c, or NULL, or one of the above. With NEWER
 * the one of c may have been unlinked before this walk came by, and the caller looks at C
 * again. Without @marked, who finds a node looks again with it: to be able to go on at a
 * mark takes registers, and most lists have none.
 *
 * Every load of a link pairs with the store-release that put it there
 * (apply_put(), kreg_index_grow()): what is loaded through it is dependent
 * on it.
 */
static __always_inline const struct kreg_rec *
kreg_lookup(const struct kreg_reader *v, const struct kreg_key *key, u64 c, bool marked)
{
	const u32 *from = kreg_reader_head(v, kreg_reader_bucket(v, key->hash));
	bool newer = false;
	u32 link;

	while ((link = READ_ONCE(*from))) {
		const struct kreg_rec *r;
		int order;

		if (link & KREG_LINK_BUCKET) {
			link &= ~KREG_LINK_BUCKET;
			if (kreg_read_before(key->hash, link))
				break;
			from = kreg_reader_head(v, link);
			continue;
		}
		r = kreg_reader_rec(v, link);
		order = kreg_read_order(r, key);
		if (order > 0)
			break;
		if (!order && r->born > c)
			newer = true;
		else if (!order && c < READ_ONCE(r->died))
			return r;
		if (unlikely(r->lens & KREG_REC_NODE)) {
			if (!marked)
				return KREG_LOOKUP_MARKED;
			link = kreg_read_mark(r, key->hash);
			if (link)
				r = kreg_reader_rec(v, link);
		}
		from = &r->link;
	}
	return newer ? KREG_LOOKUP_NEWER : NULL;
}

#endif /* KREG_STORE_LOOKUP_H */
