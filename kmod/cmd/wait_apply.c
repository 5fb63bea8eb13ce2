// SPDX-License-Identifier: GPL-2.0
#include <linux/err.h>
#include <linux/ktime.h>
#include <linux/slab.h>

#include "client/client.h"
#include "client/clock.h"
#include "client/limits.h"
#include "client/proc.h"
#include "cmd/wait_apply.h"
#include "store/gfp.h"
#include "store/reader.h"
#include "table/access.h"
#include "table/bond.h"
#include "table/candidate.h"
#include "table/change.h"
#include "table/names.h"
#include "table/owner.h"
#include "table/publish.h"
#include "table/ready.h"
#include "table/table.h"

/* Result of a wait that is not over yet; never the error of a call. */
#define WAITING		(-EINPROGRESS)

/* What it has brought and not used, and what a user is charged for that. */
static void drop_charged(struct wait *w)
{
	if (w->charged)
		kreg_ready_uncharge(w->client, sizeof(*w), w->key.len);
	kreg_ready_free(w->ready);
	kreg_candidate_free(w->candidate);
	w->charged = false;
	w->ready = NULL;
	w->candidate = NULL;
}

static void free_wait(struct kreg_req *req)
{
	struct wait *w = container_of(req, struct wait, req);

	drop_charged(w);
	kfree(w->set);
	kfree(w->brought);
	kreg_table_put(w->table);
	kreg_client_put(w->client);
	kfree(w);
}

static void end_sleep(struct kreg_wait *wait, const struct kreg_outcome *outcome,
		      struct kreg_writer *writer)
{
	struct wait *w = container_of(wait, struct wait, wait);

	w->outcome = *outcome;
	/* Pairs with is_wait_over(): the outcome is written first. */
	smp_store_release(&w->over, true);
	kreg_wake_later(writer, &w->wake);
}

static void wake_waiter(struct kreg_wake *wake)
{
	struct wait *w = container_of(wake, struct wait, wake);

	wake_up(&w->woken);
	kreg_req_put(&w->req);
}

static bool is_wait_over(void *what)
{
	struct wait *w = what;

	/* Pairs with end_sleep(). */
	return smp_load_acquire(&w->over);
}

/* A version of 0 is that of what is absent. */
static enum kreg_awaited_list list_of(const struct wait *w)
{
	switch (w->kind) {
	case KREG_WATCH_ABSENT:
		return KREG_AWAITED_ABSENT;
	case KREG_WATCH_CHANGED:
		return w->version ? KREG_AWAITED_CHANGED : KREG_AWAITED_PRESENT;
	default:
		return KREG_AWAITED_PRESENT;
	}
}

static bool holds_already(const struct wait *w, const struct kreg_outcome *found)
{
	switch (w->kind) {
	case KREG_WATCH_ABSENT:
		return !found->present;
	case KREG_WATCH_CHANGED:
		return found->version != w->version;
	default:
		return found->present;
	}
}

/* What a look-up finds: not what has expired or is bound to a process that is exiting. */
static struct kreg_outcome look_at_place(const struct wait *w)
{
	const struct kreg_rec *r = w->place.old;
	struct kreg_holder *h = kreg_holder_at(&w->table->store, r);

	if (!r || kreg_table_is_gone(w->table, r))
		return (struct kreg_outcome) {};
	return kreg_waits_found(w->table, r->born, h);
}

/* The record is told of by its id from here on. */
static struct kreg_wait *publish_wait(struct wait *w)
{
	struct kreg_ready *ready = w->ready;

	if (!ready)
		return &w->wait;
	w->ready = NULL;
	kreg_handle_publish(&ready->handle);
	return &ready->wait;
}

/* Under the turn. The key among those that are waited for; ERR_PTR(): kreg_over_limit(). */
static struct kreg_awaited *enter_key(struct wait *w)
{
	struct kreg_table *t = w->table;
	struct kreg_awaited *a;

	if (!t->awaited) {
		kreg_waits_set(t, w->set);
		w->set = NULL;
	}
	a = kreg_awaited_enter(t->awaited, &w->key, NULL, READ_ONCE(kreg_limits.table_awaited),
			       &w->brought);
	return a ?: ERR_PTR(kreg_over_limit(KREG_LIMIT_AWAITED));
}

/* Under the turn. WAITING: he who sleeps does so. */
static int begin_waiting(struct wait *w)
{
	struct kreg_awaited *a = enter_key(w);
	bool sleeps = !w->ready;

	if (IS_ERR(a))
		return PTR_ERR(a);
	if (sleeps)
		refcount_inc(&w->req.refs);
	kreg_awaited_wait(a, publish_wait(w), list_of(w));
	kreg_table_note_listeners(w->table);
	return sleeps ? WAITING : 0;
}

/* Under the turn. Whether the process that is to have the key has it already. */
static bool has_key(const struct wait *w)
{
	struct kreg_holder *h = kreg_holder_at(&w->table->store, w->place.old);

	return h && kreg_bond_whose(h) == w->candidate->bind.proc;
}

/* Under the turn. The same as begin_waiting(), in the line of the key; it may be over at once. */
static int begin_in_line(struct wait *w)
{
	struct kreg_ready *ready = w->ready;
	struct kreg_awaited *a;
	int err;

	if (has_key(w))
		return -EALREADY;
	a = enter_key(w);
	if (IS_ERR(a))
		return PTR_ERR(a);
	err = kreg_candidate_enter(a, w->candidate, ready ? &ready->wait : &w->wait);
	if (err)
		return err;
	if (ready) {
		w->candidate = NULL;
		publish_wait(w);
	} else {
		refcount_inc(&w->req.refs);
	}
	kreg_table_note_listeners(w->table);
	kreg_table_serve_lines(w->table);
	return ready ? 0 : WAITING;
}

/* Under the turn, when it is known what is there. */
static int apply_wait(struct wait *w)
{
	struct kreg_outcome found = look_at_place(w);
	struct kreg_wait *wait;

	if (!holds_already(w, &found))
		return begin_waiting(w);
	if (w->ready) {
		wait = publish_wait(w);
		wait->over(wait, &found, w->table->writer);
	} else {
		w->outcome = found;
	}
	return 0;
}

static int may_begin(const struct wait *w)
{
	if (w->table->dead)
		return -ESTALE;
	if (w->abandoned)
		return -EINTR;
	if (!w->candidate)
		return kreg_table_may_read(w->table, w->client);
	if (kreg_proc_exiting(w->candidate->bind.proc))
		return -ESRCH;
	return min(kreg_table_decide_write(w->table, w->client), 0);
}

/* Where a key may have several objects: the first that is not hidden, or none. */
static bool find_shown(struct wait *w)
{
	struct kreg_store *s = &w->table->store;
	bool found = w->begun ? kreg_run_find_on(s, &w->key, &w->place) :
				kreg_run_find_first(s, &w->key, &w->place);

	while (found && w->place.old && kreg_table_is_gone(w->table, w->place.old))
		found = kreg_run_find_next(s, &w->key, &w->place);
	return found;
}

static bool find_object(struct wait *w)
{
	struct kreg_store *s = &w->table->store;

	if (unlikely(kreg_store_has_runs(s)))
		return find_shown(w);
	return w->begun ? kreg_store_find_on(s, &w->key, &w->place) :
			  kreg_store_find(s, &w->key, &w->place);
}

/* Find the key as a write would. False: not in this hold; nothing has happened yet. */
static bool find_key(struct wait *w)
{
	struct kreg_store *s = &w->table->store;
	bool found;

	if (w->begun)
		kreg_store_begin_hold(s);
	else
		kreg_txn_begin(&w->txn, s);
	found = find_object(w);
	w->begun = !found && w->req.large;
	if (!w->begun)
		kreg_txn_abort(&w->txn);
	w->req.large |= !found;
	return found;
}

static bool wait_step(struct kreg_req *req)
{
	struct wait *w = container_of(req, struct wait, req);

	req->result = w->begun ? 0 : may_begin(w);
	if (req->result)
		return true;
	if (!find_key(w))
		return false;
	/* The caller may have been killed between two holds, and lost the right to read. */
	req->result = may_begin(w) ?: (w->candidate ? begin_in_line(w) : apply_wait(w));
	return true;
}

/*
 * With -ERESTARTSYS the call begins anew when a process that was stopped or frozen goes on; the
 * moment at which it gives up stays.
 */
static int sleep_and_see(struct wait *w, u64 deadline_ns)
{
	ktime_t until = deadline_ns ? kreg_clock_from_user(deadline_ns) : KTIME_MAX;
	int err = kreg_clock_sleep(&w->woken, is_wait_over, w, until);

	if (err && kreg_wait_cancel(&w->wait)) {
		kreg_req_put(&w->req);
		return err;
	}
	return w->outcome.result;
}

/* The caller was killed before he could begin to wait, or before he could tell. */
static void abandon_wait(struct wait *w)
{
	spin_lock(&w->table->writer->turn);
	w->abandoned = true;
	spin_unlock(&w->table->writer->turn);
	if (kreg_wait_cancel(&w->wait))
		kreg_req_put(&w->req);
}

int kreg_wait_for_key(struct wait *w, u64 deadline_ns)
{
	bool sleeps = !w->ready;
	int err = kreg_writer_submit(w->table->writer, &w->req);
	bool killed = err == -EINTR;

	if (err == WAITING)
		err = sleep_and_see(w, deadline_ns);
	else if (err == -EINTR && sleeps)
		abandon_wait(w);
	/* Given back before the call returns: the thread may let go of @w later. */
	if (!killed)
		drop_charged(w);
	return err;
}

int kreg_wait_for_name(struct wait *w, u64 deadline_ns)
{
	struct kreg_wait *wait = publish_wait(w);
	bool sleeps = wait == &w->wait;
	struct kreg_writer *writer = kreg_writer_nr(0);
	const struct kreg_outcome holds = {};
	int err;

	if (sleeps)
		refcount_inc(&w->req.refs);
	if (kreg_names_wait(wait, list_of(w), w->key.bytes, w->key.len, &w->brought)) {
		wait->over(wait, &holds, writer);
		kreg_wake_queued(writer);
	}
	err = sleeps ? sleep_and_see(w, deadline_ns) : 0;
	drop_charged(w);
	return err;
}

static spinlock_t *lock_of(const struct kreg_table *t)
{
	return t ? &t->writer->turn : kreg_names_wait_lock();
}

struct wait *kreg_wait_alloc(struct kreg_client *cl, struct kreg_table *t)
{
	struct wait *w = kzalloc(sizeof(*w), KREG_GFP_USER);

	if (!w)
		return NULL;
	kreg_req_init(&w->req, t ? &t->lane : NULL, wait_step, free_wait);
	if (t) {
		kreg_table_get(t);
		kreg_client_sign(cl, t->writer, &w->req);
	}
	w->table = t;
	w->client = cl;
	kreg_client_get(cl);
	INIT_LIST_HEAD(&w->wait.node);
	w->wait.lock = lock_of(t);
	w->wait.client = cl;
	w->wait.over = end_sleep;
	init_waitqueue_head(&w->woken);
	kreg_wake_init(&w->wake, wake_waiter);
	return w;
}

int kreg_wait_bring_key(struct wait *w, const u8 *key, u32 len)
{
	w->brought = kreg_awaited_alloc(key, len);
	if (!w->brought)
		return -ENOMEM;
	w->key.bytes = w->brought->key;
	w->key.len = len;
	if (!w->table)
		return 0;
	kreg_store_hash(&w->table->store, &w->key);
	if (!READ_ONCE(w->table->awaited)) {
		w->set = kreg_waits_alloc(w->table);
		if (!w->set)
			return -ENOMEM;
	}
	return 0;
}

int kreg_wait_bring_record(struct wait *w, bool sleeps, u64 udata, u64 table)
{
	struct kreg_ready *ready;

	if (sleeps) {
		int err = kreg_ready_charge(w->client, sizeof(*w), w->key.len);

		w->charged = !err;
		return err;
	}
	ready = kreg_ready_alloc(w->client, w->wait.lock, udata, table, w->key.bytes, w->key.len);
	if (IS_ERR(ready))
		return PTR_ERR(ready);
	w->ready = ready;
	return 0;
}
