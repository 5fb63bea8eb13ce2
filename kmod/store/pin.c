// SPDX-License-Identifier: GPL-2.0
/*
 * Pins: a store stays readable as of one commit.
 *
 * DOC: Pins
 *
 * A pin is set under the turn, to C. A record that dies later and was there at C is not unlinked,
 * but stays where it is and joins a chain, through its limbo word: that of the youngest pin at
 * whose commit it was valid. So of each key a pin keeps one version at most, however often that is
 * written, and a record costs one comparison while there are pins.
 *
 * When a pin ends, its chain is what upkeep takes apart, a record at a time: each goes to the next
 * older pin that needs it, or is unlinked. A record moves as often as there were pins at most.
 *
 * A clear replaces the root, and the records of the old one go with that: chains become empty, and
 * the old root waits, with those behind it in time, until no pin is older than the clear. Only then
 * does its grace period begin (root.c).
 *
 * Who reads by a pin never looks for a newer commit. He looks at @broken when his section has
 * begun, and when he is done (pair 8).
 */
#include "store/arena.h"
#include "store/index.h"
#include "store/internal.h"
#include "store/limbo.h"
#include "store/marks.h"
#include "store/order_write.h"
#include "store/pin.h"

int kreg_store_want_pins(const struct kreg_store *s, struct kreg_prealloc *f)
{
	kreg_store_assert(s);
	if (s->extra)
		return 0;
	f->must_handle = true;
	f->must_extra = true;
	return -EAGAIN;
}

struct kreg_pin *kreg_pin_first(const struct kreg_store *s)
{
	kreg_store_assert(s);
	return s->pinned ? list_first_entry(&s->extra->pins, struct kreg_pin, node) : NULL;
}

struct kreg_pin *kreg_pin_next(const struct kreg_store *s, struct kreg_pin *p)
{
	kreg_store_assert(s);
	return list_is_last(&p->node, &s->extra->pins) ? NULL :
	       list_next_entry(p, node);
}

void kreg_pin_set(struct kreg_store *s, struct kreg_pin *p)
{
	kreg_store_assert(s);
	p->version = s->version;
	p->kept = 0;
	p->last = 0;
	p->bytes = 0;
	p->broken = false;
	list_add_tail(&p->node, &s->extra->pins);
	WRITE_ONCE(s->extra->nr_pins, s->extra->nr_pins + 1);
	s->pinned = p->version + 1;
	kreg_root_pin(s, p);
}

/* The youngest pin at whose commit @r was valid, or NULL. */
static struct kreg_pin *find_keeper(const struct kreg_store *s, const struct kreg_rec *r)
{
	struct kreg_pin *p;

	if (r->born >= s->pinned)
		return NULL;
	list_for_each_entry_reverse(p, &s->extra->pins, node)
		if (p->version < r->died)
			return r->born <= p->version ? p : NULL;
	return NULL;
}

static size_t kept_weight(const struct kreg_store *s, const struct kreg_rec *r)
{
	return kreg_rec_weight(r) +
	       (kreg_rec_has_blob(r) ? kreg_blob_memory(kreg_blob_of(s, r)) : 0);
}

static void join_chain(struct kreg_store *s, struct kreg_pin *p, u32 ref, struct kreg_rec *r)
{
	r->limbo = p->kept;
	p->kept = ref;
	if (!r->limbo)
		p->last = ref;
	kreg_pin_weigh(s, p, kept_weight(s, r));
}

bool kreg_pin_keep(struct kreg_store *s, u32 ref, struct kreg_rec *r)
{
	struct kreg_pin *p = find_keeper(s, r);

	kreg_store_assert(s);
	if (!p)
		return false;
	s->kept++;
	s->extra->kept_bytes += kept_weight(s, r);
	join_chain(s, p, ref, r);
	if (s->ordered)
		kreg_order_kept(s, r);
	return true;
}

void kreg_pin_end(struct kreg_store *s, struct kreg_pin *p)
{
	struct list_head *pins = &s->extra->pins;

	kreg_store_assert(s);
	WRITE_ONCE(p->broken, true);
	/* Pair 8: before the first link that leads past a record, and before any grace period. */
	smp_wmb();
	list_del(&p->node);
	WRITE_ONCE(s->extra->nr_pins, s->extra->nr_pins - 1);
	s->pinned = list_empty(pins) ? 0 :
		    list_last_entry(pins, struct kreg_pin, node)->version + 1;
	if (p->kept) {
		kreg_arena_rec(s, p->last)->limbo = s->unkept;
		if (!s->unkept)
			s->unkept_last = p->last;
		s->unkept = p->kept;
		s->due |= KREG_DUE_KEPT;
	}
	kreg_root_unpin(s);
}

/* The link that leads to @r, or NULL: not in this hold of the turn. */
static u32 *link_to_kept(struct kreg_store *s, u32 ref, const struct kreg_rec *r)
{
	u32 *from, *on = NULL;

	if (s->ordered)
		return kreg_order_link_to(s, ref, r, &on);
	from = kreg_index_head(kreg_store_root(s),
			       kreg_read_bucket(r->hash, kreg_store_root(s)->front->n));
	for (; *from != ref && s->links; s->links--)
		from = kreg_marks_link(s, kreg_arena_rec(s, *from), r->hash);
	kreg_marks_count_links(s);
	if (*from == ref)
		return from;
	kreg_marks_note(s, r->hash);
	return NULL;
}

/* Others may be nearer, and when they have gone, this is nearer. */
static void put_off(struct kreg_store *s, u32 ref, struct kreg_rec *r)
{
	if (ref == s->unkept_last)
		return;
	s->unkept = r->limbo;
	r->limbo = 0;
	kreg_arena_rec(s, s->unkept_last)->limbo = ref;
	s->unkept_last = ref;
}

static bool unlink_kept(struct kreg_store *s, u32 ref, struct kreg_rec *r)
{
	u32 *from = link_to_kept(s, ref, r), next = r->limbo;

	if (!from) {
		put_off(s, ref, r);
		return false;
	}
	s->kept--;
	s->extra->kept_bytes -= kept_weight(s, r);
	/* As a record that has just died: it keeps its own link, for readers that stand on it. */
	WRITE_ONCE(*from, r->link);
	kreg_limbo_add(s, ref, r);
	kreg_limbo_close(s);
	s->unkept = next;
	return true;
}

bool kreg_pin_step(struct kreg_store *s)
{
	u32 ref = s->unkept;
	struct kreg_pin *p;
	struct kreg_rec *r;

	kreg_store_assert(s);
	if (!ref) {
		s->due &= ~KREG_DUE_KEPT;
		return false;
	}
	r = kreg_arena_rec(s, ref);
	p = find_keeper(s, r);
	/* Writers wait when there is too much in limbo, so this does not fill it. */
	if (!p)
		return s->limbo.bytes < KREG_LIMBO_BYTES / 2 && unlink_kept(s, ref, r);
	s->unkept = r->limbo;
	join_chain(s, p, ref, r);
	return true;
}
