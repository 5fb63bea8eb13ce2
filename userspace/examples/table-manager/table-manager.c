/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A table manager, after Immortal.ETSTableManager: it keeps a table for a consumer that may crash
 * at any time, and does nothing that could crash itself.
 *
 *	table-manager NAMES CONSUMER
 *
 * The table has the consumer's name. Calls: "table" is answered with its id, "holds" with yes or
 * no, "exit N" ends the process.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kreg.h>

static void say_failure(enum kreg_keeper_failure what, int err, void *arg)
{
	(void)what;
	fprintf(stderr, "table-manager: %s: %s\n", (char *)arg, err ? kreg_errmsg() : "");
}

static void serve(struct kreg_request *request, void *state)
{
	struct kreg_keeper *keeper = *(struct kreg_keeper **)state;
	char text[32] = "", reply[32] = "";
	const void *data;
	size_t len;
	int code;

	data = kreg_request_data(request, &len);
	memcpy(text, data, len < sizeof(text) ? len : sizeof(text) - 1);
	if (!strcmp(text, "table"))
		snprintf(reply, sizeof(reply), "%llu",
			 (unsigned long long)kreg_table_id(kreg_keeper_table(keeper)));
	else if (!strcmp(text, "holds"))
		snprintf(reply, sizeof(reply), "%s", kreg_keeper_holds(keeper) ? "yes" : "no");
	else if (sscanf(text, "exit %d", &code) == 1)
		exit(code);
	if (*reply)
		kreg_reply(request, reply, strlen(reply));
	else
		kreg_reply_error(request, EINVAL);
}

static int manage(const char *name, const char *consumer)
{
	struct kreg_keeper_options options = KREG_KEEPER_OPTIONS_INIT;
	struct kreg_keeper *keeper;
	struct kreg_client *client;
	struct kreg_server *server;
	struct kreg_table *names;

	if (kreg_client_open(NULL, &client) || kreg_table_open(client, name, NULL, &names) ||
	    kreg_server_new(client, serve, &keeper, NULL, &server))
		return -1;
	options.consumers = names;
	options.key = consumer;
	options.key_len = strlen(consumer);
	options.failed = say_failure;
	options.arg = (void *)consumer;
	/* Here, whoever is registered has got the table already. */
	if (kreg_keeper_new(server, consumer, &options, &keeper) ||
	    kreg_server_register(server, names, "manager", 7))
		return -1;
	kreg_ready();
	return kreg_server_run(server);
}

int main(int argc, char **argv)
{
	int ret;

	if (argc != 3) {
		fprintf(stderr, "usage: table-manager NAMES CONSUMER\n");
		return 2;
	}
	ret = manage(argv[1], argv[2]);
	if (ret < 0) {
		fprintf(stderr, "table-manager: %s\n", kreg_errmsg());
		return 1;
	}
	return ret;
}
