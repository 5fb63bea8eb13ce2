// SPDX-License-Identifier: GPL-2.0
/*
 * The victim is this program started anew, so that what its death costs does not
 * depend on what the killer has in memory.
 */
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "table.h"
#include "victim.h"

void victim_start(struct victim *victim, long kib, bool client)
{
	char size[32];
	int ready[2];

	if (pipe(ready))
		bench_die("pipe");
	snprintf(size, sizeof(size), "%ld", kib);
	victim->pid = vfork();
	if (!victim->pid) {
		dup2(ready[1], STDOUT_FILENO);
		close(ready[0]);
		close(ready[1]);
		execl("/proc/self/exe", "victim", "victim", size,
		      client ? "1" : "0", NULL);
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

/* Arguments: KiB of memory, and whether it is to have a client. */
int victim_main(char **argv)
{
	struct kreg_process self = { 0 };
	size_t size = atol(argv[0]) << 10;
	char *memory = mmap(NULL, size + 1, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return 1;
	memset(memory, 1, size);
	bench_pin(1);
	if (atoi(argv[1]))
		self = client_self(client_open());
	if (write(STDOUT_FILENO, &self, sizeof(self)) != sizeof(self))
		return 1;
	for (;;)
		pause();
}
