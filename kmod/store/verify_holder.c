// SPDX-License-Identifier: GPL-2.0
/* The invariants of holders and their chains. For debug builds, see verify.c. */
#include "store/internal.h"

/* Invariant 9: a live bound record is in the chain of its holder, and no other is. */
static bool verify_chain(struct kreg_store *s, const struct kreg_holder *h)
{
	u32 ref, prev = 0, live = 0;

	for (ref = h->first; ref; live++) {
		const struct kreg_rec *r = kreg_arena_rec(s, ref);
		const struct kreg_rec_bond *bond = kreg_rec_bond(r);

		if (WARN_ON(!kreg_rec_is_bound(r) || r->died != KREG_ALIVE ||
			    bond->holder != h->handle || bond->prev != prev))
			return false;
		prev = ref;
		ref = bond->next;
	}
	return !WARN_ON(prev != h->last || live != h->live || h->seen != h->refs);
}

/* Each that was told of the last clear. */
static bool verify_chains(struct kreg_store *s, struct list_head *holders, u64 *bound)
{
	const struct kreg_holder *h;

	list_for_each_entry(h, holders, list) {
		if (h->epoch != s->epoch)
			continue;
		if (!verify_chain(s, h))
			return false;
		*bound += h->uncounted ? 0 : h->live;
	}
	return true;
}

static void clear_holders(struct list_head *holders)
{
	struct kreg_holder *h;

	list_for_each_entry(h, holders, list)
		h->seen = 0;
}

/* Turn. Before kreg_store_verify() counts what leads to them. */
void kreg_verify_clear_holders(struct kreg_store *s)
{
	struct kreg_extra *extra = s->extra;

	kreg_store_assert(s);
	if (!extra)
		return;
	clear_holders(&extra->holder_list);
	clear_holders(&extra->stale_holders);
	clear_holders(&extra->retired);
}

/* Turn. Once that is counted. */
bool kreg_verify_holders(struct kreg_store *s)
{
	struct kreg_extra *extra = s->extra;
	u64 bound = 0;

	kreg_store_assert(s);
	return !extra ||
	       (verify_chains(s, &extra->holder_list, &bound) &&
		verify_chains(s, &extra->stale_holders, &bound) &&
		verify_chains(s, &extra->retired, &bound) && !WARN_ON(bound != extra->bound));
}

static size_t list_memory(struct list_head *holders)
{
	struct kreg_holder *h;
	size_t sum = 0;

	list_for_each_entry(h, holders, list)
		sum += h->size;
	return sum;
}

/* Turn. */
size_t kreg_verify_holder_memory(struct kreg_extra *extra)
{
	return list_memory(&extra->holder_list) + list_memory(&extra->stale_holders) +
	       list_memory(&extra->retired);
}
