// SPDX-License-Identifier: GPL-2.0
/* OPEN: find, create or claim a table. */
#include <linux/err.h>
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/wait.h>

#include "client/client.h"
#include "client/clock.h"
#include "client/limits.h"
#include "client/ns.h"
#include "client/proc.h"
#include "client/user.h"
#include "cmd/cmd.h"
#include "cmd/find.h"
#include "cmd/heir.h"
#include "cmd/sync.h"
#include "table/access.h"
#include "table/names.h"
#include "table/park.h"
#include "table/request.h"
#include "table/table.h"

/* Members that describe a new table must be zero without CREATE. */
static int check_no_create(const struct kreg_ioc_open *arg)
{
	if (arg->flags & (KREG_OPEN_EXCL | KREG_OPEN_CLAIMABLE | KREG_OPEN_HEIR |
			  KREG_OPEN_HEIR_SILENT))
		return -EINVAL;
	if (arg->type || arg->access || arg->mode || arg->orphan || arg->orphan_ms)
		return -EINVAL;
	return 0;
}

static int check_create(const struct kreg_ioc_open *arg)
{
	if (arg->type != KREG_TYPE_SET)
		return arg->type ? -EOPNOTSUPP : -EINVAL;
	if (arg->access > KREG_ACCESS_REGISTRY ||
	    arg->orphan > KREG_ORPHAN_PARK_ON_CRASH)
		return -EOPNOTSUPP;
	if (arg->mode & ~KREG_MODE_BITS ||
	    (arg->flags & KREG_OPEN_EXCL && arg->flags & KREG_OPEN_CLAIM) ||
	    (arg->orphan_ms && arg->orphan == KREG_ORPHAN_DESTROY))
		return -EINVAL;
	return 0;
}

static int check_heir(const struct kreg_ioc_open *arg)
{
	if (!(arg->flags & KREG_OPEN_HEIR)) {
		if (arg->flags & KREG_OPEN_HEIR_SILENT || !kreg_cmd_no_process(&arg->heir) ||
		    arg->data || arg->data_len)
			return -EINVAL;
		return 0;
	}
	if (!arg->heir.pid || (arg->flags & KREG_OPEN_HEIR_SILENT && arg->data_len))
		return -EINVAL;
	return arg->data_len > KREG_MAX_DATA ? -EFBIG : 0;
}

static int check_open(const struct kreg_ioc_open *arg)
{
	bool create = arg->flags & KREG_OPEN_CREATE;
	int err;

	if (arg->flags & ~KREG_OPEN_ALL || arg->udata || arg->heir.reserved)
		return -EOPNOTSUPP;
	err = create ? check_create(arg) : check_no_create(arg);
	if (err)
		return err;
	if (!(arg->flags & KREG_OPEN_CLAIM) &&
	    arg->flags & (KREG_OPEN_WAIT | KREG_OPEN_QUARANTINED))
		return -EINVAL;
	if (!(arg->flags & KREG_OPEN_WAIT) && arg->deadline_ns)
		return -EINVAL;
	/* Without a name there is nothing to find. */
	if (!arg->name_len && (!create || arg->name ||
			       arg->flags & (KREG_OPEN_EXCL | KREG_OPEN_CLAIM)))
		return -EINVAL;
	err = check_heir(arg);
	if (err != -EFBIG)
		return err;
	return arg->name_len > KREG_MAX_NAME ? -ENAMETOOLONG : err;
}

struct open {
	struct kreg_call *call;
	struct kreg_ioc_open *arg;	/* checked; out_ members are filled in */
	const u8 *name;
	const void *data;
};

/* Result of a claim that waits in line; never the error of a call. */
#define WAITING		(-EINPROGRESS)

/* The answer is written before anything is changed, so that nothing can fail after. */
static int answer_open(struct open *open, u64 id, u32 type, u32 how)
{
	open->arg->out_table = id;
	open->arg->out_type = type;
	open->arg->out_how = how;
	open->arg->out_id = 0;
	open->arg->out_limit = KREG_LIMIT_NONE;
	open->arg->out_reserved = 0;
	return kreg_cmd_answer_from(open->call, struct kreg_ioc_open, out_table);
}

/* Charge what the new table costs, and give it its name; or nothing. */
static int enter_table(struct kreg_table *t)
{
	int err;

	/*
	 * If the namespace ends later, the death of its init will be handled under
	 * this turn, and finds the table.
	 */
	if (kreg_ns_ends(t->ns))
		return -ESRCH;
	err = kreg_user_charge(t->user, KREG_QUOTA_TABLES, 1);
	if (err)
		return err;
	err = kreg_table_set_orphan(t, t->orphan, t->orphan_ms);
	if (err)
		goto uncharge;
	err = kreg_names_add(t);
	if (err)
		goto unpark;
	return 0;

unpark:
	kreg_table_uncharge_park(t);
uncharge:
	kreg_user_uncharge(t->user, KREG_QUOTA_TABLES, 1);
	return err;
}

static int apply_create(struct kreg_table_req *c)
{
	struct kreg_table *t = c->table;
	int err = kreg_heir_check(c) ?: enter_table(t);

	if (err)
		return err;
	/* The directory's reference. Nothing can fail any more. */
	kreg_table_get(t);
	kreg_table_set_owner(t, c->client->proc, c->client->uid);
	if (c->to)
		kreg_heir_commit(c);
	return 0;
}

static struct kreg_table *new_table(struct kreg_client *cl, const struct open *open, u64 id)
{
	const struct kreg_ioc_open *arg = open->arg;
	struct kreg_table_spec spec = {
		.name = open->name,
		.name_len = arg->name_len,
		.type = arg->type,
		.access = arg->access ?: KREG_ACCESS_PROTECTED,
		.mode = arg->mode,
		.orphan = arg->orphan,
		.orphan_ms = arg->orphan_ms,
		.claimable = arg->flags & KREG_OPEN_CLAIMABLE,
	};
	int err = 0;

	if (spec.orphan != KREG_ORPHAN_DESTROY)
		err = kreg_client_may_park(cl, &spec.orphan_ms);
	return err ? ERR_PTR(err) : kreg_table_alloc(cl, &spec, id);
}

/* The id is reserved; what becomes of it is decided here and at the end of the request. */
static int create_with_id(struct kreg_client *cl, struct open *open, u64 id)
{
	struct kreg_ioc_open *arg = open->arg;
	struct kreg_table_req *c;
	struct kreg_table *t;
	int err = 0;

	t = new_table(cl, open, id);
	c = IS_ERR(t) ? NULL : kreg_table_req_alloc(cl, t, apply_create);
	if (!c) {
		kreg_names_release(cl->ns, id);
		return PTR_ERR_OR_ZERO(t) ?: -ENOMEM;
	}
	/* Killed, the caller may return before the request is applied. */
	c->creates = true;
	if (arg->flags & KREG_OPEN_HEIR)
		err = kreg_heir_bring(c, &arg->heir, arg->flags & KREG_OPEN_HEIR_SILENT,
				      open->data, arg->data_len);
	if (!err)
		err = answer_open(open, id, arg->type, KREG_OPENED_CREATED);
	return err ? kreg_table_req_cancel(c, err) : kreg_table_req_submit(c);
}

static int create_table(struct kreg_client *cl, struct open *open)
{
	u64 id;
	int err;

	err = kreg_sync_make_room(cl->user, KREG_QUOTA_TABLES, 1) ?:
	      kreg_sync_make_room(cl->user, KREG_QUOTA_BYTES,
				  KREG_TABLE_BYTES + open->arg->name_len);
	if (!err && open->arg->orphan != KREG_ORPHAN_DESTROY)
		err = kreg_sync_make_room(cl->user, KREG_QUOTA_PARKED, 1);
	if (!err)
		err = kreg_names_reserve(cl->ns, &id);
	return err ?: create_with_id(cl, open, id);
}

static int apply_claim(struct kreg_table_req *c)
{
	struct kreg_table *t = c->table;
	int err = kreg_table_may_claim(t, c->client);

	if (err)
		return err;
	if (c->abandoned)
		return -EINTR;
	if (kreg_table_role(t))
		return -EBUSY;
	if (kreg_table_owned_by(t, c->client))
		return -EALREADY;
	if (!kreg_table_owner(t) &&
	    (c->value & KREG_OPEN_QUARANTINED || !kreg_table_is_quarantined(t))) {
		kreg_table_claim(t, c->client);
		return 0;
	}
	if (!(c->value & KREG_OPEN_WAIT))
		return kreg_table_owner(t) ? -EBUSY : -EOWNERDEAD;
	if (t->nr_waiters >= KREG_MAX_WAITERS)
		return kreg_over_limit(KREG_LIMIT_WAITERS);
	refcount_inc(&c->req.refs);
	kreg_table_wait(t, &c->waiter);
	return WAITING;
}

static void stop_waiting(struct kreg_waiter *waiter)
{
	struct kreg_table_req *c = container_of(waiter, struct kreg_table_req, waiter);

	/* Pairs with is_over(): the result is written first. */
	smp_store_release(&c->over, true);
	kreg_wake_later(waiter->table->writer, &waiter->wake);
}

static void wake_claimant(struct kreg_wake *wake)
{
	struct kreg_waiter *waiter = container_of(wake, struct kreg_waiter, wake);
	struct kreg_table_req *c = container_of(waiter, struct kreg_table_req, waiter);

	wake_up(&waiter->woken);
	kreg_req_put(&c->req);
}

/* Whether the wait is over. If not, handling a death may end it; this does not sleep. */
static bool is_over(struct kreg_table_req *c)
{
	if (!READ_ONCE(c->over))
		kreg_death_help(c->table->writer);
	/* Pairs with stop_waiting(). */
	return smp_load_acquire(&c->over);
}

/*
 * Sleep until the wait is over, a signal comes, or @until has passed; KTIME_MAX: never.
 * The exit of the owner wakes by the queue of the process.
 */
static int sleep_in_line(struct kreg_table_req *c, ktime_t until)
{
	struct wait_queue_head *claims = &c->client->proc->claims;
	ktime_t *expires = until == KTIME_MAX ? NULL : &until;
	DECLARE_WAITQUEUE(at_exit, current);
	DEFINE_WAIT(wait);
	int err;

	add_wait_queue(claims, &at_exit);
	do {
		err = prepare_to_wait_event(&c->waiter.woken, &wait,
					    TASK_INTERRUPTIBLE | TASK_FREEZABLE);
		if (is_over(c)) {
			err = 0;
			break;
		}
		if (!err && !schedule_hrtimeout_range(expires, current->timer_slack_ns,
						      HRTIMER_MODE_ABS))
			err = -ETIMEDOUT;
	} while (!err);
	finish_wait(&c->waiter.woken, &wait);
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
		kreg_table_leave_line(c->table, &c->waiter, err);
	return c->waiter.result;
}

/* The caller was killed before the claim was applied, or before it could tell. */
static void abandon_claim(struct kreg_table_req *c)
{
	spin_lock(&c->table->writer->turn);
	c->abandoned = true;
	spin_unlock(&c->table->writer->turn);
	kreg_table_leave_line(c->table, &c->waiter, -EINTR);
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

/* Whether it is a table of the user whom the caller trusts alone. */
static int check_user(const struct kreg_client *cl, const struct open *open,
		      const struct kreg_table *t)
{
	return open->arg->flags & KREG_OPEN_OWN_USER && !uid_eq(t->uid, cl->uid) ? -EPERM : 0;
}

static int claim_table(struct kreg_client *cl, struct open *open, struct kreg_table *t)
{
	struct kreg_table_req *c;
	int err;

	c = kreg_table_req_alloc(cl, t, apply_claim);
	if (!c)
		return -ENOMEM;
	c->value = open->arg->flags & (KREG_OPEN_WAIT | KREG_OPEN_QUARANTINED);
	c->waiter.client = cl;
	c->waiter.over = stop_waiting;
	init_waitqueue_head(&c->waiter.woken);
	kreg_wake_init(&c->waiter.wake, wake_claimant);
	err = kreg_table_may_claim(t, cl) ?: check_user(cl, open, t) ?:
	      answer_open(open, t->id, t->type, KREG_OPENED_CLAIMED);
	return err ? kreg_table_req_cancel(c, err) : submit_claim(c, open->arg->deadline_ns);
}

static int open_table(struct kreg_client *cl, struct open *open, struct kreg_table *t)
{
	bool other_type = open->arg->type && open->arg->type != t->type;
	int err = -EEXIST;

	if (!other_type && open->arg->flags & KREG_OPEN_CLAIM)
		return claim_table(cl, open, t);
	if (!other_type)
		err = kreg_table_may_open(t, cl) ?: check_user(cl, open, t) ?:
		      answer_open(open, t->id, t->type, 0);
	kreg_table_put(t);
	return err;
}

static int open_existing(struct kreg_client *cl, struct open *open)
{
	struct kreg_table *t;

	if (!open->arg->name_len)
		return -ENOENT;
	t = kreg_find_table_named(cl, open->name, open->arg->name_len);
	if (IS_ERR(t))
		return PTR_ERR(t);
	if (!(open->arg->flags & KREG_OPEN_EXCL))
		return open_table(cl, open, t);
	kreg_table_put(t);
	return -EEXIST;
}

static int open_any(struct kreg_client *cl, struct open *open)
{
	bool may_create = open->arg->flags & KREG_OPEN_CREATE;
	bool may_exist = !(open->arg->flags & KREG_OPEN_EXCL);
	bool waits = open->arg->flags & KREG_OPEN_WAIT;
	bool writes = open->arg->flags & (KREG_OPEN_CREATE | KREG_OPEN_CLAIM);
	int err = kreg_client_check_mode(cl, writes ? FMODE_WRITE : 0);

	if (err)
		return err;

	/* Another may create or destroy it between two looks. */
	do {
		err = open_existing(cl, open);
		if (may_create && err == -ENOENT)
			err = create_table(cl, open);
		else if (!may_create || waits || err != -ESTALE)
			break;
	} while (err == -ESTALE || (err == -EEXIST && may_exist));
	return err;
}

int kreg_cmd_open(struct kreg_call *call)
{
	struct open open = { .call = call, .arg = call->arg };
	int err = check_open(open.arg);

	if (err)
		return err;
	open.name = kreg_cmd_get_name(open.arg->name, open.arg->name_len);
	if (IS_ERR(open.name))
		return PTR_ERR(open.name);
	open.data = kreg_cmd_get_bytes(open.arg->data, open.arg->data_len);
	if (IS_ERR(open.data)) {
		err = PTR_ERR(open.data);
	} else {
		err = open_any(call->client, &open);
		kvfree(open.data);
	}
	kvfree(open.name);
	return err;
}
