/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A server that counts: it answers requests like "add 3" with the sum, and "stop" ends it.
 *
 *	cc counter.c -o counter -lkreg
 *	kreg new -a registry names
 *	./counter names hits &
 *	kreg call names hits 'add 3'
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <kreg.h>

struct counter {
	struct kreg_server *server;
	long sum;
};

static void serve(struct kreg_request *request, void *state)
{
	struct counter *counter = state;
	char text[64] = "", reply[32];
	const void *data;
	size_t len;
	long n;

	data = kreg_request_data(request, &len);
	memcpy(text, data, len < sizeof(text) ? len : sizeof(text) - 1);
	if (sscanf(text, "add %ld", &n) == 1) {
		counter->sum += n;
		len = snprintf(reply, sizeof(reply), "%ld", counter->sum);
		kreg_reply(request, reply, len);
	} else if (!strcmp(text, "stop")) {
		kreg_reply(request, NULL, 0);
		kreg_server_end(counter->server, 0);
	} else {
		kreg_reply_error(request, EINVAL);
	}
}

static int run(struct counter *counter, const char *name, const char *key)
{
	struct kreg_client *client;
	struct kreg_table *names;
	int ret;

	if (kreg_client_open(NULL, &client) || kreg_table_open(client, name, NULL, &names) ||
	    kreg_server_new(client, serve, counter, NULL, &counter->server) ||
	    kreg_server_register(counter->server, names, key, strlen(key)))
		return -1;
	ret = kreg_server_run(counter->server);
	kreg_server_free(counter->server);
	kreg_table_close(names);
	kreg_client_close(client);
	return ret;
}

int main(int argc, char **argv)
{
	struct counter counter = { .sum = 0 };
	int ret;

	if (argc != 3) {
		fprintf(stderr, "usage: counter TABLE KEY\n");
		return 2;
	}
	ret = run(&counter, argv[1], argv[2]);
	if (ret < 0) {
		fprintf(stderr, "counter: %s\n", kreg_errmsg());
		return 1;
	}
	return ret;
}
