// SPDX-License-Identifier: GPL-2.0
#include <linux/align.h>
#include <linux/err.h>
#include <linux/ktime.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "client/client.h"
#include "client/news.h"
#include "client/user.h"
#include "event/stream.h"
#include "store/gfp.h"
#include "writer/writer.h"

/* Readers that are woken in a caller's context; more are left to a worker. */
#define FEW_READERS	4

/* Two of the longest events, with what is lost at the end of the ring. */
static_assert(KREG_MIN_STREAM >= 2 * (sizeof(struct kreg_event) + KREG_MAX_KEY +
				      KREG_MAX_EVENT_VALUE));

u64 kreg_stream_memory(u32 size)
{
	return sizeof(struct kreg_stream) + size;
}

void kreg_stream_get(struct kreg_stream *s)
{
	refcount_inc(&s->refs);
}

/* In a worker, since the last reference may end where vfree() may not be called. */
static void free_stream(struct work_struct *work)
{
	struct kreg_stream *s = container_of(work, struct kreg_stream, free);

	vfree(s->ring);
	kfree(s);
}

void kreg_stream_put(struct kreg_stream *s)
{
	if (!s || !refcount_dec_and_test(&s->refs))
		return;
	kreg_user_uncharge(s->user, KREG_QUOTA_BYTES, kreg_stream_memory(s->size));
	kreg_user_put(s->user);
	kreg_news_defer(&s->free);
}

static void put_by_acks(struct kreg_news *news)
{
	kreg_stream_put(container_of(news, struct kreg_stream, acks));
}

/* Take the next reader off the list, and wake it if there is something for it. */
static bool wake_next(struct kreg_stream *s)
{
	struct kreg_subscription *sub;
	struct kreg_client *cl = NULL;

	spin_lock(&s->lock);
	sub = list_first_entry_or_null(&s->waking, struct kreg_subscription, armed);
	if (!sub) {
		s->woken = 0;
	} else if (sub->mask & s->woken) {
		list_del_init(&sub->armed);
		cl = sub->handle.client;
		kreg_client_get(cl);
	} else {
		list_move_tail(&sub->armed, &s->armed);
	}
	spin_unlock(&s->lock);
	if (cl)
		kreg_news_wake(&cl->news);
	return sub;
}

static void wake_few(struct kreg_wake *wake)
{
	struct kreg_stream *s = container_of(wake, struct kreg_stream, wake);
	int n = 0;

	while (n < FEW_READERS && wake_next(s))
		n++;
	if (n < FEW_READERS || !kreg_news_defer(&s->many))
		kreg_stream_put(s);
}

static void wake_all(struct work_struct *work)
{
	struct kreg_stream *s = container_of(work, struct kreg_stream, many);

	while (wake_next(s))
		cond_resched();
	kreg_stream_put(s);
}

struct kreg_stream *kreg_stream_alloc(const struct kreg_client *cl, u64 table, u32 size)
{
	struct kreg_stream *s;
	int err;

	s = kzalloc(sizeof(*s), KREG_GFP_USER);
	if (!s)
		return ERR_PTR(-ENOMEM);
	s->ring = __vmalloc(size, KREG_GFP_USER);
	err = s->ring ? kreg_user_charge(cl->user, KREG_QUOTA_BYTES, kreg_stream_memory(size)) :
			-ENOMEM;
	if (err) {
		vfree(s->ring);
		kfree(s);
		return ERR_PTR(err);
	}
	s->user = cl->user;
	refcount_inc(&cl->user->refs);
	s->size = size;
	s->table = table;
	refcount_set(&s->refs, 1);
	spin_lock_init(&s->lock);
	INIT_LIST_HEAD(&s->subscriptions);
	INIT_LIST_HEAD(&s->armed);
	INIT_LIST_HEAD(&s->waking);
	kreg_news_init(&s->acks, put_by_acks);
	kreg_wake_init(&s->wake, wake_few);
	INIT_WORK(&s->many, wake_all);
	INIT_WORK(&s->free, free_stream);
	return s;
}

/* It begins behind one that is not in it, so that who goes on from before learns of a gap. */
void kreg_stream_start(struct kreg_stream *s, u64 seq)
{
	s->seq = seq + 1;
	s->missing = s->seq;
	s->shown_seq = s->seq;
	s->tail_seq = s->seq + 1;
}

/* Drop as many of the oldest events as stand in the way of those up to @end. */
static __always_inline void make_room(struct kreg_stream *s, u64 end)
{
	lockdep_assert_held(&s->lock);
	if (likely(end - s->tail <= s->size))
		return;
	do {
		s->tail += kreg_stream_at(s, s->tail)->size;
	} while (end - s->tail > s->size);
	if (s->tail != s->next && !kreg_stream_at(s, s->tail)->kind)
		s->tail += kreg_stream_at(s, s->tail)->size;
	s->tail_seq = s->tail == s->next ? s->seq : kreg_stream_at(s, s->tail)->seq;
}

/* Room for @size bytes in a row, behind which @next stands then. */
static __always_inline void *take_room(struct kreg_stream *s, u32 size)
{
	u32 at = s->next & (s->size - 1), left = s->size - at;
	u32 skip = unlikely(left < size) ? left : 0;
	struct kreg_event *rest = (void *)(s->ring + at);

	make_room(s, s->next + skip + size);
	if (unlikely(skip)) {
		/* Events are multiples of 8 bytes, and so is this. */
		rest->size = skip;
		rest->kind = 0;
		if (s->tail == s->next)
			s->tail += skip;
		s->next += skip;
		at = 0;
	}
	s->next += size;
	return s->ring + at;
}

static __always_inline void write_event(struct kreg_event *to, const struct kreg_stream_event *e,
					u32 size, u64 seq, u64 table)
{
	bool cut = e->value_len > KREG_MAX_EVENT_VALUE;
	u8 *tail = (u8 *)(to + 1);

	to->size = size;
	to->kind = e->kind;
	to->flags = e->flags | (cut ? KREG_EVENT_CUT : 0);
	to->seq = seq;
	to->time_ns = ktime_get_ns();
	to->table = table;
	to->process = e->process;
	to->cause = e->cause;
	to->status = e->status;
	to->key_len = e->key_len;
	to->value_len = e->value_len;
	to->version = e->version;
	/* The padding first, whose last word key and value reach into. */
	if (size > sizeof(*to))
		*(u64 *)((u8 *)to + size - 8) = 0;
	memcpy(tail, e->key, e->key_len);
	if (!cut)
		memcpy(tail + e->key_len, e->value, e->value_len);
}

#ifdef KREG_DEBUG
/* So many events are between two walks over the ring. */
#define VERIFY_EVENTS	64

/*
 * What is in the ring is in a row, from one event to the next; what is not shown yet, of a write
 * that is under way, comes last. Such a write may run over all that is shown.
 */
static void verify_ring(struct kreg_stream *s)
{
	u64 at = s->tail;

	lockdep_assert_held(&s->lock);
	WARN_ON(s->tail > s->next || s->head > s->next || s->next - s->tail > s->size);
	WARN_ON(!s->fresh && s->head != s->next);
	if (s->seq % VERIFY_EVENTS)
		return;
	while (at < s->next && kreg_stream_at(s, at)->size)
		at += kreg_stream_at(s, at)->size;
	WARN_ON(at != s->next);
}
#else
static inline void verify_ring(struct kreg_stream *s)
{
}
#endif

static __always_inline void put_event(struct kreg_stream *s, const struct kreg_stream_event *e)
{
	u32 value = e->value_len > KREG_MAX_EVENT_VALUE ? 0 : e->value_len;
	u32 size = sizeof(struct kreg_event) + ALIGN(e->key_len + value, 8);
	unsigned int kind = e->kind - KREG_EVENT_CREATE;

	lockdep_assert_held(&s->lock);
	verify_ring(s);
	WRITE_ONCE(s->seq, s->seq + 1);
	write_event(take_room(s, size), e, size, s->seq, s->table);
	s->added[kind] = s->seq;
	s->fresh |= BIT(kind);
}

/* Whether anybody has asked for it. If not it is counted, and that is all. */
static bool is_wanted(struct kreg_stream *s, const struct kreg_stream_event *e)
{
	if (READ_ONCE(s->mask) & KREG_STREAM_BIT(e->kind))
		return true;
	WRITE_ONCE(s->seq, s->seq + 1);
	s->missing = s->seq;
	return false;
}

/*
 * Have those woken who sleep, if they have asked for one of @kinds. True: nobody does that yet.
 * Who was chosen before and has not been looked at counts as one of them.
 */
static bool choose_readers(struct kreg_stream *s, u16 kinds)
{
	bool sleeps = !list_empty(&s->armed);

	if (likely(!sleeps && list_empty(&s->waking)))
		return false;
	s->woken |= kinds;
	list_splice_tail_init(&s->armed, &s->waking);
	return sleeps;
}

static __always_inline bool show_events(struct kreg_stream *s)
{
	unsigned int left = s->fresh;

	lockdep_assert_held(&s->lock);
	for (; left; left &= left - 1)
		s->shown[__ffs(left)] = s->added[__ffs(left)];
	s->head = s->next;
	s->shown_seq = s->seq;
	left = s->fresh;
	s->fresh = 0;
	return choose_readers(s, left);
}

static void wake_readers(struct kreg_stream *s, struct kreg_writer *w)
{
	kreg_stream_get(s);
	if (!kreg_wake_later(w, &s->wake))
		kreg_stream_put(s);
}

void kreg_stream_wake_acks(struct kreg_stream *s)
{
	kreg_stream_get(s);
	kreg_news_wake(&s->acks);
}

bool kreg_stream_append(struct kreg_stream *s, struct kreg_writer *w,
			const struct kreg_stream_event *e)
{
	bool wake;

	kreg_writer_assert(w);
	if (!is_wanted(s, e))
		return false;
	spin_lock(&s->lock);
	put_event(s, e);
	wake = show_events(s);
	spin_unlock(&s->lock);
	if (wake)
		wake_readers(s, w);
	return true;
}

void kreg_stream_add(struct kreg_stream *s, const struct kreg_stream_event *e)
{
	if (!is_wanted(s, e))
		return;
	spin_lock(&s->lock);
	put_event(s, e);
	spin_unlock(&s->lock);
}

void kreg_stream_show(struct kreg_stream *s, struct kreg_writer *w)
{
	bool wake;

	kreg_writer_assert(w);
	if (!s->fresh)
		return;
	spin_lock(&s->lock);
	wake = show_events(s);
	spin_unlock(&s->lock);
	if (wake)
		wake_readers(s, w);
}

/* All who sleep are woken, whatever they have asked for. */
void kreg_stream_narrow(struct kreg_stream *s, struct kreg_writer *w)
{
	bool wake;

	kreg_writer_assert(w);
	spin_lock(&s->lock);
	/* Pairs with kreg_subscription_rights(). */
	smp_store_release(&s->rights, s->rights + 1);
	wake = choose_readers(s, ~0);
	spin_unlock(&s->lock);
	if (wake)
		wake_readers(s, w);
}

void kreg_stream_forget(struct kreg_stream *s)
{
	spin_lock(&s->lock);
	s->tail = s->next;
	s->tail_seq = s->seq + 1;
	s->missing = s->seq;
	spin_unlock(&s->lock);
}

void kreg_stream_end(struct kreg_stream *s, struct kreg_writer *w, enum kreg_cause cause,
		     u64 version)
{
	bool wake;

	kreg_writer_assert(w);
	spin_lock(&s->lock);
	s->gone = true;
	s->gone_cause = cause;
	s->gone_version = version;
	s->gone_ns = ktime_get_ns();
	wake = choose_readers(s, ~0);
	spin_unlock(&s->lock);
	if (wake)
		wake_readers(s, w);
}

bool kreg_stream_is_idle(struct kreg_stream *s)
{
	bool idle;

	spin_lock(&s->lock);
	idle = !s->nr_subscriptions && !s->kept;
	spin_unlock(&s->lock);
	return idle;
}
