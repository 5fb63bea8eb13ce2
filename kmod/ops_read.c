// SPDX-License-Identifier: GPL-2.0
/* The way of a read: id, table, record, under RCU and nothing else. */
#include "client.h"
#include "names.h"
#include "ns.h"
#include "ops.h"
#include "proc.h"
#include "table.h"

/*
 * A table whose owner is dead may be another's by now, or nobody's: not before
 * that is decided is it read. Its owner needs no such look.
 */
static __always_inline int readable(struct kreg_client *cl, u64 id, struct kreg_table **found)
{
	struct kreg_table *t = kreg_names_id(cl->ns, id);
	struct kreg_proc *owner;

	if (IS_ERR(t))
		return PTR_ERR(t);
	*found = t;
	owner = rcu_dereference(t->owner);
	if (owner == cl->proc)
		return 0;
	if (owner && unlikely(kreg_proc_dead(owner)))
		return -EINPROGRESS;
	if (unlikely(READ_ONCE(t->dead)))
		return -ESTALE;
	return kreg_table_may_read(t, cl);
}

int kreg_ops_readable(struct kreg_client *cl, u64 id, struct kreg_table **t)
{
	return readable(cl, id, t);
}

int kreg_ops_get(struct kreg_client *cl, u64 id, struct kreg_key *key, struct kreg_hit *hit)
{
	struct kreg_table *t;
	int err = readable(cl, id, &t);

	if (unlikely(err))
		return err;
	kreg_store_hash(&t->store, key);
	return kreg_store_get(&t->store, key, hit);
}

int kreg_ops_settle(struct kreg_client *cl, u64 id)
{
	struct kreg_table *t = kreg_ops_get_table(cl, id);

	if (IS_ERR(t))
		return PTR_ERR(t);
	kreg_table_put(t);
	return 0;
}
