/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The thread of a player that has to do with the registry, from its start to its rest.
 */
#ifndef KREG_STRESS_REGISTRANT_H
#define KREG_STRESS_REGISTRANT_H

#include "stress/diary.h"

/* Sleep until a lock is taken, or free, or not any longer. */
static inline void sleep_for(struct registrant *r)
{
	__u32 lock = draw(r, LOCKS);
	bool present = draw(r, 2), have = r->places[lock].version;
	struct kreg_ioc_watch out;
	char key[16];
	int err;

	lock_key(key, sizeof(key), lock);
	err = _test_sleep(r->fd, world->registry, present ? KREG_WATCH_PRESENT : KREG_WATCH_ABSENT,
			  key, 0, test_scale(draw(r, 10)), &out);
	tally(SLEPT);
	if (err == -ETIMEDOUT && !(have && present))
		return;
	if (!came(r, key, present ? "PRESENT" : "ABSENT", err, have && !present ? -ETIMEDOUT : 0))
		return;
	if (err)
		return;
	if (present != !!out.out_version)
		complain_of_key(r, key, "version %llu, which is not what was waited for",
				(unsigned long long)out.out_version);
	if (have && !test_same(out.out_process, r->me.process))
		complain_of_key(r, key, "is ours, but found to be that of %u",
				out.out_process.pid);
}

/* READY is to come when it has another version than now. */
static inline void arm(struct registrant *r)
{
	struct armed *armed = &r->armed;
	struct kreg_process whose;
	int err;

	name_key(armed->key, sizeof(armed->key), draw(r, world->players), draw(r, NAMES));
	err = find(r, world->registry, armed->key, &armed->version, &whose);
	if (err && err != -ENODATA)
		return;
	armed->cookie = whose.cookie;
	err = _test_await(r->fd, world->registry, KREG_WATCH_CHANGED, armed->key, armed->version,
			  &armed->id);
	if (!came(r, armed->key, "WATCH", err, 0))
		armed->id = 0;
}

/* It has another version, but the record has not come; of one who is exiting it need not yet. */
static inline void check_armed(struct registrant *r)
{
	struct armed armed = r->armed;
	struct kreg_process whose;
	__u64 version;
	int err;

	if (!armed.id)
		return;
	err = find(r, world->registry, armed.key, &version, &whose);
	if ((err && err != -ENODATA) || version == armed.version ||
	    (!version && may_be_hidden(armed.cookie)) ||
	    !came(r, armed.key, "SYNC", _test_sync(r->fd), 0))
		return;
	read_records(r);
	if (r->armed.id)
		complain_of_key(r, armed.key, "has changed from %llu to %llu, but no READY has come",
				(unsigned long long)armed.version, (unsigned long long)version);
	r->armed.id = 0;
}

static inline void use_waits(struct registrant *r)
{
	read_records(r);
	if (draw(r, 2))
		sleep_for(r);
	else if (r->armed.id)
		check_armed(r);
	else
		arm(r);
}

static inline void give_all_back(struct registrant *r)
{
	__u32 i;

	read_records(r);
	for (i = 0; i < LOCKS; i++) {
		if (r->places[i].id)
			leave_line(r, i);
		if (r->places[i].version)
			unlock(r, i);
	}
	for (i = 0; i < JOBS; i++)
		if (r->loans[i].version)
			bring_back(r, i);
	for (i = 0; i < NAMES; i++)
		look_at_own(r, i);
	check_armed(r);
	check_replica(r);
	read_diary(r);
}

static inline void *registrant_main(void *arg)
{
	struct registrant *r = arg;
	__u32 what;

	while (playing()) {
		what = draw(r, 100);
		if (what < 30)
			use_names(r);
		else if (what < 52)
			use_locks(r);
		else if (what < 70)
			use_jobs(r);
		else if (what < 78)
			use_waits(r);
		else if (what < 86)
			use_subscription(r);
		else if (what < 97)
			use_mortals(r);
		else
			use_diary(r);
	}
	give_all_back(r);
	return NULL;
}

/* False: no memory. */
static inline bool start_registrant(struct registrant *r, struct slot *slot, struct who me)
{
	static struct replica replica;
	static struct diary diary;

	r->slot = slot;
	r->me = me;
	r->random = mix(world->seed + packed(me));
	r->replica = &replica;
	r->diary = &diary;
	r->fd = test_client_flags(O_NONBLOCK);
	replica.fd = test_client_flags(O_NONBLOCK);
	diary.fd = test_client_flags(O_NONBLOCK);
	return r->fd >= 0 && replica.fd >= 0 && diary.fd >= 0;
}

#endif /* KREG_STRESS_REGISTRANT_H */
