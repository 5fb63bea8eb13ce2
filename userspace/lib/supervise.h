/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Supervisors: what their files share.
 *
 * Whatever happens only sets what is wanted: a child is to stop, to start, or has died. Then
 * kreg_sup_advance() takes the next steps until one must be waited for.
 */
#ifndef KREG_LIB_SUPERVISE_H
#define KREG_LIB_SUPERVISE_H

#include "internal.h"

#define SUP_MAX_ID	64
#define SUP_MAX_NAME	32
/* What a child exits with that has lost its supervisor before its program runs. */
#define SUP_ABANDONED	125
/* Within this time one exits that has; one that is found and has not by then runs its program. */
#define SUP_SETTLE_MS	5000
/* So long it is known how a child died that had no supervisor: a day. */
#define SUP_LINGER_MS	(24 * 3600 * 1000)

enum phase {
	SUP_DOWN,
	SUP_SETUP,	/* forked; its program does not run yet */
	SUP_WAITING,	/* its program runs, and has not said that it is ready */
	SUP_UP,
	SUP_STOPPING,
};

/* What is wanted of a child, as the table says it to the next supervisor. */
enum want { SUP_RUN, SUP_STOP, SUP_ENDED };

struct child {
	struct kreg_supervisor *sup;
	/* How; the strings and lists are ours. */
	struct kreg_child how;
	bool dynamic;			/* started on request: forgotten when it is not to run */
	uint64_t place;			/* among those on request */
	bool foreign;			/* not among the children any more */
	bool listed;			/* by kreg_supervisor_change() */
	bool changed;			/* it may have had other tables */
	/* In the table. */
	enum want want;
	uint64_t number;		/* of the start that is wanted or was done */
	uint64_t run;			/* of the start that its process comes from */
	uint64_t restarts;
	bool unsaved;			/* what is wanted is to be written, */
	bool over;			/* and the entry of its last run to be removed */
	/* Wanted. */
	bool stop, start;
	bool called;			/* by kreg_supervisor_start_child(), which waits */
	/* Now. */
	enum phase phase;
	bool was_up;			/* since this supervisor has begun */
	bool entered;			/* in the table */
	bool let_go;			/* its program may run */
	bool said_ready;
	bool found_setup;		/* by this supervisor, and its program did not run yet */
	bool failing;			/* it is stopped because it could not be started */
	bool killed;
	bool dead;			/* there is a DOWN that was not treated yet */
	bool known;			/* its @status */
	bool ours;			/* a child of this process */
	int status;
	int err;			/* why it could not be started */
	char why[256];			/* in words */
	char said[256];			/* its last STATUS= */
	int stop_signal, stop_ms;	/* of the process, whatever @how says now */
	pid_t pid;
	int pidfd;
	int sock;			/* to the child until its program runs */
	int child_sock;			/* its end, while it is forked */
	struct file_id pidfd_file, sock_file, child_sock_file;
	struct child *next_connected;	/* supervisor_socket.c */
	uint64_t deadline;		/* 0: none */
	struct kreg_ref *down;
	struct kreg_table *role;	/* NULL: it needs none */
	struct kreg_ref *standby;
	bool has_role;			/* the supervisor, not the child */
	bool forgiven;			/* its deaths so far do not count against its tables */
};

/* A child that is not among them any more, and whose removal was not written. */
struct forgotten {
	struct forgotten *next;
	bool over;
	char id[SUP_MAX_ID + 1];
};

struct zombie {
	int pidfd;
	struct file_id file;
};

struct kreg_supervisor {
	uint64_t process;		/* whose it is: a number of fork.c */
	char name[SUP_MAX_NAME + 1];
	enum kreg_strategy strategy;
	unsigned int max_restarts;
	uint64_t max_ms;
	struct kreg_client *client;	/* its own */
	struct kreg_table *table;
	struct child **children;	/* in their order */
	size_t count;
	uint64_t *times;		/* of the last deaths, in ms */
	unsigned int times_count;
	struct zombie *zombies;		/* children that could not be reaped */
	size_t zombie_count;
	uint64_t reap_at;		/* when to try again */
	uint64_t places;		/* the last one that was given */
	struct forgotten *forgotten;
	bool times_unsaved;		/* when children have died is to be written */
	bool started;
	bool failed;			/* the start has: it can be tried again */
	bool starting;			/* a child that cannot be started ends it */
	bool ending;
	int end;			/* then: 0: asked to; else a negative errno */
	char why[400];			/* in words */
	bool dispatching;
	int epoll, wake, timer, notify;
	struct file_id epoll_file, wake_file, timer_file, notify_file;
	char notify_name[64];		/* of the abstract socket, without the NUL */
	kreg_supervisor_log_fn log;
	void *log_arg;
};

/* supervisor.c */
int kreg_sup_watch_fd(struct kreg_supervisor *sup, int fd, void *ptr);

int kreg_sup_check(const struct kreg_supervisor *sup, bool started);
int kreg_sup_check_new(const char *name, enum kreg_strategy strategy, unsigned int max_restarts);
int kreg_sup_add(struct kreg_supervisor *sup, const struct kreg_child *how, struct child **child);
int kreg_sup_dispatch(struct kreg_supervisor *sup, uint64_t deadline);
void kreg_sup_set_timer(struct kreg_supervisor *sup);

/* supervisor_child.c: copies of what the program says of a child. */
int kreg_sup_child_new(struct kreg_supervisor *sup, const struct kreg_child *how,
		       struct child **child);
void kreg_sup_child_free(struct child *c);
struct child *kreg_sup_find(struct kreg_supervisor *sup, const char *id);
int kreg_sup_append(struct kreg_supervisor *sup, struct child *c);
void kreg_sup_remove(struct kreg_supervisor *sup, struct child *c);

/* supervisor_socket.c: the socket between a child and its supervisor, before its program runs. */
int kreg_sup_connect(struct child *c);
pid_t kreg_sup_fork(struct child *c);
void kreg_sup_close_child_sock(struct child *c);
void kreg_sup_close_sock(struct child *c);

/* supervisor_log.c */
void kreg_sup_say(struct child *c, enum kreg_supervisor_what what);
void kreg_sup_say_text(struct kreg_supervisor *sup, struct child *c,
		       enum kreg_supervisor_what what, int err, const char *text);
void kreg_sup_sentence(const struct child *c, char *buf, size_t room);

/* supervisor_state.c: what the table holds. */
struct run {
	uint64_t number;
	bool setup;			/* its program did not run yet */
	bool ready;
};

int kreg_sup_state_open(struct kreg_supervisor *sup);
/*
 * Write what is wanted of all that are @unsaved, and remove the entry of @dead and of those that
 * are @over. What fails is done with the next.
 */
void kreg_sup_save(struct kreg_supervisor *sup, struct child *dead);
void kreg_sup_save_one(struct child *c, struct child *dead);
/* A child goes: what is not written of it yet is written with the next change. */
void kreg_sup_forget(struct child *c);
void kreg_sup_free_forgotten(struct kreg_supervisor *sup);
/* Enter a process that is about to run, and what is known of it later. */
int kreg_sup_enter(struct child *c, const struct kreg_process *process);
void kreg_sup_enter_phase(struct child *c);
int kreg_sup_load(struct child *c);
/* Also what it has said. */
int kreg_sup_load_run(struct child *c, struct run *run);
int kreg_sup_load_times(struct kreg_supervisor *sup);
/* Call @fn for the id of each object PREFIX/ID. */
int kreg_sup_each(struct kreg_supervisor *sup, const char *prefix,
		  int (*fn)(struct kreg_supervisor *sup, const char *id));
/* The value of NAME= in a text, or @none. */
uint64_t kreg_sup_number_of(const char *text, const char *name, uint64_t none);

/* supervisor_spec.c: how a child on request is started; @buf is to be freed. */
int kreg_sup_spec_make(const struct child *c, char **buf, size_t *len);
bool kreg_sup_spec_fits(const struct child *c);
int kreg_sup_spec_read(struct kreg_supervisor *sup, const char *id, char *text, size_t len,
		       struct child **child);
/* The function of one that cannot be started: it is only watched. */
int kreg_sup_no_program(void *arg);
bool kreg_sup_spec_is_lost(const struct child *c);

/* supervisor_change.c: another list of children. It calls kreg_fail(). */
int kreg_sup_change(struct kreg_supervisor *sup, unsigned int max_restarts,
		    const struct kreg_child *children, size_t count);

/* supervisor_attach.c: go on with what a supervisor before has left. */
int kreg_sup_attach_all(struct kreg_supervisor *sup);

/* supervisor_role.c: the tables of a child. */
int kreg_sup_role_find(struct child *c);	/* before the child is found, or needs it */
int kreg_sup_role_prepare(struct child *c);	/* before it is started */
int kreg_sup_role_give(struct child *c, const struct kreg_process *process);
int kreg_sup_role_stand_by(struct child *c);
/* It was stopped: no death that counts against its tables. */
void kreg_sup_role_forgive(struct child *c);
/* More deaths than its tables are to see; kreg_errmsg() says so. */
bool kreg_sup_role_is_quarantined(struct child *c);
void kreg_sup_role_end(struct child *c);

/* supervisor_spawn.c: start a process, and what comes of it. */
int kreg_sup_spawn(struct child *c);
void kreg_sup_down(const struct kreg_event *event, void *arg);
void kreg_sup_spawn_ready(struct child *c);	/* its socket is readable */
void kreg_sup_signal(struct child *c, int sig);

/* supervisor_reap.c */
void kreg_sup_reap(struct child *c);
/* Those that could not be reaped when they died. */
void kreg_sup_reap_again(struct kreg_supervisor *sup);
void kreg_sup_close_zombies(struct kreg_supervisor *sup);

/* supervisor_setup.c: in the new process; what that says to the supervisor. */
struct setup_report {
	int step;			/* enum setup_step */
	int err;
};

enum setup_step { SETUP_WAITS, SETUP_IDS, SETUP_DIRECTORY, SETUP_DEVICE, SETUP_EXEC };

struct setup_ids {
	bool set;
	uid_t uid;
	gid_t gid;
	gid_t *groups;
	int count;
};

/*
 * supervisor_prepare.c: what the new process needs. It may have to do without a lock that another
 * thread had when it was forked, so all that allocates is done before.
 */
struct setup {
	struct setup_ids ids;
	char **env;
	size_t env_count;		/* the last one is @fd */
	char supervisor[64], socket[96], *tables;
	/* Filled in by the new process. */
	char pid[32], fd[32];
};

/* Else @c says why not. */
int kreg_sup_prepare(struct child *c, struct setup **setup);
void kreg_sup_prepare_free(struct setup *setup);
/* Why a child could not be started; the first reason is kept. */
void kreg_sup_failed(struct child *c, int err, const char *step, const char *text);
void kreg_sup_failed_os(struct child *c, int err, const char *step);
void kreg_sup_setup(struct child *c, int sock, struct setup *setup) __attribute__((noreturn));

/* supervisor_notify.c */
int kreg_sup_notify_open(struct kreg_supervisor *sup);
void kreg_sup_notify_ready(struct kreg_supervisor *sup);

/* supervisor_plan.c */
void kreg_sup_close_run(struct child *c);
void kreg_sup_advance(struct kreg_supervisor *sup);
void kreg_sup_is_ready(struct child *c);
/* It is to stop, whatever it is being stopped for already. */
void kreg_sup_stop(struct child *c);
void kreg_sup_end_all(struct kreg_supervisor *sup, int end);
bool kreg_sup_is_busy(const struct kreg_supervisor *sup);
bool kreg_sup_is_done(const struct kreg_supervisor *sup);

#endif /* KREG_LIB_SUPERVISE_H */
