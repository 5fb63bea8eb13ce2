/* SPDX-License-Identifier: GPL-2.0 */
/* Waiting until subscribers have acknowledged an event. */
#ifndef KREG_EVENT_ACKS_H
#define KREG_EVENT_ACKS_H

#include <linux/ktime.h>
#include <linux/types.h>

#include "event/stream.h"

struct kreg_proc;

/* Events of one write. */
struct kreg_acks {
	struct kreg_stream *stream;	/* holds a reference; NULL: there are none */
	u64 seq;			/* number of the last one */
	u16 kinds;
};

/* Turn. The last ones that were shown in @s, of these kinds. */
void kreg_acks_note(struct kreg_acks *acks, struct kreg_stream *s, u16 kinds);
/*
 * Sleeps. Wait, until the deadline or a signal, for all subscriptions that acknowledge these
 * kinds, but for those of @caller and those that began later. Returns how many are
 * missing. @acks is used up.
 */
u32 kreg_acks_wait(struct kreg_acks *acks, const struct kreg_proc *caller, ktime_t until);

/*
 * Any, under client->reading. All up to @seq that @sub was told of is handled. -EINVAL: it was not
 * told of that yet, or acknowledges nothing.
 */
int kreg_acks_give(struct kreg_subscription *sub, u64 seq);

#endif /* KREG_EVENT_ACKS_H */
