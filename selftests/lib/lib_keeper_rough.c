// SPDX-License-Identifier: GPL-2.0
/*
 * libkreg: keepers that are asked before they have been told what has happened, that are several
 * in a line, and in processes that have forked.
 */
#include "lib/packet.h"
#include "lib/keeper.h"

FIXTURE(db)
{
	struct play p;
	pid_t heir;
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
	self->id = tell(self->p.keeper_peer, "i");
	ASSERT_LT(0, self->id);
}

FIXTURE_TEARDOWN(db)
{
	end_play(&self->p);
}

/* What was freed has other bytes then. */
static void use_freed(void)
{
	void *blocks[32];
	size_t n;

	for (n = 0; n < 32; n++) {
		blocks[n] = malloc(n * 8 + 8);
		if (blocks[n])
			memset(blocks[n], 0x55, n * 8 + 8);
	}
	for (n = 0; n < 32; n++)
		free(blocks[n]);
}

/* Its table is to be beside one of which it has closed the handle. */
static int begin_beside(struct actor *a, const struct keeping *k, const char *name)
{
	static struct keeping beside;
	struct kreg_table *mate;
	int ret = open_actor(a, k, serve_keeper);

	ret = ret ? ret : kreg_table_create(a->client, "keeper-mate", &mate);
	if (ret)
		return ret;
	beside = *k;
	beside.how.beside = mate;
	a->keeping = &beside;
	ret = keep_it(a);
	kreg_table_close(mate);
	use_freed();
	return ret ? ret : kreg_server_register(a->server, a->names, name, strlen(name));
}

TEST_F(db, beside_a_closed_table)
{
	end_actor(&self->p.keeper, SIGKILL);
	destroy_named(self->p.client, self->p.keeping.table);
	self->p.keeper = start_actor(begin_beside, &self->p.keeping, KEEPER);
	ASSERT_LT(0, self->p.keeper);
	EXPECT_EQ(KREG_OPENED_CLAIMED, tell(self->p.consumer_peer, "g"));
	EXPECT_EQ(0, tell(self->p.consumer_peer, "D"));
	EXPECT_EQ(KREG_OPENED_CLAIMED, tell(self->p.consumer_peer, "g"));
	EXPECT_EQ(self->p.consumer, owner_of(&self->p, &self->heir));
	EXPECT_EQ(self->p.keeper, self->heir);
}

/* A connection to the keeper, over which it has answered already. */
static int connect_keeper(struct play *p)
{
	int fd = connect_key(p->names, KEEPER, socket_raw());
	int64_t number;

	if (fd < 0 || send_raw(fd, (struct head){ MAGIC, CALL, 0, 1 }, "h", 0) ||
	    recv_answer(fd, &number, sizeof(number)))
		return -1;
	return fd;
}

/* The keeper stops with this process' request for its table in its queue. */
static int ask_and_stop(struct play *p, int fd)
{
	struct ask_keeper ask = { .kind = 1 };
	struct kreg_process self;
	size_t len = strlen(p->keeping.table);
	int ret = kreg_client_self(p->client, &self);

	ask.cookie = self.cookie;
	memcpy(ask.name, p->keeping.table, len);
	ret = ret ? ret : stop_actor(p->keeper);
	return ret ? ret : send_bytes(fd, (struct head){ MAGIC, SERVICE, 0, 2 }, &ask,
				      offsetof(struct ask_keeper, name) + len, 0);
}

/* It has the table by its place in line, of which it has not been told yet. */
TEST_F(db, is_heir_of_what_comes_by_line)
{
	struct service_answer answer;
	int fd;

	EXPECT_EQ(KREG_OPENED_CLAIMED, tell(self->p.consumer_peer, "g"));
	EXPECT_EQ(0, tell(self->p.consumer_peer, "o"));
	fd = connect_keeper(&self->p);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ask_and_stop(&self->p, fd));
	EXPECT_EQ(0, tell(self->p.consumer_peer, "p"));
	ASSERT_EQ(self->p.keeper, owner_of(&self->p, &self->heir));
	ASSERT_EQ(0, self->heir);
	ASSERT_EQ(0, kill(self->p.keeper, SIGCONT));
	ASSERT_EQ(0, recv_answer(fd, &answer, sizeof(answer)));
	EXPECT_EQ(self->id, answer.table);
	EXPECT_EQ(KREG_OPENED_CLAIMED, answer.opened);
	EXPECT_EQ(getpid(), owner_of(&self->p, &self->heir));
	EXPECT_EQ(self->p.keeper, self->heir);
	close(fd);
}

/* Who has made the table anew has it. */
TEST_F(db, made_anew_by_who_asks)
{
	struct service_answer answer;
	struct kreg_table *table;
	int fd;

	ASSERT_EQ(0, kreg_keeper_get(self->p.keeper_peer, self->p.client, self->p.keeping.table,
				     PATIENCE_MS, &table));
	fd = connect_keeper(&self->p);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ask_and_stop(&self->p, fd));
	ASSERT_EQ(0, kreg_table_destroy(table));
	kreg_table_close(table);
	ASSERT_EQ(0, kreg_table_create(self->p.client, self->p.keeping.table, &table));
	ASSERT_EQ(0, kill(self->p.keeper, SIGCONT));
	ASSERT_EQ(0, recv_answer(fd, &answer, sizeof(answer)));
	EXPECT_EQ(kreg_table_id(table), answer.table);
	EXPECT_EQ(0, answer.opened);
	kreg_table_close(table);
	close(fd);
}

/* Who refuses a request is not the last of those who stand by for that. */
TEST_F(db, refuses_and_keeps_its_place)
{
	struct kreg_table *table;
	pid_t second;

	EXPECT_EQ(KREG_OPENED_CLAIMED, tell(self->p.consumer_peer, "g"));
	second = start_actor(begin_keeper, &self->p.keeping, "second");
	ASSERT_LT(0, second);
	EXPECT_EQ(-EBUSY, kreg_keeper_get(self->p.keeper_peer, self->p.client,
					  self->p.keeping.table, PATIENCE_MS, &table));
	EXPECT_EQ(0, tell(self->p.consumer_peer, "p"));
	EXPECT_EQ(self->p.keeper, owner_of(&self->p, NULL));
	end_actor(&self->p.keeper, SIGKILL);
	EXPECT_EQ(second, owner_of(&self->p, NULL));
	end_actor(&second, SIGKILL);
}

static void serve_nothing(struct kreg_request *request, void *state)
{
}

/* A table for each of two consumers, of one manager. */
struct pair {
	struct keeping keeping[2];
	struct kreg_keeper *keeper[2];
	pid_t consumer[2];
};

static const char *const pair_keys[] = { "x", "y" };

static int begin_pair(struct play *p, struct kreg_server *server, struct pair *pair)
{
	struct kreg_keeper_options o = KREG_KEEPER_OPTIONS_INIT;
	int i, ret = 0;

	o.consumers = p->names;
	o.key_len = 1;
	for (i = 0; i < 2 && !ret; i++) {
		pair->keeping[i] = p->keeping;
		snprintf(pair->keeping[i].table, sizeof(pair->keeping[i].table), "keeper-%s",
			 pair_keys[i]);
		o.key = pair_keys[i];
		ret = kreg_keeper_new(server, pair->keeping[i].table, &o, &pair->keeper[i]);
	}
	return ret;
}

static pid_t owner_in(struct pair *pair, struct play *p, int i)
{
	struct play other = *p;

	other.keeping = pair->keeping[i];
	return owner_of(&other, NULL);
}

/* Each gets its own, whichever comes first, and has it while the other one dies. */
TEST_F(db, several_consumers)
{
	struct kreg_server *server;
	struct pair pair;
	int i, first;

	ASSERT_EQ(0, kreg_server_new(self->p.client, serve_nothing, NULL, NULL, &server));
	ASSERT_EQ(0, begin_pair(&self->p, server, &pair));
	for (first = 1; first >= 0; first--) {
		for (i = first; i >= 0 && i < 2; i += first ? -1 : 1) {
			pair.consumer[i] = start_actor(begin_consumer, &pair.keeping[i],
						       pair_keys[i]);
			ASSERT_LT(0, pair.consumer[i]);
			while (kreg_keeper_holds(pair.keeper[i]))
				ASSERT_LT(0, kreg_server_dispatch(server, PATIENCE_MS));
			EXPECT_EQ(pair.consumer[i], owner_in(&pair, &self->p, i));
		}
		EXPECT_EQ(pair.consumer[!first], owner_in(&pair, &self->p, !first));
		end_actor(&pair.consumer[first], SIGKILL);
		EXPECT_EQ(getpid(), owner_in(&pair, &self->p, first));
		EXPECT_EQ(pair.consumer[!first], owner_in(&pair, &self->p, !first));
		end_actor(&pair.consumer[!first], SIGSEGV);
		EXPECT_EQ(getpid(), owner_in(&pair, &self->p, !first));
	}
	for (i = 0; i < 2; i++) {
		EXPECT_TRUE(kreg_keeper_holds(pair.keeper[i]));
		ASSERT_EQ(0, kreg_table_destroy(kreg_keeper_table(pair.keeper[i])));
		kreg_keeper_free(pair.keeper[i]);
	}
	kreg_server_free(server);
}

/* Tables come to one client of a process, whose keepers know all that are kept. */
TEST_F(db, one_client_of_a_process)
{
	struct kreg_keeper *keeper, *second;
	struct kreg_server *server, *other_server;
	struct kreg_client *other;

	ASSERT_EQ(0, kreg_client_open(NULL, &other));
	ASSERT_EQ(0, kreg_server_new(self->p.client, serve_nothing, NULL, NULL, &server));
	ASSERT_EQ(0, kreg_server_new(other, serve_nothing, NULL, NULL, &other_server));
	ASSERT_EQ(0, kreg_keeper_new(server, "keeper-one", NULL, &keeper));
	EXPECT_EQ(-EBUSY, kreg_keeper_new(other_server, "keeper-two", NULL, &second));
	EXPECT_STREQ("another client of this process has keepers already: keep table 'keeper-two' with a server of that client",
		     kreg_errmsg());
	ASSERT_EQ(0, kreg_keeper_new(server, "keeper-two", NULL, &second));
	EXPECT_EQ(0, kreg_table_destroy(kreg_keeper_table(keeper)));
	EXPECT_EQ(0, kreg_table_destroy(kreg_keeper_table(second)));
	kreg_keeper_free(keeper);
	kreg_keeper_free(second);
	ASSERT_EQ(0, kreg_keeper_new(other_server, "keeper-two", NULL, &second));
	EXPECT_EQ(0, kreg_table_destroy(kreg_keeper_table(second)));
	kreg_keeper_free(second);
	kreg_server_free(server);
	kreg_server_free(other_server);
	kreg_client_close(other);
}

/*
 * A child keeps tables of its own with the client of its parent, whose table is as any other there.
 * Return: the number of the step that failed; 0: none. It tells when it can be given that.
 */
static int keep_in_a_child(struct kreg_client *client, int ready)
{
	struct kreg_keeper_options o = KREG_KEEPER_OPTIONS_INIT;
	struct kreg_keeper *keeper, *second;
	struct kreg_server *server;
	struct kreg_stat *stat;

	if (kreg_client_dispatch(client, 0) != -EINVAL)
		return 1;
	o.destroy_foreign = true;
	if (kreg_server_new(client, serve_nothing, NULL, NULL, &server) ||
	    kreg_keeper_new(server, "keeper-child", &o, &keeper))
		return 2;
	if (write(ready, "", 1) != 1 || kreg_server_dispatch(server, PATIENCE_MS) <= 0)
		return 3;
	if (kreg_stat_by_name(client, "keeper-parent", &stat) != -ENOENT)
		return 4;
	/* And keeps one of the same name. */
	if (kreg_keeper_new(server, "keeper-parent", NULL, &second) ||
	    !kreg_keeper_holds(second))
		return 5;
	kreg_table_destroy(kreg_keeper_table(keeper));
	kreg_table_destroy(kreg_keeper_table(second));
	kreg_keeper_free(keeper);
	kreg_keeper_free(second);
	kreg_server_free(server);
	return 0;
}

TEST_F(db, keeps_in_a_child)
{
	struct kreg_process child;
	struct kreg_keeper *keeper;
	struct kreg_server *server;
	struct kreg_client *client;
	int ready[2], status;
	char byte;
	pid_t pid;

	/* That has no refs, as those of actors may. */
	ASSERT_EQ(0, kreg_client_open(NULL, &client));
	ASSERT_EQ(0, pipe(ready));
	ASSERT_EQ(0, kreg_server_new(client, serve_nothing, NULL, NULL, &server));
	ASSERT_EQ(0, kreg_keeper_new(server, "keeper-parent", NULL, &keeper));
	pid = fork();
	if (!pid)
		_exit(keep_in_a_child(client, ready[1]));
	close(ready[1]);
	if (read(ready[0], &byte, 1) == 1) {
		ASSERT_EQ(0, kreg_process_find(client, pid, &child));
		ASSERT_EQ(0, kreg_table_give(kreg_keeper_table(keeper), &child, NULL, 0));
	}
	waitpid(pid, &status, 0);
	EXPECT_EQ(0, WEXITSTATUS(status));
	kreg_keeper_free(keeper);
	kreg_server_free(server);
	kreg_client_close(client);
	close(ready[0]);
}

TEST_HARNESS_MAIN
