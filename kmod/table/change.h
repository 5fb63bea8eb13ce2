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

/* Any, with a reference or under RCU. Whether @cl may write, asked early. -ESTALE, -EACCES. */
int kreg_table_check_write(const struct kreg_table *t, const struct kreg_client *cl);
/* RCU. The same; -EINPROGRESS if its owner is dead and the death not handled yet. */
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

/* Turn. Whether the table is there and @cl may write to it; this answer counts. */
static inline int kreg_table_decide_write(const struct kreg_table *t, const struct kreg_client *cl)
{
	kreg_table_assert(t);
	if (unlikely(t->dead))
		return -ESTALE;
	return kreg_table_owned_by(t, cl) ? 0 : kreg_table_may_write(t, cl);
}

static __always_inline int kreg_table_change_find(struct kreg_table *t, const struct kreg_change *c,
						  struct kreg_place *place)
{
	place->old = NULL;
	if (unlikely(c->kind == KREG_CHANGE_CLEAR))
		return 0;
	kreg_store_find(&t->store, &c->key, place);
	if (c->must_be_new && place->old)
		return -EEXIST;
	if (c->only && (!place->old || place->old->born != c->only))
		return -ECANCELED;
	return 0;
}

/* What the live bytes of the table grow by. */
static __always_inline s64 kreg_table_change_growth(const struct kreg_table *t,
						    const struct kreg_change *c,
						    const struct kreg_place *place)
{
	s64 old = place->old ? place->old_bytes : 0;

	if (likely(c->kind == KREG_CHANGE_PUT))
		return (s64)c->key.len + c->value_len - old;
	return c->kind == KREG_CHANGE_DELETE ? -old : -t->charged;
}

/* Turn. Whether the condition of @c is met. -EEXIST, -ECANCELED. */
int kreg_table_change_fits(struct kreg_table *t, const struct kreg_change *c);
/*
 * Turn. Apply @c, if its condition is met, within @txn, and charge the user for what it adds.
 * Also kreg_over_limit(); -EAGAIN, -ENOSPC as kreg_store_apply().
 */
static __always_inline int kreg_table_change(struct kreg_table *t, struct kreg_change *c,
					     struct kreg_txn *txn, struct kreg_prealloc *pre)
{
	struct kreg_place place __uninitialized;
	int err = kreg_table_change_find(t, c, &place);
	s64 bytes;

	if (unlikely(err))
		return err;
	bytes = kreg_table_change_growth(t, c, &place);
	if (bytes != c->paid)
		err = kreg_user_charge(t->user, KREG_QUOTA_BYTES, bytes - c->paid);
	if (unlikely(err))
		return err;
	err = kreg_store_apply(txn, c, &place, pre);
	if (unlikely(err))
		kreg_user_uncharge(t->user, KREG_QUOTA_BYTES, bytes - c->paid);
	else
		t->charged += bytes;
	return err;
}

/* Turn. Some upkeep after a write; the thread will do the rest. */
void kreg_table_upkeep_now(struct kreg_table *t, unsigned int budget, struct kreg_prealloc *pre);

/*
 * Sleeps. Allocate what the store lacks, and give it to the store. -ENOMEM only if that
 * cannot go on without.
 */
int kreg_table_prealloc(struct kreg_table *t, struct kreg_prealloc *pre);
/* Sleeps. The same for what a write that nobody waits for will want. */
void kreg_table_prealloc_ahead(struct kreg_table *t);
/*
 * Sleeps. Wait until all have left who read any table when it was called; a grace period of
 * the usual kind. -EINTR: a fatal signal came first.
 */
int kreg_table_wait_for_readers(void);
/* Sleeps. If too much memory waits for readers to leave, wait for them. */
void kreg_table_throttle(struct kreg_table *t);

/* Turn. For kreg_table.upkeep. */
enum kreg_upkeep_state kreg_table_upkeep(struct kreg_upkeep *upkeep);

#endif /* KREG_TABLE_CHANGE_H */
