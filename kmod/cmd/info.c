// SPDX-License-Identifier: GPL-2.0
/* INFO and LIST: what is to be known about tables. */
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/pid_namespace.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/user_namespace.h>

#include "client/client.h"
#include "client/clock.h"
#include "client/ns.h"
#include "client/proc.h"
#include "cmd/cmd.h"
#include "cmd/find.h"
#include "event/stream.h"
#include "store/pin.h"
#include "store/store.h"
#include "table/access.h"
#include "table/names.h"
#include "table/role.h"
#include "table/snapshot.h"
#include "table/table.h"

static void tell_process(struct kreg_process *out, const struct kreg_proc *p)
{
	if (!p || kreg_proc_dead(p))
		return;
	out->pid = kreg_proc_pid(p);
	out->cookie = p->cookie;
}

/* As the caller numbers users; 0 if there is no such process to tell of. */
static u32 tell_user(const struct kreg_process *told, kuid_t uid)
{
	return told->cookie ? from_kuid_munged(current_user_ns(), uid) : 0;
}

static void tell_store(const struct kreg_table *t, struct kreg_info *info)
{
	struct kreg_stat stat;

	kreg_store_stat(&t->store, &stat);
	info->objects = stat.objects;
	info->bytes = stat.bytes;
	info->memory = kreg_table_memory(t);
	info->limbo = stat.limbo;
	info->version = stat.version;
	info->buckets = stat.buckets;
	info->walked = stat.walked;
	info->marks = stat.marks;
	info->bound = stat.bound;
	info->timed = stat.timed;
	info->kept = stat.kept;
	info->kept_bytes = stat.kept_bytes;
}

static void tell_pins(const struct kreg_table *t, struct kreg_info *info)
{
	const struct kreg_snapshot *oldest = kreg_snapshot_first(t);

	info->pins = kreg_pin_count(&t->store);
	if (!oldest)
		return;
	info->pinned_since_ns = kreg_clock_to_user(oldest->since);
	tell_process(&info->pinner, oldest->handle.client->proc);
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
	if (t->heir && t->heir_on_crash)
		flags |= KREG_INFO_HEIR_ON_CRASH;
	if (kreg_table_is_quarantined(t))
		flags |= KREG_INFO_QUARANTINED;
	if (kreg_table_role(t))
		flags |= KREG_INFO_FOLLOWS;
	if (t->sealed)
		flags |= KREG_INFO_SEALED;
	if (t->shared)
		flags |= KREG_INFO_SHARED;
	return flags;
}

/* The time of a follower is that of its role. */
static void tell_parked_until(const struct kreg_table *t, struct kreg_info *info)
{
	info->parked_until_ns = t->parked_until ? kreg_clock_to_user(t->parked_until) : 0;
}

static void tell_ownership(const struct kreg_table *t, struct kreg_info *info)
{
	tell_process(&info->owner, kreg_table_owner(t));
	tell_process(&info->heir, t->heir);
	info->owner_uid = tell_user(&info->owner, t->owner_uid);
	info->heir_uid = tell_user(&info->heir, t->heir_uid);
	info->flags = tell_flags(t);
	info->orphan = t->orphan;
	info->orphan_ms = t->orphan_ms;
	tell_parked_until(kreg_table_role(t) ?: t, info);
	info->transfers = t->transfers;
	info->waiters = t->nr_waiters;
}

static void tell_roles(const struct kreg_table *t, struct kreg_info *info)
{
	const struct kreg_policy *p = kreg_table_policy(t);
	const struct kreg_table *writer;

	if (!p)
		return;
	info->role = p->role ? p->role->id : 0;
	if (p->limit) {
		info->limit = p->limit->max;
		info->limit_ms = p->limit->ms;
	}
	rcu_read_lock();
	writer = kreg_table_writer_role(t);
	info->writer_role = writer ? writer->id : 0;
	rcu_read_unlock();
}

static void tell_stream(const struct kreg_table *t, struct kreg_info *info)
{
	info->subscriptions = t->stream ? READ_ONCE(t->stream->nr_subscriptions) : 0;
	info->events = t->stream ? t->stream->seq : t->events;
}

/* Who asks, and whether as the administrator of other namespaces. */
struct asker {
	struct kreg_client *client;
	bool anywhere;
};

static struct asker asker_of(const struct kreg_call *call, u32 flags)
{
	return (struct asker) { call->client, flags & KREG_ANY_NAMESPACE };
}

static struct kreg_table *find_table(struct asker who, u64 id)
{
	return who.anywhere ? kreg_find_table_anywhere(who.client, id) :
			      kreg_find_table(who.client, id);
}

static int may_know(struct asker who, const struct kreg_table *t)
{
	if (who.anywhere && kreg_table_may_administer(t, who.client))
		return 0;
	return kreg_table_may_know(t, who.client);
}

static int tell_all(struct asker who, const struct kreg_table *t, struct kreg_info *info)
{
	const struct kreg_name *name = kreg_table_name(t);
	int err = t->dead ? -ESTALE : may_know(who, t);

	kreg_table_assert(t);
	if (err)
		return err;
	info->size = sizeof(*info);
	info->id = t->id;
	info->type = t->type;
	info->access = t->access;
	info->mode = t->mode;
	info->schema = t->schema.id;
	info->schema_version = t->schema.version;
	info->uid = from_kuid_munged(current_user_ns(), t->uid);
	info->gid = from_kgid_munged(current_user_ns(), t->gid);
	if (name) {
		info->name_len = name->len;
		memcpy(info->name, name->bytes, name->len);
	}
	info->user_ns = t->ns->key.user_ns->ns.inum;
	info->pid_ns = t->ns->key.pid_ns->ns.inum;
	tell_ownership(t, info);
	tell_roles(t, info);
	tell_stream(t, info);
	tell_store(t, info);
	tell_pins(t, info);
	return 0;
}

static int fill_info(struct asker who, struct kreg_table *t, struct kreg_info *info)
{
	int err;

	memset(info, 0, sizeof(*info));
	/* The turn is taken to look, not to change: the thread may be in the middle of a batch. */
	spin_lock(&t->writer->turn);
	err = tell_all(who, t, info);
	spin_unlock(&t->writer->turn);
	return err;
}

/* The id after *@after in the namespace of the caller. False: there is none. */
static bool next_id(struct kreg_client *cl, u64 *after)
{
	struct kreg_table *t;

	rcu_read_lock();
	t = kreg_names_next(cl->ns, *after);
	if (t)
		*after = t->id;
	rcu_read_unlock();
	return t;
}

/* Of all namespaces, in the order of their slots: the slot is a part of the id. */
static bool next_id_anywhere(u64 *after)
{
	u32 slot = *after ? kreg_names_number(*after) + 1 : 0;
	struct kreg_table *t;
	bool more;

	do {
		rcu_read_lock();
		more = kreg_names_walk(&slot, &t);
		if (t)
			*after = t->id;
		rcu_read_unlock();
		cond_resched();
	} while (more && !t && !fatal_signal_pending(current));
	return t;
}

static struct kreg_table *next_table(struct asker who, u64 after)
{
	struct kreg_table *t;

	while (who.anywhere ? next_id_anywhere(&after) : next_id(who.client, &after)) {
		cond_resched();
		if (fatal_signal_pending(current))
			return ERR_PTR(-EINTR);
		/* If it is gone by now, or was destroyed because its owner is dead, go on. */
		t = find_table(who, after);
		if (t == ERR_PTR(-EINTR))
			return t;
		if (IS_ERR(t))
			continue;
		if (!may_know(who, t))
			return t;
		kreg_table_put(t);
	}
	return NULL;
}

static int check_room(u32 len)
{
	if (len < 8 || len % 8)
		return -EINVAL;
	return len > PAGE_SIZE ? -E2BIG : 0;
}

static int put_info(void __user *user, u32 room, struct kreg_info *info)
{
	u32 len = min_t(u32, room, sizeof(*info));

	info->size = len;
	if (copy_to_user(user, info, len) || clear_user(user + len, room - len))
		return -EFAULT;
	return 0;
}

/* -ESTALE: what had the name is gone, or has another one by now. */
static int info_once(struct kreg_call *call, struct asker who, const u8 *name,
		     struct kreg_info *info)
{
	const struct kreg_ioc_info *arg = call->arg;
	struct kreg_table *t;
	int err;

	t = name ? kreg_find_table_named(call->client, name, arg->name_len) :
		   find_table(who, arg->table);
	if (IS_ERR(t))
		return PTR_ERR(t);
	err = fill_info(who, t, info);
	kreg_table_put(t);
	if (err || !name)
		return err;
	return info->name_len == arg->name_len && !memcmp(info->name, name, info->name_len) ?
	       0 : -ESTALE;
}

static int check_info(const struct kreg_ioc_info *arg)
{
	if (arg->flags & ~KREG_INFO_IOC_ALL)
		return -EOPNOTSUPP;
	/* By id or by name, which only the caller's namespace has. */
	if (!arg->table == !arg->name_len || (arg->table && arg->name) ||
	    (arg->name_len && arg->flags))
		return -EINVAL;
	return check_room(arg->info_len);
}

int kreg_cmd_info(struct kreg_call *call)
{
	const struct kreg_ioc_info *arg = call->arg;
	struct asker who = asker_of(call, arg->flags);
	struct kreg_info info;
	u8 *name;
	int err = check_info(arg) ?: kreg_client_check_mode(call->client, FMODE_READ);

	if (err)
		return err;
	name = kreg_cmd_get_name(arg->name, arg->name_len);
	if (IS_ERR(name))
		return PTR_ERR(name);
	do {
		err = info_once(call, who, name, &info);
	} while (err == -ESTALE && name);
	kvfree(name);
	return err ?: put_info(u64_to_user_ptr(arg->info), arg->info_len, &info);
}

/* 1: one more; 0: no table is left; or an error. */
static int list_one(struct kreg_call *call, u64 *after)
{
	struct kreg_ioc_list *arg = call->arg;
	void __user *user = u64_to_user_ptr(arg->infos) + (u64)arg->out_count * arg->info_len;
	struct asker who = asker_of(call, arg->flags);
	struct kreg_info info;
	struct kreg_table *t;
	int err;

	t = next_table(who, *after);
	if (IS_ERR_OR_NULL(t))
		return PTR_ERR_OR_ZERO(t);
	*after = t->id;
	err = fill_info(who, t, &info);
	kreg_table_put(t);
	/* A table that is gone or closed to the caller by now is left out. */
	if (err)
		return 1;
	err = put_info(user, arg->info_len, &info);
	if (err)
		return err;
	arg->out_count++;
	return 1;
}

int kreg_cmd_list(struct kreg_call *call)
{
	struct kreg_ioc_list *arg = call->arg;
	u64 after = arg->after;
	int ret;

	if (arg->flags & ~KREG_LIST_ALL)
		return -EOPNOTSUPP;
	if (!arg->max_count)
		return -EINVAL;
	ret = check_room(arg->info_len) ?: kreg_client_check_mode(call->client, FMODE_READ);
	if (ret)
		return ret;
	arg->out_count = 0;
	do {
		ret = list_one(call, &after);
		cond_resched();
		if (fatal_signal_pending(current))
			ret = -EINTR;
	} while (ret > 0 && arg->out_count < arg->max_count);
	if (ret < 0)
		return ret;
	arg->out_more = ret;
	return kreg_cmd_answer_from(call, struct kreg_ioc_list, out_count);
}
