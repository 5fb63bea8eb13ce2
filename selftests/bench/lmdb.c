// SPDX-License-Identifier: GPL-2.0
/*
 * LMDB in a tmpfs, without syncing: as fast as it gets.
 */
#include <lmdb.h>
#include <sys/stat.h>

#include "peers.h"

#define DIR	"/dev/shm/lmdb"

struct map {
	MDB_env *env;
	MDB_dbi dbi;
	MDB_txn *reader;		/* reset between operations */
	struct keys keys;
	struct keys fresh;
	char value[VALUE_LEN];
};

static void check(int err, const char *what)
{
	if (!err)
		return;
	fprintf(stderr, "bench: lmdb: %s: %s\n", what, mdb_strerror(err));
	exit(1);
}

static void get_in(struct map *map)
{
	MDB_val key = { KEY_LEN, keys_next(&map->keys) }, value;

	check(mdb_get(map->reader, map->dbi, &key, &value), "get");
	memcpy(map->value, value.mv_data, VALUE_LEN);
}

static void get(void *arg, long count)
{
	struct map *map = arg;

	while (count--) {
		check(mdb_txn_renew(map->reader), "renew");
		get_in(map);
		mdb_txn_reset(map->reader);
	}
}

static void get_one_txn(void *arg, long count)
{
	struct map *map = arg;

	check(mdb_txn_renew(map->reader), "renew");
	while (count--)
		get_in(map);
	mdb_txn_reset(map->reader);
}

static void scan(void *arg, long count)
{
	struct map *map = arg;
	MDB_val key, value;
	MDB_cursor *cursor;

	check(mdb_txn_renew(map->reader), "renew");
	check(mdb_cursor_open(map->reader, map->dbi, &cursor), "cursor");
	while (count-- && !mdb_cursor_get(cursor, &key, &value, MDB_NEXT))
		memcpy(map->value, value.mv_data, VALUE_LEN);
	mdb_cursor_close(cursor);
	mdb_txn_reset(map->reader);
}

static void write_many(struct map *map, struct keys *keys, long count, int size)
{
	MDB_val key = { KEY_LEN, NULL }, value = { VALUE_LEN, map->value };
	MDB_txn *txn;
	long i;

	for (; count > 0; count -= size) {
		check(mdb_txn_begin(map->env, NULL, 0, &txn), "begin");
		for (i = 0; i < size && i < count; i++) {
			key.mv_data = keys_next(keys);
			check(mdb_put(txn, map->dbi, &key, &value, 0), "put");
		}
		check(mdb_txn_commit(txn), "commit");
	}
}

static void put(void *arg, long count)
{
	struct map *map = arg;

	write_many(map, &map->keys, count, 1);
}

static void put_batch(void *arg, long count)
{
	struct map *map = arg;

	write_many(map, &map->keys, count, BATCH);
}

static void make(struct map *map, long objects)
{
	long before;
	MDB_txn *txn;

	memset(map, 0, sizeof(*map));
	value_make(map->value, VALUE_LEN, 1);
	keys_make(&map->keys, 0, objects);
	before = memory_free();
	mkdir(DIR, 0700);
	check(mdb_env_create(&map->env), "environment");
	check(mdb_env_set_mapsize(map->env, 1UL << 30), "size");
	check(mdb_env_open(map->env, DIR, MDB_NOSYNC | MDB_NOTLS, 0600), "open");
	check(mdb_txn_begin(map->env, NULL, 0, &txn), "begin");
	check(mdb_dbi_open(txn, NULL, 0, &map->dbi), "database");
	check(mdb_txn_commit(txn), "commit");
	write_many(map, &map->keys, objects, BATCH);
	memory_result("lmdb", objects, before);
	check(mdb_txn_begin(map->env, NULL, MDB_RDONLY, &map->reader), "begin");
	mdb_txn_reset(map->reader);
}

void peer_lmdb(long objects)
{
	static const struct {
		const char *op;
		long count;
		void (*run)(void *arg, long count);
	} row[] = {
		{ "get", 4096, get },
		{ "get-in-one-txn", 4096, get_one_txn },
		{ "put", 512, put },
		{ "put-batch-256", 4096, put_batch },
		{ "scan", 1000, scan },
	};
	struct bench bench = { .system = "lmdb", .objects = objects };
	struct map map;
	unsigned int i;

	make(&map, objects);
	bench.arg = &map;
	for (i = 0; i < sizeof(row) / sizeof(*row); i++) {
		bench.op = row[i].op;
		bench.count = row[i].count;
		bench.run = row[i].run;
		bench_run(&bench);
	}
	mdb_txn_abort(map.reader);
	mdb_env_close(map.env);
	unlink(DIR "/data.mdb");
	unlink(DIR "/lock.mdb");
	rmdir(DIR);
	keys_free(&map.keys);
}
