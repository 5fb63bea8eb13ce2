/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Fixture of the tests of libkreg. They use only the public headers and the library; the
 * ABI itself has other tests.
 */
#ifndef KREG_LIB_LIB_H
#define KREG_LIB_LIB_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kit/scale.h"

#include <kreg.h>

FIXTURE(lib)
{
	struct kreg_client *client;
	struct kreg_table *table;	/* protected, with a name of its own */
	char name[32];
};

FIXTURE_SETUP(lib)
{
	snprintf(self->name, sizeof(self->name), "lib-%d", getpid());
	ASSERT_EQ(0, kreg_client_open(NULL, &self->client));
	ASSERT_EQ(0, kreg_table_create(self->client, self->name, &self->table));
}

FIXTURE_TEARDOWN(lib)
{
	kreg_table_destroy(self->table);
	kreg_table_close(self->table);
	kreg_client_close(self->client);
}

/* A child with a client of its own, which runs a function for each letter that it is sent. */
struct kid {
	pid_t pid;
	int sock;
};

/* Runs in the child for each letter. Return: the answer. */
typedef int (*kid_fn)(struct kreg_client *client, char letter, const char *name);

static inline void kid_main(int sock, kid_fn fn, const char *name)
{
	struct kreg_client *client;
	char letter;
	int ret;

	ret = kreg_client_open(NULL, &client);
	for (;;) {
		if (write(sock, &ret, sizeof(ret)) != sizeof(ret) ||
		    read(sock, &letter, 1) != 1)
			_exit(0);
		ret = letter == 'c' ? (kreg_client_close(client), 0) : fn(client, letter, name);
	}
}

static inline int kid_answer(struct kid *kid)
{
	int ret;

	return read(kid->sock, &ret, sizeof(ret)) == sizeof(ret) ? ret : -EPIPE;
}

/* When it returns the child has a client. */
static inline int kid_start(struct kid *kid, kid_fn fn, const char *name)
{
	int sock[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock))
		return -errno;
	kid->pid = fork();
	if (kid->pid == 0) {
		close(sock[0]);
		kid_main(sock[1], fn, name);
	}
	close(sock[1]);
	kid->sock = sock[0];
	return kid_answer(kid);
}

static inline int kid_do(struct kid *kid, char letter)
{
	return write(kid->sock, &letter, 1) == 1 ? kid_answer(kid) : -EPIPE;
}

/* Return: the wait status. */
static inline int kid_kill(struct kid *kid)
{
	int status = -1;

	kill(kid->pid, SIGKILL);
	waitpid(kid->pid, &status, 0);
	close(kid->sock);
	kid->pid = 0;
	return status;
}

#define OTHER	1001		/* user id */

/*
 * A client of another user, without capabilities; the device has this mode while it is
 * opened.
 */
static inline struct kreg_client *open_as_other(unsigned int mode)
{
	struct kreg_client *client = NULL;
	struct stat st;
	int ret = stat("/dev/kreg", &st) || chmod("/dev/kreg", mode);

	ret = ret ? ret : seteuid(OTHER);
	ret = ret ? ret : kreg_client_open(NULL, &client);
	ret = seteuid(0) ? -1 : ret;
	chmod("/dev/kreg", st.st_mode & 0777);
	return ret ? NULL : client;
}

#endif /* KREG_LIB_LIB_H */
