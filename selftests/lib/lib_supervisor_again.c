// SPDX-License-Identifier: GPL-2.0
/* libkreg: supervisors that go on with the children of one that was killed. */
#include "lib/again.h"

/* Whoever lives goes on, is watched again, and nobody is started. */
TEST_F(again, all_alive)
{
	pid_t pids[3];
	int i;

	self->pid = start_supervisor(&self->how);
	ASSERT_EQ(0, shared->started);
	for (i = 0; i < 3; i++)
		pids[i] = pid_in(self->client, self->table, ids[i]);
	end_process(self->pid, SIGKILL);
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, kill(pids[i], 0));
	EXPECT_EQ(pids[0], owner_of(self->client, "again-a"));
	memset(&shared->record, 0, sizeof(shared->record));
	self->pid = start_supervisor(&self->how);
	ASSERT_EQ(0, shared->started);
	EXPECT_STREQ("=a=b=c", shared->record.text);
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(pids[i], pid_in(self->client, self->table, ids[i]));
		EXPECT_EQ(1, shared->runs[i]);
	}
	/* It is told of a death as before, and tables come and go as before. */
	kill(pids[1], SIGKILL);
	while (shared->runs[1] != 2)
		usleep(1000);
	while (!strstr(shared->record.text, "!b+b"))
		usleep(1000);
	EXPECT_EQ(SIGKILL, shared->record.status);
	EXPECT_EQ(pid_in(self->client, self->table, "b"), owner_of(self->client, "again-b"));
	EXPECT_EQ(0, end_process(self->pid, SIGTERM));
	self->pid = 0;
	EXPECT_STREQ("=a=b=c!b+b-c!c-b!b-a!a", shared->record.text);
}

/* Who has died meanwhile is treated as one that dies now, with its status. */
static const struct {
	enum kreg_restart restart;
	int how;
	const char *expected;
} deaths[] = {
	{ KREG_PERMANENT, SIGKILL, "=a=c!b+b" },
	{ KREG_PERMANENT, EXIT_0, "=a=c!b+b" },
	{ KREG_TRANSIENT, EXIT_0, "=a=c!b" },
	{ KREG_TRANSIENT, SIGTERM, "=a=c!b" },
	{ KREG_TRANSIENT, EXIT_3, "=a=c!b+b" },
	{ KREG_TRANSIENT, SIGSEGV, "=a=c!b+b" },
	{ KREG_TRANSIENT, BY_OOM, "=a=c!b+b" },
	{ KREG_TEMPORARY, ABORT, "=a=c!b" },
};

TEST_F(again, dead_meanwhile)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(deaths); i++) {
		self->how.restart = deaths[i].restart;
		self->pid = start_supervisor(&self->how);
		ASSERT_EQ(0, shared->started);
		end_process(self->pid, SIGKILL);
		/* It is the test's now. */
		end_process(pid_in(self->client, self->table, "b"), deaths[i].how);
		memset(&shared->record, 0, sizeof(shared->record));
		self->pid = start_supervisor(&self->how);
		ASSERT_EQ(0, shared->started);
		EXPECT_STREQ(deaths[i].expected, shared->record.text);
		EXPECT_TRUE(shared->record.known);
		EXPECT_EQ(0, end_process(self->pid, SIGTERM));
		self->pid = 0;
	}
}

/* Deaths count whichever supervisor has seen them. */
TEST_F(again, intensity_is_kept)
{
	int i, status;

	self->how.max = 2;
	for (i = 0; i < 3; i++) {
		self->pid = start_supervisor(&self->how);
		ASSERT_EQ(0, shared->started) {
			TH_LOG("%s", shared->failure);
		}
		end_process(self->pid, SIGKILL);
		end_process(pid_in(self->client, self->table, "b"), SIGKILL);
	}
	memset(&shared->record, 0, sizeof(shared->record));
	self->pid = fork_supervisor(&self->how);
	ASSERT_EQ(self->pid, waitpid(self->pid, &status, 0));
	self->pid = 0;
	EXPECT_EQ(-ESHUTDOWN, shared->started);
	EXPECT_STREQ("=a=c!b#b-c!c-a!a", shared->record.text);
}

/* One that is not among the children any more is stopped; one that is new is started. */
TEST_F(again, other_children)
{
	self->how.children = 2;
	self->pid = start_supervisor(&self->how);
	ASSERT_EQ(0, shared->started);
	end_process(self->pid, SIGKILL);
	self->how.children = 1;
	memset(&shared->record, 0, sizeof(shared->record));
	self->pid = start_supervisor(&self->how);
	ASSERT_EQ(0, shared->started);
	EXPECT_STREQ("=a=b-b!b", shared->record.text);
	end_process(self->pid, SIGKILL);
	self->how.children = 3;
	memset(&shared->record, 0, sizeof(shared->record));
	self->pid = start_supervisor(&self->how);
	ASSERT_EQ(0, shared->started);
	EXPECT_STREQ("=a+b+c", shared->record.text);
}

/* Who was stopped on request stays so. */
TEST_F(again, stopped_stays)
{
	self->how.stops_b = true;
	self->pid = start_supervisor(&self->how);
	ASSERT_EQ(0, shared->started);
	end_process(self->pid, SIGKILL);
	self->how.stops_b = false;
	memset(&shared->record, 0, sizeof(shared->record));
	self->pid = start_supervisor(&self->how);
	ASSERT_EQ(0, shared->started);
	EXPECT_STREQ("=a=c", shared->record.text);
}

static bool runs_in(pid_t pid, const char *directory)
{
	char path[64], link[64] = "";

	snprintf(path, sizeof(path), "/proc/%d/cwd", pid);
	return readlink(path, link, sizeof(link) - 1) > 0 && !strcmp(link, directory);
}

/* Whether anything of this child is in the state of its supervisor. */
static bool is_known(struct kreg_client *client, const char *name, const char *id)
{
	static const char *const kinds[] = { "child", "run", "spec" };
	struct kreg_table *table;
	bool known = false;
	char key[80];
	size_t i;

	if (kreg_table_open(client, name, NULL, &table))
		return false;
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		snprintf(key, sizeof(key), "%s/%s", kinds[i], id);
		known |= !kreg_member(table, key, strlen(key));
	}
	kreg_table_close(table);
	return known;
}

/* Children on request go on as well, and a program is started again as it was asked for. */
TEST_F(again, on_request)
{
	pid_t f, r;

	ASSERT_TRUE(leave_requested(&self->how, self->client, self->table, &f, &r));
	self->how.requests = false;
	memset(&shared->record, 0, sizeof(shared->record));
	self->pid = start_supervisor(&self->how);
	ASSERT_EQ(0, shared->started);
	EXPECT_STREQ("=a=b=c=f=r", shared->record.text);
	EXPECT_EQ(f, pid_in(self->client, self->table, "f"));
	EXPECT_EQ(r, pid_in(self->client, self->table, "r"));
	kill(r, SIGKILL);
	while (!strstr(shared->record.text, "+r"))
		usleep(1000);
	EXPECT_TRUE(runs_in(pid_in(self->client, self->table, "r"), "/proc"));
	/* What was a function of the program of before is watched, and not started again. */
	kill(f, SIGKILL);
	while (!strstr(shared->record.text, "!f") || is_known(self->client, self->table, "f"))
		usleep(1000);
	/* One that has died meanwhile is started again, too. */
	end_process(self->pid, SIGKILL);
	end_process(pid_in(self->client, self->table, "r"), EXIT_3);
	memset(&shared->record, 0, sizeof(shared->record));
	self->pid = start_supervisor(&self->how);
	ASSERT_EQ(0, shared->started);
	EXPECT_STREQ("=a=b=c!r+r", shared->record.text);
	EXPECT_EQ(0, end_process(self->pid, SIGTERM));
	self->pid = 0;
	EXPECT_STREQ("=a=b=c!r+r-r!r-c!c-b!b-a!a", shared->record.text);
}

static int deaf(void *arg)
{
	signal(SIGTERM, SIG_IGN);
	return obey(arg);
}

/* A permanent child, and behind it a temporary one that has to be killed. */
static int begin_two(struct kreg_supervisor **sup, const char *name, enum kreg_strategy strategy,
		     int stop_ms)
{
	struct kreg_child a = obedient("a", KREG_PERMANENT), b = obedient("b", KREG_TEMPORARY);
	struct kreg_client *client;
	int ret = kreg_client_open(NULL, &client);

	b.main = deaf;
	b.stop_ms = stop_ms;
	memset(&shared->record, 0, sizeof(shared->record));
	if (!ret)
		ret = make(sup, client, name, strategy, 3, &shared->record);
	if (!ret)
		ret = kreg_supervisor_add(*sup, &a);
	if (!ret)
		ret = kreg_supervisor_add(*sup, &b);
	return ret ? ret : kreg_supervisor_start(*sup);
}

static pid_t supervise_two(const char *name, enum kreg_strategy strategy)
{
	struct kreg_supervisor *sup;
	pid_t pid;

	shared->started = 1;
	pid = fork();
	if (!pid) {
		shared->started = begin_two(&sup, name, strategy, 10 * PATIENCE_MS);
		_exit(shared->started || kreg_supervisor_run(sup));
	}
	while (shared->started == 1)
		usleep(1000);
	return pid;
}

/* One that is stopped for the sake of another, and never started again, is stopped to the end. */
TEST_F(again, temporary_goes_along)
{
	static const enum kreg_strategy strategies[] = { KREG_ONE_FOR_ALL, KREG_REST_FOR_ONE };
	struct kreg_supervisor *sup;
	size_t i;
	pid_t b;

	for (i = 0; i < ARRAY_SIZE(strategies); i++) {
		self->pid = supervise_two(self->name, strategies[i]);
		ASSERT_EQ(0, shared->started);
		b = pid_in(self->client, self->table, "b");
		kill(pid_in(self->client, self->table, "a"), SIGKILL);
		while (!strstr(shared->record.text, "-b"))
			usleep(1000);
		EXPECT_STREQ("+a+b!a-b", shared->record.text);
		end_process(self->pid, SIGKILL);
		self->pid = 0;
		ASSERT_EQ(0, kill(b, 0));
		ASSERT_EQ(0, begin_two(&sup, self->name, strategies[i], 100));
		EXPECT_STREQ("=b-b*b!b+a", shared->record.text);
		EXPECT_EQ(0, pid_of(sup, "b"));
		EXPECT_LT(0, pid_of(sup, "a"));
		kreg_supervisor_free(sup);
	}
}

/* One supervisor of a name at a time. */
TEST_F(again, one_at_a_time)
{
	struct kreg_supervisor *sup;

	self->pid = start_supervisor(&self->how);
	ASSERT_EQ(0, shared->started);
	EXPECT_EQ(-EBUSY, kreg_supervisor_new(self->client, self->name, 0, 3, 5000, &sup));
	EXPECT_NE(NULL, strstr(kreg_errmsg(), "belongs to process"));
}

TEST_HARNESS_MAIN
