// SPDX-License-Identifier: GPL-2.0
/*
 * What ets_SUITE of Erlang/OTP requires of tables in the order of keys. The names are those of
 * its cases.
 */
#include "kit/fixture.h"
#include "kit/job.h"

#define KEYS	400

FIXTURE(ets) {
	struct test_base base;
	int fd;
	__u64 table;
	__u64 set;
};

FIXTURE_SETUP(ets)
{
	self->fd = test_setup(_metadata, &self->base);
	ASSERT_EQ(0, _test_create_type(self->fd, "ordered", KREG_TYPE_ORDERED_SET,
				       KREG_ACCESS_PUBLIC, &self->table));
	ASSERT_EQ(0, _test_create_type(self->fd, "set", KREG_TYPE_SET, KREG_ACCESS_PUBLIC,
				       &self->set));
}

FIXTURE_TEARDOWN_PARENT(ets)
{
	test_teardown(_metadata, &self->base);
}

/* Number @n as a key that sorts; even ones are put, odd ones never. */
static __u32 key_of(__u32 n, char *key)
{
	return sprintf(key, "%05u", n);
}

static void put_keys(struct __test_metadata *_metadata, int fd, __u64 table)
{
	char key[8];
	__u32 i, n;

	for (i = 0; i < KEYS; i++) {
		n = 2 * (i * 167 % KEYS);
		test_put(fd, table, key, key_of(n, key), &n, sizeof(n));
	}
}

/* The key behind or before @n, which may be absent; -1: there is none. */
static int step(int fd, __u64 table, int n, __u32 flags)
{
	struct {
		struct kreg_object object;
		char key[16];
	} found = {};
	char key[8];
	struct kreg_ioc_scan cmd = {
		.flags = KREG_SCAN_KEYS | flags,
		.table = table,
		.buf = test_ptr(&found),
		.buf_len = sizeof(found),
		.max_count = 1,
	};

	if (n >= 0) {
		cmd.range.after = test_ptr(key);
		cmd.range.after_len = key_of(n, key);
	}
	if (_test_scan(fd, &cmd) || !cmd.out_count)
		return -1;
	return atoi(found.key);
}

/* Forwards is the reverse of backwards; next and prev of absent keys are those of their places. */
TEST_F(ets, ordered)
{
	int n;

	put_keys(_metadata, self->fd, self->table);
	EXPECT_EQ(0, step(self->fd, self->table, -1, 0));
	EXPECT_EQ(2 * KEYS - 2, step(self->fd, self->table, -1, KREG_SCAN_REVERSE));
	for (n = 0; n < 2 * KEYS; n++) {
		int next = n + 2 - n % 2 < 2 * KEYS ? n + 2 - n % 2 : -1;

		EXPECT_EQ(next, step(self->fd, self->table, n, 0));
		EXPECT_EQ(n % 2 ? n - 1 : n - 2 >= 0 ? n - 2 : -1,
			  step(self->fd, self->table, n, KREG_SCAN_REVERSE));
	}
}

/* One random operation: what it has returned, and what it tells. */
static long long operate(int fd, __u64 table, unsigned int *seed)
{
	static const __u16 codes[] = { KREG_OP_PUT, KREG_OP_PUT, KREG_OP_PUT, KREG_OP_GET,
				       KREG_OP_MEMBER, KREG_OP_DELETE, KREG_OP_TAKE };
	__u32 n = rand_r(seed) % 50, len, code = codes[rand_r(seed) % ARRAY_SIZE(codes)];
	char key[8], value[32];
	struct kreg_op op;
	int err;

	memset(value, 'v', sizeof(value));
	len = rand_r(seed) % sizeof(value);
	op = test_op_value(code, key, key_of(n, key), value, len);
	if (code == KREG_OP_MEMBER || code == KREG_OP_DELETE)
		op = test_op(code, key, op.key_len);
	if (code == KREG_OP_PUT)
		op.flags = rand_r(seed) % 4 ? 0 : rand_r(seed) % 2 ? KREG_OP_NEW : KREG_OP_PRESENT;
	err = _test_op(fd, table, 0, &op);
	return err ? err : (long long)op.out_count << 32 | op.out_len;
}

/* A set and an ordered_set give the same results and errors. */
TEST_F(ets, interface_equality)
{
	unsigned int seed = 4711, same, i;

	for (i = 0; i < test_size(20000); i++) {
		same = seed;
		ASSERT_EQ(operate(self->fd, self->set, &seed),
			  operate(self->fd, self->table, &same));
		ASSERT_EQ(seed, same);
	}
	EXPECT_EQ(test_objects(self->fd, self->set), test_objects(self->fd, self->table));
}

/* Odd keys come and go. */
static long job_churn(struct job *job)
{
	unsigned int seed = job->arg;
	char key[8];

	for (;;) {
		__u32 n = 1 + 2 * (rand_r(&seed) % KEYS), len = key_of(n, key);
		struct kreg_op op = test_op(KREG_OP_DELETE, key, len);

		if (_test_put(job->fd, job->table, key, len, &n, sizeof(n)) ||
		    (rand_r(&seed) % 2 && _test_op(job->fd, job->table, 0, &op)))
			return -errno;
	}
}

/* Every key that stays is seen in each pass, in order, whatever comes and goes between. */
TEST_F(ets, smp_ordered_iteration)
{
	struct kid *kids[2];
	__u32 flags;
	int pass, n, seen;

	put_keys(_metadata, self->fd, self->table);
	for (n = 0; n < 2; n++) {
		kids[n] = kid_start(_metadata);
		kids[n]->job->table = self->table;
		kids[n]->job->arg = n;
		kid_ask(kids[n], job_churn);
	}
	for (pass = 0; pass < 4; pass++) {
		flags = pass % 2 ? KREG_SCAN_REVERSE : 0;
		seen = 0;
		for (n = step(self->fd, self->table, -1, flags); n >= 0;
		     n = step(self->fd, self->table, n, flags)) {
			if (n % 2)
				continue;
			EXPECT_EQ(pass % 2 ? 2 * (KEYS - 1 - seen) : 2 * seen, n);
			seen++;
		}
		EXPECT_EQ(KEYS, seen);
	}
	kid_kill(kids[0]);
	kid_kill(kids[1]);
}

TEST_HARNESS_MAIN
