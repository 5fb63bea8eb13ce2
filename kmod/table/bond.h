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
	u32 linger_ms;			/* 0: what it has goes with the process */
	bool strict;			/* it is there until the process is dead */
	/* Turn. */
	bool lingers;			/* the process is dead, and a timer set */
	bool keys_free;			/* it is dead, and its keys may be had */
	bool ended;			/* it would be freed if there were no @candidates, */
	unsigned int candidates;	/* who are to get an object of it */
	/* A removal that takes several holds: */
	bool unlinking;
	struct kreg_txn txn;
	struct rcu_head rcu;
};

/* One with a time to linger. */
struct kreg_linger {
	struct kreg_bond bond;
	struct timer_list timer;	/* of one that lingers */
	struct kreg_req end;		/* posted by the timer, with a reference on the table */
};

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

/* RCU, or Turn. How long they stay after its death; 0: not at all. */
static inline u32 kreg_bond_linger(const struct kreg_holder *holder)
{
	return container_of(holder, struct kreg_bond, holder)->linger_ms;
}

/* RCU. Whether objects that are bound to @holder count as absent. */
static inline bool kreg_bond_hides(const struct kreg_holder *holder)
{
	return !kreg_bond_linger(holder) && kreg_proc_exiting_rcu(kreg_bond_proc(holder));
}

/* RCU, or Turn. Whether they are there for who writes, although they are hidden. */
static inline bool kreg_bond_keeps(const struct kreg_bond *b)
{
	return b->strict && !kreg_proc_dead(b->proc);
}

/* Sleeps. For the objects that @user binds to @p. NULL. */
struct kreg_bond *kreg_bond_alloc(struct kreg_proc *p, struct kreg_user *user, u32 linger_ms,
				  bool strict);
/* Any. One that was not entered, or that nobody comes to any more. */
void kreg_bond_free(struct kreg_bond *b);
/* RCU. The bond of these five, or NULL. Under the turn it stays as long as that is held. */
struct kreg_bond *kreg_bond_find(const struct kreg_table *t, const struct kreg_proc *p,
				 const struct kreg_user *user, u32 linger_ms, bool strict);
/* Turn, of @w, in which @b has table @t. */
void kreg_bond_enter(struct kreg_bond *b, struct kreg_table *t, struct kreg_writer *w);
/* Turn. It gets no object any more, and is not its process' to look after. */
void kreg_bond_end(struct kreg_bond *b, struct kreg_writer *w);
/* Sleeps. The table is not in use any more: end and free all of its bonds. */
void kreg_bonds_exit(struct kreg_store *s, struct kreg_writer *w);

#endif /* KREG_TABLE_BOND_H */
