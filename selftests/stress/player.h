/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A player: the process, its threads, its children, and its end.
 */
#ifndef KREG_STRESS_PLAYER_H
#define KREG_STRESS_PLAYER_H

#include <pthread.h>
#include <sys/resource.h>

#include "stress/account.h"
#include "stress/act.h"
#include "stress/backlog.h"
#include "stress/change.h"
#include "stress/memory.h"
#include "stress/registrant.h"

#define STACK	(1 << 19)

/* Not from malloc(): in place before a limited player joins its group. */
static char rooms[LANES + 1][ROOM] __attribute__((aligned(4096)));
static char stacks[LANES + 1][STACK] __attribute__((aligned(4096)));

static inline bool out_of_time(__u64 end)
{
	return test_now_ns() >= end;
}

static inline void *lane_main(void *arg)
{
	struct data *d = arg;

	while (playing()) {
		if (!pick(d, 10))
			use_changes(d);
		else if (!pick(d, 10))
			use_accounts(d);
		else if (pick(d, 2))
			write_something(d);
		else
			read_something(d);
	}
	sync_lane(d);
	return NULL;
}

/* A client that was opened by another process is of no use. */
static inline void use_inherited(int fd)
{
	struct kreg_op op = test_ops(KREG_OP_DELETE, "inherited");
	struct test_event event;

	if (_test_op(fd, world->ids[0], 0, &op) != -ENXIO ||
	    test_event_read(fd, &event) != -ENXIO ||
	    _test_sync(fd) != -ENXIO)
		complain("an inherited client works");
	else
		tally(REFUSED);
}

/* It keeps the files of its parent open for a while, and reads by itself. */
static inline void child_main(struct actor *a)
{
	__u64 end = test_now_ns() + roll(a, 300) * 1000000ULL;
	struct kreg_info info;
	int fd, i, err;

	for (i = 0; i < BOXES; i++)
		use_inherited(a->fd[i]);
	fd = test_client();
	while (fd >= 0 && playing() && !out_of_time(end)) {
		err = _test_info(fd, world->ids[0], &info);
		if (err)
			complain("a child's INFO: %s", strerror(-err));
		test_pause_ms(10);
	}
	_exit(0);
}

/*
 * In the child of a process with threads only what is safe in a signal handler
 * may be called; whatever is used here is.
 */
static inline void have_child(struct actor *a)
{
	pid_t pid = a->slot->limited ? -1 : fork();
	__u32 what = roll(a, 12);

	if (!pid && what < 3)
		backlog_main(what);
	if (!pid)
		child_main(a);
	if (pid > 0)
		tally(FORKS);
}

static inline void *exit_main(void *arg)
{
	_exit(3);
}

/*
 * One write is accepted while the writer's thread is busy with a long one: the
 * death that follows comes after both.
 */
static inline void flood(struct actor *a)
{
	int table;

	for (table = KEPT; table < TABLES; table++) {
		if (!a->slot->owned[table])
			continue;
		mutate(a, table, true, MANY_TIMES);
		mutate(a, table, true, 1);
		break;
	}
}

/* One of the ways to die in the middle of what the other threads do. */
static inline void die(struct actor *a)
{
	pthread_t thread;

	end_life(a->slot, a->me.life);
	switch (roll(a, 6)) {
	case 0:
		_exit(3);
	case 1:
		raise(SIGSEGV);
		break;
	case 2:
	case 3:
		flood(a);
		break;
	case 4:
		/* Its stack may not be there, and the kernel tries for ever. */
		if (a->slot->limited)
			break;
		pthread_create(&thread, NULL, exit_main, NULL);
		/* The leader ends before the process. */
		syscall(SYS_exit, 0);
		break;
	}
	kill(getpid(), SIGKILL);
}

static inline void start_thread(struct slot *slot, pthread_t *thread, int i,
				void *(*main)(void *), void *arg)
{
	pthread_attr_t attr;

	pthread_attr_init(&attr);
	pthread_attr_setstack(&attr, stacks[i], STACK);
	if (pthread_create(thread, &attr, main, arg))
		give_up(slot);
}

static inline void start_lane(struct data *d, struct actor *a, int i,
			      pthread_t *thread)
{
	d->slot = a->slot;
	d->number = a->me.slot * LANES + i;
	d->lane = &world->lanes[d->number];
	d->random = mix(a->random + i);
	d->room = rooms[1 + i];
	d->fd = test_client();
	if (d->fd < 0)
		give_up(a->slot);
	start_thread(a->slot, thread, i, lane_main, d);
}

/* The lanes do not hear what interrupts the main thread. */
static inline void mask_signal(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(how, &set, NULL);
}

static inline void start(struct actor *a)
{
	int i;

	a->room = rooms[0];
	for (i = 0; i < BOXES; i++) {
		a->fd[i] = test_client_flags(O_NONBLOCK);
		if (a->fd[i] < 0)
			give_up(a->slot);
	}
	a->me.process = test_self(a->fd[0]);
	a->slot->self = a->me.process;
}

/* What the others do to us until the end of the round. */
static inline void settle(struct actor *a)
{
	__u32 done = 0, table;

	while (load(&world->phase) != LEAVE) {
		if (load(&world->phase) != SETTLE ||
		    load(&world->settle) == done) {
			test_pause_ms(2);
			continue;
		}
		done = load(&world->settle);
		if (sync_all(a) == -ENOMEM)
			give_up(a->slot);
		open_mail(a);
		for (table = 0; table < TABLES; table++)
			look_up(a, table);
		store(&a->slot->settled, done);
	}
}

static inline void play(struct actor *a)
{
	while (playing()) {
		act(a);
		if (!roll(a, 100))
			have_child(a);
		if (!roll(a, 150))
			die(a);
	}
}

/* @number's new life, in a process of its own. */
static inline void player_main(unsigned int number, int inherited)
{
	static struct registrant registrant;
	static struct data data[LANES];
	static struct actor a;
	pthread_t threads[LANES + 1];
	int i, err;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setpriority(PRIO_PROCESS, 0, 0);
	a.slot = &world->slots[number];
	a.me.slot = number;
	a.me.life = a.slot->life;
	a.random = mix(world->seed + mix((__u64)a.me.life << 8 | number));
	/* A client of the referee came along. */
	use_inherited(inherited);
	close(inherited);
	err = a.slot->limited ? limit_memory(a.slot, number) : 0;
	if (err) {
		complain("%u.%u: cannot enter a memory cgroup: %s", number, a.me.life,
			 strerror(-err));
		_exit(KID_ERROR);
	}
	start(&a);
	mask_signal(SIG_BLOCK);
	for (i = 0; i < LANES; i++)
		start_lane(&data[i], &a, i, &threads[i]);
	if (!start_registrant(&registrant, a.slot, a.me))
		give_up(a.slot);
	/* First, since who finds an object of this process looks here whether it may be dying. */
	store(&a.slot->ready, a.me.life);
	start_thread(a.slot, &threads[LANES], LANES, registrant_main, &registrant);
	mask_signal(SIG_UNBLOCK);
	play(&a);
	for (i = 0; i <= LANES; i++)
		pthread_join(threads[i], NULL);
	store(&a.slot->quiet, a.me.life);
	settle(&a);
	end_life(a.slot, a.me.life);
	_exit(0);
}

#endif /* KREG_STRESS_PLAYER_H */
