// SPDX-License-Identifier: GPL-2.0
/*
 * Tables of another namespace can be seen and destroyed with CAP_SYS_ADMIN over its user
 * namespace, and by nobody else.
 */
#include "access/userns.h"

FIXTURE(userns) {
	struct test_base base;
	int fd;
};

FIXTURE_SETUP(userns)
{
	self->fd = test_setup(_metadata, &self->base);
}

FIXTURE_TEARDOWN_PARENT(userns)
{
	test_teardown(_metadata, &self->base);
}

/* The number that /proc has for one of the caller's namespaces. */
static __u64 namespace_of(const char *kind)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/self/ns/%s", kind);
	return stat(path, &st) ? 0 : st.st_ino;
}

static long job_info_flags(struct job *job)
{
	return _test_info_flags(job->fd, job->table, job->flags, &job->info);
}

static long kid_info_any(struct kid *kid, __u64 id)
{
	kid->job->table = id;
	kid->job->flags = ANY;
	return kid_do(kid, job_info_flags);
}

static long job_destroy_flags(struct job *job)
{
	return _test_destroy_flags(job->fd, job->table, job->flags);
}

static long kid_destroy_any(struct kid *kid, __u64 id)
{
	kid->job->table = id;
	kid->job->flags = ANY;
	return kid_do(kid, job_destroy_flags);
}

static long job_listed_flags(struct job *job)
{
	return test_listed_flags(job->fd, job->flags, job->table);
}

static long kid_listed_any(struct kid *kid, __u64 id)
{
	kid->job->table = id;
	kid->job->flags = ANY;
	return kid_do(kid, job_listed_flags);
}

/* A parked table in a user namespace without processes, whose pid namespace lives on. */
TEST_F(userns, parked_tables_are_reachable)
{
	struct kid *kid = start_alone(_metadata, 1000);
	struct kreg_info info;
	__u64 id;

	ASSERT_EQ(0, kid_create_parked(kid, "left", &id));
	EXPECT_EQ(SIGKILL, kid_kill(kid));
	test_sync(self->fd);

	EXPECT_EQ(1, test_listed_flags(self->fd, ANY, id));
	ASSERT_EQ(0, _test_info_flags(self->fd, id, ANY, &info));
	EXPECT_EQ(KREG_INFO_PARKED, info.flags);
	EXPECT_EQ(1000, info.uid);
	EXPECT_EQ(4, info.name_len);
	EXPECT_NE(0, info.user_ns);
	EXPECT_NE(namespace_of("user"), info.user_ns);
	EXPECT_EQ(namespace_of("pid"), info.pid_ns);

	/* Not without the flag, so that nobody does it by mistake. */
	EXPECT_EQ(0, test_listed(self->fd, id));
	test_err_info(ESTALE, self->fd, id, &info);
	test_err_destroy(ESTALE, self->fd, id);
	EXPECT_EQ(0, _test_destroy_flags(self->fd, id, ANY));
	EXPECT_EQ(0, test_listed_flags(self->fd, ANY, id));
	EXPECT_EQ(-ESTALE, _test_info_flags(self->fd, id, ANY, &info));
	EXPECT_EQ(-ESTALE, _test_destroy_flags(self->fd, id, ANY));
	/* Nothing holds the module any more. */
	EXPECT_TRUE(test_wait_for(test_param("tables") == 0));
}

/* Tables that have an owner can be destroyed as well; the owner lives on. */
TEST_F(userns, owned_tables_are_reachable)
{
	struct kid *kid = start_alone(_metadata, 1000);
	struct kreg_info info;
	__u64 id;

	ASSERT_EQ(0, kid_create_parked(kid, "owned", &id));
	ASSERT_EQ(0, _test_info_flags(self->fd, id, ANY, &info));
	EXPECT_TRUE(test_same(kid->self, info.owner));
	EXPECT_EQ(0, _test_destroy_flags(self->fd, id, ANY));
	EXPECT_EQ(-ESTALE, kid_info(kid, id));
	EXPECT_EQ(0, kid_create_parked(kid, "owned", &id));
	EXPECT_EQ(0, _test_destroy_flags(self->fd, id, ANY));
}

/* The user who made the user namespace may do it; another user may not. */
TEST_F(userns, its_maker_reaches_it)
{
	struct kid *kid = start_alone(_metadata, 1000);
	struct kid *maker = kid_start_as(_metadata, 1000);
	struct kid *other = kid_start_as(_metadata, 1001);
	__u64 id, own;

	ASSERT_EQ(0, kid_create_parked(kid, "left", &id));
	EXPECT_EQ(SIGKILL, kid_kill(kid));

	EXPECT_EQ(0, kid_listed_any(other, id));
	EXPECT_EQ(-ESTALE, kid_info_any(other, id));
	EXPECT_EQ(-ESTALE, kid_destroy_any(other, id));

	EXPECT_EQ(1, kid_listed_any(maker, id));
	EXPECT_EQ(0, kid_info_any(maker, id));
	EXPECT_EQ(1000, maker->job->info.uid);
	EXPECT_EQ(0, kid_destroy_any(maker, id));
	EXPECT_EQ(-ESTALE, kid_info_any(maker, id));

	/* The flag gives no right over a table of one's own namespace. */
	ASSERT_EQ(0, kid_create_parked(maker, "own", &own));
	EXPECT_EQ(0, kid_listed_any(other, own));
	EXPECT_EQ(-EACCES, kid_info_any(other, own));
	EXPECT_EQ(-EACCES, kid_destroy_any(other, own));
	EXPECT_EQ(1, kid_listed_any(maker, own));
	EXPECT_EQ(0, kid_destroy_any(maker, own));
}

/* Root of a user namespace may not do it to tables of neighbours and of the initial one. */
TEST_F(userns, no_power_sideways_or_upwards)
{
	struct kid *kid = start_alone(_metadata, 1000);
	struct kid *neighbour = start_alone(_metadata, 1000);
	struct kreg_info info;
	__u64 host, id;

	test_create(self->fd, "host", KREG_ACCESS_PUBLIC, &host);
	ASSERT_EQ(0, kid_create_parked(kid, "kid's", &id));
	EXPECT_EQ(0, kid_listed_any(neighbour, id));
	EXPECT_EQ(-ESTALE, kid_info_any(neighbour, id));
	EXPECT_EQ(-ESTALE, kid_destroy_any(neighbour, id));
	EXPECT_EQ(0, kid_listed_any(neighbour, host));
	EXPECT_EQ(-ESTALE, kid_info_any(neighbour, host));
	EXPECT_EQ(-ESTALE, kid_destroy_any(neighbour, host));
	/* Root of the initial user namespace may do it to all. */
	EXPECT_EQ(1, test_listed_flags(self->fd, ANY, host));
	EXPECT_EQ(1, test_listed_flags(self->fd, ANY, id));
	test_info(self->fd, host, &info);
	EXPECT_EQ(namespace_of("user"), info.user_ns);
	EXPECT_EQ(0, _test_destroy_flags(self->fd, id, ANY));
	test_destroy(self->fd, host);
}

/* As root of a user namespace; returns 0, or the number of the step that went wrong. */
static long job_child_below(struct job *job)
{
	int fds[2], status, err;
	struct kreg_info info;
	__u64 id = 0;
	pid_t pid;

	if (pipe(fds))
		return 1;
	pid = fork();
	if (!pid) {
		struct kreg_ioc_open cmd = test_open_cmd("below",
							 KREG_OPEN_CREATE);
		int fd;

		if (unshare(CLONE_NEWUSER))
			_exit(1);
		fd = test_client();
		cmd.orphan = KREG_ORPHAN_PARK;
		_exit(_test_open_cmd(fd, &cmd) ||
		      write(fds[1], &cmd.out_table, 8) != 8);
	}
	if (waitpid(pid, &status, 0) != pid || status)
		return 2;
	if (read(fds[0], &id, sizeof(id)) != sizeof(id))
		return 3;
	close(fds[0]);
	close(fds[1]);
	if (test_listed_flags(job->fd, ANY, id) != 1)
		return 4;
	if (test_listed(job->fd, id))
		return 5;
	err = _test_info_flags(job->fd, id, ANY, &info);
	if (err || !(info.flags & KREG_INFO_PARKED))
		return 6;
	return _test_destroy_flags(job->fd, id, ANY) ? 7 : 0;
}

/* A user namespace that was made within one is below it, and in reach from there. */
TEST_F(userns, reaches_what_is_below)
{
	struct kid *kid = start_alone(_metadata, 1000);

	EXPECT_EQ(0, kid_do(kid, job_child_below));
	EXPECT_EQ(SIGKILL, kid_kill(kid));
}

/* Pids are those of the caller's pid namespace; 0 with a cookie if it has none. */
TEST_F(userns, pids_are_the_callers)
{
	struct kid *kid = kid_start_how(_metadata, &(struct kid_how) {
		.flags = CLONE_NEWPID,
	});
	struct kreg_info info;
	__u64 inside, outside;

	ASSERT_EQ(1, kid->self.pid);
	ASSERT_EQ(0, kid_create_parked(kid, "inside", &inside));
	test_create(self->fd, "outside", 0, &outside);
	ASSERT_EQ(0, _test_info_flags(self->fd, inside, ANY, &info));
	EXPECT_EQ(kid->pid, (pid_t)info.owner.pid);
	EXPECT_EQ(kid->self.cookie, info.owner.cookie);
	EXPECT_EQ(namespace_of("user"), info.user_ns);
	EXPECT_NE(namespace_of("pid"), info.pid_ns);

	ASSERT_EQ(0, kid_info_any(kid, inside));
	EXPECT_EQ(1, kid->job->info.owner.pid);
	/* Root in a pid namespace alone is root of the initial user namespace. */
	ASSERT_EQ(0, kid_info_any(kid, outside));
	EXPECT_EQ(0, kid->job->info.owner.pid);
	EXPECT_EQ(test_self(self->fd).cookie, kid->job->info.owner.cookie);
	EXPECT_EQ(0, _test_destroy_flags(self->fd, inside, ANY));
	EXPECT_EQ(0, kid_destroy_any(kid, outside));
	EXPECT_EQ(SIGKILL, kid_kill(kid));
}

/* Without the capability a table of another namespace looks like one that is gone. */
TEST_F(userns, ids_tell_nothing)
{
	struct kid *kid = start_alone(_metadata, 1000);
	struct kid *other = kid_start_as(_metadata, 1001);
	__u64 living, gone, never[] = { 0, 0, ~0ULL };
	unsigned int i, round;

	ASSERT_EQ(0, kid_create_parked(kid, "gone", &gone));
	ASSERT_EQ(0, kid_create_parked(kid, "living", &living));
	EXPECT_EQ(0, kid_destroy(kid, gone));
	never[1] = living + 1000;
	for (round = 0; round < 2; round++) {
		other->job->flags = round ? ANY : 0;
		other->job->table = living;
		EXPECT_EQ(-ESTALE, kid_do(other, job_destroy_flags));
		EXPECT_EQ(-ESTALE, kid_do(other, job_info_flags));
		EXPECT_EQ(0, kid_do(other, job_listed_flags));
		other->job->table = gone;
		EXPECT_EQ(-ESTALE, kid_do(other, job_destroy_flags));
		EXPECT_EQ(-ESTALE, kid_do(other, job_info_flags));
		for (i = 0; i < ARRAY_SIZE(never); i++) {
			other->job->table = never[i];
			EXPECT_EQ(-EINVAL, kid_do(other, job_destroy_flags));
			EXPECT_EQ(-EINVAL, kid_do(other, job_info_flags));
		}
	}
	EXPECT_EQ(0, kid_destroy(kid, living));
}

#define KIDS	5
#define EACH	70	/* more than one portion, and more than a chunk of slots in all */

/* LIST in portions has each table once, while others are made and destroyed. */
TEST_F(userns, list_is_complete)
{
	static __u64 ids[KIDS][EACH];
	struct kreg_info infos[3];
	unsigned int i, j, seen[KIDS] = { 0 };
	struct kid *kids[KIDS];
	__u64 after = 0, id;
	__u32 more = 1;
	int n, k;

	for (i = 0; i < KIDS; i++) {
		kids[i] = start_alone(_metadata, 1000 + i);
		for (j = 0; j < EACH; j++)
			ASSERT_EQ(0, kid_create_parked(kids[i], NULL,
						       &ids[i][j]));
	}
	/* Holes in the array of tables, which are filled while the list is under way. */
	for (j = 0; j < EACH; j += 3)
		ASSERT_EQ(0, kid_destroy(kids[0], ids[0][j]));
	while (more) {
		n = _test_list_flags(self->fd, ANY, after, infos, 3, &more);
		ASSERT_LE(0, n);
		for (k = 0; k < n; k++)
			for (i = 1; i < KIDS; i++)
				for (j = 0; j < EACH; j++)
					seen[i] += ids[i][j] == infos[k].id;
		if (n)
			after = infos[n - 1].id;
		ASSERT_EQ(0, kid_create(kids[0], NULL, 0, &id));
		ASSERT_EQ(0, kid_destroy(kids[0], id));
	}
	for (i = 1; i < KIDS; i++)
		EXPECT_EQ(EACH, seen[i]);
	for (i = 0; i < KIDS; i++)
		for (j = 0; j < EACH; j++)
			_test_destroy_flags(self->fd, ids[i][j], ANY);
}

TEST_F(userns, names_are_of_one_namespace)
{
	struct kreg_info info;
	struct kreg_ioc_info cmd = {
		.size = sizeof(cmd),
		.flags = ANY,
		.name = test_ptr("name"),
		.name_len = 4,
		.info = test_ptr(&info),
		.info_len = sizeof(info),
	};
	__u64 id;

	test_create(self->fd, "name", 0, &id);
	EXPECT_EQ(-EINVAL, test_ioctl(self->fd, KREG_IOC_INFO, &cmd));
	cmd.flags = 0;
	EXPECT_EQ(0, test_ioctl(self->fd, KREG_IOC_INFO, &cmd));
	test_destroy(self->fd, id);
}

static long job_read_counters(struct job *job)
{
	unsigned int i;
	long readable = 0;

	for (i = 0; i < TEST_COUNTERS; i++)
		readable += test_param(test_counters[i]) != -EACCES;
	return readable;
}

/* The counters of the module can be read only by root of the initial user namespace. */
TEST_F(userns, counters_are_for_root)
{
	struct kid *user = kid_start_as(_metadata, 1000);
	struct kid *inside = start_alone(_metadata, 1000);
	unsigned int i;

	EXPECT_EQ(0, kid_do(user, job_read_counters));
	EXPECT_EQ(0, kid_do(inside, job_read_counters));
	for (i = 0; i < TEST_COUNTERS; i++)
		EXPECT_LE(0, test_param(test_counters[i]));
	EXPECT_EQ(0, test_param("deaths"));
}

TEST_HARNESS_MAIN
