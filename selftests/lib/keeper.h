/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Keepers and consumers as processes, which are told what to do by calls: the first letter of a
 * request says what.
 */
#ifndef KREG_LIB_KEEPER_H
#define KREG_LIB_KEEPER_H

#include <sys/prctl.h>

#include "lib/die.h"
#include "lib/lib.h"
#include "kit/util.h"

#define KEEPER		"keeper"
#define CONSUMER	"consumer"

/* What processes are made of. */
struct keeping {
	char names[32];		/* the registry */
	char table[32];
	bool on_request;	/* it is given to who asks, */
	bool admits;		/* of any user */
	struct kreg_open_options how;
};

/* Of a process. */
struct actor {
	const struct keeping *keeping;
	struct kreg_client *client;
	struct kreg_table *names;
	struct kreg_server *server;
	struct kreg_keeper *keeper;	/* of keepers */
	struct kreg_peer *peer;		/* of consumers: the keeper */
	struct kreg_table *table;	/* of consumers, if they have it */
	uint64_t given;			/* id of the table that an event was about */
	int events;
	enum kreg_keeper_failure what;	/* has failed, */
	int failed;			/* and why */
};

static inline void answer(struct kreg_request *r, int64_t number)
{
	kreg_reply(r, &number, sizeof(number));
}

/* What any of them does. */
static inline int64_t act_any(struct actor *a, const char *text)
{
	switch (*text) {
	case 'd':
		die(text[1]);
		break;
	case 'n':
		return a->events;
	case 'i':
		return a->given;
	}
	return -EOPNOTSUPP;
}

static inline void serve_keeper(struct kreg_request *r, void *arg)
{
	struct actor *a = arg;
	size_t len;
	const char *text = kreg_request_data(r, &len);

	switch (*text) {
	case 'h':
		answer(r, kreg_keeper_holds(a->keeper));
		break;
	case 'i':
		answer(r, kreg_table_id(kreg_keeper_table(a->keeper)));
		break;
	case 'f':
		answer(r, a->failed);
		break;
	case 'w':
		answer(r, a->what);
		break;
	default:
		answer(r, act_any(a, text));
	}
}

static inline int64_t get_from_keeper(struct actor *a)
{
	struct kreg_table *table;
	int ret = kreg_keeper_get(a->peer, a->client, a->keeping->table, PATIENCE_MS,
				  &table);

	if (ret)
		return ret;
	kreg_table_close(a->table);
	a->table = table;
	a->given = kreg_table_id(table);
	return kreg_table_opened(table);
}

static inline int64_t give_back(struct actor *a)
{
	struct kreg_holder holder = KREG_HOLDER_INIT;
	int ret = kreg_whereis(a->names, KEEPER, strlen(KEEPER), &holder);

	return ret ? ret : kreg_table_give(a->table, &holder.process, NULL, 0);
}

/* A table of another name, for the keeper. */
static inline int64_t give_foreign(struct actor *a)
{
	struct kreg_table *own = a->table;
	int64_t ret = kreg_table_create(a->client, "keeper-foreign", &a->table);

	ret = ret ? ret : give_back(a);
	a->table = own;
	return ret;
}

/* The keeper is its heir no more, and nobody else. */
static inline int64_t disinherit(struct actor *a)
{
	int ret = kreg_table_set_heir(a->table, NULL, NULL, 0, 0);

	return ret ? ret : kreg_table_set_orphan(a->table, KREG_ORPHAN_DESTROY, 0);
}

/* Number in the table that only its owner may change. */
static inline int64_t add_one(struct actor *a)
{
	int64_t n = 0;
	int ret;

	if (!a->table)
		return -ENOENT;
	ret = kreg_get(a->table, "n", 1, &n, sizeof(n), NULL);
	n++;
	ret = ret && ret != -ENODATA ? ret : kreg_put(a->table, "n", 1, &n, sizeof(n));
	return ret ? ret : n;
}

/* The same address; but the entry is another one. */
static inline int same_value(const void *old, size_t old_len, void *buf, size_t room, size_t *len,
			     void *arg)
{
	memcpy(buf, old, old_len);
	*len = old_len;
	return 0;
}

static inline void serve_consumer(struct kreg_request *r, void *arg)
{
	struct actor *a = arg;
	size_t len;
	const char *text = kreg_request_data(r, &len);

	switch (*text) {
	case 'g':
		answer(r, get_from_keeper(a));
		break;
	case 'b':
		answer(r, give_back(a));
		break;
	case 'F':
		answer(r, give_foreign(a));
		break;
	case 'p':
		answer(r, kreg_table_park(a->table));
		break;
	case 'D':
		answer(r, kreg_table_destroy(a->table));
		break;
	case 'o':
		answer(r, disinherit(a));
		break;
	case '+':
		answer(r, add_one(a));
		break;
	case 'r':
		answer(r, kreg_registry_update(a->names, CONSUMER, strlen(CONSUMER),
					       same_value, NULL));
		break;
	default:
		answer(r, act_any(a, text));
	}
}

static inline void on_transfer(const struct kreg_event *event, void *arg)
{
	struct actor *a = arg;
	char name[KREG_MAX_NAME + 1];

	if (kreg_event_kind(event) != KREG_EVENT_TRANSFER ||
	    kreg_event_name(event, name, sizeof(name), NULL) || strcmp(name, a->keeping->table))
		return;
	a->events++;
	kreg_table_close(a->table);
	if (!kreg_table_by_id(a->client, kreg_event_table(event), &a->table))
		a->given = kreg_event_table(event);
}

static inline void on_failure(enum kreg_keeper_failure what, int err, void *arg)
{
	struct actor *a = arg;

	a->what = what;
	a->failed = err;
}

static inline bool admit_all(uid_t uid, gid_t gid, void *arg)
{
	return true;
}

static inline int open_actor(struct actor *a, const struct keeping *k, kreg_serve_fn fn)
{
	struct kreg_server_options o = KREG_SERVER_OPTIONS_INIT;
	int ret = kreg_client_open(NULL, &a->client);

	o.admit = k->admits ? admit_all : NULL;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(test_scale(120));
	a->keeping = k;
	ret = ret ? ret : kreg_table_open(a->client, k->names, NULL, &a->names);
	ret = ret ? ret : kreg_server_new(a->client, fn, a, &o, &a->server);
	return ret;
}

static inline int keep_it(struct actor *a)
{
	struct kreg_keeper_options o = KREG_KEEPER_OPTIONS_INIT;

	o.table = &a->keeping->how;
	o.consumers = a->keeping->on_request ? NULL : a->names;
	o.key = CONSUMER;
	o.key_len = a->keeping->on_request ? 0 : strlen(CONSUMER);
	o.destroy_foreign = true;
	o.failed = on_failure;
	o.arg = a;
	return kreg_keeper_new(a->server, a->keeping->table, &o, &a->keeper);
}

static inline int begin_keeper(struct actor *a, const struct keeping *k, const char *name)
{
	int ret = open_actor(a, k, serve_keeper);

	ret = ret ? ret : keep_it(a);
	return ret ? ret : kreg_server_register(a->server, a->names, name, strlen(name));
}

static inline int begin_consumer(struct actor *a, const struct keeping *k, const char *name)
{
	int ret = open_actor(a, k, serve_consumer);

	if (!ret)
		kreg_client_set_handler(a->client, on_transfer, a);
	ret = ret ? ret : kreg_peer_open(a->names, KEEPER, strlen(KEEPER), &a->peer);
	return ret ? ret : kreg_server_register(a->server, a->names, name, strlen(name));
}

typedef int (*begin_fn)(struct actor *a, const struct keeping *k, const char *name);

/* It serves when this returns. Return: its pid, or why not. */
static inline pid_t start_actor(begin_fn begin, const struct keeping *k, const char *name)
{
	struct actor actor = { .keeping = k };
	int fds[2], ret;
	pid_t pid;

	if (pipe(fds))
		return -errno;
	pid = fork();
	if (!pid) {
		ret = begin(&actor, k, name);
		if (write(fds[1], &ret, sizeof(ret)) != sizeof(ret) || ret)
			_exit(98);
		close(fds[1]);
		_exit(kreg_server_run(actor.server));
	}
	close(fds[1]);
	if (read(fds[0], &ret, sizeof(ret)) != sizeof(ret))
		ret = -EPIPE;
	close(fds[0]);
	return ret ? ret : pid;
}

/* When it returns the process does nothing until SIGCONT. */
static inline int stop_actor(pid_t pid)
{
	return kill(pid, SIGSTOP) || waitpid(pid, NULL, WUNTRACED) != pid ? -errno : 0;
}

static inline int end_actor(pid_t *pid, int sig)
{
	int status = -1;

	if (*pid <= 0)
		return 0;
	kill(*pid, sig);
	waitpid(*pid, &status, 0);
	*pid = 0;
	return status;
}

/* Of both kinds; a table for each test, and the registry, are destroyed with it. */
struct play {
	struct kreg_client *client;
	struct kreg_table *names;
	struct kreg_peer *keeper_peer, *consumer_peer;
	struct keeping keeping;
	pid_t keeper, consumer;
};

static inline int begin_play(struct play *p)
{
	int ret = kreg_client_open(NULL, &p->client);

	snprintf(p->keeping.names, sizeof(p->keeping.names), "names-%d", getpid());
	snprintf(p->keeping.table, sizeof(p->keeping.table), "%s-%d", CONSUMER, getpid());
	p->keeping.how.size = sizeof(p->keeping.how);
	p->keeping.how.mode = 0644;
	ret = ret ? ret : kreg_table_create(p->client, p->keeping.names, &p->names);
	ret = ret ? ret : kreg_table_set_access(p->names, KREG_ACCESS_REGISTRY);
	ret = ret ? ret : kreg_peer_open(p->names, KEEPER, strlen(KEEPER), &p->keeper_peer);
	return ret ? ret : kreg_peer_open(p->names, CONSUMER, strlen(CONSUMER), &p->consumer_peer);
}

static inline void destroy_named(struct kreg_client *client, const char *name)
{
	struct kreg_table *table;

	if (!kreg_table_open(client, name, NULL, &table)) {
		kreg_table_destroy(table);
		kreg_table_close(table);
	}
}

static inline void end_play(struct play *p)
{
	end_actor(&p->keeper, SIGKILL);
	end_actor(&p->consumer, SIGKILL);
	kreg_peer_close(p->keeper_peer);
	kreg_peer_close(p->consumer_peer);
	destroy_named(p->client, p->keeping.table);
	kreg_table_destroy(p->names);
	kreg_table_close(p->names);
	kreg_client_close(p->client);
}

static inline int64_t tell(struct kreg_peer *peer, const char *text)
{
	int64_t number = -EBADMSG;
	int ret = kreg_call(peer, text, strlen(text) + 1, &number, sizeof(number), NULL,
			    PATIENCE_MS);

	return ret ? ret : number;
}

/* Until it says so. */
static inline bool tells(struct kreg_peer *peer, const char *text, int64_t expected)
{
	uint64_t deadline = kreg_deadline(PATIENCE_MS);

	while (tell(peer, text) != expected && kreg_deadline(0) < deadline)
		usleep(1000);
	return tell(peer, text) == expected;
}

/* pid of owner and heir; 0: nobody */
static inline pid_t owner_of(struct play *p, pid_t *heir)
{
	struct kreg_stat *st;
	pid_t pid;

	if (kreg_stat_by_name(p->client, p->keeping.table, &st))
		return -1;
	pid = kreg_stat_owner(st).pid;
	if (heir)
		*heir = kreg_stat_heir(st).pid;
	kreg_stat_free(st);
	return pid;
}

static inline bool is_owned_by(struct play *p, pid_t pid)
{
	uint64_t deadline = kreg_deadline(PATIENCE_MS);

	while (owner_of(p, NULL) != pid && kreg_deadline(0) < deadline)
		usleep(1000);
	return owner_of(p, NULL) == pid;
}

#endif /* KREG_LIB_KEEPER_H */
