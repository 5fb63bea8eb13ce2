// SPDX-License-Identifier: GPL-2.0
/* SETOPT: options of tables and clients. */
#include <linux/err.h>
#include <linux/log2.h>
#include <linux/slab.h>

#include "client/client.h"
#include "client/user.h"
#include "cmd/cmd.h"
#include "cmd/find.h"
#include "cmd/heir.h"
#include "cmd/policy.h"
#include "cmd/sync.h"
#include "table/access.h"
#include "table/change.h"
#include "table/park.h"
#include "table/publish.h"
#include "table/request.h"
#include "table/table.h"

static int check_opt_heir(const struct kreg_ioc_setopt *arg)
{
	if (arg->value & ~(u64)(KREG_HEIR_SILENT | KREG_HEIR_ON_CRASH))
		return -EOPNOTSUPP;
	if (arg->value2 || (!arg->process.pid && arg->process.cookie))
		return -EINVAL;
	if (arg->data_len && (arg->value & KREG_HEIR_SILENT || !arg->process.pid))
		return -EINVAL;
	return arg->data_len > KREG_MAX_DATA ? -EFBIG : 0;
}

static int check_opt_value(const struct kreg_ioc_setopt *arg)
{
	switch (arg->option) {
	case KREG_OPT_ACCESS:
		return arg->value > KREG_ACCESS_REGISTRY ? -EOPNOTSUPP :
		       arg->value ? 0 : -EINVAL;
	case KREG_OPT_MODE:
		return arg->value & ~(u64)KREG_MODE_BITS ? -EINVAL : 0;
	case KREG_OPT_ORPHAN:
		return arg->value > KREG_ORPHAN_PARK_ON_CRASH ? -EOPNOTSUPP :
		       arg->value2 && !arg->value ? -EINVAL : 0;
	case KREG_OPT_ROLE:
	case KREG_OPT_WRITER:
	case KREG_OPT_LIMIT:
		return kreg_policy_check_option(arg);
	case KREG_OPT_RECEIVER:
		return arg->value ? -EINVAL : 0;
	case KREG_OPT_ACCEPT:
		return arg->value > 1 ? -EOPNOTSUPP : 0;
	case KREG_OPT_SCHEMA:
		return !arg->value != !(u32)arg->value2 ? -EINVAL : 0;
	case KREG_OPT_SEAL:
		return arg->value > 1 ? -EOPNOTSUPP : arg->value ? 0 : -EINVAL;
	case KREG_OPT_STREAM:
		return arg->value && (arg->value < KREG_MIN_STREAM ||
				      arg->value > KREG_MAX_STREAM || !is_power_of_2(arg->value)) ?
		       -EINVAL : 0;
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
	if (!kreg_cmd_no_process(&arg->process) || arg->data || arg->data_len ||
	    (of_client && arg->table))
		return -EINVAL;
	if (arg->value2 && arg->option != KREG_OPT_ORPHAN && arg->option != KREG_OPT_LIMIT &&
	    arg->option != KREG_OPT_SCHEMA)
		return -EINVAL;
	return 0;
}

/* Returned by apply_access() and apply_mode() when some have lost the right to read. */
#define NARROWER	1

static int apply_access(struct kreg_table_req *c)
{
	int err = kreg_table_may_control(c->table, c->client);
	u8 old = c->table->access;
	bool less;

	if (err)
		return err;
	less = c->value == KREG_ACCESS_PRIVATE && old != c->value;
	WRITE_ONCE(c->table->access, c->value);
	kreg_table_publish_rights(c->table, less,
				  old == KREG_ACCESS_PRIVATE && old != c->value);
	return less ? NARROWER : 0;
}

static int apply_mode(struct kreg_table_req *c)
{
	int err = kreg_table_may_control(c->table, c->client);
	u16 old = c->table->mode;
	bool less;

	if (err)
		return err;
	less = old & ~c->value & 0444;
	WRITE_ONCE(c->table->mode, c->value);
	kreg_table_publish_rights(c->table, less, ~old & c->value & 0444);
	return less ? NARROWER : 0;
}

static int apply_orphan(struct kreg_table_req *c)
{
	int err = kreg_table_may_pass_on(c->table, c->client);

	return err ?: kreg_table_set_orphan(c->table, c->value, c->value2);
}

static int apply_schema(struct kreg_table_req *c)
{
	struct kreg_schema schema = { c->value, c->value2 };
	u32 from = c->value2 >> 32;
	int err = kreg_table_may_control(c->table, c->client);

	if (!err && c->table->sealed)
		err = -EROFS;
	if (!err && from && from != c->table->schema.version)
		err = -ECANCELED;
	if (!err)
		kreg_table_set_schema(c->table, schema);
	return err;
}

static int apply_seal(struct kreg_table_req *c)
{
	return kreg_table_may_control(c->table, c->client) ?: kreg_table_seal(c->table);
}

/* What it replaces has been charged to whoever has made it. */
static int apply_stream(struct kreg_table_req *c)
{
	int err = kreg_table_may_control(c->table, c->client) ?:
		  kreg_table_replace_stream(c->table, c->stream);

	if (!err)
		c->stream = NULL;
	return err;
}

static int bring_ring(struct kreg_table_req *c)
{
	struct kreg_client *cl = c->client;
	struct kreg_stream *s;
	int err = kreg_sync_make_room(cl->user, KREG_QUOTA_BYTES, kreg_stream_memory(c->value));

	if (err)
		return err;
	s = kreg_stream_alloc(cl, c->table->id, c->value);
	if (IS_ERR(s))
		return PTR_ERR(s);
	c->stream = s;
	return 0;
}

typedef int (*apply_fn)(struct kreg_table_req *c);

static const apply_fn appliers[] = {
	[KREG_OPT_HEIR] = kreg_heir_apply,
	[KREG_OPT_ACCESS] = apply_access,
	[KREG_OPT_MODE] = apply_mode,
	[KREG_OPT_ORPHAN] = apply_orphan,
	[KREG_OPT_ROLE] = kreg_policy_apply_role,
	[KREG_OPT_WRITER] = kreg_policy_apply_writer,
	[KREG_OPT_LIMIT] = kreg_policy_apply_limit,
	[KREG_OPT_STREAM] = apply_stream,
	[KREG_OPT_SCHEMA] = apply_schema,
	[KREG_OPT_SEAL] = apply_seal,
};

static int set_client(struct kreg_client *cl, const struct kreg_ioc_setopt *arg)
{
	if (arg->option == KREG_OPT_RECEIVER)
		kreg_client_receive(cl);
	else
		kreg_client_accept(cl, arg->value);
	return 0;
}

/* What the option takes. */
static int bring_option(struct kreg_table_req *c, const struct kreg_ioc_setopt *arg,
			const void *data)
{
	switch (arg->option) {
	case KREG_OPT_HEIR:
		c->on_crash = arg->value & KREG_HEIR_ON_CRASH;
		return kreg_heir_bring(c, &arg->process, arg->value & KREG_HEIR_SILENT, data,
				       arg->data_len);
	case KREG_OPT_ORPHAN:
		if (arg->value == KREG_ORPHAN_DESTROY)
			return 0;
		return kreg_client_may_park(c->client, &c->value2) ?:
		       kreg_sync_make_room(c->table->user, KREG_QUOTA_PARKED, 1);
	case KREG_OPT_ROLE:
	case KREG_OPT_WRITER:
	case KREG_OPT_LIMIT:
		return kreg_policy_bring(c, arg);
	case KREG_OPT_STREAM:
		return arg->value ? bring_ring(c) : 0;
	}
	return 0;
}

static int set_table(struct kreg_client *cl, struct kreg_table *t,
		     const struct kreg_ioc_setopt *arg, const void *data)
{
	struct kreg_table_req *c;
	int err;

	c = kreg_table_req_alloc(cl, t, appliers[arg->option]);
	if (!c)
		return -ENOMEM;
	c->value = arg->value;
	c->value2 = arg->value2;
	err = kreg_table_may_control(t, cl) ?: bring_option(c, arg, data);
	if (err)
		return kreg_table_req_cancel(c, err);
	err = kreg_table_req_submit(c);
	if (err != NARROWER)
		return err;
	/* A read looks at the rights once; those under way must not see later writes. */
	return kreg_table_wait_for_readers();
}

static int set_option(struct kreg_client *cl, const struct kreg_ioc_setopt *arg,
		      const void *data)
{
	struct kreg_table *t;
	int err;

	if (!appliers[arg->option])
		return set_client(cl, arg);
	do {
		t = kreg_find_table(cl, arg->table);
		err = IS_ERR(t) ? PTR_ERR(t) : set_table(cl, t, arg, data);
	} while (err == -EAGAIN);
	return err;
}

int kreg_cmd_setopt(struct kreg_call *call)
{
	const struct kreg_ioc_setopt *arg = call->arg;
	void *data;
	int err = check_setopt(arg) ?: kreg_client_check_mode(call->client, FMODE_WRITE);

	if (err)
		return err;
	data = kreg_cmd_get_bytes(arg->data, arg->data_len);
	if (IS_ERR(data))
		return PTR_ERR(data);
	err = set_option(call->client, arg, data);
	kvfree(data);
	return err;
}
