/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Examples under kreg supervise, as a user runs them: the test starts the command with the
 * example's own file, calls its programs by their names, and kills them.
 */
#ifndef KREG_SEEDS_SUPERVISED_H
#define KREG_SEEDS_SUPERVISED_H

#include "seeds/seeds.h"

/* A system that is supervised. */
struct seed {
	const char *file;
	const char *names;		/* table of its names */
	const char *table;		/* whose owner matters */
	struct kreg_client *client;
	struct kreg_table *registry;
	struct kreg_peer *peers[2];
	const char *keys[2];
	pid_t supervisor;
};

/* Signals, codes of exit() that a program is asked for, and the kernel's want of memory. */
struct cause {
	const char *text;
	int sig;
	int status;			/* as of waitpid(2) */
};

static const struct cause causes[] = {
	{ "SIGKILL", SIGKILL, SIGKILL }, { "SIGSEGV", SIGSEGV, SIGSEGV },
	{ "abort", SIGABRT, SIGABRT }, { "exit 0", 0, 0 }, { "exit 3", 0, 3 << 8 },
	{ "OOM kill", BY_OOM, SIGKILL },
};

#define CAUSES	(sizeof(causes) / sizeof(causes[0]))

static inline const char *kreg_command(void)
{
	return getenv("KREG") ?: "kreg";
}

/* The examples are beside the tests, and the command is found as ever. */
static inline void be_supervisor(const char *file)
{
	char path[4096];

	snprintf(path, sizeof(path), ".:%s", getenv("PATH") ?: "/usr/bin:/bin");
	setenv("PATH", path, 1);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (!freopen("/dev/null", "w", stderr) || !freopen("/dev/null", "w", stdout))
		_exit(98);
	execlp(kreg_command(), kreg_command(), "supervise", file, NULL);
	_exit(99);
}

/* Exit status of a command of kreg super. */
static inline int super(const char *what, const char *name, const char *child)
{
	int status = -1;
	pid_t pid = fork();

	if (!pid) {
		execlp(kreg_command(), kreg_command(), "super", what, name, child, NULL);
		_exit(99);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* pid; 0: nobody has the key */
static inline pid_t pid_of(struct seed *s, int which)
{
	pid_t pid = whereis(s->registry, s->keys[which]);

	return pid < 0 ? 0 : pid;
}

static inline int wait_for_key(struct seed *s, int which)
{
	return is_present(s->registry, s->keys[which]);
}

/* pid of owner and heir; 0: nobody, -1: there is no such table */
static inline pid_t owner_of(struct seed *s, pid_t *heir)
{
	struct kreg_stat *st;
	pid_t pid;

	if (kreg_stat_by_name(s->client, s->table, &st))
		return -1;
	pid = kreg_stat_owner(st).pid;
	if (heir)
		*heir = kreg_stat_heir(st).pid;
	kreg_stat_free(st);
	return pid;
}

static inline uint64_t table_id(struct seed *s)
{
	struct kreg_stat *st;
	uint64_t id;

	if (kreg_stat_by_name(s->client, s->table, &st))
		return 0;
	id = kreg_stat_id(st);
	kreg_stat_free(st);
	return id;
}

/* Return: 0 and the reply as a string, or an error. */
static inline int call(struct seed *s, int which, const char *text, char *buf, size_t room)
{
	size_t len = 0;
	int ret = kreg_call(s->peers[which], text, strlen(text), buf, room - 1, &len,
			    PATIENCE_MS);

	buf[ret ? 0 : len] = '\0';
	return ret;
}

/* Whether that is the reply. */
static inline bool says(struct seed *s, int which, const char *text, const char *expected)
{
	char buf[128];
	int ret = call(s, which, text, buf, sizeof(buf));

	if (!ret && !strcmp(buf, expected))
		return true;
	printf("# '%s': %d '%s', not '%s'\n", text, ret, buf, expected);
	return false;
}

/* It is dead, or exiting, when this returns its pid. */
static inline pid_t make_die(struct seed *s, int which, const struct cause *cause)
{
	pid_t pid = pid_of(s, which);
	char buf[8];
	int ret = 0;

	if (pid > 0 && cause->sig)
		ret = send_signal(pid, cause->sig);
	else if (pid > 0)
		call(s, which, cause->text, buf, sizeof(buf));
	if (ret)
		printf("# %s: %s\n", cause->text, strerror(-ret));
	return ret ? ret : pid;
}

/* Another process has the key, and serves. */
static inline pid_t wait_for_new(struct seed *s, int which, pid_t old)
{
	uint64_t deadline = kreg_deadline(PATIENCE_MS);
	pid_t pid;

	do {
		if (wait_for_key(s, which))
			return -1;
		pid = pid_of(s, which);
		if (pid && pid != old)
			return pid;
		usleep(1000);
	} while (kreg_deadline(0) < deadline);
	return -1;
}

static inline bool is_owner(struct seed *s, pid_t pid)
{
	return test_wait_for(owner_of(s, NULL) == pid);
}

static inline int begin_seed(struct seed *s)
{
	int ret = kreg_client_open(NULL, &s->client), i;

	s->supervisor = fork();
	if (!s->supervisor)
		be_supervisor(s->file);
	ret = ret ? ret : kreg_wait_name(s->client, s->names, KREG_WATCH_PRESENT, PATIENCE_MS);
	ret = ret ? ret : kreg_table_open(s->client, s->names, NULL, &s->registry);
	for (i = 0; i < 2 && !ret; i++) {
		ret = kreg_peer_open(s->registry, s->keys[i], strlen(s->keys[i]), &s->peers[i]);
		ret = ret ? ret : wait_for_key(s, i);
	}
	return ret;
}

/* Status of the supervisor, whose children are dead then. */
static inline int end_supervisor(struct seed *s, int sig)
{
	int status = -1;

	if (s->supervisor <= 0)
		return status;
	kill(s->supervisor, sig);
	waitpid(s->supervisor, &status, 0);
	s->supervisor = 0;
	return status;
}

static inline void end_seed(struct seed *s, const char *state)
{
	end_supervisor(s, SIGTERM);
	kreg_peer_close(s->peers[0]);
	kreg_peer_close(s->peers[1]);
	kreg_table_close(s->registry);
	remove_table(s->client, s->table);
	remove_table(s->client, s->names);
	remove_table(s->client, state);
	kreg_client_close(s->client);
}

/* Where the examples and their files are. */
static inline int go_to_tests(void)
{
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (n < 0)
		return -errno;
	path[n] = '\0';
	return chdir(dirname(path)) ? -errno : 0;
}

/* A kreg without libcyaml has no kreg supervise. */
static inline bool can_supervise(const char *file)
{
	char command[256];

	snprintf(command, sizeof(command), "%s supervise --check %s >/dev/null 2>&1",
		 kreg_command(), file);
	return !system(command);
}

#endif /* KREG_SEEDS_SUPERVISED_H */
