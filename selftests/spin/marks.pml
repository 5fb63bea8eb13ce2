/* SPDX-License-Identifier: GPL-2.0 */
/*
 * marks.pml - shortcuts come into a long bucket and go, and a reader misses nothing.
 *
 * Mirrors, in kmod/: link_mark(), link_node() and prune_marks() of marks.c, apply_put()
 * and kreg_txn_unlink() of txn.c, kreg_read_mark() of layout.h and kreg_lookup() of
 * lookup.h. One bucket with the keys 1, 2 and 3, which are their hashes; a mark before
 * 2 and one before 3, and a node that knows both.
 *
 * Proved: a lookup returns what the key had at some commit since it began, and never
 * comes to a mark or node whose slot is used again.
 *
 * Broken variants:
 *	TABLE_LAST	the node is linked before its table is filled
 *	JUMP_OVER	a walk goes on at the first mark that is behind its key
 *	LINK_ZEROED	a mark that is unlinked loses its link
 *	COOKIE_FIRST	the grace period is counted from before the count goes down
 *	NO_GRACE	the slot of a mark is used again at once
 */
#ifndef MOVES
#define MOVES	3	/* writes, and marks and nodes that come or go */
#endif
#define NODE	1	/* 0 is the head */
#define MARK	2	/* and 3 */
#define FIRST	4	/* record */
#define N	(FIRST + 3 + MOVES)
#define ALIVE	255

#define RANK(i)		(2 * key[i] + (i >= FIRST))

byte C = 1, count;
byte link[N], key[N], born[N], died[N], table[2];
bool reused[FIRST], inside, awaited;
byte was[(MOVES + 2) * 4];	/* ghost: record of key k after commit c, or 0 */

#define WAS(c, k)	was[(c) * 4 + (k)]

/* The turn's holder: the link to the first in the list whose rank is not below @rank. */
inline find(rank)
{
	d_step {
		at = 0;
		do
		:: link[at] && RANK(link[at]) < rank -> at = link[at]
		:: else -> break
		od
	}
}

inline add_mark(m)
{
	find(2 * key[m]);
	link[m] = link[at];
	link[at] = m
}

inline add_node()
{
	add_mark(MARK);
	add_mark(MARK + 1);
#ifdef TABLE_LAST
	count = 2; link[NODE] = link[0]; link[0] = NODE;
	table[0] = MARK; table[1] = MARK + 1
#else
	table[0] = MARK; table[1] = MARK + 1; count = 2;
	link[NODE] = link[0];
	link[0] = NODE		/* smp_store_release() */
#endif
}

/* The last mark goes, or the node, if it has none. */
inline remove_one()
{
	r = (count -> MARK + count - 1 : NODE);
#ifdef COOKIE_FIRST
	awaited = inside;
#endif
	if
	:: count -> count--	/* smp_wmb() */
	:: else
	fi;
	d_step {
		at = 0;
		do
		:: link[at] != r -> at = link[at]
		:: else -> break
		od
	}
	link[at] = link[r];
#ifdef LINK_ZEROED
	link[r] = 0;
#endif
#ifndef COOKIE_FIRST
	awaited = inside;
#endif
#ifndef NO_GRACE
	!awaited;
#endif
	reused[r] = true
}

/* One key is put or deleted. */
inline write()
{
	if :: k = 2 :: k = 3 fi;
	v = C + 1;
	find(2 * k + 1);
	d_step {
		old = link[at];
		if :: old && key[old] == k && old >= FIRST :: else -> old = 0 fi;
		w = 0;
		do :: w < 4 -> WAS(v, w) = WAS(C, w); w++ :: else -> break od
	}
	if
	:: d_step {
		r = fresh; fresh++;
		key[r] = k; born[r] = v; died[r] = ALIVE; link[r] = link[at];
		WAS(v, k) = r
	   }
	   link[at] = r;	/* smp_store_release() */
	   at = r
	:: old -> WAS(v, k) = 0
	fi;
	if :: old -> died[old] = v :: else fi;
	C = v;			/* smp_store_release(), smp_wmb() */
	if :: old -> link[at] = link[old] :: else fi
}

proctype writer()
{
	byte moves, at, old, k, v, r, w, fresh = FIRST + 3;
	bool had;

	do
	:: moves < MOVES -> moves++;
		if
		:: write()
		:: !had -> had = true; add_node()
		:: had && !reused[NODE] -> remove_one()
		fi
	:: break
	od
}

/* From the node on, where the walk goes on. */
inline jump()
{
	m = count;
	do
#ifdef JUMP_OVER
	:: m > 1 && key[MARK + m - 2] > k -> m--
#else
	:: m && key[MARK + m - 1] >= k -> m--
#endif
	:: else -> break
	od;
	if
	:: m -> at = table[m - 1]; assert(at && !reused[at])
	:: else
	fi
}

inline walk()
{
	newer = false; found = 0; at = 0;
	do
	:: at = link[at];
		if
		:: at == 0 -> break
		:: at && at < FIRST ->
			assert(!reused[at]);
			if :: key[at] > k -> break :: else fi;
			if :: at == NODE -> jump() :: else fi
		:: at >= FIRST ->
			if
			:: key[at] > k -> break
			:: key[at] == k && born[at] > c -> newer = true
			:: key[at] == k && born[at] <= c ->
				if :: c < died[at] -> found = at; break :: else fi
			:: else
			fi
		fi
	od
}

/* Two lookups in a row, each in a section of its own. */
proctype reader()
{
	byte k, c, m, at, found, again, began, looks;
	bool newer;

	do
	:: looks < 2 -> looks++;
		if :: k = 2 :: k = 3 fi;
		inside = true;
		began = C;
		do
		:: c = C;
			walk();
			if :: found || !newer -> break :: else fi;
			again = C;
			if :: again == c -> break :: else fi
		od;
		atomic {
			do
			:: began <= C && WAS(began, k) != found -> began++
			:: else -> break
			od;
			assert(began <= C);
			inside = false;
			awaited = false
		}
	:: else -> break
	od
}

init {
	d_step {
		link[0] = FIRST; link[FIRST] = FIRST + 1; link[FIRST + 1] = FIRST + 2;
		key[FIRST] = 1; key[FIRST + 1] = 2; key[FIRST + 2] = 3;
		born[FIRST] = 1; born[FIRST + 1] = 1; born[FIRST + 2] = 1;
		died[FIRST] = ALIVE; died[FIRST + 1] = ALIVE; died[FIRST + 2] = ALIVE;
		key[MARK] = 2; key[MARK + 1] = 3;
		WAS(1, 1) = FIRST; WAS(1, 2) = FIRST + 1; WAS(1, 3) = FIRST + 2
	}
	atomic { run writer(); run reader() }
}
