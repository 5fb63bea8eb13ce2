/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Part of <kreg.h>: processes that are started, watched, and started again when they die. */
#ifndef KREG_SUPERVISOR_H
#define KREG_SUPERVISOR_H

#include <kreg/table.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A supervisor starts processes, its children, in an order, and stops them in the reverse one. It
 * is told of each death, and starts again what is to run. What it knows of them is in the table
 * supervisor.NAME, which the kernel keeps if the supervisor is killed: the children go on, and
 * the next supervisor of this name goes on with them.
 */

/* One thread at a time, but for kreg_supervisor_end(). */
struct kreg_supervisor;

/* What is started again when a child has died. */
enum kreg_strategy {
	KREG_ONE_FOR_ONE = 0,	/* that child */
	KREG_ONE_FOR_ALL = 1,	/* all; those that live are stopped first */
	KREG_REST_FOR_ONE = 2	/* that child and those behind it, likewise */
};

/* Whether a child that has died is started again. */
enum kreg_restart {
	KREG_PERMANENT = 0,	/* always */
	KREG_TRANSIENT = 1,	/* unless it exits with 0, or dies of its stop signal */
	KREG_TEMPORARY = 2	/* never */
};

/* For @stop_ms and @start_ms of struct kreg_child. */
#define KREG_FOR_EVER	(-1)
#define KREG_AT_ONCE	(-2)

/* The highest @max_restarts: so many times fit into an object of the supervisor's table. */
#define KREG_MAX_RESTARTS	50000

/**
 * struct kreg_child - how to start and stop a child
 * @size: sizeof(struct kreg_child)
 * @id: its name, any bytes, 1 to 64; no other child of the supervisor has it
 * @argv: the program and its arguments, as for execvp(3); or NULL:
 * @main: is called in a child of fork(2), which exits with what it returns
 * @arg: for @main
 * @restart: whether it is started again
 * @stop_signal: what asks it to end; 0: SIGTERM
 * @stop_ms: how long it may take for that before it is killed; 0: 5000; KREG_FOR_EVER;
 *	KREG_AT_ONCE: it is killed at once
 * @start_ms: how long it may take until it is ready; 0: 10000; KREG_FOR_EVER
 * @notify: it is ready when it calls kreg_ready(), or sends READY=1 to NOTIFY_SOCKET as of
 *	sd_notify(3); else as soon as its program runs
 * @env: NULL, or what is added to its environment: strings NAME=VALUE
 * @user: name or number of the user that it runs as; NULL: as the supervisor
 * @group: likewise the group; NULL: that of @user
 * @directory: where it runs; NULL: where the supervisor does
 * @tables: NULL, or names of the tables that it owns while it runs; such as are not there are
 *	created as by kreg_table_own(). One child has a table
 * @writes: NULL, or names of tables that it may write to while it runs, as by
 *	kreg_table_set_writer(); the supervisor owns them. One child writes to a table
 * @max_deaths: with one death more, at most 64; 0: no limit,
 * @deaths_ms: within so many milliseconds its @tables are quarantined, see
 *	kreg_table_set_limit(): it is not started again, and the supervisor gives up
 *
 * Lists end with NULL. All of it but @arg is copied. In the child's environment are
 *
 *	KREG_SUPERVISOR	the supervisor's name
 *	KREG_TABLES	names of its tables, each on a line
 *	KREG_FD		an open client, for kreg_client_open(NULL, ...), which has the event about
 *			its tables
 *	KREG_PID	the child's pid
 *	NOTIFY_SOCKET	for kreg_ready()
 *
 * The client is opened under the child's user. A child that may not open the device has none,
 * and is started all the same if it has neither @tables nor @writes. It owns its tables before its
 * first instruction. They come back to the supervisor when it is dead.
 */
struct kreg_child {
	size_t size;
	const char *id;
	char *const *argv;
	int (*main)(void *arg);
	void *arg;
	enum kreg_restart restart;
	int stop_signal;
	int stop_ms;
	int start_ms;
	bool notify;
	char *const *env;
	const char *user;
	const char *group;
	const char *directory;
	const char *const *tables;
	const char *const *writes;
	unsigned int max_deaths;
	uint64_t deaths_ms;
};

#define KREG_CHILD_INIT	{ sizeof(struct kreg_child), 0, 0, 0, 0, KREG_PERMANENT, 0, 0, 0, false, \
			  0, 0, 0, 0, 0, 0, 0, 0 }

/* What happens, for the function of kreg_supervisor_set_log(). */
enum kreg_supervisor_what {
	KREG_CHILD_STARTS = 1,
	KREG_CHILD_READY = 2,
	KREG_CHILD_FOUND = 3,		/* it was started by the supervisor before */
	KREG_CHILD_STOPS = 4,		/* it has been sent its stop signal */
	KREG_CHILD_KILLED = 5,		/* it has been sent SIGKILL */
	KREG_CHILD_DEAD = 6,
	KREG_CHILD_RESTARTS = 7,	/* it has died, and is started again */
	KREG_CHILD_FAILED = 8,		/* it could not be started */
	KREG_SUPERVISOR_GAVE_UP = 9,	/* more deaths than allowed, in all or of one child */
	KREG_SUPERVISOR_UNSAVED = 10	/* its table could not be written to */
};

/**
 * struct kreg_supervisor_log - what has happened
 * @size: sizeof(struct kreg_supervisor_log)
 * @what: enum kreg_supervisor_what
 * @status: DEAD: as in waitpid(2), if @known
 * @known: whether @status is known
 * @restarts: RESTARTS, GAVE_UP: deaths within the time
 * @max_restarts: as of kreg_supervisor_new()
 * @err: FAILED, UNSAVED: a negative errno; -ECHILD: it died before it was ready; GAVE_UP:
 *	-EOWNERDEAD: the tables of this child are quarantined, else 0
 * @pid: of the child; 0: it has none now
 * @id: of the child; NULL: it is about none
 * @text: FAILED, UNSAVED, and GAVE_UP with an @err: a sentence; else NULL
 */
struct kreg_supervisor_log {
	size_t size;
	enum kreg_supervisor_what what;
	int status;
	bool known;
	unsigned int restarts;
	unsigned int max_restarts;
	int err;
	pid_t pid;
	const char *id;
	const char *text;
};

typedef void (*kreg_supervisor_log_fn)(const struct kreg_supervisor_log *log, void *arg);

/**
 * kreg_supervisor_new() - become the supervisor of this name
 * @client: tells which device; the supervisor opens another client
 * @name: its name, at most 32 bytes without '/'
 * @strategy: what is started again when a child has died
 * @max_restarts: with one more death, at most KREG_MAX_RESTARTS,
 * @max_ms: within so many milliseconds it gives up: stops all, last first; Erlang has 3 in 5000
 * @sup: the new supervisor
 *
 * Errors: -EBUSY: a supervisor of this name lives; -EINVAL: a bad name, strategy or number;
 * those of kreg_table_own() and of kreg_client_open().
 */
int kreg_supervisor_new(struct kreg_client *client, const char *name,
			enum kreg_strategy strategy, unsigned int max_restarts, uint64_t max_ms,
			struct kreg_supervisor **sup) KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_supervisor_set_log() - have a function called for what happens
 * @sup: the supervisor
 * @fn: is called within the functions below; it may not call them. NULL: none
 * @arg: for @fn
 */
void kreg_supervisor_set_log(struct kreg_supervisor *sup, kreg_supervisor_log_fn fn, void *arg)
	KREG_NONNULL_FIRST;

/**
 * kreg_supervisor_add() - add a child that kreg_supervisor_start() will start
 * @sup: the supervisor, which was not started yet
 * @child: how
 *
 * Errors: -EEXIST: there is one with this id; -EINVAL: neither or both of @argv and @main, a bad
 * id, signal, time or limit; -EBUSY: it was started already.
 */
int kreg_supervisor_add(struct kreg_supervisor *sup, const struct kreg_child *child)
	KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_supervisor_start() - start the children
 * @sup: the supervisor
 *
 * Each one when the one before is ready. If one cannot be started, those before it are stopped,
 * last first; then, and after any error but -ESHUTDOWN, children can be added and it can be tried
 * again, with a count of deaths that goes on.
 *
 * If a supervisor of this name was killed, or ended without stopping its children, they are as they
 * were left: who lives is watched again and counts as ready; who has died since is treated as
 * if it died now, with its status; who was stopped by kreg_supervisor_stop_child() stays
 * so; who is not among the children any more is stopped; and only the others are started. Who was
 * started on request goes on, and is started again as it was asked for; but one that is a function
 * of the program is only watched.
 *
 * Errors: why a child could not be started, which kreg_errmsg() names: those of execve(2), of
 * the tables, such as -EOWNERDEAD: they are quarantined; -ETIMEDOUT; -ECHILD: it died before it
 * was ready; -ESHUTDOWN: too many deaths meanwhile, or kreg_supervisor_end(); -EBUSY: it was
 * started already, or all are stopped for good.
 */
int kreg_supervisor_start(struct kreg_supervisor *sup) KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_supervisor_start_child() - start one more child, and wait until it is ready
 * @sup: the supervisor, which was started
 * @child: how, or only an @id: of one that was stopped or has ended
 * @process: its name; may be NULL
 *
 * It is the last in the order. If it cannot be started it is forgotten.
 *
 * Errors: as kreg_supervisor_start(); -EEXIST: there is one with this id, and it runs, or more
 * than the @id is given; -ENOENT: there is none with this id, and nothing else is given; -EFBIG:
 * its arguments, variables and names are longer than a value may be, so that they cannot be kept
 * for the next supervisor.
 */
int kreg_supervisor_start_child(struct kreg_supervisor *sup, const struct kreg_child *child,
				struct kreg_process *process) KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_supervisor_restart_child() - stop a child and start it again, and wait until it is ready
 * @sup: the supervisor, which was started
 * @id: which
 * @process: its new name; may be NULL
 *
 * As it was to be started before, also one that was started on request. One that does not run is
 * only started. It is no death, and stops no others.
 *
 * Errors: as kreg_supervisor_start_child(), and then it does not run; -ENOENT: there is no such
 * child; -EOPNOTSUPP: it is a function of a program that was killed, and goes on as it is.
 */
int kreg_supervisor_restart_child(struct kreg_supervisor *sup, const char *id,
				  struct kreg_process *process) KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_supervisor_stop_child() - stop a child, and wait until it is dead
 * @sup: the supervisor, which was started
 * @id: which
 *
 * One of kreg_supervisor_add() can be started again by kreg_supervisor_start_child(), and the
 * others stay in what place they are; one that was started on request is forgotten.
 *
 * Errors: -ENOENT: there is no such child. That it does not run is no error.
 */
int kreg_supervisor_stop_child(struct kreg_supervisor *sup, const char *id) KREG_NONNULL_FIRST;

/**
 * kreg_supervisor_change() - have other children
 * @sup: the supervisor, which was started
 * @strategy: as of kreg_supervisor_new()
 * @max_restarts: likewise
 * @max_ms: likewise
 * @children: all that it is to have, in their order, each with the same @size
 * @count: their number
 *
 * Who is the same as before goes on. Who has changed is stopped, and started as it is now; who is
 * not there any more is stopped; who is new is started: one after the other, by
 * kreg_supervisor_dispatch(). That one cannot be started counts as a death. Who was started on
 * request goes on.
 *
 * Errors, and then nothing has changed: as of kreg_supervisor_add(); -EBUSY: one of them is still
 * being stopped because it was not there before; -ESHUTDOWN.
 */
int kreg_supervisor_change(struct kreg_supervisor *sup, enum kreg_strategy strategy,
			   unsigned int max_restarts, uint64_t max_ms,
			   const struct kreg_child *children, size_t count)
	KREG_NONNULL_FIRST KREG_MUST_CHECK;

/** kreg_supervisor_table() - its table; see kreg_supervisor(3) for what is in it. */
struct kreg_table *kreg_supervisor_table(const struct kreg_supervisor *sup) KREG_NONNULL_FIRST;

/**
 * kreg_supervisor_fd() - descriptor for poll(2), select(2) and epoll(7)
 * @sup: the supervisor
 *
 * Readable when there is something to do. Then call kreg_supervisor_dispatch() with time-out 0.
 * Wait for it level-triggered.
 */
int kreg_supervisor_fd(const struct kreg_supervisor *sup) KREG_NONNULL_FIRST;

/**
 * kreg_supervisor_dispatch() - do what there is to do
 * @sup: the supervisor, which was started
 * @timeout_ms: how long to wait for something; 0: not at all; -1, INT64_MAX: for ever
 *
 * It does not wait for children that start or stop.
 *
 * Return: how much there was, 0: nothing came in time; or an error: -ESHUTDOWN: all are stopped,
 * since too many have died or because of kreg_supervisor_end(); -EINTR.
 */
int kreg_supervisor_dispatch(struct kreg_supervisor *sup, int64_t timeout_ms) KREG_NONNULL_FIRST;

/**
 * kreg_supervisor_run() - do what there is to do, until all children are stopped
 * @sup: the supervisor, which was started
 *
 * Return: 0: kreg_supervisor_end() was called; -ESHUTDOWN: too many have died; or an error.
 */
int kreg_supervisor_run(struct kreg_supervisor *sup) KREG_NONNULL_FIRST;

/**
 * kreg_supervisor_end() - let it stop all children, last first
 * @sup: the supervisor
 *
 * Any thread at any time, and signal handlers.
 */
void kreg_supervisor_end(struct kreg_supervisor *sup) KREG_NONNULL_FIRST;

/**
 * kreg_supervisor_free() - stop all children, last first, and free the supervisor
 * @sup: a supervisor or NULL
 *
 * The tables of the children stay the caller's. In a child of fork(2) it only frees memory.
 */
void kreg_supervisor_free(struct kreg_supervisor *sup);

/**
 * kreg_ready() - tell the supervisor that this process is ready
 *
 * Return: 0, also if there is no supervisor; -EINVAL: NOTIFY_SOCKET is no name of a socket;
 * -ECONNREFUSED: the supervisor has died, and the next one will find this process; or another
 * error of socket(2) or sendto(2).
 */
int kreg_ready(void);

#ifdef __cplusplus
}
#endif

#endif /* KREG_SUPERVISOR_H */
