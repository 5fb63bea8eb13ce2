/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A bucket: a process with keys and values of its own, which nobody else sees and which end with
 * it. For these it has a table without a name.
 *
 *	kv-bucket TABLE NAME
 *	kreg call TABLE NAME 'put milk 1'; kreg call TABLE NAME 'get milk'
 *	kreg call TABLE NAME 'exit 3'	# a bucket that fails
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kreg.h>

static void get(struct kreg_request *request, struct kreg_table *objects, const char *key)
{
	void *value = NULL;
	size_t len = 0;
	int ret = kreg_get_alloc(objects, key, strlen(key), &value, &len);

	if (ret)
		kreg_reply_error(request, ret);
	else
		kreg_reply(request, value, len);
	free(value);
}

static void serve(struct kreg_request *request, void *state)
{
	char text[256] = "", key[128], value[128];
	size_t len;
	const void *data = kreg_request_data(request, &len);
	int ret = -EINVAL, code;

	memcpy(text, data, len < sizeof(text) ? len : sizeof(text) - 1);
	if (sscanf(text, "get %127s", key) == 1) {
		get(request, state, key);
		return;
	}
	if (sscanf(text, "exit %d", &code) == 1)
		exit(code);
	if (sscanf(text, "put %127s %127s", key, value) == 2)
		ret = kreg_put(state, key, strlen(key), value, strlen(value));
	if (ret)
		kreg_reply_error(request, ret);
	else
		kreg_reply(request, NULL, 0);
}

int main(int argc, char **argv)
{
	const struct kreg_open_options create = {
		.size = sizeof(create), .flags = KREG_OPEN_CREATE, .access = KREG_ACCESS_PRIVATE,
	};
	struct kreg_client *client;
	struct kreg_table *names, *objects;
	struct kreg_server *server;

	if (argc != 3) {
		fprintf(stderr, "usage: kv-bucket TABLE NAME\n");
		return 2;
	}
	if (kreg_client_open(NULL, &client) ||
	    kreg_table_open(client, argv[1], NULL, &names) ||
	    kreg_table_open(client, NULL, &create, &objects) ||
	    kreg_server_new(client, serve, objects, NULL, &server) ||
	    kreg_server_register(server, names, argv[2], strlen(argv[2]))) {
		fprintf(stderr, "kv-bucket: %s\n", kreg_errmsg());
		return 1;
	}
	kreg_ready();
	return kreg_server_run(server) ? 1 : 0;
}
