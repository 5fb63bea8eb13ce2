/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A parent that is the heir of its child: the child fills a table and crashes, and the
 * parent has the table with all that was written.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <kreg.h>

/* In the child: the inherited handles work, as those of another process. */
static void crash(struct kreg_client *client, struct kreg_table *table, int ready)
{
	const struct kreg_event *gift;
	struct kreg_process self;

	if (kreg_client_self(client, &self) || write(ready, "!", 1) != 1)
		_exit(1);
	if (kreg_event_next(client, 5000, &gift) ||
	    kreg_put(table, "last words", 10, "farewell", 8))
		_exit(1);
	abort();
}

/* Become the heir, and give the table to the child as soon as it can receive one. */
static int hand_over(struct kreg_client *client, struct kreg_table *table, pid_t pid, int ready)
{
	struct kreg_process self, child;
	char byte;
	int err;

	if (read(ready, &byte, 1) != 1)
		return -ECHILD;
	err = kreg_client_self(client, &self);
	if (!err)
		err = kreg_table_set_heir(table, &self, NULL, 0, false);
	if (!err)
		err = kreg_process_find(client, pid, &child);
	if (!err)
		err = kreg_table_give(table, &child, NULL, 0);
	return err;
}

static int take_back(struct kreg_client *client, struct kreg_table *table)
{
	const struct kreg_event *event;
	char words[16] = "";
	int err, status = 0;

	err = kreg_event_next(client, 5000, &event);
	if (err)
		return err;
	kreg_event_status(event, &status);
	err = kreg_get(table, "last words", 10, words, sizeof(words) - 1, NULL);
	printf("process %d died of signal %d and left: %s\n", kreg_event_process(event).pid,
	       WIFSIGNALED(status) ? WTERMSIG(status) : 0, words);
	return err;
}

static int run(struct kreg_client *client)
{
	struct kreg_table *table;
	int ready[2], err;
	pid_t pid;

	err = kreg_table_create(client, "heirloom", &table);
	if (err)
		return err;
	if (pipe(ready)) {
		kreg_table_close(table);
		return -errno;
	}
	pid = fork();
	if (pid == 0)
		crash(client, table, ready[1]);
	close(ready[1]);
	err = pid < 0 ? -errno : hand_over(client, table, pid, ready[0]);
	if (!err)
		err = take_back(client, table);
	close(ready[0]);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	kreg_table_close(table);
	return err;
}

int main(void)
{
	struct kreg_client *client;
	int err;

	err = kreg_client_open(NULL, &client);
	if (!err) {
		err = run(client);
		kreg_client_close(client);
	}
	if (err)
		fprintf(stderr, "heir: %s\n", kreg_errmsg());
	return err ? 1 : 0;
}
