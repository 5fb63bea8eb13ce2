// SPDX-License-Identifier: GPL-2.0
#include <linux/ktime.h>

#include "client/client.h"
#include "table/candidate.h"
#include "table/line.h"
#include "table/owner.h"
#include "table/names.h"
#include "table/park.h"
#include "table/publish.h"
#include "table/role.h"
#include "table/snapshot.h"
#include "client/ns.h"
#include "client/exit.h"
#include "client/proc.h"
#include "event/down.h"
#include "store/store.h"
#include "table/table.h"
#include "table/unbind.h"
#include "client/user.h"

/* Tables handled in one hold of the turn; and how many are looked at in the place of one. */
#define TABLES_A_TURN	8
#define TABLES_A_LOOK	8

/* Lines of keys that are looked at in one hold. */
#define LINES_A_HOLD	8

void kreg_table_destroy(struct kreg_table *t)
{
	kreg_table_assert(t);
	if (t->dead)
		return;
	kreg_table_publish_gone(t, 0);
	WRITE_ONCE(t->dead, true);
	t->shut = true;
	/* Pairs with kreg_table_check_write(): dead before it loses its owner. */
	smp_wmb();
	kreg_names_remove(t);
	kreg_line_end_all(t, -ESTALE);
	if (unlikely(kreg_pin_count(&t->store)))
		kreg_snapshot_end_all(t);
	kreg_role_leave_all(t);
	kreg_table_set_heir(t, NULL, INVALID_UID);
	kreg_table_set_owner(t, NULL, INVALID_UID);
	kreg_park_stop(t);
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

static void change_one_owner(struct kreg_table *t, const struct kreg_proc *from,
			     struct kreg_proc *to, kuid_t uid, enum kreg_cause cause)
{
	t->transfers++;
	kreg_table_set_owner(t, to, uid);
	kreg_table_publish_owner(t, from, cause);
}

/* What follows @t gets its owner. The caller has a reference on that which they have. */
static void move_followers(struct kreg_table *t, enum kreg_cause cause)
{
	struct kreg_policy *p = kreg_table_policy(t);
	struct kreg_table *follower;

	if (likely(!p))
		return;
	list_for_each_entry(follower, &p->followers, owned)
		change_one_owner(follower, kreg_table_owner(follower), kreg_table_owner(t),
				 t->owner_uid, cause);
}

/*
 * Of @t, and of those that follow it. @from is the owner, or NULL, and the caller has a
 * reference on it.
 */
static void change_owner(struct kreg_table *t, const struct kreg_proc *from,
			 struct kreg_proc *to, kuid_t uid, enum kreg_cause cause)
{
	change_one_owner(t, from, to, uid, cause);
	move_followers(t, cause);
}

void kreg_table_give(struct kreg_table *t, struct kreg_proc *to, kuid_t uid,
		     struct kreg_mail *mail)
{
	struct kreg_proc *from = kreg_table_owner(t);

	kreg_proc_get(from);
	change_owner(t, from, to, uid, KREG_CAUSE_GIFT);
	if (mail)
		send_transfer(t, mail, from, KREG_CAUSE_GIFT);
	kreg_proc_put(from);
}

void kreg_table_claim(struct kreg_table *t, const struct kreg_client *cl)
{
	kreg_table_assert(t);
	kreg_park_stop(t);
	kreg_table_end_quarantine(t);
	change_owner(t, NULL, cl->proc, cl->uid, KREG_CAUSE_CLAIM);
	kreg_table_settle_park(t);
}

/* @first is the first in line. @from has parked the table, or is dead. */
static void serve_line(struct kreg_table *t, struct kreg_waiter *first,
		       const struct kreg_proc *from)
{
	kreg_table_claim(t, first->client);
	kreg_line_end(first, 0, from);
}

/*
 * @first, or nobody, who was the next in line, gets the table, even if he is exiting by now: who
 * is to have it is found once.
 */
static void park_for(struct kreg_table *t, u64 ms, struct kreg_waiter *first)
{
	struct kreg_proc *from = kreg_table_owner(t);
	enum kreg_cause cause = kreg_proc_dead(from) ? KREG_CAUSE_DEATH : KREG_CAUSE_GIFT;

	kreg_table_assert(t);
	if (kreg_ns_ends(t->ns)) {
		kreg_table_destroy(t);
		return;
	}
	kreg_proc_get(from);
	change_one_owner(t, from, NULL, INVALID_UID, cause);
	kreg_park_start(t, ms);
	/* What follows it moves once, even if it goes on to who waits. */
	if (first)
		serve_line(t, first, from);
	else
		move_followers(t, cause);
	kreg_proc_put(from);
}

void kreg_table_park(struct kreg_table *t, u64 ms)
{
	park_for(t, ms, kreg_line_next(t));
}

/*
 * Asked of who named the heir, whoever has owned the table since: it comes back to a keeper
 * from another user's process without more consent.
 */
static bool can_inherit(const struct kreg_table *t, const struct kreg_proc *dead)
{
	return t->heir && t->heir != dead && !kreg_proc_exiting(t->heir) &&
	       (!t->heir_on_crash || kreg_proc_crashed(dead)) &&
	       kreg_client_may_inherit(t->heir, t->heir_uid, t->ns, t->heir_from);
}

static void give_to_heir(struct kreg_table *t, struct kreg_proc *dead)
{
	struct kreg_mail *mail = t->mail;

	t->mail = NULL;
	change_owner(t, dead, t->heir, t->heir_uid, KREG_CAUSE_DEATH);
	if (mail)
		send_transfer(t, mail, dead, KREG_CAUSE_DEATH);
}

static void destroy_because(struct kreg_table *t, enum kreg_cause cause)
{
	kreg_table_publish_gone(t, cause);
	kreg_table_destroy(t);
}

/* It is given to nobody until somebody claims it who knows that. */
static void quarantine_table(struct kreg_table *t, struct kreg_proc *dead)
{
	bool parks = t->orphan != KREG_ORPHAN_DESTROY;

	change_owner(t, dead, NULL, INVALID_UID, KREG_CAUSE_LIMIT);
	kreg_park_start(t, parks ? t->orphan_ms : kreg_table_policy(t)->limit->park_ms);
}

/* The charge for parking was taken with the setting. */
static void pass_on_heirless(struct kreg_table *t, struct kreg_proc *dead)
{
	bool parks = kreg_table_parks_after(t, dead);
	struct kreg_waiter *first = kreg_line_next(t);

	if (first || parks)
		park_for(t, parks ? t->orphan_ms : 0, first);
	else
		destroy_because(t, KREG_CAUSE_DEATH);
}

static void pass_on(struct kreg_table *t, struct kreg_proc *dead)
{
	if (kreg_table_note_death(t) && !kreg_ns_ends(t->ns))
		quarantine_table(t, dead);
	else if (can_inherit(t, dead))
		give_to_heir(t, dead);
	else
		pass_on_heirless(t, dead);
}

static struct kreg_table *table_of_own(struct kreg_req *req)
{
	return container_of(req, struct kreg_table, own);
}

/* Since the timer went off, the table may have been claimed, and even parked again. */
static void expire_parked(struct kreg_table *t)
{
	t->is_expiring = false;
	if (t->dead || !t->parked_until)
		return;
	if (ktime_after(t->parked_until, ktime_get()))
		kreg_table_park_timer(t);
	else
		destroy_because(t, KREG_CAUSE_EXPIRED);
}

/* Its owner cannot have changed since: a dead process gives nothing away. */
static void pass_on_queued(struct kreg_table *t)
{
	struct kreg_proc *owner = kreg_table_owner(t);
	struct kreg_death *passer = t->passer;

	t->passer = NULL;
	if (owner && !t->dead)
		pass_on(t, owner);
	kreg_death_dequeue(t->writer, passer);
}

static void end_queued(struct kreg_table *t)
{
	struct kreg_death *ending = t->ending;

	t->ending = NULL;
	kreg_table_destroy(t);
	kreg_death_dequeue(t->writer, ending);
}

static bool do_what_is_due(struct kreg_req *req)
{
	struct kreg_table *t = table_of_own(req);
	unsigned int n = LINES_A_HOLD;

	if (t->ending)
		end_queued(t);
	if (t->passer)
		pass_on_queued(t);
	if (t->is_expiring)
		expire_parked(t);
	if (!kreg_table_is_unbinding(t) && !kreg_candidates_serve(t, &n, true))
		return false;
	if (!kreg_table_unbind_queued(t) || kreg_waits_has_freed(t))
		return false;
	t->own_queued = false;
	return true;
}

static void own_done(struct kreg_req *req)
{
	kreg_table_put(table_of_own(req));
}

/*
 * Turn. Do what is due to @t when its lane gets there: after what the user who pays for it
 * has queued, and never between two steps of a request. All that its owner has queued was
 * applied before this is asked for.
 */
static void queue_own(struct kreg_table *t)
{
	kreg_table_assert(t);
	if (t->own_queued)
		return;
	t->own_queued = true;
	kreg_table_get(t);
	kreg_req_init(&t->own, &t->lane, do_what_is_due, own_done);
	t->own.share = kreg_user_share(t->user, t->writer->nr);
	t->own.again = true;
	kreg_writer_post(t->writer, &t->own);
}

void kreg_table_serve_lines(struct kreg_table *t)
{
	unsigned int n = LINES_A_HOLD;

	kreg_table_assert(t);
	if (!kreg_candidates_serve(t, &n, false))
		queue_own(t);
}

static bool is_queued_for(const struct kreg_table *t)
{
	return atomic_read(&t->lane.pending);
}

/*
 * Those that wait for their lane are at the end of the list, before what has come since. *@n
 * counts tables that are moved beside the first one.
 */
static bool pass_on_first(struct kreg_holdings *held, unsigned int *n)
{
	struct kreg_table *t = list_first_entry_or_null(&held->owned, struct kreg_table, owned);

	if (!t || t->passer)
		return false;
	if (!is_queued_for(t)) {
		*n += kreg_table_followers(t);
		pass_on(t, held->proc);
		return true;
	}
	list_move_tail(&t->owned, &held->owned);
	t->passer = &held->death;
	kreg_death_enqueue(t->passer);
	queue_own(t);
	return true;
}

static bool end_first_heirship(struct kreg_holdings *held)
{
	struct kreg_table *t = list_first_entry_or_null(&held->heired, struct kreg_table, heired);

	if (t)
		kreg_table_set_heir(t, NULL, INVALID_UID);
	return t;
}

/* RCU. The next table of a namespace whose init has died, or NULL. False: that was all. */
static bool next_left_behind(struct kreg_holdings *held, struct kreg_table **t)
{
	if (!held->ending) {
		held->ending = kreg_ns_next_of(held->proc, NULL);
		*t = NULL;
		return held->ending;
	}
	*t = kreg_names_next(held->ending, held->ended);
	held->ended = *t ? (*t)->id : 0;
	if (!*t)
		held->ending = kreg_ns_next_of(held->proc, held->ending);
	return held->ending;
}

/* Of the writer whose turn is held, so it stays without a reference. */
static void end_table(struct kreg_holdings *held, struct kreg_table *t)
{
	if (!is_queued_for(t)) {
		kreg_table_destroy(t);
		return;
	}
	t->ending = &held->death;
	kreg_death_enqueue(t->ending);
	queue_own(t);
}

/*
 * End one of the tables that the death of an init leaves behind, or look at some that are not
 * this writer's: there may be many. Those that come meanwhile have higher ids. *@n counts
 * tables that are on their own then. False: all have been ended, or will be when what is
 * queued for them has been applied.
 */
static bool end_left_behind(struct kreg_writer *w, struct kreg_holdings *held, unsigned int *n)
{
	struct kreg_table *t;
	bool more = true, ended = false;
	int looks;

	/* Those of other writers may be destroyed meanwhile. */
	rcu_read_lock();
	for (looks = 0; looks < TABLES_A_LOOK && more && !ended; looks++) {
		more = next_left_behind(held, &t);
		ended = more && t && t->writer == w && !t->ending;
		if (ended) {
			*n += kreg_table_followers(t);
			end_table(held, t);
		}
	}
	rcu_read_unlock();
	return more;
}

static bool serve_freed(struct kreg_table *t, unsigned int *n)
{
	return kreg_candidates_serve(t, n, false);
}

static const struct kreg_unbind_ops unbind_ops = {
	.queue = queue_own,
	.serve = serve_freed,
};

/*
 * Bound objects come last, when the last table was passed on in its lane: they are hidden already,
 * and may be many; and who inherits a table is told of that first.
 */
static bool handle_death(struct kreg_writer *w, struct kreg_death *d)
{
	struct kreg_holdings *held = kreg_holdings_of_death(d);
	unsigned int n;

	kreg_writer_assert(w);
	for (n = 0; n < TABLES_A_TURN; n++)
		if (!pass_on_first(held, &n) && !end_first_heirship(held) &&
		    !end_left_behind(w, held, &n))
			return !list_empty(&held->owned) ||
			       kreg_table_unbind_some(held, &unbind_ops);
	return false;
}

static void death_done(struct kreg_writer *w, struct kreg_death *d)
{
	struct kreg_proc *p = kreg_holdings_of_death(d)->proc;

	if (kreg_proc_death_done(p))
		kreg_down_tell(p);
}

static void death_heard(struct kreg_death *d)
{
	kreg_proc_put(kreg_holdings_of_death(d)->proc);
}

const struct kreg_death_ops kreg_table_death_ops = {
	.step = handle_death,
	.done = death_done,
	.heard = death_heard,
};

/* Nobody waits for it, so that a table with a long queue keeps no other from expiring. */
void kreg_table_park_expired(struct kreg_table *t)
{
	spin_lock(&t->writer->turn);
	t->is_expiring = true;
	queue_own(t);
	spin_unlock(&t->writer->turn);
	kreg_table_put(t);
}
