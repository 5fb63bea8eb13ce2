// SPDX-License-Identifier: GPL-2.0
#include <linux/cred.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "client/client.h"
#include "client/mail.h"
#include "client/ns.h"
#include "client/exit.h"
#include "client/proc.h"
#include "store/gfp.h"
#include "store/store.h"
#include "table/bond.h"
#include "table/expirer.h"
#include "table/table.h"
#include "client/user.h"

static struct workqueue_struct *reaper;
static void (*park_expired)(struct kreg_table *t);
static enum kreg_upkeep_state (*table_upkeep)(struct kreg_upkeep *upkeep);
static atomic_t nr_tables;

unsigned int kreg_table_count(void)
{
	return atomic_read(&nr_tables);
}

static void free_policy(struct kreg_policy *p)
{
	if (p)
		kfree(p->limit);
	kfree(p);
}

/* A timer that goes off now finds a table without references. */
static void free_expirer(struct kreg_expirer *x)
{
	if (x)
		timer_delete_sync(&x->timer);
	kfree(x);
}

/* Called a grace period after the last reference was dropped. */
static void free_table(struct kreg_table *t)
{
	s64 bytes = kreg_table_memory(t) - t->store.memory + t->charged;

	kreg_bonds_exit(&t->store, t->writer);
	kreg_store_exit(&t->store);
	if (t->has_garbage)
		kreg_user_drop_garbage(t->user);
	kreg_user_uncharge(t->user, KREG_QUOTA_BYTES, bytes);
	kreg_user_put(t->user);
	kreg_ns_put(t->ns);
	/* Nobody waits: a worker has seen to that, with a reference. */
	kfree(t->awaited);
	free_expirer(t->expirer);
	kfree(t->heir_data);
	free_policy(rcu_dereference_protected(t->policy, true));
	kfree(rcu_dereference_protected(t->name, true));
	kfree(t);
	atomic_dec(&nr_tables);
	module_put(THIS_MODULE);
}

static void free_work(struct work_struct *work)
{
	free_table(container_of(to_rcu_work(work), struct kreg_table, free_work));
}

static void park_work(struct work_struct *work)
{
	park_expired(container_of(to_delayed_work(work), struct kreg_table, park_timer));
}

static enum kreg_store_order order_for(u32 type)
{
	switch (type) {
	case KREG_TYPE_ORDERED_SET:
		return KREG_STORE_ORDERED;
	case KREG_TYPE_BAG:
	case KREG_TYPE_DUPLICATE_BAG:
		return KREG_STORE_RUNS;
	default:
		return KREG_STORE_HASHED;
	}
}

struct kreg_name *kreg_name_alloc(const u8 *bytes, u32 len)
{
	struct kreg_name *name = kzalloc(struct_size(name, bytes, len), KREG_GFP_USER);

	if (!name)
		return NULL;
	name->len = len;
	memcpy(name->bytes, bytes, len);
	return name;
}

void kreg_name_free(struct kreg_name *name)
{
	if (name)
		kfree_rcu(name, rcu);
}

u32 kreg_table_copy_name(const struct kreg_table *t, u8 *bytes)
{
	const struct kreg_name *name;
	u32 len;

	rcu_read_lock();
	name = rcu_dereference(t->name);
	len = name ? name->len : 0;
	if (name)
		memcpy(bytes, name->bytes, len);
	rcu_read_unlock();
	return len;
}

void kreg_table_set_name(struct kreg_table *t, struct kreg_name *name)
{
	kreg_table_assert(t);
	rcu_assign_pointer(t->name, name);
	t->name_memory = kreg_name_memory(name);
	WRITE_ONCE(t->renames, t->renames + 1);
}

/* Most tables have none, and then there is nothing to read as a whole. */
struct kreg_schema kreg_table_schema(struct kreg_table *t)
{
	struct kreg_schema schema = {};

	if (!READ_ONCE(t->schema.id))
		return schema;
	spin_lock(&t->writer->turn);
	schema = t->schema;
	spin_unlock(&t->writer->turn);
	return schema;
}

void kreg_table_set_schema(struct kreg_table *t, struct kreg_schema schema)
{
	kreg_table_assert(t);
	WRITE_ONCE(t->schema.id, schema.id);
	t->schema.version = schema.version;
}

static int init_table(struct kreg_table *t, const struct kreg_client *cl,
		      const struct kreg_table_spec *spec, u64 id)
{
	t->id = id;
	t->type = spec->type;
	t->access = spec->access;
	t->mode = spec->mode;
	t->orphan = spec->orphan;
	t->orphan_ms = spec->orphan_ms;
	t->claimable = spec->claimable;
	t->shared = spec->shared;
	t->schema = spec->schema;
	t->sealed = spec->sealed;
	t->shut = spec->sealed;
	t->uid = cl->uid;
	t->gid = cl->cred->fsgid;
	t->writer = spec->writer ?: kreg_writer_nr(id);
	INIT_LIST_HEAD(&t->owned);
	INIT_LIST_HEAD(&t->heired);
	INIT_LIST_HEAD(&t->waiters);
	INIT_LIST_HEAD(&t->unbinding);
	INIT_LIST_HEAD(&t->upkeep.node);
	kreg_lane_init(&t->lane);
	t->upkeep.work = table_upkeep;
	INIT_DELAYED_WORK(&t->park_timer, park_work);
	refcount_set(&t->refs, 1);
	if (spec->name_len) {
		struct kreg_name *name = kreg_name_alloc(spec->name, spec->name_len);

		if (!name)
			return -ENOMEM;
		RCU_INIT_POINTER(t->name, name);
		t->name_memory = kreg_name_memory(name);
	}
	return kreg_store_init(&t->store, &t->writer->turn, order_for(spec->type));
}

struct kreg_table *kreg_table_alloc(const struct kreg_client *cl,
				    const struct kreg_table_spec *spec, u64 id)
{
	struct kreg_table *t;
	int err;

	t = kzalloc(sizeof(*t), KREG_GFP_USER);
	if (!t)
		return ERR_PTR(-ENOMEM);
	err = init_table(t, cl, spec, id);
	if (err)
		goto free;
	err = kreg_user_charge(cl->user, KREG_QUOTA_BYTES, kreg_table_memory(t));
	if (err)
		goto exit_store;
	t->charged = t->store.memory;
	/* The caller's open file holds the module meanwhile. */
	__module_get(THIS_MODULE);
	atomic_inc(&nr_tables);
	t->ns = cl->ns;
	kreg_ns_get(cl->ns);
	t->user = cl->user;
	refcount_inc(&cl->user->refs);
	return t;

exit_store:
	kreg_store_exit(&t->store);
free:
	kfree(rcu_dereference_protected(t->name, true));
	kfree(t);
	return ERR_PTR(err);
}

bool kreg_table_tryget(struct kreg_table *t)
{
	return refcount_inc_not_zero(&t->refs);
}

void kreg_table_get(struct kreg_table *t)
{
	refcount_inc(&t->refs);
}

void kreg_table_put(struct kreg_table *t)
{
	if (!t || !refcount_dec_and_test(&t->refs))
		return;
	INIT_RCU_WORK(&t->free_work, free_work);
	queue_rcu_work(reaper, &t->free_work);
}

void kreg_table_note_garbage(struct kreg_table *t)
{
	kreg_table_assert(t);
	if (t->has_garbage)
		return;
	t->has_garbage = true;
	kreg_user_add_garbage(t->user);
}

void kreg_table_no_garbage(struct kreg_table *t)
{
	kreg_table_assert(t);
	if (t->has_garbage)
		kreg_user_drop_garbage(t->user);
	t->has_garbage = false;
}

void kreg_table_charge_store(struct kreg_table *t, s64 paid)
{
	s64 memory = t->store.memory;

	kreg_table_assert(t);
	kreg_user_count_in(t->user, KREG_QUOTA_BYTES, memory - t->charged - paid);
	t->charged = memory;
}

static struct kreg_holdings *holdings_of(const struct kreg_table *t, struct kreg_proc *p)
{
	return &p->holdings[t->writer->nr];
}

static void set_successor(const struct kreg_table *t)
{
	struct kreg_proc *owner = kreg_table_owner(t);

	if (owner && t->heir && t->heir != owner)
		kreg_proc_set_successor(owner, t->heir);
}

void kreg_table_list_owned(struct kreg_table *t)
{
	struct kreg_proc *owner = kreg_table_owner(t);

	kreg_table_assert(t);
	if (!owner)
		return;
	list_add_tail(&t->owned, &holdings_of(t, owner)->owned);
	kreg_holdings_note(holdings_of(t, owner), t->writer);
}

/* A follower stays in the list of its role. */
void kreg_table_set_owner(struct kreg_table *t, struct kreg_proc *owner, kuid_t uid)
{
	struct kreg_proc *old = kreg_table_owner(t);

	kreg_table_assert(t);
	if (owner)
		kreg_proc_get(owner);
	WRITE_ONCE(t->owner_uid, owner ? uid : INVALID_UID);
	rcu_assign_pointer(t->owner, owner);
	if (!kreg_table_role(t)) {
		list_del_init(&t->owned);
		kreg_table_list_owned(t);
		if (old)
			kreg_holdings_note(holdings_of(t, old), t->writer);
	}
	if (owner && owner == t->heir)
		kreg_table_drop_mail(t);
	set_successor(t);
	kreg_proc_put(old);
}

void kreg_table_set_heir(struct kreg_table *t, struct kreg_proc *heir, kuid_t uid)
{
	struct kreg_proc *old = t->heir;

	kreg_table_assert(t);
	kreg_table_drop_mail(t);
	if (old) {
		list_del_init(&t->heired);
		WRITE_ONCE(holdings_of(t, old)->nr_heired, holdings_of(t, old)->nr_heired - 1);
		kreg_holdings_note(holdings_of(t, old), t->writer);
	}
	if (heir) {
		kreg_proc_get(heir);
		list_add_tail(&t->heired, &holdings_of(t, heir)->heired);
		WRITE_ONCE(holdings_of(t, heir)->nr_heired, holdings_of(t, heir)->nr_heired + 1);
		kreg_holdings_note(holdings_of(t, heir), t->writer);
	}
	t->heir = heir;
	t->heir_uid = heir ? uid : INVALID_UID;
	set_successor(t);
	kreg_proc_put(old);
}

bool kreg_table_wants_mail(const struct kreg_table *t, const struct kreg_proc *owner)
{
	kreg_table_assert(t);
	return t->heir && t->heir != owner && !t->heir_silent && !t->mail;
}

void kreg_table_drop_mail(struct kreg_table *t)
{
	kreg_table_assert(t);
	kreg_mail_free(t->mail);
	t->mail = NULL;
}

/* One jiffy is added, so that the time has passed when the work runs. */
void kreg_table_park_timer(struct kreg_table *t)
{
	s64 ns = max_t(s64, 0, ktime_to_ns(ktime_sub(t->parked_until, ktime_get())));
	u64 delay = min_t(u64, nsecs_to_jiffies64(ns) + 1, MAX_JIFFY_OFFSET);

	kreg_table_assert(t);
	kreg_table_get(t);
	if (!queue_delayed_work(reaper, &t->park_timer, delay))
		kreg_table_put(t);
}

int kreg_table_init(void (*expired)(struct kreg_table *t),
		    enum kreg_upkeep_state (*upkeep)(struct kreg_upkeep *upkeep))
{
	park_expired = expired;
	table_upkeep = upkeep;
	reaper = alloc_workqueue("kreg_reaper", WQ_UNBOUND, 0);
	return reaper ? 0 : -ENOMEM;
}

/* No table is left, but the work that frees the last one may still be under way. */
void kreg_table_exit(void)
{
	rcu_barrier();
	destroy_workqueue(reaper);
}
