// SPDX-License-Identifier: GPL-2.0
#include <linux/hashtable.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "client/proc.h"
#include "writer/writer.h"

static DEFINE_HASHTABLE(procs, 10);
static DEFINE_SPINLOCK(procs_lock);
static atomic64_t last_cookie;
static atomic_t nr_procs;

static unsigned long pid_bucket(const struct pid *pid)
{
	return (unsigned long)pid / L1_CACHE_BYTES;
}

/* signal is freed with the task, so it is there as long as RCU holds the task. */
bool kreg_proc_dead(const struct kreg_proc *p)
{
	struct task_struct *t;
	bool dead;

	rcu_read_lock();
	t = pid_task(p->pid, PIDTYPE_TGID);
	dead = !t || !atomic_read(&t->signal->live);
	rcu_read_unlock();
	return dead;
}

static bool is_exiting(struct pid *pid)
{
	struct task_struct *t;
	bool exiting;

	rcu_read_lock();
	t = pid_task(pid, PIDTYPE_TGID);
	exiting = !t || !atomic_read(&t->signal->live);
	if (!exiting)
		/* The kernel writes it plainly, under a lock not meant for modules. */
		exiting = data_race(t->signal->flags) & SIGNAL_GROUP_EXIT;
	rcu_read_unlock();
	return exiting;
}

bool kreg_proc_exiting(const struct kreg_proc *p)
{
	return is_exiting(p->pid);
}

u32 kreg_proc_pid(const struct kreg_proc *p)
{
	return kreg_proc_dead(p) ? 0 : pid_vnr(p->pid);
}

void kreg_proc_get(struct kreg_proc *p)
{
	refcount_inc(&p->refs);
}

static void free_proc(struct rcu_head *rcu)
{
	struct kreg_proc *p = container_of(rcu, struct kreg_proc, rcu);

	put_pid(p->pid);
	kfree(p);
	atomic_dec(&nr_procs);
}

void kreg_proc_put(struct kreg_proc *p)
{
	if (p && refcount_dec_and_test(&p->refs))
		call_rcu(&p->rcu, free_proc);
}

/* As waitpid() will tell it; gone when the task has been reaped. */
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

void kreg_proc_wake(struct kreg_proc *p)
{
	wake_up_poll(&p->news, EPOLLIN | EPOLLRDNORM);
}

static void wake_by_pid(const struct pid *pid)
{
	struct kreg_proc *p;

	rcu_read_lock();
	hash_for_each_possible_rcu(procs, p, node, pid_bucket(pid))
		if (p->pid == pid)
			kreg_proc_wake(p);
	rcu_read_unlock();
}

/*
 * @p is dead: note why and tell the writers, once. The reference of the armed
 * state goes to them. Who is woken before the threads are may do their work.
 */
static void announce_death(struct kreg_proc *p)
{
	const struct pid *next = READ_ONCE(p->next);
	unsigned int i, n = kreg_writers;

	if (atomic_cmpxchg(&p->state, KREG_PROC_ARMED, KREG_PROC_DEAD) != KREG_PROC_ARMED)
		return;
	note_status(p);
	/* With its last node on a list, @p may be gone. */
	for (i = 0; i < n; i++)
		kreg_writer_add_death(kreg_writer_nr(i), &p->holdings[i].death);
	if (next)
		wake_by_pid(next);
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

static struct kreg_proc *find_proc(const struct pid *pid)
{
	struct kreg_proc *p;

	lockdep_assert_held(&procs_lock);
	hash_for_each_possible(procs, p, node, pid_bucket(pid))
		if (p->pid == pid)
			return p;
	return NULL;
}

static struct kreg_proc *find_get_proc(const struct pid *pid)
{
	struct kreg_proc *p;

	spin_lock(&procs_lock);
	p = find_proc(pid);
	if (p)
		kreg_proc_get(p);
	spin_unlock(&procs_lock);
	return p;
}

static void init_seats(struct kreg_proc *p)
{
	unsigned int i;

	for (i = 0; i < kreg_writers; i++) {
		p->holdings[i].proc = p;
		INIT_LIST_HEAD(&p->holdings[i].owned);
		INIT_LIST_HEAD(&p->holdings[i].heired);
	}
}

static struct kreg_proc *alloc_proc(struct pid *pid)
{
	struct kreg_proc *p;

	p = kzalloc(struct_size(p, holdings, kreg_writers), GFP_KERNEL_ACCOUNT);
	if (!p)
		return NULL;
	atomic_inc(&nr_procs);
	/* One for the armed state, one for the caller. */
	refcount_set(&p->refs, 2);
	p->pid = get_pid(pid);
	p->cookie = atomic64_inc_return(&last_cookie);
	init_waitqueue_func_entry(&p->wait, exit_notice);
	atomic_set(&p->deaths_left, kreg_writers);
	init_completion(&p->settled);
	init_waitqueue_head(&p->news);
	mutex_init(&p->settling);
	spin_lock_init(&p->lock);
	INIT_LIST_HEAD(&p->clients);
	INIT_LIST_HEAD(&p->namespaces);
	init_seats(p);
	return p;
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

	p = alloc_proc(pid);
	if (!p)
		return ERR_PTR(-ENOMEM);
	spin_lock(&procs_lock);
	old = find_proc(pid);
	if (old) {
		kreg_proc_get(old);
	} else {
		/*
		 * Ahead of pollers of pidfds: they shall find that the writers
		 * know. And before it can be found, and die of that; its burial
		 * waits for procs_lock.
		 */
		add_wait_queue_priority(&pid->wait_pidfd, &p->wait);
		hash_add_rcu(procs, &p->node, pid_bucket(pid));
	}
	spin_unlock(&procs_lock);
	if (old) {
		free_proc(&p->rcu);
		return old;
	}
	kreg_proc_poke(p);
	return p;
}

static struct kreg_proc *get_watched(struct pid *pid)
{
	return find_get_proc(pid) ?: watch_proc(pid);
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

/* The process behind @pid, if it has one: a thread's pid leads no group. */
static struct kreg_proc *get_living(struct pid *pid, bool watch)
{
	struct kreg_proc *p;

	if (!pid || is_exiting(pid))
		return ERR_PTR(-ESRCH);
	p = find_get_proc(pid);
	if (p)
		return p;
	return watch ? watch_proc(pid) : ERR_PTR(-ENOTCONN);
}

static struct kreg_proc *get_by_number(u32 nr, bool watch)
{
	struct pid *pid = find_get_pid(nr);
	struct kreg_proc *p = get_living(pid, watch);

	put_pid(pid);
	return p;
}

struct kreg_proc *kreg_proc_whois(u32 nr)
{
	return get_by_number(nr, false);
}

struct kreg_proc *kreg_proc_watch(u32 nr)
{
	return get_by_number(nr, true);
}

struct kreg_proc *kreg_proc_find(u32 nr, u64 cookie)
{
	struct kreg_proc *p = kreg_proc_whois(nr);

	if (IS_ERR(p))
		return cookie && p == ERR_PTR(-ENOTCONN) ? ERR_PTR(-ESRCH) : p;
	if (cookie ? p->cookie == cookie : kreg_proc_is_current(p))
		return p;
	kreg_proc_put(p);
	return ERR_PTR(-ESRCH);
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

/* A look in passing: the lists are not walked. */
static bool has_something(struct kreg_proc *p)
{
	unsigned int i;

	if (READ_ONCE(p->nr_clients) || atomic_read(&p->state) == KREG_PROC_DEAD)
		return true;
	for (i = 0; i < kreg_writers; i++)
		if (!list_empty(&p->holdings[i].owned) || !list_empty(&p->holdings[i].heired))
			return true;
	return false;
}

unsigned int kreg_proc_count(void)
{
	struct kreg_proc *p;
	unsigned int n = 0;
	int i;

	rcu_read_lock();
	hash_for_each_rcu(procs, i, p, node)
		n += has_something(p);
	rcu_read_unlock();
	return n;
}

/* One that is dead, whose death may not have been handled yet. */
static struct kreg_proc *get_dead(u64 last)
{
	struct kreg_proc *p;
	int i;

	rcu_read_lock();
	hash_for_each_rcu(procs, i, p, node)
		if (p->cookie <= last && kreg_proc_dead(p) && refcount_inc_not_zero(&p->refs)) {
			rcu_read_unlock();
			return p;
		}
	rcu_read_unlock();
	return NULL;
}

/* Once settled they are not found again, and those who come later do not count. */
int kreg_proc_settle_all(void)
{
	u64 last = atomic64_read(&last_cookie);
	struct kreg_proc *p;
	int err;

	while ((p = get_dead(last))) {
		err = kreg_proc_settle(p);
		kreg_proc_put(p);
		if (err < 0)
			return err;
	}
	return 0;
}

/*
 * No longer known; the armed state's reference ends. Whoever has made it dead
 * comes here, once. The notice may have taken the entry off the queue; if not, it
 * is not running when this returns.
 */
static void forget_proc(struct kreg_proc *p)
{
	remove_wait_queue(&p->pid->wait_pidfd, &p->wait);
	spin_lock(&procs_lock);
	hash_del_rcu(&p->node);
	spin_unlock(&procs_lock);
	complete_all(&p->settled);
	kreg_proc_put(p);
}

void kreg_proc_death_done(struct kreg_proc *p)
{
	if (atomic_dec_and_test(&p->deaths_left))
		forget_proc(p);
}

static struct kreg_proc *get_first(void)
{
	struct kreg_proc *p;
	int i;

	spin_lock(&procs_lock);
	hash_for_each(procs, i, p, node) {
		kreg_proc_get(p);
		spin_unlock(&procs_lock);
		return p;
	}
	spin_unlock(&procs_lock);
	return NULL;
}

unsigned int kreg_proc_allocated(void)
{
	return atomic_read(&nr_procs);
}

/* Nobody has a client or a table any more: living processes are let go. */
void kreg_proc_exit(void)
{
	struct kreg_proc *p;

	while ((p = get_first())) {
		if (atomic_cmpxchg(&p->state, KREG_PROC_ARMED, KREG_PROC_DEAD) == KREG_PROC_ARMED)
			forget_proc(p);
		else
			wait_for_completion(&p->settled);
		kreg_proc_put(p);
	}
	rcu_barrier();
}
