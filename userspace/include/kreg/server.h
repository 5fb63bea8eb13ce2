/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Part of <kreg.h>: servers, and calls to them by the name of a registry. */
#ifndef KREG_SERVER_H
#define KREG_SERVER_H

#include <kreg/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A server is a process, or a thread of it, that answers requests one after the other. It
 * registers under keys of tables (see <kreg/registry.h>); whoever may read such a table
 * finds it by its key, whatever process has the key at that moment.
 */

/* Answers requests. One thread at a time, but for kreg_server_end() and kept requests. */
struct kreg_server;
/* What somebody wants of a server; good until the function that got it returns. */
struct kreg_request;
/* A key behind which a server is, or will be. Any thread at any time. */
struct kreg_peer;

/* Bytes of a request or a reply; more belongs into a table. */
#define KREG_MAX_MESSAGE	65536

/**
 * kreg_serve_fn - what is called for a request
 * @request: to be answered by kreg_reply() or kreg_reply_error(), or kept to be answered
 *	later by kreg_request_keep(); a call that is neither is answered with -ENOMSG
 * @state: as given to kreg_server_new()
 *
 * It may free the server.
 */
typedef void (*kreg_serve_fn)(struct kreg_request *request, void *state);

/**
 * struct kreg_server_options - what kreg_server_new() may be told
 * @size: sizeof(struct kreg_server_options)
 * @max_connections: how many are open at a time; 0: 256
 * @reserved: must be zero
 * @max_message: longest request in bytes; 0: KREG_MAX_MESSAGE, which is the most. Of those that
 *	the program answers: what keepers and agents in the server are asked has limits of its own
 * @directory: put the socket there, which makes the server reachable from all network
 *	namespaces and lets the directory's mode say who may connect; the file stays when
 *	the process is killed. NULL: it has no file
 * @admit: may this user call? NULL: the server's own user and root may
 * @arg: for @admit
 *
 * Each thread of a client has a connection, which is kept open. If all of them are in use,
 * the one that was idle for longest is closed, without loss; if none is idle, who wants one
 * waits. A client that does not read its replies is disconnected.
 */
struct kreg_server_options {
	size_t size;
	unsigned int max_connections;
	unsigned int reserved;
	size_t max_message;
	const char *directory;
	bool (*admit)(uid_t uid, gid_t gid, void *arg);
	void *arg;
};

#define KREG_SERVER_OPTIONS_INIT	{ sizeof(struct kreg_server_options), 0, 0, 0, 0, 0, 0 }

/**
 * kreg_server_new() - make a server, which has no name yet
 * @client: events of this client are handed out as well, see kreg_server_dispatch()
 * @fn: is called for each request
 * @state: for @fn
 * @options: NULL: all defaults
 * @server: the new server
 *
 * It belongs to the process that makes it: in a child of fork(2) all calls but
 * kreg_server_free() fail with -ESTALE.
 *
 * Errors: -EMFILE; -ENAMETOOLONG: the directory; those of bind(2) there; -EFBIG: @max_message.
 */
int kreg_server_new(struct kreg_client *client, kreg_serve_fn fn, void *state,
		    const struct kreg_server_options *options, struct kreg_server **server)
	KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_server_register() - give the server a name, or one more
 * @server: the server
 * @table: the registry
 * @key: the key
 * @key_len: its length
 *
 * As kreg_register(): the calling process has the key until it exits or the server is
 * freed. Errors: as there; -EEXIST: the key is taken.
 */
int kreg_server_register(struct kreg_server *server, struct kreg_table *table,
			 const void *key, size_t key_len) KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_server_fd() - descriptor for poll(2), select(2) and epoll(7)
 * @server: the server
 *
 * Readable when there is something to do, also for its client. Then call
 * kreg_server_dispatch() with time-out 0. Wait for it level-triggered.
 */
int kreg_server_fd(const struct kreg_server *server) KREG_NONNULL_FIRST;

/**
 * kreg_server_dispatch() - answer the requests that are there
 * @server: the server
 * @timeout_ms: how long to wait for the first; 0: not at all; -1, INT64_MAX: for ever
 *
 * Some of those of each connection in turns, so that it returns also while requests keep
 * coming. Hands out the events of the server's client as kreg_client_dispatch() does.
 *
 * Return: how many requests and events there were, 0: none came in time; or an error:
 * -ESHUTDOWN: the server is to end; -EINTR as in kreg_event_next(); -EBUSY: called from
 * @fn of this server.
 */
int kreg_server_dispatch(struct kreg_server *server, int64_t timeout_ms) KREG_NONNULL_FIRST;

/**
 * kreg_server_run() - answer requests until the server is to end
 * @server: the server
 *
 * Return: the code of kreg_server_end(), or 0: kreg_stop() was called; the program is to
 * exit with it. Or an error.
 */
int kreg_server_run(struct kreg_server *server) KREG_NONNULL_FIRST;

/**
 * kreg_server_end() - let the server end
 * @server: the server
 * @code: for the caller of kreg_server_run(); not negative
 *
 * Any thread at any time, and signal handlers.
 */
void kreg_server_end(struct kreg_server *server, int code) KREG_NONNULL_FIRST;

/**
 * kreg_server_free() - end all connections, remove the names and free the server
 * @server: a server or NULL
 *
 * Requests that are kept remain to be answered, or freed thereby: with -EPIPE.
 */
void kreg_server_free(struct kreg_server *server);

/* kreg_request_data() - what the caller has sent; aligned for any type. */
const void *kreg_request_data(const struct kreg_request *request, size_t *len) KREG_NONNULL_FIRST;
/* kreg_request_key() - under which of its names the server was called, as the caller says. */
const void *kreg_request_key(const struct kreg_request *request, size_t *len) KREG_NONNULL_FIRST;
/* kreg_request_is_cast() - nobody waits for a reply. */
bool kreg_request_is_cast(const struct kreg_request *request) KREG_NONNULL_FIRST;

/**
 * kreg_request_from() - whose request it is
 * @request: the request
 * @process: which process has opened the connection; may be NULL
 * @uid: under which user, in the server's user namespace; may be NULL
 *
 * Errors: -ESRCH: the process is dead; @uid is told all the same. On kernels before 6.5,
 * it may be another one that has got its pid since.
 */
int kreg_request_from(const struct kreg_request *request, struct kreg_process *process,
		      uid_t *uid) KREG_NONNULL_FIRST;

/**
 * kreg_request_keep() - answer it later
 * @request: a request that is being handled
 * @kept: a copy that lasts until it is answered, by any thread
 *
 * Errors: -ENOMEM; -EALREADY: it was answered or kept.
 */
int kreg_request_keep(struct kreg_request *request, struct kreg_request **kept)
	KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_reply() - answer a call
 * @request: the call; if it was kept, it is freed, unless this fails with -EFBIG
 * @data: the reply; may be NULL
 * @len: its length
 *
 * Of a cast nothing is sent, and 0 returned.
 *
 * Errors: -EPIPE: nobody waits for it any more; -EFBIG: more than KREG_MAX_MESSAGE;
 * -EALREADY: it was answered or kept; -ESTALE: it is the parent's.
 */
int kreg_reply(struct kreg_request *request, const void *data, size_t len) KREG_NONNULL_FIRST;

/**
 * kreg_reply_error() - let the caller's kreg_call() fail
 * @request: as for kreg_reply()
 * @err: an errno, positive or negative
 *
 * Errors: as kreg_reply(); -EINVAL: @err is none, and nothing was answered.
 */
int kreg_reply_error(struct kreg_request *request, int err) KREG_NONNULL_FIRST;

/**
 * kreg_peer_open() - make a handle of a name
 * @table: the registry
 * @key: the key
 * @key_len: its length
 * @peer: the new handle
 *
 * Asks nobody: who has the name is looked up at each call. A child of fork(2) may go on
 * with it.
 */
int kreg_peer_open(struct kreg_table *table, const void *key, size_t key_len,
		   struct kreg_peer **peer) KREG_NONNULL_FIRST KREG_MUST_CHECK;

void kreg_peer_close(struct kreg_peer *peer);

/**
 * kreg_call() - send a request and wait for the reply
 * @peer: of whom
 * @request: the request; may be NULL
 * @request_len: its length
 * @buf: for the reply; may be NULL
 * @room: of @buf
 * @len: length of the reply, also with -EMSGSIZE; may be NULL
 * @timeout_ms: how long to wait; 0: not at all; -1, INT64_MAX: for ever
 *
 * Requests of one thread to one server are handled in their order, casts included (with
 * more than 64 threads that use one handle, only while the thread's connection is kept).
 *
 * Errors that say that nothing was done: -ESRCH: nobody has the name, or who had it was dead
 * before the request was sent; -EACCES: the server does not admit this user, or the table
 * is not to be read; -EHOSTUNREACH: the server is alive and not to be reached from here, in
 * most cases because it is in another network namespace; -EFBIG: the request is too long;
 * -EPROTO: who has the name is no server.
 *
 * Errors that leave it open: -ETIMEDOUT, -EINTR: the reply would go nowhere if it still came;
 * -ECONNRESET: the server has died, or was freed, after the request was sent.
 *
 * -EMSGSIZE: it was done; the reply is longer than @room. All other errors are the
 * server's answer, see kreg_reply_error(); -ENOMSG: it has not answered this.
 */
int kreg_call(struct kreg_peer *peer, const void *request, size_t request_len,
	      void *buf, size_t room, size_t *len, int64_t timeout_ms)
	KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_cast() - send a request and do not wait
 * @peer: to whom
 * @request: the request; may be NULL
 * @request_len: its length
 *
 * Errors: those of kreg_call() that say that nothing was done; -EAGAIN: too many requests of
 * this thread wait already, or too many connections. That the server does not admit this
 * user may be known only at the next call or cast.
 */
int kreg_cast(struct kreg_peer *peer, const void *request, size_t request_len)
	KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_stop() - let a server end, and wait until its process is dead
 * @peer: which
 * @timeout_ms: how long to wait; 0: not at all; -1, INT64_MAX: for ever
 *
 * Comes behind the requests that this thread has sent.
 *
 * Return: 0: it is dead, or an error as of kreg_call().
 */
int kreg_stop(struct kreg_peer *peer, int64_t timeout_ms) KREG_NONNULL_FIRST KREG_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif /* KREG_SERVER_H */
