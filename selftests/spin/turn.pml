/* SPDX-License-Identifier: GPL-2.0 */
/*
 * turn.pml - one writer at a time, in order, and nothing stays queued while the
 * thread sleeps.
 *
 * Mirrors, in kmod/writer/: writer.c (kreg_writer_borrow(), may_lend(),
 * take_when_free(), which is a trylock that comes later, kreg_writer_post(),
 * perform_lent(), kreg_writer_submit(), advance_request(), apply_requests(),
 * handle_deaths(), drain_queues(), writer_thread(), kreg_writer_add_death(),
 * kreg_writer_wake(), kreg_writer_help()), lane.c (kreg_lane_collect(),
 * kreg_lane_line_up(), kreg_lane_retire()) and upkeep.c (kreg_upkeep_run()); of
 * client/exit.c announce_death() and kreg_proc_settle_all(); of cmd/sync.c
 * catch_up_all(). The thread ends when nothing is left to do; asleep before that, it
 * is found in an invalid end state.
 *
 * One client queues a batch of two steps that it does not wait for, writes to the
 * same table with a lent turn or through the queue, may be killed there, and dies,
 * which is one or two pieces of work. Another writes to another table. A third calls
 * SYNC, and helps with the death.
 *
 * Proved: nobody changes a table while another does, nor its table between the steps
 * of a batch; what a client has queued for a table is applied before what it writes
 * there later, and before its death; all is applied and the death handled; SYNC
 * returns when the writes and the deaths that it could know of have been handled.
 *
 * The timer that wakes the thread for a store that waits for a grace period is left
 * out: it can only add wake-ups.
 *
 * Broken variants:
 *	STATE_LAST	the thread says that it sleeps after it has looked for work
 *	TURN_UNLENT	a caller writes without the turn
 *	PENDING_IGNORED	a turn is lent although something is pending in the lane
 *	PENDING_EARLY	what the thread has in hand is no longer pending
 *	BUSY_IGNORED	a turn is lent, without a lane, although the thread is at work
 *	BUSY_LATE	the thread says that it is busy when it has let the turn go
 *	QUEUE_IGNORED	a turn is lent, without a lane, although something is queued
 *	QUEUE_BEFORE_TURN	the queue is taken off before the turn is taken
 *	QUEUE_BEFORE_DEATHS	the queue is taken off before the deaths
 *	LANE_IGNORED	a request does not wait for the batch before it in its lane
 *	LANE_KEPT	what waits in a lane is forgotten when the batch is done
 *	PASS_FIRST	a request without a lane does not wait for those before it
 *	HELP_BLINDLY	a helper does not look at the queue when it has the death
 *	HELP_DROPS	a helper forgets the death that it cannot see to its end
 *	SYNC_PASSES	SYNC goes through the queue twice and waits for no death
 *	SYNC_LOOKS_FIRST	SYNC looks who owns something before it has passed the queue
 */
#define BATCH	0		/* requests */
#define WRITE	1
#define OTHER	2
#define PASS	3
#define REQUESTS	5
#define NONE	REQUESTS
#define IN_LANE(i)	(i <= WRITE)	/* of the table that the batch is for */
#define NO_LANE(i)	(i >= PASS)

bool turn, busy, handling, asleep, inside, upkeep;
byte pending;				/* in the lane of the batch */
typedef fifo { byte at[REQUESTS]; byte n }	/* of requests, oldest first */
fifo queue;
bool death;				/* the list of them */
bool accepted[REQUESTS], applied[REQUESTS], done[REQUESTS];
bool dead, told, handled;
byte pieces;				/* of the death still to be done */
byte half = NONE;			/* the batch that is half applied */
byte ended;

#define HAS_WORK	(queue.n || death)
#define ALL_DONE	(ended == 3 && applied[BATCH] && handled && !upkeep)

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
		assert(half == NONE || half == i || i == OTHER);
		assert(i >= OTHER || !handled);
		assert(i != WRITE || applied[BATCH]);
		over = i != BATCH || half == i;
		half = (i != BATCH -> half : (over -> NONE : i));
		applied[i] = over;
		inside = false
	}
	/* kreg_writer_add_upkeep() */
	if
	:: d_step { i == BATCH && over && !upkeep -> upkeep = true; asleep = false }
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
		over = queue.n == 0; accepted[i] = true;
		pending = pending + IN_LANE(i);
		append(queue, i)
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

#ifdef PENDING_IGNORED
#define MINE_TO_WAIT(i)	false
#else
#define MINE_TO_WAIT(i)	(IN_LANE(i) && pending)
#endif
#ifdef BUSY_IGNORED
#define ALL_TO_WAIT	queue.n
#elif defined(QUEUE_IGNORED)
#define ALL_TO_WAIT	busy
#else
#define ALL_TO_WAIT	(busy || queue.n)
#endif
#define MAY_LEND(i)	(NO_LANE(i) -> !ALL_TO_WAIT : !handling && !MINE_TO_WAIT(i))

/* perform_lent() with kreg_writer_borrow(), else through the queue. */
inline submit(i)
{
	mine = false;
#ifdef TURN_UNLENT
	if :: !death -> mine = true :: else fi;
#else
	if :: !death -> trylock() :: else fi;
#endif
	if
	:: d_step { mine && !MAY_LEND(i) -> turn = false; mine = false }
	:: else
	fi;
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
			if :: !queue.n -> handle_death() :: else fi;
#endif
			mine = over;
#ifndef HELP_DROPS
			if :: !mine -> post_death() :: else fi;
#endif
			turn = false;
			if :: mine -> handled = true :: else fi
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

/* Another process: it may look for news of the death, as an heir does. */
proctype bystander()
{
	bool over, mine;

	submit(OTHER);
	mine || done[OTHER];
	if
	:: death -> help()		/* has_mail(), is_over() */
	:: true
	fi;
	ended++
}

/*
 * catch_up_all(). What the batch does first is to make the client an owner: from then
 * until its death has been handled, it is in the list that SYNC looks at.
 */
proctype sync()
{
	bool over, mine, knew, owed, listed;

	d_step { owed = accepted[BATCH]; knew = dead }
#ifdef SYNC_LOOKS_FIRST
	lock(); d_step { listed = knew && applied[BATCH] && pieces; turn = false };
#endif
#ifdef SYNC_PASSES
	submit(PASS + 1);
	mine || done[PASS + 1];
#endif
	submit(PASS);
	mine || done[PASS];
#if !defined(SYNC_LOOKS_FIRST) && !defined(SYNC_PASSES)
	lock(); d_step { listed = knew && applied[BATCH] && pieces; turn = false };
#endif
	if
	:: listed -> die(); help(); handled
	:: else
	fi;
	assert(!owed || applied[BATCH]);
	assert(!knew || !pieces);
	ended++
}

/* collect() */
inline take()
{
	d_step {
		do
		:: queue.n ->
#ifdef PENDING_EARLY
			pending = pending - IN_LANE(queue.at[0]);
#endif
			append(fresh, queue.at[0]); remove(queue)
		:: else -> break
		od
	}
}

inline line_up()
{
	d_step {
		do
		:: fresh.n == 0 -> break
#ifdef PASS_FIRST
		:: fresh.n && NO_LANE(fresh.at[0]) ->
			append(ready, fresh.at[0]); remove(fresh)
#else
		:: fresh.n && NO_LANE(fresh.at[0]) ->
			if
			:: ready.n == 0 ->
				append(ready, fresh.at[0]); remove(fresh)
			:: else
			fi;
			break
#endif
#ifndef LANE_IGNORED
		:: fresh.n && IN_LANE(fresh.at[0]) && lane_taken ->
			append(behind, fresh.at[0]); remove(fresh)
		:: fresh.n && IN_LANE(fresh.at[0]) && !lane_taken ->
			lane_taken = true;
			append(ready, fresh.at[0]); remove(fresh)
#else
		:: fresh.n && IN_LANE(fresh.at[0]) ->
			append(ready, fresh.at[0]); remove(fresh)
#endif
		:: fresh.n && fresh.at[0] == OTHER ->
			append(ready, fresh.at[0]); remove(fresh)
		od
	}
}

/* advance_lane() */
inline advance_lane()
{
	lane_taken = behind.n > 0;
	if
#ifndef LANE_KEPT
	:: lane_taken ->
		append(ready, behind.at[0]); remove(behind)
#endif
	:: else
	fi
}

inline advance()
{
	i = ready.at[0];
	lock(); step(i);
#ifndef PENDING_EARLY
	if :: d_step { over && IN_LANE(i) -> pending-- } :: else fi;
#endif
	turn = false;
	d_step {
		remove(ready);
		if
		:: over ->
			if :: IN_LANE(i) -> advance_lane() :: else fi;
			done[i] = true; over = false
		:: else -> append(ready, i)
		fi;
		i = 0
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
	handling = mine;
#ifdef BUSY_LATE
	turn = false; busy = true;
#else
	busy = true; turn = false;
#endif
	line_up();
	do
	:: ready.n ->
		advance();
		if :: d_step { !mine && !death } -> take() :: else fi;
		line_up()
	:: else -> break
	od;
	do
	:: mine ->
		lock(); handle_death();
		if :: over -> handling = false :: else fi;
		turn = false;
		if :: d_step { over -> mine = false; handled = true; over = false } :: else fi
	:: else -> break
	od;
	lock(); busy = false; turn = false
}

proctype thread()
{
	bool over, mine, idle = true;
	fifo fresh, ready, behind;
	byte i, k;
	bool lane_taken;

	do
	:: ALL_DONE -> break
	:: else ->
#ifdef STATE_LAST
		over = HAS_WORK || !idle || upkeep;
		asleep = true;
#else
		asleep = true;		/* set_current_state(): a full barrier */
		over = HAS_WORK || !idle || upkeep;
#endif
		if :: !over -> !asleep || ALL_DONE :: else fi;
		d_step { asleep = false; over = false }
		if :: HAS_WORK -> drain() :: else fi;
		if
		:: upkeep ->
			lock();
			if :: upkeep = false :: skip fi;	/* done, or later */
			turn = false
		:: else
		fi;
		idle = !upkeep		/* else the sleep ends by itself */
	od
}

init {
	if :: pieces = 1 :: pieces = 2 fi;
	atomic { run thread(); run client(); run bystander(); run sync() }
}
