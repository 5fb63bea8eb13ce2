/* SPDX-License-Identifier: GPL-2.0 */
/*
 * reuse.pml - a slot is reused only when no reader can be at it, or when the reader
 * notices.
 *
 * Mirrors, in kmod/: apply_put() and kreg_txn_unlink() of txn.c, kreg_limbo_add(),
 * kreg_limbo_close() and kreg_limbo_free() of limbo.c, kreg_limbo_reuse() of
 * limbo.h, take_first_free() and give_slot() of arena.c; of the readers kreg_reader_get()
 * of reader.h in its RCU section. The reader that maps the table does not exist
 * yet: it reads G, then C, then the head, and G again at its end, and believes
 * nothing else, for a grace period does not wait for it.
 *
 * Proved: the reader under RCU never stands on a free slot; a lookup of either
 * reader (of the second, if G says so) returns what commit.pml says, untorn. One
 * reader at a time: they do not see each other.
 *
 * Broken variants:
 *	NO_GRACE	slots come out of limbo at once
 *	COOKIE_FIRST	the grace period is counted from before the unlink
 *	JOIN_WAITING	records join the batch whose grace period has begun
 *	RIPE_FOREVER	a batch that has become ripe makes the next ripe
 *	BUMP_LAST	G goes up when the slot has been scrubbed
 *	NO_SECOND_LOOK	the mapping reader does not look at G at its end
 *	G_SECOND	the mapping reader loads G after the head
 */
#ifndef TXNS
#define TXNS	3
#endif
#define SLOTS	3
#define N	(SLOTS + 1)	/* link[0] is the head */
#define ALIVE	255
#define NONE	0

byte C = 1, G = 1;
byte link[N], key[N], born[N], died[N], low[N], high[N];	/* halves of a value */
byte unused = 8, open, waiting;		/* sets of slots */
bool ripe, inside, awaited;		/* a reader is in its section; a grace period waits for it */
byte was[(TXNS + 2) * 2];		/* ghost: value of key k after commit c */

#define WAS(c, k)	was[(c) * 2 + (k)]
#define BIT(i)		(1 << (i))

/* The lowest of a set. */
inline pick(set, i)
{
	i = 1;
	do :: !(set & BIT(i)) -> i++ :: else -> break od
}

inline begin_grace()
{
	awaited = inside
}

inline close()
{
	if
	:: waiting == 0 && open ->
		waiting = open; open = 0;
#ifndef RIPE_FOREVER
		ripe = false;
#endif
#ifndef COOKIE_FIRST
		begin_grace()
#endif
	:: else
	fi
}

inline scrub(i)
{
	low[i] = 0;
	high[i] = 0;
	d_step { key[i] = 0; born[i] = 0; died[i] = 0; link[i] = 0 }
}

/* kreg_limbo_free() */
inline reclaim()
{
	if
	:: !ripe ->
#ifndef BUMP_LAST
		G++;		/* smp_store_release(), smp_wmb() */
#endif
		ripe = true
	:: else
	fi;
	d_step { pick(waiting, r); waiting = waiting & ~BIT(r); unused = unused | BIT(r) }
	scrub(r);
#ifdef BUMP_LAST
	if :: waiting == 0 -> G++ :: else fi;
#endif
	d_step { close(); r = 0 }
}

inline find()
{
	d_step {
		at = 0;
		do
		:: link[at] && key[link[at]] < k -> at = link[at]
		:: else -> break
		od;
		old = link[at];
		if :: old && key[old] != k -> old = 0 :: else fi
	}
}

inline unlink_dead()
{
	d_step {
		at = 0;
		do :: link[at] != old -> at = link[at] :: else -> break od
	}
#ifdef COOKIE_FIRST
	if :: waiting == 0 -> begin_grace() :: else fi;
#endif
	link[at] = link[old];
	d_step {
#ifdef JOIN_WAITING
		if
		:: waiting -> waiting = waiting | BIT(old)
		:: else -> open = open | BIT(old)
		fi;
#else
		open = open | BIT(old);
#endif
		close()
	}
}

inline write()
{
	if :: k = 0 :: k = 1 fi;
	v = C + 1;
	find();
	d_step { WAS(v, 0) = WAS(C, 0); WAS(v, 1) = WAS(C, 1) }
	if
	:: unused ->		/* put */
		d_step { pick(unused, r); unused = unused & ~BIT(r) }
		low[r] = v; high[r] = v;
		d_step {
			key[r] = k; born[r] = v; died[r] = ALIVE; link[r] = link[at];
			WAS(v, k) = v
		}
		link[at] = r
	:: old -> WAS(v, k) = NONE
	:: else			/* nothing to delete */
	fi;
	if :: old -> died[old] = v :: else fi;
	C = v;
	if :: old -> unlink_dead() :: else fi;
	d_step { at = 0; old = 0; r = 0; k = 0; v = 0 }
}

proctype writer()
{
	byte txns, k, v, at, old, r;

	do
	:: txns < TXNS -> txns++; write()
#ifdef NO_GRACE
	:: waiting -> reclaim()
#else
	:: waiting && (ripe || !awaited) -> reclaim()
#endif
	:: txns == TXNS && !waiting -> break
	od
}

/* One step of the walk; @rcu: the slot may not be free. */
inline walk(rcu)
{
	newer = false; found = 0; steps = 0;
	do
	:: steps <= SLOTS -> steps++;
		at = link[at];
		if :: at == 0 -> break :: else fi;
		assert(!rcu || !(unused & BIT(at)));
		r_key = key[at]; r_born = born[at];
		if
		:: r_key > k -> break
		:: r_key == k && r_born > c -> newer = true
		:: r_key == k && r_born <= c ->
			if :: c < died[at] -> found = at; break :: else fi
		:: else
		fi
	:: else -> break
	od;
	if
	:: found -> value = low[found]; again = high[found]
	:: else -> value = NONE; again = NONE
	fi;
	assert(!rcu || !found || !(unused & BIT(found)))
}

/* A miss that met a younger record counts only if C has not moved. */
inline judge()
{
	atomic {
		assert(value == again);
		do
		:: began <= C && WAS(began, k) != value -> began++
		:: else -> break
		od;
		assert(began <= C)
	}
}

proctype rcu_reader()
{
	byte k, c, at, found, began, value, again, steps, r_key, r_born;
	bool newer;

	if :: k = 0 :: k = 1 fi;
	began = C;
	inside = true;
	do
	:: c = C; at = 0;
		walk(true);
		if :: found || !newer -> break :: else fi;
		if :: C == c -> break :: else fi
	od;
	judge();
	d_step { inside = false; awaited = false }
}

proctype mapping_reader()
{
	byte k, c, g, at, found, began, value, again, steps, r_key, r_born;
	bool newer, sure;

	if :: k = 0 :: k = 1 fi;
	began = C;
#ifdef G_SECOND
	c = C; at = link[0]; g = G;
	/* The walk goes on where the head has pointed to. */
	if :: at -> r_key = key[at] :: else fi;
	if :: at && r_key < k -> skip :: else -> at = 0 fi;
#else
	g = G; c = C; at = 0;
#endif
	walk(false);
	sure = found || !newer || C == c;
#ifndef NO_SECOND_LOOK
	sure = sure && steps <= SLOTS && G == g;
#endif
	if :: sure -> judge() :: else fi
}

/* Both keys are there, one slot is unused. */
init {
	d_step {
		link[0] = 1; link[1] = 2; key[2] = 1;
		born[1] = 1; born[2] = 1; died[1] = ALIVE; died[2] = ALIVE;
		low[1] = 1; high[1] = 1; low[2] = 1; high[2] = 1;
		WAS(1, 0) = 1; WAS(1, 1) = 1
	}
	atomic {
		run writer();
		if :: run rcu_reader() :: run mapping_reader() fi
	}
}
