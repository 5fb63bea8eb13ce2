/* SPDX-License-Identifier: GPL-2.0 */
/*
 * commit.pml - a write, of any size, becomes visible at once, to a reader who
 * takes no lock and waits for nobody.
 *
 * Mirrors, in kmod/: kreg_txn_begin(), kreg_store_find() of place.c; apply_put(), mark_dead(),
 * apply_clear(), kreg_txn_commit() and kreg_txn_unlink() of txn.c; kreg_root_replace() of root.c;
 * kreg_reader_enter() and kreg_reader_get() of reader.h, and kreg_lookup() of lookup.h.
 * There is one bucket (index.pml has more) and nothing is reused (reuse.pml). Readers
 * change nothing, so one of them, and one lookup, will do.
 *
 * Proved: a lookup returns what a commit has left for its key, of those from the
 * one in force when it began to the one in force when it ended.
 *
 * Broken variants:
 *	NO_RETRY	a miss is believed although a younger record was met
 *	NO_READ_BARRIER	the reader's second load of C is done before its walk
 *	UNLINK_FIRST	the dead are unlinked before the commit
 *	COMMIT_FIRST	C goes up before the records are linked
 *	COMMIT_EACH	one store of C an operation of the batch
 *	PUBLISH_FIRST	a record is linked before it is written
 *	ROOT_FIRST	the reader loads the root before C
 *	ROOT_BLIND	the reader takes the newest root, whatever its C is
 */
#ifndef TXNS
#define TXNS	2
#endif
#define OPS	2	/* in a batch, at most */
#define ROOTS	3	/* two clears */
#define FIRST	3	/* record; before them are the heads of the roots */
#define N	(FIRST + 2 + TXNS * OPS)
#define ALIVE	255

byte C = 1, root = 0;
byte link[N], key[N], born[N], died[N], limbo[N];
byte root_born[ROOTS], previous[ROOTS];
byte was[(TXNS + 2) * 2];	/* ghost: record of key k after commit c, or 0 */

#define WAS(c, k)	was[(c) * 2 + (k)]

inline write_record()
{
	d_step { key[r] = k; born[r] = v; died[r] = ALIVE; link[r] = link[at] }
}

inline kill(ref)
{
	died[ref] = v;
	d_step { limbo[ref] = dead; dead = ref }
}

/* The holder of the turn walks in one atomic step: nobody else changes a link. */
inline find()
{
	d_step {
		at = root;
		do
		:: link[at] && key[link[at]] < k -> at = link[at]
		:: else -> break
		od;
		old = link[at];
		if
		:: old && (key[old] != k || died[old] != ALIVE) -> old = 0
		:: else
		fi
	}
}

inline operation()
{
	if :: k = 0 :: k = 1 fi;
	find();
	if
	:: r = fresh; fresh++;		/* put */
		WAS(v, k) = r;
#ifdef PUBLISH_FIRST
		d_step { next = link[at]; link[at] = r; link[r] = next }
		d_step { key[r] = k; born[r] = v; died[r] = ALIVE }
#else
		write_record();
#ifdef COMMIT_FIRST
		C = v;
#endif
		link[at] = r;		/* smp_store_release() */
#endif
		if :: old -> kill(old) :: else fi
	:: old -> WAS(v, k) = 0; kill(old)	/* delete */
	:: roots < ROOTS ->		/* clear */
		d_step {
			root_born[roots] = v; previous[roots] = root;
			WAS(v, 0) = 0; WAS(v, 1) = 0
		}
		root = roots;
		roots++; dead = 0
	fi
}

inline settle()
{
	do
	:: dead ->
		d_step {
			at = root;
			do :: link[at] != dead -> at = link[at] :: else -> break od
		}
		link[at] = link[dead];	/* the dead record keeps its link */
		dead = limbo[dead]
	:: else -> break
	od
}

proctype writer()
{
	byte txns, ops, v, k, at, old, r, dead, next, fresh = FIRST + 2, roots = 1;

	do
	:: txns < TXNS ->
		d_step {
			txns++; v = C + 1; ops = 0;
			WAS(v, 0) = WAS(C, 0); WAS(v, 1) = WAS(C, 1)
		}
		do
		:: ops < OPS -> ops++; operation()
#ifdef COMMIT_EACH
			; C = v
#endif
		:: ops -> break
		od;
#ifdef UNLINK_FIRST
		settle();
#endif
		C = v;			/* smp_store_release(), smp_wmb() */
		settle()
	:: break
	od
}

inline enter()
{
#ifdef ROOT_FIRST
	at = root; c = C;
#else
	c = C; at = root;
#endif
#ifdef NO_READ_BARRIER
	again = C;
#endif
#ifndef ROOT_BLIND
	do
	:: root_born[at] > c -> at = previous[at]
	:: else -> break
	od
#endif
}

inline walk()
{
	newer = false; found = 0;
	do
	:: at = link[at];
		if
		:: at == 0 || key[at] > k -> break
		:: else
		fi;
		if
		:: at && key[at] == k && born[at] > c -> newer = true
		:: at && key[at] == k && born[at] <= c ->
			if
			:: c < died[at] -> found = at; break
			:: else
			fi
		:: else
		fi
	od
}

proctype reader()
{
	byte k, c, at, found, again, began;
	bool newer;

	if :: k = 0 :: k = 1 fi;
	began = C;
	do
	:: enter(); walk();
#ifdef NO_RETRY
		break;
#endif
		if :: found || !newer -> break :: else fi;
#ifndef NO_READ_BARRIER
		again = C;
#endif
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

init {
	d_step {
		link[0] = FIRST; link[FIRST] = FIRST + 1;
		key[FIRST + 1] = 1;
		born[FIRST] = 1; born[FIRST + 1] = 1;
		died[FIRST] = ALIVE; died[FIRST + 1] = ALIVE;
		WAS(1, 0) = FIRST; WAS(1, 1) = FIRST + 1
	}
	atomic { run writer(); run reader() }
}
