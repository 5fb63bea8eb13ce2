// SPDX-License-Identifier: GPL-2.0
/*
 * The model test as a module: it runs when it is loaded, and prints TAP to the kernel's
 * log, in lines that begin with "storetest: ".
 *
 *	insmod storetest.ko [permille=N] [plant=WHAT]
 *
 * permille: how many operations, in thousandths of the program "model". plant: see plant.c.
 */
#include <linux/module.h>

#include "model.h"

bool shim_held;
long shim_fail_in;
unsigned int shim_order = ~0u;
atomic_long_t shim_pieces;
u32 shim_hash_mask = ~0u;
bool shim_rcu_hold;
u64 shim_clock;

static unsigned long sections[SHIM_SECTIONS];
static unsigned long rcu_now = 1;
static u64 random_state = 0x9e3779b97f4a7c15;

static unsigned int permille = 20;
module_param(permille, uint, 0);
MODULE_PARM_DESC(permille, "of the operations that the test does in userspace");
static char *plant = "";
module_param(plant, charp, 0);
MODULE_PARM_DESC(plant, "mistake to make instead: see plant.c");

static bool fails(void)
{
	return shim_fail_in && !--shim_fail_in;
}

static void *counted(void *p)
{
	if (p)
		atomic_long_inc(&shim_pieces);
	return p;
}

void *shim_zalloc(size_t size)
{
	return fails() ? NULL : counted(kvzalloc(size, GFP_KERNEL));
}

void *shim_vmalloc(size_t size)
{
	return fails() ? NULL : counted(vzalloc(size));
}

void shim_free(const void *p)
{
	if (p)
		atomic_long_dec(&shim_pieces);
	kvfree(p);
}

void *shim_pages(unsigned int order)
{
	if (order > shim_order || fails())
		return NULL;
	return counted((void *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, order));
}

void shim_free_pages(void *p, unsigned int order)
{
	if (p)
		atomic_long_dec(&shim_pieces);
	free_pages((unsigned long)p, order);
}

void *shim_malloc(size_t size)
{
	return kvzalloc(size, GFP_KERNEL);
}

void shim_free_malloc(const void *p)
{
	kvfree(p);
}

void shim_enter(unsigned int section)
{
	sections[section] = rcu_now;
}

void shim_leave(unsigned int section)
{
	sections[section] = 0;
}

unsigned long shim_start_poll(void)
{
	return rcu_now++;
}

bool shim_poll(unsigned long cookie)
{
	unsigned int i;

	for (i = 0; i < SHIM_SECTIONS; i++)
		if (sections[i] && sections[i] <= cookie)
			return false;
	return !shim_rcu_hold;
}

/* Work runs in the kernel's own workers: give them a chance to. */
void shim_run_work(void)
{
	cond_resched();
}

u64 shim_random(void)
{
	u64 z = random_state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static int __init storetest_init(void)
{
	if (*plant)
		return plant_run(plant) ? 0 : -EINVAL;
	model_run(permille);
	return 0;
}

static void __exit storetest_exit(void)
{
}

module_init(storetest_init);
module_exit(storetest_exit);
MODULE_DESCRIPTION("The storage engine of kreg against a model");
MODULE_LICENSE("GPL");
