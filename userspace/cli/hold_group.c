/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kreg hold: the processes that the command has started, those that they have, and who else is in
 * their control group.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hold.h"

#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal	424
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open		434
#endif

/* They may start others while they are looked for; so often they are looked for anew. */
#define ROUND_MS	20

struct process {
	pid_t pid;
	pid_t parent;
	unsigned long long start;	/* tells who has had this pid apart */
	bool ours;
	bool zombie;			/* but another thread of it may live */
};

struct processes {
	struct process *list;
	size_t count;
	size_t room;
};

void hold_adopt_orphans(void)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

/* Behind the name, which may hold anything: state, parent, 17 others, start. */
static bool read_process(pid_t pid, struct process *process)
{
	char path[64], line[1024], state, *after;
	size_t len;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	len = fread(line, 1, sizeof(line) - 1, f);
	fclose(f);
	line[len] = '\0';
	after = strrchr(line, ')');
	*process = (struct process){ .pid = pid };
	if (!after || sscanf(after + 1, " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u "
			     "%*d %*d %*d %*d %*d %*d %llu", &state, &process->parent,
			     &process->start) != 3)
		return false;
	process->zombie = state == 'Z';
	return true;
}

static bool add_process(struct processes *all, const struct process *process)
{
	struct process *more;
	size_t room;

	if (all->count == all->room) {
		room = all->room ? all->room * 2 : 64;
		more = realloc(all->list, room * sizeof(*more));
		if (!more)
			return false;
		all->list = more;
		all->room = room;
	}
	all->list[all->count++] = *process;
	return true;
}

static void read_all(struct processes *all)
{
	DIR *proc = opendir("/proc");
	struct process process;
	struct dirent *entry;

	while (proc && (entry = readdir(proc)))
		if (isdigit((unsigned char)entry->d_name[0]) &&
		    read_process(atoi(entry->d_name), &process) && !add_process(all, &process))
			break;
	if (proc)
		closedir(proc);
}

static bool has_our_parent(const struct processes *all, pid_t parent)
{
	size_t i;

	if (parent == getpid())
		return true;
	for (i = 0; i < all->count; i++)
		if (all->list[i].pid == parent)
			return all->list[i].ours;
	return false;
}

/* Each round finds at least one more generation. */
static void mark_ours(const struct hold *h, struct processes *all)
{
	bool more;
	size_t i;

	for (i = 0; i < all->count; i++)
		all->list[i].ours = hold_cgroup_has(h, all->list[i].pid);
	do {
		more = false;
		for (i = 0; i < all->count; i++) {
			if (all->list[i].ours || !has_our_parent(all, all->list[i].parent))
				continue;
			all->list[i].ours = true;
			more = true;
		}
	} while (more);
}

/* The pid may have passed to another process since; a pidfd of that one tells. */
static bool send_signal(const struct process *process, int sig)
{
	int fd = syscall(SYS_pidfd_open, process->pid, 0);
	struct process now;
	bool sent;

	if (fd < 0)
		return false;
	sent = read_process(process->pid, &now) && now.start == process->start &&
	       !syscall(SYS_pidfd_send_signal, fd, sig, NULL, 0);
	close(fd);
	return sent;
}

pid_t hold_signal_all(const struct hold *h, int sig)
{
	struct processes all = { NULL, 0, 0 };
	pid_t one = 0;
	size_t i;

	read_all(&all);
	mark_ours(h, &all);
	for (i = 0; i < all.count; i++)
		if (all.list[i].ours && send_signal(&all.list[i], sig) && !all.list[i].zombie)
			one = all.list[i].pid;
	free(all.list);
	return one;
}

pid_t hold_kill_all(const struct hold *h)
{
	hold_cgroup_kill(h);
	return hold_signal_all(h, SIGKILL);
}

/* Is there a child, dead or alive? Those that are dead are reaped. */
static bool has_children(struct hold *h)
{
	int status;

	hold_reap(h, &status);
	return !waitid(P_ALL, 0, &(siginfo_t){ 0 }, WEXITED | WNOHANG | WNOWAIT);
}

static bool is_anyone_left(struct hold *h)
{
	return has_children(h) || hold_cgroup_populated(h);
}

/*
 * Until nobody is left, or that moment: false. Of the end of one in the control group that is no
 * child no signal tells.
 */
static bool wait_for_end(struct hold *h, const sigset_t *set, uint64_t until_ms)
{
	uint64_t now, next;
	siginfo_t info;

	while (is_anyone_left(h)) {
		now = monotonic_ms();
		if (now >= until_ms)
			return false;
		next = h->cgroup && until_ms - now > ROUND_MS ? now + ROUND_MS : until_ms;
		if (!hold_wait_signal(set, next, &info) && info.si_signo != SIGCHLD)
			hold_take_signal(h, &info);
	}
	return true;
}

static void end_group(struct hold *h, const sigset_t *set)
{
	uint64_t end = h->kill_ms ? h->kill_ms : monotonic_ms() + h->patience_ms;
	pid_t left;

	hold_signal_all(h, SIGTERM);
	if (wait_for_end(h, set, end))
		return;
	end = monotonic_ms() + h->patience_ms;
	/* One that may not be killed, as by its user, is left. */
	do {
		left = hold_kill_all(h);
		if (wait_for_end(h, set, monotonic_ms() + ROUND_MS))
			return;
	} while (left && monotonic_ms() < end);
	say_left(h, left);
}

void hold_end_rest(struct hold *h, const sigset_t *set)
{
	if (!is_anyone_left(h))
		return;
	if (h->group)
		end_group(h, set);
	else
		say_left(h, hold_signal_all(h, 0));
	h->kill_ms = 0;
}
