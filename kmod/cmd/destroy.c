// SPDX-License-Identifier: GPL-2.0
/* DESTROY. */
#include <linux/capability.h>
#include <linux/err.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "client/client.h"
#include "client/limits.h"
#include "client/mailbox.h"
#include "client/ns.h"
#include "client/proc.h"
#include "cmd/cmd.h"
#include "cmd/find.h"
#include "table/names.h"
#include "table/owner.h"
#include "table/request.h"
#include "table/table.h"

static int may_destroy(const struct kreg_table *t, const struct kreg_client *cl)
{
	int err = kreg_table_may_control(t, cl);

	if (!err || kreg_client_capable(cl, t->ns->user_ns, CAP_SYS_ADMIN))
		return 0;
	return kreg_table_owned_by(t, NULL) && !kreg_table_may_claim(t, cl) ? 0 : err;
}

static int apply_destroy(struct kreg_control *c)
{
	int err = may_destroy(c->table, c->client);

	if (!err)
		kreg_fate_destroy(c->table);
	return err;
}

static int kreg_ops_destroy(struct kreg_client *cl, u64 id)
{
	struct kreg_table *t = kreg_ops_get_table(cl, id);
	struct kreg_control *c;

	if (IS_ERR(t))
		return PTR_ERR(t);
	c = kreg_control_alloc(cl, t, apply_destroy);
	return c ? kreg_control_submit(c) : -ENOMEM;
}

int kreg_uapi_destroy(struct kreg_call *call)
{
	const struct kreg_ioc_table *arg = call->arg;

	if (arg->flags)
		return -EOPNOTSUPP;
	return kreg_ops_destroy(call->client, arg->table);
}
