/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the referee looks at: when a player has died, and when all have come to
 * rest.
 */
#ifndef KREG_STRESS_CHECK_H
#define KREG_STRESS_CHECK_H

#include "kit/bound.h"
#include "stress/change.h"
#include "stress/intent.h"

/* The key is as the version says. */
static inline bool is_version(int len, const void *value, __u32 table,
			      __u32 lane, __u32 key, __u32 version)
{
	if (!present(version))
		return len == -ENODATA;
	return len >= 0 && check_value(value, len, table, lane, key) == version;
}

/* Which of the writes under way it was, or -1. */
static inline int planned(const struct under_way *op, __u32 table, __u32 key)
{
	__u32 i;

	for (i = 0; op->active && op->table == table && i < op->count; i++)
		if (op->key[i] == key)
			return i;
	return -1;
}

struct tellings {
	__u32 old;		/* of what was under way, not done */
	__u32 new;		/* done */
	bool is_new[KEYS];	/* which */
};

static inline void settle_key(struct data *d, __u32 lane, __u32 table,
			      __u32 index, struct tellings *told)
{
	struct lane *l = &world->lanes[lane];
	struct cell *cell = &l->cells[table][index];
	int i = planned(&l->op, table, index), len;
	struct key key;

	len = _test_get(d->fd, world->ids[table], &key,
			make_key(&key, lane, index), d->room, VALUE_MAX);
	if (i < 0 && !is_version(len, d->room, table, lane, index, cell->now))
		complain("table %u lane %u key %u: version %u of %u..%u is not there: %s",
			 table, lane, index, cell->now, cell->lo, cell->hi,
			 len < 0 ? strerror(-len) : "another, or torn");
	if (i < 0)
		return;
	told->is_new[i] = is_version(len, d->room, table, lane, index, l->op.new[i]);
	told->new += told->is_new[i];
	told->old += is_version(len, d->room, table, lane, index,
				l->op.old[i]);
}

/* From now on there is no doubt about the keys of this lane. */
static inline void fix_cells(struct lane *l, const struct tellings *told)
{
	struct under_way *op = &l->op;
	struct cell *cell;
	__u32 table, key;
	int i;

	for (table = 0; table < KEPT; table++)
		for (key = 0; key < KEYS; key++) {
			cell = &l->cells[table][key];
			i = planned(op, table, key);
			if (i >= 0)
				cell->now = told->is_new[i] ? op->new[i] : op->old[i];
			store(&cell->lo, cell->now);
			store(&cell->hi, cell->now);
		}
	op->active = 0;
	op->count = 0;
	op->each = false;
}

/*
 * Nobody writes with this lane any more, and what it wrote has been applied: each
 * of its keys is as the journal says, and what it was about to write was written,
 * all of it or nothing, or each for itself.
 */
static inline void settle_lane(struct data *d, __u32 lane)
{
	struct lane *l = &world->lanes[lane];
	struct tellings told = { 0 };
	__u32 table, key, n = l->op.active ? l->op.count : 0;

	for (table = 0; table < KEPT; table++)
		for (key = 0; key < KEYS; key++)
			settle_key(d, lane, table, key, &told);
	if (l->op.each ? told.new + told.old != n : told.new != n && told.old != n)
		complain("lane %u table %u key %u: of %u writes %u were done, %u not",
			 lane, l->op.table, l->op.key[0], n, told.new,
			 told.old);
	fix_cells(l, &told);
	check_steps(d->fd, lane);
}

static inline void check_not_dead(const struct kreg_info *info, struct kreg_process dead)
{
	if (info->owner.cookie == dead.cookie)
		complain("%s is owned by %u, who is dead", info->name, dead.pid);
	if (info->heir.cookie == dead.cookie)
		complain("the heir of %s is %u, who is dead", info->name, dead.pid);
}

/* LIST names no dead process as an owner or heir. */
static inline void check_forgotten(struct data *d, struct kreg_process dead)
{
	struct kreg_info infos[2 * TABLES];
	__u64 after = 0;
	__u32 more;
	int i, n;

	do {
		n = _test_list(d->fd, after, infos, 2 * TABLES, &more);
		if (n < 0)
			complain("LIST: %s", strerror(-n));
		for (i = 0; i < n; i++)
			check_not_dead(&infos[i], dead);
		after = n > 0 ? infos[n - 1].id : 0;
	} while (n > 0 && more);
}

/* Nothing is bound to a process that was reaped, but what lingers. */
static inline void check_unbound(struct data *d, __u64 table, struct kreg_process dead)
{
	struct kreg_ioc_scan cmd = {
		.flags = KREG_SCAN_PROCESSES,
		.table = table,
		.buf = test_ptr(d->room),
		.buf_len = ROOM,
	};
	struct kreg_object *object = (void *)d->room;
	struct kreg_process whose;
	int err = _test_scan(d->fd, &cmd);
	__u32 i;

	if (err || cmd.out_more)
		complain("SCAN with PROCESSES: %s", strerror(-err));
	for (i = 0; i < cmd.out_count; i++, object = (void *)object + object->size) {
		memcpy(&whose, (char *)object + object->size - sizeof(whose), sizeof(whose));
		if (whose.pid && whose.cookie == dead.cookie)
			complain("%.*s is bound to %u, who is dead", (int)object->key_len,
				 (char *)(object + 1), dead.pid);
	}
}

/* Nothing that can be asked knows of somebody who was reaped. */
static inline void check_dead(struct data *d, struct kreg_process dead)
{
	check_forgotten(d, dead);
	check_unbound(d, world->registry, dead);
	check_unbound(d, world->jobs, dead);
}

/* Nobody lives who has registered anything, and nothing lingers for ever. */
static inline void check_nothing_bound(struct data *d)
{
	if (!test_wait_for(!test_bound(d->fd, world->registry)))
		complain("%lld objects of the registry are still bound",
			 test_bound(d->fd, world->registry));
	if (test_objects(d->fd, world->registry))
		complain("the registry is not empty");
	if (test_bound(d->fd, world->jobs))
		complain("%lld jobs are still on loan", test_bound(d->fd, world->jobs));
}

static inline void check_kept(struct data *d, __u32 table)
{
	long long want = 0, objects;
	__u32 lane, key;
	long found;

	for (lane = 0; lane < lanes(); lane++)
		for (key = 0; key < KEYS; key++)
			want += present(any_cell(table, lane, key)->now);
	found = scan_all(d, table, NULL);
	objects = test_objects(d->fd, world->ids[table]);
	if (found != want || objects != want)
		complain("table %u: %lld objects, a scan finds %ld, there should be %lld",
			 table, objects, found, want);
}

static inline void check_objects_all(struct data *d)
{
	__u32 lane, table;

	for (lane = 0; lane < lanes(); lane++)
		settle_lane(d, lane);
	for (table = 0; table < KEPT; table++)
		check_kept(d, table);
}

static inline void complain_table(__u32 table, const char *what)
{
	char intent[200];

	describe_intent(table, intent, sizeof(intent));
	complain("table %u at rest %s; intent: %s", table, what, intent);
}

static inline void check_living_owner(__u32 table, const struct kreg_info *info)
{
	struct intent d = *intent_of(table);
	__u32 i, knowing = 0;

	for (i = 0; i < world->players; i++)
		knowing += world->slots[i].owned[table];
	if (knowing != 1 || d.pending ||
	    info->owner.cookie != d.owner.process.cookie)
		complain_table(table, "has another owner than one thinks");
	else if (!world->slots[d.owner.slot].owned[table])
		complain_table(table, "has an owner who does not know it");
	if (!settle_intent(&d, info))
		complain_table(table, "has other settings");
}

/* It has the owner of its role, and is parked while that is. */
static inline void check_follower(struct data *d)
{
	struct kreg_info role, follower;

	if (_test_info(d->fd, world->ids[FOLLOWED], &role) ||
	    _test_info(d->fd, world->follower, &follower))
		complain("no INFO of a role and its follower");
	else if (role.owner.cookie != follower.owner.cookie ||
		 (role.flags ^ follower.flags) & KREG_INFO_PARKED)
		complain("the role has owner %u, its follower %u", role.owner.pid,
			 follower.owner.pid);
}

/* Each table is owned by who thinks so, or what was noted explains that it has no owner. */
static inline void check_owners(struct data *d)
{
	struct kreg_info info;
	char name[16];
	__u32 table;
	int err;

	for (table = 0; table < TABLES; table++) {
		table_name(table, name, sizeof(name));
		err = _test_info_name(d->fd, name, &info);
		if (!err && !(info.flags & KREG_INFO_PARKED))
			check_living_owner(table, &info);
		else if (!err && !may_be_parked(table, intent_of(table)))
			complain_table(table, "is parked");
		else if (err && err != -ENOENT)
			complain_table(table, strerror(-err));
		else if (err && (table < KEPT ||
				 !may_be_gone(table, intent_of(table))))
			complain_table(table, "is gone");
	}
	check_follower(d);
}

#endif /* KREG_STRESS_CHECK_H */
