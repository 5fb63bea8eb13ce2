/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A worker of a web server. What all workers have counted is in a table that outlives them; what
 * is true of this worker alone is bound to it, and nobody finds it when it is dead.
 *
 *	counters-worker PORT
 */
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <kreg.h>

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "counters-worker: %s\n", what);
	exit(1);
}

/*
 * Add one to a counter that others add to as well: write the sum only if nobody has written
 * since it was read, else begin again. So no request is lost, and none counted twice.
 */
static int count(struct kreg_table *totals, const char *name)
{
	int ret;

	do {
		char text[32] = "0";
		struct kreg_op_args get = {
			.size = sizeof(get), .code = KREG_OP_GET, .key = name,
			.key_len = strlen(name), .value = text, .value_len = sizeof(text) - 1,
		};
		struct kreg_op_args put = {
			.size = sizeof(put), .code = KREG_OP_PUT, .key = name,
			.key_len = strlen(name), .value = text,
		};

		ret = kreg_op_run(totals, &get);
		if (ret && ret != -ENODATA)
			return ret;
		put.flags = ret ? KREG_OP_NEW : KREG_OP_VERSION;
		put.version = ret ? 0 : get.out_version;
		text[ret ? 1 : get.out_len] = '\0';
		put.value_len = snprintf(text, sizeof(text), "%lu", strtoul(text, NULL, 10) + 1);
		ret = kreg_op_run(totals, &put);
	} while (ret == -ECANCELED || ret == -EEXIST);
	return ret;
}

/* The gauge is bound to this process since main() has registered it, and stays so. */
static int set_gauge(struct kreg_table *gauges, const char *name, const char *value)
{
	return kreg_put(gauges, name, strlen(name), value, strlen(value));
}

/* Some requests show how a worker can die. */
static void answer(int connection)
{
	static const char reply[] = "HTTP/1.0 200 OK\r\n\r\nhello\n";
	char request[512] = "";

	if (read(connection, request, sizeof(request) - 1) <= 0)
		return;
	if (!strncmp(request, "GET /abort", 10))
		abort();
	if (!strncmp(request, "GET /segv", 9))
		raise(SIGSEGV);
	if (!strncmp(request, "GET /exit", 9))
		exit(3);
	/* Whoever does not wait for the reply has been served all the same. */
	send(connection, reply, sizeof(reply) - 1, MSG_NOSIGNAL);
}

/* Until a call of kreg fails. */
static void serve(int listening, struct kreg_table *totals, struct kreg_table *gauges,
		  const char *gauge)
{
	for (;;) {
		int connection = accept(listening, NULL, NULL);

		if (connection < 0)
			die(strerror(errno));
		/* Counted before it is answered: who has the reply finds it counted. */
		if (set_gauge(gauges, gauge, "1") || count(totals, "requests"))
			break;
		answer(connection);
		if (set_gauge(gauges, gauge, "0"))
			break;
		close(connection);
	}
}

static int listen_on(int port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	/* The port of one that has just died is free for the next. */
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 16))
		die("cannot listen on this port");
	return fd;
}

int main(int argc, char **argv)
{
	struct kreg_client *client;
	struct kreg_table *totals, *gauges;
	char gauge[64];
	int listening;

	if (argc != 2)
		die("usage: counters-worker PORT");
	snprintf(gauge, sizeof(gauge), "%d/connections", getpid());
	listening = listen_on(atoi(argv[1]));
	if (kreg_client_open(NULL, &client) ||
	    kreg_table_open(client, "counters.totals", NULL, &totals) ||
	    kreg_table_open(client, "counters.gauges", NULL, &gauges) ||
	    count(totals, "starts") || kreg_register(gauges, gauge, strlen(gauge), "0", 1))
		die(kreg_errmsg());
	/* Only now does the supervisor say that this worker is there. */
	kreg_ready();
	serve(listening, totals, gauges, gauge);
	die(kreg_errmsg());
}
