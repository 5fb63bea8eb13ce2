// SPDX-License-Identifier: GPL-2.0
/*
 * Scans. Objects are written straight into the caller's buffer inside an RCU
 * section, as far as its pages are there; the next section starts behind the last
 * key.
 */
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "client/client.h"
#include "client/proc.h"
#include "cmd/cmd.h"
#include "cmd/find.h"
#include "cmd/op.h"
#include "cmd/range.h"
#include "cmd/usercopy.h"
#include "store/gfp.h"
#include "store/store.h"
#include "table/bond.h"
#include "table/table.h"

/* At most so much is taken in one RCU section. */
#define SECTION_OBJECTS	256U
#define SECTION_BYTES	(64U << 10)
#define SECTION_HIDDEN	1024U

/* Why a section ended: no more objects, time for another, no room, a page, a blob. */
enum stop { LAST, PAUSE, FULL, FAULT, BLOB };

struct scan {
	struct kreg_client *client;
	struct kreg_ioc_scan *arg;
	void __user *buf;
	bool wants_value;
	u32 tail;			/* bytes at the end of each object */
	bool only;			/* what is bound to @of, */
	struct kreg_proc *of;		/* a reference; NULL: it is forgotten, and has nothing */
	struct kreg_bounds *bounds;	/* NULL: all objects, forwards, and not only how many */
	u32 count;			/* objects taken, and bytes of them */
	u32 len;
	u32 need;			/* bytes of the object that did not fit */
	u32 fault;			/* of the one that met a page that was not there */
	/* Of this section: */
	u32 start;			/* @len at its begin */
	u32 max_count;			/* what @count and @len may come to in it */
	u32 max_len;
	u32 hidden;			/* objects that were passed over in it, or only counted */
	const void *last_key;		/* of the object before the next, valid inside it */
	u32 last_len;
	struct kreg_blob *blob;		/* holds the value of that object, which is to come */
	u32 blob_len;
	struct kreg_key after;
	u8 key[KREG_MAX_KEY];
};

/*
 * Write the header, @len bytes of key and value, and zeroes up to @size, behind which are
 * @tail bytes that belong to the object.
 */
static __always_inline int put_front(struct kreg_object __user *to, u32 size, u32 tail,
				     const struct kreg_hit *hit, u32 len)
{
	if (!user_write_access_begin(to, size))
		return -EFAULT;
	unsafe_put_user(0, (u64 __user *)((void __user *)to + size) - 1, fault);
	unsafe_put_user(size + tail, &to->size, fault);
	unsafe_put_user(hit->key_len, &to->key_len, fault);
	unsafe_put_user(hit->value_len, &to->value_len, fault);
	unsafe_put_user(0, &to->sub, fault);
	unsafe_put_user(hit->version, &to->version, fault);
	kreg_put_opened((void __user *)(to + 1), hit->key, len, fault);
	user_write_access_end();
	return 0;

fault:
	user_write_access_end();
	return -EFAULT;
}

/* To whom the object is bound, as the caller names it. */
static noinline int put_process(struct kreg_process __user *to, const struct kreg_hit *hit)
{
	const struct kreg_proc *p = hit->holder ? kreg_bond_whose(hit->holder) : NULL;
	struct kreg_process whom = {};

	if (p)
		kreg_op_tell_process(p, &whom);
	return kreg_put_nofault(to, &whom, sizeof(whom));
}

/* Write the object, without the value if a blob has that. Page faults are off. */
static __always_inline int put_object(const struct scan *s, const struct kreg_hit *hit, u32 size,
				      u32 tail)
{
	void __user *to = s->buf + s->len;
	u32 both = hit->key_len + hit->value_len;
	int err;

	size -= tail;
	if (tail && put_process(to + size, hit))
		return -EFAULT;
	if (likely(s->wants_value && both <= KREG_SHORT))
		return put_front(to, size, tail, hit, both);
	err = put_front(to, size, tail, hit, hit->key_len);
	if (err || !s->wants_value || hit->blob)
		return err;
	to += sizeof(struct kreg_object) + hit->key_len;
	return kreg_put_nofault(to, hit->value, hit->value_len);
}

static __always_inline u32 object_size(const struct scan *s, const struct kreg_hit *hit,
				       u32 tail)
{
	u32 value_len = s->wants_value ? hit->value_len : 0;

	return ALIGN(sizeof(struct kreg_object) + hit->key_len + value_len, 8) + tail;
}

/* Why the scan stops before an object of @size; LAST if it need not stop. */
static noinline enum stop why_too_much(struct scan *s, u32 size)
{
	if (s->arg->max_count && s->count == s->arg->max_count)
		return FULL;
	if (size > s->arg->buf_len - s->len) {
		s->need = size;
		return FULL;
	}
	if (s->len != s->start)
		return PAUSE;
	/* The first object of a section may be longer than a section. */
	s->max_len = s->len + size;
	return LAST;
}

static noinline bool is_hidden(const struct scan *s, struct kreg_holder *holder)
{
	/* A process that is forgotten is not nobody, whose the object of a lease that ended is. */
	if (s->only && (!holder || !s->of || kreg_bond_whose(holder) != s->of))
		return true;
	return kreg_bond_hides(holder, s->client->proc);
}

/* Pass over an object that is hidden, another's, or outside; not too many in one section. */
static noinline enum stop pass_over(struct scan *s, const struct kreg_hit *hit)
{
	s->last_key = hit->key;
	s->last_len = hit->key_len;
	return ++s->hidden == SECTION_HIDDEN ? PAUSE : LAST;
}

/* Take one object, with @tail bytes at its end. LAST if the walk can go on. */
static __always_inline enum stop take_object(struct scan *s, const struct kreg_hit *hit,
					     u32 tail, bool only)
{
	u32 size = object_size(s, hit, tail);

	if ((only || unlikely(hit->holder)) && is_hidden(s, hit->holder))
		return pass_over(s, hit);
	if (unlikely(s->count == s->max_count || size > s->max_len - s->len)) {
		enum stop stop = why_too_much(s, size);

		if (stop != LAST)
			return stop;
	}
	if (unlikely(put_object(s, hit, size, tail))) {
		s->fault = size;
		return FAULT;
	}
	s->last_key = hit->key;
	s->last_len = hit->key_len;
	s->count++;
	s->len += size;
	if (likely(!hit->blob || !s->wants_value))
		return LAST;
	kreg_blob_get(hit->blob);
	s->blob = hit->blob;
	s->blob_len = hit->value_len;
	return BLOB;
}

static void limit_section(struct scan *s)
{
	const struct kreg_ioc_scan *arg = s->arg;

	s->start = s->len;
	s->hidden = 0;
	s->last_key = NULL;
	s->max_len = s->len + min(arg->buf_len - s->len, SECTION_BYTES);
	s->max_count = s->count + SECTION_OBJECTS;
	if (arg->max_count)
		s->max_count = min(s->max_count, arg->max_count);
}

/* Apart, so that other scans need not ask at each object. */
static noinline enum stop take_special(struct scan *s, struct kreg_walk *walk)
{
	struct kreg_hit hit;
	enum stop stop = LAST;

	while (stop == LAST && kreg_walk_next(walk, &hit))
		stop = s->only ? take_object(s, &hit, s->tail, true) :
				 take_object(s, &hit, sizeof(struct kreg_process), false);
	return stop;
}

/* Where the next section goes on. */
static void remember_key(struct scan *s)
{
	if (!s->last_key)
		return;
	s->after.len = s->last_len;
	memcpy(s->key, s->last_key, s->last_len);
}

static enum stop take_some(struct scan *s, const struct kreg_table *t)
{
	struct kreg_walk walk;
	struct kreg_hit hit;
	enum stop stop = LAST;

	limit_section(s);
	if (s->after.len)
		kreg_store_hash(&t->store, &s->after);
	kreg_walk_start(&walk, &t->store, s->after.len ? &s->after : NULL);
	pagefault_disable();
	if (unlikely(s->tail || s->only))
		stop = take_special(s, &walk);
	while (stop == LAST && kreg_walk_next(&walk, &hit))
		stop = take_object(s, &hit, 0, false);
	pagefault_enable();
	remember_key(s);
	return stop;
}

static enum stop count_object(struct scan *s, const struct kreg_hit *hit)
{
	if (unlikely(hit->holder || s->only) && is_hidden(s, hit->holder))
		return pass_over(s, hit);
	if (s->count == (s->arg->max_count ?: U32_MAX))
		return FULL;
	s->count++;
	return pass_over(s, hit);
}

/* The same within a range, or backwards, or of their number alone. */
static noinline enum stop take_in_range(struct scan *s, const struct kreg_table *t)
{
	bool counts = s->arg->flags & KREG_SCAN_COUNT;
	struct kreg_range_walk walk;
	enum stop stop = LAST;
	struct kreg_hit hit;
	bool outside;

	limit_section(s);
	kreg_range_start(&walk, &t->store, s->bounds, &s->after);
	pagefault_disable();
	while (stop == LAST && kreg_range_next(&walk, &hit, &outside)) {
		if (outside)
			stop = pass_over(s, &hit);
		else if (counts)
			stop = count_object(s, &hit);
		else
			stop = take_object(s, &hit, s->tail, s->only);
	}
	pagefault_enable();
	remember_key(s);
	return stop;
}

/* Write the value of the last object, which was left out in the section. */
static int put_blob(struct scan *s)
{
	u32 size = ALIGN(sizeof(struct kreg_object) + s->last_len + s->blob_len, 8) + s->tail;
	void __user *to = s->buf + s->len - size + sizeof(struct kreg_object) + s->last_len;
	int err;

	err = copy_to_user(to, kreg_blob_bytes(s->blob), s->blob_len) ? -EFAULT : 0;
	kreg_blob_put(s->blob);
	return err;
}

/* Do outside the section what could not be done inside it. */
static int finish_section(struct scan *s, enum stop stop)
{
	if (stop == BLOB)
		return put_blob(s);
	if (stop == FAULT && fault_in_safe_writeable(s->buf + s->len, s->fault))
		return -EFAULT;
	return 0;
}

/* RCU. The table, if one of its type can be scanned so. */
static int find_scanned(const struct scan *s, struct kreg_table **t)
{
	int err = kreg_find_readable(s->client, s->arg->table, t);

	if (!err && s->arg->flags & KREG_SCAN_REVERSE && !kreg_store_is_ordered(&(*t)->store))
		return -EOPNOTSUPP;
	return err;
}

/* One section. 1: go on; 0: done; or an error. */
static int scan_section(struct scan *s)
{
	struct kreg_table *t;
	enum stop stop;
	int err;

	rcu_read_lock();
	err = find_scanned(s, &t);
	if (!err)
		stop = unlikely(s->bounds) ? take_in_range(s, t) : take_some(s, t);
	rcu_read_unlock();
	if (err == -EINPROGRESS)
		return kreg_find_settle(s->client, s->arg->table) ?: 1;
	if (!err)
		err = finish_section(s, stop);
	if (err)
		return err;
	s->arg->out_more = stop != LAST;
	if (fatal_signal_pending(current))
		return -EINTR;
	cond_resched();
	return stop != LAST && stop != FULL;
}

static int run_scan(struct scan *s)
{
	int ret;

	do {
		ret = scan_section(s);
	} while (ret > 0);
	s->arg->out_count = s->count;
	s->arg->out_len = s->len;
	if (ret || s->count || !s->need)
		return ret;
	s->arg->out_len = s->need;
	return -EMSGSIZE;
}

/* It needs no room, and has nothing to put there. */
static bool counts_into_room(const struct kreg_ioc_scan *arg)
{
	return arg->flags & KREG_SCAN_COUNT &&
	       (arg->buf || arg->buf_len || arg->flags & (KREG_SCAN_KEYS | KREG_SCAN_PROCESSES));
}

static int check_scan(const struct kreg_ioc_scan *arg)
{
	bool of = arg->flags & KREG_SCAN_OF;

	if (arg->flags & ~KREG_SCAN_ALL || kreg_range_is_unknown(&arg->range) || arg->pin ||
	    arg->process.reserved)
		return -EOPNOTSUPP;
	if (arg->buf % 8 || of == kreg_cmd_no_process(&arg->process) || counts_into_room(arg) ||
	    kreg_range_is_wrong(&arg->range))
		return -EINVAL;
	return kreg_range_is_long(&arg->range) ? -ENAMETOOLONG : 0;
}

/* The key to go on after, and the bounds if there are any. */
static int get_range(struct scan *s)
{
	const struct kreg_range *r = &s->arg->range;
	struct kreg_bounds *b;

	s->after.bytes = s->key;
	s->after.len = r->after_len;
	if (copy_from_user(s->key, u64_to_user_ptr(r->after), r->after_len))
		return -EFAULT;
	if (!r->low_len && !r->high_len && !(s->arg->flags & (KREG_SCAN_COUNT | KREG_SCAN_REVERSE)))
		return 0;
	b = kreg_bounds_get(r, s->arg->flags & KREG_SCAN_REVERSE, &s->after);
	if (IS_ERR(b))
		return PTR_ERR(b);
	s->bounds = b;
	return 0;
}

static int find_of(struct scan *s)
{
	const struct kreg_process *of = &s->arg->process;
	struct kreg_proc *p;

	s->only = s->arg->flags & KREG_SCAN_OF;
	if (!s->only)
		return 0;
	p = kreg_proc_find_ever(of->pid, of->cookie);
	if (IS_ERR(p))
		return PTR_ERR(p);
	s->of = p;
	return 0;
}

int kreg_cmd_scan(struct kreg_call *call)
{
	struct kreg_ioc_scan *arg = call->arg;
	struct scan *s;
	int err = check_scan(arg) ?: kreg_client_check_mode(call->client, FMODE_READ);

	if (err)
		return err;
	s = kmalloc(sizeof(*s), KREG_GFP_USER);
	if (!s)
		return -ENOMEM;
	memset(s, 0, offsetof(struct scan, key));
	s->client = call->client;
	s->arg = arg;
	s->wants_value = !(arg->flags & KREG_SCAN_KEYS);
	s->tail = arg->flags & KREG_SCAN_PROCESSES ? sizeof(struct kreg_process) : 0;
	s->buf = u64_to_user_ptr(arg->buf);
	arg->out_more = 0;
	arg->out_reserved = 0;
	err = get_range(s) ?: find_of(s) ?: run_scan(s);
	kreg_proc_put(s->of);
	kfree(s->bounds);
	kfree(s);
	if (!err || err == -EMSGSIZE)
		err = kreg_cmd_answer_from(call, struct kreg_ioc_scan, out_count) ?: err;
	return err;
}
