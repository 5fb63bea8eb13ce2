// SPDX-License-Identifier: GPL-2.0
/*
 * Random ranges of random keys, beside a sorted array of them, and beside writers.
 */
#include <pthread.h>

#include "data/range.h"

#define ROUNDS		40
#define QUERIES		60
#define STEM		600		/* bytes that some keys have in common */
#define STABLE		400
#define RUN_MS		900

FIXTURE(range_random) {
	struct test_base base;
	int fd;
	__u64 table;
	unsigned int seed;
};

FIXTURE_VARIANT(range_random) {
	__u32 type;
};

FIXTURE_VARIANT_ADD(range_random, set) {
	.type = KREG_TYPE_SET,
};

FIXTURE_VARIANT_ADD(range_random, ordered_set) {
	.type = KREG_TYPE_ORDERED_SET,
};

FIXTURE_SETUP(range_random)
{
	int fd = test_client();
	bool ordered = test_feature(fd, KREG_FEATURE_ORDERED);

	close(fd);
	if (variant->type == KREG_TYPE_ORDERED_SET && !ordered)
		SKIP(return, "this kernel has no ordered tables");
	self->fd = test_setup(_metadata, &self->base);
	ASSERT_EQ(0, _test_create_type(self->fd, "range", variant->type, KREG_ACCESS_PUBLIC,
				       &self->table));
	self->seed = time(NULL);
	printf("# seed %u\n", self->seed);
	fflush(stdout);
}

FIXTURE_TEARDOWN_PARENT(range_random)
{
	test_teardown(_metadata, &self->base);
}

static unsigned int pick(unsigned int *seed, unsigned int n)
{
	return rand_r(seed) % n;
}

/* Short keys of few letters, so that many begin with each other; some behind a long stem. */
static struct key random_key(unsigned int *seed)
{
	static const __u8 letters[] = { 0, 'a', 'b', 0xff };
	struct key key = { .len = 0 };
	__u32 n = 1 + pick(seed, 5);

	if (!pick(seed, 4)) {
		key.len = STEM;
		memset(key.bytes, 'b', STEM);
	}
	while (n--)
		key.bytes[key.len++] = letters[pick(seed, sizeof(letters))];
	return key;
}

/* The place of a key in the array, or where it would be. */
static __u32 place_of(const struct keys *all, const struct key *key, bool *there)
{
	__u32 low = 0, high = all->count;

	while (low < high) {
		__u32 mid = (low + high) / 2;

		if (key_order(&all->key[mid], key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	*there = low < all->count && !key_order(&all->key[low], key);
	return low;
}

static void model_put(struct keys *all, const struct key *key)
{
	bool there;
	__u32 at = place_of(all, key, &there);

	if (there)
		return;
	memmove(&all->key[at + 1], &all->key[at], (all->count - at) * sizeof(*key));
	all->key[at] = *key;
	all->count++;
}

static void model_delete(struct keys *all, const struct key *key)
{
	bool there;
	__u32 at = place_of(all, key, &there);

	if (!there)
		return;
	all->count--;
	memmove(&all->key[at], &all->key[at + 1], (all->count - at) * sizeof(*key));
}

/* Change the table and the array in the same way; some values lie in memory of their own. */
static void change_both(struct __test_metadata *_metadata, int fd, __u64 table,
			struct keys *all, unsigned int *seed)
{
	static char value[20000];
	struct key key = random_key(seed);
	struct kreg_op op;

	if (pick(seed, 3)) {
		test_put(fd, table, key.bytes, key.len, value,
			 pick(seed, 20) ? pick(seed, 40) : sizeof(value));
		model_put(all, &key);
		return;
	}
	if (pick(seed, 2) && all->count)
		key = all->key[pick(seed, all->count)];
	op = test_op(KREG_OP_DELETE, key.bytes, key.len);
	test_op_(fd, table, 0, &op);
	model_delete(all, &key);
}

static struct query random_query(unsigned int *seed, bool ordered)
{
	struct query q = { .flags = pick(seed, 2) ? KREG_SCAN_KEYS : 0 };

	if (ordered && pick(seed, 2))
		q.flags |= KREG_SCAN_REVERSE;
	q.low = random_key(seed);
	switch (pick(seed, 6)) {
	case 0:
		q.range = KREG_RANGE_EXACT;
		break;
	case 1:
		q.range = KREG_RANGE_PREFIX;
		q.low.len -= pick(seed, q.low.len);
		break;
	default:
		if (!pick(seed, 4))
			q.low.len = 0;
		if (pick(seed, 4))
			q.high = random_key(seed);
		if (q.low.len && pick(seed, 2))
			q.range |= KREG_RANGE_LOW_OPEN;
		if (q.high.len && pick(seed, 2))
			q.range |= KREG_RANGE_HIGH_OPEN;
	}
	q.max = pick(seed, 2) ? 0 : 1 + pick(seed, 30);
	q.room = pick(seed, 2) ? 0 : 24576 + pick(seed, 4000) * 8;
	/* A set goes on behind a key in an order that is not known here. */
	if (ordered && !(q.range & KREG_RANGE_EXACT) && !pick(seed, 3))
		q.after = random_key(seed);
	return q;
}

/* Of a set: what comes behind any key of the answer is the rest of the answer. */
static void expect_rest(struct __test_metadata *_metadata, int fd, __u64 table,
			const struct query *q, const struct keys *found, unsigned int *seed)
{
	struct keys *rest = malloc(sizeof(*rest));
	struct query again = *q;
	__u32 at = pick(seed, found->count);
	__u32 i, more;

	again.after = found->key[at];
	again.max = 0;
	EXPECT_EQ(found->count - at - 1, query_count(fd, table, &again, &more));
	EXPECT_EQ(0, query_run(fd, table, &again, rest));
	ASSERT_EQ(found->count - at - 1, rest->count);
	for (i = 0; i < rest->count; i++)
		ASSERT_EQ(0, key_order(&rest->key[i], &found->key[at + 1 + i]));
	free(rest);
}

TEST_F(range_random, beside_an_array)
{
	struct keys *all = calloc(1, sizeof(*all)), *found = malloc(sizeof(*found));
	bool ordered = variant->type == KREG_TYPE_ORDERED_SET;
	struct keys *expected = malloc(sizeof(*expected));
	unsigned int round, i, rounds = 8 + test_size(ROUNDS);
	struct query q;
	__u32 more;

	for (round = 0; round < rounds; round++) {
		for (i = 0; i < 60; i++)
			change_both(_metadata, self->fd, self->table, all, &self->seed);
		for (i = 0; i < QUERIES; i++) {
			q = random_query(&self->seed, ordered);
			query_expect(&q, all, expected);
			ASSERT_EQ(0, query_run(self->fd, self->table, &q, found));
			if (!ordered && found->count)
				expect_rest(_metadata, self->fd, self->table, &q, found,
					    &self->seed);
			if (!ordered)
				keys_sort(found);
			ASSERT_TRUE(keys_same(found, expected)) {
				TH_LOG("round %u, query %u, range %x, flags %x: %u of %u", round,
				       i, q.range, q.flags, found->count, expected->count);
			}
			q.max = 0;
			ASSERT_EQ(expected->count, query_count(self->fd, self->table, &q, &more));
			ASSERT_EQ(0, more);
		}
	}
	EXPECT_LT(100, all->count);
}

struct race {
	int fd;
	int stop;
	__u64 table;
	unsigned int seed;
	__u64 writes;
};

/* Keys that stay are "s" and a number, those that come and go "s", a number and a letter. */
static __u32 name_key(char *key, unsigned int number, const char *end)
{
	return sprintf(key, "s%04u%s", number, end);
}

static void *churn(void *arg)
{
	struct race *race = arg;
	struct kreg_op op;
	char key[16];
	__u32 len;

	while (!__atomic_load_n(&race->stop, __ATOMIC_RELAXED)) {
		unsigned int number = pick(&race->seed, STABLE), what = pick(&race->seed, 5);

		len = name_key(key, number, what ? "x" : "");
		op = test_op_value(what < 3 ? KREG_OP_PUT : KREG_OP_DELETE, key, len, NULL, 0);
		if (what < 3) {
			op.value = test_ptr(key);
			op.value_len = len;
		}
		if (_test_op(race->fd, race->table, 0, &op))
			break;
		race->writes++;
	}
	return NULL;
}

/* Keys that stay from number @from to @to are in the answer once, and nothing twice. */
static void expect_stable(struct __test_metadata *_metadata, const struct query *q, bool ordered,
			  struct keys *found, unsigned int from, unsigned int to)
{
	bool back = q->flags & KREG_SCAN_REVERSE;
	unsigned int i, number;
	char end;

	for (i = 0; i < found->count; i++)
		ASSERT_TRUE(query_has(q, &found->key[i]));
	for (i = 1; ordered && i < found->count; i++) {
		int order = key_order(&found->key[i - 1], &found->key[i]);

		ASSERT_TRUE(back ? order > 0 : order < 0);
	}
	keys_sort(found);
	for (i = 0; i < found->count; i++) {
		if (i)
			ASSERT_NE(0, key_order(&found->key[i - 1], &found->key[i]));
		found->key[i].bytes[found->key[i].len] = '\0';
		if (sscanf((char *)found->key[i].bytes, "s%u%c", &number, &end) != 1)
			continue;
		ASSERT_EQ(from, number);
		from++;
	}
	ASSERT_EQ(to, from);
}

TEST_F(range_random, beside_writers)
{
	bool ordered = variant->type == KREG_TYPE_ORDERED_SET;
	struct keys *found = malloc(sizeof(*found));
	struct race race[2] = {};
	unsigned int from, to, i, queries = 0;
	pthread_t threads[2];
	char key[16];
	__u64 end;
	__u32 len, more;
	long n;

	for (i = 0; i < STABLE; i++) {
		len = name_key(key, i, "");
		test_put(self->fd, self->table, key, len, "v", 1);
	}
	for (i = 0; i < 2; i++) {
		race[i] = (struct race) { self->fd, 0, self->table, self->seed + i, 0 };
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, churn, &race[i]));
	}
	end = test_now_ns() + RUN_MS * 1000000ULL;
	while (test_now_ns() < end || queries < 20) {
		struct query q = { .max = pick(&self->seed, 2) ? 0 : 1 + pick(&self->seed, 50) };

		from = pick(&self->seed, STABLE);
		to = from + pick(&self->seed, STABLE - from);
		q.low = key_make(key, name_key(key, from, ""));
		q.high = key_make(key, name_key(key, to, ""));
		q.range = KREG_RANGE_HIGH_OPEN;
		if (ordered && pick(&self->seed, 2))
			q.flags = KREG_SCAN_REVERSE;
		ASSERT_EQ(0, query_run(self->fd, self->table, &q, found));
		expect_stable(_metadata, &q, ordered, found, from, to);
		q.max = 0;
		n = query_count(self->fd, self->table, &q, &more);
		ASSERT_LE(to - from, n);
		ASSERT_GE(2 * (to - from), n);
		queries++;
	}
	for (i = 0; i < 2; i++) {
		__atomic_store_n(&race[i].stop, 1, __ATOMIC_RELAXED);
		ASSERT_EQ(0, pthread_join(threads[i], NULL));
		EXPECT_LT(0, race[i].writes);
	}
	printf("# %u queries beside %llu writes\n", queries,
	       (unsigned long long)(race[0].writes + race[1].writes));
	fflush(stdout);
}

TEST_HARNESS_MAIN
