// SPDX-License-Identifier: GPL-2.0
#include <linux/kreg.h>
#include <linux/rcupdate.h>

#include "client/client.h"
#include "client/limits.h"
#include "client/proc.h"
#include "client/user.h"
#include "store/edit.h"
#include "store/reader.h"
#include "table/access.h"
#include "table/awaited.h"
#include "table/bond.h"
#include "table/bound.h"
#include "table/change.h"
#include "table/expire.h"
#include "table/loan.h"
#include "table/table.h"
#include "table/unbind.h"

static bool is_strict(const struct kreg_change *c)
{
	return c->binds && c->bind->strict;
}

/*
 * Whether the object counts as absent: one that lingers does for who binds. Who wants the key for
 * himself alone waits until all that its dead process had queued was applied.
 */
static struct kreg_holder *find_gone(const struct kreg_change *c, const struct kreg_place *place,
				     struct kreg_bond *old)
{
	bool gone;

	if (kreg_rec_has_expired(place->old))
		return &kreg_holder_expired;
	if (!old || old->is_lease || (old->linger_ms && !c->binds))
		return NULL;
	rcu_read_lock();
	if (is_strict(c))
		gone = old->keys_free;
	else
		gone = kreg_proc_exiting_rcu(old->proc) && !kreg_bond_keeps(old);
	rcu_read_unlock();
	return gone ? &old->holder : NULL;
}

/* Whether others come before who wants the key for himself alone. */
static bool has_line(const struct kreg_table *t, const struct kreg_change *c)
{
	struct kreg_awaited *a;

	if (!is_strict(c) || c->bind->served || !t->awaited)
		return false;
	a = kreg_awaited_find(t->awaited, &c->key, NULL);
	return a && !list_empty(&a->line);
}

/* A process is one's own if it is the caller, or if he could kill it. */
static bool is_theirs(const struct kreg_client *cl, const struct kreg_proc *p)
{
	bool able;

	return p == cl->proc || kreg_client_may_kill(cl, p, &able);
}

/* The dead was one's own as well, if what it has had lingers. */
static bool was_theirs(const struct kreg_client *cl, const struct kreg_bond *old)
{
	const struct kreg_proc *p = old->proc;

	return is_theirs(cl, p) ||
	       (old->lingers && p->status_known && uid_eq(p->last_uid, cl->uid));
}

/* Whether a PUT that binds may do so; its own object it may bind again at the limit. */
static int check_bind(const struct kreg_change *c, const struct kreg_bond *old)
{
	if (c->checked)
		return 0;
	if (kreg_proc_exiting(c->bind->proc))
		return -ESRCH;
	if (!is_theirs(c->bind->client, c->bind->proc))
		return -EPERM;
	return c->paid || (old && old->user == c->bind->client->user) ?
	       0 : kreg_over_limit(KREG_LIMIT_BOUND);
}

/*
 * Who neither owns a registry nor has its writer role changes there what is bound to his own
 * processes.
 */
static bool is_restricted(const struct kreg_table *t, const struct kreg_change *c)
{
	return c->bind && READ_ONCE(t->access) == KREG_ACCESS_REGISTRY &&
	       !kreg_table_owned_by(t, c->bind->client) &&
	       !kreg_table_is_writer(t, c->bind->client);
}

/*
 * What he puts where nothing is has to be bound. In a batch it has to be always, since what
 * is there when it is looked through may be gone when it is applied.
 */
static int check_registry(const struct kreg_change *c, const struct kreg_bond *old, bool there)
{
	if (there && !(old && was_theirs(c->bind->client, old)))
		return -EACCES;
	if (c->kind == KREG_CHANGE_PUT && !c->binds && (!there || c->rec))
		return -EACCES;
	return 0;
}

bool kreg_table_restricts(const struct kreg_table *t, const struct kreg_change *c)
{
	kreg_table_assert(t);
	return is_restricted(t, c);
}

bool kreg_table_is_gone(struct kreg_table *t, const struct kreg_rec *r)
{
	const struct kreg_holder *holder = kreg_holder_at(&t->store, r);
	bool gone;

	kreg_table_assert(t);
	rcu_read_lock();
	gone = holder && kreg_bond_hides(holder, NULL);
	rcu_read_unlock();
	return gone || kreg_rec_has_expired(r);
}

int kreg_table_check_removal(struct kreg_table *t, const struct kreg_change *c,
			     const struct kreg_rec *r)
{
	const struct kreg_bond *b = kreg_bond_of(kreg_holder_at(&t->store, r));

	kreg_table_assert(t);
	if (kreg_table_is_gone(t, r))
		return 1;
	if (c->mine && !(b && b->proc == c->bind->client->proc))
		return 1;
	return is_restricted(t, c) && !(b && was_theirs(c->bind->client, b)) ? -EACCES : 0;
}

int kreg_table_check_clear(const struct kreg_table *t, const struct kreg_change *c)
{
	kreg_table_assert(t);
	/* An event is of no object, and so of nobody's. */
	return c->kind == KREG_CHANGE_CLEAR && is_restricted(t, c) ? -EACCES : 0;
}

/* -ENODATA: it is not bound to the process of the caller. */
static int check_mine(const struct kreg_change *c, const struct kreg_bond *old, bool there)
{
	return there && old && old->proc == c->bind->client->proc ? 0 : -ENODATA;
}

/* The conditions but for what is to be bound, in the order of errors. */
static int check_object(struct kreg_table *t, const struct kreg_change *c,
			const struct kreg_place *place, const struct kreg_bond *old)
{
	bool there = place->old && !c->gone;
	/* What gives way to who binds can be named by its version all the same. */
	bool seen = there || (c->gone && kreg_bond_linger(c->gone));
	int err = c->mine ? check_mine(c, old, there) : 0;

	if (err)
		return c->only && c->kind == KREG_CHANGE_DELETE && !c->bind->took ?
		       -ECANCELED : err;
	if (c->must_be_new && (there || has_line(t, c)))
		return -EEXIST;
	if (c->must_be_there && !there)
		return -ENODATA;
	if (!c->checked && is_restricted(t, c))
		err = check_registry(c, old, there);
	if (err)
		return err;
	if (c->only && !(seen && kreg_table_names(c, place->old)))
		return -ECANCELED;
	if (c->edit && c->edit->filter)
		err = kreg_table_match(t, c->edit, seen ? place->old : NULL);
	if (!err && c->edit)
		err = kreg_store_compare(&t->store, c->edit, seen ? place->old : NULL);
	if (err)
		return err;
	/* What is bound to a process goes with it, whoever has it. */
	return c->lends && (old || kreg_rec_is_timed(place->old)) ? -EOPNOTSUPP : 0;
}

/*
 * Whether @c is of the borrower, and says that it means what he has on loan: by TAKE, too. A PUT
 * has said so when its batch began.
 */
static bool is_borrowers(const struct kreg_change *c, const struct kreg_bond *old)
{
	if (!c->bind || old->proc != c->bind->client->proc)
		return false;
	return c->mine || c->binds || (c->kind == KREG_CHANGE_PUT ? c->checked : c->only);
}

/*
 * The object is on loan. For its borrower, if he is known, it is his; for others nothing is
 * there, but nothing can be put there.
 */
static int find_lent(const struct kreg_change *c, struct kreg_place *place,
		     const struct kreg_bond *old, bool *is_mine)
{
	*is_mine = is_borrowers(c, old);
	if (*is_mine)
		return c->lends ? -EALREADY : 0;
	if (c->only || (c->edit && kreg_edit_asks(c->edit)))
		return -ECANCELED;
	if (c->kind == KREG_CHANGE_DELETE) {
		place->old = NULL;
		return 0;
	}
	if (c->mine)
		return -ENODATA;
	return c->must_be_new && (!c->binds || is_strict(c)) ? -EEXIST : -EBUSY;
}

/* Only what is on loan is meant to be returned. Who names a version is told that it is not his. */
static bool is_meant(const struct kreg_change *c, const struct kreg_bond *old, int err)
{
	return c->kind != KREG_CHANGE_DELETE || (c->only && !c->returns) ||
	       (err != -ENODATA && !(c->returns && !(old && old->is_lease)));
}

/*
 * The object of a process that is exiting counts as absent: it does not keep a new one out,
 * and what is put in its place is not bound to that process.
 */
int kreg_table_find_bound(struct kreg_table *t, struct kreg_change *c, struct kreg_place *place)
{
	struct kreg_bond *old = kreg_bond_of(kreg_holder_at(&t->store, place->old));
	bool is_mine = true;
	int err;

	kreg_table_assert(t);
	if (c->edit && kreg_table_may_read(t, c->bind->client))
		return -EACCES;
	c->special = true;
	if (c->kind == KREG_CHANGE_PUT)
		c->holder = NULL;
	c->timed = 0;
	c->gone = NULL;
	c->untold = false;
	if (old && kreg_bond_is_free(old)) {
		c->untold = !old->returned;
		old = NULL;
	}
	if (unlikely(old && old->is_lease)) {
		err = find_lent(c, place, old, &is_mine);
		if (err || !is_mine)
			return err;
		c->untold = true;
	}
	c->gone = find_gone(c, place, old);
	err = check_object(t, c, place, old);
	if (!is_meant(c, old, err)) {
		place->old = NULL;
		c->gone = NULL;
		return 0;
	}
	if (err || c->kind != KREG_CHANGE_PUT)
		return err;
	if (c->binds) {
		err = check_bind(c, old);
	} else {
		if (!c->gone && old)
			c->holder = &old->holder;
		/* A slot that was set aside has room for a bond if the store has any. */
		if (!c->rec)
			c->bound = c->holder;
		else if (WARN_ON_ONCE(c->holder && !c->bound))
			c->holder = NULL;
		err = kreg_expiry_choose(c, place);
	}
	if (!err && c->edit && c->edit->count)
		err = kreg_store_edit(&t->store, c, c->gone ? NULL : place->old);
	if (err)
		return err;
	return unlikely(c->over) ? kreg_table_change_over(t, c, place) : 0;
}

/* The loan of @old, the object that was found, ends. */
static int apply_return(struct kreg_change *c, const struct kreg_place *place,
			struct kreg_bond *old)
{
	c->count = !!place->old;
	if (place->old)
		kreg_loan_end(old);
	return 0;
}

/* What others are told that it has done, and whom it leaves without an object. */
static void note_bound(struct kreg_change *c, struct kreg_bond *bond, struct kreg_bond *old)
{
	if (c->gone)
		c->count = 0;
	if (c->lends) {
		c->count = kreg_loan_count(bond, old);
		if (bond->linger_ms != KREG_LEASE_UNLIMITED)
			kreg_bond_start_timer(bond);
	}
	if (old)
		kreg_table_unbind_left(old);
}

static int apply_bound(struct kreg_table *t, struct kreg_change *c, struct kreg_txn *txn,
		       struct kreg_place *place, struct kreg_prealloc *pre)
{
	if (c->blob && !c->rec)
		return kreg_table_change_long(t, c, txn, place, pre);
	return kreg_store_apply(txn, c, place, pre);
}

/* An object that is bound was paid for; the one that it replaces is given back by the store. */
int kreg_table_change_bound(struct kreg_table *t, struct kreg_change *c, struct kreg_txn *txn,
			    struct kreg_place *place, struct kreg_prealloc *pre)
{
	struct kreg_bond *old = kreg_bond_of(kreg_holder_at(&t->store, place->old));
	bool puts = c->kind == KREG_CHANGE_PUT;
	struct kreg_bond *brought = c->binds ? c->bind->bond : NULL;
	struct kreg_bond *bond = puts && !c->timed ? kreg_bond_of(c->holder) : NULL;
	int err = 0;

	kreg_table_assert(t);
	if (c->returns)
		return apply_return(c, place, old);
	if (c->edit && c->edit->count && !c->value)
		err = kreg_store_make(&t->store, c, c->gone ? NULL : place->old, pre);
	if (err)
		return err;
	if (c->binds)
		err = kreg_table_bind(t, c->bind, pre, &bond);
	if (err)
		return err;
	if (puts && !c->timed)
		c->holder = bond ? &bond->holder : NULL;
	if (bond && !c->paid)
		kreg_user_count_in(bond->user, KREG_QUOTA_BOUND, 1);
	err = apply_bound(t, c, txn, place, pre);
	if (err) {
		if (bond && !c->paid)
			kreg_user_uncharge(bond->user, KREG_QUOTA_BOUND, 1);
		if (brought && bond == brought)
			kreg_bind_take_back(t, c->bind, bond);
		return err;
	}
	c->paid = false;
	note_bound(c, bond, old);
	kreg_expiry_note(t, c);
	return 0;
}
