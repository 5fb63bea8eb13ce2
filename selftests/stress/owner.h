/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Becoming the owner of a table: by a TRANSFER record, by a claim, by creating it,
 * or by finding that one is. Each time what was noted of the table (struct intent) must
 * explain it, the settings must be those that were noted, and the objects must be all
 * there.
 */
#ifndef KREG_STRESS_OWNER_H
#define KREG_STRESS_OWNER_H

#include "stress/intent.h"
#include "stress/value.h"

#define BOXES	2		/* clients of a player's main thread */
#define WATCHED	16		/* watches that it has at a time */

/* A watch of another player, which is pending or whose record has not been read. */
struct watched {
	__u64 id;			/* 0: none */
	unsigned int box;
	struct who who;
	bool overdue;			/* he was reaped before the mailbox was looked at */
};

/* Data of a TRANSFER record. */
struct note {
	__u64 token;
	__u32 table;
	__u32 reserved;
};

struct actor {
	struct slot *slot;
	struct who me;
	int fd[BOXES];
	__u64 seq[BOXES];
	unsigned int flushed[BOXES];	/* records that CANCEL may have taken back */
	unsigned int receiver;
	struct watched watched[WATCHED];
	bool has_vault;
	__u64 random;
	__u32 tokens;
	char *room;
};

static inline __u32 roll(struct actor *a, __u32 n)
{
	return choose(&a->random, n);
}

/* One client for all, so that what it does comes in order. */
static inline int client(struct actor *a)
{
	return a->fd[a->receiver];
}

static inline __u64 new_token(struct actor *a)
{
	return (__u64)a->me.slot << 56 | (__u64)a->me.life << 24 | ++a->tokens;
}

__attribute__((format(printf, 3, 4)))
static inline void complain_of(struct actor *a, unsigned int table,
			       const char *format, ...)
{
	char what[120], intent[200];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	describe_intent(table, intent, sizeof(intent));
	complain("%u.%u table %u %s; intent: %s", a->me.slot, a->me.life, table,
		 what, intent);
}

/* 0, or the errno of a call that is one of those that may come. */
static inline int expect(struct actor *a, unsigned int table, const char *what,
			 int err, int may, int may2)
{
	if (err && err != -may && err != -may2 && !out_of_memory(a->slot, err))
		complain_of(a, table, "%s: %s", what, strerror(-err));
	return err;
}

/* All objects of one generation; 0 if there is none, ~0 if they are a mixture. */
static inline __u32 generation_of(struct actor *a, unsigned int table,
				  __u64 id)
{
	__u32 i, found = 0, version;
	struct key key;
	int len;

	for (i = 0; i < KEYS; i++) {
		len = _test_get(client(a), id, &key,
				make_key(&key, OWNERS_LANE, i), a->room,
				VALUE_MAX);
		version = 0;
		if (len >= 0)
			version = check_value(a->room, len, table,
					      OWNERS_LANE, i);
		if ((len < 0 && len != -ENODATA) || (len >= 0 && !version) ||
		    (i && version != found))
			return ~0U;
		found = version;
	}
	return found;
}

static inline void check_objects(struct actor *a, unsigned int table,
				 struct intent *d, const struct kreg_info *info)
{
	__u32 generation;

	if (table < KEPT)
		return;
	generation = generation_of(a, table, d->id);
	if (generation != d->generation &&
	    !(d->pending == MUTATE && generation == d->new_generation))
		complain_of(a, table, "has objects of generation %d",
			    (int)generation);
	if (info->objects != (generation ? KEYS : 0))
		complain_of(a, table, "has %llu objects",
			    (unsigned long long)info->objects);
	d->generation = generation;
}

/*
 * The table was gone, and who has created it anew has died before that was noted; a line saves it
 * whatever is to become of it.
 */
static inline bool creator_died(unsigned int table, const struct intent *d, __u64 id, enum way by)
{
	return by == BY_CLAIM && id != d->id && may_be_gone(table, d) && claimant_died(table, d);
}

/* The caller has become the owner of the table. */
static inline void adopt(struct actor *a, unsigned int table, __u64 id,
			 enum way by, __u64 token)
{
	struct intent d = *intent_of(table);
	bool anew = creator_died(table, &d, id, by);
	struct kreg_info info;
	int err;

	if (a->slot->owned[table])
		complain_of(a, table, "comes by %s, but is ours already",
			    way_names[by]);
	if (!anew && !explained(table, &d, a->me, by, token))
		complain_of(a, table, "comes by %s", way_names[by]);
	if (anew || by == BY_CREATION)
		d = (struct intent) { .id = id };
	d.dead_claimants = load(&world->dead_claimants[table]);
	err = _test_info(client(a), id, &info);
	if (expect(a, table, "INFO", err, 0, 0))
		return;
	if (d.id != id)
		complain_of(a, table, "has id %llu", (unsigned long long)id);
	if (!test_same(info.owner, a->me.process))
		complain_of(a, table, "comes by %s, but %u owns it",
			    way_names[by], info.owner.pid);
	if (!settle_intent(&d, &info))
		complain_of(a, table, "has heir %u silent %u orphan %u/%llu",
			    info.heir.pid,
			    !!(info.flags & KREG_INFO_HEIR_SILENT),
			    info.orphan, (unsigned long long)info.orphan_ms);
	check_objects(a, table, &d, &info);
	d.owner = a->me;
	d.pending = NOTHING;
	write_intent(table, &d);
	store(&world->ids[table], id);
	a->slot->owned[table] = true;
}

static inline void take_record(struct actor *a, const struct test_event *event)
{
	const struct note *note = (const void *)event->data;
	bool gift = event->e.cause == KREG_CAUSE_GIFT;
	char name[16];

	if (event->e.kind != KREG_EVENT_TRANSFER ||
	    event->e.value_len != sizeof(*note) || note->table >= TABLES) {
		complain("%u.%u: a strange record of kind %u with %u bytes",
			 a->me.slot, a->me.life, event->e.kind,
			 event->e.value_len);
		return;
	}
	table_name(note->table, name, sizeof(name));
	if (strcmp(name, event->name))
		complain("%u.%u: a record of %s names %s", a->me.slot,
			 a->me.life, name, event->name);
	if (gift == !!(event->e.flags & KREG_EVENT_STATUS))
		complain("%u.%u: a record with cause %u and flags %u",
			 a->me.slot, a->me.life, event->e.cause,
			 event->e.flags);
	tally(gift ? GIFTS : LEGACIES);
	adopt(a, note->table, event->e.table, gift ? BY_GIFT : BY_DEATH,
	      note->token);
}

static inline int sync_all(struct actor *a)
{
	int err = _test_sync(client(a));

	if (err && !out_of_memory(a->slot, err))
		complain("%u.%u: SYNC: %s", a->me.slot, a->me.life,
			 strerror(-err));
	return err;
}

/* Dead before it is known to anyone, the creator leaves it to who is in line, else nothing. */
static inline void create(struct actor *a, unsigned int table)
{
	struct kreg_ioc_open cmd;
	char name[16];
	int err;

	table_name(table, name, sizeof(name));
	cmd = test_open_cmd(name, KREG_OPEN_CREATE | KREG_OPEN_EXCL);
	store(&a->slot->claiming, table + 1);
	err = _test_open_cmd(client(a), &cmd);
	if (!expect(a, table, "create", err, EEXIST, 0)) {
		tally(CREATED);
		adopt(a, table, cmd.out_table, BY_CREATION, 0);
	}
	store(&a->slot->claiming, 0);
}

#endif /* KREG_STRESS_OWNER_H */
