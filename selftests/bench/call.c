// SPDX-License-Identifier: GPL-2.0
/*
 * A call of a server by its name and back, by the library: of 64 bytes, between two processes.
 * What it cannot be below is the round trip of an eventfd, and over a socket, to a server that
 * waits for more than one, that of a packet.
 */
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <kreg.h>

#include "groups.h"

/* Until the other end is closed. */
static void answer_packets(int fd)
{
	struct epoll_event ev = { EPOLLIN, { 0 } };
	int epoll = epoll_create1(0);
	char data[VALUE_LEN];
	ssize_t n;

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev))
		bench_die("epoll_ctl");
	while (epoll_wait(epoll, &ev, 1, -1) == 1) {
		n = recv(fd, data, sizeof(data), 0);
		if (n <= 0)
			break;
		send(fd, data, n, MSG_NOSIGNAL);
	}
	_exit(0);
}

static void ask_by_packet(void *arg, long count)
{
	char data[VALUE_LEN] = "";
	int fd = *(int *)arg;

	while (count--)
		if (send(fd, data, sizeof(data), 0) != sizeof(data) ||
		    recv(fd, data, sizeof(data), 0) != sizeof(data))
			bench_die("a packet got lost");
}

static void packets(void)
{
	struct bench bench = { .system = "floor", .op = "packet-round-trip", .count = 1000 };
	int fds[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds))
		bench_die("socketpair");
	pid = fork();
	if (!pid) {
		close(fds[0]);
		answer_packets(fds[1]);
	}
	close(fds[1]);
	bench.arg = &fds[0];
	bench.run = ask_by_packet;
	bench_run(&bench);
	close(fds[0]);
	waitpid(pid, NULL, 0);
}

static void serve_echo(struct kreg_request *request, void *state)
{
	size_t len;
	const void *data = kreg_request_data(request, &len);

	kreg_reply(request, data, len);
}

static struct kreg_table *open_names(unsigned int flags)
{
	struct kreg_open_options options = KREG_OPEN_OPTIONS_INIT;
	struct kreg_table *table = NULL;
	struct kreg_client *client;

	options.flags = flags;
	options.access = flags ? KREG_ACCESS_REGISTRY : 0;
	if (kreg_client_open(NULL, &client) ||
	    kreg_table_open(client, "bench-names", &options, &table))
		bench_die(kreg_errmsg());
	return table;
}

static void server_main(int ready)
{
	struct kreg_table *table = open_names(0);
	struct kreg_server *server = NULL;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (kreg_server_new(kreg_table_client(table), serve_echo, NULL, NULL, &server) ||
	    kreg_server_register(server, table, "echo", 4))
		bench_die(kreg_errmsg());
	if (write(ready, "", 1) != 1)
		bench_die("write to a pipe");
	_exit(kreg_server_run(server));
}

static void call_echo(void *arg, long count)
{
	char data[VALUE_LEN] = "", reply[VALUE_LEN];

	while (count--)
		if (kreg_call(arg, data, sizeof(data), reply, sizeof(reply), NULL, -1))
			bench_die(kreg_errmsg());
}

static void cast_echo(void *arg, long count)
{
	char data[VALUE_LEN] = "";

	while (count--)
		if (kreg_cast(arg, data, sizeof(data)))
			bench_die(kreg_errmsg());
	call_echo(arg, 1);
}

void group_call(void)
{
	struct kreg_table *table = open_names(KREG_OPEN_CREATE);
	struct bench bench = { .system = "kreg", .count = 1000 };
	struct kreg_peer *peer = NULL;
	int ready[2];
	char byte;
	pid_t pid;

	if (pipe(ready))
		bench_die("pipe");
	bench_pin(0);
	packets();
	pid = fork();
	if (!pid)
		server_main(ready[1]);
	if (read(ready[0], &byte, 1) != 1 || kreg_peer_open(table, "echo", 4, &peer))
		bench_die("no server");
	bench.arg = peer;
	bench.op = "call";
	bench.run = call_echo;
	bench_run(&bench);
	bench.op = "cast";
	bench.count = 100;
	bench.run = cast_echo;
	bench_run(&bench);
	if (kreg_stop(peer, 10000))
		bench_die(kreg_errmsg());
	waitpid(pid, NULL, 0);
	kreg_peer_close(peer);
	kreg_table_destroy(table);
	kreg_client_close(kreg_table_client(table));
	kreg_table_close(table);
}
