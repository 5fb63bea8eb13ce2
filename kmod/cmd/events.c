// SPDX-License-Identifier: GPL-2.0
/* The events of a client's subscriptions, on their way to its reader. */
#include <linux/err.h>
#include <linux/sched.h>
#include <linux/uaccess.h>

#include "client/client.h"
#include "client/clock.h"
#include "cmd/events.h"
#include "cmd/find.h"
#include "event/acks.h"
#include "event/subscription.h"
#include "table/publish.h"

/* RCU. Note whether @cl may read still. -EINPROGRESS: its owner is dead, which comes first. */
static int note_read_rights(struct kreg_client *cl, struct kreg_subscription *sub)
{
	u64 rights = kreg_subscription_rights(sub);
	struct kreg_table *t;
	int err = kreg_find_readable(cl, sub->stream->table, &t);

	/* Of what is gone the stream knows more. */
	if (!err || err == -EACCES)
		kreg_subscription_set_rights(sub, rights, err);
	return err;
}

static int look_at_rights(struct kreg_client *cl, struct kreg_subscription *sub)
{
	int err;

	do {
		rcu_read_lock();
		err = note_read_rights(cl, sub);
		rcu_read_unlock();
		if (err == -EINPROGRESS)
			err = kreg_find_settle(cl, sub->stream->table) == -EINTR ? -EINTR : -EAGAIN;
	} while (err == -EAGAIN);
	return err == -EINTR ? err : 0;
}

static int look_into(struct kreg_client *cl, struct kreg_subscription *sub, void *bytes,
		     size_t len, struct kreg_subscription_look *look)
{
	int err;

	while ((err = kreg_subscription_look(sub, bytes, len, look)) == KREG_SUBSCRIPTION_RIGHTS) {
		err = look_at_rights(cl, sub);
		if (err)
			return err;
	}
	return err;
}

static struct kreg_subscription *subscription_of(struct kreg_handle *h)
{
	return container_of(h, struct kreg_subscription, handle);
}

int kreg_events_ack(struct kreg_client *cl, u64 id, u64 seq)
{
	struct kreg_handle *h = kreg_handle_find(cl, id);

	if (IS_ERR(h))
		return PTR_ERR(h);
	if (h->ops != &kreg_events_handle_ops)
		return -EINVAL;
	return kreg_acks_give(subscription_of(h), seq);
}

/* What only the reader knows of its events. */
static void complete_events(const struct kreg_subscription *sub, void *bytes, u32 len)
{
	struct kreg_event *e;
	u32 at;

	for (at = 0; at < len; at += e->size) {
		e = bytes + at;
		e->time_ns = kreg_clock_to_user(ns_to_ktime(e->time_ns));
		e->table = sub->stream->table;
		e->id = sub->handle.id;
		e->udata = sub->udata;
	}
}

static void end_subscription(struct kreg_subscription *sub)
{
	struct kreg_client *cl = sub->handle.client;
	struct kreg_stream *s = sub->stream;

	kreg_stream_get(s);
	kreg_subscription_end(sub);
	kreg_table_drop_stream(cl->ns, s);
	kreg_stream_put(s);
}

static int cancel_subscription(struct kreg_handle *h, bool flush)
{
	end_subscription(subscription_of(h));
	return 0;
}

static void end_with_client(struct kreg_handle *h)
{
	end_subscription(subscription_of(h));
}

const struct kreg_handle_ops kreg_events_handle_ops = {
	.cancel = cancel_subscription,
	.end = end_with_client,
};

static ssize_t read_events(struct kreg_client *cl, struct kreg_subscription *sub, void *bytes,
			   char __user *buf, size_t len)
{
	struct kreg_subscription_look look;
	int err = look_into(cl, sub, bytes, len, &look);

	if (err || !look.len)
		return err;
	complete_events(sub, bytes, look.len);
	if (copy_to_user(buf, bytes, look.len))
		return -EFAULT;
	if (look.ends)
		end_subscription(sub);
	else
		kreg_subscription_advance(sub, &look);
	return look.len;
}

/*
 * Only under client->reading are any taken off the list, or is its order changed; others are
 * added at its end. The one behind @sub; NULL: the first one, there is none.
 */
static struct kreg_subscription *next_subscription(struct kreg_client *cl,
						   const struct kreg_subscription *sub)
{
	const struct list_head *at = sub ? &sub->of_client : &cl->subscriptions;
	struct kreg_subscription *next = NULL;

	lockdep_assert_held(&cl->reading);
	spin_lock(&cl->subscriptions_lock);
	if (!list_is_last(at, &cl->subscriptions))
		next = list_entry(at->next, struct kreg_subscription, of_client);
	spin_unlock(&cl->subscriptions_lock);
	return next;
}

static struct kreg_subscription *first_subscription(struct kreg_client *cl)
{
	return next_subscription(cl, NULL);
}

static void move_to_end(struct kreg_client *cl, struct kreg_subscription *sub)
{
	spin_lock(&cl->subscriptions_lock);
	list_move_tail(&sub->of_client, &cl->subscriptions);
	spin_unlock(&cl->subscriptions_lock);
}

/* A piece of each in turns, until the room is full or a whole round has brought nothing. */
static ssize_t read_in_turns(struct kreg_client *cl, void *bytes, char __user *buf, size_t len)
{
	unsigned int left = READ_ONCE(cl->nr_subscriptions);
	struct kreg_subscription *sub;
	size_t done = 0;
	ssize_t n;

	while (left && (sub = first_subscription(cl))) {
		n = read_events(cl, sub, bytes, buf + done, len - done);
		/* What is first now is first in the next call. */
		if (n < 0)
			return done ?: n;
		if (sub == first_subscription(cl))
			move_to_end(cl, sub);
		done += n;
		left = n ? READ_ONCE(cl->nr_subscriptions) : left - 1;
		cond_resched();
	}
	return done;
}

ssize_t kreg_events_read(struct kreg_client *cl, char __user *buf, size_t len)
{
	ssize_t ret;
	void *bytes;

	if (list_empty(&cl->subscriptions))
		return 0;
	bytes = kreg_scratch_get(&cl->call, KREG_SUBSCRIPTION_ROOM);
	if (!bytes)
		return -ENOMEM;
	ret = read_in_turns(cl, bytes, buf, len);
	kreg_scratch_put(&cl->call, bytes);
	return ret;
}

/* Also if it is for the reader to see that the owner's death is handled. */
static bool is_ready(struct kreg_client *cl, struct kreg_subscription *sub)
{
	int err = 0;

	if (kreg_subscription_wants_rights(sub)) {
		rcu_read_lock();
		err = note_read_rights(cl, sub);
		rcu_read_unlock();
	}
	return err == -EINPROGRESS || kreg_subscription_ready(sub);
}

bool kreg_events_ready(struct kreg_client *cl)
{
	struct kreg_subscription *sub;
	bool ready = false;

	if (list_empty(&cl->subscriptions))
		return false;
	spin_lock(&cl->subscriptions_lock);
	list_for_each_entry(sub, &cl->subscriptions, of_client) {
		ready = is_ready(cl, sub);
		if (ready)
			break;
	}
	spin_unlock(&cl->subscriptions_lock);
	return ready;
}

static bool has_dead_owner(struct kreg_client *cl, const struct kreg_subscription *sub)
{
	struct kreg_table *t;
	int err;

	rcu_read_lock();
	err = kreg_find_readable(cl, sub->stream->table, &t);
	rcu_read_unlock();
	return err == -EINPROGRESS;
}

int kreg_events_settle(struct kreg_client *cl)
{
	struct kreg_subscription *sub = NULL;
	int err = 0;

	if (list_empty(&cl->subscriptions))
		return 0;
	if (mutex_lock_interruptible(&cl->reading))
		return -ERESTARTSYS;
	while (err != -EINTR && (sub = next_subscription(cl, sub)))
		if (has_dead_owner(cl, sub))
			err = kreg_find_settle(cl, sub->stream->table);
	mutex_unlock(&cl->reading);
	return err == -EINTR ? err : 0;
}

void kreg_events_end_all(struct kreg_client *cl)
{
	struct kreg_subscription *sub;

	if (list_empty(&cl->subscriptions))
		return;
	mutex_lock(&cl->reading);
	while ((sub = first_subscription(cl)))
		end_subscription(sub);
	mutex_unlock(&cl->reading);
}
