// SPDX-License-Identifier: GPL-2.0
/* libkreg: supervisors that are started again after their start has failed. */
#include <sys/resource.h>

#include "lib/again.h"

/* Until there is a file. */
static int fails_without(void *arg)
{
	return access(arg, F_OK) ? 3 : obey(arg);
}

FIXTURE(retry)
{
	struct kreg_client *client;
	struct kreg_supervisor *sup;
	struct record record;
	char name[32], path[64];
};

FIXTURE_SETUP(retry)
{
	struct kreg_child a = obedient("a", KREG_PERMANENT), b = obedient("b", KREG_PERMANENT);
	static const char *const list[] = { "retry-table", NULL };

	snprintf(self->name, sizeof(self->name), "s%d", getpid());
	snprintf(self->path, sizeof(self->path), "/tmp/retry-%d", getpid());
	ASSERT_EQ(0, kreg_client_open(NULL, &self->client));
	ASSERT_EQ(0, make(&self->sup, self->client, self->name, KREG_ONE_FOR_ONE, 3,
			  &self->record));
	a.tables = list;
	b.main = fails_without;
	b.arg = self->path;
	ASSERT_EQ(0, kreg_supervisor_add(self->sup, &a));
	ASSERT_EQ(0, kreg_supervisor_add(self->sup, &b));
}

FIXTURE_TEARDOWN(retry)
{
	kreg_supervisor_free(self->sup);
	destroy_named(self->client, "retry-table");
	kreg_client_close(self->client);
	unlink(self->path);
}

/* As often as it fails, and then it is as any other. */
TEST_F(retry, child_fails)
{
	struct kreg_child c = obedient("c", KREG_PERMANENT);

	EXPECT_EQ(-ECHILD, kreg_supervisor_start(self->sup));
	EXPECT_STREQ("+a!b?b-a!a", self->record.text);
	EXPECT_EQ(-EBUSY, kreg_supervisor_dispatch(self->sup, 0));
	EXPECT_NE(NULL, strstr(kreg_errmsg(), "is to be started first"));
	self->record.text[0] = '\0';
	EXPECT_EQ(-ECHILD, kreg_supervisor_start(self->sup));
	EXPECT_NE(NULL, strstr(kreg_errmsg(), "child 'b' died before it was ready"));
	EXPECT_STREQ("+a!b?b-a!a", self->record.text);
	close(open(self->path, O_CREAT | O_WRONLY, 0600));
	ASSERT_EQ(0, kreg_supervisor_add(self->sup, &c));
	self->record.text[0] = '\0';
	ASSERT_EQ(0, kreg_supervisor_start(self->sup));
	EXPECT_STREQ("+a+b+c", self->record.text);
	EXPECT_EQ(pid_of(self->sup, "a"), owner_of(self->client, "retry-table"));
	EXPECT_EQ(-EBUSY, kreg_supervisor_start(self->sup));
	EXPECT_NE(NULL, strstr(kreg_errmsg(), "was started already"));
	kill(pid_of(self->sup, "a"), SIGKILL);
	follow(self->sup, &self->record, "+a+b+c!a+a");
	EXPECT_EQ(pid_of(self->sup, "a"), owner_of(self->client, "retry-table"));
	self->record.text[0] = '\0';
	kreg_supervisor_free(self->sup);
	self->sup = NULL;
	EXPECT_STREQ("-c!c-b!b-a!a", self->record.text);
}

/* One that is freed after a start that has failed leaves nothing to go on with. */
TEST_F(retry, nothing_is_left)
{
	char table[64], role[80];

	EXPECT_EQ(-ECHILD, kreg_supervisor_start(self->sup));
	kreg_supervisor_free(self->sup);
	self->sup = NULL;
	snprintf(table, sizeof(table), "supervisor.%s", self->name);
	snprintf(role, sizeof(role), "supervisor.%s/a", self->name);
	EXPECT_EQ(-1, owner_of(self->client, table));
	EXPECT_EQ(-1, owner_of(self->client, role));
	EXPECT_EQ(getpid(), owner_of(self->client, "retry-table"));
}

/* Asked to end, it is over for good. */
TEST_F(retry, ended)
{
	kreg_supervisor_end(self->sup);
	EXPECT_EQ(-ESHUTDOWN, kreg_supervisor_start(self->sup));
	EXPECT_EQ(-EBUSY, kreg_supervisor_start(self->sup));
	EXPECT_NE(NULL, strstr(kreg_errmsg(), "has stopped its children for good"));
	EXPECT_EQ(0, kreg_supervisor_run(self->sup));
}

/* No more descriptors than these from now on; how many there were. */
static int allow_more(int more, struct rlimit *limit)
{
	struct rlimit few;
	int fd = dup(0);

	close(fd);
	if (fd < 0 || getrlimit(RLIMIT_NOFILE, limit))
		return -errno;
	few = (struct rlimit){ .rlim_cur = fd + more, .rlim_max = limit->rlim_max };
	return setrlimit(RLIMIT_NOFILE, &few) ? -errno : 0;
}

/*
 * The children of a supervisor that was killed, of which some are found before it fails: none is
 * watched twice, no death counts twice, and none is started.
 */
TEST_F(again, finding_fails)
{
	struct kreg_supervisor *sup;
	struct rlimit limit;
	int i;

	self->how.requests = true;
	self->pid = start_supervisor(&self->how);
	ASSERT_EQ(0, shared->started);
	kill(pid_in(self->client, self->table, "b"), SIGKILL);
	while (!strstr(shared->record.text, "!b+b"))
		usleep(1000);
	end_process(self->pid, SIGKILL);
	self->pid = 0;
	ASSERT_EQ(0, make(&sup, self->client, self->name, KREG_ONE_FOR_ONE, 3, &shared->record));
	self->how.children = 2;
	ASSERT_EQ(0, add_all(sup, &self->how));
	for (i = 0; i < 4; i++) {
		/* Beside those that the last time has needed. */
		ASSERT_EQ(0, allow_more(i > 0, &limit));
		EXPECT_EQ(-EMFILE, kreg_supervisor_start(sup));
		ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	}
	shared->record.text[0] = '\0';
	ASSERT_EQ(0, kreg_supervisor_start(sup));
	EXPECT_STREQ("=a=b=f=r=c-c!c", shared->record.text);
	shared->record.text[0] = '\0';
	/* The second and the third are the last that are allowed. */
	for (i = 0; i < 2; i++) {
		kill(pid_of(sup, "b"), SIGKILL);
		follow(sup, &shared->record, i ? "!b+b!b+b" : "!b+b");
	}
	EXPECT_STREQ("!b+b!b+b", shared->record.text);
	kill(pid_of(sup, "b"), SIGKILL);
	EXPECT_EQ(-ESHUTDOWN, kreg_supervisor_run(sup));
	EXPECT_EQ(2, shared->runs[1] - 2);
	kreg_supervisor_free(sup);
}

TEST_HARNESS_MAIN
