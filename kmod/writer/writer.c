// SPDX-License-Identifier: GPL-2.0
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "writer/internal.h"
#include "writer/writer.h"

bool kreg_writer_lend = true;
unsigned int kreg_writers = 1;

static struct kreg_writer *writers;

struct kreg_writer *kreg_writer_nr(unsigned int nr)
{
	return &writers[nr % kreg_writers];
}

static bool perform_step(struct kreg_req *req)
{
	req->begun = true;
	return req->step(req);
}

/* Do a step of a request: of the user who waits longest for one. False: there is none. */
static bool advance_request(struct kreg_writer *w)
{
	struct kreg_req *req = kreg_lane_next(w);
	bool done, again;

	if (!req)
		return false;
	spin_lock(&w->turn);
	done = !kreg_lane_is_stopped(req) && perform_step(req);
	again = req->again;
	if (done)
		kreg_lane_leave(w, req);
	else
		kreg_lane_rotate(w, req);
	spin_unlock(&w->turn);
	kreg_wake_queued(w);
	if (done)
		kreg_lane_finish(req, again);
	cond_resched();
	return true;
}

/* One piece of each kind of work, so that none has to wait for the end of another. */
static void work_once(struct kreg_writer *w)
{
	kreg_lane_collect(w);
	kreg_death_advance(w);
	advance_request(w);
	kreg_lane_pass(w);
	if (kreg_upkeep_wanted(w))
		kreg_upkeep_run(w, false);
}

static void work_all(struct kreg_writer *w)
{
	while (kreg_writer_has_work(w))
		work_once(w);
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
		work_all(w);
		if (kreg_upkeep_wanted(w))
			kreg_upkeep_run(w, true);
	}
	work_all(w);
	return 0;
}

/* The thread looks at the queue after it has said that it sleeps: no wake-up is lost. */
void kreg_writer_post(struct kreg_writer *w, struct kreg_req *req)
{
	if (req->lane) {
		atomic_inc(&req->lane->pending);
		atomic_inc(&w->posted);
	}
	if (req->issuer)
		kreg_death_enqueue(req->issuer);
	if (llist_add(&req->node, &w->queue))
		wake_up_process(w->task);
}

static bool perform_lent(struct kreg_writer *w, struct kreg_req *req)
{
	bool done;

	if (!req->lane || req->large || !READ_ONCE(kreg_writer_lend) ||
	    !kreg_writer_borrow(w, req->lane))
		return false;
	/*
	 * Between two steps another could borrow the turn, so a lent request has only one. If
	 * it finds that it is large, it has done nothing.
	 */
	done = req->step(req);
	WARN_ON_ONCE(!done && !req->large);
	kreg_writer_return(w);
	kreg_wake_queued(w);
	return done;
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

void kreg_writer_wake(struct kreg_writer *w)
{
	wake_up_process(w->task);
}

static int start_writer(struct kreg_writer *w, unsigned int nr, const struct kreg_death_ops *ops)
{
	spin_lock_init(&w->turn);
	INIT_LIST_HEAD(&w->dying);
	INIT_LIST_HEAD(&w->upkeeps);
	INIT_LIST_HEAD(&w->holders);
	init_llist_head(&w->queue);
	atomic_set(&w->posted, 0);
	init_llist_head(&w->deaths);
	init_llist_head(&w->wakes);
	spin_lock_init(&w->waking);
	INIT_LIST_HEAD(&w->order);
	INIT_LIST_HEAD(&w->shares);
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

int kreg_writer_init(const struct kreg_death_ops *ops)
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
