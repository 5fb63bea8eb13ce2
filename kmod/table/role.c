// SPDX-License-Identifier: GPL-2.0
#include <linux/err.h>
#include <linux/ktime.h>
#include <linux/slab.h>

#include "client/limits.h"
#include "client/proc.h"
#include "client/user.h"
#include "store/gfp.h"
#include "table/names.h"
#include "table/park.h"
#include "table/role.h"

static size_t size_of_limit(const struct kreg_death_limit *l)
{
	return l ? struct_size(l, at, l->max) : 0;
}

static void *alloc_charged(struct kreg_user *user, size_t size)
{
	void *p = kzalloc(size, KREG_GFP_USER);
	int err = p ? kreg_user_charge(user, KREG_QUOTA_BYTES, size) : -ENOMEM;

	if (!err)
		return p;
	kfree(p);
	return ERR_PTR(err);
}

struct kreg_policy *kreg_policy_alloc(struct kreg_user *user)
{
	struct kreg_policy *p = alloc_charged(user, sizeof(*p));

	if (!IS_ERR(p))
		INIT_LIST_HEAD(&p->followers);
	return p;
}

struct kreg_death_limit *kreg_death_limit_alloc(struct kreg_user *user, u32 max, u64 ms)
{
	struct kreg_death_limit *l = alloc_charged(user, struct_size(l, at, max));

	if (!IS_ERR(l)) {
		l->max = max;
		l->ms = ms;
	}
	return l;
}

void kreg_policy_free(struct kreg_policy *p, struct kreg_user *user)
{
	if (p)
		kreg_user_uncharge(user, KREG_QUOTA_BYTES, sizeof(*p));
	kfree(p);
}

void kreg_death_limit_free(struct kreg_death_limit *l, struct kreg_user *user)
{
	if (l)
		kreg_user_uncharge(user, KREG_QUOTA_BYTES, size_of_limit(l));
	kfree(l);
}

void kreg_table_set_policy(struct kreg_table *t, struct kreg_policy **p)
{
	kreg_table_assert(t);
	if (kreg_table_policy(t))
		return;
	t->policy_bytes = sizeof(**p);
	rcu_assign_pointer(t->policy, *p);
	*p = NULL;
}

struct kreg_death_limit *kreg_table_set_limit(struct kreg_table *t, struct kreg_death_limit *l)
{
	struct kreg_policy *p = kreg_table_policy(t);
	struct kreg_death_limit *old = p->limit;

	kreg_table_assert(t);
	p->limit = l;
	t->policy_bytes = sizeof(*p) + size_of_limit(l);
	return old;
}

int kreg_role_check(const struct kreg_table *t, const struct kreg_table *role)
{
	kreg_table_assert(t);
	if (kreg_table_followers(t) || kreg_table_role(role))
		return -EINVAL;
	/* One who is dead is told of by no call, and his death takes him off. */
	if (t->heir && !kreg_proc_dead(t->heir))
		return -EBUSY;
	if (kreg_table_role(t) != role && kreg_table_followers(role) >= KREG_MAX_FOLLOWERS)
		return kreg_over_limit(KREG_LIMIT_FOLLOWERS);
	return 0;
}

/* The owner has something still: the role. */
void kreg_role_follow(struct kreg_table *t, struct kreg_table *role)
{
	struct kreg_policy *p = kreg_table_policy(t), *leader = kreg_table_policy(role);

	kreg_table_assert(t);
	if (p->role)
		kreg_table_policy(p->role)->nr_followers--;
	p->role = role;
	leader->nr_followers++;
	list_move_tail(&t->owned, &leader->followers);
}

void kreg_role_leave(struct kreg_table *t)
{
	struct kreg_policy *p = kreg_table_policy(t);

	kreg_table_assert(t);
	kreg_table_policy(p->role)->nr_followers--;
	p->role = NULL;
	list_del_init(&t->owned);
	kreg_table_list_owned(t);
}

/* Those whose role was parked are as if their own time had begun, or were over, now. */
static void release_follower(struct kreg_table *t)
{
	kreg_role_leave(t);
	if (kreg_table_owner(t))
		kreg_table_settle_park(t);
	else
		kreg_park_start(t, t->orphan == KREG_ORPHAN_DESTROY ? 1 : t->orphan_ms);
}

void kreg_role_leave_all(struct kreg_table *t)
{
	struct kreg_policy *p = kreg_table_policy(t);
	struct kreg_table *follower, *next;

	kreg_table_assert(t);
	if (likely(!p))
		return;
	list_for_each_entry_safe(follower, next, &p->followers, owned)
		release_follower(follower);
	if (p->role)
		kreg_role_leave(t);
}

const struct kreg_table *kreg_table_writer_role(const struct kreg_table *t)
{
	struct kreg_policy *p = rcu_dereference_check(t->policy, lockdep_is_held(&t->writer->turn));
	u64 id = p ? READ_ONCE(p->writer) : 0;

	return id ? kreg_names_id(t->ns, id) : NULL;
}

bool kreg_table_note_death(struct kreg_table *t)
{
	struct kreg_policy *p = kreg_table_policy(t);
	struct kreg_death_limit *l = p ? p->limit : NULL;
	ktime_t now;
	bool over;

	kreg_table_assert(t);
	if (likely(!l))
		return false;
	now = ktime_get();
	over = l->nr == l->max && (u64)ktime_ms_delta(now, l->at[l->next]) < l->ms;
	l->at[l->next] = now;
	l->next = (l->next + 1) % l->max;
	l->nr = min(l->nr + 1, l->max);
	p->quarantined |= over;
	return over;
}

void kreg_table_end_quarantine(struct kreg_table *t)
{
	struct kreg_policy *p = kreg_table_policy(t);

	kreg_table_assert(t);
	if (!p || !p->quarantined)
		return;
	p->quarantined = false;
	if (p->limit)
		p->limit->nr = 0;
}
