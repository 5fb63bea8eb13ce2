/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Scans: the objects of a table, fetched in portions. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define ROOM	65536

/* Flags that the program may give; the others follow from what else it says. */
#define FLAGS	(KREG_SCAN_KEYS | KREG_SCAN_PROCESSES | KREG_SCAN_REVERSE | KREG_SCAN_EXPIRES)

struct kreg_scan {
	struct kreg_table *table;
	unsigned int flags;	/* of the next fetch: KREG_SCAN_REVERSE is the direction */
	unsigned int next_flag;	/* that of kreg_scan_next() */
	unsigned int batch;
	bool more;
	bool ended;		/* the program was told of the end in the direction of */
	unsigned int end_flag;
	char *buf;		/* fetched objects; @count are left, from offset @next on */
	size_t room;
	size_t next;
	unsigned int count;
	const struct kreg_object *last;	/* the one that was returned last, in @buf */
	char *after;		/* key of the one that was, before what is in @buf */
	size_t after_len;
	uint64_t after_version;	/* and where keys have several objects, which one it was */
	unsigned int after_number;
	struct kreg_process process;	/* with KREG_SCAN_OF */
	uint64_t pin;		/* its id, or 0; a child may have another one with that */
	uint64_t opener;	/* process whose pin it is: a number of fork.c */
	struct kreg_range range;	/* its keys are in @keys */
	char *keys;
	struct kreg_filter *filter;	/* a reference, or NULL */
};

static int set_after(struct kreg_scan *s, const void *key, size_t len)
{
	char *copy = realloc(s->after, len ? len : 1);

	if (!copy)
		return -ENOMEM;
	if (len)
		memcpy(copy, key, len);
	s->after = copy;
	s->after_len = len;
	return 0;
}

static int set_room(struct kreg_scan *s, size_t room)
{
	char *buf = realloc(s->buf, room);

	if (!buf)
		return -ENOMEM;
	s->buf = buf;
	s->room = room;
	return 0;
}

/* The scan keeps the keys, so the program need not. */
static int set_keys(struct kreg_scan *s, const struct kreg_scan_options *o)
{
	s->keys = malloc(o->low_len + o->high_len + 1);
	if (!s->keys)
		return -ENOMEM;
	if (o->low_len) {
		memcpy(s->keys, o->low, o->low_len);
		s->range.low = kreg_ptr(s->keys);
	}
	if (o->high_len) {
		memcpy(s->keys + o->low_len, o->high, o->high_len);
		s->range.high = kreg_ptr(s->keys + o->low_len);
	}
	return 0;
}

/* What the options of a range have wrong, or NULL. */
static const char *range_fault(const struct kreg_scan_options *o)
{
	bool alone = o->range & (KREG_RANGE_EXACT | KREG_RANGE_PREFIX);

	/* A lowest key without bytes, and a prefix of none, are those of all keys. */
	if (o->high && !o->high_len)
		return "the highest key is empty";
	if (alone && o->high_len)
		return "a prefix, or one key, does not go with a highest key";
	if (alone && o->range & (o->range - 1))
		return "a prefix, or one key, does not go with other flags of the range";
	if (!o->low && o->range & ~(unsigned int)KREG_RANGE_HIGH_OPEN)
		return "a flag of the range needs a lowest key";
	if (!o->high && o->range & KREG_RANGE_HIGH_OPEN)
		return "KREG_RANGE_HIGH_OPEN needs a highest key";
	if ((!o->low && o->low_len) || (!o->high && o->high_len) || (!o->after && o->after_len))
		return "a key has a length and is NULL";
	if ((o->after_version && !o->after_len) || (o->after_number && !o->after_version))
		return "a version goes with the key to go on after, and a number with the version";
	return o->range & KREG_RANGE_EXACT && !o->low_len ? "the key is empty" : NULL;
}

static int check_range(const struct kreg_scan_options *o)
{
	const char *fault = range_fault(o);

	if (fault)
		return kreg_cause(-EINVAL, fault);
	if (o->low_len > KREG_MAX_KEY || o->high_len > KREG_MAX_KEY ||
	    o->after_len > KREG_MAX_KEY)
		return -ENAMETOOLONG;
	return 0;
}

int kreg_scan_read_options(struct kreg_scan_options *o, const struct kreg_scan_options *options)
{
	int ret;

	*o = (struct kreg_scan_options){ .size = sizeof(*o) };
	ret = options ? kreg_options_copy(o, sizeof(*o), options) : 0;
	if (ret)
		return ret;
	if (o->flags & ~FLAGS || o->range & ~KREG_RANGE_ALL || o->reserved || o->reserved2)
		return kreg_cause(-EOPNOTSUPP, "a flag of the scan is not known");
	return check_range(o);
}

void kreg_scan_set_range(struct kreg_range *range, const struct kreg_scan_options *o)
{
	*range = (struct kreg_range){
		.low = o->low_len ? kreg_ptr(o->low) : 0,
		.low_len = o->low_len,
		.high = o->high_len ? kreg_ptr(o->high) : 0,
		.high_len = o->high_len,
		.after = o->after_len ? kreg_ptr(o->after) : 0,
		.after_len = o->after_len,
		.after_version = o->after_version,
		.after_sub = o->after_number,
		.flags = o->range,
	};
	if (!o->low_len)
		range->flags &= KREG_RANGE_HIGH_OPEN;
	kreg_filter_set(o->filter, range);
}

int kreg_scan_range_failed(int ret, enum attempt attempt, const struct kreg_table *table,
			   const struct kreg_scan_options *o)
{
	size_t len = 0;

	kreg_fail_table(ret, attempt, table);
	if (ret != -ENAMETOOLONG)
		return ret;
	if (o->after_len > KREG_MAX_KEY)
		len = o->after_len;
	else
		len = o->low_len > o->high_len ? o->low_len : o->high_len;
	return kreg_fail_sizes(ret, len, 0, 0);
}

static int range_failed(int ret, const struct kreg_table *table,
			const struct kreg_scan_options *o)
{
	return kreg_scan_range_failed(ret, o->pin ? TRY_PINNED : TRY_READ, table, o);
}

int kreg_scan_open(struct kreg_table *table, const struct kreg_scan_options *options,
		   struct kreg_scan **scan)
{
	struct kreg_scan_options o;
	struct kreg_scan *s;
	int ret = kreg_scan_read_options(&o, options);

	uint64_t pin = 0;

	if (!ret && o.room > (1u << 30))
		ret = kreg_cause(-EINVAL, "the scan has more than 1 GiB of room");
	if (!ret)
		ret = kreg_pin_id(o.pin, table, &pin);
	if (ret)
		return range_failed(ret, table, &o);
	s = calloc(1, sizeof(*s));
	if (!s)
		return range_failed(-ENOMEM, table, &o);
	s->table = kreg_table_get(table);
	s->flags = o.flags | (o.process ? KREG_SCAN_OF : 0);
	s->next_flag = o.flags & KREG_SCAN_REVERSE;
	if (o.process)
		s->process = *o.process;
	s->batch = o.batch;
	s->pin = pin;
	s->opener = kreg_process_number();
	s->filter = kreg_filter_get(o.filter);
	s->after_version = o.after_version;
	s->after_number = o.after_number;
	s->more = true;
	kreg_scan_set_range(&s->range, &o);
	ret = set_after(s, o.after, o.after_len);
	if (!ret)
		ret = set_keys(s, &o);
	if (!ret)
		ret = set_room(s, o.room ? (o.room + 7) & ~(size_t)7 : ROOM);
	if (ret) {
		kreg_scan_close(s);
		return range_failed(ret, table, &o);
	}
	*scan = s;
	return 0;
}

void kreg_scan_close(struct kreg_scan *scan)
{
	if (!scan)
		return;
	kreg_table_close(scan->table);
	free(scan->buf);
	free(scan->after);
	free(scan->keys);
	kreg_filter_free(scan->filter);
	free(scan);
}

/* The key to go on after is that of the last object, which the fetch overwrites. */
static int remember_last(struct kreg_scan *s)
{
	int ret = s->last ? set_after(s, s->last + 1, s->last->key_len) : 0;

	if (ret || !s->last)
		return ret;
	if (kreg_table_is_bag(s->table)) {
		s->after_version = s->last->version;
		s->after_number = kreg_object_number(s->last);
	}
	s->last = NULL;
	return 0;
}

static int fetch(struct kreg_scan *s)
{
	struct kreg_ioc_scan io;
	int ret = remember_last(s);

	if (!ret && s->pin && s->opener != kreg_process_number())
		ret = -ESTALE;
	while (!ret) {
		io = (struct kreg_ioc_scan){
			.size = sizeof(io),
			.flags = s->flags,
			.table = s->table->id,
			.range = s->range,
			.max_count = s->batch,
			.pin = s->pin,
			.process = s->process,
			.buf = kreg_ptr(s->buf),
			.buf_len = s->room,
		};
		io.range.after = s->after_len ? kreg_ptr(s->after) : 0;
		io.range.after_len = s->after_len;
		io.range.after_version = s->after_version;
		io.range.after_sub = s->after_number;
		ret = kreg_ioctl(s->table->client, KREG_IOC_SCAN, &io);
		if (ret != -EMSGSIZE)
			break;
		ret = set_room(s, (io.out_len + 7) & ~(size_t)7);
	}
	if (ret)
		return ret;
	s->next = 0;
	s->count = io.out_count;
	s->more = io.out_more;
	return 0;
}

/* What was fetched in the other direction is of no use any more. */
static int turn_round(struct kreg_scan *s)
{
	int ret = remember_last(s);

	if (ret)
		return ret;
	s->flags ^= KREG_SCAN_REVERSE;
	s->count = 0;
	s->more = true;
	return 0;
}

/* From there the other direction begins at the end of the range. */
static int tell_end(struct kreg_scan *s, unsigned int flag)
{
	s->ended = true;
	s->end_flag = flag;
	s->last = NULL;
	s->after_len = 0;
	s->after_version = 0;
	s->after_number = 0;
	return 0;
}

/* @flag: KREG_SCAN_REVERSE, or 0. */
static int move_scan(struct kreg_scan *s, unsigned int flag, const struct kreg_object **object)
{
	struct kreg_object *obj;
	int ret = 0;

	if ((s->flags & KREG_SCAN_REVERSE) != flag)
		ret = turn_round(s);
	while (!ret && !s->count) {
		if (!s->more || (s->ended && s->end_flag == flag))
			return tell_end(s, flag);
		ret = fetch(s);
	}
	if (ret)
		return ret;
	obj = (void *)(s->buf + s->next);
	if (s->flags & KREG_SCAN_KEYS)
		obj->sub |= OBJECT_NO_VALUE;
	if (s->flags & KREG_SCAN_PROCESSES)
		obj->sub |= OBJECT_PROCESS;
	if (s->flags & KREG_SCAN_EXPIRES)
		obj->sub |= OBJECT_EXPIRY;
	*object = obj;
	s->ended = false;
	s->last = obj;
	s->next += obj->size;
	s->count--;
	return 1;
}

static int scan_failed(int ret, const struct kreg_table *table, unsigned int flags, uint64_t pin)
{
	bool ordered = ret == -EOPNOTSUPP && flags & KREG_SCAN_REVERSE;

	return kreg_fail_table(ret, ordered ? TRY_ORDER : pin ? TRY_PINNED : TRY_READ, table);
}

int kreg_scan_next(struct kreg_scan *scan, const struct kreg_object **object)
{
	int ret = move_scan(scan, scan->next_flag, object);

	return scan_failed(ret, scan->table, scan->flags, scan->pin);
}

int kreg_scan_prev(struct kreg_scan *scan, const struct kreg_object **object)
{
	int ret = move_scan(scan, scan->next_flag ^ KREG_SCAN_REVERSE, object);

	return scan_failed(ret, scan->table, scan->flags, scan->pin);
}

int kreg_scan_count(struct kreg_table *table, const struct kreg_scan_options *options,
		    uint64_t *objects)
{
	struct kreg_ioc_scan io = {
		.size = sizeof(io), .flags = KREG_SCAN_COUNT, .table = table->id,
	};
	struct kreg_scan_options o;
	int ret = kreg_scan_read_options(&o, options);
	uint64_t pin;

	if (!ret)
		ret = kreg_pin_id(o.pin, table, &pin);
	if (ret)
		return range_failed(ret, table, &o);
	io.pin = pin;
	io.flags |= o.flags;
	if (o.process) {
		io.flags |= KREG_SCAN_OF;
		io.process = *o.process;
	}
	kreg_scan_set_range(&io.range, &o);
	ret = o.batch || o.room ? kreg_cause(-EINVAL, "a count goes with no batch and no room") :
	      kreg_ioctl(table->client, KREG_IOC_SCAN, &io);
	if (!ret)
		*objects = io.out_count;
	return scan_failed(ret, table, io.flags, io.pin);
}
