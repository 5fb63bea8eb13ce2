/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Servers: what server.c, connection.c and request.c share. */
#ifndef KREG_LIB_SERVE_H
#define KREG_LIB_SERVE_H

#include <pthread.h>

#include "packet.h"

/* A name that the server has registered. */
struct server_name {
	struct server_name *next;
	struct kreg_table *table;
	uint64_t version;
	size_t len;
	unsigned char key[];
};

/*
 * A client's connection. Its memory is freed by the thread of the server between two rounds,
 * since a round may have an event of a connection that is closed meanwhile.
 */
struct connection {
	struct connection *prev, *next;	/* lock: server->open, or next in server->closed */
	struct kreg_server *server;
	int fd;				/* lock: -1: closed */
	struct file_id file;
	unsigned int pending;		/* lock: calls that are not answered */
	unsigned int refs;		/* lock: requests that are kept */
	bool leaving;			/* lock: takes no new requests */
	bool drained;			/* lock: has none any more */
	pid_t pid;
	uid_t uid;
};

/*
 * What the library does for a server, beside what its program does: keepers and agents. The data
 * of a request begins with a struct service_head.
 */
struct service {
	struct service *next;
	/* False: the request is for another one. */
	bool (*serve)(struct service *service, struct kreg_request *request);
};

enum service_kind { SERVICE_KEEPER = 1, SERVICE_AGENT = 2 };

struct service_head {
	uint32_t kind;
	uint32_t what;		/* between those who ask and those who answer */
};

struct kreg_server {
	pthread_mutex_t lock;
	unsigned int refs;		/* lock: the program, a dispatch, kept requests */
	bool freed;			/* lock: by the program */
	uint64_t process;		/* which has made it: a number of fork.c */
	struct kreg_client *client;
	int epoll, listener, wake, spare;	/* @spare is given up when there are no more */
	struct file_id epoll_file, listener_file, wake_file;	/* @spare is @wake */
	kreg_serve_fn fn;
	void *state;
	bool (*admit)(uid_t uid, gid_t gid, void *arg);
	void *admit_arg;
	uid_t uid;
	size_t max_message;
	unsigned int max_connections;
	unsigned int connections;	/* lock */
	bool full;			/* lock: the listener is not listened to */
	struct connection open;		/* lock: list; idle for longest first */
	struct connection *closed;	/* lock: to be freed */
	atomic_bool has_closed;		/* lock, but to look */
	struct server_name *names;
	struct service *services;
	struct sockaddr_un address;
	socklen_t address_len;
	bool dispatching;
	bool missed;			/* events, for want of a handler, or by an error */
	_Atomic int end;		/* the code to end with; -1: not yet */
	struct packet head;		/* what was received last */
	uint64_t buf[(PACKET_KEY(KREG_MAX_KEY) + KREG_MAX_MESSAGE) / 8];
};

struct kreg_request {
	struct kreg_server *server;
	struct connection *connection;
	uint64_t id;			/* 0: a cast */
	bool kept;
	bool done;			/* answered, or */
	bool passed;			/* there is a copy that is kept */
	size_t key_len, len;
	const void *key, *data;
	uint64_t copy[];
};

/* server.c: a service that is removed has answered, but for what is kept. */
int kreg_server_add(struct kreg_server *server, struct service *service);
void kreg_server_remove(struct kreg_server *server, struct service *service);
void kreg_server_put(struct kreg_server *server);
/* Neither ended nor freed. */
static inline bool kreg_server_goes_on(const struct kreg_server *server)
{
	return server->end < 0 && !server->freed;
}

/* connection.c: what the descriptors of the server's epoll set are ready for. */
void kreg_server_accept(struct kreg_server *server);
/* Returns how many requests were handled. */
int kreg_connection_ready(struct connection *connection, uint32_t events);
/* All with the lock held: close one; see whether one that leaves is done; free the closed. */
void kreg_connection_close(struct connection *connection);
void kreg_connection_answered(struct connection *connection);
void kreg_connection_sweep(struct kreg_server *server);

/* request.c: an error for a call, which is not the program's answer. */
void kreg_request_refuse(struct kreg_request *request, int err);
/* Likewise, if it was neither answered nor kept. */
void kreg_request_finish(struct kreg_request *request);

#endif /* KREG_LIB_SERVE_H */
