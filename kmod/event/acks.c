// SPDX-License-Identifier: GPL-2.0
#include <linux/hrtimer.h>
#include <linux/sched/signal.h>

#include "client/client.h"
#include "client/proc.h"
#include "event/acks.h"

/*
 * That a process has died without closing its file, which another has open under its own
 * table of descriptors, is seen within this time.
 */
#define LOOK_AGAIN_MS	1000

void kreg_acks_note(struct kreg_acks *acks, struct kreg_stream *s, u16 kinds)
{
	acks->stream = s;
	acks->seq = s->shown_seq;
	acks->kinds = kinds;
	kreg_stream_get(s);
}

static bool is_waited_for(const struct kreg_subscription *sub, const struct kreg_acks *acks,
			  const struct kreg_proc *caller)
{
	return sub->flags & KREG_SUBSCRIBE_ACK && sub->mask & acks->kinds &&
	       sub->acked < acks->seq && sub->began < acks->seq &&
	       sub->handle.client->proc != caller;
}

static u32 count_missing(const struct kreg_acks *acks, const struct kreg_proc *caller, bool dead)
{
	const struct kreg_subscription *sub;
	u32 n = 0;

	spin_lock(&acks->stream->lock);
	list_for_each_entry(sub, &acks->stream->subscriptions, of_stream)
		n += is_waited_for(sub, acks, caller) &&
		     !(dead && kreg_proc_dead(sub->handle.client->proc));
	spin_unlock(&acks->stream->lock);
	return n;
}

static u32 wait_for_all(const struct kreg_acks *acks, const struct kreg_proc *caller,
			ktime_t until)
{
	struct wait_queue_head *queue = &acks->stream->acks.sleepers;
	DEFINE_WAIT(wait);
	ktime_t look;
	bool late = false, dead = true;
	u32 n;

	for (;;) {
		prepare_to_wait(queue, &wait, TASK_INTERRUPTIBLE);
		n = count_missing(acks, caller, dead);
		if (!n || late || signal_pending(current))
			break;
		look = min(until, ktime_add_ms(ktime_get(), LOOK_AGAIN_MS));
		dead = !schedule_hrtimeout_range(&look, current->timer_slack_ns,
						 HRTIMER_MODE_ABS);
		late = ktime_get() >= until;
	}
	finish_wait(queue, &wait);
	return n;
}

u32 kreg_acks_wait(struct kreg_acks *acks, const struct kreg_proc *caller, ktime_t until)
{
	u32 missing;

	if (!acks->stream)
		return 0;
	missing = wait_for_all(acks, caller, until);
	kreg_stream_put(acks->stream);
	acks->stream = NULL;
	return missing;
}

int kreg_acks_give(struct kreg_subscription *sub, u64 seq)
{
	bool told = sub->flags & KREG_SUBSCRIBE_ACK && seq < sub->next_seq;

	if (!told)
		return -EINVAL;
	spin_lock(&sub->stream->lock);
	sub->acked = max(sub->acked, seq);
	spin_unlock(&sub->stream->lock);
	kreg_stream_wake_acks(sub->stream);
	return 0;
}
