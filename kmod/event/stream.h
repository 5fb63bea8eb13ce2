/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Streams: what has happened to a table, in the order of its commits.
 *
 * DOC: Streams
 *
 * A stream is a ring of events, into which the holder of the turn only appends. It waits for
 * nobody, and allocates nothing: the oldest events make room. A subscription is a position in
 * the ring with a mask of kinds; each reader reads the ring itself, and who does not keep up
 * is told how much he has lost.
 *
 * Each event has a number, and all are counted, whether or not anybody has asked for their
 * kind and they are kept. What a batch appends is shown when the batch is committed, all at
 * once. A reader holds the lock for the time of a few copies, and the holder of the turn waits
 * for one reader at most on each processor.
 *
 * DOC: Who may read
 *
 * That is decided when an event is read. Whatever may take the right from somebody counts
 * @rights up, and a subscription that finds a new number looks at the rights of its client
 * again. When more may read than before, the events that are there are dropped, since they
 * tell of a time when fewer might. What is unread when a table is destroyed is
 * read by those who have looked since the last such change; others have lost it.
 */
#ifndef KREG_EVENT_STREAM_H
#define KREG_EVENT_STREAM_H

#include <linux/bits.h>
#include <linux/kreg.h>
#include <linux/list.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "client/handle.h"
#include "client/news.h"
#include "writer/wake.h"

struct kreg_client;
struct kreg_user;
struct kreg_writer;

/* Kinds of events, counted from the first one. */
#define KREG_STREAM_KINDS	(KREG_EVENT_EXPIRED - KREG_EVENT_CREATE + 1)
#define KREG_STREAM_ALL		((u16)GENMASK(KREG_STREAM_KINDS - 1, 0))
#define KREG_STREAM_BIT(kind)	BIT((kind) - KREG_EVENT_CREATE)

/* Something that has happened to a table. */
struct kreg_stream_event {
	u16 kind;
	u16 flags;
	u32 cause;
	s32 status;
	u32 key_len;
	u32 value_len;			/* over KREG_MAX_EVENT_VALUE: only the length is told */
	const void *key;
	const void *value;
	u64 version;
	struct kreg_process process;
};

struct kreg_stream {
	refcount_t refs;		/* one of its table, of each subscription, of a wake-up */
	spinlock_t lock;		/* innermost but for that of a mailbox */
	/* Invariant after initialisation: */
	u64 table;
	struct kreg_user *user;		/* who pays; holds a reference */
	u32 size;
	u8 *ring;
	bool kept;			/* turn: also without a subscription */
	/* Changed under the turn and the lock; bytes since ever: */
	u64 tail;			/* the oldest event */
	u64 head;			/* behind the last one that is shown */
	u64 next;			/* behind the last one */
	u64 tail_seq;			/* number of the oldest event, or of the next one */
	u64 shown_seq;			/* of the last one that is shown */
	u64 shown[KREG_STREAM_KINDS];	/* of the last one of each kind that is shown, */
	u64 added[KREG_STREAM_KINDS];	/* and of those in @fresh, that is not shown yet */
	u16 fresh;
	/* Turn: */
	u64 seq;			/* number of the last event */
	u64 missing;			/* of the last one that was not kept */
	/* Lock: */
	u64 rights;			/* see above */
	u16 mask;			/* kinds that are asked for; also read under the turn */
	u32 wanted[KREG_STREAM_KINDS];	/* by how many */
	bool gone;			/* its table is destroyed */
	u32 gone_cause;
	u64 gone_version;
	u64 gone_ns;
	struct list_head subscriptions;
	unsigned int nr_subscriptions;
	struct list_head armed;		/* subscriptions whose readers sleep, */
	struct list_head waking;	/* and those of them that are to be woken, */
	u16 woken;			/* if they have asked for one of these kinds */
	struct kreg_news acks;		/* where those sleep who wait for them */

	struct kreg_wake wake;		/* holds a reference while it is queued */
	struct work_struct many;	/* holds one while it is pending */
	struct work_struct free;
};

/* A position in a stream; subscription.h tells more. */
struct kreg_subscription {
	struct list_head of_client;	/* client->subscriptions_lock, and taken off also under */
					/* client->reading */
	struct list_head of_stream;	/* stream->lock */
	struct list_head armed;		/* stream->lock: in a list of those who sleep, or empty */
	/* Invariant once it is in a list: */
	struct kreg_handle handle;
	struct kreg_stream *stream;	/* holds a reference */
	u64 udata;
	u64 began;			/* number of the last event before it */
	u32 flags;
	u16 mask;			/* KREG_STREAM_BIT() of kinds */
	/* Changed by its reader, under client->reading and stream->lock: */
	u64 pos;			/* in the ring */
	u64 next_seq;			/* all below were read, or told to be lost */
	u64 lost_seq;			/* up to here they are lost, which is to be told; or 0 */
	u64 rights;			/* those of the stream when they were last looked at */
	u64 acked;			/* with KREG_SUBSCRIBE_ACK, all up to here */
	bool denied;			/* the client may not read the table any more */
};

/*
 * Sleeps. A stream for the table @table, with a ring of @size bytes, which is a power of two, at
 * the cost of @cl. ERR_PTR(): -ENOMEM, kreg_over_limit().
 */
struct kreg_stream *kreg_stream_alloc(const struct kreg_client *cl, u64 table, u32 size);
/* Any. What that costs. */
u64 kreg_stream_memory(u32 size);
/* Any. */
void kreg_stream_get(struct kreg_stream *s);
/* Any. NULL is allowed. */
void kreg_stream_put(struct kreg_stream *s);
/* Turn. It is its table's from now on, whose last event had the number @seq. */
void kreg_stream_start(struct kreg_stream *s, u64 seq);

/* Any, without locks. Somebody has acknowledged something, or never will. */
void kreg_stream_wake_acks(struct kreg_stream *s);

/*
 * Turn, of @w. Append @e; whoever waits for it is woken when the turn has been returned. False:
 * nobody has asked for it.
 */
bool kreg_stream_append(struct kreg_stream *s, struct kreg_writer *w,
			const struct kreg_stream_event *e);
/* Turn. Append @e without showing it; then show all that was appended so. */
void kreg_stream_add(struct kreg_stream *s, const struct kreg_stream_event *e);
void kreg_stream_show(struct kreg_stream *s, struct kreg_writer *w);

/* Turn. Some may have lost the right to read, all else being as it was. */
void kreg_stream_narrow(struct kreg_stream *s, struct kreg_writer *w);
/* Turn. Some have gained it. */
void kreg_stream_forget(struct kreg_stream *s);
/* Turn. Its table is destroyed: there is no event after this. Once. */
void kreg_stream_end(struct kreg_stream *s, struct kreg_writer *w, enum kreg_cause cause,
		     u64 version);
/* Turn. Whether only its table holds it. */
bool kreg_stream_is_idle(struct kreg_stream *s);

/* The event at @pos; kind 0: nothing, up to the end of the ring. */
static inline const struct kreg_event *kreg_stream_at(const struct kreg_stream *s, u64 pos)
{
	return (const void *)(s->ring + (pos & (s->size - 1)));
}

#endif /* KREG_EVENT_STREAM_H */
