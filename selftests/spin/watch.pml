/* SPDX-License-Identifier: GPL-2.0 */
/*
 * watch.pml - a watch against the death of its process, a reader and CANCEL.
 *
 * Mirrors, in kmod/event/watches.c: kreg_watch_set(), kreg_watch_answer(), kreg_watch_send(),
 * take_pending() and cancel_watch(); in down.c kreg_down_tell() with tell_some(),
 * kreg_down_sync() with find_dead() and kreg_watch_tell(); in kmod/client/exit.c nr_untold, and in
 * handle.c kreg_handle_cancel(). A watch is one of many of its client: a read of an empty
 * mailbox looks at it as long as there are deaths untold, else perhaps.
 *
 * One thread sets a watch and then cancels it with FLUSH, another reads twice; the process
 * dies, the writers handle that, and a worker tells of it.
 *
 * Proved: a watch has one record at most, and exactly one if it is not cancelled; a read that
 * begins when the watch is set and the death was noticed finds the record; when CANCEL
 * has returned there is no record and will be none; the watch is not touched after
 * it was freed, and freed once; nobody waits for ever.
 *
 * Broken variants:
 *	TOLD_UNLOCKED	whether all have been told is looked at without the lock of the process
 *	CLEARED_EARLY	the process is forgotten before the record is in the mailbox
 *	CLEARED_LATE	and after it, when a reader may have freed the watch
 *	CANCEL_FREELY	CANCEL does not keep readers out
 *	SENT_UNSEEN	a reader sends without a look whether that has happened
 *	COUNTED_EARLY	a death is not counted any more before all have been told
 *	FLUSH_FORGETS	FLUSH does not look into the mailbox
 */
mtype = { ABSENT, THERE, FREED };

mtype is = ABSENT;		/* the watch */
bool pending, has_proc, in_box;
bool dead, noticed, settled, told;
byte untold, sent, received;
bool p_lock, box_lock, reading;
bool set, cancelling, cancelled, went;

inline lock(which)
{
	atomic { !which -> which = true }
}

inline touch()
{
	assert(is == THERE)
}

inline free()
{
	d_step { assert(is == THERE); is = FREED }
}

inline deliver()
{
	d_step { assert(is == THERE && !in_box && !sent && !cancelled); in_box = true; sent++ }
}

/* Under p_lock. */
inline send()
{
	touch();
	pending = false;
#ifdef CLEARED_EARLY
	has_proc = false;
#endif
	lock(box_lock);
#if !defined(CLEARED_EARLY) && !defined(CLEARED_LATE)
	touch();
	has_proc = false;
#endif
	deliver();
	box_lock = false;
#ifdef CLEARED_LATE
	touch();
	has_proc = false;
#endif
}

proctype death()
{
	dead = true;
	d_step { untold++; noticed = true }
	settled = true;
#ifdef COUNTED_EARLY
	untold--;
#endif
	lock(p_lock);
	if :: pending -> send() :: else fi;
	told = true;
	p_lock = false;
#ifndef COUNTED_EARLY
	untold--
#endif
}

inline watch()
{
	is = THERE;
#ifdef TOLD_UNLOCKED
	late = told;
#endif
	lock(p_lock);
#ifndef TOLD_UNLOCKED
	late = told;
#endif
	if
	:: late
	:: else -> has_proc = true; pending = true
	fi;
	p_lock = false;
	if
	:: late -> lock(box_lock); deliver(); box_lock = false
	:: else
	fi;
	set = true
}

inline take_pending()
{
	if
	:: has_proc ->
		lock(p_lock);
		touch();
		was = pending;
		pending = false;
		p_lock = false
	:: else
	fi
}

inline cancel()
{
	cancelling = true;
#ifndef CANCEL_FREELY
	lock(reading);
#endif
	if
	:: is == THERE ->
		take_pending();
		if
		:: was -> went = true; free()
		:: else ->
			lock(box_lock);
#ifndef FLUSH_FORGETS
			was = in_box;
			in_box = false;
#endif
			box_lock = false;
			if :: was -> free() :: else fi
		fi
	:: else
	fi;
	d_step { assert(!in_box && !pending); cancelled = true };
#ifndef CANCEL_FREELY
	reading = false
#endif
}

proctype caller()
{
	bool late, was;

	watch();
	if
	:: cancel()
	:: skip
	fi
}

/* Of the watches of the client this one was looked at. */
inline look()
{
	if
	:: is == THERE && has_proc && dead ->
		settled;
		lock(p_lock);
#ifndef SENT_UNSEEN
		if :: pending -> send() :: else fi;
#else
		send();
#endif
		p_lock = false
	:: else
	fi
}

inline read()
{
	must = set && noticed && !cancelling;
	lock(reading);
	if
	:: in_box
	:: else ->
		if
		:: untold -> look()
		:: !untold -> if :: look() :: skip fi
		fi
	fi;
	lock(box_lock);
	got = in_box;
	in_box = false;
	box_lock = false;
	if
	:: got -> received++; free()
	:: else
	fi;
	reading = false;
	assert(!must || received || cancelling)
}

proctype reader()
{
	bool got, must;

	read();
	read()
}

init {
	atomic { run death(); run caller(); run reader() }
	/* All have ended. */
	_nr_pr == 1;
	assert(sent <= 1 && received <= sent);
	assert(!(went && sent));
	assert(cancelled || (is == FREED) == received);
	assert(cancelled || sent == 1);
	assert(!cancelled || is == FREED)
}
