/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * handover.c - pass open sockets to the next version, over a Unix socket: a message each, with
 * what is known of the connection. kreg keeps state, not descriptors: for these there is
 * SCM_RIGHTS.
 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "hitless.h"

/* What the messages are about. */
enum { LISTENING = 'l', CONNECTION = 'c', END = 'e' };

struct message {
	char what;
	struct connection connection;
};

/* An abstract address: it is free as soon as the server is gone, however it went. */
static const struct sockaddr_un address = { AF_UNIX, "\0kreg-hitless" };
static const socklen_t address_len = offsetof(struct sockaddr_un, sun_path) + 13;

/* Meanwhile no client is answered, so for a successor that is stopped there is a limit. */
static const struct timeval patience = { 3, 0 };

/* Anybody may bind and connect to such an address. */
static int is_own_user(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) && peer.uid == geteuid();
}

static int send_message(int to, char what, const struct connection *connection)
{
	struct message message = { what, *connection };
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { .bytes = "" };
	struct iovec iov = { &message, sizeof(message) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *cmsg;

	if (connection->fd >= 0) {
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control);
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &connection->fd, sizeof(int));
	}
	return sendmsg(to, &msg, MSG_NOSIGNAL) == sizeof(message) ? 0 : -1;
}

/* Return: 1; 0: the predecessor is gone; -1: it has sent a descriptor that cannot come here. */
static int receive_message(int from, struct message *message)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = { message, sizeof(*message) };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg;

	if (recvmsg(from, &msg, MSG_CMSG_CLOEXEC) != sizeof(*message))
		return 0;
	/* The descriptor has another number here, if there was room for one (MSG_CTRUNC). */
	message->connection.fd = -1;
	cmsg = CMSG_FIRSTHDR(&msg);
	if (cmsg && cmsg->cmsg_level == SOL_SOCKET && cmsg->cmsg_type == SCM_RIGHTS)
		memcpy(&message->connection.fd, CMSG_DATA(cmsg), sizeof(int));
	return message->what == END || message->connection.fd >= 0 ? 1 : -1;
}

int handover_listen(void)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (fd >= 0 && !bind(fd, (const struct sockaddr *)&address, address_len) &&
	    !listen(fd, 1))
		return fd;
	return -1;
}

static int send_all(int to, const struct server *s)
{
	struct connection listening = { .fd = s->listening };
	unsigned int i;

	if (send_message(to, LISTENING, &listening))
		return -1;
	for (i = 0; i < s->count; i++)
		if (send_message(to, CONNECTION, &s->connection[i]))
			return -1;
	return 0;
}

/*
 * Nothing is answered while this lasts, and nothing is lost: what clients send waits in their
 * sockets, and who connects waits in the queue of the listening one. Only when the successor has
 * said that it has them all does it get the table. If it dies before, or does not say so in time,
 * this server goes on.
 */
int handover_give(struct server *s)
{
	static const struct connection none = { .fd = -1 };
	int to = accept(s->handover, NULL, NULL), failed;
	char yes = '\0';

	if (to < 0 || !is_own_user(to)) {
		close(to);
		return 0;
	}
	setsockopt(to, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	setsockopt(to, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	failed = send_all(to, s);
	/* The successor binds to this address next. */
	close(s->handover);
	failed = failed || send_message(to, END, &none) || recv(to, &yes, 1, 0) != 1 ||
		 yes != 'y' || kreg_table_park(s->sessions);
	close(to);
	if (failed)
		s->handover = handover_listen();
	return !failed;
}

/* Return: 1: all has come; 0: the predecessor is gone; -1: something cannot come. */
static int take_all(int from, struct server *s)
{
	struct message message;
	int got;

	while ((got = receive_message(from, &message)) > 0 && message.what != END) {
		if (message.what == LISTENING)
			s->listening = message.connection.fd;
		else if (s->count < MAX_CONNECTIONS)
			s->connection[s->count++] = message.connection;
		else
			return -1;
	}
	return got;
}

/*
 * Yes is said only when all has come: then the predecessor ends. If it dies meanwhile, what has
 * come is kept, and the table is there all the same.
 */
int handover_take(struct server *s)
{
	int from = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), got = 0;

	if (from < 0)
		return -1;
	if (!connect(from, (const struct sockaddr *)&address, address_len) && is_own_user(from)) {
		got = take_all(from, s);
		if (got > 0)
			send(from, "y", 1, MSG_NOSIGNAL);
	}
	close(from);
	return got < 0 ? -1 : 0;
}
