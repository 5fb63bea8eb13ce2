// SPDX-License-Identifier: GPL-2.0
#include <linux/err.h>
#include <linux/pid.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "client/client.h"
#include "client/exit.h"
#include "client/proc.h"
#include "client/user.h"
#include "event/watches.h"
#include "store/gfp.h"

static size_t watch_memory(const struct kreg_watch *watch)
{
	return KREG_WATCH_BYTES + watch->mail.event.size - sizeof(watch->mail.event);
}

static void list_watch(struct kreg_watch *watch, struct kreg_client *cl)
{
	spin_lock(&cl->watch_lock);
	list_add_tail(&watch->of_client, &cl->watches);
	WRITE_ONCE(cl->nr_watches, cl->nr_watches + 1);
	spin_unlock(&cl->watch_lock);
}

static void unlist_watch(struct kreg_watch *watch, struct kreg_client *cl)
{
	spin_lock(&cl->watch_lock);
	list_del(&watch->of_client);
	WRITE_ONCE(cl->nr_watches, cl->nr_watches - 1);
	spin_unlock(&cl->watch_lock);
}

void kreg_watch_free(struct kreg_watch *watch)
{
	struct kreg_client *cl = watch->handle.client;

	kreg_handle_remove(&watch->handle);
	unlist_watch(watch, cl);
	kreg_user_uncharge_watch(cl->user, watch_memory(watch));
	kfree(watch);
}

static void free_read(struct kreg_mail *mail)
{
	kreg_watch_free(container_of(mail, struct kreg_watch, mail));
}

/* Off the list of the process. False: it was in none any more, or not yet. */
static bool take_pending(struct kreg_watch *watch)
{
	struct kreg_proc *p;
	bool pending = false;

	rcu_read_lock();
	p = rcu_dereference(watch->proc);
	if (p) {
		spin_lock(&p->lock);
		pending = !list_empty(&watch->of_proc);
		list_del_init(&watch->of_proc);
		spin_unlock(&p->lock);
	}
	rcu_read_unlock();
	if (pending)
		kreg_proc_put(p);
	return pending;
}

/* How @cl sees @p. */
static void name_dead(struct kreg_watch *watch, const struct kreg_proc *p,
		      const struct kreg_client *cl)
{
	struct kreg_event *event = &watch->mail.event;

	event->process.pid = pid_nr_ns(p->pid, ns_of_pid(cl->proc->pid));
	event->process.cookie = p->cookie;
	if (!p->status_known || !(watch->may_know || uid_eq(p->last_uid, cl->uid)))
		return;
	event->flags |= KREG_EVENT_STATUS;
	event->status = p->status;
}

/* Whether its client may kill @p. Whom it has power over, it may know all of. */
static bool note_rights(struct kreg_watch *watch, const struct kreg_proc *p)
{
	bool able, may = kreg_client_may_kill(watch->handle.client, p, &able);

	watch->may_know |= able;
	return may;
}

void kreg_watch_send(struct kreg_watch *watch, struct kreg_proc *p)
{
	struct kreg_client *cl = watch->handle.client;

	lockdep_assert_held(&p->lock);
	list_del_init(&watch->of_proc);
	watch->mail.event.cause = KREG_CAUSE_DEATH;
	name_dead(watch, p, cl);
	spin_lock(&cl->box.lock);
	/* Who finds no process here finds the record, unless it was read. */
	RCU_INIT_POINTER(watch->proc, NULL);
	kreg_mailbox_add(&cl->box, &watch->mail);
	spin_unlock(&cl->box.lock);
	kreg_proc_put(p);
}

struct kreg_proc *kreg_watch_get_dead(const struct kreg_watch *watch)
{
	struct kreg_proc *p;

	rcu_read_lock();
	p = rcu_dereference(watch->proc);
	if (p && !(kreg_proc_dead(p) && refcount_inc_not_zero(&p->refs)))
		p = NULL;
	rcu_read_unlock();
	return p;
}

void kreg_watch_tell(struct kreg_watch *watch, struct kreg_proc *p)
{
	struct kreg_client *cl = watch->handle.client;
	bool pending;

	spin_lock(&p->lock);
	pending = !list_empty(&watch->of_proc);
	if (pending) {
		kreg_client_get(cl);
		kreg_watch_send(watch, p);
	}
	spin_unlock(&p->lock);
	if (pending)
		kreg_news_wake(&cl->news);
}

/* See that the record of a death that has happened is there. */
static int settle_watched(struct kreg_watch *watch)
{
	struct kreg_proc *p = kreg_watch_get_dead(watch);
	int ret;

	if (!p)
		return 0;
	ret = kreg_proc_settle(p);
	if (ret > 0)
		kreg_watch_tell(watch, p);
	kreg_proc_put(p);
	return min(ret, 0);
}

static int cancel_watch(struct kreg_handle *h, bool flush)
{
	struct kreg_watch *watch = container_of(h, struct kreg_watch, handle);
	int err = settle_watched(watch);

	if (err)
		return err;
	if (take_pending(watch)) {
		kreg_watch_free(watch);
		return 0;
	}
	if (flush && kreg_mailbox_remove(&h->client->box, &watch->mail))
		kreg_watch_free(watch);
	return -ENOENT;
}

static void end_watch(struct kreg_handle *h)
{
	struct kreg_watch *watch = container_of(h, struct kreg_watch, handle);

	if (!take_pending(watch))
		kreg_mailbox_remove(&h->client->box, &watch->mail);
	kreg_watch_free(watch);
}

static const struct kreg_handle_ops watch_ops = {
	.cancel = cancel_watch,
	.end = end_watch,
};

static void init_record(struct kreg_mail *mail, u64 udata, u64 table, const void *key, u32 key_len)
{
	INIT_LIST_HEAD(&mail->node);
	mail->free = free_read;
	mail->event.size = sizeof(mail->event) + ALIGN(key_len, 8);
	mail->event.kind = KREG_EVENT_DOWN;
	mail->event.table = table;
	mail->event.udata = udata;
	mail->event.key_len = key_len;
	memcpy(mail->tail, key, key_len);
}

struct kreg_watch *kreg_watch_alloc(struct kreg_client *cl, u64 udata, u64 table,
				    const void *key, u32 key_len)
{
	struct kreg_watch *watch;
	int err;

	watch = kzalloc(struct_size(watch, mail.tail, ALIGN(key_len, 8)), KREG_GFP_USER);
	if (!watch)
		return ERR_PTR(-ENOMEM);
	watch->handle.ops = &watch_ops;
	INIT_LIST_HEAD(&watch->of_proc);
	init_record(&watch->mail, udata, table, key, key_len);
	err = kreg_user_charge_watch(cl->user, watch_memory(watch));
	if (err)
		goto free;
	list_watch(watch, cl);
	err = kreg_handle_reserve(cl, &watch->handle);
	if (err)
		goto unlist;
	watch->mail.event.id = watch->handle.id;
	return watch;

unlist:
	unlist_watch(watch, cl);
	kreg_user_uncharge_watch(cl->user, watch_memory(watch));
free:
	kfree(watch);
	return ERR_PTR(err);
}

void kreg_watch_answer(struct kreg_watch *watch, struct kreg_proc *p,
		       const struct kreg_process *named)
{
	struct kreg_client *cl = watch->handle.client;

	kreg_handle_publish(&watch->handle);
	watch->mail.event.process = *named;
	watch->mail.event.cause = KREG_CAUSE_NOPROC;
	if (p) {
		note_rights(watch, p);
		name_dead(watch, p, cl);
	}
	kreg_client_get(cl);
	kreg_mailbox_send(&cl->box, &watch->mail);
	kreg_news_wake(&cl->news);
}

/* True: too late, all have been told. */
static bool add_pending(struct kreg_watch *watch, struct kreg_proc *p)
{
	bool first = note_rights(watch, p), told;

	kreg_handle_publish(&watch->handle);
	spin_lock(&p->lock);
	told = p->told;
	if (!told) {
		kreg_proc_get(p);
		rcu_assign_pointer(watch->proc, p);
		list_add_tail(&watch->of_proc, &p->watches[first ? 0 : 1]);
	}
	spin_unlock(&p->lock);
	return told;
}

void kreg_watch_set(struct kreg_watch *watch, struct kreg_proc *p)
{
	const struct kreg_process unnamed = {};
	const struct kreg_proc *own = watch->handle.client->proc;

	if (add_pending(watch, p))
		kreg_watch_answer(watch, p, &unnamed);
	else
		kreg_proc_suggest_successor(p, own);
}
