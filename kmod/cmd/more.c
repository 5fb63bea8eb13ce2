// SPDX-License-Identifier: GPL-2.0
/*
 * A PUT or DELETE that says more than fits into an operation: whom to bind to, for how long, when
 * the object expires, and what has to be there; and a read that asks when it expires.
 */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "client/client.h"
#include "client/clock.h"
#include "client/proc.h"
#include "cmd/cmd.h"
#include "cmd/find.h"
#include "cmd/op.h"
#include "cmd/terms.h"
#include "store/edit.h"
#include "store/write.h"

static bool says_expiry(const struct kreg_more *more)
{
	return more->expires_ns || more->idle_ms;
}

/* What expires and what is bound are different objects so far. */
static bool is_unsupported(const struct kreg_more *more, const struct kreg_op *op)
{
	return more->flags & ~KREG_MORE_ALL || more->process.reserved ||
	       (says_expiry(more) && op->flags & KREG_OP_BOUND);
}

static bool says_bound(const struct kreg_more *more)
{
	return more->linger_ms || !kreg_cmd_no_process(&more->process);
}

static int check_more(const struct kreg_more *more, const struct kreg_op *op)
{
	bool starts = more->flags & KREG_MORE_START;

	if (is_unsupported(more, op))
		return -EOPNOTSUPP;
	/* Only of an object that it makes is there anything to say when that expires. */
	if (says_expiry(more) && op->code != KREG_OP_PUT && !(op->code == KREG_OP_EDIT && starts))
		return -EINVAL;
	if (kreg_op_reads(op) && (more->if_version || more->filter_count))
		return -EINVAL;
	if (!starts && (more->start || more->start_len))
		return -EINVAL;
	if (starts && op->code != KREG_OP_EDIT)
		return -EINVAL;
	if (says_bound(more) && !(op->flags & KREG_OP_BOUND))
		return -EINVAL;
	if (kreg_terms_are_wrong(more->filter, more->filter_count))
		return -EINVAL;
	/* Where there is nothing there is no version, and nothing to ask. */
	if ((more->if_version || more->filter_count) && (starts || op->flags & KREG_OP_NEW))
		return -EINVAL;
	return more->start_len > KREG_MAX_VALUE ? -EFBIG : 0;
}

/* The struct says its size, as that of a command does. */
static noinline int get_any_size(struct kreg_more *more, const void __user *user)
{
	u32 size;

	if (get_user(size, (const u32 __user *)user))
		return -EFAULT;
	if (size < offsetofend(struct kreg_more, out_expires_ns))
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	return copy_struct_from_user(more, sizeof(*more), user, size);
}

int kreg_more_get(struct kreg_more *more, const struct kreg_op *op)
{
	const void __user *user = u64_to_user_ptr(op->arg);
	int err = 0;

	if (kreg_get_short(more, user, sizeof(*more)) || more->size != sizeof(*more))
		err = get_any_size(more, user);
	return err ?: check_more(more, op);
}

int kreg_more_answer(const struct kreg_op *op, struct kreg_more *more)
{
	const size_t at = offsetof(struct kreg_more, out_process);

	return kreg_put_short(u64_to_user_ptr(op->arg) + at, (void *)more + at,
			      sizeof(*more) - at);
}

bool kreg_more_expiry(const struct kreg_more *more, struct kreg_expiry *expiry)
{
	expiry->idle_ms = more->idle_ms;
	expiry->expires = more->expires_ns ? ktime_to_ns(kreg_clock_from_user(more->expires_ns)) :
					     KREG_NEVER;
	return says_expiry(more);
}

/* As it is without the struct. */
static struct kreg_op plain_op(const struct kreg_op *op, const struct kreg_more *more)
{
	struct kreg_op plain = *op;

	plain.flags &= ~KREG_OP_MORE;
	plain.flags |= more->if_version ? KREG_OP_VERSION : 0;
	plain.arg = more->if_version;
	return plain;
}

static int put_as_said(struct kreg_client *cl, struct kreg_ioc_op *arg, struct kreg_more *more,
		       struct kreg_edit *edit)
{
	struct kreg_binding to = { .linger_ms = more->linger_ms, .edit = edit };
	struct kreg_op op = plain_op(&arg->op, more);
	struct kreg_expiry expiry;
	int err;

	if (kreg_more_expiry(more, &expiry))
		to.expiry = &expiry;
	if (op.flags & KREG_OP_BOUND)
		to.proc = kreg_find_whom(cl, &more->process);
	if (IS_ERR(to.proc))
		return PTR_ERR(to.proc);
	err = kreg_op_put_bound(cl, arg->table, &op, &to, NULL);
	if (!err) {
		if (to.proc)
			kreg_op_tell_process(to.proc, &more->out_process);
		arg->op.out_version = op.out_version;
		arg->op.out_len = 0;
		arg->op.out_count = op.out_count;
	}
	kreg_proc_put(to.proc);
	return err;
}

/* It tells what is there, so it needs to be allowed to read. */
static int put_filtered(struct kreg_client *cl, struct kreg_ioc_op *arg, struct kreg_more *more)
{
	struct kreg_filter *f = kreg_terms_get(more->filter, more->filter_count);
	struct kreg_edit edit;
	int err;

	if (IS_ERR(f))
		return PTR_ERR(f);
	kreg_edit_init(&edit);
	edit.filter = f;
	err = f ? kreg_client_check_mode(cl, FMODE_READ) : 0;
	if (!err)
		err = put_as_said(cl, arg, more, f ? &edit : NULL);
	kreg_filter_put(f);
	return err;
}

/* What is answered after the fact must not fail then, so nothing is answered before. */
int kreg_op_put_more(struct kreg_client *cl, struct kreg_ioc_op __user *user,
		     struct kreg_ioc_op *arg)
{
	struct kreg_more more;
	int err = kreg_more_get(&more, &arg->op);

	if (err)
		return err;
	memset_startat(&more, 0, out_process);
	memset_startat(&arg->op, 0, out_version);
	err = kreg_more_answer(&arg->op, &more) ?: kreg_op_answer(user, &arg->op);
	if (!err)
		err = put_filtered(cl, arg, &more);
	if (err)
		return err;
	kreg_more_answer(&arg->op, &more);
	kreg_op_answer(user, &arg->op);
	return 0;
}

u64 kreg_op_tell_moment(u64 moment)
{
	return moment == KREG_NEVER ? 0 : kreg_clock_to_user(ns_to_ktime(moment));
}

int kreg_more_tell(const struct kreg_op *op, struct kreg_more *more,
		   const struct kreg_op_bond *bond)
{
	memset_startat(more, 0, out_process);
	more->out_process = bond->process;
	more->out_expires_ns = kreg_op_tell_moment(bond->expires);
	return kreg_more_answer(op, more);
}

/* What is asked for is told also where the room is too small for the value. */
int kreg_op_read_more(struct kreg_client *cl, u64 table, struct kreg_op *op,
		      struct kreg_op_bond *bond)
{
	const u64 arg = op->arg;
	struct kreg_op_bond unused;
	struct kreg_more more;
	int err = kreg_more_get(&more, op);

	if (err)
		return err;
	bond = bond ?: &unused;
	op->flags &= ~KREG_OP_MORE;
	op->arg = 0;
	err = kreg_op_read(cl, table, op, bond);
	op->flags |= KREG_OP_MORE;
	op->arg = arg;
	return err && err != -EMSGSIZE ? err : kreg_more_tell(op, &more, bond) ?: err;
}

int kreg_op_get_more(struct kreg_client *cl, struct kreg_ioc_op __user *user,
		     struct kreg_ioc_op *arg, struct kreg_op_bond *bond)
{
	int err = kreg_op_read_more(cl, arg->table, &arg->op, bond);

	if (err && err != -EMSGSIZE)
		return kreg_op_refuse(user, &arg->op, err);
	return kreg_op_answer(user, &arg->op) ?: err;
}
