/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Scans of ranges, and what they are to find: an array of keys, in order.
 */
#ifndef KREG_DATA_RANGE_H
#define KREG_DATA_RANGE_H

#include "kit/fixture.h"

#define MOST_KEYS	4096

struct key {
	__u32 len;
	__u8 bytes[KREG_MAX_KEY];
};

/* As they come out of a scan, or as they are to. */
struct keys {
	__u32 count;
	struct key key[MOST_KEYS];
};

/* A scan from one end to the other, in as many calls as it takes. */
struct query {
	__u32 flags;			/* KREG_SCAN_KEYS, KREG_SCAN_REVERSE */
	__u32 range;			/* KREG_RANGE_EXACT and the others */
	struct key low;
	struct key high;
	struct key after;
	__u32 room;			/* of each call; 0: plenty */
	__u32 max;
};

static inline struct key key_make(const void *bytes, __u32 len)
{
	struct key key = { .len = len };

	memcpy(key.bytes, bytes, len);
	return key;
}

#define KEY(text)	key_make(text, sizeof(text) - 1)

/* The order of keys, written in another way than in the module. */
static inline int key_order(const void *x, const void *y)
{
	const struct key *a = x, *b = y;
	__u32 i;

	for (i = 0; i < a->len && i < b->len; i++)
		if (a->bytes[i] != b->bytes[i])
			return a->bytes[i] < b->bytes[i] ? -1 : 1;
	return a->len == b->len ? 0 : a->len < b->len ? -1 : 1;
}

static inline void keys_sort(struct keys *k)
{
	qsort(k->key, k->count, sizeof(k->key[0]), key_order);
}

static inline bool keys_same(const struct keys *a, const struct keys *b)
{
	__u32 i;

	for (i = 0; i < a->count && i < b->count; i++)
		if (key_order(&a->key[i], &b->key[i]))
			return false;
	return a->count == b->count;
}

static inline bool key_begins(const struct key *key, const struct key *prefix)
{
	return key->len >= prefix->len && !memcmp(key->bytes, prefix->bytes, prefix->len);
}

/* Whether a key is in the range of @q, whatever @q.after is. */
static inline bool query_has(const struct query *q, const struct key *key)
{
	if (q->range & KREG_RANGE_EXACT)
		return !key_order(key, &q->low);
	if (q->range & KREG_RANGE_PREFIX)
		return key_begins(key, &q->low);
	if (q->low.len && key_order(key, &q->low) < (q->range & KREG_RANGE_LOW_OPEN ? 1 : 0))
		return false;
	return !q->high.len ||
	       key_order(key, &q->high) <= (q->range & KREG_RANGE_HIGH_OPEN ? -1 : 0);
}

/* What an ordered table with the keys @all, in order, answers. */
static inline void query_expect(const struct query *q, const struct keys *all, struct keys *found)
{
	bool back = q->flags & KREG_SCAN_REVERSE;
	__u32 i;

	found->count = 0;
	for (i = 0; i < all->count; i++) {
		const struct key *key = &all->key[back ? all->count - 1 - i : i];
		int order = q->after.len ? key_order(key, &q->after) : 0;

		if (q->after.len && (back ? order >= 0 : order <= 0))
			continue;
		if (query_has(q, key))
			found->key[found->count++] = *key;
	}
}

static inline __u64 key_ptr(const struct key *key)
{
	return key->len ? test_ptr(key->bytes) : 0;
}

static inline struct kreg_ioc_scan query_cmd(const struct query *q, __u64 table)
{
	return (struct kreg_ioc_scan) {
		.flags = q->flags,
		.table = table,
		.range.low = key_ptr(&q->low),
		.range.low_len = q->low.len,
		.range.high = key_ptr(&q->high),
		.range.high_len = q->high.len,
		.range.after = key_ptr(&q->after),
		.range.after_len = q->after.len,
		.range.flags = q->range,
		.max_count = q->max,
	};
}

/* Make the calls. Returns 0 or -errno; -E2BIG if there is no end. */
static inline int query_run(int fd, __u64 table, const struct query *q, struct keys *found)
{
	static __u64 room[1 << 17];
	struct query next = *q;
	struct kreg_ioc_scan cmd;
	int err;

	found->count = 0;
	do {
		const struct kreg_object *o = (void *)room;
		__u32 i;

		cmd = query_cmd(&next, table);
		cmd.buf = test_ptr(room);
		cmd.buf_len = q->room ? q->room : sizeof(room);
		err = _test_scan(fd, &cmd);
		if (err)
			return err;
		for (i = 0; i < cmd.out_count; i++, o = (void *)o + o->size) {
			if (found->count == MOST_KEYS)
				return -E2BIG;
			next.after = key_make(o + 1, o->key_len);
			found->key[found->count++] = next.after;
		}
	} while (cmd.out_more);
	return 0;
}

/* How many objects COUNT finds, or -errno. */
static inline long query_count(int fd, __u64 table, const struct query *q, __u32 *more)
{
	struct kreg_ioc_scan cmd = query_cmd(q, table);
	int err;

	cmd.flags = KREG_SCAN_COUNT | (q->flags & ~KREG_SCAN_KEYS);
	cmd.out_len = ~0U;
	err = _test_scan(fd, &cmd);
	if (err)
		return err;
	*more = cmd.out_more;
	return cmd.out_len ? -EBADMSG : (long)cmd.out_count;
}

#endif /* KREG_DATA_RANGE_H */
