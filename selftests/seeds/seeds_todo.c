// SPDX-License-Identifier: GPL-2.0
/* The system "Todo": a manager of lists, with the programs of userspace/examples/todo. */
#include "seeds/seeds.h"

#define SHOPPING	"shopping"

FIXTURE(todo)
{
	struct kreg_client *client;
	struct kreg_table *names, *servers, *locks;
	struct kreg_ref *ref;
	pid_t lists, manager;
};

/* The names are the test's own, so that no manager takes them along; it may write all the same. */
FIXTURE_SETUP(todo)
{
	ASSERT_EQ(0, kreg_client_open(NULL, &self->client));
	self->names = make_table(self->client, "todo.names", KREG_ACCESS_PUBLIC);
	self->servers = make_table(self->client, "todo.servers", KREG_ACCESS_REGISTRY);
	self->locks = make_table(self->client, "todo.locks", KREG_ACCESS_REGISTRY);
	ASSERT_TRUE(self->names && self->servers && self->locks);
	ASSERT_EQ(0, subscribe(self->names, &self->ref));
	self->lists = program("todo-lists", NULL);
	self->manager = program("todo-manager", "todo.names");
	ASSERT_EQ(0, is_present(self->servers, "lists"));
	ASSERT_EQ(0, is_present(self->servers, "manager"));
}

FIXTURE_TEARDOWN(todo)
{
	EXPECT_EQ(0, end(&self->lists, SIGTERM));
	end(&self->manager, SIGKILL);
	kreg_table_destroy(self->names);
	kreg_table_destroy(self->servers);
	kreg_table_destroy(self->locks);
	remove_table(self->client, "supervisor.todo-lists");
	kreg_client_close(self->client);
}

TEST_F(todo, spawns)
{
	char answer[64];
	pid_t worker;

	EXPECT_EQ(-ENODATA, whereis(self->names, SHOPPING));
	worker = create_worker(self->servers, "manager", SHOPPING);
	ASSERT_LT(0, worker);
	EXPECT_EQ(worker, whereis(self->names, SHOPPING));
	EXPECT_EQ(0, ask(self->names, SHOPPING, "put eggs", NULL, 0));
	EXPECT_EQ(0, ask(self->names, SHOPPING, "get", answer, sizeof(answer)));
	EXPECT_STREQ("eggs\n", answer);
	/* Again: the same one, no other is started, and no event comes. */
	EXPECT_EQ(worker, create_worker(self->servers, "manager", SHOPPING));
	EXPECT_EQ(0, ask(self->names, SHOPPING, "get", answer, sizeof(answer)));
	EXPECT_STREQ("eggs\n", answer);
}

TEST_F(todo, removes_on_exit)
{
	pid_t worker = create_worker(self->servers, "manager", SHOPPING);
	int status;

	EXPECT_TRUE(next_is(self->client, KREG_EVENT_CREATE, SHOPPING, worker, &status));
	EXPECT_EQ(0, stop(self->names, SHOPPING));
	EXPECT_TRUE(next_is(self->client, KREG_EVENT_EXIT, SHOPPING, worker, &status));
	EXPECT_EQ(0, status);
	EXPECT_EQ(-ENODATA, whereis(self->names, SHOPPING));
	/* And without reading the event. */
	ASSERT_LT(0, create_worker(self->servers, "manager", SHOPPING));
	EXPECT_EQ(0, stop(self->names, SHOPPING));
	EXPECT_EQ(-ENODATA, whereis(self->names, SHOPPING));
}

TEST_F(todo, removes_on_crash)
{
	static const int signals[] = { SIGKILL, SIGSEGV, SIGABRT, SIGTERM, BY_OOM };
	unsigned int i;
	pid_t worker;
	int status;

	for (i = 0; i < ARRAY_SIZE(signals); i++) {
		worker = create_worker(self->servers, "manager", SHOPPING);
		ASSERT_LT(0, worker);
		EXPECT_TRUE(next_is(self->client, KREG_EVENT_CREATE, SHOPPING, worker, &status));
		ASSERT_EQ(0, send_signal(worker, signals[i]));
		EXPECT_TRUE(next_is(self->client, KREG_EVENT_EXIT, SHOPPING, worker, &status));
		EXPECT_TRUE(WIFSIGNALED(status));
		EXPECT_EQ(signals[i] == BY_OOM ? SIGKILL : signals[i], WTERMSIG(status));
		EXPECT_EQ(-ENODATA, whereis(self->names, SHOPPING));
	}
}

/* By a code of its own. */
TEST_F(todo, removes_on_failure)
{
	pid_t worker = create_worker(self->servers, "manager", SHOPPING);
	int status;

	EXPECT_TRUE(next_is(self->client, KREG_EVENT_CREATE, SHOPPING, worker, &status));
	EXPECT_GT(0, ask(self->names, SHOPPING, "exit 3", NULL, 0));
	EXPECT_TRUE(next_is(self->client, KREG_EVENT_EXIT, SHOPPING, worker, &status));
	EXPECT_EQ(3 << 8, status);
	EXPECT_EQ(-ENODATA, whereis(self->names, SHOPPING));
}

TEST_F(todo, events)
{
	pid_t worker = create_worker(self->servers, "manager", SHOPPING);
	int status;

	EXPECT_EQ(worker, create_worker(self->servers, "manager", SHOPPING));
	EXPECT_EQ(0, stop(self->names, SHOPPING));
	EXPECT_TRUE(next_is(self->client, KREG_EVENT_CREATE, SHOPPING, worker, &status));
	EXPECT_TRUE(next_is(self->client, KREG_EVENT_EXIT, SHOPPING, worker, &status));
	EXPECT_TRUE(nothing_came(self->client));
}

/* The program that tells others: a line each, in the same order. */
TEST_F(todo, forwarded_events)
{
	char line[128], want[128];
	int fds[2], saved = dup(1);
	pid_t teller, worker;
	FILE *lines;

	ASSERT_EQ(0, pipe2(fds, O_CLOEXEC));
	dup2(fds[1], 1);
	close(fds[1]);
	teller = program("todo-events", "todo.names");
	dup2(saved, 1);
	lines = fdopen(fds[0], "r");
	ASSERT_TRUE(has_subscriptions(self->names, 2));
	worker = create_worker(self->servers, "manager", SHOPPING);
	ASSERT_LT(0, worker);
	ASSERT_EQ(0, send_signal(worker, SIGKILL));
	ASSERT_NE(NULL, fgets(line, sizeof(line), lines));
	snprintf(want, sizeof(want), "create shopping %d\n", worker);
	EXPECT_STREQ(want, line);
	ASSERT_NE(NULL, fgets(line, sizeof(line), lines));
	snprintf(want, sizeof(want), "exit shopping %d %d\n", worker, SIGKILL);
	EXPECT_STREQ(want, line);
	EXPECT_EQ(SIGKILL, end(&teller, SIGKILL));
	/* Nobody waits for it. */
	EXPECT_LT(0, create_worker(self->servers, "manager", SHOPPING));
	EXPECT_TRUE(has_subscriptions(self->names, 1));
}

TEST_F(todo, monitors_existing)
{
	pid_t worker = create_worker(self->servers, "manager", SHOPPING);
	pid_t other = create_worker(self->servers, "manager", "other");
	int status;

	ASSERT_LT(0, worker);
	ASSERT_LT(0, other);
	EXPECT_TRUE(next_is(self->client, KREG_EVENT_CREATE, SHOPPING, worker, &status));
	EXPECT_TRUE(next_is(self->client, KREG_EVENT_CREATE, "other", other, &status));
	EXPECT_EQ(0, stop(self->servers, "manager"));
	ASSERT_EQ(self->manager, waitpid(self->manager, &status, 0));
	EXPECT_EQ(0, status);
	/* One dies while there is no manager, the other under the next one. */
	ASSERT_EQ(0, send_signal(other, SIGKILL));
	EXPECT_TRUE(next_is(self->client, KREG_EVENT_EXIT, "other", other, &status));
	EXPECT_EQ(-ENODATA, whereis(self->names, "other"));
	self->manager = program("todo-manager", "todo.names");
	ASSERT_EQ(0, is_present(self->servers, "manager"));
	EXPECT_EQ(worker, whereis(self->names, SHOPPING));
	EXPECT_EQ(worker, create_worker(self->servers, "manager", SHOPPING));
	ASSERT_EQ(0, send_signal(worker, SIGKILL));
	EXPECT_TRUE(next_is(self->client, KREG_EVENT_EXIT, SHOPPING, worker, &status));
	EXPECT_EQ(-ENODATA, whereis(self->names, SHOPPING));
	EXPECT_TRUE(nothing_came(self->client));
}

TEST_F(todo, bad_table_arg)
{
	struct kreg_holder holder = KREG_HOLDER_INIT;
	struct kreg_table *table = NULL;

	ASSERT_LT(0, create_worker(self->servers, "manager", SHOPPING));
	ASSERT_EQ(0, kreg_whereis(self->names, SHOPPING, strlen(SHOPPING), &holder));
	/* Of a process there are a number and a cookie, and neither is a table. */
	EXPECT_EQ(-EINVAL, kreg_table_by_id(self->client, holder.process.pid, &table));
	EXPECT_EQ(NULL, table);
	EXPECT_EQ(-EINVAL, kreg_table_by_id(self->client, holder.process.cookie, &table));
	EXPECT_EQ(NULL, table);
	/* Of a table that is gone: it is not that the key is absent. */
	kreg_table_destroy(self->names);
	EXPECT_EQ(-ESTALE, whereis(self->names, SHOPPING));
}

TEST_F(todo, async_create_race)
{
	unsigned int i, rounds = test_size(40);
	char name[32];
	pid_t worker;

	for (i = 0; i < rounds; i++) {
		snprintf(name, sizeof(name), "later-%u", i);
		ASSERT_EQ(0, create_worker_later(self->servers, "manager", name));
		worker = whereis(self->names, name);
		EXPECT_TRUE(worker > 0 || worker == -ENODATA);
		EXPECT_EQ(0, is_present(self->names, name));
		ASSERT_EQ(0, send_signal(whereis(self->names, name), SIGKILL));
		snprintf(name, sizeof(name), "now-%u", i);
		worker = create_worker(self->servers, "manager", name);
		ASSERT_LT(0, worker);
		EXPECT_EQ(worker, whereis(self->names, name));
		ASSERT_EQ(0, send_signal(worker, SIGKILL));
	}
}

TEST_F(todo, down_race)
{
	unsigned int i, looks, rounds = test_size(60);
	pid_t worker = 0, next;

	for (i = 0; i < rounds; i++) {
		next = create_worker(self->servers, "manager", SHOPPING);
		ASSERT_LT(0, next);
		ASSERT_NE(worker, next);
		worker = next;
		ASSERT_EQ(0, send_signal(worker, SIGKILL));
		for (looks = 0; looks < 100; looks++)
			ASSERT_EQ(-ENODATA, whereis(self->names, SHOPPING));
	}
}

/* Several at once, and two managers: one list all the same. */
TEST_F(todo, created_once)
{
	pid_t pid[4], second = program("todo-manager", "todo.names"), worker;
	int i, status;

	/* The key of managers is taken: the second one says so and ends. */
	ASSERT_EQ(second, waitpid(second, &status, 0));
	EXPECT_EQ(1, WEXITSTATUS(status));
	for (i = 0; i < 4; i++) {
		pid[i] = fork();
		if (!pid[i])
			_exit(create_worker(self->servers, "manager", SHOPPING) < 0);
	}
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(pid[i], waitpid(pid[i], &status, 0));
		EXPECT_EQ(0, status);
	}
	worker = whereis(self->names, SHOPPING);
	EXPECT_TRUE(next_is(self->client, KREG_EVENT_CREATE, SHOPPING, worker, &status));
	EXPECT_TRUE(nothing_came(self->client));
}

/* The supervisor of the lists is killed: the lists go on, and the next one has them. */
TEST_F(todo, lists_supervisor_killed)
{
	pid_t worker = create_worker(self->servers, "manager", SHOPPING);

	ASSERT_LT(0, worker);
	EXPECT_EQ(0, ask(self->names, SHOPPING, "put eggs", NULL, 0));
	EXPECT_EQ(SIGKILL, end(&self->lists, SIGKILL));
	EXPECT_EQ(worker, whereis(self->names, SHOPPING));
	EXPECT_EQ(-ESRCH, create_worker(self->servers, "manager", "other"));
	self->lists = program("todo-lists", NULL);
	ASSERT_EQ(0, is_present(self->servers, "lists"));
	EXPECT_EQ(worker, create_worker(self->servers, "manager", SHOPPING));
	EXPECT_LT(0, create_worker(self->servers, "manager", "other"));
}

TEST_HARNESS_MAIN
