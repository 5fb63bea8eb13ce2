/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The manager: has a list for each name, and is the one who writes to the table of names. Who
 * looks for a list looks there, and does not ask the manager.
 *
 *	todo-manager NAMES
 *	kreg call todo.servers manager 'create shopping'	# prints the pid
 *	kreg whereis NAMES shopping
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <kreg.h>

struct manager {
	struct kreg_table *names, *servers, *locks;
	struct kreg_peer *lists;
};

/* Nobody has the key: have the supervisor of the lists start one. */
static int start_list(const void *key, size_t len, void *arg)
{
	struct manager *m = arg;

	return kreg_call(m->lists, (const char *)key + strlen("list/"), len - strlen("list/"),
			 NULL, 0, NULL, 10000);
}

/*
 * A list registers itself as a server. The manager then binds the name to its process, with the
 * same value, which is where it can be called: so who calls by the name calls the list. If the
 * list dies in between it is started anew.
 */
static int create(struct manager *m, const char *name, struct kreg_holder *holder)
{
	char key[128], address[256];
	size_t len;
	int ret;

	snprintf(key, sizeof(key), "list/%s", name);
	do {
		ret = kreg_registry_ensure(m->servers, m->locks, key, strlen(key), start_list, m,
					   10000, holder);
		if (ret < 0)
			return ret;
		ret = kreg_get(m->servers, key, strlen(key), address, sizeof(address), &len);
		if (!ret)
			ret = kreg_register_or_get(m->names, &holder->process, name, strlen(name),
						   address, len, holder);
	} while (ret == -ENODATA || ret == -ESRCH);
	return ret;
}

/* When a call of it returns, everybody finds the list. A cast may come before that. */
static void serve(struct kreg_request *request, void *state)
{
	struct manager *m = state;
	struct kreg_holder holder = KREG_HOLDER_INIT;
	char text[80] = "", name[65], pid[16];
	size_t len;
	const void *data = kreg_request_data(request, &len);
	int ret = -EINVAL;

	memcpy(text, data, len < sizeof(text) ? len : sizeof(text) - 1);
	if (sscanf(text, "create %64s", name) == 1)
		ret = create(m, name, &holder);
	if (ret < 0)
		kreg_reply_error(request, ret);
	else
		kreg_reply(request, pid, sprintf(pid, "%d", holder.process.pid));
}

int main(int argc, char **argv)
{
	struct manager m;
	struct kreg_client *client;
	struct kreg_server *server;

	if (argc != 2) {
		fprintf(stderr, "usage: todo-manager NAMES\n");
		return 2;
	}
	if (kreg_client_open(NULL, &client) ||
	    kreg_table_open(client, argv[1], NULL, &m.names) ||
	    kreg_table_open(client, "todo.servers", NULL, &m.servers) ||
	    kreg_table_open(client, "todo.locks", NULL, &m.locks) ||
	    kreg_peer_open(m.servers, "lists", 5, &m.lists) ||
	    kreg_server_new(client, serve, &m, NULL, &server) ||
	    kreg_server_register(server, m.servers, "manager", 7)) {
		fprintf(stderr, "todo-manager: %s\n", kreg_errmsg());
		return 1;
	}
	/* Of the lists that are there nothing has to be learnt: the kernel watches them. */
	kreg_ready();
	return kreg_server_run(server) ? 1 : 0;
}
