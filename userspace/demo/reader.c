/* SPDX-License-Identifier: GPL-2.0-only */
/* Readers: look objects up in the table without pause, and check every value. */
#include <stdlib.h>
#include <unistd.h>

#include "demo.h"

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static bool look_up(const struct demo *d, struct kreg_table *table, uint64_t n)
{
	static unsigned char value[VALUE_ROOM];
	char key[KEY_SIZE];
	size_t len;

	object_key(n, key);
	if (kreg_get(table, key, sizeof(key), value, sizeof(value), &len))
		return false;
	return object_check(n, value, len, d->opt.value_size);
}

/* Only this process writes its counters, so they need no locked instruction. */
static void count(atomic_ullong *counter)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + 1,
			      memory_order_relaxed);
}

static void read_on(const struct demo *d, struct kreg_table *table, unsigned int index)
{
	uint64_t state = 0x2545f4914f6cdd1d + index;
	struct shared *s = d->shared;

	while (!atomic_load_explicit(&s->stop, memory_order_relaxed)) {
		if (!look_up(d, table, next_random(&state) % d->opt.objects))
			count(&s->reader[index].failures);
		count(&s->reader[index].lookups);
	}
}

pid_t reader_start(const struct demo *d, unsigned int index)
{
	struct kreg_client *client;
	struct kreg_table *table;
	pid_t parent = getpid();
	pid_t pid = fork();
	int ret;

	if (pid)
		return pid;
	die_with_parent(parent);
	ret = kreg_client_open(NULL, &client);
	if (!ret)
		ret = kreg_table_open(client, d->opt.table, NULL, &table);
	if (ret) {
		report_failure(d, "reader", ret);
		_exit(1);
	}
	read_on(d, table, index);
	kreg_table_close(table);
	kreg_client_close(client);
	_exit(0);
}
