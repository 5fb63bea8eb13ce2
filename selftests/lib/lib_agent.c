// SPDX-License-Identifier: GPL-2.0
/* libkreg: agents, which hold values for other processes. */
#include <sys/prctl.h>

#include "lib/lib.h"
#include "kit/util.h"

#define AGENT	"agent"
#define LEN	5

/* An agent is a process that runs nothing else. */
FIXTURE(agent)
{
	struct kreg_client *client;
	struct kreg_table *names;
	struct kreg_peer *peer;
	struct kreg_agent_options options;
	char name[32];
	pid_t pid;
};

FIXTURE_SETUP(agent)
{
	snprintf(self->name, sizeof(self->name), "agents-%d", getpid());
	ASSERT_EQ(0, kreg_client_open(NULL, &self->client));
	ASSERT_EQ(0, kreg_table_create(self->client, self->name, &self->names));
	ASSERT_EQ(0, kreg_table_set_access(self->names, KREG_ACCESS_REGISTRY));
	ASSERT_EQ(0, kreg_peer_open(self->names, AGENT, LEN, &self->peer));
	self->options.size = sizeof(self->options);
}

static int agent_main(const char *name, const struct kreg_agent_options *options)
{
	struct kreg_client *client;
	struct kreg_table *names;
	int ret;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(test_scale(120));
	ret = kreg_client_open(NULL, &client);
	ret = ret ? ret : kreg_table_open(client, name, NULL, &names);
	return ret ? ret : kreg_agent_run(names, AGENT, LEN, options);
}

static int start_agent(struct kreg_table *names, const char *name,
		       const struct kreg_agent_options *options, pid_t *pid)
{
	*pid = fork();
	if (!*pid)
		_exit(agent_main(name, options) ? 99 : 0);
	return kreg_wait(names, AGENT, LEN, KREG_WATCH_PRESENT, 0, PATIENCE_MS);
}

static int end_agent(pid_t *pid, int sig)
{
	int status = -1;

	if (*pid <= 0)
		return -1;
	kill(*pid, sig);
	waitpid(*pid, &status, 0);
	*pid = 0;
	return status;
}

FIXTURE_TEARDOWN(agent)
{
	end_agent(&self->pid, SIGKILL);
	kreg_peer_close(self->peer);
	kreg_table_destroy(self->names);
	kreg_table_close(self->names);
	kreg_client_close(self->client);
}

/* The value without a key, as a string. */
static int get_text(struct kreg_peer *peer, const char *key, char *buf, size_t room)
{
	size_t len = 0;
	int ret = kreg_agent_get(peer, key, key ? strlen(key) : 0, buf, room - 1, &len,
				 PATIENCE_MS);

	buf[ret ? 0 : len] = '\0';
	return ret;
}

static int put_text(struct kreg_peer *peer, const char *key, const char *value)
{
	return kreg_agent_put(peer, key, key ? strlen(key) : 0, value, strlen(value), PATIENCE_MS);
}

TEST_F(agent, one_value)
{
	char buf[32];

	ASSERT_EQ(0, start_agent(self->names, self->name, &self->options, &self->pid));
	EXPECT_EQ(-ENODATA, get_text(self->peer, NULL, buf, sizeof(buf)));
	EXPECT_STREQ("the agent has no value under this key", kreg_errmsg());
	EXPECT_EQ(0, put_text(self->peer, NULL, "one"));
	EXPECT_EQ(0, get_text(self->peer, NULL, buf, sizeof(buf)));
	EXPECT_STREQ("one", buf);
	EXPECT_EQ(0, put_text(self->peer, NULL, ""));
	EXPECT_EQ(0, get_text(self->peer, NULL, buf, sizeof(buf)));
	EXPECT_STREQ("", buf);
	EXPECT_EQ(1, kreg_agent_del(self->peer, NULL, 0, PATIENCE_MS));
	EXPECT_EQ(0, kreg_agent_del(self->peer, NULL, 0, PATIENCE_MS));
	EXPECT_EQ(-ENODATA, get_text(self->peer, NULL, buf, sizeof(buf)));
}

TEST_F(agent, initial_value)
{
	char buf[32];

	self->options.value = "start";
	self->options.value_len = 5;
	ASSERT_EQ(0, start_agent(self->names, self->name, &self->options, &self->pid));
	EXPECT_EQ(0, get_text(self->peer, NULL, buf, sizeof(buf)));
	EXPECT_STREQ("start", buf);
}

/* KV.Bucket, with keys of any bytes and lengths. */
TEST_F(agent, bucket)
{
	char key[KREG_MAX_KEY + 1], buf[32];
	int i;

	ASSERT_EQ(0, start_agent(self->names, self->name, &self->options, &self->pid));
	EXPECT_EQ(0, put_text(self->peer, "milk", "1"));
	EXPECT_EQ(0, put_text(self->peer, "eggs", "12"));
	EXPECT_EQ(0, put_text(self->peer, "milk", "2"));
	EXPECT_EQ(0, get_text(self->peer, "milk", buf, sizeof(buf)));
	EXPECT_STREQ("2", buf);
	EXPECT_EQ(0, get_text(self->peer, "eggs", buf, sizeof(buf)));
	EXPECT_STREQ("12", buf);
	EXPECT_EQ(-ENODATA, get_text(self->peer, "egg", buf, sizeof(buf)));
	EXPECT_EQ(1, kreg_agent_del(self->peer, "eggs", 4, PATIENCE_MS));
	EXPECT_EQ(-ENODATA, get_text(self->peer, "eggs", buf, sizeof(buf)));
	memset(key, 0, sizeof(key));
	for (i = 1; i <= KREG_MAX_KEY; i += 31)
		ASSERT_EQ(0, kreg_agent_put(self->peer, key, i, &i, sizeof(i), PATIENCE_MS));
	for (i = 1; i <= KREG_MAX_KEY; i += 31) {
		int found = 0;

		ASSERT_EQ(0, kreg_agent_get(self->peer, key, i, &found, sizeof(found), NULL,
					    PATIENCE_MS));
		ASSERT_EQ(i, found);
		ASSERT_EQ(1, kreg_agent_del(self->peer, key, i, PATIENCE_MS));
	}
	EXPECT_EQ(-ENAMETOOLONG, kreg_agent_put(self->peer, key, sizeof(key), "", 0, PATIENCE_MS));
	EXPECT_STREQ("the key has 1025 bytes; the most is 1024", kreg_errmsg());
	EXPECT_EQ(0, get_text(self->peer, "milk", buf, sizeof(buf)));
}

TEST_F(agent, sizes)
{
	static char big[KREG_MAX_AGENT_VALUE + 1], back[sizeof(big)];
	size_t len = 0;

	self->options.max_bytes = 3 * (KREG_MAX_AGENT_VALUE + 65);
	ASSERT_EQ(0, start_agent(self->names, self->name, &self->options, &self->pid));
	memset(big, 'b', sizeof(big));
	EXPECT_EQ(-EFBIG, kreg_agent_put(self->peer, "k", 1, big, sizeof(big), PATIENCE_MS));
	EXPECT_STREQ("the value has 64001 bytes; the most is 64000: put it into a table",
		     kreg_errmsg());
	ASSERT_EQ(0, kreg_agent_put(self->peer, "k", 1, big, sizeof(big) - 1, PATIENCE_MS));
	ASSERT_EQ(0, kreg_agent_get(self->peer, "k", 1, back, sizeof(back), &len, PATIENCE_MS));
	EXPECT_EQ(sizeof(big) - 1, len);
	EXPECT_EQ(0, memcmp(big, back, len));
	EXPECT_EQ(-EMSGSIZE, kreg_agent_get(self->peer, "k", 1, back, 10, &len, PATIENCE_MS));
	EXPECT_EQ(sizeof(big) - 1, len);
	EXPECT_STREQ("the value has 64000 bytes, and there is room for 10", kreg_errmsg());
	EXPECT_EQ(-EMSGSIZE, kreg_agent_get(self->peer, "k", 1, NULL, 0, NULL, PATIENCE_MS));
	EXPECT_EQ(0, kreg_agent_put(self->peer, "l", 1, big, sizeof(big) - 1, PATIENCE_MS));
	EXPECT_EQ(0, kreg_agent_put(self->peer, "m", 1, big, sizeof(big) - 1, PATIENCE_MS));
	EXPECT_EQ(-ENOSPC, kreg_agent_put(self->peer, "n", 1, "", 0, PATIENCE_MS));
	EXPECT_STREQ("the agent is full: remove values, or let it have more bytes",
		     kreg_errmsg());
	/* What is there may be replaced, and room comes back. */
	EXPECT_EQ(0, kreg_agent_put(self->peer, "m", 1, big, sizeof(big) - 1, PATIENCE_MS));
	EXPECT_EQ(1, kreg_agent_del(self->peer, "m", 1, PATIENCE_MS));
	EXPECT_EQ(0, kreg_agent_put(self->peer, "n", 1, "", 0, PATIENCE_MS));
}

/* Todo.List: a line more. */
static int append(const void *old, size_t old_len, void *buf, size_t room, size_t *len, void *arg)
{
	const char *item = arg;

	if (!strcmp(item, "fail"))
		return -ECANCELED;
	*len = old_len + strlen(item) + 1;
	if (*len > room)
		return -EMSGSIZE;
	if (!old != !old_len)
		return -EILSEQ;
	if (old)
		memcpy(buf, old, old_len);
	sprintf((char *)buf + old_len, "%s\n", item);
	return 0;
}

static int add_line(struct kreg_peer *peer, const char *item)
{
	return kreg_agent_update(peer, NULL, 0, append, (void *)item, PATIENCE_MS);
}

TEST_F(agent, update)
{
	static char line[1000];
	char buf[64];
	int ret = 0, i;

	ASSERT_EQ(0, start_agent(self->names, self->name, &self->options, &self->pid));
	EXPECT_EQ(0, add_line(self->peer, "eggs"));
	EXPECT_EQ(0, add_line(self->peer, "milk"));
	EXPECT_EQ(0, get_text(self->peer, NULL, buf, sizeof(buf)));
	EXPECT_STREQ("eggs\nmilk\n", buf);
	/* An error that the library uses itself. */
	EXPECT_EQ(-ECANCELED, add_line(self->peer, "fail"));
	EXPECT_EQ(0, get_text(self->peer, NULL, buf, sizeof(buf)));
	EXPECT_STREQ("eggs\nmilk\n", buf);
	memset(line, 'x', sizeof(line) - 1);
	for (i = 0; i < 100 && !ret; i++)
		ret = add_line(self->peer, line);
	EXPECT_EQ(-EFBIG, ret);
	EXPECT_EQ(64, i);
}

static int add_one(const void *old, size_t old_len, void *buf, size_t room, size_t *len, void *arg)
{
	int n = old ? *(const int *)old : 0;

	n++;
	memcpy(buf, &n, sizeof(n));
	*len = sizeof(n);
	return 0;
}

static void add_often(struct kreg_peer *peer)
{
	int i;

	for (i = 0; i < 100; i++)
		if (kreg_agent_update(peer, "n", 1, add_one, NULL, PATIENCE_MS))
			_exit(1);
	_exit(0);
}

/* Processes that are in each other's way lose nothing. */
TEST_F(agent, concurrent_updates)
{
	int i, n = 0, status;
	pid_t pids[4];

	ASSERT_EQ(0, start_agent(self->names, self->name, &self->options, &self->pid));
	for (i = 0; i < 4; i++) {
		pids[i] = fork();
		if (!pids[i])
			add_often(self->peer);
	}
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(pids[i], waitpid(pids[i], &status, 0));
		EXPECT_EQ(0, status);
	}
	ASSERT_EQ(0, kreg_agent_get(self->peer, "n", 1, &n, sizeof(n), NULL, PATIENCE_MS));
	EXPECT_EQ(400, n);
}

struct swap {
	struct kreg_table *names;
	const char *name;
	pid_t *pid;
	int calls, ret;
};

/* The agent dies, and another one has a value of the same length meanwhile. */
static int swap_agent(const void *old, size_t old_len, void *buf, size_t room, size_t *len,
		      void *arg)
{
	struct kreg_agent_options options = KREG_AGENT_OPTIONS_INIT;
	struct swap *s = arg;

	options.value = "B";
	options.value_len = 1;
	if (!s->calls++) {
		end_agent(s->pid, SIGKILL);
		s->ret = start_agent(s->names, s->name, &options, s->pid);
	}
	memcpy(buf, old, old_len);
	((char *)buf)[old_len] = '!';
	*len = old_len + 1;
	return 0;
}

TEST_F(agent, update_over_a_death)
{
	struct swap swap = { self->names, self->name, &self->pid, 0, -1 };
	char buf[8];

	self->options.value = "A";
	self->options.value_len = 1;
	ASSERT_EQ(0, start_agent(self->names, self->name, &self->options, &self->pid));
	EXPECT_EQ(0, kreg_agent_update(self->peer, NULL, 0, swap_agent, &swap, PATIENCE_MS));
	EXPECT_EQ(0, swap.ret);
	EXPECT_EQ(2, swap.calls);
	EXPECT_EQ(0, get_text(self->peer, NULL, buf, sizeof(buf)));
	EXPECT_STREQ("B!", buf);
}

TEST_F(agent, deaths)
{
	int status = -1;
	char buf[8];

	EXPECT_EQ(-ESRCH, get_text(self->peer, NULL, buf, sizeof(buf)));
	ASSERT_EQ(0, start_agent(self->names, self->name, &self->options, &self->pid));
	EXPECT_EQ(0, put_text(self->peer, "k", "v"));
	end_agent(&self->pid, SIGKILL);
	EXPECT_EQ(-ESRCH, put_text(self->peer, "k", "v"));
	/* Its values have died with it. */
	ASSERT_EQ(0, start_agent(self->names, self->name, &self->options, &self->pid));
	EXPECT_EQ(-ENODATA, get_text(self->peer, "k", buf, sizeof(buf)));
	ASSERT_EQ(0, kill(self->pid, SIGSTOP));
	EXPECT_EQ(-ETIMEDOUT, kreg_agent_put(self->peer, "k", 1, "", 0, 50));
	EXPECT_EQ(-ETIMEDOUT, kreg_agent_get(self->peer, "k", 1, NULL, 0, NULL, 0));
	ASSERT_EQ(0, kill(self->pid, SIGCONT));
	EXPECT_EQ(0, kreg_stop(self->peer, PATIENCE_MS));
	waitpid(self->pid, &status, 0);
	self->pid = 0;
	EXPECT_EQ(0, status);
	EXPECT_EQ(-ESRCH, kreg_agent_del(self->peer, "k", 1, PATIENCE_MS));
}

static void serve_nothing(struct kreg_request *request, void *state)
{
}

/* A server of one's own with an agent in it, or none. */
TEST_F(agent, within_a_server)
{
	struct kreg_agent *agent = NULL, *twice = NULL;
	static char big[KREG_MAX_AGENT_VALUE + 1];
	struct kreg_server *server;
	pid_t pid;
	int status;

	ASSERT_EQ(0, kreg_server_new(self->client, serve_nothing, NULL, NULL, &server));
	ASSERT_EQ(0, kreg_server_register(server, self->names, AGENT, LEN));
	self->options.value = big;
	self->options.value_len = sizeof(big);
	EXPECT_EQ(-EFBIG, kreg_agent_new(server, &self->options, &agent));
	self->options.value_len = 10;
	self->options.max_bytes = 64;
	EXPECT_EQ(-ENOSPC, kreg_agent_new(server, &self->options, &agent));
	self->options.size = 0;
	EXPECT_EQ(-EINVAL, kreg_agent_new(server, &self->options, &agent));
	EXPECT_EQ(NULL, agent);
	pid = fork();
	if (!pid) {
		char buf[8];

		if (put_text(self->peer, "k", "v") != -ENOMSG ||
		    strcmp(kreg_errmsg(), "the server is no agent"))
			_exit(1);
		if (kreg_agent_new(server, NULL, &agent) != -ESTALE)
			_exit(2);
		while (put_text(self->peer, "k", "v") == -ENOMSG)
			usleep(1000);
		_exit(get_text(self->peer, "k", buf, sizeof(buf)) || strcmp(buf, "v") ? 3 : 0);
	}
	ASSERT_LT(0, kreg_server_dispatch(server, PATIENCE_MS));
	ASSERT_EQ(0, kreg_agent_new(server, NULL, &agent));
	EXPECT_EQ(-EEXIST, kreg_agent_new(server, NULL, &twice));
	EXPECT_STREQ("the server has an agent already", kreg_errmsg());
	while (!waitpid(pid, &status, WNOHANG))
		ASSERT_LE(0, kreg_server_dispatch(server, 20));
	EXPECT_EQ(0, status);
	kreg_server_free(server);
	kreg_agent_free(agent);
	kreg_agent_free(NULL);
}

/* A worker of a supervisor. */
static const char *worker_table;

static int worker(void *arg)
{
	return agent_main(worker_table, NULL) ? 1 : 0;
}

TEST_F(agent, child_of_a_supervisor)
{
	struct kreg_child child = KREG_CHILD_INIT;
	struct kreg_supervisor *sup;
	struct kreg_process process;
	char buf[8];

	worker_table = self->name;
	child.id = "list";
	child.main = worker;
	child.notify = true;
	child.start_ms = PATIENCE_MS;
	ASSERT_EQ(0, kreg_supervisor_new(self->client, self->name, KREG_ONE_FOR_ONE, 3, 60000,
					 &sup));
	ASSERT_EQ(0, kreg_supervisor_start(sup));
	ASSERT_EQ(0, kreg_supervisor_start_child(sup, &child, &process));
	EXPECT_EQ(0, put_text(self->peer, "milk", "1"));
	ASSERT_EQ(0, kill(process.pid, SIGKILL));
	while (get_text(self->peer, "milk", buf, sizeof(buf)) == -ESRCH)
		ASSERT_LE(0, kreg_supervisor_dispatch(sup, 1000));
	EXPECT_EQ(-ENODATA, get_text(self->peer, "milk", buf, sizeof(buf)));
	EXPECT_EQ(0, put_text(self->peer, "milk", "2"));
	kreg_supervisor_free(sup);
	EXPECT_EQ(-ESRCH, put_text(self->peer, "milk", "3"));
}

TEST_HARNESS_MAIN
