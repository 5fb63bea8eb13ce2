// SPDX-License-Identifier: GPL-2.0
/* libkreg: children whose tables are quarantined when too many of them have died. */
#include "lib/again.h"
#include "lib/leave.h"

#define HOUR_MS		(3600 * 1000)

static const char *const list[] = { "limit-table", NULL };

/* With a table that is to see one death. */
static struct kreg_child limited(const char *id)
{
	struct kreg_child child = obedient(id, KREG_PERMANENT);

	child.tables = list;
	child.max_deaths = 1;
	child.deaths_ms = HOUR_MS;
	return child;
}

static int begin(struct kreg_supervisor **sup, struct kreg_client *client, const char *name,
		 struct record *record)
{
	struct kreg_child a = obedient("a", KREG_PERMANENT), b = limited("b");
	int ret = make(sup, client, name, KREG_ONE_FOR_ONE, 9, record);

	ret = ret ? ret : kreg_supervisor_add(*sup, &a);
	ret = ret ? ret : kreg_supervisor_add(*sup, &b);
	return ret ? ret : kreg_supervisor_start(*sup);
}

static void kill_and_follow(struct kreg_supervisor *sup, struct record *record,
			    const char *expected)
{
	kill(pid_of(sup, "b"), SIGKILL);
	follow(sup, record, expected);
}

/* Of the role of this child: 1 or 0; -1: there is none. */
static int is_quarantined(struct kreg_client *client, const char *name, const char *id,
			  unsigned int *limit)
{
	struct kreg_stat *stat;
	char role[100];
	int is;

	snprintf(role, sizeof(role), "supervisor.%s/%s", name, id);
	if (kreg_stat_by_name(client, role, &stat))
		return -1;
	is = kreg_stat_quarantined(stat);
	*limit = kreg_stat_limit(stat);
	kreg_stat_free(stat);
	return is;
}

static int lift(struct kreg_client *client, const char *name)
{
	struct kreg_open_options o = KREG_OPEN_OPTIONS_INIT;
	struct kreg_table *role;
	char text[100];
	int ret;

	snprintf(text, sizeof(text), "supervisor.%s/b", name);
	o.flags = KREG_OPEN_CLAIM | KREG_OPEN_QUARANTINED;
	ret = kreg_table_open(client, text, &o, &role);
	ret = ret ? ret : kreg_table_park(role);
	if (!ret)
		kreg_table_close(role);
	return ret;
}

/* One death more ends all, also the next supervisor's start, until the quarantine is lifted. */
TEST_F(sup, one_death_more)
{
	unsigned int limit;

	ASSERT_EQ(0, begin(&self->sup, self->client, self->name, &self->record));
	EXPECT_EQ(0, is_quarantined(self->client, self->name, "b", &limit));
	EXPECT_EQ(1, limit);
	kill_and_follow(self->sup, &self->record, "+a+b!b+b");
	EXPECT_EQ(pid_of(self->sup, "b"), owner_of(self->client, list[0]));
	kill_and_follow(self->sup, &self->record, "+a+b!b+b!b#b-a!a");
	EXPECT_STREQ("+a+b!b+b!b#b-a!a", self->record.text);
	EXPECT_NE(NULL, strstr(self->record.why, "/b' is quarantined"));
	EXPECT_EQ(-ESHUTDOWN, kreg_supervisor_run(self->sup));
	kreg_supervisor_free(self->sup);
	EXPECT_EQ(1, is_quarantined(self->client, self->name, "b", &limit));
	EXPECT_EQ(0, owner_of(self->client, list[0]));
	EXPECT_EQ(-EOWNERDEAD, begin(&self->sup, self->client, self->name, &self->record));
	EXPECT_NE(NULL, strstr(kreg_errmsg(), "child 'b' could not be started: its tables"));
	kreg_supervisor_free(self->sup);
	self->sup = NULL;
	ASSERT_EQ(0, lift(self->client, self->name));
	ASSERT_EQ(0, begin(&self->sup, self->client, self->name, &self->record));
	EXPECT_EQ(pid_of(self->sup, "b"), owner_of(self->client, list[0]));
	kreg_supervisor_free(self->sup);
	self->sup = NULL;
	EXPECT_EQ(-1, is_quarantined(self->client, self->name, "b", &limit));
	/* The role, too. */
	leave_nothing(self->client);
	EXPECT_TRUE(leave_nothing(self->client));
}

/* Who is stopped has not died of its tables, whatever it was the last of. */
TEST_F(sup, stops_are_no_deaths)
{
	unsigned int i, limit;

	ASSERT_EQ(0, begin(&self->sup, self->client, self->name, &self->record));
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, kreg_supervisor_restart_child(self->sup, "b", NULL));
	self->record.text[0] = '\0';
	for (i = 0; i < 3; i++) {
		kill_and_follow(self->sup, &self->record, "!b+b");
		EXPECT_STREQ("!b+b", self->record.text);
		ASSERT_EQ(0, kreg_supervisor_restart_child(self->sup, "b", NULL));
		EXPECT_EQ(pid_of(self->sup, "b"), owner_of(self->client, list[0]));
		self->record.text[0] = '\0';
	}
	EXPECT_EQ(0, is_quarantined(self->client, self->name, "b", &limit));
	EXPECT_EQ(1, limit);
	kill_and_follow(self->sup, &self->record, "!b+b");
	kill_and_follow(self->sup, &self->record, "!b+b!b#b-a!a");
	EXPECT_STREQ("!b+b!b#b-a!a", self->record.text);
	ASSERT_EQ(0, lift(self->client, self->name));
	kreg_supervisor_free(self->sup);
	self->sup = NULL;
	/* The role, too. */
	leave_nothing(self->client);
	EXPECT_TRUE(leave_nothing(self->client));
}

/* Another limit, or none, holds from the next start on. */
TEST_F(sup, other_limit)
{
	struct kreg_child b = limited("b");
	unsigned int limit = 0;

	ASSERT_EQ(0, begin(&self->sup, self->client, self->name, &self->record));
	b.max_deaths = 2;
	ASSERT_EQ(0, kreg_supervisor_change(self->sup, KREG_ONE_FOR_ONE, 9, 60000, &b, 1));
	follow(self->sup, &self->record, "+a+b-b!b-a!a+b");
	EXPECT_EQ(0, is_quarantined(self->client, self->name, "b", &limit));
	EXPECT_EQ(2, limit);
	b.max_deaths = 0;
	b.deaths_ms = 0;
	ASSERT_EQ(0, kreg_supervisor_change(self->sup, KREG_ONE_FOR_ONE, 9, 60000, &b, 1));
	follow(self->sup, &self->record, "+a+b-b!b-a!a+b-b!b+b");
	EXPECT_EQ(0, is_quarantined(self->client, self->name, "b", &limit));
	EXPECT_EQ(0, limit);
	kreg_supervisor_free(self->sup);
	self->sup = NULL;
	/* The role, too. */
	leave_nothing(self->client);
	EXPECT_TRUE(leave_nothing(self->client));
}

/* Deaths without a supervisor count, and the next one is told of them. */
TEST_F(again, deaths_meanwhile)
{
	int status;

	self->how.deaths = 1;
	self->pid = start_supervisor(&self->how);
	ASSERT_EQ(0, shared->started);
	kill(pid_in(self->client, self->table, "b"), SIGKILL);
	while (!strstr(shared->record.text, "!b+b"))
		usleep(1000);
	end_process(self->pid, SIGKILL);
	end_process(pid_in(self->client, self->table, "b"), SIGKILL);
	memset(&shared->record, 0, sizeof(shared->record));
	self->pid = fork_supervisor(&self->how);
	ASSERT_EQ(self->pid, waitpid(self->pid, &status, 0));
	self->pid = 0;
	EXPECT_EQ(-ESHUTDOWN, shared->started);
	EXPECT_STREQ("=a=c!b#b-c!c-a!a", shared->record.text);
	EXPECT_NE(NULL, strstr(shared->record.why, "/b' is quarantined"));
	ASSERT_EQ(0, lift(self->client, self->name));
}

static char *const sleeps[] = { "sleep", "1000", NULL };

static int supervise_request(const char *name)
{
	struct kreg_child r = limited("r");
	struct kreg_supervisor *sup;
	struct kreg_client *client;

	r.main = NULL;
	r.argv = sleeps;
	r.notify = false;
	if (kreg_client_open(NULL, &client) ||
	    make(&sup, client, name, KREG_ONE_FOR_ONE, 9, &shared->record) ||
	    kreg_supervisor_start(sup) || kreg_supervisor_start_child(sup, &r, NULL))
		return 1;
	raise(SIGKILL);
	return 2;
}

/* The limit of a child on request is known to the next supervisor. */
TEST_F(again, of_a_request)
{
	struct kreg_supervisor *sup;
	unsigned int limit = 0;
	int status;
	pid_t pid;

	pid = fork();
	if (!pid)
		_exit(supervise_request(self->name));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(SIGKILL, status);
	ASSERT_EQ(0, make(&sup, self->client, self->name, KREG_ONE_FOR_ONE, 9, &shared->record));
	ASSERT_EQ(0, kreg_supervisor_start(sup));
	ASSERT_EQ(0, kreg_supervisor_restart_child(sup, "r", NULL));
	EXPECT_EQ(0, is_quarantined(self->client, self->name, "r", &limit));
	EXPECT_EQ(1, limit);
	kreg_supervisor_free(sup);
	/* The role, too. */
	leave_nothing(self->client);
	EXPECT_TRUE(leave_nothing(self->client));
}

TEST_HARNESS_MAIN
