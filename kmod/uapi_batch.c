// SPDX-License-Identifier: GPL-2.0
/* Many operations in one call. */
#include <linux/err.h>
#include <linux/pagemap.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "client.h"
#include "limits.h"
#include "ops.h"
#include "uapi.h"

static int check_batch(const struct kreg_ioc_batch *arg)
{
	if (arg->flags & ~KREG_BATCH_ALL || arg->reserved)
		return -EOPNOTSUPP;
	if (!arg->count || arg->op_size < sizeof(struct kreg_op) || arg->op_size % 8)
		return -EINVAL;
	if (arg->op_size > PAGE_SIZE)
		return -E2BIG;
	return arg->count > READ_ONCE(kreg_limits.batch_ops) ? -EFBIG : 0;
}

static void __user *user_op(const struct kreg_ioc_batch *arg, u32 i)
{
	return u64_to_user_ptr(arg->ops) + (size_t)i * arg->op_size;
}

/* All of them have to be there, also if nothing will be written back. */
static int look_at_end(const struct kreg_ioc_batch *arg)
{
	u64 end;

	return kreg_get_short(&end, user_op(arg, arg->count) - sizeof(end), sizeof(end));
}

static int copy_ops(struct kreg_op *ops, const struct kreg_ioc_batch *arg)
{
	u32 i;
	int err;

	if (arg->op_size == sizeof(*ops))
		return kreg_get_parts(ops, user_op(arg, 0), sizeof(*ops), KREG_OP_OUT,
				      arg->count) ?: look_at_end(arg);
	for (i = 0; i < arg->count; i++) {
		err = copy_struct_from_user(&ops[i], sizeof(*ops), user_op(arg, i),
					    arg->op_size);
		if (err)
			return err;
	}
	return 0;
}

static struct kreg_op *get_ops(struct kreg_client *cl, const struct kreg_ioc_batch *arg)
{
	struct kreg_op *ops = kreg_scratch_get(&cl->call, arg->count * sizeof(*ops));
	int err;

	if (!ops)
		return ERR_PTR(-ENOMEM);
	err = copy_ops(ops, arg);
	if (!err)
		return ops;
	kreg_scratch_put(&cl->call, ops);
	return ERR_PTR(err);
}

/* What most batches have none of. */
static int check_unusual(const struct kreg_ioc_batch *arg, const struct kreg_op *op, bool reads)
{
	int err = kreg_uapi_check_op(op);

	if (err)
		return err;
	if (op->code == KREG_OP_TAKE || kreg_uapi_op_reads(op) != reads)
		return -EINVAL;
	return arg->flags & KREG_WRITE_ASYNC && op->flags & KREG_OP_NEW ? -EINVAL : 0;
}

/* Each for itself, then all reads or all writes. */
static int check_ops(const struct kreg_ioc_batch *arg, const struct kreg_op *ops)
{
	const struct kreg_op *op = ops, *end = ops + arg->count;
	bool reads = kreg_uapi_op_reads(op);
	u64 bytes = 0;
	int err;

	for (; op != end; op++) {
		if (unlikely(!kreg_uapi_op_is_plain(op) || kreg_uapi_op_reads(op) != reads)) {
			err = check_unusual(arg, op, reads);
			if (err)
				return err;
		}
		bytes += op->key_len;
		if (!reads)
			bytes += op->value_len;
	}
	if (reads && arg->flags)
		return -EINVAL;
	return bytes > READ_ONCE(kreg_limits.batch_bytes) ? -EFBIG : 0;
}

static int put_outs(const struct kreg_ioc_batch *arg, const struct kreg_op *ops)
{
	return kreg_put_parts(user_op(arg, 0) + KREG_OP_OUT, arg->op_size,
			      (void *)ops + KREG_OP_OUT, sizeof(*ops), KREG_OP_OUT_SIZE,
			      arg->count);
}

static int read_ops(struct kreg_call *call, struct kreg_op *ops)
{
	struct kreg_ioc_batch *arg = call->arg;
	int err = kreg_uapi_read_ops(call->client, arg->table, ops, arg->count);
	u32 i;

	if (err)
		return err;
	for (i = 0; i < arg->count; i++)
		arg->out_done += !ops[i].out_error;
	return put_outs(arg, ops);
}

static const enum kreg_change_kind kinds[] = {
	[KREG_OP_PUT] = KREG_CHANGE_PUT,
	[KREG_OP_DELETE] = KREG_CHANGE_DELETE,
	[KREG_OP_CLEAR] = KREG_CHANGE_CLEAR,
};

static __always_inline int get_key(struct kreg_change *c, const struct kreg_op *op, void *to)
{
	c->key.bytes = to;
	return kreg_get(to, u64_to_user_ptr(op->key), op->key_len);
}

/* What can be said before slots are set aside; *keys moves behind the key of a DELETE. */
static int describe(struct kreg_batch_op *b, const struct kreg_op *op, u8 **keys)
{
	struct kreg_change *c = &b->change;
	u8 *key = *keys;

	kreg_change_init(c);
	b->open = true;
	b->must_be_new = op->flags & KREG_OP_NEW;
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
		*keys += op->key_len;
		return get_key(c, op, key);
	case KREG_CHANGE_CLEAR:
		c->root = kreg_root_alloc();
		return c->root ? 0 : -ENOMEM;
	}
	return 0;
}

/* Key and value of a PUT, to where they will stay. */
static int get_object(struct kreg_change *c, const struct kreg_op *op)
{
	return get_key(c, op, kreg_change_key(c)) ?:
	       kreg_get(kreg_change_value(c), u64_to_user_ptr(op->value), op->value_len);
}

static int fill(struct kreg_batch *b, const struct kreg_op *ops, u32 count)
{
	struct kreg_batch_op *to = kreg_batch_ops(b);
	u8 *keys = kreg_batch_keys(b);
	u32 i;
	int err = 0;

	for (i = 0; i < count && !err; i++)
		err = describe(&to[i], &ops[i], &keys);
	if (!err)
		err = kreg_batch_reserve(b);
	for (i = 0; i < count && !err; i++)
		if (ops[i].code == KREG_OP_PUT)
			err = get_object(&to[i].change, &ops[i]);
	if (!err)
		kreg_batch_seal(b);
	return err;
}

static void fill_outs(struct kreg_batch *b, struct kreg_op *ops, u32 count, u64 version,
		      u32 *done)
{
	const struct kreg_batch_op *op = kreg_batch_ops(b);
	u32 i;

	for (i = 0; i < count; i++, op++) {
		memset((void *)&ops[i] + KREG_OP_OUT, 0, KREG_OP_OUT_SIZE);
		ops[i].out_error = op->error;
		if (op->error)
			continue;
		ops[i].out_version = version;
		ops[i].out_count = min_t(u64, op->count, U32_MAX);
		++*done;
	}
}

/* Those that are not put into a record. */
static u32 sum_keys(const struct kreg_op *ops, u32 count)
{
	u32 i, sum = 0;

	for (i = 0; i < count; i++)
		if (ops[i].code != KREG_OP_PUT)
			sum += ops[i].key_len;
	return sum;
}

int kreg_uapi_write_ops(struct kreg_client *cl, u64 table, struct kreg_op *ops, u32 count,
			u32 flags, u32 *done)
{
	struct kreg_batch *b;
	u64 version;
	u32 failed = count;
	int err;

	b = kreg_batch_alloc(cl, table, count, sum_keys(ops, count));
	if (IS_ERR(b))
		return PTR_ERR(b);
	err = fill(b, ops, count);
	if (!err && flags & KREG_WRITE_ASYNC) {
		err = kreg_batch_queue(b, flags & KREG_BATCH_ATOMIC);
	} else if (!err) {
		err = kreg_batch_apply(b, flags & KREG_BATCH_ATOMIC, &version, &failed);
		*done = err ? failed : 0;
		if (!err)
			fill_outs(b, ops, count, version, done);
	}
	kreg_batch_put(b);
	return err;
}

/*
 * What is written back after the fact must not fail then: see that it is writable,
 * without touching it.
 */
static int probe_outs(const struct kreg_ioc_batch *arg)
{
	return fault_in_safe_writeable(u64_to_user_ptr(arg->ops),
				       (size_t)arg->count * arg->op_size) ? -EFAULT : 0;
}

static int answer(const struct kreg_call *call)
{
	const struct kreg_ioc_batch *arg = call->arg;
	struct kreg_ioc_batch __user *user = call->user;

	return kreg_put_short(&user->out_done, &arg->out_done, sizeof(arg->out_done));
}

static int write_ops(struct kreg_call *call, struct kreg_op *ops)
{
	struct kreg_ioc_batch *arg = call->arg;
	int err;

	if (arg->flags & KREG_WRITE_ASYNC)
		return kreg_uapi_write_ops(call->client, arg->table, ops, arg->count,
					   arg->flags, &arg->out_done);
	err = probe_outs(arg);
	if (err)
		return err;
	err = kreg_uapi_write_ops(call->client, arg->table, ops, arg->count, arg->flags,
				  &arg->out_done);
	if (!err)
		put_outs(arg, ops);
	return err;
}

int kreg_uapi_batch(struct kreg_call *call)
{
	struct kreg_ioc_batch *arg = call->arg;
	struct kreg_op *ops;
	int err = check_batch(arg);
	bool reads;

	if (err)
		return err;
	ops = get_ops(call->client, arg);
	if (IS_ERR(ops))
		return PTR_ERR(ops);
	reads = kreg_uapi_op_reads(ops);
	err = check_ops(arg, ops);
	/* Put back as it is, since later it must not fail. */
	if (!err)
		err = answer(call);
	arg->out_done = reads ? 0 : arg->count;
	if (!err)
		err = reads ? read_ops(call, ops) : write_ops(call, ops);
	/* An atomic batch of writes that failed: of which operation, if it was one. */
	if (!err || (!reads && arg->flags & KREG_BATCH_ATOMIC && arg->out_done < arg->count))
		answer(call);
	kreg_scratch_put(&call->client->call, ops);
	return err;
}
