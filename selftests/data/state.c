// SPDX-License-Identifier: GPL-2.0
/*
 * Batches of reads with ATOMIC: what they see is of one moment, however much is written meanwhile.
 */
#include <pthread.h>

#include "kit/fixture.h"
#include "kit/bound.h"
#include "kit/pin.h"

#define KEYS	8
#define LONG	5000
#define ROUNDS	2000
#define MANY	1000

FIXTURE(state) {
	struct test_base base;
	int fd;
	__u64 table;
};

FIXTURE_VARIANT(state) {
	__u32 type;
	__u32 len;		/* of the values */
};

FIXTURE_VARIANT_ADD(state, set) {
	.type = KREG_TYPE_SET,
	.len = 8,
};

FIXTURE_VARIANT_ADD(state, ordered) {
	.type = KREG_TYPE_ORDERED_SET,
	.len = LONG,
};

FIXTURE_VARIANT_ADD(state, blobs) {
	.type = KREG_TYPE_SET,
	.len = 20000,
};

static const char * const keys[KEYS] = { "a", "b", "c", "d", "e", "f", "g", "h" };

/* Who writes all keys, together, without a pause. */
struct writer {
	pthread_t thread;
	int fd;
	__u64 table;
	__u32 len;
	int stop;
	unsigned long most;	/* writes, or 0: until it is to stop */
	unsigned long writes, failed, pinned;	/* pinned: writes with a pin there */
};

static int write_together(int fd, __u64 table, __u64 stamp, void *value, __u32 len)
{
	struct kreg_op ops[KEYS];
	int i;

	memcpy(value, &stamp, sizeof(stamp));
	for (i = 0; i < KEYS; i++)
		ops[i] = test_op_value(KREG_OP_PUT, keys[i], 1, value, len);
	return _test_batch(fd, table, 0, ops, KEYS, NULL);
}

static void *write_always(void *arg)
{
	struct writer *w = arg;
	void *value = calloc(1, w->len);

	while (!__atomic_load_n(&w->stop, __ATOMIC_RELAXED) && (!w->most || w->writes < w->most)) {
		w->failed += !!write_together(w->fd, w->table, ++w->writes, value, w->len);
		w->pinned += !!test_pins(w->fd, w->table);
	}
	free(value);
	return NULL;
}

FIXTURE_SETUP(state)
{
	void *value = calloc(1, variant->len);

	self->fd = test_setup(_metadata, &self->base);
	ASSERT_EQ(0, _test_create_type(self->fd, "state", variant->type, KREG_ACCESS_PUBLIC,
				       &self->table));
	ASSERT_EQ(0, write_together(self->fd, self->table, 0, value, variant->len));
	free(value);
}

FIXTURE_TEARDOWN_PARENT(state)
{
	EXPECT_EQ(0, test_set_param("max_pin_ms", KREG_MAX_PIN_MS));
	test_teardown(_metadata, &self->base);
}

static void start_writer(struct __test_metadata *_metadata, struct writer *w, __u64 table,
			 __u32 len)
{
	w->fd = test_client();
	w->table = table;
	w->len = len;
	ASSERT_LE(0, w->fd);
	ASSERT_EQ(0, pthread_create(&w->thread, NULL, write_always, w));
	/* What is read now is read while it writes. */
	ASSERT_TRUE(test_wait_for(__atomic_load_n(&w->writes, __ATOMIC_RELAXED)));
}

static void stop_writer(struct __test_metadata *_metadata, struct writer *w)
{
	__atomic_store_n(&w->stop, 1, __ATOMIC_RELAXED);
	pthread_join(w->thread, NULL);
	EXPECT_EQ(0, w->failed);
	close(w->fd);
}

/* Read all with ATOMIC: have they one stamp and one version? */
static int reads_one_state(int fd, __u64 table, char *room, __u32 len)
{
	struct kreg_op ops[KEYS];
	__u64 stamp, first;
	int i, err;

	for (i = 0; i < KEYS; i++)
		ops[i] = test_op_value(KREG_OP_GET, keys[i], 1, room + i * len, len);
	err = _test_batch(fd, table, KREG_BATCH_ATOMIC, ops, KEYS, NULL);
	if (err)
		return err;
	memcpy(&first, room, sizeof(first));
	for (i = 0; i < KEYS; i++) {
		memcpy(&stamp, room + i * len, sizeof(stamp));
		if (ops[i].out_error || ops[i].out_len != len || stamp != first ||
		    ops[i].out_version != ops[0].out_version)
			return 1;
	}
	return 0;
}

TEST_F(state, one_moment)
{
	char *room = malloc(KEYS * variant->len);
	struct writer w = {};
	int i, rounds = test_size(ROUNDS);

	start_writer(_metadata, &w, self->table, variant->len);
	for (i = 0; i < rounds; i++)
		ASSERT_EQ(0, reads_one_state(self->fd, self->table, room, variant->len));
	stop_writer(_metadata, &w);
	EXPECT_LT(0, w.writes);
	EXPECT_TRUE(test_wait_for(!test_pins(self->fd, self->table)));
	free(room);
}

/* Where pins are not allowed none is made for it: it ends when nothing is written meanwhile. */
TEST_F(state, pins_not_allowed)
{
	static struct kreg_op ops[MANY];
	struct writer w = { .most = 200 };
	int i;

	for (i = 0; i < MANY; i++)
		ops[i] = test_op(KREG_OP_MEMBER, keys[i % KEYS], 1);
	ASSERT_EQ(0, test_set_param("max_pin_ms", 0));
	start_writer(_metadata, &w, self->table, variant->len);
	for (i = 0; i < 4; i++)
		EXPECT_EQ(0, _test_batch(self->fd, self->table, KREG_BATCH_ATOMIC, ops, MANY,
					 NULL));
	stop_writer(_metadata, &w);
	EXPECT_LT(0, w.writes);
	EXPECT_EQ(0, w.pinned);
}

/* Where there is no room for another pin it is as it was, but for the time it takes. */
TEST_F(state, without_a_pin)
{
	char *room = malloc(KEYS * variant->len);
	__u64 pins[KREG_MAX_PINS];
	int i;

	for (i = 0; i < KREG_MAX_PINS; i++)
		test_pin(self->fd, self->table, 0, &pins[i]);
	for (i = 0; i < 100; i++)
		ASSERT_EQ(0, reads_one_state(self->fd, self->table, room, variant->len));
	free(room);
}

/* In a page that has not been touched so far, and one that may not be written. */
TEST_F(state, fresh_pages)
{
	size_t size = KEYS * variant->len;
	struct writer w = {};
	char *room;
	int i, rounds = test_size(100);

	start_writer(_metadata, &w, self->table, variant->len);
	for (i = 0; i < rounds; i++) {
		room = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		ASSERT_NE(MAP_FAILED, room);
		EXPECT_EQ(0, reads_one_state(self->fd, self->table, room, variant->len));
		EXPECT_EQ(0, mprotect(room, size, PROT_READ));
		EXPECT_EQ(-EFAULT, reads_one_state(self->fd, self->table, room, variant->len));
		munmap(room, size);
	}
	stop_writer(_metadata, &w);
}

TEST_F(state, each_its_error)
{
	struct kreg_op ops[4];
	struct writer w = {};
	char *room = malloc(variant->len), brief[4], part[4] = "";
	int i, rounds = test_size(ROUNDS / 4);
	__u32 done;

	start_writer(_metadata, &w, self->table, variant->len);
	for (i = 0; i < rounds; i++) {
		ops[0] = test_op_value(KREG_OP_GET, "none", 4, brief, sizeof(brief));
		ops[1] = test_op_value(KREG_OP_GET, "a", 1, brief, sizeof(brief));
		ops[2] = test_op_value(KREG_OP_GET, "b", 1, part, sizeof(part));
		ops[2].flags = KREG_OP_PART;
		ops[2].offset = variant->len - 2;
		ops[3] = test_op(KREG_OP_MEMBER, "c", 1);
		ASSERT_EQ(0, _test_batch(self->fd, self->table, KREG_BATCH_ATOMIC, ops, 4, &done));
		EXPECT_EQ(2, done);
		EXPECT_EQ(ENODATA, ops[0].out_error);
		EXPECT_EQ(EMSGSIZE, ops[1].out_error);
		EXPECT_EQ(variant->len, ops[1].out_len);
		EXPECT_EQ(0, ops[2].out_error);
		EXPECT_EQ(variant->len, ops[2].out_len);
		EXPECT_EQ(0, ops[3].out_error);
		EXPECT_EQ(ops[2].out_version, ops[3].out_version);
		ops[2].offset = variant->len + 1;
		ASSERT_EQ(0, _test_batch(self->fd, self->table, KREG_BATCH_ATOMIC, &ops[2], 2,
					 &done));
		EXPECT_EQ(ERANGE, ops[2].out_error);
	}
	stop_writer(_metadata, &w);
	free(room);
}

TEST_F(state, errors)
{
	struct kreg_op op = test_op_value(KREG_OP_GET, "a", 1, NULL, 0);

	test_err_batch(EINVAL, self->fd, self->table, KREG_BATCH_ATOMIC | KREG_WRITE_ASYNC, &op, 1,
		       NULL);
	test_destroy(self->fd, self->table);
	test_err_batch(ESTALE, self->fd, self->table, KREG_BATCH_ATOMIC, &op, 1, NULL);
}

TEST_HARNESS_MAIN
