/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What one process at a time may have: the locks of a registry, and jobs on loan. Each has its
 * turn until it says so or is dead, and the version that comes with it grows.
 */
#ifndef KREG_STRESS_TURN_H
#define KREG_STRESS_TURN_H

#include "kit/lease.h"
#include "stress/names.h"

static inline __u64 packed(struct who who)
{
	return (__u64)who.slot << 32 | who.life;
}

static inline struct who unpacked(__u64 packed)
{
	return (struct who) { .slot = packed >> 32, .life = (__u32)packed };
}

static inline void begin_turn(struct registrant *r, struct turn *t, const char *key,
			      __u64 version)
{
	struct who before = unpacked(__atomic_exchange_n(&t->whose, packed(r->me),
							 __ATOMIC_ACQ_REL));
	__u64 last = __atomic_exchange_n(&t->version, version, __ATOMIC_ACQ_REL);

	if (!nobody(before) && (same_life(before, r->me) || !may_be_dead(before)))
		complain_of_key(r, key, "it is still the turn of %u.%u", before.slot,
				before.life);
	if (version <= last)
		complain_of_key(r, key, "version %llu after %llu", (unsigned long long)version,
				(unsigned long long)last);
}

/* Before it is given back. */
static inline void end_turn(struct registrant *r, struct turn *t, const char *key)
{
	__u64 whose = __atomic_exchange_n(&t->whose, 0, __ATOMIC_ACQ_REL);

	if (whose != packed(r->me))
		complain_of_key(r, key, "%u.%u has taken the turn", unpacked(whose).slot,
				unpacked(whose).life);
}

static inline void have_lock(struct registrant *r, __u32 lock, __u64 version)
{
	char key[16];

	lock_key(key, sizeof(key), lock);
	begin_turn(r, &world->locks[lock], key, version);
	r->places[lock] = (struct place) { .version = version };
	tally(LOCKED);
}

static inline void wait_for_lock(struct registrant *r, __u32 lock)
{
	bool have = r->places[lock].version;
	__u64 version;
	char key[16];
	int err;

	lock_key(key, sizeof(key), lock);
	err = _test_lock_key(r->fd, world->registry, key, test_scale(draw(r, 30)), &version);
	if (!err && !have)
		have_lock(r, lock, version);
	else if (have || err != -ETIMEDOUT)
		came(r, key, "REGISTER with WAIT", err, have ? -EALREADY : 0);
}

static inline void stand_by(struct registrant *r, __u32 lock)
{
	struct kreg_ioc_register cmd;
	char key[16];

	lock_key(key, sizeof(key), lock);
	cmd = standby_cmd(world->registry, key);
	if (!came(r, key, "REGISTER with STANDBY", run_register(r->fd, &cmd), 0))
		return;
	if (cmd.out_how == KREG_REGISTERED)
		have_lock(r, lock, cmd.out_version);
	else
		r->places[lock].id = cmd.out_id;
}

static inline void unlock(struct registrant *r, __u32 lock)
{
	struct kreg_op op;
	char key[16];

	lock_key(key, sizeof(key), lock);
	op = test_ops(KREG_OP_DELETE, key);
	op.flags = KREG_OP_VERSION;
	op.arg = r->places[lock].version;
	end_turn(r, &world->locks[lock], key);
	if (!remove_one(r, world->registry, key, &op))
		begin_turn(r, &world->locks[lock], key, op.arg + 1);
	else
		r->places[lock].version = 0;
}

static inline void take_ready(struct registrant *r, const struct test_event *event)
{
	__u32 lock;

	if (event->e.id == r->armed.id) {
		if (event->e.version == r->armed.version)
			complain_of_key(r, r->armed.key, "said to have changed, but has not");
		r->armed.id = 0;
		return;
	}
	for (lock = 0; lock < LOCKS; lock++)
		if (r->places[lock].id == event->e.id)
			break;
	if (lock == LOCKS || event->e.cause != KREG_CAUSE_CLAIM)
		complain_of_key(r, event->name, "READY of %llu, of which nothing is known",
				(unsigned long long)event->e.id);
	else
		have_lock(r, lock, event->e.version);
}

static inline void read_records(struct registrant *r)
{
	struct test_event event;
	int err;

	while (!(err = test_event_read(r->fd, &event))) {
		if (event.e.kind == KREG_EVENT_READY)
			take_ready(r, &event);
		else
			complain_of_key(r, event.name, "a record of kind %u", event.e.kind);
	}
	came(r, "records", "read", err, -EAGAIN);
}

/* Too late, it is ours already, and the record says so. */
static inline void leave_line(struct registrant *r, __u32 lock)
{
	struct place *place = &r->places[lock];
	char key[16];
	int err;

	lock_key(key, sizeof(key), lock);
	err = _test_cancel(r->fd, place->id, 0);
	if (!err) {
		place->id = 0;
		return;
	}
	if (!came(r, key, "CANCEL", err, -ENOENT) ||
	    !came(r, key, "SYNC", _test_sync(r->fd), 0))
		return;
	read_records(r);
	if (place->id)
		complain_of_key(r, key, "neither in line, nor had, nor gone");
	place->id = 0;
}

static inline void use_locks(struct registrant *r)
{
	__u32 lock = draw(r, LOCKS);
	struct place *place = &r->places[lock];

	read_records(r);
	if (place->version && draw(r, 8))
		unlock(r, lock);
	else if (place->id && !draw(r, 4))
		leave_line(r, lock);
	else if (!place->id && (place->version || draw(r, 2)))
		wait_for_lock(r, lock);
	else if (!place->id)
		stand_by(r, lock);
}

/* Nothing there: it was done; or it is on loan by now. */
static inline void offer_job(struct registrant *r, const char *key)
{
	int err = _test_put_new(r->fd, world->jobs, key, "job");

	if (err != -EEXIST)
		came(r, key, "PUT with NEW", err, 0);
}

static inline void borrow(struct registrant *r, __u32 job)
{
	__u32 ms = draw(r, 4) ? 0 : test_scale(1 + draw(r, 30));
	__u64 version;
	char key[16];
	int loans;

	snprintf(key, sizeof(key), "job%u", job);
	loans = _test_lease_for(r->fd, world->jobs, key, ms, &version);
	if (loans == -ENODATA) {
		offer_job(r, key);
	} else if (loans != -EBUSY && loans < 0) {
		came(r, key, "LEASE", loans, 0);
	} else if (loans >= 0) {
		r->loans[job] = (struct loan) { .version = version, .timed = ms };
		if (!ms)
			begin_turn(r, &world->job_turns[job], key, version);
		if (!loans)
			complain_of_key(r, key, "lent for the 0th time");
		tally(LOANS);
	}
}

/* It is given back, or done and not there any more. */
static inline int end_loan(struct registrant *r, const char *key, __u64 version)
{
	struct kreg_op op = test_ops(KREG_OP_DELETE, key);

	if (draw(r, 3))
		return _test_return(r->fd, world->jobs, key, version);
	op.flags = KREG_OP_MINE | KREG_OP_VERSION;
	op.arg = version;
	return _test_op(r->fd, world->jobs, 0, &op);
}

static inline void bring_back(struct registrant *r, __u32 job)
{
	struct loan *loan = &r->loans[job];
	char key[16];
	int err;

	snprintf(key, sizeof(key), "job%u", job);
	if (!loan->timed)
		end_turn(r, &world->job_turns[job], key);
	do {
		err = end_loan(r, key, loan->version);
	} while (out_of_memory(r->slot, err) && playing());
	/* Its time was over. */
	if (!loan->timed || (err != -ENODATA && err != -ECANCELED))
		came(r, key, "end of a loan", err, 0);
	loan->version = 0;
}

static inline void use_jobs(struct registrant *r)
{
	__u32 job = draw(r, JOBS);

	if (r->loans[job].version)
		bring_back(r, job);
	else
		borrow(r, job);
}

#endif /* KREG_STRESS_TURN_H */
