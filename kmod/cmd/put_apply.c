// SPDX-License-Identifier: GPL-2.0
/* A single write: with a lent turn if it can be had, else through the thread. */
#include <linux/err.h>
#include <linux/overflow.h>
#include <linux/string.h>

#include "client/client.h"
#include "client/limits.h"
#include "client/user.h"
#include "cmd/edit_copy.h"
#include "cmd/find.h"
#include "cmd/put_apply.h"
#include "cmd/sync.h"
#include "store/write.h"
#include "table/change.h"
#include "table/expire.h"
#include "table/owner.h"
#include "table/publish.h"
#include "table/table.h"
#include "table/waits.h"

/* Steps of upkeep that a write pays for; they are done every SHARE writes. */
#define UPKEEP		2
#define SHARE		(KREG_TURN_RECORDS / UPKEEP)

/* Under the turn: the change was applied, and is committed. */
static noinline void publish_write(struct kreg_table *t, struct kreg_write *w, u64 version)
{
	u16 kind;

	/* It was told of when the loan ended. */
	if (w->change.returns)
		return;
	kind = kreg_table_publish_change(t, &w->change, version);
	if (kind && w->acked)
		kreg_acks_note(&w->result.acks, t->stream, KREG_STREAM_BIT(kind));
	if (unlikely(kreg_waits_has_freed(t)))
		kreg_table_serve_lines(t);
}

/* Under the turn: the change was applied. */
static __always_inline void finish_write(struct kreg_table *t, struct kreg_write *w,
					 struct kreg_txn *txn, struct kreg_prealloc *pre)
{
	kreg_txn_commit(txn);
	/* What died is at hand; of several objects of a key, all but the last are near. */
	while (!kreg_txn_unlink(txn, KREG_TURN_RECORDS))
		kreg_store_begin_hold(&t->store);
	if (unlikely(t->listeners))
		publish_write(t, w, txn->version);
	w->result.version = txn->version;
	w->result.count = w->change.count;
	/* At once, if the store is not in the thread's list and has something in limbo. */
	if (txn->version % SHARE == 0 ||
	    (list_empty(&t->upkeep.node) && kreg_store_has_limbo(&t->store)))
		kreg_table_upkeep_now(t, UPKEEP * SHARE, pre);
	kreg_table_settle(t);
}

/* Under the turn: it was not applied, which is well if nothing was to be done. */
static noinline int refuse_write(const struct kreg_table *t, struct kreg_write *w,
				 struct kreg_txn *txn, int err)
{
	kreg_txn_abort(txn);
	if (err != KREG_TABLE_SAME)
		return err;
	w->result.version = t->store.version;
	w->result.count = 1;
	return 0;
}

/* Under the turn. KREG_TABLE_FAR: it takes more than one hold. */
static __always_inline int write_under_turn(struct kreg_client *cl, struct kreg_table *t,
					    struct kreg_write *w, struct kreg_prealloc *pre)
{
	struct kreg_place place __uninitialized;
	struct kreg_txn txn __uninitialized;
	int err;

	err = kreg_table_decide_write(t, cl);
	if (unlikely(err < 0))
		return err;
	if (unlikely(err))
		kreg_bind_note(&w->change, &w->bind, cl);
	kreg_txn_begin(&txn, &t->store);
	err = kreg_table_change(t, &w->change, &place, false, &txn, pre);
	if (err)
		return refuse_write(t, w, &txn, err);
	finish_write(t, w, &txn, pre);
	return 0;
}

/* In the caller's context, under RCU: no reference on the table is needed. */
static __always_inline int write_lent(struct kreg_client *cl, struct kreg_write *w,
				      struct kreg_prealloc *pre)
{
	struct kreg_writer *waker = NULL;
	struct kreg_table *t;
	int err;

	if (!READ_ONCE(kreg_writer_lend))
		return KREG_PUT_NOT_LENT;
	rcu_read_lock();
	err = kreg_table_find_writable(cl, w->table, &t);
	if (!err && kreg_store_limbo_full(&t->store))
		err = KREG_PUT_NOT_LENT;
	if (!err) {
		kreg_store_hash(&t->store, &w->change.key);
		err = KREG_PUT_NOT_LENT;
		if (kreg_writer_borrow(t->writer, &t->lane)) {
			err = write_under_turn(cl, t, w, pre);
			if (unlikely(t->listeners))
				waker = t->writer;
			kreg_writer_return(t->writer);
		}
	}
	rcu_read_unlock();
	if (unlikely(waker))
		kreg_wake_queued(waker);
	return err;
}

/* A write on its way through the thread, with copies of all that it needs. */
struct queued {
	struct kreg_req req;
	struct kreg_client *client;
	struct kreg_table *table;
	struct kreg_write write;
	struct kreg_prealloc pre;
	/* Of one that takes several holds of the turn: */
	bool begun;
	bool applied;			/* and committed; what has died is still linked */
	struct kreg_txn txn;
	struct kreg_place place;
	u8 bytes[];			/* key, value */
};

void kreg_put_drop(struct kreg_change *c)
{
	if (unlikely(c->blob)) {
		if (c->kind == KREG_CHANGE_CLEAR)
			kreg_root_free(c->root);
		else
			kreg_blob_put(c->blob);
	}
	/* Else it was only to be told of the client. */
	if (unlikely(c->bind && c->bind->proc)) {
		kreg_bind_refund(c);
		kreg_bind_drop(c->bind);
	}
	if (unlikely(c->bind))
		kreg_expirer_drop(c->bind);
}

static int begin_queued(struct queued *q)
{
	int err = kreg_table_decide_write(q->table, q->client);

	if (err < 0)
		return err;
	if (err)
		kreg_bind_note(&q->write.change, &q->write.bind, q->client);
	kreg_txn_begin(&q->txn, &q->table->store);
	return 0;
}

/* As many objects may have died as a key had. */
static bool unlink_some(struct queued *q)
{
	if (!kreg_txn_unlink(&q->txn, KREG_TURN_RECORDS))
		return false;
	kreg_table_upkeep_now(q->table, KREG_TURN_RECORDS, &q->pre);
	return true;
}

static bool finish_run(struct queued *q)
{
	struct kreg_write *w = &q->write;

	kreg_txn_commit(&q->txn);
	if (unlikely(q->table->listeners))
		publish_write(q->table, w, q->txn.version);
	w->result.version = q->txn.version;
	w->result.count = w->change.count;
	q->applied = true;
	return unlink_some(q);
}

/* Go on to the place of the key, from where the hold before this has come to. */
static bool far_step(struct queued *q)
{
	bool on = q->begun;
	int err;

	if (on)
		kreg_store_begin_hold(&q->table->store);
	if (q->applied)
		return unlink_some(q);
	err = on ? 0 : begin_queued(q);
	q->req.result = err;
	if (err)
		return true;
	err = kreg_table_change(q->table, &q->write.change, &q->place, on, &q->txn, &q->pre);
	q->begun = err == KREG_TABLE_FAR || !err;
	if (err == KREG_TABLE_FAR)
		return false;
	if (!err && kreg_store_has_runs(&q->table->store))
		return finish_run(q);
	if (err)
		q->req.result = refuse_write(q->table, &q->write, &q->txn, err);
	else
		finish_write(q->table, &q->write, &q->txn, &q->pre);
	return true;
}

static bool queued_step(struct kreg_req *req)
{
	struct queued *q = container_of(req, struct queued, req);

	if (unlikely(req->large))
		return far_step(q);
	req->result = write_under_turn(q->client, q->table, &q->write, &q->pre);
	return true;
}

static void free_queued(struct kreg_req *req)
{
	struct queued *q = container_of(req, struct queued, req);
	struct kreg_client *cl = q->client;

	kreg_prealloc_free(&q->pre);
	kreg_put_drop(&q->write.change);
	kreg_edit_free(q->write.change.edit);
	if (unlikely(q->write.acked))
		kreg_stream_put(q->write.result.acks.stream);
	kreg_table_put(q->table);
	kreg_scratch_put(&cl->req, q);
	kreg_client_put(cl);
}

/* Takes over the reference on @t, and all that the change brings. */
static struct queued *alloc_queued(struct kreg_client *cl, struct kreg_table *t,
				   struct kreg_write *w)
{
	const struct kreg_change *c = &w->change;
	u32 value_len = c->value ? c->value_len : 0;
	struct kreg_edit *edit = c->edit ? kreg_edit_clone(c->edit) : NULL;
	struct queued *q;

	if (c->edit && !edit)
		return NULL;
	q = kreg_scratch_get(&cl->req, struct_size(q, bytes, c->key.len + value_len));
	if (!q) {
		kreg_edit_free(edit);
		return NULL;
	}
	kreg_req_init(&q->req, &t->lane, queued_step, free_queued);
	kreg_client_sign(cl, t->writer, &q->req);
	kreg_prealloc_init(&q->pre);
	q->begun = false;
	q->applied = false;
	q->client = cl;
	kreg_client_get(cl);
	q->table = t;
	q->write = *w;
	if (unlikely(w->change.bind))
		q->write.change.bind = &q->write.bind;
	q->write.change.edit = edit;
	w->change.blob = NULL;		/* or its root */
	w->change.bind = NULL;
	memcpy(q->bytes, c->key.bytes, c->key.len);
	q->write.change.key.bytes = q->bytes;
	if (c->value)
		q->write.change.value = memcpy(q->bytes + c->key.len, c->value, value_len);
	return q;
}

/* Submit it; if the store was short of memory, bring that: -EAGAIN. */
static int submit_once(struct queued *q)
{
	int err, short_of;

	kreg_table_throttle(q->table);
	reinit_completion(&q->req.done);
	err = kreg_writer_submit(q->table->writer, &q->req);
	/* A killed caller leaves what is preallocated to the thread. */
	if (err == -EINTR)
		return err;
	short_of = kreg_table_prealloc(q->table, &q->pre, q->write.change.over);
	return err == -EAGAIN ? short_of ?: err : err;
}

/*
 * At the limit of the user. A PUT that replaces an object may go over it, which is known
 * under the turn. Else what the user has given up must have been given back before the
 * write is refused; then it is tried once more.
 */
static int submit_at_limit(struct queued *q, bool *waited)
{
	struct kreg_change *c = &q->write.change;
	int err;

	kreg_sync_end_pins(q->table);
	if (!c->over) {
		c->over = true;
		return -EAGAIN;
	}
	if (*waited)
		return kreg_over_limit(KREG_LIMIT_BYTES);
	*waited = true;
	c->over = false;
	err = kreg_sync_make_table_room(q->table, kreg_change_room(c));
	return err ?: -EAGAIN;
}

static int submit_queued(struct queued *q)
{
	bool waited = false;
	int err;

	do {
		err = submit_once(q);
		q->req.large |= err == KREG_TABLE_FAR;
		if (err == kreg_over_limit(KREG_LIMIT_BYTES))
			err = submit_at_limit(q, &waited);
	} while (err == -EAGAIN || err == KREG_TABLE_FAR);
	return err;
}

/* What is charged is given back when the call returns; the thread may let go of @q later. */
static void take_back(struct kreg_write *w, struct queued *q)
{
	struct kreg_change *c = &q->write.change;

	if (unlikely(w->change.edit))
		kreg_edit_take(w->change.edit, c->edit);
	if (unlikely(c->bind && c->bind->proc))
		kreg_bind_refund(c);
}

static int write_queued(struct kreg_client *cl, struct kreg_write *w)
{
	struct kreg_table *t;
	struct queued *q;
	int err;

	t = kreg_find_table(cl, w->table);
	if (IS_ERR(t))
		return PTR_ERR(t);
	kreg_store_hash(&t->store, &w->change.key);
	err = kreg_table_check_write(t, cl);
	q = err ? NULL : alloc_queued(cl, t, w);
	if (!q) {
		kreg_table_put(t);
		return err ?: -ENOMEM;
	}
	err = submit_queued(q);
	if (!err) {
		w->result = q->write.result;
		q->write.acked = false;
	}
	/* Of one that was killed the thread may have it still. */
	if (err != -EINTR)
		take_back(w, q);
	kreg_req_put(&q->req);
	return err;
}

/* Bring the memory that the store lacks; then -EAGAIN, to try the write again. */
static int prealloc_table(struct kreg_client *cl, const struct kreg_write *w,
			  struct kreg_prealloc *pre)
{
	struct kreg_table *t = kreg_find_table(cl, w->table);
	int err;

	if (IS_ERR(t))
		return PTR_ERR(t);
	err = kreg_table_prealloc(t, pre, w->change.over);
	kreg_table_put(t);
	return err ?: -EAGAIN;
}

static __always_inline int write_and_prealloc(struct kreg_client *cl, struct kreg_write *w,
					      struct kreg_prealloc *pre)
{
	int err = write_lent(cl, w, pre);

	if (!err && unlikely(kreg_prealloc_wanted(pre)))
		prealloc_table(cl, w, pre);
	return err;
}

static __always_inline int write_once(struct kreg_client *cl, struct kreg_write *w,
				      struct kreg_prealloc *pre)
{
	int err = write_and_prealloc(cl, w, pre);

	if (likely(!err))
		return 0;
	if (err == -EINPROGRESS)
		return kreg_find_settle(cl, w->table) ?: -EAGAIN;
	if (err == -EAGAIN)
		err = prealloc_table(cl, w, pre);
	/* Over the limit, too, there is more to be tried than can be done here. */
	if (err == KREG_PUT_NOT_LENT || err == KREG_TABLE_FAR ||
	    err == kreg_over_limit(KREG_LIMIT_BYTES))
		return write_queued(cl, w);
	return err;
}

bool kreg_put_lends(void)
{
	return READ_ONCE(kreg_writer_lend);
}

int kreg_put_apply_now(struct kreg_client *cl, struct kreg_write *w)
{
	struct kreg_prealloc pre __uninitialized;
	int err;

	kreg_prealloc_init(&pre);
	err = write_and_prealloc(cl, w, &pre);
	kreg_prealloc_free(&pre);
	/* What needs another try is queued instead. */
	if (err == -EINPROGRESS || err == -EAGAIN || err == KREG_TABLE_FAR ||
	    err == kreg_over_limit(KREG_LIMIT_BYTES))
		return KREG_PUT_NOT_LENT;
	return err;
}

int kreg_put_apply(struct kreg_client *cl, struct kreg_write *w)
{
	struct kreg_prealloc pre __uninitialized;
	int err;

	kreg_prealloc_init(&pre);
	do {
		err = write_once(cl, w, &pre);
	} while (err == -EAGAIN);
	kreg_prealloc_free(&pre);
	kreg_put_drop(&w->change);
	return err;
}
