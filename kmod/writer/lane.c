// SPDX-License-Identifier: GPL-2.0
#include "writer/internal.h"
#include "writer/lane.h"

void kreg_req_init(struct kreg_req *req, struct kreg_lane *lane,
		   bool (*step)(struct kreg_req *req), void (*free)(struct kreg_req *req))
{
	req->lane = lane;
	req->step = step;
	req->free = free;
	refcount_set(&req->refs, 1);
	req->large = false;
	req->result = 0;
	init_completion(&req->done);
}

void kreg_req_put(struct kreg_req *req)
{
	if (refcount_dec_and_test(&req->refs))
		req->free(req);
}

/*
 * Tell the caller. A request that lives in the caller's stack may be gone as soon as
 * complete() has run, so it is not looked at any more.
 */
static void finish_request(struct kreg_req *req)
{
	bool counted = req->free;

	complete(&req->done);
	if (counted)
		kreg_req_put(req);
}

void kreg_lane_collect(struct llist_node *queued, struct list_head *fresh)
{
	struct kreg_req *req, *next;

	llist_for_each_entry_safe(req, next, llist_reverse_order(queued), node)
		list_add_tail(&req->entry, fresh);
}

void kreg_lane_line_up(struct list_head *fresh, struct list_head *ready)
{
	struct kreg_req *req, *next;

	list_for_each_entry_safe(req, next, fresh, entry) {
		struct kreg_lane *lane = req->lane;

		if (!lane && !list_empty(ready))
			break;
		list_move_tail(&req->entry, lane && lane->taken ? &lane->behind : ready);
		if (!lane)
			break;
		lane->taken = true;
	}
}

/* The request of @lane that comes next is ready to be advanced. */
static void advance_lane(struct kreg_lane *lane, struct list_head *ready)
{
	lane->taken = !list_empty(&lane->behind);
	if (lane->taken)
		list_move_tail(lane->behind.next, ready);
}

void kreg_lane_retire(struct kreg_req *req, struct list_head *ready)
{
	list_del(&req->entry);
	if (req->lane)
		advance_lane(req->lane, ready);
	finish_request(req);
}
