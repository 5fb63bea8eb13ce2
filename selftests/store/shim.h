/* SPDX-License-Identifier: GPL-2.0 */
/*
 * As much of the kernel as the storage engine uses, for a process. Included before
 * everything else (gcc -include); the <linux/...> headers themselves are empty.
 */
#ifndef SHIM_H
#define SHIM_H

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef unsigned long long u64;
typedef long long s64;
typedef unsigned int gfp_t;

#define __rcu
#define ____cacheline_aligned	__attribute__((aligned(64)))
#define PAGE_SHIFT		12
#define PAGE_SIZE		(1ul << PAGE_SHIFT)
#define ALIGN(x, a)		(((x) + (a) - 1) / (a) * (a))
#define PAGE_ALIGN(x)		ALIGN(x, PAGE_SIZE)
#define get_order(size)		((unsigned int)__builtin_ctzl(size) - PAGE_SHIFT)
#define likely(x)		__builtin_expect(!!(x), 1)
#define unlikely(x)		__builtin_expect(!!(x), 0)
#define noinline		__attribute__((__noinline__))
#define __aligned(x)		__attribute__((aligned(x)))
#define __force
#define cpu_to_be64(x)		__builtin_bswap64(x)
#define check_add_overflow(a, b, d)	__builtin_add_overflow(a, b, d)
#define S64_MAX			INT64_MAX
#define S64_MIN			INT64_MIN
#define ERESTARTNOHAND		514
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define max(a, b)		((a) > (b) ? (a) : (b))
#define min(a, b)		((a) < (b) ? (a) : (b))
#define max_t(t, a, b)		max((t)(a), (t)(b))
#define min_t(t, a, b)		min((t)(a), (t)(b))
#define swap(a, b) \
	do { __typeof__(a) a_ = (a); (a) = (b); (b) = a_; } while (0)
#define container_of(p, t, m)	((t *)((char *)(p) - offsetof(t, m)))

/* A warning is a failure. */
void shim_warn(const char *what, const char *file, int line);
#define WARN_ON(c) \
	({ bool c_ = (c); if (c_) shim_warn(#c, __FILE__, __LINE__); c_; })
#define WARN_ON_ONCE(c)		WARN_ON(c)
#define BUILD_BUG_ON_INVALID(c)	((void)sizeof((long)(c)))

/* Memory order. */
#define READ_ONCE(x)		__atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, v)	__atomic_store_n(&(x), v, __ATOMIC_RELAXED)
#define data_race(x)		READ_ONCE(x)	/* the races are explained where it is used */
#define smp_load_acquire(p)	__atomic_load_n(p, __ATOMIC_ACQUIRE)
#define smp_store_release(p, v)	__atomic_store_n(p, v, __ATOMIC_RELEASE)
#define smp_rmb()		__atomic_thread_fence(__ATOMIC_ACQUIRE)
#define smp_wmb()		__atomic_thread_fence(__ATOMIC_RELEASE)
#define smp_mb()		__atomic_thread_fence(__ATOMIC_SEQ_CST)

/* Allocation; shim_fail_in = n makes the n-th from now on fail, once. */
#define GFP_KERNEL_ACCOUNT	0x1u
#define __GFP_ZERO		0x2u
#define __GFP_NOWARN		0x4u
#define __GFP_NORETRY		0x8u
#define __GFP_RETRY_MAYFAIL	0x10u
#define __GFP_HIGH		0x20u
extern long shim_fail_in;
extern long shim_allocated;		/* pieces that are not freed yet */
extern unsigned int shim_order;		/* allocations of a higher order fail */
void *shim_alloc(size_t size, size_t align);
void *shim_pages(unsigned int order);
void shim_free(void *p);
#define kzalloc(size, gfp)	((void)(gfp), shim_alloc(size, 16))
#define kfree(p)		shim_free(p)
#define __vmalloc(size, gfp)	shim_alloc(size, 16)
#define vfree(p)		shim_free(p)
#define is_vmalloc_addr(p)	((void)(p), false)
#define __get_free_pages(gfp, order) \
	((void)(gfp), (unsigned long)shim_pages(order))
#define free_pages(p, order)	((void)(order), shim_free((void *)(p)))
#define PAGE_ALLOC_COSTLY_ORDER	3
#define alloc_pages_exact(size, gfp) \
	((void)(gfp), shim_pages(get_order(size)))
#define free_pages_exact(p, size)	shim_free(p)

/* In free slots only link and limbo may be accessed; the rest is poisoned. */
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#define kreg_slots_unpoison(base, bytes)	__asan_unpoison_memory_region(base, bytes)
#define kreg_slots_poison(base, size, bytes) \
	__asan_poison_memory_region((u8 *)(base) + 8, (bytes) - 8)
#else
#define kreg_slots_unpoison(base, bytes)		((void)(base))
#define kreg_slots_poison(base, size, bytes)	((void)(base))
#endif
/* Of a slot that may be free: the poison is not looked at. */
#define kreg_slot_peek(word)	shim_peek(&(word), sizeof(word))
u64 shim_peek(const void *p, size_t size);

#define kreg_slot_poison(slot, size)	kreg_slots_poison(slot, size, size)
#define kreg_slot_unpoison(slot, size)	kreg_slots_unpoison(slot, size)

/* Tells whether there is another byte, but not where. */
static inline const void *memchr_inv(const void *p, int c, size_t n)
{
	const u8 *b = p;

	return n && (*b != c || memcmp(b, b + 1, n - 1)) ? b : NULL;
}

/* The clock, which stands still unless the test moves it. */
extern u64 shim_clock;
#define ktime_get_coarse_ns()	READ_ONCE(shim_clock)
#define NSEC_PER_MSEC		1000000L

/* Lists. */
struct list_head {
	struct list_head *next, *prev;
};

static inline void INIT_LIST_HEAD(struct list_head *h)
{
	h->next = h;
	h->prev = h;
}

static inline bool list_empty(const struct list_head *h)
{
	return h->next == h;
}

static inline void list_add(struct list_head *e, struct list_head *h)
{
	e->next = h->next;
	e->prev = h;
	h->next->prev = e;
	h->next = e;
}

static inline void list_add_tail(struct list_head *e, struct list_head *h)
{
	list_add(e, h->prev);
}

static inline void list_del(struct list_head *e)
{
	e->next->prev = e->prev;
	e->prev->next = e->next;
	e->next = NULL;
	e->prev = NULL;
}

static inline void list_move(struct list_head *e, struct list_head *h)
{
	list_del(e);
	list_add(e, h);
}

static inline void list_move_tail(struct list_head *e, struct list_head *h)
{
	list_del(e);
	list_add_tail(e, h);
}

static inline void list_splice_init(struct list_head *from, struct list_head *h)
{
	if (list_empty(from))
		return;
	from->prev->next = h->next;
	h->next->prev = from->prev;
	h->next = from->next;
	from->next->prev = h;
	INIT_LIST_HEAD(from);
}

#define list_entry(p, t, m)	container_of(p, t, m)
#define list_first_entry(h, t, m)	list_entry((h)->next, t, m)
#define list_last_entry(h, t, m)	list_entry((h)->prev, t, m)
#define list_first_entry_or_null(h, t, m) \
	(list_empty(h) ? NULL : list_first_entry(h, t, m))
#define list_for_each_entry(p, h, m) \
	for (p = list_entry((h)->next, __typeof__(*p), m); &p->m != (h); \
	     p = list_entry(p->m.next, __typeof__(*p), m))
#define list_for_each_entry_reverse(p, h, m) \
	for (p = list_entry((h)->prev, __typeof__(*p), m); &p->m != (h); \
	     p = list_entry(p->m.prev, __typeof__(*p), m))
#define list_next_entry(p, m)	list_entry((p)->m.next, __typeof__(*(p)), m)
#define list_is_singular(h)	((h)->next != (h) && (h)->next == (h)->prev)
#define list_is_last(p, h)	((p)->next == (h))
#define list_for_each_entry_continue(p, h, m) \
	for (p = list_next_entry(p, m); &p->m != (h); p = list_next_entry(p, m))
#define list_for_each_entry_safe(p, n, h, m) \
	for (p = list_entry((h)->next, __typeof__(*p), m), \
	     n = list_entry(p->m.next, __typeof__(*p), m); &p->m != (h); \
	     p = n, n = list_entry(n->m.next, __typeof__(*p), m))

struct llist_node {
	struct llist_node *next;
};

struct llist_head {
	struct llist_node *first;
};

static inline bool llist_add(struct llist_node *n, struct llist_head *h)
{
	n->next = READ_ONCE(h->first);
	while (!__atomic_compare_exchange_n(&h->first, &n->next, n, false,
					    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		;
	return !n->next;
}

static inline struct llist_node *llist_del_all(struct llist_head *h)
{
	return __atomic_exchange_n(&h->first, NULL, __ATOMIC_SEQ_CST);
}

#define llist_entry_safe(l, t, m) \
	({ struct llist_node *l_ = (l); l_ ? container_of(l_, t, m) : NULL; })
#define llist_for_each_entry_safe(p, n, l, m) \
	for (p = llist_entry_safe(l, __typeof__(*p), m); \
	     p && (n = llist_entry_safe(p->m.next, __typeof__(*p), m), true); \
	     p = n)

/* References, locks, work. */
typedef struct {
	int refs;
} refcount_t;

#define refcount_set(r, n)	WRITE_ONCE((r)->refs, n)
#define refcount_inc(r) \
	((void)WARN_ON(!__atomic_fetch_add(&(r)->refs, 1, __ATOMIC_RELAXED)))
#define refcount_dec_and_test(r) \
	(!__atomic_sub_fetch(&(r)->refs, 1, __ATOMIC_ACQ_REL))

typedef struct {
	long n;
} atomic_long_t;

#define atomic_long_add(by, a)	__atomic_fetch_add(&(a)->n, by, __ATOMIC_RELAXED)
#define atomic_long_sub(by, a)	__atomic_fetch_sub(&(a)->n, by, __ATOMIC_RELAXED)
#define atomic_long_read(a)	READ_ONCE((a)->n)

typedef struct {
	pthread_mutex_t mutex;
	bool held;
} spinlock_t;

#define DEFINE_SPINLOCK(l)	spinlock_t l = { PTHREAD_MUTEX_INITIALIZER, false }

static inline void spin_lock(spinlock_t *l)
{
	pthread_mutex_lock(&l->mutex);
	l->held = true;
}

static inline void spin_unlock(spinlock_t *l)
{
	l->held = false;
	pthread_mutex_unlock(&l->mutex);
}

#define lockdep_is_held(l)	((l)->held)
#ifdef KREG_DEBUG
#define lockdep_assert_held(l)	WARN_ON(!lockdep_is_held(l))
#define shim_warn_on(c)		WARN_ON(c)
#else	/* as in a kernel without lockdep */
#define lockdep_assert_held(l)	do { } while (0)
#define shim_warn_on(c)		BUILD_BUG_ON_INVALID(c)
#endif

struct work_struct {
	void (*func)(struct work_struct *work);
	struct work_struct *next;
	bool pending;
};

#define INIT_WORK(w, f)		((w)->func = (f))
#define system_unbound_wq	0
#define queue_work(wq, w)	shim_queue_work(w)
#define cond_resched()		do { } while (0)
void shim_queue_work(struct work_struct *w);
void shim_run_work(void);
#define flush_work(w)		shim_run_work()

/*
 * RCU: a reader's section is a number in an array, larger than those of earlier ones. A
 * grace period is over when no number from before its start is left, unless the test
 * delays it (shim_rcu_hold).
 */
#define SHIM_SECTIONS	8
struct shim_section {
	unsigned long since ____cacheline_aligned;
};

extern struct shim_section shim_sections[SHIM_SECTIONS];
extern _Thread_local unsigned int shim_self;
extern bool shim_rcu_hold;
void shim_enter(unsigned int section);
void shim_leave(unsigned int section);
unsigned long start_poll_synchronize_rcu(void);
bool poll_state_synchronize_rcu(unsigned long cookie);
#define rcu_read_lock()		shim_enter(shim_self)
#define rcu_read_unlock()	shim_leave(shim_self)
#define rcu_dereference(p)	__atomic_load_n(&(p), __ATOMIC_CONSUME)
#define rcu_assign_pointer(p, v)	smp_store_release(&(p), v)
#define RCU_INIT_POINTER(p, v)	WRITE_ONCE(p, v)
#define rcu_dereference_protected(p, c) \
	({ (void)shim_warn_on(!(c)); READ_ONCE(p); })

/* The hash; shim_hash_mask makes keys collide. */
typedef struct {
	u64 key[2];
} hsiphash_key_t;

extern u32 shim_hash_mask;
u32 hsiphash(const void *data, size_t len, const hsiphash_key_t *key);
#define kreg_seed_init(s)		get_random_bytes(&(s)->key, sizeof((s)->key))
#define kreg_hash(bytes, len, s)	hsiphash(bytes, len, &(s)->key)
void get_random_bytes(void *p, size_t n);
void shim_seed(u64 seed);
u64 shim_random(void);

#endif /* SHIM_H */
