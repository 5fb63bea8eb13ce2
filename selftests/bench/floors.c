// SPDX-License-Identifier: GPL-2.0
/*
 * What nobody gets below: entering the kernel, and waking another thread.
 */
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include "groups.h"

static void null_syscall(void *arg, long count)
{
	while (count--)
		syscall(SYS_getppid);
}

/* A command that a driver refuses at once. */
static void null_ioctl(void *arg, long count)
{
	int fd = *(int *)arg;

	while (count--)
		ioctl(fd, 0x6b00, 0);
}

/* Two threads that wake each other in turn. */
struct pair {
	int ask;
	int answer;
	atomic_uint word;	/* futex: 1: asked, 0: answered, 2: over */
	int cpu;
};

static void event_send(int fd, uint64_t what)
{
	if (write(fd, &what, sizeof(what)) != sizeof(what))
		bench_die("write to an eventfd");
}

static uint64_t event_wait(int fd)
{
	uint64_t what;

	if (read(fd, &what, sizeof(what)) != sizeof(what))
		bench_die("read from an eventfd");
	return what;
}

static void *eventfd_answer(void *arg)
{
	struct pair *pair = arg;

	bench_pin(pair->cpu);
	while (event_wait(pair->ask) == 1)
		event_send(pair->answer, 1);
	return NULL;
}

static void eventfd_ask(void *arg, long count)
{
	struct pair *pair = arg;

	while (count--) {
		event_send(pair->ask, 1);
		event_wait(pair->answer);
	}
}

static void futex_set(struct pair *pair, unsigned int value)
{
	atomic_store(&pair->word, value);
	syscall(SYS_futex, &pair->word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static unsigned int futex_leave(struct pair *pair, unsigned int value)
{
	unsigned int now;

	while ((now = atomic_load(&pair->word)) == value)
		syscall(SYS_futex, &pair->word, FUTEX_WAIT_PRIVATE, value, NULL,
			NULL, 0);
	return now;
}

static void *futex_answer(void *arg)
{
	struct pair *pair = arg;

	bench_pin(pair->cpu);
	while (futex_leave(pair, 0) == 1)
		futex_set(pair, 0);
	return NULL;
}

static void futex_ask(void *arg, long count)
{
	struct pair *pair = arg;

	while (count--) {
		futex_set(pair, 1);
		futex_leave(pair, 1);
	}
}

static void round_trips(int cpu)
{
	struct pair pair = {
		.ask = eventfd(0, 0),
		.answer = eventfd(0, 0),
		.cpu = cpu,
	};
	struct bench bench = { .system = "floor", .count = 1000, .arg = &pair };
	pthread_t thread;

	bench_pin(0);
	bench.op = cpu ? "eventfd-round-trip-2cpu" : "eventfd-round-trip";
	bench.run = eventfd_ask;
	pthread_create(&thread, NULL, eventfd_answer, &pair);
	bench_run(&bench);
	event_send(pair.ask, 2);
	pthread_join(thread, NULL);

	bench.op = cpu ? "futex-round-trip-2cpu" : "futex-round-trip";
	bench.run = futex_ask;
	pthread_create(&thread, NULL, futex_answer, &pair);
	bench_run(&bench);
	futex_set(&pair, 2);
	pthread_join(thread, NULL);
	close(pair.ask);
	close(pair.answer);
}

/* From SIGKILL until poll() tells of the death. */
static uint64_t death_seen(void)
{
	struct pollfd poll_pid = { .events = POLLIN };
	uint64_t start;
	pid_t pid = fork();

	if (!pid) {
		bench_pin(1);
		for (;;)
			pause();
	}
	poll_pid.fd = syscall(SYS_pidfd_open, pid, 0);
	usleep(3000);
	start = bench_now();
	kill(pid, SIGKILL);
	if (poll(&poll_pid, 1, -1) != 1)
		bench_die("poll of a pidfd");
	start = bench_now() - start;
	close(poll_pid.fd);
	waitpid(pid, NULL, 0);
	return start;
}

static void deaths(void)
{
	double null = bench_null();
	int round;

	for (round = -1; round < 4 * bench_rounds; round++) {
		double value = death_seen();

		if (round >= 0)
			bench_result("floor", "sigkill-to-pidfd", 0,
				     bench_unit(), value, null);
	}
}

void group_floors(void)
{
	int fd = open("/dev/kreg", O_RDWR | O_CLOEXEC);
	struct bench bench = { .system = "floor", .count = 5000, .arg = &fd };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	bench_pin(0);
	bench.op = "null-syscall";
	bench.run = null_syscall;
	bench_run(&bench);
	bench.op = "null-ioctl-kreg";
	bench.run = null_ioctl;
	bench_run(&bench);
	bench.op = "null-ioctl";
	bench.arg = &null;
	bench_run(&bench);
	close(fd);
	close(null);
	round_trips(0);
	if (bench_cpus() > 1)
		round_trips(1);
	deaths();
}
