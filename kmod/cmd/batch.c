// SPDX-License-Identifier: GPL-2.0
/* Many operations in one call. */
#include <linux/bits.h>
#include <linux/err.h>
#include <linux/pagemap.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "client/client.h"
#include "client/limits.h"
#include "cmd/batch_apply.h"
#include "cmd/batch_call.h"
#include "cmd/cmd.h"
#include "cmd/looks.h"
#include "cmd/op.h"
#include "cmd/usercopy.h"
#include "store/write.h"

static int put_outs(const struct kreg_ioc_batch *arg, const struct kreg_op *ops)
{
	return kreg_put_parts(kreg_batch_user_op(arg, 0) + KREG_OP_OUT, arg->op_size,
			      (void *)ops + KREG_OP_OUT, sizeof(*ops), KREG_OP_OUT_SIZE,
			      arg->count);
}

static int read_ops(struct kreg_call *call, const struct kreg_op_list *ops)
{
	struct kreg_ioc_batch *arg = call->arg;
	int done = arg->flags & KREG_BATCH_ATOMIC ?
		   kreg_op_get_state(call->client, arg->table, ops) :
		   kreg_op_get_many(call->client, arg->table, ops);

	if (done < 0)
		return done;
	arg->out_done = done;
	return put_outs(arg, ops->op);
}

static const enum kreg_change_kind kinds[] = {
	[KREG_OP_PUT] = KREG_CHANGE_PUT,
	[KREG_OP_DELETE] = KREG_CHANGE_DELETE,
	[KREG_OP_CLEAR] = KREG_CHANGE_CLEAR,
	[KREG_OP_EDIT] = KREG_CHANGE_PUT,
	[KREG_OP_PUBLISH] = KREG_CHANGE_EVENT,
};

static __always_inline int get_batch_key(struct kreg_change *c, const struct kreg_op *op, void *to)
{
	c->key.bytes = to;
	return kreg_get(to, u64_to_user_ptr(op->key), op->key_len);
}

/*
 * Fill in what is known before a slot is reserved. The key of a DELETE, which gets no
 * slot, is copied to *keys, which then moves behind it, and so are key and value of a PUBLISH.
 */
static int describe_op(struct kreg_batch *batch, struct kreg_batch_op *b, const struct kreg_op *op,
		       bool roomy, u8 **keys)
{
	struct kreg_change *c = &b->change;
	u8 *key = *keys;

	kreg_change_init(c);
	b->error = 0;
	b->open = true;
	b->late = false;
	c->must_be_new = op->flags & KREG_OP_NEW;
	c->bound = roomy;
	c->holder = NULL;
	c->only = op->arg;
	if (unlikely(op->flags & (KREG_OP_BOUND | KREG_OP_MINE | KREG_OP_PRESENT))) {
		c->must_be_there = op->flags & KREG_OP_PRESENT;
		kreg_batch_bind_op(batch, c, op->flags & KREG_OP_BOUND, op->flags & KREG_OP_MINE);
	}
	c->kind = kinds[op->code];
	c->key.len = op->key_len;
	c->value_len = op->value_len;
	switch (c->kind) {
	case KREG_CHANGE_PUT:
		if (likely(!kreg_store_needs_blob(op->key_len, op->value_len)))
			return 0;
		c->blob = kreg_blob_alloc(op->value_len);
		return c->blob ? 0 : -ENOMEM;
	case KREG_CHANGE_DELETE:
		c->sub = op->offset;
		*keys += op->key_len;
		return get_batch_key(c, op, key);
	case KREG_CHANGE_EVENT:
		*keys += op->key_len + op->value_len;
		c->value = key + op->key_len;
		return get_batch_key(c, op, key) ?:
		       kreg_get(key + op->key_len, u64_to_user_ptr(op->value), op->value_len);
	case KREG_CHANGE_CLEAR:
		c->root = kreg_root_alloc(KREG_GFP_USER);
		return c->root ? 0 : -ENOMEM;
	}
	return 0;
}

static int describe_ops(struct kreg_batch *b, const struct kreg_op_list *ops)
{
	struct kreg_batch_op *to = kreg_batch_ops(b);
	const struct kreg_op *op = ops->op, *end = op + ops->count;
	bool roomy = kreg_batch_binds(b);
	u8 *keys = kreg_batch_keys(b);
	int err = 0;

	for (; op != end && !err; op++, to++)
		err = describe_op(b, to, op, roomy, &keys);
	for (; op != end; op++, to++)
		to->open = false;
	if (unlikely(ops->looks) && !err)
		err = kreg_batch_describe_looks(b, ops->op, keys);
	return err;
}

/* Copy key and value of a PUT into its reserved slot. */
static __always_inline int get_object(struct kreg_change *c, const struct kreg_op *op)
{
	return get_batch_key(c, op, kreg_change_key(c)) ?:
	       kreg_get(kreg_change_value(c), u64_to_user_ptr(op->value), op->value_len);
}

static int get_objects(struct kreg_batch *b, const struct kreg_op_list *ops)
{
	const struct kreg_store *s = kreg_batch_store(b);
	struct kreg_batch_op *to = kreg_batch_ops(b);
	const struct kreg_op *op = ops->op, *end = op + ops->count;

	for (; op != end; op++, to++) {
		/* Those that are late have no slot so far. */
		bool put = to->change.rec;

		if (unlikely(to->error))
			continue;
		if (put && get_object(&to->change, op))
			return -EFAULT;
		kreg_store_hash(s, &to->change.key);
		if (put)
			kreg_change_finish(&to->change);
	}
	return 0;
}

/* At the limit of the user: what replaces an object may go over it, all else fails. */
static int reserve_at_limit(struct kreg_batch *b, u32 i, const struct kreg_op *op, bool atomic)
{
	void *key = kreg_cmd_get_bytes(op->key, op->key_len);
	int err;

	if (IS_ERR(key))
		return PTR_ERR(key);
	err = kreg_batch_reserve_over(b, i, key);
	kvfree(key);
	if (err != kreg_over_limit(KREG_LIMIT_BYTES) || atomic)
		return err;
	kreg_batch_refuse(b, i, err);
	return 0;
}

/* A slot for each PUT; or, if not @atomic, an error for those that get none. */
static int reserve_ops(struct kreg_batch *b, const struct kreg_op_list *ops, bool atomic)
{
	u32 i = 0;
	int err;

	while ((err = kreg_batch_reserve(b, &i)) == kreg_over_limit(KREG_LIMIT_BYTES)) {
		err = reserve_at_limit(b, i, &ops->op[i], atomic);
		if (err)
			break;
		i++;
	}
	return err;
}

static struct kreg_batch *get_batch(struct kreg_client *cl, u64 table,
				    const struct kreg_op_list *ops, bool atomic, bool async)
{
	struct kreg_batch *b;
	int err;

	b = kreg_batch_alloc(cl, table, ops->count, ops->bytes, ops->loose);
	if (IS_ERR(b))
		return b;
	if (unlikely(ops->looks))
		kreg_batch_take_looks(b, ops->looks);
	err = async ? kreg_batch_charge_queue(b) : 0;
	if (!err && unlikely(ops->binds))
		err = kreg_batch_bind(b);
	err = err ?: describe_ops(b, ops) ?: reserve_ops(b, ops, atomic) ?: get_objects(b, ops);
	if (err) {
		kreg_batch_put(b);
		return ERR_PTR(err);
	}
	if (unlikely(ops->looks))
		kreg_batch_link(b);
	return b;
}

struct kreg_batch *kreg_batch_make(struct kreg_client *cl, u64 table,
				   const struct kreg_op_list *ops)
{
	return get_batch(cl, table, ops, true, false);
}

int kreg_op_queue_many(struct kreg_client *cl, u64 table, const struct kreg_op_list *ops,
		       bool atomic)
{
	struct kreg_batch *b = get_batch(cl, table, ops, atomic || ops->count == 1, true);

	if (IS_ERR(b))
		return PTR_ERR(b);
	kreg_batch_queue(b, atomic);
	kreg_batch_put(b);
	return 0;
}

void kreg_batch_put_results(const struct kreg_ioc_batch *arg, struct kreg_batch *b, u64 version)
{
	const struct kreg_batch_op *from = kreg_batch_ops(b), *end = from + arg->count;
	struct kreg_op __user *op = kreg_batch_user_op(arg, 0);

	if (!user_write_access_begin(op, (size_t)arg->count * arg->op_size))
		return;
	for (; from != end; from++, op = (void __user *)op + arg->op_size) {
		bool fine = likely(!from->error);

		unsafe_put_user(fine ? version : 0, &op->out_version, fault);
		unsafe_put_user(0, &op->out_len, fault);
		unsafe_put_user(fine ? min_t(u64, from->change.count, U32_MAX) : 0,
				&op->out_count, fault);
		unsafe_put_user(from->error, &op->out_error, fault);
		unsafe_put_user(0, &op->out_sub, fault);
	}
fault:
	user_write_access_end();
	if (unlikely(b->looks))
		kreg_looks_answer(b->looks, kreg_batch_ops(b), kreg_batch_user_op(arg, 0),
				  arg->op_size);
}

int kreg_batch_probe_outs(const struct kreg_ioc_batch *arg)
{
	return fault_in_safe_writeable(u64_to_user_ptr(arg->ops),
				       (size_t)arg->count * arg->op_size) ? -EFAULT : 0;
}

static int answer_done(const struct kreg_call *call)
{
	const struct kreg_ioc_batch *arg = call->arg;
	struct kreg_ioc_batch __user *user = call->user;

	return kreg_put_short(&user->out_done, &arg->out_done,
			      sizeof(*arg) - offsetof(struct kreg_ioc_batch, out_done));
}

static int write_ops(struct kreg_call *call, const struct kreg_op_list *ops)
{
	struct kreg_ioc_batch *arg = call->arg;
	bool atomic = arg->flags & KREG_BATCH_ATOMIC;
	struct kreg_batch *b;
	u64 version;
	u32 failed = arg->count;
	int err;

	if (arg->flags & KREG_WRITE_ASYNC)
		return kreg_op_queue_many(call->client, arg->table, ops, atomic);
	err = kreg_batch_probe_outs(arg);
	if (err)
		return err;
	for (;;) {
		b = get_batch(call->client, arg->table, ops, atomic, false);
		if (IS_ERR(b))
			return PTR_ERR(b);
		err = kreg_batch_apply(b, atomic, &version, &failed);
		if (likely(err != KREG_BATCH_ANEW))
			break;
		kreg_batch_put(b);
	}
	arg->out_done = err ? failed : arg->count - failed;
	if (!err)
		kreg_batch_put_results(arg, b, version);
	kreg_batch_put(b);
	return err;
}

int kreg_cmd_batch(struct kreg_call *call)
{
	struct kreg_ioc_batch *arg = call->arg;
	struct kreg_op_list ops;
	int err = kreg_batch_get_ops(call->client, arg, &ops);
	bool reads;

	if (err)
		return err;
	reads = kreg_op_reads(ops.op);
	err = kreg_client_check_mode(call->client, kreg_batch_mode(&ops));
	/* See that the answer can be written, by writing back what is there. */
	if (!err)
		err = answer_done(call);
	memset_startat(arg, 0, out_done);
	if (!reads)
		arg->out_done = arg->count;
	if (!err)
		err = reads ? read_ops(call, &ops) : write_ops(call, &ops);
	/* If an atomic batch of writes failed for one operation, tell which. */
	if (!err || (!reads && arg->flags & KREG_BATCH_ATOMIC && arg->out_done < arg->count))
		answer_done(call);
	kreg_batch_put_ops(call->client, &ops);
	return err;
}
