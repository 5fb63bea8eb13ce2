// SPDX-License-Identifier: GPL-2.0
/* libkreg: agents that are asked what nobody means, and servers that lie to who asks them. */
#include <sys/prctl.h>
#include <sys/uio.h>

#include "lib/packet.h"

#define KEY	"service"

FIXTURE(service)
{
	struct kreg_client *client;
	struct kreg_table *names;
	struct kreg_peer *peer;
	char name[32];
	pid_t pid;
};

FIXTURE_SETUP(service)
{
	snprintf(self->name, sizeof(self->name), "service-%d", getpid());
	ASSERT_EQ(0, kreg_client_open(NULL, &self->client));
	ASSERT_EQ(0, kreg_table_create(self->client, self->name, &self->names));
	ASSERT_EQ(0, kreg_table_set_access(self->names, KREG_ACCESS_REGISTRY));
	ASSERT_EQ(0, kreg_peer_open(self->names, KEY, strlen(KEY), &self->peer));
}

static void end_child(pid_t *pid)
{
	if (*pid <= 0)
		return;
	kill(*pid, SIGKILL);
	waitpid(*pid, NULL, 0);
	*pid = 0;
}

FIXTURE_TEARDOWN(service)
{
	end_child(&self->pid);
	kreg_peer_close(self->peer);
	kreg_table_destroy(self->names);
	kreg_table_close(self->names);
	kreg_client_close(self->client);
}

static struct kreg_table *begin_child(const char *name)
{
	struct kreg_client *client;
	struct kreg_table *names;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(test_scale(120));
	if (kreg_client_open(NULL, &client) || kreg_table_open(client, name, NULL, &names))
		_exit(98);
	return names;
}

static int start_agent(struct kreg_table *names, const char *name, pid_t *pid)
{
	*pid = fork();
	if (!*pid)
		_exit(kreg_agent_run(begin_child(name), KEY, strlen(KEY), NULL) ? 99 : 0);
	return kreg_wait(names, KEY, strlen(KEY), KREG_WATCH_PRESENT, 0, PATIENCE_MS);
}

/* An agent, and what is said to it: the key is "k" but for one that is said to be longer. */
static const struct {
	struct ask_agent ask;
	size_t bytes;
	int err;
} asked[] = {
	{ { .kind = 2, .what = 2, .key_len = 1, .bytes = "kv" }, 2, 0 },
	{ { .kind = 2, .what = 1, .key_len = 1, .bytes = "k" }, 1, 0 },
	{ { .kind = 2, .what = 1, .key_len = 1, .bytes = "kv" }, 2, -EINVAL },
	{ { .kind = 2, .what = 3, .key_len = 1, .bytes = "kv" }, 2, -EINVAL },
	{ { .kind = 2, .what = 1, .flags = 1, .key_len = 1, .bytes = "k" }, 1, -EINVAL },
	{ { .kind = 2, .what = 1, .version = 1, .key_len = 1, .bytes = "k" }, 1, -EINVAL },
	{ { .kind = 2, .what = 2, .version = 1, .key_len = 1, .bytes = "k" }, 1, -EINVAL },
	{ { .kind = 2, .what = 2, .flags = 2, .key_len = 1, .bytes = "k" }, 1, -EINVAL },
	{ { .kind = 2, .what = 3, .flags = 1u << 31, .key_len = 1, .bytes = "k" }, 1, -EINVAL },
	{ { .kind = 2, .what = 3, .flags = 1, .version = 1, .key_len = 1, .bytes = "k" }, 1,
	  -ECANCELED },
	{ { .kind = 2, .what = 1, .key_len = 2, .bytes = "k" }, 1, -ENOMSG },
	{ { .kind = 2, .what = 1, .key_len = UINT32_MAX, .bytes = "k" }, 1, -ENOMSG },
	{ { .kind = 2, .what = 0, .key_len = 1, .bytes = "k" }, 1, -ENOMSG },
	{ { .kind = 2, .what = 4, .key_len = 1, .bytes = "k" }, 1, -ENOMSG },
	{ { .kind = 1, .what = 1, .key_len = 1, .bytes = "k" }, 1, -ENOMSG },
	{ { .kind = 0, .what = 1, .key_len = 1, .bytes = "k" }, 1, -ENOMSG },
	{ { .kind = 3, .what = 1, .key_len = 1, .bytes = "k" }, 1, -ENOMSG },
};

TEST_F(service, agent_is_asked_nonsense)
{
	const size_t before = offsetof(struct ask_agent, bytes);
	char value[8] = "";
	size_t i;
	int fd;

	ASSERT_EQ(0, start_agent(self->names, self->name, &self->pid));
	fd = connect_key(self->names, KEY, socket_raw());
	ASSERT_LE(0, fd);
	for (i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		struct service_answer answer = { 0, 0 };

		ASSERT_EQ(0, send_bytes(fd, (struct head){ MAGIC, SERVICE, 0, i + 1 },
					&asked[i].ask, before + asked[i].bytes, 0));
		EXPECT_EQ(asked[i].err, recv_answer(fd, &answer, sizeof(answer))) {
			TH_LOG("request %zu", i);
		}
	}
	/* Cut off anywhere, and of any length. */
	for (i = 0; i < before; i++) {
		ASSERT_EQ(0, send_bytes(fd, (struct head){ MAGIC, SERVICE, 0, i + 100 },
					&asked[1].ask, i, 0));
		EXPECT_EQ(-ENOMSG, recv_answer(fd, NULL, 0));
	}
	close(fd);
	EXPECT_EQ(0, kreg_agent_get(self->peer, "k", 1, value, sizeof(value), NULL, PATIENCE_MS));
	EXPECT_STREQ("v", value);
}

/* Without the number of a call there is nobody to be answered. */
TEST_F(service, no_call)
{
	static const struct head bad[] = {
		{ MAGIC, SERVICE, 0, 0 }, { MAGIC, SERVICE, 2000, 1 }, { MAGIC, SERVICE, 100, 1 },
	};
	size_t i;
	int fd;

	ASSERT_EQ(0, start_agent(self->names, self->name, &self->pid));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		fd = connect_key(self->names, KEY, socket_raw());
		ASSERT_LE(0, fd);
		EXPECT_EQ(0, send_bytes(fd, bad[i], &asked[1].ask, 33, 0));
		EXPECT_TRUE(is_ended(fd));
		close(fd);
	}
	EXPECT_EQ(0, kreg_agent_put(self->peer, "k", 1, "v", 1, PATIENCE_MS));
}

/* A process that has a server's name, and answers whatever it is asked with the same. */
static void lie(const char *name, const struct service_answer *answer)
{
	struct kreg_table *names = begin_child(name);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(address);
	unsigned char value[128] = { 1 };
	int sock = socket_raw(), fd;
	char room[4096];
	struct head head;
	struct iovec parts[] = { { &head, sizeof(head) }, { (void *)answer, sizeof(*answer) } };

	if (bind(sock, (void *)&address, sizeof(sa_family_t)) || listen(sock, 4) ||
	    getsockname(sock, (void *)&address, &len))
		_exit(97);
	value[1] = len - offsetof(struct sockaddr_un, sun_path);
	memcpy(value + 2, address.sun_path, value[1]);
	if (kreg_register(names, KEY, strlen(KEY), value, 2 + value[1]))
		_exit(96);
	for (;;) {
		fd = accept(sock, NULL, NULL);
		while (recv(fd, room, sizeof(room), 0) >= (ssize_t)sizeof(head)) {
			memcpy(&head, room, sizeof(head));
			head.type = REPLY;
			head.key_len = 0;
			if (writev(fd, parts, 2) < 0)
				break;
		}
		close(fd);
	}
}

static int start_liar(struct kreg_table *names, const char *name, uint64_t table,
		      uint64_t opened, pid_t *pid)
{
	const struct service_answer answer = { table, opened };

	end_child(pid);
	*pid = fork();
	if (!*pid)
		lie(name, &answer);
	return kreg_wait(names, KEY, strlen(KEY), KREG_WATCH_PRESENT, 0, PATIENCE_MS);
}

struct lie {
	uint64_t table;
	uint64_t opened;
	int err;
};

/* Whose a table is, and what its name, the kernel says. */
TEST_F(service, keeper_lies)
{
	const uint64_t claimed = KREG_OPENED_CLAIMED;
	struct kreg_client *client = self->client;
	struct kreg_table *own, *got, *none = NULL;
	char want[128], name[32];
	size_t i;

	snprintf(name, sizeof(name), "own-%d", getpid());
	ASSERT_EQ(0, kreg_table_create(client, name, &own));

	const struct lie lies[] = {
		{ kreg_table_id(self->names), claimed, -EBADMSG },
		{ 0, claimed, -EBADMSG },
		{ 1ull << 60, claimed, -EBADMSG },
		{ kreg_table_id(own), KREG_OPENED_CREATED | claimed, -EBADMSG },
		{ kreg_table_id(own), 1ull << 32, -EBADMSG },
		{ kreg_table_id(own), claimed, 0 },
		{ kreg_table_id(own), 0, 0 },
	};

	for (i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		ASSERT_EQ(0, start_liar(self->names, self->name, lies[i].table, lies[i].opened,
					&self->pid));
		got = NULL;
		EXPECT_EQ(lies[i].err,
			  kreg_keeper_get(self->peer, client, name, PATIENCE_MS, &got));
		if (lies[i].err) {
			EXPECT_EQ(none, got);
			continue;
		}
		EXPECT_EQ(lies[i].opened, kreg_table_opened(got));
		kreg_table_close(got);
	}
	got = NULL;
	/* It is another process' by now. */
	ASSERT_EQ(0, kreg_table_park(own));
	EXPECT_EQ(-EBADMSG, kreg_keeper_get(self->peer, client, name, PATIENCE_MS, &got));
	snprintf(want, sizeof(want),
		 "the server has named a table that is not table '%s', or not this process'", name);
	EXPECT_STREQ(want, kreg_errmsg());
	EXPECT_EQ(0, kreg_table_destroy(own));
	kreg_table_close(own);
}

/* One value is removed, or none. */
TEST_F(service, agent_lies)
{
	static const uint64_t counts[] = { 1, 2, 1ull << 31, 1ull << 32, UINT64_MAX };
	size_t i;

	for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		ASSERT_EQ(0, start_liar(self->names, self->name, 0, counts[i], &self->pid));
		EXPECT_EQ(1, kreg_agent_del(self->peer, "k", 1, PATIENCE_MS));
	}
	ASSERT_EQ(0, start_liar(self->names, self->name, 0, 0, &self->pid));
	EXPECT_EQ(0, kreg_agent_del(self->peer, "k", 1, PATIENCE_MS));
}

TEST_HARNESS_MAIN
