// SPDX-License-Identifier: GPL-2.0
/*
 * OP, where it is short, and the operations that read, GET and MEMBER, one or many: under RCU and
 * nothing else.
 */
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "client/client.h"
#include "client/proc.h"
#include "cmd/cmd.h"
#include "cmd/find.h"
#include "cmd/op.h"
#include "cmd/usercopy.h"
#include "store/reader.h"
#include "store/store.h"
#include "table/bond.h"
#include "table/loan.h"
#include "table/names.h"
#include "table/table.h"

/* An object whose process is exiting, or that is on loan to another, is not there. */
static __always_inline int get_visible(const struct kreg_client *cl, const struct kreg_table *t,
				       struct kreg_key *key, struct kreg_hit *hit)
{
	int err = kreg_store_get(&t->store, key, hit);

	return unlikely(!err && hit->holder) && kreg_bond_hides(hit->holder, cl->proc) ?
	       -ENODATA : err;
}

static noinline int get_as_other(struct kreg_client *cl, struct kreg_table *t,
				 struct kreg_key *key, struct kreg_hit *hit)
{
	return kreg_find_other_readable(cl, t) ?: get_visible(cl, t, key, hit);
}

/* Look a key up in a table; what only others than the owner need is in get_as_other(). */
static int get_hit(struct kreg_client *cl, u64 id, struct kreg_key *key, struct kreg_hit *hit)
{
	struct kreg_table *t = kreg_names_id(cl->ns, id);

	if (unlikely(!t))
		return kreg_names_why_not(id);
	if (unlikely(!kreg_table_owned_by(t, cl)))
		return get_as_other(cl, t, key, hit);
	return get_visible(cl, t, key, hit);
}

/* Reads of a batch that share an RCU section. */
#define SECTION_OPS	32U

/* Returned by copy_in_section() when the value is in hit->blob. */
#define IN_BLOB	1

/* Bytes of the value from @op->offset on that there is room for. */
static u32 part_len(const struct kreg_op *op, const struct kreg_hit *hit)
{
	return min(op->value_len, hit->value_len - op->offset);
}

static noinline int copy_part(const struct kreg_op *op, const struct kreg_hit *hit)
{
	if (op->offset > hit->value_len)
		return -ERANGE;
	if (hit->blob)
		return IN_BLOB;
	return kreg_put_nofault(u64_to_user_ptr(op->value), hit->value + op->offset,
				part_len(op, hit)) ? -EAGAIN : 0;
}

/*
 * Copy the value into the caller's room, with page faults off. -EAGAIN: the page is not
 * there; fault it in outside the section and try again.
 */
static __always_inline int copy_in_section(const struct kreg_op *op, const struct kreg_hit *hit)
{
	if (unlikely(kreg_op_what(op) != KREG_OP_GET) && op->code != KREG_OP_TAKE)
		return op->code == KREG_OP_MEMBER ? 0 : copy_part(op, hit);
	if (op->value_len < hit->value_len)
		return -EMSGSIZE;
	if (unlikely(hit->blob))
		return IN_BLOB;
	if (!hit->value_len)
		return 0;
	return kreg_put_nofault(u64_to_user_ptr(op->value), hit->value, hit->value_len) ?
	       -EAGAIN : 0;
}

static int copy_blob(const struct kreg_op *op, const struct kreg_hit *hit)
{
	int err = copy_to_user(u64_to_user_ptr(op->value), kreg_blob_bytes(hit->blob) + op->offset,
			       part_len(op, hit)) ? -EFAULT : 0;

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

static __always_inline void set_found(struct kreg_op *op, const struct kreg_hit *hit)
{
	op->out_version = hit->version;
	op->out_len = hit->value_len;
	op->out_count = 1;
	memset_after(op, 0, out_count);
}

/* Finish outside the RCU section what could not be copied inside it. */
static noinline int copy_outside(struct kreg_op *op, const struct kreg_hit *hit, int err)
{
	if (err == -EAGAIN)
		return fault_in(op, part_len(op, hit));
	set_found(op, hit);
	return err == IN_BLOB ? copy_blob(op, hit) : err;
}

noinline void kreg_op_tell_process(const struct kreg_proc *p, struct kreg_process *whom)
{
	whom->pid = kreg_proc_pid(p);
	whom->cookie = kreg_proc_is_visible(p) ? p->cookie : 0;
}

noinline bool kreg_op_tell_bond(const struct kreg_client *cl, struct kreg_holder *holder,
				struct kreg_op_bond *bond)
{
	const struct kreg_proc *p = kreg_bond_whose(holder);

	if (p)
		kreg_op_tell_process(p, &bond->process);
	bond->loans = kreg_loan_number(kreg_bond_of(holder));
	return !kreg_bond_hides(holder, cl->proc);
}

/* Outside the section. */
static noinline int read_otherwise(struct kreg_client *cl, u64 table, const struct kreg_key *key,
				   struct kreg_op *op, struct kreg_op_bond *bond, int err)
{
	u64 unused;

	if (err == -EINPROGRESS)
		return kreg_find_settle(cl, table) ?: -EAGAIN;
	if (err != KREG_STORE_RUN)
		return err;
	if (bond)
		bond->is_run = true;
	return kreg_op_get_run(cl, table, key, op, bond ? &bond->expires : &unused, NULL);
}

/* @bond, if it is not NULL, is zero, and told of the bond of the object. */
static __always_inline int read_op_once(struct kreg_client *cl, u64 table, struct kreg_key *key,
					struct kreg_op *op, struct kreg_op_bond *bond)
{
	struct kreg_hit hit __uninitialized;
	bool hidden;
	int err;

	rcu_read_lock();
	err = get_hit(cl, table, key, &hit);
	if (err) {
		rcu_read_unlock();
		return likely(err == -ENODATA) ? err :
		       read_otherwise(cl, table, key, op, bond, err);
	}
	pagefault_disable();
	err = copy_in_section(op, &hit);
	pagefault_enable();
	if (unlikely(err == IN_BLOB))
		kreg_blob_get(hit.blob);
	hidden = bond && hit.holder && !kreg_op_tell_bond(cl, hit.holder, bond);
	if (bond)
		bond->expires = kreg_hit_expires(&hit);
	rcu_read_unlock();
	if (unlikely(hidden)) {
		if (err == IN_BLOB)
			kreg_blob_put(hit.blob);
		return -ENODATA;
	}
	if (unlikely(err))
		return copy_outside(op, &hit, err);
	set_found(op, &hit);
	return 0;
}

static __always_inline int read_key(struct kreg_client *cl, u64 table, const u8 *bytes,
				    struct kreg_op *op, struct kreg_op_bond *bond)
{
	struct kreg_key key = { .bytes = bytes, .len = op->key_len };
	int err;

	do {
		if (bond)
			memset(bond, 0, sizeof(*bond));
		err = read_op_once(cl, table, &key, op, bond);
	} while (unlikely(err == -EAGAIN));
	return err;
}

/* In a function of its own, so that calls with short keys need less stack. */
static noinline int read_long_key(struct kreg_client *cl, u64 table, struct kreg_op *op,
				  struct kreg_op_bond *bond)
{
	u8 bytes[KREG_MAX_KEY] __uninitialized;

	if (copy_from_user(bytes, u64_to_user_ptr(op->key), op->key_len))
		return -EFAULT;
	return read_key(cl, table, bytes, op, bond);
}

static __always_inline int read_op(struct kreg_client *cl, u64 table, struct kreg_op *op,
				   struct kreg_op_bond *bond)
{
	u8 bytes[KREG_SMALL_KEY] __aligned(8) __uninitialized;

	if (op->key_len > KREG_SMALL_KEY)
		return read_long_key(cl, table, op, bond);
	if (kreg_get_short(bytes, u64_to_user_ptr(op->key), op->key_len))
		return -EFAULT;
	return read_key(cl, table, bytes, op, bond);
}

int kreg_op_read(struct kreg_client *cl, u64 table, struct kreg_op *op,
		 struct kreg_op_bond *bond)
{
	struct kreg_op_bond unused;

	bond = bond ?: &unused;
	bond->is_run = false;
	return read_op(cl, table, op, bond);
}

/* In a batch, the error of one operation is told in its @out_error. */
static noinline void note_op_error(struct kreg_op *op, int err, u32 *errors)
{
	if (err == -ENODATA)
		memset_startat(op, 0, out_version);
	op->out_error = -err;
	++*errors;
}

/* Perform one read of a batch. False if it needs more than can be done in the section. */
static __always_inline bool read_in_section(const struct kreg_client *cl, struct kreg_reader *v,
					    struct kreg_op *op, u32 *errors, bool ordered)
{
	u8 bytes[KREG_SMALL_KEY] __aligned(8) __uninitialized;
	struct kreg_key key = { .bytes = bytes, .len = op->key_len };
	struct kreg_hit hit __uninitialized;
	int err;

	if (unlikely(op->key_len > KREG_SMALL_KEY) ||
	    kreg_get_short(bytes, u64_to_user_ptr(op->key), op->key_len))
		return false;
	err = kreg_reader_get(v, &key, &hit, ordered);
	if (unlikely(!err && hit.holder) && kreg_bond_hides(hit.holder, cl->proc))
		err = -ENODATA;
	if (likely(!err)) {
		err = copy_in_section(op, &hit);
		if (unlikely(err == -EAGAIN || err == IN_BLOB))
			return false;
		set_found(op, &hit);
	}
	if (unlikely(err))
		note_op_error(op, err, errors);
	return true;
}

static __always_inline struct kreg_op *
read_some(const struct kreg_client *cl, const struct kreg_table *t, struct kreg_op *op,
	  struct kreg_op *end, u32 *errors, bool ordered)
{
	struct kreg_reader v;

	kreg_reader_enter(&v, &t->store);
	while (op != end && read_in_section(cl, &v, op, errors, ordered))
		op++;
	return op;
}

/* Apart: it needs its reader in memory, and the others do not. */
static noinline struct kreg_op *read_ordered(const struct kreg_client *cl,
					     const struct kreg_table *t, struct kreg_op *op,
					     struct kreg_op *end, u32 *errors)
{
	return read_some(cl, t, op, end, errors, true);
}

/* Read in one section up to @end, or up to an operation that needs more. */
static struct kreg_op *read_section(struct kreg_client *cl, u64 table, struct kreg_op *op,
				    struct kreg_op *end, u32 *errors)
{
	struct kreg_table *t;

	rcu_read_lock();
	pagefault_disable();
	if (!kreg_find_readable(cl, table, &t) && !kreg_store_has_runs(&t->store))
		op = likely(!kreg_store_is_ordered(&t->store)) ?
		     read_some(cl, t, op, end, errors, false) :
		     read_ordered(cl, t, op, end, errors);
	pagefault_enable();
	rcu_read_unlock();
	return op;
}

/* An error that is not about this key ends the whole call. */
static int read_alone(struct kreg_client *cl, u64 table, struct kreg_op *op, u32 *errors)
{
	int err = unlikely(op->flags & KREG_OP_MORE) ? kreg_op_read_more(cl, table, op, NULL) :
						       read_op(cl, table, op, NULL);

	if (err && err != -ENODATA && err != -EMSGSIZE && err != -ERANGE)
		return err;
	if (err)
		note_op_error(op, err, errors);
	return 0;
}

int kreg_op_get_many(struct kreg_client *cl, u64 table, const struct kreg_op_list *ops)
{
	struct kreg_op *op = ops->op, *end = op + ops->count, *from;
	u32 errors = 0;
	int err;

	while (op != end) {
		from = op;
		if (likely(!ops->more))
			op = read_section(cl, table, op,
					  op + min_t(size_t, end - op, SECTION_OPS), &errors);
		if (op == from) {
			err = read_alone(cl, table, op++, &errors);
			if (err)
				return err;
		}
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return ops->count - errors;
}

static __always_inline int read_command(struct kreg_client *cl, struct kreg_ioc_op __user *user,
					struct kreg_ioc_op *arg)
{
	int err = read_op(cl, arg->table, &arg->op, NULL);

	if (!err || err == -EMSGSIZE)
		return kreg_op_answer(user, &arg->op) ?: err;
	return kreg_op_refuse(user, &arg->op, err);
}

int kreg_op_get(struct kreg_client *cl, struct kreg_ioc_op __user *user, struct kreg_ioc_op *arg)
{
	return read_command(cl, user, arg);
}

/*
 * A plain operation in the short form is performed at once; all else is dispatched. Only of a
 * client that may read and write.
 */
long kreg_cmd_ioctl_op(struct kreg_client *cl, void __user *user)
{
	struct kreg_ioc_op arg __uninitialized;
	u64 form;
	int err;

	if (kreg_get_short(&arg, user, KREG_OP_IN_SIZE))
		return kreg_cmd_ioctl(cl, KREG_IOC_OP, user);
	form = arg.size | (u64)arg.flags << 32;
	if (likely(form == KREG_OP_SIZE && kreg_op_is_plain(&arg.op))) {
		err = arg.op.code == KREG_OP_GET ? read_command(cl, user, &arg) :
						   kreg_op_put(cl, user, &arg);
		return likely(!err) ? 0 : kreg_cmd_errno(err);
	}
	return kreg_op_run_unusual(cl, user, &arg);
}
