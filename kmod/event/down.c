// SPDX-License-Identifier: GPL-2.0
#include <linux/delay.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/workqueue.h>

#include "client/client.h"
#include "client/exit.h"
#include "client/news.h"
#include "client/proc.h"
#include "event/down.h"
#include "event/watches.h"
#include "writer/writer.h"

/* Watches whose records are sent at once, and in one hold of a process' lock. */
#define FEW_WATCHES	16
#define WATCHES_A_HOLD	64
/* How many are looked at when no death is under way, and in one hold of a client's lock. */
#define WATCHES_A_LOOK	64

static struct workqueue_struct *tellers;

static struct kreg_watch *first_watch(struct kreg_proc *p)
{
	unsigned int i;

	lockdep_assert_held(&p->lock);
	for (i = 0; i < ARRAY_SIZE(p->watches); i++)
		if (!list_empty(&p->watches[i]))
			return list_first_entry(&p->watches[i], struct kreg_watch, of_proc);
	return NULL;
}

/* Send the records of some watches of @p, whose death has been handled. True: of all. */
static bool tell_some(struct kreg_proc *p, unsigned int most)
{
	struct kreg_client *clients[WATCHES_A_HOLD];
	struct kreg_watch *watch;
	unsigned int n = 0, i;
	bool told;

	spin_lock(&p->lock);
	while ((watch = first_watch(p)) && n < most) {
		clients[n] = watch->handle.client;
		kreg_client_get(clients[n++]);
		kreg_watch_send(watch, p);
	}
	told = !watch;
	WRITE_ONCE(p->told, told);
	spin_unlock(&p->lock);
	for (i = 0; i < n; i++)
		kreg_news_wake(&clients[i]->news);
	return told;
}

static void tell_others(struct work_struct *work)
{
	struct kreg_proc *p = container_of(work, struct kreg_proc, telling);

	/* Whoever was woken runs before others are told, also on the same CPU. */
	do
		usleep_range(20, 100);
	while (!tell_some(p, WATCHES_A_HOLD));
	kreg_proc_death_told(p);
}

void kreg_down_tell(struct kreg_proc *p)
{
	if (tell_some(p, FEW_WATCHES)) {
		kreg_proc_death_told(p);
		return;
	}
	INIT_WORK(&p->telling, tell_others);
	queue_work(tellers, &p->telling);
}

/*
 * A watch of @cl whose process is dead, and *@p with a reference; NULL: none of those that
 * were looked at, which are taken off *@left. Those that were come last.
 */
static struct kreg_watch *find_dead(struct kreg_client *cl, unsigned int *left,
				    struct kreg_proc **p)
{
	struct kreg_watch *watch = NULL;
	unsigned int n;

	*p = NULL;
	spin_lock(&cl->watch_lock);
	for (n = 0; n < WATCHES_A_LOOK && *left && !*p; n++, --*left) {
		watch = list_first_entry_or_null(&cl->watches, struct kreg_watch, of_client);
		if (!watch) {
			*left = 0;
			break;
		}
		list_move_tail(&watch->of_client, &cl->watches);
		*p = kreg_watch_get_dead(watch);
	}
	spin_unlock(&cl->watch_lock);
	return *p ? watch : NULL;
}

/* How many watches of @cl to look at. */
static unsigned int how_many(const struct kreg_client *cl)
{
	unsigned int n = READ_ONCE(cl->nr_watches);

	return kreg_proc_deaths_untold() ? n : min(n, WATCHES_A_LOOK);
}

/*
 * Look at @left watches, or with @one until there is a record to be read. Watches are freed under
 * client->reading, so @watch stays.
 */
static int settle_dead(struct kreg_client *cl, unsigned int left, bool one)
{
	struct kreg_watch *watch;
	struct kreg_proc *p;
	int err = 0;

	lockdep_assert_held(&cl->reading);
	while (left && err >= 0 && !(one && !kreg_mailbox_is_empty(&cl->box))) {
		if (fatal_signal_pending(current))
			return -EINTR;
		watch = find_dead(cl, &left, &p);
		if (!watch) {
			cond_resched();
			continue;
		}
		err = kreg_proc_settle(p);
		if (err > 0)
			kreg_watch_tell(watch, p);
		kreg_proc_put(p);
	}
	return min(err, 0);
}

int kreg_down_sync(struct kreg_client *cl)
{
	return settle_dead(cl, how_many(cl), true);
}

/* Also of a process that is so newly dead that nobody has been told, which only a look finds. */
int kreg_down_sync_own(struct kreg_client *cl)
{
	int err;

	if (!READ_ONCE(cl->nr_watches))
		return 0;
	if (mutex_lock_killable(&cl->reading))
		return -EINTR;
	err = settle_dead(cl, READ_ONCE(cl->nr_watches), false);
	mutex_unlock(&cl->reading);
	return err;
}

static void help_with(struct kreg_watch *watch, struct kreg_proc *p)
{
	unsigned int i;

	kreg_proc_poke(p);
	for (i = 0; i < kreg_writers && !completion_done(&p->settled); i++)
		kreg_death_help(kreg_writer_nr(i));
	if (completion_done(&p->settled))
		kreg_watch_tell(watch, p);
}

/* Another who reads does this himself, and wakes who waits. */
void kreg_down_help(struct kreg_client *cl)
{
	struct kreg_watch *watch;
	struct kreg_proc *p;
	unsigned int left;

	if (!READ_ONCE(cl->nr_watches) || !mutex_trylock(&cl->reading))
		return;
	left = how_many(cl);
	while (left && kreg_mailbox_is_empty(&cl->box)) {
		watch = find_dead(cl, &left, &p);
		if (!watch)
			continue;
		help_with(watch, p);
		kreg_proc_put(p);
	}
	mutex_unlock(&cl->reading);
}

/*
 * A death is found here until all have been told. Of a process that dies meanwhile, or that is
 * watched while it is being told of, nothing is promised.
 */
int kreg_down_sync_all(void)
{
	unsigned int bucket = 0;
	struct kreg_proc *p;
	int err = 0;

	if (!kreg_proc_deaths_untold())
		return 0;
	while (err >= 0 && (p = kreg_proc_next_dead(&bucket))) {
		err = kreg_proc_settle(p);
		while (err > 0 && !tell_some(p, WATCHES_A_HOLD))
			cond_resched();
		kreg_proc_put(p);
	}
	return min(err, 0);
}

int kreg_down_init(void)
{
	tellers = alloc_workqueue("kreg_down", WQ_UNBOUND, 0);
	return tellers ? 0 : -ENOMEM;
}

void kreg_down_exit(void)
{
	destroy_workqueue(tellers);
}
