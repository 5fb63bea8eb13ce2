/* SPDX-License-Identifier: GPL-2.0-only */
/* A command that does the work of an object on loan: for kreg lease and kreg queue work. */
#ifndef KREG_CLI_WORK_H
#define KREG_CLI_WORK_H

#include "cmd.h"

struct work {
	char **argv;		/* of the command */
	const char *table;	/* for KREG_TABLE */
	uint64_t token;		/* for KREG_TOKEN */
	uint64_t loans;		/* for KREG_LOANS */
	int input;		/* its standard input; -1: it has none yet */
	sigset_t signals;	/* that are taken while it runs, */
	sigset_t old_mask;	/* and what was blocked before */
	pid_t child;
	bool asked;		/* a signal has asked this command to end */
	bool started;		/* the command of the last work_run() could be run */
};

/* A file with these bytes as its input; the exit code, having said what is wrong. */
int work_input(struct work *work, const void *value, size_t len);
/* From now on signals wait for work_run(). */
void work_take_signals(struct work *work);
/* Run it; its exit code, or one that says why it could not be run. */
int work_run(struct work *work);
/* What is to be blocked while something is waited for that such a signal is to end. */
void work_wait_mask(const struct work *work, sigset_t *mask);
/* Whether a signal waits, or came in such a wait, that asks this command to end. */
bool work_is_asked(struct work *work);

#endif /* KREG_CLI_WORK_H */
