/* SPDX-License-Identifier: GPL-2.0 */
/*
 * turn.pml - one writer at a time, in order, nothing stays queued while the thread
 * sleeps, and who asks for the dead is answered whoever else is held up.
 *
 * Mirrors, in kmod/writer/: writer.c (kreg_writer_borrow(), kreg_writer_post(),
 * perform_lent(), kreg_writer_submit(), advance_request(), work_once(), writer_thread()),
 * lane.c (kreg_lane_collect(), kreg_lane_leave(), kreg_lane_pass()) and
 * death.c (all); of client/exit.c announce_death() and
 * kreg_proc_settle(); of table/owner.c handle_death() and do_what_is_due(); of
 * cmd/sync.c sync_client(). That users have a step each in turns is left out, and so are
 * their turns in a lane, all being one user's here, and the upkeep of stores. The thread ends when nothing is left to do; asleep before that, it is found in an invalid end state.
 *
 * A client owns a table. It queues a batch of two steps that it does not wait for, writes
 * to the table with a lent turn or through the queue, may be killed there, and dies; it
 * may be preempted for ever in the middle of telling. Two other processes ask for the
 * table, and settle the death if it has happened. One of them writes to the table before,
 * and may be preempted for ever when it has handled the death and not told yet; the other
 * calls SYNC before.
 *
 * Proved: nobody changes a table while another does, nor between the steps of a batch;
 * what a client has queued for a table is applied before what it writes there later, and
 * before its death; the table is passed on when what was queued for it before the death
 * was handled has been applied; the death is handled once; all is applied; SYNC returns
 * when the writes that it could know of have been applied; who asks is answered.
 *
 * Broken variants:
 *	STATE_LAST	the thread says that it sleeps after it has looked for work
 *	TURN_UNLENT	a caller writes without the turn
 *	PENDING_IGNORED	a turn is lent although something is pending in the lane
 *	PENDING_BEFORE	the lane is looked at before the turn is taken, and not again
 *	PENDING_EARLY	what the thread has in hand is no longer pending
 *	LANE_IGNORED	a request does not wait for the batch before it in its lane
 *	LANE_KEPT	what waits in a lane is forgotten when the batch is done
 *	MARK_FIRST	a request without a lane does not wait for those before it
 *	MARK_MISSED	such requests are looked at only when something is queued
 *	DEATH_FIRST	a death does not wait for what its process has queued
 *	PASSED_AT_ONCE	a table is passed on although something is queued for it
 *	DEQUEUED_ONLY	a death is not advanced when all that it waits for is done
 *	LISTED_TWICE	it is put into the list although it is there
 *	TOLD_ONLY	who asks waits until the writer has been told of the death
 *	WAIT_IGNORED	a helper goes on with a death for which somebody sleeps
 *	NOBODY_WOKEN	who cannot go on with a death does not wake the thread
 */
#define BATCH	0		/* requests */
#define WRITE	1
#define OTHER	2
#define PASSING	3
#define MARK	4
#define REQUESTS	5
#define NONE	REQUESTS
#define IN_LANE(i)	(i != MARK)
#define OF_DEATH(i)	(i == BATCH || i == WRITE || i == PASSING)

bool turn, asleep, inside;
bool lends = true;			/* parameter lend */
bool elsewhere;				/* the lane is another table's than the client's */
byte pending;				/* in the lane */
typedef fifo { byte at[REQUESTS]; byte n }	/* of requests, oldest first */
fifo queue;
bool accepted[REQUESTS], applied[REQUESTS], done[REQUESTS];
byte half = NONE;			/* the batch that is half applied */
bool owned = true, passing;		/* the table, by the client */
bool heir = true;			/* and it is the heir of another */
bool dead, told, untold;		/* untold: who was to tell of it is preempted for ever */
bool news;				/* the writer's list has the death */
bool noticed, listed, waited, handled;	/* kreg_death, turn */
byte queued;				/* requests that the death waits for */
bool settled;				/* those who sleep have been told */
byte ended;

#define HAS_WORK	(queue.n || ready.n || news || listed)
#define ALL_DONE	(ended == 3 && applied[BATCH] && (handled || untold) && !HAS_WORK)

inline append(list, r)
{
	list.at[list.n] = r; list.n++
}

/* The first of a list, which is not empty, goes. */
inline remove(list)
{
	list.n--; k = 0;
	do
	:: k < list.n -> list.at[k] = list.at[k + 1]; k++
	:: else -> break
	od;
	list.at[list.n] = 0; k = 0
}

inline lock()
{
	atomic { !turn -> turn = true }
}

/* kreg_writer_post(): wakes the thread if the queue was empty. */
inline post(i)
{
	d_step { pending = pending + IN_LANE(i); queued = queued + OF_DEATH(i) }
	d_step { over = queue.n == 0; append(queue, i); accepted[i] = true }
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
		assert(!OF_DEATH(i) || i == PASSING || !handled);
		assert(i != WRITE || applied[BATCH]);
		assert(i != PASSING || (owned && passing));
		over = i != BATCH || half == i;
		half = (i != BATCH -> half : (over -> NONE : i));
		applied[i] = over;
		if :: i == PASSING -> owned = false; passing = false :: else fi;
		inside = false
	}
}

/* kreg_death_dequeue() */
inline dequeue()
{
	queued--;
	if
#ifdef LISTED_TWICE
	:: queued == 0 && noticed -> assert(!listed); listed = true
#elif !defined(DEQUEUED_ONLY)
	:: queued == 0 && noticed && !listed -> listed = true
#endif
	:: else
	fi
}

inline notice()
{
	if
	:: !noticed ->
		noticed = true;
#ifdef DEATH_FIRST
		listed = true
#else
		listed = queued == 0
#endif
	:: else
	fi
}

/* advance_death() with handle_death(), under the turn; @over: it is done. */
inline advance_death()
{
	d_step { assert(!inside && !handled && dead); inside = true }
	if
#ifdef PASSED_AT_ONCE
	:: d_step { owned && !passing ->
#else
	:: owned && !passing && pending && !elsewhere ->
		passing = true;
		post(PASSING);
		inside = false
	:: d_step { owned && !passing && (!pending || elsewhere) ->
#endif
			assert((elsewhere || half == NONE) && applied[BATCH]);
			assert(!accepted[WRITE] || applied[WRITE]);
			assert(elsewhere || !accepted[OTHER] || applied[OTHER]);
			owned = false; inside = false
		}
	:: d_step { (!owned || passing) && heir -> heir = false; inside = false }
	:: else ->
		d_step {
			listed = false;
			handled = queued == 0; waited = !handled; over = handled;
			assert(!handled || (applied[BATCH] && !owned && !heir));
			inside = false
		}
	fi
}

/* perform_lent() with kreg_writer_borrow(), else through the queue. */
inline submit(i)
{
	mine = false;
#ifdef TURN_UNLENT
	if :: !pending -> mine = true :: else fi;
#elif defined(PENDING_BEFORE)
	if :: !pending -> lock(); mine = true :: else fi;
#elif defined(PENDING_IGNORED)
	lock(); mine = true;
#else
	if :: lends && !pending -> lock(); mine = true :: else fi;
	if :: d_step { mine && pending -> turn = false; mine = false } :: else fi;
#endif
	if
	:: mine ->
		accepted[i] = true; step(i);
		d_step { turn = false; over = false }
	:: else -> post(i)
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
	dead = true;
	ended++;
	/* announce_death(), in the exit notifier */
	if
	:: d_step { !told -> told = true }	/* cmpxchg */
		if :: untold = true -> goto end_preempted :: true fi;
		news = true; asleep = false
	:: else
	fi;
	goto end;
end_preempted:
	false;
end:	skip
}

/* kreg_proc_settle() */
proctype asker(bool syncs)
{
	bool over, mine, owed;

	if
	:: syncs ->
		owed = accepted[BATCH];
		d_step { accepted[MARK] = true; over = queue.n == 0; append(queue, MARK) }
		if :: d_step { over -> over = false; asleep = false } :: else fi;
		done[MARK];
		assert(!owed || applied[BATCH])
	:: else -> submit(OTHER); mine || done[OTHER]; mine = false
	fi;
	if
	:: dead ->
		if
		:: d_step { !told -> told = true } news = true; asleep = false
		:: else
		fi;
		do
		:: atomic {
			!turn -> turn = true;
#ifdef TOLD_ONLY
			if :: news -> news = false; notice() :: else fi;
#else
			notice();
#endif
#ifdef WAIT_IGNORED
			mine = lends && listed;
#else
			mine = lends && listed && !waited;
#endif
			over = false
			}
			if :: mine -> advance_death() :: else fi;
			turn = false;
			if
			:: over && !syncs ->
				if :: ended++; goto end_preempted :: true fi;
				settled = true
			:: over && syncs -> settled = true
			:: else
			fi;
			if :: !mine -> break :: else fi
		od;
		atomic { !turn -> over = handled; waited = waited || !handled; mine = false }
#ifndef NOBODY_WOKEN
		if :: !over -> asleep = false :: else fi;
#endif
		over || settled;
		over = false;
		assert(!owned)
	:: true				/* or it has nothing to ask */
	fi;
	ended++;
	goto end;
end_preempted:
	false;
end:	skip
}

inline make_ready()
{
	if
#ifndef LANE_IGNORED
	:: lane_taken -> append(behind, queue.at[0])
#endif
	:: else -> lane_taken = true; append(ready, queue.at[0])
	fi
}

inline collect()
{
	d_step {
		do
		:: queue.n ->
			append(order, queue.at[0]);
			if
			:: IN_LANE(queue.at[0]) ->
#ifdef PENDING_EARLY
				pending--;
#endif
				make_ready()
			:: else
			fi;
			remove(queue)
		:: else -> break
		od
	}
}

/* The request @i leaves the list of all in hand. */
inline leave_order()
{
	j = 0;
	do
	:: order.at[j] != i -> j++
	:: else -> break
	od;
	order.n--;
	do
	:: j < order.n -> order.at[j] = order.at[j + 1]; j++
	:: else -> break
	od;
	order.at[order.n] = 0; j = 0
}

/* kreg_lane_leave(), under the turn */
inline leave()
{
	d_step {
		remove(ready); leave_order();
		lane_taken = behind.n > 0;
		if
#ifndef LANE_KEPT
		:: lane_taken -> append(ready, behind.at[0]); remove(behind)
#endif
		:: else
		fi;
		if :: OF_DEATH(i) -> dequeue() :: else fi;
#ifndef PENDING_EARLY
		pending--
#endif
	}
}

inline pass()
{
	d_step {
#ifdef MARK_FIRST
		if
		:: order.n && order.at[order.n - 1] == MARK -> done[MARK] = true; order.n--
#else
		if
		:: order.n && order.at[0] == MARK -> done[MARK] = true; remove(order)
#endif
		:: else
		fi
	}
}

/* work_once() */
inline work()
{
#ifdef MARK_MISSED
	if :: queue.n -> collect(); pass() :: else fi;
#else
	collect();
#endif
	if
	:: news || listed ->
		atomic {
			!turn -> turn = true;
			if :: news -> news = false; notice() :: else fi;
			over = false
		}
		if :: listed -> advance_death() :: else fi;
		turn = false;
		if :: over -> settled = true; over = false :: else fi
	:: else
	fi;
	if
	:: ready.n ->
		i = ready.at[0];
		lock(); step(i);
		if
		:: over -> leave()
		:: else -> d_step { append(ready, i); remove(ready) }	/* kreg_lane_rotate() */
		fi;
		turn = false;
		if :: d_step { over -> done[i] = true; over = false } :: else fi;
		i = 0
	:: else
	fi;
#ifndef MARK_MISSED
	pass()
#endif
}

proctype thread()
{
	bool over;
	fifo ready, behind, order;
	byte i, j, k;
	bool lane_taken;

	do
	:: ALL_DONE -> break
	:: else ->
#ifdef STATE_LAST
		over = HAS_WORK;
		asleep = true;
#else
		asleep = true;		/* set_current_state(): a full barrier */
		over = HAS_WORK;
#endif
		if :: !over -> !asleep || ALL_DONE :: else fi;
		d_step { asleep = false; over = false }
		do
		:: HAS_WORK -> work()
		:: else -> break
		od
	od
}

init {
	if :: skip :: elsewhere = true :: lends = false fi;
	atomic { run thread(); run client(); run asker(false); run asker(true) }
}
