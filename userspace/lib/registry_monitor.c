/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Monitors of the processes that have keys. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

int kreg_registry_monitor(struct kreg_table *table, const void *key, size_t key_len,
			  kreg_event_fn fn, void *arg, struct kreg_ref **ref)
{
	struct kreg_ioc_watch watch = {
		.kind = KREG_WATCH_HOLDER,
		.table = table->id,
		.key = kreg_ptr(key),
		.key_len = key_len > KREG_MAX_KEY ? KREG_MAX_KEY + 1 : key_len,
	};
	int ret = kreg_watch_set(table->client, &watch, fn, arg, ref);

	return kreg_fail_sizes(kreg_fail_table(ret, TRY_READ, table), key_len, 0, 0);
}

/* Processes, each as often as it has an entry, and then once. */
struct crowd {
	struct kreg_process *processes;
	size_t count;
	size_t room;
};

static int by_cookie(const void *a, const void *b)
{
	const struct kreg_process *x = a, *y = b;

	return (x->cookie > y->cookie) - (x->cookie < y->cookie);
}

static void leave_one_of_each(struct crowd *c)
{
	size_t i, kept = 0;

	if (c->count)
		qsort(c->processes, c->count, sizeof(*c->processes), by_cookie);
	for (i = 0; i < c->count; i++)
		if (!kept || c->processes[kept - 1].cookie != c->processes[i].cookie)
			c->processes[kept++] = c->processes[i];
	c->count = kept;
}

static int double_room(struct crowd *c)
{
	size_t room = c->room ? c->room * 2 : 64;
	struct kreg_process *more = realloc(c->processes, room * sizeof(*more));

	if (!more)
		return -ENOMEM;
	c->processes = more;
	c->room = room;
	return 0;
}

static int add_process(struct crowd *c, const struct kreg_process *process)
{
	int ret = 0;

	if (c->count == c->room) {
		leave_one_of_each(c);
		/* If that has not helped much, the next time would come soon. */
		if (c->count >= c->room / 2)
			ret = double_room(c);
	}
	if (!ret)
		c->processes[c->count++] = *process;
	return ret;
}

/* All but those that are not visible. */
static int find_processes(struct kreg_table *table, struct crowd *c)
{
	struct kreg_scan_options options = {
		.size = sizeof(options),
		.flags = KREG_SCAN_KEYS | KREG_SCAN_PROCESSES,
	};
	const struct kreg_object *object;
	struct kreg_process process;
	struct kreg_scan *scan;
	int ret;

	ret = kreg_scan_open(table, &options, &scan);
	if (ret)
		return ret;
	while ((ret = kreg_scan_next(scan, &object)) == 1) {
		process = kreg_object_process(object);
		if (process.cookie)
			ret = add_process(c, &process);
		if (ret < 0)
			break;
	}
	kreg_scan_close(scan);
	leave_one_of_each(c);
	return ret;
}

int kreg_registry_monitor_all(struct kreg_table *table, kreg_event_fn fn, void *arg,
			      struct kreg_ref **ref)
{
	struct crowd crowd = { NULL, 0, 0 };
	int ret = find_processes(table, &crowd);

	if (!ret)
		ret = kreg_watch_set_all(table->client, crowd.processes, crowd.count, fn, arg,
					 ref);
	free(crowd.processes);
	return kreg_fail_table(ret, TRY_READ, table);
}
