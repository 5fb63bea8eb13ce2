// SPDX-License-Identifier: GPL-2.0
/* SYNC, and waiting for deaths that have happened. */
#include <linux/err.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "client/client.h"
#include "client/ns.h"
#include "client/exit.h"
#include "client/proc.h"
#include "cmd/cmd.h"
#include "cmd/find.h"
#include "cmd/sync.h"
#include "event/down.h"
#include "store/gfp.h"
#include "table/snapshot.h"
#include "table/table.h"

/* Tables looked at in one hold of the turn. */
#define TABLES_A_TURN	256

/* Marks a place: in the queue, or in the lane of a table. */
struct mark {
	struct kreg_req req;
	struct kreg_client *client;
	struct kreg_table *table;
};

static bool do_nothing(struct kreg_req *req)
{
	return true;
}

static void free_mark(struct kreg_req *req)
{
	struct mark *mark = container_of(req, struct mark, req);

	kreg_table_put(mark->table);
	kreg_client_put(mark->client);
	kfree(mark);
}

static struct mark *alloc_mark(struct kreg_client *cl, struct kreg_lane *lane)
{
	struct mark *mark = kzalloc(sizeof(*mark), KREG_GFP_USER);

	if (!mark)
		return NULL;
	kreg_req_init(&mark->req, lane, do_nothing, free_mark);
	mark->client = cl;
	kreg_client_get(cl);
	return mark;
}

static int pass_mark(struct kreg_writer *w, struct mark *mark)
{
	int err = kreg_writer_submit(w, &mark->req);

	kreg_req_put(&mark->req);
	return err;
}

/* Wait until all that was queued before the call has been applied. */
static int pass_queue(struct kreg_client *cl, struct kreg_writer *w)
{
	struct mark *mark;

	if (kreg_writer_is_idle(w))
		return 0;
	mark = alloc_mark(cl, NULL);
	return mark ? pass_mark(w, mark) : -ENOMEM;
}

/*
 * The queues come first, since what a dead process had queued may have made it an owner.
 * Deaths are waited for one by one: that a request was applied tells nothing about a death
 * that the thread or a helper is handling, or that is not in the list yet.
 */
static int sync_client(struct kreg_client *cl)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < kreg_writers && !err; i++)
		err = pass_queue(cl, kreg_writer_nr(i));
	return err ?: kreg_proc_settle_all() ?: kreg_ns_settle_all() ?: kreg_down_sync_all() ?:
	       kreg_down_sync_own(cl) ?: -atomic_xchg(&cl->async_error, 0);
}

int kreg_sync_table(struct kreg_client *cl, u64 id)
{
	struct kreg_table *t;
	struct mark *mark;

	/* Pairs with uncharge_client(): what is not queued any more has been applied. */
	if (!atomic_read_acquire(&cl->async_ops))
		return 0;
	t = kreg_find_table(cl, id);
	if (IS_ERR(t))
		return PTR_ERR(t);
	mark = alloc_mark(cl, &t->lane);
	if (!mark) {
		kreg_table_put(t);
		return -ENOMEM;
	}
	mark->table = t;
	kreg_client_sign(cl, t->writer, &mark->req);
	return pass_mark(t->writer, mark);
}

/* How often to look for memory that is given back, when none was since the last look. */
#define LOOKS		6
/* How long between two looks, beside a grace period. */
#define LOOK_JIFFIES	max(1, HZ / 50)

/*
 * What waits for readers to leave takes two grace periods, then a few rounds of upkeep. If
 * nothing has come of it by then, the user is at work on it faster than it is given back.
 */
static int wait_for_garbage(struct kreg_user *u, s64 n)
{
	s64 least = atomic64_read(&u->used[KREG_QUOTA_BYTES]), used;
	unsigned int looks = LOOKS;

	while (looks-- && kreg_user_has_garbage(u) &&
	       !kreg_user_fits(u, KREG_QUOTA_BYTES, n)) {
		synchronize_rcu();
		if (schedule_timeout_killable(LOOK_JIFFIES) && fatal_signal_pending(current))
			return -EINTR;
		used = atomic64_read(&u->used[KREG_QUOTA_BYTES]);
		if (used < least)
			looks = LOOKS;
		least = min(least, used);
	}
	return 0;
}

/* What others have queued is not waited for. */
int kreg_sync_make_room(struct kreg_user *u, enum kreg_quota what, s64 n)
{
	int err;

	if (likely(kreg_user_fits(u, what, n)))
		return 0;
	err = kreg_proc_settle_all() ?: kreg_ns_settle_all();
	return err || what != KREG_QUOTA_BYTES ? err : wait_for_garbage(u, n);
}

void kreg_sync_end_pins(struct kreg_table *t)
{
	if (likely(!kreg_pin_count(&t->store)))
		return;
	spin_lock(&t->writer->turn);
	kreg_snapshot_end_all(t);
	spin_unlock(&t->writer->turn);
}

int kreg_sync_make_table_room(struct kreg_table *t, s64 n)
{
	kreg_sync_end_pins(t);
	return kreg_sync_make_room(t->user, KREG_QUOTA_BYTES, n);
}

/*
 * Look for a dead owner among those that @held is heir of, a piece of the list
 * at a time; the piece goes to its end. Returns it with a reference, or NULL.
 */
static struct kreg_proc *dead_owner(struct kreg_writer *w, struct kreg_holdings *held,
				    unsigned int *left)
{
	struct kreg_proc *owner, *dead = NULL, *last = NULL;
	struct kreg_table *t;
	unsigned int n;

	spin_lock(&w->turn);
	for (n = 0; n < TABLES_A_TURN && *left && !dead; n++, --*left) {
		t = list_first_entry_or_null(&held->heired, struct kreg_table, heired);
		if (!t) {
			*left = 0;
			break;
		}
		list_move_tail(&t->heired, &held->heired);
		owner = kreg_table_owner(t);
		if (owner && owner != last && kreg_proc_dead(owner))
			dead = owner;
		last = owner;
	}
	if (dead)
		kreg_proc_get(dead);
	spin_unlock(&w->turn);
	return dead;
}

static int settle_holdings(struct kreg_writer *w, struct kreg_holdings *held)
{
	unsigned int left = READ_ONCE(held->nr_heired);
	struct kreg_proc *dead;
	int err;

	while (left) {
		dead = dead_owner(w, held, &left);
		if (!dead)
			continue;
		err = kreg_proc_settle(dead);
		kreg_proc_put(dead);
		if (err < 0)
			return err;
	}
	return 0;
}

int kreg_sync_mail(struct kreg_client *cl)
{
	struct kreg_proc *p = cl->proc;
	unsigned int i;
	int err = 0;

	/* If another thread looks for dead owners already, wait until it has settled them. */
	if (mutex_lock_interruptible(&p->settling))
		return -ERESTARTSYS;
	for (i = 0; i < kreg_writers && !err; i++)
		err = settle_holdings(kreg_writer_nr(i), &p->holdings[i]);
	mutex_unlock(&p->settling);
	return err;
}

int kreg_cmd_sync(struct kreg_call *call)
{
	const struct kreg_ioc_sync *arg = call->arg;

	return arg->flags ? -EOPNOTSUPP : sync_client(call->client);
}
