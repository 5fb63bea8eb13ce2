// SPDX-License-Identifier: GPL-2.0
/* libkreg: keepers that give their table to who asks, and what they refuse. */
#include "lib/keeper.h"

/* A data master, and a server that asks it. */
FIXTURE(db)
{
	struct play p;
	struct kreg_peer *second_peer;
	pid_t heir, second;
	int64_t id;
};

FIXTURE_SETUP(db)
{
	ASSERT_EQ(0, begin_play(&self->p));
	self->p.keeping.on_request = true;
	self->p.keeper = start_actor(begin_keeper, &self->p.keeping, KEEPER);
	ASSERT_LT(0, self->p.keeper);
	self->p.consumer = start_actor(begin_consumer, &self->p.keeping, CONSUMER);
	ASSERT_LT(0, self->p.consumer);
	ASSERT_EQ(0, kreg_peer_open(self->p.names, "second", 6, &self->second_peer));
	self->second = start_actor(begin_consumer, &self->p.keeping, "second");
	ASSERT_LT(0, self->second);
	self->id = tell(self->p.keeper_peer, "i");
	ASSERT_LT(0, self->id);
}

FIXTURE_TEARDOWN(db)
{
	end_actor(&self->second, SIGKILL);
	kreg_peer_close(self->second_peer);
	end_play(&self->p);
}

TEST_F(db, master_init)
{
	EXPECT_EQ(self->p.keeper, owner_of(&self->p, &self->heir));
	EXPECT_EQ(self->p.keeper, self->heir);
	EXPECT_EQ(1, tell(self->p.keeper_peer, "h"));
}

TEST_F(db, get_ets)
{
	EXPECT_EQ(KREG_OPENED_CLAIMED, tell(self->p.consumer_peer, "g"));
	EXPECT_EQ(self->id, tell(self->p.consumer_peer, "i"));
	EXPECT_EQ(0, tell(self->p.keeper_peer, "h"));
	EXPECT_EQ(self->p.consumer, owner_of(&self->p, &self->heir));
	EXPECT_EQ(self->p.keeper, self->heir);
	EXPECT_EQ(1, tell(self->p.consumer_peer, "+"));
	/* Again: it has it already, and nobody else gets it. */
	EXPECT_EQ(0, tell(self->p.consumer_peer, "g"));
	EXPECT_EQ(-EBUSY, tell(self->second_peer, "g"));
	EXPECT_EQ(self->p.consumer, owner_of(&self->p, NULL));
	EXPECT_EQ(1, tell(self->p.consumer_peer, "n"));
}

TEST_F(db, transfer_own)
{
	EXPECT_EQ(KREG_OPENED_CLAIMED, tell(self->p.consumer_peer, "g"));
	EXPECT_EQ(0, tell(self->p.consumer_peer, "b"));
	EXPECT_EQ(1, tell(self->p.keeper_peer, "h"));
	EXPECT_EQ(KREG_OPENED_CLAIMED, tell(self->second_peer, "g"));
	EXPECT_EQ(0, tell(self->second_peer, "p"));
	EXPECT_EQ(1, tell(self->p.keeper_peer, "h"));
	EXPECT_EQ(KREG_OPENED_CLAIMED, tell(self->p.consumer_peer, "g"));
	EXPECT_EQ(0, tell(self->p.consumer_peer, "D"));
	EXPECT_EQ(KREG_OPENED_CLAIMED, tell(self->second_peer, "g"));
	EXPECT_LT(self->id, tell(self->second_peer, "i"));
}

TEST_F(db, transfer_foreign)
{
	struct kreg_stat *st;

	EXPECT_EQ(0, tell(self->p.consumer_peer, "F"));
	EXPECT_EQ(1, tell(self->p.keeper_peer, "h"));
	EXPECT_EQ(-ENOENT, kreg_wait_name(self->p.client, "keeper-foreign", KREG_WATCH_ABSENT,
					  PATIENCE_MS) ?: kreg_stat_by_name(self->p.client,
								      "keeper-foreign", &st));
	EXPECT_EQ(self->id, tell(self->p.keeper_peer, "i"));
	EXPECT_EQ(KREG_OPENED_CLAIMED, tell(self->p.consumer_peer, "g"));
}

static int give_to_parent(struct kreg_client *client, char letter, const char *name)
{
	struct kreg_process parent;
	struct kreg_table *table;
	int ret = kreg_process_find(client, getppid(), &parent);

	ret = ret ? ret : kreg_table_create(client, letter == 'e' ? "keeper-early" : "keeper-late",
					    &table);
	return ret ? ret : kreg_table_give(table, &parent, NULL, 0);
}

static void serve_nothing(struct kreg_request *request, void *state)
{
}

/* What the process had been given before it was a keeper is no foreign table. */
TEST_F(db, earlier_gifts_stay)
{
	struct kreg_keeper_options o = KREG_KEEPER_OPTIONS_INIT;
	struct kreg_keeper *keeper;
	struct kreg_server *server;
	struct kreg_stat *st;
	struct kid kid;

	ASSERT_EQ(0, kid_start(&kid, give_to_parent, ""));
	ASSERT_EQ(0, kid_do(&kid, 'e'));
	o.destroy_foreign = true;
	ASSERT_EQ(0, kreg_server_new(self->p.client, serve_nothing, NULL, NULL, &server));
	ASSERT_EQ(0, kreg_keeper_new(server, "keeper-early-late", &o, &keeper));
	ASSERT_EQ(0, kid_do(&kid, 'l'));
	ASSERT_LT(0, kreg_server_dispatch(server, PATIENCE_MS));
	EXPECT_EQ(-ENOENT, kreg_stat_by_name(self->p.client, "keeper-late", &st));
	ASSERT_EQ(0, kreg_stat_by_name(self->p.client, "keeper-early", &st));
	EXPECT_EQ(getpid(), kreg_stat_owner(st).pid);
	kreg_stat_free(st);
	destroy_named(self->p.client, "keeper-early");
	ASSERT_EQ(0, kreg_table_destroy(kreg_keeper_table(keeper)));
	kreg_keeper_free(keeper);
	kreg_server_free(server);
	kid_kill(&kid);
}

/* At once: the keeper need not have been told of the death. */
TEST_F(db, preserved)
{
	int i;

	for (i = 1; i < 20; i++) {
		ASSERT_EQ(KREG_OPENED_CLAIMED, tell(self->p.consumer_peer, "g"));
		ASSERT_EQ(i, tell(self->p.consumer_peer, "+"));
		end_actor(&self->p.consumer, SIGKILL);
		self->p.consumer = start_actor(begin_consumer, &self->p.keeping, CONSUMER);
		ASSERT_LT(0, self->p.consumer);
	}
	EXPECT_EQ(self->id, tell(self->p.keeper_peer, "i"));
}

/* Who is refused is told when it is worth asking again. */
TEST_F(db, waits_for_the_other)
{
	const struct kreg_event *event;
	struct kreg_ref *ref;

	EXPECT_EQ(KREG_OPENED_CLAIMED, tell(self->p.consumer_peer, "g"));
	ASSERT_EQ(0, kreg_monitor_owner_name(self->p.client, self->p.keeping.table, NULL, NULL,
					     &ref));
	EXPECT_EQ(-EBUSY, tell(self->second_peer, "g"));
	end_actor(&self->p.consumer, SIGKILL);
	ASSERT_EQ(0, kreg_event_next(self->p.client, PATIENCE_MS, &event));
	EXPECT_EQ(KREG_OPENED_CLAIMED, tell(self->second_peer, "g"));
	kreg_ref_cancel(ref);
}

TEST_F(db, master_dies)
{
	EXPECT_EQ(KREG_OPENED_CLAIMED, tell(self->p.consumer_peer, "g"));
	EXPECT_EQ(1, tell(self->p.consumer_peer, "+"));
	end_actor(&self->p.keeper, SIGKILL);
	EXPECT_EQ(-ESRCH, tell(self->second_peer, "g"));
	self->p.keeper = start_actor(begin_keeper, &self->p.keeping, KEEPER);
	ASSERT_LT(0, self->p.keeper);
	EXPECT_EQ(-EBUSY, tell(self->second_peer, "g"));
	EXPECT_EQ(0, tell(self->p.consumer_peer, "g"));
	EXPECT_EQ(2, tell(self->p.consumer_peer, "+"));
	end_actor(&self->p.consumer, SIGKILL);
	EXPECT_EQ(KREG_OPENED_CLAIMED, tell(self->second_peer, "g"));
	EXPECT_EQ(3, tell(self->second_peer, "+"));
	EXPECT_EQ(self->id, tell(self->p.keeper_peer, "i"));
}

static int refused(struct kreg_server *server, const char *name,
		   const struct kreg_keeper_options *options)
{
	struct kreg_keeper *keeper = NULL;
	int ret = kreg_keeper_new(server, name, options, &keeper);

	if (keeper)
		_exit(97);
	return ret;
}

/* What kreg_keeper_new() is not to be given. */
TEST_F(db, bad_options)
{
	struct kreg_keeper_options o = KREG_KEEPER_OPTIONS_INIT;
	struct kreg_open_options how = KREG_OPEN_OPTIONS_INIT;
	struct kreg_keeper *keeper, *twice = NULL;
	struct kreg_client *other;
	struct kreg_server *server;
	char want[256];

	ASSERT_EQ(0, kreg_server_new(self->p.client, serve_nothing, NULL, NULL, &server));
	o.table = &how;
	how.heir.pid = getpid();
	EXPECT_EQ(-EINVAL, refused(server, "keeper-bad", &o));
	EXPECT_STREQ("the options name an heir, which the keeper is itself", kreg_errmsg());
	how.heir.pid = 0;
	how.flags = KREG_OPEN_HEIR_SILENT;
	EXPECT_EQ(-EINVAL, refused(server, "keeper-bad", &o));
	how.flags = KREG_OPEN_WAIT;
	EXPECT_EQ(-EINVAL, refused(server, "keeper-bad", &o));
	how.flags = 0;
	how.size = 0;
	EXPECT_EQ(-EINVAL, refused(server, "keeper-bad", &o));
	how.size = sizeof(how);
	o.key = "k";
	o.key_len = 1;
	EXPECT_EQ(-EINVAL, refused(server, "keeper-bad", &o));
	EXPECT_STREQ("there is a key of consumers, and no table that it is in", kreg_errmsg());
	o.consumers = self->p.names;
	o.key_len = KREG_MAX_KEY + 1;
	EXPECT_EQ(-ENAMETOOLONG, refused(server, "keeper-bad", &o));
	EXPECT_STREQ("the key of consumers has more than 1024 bytes", kreg_errmsg());
	o.key_len = 0;
	EXPECT_EQ(-EINVAL, refused(server, "keeper-bad", &o));
	ASSERT_EQ(0, kreg_client_open(NULL, &other));
	ASSERT_EQ(0, kreg_table_open(other, self->p.keeping.names, NULL, &o.consumers));
	o.key_len = 1;
	EXPECT_EQ(-EINVAL, refused(server, "keeper-bad", &o));
	EXPECT_STREQ("the table of consumers is of another client than the server's",
		     kreg_errmsg());
	kreg_table_close(o.consumers);
	EXPECT_EQ(-EINVAL, refused(server, NULL, NULL));
	EXPECT_STREQ("the table has no name", kreg_errmsg());
	EXPECT_EQ(-EINVAL, refused(server, "", NULL));
	ASSERT_EQ(0, kreg_keeper_new(server, "keeper-good", NULL, &keeper));
	EXPECT_EQ(-EEXIST, kreg_keeper_new(server, "keeper-good", NULL, &twice));
	snprintf(want, sizeof(want), "the server keeps table 'keeper-good' already");
	EXPECT_STREQ(want, kreg_errmsg());
	EXPECT_EQ(NULL, twice);
	ASSERT_EQ(0, kreg_table_destroy(kreg_keeper_table(keeper)));
	kreg_keeper_free(keeper);
	kreg_keeper_free(NULL);
	kreg_server_free(server);
	kreg_client_close(other);
}

/* What kreg_keeper_get() is answered, in words. */
TEST_F(db, sentences)
{
	struct kreg_table *table = NULL;
	char want[256], name[KREG_MAX_NAME + 2];

	EXPECT_EQ(-ENOMSG, kreg_keeper_get(self->p.keeper_peer, self->p.client, "none", PATIENCE_MS,
					   &table));
	EXPECT_STREQ("the server does not keep table 'none'", kreg_errmsg());
	EXPECT_EQ(-ENOMSG, kreg_keeper_get(self->p.consumer_peer, self->p.client, "none",
					   PATIENCE_MS, &table));
	EXPECT_EQ(KREG_OPENED_CLAIMED, tell(self->p.consumer_peer, "g"));
	EXPECT_EQ(-EBUSY, kreg_keeper_get(self->p.keeper_peer, self->p.client,
					  self->p.keeping.table, PATIENCE_MS, &table));
	snprintf(want, sizeof(want),
		 "another process has table '%s'; kreg_monitor_owner_name() tells when that is dead",
		 self->p.keeping.table);
	EXPECT_STREQ(want, kreg_errmsg());
	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	EXPECT_EQ(-ENAMETOOLONG, kreg_keeper_get(self->p.keeper_peer, self->p.client, name,
						 PATIENCE_MS, &table));
	EXPECT_STREQ("the name has 129 bytes; the most is 128", kreg_errmsg());
	end_actor(&self->p.keeper, SIGKILL);
	EXPECT_EQ(-ESRCH, kreg_keeper_get(self->p.keeper_peer, self->p.client, "none", PATIENCE_MS,
					  &table));
	self->p.keeping.on_request = false;
	self->p.keeper = start_actor(begin_keeper, &self->p.keeping, KEEPER);
	ASSERT_LT(0, self->p.keeper);
	EXPECT_EQ(-EOPNOTSUPP, kreg_keeper_get(self->p.keeper_peer, self->p.client,
					       self->p.keeping.table, PATIENCE_MS, &table));
	snprintf(want, sizeof(want),
		 "table '%s' is given to who registers as its consumer, not to who asks",
		 self->p.keeping.table);
	EXPECT_STREQ(want, kreg_errmsg());
	EXPECT_EQ(NULL, table);
}

/* Exit status of a child that runs as another user and asks, with the device in this mode. */
static int ask_as_other(struct play *p, unsigned int mode, bool accepts)
{
	struct kreg_table *names, *table;
	struct kreg_client *client;
	struct kreg_peer *peer;
	int status = -1, ret;
	struct stat st;
	pid_t pid;

	if (stat("/dev/kreg", &st) || chmod("/dev/kreg", mode))
		return -1;
	pid = fork();
	if (!pid) {
		ret = setresuid(OTHER, OTHER, OTHER) ?: kreg_client_open(NULL, &client);
		ret = ret ?: accepts ? kreg_client_set_accept(client, true) : 0;
		ret = ret ?: kreg_table_open(client, p->keeping.names, NULL, &names);
		ret = ret ?: kreg_peer_open(names, KEEPER, strlen(KEEPER), &peer);
		ret = ret ?: kreg_keeper_get(peer, client, p->keeping.table, PATIENCE_MS, &table);
		if ((ret == -EPERM && !strstr(kreg_errmsg(), "accept tables first")) ||
		    (ret == -ENOTCONN && !strstr(kreg_errmsg(), "may only read the device")))
			ret = -EILSEQ;
		_exit(-ret);
	}
	waitpid(pid, &status, 0);
	chmod("/dev/kreg", st.st_mode & 0777);
	return WEXITSTATUS(status);
}

TEST_F(db, other_users)
{
	ASSERT_EQ(0, kreg_table_set_mode(self->p.names, 0644));
	EXPECT_EQ(EACCES, ask_as_other(&self->p, 0666, false));
	end_actor(&self->p.keeper, SIGKILL);
	self->p.keeping.admits = true;
	self->p.keeper = start_actor(begin_keeper, &self->p.keeping, KEEPER);
	ASSERT_LT(0, self->p.keeper);
	EXPECT_EQ(EPERM, ask_as_other(&self->p, 0666, false));
	EXPECT_EQ(0, ask_as_other(&self->p, 0666, true));
	EXPECT_EQ(ENOTCONN, ask_as_other(&self->p, 0444, false));
	EXPECT_EQ(1, tell(self->p.keeper_peer, "h"));
}

/* A keeper is not its server's child's. */
TEST_F(db, fork_of_a_keeper)
{
	struct kreg_keeper *keeper, *another;
	struct kreg_server *server;
	pid_t pid;
	int status;

	ASSERT_EQ(0, kreg_server_new(self->p.client, serve_nothing, NULL, NULL, &server));
	ASSERT_EQ(0, kreg_keeper_new(server, "keeper-fork", NULL, &keeper));
	pid = fork();
	if (!pid) {
		if (kreg_keeper_new(server, "keeper-child", NULL, &another) != -ESTALE)
			_exit(1);
		if (kreg_keeper_holds(keeper))
			_exit(2);
		kreg_keeper_free(keeper);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	EXPECT_EQ(0, status);
	EXPECT_TRUE(kreg_keeper_holds(keeper));
	ASSERT_EQ(0, kreg_table_destroy(kreg_keeper_table(keeper)));
	kreg_keeper_free(keeper);
	kreg_server_free(server);
}

TEST_HARNESS_MAIN
