// SPDX-License-Identifier: GPL-2.0
#include <linux/ktime.h>

#include "client/client.h"
#include "table/owner.h"
#include "client/mailbox.h"
#include "table/names.h"
#include "client/ns.h"
#include "client/exit.h"
#include "client/proc.h"
#include "store/store.h"
#include "table/table.h"
#include "client/user.h"

/* Tables handled in one hold of the turn. */
#define TABLES_A_TURN	8

/* For ever, as far as ktime goes. */
#define MAX_PARK_MS	(KTIME_MAX / NSEC_PER_MSEC / 2)

void kreg_table_end_wait(struct kreg_waiter *waiter, int result)
{
	list_del_init(&waiter->node);
	waiter->table->nr_waiters--;
	waiter->result = result;
	waiter->over(waiter);
}

static void stop_park_timer(struct kreg_table *t)
{
	t->parked_until = 0;
	if (cancel_delayed_work(&t->park_timer))
		kreg_table_put(t);
}

/* Charged while the table is parked, and while its orphan setting says that it will be. */
int kreg_table_charge_park(struct kreg_table *t)
{
	int err;

	kreg_table_assert(t);
	if (t->park_charged)
		return 0;
	err = kreg_user_charge(t->user, KREG_QUOTA_PARKED, 1);
	t->park_charged = !err;
	return err;
}

void kreg_table_uncharge_park(struct kreg_table *t)
{
	if (t->park_charged)
		kreg_user_uncharge(t->user, KREG_QUOTA_PARKED, 1);
	t->park_charged = false;
}

void kreg_table_destroy(struct kreg_table *t)
{
	struct kreg_waiter *waiter, *next;

	kreg_table_assert(t);
	if (t->dead)
		return;
	WRITE_ONCE(t->dead, true);
	/* Pairs with kreg_table_check_write(): dead before it loses its owner. */
	smp_wmb();
	kreg_names_remove(t);
	list_for_each_entry_safe(waiter, next, &t->waiters, node)
		kreg_table_end_wait(waiter, -ESTALE);
	kreg_table_set_heir(t, NULL, INVALID_UID);
	kreg_table_set_owner(t, NULL, INVALID_UID);
	stop_park_timer(t);
	kreg_table_uncharge_park(t);
	kreg_user_uncharge(t->user, KREG_QUOTA_TABLES, 1);
	/* Its memory is charged until it is freed. */
	kreg_table_note_garbage(t);
	kreg_writer_del_upkeep(t->writer, &t->upkeep);
	kreg_table_put(t);
}

static void send_transfer(struct kreg_table *t, struct kreg_mail *mail,
			  const struct kreg_proc *from, enum kreg_cause cause)
{
	mail->event.table = t->id;
	mail->event.cause = cause;
	mail->event.version = t->transfers;
	if (cause == KREG_CAUSE_DEATH && from->status_known) {
		mail->event.flags |= KREG_EVENT_STATUS;
		mail->event.status = from->status;
	}
	kreg_client_send(mail, from, t->writer);
}

static void change_owner(struct kreg_table *t, struct kreg_proc *to, kuid_t uid)
{
	t->transfers++;
	kreg_table_set_owner(t, to, uid);
}

void kreg_table_give(struct kreg_table *t, struct kreg_proc *to, kuid_t uid,
		     struct kreg_mail *mail)
{
	struct kreg_proc *from = kreg_table_owner(t);

	kreg_proc_get(from);
	change_owner(t, to, uid);
	if (mail)
		send_transfer(t, mail, from, KREG_CAUSE_GIFT);
	kreg_proc_put(from);
}

void kreg_table_claim(struct kreg_table *t, const struct kreg_client *cl)
{
	kreg_table_assert(t);
	stop_park_timer(t);
	change_owner(t, cl->proc, cl->uid);
	if (t->orphan != KREG_ORPHAN_PARK)
		kreg_table_uncharge_park(t);
}

/* The first of the line that is alive and still may claim the table gets it. */
static bool grant_to_waiter(struct kreg_table *t)
{
	struct kreg_waiter *waiter, *next;
	int err;

	list_for_each_entry_safe(waiter, next, &t->waiters, node) {
		err = kreg_proc_exiting(waiter->client->proc) ? -EINTR :
		      kreg_table_may_claim(t, waiter->client);
		if (!err)
			kreg_table_claim(t, waiter->client);
		kreg_table_end_wait(waiter, err);
		if (!err)
			return true;
	}
	return false;
}

static void start_park_timer(struct kreg_table *t, u64 ms)
{
	if (!ms)
		return;
	t->parked_until = ktime_add_ms(ktime_get(), min_t(u64, ms, MAX_PARK_MS));
	kreg_table_park_timer(t);
}

void kreg_table_park(struct kreg_table *t, u64 ms)
{
	kreg_table_assert(t);
	if (kreg_ns_ends(t->ns)) {
		kreg_table_destroy(t);
		return;
	}
	change_owner(t, NULL, INVALID_UID);
	start_park_timer(t, ms);
	grant_to_waiter(t);
}

void kreg_table_wait(struct kreg_table *t, struct kreg_waiter *waiter)
{
	kreg_table_assert(t);
	waiter->table = t;
	t->nr_waiters++;
	if (!t->heir && list_empty(&t->waiters))
		kreg_proc_set_successor(kreg_table_owner(t), waiter->client->proc);
	list_add_tail(&waiter->node, &t->waiters);
}

int kreg_table_set_orphan(struct kreg_table *t, u8 orphan, u64 ms)
{
	int err = 0;

	kreg_table_assert(t);
	if (orphan == KREG_ORPHAN_PARK)
		err = kreg_table_charge_park(t);
	else
		kreg_table_uncharge_park(t);
	if (err)
		return err;
	t->orphan = orphan;
	t->orphan_ms = ms;
	return 0;
}

/*
 * Asked of who named the heir, whoever has owned the table since: it comes back to a keeper
 * from another user's process without more consent.
 */
static bool can_inherit(const struct kreg_table *t, const struct kreg_proc *dead)
{
	return t->heir && t->heir != dead && !kreg_proc_exiting(t->heir) &&
	       !kreg_client_may_take(t->heir, t->heir_uid, t->ns, t->heir_from);
}

static void give_to_heir(struct kreg_table *t, struct kreg_proc *dead)
{
	struct kreg_mail *mail = t->mail;

	t->mail = NULL;
	change_owner(t, t->heir, t->heir_uid);
	if (mail)
		send_transfer(t, mail, dead, KREG_CAUSE_DEATH);
}

/* The charge for parking was taken with the setting. */
static void pass_on(struct kreg_table *t, struct kreg_proc *dead)
{
	if (can_inherit(t, dead))
		give_to_heir(t, dead);
	else if (t->orphan == KREG_ORPHAN_PARK)
		kreg_table_park(t, t->orphan_ms);
	else
		kreg_table_destroy(t);
}

/* A table of this writer in a namespace whose init has died, or NULL. */
static struct kreg_table *left_behind(struct kreg_writer *w, struct kreg_proc *init)
{
	struct kreg_table *t = NULL;
	struct kreg_ns *ns = NULL;

	while (!t && (ns = kreg_ns_next_of(init, ns))) {
		rcu_read_lock();
		for (t = kreg_names_next(ns, 0); t; t = kreg_names_next(ns, t->id))
			if (t->writer == w)
				break;
		rcu_read_unlock();
	}
	kreg_ns_put(ns);
	return t;
}

/* Do one thing about the death. False if nothing is left to do. */
static bool handle_one(struct kreg_writer *w, struct kreg_holdings *held)
{
	struct kreg_table *t;

	t = list_first_entry_or_null(&held->owned, struct kreg_table, owned);
	if (t) {
		pass_on(t, held->proc);
		return true;
	}
	t = list_first_entry_or_null(&held->heired, struct kreg_table, heired);
	if (t) {
		kreg_table_set_heir(t, NULL, INVALID_UID);
		return true;
	}
	/* It stays without a reference: only the holder of the turn removes tables. */
	t = left_behind(w, held->proc);
	if (t)
		kreg_table_destroy(t);
	return t;
}

static bool handle_owner_death(struct kreg_writer *w, struct llist_node *node)
{
	struct kreg_holdings *held = kreg_holdings_of_death(node);
	int n;

	kreg_writer_assert(w);
	for (n = 0; n < TABLES_A_TURN; n++)
		if (!handle_one(w, held))
			return true;
	return false;
}

static void owner_death_done(struct kreg_writer *w, struct llist_node *node)
{
	kreg_proc_death_done(kreg_holdings_of_death(node)->proc);
}

const struct kreg_writer_ops kreg_table_writer_ops = {
	.death = handle_owner_death,
	.death_done = owner_death_done,
};

struct expiry {
	struct kreg_req req;
	struct kreg_table *table;
};

/* Since the timer went off, the table may have been claimed, and even parked again. */
static bool expire_parked(struct kreg_req *req)
{
	struct kreg_table *t = container_of(req, struct expiry, req)->table;

	if (t->dead || !t->parked_until)
		return true;
	if (ktime_after(t->parked_until, ktime_get()))
		kreg_table_park_timer(t);
	else
		kreg_table_destroy(t);
	return true;
}

void kreg_table_park_expired(struct kreg_table *t)
{
	struct expiry e = { .table = t };

	kreg_req_init(&e.req, &t->lane, expire_parked, NULL);
	kreg_writer_call(t->writer, &e.req);
	kreg_table_put(t);
}

struct ending {
	struct kreg_req req;
	struct kreg_holdings *held;
	kuid_t uid;
	bool begun;
	unsigned int left;		/* heirships not looked at yet */
};

/* Small steps: this may be performed with a lent turn. Other users' go to the end of the list. */
static bool end_some(struct kreg_req *req)
{
	struct ending *e = container_of(req, struct ending, req);
	struct list_head *heired = &e->held->heired;
	struct kreg_table *t;
	int n;

	/* Who has named the process before its client was closed has done so by now. */
	if (!e->begun)
		e->left = e->held->nr_heired;
	e->begun = true;
	if (kreg_client_receives(e->held->proc, e->uid))
		e->left = 0;
	for (n = 0; n < TABLES_A_TURN && e->left; n++, e->left--) {
		t = list_first_entry_or_null(heired, struct kreg_table, heired);
		if (t && uid_eq(t->heir_uid, e->uid))
			kreg_table_set_heir(t, NULL, INVALID_UID);
		else if (t)
			list_move_tail(&t->heired, heired);
	}
	return true;
}

void kreg_table_end_heirships(const struct kreg_client *cl)
{
	struct kreg_proc *p = cl->proc;
	unsigned int i;

	/* Nobody else changes the order of the lists meanwhile. */
	mutex_lock(&p->settling);
	for (i = 0; i < kreg_writers; i++) {
		struct ending e = { .held = &p->holdings[i], .uid = cl->uid };

		do {
			kreg_req_init(&e.req, NULL, end_some, NULL);
			kreg_writer_call(kreg_writer_nr(i), &e.req);
		} while (e.left);
	}
	mutex_unlock(&p->settling);
}
