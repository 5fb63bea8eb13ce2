/* SPDX-License-Identifier: GPL-2.0 */
/*
 * turn.pml - one writer at a time, in order, and nothing stays queued while the
 * thread sleeps.
 *
 * Mirrors, in kmod/: all of writer.c (kreg_writer_borrow(), kreg_writer_post(),
 * perform_lent(), kreg_writer_submit(), apply_some(), apply_queue(), bury(),
 * drain(), tend(), run(), kreg_writer_add_death(), kreg_writer_wake(),
 * kreg_writer_help()); of proc.c die() and kreg_proc_settle_all(); of ops_sync.c
 * kreg_ops_sync(). The thread ends when nothing is left to do; asleep before that,
 * it is found in an invalid end state.
 *
 * One client queues a batch of two steps that it does not wait for, writes with a
 * lent turn or through the queue, may be killed there, and dies, which is one or
 * two pieces of work. Another writes. A third calls SYNC, and helps with the death.
 *
 * Proved: nobody changes a table while another does, nor between the steps of a
 * batch; what a client has queued is applied before what it writes later, and
 * before its death; all is applied and the death handled; SYNC returns when the
 * writes and the deaths that it could know of have been handled.
 *
 * Broken variants:
 *	STATE_LAST	the thread says that it sleeps after it has looked for work
 *	TURN_UNLENT	a caller writes without the turn
 *	BUSY_IGNORED	a turn is lent although the thread has work in its hands
 *	BUSY_LATE	the thread says that it is busy when it has let the turn go
 *	QUEUE_IGNORED	a turn is lent although something is queued
 *	QUEUE_BEFORE_TURN	the queue is taken off before the turn is taken
 *	QUEUE_BEFORE_DEATHS	the queue is taken off before the deaths
 *	HELP_BLINDLY	a helper does not look at the queue when it has the death
 *	HELP_DROPS	a helper forgets the death that it cannot see to its end
 *	SYNC_PASSES	SYNC goes through the queue twice and waits for no death
 */
#define BATCH	0		/* requests */
#define WRITE	1
#define OTHER	2
#define PASS	3
#define REQUESTS	5
#define NONE	REQUESTS

bool turn, busy, asleep, inside, tending;
byte queue[REQUESTS], queued;		/* requests, oldest first */
bool death;				/* the list of them */
bool accepted[REQUESTS], applied[REQUESTS], done[REQUESTS];
bool dead, told, buried;
byte pieces;				/* of the death still to be done */
byte half = NONE;			/* the batch that is half applied */
byte ended;

#define HAS_WORK	(queued || death)
#define ALL_DONE	(ended == 3 && applied[BATCH] && buried && !tending)

inline lock()
{
	atomic { !turn -> turn = true }
}

inline trylock()
{
	atomic { mine = !turn; turn = turn || mine }
}

/* wake_up_process(), if @over says that the list was empty. */
inline wake()
{
	if
	:: d_step { over -> over = false; asleep = false }
	:: else
	fi
}

/* A step of a request under the turn; @over: it was the last. */
inline step(i)
{
	d_step { assert(!inside); inside = true }
	d_step {
		assert(half == NONE || half == i);
		assert(i >= OTHER || !buried);
		assert(i != WRITE || applied[BATCH]);
		over = i != BATCH || half == i;
		half = (over -> NONE : i);
		applied[i] = over;
		inside = false
	}
	/* kreg_writer_tend() */
	if
	:: d_step { i == BATCH && over && !tending -> tending = true; asleep = false }
	:: else
	fi
}

/* A piece of the death under the turn. */
inline handle_death()
{
	d_step { assert(!inside && half == NONE); inside = true }
	d_step {
		assert(pieces && applied[BATCH]);
		assert(!accepted[WRITE] || applied[WRITE]);
		pieces--;
		over = pieces == 0;
		inside = false
	}
}

inline post(i)
{
	d_step {
		over = queued == 0; accepted[i] = true;
		queue[queued] = i; queued++
	}
	wake()
}

inline post_death()
{
	death = true;		/* kreg_writer_add_death() */
	asleep = false		/* kreg_writer_wake() */
}

inline die()
{
	if
	:: d_step { !told -> told = true }	/* cmpxchg */
		post_death()
	:: else
	fi
}

/* perform_lent() with kreg_writer_borrow(), else through the queue. */
inline submit(i)
{
	mine = false;
#ifdef TURN_UNLENT
	if :: !HAS_WORK && !busy -> mine = true :: else fi;
#elif defined(QUEUE_IGNORED)
	trylock();
#else
	if :: !HAS_WORK -> trylock() :: else fi;
#endif
#ifndef BUSY_IGNORED
	if
	:: d_step { mine && busy -> turn = false; mine = false }
	:: else
	fi;
#endif
	if
	:: mine ->
		accepted[i] = true; step(i);
		d_step { turn = false; over = false }
	:: else -> post(i)
	fi
}

inline help()
{
	trylock();
	if
	:: mine ->
		if
		:: d_step { !busy && death -> death = false }
#ifdef HELP_BLINDLY
			handle_death();
#else
			if :: !queued -> handle_death() :: else fi;
#endif
			mine = over;
#ifndef HELP_DROPS
			if :: !mine -> post_death() :: else fi;
#endif
			turn = false;
			if :: mine -> buried = true :: else fi
		:: else -> turn = false
		fi;
		d_step { mine = false; over = false }
	:: else
	fi
}

proctype client()
{
	bool over, mine;

	post(BATCH);
	submit(WRITE);
	if
	:: mine || done[WRITE]
	:: true				/* killed while it waits */
	fi;
	dead = true;			/* signal->live is 0 */
	die();				/* in the exit notifier */
	ended++
}

proctype bystander()
{
	bool over, mine;

	submit(OTHER);
	mine || done[OTHER];
	ended++
}

/* kreg_ops_sync() */
proctype sync()
{
	bool over, mine, knew, owed;

	d_step { owed = accepted[BATCH]; knew = dead }
	if :: knew -> die(); help() :: else fi;
#ifdef SYNC_PASSES
	submit(PASS + 1);
	mine || done[PASS + 1];
#else
	!knew || buried;
#endif
	submit(PASS);
	mine || done[PASS];
	assert(!owed || applied[BATCH]);
	assert(!knew || !pieces);
	ended++
}

/* llist_del_all() */
inline take()
{
	d_step {
		last = 0; r = 0;
		do
		:: last < queued -> taken[last] = queue[last]; queue[last] = 0; last++
		:: else -> break
		od;
		queued = 0
	}
}

inline drain()
{
#ifdef QUEUE_BEFORE_TURN
	take();
#endif
	lock();
#ifdef QUEUE_BEFORE_DEATHS
	take();
#endif
	d_step { mine = death; death = false }
#if !defined(QUEUE_BEFORE_TURN) && !defined(QUEUE_BEFORE_DEATHS)
	take();
#endif
#ifdef BUSY_LATE
	turn = false; busy = true;
#else
	busy = true; turn = false;
#endif
	do
	:: r < last ->
		lock(); step(taken[r]); turn = false;
		if :: d_step { over -> done[taken[r]] = true; over = false; r++ } :: else fi
	:: else -> break
	od;
	atomic { do :: r -> r--; taken[r] = 0 :: else -> last = 0; break od }
	do
	:: mine ->
		lock(); handle_death(); turn = false;
		if :: d_step { over -> mine = false; buried = true; over = false } :: else fi
	:: else -> break
	od;
	lock(); busy = false; turn = false
}

proctype thread()
{
	bool over, mine, idle = true;
	byte taken[REQUESTS], r, last;

	do
	:: ALL_DONE -> break
	:: else ->
#ifdef STATE_LAST
		over = HAS_WORK || !idle || tending;
		asleep = true;
#else
		asleep = true;		/* set_current_state(): a full barrier */
		over = HAS_WORK || !idle || tending;
#endif
		if :: !over -> !asleep || ALL_DONE :: else fi;
		d_step { asleep = false; over = false }
		if :: HAS_WORK -> drain() :: else fi;
		if
		:: !HAS_WORK && tending ->
			lock();
			if :: tending = false :: skip fi;	/* done, or later */
			turn = false
		:: else
		fi;
		idle = !tending		/* else the sleep ends by itself */
	od
}

init {
	if :: pieces = 1 :: pieces = 2 fi;
	atomic { run thread(); run client(); run bystander(); run sync() }
}
