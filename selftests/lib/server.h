/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A registry, and server processes in it that do what the first letter of a request says.
 */
#ifndef KREG_LIB_SERVER_H
#define KREG_LIB_SERVER_H

#include <dirent.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "lib/die.h"
#include "lib/lib.h"

#define KEY	"calc"

/* How a server process is made. */
struct test_serving {
	const char *table;
	const struct kreg_server_options *options;
	bool new_net;
	bool stays;		/* when it has ended */
	uid_t uid;
};

/* Of a server process. */
struct test_state {
	struct kreg_server *server;
	struct kreg_request *kept;
	int last_reply;
	char log[256];
	size_t log_len;
};

static inline void prctl_die(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static inline void reply_number(struct kreg_request *r, int number)
{
	kreg_reply(r, &number, sizeof(number));
}

static inline void reply_from(struct kreg_request *r)
{
	struct kreg_process process = { 0 };
	int told[3] = { kreg_request_from(r, &process, NULL) };
	uid_t uid = -1;

	kreg_request_from(r, NULL, &uid);
	told[1] = process.pid;
	told[2] = uid;
	kreg_reply(r, told, sizeof(told));
}

/* A child that is not noticed by the library, and holds all descriptors. */
static inline int hold_all(void)
{
	int pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	if (!pid) {
		alarm(test_scale(60));
		for (;;)
			pause();
	}
	return pid;
}

static inline int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static inline int no_more_fds(void)
{
	int highest = dup(0);
	struct rlimit limit = { highest, highest };

	close(highest);
	return setrlimit(RLIMIT_NOFILE, &limit);
}

/* What needs no answer of its own. */
static inline void serve_cast(struct test_state *state, const char *text, size_t len)
{
	if (*text == 'l' && state->log_len + len <= sizeof(state->log)) {
		memcpy(state->log + state->log_len, text + 1, len - 1);
		state->log_len += len - 1;
	}
	if (*text == 'a' && state->kept) {
		state->last_reply = kreg_reply(state->kept, "late", 4);
		state->kept = NULL;
	}
	if (*text == 's')
		usleep(1000 * atoi(text + 1));
	if (*text == 'd')
		die(text[1]);
}

static inline void serve_call(struct kreg_request *r, struct test_state *state, const char *text,
			      size_t len)
{
	static char big[KREG_MAX_MESSAGE + 1];
	const void *key;

	switch (*text) {
	case 'e':
		kreg_reply(r, text + 1, len - 1);
		break;
	case 'b':
		memset(big, 'x', sizeof(big));
		if (kreg_reply(r, big, atoi(text + 1)))
			kreg_reply(r, kreg_errmsg(), strlen(kreg_errmsg()));
		break;
	case 'E':
		kreg_reply_error(r, atoi(text + 1));
		break;
	case 'k':
		if (kreg_request_keep(r, &state->kept) || kreg_reply(r, "x", 1) != -EALREADY ||
		    kreg_request_keep(r, &state->kept) != -EALREADY)
			_exit(9);
		break;
	case 'w':
		reply_number(r, state->kept ? 1 : 0);
		break;
	case 'r':
		reply_number(r, state->last_reply);
		break;
	case 'L':
		kreg_reply(r, state->log, state->log_len);
		break;
	case 's':
	case 'd':
		serve_cast(state, text, len);
		kreg_reply(r, NULL, 0);
		break;
	case 'D':
		kreg_reply(r, "bye", 3);
		raise(SIGKILL);
		break;
	case 'f':
		reply_number(r, hold_all());
		break;
	case 'F':
		reply_number(r, count_fds());
		break;
	case 'R':
		reply_number(r, no_more_fds());
		break;
	case 'u':
		reply_number(r, clock() * 1000 / CLOCKS_PER_SEC);
		break;
	case 'i':
		reply_from(r);
		break;
	case 'K':
		key = kreg_request_key(r, &len);
		kreg_reply(r, key, len);
		break;
	case 'B':
		reply_number(r, kreg_server_dispatch(state->server, 0));
		break;
	case 'x':
		kreg_server_end(state->server, atoi(text + 1));
		kreg_reply(r, NULL, 0);
		break;
	case 'X':
		kreg_reply(r, NULL, 0);
		kreg_server_free(state->server);
		break;
	}
}

static inline void serve_any(struct kreg_request *r, void *arg)
{
	struct test_state *state = arg;
	char text[256] = "";
	size_t len;
	const void *data = kreg_request_data(r, &len);

	if ((uintptr_t)data % 8)
		_exit(8);
	if (*(const char *)data == 'e' && !kreg_request_is_cast(r)) {
		kreg_reply(r, (const char *)data + 1, len - 1);
		return;
	}
	len = len < sizeof(text) - 1 ? len : sizeof(text) - 1;
	memcpy(text, data, len);
	if (kreg_request_is_cast(r))
		serve_cast(state, text, len);
	else
		serve_call(r, state, text, len);
}

static inline int serve_main(const struct test_serving *how, int ready)
{
	struct test_state state = { .last_reply = 1 };
	struct kreg_client *client;
	struct kreg_table *table;
	int ret;

	prctl_die();
	ret = how->new_net ? unshare(CLONE_NEWNET) : 0;
	ret = ret ? ret : kreg_client_open(NULL, &client);
	ret = ret ? ret : kreg_table_open(client, how->table, NULL, &table);
	ret = ret || !how->uid ? ret : seteuid(how->uid);
	ret = ret ? ret : kreg_server_new(client, serve_any, &state, how->options, &state.server);
	ret = ret ? ret : kreg_server_register(state.server, table, KEY, strlen(KEY));
	ret = ret ? ret : kreg_server_register(state.server, table, "other", 5);
	if (write(ready, &ret, sizeof(ret)) != sizeof(ret) || ret)
		return 99;
	ret = kreg_server_run(state.server);
	while (how->stays)
		pause();
	return ret;
}

/* Return: its pid, or a negative errno. */
static inline pid_t serve(const struct test_serving *how)
{
	int fds[2], ret;
	pid_t pid;

	if (pipe(fds))
		return -errno;
	pid = fork();
	if (!pid)
		_exit(serve_main(how, fds[1]));
	close(fds[1]);
	if (read(fds[0], &ret, sizeof(ret)) != sizeof(ret))
		ret = -EPIPE;
	close(fds[0]);
	return ret ? ret : pid;
}

static inline int end_of(pid_t pid)
{
	int status = -1;

	waitpid(pid, &status, 0);
	return status;
}

/* When it returns the server does nothing until SIGCONT. */
static inline int pause_server(pid_t pid)
{
	return kill(pid, SIGSTOP) || waitpid(pid, NULL, WUNTRACED) != pid ? -errno : 0;
}

/* The server goes on in a moment, in which the test does something else. */
static inline pid_t resume_later(pid_t server)
{
	pid_t pid = fork();

	if (!pid) {
		usleep(200000);
		_exit(kill(server, SIGCONT) ? 1 : 0);
	}
	return pid;
}

static inline int kill_server(pid_t pid)
{
	kill(pid, SIGKILL);
	return end_of(pid);
}

FIXTURE(server)
{
	struct kreg_client *client;
	struct kreg_table *table;	/* a registry */
	struct kreg_peer *peer;		/* of KEY in it */
	char name[32];
	struct test_serving how;
	pid_t pid;
};

FIXTURE_SETUP(server)
{
	snprintf(self->name, sizeof(self->name), "lib-%d", getpid());
	ASSERT_EQ(0, kreg_client_open(NULL, &self->client));
	ASSERT_EQ(0, kreg_table_create(self->client, self->name, &self->table));
	ASSERT_EQ(0, kreg_table_set_access(self->table, KREG_ACCESS_REGISTRY));
	ASSERT_EQ(0, kreg_peer_open(self->table, KEY, strlen(KEY), &self->peer));
	self->how.table = self->name;
}

FIXTURE_TEARDOWN(server)
{
	if (self->pid > 0)
		kill_server(self->pid);
	kreg_peer_close(self->peer);
	kreg_table_destroy(self->table);
	kreg_table_close(self->table);
	kreg_client_close(self->client);
}

static inline int call(struct kreg_peer *peer, const char *text, char *buf, size_t room)
{
	size_t len = 0;
	int ret = kreg_call(peer, text, strlen(text), buf, room - 1, &len, 10000);

	buf[ret ? 0 : len] = '\0';
	return ret;
}

static inline int call_number(struct kreg_peer *peer, const char *text)
{
	int number = -1000;
	int ret = kreg_call(peer, text, strlen(text), &number, sizeof(number), NULL, 10000);

	return ret ? ret : number;
}

static inline int cast(struct kreg_peer *peer, const char *text)
{
	return kreg_cast(peer, text, strlen(text));
}

#endif /* KREG_LIB_SERVER_H */
