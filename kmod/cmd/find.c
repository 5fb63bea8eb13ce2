// SPDX-License-Identifier: GPL-2.0
/*
 * Find a table for a command: by id or by name, once what its dead owner had is dealt with. And
 * processes: to whom an object is bound, or is to be.
 */

#include "client/client.h"
#include "client/exit.h"
#include "client/proc.h"
#include "cmd/cmd.h"
#include "cmd/find.h"
#include "store/store.h"
#include "table/access.h"
#include "table/bond.h"
#include "table/change.h"
#include "table/names.h"
#include "table/owner.h"
#include "table/table.h"

/* The owner of @t, or of the role that may write to it, if he is dead, with a reference. */
static struct kreg_proc *get_dead_owner(const struct kreg_table *t)
{
	struct kreg_proc *owner;

	rcu_read_lock();
	owner = rcu_dereference(t->owner);
	if (!owner || !kreg_proc_dead(owner))
		owner = kreg_table_dead_writer(t);
	if (owner && !refcount_inc_not_zero(&owner->refs))
		owner = NULL;
	rcu_read_unlock();
	return owner;
}

/* 1: the owner was dead, look again; 0: it lives, or there is none; -EINTR. */
static int settle_owner(struct kreg_table *t)
{
	struct kreg_proc *owner = get_dead_owner(t);
	int ret = 0;

	if (owner) {
		ret = kreg_proc_settle(owner);
		/* A process whose death has been handled owns nothing. */
		if (ret > 0 && WARN_ON_ONCE(rcu_access_pointer(t->owner) == owner))
			ret = -ESTALE;
		kreg_proc_put(owner);
	}
	return ret;
}

/* @t is borrowed; the caller's RCU section ends here. */
static struct kreg_table *get_settled(struct kreg_table *t)
{
	int ret;

	if (!IS_ERR(t) && !kreg_table_tryget(t))
		t = ERR_PTR(-EAGAIN);
	rcu_read_unlock();
	if (IS_ERR(t))
		return t;
	ret = settle_owner(t);
	if (!ret)
		return t;
	kreg_table_put(t);
	return ERR_PTR(ret < 0 ? ret : -EAGAIN);
}

struct kreg_table *kreg_find_table(struct kreg_client *cl, u64 id)
{
	struct kreg_table *t;

	do {
		rcu_read_lock();
		t = get_settled(kreg_names_id(cl->ns, id) ?: ERR_PTR(kreg_names_why_not(id)));
	} while (t == ERR_PTR(-EAGAIN));
	return t;
}

/* RCU. By id in the namespace of @cl, or in one over which its opener has power. */
static struct kreg_table *find_anywhere(const struct kreg_client *cl, u64 id)
{
	struct kreg_table *t = kreg_names_id_anywhere(id);

	if (!t || (t->ns != cl->ns && !kreg_table_may_administer(t, cl)))
		return ERR_PTR(kreg_names_why_not(id));
	return t;
}

struct kreg_table *kreg_find_table_anywhere(struct kreg_client *cl, u64 id)
{
	struct kreg_table *t;

	do {
		rcu_read_lock();
		t = get_settled(find_anywhere(cl, id));
	} while (t == ERR_PTR(-EAGAIN));
	return t;
}

struct kreg_table *kreg_find_table_named(struct kreg_client *cl, const u8 *name, u32 len)
{
	struct kreg_table *t;

	do {
		rcu_read_lock();
		t = get_settled(kreg_names_find(cl->ns, name, len));
	} while (t == ERR_PTR(-EAGAIN));
	return t;
}

/*
 * A table whose owner is dead may be another's by now, or nobody's: not before
 * that is decided is it read. Its owner needs no such look.
 */
noinline int kreg_find_other_readable(struct kreg_client *cl, const struct kreg_table *t)
{
	struct kreg_proc *owner = rcu_dereference(t->owner);
	int err;

	if (owner && unlikely(kreg_proc_dead(owner)))
		return -EINPROGRESS;
	err = kreg_table_may_read(t, cl);
	/* Pairs with kreg_table_destroy(): who finds no owner finds the table dead. */
	smp_rmb();
	return unlikely(READ_ONCE(t->dead)) ? -ESTALE : err;
}

int kreg_find_readable(struct kreg_client *cl, u64 id, struct kreg_table **found)
{
	struct kreg_table *t = kreg_names_id(cl->ns, id);

	if (unlikely(!t))
		return kreg_names_why_not(id);
	*found = t;
	return kreg_table_owned_by(t, cl) ? 0 : kreg_find_other_readable(cl, t);
}

int kreg_find_has_runs(struct kreg_client *cl, u64 id)
{
	struct kreg_table *t;
	int ret;

	rcu_read_lock();
	t = kreg_names_id(cl->ns, id);
	ret = t ? kreg_store_has_runs(&t->store) : kreg_names_why_not(id);
	rcu_read_unlock();
	return ret;
}

int kreg_find_settle(struct kreg_client *cl, u64 id)
{
	struct kreg_table *t = kreg_find_table(cl, id);

	if (IS_ERR(t))
		return PTR_ERR(t);
	kreg_table_put(t);
	return 0;
}

/*
 * RCU. Of an object that is hidden. Who keeps its key until he is dead has it until then, which is
 * told as 0. If its process is dead, that is to be handled first, -EOWNERDEAD: who stands in line
 * for the key may have it then.
 */
static int get_hidden_holder(struct kreg_holder *h, struct kreg_proc **holder)
{
	struct kreg_proc *p;
	bool keeps;

	if (h == &kreg_holder_expired || kreg_bond_is_lease(h))
		return -ENODATA;
	p = kreg_bond_proc(h);
	keeps = kreg_bond_keeps(kreg_bond_of(h));
	if (keeps ? !kreg_proc_is_visible(p) : !kreg_proc_dead(p))
		return -ENODATA;
	/* If nobody has a reference any more, the object has gone. */
	if (!refcount_inc_not_zero(&p->refs))
		return -EAGAIN;
	*holder = p;
	return keeps ? 0 : -EOWNERDEAD;
}

/* RCU. */
static int get_holder(struct kreg_client *cl, u64 id, struct kreg_key *key,
		      struct kreg_proc **holder, u64 *version)
{
	struct kreg_table *t;
	struct kreg_hit hit;
	struct kreg_proc *p;
	int err;

	err = kreg_find_readable(cl, id, &t) ?: kreg_store_get(&t->store, key, &hit);
	if (err)
		return err == KREG_STORE_RUN ? -EOPNOTSUPP : err;
	*version = hit.version;
	if (hit.holder && kreg_bond_hides(hit.holder, cl->proc))
		return get_hidden_holder(hit.holder, holder);
	p = hit.holder ? kreg_bond_whose(hit.holder) : NULL;
	if (p && kreg_proc_is_visible(p) && refcount_inc_not_zero(&p->refs))
		*holder = p;
	/* If it was reaped in between, it is not nobody's, but gone. */
	return p && !*holder && kreg_bond_hides(hit.holder, cl->proc) ? -ENODATA : 0;
}

/* What it had is to be looked at anew then. */
static int settle_holder(struct kreg_proc *dead)
{
	int ret = kreg_proc_settle(dead);

	kreg_proc_put(dead);
	return ret < 0 ? ret : -EAGAIN;
}

int kreg_find_holder(struct kreg_client *cl, u64 id, struct kreg_key *key,
		     struct kreg_proc **holder, u64 *version)
{
	int err;

	do {
		*holder = NULL;
		rcu_read_lock();
		err = get_holder(cl, id, key, holder, version);
		rcu_read_unlock();
		if (err == -EINPROGRESS)
			err = kreg_find_settle(cl, id) ?: -EAGAIN;
		else if (err == -EOWNERDEAD)
			err = settle_holder(*holder);
	} while (err == -EAGAIN);
	if (err) {
		*holder = NULL;
		*version = 0;
	}
	return err;
}

struct kreg_proc *kreg_find_whom(struct kreg_client *cl, const struct kreg_process *whom)
{
	struct kreg_proc *p;
	bool able;

	if (kreg_cmd_no_process(whom)) {
		kreg_proc_get(cl->proc);
		return cl->proc;
	}
	p = kreg_proc_find(whom->pid, whom->cookie);
	if (p == ERR_PTR(-ENOTCONN))
		return ERR_PTR(-ESRCH);
	if (IS_ERR(p) || p == cl->proc || kreg_client_may_kill(cl, p, &able))
		return p;
	kreg_proc_put(p);
	return ERR_PTR(-EPERM);
}

int kreg_find_check_write(struct kreg_client *cl, u64 table)
{
	struct kreg_table *t;
	int err;

	do {
		rcu_read_lock();
		err = kreg_table_find_writable(cl, table, &t);
		if (!err && READ_ONCE(t->sealed))
			err = -EROFS;
		rcu_read_unlock();
		if (err == -EINPROGRESS)
			err = kreg_find_settle(cl, table) ?: -EAGAIN;
	} while (err == -EAGAIN);
	return err;
}
