/* SPDX-License-Identifier: GPL-2.0 */
/*
 * key.pml - the line of a key against unlock, exit, death and CANCEL.
 *
 * Mirrors, in kmod/table/candidate.c: kreg_candidate_enter(), kreg_candidates_serve() and
 * write_candidate(); in awaited.c kreg_awaited_look_at_line(), kreg_awaited_keep_line() and
 * kreg_wait_cancel(); in unbind.c unbind_first(), leave_keys() and end_linger(), in bound.c
 * find_gone(), in owner.c kreg_table_serve_lines() and do_what_is_due(), and in
 * kmod/cmd/register.c register_when_free().
 *
 * A process has the key; it deletes it or exits, and is dead a moment later. Two others want it:
 * each tries first, then stands in line, may cancel, deletes the key when it has it, or exits at
 * any time. Who has made the key free serves the line, or leaves that to a request in the lane.
 * What the first one has may linger: it stays when its process is dead, for whoever binds the key,
 * until a timer takes it away, if that is still it. The timer may take for ever.
 *
 * Proved: no two processes that are not dead believe at the same time that they have the key; its
 * version grows with each of them; a place that was cancelled in time never gets it; in the end it
 * is not of a dead process, unless it lingers, and nobody waits for a key that is free or lingers.
 *
 * Broken variants:
 *	FREE_AT_EXIT	the key is free as soon as its process is exiting
 *	ENTERS_UNSEEN	who has entered the line has nobody look at it
 *	SERVES_BLINDLY	whether the key is free is not found out when the line is served
 *	SERVES_DEAD	who is exiting, or dead and forgotten, is not passed over
 *	LANE_FORGETS	what is left to the lane is not marked
 *	CANCELS_FREELY	whether a place still waits is looked at without the turn
 *	LINGERS_EARLY	what lingers may be had as soon as its process is exiting
 *	LOOKS_TOO_SOON	the line is served, and then what lingers may be had
 *	LINGERS_HELD	the line is not served before the time is over
 *	TIMER_TAKES_ALL	the timer takes away whatever has the key by then
 */
#define NONE	9

bool turn, freed, posted;
byte owner = 0;
byte version = 1, seen[3];
bool believes[3], exiting[3], dead[3], handled[3];
bool waits[3], came[3], went[3];
byte ticket[3], last;
bool had;		/* what the first one has lingers: its process is dead */
bool done[3];

/* Turn. For who binds the key. */
#define IS_FREE	(owner == NONE || (owner == 0 && had))

inline lock()
{
	atomic { !turn -> turn = true }
}

inline unlock()
{
	turn = false
}

/* Turn. @p has it now. */
inline get(p)
{
	d_step {
		assert(p == 0 || !believes[0] || dead[0]);
		assert(p == 1 || !believes[1] || dead[1]);
		assert(p == 2 || !believes[2] || dead[2]);
		owner = p;
		version++;
		assert(version > seen[p]);
		seen[p] = version;
		believes[p] = true;
		came[p] = true
	}
}

inline first_in_line(p)
{
	d_step {
		if
		:: waits[1] && (!waits[2] || ticket[1] < ticket[2]) -> p = 1
		:: waits[2] && (!waits[1] || ticket[2] < ticket[1]) -> p = 2
		:: else -> p = NONE
		fi
	}
}

/* Turn. Look at the key once. */
inline serve_one(p)
{
	first_in_line(p);
	if
#ifndef SERVES_DEAD
	:: p != NONE && exiting[p] -> waits[p] = false
	:: p == NONE || !exiting[p] ->
#else
	:: true ->
#endif
		if
#ifndef SERVES_BLINDLY
		:: p != NONE && IS_FREE -> waits[p] = false; get(p)
#else
		:: p != NONE -> waits[p] = false; get(p)
#endif
		:: else
		fi;
		freed = false
	fi
}

/* Turn. A few at once; the rest in the lane. */
inline serve(p)
{
	if
	:: freed -> serve_one(p)
	:: true
	fi;
	if
#ifndef LANE_FORGETS
	:: freed -> posted = true
#else
	:: freed -> freed = false; posted = true
#endif
	:: else
	fi
}

inline delete(me, p)
{
	believes[me] = false;
	lock();
	if
	:: owner == me -> owner = NONE; freed = true; serve(p)
	:: else
	fi;
	unlock()
}

/* Turn. It lingers, and may be had by who binds the key. */
inline leave(p)
{
#ifdef LOOKS_TOO_SOON
	freed = true;
	serve(p);
	had = true
#else
	had = true;
#ifndef LINGERS_HELD
	freed = true;
	serve(p)
#endif
#endif
}

/* Its time is over, if it ever is. */
inline end_linger(p)
{
	lock();
	if
#ifndef TIMER_TAKES_ALL
	:: owner == 0 -> owner = NONE; freed = true; serve(p)
#else
	:: owner != NONE -> owner = NONE; freed = true; serve(p)
#endif
	:: else
	fi;
	unlock()
}

/* Its death is handled once, when it can be seen. */
inline die(me, p)
{
	exiting[me] = true;
#ifdef FREE_AT_EXIT
	lock();
	if :: owner == me -> owner = NONE; freed = true; serve(p) :: else fi;
	unlock();
#endif
	dead[me] = true;
	lock();
	if :: owner == me -> owner = NONE; freed = true; serve(p) :: else fi;
	handled[me] = true;
	unlock()
}

/* Of the first one, what it has lingers. */
inline die_and_leave(p)
{
	exiting[0] = true;
#ifdef LINGERS_EARLY
	lock();
	leave(p);
	unlock();
#endif
	dead[0] = true;
	lock();
	leave(p);
	handled[0] = true;
	unlock();
	if
	:: end_linger(p)
	:: true
	fi
}

/* The file of the dead may be open still, so its place is not taken out here. */
inline cancel(me)
{
#ifdef CANCELS_FREELY
	was = waits[me];
	lock();
#else
	lock();
	was = waits[me];
#endif
	if
	:: was -> waits[me] = false; went[me] = true; assert(!came[me])
	:: else
	fi;
	unlock()
}

inline want(me, p)
{
	/* As a PUT with NEW. */
	lock();
	first_in_line(p);
	if
	:: IS_FREE && p == NONE -> get(me)
	:: else
	fi;
	unlock();
	if
	:: !came[me] ->
		lock();
		waits[me] = true;
		ticket[me] = last;
		last++;
#ifndef ENTERS_UNSEEN
		freed = true;
		serve(p);
#endif
		unlock()
	:: else
	fi
}

proctype first_holder()
{
	byte p;

	believes[0] = true;
	seen[0] = 1;
	if
	:: delete(0, p)
	:: die(0, p)
	:: die_and_leave(p)
	fi;
	done[0] = true
}

proctype candidate(byte me)
{
	byte p;
	bool was;

	want(me, p);
	if
	:: came[me] -> delete(me, p)
	:: die(me, p)
	:: cancel(me)
	:: true
	fi;
	done[me] = true
}

/* The request in the lane of the table: until nothing is marked. */
proctype lane()
{
	byte p;

	do
	:: done[0] && done[1] && done[2] && !posted && !turn -> break
	:: posted ->
		posted = false;
		do
		:: lock();
			if
			:: freed -> serve_one(p)
			:: else -> unlock(); break
			fi;
			unlock()
		od
	od
}

init {
	atomic { run first_holder(); run candidate(1); run candidate(2); run lane() }
	_nr_pr == 1;
	assert(!freed);
	assert(owner == NONE || !handled[owner] || (owner == 0 && had));
	assert(!(came[1] && went[1]) && !(came[2] && went[2]));
	assert(!IS_FREE || !(waits[1] && !exiting[1]));
	assert(!IS_FREE || !(waits[2] && !exiting[2]))
}
