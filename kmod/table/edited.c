// SPDX-License-Identifier: GPL-2.0
/* Changes that depend on the value that is there, where nothing is bound: most of them. */
#include "client/client.h"
#include "filter/filter.h"
#include "store/edit.h"
#include "store/reader.h"
#include "table/access.h"
#include "table/bound.h"
#include "table/change.h"
#include "table/expire.h"
#include "table/table.h"

/* To whom objects are bound matters neither for the change nor for what is there. */
static bool is_loose(const struct kreg_change *c, const struct kreg_place *place)
{
	return !c->binds && !c->mine && !(place->old && kreg_rec_is_bound(place->old));
}

/* What others may change in a registry depends on more. */
static bool may_edit(const struct kreg_table *t, const struct kreg_client *cl)
{
	return kreg_table_owned_by(t, cl) ||
	       (READ_ONCE(t->access) != KREG_ACCESS_REGISTRY && !kreg_table_may_read(t, cl));
}

int kreg_table_match(struct kreg_table *t, const struct kreg_edit *e, const struct kreg_rec *old)
{
	struct kreg_hit hit;

	kreg_table_assert(t);
	if (!old)
		return -ECANCELED;
	kreg_store_tell(&t->store, old, kreg_rec_key_len(old), &hit, false);
	return kreg_filter_matches(e->filter, &hit) ? 0 : -ECANCELED;
}

static int find_edited(struct kreg_table *t, struct kreg_change *c, struct kreg_place *place)
{
	const struct kreg_rec *old = place->old;
	int err = 0;

	kreg_table_assert(t);
	c->gone = NULL;
	if (c->kind == KREG_CHANGE_PUT)
		c->holder = NULL;
	c->bound = false;
	c->timed = 0;
	c->untold = false;
	if (c->must_be_there && !old)
		return -ENODATA;
	if (c->only && !kreg_table_names(c, old))
		return -ECANCELED;
	if (unlikely(c->edit->filter))
		err = kreg_table_match(t, c->edit, old);
	if (!err && c->edit->compares)
		err = kreg_store_compare(&t->store, c->edit, old);
	if (!err && c->edit->count)
		err = kreg_store_edit(&t->store, c, old);
	if (!err)
		err = kreg_expiry_choose(c, place);
	if (err)
		return err;
	return unlikely(c->over) ? kreg_table_change_over(t, c, place) : 0;
}

int kreg_table_find_special(struct kreg_table *t, struct kreg_change *c, struct kreg_place *place)
{
	kreg_table_assert(t);
	if (is_loose(c, place) && !kreg_rec_has_expired(place->old) &&
	    may_edit(t, c->bind->client))
		return find_edited(t, c, place);
	return kreg_table_find_bound(t, c, place);
}

static int note_applied(struct kreg_table *t, const struct kreg_change *c, int err)
{
	if (!err)
		kreg_expiry_note(t, c);
	return err;
}

int kreg_table_change_special(struct kreg_table *t, struct kreg_change *c, struct kreg_txn *txn,
			      struct kreg_place *place, struct kreg_prealloc *pre)
{
	int err;

	kreg_table_assert(t);
	if (unlikely(!is_loose(c, place) || c->gone))
		return kreg_table_change_bound(t, c, txn, place, pre);
	if (unlikely(c->blob))
		return note_applied(t, c, kreg_table_change_long(t, c, txn, place, pre));
	if (unlikely(!c->value && c->edit->count)) {
		err = kreg_store_make(&t->store, c, place->old, pre);
		if (err)
			return err;
	}
	if (likely(!c->timed))
		return kreg_store_apply(txn, c, place, pre);
	return note_applied(t, c, kreg_store_apply(txn, c, place, pre));
}
