/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The command that does the work of an object on loan. This process is the borrower and waits for
 * it, so the object is back whatever becomes of the two. If this process is killed the command is
 * killed with it, since another might do the work from then on.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "work.h"

static volatile sig_atomic_t asked;

static void note_asked(int sig)
{
	asked = sig;
}

/* A file, since a pipe would want somebody who fills it. */
static int open_input(const void *value, size_t len)
{
	int fd = memfd_create("value", MFD_CLOEXEC);
	size_t done = 0;
	ssize_t n;

	while (fd >= 0 && done < len) {
		n = write(fd, (const char *)value + done, len - done);
		if (n < 0) {
			close(fd);
			return -1;
		}
		done += n;
	}
	if (fd >= 0)
		lseek(fd, 0, SEEK_SET);
	return fd;
}

int work_input(struct work *w, const void *value, size_t len)
{
	if (w->input >= 0)
		close(w->input);
	w->input = open_input(value, len);
	return w->input < 0 ? fail_text(EXIT_ERROR, "memfd_create: %s", strerror(errno)) : 0;
}

static int set_number(const char *name, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	return setenv(name, text, 1);
}

/* Of the signals that ask this command to end, if there are to be any in a wait. */
static void set_handlers(const struct work *w, void (*handler)(int sig))
{
	struct sigaction action = { .sa_handler = handler };
	int sig;

	for (sig = 1; sig < NSIG; sig++)
		if (sig != SIGCHLD && sigismember(&w->signals, sig) > 0)
			sigaction(sig, &action, NULL);
}

/* In the child. Returns only if the command cannot be run. */
static int become_command(struct work *w, pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		raise(SIGKILL);
	set_handlers(w, SIG_DFL);
	if (dup2(w->input, STDIN_FILENO) < 0 || set_number("KREG_TOKEN", w->token) ||
	    set_number("KREG_LOANS", w->loans))
		return errno;
	sigprocmask(SIG_SETMASK, &w->old_mask, NULL);
	return run_exec(w->argv, w->table);
}

/* The command runs when execve(2) has closed the pipe. */
static int start_command(struct work *w)
{
	pid_t self = getpid();
	int pipe_fds[2], err = 0;

	if (pipe2(pipe_fds, O_CLOEXEC))
		return errno;
	fflush(NULL);
	w->child = fork();
	if (!w->child) {
		err = become_command(w, self);
		if (write(pipe_fds[1], &err, sizeof(err)) < 0)
			err = ENOMEM;
		_exit(EXIT_CANNOT_RUN);
	}
	close(pipe_fds[1]);
	if (w->child < 0)
		err = errno;
	else if (read(pipe_fds[0], &err, sizeof(err)) == sizeof(err))
		waitpid(w->child, NULL, 0);
	close(pipe_fds[0]);
	return err;
}

/* What asks this command to end, asks the command that it runs; the terminal has asked both. */
static int wait_command(struct work *w)
{
	siginfo_t info;
	int status;

	for (;;) {
		if (sigwaitinfo(&w->signals, &info) < 0)
			continue;
		w->asked |= info.si_signo != SIGCHLD;
		if (info.si_signo != SIGCHLD && info.si_code != SI_KERNEL)
			kill(w->child, info.si_signo);
		if (waitpid(w->child, &status, WNOHANG) == w->child)
			return run_exit_code(status);
	}
}

/* SIGCHLD may have been inherited as ignored, and then there would be no exit status. */
void work_take_signals(struct work *w)
{
	signal(SIGCHLD, SIG_DFL);
	ending_signals(&w->signals);
	if (!signal_ignored(SIGQUIT))
		sigaddset(&w->signals, SIGQUIT);
	sigaddset(&w->signals, SIGCHLD);
	sigprocmask(SIG_BLOCK, &w->signals, &w->old_mask);
}

int work_run(struct work *w)
{
	int err;

	err = start_command(w);
	w->started = !err;
	if (!err)
		return wait_command(w);
	return fail_text(err == ENOENT ? EXIT_NO_COMMAND : EXIT_CANNOT_RUN, "%s: %s", w->argv[0],
			 strerror(err));
}

void work_wait_mask(const struct work *w, sigset_t *mask)
{
	int sig;

	set_handlers(w, note_asked);
	*mask = w->old_mask;
	for (sig = 1; sig < NSIG; sig++)
		if (sigismember(&w->signals, sig) > 0)
			sigdelset(mask, sig);
	sigaddset(mask, SIGCHLD);
}

bool work_is_asked(struct work *w)
{
	sigset_t pending;
	int sig;

	sigpending(&pending);
	sigdelset(&pending, SIGCHLD);
	w->asked |= asked != 0;
	for (sig = 1; !w->asked && sig < NSIG; sig++)
		w->asked = sigismember(&w->signals, sig) > 0 && sigismember(&pending, sig) > 0;
	return w->asked;
}
