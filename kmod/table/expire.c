// SPDX-License-Identifier: GPL-2.0
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/slab.h>

#include "client/client.h"
#include "client/user.h"
#include "store/gfp.h"
#include "store/reader.h"
#include "table/bind.h"
#include "table/expire.h"
#include "table/expirer.h"
#include "table/names.h"
#include "table/publish.h"
#include "table/table.h"
#include "table/waits.h"

/* Objects that are looked at in one hold of the turn. */
#define EXPIRE_RECORDS	32U

static void (*serve)(struct kreg_table *t);

void kreg_expire_init(void (*serve_lines)(struct kreg_table *t))
{
	serve = serve_lines;
}

/* Once a table has one, it has it for good. */
int kreg_expirer_bring(struct kreg_bind *bind, u64 table, const struct kreg_expiry *expiry)
{
	struct kreg_timed_bind *b = kreg_timed_bind_of(bind);
	struct kreg_table *t;
	bool known;

	bind->times = true;
	b->expiry = *expiry;
	b->expirer = NULL;

	rcu_read_lock();
	t = kreg_names_id(bind->client->ns, table);
	known = t && READ_ONCE(t->expirer);
	rcu_read_unlock();
	if (known)
		return 0;
	b->expirer = kzalloc(sizeof(*b->expirer), KREG_GFP_USER);
	return b->expirer ? 0 : -ENOMEM;
}

void kreg_expirer_drop(struct kreg_bind *bind)
{
	if (bind->times)
		kfree(kreg_timed_bind_of(bind)->expirer);
}

/* NULL: it does not expire. */
static const struct kreg_expiry *keep_expiry(struct kreg_bind *bind, const struct kreg_rec *old)
{
	struct kreg_expiry *chosen = &kreg_timed_bind_of(bind)->chosen;
	const struct kreg_rec_expiry *e;

	if (!kreg_rec_is_timed(old))
		return NULL;
	e = kreg_rec_expiry(old);
	chosen->expires = e->expires;
	chosen->idle_ms = old->lens & KREG_REC_IDLE ? e->idle_ms : 0;
	return chosen;
}

int kreg_expiry_decide(struct kreg_change *c, const struct kreg_place *place)
{
	const struct kreg_rec *old = c->gone ? NULL : place->old;
	const struct kreg_expiry *expiry = NULL;
	struct kreg_bind *bind = c->bind;

	if (c->kind != KREG_CHANGE_PUT)
		return 0;
	if (bind->keeps && old)
		expiry = keep_expiry(bind, old);
	else if (bind->times)
		expiry = &kreg_timed_bind_of(bind)->expiry;
	if (expiry && c->holder)
		return -EOPNOTSUPP;
	kreg_change_expire(c, expiry);
	return 0;
}

static void set_timer(struct kreg_expirer *x)
{
	u64 when = kreg_expiry_next(&x->table->store), now = kreg_expiry_now(), delay;

	kreg_table_assert(x->table);
	if (when == KREG_NEVER || (x->set && when >= x->when))
		return;
	/* One jiffy is added, so that the time has passed then. */
	delay = when > now ? nsecs_to_jiffies64(when - now) : 0;
	delay = jiffies + min_t(u64, delay + 1, MAX_JIFFY_OFFSET);
	x->when = when;
	/* One that has gone off already is set anew when its request has ended. */
	if (x->set)
		mod_timer_pending(&x->timer, delay);
	else
		mod_timer(&x->timer, delay);
	x->set = true;
}

static struct kreg_expirer *expirer_of(struct kreg_req *req)
{
	return container_of(req, struct kreg_expirer, req);
}

static unsigned int records_a_hold(const struct kreg_table *t)
{
	/* Where somebody may get each key at once, that is the other half of the work. */
	return unlikely(t->awaited) && !list_empty(&t->awaited->lined) ? EXPIRE_RECORDS / 2 :
									 EXPIRE_RECORDS;
}

/* One commit for all of them. False: none has expired. */
static bool remove_expired(struct kreg_expirer *x)
{
	const struct kreg_rec *removed[EXPIRE_RECORDS];
	struct kreg_table *t = x->table;
	unsigned int i, n;

	kreg_txn_begin(&x->txn, &t->store);
	n = kreg_txn_remove_expired(&x->txn, records_a_hold(t), removed);
	if (!n) {
		kreg_txn_abort(&x->txn);
		return false;
	}
	kreg_txn_commit(&x->txn);
	for (i = 0; i < n && t->listeners; i++)
		kreg_table_publish_expired(t, removed[i], x->txn.version);
	kreg_table_publish_keys(t, n);
	return true;
}

static bool is_due(const struct kreg_table *t)
{
	return kreg_expiry_next(&t->store) <= kreg_expiry_now();
}

/* A table that is dead goes with all that is in it. */
static bool expire_step(struct kreg_req *req)
{
	struct kreg_expirer *x = expirer_of(req);
	struct kreg_table *t = x->table;

	kreg_table_assert(t);
	if (t->dead)
		return true;
	if (x->unlinking)
		kreg_store_begin_hold(&t->store);
	else if (!remove_expired(x))
		return !is_due(t);
	x->unlinking = !kreg_txn_unlink(&x->txn, EXPIRE_RECORDS);
	if (x->unlinking)
		return false;
	kreg_writer_add_upkeep(t->writer, &t->upkeep);
	kreg_table_note_garbage(t);
	kreg_table_settle(t);
	if (kreg_waits_has_freed(t))
		serve(t);
	return !is_due(t);
}

/* Nobody has the request any more. */
static void expire_ended(struct kreg_req *req)
{
	struct kreg_expirer *x = expirer_of(req);
	struct kreg_table *t = x->table;

	spin_lock(&t->writer->turn);
	x->set = false;
	kreg_req_init(&x->req, &t->lane, expire_step, expire_ended);
	x->req.share = kreg_user_share(t->user, t->writer->nr);
	if (!t->dead)
		set_timer(x);
	spin_unlock(&t->writer->turn);
	kreg_table_put(t);
}

/* In a softirq: the thread does it. A table without references waits for this to return. */
static void time_has_come(struct timer_list *timer)
{
	struct kreg_expirer *x = container_of(timer, struct kreg_expirer, timer);

	if (kreg_table_tryget(x->table))
		kreg_writer_post(x->table->writer, &x->req);
}

static void enter_expirer(struct kreg_table *t, struct kreg_timed_bind *b)
{
	struct kreg_expirer *x = b->expirer;

	kreg_table_assert(t);
	b->expirer = NULL;
	x->table = t;
	timer_setup(&x->timer, time_has_come, 0);
	kreg_req_init(&x->req, &t->lane, expire_step, expire_ended);
	x->req.share = kreg_user_share(t->user, t->writer->nr);
	/* Less than a table takes anyway, so it is counted, and not refused. */
	kreg_user_count_in(t->user, KREG_QUOTA_BYTES, sizeof(*x));
	t->expirer_bytes = sizeof(*x);
	WRITE_ONCE(t->expirer, x);
}

void kreg_expiry_start(struct kreg_table *t, struct kreg_bind *bind)
{
	kreg_table_assert(t);
	if (!t->expirer) {
		/* What keeps the expiry of another finds one here. */
		if (WARN_ON_ONCE(!bind->times || !kreg_timed_bind_of(bind)->expirer))
			return;
		enter_expirer(t, kreg_timed_bind_of(bind));
	}
	set_timer(t->expirer);
}
