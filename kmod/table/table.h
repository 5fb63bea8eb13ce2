/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tables: what they are, who owns them, who may do what. What becomes of them is
 * decided in owner.c, how they are found in names.c.
 */
#ifndef KREG_TABLE_TABLE_H
#define KREG_TABLE_TABLE_H

#include <linux/kreg.h>
#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/uidgid.h>
#include <linux/workqueue.h>

#include "client/client.h"
#include "store/types.h"
#include "table/awaited.h"
#include "table/schema.h"
#include "writer/writer.h"

struct kreg_death_limit;
struct kreg_expirer;
struct kreg_mail;
struct kreg_ns;
struct kreg_policy;
struct kreg_proc;
struct kreg_stream;
struct kreg_user;

/* What few tables have; role.h tells more. It stays once it is there. All under the turn. */
struct kreg_policy {
	u64 writer;			/* id of the role that may write, or 0; also read without */
	struct kreg_table *role;	/* the one that it follows, or NULL */
	struct list_head followers;	/* kreg_table.owned of those that follow it */
	unsigned int nr_followers;
	bool quarantined;
	struct kreg_death_limit *limit;	/* or NULL */
};

/* The name of a table. It may go to another one. */
struct kreg_name {
	struct hlist_node node;		/* names_lock */
	struct kreg_table __rcu *table;	/* names_lock */
	struct kreg_ns *ns;		/* of the table; set before it is listed */
	struct rcu_head rcu;
	u32 len;
	u8 bytes[];
};

/* Any. NULL is allowed. */
static inline size_t kreg_name_memory(const struct kreg_name *name)
{
	return name ? sizeof(*name) + name->len : 0;
}

/* Of 2,048 bytes at most; for more, the allocator gives twice as much. */
struct kreg_table {
	/* Read by every operation, under RCU; changed under the turn: */
	struct kreg_proc __rcu *owner;	/* holds a reference; NULL: parked */
	kuid_t owner_uid;		/* under whom it owns */
	u8 access;
	bool shut;			/* turn: dead or sealed: no write is let in */
	u16 mode;
	bool dead;			/* one way */
	bool listeners;			/* turn: somebody may want to know of changes */
	/* Invariant after initialisation: */
	bool claimable;
	bool shared;			/* public, it is disposed of by who may write */
	u8 type;
	kuid_t uid;
	kgid_t gid;
	u32 expirer_bytes;		/* turn: of @expirer */
	u64 id;
	struct kreg_ns *ns;
	struct kreg_writer *writer;
	struct kreg_user *user;		/* who pays */
	u32 name_memory;		/* turn: of @name */
	u32 renames;			/* turn: how often that has changed */
	u32 policy_bytes;		/* turn: of @policy and what it has */
	refcount_t refs;
	struct kreg_name __rcu *name;	/* turn: or NULL */

	/* Where there is room before the store, which begins a cache line: */
	struct list_head unbinding;	/* kreg_bond.waiting: of the dead, who wait as well */
	struct kreg_policy __rcu *policy;	/* turn: set once; NULL: nothing of role.h */
	struct kreg_awaited_set *awaited;	/* turn: keys that are waited for; NULL: none yet */
	struct kreg_stream *stream;	/* turn: holds a reference; NULL: nobody asks for events */
	struct kreg_expirer *expirer;	/* turn: set once; NULL: nothing in it has ever expired */
	struct kreg_upkeep upkeep;
	s64 charged;			/* turn: bytes of @store that are charged to the user */
	u64 events;			/* turn: number of the last event of former streams */
	u64 transfers;			/* turn */

	struct kreg_store store ____cacheline_aligned;
	struct kreg_lane lane;

	/* Ownership, all under the turn: */
	struct list_head owned;		/* in the owner's holdings, or among those of its role */
	struct kreg_proc *heir;		/* holds a reference */
	kuid_t heir_uid;		/* under whom it inherits */
	kuid_t heir_from;		/* under whom it was named */
	struct list_head heired;	/* in the heir's holdings */
	struct kreg_mail *mail;		/* the heir's, if it is not the owner nor silent */
	void *heir_data;
	u32 heir_data_len;
	bool heir_silent;
	u8 orphan;
	bool park_charged;
	bool heir_on_crash;		/* not if the owner has ended with 0 */
	u64 orphan_ms;
	struct kreg_schema schema;	/* turn; its id also read without */
	ktime_t parked_until;		/* 0: no limit, or not parked */
	struct delayed_work park_timer;	/* holds a reference while pending */
	struct list_head waiters;	/* kreg_waiter, first come first */
	unsigned int nr_waiters;

	/* Under the turn as well: */
	bool has_garbage;		/* the user knows that something will come back */
	bool listed;			/* its id was made good, one way */
	bool sealed;			/* one way; also read without */

	/* What is due to it: a request in its lane, which has a reference. */
	bool own_queued : 1;
	bool is_expiring : 1;		/* the end of the time for which it is parked is due, */
	struct kreg_death *passer;	/* its owner's death, */
	struct kreg_death *ending;	/* or that of its namespace's init; both wait for it */
	union {
		struct kreg_req own;
		struct rcu_work free_work;	/* once nobody has a reference */
	};
};

/* What a new table takes, but for its name. */
#define KREG_TABLE_BYTES	(sizeof(struct kreg_table) + sizeof(struct kreg_root))

/* Any. What it takes now, exact under the turn. */
static inline s64 kreg_table_memory(const struct kreg_table *t)
{
	return (s64)READ_ONCE(t->store.memory) + sizeof(*t) - sizeof(t->store) +
	       t->name_memory +
	       t->heir_data_len + t->policy_bytes + t->expirer_bytes +
	       (READ_ONCE(t->awaited) ? kreg_awaited_set_memory() : 0);
}

/* What a new table is to be. */
struct kreg_table_spec {
	const u8 *name;
	u32 name_len;
	u8 type;
	u8 access;
	u16 mode;
	u8 orphan;
	bool claimable;
	bool sealed;
	bool shared;
	u64 orphan_ms;
	struct kreg_schema schema;
	struct kreg_writer *writer;	/* NULL: any */
};

/*
 * Sleeps. @expired is called when a parked table has been parked long enough, with a
 * reference for it to drop, from a workqueue; @upkeep when a store wants upkeep.
 */
int kreg_table_init(void (*expired)(struct kreg_table *t),
		    enum kreg_upkeep_state (*upkeep)(struct kreg_upkeep *upkeep));
void kreg_table_exit(void);
/* Any. */
unsigned int kreg_table_count(void);

/* Sleeps. A table that nobody can see yet, for @cl to own. ERR_PTR: -ENOMEM, kreg_over_limit(). */
struct kreg_table *kreg_table_alloc(const struct kreg_client *cl,
				    const struct kreg_table_spec *spec, u64 id);
/* Sleeps. A name that no table has, or NULL. */
struct kreg_name *kreg_name_alloc(const u8 *bytes, u32 len);
/* Any. NULL is allowed. No table has it any more, but readers may be looking at it. */
void kreg_name_free(struct kreg_name *name);
/* Turn. Names that are listed are changed by names.h. */
void kreg_table_set_name(struct kreg_table *t, struct kreg_name *name);
/* Any. Copy the name of @t, of KREG_MAX_NAME bytes at most; returns its length. */
u32 kreg_table_copy_name(const struct kreg_table *t, u8 *bytes);
/* Sleeps. What @t has. */
struct kreg_schema kreg_table_schema(struct kreg_table *t);
/* Turn. Let it have this. */
void kreg_table_set_schema(struct kreg_table *t, struct kreg_schema schema);
/* Any. References keep the memory; tryget is for what was looked up under RCU. */
bool kreg_table_tryget(struct kreg_table *t);
void kreg_table_get(struct kreg_table *t);
void kreg_table_put(struct kreg_table *t);

static inline void kreg_table_assert(const struct kreg_table *t)
{
	kreg_writer_assert(t->writer);
}

static inline struct kreg_proc *kreg_table_owner(const struct kreg_table *t)
{
	return rcu_dereference_protected(t->owner, lockdep_is_held(&t->writer->turn));
}

/* Turn. Its name, or NULL. */
static inline struct kreg_name *kreg_table_name(const struct kreg_table *t)
{
	return rcu_dereference_protected(t->name, lockdep_is_held(&t->writer->turn));
}

static inline struct kreg_policy *kreg_table_policy(const struct kreg_table *t)
{
	return rcu_dereference_protected(t->policy, lockdep_is_held(&t->writer->turn));
}

/* Turn. The role that @t follows, or NULL. */
static inline struct kreg_table *kreg_table_role(const struct kreg_table *t)
{
	struct kreg_policy *p = kreg_table_policy(t);

	return unlikely(p) ? p->role : NULL;
}

/* Turn. How many follow @t. */
static inline unsigned int kreg_table_followers(const struct kreg_table *t)
{
	struct kreg_policy *p = kreg_table_policy(t);

	return unlikely(p) ? p->nr_followers : 0;
}

/* Turn. Whether it is parked because too many of its owners have died. */
static inline bool kreg_table_is_quarantined(const struct kreg_table *t)
{
	struct kreg_policy *p = kreg_table_policy(t);

	return unlikely(p) && p->quarantined;
}

/*
 * A process owns under a user: what it got before a set-user-ID program or after setuid(2) is
 * not the owner's for a client of the other user. The two members may be found half
 * changed, without the turn, only by a client of the process that gains or loses the table under
 * another user at this moment; what one thread of it may, the others get at anyway.
 */
static inline bool kreg_table_owned_by(const struct kreg_table *t, const struct kreg_client *cl)
{
	return rcu_access_pointer(t->owner) == cl->proc &&
	       uid_eq(READ_ONCE(t->owner_uid), cl->uid);
}

/* Turn. Call back at t->parked_until. */
void kreg_table_park_timer(struct kreg_table *t);

/* Turn. Some of its memory will be given back; none is left that will. */
void kreg_table_note_garbage(struct kreg_table *t);
void kreg_table_no_garbage(struct kreg_table *t);
/* Turn. Charge what the store has taken or given back, but for @paid, which is charged already. */
void kreg_table_charge_store(struct kreg_table *t, s64 paid);

/* Turn. The same if there is anything, after whatever may have changed it. */
static inline void kreg_table_settle(struct kreg_table *t)
{
	kreg_table_assert(t);
	if (unlikely(t->store.memory != t->charged))
		kreg_table_charge_store(t, 0);
}

/* Turn. Put it among what its owner has, if there is one. */
void kreg_table_list_owned(struct kreg_table *t);
/* Turn. @owner NULL: parked. */
void kreg_table_set_owner(struct kreg_table *t, struct kreg_proc *owner, kuid_t uid);
/* Turn. The old heir's record is freed. @heir NULL: none. */
void kreg_table_set_heir(struct kreg_table *t, struct kreg_proc *heir, kuid_t uid);
/* Turn. With @owner, would the heir be owed a record that is not set aside yet? */
bool kreg_table_wants_mail(const struct kreg_table *t, const struct kreg_proc *owner);
/* Turn. The heir's record is no longer needed. */
void kreg_table_drop_mail(struct kreg_table *t);

#endif /* KREG_TABLE_TABLE_H */
