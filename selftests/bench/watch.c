// SPDX-License-Identifier: GPL-2.0
/*
 * Watches: what it takes to set and to cancel one, beside a pidfd in an epoll set; and from
 * SIGKILL until the record has been read, beside a bare pidfd, by turns.
 */
#include <poll.h>
#include <sys/epoll.h>

#include "groups.h"
#include "table.h"
#include "victim.h"

#define MANY	1000
#define WATCHES	100000

struct watch {
	int fd;
	int epoll;
	int pidfd;
	struct kreg_process self;
	__u64 ids[MANY];
	long at;
};

static __u64 set_one(int fd, const struct kreg_process *process)
{
	struct kreg_ioc_watch cmd = {
		.size = sizeof(cmd),
		.kind = KREG_WATCH_PROCESS,
		.process = *process,
	};

	call(fd, KREG_IOC_WATCH, &cmd, "watch");
	return cmd.out_id;
}

static void set_watches(void *arg, long count)
{
	struct watch *watch = arg;

	while (count--)
		watch->ids[watch->at++] = set_one(watch->fd, &watch->self);
}

static void cancel_watches(void *arg, long count)
{
	struct watch *watch = arg;
	struct kreg_ioc_cancel cmd = { .size = sizeof(cmd) };

	while (count--) {
		cmd.id = watch->ids[--watch->at];
		call(watch->fd, KREG_IOC_CANCEL, &cmd, "cancel");
	}
}

static void set_and_cancel(void *arg, long count)
{
	struct watch *watch = arg;

	while (count--) {
		set_watches(watch, 1);
		cancel_watches(watch, 1);
	}
}

static void pidfd_and_close(void *arg, long count)
{
	struct watch *watch = arg;
	struct epoll_event ev = { .events = EPOLLIN };

	while (count--) {
		watch->pidfd = syscall(SYS_pidfd_open, watch->self.pid, 0);
		if (watch->pidfd < 0 ||
		    epoll_ctl(watch->epoll, EPOLL_CTL_ADD, watch->pidfd, &ev))
			bench_die("pidfd");
		close(watch->pidfd);
	}
}

static void costs(void)
{
	struct watch watch = { .fd = client_open(), .epoll = epoll_create1(0) };
	struct bench bench = { .system = "kreg", .arg = &watch, .count = MANY };

	watch.self = client_self(watch.fd);
	bench.op = "watch-and-cancel";
	bench.run = set_and_cancel;
	bench_run(&bench);
	bench.op = "cancel";
	bench.prepare = set_watches;
	bench.run = cancel_watches;
	bench_run(&bench);
	bench.system = "floor";
	bench.op = "pidfd-and-close";
	bench.prepare = NULL;
	bench.run = pidfd_and_close;
	bench_run(&bench);
	close(watch.fd);
	close(watch.epoll);
	bench_settle();
}

static double bare_pidfd(void)
{
	struct victim victim;
	uint64_t start;

	victim_start(&victim, 0, true);
	start = bench_now();
	victim_kill(&victim);
	victim_seen(&victim);
	start = bench_now() - start;
	victim_reap(&victim);
	return start;
}

/* The last of @count clients' watches is the one that is waited for. */
static double watched(long count)
{
	struct pollfd pfd = { .fd = client_open(), .events = POLLIN };
	int others = count > 1 ? client_open() : -1;
	struct kreg_event event;
	struct victim victim;
	uint64_t start;

	victim_start(&victim, 0, true);
	while (--count > 0)
		set_one(others, &victim.self);
	set_one(pfd.fd, &victim.self);
	start = bench_now();
	victim_kill(&victim);
	if (poll(&pfd, 1, -1) != 1 || read(pfd.fd, &event, sizeof(event)) != sizeof(event))
		bench_die("a record of a watch");
	start = bench_now() - start;
	victim_reap(&victim);
	close(pfd.fd);
	if (others >= 0)
		close(others);
	return start;
}

static void latencies(void)
{
	double null = bench_null();
	int round;

	for (round = -2; round < 5 * bench_rounds; round++) {
		double bare = bare_pidfd(), one = watched(1), many = watched(WATCHES);

		if (round < 0)
			continue;
		bench_result("floor", "sigkill-to-pidfd", 0, bench_unit(), bare, null);
		bench_result("kreg", "sigkill-to-watch", 1, bench_unit(), one, null);
		bench_result("kreg", "sigkill-to-watch", WATCHES, bench_unit(), many, null);
	}
}

void group_watch(void)
{
	bench_pin(0);
	costs();
	if (!bench_quick)
		latencies();
}
