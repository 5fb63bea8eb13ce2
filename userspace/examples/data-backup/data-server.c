/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A server whose data is in a table that a data master keeps for it: it asks for the table before
 * it serves, and has no code for its own death.
 *
 *	data-server NAMES TABLE
 *
 * Calls: "insert ID DATA", "get ID", "state" for the table's name, "exit N".
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <kreg.h>

/* For a master that is started again, or is registered and does not serve yet. */
#define PATIENCE_MS	10000

static int reply_to(struct kreg_table *table, char *text, char *reply, size_t room)
{
	char *word = strtok(text, " "), *id = strtok(NULL, " "), *data = strtok(NULL, "");
	size_t len = 0;
	int ret;

	if (word && !strcmp(word, "exit") && id)
		exit(atoi(id));
	if (word && !strcmp(word, "state"))
		return snprintf(reply, room, "%s", kreg_table_name(table));
	if (word && !strcmp(word, "insert") && id && data) {
		ret = kreg_put(table, id, strlen(id), data, strlen(data));
		return ret ? ret : snprintf(reply, room, "ok");
	}
	if (!word || strcmp(word, "get") || !id)
		return -EINVAL;
	ret = kreg_get(table, id, strlen(id), reply, room, &len);
	return ret ? ret : (int)len;
}

static void serve(struct kreg_request *request, void *state)
{
	char text[1024] = "", reply[1024];
	const void *data;
	size_t len;
	int ret;

	data = kreg_request_data(request, &len);
	memcpy(text, data, len < sizeof(text) ? len : sizeof(text) - 1);
	ret = reply_to(*(struct kreg_table **)state, text, reply, sizeof(reply));
	if (ret < 0)
		kreg_reply_error(request, ret);
	else
		kreg_reply(request, reply, ret);
}

/*
 * A master that dies meanwhile is started again; what it was asked is asked again, after a pause,
 * since one that is dying may still have the key.
 */
static int get_table(struct kreg_client *client, struct kreg_table *names, const char *name,
		     struct kreg_table **table)
{
	uint64_t deadline = kreg_deadline(PATIENCE_MS);
	struct kreg_peer *master;
	int ret = kreg_peer_open(names, "master", 6, &master);

	if (ret)
		return ret;
	for (;;) {
		ret = kreg_wait(names, "master", 6, KREG_WATCH_PRESENT, 0, PATIENCE_MS);
		if (!ret)
			ret = kreg_keeper_get(master, client, name, PATIENCE_MS, table);
		if ((ret != -ESRCH && ret != -ECONNRESET) || kreg_deadline(0) >= deadline)
			break;
		usleep(10000);
	}
	kreg_peer_close(master);
	return ret;
}

static int run(const char *name, const char *table_name)
{
	struct kreg_table *names, *table;
	struct kreg_client *client;
	struct kreg_server *server;

	/* The events of gifts are of no use here, and nobody reads them. */
	if (kreg_client_open(NULL, &client) || kreg_table_open(client, name, NULL, &names) ||
	    get_table(client, names, table_name, &table) ||
	    kreg_server_new(client, serve, &table, NULL, &server) ||
	    kreg_server_register(server, names, "server", 6))
		return -1;
	kreg_ready();
	return kreg_server_run(server);
}

int main(int argc, char **argv)
{
	int ret;

	if (argc != 3) {
		fprintf(stderr, "usage: data-server NAMES TABLE\n");
		return 2;
	}
	ret = run(argv[1], argv[2]);
	if (ret < 0) {
		fprintf(stderr, "data-server: %s\n", kreg_errmsg());
		return 1;
	}
	return ret;
}
