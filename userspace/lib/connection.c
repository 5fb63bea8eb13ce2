/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The connections of a server. A client is read from and written to without waiting, and
 * disconnected if it does not read. What it can make the server wait for is the closing of
 * descriptors that come with a packet, which the kernel does within recvmsg(2): before Linux
 * 6.16 no socket can refuse them.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "serve.h"

/* Of one connection, or new ones, before others get their turn. */
#define BURST	16

static void append_open(struct connection *c)
{
	struct connection *head = &c->server->open;

	c->prev = head->prev;
	c->next = head;
	head->prev->next = c;
	head->prev = c;
}

static void remove_open(struct connection *c)
{
	c->prev->next = c->next;
	c->next->prev = c->prev;
}

static void listen_for(struct kreg_server *server, bool more)
{
	struct epoll_event ev = { more ? EPOLLIN : 0, { .ptr = &server->listener } };

	epoll_ctl(server->epoll, EPOLL_CTL_MOD, server->listener, &ev);
	server->full = !more;
}

void kreg_connection_close(struct connection *c)
{
	struct kreg_server *server = c->server;

	/* If a child has the file, too, closing it would leave it in the epoll set. */
	epoll_ctl(server->epoll, EPOLL_CTL_DEL, c->fd, NULL);
	kreg_file_close(c->fd, &c->file);
	c->fd = -1;
	remove_open(c);
	c->next = server->closed;
	server->closed = c;
	server->has_closed = true;
	server->connections--;
	if (server->full)
		listen_for(server, true);
}

void kreg_connection_sweep(struct kreg_server *server)
{
	struct connection *c = server->closed, *next;

	server->closed = NULL;
	server->has_closed = false;
	for (; c; c = next) {
		next = c->next;
		if (c->refs) {
			c->next = server->closed;
			server->closed = c;
			server->has_closed = true;
		} else {
			free(c);
		}
	}
}

/*
 * Let one leave that has no call in work, the one that is idle for longest: what it has sent
 * is still answered, and what it sends from now on fails there, unsent. If a call is found in
 * that, which may take any time, it is another one's turn to leave.
 */
static void make_room(struct kreg_server *server)
{
	struct connection *c, *idle = NULL;

	for (c = server->open.next; c != &server->open; c = c->next) {
		if (c->pending)
			continue;
		if (c->leaving)
			return;
		if (!idle)
			idle = c;
	}
	if (!idle)
		return;
	idle->leaving = true;
	shutdown(idle->fd, SHUT_RD);
}

void kreg_connection_answered(struct connection *c)
{
	if (c->fd < 0 || c->pending)
		return;
	if (c->drained)
		kreg_connection_close(c);
	else if (c->server->full)
		make_room(c->server);
}

/* With EAGAIN the client may try again. */
static void refuse_client(int fd, int err)
{
	const struct packet head = { PACKET_MAGIC, PACKET_ERROR, err, 0 };

	kreg_packet_send(fd, &head, NULL, NULL, 0);
	close(fd);
}

static bool is_admitted(struct kreg_server *server, const struct ucred *cred)
{
	if (server->admit)
		return server->admit(cred->uid, cred->gid, server->admit_arg);
	return cred->uid == server->uid || cred->uid == 0;
}

static int add_connection(struct kreg_server *server, int fd, const struct ucred *cred)
{
	struct connection *c = calloc(1, sizeof(*c));
	struct epoll_event ev = { EPOLLIN, { .ptr = c } };

	if (!c)
		return -EAGAIN;
	if (kreg_file_identify(fd, &c->file) ||
	    epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &ev)) {
		free(c);
		return -EAGAIN;
	}
	c->server = server;
	c->fd = fd;
	c->pid = cred->pid;
	c->uid = cred->uid;
	pthread_mutex_lock(&server->lock);
	append_open(c);
	server->connections++;
	pthread_mutex_unlock(&server->lock);
	return 0;
}

static void take_client(struct kreg_server *server, int fd)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);
	int err = EACCES;

	if (!getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) && is_admitted(server, &cred))
		err = server->freed ? EAGAIN : -add_connection(server, fd, &cred);
	if (err)
		refuse_client(fd, err);
}

/*
 * The process has no descriptor left. Whoever waits would make the listener readable all
 * the time, so he is refused, with the descriptor that was kept for this.
 */
static void turn_away(struct kreg_server *server)
{
	int fd;

	kreg_file_close(server->spare, &server->wake_file);
	fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd >= 0)
		refuse_client(fd, EAGAIN);
	else if (server->spare < 0)
		poll(NULL, 0, 1);
	server->spare = fcntl(server->wake, F_DUPFD_CLOEXEC, 0);
}

/* @wanted: somebody waits. */
static bool has_room(struct kreg_server *server, bool wanted)
{
	bool room;

	pthread_mutex_lock(&server->lock);
	room = server->connections < server->max_connections;
	if (!room && wanted) {
		make_room(server);
		listen_for(server, false);
	}
	pthread_mutex_unlock(&server->lock);
	return room;
}

void kreg_server_accept(struct kreg_server *server)
{
	int fd, i;

	for (i = 0; i < BURST && !server->freed && has_room(server, !i); i++) {
		fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd >= 0) {
			take_client(server, fd);
		} else if (errno == EMFILE || errno == ENFILE) {
			turn_away(server);
			return;
		} else if (errno != EINTR && errno != ECONNABORTED) {
			return;
		}
	}
}

/* -EPIPE: there is nothing left to be read. */
static int receive(struct connection *c, size_t *len)
{
	struct kreg_server *server = c->server;
	struct packet *head = &server->head;
	int ret = -EBADF;

	pthread_mutex_lock(&server->lock);
	if (c->fd >= 0)
		ret = kreg_packet_recv(c->fd, MSG_DONTWAIT, head, server->buf,
				       sizeof(server->buf), len);
	/* The client has closed its end with a reply unread; what it had sent is still there. */
	if (ret == -ECONNRESET)
		ret = kreg_packet_recv(c->fd, MSG_DONTWAIT, head, server->buf,
				       sizeof(server->buf), len);
	if (!ret) {
		c->pending += is_call(head->type);
		remove_open(c);
		append_open(c);
		if (c->leaving && c->pending && server->full)
			make_room(server);
	}
	pthread_mutex_unlock(&server->lock);
	return ret;
}

/* Calls of one that was asked to leave are to be answered, unless its other end is closed. */
static void end_reading(struct connection *c, uint32_t events, int err)
{
	struct epoll_event ev = { 0, { .ptr = c } };

	pthread_mutex_lock(&c->server->lock);
	if (c->fd >= 0 && err == -EPIPE && c->leaving && c->pending && !(events & EPOLLHUP)) {
		c->drained = true;
		epoll_ctl(c->server->epoll, EPOLL_CTL_MOD, c->fd, &ev);
	} else if (c->fd >= 0) {
		kreg_connection_close(c);
	}
	pthread_mutex_unlock(&c->server->lock);
}

/* What nobody takes is not answered. */
static void serve_inside(struct kreg_server *server, struct kreg_request *request)
{
	struct service *s = server->services, *next;
	bool done = request->len < sizeof(struct service_head);

	for (; s && !done; s = next) {
		next = s->next;
		done = s->serve(s, request);
	}
}

static void hand_over(struct connection *c, size_t len)
{
	struct kreg_server *server = c->server;
	const struct packet *head = &server->head;
	struct kreg_request request = {
		.server = server,
		.connection = c,
		.id = is_call(head->type) ? head->id : 0,
		.key_len = head->detail,
		.len = len - PACKET_KEY(head->detail),
		.key = server->buf,
		.data = (char *)server->buf + PACKET_KEY(head->detail),
	};

	if (head->type == PACKET_STOP)
		return kreg_server_end(server, 0);
	if (head->type == PACKET_SERVICE) {
		serve_inside(server, &request);
		kreg_request_finish(&request);
	} else if (request.len <= server->max_message) {
		server->fn(&request, server->state);
		kreg_request_finish(&request);
	} else {
		kreg_request_refuse(&request, EFBIG);
	}
}

int kreg_connection_ready(struct connection *c, uint32_t events)
{
	const struct packet *head = &c->server->head;
	int ret, n = 0;
	bool last = false;
	size_t len;

	while (!last && n < BURST && kreg_server_goes_on(c->server)) {
		ret = receive(c, &len);
		if (!ret && head->type > PACKET_STOP && head->type != PACKET_SERVICE)
			ret = -EPROTO;
		if (ret) {
			if (ret != -EAGAIN)
				end_reading(c, events, ret);
			break;
		}
		/* Who waits for a reply sends nothing. */
		last = is_call(head->type);
		hand_over(c, len);
		n++;
	}
	return n;
}
