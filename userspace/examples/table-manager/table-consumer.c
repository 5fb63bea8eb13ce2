/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A consumer of a table manager: it registers, and has its table when it is told so.
 *
 *	table-consumer NAMES CONSUMER
 *
 * Calls: "insert KEY VALUE", "lookup KEY", "table" for the id of what it was given, "exit N".
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kreg.h>

struct consumer {
	const char *name;		/* of the table, too */
	struct kreg_client *client;
	struct kreg_table *names;
	struct kreg_table *table;	/* NULL: not yet given */
};

/*
 * The manager has given the table; this process owns it before it reads the event. Anybody may
 * give it others, which are not meant.
 */
static void on_event(const struct kreg_event *event, void *arg)
{
	struct consumer *c = arg;
	char name[KREG_MAX_NAME + 1];
	size_t len;

	if (kreg_event_kind(event) != KREG_EVENT_TRANSFER || c->table ||
	    kreg_event_name(event, name, sizeof(name), &len) || len != strlen(c->name) ||
	    memcmp(name, c->name, len))
		return;
	if (kreg_table_by_id(c->client, kreg_event_table(event), &c->table)) {
		fprintf(stderr, "table-consumer: %s\n", kreg_errmsg());
		exit(1);
	}
	kreg_ready();
}

static int reply_to(struct consumer *c, char *text, char *reply, size_t room)
{
	char *word = strtok(text, " "), *key = strtok(NULL, " "), *value = strtok(NULL, "");
	size_t len = 0;
	int ret;

	if (word && !strcmp(word, "exit") && key)
		exit(atoi(key));
	if (!c->table)
		return -EAGAIN;
	if (word && !strcmp(word, "table"))
		return snprintf(reply, room, "%llu",
				(unsigned long long)kreg_table_id(c->table));
	if (word && !strcmp(word, "insert") && key && value)
		return kreg_put(c->table, key, strlen(key), value, strlen(value));
	if (!word || strcmp(word, "lookup") || !key)
		return -EINVAL;
	ret = kreg_get(c->table, key, strlen(key), reply, room, &len);
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
	ret = reply_to(state, text, reply, sizeof(reply));
	if (ret < 0)
		kreg_reply_error(request, ret);
	else
		kreg_reply(request, reply, ret);
}

static int run(const char *name, const char *key)
{
	struct consumer c = { .name = key };
	struct kreg_server *server;

	if (kreg_client_open(NULL, &c.client) ||
	    kreg_table_open(c.client, name, NULL, &c.names) ||
	    kreg_server_new(c.client, serve, &c, NULL, &server))
		return -1;
	kreg_client_set_handler(c.client, on_event, &c);
	if (kreg_server_register(server, c.names, key, strlen(key)))
		return -1;
	return kreg_server_run(server);
}

int main(int argc, char **argv)
{
	int ret;

	if (argc != 3) {
		fprintf(stderr, "usage: table-consumer NAMES CONSUMER\n");
		return 2;
	}
	ret = run(argv[1], argv[2]);
	if (ret < 0) {
		fprintf(stderr, "table-consumer: %s\n", kreg_errmsg());
		return 1;
	}
	return ret;
}
