// SPDX-License-Identifier: GPL-2.0
#include <linux/cred.h>
#include <linux/hashtable.h>
#include <linux/kreg.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>

#include "client/limits.h"
#include "client/user.h"
#include "store/gfp.h"
#include "writer/writer.h"

unsigned long kreg_user_limit[KREG_QUOTA_NR] = {
	[KREG_QUOTA_TABLES] = KREG_MAX_USER_TABLES,
	[KREG_QUOTA_PARKED] = KREG_MAX_USER_PARKED,
	[KREG_QUOTA_BYTES] = KREG_MAX_USER_BYTES,
	[KREG_QUOTA_NAMESPACES] = KREG_MAX_USER_NAMESPACES,
	[KREG_QUOTA_QUEUED] = KREG_MAX_USER_QUEUED,
	[KREG_QUOTA_QUEUED_BYTES] = KREG_MAX_USER_QUEUED_BYTES,
	[KREG_QUOTA_WATCHES] = KREG_MAX_USER_WATCHES,
	[KREG_QUOTA_BOUND] = KREG_MAX_USER_BOUND,
};

static DEFINE_HASHTABLE(users, 10);
static DEFINE_SPINLOCK(users_lock);
static unsigned int nr_users;

static unsigned long user_bucket(const struct user_namespace *ns, kuid_t uid)
{
	return (unsigned long)ns / L1_CACHE_BYTES + __kuid_val(uid);
}

static struct kreg_user *find_level(const struct user_namespace *ns, kuid_t uid)
{
	struct kreg_user *u;

	lockdep_assert_held(&users_lock);
	hash_for_each_possible(users, u, node, user_bucket(ns, uid))
		if (u->ns == ns && uid_eq(u->uid, uid))
			return u;
	return NULL;
}

static struct kreg_user *find_get_level(const struct user_namespace *ns, kuid_t uid)
{
	struct kreg_user *u;

	spin_lock(&users_lock);
	u = find_level(ns, uid);
	if (u)
		refcount_inc(&u->refs);
	spin_unlock(&users_lock);
	return u;
}

static void free_user(struct kreg_user *u)
{
	put_user_ns(u->ns);
	kfree(u);
}

/* Publish @u, or find that another was faster, whose reference is returned. */
static struct kreg_user *insert_user(struct kreg_user *u)
{
	struct kreg_user *old;

	spin_lock(&users_lock);
	old = find_level(u->ns, u->uid);
	if (old) {
		refcount_inc(&old->refs);
	} else {
		hash_add(users, &u->node, user_bucket(u->ns, u->uid));
		WRITE_ONCE(nr_users, nr_users + 1);
	}
	spin_unlock(&users_lock);
	return old;
}

/* One level, whose parent's reference goes to the new user, or is given back. */
static struct kreg_user *get_level(struct user_namespace *ns, kuid_t uid,
				   struct kreg_user *parent)
{
	struct kreg_user *u, *old;
	unsigned int i;

	u = kzalloc(struct_size(u, shares, kreg_writers), KREG_GFP_USER);
	if (!u) {
		kreg_user_put(parent);
		return ERR_PTR(-ENOMEM);
	}
	for (i = 0; i < kreg_writers; i++)
		kreg_share_init(&u->shares[i]);
	refcount_set(&u->refs, 1);
	u->ns = get_user_ns(ns);
	u->uid = uid;
	u->limited = parent || !uid_eq(uid, GLOBAL_ROOT_UID);
	u->parent = parent;
	old = insert_user(u);
	if (!old)
		return u;
	free_user(u);
	kreg_user_put(parent);
	return old;
}

struct kreg_user *kreg_user_get(struct user_namespace *ns, kuid_t uid)
{
	struct kreg_user *u, *parent = NULL;

	u = find_get_level(ns, uid);
	if (u)
		return u;
	/* As deep as user namespaces nest: 32 levels. */
	if (ns->parent) {
		parent = kreg_user_get(ns->parent, ns->owner);
		if (IS_ERR(parent))
			return parent;
	}
	return get_level(ns, uid, parent);
}

void kreg_user_put(struct kreg_user *u)
{
	while (u) {
		struct kreg_user *parent = u->parent;

		if (!refcount_dec_and_lock(&u->refs, &users_lock))
			return;
		hash_del(&u->node);
		WRITE_ONCE(nr_users, nr_users - 1);
		spin_unlock(&users_lock);
		free_user(u);
		u = parent;
	}
}

struct kreg_share *kreg_user_share(struct kreg_user *u, unsigned int nr)
{
	while (u->parent && u->parent->limited)
		u = u->parent;
	return &u->shares[nr];
}

unsigned int kreg_user_count(void)
{
	return READ_ONCE(nr_users);
}

static void uncharge_until(struct kreg_user *u, const struct kreg_user *end,
			   enum kreg_quota what, s64 n)
{
	for (; u != end; u = u->parent)
		atomic64_sub(n, &u->used[what]);
}

static bool exceeds_limit(const struct kreg_user *level, enum kreg_quota what, s64 used,
			  bool over)
{
	unsigned long limit = READ_ONCE(kreg_user_limit[what]);

	if (over)
		limit += min(KREG_USER_OVER(limit), ULONG_MAX - limit);
	return level->limited && (u64)max_t(s64, used, 0) > limit;
}

static const enum kreg_limit limits[] = {
	[KREG_QUOTA_TABLES] = KREG_LIMIT_TABLES,
	[KREG_QUOTA_PARKED] = KREG_LIMIT_PARKED,
	[KREG_QUOTA_BYTES] = KREG_LIMIT_BYTES,
	[KREG_QUOTA_NAMESPACES] = KREG_LIMIT_NAMESPACES,
	[KREG_QUOTA_QUEUED] = KREG_LIMIT_USER_QUEUED,
	[KREG_QUOTA_QUEUED_BYTES] = KREG_LIMIT_USER_QUEUED_BYTES,
	[KREG_QUOTA_WATCHES] = KREG_LIMIT_WATCHES,
	[KREG_QUOTA_BOUND] = KREG_LIMIT_BOUND,
};

static int charge_levels(struct kreg_user *u, enum kreg_quota what, s64 n, bool over)
{
	struct kreg_user *level;

	/* Of several that are charged at the same time, all may be refused near the limit. */
	for (level = u; level; level = level->parent) {
		s64 used = atomic64_add_return(n, &level->used[what]);

		if (n > 0 && exceeds_limit(level, what, used, over)) {
			uncharge_until(u, level->parent, what, n);
			return kreg_over_limit(limits[what]);
		}
	}
	return 0;
}

int kreg_user_charge(struct kreg_user *u, enum kreg_quota what, s64 n)
{
	return charge_levels(u, what, n, false);
}

int kreg_user_charge_over(struct kreg_user *u, enum kreg_quota what, s64 n)
{
	return charge_levels(u, what, n, true);
}

bool kreg_user_fits(struct kreg_user *u, enum kreg_quota what, s64 n)
{
	for (; u; u = u->parent)
		if (exceeds_limit(u, what, atomic64_read(&u->used[what]) + n, false))
			return false;
	return true;
}

void kreg_user_uncharge(struct kreg_user *u, enum kreg_quota what, s64 n)
{
	uncharge_until(u, NULL, what, n);
}

int kreg_user_charge_watch(struct kreg_user *u, s64 bytes)
{
	int err = kreg_user_charge(u, KREG_QUOTA_WATCHES, 1);

	if (err)
		return err;
	err = kreg_user_charge(u, KREG_QUOTA_BYTES, bytes);
	if (err)
		kreg_user_uncharge(u, KREG_QUOTA_WATCHES, 1);
	return err;
}

void kreg_user_uncharge_watch(struct kreg_user *u, s64 bytes)
{
	kreg_user_uncharge(u, KREG_QUOTA_BYTES, bytes);
	kreg_user_uncharge(u, KREG_QUOTA_WATCHES, 1);
}

void kreg_user_count_in(struct kreg_user *u, enum kreg_quota what, s64 n)
{
	uncharge_until(u, NULL, what, -n);
}

void kreg_user_add_garbage(struct kreg_user *u)
{
	for (; u; u = u->parent)
		atomic_inc(&u->garbage);
}

void kreg_user_drop_garbage(struct kreg_user *u)
{
	for (; u; u = u->parent)
		atomic_dec(&u->garbage);
}

bool kreg_user_has_garbage(const struct kreg_user *u)
{
	return atomic_read(&u->garbage);
}
