// SPDX-License-Identifier: GPL-2.0
/* DESTROY: end a table. */
#include <linux/err.h>

#include "client/client.h"
#include "cmd/cmd.h"
#include "cmd/find.h"
#include "table/access.h"
#include "table/owner.h"
#include "table/request.h"
#include "table/table.h"

static int may_destroy(const struct kreg_table *t, const struct kreg_client *cl)
{
	int err = kreg_table_may_dispose(t, cl);

	return err && kreg_table_may_administer(t, cl) ? 0 : err;
}

static int apply_destroy(struct kreg_table_req *c)
{
	int err = may_destroy(c->table, c->client);

	if (!err)
		kreg_table_destroy(c->table);
	return err;
}

static int destroy_table(struct kreg_client *cl, struct kreg_table *t)
{
	struct kreg_table_req *c;

	if (IS_ERR(t))
		return PTR_ERR(t);
	c = kreg_table_req_alloc(cl, t, apply_destroy);
	return c ? kreg_table_req_submit(c) : -ENOMEM;
}

int kreg_cmd_destroy(struct kreg_call *call)
{
	const struct kreg_ioc_table *arg = call->arg;

	if (arg->flags & ~KREG_DESTROY_ALL)
		return -EOPNOTSUPP;
	if (kreg_client_check_mode(call->client, FMODE_WRITE))
		return -EBADF;
	return destroy_table(call->client, arg->flags & KREG_ANY_NAMESPACE ?
			     kreg_find_table_anywhere(call->client, arg->table) :
			     kreg_find_table(call->client, arg->table));
}
