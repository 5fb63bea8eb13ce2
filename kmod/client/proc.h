/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Processes: who they are and whether they live. This file and exit.c are the only
 * ones that look into tasks and pids.
 */
#ifndef KREG_CLIENT_PROC_H
#define KREG_CLIENT_PROC_H

#include <linux/completion.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/pid.h>
#include <linux/rculist.h>
#include <linux/refcount.h>
#include <linux/sched/signal.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "client/mailbox.h"
#include "writer/death.h"

struct kreg_client;
struct kreg_news;
struct kreg_ns;
struct kreg_writer;
struct pid;
struct pid_namespace;

/* What goes on while a process executes a program (carry.h). All under proc->lock. */
struct kreg_carried {
	struct kreg_mailbox box;
	kuid_t uid;			/* of the client that was closed, or INVALID_UID: none */
	bool accept;			/* that of the client */
	const struct kreg_ns *ns;	/* its own; only to be compared */
};

/* What a process has of the tables of one writer. */
struct kreg_holdings {
	struct kreg_death death;
	struct kreg_proc *proc;		/* invariant */
	struct list_head node;		/* turn: in the writer's holders; empty: it has nothing */
	struct list_head owned;		/* turn: in the order of becoming owner */
	struct list_head heired;	/* turn: tables it is the heir of */
	unsigned int nr_heired;		/* turn */
	struct list_head bonds;		/* turn: in which it has bound objects (table/bond.h) */
	/* Turn. Of an init that has died: where the end of its namespaces has come to. */
	struct kreg_ns *ending;		/* with a reference, or NULL: at none of them */
	u64 ended;			/* id of the table of @ending that was looked at last */
};

enum { KREG_PROC_ARMED, KREG_PROC_DEAD };

struct kreg_proc {
	struct hlist_node node;		/* procs_lock: by its pid, */
	struct hlist_node by_cookie;	/* and by its cookie */
	struct rcu_head rcu;
	refcount_t refs;
	/* Invariant after initialisation: */
	struct pid *pid;
	u64 cookie;
	/* Death: */
	struct wait_queue_entry wait;
	atomic_t state;
	bool status_known;		/* set before the writers are told */
	int status;
	kuid_t last_uid;		/* its real one then, if the status is known */
	atomic_t deaths_left;		/* writers that have not handled the death yet */
	struct completion settled;	/* all have */
	const struct pid *next;		/* who is to be woken first; only to be compared */
	/* Clients and mail: */
	wait_queue_head_t claims;	/* where those sleep who wait in a line */
	struct mutex settling;		/* one look for dead owners at a time */
	spinlock_t lock;
	struct list_head clients;	/* lock; of each user the first gets the mail */
	unsigned int nr_clients;	/* lock */
	struct kreg_news __rcu *news;	/* lock: of the first that can receive, or NULL */
	struct kreg_carried carried;
	/* Watches of it: those of its own user or of root, which are told first, and others'. */
	struct list_head watches[2];	/* lock: kreg_watch.of_proc */
	bool told;			/* lock: of its death all have been told */
	struct work_struct telling;	/* tells them, if they are many */
	atomic_t mails;			/* records queued or set aside, */
	atomic_t mail_bytes;		/* and their bytes */
	spinlock_t shares_lock;		/* innermost */
	struct list_head shares;	/* shares_lock: what other users have of these, */
	u32 share_mails;		/* and all of them together */
	u32 share_bytes;
	struct list_head namespaces;	/* ns_lock: those that end with it */
	struct kreg_holdings holdings[];	/* one a writer */
};

/*
 * Any. A living process by its pid in the caller's pid namespace and its cookie; 0:
 * only for the caller. A reference, or ERR_PTR(-ESRCH), or -ENOTCONN for a
 * process that never had a client.
 */
struct kreg_proc *kreg_proc_find(u32 pid, u64 cookie);
struct kreg_proc *kreg_proc_whois(u32 pid);

/*
 * Any. A process that was or is named so, which may be dead, and even reaped, as long as not all
 * have been told; NULL: it is not known any more, or never was. A reference, or ERR_PTR(-ESRCH):
 * no cookie, and not the caller.
 */
struct kreg_proc *kreg_proc_find_ever(u32 pid, u64 cookie);

/* Any. */
void kreg_proc_get(struct kreg_proc *p);
void kreg_proc_put(struct kreg_proc *p);
/* Any. How many have a client or a table, are an heir, or are dead and not forgotten yet. */
unsigned int kreg_proc_count(void);
/* Any. How many are dead, and their deaths not handled by all writers yet. */
unsigned int kreg_proc_deaths(void);
/*
 * Any. A process in the buckets from *@bucket on that is dead, and of whose death not all have
 * been told, with a reference; NULL: there is none. *@bucket is where to go on.
 */
struct kreg_proc *kreg_proc_next_dead(unsigned int *bucket);
/* Any. How many have not been freed yet. */
unsigned int kreg_proc_allocated(void);

static inline bool kreg_proc_is_current(const struct kreg_proc *p)
{
	return p->pid == task_tgid(current);
}

/* Any, under rcu_read_lock() or with a reference. */
bool kreg_proc_exiting(const struct kreg_proc *p);
bool kreg_proc_dead(const struct kreg_proc *p);
/*
 * RCU. kreg_proc_exiting(), inline. A process has no task any more, or one with which its
 * signal_struct is freed, so that is there as long as the section.
 */
static __always_inline bool kreg_proc_exiting_rcu(const struct kreg_proc *p)
{
	const struct hlist_head *tasks = &p->pid->tasks[PIDTYPE_TGID];
	struct hlist_node *first = rcu_dereference(hlist_first_rcu(tasks));
	const struct signal_struct *signal;

	if (unlikely(!first))
		return true;
	signal = hlist_entry(first, struct task_struct, pid_links[PIDTYPE_TGID])->signal;
	/* The kernel writes it plainly, under a lock not meant for modules. */
	return !atomic_read(&signal->live) || data_race(signal->flags) & SIGNAL_GROUP_EXIT;
}

/*
 * Turn, of a writer that handles its death. Whether it has ended by a signal or with a status
 * other than 0. One whose status nobody has seen is taken for one: nothing is lost by that.
 */
static inline bool kreg_proc_crashed(const struct kreg_proc *p)
{
	return !READ_ONCE(p->status_known) || p->status;
}

/* Any. Its pid in the pid namespace of the caller; 0: dead or not visible. */
u32 kreg_proc_pid(const struct kreg_proc *p);
/* Any. Whether it has, or had, a pid there. */
bool kreg_proc_is_visible(const struct kreg_proc *p);
/* Any. How it is, or was, called in @ns. NULL: none. */
struct kreg_process kreg_proc_name(const struct kreg_proc *p, struct pid_namespace *ns);

/* Turn. What is in @held has changed. */
void kreg_holdings_note(struct kreg_holdings *held, struct kreg_writer *w);

static inline struct kreg_holdings *kreg_holdings_of_death(struct kreg_death *death)
{
	return container_of(death, struct kreg_holdings, death);
}

#endif /* KREG_CLIENT_PROC_H */
