// SPDX-License-Identifier: GPL-2.0
/*
 * Batches of reads that ask for more than the value: to whom objects are bound, and when they
 * expire.
 */
#include <pthread.h>

#include "kit/fixture.h"
#include "kit/bound.h"
#include "kit/pin.h"
#include "kit/tick.h"

#define ROUNDS	100
#define ROOM	256
#define HOUR_NS	3600000000000ULL

static const char * const keys[] = { "bound", "none", "plain", "timed", "long" };

#define KEYS	ARRAY_SIZE(keys)
/* More reads, so many that something is written while they are made. */
#define MANY	1000

FIXTURE(read_more) {
	struct test_base base;
	int fd;
	__u64 table;
	__u64 expires;
	struct kreg_process who;
	bool runs;
	struct kreg_op ops[KEYS + MANY];
	struct kreg_more more[KEYS];
	__u64 room[KEYS][ROOM / 8];
};

FIXTURE_VARIANT(read_more) {
	__u32 type;
};

FIXTURE_VARIANT_ADD(read_more, set) {
	.type = KREG_TYPE_SET,
};

FIXTURE_VARIANT_ADD(read_more, ordered) {
	.type = KREG_TYPE_ORDERED_SET,
};

FIXTURE_VARIANT_ADD(read_more, bag) {
	.type = KREG_TYPE_BAG,
};

#define read_more_data	FIXTURE_DATA(read_more)

static void put_more(struct __test_metadata *_metadata, read_more_data *self, const char *key,
		     __u16 flags, const struct kreg_more *more)
{
	struct kreg_op op = test_op_puts(key, "value");

	op.flags = KREG_OP_MORE | flags;
	op.arg = test_ptr(more);
	ASSERT_EQ(0, _test_op(self->fd, self->table, 0, &op));
}

FIXTURE_SETUP(read_more)
{
	static char bytes[20000];
	struct kreg_more more = { .size = sizeof(more) };

	self->fd = test_setup(_metadata, &self->base);
	self->runs = variant->type == KREG_TYPE_BAG;
	ASSERT_EQ(0, _test_create_type(self->fd, "read", variant->type, KREG_ACCESS_PUBLIC,
				       &self->table));
	self->who = kid_start(_metadata)->self;
	more.process = self->who;
	put_more(_metadata, self, "bound", KREG_OP_BOUND, &more);
	self->expires = test_now_ns() + HOUR_NS;
	more = (struct kreg_more) { .size = sizeof(more), .expires_ns = self->expires };
	put_more(_metadata, self, "timed", 0, &more);
	ASSERT_EQ(0, _test_puts(self->fd, self->table, "plain", "value"));
	ASSERT_EQ(0, _test_put(self->fd, self->table, "long", 4, bytes, sizeof(bytes)));
}

FIXTURE_TEARDOWN_PARENT(read_more)
{
	test_teardown(_metadata, &self->base);
}

/* What is not told keeps this. */
static const struct kreg_process unknown = { ~0U, ~0U, ~0ULL };

/* All ask for more but "plain", which is MEMBER. For "long" there is too little room. */
static int read_so_many(read_more_data *self, __u32 flags, __u32 count, __u32 *done)
{
	unsigned int i;

	for (i = 0; i < KEYS; i++) {
		struct kreg_op *op = &self->ops[i];

		*op = test_op_value(KREG_OP_GET, keys[i], strlen(keys[i]), self->room[i], ROOM);
		self->more[i] = (struct kreg_more) {
			.size = sizeof(self->more[i]),
			.out_process = unknown,
			.out_expires_ns = ~0ULL,
		};
		op->flags = KREG_OP_MORE;
		op->arg = test_ptr(&self->more[i]);
	}
	self->ops[2].code = KREG_OP_MEMBER;
	self->ops[2].value = 0;
	self->ops[2].value_len = 0;
	return _test_batch(self->fd, self->table, flags, self->ops, count, done);
}

static int read_all(read_more_data *self, __u32 flags, __u32 *done)
{
	return read_so_many(self, flags, KEYS, done);
}

static bool tells(const read_more_data *self, unsigned int i, int error, struct kreg_process who,
		  __u64 expires)
{
	const struct kreg_more *more = &self->more[i];

	return (int)self->ops[i].out_error == error && test_same(who, more->out_process) &&
	       more->out_expires_ns == expires;
}

static void check_all(struct __test_metadata *_metadata, const read_more_data *self)
{
	const struct kreg_process nobody = {};

	/* Of several objects it is not told whose they are. */
	EXPECT_TRUE(tells(self, 0, 0, self->runs ? nobody : self->who, 0));
	EXPECT_TRUE(tells(self, 1, ENODATA, unknown, ~0ULL));
	EXPECT_TRUE(tells(self, 2, 0, nobody, 0));
	EXPECT_TRUE(tells(self, 3, 0, nobody, self->expires));
	EXPECT_TRUE(tells(self, 4, EMSGSIZE, nobody, 0));
	EXPECT_EQ(1, self->ops[0].out_count);
	EXPECT_EQ(1, self->ops[2].out_count);
	EXPECT_EQ(self->runs ? 40 : 5, self->ops[3].out_len);
	EXPECT_LE(20000, self->ops[4].out_len);
}

TEST_F(read_more, of_one_batch)
{
	__u32 flags, done;

	for (flags = 0; flags <= KREG_BATCH_ATOMIC; flags += KREG_BATCH_ATOMIC) {
		ASSERT_EQ(0, read_all(self, flags, &done));
		EXPECT_EQ(3, done);
		check_all(_metadata, self);
	}
}

/* A batch with others that do not ask. */
TEST_F(read_more, among_others)
{
	__u32 done;

	ASSERT_EQ(0, read_all(self, 0, &done));
	self->ops[0].flags = 0;
	self->ops[0].arg = 0;
	self->ops[3].flags = 0;
	self->ops[3].arg = 0;
	self->more[0].out_expires_ns = ~0ULL;
	self->more[3].out_expires_ns = ~0ULL;
	ASSERT_EQ(0, _test_batch(self->fd, self->table, 0, self->ops, KEYS, &done));
	EXPECT_EQ(3, done);
	EXPECT_EQ(0, self->ops[0].out_error);
	EXPECT_EQ(~0ULL, self->more[0].out_expires_ns);
	EXPECT_EQ(~0ULL, self->more[3].out_expires_ns);
	EXPECT_EQ(0, self->ops[3].out_error);
}

struct writer {
	pthread_t thread;
	int fd;
	__u64 table;
	int stop;
	unsigned long failed, pinned;
};

static void *write_always(void *arg)
{
	struct writer *w = arg;

	while (!__atomic_load_n(&w->stop, __ATOMIC_RELAXED)) {
		w->failed += !!_test_puts(w->fd, w->table, "other", "value");
		w->failed += !!_test_delete(w->fd, w->table, "other");
		w->pinned += !!test_pins(w->fd, w->table);
	}
	return NULL;
}

/* Of one moment, while the table is written to without a pause, so that it gets pinned. */
TEST_F(read_more, by_pin)
{
	struct writer w = { .fd = test_client(), .table = self->table };
	int i, rounds = test_size(ROUNDS);
	__u32 done;

	for (i = 0; i < MANY; i++)
		self->ops[KEYS + i] = test_ops(KREG_OP_MEMBER, "plain");
	ASSERT_LE(0, w.fd);
	ASSERT_EQ(0, pthread_create(&w.thread, NULL, write_always, &w));
	for (i = 0; i < rounds || (!__atomic_load_n(&w.pinned, __ATOMIC_RELAXED) && i < 100000);
	     i++) {
		ASSERT_EQ(0, read_so_many(self, KREG_BATCH_ATOMIC, KEYS + MANY, &done));
		EXPECT_EQ(3 + MANY, done);
		check_all(_metadata, self);
	}
	__atomic_store_n(&w.stop, 1, __ATOMIC_RELAXED);
	pthread_join(w.thread, NULL);
	EXPECT_EQ(0, w.failed);
	EXPECT_LT(0, w.pinned);
	close(w.fd);
}

TEST_F(read_more, errors)
{
	struct kreg_more *more = &self->more[3];
	__u32 flags, done;

	for (flags = 0; flags <= KREG_BATCH_ATOMIC; flags += KREG_BATCH_ATOMIC) {
		ASSERT_EQ(0, read_all(self, flags, &done));
#define EXPECT_BAD(err, change)							\
		do {								\
			*more = (struct kreg_more) { .size = sizeof(*more) };	\
			self->ops[3].arg = test_ptr(more);			\
			change;							\
			test_err_batch(err, self->fd, self->table, flags, self->ops, KEYS, NULL); \
		} while (0)
		EXPECT_BAD(EFAULT, self->ops[3].arg = 8);
		EXPECT_BAD(EINVAL, more->size--);
		EXPECT_BAD(E2BIG, more->size = 1 << 20);
		EXPECT_BAD(EOPNOTSUPP, more->flags = KREG_MORE_ALL + 1);
		EXPECT_BAD(EINVAL, more->if_version = 1);
		EXPECT_BAD(EINVAL, more->filter_count = 1);
		EXPECT_BAD(EINVAL, more->expires_ns = 1);
		EXPECT_BAD(EINVAL, more->linger_ms = 1);
		EXPECT_BAD(EINVAL, more->process = self->who);
	}
	EXPECT_BAD(EOPNOTSUPP, flags = KREG_WRITE_ASYNC);
	/* What it says is looked at before the table is, and before others are read. */
	test_destroy(self->fd, self->table);
	self->ops[0].flags = 0;
	self->ops[0].arg = 0;
	for (flags = 0; flags <= KREG_BATCH_ATOMIC; flags += KREG_BATCH_ATOMIC) {
		EXPECT_BAD(EOPNOTSUPP, more->flags = KREG_MORE_ALL + 1);
		EXPECT_BAD(EINVAL, more->if_version = 1);
		EXPECT_BAD(ESTALE, (void)more);
	}
}

TEST_HARNESS_MAIN
