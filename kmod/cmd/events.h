/* SPDX-License-Identifier: GPL-2.0 */
/* What read() and poll() of the device have of a client's subscriptions. */
#ifndef KREG_CMD_EVENTS_H
#define KREG_CMD_EVENTS_H

#include <linux/types.h>

struct kreg_client;
struct kreg_handle_ops;

/* How a subscription ends. */
extern const struct kreg_handle_ops kreg_events_handle_ops;

/*
 * Sleeps, under client->reading. Whole events, as many as fit, of each subscription in turns.
 * Returns the bytes, 0: there is none; -EMSGSIZE, -EFAULT, -ENOMEM, -EINTR.
 */
ssize_t kreg_events_read(struct kreg_client *cl, char __user *buf, size_t len);
/* Any. Whether there are some; if not, who sleeps in the client's news is woken by the next. */
bool kreg_events_ready(struct kreg_client *cl);
/* Sleeps. Handle the deaths of those whose tables @cl subscribes to. -ERESTARTSYS, -EINTR. */
int kreg_events_settle(struct kreg_client *cl);
/*
 * Any, under client->reading. Acknowledge what the subscription @id was told up to @seq. -ENOENT:
 * it has ended; -EINVAL: @cl never had it, or was not told of @seq, or has not said ACK.
 */
int kreg_events_ack(struct kreg_client *cl, u64 id, u64 seq);
/* Sleeps. End all subscriptions of @cl, whose process ends. */
void kreg_events_end_all(struct kreg_client *cl);

#endif /* KREG_CMD_EVENTS_H */
