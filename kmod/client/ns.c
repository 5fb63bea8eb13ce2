// SPDX-License-Identifier: GPL-2.0
#include <linux/cred.h>
#include <linux/pid_namespace.h>
#include <linux/rculist.h>
#include <linux/rhashtable.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>

#include "client/ns.h"
#include "client/exit.h"
#include "client/proc.h"
#include "client/user.h"
#include "store/gfp.h"

/* It grows with the number of namespaces, so that those of others slow no open. */
static struct rhashtable namespaces;
static LIST_HEAD(with_init);
static DEFINE_SPINLOCK(ns_lock);

static const struct rhashtable_params ns_params = {
	.head_offset = offsetof(struct kreg_ns, node),
	.key_offset = offsetof(struct kreg_ns, key),
	.key_len = sizeof_field(struct kreg_ns, key),
	.automatic_shrinking = true,
};

int kreg_ns_init(void)
{
	return rhashtable_init(&namespaces, &ns_params);
}

void kreg_ns_exit(void)
{
	rhashtable_destroy(&namespaces);
}

/* A reference, or NULL: also while the last reference to the one that is there ends. */
static struct kreg_ns *find_get_ns(struct user_namespace *user_ns, struct pid_namespace *pid_ns)
{
	const struct kreg_ns_key key = { .user_ns = user_ns, .pid_ns = pid_ns };
	struct kreg_ns *ns;

	rcu_read_lock();
	ns = rhashtable_lookup(&namespaces, &key, ns_params);
	if (ns && !refcount_inc_not_zero(&ns->refs))
		ns = NULL;
	rcu_read_unlock();
	return ns;
}

static void free_ns(struct kreg_ns *ns)
{
	xa_destroy(&ns->ids);
	kreg_user_put(ns->maker);
	kreg_proc_put(ns->init);
	put_pid_ns(ns->key.pid_ns);
	put_user_ns(ns->key.user_ns);
	kfree_rcu(ns, rcu);
}

/* After a failure free_ns() frees what was found until then. */
static int fill_ns(struct kreg_ns *ns)
{
	struct kreg_user *maker;
	struct kreg_proc *init;

	if (ns->key.user_ns->parent) {
		maker = kreg_user_get(ns->key.user_ns->parent, ns->key.user_ns->owner);
		if (IS_ERR(maker))
			return PTR_ERR(maker);
		ns->maker = maker;
	}
	if (ns->key.pid_ns != &init_pid_ns) {
		init = kreg_proc_watch_init();
		if (IS_ERR(init))
			return PTR_ERR(init);
		ns->init = init;
	}
	return 0;
}

static struct kreg_ns *alloc_ns(struct user_namespace *user_ns, struct pid_namespace *pid_ns)
{
	struct kreg_ns *ns = kzalloc(sizeof(*ns), KREG_GFP_USER);
	int err;

	if (!ns)
		return ERR_PTR(-ENOMEM);
	refcount_set(&ns->refs, 1);
	INIT_LIST_HEAD(&ns->of_init);
	ns->key.user_ns = get_user_ns(user_ns);
	ns->key.pid_ns = get_pid_ns(pid_ns);
	xa_init_flags(&ns->ids, XA_FLAGS_ACCOUNT);
	err = fill_ns(ns);
	if (!err)
		return ns;
	free_ns(ns);
	return ERR_PTR(err);
}

static int charge_ns(struct kreg_ns *ns, s64 n)
{
	return ns->maker ? kreg_user_charge(ns->maker, KREG_QUOTA_NAMESPACES, n) : 0;
}

static int publish_ns(struct kreg_ns *ns)
{
	int err = charge_ns(ns, 1);

	lockdep_assert_held(&ns_lock);
	if (err)
		return err;
	err = rhashtable_insert_fast(&namespaces, &ns->node, ns_params);
	if (err) {
		charge_ns(ns, -1);
		return err;
	}
	if (ns->init) {
		list_add_tail_rcu(&ns->node_init, &with_init);
		list_add_tail(&ns->of_init, &ns->init->namespaces);
	}
	return 0;
}

struct kreg_ns *kreg_ns_current(struct user_namespace *user_ns)
{
	struct pid_namespace *pid_ns = task_active_pid_ns(current);
	struct kreg_ns *ns, *old;
	int err = 0;

	ns = find_get_ns(user_ns, pid_ns);
	if (ns)
		return ns;
	ns = alloc_ns(user_ns, pid_ns);
	if (IS_ERR(ns))
		return ns;
	spin_lock(&ns_lock);
	/* Under the lock none is in the table whose last reference has ended. */
	old = find_get_ns(user_ns, pid_ns);
	if (!old)
		err = publish_ns(ns);
	spin_unlock(&ns_lock);
	if (!old && !err)
		return ns;
	free_ns(ns);
	return old ?: ERR_PTR(err);
}

void kreg_ns_get(struct kreg_ns *ns)
{
	refcount_inc(&ns->refs);
}

void kreg_ns_put(struct kreg_ns *ns)
{
	if (!ns || !refcount_dec_and_lock(&ns->refs, &ns_lock))
		return;
	rhashtable_remove_fast(&namespaces, &ns->node, ns_params);
	if (ns->init) {
		list_del_rcu(&ns->node_init);
		list_del(&ns->of_init);
	}
	charge_ns(ns, -1);
	spin_unlock(&ns_lock);
	free_ns(ns);
}

struct kreg_ns *kreg_ns_next_of(struct kreg_proc *init, struct kreg_ns *prev)
{
	struct list_head *next = prev ? &prev->of_init : &init->namespaces;
	struct kreg_ns *ns = NULL;

	/* Most processes are not the init of a namespace: look without the lock first. */
	if (!prev && list_empty(&init->namespaces))
		return NULL;
	spin_lock(&ns_lock);
	next = next->next;
	if (next != &init->namespaces) {
		ns = list_entry(next, struct kreg_ns, of_init);
		refcount_inc(&ns->refs);
	}
	spin_unlock(&ns_lock);
	kreg_ns_put(prev);
	return ns;
}

/* An init that is dead, and its death not handled yet, with a reference; or NULL. */
static struct kreg_proc *get_dead_init(void)
{
	struct kreg_proc *dead = NULL;
	struct kreg_ns *ns;

	rcu_read_lock();
	list_for_each_entry_rcu(ns, &with_init, node_init)
		if (kreg_proc_dead(ns->init) && !completion_done(&ns->init->settled) &&
		    refcount_inc_not_zero(&ns->init->refs)) {
			dead = ns->init;
			break;
		}
	rcu_read_unlock();
	return dead;
}

int kreg_ns_settle_all(void)
{
	struct kreg_proc *dead;
	int err = 0;

	while (err >= 0 && (dead = get_dead_init())) {
		err = kreg_proc_settle(dead);
		kreg_proc_put(dead);
	}
	return err < 0 ? err : 0;
}

bool kreg_ns_ends(const struct kreg_ns *ns)
{
	return ns->init && kreg_proc_dead(ns->init);
}
