// SPDX-License-Identifier: GPL-2.0
#include <linux/hashtable.h>
#include <linux/rculist.h>
#include <linux/siphash.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "table/names.h"
#include "client/ns.h"
#include "table/table.h"

#define NAME_BITS	12

static struct hlist_head names[1 << NAME_BITS];
struct hlist_head kreg_names_ids[1 << KREG_ID_BITS];
static DEFINE_SPINLOCK(names_lock);	/* inside the turn */
static hsiphash_key_t seed;
static atomic64_t last_id;

void kreg_names_init(void)
{
	get_random_bytes(&seed, sizeof(seed));
}

/* Names of namespaces are kept apart by comparing; they share the buckets. */
static struct hlist_head *name_bucket(const u8 *name, u32 len)
{
	return &names[hsiphash(name, len, &seed) >> (32 - NAME_BITS)];
}

int kreg_names_reserve(struct kreg_ns *ns, u64 *id)
{
	*id = atomic64_inc_return(&last_id);
	return xa_reserve(&ns->ids, *id, GFP_KERNEL_ACCOUNT);
}

void kreg_names_release(struct kreg_ns *ns, u64 id)
{
	xa_release(&ns->ids, id);
}

static struct kreg_table *find_name(const struct kreg_ns *ns, const u8 *name, u32 len)
{
	struct kreg_table *t;

	hlist_for_each_entry_rcu(t, name_bucket(name, len), name_node,
				 lockdep_is_held(&names_lock))
		if (t->ns == ns && t->name_len == len && !memcmp(t->name, name, len))
			return t;
	return NULL;
}

/*
 * The place for the id was reserved, so nothing is allocated, but for a creator
 * who was killed meanwhile: he has given it back.
 */
static int add_locked(struct kreg_table *t)
{
	if (t->name_len && find_name(t->ns, t->name, t->name_len))
		return -EEXIST;
	if (xa_is_err(xa_store(&t->ns->ids, t->id, t, GFP_NOWAIT)))
		return -ENOMEM;
	hlist_add_head_rcu(&t->id_node, kreg_names_bucket(t->id));
	if (t->name_len)
		hlist_add_head_rcu(&t->name_node, name_bucket(t->name, t->name_len));
	return 0;
}

int kreg_names_add(struct kreg_table *t)
{
	int err;

	kreg_table_assert(t);
	spin_lock(&names_lock);
	err = add_locked(t);
	spin_unlock(&names_lock);
	return err;
}

void kreg_names_remove(struct kreg_table *t)
{
	kreg_table_assert(t);
	spin_lock(&names_lock);
	if (t->name_len)
		hlist_del_rcu(&t->name_node);
	hlist_del_rcu(&t->id_node);
	xa_erase(&t->ns->ids, t->id);
	spin_unlock(&names_lock);
}

struct kreg_table *kreg_names_find(const struct kreg_ns *ns, const u8 *name, u32 len)
{
	return find_name(ns, name, len) ?: ERR_PTR(-ENOENT);
}

int kreg_names_why_not(u64 id)
{
	return id && id <= atomic64_read(&last_id) ? -ESTALE : -EINVAL;
}

struct kreg_table *kreg_names_next(struct kreg_ns *ns, u64 after)
{
	unsigned long id = after + 1;

	return after == ULONG_MAX ? NULL : xa_find(&ns->ids, &id, ULONG_MAX, XA_PRESENT);
}

unsigned long kreg_names_objects(void)
{
	unsigned long objects = 0;
	struct kreg_ns *ns = NULL;
	struct kreg_table *t;

	while ((ns = kreg_ns_next(ns))) {
		rcu_read_lock();
		for (t = kreg_names_next(ns, 0); t; t = kreg_names_next(ns, t->id))
			/* Of some moment, table by table. */
			objects += data_race(t->store.objects);
		rcu_read_unlock();
	}
	return objects;
}
