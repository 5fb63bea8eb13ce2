// SPDX-License-Identifier: GPL-2.0
/* The invariants of pins, in debug builds. */
#include "store/limbo.h"
#include "store/verify.h"

/* The records of a chain, and their weight. */
struct chain {
	u64 records;
	u64 bytes;
};

static bool was_valid(const struct kreg_rec *r, struct kreg_pin *p)
{
	return r->born <= p->version && p->version < r->died;
}

/* Whether @r, in the chain of @p, belongs to that of a younger pin. */
static bool belongs_elsewhere(const struct kreg_store *s, const struct kreg_rec *r,
			      struct kreg_pin *p)
{
	list_for_each_entry_continue(p, &s->extra->pins, node)
		if (was_valid(r, p))
			return true;
	return false;
}

static bool verify_kept(const struct kreg_store *s, u32 ref, struct kreg_pin *p,
			struct chain *sum)
{
	u32 last = 0;

	for (; ref; ref = kreg_arena_rec(s, ref)->limbo) {
		const struct kreg_rec *r = kreg_arena_rec(s, ref);

		if (WARN_ON(r->died == KREG_ALIVE || r->lens & KREG_REC_MARK) ||
		    WARN_ON(p && (!was_valid(r, p) || belongs_elsewhere(s, r, p))))
			return false;
		sum->records++;
		sum->bytes += kreg_rec_weight(r);
		if (kreg_rec_has_blob(r))
			sum->bytes += kreg_blob_memory(kreg_blob_of(s, r));
		last = ref;
	}
	return !WARN_ON(p && p->kept && p->last != last);
}

static bool verify_each(const struct kreg_store *s, struct chain *sum)
{
	struct kreg_pin *p;
	u64 version = 0;

	list_for_each_entry(p, &s->extra->pins, node) {
		if (WARN_ON(p->version < version || p->version > s->version || p->broken) ||
		    !verify_kept(s, p->kept, p, sum))
			return false;
		version = p->version;
	}
	return !WARN_ON(s->pinned != (list_empty(&s->extra->pins) ? 0 : version + 1));
}

bool kreg_verify_pins(const struct kreg_store *s)
{
	struct chain sum = {};

	if (!s->extra)
		return !WARN_ON(s->pinned || s->kept || s->unkept);
	if (!verify_each(s, &sum) || !verify_kept(s, s->unkept, NULL, &sum))
		return false;
	if (WARN_ON(!s->pinned && !list_empty(&s->extra->pinned)))
		return false;
	return !WARN_ON(sum.records != s->kept || sum.bytes != s->extra->kept_bytes);
}
