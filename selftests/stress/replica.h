/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Subscriptions: what a player is told of the registry, event by event, comes to the same as
 * what is in it; and what it is told to have gone is gone.
 */
#ifndef KREG_STRESS_REPLICA_H
#define KREG_STRESS_REPLICA_H

#include "stress/turn.h"

#define ENTRIES		(PLAYERS * NAMES + LOCKS)

/* The registry as the events tell it. */
struct replica {
	int fd;
	__u64 id;		/* of the subscription; 0: none */
	__u64 seq;		/* of the last event */
	__u64 version;		/* of the last write when it began */
	struct entry {
		__u64 version;	/* 0: not there */
		__u64 cookie;
	} entries[ENTRIES], found[ENTRIES];
	__u64 room[4096];
};

static inline int entry_of(const char *key, __u32 len)
{
	char text[16] = "";
	unsigned int slot, name;

	memcpy(text, key, len < sizeof(text) ? len : sizeof(text) - 1);
	if (sscanf(text, "p%u.%u", &slot, &name) == 2 && slot < PLAYERS && name < NAMES)
		return slot * NAMES + name;
	if (sscanf(text, "lock%u", &name) == 1 && name < LOCKS)
		return PLAYERS * NAMES + name;
	return -1;
}

/* All that is there, from a scan; false: no memory. */
static inline bool take_stock(struct registrant *r, struct entry *entries)
{
	struct replica *replica = r->replica;
	struct kreg_ioc_scan cmd = {
		.flags = KREG_SCAN_PROCESSES,
		.table = world->registry,
		.buf = test_ptr(replica->room),
		.buf_len = sizeof(replica->room),
	};
	struct kreg_object *object = (void *)replica->room;
	struct kreg_process whose;
	__u32 i;
	int n;

	memset(entries, 0, sizeof(replica->entries));
	if (!came(r, "registry", "SCAN", _test_scan(r->fd, &cmd), 0))
		return false;
	if (cmd.out_more)
		complain_of_key(r, "registry", "too large for a scan");
	for (i = 0; i < cmd.out_count; i++, object = (void *)object + object->size) {
		n = entry_of((char *)(object + 1), object->key_len);
		memcpy(&whose, (char *)object + object->size - sizeof(whose), sizeof(whose));
		if (n < 0)
			complain_of_key(r, "registry", "has a strange key");
		else
			entries[n] = (struct entry) { object->version, whose.cookie };
	}
	return true;
}

static inline void unfollow(struct registrant *r)
{
	struct replica *replica = r->replica;

	if (replica->id)
		came(r, "subscription", "CANCEL", _test_cancel(replica->fd, replica->id, 0), 0);
	replica->id = 0;
}

/* Subscribe, scan, then read. */
static inline void follow(struct registrant *r)
{
	struct kreg_ioc_subscribe cmd = test_subscribe_cmd(world->registry, ALL_KINDS);
	struct replica *replica = r->replica;

	if (!came(r, "registry", "SUBSCRIBE", _test_subscribe_cmd(replica->fd, &cmd), 0))
		return;
	replica->id = cmd.out_id;
	replica->seq = cmd.out_seq;
	if (!take_stock(r, replica->entries))
		unfollow(r);
	tally(SUBSCRIBED);
}

/* It went with its process: nobody finds it there any more. */
static inline void check_exit(struct registrant *r, const struct kreg_event *e)
{
	struct kreg_process whose;
	__u64 version;
	char key[16];

	snprintf(key, sizeof(key), "%.*s", (int)e->key_len, test_key(e));
	if (find(r, world->registry, key, &version, &whose))
		return;
	if (whose.cookie == e->process.cookie)
		complain_of_key(r, key, "EXIT was told, but it is there");
}

static inline void replay(struct registrant *r, const struct kreg_event *e)
{
	int n = entry_of(test_key(e), e->key_len);
	struct entry *entry;

	if (n < 0) {
		complain_of_key(r, "registry", "an event of a strange key, kind %u", e->kind);
		return;
	}
	entry = &r->replica->entries[n];
	if (e->kind == KREG_EVENT_EXIT)
		check_exit(r, e);
	if (e->version <= entry->version)
		return;
	if (e->kind == KREG_EVENT_CREATE || e->kind == KREG_EVENT_UPDATE)
		*entry = (struct entry) { e->version, e->process.cookie };
	else if (e->kind == KREG_EVENT_DELETE || e->kind == KREG_EVENT_EXIT)
		*entry = (struct entry) {};
	else
		complain_of_key(r, test_key(e), "an event of kind %u", e->kind);
	tally(EVENTS);
}

static inline void take_event(struct registrant *r, const struct kreg_event *e)
{
	struct replica *replica = r->replica;

	if (e->kind == KREG_EVENT_OVERFLOW) {
		unfollow(r);
		return;
	}
	if (e->seq != replica->seq + 1)
		complain_of_key(r, "registry", "event %llu after %llu",
				(unsigned long long)e->seq, (unsigned long long)replica->seq);
	replica->seq = e->seq;
	replay(r, e);
}

/* Returns how many there were in the room; after OVERFLOW the rest is of no use. */
static inline int take_events(struct registrant *r, ssize_t len)
{
	const struct kreg_event *e = (void *)r->replica->room;
	int count = 0;

	for (; len > 0 && r->replica->id; len -= e->size, e = (void *)((char *)e + e->size)) {
		if (!test_event_is_whole(e, len)) {
			complain_of_key(r, "registry", "an event is not whole");
			break;
		}
		take_event(r, e);
		count++;
	}
	return count;
}

/* Returns how many events there were, or -1 if not all of them could be read. */
static inline int read_events(struct registrant *r)
{
	struct replica *replica = r->replica;
	int count = 0;
	ssize_t len;

	while (replica->id) {
		len = read(replica->fd, replica->room, sizeof(replica->room));
		if (len < 0)
			return came(r, "registry", "read", -errno, -EAGAIN) ? count : -1;
		count += take_events(r, len);
	}
	return count;
}

/* What is bound to one who is exiting is not found any more, and EXIT comes when he is dead. */
static inline bool may_be_hidden(__u64 cookie)
{
	struct who who;
	__u32 slot;

	for (slot = 0; slot < world->players; slot++) {
		who = alive_in(slot);
		if (who.process.cookie == cookie && may_be_dead(who))
			return true;
	}
	return false;
}

/* The first entry that differs, or ENTRIES. */
static inline unsigned int difference(const struct replica *replica)
{
	const struct entry *entry, *found;
	unsigned int n;

	for (n = 0; n < ENTRIES; n++) {
		entry = &replica->entries[n];
		found = &replica->found[n];
		if ((entry->version != found->version || entry->cookie != found->cookie) &&
		    (found->version || !may_be_hidden(entry->cookie)))
			break;
	}
	return n;
}

/* Events that came before this call have been read; 0: there were none. */
static inline int catch_up_with(struct registrant *r)
{
	return came(r, "registry", "SYNC", _test_sync(r->fd), 0) ? read_events(r) : -1;
}

/*
 * If nothing happens just now, the events and a scan tell the same. Who was exiting may have died
 * and have a successor by now: then his EXIT has come.
 */
static inline void check_replica(struct registrant *r)
{
	struct replica *replica = r->replica;
	unsigned int n;

	if (read_events(r) < 0 || !replica->id || !take_stock(r, replica->found) ||
	    catch_up_with(r) || !replica->id)
		return;
	n = difference(replica);
	tally(COMPARED);
	if (n == ENTRIES || catch_up_with(r) || !replica->id)
		return;
	complain_of_key(r, "replica", "entry %u has version %llu, should be %llu", n,
			(unsigned long long)replica->entries[n].version,
			(unsigned long long)replica->found[n].version);
}

static inline void use_subscription(struct registrant *r)
{
	if (!r->replica->id)
		follow(r);
	else if (!draw(r, 40))
		unfollow(r);
	else if (!draw(r, 4))
		check_replica(r);
	else
		read_events(r);
}

#endif /* KREG_STRESS_REPLICA_H */
