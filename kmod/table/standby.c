// SPDX-License-Identifier: GPL-2.0
#include <linux/err.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "client/client.h"
#include "client/exit.h"
#include "client/ns.h"
#include "client/proc.h"
#include "client/user.h"
#include "store/gfp.h"
#include "table/standby.h"
#include "table/table.h"

/* How many are looked at when no death is under way, and in one hold of a client's lock. */
#define PLACES_A_LOOK	64

static void list_place(struct kreg_standby *s, struct kreg_client *cl)
{
	spin_lock(&cl->watch_lock);
	list_add_tail(&s->of_client, &cl->standbys);
	WRITE_ONCE(cl->nr_standbys, cl->nr_standbys + 1);
	spin_unlock(&cl->watch_lock);
}

/* Its client knows nothing of it any more. */
static void forget_place(struct kreg_standby *s)
{
	struct kreg_client *cl = s->handle.client;

	kreg_handle_remove(&s->handle);
	spin_lock(&cl->watch_lock);
	list_del(&s->of_client);
	WRITE_ONCE(cl->nr_standbys, cl->nr_standbys - 1);
	spin_unlock(&cl->watch_lock);
	s->handle.client = NULL;
}

static void drop_table(struct kreg_standby *s)
{
	struct kreg_table *t = rcu_dereference_protected(s->table, true);

	RCU_INIT_POINTER(s->table, NULL);
	kreg_table_put(t);
}

static void free_place(struct kreg_standby *s)
{
	kreg_user_uncharge_watch(s->user, KREG_STANDBY_BYTES);
	kreg_user_put(s->user);
	kfree(s);
}

void kreg_standby_free(struct kreg_standby *s)
{
	if (!s)
		return;
	if (s->handle.client)
		forget_place(s);
	drop_table(s);
	free_place(s);
}

static void free_place_read(struct kreg_mail *mail)
{
	kreg_standby_free(container_of(mail, struct kreg_standby, mail));
}

/* The name that the table has in the end. */
static void tell_name(struct kreg_mail *mail, const struct kreg_name *name)
{
	if (!name)
		return;
	mail->event.key_len = name->len;
	mail->event.size = sizeof(mail->event) + ALIGN(name->len, 8);
	memcpy(mail->tail, name->bytes, name->len);
}

static u32 cause_of(int err)
{
	if (err == -ESTALE)
		return 0;
	return err == -EPROTOTYPE ? KREG_CAUSE_SCHEMA : KREG_CAUSE_ACCESS;
}

/* What the record says of the end of the wait. */
static void describe_end(struct kreg_standby *s, const struct kreg_table *t,
			 const struct kreg_proc *from)
{
	struct kreg_event *event = &s->mail.event;

	event->process = kreg_proc_name(from, t->ns->key.pid_ns);
	tell_name(&s->mail, kreg_table_name(t));
	if (s->waiter.result) {
		event->kind = KREG_EVENT_GONE;
		event->cause = cause_of(s->waiter.result);
		event->version = t->store.version;
		return;
	}
	event->kind = KREG_EVENT_TRANSFER;
	event->cause = KREG_CAUSE_CLAIM;
	event->version = t->transfers;
	if (kreg_proc_dead(from) && from->status_known) {
		event->flags |= KREG_EVENT_STATUS;
		event->status = from->status;
	}
}

/*
 * Nobody is to be told that he has cancelled it, or is exiting. Who finds the record may read
 * it at once, and then it is gone.
 */
static void place_over(struct kreg_waiter *waiter, const struct kreg_proc *from)
{
	struct kreg_standby *s = container_of(waiter, struct kreg_standby, waiter);
	struct kreg_table *t = waiter->table;
	bool told = waiter->result != -EINTR;

	kreg_table_assert(t);
	if (told)
		describe_end(s, t, from);
	drop_table(s);
	if (told)
		kreg_client_tell(s->handle.client, &s->mail, s->writer);
}

static int cancel_place(struct kreg_handle *h, bool flush)
{
	struct kreg_standby *s = container_of(h, struct kreg_standby, handle);

	if (kreg_line_leave(&s->waiter, s->writer, -EINTR)) {
		kreg_standby_free(s);
		return 0;
	}
	if (flush && kreg_mailbox_remove(&h->client->box, &s->mail))
		kreg_standby_free(s);
	return -ENOENT;
}

/* What says that the process owns a table is for the next client, which has not asked for it. */
static void end_place(struct kreg_handle *h)
{
	struct kreg_standby *s = container_of(h, struct kreg_standby, handle);
	struct kreg_client *cl = h->client;

	if (kreg_line_leave(&s->waiter, s->writer, -EINTR) || s->waiter.result) {
		kreg_mailbox_remove(&cl->box, &s->mail);
		kreg_standby_free(s);
		return;
	}
	forget_place(s);
	s->mail.event.id = 0;
	s->mail.event.udata = 0;
}

static const struct kreg_handle_ops place_ops = {
	.cancel = cancel_place,
	.end = end_place,
};

static void init_place_record(struct kreg_mail *mail, const struct kreg_table *t, u64 udata)
{
	INIT_LIST_HEAD(&mail->node);
	mail->free = free_place_read;
	mail->event.size = sizeof(mail->event);
	mail->event.table = t->id;
	mail->event.udata = udata;
}

static void init_place(struct kreg_standby *s, struct kreg_client *cl, struct kreg_table *t,
		       u64 udata)
{
	s->handle.ops = &place_ops;
	INIT_LIST_HEAD(&s->waiter.node);
	s->waiter.client = cl;
	s->waiter.over = place_over;
	s->writer = t->writer;
	init_place_record(&s->mail, t, udata);
}

struct kreg_standby *kreg_standby_alloc(struct kreg_client *cl, struct kreg_table *t, u64 udata)
{
	struct kreg_standby *s;
	int err;

	s = kzalloc(KREG_STANDBY_BYTES, KREG_GFP_USER);
	if (!s)
		return ERR_PTR(-ENOMEM);
	init_place(s, cl, t, udata);
	err = kreg_user_charge_watch(cl->user, KREG_STANDBY_BYTES);
	if (err)
		goto free;
	s->user = cl->user;
	refcount_inc(&s->user->refs);
	err = kreg_handle_reserve(cl, &s->handle);
	if (err)
		goto uncharge;
	s->mail.event.id = s->handle.id;
	list_place(s, cl);
	kreg_table_get(t);
	rcu_assign_pointer(s->table, t);
	return s;

uncharge:
	free_place(s);
	return ERR_PTR(err);
free:
	kfree(s);
	return ERR_PTR(err);
}

int kreg_standby_enter(struct kreg_standby *s)
{
	struct kreg_table *t = rcu_dereference_protected(s->table, true);
	int err = kreg_line_enter(t, &s->waiter);

	if (!err)
		kreg_handle_publish(&s->handle);
	return err;
}

/*
 * The owner of the table, with a reference, if it is dead; or NULL. *@passing: the table has no
 * owner, or the client has it already, so that the record may come with this hold of the turn.
 */
static struct kreg_proc *dead_owner_of(const struct kreg_client *cl, const struct kreg_standby *s,
				       struct kreg_writer **passing)
{
	struct kreg_proc *owner = NULL;
	struct kreg_table *t;

	rcu_read_lock();
	t = rcu_dereference(s->table);
	if (t)
		owner = rcu_dereference(t->owner);
	if (!owner || owner == cl->proc)
		*passing = s->writer;
	if (owner && !(kreg_proc_dead(owner) && refcount_inc_not_zero(&owner->refs)))
		owner = NULL;
	rcu_read_unlock();
	return owner;
}

/* NULL: none of those that were looked at, which are taken off *@left and come last now. */
static struct kreg_proc *find_dead_owner(struct kreg_client *cl, unsigned int *left,
					 struct kreg_writer **passing)
{
	struct kreg_proc *dead = NULL;
	struct kreg_standby *s;
	unsigned int n;

	spin_lock(&cl->watch_lock);
	for (n = 0; n < PLACES_A_LOOK && *left && !dead; n++, --*left) {
		s = list_first_entry_or_null(&cl->standbys, struct kreg_standby, of_client);
		if (!s) {
			*left = 0;
			break;
		}
		list_move_tail(&s->of_client, &cl->standbys);
		dead = dead_owner_of(cl, s, passing);
	}
	spin_unlock(&cl->watch_lock);
	return dead;
}

int kreg_standby_sync(struct kreg_client *cl)
{
	unsigned int left = READ_ONCE(cl->nr_standbys);
	struct kreg_writer *passing = NULL;
	struct kreg_proc *dead;
	int err = 0;

	lockdep_assert_held(&cl->reading);
	if (!kreg_proc_deaths_untold())
		left = min(left, PLACES_A_LOOK);
	while (left && err >= 0 && kreg_mailbox_is_empty(&cl->box)) {
		dead = find_dead_owner(cl, &left, &passing);
		if (!dead) {
			cond_resched();
			continue;
		}
		err = kreg_proc_settle(dead);
		kreg_proc_put(dead);
	}
	/* Who has taken the owner away tells of it in the same hold: wait until that is over. */
	if (unlikely(passing) && kreg_mailbox_is_empty(&cl->box)) {
		spin_lock(&passing->turn);
		spin_unlock(&passing->turn);
	}
	return min(err, 0);
}
