/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Readers: what anybody sees of anybody's keys is whole, not older than what must
 * be seen, not newer than what was written, and never goes back.
 */
#ifndef KREG_STRESS_READ_H
#define KREG_STRESS_READ_H

#include "kit/pin.h"
#include "stress/question.h"

#define MANY	8		/* reads of a batch */

/* A key to look at, and between which versions it may be. */
struct look {
	__u32 table;
	__u32 lane;
	__u32 index;
	__u32 lo;
	struct key key;
};

static inline __u32 lanes(void)
{
	return world->players * LANES;
}

static inline struct cell *any_cell(__u32 table, __u32 lane, __u32 index)
{
	return &world->lanes[lane].cells[table][index];
}

/* @lo was loaded before the key was looked up; 0: it was not there. */
static inline void judge(struct data *d, const struct look *l, __u32 version)
{
	__u32 hi = load(&any_cell(l->table, l->lane, l->index)->hi);
	__u32 *seen = &d->seen[l->table][l->lane][l->index];
	__u32 least = l->lo > *seen ? l->lo : *seen;

	tally(READS);
	/* Not there: as after a delete that is not older than that. */
	if (!version)
		version = least + present(least);
	if (version >= least && version <= hi)
		*seen = version;
	else
		complain("lane %u reads table %u lane %u key %u: version %u, seen %u, not in %u..%u",
			 d->number, l->table, l->lane, l->index, version,
			 *seen, l->lo, hi);
}

static inline void judge_value(struct data *d, const struct look *l,
			       const void *value, __u32 len)
{
	__u32 version = check_value(value, len, l->table, l->lane, l->index);

	if (version)
		judge(d, l, version);
	else
		complain("lane %u reads table %u lane %u key %u: a torn value of %u bytes",
			 d->number, l->table, l->lane, l->index, len);
}

static inline __u32 look_at(struct look *l, __u32 table, __u32 lane,
			    __u32 index)
{
	l->table = table;
	l->lane = lane;
	l->index = index;
	l->lo = load(&any_cell(table, lane, index)->lo);
	return make_key(&l->key, lane, index);
}

/* Returns the length of the value in the room, or -errno. */
static inline int get(struct data *d, struct look *l, __u32 key_len)
{
	int len = _test_get(d->fd, world->ids[l->table], &l->key, key_len,
			    d->room, VALUE_MAX);

	if (len >= 0)
		judge_value(d, l, d->room, len);
	else if (len == -ENODATA)
		judge(d, l, 0);
	else if (!out_of_memory(d->slot, len))
		complain("lane %u reads table %u lane %u key %u: %s", d->number,
			 l->table, l->lane, l->index, strerror(-len));
	return len;
}

static inline void read_one(struct data *d)
{
	struct look l;

	get(d, &l, look_at(&l, pick(d, KEPT), pick(d, lanes()),
			   pick(d, KEYS)));
}

/* A lane that writes its group just now, if there is one. */
static inline __u32 busy_lane(struct data *d, __u32 *table)
{
	__u32 i, n = lanes(), lane = pick(d, n);
	struct under_way *op;

	*table = pick(d, KEPT);
	for (i = 0; i < n; i++) {
		op = &world->lanes[(lane + i) % n].op;
		if (!load(&op->active) || op->count != GROUP ||
		    op->table >= KEPT)
			continue;
		*table = op->table;
		return (lane + i) % n;
	}
	return lane;
}

/* Of keys that are written together none is older than the one read before. */
static inline void read_group(struct data *d)
{
	__u32 table, lane = busy_lane(d, &table), newest = 0, i;
	struct value *v = (void *)d->room;
	struct look l;

	for (i = 0; i < GROUP / 2; i++) {
		if (get(d, &l, look_at(&l, table, lane, pick(d, GROUP))) < 0)
			continue;
		if (v->version < newest)
			complain("lane %u reads table %u lane %u: half a batch: %u after %u",
				 d->number, table, lane, v->version, newest);
		newest = v->version;
	}
}

static inline void read_many(struct data *d)
{
	static __thread struct look looks[MANY];
	struct kreg_op ops[MANY];
	__u32 table = pick(d, KEPT), i, len;
	int err;

	for (i = 0; i < MANY; i++) {
		len = look_at(&looks[i], table, pick(d, lanes()),
			      pick(d, KEYS));
		ops[i] = test_op_value(KREG_OP_GET, &looks[i].key, len,
				       d->room + i * VALUE_MAX, VALUE_MAX);
	}
	err = _test_batch(d->fd, world->ids[table], 0, ops, MANY, NULL);
	if (err) {
		if (!out_of_memory(d->slot, err))
			complain("lane %u: multi-get: %s", d->number,
				 strerror(-err));
		return;
	}
	for (i = 0; i < MANY; i++) {
		if (!ops[i].out_error)
			judge_value(d, &looks[i], d->room + i * VALUE_MAX,
				    ops[i].out_len);
		else if (ops[i].out_error == ENODATA)
			judge(d, &looks[i], 0);
		else if (!out_of_memory(d->slot, -(int)ops[i].out_error))
			complain("lane %u: multi-get: %s", d->number,
				 strerror(ops[i].out_error));
	}
}

/* Marks what was found in d->before, with a version that no key has. */
#define FOUND	(~0U)

static inline void scan_object(struct data *d, __u32 table, const struct question *q,
			       const struct kreg_object *o, bool values)
{
	const char *bytes = (const void *)(o + 1);
	/* Aligned, unlike in the buffer. */
	static __thread __u64 value[VALUE_MAX / 8];
	struct look l = { .table = table };

	if (!parse_key(bytes, o->key_len, &l.lane, &l.index)) {
		complain("lane %u scans table %u: a key of nobody", d->number,
			 table);
		return;
	}
	l.lo = d->before[l.lane][l.index];
	if (l.lo == FOUND) {
		complain("lane %u scans table %u: lane %u key %u comes twice",
			 d->number, table, l.lane, l.index);
		return;
	}
	d->before[l.lane][l.index] = FOUND;
	if (!values || o->value_len > VALUE_MAX)
		return;
	memcpy(value, bytes + o->key_len, o->value_len);
	judge_value(d, &l, value, o->value_len);
	if (q && !matches(q, table, l.lane, l.index, ((struct value *)value)->version))
		complain("lane %u scans table %u: lane %u key %u was not asked for", d->number,
			 table, l.lane, l.index);
}

/* What was there all the time, and asked for, must have been found. */
static inline void scan_end(struct data *d, __u32 table, const struct question *q)
{
	__u32 lane, index, lo;

	for (lane = 0; lane < lanes(); lane++)
		for (index = 0; index < KEYS; index++) {
			lo = d->before[lane][index];
			if (lo != FOUND && present(lo) &&
			    load(&any_cell(table, lane, index)->hi) == lo &&
			    (!q || matches(q, table, lane, index, lo)))
				complain("lane %u scans table %u: lane %u key %u is missing, version %u",
					 d->number, table, lane, index, lo);
		}
}

static inline void scan_begin(struct data *d, __u32 table)
{
	__u32 lane, index;

	for (lane = 0; lane < lanes(); lane++)
		for (index = 0; index < KEYS; index++)
			d->before[lane][index] =
				load(&any_cell(table, lane, index)->lo);
}

/* The table as it is now, or 0: it is full of pins, or there is no memory. */
static inline __u64 set_pin(struct data *d, __u32 table)
{
	__u64 pin;
	int err = _test_pin(d->fd, world->ids[table], 0, &pin);

	if (!err)
		return pin;
	if (err != -EDQUOT && !out_of_memory(d->slot, err))
		complain("lane %u pins table %u: %s", d->number, table, strerror(-err));
	return 0;
}

/* It may have ended, since somebody has needed the memory. */
static inline long end_pin(struct data *d, __u64 pin, long ret)
{
	int err = pin ? _test_cancel(d->fd, pin, 0) : 0;

	if (err && err != -ENOENT)
		complain("lane %u ends a pin: %s", d->number, strerror(-err));
	return pin && ret == -ESTALE ? 0 : ret;
}

/* Returns the objects in the table, or those that @q asks for; or -errno. */
static inline long scan_all(struct data *d, __u32 table, const struct question *q)
{
	bool values = !pick(d, q ? 2 : 4);
	struct kreg_ioc_scan cmd = {
		.flags = values ? 0 : KREG_SCAN_KEYS,
		.table = world->ids[table],
		.buf = test_ptr(d->room),
		.buf_len = values ? 2 * VALUE_MAX : 4096,
	};
	struct kreg_object *o;
	struct key last;
	long n = 0;
	__u32 i;
	int err;

	if (q)
		set_question(&cmd.range, q);
	scan_begin(d, table);
	cmd.pin = pick(d, 3) ? 0 : set_pin(d, table);
	do {
		err = _test_scan(d->fd, &cmd);
		if (err)
			return end_pin(d, cmd.pin, err);
		o = (void *)d->room;
		for (i = 0; i < cmd.out_count; i++) {
			scan_object(d, table, q, o, values);
			memcpy(&last, o + 1, o->key_len);
			cmd.range.after = test_ptr(&last);
			cmd.range.after_len = o->key_len;
			o = (void *)o + o->size;
		}
		n += cmd.out_count;
	} while (cmd.out_more);
	scan_end(d, table, q);
	tally(q ? ASKED : SCANS);
	return end_pin(d, cmd.pin, n);
}

/* How many match is no less than matched all the time, and no more than may have matched. */
static inline long count_matching(struct data *d, __u32 table, const struct question *q)
{
	struct kreg_ioc_scan cmd = { .flags = KREG_SCAN_COUNT, .table = world->ids[table] };
	__u32 lane, index, lo, least = 0, doubtful = 0;
	int err;

	set_question(&cmd.range, q);
	scan_begin(d, table);
	err = _test_scan(d->fd, &cmd);
	if (err)
		return err;
	for (lane = 0; lane < lanes(); lane++)
		for (index = 0; index < KEYS; index++) {
			lo = d->before[lane][index];
			if (load(&any_cell(table, lane, index)->hi) != lo)
				doubtful++;
			else if (present(lo) && matches(q, table, lane, index, lo))
				least++;
		}
	if (cmd.out_count < least || cmd.out_count > least + doubtful)
		complain("lane %u counts table %u: %u match, not %u to %u", d->number, table,
			 cmd.out_count, least, least + doubtful);
	tally(COUNTED);
	return 0;
}

static inline long search(struct data *d, __u32 table)
{
	static __thread struct question q;

	add_terms(d, &q, table, 0);
	return pick(d, 2) ? scan_all(d, table, &q) : count_matching(d, table, &q);
}

/* A wild table may be gone, or another by now; its objects are of one make. */
static inline void read_wild(struct data *d)
{
	__u32 which = pick(d, WILD), table = KEPT + which, index, version;
	__u64 id = load(&world->ids[table]);
	struct key key;
	int len;

	index = pick(d, KEYS);
	len = _test_get(d->fd, id, &key, make_key(&key, OWNERS_LANE, index),
			d->room, VALUE_MAX);
	if (len < 0) {
		if (len != -ENODATA && len != -ESTALE && id &&
		    !out_of_memory(d->slot, len))
			complain("lane %u reads table %u: %s", d->number, table,
				 strerror(-len));
		return;
	}
	version = check_value(d->room, len, table, OWNERS_LANE, index);
	if (d->wild_id[which] != id)
		d->wild_seen[which] = 0;
	if (!version || version < d->wild_seen[which])
		complain("lane %u reads table %u id %llu key %u: version %u after %u",
			 d->number, table, (unsigned long long)id, index,
			 version, d->wild_seen[which]);
	d->wild_id[which] = id;
	d->wild_seen[which] = version;
}

static inline void read_something(struct data *d)
{
	__u32 what = pick(d, 100), table;
	long err;

	if (what < 50) {
		read_one(d);
	} else if (what < 65) {
		read_group(d);
	} else if (what < 80) {
		read_many(d);
	} else if (what < 96) {
		read_wild(d);
	} else {
		table = pick(d, KEPT);
		err = what < 98 ? search(d, table) : scan_all(d, table, NULL);
		if (err < 0 && !out_of_memory(d->slot, err))
			complain("lane %u scans table %u: %s", d->number,
				 table, strerror(-err));
	}
}

#endif /* KREG_STRESS_READ_H */
