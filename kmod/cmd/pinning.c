// SPDX-License-Identifier: GPL-2.0
/* PIN: keep a table readable as it is now. */
#include <linux/err.h>

#include "client/client.h"
#include "client/limits.h"
#include "cmd/cmd.h"
#include "cmd/find.h"
#include "cmd/pinning.h"
#include "store/pin.h"
#include "store/write.h"
#include "table/access.h"
#include "table/change.h"
#include "table/request.h"
#include "table/snapshot.h"
#include "table/table.h"

/* A pin for the length of a call need not come to an end before these milliseconds. */
#define CALL_MS		10000

static int check_pin(const struct kreg_ioc_pin *arg)
{
	return arg->flags || arg->reserved ? -EOPNOTSUPP : 0;
}

static int apply_pin(struct kreg_table_req *c)
{
	struct kreg_snapshot *snap = c->snapshot;
	int err = kreg_table_may_read(c->table, c->client) ?:
		  kreg_snapshot_start(snap, c->table, c->value);

	if (err)
		return err;
	c->value = snap->handle.id;
	c->value2 = snap->pin.version;
	c->snapshot = NULL;
	return 0;
}

/* What a table has to have for its first pin, and keeps. */
static int bring_room(struct kreg_table *t)
{
	struct kreg_prealloc pre;
	int err;

	kreg_prealloc_init(&pre);
	do {
		spin_lock(&t->writer->turn);
		err = kreg_store_want_pins(&t->store, &pre);
		spin_unlock(&t->writer->turn);
		if (err)
			err = kreg_table_prealloc(t, &pre, false) ?: -EAGAIN;
	} while (err == -EAGAIN);
	return err;
}

static int pin_for(struct kreg_client *cl, struct kreg_table *t, u32 ms, u64 *id, u64 *version)
{
	struct kreg_table_req *c = kreg_table_req_alloc(cl, t, apply_pin);
	struct kreg_snapshot *snap;
	int err;

	if (!c)
		return -ENOMEM;
	err = kreg_table_may_read(t, cl) ?: bring_room(t);
	if (err)
		return kreg_table_req_cancel(c, err);
	snap = kreg_snapshot_alloc(cl);
	if (IS_ERR(snap))
		return kreg_table_req_cancel(c, PTR_ERR(snap));
	c->snapshot = snap;
	c->value = ms;
	err = kreg_writer_submit(t->writer, &c->req);
	if (!err) {
		*id = c->value;
		*version = c->value2;
	}
	kreg_table_req_end(c, err);
	return err;
}

int kreg_pin_table(struct kreg_client *cl, u64 table, u32 *ms, u64 *id, u64 *version)
{
	struct kreg_table *t;

	*ms = min_t(u64, *ms ?: U32_MAX, READ_ONCE(kreg_limits.pin_ms));
	if (!*ms)
		return kreg_over_limit(KREG_LIMIT_PIN_MS);
	t = kreg_find_table(cl, table);
	return IS_ERR(t) ? PTR_ERR(t) : pin_for(cl, t, *ms, id, version);
}

struct kreg_snapshot *kreg_pin_for_call(struct kreg_client *cl, u64 table, u64 *id)
{
	struct kreg_snapshot *snap;
	u32 ms = CALL_MS;
	u64 pin, version;
	int err = kreg_pin_table(cl, table, &ms, &pin, &version);

	if (err)
		return ERR_PTR(err);
	snap = kreg_snapshot_get(cl, pin, table);
	if (IS_ERR(snap))
		kreg_handle_cancel(cl, pin, true);
	else
		*id = pin;
	return snap;
}

void kreg_pin_end_call(struct kreg_client *cl, struct kreg_snapshot *snap, u64 id)
{
	kreg_snapshot_put(snap);
	kreg_handle_cancel(cl, id, true);
}

int kreg_cmd_pin(struct kreg_call *call)
{
	struct kreg_ioc_pin *arg = call->arg;
	struct kreg_client *cl = call->client;
	u64 id, version;
	u32 ms = arg->ms;
	int err = check_pin(arg) ?: kreg_client_check_mode(cl, FMODE_READ) ?:
		  kreg_pin_table(cl, arg->table, &ms, &id, &version);

	if (err)
		return err;
	arg->out_ms = ms;
	arg->out_id = id;
	arg->out_version = version;
	arg->out_limit = 0;
	arg->out_reserved = 0;
	err = kreg_cmd_answer_from(call, struct kreg_ioc_pin, out_id);
	/* Nobody has learned of it. */
	if (err)
		kreg_handle_cancel(cl, arg->out_id, true);
	return err;
}
