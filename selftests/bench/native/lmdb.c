// SPDX-License-Identifier: GPL-2.0
/*
 * LMDB on a file in memory, written through its mapping and never synced: as fast as it gets. Each
 * get begins a transaction, so that it sees the last commit, and each put is one.
 */
#include <limits.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "native.h"

/* What a map may grow to: much more than pages that are half empty, and copies of some. */
#define MAP_BYTES(objects)	((64ULL << 20) + (objects) * 1024)

struct table {
	MDB_env *env;
	MDB_dbi dbi;
	MDB_txn *reader;		/* reset between operations */
	MDB_cursor *cursor;
};

static void check(int err, const char *what)
{
	char text[128];

	if (!err)
		return;
	snprintf(text, sizeof(text), "%s: %s", what, mdb_strerror(err));
	native_die("lmdb", text);
}

/* Nothing is left of the files, however the process ends. */
static void open_unlinked(MDB_env *env)
{
	static const char *const names[] = { "data.mdb", "lock.mdb" };
	char dir[] = "/dev/shm/native-XXXXXX", path[PATH_MAX];
	unsigned int i;
	int err;

	if (!mkdtemp(dir))
		native_die("lmdb", "there is no folder in /dev/shm for its file");
	err = mdb_env_open(env, dir, MDB_NOSYNC | MDB_WRITEMAP | MDB_NOTLS | MDB_NORDAHEAD, 0600);
	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
	rmdir(dir);
	check(err, "open");
}

static void *create(uint64_t objects)
{
	struct table *t = calloc(1, sizeof(*t));
	MDB_txn *txn;

	if (!t)
		native_die("lmdb", "out of memory");
	check(mdb_env_create(&t->env), "environment");
	check(mdb_env_set_mapsize(t->env, MAP_BYTES(objects)), "size");
	open_unlinked(t->env);
	check(mdb_txn_begin(t->env, NULL, 0, &txn), "begin");
	check(mdb_dbi_open(txn, NULL, 0, &t->dbi), "database");
	check(mdb_txn_commit(txn), "commit");
	check(mdb_txn_begin(t->env, NULL, MDB_RDONLY, &t->reader), "begin");
	check(mdb_cursor_open(t->reader, t->dbi, &t->cursor), "cursor");
	mdb_txn_reset(t->reader);
	return t;
}

static bool get(void *it, const struct key *k, struct value *value)
{
	struct table *t = it;
	MDB_val key = { sizeof(*k), (void *)k }, found;
	int err;

	check(mdb_txn_renew(t->reader), "renew");
	err = mdb_get(t->reader, t->dbi, &key, &found);
	if (!err)
		memcpy(value, found.mv_data, sizeof(*value));
	mdb_txn_reset(t->reader);
	if (err != MDB_NOTFOUND)
		check(err, "get");
	return !err;
}

static void put(void *it, const struct key *k, const struct value *v)
{
	struct table *t = it;
	MDB_val key = { sizeof(*k), (void *)k }, value = { sizeof(*v), (void *)v };
	MDB_txn *txn;

	check(mdb_txn_begin(t->env, NULL, 0, &txn), "begin");
	check(mdb_put(txn, t->dbi, &key, &value, 0), "put");
	check(mdb_txn_commit(txn), "commit");
}

static uint64_t walk(void *it, const struct key *from, uint64_t count, struct value *value)
{
	struct table *t = it;
	MDB_val key = { sizeof(*from), (void *)from }, found;
	uint64_t sum = 0;
	int err;

	check(mdb_txn_renew(t->reader), "renew");
	check(mdb_cursor_renew(t->reader, t->cursor), "cursor");
	err = mdb_cursor_get(t->cursor, &key, &found, MDB_SET_RANGE);
	while (count--) {
		if (err == MDB_NOTFOUND)
			err = mdb_cursor_get(t->cursor, &key, &found, MDB_FIRST);
		check(err, "walk");
		memcpy(value, found.mv_data, sizeof(*value));
		sum += value_sum(value);
		err = mdb_cursor_get(t->cursor, &key, &found, MDB_NEXT);
	}
	mdb_txn_reset(t->reader);
	return sum;
}

static void destroy(void *it)
{
	struct table *t = it;

	mdb_cursor_close(t->cursor);
	mdb_txn_abort(t->reader);
	mdb_env_close(t->env);
	free(t);
}

const struct structure lmdb = {
	.name = "lmdb",
	.package = "liblmdb-dev",
	.ordered = true,
	.create = create,
	.get = get,
	.put = put,
	.walk = walk,
	.destroy = destroy,
};
