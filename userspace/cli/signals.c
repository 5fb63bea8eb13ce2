/* SPDX-License-Identifier: GPL-2.0-only */
/* Signals that ask a command to end. */
#include <signal.h>
#include <unistd.h>

#include "cmd.h"

static const int ending[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

bool signal_ignored(int sig)
{
	struct sigaction action;

	return !sigaction(sig, NULL, &action) && action.sa_handler == SIG_IGN;
}

void ending_signals(sigset_t *set)
{
	int i;

	sigemptyset(set);
	for (i = 0; i < 3; i++)
		if (!signal_ignored(ending[i]))
			sigaddset(set, ending[i]);
}

static void end_by(int sig)
{
	_exit(128 + sig);
}

void end_as_init(void)
{
	struct sigaction action = { .sa_handler = end_by };
	size_t i;

	if (getpid() != 1)
		return;
	for (i = 0; i < sizeof(ending) / sizeof(ending[0]); i++)
		if (!signal_ignored(ending[i]))
			sigaction(ending[i], &action, NULL);
}
