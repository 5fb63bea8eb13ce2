/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kreg lease: run a command that does the work which an object stands for.
 *
 * This process is the borrower and waits for the command, so the object is back whatever
 * becomes of the two. If it is killed the command is killed with it, since another might do the
 * work from then on.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd.h"

static const struct option options[] = {
	{ "deadline", required_argument, NULL, 'd' },
	COMMON_LONG_OPTIONS
};

struct lending {
	const char *name;
	char **argv;		/* of the command */
	struct bytes key;
	uint64_t deadline_ms;	/* from when on the object is another's; 0: never */
	struct kreg_table *table;
	struct kreg_loan loan;
	int input;		/* the value, as a file */
	sigset_t signals;	/* that are taken while the command runs, */
	sigset_t old_mask;	/* and what was blocked before */
	pid_t child;
};

static void parse(int argc, char **argv, struct lending *l)
{
	int c;

	while ((c = next_option(argc, argv, "+d:", options)) != -1)
		if (c == 'd' && (parse_time_ms(optarg, &l->deadline_ms) || !l->deadline_ms ||
				 l->deadline_ms >= UINT32_MAX))
			usage("'%s' is no time: a number with ms, s, m, h or d", optarg);
	need_args(argc, 3, -1);
	l->name = argv[optind];
	if (!*argv[optind + 1])
		usage("the key is empty");
	if (strcmp(argv[optind + 2], "--") || !argv[optind + 3])
		usage("there is no command behind --");
	l->argv = argv + optind + 3;
	l->key = bytes_arg(argv[optind + 1]);
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

static int borrow(struct lending *l)
{
	void *value;
	size_t len;
	int ret = kreg_lease(l->table, l->key.data, l->key.len, l->deadline_ms, &value, &len,
			     &l->loan);

	if (ret)
		return fail(ret);
	l->input = open_input(value, len);
	free(value);
	return l->input < 0 ? fail_text(EXIT_ERROR, "memfd_create: %s", strerror(errno)) : 0;
}

static int set_number(const char *name, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	return setenv(name, text, 1);
}

/* In the child. Returns only if the command cannot be run. */
static int become_command(struct lending *l, pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		raise(SIGKILL);
	if (dup2(l->input, STDIN_FILENO) < 0 || set_number("KREG_TOKEN", l->loan.version) ||
	    set_number("KREG_LOANS", l->loan.loans))
		return errno;
	sigprocmask(SIG_SETMASK, &l->old_mask, NULL);
	return run_exec(l->argv, l->name);
}

/* The command runs when execve(2) has closed the pipe. */
static int start_command(struct lending *l)
{
	pid_t self = getpid();
	int pipe_fds[2], err = 0;

	if (pipe2(pipe_fds, O_CLOEXEC))
		return errno;
	fflush(NULL);
	l->child = fork();
	if (!l->child) {
		err = become_command(l, self);
		if (write(pipe_fds[1], &err, sizeof(err)) < 0)
			err = ENOMEM;
		_exit(EXIT_CANNOT_RUN);
	}
	close(pipe_fds[1]);
	if (l->child < 0)
		err = errno;
	else if (read(pipe_fds[0], &err, sizeof(err)) == sizeof(err))
		waitpid(l->child, NULL, 0);
	close(pipe_fds[0]);
	return err;
}

/* What asks this command to end, asks the command that it runs; the terminal has asked both. */
static int wait_command(struct lending *l)
{
	siginfo_t info;
	int status;

	for (;;) {
		if (sigwaitinfo(&l->signals, &info) < 0)
			continue;
		if (info.si_signo != SIGCHLD && info.si_code != SI_KERNEL)
			kill(l->child, info.si_signo);
		if (waitpid(l->child, &status, WNOHANG) == l->child)
			return run_exit_code(status);
	}
}

/* SIGCHLD may have been inherited as ignored, and then there would be no exit status. */
static void take_signals(struct lending *l)
{
	signal(SIGCHLD, SIG_DFL);
	ending_signals(&l->signals);
	if (!signal_ignored(SIGQUIT))
		sigaddset(&l->signals, SIGQUIT);
	sigaddset(&l->signals, SIGCHLD);
	sigprocmask(SIG_BLOCK, &l->signals, &l->old_mask);
}

static int run_command(struct lending *l)
{
	int err;

	take_signals(l);
	err = start_command(l);
	if (!err)
		return wait_command(l);
	return fail_text(err == ENOENT ? EXIT_NO_COMMAND : EXIT_CANNOT_RUN, "%s: %s", l->argv[0],
			 strerror(err));
}

static bool has_ended(int ret)
{
	return ret == -ENODATA || ret == -ECANCELED;
}

/* The object goes with its work; what was not done is there for the next one. */
static int end_loan(struct lending *l, int status)
{
	int ret;

	if (status) {
		ret = kreg_lease_return(l->table, l->key.data, l->key.len, &l->loan);
		return ret && !has_ended(ret) ? fail(ret) : status;
	}
	ret = kreg_lease_done(l->table, l->key.data, l->key.len, &l->loan);
	if (has_ended(ret))
		return fail_text(EXIT_BUSY, "the command has ended after its loan of the object");
	return ret ? fail(ret) : 0;
}

static int run(int argc, char **argv)
{
	struct lending l = { .loan = KREG_LOAN_INIT, .input = -1 };
	int ret;

	parse(argc, argv, &l);
	ret = open_table(l.name, &l.table);
	if (ret)
		return ret;
	ret = borrow(&l);
	if (l.loan.version)
		ret = end_loan(&l, ret ? ret : run_command(&l));
	close_table(l.table);
	bytes_free(&l.key);
	return ret;
}

const struct command cmd_lease = {
	.name = "lease",
	.args = "[OPTION]... NAME KEY -- COMMAND [ARGUMENT]...",
	.summary = "run a command that does the work of an object",
	.help = "Take an object on loan and run COMMAND, with the value as its standard input. Nobody\n"
		"else finds the object meanwhile. If COMMAND succeeds the object is removed; if it fails,\n"
		"or this command is killed, which kills COMMAND, the object is there again.\n"
		"KREG_LOANS is how often it was lent, this time included, and KREG_TOKEN a number that\n"
		"only grows from one loan to the next. The exit status is that of COMMAND.\n\n"
		"  -d, --deadline TIME  after so long the object is there again, although COMMAND goes\n"
		"                       on; it is too late then: 6, if it succeeds nevertheless",
	.run = run,
};
