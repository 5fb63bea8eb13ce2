// SPDX-License-Identifier: GPL-2.0
/*
 * Very many deaths at random points. Each process registers itself, makes a table of which the
 * test is the heir, and goes on writing to both until it is killed, or dies by itself. However
 * the death is noticed, from then on nothing leads to the dead, and TRANSFER and DOWN can be read.
 * EXIT, which is told to subscribers, is there when DOWN is; they come in order: TRANSFER, EXIT,
 * DOWN.
 *
 * KREG_TEST_DEATHS=N: so many, instead of 2,500.
 */
#include <poll.h>

#include "kit/line.h"
#include "kit/stall.h"
#include "kit/stream.h"

#define SPIN_NS		400000	/* at most, before a process is killed */
#define BY_ITSELF	200	/* exit status of one that nobody has killed in time */
#define LEAST		10	/* one of so many at least has begun to write */
#define HELD		10	/* deaths in a row while the writer's thread does not run */

/* How far the process has come, in memory that outlives it. */
struct progress {
	__u32 watched;		/* the test knows who it is */
	__u32 registered;
	__u64 table;		/* of which the test is the heir; 0: not yet */
};

struct deaths {
	int fd;			/* its mailbox: TRANSFER and DOWN */
	int stream;		/* EXIT */
	__u64 registry;
	struct kreg_process me;
	struct progress *progress;	/* of HELD processes */
	__u64 random;
	unsigned int registered, owners;	/* of those that have died */
};

/* One of them, under a name of its own. */
struct victim {
	char key[12];
	struct progress *progress;
	bool pauses;		/* when it has a table */
	pid_t pid;
	struct kreg_process who;
	__u64 watch;
};

FIXTURE(deaths) {
	struct test_base base;
	struct deaths d;
};

FIXTURE_SETUP(deaths)
{
	struct deaths *d = &self->d;

	d->fd = test_setup(_metadata, &self->base);
	d->me = test_self(d->fd);
	d->stream = test_client();
	ASSERT_LE(0, d->stream);
	test_create(d->fd, NULL, KREG_ACCESS_REGISTRY, &d->registry);
	test_subscribe(d->stream, d->registry, KIND(EXIT));
	test_nonblock(d->fd, true);
	test_nonblock(d->stream, true);
	d->progress = test_shared(HELD * sizeof(*d->progress));
	ASSERT_NE(NULL, d->progress);
	d->random = getpid();
}

FIXTURE_TEARDOWN_PARENT(deaths)
{
	test_teardown(_metadata, &self->base);
}

static unsigned int draw(struct deaths *d, unsigned int n)
{
	d->random = d->random * 6364136223846793005ULL + 1442695040888963407ULL;
	return (d->random >> 33) % n;
}

static unsigned int total(void)
{
	const char *n = getenv("KREG_TEST_DEATHS");

	return n ? (unsigned int)atoi(n) : test_size(2500);
}

static int make_table(struct deaths *d, int fd, struct progress *progress)
{
	struct kreg_ioc_open cmd = test_open_cmd(NULL, KREG_OPEN_CREATE | KREG_OPEN_HEIR);
	int err;

	cmd.heir = d->me;
	err = _test_open_cmd(fd, &cmd);
	__atomic_store_n(&progress->table, cmd.out_table, __ATOMIC_RELEASE);
	return err;
}

/* The status that a failed call ends the process with. */
static void must(int err)
{
	if (err)
		_exit(-err);
}

/* A few die by themselves. */
static void live(struct deaths *d, const struct victim *v)
{
	struct kreg_ioc_register cmd = register_cmd(d->registry, v->key, "v", 0);
	unsigned int turns = draw(d, 4) ? ~0U : draw(d, 20);
	struct kreg_op op;
	int fd;

	while (!__atomic_load_n(&v->progress->watched, __ATOMIC_ACQUIRE))
		sched_yield();
	fd = test_client();
	must(fd < 0 ? fd : run_register(fd, &cmd));
	__atomic_store_n(&v->progress->registered, 1, __ATOMIC_RELEASE);
	must(make_table(d, fd, v->progress));
	while (v->pauses)
		pause();
	while (turns--) {
		op = test_op_bind(v->key, "w");
		op.flags |= KREG_OP_MINE;
		must(_test_op(fd, d->registry, 0, &op));
		must(_test_puts(fd, v->progress->table, "k", "v"));
	}
	_exit(BY_ITSELF);
}

static void start(struct __test_metadata *_metadata, struct deaths *d, struct victim *v,
		  unsigned int number)
{
	snprintf(v->key, sizeof(v->key), "victim%u", number);
	v->progress = &d->progress[number];
	memset(v->progress, 0, sizeof(*v->progress));
	draw(d, 2);
	v->pid = fork();
	ASSERT_LE(0, v->pid);
	if (!v->pid)
		live(d, v);
	test_name(d->fd, v->pid, &v->who);
	test_watch(d->fd, v->who, &v->watch);
	__atomic_store_n(&v->progress->watched, 1, __ATOMIC_RELEASE);
}

/* Many are killed at once, so here some have come as far as is drawn. */
static void let_begin(struct deaths *d, const struct victim *v)
{
	__u64 end = test_now_ns() + PATIENCE_MS * 1000000ULL;
	unsigned int step = draw(d, 3);
	struct progress *p = v->progress;

	while (test_now_ns() < end) {
		if (!step || (step == 1 && __atomic_load_n(&p->registered, __ATOMIC_ACQUIRE)) ||
		    __atomic_load_n(&p->table, __ATOMIC_ACQUIRE))
			break;
		sched_yield();
	}
}

static void kill_soon(struct deaths *d, const struct victim *v)
{
	__u64 end = test_now_ns() + draw(d, test_scale(SPIN_NS));

	while (test_now_ns() < end)
		;
	kill(v->pid, SIGKILL);
}

static void expect_unfound(struct __test_metadata *_metadata, struct deaths *d,
			   const struct victim *v)
{
	struct kreg_process whose;

	EXPECT_EQ(-ENODATA, _test_whose(d->fd, d->registry, v->key, &whose)) {
		TH_LOG("found, bound to %u", whose.pid);
	}
}

/* It has died in one of the ways that are meant. */
static void reap(struct __test_metadata *_metadata, const struct victim *v)
{
	int status = 0;

	EXPECT_EQ(v->pid, waitpid(v->pid, &status, 0));
	EXPECT_TRUE(status == SIGKILL || status == BY_ITSELF << 8) {
		TH_LOG("status 0x%x", status);
	}
}

static void see_by_pidfd(struct __test_metadata *_metadata, const struct victim *v)
{
	int pidfd = test_pidfd(v->pid);

	ASSERT_LE(0, pidfd);
	EXPECT_TRUE(test_pidfd_dead(pidfd));
	close(pidfd);
}

static void count_progress(struct deaths *d, const struct victim *v)
{
	d->registered += v->progress->registered;
	d->owners += v->progress->table != 0;
}

/* When TRANSFER was told; 0: the table was not made. */
static __u64 take_transfer(struct __test_metadata *_metadata, struct deaths *d,
			   const struct test_event *event, const struct victim *v)
{
	struct kreg_info info;

	if (event->e.kind != KREG_EVENT_TRANSFER) {
		EXPECT_EQ(0, v->progress->table);
		return 0;
	}
	test_transfer(event, v->progress->table ?: event->e.table, v->who, KREG_CAUSE_DEATH);
	test_info(d->fd, event->e.table, &info);
	EXPECT_TRUE(test_same(d->me, info.owner));
	test_destroy(d->fd, event->e.table);
	return event->e.time_ns;
}

/* When EXIT was told; 0: it had not registered. It may be killed before it knows that it has. */
static __u64 take_exit(struct __test_metadata *_metadata, struct deaths *d,
		       const struct victim *v)
{
	struct test_event event;
	int err = test_event_read(d->stream, &event);

	if (err == -EAGAIN) {
		EXPECT_EQ(0, v->progress->registered);
		return 0;
	}
	ASSERT_EQ(0, err);
	EXPECT_EQ(KREG_EVENT_EXIT, event.e.kind);
	EXPECT_EQ(v->who.cookie, event.e.process.cookie);
	EXPECT_EQ(-EAGAIN, test_event_read(d->stream, &event));
	return event.e.time_ns;
}

/* All that is told can be read, and came in order. */
static void expect_told(struct __test_metadata *_metadata, struct deaths *d,
			const struct victim *v)
{
	struct test_event event;
	__u64 transfer, exit;

	ASSERT_EQ(0, test_event_read(d->fd, &event));
	transfer = take_transfer(_metadata, d, &event, v);
	if (transfer)
		ASSERT_EQ(0, test_event_read(d->fd, &event));
	EXPECT_EQ(KREG_EVENT_DOWN, event.e.kind);
	EXPECT_EQ(v->watch, event.e.id);
	EXPECT_EQ(v->who.cookie, event.e.process.cookie);
	exit = take_exit(_metadata, d, v);
	if (transfer && exit)
		EXPECT_LE(transfer, exit);
	EXPECT_LE(exit, event.e.time_ns);
	EXPECT_EQ(-EAGAIN, test_event_read(d->fd, &event));
	EXPECT_EQ(0, test_objects(d->fd, d->registry));
}

static void die_once(struct __test_metadata *_metadata, struct deaths *d)
{
	bool by_pidfd = draw(d, 2);
	struct victim v = {};

	start(_metadata, d, &v, 0);
	let_begin(d, &v);
	kill_soon(d, &v);
	if (by_pidfd)
		see_by_pidfd(_metadata, &v);
	else
		reap(_metadata, &v);
	expect_unfound(_metadata, d, &v);
	expect_told(_metadata, d, &v);
	count_progress(d, &v);
	if (by_pidfd) {
		reap(_metadata, &v);
		expect_unfound(_metadata, d, &v);
	}
}

static void show_progress(unsigned int i, unsigned int n)
{
	if (i && !(i % 100000))
		ksft_print_msg("%u of %u deaths\n", i, n);
}

/* While the test itself looks. Enough of them have come far enough for their deaths to matter. */
TEST_F(deaths, seen)
{
	struct deaths *d = &self->d;
	unsigned int i, n = total() * 3 / 4;

	for (i = 0; i < n && __test_passed(_metadata); i++) {
		die_once(_metadata, d);
		show_progress(i, n);
	}
	TH_LOG("of %u, %u had registered, %u had a table", n, d->registered, d->owners);
	EXPECT_LE(n / LEAST, d->registered);
	EXPECT_LE(n / LEAST, d->owners);
}

static void start_all(struct __test_metadata *_metadata, struct deaths *d, struct victim *v)
{
	unsigned int i;

	for (i = 0; i < HELD; i++) {
		v[i].pauses = true;
		start(_metadata, d, &v[i], i);
	}
	for (i = 0; i < HELD; i++)
		EXPECT_TRUE(test_wait_for(__atomic_load_n(&v[i].progress->table,
							  __ATOMIC_ACQUIRE)));
}

static void kill_all(struct __test_metadata *_metadata, struct deaths *d, struct victim *v)
{
	unsigned int i;

	for (i = 0; i < HELD; i++) {
		kill_soon(d, &v[i]);
		reap(_metadata, &v[i]);
		expect_unfound(_metadata, d, &v[i]);
	}
	EXPECT_EQ(0, test_count(d->fd, d->registry));
}

/* Each death is told, in any order of the processes. */
static void expect_all_told(struct __test_metadata *_metadata, struct deaths *d)
{
	unsigned int exits = 0, downs = 0, transfers = 0;
	struct test_event event;

	test_sync(d->fd);
	EXPECT_EQ(0, test_objects(d->fd, d->registry));
	while (!test_event_read(d->fd, &event)) {
		downs += event.e.kind == KREG_EVENT_DOWN;
		if (event.e.kind == KREG_EVENT_TRANSFER) {
			test_destroy(d->fd, event.e.table);
			transfers++;
		}
	}
	while (!test_event_read(d->stream, &event))
		exits += event.e.kind == KREG_EVENT_EXIT;
	EXPECT_EQ(HELD, downs);
	EXPECT_EQ(HELD, exits);
	EXPECT_EQ(HELD, transfers);
}

/*
 * Nobody has handled the deaths, and still no look-up returns one of the dead. The spinner keeps
 * the writer's thread from running for a second at most, so a few die at a time.
 */
TEST_F(deaths, writer_held_off)
{
	unsigned int i, n = total() / 4 / HELD;
	struct victim v[HELD];
	struct hold h;

	hold_prepare(_metadata, &h);
	set_cpu(_metadata, 0, 0);
	for (i = 0; i < n && __test_passed(_metadata); i++) {
		start_all(_metadata, &self->d, v);
		hold(_metadata, &h);
		kill_all(_metadata, &self->d, v);
		unhold(_metadata, &h);
		expect_all_told(_metadata, &self->d);
		show_progress(i * HELD, n * HELD);
	}
}

TEST_HARNESS_MAIN
