// SPDX-License-Identifier: GPL-2.0
/*
 * Objects are written straight into the caller's buffer inside an RCU section, as far as its pages
 * are there; the next section starts behind the last object.
 */
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "client/client.h"
#include "client/proc.h"
#include "cmd/find.h"
#include "cmd/scan_take.h"
#include "cmd/scan_tail.h"
#include "cmd/usercopy.h"
#include "store/pin.h"
#include "store/write.h"
#include "table/bond.h"
#include "table/collect.h"
#include "table/table.h"

/* At most so much is taken in one RCU section. */
#define SECTION_OBJECTS	256U
#define SECTION_BYTES	(64U << 10)
#define SECTION_HIDDEN	1024U

/*
 * Why a section ended: no more objects, time for another, no room, a page, a blob; or some of what
 * was to be read may be gone, for which with a pin there is no remedy.
 */
enum stop { LAST, PAUSE, FULL, FAULT, BLOB, LOST };

/*
 * Write the header, @len bytes of key and value, and zeroes up to @size, behind which are
 * @tail bytes that belong to the object.
 */
static __always_inline int put_front(struct kreg_object __user *to, u32 size, u32 tail,
				     const struct kreg_hit *hit, u32 len, u32 sub)
{
	if (!user_write_access_begin(to, size))
		return -EFAULT;
	unsafe_put_user(0, (u64 __user *)((void __user *)to + size) - 1, fault);
	unsafe_put_user(size + tail, &to->size, fault);
	unsafe_put_user(hit->key_len, &to->key_len, fault);
	unsafe_put_user(hit->value_len, &to->value_len, fault);
	unsafe_put_user(sub, &to->sub, fault);
	unsafe_put_user(hit->version, &to->version, fault);
	kreg_put_opened((void __user *)(to + 1), hit->key, len, fault);
	user_write_access_end();
	return 0;

fault:
	user_write_access_end();
	return -EFAULT;
}

/* Write the object, without the value if a blob has that. Page faults are off. */
static __always_inline int put_object(const struct kreg_scan *s, const struct kreg_hit *hit,
				      u32 size, u32 tail, bool runs)
{
	u32 both = hit->key_len + hit->value_len, sub = runs ? kreg_hit_sub(hit) : 0;
	void __user *to = s->buf + s->len;
	int err;

	size -= tail;
	if (tail && kreg_scan_put_tail(s->arg, to + size, hit))
		return -EFAULT;
	if (likely(s->wants_value && both <= KREG_SHORT))
		return put_front(to, size, tail, hit, both, sub);
	err = put_front(to, size, tail, hit, hit->key_len, sub);
	if (err || !s->wants_value || hit->blob)
		return err;
	to += sizeof(struct kreg_object) + hit->key_len;
	return kreg_put_nofault(to, hit->value, hit->value_len);
}

static __always_inline u32 object_size(const struct kreg_scan *s, const struct kreg_hit *hit,
				       u32 tail)
{
	u32 value_len = s->wants_value ? hit->value_len : 0;

	return ALIGN(sizeof(struct kreg_object) + hit->key_len + value_len, 8) + tail;
}

/* Why the scan stops before an object of @size; LAST if it need not stop. */
static noinline enum stop why_too_much(struct kreg_scan *s, u32 size)
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

static noinline bool is_hidden(const struct kreg_scan *s, struct kreg_holder *holder)
{
	/* A process that is forgotten is not nobody, whose the object of a lease that ended is. */
	if (s->only && (!holder || !s->of || kreg_bond_whose(holder) != s->of))
		return true;
	return kreg_bond_hides(holder, s->client->proc);
}

/* The next one is behind this. */
static __always_inline void set_last(struct kreg_scan *s, const struct kreg_hit *hit, bool runs)
{
	s->last_key = hit->key;
	s->last_len = hit->key_len;
	if (!runs)
		return;
	s->last_version = hit->version;
	s->last_sub = kreg_hit_sub(hit);
}

/* In a run the one that was taken last is told of, which need not be the last there. */
static __always_inline void set_taken(struct kreg_scan *s, const struct kreg_hit *hit, bool runs)
{
	set_last(s, hit, runs);
	if (!runs)
		return;
	s->taken_version = s->last_version;
	s->taken_sub = s->last_sub;
}

/* Pass over an object that is hidden or another's; not too many in one section. */
static noinline enum stop pass_over(struct kreg_scan *s, const struct kreg_hit *hit)
{
	set_last(s, hit, s->runs);
	return ++s->hidden >= SECTION_HIDDEN ? PAUSE : LAST;
}

/* Take one object, with @tail bytes at its end. LAST if the walk can go on. */
static __always_inline enum stop take_object(struct kreg_scan *s, const struct kreg_hit *hit,
					     u32 tail, bool only, bool runs)
{
	u32 size = object_size(s, hit, tail);

	if ((only || unlikely(hit->holder)) && is_hidden(s, hit->holder))
		return pass_over(s, hit);
	if (unlikely(s->count == s->max_count || size > s->max_len - s->len)) {
		enum stop stop = why_too_much(s, size);

		if (stop != LAST)
			return stop;
	}
	if (unlikely(put_object(s, hit, size, tail, runs))) {
		s->fault = size;
		return FAULT;
	}
	/* If its process was reaped in between, it is told as nobody's, which it never was. */
	if (tail && hit->holder && is_hidden(s, hit->holder))
		return pass_over(s, hit);
	set_taken(s, hit, runs);
	s->count++;
	s->len += size;
	if (likely(!hit->blob || !s->wants_value))
		return LAST;
	kreg_blob_get(hit->blob);
	s->blob = hit->blob;
	s->blob_len = hit->value_len;
	return BLOB;
}

static void limit_section(struct kreg_scan *s, const struct kreg_table *t)
{
	const struct kreg_ioc_scan *arg = s->arg;

	s->runs = kreg_store_has_runs(&t->store);
	s->blob = NULL;
	s->start = s->len;
	s->hidden = 0;
	s->last_key = NULL;
	s->max_len = s->len + min(arg->buf_len - s->len, SECTION_BYTES);
	s->max_count = s->count + SECTION_OBJECTS;
	if (arg->max_count)
		s->max_count = min(s->max_count, arg->max_count);
}

/* Apart, so that other scans need not ask at each object. */
static noinline enum stop take_special(struct kreg_scan *s, struct kreg_walk *walk,
				       struct kreg_hit *hit)
{
	enum stop stop = LAST;

	while (stop == LAST && kreg_walk_next(walk, hit))
		stop = s->only || s->runs || s->tail != sizeof(struct kreg_process) ?
		       take_object(s, hit, s->tail, s->only, s->runs) :
		       take_object(s, hit, sizeof(struct kreg_process), false, false);
	return stop;
}

/* The next section goes on where the walk has come to. */
static noinline enum stop pause_walk(struct kreg_scan *s, const struct kreg_hit *hit)
{
	set_last(s, hit, s->runs);
	return PAUSE;
}

/* Where the next section goes on. */
static void remember_key(struct kreg_scan *s)
{
	if (!s->last_key)
		return;
	s->after.key.len = s->last_len;
	memcpy(s->key, s->last_key, s->last_len);
	s->after.version = s->last_version;
	s->after.sub = s->last_sub;
}

static enum stop take_some(struct kreg_scan *s, const struct kreg_table *t)
{
	struct kreg_walk walk;
	struct kreg_hit hit;
	enum stop stop = LAST;

	limit_section(s, t);
	kreg_walk_init(&walk, &t->store, s->pin);
	kreg_walk_limit(&walk, KREG_SECTION_PASSED);
	kreg_after_seek(&walk, &s->after);
	pagefault_disable();
	if (unlikely(s->tail || s->only || s->runs)) {
		stop = take_special(s, &walk, &hit);
	} else {
		while (stop == LAST && kreg_walk_next(&walk, &hit))
			stop = take_object(s, &hit, 0, false, false);
	}
	pagefault_enable();
	if (unlikely(walk.paused))
		stop = pause_walk(s, &hit);
	remember_key(s);
	return stop;
}

/* What a process has, by its bonds; each is looked up, as it may be another. False: by a walk. */
static noinline bool take_collected(struct kreg_scan *s, const struct kreg_table *t,
				    enum stop *stop)
{
	struct kreg_collected *c = s->collected;
	struct kreg_hit hit;
	unsigned int i;

	if (s->after.key.len)
		kreg_store_hash(&t->store, &s->after.key);
	if (!kreg_collect_of(t, s->of, &s->after.key, c))
		return false;
	limit_section(s, t);
	*stop = LAST;
	pagefault_disable();
	for (i = 0; *stop == LAST && i < c->n; i++)
		if (!kreg_store_get(&t->store, &c->keys[i], &hit))
			*stop = take_object(s, &hit, s->tail, true, false);
	pagefault_enable();
	remember_key(s);
	return true;
}

static enum stop count_object(struct kreg_scan *s, const struct kreg_hit *hit)
{
	if (unlikely(hit->holder || s->only) && is_hidden(s, hit->holder))
		return LAST;
	if (s->count == (s->arg->max_count ?: U32_MAX))
		return FULL;
	s->count++;
	return LAST;
}

static void measure_object(struct kreg_scan *s, const struct kreg_hit *hit)
{
	if (hit->holder && is_hidden(s, hit->holder))
		return;
	set_taken(s, hit, s->runs);
	s->count++;
	if (check_add_overflow(s->len, object_size(s, hit, s->tail), &s->len))
		s->len = U32_MAX;
}

/* The first section says as of which commit; those behind it go by that, as long as they can. */
static bool is_whole(struct kreg_scan *s, struct kreg_walk *walk)
{
	if (!s->version)
		s->version = walk->version;
	return kreg_walk_as_of(walk, s->version);
}

/* Whether each object is put as it is, and nothing else is done. */
static bool is_plain(const struct kreg_scan *s)
{
	return !(s->arg->flags & KREG_SCAN_COUNT || s->measures || s->tail || s->only || s->runs);
}

/* What a look-up does to an object that is met by a walk, but for one as of a pin. */
static noinline void note_expiry(struct kreg_scan *s, const struct kreg_hit *hit)
{
	if (!hit->holder || !is_hidden(s, hit->holder))
		s->expires = min(s->expires,
				 s->uses ? kreg_hit_use(hit) : kreg_hit_expires(hit));
}

static noinline enum stop take_otherwise(struct kreg_scan *s, const struct kreg_hit *hit)
{
	if (unlikely(s->asks))
		note_expiry(s, hit);
	if (s->arg->flags & KREG_SCAN_COUNT)
		return count_object(s, hit);
	if (s->measures) {
		measure_object(s, hit);
		return LAST;
	}
	return s->tail || s->only ? take_object(s, hit, s->tail, s->only, s->runs) :
				    take_object(s, hit, 0, false, true);
}

/* The same within a range, or backwards, or of their number alone. */
static noinline enum stop take_in_range(struct kreg_scan *s, const struct kreg_table *t)
{
	struct kreg_range_walk walk;
	enum kreg_range_step step;
	enum stop stop = LAST;
	struct kreg_hit hit;
	bool plain;

	limit_section(s, t);
	plain = is_plain(s);
	kreg_range_start(&walk, &t->store, s->pin, s->bounds, &s->after);
	if (s->whole && !is_whole(s, &walk.walk))
		return LOST;
	pagefault_disable();
	do {
		step = kreg_range_next(&walk, &hit);
		if (step == KREG_RANGE_FOUND)
			stop = plain ? take_object(s, &hit, 0, false, false) :
				       take_otherwise(s, &hit);
	} while (step == KREG_RANGE_FOUND && stop == LAST);
	pagefault_enable();
	if (step == KREG_RANGE_PAUSE)
		stop = pause_walk(s, &hit);
	if (s->whole && !kreg_walk_is_whole(&walk.walk))
		return LOST;
	remember_key(s);
	return stop;
}

static enum stop take_section(struct kreg_scan *s, const struct kreg_table *t)
{
	enum stop stop;

	if (unlikely(s->bounds))
		return take_in_range(s, t);
	return unlikely(s->collected) && take_collected(s, t, &stop) ? stop : take_some(s, t);
}

/* Write the value of the last object, which was left out in the section. */
static int put_blob(struct kreg_scan *s)
{
	u32 size = ALIGN(sizeof(struct kreg_object) + s->last_len + s->blob_len, 8) + s->tail;
	void __user *to = s->buf + s->len - size + sizeof(struct kreg_object) + s->last_len;
	int err;

	err = copy_to_user(to, kreg_blob_bytes(s->blob), s->blob_len) ? -EFAULT : 0;
	kreg_blob_put(s->blob);
	return err;
}

/* Do outside the section what could not be done inside it. */
static int finish_section(struct kreg_scan *s, enum stop stop)
{
	if (stop == LOST) {
		if (s->blob)
			kreg_blob_put(s->blob);
		return s->pin ? -ESTALE : -EAGAIN;
	}
	if (stop == BLOB)
		return put_blob(s);
	if (stop == FAULT && fault_in_safe_writeable(s->buf + s->len, s->fault))
		return -EFAULT;
	return 0;
}

/* RCU. The table, if one of its type can be scanned so. */
static int find_scanned(const struct kreg_scan *s, struct kreg_table **t)
{
	int err = kreg_find_readable(s->client, s->arg->table, t);

	if (!err && s->arg->flags & KREG_SCAN_REVERSE && !kreg_store_is_ordered(&(*t)->store))
		return -EOPNOTSUPP;
	return err;
}

/* The same as of the commit of a pin, as long as that lasts. */
static noinline enum stop take_pinned(struct kreg_scan *s, const struct kreg_table *t)
{
	enum stop stop;

	s->blob = NULL;
	if (!kreg_pin_enter(s->pin))
		return LOST;
	stop = take_section(s, t);
	return kreg_pin_held(s->pin) ? stop : LOST;
}

/* One section. 1: go on; 0: done; or an error. */
static int scan_section(struct kreg_scan *s)
{
	struct kreg_table *t;
	enum stop stop;
	int err;

	rcu_read_lock();
	err = find_scanned(s, &t);
	if (!err)
		stop = unlikely(s->pin) ? take_pinned(s, t) : take_section(s, t);
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

int kreg_scan_run(struct kreg_scan *s)
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
