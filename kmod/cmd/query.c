// SPDX-License-Identifier: GPL-2.0
/* QUERY and WHOIS: what this module can do, and who a process is. */
#include <linux/err.h>

#include "client/client.h"
#include "client/exit.h"
#include "client/limits.h"
#include "client/proc.h"
#include "cmd/cmd.h"

int kreg_cmd_query(struct kreg_call *call)
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
	return kreg_cmd_answer_from(call, struct kreg_ioc_query, out_self);
}

int kreg_cmd_whois(struct kreg_call *call)
{
	struct kreg_ioc_whois *arg = call->arg;
	struct kreg_proc *p;
	bool watch;
	int err;

	if (arg->flags & ~KREG_WHOIS_ALL || arg->reserved)
		return -EOPNOTSUPP;
	watch = arg->flags & KREG_WHOIS_WATCH;
	p = watch ? kreg_proc_watch(arg->pid) : kreg_proc_whois(arg->pid);
	if (IS_ERR(p))
		return PTR_ERR(p);
	arg->out_process = (struct kreg_process) { .pid = arg->pid, .cookie = p->cookie };
	err = watch || kreg_client_listens(p) ? 0 : -ENOTCONN;
	kreg_proc_put(p);
	return err ?: kreg_cmd_answer_from(call, struct kreg_ioc_whois, out_process);
}
