/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Registering: each player has names of its own in a registry, which nobody else takes. What
 * they are bound to is a process that lives, and a name whose process was reaped is free.
 */
#ifndef KREG_STRESS_NAMES_H
#define KREG_STRESS_NAMES_H

#include "kit/line.h"
#include "kit/stream.h"
#include "stress/lane.h"

#define LINGERING	2	/* of a player's names, the first: they stay for a while */

/* The thread of a player that registers, stands in line and has objects on loan. */
struct registrant {
	struct slot *slot;
	struct who me;
	int fd;
	__u64 random;
	__u64 names[NAMES];	/* versions of what is registered; 0: nothing */
	struct place {
		__u64 id;	/* in line; 0: none */
		__u64 version;	/* of the lock that it has; 0: none */
	} places[LOCKS];
	struct loan {
		__u64 version;	/* 0: none */
		bool timed;
	} loans[JOBS];
	struct armed {
		__u64 id;	/* 0: none */
		__u64 version;	/* that the key had */
		__u64 cookie;	/* of the process that had it then */
		char key[16];
	} armed;
	struct idle {
		__u32 ms;	/* it may be idle for; 0: not there */
		__u64 used_from;	/* it was looked up last after that moment, */
		__u64 used_to;	/* and before that one */
	} idle[MORTALS - TIMED];
	struct replica *replica;
	struct diary *diary;
};

static inline __u32 draw(struct registrant *r, __u32 n)
{
	return choose(&r->random, n);
}

static inline void name_key(char *key, size_t room, __u32 slot, __u32 name)
{
	snprintf(key, room, "p%u.%u", slot, name);
}

static inline void lock_key(char *key, size_t room, __u32 lock)
{
	snprintf(key, room, "lock%u", lock);
}

/*
 * The module knows that this process is exiting before the last thread of it is stopped, and hides
 * what is bound to it. Who lives to see the end of the pause was told a lie.
 */
static inline void wait_for_end(void)
{
	test_pause_ms(5000);
}

__attribute__((format(printf, 3, 4)))
static inline void complain_of_key(struct registrant *r, const char *key, const char *format, ...)
{
	char what[160];
	va_list args;

	wait_for_end();
	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	complain("%u.%u, %s: %s", r->me.slot, r->me.life, key, what);
}

/* False, and a complaint, unless @err is @expected. */
static inline bool came(struct registrant *r, const char *key, const char *what, int err,
			int expected)
{
	if (err != expected && !out_of_memory(r->slot, err))
		complain_of_key(r, key, "%s: %s, not %s", what, strerror(-err),
				strerror(-expected));
	return err == expected;
}

/* What is there: its version, and whose it is. 0, -ENODATA, or no memory. */
static inline int find(struct registrant *r, __u64 table, const char *key, __u64 *version,
		       struct kreg_process *whose)
{
	struct kreg_ioc_op cmd = {
		.size = sizeof(cmd),
		.table = table,
		.op = test_ops(KREG_OP_MEMBER, key),
	};
	int err = test_ioctl(r->fd, KREG_IOC_OP, &cmd);

	*version = err ? 0 : cmd.op.out_version;
	*whose = cmd.out_process;
	if (err && err != -ENODATA)
		came(r, key, "look-up", err, 0);
	return err;
}

static inline void enroll(struct registrant *r, __u32 name)
{
	struct kreg_ioc_register cmd;
	char key[16];
	int err;

	name_key(key, sizeof(key), r->me.slot, name);
	cmd = register_cmd(world->registry, key, "player", 0);
	if (name < LINGERING)
		cmd.linger_ms = test_scale(20 + draw(r, 200));
	err = run_register(r->fd, &cmd);
	if (!came(r, key, "REGISTER", err, r->names[name] ? -EEXIST : 0))
		return;
	if (!test_same(cmd.out_process, r->me.process))
		complain_of_key(r, key, "is that of %u", cmd.out_process.pid);
	if (err && cmd.out_version != r->names[name])
		complain_of_key(r, key, "has version %llu, not %llu",
				(unsigned long long)cmd.out_version,
				(unsigned long long)r->names[name]);
	r->names[name] = cmd.out_version;
	tally(REGISTERED);
}

/* The object is there, since nobody else may remove it. */
static inline bool remove_one(struct registrant *r, __u64 table, const char *key,
			      struct kreg_op *op)
{
	int err = _test_op(r->fd, table, 0, op);

	if (!came(r, key, "DELETE", err, 0))
		return false;
	if (op->out_count != 1)
		complain_of_key(r, key, "was not there any more");
	return true;
}

static inline void unregister(struct registrant *r, __u32 name)
{
	struct kreg_op op;
	char key[16];

	name_key(key, sizeof(key), r->me.slot, name);
	op = test_ops(KREG_OP_DELETE, key);
	op.flags = KREG_OP_VERSION;
	op.arg = r->names[name];
	if (op.arg && remove_one(r, world->registry, key, &op))
		r->names[name] = 0;
}

static inline void update_name(struct registrant *r, __u32 name)
{
	struct kreg_op op;
	char key[16];

	name_key(key, sizeof(key), r->me.slot, name);
	op = test_op_puts(key, "updated");
	op.flags = KREG_OP_BOUND | KREG_OP_MINE;
	/* So it does not linger any more. */
	if (r->names[name] && name >= LINGERING &&
	    came(r, key, "update", _test_op(r->fd, world->registry, 0, &op), 0))
		r->names[name] = op.out_version;
}

static inline void look_at_own(struct registrant *r, __u32 name)
{
	struct kreg_process whose;
	__u64 version;
	char key[16];
	int err;

	name_key(key, sizeof(key), r->me.slot, name);
	err = find(r, world->registry, key, &version, &whose);
	if (err && err != -ENODATA)
		return;
	/* Of the life before. */
	if (!err && !whose.pid && name < LINGERING && !r->names[name])
		return;
	if (version != r->names[name] || (version && !test_same(whose, r->me.process)))
		complain_of_key(r, key, "version %llu of %u, not %llu of %u",
				(unsigned long long)version, whose.pid,
				(unsigned long long)r->names[name], r->me.process.pid);
}

/* Who is there is the one who was there before the look-up, or has come since. */
static inline void look_at_others(struct registrant *r, __u32 slot, __u32 name)
{
	struct who who = alive_in(slot);
	struct kreg_process whose;
	__u64 version;
	char key[16];

	name_key(key, sizeof(key), slot, name);
	if (nobody(who) || find(r, world->registry, key, &version, &whose))
		return;
	tally(LOOKUPS);
	if (!whose.pid && name >= LINGERING)
		complain_of_key(r, key, "is bound to nobody");
	if (whose.pid && whose.cookie != who.process.cookie &&
	    load(&world->slots[slot].life) == who.life)
		complain_of_key(r, key, "is found bound to %u, who is dead; %u lives",
				whose.pid, who.process.pid);
}

static inline void use_names(struct registrant *r)
{
	__u32 name = draw(r, NAMES), what = draw(r, 100);

	if (what < 35)
		enroll(r, name);
	else if (what < 50)
		unregister(r, name);
	else if (what < 60)
		update_name(r, name);
	else if (what < 75)
		look_at_own(r, name);
	else
		look_at_others(r, draw(r, world->players), name);
}

#endif /* KREG_STRESS_NAMES_H */
