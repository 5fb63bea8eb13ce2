// SPDX-License-Identifier: GPL-2.0
/*
 * A call of a server by its name and back, by the library: of 64 bytes, between two processes.
 * What it cannot be below is the round trip of an eventfd.
 */
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <kreg.h>

#include "groups.h"

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
