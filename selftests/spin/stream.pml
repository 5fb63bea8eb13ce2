/* SPDX-License-Identifier: GPL-2.0 */
/*
 * stream.pml - readers of a stream that go to sleep, against appends and their wake-ups.
 *
 * Mirrors, in kmod/event/stream.c: kreg_stream_append() with show_events(), choose_readers() and
 * wake_readers(), wake_few(), wake_all() and wake_next(); in subscription.c
 * kreg_subscription_ready(); in kmod/writer/wake.c kreg_wake_later() and carry_out(); in
 * kmod/device.c the loop of kreg_read().
 *
 * Each of two writers appends an event, of a kind of its own, under the turn, and carries out what
 * is queued when it has returned that. One reader has asked for one kind, the other for
 * both; each sleeps when there is nothing for it. A writer wakes one reader by itself, and leaves
 * the others to a worker.
 *
 * Proved: when everything has been carried out nobody sleeps for whom there is something to
 * read; each reference that was taken for a wake-up has been put, none of them twice.
 *
 * Broken variants:
 *	ARMED_LATE	a reader looks, and arms in another hold of the lock
 *	SLEPT_LATE	a reader says that it sleeps when it has looked
 *	CHOSEN_EARLY	readers are chosen before the event is shown
 *	CLEARED_LATE	a wake-up counts as queued until it has been carried out
 *	KINDS_UNSEEN	an append that finds nobody armed does not look at those who were chosen
 *	KINDS_REPLACED	the kinds of an append take the place of those before
 *	NOT_ARMED_AGAIN	who has not asked for the kind is not armed any more
 *	LEFT_ALONE	nothing is left to the worker
 *	PUT_EARLY	the reference goes when the worker is asked, not when it has done its work
 */
#define READERS	2
#define FEW	1

mtype = { NOWHERE, ARMED, WAKING };

mtype list[READERS] = NOWHERE;
byte mask[READERS];
byte unread[READERS];		/* kinds that are shown and not read */
bool asleep[READERS], waits[READERS];
byte woken;			/* kinds */
byte refs = 1;
byte writers;
bool turn, stream_lock;
bool queued, listed;		/* the wake-up; it is in the writer's list */
bool pending, working;		/* the worker */
bool over;

inline lock(which)
{
	atomic { !which -> which = true }
}

inline get()
{
	d_step { assert(refs); refs++ }
}

inline put()
{
	d_step { assert(refs > 1); refs-- }
}

inline append()
{
	d_step {
		unread[0] = unread[0] | (kind & mask[0]);
		unread[1] = unread[1] | (kind & mask[1])
	}
}

inline choose()
{
	d_step {
		wake = list[0] == ARMED || list[1] == ARMED;
		if
#ifdef KINDS_UNSEEN
		:: wake ->
#else
		:: wake || list[0] == WAKING || list[1] == WAKING ->
#endif
			if :: list[0] == ARMED -> list[0] = WAKING :: else fi;
			if :: list[1] == ARMED -> list[1] = WAKING :: else fi;
#ifdef KINDS_REPLACED
			woken = kind
#else
			woken = woken | kind
#endif
		:: else
		fi
	}
}

/* One reader off the list; @more says whether there was one. */
inline wake_next()
{
	lock(stream_lock);
	assert(refs > 1);
	r = READERS;
	if
	:: list[0] == WAKING -> r = 0
	:: list[1] == WAKING -> r = 1
	:: list[0] != WAKING && list[1] != WAKING
	fi;
	more = r < READERS;
	d_step {
		if
		:: !more -> woken = 0
		:: more && (mask[r] & woken) -> list[r] = NOWHERE
		:: else ->
#ifdef NOT_ARMED_AGAIN
			list[r] = NOWHERE;
#else
			list[r] = ARMED;
#endif
			r = READERS
		fi
	};
	stream_lock = false;
	if
	:: r < READERS -> asleep[r] = false
	:: else
	fi
}

/* The fields of the stream that it reads are guarded by the reference. */
inline wake_few()
{
	n = 0;
	do
	:: n == FEW -> break
	:: else ->
		wake_next();
		if :: more -> n++ :: else -> break fi
	od;
#ifndef LEFT_ALONE
	if
	:: n == FEW ->
#ifdef PUT_EARLY
		pending = true;
		put()
#else
		d_step { more = !pending; pending = true };
		if :: !more -> put() :: else fi
#endif
	:: else -> put()
	fi
#else
	put()
#endif
}

inline carry_out()
{
	d_step { was = listed; listed = false };
	if
	:: was ->
#ifndef CLEARED_LATE
		queued = false;
#endif
		wake_few();
#ifdef CLEARED_LATE
		queued = false
#endif
	:: else
	fi
}

proctype writer(byte kind)
{
	byte n, r;
	bool wake, was, more;

	lock(turn);
#ifdef CHOSEN_EARLY
	lock(stream_lock);
	choose();
	stream_lock = false;
	lock(stream_lock);
	append();
	stream_lock = false;
#else
	lock(stream_lock);
	append();
	choose();
	stream_lock = false;
#endif
	if
	:: wake ->
		get();
		d_step { was = queued; queued = true };
		if
		:: was -> put()
		:: else -> listed = true
		fi
	:: else
	fi;
	turn = false;
	carry_out();
	writers++
}

#ifndef LEFT_ALONE
proctype worker()
{
	byte r;
	bool more;

	do
	:: over -> break
	:: atomic { pending -> pending = false; working = true };
		more = true;
		do
		:: more -> wake_next()
		:: else -> break
		od;
#ifndef PUT_EARLY
		put();
#endif
		working = false
	od
}
#endif

proctype reader(byte me)
{
	bool ready;

	do
	::
#ifndef SLEPT_LATE
		asleep[me] = true;
#endif
		lock(stream_lock);
		ready = unread[me] != 0;
#ifdef ARMED_LATE
		stream_lock = false;
		lock(stream_lock);
#endif
		if
		:: !ready && list[me] == NOWHERE -> list[me] = ARMED
		:: else
		fi;
		stream_lock = false;
		if
		:: ready ->
			asleep[me] = false;
			lock(stream_lock);
			unread[me] = 0;
			stream_lock = false
		:: else ->
#ifdef SLEPT_LATE
			asleep[me] = true;
#endif
			waits[me] = true;
			!asleep[me] || over;
			waits[me] = false
		fi
	:: over -> break
	od
}

init {
	atomic {
		mask[0] = 1;
		mask[1] = 3;
		run writer(1);
		run writer(2);
		run reader(0);
		run reader(1);
#ifndef LEFT_ALONE
		run worker()
#endif
	}
	/* What is put off has been carried out. */
	atomic {
		writers == 2 && !pending && !working;
		assert(!(waits[0] && asleep[0] && unread[0]));
		assert(!(waits[1] && asleep[1] && unread[1]));
		assert(!listed && refs == 1);
		over = true
	}
}
