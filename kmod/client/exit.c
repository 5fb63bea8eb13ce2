// SPDX-License-Identifier: GPL-2.0
#include <linux/mutex.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/sched/signal.h>

#include "client/exit.h"
#include "client/internal.h"
#include "client/proc.h"
#include "writer/writer.h"

/* Processes looked at in one hold of the turn. */
#define HOLDERS_A_TURN	256

static DEFINE_MUTEX(settling_all);

/* The status that waitpid() will tell. It is not to be had once the task was reaped. */
static void note_status(struct kreg_proc *p)
{
	struct task_struct *t;

	rcu_read_lock();
	t = pid_task(p->pid, PIDTYPE_TGID);
	if (t) {
		p->status = READ_ONCE(t->signal->flags) & SIGNAL_GROUP_EXIT ?
			    READ_ONCE(t->signal->group_exit_code) : READ_ONCE(t->exit_code);
		p->status_known = true;
	}
	rcu_read_unlock();
}

void kreg_proc_set_successor(struct kreg_proc *p, const struct kreg_proc *next)
{
	WRITE_ONCE(p->next, next->pid);
}

/*
 * @p is dead: note its status and tell the writers, once. The reference of the armed
 * state goes to them. The successor is woken before the threads, since it may handle the
 * death in their stead.
 */
static void announce_death(struct kreg_proc *p)
{
	const struct pid *next = READ_ONCE(p->next);
	unsigned int i, n = kreg_writers;

	if (atomic_cmpxchg(&p->state, KREG_PROC_ARMED, KREG_PROC_DEAD) != KREG_PROC_ARMED)
		return;
	note_status(p);
	/* As soon as its last node is on a list, @p may be freed. */
	for (i = 0; i < n; i++)
		kreg_writer_add_death(kreg_writer_nr(i), &p->holdings[i].death);
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
 * Watch the process behind @pid. The last thread of a process first drops
 * signal->live, then takes wait_pidfd.lock to wake the queue. If its locked
 * section came before ours, ours orders the test below after its drop, and we see
 * that it is dead; if ours came first, it finds the entry.
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

int kreg_proc_settle(struct kreg_proc *p)
{
	unsigned int i;

	if (!kreg_proc_dead(p))
		return 0;
	announce_death(p);
	for (i = 0; i < kreg_writers; i++)
		kreg_writer_help(kreg_writer_nr(i));
	return wait_for_completion_killable(&p->settled) ? -EINTR : 1;
}

/*
 * A dead process among the first *@left holders of @w, with a reference, or NULL. Those
 * looked at go to the end of the list.
 */
static struct kreg_proc *get_dead_holder(struct kreg_writer *w, unsigned int *left)
{
	struct kreg_holdings *held;
	struct kreg_proc *dead = NULL;
	unsigned int n;

	spin_lock(&w->turn);
	for (n = 0; n < HOLDERS_A_TURN && *left && !dead; n++, --*left) {
		held = list_first_entry_or_null(&w->holders, struct kreg_holdings, node);
		if (!held) {
			*left = 0;
			break;
		}
		list_move_tail(&held->node, &w->holders);
		if (kreg_proc_dead(held->proc))
			dead = held->proc;
	}
	/* It is still there, because what it owns or inherits has references to it. */
	if (dead)
		kreg_proc_get(dead);
	spin_unlock(&w->turn);
	return dead;
}

static unsigned int count_holders(struct kreg_writer *w)
{
	unsigned int n;

	spin_lock(&w->turn);
	n = w->nr_holders;
	spin_unlock(&w->turn);
	return n;
}

static int settle_holders(struct kreg_writer *w)
{
	unsigned int left = count_holders(w);
	struct kreg_proc *dead;
	int err;

	while (left) {
		dead = get_dead_holder(w, &left);
		cond_resched();
		if (!dead)
			continue;
		err = kreg_proc_settle(dead);
		kreg_proc_put(dead);
		if (err < 0)
			return err;
	}
	return 0;
}

/*
 * A dead process is given nothing more, so each one that was in a list when this began
 * is among the holders that were counted then. The mutex keeps others from reordering
 * the lists meanwhile.
 */
int kreg_proc_settle_all(void)
{
	unsigned int i;
	int err = 0;

	if (mutex_lock_killable(&settling_all))
		return -EINTR;
	for (i = 0; i < kreg_writers && !err; i++)
		err = settle_holders(kreg_writer_nr(i));
	mutex_unlock(&settling_all);
	return err;
}

/*
 * @p is not found any more, and the reference of the armed state ends. This happens once,
 * by whoever set the state to dead. exit_notice() may have taken the entry off the wait
 * queue already; if not, it is not running any more when remove_wait_queue() returns.
 */
static void forget_proc(struct kreg_proc *p)
{
	remove_wait_queue(&p->pid->wait_pidfd, &p->wait);
	kreg_proc_remove(p);
	complete_all(&p->settled);
	kreg_proc_put(p);
}

void kreg_proc_death_done(struct kreg_proc *p)
{
	if (atomic_dec_and_test(&p->deaths_left))
		forget_proc(p);
}

/* No client and no table is left, so living processes need not be watched any more. */
void kreg_proc_exit(void)
{
	struct kreg_proc *p;

	while ((p = kreg_proc_get_any())) {
		if (atomic_cmpxchg(&p->state, KREG_PROC_ARMED, KREG_PROC_DEAD) == KREG_PROC_ARMED)
			forget_proc(p);
		else
			wait_for_completion(&p->settled);
		kreg_proc_put(p);
	}
	rcu_barrier();
}
