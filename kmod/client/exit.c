// SPDX-License-Identifier: GPL-2.0
#include <linux/cred.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/sched/signal.h>

#include "client/exit.h"
#include "client/internal.h"
#include "client/mail.h"
#include "client/proc.h"
#include "writer/writer.h"

/* Deaths that were noticed, and of which not all who watch the process have been told. */
static atomic_t nr_untold;

/* Processes looked at in one hold of the turn. */
#define HOLDERS_A_TURN	256

/*
 * The status that waitpid() will tell. It is not to be had once the task was reaped. Whoever
 * is about to have the death handled notes it, not only who announces it; all note the same.
 */
static void note_status(struct kreg_proc *p)
{
	struct task_struct *t;

	if (READ_ONCE(p->status_known))
		return;
	rcu_read_lock();
	t = pid_task(p->pid, PIDTYPE_TGID);
	if (t) {
		WRITE_ONCE(p->status, READ_ONCE(t->signal->flags) & SIGNAL_GROUP_EXIT ?
			   READ_ONCE(t->signal->group_exit_code) : READ_ONCE(t->exit_code));
		WRITE_ONCE(p->last_uid, __task_cred(t)->uid);
		/* Read under the turn, which all who write it take afterwards. */
		smp_store_release(&p->status_known, true);
	}
	rcu_read_unlock();
}

void kreg_proc_set_successor(struct kreg_proc *p, const struct kreg_proc *next)
{
	WRITE_ONCE(p->next, next->pid);
}

void kreg_proc_suggest_successor(struct kreg_proc *p, const struct kreg_proc *next)
{
	if (!READ_ONCE(p->next))
		cmpxchg(&p->next, NULL, (const struct pid *)next->pid);
}

/*
 * @p is dead: note its status and tell the writers, once. The successor is woken before
 * the threads, since it may handle the death in their stead. Others may have handled it,
 * and forgotten @p, before this ends: the nodes have references of their own, and so has
 * the caller, or he holds the lock without which @p is not forgotten.
 */
static void announce_death(struct kreg_proc *p)
{
	const struct pid *next = READ_ONCE(p->next);
	unsigned int i, n = kreg_writers;

	note_status(p);
	if (atomic_cmpxchg(&p->state, KREG_PROC_ARMED, KREG_PROC_DEAD) != KREG_PROC_ARMED)
		return;
	atomic_inc(&nr_untold);
	refcount_add(n, &p->refs);
	for (i = 0; i < n; i++)
		kreg_death_tell(kreg_writer_nr(i), &p->holdings[i].death);
	if (next)
		kreg_proc_wake_by_pid(next);
	for (i = 0; i < n; i++)
		kreg_writer_wake(kreg_writer_nr(i));
}

/*
 * Called under wait_pidfd.lock and tasklist_lock, in the dying task or in the one
 * that reaps it, up to three times a death, and on 6.1 also for a group that lives
 * (its leader is traced and has exited).
 */
static int exit_notice(struct wait_queue_entry *wait, unsigned int mode, int flags, void *key)
{
	struct kreg_proc *p = container_of(wait, struct kreg_proc, wait);

	if (!kreg_proc_dead(p))
		return 0;
	list_del_init(&wait->entry);
	announce_death(p);
	return 0;
}

/*
 * Watch the process behind @pid. The last thread of a process first leaves the group,
 * or sets exit_state as its leader, then takes wait_pidfd.lock to wake the queue. If
 * its locked section came before ours, ours orders the test below after that, and we
 * see that it is dead; if ours came first, it finds the entry.
 */
static struct kreg_proc *watch_proc(struct pid *pid)
{
	struct kreg_proc *p, *old;

	p = kreg_proc_alloc(pid);
	if (!p)
		return ERR_PTR(-ENOMEM);
	init_waitqueue_func_entry(&p->wait, exit_notice);
	old = kreg_proc_enter(p);
	if (old)
		return old;
	kreg_proc_poke(p);
	return p;
}

static struct kreg_proc *get_watched(struct pid *pid)
{
	return kreg_proc_find_pid(pid) ?: watch_proc(pid);
}

struct kreg_proc *kreg_proc_current(void)
{
	return get_watched(task_tgid(current));
}

struct kreg_proc *kreg_proc_watch_init(void)
{
	struct pid *pid = find_get_pid(1);
	struct kreg_proc *p = pid ? get_watched(pid) : ERR_PTR(-ESRCH);

	put_pid(pid);
	return p;
}

struct kreg_proc *kreg_proc_watch(u32 nr)
{
	struct kreg_proc *p = ERR_PTR(-ESRCH);
	struct pid *pid = find_get_pid(nr);

	if (pid && !kreg_pid_exiting(pid))
		p = get_watched(pid);
	put_pid(pid);
	return p;
}

void kreg_proc_poke(struct kreg_proc *p)
{
	if (kreg_proc_dead(p))
		announce_death(p);
}

bool kreg_proc_is_settled(struct kreg_proc *p)
{
	return completion_done(&p->settled);
}

/* Who has announced it need not have told the writers yet, so they are not relied upon. */
int kreg_proc_settle(struct kreg_proc *p)
{
	bool done = true;
	unsigned int i;

	if (!kreg_proc_dead(p))
		return 0;
	announce_death(p);
	for (i = 0; i < kreg_writers; i++)
		done &= kreg_death_settle(kreg_writer_nr(i), &p->holdings[i].death);
	if (!done && wait_for_completion_killable(&p->settled))
		return -EINTR;
	return 1;
}

/*
 * A dead process among the holders of @w behind @place, with a reference, or NULL. @place
 * moves on by as many as were looked at, which are taken off *@left.
 */
static struct kreg_proc *get_dead_holder(struct kreg_writer *w, struct kreg_holdings *place,
					 unsigned int *left)
{
	struct kreg_holdings *held = place;
	struct kreg_proc *dead = NULL;
	unsigned int n;

	spin_lock(&w->turn);
	for (n = 0; n < HOLDERS_A_TURN && *left && !dead; n++) {
		held = list_next_entry(held, node);
		if (list_entry_is_head(held, &w->holders, node)) {
			*left = 0;
			break;
		}
		/* The place of another who looks. */
		if (!held->proc)
			continue;
		--*left;
		if (kreg_proc_dead(held->proc))
			dead = held->proc;
	}
	if (*left)
		list_move(&place->node, &held->node);
	/* It is still there, because what it owns or inherits has references to it. */
	if (dead)
		kreg_proc_get(dead);
	spin_unlock(&w->turn);
	return dead;
}

/* Begin to look at the holders of @w, and say how many there are. */
static unsigned int enter_holders(struct kreg_writer *w, struct kreg_holdings *place)
{
	unsigned int n;

	spin_lock(&w->turn);
	list_add(&place->node, &w->holders);
	n = w->nr_holders;
	spin_unlock(&w->turn);
	return n;
}

static void leave_holders(struct kreg_writer *w, struct kreg_holdings *place)
{
	spin_lock(&w->turn);
	list_del(&place->node);
	spin_unlock(&w->turn);
}

static int settle_holders(struct kreg_writer *w)
{
	struct kreg_holdings place = { .proc = NULL };
	unsigned int left = enter_holders(w, &place);
	struct kreg_proc *dead;
	int err = 0;

	while (left && err >= 0) {
		dead = get_dead_holder(w, &place, &left);
		cond_resched();
		if (!dead)
			continue;
		err = kreg_proc_settle(dead);
		kreg_proc_put(dead);
	}
	leave_holders(w, &place);
	return min(err, 0);
}

/*
 * A dead process is given nothing more, so each one that was in a list when this began
 * is among the holders that were counted then: new ones come at the end.
 */
int kreg_proc_settle_all(void)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < kreg_writers && !err; i++)
		err = settle_holders(kreg_writer_nr(i));
	return err;
}

/*
 * exit_notice() may have taken the entry off the wait queue already; if not, it is not running
 * any more when remove_wait_queue() returns.
 */
static void end_handling(struct kreg_proc *p)
{
	remove_wait_queue(&p->pid->wait_pidfd, &p->wait);
	kreg_mail_free_all(&p->carried.box);
	complete_all(&p->settled);
}

bool kreg_proc_death_done(struct kreg_proc *p)
{
	if (!atomic_dec_and_test(&p->deaths_left))
		return false;
	end_handling(p);
	return true;
}

/* The reference of the armed state ends: this happens once, to whoever was announced dead. */
void kreg_proc_death_told(struct kreg_proc *p)
{
	kreg_proc_remove(p);
	/* Pairs with kreg_proc_deaths_untold(): the records come first. */
	atomic_dec_return_release(&nr_untold);
	kreg_proc_put(p);
}

bool kreg_proc_deaths_untold(void)
{
	return atomic_read_acquire(&nr_untold);
}

/*
 * No client and no table is left, so living processes need not be watched any more, and
 * nobody else watches them.
 */
void kreg_proc_exit(void)
{
	struct kreg_proc *p;

	while ((p = kreg_proc_get_any())) {
		if (atomic_cmpxchg(&p->state, KREG_PROC_ARMED, KREG_PROC_DEAD) == KREG_PROC_ARMED) {
			end_handling(p);
			kreg_proc_remove(p);
			kreg_proc_put(p);
		} else {
			/* Whoever handles the death will forget it, in a moment. */
			schedule_timeout_uninterruptible(1);
		}
		kreg_proc_put(p);
	}
	rcu_barrier();
}
