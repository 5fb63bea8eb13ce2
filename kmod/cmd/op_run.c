// SPDX-License-Identifier: GPL-2.0
/* OP in all its forms, but for a plain GET or PUT: see kreg_cmd_ioctl_op(). */
#include "client/client.h"
#include "client/clock.h"
#include "cmd/cmd.h"
#include "cmd/op.h"
#include "cmd/usercopy.h"
#include "event/acks.h"

int kreg_op_refuse(struct kreg_ioc_op __user *user, struct kreg_op *op, int err)
{
	return kreg_get_short(&op->out_version, &user->op.out_version, KREG_OP_OUT_SIZE) ?: err;
}

static int check_command(const struct kreg_ioc_op *arg)
{
	const struct kreg_op *op = &arg->op;
	int err = arg->flags & ~KREG_OP_IOC_ALL ? -EOPNOTSUPP : kreg_op_check(op);

	if (!err && op->flags & KREG_OP_MORE && arg->flags)
		return -EOPNOTSUPP;
	if (!err && op->flags & KREG_OP_KEEP && arg->flags & KREG_WRITE_ASYNC)
		return -EOPNOTSUPP;
	if (!err && arg->flags & KREG_WRITE_ACKED)
		return kreg_op_reads(op) || arg->flags & KREG_WRITE_ASYNC ? -EINVAL : 0;
	if (err || !(arg->flags & KREG_WRITE_ASYNC))
		return err;
	return kreg_op_reads(op) || op->code == KREG_OP_TAKE || op->code == KREG_OP_EDIT ||
	       op->flags & KREG_OP_CONDITIONS ? -EINVAL : 0;
}

/* What the file has to be opened for. */
static fmode_t mode_of(const struct kreg_op *op)
{
	if (op->code == KREG_OP_TAKE || kreg_op_looks(op))
		return FMODE_READ | FMODE_WRITE;
	return kreg_op_reads(op) ? FMODE_READ : FMODE_WRITE;
}

static int perform_op(struct kreg_client *cl, struct kreg_ioc_op __user *user,
		      struct kreg_ioc_op *arg)
{
	if (kreg_op_looks(&arg->op))
		return kreg_op_update(cl, user, arg, NULL);
	if (unlikely(arg->op.flags & KREG_OP_MORE))
		return kreg_op_reads(&arg->op) ? kreg_op_get_more(cl, user, arg, NULL) :
						 kreg_op_put_more(cl, user, arg);
	if (arg->flags & KREG_WRITE_ASYNC)
		return kreg_op_queue(cl, arg->table, &arg->op);
	if (kreg_op_reads(&arg->op))
		return kreg_op_get(cl, user, arg);
	return kreg_op_put(cl, user, arg);
}

/* The members behind the operation. */
static int answer_tail(struct kreg_call *call)
{
	return kreg_cmd_answer_from(call, struct kreg_ioc_op, out_process);
}

/* The write is done, whether or not that it was acknowledged can be told. */
static int write_acked(struct kreg_call *call)
{
	struct kreg_ioc_op *arg = call->arg;
	ktime_t until = arg->deadline_ns ? kreg_clock_from_user(arg->deadline_ns) : KTIME_MAX;
	struct kreg_acks acks = {};
	int err;

	if (kreg_op_looks(&arg->op))
		err = kreg_op_update(call->client, call->user, arg, &acks);
	else
		err = kreg_op_put_acked(call->client, call->user, arg, &acks);
	if (err)
		return err;
	arg->out_missing = kreg_acks_wait(&acks, call->client->proc, until);
	kreg_cmd_answer(call, offsetof(struct kreg_ioc_op, out_missing), sizeof(arg->out_missing));
	return 0;
}

/* A read in the form that tells to whom the object is bound. */
static int read_and_tell(struct kreg_call *call)
{
	struct kreg_ioc_op *arg = call->arg;
	struct kreg_ioc_op __user *user = call->user;
	struct kreg_op_bond bond;
	int err;

	if (arg->op.flags & KREG_OP_MORE) {
		err = kreg_op_get_more(call->client, user, arg, &bond);
		if (err && err != -EMSGSIZE)
			return err;
		arg->out_process = bond.process;
		arg->out_loans = bond.loans;
		return answer_tail(call) ?: err;
	}
	err = kreg_op_read(call->client, arg->table, &arg->op, &bond);
	if (err && err != -EMSGSIZE)
		return kreg_op_refuse(user, &arg->op, err);
	arg->out_process = bond.process;
	arg->out_loans = bond.loans;
	return kreg_op_answer(user, &arg->op) ?: answer_tail(call) ?: err;
}

int kreg_cmd_op(struct kreg_call *call)
{
	struct kreg_ioc_op *arg = call->arg;
	int err = check_command(arg);

	if (err != -EOPNOTSUPP && arg->deadline_ns && !(arg->flags & KREG_WRITE_ACKED))
		err = -EINVAL;
	if (!err)
		err = kreg_client_check_mode(call->client, mode_of(&arg->op));
	if (err)
		return err;
	memset_startat(arg, 0, out_process);
	if (kreg_op_reads(&arg->op) && !(arg->flags & KREG_WRITE_ASYNC))
		return read_and_tell(call);
	/* What a write answers must not fail after the fact, so it is answered before. */
	if (arg->flags & KREG_WRITE_ACKED)
		return answer_tail(call) ?: write_acked(call);
	return answer_tail(call) ?: perform_op(call->client, call->user, arg);
}

long kreg_op_run_unusual(struct kreg_client *cl, struct kreg_ioc_op __user *user,
			 struct kreg_ioc_op *arg)
{
	if (arg->size == KREG_OP_SIZE && !arg->flags && kreg_op_is_quick(&arg->op))
		return kreg_cmd_errno(perform_op(cl, user, arg));
	if (arg->size != KREG_OP_SIZE || arg->flags & KREG_WRITE_ACKED ||
	    kreg_op_refuse(user, &arg->op, 0))
		return kreg_cmd_ioctl(cl, KREG_IOC_OP, user);
	return kreg_cmd_errno(check_command(arg) ?: perform_op(cl, user, arg));
}
