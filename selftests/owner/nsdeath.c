// SPDX-License-Identifier: GPL-2.0
/*
 * Deaths by lack of memory, and in other pid namespaces.
 */
#include "kit/fixture.h"
#include "kit/job.h"
#include "kit/oom.h"

FIXTURE(nsdeath) {
	struct test_base base;
	int fd;
	struct kreg_process me;
};

FIXTURE_SETUP(nsdeath)
{
	self->fd = test_setup(_metadata, &self->base);
	self->me = test_self(self->fd);
}

FIXTURE_TEARDOWN_PARENT(nsdeath)
{
	test_teardown(_metadata, &self->base);
}

TEST_F(nsdeath, out_of_memory)
{
	struct kid *kid = kid_start(_metadata);
	struct kreg_process dead = kid->self;
	struct kreg_info info;
	struct test_event event;
	__u64 left, lost;

	ASSERT_EQ(0, kid_create_heir(kid, "left", self->me, "", &left));
	ASSERT_EQ(0, kid_puts(kid, left, "k", "v"));
	ASSERT_EQ(0, kid_create(kid, "lost", 0, &lost));
	ASSERT_EQ(0, oom_prepare(kid));
	kid_ask(kid, job_hog);
	ASSERT_TRUE(kid_dead(kid));
	test_err_info(ESTALE, self->fd, lost, &info);
	test_event_now(self->fd, &event);
	test_transfer(&event, left, dead, KREG_CAUSE_DEATH);
	EXPECT_EQ(KREG_EVENT_STATUS, event.e.flags);
	EXPECT_EQ(SIGKILL, event.e.status);
	test_gets(self->fd, left, "k", "v");
	EXPECT_EQ(SIGKILL, kid_reap(kid));
	EXPECT_EQ(0, oom_clean());
}

/* A kid that is process 1 of a namespace, with children in it. */
static struct kid *start_init(struct __test_metadata *_metadata)
{
	return kid_start_how(_metadata,
			     &(struct kid_how) { .flags = CLONE_NEWPID });
}

/*
 * In the namespace: a child whose table the init inherits, and that dies.
 * Returns 0, or the number of the step that went wrong.
 */
static long job_child_dies(struct job *job)
{
	struct kreg_process init = test_self(job->fd), child;
	int fds[2], fd, status;
	struct test_event event;
	__u64 id = 0;
	char room[8];
	pid_t pid;

	if (pipe(fds))
		return 1;
	pid = fork();
	if (!pid) {
		fd = test_client();
		child = test_self(fd);
		if (_test_create(fd, "child's", 0, &id) ||
		    _test_puts(fd, id, "k", "v") ||
		    _test_heir(fd, id, init, "data", 4, 0) ||
		    write(fds[1], &id, sizeof(id)) != sizeof(id) ||
		    write(fds[1], &child, sizeof(child)) != sizeof(child))
			_exit(1);
		_exit(9);
	}
	if (read(fds[0], &id, sizeof(id)) != sizeof(id) ||
	    read(fds[0], &child, sizeof(child)) != sizeof(child))
		return 2;
	close(fds[0]);
	close(fds[1]);
	if (child.pid != (__u32)pid)
		return 3;
	if (waitpid(pid, &status, 0) != pid || status != 9 << 8)
		return 4;
	if (_test_event_now(job->fd, &event))
		return 5;
	if (event.e.table != id || !test_same(event.e.process, child) ||
	    event.e.status != 9 << 8)
		return 6;
	if (_test_gets(job->fd, id, "k", room, sizeof(room)))
		return 7;
	return _test_destroy(job->fd, id) ? 8 : 0;
}

TEST_F(nsdeath, within_a_namespace)
{
	struct kid *init = start_init(_metadata);
	int i;

	for (i = 0; i < 10; i++)
		ASSERT_EQ(0, kid_do(init, job_child_dies));
	EXPECT_EQ(SIGKILL, kid_kill(init));
}

/* A child of the init creates a table and dies, so that it is parked. */
static long job_child_parks(struct job *job)
{
	int fd, status;
	pid_t pid = fork();
	__u64 id;

	if (!pid) {
		fd = test_client();
		_exit(_test_create(fd, "parked", 0, &id) ||
		      _test_orphan(fd, id, KREG_ORPHAN_PARK, 0) ? 1 : 0);
	}
	if (waitpid(pid, &status, 0) != pid || status)
		return -ECHILD;
	if (_test_info_name(job->fd, "parked", &job->info))
		return -ENOENT;
	return job->info.flags & KREG_INFO_PARKED ? 0 : -EINVAL;
}

/* When the init of a pid namespace dies all of its tables are destroyed, parked or not. */
TEST_F(nsdeath, init_dies)
{
	struct kid *init = start_init(_metadata);
	long long tables = test_param("tables");
	__u64 own;

	ASSERT_EQ(0, kid_do(init, job_child_parks));
	ASSERT_EQ(0, kid_create(init, "init's", 0, &own));
	ASSERT_EQ(0, kid_orphan(init, own, KREG_ORPHAN_PARK, 0));
	EXPECT_EQ(tables + 2, test_param("tables"));
	EXPECT_EQ(SIGKILL, kid_kill(init));
	/* Those that are being freed are counted as well. */
	EXPECT_TRUE(test_wait_for(test_param("tables") == tables));
}

static long job_many_children(struct job *job)
{
	__u64 id;
	int i, fd;

	for (i = 0; i < 10; i++) {
		if (fork())
			continue;
		fd = test_client();
		if (_test_create(fd, NULL, 0, &id) ||
		    _test_orphan(fd, id, KREG_ORPHAN_PARK, 0) ||
		    _test_create(fd, NULL, 0, &id) ||
		    _test_heir(fd, id, job->self, "", 0, 0))
			_exit(1);
		while (1)
			pause();
	}
	return 0;
}

/* All processes of the namespace die at once, heirs among them. */
TEST_F(nsdeath, all_die_with_init)
{
	long long tables = test_param("tables");
	struct kid *init = start_init(_metadata);

	ASSERT_EQ(0, kid_do(init, job_many_children));
	EXPECT_TRUE(test_wait_for(test_param("tables") == tables + 20));
	EXPECT_EQ(SIGKILL, kid_kill(init));
	/* Those that are being freed are counted as well. */
	EXPECT_TRUE(test_wait_for(test_param("tables") == tables));
}

/* The end of a pid namespace does not concern a table of the same name outside. */
TEST_F(nsdeath, same_name_outside)
{
	struct kid *init = start_init(_metadata);
	struct kreg_info info;
	__u64 inside, outside;

	test_create(self->fd, "same", 0, &outside);
	ASSERT_EQ(0, kid_create(init, "same", 0, &inside));
	EXPECT_EQ(SIGKILL, kid_kill(init));
	test_info_name(self->fd, "same", &info);
	EXPECT_EQ(outside, info.id);
	EXPECT_TRUE(test_same(self->me, info.owner));
	test_destroy(self->fd, outside);
}

TEST_HARNESS_MAIN
