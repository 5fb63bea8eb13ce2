/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a supervisor has left that was killed, made without one, so that it can be as it is only
 * for a moment.
 */
#ifndef KREG_LIB_LEFT_H
#define KREG_LIB_LEFT_H

#include "lib/again.h"

#define ABANDONED	125	/* what a child exits with whose program does not run yet */

static inline void do_abandoned(int sig)
{
	_exit(ABANDONED);
}

/* A process that goes on as a child. What it is sent before it can handle that waits. */
static inline pid_t start_left(void)
{
	sigset_t set;
	pid_t pid;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	pid = fork();
	if (!pid)
		signal(SIGUSR2, do_abandoned);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	while (!pid)
		pause();
	return pid;
}

static inline void ignore_event(const struct kreg_event *event, void *arg)
{
}

static inline int put_text(struct kreg_table *table, const char *key, const char *text)
{
	return text ? kreg_put(table, key, strlen(key), text, strlen(text)) : 0;
}

static inline int enter_left(struct kreg_client *client, struct kreg_table *table, pid_t pid,
			     const char *text)
{
	struct kreg_register_options o = { .size = sizeof(o), .linger_ms = 60000 };
	struct kreg_process process;
	struct kreg_ref *ref;
	int ret = kreg_monitor_pid(client, pid, ignore_event, NULL, &ref);

	if (ret)
		return ret;
	process = kreg_ref_process(ref);
	o.process = &process;
	return kreg_register_with(table, "run/a", 5, text, strlen(text), &o, NULL);
}

/* NULL: not there. @run is bound to @pid. */
static inline int leave_state(const char *name, pid_t pid, const char *child, const char *run,
			      const char *restarts)
{
	struct kreg_client *client;
	struct kreg_table *table;
	int ret = kreg_client_open(NULL, &client);

	if (!ret)
		ret = kreg_table_own(client, name, 0, NULL, &table);
	if (!ret)
		ret = put_text(table, "child/a", child);
	if (!ret)
		ret = put_text(table, "restarts", restarts);
	return ret || !run ? ret : enter_left(client, table, pid, run);
}

/* In a process that ends with it. Return: how that has ended; 0 is right. */
static inline int leave(const char *name, pid_t pid, const char *child, const char *run,
			const char *restarts)
{
	int status = -1;
	pid_t other = fork();

	if (!other)
		_exit(leave_state(name, pid, child, run, restarts) ? 1 : 0);
	waitpid(other, &status, 0);
	return status;
}

#endif /* KREG_LIB_LEFT_H */
