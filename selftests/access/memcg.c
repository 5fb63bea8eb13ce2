// SPDX-License-Identifier: GPL-2.0
/*
 * A memory cgroup that is full: calls fail with ENOMEM, and nobody is killed for them.
 *
 * The kid that fills the group has all pages of its own locked in memory before it
 * enters, so that only what the module asks for can be short.
 */
#include <ctype.h>

#include "kit/fixture.h"
#include "kit/job.h"
#include "kit/oom.h"

#define ROOM		(4 << 20)
#define OPS		512

FIXTURE(memcg) {
	struct test_base base;
	int fd;
	struct kid *filler;
	struct kid *bystander;	/* in the group with one page, must not be killed */
	__u64 table;
	long long events;
	long long event_bytes;
};

static long job_lock_memory(struct job *job)
{
	return mlockall(MCL_CURRENT | MCL_FUTURE) ? -errno : 0;
}

static long job_touch(struct job *job)
{
	char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		return -errno;
	*page = 1;
	return *page;
}

static long job_nothing(struct job *job)
{
	return 0;
}

static int enter_group(const struct kid *kid)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", kid->pid);
	return test_write_file(OOM_GROUP "cgroup.procs", text);
}

static int make_group(void)
{
	char text[16];
	int err;

	err = test_write_file(OOM_ROOT "cgroup.subtree_control", "+memory");
	if (err)
		return err;
	if (mkdir(OOM_GROUP, 0755))
		return -errno;
	snprintf(text, sizeof(text), "%d", ROOM);
	err = test_write_file(OOM_GROUP "memory.max", text);
	return err ? err : test_write_file(OOM_GROUP "memory.oom.group", "1");
}

FIXTURE_SETUP(memcg)
{
	self->fd = test_setup(_metadata, &self->base);
	self->events = test_param("max_events");
	self->event_bytes = test_param("max_event_bytes");
	self->filler = kid_start(_metadata);
	self->bystander = kid_start_bare(_metadata);
	ASSERT_EQ(0, kid_create(self->filler, "full", KREG_ACCESS_PUBLIC, &self->table));
	self->filler->job->process = test_self(self->fd);
	ASSERT_EQ(0, kid_do(self->filler, job_lock_memory));
	ASSERT_EQ(0, make_group());
	ASSERT_EQ(0, enter_group(self->filler));
	ASSERT_EQ(0, enter_group(self->bystander));
	ASSERT_EQ(1, kid_do(self->bystander, job_touch));
}

FIXTURE_TEARDOWN_PARENT(memcg)
{
	EXPECT_EQ(0, test_set_param("max_events", self->events));
	EXPECT_EQ(0, test_set_param("max_event_bytes", self->event_bytes));
	EXPECT_EQ(0, oom_clean());
	test_teardown(_metadata, &self->base);
}

/* A counter of memory.events, or -1. */
static long long group_event(const char *name)
{
	char text[512], *line;

	if (test_read_file(OOM_GROUP "memory.events", text, sizeof(text)) <= 0)
		return -1;
	for (line = text; line; line = strchr(line, '\n')) {
		while (isspace((unsigned char)*line))
			line++;
		if (!strncmp(line, name, strlen(name)) && line[strlen(name)] == ' ')
			return atoll(line + strlen(name));
	}
	return -1;
}

static char bytes[1 << 20];

/* Objects of @job->len bytes, until one does not fit. The first error, or 0. */
static long job_put_all(struct job *job)
{
	__u32 n;
	long err = 0;

	for (n = 0; n < 4 * ROOM / (job->len + 64) && !err; n++)
		err = _test_put(job->fd, job->table, &n, sizeof(n), bytes, job->len);
	return err;
}

static long job_put_batches(struct job *job)
{
	static struct kreg_op ops[OPS];
	static __u32 keys[OPS];
	__u32 n, i;
	long err = 0;

	for (n = 0; n < 2 * ROOM / 64 && !err; n += OPS) {
		for (i = 0; i < OPS; i++) {
			keys[i] = n + i;
			ops[i] = test_op_value(KREG_OP_PUT, &keys[i], sizeof(keys[i]), bytes, 8);
		}
		err = _test_batch(job->fd, job->table, job->flags, ops, OPS, NULL);
		/* The queue is to be empty before the next batch. */
		if (err == -EAGAIN || (!err && job->flags & KREG_WRITE_ASYNC))
			err = _test_sync(job->fd);
	}
	return err;
}

static long job_make_tables(struct job *job)
{
	int n;
	long err = 0;

	for (n = 0; n < ROOM / 1024 && !err; n++) {
		job->open = test_open_cmd(NULL, KREG_OPEN_CREATE | job->flags);
		if (job->flags & KREG_OPEN_HEIR) {
			job->open.heir = job->process;
			job->open.data = test_ptr(bytes);
			job->open.data_len = 100;
		}
		err = _test_open_cmd(job->fd, &job->open);
	}
	return err;
}

/* @fn fails with ENOMEM, and nobody is killed. */
static void expect_full(struct __test_metadata *_metadata, struct kid *filler,
			struct kid *bystander, long (*fn)(struct job *job))
{
	EXPECT_EQ(-ENOMEM, kid_do(filler, fn));
	EXPECT_LT(0, group_event("max"));
	EXPECT_EQ(0, group_event("oom_kill"));
	EXPECT_EQ(0, kid_do(bystander, job_nothing));
}

#define EXPECT_FULL(fn)	expect_full(_metadata, self->filler, self->bystander, fn)

TEST_F(memcg, puts)
{
	struct kid *kid = self->filler;

	kid->job->len = 10;
	EXPECT_FULL(job_put_all);
	/* What is there can be read and deleted. */
	EXPECT_LT(0, test_objects(self->fd, self->table));
	EXPECT_EQ(0, kid_op(kid, self->table, KREG_OP_DELETE, "none"));
	EXPECT_EQ(0, kid_op(kid, self->table, KREG_OP_CLEAR, ""));
	EXPECT_EQ(0, kid_destroy(kid, self->table));
	EXPECT_EQ(0, group_event("oom_kill"));
}

TEST_F(memcg, puts_of_pages)
{
	self->filler->job->len = 5000;
	EXPECT_FULL(job_put_all);
}

TEST_F(memcg, puts_of_long_values)
{
	self->filler->job->len = 200000;
	EXPECT_FULL(job_put_all);
	self->filler->job->len = 20000;
	EXPECT_FULL(job_put_all);
}

TEST_F(memcg, batches)
{
	EXPECT_FULL(job_put_batches);
}

TEST_F(memcg, asynchronous_batches)
{
	self->filler->job->flags = KREG_WRITE_ASYNC;
	EXPECT_FULL(job_put_batches);
}

TEST_F(memcg, tables)
{
	EXPECT_FULL(job_make_tables);
}

/* The mailbox is made so large that the group's memory ends first. */
TEST_F(memcg, heirs)
{
	ASSERT_EQ(0, test_set_param("max_events", 1 << 20));
	ASSERT_EQ(0, test_set_param("max_event_bytes", 1 << 28));
	self->filler->job->flags = KREG_OPEN_HEIR;
	EXPECT_FULL(job_make_tables);
}

TEST_HARNESS_MAIN
