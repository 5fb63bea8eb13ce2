/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Clients: one open file each, belonging to the process that opened it.
 */
#ifndef KREG_CLIENT_CLIENT_H
#define KREG_CLIENT_CLIENT_H

#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/uidgid.h>
#include <linux/xarray.h>

#include "client/mailbox.h"
#include "client/news.h"
#include "client/scratch.h"

struct cred;
struct file;
struct kreg_ns;
struct kreg_proc;
struct kreg_req;
struct kreg_user;
struct kreg_writer;
struct user_namespace;

struct kreg_client {
	refcount_t refs;		/* the file's, one each request and wake-up */
	struct rcu_head rcu;		/* exits look at news */
	struct list_head node;		/* proc->lock */
	/* Invariant after initialisation: */
	const struct cred *cred;	/* of the opener */
	struct kreg_proc *proc;
	kuid_t uid;			/* of the credentials: under whom it owns and inherits */
	fmode_t mode;			/* what the file was opened for: KREG_CLIENT_RW or less */
	struct kreg_ns *ns;
	struct kreg_user *user;
	bool accept;			/* proc->lock: other users may hand tables to it */
	bool executes;			/* set once, before its file is released */
	struct kreg_mailbox box;
	struct kreg_news news;
	struct mutex reading;		/* one read() or CANCEL at a time */
	struct xarray handles;		/* what it may cancel, see handle.c */
	atomic64_t last_handle;		/* how many it ever had */
	spinlock_t watch_lock;		/* innermost */
	struct list_head watches;	/* watch_lock: kreg_watch.of_client */
	unsigned int nr_watches;	/* watch_lock */
	struct list_head standbys;	/* watch_lock: kreg_standby.of_client */
	unsigned int nr_standbys;	/* watch_lock */
	atomic_t nr_waits;		/* for keys and names */
	spinlock_t subscriptions_lock;
	struct list_head subscriptions;	/* subscriptions_lock: kreg_subscription.of_client */
	unsigned int nr_subscriptions;	/* subscriptions_lock */
	struct kreg_scratch call;	/* for what a batch says */
	struct kreg_scratch req;	/* for a request to the writer */
	struct kreg_scratch looks;	/* for what a batch says beside that */
	/* Asynchronous writes that wait, and their first error, as in SYNC. */
	atomic_t async_ops;
	atomic_t async_bytes;
	atomic_t async_error;
};

/* Who cannot read its mailbox receives nothing, nor who may not write. */
#define KREG_CLIENT_RW	(FMODE_READ | FMODE_WRITE)

/*
 * Sleeps. A new client of the calling process, with what the file was opened for. ERR_PTR():
 * -EMFILE, if it has too many; -ENOMEM; kreg_over_limit().
 */
struct kreg_client *kreg_client_open(const struct cred *cred, fmode_t mode);
/*
 * Sleeps. Its file is closed. Returns the user under whom the process receives nothing any
 * more from now on, or INVALID_UID.
 */
kuid_t kreg_client_close(struct kreg_client *cl);
/* Any. */
void kreg_client_get(struct kreg_client *cl);
/* Sleeps, if the last reference may be the caller's. */
void kreg_client_put(struct kreg_client *cl);
/* Any. */
unsigned int kreg_client_count(void);

/* Any. Whether the file was opened for @mode: FMODE_READ, FMODE_WRITE or both. -EBADF. */
static inline int kreg_client_check_mode(const struct kreg_client *cl, fmode_t mode)
{
	return mode & ~cl->mode ? -EBADF : 0;
}

/*
 * Sleeps. Its file is being closed: wait until what @cl has queued, also by calls that were
 * killed, has been applied, so that whoever sees that its process has ended finds that
 * done. Not killable, since the caller may be dying.
 */
void kreg_client_flush(struct kreg_client *cl);

/* Any. @req is to be queued for @cl: in its user's share, and before its process' death. */
void kreg_client_sign(struct kreg_client *cl, struct kreg_writer *w, struct kreg_req *req);

/*
 * Any. Charge @ops asynchronous operations with @bytes to @cl and to its user, until they are
 * applied or given up. kreg_over_limit(): so many do not fit into the queue.
 */
int kreg_client_charge_queue(struct kreg_client *cl, u32 ops, u64 bytes);
/* Any. */
void kreg_client_uncharge_queue(struct kreg_client *cl, u32 ops, u64 bytes);

/* Any. Whether the opener has @cap over @ns; whether it is in the group. */
bool kreg_client_capable(const struct kreg_client *cl, struct user_namespace *ns, int cap);
bool kreg_client_in_group(const struct kreg_client *cl, kgid_t gid);

/*
 * Any. Whether @cl may have a table parked for *ms milliseconds; 0 becomes as long as it
 * may, and stays 0 if there is no limit. kreg_denied().
 */
int kreg_client_may_park(const struct kreg_client *cl, u64 *ms);

/*
 * Any. Whether the opener may kill @p: it is of the same user, or the opener has CAP_KILL over
 * it, which *@able says and which stays so.
 */
bool kreg_client_may_kill(const struct kreg_client *cl, const struct kreg_proc *p, bool *able);

/* Any. Let the mail of the process come to @cl; let it take tables of other users. */
void kreg_client_receive(struct kreg_client *cl);
void kreg_client_accept(struct kreg_client *cl, bool accept);

/*
 * Any. The user under whom @to gets what @from hands it: the same, if it has a client there
 * that can receive, else that of the first that can.
 */
kuid_t kreg_client_user_of(struct kreg_proc *to, const struct kreg_client *from);
/*
 * Any. Whether @to may get a table of @ns under @uid, by the will of a process under @from.
 * Asked when that is promised, and when it is given. -ENOTCONN: it has no client
 * there that can receive; kreg_denied(): that one is in other namespaces, where the table
 * is not, or another user's, who has not said that he accepts.
 */
int kreg_client_may_take(struct kreg_proc *to, kuid_t uid, const struct kreg_ns *ns, kuid_t from);

/*
 * Any. Whether @to gets a table that was promised to it. As may_take(), but a process that
 * executes a program gets it as well, if it could when that began.
 */
bool kreg_client_may_inherit(struct kreg_proc *to, kuid_t uid, const struct kreg_ns *ns,
			     kuid_t from);

/*
 * Turn, of @w. Send @mail to the receiving client of mail->to under mail->uid, naming @from
 * as that client sees it, and have who waits for it woken. While the process executes a
 * program the next one under that user gets it. Dropped if there is no such client any more.
 */
void kreg_client_send(struct kreg_mail *mail, const struct kreg_proc *from,
		      struct kreg_writer *w);
/*
 * Turn, of @w, or another lock under which @cl stays. Send @mail as it is, with its process, to
 * @cl, which has asked for it and may be gone when this returns.
 */
void kreg_client_tell(struct kreg_client *cl, struct kreg_mail *mail, struct kreg_writer *w);
/* Any. Whether @p has a client, as of a moment ago. */
bool kreg_client_listens(const struct kreg_proc *p);
/* Any. Whether it receives under @uid: by a client, or while it executes a program. */
bool kreg_client_receives(struct kreg_proc *p, kuid_t uid);

#endif /* KREG_CLIENT_CLIENT_H */
