// SPDX-License-Identifier: GPL-2.0
#include <linux/hash.h>
#include <linux/hashtable.h>
#include <linux/once.h>
#include <linux/sched.h>
#include <linux/siphash.h>
#include <linux/slab.h>

#include "client/user.h"
#include "store/gfp.h"
#include "table/bond.h"
#include "writer/writer.h"

/* Bonds ended in one hold of the turn. */
#define BONDS_A_TURN	32

static DEFINE_HASHTABLE(bonds, 12);
static DEFINE_SPINLOCK(bonds_lock);

static hsiphash_key_t bonds_key __read_mostly;

/* A process may have any number of bonds that differ in how long they linger. */
static unsigned long bond_bucket(const struct kreg_table *t, const struct kreg_proc *p,
				 u32 linger_ms)
{
	unsigned long bucket = (unsigned long)t / L1_CACHE_BYTES + p->cookie * GOLDEN_RATIO_32;

	if (likely(!linger_ms))
		return bucket;
	get_random_once(&bonds_key, sizeof(bonds_key));
	return bucket + hsiphash_1u32(linger_ms, &bonds_key);
}

/* It is freed by its address. */
static_assert(!offsetof(struct kreg_linger, bond));

struct kreg_bond *kreg_bond_alloc(struct kreg_proc *p, struct kreg_user *user, u32 linger_ms,
				  bool strict, bool is_lease)
{
	u32 size = linger_ms ? sizeof(struct kreg_linger) : sizeof(struct kreg_bond);
	struct kreg_bond *b = kzalloc(size, KREG_GFP_USER);

	if (!b)
		return NULL;
	b->holder.ops = &kreg_bond_ops;
	b->holder.size = size;
	b->linger_ms = linger_ms;
	b->strict = strict;
	b->is_lease = is_lease;
	INIT_LIST_HEAD(&b->held);
	INIT_LIST_HEAD(&b->waiting);
	b->proc = p;
	kreg_proc_get(p);
	b->user = user;
	refcount_inc(&user->refs);
	return b;
}

/* Others may be on their way past it in its bucket. */
void kreg_bond_free(struct kreg_bond *b)
{
	kreg_proc_put(b->proc);
	kreg_user_put(b->user);
	kfree_rcu(b, rcu);
}

struct kreg_bond *kreg_bond_find(const struct kreg_table *t, const struct kreg_proc *p,
				 const struct kreg_user *user, u32 linger_ms, bool strict)
{
	struct kreg_bond *b;

	hash_for_each_possible_rcu(bonds, b, node, bond_bucket(t, p, linger_ms))
		if (b->table == t && b->proc == p && b->user == user &&
		    b->linger_ms == linger_ms && b->strict == strict)
			return b;
	return NULL;
}

void kreg_bond_enter(struct kreg_bond *b, struct kreg_table *t, struct kreg_writer *w)
{
	struct kreg_holdings *held = &b->proc->holdings[w->nr];

	kreg_writer_assert(w);
	b->table = t;
	list_add_tail(&b->held, &held->bonds);
	kreg_holdings_note(held, w);
	if (b->is_lease)
		return;
	spin_lock(&bonds_lock);
	hash_add_rcu(bonds, &b->node, bond_bucket(t, b->proc, b->linger_ms));
	spin_unlock(&bonds_lock);
}

void kreg_bond_leave(struct kreg_bond *b, struct kreg_writer *w)
{
	kreg_bond_end(b, w);
	b->table = NULL;
}

void kreg_bond_end(struct kreg_bond *b, struct kreg_writer *w)
{
	kreg_writer_assert(w);
	if (list_empty(&b->held))
		return;
	list_del_init(&b->held);
	kreg_holdings_note(&b->proc->holdings[w->nr], w);
	spin_lock(&bonds_lock);
	hash_del_rcu(&b->node);
	spin_unlock(&bonds_lock);
}

/* A timer that goes off now finds a table without references. */
static void free_ended(struct kreg_bond *b)
{
	if (b->lingers)
		timer_delete_sync(&kreg_linger_of(b)->timer);
	kreg_bond_free(b);
}

/* False: there are no more. */
static bool end_some_bonds(struct kreg_store *s, struct kreg_writer *w)
{
	struct kreg_bond *ended[BONDS_A_TURN];
	struct kreg_holder *h = NULL;
	int n, i;

	spin_lock(&w->turn);
	for (n = 0; n < BONDS_A_TURN && (h = kreg_holder_take(s)); n++) {
		ended[n] = kreg_bond_of(h);
		kreg_bond_end(ended[n], w);
	}
	spin_unlock(&w->turn);
	for (i = 0; i < n; i++)
		free_ended(ended[i]);
	cond_resched();
	return h;
}

void kreg_bonds_exit(struct kreg_store *s, struct kreg_writer *w)
{
	while (end_some_bonds(s, w))
		;
}
