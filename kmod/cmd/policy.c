// SPDX-License-Identifier: GPL-2.0
#include <linux/err.h>

#include "client/client.h"
#include "client/limits.h"
#include "client/user.h"
#include "cmd/find.h"
#include "cmd/policy.h"
#include "cmd/sync.h"
#include "table/access.h"
#include "table/line.h"
#include "table/park.h"
#include "table/request.h"
#include "table/role.h"

int kreg_policy_check_option(const struct kreg_ioc_setopt *arg)
{
	if (arg->option == KREG_OPT_LIMIT)
		return arg->value > KREG_MAX_DEATHS || !arg->value != !arg->value2 ? -EINVAL : 0;
	return arg->value2 || (arg->value && arg->value == arg->table) ? -EINVAL : 0;
}

/* A policy stays once a table has it. */
static int bring_policy(const struct kreg_table *t, struct kreg_policy **p)
{
	int err;

	if (rcu_access_pointer(t->policy))
		return 0;
	err = kreg_sync_make_room(t->user, KREG_QUOTA_BYTES, sizeof(**p));
	if (err)
		return err;
	*p = kreg_policy_alloc(t->user);
	if (!IS_ERR(*p))
		return 0;
	err = PTR_ERR(*p);
	*p = NULL;
	return err;
}

static int bring_role(struct kreg_table_req *c, u64 id)
{
	struct kreg_table *role = kreg_find_table(c->client, id);

	if (IS_ERR(role))
		return PTR_ERR(role);
	c->role = role;
	return 0;
}

/* Whether the caller owns the role that is to be followed. */
static int may_lead(const struct kreg_table *role, const struct kreg_client *cl)
{
	int err = kreg_table_may_control(role, cl);

	return err == -EPERM ? kreg_denied(KREG_DENIED_ROLE) : err;
}

static int bring_leader(struct kreg_table_req *c, u64 id)
{
	u64 ms = 0;
	int err = bring_role(c, id) ?: may_lead(c->role, c->client);

	if (err)
		return err;
	if (c->role->writer != c->table->writer)
		return -EXDEV;
	return kreg_client_may_park(c->client, &ms) ?:
	       kreg_sync_make_room(c->table->user, KREG_QUOTA_PARKED, 1) ?:
	       bring_policy(c->role, &c->role_policy);
}

static int bring_limit(struct kreg_table_req *c, u32 max, u64 ms)
{
	struct kreg_user *user = c->table->user;
	struct kreg_death_limit *l;
	u64 park_ms = 0;
	int err = kreg_client_may_park(c->client, &park_ms) ?:
		  kreg_sync_make_room(user, KREG_QUOTA_PARKED, 1) ?:
		  kreg_sync_make_room(user, KREG_QUOTA_BYTES, struct_size(l, at, max));

	if (err)
		return err;
	l = kreg_death_limit_alloc(user, max, ms);
	if (IS_ERR(l))
		return PTR_ERR(l);
	l->park_ms = park_ms;
	c->limit = l;
	return 0;
}

int kreg_policy_bring(struct kreg_table_req *c, const struct kreg_ioc_setopt *arg)
{
	int err;

	if (!arg->value)
		return 0;
	if (arg->option == KREG_OPT_ROLE)
		err = bring_leader(c, arg->value);
	else if (arg->option == KREG_OPT_WRITER)
		err = bring_role(c, arg->value);
	else
		err = bring_limit(c, arg->value, arg->value2);
	return err ?: bring_policy(c->table, &c->policy);
}

static int follow_role(struct kreg_table_req *c)
{
	struct kreg_table *t = c->table, *role = c->role;
	int err = role->dead ? -ESTALE : may_lead(role, c->client);

	if (!err)
		err = kreg_role_check(t, role) ?: kreg_table_charge_park(t);
	if (err)
		return err;
	kreg_table_set_policy(t, &c->policy);
	kreg_table_set_policy(role, &c->role_policy);
	kreg_role_follow(t, role);
	/* Who waits for it would wait for the role without knowing. */
	kreg_line_end_all(t, -EBUSY);
	return 0;
}

int kreg_policy_apply_role(struct kreg_table_req *c)
{
	struct kreg_table *t = c->table;
	int err = kreg_table_may_control(t, c->client);

	if (err)
		return err;
	if (c->role)
		return follow_role(c);
	if (kreg_table_role(t))
		kreg_role_leave(t);
	kreg_table_settle_park(t);
	return 0;
}

int kreg_policy_apply_writer(struct kreg_table_req *c)
{
	struct kreg_table *t = c->table;
	int err = kreg_table_may_control(t, c->client);

	if (err)
		return err;
	if (c->role)
		kreg_table_set_policy(t, &c->policy);
	if (kreg_table_policy(t))
		WRITE_ONCE(kreg_table_policy(t)->writer, c->value);
	return 0;
}

/* The limit that it had is freed with the request. */
int kreg_policy_apply_limit(struct kreg_table_req *c)
{
	struct kreg_table *t = c->table;
	int err = kreg_table_may_pass_on(t, c->client);

	if (!err && c->limit)
		err = kreg_table_charge_park(t);
	if (err)
		return err;
	if (c->limit)
		kreg_table_set_policy(t, &c->policy);
	if (kreg_table_policy(t))
		c->limit = kreg_table_set_limit(t, c->limit);
	kreg_table_settle_park(t);
	return 0;
}
