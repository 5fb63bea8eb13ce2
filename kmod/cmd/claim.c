// SPDX-License-Identifier: GPL-2.0
/* OPEN with CLAIM: own a table, wait for it, or stand by for it. */
#include <linux/err.h>
#include <linux/ktime.h>
#include <linux/sched.h>
#include <linux/wait.h>

#include "client/client.h"
#include "client/clock.h"
#include "client/limits.h"
#include "client/proc.h"
#include "cmd/claim.h"
#include "cmd/cmd.h"
#include "cmd/sync.h"
#include "table/access.h"
#include "table/owner.h"
#include "table/request.h"
#include "table/standby.h"
#include "table/table.h"

/* Result of a claim that waits in line; never the error of a call. */
#define WAITING		(-EINPROGRESS)

static void note_schema(struct kreg_open *open, struct kreg_table *t)
{
	struct kreg_schema has = kreg_table_schema(t);

	open->arg->out_schema = has.id;
	open->arg->out_schema_version = has.version;
}

static int tell_schema(struct kreg_open *open, struct kreg_table *t)
{
	note_schema(open, t);
	return kreg_cmd_answer_from(open->call, struct kreg_ioc_open, out_schema_version);
}

/* With the schema that was asked for between them, which is as it was. */
int kreg_open_answer(struct kreg_open *open, struct kreg_table *t, u32 how, u64 id)
{
	open->arg->out_table = t->id;
	open->arg->out_type = t->type;
	open->arg->out_how = how;
	open->arg->out_id = id;
	open->arg->out_limit = KREG_LIMIT_NONE;
	open->arg->out_reserved = 0;
	note_schema(open, t);
	return kreg_cmd_answer_from(open->call, struct kreg_ioc_open, out_table);
}

static struct kreg_schema wanted_schema(const struct kreg_open *open)
{
	return (struct kreg_schema) { open->arg->schema, open->arg->schema_version };
}

int kreg_open_check_schema(struct kreg_open *open, struct kreg_table *t)
{
	struct kreg_schema has = kreg_table_schema(t), wanted = wanted_schema(open);
	int err = kreg_schema_check(&has, &wanted);

	return err ? tell_schema(open, t) ?: err : 0;
}

int kreg_open_check_user(const struct kreg_client *cl, const struct kreg_open *open,
			 const struct kreg_table *t)
{
	return open->arg->flags & KREG_OPEN_OWN_USER && !uid_eq(t->uid, cl->uid) ?
	       kreg_denied(KREG_DENIED_USER) : 0;
}

static int check_claim(const struct kreg_table_req *c)
{
	int err = kreg_table_may_claim(c->table, c->client);

	if (err)
		return err;
	if (kreg_table_owned_by(c->table, c->client))
		return -EALREADY;
	if (kreg_table_role(c->table))
		return -EBUSY;
	return kreg_schema_check(&c->table->schema, &c->waiter.schema);
}

/* Whether the table is to be had at once, by one who has given these flags. */
static bool is_free(const struct kreg_table *t, u32 flags)
{
	return !kreg_table_owner(t) &&
	       (flags & KREG_OPEN_QUARANTINED || !kreg_table_is_quarantined(t));
}

static int apply_claim(struct kreg_table_req *c)
{
	struct kreg_table *t = c->table;
	int err = check_claim(c);

	if (err)
		return err;
	if (c->abandoned)
		return -EINTR;
	if (is_free(t, c->value)) {
		kreg_table_claim(t, c->client);
		return 0;
	}
	if (!(c->value & KREG_OPEN_WAIT))
		return kreg_table_owner(t) ? -EBUSY : -EOWNERDEAD;
	err = kreg_line_enter(t, &c->waiter);
	if (err)
		return err;
	refcount_inc(&c->req.refs);
	return WAITING;
}

static void stop_waiting(struct kreg_waiter *waiter, const struct kreg_proc *from)
{
	struct kreg_table_req *c = container_of(waiter, struct kreg_table_req, waiter);

	/* Pairs with is_over(): the result is written first. */
	smp_store_release(&c->over, true);
	kreg_wake_later(c->table->writer, &c->wake);
}

static void wake_claimant(struct kreg_wake *wake)
{
	struct kreg_table_req *c = container_of(wake, struct kreg_table_req, wake);

	wake_up(&c->woken);
	kreg_req_put(&c->req);
}

/* Whether the wait is over. If not, handling a death may end it; this does not sleep. */
static bool is_over(void *what)
{
	struct kreg_table_req *c = what;

	if (!READ_ONCE(c->over))
		kreg_death_help(c->table->writer);
	/* Pairs with stop_waiting(). */
	return smp_load_acquire(&c->over);
}

/* The exit of the owner wakes by the queue of the process. */
static int sleep_in_line(struct kreg_table_req *c, ktime_t until)
{
	struct wait_queue_head *claims = &c->client->proc->claims;
	DECLARE_WAITQUEUE(at_exit, current);
	int err;

	add_wait_queue(claims, &at_exit);
	err = kreg_clock_sleep(&c->woken, is_over, c, until);
	remove_wait_queue(claims, &at_exit);
	return err;
}

/*
 * Until the table is the caller's or gone. With -ERESTARTSYS the call begins anew when a
 * process that was stopped or frozen goes on; the moment at which it gives up stays.
 */
static int wait_in_line(struct kreg_table_req *c, ktime_t until)
{
	int err = sleep_in_line(c, until);

	if (err)
		kreg_line_leave(&c->waiter, c->table->writer, err);
	return c->waiter.result;
}

/* The caller was killed before the claim was applied, or before it could tell. */
static void abandon_claim(struct kreg_table_req *c)
{
	spin_lock(&c->table->writer->turn);
	c->abandoned = true;
	spin_unlock(&c->table->writer->turn);
	kreg_line_leave(&c->waiter, c->table->writer, -EINTR);
}

static int submit_claim(struct kreg_table_req *c, u64 deadline_ns)
{
	ktime_t until = deadline_ns ? kreg_clock_from_user(deadline_ns) : KTIME_MAX;
	int err = kreg_writer_submit(c->table->writer, &c->req);

	if (err == WAITING)
		err = wait_in_line(c, until);
	else if (err == -EINTR)
		abandon_claim(c);
	kreg_req_put(&c->req);
	return err;
}

static int claim_now(struct kreg_client *cl, struct kreg_open *open, struct kreg_table *t)
{
	struct kreg_table_req *c;
	int err;

	kreg_table_get(t);
	c = kreg_table_req_alloc(cl, t, apply_claim);
	if (!c)
		return -ENOMEM;
	c->value = open->arg->flags;
	c->waiter.schema = wanted_schema(open);
	c->waiter.client = cl;
	c->waiter.over = stop_waiting;
	init_waitqueue_head(&c->woken);
	kreg_wake_init(&c->wake, wake_claimant);
	err = kreg_open_check_user(cl, open, t) ?: kreg_table_may_claim(t, cl) ?:
	      kreg_open_check_schema(open, t) ?:
	      kreg_open_answer(open, t, KREG_OPENED_CLAIMED, 0);
	return err ? kreg_table_req_cancel(c, err) : submit_claim(c, open->arg->deadline_ns);
}

/* What the caller was told is what happens, or nothing does and he is told again. */
static int apply_standby(struct kreg_table_req *c)
{
	struct kreg_table *t = c->table;
	bool claims = is_free(t, c->value);
	int err = check_claim(c);

	if (err)
		return err;
	if (claims != !c->standby)
		return -EAGAIN;
	if (claims) {
		kreg_table_claim(t, c->client);
		return 0;
	}
	err = kreg_standby_enter(c->standby);
	if (!err)
		c->standby = NULL;
	return err;
}

static int bring_place(struct kreg_table_req *c, u64 udata)
{
	struct kreg_client *cl = c->client;
	struct kreg_standby *s;
	int err;

	/* What the user gives back may not have been given back yet. */
	err = kreg_sync_make_room(cl->user, KREG_QUOTA_BYTES, KREG_STANDBY_BYTES);
	if (err)
		return err;
	s = kreg_standby_alloc(cl, c->table, udata);
	if (IS_ERR(s))
		return PTR_ERR(s);
	s->waiter.schema = c->waiter.schema;
	c->standby = s;
	return 0;
}

static int try_standby(struct kreg_client *cl, struct kreg_open *open, struct kreg_table *t,
		       bool claims)
{
	struct kreg_table_req *c;
	int err;

	kreg_table_get(t);
	c = kreg_table_req_alloc(cl, t, apply_standby);
	if (!c)
		return -ENOMEM;
	c->value = open->arg->flags;
	c->waiter.schema = wanted_schema(open);
	err = kreg_open_check_user(cl, open, t) ?: kreg_table_may_claim(t, cl);
	if (!err && kreg_table_owned_by(t, cl))
		err = -EALREADY;
	if (!err)
		err = kreg_open_check_schema(open, t);
	if (!err && !claims)
		err = bring_place(c, open->arg->udata);
	if (!err)
		err = kreg_open_answer(open, t, claims ? KREG_OPENED_CLAIMED : 0,
				       claims ? 0 : c->standby->handle.id);
	return err ? kreg_table_req_cancel(c, err) : kreg_table_req_submit(c);
}

static int stand_by(struct kreg_client *cl, struct kreg_open *open, struct kreg_table *t)
{
	bool claims = !rcu_access_pointer(t->owner);
	int err;

	while ((err = try_standby(cl, open, t, claims)) == -EAGAIN)
		claims = !claims;
	return err;
}

/* What the schema is may have changed since it was told: by now nothing can fail. */
int kreg_open_claim(struct kreg_client *cl, struct kreg_open *open, struct kreg_table *t)
{
	int err = open->arg->flags & KREG_OPEN_STANDBY ? stand_by(cl, open, t) :
							 claim_now(cl, open, t);

	if (!err || err == -EPROTOTYPE)
		tell_schema(open, t);
	kreg_table_put(t);
	return err;
}
