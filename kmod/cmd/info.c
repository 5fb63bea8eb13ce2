// SPDX-License-Identifier: GPL-2.0
/* What is to be known about tables. */
#include <linux/cred.h>
#include <linux/sched/signal.h>
#include <linux/string.h>
#include <linux/user_namespace.h>

#include "client/client.h"
#include "table/names.h"
#include "client/ns.h"
#include "cmd/ops.h"
#include "client/proc.h"
#include "table/table.h"

static void tell_process(struct kreg_process *out, const struct kreg_proc *p)
{
	if (!p || kreg_proc_dead(p))
		return;
	out->pid = kreg_proc_pid(p);
	out->cookie = p->cookie;
}

static void tell_store(const struct kreg_table *t, struct kreg_info *info)
{
	struct kreg_stat stat;

	kreg_store_stat(&t->store, &stat);
	info->objects = stat.objects;
	info->bytes = stat.bytes;
	info->memory = stat.memory + sizeof(*t) + t->name_len;
	info->limbo = stat.limbo;
	info->version = stat.version;
	info->buckets = stat.buckets;
}

static u32 tell_flags(const struct kreg_table *t)
{
	u32 flags = 0;

	if (!kreg_table_owner(t))
		flags |= KREG_INFO_PARKED;
	if (t->claimable)
		flags |= KREG_INFO_CLAIMABLE;
	if (t->heir && t->heir_silent)
		flags |= KREG_INFO_HEIR_SILENT;
	return flags;
}

static void tell_ownership(const struct kreg_table *t, struct kreg_info *info)
{
	tell_process(&info->owner, kreg_table_owner(t));
	tell_process(&info->heir, t->heir);
	info->flags = tell_flags(t);
	info->orphan = t->orphan;
	info->orphan_ms = t->orphan_ms;
	info->parked_until_ns = ktime_to_ns(t->parked_until);
	info->transfers = t->transfers;
	info->waiters = t->nr_waiters;
}

static int tell_all(struct kreg_client *cl, const struct kreg_table *t, struct kreg_info *info)
{
	int err = t->dead ? -ESTALE : kreg_table_may_know(t, cl);

	kreg_table_assert(t);
	if (err)
		return err;
	info->size = sizeof(*info);
	info->id = t->id;
	info->type = t->type;
	info->access = t->access;
	info->mode = t->mode;
	info->uid = from_kuid_munged(current_user_ns(), t->uid);
	info->gid = from_kgid_munged(current_user_ns(), t->gid);
	info->name_len = t->name_len;
	memcpy(info->name, t->name, t->name_len);
	tell_ownership(t, info);
	tell_store(t, info);
	return 0;
}

int kreg_ops_info(struct kreg_client *cl, struct kreg_table *t, struct kreg_info *info)
{
	int err;

	memset(info, 0, sizeof(*info));
	/* For a look, not for a change: the thread may be half-way through a batch. */
	spin_lock(&t->writer->turn);
	err = tell_all(cl, t, info);
	spin_unlock(&t->writer->turn);
	return err;
}

struct kreg_table *kreg_ops_next_table(struct kreg_client *cl, u64 after)
{
	struct kreg_table *t;

	for (;;) {
		rcu_read_lock();
		t = kreg_names_next(cl->ns, after);
		if (t)
			after = t->id;
		rcu_read_unlock();
		if (!t)
			return NULL;
		cond_resched();
		if (fatal_signal_pending(current))
			return ERR_PTR(-EINTR);
		/* Gone again, or its owner dead and it destroyed: the next one, then. */
		t = kreg_ops_get_table(cl, after);
		if (t == ERR_PTR(-EINTR))
			return t;
		if (IS_ERR(t))
			continue;
		if (!kreg_table_may_know(t, cl))
			return t;
		kreg_table_put(t);
	}
}
