/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pin.pml - a key is read as of the commit of a pin, in sections, while it is replaced, deleted and
 * cleared, and while that pin and another come and go.
 *
 * Mirrors, in kmod/: kreg_pin_set(), kreg_pin_keep(), kreg_pin_end() and kreg_pin_step() of pin.c,
 * kreg_pin_enter() and kreg_pin_held() of pin.h, kreg_reader_enter_at() of reader.h, kreg_txn_commit()
 * and kreg_txn_unlink() of txn.c, kreg_root_replace(), kreg_root_unpin() and start_ending() of
 * root.c. The list has the versions of one key, the youngest first; record 1 is there from the begin
 * on. What was unlinked is freed when the section that may have begun before is over, and so are
 * roots, with all that is in them.
 *
 * Proved: a reader by a pin that holds to the end of his section has found what was there at its
 * commit, and never comes to anything that is freed.
 *
 * Broken variants:
 *	NO_TURN		the pin is set by its reader, while a write may be under way
 *	NEXT_COMMIT	it is set to the commit that comes next
 *	OLDEST_ONLY	records are kept for the oldest pin alone
 *	DROP_ALL	what the end of a pin leaves is unlinked, though the other pin needs it
 *	CUT_ROOT	a root that was cleared goes after its grace period, whatever is pinned
 *	EARLY_COOKIE	its grace period begins with the clear, and not when no pin needs it
 *	FOLLOW_C	the reader goes by the last commit
 *	NO_FIRST	he does not look whether the pin has ended when his section begins
 *	NO_LAST		nor when he is over
 *	BROKEN_LAST	the end of a pin is told after what it kept was unlinked
 */
#ifndef MOVES
#define MOVES	5	/* writes, and pins that come or go */
#endif
#define N	(MOVES + 2)	/* records; 0 is none */
#define ROOTS	(MOVES + 1)
#define ALIVE	255
#define NEVER	254

byte C = 1, root, added = 1;
byte link[N], born[N], died[N];
bool freed[N];
/* Root r replaces r - 1 with the commit made[r]; its list begins at first[r]. */
byte first[ROOTS], made[ROOTS], root_of[N];
bool cut[ROOTS];
/* Pin 0 is that of the reader. */
bool set[2], broken[2], used[2];
byte pver[2], kept_by[N];	/* 1 + the pin, or 0 */
/* The reader's sections; the one after which something goes, or NEVER. */
byte section;
bool inside, over;
byte waits[N], root_waits[ROOTS];
/* Ghost: the record that is valid at commit c, or 0. */
byte was[MOVES + 3];

#define VALID(r, v)	(born[r] <= v && v < died[r])

inline commit(valid)
{
	d_step {
		C++;
		was[C] = valid
	}
}

/* The pin for which a record is kept, or 2: the youngest at whose commit it was valid. */
inline find_keeper(r)
{
	d_step {
		p = 2;
#ifdef OLDEST_ONLY
		if
		:: set[0] && (!set[1] || pver[0] <= pver[1]) -> p = 0
		:: set[1] && (!set[0] || pver[1] < pver[0]) -> p = 1
		:: else
		fi;
		if
		:: p < 2 && !VALID(r, pver[p]) -> p = 2
		:: else
		fi
#else
		if
		:: set[0] && VALID(r, pver[0]) -> p = 0
		:: else
		fi;
		if
		:: set[1] && VALID(r, pver[1]) && (p == 2 || pver[1] >= pver[0]) -> p = 1
		:: else
		fi
#endif
	}
}

inline wait_for_readers(r)
{
	waits[r] = (inside -> section : 0)
}

/* One that is anywhere in the list. */
inline unlink_record(r)
{
	d_step {
		at = 0;
		i = first[root];
		do
		:: i != r && i -> at = i; i = link[i]
		:: else -> break
		od;
		i = 0
	}
	if
	:: at -> link[at] = link[r]
	:: else -> first[root] = link[r]
	fi;
	wait_for_readers(r)
}

inline find_alive()
{
	d_step {
		w = first[root];
		if
		:: w && died[w] != ALIVE -> w = 0
		:: else
		fi
	}
}

inline put()
{
	find_alive();
	d_step {
		added++;
		born[added] = C + 1;
		died[added] = ALIVE;
		root_of[added] = root;
		link[added] = first[root]
	}
	first[root] = added;
	if
	:: w -> died[w] = C + 1
	:: else
	fi;
	commit(added);
	if
	:: w ->
		find_keeper(w);
		if
		:: p < 2 -> kept_by[w] = p + 1
		:: else -> link[added] = link[w]; wait_for_readers(w)
		fi
	:: else
	fi
}

inline delete()
{
	find_alive();
	if
	:: w ->
		died[w] = C + 1;
		commit(0);
		find_keeper(w);
		if
		:: p < 2 -> kept_by[w] = p + 1
		:: else -> first[root] = link[w]; wait_for_readers(w)
		fi
	:: else
	fi
}

/* Chains become empty: what was kept goes with its root. */
inline clear()
{
	d_step {
		made[root + 1] = C + 1;
		first[root + 1] = 0;
		root_waits[root] = NEVER;
		i = 1;
		do
		:: i < N -> kept_by[i] = 0; i++
		:: else -> break
		od;
		i = 0
	}
	root++;
	commit(0);
#ifdef EARLY_COOKIE
	root_waits[root - 1] = (inside -> section : 0)
#endif
}

/* Another key is written. */
inline write_other()
{
	commit(was[C - 1])
}

inline is_needed(r)
{
	needed = (set[0] && pver[0] < made[r + 1]) || (set[1] && pver[1] < made[r + 1])
}

/* The oldest root that is there begins to wait, or goes. */
inline end_root()
{
	d_step {
		w = 0;
		do
		:: w < root && cut[w] -> w++
		:: else -> break
		od
	}
	if
	:: w < root ->
		is_needed(w);
#ifdef CUT_ROOT
		needed = false;
#endif
		if
		:: needed
		:: !needed && root_waits[w] == NEVER ->
			root_waits[w] = (inside -> section : 0)
		:: !needed && root_waits[w] != NEVER &&
		   (!inside || section != root_waits[w]) ->
			d_step {
				cut[w] = true;
				i = 1;
				do
				:: i <= added && root_of[i] == w -> freed[i] = true; i++
				:: i <= added && root_of[i] != w -> i++
				:: else -> break
				od;
				i = 0
			}
		:: else
		fi
	:: else
	fi
}

/* A record whose section is over. */
inline free_record()
{
	d_step {
		i = 1;
		do
		:: i < N ->
			if
			:: waits[i] != NEVER && !freed[i] && (!inside || section != waits[i]) ->
				freed[i] = true
			:: else
			fi;
			i++
		:: else -> break
		od;
		i = 0
	}
}

inline set_pin(n)
{
	d_step {
#ifdef NEXT_COMMIT
		pver[n] = C + 1;
#else
		pver[n] = C;
#endif
		set[n] = true;
		used[n] = true
	}
}

inline end_pin(n)
{
#ifndef BROKEN_LAST
	broken[n] = true;
#endif
	set[n] = false;
	w = 1;
	do
	:: w < N && kept_by[w] == n + 1 ->
		kept_by[w] = 0;
		find_keeper(w);
#ifdef DROP_ALL
		p = 2;
#endif
		if
		:: p < 2 -> kept_by[w] = p + 1
		:: else -> unlink_record(w)
		fi;
		w++
	:: w < N && kept_by[w] != n + 1 -> w++
	:: else -> break
	od;
#ifdef BROKEN_LAST
	broken[n] = true;
#endif
	w = 0
}

proctype writer()
{
	byte moves, w, at, i, p;
	bool needed;

	do
	:: moves == MOVES -> over = true; break
	:: moves < MOVES ->
		moves++;
		if
		:: put()
		:: delete()
		:: clear()
		:: write_other()
#ifndef NO_TURN
		:: !used[0] -> set_pin(0)
#endif
		:: !used[1] -> set_pin(1)
		:: set[0] -> end_pin(0)
		:: set[1] -> end_pin(1)
		fi
	:: end_root()
	:: free_record()
	od
}

inline enter()
{
	d_step {
		section++;
		inside = true
	}
#ifndef NO_FIRST
	lost = broken[0];
#endif
	v = pver[0];
#ifdef FOLLOW_C
	v = C;
#endif
	r = root;
	do
	:: !lost && made[r] > v ->
		assert(!cut[r - 1]);
		r--
	:: else -> break
	od;
	at = first[r]
}

proctype reader()
{
	byte v, r, at, found, turns;
	bool lost;

#ifdef NO_TURN
	v = C;
	pver[0] = v;
	used[0] = true;
	set[0] = true;
#else
	if
	:: used[0]
	:: over && !used[0] -> turns = 2
	fi;
#endif
	do
	:: turns == 2 || lost -> break
	:: turns < 2 && !lost ->
		turns++;
		found = 0;
		enter();
		do
		:: !lost && at ->
			assert(!freed[at]);
			if
			:: VALID(at, v) && !found -> found = at
			:: else
			fi;
			at = link[at]
		:: else -> break
		od;
#ifndef NO_LAST
		lost = lost || broken[0];
#endif
		assert(lost || found == was[pver[0]]);
		inside = false
	od
}

init {
	d_step {
		first[0] = 1;
		born[1] = 1;
		died[1] = ALIVE;
		was[1] = 1;
		byte k = 0;
		do
		:: k < N -> waits[k] = NEVER; k++
		:: else -> break
		od
	}
	atomic { run writer(); run reader() }
}
