/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Calls of faults.c that reach a limit: then, too, nothing may be left promised.
 */
#ifndef KREG_FAULTS_FULL_H
#define KREG_FAULTS_FULL_H

/* @_limit is the name of a parameter without "max_". */
#define SWEEP_FULL(_name, _limit, ...) \
	SWEEP(_name, .full = "max_" #_limit, __VA_ARGS__)

SWEEP_FULL(park_full, user_parked, .make = make_give, .flags = KREG_GIVE_PARK)
SWEEP_FULL(orphan_full, user_parked, .make = make_setopt, .option = KREG_OPT_ORPHAN,
	   .value = KREG_ORPHAN_PARK)
SWEEP_FULL(follow_full, user_parked, .make = make_role, .option = KREG_OPT_ROLE)
SWEEP_FULL(death_limit_full, user_parked, .make = make_role, .option = KREG_OPT_LIMIT, .value = 3)
SWEEP_FULL(give_full, events, .make = make_give, .kid = true)
SWEEP_FULL(heir_full, events, .make = make_heir, .kid = true, .option = KREG_OPT_HEIR)
SWEEP_FULL(create_full, user_parked, .make = make_create, .kid = true,
	   .flags = KREG_OPEN_HEIR)
SWEEP_FULL(claim_or_create_full, user_tables, .make = make_create, .flags = KREG_OPEN_CLAIM,
	   .at = 1)

/* The gift fits, but not the record that must be reserved for the heir. */
MAKER(make_give_owed)
{
	w->kid->job->process = test_self(w->fd);
	ASSERT_EQ(0, kid_do(w->kid, job_gift));
	make_give(_metadata, w, c, test);
}

SWEEP_FULL(give_owed_full, events, .make = make_give_owed, .kid = true, .at = 1)

/* A thread that waits for the kid's table until that is destroyed. */
static void *stand_in_line(void *arg)
{
	struct world *w = arg;
	__u64 id;

	pthread_detach(pthread_self());
	_test_open(w->fd, NAME, KREG_OPEN_CLAIM | KREG_OPEN_WAIT, &id);
	return NULL;
}

MAKER(make_claim_crowded)
{
	struct kreg_info info;
	pthread_t thread;
	int i;

	test_give(w->fd, w->table, w->kid->self, NULL, 0);
	for (i = 0; i < KREG_MAX_WAITERS; i++)
		ASSERT_EQ(0, pthread_create(&thread, NULL, stand_in_line, w));
	ASSERT_TRUE(test_wait_for(!_test_info(w->fd, w->table, &info) &&
				  info.waiters == KREG_MAX_WAITERS));
	make_open_name(c, NAME, KREG_OPEN_CLAIM | KREG_OPEN_WAIT);
}

/* The limit of waiters has no parameter: the one that is set does not matter here. */
SWEEP_FULL(claim_full, user_parked, .make = make_claim_crowded, .kid = true)

#endif /* KREG_FAULTS_FULL_H */
