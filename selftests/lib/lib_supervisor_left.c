// SPDX-License-Identifier: GPL-2.0
/* libkreg: supervisors that go on with what is seldom left, or with too few resources. */
#include <sys/resource.h>

#include "lib/left.h"

#define WANTED	"want=run start=1 restarts=0 signal=15 patience=5000"

/* This process is the next supervisor, of one child. */
static int begin(struct kreg_supervisor **sup, const struct making *how, unsigned int max)
{
	struct kreg_child child = obedient("a", KREG_PERMANENT);
	struct kreg_client *client;
	int ret = kreg_client_open(NULL, &client);

	memset(&shared->record, 0, sizeof(shared->record));
	if (!ret)
		ret = make(sup, client, how->name, KREG_ONE_FOR_ONE, max, &shared->record);
	if (!ret)
		ret = kreg_supervisor_add(*sup, &child);
	return ret ? ret : kreg_supervisor_start(*sup);
}

/* One whose program did not run is started anew, and that is no death. */
TEST_F(again, abandoned)
{
	struct kreg_supervisor *sup;
	pid_t left = start_left();

	ASSERT_EQ(0, leave(self->table, left, WANTED, "start=1 phase=setup", NULL));
	ASSERT_EQ(0, begin(&sup, &self->how, 0));
	EXPECT_STREQ("=a", shared->record.text);
	EXPECT_EQ(ABANDONED, WEXITSTATUS(end_process(left, SIGUSR2)));
	follow(sup, &shared->record, "=a!a+a");
	EXPECT_STREQ("=a!a+a", shared->record.text);
	kreg_supervisor_free(sup);
}

/* But not when the supervisor is to end. */
TEST_F(again, abandoned_at_the_end)
{
	struct kreg_supervisor *sup;
	pid_t left = start_left();

	ASSERT_EQ(0, leave(self->table, left, WANTED, "start=1 phase=setup", NULL));
	ASSERT_EQ(0, begin(&sup, &self->how, 3));
	EXPECT_EQ(ABANDONED, WEXITSTATUS(end_process(left, SIGUSR2)));
	kreg_supervisor_end(sup);
	EXPECT_EQ(0, kreg_supervisor_run(sup));
	EXPECT_STREQ("=a!a", shared->record.text);
	kreg_supervisor_free(sup);
}

/* What a child says of itself is not what its supervisor says of it. */
TEST_F(again, said_phase)
{
	struct kreg_supervisor *sup;
	pid_t left = start_left();

	ASSERT_EQ(0, leave(self->table, left, WANTED, "start=1 phase=ready status=a phase=setup",
			   NULL));
	ASSERT_EQ(0, begin(&sup, &self->how, 0));
	EXPECT_EQ(ABANDONED, WEXITSTATUS(end_process(left, SIGUSR2)));
	EXPECT_EQ(-ESHUTDOWN, kreg_supervisor_run(sup));
	EXPECT_STREQ("=a!a#a", shared->record.text);
	kreg_supervisor_free(sup);
}

/* One that has not said yet that it is ready counts as such, and its entry says so, too. */
TEST_F(again, found_starting)
{
	struct kreg_supervisor *sup;
	pid_t left = start_left();

	ASSERT_EQ(0, leave(self->table, left, WANTED, "start=1 phase=starting status=soon", NULL));
	ASSERT_EQ(0, begin(&sup, &self->how, 0));
	EXPECT_STREQ("=a", shared->record.text);
	EXPECT_TRUE(is_ready_in(self->client, self->table, "a"));
	kreg_supervisor_free(sup);
	EXPECT_EQ(SIGTERM, end_process(left, SIGKILL));
}

/* Nor is it known of another one at first whether its program runs: it does if it goes on. */
TEST_F(again, found_between)
{
	struct kreg_supervisor *sup;
	pid_t left = start_left();
	struct pollfd p;

	ASSERT_EQ(0, leave(self->table, left, WANTED, "start=1 phase=setup", NULL));
	ASSERT_EQ(0, begin(&sup, &self->how, 0));
	p = (struct pollfd){ .fd = kreg_supervisor_fd(sup), .events = POLLIN };
	EXPECT_FALSE(is_ready_in(self->client, self->table, "a"));
	while (!is_ready_in(self->client, self->table, "a")) {
		ASSERT_EQ(1, poll(&p, 1, 100000));
		ASSERT_LE(0, kreg_supervisor_dispatch(sup, 0));
	}
	/* From now on it is a death like any other. */
	EXPECT_EQ(ABANDONED, WEXITSTATUS(end_process(left, SIGUSR2)));
	EXPECT_EQ(-ESHUTDOWN, kreg_supervisor_run(sup));
	EXPECT_STREQ("=a!a#a", shared->record.text);
	kreg_supervisor_free(sup);
}

/* Of more deaths than the supervisor allows now the latest count. */
TEST_F(again, latest_deaths)
{
	struct kreg_supervisor *sup;
	unsigned long long now = kreg_deadline(0) / 1000000;
	char text[80];

	snprintf(text, sizeof(text), "1 %llu %llu", now, now);
	ASSERT_EQ(0, leave(self->table, 0, NULL, NULL, text));
	ASSERT_EQ(0, begin(&sup, &self->how, 2));
	kill(pid_in(self->client, self->table, "a"), SIGKILL);
	EXPECT_EQ(-ESHUTDOWN, kreg_supervisor_run(sup));
	EXPECT_STREQ("+a!a#a", shared->record.text);
	kreg_supervisor_free(sup);
}

/* Who cannot watch a child that lives says so, and does not take it for dead. */
TEST_F(again, no_descriptor)
{
	struct kreg_child child = obedient("a", KREG_PERMANENT);
	struct rlimit limit, few;
	struct kreg_supervisor *sup;
	pid_t left = start_left();
	int fd;

	ASSERT_EQ(0, leave(self->table, left, WANTED, "start=1 phase=ready", NULL));
	ASSERT_EQ(0, make(&sup, self->client, self->name, KREG_ONE_FOR_ONE, 3, &shared->record));
	ASSERT_EQ(0, kreg_supervisor_add(sup, &child));
	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &limit));
	fd = dup(0);
	close(fd);
	few = (struct rlimit){ .rlim_cur = fd, .rlim_max = limit.rlim_max };
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &few));
	EXPECT_EQ(-EMFILE, kreg_supervisor_start(sup));
	EXPECT_EQ(-EMFILE, kreg_supervisor_start(sup));
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	kreg_supervisor_free(sup);
	/* The next one of this process can, and stops it. */
	ASSERT_EQ(0, begin(&sup, &self->how, 3));
	EXPECT_STREQ("=a", shared->record.text);
	kreg_supervisor_free(sup);
	EXPECT_STREQ("=a-a!a", shared->record.text);
	EXPECT_EQ(SIGTERM, end_process(left, SIGKILL));
}

/* A program is started again as it was asked for; a function is not there any more. */
TEST_F(again, restart_on_request)
{
	struct kreg_supervisor *sup;
	struct kreg_process process;
	pid_t f, r;

	ASSERT_TRUE(leave_requested(&self->how, self->client, self->table, &f, &r));
	ASSERT_EQ(0, begin(&sup, &self->how, 3));
	follow(sup, &shared->record, "=a=f=r-c!c-b!b");
	EXPECT_EQ(-EOPNOTSUPP, kreg_supervisor_restart_child(sup, "f", NULL));
	EXPECT_NE(NULL, strstr(kreg_errmsg(), "child 'f' is a function"));
	EXPECT_EQ(f, pid_in(self->client, self->table, "f"));
	EXPECT_EQ(0, kreg_supervisor_restart_child(sup, "r", &process));
	EXPECT_NE(r, (pid_t)process.pid);
	EXPECT_EQ((pid_t)process.pid, pid_in(self->client, self->table, "r"));
	kreg_supervisor_free(sup);
}

/* One that is to have no tables any more has them until it is started again. */
TEST_F(again, no_tables_any_more)
{
	struct kreg_supervisor *sup;
	char role[80];

	self->how.children = 1;
	self->pid = start_supervisor(&self->how);
	ASSERT_EQ(0, shared->started);
	end_process(self->pid, SIGKILL);
	self->pid = 0;
	ASSERT_EQ(0, begin(&sup, &self->how, 3));
	EXPECT_EQ(pid_in(self->client, self->table, "a"), owner_of(self->client, "again-a"));
	EXPECT_EQ(0, kreg_supervisor_restart_child(sup, "a", NULL));
	EXPECT_EQ(getpid(), owner_of(self->client, "again-a"));
	snprintf(role, sizeof(role), "%s/a", self->table);
	EXPECT_EQ(-1, owner_of(self->client, role));
	kreg_supervisor_free(sup);
}

TEST_HARNESS_MAIN
