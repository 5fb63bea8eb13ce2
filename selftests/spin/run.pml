/* SPDX-License-Identifier: GPL-2.0 */
/*
 * run.pml - all objects of a key are read as of one commit, in several sections, while others come,
 * die and are cleared.
 *
 * Mirrors, in kmod/: kreg_txn_commit() and kreg_txn_unlink() of txn.c, kreg_root_replace() of
 * root.c, kreg_reader_enter() of reader.h, kreg_walk_seek_behind(), kreg_walk_as_of() and
 * kreg_walk_is_whole() of walk.c, run_whole() of get_run.c. The records of a run stand in the order
 * of their numbers, two from the begin on; a write adds one, kills one, or clears all.
 *
 * Proved: what a reader accepts is what was there at its commit, all of it and nothing else.
 *
 * Broken variants:
 *	KILLED_LAST	a record is unlinked before it is told that one has died
 *	NO_LOOK		the reader does not look whether one has died
 *	LOOK_FIRST	it looks before it has come to the end
 *	OWN_COMMIT	each section goes by the commit that it finds
 *	ANY_ROOT	a section goes on in a root that is younger than the commit
 *	LIVE_ALONE	the reader takes what has not died, whenever it came
 */
#ifndef MOVES
#define MOVES	4	/* writes */
#endif
#define N	(MOVES + 3)	/* records: 1, 2 and those that are added; 0 is none */
#define ALIVE	255

byte C = 1, killed, root, added = 2;
byte link[N], born[N], died[N];
/* Root r replaces r - 1 with the commit made[r]; its list begins at first[r]. */
byte first[MOVES + 1], made[MOVES + 1];
/* Ghosts: record r is there after the writes so far, and at commit c. */
bool there[N], was[(MOVES + 2) * N];

#define WAS(c, r)	was[(c) * N + (r)]

inline commit()
{
	d_step {
		C++;
		i = 1;
		do
		:: i < N -> WAS(C, i) = there[i]; i++
		:: else -> break
		od;
		i = 0
	}
}

inline set_link(before, to)
{
	if
	:: before -> link[before] = to
	:: else -> first[root] = to
	fi
}

inline add_record()
{
	d_step {
		w = added + 1;
		added = w;
		born[w] = C + 1;
		died[w] = ALIVE;
		there[w] = true;
		at = first[root];
		do
		:: at && link[at] -> at = link[at]
		:: else -> break
		od
	}
	set_link(at, w);
	commit()
}

inline unlink_record()
{
	d_step {
		at = 0;
		i = first[root];
		do
		:: i != w -> at = i; i = link[i]
		:: else -> break
		od;
		i = 0
	}
	set_link(at, link[w])
}

/* One of those that are linked. */
inline kill_record()
{
	w = first[root];
	do
	:: w && link[w] -> w = link[w]
	:: break
	od;
	if
	:: w ->
		died[w] = C + 1;
		there[w] = false;
#ifdef KILLED_LAST
		commit();
		unlink_record();
		killed = C
#else
		killed = C + 1;
		commit();
		unlink_record()
#endif
	:: else
	fi
}

inline clear()
{
	d_step {
		made[root + 1] = C + 1;
		first[root + 1] = 0;
		i = 1;
		do
		:: i < N -> there[i] = false; i++
		:: else -> break
		od;
		i = 0
	}
	root++;
	commit()
}

proctype writer()
{
	byte moves, w, at, i;

	do
	:: moves == MOVES -> break
	:: moves < MOVES ->
		moves++;
		if
		:: add_record()
		:: kill_record()
		:: clear()
		fi
	od
}

/* A section begins: the commit, the root that was in force then, its first record. */
inline enter()
{
	c = C;
	r = root;
	do
	:: made[r] > c -> r--
	:: else -> break
	od;
	if
	:: v == 0 -> v = c
	:: else ->
#ifdef OWN_COMMIT
		v = c
#endif
		skip
	fi;
	lost = made[r] > v;
#ifdef ANY_ROOT
	lost = false;
#endif
	at = first[r]
}

inline seek_behind()
{
	do
	:: at && at <= last -> at = link[at]
	:: else -> break
	od
}

inline take_record()
{
#ifdef LIVE_ALONE
	took[at] = died[at] == ALIVE;
#else
	took[at] = born[at] <= v && v < died[at];
#endif
	last = at;
	at = link[at]
}

proctype reader()
{
	byte v, c, r, at, last, seen, i;
	bool lost, took[N];

#ifdef LOOK_FIRST
	seen = killed;
#endif
	enter();
	do
	:: lost -> break
	:: !lost && at -> take_record()
	/* There is no time, or no room, for more in this section. */
	:: !lost && at && last -> enter(); seek_behind()
	:: !lost && !at -> break
	od;
#ifndef LOOK_FIRST
	seen = killed;
#endif
#ifdef NO_LOOK
	seen = 0;
#endif
	if
	:: lost || seen > v
	:: else ->
		d_step {
			i = 1;
			do
			:: i < N -> assert(took[i] == WAS(v, i)); i++
			:: else -> break
			od
		}
	fi
}

init {
	d_step {
		first[0] = 1; link[1] = 2;
		born[1] = 1; born[2] = 1;
		died[1] = ALIVE; died[2] = ALIVE;
		there[1] = true; there[2] = true;
		WAS(1, 1) = true; WAS(1, 2) = true
	}
	atomic { run writer(); run reader() }
}
