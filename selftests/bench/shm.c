// SPDX-License-Identifier: GPL-2.0
/*
 * What one would write by hand: a hash table with open addressing in shared
 * memory, half full at most, behind one robust mutex.
 */
#include <pthread.h>
#include <sys/mman.h>

#include "peers.h"

struct entry {
	uint64_t key[KEY_LEN / 8];	/* the first word zero: free */
	uint64_t value[VALUE_LEN / 8];
};

struct shared {
	pthread_mutex_t mutex;
	uint64_t mask;
	struct entry entry[];
};

struct map {
	struct shared *shared;
	struct keys keys;
	uint64_t value[VALUE_LEN / 8];
};

/* Whoever finds that a holder died would have to look for damage here. */
static void lock(struct shared *shared)
{
	int err = pthread_mutex_lock(&shared->mutex);

	if (err == EOWNERDEAD)
		pthread_mutex_consistent(&shared->mutex);
	else if (err)
		bench_die("robust mutex");
}

static struct entry *find(struct shared *shared, const uint64_t *key)
{
	uint64_t hash = (key[0] ^ key[1]) * 0x9e3779b97f4a7c15;
	struct entry *entry;

	hash = (hash ^ hash >> 29) * 0xff51afd7ed558ccd;
	for (hash ^= hash >> 32;; hash++) {
		entry = &shared->entry[hash & shared->mask];
		if (!entry->key[0] ||
		    (entry->key[0] == key[0] && entry->key[1] == key[1]))
			return entry;
	}
}

static void get(void *arg, long count)
{
	struct map *map = arg;
	struct entry *entry;
	uint64_t key[2];

	while (count--) {
		memcpy(key, keys_next(&map->keys), KEY_LEN);
		lock(map->shared);
		entry = find(map->shared, key);
		if (!entry->key[0])
			bench_die("shm get");
		memcpy(map->value, entry->value, VALUE_LEN);
		pthread_mutex_unlock(&map->shared->mutex);
	}
}

static void put(void *arg, long count)
{
	struct map *map = arg;
	struct entry *entry;
	uint64_t key[2];

	while (count--) {
		memcpy(key, keys_next(&map->keys), KEY_LEN);
		lock(map->shared);
		entry = find(map->shared, key);
		memcpy(entry->key, key, KEY_LEN);
		memcpy(entry->value, map->value, VALUE_LEN);
		pthread_mutex_unlock(&map->shared->mutex);
	}
}

static size_t make(struct map *map, long objects)
{
	pthread_mutexattr_t attr;
	uint64_t slots = 1;
	size_t size;

	while (slots < 2UL * objects)
		slots *= 2;
	size = sizeof(struct shared) + slots * sizeof(struct entry);
	map->shared = mmap(NULL, size, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (map->shared == MAP_FAILED)
		bench_die("mmap");
	map->shared->mask = slots - 1;
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&map->shared->mutex, &attr);
	value_make((char *)map->value, VALUE_LEN, 1);
	keys_make(&map->keys, 0, objects);
	return size;
}

void peer_shm(long objects)
{
	struct map map;
	struct bench bench = {
		.system = "shm",
		.objects = objects,
		.count = 8192,
		.arg = &map,
	};
	size_t size = make(&map, objects);
	long before = memory_free();
	struct map other;

	put(&map, objects);
	memory_result("shm", objects, before);
	other = map;
	other.keys.at = objects / 2;
	bench.op = "get";
	bench.run = get;
	bench_run(&bench);
	bench.op = "get-2cpu";
	if (bench_cpus() > 1 && objects == 100000)
		bench_both(&bench, &other);
	bench.op = "put";
	bench.run = put;
	bench_run(&bench);
	bench.op = "put-2cpu";
	if (bench_cpus() > 1 && objects == 100000)
		bench_both(&bench, &other);
	munmap(map.shared, size);
	keys_free(&map.keys);
}
