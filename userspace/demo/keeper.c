/* SPDX-License-Identifier: GPL-2.0-only */
/* The keeper: heir of the server, and parent of the next one. */
#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "demo.h"

struct keeper {
	const struct demo *demo;
	struct kreg_client *client;
	struct kreg_table *table;
	pid_t server;
};

/* Give the table to a new server as soon as that can receive. */
static int start_server(struct keeper *k)
{
	struct kreg_process server;
	int ready[2], ret;
	char go;

	if (pipe(ready))
		return -errno;
	k->server = server_start(k->demo, TAKE_GIFT, ready[1]);
	close(ready[1]);
	ret = k->server < 0 || read(ready[0], &go, 1) != 1 ? -ECHILD : 0;
	close(ready[0]);
	if (!ret)
		ret = kreg_process_find(k->client, k->server, &server);
	if (!ret)
		ret = kreg_table_give(k->table, &server, NULL, 0);
	return ret;
}

static int wait_inheritance(struct keeper *k)
{
	struct report r = { .word = WORD_INHERITED };
	const struct kreg_event *m;
	int ret, status = 0;

	do {
		ret = kreg_event_next(k->client, -1, &m);
		if (ret)
			return ret;
	} while (kreg_event_kind(m) != KREG_EVENT_TRANSFER);
	kreg_event_status(m, &status);
	r.pid = kreg_event_process(m).pid;
	r.number = status;
	r.time_ns = kreg_event_time_ns(m);
	report(k->demo, &r);
	/* Does not wait: the server was dead before its heir could read the event. */
	waitpid(k->server, NULL, 0);
	return 0;
}

/* Claim the table, which the first server has left parked, and be its heir. */
static int keep(struct keeper *k)
{
	struct kreg_process self;
	int ret;

	ret = kreg_client_open(NULL, &k->client);
	if (!ret)
		ret = kreg_table_own(k->client, k->demo->opt.table, 60000, NULL, &k->table);
	if (!ret)
		ret = kreg_client_self(k->client, &self);
	if (!ret)
		ret = kreg_table_set_heir(k->table, &self, NULL, 0, false);
	while (!ret) {
		ret = start_server(k);
		if (!ret)
			ret = wait_inheritance(k);
	}
	return ret;
}

pid_t keeper_start(const struct demo *d)
{
	struct keeper k = { .demo = d };
	pid_t parent = getpid();
	pid_t pid = fork();

	if (pid)
		return pid;
	die_with_parent(parent);
	report_failure(d, "keeper", keep(&k));
	_exit(1);
}
