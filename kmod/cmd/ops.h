/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The verbs, in kernel pointers. Each decides about rights and limits twice: early,
 * to fail cheaply, and again under the turn, where it counts.
 */
#ifndef KREG_OPS_H
#define KREG_OPS_H

#include <linux/kreg.h>
#include <linux/types.h>

#include "store/store.h"
#include "client/user.h"

struct kreg_client;
struct kreg_table;

/*
 * A reference to the live table with this id; ERR_PTR as kreg_names_no_id(). If its
 * owner is dead, that death has been handled before. May sleep.
 */
struct kreg_table *kreg_ops_get_table(struct kreg_client *cl, u64 id);
struct kreg_table *kreg_ops_find_table(struct kreg_client *cl, const u8 *name, u32 len);

/* ops_table.c */
int kreg_ops_destroy(struct kreg_client *cl, u64 id);
int kreg_ops_give(struct kreg_client *cl, const struct kreg_ioc_give *arg, const void *data);
int kreg_ops_setopt(struct kreg_client *cl, const struct kreg_ioc_setopt *arg,
		    const void *data);

/* ops_open.c */
struct kreg_open {
	struct kreg_ioc_open arg;	/* checked; out_ members are filled in */
	const u8 *name;
	const void *data;
	/* Copies the out_ members out: called before anything is changed. */
	int (*tell)(struct kreg_open *open);
	void __user *user;
	u32 user_size;
};

int kreg_ops_open(struct kreg_client *cl, struct kreg_open *open);

/* ops_info.c: fills in @info; may sleep. */
int kreg_ops_info(struct kreg_client *cl, struct kreg_table *t, struct kreg_info *info);
/* The first table above @after that @cl may know of, with a reference, or NULL. */
struct kreg_table *kreg_ops_next_table(struct kreg_client *cl, u64 after);

/*
 * ops_read.c: under rcu_read_lock(). A return of -EINPROGRESS asks to leave the
 * section, call kreg_ops_settle() and try again: the owner is dead and its death
 * not handled yet.
 */
int kreg_ops_get(struct kreg_client *cl, u64 id, struct kreg_key *key, struct kreg_hit *hit);
int kreg_ops_readable(struct kreg_client *cl, u64 id, struct kreg_table **t);
int kreg_ops_settle(struct kreg_client *cl, u64 id);

/* ops_write.c */
struct kreg_write_result {
	u64 version;
	u64 count;
};

/*
 * One change, applied and visible when this returns. With @change.only, only if the
 * object with the key has this version; else -ECANCELED and nothing has happened. With
 * @change.must_be_new, PUT fails with -EEXIST if there is one. Consumes its blob. May
 * sleep.
 */
struct kreg_write {
	u64 table;
	struct kreg_change change;
	struct kreg_write_result result;
};

static inline void kreg_write_init(struct kreg_write *w, u64 table, u64 only)
{
	w->table = table;
	kreg_change_init(&w->change);
	w->change.only = only;
}

int kreg_ops_write(struct kreg_client *cl, struct kreg_write *w);
/* The same without a blob or root, if the turn can be lent; else -EBUSY. */
int kreg_ops_write_now(struct kreg_client *cl, struct kreg_write *w);
/* Is it worth trying? */
bool kreg_ops_lends(void);
/* Would it be let, as far as can be said beforehand? May sleep. */
int kreg_ops_may_write(struct kreg_client *cl, u64 table);
/* Blob and root of a change that is not to be. */
void kreg_ops_drop(struct kreg_change *c);

/*
 * ops_batch.c: also asynchronous writes, which are batches that nobody waits for.
 * The steps: alloc; fill in the changes, for a PUT without its key; reserve; fill in
 * keys at kreg_change_key() and values at kreg_change_value(), with kreg_store_hash()
 * and kreg_change_seal(); then apply or queue; put.
 */
struct kreg_batch_op {
	struct kreg_change change;	/* key.bytes, key.len, kind, value_len, root, blob */
	bool open;			/* has or may get memory that is to be given back */
	u32 error;
};

struct kreg_batch;

/*
 * Room for @count changes with @bytes of keys and values, of which the keys that are not
 * put into a record have @loose; may sleep. ERR_PTR.
 */
struct kreg_batch *kreg_batch_alloc(struct kreg_client *cl, u64 table, u32 count,
				    u64 bytes, u32 loose);
void kreg_batch_put(struct kreg_batch *b);
/* All of them, as an array; each has to be filled in, or have @open cleared. */
struct kreg_batch_op *kreg_batch_ops(struct kreg_batch *b);
/* For kreg_store_hash(). */
const struct kreg_store *kreg_batch_store(const struct kreg_batch *b);
u8 *kreg_batch_keys(struct kreg_batch *b);
/* Set slots aside. May sleep. */
int kreg_batch_reserve(struct kreg_batch *b);
/*
 * Apply all. *failed: how many have an @error; or, of an atomic batch that failed, the
 * index of the operation to blame, or their count if it is none of them.
 */
int kreg_batch_apply(struct kreg_batch *b, bool atomic, u64 *version, u32 *failed);
/* Queue and return. -EAGAIN: too much is queued already. */
int kreg_batch_queue(struct kreg_batch *b, bool atomic);

/* ops_sync.c */
int kreg_ops_sync(struct kreg_client *cl);
/* Wait until the asynchronous writes of @cl have been applied; or -EINTR, -ENOMEM. */
int kreg_ops_follow_async(struct kreg_client *cl);
/*
 * If @n more would not fit the limits of @u, see that what the dead had is given
 * back. What then still does not fit is for the charge to refuse. May sleep.
 */
int kreg_ops_make_room(struct kreg_user *u, enum kreg_quota what, s64 n);
/* Handle the deaths that could put mail into the mailbox of @cl. May sleep. */
int kreg_ops_settle_mail(struct kreg_client *cl);

#endif /* KREG_OPS_H */
