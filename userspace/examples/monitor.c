/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tell how processes die, in an event loop that has other things to do: here, to end at the
 * end of standard input.
 *
 *	cc monitor.c -lkreg && ./a.out 4711 4712
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <kreg.h>

static int alive;

/* Called by kreg_client_dispatch(), once for each ref. */
static void on_down(const struct kreg_event *event, void *arg)
{
	pid_t pid = kreg_event_process(event).pid;
	int status;

	(void)arg;
	if (!kreg_event_status(event, &status))
		printf("%d died\n", pid);
	else if (WIFSIGNALED(status))
		printf("%d died of signal %d\n", pid, WTERMSIG(status));
	else
		printf("%d exited with %d\n", pid, WEXITSTATUS(status));
	kreg_ref_cancel(kreg_event_ref(event));
	alive--;
}

static int watch(struct kreg_client *client, int argc, char **argv)
{
	struct kreg_ref *ref;
	int i, err;

	for (i = 1; i < argc; i++) {
		err = kreg_monitor_pid(client, atoi(argv[i]), on_down, NULL, &ref);
		if (err)
			return err;
		alive++;
	}
	return 0;
}

static int add(int epoll, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data = { .fd = fd } };

	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) ? errno : 0;
}

/* Errors of kreg are negative, those of the loop positive. */
static int loop(struct kreg_client *client, int epoll)
{
	struct epoll_event event;
	char input[256];
	int err;

	while (alive) {
		if (epoll_wait(epoll, &event, 1, -1) < 0) {
			if (errno != EINTR)
				return errno;
		} else if (event.data.fd == kreg_client_fd(client)) {
			err = kreg_client_dispatch(client, 0);
			if (err < 0)
				return err;
		} else if (read(STDIN_FILENO, input, sizeof(input)) <= 0) {
			break;
		}
	}
	return 0;
}

static int run(struct kreg_client *client, int argc, char **argv)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	int err = epoll < 0 ? errno : 0;

	if (!err)
		err = add(epoll, kreg_client_fd(client));
	if (!err)
		err = add(epoll, STDIN_FILENO);
	if (!err)
		err = watch(client, argc, argv);
	if (!err)
		err = loop(client, epoll);
	if (epoll >= 0)
		close(epoll);
	return err;
}

int main(int argc, char **argv)
{
	struct kreg_client *client;
	int err;

	err = kreg_client_open(NULL, &client);
	if (!err) {
		err = run(client, argc, argv);
		kreg_client_close(client);
	}
	if (err)
		fprintf(stderr, "monitor: %s\n", err < 0 ? kreg_errmsg() : strerror(err));
	return err ? 1 : 0;
}
