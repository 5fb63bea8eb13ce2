/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Supervisors: the socket between a child and its supervisor until the child's program runs. Each
 * of the two is told by its end what has become of the other one, so no third process may have
 * it: whatever is forked by any thread of the program meanwhile closes both sides at once.
 */
#include <errno.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "supervise.h"

/* The children of all supervisors of the process that have a socket. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct child *connected;

/* Which one this thread forks. */
static __thread struct child *forked_now;

static void lock_sockets(void)
{
	pthread_mutex_lock(&mutex);
}

static void unlock_sockets(void)
{
	pthread_mutex_unlock(&mutex);
}

static void close_side(int *sock, const struct file_id *file)
{
	kreg_file_close(*sock, file);
	*sock = -1;
}

/* In every new process. A child keeps its own side. */
static void close_sockets(void)
{
	struct child *c;

	for (c = connected; c; c = c->next_connected) {
		close_side(&c->sock, &c->sock_file);
		if (c != forked_now)
			close_side(&c->child_sock, &c->child_sock_file);
	}
	connected = NULL;
	unlock_sockets();
}

static void __attribute__((constructor)) guard_sockets(void)
{
	pthread_atfork(lock_sockets, unlock_sockets, close_sockets);
}

int kreg_sup_connect(struct child *c)
{
	int socks[2], ret = 0;

	lock_sockets();
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, socks)) {
		ret = -errno;
	} else {
		c->sock = socks[0];
		kreg_file_identify(c->sock, &c->sock_file);
		c->child_sock = socks[1];
		kreg_file_identify(c->child_sock, &c->child_sock_file);
		c->next_connected = connected;
		connected = c;
	}
	unlock_sockets();
	return ret;
}

pid_t kreg_sup_fork(struct child *c)
{
	pid_t pid;

	forked_now = c;
	pid = fork();
	forked_now = NULL;
	return pid;
}

void kreg_sup_close_child_sock(struct child *c)
{
	lock_sockets();
	close_side(&c->child_sock, &c->child_sock_file);
	unlock_sockets();
}

/*
 * A process that was made without the handlers of fork(3) may have the socket as well: closing it
 * here would leave it in the epoll set. In such a child the set is the parent's.
 */
void kreg_sup_close_sock(struct child *c)
{
	struct child **l = &connected;

	if (c->sock < 0)
		return;
	if (c->sup->process == kreg_process_number())
		epoll_ctl(c->sup->epoll, EPOLL_CTL_DEL, c->sock, NULL);
	lock_sockets();
	while (*l && *l != c)
		l = &(*l)->next_connected;
	if (*l)
		*l = c->next_connected;
	close_side(&c->sock, &c->sock_file);
	unlock_sockets();
}
