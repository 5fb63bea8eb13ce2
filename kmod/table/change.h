/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What writes of all forms do under the turn.
 */
#ifndef KREG_TABLE_CHANGE_H
#define KREG_TABLE_CHANGE_H

#include <linux/errno.h>

#include "client/client.h"
#include "table/names.h"
#include "store/write.h"
#include "table/table.h"
#include "client/user.h"
#include "writer/writer.h"

/*
 * Any, with a reference or under RCU. Whether @cl may write, asked early. -ESTALE, -EACCES,
 * -EROFS.
 */
int kreg_table_check_write(const struct kreg_table *t, const struct kreg_client *cl);
/* RCU. The same without -EROFS; -EINPROGRESS if its owner is dead, and that not handled yet. */
int kreg_table_check_write_other(struct kreg_client *cl, const struct kreg_table *t);
/* RCU. The same by id, with the owner let through at once. */
static inline int kreg_table_find_writable(struct kreg_client *cl, u64 id,
					   struct kreg_table **found)
{
	struct kreg_table *t = kreg_names_id(cl->ns, id);

	if (unlikely(!t))
		return kreg_names_why_not(id);
	*found = t;
	return kreg_table_owned_by(t, cl) ? 0 : kreg_table_check_write_other(cl, t);
}

/* He may write to a registry what concerns his own processes; never the error of a call. */
#define KREG_TABLE_REGISTRY	1

/* Turn. Whether @cl, who does not own it, may write. KREG_TABLE_REGISTRY; -EACCES. */
int kreg_table_decide_other(const struct kreg_table *t, const struct kreg_client *cl);
/* Turn. What @cl, who would write to it, is told: -ESTALE, -EACCES, -EROFS. */
int kreg_table_why_shut(const struct kreg_table *t, const struct kreg_client *cl);
/*
 * Turn. Whether the table is there and @cl may write to it; this answer counts. With
 * KREG_TABLE_REGISTRY each change is to be told of him, by kreg_bind_note().
 */
static inline int kreg_table_decide_write(const struct kreg_table *t, const struct kreg_client *cl)
{
	kreg_table_assert(t);
	if (unlikely(t->shut))
		return kreg_table_why_shut(t, cl);
	return kreg_table_owned_by(t, cl) ? 0 : kreg_table_decide_other(t, cl);
}

/*
 * Turn. @c may go over the limit of the user if it replaces an object, @old or 0, and what it takes
 * more than that will give back is within the limit. kreg_over_limit().
 */
int kreg_table_over_for(const struct kreg_table *t, const struct kreg_change *c, u32 old);
/* Turn. The same for what was found. */
static inline int kreg_table_change_over(const struct kreg_table *t, const struct kreg_change *c,
					 const struct kreg_place *place)
{
	return kreg_table_over_for(t, c, place->old ? place->old_ref : 0);
}

/*
 * The place of a key is so far down a list that this hold of the turn must not go on to it;
 * nothing has happened. Never the error of a call.
 */
#define KREG_TABLE_FAR		(-ERESTART)

/*
 * Turn. The conditions of @c, when it matters to whom objects are bound, or when they expire.
 * -EEXIST, -ECANCELED, -EBUSY, -EOPNOTSUPP, kreg_over_limit(); -ENODATA: it is not the caller's;
 * -EACCES: the rule of a registry; -ESRCH, -EPERM: the process to which it binds is exiting, or not
 * the caller's.
 */
int kreg_table_find_bound(struct kreg_table *t, struct kreg_change *c, struct kreg_place *place);
/*
 * Turn. The same with c->edit, when it matters which value is there: -ENODATA, -ECANCELED,
 * -ERANGE, KREG_EDIT_LONG.
 */
int kreg_table_find_special(struct kreg_table *t, struct kreg_change *c, struct kreg_place *place);
/* Turn. Whether @old, or NULL, matches the filter of @e. -ECANCELED. */
int kreg_table_match(struct kreg_table *t, const struct kreg_edit *e, const struct kreg_rec *old);
/* Turn. Whether a CLEAR may be done then, or an event told. -EACCES. */
int kreg_table_check_clear(const struct kreg_table *t, const struct kreg_change *c);
/*
 * Turn. Where a key may have several objects: whether what @c may remove depends on whose it is;
 * whether @r is there for nobody, since its process is exiting or it has expired; and whether @c
 * may remove @r: 0, 1 if it is not meant for that, -EACCES.
 */
bool kreg_table_restricts(const struct kreg_table *t, const struct kreg_change *c);
bool kreg_table_is_gone(struct kreg_table *t, const struct kreg_rec *r);
int kreg_table_check_removal(struct kreg_table *t, const struct kreg_change *c,
			     const struct kreg_rec *r);
/* Turn. As kreg_table_change() then, once they are met. Also what kreg_table_bind() returns. */
int kreg_table_change_bound(struct kreg_table *t, struct kreg_change *c, struct kreg_txn *txn,
			    struct kreg_place *place, struct kreg_prealloc *pre);
/* Turn. The same, after kreg_table_find_special(). Also -EOVERFLOW. */
int kreg_table_change_special(struct kreg_table *t, struct kreg_change *c, struct kreg_txn *txn,
			      struct kreg_place *place, struct kreg_prealloc *pre);

/* run.c. Turn. As kreg_table_change_find() and kreg_table_change(), where keys have runs. */
int kreg_run_fits(struct kreg_table *t, struct kreg_change *c, struct kreg_place *place, bool on);
int kreg_run_change(struct kreg_table *t, struct kreg_change *c, struct kreg_place *place, bool on,
		    struct kreg_txn *txn, struct kreg_prealloc *pre);
/* A bag has the object already, and nothing has happened; never the error of a call. */
#define KREG_TABLE_SAME		(-ERESTART_RESTARTBLOCK)

/* Any. Whether it is @old that @c is only meant for; the number of an object of a set is 0. */
static inline bool kreg_table_names(const struct kreg_change *c, const struct kreg_rec *old)
{
	return old && old->born == c->only && (c->kind != KREG_CHANGE_DELETE || !c->sub);
}

/* With @on, @place is from a look that was KREG_TABLE_FAR. */
static __always_inline int kreg_table_change_find(struct kreg_table *t, struct kreg_change *c,
						  struct kreg_place *place, bool on)
{
	bool found;

	if (unlikely(c->kind >= KREG_CHANGE_CLEAR)) {
		place->old = NULL;
		return unlikely(c->special) ? kreg_table_check_clear(t, c) : 0;
	}
	if (unlikely(on))
		found = kreg_store_find_on(&t->store, &c->key, place);
	else
		found = kreg_store_find(&t->store, &c->key, place);
	if (unlikely(!found))
		return KREG_TABLE_FAR;
	if (unlikely(c->special || (place->old && kreg_rec_is_special(place->old))))
		return c->edit ? kreg_table_find_special(t, c, place) :
				 kreg_table_find_bound(t, c, place);
	if (c->must_be_new && place->old)
		return -EEXIST;
	if (c->only && !kreg_table_names(c, place->old))
		return -ECANCELED;
	return unlikely(c->over) ? kreg_table_change_over(t, c, place) : 0;
}

/*
 * Turn. Whether the condition of @c is met. -EEXIST, -ECANCELED, kreg_over_limit(),
 * KREG_TABLE_FAR.
 */
int kreg_table_change_fits(struct kreg_table *t, struct kreg_change *c,
			   struct kreg_place *place, bool on);
/*
 * Turn. kreg_store_reserve() and kreg_store_apply() for a PUT that brings a blob, or a CLEAR,
 * which brings a root.
 */
int kreg_table_reserve_long(struct kreg_table *t, struct kreg_change *c,
			    struct kreg_prealloc *pre);
int kreg_table_change_long(struct kreg_table *t, struct kreg_change *c, struct kreg_txn *txn,
			   struct kreg_place *place, struct kreg_prealloc *pre);
/* Turn. As kreg_table_change(), once the condition is met. */
static __always_inline int kreg_table_apply(struct kreg_table *t, struct kreg_change *c,
					    struct kreg_place *place, struct kreg_txn *txn,
					    struct kreg_prealloc *pre)
{
	if (unlikely(c->special))
		return c->edit ? kreg_table_change_special(t, c, txn, place, pre) :
				 kreg_table_change_bound(t, c, txn, place, pre);
	if (unlikely(c->blob && !c->rec))
		return kreg_table_change_long(t, c, txn, place, pre);
	return kreg_store_apply(txn, c, place, pre);
}

/*
 * Turn. Apply @c, if its condition is met, within @txn. Also kreg_over_limit(); -EAGAIN,
 * -ENOSPC as kreg_store_apply(); -ESRCH. Behind it, kreg_table_settle().
 */
static __always_inline int kreg_table_change(struct kreg_table *t, struct kreg_change *c,
					     struct kreg_place *place, bool on,
					     struct kreg_txn *txn, struct kreg_prealloc *pre)
{
	int err;

	if (unlikely(kreg_store_has_runs(&t->store)) && c->kind < KREG_CHANGE_CLEAR)
		return kreg_run_change(t, c, place, on, txn, pre);
	err = kreg_table_change_find(t, c, place, on);
	if (unlikely(err))
		return err;
	return kreg_table_apply(t, c, place, txn, pre);
}

/* Turn. kreg_store_reserve() for @c; also kreg_over_limit(). Behind it, kreg_table_settle(). */
static __always_inline int kreg_table_reserve(struct kreg_table *t, struct kreg_change *c,
					      struct kreg_prealloc *pre)
{
	if (unlikely(c->blob))
		return kreg_table_reserve_long(t, c, pre);
	return kreg_store_reserve(&t->store, c, pre);
}

/* Turn. Some upkeep after a write; the thread will do the rest. */
void kreg_table_upkeep_now(struct kreg_table *t, unsigned int budget, struct kreg_prealloc *pre);

/*
 * Sleeps. Allocate what the store lacks, and give it to the store; the user pays, and goes
 * over the limit with @over. -ENOMEM and kreg_over_limit() only if that cannot go on without.
 */
int kreg_table_prealloc(struct kreg_table *t, struct kreg_prealloc *pre, bool over);
/* Sleeps. The same for what a write that nobody waits for will want. */
void kreg_table_prealloc_ahead(struct kreg_table *t);
/*
 * Sleeps. Wait until all have left who read any table when it was called; a grace period of
 * the usual kind. -EINTR: a fatal signal came first.
 */
int kreg_table_wait_for_readers(void);
/* Sleeps. If too much memory waits for readers to leave, wait for them. */
void kreg_table_throttle(struct kreg_table *t);

/*
 * Sleeps. If parts of the list are long, cut them, or most of them, and bring what that takes: the
 * thread has nobody to charge for it.
 */
void kreg_table_shorten(struct kreg_table *t);

/* Turn. For kreg_table.upkeep. */
enum kreg_upkeep_state kreg_table_upkeep(struct kreg_upkeep *upkeep);

#endif /* KREG_TABLE_CHANGE_H */
