// SPDX-License-Identifier: GPL-2.0
/* Many writes that become visible at once, and writes that nobody waits for. */
#include <linux/err.h>
#include <linux/overflow.h>
#include <linux/string.h>

#include "client/client.h"
#include "client/limits.h"
#include "client/proc.h"
#include "client/user.h"
#include "cmd/batch_apply.h"
#include "cmd/batch_state.h"
#include "cmd/cmd.h"
#include "cmd/find.h"
#include "cmd/looks.h"
#include "store/write.h"
#include "table/access.h"
#include "table/bound.h"
#include "table/change.h"
#include "table/owner.h"
#include "table/publish.h"
#include "table/waits.h"

/*
 * A write that nobody waits for is a batch of one. Locks that are checked are longer, and sparse
 * has a layout of its own for bit-fields.
 */
#if !defined(__CHECKER__) && !defined(CONFIG_DEBUG_SPINLOCK) && !defined(CONFIG_DEBUG_LOCK_ALLOC)
static_assert(sizeof(struct kreg_batch) + sizeof(struct kreg_batch_op) <= KREG_SCRATCH_SMALL);
#endif

struct kreg_batch_op *kreg_batch_ops(struct kreg_batch *b)
{
	return b->ops;
}

const struct kreg_store *kreg_batch_store(const struct kreg_batch *b)
{
	return &b->table->store;
}

u8 *kreg_batch_keys(struct kreg_batch *b)
{
	return (u8 *)&b->ops[b->count];
}

void kreg_batch_fail(struct kreg_batch *b, int err, u32 failed)
{
	b->req.result = err;
	b->failed = failed;
	b->rest = true;
	kreg_batch_enter(b, DONE);
}

void kreg_batch_note_client(struct kreg_batch *b, struct kreg_change *c)
{
	c->bind = c->bind ?: &b->bind;
	c->special = true;
}

/*
 * An atomic batch is looked through before it is applied. What is found here counts: a key
 * that the batch itself puts does not count as existing, nor one that it deletes as gone.
 */
static int check_one(struct kreg_batch *b, struct kreg_batch_op *op, bool far)
{
	struct kreg_change *c = &op->change;
	int err;

	if (unlikely(b->registry))
		kreg_batch_note_client(b, c);
	err = kreg_table_change_fits(b->table, c, &b->place, far);
	/* A group may begin anew, so its conditions are kept until it is applied. */
	if (likely(!err && !b->grouped))
		kreg_batch_settle(b, c);
	return err;
}

/* A PUT has to keep the bond of what it replaces, and its slot has no room for one. */
static int check_bond_room(const struct kreg_batch *b)
{
	if (likely(b->roomy || !kreg_store_binds(&b->table->store)))
		return 0;
	return b->async ? -EAGAIN : KREG_BATCH_ANEW;
}

static void start_batch(struct kreg_batch *b)
{
	int err = kreg_table_decide_write(b->table, b->client);

	b->registry = err == KREG_TABLE_REGISTRY;
	b->unusual = b->registry || b->looks || b->grouped;
	if (err >= 0)
		err = check_bond_room(b);
	if (!err && unlikely(b->looks) && b->looks->reads)
		err = kreg_table_may_read(b->table, b->client);
	if (err)
		return kreg_batch_fail(b, err, b->count);
	/* From here on nobody else changes the store, so that a look may take several holds. */
	kreg_txn_begin(&b->txn, &b->table->store);
	kreg_batch_enter(b, b->atomic || b->looks ? CHECK : APPLY);
}

static void check_some(struct kreg_batch *b, u32 n)
{
	struct kreg_batch_op *op = &b->ops[b->next];
	bool far = b->far;

	if (unlikely(b->looks))
		return kreg_batch_check_looks(b, n);
	b->far = false;
	for (; n && b->next < b->count; n--, b->next++, op++) {
		int err = check_one(b, op, far);

		far = false;
		if (err == KREG_TABLE_FAR) {
			b->far = true;
			return;
		}
		if (err) {
			kreg_txn_abort(&b->txn);
			return kreg_batch_fail(b, err, b->next);
		}
	}
	if (b->next == b->count)
		kreg_batch_enter(b, APPLY);
}

noinline void kreg_batch_note_failed(struct kreg_batch *b, struct kreg_batch_op *op, int err)
{
	kreg_table_assert(b->table);
	op->error = -kreg_cmd_errno(err);
	b->first_error = b->first_error ?: -err;
	b->failed++;
	b->rest = true;
}

/* The object is there already; what was brought for it is given back. */
static noinline void note_same(struct kreg_batch *b, struct kreg_batch_op *op)
{
	op->change.count = 1;
	b->rest = true;
}

static noinline int change_unusual(struct kreg_batch *b, struct kreg_batch_op *op, bool far)
{
	if (b->registry)
		kreg_batch_note_client(b, &op->change);
	if (b->looks)
		return kreg_batch_apply_look(b, op, far);
	if (b->grouped && !far)
		kreg_batch_settle(b, &op->change);
	return kreg_table_change(b->table, &op->change, &b->place, far, &b->txn, &b->pre);
}

static __always_inline int change_one(struct kreg_batch *b, struct kreg_batch_op *op, bool far)
{
	if (unlikely(b->unusual))
		return change_unusual(b, op, far);
	return kreg_table_change(b->table, &op->change, &b->place, far, &b->txn, &b->pre);
}

static void commit_batch(struct kreg_batch *b)
{
	kreg_txn_commit(&b->txn);
	kreg_table_publish_noted(b->table);
	kreg_batch_enter(b, SETTLE);
}

static void apply_some(struct kreg_batch *b, u32 n)
{
	u32 to = min(b->count, b->next + n);
	bool far = b->far;

	for (; b->next < to; b->next++) {
		struct kreg_batch_op *op = &b->ops[b->next];
		int err;

		/* Refused when its memory was to be reserved. */
		if (unlikely(op->error))
			continue;
		/* A PUT has its slot, so that only a condition or a limit can make it fail. */
		err = change_one(b, op, far);
		far = false;
		if (likely(!err)) {
			op->open = false;
			kreg_table_note_change(b->table, &op->change, b->txn.version);
			continue;
		}
		b->far = err == KREG_TABLE_FAR;
		if (b->far)
			return;
		if (err == KREG_TABLE_SAME)
			note_same(b, op);
		else
			kreg_batch_note_failed(b, op, err);
	}
	b->far = false;
	if (b->next < b->count)
		return;
	kreg_batch_enter(b, COMMIT);
	/* Those of a group are committed together. */
	if (likely(!b->grouped))
		commit_batch(b);
}

static void settle_some(struct kreg_batch *b, u32 n)
{
	if (!kreg_table_publish_keys(b->table, n) || !kreg_txn_unlink(&b->txn, n))
		return;
	if (unlikely(kreg_waits_has_freed(b->table)))
		kreg_table_serve_lines(b->table);
	kreg_table_upkeep_now(b->table, b->req.large ? n : KREG_TURN_RECORDS, &b->pre);
	b->crowded = kreg_store_is_crowded(&b->table->store);
	kreg_batch_enter(b, DONE);
}

/* The first error of a write that nobody waits for is kept for SYNC. */
static void note_async_error(struct kreg_batch *b)
{
	u32 err = -b->req.result ?: b->first_error;

	if (b->async && err)
		atomic_cmpxchg(&b->client->async_error, 0, err);
}

void kreg_batch_advance(struct kreg_batch *b, u32 n)
{
	switch (b->phase) {
	case START:
		return start_batch(b);
	case CHECK:
		return check_some(b, n);
	case APPLY:
		return apply_some(b, likely(!b->looks) ? n : kreg_batch_look_hold(b, n));
	case COMMIT:
		return commit_batch(b);
	case SETTLE:
		return settle_some(b, n);
	case DONE:
		return;
	}
}

void kreg_batch_give_up(struct kreg_batch *b, int err)
{
	kreg_table_assert(b->table);
	kreg_txn_abort(&b->txn);
	kreg_batch_fail(b, err, b->count);
}

/* It is in the queue no longer, or never was. */
static void uncharge_queue(struct kreg_batch *b)
{
	if (b->queued)
		kreg_client_uncharge_queue(b->client, b->count, b->bytes);
	b->queued = false;
}

/* One step: a part of a large batch, all of a small one. */
static bool batch_step(struct kreg_req *req)
{
	struct kreg_batch *b = container_of(req, struct kreg_batch, req);

	/* Where walks may be long nothing is done in one step. Nothing has been done yet. */
	if (unlikely(kreg_store_is_crowded(&b->table->store)) && b->phase == START && !req->large) {
		req->large = true;
		return false;
	}
	do {
		kreg_store_begin_hold(&b->table->store);
		kreg_batch_advance(b, KREG_HOLD_RECORDS);
	} while (b->phase != DONE && !req->large);
	kreg_table_settle(b->table);
	if (b->phase != DONE)
		return false;
	note_async_error(b);
	/* Under the turn, so that who has synchronised has room for as many more. */
	uncharge_queue(b);
	return true;
}

/* Give back what was reserved and not applied: one a hold, since its slot is wiped. */
static void cancel_rest(struct kreg_batch *b)
{
	spinlock_t *turn = &b->table->writer->turn;
	u32 i;

	b->rest = false;
	for (i = 0; i < b->count; i++) {
		if (!b->ops[i].open)
			continue;
		spin_lock(turn);
		kreg_store_cancel(&b->table->store, &b->ops[i].change);
		if (unlikely(b->ops[i].change.bind))
			kreg_bind_refund(&b->ops[i].change);
		b->ops[i].open = false;
		kreg_table_settle(b->table);
		spin_unlock(turn);
	}
}

static void free_batch(struct kreg_req *req)
{
	struct kreg_batch *b = container_of(req, struct kreg_batch, req);
	struct kreg_client *cl = b->client;

	if (b->phase != DONE || b->rest)
		cancel_rest(b);
	if (unlikely(b->bind.proc))
		kreg_bind_drop(&b->bind);
	if (unlikely(b->looks))
		kreg_looks_put(b->looks);
	kreg_prealloc_free(&b->pre);
	uncharge_queue(b);
	kreg_table_put(b->table);
	kreg_scratch_put(&cl->req, b);
	kreg_client_put(cl);
}

void kreg_batch_put(struct kreg_batch *b)
{
	kreg_req_put(&b->req);
}

struct kreg_batch *kreg_batch_alloc(struct kreg_client *cl, u64 id, u32 count,
				    u64 bytes, u32 loose)
{
	struct kreg_table *t = kreg_find_table(cl, id);
	struct kreg_batch *b;

	if (IS_ERR(t))
		return ERR_CAST(t);
	b = kreg_scratch_get(&cl->req, size_add(struct_size(b, ops, count), loose));
	if (!b) {
		kreg_table_put(t);
		return ERR_PTR(-ENOMEM);
	}
	memset(b, 0, sizeof(*b));
	kreg_req_init(&b->req, &t->lane, batch_step, free_batch);
	kreg_client_sign(cl, t->writer, &b->req);
	b->client = cl;
	kreg_client_get(cl);
	b->table = t;
	b->count = count;
	b->bytes = bytes;
	b->bind.client = cl;
	b->roomy = kreg_store_binds(&t->store);
	return b;
}

void kreg_batch_take_looks(struct kreg_batch *b, struct kreg_looks *looks)
{
	refcount_inc(&looks->refs);
	b->looks = looks;
}

int kreg_batch_bind(struct kreg_batch *b)
{
	int err;

	b->bind.proc = b->client->proc;
	kreg_proc_get(b->bind.proc);
	b->roomy = true;
	err = kreg_bind_bring(&b->bind, b->table->id);
	/* Its operations are not filled in, so there is nothing to give back for them. */
	if (err)
		b->count = 0;
	return err;
}

void kreg_batch_bind_op(struct kreg_batch *b, struct kreg_change *c, bool binds, bool mine)
{
	kreg_batch_note_client(b, c);
	c->mine = mine;
	c->binds = binds;
	if (binds)
		kreg_bind_pay(c);
}

bool kreg_batch_binds(const struct kreg_batch *b)
{
	return b->roomy;
}

/* What is lent the turn cannot let go of it half way. A run may be of any length. */
static bool is_large(const struct kreg_batch *b)
{
	return b->count > KREG_LEND_RECORDS || b->bytes > KREG_TURN_BYTES ||
	       kreg_store_has_runs(&b->table->store);
}

void kreg_batch_end(struct kreg_batch *b)
{
	if (unlikely(b->rest))
		cancel_rest(b);
	kreg_table_prealloc(b->table, &b->pre, false);
	if (unlikely(b->crowded))
		kreg_table_shorten(b->table);
}

int kreg_batch_apply(struct kreg_batch *b, bool atomic, u64 *version, u32 *failed)
{
	int err;

	b->atomic = atomic;
	b->req.large = is_large(b);
	do {
		err = kreg_writer_submit(b->table->writer, &b->req);
		if (err == -EINTR)
			return err;
		if (unlikely(b->starved))
			err = kreg_batch_bring(b);
	} while (!err && b->phase != DONE);
	kreg_batch_end(b);
	*version = b->txn.version;
	*failed = b->failed;
	return err;
}

/* Refused here, before anything is set aside, a batch costs others nothing. */
int kreg_batch_charge_queue(struct kreg_batch *b)
{
	int err = kreg_table_check_write(b->table, b->client);

	if (!err)
		err = kreg_client_charge_queue(b->client, b->count, b->bytes);
	b->queued = !err;
	/* Its operations are not filled in, so there is nothing to give back for them. */
	if (err)
		b->count = 0;
	return err;
}

void kreg_batch_queue(struct kreg_batch *b, bool atomic)
{
	b->atomic = atomic;
	b->async = true;
	b->req.large = is_large(b);
	refcount_inc(&b->req.refs);
	kreg_writer_post(b->table->writer, &b->req);
	kreg_table_prealloc_ahead(b->table);
}
