/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Part of <kreg.h>: clients of the device, and names of processes. */
#ifndef KREG_CLIENT_H
#define KREG_CLIENT_H

#include <kreg/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * kreg_client_open() - open the device
 * @path: path of the device; NULL: the descriptor that a supervisor has left in
 *	KREG_FD, once, else /dev/kreg
 * @client: the new client
 *
 * A process may have 64 clients; one is enough for all its threads. The first
 * one that is open is the receiver of the process's events. What the process gets through
 * a client it owns under the user that it runs as when the client is opened. A client that
 * it opens after setuid(2), or as a set-user-ID program, is not the owner of these tables.
 *
 * If the mode of the device allows only reading, the client can read tables. It receives
 * no tables and no events, and all other calls are -EBADF.
 *
 * Errors: -ENOENT, -ENODEV: no device, the module is not loaded; -EACCES: the
 * device's permissions; -EMFILE: too many clients or descriptors; -EDQUOT: kreg is used
 * in too many user namespaces of the user who made this one; -ENOTTY: @path is something
 * else.
 */
int kreg_client_open(const char *path, struct kreg_client **client) KREG_MUST_CHECK;

/**
 * kreg_client_open_fd() - make a client of an open descriptor of the device
 * @fd: opened by this process, perhaps before execve(2); closed with the client, and
 *	left as it is if the call fails
 * @client: the new client
 *
 * Errors: -ENOTTY: it is something else; -ENXIO: another process has opened it.
 */
int kreg_client_open_fd(int fd, struct kreg_client **client) KREG_MUST_CHECK;

/**
 * kreg_client_close() - close a client
 * @client: a client or NULL
 *
 * What was made from it may be closed before or after; other calls with it
 * are -EBADF then.
 *
 * The process keeps its tables. When it closes its last client it can no longer
 * be an heir or receive a table, and is no heir any more.
 */
void kreg_client_close(struct kreg_client *client);

/**
 * kreg_client_fd() - descriptor for poll(2), select(2) and epoll(7)
 * @client: the client
 *
 * Readable (POLLIN) when an event is there, for level- and edge-triggered loops. Then
 * call kreg_client_dispatch() with time-out 0: events that the library holds already
 * do not make the descriptor readable. Neither read nor close it. An epoll set that
 * was inherited by fork(2) is the parent's: a child makes one of its own.
 */
int kreg_client_fd(const struct kreg_client *client) KREG_NONNULL_FIRST;

/**
 * kreg_client_self() - name of the calling process
 * @client: the client
 * @self: pid and cookie of the caller
 */
int kreg_client_self(struct kreg_client *client, struct kreg_process *self) KREG_NONNULL_FIRST;

/**
 * struct kreg_limits - what this kernel can do
 * @size: sizeof(struct kreg_limits)
 * @max_key: longest key in bytes
 * @max_value: longest value in bytes
 * @max_name: longest name of a table in bytes
 * @max_data: longest data of an event in bytes
 * @max_batch_ops: operations in a batch
 * @max_batch_bytes: bytes of keys and values in a batch
 * @features: KREG_FEATURE_SET: tables of this type; KREG_FEATURE_WATCH: kreg_monitor();
 *	KREG_FEATURE_ROLE: <kreg/role.h>; KREG_FEATURE_RANGE: ranges of scans;
 *	KREG_FEATURE_ORDERED: ordered tables; KREG_FEATURE_PIN: <kreg/pin.h>
 */
struct kreg_limits {
	size_t size;
	uint32_t max_key;
	uint32_t max_value;
	uint32_t max_name;
	uint32_t max_data;
	uint32_t max_batch_ops;
	uint32_t max_batch_bytes;
	uint64_t features;
};

#define KREG_LIMITS_INIT	{ sizeof(struct kreg_limits), 0, 0, 0, 0, 0, 0, 0 }

/**
 * kreg_client_limits() - ask the kernel for its limits
 * @client: the client
 * @limits: @size is set by the caller, the rest is written
 */
int kreg_client_limits(struct kreg_client *client, struct kreg_limits *limits) KREG_NONNULL_FIRST;

/**
 * kreg_client_set_receiver() - let events of this process come to this client
 * @client: the client
 */
int kreg_client_set_receiver(struct kreg_client *client) KREG_NONNULL_FIRST;

/**
 * kreg_client_set_accept() - may other users give tables to this process?
 * @client: the client; a child of fork(2) has to say it again
 * @accept: yes or no; no is the default
 */
int kreg_client_set_accept(struct kreg_client *client, bool accept) KREG_NONNULL_FIRST;

/**
 * kreg_client_sync() - wait for asynchronous writes and for deaths
 * @client: the client
 *
 * Returns when every write that was accepted and every death that happened before
 * the call is visible.
 *
 * Return: 0, or the first error of this client's asynchronous writes since the
 * last call, which is thereby forgotten.
 */
int kreg_client_sync(struct kreg_client *client) KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_process_find() - name of the process that has this pid now
 * @client: the client
 * @pid: process id in the caller's pid namespace
 * @process: its name
 *
 * Since the caller learnt the pid, the process may have died and another one got the pid.
 * With a pidfd, call kreg_process_from_pidfd() instead.
 *
 * Errors: -ESRCH: no living process has this pid, or it is a thread's;
 * -ENOTCONN: the process has no client.
 */
int kreg_process_find(struct kreg_client *client, pid_t pid, struct kreg_process *process)
	KREG_NONNULL_FIRST;

/**
 * kreg_process_from_pidfd() - name of exactly the process of a pidfd
 * @client: the client
 * @pidfd: from pidfd_open(2) or clone(2)
 * @process: its name
 *
 * Errors: as kreg_process_find(), and -EBADF: not a pidfd.
 */
int kreg_process_from_pidfd(struct kreg_client *client, int pidfd, struct kreg_process *process)
	KREG_NONNULL_FIRST;

/**
 * kreg_process_pidfd() - a pidfd of exactly this process
 * @client: the client
 * @process: its name, with its cookie
 *
 * Return: a new descriptor (close-on-exec), or -ESRCH: it is dead; -ENOTCONN: it
 * has no client (see kreg_table_owner_pidfd() for owners).
 */
int kreg_process_pidfd(struct kreg_client *client, const struct kreg_process *process)
	KREG_NONNULL_FIRST;

#ifdef __cplusplus
}
#endif

#endif /* KREG_CLIENT_H */
