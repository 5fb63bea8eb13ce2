// SPDX-License-Identifier: GPL-2.0
/* WATCH of keys and names: a record, or a sleep, until a condition holds. */
#include <linux/err.h>

#include "client/client.h"
#include "client/limits.h"
#include "client/user.h"
#include "cmd/cmd.h"
#include "cmd/find.h"
#include "cmd/sync.h"
#include "cmd/wait.h"
#include "cmd/wait_apply.h"
#include "table/access.h"
#include "table/names.h"
#include "table/ready.h"
#include "table/table.h"

int kreg_wait_check(const struct kreg_ioc_watch *arg)
{
	bool sleeps = arg->flags & KREG_WATCH_SLEEP;
	u32 most = arg->table ? KREG_MAX_KEY : KREG_MAX_NAME;

	if (!kreg_cmd_no_process(&arg->process) || !arg->key_len ||
	    (arg->version && arg->kind != KREG_WATCH_CHANGED) ||
	    (!arg->table && arg->kind == KREG_WATCH_CHANGED) ||
	    (sleeps ? arg->udata : arg->deadline_ns))
		return -EINVAL;
	return arg->key_len > most ? -ENAMETOOLONG : 0;
}

/* What the user gives back may not have been given back yet. */
static int bring_charged(struct wait *w, const struct kreg_ioc_watch *arg)
{
	bool sleeps = arg->flags & KREG_WATCH_SLEEP;
	int err = kreg_wait_bring_record(w, sleeps, arg->udata, arg->table);

	if (err != kreg_over_limit(KREG_LIMIT_BYTES))
		return err;
	return kreg_sync_make_room(w->client->user, KREG_QUOTA_BYTES,
				   kreg_ready_memory(sizeof(*w), w->key.len)) ?:
	       kreg_wait_bring_record(w, sleeps, arg->udata, arg->table);
}

static int answer_wait(struct kreg_call *call, u64 id, const struct kreg_outcome *outcome)
{
	struct kreg_ioc_watch *arg = call->arg;

	arg->out_id = id;
	arg->out_process = outcome->holder;
	arg->out_version = outcome->version;
	arg->out_limit = KREG_LIMIT_NONE;
	arg->out_reserved = 0;
	return kreg_cmd_answer_from(call, struct kreg_ioc_watch, out_id);
}

/* A record may be read as soon as it is asked for, so its id is told before. */
static int perform_prepared(struct kreg_call *call, struct wait *w)
{
	const struct kreg_ioc_watch *arg = call->arg;
	bool sleeps = !w->ready;
	int err = sleeps ? 0 : answer_wait(call, w->ready->handle.id, &w->outcome);

	if (!err)
		err = w->table ? kreg_wait_for_key(w, arg->deadline_ns) :
				 kreg_wait_for_name(w, arg->deadline_ns);
	if (!err && sleeps)
		err = answer_wait(call, 0, &w->outcome);
	return err;
}

static int wait_at(struct kreg_call *call, struct kreg_table *t, const u8 *key)
{
	const struct kreg_ioc_watch *arg = call->arg;
	struct wait *w;
	int err = t ? kreg_table_may_read(t, call->client) : 0;

	if (err)
		return err;
	w = kreg_wait_alloc(call->client, t);
	if (!w)
		return -ENOMEM;
	w->kind = arg->kind;
	w->version = arg->version;
	err = kreg_wait_bring_key(w, key, arg->key_len) ?: bring_charged(w, arg) ?:
	      perform_prepared(call, w);
	kreg_req_put(&w->req);
	return err;
}

/* The death of an owner may be what decides whether there is a table of the name. */
static int settle_name(struct kreg_client *cl, const u8 *name, u32 len)
{
	struct kreg_table *t = kreg_find_table_named(cl, name, len);

	if (t == ERR_PTR(-ENOENT))
		return 0;
	if (IS_ERR(t))
		return PTR_ERR(t);
	kreg_table_put(t);
	return 0;
}

static int wait_named(struct kreg_call *call, const u8 *name)
{
	const struct kreg_ioc_watch *arg = call->arg;

	return settle_name(call->client, name, arg->key_len) ?: wait_at(call, NULL, name);
}

/* Where a key may have several objects one waits for the first alone. */
static bool cannot_wait(const struct kreg_table *t, u32 kind)
{
	return kreg_store_has_runs(&t->store) && kind != KREG_WATCH_PRESENT;
}

static int wait_keyed(struct kreg_call *call, const u8 *key)
{
	const struct kreg_ioc_watch *arg = call->arg;
	struct kreg_table *t = kreg_find_table(call->client, arg->table);
	int err;

	if (IS_ERR(t))
		return PTR_ERR(t);
	err = cannot_wait(t, arg->kind) ? -EOPNOTSUPP : wait_at(call, t, key);
	kreg_table_put(t);
	return err;
}

int kreg_wait_perform(struct kreg_call *call)
{
	const struct kreg_ioc_watch *arg = call->arg;
	u8 *key = arg->table ? kreg_cmd_get_bytes(arg->key, arg->key_len) :
			       kreg_cmd_get_name(arg->key, arg->key_len);
	int err;

	if (IS_ERR(key))
		return PTR_ERR(key);
	err = arg->table ? wait_keyed(call, key) : wait_named(call, key);
	kvfree(key);
	return err;
}
