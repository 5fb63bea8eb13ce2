// SPDX-License-Identifier: GPL-2.0
/*
 * Changes of tables in which a key may have several objects, a run of them.
 *
 * A PUT comes behind the run; before that it looks through it where it matters what is there. In a
 * bag it may find the same object: then, if one of them expires, that is removed in its stead. A
 * DELETE looks through the run where it matters what is there, or whether one hold of the turn is
 * enough, and then goes through it from its begin. All of that may take several holds, and until
 * the first object is removed it can be given up.
 */
#include <linux/kreg.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "store/edit.h"
#include "store/reader.h"
#include "table/access.h"
#include "table/bond.h"
#include "table/bound.h"
#include "table/change.h"
#include "table/table.h"

/* Objects that are removed in one hold of the turn, and bytes of a value that are compared. */
#define HOLD_OBJECTS	KREG_HOLD_RECORDS
/* Beyond so many links, those objects are removed in several holds. */
#define LONG_WALK	(3 * HOLD_OBJECTS)
#define HOLD_BYTES	(16U << 10)
/* To compare so many takes as long as to walk over a link. */
#define LINK_BYTES	(HOLD_BYTES / KREG_HOLD_LINKS)

/* How far a change is. */
enum { START, LOOK, ACT };

/* The object that was looked at is done with. */
static bool find_next(struct kreg_table *t, struct kreg_change *c, struct kreg_place *place)
{
	if (!c->takes)
		c->compared = 0;
	return kreg_run_find_next(&t->store, &c->key, place);
}

/* Of a look at one object: it is not meant; there is no need to look at more. */
#define NOT_MEANT	1
#define IS_ENOUGH	2

/*
 * Whether @r has the value @bytes: 0, NOT_MEANT, or KREG_TABLE_FAR, with c->compared bytes of it
 * being the same so far.
 */
static int compare_value(struct kreg_table *t, struct kreg_change *c, const struct kreg_rec *r,
			 const void *bytes, u32 len)
{
	const void *value = kreg_rec_has_blob(r) ? kreg_blob_bytes(kreg_blob_of(&t->store, r)) :
						   r->bytes + kreg_rec_key_len(r);
	u32 from = c->compared, n = min(len - from, HOLD_BYTES);

	if (kreg_rec_value_len(r) != len)
		return NOT_MEANT;
	kreg_store_spend_links(&t->store, n / LINK_BYTES);
	if (memcmp(value + from, bytes + from, n))
		return NOT_MEANT;
	if (from + n == len)
		return 0;
	c->compared = from + n;
	return KREG_TABLE_FAR;
}

static const void *new_value(const struct kreg_change *c)
{
	if (c->blob)
		return kreg_blob_bytes(c->blob);
	return c->rec ? kreg_change_value(c) : c->value;
}

/* Whether a PUT brings what is there, value and process. */
static int compare_object(struct kreg_table *t, struct kreg_change *c, const struct kreg_rec *r)
{
	const struct kreg_bond *bond = kreg_bond_of(kreg_holder_at(&t->store, r));

	if ((bond ? bond->proc : NULL) != (c->binds ? c->bind->proc : NULL))
		return NOT_MEANT;
	return compare_value(t, c, r, new_value(c), c->value_len);
}

static bool puts_timed(const struct kreg_change *c)
{
	return c->bind && c->bind->times;
}

static int look_for_put(struct kreg_table *t, struct kreg_change *c, const struct kreg_rec *r)
{
	int err;

	if (kreg_table_is_gone(t, r))
		return NOT_MEANT;
	if (c->must_be_new)
		return -EEXIST;
	c->seen = true;
	if (t->type != KREG_TYPE_BAG)
		return IS_ENOUGH;
	err = compare_object(t, c, r);
	if (err)
		return err;
	/* What is said last of when it expires counts: it comes anew, and the one before goes. */
	return kreg_rec_is_timed(r) || puts_timed(c) ? IS_ENOUGH : KREG_TABLE_SAME;
}

/* Before a batch changes anything it only matters whether there is an object. */
static int look_for_any(struct kreg_table *t, struct kreg_change *c, const struct kreg_rec *r)
{
	if (kreg_table_is_gone(t, r))
		return NOT_MEANT;
	c->seen = true;
	return c->must_be_new ? -EEXIST : IS_ENOUGH;
}

/* Whether a DELETE is meant for @r. */
static int look_for_delete(struct kreg_table *t, struct kreg_change *c, const struct kreg_rec *r)
{
	int err = kreg_table_check_removal(t, c, r);

	if (err)
		return err > 0 ? NOT_MEANT : err;
	if (c->edit)
		return compare_value(t, c, r, c->edit->bytes + c->edit->expected,
				     c->edit->expected_len);
	return 0;
}

/* The same of TAKE, which has copied out so many, of which one was the youngest. */
static int look_for_take(struct kreg_table *t, struct kreg_change *c, const struct kreg_rec *r)
{
	int err = look_for_delete(t, c, r);

	if (err)
		return err;
	c->met++;
	c->seen = r->born == c->only && r->hash == c->sub;
	return 0;
}

typedef int look_fn(struct kreg_table *t, struct kreg_change *c, const struct kreg_rec *r);

/*
 * Go through the run, and stop at an error, or when there is enough, or before it is looked at
 * more than @most. KREG_TABLE_FAR: in another hold it goes on at @place.
 */
static int look_through(struct kreg_table *t, struct kreg_change *c, struct kreg_place *place,
			look_fn *look, u32 most)
{
	struct kreg_store *s = &t->store;
	bool found = c->stage == LOOK ? kreg_run_find_on(s, &c->key, place) :
					kreg_run_find_first(s, &c->key, place);

	c->stage = LOOK;
	while (found && place->old) {
		int err = most-- ? look(t, c, place->old) : KREG_TABLE_FAR;

		if (err == IS_ENOUGH)
			return 0;
		if (err < 0)
			return err;
		found = find_next(t, c, place);
	}
	return found ? 0 : KREG_TABLE_FAR;
}

static bool looks_before_put(const struct kreg_table *t, const struct kreg_change *c)
{
	return t->type == KREG_TYPE_BAG || c->must_be_new || c->must_be_there;
}

static int check_put(struct kreg_table *t, struct kreg_change *c, struct kreg_place *place,
		     look_fn *look)
{
	int err = look_through(t, c, place, look, ~0u);

	return err ?: c->must_be_there && !c->seen ? -ENODATA : 0;
}

/* Where a new object goes; after a look through all of the run that has come there already. */
static bool find_end(struct kreg_table *t, struct kreg_change *c, struct kreg_place *place)
{
	u8 stage = c->stage;

	c->stage = ACT;
	if (stage == ACT)
		return kreg_store_find_on(&t->store, &c->key, place);
	return (stage == LOOK && !place->old) || kreg_store_find(&t->store, &c->key, place);
}

/* The conditions have been decided: they are not those of an object that is replaced. */
static int find_bound_new(struct kreg_table *t, struct kreg_change *c, struct kreg_place *place)
{
	bool must_be_new = c->must_be_new, must_be_there = c->must_be_there, over = c->over;
	int err;

	c->must_be_new = false;
	c->must_be_there = false;
	c->over = false;
	err = kreg_table_find_bound(t, c, place);
	c->must_be_new = must_be_new;
	c->must_be_there = must_be_there;
	c->over = over;
	return err;
}

/* @twin gives way to it, if it is not 0. */
static int add_object(struct kreg_table *t, struct kreg_change *c, struct kreg_place *place,
		      u32 twin, struct kreg_txn *txn, struct kreg_prealloc *pre)
{
	int err = unlikely(c->special) ? find_bound_new(t, c, place) : 0;

	if (!err && unlikely(c->over))
		err = kreg_table_over_for(t, c, twin);
	return err ?: kreg_table_apply(t, c, place, txn, pre);
}

static int put_behind(struct kreg_table *t, struct kreg_change *c, struct kreg_place *place,
		      struct kreg_txn *txn, struct kreg_prealloc *pre)
{
	u32 twin = c->twin;
	int err;

	c->holder = NULL;
	err = add_object(t, c, place, twin, txn, pre);
	if (err || likely(!twin))
		return err;
	kreg_txn_remove(txn, twin);
	c->count = 1;
	return 0;
}

/*
 * What is done in one hold of the turn may have to be unlinked in it as well: for the object that
 * gives way that is another walk as far as to it.
 */
static int change_put(struct kreg_table *t, struct kreg_change *c, struct kreg_place *place,
		      bool on, struct kreg_txn *txn, struct kreg_prealloc *pre)
{
	u32 links = kreg_store_links_left(&t->store), walked = 0;
	int err;

	if (c->stage != ACT && looks_before_put(t, c)) {
		err = check_put(t, c, place, look_for_put);
		if (err)
			return err;
		walked = links - kreg_store_links_left(&t->store);
		if (t->type == KREG_TYPE_BAG && place->old)
			c->twin = place->old_ref;
	}
	if (!find_end(t, c, place))
		return KREG_TABLE_FAR;
	if (unlikely(c->twin) && !on && kreg_store_links_left(&t->store) < walked)
		return KREG_TABLE_FAR;
	return put_behind(t, c, place, txn, pre);
}

/* Which cannot fail. c->count goes on counting. */
static void remove_object(struct kreg_table *t, struct kreg_change *c, struct kreg_place *place,
			  struct kreg_txn *txn, struct kreg_prealloc *pre)
{
	u64 removed = c->count;

	if (kreg_rec_is_bound(place->old)) {
		c->special = true;
		kreg_table_change_bound(t, c, txn, place, pre);
	} else {
		kreg_store_apply(txn, c, place, pre);
	}
	c->count += removed;
}

/* Remove what is meant, from the begin of the run on, or from where the hold before has come to. */
static int remove_run(struct kreg_table *t, struct kreg_change *c, struct kreg_place *place,
		      struct kreg_txn *txn, struct kreg_prealloc *pre)
{
	struct kreg_store *s = &t->store;
	u32 left = HOLD_OBJECTS;
	bool found;

	if (c->stage != ACT) {
		c->count = 0;
		c->compared = 0;
	}
	found = c->stage == ACT ? kreg_run_find_on(s, &c->key, place) :
				  kreg_run_find_first(s, &c->key, place);
	c->stage = ACT;
	while (found && place->old) {
		int err = look_for_delete(t, c, place->old);

		if (err == KREG_TABLE_FAR || (!err && !left--))
			return KREG_TABLE_FAR;
		if (!err)
			remove_object(t, c, place, txn, pre);
		found = find_next(t, c, place);
	}
	return found ? 0 : KREG_TABLE_FAR;
}

/*
 * What can be done in one hold is done in this one: to go through them once more, and to unlink
 * them, for which each but the last is looked for anew.
 */
static int look_before_delete(struct kreg_table *t, struct kreg_change *c,
			      struct kreg_place *place, bool on)
{
	u32 before = kreg_store_links_left(&t->store), left, walked;
	int err;

	if (on && !c->takes && !kreg_table_restricts(t, c))
		return 0;
	err = look_through(t, c, place, c->takes ? look_for_take : look_for_delete,
			   on ? ~0u : HOLD_OBJECTS);
	if (err)
		return err;
	left = kreg_store_links_left(&t->store);
	walked = before - left;
	if (!on && (left < walked || walked > LONG_WALK))
		return KREG_TABLE_FAR;
	return c->takes && (c->met != c->number || !c->seen) ? -ECANCELED : 0;
}

static int change_delete(struct kreg_table *t, struct kreg_change *c, struct kreg_place *place,
			 bool on, struct kreg_txn *txn, struct kreg_prealloc *pre)
{
	int err = c->stage == ACT ? 0 : look_before_delete(t, c, place, on);

	return err ?: remove_run(t, c, place, txn, pre);
}

/* The object that is named by its version and number. */
static int find_one(struct kreg_table *t, struct kreg_change *c, struct kreg_place *place)
{
	bool on = c->stage == LOOK;

	c->stage = LOOK;
	if (!kreg_run_find(&t->store, &c->key, c->only, c->sub, place, on))
		return KREG_TABLE_FAR;
	if (!place->old || kreg_table_is_gone(t, place->old))
		return c->checked ? NOT_MEANT : -ECANCELED;
	return kreg_table_check_removal(t, c, place->old);
}

static int delete_one(struct kreg_table *t, struct kreg_change *c, struct kreg_place *place,
		      struct kreg_txn *txn, struct kreg_prealloc *pre)
{
	int err = find_one(t, c, place);

	if (err < 0)
		return err;
	c->count = 0;
	if (!err)
		remove_object(t, c, place, txn, pre);
	return 0;
}

/*
 * What would make a new object of the one that is there, or goes by when that expires; and a
 * filter, which is for the objects of a key one by one.
 */
static bool is_refused(const struct kreg_change *c)
{
	if (c->kind == KREG_CHANGE_DELETE)
		return c->returns || (c->edit && c->edit->filter);
	if (c->bind && c->bind->keeps)
		return true;
	return c->only || c->mine || c->edit || c->lends || (c->binds && c->bind->strict);
}

static int begin_change(struct kreg_table *t, struct kreg_change *c, bool on)
{
	if (on)
		return 0;
	c->stage = START;
	c->seen = false;
	c->gone = NULL;
	c->untold = false;
	if (c->takes)
		c->met = 0;
	else if (c->kind == KREG_CHANGE_PUT || c->edit)
		c->compared = 0;
	if (c->kind == KREG_CHANGE_PUT)
		c->twin = 0;
	if (is_refused(c))
		return -EOPNOTSUPP;
	return c->edit && !c->checked && kreg_table_may_read(t, c->bind->client) ? -EACCES : 0;
}

/* What has been decided for an atomic batch is not asked again, so the conditions are dropped. */
int kreg_run_fits(struct kreg_table *t, struct kreg_change *c, struct kreg_place *place, bool on)
{
	int err = begin_change(t, c, on);

	kreg_table_assert(t);
	if (err)
		return err;
	if (c->kind == KREG_CHANGE_DELETE) {
		if (c->only)
			err = find_one(t, c, place);
		else if (kreg_table_restricts(t, c))
			err = look_through(t, c, place, look_for_delete, ~0u);
		return min(err, 0);
	}
	if (c->must_be_new || c->must_be_there)
		err = check_put(t, c, place, look_for_any);
	if (err || !c->special)
		return err;
	place->old = NULL;
	return find_bound_new(t, c, place);
}

int kreg_run_change(struct kreg_table *t, struct kreg_change *c, struct kreg_place *place, bool on,
		    struct kreg_txn *txn, struct kreg_prealloc *pre)
{
	int err = begin_change(t, c, on);

	kreg_table_assert(t);
	if (err)
		return err;
	if (c->kind == KREG_CHANGE_PUT)
		return change_put(t, c, place, on, txn, pre);
	/* Once it removes what it has found, it counts in the place of that. */
	if (c->stage != ACT && c->only && !c->takes)
		return delete_one(t, c, place, txn, pre);
	return change_delete(t, c, place, on, txn, pre);
}
