// SPDX-License-Identifier: GPL-2.0
/* Commands on tables as a whole and on clients. */
#include <linux/err.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "client/client.h"
#include "client/limits.h"
#include "cmd/ops.h"
#include "client/proc.h"
#include "cmd/cmd.h"

#define MODE_BITS	0666

int kreg_uapi_query(struct kreg_call *call)
{
	struct kreg_ioc_query *arg = call->arg;

	if (arg->flags)
		return -EOPNOTSUPP;
	*arg = (struct kreg_ioc_query) {
		.out_self.pid = kreg_proc_pid(call->client->proc),
		.out_self.cookie = call->client->proc->cookie,
		.out_features = KREG_FEATURE_ALL,
		.out_max_key = KREG_MAX_KEY,
		.out_max_value = KREG_MAX_VALUE,
		.out_max_name = KREG_MAX_NAME,
		.out_max_data = KREG_MAX_DATA,
		.out_max_batch_ops = READ_ONCE(kreg_limits.batch_ops),
		.out_max_batch_bytes = READ_ONCE(kreg_limits.batch_bytes),
	};
	return kreg_uapi_answer_from(call, struct kreg_ioc_query, out_self);
}

int kreg_uapi_whois(struct kreg_call *call)
{
	struct kreg_ioc_whois *arg = call->arg;
	struct kreg_proc *p;
	int err;

	if (arg->flags || arg->reserved)
		return -EOPNOTSUPP;
	p = kreg_proc_whois(arg->pid);
	if (IS_ERR(p))
		return PTR_ERR(p);
	arg->out_process = (struct kreg_process) { .pid = arg->pid, .cookie = p->cookie };
	err = kreg_client_listens(p) ? 0 : -ENOTCONN;
	kreg_proc_put(p);
	return err ?: kreg_uapi_answer_from(call, struct kreg_ioc_whois, out_process);
}

static bool is_null(const struct kreg_process *p)
{
	return !p->pid && !p->cookie;
}

/* Members that describe a new table: zero without CREATE. */
static int check_no_create(const struct kreg_ioc_open *arg)
{
	if (arg->flags & (KREG_OPEN_EXCL | KREG_OPEN_CLAIMABLE | KREG_OPEN_HEIR |
			  KREG_OPEN_HEIR_SILENT))
		return -EINVAL;
	if (arg->type || arg->access || arg->mode || arg->orphan || arg->orphan_ms)
		return -EINVAL;
	return 0;
}

static int check_create(const struct kreg_ioc_open *arg)
{
	if (arg->type != KREG_TYPE_SET)
		return arg->type ? -EOPNOTSUPP : -EINVAL;
	if (arg->access > KREG_ACCESS_PUBLIC ||
	    arg->orphan > KREG_ORPHAN_PARK)
		return -EOPNOTSUPP;
	if (arg->mode & ~MODE_BITS ||
	    (arg->flags & KREG_OPEN_EXCL && arg->flags & KREG_OPEN_CLAIM) ||
	    (arg->orphan_ms && arg->orphan != KREG_ORPHAN_PARK))
		return -EINVAL;
	return 0;
}

static int check_heir(const struct kreg_ioc_open *arg)
{
	if (!(arg->flags & KREG_OPEN_HEIR)) {
		if (arg->flags & KREG_OPEN_HEIR_SILENT || !is_null(&arg->heir) ||
		    arg->data || arg->data_len)
			return -EINVAL;
		return 0;
	}
	if (!arg->heir.pid || (arg->flags & KREG_OPEN_HEIR_SILENT && arg->data_len))
		return -EINVAL;
	return arg->data_len > KREG_MAX_DATA ? -EFBIG : 0;
}

static int check_open(const struct kreg_ioc_open *arg)
{
	bool create = arg->flags & KREG_OPEN_CREATE;
	int err;

	if (arg->flags & ~KREG_OPEN_ALL || arg->reserved || arg->heir.reserved)
		return -EOPNOTSUPP;
	err = create ? check_create(arg) : check_no_create(arg);
	if (err)
		return err;
	if (!(arg->flags & KREG_OPEN_CLAIM) && arg->flags & KREG_OPEN_WAIT)
		return -EINVAL;
	if (!(arg->flags & KREG_OPEN_WAIT) && arg->deadline_ns)
		return -EINVAL;
	/* Without a name there is nothing to find. */
	if (!arg->name_len && (!create || arg->name ||
			       arg->flags & (KREG_OPEN_EXCL | KREG_OPEN_CLAIM)))
		return -EINVAL;
	err = check_heir(arg);
	if (err != -EFBIG)
		return err;
	return arg->name_len > KREG_MAX_NAME ? -ENAMETOOLONG : err;
}

static int tell(struct kreg_open *open)
{
	struct kreg_call call = {
		.user = open->user,
		.user_size = open->user_size,
		.arg = &open->arg,
	};

	return kreg_uapi_answer_from(&call, struct kreg_ioc_open, out_table);
}

int kreg_uapi_open(struct kreg_call *call)
{
	struct kreg_open open = {
		.arg = *(struct kreg_ioc_open *)call->arg,
		.tell = tell,
		.user = call->user,
		.user_size = call->user_size,
	};
	int err = check_open(&open.arg);

	if (err)
		return err;
	open.name = kreg_uapi_get_name(open.arg.name, open.arg.name_len);
	if (IS_ERR(open.name))
		return PTR_ERR(open.name);
	open.data = kreg_uapi_get_bytes(open.arg.data, open.arg.data_len);
	if (IS_ERR(open.data)) {
		err = PTR_ERR(open.data);
	} else {
		err = kreg_ops_open(call->client, &open);
		kvfree(open.data);
	}
	kvfree(open.name);
	return err;
}

int kreg_uapi_destroy(struct kreg_call *call)
{
	const struct kreg_ioc_table *arg = call->arg;

	if (arg->flags)
		return -EOPNOTSUPP;
	return kreg_ops_destroy(call->client, arg->table);
}

static int check_give(const struct kreg_ioc_give *arg)
{
	if (arg->flags & ~KREG_GIVE_ALL || arg->reserved || arg->to.reserved)
		return -EOPNOTSUPP;
	if (arg->flags & KREG_GIVE_PARK) {
		if (!is_null(&arg->to) || arg->data || arg->data_len)
			return -EINVAL;
		return 0;
	}
	if (!arg->to.pid)
		return -EINVAL;
	return arg->data_len > KREG_MAX_DATA ? -EFBIG : 0;
}

int kreg_uapi_give(struct kreg_call *call)
{
	const struct kreg_ioc_give *arg = call->arg;
	void *data;
	int err = check_give(arg);

	if (err)
		return err;
	data = kreg_uapi_get_bytes(arg->data, arg->data_len);
	if (IS_ERR(data))
		return PTR_ERR(data);
	err = kreg_ops_give(call->client, arg, data);
	kvfree(data);
	return err;
}

static int check_opt_heir(const struct kreg_ioc_setopt *arg)
{
	if (arg->value > KREG_HEIR_SILENT)
		return -EOPNOTSUPP;
	if (arg->value2 || (!arg->process.pid && arg->process.cookie))
		return -EINVAL;
	if (arg->data_len && (arg->value || !arg->process.pid))
		return -EINVAL;
	return arg->data_len > KREG_MAX_DATA ? -EFBIG : 0;
}

static int check_opt_value(const struct kreg_ioc_setopt *arg)
{
	switch (arg->option) {
	case KREG_OPT_ACCESS:
		return arg->value > KREG_ACCESS_PUBLIC ? -EOPNOTSUPP :
		       arg->value ? 0 : -EINVAL;
	case KREG_OPT_MODE:
		return arg->value & ~(u64)MODE_BITS ? -EINVAL : 0;
	case KREG_OPT_ORPHAN:
		return arg->value > KREG_ORPHAN_PARK ? -EOPNOTSUPP : 0;
	case KREG_OPT_RECEIVER:
		return arg->value ? -EINVAL : 0;
	case KREG_OPT_ACCEPT:
		return arg->value > 1 ? -EOPNOTSUPP : 0;
	}
	return -EOPNOTSUPP;
}

static int check_setopt(const struct kreg_ioc_setopt *arg)
{
	bool of_client = arg->option == KREG_OPT_RECEIVER || arg->option == KREG_OPT_ACCEPT;
	int err;

	if (arg->flags || arg->process.reserved)
		return -EOPNOTSUPP;
	if (arg->option == KREG_OPT_HEIR)
		return check_opt_heir(arg);
	err = check_opt_value(arg);
	if (err)
		return err;
	if (!is_null(&arg->process) || arg->data || arg->data_len ||
	    (of_client && arg->table))
		return -EINVAL;
	if (arg->value2 && (arg->option != KREG_OPT_ORPHAN || !arg->value))
		return -EINVAL;
	return 0;
}

int kreg_uapi_setopt(struct kreg_call *call)
{
	const struct kreg_ioc_setopt *arg = call->arg;
	void *data;
	int err = check_setopt(arg);

	if (err)
		return err;
	data = kreg_uapi_get_bytes(arg->data, arg->data_len);
	if (IS_ERR(data))
		return PTR_ERR(data);
	err = kreg_ops_setopt(call->client, arg, data);
	kvfree(data);
	return err;
}

int kreg_uapi_sync(struct kreg_call *call)
{
	const struct kreg_ioc_sync *arg = call->arg;

	return arg->flags ? -EOPNOTSUPP : kreg_ops_sync(call->client);
}
