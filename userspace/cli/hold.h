/* SPDX-License-Identifier: GPL-2.0-only */
/* kreg hold: a table that outlives the restarts of its owner. */
#ifndef KREG_CLI_HOLD_H
#define KREG_CLI_HOLD_H

#include <signal.h>

#include "cmd.h"

enum restart { RESTART_FAILURE, RESTART_ALWAYS, RESTART_NEVER };

struct hold_cgroup;

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
	bool group;			/* all processes of the command end with it */
	uint64_t patience_ms;		/* between SIGTERM and SIGKILL for these */

	struct kreg_client *client;
	struct kreg_table *table;
	struct hold_cgroup *cgroup;	/* with @group: where the command runs; NULL: none */
	pid_t child;
	bool given;			/* the child has got the table */
	int stopped_by;			/* the signal that has asked us to end, or 0 */
	uint64_t kill_ms;		/* when those who are left are killed; 0: never */
	unsigned int restarts;
	uint64_t when_ms[MAX_RESTARTS];	/* ring buffer: times of the latest restarts */
	sigset_t old_mask;
};

/* hold.c */
int hold_run(struct hold *h);

/* Of CLOCK_MONOTONIC. */
uint64_t monotonic_ms(void);

/* hold_wait.c: own the table and be its heir; 0 or an exit code. Signals of @set are blocked. */
int hold_own(struct hold *h, const sigset_t *set);

/* hold.c: reap children; true: that was the command, and how it has ended is in *@status. */
bool hold_reap(struct hold *h, int *status);

/*
 * hold_signal.c: block all signals, so that each is taken and none ends this command; @h keeps
 * the mask that there was.
 */
void hold_block_signals(struct hold *h, sigset_t *set);
/* Do what a signal other than SIGCHLD asks for; also without a command that could get it. */
void hold_take_signal(struct hold *h, const siginfo_t *info);
/* Take what has come already. */
void hold_take_pending(struct hold *h, const sigset_t *set);
/* Wait for a signal until that moment, 0: for ever: 0, or -1: none has come. */
int hold_wait_signal(const sigset_t *set, uint64_t until_ms, siginfo_t *info);

/*
 * hold_group.c: the command and all that descend from it. Orphans become children of this
 * command, so that they are found.
 */
void hold_adopt_orphans(void);
/*
 * Send each of them a signal, and all in their control group. Return: one that is alive and got it,
 * or 0: there was none.
 */
pid_t hold_signal_all(const struct hold *h, int sig);
/* The same with SIGKILL, also to those who may not be sent a signal. */
pid_t hold_kill_all(const struct hold *h);
/* The command is dead: end who is left, or tell that they live. */
void hold_end_rest(struct hold *h, const sigset_t *set);

/*
 * hold_cgroup.c: a control group for the command, or none where that cannot be; all others do
 * nothing then.
 */
void hold_cgroup_make(struct hold *h);
/* The child, which does not run the command yet, becomes a member. */
void hold_cgroup_enter(const struct hold *h);
bool hold_cgroup_has(const struct hold *h, pid_t pid);
bool hold_cgroup_populated(const struct hold *h);
void hold_cgroup_kill(const struct hold *h);
void hold_cgroup_remove(struct hold *h);

/* hold_child.c: start the command as the owner of the table; 0 or an exit code. */
int hold_start(struct hold *h);

/* hold_say.c */
void say_waiting(const struct hold *h);
void say_started(const struct hold *h);
void say_died(const struct hold *h, int status, bool back, uint64_t objects);
void say_left(const struct hold *h, pid_t left);
void say_restart(const struct hold *h, unsigned int recent);

#endif /* KREG_CLI_HOLD_H */
