/* SPDX-License-Identifier: GPL-2.0 */
/*
 * In a module, what shim.h is in a process: the kernel itself, except for what the test
 * controls. Included before everything else (gcc -include).
 */
#ifndef KSHIM_H
#define KSHIM_H

#include <linux/atomic.h>
#include <linux/bug.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/random.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/siphash.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>

/* There is one thread, so a flag stands for the turn, and allocations may sleep under it. */
extern bool shim_held;

/* Allocation; shim_fail_in = n makes the n-th from now on fail, once. */
extern long shim_fail_in;
extern unsigned int shim_order;		/* allocations of a higher order fail */
extern atomic_long_t shim_pieces;
#define shim_allocated	atomic_long_read(&shim_pieces)

void *shim_zalloc(size_t size);
void *shim_vmalloc(size_t size);
void shim_free(const void *p);
void *shim_pages(unsigned int order);
void shim_free_pages(void *p, unsigned int order);
void *shim_malloc(size_t size);
void shim_free_malloc(const void *p);

/* Sections of readers, as in shim.h. */
#define SHIM_SECTIONS	8
extern u32 shim_hash_mask;
extern bool shim_rcu_hold;
extern u64 shim_clock;
void shim_enter(unsigned int section);
void shim_leave(unsigned int section);
unsigned long shim_start_poll(void);
bool shim_poll(unsigned long cookie);
void shim_run_work(void);
u64 shim_random(void);

static inline u32 shim_hash(const void *data, size_t len, const hsiphash_key_t *key)
{
	return hsiphash(data, len, key) & shim_hash_mask;
}

#ifndef KSHIM_KERNEL
#undef spin_lock
#define spin_lock(l)		((void)(l), shim_held = true)
#undef spin_unlock
#define spin_unlock(l)		((void)(l), shim_held = false)
#undef lockdep_is_held
#define lockdep_is_held(l)	((void)(l), shim_held)
#undef lockdep_assert_held
#define lockdep_assert_held(l)	WARN_ON(!lockdep_is_held(l))

#undef kzalloc
#define kzalloc(size, gfp)	((void)(gfp), shim_zalloc(size))
#undef kfree
#define kfree(p)		shim_free(p)
#undef __vmalloc
#define __vmalloc(size, gfp)	((void)(gfp), shim_vmalloc(size))
#undef vfree
#define vfree(p)		shim_free(p)
#undef __get_free_pages
#define __get_free_pages(gfp, order)	((void)(gfp), (unsigned long)shim_pages(order))
#undef free_pages
#define free_pages(p, order)	shim_free_pages((void *)(p), order)
#undef alloc_pages_exact
#define alloc_pages_exact(size, gfp)	((void)(gfp), shim_pages(get_order(size)))
#undef free_pages_exact
#define free_pages_exact(p, size)	shim_free_pages(p, get_order(size))

#undef ktime_get_coarse_ns
#define ktime_get_coarse_ns()	READ_ONCE(shim_clock)

#undef rcu_read_lock
#define rcu_read_lock()		shim_enter(0)
#undef rcu_read_unlock
#define rcu_read_unlock()	shim_leave(0)
#undef rcu_dereference
#define rcu_dereference(p)	READ_ONCE(p)
#undef rcu_dereference_protected
#define rcu_dereference_protected(p, c) \
	({ WARN_ON(!(c)); READ_ONCE(p); })
#define start_poll_synchronize_rcu	shim_start_poll
#define poll_state_synchronize_rcu	shim_poll
#define kreg_seed_init(s)	get_random_bytes(&(s)->key, sizeof((s)->key))
#define kreg_hash(bytes, len, s)	shim_hash(bytes, len, &(s)->key)

/* The functions of the C library that the model uses; shim_allocated does not count them. */
#define malloc(size)		shim_malloc(size)
#define calloc(n, size)		shim_malloc((size_t)(n) * (size))
#define free(p)			shim_free_malloc(p)
#endif /* KSHIM_KERNEL */

#endif /* KSHIM_H */
