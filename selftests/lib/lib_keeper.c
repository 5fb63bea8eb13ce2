// SPDX-License-Identifier: GPL-2.0
/* libkreg: keepers that give their table to who registers, and to who asks. */
#include <dlfcn.h>

#include "kit/oom_group.h"
#include "lib/cpu.h"
#include "lib/keeper.h"

/* A keeper with consumers: Immortal's table manager. */
FIXTURE(tm)
{
	struct play p;
	pid_t heir;
	int64_t id;
};

FIXTURE_SETUP(tm)
{
	ASSERT_EQ(0, begin_play(&self->p));
	self->p.keeper = start_actor(begin_keeper, &self->p.keeping, KEEPER);
	ASSERT_LT(0, self->p.keeper);
	self->id = tell(self->p.keeper_peer, "i");
	ASSERT_LT(0, self->id);
}

FIXTURE_TEARDOWN(tm)
{
	end_play(&self->p);
}

static bool start_consumer(struct play *p)
{
	p->consumer = start_actor(begin_consumer, &p->keeping, CONSUMER);
	return p->consumer > 0;
}

TEST_F(tm, named_shares_consumer_name)
{
	struct kreg_table *table;

	ASSERT_TRUE(start_consumer(&self->p));
	ASSERT_EQ(0, kreg_table_open(self->p.client, self->p.keeping.table, NULL, &table));
	EXPECT_EQ(self->id, kreg_table_id(table));
	EXPECT_EQ(KREG_TYPE_SET, kreg_table_type(table));
	kreg_table_close(table);
}

TEST_F(tm, attributes)
{
	struct kreg_stat *st;

	EXPECT_EQ(self->p.keeper, owner_of(&self->p, &self->heir));
	EXPECT_EQ(self->p.keeper, self->heir);
	EXPECT_EQ(1, tell(self->p.keeper_peer, "h"));
	ASSERT_TRUE(start_consumer(&self->p));
	ASSERT_TRUE(is_owned_by(&self->p, self->p.consumer));
	owner_of(&self->p, &self->heir);
	EXPECT_EQ(self->p.keeper, self->heir);
	EXPECT_EQ(0, tell(self->p.keeper_peer, "h"));
	ASSERT_EQ(0, kreg_stat_by_name(self->p.client, self->p.keeping.table, &st));
	EXPECT_EQ(0644, kreg_stat_mode(st));
	EXPECT_EQ(KREG_ORPHAN_PARK, kreg_stat_orphan(st));
	kreg_stat_free(st);
}

/* Other options pass through as well, and stay over hand-overs. */
TEST_F(tm, ordered_set)
{
	struct kreg_stat *st;
	int i;

	end_actor(&self->p.keeper, SIGKILL);
	destroy_named(self->p.client, self->p.keeping.table);
	self->p.keeping.how.type = KREG_TYPE_ORDERED_SET;
	self->p.keeper = start_actor(begin_keeper, &self->p.keeping, KEEPER);
	ASSERT_LT(0, self->p.keeper);
	for (i = 1; i <= 2; i++) {
		ASSERT_TRUE(start_consumer(&self->p));
		ASSERT_TRUE(tells(self->p.consumer_peer, "n", 1));
		EXPECT_EQ(i, tell(self->p.consumer_peer, "+"));
		ASSERT_EQ(0, kreg_stat_by_name(self->p.client, self->p.keeping.table, &st));
		EXPECT_EQ(KREG_TYPE_ORDERED_SET, kreg_stat_type(st));
		EXPECT_EQ(self->p.consumer, kreg_stat_owner(st).pid);
		kreg_stat_free(st);
		end_actor(&self->p.consumer, SIGKILL);
	}
}

TEST_F(tm, provides_table)
{
	ASSERT_TRUE(start_consumer(&self->p));
	ASSERT_TRUE(tells(self->p.consumer_peer, "n", 1));
	EXPECT_EQ(self->id, tell(self->p.consumer_peer, "i"));
}

TEST_F(tm, survives_restart)
{
	ASSERT_TRUE(start_consumer(&self->p));
	ASSERT_TRUE(tells(self->p.consumer_peer, "n", 1));
	EXPECT_EQ(1, tell(self->p.consumer_peer, "+"));
	EXPECT_EQ(SIGKILL, end_actor(&self->p.consumer, SIGKILL));
	/* Before the keeper has done anything. */
	EXPECT_EQ(self->p.keeper, owner_of(&self->p, NULL));
	EXPECT_EQ(1, tell(self->p.keeper_peer, "h"));
	ASSERT_TRUE(start_consumer(&self->p));
	ASSERT_TRUE(tells(self->p.consumer_peer, "n", 1));
	EXPECT_EQ(self->id, tell(self->p.consumer_peer, "i"));
	EXPECT_EQ(2, tell(self->p.consumer_peer, "+"));
}

/* Create, give, take back at each kind of death, wait, give again. */
TEST_F(tm, post_scenario)
{
	char text[] = "d?";
	size_t i;

	for (i = 0; i <= ENDINGS; i++) {
		ASSERT_TRUE(start_consumer(&self->p));
		ASSERT_TRUE(tells(self->p.consumer_peer, "n", 1));
		EXPECT_EQ(i + 1, tell(self->p.consumer_peer, "+"));
		if (i < ENDINGS) {
			text[1] = endings[i].how;
			EXPECT_EQ(-ECONNRESET, tell(self->p.consumer_peer, text));
		} else {
			ASSERT_EQ(0, oom_kill_process(self->p.consumer));
		}
		EXPECT_EQ(i < ENDINGS ? endings[i].status : SIGKILL,
			  end_actor(&self->p.consumer, 0) & ~DUMPED);
		EXPECT_EQ(self->p.keeper, owner_of(&self->p, &self->heir));
		EXPECT_EQ(self->p.keeper, self->heir);
	}
	EXPECT_EQ(self->id, tell(self->p.keeper_peer, "i"));
}

/* Nobody spins until somebody comes, and calls are answered meanwhile. */
TEST_F(tm, waits_without_cpu)
{
	int64_t before, calls = 0;
	uint64_t end;

	EXPECT_EQ(self->id, tell(self->p.keeper_peer, "i"));
	/* What it does behind its answer. */
	usleep(100000);
	before = cpu_of(self->p.keeper);
	ASSERT_LT(0, before);
	usleep(300000);
	EXPECT_EQ(before, cpu_of(self->p.keeper));
	for (end = kreg_deadline(50); kreg_deadline(0) < end; calls++)
		ASSERT_EQ(1, tell(self->p.keeper_peer, "h"));
	EXPECT_LT(0, calls);
	ASSERT_TRUE(start_consumer(&self->p));
	ASSERT_TRUE(tells(self->p.consumer_peer, "n", 1));
	EXPECT_EQ(0, tell(self->p.keeper_peer, "f"));
}

/* It has gone when the keeper comes to see who it was. */
TEST_F(tm, dies_before_the_keeper_looks)
{
	ASSERT_EQ(0, kill(self->p.keeper, SIGSTOP));
	ASSERT_TRUE(start_consumer(&self->p));
	end_actor(&self->p.consumer, SIGKILL);
	ASSERT_EQ(0, kill(self->p.keeper, SIGCONT));
	EXPECT_EQ(1, tell(self->p.keeper_peer, "h"));
	EXPECT_EQ(0, tell(self->p.keeper_peer, "f"));
	ASSERT_TRUE(start_consumer(&self->p));
	EXPECT_TRUE(tells(self->p.consumer_peer, "n", 1));
}

/* Whom a call of this program's kreg_table_give() is about to serve dies before it. */
static pid_t victim;

int kreg_table_give(struct kreg_table *table, const struct kreg_process *to, const void *data,
		    size_t data_len)
{
	static int (*real)(struct kreg_table *table, const struct kreg_process *to,
			   const void *data, size_t data_len);

	if (!real)
		real = dlsym(RTLD_NEXT, "kreg_table_give");
	if (victim > 0)
		end_actor(&victim, SIGKILL);
	return real(table, to, data, data_len);
}

/* In this process, since it is to be the consumer's parent. */
TEST_F(tm, dies_before_give)
{
	struct actor a = { .server = NULL };

	end_actor(&self->p.keeper, SIGKILL);
	ASSERT_TRUE(start_consumer(&self->p));
	victim = self->p.consumer;
	ASSERT_EQ(0, begin_keeper(&a, &self->p.keeping, KEEPER));
	ASSERT_EQ(0, victim);
	self->p.consumer = 0;
	EXPECT_TRUE(kreg_keeper_holds(a.keeper));
	EXPECT_EQ(self->id, kreg_table_id(kreg_keeper_table(a.keeper)));
	EXPECT_EQ(0, a.failed);
	ASSERT_TRUE(start_consumer(&self->p));
	while (kreg_keeper_holds(a.keeper))
		ASSERT_LT(0, kreg_server_dispatch(a.server, PATIENCE_MS));
	EXPECT_TRUE(tells(self->p.consumer_peer, "n", 1));
	/* The keeper's client hears of it, though this process had another one before. */
	end_actor(&self->p.consumer, SIGKILL);
	ASSERT_TRUE(start_consumer(&self->p));
	ASSERT_LT(0, kreg_server_dispatch(a.server, PATIENCE_MS));
	EXPECT_TRUE(tells(self->p.consumer_peer, "n", 1));
	/* In any order. */
	kreg_server_free(a.server);
	kreg_client_close(a.client);
	kreg_keeper_free(a.keeper);
	kreg_table_close(a.names);
}

/* Who gives it back gets it again when it has registered anew, and who parks it likewise. */
TEST_F(tm, given_back)
{
	ASSERT_TRUE(start_consumer(&self->p));
	ASSERT_TRUE(tells(self->p.consumer_peer, "n", 1));
	EXPECT_EQ(0, tell(self->p.consumer_peer, "b"));
	/* By its second answer it has been told of all that was before the first. */
	EXPECT_EQ(1, tell(self->p.keeper_peer, "h"));
	EXPECT_EQ(1, tell(self->p.keeper_peer, "h"));
	EXPECT_EQ(1, tell(self->p.consumer_peer, "n"));
	EXPECT_EQ(0, tell(self->p.consumer_peer, "r"));
	ASSERT_TRUE(tells(self->p.consumer_peer, "n", 2));
	EXPECT_EQ(0, tell(self->p.consumer_peer, "p"));
	EXPECT_EQ(self->p.keeper, owner_of(&self->p, NULL));
	EXPECT_EQ(0, tell(self->p.consumer_peer, "r"));
	ASSERT_TRUE(tells(self->p.consumer_peer, "n", 3));
	/* What it has destroyed is made anew. */
	EXPECT_EQ(0, tell(self->p.consumer_peer, "D"));
	ASSERT_TRUE(tells(self->p.keeper_peer, "h", 1));
	EXPECT_LT(self->id, tell(self->p.keeper_peer, "i"));
	EXPECT_EQ(0, tell(self->p.keeper_peer, "f"));
}

/*
 * What it does with its entry while it has the table says nothing of the time afterwards, whether
 * the keeper has heard of it meanwhile or not.
 */
TEST_F(tm, changed_before_it_is_given_back)
{
	bool stopped = false;

	ASSERT_TRUE(start_consumer(&self->p));
	ASSERT_TRUE(tells(self->p.consumer_peer, "n", 1));
	do {
		/* What it does behind the gift. */
		EXPECT_EQ(0, tell(self->p.keeper_peer, "h"));
		if (stopped)
			ASSERT_EQ(0, stop_actor(self->p.keeper));
		EXPECT_EQ(0, tell(self->p.consumer_peer, "r"));
		EXPECT_EQ(0, tell(self->p.consumer_peer, "b"));
		ASSERT_EQ(0, kill(self->p.keeper, SIGCONT));
		EXPECT_EQ(1, tell(self->p.keeper_peer, "h"));
		EXPECT_EQ(1, tell(self->p.keeper_peer, "h"));
		EXPECT_EQ(1 + stopped, tell(self->p.consumer_peer, "n"));
		EXPECT_EQ(0, tell(self->p.consumer_peer, "r"));
		ASSERT_TRUE(tells(self->p.consumer_peer, "n", 2 + stopped));
		stopped = !stopped;
	} while (stopped);
}

/* A keeper that has come later knows as well to whom it is not to be given at once. */
TEST_F(tm, given_back_to_the_next_keeper)
{
	ASSERT_TRUE(start_consumer(&self->p));
	ASSERT_TRUE(tells(self->p.consumer_peer, "n", 1));
	end_actor(&self->p.keeper, SIGKILL);
	self->p.keeper = start_actor(begin_keeper, &self->p.keeping, KEEPER);
	ASSERT_LT(0, self->p.keeper);
	EXPECT_EQ(0, tell(self->p.consumer_peer, "b"));
	EXPECT_EQ(1, tell(self->p.keeper_peer, "h"));
	EXPECT_EQ(1, tell(self->p.keeper_peer, "h"));
	EXPECT_EQ(1, tell(self->p.consumer_peer, "n"));
	EXPECT_EQ(0, tell(self->p.consumer_peer, "r"));
	EXPECT_TRUE(tells(self->p.consumer_peer, "n", 2));
}

/* A process without the device, which is registered all the same. Return: its pid */
static pid_t register_bystander(struct play *p)
{
	struct kreg_process bystander;
	struct kreg_ref *ref;
	pid_t pid = fork();
	int ret;

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pause();
		_exit(0);
	}
	if (kreg_monitor_pid(p->client, pid, NULL, NULL, &ref))
		return -1;
	bystander = kreg_ref_process(ref);
	ret = kreg_register_or_get(p->names, &bystander, CONSUMER, strlen(CONSUMER), NULL, 0,
				   NULL);
	kreg_ref_cancel(ref);
	return ret == 1 ? pid : -1;
}

/* Somebody is registered who cannot receive a table: the keeper goes on with the next one. */
TEST_F(tm, consumer_that_cannot)
{
	pid_t pid = register_bystander(&self->p);

	ASSERT_LT(0, pid);
	EXPECT_TRUE(tells(self->p.keeper_peer, "f", -ENOTCONN));
	EXPECT_EQ(KREG_KEEPER_GIVE, tell(self->p.keeper_peer, "w"));
	EXPECT_EQ(1, tell(self->p.keeper_peer, "h"));
	end_actor(&pid, SIGKILL);
	ASSERT_TRUE(start_consumer(&self->p));
	EXPECT_TRUE(tells(self->p.consumer_peer, "n", 1));
}

/* Of what fails while the keeper is made, the program is told when it has the keeper. */
TEST_F(tm, told_when_it_is_made)
{
	struct actor a = { .server = NULL };
	pid_t pid = register_bystander(&self->p);

	ASSERT_LT(0, pid);
	end_actor(&self->p.keeper, SIGKILL);
	ASSERT_EQ(0, begin_keeper(&a, &self->p.keeping, KEEPER));
	EXPECT_EQ(0, a.failed);
	while (!a.failed)
		ASSERT_LT(0, kreg_server_dispatch(a.server, PATIENCE_MS));
	EXPECT_EQ(-ENOTCONN, a.failed);
	EXPECT_EQ(KREG_KEEPER_GIVE, a.what);
	EXPECT_TRUE(kreg_keeper_holds(a.keeper));
	end_actor(&pid, SIGKILL);
	kreg_keeper_free(a.keeper);
	kreg_table_close(a.names);
	kreg_server_free(a.server);
	kreg_client_close(a.client);
}

/* The name has become that of a table for which nobody can stand by. */
TEST_F(tm, cannot_stand_by)
{
	struct kreg_table *role, *table;

	ASSERT_EQ(0, kreg_role_open(self->p.client, "keeper-role", 0, &role));
	ASSERT_EQ(0, kreg_role_claim(role, 0));
	ASSERT_TRUE(start_consumer(&self->p));
	ASSERT_TRUE(tells(self->p.consumer_peer, "n", 1));
	ASSERT_EQ(0, stop_actor(self->p.keeper));
	EXPECT_EQ(0, tell(self->p.consumer_peer, "D"));
	ASSERT_EQ(0, kreg_table_create(self->p.client, self->p.keeping.table, &table));
	ASSERT_EQ(0, kreg_table_follow(table, role));
	ASSERT_EQ(0, kill(self->p.keeper, SIGCONT));
	EXPECT_TRUE(tells(self->p.keeper_peer, "f", -EBUSY));
	EXPECT_EQ(KREG_KEEPER_STANDBY, tell(self->p.keeper_peer, "w"));
	kreg_table_close(table);
	ASSERT_EQ(0, kreg_table_destroy(role));
	kreg_table_close(role);
}

TEST_F(tm, registry_is_destroyed)
{
	struct actor a = { .server = NULL };

	end_actor(&self->p.keeper, SIGKILL);
	ASSERT_EQ(0, begin_keeper(&a, &self->p.keeping, KEEPER));
	ASSERT_EQ(0, kreg_table_destroy(self->p.names));
	while (!a.failed)
		ASSERT_LT(0, kreg_server_dispatch(a.server, PATIENCE_MS));
	EXPECT_EQ(-ESTALE, a.failed);
	EXPECT_EQ(KREG_KEEPER_CONSUMERS, a.what);
	EXPECT_NE(NULL, strstr(kreg_errmsg(), "has been destroyed"));
	EXPECT_TRUE(kreg_keeper_holds(a.keeper));
	kreg_keeper_free(a.keeper);
	kreg_table_close(a.names);
	kreg_server_free(a.server);
	kreg_client_close(a.client);
}

/* A second manager makes no second table, and the first one's heirship ends with it. */
TEST_F(tm, manager_dies_while_consumer_owns)
{
	ASSERT_TRUE(start_consumer(&self->p));
	ASSERT_TRUE(tells(self->p.consumer_peer, "n", 1));
	EXPECT_EQ(1, tell(self->p.consumer_peer, "+"));
	end_actor(&self->p.keeper, SIGKILL);
	EXPECT_EQ(self->p.consumer, owner_of(&self->p, NULL));
	self->p.keeper = start_actor(begin_keeper, &self->p.keeping, KEEPER);
	ASSERT_LT(0, self->p.keeper);
	EXPECT_EQ(self->id, tell(self->p.keeper_peer, "i"));
	EXPECT_EQ(0, tell(self->p.keeper_peer, "h"));
	end_actor(&self->p.consumer, SIGKILL);
	EXPECT_EQ(self->p.keeper, owner_of(&self->p, NULL));
	ASSERT_TRUE(start_consumer(&self->p));
	ASSERT_TRUE(tells(self->p.consumer_peer, "n", 1));
	EXPECT_EQ(2, tell(self->p.consumer_peer, "+"));
	EXPECT_EQ(self->id, tell(self->p.keeper_peer, "i"));
}

/* Two keepers at a time: the second one has it when the first one is dead. */
TEST_F(tm, second_manager_stands_by)
{
	pid_t second = start_actor(begin_keeper, &self->p.keeping, "second");

	ASSERT_LT(0, second);
	EXPECT_EQ(self->p.keeper, owner_of(&self->p, NULL));
	end_actor(&self->p.keeper, SIGKILL);
	EXPECT_EQ(second, owner_of(&self->p, NULL));
	ASSERT_TRUE(start_consumer(&self->p));
	EXPECT_TRUE(tells(self->p.consumer_peer, "n", 1));
	end_actor(&second, SIGKILL);
	EXPECT_EQ(self->p.consumer, owner_of(&self->p, NULL));
}

TEST_F(tm, both_die)
{
	ASSERT_TRUE(start_consumer(&self->p));
	ASSERT_TRUE(tells(self->p.consumer_peer, "n", 1));
	EXPECT_EQ(1, tell(self->p.consumer_peer, "+"));
	end_actor(&self->p.keeper, SIGKILL);
	end_actor(&self->p.consumer, SIGKILL);
	EXPECT_EQ(0, owner_of(&self->p, NULL));
	ASSERT_TRUE(start_consumer(&self->p));
	EXPECT_EQ(-ENOENT, tell(self->p.consumer_peer, "+"));
	self->p.keeper = start_actor(begin_keeper, &self->p.keeping, KEEPER);
	ASSERT_LT(0, self->p.keeper);
	ASSERT_TRUE(tells(self->p.consumer_peer, "n", 1));
	EXPECT_EQ(2, tell(self->p.consumer_peer, "+"));
}

TEST_HARNESS_MAIN
