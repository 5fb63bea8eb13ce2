// SPDX-License-Identifier: GPL-2.0
/*
 * Who waits at real-time priority for a table does not wait for tasks of normal priority
 * that were preempted while they had the module's work in hand.
 *
 * Such tasks call kreg all the time on one processor, until one of real-time priority takes
 * that away from them, at a random moment about when the table is to change hands. It gives
 * the processor back only when the table has arrived.
 */
#include <poll.h>

#include "kit/file.h"
#include "kit/fixture.h"
#include "kit/job.h"
#include "kit/stall.h"

#define ROUNDS		100
#define BUSY		2
#define PREEMPTOR	10
#define GIVER		15
#define WAITER		20

#define RUNTIME		"/proc/sys/kernel/sched_rt_runtime_us"
#define FAIR_SERVER	"/sys/kernel/debug/sched/fair_server/cpu0/runtime"

struct load {
	int *stop;		/* shared: the busy ones are to end, */
	struct kid *busy[BUSY];
	struct kid *preemptor;	/* and this one, by spin_stop */
	char runtime[24];
	char fair[24];
};

FIXTURE(fifo) {
	struct test_base base;
	int fd;
	struct kreg_process me;
	struct load load;
};

static int *busy_stop;

/* Whatever takes a turn, carries out wake-ups or advances a death. */
static long job_busy(struct job *job)
{
	struct test_event event;
	struct kreg_info info;
	int n;

	for (n = 0; !__atomic_load_n(busy_stop, __ATOMIC_RELAXED); n++) {
		_test_puts(job->fd, job->table, "k", "v");
		_test_event_now(job->fd, &event);
		_test_info_name(job->fd, "moving", &info);
		_test_mode(job->fd, job->table, 0600);
		if (!(n % 16))
			_test_sync(job->fd);
	}
	return 0;
}

static long job_preempt(struct job *job)
{
	struct timespec sleep = { .tv_nsec = job->arg };
	__u64 end = test_now_ns() + 2 * PATIENCE_MS * 1000000ULL;

	nanosleep(&sleep, NULL);
	while (!__atomic_load_n(spin_stop, __ATOMIC_RELAXED))
		if (test_now_ns() > end)
			return -ETIME;
	return 0;
}

/* The kernel itself would let tasks of normal priority run after a second. */
static void allow_starving(struct __test_metadata *_metadata,
			   struct load *load)
{
	ASSERT_TRUE(test_read_file(RUNTIME, load->runtime, sizeof(load->runtime)) > 0);
	ASSERT_EQ(0, test_write_file(RUNTIME, "-1"));
	if (test_read_file(FAIR_SERVER, load->fair, sizeof(load->fair)) > 0)
		ASSERT_EQ(0, test_write_file(FAIR_SERVER, "0"));
}

static void forbid_starving(struct load *load)
{
	if (*load->fair)
		test_write_file(FAIR_SERVER, load->fair);
	if (*load->runtime)
		test_write_file(RUNTIME, load->runtime);
}

FIXTURE_SETUP(fifo)
{
	struct load *load = &self->load;
	int i;

	self->fd = test_setup(_metadata, &self->base);
	self->me = test_self(self->fd);
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "needs two processors");
	busy_stop = test_shared(sizeof(*busy_stop));
	spin_stop = test_shared(sizeof(*spin_stop));
	load->stop = busy_stop;
	load->preemptor = kid_start_bare(_metadata);
	for (i = 0; i < BUSY; i++) {
		load->busy[i] = kid_start(_metadata);
		ASSERT_EQ(0, kid_create(load->busy[i], i ? "busy" : "busier",
					KREG_ACCESS_PRIVATE, &load->busy[i]->job->table));
	}
	allow_starving(_metadata, load);
	set_cpu(_metadata, load->preemptor->pid, 0);
	set_fifo(_metadata, load->preemptor->pid, PREEMPTOR);
	for (i = 0; i < BUSY; i++) {
		set_cpu(_metadata, load->busy[i]->pid, 0);
		kid_ask(load->busy[i], job_busy);
	}
	set_cpu(_metadata, 0, 1);
	set_fifo(_metadata, 0, WAITER);
}

FIXTURE_TEARDOWN_PARENT(fifo)
{
	forbid_starving(&self->load);
	test_teardown(_metadata, &self->base);
}

/* Soon the busy ones are preempted, at a moment that differs from round to round. */
static void preempt_soon(struct load *load, int round)
{
	__atomic_store_n(spin_stop, 0, __ATOMIC_RELAXED);
	load->preemptor->job->arg = 1000 + round * 7919 % 100 * 10000;
	kid_ask(load->preemptor, job_preempt);
}

static void preempt_end(struct __test_metadata *_metadata,
			struct load *load)
{
	__atomic_store_n(spin_stop, 1, __ATOMIC_RELAXED);
	ASSERT_EQ(0, kid_answer(load->preemptor));
}

static void end_busy(struct __test_metadata *_metadata, struct load *load)
{
	int i;

	__atomic_store_n(load->stop, 1, __ATOMIC_RELAXED);
	set_fifo(_metadata, 0, 0);
	for (i = 0; i < BUSY; i++)
		ASSERT_EQ(0, kid_answer(load->busy[i]));
}

/* The transfer of @table has come while the busy ones cannot run. */
static void wait_transfer(struct __test_metadata *_metadata, int fd, __u64 table)
{
	struct pollfd news = { .fd = fd, .events = POLLIN };
	struct test_event event;

	ASSERT_EQ(1, poll(&news, 1, PATIENCE_MS));
	ASSERT_EQ(0, _test_event_now(fd, &event));
	ASSERT_EQ(KREG_EVENT_TRANSFER, event.e.kind);
	ASSERT_EQ(table, event.e.table);
}

/* It has arrived: all is as before. */
static void end_round(struct __test_metadata *_metadata, struct load *load,
		      struct kid *victim, int fd, __u64 table)
{
	preempt_end(_metadata, load);
	ASSERT_EQ(SIGKILL, kid_reap(victim));
	ASSERT_EQ(0, _test_destroy(fd, table));
}

TEST_F(fifo, death_reaches_heir)
{
	int i, rounds = test_size(ROUNDS);

	for (i = 0; i < rounds; i++) {
		struct kid *victim = kid_start(_metadata);
		__u64 table;

		set_cpu(_metadata, victim->pid, 1);
		ASSERT_EQ(0, kid_create_heir(victim, "moving", self->me, "", &table));
		preempt_soon(&self->load, i);
		kill(victim->pid, SIGKILL);
		wait_transfer(_metadata, self->fd, table);
		end_round(_metadata, &self->load, victim, self->fd, table);
	}
	end_busy(_metadata, &self->load);
}

TEST_F(fifo, death_grants_claim)
{
	int i, rounds = test_size(ROUNDS);

	for (i = 0; i < rounds; i++) {
		struct kid *victim = kid_start(_metadata);
		__u64 table, claimed;

		set_cpu(_metadata, victim->pid, 1);
		ASSERT_EQ(0, kid_open(victim, "moving",
				      KREG_OPEN_CREATE | KREG_OPEN_CLAIMABLE, &table));
		ASSERT_EQ(0, kid_orphan(victim, table, KREG_ORPHAN_PARK, 0));
		preempt_soon(&self->load, i);
		kill(victim->pid, SIGKILL);
		ASSERT_EQ(0, _test_open(self->fd, "moving",
					KREG_OPEN_CLAIM | KREG_OPEN_WAIT, &claimed));
		ASSERT_EQ(table, claimed);
		end_round(_metadata, &self->load, victim, self->fd, table);
	}
	end_busy(_metadata, &self->load);
}

TEST_F(fifo, gift_reaches_reader)
{
	int i, rounds = test_size(ROUNDS);
	struct kid *giver = kid_start(_metadata);

	ASSERT_EQ(0, _test_receiver(self->fd));
	set_cpu(_metadata, giver->pid, 1);
	set_fifo(_metadata, giver->pid, GIVER);
	for (i = 0; i < rounds; i++) {
		__u64 table;

		ASSERT_EQ(0, kid_create(giver, "moving", KREG_ACCESS_PRIVATE, &table));
		preempt_soon(&self->load, i);
		giver->job->table = table;
		giver->job->process = self->me;
		giver->job->len = 0;
		kid_ask(giver, job_give);
		wait_transfer(_metadata, self->fd, table);
		ASSERT_EQ(0, kid_answer(giver));
		preempt_end(_metadata, &self->load);
		ASSERT_EQ(0, _test_destroy(self->fd, table));
	}
	end_busy(_metadata, &self->load);
}

TEST_HARNESS_MAIN
