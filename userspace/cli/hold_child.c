/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Start the command as the owner of the table.
 *
 * A process can receive a table only when it has opened the device, and the command may
 * not know of kreg. So the child opens the device and gets the table before execve(2),
 * over which a process stays the owner: the command owns the table from its first
 * instruction on.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hold.h"

static ssize_t send_int(int sock, int value)
{
	return send(sock, &value, sizeof(value), MSG_NOSIGNAL);
}

/* 0: the other end has closed. */
static ssize_t receive_int(int sock, int *value)
{
	ssize_t n;

	do {
		n = recv(sock, value, sizeof(*value), MSG_WAITALL);
	} while (n < 0 && errno == EINTR);
	return n;
}

/* In the child: says that it can receive, waits for the table, becomes the command. */
static void become(struct hold *h, int sock)
{
	struct kreg_process self;
	int word, ret;

	/* The first call opens the device for this process. */
	ret = kreg_client_self(h->client, &self);
	if (send_int(sock, ret) < 0 || ret || receive_int(sock, &word) <= 0)
		_exit(EXIT_ERROR);
	sigprocmask(SIG_SETMASK, &h->old_mask, NULL);
	ret = run_exec(h->argv, h->name);
	send_int(sock, ret);
	_exit(ret == ENOENT ? EXIT_NO_COMMAND : EXIT_CANNOT_RUN);
}

/* The child was not waited for, so its pid cannot have passed to another process. */
static int hand_over(struct hold *h)
{
	struct kreg_process child;
	int ret;

	ret = kreg_process_find(h->client, h->child, &child);
	if (!ret)
		ret = kreg_table_give(h->table, &child, NULL, 0);
	h->given = !ret;
	/* If it is dead already, wait_child() of hold.c notices and reports that. */
	return ret && ret != -ESRCH ? fail(ret) : 0;
}

/* execve(2) closes the child's socket: end of file means that the command runs. */
static int wait_exec(struct hold *h, int sock)
{
	int err;

	if (receive_int(sock, &err) <= 0)
		return 0;
	return fail_text(err == ENOENT ? EXIT_NO_COMMAND : EXIT_CANNOT_RUN, "%s: %s",
			 h->argv[0], strerror(err));
}

/* The parent's side of become(). */
static int start_owner(struct hold *h, int sock)
{
	int word, ret;

	h->given = false;
	if (receive_int(sock, &word) <= 0)
		return 0;	/* It is dead. */
	if (word)
		return fail_text(EXIT_NO_DEVICE, "%s", kreg_strerror(word));
	ret = hand_over(h);
	if (ret)
		return ret;
	hold_cgroup_enter(h);
	if (send_int(sock, 0) < 0)
		return 0;
	return wait_exec(h, sock);
}

int hold_start(struct hold *h)
{
	int sock[2], ret;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock))
		return fail_text(EXIT_ERROR, "socketpair: %s", strerror(errno));
	fflush(NULL);
	h->child = fork();
	if (h->child == 0) {
		close(sock[0]);
		become(h, sock[1]);
	}
	close(sock[1]);
	if (h->child < 0) {
		h->child = 0;
		ret = fail_text(EXIT_ERROR, "fork: %s", strerror(errno));
	} else {
		ret = start_owner(h, sock[0]);
	}
	close(sock[0]);
	if (ret && h->child) {
		kill(h->child, SIGKILL);
		waitpid(h->child, NULL, 0);
		h->child = 0;
	}
	return ret;
}
