// SPDX-License-Identifier: GPL-2.0
/* What a change brings for its object to be bound. */
#include <linux/rcupdate.h>

#include "client/client.h"
#include "client/limits.h"
#include "client/proc.h"
#include "client/user.h"
#include "table/bond.h"
#include "table/bound.h"
#include "table/names.h"
#include "table/table.h"

void kreg_bind_note(struct kreg_change *c, struct kreg_bind *bind, const struct kreg_client *cl)
{
	if (!c->bind)
		*bind = (struct kreg_bind) { .client = cl };
	c->bind = bind;
	c->special = true;
}

/*
 * A bond that is there stays until its process is dead, unless it has a time to linger. So it
 * is looked for once here, and if there is none under the turn either, what was brought is
 * used.
 */
int kreg_bind_bring(struct kreg_bind *bind, u64 table)
{
	struct kreg_user *user = bind->client->user;
	struct kreg_table *t;
	bool known;

	rcu_read_lock();
	t = kreg_names_id(bind->client->ns, table);
	known = t && !bind->linger_ms && kreg_bond_find(t, bind->proc, user, 0, bind->strict);
	rcu_read_unlock();
	if (known)
		return 0;
	bind->bond = kreg_bond_alloc(bind->proc, user, bind->linger_ms, bind->strict, bind->lends);
	return bind->bond ? 0 : -ENOMEM;
}

void kreg_bind_pay(struct kreg_change *c)
{
	c->paid = !kreg_user_charge(c->bind->client->user, KREG_QUOTA_BOUND, 1);
}

void kreg_bind_refund(struct kreg_change *c)
{
	if (c->paid)
		kreg_user_uncharge(c->bind->client->user, KREG_QUOTA_BOUND, 1);
	c->paid = false;
}

void kreg_bind_drop(struct kreg_bind *bind)
{
	if (bind->bond)
		kreg_bond_free(bind->bond);
	bind->bond = NULL;
	kreg_proc_put(bind->proc);
	bind->proc = NULL;
}

static int enter_bond(struct kreg_table *t, struct kreg_bond *b, struct kreg_prealloc *pre)
{
	int err = kreg_store_want_holder(&t->store, pre);

	if (!err)
		err = kreg_user_charge(t->user, KREG_QUOTA_BYTES, b->holder.size);
	if (err)
		return err;
	kreg_holder_add(&t->store, &b->holder);
	t->charged += b->holder.size;
	kreg_bond_enter(b, t, t->writer);
	return 0;
}

int kreg_table_bind(struct kreg_table *t, struct kreg_bind *bind, struct kreg_prealloc *pre,
		    struct kreg_bond **bond)
{
	int err;

	kreg_table_assert(t);
	rcu_read_lock();
	*bond = bind->lends ? NULL : kreg_bond_find(t, bind->proc, bind->client->user,
						    bind->linger_ms, bind->strict);
	rcu_read_unlock();
	if (*bond)
		return 0;
	if (!bind->bond || kreg_proc_exiting(bind->proc))
		return -ESRCH;
	err = enter_bond(t, bind->bond, pre);
	if (err)
		return err;
	*bond = bind->bond;
	bind->bond = NULL;
	return 0;
}

/* A bond that stays until its process is dead is not taken back: others of it rely on that. */
void kreg_bind_take_back(struct kreg_table *t, struct kreg_bind *bind, struct kreg_bond *b)
{
	if (!b->linger_ms)
		return;
	kreg_holder_remove(&t->store, &b->holder);
	kreg_user_uncharge(t->user, KREG_QUOTA_BYTES, b->holder.size);
	t->charged -= b->holder.size;
	kreg_bond_leave(b, t->writer);
	bind->bond = b;
}
