// SPDX-License-Identifier: GPL-2.0
/*
 * A BPF hash map, used through bpf(2) as a program without BPF code can.
 */
#include <linux/bpf.h>
#include <stddef.h>

#include "peers.h"

struct map {
	int fd;
	long objects;
	struct keys keys;
	struct keys fresh;
	char value[VALUE_LEN];
	char (*batch_keys)[KEY_LEN];
	char (*batch_values)[VALUE_LEN];
};

/* The kernel looks at all that it is given: give it no more than it needs. */
enum {
	ELEMENT_SIZE = offsetof(union bpf_attr, flags) + sizeof(__u64),
	BATCH_SIZE = offsetof(union bpf_attr, batch.flags) + sizeof(__u64),
};

static int bpf(int cmd, union bpf_attr *attr, size_t size)
{
	return syscall(SYS_bpf, cmd, attr, size);
}

static int element(const struct map *map, int cmd, const char *key,
		   const char *value)
{
	union bpf_attr attr;

	memset(&attr, 0, ELEMENT_SIZE);
	attr.map_fd = map->fd;
	attr.key = (uintptr_t)key;
	attr.value = (uintptr_t)value;
	return bpf(cmd, &attr, ELEMENT_SIZE);
}

static void get(void *arg, long count)
{
	struct map *map = arg;

	while (count--)
		if (element(map, BPF_MAP_LOOKUP_ELEM, keys_next(&map->keys),
			    map->value))
			bench_die("bpf get");
}

static void get_miss(void *arg, long count)
{
	struct map *map = arg;

	while (count--)
		if (!element(map, BPF_MAP_LOOKUP_ELEM, keys_next(&map->fresh),
			     map->value))
			bench_die("bpf get of a key that is not there");
}

static void put(void *arg, long count)
{
	struct map *map = arg;

	while (count--)
		if (element(map, BPF_MAP_UPDATE_ELEM, keys_next(&map->keys),
			    map->value))
			bench_die("bpf put");
}

static void put_new(void *arg, long count)
{
	struct map *map = arg;

	while (count--)
		if (element(map, BPF_MAP_UPDATE_ELEM, keys_next(&map->fresh),
			    map->value))
			bench_die("bpf put of a new key");
}

static void delete(void *arg, long count)
{
	struct map *map = arg;

	while (count--)
		element(map, BPF_MAP_DELETE_ELEM, keys_next(&map->fresh), NULL);
}

static void rewind_fresh(void *arg, long count)
{
	struct map *map = arg;

	map->fresh.at = 0;
}

static void without_fresh(void *arg, long count)
{
	rewind_fresh(arg, count);
	delete(arg, count);
	rewind_fresh(arg, count);
}

static void with_fresh(void *arg, long count)
{
	rewind_fresh(arg, count);
	put_new(arg, count);
	rewind_fresh(arg, count);
}

/* There is no call to read many given keys; this one walks the map. */
static void scan(void *arg, long count)
{
	struct map *map = arg;
	uint32_t from = 0, to = 0;
	union bpf_attr attr;
	bool more = false;
	int ret;

	while (count > 0) {
		memset(&attr, 0, BATCH_SIZE);
		attr.batch.in_batch = more ? (uintptr_t)&from : 0;
		attr.batch.out_batch = (uintptr_t)&to;
		attr.batch.keys = (uintptr_t)map->batch_keys;
		attr.batch.values = (uintptr_t)map->batch_values;
		attr.batch.count = BATCH;
		attr.batch.map_fd = map->fd;
		ret = bpf(BPF_MAP_LOOKUP_BATCH, &attr, BATCH_SIZE);
		if (ret && errno != ENOENT)
			bench_die("bpf scan");
		count -= attr.batch.count;
		more = !ret;
		from = to;
	}
}

static void put_batch(void *arg, long count)
{
	struct map *map = arg;
	union bpf_attr attr;
	int i;

	for (; count > 0; count -= BATCH) {
		for (i = 0; i < BATCH; i++)
			memcpy(map->batch_keys[i], keys_next(&map->keys), KEY_LEN);
		memset(&attr, 0, BATCH_SIZE);
		attr.batch.keys = (uintptr_t)map->batch_keys;
		attr.batch.values = (uintptr_t)map->batch_values;
		attr.batch.count = BATCH;
		attr.batch.map_fd = map->fd;
		if (bpf(BPF_MAP_UPDATE_BATCH, &attr, BATCH_SIZE) ||
		    attr.batch.count != BATCH)
			bench_die("bpf batch");
	}
}

static void next(void *arg, long count)
{
	char key[2][KEY_LEN];
	struct map *map = arg;
	union bpf_attr attr;
	bool more = false;
	int at = 0;

	while (count--) {
		memset(&attr, 0, ELEMENT_SIZE);
		attr.map_fd = map->fd;
		attr.key = more ? (uintptr_t)key[at] : 0;
		attr.next_key = (uintptr_t)key[!at];
		more = !bpf(BPF_MAP_GET_NEXT_KEY, &attr, ELEMENT_SIZE);
		if (!more && errno != ENOENT)
			bench_die("bpf next");
		at = !at;
	}
}

static void make(struct map *map, long objects)
{
	union bpf_attr attr;
	long before, i;

	memset(map, 0, sizeof(*map));
	map->objects = objects;
	map->batch_keys = calloc(BATCH, KEY_LEN);
	map->batch_values = calloc(BATCH, VALUE_LEN);
	keys_make(&map->keys, 0, objects);
	keys_make(&map->fresh, objects, FRESH);
	before = memory_free();
	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_HASH;
	attr.key_size = KEY_LEN;
	attr.value_size = VALUE_LEN;
	attr.max_entries = objects + FRESH;
	map->fd = bpf(BPF_MAP_CREATE, &attr, sizeof(attr));
	if (map->fd < 0)
		bench_die("bpf map");
	for (i = 0; i < objects; i++)
		put(map, 1);
	memory_result("bpf", objects, before);
}

void peer_bpf(long objects)
{
	static const struct {
		const char *op;
		long count;
		void (*run)(void *arg, long count);
		void (*prepare)(void *arg, long count);
	} row[] = {
		{ "get", 4096, get },
		{ "get-miss", 4096, get_miss },
		{ "put", 4096, put },
		{ "put-new", FRESH, put_new, without_fresh },
		{ "delete", FRESH, delete, with_fresh },
		{ "put-batch-256", 4096, put_batch },
		{ "scan", 16384, scan },
		{ "next", 4096, next },
	};
	struct bench bench = { .system = "bpf", .objects = objects };
	struct map map, other;
	unsigned int i;

	make(&map, objects);
	bench.arg = &map;
	for (i = 0; i < sizeof(row) / sizeof(*row); i++) {
		bench.op = row[i].op;
		bench.count = row[i].count;
		bench.run = row[i].run;
		bench.prepare = row[i].prepare;
		bench_run(&bench);
	}
	if (objects == 100000) {
		bench.count = 50000;
		bench.prepare = NULL;
		bench.op = "get";
		bench.run = get;
		bench_latency(&bench);
		bench.op = "put";
		bench.run = put;
		bench_latency(&bench);
		other = map;
		other.keys.at = objects / 2;
		bench.count = 10000;
		bench.op = "put-2cpu";
		if (bench_cpus() > 1)
			bench_both(&bench, &other);
		bench.op = "get-2cpu";
		bench.run = get;
		if (bench_cpus() > 1)
			bench_both(&bench, &other);
	}
	close(map.fd);
	keys_free(&map.keys);
	keys_free(&map.fresh);
	free(map.batch_keys);
	free(map.batch_values);
}
