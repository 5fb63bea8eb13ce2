// SPDX-License-Identifier: GPL-2.0
/* LEASE: take an object on loan, or give it back. */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "client/client.h"
#include "client/proc.h"
#include "cmd/cmd.h"
#include "cmd/find.h"
#include "cmd/op.h"
#include "cmd/put_apply.h"
#include "cmd/range.h"
#include "cmd/sync.h"
#include "cmd/usercopy.h"
#include "table/bond.h"
#include "table/table.h"

static int check_return(const struct kreg_ioc_lease *arg)
{
	return arg->value || arg->value_len || arg->lease_ms ? -EINVAL : 0;
}

static int check_first(const struct kreg_ioc_lease *arg)
{
	if (arg->flags != KREG_LEASE_FIRST || arg->version || kreg_range_is_wrong(&arg->range))
		return -EINVAL;
	return kreg_range_is_long(&arg->range) ? -ENAMETOOLONG : 0;
}

static int check_lease(const struct kreg_ioc_lease *arg)
{
	if (arg->flags & ~KREG_LEASE_ALL || arg->reserved || kreg_range_is_unknown(&arg->range))
		return -EOPNOTSUPP;
	if (arg->flags & KREG_LEASE_FIRST)
		return check_first(arg);
	if (!arg->key_len || !(arg->flags & KREG_LEASE_VERSION) != !arg->version ||
	    memchr_inv(&arg->range, 0, sizeof(arg->range)))
		return -EINVAL;
	if (arg->key_len > KREG_MAX_KEY)
		return -ENAMETOOLONG;
	return arg->flags & KREG_LEASE_RETURN ? check_return(arg) : 0;
}

static struct kreg_op lease_op(const struct kreg_ioc_lease *arg, u16 code, u16 flags, u64 version)
{
	return (struct kreg_op) {
		.code = code,
		.flags = flags | (version ? KREG_OP_VERSION : 0),
		.key = arg->key,
		.key_len = arg->key_len,
		.arg = version,
	};
}

/* RCU. -ENODATA: nothing is there; -EBUSY: it is on loan to another; -EAGAIN: it is back. */
static int why_absent(struct kreg_client *cl, u64 table, struct kreg_key *key)
{
	struct kreg_table *t;
	struct kreg_hit hit;
	int err = kreg_find_readable(cl, table, &t);

	if (err)
		return err == -EINPROGRESS ? -EAGAIN : err;
	if (kreg_store_get(&t->store, key, &hit))
		return -ENODATA;
	if (!hit.holder || !kreg_bond_hides(hit.holder, cl->proc))
		return -EAGAIN;
	return kreg_bond_is_lease(hit.holder) ? -EBUSY : -ENODATA;
}

static int nothing_to_lend(struct kreg_client *cl, const struct kreg_ioc_lease *arg)
{
	void *bytes = kreg_cmd_get_bytes(arg->key, arg->key_len);
	struct kreg_key key = { .bytes = bytes, .len = arg->key_len };
	int err;

	if (IS_ERR(bytes))
		return PTR_ERR(bytes);
	rcu_read_lock();
	err = why_absent(cl, arg->table, &key);
	rcu_read_unlock();
	kvfree(bytes);
	return err;
}

/* Lend the object, whose value the caller has, if it has this version still. */
static int lend_version(struct kreg_client *cl, struct kreg_ioc_lease *arg, u64 version)
{
	const struct kreg_binding to = {
		.proc = cl->proc,
		.linger_ms = arg->lease_ms ?: KREG_LEASE_UNLIMITED,
		.lends = true,
	};
	struct kreg_op op = lease_op(arg, KREG_OP_PUT, KREG_OP_BOUND, version);
	int err;

	op.value = arg->value;
	op.value_len = arg->out_len;
	err = kreg_op_put_bound(cl, arg->table, &op, &to, NULL);
	if (err)
		return err;
	arg->out_version = op.out_version;
	arg->out_loans = op.out_count;
	return 0;
}

/*
 * Copy the value out, then lend the object if it is still the same one; @version: only if it has
 * that, or 0.
 */
static int lend_once(struct kreg_client *cl, struct kreg_ioc_lease *arg, u64 version)
{
	struct kreg_op op = lease_op(arg, KREG_OP_GET, 0, 0);
	struct kreg_op_bond bond;
	int err;

	op.value = arg->value;
	op.value_len = arg->value_len;
	err = kreg_op_read(cl, arg->table, &op, &bond);
	if (bond.is_run)
		return -EOPNOTSUPP;
	arg->out_len = op.out_len;
	if (err)
		return err == -ENODATA ? nothing_to_lend(cl, arg) : err;
	if (version && version != op.out_version)
		return -ECANCELED;
	return lend_version(cl, arg, op.out_version);
}

static int lend_object(struct kreg_client *cl, struct kreg_ioc_lease *arg)
{
	int err = kreg_find_check_write(cl, arg->table);

	/* It begins as a read, but must come after the writes that this client has queued. */
	if (!err)
		err = kreg_sync_table(cl, arg->table);
	if (err)
		return err;
	do {
		err = lend_once(cl, arg, arg->version);
	} while ((err == -EAGAIN || (err == -ECANCELED && !arg->version)) &&
		 !fatal_signal_pending(current));
	return err;
}

/* Which of the objects in a range are asked, and how far that has come. */
struct first {
	struct kreg_client *client;
	struct kreg_ioc_lease *arg;
	struct kreg_bounds *bounds;	/* NULL: any object */
	u32 room;			/* for the key, in the caller's memory */
	u64 version;			/* of the one that was found */
	bool told;			/* it was copied out */
	struct kreg_after after;	/* the one that was asked last, */
	struct kreg_after before;	/* and the one before */
	u8 keys[2][KREG_MAX_KEY];	/* of these */
};

static int get_first(struct first *f)
{
	const struct kreg_range *r = &f->arg->range;
	struct kreg_bounds *b;
	int err = kreg_after_get(&f->after, r, f->keys[0]);

	if (err)
		return err;
	if (!r->flags && !r->low_len && !r->high_len && !r->filter_count)
		return 0;
	b = kreg_bounds_get(r, false, &f->after.key);
	if (IS_ERR(b))
		return PTR_ERR(b);
	f->bounds = b;
	return 0;
}

/* RCU. To the caller, if his memory is there and the object fits; else that is done later. */
static void tell_found(struct first *f, const struct kreg_hit *hit)
{
	struct kreg_ioc_lease *arg = f->arg;
	int err;

	if (hit->blob || hit->key_len > f->room || hit->value_len > arg->value_len)
		return;
	pagefault_disable();
	err = kreg_put_nofault(u64_to_user_ptr(arg->key), hit->key, hit->key_len) ?:
	      kreg_put_nofault(u64_to_user_ptr(arg->value), hit->value, hit->value_len);
	pagefault_enable();
	if (err)
		return;
	arg->out_len = hit->value_len;
	f->told = true;
}

/* RCU. Else a write would refuse it: also what the caller has already, on loan or bound. */
static bool is_lendable(const struct kreg_hit *hit)
{
	return hit->holder ? kreg_bond_is_back(hit->holder) :
			     kreg_hit_expires(hit) == KREG_NEVER;
}

/* RCU. The next look begins behind it. */
static void step_behind(struct first *f, const struct kreg_hit *hit)
{
	u8 *key = f->keys[f->after.key.bytes == f->keys[0]];

	f->before = f->after;
	memcpy(key, hit->key, hit->key_len);
	f->after.key.bytes = key;
	f->after.key.len = hit->key_len;
}

/* RCU. The next that may be had; 0, -ENODATA, -EAGAIN: not in this section. */
static int look_for_lendable(struct first *f, const struct kreg_table *t)
{
	static const struct kreg_bounds any;
	struct kreg_range_walk walk;
	enum kreg_range_step step;
	struct kreg_hit hit;

	f->told = false;
	kreg_range_start(&walk, &t->store, NULL, f->bounds ?: &any, &f->after);
	do {
		step = kreg_range_next(&walk, &hit);
	} while (step == KREG_RANGE_FOUND && !is_lendable(&hit));
	if (step == KREG_RANGE_END)
		return -ENODATA;
	step_behind(f, &hit);
	if (step != KREG_RANGE_FOUND)
		return -EAGAIN;
	f->version = hit.version;
	tell_found(f, &hit);
	return 0;
}

static int find_lendable(struct first *f)
{
	struct kreg_table *t;
	int err;

	rcu_read_lock();
	err = kreg_find_readable(f->client, f->arg->table, &t);
	if (!err && (!kreg_store_is_ordered(&t->store) || kreg_store_has_runs(&t->store)))
		err = -EOPNOTSUPP;
	if (!err)
		err = look_for_lendable(f, t);
	rcu_read_unlock();
	if (err == -EINPROGRESS)
		return kreg_find_settle(f->client, f->arg->table) ?: -EAGAIN;
	return err;
}

/* The caller's memory has its key then, where lending finds it. */
static int lend_found(struct first *f)
{
	struct kreg_ioc_lease *arg = f->arg;

	arg->out_key_len = f->after.key.len;
	if (f->after.key.len > f->room)
		return -EMSGSIZE;
	arg->key_len = f->after.key.len;
	if (f->told)
		return lend_version(f->client, arg, f->version);
	if (copy_to_user(u64_to_user_ptr(arg->key), f->after.key.bytes, arg->key_len))
		return -EFAULT;
	return lend_once(f->client, arg, f->version);
}

/* It cannot be had on loan, or not any more; perhaps the next can. */
static bool is_passed_over(int err)
{
	return err == -ENODATA || err == -EALREADY || err == -EBUSY || err == -EOPNOTSUPP;
}

static int lend_next(struct first *f)
{
	int err = find_lendable(f);

	if (err)
		return err;
	err = lend_found(f);
	/* Another is there under that key, or it was on loan for a moment. */
	if (err == -ECANCELED || err == -EAGAIN) {
		f->after = f->before;
		return -EAGAIN;
	}
	return is_passed_over(err) ? -EAGAIN : err;
}

static int lend_first(struct kreg_client *cl, struct kreg_ioc_lease *arg)
{
	struct first *f = kreg_scratch_get(&cl->call, sizeof(*f));
	int err;

	if (!f)
		return -ENOMEM;
	memset(f, 0, offsetof(struct first, keys));
	f->client = cl;
	f->arg = arg;
	f->room = arg->key_len;
	err = get_first(f) ?: kreg_find_check_write(cl, arg->table) ?:
	      kreg_sync_table(cl, arg->table);
	while (!err || err == -EAGAIN) {
		err = fatal_signal_pending(current) ? -EINTR : lend_next(f);
		if (err != -EAGAIN)
			break;
		cond_resched();
	}
	if (err && err != -EMSGSIZE)
		arg->out_key_len = 0;
	kreg_bounds_free(f->bounds);
	kreg_scratch_put(&cl->call, f);
	return err;
}

static int return_object(struct kreg_client *cl, struct kreg_ioc_lease *arg)
{
	const struct kreg_binding to = { .returns = true };
	struct kreg_op op = lease_op(arg, KREG_OP_DELETE, KREG_OP_MINE, arg->version);
	int err = kreg_op_put_bound(cl, arg->table, &op, &to, NULL);

	if (!err && !op.out_count)
		return -ENODATA;
	arg->out_version = op.out_version;
	return err;
}

static int perform_lease(struct kreg_client *cl, struct kreg_ioc_lease *arg)
{
	if (arg->flags & KREG_LEASE_RETURN)
		return return_object(cl, arg);
	return arg->flags & KREG_LEASE_FIRST ? lend_first(cl, arg) : lend_object(cl, arg);
}

/* With the range between them, which is as it was. */
static int answer_lease(const struct kreg_call *call)
{
	return kreg_cmd_answer_from(call, struct kreg_ioc_lease, out_version);
}

int kreg_cmd_lease(struct kreg_call *call)
{
	struct kreg_ioc_lease *arg = call->arg;
	struct kreg_client *cl = call->client;
	int err = check_lease(arg) ?: kreg_client_check_mode(cl, KREG_CLIENT_RW);

	if (err)
		return err;
	/* What is answered after the fact must not fail then. */
	arg->out_version = 0;
	arg->out_len = 0;
	arg->out_loans = 0;
	arg->out_limit = 0;
	arg->out_reserved = 0;
	arg->out_key_len = 0;
	arg->out_reserved2 = 0;
	err = answer_lease(call);
	if (err)
		return err;
	err = perform_lease(cl, arg);
	if (!err || err == -EMSGSIZE)
		answer_lease(call);
	return err;
}
