/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Managers and workers that are programs of userspace/examples, and tables of the test between
 * them: who dies is waited for here, so that no test depends on how fast anything is.
 */
#ifndef KREG_SEEDS_SEEDS_H
#define KREG_SEEDS_SEEDS_H

#include <libgen.h>
#include <limits.h>
#include <sys/prctl.h>

#include "kit/oom_group.h"
#include "kit/util.h"
#include "lib/lib.h"

/* For send_signal(): the process is killed for want of memory. */
#define BY_OOM		(-1)

/* The programs are beside the test. */
static inline void find_programs(void)
{
	char self[PATH_MAX] = "", path[2 * PATH_MAX];

	if (readlink("/proc/self/exe", self, sizeof(self) - 1) > 0) {
		snprintf(path, sizeof(path), "%s:%s", dirname(self), getenv("PATH"));
		setenv("PATH", path, 1);
	}
}

/* Return: its pid. It does not outlive the test. */
static inline pid_t program(char *name, char *arg)
{
	char *const argv[] = { name, arg, NULL };
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	find_programs();
	execvp(name, argv);
	_exit(127);
}

/* Return: the wait status. */
static inline int end(pid_t *pid, int sig)
{
	int status = -1;

	if (*pid > 0 && !kill(*pid, sig))
		waitpid(*pid, &status, 0);
	*pid = 0;
	return status;
}

/* A public table, or a registry, that is gone when the test is. */
static inline struct kreg_table *make_table(struct kreg_client *client, const char *name,
					    unsigned int access)
{
	const struct kreg_open_options create = {
		.size = sizeof(create), .flags = KREG_OPEN_CREATE | KREG_OPEN_EXCL,
		.access = access,
	};
	struct kreg_table *table = NULL;

	return kreg_table_open(client, name, &create, &table) ? NULL : table;
}

/* What programs have left, if there is any. */
static inline void remove_table(struct kreg_client *client, const char *name)
{
	struct kreg_table *table;

	if (!kreg_table_open(client, name, NULL, &table)) {
		kreg_table_destroy(table);
		kreg_table_close(table);
	}
}

static inline int is_present(struct kreg_table *table, const char *key)
{
	return kreg_wait(table, key, strlen(key), KREG_WATCH_PRESENT, 0, PATIENCE_MS);
}

/* Return: the pid of who has the key, or a negative errno. */
static inline pid_t whereis(struct kreg_table *table, const char *key)
{
	struct kreg_holder holder = KREG_HOLDER_INIT;
	int ret = kreg_whereis(table, key, strlen(key), &holder);

	return ret ? ret : (pid_t)holder.process.pid;
}

/* Zero and negative numbers are not of a process: kill(2) would send to many. */
static inline int send_signal(pid_t pid, int sig)
{
	if (pid <= 0)
		return -ESRCH;
	if (sig == BY_OOM)
		return oom_kill_process(pid);
	return kill(pid, sig) ? -errno : 0;
}

/* Ask whoever has the key now; @answer may be NULL. */
static inline int ask(struct kreg_table *table, const char *key, const char *request,
		      char *answer, size_t room)
{
	struct kreg_peer *peer;
	size_t len = 0;
	int ret = kreg_peer_open(table, key, strlen(key), &peer);

	if (ret)
		return ret;
	ret = kreg_call(peer, request, strlen(request), answer, answer ? room - 1 : 0, &len,
			PATIENCE_MS);
	if (answer)
		answer[ret ? 0 : len] = '\0';
	kreg_peer_close(peer);
	return ret;
}

/*
 * The same once somebody has it: a child that had not said that it is ready when its supervisor
 * was killed counts as ready, and may have no name so far.
 */
static inline int ask_later(struct kreg_table *table, const char *key, const char *request,
			    char *answer, size_t room)
{
	int ret = is_present(table, key);

	return ret ? ret : ask(table, key, request, answer, room);
}

/* Ask a manager to create a worker. Return: the pid that it tells, or a negative errno. */
static inline pid_t create_worker(struct kreg_table *table, const char *manager, const char *name)
{
	char request[128], pid[32];
	int ret;

	snprintf(request, sizeof(request), "create %s", name);
	ret = ask(table, manager, request, pid, sizeof(pid));
	return ret ? ret : atoi(pid);
}

static inline int create_worker_later(struct kreg_table *table, const char *manager,
				      const char *name)
{
	struct kreg_peer *peer;
	char request[128];
	int ret = kreg_peer_open(table, manager, strlen(manager), &peer);

	if (ret)
		return ret;
	snprintf(request, sizeof(request), "create %s", name);
	ret = kreg_cast(peer, request, strlen(request));
	kreg_peer_close(peer);
	return ret;
}

/* Stop a server politely; when it returns it is dead. */
static inline int stop(struct kreg_table *table, const char *key)
{
	struct kreg_peer *peer;
	int ret = kreg_peer_open(table, key, strlen(key), &peer);

	if (ret)
		return ret;
	ret = kreg_stop(peer, PATIENCE_MS);
	kreg_peer_close(peer);
	return ret;
}

/* Events of workers that come and go. */
static inline int subscribe(struct kreg_table *table, struct kreg_ref **ref)
{
	return kreg_subscribe(table, KREG_SUBSCRIBE_KIND(KREG_EVENT_CREATE) |
				     KREG_SUBSCRIBE_KIND(KREG_EVENT_EXIT), 0, 0, NULL, NULL, ref);
}

/* Return: whether a table has so many subscriptions in the end. */
static inline bool has_subscriptions(struct kreg_table *table, unsigned int number)
{
	struct kreg_stat *stat;
	unsigned int found = 0;
	int tries;

	for (tries = PATIENCE_MS / 10; found != number && tries--; usleep(10000)) {
		if (kreg_table_stat(table, &stat))
			return false;
		found = kreg_stat_subscriptions(stat);
		kreg_stat_free(stat);
	}
	return found == number;
}

/* Return: whether the next event is this one; @status is that of an exit, or -1. */
static inline bool next_is(struct kreg_client *client, unsigned int kind, const char *key,
			   pid_t pid, int *status)
{
	const struct kreg_event *event;
	const void *found;
	size_t len;

	*status = -1;
	if (kreg_event_next(client, PATIENCE_MS, &event))
		return false;
	found = kreg_event_key(event, &len);
	kreg_event_status(event, status);
	return kreg_event_kind(event) == kind && len == strlen(key) &&
	       !memcmp(found, key, len) && kreg_event_process(event).pid == (uint32_t)pid;
}

static inline bool nothing_came(struct kreg_client *client)
{
	const struct kreg_event *event;

	return kreg_event_next(client, 0, &event) == -EAGAIN;
}

#endif /* KREG_SEEDS_SEEDS_H */
