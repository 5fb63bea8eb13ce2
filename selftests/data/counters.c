// SPDX-License-Identifier: GPL-2.0
/*
 * Counters that several processes count up at once, while others look, and while they are killed.
 */
#include <stddef.h>

#include "kit/fixture.h"
#include "kit/edit.h"
#include "kit/kid.h"

#define KIDS	4
#define KEYS	3

/* What a process has counted, in memory that outlives it. */
struct tally {
	__u64 begun;
	__u64 done;
};

static struct tally *tallies;
static int *stop;

FIXTURE(counters) {
	struct test_base base;
	int fd;
	__u64 table;
};

FIXTURE_SETUP(counters)
{
	self->fd = test_setup(_metadata, &self->base);
	test_create(self->fd, "counters", KREG_ACCESS_PUBLIC, &self->table);
	tallies = test_shared(64 * sizeof(*tallies) + sizeof(*stop));
	ASSERT_NE(NULL, tallies);
	stop = (int *)(tallies + 64);
}

FIXTURE_TEARDOWN_PARENT(counters)
{
	test_teardown(_metadata, &self->base);
}

/* Four numbers that are changed in one, by as much; behind the last, as much of bytes. */
struct value {
	__u64 up;
	__s64 down;
	__u64 big_endian;
	__u8 low;
} __attribute__((packed));

static bool is_whole(const struct value *v)
{
	return v->down == -(__s64)v->up && __builtin_bswap64(v->big_endian) == v->up;
}

static int count_one(int fd, __u64 table, const char *key, struct kreg_field *f)
{
	struct value zero = { 0 };

	f[0] = test_add(offsetof(struct value, up), 1);
	f[1] = test_add(offsetof(struct value, down), -1);
	f[2] = test_add(offsetof(struct value, big_endian), 1);
	f[2].flags = KREG_FIELD_BIG_ENDIAN;
	return _test_edit_from(fd, table, key, f, 3, &zero, sizeof(zero));
}

/* The kid counts keys up in turns, until it is told to stop or has counted job->arg2. */
static long job_count(struct job *job)
{
	struct tally *t = &tallies[job->arg];
	struct kreg_field f[3];
	__u64 last[KEYS] = { 0 };
	char key[2] = "0";
	int err, i;

	while (!__atomic_load_n(stop, __ATOMIC_RELAXED) && t->done < job->arg2) {
		i = t->done % KEYS;
		key[0] = '0' + i;
		__atomic_store_n(&t->begun, t->done + 1, __ATOMIC_RELEASE);
		err = count_one(job->fd, job->table, key, f);
		if (err)
			return err;
		if (f[0].out <= last[i] || f[1].out != -f[0].out || f[2].out != f[0].out)
			return -EBADMSG;
		last[i] = f[0].out;
		__atomic_store_n(&t->done, t->done + 1, __ATOMIC_RELEASE);
	}
	return 0;
}

static void start_counting(struct kid *kid, __u64 table, int number, __u64 most)
{
	kid->job->table = table;
	kid->job->arg = number;
	kid->job->arg2 = most;
	kid_ask(kid, job_count);
}

/* The sum of all keys; each is whole, and none is less than it was before. */
static __u64 look(struct __test_metadata *_metadata, int fd, __u64 table, __u64 *before)
{
	struct value v;
	char key[2] = "0";
	__u64 sum = 0;
	int i, len;

	for (i = 0; i < KEYS; i++) {
		key[0] = '0' + i;
		len = _test_get(fd, table, key, 1, &v, sizeof(v));
		if (len == -ENODATA)
			continue;
		EXPECT_EQ(sizeof(v), len);
		EXPECT_TRUE(is_whole(&v));
		EXPECT_LE(before[i], v.up);
		before[i] = v.up;
		sum += v.up;
	}
	return sum;
}

TEST_F(counters, sum_up)
{
	const __u64 each = test_size(3000) + KEYS;
	__u64 before[KEYS] = { 0 };
	struct kid *kid[KIDS];
	int i;

	for (i = 0; i < KIDS; i++)
		kid[i] = kid_start(_metadata);
	for (i = 0; i < KIDS; i++)
		start_counting(kid[i], self->table, i, each);
	for (i = 0; i < 1000 && look(_metadata, self->fd, self->table, before) < KIDS * each; i++)
		;
	for (i = 0; i < KIDS; i++)
		EXPECT_EQ(0, kid_answer(kid[i]));
	EXPECT_EQ(KIDS * each, look(_metadata, self->fd, self->table, before));
	EXPECT_EQ(KEYS, test_objects(self->fd, self->table));
	for (i = 0; i < KIDS; i++)
		kid_kill(kid[i]);
}

/* Of a process that is killed, what it had begun last has been done or not. */
TEST_F(counters, with_kills)
{
	__u64 before[KEYS] = { 0 }, begun = 0, done = 0, sum;
	struct kid *kid[2], *victim;
	int i, rounds = 20;

	for (i = 0; i < 2; i++) {
		kid[i] = kid_start(_metadata);
		start_counting(kid[i], self->table, i, ~0ULL);
	}
	for (i = 2; i < 2 + rounds; i++) {
		victim = kid_start(_metadata);
		start_counting(victim, self->table, i, ~0ULL);
		EXPECT_TRUE(test_wait_for(tallies[i].done > 10));
		look(_metadata, self->fd, self->table, before);
		EXPECT_EQ(SIGKILL, kid_kill(victim));
	}
	__atomic_store_n(stop, 1, __ATOMIC_RELAXED);
	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, kid_answer(kid[i]));
	test_sync(self->fd);
	sum = look(_metadata, self->fd, self->table, before);
	for (i = 0; i < 2 + rounds; i++) {
		begun += tallies[i].begun;
		done += tallies[i].done;
	}
	EXPECT_LE(done, sum);
	EXPECT_GE(begun, sum);
	EXPECT_GE(rounds, begun - done);
	for (i = 0; i < 2; i++)
		kid_kill(kid[i]);
}

/* A lock in a value, taken by who swaps it, and given back; what it protects is not atomic. */
static long job_swap(struct job *job)
{
	static const char free_[8] = "free", taken[8] = "taken";
	struct tally *all = &tallies[0];
	long got = 0, err;

	while (got < (long)job->arg2) {
		struct kreg_op op = test_op_value(KREG_OP_PUT, "lock", 4, taken, 8);

		test_if_value(&op, free_, 8);
		err = _test_op(job->fd, job->table, 0, &op);
		if (err == -ECANCELED)
			continue;
		if (err)
			return err;
		all->begun++;
		got++;
		op = test_op_value(KREG_OP_PUT, "lock", 4, free_, 8);
		op.flags = KREG_OP_VERSION;
		op.arg = test_version(job->fd, job->table, "lock");
		err = _test_op(job->fd, job->table, 0, &op);
		if (err)
			return err;
	}
	return 0;
}

TEST_F(counters, swapped)
{
	const __u64 each = test_size(500) + 1;
	struct kid *kid[KIDS];
	int i;

	test_put(self->fd, self->table, "lock", 4, "free\0\0\0", 8);
	for (i = 0; i < KIDS; i++) {
		kid[i] = kid_start(_metadata);
		kid[i]->job->table = self->table;
		kid[i]->job->arg2 = each;
		kid_ask(kid[i], job_swap);
	}
	for (i = 0; i < KIDS; i++)
		EXPECT_EQ(0, kid_answer(kid[i]));
	EXPECT_EQ(KIDS * each, tallies[0].begun);
	for (i = 0; i < KIDS; i++)
		kid_kill(kid[i]);
}

/* A table that grows by counters that begin. */
TEST_F(counters, growth)
{
	const unsigned int count = test_size(10000) + 1;
	struct kreg_field f = test_add(0, 1);
	__u64 zero = 0;
	unsigned int i;

	for (i = 0; i < count; i++) {
		struct kreg_op op = test_op_value(KREG_OP_EDIT, &i, sizeof(i), &f, sizeof(f));
		struct kreg_more more = {
			.size = sizeof(more),
			.flags = KREG_MORE_START,
			.start = test_ptr(&zero),
			.start_len = sizeof(zero),
		};

		op.flags = KREG_OP_MORE;
		op.arg = test_ptr(&more);
		test_op_(self->fd, self->table, 0, &op);
		EXPECT_EQ(1, f.out);
	}
	EXPECT_EQ(count, test_objects(self->fd, self->table));
	EXPECT_EQ(count, test_count(self->fd, self->table));
}

TEST_HARNESS_MAIN
