/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Processes that supervise three children, two of which have a table, and are killed.
 */
#ifndef KREG_LIB_AGAIN_H
#define KREG_LIB_AGAIN_H

#include "lib/supervisor.h"

/* What the test, the supervisors and their children share. */
struct shared {
	_Atomic int started;		/* what kreg_supervisor_start() has returned; 1: not yet */
	_Atomic unsigned int failures;	/* starts that have failed, and why the last one */
	_Atomic unsigned int runs[3];	/* how often a child's program has begun */
	char failure[512];
	struct record record;
};

static struct shared *shared;

static inline int counted(void *arg)
{
	size_t i = (size_t)arg;

	shared->runs[i]++;
	return obey(NULL);
}

static const char *const ids[] = { "a", "b", "c" };
static const char *const *const tables[] = {
	(const char *const []){ "again-a", NULL },
	(const char *const []){ "again-b", NULL },
	NULL,
};

/* How the supervisor is made. */
struct making {
	const char *name;
	enum kreg_strategy strategy;
	unsigned int max;
	int children;
	enum kreg_restart restart;
	bool stops_b, requests;
	unsigned int deaths;		/* limit of the tables */
};

static inline int add_all(struct kreg_supervisor *sup, const struct making *m)
{
	struct kreg_child child;
	int i, ret = 0;

	for (i = 0; i < m->children && !ret; i++) {
		child = obedient(ids[i], m->restart);
		child.main = counted;
		child.arg = (void *)(size_t)i;
		child.tables = tables[i];
		child.max_deaths = tables[i] ? m->deaths : 0;
		child.deaths_ms = child.max_deaths ? 3600 * 1000 : 0;
		ret = kreg_supervisor_add(sup, &child);
	}
	return ret;
}

static inline void end_at_once(int sig)
{
	_exit(7);
}

static struct kreg_supervisor *running;

static inline void end_children(int sig)
{
	kreg_supervisor_end(running);
}

/* A program, and a function, which the next supervisor cannot start. */
static inline int request_two(struct kreg_supervisor *sup)
{
	char *const argv[] = { "sleep", "1000", NULL };
	static char *const env[] = { "A=1", NULL };
	struct kreg_child r = {
		.size = sizeof(r), .id = "r", .argv = argv, .env = env, .directory = "/proc",
	};
	struct kreg_child f = obedient("f", KREG_PERMANENT);
	int ret = kreg_supervisor_start_child(sup, &f, NULL);

	return ret ? ret : kreg_supervisor_start_child(sup, &r, NULL);
}

static inline void note_failure(int ret)
{
	/* It may be killed at any moment: what is counted has its text. */
	snprintf(shared->failure, sizeof(shared->failure), "%d: %s", ret, kreg_errmsg());
	shared->failures++;
}

static inline int supervise(const struct making *m)
{
	struct kreg_client *client;
	int ret = kreg_client_open(NULL, &client);

	signal(SIGUSR2, end_at_once);
	if (!ret)
		ret = make(&running, client, m->name, m->strategy, m->max, &shared->record);
	if (!ret)
		ret = add_all(running, m);
	if (!ret)
		signal(SIGTERM, end_children);
	if (!ret)
		ret = kreg_supervisor_start(running);
	if (!ret && m->stops_b)
		ret = kreg_supervisor_stop_child(running, "b");
	if (!ret && m->requests)
		ret = request_two(running);
	if (ret)
		note_failure(ret);
	shared->started = ret;
	if (!ret) {
		ret = kreg_supervisor_run(running);
		if (ret)
			note_failure(ret);
	}
	kreg_supervisor_free(running);
	return ret ? 1 : 0;
}

/* Without waiting until its children are ready. */
static inline pid_t fork_supervisor(const struct making *m)
{
	pid_t pid;

	shared->started = 1;
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		_exit(supervise(m));
	}
	return pid;
}

static inline pid_t start_supervisor(const struct making *m)
{
	uint64_t deadline = kreg_deadline(PATIENCE_MS);
	pid_t pid = fork_supervisor(m);

	while (shared->started == 1 && kreg_deadline(0) < deadline)
		usleep(1000);
	return pid;
}

static inline int end_process(pid_t pid, int how)
{
	int status = -1;

	end_child(pid, how);
	waitpid(pid, &status, 0);
	return status;
}

FIXTURE(again)
{
	struct kreg_client *client;
	struct making how;
	char name[32], table[64];
	pid_t pid;
};

FIXTURE_SETUP(again)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	ASSERT_NE(MAP_FAILED, shared);
	/* Children of a supervisor that was killed are the test's, which has to reap them. */
	ASSERT_EQ(0, prctl(PR_SET_CHILD_SUBREAPER, 1));
	snprintf(self->name, sizeof(self->name), "s%d", getpid());
	snprintf(self->table, sizeof(self->table), "supervisor.%s", self->name);
	self->how = (struct making){
		.name = self->name, .max = 3, .children = 3,
	};
	ASSERT_EQ(0, kreg_client_open(NULL, &self->client));
}

static inline void destroy_named(struct kreg_client *client, const char *name)
{
	struct kreg_table *table;

	if (kreg_table_open(client, name, NULL, &table))
		return;
	kreg_table_destroy(table);
	kreg_table_close(table);
}

FIXTURE_TEARDOWN(again)
{
	if (self->pid > 0)
		end_process(self->pid, SIGTERM);
	destroy_named(self->client, "again-a");
	destroy_named(self->client, "again-b");
	kreg_client_close(self->client);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

static inline pid_t pid_in(struct kreg_client *client, const char *name, const char *id)
{
	struct kreg_holder holder = KREG_HOLDER_INIT;
	struct kreg_table *table;
	char key[80];
	int len = snprintf(key, sizeof(key), "run/%s", id), ret;

	ret = kreg_table_open(client, name, NULL, &table);
	if (ret)
		return ret;
	ret = kreg_whereis(table, key, len, &holder);
	kreg_table_close(table);
	return ret ? ret : (pid_t)holder.process.pid;
}

/* Its own text says so; what the child says may follow. */
static inline bool is_ready_in(struct kreg_client *client, const char *name, const char *id)
{
	struct kreg_table *table;
	char key[80], text[512] = "";
	int len = snprintf(key, sizeof(key), "run/%s", id);

	if (kreg_table_open(client, name, NULL, &table))
		return false;
	if (kreg_get(table, key, len, text, sizeof(text) - 1, NULL))
		*text = '\0';
	kreg_table_close(table);
	return strstr(text, " phase=ready");
}

static inline pid_t owner_of(struct kreg_client *client, const char *name)
{
	struct kreg_stat *stat;
	pid_t pid;

	if (kreg_stat_by_name(client, name, &stat))
		return -1;
	pid = kreg_stat_owner(stat).pid;
	kreg_stat_free(stat);
	return pid;
}

/* A supervisor that was asked for two more is killed; they live. False: it did not start. */
static inline bool leave_requested(struct making *how, struct kreg_client *client,
				   const char *table, pid_t *f, pid_t *r)
{
	pid_t pid;

	how->requests = true;
	pid = start_supervisor(how);
	*f = pid_in(client, table, "f");
	*r = pid_in(client, table, "r");
	end_process(pid, SIGKILL);
	return !shared->started;
}

#endif /* KREG_LIB_AGAIN_H */
