// SPDX-License-Identifier: GPL-2.0
#include <linux/slab.h>

#include "client/client.h"
#include "client/mail.h"
#include "client/proc.h"
#include "event/subscription.h"
#include "store/gfp.h"
#include "table/names.h"
#include "table/request.h"
#include "table/role.h"
#include "table/snapshot.h"
#include "table/standby.h"
#include "table/table.h"

/* What it has brought and not used, and what a user is charged for that. */
static void drop_brought(struct kreg_table_req *c)
{
	kreg_mail_free(c->mail);
	kreg_mail_free(c->heir_mail);
	kreg_subscription_free(c->subscription);
	kreg_snapshot_put(c->snapshot);
	kreg_policy_free(c->policy, c->table->user);
	kreg_death_limit_free(c->limit, c->table->user);
	if (c->role)
		kreg_policy_free(c->role_policy, c->role->user);
	kreg_standby_free(c->standby);
	kreg_stream_put(c->stream);
}

static void forget_brought(struct kreg_table_req *c)
{
	c->mail = NULL;
	c->heir_mail = NULL;
	c->subscription = NULL;
	c->snapshot = NULL;
	c->policy = NULL;
	c->limit = NULL;
	c->role_policy = NULL;
	c->standby = NULL;
	c->stream = NULL;
}

static void free_table_req(struct kreg_req *req)
{
	struct kreg_table_req *c = container_of(req, struct kreg_table_req, req);

	if (c->creates && !c->table->listed)
		kreg_names_release(c->table->ns, c->table->id);
	drop_brought(c);
	kreg_table_put(c->role);
	kfree(c->data);
	kreg_proc_put(c->to);
	kreg_table_put(c->table);
	kreg_client_put(c->client);
	kfree(c);
}

static bool table_req_step(struct kreg_req *req)
{
	struct kreg_table_req *c = container_of(req, struct kreg_table_req, req);

	req->result = c->table->dead ? -ESTALE : c->apply(c);
	return true;
}

struct kreg_table_req *kreg_table_req_alloc(struct kreg_client *client, struct kreg_table *table,
					    int (*apply)(struct kreg_table_req *c))
{
	struct kreg_table_req *c;

	c = kzalloc(sizeof(*c), KREG_GFP_RELEASE);
	if (!c) {
		kreg_table_put(table);
		return NULL;
	}
	kreg_req_init(&c->req, &table->lane, table_req_step, free_table_req);
	kreg_client_sign(client, table->writer, &c->req);
	c->apply = apply;
	c->table = table;
	c->renames = READ_ONCE(table->renames);
	c->client = client;
	kreg_client_get(client);
	INIT_LIST_HEAD(&c->waiter.node);
	return c;
}

int kreg_table_req_check_name(const struct kreg_table_req *c)
{
	kreg_table_assert(c->table);
	return c->renames == c->table->renames ? 0 : -EAGAIN;
}

/* What is charged is given back before the call returns; the thread may let go of @c later. */
void kreg_table_req_end(struct kreg_table_req *c, int err)
{
	if (unlikely(refcount_read(&c->req.refs) > 1) && err != -EINTR) {
		drop_brought(c);
		forget_brought(c);
	}
	kreg_req_put(&c->req);
}

int kreg_table_req_submit(struct kreg_table_req *c)
{
	int err = kreg_writer_submit(c->table->writer, &c->req);

	kreg_table_req_end(c, err);
	return err;
}

int kreg_table_req_cancel(struct kreg_table_req *c, int err)
{
	kreg_req_put(&c->req);
	return err;
}
