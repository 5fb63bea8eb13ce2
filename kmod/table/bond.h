/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Bonds: what ties objects of a table to a process.
 *
 * DOC: Bound objects
 *
 * An object may be bound to a process. From the moment at which that process is exiting,
 * nobody finds the object: whoever meets it looks at the process, so there is nothing that
 * would have to be done first. When the process is dead, its death removes the object.
 *
 * There is a bond for each process, table and user who has bound something in it for that
 * process, time to linger, and whether that was got by standing in line; all objects of the
 * bond are a chain in the store, of which the bond is the holder. It comes with the first of them
 * and stays until the process is dead, or the table gone. A process that is exiting gets no new
 * bond and no new object, so that its death, which comes to the table's writer later, finds them
 * all.
 *
 * A strict bond is that of what was registered by WAIT or STANDBY. Its objects are hidden like
 * others, but for who writes they are there until the process is dead.
 *
 * DOC: Objects that linger
 *
 * Objects of a bond with a time to linger stay, and are seen, for so long after the death of
 * their process; and give way to whoever binds the key. So the time is a part of what makes
 * a bond: objects with another time have another bond. The death sets a timer and is done
 * with it. When the time has passed, the timer posts a request into the lane of the table,
 * which removes what is there by then. Such a bond ends when its last object goes: by then
 * if the timer could be stopped, else by that request.
 *
 * DOC: Leases
 *
 * An object on loan is bound to its borrower with the sense turned round: as long as he lives
 * and has not returned it, everybody else finds nothing, and cannot put anything in its place.
 * Each has a bond of its own, which is not found by its process and knows how often the object
 * was lent. When the borrower is dead, whoever meets the object sees that it is there again; his
 * death, RETURN, or the timer of a lease with a limit ends the loan, which changes nothing but
 * the bond, so it needs no memory. The bond stays behind the object, for the count, until that is
 * written, lent again or removed.
 */
#ifndef KREG_TABLE_BOND_H
#define KREG_TABLE_BOND_H

#include <linux/container_of.h>
#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/timer.h>

#include "client/proc.h"
#include "store/write.h"
#include "writer/lane.h"

struct kreg_table;
struct kreg_user;

struct kreg_bond {
	struct kreg_holder holder;
	struct hlist_node node;		/* bonds_lock */
	struct list_head held;		/* turn: in the holdings; empty: ended, or lingers */
	struct list_head waiting;	/* turn: in its table, until the lane gets there */
	/* Invariant once it is entered: */
	struct kreg_proc *proc;		/* a reference */
	struct kreg_user *user;		/* who pays for the objects; a reference */
	struct kreg_table *table;
	u32 linger_ms;			/* 0: what it has goes with the process; not 0 of a lease */
	bool strict;			/* it is there until the process is dead */
	bool is_lease;
	/* Turn. */
	bool returned;			/* a lease that has ended; also read without */
	bool lingers;			/* a timer is set: the process is dead, or it is a lease */
	bool keys_free;			/* it is dead, and its keys may be had */
	bool ended;			/* it would be freed if there were no @candidates, */
	unsigned int candidates;	/* who are to get an object of it */
	/* A removal that takes several holds: */
	bool unlinking;
	struct kreg_txn txn;
	struct rcu_head rcu;
};

/* One with a time to linger, or a lease. */
struct kreg_linger {
	struct kreg_bond bond;
	struct timer_list timer;	/* of one that lingers */
	ktime_t until;			/* the same, for who looks at the clock */
	struct kreg_req end;		/* posted by the timer, with a reference on the table */
	u32 loans;			/* turn: how often the object of a lease was lent */
};

/* For kreg_bond_alloc(): a lease that ends with its borrower. */
#define KREG_LEASE_UNLIMITED	U32_MAX

static inline struct kreg_linger *kreg_linger_of(struct kreg_bond *b)
{
	return container_of(b, struct kreg_linger, bond);
}

static inline struct kreg_bond *kreg_bond_of(struct kreg_holder *holder)
{
	return holder ? container_of(holder, struct kreg_bond, holder) : NULL;
}

/* RCU, or Turn. The process that objects of @holder are bound to; borrowed. */
static inline struct kreg_proc *kreg_bond_proc(const struct kreg_holder *holder)
{
	return container_of(holder, struct kreg_bond, holder)->proc;
}

/* RCU, or Turn. Whether it is a lease that has ended, or whose borrower is dead. */
static inline bool kreg_bond_is_free(const struct kreg_bond *b)
{
	return b->is_lease && (READ_ONCE(b->returned) || kreg_proc_dead(b->proc));
}

/* RCU. Whether objects that are bound to @holder are back from a loan, and nobody has them. */
static inline bool kreg_bond_is_back(const struct kreg_holder *holder)
{
	return holder != &kreg_holder_expired &&
	       kreg_bond_is_free(container_of(holder, struct kreg_bond, holder));
}

/* RCU, or Turn. The same, for who is told of it; NULL: of a lease that has ended. */
static inline struct kreg_proc *kreg_bond_whose(const struct kreg_holder *holder)
{
	struct kreg_bond *b = container_of(holder, struct kreg_bond, holder);

	return unlikely(holder == &kreg_holder_expired || kreg_bond_is_free(b)) ? NULL : b->proc;
}

/* RCU, or Turn. How long they stay after its death; 0: not at all. */
static inline u32 kreg_bond_linger(const struct kreg_holder *holder)
{
	return holder == &kreg_holder_expired ? 0 :
	       container_of(holder, struct kreg_bond, holder)->linger_ms;
}

/* RCU, or Turn. Whether they are there for who writes, although they are hidden. */
static inline bool kreg_bond_keeps(const struct kreg_bond *b)
{
	return b->strict && !kreg_proc_dead(b->proc);
}

/*
 * RCU. Whether objects that are bound to @holder count as absent for @reader; NULL: anybody. Those
 * that have expired do.
 */
static inline bool kreg_bond_hides(const struct kreg_holder *holder,
				   const struct kreg_proc *reader)
{
	const struct kreg_bond *b = container_of(holder, struct kreg_bond, holder);

	if (unlikely(holder == &kreg_holder_expired))
		return true;
	if (likely(!b->linger_ms))
		return kreg_proc_exiting_rcu(b->proc);
	return b->is_lease && b->proc != reader && !kreg_bond_is_free(b);
}

/* RCU. Whether that is because they are on loan. */
static inline bool kreg_bond_is_lease(const struct kreg_holder *holder)
{
	return holder != &kreg_holder_expired &&
	       container_of(holder, struct kreg_bond, holder)->is_lease;
}

/*
 * Sleeps. For the objects that @user binds to @p; @is_lease: for one that @p borrows for
 * @linger_ms. NULL.
 */
struct kreg_bond *kreg_bond_alloc(struct kreg_proc *p, struct kreg_user *user, u32 linger_ms,
				  bool strict, bool is_lease);
/* Any. One that was not entered, or that nobody comes to any more. */
void kreg_bond_free(struct kreg_bond *b);
/* RCU. The bond of these five, or NULL. Under the turn it stays as long as that is held. */
struct kreg_bond *kreg_bond_find(const struct kreg_table *t, const struct kreg_proc *p,
				 const struct kreg_user *user, u32 linger_ms, bool strict);
/* Turn, of @w, in which @b has table @t. */
void kreg_bond_enter(struct kreg_bond *b, struct kreg_table *t, struct kreg_writer *w);
/* Turn. It has got no object, and is as it was before. */
void kreg_bond_leave(struct kreg_bond *b, struct kreg_writer *w);
/* Turn. It gets no object any more, and is not its process' to look after. */
void kreg_bond_end(struct kreg_bond *b, struct kreg_writer *w);
/* Turn. Stop its timer, if one is set. False: that was faster, and posts its request. */
static inline bool kreg_bond_stop_timer(struct kreg_bond *b)
{
	if (b->lingers && timer_delete(&kreg_linger_of(b)->timer))
		b->lingers = false;
	return !b->lingers;
}

/* unbind.c. What the store tells of the objects of a bond. */
extern const struct kreg_holder_ops kreg_bond_ops;

/* Sleeps. The table is not in use any more: end and free all of its bonds. */
void kreg_bonds_exit(struct kreg_store *s, struct kreg_writer *w);

#endif /* KREG_TABLE_BOND_H */
