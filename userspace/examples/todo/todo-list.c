/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A list of things to do: one process for each list, which has it in its memory.
 *
 *	todo-list NAME
 *	kreg call todo.names NAME 'put eggs'; kreg call todo.names NAME get
 *	kreg call todo.names NAME 'exit 3'	# a list that fails
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kreg.h>

struct list {
	char text[KREG_MAX_MESSAGE];	/* a line for each thing */
	size_t len;
};

static void serve(struct kreg_request *request, void *state)
{
	struct list *list = state;
	size_t len;
	const char *data = kreg_request_data(request, &len);

	if (len == 3 && !memcmp(data, "get", 3)) {
		kreg_reply(request, list->text, list->len);
	} else if (len > 4 && !memcmp(data, "put ", 4)) {
		if (list->len + len - 3 > sizeof(list->text)) {
			kreg_reply_error(request, ENOSPC);
			return;
		}
		memcpy(list->text + list->len, data + 4, len - 4);
		list->len += len - 4;
		list->text[list->len++] = '\n';
		kreg_reply(request, NULL, 0);
	} else if (len == 6 && !memcmp(data, "exit ", 5)) {
		exit(data[5] - '0');
	} else {
		kreg_reply_error(request, EINVAL);
	}
}

int main(int argc, char **argv)
{
	static struct list list;
	struct kreg_client *client;
	struct kreg_table *servers;
	struct kreg_server *server;
	char key[256];

	if (argc != 2) {
		fprintf(stderr, "usage: todo-list NAME\n");
		return 2;
	}
	snprintf(key, sizeof(key), "list/%s", argv[1]);
	if (kreg_client_open(NULL, &client) ||
	    kreg_table_open(client, "todo.servers", NULL, &servers) ||
	    kreg_server_new(client, serve, &list, NULL, &server) ||
	    kreg_server_register(server, servers, key, strlen(key))) {
		fprintf(stderr, "todo-list: %s\n", kreg_errmsg());
		return 1;
	}
	kreg_ready();
	return kreg_server_run(server) ? 1 : 0;
}
