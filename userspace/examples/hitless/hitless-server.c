/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A TCP server that is replaced by its next version while clients are connected. Each line of a
 * client is answered with the number of lines of its session, and the version that answers.
 * Sessions are in a table that passes to the successor; so do the connections, in handover.c.
 *
 *	hitless-server VERSION
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hitless.h"

static const char *version;

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "hitless-server %s: %s\n", version, what);
	exit(1);
}

/* A session is a number under its name. Only this process writes: nobody comes in between. */
static int count_line(struct kreg_table *sessions, const char *session, unsigned long *count)
{
	size_t len = strlen(session);
	char text[32] = "";
	int ret;

	ret = kreg_get(sessions, session, len, text, sizeof(text) - 1, NULL);
	if (ret && ret != -ENODATA)
		return ret;
	*count = strtoul(text, NULL, 10) + 1;
	return kreg_put(sessions, session, len, text, sprintf(text, "%lu", *count));
}

/*
 * The first line is the name of the session. What counts is in the table before the answer is
 * sent, so an answer that was sent is never forgotten.
 */
static int answer_line(struct server *s, struct connection *c)
{
	char reply[128];
	unsigned long count;
	size_t len;

	if (!c->session[0])
		snprintf(c->session, sizeof(c->session), "%s", *c->line ? c->line : "nobody");
	if (count_line(s->sessions, c->session, &count))
		die(kreg_errmsg());
	len = snprintf(reply, sizeof(reply), "%s: line %lu, version %s\n", c->session, count,
		       version);
	return send(c->fd, reply, len, MSG_NOSIGNAL) == (ssize_t)len;
}

/* What has come of a line that is not whole passes to the successor. Return: 0: close it. */
static int serve_connection(struct server *s, struct connection *c)
{
	ssize_t got = recv(c->fd, c->line + c->len, sizeof(c->line) - c->len, 0);
	char *end;

	if (got <= 0)
		return 0;
	c->len += got;
	while ((end = memchr(c->line, '\n', c->len))) {
		*end++ = '\0';
		if (!answer_line(s, c))
			return 0;
		c->len -= end - c->line;
		memmove(c->line, end, c->len);
	}
	return c->len < sizeof(c->line);
}

static void accept_connection(struct server *s)
{
	int fd = accept(s->listening, NULL, NULL);

	if (fd >= 0 && s->count < MAX_CONNECTIONS)
		s->connection[s->count++] = (struct connection){ .fd = fd };
	else if (fd >= 0)
		close(fd);
}

/* Until a successor has taken over. */
static int serve(struct server *s)
{
	struct pollfd fds[MAX_CONNECTIONS + 2];
	unsigned int i, n;

	for (;;) {
		fds[0] = (struct pollfd){ s->listening, POLLIN, 0 };
		fds[1] = (struct pollfd){ s->handover, POLLIN, 0 };
		for (n = s->count, i = 0; i < n; i++)
			fds[i + 2] = (struct pollfd){ s->connection[i].fd, POLLIN, 0 };
		if (poll(fds, n + 2, -1) < 0 && errno != EINTR)
			return -errno;
		for (i = n; i-- > 0;) {
			if (!fds[i + 2].revents || serve_connection(s, &s->connection[i]))
				continue;
			close(s->connection[i].fd);
			s->connection[i] = s->connection[--s->count];
		}
		if (fds[0].revents)
			accept_connection(s);
		if (fds[1].revents && handover_give(s))
			return 0;
	}
}

static int listen_tcp(void)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons(8090),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 16))
		die("cannot listen on port 8090");
	return fd;
}

int main(int argc, char **argv)
{
	static struct server s = { .listening = -1 };
	struct kreg_client *client;

	version = argv[1];
	if (argc != 2)
		die("usage: hitless-server VERSION");
	if (kreg_client_open(NULL, &client))
		die(kreg_errmsg());
	if (handover_take(&s))
		die("cannot take over all connections; who serves goes on");
	/* The table is there at once if the predecessor has parked it, or has died. */
	if (kreg_table_own(client, "hitless.sessions", 10000, NULL, &s.sessions))
		die(kreg_errmsg());
	if (s.listening < 0)
		s.listening = listen_tcp();
	s.handover = handover_listen();
	if (s.handover < 0)
		die("cannot listen for a successor");
	printf("version %s: serves, %u connections taken over\n", version, s.count);
	fflush(stdout);
	kreg_ready();
	return serve(&s) ? 1 : 0;
}
