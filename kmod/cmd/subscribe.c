// SPDX-License-Identifier: GPL-2.0
/* SUBSCRIBE: to what happens to a table. */
#include <linux/err.h>

#include "client/client.h"
#include "client/user.h"
#include "cmd/cmd.h"
#include "cmd/events.h"
#include "cmd/find.h"
#include "cmd/sync.h"
#include "event/subscription.h"
#include "table/access.h"
#include "table/publish.h"
#include "table/request.h"
#include "table/table.h"

static int check_subscribe(const struct kreg_ioc_subscribe *arg)
{
	if (arg->flags & ~KREG_SUBSCRIBE_ALL || arg->mask & ~KREG_SUBSCRIBE_KINDS || arg->reserved)
		return -EOPNOTSUPP;
	if (!arg->mask || (arg->after_seq && !(arg->flags & KREG_SUBSCRIBE_REPLAY)))
		return -EINVAL;
	return 0;
}

/* What the caller has brought is used, or it is told to bring a stream: -EAGAIN. */
static int apply_subscribe(struct kreg_table_req *c)
{
	struct kreg_table *t = c->table;
	int err = kreg_table_may_read(t, c->client);
	bool is_first;

	if (err)
		return err;
	if (!t->stream && !c->stream)
		return -EAGAIN;
	is_first = !t->stream;
	if (is_first)
		kreg_table_set_stream(t, c->stream);
	err = kreg_subscription_start(c->subscription, t->stream, c->value, c->value2);
	if (err) {
		if (is_first)
			kreg_table_unset_stream(t);
		return err;
	}
	if (is_first)
		c->stream = NULL;
	c->subscription = NULL;
	c->value = t->stream->seq;
	c->value2 = t->store.version;
	return 0;
}

static int bring_stream(struct kreg_table_req *c)
{
	struct kreg_client *cl = c->client;
	struct kreg_stream *s;
	int err;

	err = kreg_sync_make_room(cl->user, KREG_QUOTA_BYTES,
				  kreg_stream_memory(KREG_STREAM_BYTES));
	if (err)
		return err;
	s = kreg_stream_alloc(cl, c->table->id, KREG_STREAM_BYTES);
	if (IS_ERR(s))
		return PTR_ERR(s);
	c->stream = s;
	return 0;
}

static int bring_subscription(struct kreg_table_req *c, struct kreg_ioc_subscribe *arg)
{
	struct kreg_subscription *sub;

	sub = kreg_subscription_alloc(c->client, &kreg_events_handle_ops, arg->mask, arg->flags,
				      arg->udata);
	if (IS_ERR(sub))
		return PTR_ERR(sub);
	c->subscription = sub;
	c->value = !!(arg->flags & KREG_SUBSCRIBE_REPLAY);
	c->value2 = arg->after_seq;
	arg->out_id = sub->handle.id;
	return 0;
}

/* A stream that others have is found, as of this moment, or one is brought along. */
static int subscribe_once(struct kreg_client *cl, struct kreg_table *t,
			  struct kreg_ioc_subscribe *arg)
{
	struct kreg_table_req *c = kreg_table_req_alloc(cl, t, apply_subscribe);
	int err;

	if (!c)
		return -ENOMEM;
	err = kreg_table_may_read(t, cl) ?: bring_subscription(c, arg);
	if (!err && !READ_ONCE(t->stream))
		err = bring_stream(c);
	if (err)
		return kreg_table_req_cancel(c, err);
	err = kreg_writer_submit(t->writer, &c->req);
	if (!err) {
		arg->out_seq = c->value;
		arg->out_version = c->value2;
	}
	kreg_table_req_end(c, err);
	return err;
}

static int subscribe_table(struct kreg_client *cl, struct kreg_ioc_subscribe *arg)
{
	struct kreg_table *t;
	int err;

	do {
		t = kreg_find_table(cl, arg->table);
		if (IS_ERR(t))
			return PTR_ERR(t);
		err = subscribe_once(cl, t, arg);
	} while (err == -EAGAIN);
	return err;
}

int kreg_cmd_ack(struct kreg_call *call)
{
	const struct kreg_ioc_ack *arg = call->arg;
	struct kreg_client *cl = call->client;
	int err = arg->flags ? -EOPNOTSUPP : kreg_client_check_mode(cl, FMODE_READ);

	if (err)
		return err;
	if (mutex_lock_killable(&cl->reading))
		return -EINTR;
	err = kreg_events_ack(cl, arg->id, arg->seq);
	mutex_unlock(&cl->reading);
	return err;
}

int kreg_cmd_subscribe(struct kreg_call *call)
{
	struct kreg_ioc_subscribe *arg = call->arg;
	int err = check_subscribe(arg) ?: kreg_client_check_mode(call->client, FMODE_READ);

	if (!err)
		err = subscribe_table(call->client, arg);
	if (err)
		return err;
	arg->out_limit = 0;
	arg->out_reserved = 0;
	err = kreg_cmd_answer_from(call, struct kreg_ioc_subscribe, out_id);
	/* Nobody has learned of it. */
	if (err) {
		kreg_handle_cancel(call->client, arg->out_id, true);
		return err;
	}
	/* Who waits already has looked before, and is told of events when he has looked again. */
	kreg_client_get(call->client);
	kreg_news_wake(&call->client->news);
	return 0;
}
