// SPDX-License-Identifier: GPL-2.0
/* What a batch needs before it can be queued: slots, and memory for them. */
#include <linux/sched/signal.h>

#include "client/limits.h"
#include "client/user.h"
#include "cmd/batch_apply.h"
#include "cmd/batch_state.h"
#include "cmd/looks.h"
#include "cmd/sync.h"
#include "store/write.h"
#include "table/change.h"
#include "table/table.h"

/* One of them lacks a chunk. Those up to @end may lack one of another class. */
static noinline void want_slots(struct kreg_store *s, struct kreg_batch_op *op,
				const struct kreg_batch_op *end, struct kreg_prealloc *pre)
{
	for (; op != end; op++)
		if (op->change.kind == KREG_CHANGE_PUT && !op->late)
			kreg_store_want_slot(s, &op->change, pre);
}

/*
 * Reserve slots for operations from *i on, which says afterwards how far it got. What a
 * record does not need of a slot that is used again, a quarter at most, is wiped.
 */
static int reserve_some(struct kreg_batch *b, u32 *i)
{
	struct kreg_batch_op *op = &b->ops[*i];
	struct kreg_batch_op *end = op + min_t(u32, b->count - *i, KREG_TURN_RECORDS);
	struct kreg_table *t = b->table;
	struct kreg_bond *bond;
	u32 bytes = 0;
	int err = 0;

	spin_lock(&t->writer->turn);
	if (unlikely(b->bind.proc))
		err = kreg_table_bind(t, &b->bind, &b->pre, &bond);
	for (; !err && op != end && bytes < KREG_TURN_BYTES; op++) {
		if (op->change.kind == KREG_CHANGE_PUT && !op->late)
			err = kreg_table_reserve(t, &op->change, &b->pre);
		if (err)
			break;
		bytes += min_t(u32, op->change.value_len, KREG_SLOT_MAX);
	}
	*i = op - b->ops;
	/* Near the limit only for this one, which may have to fail alone. */
	if (unlikely(err == -EAGAIN && !b->waited))
		want_slots(&t->store, op, end, &b->pre);
	kreg_store_want_prealloc(&t->store, &b->pre);
	kreg_table_settle(t);
	spin_unlock(&t->writer->turn);
	return err;
}

/* Reserve slots from *i on; at the limit of the user, wait once for what is given back. */
static int reserve_rest(struct kreg_batch *b, u32 *i)
{
	int err = 0;

	while (*i < b->count && !err) {
		err = reserve_some(b, i);
		if (err == -EAGAIN)
			err = kreg_table_prealloc(b->table, &b->pre, false);
		if (err != kreg_over_limit(KREG_LIMIT_BYTES) || b->waited)
			continue;
		b->waited = true;
		err = kreg_sync_make_table_room(b->table,
						kreg_change_room(&b->ops[*i].change));
	}
	return err;
}

int kreg_batch_reserve(struct kreg_batch *b, u32 *i)
{
	int err;

	if (*i)
		return reserve_rest(b, i);
	err = kreg_table_check_write(b->table, b->client);
	if (err)
		return err;
	kreg_table_throttle(b->table);
	return reserve_rest(b, i);
}

/* Whether the key has an object that gives back what @c takes, as of this moment. */
static int decide_over(struct kreg_table *t, const struct kreg_change *c, struct kreg_key *key)
{
	struct kreg_place place;
	int err;

	kreg_store_hash(&t->store, key);
	spin_lock(&t->writer->turn);
	kreg_store_begin_hold(&t->store);
	/* What is too far away counts as not there. */
	if (!kreg_store_find(&t->store, key, &place))
		place.old = NULL;
	err = kreg_table_change_over(t, c, &place);
	spin_unlock(&t->writer->turn);
	return err;
}

static int reserve_over(struct kreg_batch *b, struct kreg_change *c)
{
	struct kreg_table *t = b->table;
	int err;

	do {
		spin_lock(&t->writer->turn);
		err = kreg_table_reserve(t, c, &b->pre);
		kreg_table_settle(t);
		spin_unlock(&t->writer->turn);
		if (err == -EAGAIN)
			err = kreg_table_prealloc(t, &b->pre, true) ?: -EAGAIN;
	} while (err == -EAGAIN);
	return err;
}

int kreg_batch_reserve_over(struct kreg_batch *b, u32 i, const void *key)
{
	struct kreg_change *c = &b->ops[i].change;
	struct kreg_key k = { .bytes = key, .len = c->key.len };
	int err;

	c->over = true;
	err = decide_over(b->table, c, &k) ?: reserve_over(b, c);
	c->over = false;
	return err;
}

void kreg_batch_refuse(struct kreg_batch *b, u32 i, int err)
{
	spin_lock(&b->table->writer->turn);
	kreg_batch_note_failed(b, &b->ops[i], err);
	kreg_table_settle(b->table);
	spin_unlock(&b->table->writer->turn);
}

void kreg_batch_restart(struct kreg_batch *b)
{
	b->phase = START;
	b->next = 0;
	b->far = false;
	if (b->looks)
		b->looks->spent = 0;
	b->starved = false;
	b->crowded = false;
	if (b->atomic)
		b->failed = 0;
	b->req.result = 0;
	reinit_completion(&b->req.done);
}

/*
 * At the limit of the user: an operation whose slot will replace as much may go over it; another
 * one waits once for what is given back. Else that fails, and with it a batch that is atomic.
 */
static int bring_at_limit(struct kreg_batch *b, int err)
{
	struct kreg_look *l = kreg_look_at(b->looks, b->next);

	if (l->spares && !l->over) {
		/* Else what it replaces stays for them. */
		kreg_sync_end_pins(b->table);
		l->over = true;
		return 0;
	}
	if (!b->waited) {
		b->waited = true;
		return kreg_sync_make_table_room(b->table,
						 kreg_change_room(&b->ops[b->next].change));
	}
	if (b->atomic)
		return err;
	kreg_batch_refuse(b, b->next, err);
	return 0;
}

int kreg_batch_bring(struct kreg_batch *b)
{
	struct kreg_look *l = kreg_look_at(b->looks, b->next);
	int err = b->req.result;

	if (fatal_signal_pending(current))
		err = -EINTR;
	if (err == -EAGAIN)
		err = kreg_table_prealloc(b->table, &b->pre, l->over);
	if (err == kreg_over_limit(KREG_LIMIT_BYTES))
		err = bring_at_limit(b, err);
	if (!err) {
		kreg_batch_restart(b);
		return 0;
	}
	b->starved = false;
	/* Which of them it is matters only at a limit. */
	if (b->atomic)
		b->failed = err == -EINTR || err == -ENOMEM ? b->count : b->next;
	return err;
}
