/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A data master: it owns a table, and gives it to who asks; when that dies it has it again.
 *
 *	data-master NAMES TABLE
 *
 * Calls: "state" is answered with the table's name if it is here, else with nil; "exit N". It is
 * asked for the table by kreg_keeper_get(). Tables of other names that it is given are destroyed.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kreg.h>

static void serve(struct kreg_request *request, void *state)
{
	struct kreg_keeper *keeper = *(struct kreg_keeper **)state;
	const char *reply = "nil";
	char text[32] = "";
	const void *data;
	size_t len;
	int code;

	data = kreg_request_data(request, &len);
	memcpy(text, data, len < sizeof(text) ? len : sizeof(text) - 1);
	if (sscanf(text, "exit %d", &code) == 1)
		exit(code);
	if (!strcmp(text, "state")) {
		if (kreg_keeper_holds(keeper))
			reply = kreg_table_name(kreg_keeper_table(keeper));
		kreg_reply(request, reply, strlen(reply));
	} else {
		kreg_reply_error(request, EINVAL);
	}
}

static int keep(const char *name, const char *table)
{
	struct kreg_keeper_options options = KREG_KEEPER_OPTIONS_INIT;
	struct kreg_open_options how = KREG_OPEN_OPTIONS_INIT;
	struct kreg_keeper *keeper;
	struct kreg_client *client;
	struct kreg_server *server;
	struct kreg_table *names;

	if (kreg_client_open(NULL, &client) || kreg_table_open(client, name, NULL, &names) ||
	    kreg_server_new(client, serve, &keeper, NULL, &server))
		return -1;
	/* Whoever has it writes, and all may read. */
	how.access = KREG_ACCESS_PROTECTED;
	how.mode = 0644;
	options.table = &how;
	options.destroy_foreign = true;
	if (kreg_keeper_new(server, table, &options, &keeper) ||
	    kreg_server_register(server, names, "master", 6))
		return -1;
	kreg_ready();
	return kreg_server_run(server);
}

int main(int argc, char **argv)
{
	int ret;

	if (argc != 3) {
		fprintf(stderr, "usage: data-master NAMES TABLE\n");
		return 2;
	}
	ret = keep(argv[1], argv[2]);
	if (ret < 0) {
		fprintf(stderr, "data-master: %s\n", kreg_errmsg());
		return 1;
	}
	return ret;
}
