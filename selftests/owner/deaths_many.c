// SPDX-License-Identifier: GPL-2.0
/*
 * As many deaths as one likes, and a look-up never returns one of the dead. The processes share
 * the memory of the test, so one costs little more than its client and its registration: each
 * is a thread group of its own, and is killed, or exits, as any other. They come one after the
 * other into a fixed number of places, each of which is a key of the registry, and the value
 * says the how manieth of its place a process is. So whoever looks a key up, and knows before
 * that the n-th process of that place is dead, must not find a number up to n.
 *
 * That it is dead is known by a pidfd, by waitid() or waitpid(), or because kill() has returned:
 * from then on nobody finds it either. The test looks after each death, in one of these ways; two
 * other processes look all the time.
 *
 * KREG_TEST_DEATHS=N: so many, instead of 2,000.
 */
#include "kit/line.h"
#include "owner/looks.h"

#define STACK	16384
#define WRITES	8	/* at most, of a process before it exits, or waits to be killed */
#define LEAST	(6 * PLACES)
#define STRETCH	1024	/* so many deaths on one processor, but for the first few, */
#define ANYWHERE 64	/* which is cheaper where processors are emulated */

/* A process, in a place. */
struct victim {
	struct place *place;
	pid_t pid;		/* 0: none */
	struct value value;
	__u64 registry;
	unsigned int writes;
	bool exits;		/* by itself */
	bool registered, done;	/* it has written all */
	bool reaped;
	char *stack;
};

struct many {
	int fd;
	__u64 registry;
	struct victim victims[PLACES];
	__u64 random;
	unsigned int registered;	/* of those that have died */
};

FIXTURE(deaths_many) {
	struct test_base base;
	struct many m;
};

FIXTURE_SETUP(deaths_many)
{
	struct many *m = &self->m;
	unsigned int i;

	m->fd = test_setup(_metadata, &self->base);
	test_create(m->fd, NULL, KREG_ACCESS_REGISTRY, &m->registry);
	world = test_shared(sizeof(*world));
	ASSERT_NE(NULL, world);
	m->random = getpid();
	for (i = 0; i < PLACES; i++) {
		struct victim *v = &m->victims[i];

		v->place = &world->places[i];
		v->value.place = i;
		v->registry = m->registry;
		v->stack = test_shared(STACK);
		ASSERT_NE(NULL, v->stack);
		snprintf(v->place->key, sizeof(v->place->key), "place%u", i);
	}
}

FIXTURE_TEARDOWN_PARENT(deaths_many)
{
	test_teardown(_metadata, &self->base);
}

static unsigned int total(void)
{
	const char *n = getenv("KREG_TEST_DEATHS");
	unsigned int deaths = n ? (unsigned int)atoi(n) : test_size(2000);

	return deaths < LEAST ? LEAST : deaths;
}

static unsigned int patience(void)
{
	return test_scale(60 + total() / 200);
}

/*
 * In the memory of the test, errno of which it would change with a call that fails: then it is
 * over anyway.
 */
static void must(int err)
{
	if (err)
		_exit(-err);
}

static int live(void *arg)
{
	struct victim *v = arg;
	struct kreg_ioc_register cmd = register_cmd(v->registry, v->place->key, "", 0);
	struct kreg_op op;
	int fd = test_client();

	cmd.value = test_ptr(&v->value);
	cmd.value_len = sizeof(v->value);
	must(fd < 0 ? fd : run_register(fd, &cmd));
	__atomic_store_n(&v->registered, true, __ATOMIC_RELEASE);
	while (v->writes--) {
		op = test_op_value(KREG_OP_PUT, v->place->key, strlen(v->place->key), &v->value,
				   sizeof(v->value));
		op.flags = KREG_OP_BOUND | KREG_OP_MINE;
		must(_test_op(fd, v->registry, 0, &op));
	}
	__atomic_store_n(&v->done, true, __ATOMIC_RELEASE);
	while (!v->exits)
		pause();
	_exit(0);
}

static void begin(struct __test_metadata *_metadata, struct many *m, struct victim *v, bool exits)
{
	struct place *p = v->place;

	v->exits = exits;
	v->writes = draw(&m->random, 4) ? 0 : draw(&m->random, WRITES);
	v->registered = false;
	v->done = false;
	v->reaped = false;
	v->value.number++;
	__atomic_store_n(&p->pid, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&p->begun, v->value.number, __ATOMIC_RELEASE);
	v->pid = clone(live, v->stack + STACK, CLONE_VM | SIGCHLD, v);
	ASSERT_LT(0, v->pid);
	__atomic_store_n(&p->pid, v->pid, __ATOMIC_RELEASE);
}

static void reap(struct __test_metadata *_metadata, struct victim *v)
{
	int status = 0;

	ASSERT_EQ(v->pid, waitpid(v->pid, &status, 0));
	EXPECT_EQ(v->exits ? 0 : SIGKILL, status) {
		TH_LOG("it could not: %s", strerror(WEXITSTATUS(status)));
	}
	v->reaped = true;
}

static void see_by_pidfd(struct __test_metadata *_metadata, const struct victim *v)
{
	int pidfd = test_pidfd(v->pid);

	ASSERT_LE(0, pidfd);
	EXPECT_TRUE(test_pidfd_dead(pidfd));
	close(pidfd);
}

/* When this returns nobody may find it any more. */
static void end(struct __test_metadata *_metadata, struct many *m, struct victim *v)
{
	siginfo_t info;

	if (!v->exits)
		kill(v->pid, SIGKILL);
	switch (draw(&m->random, v->exits ? 3 : 4)) {
	case 0:
		see_by_pidfd(_metadata, v);
		break;
	case 1:
		EXPECT_EQ(0, waitid(P_PID, v->pid, &info, WEXITED | WNOWAIT));
		break;
	case 2:
		reap(_metadata, v);
		break;
	case 3:	/* The signal is enough. */
		break;
	}
	__atomic_store_n(&v->place->dead, v->value.number, __ATOMIC_RELEASE);
}

static void die(struct __test_metadata *_metadata, struct many *m, struct victim *v)
{
	end(_metadata, m, v);
	EXPECT_EQ(0, find(m->fd, m->registry, v->place->key));
	m->registered += __atomic_load_n(&v->registered, __ATOMIC_ACQUIRE);
}

static void leave(struct __test_metadata *_metadata, struct victim *v)
{
	if (!v->reaped)
		reap(_metadata, v);
	v->pid = 0;
}

static void show_progress(unsigned int i, unsigned int n)
{
	if (i && !(i % 50000))
		ksft_print_msg("%u of %u deaths\n", i, n);
}

/* Mostly when many others have begun since, but now and then the last one, as far as it is. */
static struct victim *choose(struct many *m, struct victim *last)
{
	return draw(&m->random, 4) ? &m->victims[draw(&m->random, PLACES)] : last;
}

/* Processes that begin inherit it. */
static void choose_cpu(struct __test_metadata *_metadata, unsigned int deaths)
{
	if (!(deaths % STRETCH))
		set_any_cpu(_metadata, 0);
	else if (deaths % STRETCH == ANYWHERE)
		set_cpu(_metadata, 0, 0);
}

TEST_F_TIMEOUT(deaths_many, seen, patience())
{
	unsigned int i, deaths = 0, n = total() / 2;
	struct many *m = &self->m;
	struct victim *v = m->victims;

	start_readers(_metadata, m->registry, sysconf(_SC_NPROCESSORS_ONLN) - 1);
	while (deaths < n && __test_passed(_metadata)) {
		v = choose(m, v);
		if (v->pid) {
			choose_cpu(_metadata, deaths);
			die(_metadata, m, v);
			leave(_metadata, v);
			show_progress(++deaths, n);
		}
		begin(_metadata, m, v, !draw(&m->random, 4));
		expect_nothing_wrong(_metadata);
	}
	for (i = 0; i < PLACES; i++)
		if (m->victims[i].pid)
			die(_metadata, m, &m->victims[i]);
	stop_readers(_metadata);
	TH_LOG("of %u, %u had registered", deaths, m->registered);
	EXPECT_LE(n / 2, m->registered);
}

/* Until it has written all; it should not die before. */
static void expect_done(struct __test_metadata *_metadata, const struct victim *v)
{
	siginfo_t info = {};

	ASSERT_TRUE(test_wait_for(__atomic_load_n(&v->done, __ATOMIC_ACQUIRE) ||
				  waitid(P_PID, v->pid, &info, WEXITED | WNOHANG | WNOWAIT) ||
				  info.si_pid));
	EXPECT_EQ(0, info.si_pid) {
		TH_LOG("%s %d", info.si_code == CLD_EXITED ? "it could not:" : "it died by signal",
		       info.si_status);
	}
}

/* One that is killed in the middle of a write dies when the thread has done it. */
static void begin_all(struct __test_metadata *_metadata, struct many *m)
{
	unsigned int i;

	for (i = 0; i < PLACES; i++)
		begin(_metadata, m, &m->victims[i], false);
	for (i = 0; i < PLACES; i++)
		expect_done(_metadata, &m->victims[i]);
}

/* Whether the thread was really held off: all that they have left is still there. */
static bool die_all(struct __test_metadata *_metadata, struct many *m)
{
	unsigned int i;

	for (i = 0; i < PLACES; i++)
		die(_metadata, m, &m->victims[i]);
	return test_objects(m->fd, m->registry) == PLACES;
}

/*
 * The spinner keeps the writer's thread from running, so nothing of the dead is removed, until
 * all have died.
 */
TEST_F_TIMEOUT(deaths_many, writer_held_off, patience())
{
	unsigned int i, rounds, held = 0, n = total() / 2 / PLACES;
	struct many *m = &self->m;
	struct hold h;

	hold_prepare(_metadata, &h);
	set_cpu(_metadata, 0, 0);
	start_readers(_metadata, m->registry, 0);
	for (rounds = 0; rounds < n && __test_passed(_metadata); rounds++) {
		begin_all(_metadata, m);
		hold(_metadata, &h);
		held += die_all(_metadata, m);
		unhold(_metadata, &h);
		for (i = 0; i < PLACES; i++)
			leave(_metadata, &m->victims[i]);
		expect_nothing_wrong(_metadata);
		show_progress(rounds * PLACES, n * PLACES);
	}
	stop_readers(_metadata);
	TH_LOG("%u times %u deaths, %u times nothing had been removed", rounds, PLACES, held);
	EXPECT_LE(n / 2, held);
}

TEST_HARNESS_MAIN
