// SPDX-License-Identifier: GPL-2.0
/*
 * A chain has no place to go on from, since an object that leaves it leaves no trace. So it is
 * gone through whole, under the turn, and who wants its objects in several sections begins anew
 * in each, behind the last key. An object that stays bound to the process is in the chain of one
 * of its bonds whenever the turn is free and no write is half done, whichever bond that is.
 */
#include <linux/sort.h>

#include "client/proc.h"
#include "store/reader.h"
#include "store/write.h"
#include "table/bond.h"
#include "table/collect.h"
#include "table/table.h"

/* To look a key up costs as much as a walk over so many objects. */
#define LOOKUP_COST	8

/* The order of a walk, which kreg_read_order() is for records. */
static int compare_hashed(const void *a, const void *b)
{
	const struct kreg_key *x = a, *y = b;

	if (x->hash != y->hash)
		return kreg_read_before(x->hash, y->hash) ? -1 : 1;
	if (x->len != y->len)
		return x->len < y->len ? -1 : 1;
	return kreg_read_compare(x->bytes, y->bytes, x->len);
}

static int compare_ordered(const void *a, const void *b)
{
	const struct kreg_key *x = a, *y = b;

	return kreg_order_compare(x->bytes, x->len, y->bytes, y->len);
}

/* False: they are too many. */
static bool collect_bond(const struct kreg_table *t, const struct kreg_bond *b,
			 struct kreg_collected *c)
{
	if (kreg_holder_live(&t->store, &b->holder) > KREG_COLLECT_OBJECTS - c->n)
		return false;
	c->n += kreg_holder_keys(&t->store, &b->holder, c->keys + c->n);
	return true;
}

/*
 * Turn. Of one that is exiting the bonds may have been left already. False: a walk has to be
 * made.
 */
static bool collect_bonds(const struct kreg_table *t, const struct kreg_proc *p,
			  struct kreg_collected *c)
{
	const struct kreg_holdings *held = &p->holdings[t->writer->nr];
	unsigned int left = KREG_COLLECT_BONDS;
	const struct kreg_bond *b;

	kreg_table_assert(t);
	if (kreg_store_is_writing(&t->store) || kreg_proc_exiting(p))
		return false;
	list_for_each_entry(b, &held->bonds, held) {
		if (!left--)
			return false;
		if (b->table == t && !collect_bond(t, b, c))
			return false;
	}
	return c->n * LOOKUP_COST <= t->store.objects;
}

/* The writer's lock is all that a reader touches of it. */
static bool try_turn(const struct kreg_table *t, const struct kreg_proc *p,
		     struct kreg_collected *c)
{
	bool whole;

	if (!spin_trylock(&t->writer->turn))
		return false;
	whole = collect_bonds(t, p, c);
	spin_unlock(&t->writer->turn);
	return whole;
}

bool kreg_collect_of(const struct kreg_table *t, struct kreg_proc *p,
		     const struct kreg_key *after, struct kreg_collected *c)
{
	int (*compare)(const void *a, const void *b) =
		kreg_store_is_ordered(&t->store) ? compare_ordered : compare_hashed;
	unsigned int i, n = 0;

	c->n = 0;
	if (kreg_store_has_runs(&t->store) || !try_turn(t, p, c))
		return false;
	for (i = 0; i < c->n; i++)
		if (!after->len || compare(&c->keys[i], after) > 0)
			c->keys[n++] = c->keys[i];
	c->n = n;
	sort(c->keys, n, sizeof(*c->keys), compare, NULL);
	return true;
}
