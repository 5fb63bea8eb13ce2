/* SPDX-License-Identifier: GPL-2.0-only */
/* kreg hold: a table that outlives the restarts of its owner. */
#ifndef KREG_CLI_HOLD_H
#define KREG_CLI_HOLD_H

#include <signal.h>

#include "cmd.h"

enum restart { RESTART_FAILURE, RESTART_ALWAYS, RESTART_NEVER };

#define MAX_RESTARTS	1000

struct hold {
	/* What was asked for. */
	const char *name;
	char **argv;
	struct kreg_open_options options;
	bool wait;			/* stand by if there is another owner */
	enum restart restart;
	unsigned int max;		/* restarts in the window */
	uint64_t window_ms;
	bool destroy;			/* at the end */

	struct kreg_client *client;
	struct kreg_table *table;
	pid_t child;
	bool given;			/* the child has got the table */
	bool stopping;			/* we were asked to end */
	unsigned int restarts;
	uint64_t when_ms[MAX_RESTARTS];	/* ring buffer: times of the latest restarts */
	sigset_t old_mask;
};

/* hold.c */
int hold_run(struct hold *h);

/* hold_wait.c: own the table and be its heir; 0 or an exit code. Signals of @set are blocked. */
int hold_own(struct hold *h, const sigset_t *set);

/* hold.c: reap children; true: that was the command, and how it has ended is in *@status. */
bool hold_reap(struct hold *h, int *status);

/* hold_child.c: start the command as the owner of the table; 0 or an exit code. */
int hold_start(struct hold *h);

/* hold_say.c */
void say_waiting(const struct hold *h);
void say_started(const struct hold *h);
void say_died(const struct hold *h, int status, bool back, uint64_t objects);
void say_restart(const struct hold *h, unsigned int recent);

#endif /* KREG_CLI_HOLD_H */
