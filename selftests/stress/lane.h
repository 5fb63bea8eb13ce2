/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Lanes: threads that write their own keys in the kept tables, and keep a journal
 * of it that outlives them.
 */
#ifndef KREG_STRESS_LANE_H
#define KREG_STRESS_LANE_H

#include "stress/value.h"

#define ROOM	(1 << 20)	/* for the values of a batch */

struct data {
	struct slot *slot;
	struct lane *lane;
	__u32 number;			/* of the lane */
	int fd;
	__u64 random;
	char *room;
	bool unsynced[KEPT];		/* has accepted writes not yet waited for */
	/* For the reader: the newest version it has seen of each key. */
	__u32 seen[KEPT][ALL_LANES][KEYS];
	__u32 before[ALL_LANES][KEYS];
	__u32 wild_seen[WILD];
	__u64 wild_id[WILD];
};

static inline __u32 pick(struct data *d, __u32 n)
{
	return choose(&d->random, n);
}

static inline bool present(__u32 version)
{
	return version & 1;
}

static inline __u32 next_put(__u32 version)
{
	return (version + 1) | 1;
}

static inline __u32 next_delete(__u32 version)
{
	return (version + 2) & ~1U;
}

static inline struct cell *cell_of(struct data *d, __u32 table, __u32 key)
{
	return &d->lane->cells[table][key];
}

/* What the lane wants to write; the versions that are odd are put. */
static inline void plan(struct data *d, __u32 table, __u32 key, __u32 version)
{
	struct under_way *op = &d->lane->op;

	if (op->table != table)
		op->count = 0;
	op->table = table;
	op->key[op->count] = key;
	op->old[op->count] = cell_of(d, table, key)->now;
	op->new[op->count] = version;
	op->count++;
}

static inline void begin(struct data *d)
{
	struct under_way *op = &d->lane->op;
	__u32 i;

	store(&op->active, 1);
	for (i = 0; i < op->count; i++)
		store(&cell_of(d, op->table, op->key[i])->hi, op->new[i]);
}

/* Everything accepted for the table before has been applied. */
static inline void catch_up(struct data *d, __u32 table)
{
	struct cell *cell;
	__u32 key;

	for (key = 0; key < KEYS && d->unsynced[table]; key++) {
		cell = cell_of(d, table, key);
		store(&cell->lo, cell->now);
	}
	d->unsynced[table] = false;
}

static inline void end(struct data *d, bool done, bool async)
{
	struct under_way *op = &d->lane->op;
	struct cell *cell;
	__u32 i;

	for (i = 0; i < op->count; i++) {
		cell = cell_of(d, op->table, op->key[i]);
		if (done) {
			store(&cell->now, op->new[i]);
			if (!async)
				store(&cell->lo, op->new[i]);
		} else {
			store(&cell->hi, op->old[i]);
		}
	}
	if (done && async)
		d->unsynced[op->table] = true;
	else if (done)
		catch_up(d, op->table);
	store(&op->active, 0);
	op->count = 0;
	op->each = false;
}

/* More than the memory cgroup allows; the kernel kills who has it, unless he is exempt. */
static inline void overfill(void)
{
	size_t size = 4 << 20;
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return;
	memset(p, 1, size);
	munmap(p, size);
}

/*
 * Little memory, and now none: that must have changed nothing. Nobody is killed for what the
 * module asks for, so it takes memory of one's own to die of it.
 */
static inline bool out_of_memory(struct slot *slot, int err)
{
	if (err != -ENOMEM || !slot->limited)
		return false;
	tally(NOMEMS);
	if (!slot->oom_exempt)
		overfill();
	test_pause_ms(test_scale(300));
	return true;
}

static inline void sync_lane(struct data *d)
{
	int err = _test_sync(d->fd);
	__u32 table;

	if (err && !out_of_memory(d->slot, err))
		complain("lane %u: SYNC: %s", d->number, strerror(-err));
	for (table = 0; table < KEPT && !err; table++)
		catch_up(d, table);
}

/* The writes that were planned, as operations; keys and values go to the room. */
static inline void build(struct data *d, struct kreg_op *ops, struct key *keys)
{
	struct under_way *op = &d->lane->op;
	char *room = d->room;
	__u32 i, len;

	for (i = 0; i < op->count; i++) {
		if (room + VALUE_MAX > d->room + ROOM)
			break;
		len = make_key(&keys[i], d->number, op->key[i]);
		ops[i] = test_op(KREG_OP_DELETE, &keys[i], len);
		if (!present(op->new[i]))
			continue;
		len = make_value(room, op->table, d->number, op->key[i],
				 op->new[i]);
		ops[i].code = KREG_OP_PUT;
		ops[i].value = test_ptr(room);
		ops[i].value_len = len;
		room += (len + 7) & ~7U;
	}
	op->count = i;
}

/* How many of the writes replaced or removed something. */
static inline void check_counts(struct data *d, const struct kreg_op *ops)
{
	struct under_way *op = &d->lane->op;
	__u32 i;

	for (i = 0; i < op->count; i++)
		if (ops[i].out_error || ops[i].out_count != present(op->old[i]))
			complain("lane %u table %u key %u: write of version %u over %u replaced %u, errno %u",
				 d->number, op->table, op->key[i], op->new[i],
				 op->old[i], ops[i].out_count,
				 ops[i].out_error);
}

static inline void outcome(struct data *d, int err, int expected, bool async,
			   const struct kreg_op *ops)
{
	struct under_way *op = &d->lane->op;

	if (err != expected && !(async && err == -EAGAIN) &&
	    !out_of_memory(d->slot, err))
		complain("lane %u table %u key %u: %u writes: %s, not %s",
			 d->number, op->table, op->key[0], op->count,
			 strerror(-err), strerror(-expected));
	if (!err && !async)
		check_counts(d, ops);
	end(d, !err, async);
	if (!err)
		tally(async ? ASYNC : WRITES);
	else if (async && err == -EAGAIN)
		sync_lane(d);
}

/* One write of what was planned. */
static inline void write_one(struct data *d, bool async, bool new)
{
	struct under_way *op = &d->lane->op;
	int expected = new && present(op->old[0]) ? -EEXIST : 0;
	struct kreg_op ops[1];
	struct key key;
	int err;

	build(d, ops, &key);
	if (new)
		ops[0].flags = KREG_OP_NEW;
	begin(d);
	err = _test_op(d->fd, world->ids[op->table],
		       async ? KREG_WRITE_ASYNC : 0, ops);
	outcome(d, err, expected, async, ops);
}

static inline void write_batch(struct data *d, bool async, bool atomic,
			       bool new)
{
	static __thread struct kreg_op ops[KEYS];
	static __thread struct key keys[KEYS];
	struct under_way *op = &d->lane->op;
	int expected = 0, err;
	__u32 i;

	build(d, ops, keys);
	for (i = 0; i < op->count && new; i++) {
		if (!present(op->new[i]))
			continue;
		ops[i].flags = KREG_OP_NEW;
		if (present(op->old[i]))
			expected = -EEXIST;
	}
	begin(d);
	err = _test_batch(d->fd, world->ids[op->table],
			  (async ? KREG_WRITE_ASYNC : 0) |
			  (atomic ? KREG_BATCH_ATOMIC : 0), ops, op->count,
			  NULL);
	tally(BATCHES);
	outcome(d, err, expected, async, ops);
}

static inline void take_one(struct data *d, __u32 table, __u32 index)
{
	__u32 now = cell_of(d, table, index)->now, len;
	struct kreg_op op;
	struct key key;
	int err;

	/* The look that comes first passes what is queued. */
	if (d->unsynced[table])
		sync_lane(d);
	plan(d, table, index, next_delete(now));
	len = make_key(&key, d->number, index);
	op = test_op_value(KREG_OP_TAKE, &key, len, d->room, VALUE_MAX);
	begin(d);
	err = _test_op(d->fd, world->ids[table], 0, &op);
	if (!err && check_value(d->room, op.out_len, table, d->number,
				index) != now)
		complain("lane %u table %u key %u: took what is not version %u",
			 d->number, table, index, now);
	outcome(d, err, present(now) ? 0 : -ENODATA, false, &op);
}

/* The keys of the group get one version, all at once. */
static inline void write_group(struct data *d, __u32 table)
{
	__u32 now = cell_of(d, table, 0)->now, i;
	bool put = pick(d, 5), async = !pick(d, 3);

	for (i = 0; i < GROUP; i++)
		plan(d, table, i, put ? next_put(now) : next_delete(now));
	write_batch(d, async, pick(d, 2), false);
}

static inline void write_mixture(struct data *d, __u32 table)
{
	bool atomic = pick(d, 2), async = !pick(d, 3);
	__u32 at = pick(d, KEYS - GROUP), n = 1 + pick(d, KEYS - GROUP), now;
	__u32 key;

	while (n--) {
		key = GROUP + at++ % (KEYS - GROUP);
		now = cell_of(d, table, key)->now;
		plan(d, table, key, pick(d, 4) ? next_put(now) :
		     next_delete(now));
	}
	write_batch(d, async, atomic, atomic && !async && !pick(d, 4));
}

static inline void write_something(struct data *d)
{
	__u32 table = pick(d, KEPT), key = GROUP + pick(d, KEYS - GROUP);
	__u32 now = cell_of(d, table, key)->now, what = pick(d, 100);

	if (what < 6) {
		write_group(d, table);
	} else if (what < 12) {
		write_mixture(d, table);
	} else if (what < 18) {
		take_one(d, table, key);
	} else if (what < 20) {
		sync_lane(d);
	} else {
		plan(d, table, key, what < 40 ? next_delete(now) :
		     next_put(now));
		write_one(d, what & 1, what >= 95 && !(what & 1));
	}
}

#endif /* KREG_STRESS_LANE_H */
