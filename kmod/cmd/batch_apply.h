/* SPDX-License-Identifier: GPL-2.0 */
/* Many writes: between what the caller says (batch.c) and what happens (batch_apply.c). */
#ifndef KREG_CMD_BATCH_APPLY_H
#define KREG_CMD_BATCH_APPLY_H

#include "cmd/batch_state.h"

struct kreg_client;
struct kreg_looks;

/*
 * A batch of writes; an asynchronous write is one, too, for which nobody waits. The
 * steps are: alloc; fill in the changes, for a PUT without its key; reserve; fill in
 * keys at kreg_change_key() and values at kreg_change_value(), with kreg_store_hash()
 * and kreg_change_finish(); then apply or queue; put.
 */
struct kreg_batch;

/* Never the error of a call. */
#define KREG_BATCH_ANEW		(-ERESTARTNOINTR)

/*
 * Sleeps. Room for @count changes with @bytes of keys and values, of which the keys that are not
 * put into a record have @loose. ERR_PTR().
 */
struct kreg_batch *kreg_batch_alloc(struct kreg_client *cl, u64 table, u32 count,
				    u64 bytes, u32 loose);
/* Sleeps. The caller is done with it; what was reserved and not applied goes back. */
void kreg_batch_put(struct kreg_batch *b);
/* Any. It has these, a reference. */
void kreg_batch_take_looks(struct kreg_batch *b, struct kreg_looks *looks);
/*
 * Sleeps. There are operations that bind to the calling process. To be called before the
 * first is filled in. -ENOMEM.
 */
int kreg_batch_bind(struct kreg_batch *b);
/* Any. @c, a PUT, binds, or it is only meant for an object that is bound to the caller. */
void kreg_batch_bind_op(struct kreg_batch *b, struct kreg_change *c, bool binds, bool mine);
/* Any. Whether each PUT needs room for a bond, since it may replace an object that has one. */
bool kreg_batch_binds(const struct kreg_batch *b);
/* Any. All operations, as an array; each has to be filled in, or have @open cleared. */
struct kreg_batch_op *kreg_batch_ops(struct kreg_batch *b);
/* Any. For kreg_store_hash(). */
const struct kreg_store *kreg_batch_store(const struct kreg_batch *b);
/* Any. Room for the keys that are not put into a record. */
u8 *kreg_batch_keys(struct kreg_batch *b);
/*
 * Sleeps. Reserve a slot for each PUT from *i on, which is 0 in the first call. -ENOMEM,
 * -ENOSPC, -EINTR, -EACCES, -ESTALE; or kreg_over_limit() for the one that *i says then.
 */
int kreg_batch_reserve(struct kreg_batch *b, u32 *i);
/*
 * Sleeps. The same for that one alone, over the limit, if it will replace an object with @key
 * that gives back as much. -ENOMEM, -ENOSPC, kreg_over_limit().
 */
int kreg_batch_reserve_over(struct kreg_batch *b, u32 i, const void *key);
/* Sleeps. It fails with @err, the others of the batch do not. */
void kreg_batch_refuse(struct kreg_batch *b, u32 i, int err);
/*
 * Sleeps. Apply all. *failed: how many have an @error; or, of an atomic batch that failed, the
 * index of the operation to blame, or their count if it is none of them. KREG_BATCH_ANEW:
 * nothing has happened; it is to be made anew, since it needs more room.
 */
int kreg_batch_apply(struct kreg_batch *b, bool atomic, u64 *version, u32 *failed);
/*
 * Any. Before anything is reserved for it: it is to be queued. -EACCES, -EPERM, -ESTALE;
 * kreg_over_limit(): too much is queued already.
 */
int kreg_batch_charge_queue(struct kreg_batch *b);
/* Sleeps. Queue it, which was charged as such, and return. */
void kreg_batch_queue(struct kreg_batch *b, bool atomic);

#endif /* KREG_CMD_BATCH_APPLY_H */
