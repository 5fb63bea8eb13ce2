/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Subscriptions: a client's positions in the streams of tables.
 */
#ifndef KREG_EVENT_SUBSCRIPTION_H
#define KREG_EVENT_SUBSCRIPTION_H

#include <linux/types.h>

#include "event/stream.h"

struct kreg_client;

/* What a look at a subscription has found, and where that stands when it was delivered. */
struct kreg_subscription_look {
	u32 len;			/* bytes of events */
	bool ends;			/* they end with the last one there will be */
	u64 pos;
	u64 next_seq;
};

/* Where events are copied to; the longest one has room. */
#define KREG_SUBSCRIPTION_ROOM	8192

/* The stream asks for a look at the rights of the client first. Never the error of a call. */
#define KREG_SUBSCRIPTION_RIGHTS	(-ERESTART)

/* Sleeps. A subscription of @cl that is nowhere yet. ERR_PTR(): -ENOMEM, kreg_over_limit(). */
struct kreg_subscription *kreg_subscription_alloc(struct kreg_client *cl,
						  const struct kreg_handle_ops *ops,
						  u32 mask, u32 flags, u64 udata);
/* Any. NULL is allowed. It must be in no list. */
void kreg_subscription_free(struct kreg_subscription *sub);

/*
 * Turn. From now on @sub reads @s, behind its last event, or with @replay behind that with the
 * number @after. -EINVAL: there is no such event yet; kreg_over_limit().
 */
int kreg_subscription_start(struct kreg_subscription *sub, struct kreg_stream *s, bool replay,
			    u64 after);
/* Sleeps, under client->reading or when nobody uses the client. It ends, and is freed. */
void kreg_subscription_end(struct kreg_subscription *sub);

/*
 * Any, under client->reading. Copy what is to be read next into @bytes, with @len of them, and
 * KREG_SUBSCRIPTION_ROOM at most. -EMSGSIZE: the first event is longer. KREG_SUBSCRIPTION_RIGHTS.
 */
int kreg_subscription_look(struct kreg_subscription *sub, void *bytes, size_t len,
			   struct kreg_subscription_look *look);
/* Any, under client->reading. What the look has found was delivered. */
void kreg_subscription_advance(struct kreg_subscription *sub,
			       const struct kreg_subscription_look *look);

/* Any. The @rights of the stream, before those of the client are looked at; and what that was. */
u64 kreg_subscription_rights(const struct kreg_subscription *sub);
void kreg_subscription_set_rights(struct kreg_subscription *sub, u64 rights, bool denied);
/* Any. Whether the rights are to be looked at before it is read. */
bool kreg_subscription_wants_rights(const struct kreg_subscription *sub);
/*
 * Any. Whether there is something to be read, or the rights are to be looked at. If not,
 * whoever appends something wakes who sleeps in the client's news, once.
 */
bool kreg_subscription_ready(struct kreg_subscription *sub);

#endif /* KREG_EVENT_SUBSCRIPTION_H */
