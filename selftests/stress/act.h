/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the main thread of a player does: with the tables that it owns, with those
 * of others, and with its own clients.
 */
#ifndef KREG_STRESS_ACT_H
#define KREG_STRESS_ACT_H

#include "stress/role.h"
#include "stress/vault.h"

#define MANY_TIMES	60

/* Somebody who plays, perhaps oneself; he may have died by now. */
static inline struct who somebody(struct actor *a)
{
	return alive_in(roll(a, world->players));
}

/* The table was to be @pending; what came of it. */
static inline void undo(unsigned int table, struct intent d)
{
	d.pending = NOTHING;
	write_intent(table, &d);
}

static inline void give(struct actor *a, unsigned int table)
{
	struct intent d = *intent_of(table);
	struct who to = somebody(a);
	struct note note = { .token = new_token(a), .table = table };
	int err;

	if (nobody(to) || same_life(to, a->me))
		return;
	d.pending = GIVE;
	d.to = to;
	d.token = note.token;
	write_intent(table, &d);
	err = _test_give(client(a), d.id, to.process, &note, sizeof(note));
	if (!err) {
		a->slot->owned[table] = false;
		return;
	}
	if (!may_be_dead(to) || (err != -ESRCH && err != -ENOTCONN))
		expect(a, table, "GIVE", err, 0, 0);
	undo(table, d);
}

static inline void name_heir(struct actor *a, unsigned int table)
{
	struct intent d = *intent_of(table);
	struct who to = roll(a, 8) ? somebody(a) : (struct who) { 0 };
	struct note note = { .token = new_token(a), .table = table };
	__u32 len = sizeof(note);
	int err;

	d.pending = HEIR;
	d.to = to;
	d.token = note.token;
	d.new_silent = !nobody(to) && !roll(a, 4);
	if (nobody(to) || d.new_silent)
		len = 0;
	if (nobody(to))
		memset(&to, 0, sizeof(to));
	write_intent(table, &d);
	err = _test_heir(client(a), d.id, to.process, len ? &note : NULL, len,
			 d.new_silent ? KREG_HEIR_SILENT : 0);
	if (!err) {
		d.heir = d.to;
		d.silent = d.new_silent;
		d.heir_token = d.token;
		d.other_token = 0;
	} else if (!may_be_dead(to) || (err != -ESRCH && err != -ENOTCONN)) {
		expect(a, table, "HEIR", err, 0, 0);
	}
	undo(table, d);
}

static inline void set_orphan(struct actor *a, unsigned int table)
{
	struct intent d = *intent_of(table);
	int err;

	d.pending = ORPHAN;
	d.new_orphan = roll(a, 3) ? KREG_ORPHAN_PARK : KREG_ORPHAN_DESTROY;
	d.new_orphan_ms = 0;
	if (d.new_orphan == KREG_ORPHAN_PARK && roll(a, 2))
		d.new_orphan_ms = test_scale(20 + roll(a, 200));
	write_intent(table, &d);
	err = _test_orphan(client(a), d.id, d.new_orphan, d.new_orphan_ms);
	if (!expect(a, table, "ORPHAN", err, 0, 0)) {
		d.orphan = d.new_orphan;
		d.orphan_ms = d.new_orphan_ms;
	}
	undo(table, d);
}

static inline void park(struct actor *a, unsigned int table)
{
	struct intent d = *intent_of(table);
	int err;

	d.pending = PARK;
	write_intent(table, &d);
	err = _test_park(client(a), d.id);
	if (!expect(a, table, "park", err, 0, 0)) {
		a->slot->owned[table] = false;
		tally(PARKS);
	} else {
		undo(table, d);
	}
}

static inline void destroy(struct actor *a, unsigned int table)
{
	struct intent d = *intent_of(table);
	int err;

	d.pending = DESTROY;
	write_intent(table, &d);
	err = _test_destroy(client(a), d.id);
	if (!expect(a, table, "DESTROY", err, 0, 0)) {
		a->slot->owned[table] = false;
		tally(DESTROYED);
	} else {
		undo(table, d);
	}
}

/* All objects of the new generation, as operations; returns how many. */
static inline __u32 make_generation(struct actor *a, unsigned int table,
				    const struct intent *d, struct kreg_op *ops,
				    struct key *keys)
{
	__u32 i, len, at = 0;

	for (i = 0; i < KEYS && at + VALUE_MAX <= ROOM; i++) {
		ops[i] = test_op(KREG_OP_PUT, &keys[i],
				 make_key(&keys[i], OWNERS_LANE, i));
		len = make_value(a->room + at, table, OWNERS_LANE, i,
				 d->new_generation);
		ops[i].value = test_ptr(a->room + at);
		ops[i].value_len = len;
		at += (len + 7) & ~7U;
	}
	return i;
}

/*
 * All objects anew, at once; sometimes after a clear. @times: how often, to the
 * same effect.
 */
static inline int write_generation(struct actor *a, unsigned int table,
				   const struct intent *d, bool async,
				   __u32 times)
{
	static struct kreg_op ops[KEYS * MANY_TIMES + 1];
	static struct key keys[KEYS];
	__u32 n = 0, i, made;

	if (roll(a, 2))
		ops[n++] = test_op(KREG_OP_CLEAR, NULL, 0);
	made = make_generation(a, table, d, ops + n, keys);
	if (made < KEYS)
		return -EAGAIN;
	for (i = 1; i < times; i++)
		memcpy(&ops[n + i * KEYS], &ops[n], KEYS * sizeof(*ops));
	n += times * KEYS;
	return _test_batch(client(a), d->id, KREG_BATCH_ATOMIC |
			   (async ? KREG_WRITE_ASYNC : 0), ops, n, NULL);
}

static inline void mutate(struct actor *a, unsigned int table, bool async,
			  __u32 times)
{
	struct intent d = *intent_of(table);
	int err;

	d.pending = MUTATE;
	d.new_generation = d.generation + 1;
	write_intent(table, &d);
	err = write_generation(a, table, &d, async, times);
	if (!expect(a, table, "BATCH", err, EAGAIN, EFBIG)) {
		d.generation = d.new_generation;
		tally(MUTATED);
	}
	undo(table, d);
}

static inline void use_own(struct actor *a, unsigned int table)
{
	__u32 what = roll(a, 100);

	if (what < 20)
		give(a, table);
	else if (what < 50)
		name_heir(a, table);
	else if (what < 57)
		park(a, table);
	else if (what < 65)
		look_up(a, table);
	else if (table < KEPT)
		return;
	else if (what < 90)
		mutate(a, table, roll(a, 2), 1);
	else if (what < 97)
		set_orphan(a, table);
	else
		destroy(a, table);
}

/* Only the owner writes to these: the key is not there, so nothing can happen. */
static inline void write_as_stranger(struct actor *a, unsigned int table)
{
	struct kreg_op op = test_ops(KREG_OP_DELETE, "stranger");
	int err = _test_op(client(a), load(&world->ids[table]), 0, &op);

	if (err == -EACCES)
		tally(REFUSED);
	else if (!err)
		look_up(a, table);
	if (err ? err != -EACCES && err != -ESTALE : !a->slot->owned[table])
		complain_of(a, table, "is written by a stranger: %s",
			    strerror(-err));
}

static inline void use_others(struct actor *a, unsigned int table)
{
	__u32 what = roll(a, 100);

	if (what < 45)
		claim(a, table, false);
	else if (what < 50)
		claim(a, table, true);
	else if (what < 80)
		look_up(a, table);
	else if (table >= KEPT && what < 95)
		create(a, table);
	else if (table >= KEPT && load(&world->ids[table]) && !a->slot->limited)
		write_as_stranger(a, table);
}

/*
 * Another client gets the mail, and the one that got it is opened anew. Empty: it
 * may live on in a child, and what it has with it.
 */
static inline void change_clients(struct actor *a)
{
	unsigned int old = a->receiver;
	int err, fd;

	sync_all(a);
	a->receiver = (old + 1) % BOXES;
	err = _test_receiver(a->fd[a->receiver]);
	if (err)
		complain("%u.%u: RECEIVER: %s", a->me.slot, a->me.life,
			 strerror(-err));
	open_box(a, old);
	close(a->fd[old]);
	forget_watches(a, old);
	fd = test_client_flags(O_NONBLOCK);
	if (out_of_memory(a->slot, fd))
		give_up(a->slot);
	if (fd < 0)
		complain("%u.%u: open: %s", a->me.slot, a->me.life,
			 strerror(-fd));
	a->fd[old] = fd;
	a->seq[old] = 0;
	a->flushed[old] = 0;
}

static inline void act(struct actor *a)
{
	unsigned int table = roll(a, TABLES);

	open_mail(a);
	if (!roll(a, 4))
		watch(a, somebody(a));
	if (!roll(a, 12))
		cancel(a);
	if (!roll(a, 50))
		change_clients(a);
	else if (!roll(a, 8))
		use_roles(a);
	else if (!roll(a, 6))
		use_vaults(a);
	else if (a->slot->owned[table])
		use_own(a, table);
	else
		use_others(a, table);
	if (!roll(a, 8))
		test_pause_ms(roll(a, 5));
}

#endif /* KREG_STRESS_ACT_H */
