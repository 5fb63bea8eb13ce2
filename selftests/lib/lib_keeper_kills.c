// SPDX-License-Identifier: GPL-2.0
/*
 * libkreg: keeper and consumer killed at any moment, hundreds of times. There is one table, and it
 * has what the consumers have written.
 */
#include "lib/keeper.h"

FIXTURE(tm)
{
	struct play p;
	int64_t id, count;	/* the table, and the number in it */
	unsigned int random;
};

FIXTURE_SETUP(tm)
{
	ASSERT_EQ(0, begin_play(&self->p));
	self->random = getpid();
	TH_LOG("seed %u", self->random);
}

FIXTURE_TEARDOWN(tm)
{
	end_play(&self->p);
}

static void some_time(unsigned int *random)
{
	int us = rand_r(random) % 4000;

	if (us > 1000)
		usleep(us - 1000);
}

/* One that died while it was starting is started again. */
static bool run(struct play *p, pid_t *pid, begin_fn begin, const char *name)
{
	if (*pid <= 0)
		*pid = start_actor(begin, &p->keeping, name);
	return *pid > 0;
}

/* Without waiting until it is ready. */
static void run_and_kill(struct play *p, begin_fn begin, const char *name, unsigned int *random)
{
	struct actor actor = { .keeping = &p->keeping };
	pid_t pid = fork();

	if (!pid) {
		if (!begin(&actor, &p->keeping, name))
			kreg_server_run(actor.server);
		_exit(1);
	}
	some_time(random);
	some_time(random);
	end_actor(&pid, SIGKILL);
}

static void hurt(struct play *p, unsigned int *random)
{
	pid_t *first = rand_r(random) % 2 ? &p->keeper : &p->consumer;
	pid_t *other = first == &p->keeper ? &p->consumer : &p->keeper;

	some_time(random);
	end_actor(first, SIGKILL);
	some_time(random);
	switch (rand_r(random) % 4) {
	case 0:
		end_actor(other, SIGKILL);
		break;
	case 1:
		/* A hand-over begins, and its giver dies. */
		if (first == &p->consumer) {
			run_and_kill(p, begin_consumer, CONSUMER, random);
			end_actor(&p->keeper, SIGKILL);
		}
		break;
	case 2:
		if (first == &p->keeper)
			run_and_kill(p, begin_keeper, KEEPER, random);
		break;
	}
}

/* Both run, and the consumer counts on in the table that there was. */
static bool count_on(struct play *p, int64_t *id, int64_t *count, bool ask)
{
	if (!run(p, &p->keeper, begin_keeper, KEEPER) ||
	    !run(p, &p->consumer, begin_consumer, CONSUMER) ||
	    (ask && tell(p->consumer_peer, "g") < 0) || !is_owned_by(p, p->consumer))
		return false;
	if (!*id)
		*id = tell(p->keeper_peer, "i");
	return tells(p->consumer_peer, "i", *id) && tell(p->consumer_peer, "+") == ++*count &&
		tell(p->keeper_peer, "i") == *id;
}

static int rounds(void)
{
	const char *shrink = getenv("KREG_TEST_SHRINK");
	int by = shrink ? atoi(shrink) : 1;

	return by > 1 ? 240 / by + 20 : 240;
}

static void play_rounds(struct __test_metadata *_metadata, struct play *p, int64_t *id,
			int64_t *count, unsigned int *random)
{
	int i, n = rounds();

	for (i = 0; i < n; i++) {
		ASSERT_TRUE(count_on(p, id, count, p->keeping.on_request)) {
			TH_LOG("round %d of table %lld, %lld", i, (long long)*id,
			       (long long)*count);
		}
		hurt(p, random);
	}
	EXPECT_EQ(n, *count);
}

TEST_F(tm, killed_at_any_moment)
{
	play_rounds(_metadata, &self->p, &self->id, &self->count, &self->random);
}

TEST_F(tm, killed_while_asked)
{
	self->p.keeping.on_request = true;
	play_rounds(_metadata, &self->p, &self->id, &self->count, &self->random);
}

TEST_HARNESS_MAIN
