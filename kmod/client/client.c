// SPDX-License-Identifier: GPL-2.0
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/pid.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>
#include <linux/wait_bit.h>

#include "client/carry.h"
#include "client/client.h"
#include "client/limits.h"
#include "client/mail.h"
#include "client/ns.h"
#include "client/exit.h"
#include "client/proc.h"
#include "client/user.h"
#include "store/gfp.h"
#include "writer/writer.h"

static atomic_t nr_clients;

unsigned int kreg_client_count(void)
{
	return atomic_read(&nr_clients);
}

static void free_client(struct kreg_client *cl)
{
	kreg_user_put(cl->user);
	kreg_ns_put(cl->ns);
	kreg_proc_put(cl->proc);
	put_cred(cl->cred);
	kreg_scratch_exit(&cl->call);
	kreg_scratch_exit(&cl->req);
	kreg_scratch_exit(&cl->looks);
	mutex_destroy(&cl->reading);
	xa_destroy(&cl->handles);
	kfree_rcu(cl, rcu);
	atomic_dec(&nr_clients);
}

void kreg_client_get(struct kreg_client *cl)
{
	refcount_inc(&cl->refs);
}

/* The memory stays for a grace period, so that kreg_client_flush() can be woken. */
void kreg_client_put(struct kreg_client *cl)
{
	bool last;

	rcu_read_lock();
	last = refcount_dec_and_test(&cl->refs);
	/* Pairs with the test of who waits, after it has entered the queue. */
	smp_mb__after_atomic();
	if (!last && refcount_read(&cl->refs) == 1)
		wake_up_var(&cl->refs);
	rcu_read_unlock();
	if (last)
		free_client(cl);
}

static void put_by_news(struct kreg_news *news)
{
	kreg_client_put(container_of(news, struct kreg_client, news));
}

/* Each request has a reference, and the file the last one. */
void kreg_client_flush(struct kreg_client *cl)
{
	___wait_var_event(&cl->refs, refcount_read(&cl->refs) == 1, TASK_IDLE, 0, 0, schedule());
}

void kreg_client_sign(struct kreg_client *cl, struct kreg_writer *w, struct kreg_req *req)
{
	req->share = kreg_user_share(cl->user, w->nr);
	req->issuer = &cl->proc->holdings[w->nr].death;
}

static int charge_user(struct kreg_user *u, u32 ops, u64 bytes)
{
	int err = kreg_user_charge(u, KREG_QUOTA_QUEUED, ops);

	if (err)
		return err;
	err = kreg_user_charge(u, KREG_QUOTA_QUEUED_BYTES, bytes);
	if (err)
		kreg_user_uncharge(u, KREG_QUOTA_QUEUED, ops);
	return err;
}

static void uncharge_client(struct kreg_client *cl, u32 ops, u64 bytes)
{
	atomic_sub(bytes, &cl->async_bytes);
	/* Pairs with kreg_sync_table(). */
	atomic_sub_return_release(ops, &cl->async_ops);
}

int kreg_client_charge_queue(struct kreg_client *cl, u32 ops, u64 bytes)
{
	bool fits = atomic_add_return(ops, &cl->async_ops) <= KREG_MAX_ASYNC_OPS;
	int err;

	fits &= atomic_add_return(bytes, &cl->async_bytes) <= KREG_MAX_ASYNC_BYTES;
	err = fits ? charge_user(cl->user, ops, bytes) : kreg_over_limit(KREG_LIMIT_QUEUED);
	if (err)
		uncharge_client(cl, ops, bytes);
	return err;
}

void kreg_client_uncharge_queue(struct kreg_client *cl, u32 ops, u64 bytes)
{
	kreg_user_uncharge(cl->user, KREG_QUOTA_QUEUED, ops);
	kreg_user_uncharge(cl->user, KREG_QUOTA_QUEUED_BYTES, bytes);
	uncharge_client(cl, ops, bytes);
}

/* Whom it belongs to. After a failure free_client() frees what was found until then. */
static int identify_client(struct kreg_client *cl)
{
	struct kreg_proc *proc;
	struct kreg_ns *ns;
	struct kreg_user *user;

	proc = kreg_proc_current();
	if (IS_ERR(proc))
		return PTR_ERR(proc);
	cl->proc = proc;
	ns = kreg_ns_current(cl->cred->user_ns);
	if (IS_ERR(ns))
		return PTR_ERR(ns);
	cl->ns = ns;
	user = kreg_user_get(cl->cred->user_ns, cl->uid);
	if (IS_ERR(user))
		return PTR_ERR(user);
	cl->user = user;
	return 0;
}

/* The first client of the list that can receive. */
static struct kreg_client *first_receiver(struct kreg_proc *p)
{
	struct kreg_client *cl;

	lockdep_assert_held(&p->lock);
	list_for_each_entry(cl, &p->clients, node)
		if (cl->mode == KREG_CLIENT_RW)
			return cl;
	return NULL;
}

/* The first one under that user. */
static struct kreg_client *find_receiver(struct kreg_proc *p, kuid_t uid)
{
	struct kreg_client *cl;

	lockdep_assert_held(&p->lock);
	list_for_each_entry(cl, &p->clients, node)
		if (cl->mode == KREG_CLIENT_RW && uid_eq(cl->uid, uid))
			return cl;
	return NULL;
}

/* The list of clients has changed. An exit wakes by the news of the first, whoever that is. */
static void note_receiver(struct kreg_proc *p)
{
	struct kreg_client *cl = first_receiver(p);

	rcu_assign_pointer(p->news, cl ? &cl->news : NULL);
}

static int enlist_client(struct kreg_client *cl)
{
	struct kreg_proc *p = cl->proc;
	int err = 0;

	spin_lock(&p->lock);
	if (p->nr_clients >= READ_ONCE(kreg_limits.clients)) {
		err = -EMFILE;
	} else {
		WRITE_ONCE(p->nr_clients, p->nr_clients + 1);
		list_add_tail(&cl->node, &p->clients);
		kreg_carry_end(cl);
		note_receiver(p);
	}
	spin_unlock(&p->lock);
	return err;
}

struct kreg_client *kreg_client_open(const struct cred *cred, fmode_t mode)
{
	struct kreg_client *cl;
	int err;

	cl = kzalloc(sizeof(*cl), KREG_GFP_USER);
	if (!cl)
		return ERR_PTR(-ENOMEM);
	atomic_inc(&nr_clients);
	refcount_set(&cl->refs, 1);
	cl->cred = get_cred(cred);
	cl->uid = cred->fsuid;
	cl->mode = mode & KREG_CLIENT_RW;
	mutex_init(&cl->reading);
	xa_init_flags(&cl->handles, XA_FLAGS_ALLOC | XA_FLAGS_ACCOUNT);
	spin_lock_init(&cl->watch_lock);
	INIT_LIST_HEAD(&cl->watches);
	INIT_LIST_HEAD(&cl->standbys);
	spin_lock_init(&cl->subscriptions_lock);
	INIT_LIST_HEAD(&cl->subscriptions);
	kreg_mailbox_init(&cl->box);
	kreg_news_init(&cl->news, put_by_news);
	err = identify_client(cl);
	if (!err)
		err = enlist_client(cl);
	if (!err)
		return cl;
	kreg_client_put(cl);
	return ERR_PTR(err);
}

/* What was not read goes to the next one of the same user, and to no other's. */
kuid_t kreg_client_close(struct kreg_client *cl)
{
	struct kreg_proc *p = cl->proc;
	struct kreg_client *next;
	struct kreg_mailbox old;
	kuid_t ends = INVALID_UID;
	bool moved = false;

	kreg_mailbox_init(&old);
	spin_lock(&p->lock);
	list_del(&cl->node);
	WRITE_ONCE(p->nr_clients, p->nr_clients - 1);
	note_receiver(p);
	next = find_receiver(p, cl->uid);
	if (next)
		moved = kreg_mailbox_move(&next->box, &cl->box);
	else
		ends = kreg_carry_begin(cl, &old);
	if (moved)
		kreg_client_get(next);
	spin_unlock(&p->lock);
	if (moved)
		kreg_news_wake(&next->news);
	kreg_mail_free_all(&cl->box);
	kreg_mail_free_all(&old);
	return ends;
}

bool kreg_client_capable(const struct kreg_client *cl, struct user_namespace *ns, int cap)
{
	const struct cred *old = override_creds(cl->cred);
	bool capable = ns_capable_noaudit(ns, cap);

	revert_creds(old);
	return capable;
}

bool kreg_client_in_group(const struct kreg_client *cl, kgid_t gid)
{
	const struct cred *old = override_creds(cl->cred);
	bool in_group = in_group_p(gid);

	revert_creds(old);
	return in_group;
}

bool kreg_client_may_kill(const struct kreg_client *cl, const struct kreg_proc *p, bool *able)
{
	const struct cred *cred;
	struct task_struct *t;
	bool own = false;

	*able = false;
	rcu_read_lock();
	t = pid_task(p->pid, PIDTYPE_TGID);
	if (t) {
		cred = __task_cred(t);
		own = uid_eq(cred->uid, cl->uid);
		*able = kreg_client_capable(cl, cred->user_ns, CAP_KILL);
	}
	rcu_read_unlock();
	return own || *able;
}

int kreg_client_may_park(const struct kreg_client *cl, u64 *ms)
{
	u64 most = READ_ONCE(kreg_limits.park_ms);

	if ((*ms && *ms <= most) ||
	    kreg_client_capable(cl, &init_user_ns, CAP_SYS_RESOURCE))
		return 0;
	/* 0 would be for ever. */
	if (*ms || !most)
		return kreg_denied(KREG_DENIED_PARK);
	*ms = most;
	return 0;
}

void kreg_client_receive(struct kreg_client *cl)
{
	spin_lock(&cl->proc->lock);
	list_move(&cl->node, &cl->proc->clients);
	note_receiver(cl->proc);
	spin_unlock(&cl->proc->lock);
}

void kreg_client_accept(struct kreg_client *cl, bool accept)
{
	spin_lock(&cl->proc->lock);
	cl->accept = accept;
	spin_unlock(&cl->proc->lock);
}

kuid_t kreg_client_user_of(struct kreg_proc *to, const struct kreg_client *from)
{
	struct kreg_client *cl;
	kuid_t uid = from->uid;

	spin_lock(&to->lock);
	if (!find_receiver(to, uid)) {
		cl = first_receiver(to);
		uid = cl ? cl->uid : uid;
	}
	spin_unlock(&to->lock);
	return uid;
}

static bool accepts_from(bool accept, kuid_t uid, kuid_t from)
{
	return accept || uid_eq(uid, from);
}

static int check_receiver(struct kreg_proc *to, kuid_t uid, const struct kreg_ns *ns, kuid_t from)
{
	struct kreg_client *cl = find_receiver(to, uid);

	if (!cl)
		return -ENOTCONN;
	if (cl->ns != ns)
		return kreg_denied(KREG_DENIED_NAMESPACE);
	return accepts_from(cl->accept, uid, from) ? 0 : kreg_denied(KREG_DENIED_ACCEPT);
}

int kreg_client_may_take(struct kreg_proc *to, kuid_t uid, const struct kreg_ns *ns, kuid_t from)
{
	int err;

	spin_lock(&to->lock);
	err = check_receiver(to, uid, ns, from);
	spin_unlock(&to->lock);
	return err;
}

bool kreg_client_may_inherit(struct kreg_proc *to, kuid_t uid, const struct kreg_ns *ns,
			     kuid_t from)
{
	struct kreg_carried *c;
	bool may;

	spin_lock(&to->lock);
	c = kreg_carry_find(to, uid);
	may = c ? c->ns == ns && accepts_from(c->accept, uid, from) :
	      !check_receiver(to, uid, ns, from);
	spin_unlock(&to->lock);
	return may;
}

bool kreg_client_listens(const struct kreg_proc *p)
{
	return READ_ONCE(p->nr_clients);
}

bool kreg_client_receives(struct kreg_proc *p, kuid_t uid)
{
	bool receives;

	spin_lock(&p->lock);
	receives = find_receiver(p, uid) || kreg_carry_find(p, uid);
	spin_unlock(&p->lock);
	return receives;
}

static void wake_later(struct kreg_client *cl, struct kreg_writer *w)
{
	kreg_client_get(cl);
	if (!kreg_wake_later(w, &cl->news.wake))
		kreg_client_put(cl);
}

void kreg_client_send(struct kreg_mail *mail, const struct kreg_proc *from,
		      struct kreg_writer *w)
{
	struct kreg_proc *to = mail->to;
	struct kreg_carried *carried;
	struct kreg_client *cl;

	mail->event.process.pid = pid_nr_ns(from->pid, ns_of_pid(to->pid));
	mail->event.process.cookie = from->cookie;
	spin_lock(&to->lock);
	cl = find_receiver(to, mail->uid);
	carried = kreg_carry_find(to, mail->uid);
	if (cl) {
		kreg_mailbox_send(&cl->box, mail);
		wake_later(cl, w);
	} else if (carried) {
		kreg_mailbox_send(&carried->box, mail);
	}
	spin_unlock(&to->lock);
	if (!cl && !carried)
		kreg_mail_free(mail);
}

/*
 * Who reads the record may free what it is part of, and close @cl; but that waits until no
 * reference is left but the file's, so this drops none that is the last.
 */
void kreg_client_tell(struct kreg_client *cl, struct kreg_mail *mail, struct kreg_writer *w)
{
	kreg_client_get(cl);
	kreg_mailbox_send(&cl->box, mail);
	if (!kreg_wake_later(w, &cl->news.wake))
		kreg_client_put(cl);
}
