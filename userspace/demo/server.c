/* SPDX-License-Identifier: GPL-2.0-only */
/* The server: owns the table, fills it if it is new, and works until it is killed. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "demo.h"

#define HEARTBEAT	"heartbeat"

/* Put as many objects as fit into a batch. */
static int put_batch(const struct demo *d, struct kreg_batch *b, uint64_t *n)
{
	static unsigned char value[VALUE_ROOM];
	char key[KEY_SIZE];
	int ret = 0;

	kreg_batch_reset(b);
	while (*n < d->opt.objects) {
		object_key(*n, key);
		object_value(*n, value, d->opt.value_size);
		ret = kreg_batch_put(b, key, sizeof(key), value, d->opt.value_size);
		if (ret < 0)
			break;
		++*n;
	}
	if (ret < 0 && ret != -ENOBUFS)
		return ret;
	ret = kreg_batch_run(b);
	return ret < 0 ? ret : 0;
}

static int fill(const struct demo *d, struct kreg_table *table)
{
	struct report r = { .word = WORD_FILLING, .pid = getpid() };
	struct kreg_batch *b;
	uint64_t n = 0;
	int ret;

	ret = kreg_batch_new(table, KREG_BATCH_ATOMIC, &b);
	while (!ret && n < d->opt.objects) {
		ret = put_batch(d, b, &n);
		r.number = n;
		if (!ret)
			report(d, &r);
	}
	kreg_batch_free(b);
	return ret;
}

/* Round 1: the keeper gives it. */
static int take_gift(struct kreg_client *client, int ready, struct kreg_table **table)
{
	const struct kreg_event *m;
	char go = 'c';
	int ret;

	/* This process has a client, so it can receive the table. */
	if (write(ready, &go, 1) != 1)
		return -EIO;
	close(ready);
	do {
		ret = kreg_event_next(client, 60000, &m);
	} while (!ret && kreg_event_kind(m) != KREG_EVENT_TRANSFER);
	return ret ? ret : kreg_table_by_id(client, kreg_event_table(m), table);
}

static int take_over(const struct demo *d, struct kreg_client *client, enum takeover how,
		     int ready, struct kreg_table **table)
{
	struct report r = { .word = WORD_STANDBY, .pid = getpid() };
	struct kreg_open_options o = {
		.size = sizeof(o),
		.access = KREG_ACCESS_PROTECTED,
		.mode = 0644,
		.orphan = KREG_ORPHAN_PARK,
		/* If the demo is killed, its table is destroyed after this time. */
		.orphan_ms = 60000,
	};

	if (how == TAKE_GIFT)
		return take_gift(client, ready, table);
	if (how == TAKE_WAIT)
		report(d, &r);
	return kreg_table_own(client, d->opt.table, how == TAKE_WAIT ? 60000 : 0, &o, table);
}

/* Only the owner can write: these writes fail if the table is not its own. */
static int work(struct kreg_table *table)
{
	struct timespec nap = { 0, 1000000 };
	uint64_t beat;
	int ret;

	do {
		beat = now_ns();
		ret = kreg_put(table, HEARTBEAT, strlen(HEARTBEAT), &beat, sizeof(beat));
		nanosleep(&nap, NULL);
	} while (!ret);
	return ret;
}

static int serve(const struct demo *d, enum takeover how, int ready)
{
	struct report r = { .word = WORD_OWNS, .pid = getpid() };
	struct kreg_client *client;
	struct kreg_table *table;
	int ret;

	ret = kreg_client_open(NULL, &client);
	if (ret)
		return ret;
	ret = take_over(d, client, how, ready, &table);
	r.time_ns = now_ns();
	if (ret)
		return ret;
	if (kreg_table_opened(table) & KREG_OPENED_CREATED)
		ret = fill(d, table);
	if (!ret)
		ret = kreg_put(table, HEARTBEAT, strlen(HEARTBEAT), "", 0);
	if (!ret)
		ret = kreg_count(table, &r.number);
	if (ret)
		return ret;
	r.number--;	/* the heartbeat is not one of the objects */
	report(d, &r);
	return work(table);
}

pid_t server_start(const struct demo *d, enum takeover how, int ready)
{
	pid_t parent = getpid();
	pid_t pid = fork();
	int ret;

	if (pid)
		return pid;
	die_with_parent(parent);
	ret = serve(d, how, ready);
	report_failure(d, "server", ret);
	_exit(1);
}
