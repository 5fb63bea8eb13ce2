/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Lanes change all that matches. In the kept tables they remove some of their own keys. In a table
 * of steps, which is in the order of keys, each lane has numbers that are all made one more, one
 * after the other: at every moment those behind some key have not been made more yet, and those
 * before it have, whoever dies meanwhile.
 */
#ifndef KREG_STRESS_CHANGE_H
#define KREG_STRESS_CHANGE_H

#include "kit/edit.h"
#include "stress/read.h"

struct step_key {
	char text[5];
};

static inline struct step_key step_key(__u32 lane, __u32 index)
{
	struct step_key key;

	key.text[0] = '0' + lane / 10;
	key.text[1] = '0' + lane % 10;
	key.text[2] = '.';
	key.text[3] = '0' + index / 10;
	key.text[4] = '0' + index % 10;
	return key;
}

/* One's own keys that are not written in groups, and of these at random. */
static inline void ask_for_own(struct data *d, struct question *q, __u32 table)
{
	q->terms[0] = test_u32(KREG_TERM_EQ, offsetof(struct value, lane), d->number);
	q->terms[1] = test_term(KREG_TERM_GE, KREG_TERM_KEY, 4, 4, GROUP);
	add_terms(d, q, table, 2);
	q->prefix_len = pick(d, 3) ? 0 : 4;
	memcpy(q->prefix, &d->number, 4);
}

static inline void plan_matching(struct data *d, const struct question *q, __u32 table)
{
	struct under_way *op = &d->lane->op;
	__u32 key, now;

	op->table = table;
	op->count = 0;
	for (key = GROUP; key < KEYS; key++) {
		now = cell_of(d, table, key)->now;
		if (present(now) && matches(q, table, d->number, key, now))
			plan(d, table, key, next_delete(now));
	}
	op->each = true;
}

/* A call that had no memory may have removed some: see which. */
static inline void look_at_planned(struct data *d)
{
	struct under_way *op = &d->lane->op;
	struct kreg_op look;
	struct key key;
	__u32 i;
	int err;

	for (i = 0; i < op->count; i++) {
		look = test_op(KREG_OP_MEMBER, &key, make_key(&key, d->number, op->key[i]));
		err = _test_op(d->fd, world->ids[op->table], 0, &look);
		if (err && err != -ENODATA)
			complain("lane %u: look-up: %s", d->number, strerror(-err));
		if (!err)
			op->new[i] = op->old[i];
	}
}

static inline void remove_matching(struct data *d, __u32 table)
{
	static __thread struct question q;
	struct under_way *op = &d->lane->op;
	struct kreg_ioc_change cmd = test_change_cmd(world->ids[table], NULL, 0);
	int err;

	/* Without memory one would not know what has come of it. */
	if (d->slot->limited && d->unsynced[table])
		sync_lane(d);
	if (d->slot->limited && d->unsynced[table])
		return;
	ask_for_own(d, &q, table);
	plan_matching(d, &q, table);
	set_question(&cmd.range, &q);
	begin(d);
	err = _test_change(d->fd, &cmd);
	if (!err && (cmd.out_count != op->count || cmd.out_more))
		complain("lane %u removes from table %u: %llu, not %u", d->number, table,
			 (unsigned long long)cmd.out_count, op->count);
	if (err && !out_of_memory(d->slot, err))
		complain("lane %u removes from table %u: %s", d->number, table, strerror(-err));
	if (err)
		look_at_planned(d);
	end(d, true, false);
	if (!err)
		tally(REMOVED);
}

/* All that are @from: in one call, or some in each. */
static inline int change_steps(struct data *d, __u64 from, __u64 *count)
{
	struct kreg_term is_from = test_term(KREG_TERM_EQ, KREG_TERM_VALUE, 8, 0, from);
	struct kreg_field add = test_add(0, 1);
	struct kreg_ioc_change cmd = test_change_edit(world->steps, &is_from, 1, &add, 1);
	struct step_key low = step_key(d->number, 0);
	__u8 position[KREG_MAX_KEY];
	int err;

	cmd.range.low = test_ptr(&low);
	cmd.range.low_len = 3;
	cmd.range.flags = KREG_RANGE_PREFIX;
	cmd.position = test_ptr(position);
	cmd.max_count = pick(d, 2) ? 0 : 1 + pick(d, STEPS);
	*count = 0;
	do {
		err = _test_change(d->fd, &cmd);
		*count += cmd.out_count;
		cmd.range.after = test_ptr(position);
		cmd.range.after_len = cmd.out_position_len;
	} while (!err && cmd.out_more);
	return err;
}

/* One more; or the rest of that, where somebody has left it half done. */
static inline void make_a_step(struct data *d)
{
	struct lane *lane = d->lane;
	bool anew = lane->steps_lo == lane->steps_hi;
	__u64 count;
	int err;

	store(&lane->steps_hi, lane->steps_lo + 1);
	err = change_steps(d, lane->steps_lo, &count);
	if (err) {
		if (!out_of_memory(d->slot, err))
			complain("lane %u makes a step: %s", d->number, strerror(-err));
		return;
	}
	if (count > STEPS || (anew && count != STEPS))
		complain("lane %u makes a step: %llu are changed", d->number,
			 (unsigned long long)count);
	store(&lane->steps_lo, lane->steps_hi);
	tally(STEPPED);
}

/* As they were at one moment, between two versions. */
static inline void judge_steps(const char *who, __u32 lane, const __u64 *steps, __u64 lo)
{
	__u64 hi = load(&world->lanes[lane].steps_hi);
	__u32 i;

	if (steps[0] > hi || steps[STEPS - 1] < lo || steps[0] > steps[STEPS - 1] + 1)
		complain("%s: steps of lane %u: %llu to %llu, not within %llu..%llu", who, lane,
			 (unsigned long long)steps[0], (unsigned long long)steps[STEPS - 1],
			 (unsigned long long)lo, (unsigned long long)hi);
	for (i = 1; i < STEPS; i++)
		if (steps[i] > steps[i - 1])
			complain("%s: steps of lane %u: number %u is %llu behind %llu", who, lane,
				 i, (unsigned long long)steps[i], (unsigned long long)steps[i - 1]);
}

/* A batch of reads that all are of one moment. */
static inline int get_steps(int fd, __u32 lane, __u64 *steps)
{
	struct step_key keys[STEPS];
	struct kreg_op ops[STEPS];
	__u32 i, done;
	int err;

	for (i = 0; i < STEPS; i++) {
		keys[i] = step_key(lane, i);
		ops[i] = test_op_value(KREG_OP_GET, &keys[i], sizeof(keys[i]), &steps[i], 8);
	}
	err = _test_batch(fd, world->steps, KREG_BATCH_ATOMIC, ops, STEPS, &done);
	if (!err && done != STEPS)
		complain("steps of lane %u: %u of them are there", lane, done);
	return err;
}

/* The same by a scan of a pin. */
static inline int scan_steps(struct data *d, __u32 lane, __u64 pin, __u64 *steps)
{
	struct step_key low = step_key(lane, 0);
	struct kreg_ioc_scan cmd = {
		.table = world->steps,
		.pin = pin,
		.buf = test_ptr(d->room),
		.buf_len = ROOM,
		.range = { .low = test_ptr(&low), .low_len = 3, .flags = KREG_RANGE_PREFIX },
	};
	struct kreg_object *o = (void *)d->room;
	int err = _test_scan(d->fd, &cmd);
	__u32 i;

	if (err)
		return err;
	if (cmd.out_count != STEPS || cmd.out_more)
		complain("steps of lane %u: a scan finds %u", lane, cmd.out_count);
	for (i = 0; i < STEPS && i < cmd.out_count; i++, o = (void *)o + o->size)
		memcpy(&steps[i], (char *)(o + 1) + o->key_len, sizeof(steps[i]));
	return cmd.out_count == STEPS ? 0 : -ENODATA;
}

/* -EDQUOT: there are too many pins, or it has ended. */
static inline int scan_steps_pinned(struct data *d, __u32 lane, __u64 *steps)
{
	__u64 pin;
	int err = _test_pin(d->fd, world->steps, 0, &pin);

	if (err)
		return err;
	err = scan_steps(d, lane, pin, steps);
	end_pin(d, pin, 0);
	return err == -ESTALE ? -EDQUOT : err;
}

static inline void look_at_steps(struct data *d, __u32 lane)
{
	__u64 lo = load(&world->lanes[lane].steps_lo), steps[STEPS];
	int err = pick(d, 2) ? get_steps(d->fd, lane, steps) : scan_steps_pinned(d, lane, steps);

	if (!err)
		judge_steps("a lane", lane, steps, lo);
	else if (err != -EDQUOT && !out_of_memory(d->slot, err))
		complain("lane %u looks at steps: %s", d->number, strerror(-err));
	tally(STEPS_SEEN);
}

static inline void use_changes(struct data *d)
{
	__u32 what = pick(d, 10);

	if (what < 4)
		remove_matching(d, pick(d, KEPT));
	else if (what < 7)
		make_a_step(d);
	else
		look_at_steps(d, pick(d, lanes()));
}

static inline int fill_steps(int fd)
{
	struct step_key key;
	__u32 lane, i;
	__u64 zero = 0;
	int err = 0;

	for (lane = 0; lane < lanes(); lane++)
		for (i = 0; i < STEPS && !err; i++) {
			key = step_key(lane, i);
			err = _test_put(fd, world->steps, &key, sizeof(key), &zero, sizeof(zero));
		}
	return err;
}

/* Nobody writes with this lane any more. */
static inline void check_steps(int fd, __u32 lane)
{
	__u64 steps[STEPS];
	int err = get_steps(fd, lane, steps);

	if (err)
		complain("steps of lane %u: %s", lane, strerror(-err));
	else
		judge_steps("at rest", lane, steps, world->lanes[lane].steps_lo);
}

#endif /* KREG_STRESS_CHANGE_H */
