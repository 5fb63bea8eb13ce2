/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The supervisor of the lists: starts one whenever it is asked for its name. Lists do not depend
 * on the manager that asks, and are not started again: a list that has died is empty.
 *
 *	todo-lists
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <kreg.h>

static struct kreg_server *server;
static struct kreg_supervisor *lists;

/* Answers when the list is there. */
static void serve(struct kreg_request *request, void *state)
{
	char program[] = "todo-list", name[65] = "";
	char *const argv[] = { program, name, NULL };
	struct kreg_child child = {
		.size = sizeof(child), .id = name, .argv = argv, .restart = KREG_TEMPORARY,
		.notify = true,
	};
	size_t len;
	const void *data = kreg_request_data(request, &len);
	int ret, tries = 50;

	(void)state;
	memcpy(name, data, len < sizeof(name) ? len : sizeof(name) - 1);
	/* The list before may have to be found dead first. */
	while ((ret = kreg_supervisor_start_child(lists, &child, NULL)) == -EEXIST && tries--)
		kreg_supervisor_dispatch(lists, 100);
	if (ret)
		kreg_reply_error(request, ret);
	else
		kreg_reply(request, NULL, 0);
}

static void on_signal(int sig)
{
	(void)sig;
	kreg_server_end(server, 0);
}

/* Deaths of lists and requests for new ones, until it is told to end. */
static int run(void)
{
	struct pollfd fds[] = {
		{ kreg_server_fd(server), POLLIN, 0 }, { kreg_supervisor_fd(lists), POLLIN, 0 },
	};
	int ret = 0;

	while (ret >= 0 || ret == -EINTR) {
		poll(fds, 2, -1);
		ret = kreg_supervisor_dispatch(lists, 0);
		if (ret >= 0 || ret == -EINTR)
			ret = kreg_server_dispatch(server, 0);
	}
	return ret == -ESHUTDOWN ? 0 : ret;
}

int main(void)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct kreg_client *client;
	struct kreg_table *servers;
	int ret = -1;

	/* The lists of one that was killed go on, and are found by this one. */
	if (!kreg_client_open(NULL, &client) &&
	    !kreg_table_open(client, "todo.servers", NULL, &servers) &&
	    !kreg_supervisor_new(client, "todo-lists", KREG_ONE_FOR_ONE, 3, 5000, &lists) &&
	    !kreg_supervisor_start(lists) &&
	    !kreg_server_new(client, serve, NULL, NULL, &server) &&
	    !kreg_server_register(server, servers, "lists", 5)) {
		sigaction(SIGTERM, &action, NULL);
		sigaction(SIGINT, &action, NULL);
		kreg_ready();
		ret = run();
	}
	if (ret)
		fprintf(stderr, "todo-lists: %s\n", kreg_errmsg());
	/* Who ends in order takes the lists along. */
	kreg_supervisor_free(lists);
	return ret ? 1 : 0;
}
