/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Scans: the objects of a table, fetched in portions. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define ROOM	65536

struct kreg_scan {
	struct kreg_table *table;
	unsigned int flags;
	unsigned int batch;
	bool more;
	char *buf;		/* fetched objects; @count are left, from offset @next on */
	size_t room;
	size_t next;
	unsigned int count;
	char *after;		/* key of the last object that was fetched */
	size_t after_len;
	struct kreg_process process;	/* with KREG_SCAN_OF */
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

static int open_scan(struct kreg_table *table, const struct kreg_scan_options *options,
		     struct kreg_scan **scan)
{
	struct kreg_scan_options o = { .size = sizeof(o) };
	struct kreg_scan *s;
	int ret;

	ret = options ? kreg_options_copy(&o, sizeof(o), options) : 0;
	if (ret)
		return ret;
	if (o.flags & ~(KREG_SCAN_KEYS | KREG_SCAN_PROCESSES))
		return -EOPNOTSUPP;
	if (o.after_len > KREG_MAX_KEY)
		return -ENAMETOOLONG;
	if (o.room > (1u << 30))
		return -EINVAL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->table = kreg_table_get(table);
	s->flags = o.flags | (o.process ? KREG_SCAN_OF : 0);
	if (o.process)
		s->process = *o.process;
	s->batch = o.batch;
	s->more = true;
	ret = set_after(s, o.after, o.after_len);
	if (!ret)
		ret = set_room(s, o.room ? (o.room + 7) & ~(size_t)7 : ROOM);
	if (ret) {
		kreg_scan_close(s);
		return ret;
	}
	*scan = s;
	return 0;
}

int kreg_scan_open(struct kreg_table *table, const struct kreg_scan_options *options,
		   struct kreg_scan **scan)
{
	int ret = kreg_fail_table(open_scan(table, options, scan), TRY_READ, table);

	return ret == -ENAMETOOLONG ? kreg_fail_sizes(ret, options->after_len, 0, 0) : ret;
}

void kreg_scan_close(struct kreg_scan *scan)
{
	if (!scan)
		return;
	kreg_table_close(scan->table);
	free(scan->buf);
	free(scan->after);
	free(scan);
}

/* The key to go on after is that of the last object, which the next fetch overwrites. */
static int remember_last(struct kreg_scan *s, unsigned int count)
{
	const struct kreg_object *obj = (const void *)s->buf;

	if (!count)
		return 0;
	while (--count)
		obj = (const void *)((const char *)obj + obj->size);
	return set_after(s, obj + 1, obj->key_len);
}

static int fetch(struct kreg_scan *s)
{
	struct kreg_ioc_scan io;
	int ret;

	for (;;) {
		io = (struct kreg_ioc_scan){
			.size = sizeof(io),
			.flags = s->flags,
			.table = s->table->id,
			.range.after = s->after_len ? kreg_ptr(s->after) : 0,
			.range.after_len = s->after_len,
			.max_count = s->batch,
			.process = s->process,
			.buf = kreg_ptr(s->buf),
			.buf_len = s->room,
		};
		ret = kreg_ioctl(s->table->client, KREG_IOC_SCAN, &io);
		if (ret != -EMSGSIZE)
			break;
		ret = set_room(s, (io.out_len + 7) & ~(size_t)7);
		if (ret)
			return ret;
	}
	if (!ret)
		ret = remember_last(s, io.out_count);
	if (ret)
		return ret;
	s->next = 0;
	s->count = io.out_count;
	s->more = io.out_more;
	return 0;
}

int kreg_scan_next(struct kreg_scan *scan, const struct kreg_object **object)
{
	struct kreg_object *obj;
	int ret;

	while (!scan->count) {
		if (!scan->more)
			return 0;
		ret = fetch(scan);
		if (ret)
			return kreg_fail_table(ret, TRY_READ, scan->table);
	}
	obj = (void *)(scan->buf + scan->next);
	if (scan->flags & KREG_SCAN_KEYS)
		obj->sub |= OBJECT_NO_VALUE;
	if (scan->flags & KREG_SCAN_PROCESSES)
		obj->sub |= OBJECT_PROCESS;
	*object = obj;
	scan->next += obj->size;
	scan->count--;
	return 1;
}
