// SPDX-License-Identifier: GPL-2.0
/* The way of a read: id, table, record, under RCU and nothing else. */
#include "client/client.h"
#include "table/names.h"
#include "client/ns.h"
#include "cmd/ops.h"
#include "client/proc.h"
#include "table/table.h"

/*
 * A table whose owner is dead may be another's by now, or nobody's: not before
 * that is decided is it read. Its owner needs no such look.
 */
static noinline int others_may_read(struct kreg_client *cl, const struct kreg_table *t)
{
	struct kreg_proc *owner = rcu_dereference(t->owner);
	int err;

	if (owner && unlikely(kreg_proc_dead(owner)))
		return -EINPROGRESS;
	err = kreg_table_may_read(t, cl);
	/* With kreg_fate_destroy(): who finds no owner finds it dead. */
	smp_rmb();
	return unlikely(READ_ONCE(t->dead)) ? -ESTALE : err;
}

static noinline int get_as_other(struct kreg_client *cl, struct kreg_table *t,
				 struct kreg_key *key, struct kreg_hit *hit)
{
	return others_may_read(cl, t) ?: kreg_store_get(&t->store, key, hit);
}

int kreg_ops_readable(struct kreg_client *cl, u64 id, struct kreg_table **found)
{
	struct kreg_table *t = kreg_names_id(cl->ns, id);

	if (unlikely(!t))
		return kreg_names_no_id(id);
	*found = t;
	return kreg_table_owned_by(t, cl->proc) ? 0 : others_may_read(cl, t);
}

/* The same in one, so that owners need no stack for it. */
int kreg_ops_get(struct kreg_client *cl, u64 id, struct kreg_key *key, struct kreg_hit *hit)
{
	struct kreg_table *t = kreg_names_id(cl->ns, id);

	if (unlikely(!t))
		return kreg_names_no_id(id);
	if (unlikely(!kreg_table_owned_by(t, cl->proc)))
		return get_as_other(cl, t, key, hit);
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
