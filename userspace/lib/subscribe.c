/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Subscriptions: what they are asked for with, which events are theirs, and acknowledging. */
#include <errno.h>
#include <stdlib.h>

#include "internal.h"

/* What changes objects; all of it is read until a program knows what is there. */
#define CHANGES	(KREG_SUBSCRIBE_KIND(KREG_EVENT_CREATE) | KREG_SUBSCRIBE_KIND(KREG_EVENT_UPDATE) | \
		 KREG_SUBSCRIBE_KIND(KREG_EVENT_DELETE) | KREG_SUBSCRIBE_KIND(KREG_EVENT_EXIT) | \
		 KREG_SUBSCRIBE_KIND(KREG_EVENT_CLEAR) | KREG_SUBSCRIBE_KIND(KREG_EVENT_EXPIRED))

/* OVERFLOW is acknowledged by the number of the last event that is lost. */
static uint64_t ack_number(const struct kreg_event *event)
{
	return event->kind == KREG_EVENT_OVERFLOW ? event->version : event->seq;
}

static bool is_wanted(const struct subscription *s, const struct kreg_event *event)
{
	if (event->kind == KREG_EVENT_GONE || event->kind == KREG_EVENT_OVERFLOW)
		return true;
	if (!(s->kinds & KREG_SUBSCRIBE_KIND(event->kind)))
		return false;
	return !s->present || !kreg_present_covers(s->present, event);
}

/* It is not handed out; it may be acknowledged as soon as all before it are. */
static enum whose pass_over(struct subscription *s, uint64_t seq, struct taken *taken)
{
	if (!(s->flags & KREG_SUBSCRIBE_ACK))
		return OF_PASSED;
	if (s->acked >= s->handed)
		taken->ack = seq;
	else
		s->passed_over = seq;
	return OF_PASSED;
}

enum whose kreg_subscription_take(struct subscription *s, const struct kreg_event *event,
				  struct taken *taken)
{
	uint64_t seq = ack_number(event);
	bool wanted;

	if (s->present && !kreg_present_is_told(s->present))
		return OF_LATER;
	if (s->denied)
		return OF_PASSED;
	wanted = is_wanted(s, event);
	/* What a CLEAR has left is told anew by the events behind it. */
	if (s->present && (kreg_present_is_past(s->present, event) ||
			   (wanted && event->kind == KREG_EVENT_CLEAR)))
		kreg_present_end(NULL, s);
	if (!wanted)
		return pass_over(s, seq, taken);
	s->made = false;
	if (!(s->flags & KREG_SUBSCRIBE_ACK) || event->kind == KREG_EVENT_GONE)
		return OF_REF;
	s->handed = seq;
	if (taken->fn) {
		s->acked = seq;
		taken->ack = seq;
	}
	return OF_REF;
}

/*
 * What is there before the first event does not make the client readable. The record of a
 * process that never was does, and is dropped when it is read, since no ref has its id.
 */
static int make_readable(struct kreg_client *client)
{
	struct kreg_ioc_watch watch = {
		.size = sizeof(watch),
		.kind = KREG_WATCH_PROCESS,
		.process = { .pid = 1, .cookie = UINT64_MAX },
	};

	return kreg_ioctl(client, KREG_IOC_WATCH, &watch);
}

static void end_again(struct kreg_client *client, uint64_t id)
{
	struct kreg_ioc_cancel cancel = { .size = sizeof(cancel), .id = id };

	kreg_ioctl(client, KREG_IOC_CANCEL, &cancel);
}

static int ask_kernel(struct kreg_table *table, struct subscription *s, uint64_t after_seq,
		      uint64_t *id)
{
	struct kreg_ioc_subscribe io = {
		.size = sizeof(io),
		.flags = s->flags & ~KREG_SUBSCRIBE_PRESENT,
		.table = table->id,
		.mask = s->kinds,
		.after_seq = after_seq,
	};
	int ret;

	if (s->present)
		io.mask |= CHANGES;
	ret = kreg_ioctl(table->client, KREG_IOC_SUBSCRIBE, &io);
	if (ret)
		return ret;
	*id = io.out_id;
	if (!s->present)
		return 0;
	kreg_present_set(s->present, io.out_seq, io.out_version);
	ret = kreg_present_fetch(s->present, table);
	if (!ret)
		ret = make_readable(table->client);
	if (ret)
		end_again(table->client, io.out_id);
	return ret;
}

static int check_flags(unsigned int kinds, unsigned int flags, uint64_t after_seq)
{
	if (!kinds)
		return kreg_cause(-EINVAL, "no kind of event is asked for");
	if (flags & KREG_SUBSCRIBE_PRESENT && flags & KREG_SUBSCRIBE_REPLAY)
		return kreg_cause(-EINVAL,
				  "KREG_SUBSCRIBE_PRESENT does not go with KREG_SUBSCRIBE_REPLAY");
	if (after_seq && !(flags & KREG_SUBSCRIBE_REPLAY))
		return kreg_cause(-EINVAL,
				  "the number of an event goes with KREG_SUBSCRIBE_REPLAY alone");
	return 0;
}

static int new_subscription(struct kreg_table *table, unsigned int kinds, unsigned int flags,
			    uint64_t after_seq, struct subscription **out)
{
	struct subscription *s;
	int ret;

	ret = check_flags(kinds, flags, after_seq);
	if (ret)
		return ret;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->kinds = kinds;
	s->flags = flags;
	if (flags & KREG_SUBSCRIBE_PRESENT)
		ret = kreg_present_new(table, &s->present);
	if (ret)
		free(s);
	else
		*out = s;
	return ret;
}

static int subscribe(struct kreg_table *table, struct subscription *s, uint64_t after_seq,
		     kreg_event_fn fn, void *arg, struct kreg_ref **out)
{
	struct kreg_ref *ref = kreg_ref_begin(table->client, fn, arg);
	uint64_t id;
	int ret;

	if (!ref)
		return -ENOMEM;
	ret = ask_kernel(table, s, after_seq, &id);
	if (ret) {
		kreg_ref_abort(ref);
		return ret;
	}
	ref->subscription = s;
	kreg_ref_commit(ref, id, out);
	return 0;
}

int kreg_subscribe(struct kreg_table *table, unsigned int kinds, unsigned int flags,
		   uint64_t after_seq, kreg_event_fn fn, void *arg, struct kreg_ref **ref)
{
	struct subscription *s;
	int ret = new_subscription(table, kinds, flags, after_seq, &s);

	if (!ret) {
		ret = subscribe(table, s, after_seq, fn, arg, ref);
		if (ret) {
			kreg_present_free(s->present);
			free(s);
		}
	}
	return kreg_fail_table(ret, ret == -EINVAL ? TRY_SUBSCRIBE : TRY_READ, table);
}

/* What was passed over after @event is acknowledged with it. */
static int number_to_ack(struct kreg_ref *ref, const struct kreg_event *event, uint64_t *seq)
{
	struct subscription *s = ref ? ref->subscription : NULL;

	if (!s || !(s->flags & KREG_SUBSCRIBE_ACK))
		return kreg_cause(-EINVAL,
				  "the event is of no subscription with KREG_SUBSCRIBE_ACK");
	if (s->made)
		return 0;
	*seq = ack_number(event);
	if (s->acked < *seq)
		s->acked = *seq;
	if (s->acked >= s->handed && s->passed_over > *seq)
		*seq = s->passed_over;
	return 0;
}

int kreg_event_ack(const struct kreg_event *event)
{
	struct kreg_ioc_ack ack = { .size = sizeof(ack), .id = event->id };
	struct kreg_client *client = NULL;
	struct kreg_ref *ref;
	uint64_t seq = 0;
	int ret;

	kreg_refs_lock();
	ref = kreg_ref_of(event);
	ret = number_to_ack(ref, event, &seq);
	if (!ret)
		client = kreg_client_get(ref->client);
	kreg_refs_unlock();
	ack.seq = seq;
	if (!ret && seq)
		ret = kreg_ioctl(client, KREG_IOC_ACK, &ack);
	kreg_fail(ret, TRY_SUBSCRIBE, client);
	if (client)
		kreg_client_put(client);
	return ret;
}
