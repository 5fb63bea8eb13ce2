/* SPDX-License-Identifier: GPL-2.0 */
/*
 * line.pml - the line of a table against exit, death, CANCEL and close.
 *
 * Mirrors, in kmod/table/line.c: kreg_line_enter(), kreg_line_next() and kreg_line_leave(); in
 * standby.c place_over(), cancel_place() and end_place(); in owner.c pass_on() and
 * serve_line(), and in kmod/cmd/claim.c try_standby() with apply_standby().
 *
 * The owner of a table exits and is dead a moment later. Two processes stand by for the table;
 * each may read its mailbox or cancel with FLUSH, and may exit at any time. Its files are
 * closed then, or a child has them open still. Each death is handled under the turn.
 *
 * Proved: a table has no new owner before the old one is dead; who has found that
 * it is claimed, or waited for, finds it so; a place that was cancelled in time never gets the
 * table; a place is freed once, and not touched afterwards; in the end the table is not
 * of a dead process, and whoever still waits does so for a living one.
 *
 * Broken variants:
 *	SERVED_AT_EXIT	the line is served as soon as the owner is exiting
 *	SERVES_DEAD	who is exiting, or dead and forgotten, is not passed over
 *	ANSWER_STALE	what the caller was told is not looked at again under the turn
 *	LEAVES_FREELY	whether a place still waits is looked at without the turn
 *	TOUCHED_LATE	the place is touched after its record can be read
 */
#define NONE	9

mtype = { OUT, WAITS, TOLD, FREED };

mtype place[3] = OUT;
byte ticket[3], last;
bool exiting[3], dead[3], in_box[3], got[3], went[3];
bool turn, reading[3];
byte owner = 0;

inline lock(which)
{
	atomic { !which -> which = true }
}

inline free(p)
{
	d_step { assert(place[p] == WAITS || place[p] == TOLD); place[p] = FREED }
}

/* Turn. The record goes out last. */
inline tell(p)
{
	assert(place[p] == WAITS && !went[p]);
	place[p] = TOLD;
	in_box[p] = true;
#ifdef TOUCHED_LATE
	assert(place[p] != FREED)
#endif
}

/* Turn. The first in line, or NONE; who is exiting is taken out of it. */
inline next_in_line(p)
{
	do
	:: d_step {
		p = NONE;
		if
		:: place[1] == WAITS && (place[2] != WAITS || ticket[1] < ticket[2]) -> p = 1
		:: place[2] == WAITS && (place[1] != WAITS || ticket[2] < ticket[1]) -> p = 2
		:: else
		fi }
		if
		:: p == NONE -> break
#ifndef SERVES_DEAD
		:: p != NONE && exiting[p] -> place[p] = TOLD
		:: p != NONE && !exiting[p] -> break
#else
		:: p != NONE -> break
#endif
		fi
	od
}

/* Turn. @old has died, or is about to. */
inline pass_on(old)
{
	next_in_line(p);
	assert(dead[old]);
	owner = p;
	if
	:: p != NONE -> got[p] = true; tell(p)
	:: else
	fi
}

/* Turn. */
inline leave(me)
{
#ifndef LEAVES_FREELY
	lock(turn);
#endif
	was = (place[me] == WAITS);
#ifdef LEAVES_FREELY
	lock(turn);
#endif
	if
	:: was -> assert(place[me] == WAITS); went[me] = true
	:: else
	fi
}

inline cancel(me)
{
	lock(reading[me]);
	if
	:: place[me] == WAITS || place[me] == TOLD ->
		leave(me);
		if :: was -> free(me) :: else fi;
		turn = false;
		if
		:: !was && in_box[me] -> in_box[me] = false; free(me)
		:: else
		fi
	:: else
	fi;
	reading[me] = false
}

inline read(me)
{
	lock(reading[me]);
	if
	:: in_box[me] -> assert(got[me] && owner == me || exiting[me]); in_box[me] = false; free(me)
	:: else
	fi;
	reading[me] = false
}

/* The caller is told before it is decided, and told anew if it comes otherwise. */
inline stand_by(me)
{
	do
	:: claims = (owner == NONE);
		lock(turn);
		if
#ifndef ANSWER_STALE
		:: claims != (owner == NONE) -> turn = false
#endif
		:: claims == (owner == NONE) && owner == NONE ->
			owner = me;
			turn = false;
			break
		:: else ->
			assert(!claims && owner != NONE);
			d_step { place[me] = WAITS; ticket[me] = last; last++ };
			turn = false;
			break
		fi
	od
}

inline begin_exit(me)
{
	exiting[me] = true;
#ifdef SERVED_AT_EXIT
	lock(turn);
	if :: owner == me -> pass_on(me) :: else fi;
	turn = false
#endif
}

/* Of a process that stands by. */
inline close_files(me)
{
	if
	:: place[me] == WAITS || place[me] == TOLD ->
		leave(me);
		if :: was -> free(me) :: else fi;
		turn = false
	:: skip
	fi
}

/* Its death is handled once, when it can be seen. */
inline end_exit(me)
{
	dead[me] = true;
	lock(turn);
	if :: owner == me -> pass_on(me) :: else fi;
	turn = false
}

proctype first_owner()
{
	byte p;

	begin_exit(0);
	end_exit(0)
}

proctype standby(byte me)
{
	byte p;
	bool was, claims;

	stand_by(me);
	if
	:: cancel(me)
	:: read(me)
	:: skip
	fi;
	if
	:: begin_exit(me); close_files(me); end_exit(me)
	:: skip
	fi
}

init {
	byte i;

	atomic { run first_owner(); run standby(1); run standby(2) }
	_nr_pr == 1;
	assert(owner == NONE || !dead[owner]);
	for (i : 1 .. 2) {
		assert(!(got[i] && went[i]));
		assert(place[i] != WAITS || dead[i] || (owner != NONE && !dead[owner]))
	}
}
