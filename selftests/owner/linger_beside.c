// SPDX-License-Identifier: GPL-2.0
/*
 * Objects that stay for a time when their process is dead, bound by several of its threads.
 */
#include <pthread.h>

#include "kit/fixture.h"
#include "kit/bound.h"

/* Longer than any test. */
#define LONG_MS		test_scale(60000)

FIXTURE(linger_beside) {
	struct test_base base;
	int fd;
	__u64 table;
};

FIXTURE_SETUP(linger_beside)
{
	self->fd = test_setup(_metadata, &self->base);
	test_create(self->fd, "names", KREG_ACCESS_REGISTRY, &self->table);
}

FIXTURE_TEARDOWN_PARENT(linger_beside)
{
	test_teardown(_metadata, &self->base);
}

struct binder {
	pthread_t thread;
	int fd;
	__u64 table;			/* changes */
	bool stop;
};

static int bind_and_linger(int fd, __u64 table, const char *key)
{
	struct kreg_more more = { .size = sizeof(more), .linger_ms = LONG_MS };
	struct kreg_op op = test_op_bind(key, "value");

	op.flags |= KREG_OP_MORE;
	op.arg = test_ptr(&more);
	return _test_op(fd, table, 0, &op);
}

static void *bind_and_remove(void *arg)
{
	struct binder *b = arg;

	while (!__atomic_load_n(&b->stop, __ATOMIC_RELAXED)) {
		__u64 table = __atomic_load_n(&b->table, __ATOMIC_RELAXED);

		if (!bind_and_linger(b->fd, table, "other"))
			_test_delete(b->fd, table, "other");
	}
	return NULL;
}

/* The first in a table lacks memory, and what another thread removes meanwhile is not its own. */
TEST_F(linger_beside, another_thread)
{
	struct binder b = { .fd = test_client(), .table = self->table };
	unsigned int i;
	__u64 table;

	ASSERT_EQ(0, pthread_create(&b.thread, NULL, bind_and_remove, &b));
	for (i = 0; i < test_size(2000); i++) {
		test_create(self->fd, NULL, KREG_ACCESS_PUBLIC, &table);
		__atomic_store_n(&b.table, table, __ATOMIC_RELAXED);
		EXPECT_EQ(0, bind_and_linger(self->fd, table, "key"));
		test_destroy(self->fd, table);
	}
	__atomic_store_n(&b.stop, true, __ATOMIC_RELAXED);
	pthread_join(b.thread, NULL);
	close(b.fd);
}

TEST_HARNESS_MAIN
