// SPDX-License-Identifier: GPL-2.0
/* REGISTER: bind an object to a process, or be told who has the key, or wait for it. */
#include <linux/bitops.h>
#include <linux/err.h>
#include <linux/ktime.h>
#include <linux/sched/signal.h>
#include <linux/string.h>

#include "client/client.h"
#include "client/clock.h"
#include "client/proc.h"
#include "cmd/cmd.h"
#include "cmd/find.h"
#include "cmd/op.h"
#include "cmd/register_line.h"

/* Flags of who wants the key when its turn comes. */
#define IN_LINE		(KREG_REGISTER_WAIT | KREG_REGISTER_STANDBY)

/* At most one of the flags, and what goes with each of them. */
static bool is_sensible(const struct kreg_ioc_register *arg)
{
	return hweight32(arg->flags) <= 1 &&
	       !(arg->flags & KREG_REGISTER_VERSION) == !arg->version &&
	       (arg->flags & KREG_REGISTER_WAIT || !arg->deadline_ns) &&
	       (arg->flags & KREG_REGISTER_STANDBY || !arg->udata);
}

static int check_register(const struct kreg_ioc_register *arg)
{
	if (arg->flags & ~KREG_REGISTER_ALL || arg->reserved || arg->process.reserved)
		return -EOPNOTSUPP;
	if (!arg->key_len || !is_sensible(arg))
		return -EINVAL;
	if (arg->key_len > KREG_MAX_KEY)
		return -ENAMETOOLONG;
	return arg->value_len > KREG_MAX_VALUE ? -EFBIG : 0;
}

static struct kreg_op register_op(const struct kreg_ioc_register *arg, u16 new)
{
	bool again = arg->flags & KREG_REGISTER_VERSION;

	return (struct kreg_op) {
		.code = KREG_OP_PUT,
		.flags = KREG_OP_BOUND | (again ? KREG_OP_VERSION : new),
		.key = arg->key,
		.key_len = arg->key_len,
		.value = arg->value,
		.value_len = arg->value_len,
		.arg = arg->version,
	};
}

/* Who has the key. -ENODATA: nobody any more. */
static int tell_whose(struct kreg_client *cl, struct kreg_ioc_register *arg)
{
	struct kreg_op op = {
		.code = KREG_OP_MEMBER,
		.key = arg->key,
		.key_len = arg->key_len,
	};
	struct kreg_op_bond bond = {};
	int err = kreg_op_read(cl, arg->table, &op, &bond);

	arg->out_process = bond.process;
	if (err)
		return err;
	arg->out_version = op.out_version;
	arg->out_how = KREG_REGISTER_HELD;
	return 0;
}

static int register_as(struct kreg_client *cl, struct kreg_ioc_register *arg, struct kreg_proc *p,
		       u16 new)
{
	const struct kreg_binding to = {
		.proc = p,
		.linger_ms = arg->linger_ms,
		.strict = arg->flags & IN_LINE,
	};
	struct kreg_op op = register_op(arg, new);
	int err = kreg_op_put_bound(cl, arg->table, &op, &to, NULL);

	if (!err) {
		arg->out_version = op.out_version;
		kreg_op_tell_process(p, &arg->out_process);
		arg->out_how = KREG_REGISTERED;
	}
	return err;
}

/* Where a key may have several objects nobody holds it alone, and this is one more. */
static int register_once(struct kreg_client *cl, struct kreg_ioc_register *arg,
			 struct kreg_proc *p)
{
	int err = register_as(cl, arg, p, KREG_OP_NEW);

	if (err == -EEXIST && kreg_find_has_runs(cl, arg->table) == 1)
		err = register_as(cl, arg, p, 0);
	return err;
}

/*
 * The key is held, and nobody is found to have it: -EAGAIN, but for one who is exiting and keeps it
 * until he is dead.
 */
static int look_again(struct kreg_client *cl, const struct kreg_ioc_register *arg)
{
	int err;

	if (fatal_signal_pending(current))
		return -EINTR;
	cond_resched();
	err = kreg_register_look(cl, arg, NULL);
	if (err > 0)
		return -EEXIST;
	return err && err != -ENODATA ? err : -EAGAIN;
}

static int try_to_register(struct kreg_client *cl, struct kreg_ioc_register *arg,
			   struct kreg_proc *p, int *err)
{
	int told;

	*err = register_once(cl, arg, p);
	told = *err == -EEXIST ? tell_whose(cl, arg) : 0;
	return told == -ENODATA ? look_again(cl, arg) : told;
}

/* Until it is the process's or another's: who has gone in between holds it no more. */
static int register_key(struct kreg_client *cl, struct kreg_ioc_register *arg,
			struct kreg_proc *p)
{
	int err, told;

	do {
		told = try_to_register(cl, arg, p, &err);
	} while (told == -EAGAIN);
	/* Who may not read is not told. */
	if (told && told != -EACCES)
		return told;
	return err == -EEXIST && arg->flags & KREG_REGISTER_GET ? told : err;
}

static bool has_passed(u64 deadline_ns)
{
	return deadline_ns && !ktime_before(ktime_get(), kreg_clock_from_user(deadline_ns));
}

/*
 * Mostly the key is free, and then this costs no more than without a line. Who is dead when the
 * call begins does not keep it, also if there is no time to wait.
 */
static int register_when_free(struct kreg_call *call, struct kreg_proc *p)
{
	struct kreg_ioc_register *arg = call->arg;
	int err, held;

	do {
		err = register_once(call->client, arg, p);
		held = err == -EEXIST ? kreg_register_look(call->client, arg, p) : 0;
	} while (held == -EAGAIN);
	/* If nobody has it, it has a line. */
	if (held < 0 && held != -ENODATA)
		return held;
	if (err != -EEXIST)
		return err;
	/* The holder may have died since it was tried. */
	if (has_passed(arg->deadline_ns)) {
		err = register_once(call->client, arg, p);
		return err == -EEXIST ? -ETIMEDOUT : err;
	}
	if (arg->flags & KREG_REGISTER_STANDBY)
		tell_whose(call->client, arg);
	err = kreg_register_in_line(call, p);
	if (!err && arg->flags & KREG_REGISTER_WAIT)
		kreg_op_tell_process(p, &arg->out_process);
	return err;
}

/* Who has it is told as far as he can be seen. A place that was not taken has no id. */
static int register_in_turn(struct kreg_call *call, struct kreg_proc *p)
{
	struct kreg_ioc_register *arg = call->arg;
	int err = register_when_free(call, p);

	if (err == -ETIMEDOUT || err == -EALREADY)
		tell_whose(call->client, arg);
	if (err) {
		arg->out_how = 0;
		arg->out_id = 0;
	}
	return err;
}

int kreg_cmd_register(struct kreg_call *call)
{
	struct kreg_ioc_register *arg = call->arg;
	struct kreg_client *cl = call->client;
	struct kreg_proc *p;
	int err = check_register(arg) ?: kreg_client_check_mode(cl, KREG_CLIENT_RW);

	if (err)
		return err;
	/* What is answered after the fact must not fail then. */
	memset_startat(arg, 0, out_process);
	err = kreg_cmd_answer_from(call, struct kreg_ioc_register, out_process);
	if (err)
		return err;
	p = kreg_find_whom(cl, &arg->process);
	if (IS_ERR(p))
		return PTR_ERR(p);
	err = arg->flags & IN_LINE ? register_in_turn(call, p) : register_key(cl, arg, p);
	kreg_proc_put(p);
	if (!err || err == -EEXIST || arg->flags & IN_LINE)
		kreg_cmd_answer_from(call, struct kreg_ioc_register, out_process);
	return err;
}
