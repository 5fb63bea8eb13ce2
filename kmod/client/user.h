/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Limits: what a user has, counted.
 *
 * DOC: Who pays
 *
 * A user is a uid in a user namespace. What it has is charged to it and, as for
 * the kernel's own ucounts, to the owner of that namespace in the parent
 * namespace, and so on up to the initial one: making namespaces multiplies
 * nothing. Root in the initial namespace is counted, not limited.
 *
 * DOC: What is charged
 *
 * Bytes are bytes of memory: pages that a store has taken, whether records are in them,
 * garbage that waits for readers to leave, or nothing; and the structs around it. A
 * store is charged for pages before it gets them, and for nothing when a record is put
 * into them, so that most writes charge nothing.
 */
#ifndef KREG_CLIENT_USER_H
#define KREG_CLIENT_USER_H

#include <linux/atomic.h>
#include <linux/minmax.h>
#include <linux/refcount.h>
#include <linux/types.h>
#include <linux/uidgid.h>

#include "writer/lane.h"

struct user_namespace;

enum kreg_quota {
	KREG_QUOTA_TABLES,
	KREG_QUOTA_PARKED,
	KREG_QUOTA_BYTES,
	KREG_QUOTA_NAMESPACES,
	KREG_QUOTA_QUEUED,
	KREG_QUOTA_QUEUED_BYTES,
	KREG_QUOTA_WATCHES,
	KREG_QUOTA_BOUND,
	KREG_QUOTA_NR,
};

/* How far writes may go over a limit that give back in the end what they take. */
#define KREG_USER_OVER(limit)	max((limit) >> 3, 2UL << 20)

struct kreg_user {
	struct hlist_node node;		/* users_lock */
	refcount_t refs;
	/* Invariant after initialisation: */
	struct user_namespace *ns;
	kuid_t uid;
	bool limited;
	struct kreg_user *parent;
	/* Lock-free: */
	atomic64_t used[KREG_QUOTA_NR];
	atomic_t garbage;
	struct kreg_share shares[];	/* one a writer */
};

extern unsigned long kreg_user_limit[KREG_QUOTA_NR];

/* Sleeps. A reference, to be dropped with kreg_user_put(), or ERR_PTR(-ENOMEM). */
struct kreg_user *kreg_user_get(struct user_namespace *ns, kuid_t uid);
/* Any. */
void kreg_user_put(struct kreg_user *u);
/*
 * Any. The share of @u in the time of writer @nr: that of the outermost user who pays for
 * it and is limited, so that more namespaces give nobody more time.
 */
struct kreg_share *kreg_user_share(struct kreg_user *u, unsigned int nr);
unsigned int kreg_user_count(void);

/* Any. Charge @n to @u and its parents; or nothing, and kreg_over_limit(). */
int kreg_user_charge(struct kreg_user *u, enum kreg_quota what, s64 n);
/* Any. The same for what will be given back soon: over the limit by KREG_USER_OVER(). */
int kreg_user_charge_over(struct kreg_user *u, enum kreg_quota what, s64 n);
/* Any. Count @n, which may be less than 0, whatever the limit. */
void kreg_user_count_in(struct kreg_user *u, enum kreg_quota what, s64 n);
/* Any. Whether @n more would fit at this moment. */
bool kreg_user_fits(struct kreg_user *u, enum kreg_quota what, s64 n);
/*
 * Any. A table of @u, or of a user who is charged to @u, has memory that will be given back
 * by itself: one more, one less, whether there is any.
 */
void kreg_user_add_garbage(struct kreg_user *u);
void kreg_user_drop_garbage(struct kreg_user *u);
bool kreg_user_has_garbage(const struct kreg_user *u);
/* Any. */
void kreg_user_uncharge(struct kreg_user *u, enum kreg_quota what, s64 n);
/* Any. For a watch, a wait or a place in line that takes @bytes. kreg_over_limit(). */
int kreg_user_charge_watch(struct kreg_user *u, s64 bytes);
void kreg_user_uncharge_watch(struct kreg_user *u, s64 bytes);

#endif /* KREG_CLIENT_USER_H */
