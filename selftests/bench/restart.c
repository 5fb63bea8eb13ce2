// SPDX-License-Identifier: GPL-2.0
/*
 * A supervised child that owns a table, from SIGKILL until the first instruction of the next
 * one, which owns it then; beside fork(2) and execve(2) of the same program alone, by turns.
 */
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include <kreg.h>

#include "groups.h"
#include "table.h"

#define OBJECTS	1000000
#define NAME	"bench-restart"

/* What a program says first. */
struct began {
	uint64_t at;
	pid_t pid;
};

int restart_began(char **argv)
{
	struct began began = { bench_now(), getpid() };

	if (write(atoi(argv[0]), &began, sizeof(began)) != sizeof(began))
		return 1;
	for (;;)
		pause();
}

static struct began read_began(int fd)
{
	struct began began;

	if (read(fd, &began, sizeof(began)) != sizeof(began))
		bench_die("no program has begun");
	return began;
}

static struct began begin(char *const *argv, int fd)
{
	if (!fork()) {
		execv(argv[0], argv);
		_exit(1);
	}
	return read_began(fd);
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static double alone(char *const *argv, int fd)
{
	uint64_t start = bench_now();
	struct began began = begin(argv, fd);

	end(began.pid);
	return began.at - start;
}

/* What the simplest parent of one child does. */
static double after_death(char *const *argv, int fd)
{
	pid_t pid = begin(argv, fd).pid;
	uint64_t start = bench_now();
	struct began began;

	end(pid);
	began = begin(argv, fd);
	end(began.pid);
	return began.at - start;
}

/* Until the next one has begun; the supervisor goes on until it has nothing to do. */
static struct began follow(struct kreg_supervisor *sup, int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct began began;

	while (poll(&p, 1, 0) != 1)
		if (kreg_supervisor_dispatch(sup, 10) < 0)
			bench_die(kreg_errmsg());
	began = read_began(fd);
	while (kreg_supervisor_dispatch(sup, 10) > 0)
		;
	return began;
}

static double supervised(struct kreg_supervisor *sup, int fd, pid_t *pid)
{
	uint64_t start = bench_now();
	struct began began;

	kill(*pid, SIGKILL);
	began = follow(sup, fd);
	*pid = began.pid;
	return began.at - start;
}

static struct kreg_supervisor *supervise(char *const *argv)
{
	const char *const tables[] = { NAME, NULL };
	struct kreg_child child = {
		.size = sizeof(child), .id = "child", .argv = argv, .tables = tables,
	};
	struct kreg_supervisor *sup = NULL;
	struct kreg_client *client;

	if (kreg_client_open(NULL, &client) ||
	    kreg_supervisor_new(client, "bench", KREG_ONE_FOR_ONE, 1000, 1000, &sup) ||
	    kreg_supervisor_add(sup, &child) || kreg_supervisor_start(sup))
		bench_die(kreg_errmsg());
	return sup;
}

static void by_turns(long objects, char *const *argv, int fd)
{
	struct kreg_supervisor *sup;
	struct table table;
	double null, a, b, c;
	pid_t pid;
	int round;

	table_make(&table, NAME, objects, VALUE_LEN, 0);
	/* What fork(2) costs follows from the memory of the process. */
	keys_free(&table.keys);
	sup = supervise(argv);
	pid = follow(sup, fd).pid;
	null = bench_null();
	for (round = -2; round < 5 * bench_rounds; round++) {
		a = alone(argv, fd);
		b = after_death(argv, fd);
		c = supervised(sup, fd, &pid);
		if (round < 0)
			continue;
		bench_result("floor", "fork-exec", objects, bench_unit(), a, null);
		bench_result("floor", "kill-fork-exec", objects, bench_unit(), b, null);
		bench_result("kreg", "restart", objects, bench_unit(), c, null);
	}
	kreg_supervisor_free(sup);
	table_destroy(table.fd, table.id);
	close(table.fd);
}

void group_restart(void)
{
	char self[] = "/proc/self/exe", began[] = "began", number[16];
	char *const argv[] = { self, began, number, NULL };
	int fds[2];

	if (pipe(fds))
		bench_die("pipe");
	snprintf(number, sizeof(number), "%d", fds[1]);
	bench_pin(0);
	by_turns(1000, argv, fds[0]);
	by_turns(OBJECTS, argv, fds[0]);
	close(fds[0]);
	close(fds[1]);
}
