/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Namespaces of names and ids: the pair (user namespace, pid namespace) of the
 * opener. It lives as long as it has a client or a table; its tables are destroyed
 * when the init of its pid namespace dies, for then all its processes are dead. That its
 * user namespace has no process any more the kernel tells nobody, and what is parked in
 * it stays.
 *
 * It is charged to the user who has made the user namespace, since making one is what
 * makes many. How many there are costs an open nothing.
 */
#ifndef KREG_CLIENT_NS_H
#define KREG_CLIENT_NS_H

#include <linux/list.h>
#include <linux/refcount.h>
#include <linux/rhashtable-types.h>
#include <linux/xarray.h>

struct kreg_proc;
struct kreg_user;
struct pid_namespace;
struct user_namespace;

struct kreg_ns_key {
	struct user_namespace *user_ns;
	struct pid_namespace *pid_ns;
};

struct kreg_ns {
	struct rhash_head node;		/* ns_lock; read under RCU */
	struct list_head node_init;	/* ns_lock; read under RCU: in the list of all with init */
	struct list_head of_init;	/* ns_lock: in init->namespaces */
	refcount_t refs;
	struct rcu_head rcu;
	/* Invariant after initialisation: */
	struct kreg_ns_key key;
	struct kreg_user *maker;	/* who pays; NULL: the initial user namespace */
	struct kreg_proc *init;		/* NULL: the initial pid namespace, which stays */
	/* Tables by serial number; changed under names_lock, read under RCU. */
	struct xarray ids;
};

/* Sleeps. */
int kreg_ns_init(void);
/* Sleeps. No namespace is left. */
void kreg_ns_exit(void);

/*
 * Sleeps. The namespace of the calling process and @user_ns. A reference, or ERR_PTR(); also
 * of kreg_over_limit().
 */
struct kreg_ns *kreg_ns_current(struct user_namespace *user_ns);
/* Any. */
void kreg_ns_get(struct kreg_ns *ns);
/* Any. NULL is allowed. */
void kreg_ns_put(struct kreg_ns *ns);

/*
 * Any. The namespace after @prev, whose reference is dropped, among those whose init is
 * @init; NULL: from the start, the end.
 */
struct kreg_ns *kreg_ns_next_of(struct kreg_proc *init, struct kreg_ns *prev);

/*
 * Sleeps. Wait until the namespaces whose init has died before the call are empty; or -EINTR.
 */
int kreg_ns_settle_all(void);

/* Any. Whether its init is dead: it is at its end, and so is what is in it. */
bool kreg_ns_ends(const struct kreg_ns *ns);

#endif /* KREG_CLIENT_NS_H */
