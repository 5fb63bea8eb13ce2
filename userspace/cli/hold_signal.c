/* SPDX-License-Identifier: GPL-2.0-only */
/* kreg hold: what it does with signals. */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "hold.h"

/* The kernel's set of signals, which sigset_t begins with. */
#define KERNEL_SET	(_NSIG / 8)

/*
 * By the system call, since the C library leaves out signals of its own, by which this command
 * would be ended like by others.
 */
void hold_block_signals(struct hold *h, sigset_t *set)
{
	sigprocmask(SIG_BLOCK, NULL, &h->old_mask);
	memset(set, 0xff, sizeof(*set));
	syscall(SYS_rt_sigprocmask, SIG_BLOCK, set, NULL, KERNEL_SET);
	/* If SIGCHLD was inherited as ignored, the kernel would keep no exit status. */
	signal(SIGCHLD, SIG_DFL);
}

static bool asks_to_end(int sig)
{
	return (sig == SIGTERM || sig == SIGINT || sig == SIGQUIT) && !signal_ignored(sig);
}

/* By a shell with job control, which waits until both this command and the child have. */
static bool asks_to_stop(int sig)
{
	return (sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU) && !signal_ignored(sig);
}

static void send_on(const struct hold *h, const siginfo_t *info)
{
	if (info->si_code == SI_QUEUE)
		sigqueue(h->child, info->si_signo, info->si_value);
	else
		kill(h->child, info->si_signo);
}

/*
 * A signal from the terminal (SI_KERNEL) has reached the child already, which is in the
 * same process group; one that a process has sent is passed on to the child.
 */
void hold_take_signal(struct hold *h, const siginfo_t *info)
{
	int sig = info->si_signo;

	/* Nobody reads our messages. */
	if (sig == SIGPIPE && info->si_pid == getpid())
		return;
	if (asks_to_end(sig)) {
		h->stopped_by = sig;
		if (h->group && !h->kill_ms)
			h->kill_ms = monotonic_ms() + h->patience_ms;
	}
	if (h->child && info->si_code != SI_KERNEL) {
		if (h->group && asks_to_end(sig))
			hold_signal_all(h, sig);
		else
			send_on(h, info);
	}
	if (asks_to_stop(sig))
		raise(SIGSTOP);
}

int hold_wait_signal(const sigset_t *set, uint64_t until_ms, siginfo_t *info)
{
	struct timespec t;
	uint64_t now, ms;

	do {
		now = monotonic_ms();
		ms = until_ms > now ? until_ms - now : 0;
		t = (struct timespec){ ms / 1000, ms % 1000 * 1000000 };
		if (sigtimedwait(set, info, until_ms ? &t : NULL) > 0)
			return 0;
	} while (errno != EAGAIN);
	return -1;
}

void hold_take_pending(struct hold *h, const sigset_t *set)
{
	siginfo_t info;
	int status;

	while (!hold_wait_signal(set, 1, &info))
		if (info.si_signo == SIGCHLD)
			hold_reap(h, &status);
		else
			hold_take_signal(h, &info);
}
