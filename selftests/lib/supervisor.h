/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Supervisors whose children do what a signal tells them, and a record of what happens: one sign
 * and the child's id for each thing.
 */
#ifndef KREG_LIB_SUPERVISOR_H
#define KREG_LIB_SUPERVISOR_H

#include <sys/mman.h>
#include <sys/prctl.h>

#include "kit/oom_group.h"
#include "lib/lib.h"

#define READY		'+'
#define STOPS		'-'
#define KILLED		'*'
#define DEAD		'!'
#define FOUND		'='
#define FAILED		'?'
#define GAVE_UP		'#'

struct record {
	char text[1024];
	char why[256];
	int status;		/* of the last that died */
	bool known;
};

static inline void record_log(const struct kreg_supervisor_log *log, void *arg)
{
	static const char signs[] = {
		[KREG_CHILD_READY] = READY, [KREG_CHILD_STOPS] = STOPS,
		[KREG_CHILD_KILLED] = KILLED, [KREG_CHILD_DEAD] = DEAD,
		[KREG_CHILD_FOUND] = FOUND, [KREG_CHILD_FAILED] = FAILED,
		[KREG_SUPERVISOR_GAVE_UP] = GAVE_UP, [KREG_SUPERVISOR_UNSAVED] = 'X',
	};
	struct record *r = arg;
	size_t len = strlen(r->text);

	if (log->what == KREG_CHILD_DEAD) {
		r->status = log->status;
		r->known = log->known;
	}
	if (log->text)
		snprintf(r->why, sizeof(r->why), "%s", log->text);
	if (signs[log->what])
		snprintf(r->text + len, sizeof(r->text) - len, "%c%s", signs[log->what],
			 log->id ? log->id : "");
}

static inline void do_abort(int sig)
{
	abort();
}

static inline void do_exit_0(int sig)
{
	_exit(0);
}

static inline void do_exit_3(int sig)
{
	_exit(3);
}

/* How a child is told to end; it is killed for want of memory without being told. */
#define ABORT	SIGUSR1
#define EXIT_0	SIGUSR2
#define EXIT_3	SIGHUP
#define BY_OOM	(-1)

static inline int end_child(pid_t pid, int how)
{
	return how == BY_OOM ? oom_kill_process(pid) : kill(pid, how) ? -errno : 0;
}

/* It runs until it is told to end. */
static inline int obey(void *arg)
{
	int ret;

	prctl(PR_SET_PDEATHSIG, 0);
	signal(ABORT, do_abort);
	signal(EXIT_0, do_exit_0);
	signal(EXIT_3, do_exit_3);
	ret = kreg_ready();
	/* The supervisor may have died; the next one finds this process. */
	if (ret && ret != -ECONNREFUSED)
		return 99;
	alarm(test_scale(120));
	for (;;)
		pause();
}

/* With notify, so that the signals are set when it is ready. */
static inline struct kreg_child obedient(const char *id, enum kreg_restart restart)
{
	struct kreg_child child = {
		.size = sizeof(child), .id = id, .main = obey, .restart = restart,
		.notify = true, .start_ms = PATIENCE_MS, .stop_ms = PATIENCE_MS,
	};

	return child;
}

FIXTURE(sup)
{
	struct kreg_client *client;
	struct kreg_supervisor *sup;
	struct record record;
	char name[32];
};

FIXTURE_SETUP(sup)
{
	snprintf(self->name, sizeof(self->name), "s%d", getpid());
	ASSERT_EQ(0, kreg_client_open(NULL, &self->client));
}

FIXTURE_TEARDOWN(sup)
{
	kreg_supervisor_free(self->sup);
	kreg_client_close(self->client);
}

static inline int make(struct kreg_supervisor **sup, struct kreg_client *client, const char *name,
		       enum kreg_strategy strategy, unsigned int max, struct record *record)
{
	int ret = kreg_supervisor_new(client, name, strategy, max, 60000, sup);

	if (!ret)
		kreg_supervisor_set_log(*sup, record_log, record);
	return ret;
}

/* 0: nobody */
static inline pid_t pid_of(struct kreg_supervisor *sup, const char *id)
{
	struct kreg_holder holder = KREG_HOLDER_INIT;
	char key[80];
	int len = snprintf(key, sizeof(key), "run/%s", id);

	return kreg_whereis(kreg_supervisor_table(sup), key, len, &holder) ? 0 :
		holder.process.pid;
}

/* Until all of this has happened, and a moment more. */
static inline void follow(struct kreg_supervisor *sup, struct record *record, const char *expected)
{
	uint64_t deadline = kreg_deadline(PATIENCE_MS);
	int n = 0;

	while (strlen(record->text) < strlen(expected) && n >= 0 &&
	       kreg_deadline(0) < deadline)
		n = kreg_supervisor_dispatch(sup, 1000);
	do {
		n = kreg_supervisor_dispatch(sup, 20);
	} while (n > 0);
}

#endif /* KREG_LIB_SUPERVISOR_H */
