// SPDX-License-Identifier: GPL-2.0
#include <linux/hashtable.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "client/internal.h"
#include "client/news.h"
#include "client/proc.h"
#include "store/gfp.h"
#include "writer/writer.h"

static DEFINE_HASHTABLE(procs, 10);
static DEFINE_HASHTABLE(cookies, 10);
static DEFINE_SPINLOCK(procs_lock);
static atomic64_t last_cookie;
static atomic_t nr_procs;

static unsigned long pid_bucket(const struct pid *pid)
{
	return (unsigned long)pid / L1_CACHE_BYTES;
}

/*
 * As poll() of a pidfd has it. The last thread that leaves may be another than the leader,
 * and a leader that has left while another thread runs execve() is no death: its thread
 * group is not empty, and signal->live, which the kernel does not look at here, not 0.
 */
static bool group_has_left(struct task_struct *leader)
{
	if (!READ_ONCE(leader->exit_state) || atomic_read(&leader->signal->live))
		return false;
	/* poll() of a pidfd looks at the list without its lock as well. */
	return data_race(thread_group_empty(leader));
}

/* signal is freed with the task, so it is there as long as RCU holds the task. */
bool kreg_proc_dead(const struct kreg_proc *p)
{
	struct task_struct *t;
	bool dead;

	rcu_read_lock();
	t = pid_task(p->pid, PIDTYPE_TGID);
	dead = !t || group_has_left(t);
	rcu_read_unlock();
	return dead;
}

bool kreg_pid_exiting(struct pid *pid)
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
	return kreg_pid_exiting(p->pid);
}

u32 kreg_proc_pid(const struct kreg_proc *p)
{
	return kreg_proc_dead(p) ? 0 : pid_vnr(p->pid);
}

bool kreg_proc_is_visible(const struct kreg_proc *p)
{
	return pid_vnr(p->pid);
}

struct kreg_process kreg_proc_name(const struct kreg_proc *p, struct pid_namespace *ns)
{
	struct kreg_process name = {};

	if (p) {
		name.pid = pid_nr_ns(p->pid, ns);
		name.cookie = p->cookie;
	}
	return name;
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

static void wake_proc(struct kreg_proc *p)
{
	struct kreg_news *news = rcu_dereference(p->news);

	if (news)
		kreg_news_wake_few(&news->sleepers);
	kreg_news_wake_few(&p->claims);
}

void kreg_proc_wake_by_pid(const struct pid *pid)
{
	struct kreg_proc *p;

	rcu_read_lock();
	hash_for_each_possible_rcu(procs, p, node, pid_bucket(pid))
		if (p->pid == pid)
			wake_proc(p);
	rcu_read_unlock();
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

struct kreg_proc *kreg_proc_find_pid(const struct pid *pid)
{
	struct kreg_proc *p;

	spin_lock(&procs_lock);
	p = find_proc(pid);
	if (p)
		kreg_proc_get(p);
	spin_unlock(&procs_lock);
	return p;
}

static void init_holdings(struct kreg_proc *p)
{
	unsigned int i;

	for (i = 0; i < kreg_writers; i++) {
		kreg_death_init(&p->holdings[i].death);
		p->holdings[i].proc = p;
		INIT_LIST_HEAD(&p->holdings[i].node);
		INIT_LIST_HEAD(&p->holdings[i].owned);
		INIT_LIST_HEAD(&p->holdings[i].heired);
		INIT_LIST_HEAD(&p->holdings[i].bonds);
	}
}

struct kreg_proc *kreg_proc_alloc(struct pid *pid)
{
	struct kreg_proc *p;

	p = kzalloc(struct_size(p, holdings, kreg_writers), KREG_GFP_USER);
	if (!p)
		return NULL;
	atomic_inc(&nr_procs);
	/* One for the armed state, one for the caller. */
	refcount_set(&p->refs, 2);
	p->pid = get_pid(pid);
	p->cookie = atomic64_inc_return(&last_cookie);
	atomic_set(&p->deaths_left, kreg_writers);
	init_completion(&p->settled);
	init_waitqueue_head(&p->claims);
	mutex_init(&p->settling);
	spin_lock_init(&p->lock);
	spin_lock_init(&p->shares_lock);
	INIT_LIST_HEAD(&p->shares);
	INIT_LIST_HEAD(&p->clients);
	INIT_LIST_HEAD(&p->watches[0]);
	INIT_LIST_HEAD(&p->watches[1]);
	kreg_mailbox_init(&p->carried.box);
	p->carried.uid = INVALID_UID;
	INIT_LIST_HEAD(&p->namespaces);
	init_holdings(p);
	return p;
}

struct kreg_proc *kreg_proc_enter(struct kreg_proc *p)
{
	struct kreg_proc *old;

	spin_lock(&procs_lock);
	old = find_proc(p->pid);
	if (old) {
		kreg_proc_get(old);
	} else {
		/*
		 * Ahead of pollers of pidfds, which shall find that the writers
		 * know; and before it can be found, since who finds it may see
		 * that it is dead. kreg_proc_remove() waits for procs_lock.
		 */
		add_wait_queue_priority(&p->pid->wait_pidfd, &p->wait);
		hash_add_rcu(procs, &p->node, pid_bucket(p->pid));
		hash_add_rcu(cookies, &p->by_cookie, p->cookie);
	}
	spin_unlock(&procs_lock);
	if (old)
		free_proc(&p->rcu);
	return old;
}

void kreg_proc_remove(struct kreg_proc *p)
{
	spin_lock(&procs_lock);
	hash_del_rcu(&p->node);
	hash_del_rcu(&p->by_cookie);
	spin_unlock(&procs_lock);
}

struct kreg_proc *kreg_proc_whois(u32 nr)
{
	struct kreg_proc *p = NULL;
	struct pid *pid;
	int err = -ESRCH;

	pid = find_get_pid(nr);
	if (pid && !kreg_pid_exiting(pid)) {
		p = kreg_proc_find_pid(pid);
		err = -ENOTCONN;
	}
	put_pid(pid);
	return p ?: ERR_PTR(err);
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

/* RCU. Of whose death not all have been told. */
static struct kreg_proc *find_cookie(u64 cookie)
{
	struct kreg_proc *p;

	hash_for_each_possible_rcu(cookies, p, by_cookie, cookie)
		if (p->cookie == cookie && !READ_ONCE(p->told))
			return p;
	return NULL;
}

/* Not by its number, under which nothing is found once it was reaped. */
struct kreg_proc *kreg_proc_find_ever(u32 nr, u64 cookie)
{
	struct kreg_proc *p;

	if (!cookie) {
		p = nr == task_tgid_vnr(current) ? kreg_proc_find_pid(task_tgid(current)) : NULL;
		return p ?: ERR_PTR(-ESRCH);
	}
	rcu_read_lock();
	p = find_cookie(cookie);
	if (p && (pid_vnr(p->pid) != nr || !refcount_inc_not_zero(&p->refs)))
		p = NULL;
	rcu_read_unlock();
	return p;
}

static bool holds_something(const struct kreg_holdings *held)
{
	return !list_empty(&held->owned) || !list_empty(&held->heired) ||
	       !list_empty(&held->bonds);
}

void kreg_holdings_note(struct kreg_holdings *held, struct kreg_writer *w)
{
	bool listed = !list_empty(&held->node);

	kreg_writer_assert(w);
	if (listed == holds_something(held))
		return;
	if (listed) {
		list_del_init(&held->node);
		w->nr_holders--;
	} else {
		list_add_tail(&held->node, &w->holders);
		w->nr_holders++;
	}
}

/* Without locks, as of a moment ago: whether lists are empty can be seen all the same. */
static bool has_something(struct kreg_proc *p)
{
	unsigned int i;

	if (READ_ONCE(p->nr_clients) || atomic_read(&p->state) == KREG_PROC_DEAD)
		return true;
	for (i = 0; i < kreg_writers; i++)
		if (holds_something(&p->holdings[i]))
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

unsigned int kreg_proc_deaths(void)
{
	struct kreg_proc *p;
	unsigned int n = 0;
	int i;

	rcu_read_lock();
	hash_for_each_rcu(procs, i, p, node)
		n += kreg_proc_dead(p);
	rcu_read_unlock();
	return n;
}

static struct kreg_proc *get_dead_in(unsigned int bucket)
{
	struct kreg_proc *p, *dead = NULL;

	rcu_read_lock();
	hlist_for_each_entry_rcu(p, &procs[bucket], node)
		if (kreg_proc_dead(p) && !READ_ONCE(p->told) && refcount_inc_not_zero(&p->refs)) {
			dead = p;
			break;
		}
	rcu_read_unlock();
	return dead;
}

struct kreg_proc *kreg_proc_next_dead(unsigned int *bucket)
{
	struct kreg_proc *dead = NULL;

	while (*bucket < HASH_SIZE(procs)) {
		dead = get_dead_in(*bucket);
		if (dead)
			break;
		++*bucket;
	}
	return dead;
}

struct kreg_proc *kreg_proc_get_any(void)
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
