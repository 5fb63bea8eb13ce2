// SPDX-License-Identifier: GPL-2.0
/*
 * The first object of a table that is bound, while plain writes are under way that may have
 * to keep its bond.
 */
#include <linux/userfaultfd.h>
#include <pthread.h>

#include "kit/fixture.h"
#include "kit/bound.h"

FIXTURE(first_bound) {
	struct test_base base;
	int fd;
	struct kreg_process me;
};

FIXTURE_SETUP(first_bound)
{
	self->fd = test_setup(_metadata, &self->base);
	self->me = test_self(self->fd);
}

FIXTURE_TEARDOWN_PARENT(first_bound)
{
	test_teardown(_metadata, &self->base);
}

/* A batch of plain writes, whose last value is in memory that is not there yet. */
struct late {
	int fd;
	__u64 table;
	__u32 flags;
	int uffd;
	char *page;
	long ret;
};

static void *late_batch(void *arg)
{
	struct late *late = arg;
	struct kreg_op ops[3] = {
		test_op_puts("k0", "batch"), test_op_puts("k1", "batch"),
		test_op_value(KREG_OP_PUT, "k2", 2, late->page, 5),
	};

	late->ret = _test_batch(late->fd, late->table, late->flags, ops, 3, NULL);
	return NULL;
}

static void late_prepare(struct __test_metadata *_metadata, struct late *late)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };

	late->page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, late->page);
	late->uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	ASSERT_LE(0, late->uffd);
	ASSERT_EQ(0, ioctl(late->uffd, UFFDIO_API, &api));
	reg.range.start = test_ptr(late->page);
	reg.range.len = PAGE;
	ASSERT_EQ(0, ioctl(late->uffd, UFFDIO_REGISTER, &reg));
}

/* The batch has its slots when it wants that page. */
static void late_wait(struct __test_metadata *_metadata, struct late *late)
{
	struct pollfd pfd = { .fd = late->uffd, .events = POLLIN };

	ASSERT_EQ(1, poll(&pfd, 1, PATIENCE_MS));
}

static void late_go_on(struct __test_metadata *_metadata, struct late *late)
{
	static char page[PAGE] __attribute__((aligned(PAGE))) = "batch";
	struct uffdio_copy copy = {
		.dst = test_ptr(late->page), .src = test_ptr(page), .len = PAGE,
	};

	ASSERT_EQ(0, ioctl(late->uffd, UFFDIO_COPY, &copy));
}

/* A batch that began when nothing was bound has no room for the bonds that it has to keep. */
TEST_F(first_bound, first_amid_a_batch)
{
	static const __u32 flags[] = { 0, KREG_BATCH_ATOMIC, KREG_WRITE_ASYNC };
	static const char * const keys[] = { "k0", "k1", "k2" };
	struct late late = { .fd = self->fd };
	pthread_t thread;
	unsigned int i, n;

	for (n = 0; n < ARRAY_SIZE(flags); n++) {
		bool async = flags[n] == KREG_WRITE_ASYNC;

		late.flags = flags[n];
		test_create(self->fd, NULL, KREG_ACCESS_PUBLIC, &late.table);
		late_prepare(_metadata, &late);
		ASSERT_EQ(0, pthread_create(&thread, NULL, late_batch, &late));
		late_wait(_metadata, &late);
		for (i = 0; i < 3; i++)
			test_bind(self->fd, late.table, keys[i], "bound");
		late_go_on(_metadata, &late);
		pthread_join(thread, NULL);
		EXPECT_EQ(0, late.ret);
		/* Nobody waits, who could have it made anew. */
		EXPECT_EQ(async ? -EAGAIN : 0, _test_sync(self->fd));
		for (i = 0; i < 3; i++) {
			EXPECT_TRUE(test_is_of(self->fd, late.table, keys[i], self->me));
			test_gets(self->fd, late.table, keys[i], async ? "bound" : "batch");
		}
		EXPECT_EQ(3, test_bound(self->fd, late.table));
		close(late.uffd);
		munmap(late.page, PAGE);
		test_destroy(self->fd, late.table);
	}
}

/* Batches of plain writes that began when nothing was bound. */
static long job_put_batches(struct job *job)
{
	struct kreg_op ops[20];
	char keys[20][8];
	int i, err = 0;

	for (i = 0; i < 20; i++) {
		snprintf(keys[i], sizeof(keys[i]), "k%d", i);
		ops[i] = test_op_puts(keys[i], "batch");
	}
	for (i = 0; i < (int)job->arg && !err; i++)
		err = _test_batch(job->fd, job->table, 0, ops, 20, NULL);
	return err;
}

TEST_F(first_bound, first_while_batches_go_on)
{
	struct kid *kid = kid_start(_metadata);
	int i, n;

	for (n = 0; n < 10; n++) {
		__u64 id;

		test_create(self->fd, NULL, KREG_ACCESS_PUBLIC, &id);
		kid->job->table = id;
		kid->job->arg = 50;
		kid_ask(kid, job_put_batches);
		for (i = 0; i < 20; i++) {
			char key[8];

			snprintf(key, sizeof(key), "k%d", i);
			test_bind(self->fd, id, key, "bound");
			EXPECT_TRUE(test_is_of(self->fd, id, key, self->me));
		}
		EXPECT_EQ(0, kid_answer(kid));
		EXPECT_EQ(20, test_bound(self->fd, id));
		test_destroy(self->fd, id);
	}
}

TEST_HARNESS_MAIN
