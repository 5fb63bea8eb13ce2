/* SPDX-License-Identifier: GPL-2.0-only */
/* kreg hold: own the table, start the command, wait for it, take back, start again. */
#include <errno.h>
#include <inttypes.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "hold.h"

#define AGAIN	(-1)

/* A process may have been started while the others were killed. */
#define KILL_AGAIN_MS	100

uint64_t monotonic_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ull + t.tv_nsec / 1000000;
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

/* Children of dead processes of the command are children of this one. */
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
		if (hold_wait_signal(set, h->kill_ms, &info)) {
			hold_kill_all(h);
			h->kill_ms = monotonic_ms() + KILL_AGAIN_MS;
		} else if (info.si_signo != SIGCHLD) {
			hold_take_signal(h, &info);
		} else if (hold_reap(h, &status)) {
			return status;
		}
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

/* AGAIN, or the exit code to end with. */
static int next_step(struct hold *h, int status)
{
	unsigned int recent;

	if (h->stopped_by || h->restart == RESTART_NEVER)
		return run_exit_code(status);
	if (h->restart == RESTART_FAILURE && WIFEXITED(status) && !WEXITSTATUS(status))
		return run_exit_code(status);
	recent = count_restart(h);
	say_restart(h, recent);
	return recent <= h->max ? AGAIN : EXIT_DIED_TOO_OFTEN;
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
		hold_take_pending(h, set);
		ret = h->stopped_by ? 128 + h->stopped_by : hold_start(h);
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
		hold_end_rest(h, set);
		ret = next_step(h, status);
		if (ret != AGAIN)
			return finish(h, ret);
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
	hold_block_signals(h, &set);
	hold_adopt_orphans();
	if (h->group)
		hold_cgroup_make(h);
	ret = hold_own(h, &set);
	if (!ret)
		ret = supervise(h, &set);
	hold_cgroup_remove(h);
	kreg_table_close(h->table);
	kreg_client_close(h->client);
	return ret;
}
