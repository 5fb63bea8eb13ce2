/* SPDX-License-Identifier: GPL-2.0-only */
/* kreg supervise: start the processes of a file, and start them again when they die. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervise.h"

static const struct option options[] = {
	{ "check", no_argument, NULL, 'c' },
	COMMON_LONG_OPTIONS
};

#ifdef KREG_HAVE_CYAML

static struct kreg_supervisor *supervisor;

static void end_all(int sig)
{
	(void)sig;
	kreg_supervisor_end(supervisor);
}

/* Asked to end at any moment, also while children start, and as process 1. */
static void catch_signals(void)
{
	struct sigaction action = { .sa_handler = end_all, .sa_flags = SA_RESTART };

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	/* Who reads what it says may end before it. */
	signal(SIGPIPE, SIG_IGN);
}

static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/*
 * Process 1 has to reap what others have left. The supervisor has reaped its own children before,
 * when it was told of their deaths.
 */
static void reap_others(void)
{
	if (getpid() != 1)
		return;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

static void handle_signals(int fd, struct control *control)
{
	struct signalfd_siginfo info;

	while (read(fd, &info, sizeof(info)) == sizeof(info))
		if (info.ssi_signo == SIGHUP)
			control_reload(control);
}

/* The exit code. */
static int loop(struct control *control, int signals)
{
	struct pollfd p[] = {
		{ .fd = kreg_supervisor_fd(supervisor), .events = POLLIN },
		{ .fd = control_fd(control), .events = POLLIN },
		{ .fd = signals, .events = POLLIN },
	};
	int ret = 0;

	while (ret >= 0 || ret == -EINTR) {
		if (poll(p, 3, -1) < 0 && errno != EINTR)
			return fail_text(EXIT_ERROR, "poll: %s", strerror(errno));
		handle_signals(signals, control);
		if (p[1].fd >= 0 && !control_serve(control)) {
			/* It stays readable from now on. */
			p[1].fd = -1;
			kreg_supervisor_end(supervisor);
		}
		ret = kreg_supervisor_dispatch(supervisor, 0);
		reap_others();
	}
	ret = kreg_supervisor_run(supervisor);
	if (ret == -ESHUTDOWN)
		return EXIT_GAVE_UP;
	return ret ? fail(ret) : EXIT_OK;
}

static int start_children(const struct plan *plan)
{
	size_t i;
	int ret;

	for (i = 0; i < plan->child_count; i++) {
		ret = kreg_supervisor_add(supervisor, &plan->children[i]);
		if (ret)
			return fail(ret);
	}
	ret = kreg_supervisor_start(supervisor);
	/* Asked to end meanwhile, or too many deaths. */
	if (ret == -ESHUTDOWN)
		return kreg_supervisor_run(supervisor) ? EXIT_GAVE_UP : EXIT_OK;
	if (!ret)
		return -1;
	fail(ret);
	return EXIT_NOT_STARTED;
}

static int supervise(struct kreg_client *client, const char *path, struct plan *plan)
{
	struct control *control;
	int signals, ret;

	ret = tables_make(client, plan);
	if (ret)
		return ret;
	/* The children write there as well: a line is to stay in one piece. */
	setvbuf(stderr, NULL, _IOLBF, 0);
	kreg_supervisor_set_log(supervisor, log_supervisor, NULL);
	signals = open_signals();
	catch_signals();
	ret = start_children(plan);
	if (ret >= 0)
		return ret;
	ret = control_open(client, supervisor, path, plan, &control);
	if (ret)
		return fail(ret);
	ret = kreg_ready();
	if (ret)
		note("nobody hears that it is ready: %s", kreg_errmsg());
	ret = loop(control, signals);
	control_close(control);
	return ret;
}

static int run_file(const char *path, bool check)
{
	struct kreg_client *client;
	struct plan plan;
	int ret = plan_read(path, &plan);

	if (ret || check) {
		if (!ret)
			plan_free(&plan);
		return ret;
	}
	ret = open_client(&client);
	if (!ret) {
		ret = kreg_supervisor_new(client, plan.name, plan.strategy, plan.max_restarts,
					  plan.max_ms, &supervisor);
		ret = ret ? fail(ret) : supervise(client, path, &plan);
		kreg_supervisor_free(supervisor);
		kreg_client_close(client);
	}
	plan_free(&plan);
	return ret;
}

#else

static int run_file(const char *path, bool check)
{
	(void)path;
	(void)check;
	return fail_text(EXIT_ERROR, "this kreg was built without libcyaml, which reads the file: install libcyaml-dev and build it again");
}

#endif

static int run(int argc, char **argv)
{
	bool check = false;

	while (next_option(argc, argv, "c", options) != -1)
		check = true;
	need_args(argc, 1, 1);
	return run_file(argv[optind], check);
}

const struct command cmd_supervise = {
	.name = "supervise",
	.args = "[--check] FILE",
	.summary = "start processes, and start them again when they die",
	.help = "Start the processes of the file in their order, hand them their tables, watch\n"
		"them, and start again who dies, until SIGTERM or SIGINT comes: then stop them,\n"
		"last first. If it was killed they go on, and the next 'kreg supervise' of the\n"
		"file goes on with them. kreg-supervise(5) describes the file; SIGHUP has it\n"
		"read anew.\n\n"
		"  -c, --check  only read the file, and say what is wrong with it",
	.run = run,
};
