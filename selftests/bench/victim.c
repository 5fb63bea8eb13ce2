// SPDX-License-Identifier: GPL-2.0
/*
 * The victim is a program of its own, so that what its death costs does not depend on
 * what the killer has in memory, nor on how long the library is.
 */
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "victim.h"

void victim_start(struct victim *victim, long kib, bool client)
{
	const char *program = getenv("BENCH_VICTIM");
	char size[32];
	int ready[2];

	if (!program || pipe(ready))
		bench_die("BENCH_VICTIM");
	snprintf(size, sizeof(size), "%ld", kib);
	victim->pid = vfork();
	if (!victim->pid) {
		dup2(ready[1], STDOUT_FILENO);
		close(ready[0]);
		close(ready[1]);
		execl(program, "victim", size, client ? "1" : "0", NULL);
		_exit(127);
	}
	close(ready[1]);
	victim->pidfd = syscall(SYS_pidfd_open, victim->pid, 0);
	if (read(ready[0], &victim->self, sizeof(victim->self)) !=
	    sizeof(victim->self))
		bench_die("the victim did not start");
	close(ready[0]);
	usleep(5000);
}

void victim_kill(struct victim *victim)
{
	if (kill(victim->pid, SIGKILL))
		bench_die("kill");
}

void victim_seen(struct victim *victim)
{
	struct pollfd pidfd = { .fd = victim->pidfd, .events = POLLIN };

	if (poll(&pidfd, 1, -1) != 1)
		bench_die("poll of a pidfd");
}

void victim_reap(struct victim *victim)
{
	waitpid(victim->pid, NULL, 0);
	close(victim->pidfd);
}
