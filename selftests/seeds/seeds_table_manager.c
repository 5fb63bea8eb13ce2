// SPDX-License-Identifier: GPL-2.0
/* The example table-manager under kreg supervise: tests of Immortal, and what that was weak in. */
#include "seeds/supervised.h"

enum { MANAGER, CONSUMER };

FIXTURE(tm)
{
	struct seed s;
	pid_t heir, manager, consumer;
	uint64_t id;
};

/* The consumer owns it, and has read so: until then it answers with -EAGAIN. */
static bool has_table(struct seed *s, pid_t pid)
{
	char id[32];

	return is_owner(s, pid) &&
	       test_wait_for(call(s, CONSUMER, "table", id, sizeof(id)) != -EAGAIN);
}

FIXTURE_SETUP(tm)
{
	ASSERT_EQ(0, go_to_tests());
	if (!can_supervise("table-manager.yaml"))
		SKIP(return, "this kreg cannot supervise");
	self->s = (struct seed){
		.file = "table-manager.yaml", .names = "immortal.names", .table = "consumer",
		.keys = { "manager", "consumer" },
	};
	ASSERT_EQ(0, begin_seed(&self->s));
	self->manager = pid_of(&self->s, MANAGER);
	self->consumer = pid_of(&self->s, CONSUMER);
	ASSERT_TRUE(has_table(&self->s, self->consumer));
	self->id = table_id(&self->s);
}

FIXTURE_TEARDOWN(tm)
{
	end_seed(&self->s, "supervisor.immortal");
}

TEST_F(tm, named_shares_consumer_name)
{
	struct kreg_table *table;

	ASSERT_EQ(0, kreg_table_open(self->s.client, "consumer", NULL, &table));
	EXPECT_EQ(self->id, kreg_table_id(table));
	EXPECT_EQ(KREG_TYPE_SET, kreg_table_type(table));
	kreg_table_close(table);
}

TEST_F(tm, attributes)
{
	EXPECT_EQ(self->consumer, owner_of(&self->s, &self->heir));
	EXPECT_EQ(self->manager, self->heir);
	EXPECT_TRUE(says(&self->s, MANAGER, "holds", "no"));
}

TEST_F(tm, provides_table)
{
	char mine[32], its[32];

	ASSERT_EQ(0, call(&self->s, MANAGER, "table", mine, sizeof(mine)));
	ASSERT_EQ(0, call(&self->s, CONSUMER, "table", its, sizeof(its)));
	EXPECT_STREQ(mine, its);
}

TEST_F(tm, survives_restart)
{
	pid_t old, now;
	size_t i;

	EXPECT_TRUE(says(&self->s, CONSUMER, "insert eggs 12", ""));
	for (i = 0; i < CAUSES; i++) {
		old = make_die(&self->s, CONSUMER, &causes[i]);
		ASSERT_LT(0, old);
		now = wait_for_new(&self->s, CONSUMER, old);
		ASSERT_LT(0, now) TH_LOG("%s", causes[i].text);
		ASSERT_TRUE(has_table(&self->s, now)) TH_LOG("%s", causes[i].text);
		EXPECT_TRUE(says(&self->s, CONSUMER, "lookup eggs", "12"));
		EXPECT_EQ(self->id, table_id(&self->s));
	}
	EXPECT_EQ(self->manager, pid_of(&self->s, MANAGER));
}

/* Create, give, take back, wait, give again: one step after the other. */
TEST_F(tm, post_scenario)
{
	EXPECT_TRUE(says(&self->s, CONSUMER, "insert eggs 12", ""));
	ASSERT_EQ(0, super("stop", "immortal", "consumer"));
	EXPECT_EQ(0, pid_of(&self->s, CONSUMER));
	EXPECT_EQ(self->manager, owner_of(&self->s, &self->heir));
	EXPECT_EQ(self->manager, self->heir);
	EXPECT_TRUE(says(&self->s, MANAGER, "holds", "yes"));
	ASSERT_EQ(0, super("start", "immortal", "consumer"));
	EXPECT_EQ(pid_of(&self->s, CONSUMER), owner_of(&self->s, &self->heir));
	EXPECT_EQ(self->manager, self->heir);
	EXPECT_TRUE(says(&self->s, CONSUMER, "lookup eggs", "12"));
	EXPECT_EQ(self->id, table_id(&self->s));
}

static int64_t cpu_ns(pid_t pid)
{
	struct timespec ts;
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &ts))
		return -1;
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

/* That a program which spins never is, however slow the machine is. */
static bool is_idle(pid_t pid)
{
	int64_t before = cpu_ns(pid);

	test_pause_ms(300);
	return before > 0 && before == cpu_ns(pid);
}

/* Upstream it spins, and calls of it time out. */
TEST_F(tm, manager_waits)
{
	int i;

	ASSERT_EQ(0, super("stop", "immortal", "consumer"));
	EXPECT_TRUE(says(&self->s, MANAGER, "holds", "yes"));
	/* When it has done what it does behind its answer. */
	EXPECT_TRUE(test_wait_for(is_idle(self->manager)));
	for (i = 0; i < 10; i++)
		EXPECT_TRUE(says(&self->s, MANAGER, "holds", "yes"));
	ASSERT_EQ(0, super("start", "immortal", "consumer"));
}

/* Upstream it fails to start. */
TEST_F(tm, no_consumer_at_start)
{
	ASSERT_EQ(0, super("stop", "immortal", "consumer"));
	ASSERT_EQ(0, super("restart", "immortal", "manager"));
	EXPECT_EQ(pid_of(&self->s, MANAGER), owner_of(&self->s, NULL));
	EXPECT_TRUE(says(&self->s, MANAGER, "holds", "yes"));
	ASSERT_EQ(0, super("start", "immortal", "consumer"));
	EXPECT_EQ(pid_of(&self->s, CONSUMER), owner_of(&self->s, NULL));
}

/* Upstream the manager crashes, and the data is lost. */
TEST_F(tm, consumer_dies_before_give)
{
	int i;

	EXPECT_TRUE(says(&self->s, CONSUMER, "insert eggs 12", ""));
	for (i = 0; i < 20; i++) {
		/* As soon as it has registered. */
		ASSERT_EQ(0, wait_for_key(&self->s, CONSUMER));
		make_die(&self->s, CONSUMER, &causes[0]);
	}
	ASSERT_EQ(0, wait_for_key(&self->s, CONSUMER));
	ASSERT_TRUE(has_table(&self->s, pid_of(&self->s, CONSUMER)));
	EXPECT_TRUE(says(&self->s, CONSUMER, "lookup eggs", "12"));
	EXPECT_EQ(self->manager, pid_of(&self->s, MANAGER));
	EXPECT_EQ(self->id, table_id(&self->s));
}

/* Upstream there is a second, empty table then, and the first one dies with the consumer. */
TEST_F(tm, manager_dies_while_consumer_owns)
{
	pid_t old, now;
	size_t i;

	EXPECT_TRUE(says(&self->s, CONSUMER, "insert eggs 12", ""));
	for (i = 0; i < CAUSES; i++) {
		old = make_die(&self->s, MANAGER, &causes[i]);
		ASSERT_LT(0, old);
		ASSERT_LT(0, wait_for_new(&self->s, MANAGER, old)) TH_LOG("%s", causes[i].text);
		EXPECT_TRUE(says(&self->s, MANAGER, "holds", "no"));
		old = make_die(&self->s, CONSUMER, &causes[i]);
		ASSERT_LT(0, old);
		now = wait_for_new(&self->s, CONSUMER, old);
		ASSERT_LT(0, now) TH_LOG("%s", causes[i].text);
		ASSERT_TRUE(has_table(&self->s, now)) TH_LOG("%s", causes[i].text);
		EXPECT_TRUE(says(&self->s, CONSUMER, "lookup eggs", "12"));
		EXPECT_EQ(self->id, table_id(&self->s));
		/* The new manager is the heir now. */
		owner_of(&self->s, &self->heir);
		EXPECT_EQ(pid_of(&self->s, MANAGER), self->heir);
	}
}

/* The consumer is not ready before it is given the table: that is no reason to start no manager. */
TEST_F(tm, manager_dies_while_consumer_waits)
{
	pid_t now;

	EXPECT_TRUE(says(&self->s, CONSUMER, "insert eggs 12", ""));
	ASSERT_EQ(0, send_signal(self->manager, SIGSTOP));
	make_die(&self->s, CONSUMER, &causes[0]);
	now = wait_for_new(&self->s, CONSUMER, self->consumer);
	ASSERT_LT(0, now);
	make_die(&self->s, MANAGER, &causes[0]);
	ASSERT_TRUE(has_table(&self->s, now));
	EXPECT_TRUE(says(&self->s, CONSUMER, "lookup eggs", "12"));
	EXPECT_EQ(self->id, table_id(&self->s));
}

/* Both at once, and their supervisor too. */
TEST_F(tm, all_die)
{
	EXPECT_TRUE(says(&self->s, CONSUMER, "insert eggs 12", ""));
	make_die(&self->s, MANAGER, &causes[0]);
	make_die(&self->s, CONSUMER, &causes[0]);
	ASSERT_LT(0, wait_for_new(&self->s, CONSUMER, self->consumer));
	ASSERT_TRUE(has_table(&self->s, pid_of(&self->s, CONSUMER)));
	EXPECT_TRUE(says(&self->s, CONSUMER, "lookup eggs", "12"));
	self->consumer = pid_of(&self->s, CONSUMER);
	end_supervisor(&self->s, SIGKILL);
	EXPECT_EQ(self->consumer, owner_of(&self->s, NULL));
	make_die(&self->s, CONSUMER, &causes[0]);
	ASSERT_TRUE(is_owner(&self->s, pid_of(&self->s, MANAGER)));
	EXPECT_TRUE(says(&self->s, MANAGER, "holds", "yes"));
	ASSERT_EQ(0, begin_seed(&self->s));
	ASSERT_TRUE(has_table(&self->s, pid_of(&self->s, CONSUMER)));
	EXPECT_TRUE(says(&self->s, CONSUMER, "lookup eggs", "12"));
	EXPECT_EQ(self->id, table_id(&self->s));
}

/* A table that somebody else gives is not the consumer's, whether it comes first or not. */
TEST_F(tm, foreign_gift)
{
	struct kreg_table *names, *foreign, *table;
	struct kreg_process consumer;
	char id[32], told[32] = "";
	pid_t pid;

	names = make_table(self->s.client, "tm-names", KREG_ACCESS_REGISTRY);
	ASSERT_NE(NULL, names);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execl("./table-consumer", "table-consumer", "tm-names", "tm-mine", NULL);
		_exit(99);
	}
	ASSERT_EQ(0, is_present(names, "tm-mine"));
	ASSERT_EQ(0, kreg_process_find(self->s.client, pid, &consumer));
	ASSERT_EQ(0, kreg_table_create(self->s.client, "tm-foreign", &foreign));
	ASSERT_EQ(0, kreg_table_create(self->s.client, "tm-mine", &table));
	ASSERT_EQ(0, kreg_table_give(foreign, &consumer, NULL, 0));
	ASSERT_EQ(0, kreg_table_give(table, &consumer, NULL, 0));
	snprintf(id, sizeof(id), "%llu", (unsigned long long)kreg_table_id(table));
	EXPECT_TRUE(test_wait_for(!ask(names, "tm-mine", "table", told, sizeof(told))));
	EXPECT_STREQ(id, told);
	EXPECT_EQ(SIGKILL, end(&pid, SIGKILL));
	remove_table(self->s.client, "tm-names");
	kreg_table_close(foreign);
	kreg_table_close(table);
	kreg_table_close(names);
}

TEST_HARNESS_MAIN
