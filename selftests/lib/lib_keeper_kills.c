// SPDX-License-Identifier: GPL-2.0
/*
 * libkreg: keeper and consumer killed at any moment, hundreds of times. There is one table, and it
 * has what the consumers have written.
 */
#include <stdatomic.h>
#include <sys/mman.h>

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

TEST_F(tm, killed_between_requests)
{
	self->p.keeping.on_request = true;
	play_rounds(_metadata, &self->p, &self->id, &self->count, &self->random);
}

/* What a consumer tells of itself that asks all the time, in memory that outlives it. */
struct score {
	_Atomic int64_t id;		/* of the table */
	_Atomic int64_t begun, done;	/* numbers that it was about to write, and has written */
	_Atomic int64_t got;		/* how often it got the table */
	_Atomic int err;		/* which it is not to get */
};

/* To the keeper, if that lives, or to the next one. */
static int leave_table(struct actor *a, bool park)
{
	int ret = park ? -ESRCH : give_back(a);

	return ret == -ESRCH || ret == -ENODATA ? kreg_table_park(a->table) : ret;
}

/* Nobody else asks: so it gets the table, or its keeper is dead. */
static int ask_once(struct actor *a, struct score *s)
{
	int64_t ret = get_from_keeper(a);

	if (ret == -ESRCH || ret == -ECONNRESET)
		return 0;
	if (ret < 0)
		return ret;
	if (!s->id)
		s->id = a->given;
	if (s->id != (int64_t)a->given)
		return -EILSEQ;
	s->got++;
	s->begun++;
	ret = add_one(a);
	if (ret != s->begun)
		return ret < 0 ? ret : -EILSEQ;
	s->done++;
	/* At times it asks for what it has. */
	return s->got % 3 ? leave_table(a, s->got % 3 == 1) : 0;
}

static pid_t start_asking(struct play *p, struct score *s)
{
	struct actor a = { .keeping = &p->keeping };
	pid_t pid = fork();
	int ret;

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(test_scale(120));
	ret = kreg_client_open(NULL, &a.client);
	ret = ret ? ret : kreg_table_open(a.client, p->keeping.names, NULL, &a.names);
	ret = ret ? ret : kreg_peer_open(a.names, KEEPER, strlen(KEEPER), &a.peer);
	while (!ret)
		ret = ask_once(&a, s);
	s->err = ret;
	_exit(1);
}

/* It is dead: the last number is what it has written, or was about to. */
static bool check_score(struct play *p, struct score *s)
{
	struct kreg_table *table;
	int64_t n = 0;
	int ret = kreg_table_open(p->client, p->keeping.table, NULL, &table);

	if (ret)
		return false;
	ret = kreg_get(table, "n", 1, &n, sizeof(n), NULL);
	if (kreg_table_id(table) != (uint64_t)s->id || (ret && ret != -ENODATA))
		n = -1;
	kreg_table_close(table);
	if (n < s->done || n > s->begun)
		return false;
	s->begun = n;
	s->done = n;
	return true;
}

/* Until the consumer has the table once more. */
static bool gets_on(const struct score *s)
{
	uint64_t deadline = kreg_deadline(PATIENCE_MS);
	int64_t before = s->got;

	while (s->got == before && !s->err && kreg_deadline(0) < deadline)
		usleep(200);
	return s->got > before && !s->err;
}

TEST_F(tm, killed_while_asked)
{
	struct play *p = &self->p;
	struct score *s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int i, n = rounds(), who;

	ASSERT_NE(MAP_FAILED, s);
	p->keeping.on_request = true;
	for (i = 0; i < n; i++) {
		ASSERT_TRUE(run(p, &p->keeper, begin_keeper, KEEPER));
		if (!p->consumer)
			p->consumer = start_asking(p, s);
		ASSERT_TRUE(gets_on(s)) {
			TH_LOG("round %d: got %lld, error %d", i, (long long)s->got, s->err);
		}
		some_time(&self->random);
		who = rand_r(&self->random) % 4;
		if (who != 1)
			end_actor(&p->keeper, SIGKILL);
		if (who == 3)
			some_time(&self->random);
		if (who) {
			end_actor(&p->consumer, SIGKILL);
			ASSERT_TRUE(check_score(p, s)) {
				TH_LOG("round %d: %lld to %lld", i, (long long)s->done,
				       (long long)s->begun);
			}
		}
	}
	EXPECT_EQ(0, s->err);
	end_actor(&p->consumer, SIGKILL);
	ASSERT_TRUE(run(p, &p->keeper, begin_keeper, KEEPER));
	EXPECT_EQ(p->keeper, owner_of(p, NULL));
	EXPECT_EQ(s->id, tell(p->keeper_peer, "i"));
	munmap(s, sizeof(*s));
}

TEST_HARNESS_MAIN
