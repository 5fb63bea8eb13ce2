/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Awaited keys: keys of a table, or names of tables, that somebody waits for.
 *
 * DOC: Awaited keys
 *
 * There is a struct for a key as long as somebody waits for it: until it is there, until it is
 * not, or until it has another version. Whether that is so already is decided in the call,
 * under the lock. So all who wait for presence wait at a key that is absent, and all others at
 * one that is present, with the version that they know; and what a change of the key means
 * for them is known without a look at any of them: whole lists become due. Who is due is told
 * a few at a time, by who has made the change and then by a worker.
 *
 * What a write changes is noted before its commit and shown after it, so that of a batch only
 * the outcome counts. A clear is counted: a key with a lower count has not been told of it
 * yet, and is told before anything else happens to it.
 *
 * An object whose process is exiting, and that does not linger, counts as absent before anything
 * has changed it. Who comes then waits for presence although there is an object; those who have
 * waited for absence since before are told when it is removed or replaced.
 *
 * A key of a table may have a line of candidates as well, who want to have it, one after the
 * other (candidate.h). When the key may have come free it is in the list of those to be looked
 * at, until somebody has found out whether it is and has given it to the first; so whoever puts
 * it there need not be certain.
 *
 * Everything here is changed under the lock of the set: that of the turn for a table, that of
 * the names for these.
 */
#ifndef KREG_TABLE_AWAITED_H
#define KREG_TABLE_AWAITED_H

#include <linux/kreg.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "writer/wake.h"

struct kreg_awaited_set;
struct kreg_candidate;
struct kreg_client;
struct kreg_key;
struct kreg_writer;

/* For what they wait. */
enum kreg_awaited_list {
	KREG_AWAITED_PRESENT,
	KREG_AWAITED_ABSENT,
	KREG_AWAITED_CHANGED,		/* it is present, and not with the same version */
	KREG_AWAITED_LISTS,
};

/* What has come of a wait. */
struct kreg_outcome {
	int result;			/* 0; -ESTALE: the table is gone; -EACCES */
	u32 cause;			/* of that: enum kreg_cause, or 0 */
	bool present;			/* there is an object, or a table */
	u64 version;			/* of the object, or 0 */
	struct kreg_process holder;	/* to which it is bound, or zero */
};

/* Somebody who waits. */
struct kreg_wait {
	struct list_head node;		/* lock: in a list of @at; empty: in none */
	struct kreg_awaited *at;	/* lock: valid as long as it is in one */
	u32 narrowings;			/* lock: after so many the right to read was looked at */
	/* Invariant: */
	spinlock_t *lock;		/* that of the set, which outlives it */
	const struct kreg_client *client;	/* whose right to read, or to write, counts */
	struct kreg_candidate *candidate;	/* in a line: what it brings; else NULL */
	/* Any, under the lock. The candidate stands in line no more, whoever has ended that. */
	void (*leave)(struct kreg_candidate *candidate);
	/* Any, under the lock. It waits no more; by who has the turn, or will see to wakes. */
	void (*over)(struct kreg_wait *wait, const struct kreg_outcome *outcome,
		     struct kreg_writer *w);
};

/* Those who wait for the same. */
struct kreg_waits {
	struct list_head waiting;	/* kreg_wait.node */
	struct list_head due;		/* those for whom it has come, */
	struct kreg_outcome outcome;	/* in this way, the last time */
};

/* All but @key_len and @key under the lock. */
struct kreg_awaited {
	struct kreg_awaited_set *set;
	struct hlist_node node;		/* in its bucket */
	struct list_head all;		/* in the set: those longest not looked at first */
	struct list_head touched;	/* in the set, or voided: the write has changed it */
	struct list_head due;		/* in the set: somebody is due */
	struct kreg_waits waits[KREG_AWAITED_LISTS];
	struct list_head line;		/* kreg_wait.node of candidates, first come first */
	unsigned int nr_line;
	struct list_head lined;		/* in the set, if there are some */
	u32 clears;			/* it was told of */
	/* Noted of the write under way: */
	struct kreg_outcome now;	/* what is there */
	bool was_hidden;		/* what was there counted as absent */
	/* Which key: */
	const void *scope;		/* with a name: its namespace */
	u32 hash;
	u32 key_len;
	u8 key[];
};

struct kreg_awaited_set {
	/* Invariant: */
	spinlock_t *lock;
	void *owner;			/* for the two functions */
	int (*may_read)(void *owner, const struct kreg_client *cl);	/* NULL: everybody may */
	u32 mask;			/* of the number of a bucket */
	/* Under the lock: */
	unsigned int count;		/* of keys */
	unsigned int left;		/* that are to be looked at, from the first on */
	u32 clears;
	bool clearing;			/* the write under way clears the table */
	u32 narrowings;			/* so often some have lost the right to read */
	bool gone;			/* the table is */
	u32 cause;			/* and why */
	struct list_head all;
	struct list_head touched;
	struct list_head voided;	/* touched before the same write has cleared the table */
	struct list_head due;
	struct list_head lined;		/* keys with a line, */
	struct list_head freed;		/* and those of them that may have come free */
	/* Of those who are told later, with a reference to the owner while one is pending: */
	struct kreg_wake wake;
	struct work_struct work;

	struct hlist_head buckets[];
};

/* Buckets of a table's. */
#define KREG_AWAITED_BUCKETS	128

static inline size_t kreg_awaited_set_memory(void)
{
	return sizeof(struct kreg_awaited_set) +
	       KREG_AWAITED_BUCKETS * sizeof(struct hlist_head);
}

/* Any. @buckets is a power of two. */
void kreg_awaited_set_init(struct kreg_awaited_set *set, unsigned int buckets, spinlock_t *lock,
			   void *owner);

/* Sleeps. A key, in no set. NULL. To be freed with kfree() if it is not used. */
struct kreg_awaited *kreg_awaited_alloc(const void *key, u32 key_len);
/* Any. What it takes. */
static inline size_t kreg_awaited_memory(u32 key_len)
{
	return sizeof(struct kreg_awaited) + key_len;
}

/* Any, under the lock. The key in this scope, if it is awaited; or NULL. */
struct kreg_awaited *kreg_awaited_find(struct kreg_awaited_set *set, const struct kreg_key *key,
				       const void *scope);
/*
 * Any, under the lock. The same; if there is none it is made of *@brought, which is for this key
 * and becomes NULL. It goes with the last who waits. NULL: there are @most already.
 */
struct kreg_awaited *kreg_awaited_enter(struct kreg_awaited_set *set, const struct kreg_key *key,
					const void *scope, unsigned int most,
					struct kreg_awaited **brought);
/* Any, under the lock. @wait, which is in no list, waits there from now on. */
void kreg_awaited_wait(struct kreg_awaited *a, struct kreg_wait *wait,
		       enum kreg_awaited_list list);
/* Any. End the wait, of which nothing comes any more. False: it was over already. */
bool kreg_wait_cancel(struct kreg_wait *wait);

/* Any, under the lock. @wait, a candidate's, comes last in the line of the key. */
void kreg_awaited_line_up(struct kreg_awaited *a, struct kreg_wait *wait);
/* Any, under the lock. The line of the key, or all lines, are to be looked at; or need not be. */
void kreg_awaited_look_at_line(struct kreg_awaited *a);
void kreg_awaited_look_at_lines(struct kreg_awaited_set *set);
void kreg_awaited_keep_line(struct kreg_awaited *a);
/* Any, under the lock. The first candidate of a line, or NULL; or its wait is over. */
struct kreg_wait *kreg_awaited_first_in_line(struct kreg_awaited *a);
void kreg_awaited_end_candidate(struct kreg_wait *wait, const struct kreg_outcome *outcome,
				struct kreg_writer *w);

/*
 * Any, under the lock. A write under way makes this of the key; @was_hidden: of one that counted
 * as absent. Or it removes all objects.
 */
void kreg_awaited_note(struct kreg_awaited *a, const struct kreg_outcome *now, bool was_hidden);
void kreg_awaited_note_clear(struct kreg_awaited_set *set);
/*
 * Any, under the lock. The write is committed: those for whom it matters are due, at @n of the
 * keys at most. False: there are more of them, and it is still under way for who
 * has waits told.
 */
bool kreg_awaited_show(struct kreg_awaited_set *set, unsigned int n);
/* Any, under the lock. The key is there, without a write: those who wait for that are due. */
void kreg_awaited_tell_present(struct kreg_awaited *a, const struct kreg_outcome *now);
/* Any, under the lock. Some may not read any more who might. */
void kreg_awaited_narrow(struct kreg_awaited_set *set);
/* Any, under the lock. The table is gone: all waits end. The first reason counts. */
void kreg_awaited_end(struct kreg_awaited_set *set, u32 cause);
/*
 * Any, under the lock. Tell up to @n who are due, or find out who is. False: there is more to be
 * done. @w as of kreg_wait.over.
 */
bool kreg_awaited_advance(struct kreg_awaited_set *set, struct kreg_writer *w, unsigned int n);

#endif /* KREG_TABLE_AWAITED_H */
