// SPDX-License-Identifier: GPL-2.0
/* One operation. */
#include <linux/err.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "ops.h"
#include "uapi.h"
#include "usercopy.h"

/* Keys and values up to here need no memory of their own on their way in. */
#define SMALL_KEY	64
#define SMALL_VALUE	128

static int check_clear(const struct kreg_op *op)
{
	return op->key || op->key_len || op->value || op->value_len ? -EINVAL : 0;
}

int kreg_uapi_check_unusual(const struct kreg_op *op)
{
	bool has_value = op->code == KREG_OP_PUT || op->code == KREG_OP_GET ||
			 op->code == KREG_OP_TAKE;

	if (!op->code || op->code > KREG_OP_CLEAR || op->flags & ~KREG_OP_ALL ||
	    op->reserved || op->reserved2)
		return -EOPNOTSUPP;
	if (op->flags & KREG_OP_NEW && op->code != KREG_OP_PUT)
		return -EINVAL;
	if (op->code == KREG_OP_CLEAR)
		return check_clear(op);
	if (!op->key_len || (!has_value && (op->value || op->value_len)))
		return -EINVAL;
	if (op->key_len > KREG_MAX_KEY)
		return -ENAMETOOLONG;
	return op->code == KREG_OP_PUT && op->value_len > KREG_MAX_VALUE ? -EFBIG : 0;
}

/* -EAGAIN: the page is not there; fault it in outside the section and try again. */
static __always_inline int copy_in_section(const struct kreg_op *op, const struct kreg_hit *hit)
{
	if (op->code == KREG_OP_MEMBER)
		return 0;
	if (op->value_len < hit->value_len)
		return -EMSGSIZE;
	if (hit->blob || !hit->value_len)
		return 0;
	return kreg_put_nofault(u64_to_user_ptr(op->value), hit->value, hit->value_len) ?
	       -EAGAIN : 0;
}

static int copy_blob(const struct kreg_op *op, const struct kreg_hit *hit, int err)
{
	if (!err && op->code != KREG_OP_MEMBER &&
	    copy_to_user(u64_to_user_ptr(op->value), kreg_blob_bytes(hit->blob),
			 hit->value_len))
		err = -EFAULT;
	kreg_blob_put(hit->blob);
	return err;
}

static int fault_in(const struct kreg_op *op, u32 len)
{
	if (fatal_signal_pending(current))
		return -EINTR;
	cond_resched();
	return fault_in_safe_writeable(u64_to_user_ptr(op->value), len) ? -EFAULT : -EAGAIN;
}

static __always_inline int read_once(struct kreg_client *cl, u64 table, struct kreg_key *key,
				     struct kreg_op *op)
{
	struct kreg_hit hit __uninitialized;
	int err;

	rcu_read_lock();
	err = kreg_ops_get(cl, table, key, &hit);
	if (err) {
		rcu_read_unlock();
		return err == -EINPROGRESS ? kreg_ops_settle(cl, table) ?: -EAGAIN : err;
	}
	err = copy_in_section(op, &hit);
	rcu_read_unlock();
	if (unlikely(err == -EAGAIN))
		return fault_in(op, hit.value_len);
	op->out_version = hit.version;
	op->out_len = hit.value_len;
	op->out_count = 1;
	return unlikely(hit.blob) ? copy_blob(op, &hit, err) : err;
}

static __always_inline int read_key(struct kreg_client *cl, u64 table, const u8 *bytes,
				    struct kreg_op *op)
{
	struct kreg_key key = { .bytes = bytes, .len = op->key_len };
	int err;

	do {
		err = read_once(cl, table, &key, op);
	} while (unlikely(err == -EAGAIN));
	return err;
}

/* Apart, so that most calls do with less of the stack. */
static noinline int read_long_key(struct kreg_client *cl, u64 table, struct kreg_op *op)
{
	u8 bytes[KREG_MAX_KEY] __uninitialized;

	if (copy_from_user(bytes, u64_to_user_ptr(op->key), op->key_len))
		return -EFAULT;
	return read_key(cl, table, bytes, op);
}

static __always_inline int read_op(struct kreg_client *cl, u64 table, struct kreg_op *op)
{
	u8 bytes[SMALL_KEY] __aligned(8) __uninitialized;

	if (op->key_len > SMALL_KEY)
		return read_long_key(cl, table, op);
	if (kreg_get_short(bytes, u64_to_user_ptr(op->key), op->key_len))
		return -EFAULT;
	return read_key(cl, table, bytes, op);
}

int kreg_uapi_read(struct kreg_client *cl, u64 table, struct kreg_op *op)
{
	return read_op(cl, table, op);
}

/* Where key and value of a write are kept until it is applied. */
struct small {
	u8 key[SMALL_KEY] __aligned(8);
	u8 value[SMALL_VALUE] __aligned(8);
};

static __always_inline int get_key(struct kreg_change *c, const struct kreg_op *op,
				   struct small *small)
{
	const void __user *user = u64_to_user_ptr(op->key);
	void *key;

	c->key.len = op->key_len;
	c->key.bytes = small->key;
	if (likely(op->key_len <= SMALL_KEY))
		return kreg_get_short(small->key, user, op->key_len);
	key = kreg_uapi_get_bytes(op->key, op->key_len);
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
		value = kmalloc(op->value_len, GFP_KERNEL_ACCOUNT);
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

/* Consumed by the write, or else given back here. */
static void drop(struct kreg_change *c, const struct small *small)
{
	if (unlikely(c->value != small->value))
		kfree(c->value);
	if (unlikely(c->key.bytes != small->key))
		kvfree(c->key.bytes);
}

static __always_inline int get_change(struct kreg_write *w, const struct kreg_op *op,
				      struct small *small)
{
	struct kreg_change *c = &w->change;
	int err;

	switch (op->code) {
	case KREG_OP_CLEAR:
		c->kind = KREG_CHANGE_CLEAR;
		c->root = kreg_root_alloc();
		return c->root ? 0 : -ENOMEM;
	case KREG_OP_PUT:
		c->kind = KREG_CHANGE_PUT;
		w->must_be_new = op->flags & KREG_OP_NEW;
		err = get_value(c, op, small);
		return err ?: get_key(c, op, small);
	default:
		c->kind = KREG_CHANGE_DELETE;
		return get_key(c, op, small);
	}
}

static __always_inline int write_op(struct kreg_client *cl, u64 table, struct kreg_op *op,
				    u64 only)
{
	struct kreg_write w __uninitialized;
	struct small small __uninitialized;
	int err = 0;

	kreg_write_init(&w, table, only);

	/* Before much is copied. */
	if (op->code == KREG_OP_PUT && op->value_len > SMALL_VALUE)
		err = kreg_ops_may_write(cl, table);
	if (!err)
		err = get_change(&w, op, &small);
	if (err)
		kreg_ops_drop(&w.change);
	else
		err = kreg_ops_write(cl, &w);
	drop(&w.change, &small);
	if (err)
		return err;
	op->out_version = w.result.version;
	op->out_count = min_t(u64, w.result.count, U32_MAX);
	op->out_len = 0;
	return 0;
}

/* Copied out first, then removed if it is still the same object. */
static noinline int take(struct kreg_client *cl, u64 table, struct kreg_op *op)
{
	struct kreg_op got;
	int err = kreg_ops_may_write(cl, table);

	/* It is a write, which comes after those before it; but it begins as a read. */
	if (!err)
		err = kreg_ops_follow_async(cl);
	if (err)
		return err;
	do {
		got = *op;
		err = kreg_uapi_read(cl, table, &got);
		if (!err)
			err = write_op(cl, table, op, got.out_version);
	} while (err == -ECANCELED);
	op->out_version = got.out_version;
	op->out_len = got.out_len;
	op->out_count = !err;
	return err;
}

/* If it needs no memory and nobody is before it, now. -EBUSY: not so. */
static int write_now(struct kreg_client *cl, u64 table, const struct kreg_op *op)
{
	struct kreg_write w __uninitialized;
	struct small small __uninitialized;
	int err;

	kreg_write_init(&w, table, 0);
	if (!kreg_ops_lends() || op->code == KREG_OP_CLEAR ||
	    op->key_len > SMALL_KEY || op->value_len > SMALL_VALUE)
		return -EBUSY;
	err = get_change(&w, op, &small);
	return err ?: kreg_ops_write_now(cl, &w);
}

static noinline int queue_op(struct kreg_client *cl, u64 table, struct kreg_op *op)
{
	u32 done;
	int err;

	if (kreg_uapi_op_reads(op) || op->code == KREG_OP_TAKE || op->flags & KREG_OP_NEW)
		return -EINVAL;
	err = write_now(cl, table, op);
	if (err != -EBUSY)
		return err;
	return kreg_uapi_write_ops(cl, table, op, 1, KREG_WRITE_ASYNC, &done);
}

static __always_inline int answer(struct kreg_ioc_op __user *user, struct kreg_op *op)
{
	op->out_error = 0;
	op->out_reserved = 0;
	return kreg_put_short(&user->op.out_version, &op->out_version, KREG_OP_OUT_SIZE);
}

/*
 * What is written back after the fact must not fail then: see that it is writable,
 * by answering nothing so far.
 */
static int probe_answer(struct kreg_ioc_op __user *user, struct kreg_op *op)
{
	op->out_version = 0;
	op->out_len = 0;
	op->out_count = 0;
	return answer(user, op);
}

static noinline int write(struct kreg_client *cl, struct kreg_ioc_op __user *user,
			  struct kreg_ioc_op *arg)
{
	int err = probe_answer(user, &arg->op);

	if (err)
		return err;
	if (unlikely(arg->op.code == KREG_OP_TAKE))
		err = take(cl, arg->table, &arg->op);
	else
		err = write_op(cl, arg->table, &arg->op, 0);
	if (!err || err == -EMSGSIZE)
		answer(user, &arg->op);
	return err;
}

static __always_inline int run(struct kreg_client *cl, struct kreg_ioc_op __user *user,
			       struct kreg_ioc_op *arg)
{
	struct kreg_op *op = &arg->op;
	int err;

	if (arg->flags & ~KREG_OP_IOC_ALL)
		return -EOPNOTSUPP;
	err = kreg_uapi_check_op(op);
	if (err)
		return err;
	if (unlikely(arg->flags & KREG_WRITE_ASYNC))
		return queue_op(cl, arg->table, op);
	if (!kreg_uapi_op_reads(op))
		return write(cl, user, arg);
	err = read_op(cl, arg->table, op);
	if (!err || err == -EMSGSIZE)
		err = answer(user, op) ?: err;
	return err;
}

int kreg_uapi_op(struct kreg_call *call)
{
	return run(call->client, call->user, call->arg);
}

/* In one go if it has the form that this kernel knows. */
long kreg_uapi_ioctl_op(struct kreg_client *cl, void __user *user)
{
	struct kreg_ioc_op arg __uninitialized;

	if (kreg_get_short(&arg, user, KREG_OP_IN_SIZE) || arg.size != sizeof(arg))
		return kreg_uapi_ioctl(cl, KREG_IOC_OP, user);
	return run(cl, user, &arg);
}
