// SPDX-License-Identifier: GPL-2.0
/*
 * Scans. Objects are gathered in a buffer of the kernel's inside an RCU section
 * and copied out after it; the next section starts behind the last key.
 */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "ops.h"
#include "table.h"
#include "uapi.h"

/* Takes any object whose value is not a blob. */
#define GATHER_SIZE	(16U << 10)

/* Why gathering stopped. */
enum stop { LAST, FLUSH, FULL, BLOB };

struct scan {
	struct kreg_client *client;
	struct kreg_ioc_scan *arg;
	u32 count;			/* objects taken, and bytes of them */
	u32 len;
	u32 gathered;			/* bytes in @buf that are not copied out yet */
	u32 need;			/* of the object that did not fit */
	u32 room;			/* size of @buf */
	struct kreg_blob *blob;		/* of the last object in @buf, whose value is to come */
	struct kreg_key after;
	u8 key[KREG_MAX_KEY];
	u8 buf[];
};

static bool wants_value(const struct scan *s)
{
	return !(s->arg->flags & KREG_SCAN_KEYS);
}

static u32 object_size(const struct scan *s, const struct kreg_hit *hit)
{
	u32 value_len = wants_value(s) ? hit->value_len : 0;

	return ALIGN(sizeof(struct kreg_object) + hit->key_len + value_len, 8);
}

/* Header, key and, if it is at hand, the value; returns the bytes. */
static u32 write_object(const struct scan *s, void *to, const struct kreg_hit *hit)
{
	struct kreg_object *o = to;
	u32 used = sizeof(*o) + hit->key_len;

	*o = (struct kreg_object) {
		.size = object_size(s, hit),
		.key_len = hit->key_len,
		.value_len = hit->value_len,
		.version = hit->version,
	};
	memcpy(o + 1, hit->key, hit->key_len);
	if (wants_value(s) && hit->blob)
		return used;
	if (wants_value(s)) {
		memcpy(to + used, hit->value, hit->value_len);
		used += hit->value_len;
	}
	memset(to + used, 0, o->size - used);
	return o->size;
}

/* One object more; LAST: there may be others. */
static enum stop gather_one(struct scan *s, const struct kreg_hit *hit)
{
	bool blob = hit->blob && wants_value(s);
	u32 size = object_size(s, hit);

	if (s->arg->max_count && s->count == s->arg->max_count)
		return FULL;
	if (size > s->arg->buf_len - s->len) {
		s->need = size;
		return FULL;
	}
	if (s->gathered && (blob || s->gathered + size > s->room))
		return FLUSH;
	s->gathered += write_object(s, s->buf + s->gathered, hit);
	s->count++;
	s->len += size;
	s->after.len = hit->key_len;
	memcpy(s->key, hit->key, hit->key_len);
	if (!blob)
		return LAST;
	kreg_blob_get(hit->blob);
	s->blob = hit->blob;
	return BLOB;
}

static enum stop gather(struct scan *s, const struct kreg_table *t)
{
	struct kreg_walk walk;
	struct kreg_hit hit;
	enum stop stop = LAST;

	if (s->after.len)
		kreg_store_hash(&t->store, &s->after);
	kreg_walk_start(&walk, &t->store, s->after.len ? &s->after : NULL);
	while (stop == LAST && kreg_walk_next(&walk, &hit))
		stop = gather_one(s, &hit);
	return stop;
}

/* Copy out what has been gathered, and the blob that belongs to its end. */
static int flush(struct scan *s)
{
	u32 total = s->len;
	void __user *user = u64_to_user_ptr(s->arg->buf) + s->arg->out_len;
	u32 left, value_len;
	int err = 0;

	if (copy_to_user(user, s->buf, s->gathered))
		err = -EFAULT;
	if (s->blob && !err) {
		value_len = ((struct kreg_object *)s->buf)->value_len;
		left = total - s->arg->out_len - s->gathered - value_len;
		user += s->gathered;
		if (copy_to_user(user, kreg_blob_bytes(s->blob), value_len) ||
		    clear_user(user + value_len, left))
			err = -EFAULT;
	}
	if (s->blob)
		kreg_blob_put(s->blob);
	s->blob = NULL;
	s->gathered = 0;
	s->arg->out_len = total;
	return err;
}

/* One section. 1: go on; 0: done; or an error. */
static int advance(struct scan *s)
{
	struct kreg_table *t;
	enum stop stop;
	int err;

	rcu_read_lock();
	err = kreg_ops_readable(s->client, s->arg->table, &t);
	if (!err)
		stop = gather(s, t);
	rcu_read_unlock();
	if (err == -EINPROGRESS)
		return kreg_ops_settle(s->client, s->arg->table) ?: 1;
	if (err)
		return err;
	err = flush(s);
	if (err)
		return err;
	s->arg->out_more = stop != LAST;
	if (fatal_signal_pending(current))
		return -EINTR;
	cond_resched();
	return stop == FLUSH || stop == BLOB;
}

static int run(struct scan *s)
{
	int ret;

	do {
		ret = advance(s);
	} while (ret > 0);
	s->arg->out_count = s->count;
	if (ret || s->count || !s->need)
		return ret;
	s->arg->out_len = s->need;
	return -EMSGSIZE;
}

static int check_scan(const struct kreg_ioc_scan *arg)
{
	if (arg->flags & ~KREG_SCAN_ALL || arg->reserved || arg->reserved2)
		return -EOPNOTSUPP;
	if (arg->buf % 8)
		return -EINVAL;
	return arg->key_len > KREG_MAX_KEY ? -ENAMETOOLONG : 0;
}

int kreg_uapi_scan(struct kreg_call *call)
{
	struct kreg_ioc_scan *arg = call->arg;
	struct scan *s;
	u32 room;
	int err = check_scan(arg);

	if (err)
		return err;
	room = clamp(ALIGN(arg->buf_len, 8), (u32)PAGE_SIZE, GATHER_SIZE);
	s = kmalloc(struct_size(s, buf, room), GFP_KERNEL_ACCOUNT);
	if (!s)
		return -ENOMEM;
	memset(s, 0, offsetof(struct scan, key));
	s->client = call->client;
	s->arg = arg;
	s->room = room;
	s->after.bytes = s->key;
	s->after.len = arg->key_len;
	arg->out_len = 0;
	arg->out_more = 0;
	if (copy_from_user(s->key, u64_to_user_ptr(arg->key), arg->key_len))
		err = -EFAULT;
	else
		err = run(s);
	kfree(s);
	if (!err || err == -EMSGSIZE)
		err = kreg_uapi_answer_from(call, struct kreg_ioc_scan, out_count) ?: err;
	return err;
}
