/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Handles: what a client has asked for and may cancel.
 *
 * A handle has an id, a number that the client has never had for anything else. It is part of
 * what stands behind it, which says how it is cancelled.
 */
#ifndef KREG_CLIENT_HANDLE_H
#define KREG_CLIENT_HANDLE_H

#include <linux/types.h>

struct kreg_client;
struct kreg_handle;

struct kreg_handle_ops {
	/*
	 * Sleeps, under client->reading. End it; with @flush take also its record back, if it
	 * is not read yet. 0: it was pending, and is freed now. -ENOENT: it had ended.
	 */
	int (*cancel)(struct kreg_handle *h, bool flush);
	/* Sleeps. Its client is being closed, and no call of it is under way: free it. */
	void (*end)(struct kreg_handle *h);
};

struct kreg_handle {
	/* Invariant once it is added: */
	u64 id;
	struct kreg_client *client;
	const struct kreg_handle_ops *ops;
};

/*
 * Sleeps. Give @h, whose ops are set, an id of @cl. By that it is found only when it is
 * published, which cannot fail: until then it is freed without client->reading. -ENOMEM.
 */
int kreg_handle_reserve(struct kreg_client *cl, struct kreg_handle *h);
/*
 * Any. Who cancels it before it is pending, which only who guesses its id can do, is told that
 * it has ended.
 */
void kreg_handle_publish(struct kreg_handle *h);
/* Any. Its id is not found any more. */
void kreg_handle_remove(struct kreg_handle *h);

/* Any, under client->reading. What has this id; ERR_PTR() as in kreg_handle_cancel(). */
struct kreg_handle *kreg_handle_find(struct kreg_client *cl, u64 id);
/*
 * Sleeps. Cancel what has this id. -ENOENT: it has ended; -EINVAL: @cl cannot have had this
 * id yet; -EINTR.
 */
int kreg_handle_cancel(struct kreg_client *cl, u64 id, bool flush);
/* Sleeps. @cl is being closed: free all that it has. */
void kreg_handle_end_all(struct kreg_client *cl);

#endif /* KREG_CLIENT_HANDLE_H */
