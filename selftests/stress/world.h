/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the processes of the stress program share: who they are, what they have
 * done, and what was found wrong.
 *
 * The *referee* starts *players*, kills them and starts others in their place.
 * Each player is in a slot and has a life, a number that is never used again in
 * that slot. One thread of a player deals with ownership (stress/owner.h), the
 * others, *lanes*, with objects (stress/lane.h, stress/read.h).
 */
#ifndef KREG_STRESS_WORLD_H
#define KREG_STRESS_WORLD_H

#include <stdarg.h>

#include "kit/event.h"
#include "kit/kid.h"
#include "kit/op.h"

#define PLAYERS		16		/* at most */
#define REFEREE		PLAYERS		/* its slot */
#define LANES		2		/* of a player */
#define ALL_LANES	(PLAYERS * LANES)
#define KEPT		3		/* tables that are never destroyed */
#define WILD		4		/* tables of which anything may become */
#define TABLES		(KEPT + WILD)
#define KEYS		64		/* of a lane, in each kept table */
#define GROUP		40		/* of them are always written together */
#define WRITER_ROLE	0		/* the kept table whose owner may write to another one */
#define FOLLOWED	1		/* the kept table that another one follows */
#define NAMES		6		/* that a player registers, in the registry */
#define LOCKS		3		/* in it, of which anybody may be the holder */
#define JOBS		6		/* objects that anybody may have on loan */
#define MORTALS		8		/* objects of a player that expire: */
#define TIMED		5		/* so many by the clock, the others when they are idle */
#define PURSES		8		/* tables with shares of accounts, all of one writer */
#define ACCOUNTS	6
#define STEPS		12		/* numbers of a lane that are changed together */
#define COMPLAINTS	40		/* kept as text */

/* A process that was, or is. Life 0: nobody. */
struct who {
	__u32 slot;
	__u32 life;
	struct kreg_process process;
};

/*
 * Versions of a key: odd, it is there; even, it is not. Written by the lane that
 * the key belongs to: @hi before a write is issued, @now when it was accepted, @lo
 * when everybody must see it.
 */
struct cell {
	__u32 lo;
	__u32 now;
	__u32 hi;
};

/* The write that a lane has under way, for the case that it does not return. */
struct under_way {
	__u32 active;
	__u32 table;
	__u32 count;
	bool each;			/* not all or nothing */
	__u32 key[KEYS];
	__u32 old[KEYS];
	__u32 new[KEYS];
};

struct lane {
	struct cell cells[KEPT][KEYS];
	struct under_way op;
	__u64 steps_lo;			/* its steps are no less, */
	__u64 steps_hi;			/* and no more */
};

enum pending {
	NOTHING,
	GIVE,				/* to @to, with @token */
	HEIR,				/* it is to be @to, with @token */
	ORPHAN,				/* it is to be @new_orphan */
	PARK,
	DESTROY,
	MUTATE,				/* the objects are to be of @new_generation */
};

/*
 * What the owner of a table knows of it, written by nobody else. What the owner
 * is about to change is pending before it asks for it.
 */
struct intent {
	__u64 id;
	struct who owner;
	struct who heir;
	bool silent;
	__u64 heir_token;
	__u64 other_token;		/* or this, by one who did not return */
	__u32 orphan;
	__u64 orphan_ms;
	__u32 generation;		/* of the objects of a wild table */
	__u64 when;
	__u64 dead_claimants;		/* world->dead_claimants of the table then */
	enum pending pending;
	struct who to;
	__u64 token;
	bool new_silent;
	__u32 new_orphan;
	__u64 new_orphan_ms;
	__u32 new_generation;
};

/* Two, so that a writer who is killed leaves one of them whole. */
struct intent_log {
	struct intent intents[2];
	__u32 current;
};

/* What one at a time may have. */
struct turn {
	__u64 whose;			/* slot and life of one who has it; 0: nobody */
	__u64 version;			/* that came with it */
};

/* Of an object that expires: which write is there. Written by its player alone. */
struct lifetime {
	__u64 begun;			/* the last one, which may be under way */
	__u64 done;			/* the last that is known to be done; */
	__u64 expires;			/* when what it has put does; 0: it does not */
};

enum vault_state { WRITABLE, SEALING, SEALED };

/* A table of a player's, which the player alone changes here. */
struct vault {
	__u32 epoch;			/* odd: another table is made; 0: there never was one */
	__u32 state;
	__u64 id;
	__u32 schema_lo;		/* its version is no less, */
	__u32 schema_hi;		/* and no more */
	__u64 version;			/* of the last write, and */
	__u64 objects;			/* how many there are, if it is sealed */
};

enum phase { PLAY, HUSH, SETTLE, LEAVE };

struct slot {
	struct kreg_process self;	/* of the life that is @ready */
	__u32 ready;
	__u32 life;
	__u32 ending;			/* this life is to end, or has ended */
	__u32 quiet;			/* this life has come to rest */
	__u32 settled;			/* and knows what it has: world->settle */
	__u32 claiming;			/* a table, from 1 */
	__u8 owned[TABLES];
	pid_t pid;
	bool limited;			/* in a small memory cgroup: may be killed any time */
	bool oom_exempt;		/* likewise, but is not killed for it */
};

enum counter {
	WRITES, ASYNC, BATCHES, READS, SCANS, GIFTS, LEGACIES, SILENT, PARKS,
	CLAIMS, CREATED, DESTROYED, MUTATED, DEATHS, KILLS, OOMS, NOMEMS, FORKS,
	REFUSED, BACKLOG, UNLOADS, FLIPS, WATCHES, CANCELS, DOWNS,
	BY_ROLE, EXDEVS, FENCED, FOLLOWED_BY,
	REGISTERED, LOOKUPS, LOCKED, LOANS, SLEPT, SUBSCRIBED, EVENTS, COMPARED,
	ASKED, COUNTED, REMOVED, STEPPED, STEPS_SEEN,
	MOVED, RACED, HALF, EXPIRED, IDLED, ENDS,
	SEALS, EROFSES, EPROTOTYPES, COUNTERS
};

static const char * const counter_names[COUNTERS] = {
	"writes", "asynchronous", "batches", "reads", "scans", "gifts",
	"legacies", "silent", "parks", "claims", "created", "destroyed",
	"mutated", "deaths", "kills", "oom-kills", "enomem", "forks",
	"refused", "backlog", "unloads-refused", "lend-flips",
	"watches", "cancels", "downs",
	"by role", "exdev", "fenced", "followed",
	"registered", "look-ups", "locked", "loans", "sleeps", "subscriptions", "events",
	"compared", "searches", "counted", "removed", "steps", "steps seen",
	"groups", "groups raced", "groups refused",
	"expired", "idle too long", "ends told",
	"seals", "erofs", "eprototype",
};

struct world {
	__u64 seed;			/* of this round */
	__u32 players;
	__u32 phase;
	__u32 settle;
	__u64 ids[TABLES];
	__u64 dead_claimants[TABLES];		/* who died while claiming it */
	struct intent_log intents[TABLES];
	__u64 registry;			/* id of the table of names and locks */
	__u64 jobs;			/* id of the table of jobs */
	__u64 fenced;			/* id of the table that a role may write to */
	struct vault vaults[PLAYERS];
	__u64 mortals;			/* id of the table of objects that expire */
	struct lifetime lifetimes[PLAYERS][MORTALS];
	__u64 purses[PURSES];		/* ids of the tables of accounts */
	__u64 moves[ACCOUNTS];		/* of each, at least so many are done */
	__u64 steps;			/* id of the table of lanes' steps */
	__u64 follower;			/* id of the table that follows a kept one */
	struct turn locks[LOCKS];
	struct turn job_turns[JOBS];
	struct slot slots[PLAYERS + 1];
	struct lane lanes[ALL_LANES];
	__u64 counts[COUNTERS];
	__u32 complaints;
	char texts[COMPLAINTS][360];
};

static struct world *world;

#define load(p)		__atomic_load_n(p, __ATOMIC_ACQUIRE)
#define store(p, v)	__atomic_store_n(p, v, __ATOMIC_RELEASE)

static inline void tally(enum counter what)
{
	__atomic_fetch_add(&world->counts[what], 1, __ATOMIC_RELAXED);
}

/* Something is not as it must be. */
__attribute__((format(printf, 1, 2)))
static inline void complain(const char *format, ...)
{
	__u32 n = __atomic_fetch_add(&world->complaints, 1, __ATOMIC_RELAXED);
	va_list args;

	if (n >= COMPLAINTS)
		return;
	va_start(args, format);
	vsnprintf(world->texts[n], sizeof(world->texts[n]), format, args);
	va_end(args);
}

static inline __u64 mix(__u64 x)
{
	x += 0x9e3779b97f4a7c15ULL;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

/* A thread's own source of choices, which its seed repeats. */
static inline __u32 choose(__u64 *state, __u32 n)
{
	*state = mix(*state);
	return (*state >> 16) % n;
}

static inline bool nobody(struct who who)
{
	return !who.life;
}

static inline bool same_life(struct who a, struct who b)
{
	return a.slot == b.slot && a.life == b.life;
}

/* It is dead, or may be about to die; never wrong about those that have died. */
static inline bool may_be_dead(struct who who)
{
	struct slot *slot = &world->slots[who.slot];

	if (nobody(who))
		return false;
	return slot->limited || load(&slot->life) != who.life ||
	       load(&slot->ending) == who.life;
}

/* Who plays in this slot; nobody, if none is ready. He may have died by now. */
static inline struct who alive_in(__u32 slot)
{
	struct who who = { .slot = slot };

	who.life = load(&world->slots[slot].ready);
	who.process = world->slots[slot].self;
	if (load(&world->slots[slot].ready) != who.life)
		who.life = 0;
	return who;
}

static inline void end_life(struct slot *slot, __u32 life)
{
	store(&slot->ending, life);
}

/* For a player with little memory: not even what it needs to go on. */
static inline void give_up(struct slot *slot)
{
	end_life(slot, slot->life);
	_exit(KID_ERROR);
}

static inline bool playing(void)
{
	return load(&world->phase) == PLAY;
}

static inline void table_name(unsigned int table, char *name, size_t room)
{
	snprintf(name, room, "%s%u", table < KEPT ? "kept" : "wild", table);
}

static inline struct intent *intent_of(unsigned int table)
{
	struct intent_log *intents = &world->intents[table];

	return &intents->intents[load(&intents->current) & 1];
}

static inline void write_intent(unsigned int table, const struct intent *intent)
{
	struct intent_log *intents = &world->intents[table];
	__u32 next = load(&intents->current) + 1;

	intents->intents[next & 1] = *intent;
	intents->intents[next & 1].when = test_now_ns();
	store(&intents->current, next);
}

#endif /* KREG_STRESS_WORLD_H */
