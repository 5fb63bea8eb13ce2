// SPDX-License-Identifier: GPL-2.0
/*
 * A module that misbehaves on request, to prove that selftests/vm/run sees it:
 * insmod plant.ko what=KIND. Whether a kind is noticed depends on the kernel.
 */
#include <linux/bug.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/timer.h>

static char *what = "";
module_param(what, charp, 0);
MODULE_PARM_DESC(what, "what to do wrong: see plants[]");

static DEFINE_SPINLOCK(lock_a);
static DEFINE_SPINLOCK(lock_b);
static DEFINE_RAW_SPINLOCK(raw_lock);
static int thing;
static int __rcu *shared = (int __rcu *)&thing;
static int bits = 64;
static int raced;

static void plant_warn(void)
{
	WARN(1, "planted\n");
}

static void plant_oops(void)
{
	WRITE_ONCE(*(int *)8, 0);
}

/* Lockdep and RCU only print messages: they neither taint the kernel nor panic. */
static void plant_log(void)
{
	pr_info("WARNING: possible circular locking dependency (planted)\n");
}

/* Often enough that a checker which samples allocations gets one of them. */
static void plant_use_after_free(void)
{
	char *p;
	int i;

	for (i = 0; i < 1000; i++) {
		p = kmalloc(64, GFP_KERNEL);
		if (!p)
			return;
		kfree(p);
		OPTIMIZER_HIDE_VAR(p);
		WRITE_ONCE(p[8], i);
		usleep_range(1000, 2000);
	}
}

static void plant_leak(void)
{
	char *p = kmalloc(200, GFP_KERNEL);

	OPTIMIZER_HIDE_VAR(p);
}

static void plant_lock_inversion(void)
{
	spin_lock(&lock_a);
	spin_lock(&lock_b);
	spin_unlock(&lock_b);
	spin_unlock(&lock_a);
	spin_lock(&lock_b);
	spin_lock(&lock_a);
	spin_unlock(&lock_a);
	spin_unlock(&lock_b);
}

/* Would sleep in atomic context on a real-time kernel. */
static void plant_lock_nesting(void)
{
	raw_spin_lock(&raw_lock);
	spin_lock(&lock_a);
	spin_unlock(&lock_a);
	raw_spin_unlock(&raw_lock);
}

static void plant_rcu(void)
{
	READ_ONCE(*rcu_dereference(shared));
}

static void plant_sleep(void)
{
	spin_lock(&lock_a);
	kfree(kmalloc(64, GFP_KERNEL));
	spin_unlock(&lock_a);
}

static void plant_refcount(void)
{
	refcount_t count = REFCOUNT_INIT(0);

	WARN_ON(refcount_dec_and_test(&count));
}

static void plant_list(void)
{
	static LIST_HEAD(head);
	static struct list_head item;

	list_add(&item, &head);
	list_del(&item);
	list_del(&item);
}

static void never(struct timer_list *timer)
{
}

static void plant_object(void)
{
	struct timer_list *timer = kmalloc(sizeof(*timer), GFP_KERNEL);

	if (!timer)
		return;
	timer_setup(timer, never, 0);
	mod_timer(timer, jiffies + 1000 * HZ);
	kfree(timer);
}

static void plant_shift(void)
{
	OPTIMIZER_HIDE_VAR(bits);
	WRITE_ONCE(thing, 1 << bits);
}

static int racer(void *unused)
{
	while (!kthread_should_stop()) {
		raced++;
		cond_resched();
	}
	return 0;
}

static void plant_race(void)
{
	struct task_struct *threads[2];
	int i;

	for (i = 0; i < 2; i++)
		threads[i] = kthread_run(racer, NULL, "plant/%d", i);
	ssleep(5);
	for (i = 0; i < 2; i++)
		if (!IS_ERR(threads[i]))
			kthread_stop(threads[i]);
}

static const struct {
	const char *name;
	void (*plant)(void);
} plants[] = {
	{ "warn", plant_warn },
	{ "oops", plant_oops },
	{ "log", plant_log },
	{ "use-after-free", plant_use_after_free },
	{ "leak", plant_leak },
	{ "lock-inversion", plant_lock_inversion },
	{ "lock-nesting", plant_lock_nesting },
	{ "rcu", plant_rcu },
	{ "sleep", plant_sleep },
	{ "refcount", plant_refcount },
	{ "list", plant_list },
	{ "object", plant_object },
	{ "shift", plant_shift },
	{ "race", plant_race },
};

static int __init plant_init(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(plants); i++) {
		if (!strcmp(what, plants[i].name)) {
			plants[i].plant();
			return 0;
		}
	}
	return -EINVAL;
}

static void __exit plant_exit(void)
{
}

module_init(plant_init);
module_exit(plant_exit);
MODULE_DESCRIPTION("Planted faults for the self-test of the VM runner");
MODULE_LICENSE("GPL");
