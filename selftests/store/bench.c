// SPDX-License-Identifier: GPL-2.0
/*
 * Bytes and time a record, keys of 16 and values of 64 bytes:
 *
 *	bench [RECORDS]
 */
#include <time.h>

#include "store/internal.h"
#include "tap.h"

#define KEY	16
#define VALUE	64
#define GOAL	122
#define GOAL_ORDERED	127

static struct kreg_store store __aligned(64);
static DEFINE_SPINLOCK(turn);
static u8 value[VALUE];

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

static struct kreg_key key_of(u64 i, u64 bytes[2])
{
	struct kreg_key key = { .bytes = bytes, .len = KEY };

	bytes[0] = i * 0x9e3779b97f4a7c15;
	bytes[1] = i;
	return key;
}

static noinline bool bench_get(struct kreg_key *key)
{
	struct kreg_hit hit;

	kreg_store_hash(&store, key);
	return !kreg_store_get(&store, key, &hit);
}

/* Returns whether the put needs preallocated memory and has not been done. */
static noinline bool bench_put(struct kreg_key *key, struct kreg_prealloc *f)
{
	struct kreg_change c = { .kind = KREG_CHANGE_PUT, .value = value,
				 .value_len = VALUE };
	struct kreg_place place;
	struct kreg_txn t;

	kreg_store_hash(&store, key);
	c.key = *key;
	kreg_txn_begin(&t, &store);
	kreg_store_find(&store, key, &place);
	if (kreg_store_apply(&t, &c, &place, f)) {
		kreg_txn_abort(&t);
		return true;
	}
	kreg_txn_commit(&t);
	kreg_txn_unlink(&t, 1);
	kreg_store_upkeep(&store, 2, f);
	return false;
}

static void put_all(u64 n)
{
	struct kreg_prealloc f = {};
	u64 bytes[2], i;

	for (i = 0; i < n; i++) {
		struct kreg_key key = key_of(i, bytes);

		for (;;) {
			bool again = bench_put(&key, &f);

			if (kreg_prealloc_wanted(&f)) {
				tap_check(!kreg_prealloc_fill(&f, &store));
				kreg_store_add_prealloc(&store, &f);
			}
			if (!again)
				break;
		}
	}
	kreg_prealloc_free(&f);
}

static void get_all(u64 n, bool there)
{
	u64 bytes[2], i;

	for (i = 0; i < n; i++) {
		struct kreg_key key = key_of(there ? i : i + n, bytes);

		tap_check(bench_get(&key) == there);
	}
}

static void report(const char *what, u64 n, double since)
{
	printf("# %-12s %7.1f ns\n", what, (seconds() - since) * 1e9 / n);
}

/* Each object looked at once, in the order of the list. */
static void walk_all(u64 n, bool back)
{
	struct kreg_walk w;
	struct kreg_hit hit;
	u64 found = 0;

	kreg_walk_init(&w, &store, NULL);
	if (back)
		kreg_walk_seek_back(&w, NULL, false);
	else
		kreg_walk_start(&w, &store, NULL);
	while (back ? kreg_walk_prev(&w, &hit) : kreg_walk_next(&w, &hit))
		found++;
	tap_check(found == n);
}

static void run(u64 n, bool ordered, u32 goal)
{
	struct kreg_stat st;
	double since;

	spin_lock(&turn);
	tap_check(!kreg_store_init(&store, &turn, ordered));
	kreg_store_stat(&store, &st);
	printf("# %-12s %7llu bytes\n", "empty", st.memory);
	since = seconds();
	put_all(n);
	report("put, new", n, since);
	since = seconds();
	get_all(n, true);
	report("get, hit", n, since);
	since = seconds();
	get_all(n, false);
	report("get, miss", n, since);
	since = seconds();
	walk_all(n, false);
	report("next", n, since);
	if (ordered) {
		since = seconds();
		walk_all(n, true);
		report("previous", n, since);
	}
	kreg_store_stat(&store, &st);
	printf("# %-12s %7.2f bytes a record, %llu buckets\n", "memory",
	       (double)st.memory / n, st.buckets);
	tap_check(st.objects == n);
	tap_check(n < 100000 || st.memory <= goal * n);
	since = seconds();
	put_all(n);
	report("put, replace", n, since);
	spin_unlock(&turn);
	kreg_store_exit(&store);
	tap_check(!shim_allocated);
}

int main(int argc, char **argv)
{
	u64 n = argc > 1 ? strtoull(argv[1], NULL, 0) : 1000000;

	tap_plan(2);
	run(n, false, GOAL);
	tap_pass("a million records of 16 and 64 bytes cost at most 122 each");
	run(n, true, GOAL_ORDERED);
	tap_pass("in the order of their keys at most 127");
	return 0;
}
