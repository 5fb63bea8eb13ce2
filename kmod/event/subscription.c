// SPDX-License-Identifier: GPL-2.0
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "client/client.h"
#include "client/limits.h"
#include "client/user.h"
#include "event/subscription.h"
#include "store/gfp.h"

/* Events that are passed over, since nobody asked for them, in one hold of the lock. */
#define PASS_EVENTS	32

static_assert(sizeof(struct kreg_event) + KREG_MAX_KEY + KREG_MAX_EVENT_VALUE <=
	      KREG_SUBSCRIPTION_ROOM);

static int count_subscription(struct kreg_client *cl)
{
	int err = 0;

	spin_lock(&cl->subscriptions_lock);
	if (cl->nr_subscriptions >= READ_ONCE(kreg_limits.subscriptions))
		err = kreg_over_limit(KREG_LIMIT_SUBSCRIPTIONS);
	else
		cl->nr_subscriptions++;
	spin_unlock(&cl->subscriptions_lock);
	return err;
}

static void uncount_subscription(struct kreg_client *cl)
{
	spin_lock(&cl->subscriptions_lock);
	cl->nr_subscriptions--;
	spin_unlock(&cl->subscriptions_lock);
}

static int charge_subscription(struct kreg_client *cl)
{
	int err = count_subscription(cl);

	if (err)
		return err;
	err = kreg_user_charge(cl->user, KREG_QUOTA_BYTES, sizeof(struct kreg_subscription));
	if (err)
		uncount_subscription(cl);
	return err;
}

static void uncharge_subscription(struct kreg_client *cl)
{
	kreg_user_uncharge(cl->user, KREG_QUOTA_BYTES, sizeof(struct kreg_subscription));
	uncount_subscription(cl);
}

struct kreg_subscription *kreg_subscription_alloc(struct kreg_client *cl,
						  const struct kreg_handle_ops *ops,
						  u32 mask, u32 flags, u64 udata)
{
	struct kreg_subscription *sub;
	int err;

	sub = kzalloc(sizeof(*sub), KREG_GFP_USER);
	if (!sub)
		return ERR_PTR(-ENOMEM);
	INIT_LIST_HEAD(&sub->of_client);
	INIT_LIST_HEAD(&sub->of_stream);
	INIT_LIST_HEAD(&sub->armed);
	sub->mask = mask;
	sub->udata = udata;
	sub->flags = flags;
	sub->handle.ops = ops;
	err = charge_subscription(cl);
	if (err)
		goto free;
	err = kreg_handle_reserve(cl, &sub->handle);
	if (err)
		goto uncharge;
	return sub;

uncharge:
	uncharge_subscription(cl);
free:
	kfree(sub);
	return ERR_PTR(err);
}

void kreg_subscription_free(struct kreg_subscription *sub)
{
	if (!sub)
		return;
	kreg_handle_remove(&sub->handle);
	uncharge_subscription(sub->handle.client);
	kreg_stream_put(sub->stream);
	kfree(sub);
}

/* One more, or one less, who asks for the kinds of @sub. */
static void count_kinds(struct kreg_stream *s, const struct kreg_subscription *sub, int n)
{
	unsigned int kind;

	lockdep_assert_held(&s->lock);
	for (kind = 0; kind < KREG_STREAM_KINDS; kind++) {
		if (!(sub->mask & BIT(kind)))
			continue;
		s->wanted[kind] += n;
		if (s->kept || s->wanted[kind])
			WRITE_ONCE(s->mask, s->mask | BIT(kind));
		else
			WRITE_ONCE(s->mask, s->mask & ~BIT(kind));
	}
	s->nr_subscriptions += n;
}

static int begin_reading(struct kreg_subscription *sub, struct kreg_stream *s, bool replay,
			 u64 after)
{
	u64 lost = max(s->tail_seq - 1, s->missing);

	lockdep_assert_held(&s->lock);
	if (s->nr_subscriptions >= READ_ONCE(kreg_limits.table_subscriptions))
		return kreg_over_limit(KREG_LIMIT_TABLE_SUBSCRIPTIONS);
	if (replay && after > s->seq)
		return -EINVAL;
	sub->pos = replay ? s->tail : s->next;
	sub->next_seq = (replay ? after : s->seq) + 1;
	sub->lost_seq = lost >= sub->next_seq ? lost : 0;
	sub->rights = s->rights;
	sub->began = s->seq;
	list_add_tail(&sub->of_stream, &s->subscriptions);
	count_kinds(s, sub, 1);
	return 0;
}

int kreg_subscription_start(struct kreg_subscription *sub, struct kreg_stream *s, bool replay,
			    u64 after)
{
	struct kreg_client *cl = sub->handle.client;
	int err;

	spin_lock(&s->lock);
	err = begin_reading(sub, s, replay, after);
	spin_unlock(&s->lock);
	if (err)
		return err;
	kreg_stream_get(s);
	sub->stream = s;
	spin_lock(&cl->subscriptions_lock);
	list_add_tail(&sub->of_client, &cl->subscriptions);
	spin_unlock(&cl->subscriptions_lock);
	kreg_handle_publish(&sub->handle);
	return 0;
}

void kreg_subscription_end(struct kreg_subscription *sub)
{
	struct kreg_client *cl = sub->handle.client;
	struct kreg_stream *s = sub->stream;

	spin_lock(&cl->subscriptions_lock);
	list_del_init(&sub->of_client);
	spin_unlock(&cl->subscriptions_lock);
	spin_lock(&s->lock);
	list_del_init(&sub->of_stream);
	list_del_init(&sub->armed);
	count_kinds(s, sub, -1);
	spin_unlock(&s->lock);
	if (sub->flags & KREG_SUBSCRIBE_ACK)
		kreg_stream_wake_acks(s);
	kreg_subscription_free(sub);
}

/* Whether one of its kinds, with the next number or a later one, has been shown. */
static bool has_event(const struct kreg_subscription *sub)
{
	const struct kreg_stream *s = sub->stream;
	unsigned int kind;

	for (kind = 0; sub->mask >> kind; kind++)
		if (sub->mask & BIT(kind) && s->shown[kind] >= sub->next_seq)
			return true;
	return false;
}

static bool has_old_rights(const struct kreg_subscription *sub)
{
	return sub->rights != READ_ONCE(sub->stream->rights);
}

/*
 * Leave out what is not in the ring any more. A batch that is not shown yet may have taken the
 * place of all that is. Who has not looked at his rights before the end of the table gets
 * nothing of what is left.
 */
static void skip_lost(struct kreg_subscription *sub)
{
	const struct kreg_stream *s = sub->stream;
	u64 to = min(s->tail, s->head), seq = min(s->tail_seq - 1, s->shown_seq);

	if (has_old_rights(sub)) {
		to = s->head;
		seq = s->shown_seq;
	}
	if (sub->pos >= to)
		return;
	sub->pos = to;
	if (has_event(sub))
		sub->lost_seq = max(sub->lost_seq, seq);
	else
		sub->next_seq = max(sub->next_seq, seq + 1);
}

/* A record that is made when it is read. */
static int make_record(struct kreg_subscription_look *look, void *bytes, size_t len,
		       const struct kreg_event *e)
{
	if (len < sizeof(*e))
		return -EMSGSIZE;
	memcpy(bytes, e, sizeof(*e));
	look->len = sizeof(*e);
	return 0;
}

static int make_overflow(const struct kreg_subscription *sub, struct kreg_subscription_look *look,
			 void *bytes, size_t len)
{
	struct kreg_event e = {
		.size = sizeof(e),
		.kind = KREG_EVENT_OVERFLOW,
		.seq = sub->next_seq,
		.version = sub->lost_seq,
		.time_ns = ktime_get_ns(),
	};

	look->next_seq = sub->lost_seq + 1;
	return make_record(look, bytes, len, &e);
}

static int make_gone(const struct kreg_subscription *sub, struct kreg_subscription_look *look,
		     void *bytes, size_t len)
{
	const struct kreg_stream *s = sub->stream;
	struct kreg_event e = {
		.size = sizeof(e),
		.kind = KREG_EVENT_GONE,
		.seq = look->next_seq,
		.version = sub->denied ? 0 : s->gone_version,
		.time_ns = sub->denied ? ktime_get_ns() : s->gone_ns,
		.cause = sub->denied ? KREG_CAUSE_ACCESS : s->gone_cause,
	};

	look->ends = true;
	return make_record(look, bytes, len, &e);
}

/*
 * Copy events from where @look stands, as many as fit. 0: there are no more; -EMSGSIZE: the
 * next one does not fit; -EAGAIN: there may be some in another hold of the lock.
 */
static int copy_events(const struct kreg_subscription *sub, struct kreg_subscription_look *look,
		       void *bytes, size_t len)
{
	const struct kreg_stream *s = sub->stream;
	const struct kreg_event *e;
	int passed = 0;

	for (; look->pos < s->head; look->pos += e->size) {
		e = kreg_stream_at(s, look->pos);
		if (unlikely(!e->kind || !(sub->mask & KREG_STREAM_BIT(e->kind)) ||
			     e->seq < look->next_seq)) {
			if (passed++ == PASS_EVENTS)
				return -EAGAIN;
			continue;
		}
		if (e->size > len - look->len)
			return -EMSGSIZE;
		memcpy(bytes + look->len, e, e->size);
		look->len += e->size;
		look->next_seq = e->seq + 1;
	}
	/* What was passed over on the way here was not asked for. */
	look->next_seq = max(look->next_seq, s->shown_seq + 1);
	return 0;
}

static int look_once(struct kreg_subscription *sub, void *bytes, size_t len,
		     struct kreg_subscription_look *look)
{
	const struct kreg_stream *s = sub->stream;
	int err;

	lockdep_assert_held(&s->lock);
	if (!sub->denied) {
		if (!s->gone && has_old_rights(sub))
			return KREG_SUBSCRIPTION_RIGHTS;
		skip_lost(sub);
	}
	*look = (struct kreg_subscription_look) { .pos = sub->pos, .next_seq = sub->next_seq };
	if (sub->denied)
		return make_gone(sub, look, bytes, len);
	if (sub->lost_seq >= sub->next_seq)
		return make_overflow(sub, look, bytes, len);
	err = copy_events(sub, look, bytes, len);
	if (look->len)
		return 0;
	/* What was only passed over is behind the reader at once. */
	sub->pos = look->pos;
	sub->next_seq = look->next_seq;
	return err || !s->gone ? err : make_gone(sub, look, bytes, len);
}

int kreg_subscription_look(struct kreg_subscription *sub, void *bytes, size_t len,
			   struct kreg_subscription_look *look)
{
	struct kreg_stream *s = sub->stream;
	int err;

	len = min_t(size_t, len, KREG_SUBSCRIPTION_ROOM);
	do {
		spin_lock(&s->lock);
		err = look_once(sub, bytes, len, look);
		spin_unlock(&s->lock);
	} while (err == -EAGAIN);
	return err;
}

void kreg_subscription_advance(struct kreg_subscription *sub,
			       const struct kreg_subscription_look *look)
{
	spin_lock(&sub->stream->lock);
	sub->pos = look->pos;
	sub->next_seq = look->next_seq;
	spin_unlock(&sub->stream->lock);
}

u64 kreg_subscription_rights(const struct kreg_subscription *sub)
{
	/* Pairs with kreg_stream_narrow(): who reads the new number finds the new rights. */
	return smp_load_acquire(&sub->stream->rights);
}

void kreg_subscription_set_rights(struct kreg_subscription *sub, u64 rights, bool denied)
{
	spin_lock(&sub->stream->lock);
	sub->rights = rights;
	sub->denied |= denied;
	spin_unlock(&sub->stream->lock);
}

bool kreg_subscription_wants_rights(const struct kreg_subscription *sub)
{
	return has_old_rights(sub) && !READ_ONCE(sub->stream->gone) && !READ_ONCE(sub->denied);
}

bool kreg_subscription_ready(struct kreg_subscription *sub)
{
	struct kreg_stream *s = sub->stream;
	bool ready;

	spin_lock(&s->lock);
	ready = s->gone || sub->denied || has_old_rights(sub) ||
		sub->lost_seq >= sub->next_seq || has_event(sub);
	if (!ready && list_empty(&sub->armed))
		list_add_tail(&sub->armed, &s->armed);
	spin_unlock(&s->lock);
	return ready;
}
