// SPDX-License-Identifier: GPL-2.0
/* One operation that writes. */
#include <linux/err.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "client/client.h"
#include "client/proc.h"
#include "cmd/cmd.h"
#include "cmd/find.h"
#include "cmd/op.h"
#include "cmd/put_apply.h"
#include "cmd/sync.h"
#include "cmd/usercopy.h"
#include "store/gfp.h"
#include "store/write.h"
#include "table/expire.h"

/* Values up to here need no memory of their own on their way in. */
#define SMALL_VALUE	128

/* Where key and value of a write are kept until it is applied. */
struct small {
	u8 key[KREG_SMALL_KEY] __aligned(8);
	u8 value[SMALL_VALUE] __aligned(8);
};

static __always_inline int get_put_key(struct kreg_change *c, const struct kreg_op *op,
				       struct small *small)
{
	const void __user *user = u64_to_user_ptr(op->key);
	void *key;

	c->key.len = op->key_len;
	c->key.bytes = small->key;
	if (likely(op->key_len <= KREG_SMALL_KEY))
		return kreg_get_short(small->key, user, op->key_len);
	key = kreg_cmd_get_bytes(op->key, op->key_len);
	if (IS_ERR(key))
		return PTR_ERR(key);
	c->key.bytes = key;
	return 0;
}

static int get_long_value(struct kreg_change *c, const struct kreg_op *op)
{
	void *value;

	if (kreg_store_needs_blob(op->key_len, op->value_len)) {
		c->blob = kreg_blob_alloc(op->value_len);
		value = c->blob ? kreg_blob_bytes(c->blob) : NULL;
	} else {
		value = kmalloc(op->value_len, KREG_GFP_USER);
		c->value = value;
	}
	if (!value)
		return -ENOMEM;
	return copy_from_user(value, u64_to_user_ptr(op->value), op->value_len) ? -EFAULT : 0;
}

static __always_inline int get_value(struct kreg_change *c, const struct kreg_op *op,
				     struct small *small)
{
	c->value_len = op->value_len;
	if (unlikely(op->value_len > SMALL_VALUE))
		return get_long_value(c, op);
	c->value = small->value;
	return kreg_get_short(small->value, u64_to_user_ptr(op->value), op->value_len);
}

/* Free what a long key or value took; what the write has consumed is not in @c any more. */
static void drop_small(struct kreg_change *c, const struct small *small)
{
	if (unlikely(c->value != small->value))
		kfree(c->value);
	if (unlikely(c->key.bytes != small->key))
		kvfree(c->key.bytes);
}

/*
 * The object is to be bound as @to says, NULL: to the caller, or has to be bound to the
 * caller; or other conditions than most have.
 */
static noinline int get_bind(struct kreg_client *cl, struct kreg_write *w,
			     const struct kreg_op *op, const struct kreg_binding *to)
{
	struct kreg_change *c = &w->change;

	kreg_bind_note(c, &w->bind, cl);
	c->must_be_there = op->flags & KREG_OP_PRESENT;
	c->edit = to ? to->edit : NULL;
	c->mine = op->flags & KREG_OP_MINE;
	c->returns = to && to->returns;
	c->takes = to && to->number;
	w->bind.took = op->code == KREG_OP_TAKE;
	w->bind.keeps = op->flags & KREG_OP_KEEP;
	if (to && to->expiry)
		return kreg_expirer_bring(&w->bind, w->table, to->expiry);
	if (!(op->flags & KREG_OP_BOUND))
		return 0;
	w->bind.proc = to && to->proc ? to->proc : cl->proc;
	kreg_proc_get(w->bind.proc);
	w->bind.linger_ms = to ? to->linger_ms : 0;
	w->bind.strict = to && to->strict;
	w->bind.lends = to && to->lends;
	c->lends = w->bind.lends;
	c->binds = true;
	c->bound = true;
	kreg_bind_pay(c);
	return kreg_bind_bring(&w->bind, w->table);
}

static __always_inline int get_change(struct kreg_client *cl, struct kreg_write *w,
				      const struct kreg_op *op, struct small *small,
				      const struct kreg_binding *to)
{
	struct kreg_change *c = &w->change;
	int err;

	if (unlikely(to || op->flags & (KREG_OP_BOUND | KREG_OP_MINE | KREG_OP_PRESENT |
					   KREG_OP_KEEP))) {
		err = get_bind(cl, w, op, to);
		if (err)
			return err;
	}
	switch (op->code) {
	case KREG_OP_CLEAR:
		c->kind = KREG_CHANGE_CLEAR;
		c->root = kreg_root_alloc(KREG_GFP_RELEASE);
		return c->root ? 0 : -ENOMEM;
	case KREG_OP_PUBLISH:
		c->kind = KREG_CHANGE_EVENT;
		err = get_value(c, op, small);
		return err ?: get_put_key(c, op, small);
	case KREG_OP_PUT:
		c->kind = KREG_CHANGE_PUT;
		c->must_be_new = op->flags & KREG_OP_NEW;
		err = get_value(c, op, small);
		return err ?: get_put_key(c, op, small);
	default:
		c->kind = KREG_CHANGE_DELETE;
		c->sub = op->offset;
		if (unlikely(c->takes)) {
			c->sub = to->sub;
			c->number = to->number;
		}
		return get_put_key(c, op, small);
	}
}

static __always_inline int write_op(struct kreg_client *cl, u64 table, struct kreg_op *op,
				    u64 only, const struct kreg_binding *to,
				    struct kreg_acks *acks)
{
	struct kreg_write w __uninitialized;
	struct small small __uninitialized;
	int err = 0;

	kreg_write_init(&w, table, only);
	if (acks) {
		w.acked = true;
		w.result.acks = (struct kreg_acks) {};
	}
	/* Refuse early, before a long value is copied. */
	if (op->value_len > SMALL_VALUE)
		err = kreg_find_check_write(cl, table);
	if (!err)
		err = get_change(cl, &w, op, &small, to);
	if (err)
		kreg_put_drop(&w.change);
	else
		err = kreg_put_apply(cl, &w);
	drop_small(&w.change, &small);
	if (err)
		return err;
	if (acks)
		*acks = w.result.acks;
	op->out_version = w.result.version;
	op->out_count = min_t(u64, w.result.count, U32_MAX);
	op->out_len = 0;
	return 0;
}

/* All objects of the key were copied out: remove them if they are still the same, else again. */
static noinline int take_run(struct kreg_client *cl, u64 table, struct kreg_op *op,
			     struct kreg_op *got, struct kreg_acks *acks)
{
	int err;

	for (;;) {
		const struct kreg_binding run = { .number = got->out_count, .sub = got->out_sub };

		err = write_op(cl, table, op, got->out_version, &run, acks);
		if (err != -ECANCELED || fatal_signal_pending(current))
			return err;
		*got = *op;
		err = kreg_op_read(cl, table, got, NULL);
		if (err)
			return err;
	}
}

/* Copy the value out, then remove the object if it is still the same one. */
static noinline int take_op(struct kreg_client *cl, u64 table, struct kreg_op *op,
			    struct kreg_acks *acks)
{
	const struct kreg_binding nobody = {};
	struct kreg_op_bond bond;
	struct kreg_op got;
	int err = kreg_find_check_write(cl, table), tries = 0;

	/* It begins as a read, but must come after the writes that this client has queued. */
	if (!err)
		err = kreg_sync_table(cl, table);
	if (err)
		return err;
	do {
		got = *op;
		err = kreg_op_read(cl, table, &got, &bond);
		if (!err && unlikely(bond.is_run))
			err = take_run(cl, table, op, &got, acks);
		if (bond.is_run)
			break;
		if (!err && op->flags & KREG_OP_VERSION && got.out_version != op->arg)
			break;
		/* What is on loan only its borrower takes, so it is said then whose call it is. */
		if (!err)
			err = write_op(cl, table, op, got.out_version, tries++ ? &nobody : NULL,
				       acks);
	} while (err == -ECANCELED && !fatal_signal_pending(current));
	/* It was another's, or another version. */
	if (!err && !op->out_count)
		err = op->flags & KREG_OP_VERSION ? -ECANCELED : -ENODATA;
	if (err && err != -EMSGSIZE)
		return err;
	op->out_version = got.out_version;
	op->out_len = got.out_len;
	op->out_count = bond.is_run ? got.out_count : !err;
	op->out_sub = got.out_sub;
	return err;
}

int kreg_op_put_bound(struct kreg_client *cl, u64 table, struct kreg_op *op,
		      const struct kreg_binding *to, struct kreg_acks *acks)
{
	return write_op(cl, table, op, op->arg, to, acks);
}

/* Apply it at once if it needs no memory and the turn can be lent; else KREG_PUT_NOT_LENT. */
static int write_now(struct kreg_client *cl, u64 table, const struct kreg_op *op)
{
	struct kreg_write w __uninitialized;
	struct small small __uninitialized;
	int err;

	kreg_write_init(&w, table, 0);
	if (!kreg_put_lends() || op->code == KREG_OP_CLEAR ||
	    op->flags || op->key_len > KREG_SMALL_KEY || op->value_len > SMALL_VALUE)
		return KREG_PUT_NOT_LENT;
	err = get_change(cl, &w, op, &small, NULL);
	return err ?: kreg_put_apply_now(cl, &w);
}

int kreg_op_queue(struct kreg_client *cl, u64 table, struct kreg_op *op)
{
	struct kreg_op_list ops = {
		.op = op,
		.count = 1,
		.loose = kreg_op_loose(op),
		.binds = op->flags & KREG_OP_BOUND,
		.bytes = (u64)op->key_len + op->value_len,
	};
	int err = write_now(cl, table, op);

	if (err != KREG_PUT_NOT_LENT)
		return err;
	return kreg_op_queue_many(cl, table, &ops, false);
}

/*
 * What is written back after the fact must not fail then: see that it is writable,
 * by answering nothing so far.
 */
static int probe_answer(struct kreg_ioc_op __user *user, struct kreg_op *op)
{
	memset_startat(op, 0, out_version);
	return kreg_op_answer(user, op);
}

static __always_inline int put_and_answer(struct kreg_client *cl, struct kreg_ioc_op __user *user,
					  struct kreg_ioc_op *arg, struct kreg_acks *acks)
{
	int err = probe_answer(user, &arg->op);

	if (err)
		return err;
	if (unlikely(arg->op.code == KREG_OP_TAKE))
		err = take_op(cl, arg->table, &arg->op, acks);
	else
		err = write_op(cl, arg->table, &arg->op, arg->op.arg, NULL, acks);
	if (!err || err == -EMSGSIZE)
		kreg_op_answer(user, &arg->op);
	return err;
}

int kreg_op_put(struct kreg_client *cl, struct kreg_ioc_op __user *user,
		struct kreg_ioc_op *arg)
{
	return put_and_answer(cl, user, arg, NULL);
}

int kreg_op_put_acked(struct kreg_client *cl, struct kreg_ioc_op __user *user,
		      struct kreg_ioc_op *arg, struct kreg_acks *acks)
{
	return put_and_answer(cl, user, arg, acks);
}
