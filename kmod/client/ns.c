// SPDX-License-Identifier: GPL-2.0
#include <linux/cred.h>
#include <linux/pid_namespace.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>

#include "client/ns.h"
#include "client/exit.h"
#include "client/proc.h"
#include "store/gfp.h"

static LIST_HEAD(namespaces);
static DEFINE_SPINLOCK(ns_lock);

static struct kreg_ns *find_get_ns(const struct user_namespace *user_ns,
				   const struct pid_namespace *pid_ns)
{
	struct kreg_ns *ns;

	lockdep_assert_held(&ns_lock);
	list_for_each_entry(ns, &namespaces, node)
		if (ns->user_ns == user_ns && ns->pid_ns == pid_ns) {
			refcount_inc(&ns->refs);
			return ns;
		}
	return NULL;
}

static void free_ns(struct kreg_ns *ns)
{
	xa_destroy(&ns->ids);
	kreg_proc_put(ns->init);
	put_pid_ns(ns->pid_ns);
	put_user_ns(ns->user_ns);
	kfree(ns);
}

static struct kreg_ns *alloc_ns(struct user_namespace *user_ns, struct pid_namespace *pid_ns)
{
	struct kreg_ns *ns;
	struct kreg_proc *init = NULL;

	if (pid_ns != &init_pid_ns) {
		init = kreg_proc_watch_init();
		if (IS_ERR(init))
			return ERR_CAST(init);
	}
	ns = kzalloc(sizeof(*ns), KREG_GFP_USER);
	if (!ns) {
		kreg_proc_put(init);
		return ERR_PTR(-ENOMEM);
	}
	refcount_set(&ns->refs, 1);
	INIT_LIST_HEAD(&ns->of_init);
	ns->user_ns = get_user_ns(user_ns);
	ns->pid_ns = get_pid_ns(pid_ns);
	ns->init = init;
	xa_init_flags(&ns->ids, XA_FLAGS_ACCOUNT);
	return ns;
}

struct kreg_ns *kreg_ns_current(struct user_namespace *user_ns)
{
	struct pid_namespace *pid_ns = task_active_pid_ns(current);
	struct kreg_ns *ns, *old;

	spin_lock(&ns_lock);
	ns = find_get_ns(user_ns, pid_ns);
	spin_unlock(&ns_lock);
	if (ns)
		return ns;
	ns = alloc_ns(user_ns, pid_ns);
	if (IS_ERR(ns))
		return ns;
	spin_lock(&ns_lock);
	old = find_get_ns(user_ns, pid_ns);
	if (!old) {
		list_add_tail(&ns->node, &namespaces);
		if (ns->init)
			list_add_tail(&ns->of_init, &ns->init->namespaces);
	}
	spin_unlock(&ns_lock);
	if (!old)
		return ns;
	free_ns(ns);
	return old;
}

void kreg_ns_get(struct kreg_ns *ns)
{
	refcount_inc(&ns->refs);
}

void kreg_ns_put(struct kreg_ns *ns)
{
	if (!ns || !refcount_dec_and_lock(&ns->refs, &ns_lock))
		return;
	list_del(&ns->node);
	list_del(&ns->of_init);
	spin_unlock(&ns_lock);
	free_ns(ns);
}

struct kreg_ns *kreg_ns_next(struct kreg_ns *prev)
{
	struct kreg_ns *ns;

	spin_lock(&ns_lock);
	ns = list_prepare_entry(prev, &namespaces, node);
	ns = list_next_entry(ns, node);
	if (list_entry_is_head(ns, &namespaces, node))
		ns = NULL;
	else
		refcount_inc(&ns->refs);
	spin_unlock(&ns_lock);
	kreg_ns_put(prev);
	return ns;
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

int kreg_ns_settle_all(void)
{
	struct kreg_ns *ns = NULL;
	int err = 0;

	while (err >= 0 && (ns = kreg_ns_next(ns)))
		if (ns->init)
			err = kreg_proc_settle(ns->init);
	if (err >= 0)
		return 0;
	kreg_ns_put(ns);
	return err;
}

bool kreg_ns_ends(const struct kreg_ns *ns)
{
	return ns->init && kreg_proc_dead(ns->init);
}
