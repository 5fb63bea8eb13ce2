/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Supervisors: start a process, hear from it until its program runs, and of its death. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "packet.h"
#include "supervise.h"

#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal	424
#endif

static const char *const steps[] = {
	[SETUP_WAITS] = "set-up",
	[SETUP_IDS] = "its user and group",
	[SETUP_DIRECTORY] = "its directory",
	[SETUP_DEVICE] = "the device of kreg",
	[SETUP_EXEC] = "its program",
};

void kreg_sup_failed(struct child *c, int err, const char *step, const char *text)
{
	if (c->err)
		return;
	c->err = err;
	snprintf(c->why, sizeof(c->why), "%s: %s", step, text);
}

void kreg_sup_failed_os(struct child *c, int err, const char *step)
{
	char text[128];

	/* Of strerror_r(3) there are two, and it depends on the C library which one this is. */
	errno = -err;
	snprintf(text, sizeof(text), "%m");
	kreg_sup_failed(c, err, step, text);
}

/* Not by its pid, which another process may have once it is dead. */
void kreg_sup_signal(struct child *c, int sig)
{
	if (c->pidfd >= 0)
		syscall(SYS_pidfd_send_signal, c->pidfd, sig, NULL, 0);
}

void kreg_sup_down(const struct kreg_event *event, void *arg)
{
	struct child *c = arg;

	c->dead = true;
	c->known = kreg_event_status(event, &c->status);
}

static int forked(struct child *c)
{
	int ret;

	c->ours = true;
	c->pidfd = kreg_pidfd_open(c->pid);
	if (c->pidfd < 0) {
		kreg_sup_failed_os(c, c->pidfd, "pidfd_open");
		return c->err;
	}
	kreg_file_identify(c->pidfd, &c->pidfd_file);
	ret = kreg_monitor_pid(c->sup->client, c->pid, kreg_sup_down, c, &c->down);
	/* Somebody has killed it. */
	if (ret == -ESRCH)
		return ret;
	if (ret)
		kreg_sup_failed(c, ret, "its monitor", kreg_errmsg());
	else
		ret = kreg_sup_watch_fd(c->sup, c->sock, c);
	/* If it is dead, that comes as an event. */
	if (!ret)
		send(c->sock, "m", 1, MSG_NOSIGNAL);
	return ret;
}

/*
 * With all signals blocked until the new process has none of the program's handlers any more, which
 * would act on what it shares with its parent, such as an eventfd.
 */
static int fork_blocked(struct child *c, struct setup *setup)
{
	sigset_t all, old;
	int ret;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	c->pid = kreg_sup_fork(c);
	if (!c->pid)
		kreg_sup_setup(c, c->child_sock, setup);
	ret = c->pid < 0 ? -errno : 0;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return ret;
}

static int run_fork(struct child *c, struct setup *setup)
{
	int ret = kreg_sup_connect(c);

	if (ret) {
		kreg_sup_failed_os(c, ret, "its socket");
		return ret;
	}
	ret = fork_blocked(c, setup);
	kreg_sup_close_child_sock(c);
	if (!ret)
		return forked(c);
	kreg_sup_close_sock(c);
	c->pid = 0;
	kreg_sup_failed_os(c, ret, "fork");
	return ret;
}

/* It has not begun yet. */
static void kill_forked(struct child *c)
{
	kill(c->pid, SIGKILL);
	while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* An error: there is no process, or nothing that would tell of its death. */
int kreg_sup_spawn(struct child *c)
{
	int ret = kreg_sup_role_prepare(c);
	struct setup *setup;

	if (ret) {
		kreg_sup_failed(c, ret, "its tables", kreg_errmsg());
		return ret;
	}
	ret = kreg_sup_prepare(c, &setup);
	if (!ret)
		ret = run_fork(c, setup);
	kreg_sup_prepare_free(setup);
	if (!ret) {
		c->phase = SUP_SETUP;
		c->deadline = kreg_deadline(c->how.start_ms);
		kreg_sup_say(c, KREG_CHILD_STARTS);
		return 0;
	}
	if (c->pid)
		kill_forked(c);
	c->ours = false;
	return ret;
}

/* It waits for being entered, and for its tables. */
static void let_go(struct child *c, bool has_device)
{
	struct kreg_process process = kreg_ref_process(c->down);
	int ret;

	if (c->role && !has_device) {
		kreg_sup_failed_os(c, -EACCES, steps[SETUP_DEVICE]);
		kreg_sup_signal(c, SIGKILL);
		return;
	}
	/* Before its tables move: whoever supervises next has to know of it. */
	ret = kreg_sup_enter(c, &process);
	if (ret)
		kreg_sup_failed(c, ret, "its entry", kreg_errmsg());
	if (!ret) {
		ret = kreg_sup_role_give(c, &process);
		if (ret)
			kreg_sup_failed(c, ret, "its tables", kreg_errmsg());
	}
	c->let_go = true;
	/* If it is dead, that comes as an event. */
	if (ret || send(c->sock, "g", 1, MSG_NOSIGNAL) != 1)
		kreg_sup_signal(c, SIGKILL);
}

static void program_runs(struct child *c)
{
	kreg_sup_close_sock(c);
	if (c->err || !c->let_go || c->phase != SUP_SETUP)
		return;
	c->phase = SUP_WAITING;
	if (!c->how.notify || c->said_ready)
		kreg_sup_is_ready(c);
	else
		kreg_sup_enter_phase(c);
}

void kreg_sup_spawn_ready(struct child *c)
{
	struct setup_report r;
	ssize_t n;

	if (c->sock < 0)
		return;
	n = recv(c->sock, &r, sizeof(r), MSG_DONTWAIT);
	if (n < 0)
		return;
	if (n != sizeof(r)) {
		program_runs(c);
	} else if (r.step == SETUP_WAITS) {
		let_go(c, !r.err);
	} else {
		kreg_sup_failed_os(c, r.err, steps[r.step]);
		/* What it has failed with is kept when it is dead. */
		kreg_sup_close_sock(c);
	}
}
