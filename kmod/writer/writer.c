// SPDX-License-Identifier: GPL-2.0
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "writer/internal.h"
#include "writer/writer.h"

/* How often a caller tries to take a turn that another CPU has before he queues. */
#define SPINS		100

bool kreg_writer_lend = true;
unsigned int kreg_writers = 1;

static struct kreg_writer *writers;

struct kreg_writer *kreg_writer_nr(unsigned int nr)
{
	return &writers[nr % kreg_writers];
}

/* Do one step of the first request that is ready. */
static void advance_request(struct kreg_writer *w, struct list_head *ready)
{
	struct kreg_req *req = list_first_entry(ready, struct kreg_req, entry);
	bool done;

	spin_lock(&w->turn);
	done = req->step(req);
	if (done && req->lane)
		atomic_dec(&req->lane->pending);
	spin_unlock(&w->turn);
	kreg_wake_queued(w);
	if (done)
		kreg_lane_retire(req, ready);
	else
		list_move_tail(&req->entry, ready);
	cond_resched();
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
		kreg_lane_line_up(fresh, &ready);
		if (list_empty(&ready))
			break;
		advance_request(w, &ready);
		if (kreg_upkeep_wanted(w))
			kreg_upkeep_run(w, false);
		if (join && llist_empty(&w->deaths))
			kreg_lane_collect(llist_del_all(&w->queue), fresh);
	}
}

/*
 * With the @last death, the turn may be lent again before those who wait for that death
 * are told of it.
 */
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
	/* Once a death, however many tables it has moved. */
	kreg_wake_queued(w);
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

	kreg_lane_collect(queued, &fresh);
	apply_requests(w, &fresh, !deaths);
	handle_deaths(w, deaths);

	spin_lock(&w->turn);
	w->busy = false;
	spin_unlock(&w->turn);
}

static int writer_thread(void *data)
{
	struct kreg_writer *w = data;

	while (!kthread_should_stop()) {
		/* Full barrier: the state is set before the queue is looked at. */
		set_current_state(TASK_IDLE);
		if (!kreg_writer_has_work(w) && !kreg_upkeep_wanted(w) && !kthread_should_stop())
			schedule();
		__set_current_state(TASK_RUNNING);
		if (kreg_writer_has_work(w))
			drain_queues(w);
		if (kreg_upkeep_wanted(w))
			kreg_upkeep_run(w, true);
	}
	if (kreg_writer_has_work(w))
		drain_queues(w);
	return 0;
}

/*
 * A lent request must not overtake what its caller has queued before. With a lane, that
 * is pending in the lane. Without one, it is in the queue or in the thread's hands, and
 * then busy is set, since the thread sets it under the turn in which it empties the queue.
 */
static bool may_lend(const struct kreg_writer *w, const struct kreg_lane *lane)
{
	if (lane)
		return !w->handling && !atomic_read(&lane->pending);
	return !w->busy && llist_empty(&w->queue);
}

/* Whether a death or a request of this lane comes first, as of a moment ago. */
static bool others_first(const struct kreg_writer *w, const struct kreg_lane *lane)
{
	return !llist_empty(&w->deaths) || (lane && atomic_read(&lane->pending));
}

/*
 * Another CPU has the turn, most often for some hundred instructions, and to wait for
 * that long costs less than to go through the thread. Not on -rt, where the holder of
 * the turn may sleep.
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
	/* Between two steps another could borrow the turn, so a lent request has only one. */
	WARN_ON_ONCE(!req->step(req));
	kreg_writer_return(w);
	kreg_wake_queued(w);
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
 * Nothing is done if the thread is at work already, or if there are requests, which come
 * before a death. As in drain_queues(), the queue is looked at after the death was taken
 * off its list. A death that takes more than one step goes back to the thread.
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
	/* Under the turn, so that the thread cannot miss it while it is on no list. */
	if (death && !done)
		kreg_writer_add_death(w, death);
	spin_unlock(&w->turn);
	kreg_wake_queued(w);
	if (done)
		w->ops->death_done(w, death);
	else if (death)
		kreg_writer_wake(w);
}

static int start_writer(struct kreg_writer *w, unsigned int nr, const struct kreg_writer_ops *ops)
{
	spin_lock_init(&w->turn);
	INIT_LIST_HEAD(&w->upkeeps);
	INIT_LIST_HEAD(&w->holders);
	init_llist_head(&w->queue);
	init_llist_head(&w->deaths);
	init_llist_head(&w->wakes);
	w->ops = ops;
	w->nr = nr;
	timer_setup(&w->timer, kreg_upkeep_timer, 0);
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
