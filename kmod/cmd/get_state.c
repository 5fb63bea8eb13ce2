// SPDX-License-Identifier: GPL-2.0
/*
 * A batch of reads with ATOMIC: all of one moment. Most often nothing is committed while they are
 * made. If it is, again and again, the table is pinned for the length of the call.
 */
#include <linux/err.h>
#include <linux/pagemap.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "client/client.h"
#include "client/handle.h"
#include "client/limits.h"
#include "cmd/find.h"
#include "cmd/op.h"
#include "cmd/pinning.h"
#include "cmd/usercopy.h"
#include "store/gfp.h"
#include "store/pin.h"
#include "store/store.h"
#include "table/bond.h"
#include "table/snapshot.h"
#include "table/table.h"

/* The last commit, which reads that come later see, or a later one. */
static int get_version(struct kreg_client *cl, u64 table, u64 *version)
{
	struct kreg_table *t;
	int err;

	do {
		rcu_read_lock();
		err = kreg_find_readable(cl, table, &t);
		if (!err)
			*version = kreg_store_last_commit(&t->store);
		rcu_read_unlock();
		if (err == -EINPROGRESS)
			err = kreg_find_settle(cl, table) ?: -EAGAIN;
	} while (err == -EAGAIN);
	return err;
}

/* As kreg_op_get_many(); -EAGAIN: something was committed meanwhile. */
static int read_quietly(struct kreg_client *cl, u64 table, const struct kreg_op_list *ops)
{
	u64 before, after;
	int err = get_version(cl, table, &before), done;

	if (err)
		return err;
	done = kreg_op_get_many(cl, table, ops);
	if (done < 0)
		return done;
	err = get_version(cl, table, &after);
	return err ?: before == after ? done : -EAGAIN;
}

/* A read by a pin, and what it has found. */
struct pinned_read {
	struct kreg_client *client;
	u64 table;
	struct kreg_snapshot *snapshot;
	const struct kreg_pin *pin;	/* of that */
	bool runs;			/* a key may have several objects */
	struct kreg_key key;
	struct kreg_blob *blob;		/* a reference: it has the value */
	u32 len;			/* bytes of the value that are asked for */
	struct kreg_op_bond bond;	/* with MORE */
	struct kreg_more more;
	u8 bytes[KREG_MAX_KEY];
};

static bool wants_part(const struct kreg_op *op)
{
	return op->flags & KREG_OP_PART;
}

/* RCU. Copy what was found, but for a blob. -EAGAIN: a page is not there. */
static int copy_found(struct pinned_read *r, struct kreg_op *op, const struct kreg_hit *hit)
{
	u32 offset = wants_part(op) ? op->offset : 0;
	int err = 0;

	op->out_version = hit->version;
	op->out_len = hit->value_len;
	op->out_count = 1;
	memset_after(op, 0, out_count);
	if (op->code == KREG_OP_MEMBER)
		return 0;
	if (wants_part(op) ? offset > hit->value_len : op->value_len < hit->value_len)
		return wants_part(op) ? -ERANGE : -EMSGSIZE;
	r->len = min(op->value_len, hit->value_len - offset);
	if (hit->blob) {
		kreg_blob_get(hit->blob);
		r->blob = hit->blob;
		return 0;
	}
	pagefault_disable();
	if (r->len)
		err = kreg_put_nofault(u64_to_user_ptr(op->value), hit->value + offset, r->len);
	pagefault_enable();
	return err ? -EAGAIN : 0;
}

/* RCU. Whom it is bound to is told as of now. */
static int note_bond(struct pinned_read *r, const struct kreg_hit *hit)
{
	memset(&r->bond, 0, sizeof(r->bond));
	r->bond.expires = kreg_hit_expires(hit);
	return hit->holder && !kreg_op_tell_bond(r->client, hit->holder, &r->bond) ? -ENODATA : 0;
}

static int read_one_pinned(struct pinned_read *r, struct kreg_op *op)
{
	struct kreg_table *t;
	struct kreg_hit hit;
	int err;

	r->blob = NULL;
	r->len = 0;
	rcu_read_lock();
	err = kreg_find_readable(r->client, r->table, &t);
	if (!err && !kreg_pin_enter(r->pin))
		err = -ESTALE;
	if (!err)
		err = kreg_store_get_at(&t->store, r->pin, &r->key, &hit);
	if (!err && hit.holder && kreg_bond_hides(hit.holder, r->client->proc))
		err = -ENODATA;
	if (!err && op->flags & KREG_OP_MORE)
		err = note_bond(r, &hit);
	if (!err)
		err = copy_found(r, op, &hit);
	if (!kreg_pin_held(r->pin))
		err = -ESTALE;
	rcu_read_unlock();
	return err;
}

/* Outside the section what could not be done inside. */
static int finish_read(struct pinned_read *r, struct kreg_op *op, int err)
{
	void __user *to = u64_to_user_ptr(op->value);

	if (err == -EINPROGRESS)
		return kreg_find_settle(r->client, r->table) ?: -EAGAIN;
	if (err == -EAGAIN)
		return fault_in_safe_writeable(to, r->len) ? -EFAULT : -EAGAIN;
	if (!r->blob)
		return err;
	if (!err && copy_to_user(to, kreg_blob_bytes(r->blob) + (wants_part(op) ? op->offset : 0),
				 r->len))
		err = -EFAULT;
	kreg_blob_put(r->blob);
	return err;
}

static int read_run_pinned(struct pinned_read *r, struct kreg_op *op)
{
	memset(&r->bond, 0, sizeof(r->bond));
	return kreg_op_get_run(r->client, r->table, &r->key, op, &r->bond.expires, r->snapshot);
}

static int read_until_done(struct pinned_read *r, struct kreg_op *op)
{
	int err;

	do {
		if (fatal_signal_pending(current))
			return -EINTR;
		err = r->runs ? read_run_pinned(r, op) :
				finish_read(r, op, read_one_pinned(r, op));
		cond_resched();
	} while (err == -EAGAIN);
	return err;
}

/* What is about this key alone is told in its operation. */
static bool is_of_one(int err)
{
	return err == -ENODATA || err == -EMSGSIZE || err == -ERANGE;
}

static int read_pinned(struct pinned_read *r, struct kreg_op *op, u32 *errors)
{
	bool more = op->flags & KREG_OP_MORE;
	int err = more ? kreg_more_get(&r->more, op) : 0;

	if (err)
		return err;
	r->key.bytes = r->bytes;
	r->key.len = op->key_len;
	if (copy_from_user(r->bytes, u64_to_user_ptr(op->key), op->key_len))
		return -EFAULT;
	err = read_until_done(r, op);
	if (more && (!err || err == -EMSGSIZE))
		err = kreg_more_tell(op, &r->more, &r->bond) ?: err;
	if (!is_of_one(err))
		return err;
	if (err == -ENODATA)
		memset_startat(op, 0, out_version);
	op->out_error = -err;
	++*errors;
	return 0;
}

static int read_all_pinned(struct kreg_client *cl, u64 table, const struct kreg_op_list *ops,
			   struct kreg_snapshot *snap, bool runs)
{
	struct pinned_read *r = kmalloc(sizeof(*r), KREG_GFP_USER);
	u32 i, errors = 0;
	int err = r ? 0 : -ENOMEM;

	if (r) {
		r->client = cl;
		r->table = table;
		r->snapshot = snap;
		r->pin = &snap->pin;
		r->runs = runs;
	}
	for (i = 0; i < ops->count && !err; i++)
		err = read_pinned(r, &ops->op[i], &errors);
	kfree(r);
	return err ?: ops->count - errors;
}

static int read_by_pin(struct kreg_client *cl, u64 table, const struct kreg_op_list *ops,
		       bool runs)
{
	struct kreg_snapshot *snap;
	u64 id;
	int ret;

	snap = kreg_pin_for_call(cl, table, &id);
	if (IS_ERR(snap))
		return PTR_ERR(snap);
	ret = read_all_pinned(cl, table, ops, snap, runs);
	kreg_pin_end_call(cl, snap, id);
	return ret;
}

static bool is_pinned_later(int err)
{
	return err == kreg_over_limit(KREG_LIMIT_PINS) ||
	       err == kreg_over_limit(KREG_LIMIT_PIN_MS) || err == -ESTALE;
}

/* Where there may be no other pin, it is tried until it is so. */
int kreg_op_get_state(struct kreg_client *cl, u64 table, const struct kreg_op_list *ops)
{
	int ret, runs, tries = 0;

	for (;;) {
		ret = read_quietly(cl, table, ops);
		if (ret != -EAGAIN || fatal_signal_pending(current))
			return ret == -EAGAIN ? -EINTR : ret;
		if (++tries < KREG_PIN_TRIES)
			continue;
		runs = kreg_find_has_runs(cl, table);
		ret = runs < 0 ? runs : read_by_pin(cl, table, ops, runs);
		if (!is_pinned_later(ret))
			return ret;
		cond_resched();
	}
}
