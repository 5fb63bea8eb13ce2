/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tell what happens to the lists, a line each: "create NAME PID" and "exit NAME PID STATUS", the
 * status as of waitpid(2). What is said of a list is in the table already, or not any more.
 *
 *	todo-events NAMES
 */
#include <stdio.h>

#include <kreg.h>

static void on_event(const struct kreg_event *event, void *arg)
{
	int *gone = arg, status = -1, pid = kreg_event_process(event).pid;
	size_t len;
	const char *name = kreg_event_key(event, &len);

	switch (kreg_event_kind(event)) {
	case KREG_EVENT_CREATE:
		printf("create %.*s %d\n", (int)len, name, pid);
		break;
	case KREG_EVENT_EXIT:
		kreg_event_status(event, &status);
		printf("exit %.*s %d %d\n", (int)len, name, pid, status);
		break;
	case KREG_EVENT_OVERFLOW:
		printf("some were lost\n");
		break;
	case KREG_EVENT_GONE:
		*gone = 1;
	}
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct kreg_client *client;
	struct kreg_table *names;
	struct kreg_ref *ref;
	int gone = 0;

	if (argc != 2) {
		fprintf(stderr, "usage: todo-events NAMES\n");
		return 2;
	}
	if (kreg_client_open(NULL, &client) ||
	    kreg_table_open(client, argv[1], NULL, &names) ||
	    kreg_subscribe(names, KREG_SUBSCRIBE_KIND(KREG_EVENT_CREATE) |
				  KREG_SUBSCRIBE_KIND(KREG_EVENT_EXIT), 0, 0, on_event, &gone,
			   &ref)) {
		fprintf(stderr, "todo-events: %s\n", kreg_errmsg());
		return 1;
	}
	kreg_ready();
	while (!gone)
		if (kreg_client_dispatch(client, -1) < 0)
			return 1;
	return 0;
}
