// SPDX-License-Identifier: GPL-2.0
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "writer/writer.h"

/* How long a store that waits for a grace period is left alone. */
#define UPKEEP_JIFFIES	max(1, HZ / 100)

/* Looks at a turn that another CPU has, a pause apart, before the thread is asked. */
#define SPINS		100

bool kreg_writer_lend = true;
unsigned int kreg_writers = 1;

static struct kreg_writer *writers;

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

struct kreg_writer *kreg_writer_nr(unsigned int nr)
{
	return &writers[nr % kreg_writers];
}

static bool has_work(const struct kreg_writer *w)
{
	return !llist_empty(&w->queue) || !llist_empty(&w->deaths);
}

/* Tell the caller. An embedded request is gone with complete(). */
static void finish_request(struct kreg_req *req)
{
	bool counted = req->free;

	complete(&req->done);
	if (counted)
		kreg_req_put(req);
}

/* What was @queued, to the end of @fresh, oldest first. */
static void collect_queued(struct llist_node *queued, struct list_head *fresh)
{
	struct kreg_req *req, *next;

	llist_for_each_entry_safe(req, next, llist_reverse_order(queued), node)
		list_add_tail(&req->entry, fresh);
}

/* One of each lane is ready, or one that has none, alone. */
static void line_up_requests(struct list_head *fresh, struct list_head *ready)
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

/* The next of @lane gets ready. */
static void advance_lane(struct kreg_lane *lane, struct list_head *ready)
{
	lane->taken = !list_empty(&lane->behind);
	if (lane->taken)
		list_move_tail(lane->behind.next, ready);
}

/* A piece of the first that is ready. */
static void advance_request(struct kreg_writer *w, struct list_head *ready)
{
	struct kreg_req *req = list_first_entry(ready, struct kreg_req, entry);
	bool done;

	spin_lock(&w->turn);
	done = req->step(req);
	if (done && req->lane)
		atomic_dec(&req->lane->pending);
	spin_unlock(&w->turn);
	if (done) {
		list_del(&req->entry);
		if (req->lane)
			advance_lane(req->lane, ready);
		finish_request(req);
	} else {
		list_move_tail(&req->entry, ready);
	}
	cond_resched();
}

/* One look at the first store of the list; false: none wants more for now. */
static bool upkeep_first(struct kreg_writer *w, struct list_head *later)
{
	enum kreg_upkeep_state state = KREG_UPKEEP_DONE;
	struct kreg_upkeep *u;

	spin_lock(&w->turn);
	u = list_first_entry_or_null(&w->upkeeps, struct kreg_upkeep, node);
	if (u) {
		state = u->work(u);
		if (state == KREG_UPKEEP_DONE)
			list_del_init(&u->node);
		else
			list_move_tail(&u->node, state == KREG_UPKEEP_NOW ?
				       &w->upkeeps : later);
	}
	spin_unlock(&w->turn);
	cond_resched();
	return u;
}

/* Look after the stores: one, or @all as long as there is nothing more urgent. */
static void upkeep_stores(struct kreg_writer *w, bool all)
{
	LIST_HEAD(later);

	while (upkeep_first(w, &later) && all && !has_work(w))
		;
	spin_lock(&w->turn);
	list_splice_tail(&later, &w->upkeeps);
	spin_unlock(&w->turn);
	if (!list_empty(&w->upkeeps))
		mod_timer(&w->timer, jiffies + UPKEEP_JIFFIES);
}

static bool wants_upkeep(const struct kreg_writer *w)
{
	return !list_empty(&w->upkeeps) && !timer_pending(&w->timer);
}

/*
 * Apply the requests @fresh. With @join also those that are queued meanwhile, so
 * that they need not wait for all of a batch; but not as long as there are deaths,
 * which have to wait for all in hand.
 */
static void apply_requests(struct kreg_writer *w, struct list_head *fresh, bool join)
{
	LIST_HEAD(ready);

	for (;;) {
		line_up_requests(fresh, &ready);
		if (list_empty(&ready))
			break;
		advance_request(w, &ready);
		if (wants_upkeep(w))
			upkeep_stores(w, false);
		if (join && llist_empty(&w->deaths))
			collect_queued(llist_del_all(&w->queue), fresh);
	}
}

/* The turn is lent again before those learn of the @last death who wait for it. */
static void handle_death(struct kreg_writer *w, struct llist_node *death, bool last)
{
	bool done;

	do {
		spin_lock(&w->turn);
		done = w->ops->death(w, death);
		if (done && last)
			w->handling = false;
		spin_unlock(&w->turn);
		cond_resched();
	} while (!done);
	w->ops->death_done(w, death);
}

static void handle_deaths(struct kreg_writer *w, struct llist_node *list)
{
	struct llist_node *next;

	for (list = llist_reverse_order(list); list; list = next) {
		next = list->next;
		handle_death(w, list, !next);
	}
}

/*
 * What the processes had queued before they died comes before their deaths: the
 * deaths are taken first, so that the queue taken after them holds all of it.
 */
static void drain_queues(struct kreg_writer *w)
{
	struct llist_node *deaths, *queued;
	LIST_HEAD(fresh);

	spin_lock(&w->turn);
	deaths = llist_del_all(&w->deaths);
	queued = llist_del_all(&w->queue);
	w->busy = true;
	w->handling = deaths;
	spin_unlock(&w->turn);

	collect_queued(queued, &fresh);
	apply_requests(w, &fresh, !deaths);
	handle_deaths(w, deaths);

	spin_lock(&w->turn);
	w->busy = false;
	spin_unlock(&w->turn);
}

/* A timer of its own, since one that is set for each sleep costs as much as a put. */
static void wake_for_upkeep(struct timer_list *timer)
{
	kreg_writer_wake(container_of(timer, struct kreg_writer, timer));
}

static int writer_thread(void *data)
{
	struct kreg_writer *w = data;

	while (!kthread_should_stop()) {
		/* Full barrier: the state is set before the queue is looked at. */
		set_current_state(TASK_IDLE);
		if (!has_work(w) && !wants_upkeep(w) && !kthread_should_stop())
			schedule();
		__set_current_state(TASK_RUNNING);
		if (has_work(w))
			drain_queues(w);
		if (wants_upkeep(w))
			upkeep_stores(w, true);
	}
	if (has_work(w))
		drain_queues(w);
	return 0;
}

/*
 * What this caller had queued before for the same lane is pending there. Without a
 * lane, it is in the queue or in the thread's hands: busy was set under the turn
 * that emptied the queue.
 */
static bool may_lend(const struct kreg_writer *w, const struct kreg_lane *lane)
{
	if (lane)
		return !w->handling && !atomic_read(&lane->pending);
	return !w->busy && llist_empty(&w->queue);
}

/* A death, or a request of this lane? Without the turn, that is as of a moment ago. */
static bool others_first(const struct kreg_writer *w, const struct kreg_lane *lane)
{
	return !llist_empty(&w->deaths) || (lane && atomic_read(&lane->pending));
}

/*
 * Another CPU has the turn: most often for some hundred instructions, and waiting for
 * that long costs less than going through the thread. On -rt its holder may sleep.
 */
static noinline bool take_when_free(struct kreg_writer *w, const struct kreg_lane *lane)
{
	unsigned int tries = IS_ENABLED(CONFIG_PREEMPT_RT) ? 0 : SPINS;

	while (tries-- && !others_first(w, lane)) {
		cpu_relax();
		if (spin_trylock(&w->turn))
			return true;
	}
	return false;
}

bool kreg_writer_borrow(struct kreg_writer *w, const struct kreg_lane *lane)
{
	if (!llist_empty(&w->deaths))
		return false;
	if (unlikely(!spin_trylock(&w->turn)) && !take_when_free(w, lane))
		return false;
	if (likely(may_lend(w, lane)))
		return true;
	spin_unlock(&w->turn);
	return false;
}

/* The thread looks at the queue after it has said that it sleeps: no wake-up is lost. */
void kreg_writer_post(struct kreg_writer *w, struct kreg_req *req)
{
	if (req->lane)
		atomic_inc(&req->lane->pending);
	if (llist_add(&req->node, &w->queue))
		wake_up_process(w->task);
}

static bool perform_lent(struct kreg_writer *w, struct kreg_req *req)
{
	if (req->large || !READ_ONCE(kreg_writer_lend) || !kreg_writer_borrow(w, req->lane))
		return false;
	/* Another could borrow the turn between two steps, so there is but one. */
	WARN_ON_ONCE(!req->step(req));
	kreg_writer_return(w);
	return true;
}

int kreg_writer_submit(struct kreg_writer *w, struct kreg_req *req)
{
	if (perform_lent(w, req))
		return req->result;
	refcount_inc(&req->refs);
	kreg_writer_post(w, req);
	if (wait_for_completion_killable(&req->done))
		return -EINTR;
	return req->result;
}

int kreg_writer_call(struct kreg_writer *w, struct kreg_req *req)
{
	if (perform_lent(w, req))
		return req->result;
	kreg_writer_post(w, req);
	wait_for_completion(&req->done);
	return req->result;
}

void kreg_writer_add_death(struct kreg_writer *w, struct llist_node *death)
{
	llist_add(death, &w->deaths);
}

void kreg_writer_wake(struct kreg_writer *w)
{
	wake_up_process(w->task);
}

/*
 * Not if the thread is at work already, or if there are requests, which come
 * first: they are looked for when the death has been taken, as in drain_queues(). A
 * death that is more than one piece of work goes back to the thread.
 */
void kreg_writer_help(struct kreg_writer *w)
{
	struct llist_node *death = NULL;
	bool done = false;

	if (!READ_ONCE(kreg_writer_lend) || llist_empty(&w->deaths) || !spin_trylock(&w->turn))
		return;
	if (!w->busy)
		death = llist_del_first(&w->deaths);
	if (death && llist_empty(&w->queue))
		done = w->ops->death(w, death);
	/* Under the turn, so that it is never in nobody's hands. */
	if (death && !done) {
		kreg_writer_add_death(w, death);
		kreg_writer_wake(w);
	}
	spin_unlock(&w->turn);
	if (done)
		w->ops->death_done(w, death);
}

void kreg_writer_add_upkeep(struct kreg_writer *w, struct kreg_upkeep *t)
{
	bool first = list_empty(&w->upkeeps);

	kreg_writer_assert(w);
	if (!list_empty(&t->node))
		return;
	list_add_tail(&t->node, &w->upkeeps);
	if (first)
		wake_up_process(w->task);
}

void kreg_writer_del_upkeep(struct kreg_writer *w, struct kreg_upkeep *t)
{
	kreg_writer_assert(w);
	list_del_init(&t->node);
}

static int start_writer(struct kreg_writer *w, unsigned int nr, const struct kreg_writer_ops *ops)
{
	spin_lock_init(&w->turn);
	INIT_LIST_HEAD(&w->upkeeps);
	init_llist_head(&w->queue);
	init_llist_head(&w->deaths);
	w->ops = ops;
	w->nr = nr;
	timer_setup(&w->timer, wake_for_upkeep, 0);
	w->task = kthread_run(writer_thread, w, "kreg/%u", nr);
	return PTR_ERR_OR_ZERO(w->task);
}

static void stop_writers(unsigned int n)
{
	while (n--) {
		timer_delete_sync(&writers[n].timer);
		kthread_stop(writers[n].task);
	}
	kfree(writers);
}

int kreg_writer_init(const struct kreg_writer_ops *ops)
{
	unsigned int i;
	int err;

	kreg_writers = clamp(kreg_writers, 1U, (unsigned int)KREG_MAX_WRITERS);
	writers = kcalloc(kreg_writers, sizeof(*writers), GFP_KERNEL);
	if (!writers)
		return -ENOMEM;
	for (i = 0; i < kreg_writers; i++) {
		err = start_writer(&writers[i], i, ops);
		if (err) {
			stop_writers(i);
			return err;
		}
	}
	return 0;
}

void kreg_writer_exit(void)
{
	stop_writers(kreg_writers);
}
