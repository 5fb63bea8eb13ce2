/* SPDX-License-Identifier: GPL-2.0-only */
/* kreg hold: own the table, start the command, wait for it, take back, start again. */
#include <errno.h>
#include <inttypes.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "hold.h"

static const int passed_on[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2 };

#define N_PASSED	(sizeof(passed_on) / sizeof(passed_on[0]))

static uint64_t monotonic_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ull + t.tv_nsec / 1000000;
}

/* Blocked and taken with sigwaitinfo(2), signals interrupt nothing. */
static void block_signals(struct hold *h, sigset_t *set)
{
	size_t i;

	sigemptyset(set);
	sigaddset(set, SIGCHLD);
	for (i = 0; i < N_PASSED; i++)
		sigaddset(set, passed_on[i]);
	sigprocmask(SIG_BLOCK, set, &h->old_mask);
	/* If SIGCHLD was inherited as ignored, the kernel would keep no exit status. */
	signal(SIGCHLD, SIG_DFL);
}

/* No waiting: when waitpid(2) tells of a death, the event is in the mailbox. */
static bool came_back(struct hold *h)
{
	const struct kreg_event *m;
	bool back = false;

	while (!kreg_event_next(h->client, 0, &m))
		back |= kreg_event_table(m) == kreg_table_id(h->table);
	return back;
}

static bool asks_to_end(int sig)
{
	return (sig == SIGTERM || sig == SIGINT || sig == SIGQUIT) && !signal_ignored(sig);
}

/*
 * A signal from the terminal (SI_KERNEL) has reached the child already, which is in the
 * same process group; one that a process has sent is passed on to the child.
 */
static void pass_on(struct hold *h, const siginfo_t *info)
{
	if (asks_to_end(info->si_signo))
		h->stopping = true;
	if (info->si_code != SI_KERNEL && h->child)
		kill(h->child, info->si_signo);
}

/* As process 1 of a container this command gets the children of dead processes as well. */
bool hold_reap(struct hold *h, int *status)
{
	bool ours = false;
	int st;
	pid_t pid;

	while ((pid = waitpid(-1, &st, WNOHANG)) > 0) {
		if (pid != h->child)
			continue;
		*status = st;
		ours = true;
	}
	return ours;
}

static int wait_child(struct hold *h, const sigset_t *set)
{
	siginfo_t info;
	int status = 0;

	for (;;) {
		if (sigwaitinfo(set, &info) < 0)
			continue;
		if (info.si_signo != SIGCHLD)
			pass_on(h, &info);
		else if (hold_reap(h, &status))
			return status;
	}
}

/* Record a restart, and count those within the window. */
static unsigned int count_restart(struct hold *h)
{
	uint64_t now = monotonic_ms();
	unsigned int i, recent = 0;

	h->when_ms[h->restarts++ % MAX_RESTARTS] = now;
	for (i = 0; i < MAX_RESTARTS && i < h->restarts; i++)
		recent += now - h->when_ms[i] < h->window_ms;
	return recent;
}

static bool again(struct hold *h, int status)
{
	unsigned int recent;

	if (h->stopping || h->restart == RESTART_NEVER)
		return false;
	if (h->restart == RESTART_FAILURE && WIFEXITED(status) && !WEXITSTATUS(status))
		return false;
	recent = count_restart(h);
	say_restart(h, recent);
	return recent <= h->max;
}

static int finish(struct hold *h, int code)
{
	int ret;

	ret = h->destroy ? kreg_table_destroy(h->table) : kreg_table_park(h->table);
	/* The command may have given the table away or destroyed it. */
	if (ret && ret != -EPERM && ret != -EACCES && ret != -ESTALE)
		fail(ret);
	return code;
}

static int supervise(struct hold *h, const sigset_t *set)
{
	uint64_t objects = 0;
	int ret, status;
	bool back;

	for (;;) {
		ret = hold_start(h);
		if (ret) {
			came_back(h);
			return finish(h, ret);
		}
		if (h->given)
			say_started(h);
		status = wait_child(h, set);
		back = came_back(h);
		if (back)
			kreg_count(h->table, &objects);
		say_died(h, status, back, objects);
		h->child = 0;
		if (!again(h, status))
			return finish(h, run_exit_code(status));
		/* The command may have given the table away or destroyed it. */
		ret = back ? 0 : hold_own(h, set);
		if (ret)
			return ret;
	}
}

int hold_run(struct hold *h)
{
	sigset_t set;
	int ret;

	ret = open_client(&h->client);
	if (ret)
		return ret;
	block_signals(h, &set);
	ret = hold_own(h, &set);
	if (!ret)
		ret = supervise(h, &set);
	kreg_table_close(h->table);
	kreg_client_close(h->client);
	return ret;
}
