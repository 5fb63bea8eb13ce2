// SPDX-License-Identifier: GPL-2.0
/* Many writes that become visible at once, and writes that nobody waits for. */
#include <linux/err.h>
#include <linux/overflow.h>
#include <linux/string.h>

#include "client/client.h"
#include "client/user.h"
#include "cmd/batch_apply.h"
#include "cmd/cmd.h"
#include "cmd/find.h"
#include "cmd/sync.h"
#include "store/write.h"
#include "table/change.h"
#include "table/table.h"

enum phase { START, CHECK, APPLY, SETTLE, CANCEL, DONE };

struct kreg_batch {
	struct kreg_req req;
	struct kreg_client *client;
	struct kreg_table *table;
	u32 count;
	u64 bytes;			/* of keys and values */
	bool atomic;
	bool async;			/* counted in the client */
	/* Under way, turn: */
	enum phase phase;
	u32 next;			/* operation */
	u32 failed;			/* as of kreg_batch_apply() */
	u32 first_error;		/* of an operation */
	s64 charged;			/* of an atomic batch, beforehand */
	struct kreg_txn txn;
	struct kreg_prealloc pre;
	struct kreg_batch_op ops[];
};

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

static void close_op(struct kreg_batch *b, struct kreg_batch_op *op)
{
	if (op->open)
		kreg_store_cancel(&b->table->store, &op->change);
	op->open = false;
}

static void enter_phase(struct kreg_batch *b, enum phase phase)
{
	b->phase = phase;
	b->next = 0;
}

/* @failed is the index of the operation that is to blame, or the count if none is. */
static void fail_batch(struct kreg_batch *b, int err, u32 failed)
{
	b->req.result = err;
	b->failed = failed;
	kreg_user_uncharge(b->table->user, KREG_QUOTA_BYTES, b->charged);
	b->charged = 0;
	enter_phase(b, CANCEL);
}

/*
 * An atomic batch is looked through before it is applied. It is charged for all
 * that it brings; what it replaces is credited as it goes.
 */
static int check_one(struct kreg_batch *b, struct kreg_batch_op *op)
{
	struct kreg_change *c = &op->change;
	s64 bytes = (s64)c->key.len + c->value_len;
	int err = kreg_table_change_fits(b->table, c);

	/* Decided here for good: a key that the batch itself puts does not count as existing. */
	c->must_be_new = false;
	if (err || c->kind != KREG_CHANGE_PUT)
		return err;
	err = kreg_user_charge(b->table->user, KREG_QUOTA_BYTES, bytes);
	if (err)
		return err;
	c->paid = bytes;
	b->charged += bytes;
	return 0;
}

static void begin_changes(struct kreg_batch *b)
{
	kreg_txn_begin(&b->txn, &b->table->store);
	enter_phase(b, APPLY);
}

static void start_batch(struct kreg_batch *b)
{
	int err = kreg_table_decide_write(b->table, b->client);

	if (err)
		fail_batch(b, err, b->count);
	else if (b->atomic)
		enter_phase(b, CHECK);
	else
		begin_changes(b);
}

static void check_some(struct kreg_batch *b, u32 n)
{
	for (; n && b->next < b->count; n--, b->next++) {
		int err = check_one(b, &b->ops[b->next]);

		if (err)
			return fail_batch(b, err, b->next);
	}
	if (b->next == b->count)
		begin_changes(b);
}

/* A PUT has its slot reserved, so that only a condition or a limit can make it fail. */
static __always_inline int apply_one(struct kreg_batch *b, struct kreg_batch_op *op)
{
	int err = kreg_table_change(b->table, &op->change, &b->txn, &b->pre);

	if (!err)
		b->charged -= op->change.paid;
	return err;
}

static noinline void note_failed(struct kreg_batch *b, struct kreg_batch_op *op, int err)
{
	op->error = -kreg_cmd_errno(err);
	b->first_error = b->first_error ?: -err;
	b->failed++;
	close_op(b, op);
}

static void apply_some(struct kreg_batch *b, u32 n)
{
	u32 to = min(b->count, b->next + n);

	for (; b->next < to; b->next++) {
		struct kreg_batch_op *op = &b->ops[b->next];
		int err = apply_one(b, op);

		if (unlikely(err))
			note_failed(b, op, err);
		op->open = false;
	}
	if (b->next < b->count)
		return;
	kreg_txn_commit(&b->txn);
	enter_phase(b, SETTLE);
}

static void settle_some(struct kreg_batch *b, u32 n)
{
	if (!kreg_txn_unlink(&b->txn, n))
		return;
	kreg_table_upkeep_now(b->table, n, &b->pre);
	enter_phase(b, DONE);
}

static void cancel_some(struct kreg_batch *b, u32 n)
{
	for (; n && b->next < b->count; n--, b->next++)
		close_op(b, &b->ops[b->next]);
	if (b->next == b->count)
		enter_phase(b, DONE);
}

/* The first error of a write that nobody waits for is kept for SYNC. */
static void note_async_error(struct kreg_batch *b)
{
	u32 err = -b->req.result ?: b->first_error;

	if (b->async && err)
		atomic_cmpxchg(&b->client->async_error, 0, err);
}

/* Do the work of the phase for up to @n operations. */
static void advance_batch(struct kreg_batch *b, u32 n)
{
	switch (b->phase) {
	case START:
		return start_batch(b);
	case CHECK:
		return check_some(b, n);
	case APPLY:
		return apply_some(b, n);
	case SETTLE:
		return settle_some(b, n);
	case CANCEL:
		return cancel_some(b, n);
	case DONE:
		return;
	}
}

/* One step: a part of a large batch, all of a small one. */
static bool batch_step(struct kreg_req *req)
{
	struct kreg_batch *b = container_of(req, struct kreg_batch, req);

	do {
		advance_batch(b, req->large ? KREG_HOLD_RECORDS : KREG_TURN_RECORDS);
	} while (b->phase != DONE && !req->large);
	if (b->phase != DONE)
		return false;
	note_async_error(b);
	return true;
}

/* Give back what was reserved for a batch that was never applied. */
static void cancel_rest(struct kreg_batch *b)
{
	spinlock_t *turn = &b->table->writer->turn;
	u32 i;

	for (i = 0; i < b->count; i++) {
		if (!b->ops[i].open)
			continue;
		spin_lock(turn);
		close_op(b, &b->ops[i]);
		spin_unlock(turn);
	}
}

static void free_batch(struct kreg_req *req)
{
	struct kreg_batch *b = container_of(req, struct kreg_batch, req);
	struct kreg_client *cl = b->client;

	if (b->phase != DONE)
		cancel_rest(b);
	kreg_prealloc_free(&b->pre);
	if (b->async) {
		atomic_sub(b->count, &cl->async_ops);
		atomic_sub(b->bytes, &cl->async_bytes);
	}
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
	b->client = cl;
	kreg_client_get(cl);
	b->table = t;
	b->count = count;
	b->bytes = bytes;
	return b;
}

/* One of them lacks a chunk. Those up to @end may lack one of another class. */
static noinline void want_slots(struct kreg_store *s, struct kreg_batch_op *op,
				const struct kreg_batch_op *end, struct kreg_prealloc *pre)
{
	for (; op != end; op++)
		if (op->change.kind == KREG_CHANGE_PUT)
			kreg_store_want_slot(s, &op->change, pre);
}

/* Reserve slots for operations from *i on, which says afterwards how far it got. */
static int reserve_some(struct kreg_batch *b, u32 *i)
{
	struct kreg_batch_op *op = &b->ops[*i];
	struct kreg_batch_op *end = op + min_t(u32, b->count - *i, KREG_TURN_RECORDS);
	struct kreg_store *s = &b->table->store;
	int err = 0;

	spin_lock(&b->table->writer->turn);
	kreg_store_add_prealloc(s, &b->pre);
	for (; op != end; op++) {
		if (op->change.kind == KREG_CHANGE_PUT)
			err = kreg_store_reserve(s, &op->change, &b->pre);
		if (err)
			break;
	}
	*i = op - b->ops;
	if (unlikely(err == -EAGAIN))
		want_slots(s, op, end, &b->pre);
	kreg_store_want_prealloc(s, &b->pre);
	spin_unlock(&b->table->writer->turn);
	return err;
}

int kreg_batch_reserve(struct kreg_batch *b)
{
	struct kreg_store *s = &b->table->store;
	u32 i;
	int err;

	err = kreg_table_check_write(b->table, b->client);
	if (err)
		return err;
	kreg_table_throttle(b->table);
	err = kreg_sync_make_room(b->table->user, KREG_QUOTA_BYTES, b->bytes);
	for (i = 0; i < b->count && !err;) {
		err = reserve_some(b, &i);
		if (err == -EAGAIN)
			err = kreg_prealloc_fill(&b->pre, s);
	}
	return err;
}

static bool is_large(const struct kreg_batch *b)
{
	return b->count > KREG_TURN_RECORDS || b->bytes > KREG_TURN_BYTES;
}

int kreg_batch_apply(struct kreg_batch *b, bool atomic, u64 *version, u32 *failed)
{
	int err;

	b->atomic = atomic;
	b->req.large = is_large(b);
	err = kreg_writer_submit(b->table->writer, &b->req);
	if (err == -EINTR)
		return err;
	kreg_table_prealloc(b->table, &b->pre);
	*version = b->txn.version;
	*failed = b->failed;
	return err;
}

/* Count the batch against what the client may have queued. False if that is too much. */
static bool fits_queue(struct kreg_batch *b)
{
	struct kreg_client *cl = b->client;

	b->async = true;
	if (atomic_add_return(b->count, &cl->async_ops) > KREG_MAX_ASYNC_OPS)
		b->async = false;
	if (atomic_add_return(b->bytes, &cl->async_bytes) > KREG_MAX_ASYNC_BYTES)
		b->async = false;
	if (b->async)
		return true;
	atomic_sub(b->count, &cl->async_ops);
	atomic_sub(b->bytes, &cl->async_bytes);
	return false;
}

int kreg_batch_queue(struct kreg_batch *b, bool atomic)
{
	b->atomic = atomic;
	if (!fits_queue(b))
		return -EAGAIN;
	b->req.large = is_large(b);
	refcount_inc(&b->req.refs);
	kreg_writer_post(b->table->writer, &b->req);
	kreg_table_prealloc_ahead(b->table);
	return 0;
}
