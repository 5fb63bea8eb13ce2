/* SPDX-License-Identifier: GPL-2.0 */
/*
 * index.pml - while buckets are added and removed a reader misses no record.
 *
 * Mirrors, in kmod/: kreg_index_grow() and shrink_index() of index_hash.c,
 * apply_put(), grow_index(), link_to() and kreg_txn_unlink() of txn.c,
 * kreg_reader_enter() of reader.h and kreg_lookup() of lookup.h, whose DOC in layout.h
 * says why it is right. Hashes have two bits and are the keys; in the list they stand
 * as 0, 2, 1, 3. The index never shrinks below 32 buckets in fact, nor does it grow at
 * random: here it does.
 *
 * Proved: as in commit.pml.
 *
 * Broken variants:
 *	COUNT_FIRST	the reader loads the number of buckets before C
 *	HEAD_LAST	a bucket counts before its head is filled
 *	HEAD_ZEROED	the head of a removed bucket is set to 0
 *	CHAIN_UNCUT	a new bucket's head leads into the chain of its parent, which
 *			goes on as it was
 */
#ifndef MOVES
#define MOVES	4	/* writes, buckets added, buckets removed */
#endif
#define BUCKETS	4
#define FIRST	BUCKETS	/* record; before them are the heads */
#define N	(FIRST + 3 + MOVES)
#define TAG	128
#define ALIVE	255

#define RANK(h)		(((h) & 1) * 2 + (h) / 2)
#define BUCKET(h, n)	((n) == 1 -> 0 : ((n) == 2 || ((h) >= (n)) -> (h) & 1 : (h)))
#define PARENT(b)	((b) == 3)

byte C = 1, n = 2;
byte link[N], key[N], born[N], died[N];
byte was[(MOVES + 2) * 4];	/* ghost: record of key k after commit c, or 0 */

#define WAS(c, k)	was[(c) * 4 + (k)]

/* The turn's holder: the link to the first record of bucket BUCKET(k) not before k. */
inline find(k)
{
	d_step {
		at = BUCKET(k, n);
		do
		:: link[at] && !(link[at] & TAG) && RANK(key[link[at]]) < RANK(k) ->
			at = link[at]
		:: else -> break
		od;
		old = link[at];
		if
		:: old && ((old & TAG) || key[old] != k || died[old] != ALIVE) -> old = 0
		:: else
		fi
	}
}

inline grow()
{
	d_step {
		at = PARENT(n);
		do
		:: link[at] && !(link[at] & TAG) && !(key[link[at]] & (n ^ PARENT(n))) ->
			at = link[at]
		:: else -> break
		od
	}
#ifdef HEAD_LAST
	n++;
	link[n - 1] = link[at];
	link[at] = TAG | (n - 1)
#else
	link[n] = link[at];
#ifndef CHAIN_UNCUT
	link[at] = TAG | n;	/* smp_store_release() */
#endif
	n++			/* smp_store_release() */
#endif
}

inline shrink()
{
	n--;			/* smp_wmb() */
	d_step {
		at = PARENT(n);
		do
		:: link[at] && !(link[at] & TAG) -> at = link[at]
		:: else -> break
		od
	}
	if :: link[at] == (TAG | n) -> link[at] = link[n] :: else fi
#ifdef HEAD_ZEROED
	; link[n] = 0
#endif
}

/* One key is put or deleted; the index may grow before the commit. */
inline write()
{
	if :: k = 1 :: k = 3 fi;
	v = C + 1;
	find(k);
	d_step { w = 0; do :: w < 4 -> WAS(v, w) = WAS(C, w); w++ :: else -> break od }
	if
	:: d_step {
		r = fresh; fresh++;
		key[r] = k; born[r] = v; died[r] = ALIVE; link[r] = link[at];
		WAS(v, k) = r
	   }
	   link[at] = r		/* smp_store_release() */
	:: old -> WAS(v, k) = 0
	fi;
	if :: old -> died[old] = v :: else fi;
	if
	:: n < BUCKETS && moves < MOVES -> moves++; grow()
	:: skip
	fi;
	C = v;			/* smp_store_release(), smp_wmb() */
	if
	:: old ->
		d_step {
			at = BUCKET(k, n);
			do
			:: link[at] && link[at] != old && !(link[at] & TAG) -> at = link[at]
			:: else -> break
			od
		}
		if :: link[at] == old -> link[at] = link[old] :: else fi
	:: else
	fi
}

proctype writer()
{
	byte moves, at, old, k, v, r, w, fresh = FIRST + 3;

	do
	:: moves < MOVES -> moves++;
		if
		:: write()
		:: n < BUCKETS -> grow()
		:: n > 1 -> shrink()
		fi
	:: break
	od
}

inline walk()
{
	newer = false; found = 0;
	do
	:: at = link[at];
		if
		:: at == 0 -> break
		:: at & TAG ->
			at = at - TAG;
			if :: RANK(k) < RANK(at) -> break :: else fi
		:: else ->
			if
			:: RANK(key[at]) > RANK(k) -> break
			:: key[at] == k && born[at] > c -> newer = true
			:: key[at] == k && born[at] <= c ->
				if :: c < died[at] -> found = at; break :: else fi
			:: else
			fi
		fi
	od
}

proctype reader()
{
	byte k, c, m, at, found, again, began;
	bool newer;

	if :: k = 1 :: k = 3 fi;
	began = C;
	do
	::
#ifdef COUNT_FIRST
		m = n; c = C;
#else
		c = C; m = n;
#endif
		at = BUCKET(k, m);
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
		assert(began <= C)
	}
}

/* Records of 2 in bucket 0, of 1 and 3 in bucket 1. */
init {
	d_step {
		link[0] = FIRST; key[FIRST] = 2; link[FIRST] = TAG | 1;
		link[1] = FIRST + 1; key[FIRST + 1] = 1; link[FIRST + 1] = FIRST + 2;
		key[FIRST + 2] = 3;
		born[FIRST] = 1; born[FIRST + 1] = 1; born[FIRST + 2] = 1;
		died[FIRST] = ALIVE; died[FIRST + 1] = ALIVE; died[FIRST + 2] = ALIVE;
		WAS(1, 2) = FIRST; WAS(1, 1) = FIRST + 1; WAS(1, 3) = FIRST + 2
	}
	atomic { run writer(); run reader() }
}
