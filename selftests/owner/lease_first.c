// SPDX-License-Identifier: GPL-2.0
/*
 * FIRST of LEASE: an ordered table as a queue.
 */
#include <pthread.h>
#include <sys/mman.h>

#include "kit/fixture.h"
#include "kit/bound.h"
#include "kit/filter.h"
#include "kit/lease.h"

FIXTURE(first) {
	struct test_base base;
	int fd;
	__u64 table;
	char key[64], value[64];
};

FIXTURE_SETUP(first)
{
	self->fd = test_setup(_metadata, &self->base);
	ASSERT_EQ(0, _test_create_type(self->fd, "jobs", KREG_TYPE_ORDERED_SET,
				       KREG_ACCESS_PUBLIC, &self->table));
}

FIXTURE_TEARDOWN_PARENT(first)
{
	test_teardown(_metadata, &self->base);
}

static struct kreg_ioc_lease first_cmd(__u64 table, char *key, __u32 key_len, char *value,
				       __u32 value_len)
{
	struct kreg_ioc_lease cmd = {
		.size = sizeof(cmd),
		.flags = KREG_LEASE_FIRST,
		.table = table,
		.key = test_ptr(key),
		.key_len = key_len,
		.value = test_ptr(value),
		.value_len = value_len,
	};

	cmd.out_key_len = ~0U;
	cmd.out_reserved2 = ~0U;
	return cmd;
}

#define FIRST()	first_cmd(self->table, self->key, sizeof(self->key), self->value, \
			  sizeof(self->value))

static void expect_first(struct __test_metadata *_metadata, int fd, struct kreg_ioc_lease *cmd,
			 const char *expected)
{
	EXPECT_EQ(0, run_lease(fd, cmd));
	EXPECT_EQ(strlen(expected), cmd->out_key_len);
	EXPECT_EQ(0, memcmp((void *)(uintptr_t)cmd->key, expected, strlen(expected)));
	EXPECT_EQ(0, cmd->out_reserved2);
	EXPECT_EQ(1, cmd->out_loans);
}

TEST_F(first, in_order)
{
	struct kreg_ioc_lease cmd = FIRST();

	EXPECT_EQ(-ENODATA, run_lease(self->fd, &cmd));
	test_puts(self->fd, self->table, "b", "second");
	test_puts(self->fd, self->table, "c", "third");
	test_puts(self->fd, self->table, "a", "first");
	expect_first(_metadata, self->fd, &cmd, "a");
	EXPECT_EQ(5, cmd.out_len);
	EXPECT_EQ(0, memcmp("first", self->value, 5));
	EXPECT_EQ(test_version(self->fd, self->table, "a"), cmd.out_version);
	/* One's own are passed over, too. */
	cmd = FIRST();
	expect_first(_metadata, self->fd, &cmd, "b");
	cmd = FIRST();
	expect_first(_metadata, self->fd, &cmd, "c");
	cmd = FIRST();
	EXPECT_EQ(-ENODATA, run_lease(self->fd, &cmd));
	EXPECT_EQ(0, _test_return(self->fd, self->table, "b", 0));
	cmd = FIRST();
	EXPECT_EQ(0, run_lease(self->fd, &cmd));
	EXPECT_EQ(2, cmd.out_loans);
	EXPECT_EQ('b', self->key[0]);
}

TEST_F(first, in_a_range)
{
	struct kreg_term term = test_term_bytes(KREG_TERM_VALUE, 0, "x", 1);
	struct kreg_ioc_lease cmd = FIRST();

	test_puts(self->fd, self->table, "a", "x");
	test_puts(self->fd, self->table, "b", "y");
	test_puts(self->fd, self->table, "c", "x");
	test_puts(self->fd, self->table, "d", "x");
	cmd.range.low = test_ptr("b");
	cmd.range.low_len = 1;
	cmd.range.high = test_ptr("d");
	cmd.range.high_len = 1;
	cmd.range.flags = KREG_RANGE_HIGH_OPEN;
	test_set_filter(&cmd.range, &term, 1);
	expect_first(_metadata, self->fd, &cmd, "c");
	cmd.key_len = sizeof(self->key);
	EXPECT_EQ(-ENODATA, run_lease(self->fd, &cmd));
	EXPECT_EQ(0, cmd.out_key_len);
	cmd = FIRST();
	cmd.range.after = test_ptr("a");
	cmd.range.after_len = 1;
	expect_first(_metadata, self->fd, &cmd, "b");
}

/* What others have on loan, what is bound, and what expires. */
TEST_F(first, passed_over)
{
	struct kid *kid = kid_start(_metadata);
	struct kreg_ioc_lease cmd = FIRST();
	struct kreg_more more = { .size = sizeof(more), .idle_ms = 3600000 };
	struct kreg_op op = test_op_puts("c", "v");

	test_puts(self->fd, self->table, "a", "v");
	ASSERT_EQ(1, kid_lease(kid, self->table, "a"));
	ASSERT_EQ(0, kid_bind(kid, self->table, "b", "v"));
	op.flags = KREG_OP_MORE;
	op.arg = test_ptr(&more);
	test_op_(self->fd, self->table, 0, &op);
	EXPECT_EQ(-ENODATA, run_lease(self->fd, &cmd));
	test_puts(self->fd, self->table, "d", "v");
	cmd = FIRST();
	expect_first(_metadata, self->fd, &cmd, "d");
	/* He dies, and what he has had is there. */
	EXPECT_EQ(SIGKILL, kid_kill(kid));
	cmd = FIRST();
	EXPECT_EQ(0, run_lease(self->fd, &cmd));
	EXPECT_EQ('a', self->key[0]);
	EXPECT_EQ(2, cmd.out_loans);
}

TEST_F(first, too_little_room)
{
	struct kreg_ioc_lease cmd = FIRST();

	test_puts(self->fd, self->table, "long key", "long value");
	cmd.key_len = 7;
	EXPECT_EQ(-EMSGSIZE, run_lease(self->fd, &cmd));
	EXPECT_EQ(8, cmd.out_key_len);
	cmd = FIRST();
	cmd.value_len = 9;
	EXPECT_EQ(-EMSGSIZE, run_lease(self->fd, &cmd));
	EXPECT_EQ(10, cmd.out_len);
	EXPECT_EQ(8, cmd.out_key_len);
	EXPECT_EQ(0, test_loans(self->fd, self->table, "long key"));
	cmd = FIRST();
	expect_first(_metadata, self->fd, &cmd, "long key");
}

TEST_F(first, errors)
{
	struct kreg_ioc_lease cmd;
	__u64 set, bag;

	test_puts(self->fd, self->table, "key", "value");
	ASSERT_EQ(0, _test_create_type(self->fd, "set", KREG_TYPE_SET, 0, &set));
	ASSERT_EQ(0, _test_create_type(self->fd, "bag", KREG_TYPE_BAG, 0, &bag));
#define EXPECT_FIRST(err, change)					\
	do {								\
		cmd = FIRST();						\
		change;							\
		EXPECT_EQ(-(err), run_lease(self->fd, &cmd));		\
	} while (0)
	EXPECT_FIRST(EOPNOTSUPP, cmd.flags |= 1 << 3);
	EXPECT_FIRST(EOPNOTSUPP, cmd.range.flags = 1 << 4);
	EXPECT_FIRST(EOPNOTSUPP, cmd.table = set);
	EXPECT_FIRST(EOPNOTSUPP, cmd.table = bag);
	EXPECT_FIRST(EINVAL, cmd.flags |= KREG_LEASE_RETURN);
	EXPECT_FIRST(EINVAL, cmd.flags |= KREG_LEASE_VERSION);
	EXPECT_FIRST(EINVAL, cmd.version = 1);
	EXPECT_FIRST(EINVAL, cmd.range.flags = KREG_RANGE_EXACT);
	EXPECT_FIRST(EINVAL, cmd.flags = 0; cmd.key_len = 3; cmd.range.flags = KREG_RANGE_PREFIX);
	EXPECT_FIRST(ENAMETOOLONG, cmd.range.low = 8; cmd.range.low_len = KREG_MAX_KEY + 1);
	EXPECT_FIRST(EFAULT, cmd.range.low = 8; cmd.range.low_len = 1);
	EXPECT_FIRST(EFAULT, cmd.range.filter = 8; cmd.range.filter_count = 1);
	EXPECT_FIRST(EFAULT, cmd.key = 8);
	EXPECT_FIRST(EINVAL, cmd.table += 1000);
	EXPECT_EQ(0, test_loans(self->fd, self->table, "key"));
}

/* DELETE of what one has on loan with its version, and of what one has not. */
TEST_F(first, no_longer_mine)
{
	struct kreg_ioc_lease cmd = FIRST();
	struct kreg_op ops[2];

	test_puts(self->fd, self->table, "a", "v");
	expect_first(_metadata, self->fd, &cmd, "a");
	EXPECT_EQ(0, _test_return(self->fd, self->table, "a", 0));
	ops[0] = test_ops(KREG_OP_DELETE, "a");
	ops[0].flags = KREG_OP_MINE | KREG_OP_VERSION;
	ops[0].arg = cmd.out_version;
	ops[1] = test_op_puts("b", "v");
	test_err_op(ECANCELED, self->fd, self->table, 0, &ops[0]);
	test_err_batch(ECANCELED, self->fd, self->table, KREG_BATCH_ATOMIC, ops, 2, NULL);
	test_err_member(ENODATA, self->fd, self->table, "b");
	cmd = FIRST();
	EXPECT_EQ(0, run_lease(self->fd, &cmd));
	ops[0].arg = cmd.out_version;
	test_batch(self->fd, self->table, KREG_BATCH_ATOMIC, ops, 2, NULL);
	test_err_member(ENODATA, self->fd, self->table, "a");
	test_gets(self->fd, self->table, "b", "v");
}

#define WORKERS	3
/* Each call goes over those that the process has already. */
#define QUEUED	2000

struct worker {
	pthread_t thread;
	int fd, err;
	__u64 table;
	unsigned int lent, again, out_of_order;
};

/* Until there is none left. */
static void *lend_all(void *arg)
{
	struct worker *w = arg;
	char key[64], last[64] = "", value[64];
	struct kreg_ioc_lease cmd;

	for (;;) {
		cmd = first_cmd(w->table, key, sizeof(key), value, sizeof(value));
		w->err = run_lease(w->fd, &cmd);
		if (w->err)
			return NULL;
		w->lent++;
		w->again += cmd.out_loans != 1;
		w->out_of_order += memcmp(last, key, cmd.out_key_len) >= 0;
		memcpy(last, key, cmd.out_key_len);
	}
}

/* Of several at once each gets another object, and none goes without one while there are some. */
TEST_F(first, each_another)
{
	struct worker w[WORKERS];
	unsigned int n = test_size(QUEUED), i, lent = 0;
	char key[16];

	for (i = 0; i < n; i++) {
		snprintf(key, sizeof(key), "%06u", i);
		test_puts(self->fd, self->table, key, "value");
	}
	for (i = 0; i < WORKERS; i++) {
		w[i] = (struct worker) { .fd = test_client(), .table = self->table };
		ASSERT_LE(0, w[i].fd);
		ASSERT_EQ(0, pthread_create(&w[i].thread, NULL, lend_all, &w[i]));
	}
	for (i = 0; i < WORKERS; i++) {
		pthread_join(w[i].thread, NULL);
		EXPECT_EQ(-ENODATA, w[i].err);
		EXPECT_EQ(0, w[i].again);
		EXPECT_EQ(0, w[i].out_of_order);
		lent += w[i].lent;
		close(w[i].fd);
	}
	EXPECT_EQ(n, lent);
	EXPECT_EQ(n, test_bound(self->fd, self->table));
}

/* Another writes to the one object that there is, of which some versions are meant. */
struct writer {
	pthread_t thread;
	int fd;
	__u64 table;
	bool stop;
};

#define WRITTEN	5000		/* too much to be copied where it is found */

static void *write_by_turns(void *arg)
{
	static char value[WRITTEN];
	struct writer *w = arg;
	struct kreg_op op = test_op_value(KREG_OP_PUT, "a", 1, value, sizeof(value));
	unsigned int i;

	for (i = 0; !__atomic_load_n(&w->stop, __ATOMIC_RELAXED); i++) {
		memset(value, i & 1 ? 'x' : 'y', sizeof(value));
		op.value_len = i & 2 ? 1 : WRITTEN;
		/* It is on loan just now. */
		if (_test_op(w->fd, w->table, 0, &op))
			sched_yield();
	}
	return NULL;
}

static void start_writer(struct __test_metadata *_metadata, struct writer *w, __u64 table)
{
	*w = (struct writer) { .fd = test_client(), .table = table };
	test_puts(w->fd, table, "a", "x");
	ASSERT_EQ(0, pthread_create(&w->thread, NULL, write_by_turns, w));
}

static void stop_writer(struct writer *w)
{
	__atomic_store_n(&w->stop, true, __ATOMIC_RELAXED);
	pthread_join(w->thread, NULL);
	close(w->fd);
}

/* It can be had at every moment, so it is not passed over. */
TEST_F(first, written_meanwhile)
{
	static char value[WRITTEN];
	struct writer w;
	unsigned int i;

	start_writer(_metadata, &w, self->table);
	for (i = 0; i < test_size(3000); i++) {
		struct kreg_ioc_lease cmd = first_cmd(self->table, self->key, sizeof(self->key),
						      value, sizeof(value));

		ASSERT_EQ(0, run_lease(self->fd, &cmd));
		ASSERT_EQ(0, _test_return(self->fd, self->table, "a", 0));
	}
	stop_writer(&w);
}

/*
 * What is lent matches what was asked for, also if another version of it was found: where the
 * caller's page is not there it is copied out later.
 */
TEST_F(first, matches_when_lent)
{
	struct kreg_term term = test_term_bytes(KREG_TERM_VALUE, 0, "x", 1);
	const size_t room = 2 * WRITTEN;
	char *value = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned int i, lent = 0;
	struct writer w;
	int err;

	ASSERT_NE(MAP_FAILED, value);
	start_writer(_metadata, &w, self->table);
	for (i = 0; i < test_size(3000); i++) {
		struct kreg_ioc_lease cmd = first_cmd(self->table, self->key, sizeof(self->key),
						      value, room);

		ASSERT_EQ(0, madvise(value, room, MADV_DONTNEED));
		test_set_filter(&cmd.range, &term, 1);
		err = run_lease(self->fd, &cmd);
		if (err == -ENODATA)
			continue;
		ASSERT_EQ(0, err);
		ASSERT_EQ('x', value[0]);
		ASSERT_EQ(0, _test_return(self->fd, self->table, "a", 0));
		lent++;
	}
	stop_writer(&w);
	EXPECT_LT(0, lent);
}

TEST_HARNESS_MAIN
