// SPDX-License-Identifier: GPL-2.0
/* Rights: who may do what with a table, and that nobody may write to it. */
#include <linux/capability.h>
#include <linux/uidgid.h>

#include "client/client.h"
#include "client/ns.h"
#include "client/proc.h"
#include "store/store.h"
#include "table/access.h"
#include "table/names.h"
#include "table/role.h"
#include "table/table.h"

/* Any of the bits @want (4: read, 2: write), by class as for files. */
static bool mode_lets(const struct kreg_table *t, const struct kreg_client *cl, u16 want)
{
	u16 mode = READ_ONCE(t->mode);

	if (uid_eq(cl->uid, t->uid))
		mode >>= 6;
	else if (kreg_client_in_group(cl, t->gid))
		mode >>= 3;
	return mode & want || kreg_client_capable(cl, t->ns->key.user_ns, CAP_DAC_OVERRIDE);
}

int kreg_table_may_read(const struct kreg_table *t, const struct kreg_client *cl)
{
	if (kreg_table_owned_by(t, cl))
		return 0;
	if (READ_ONCE(t->access) == KREG_ACCESS_PRIVATE || !mode_lets(t, cl, 4))
		return -EACCES;
	return 0;
}

bool kreg_table_is_writer(const struct kreg_table *t, const struct kreg_client *cl)
{
	const struct kreg_table *role;
	bool is;

	if (likely(!rcu_access_pointer(t->policy)))
		return false;
	rcu_read_lock();
	role = kreg_table_writer_role(t);
	is = role && kreg_table_owned_by(role, cl);
	rcu_read_unlock();
	return is;
}

struct kreg_proc *kreg_table_dead_writer(const struct kreg_table *t)
{
	const struct kreg_table *role = kreg_table_writer_role(t);
	struct kreg_proc *p = role ? rcu_dereference(role->owner) : NULL;

	return p && kreg_proc_dead(p) ? p : NULL;
}

int kreg_table_may_write(const struct kreg_table *t, const struct kreg_client *cl)
{
	if (kreg_table_owned_by(t, cl))
		return 0;
	/* What he may write to a registry is another question. */
	if (READ_ONCE(t->access) < KREG_ACCESS_PUBLIC || !mode_lets(t, cl, 2))
		return kreg_table_is_writer(t, cl) ? 0 : -EACCES;
	return 0;
}

int kreg_table_may_know(const struct kreg_table *t, const struct kreg_client *cl)
{
	return kreg_table_owned_by(t, cl) || mode_lets(t, cl, 4) ? 0 : -EACCES;
}

int kreg_table_may_open(const struct kreg_table *t, const struct kreg_client *cl)
{
	return kreg_table_owned_by(t, cl) || mode_lets(t, cl, 6) ||
	       kreg_table_is_writer(t, cl) ? 0 : -EACCES;
}

/* Who might write is told that it is not the owner; who might not, no more than that. */
int kreg_table_may_control(const struct kreg_table *t, const struct kreg_client *cl)
{
	if (kreg_table_owned_by(t, cl))
		return 0;
	return kreg_table_may_write(t, cl) ?: -EPERM;
}

int kreg_table_may_pass_on(const struct kreg_table *t, const struct kreg_client *cl)
{
	int err;

	kreg_table_assert(t);
	err = kreg_table_may_control(t, cl);
	return !err && kreg_table_role(t) ? -EBUSY : err;
}

int kreg_table_may_dispose(const struct kreg_table *t, const struct kreg_client *cl)
{
	int err = kreg_table_may_control(t, cl);

	/* EPERM: it may write. */
	if (err == -EPERM && t->shared && READ_ONCE(t->access) == KREG_ACCESS_PUBLIC)
		return 0;
	return err && !rcu_access_pointer(t->owner) && !kreg_table_may_claim(t, cl) ? 0 : err;
}

bool kreg_table_may_administer(const struct kreg_table *t, const struct kreg_client *cl)
{
	return kreg_client_capable(cl, t->ns->key.user_ns, CAP_SYS_ADMIN);
}

int kreg_table_may_claim(const struct kreg_table *t, const struct kreg_client *cl)
{
	if (uid_eq(cl->uid, t->uid) ||
	    (t->claimable && mode_lets(t, cl, 2)) || kreg_table_may_administer(t, cl))
		return 0;
	return -EPERM;
}

static bool has_lines(const struct kreg_table *t)
{
	const struct kreg_awaited_set *set = t->awaited;

	return set && !(list_empty(&set->lined) && list_empty(&set->freed));
}

int kreg_table_seal(struct kreg_table *t)
{
	struct kreg_stat stat;

	kreg_table_assert(t);
	if (t->sealed)
		return 0;
	kreg_store_stat(&t->store, &stat);
	if (stat.bound || stat.timed || has_lines(t))
		return -EBUSY;
	WRITE_ONCE(t->sealed, true);
	t->shut = true;
	return 0;
}
