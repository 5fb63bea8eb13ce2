/* SPDX-License-Identifier: GPL-2.0 */
/*
 * order.pml - marks come into an ordered list and go, the leaf that leads to them is replaced,
 * and a reader misses nothing.
 *
 * Mirrors, in kmod/: insert_mark() and join_buckets() of order_write.c, replace_node() of tree.c,
 * apply_put() and kreg_txn_unlink() of txn.c, kreg_order_mark() and kreg_order_lookup() of
 * order.h. One leaf, the keys 1, 2 and 3, and two marks, of the keys 2 and 3.
 *
 * Proved: a lookup returns what the key had at some commit since it began, and never comes to a
 * mark or leaf whose slot is used again.
 *
 * Broken variants:
 *	LEAF_BEFORE_C	a reader loads the leaf, then C
 *	LEAF_FIRST	the leaf leads to a mark that is not linked yet
 *	LEAF_LAST	a mark is unlinked before the leaf that leads to it is replaced
 *	LINK_ZEROED	a mark that is unlinked loses its link
 *	BEHIND_KEY	a mark stands behind a record of its key
 *	COOKIE_FIRST	the grace period is counted from before the leaf is replaced
 *	NO_GRACE	the slots of a mark and of the leaf before are used again at once
 */
#ifndef MOVES
#define MOVES	3	/* writes, and marks that come or go */
#endif
#define MARK	2	/* and 3: the mark of key k is k; 0 is the head */
#define FIRST	4	/* record */
#define N	(FIRST + 3 + MOVES)
#define ALIVE	255

/* A mark stands before the records of its key. */
#define KEY(i)		(i < FIRST -> i : key[i])
#define RANK(i)		(2 * KEY(i) + (i >= FIRST))

byte C = 1, leaf;
byte link[N], key[N], born[N], died[N];
bool has[(MOVES + 2) * 2];	/* leaf l leads to mark m: has[2 * l + m - MARK] */
bool inside;
/* Of a mark, and of a leaf: a reader may be there still; in limbo; used again. */
bool seen[FIRST], limbo[FIRST], reused[FIRST];
bool seen_leaf[MOVES + 2], limbo_leaf[MOVES + 2], gone[MOVES + 2];
byte was[(MOVES + 2) * 4];	/* ghost: record of key k after commit c, or 0 */

#define HAS(l, m)	has[(l) * 2 + (m) - MARK]
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

/* A new leaf, with the mark or without it; the one before is @r. */
inline replace_leaf(with)
{
	d_step {
		r = leaf; w = leaves + 1;
		HAS(w, MARK) = HAS(r, MARK);
		HAS(w, MARK + 1) = HAS(r, MARK + 1);
		HAS(w, m) = with
	}
	leaves++;
	leaf = w		/* smp_store_release() */
}

inline link_mark()
{
#ifdef BEHIND_KEY
	find(2 * m + 2);
#else
	find(2 * m);
#endif
	link[m] = link[at];
	link[at] = m		/* smp_store_release() */
}

inline unlink_mark()
{
	d_step {
		at = 0;
		do
		:: link[at] != m -> at = link[at]
		:: else -> break
		od
	}
	link[at] = link[m];
#ifdef LINK_ZEROED
	link[m] = 0
#endif
}

inline retire_leaf()
{
	d_step { seen_leaf[r] = inside; limbo_leaf[r] = true }
}

inline retire_mark()
{
	d_step { seen[m] = inside; limbo[m] = true }
}

inline add_mark()
{
#ifdef LEAF_FIRST
	replace_leaf(true);
	link_mark();
#else
	link_mark();
	replace_leaf(true);
#endif
	retire_leaf()
}

inline remove_mark()
{
#ifdef COOKIE_FIRST
	retire_mark();
#endif
#ifdef LEAF_LAST
	unlink_mark();
	retire_mark();
	replace_leaf(false);
#else
	replace_leaf(false);
	/* smp_wmb() */
	unlink_mark();
#endif
	retire_leaf();
#ifndef COOKIE_FIRST
#ifndef LEAF_LAST
	retire_mark()
#endif
#endif
}

/* What is in limbo, and seen by nobody any more, is used again. */
inline reuse()
{
	d_step {
		w = 0;
		do
		:: w < FIRST ->
#ifdef NO_GRACE
			seen[w] = false;
#endif
			if
			:: limbo[w] && !seen[w] -> reused[w] = true
			:: else
			fi;
			w++
		:: else -> break
		od;
		w = 0;
		do
		:: w < MOVES + 2 ->
#ifdef NO_GRACE
			seen_leaf[w] = false;
#endif
			if
			:: limbo_leaf[w] && !seen_leaf[w] -> gone[w] = true
			:: else
			fi;
			w++
		:: else -> break
		od;
		w = 0
	}
}

/* One key is put or deleted. */
inline write()
{
	if :: k = 2 :: k = 3 fi;
	v = C + 1;
	find(2 * k + 1);
	d_step {
		old = link[at];
		if :: old && KEY(old) == k && old >= FIRST :: else -> old = 0 fi;
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
	byte moves, at, old, k, v, r, w, m, leaves, fresh = FIRST + 3;

	do
	:: moves < MOVES -> moves++;
		if
		:: write()
		:: if :: m = MARK :: m = MARK + 1 fi;
			if
			:: !HAS(leaf, m) && !limbo[m] -> add_mark()
			:: HAS(leaf, m) -> remove_mark()
			:: else
			fi
		fi;
		reuse()
	:: break
	od
}

/* The last mark that is not above the key. */
inline descend()
{
	assert(!gone[l]);
	at = 0;
	if
	:: k >= MARK + 1 && HAS(l, MARK + 1) -> at = MARK + 1
	:: !(k >= MARK + 1 && HAS(l, MARK + 1)) && HAS(l, MARK) -> at = MARK
	:: else
	fi;
	assert(!reused[at])
}

inline walk()
{
	newer = false; found = 0;
	do
	:: at = link[at];
		if
		:: at == 0 -> break
		:: at && at < FIRST ->
			assert(!reused[at]);
			if :: at > k -> break :: else fi
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

inline leave()
{
	at = 0;
	do
	:: at < FIRST -> seen[at] = false; at++
	:: else -> break
	od;
	at = 0;
	do
	:: at < MOVES + 2 -> seen_leaf[at] = false; at++
	:: else -> break
	od;
	at = 0
}

/* Two lookups in a row, each in a section of its own. */
proctype reader()
{
	byte k, c, l, at, found, again, began, looks;
	bool newer;

	do
	:: looks < 2 -> looks++;
		if :: k = 2 :: k = 3 fi;
		inside = true;
		began = C;
		do
#ifdef LEAF_BEFORE_C
		:: l = leaf;
			c = C;
#else
		:: c = C;
			l = leaf;
#endif
			descend();
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
			leave()
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
		WAS(1, 1) = FIRST; WAS(1, 2) = FIRST + 1; WAS(1, 3) = FIRST + 2
	}
	atomic { run writer(); run reader() }
}
