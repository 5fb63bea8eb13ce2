// SPDX-License-Identifier: GPL-2.0
#include "writer/internal.h"
#include "writer/lane.h"

void kreg_req_init(struct kreg_req *req, struct kreg_lane *lane,
		   bool (*step)(struct kreg_req *req), void (*free)(struct kreg_req *req))
{
	req->lane = lane;
	req->share = NULL;
	req->issuer = NULL;
	req->step = step;
	req->free = free;
	refcount_set(&req->refs, 1);
	req->large = false;
	req->again = false;
	req->begun = false;
	req->result = 0;
	init_completion(&req->done);
}

void kreg_req_put(struct kreg_req *req)
{
	if (refcount_dec_and_test(&req->refs))
		req->free(req);
}

/*
 * A request that lives in the caller's stack may be gone as soon as complete() has run, so
 * it is not looked at any more; nor is one that may have been posted again, which @again has
 * said under the turn: whoever posts it again sets it up again.
 */
void kreg_lane_finish(struct kreg_req *req, bool again)
{
	bool counted = req->free;

	if (again)
		return req->free(req);
	complete(&req->done);
	if (counted)
		kreg_req_put(req);
}

static void make_ready(struct kreg_writer *w, struct kreg_req *req)
{
	struct kreg_share *share = req->share;

	if (list_empty(&share->node))
		list_add_tail(&share->node, &w->shares);
	list_add_tail(&req->entry, &share->ready);
}

/* The first of @share in the lane, or NULL; without the turn, among as many as there are users. */
static struct kreg_req *find_first(struct kreg_lane *lane, const struct kreg_share *share)
{
	struct kreg_req *req = lane->busy;

	if (req->share == share)
		return req;
	list_for_each_entry(req, &lane->behind, entry)
		if (req->share == share)
			return req;
	return NULL;
}

static void wait_behind(struct kreg_lane *lane, struct kreg_req *req)
{
	struct kreg_req *first = find_first(lane, req->share);

	list_add_tail(&req->entry, first ? &first->next : &lane->behind);
}

static void enter_lane(struct kreg_writer *w, struct kreg_req *req)
{
	struct kreg_lane *lane = req->lane;

	list_add_tail(&req->order, &w->order);
	if (!lane)
		return;
	INIT_LIST_HEAD(&req->next);
	if (lane->busy) {
		wait_behind(lane, req);
	} else {
		lane->busy = req;
		make_ready(w, req);
	}
}

void kreg_lane_collect(struct kreg_writer *w)
{
	struct kreg_req *req, *next;

	llist_for_each_entry_safe(req, next, llist_reverse_order(llist_del_all(&w->queue)), node)
		enter_lane(w, req);
}

struct kreg_req *kreg_lane_next(struct kreg_writer *w)
{
	struct kreg_share *share = list_first_entry_or_null(&w->shares, struct kreg_share, node);

	return share ? list_first_entry(&share->ready, struct kreg_req, entry) : NULL;
}

/* The next step is another user's. */
static void rotate_share(struct kreg_writer *w, struct kreg_share *share)
{
	if (list_empty(&share->ready))
		list_del_init(&share->node);
	else
		list_move_tail(&share->node, &w->shares);
}

void kreg_lane_rotate(struct kreg_writer *w, struct kreg_req *req)
{
	kreg_writer_assert(w);
	list_move_tail(&req->entry, &req->share->ready);
	rotate_share(w, req->share);
}

/* What its user has queued after @req comes after one request of each other user. */
static void queue_next(struct kreg_lane *lane, struct kreg_req *req)
{
	struct kreg_req *next = list_first_entry_or_null(&req->next, struct kreg_req, entry);

	if (!next)
		return;
	list_del(&next->entry);
	list_splice(&req->next, &next->next);
	list_add_tail(&next->entry, &lane->behind);
}

/* @req has been applied: what comes after it in its lane is ready to be advanced. */
static void advance_lane(struct kreg_writer *w, struct kreg_req *req)
{
	struct kreg_lane *lane = req->lane;
	struct kreg_req *next;

	queue_next(lane, req);
	next = list_first_entry_or_null(&lane->behind, struct kreg_req, entry);
	lane->busy = next;
	if (next) {
		list_del(&next->entry);
		make_ready(w, next);
	}
}

void kreg_lane_leave(struct kreg_writer *w, struct kreg_req *req)
{
	kreg_writer_assert(w);
	req->begun = false;
	list_del(&req->entry);
	list_del(&req->order);
	rotate_share(w, req->share);
	advance_lane(w, req);
	if (req->issuer)
		kreg_death_dequeue(w, req->issuer);
	/* From here on the turn may be lent for this lane, and the request posted again. */
	atomic_dec_return_release(&w->posted);
	atomic_dec(&req->lane->pending);
}

void kreg_lane_pass(struct kreg_writer *w)
{
	struct kreg_req *req;

	while ((req = list_first_entry_or_null(&w->order, struct kreg_req, order)) && !req->lane) {
		list_del(&req->order);
		kreg_lane_finish(req, false);
	}
}
