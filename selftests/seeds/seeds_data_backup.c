// SPDX-License-Identifier: GPL-2.0
/* The example data-backup under kreg supervise: its upstream's tests, and what that was weak in. */
#include "seeds/supervised.h"

enum { MASTER, SERVER };

FIXTURE(db)
{
	struct seed s;
	pid_t heir, master, server;
	uint64_t id;
};

FIXTURE_SETUP(db)
{
	ASSERT_EQ(0, go_to_tests());
	if (!can_supervise("data-backup.yaml"))
		SKIP(return, "this kreg cannot supervise");
	self->s = (struct seed){
		.file = "data-backup.yaml", .names = "backup.names", .table = "ets",
		.keys = { "master", "server" },
	};
	ASSERT_EQ(0, begin_seed(&self->s));
	self->master = pid_of(&self->s, MASTER);
	self->server = pid_of(&self->s, SERVER);
	self->id = table_id(&self->s);
}

FIXTURE_TEARDOWN(db)
{
	end_seed(&self->s, "supervisor.backup");
}

static void stop_server(struct __test_metadata *_metadata)
{
	ASSERT_EQ(0, super("stop", "backup", "server"));
}

/* Three that have names, and none of them before or after. */
TEST_F(db, start)
{
	struct kreg_holder holder = KREG_HOLDER_INIT;
	struct kreg_table *state;

	EXPECT_LT(0, self->master);
	EXPECT_LT(0, self->server);
	ASSERT_EQ(0, kreg_table_open(self->s.client, "supervisor.backup", NULL, &state));
	ASSERT_EQ(0, kreg_wait(state, "control", 7, KREG_WATCH_PRESENT, 0, PATIENCE_MS));
	ASSERT_EQ(0, kreg_whereis(state, "control", 7, &holder));
	EXPECT_EQ(self->s.supervisor, holder.process.pid);
	EXPECT_EQ(0, end_supervisor(&self->s, SIGTERM));
	EXPECT_EQ(0, pid_of(&self->s, MASTER));
	EXPECT_EQ(0, pid_of(&self->s, SERVER));
	EXPECT_GT(0, kreg_whereis(state, "control", 7, &holder));
	kreg_table_close(state);
	ASSERT_EQ(0, begin_seed(&self->s));
	EXPECT_LT(0, pid_of(&self->s, SERVER));
}

static int64_t now_us(void)
{
	return kreg_deadline(0) / 1000;
}

/* How long this machine takes to start a program that does nothing: it may be emulated. */
static int64_t time_of_start(void)
{
	int64_t begin = now_us();
	int status, i;
	pid_t pid;

	for (i = 0; i < 10; i++) {
		pid = fork();
		if (!pid) {
			if (!freopen("/dev/null", "w", stderr))
				_exit(1);
			execl("./data-server", "data-server", NULL);
			_exit(1);
		}
		waitpid(pid, &status, 0);
	}
	return (now_us() - begin) / 10;
}

/* From the kill until another process has answered with what the old one had. */
static int64_t time_of_recovery(struct seed *s)
{
	int64_t begin = now_us();
	pid_t old = make_die(s, SERVER, &causes[0]);

	if (wait_for_new(s, SERVER, old) < 0 || !says(s, SERVER, "get 1", "test"))
		return INT64_MAX;
	return now_us() - begin;
}

TEST_F(db, preserved)
{
	int64_t limit = test_scale(100000) + 5 * time_of_start(), took;

	EXPECT_TRUE(says(&self->s, SERVER, "insert 1 test", "ok"));
	took = time_of_recovery(&self->s);
	TH_LOG("%lld us, limit %lld us", (long long)took, (long long)limit);
	EXPECT_GT(limit, took);
	EXPECT_NE(self->server, pid_of(&self->s, SERVER));
	EXPECT_EQ(self->id, table_id(&self->s));
}

TEST_F(db, master_init)
{
	stop_server(_metadata);
	ASSERT_EQ(0, super("restart", "backup", "master"));
	self->master = pid_of(&self->s, MASTER);
	EXPECT_LT(0, self->master);
	EXPECT_EQ(self->master, owner_of(&self->s, &self->heir));
	EXPECT_EQ(self->master, self->heir);
	EXPECT_TRUE(says(&self->s, MASTER, "state", "ets"));
}

/* The test is the caller to whom the table is given. */
static struct kreg_table *get_ets(struct __test_metadata *_metadata, struct seed *s)
{
	struct kreg_table *table = NULL;

	stop_server(_metadata);
	EXPECT_EQ(0, kreg_keeper_get(s->peers[MASTER], s->client, "ets", PATIENCE_MS, &table));
	return table;
}

static int try_get(struct seed *s)
{
	struct kreg_client *client;
	struct kreg_table *table;
	int status;
	pid_t pid = fork();

	if (!pid) {
		status = kreg_client_open(NULL, &client) ?:
			kreg_keeper_get(s->peers[MASTER], client, "ets", PATIENCE_MS, &table);
		_exit(status < 0 ? -status : 0);
	}
	waitpid(pid, &status, 0);
	return -WEXITSTATUS(status);
}

TEST_F(db, get_ets)
{
	struct kreg_table *table = get_ets(_metadata, &self->s);

	ASSERT_NE(NULL, table);
	EXPECT_STREQ("ets", kreg_table_name(table));
	EXPECT_TRUE(says(&self->s, MASTER, "state", "nil"));
	EXPECT_EQ(getpid(), owner_of(&self->s, NULL));
	EXPECT_EQ(-EBUSY, try_get(&self->s));
	EXPECT_TRUE(says(&self->s, MASTER, "state", "nil"));
	kreg_table_close(table);
}

TEST_F(db, transfer_own)
{
	struct kreg_table *table = get_ets(_metadata, &self->s);
	struct kreg_process master;

	ASSERT_NE(NULL, table);
	ASSERT_EQ(0, kreg_process_find(self->s.client, self->master, &master));
	ASSERT_EQ(0, kreg_table_give(table, &master, NULL, 0));
	EXPECT_EQ(self->master, owner_of(&self->s, NULL));
	EXPECT_TRUE(says(&self->s, MASTER, "state", "ets"));
	EXPECT_EQ(0, try_get(&self->s));
	/* Who got it is dead. */
	EXPECT_TRUE(says(&self->s, MASTER, "state", "ets"));
	kreg_table_close(table);
}

TEST_F(db, transfer_foreign)
{
	struct kreg_process master;
	struct kreg_table *table;

	stop_server(_metadata);
	ASSERT_EQ(0, kreg_process_find(self->s.client, self->master, &master));
	ASSERT_EQ(0, kreg_table_create(self->s.client, "db-foreign", &table));
	ASSERT_EQ(0, kreg_table_give(table, &master, NULL, 0));
	EXPECT_EQ(0, kreg_wait_name(self->s.client, "db-foreign", KREG_WATCH_ABSENT, PATIENCE_MS));
	EXPECT_TRUE(says(&self->s, MASTER, "state", "ets"));
	EXPECT_EQ(self->id, table_id(&self->s));
	kreg_table_close(table);
}

TEST_F(db, server_start)
{
	stop_server(_metadata);
	EXPECT_EQ(self->master, owner_of(&self->s, NULL));
	ASSERT_EQ(0, super("start", "backup", "server"));
	EXPECT_EQ(pid_of(&self->s, SERVER), owner_of(&self->s, &self->heir));
	EXPECT_EQ(self->master, self->heir);
}

TEST_F(db, insert)
{
	char buf[64];

	EXPECT_TRUE(says(&self->s, SERVER, "insert 1 test", "ok"));
	EXPECT_TRUE(says(&self->s, SERVER, "insert 1 other", "ok"));
	EXPECT_TRUE(says(&self->s, SERVER, "get 1", "other"));
	EXPECT_EQ(-EINVAL, call(&self->s, SERVER, "insert 1", buf, sizeof(buf)));
}

TEST_F(db, get)
{
	struct kreg_table *table;
	char buf[64];

	EXPECT_EQ(-ENODATA, call(&self->s, SERVER, "get 1", buf, sizeof(buf)));
	EXPECT_TRUE(says(&self->s, SERVER, "insert 1 test", "ok"));
	EXPECT_TRUE(says(&self->s, SERVER, "get 1", "test"));
	/* All may read it, and only the server writes. */
	ASSERT_EQ(0, kreg_table_open(self->s.client, "ets", NULL, &table));
	EXPECT_EQ(0, kreg_member(table, "1", 1));
	EXPECT_EQ(-EACCES, kreg_put(table, "1", 1, "mine", 4));
	kreg_table_close(table);
}

TEST_F(db, state)
{
	EXPECT_TRUE(says(&self->s, SERVER, "state", "ets"));
	EXPECT_TRUE(says(&self->s, MASTER, "state", "nil"));
}

/* With a pause, since more than three deaths in five seconds are too many. */
static void die_and_return(struct __test_metadata *_metadata, struct seed *s, int which,
			   const struct cause *cause)
{
	pid_t old = make_die(s, which, cause);

	ASSERT_LT(0, old);
	ASSERT_LT(0, wait_for_new(s, which, old)) TH_LOG("%s", cause->text);
}

TEST_F(db, no_terminate_hook)
{
	size_t i;

	EXPECT_TRUE(says(&self->s, SERVER, "insert 1 test", "ok"));
	for (i = 0; i < CAUSES; i++) {
		die_and_return(_metadata, &self->s, SERVER, &causes[i]);
		EXPECT_TRUE(says(&self->s, SERVER, "get 1", "test"));
		EXPECT_EQ(pid_of(&self->s, SERVER), owner_of(&self->s, NULL));
		usleep(2000000);
	}
	EXPECT_EQ(self->master, pid_of(&self->s, MASTER));
	EXPECT_EQ(self->id, table_id(&self->s));
}

static int make_supervised_copy(void)
{
	static const char edit[] =
		"sed 's|\\[data-server|[/tmp/db-server|' data-backup.yaml >/tmp/db.yaml";

	return system("cp data-server /tmp/db-server") ? -1 : system(edit);
}

/* The program cannot be executed for a while: no process is there, and the data is. */
TEST_F(db, exec_fails)
{
	int status;

	EXPECT_TRUE(says(&self->s, SERVER, "insert 1 test", "ok"));
	ASSERT_EQ(0, make_supervised_copy());
	EXPECT_EQ(0, end_supervisor(&self->s, SIGTERM));
	self->s.file = "/tmp/db.yaml";
	ASSERT_EQ(0, begin_seed(&self->s));
	ASSERT_EQ(0, chmod("/tmp/db-server", 0644));
	ASSERT_LT(0, make_die(&self->s, SERVER, &causes[0]));
	ASSERT_EQ(self->s.supervisor, waitpid(self->s.supervisor, &status, 0));
	self->s.supervisor = 0;
	EXPECT_NE(0, status);
	EXPECT_EQ(0, owner_of(&self->s, NULL));
	EXPECT_EQ(self->id, table_id(&self->s));
	self->s.file = "data-backup.yaml";
	ASSERT_EQ(0, begin_seed(&self->s));
	EXPECT_TRUE(says(&self->s, SERVER, "get 1", "test"));
	unlink("/tmp/db-server");
	unlink("/tmp/db.yaml");
}

/* Upstream the master cannot start again, and all ends. */
TEST_F(db, master_dies)
{
	size_t i;

	EXPECT_TRUE(says(&self->s, SERVER, "insert 1 test", "ok"));
	for (i = 0; i < CAUSES; i++) {
		die_and_return(_metadata, &self->s, MASTER, &causes[i]);
		EXPECT_TRUE(says(&self->s, MASTER, "state", "nil"));
		EXPECT_TRUE(says(&self->s, SERVER, "get 1", "test"));
		usleep(2000000);
	}
	die_and_return(_metadata, &self->s, SERVER, &causes[0]);
	EXPECT_TRUE(says(&self->s, SERVER, "get 1", "test"));
	EXPECT_EQ(self->id, table_id(&self->s));
	EXPECT_EQ(pid_of(&self->s, SERVER), owner_of(&self->s, &self->heir));
	EXPECT_EQ(pid_of(&self->s, MASTER), self->heir);
}

static int fill_by_hand(struct seed *s, struct kreg_table *table, int from, int to)
{
	struct kreg_process master;
	char key[16], value[64] = "value";
	int ret = 0;

	for (; from < to && !ret; from++)
		ret = kreg_put(table, key, sprintf(key, "n%d", from), value, sizeof(value));
	ret = ret ? ret : kreg_process_find(s->client, pid_of(s, MASTER), &master);
	return ret ? ret : kreg_table_give(table, &master, NULL, 0);
}

/* So many that copying them would be seen. */
static int objects(void)
{
	int n = test_size(20000);

	return n < 5000 ? 5000 : n;
}

/* The best of some, since other processes run as well. */
static int64_t time_of_gift(struct __test_metadata *_metadata, struct seed *s)
{
	int64_t best = INT64_MAX, begin, took;
	struct kreg_process master;
	struct kreg_table *table;
	int i;

	ASSERT_EQ(0, kreg_process_find(s->client, pid_of(s, MASTER), &master));
	for (i = 0; i < 20; i++) {
		begin = now_us();
		ASSERT_EQ(0, kreg_keeper_get(s->peers[MASTER], s->client, "ets", PATIENCE_MS,
					     &table));
		took = now_us() - begin;
		best = took < best ? took : best;
		ASSERT_EQ(0, kreg_table_give(table, &master, NULL, 0));
		kreg_table_close(table);
	}
	return best;
}

TEST_F(db, no_copy)
{
	struct kreg_table *table = get_ets(_metadata, &self->s);
	int64_t few, many, copying;

	ASSERT_NE(NULL, table);
	ASSERT_EQ(0, kreg_put(table, "1", 1, "test", 4));
	ASSERT_EQ(0, fill_by_hand(&self->s, table, 0, 10));
	few = time_of_gift(_metadata, &self->s);
	kreg_table_close(table);
	ASSERT_EQ(0, kreg_keeper_get(self->s.peers[MASTER], self->s.client, "ets", PATIENCE_MS,
				     &table));
	copying = now_us();
	ASSERT_EQ(0, fill_by_hand(&self->s, table, 10, objects()));
	copying = now_us() - copying;
	many = time_of_gift(_metadata, &self->s);
	kreg_table_close(table);
	TH_LOG("%lld us with 11 objects, %lld us with %d, which were put in %lld us",
	       (long long)few, (long long)many, objects() + 1, (long long)copying);
	EXPECT_GT(few + copying / 4, many);
	ASSERT_EQ(0, super("start", "backup", "server"));
	EXPECT_TRUE(says(&self->s, SERVER, "get 1", "test"));
	EXPECT_LT(time_of_recovery(&self->s), INT64_MAX);
}

/* The limit that the file says is the one that holds. */
TEST_F(db, max_restarts)
{
	int status, i;

	EXPECT_TRUE(says(&self->s, SERVER, "insert 1 test", "ok"));
	for (i = 0; i < 4; i++) {
		pid_t old = make_die(&self->s, SERVER, &causes[0]);

		ASSERT_LT(0, old);
		if (i < 3)
			ASSERT_LT(0, wait_for_new(&self->s, SERVER, old));
	}
	ASSERT_EQ(self->s.supervisor, waitpid(self->s.supervisor, &status, 0));
	self->s.supervisor = 0;
	EXPECT_EQ(8, WEXITSTATUS(status));
	EXPECT_EQ(0, owner_of(&self->s, NULL));
	EXPECT_EQ(self->id, table_id(&self->s));
	ASSERT_EQ(0, begin_seed(&self->s));
	EXPECT_TRUE(says(&self->s, SERVER, "get 1", "test"));
}

/* Upstream's words for it, of which nobody takes notice there. */
TEST_F(db, unknown_option)
{
	static const char named[] =
		"${KREG:-kreg} supervise --check /tmp/db.yaml 2>&1 | grep -q ':5:.*max_restart'";

	EXPECT_EQ(0, system("sed 's/^max_restarts/max_restart/' data-backup.yaml >/tmp/db.yaml"));
	EXPECT_FALSE(can_supervise("/tmp/db.yaml"));
	EXPECT_EQ(0, system(named));
	unlink("/tmp/db.yaml");
}

TEST_HARNESS_MAIN
