// SPDX-License-Identifier: GPL-2.0
/* LEASE: take an object on loan, or give it back. */
#include <linux/string.h>

#include "client/client.h"
#include "client/proc.h"
#include "cmd/cmd.h"
#include "cmd/op.h"
#include "cmd/put_apply.h"
#include "cmd/sync.h"
#include "table/bond.h"

static int check_return(const struct kreg_ioc_lease *arg)
{
	return arg->value || arg->value_len || arg->lease_ms ? -EINVAL : 0;
}

static int check_lease(const struct kreg_ioc_lease *arg)
{
	if (arg->flags & ~KREG_LEASE_ALL || arg->reserved)
		return -EOPNOTSUPP;
	if (!arg->key_len || !(arg->flags & KREG_LEASE_VERSION) != !arg->version)
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

/* Copy the value out, then lend the object if it is still the same one. */
static int lend_once(struct kreg_client *cl, struct kreg_ioc_lease *arg)
{
	const struct kreg_binding to = {
		.proc = cl->proc,
		.linger_ms = arg->lease_ms ?: KREG_LEASE_UNLIMITED,
		.lends = true,
	};
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
		return err;
	if (arg->version && arg->version != op.out_version)
		return -ECANCELED;
	op = lease_op(arg, KREG_OP_PUT, KREG_OP_BOUND, op.out_version);
	op.value = arg->value;
	op.value_len = arg->out_len;
	err = kreg_op_put_bound(cl, arg->table, &op, &to, NULL);
	if (err)
		return err;
	arg->out_version = op.out_version;
	arg->out_loans = op.out_count;
	return 0;
}

static int lend_object(struct kreg_client *cl, struct kreg_ioc_lease *arg)
{
	int err = kreg_put_check_write(cl, arg->table);

	/* It begins as a read, but must come after the writes that this client has queued. */
	if (!err)
		err = kreg_sync_table(cl, arg->table);
	if (err)
		return err;
	do {
		err = lend_once(cl, arg);
	} while (err == -ECANCELED && !arg->version);
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

int kreg_cmd_lease(struct kreg_call *call)
{
	struct kreg_ioc_lease *arg = call->arg;
	struct kreg_client *cl = call->client;
	int err = check_lease(arg) ?: kreg_client_check_mode(cl, KREG_CLIENT_RW);

	if (err)
		return err;
	/* What is answered after the fact must not fail then. */
	memset_startat(arg, 0, out_version);
	err = kreg_cmd_answer_from(call, struct kreg_ioc_lease, out_version);
	if (err)
		return err;
	err = arg->flags & KREG_LEASE_RETURN ? return_object(cl, arg) : lend_object(cl, arg);
	if (!err || err == -EMSGSIZE)
		kreg_cmd_answer_from(call, struct kreg_ioc_lease, out_version);
	return err;
}
