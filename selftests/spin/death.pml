/* SPDX-License-Identifier: GPL-2.0 */
/*
 * death.pml - the death of a watched process is noticed, and once, and no kreg_proc is
 * accessed after it was freed.
 *
 * Mirrors, in kmod/client/exit.c: watch_proc(), exit_notice(), announce_death(),
 * kreg_proc_poke(), kreg_proc_settle(), kreg_proc_death_done(), end_handling(),
 * kreg_proc_death_told() and kreg_proc_exit(); in proc.c kreg_proc_enter(), kreg_proc_find_pid() and
 * kreg_proc_put(); in kmod/writer/death.c hear_news() and advance_here(), which handle
 * the death once, whoever comes first; of the kernel do_exit(), in which a thread leaves
 * its group, then takes wait_pidfd.lock and wakes those who wait, also a second time when
 * the task is reaped, and a tracer's leader, which wakes them while the group lives.
 *
 * Two threads register one process of two threads, each with a kreg_proc of its
 * own if it finds none; there are two writers; then the module is unloaded, where
 * the process may still live.
 *
 * Proved: when the process has died and has been registered, its death has been
 * told, to each writer once, and is handled once for each, perhaps before the writer has
 * been told; it is told of no living process; no kreg_proc is
 * touched before it is there or after it was freed; no notice after the unload;
 * nobody waits for ever.
 *
 * Broken variants:
 *	TEST_FIRST	death is tested before the entry is in the queue, not after
 *	WAKE_BELIEVED	the notice does not test whether the process is dead
 *	TOLD_TWICE	state is tested and set in two steps
 *	HASH_FIRST	a kreg_proc can be found before its entry is in the queue
 *	ENTRY_FORGOTTEN	the entry stays in the queue when all have been told
 *	ENTRY_UNCOUNTED	being in the queue is no reference
 *	NODES_UNCOUNTED	nor is being in a writer's list of deaths
 *	UNLOAD_BLINDLY	unloading forgets those, too, whose death is under way
 */
#define THREADS	2
#define NONE	2

mtype = { ABSENT, THERE, FREED };

byte live = THREADS;
bool attached = true, walked, unloaded, stopping;
byte stopped;
bool wait_lock, procs_lock;
byte hashed = NONE;		/* the kreg_proc that can be found */
byte registered;		/* threads that have registered the process */
mtype is[2] = ABSENT;
bool entry[2];			/* in the wait queue */
bool told[2], settled[2], watched[2];
byte refs[2], unhandled[2];
bool list0[2], list1[2];	/* the writers' lists of deaths */
bool handled0[2], handled1[2];

#define DEAD	(!attached || live == 0)

inline lock(which)
{
	atomic { !which -> which = true }
}

inline get(p)
{
	d_step { assert(is[p] == THERE && refs[p]); refs[p]++ }
}

inline put(p)
{
	d_step {
		assert(is[p] == THERE && refs[p]);
		refs[p]--;
		is[p] = (refs[p] -> THERE : FREED)
	}
}

inline die(p)
{
	assert(is[p] == THERE);
#ifdef TOLD_TWICE
	won = !told[p];
	told[p] = true;
#else
	d_step { won = !told[p]; told[p] = true }	/* cmpxchg */
#endif
	if
	:: won ->
#ifndef NODES_UNCOUNTED
		d_step { assert(is[p] == THERE && refs[p]); refs[p] = refs[p] + 2 }
#endif
		d_step { assert(live == 0 && is[p] == THERE && !list0[p]); list0[p] = true }
		d_step { assert(is[p] == THERE && !list1[p]); list1[p] = true }
	:: else
	fi
}

/* Under wait_pidfd.lock. */
inline notice(p)
{
	assert(is[p] == THERE && !unloaded);
#ifndef WAKE_BELIEVED
	if
	:: DEAD ->
#else
	if
	:: true ->
#endif
		entry[p] = false;
		die(p)
	:: else
	fi
}

inline wake_up()
{
	lock(wait_lock);
	if :: entry[0] -> notice(0) :: else fi;
	if :: entry[1] -> notice(1) :: else fi;
	wait_lock = false
}

proctype victim()
{
	bool won;

	live--;
	do
	:: if
	   :: live				/* a traced leader */
	   :: live -> live--
	   :: walked -> attached = false	/* reaped */
	   fi;
	   wake_up();
	   if
	   :: d_step {
		!live && !walked -> walked = true;
		assert((!watched[0] || told[0]) && (!watched[1] || told[1]))
	      }
	   :: !attached -> break
	   :: else
	   fi
	od
}

inline poke(p)
{
	if :: DEAD -> die(p) :: else fi
}

inline add_entry(p)
{
	lock(wait_lock);
	d_step { assert(is[p] == THERE); entry[p] = true }
	wait_lock = false
}

/* watch(): @p is what can be found in the end. */
inline watch()
{
	d_step { is[id] = THERE; refs[id] = 2; unhandled[id] = 2 }
#ifdef ENTRY_UNCOUNTED
	refs[id]--;
#endif
#ifdef TEST_FIRST
	won = DEAD;
#endif
	lock(procs_lock);
	p = hashed;
	if
	:: p < NONE -> get(p); procs_lock = false; is[id] = FREED
	:: else ->
		p = id;
#ifdef HASH_FIRST
		hashed = id;
		procs_lock = false;
		add_entry(id);
#else
		add_entry(id);
		hashed = id;
		procs_lock = false;
#endif
#ifdef TEST_FIRST
		if :: won -> die(id) :: else fi;
#else
		poke(id);
#endif
		d_step { watched[id] = true; assert(!walked || told[id]) }
	fi
}

inline forget(p)
{
#ifndef ENTRY_FORGOTTEN
	lock(wait_lock);
	entry[p] = false;
	wait_lock = false;
#endif
	d_step { assert(is[p] == THERE && !settled[p]); settled[p] = true }
	/* Those who watch it are told here, see watch.pml. */
	lock(procs_lock);
	d_step { assert(is[p] == THERE && hashed == p); hashed = NONE }
	procs_lock = false;
	put(p)
}

inline death_done(p)
{
	d_step { assert(is[p] == THERE && unhandled[p]); unhandled[p]--; last = unhandled[p] == 0 }
	if :: last -> forget(p) :: else fi
}

/* Under the turn of a writer: is the death still to be handled? */
inline claim_death(which, p)
{
	d_step { assert(is[p] == THERE); won = !which; which = true }
}

/* Whoever asks handles the death, or sleeps until it has been. */
inline settle(p)
{
	if
	:: DEAD ->
		die(p);
		if
		:: claim_death(handled0[p], p); if :: won -> death_done(p) :: else fi;
			claim_death(handled1[p], p); if :: won -> death_done(p) :: else fi
		:: settled[p]
		fi
	:: else
	fi
}

proctype registrar(byte id)
{
	byte p;
	bool won, last;

	lock(procs_lock);
	p = hashed;
	if :: p < NONE -> get(p) :: else fi;
	procs_lock = false;
	if :: p == NONE -> watch() :: else fi;
	if :: settle(p) :: skip fi;
	put(p);
	d_step { p = 0; registered++ }
}

inline unhear(p)
{
#ifndef NODES_UNCOUNTED
	put(p)
#else
	assert(is[p] == THERE)
#endif
}

inline hear(list, which, p)
{
	list = false;
	claim_death(which, p);
	unhear(p);
	if :: won -> death_done(p) :: else fi
}

/* The part of the writers' threads that handles deaths. */
proctype writer0()
{
	bool last, won;

	do
	:: list0[0] -> hear(list0[0], handled0[0], 0)
	:: list0[1] -> hear(list0[1], handled0[1], 1)
	:: stopping && !list0[0] && !list0[1] -> break
	od;
	stopped++
}

proctype writer1()
{
	bool last, won;

	do
	:: list1[0] -> hear(list1[0], handled1[0], 0)
	:: list1[1] -> hear(list1[1], handled1[1], 1)
	:: stopping && !list1[0] && !list1[1] -> break
	od;
	stopped++
}

/* kreg_proc_exit(), kreg_writer_exit(), rcu_barrier() */
proctype unload()
{
	byte p;
	bool won;

	registered == 2;
	do
	:: lock(procs_lock);
		p = hashed;
		if
		:: p == NONE -> procs_lock = false; break
		:: else -> get(p); procs_lock = false
		fi;
		d_step { won = !told[p]; told[p] = true }
#ifdef UNLOAD_BLINDLY
		won = true;
#endif
		if :: won -> forget(p) :: else -> hashed != p fi;
		put(p)
	od;
	unloaded = true;		/* no callback of a wait queue may run from here on */
	stopping = true;
	stopped == 2;
	assert(is[0] != THERE && is[1] != THERE)
}

init {
	atomic {
		run victim(); run registrar(0); run registrar(1);
		run writer0(); run writer1(); run unload()
	}
}
